//! Pods: by far the most numerous objects, so every field named here is paid for 150,000 times.

use super::amounts::Amounts;
use super::meta::{AllLabels, ConditionWire, Meta, RequirementWire, convert};
use crate::model::{Owner, Placement, Pod, PodClass, PodKey, PodPhase, Scheduling, Toleration};
use crate::source::json::{Text, Time, lenient};
use crate::source::live::requests::RequestRule;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use std::fmt;

/// The part of a Pod that is shown or counted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::source::live) struct PodWire {
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) metadata: Meta<IgnoredAny, PodAnnotations>,
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) spec: PodSpec,
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) status: PodStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::source::live) struct PodAnnotations {
    #[serde(rename = "CapacityProvisioned")]
    capacity_provisioned: Text,
    #[serde(rename = "kubernetes.io/config.mirror")]
    mirror: Text,
    #[serde(rename = "cluster-autoscaler.kubernetes.io/daemonset-pod")]
    daemonset_pod: Text,
}

/// `spec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::source::live) struct PodSpec {
    node_name: Text,
    scheduling_gates: NotEmpty,
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) containers: Vec<Container>,
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) init_containers: Vec<Container>,
    /// Pod-level resources.
    pub(in crate::source::live) resources: Option<Box<ResourceRequirements>>,
    pub(in crate::source::live) overhead: Option<Box<Amounts>>,
    #[serde(deserialize_with = "lenient")]
    node_selector: AllLabels,
    #[serde(deserialize_with = "lenient")]
    affinity: Affinity,
    #[serde(deserialize_with = "lenient")]
    tolerations: Vec<TolerationWire>,
    #[serde(deserialize_with = "lenient")]
    volumes: Vec<VolumeWire>,
    resource_claims: NotEmpty,
    #[serde(deserialize_with = "lenient")]
    scheduling_group: SchedulingGroup,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Affinity {
    #[serde(deserialize_with = "lenient")]
    node_affinity: NodeAffinity,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NodeAffinity {
    #[serde(deserialize_with = "lenient")]
    required_during_scheduling_ignored_during_execution: NodeSelectorWire,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NodeSelectorWire {
    #[serde(deserialize_with = "lenient")]
    node_selector_terms: Vec<TermWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TermWire {
    #[serde(deserialize_with = "lenient")]
    match_expressions: Vec<RequirementWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TolerationWire {
    key: Text,
    operator: Text,
    value: Text,
    effect: Text,
}

impl From<TolerationWire> for Toleration {
    fn from(wire: TolerationWire) -> Self {
        Self { key: wire.key.0, operator: wire.operator.0, value: wire.value.0, effect: wire.effect.0 }
    }
}

/// Whether a volume is one that has to be bound.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VolumeWire {
    persistent_volume_claim: Option<IgnoredAny>,
    ephemeral: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SchedulingGroup {
    pod_group_name: Text,
}

impl PodSpec {
    /// What the pod demands of a node; none once it has one.
    fn placement(&mut self) -> Option<Box<Placement>> {
        if !self.node_name.is_empty() {
            return None;
        }
        let required = &mut self.affinity.node_affinity.required_during_scheduling_ignored_during_execution;
        let terms = std::mem::take(&mut required.node_selector_terms);
        Some(Box::new(Placement {
            node_selector: std::mem::take(&mut self.node_selector.0),
            affinity: terms.into_iter().map(|term| convert(term.match_expressions)).collect(),
            tolerations: convert(std::mem::take(&mut self.tolerations)),
            volumes: self.volumes.iter().any(|v| v.persistent_volume_claim.is_some() || v.ephemeral.is_some()),
            devices: self.resource_claims.0,
            group: std::mem::take(&mut self.scheduling_group.pod_group_name.0),
        }))
    }
}

/// One container or init container.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::source::live) struct Container {
    pub(in crate::source::live) name: Text,
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) resources: ResourceRequirements,
    /// `Always` makes an init container a sidecar.
    pub(in crate::source::live) restart_policy: Text,
}

/// Requests and limits.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::source::live) struct ResourceRequirements {
    pub(in crate::source::live) requests: Amounts,
    pub(in crate::source::live) limits: Amounts,
}

/// `status`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::source::live) struct PodStatus {
    phase: Text,
    start_time: Time,
    nominated_node_name: Text,
    pub(in crate::source::live) conditions: PodConditions,
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) init_container_statuses: Vec<ContainerStatus>,
    /// Actuated pod-level resources.
    pub(in crate::source::live) resources: Option<Box<ResourceRequirements>>,
    /// Allocated pod-level requests.
    pub(in crate::source::live) allocated_resources: Option<Box<Amounts>>,
    #[serde(deserialize_with = "lenient")]
    extended_resource_claim_status: ExtendedResourceClaim,
}

/// The claim that kube-scheduler makes for extended resources which devices of Dynamic Resource Allocation back.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ExtendedResourceClaim {
    #[serde(deserialize_with = "lenient")]
    request_mappings: Vec<RequestMapping>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RequestMapping {
    resource_name: Text,
}

/// One entry of `containerStatuses` or `initContainerStatuses`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::source::live) struct ContainerStatus {
    pub(in crate::source::live) name: Text,
    /// Actuated resources.
    pub(in crate::source::live) resources: Option<Box<ResourceRequirements>>,
    /// Allocated requests.
    pub(in crate::source::live) allocated_resources: Option<Box<Amounts>>,
    #[serde(deserialize_with = "lenient")]
    state: ContainerState,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContainerState {
    #[serde(deserialize_with = "lenient")]
    waiting: Waiting,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: Text,
}

/// Whether a list has an entry; the entries are skipped.
#[derive(Clone, Copy, Debug, Default)]
struct NotEmpty(bool);

impl<'de> Deserialize<'de> for NotEmpty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NotEmptyVisitor;
        impl<'de> Visitor<'de> for NotEmptyVisitor {
            type Value = NotEmpty;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E: Error>(self) -> Result<NotEmpty, E> {
                Ok(NotEmpty(false))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<NotEmpty, A::Error> {
                let mut any = false;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    any = true;
                }
                Ok(NotEmpty(any))
            }
        }
        deserializer.deserialize_any(NotEmptyVisitor)
    }
}

/// The conditions that are used, picked while the list passes by.
#[derive(Debug, Default)]
pub(in crate::source::live) struct PodConditions {
    scheduled: Option<Box<ConditionWire>>,
    /// The first `PodResizePending` has reason `Infeasible`; its status is not looked at.
    pub(in crate::source::live) resize_infeasible: bool,
    /// `DisruptionTarget` is True with reason `PreemptionByScheduler`.
    preempted: bool,
}

impl<'de> Deserialize<'de> for PodConditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ConditionsVisitor;
        impl<'de> Visitor<'de> for ConditionsVisitor {
            type Value = PodConditions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("conditions")
            }

            fn visit_unit<E: Error>(self) -> Result<PodConditions, E> {
                Ok(PodConditions::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<PodConditions, A::Error> {
                let mut conditions = PodConditions::default();
                let mut resize_seen = false;
                while let Some(condition) = seq.next_element::<ConditionWire>()? {
                    match &*condition.kind {
                        "PodScheduled" => conditions.scheduled = Some(Box::new(condition)),
                        "DisruptionTarget" => {
                            conditions.preempted =
                                &*condition.status == "True" && &*condition.reason == "PreemptionByScheduler";
                        }
                        "PodResizePending" if !resize_seen => {
                            resize_seen = true;
                            conditions.resize_infeasible = &*condition.reason == "Infeasible";
                        }
                        _ => {}
                    }
                }
                Ok(conditions)
            }
        }
        deserializer.deserialize_any(ConditionsVisitor)
    }
}

impl PodWire {
    /// Quantities that could not be read.
    pub(in crate::source::live) fn odd(&self) -> Option<String> {
        let of = |container: &Container| {
            let ResourceRequirements { requests, limits } = &container.resources;
            let odd = requests.odd().map(|odd| ("requests", odd)).or_else(|| limits.odd().map(|odd| ("limits", odd)));
            odd.map(|(field, odd)| format!("container {:?}, resources.{field}: {odd}", &*container.name))
        };
        self.spec.containers.iter().chain(&self.spec.init_containers).find_map(of).or_else(|| {
            let overhead = self.spec.overhead.as_deref().and_then(Amounts::odd);
            let pod = self.spec.resources.as_deref().and_then(|r| r.requests.odd().or_else(|| r.limits.odd()));
            overhead
                .map(|odd| format!("spec.overhead: {odd}"))
                .or_else(|| pod.map(|odd| format!("spec.resources: {odd}")))
        })
    }

    /// DaemonSets of any group, by the Cluster Autoscaler's rule (see [`PodClass::DaemonSet`]); the others as Karpenter
    /// (`pkg/utils/pod/scheduling.go`).
    fn class(&self) -> PodClass {
        let owners = &self.metadata.owner_references;
        let owned_by =
            |api_version: &str, kind: &str| owners.iter().any(|o| &*o.api_version == api_version && &*o.kind == kind);
        let of_daemonset = owners.iter().any(|o| &*o.kind == "DaemonSet");
        if of_daemonset || &*self.metadata.annotations.daemonset_pod == "true" {
            PodClass::DaemonSet
        } else if owned_by("v1", "Node") || !self.metadata.annotations.mirror.is_empty() {
            PodClass::Static
        } else if owned_by("apps/v1", "StatefulSet") {
            PodClass::StatefulSet
        } else {
            PodClass::Workload
        }
    }
}

/// What the scheduler says of a pod.
fn scheduling(condition: Option<Box<ConditionWire>>, gated: bool) -> Scheduling {
    let Some(condition) = condition else {
        return if gated { Scheduling::Gated } else { Scheduling::Unseen };
    };
    match (&*condition.status, &*condition.reason) {
        ("True", _) => Scheduling::Scheduled,
        (_, "SchedulingGated") => Scheduling::Gated,
        (_, "SchedulerError") => Scheduling::Error(condition.message.0),
        // Volcano (docs/design/scheduling-reason.md): it can be placed now, its gang cannot.
        (_, "Schedulable") => Scheduling::Group(condition.message.0),
        _ => Scheduling::Unschedulable(condition.message.0),
    }
}

impl PodWire {
    /// The pod, its requests and limits summed by the rule of the server it came from.
    pub(in crate::source::live) fn into_pod(self, rule: RequestRule) -> Pod {
        let requests = rule.requests(&self.spec, &self.status).to_resources();
        let limits = rule.limits(&self.spec, &self.status).to_resources();
        let class = self.class();
        let Self { mut metadata, mut spec, status } = self;
        let owners = &mut metadata.owner_references;
        let owner = owners.iter().position(|o| o.controller.0).map(|at| owners.swap_remove(at));
        let bound = !spec.node_name.is_empty();
        let placement = spec.placement();
        let preempted = status.conditions.preempted;
        let mappings = status.extended_resource_claim_status.request_mappings;
        let statuses = status.init_container_statuses.into_iter().chain(status.container_statuses);
        let waiting = statuses.map(|s| s.state.waiting.reason).find(|reason| !reason.is_empty());
        Pod {
            created: metadata.created(),
            deleted: metadata.deletion_timestamp.0,
            key: PodKey { namespace: metadata.namespace.0, name: metadata.name.0 },
            uid: metadata.uid.0,
            node: spec.node_name.0,
            nominated_node: status.nominated_node_name.0,
            phase: PodPhase::from_name(&status.phase),
            started: status.start_time.0,
            class,
            owner: owner.map(|o| Owner { kind: o.kind.0, name: o.name.0 }),
            requests,
            limits,
            by_claim: mappings.into_iter().map(|mapping| mapping.resource_name.0).collect(),
            scheduling: scheduling(status.conditions.scheduled, spec.scheduling_gates.0),
            waiting: waiting.filter(|_| bound).unwrap_or_default().0,
            capacity_provisioned: metadata.annotations.capacity_provisioned.0,
            placement,
            preempted,
        }
    }
}
