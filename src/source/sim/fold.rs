//! A minimal fold of changes for tests, which checks invariants.

use crate::model::{
    Change, Event, Name, Node, NodeClaim, Pod, PodKey, PodPhase, Resource, Resources, Stream, TaintEffect, Usage, key,
};
use std::collections::{BTreeMap, BTreeSet};

/// The objects after the changes so far.
#[derive(Debug, Default)]
pub(crate) struct PlainFold {
    pub(crate) nodes: BTreeMap<Name, Node>,
    pub(crate) claims: BTreeMap<Name, NodeClaim>,
    pub(crate) pods: BTreeMap<PodKey, Pod>,
    pub(crate) events: Vec<Event>,
    pub(crate) usage: Vec<(Name, Usage)>,
    pub(crate) synced: BTreeSet<Stream>,
    pub(crate) context: String,
    /// Removed claims: those that never had a node, and those that had one.
    pub(crate) ended: (BTreeSet<Name>, BTreeSet<Name>),
    known: BTreeSet<(Name, Name, Name)>,
}

impl PlainFold {
    /// Folds changes; panics if they violate an invariant of clusters.
    pub(crate) fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            self.apply_one(change);
        }
    }

    fn apply_one(&mut self, change: &Change) {
        match change {
            Change::About(about) => self.context = about.context.clone(),
            Change::Synced(stream) => {
                self.synced.insert(*stream);
            }
            Change::Node(node) => {
                if let Some(before) = self.nodes.get(&node.name) {
                    assert_eq!(before.uid, node.uid, "{} was replaced without being removed", node.name);
                }
                self.known.insert(("Node".into(), Name::default(), node.name.clone()));
                self.nodes.insert(node.name.clone(), (**node).clone());
            }
            Change::NodeGone(name, uid) => {
                let node = self.nodes.remove(name).expect("the removed node exists");
                assert_eq!(node.uid, *uid);
                assert!(node.deleted.is_some(), "{name} was removed without draining");
                assert!(node.has_taint(key::TAINT_DISRUPTED, &TaintEffect::NoSchedule), "{name} was not tainted");
                let left: Vec<&Pod> = self.pods.values().filter(|p| p.node == *name).collect();
                assert!(left.is_empty(), "{name} was removed while it had {left:?}");
            }
            Change::Pod(pod) => {
                if let Some(before) = self.pods.get(&pod.key).filter(|before| before.uid == pod.uid) {
                    assert!(before.node.is_empty() || before.node == pod.node, "{:?} changed its node", pod.key);
                }
                assert!(
                    pod.node.is_empty() || self.nodes.contains_key(&pod.node) || !self.synced.contains(&Stream::Nodes)
                );
                self.known.insert(("Pod".into(), pod.key.namespace.clone(), pod.key.name.clone()));
                self.pods.insert(pod.key.clone(), (**pod).clone());
            }
            Change::PodGone(pod, uid) => {
                assert_eq!(self.pods.remove(pod).expect("the removed pod exists").uid, *uid);
            }
            Change::Claim(claim) => {
                self.known.insert(("NodeClaim".into(), Name::default(), claim.name.clone()));
                self.claims.insert(claim.name.clone(), (**claim).clone());
            }
            Change::ClaimGone(name, uid) => {
                let claim = self.claims.remove(name).expect("the removed claim exists");
                assert_eq!(claim.uid, *uid);
                assert!(claim.deleted.is_some(), "{name} was removed without a deletionTimestamp");
                let ended = if claim.node_name.is_empty() { &mut self.ended.0 } else { &mut self.ended.1 };
                ended.insert(name.clone());
            }
            Change::Event(event) => {
                let o = &event.object;
                let known = self.known.contains(&(o.kind.clone(), o.namespace.clone(), o.name.clone()));
                assert!(known, "event {} about {o:?}, which never existed", event.reason);
                assert!(event.first <= event.last && event.count >= 1);
                self.events.push((**event).clone());
            }
            Change::NodeUsage(readings) => self.usage.clone_from(readings),
            Change::Resync(_)
            | Change::Link(..)
            | Change::StreamActive(_)
            | Change::Pool(_)
            | Change::PoolGone(..)
            | Change::NodeClass(_)
            | Change::NodeClassGone(..)
            | Change::Pdb(_)
            | Change::PdbGone(..)
            | Change::ClockSkew { .. }
            | Change::PodUsage(_) => {}
            Change::Unreadable { object, problem, .. } => panic!("{object}: {problem}"),
        }
    }

    /// The sum of requests of a node's pods.
    pub(crate) fn requested(&self, node: &str) -> Resources {
        let mut sum = Resources::default();
        for pod in self.pods.values().filter(|p| p.node == node) {
            sum.add(&pod.requests);
            sum.pods += 1;
        }
        sum
    }

    /// Panics if requests of a node exceed its allocatable amounts.
    pub(crate) fn check_capacity(&self) {
        let mut sums: BTreeMap<&str, Resources> = BTreeMap::new();
        for pod in self.pods.values().filter(|p| !p.node.is_empty()) {
            let sum = sums.entry(&pod.node).or_default();
            sum.add(&pod.requests);
            sum.pods += 1;
        }
        for (name, sum) in sums {
            let allocatable = &self.nodes[name].allocatable;
            for resource in [Resource::Cpu, Resource::Memory, Resource::Pods, Resource::from_name("nvidia.com/gpu")] {
                assert!(
                    sum.get(&resource) <= allocatable.get(&resource),
                    "{name} has too many requests of {resource}: {sum:?} of {allocatable:?}"
                );
            }
        }
    }

    pub(crate) fn running(&self) -> usize {
        self.pods.values().filter(|p| p.phase == PodPhase::Running && p.deleted.is_none()).count()
    }

    pub(crate) fn events_with_reason(&self, reason: &str) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |e| e.reason == reason)
    }
}
