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

/// A pod as sources send it; the state stores a compact form of it.
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
    /// Its class in the view of the scheduler and of Karpenter.
    pub class: PodClass,
    /// The controller, if any.
    pub owner: Option<Owner>,
    /// Effective requests by the scheduler's rule (Kubernetes component-helpers `resource/helpers.go` PodRequests).
    /// `pods` is 0 here; the state counts the pod itself.
    pub requests: Resources,
    /// Effective limits by the same rule (PodLimits).
    pub limits: Resources,
    /// The extended resources of [`Self::requests`] that are allocated by a resource claim: `resourceName` of
    /// `status.extendedResourceClaimStatus.requestMappings[]` (Kubernetes 1.37). They need not be allocatable on its node.
    pub by_claim: Vec<Name>,
    /// The condition PodScheduled.
    pub scheduling: Scheduling,
    /// Why a bound pod is not running: the first container's waiting reason, init containers first.
    pub waiting: Name,
    /// Annotation `CapacityProvisioned` of a Fargate pod; empty without one.
    pub capacity_provisioned: Name,
    /// Its scheduling constraints; `None` once it is bound.
    pub placement: Option<Box<Placement>>,
    /// Condition `DisruptionTarget` is True with reason `PreemptionByScheduler`: it is preempted by another pod.
    pub preempted: bool,
}

impl Pod {
    /// The capacity that Fargate provisioned, from annotation `CapacityProvisioned: 0.25vCPU 0.5GB` (EKS user guide,
    /// "Fargate Pod configuration"; a GB there is 2^30 bytes). `None` if the annotation is absent or invalid.
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
    /// Accepted; not all containers are running.
    Pending,
    /// Bound; at least one container is running.
    Running,
    /// All containers terminated successfully. Holds no resources.
    Succeeded,
    /// All containers terminated, at least one with a failure. Holds no resources.
    Failed,
    /// The node cannot be reached, or the phase is missing. Still holds resources.
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

    /// Whether the pod has terminated and no longer holds resources.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// Classes of pods that are treated differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PodClass {
    /// DaemonSet pod: owned by a DaemonSet of any API group (`apps`, `apps.kruise.io`), or marked by the
    /// annotation `cluster-autoscaler.kubernetes.io/daemonset-pod: "true"` (kubernetes/autoscaler
    /// `cluster-autoscaler/utils/pod/pod.go`, `IsDaemonSetPod`). Karpenter itself counts only those of `apps/v1`.
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

/// The condition PodScheduled of a pod without a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scheduling {
    /// No PodScheduled condition yet.
    #[default]
    Unseen,
    /// Bound.
    Scheduled,
    /// Held back by scheduling gates.
    Gated,
    /// Unschedulable: the scheduler found no node; its message.
    Unschedulable(Name),
    /// A node is available, and the pod waits for its group (Volcano's reason `Schedulable`); the scheduler's message.
    Group(Name),
    /// The scheduler failed; its message.
    Error(Name),
}
