use super::{
    Condition, DisruptionBudget, Event, LinkState, Name, Node, NodeClaim, NodeClass, NodePool, Pod, PodKey, Stream,
    Timestamp, Uid, Usage,
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A change of a cluster. The state of a cluster is the fold of a sequence of changes.
///
/// For each watched kind, a list is `Resync`, its objects, then `Synced`, which removes objects that were not in the
/// list; afterwards objects change one by one. The order between kinds does not matter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", content = "of", rename_all = "snake_case")]
pub enum Change {
    /// The identity of the cluster; sent again when more of it is known.
    About(About),
    /// A list of this kind begins.
    Resync(Stream),
    /// The list is complete: objects not seen since `Resync` are gone, and the stream is live.
    Synced(Stream),
    /// The state of a stream has changed.
    Link(Stream, LinkState),
    /// The server sent a bookmark or an empty response: the stream is live and nothing has changed.
    StreamActive(Stream),
    /// A node was added or changed.
    Node(Box<Node>),
    /// The node with this name and UID was removed.
    NodeGone(Name, Uid),
    /// A pod was added or changed.
    Pod(Box<Pod>),
    /// The pod was removed, or has terminated (it no longer matches the field selector).
    PodGone(PodKey, Uid),
    /// A NodeClaim was added or changed.
    Claim(Box<NodeClaim>),
    /// The NodeClaim was removed.
    ClaimGone(Name, Uid),
    /// A NodePool was added or changed.
    Pool(Box<NodePool>),
    /// The NodePool was removed.
    PoolGone(Name, Uid),
    /// A node class was added or changed.
    NodeClass(Box<NodeClass>),
    /// The node class of this provisioner was removed.
    NodeClassGone(Provisioner, Name, Uid),
    /// A PodDisruptionBudget was added or changed.
    Pdb(Box<DisruptionBudget>),
    /// The PodDisruptionBudget was removed.
    PdbGone(PodKey, Uid),
    /// An event was created or repeated. Its expiry in the API server is not a change.
    Event(Box<Event>),
    /// All node metrics: nodes that are not listed have no usage.
    NodeUsage(Vec<(Name, Usage)>),
    /// All pod metrics.
    PodUsage(Vec<(PodKey, Usage)>),
    /// The local clock and the API server's differ. Timestamps of later changes are converted to the local clock.
    ClockSkew {
        /// Seconds by which the local clock is ahead; negative if it is behind, 0 when the clocks are in sync again.
        ahead_seconds: i64,
    },
    /// An object could not be decoded in full. The state counts these and keeps the last one.
    Unreadable {
        /// Its stream.
        stream: Stream,
        /// `namespace/name` or `name`, if known.
        object: String,
        /// The problem; completes "object …: ".
        problem: String,
    },
}

impl Change {
    /// Shifts every timestamp of the server by `seconds`. Timestamps of the local clock ([`LinkState::Retrying`]) stay.
    pub fn move_times(&mut self, seconds: i64) {
        let by = SignedDuration::from_secs(seconds);
        let shift = |at: &mut Timestamp| {
            // The epoch stands for a missing timestamp.
            if *at != Timestamp::UNIX_EPOCH {
                *at = at.checked_add(by).unwrap_or(*at);
            }
        };
        let conditions =
            |conditions: &mut [Condition]| conditions.iter_mut().filter_map(|c| c.since.as_mut()).for_each(shift);
        match self {
            Self::Node(node) => {
                shift(&mut node.created);
                node.deleted.iter_mut().for_each(shift);
                conditions(&mut node.conditions);
            }
            Self::Pod(pod) => {
                shift(&mut pod.created);
                [&mut pod.deleted, &mut pod.started].into_iter().flatten().for_each(shift);
            }
            Self::Claim(claim) => {
                shift(&mut claim.created);
                let times = [&mut claim.deleted, &mut claim.termination_deadline, &mut claim.last_pod_event];
                times.into_iter().flatten().for_each(shift);
                conditions(&mut claim.conditions);
            }
            Self::Pool(pool) => {
                shift(&mut pool.created);
                pool.deleted.iter_mut().for_each(shift);
                conditions(&mut pool.conditions);
            }
            Self::Event(event) => [&mut event.first, &mut event.last].into_iter().for_each(shift),
            Self::NodeUsage(usage) => usage.iter_mut().for_each(|(_, usage)| shift(&mut usage.at)),
            Self::PodUsage(usage) => usage.iter_mut().for_each(|(_, usage)| shift(&mut usage.at)),
            Self::About(_)
            | Self::Resync(_)
            | Self::Synced(_)
            | Self::Link(..)
            | Self::StreamActive(_)
            | Self::NodeGone(..)
            | Self::PodGone(..)
            | Self::ClaimGone(..)
            | Self::PoolGone(..)
            | Self::NodeClass(_)
            | Self::NodeClassGone(..)
            | Self::Pdb(_)
            | Self::PdbGone(..)
            | Self::ClockSkew { .. }
            | Self::Unreadable { .. } => {}
        }
    }
}

/// The identity of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// Kubeconfig context, `in-cluster`, `demo` or the scenario's name.
    pub context: String,
    /// API server address.
    pub server: String,
    /// Server version, `1.36`.
    pub version: String,
    /// Its provisioners, as discovered.
    pub provisioners: Vec<Provisioner>,
}

/// What creates a cluster's nodes, by the API groups that the server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provisioner {
    /// `eks.amazonaws.com/v1` nodeclasses.
    AutoMode,
    /// `karpenter.k8s.aws/v1` ec2nodeclasses.
    Karpenter,
    /// `karpenter.kwok.sh/v1alpha1`: Karpenter's simulated provider.
    Kwok,
    /// Karpenter of another cloud provider: `karpenter.sh` without a known node class.
    OtherKarpenter,
}

impl Provisioner {
    /// Its name on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AutoMode => "EKS Auto Mode",
            Self::Karpenter => "Karpenter",
            Self::Kwok => "Karpenter (kwok)",
            Self::OtherKarpenter => "Karpenter",
        }
    }
}
