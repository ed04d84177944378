use super::{Condition, Labels, Name, Resources, Timestamp, Uid};
use serde::{Deserialize, Serialize};

/// The fields of a Kubernetes Node that are shown or evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// `metadata.name`; the key of its row.
    pub name: Name,
    /// `metadata.uid`.
    pub uid: Uid,
    /// `metadata.creationTimestamp`.
    pub created: Timestamp,
    /// `metadata.deletionTimestamp`: for nodes, when deletion was requested.
    pub deleted: Option<Timestamp>,
    /// `metadata.labels`: all of them, since users can show, filter and group by any.
    pub labels: Labels,
    /// Annotation `karpenter.sh/do-not-disrupt` is exactly `"true"`.
    pub do_not_disrupt: bool,
    /// Annotation `karpenter.sh/do-not-repair` is exactly `"true"` (Karpenter 1.15).
    pub do_not_repair: bool,
    /// Annotation `cluster.x-k8s.io/owner-name`: the `MachineSet` of a Cluster API node; may be empty.
    pub machine_owner: Name,
    /// Uid of an ownerReference of kind NodeClaim.
    pub owner_claim: Option<Uid>,
    /// `spec.providerID`; may be empty at first.
    pub provider_id: Name,
    /// `spec.unschedulable`: cordoned.
    pub unschedulable: bool,
    /// `spec.taints`.
    pub taints: Vec<Taint>,
    /// `status.conditions`.
    pub conditions: Vec<Condition>,
    /// `status.allocatable`; `pods` is the pod limit.
    pub allocatable: Resources,
    /// `status.capacity`.
    pub capacity: Resources,
    /// `status.nodeInfo.bootID`: changes with each boot.
    pub boot_id: Name,
    /// `status.nodeInfo.kubeletVersion`.
    pub kubelet_version: Name,
    /// `status.nodeInfo.osImage`.
    pub os_image: Name,
    /// `status.nodeInfo.architecture`, when the label is missing.
    pub architecture: Name,
    /// `status.nodeInfo.operatingSystem`, when the label is missing.
    pub operating_system: Name,
}

impl Node {
    /// A condition by type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }

    /// The EC2 instance ID of the node: the `i-…` at the end of `spec.providerID` (`aws:///us-east-1a/i-0123…`); `None` for
    /// other providers, Fargate and hybrid nodes.
    pub fn instance_id(&self) -> Option<&str> {
        let id = self.provider_id.strip_prefix("aws://")?.rsplit('/').next()?;
        id.starts_with("i-").then_some(id)
    }

    /// Whether a taint with this key and effect is set.
    pub fn has_taint(&self, key: &str, effect: &TaintEffect) -> bool {
        self.taints.iter().any(|t| t.key == key && t.effect == *effect)
    }
}

/// A taint, identified by key and effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taint {
    /// Key.
    pub key: Name,
    /// Value, may be empty.
    #[serde(default)]
    pub value: Name,
    /// Effect.
    pub effect: TaintEffect,
}

/// The effect of a taint on pods that do not tolerate it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaintEffect {
    /// New pods are not scheduled.
    NoSchedule,
    /// New pods are not scheduled if other nodes fit.
    PreferNoSchedule,
    /// Running pods are also evicted.
    NoExecute,
    /// An unknown effect.
    Other(Name),
}

impl TaintEffect {
    /// The effect with this Kubernetes name.
    pub fn from_name(name: &str) -> Self {
        match name {
            "NoSchedule" => Self::NoSchedule,
            "PreferNoSchedule" => Self::PreferNoSchedule,
            "NoExecute" => Self::NoExecute,
            other => Self::Other(other.into()),
        }
    }

    /// The Kubernetes name.
    pub fn name(&self) -> &str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
            Self::Other(name) => name,
        }
    }
}
