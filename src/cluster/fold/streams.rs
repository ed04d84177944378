//! Folding of the state of streams: what a complete list did not name is gone.

use crate::cluster::{ChangedParts, Cluster, Row, RowId};
use crate::model::{LinkState, Name, Stream, Timestamp, Uid};
use rustc_hash::FxHashMap;

impl Cluster {
    pub(super) fn link(&mut self, stream: Stream, state: LinkState, now: Timestamp) -> ChangedParts {
        let health = &mut self.streams[stream.index()];
        if health.state == state {
            return ChangedParts::NONE;
        }
        let denial = matches!(state, LinkState::Denied { .. }) != matches!(health.state, LinkState::Denied { .. });
        let pods_known = self.knows(Stream::Pods);
        let health = &mut self.streams[stream.index()];
        if matches!(state, LinkState::Absent | LinkState::Denied { .. } | LinkState::Off) {
            health.complete = false;
        }
        health.state = state;
        if (denial && stream == Stream::Nodes) || pods_known != self.knows(Stream::Pods) {
            // Rows known only by name come or go with the permission; what is known of pods decides filters.
            let ids: Vec<RowId> = self.rows.keys().copied().collect();
            for id in ids {
                self.touch(id);
            }
            return ChangedParts::STREAMS | ChangedParts::ROWS;
        }
        let state = &self.stream(stream).state;
        let (absent, read) =
            (*state == LinkState::Absent, matches!(state, LinkState::Live | LinkState::Retrying { .. }));
        match stream {
            Stream::NodeMetrics if !read => self.node_usage(Vec::new()) | ChangedParts::STREAMS,
            Stream::PodMetrics if !read => {
                self.pods.usage = FxHashMap::default();
                ChangedParts::ROWS | ChangedParts::STREAMS
            }
            // A kind that is not served (any more: its definition was deleted) has no objects.
            Stream::NodeClaims | Stream::NodePools | Stream::Pdbs | Stream::Ec2NodeClasses | Stream::NodeClasses
                if absent =>
            {
                self.generations[stream.index()] += 1;
                self.sweep(stream, now) | ChangedParts::STREAMS
            }
            // Core kinds are always there: a server that does not know them is in trouble, and the old picture stays.
            Stream::Nodes
            | Stream::Pods
            | Stream::Events
            | Stream::NodeClaims
            | Stream::NodePools
            | Stream::Pdbs
            | Stream::NodeMetrics
            | Stream::PodMetrics
            | Stream::Ec2NodeClasses
            | Stream::NodeClasses => ChangedParts::STREAMS,
        }
    }

    /// The list is complete: what it did not name is gone.
    pub(super) fn synced(&mut self, stream: Stream, now: Timestamp) -> ChangedParts {
        let changed = self.link(stream, LinkState::Live, now);
        self.streams[stream.index()].complete = true;
        changed | self.sweep(stream, now)
    }

    /// What was not seen since the list began is gone.
    pub(super) fn sweep(&mut self, stream: Stream, now: Timestamp) -> ChangedParts {
        let generation = self.generation(stream);
        match stream {
            Stream::Nodes => {
                let stale = |r: &&Row| r.node.is_some() && r.gone.is_none() && r.node_generation != generation;
                let gone: Vec<Name> = self.rows.values().filter(stale).filter_map(|r| r.node_name.clone()).collect();
                for name in &gone {
                    self.node_gone(name, Uid::default(), now);
                }
                ChangedParts::ROWS
            }
            Stream::NodeClaims => {
                let stale = |r: &&Row| r.gone.is_none() && r.claim_generation != generation;
                let names = self.rows.values().filter(stale).filter_map(|r| r.claim.as_ref().map(|c| c.name.clone()));
                let gone: Vec<Name> = names.collect();
                for name in &gone {
                    self.claim_gone(name, Uid::default(), now);
                }
                // How many claims a static nodepool has was not known before.
                self.explain_by_pools(|_| true);
                ChangedParts::ROWS
            }
            Stream::Pods => {
                let stale = |slot: &u32| self.pods.get(*slot).is_some_and(|p| p.generation != generation);
                let gone: Vec<u32> = self.pods.slots().filter(stale).collect();
                for slot in gone {
                    self.remove_pod(slot);
                }
                ChangedParts::ROWS | ChangedParts::PENDING
            }
            Stream::NodePools => {
                self.pools.retain(|_, (_, seen)| *seen == generation);
                // Claims may have been listed before their pools.
                self.explain_by_pools(|_| true);
                ChangedParts::NODEPOOLS | ChangedParts::ROWS
            }
            Stream::Pdbs => {
                self.pdbs.retain(|_, (_, seen)| *seen == generation);
                ChangedParts::NODEPOOLS
            }
            Stream::Ec2NodeClasses | Stream::NodeClasses => {
                let went = self.classes.sweep(stream, generation);
                if went { self.quote_volumes() } else { ChangedParts::NONE }
            }
            // An event that ages out of the API stays in our log; readings are complete by themselves.
            Stream::Events | Stream::NodeMetrics | Stream::PodMetrics => ChangedParts::NONE,
        }
    }
}
