use super::{Condition, Labels, Name, Requirement, Resources, Taint, Timestamp, Uid};
use serde::{Deserialize, Serialize};

/// A Karpenter NodePool (`karpenter.sh/v1`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodePool {
    /// `metadata.name`.
    pub name: Name,
    /// `metadata.uid`.
    pub uid: Uid,
    /// `metadata.creationTimestamp`.
    pub created: Timestamp,
    /// `metadata.deletionTimestamp`.
    pub deleted: Option<Timestamp>,
    /// `spec.weight`, 1–100; absent is 0.
    pub weight: u32,
    /// `spec.replicas`: set for a static NodePool.
    pub replicas: Option<u64>,
    /// `spec.limits` of any resource. An absent limit is not a limit of 0; see [`Self::limited`].
    pub limits: Resources,
    /// `spec.limits.nodes`.
    pub node_limit: Option<u64>,
    /// Names of the resources that have a limit (a limit may be 0).
    pub limited: Vec<Name>,
    /// `spec.template.spec.nodeClassRef.group`.
    pub node_class_group: Name,
    /// `spec.template.spec.nodeClassRef.name`.
    pub node_class: Name,
    /// `spec.template.metadata.labels`.
    pub labels: Labels,
    /// `spec.template.spec.requirements`.
    pub requirements: Vec<Requirement>,
    /// `spec.template.spec.taints`, without startup taints, which Karpenter ignores when it matches pods.
    pub taints: Vec<Taint>,
    /// `spec.disruption.consolidationPolicy`.
    pub consolidation_policy: Name,
    /// `spec.disruption.consolidateAfter` in seconds; `None` for `Never`.
    pub consolidate_after_seconds: Option<i64>,
    /// `spec.disruption.budgets`; an absent field means one budget of 10 %.
    pub budgets: Vec<Budget>,
    /// `status.nodes`.
    pub nodes: Option<u64>,
    /// `status.resources`.
    pub resources: Resources,
    /// `status.conditions`.
    pub conditions: Vec<Condition>,
}

impl NodePool {
    /// A condition by type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }

    /// Whether `spec.limits` limits anything.
    pub const fn has_limit(&self) -> bool {
        !self.limited.is_empty() || self.node_limit.is_some()
    }
}

/// A disruption budget of a NodePool, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// A count or a percentage.
    pub nodes: Name,
    /// Cron schedule, UTC.
    pub schedule: Option<Name>,
    /// Go duration.
    pub duration: Option<Name>,
    /// The disruption reasons it applies to; all if absent.
    pub reasons: Option<Vec<Name>>,
}

/// The fields of a PodDisruptionBudget (`policy/v1`) that are shown or evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DisruptionBudget {
    /// `metadata.namespace`.
    pub namespace: Name,
    /// `metadata.name`.
    pub name: Name,
    /// `metadata.uid`.
    pub uid: Uid,
    /// `spec.minAvailable`, a count or a percentage as written.
    pub min_available: Option<Name>,
    /// `spec.maxUnavailable`, a count or a percentage as written.
    pub max_unavailable: Option<Name>,
    /// `status.disruptionsAllowed`.
    pub disruptions_allowed: u32,
    /// `status.currentHealthy`.
    pub current_healthy: u32,
    /// `status.desiredHealthy`.
    pub desired_healthy: u32,
    /// `status.expectedPods`.
    pub expected_pods: u32,
}
