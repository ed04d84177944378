//! `apply`: one change in, every sum moved by its difference, what changed remembered.

mod claims;
mod events;
mod nodepools;
mod nodes;
mod pods;
mod prices;
mod rows;
mod streams;

use super::{ChangedParts, Cluster, RowId, RowState, UnreadableObjects, classes};
use crate::model::{Change, Stream, Timestamp};

/// How long the row of a node that went stays visible, in seconds.
const GONE_NODE_SECONDS: i64 = 10;
/// And that of a claim that never had a machine: its reason is worth reading.
const GONE_CLAIM_SECONDS: i64 = 180;

impl Cluster {
    /// Folds one change. `now` dates what objects do not date: when something was first seen, or gone.
    pub fn apply(&mut self, change: Change, now: Timestamp) -> ChangedParts {
        self.now = self.now.max(now);
        if let Some(stream) = stream_of(&change) {
            self.streams[stream.index()].heard = Some(now);
        }
        match change {
            Change::About(about) => {
                let differs = self.about != about;
                self.about = about;
                if differs { ChangedParts::STREAMS } else { ChangedParts::NONE }
            }
            Change::ClockSkew { ahead_seconds } => {
                self.clock_ahead_seconds = ahead_seconds;
                ChangedParts::STREAMS
            }
            Change::Resync(stream) => {
                self.generations[stream.index()] += 1;
                ChangedParts::NONE
            }
            Change::Synced(stream) => self.synced(stream, now) | ChangedParts::STREAMS,
            Change::Link(stream, state) => self.link(stream, state, now),
            Change::StreamActive(_) => ChangedParts::NONE,
            Change::Node(node) => self.node(node, now),
            Change::NodeGone(name, uid) => self.node_gone(&name, uid, now),
            Change::Pod(pod) => self.pod(*pod, now),
            Change::PodGone(key, uid) => self.pod_gone(&key, uid),
            Change::Claim(claim) => self.claim(claim, now),
            Change::ClaimGone(name, uid) => self.claim_gone(&name, uid, now),
            Change::Pool(nodepool) => self.nodepool(*nodepool, now),
            Change::PoolGone(name, uid) => self.nodepool_gone(&name, uid, now),
            Change::NodeClass(class) => self.node_class(*class),
            Change::NodeClassGone(provisioner, name, uid) => self.node_class_gone(provisioner, &name, uid),
            Change::Pdb(pdb) => self.pdb(*pdb),
            Change::PdbGone(key, uid) => self.pdb_gone(&key, uid),
            Change::Event(event) => self.event(*event, now),
            Change::NodeUsage(usage) => self.node_usage(usage),
            Change::PodUsage(usage) => {
                self.pods.usage = usage.into_iter().collect();
                ChangedParts::ROWS
            }
            Change::Unreadable { stream, object, problem } => {
                let unreadable = self.unreadable.entry(stream).or_default();
                *unreadable = UnreadableObjects { count: unreadable.count + 1, object, problem };
                ChangedParts::STREAMS
            }
        }
    }

    /// Lets time pass: tombstones that were shown long enough go.
    pub fn tick(&mut self, now: Timestamp) -> ChangedParts {
        self.now = self.now.max(now);
        let over: Vec<RowId> = self
            .tombstones
            .iter()
            .filter(|id| {
                self.rows.get(id).is_none_or(|row| {
                    let launched = row.node.is_some() || row.claim.as_ref().is_some_and(|c| !c.provider_id.is_empty());
                    let shown = if launched { GONE_NODE_SECONDS } else { GONE_CLAIM_SECONDS };
                    row.gone.is_none_or(|at| now.as_second() - at.as_second() >= shown)
                })
            })
            .copied()
            .collect();
        for id in &over {
            self.tombstones.remove(id);
            if let Some(row) = self.rows.get_mut(id).filter(|row| row.gone.is_some()) {
                (row.node, row.claim, row.gone) = (None, None, None);
                row.state = RowState::Mentioned;
                (row.leaving, row.quote, row.volumes) = (None, None, None);
                self.touch(*id);
                self.drop_if_empty(*id);
            }
        }
        if over.is_empty() { ChangedParts::NONE } else { ChangedParts::ROWS }
    }

    const fn generation(&self, stream: Stream) -> u32 {
        self.generations[stream.index()]
    }
}

fn stream_of(change: &Change) -> Option<Stream> {
    match change {
        Change::About(_) | Change::ClockSkew { .. } => None,
        Change::Resync(stream) | Change::Synced(stream) | Change::StreamActive(stream) => Some(*stream),
        Change::Link(..) | Change::Unreadable { .. } => None,
        Change::Node(_) | Change::NodeGone(..) => Some(Stream::Nodes),
        Change::Pod(_) | Change::PodGone(..) => Some(Stream::Pods),
        Change::Claim(_) | Change::ClaimGone(..) => Some(Stream::NodeClaims),
        Change::Pool(_) | Change::PoolGone(..) => Some(Stream::NodePools),
        Change::NodeClass(class) => Some(classes::stream(class.provisioner)),
        Change::NodeClassGone(provisioner, ..) => Some(classes::stream(*provisioner)),
        Change::Pdb(_) | Change::PdbGone(..) => Some(Stream::Pdbs),
        Change::Event(_) => Some(Stream::Events),
        Change::NodeUsage(_) => Some(Stream::NodeMetrics),
        Change::PodUsage(_) => Some(Stream::PodMetrics),
    }
}
