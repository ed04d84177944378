//! Nodes.

use super::amounts::Amounts;
use super::meta::{AllLabels, ConditionWire, Meta, TaintWire, convert};
use crate::model::Node;
use crate::source::json::{Flag, Text, lenient};
use serde::Deserialize;

/// The part of a Node that is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::source::live) struct NodeWire {
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) metadata: Meta<AllLabels, NodeAnnotations>,
    #[serde(deserialize_with = "lenient")]
    spec: NodeSpec,
    #[serde(deserialize_with = "lenient")]
    status: NodeStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::source::live) struct NodeAnnotations {
    #[serde(rename = "karpenter.sh/do-not-disrupt")]
    do_not_disrupt: Text,
    #[serde(rename = "karpenter.sh/do-not-repair")]
    do_not_repair: Text,
    #[serde(rename = "cluster.x-k8s.io/owner-name")]
    machine_owner: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NodeSpec {
    #[serde(rename = "providerID")]
    provider_id: Text,
    unschedulable: Flag,
    #[serde(deserialize_with = "lenient")]
    taints: Vec<TaintWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NodeStatus {
    #[serde(deserialize_with = "lenient")]
    conditions: Vec<ConditionWire>,
    allocatable: Amounts,
    capacity: Amounts,
    #[serde(deserialize_with = "lenient")]
    node_info: NodeInfo,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NodeInfo {
    #[serde(rename = "bootID")]
    boot_id: Text,
    kubelet_version: Text,
    os_image: Text,
    architecture: Text,
    operating_system: Text,
}

impl NodeWire {
    /// Quantities that could not be read.
    pub(in crate::source::live) fn odd(&self) -> Option<String> {
        let of = |field: &str, amounts: &Amounts| amounts.odd().map(|odd| format!("status.{field}: {odd}"));
        of("allocatable", &self.status.allocatable).or_else(|| of("capacity", &self.status.capacity))
    }
}

impl From<NodeWire> for Node {
    fn from(wire: NodeWire) -> Self {
        let NodeWire { metadata, spec, status } = wire;
        Self {
            created: metadata.created(),
            deleted: metadata.deletion_timestamp.0,
            owner_claim: metadata.owner_references.iter().find(|o| &*o.kind == "NodeClaim").map(|o| o.uid.0),
            do_not_disrupt: &*metadata.annotations.do_not_disrupt == "true",
            do_not_repair: &*metadata.annotations.do_not_repair == "true",
            machine_owner: metadata.annotations.machine_owner.0,
            name: metadata.name.0,
            uid: metadata.uid.0,
            labels: metadata.labels.0,
            provider_id: spec.provider_id.0,
            unschedulable: spec.unschedulable.0,
            taints: convert(spec.taints),
            conditions: convert(status.conditions),
            allocatable: status.allocatable.to_resources(),
            capacity: status.capacity.to_resources(),
            boot_id: status.node_info.boot_id.0,
            kubelet_version: status.node_info.kubelet_version.0,
            os_image: status.node_info.os_image.0,
            architecture: status.node_info.architecture.0,
            operating_system: status.node_info.operating_system.0,
        }
    }
}
