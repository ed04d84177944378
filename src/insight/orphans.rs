//! Pods that are bound to nodes which do not exist: a node went away without a drain, and nothing deletes its pods.
//!
//! kube-controller-manager calls them orphaned and deletes them 40 seconds after it misses the node
//! (`pkg/controller/podgc/gc_controller.go`, `gcOrphaned`). Where it does not, they are in no view by node and in no view of
//! pods that wait.

use crate::cluster::Cluster;
use crate::model::{Name, Timestamp};
use std::collections::BTreeMap;

/// How long a node may be missing before its pods are orphans, in seconds: a node that is being deleted leaves its last pods
/// behind for some seconds, and the garbage collector waits 40 and looks every 20.
const GRACE_SECONDS: i64 = 90;

/// Names of nodes that do not exist, and how many pods are bound to each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissingNodes(BTreeMap<Name, u64>);

impl MissingNodes {
    /// All that are missing now, by what was read of nodes and pods.
    pub fn now(cluster: &Cluster) -> Self {
        Self(cluster.missing_nodes().map(|(name, pods, _)| (name.clone(), pods)).collect())
    }

    /// Those that have been missing longer than a deletion takes.
    pub(super) fn lasting(cluster: &Cluster, now: Timestamp) -> Self {
        let lasts = |since: Timestamp| now.as_second() - since.as_second() >= GRACE_SECONDS;
        let missing = cluster.missing_nodes().filter(|(.., since)| lasts(*since));
        Self(missing.map(|(name, pods, _)| (name.clone(), pods)).collect())
    }

    /// Names and numbers of pods, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, pods)| (name.as_str(), *pods))
    }

    /// Pods on all of them.
    pub fn pods(&self) -> u64 {
        self.0.values().sum()
    }

    /// One line: how many pods, and on which nodes. None without any.
    pub fn text(&self) -> Option<String> {
        const NAMED: usize = 3;
        if self.0.is_empty() {
            return None;
        }
        let pods = if self.pods() == 1 { "1 pod is".to_owned() } else { format!("{} pods are", self.pods()) };
        let nodes = if self.0.len() == 1 { "a node that does not exist" } else { "nodes that do not exist" };
        let names: Vec<&str> = self.0.keys().take(NAMED).map(Name::as_str).collect();
        let more = self.0.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Some(format!("{pods} bound to {nodes}: {}{more}", names.join(", ")))
    }
}
