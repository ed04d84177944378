//! Karpenter's `NodeClaim`s (kubernetes-sigs/karpenter `pkg/apis/v1/nodeclaim.go`).

use super::amounts::Amounts;
use super::meta::{AllLabels, ConditionWire, Meta, NodeClassRef, RequirementWire, TaintWire, convert};
use crate::model::{ClaimRequirement, NodeClaim};
use crate::source::json::{Text, Time, lenient};
use crate::units::age::go_duration;
use serde::Deserialize;

/// The part of a `NodeClaim` that is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::source::live) struct ClaimWire {
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) metadata: Meta<AllLabels, ClaimAnnotations>,
    #[serde(deserialize_with = "lenient")]
    spec: ClaimSpec,
    #[serde(deserialize_with = "lenient")]
    status: ClaimStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::source::live) struct ClaimAnnotations {
    #[serde(rename = "karpenter.sh/nodeclaim-termination-timestamp")]
    termination_deadline: Time,
    #[serde(rename = "karpenter.sh/reboot-pre-boot-id")]
    reboot_pre_boot_id: Text,
    #[serde(rename = "karpenter.sh/do-not-repair")]
    do_not_repair: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimSpec {
    #[serde(deserialize_with = "lenient")]
    node_class_ref: NodeClassRef,
    #[serde(deserialize_with = "lenient")]
    requirements: Vec<RequirementWire>,
    #[serde(deserialize_with = "lenient")]
    resources: ClaimResources,
    #[serde(deserialize_with = "lenient")]
    startup_taints: Vec<TaintWire>,
    expire_after: Text,
    termination_grace_period: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClaimResources {
    requests: Amounts,
}

impl From<RequirementWire> for ClaimRequirement {
    fn from(wire: RequirementWire) -> Self {
        Self {
            key: wire.key.0,
            operator: wire.operator.0,
            count: wire.values.len() as u32,
            values: wire.values.into_iter().take(Self::VALUES_KEPT).map(|value| value.0).collect(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimStatus {
    node_name: Text,
    #[serde(rename = "providerID")]
    provider_id: Text,
    capacity: Amounts,
    allocatable: Amounts,
    last_pod_event_time: Time,
    #[serde(deserialize_with = "lenient")]
    conditions: Vec<ConditionWire>,
}

impl ClaimWire {
    /// Quantities that could not be read.
    pub(in crate::source::live) fn odd(&self) -> Option<String> {
        let of = |field: &str, amounts: &Amounts| amounts.odd().map(|odd| format!("{field}: {odd}"));
        of("spec.resources.requests", &self.spec.resources.requests)
            .or_else(|| of("status.capacity", &self.status.capacity))
            .or_else(|| of("status.allocatable", &self.status.allocatable))
    }
}

impl From<ClaimWire> for NodeClaim {
    fn from(wire: ClaimWire) -> Self {
        let ClaimWire { metadata, spec, status } = wire;
        Self {
            created: metadata.created(),
            deleted: metadata.deletion_timestamp.0,
            name: metadata.name.0,
            uid: metadata.uid.0,
            labels: metadata.labels.0,
            termination_deadline: metadata.annotations.termination_deadline.0,
            reboot_pre_boot_id: metadata.annotations.reboot_pre_boot_id.0,
            do_not_repair: &*metadata.annotations.do_not_repair == "true",
            node_class_group: spec.node_class_ref.group.0,
            node_class: spec.node_class_ref.name.0,
            requirements: convert(spec.requirements),
            requests: spec.resources.requests.to_resources(),
            startup_taints: convert(spec.startup_taints),
            expire_after_seconds: go_duration(&spec.expire_after),
            termination_grace_seconds: go_duration(&spec.termination_grace_period),
            node_name: status.node_name.0,
            provider_id: status.provider_id.0,
            capacity: status.capacity.to_resources(),
            allocatable: status.allocatable.to_resources(),
            last_pod_event: status.last_pod_event_time.0,
            conditions: convert(status.conditions),
        }
    }
}
