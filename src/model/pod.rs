use super::{Name, Placement, Resources, Timestamp, Uid};
use crate::units::Quantity;
use serde::{Deserialize, Serialize};

/// Namespace and name: a pair, so that (`a-b`, `c`) and (`a`, `b-c`) are two pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PodKey {
    /// `metadata.namespace`.
    pub namespace: Name,
    /// `metadata.name`.
    pub name: Name,
}

impl PodKey {
    /// The pod `namespace/name`.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

/// A pod on its way from a source to the state, where it becomes a compact row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// Namespace and name.
    pub key: PodKey,
    /// `metadata.uid`.
    pub uid: Uid,
    /// `metadata.creationTimestamp`.
    pub created: Timestamp,
    /// `metadata.deletionTimestamp`: for pods this is the end of the grace period, not its start.
    pub deleted: Option<Timestamp>,
    /// `spec.nodeName`; empty while unscheduled.
    pub node: Name,
    /// `status.nominatedNodeName`: the node a scheduler has chosen; empty without one. It preempts pods there, or binds
    /// what the pod needs first (KEP-5278).
    pub nominated_node: Name,
    /// `status.phase`.
    pub phase: PodPhase,
    /// `status.startTime`.
    pub started: Option<Timestamp>,
    /// What kind of pod it is to the scheduler and to Karpenter.
    pub class: PodClass,
    /// The controller, if any.
    pub owner: Option<Owner>,
    /// Effective requests by the scheduler's rule (Kubernetes component-helpers `resource/helpers.go` PodRequests).
    /// `pods` is 0 here; the state counts the pod itself.
    pub requests: Resources,
    /// Effective limits by the same rule (PodLimits).
    pub limits: Resources,
    /// The extended resources among [`Self::requests`] that it gets by a resource claim: `resourceName` of
    /// `status.extendedResourceClaimStatus.requestMappings[]` (Kubernetes 1.37). Its node need not offer them.
    pub by_claim: Vec<Name>,
    /// What condition PodScheduled says.
    pub scheduling: Scheduling,
    /// Why a bound pod is not running: the first container's waiting reason, init containers first.
    pub waiting: Name,
    /// Annotation `CapacityProvisioned` of a Fargate pod; empty without one.
    pub capacity_provisioned: Name,
    /// What it demands of a node; none once it is bound.
    pub placement: Option<Box<Placement>>,
    /// Condition `DisruptionTarget` is True with reason `PreemptionByScheduler`: it makes room for another pod.
    pub preempted: bool,
}

impl Pod {
    /// What Fargate gave the pod, by its annotation `CapacityProvisioned: 0.25vCPU 0.5GB` (EKS user guide, "Fargate Pod
    /// configuration"; its GB are 2^30 bytes). None without one, and none for one of another form.
    pub fn provisioned(&self) -> Option<Resources> {
        let decimal = |text: &str| {
            let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            plain.then(|| text.parse::<Quantity>().ok()).flatten()
        };
        let (cpu, memory) = self.capacity_provisioned.split_once(' ')?;
        let millicores = decimal(cpu.strip_suffix("vCPU")?)?.millis();
        let milligibibytes = decimal(memory.strip_suffix("GB")?)?.millis();
        let memory_bytes = u128::from(milligibibytes) * (1 << 30) / 1000;
        Some(Resources { pods: 1, ..Resources::new(millicores, u64::try_from(memory_bytes).unwrap_or(u64::MAX)) })
    }
}

/// `status.phase`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PodPhase {
    /// Accepted; not all containers run.
    Pending,
    /// Bound, at least one container runs.
    Running,
    /// All containers ended well. Holds nothing.
    Succeeded,
    /// All containers ended, one badly. Holds nothing.
    Failed,
    /// The node cannot be asked, or the phase is missing. Still holds its node.
    #[default]
    Unknown,
}

impl PodPhase {
    /// The phase with this Kubernetes name.
    pub fn from_name(name: &str) -> Self {
        match name {
            "Pending" => Self::Pending,
            "Running" => Self::Running,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            _ => Self::Unknown,
        }
    }

    /// Whether the pod has ended and holds no resources any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// Kinds of pod that are treated apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PodClass {
    /// Overhead of its node: owned by a DaemonSet of any API group (`apps`, `apps.kruise.io`), or marked by the
    /// annotation `cluster-autoscaler.kubernetes.io/daemonset-pod: "true"` (kubernetes/autoscaler
    /// `cluster-autoscaler/utils/pod/pod.go`, `IsDaemonSetPod`). Karpenter itself counts those of `apps/v1` alone.
    DaemonSet,
    /// Static or mirror pod, owned by its Node.
    Static,
    /// Owned by an `apps/v1` StatefulSet.
    StatefulSet,
    /// Any other.
    #[default]
    Workload,
}

/// The controller of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// `ReplicaSet`, `DaemonSet`, `StatefulSet`, `Job` …
    pub kind: Name,
    /// Its name.
    pub name: Name,
}

/// Condition PodScheduled, as far as it explains a pod without a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scheduling {
    /// No PodScheduled condition yet.
    #[default]
    Unseen,
    /// Bound.
    Scheduled,
    /// Held back by scheduling gates.
    Gated,
    /// The scheduler found no place; its full text.
    Unschedulable(Name),
    /// It could be placed, and its group keeps it back (Volcano's reason `Schedulable`); the scheduler's text.
    Group(Name),
    /// The scheduler failed; its text.
    Error(Name),
}
