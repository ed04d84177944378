use super::{Condition, ConditionStatus, Labels, Name, Resources, Taint, Timestamp, Uid};
use serde::{Deserialize, Serialize};

/// A Karpenter NodeClaim (`karpenter.sh/v1`): the request for an instance, which exists before, during and after its node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeClaim {
    /// `metadata.name`, `<nodepool>-<5 random>`; the nodepool is read from the label, not from the name.
    pub name: Name,
    /// `metadata.uid`.
    pub uid: Uid,
    /// `metadata.creationTimestamp`.
    pub created: Timestamp,
    /// `metadata.deletionTimestamp`: when deletion was requested.
    pub deleted: Option<Timestamp>,
    /// `metadata.labels`; exact type, zone and capacity type only after launch.
    pub labels: Labels,
    /// Annotation `karpenter.sh/nodeclaim-termination-timestamp`: hard deadline of the drain.
    pub termination_deadline: Option<Timestamp>,
    /// Annotation `karpenter.sh/reboot-pre-boot-id`: the boot ID before a requested reboot (Karpenter 1.15); may be empty.
    pub reboot_pre_boot_id: Name,
    /// Annotation `karpenter.sh/do-not-repair: "true"` (Karpenter 1.15). Applies until the node is registered; after that
    /// the node's annotation applies.
    pub do_not_repair: bool,
    /// `spec.nodeClassRef.group`: distinguishes Auto Mode (`eks.amazonaws.com`) from self-hosted Karpenter.
    pub node_class_group: Name,
    /// `spec.nodeClassRef.name`.
    pub node_class: Name,
    /// `spec.requirements`, each with at most [`ClaimRequirement::VALUES_KEPT`] values.
    pub requirements: Vec<ClaimRequirement>,
    /// `spec.resources.requests`: the requests of the pods it was created for.
    pub requests: Resources,
    /// `spec.startupTaints`.
    pub startup_taints: Vec<Taint>,
    /// `spec.expireAfter` in seconds; `None` for `Never`.
    pub expire_after_seconds: Option<i64>,
    /// `spec.terminationGracePeriod` in seconds.
    pub termination_grace_seconds: Option<i64>,
    /// `status.nodeName`, set at registration.
    pub node_name: Name,
    /// `status.providerID`, set at launch.
    pub provider_id: Name,
    /// `status.capacity`.
    pub capacity: Resources,
    /// `status.allocatable`.
    pub allocatable: Resources,
    /// `status.lastPodEventTime`.
    pub last_pod_event: Option<Timestamp>,
    /// `status.conditions`.
    pub conditions: Vec<Condition>,
}

impl NodeClaim {
    /// A condition by type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }

    /// Whether a condition is True.
    pub fn is(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|c| c.status == ConditionStatus::True)
    }
}

/// One `spec.requirements[]` entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimRequirement {
    /// Label key.
    pub key: Name,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`.
    pub operator: Name,
    /// The first values.
    pub values: Vec<Name>,
    /// The number of all values.
    pub count: u32,
}

impl ClaimRequirement {
    /// The maximum number of stored values (a claim may list 600 instance types).
    pub const VALUES_KEPT: usize = 8;
}
