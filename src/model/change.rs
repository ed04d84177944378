use super::{
    Condition, DisruptionBudget, Event, LinkState, Name, Node, NodeClaim, NodeClass, NodePool, Pod, PodKey, Stream,
    Timestamp, Uid, Usage,
};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// One thing that happened. Everything the program knows of a cluster comes from a sequence of these.
///
/// For each watched kind: a list is `Resync`, its objects, `Synced` (what was not seen again goes); afterwards objects
/// come and go one by one. Order between kinds never matters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", content = "of", rename_all = "snake_case")]
pub enum Change {
    /// Which cluster this is. Sent whenever more is known.
    About(About),
    /// A list of this kind begins: its objects will be marked.
    Resync(Stream),
    /// The list is complete: what was not seen since `Resync` is gone; the stream is live.
    Synced(Stream),
    /// Health of a stream.
    Link(Stream, LinkState),
    /// The stream was heard from (a bookmark, an empty answer): it is alive though nothing changed.
    Heard(Stream),
    /// A node was added or changed.
    Node(Box<Node>),
    /// The node with this name and uid is gone.
    NodeGone(Name, Uid),
    /// A pod was added or changed.
    Pod(Box<Pod>),
    /// The pod is gone, or has ended (it left the field selector).
    PodGone(PodKey, Uid),
    /// A claim was added or changed.
    Claim(Box<NodeClaim>),
    /// The claim is gone.
    ClaimGone(Name, Uid),
    /// A nodepool was added or changed.
    Pool(Box<NodePool>),
    /// The nodepool is gone.
    PoolGone(Name, Uid),
    /// A node class was added or changed.
    NodeClass(Box<NodeClass>),
    /// The node class of this provisioner is gone.
    NodeClassGone(Provisioner, Name, Uid),
    /// A PodDisruptionBudget was added or changed.
    Pdb(Box<DisruptionBudget>),
    /// The PodDisruptionBudget is gone.
    PdbGone(PodKey, Uid),
    /// An event was written or repeated. Its end in the API (retention) is not a change.
    Event(Box<Event>),
    /// A complete reading of node metrics: nodes that are not in it have none.
    NodeUsage(Vec<(Name, Usage)>),
    /// A complete reading of pod metrics.
    PodUsage(Vec<(PodKey, Usage)>),
    /// The clocks of this machine and of the API server differ. Moments of objects that come after it are moved to this
    /// machine's clock.
    Clock {
        /// Seconds that this machine's clock is ahead; negative when it is behind, 0 when the two are in step again.
        ahead_seconds: i64,
    },
    /// An object could not be read in full; it is counted and the last one is named.
    Odd {
        /// Where it came from.
        stream: Stream,
        /// `namespace/name` or `name`, as far as known.
        object: String,
        /// What is odd, completing "object … : ".
        problem: String,
    },
}

impl Change {
    /// Moves every moment that the server dated by `seconds`. Moments of this machine ([`LinkState::Retrying`]) stay.
    pub fn move_times(&mut self, seconds: i64) {
        let by = SignedDuration::from_secs(seconds);
        let shift = |at: &mut Timestamp| {
            // The epoch stands for a moment that the object lacks.
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
                let moments = [&mut claim.deleted, &mut claim.termination_deadline, &mut claim.last_pod_event];
                moments.into_iter().flatten().for_each(shift);
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
            | Self::Heard(_)
            | Self::NodeGone(..)
            | Self::PodGone(..)
            | Self::ClaimGone(..)
            | Self::PoolGone(..)
            | Self::NodeClass(_)
            | Self::NodeClassGone(..)
            | Self::Pdb(_)
            | Self::PdbGone(..)
            | Self::Clock { .. }
            | Self::Odd { .. } => {}
        }
    }
}

/// Which cluster is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// Kubeconfig context, `in-cluster`, `demo` or the scenario's name.
    pub context: String,
    /// API server address.
    pub server: String,
    /// Server version, `1.36`.
    pub version: String,
    /// What provisions its nodes, as discovered.
    pub provisioners: Vec<Provisioner>,
}

/// What provisions nodes in a cluster, by the API groups it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provisioner {
    /// `eks.amazonaws.com/v1` nodeclasses.
    AutoMode,
    /// `karpenter.k8s.aws/v1` ec2nodeclasses.
    Karpenter,
    /// `karpenter.kwok.sh/v1alpha1`: Karpenter's simulated provider.
    Kwok,
    /// Another provider's Karpenter: `karpenter.sh` without a class that is known.
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
