use super::{Labels, Name};
use serde::{Deserialize, Serialize};

/// The scheduling constraints of a pod without a node. Dropped when the pod is bound; pods of the same owner share one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Placement {
    /// `spec.nodeSelector`.
    pub node_selector: Labels,
    /// `spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution`: one list of `matchExpressions` for each
    /// term; one of the terms must match.
    pub affinity: Vec<Vec<Requirement>>,
    /// `spec.tolerations`.
    pub tolerations: Vec<Toleration>,
    /// Whether `spec.volumes` names a `PersistentVolumeClaim` or an ephemeral volume.
    pub volumes: bool,
    /// Whether `spec.resourceClaims` (dynamic resource allocation) has an entry.
    pub devices: bool,
    /// `spec.schedulingGroup.podGroupName` (KEP-4671); empty without a group.
    pub group: Name,
}

/// A requirement on a label: `matchExpressions[]` of node affinity, `spec.template.spec.requirements[]` of a NodePool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Requirement {
    /// Label key.
    pub key: Name,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`; Karpenter also `Gte` and `Lte`.
    pub operator: Name,
    /// Values; one number for the comparisons.
    pub values: Vec<Name>,
}

/// One entry of `spec.tolerations`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Toleration {
    /// Taint key; empty with `Exists` tolerates every taint.
    pub key: Name,
    /// `Equal` (or empty), `Exists`, `Gt`, `Lt`.
    pub operator: Name,
    /// Taint value.
    pub value: Name,
    /// Taint effect; empty is every effect.
    pub effect: Name,
}
