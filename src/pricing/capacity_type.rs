//! The capacity type of a node, read from labels.

use super::offer::RowLabels;
use crate::model::key;
use std::fmt;

/// How an instance is bought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CapacityType {
    /// By the hour at the on-demand price.
    OnDemand,
    /// Spare capacity at a changing price, interrupted at short notice.
    Spot,
    /// In an on-demand capacity reservation, billed at the on-demand rate whether it is used or not.
    Reserved,
    /// In a capacity block, paid in advance for a fixed time.
    CapacityBlock,
    /// Fargate, billed by the size of the pod.
    Fargate,
    /// No label names it (yet).
    #[default]
    Unknown,
}

impl CapacityType {
    /// Every capacity type, in the order of menus and groups.
    pub const ALL: [Self; 6] =
        [Self::OnDemand, Self::Spot, Self::Reserved, Self::CapacityBlock, Self::Fargate, Self::Unknown];

    /// Its name on the screen, in filters and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Spot => "spot",
            Self::Reserved => "reserved",
            Self::CapacityBlock => "capacity-block",
            Self::Fargate => "fargate",
            Self::Unknown => "unknown",
        }
    }

    /// The capacity type of this name, ignoring case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name))
    }

    /// The capacity type by labels: the first label of [`LABELS`] with a known value, ignoring case.
    pub(super) fn read(labels: RowLabels<'_>) -> Self {
        if labels.is(key::COMPUTE_TYPE, "fargate") {
            return Self::Fargate;
        }
        let bought = LABELS.iter().find_map(|(key, values)| match values {
            Values::Marked => labels.is_set(key).then_some(Self::Spot),
            Values::Known(values) => labels.values(key).find_map(|value| {
                values.iter().find(|(known, _)| value.eq_ignore_ascii_case(known)).map(|(_, bought)| *bought)
            }),
        });
        // Karpenter labels a capacity block `reserved`; another label has the kind of reservation.
        let block = key::RESERVATION_TYPE.iter().any(|key| labels.is(key, "capacity-block"));
        match bought {
            Some(Self::Reserved) if block => Self::CapacityBlock,
            Some(bought) => bought,
            None => Self::Unknown,
        }
    }
}

/// What the values of a label mean.
#[derive(Debug)]
enum Values {
    /// Spot, by any value but `false`, the empty one included.
    Marked,
    /// By value; any other is ignored.
    Known(&'static [(&'static str, CapacityType)]),
}

/// Spellings of Karpenter, EKS managed node groups, Spot Ocean, the EC2 instance metadata and tools by hand.
const COMMON: Values = Values::Known(&[
    ("on-demand", CapacityType::OnDemand),
    ("ON_DEMAND", CapacityType::OnDemand),
    ("normal", CapacityType::OnDemand),
    ("od", CapacityType::OnDemand),
    ("spot", CapacityType::Spot),
    ("Ec2Spot", CapacityType::Spot),
    ("reserved", CapacityType::Reserved),
    ("CAPACITY_BLOCK", CapacityType::CapacityBlock),
    ("capacity-block", CapacityType::CapacityBlock),
]);
const SPOT_IF_TRUE: Values = Values::Known(&[("true", CapacityType::Spot)]);

/// The labels of the capacity type, in the order in which they are read.
const LABELS: &[(&str, Values)] = &[
    (key::CAPACITY_TYPE, COMMON),               // Karpenter pkg/apis/v1/labels.go
    ("eks.amazonaws.com/capacityType", COMMON), // EKS user guide, "Managed node groups"
    // `--node-labels` of the EKS user guide's and Terraform's examples of self-managed spot nodes.
    ("node.kubernetes.io/lifecycle", COMMON),
    ("lifecycle", COMMON),
    ("kubernetes.io/lifecycle", COMMON),
    // eksctl pkg/nodebootstrap/assets/scripts, self-managed node groups: `instance-life-cycle` of the instance metadata.
    ("node-lifecycle", COMMON),
    ("spotinst.io/node-lifecycle", COMMON), // Spot Ocean documentation, "Labels and taints"
    // CAST AI documentation, "Spot instances": the fallback runs on demand and keeps the spot label.
    ("scheduling.cast.ai/spot-fallback", Values::Known(&[("true", CapacityType::OnDemand)])),
    ("scheduling.cast.ai/spot", SPOT_IF_TRUE),
    // AKS documentation, "Add a spot node pool".
    (
        "kubernetes.azure.com/scalesetpriority",
        Values::Known(&[("spot", CapacityType::Spot), ("regular", CapacityType::OnDemand)]),
    ),
    // GKE documentation, "Spot VMs" and "Preemptible VMs".
    ("cloud.google.com/gke-spot", SPOT_IF_TRUE),
    ("cloud.google.com/gke-preemptible", SPOT_IF_TRUE),
    (
        "cloud.google.com/gke-provisioning",
        Values::Known(&[
            ("spot", CapacityType::Spot),
            ("preemptible", CapacityType::Spot),
            ("standard", CapacityType::OnDemand),
        ]),
    ),
    // OKE documentation, "Creating worker nodes on preemptible capacity".
    ("oci.oraclecloud.com/oke-is-preemptible", SPOT_IF_TRUE),
    // Cluster API `InterruptibleLabel` (api/core common_types.go), set on nodes of spot instances.
    ("cluster.x-k8s.io/interruptible", Values::Marked),
    // OpenShift documentation, "Machine sets that deploy machines as spot instances".
    ("machine.openshift.io/interruptible-instance", Values::Marked),
    // pusher/k8s-spot-rescheduler README; set by hand through kops and Terraform.
    ("node-role.kubernetes.io/spot-worker", Values::Marked),
    ("node-role.kubernetes.io/spot", Values::Marked),
    // Alibaba Cloud ACK, cloud-controller-manager release notes 2.10.2; the values are those of the ECS API.
    (
        "node.alibabacloud.com/spot-strategy",
        Values::Known(&[
            ("NoSpot", CapacityType::OnDemand),
            ("SpotAsPriceGo", CapacityType::Spot),
            ("SpotWithPriceLimit", CapacityType::Spot),
        ]),
    ),
];

impl fmt::Display for CapacityType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Node;
    use test_case::test_case;

    #[test_case(&[("karpenter.sh/capacity-type", "on-demand")] => CapacityType::OnDemand)]
    #[test_case(&[("karpenter.sh/capacity-type", "spot")] => CapacityType::Spot)]
    #[test_case(&[("karpenter.sh/capacity-type", "reserved")] => CapacityType::Reserved)]
    #[test_case(&[("eks.amazonaws.com/capacityType", "ON_DEMAND")] => CapacityType::OnDemand)]
    #[test_case(&[("eks.amazonaws.com/capacityType", "SPOT")] => CapacityType::Spot)]
    #[test_case(&[("eks.amazonaws.com/capacityType", "CAPACITY_BLOCK")] => CapacityType::CapacityBlock)]
    #[test_case(&[("node.kubernetes.io/lifecycle", "normal")] => CapacityType::OnDemand)]
    #[test_case(&[("node.kubernetes.io/lifecycle", "spot")] => CapacityType::Spot)]
    #[test_case(&[("lifecycle", "Ec2Spot")] => CapacityType::Spot)]
    #[test_case(&[("lifecycle", "on-demand")] => CapacityType::OnDemand)]
    #[test_case(&[("spotinst.io/node-lifecycle", "od")] => CapacityType::OnDemand)]
    #[test_case(&[("spotinst.io/node-lifecycle", "spot")] => CapacityType::Spot)]
    #[test_case(&[("eks.amazonaws.com/compute-type", "fargate")] => CapacityType::Fargate)]
    #[test_case(&[("karpenter.sh/capacity-type", "Spot")] => CapacityType::Spot ; "case does not matter")]
    #[test_case(&[("lifecycle", "production")] => CapacityType::Unknown ; "a label of another tool")]
    #[test_case(&[("karpenter.sh/capacity-type", "new"), ("lifecycle", "spot")] => CapacityType::Spot ; "the first known value counts")]
    #[test_case(&[("karpenter.sh/capacity-type", "spot"), ("lifecycle", "normal")] => CapacityType::Spot ; "the first key counts")]
    #[test_case(&[("karpenter.sh/capacity-type", "reserved"), ("karpenter.k8s.aws/capacity-reservation-type", "default")] => CapacityType::Reserved ; "a reservation")]
    #[test_case(&[("karpenter.sh/capacity-type", "reserved"), ("karpenter.k8s.aws/capacity-reservation-type", "capacity-block")] => CapacityType::CapacityBlock ; "a block of karpenter")]
    #[test_case(&[("karpenter.sh/capacity-type", "reserved"), ("eks.amazonaws.com/capacity-reservation-type", "capacity-block")] => CapacityType::CapacityBlock ; "a block of auto mode")]
    #[test_case(&[("karpenter.sh/capacity-type", "on-demand"), ("karpenter.k8s.aws/capacity-reservation-type", "capacity-block")] => CapacityType::OnDemand ; "the reservation has ended")]
    #[test_case(&[("kubernetes.io/lifecycle", "spot")] => CapacityType::Spot ; "an older key by hand")]
    #[test_case(&[("node-lifecycle", "spot")] => CapacityType::Spot ; "a self-managed node group of eksctl")]
    #[test_case(&[("node-lifecycle", "on-demand")] => CapacityType::OnDemand ; "a self-managed node group of eksctl, on demand")]
    #[test_case(&[("kubernetes.azure.com/scalesetpriority", "spot")] => CapacityType::Spot ; "AKS")]
    #[test_case(&[("kubernetes.azure.com/scalesetpriority", "regular")] => CapacityType::OnDemand ; "AKS, a regular instance")]
    #[test_case(&[("cloud.google.com/gke-spot", "true")] => CapacityType::Spot ; "GKE")]
    #[test_case(&[("cloud.google.com/gke-spot", "false")] => CapacityType::Unknown ; "GKE, not spot")]
    #[test_case(&[("cloud.google.com/gke-preemptible", "true")] => CapacityType::Spot ; "GKE preemptible")]
    #[test_case(&[("cloud.google.com/gke-provisioning", "spot")] => CapacityType::Spot ; "GKE provisioning spot")]
    #[test_case(&[("cloud.google.com/gke-provisioning", "preemptible")] => CapacityType::Spot ; "GKE provisioning preemptible")]
    #[test_case(&[("cloud.google.com/gke-provisioning", "standard")] => CapacityType::OnDemand ; "GKE provisioning standard")]
    #[test_case(&[("scheduling.cast.ai/spot", "true")] => CapacityType::Spot ; "CAST AI")]
    #[test_case(&[("scheduling.cast.ai/spot", "true"), ("scheduling.cast.ai/spot-fallback", "true")] => CapacityType::OnDemand ; "CAST AI, the fallback for missing spot capacity")]
    #[test_case(&[("node-role.kubernetes.io/spot-worker", "")] => CapacityType::Spot ; "a role has no value")]
    #[test_case(&[("node-role.kubernetes.io/spot-worker", "true")] => CapacityType::Spot ; "a role with a value")]
    #[test_case(&[("node-role.kubernetes.io/spot-worker", "false")] => CapacityType::Unknown ; "a role that is denied")]
    #[test_case(&[("machine.openshift.io/interruptible-instance", "")] => CapacityType::Spot ; "OpenShift")]
    #[test_case(&[("cluster.x-k8s.io/interruptible", "")] => CapacityType::Spot ; "Cluster API")]
    #[test_case(&[("oci.oraclecloud.com/oke-is-preemptible", "true")] => CapacityType::Spot ; "OKE")]
    #[test_case(&[("node.alibabacloud.com/spot-strategy", "SpotAsPriceGo")] => CapacityType::Spot ; "ACK, at the market price")]
    #[test_case(&[("node.alibabacloud.com/spot-strategy", "SpotWithPriceLimit")] => CapacityType::Spot ; "ACK, with a limit")]
    #[test_case(&[("node.alibabacloud.com/spot-strategy", "NoSpot")] => CapacityType::OnDemand ; "ACK, not spot")]
    #[test_case(&[("karpenter.sh/capacity-type", "on-demand"), ("scheduling.cast.ai/spot", "true")] => CapacityType::OnDemand ; "the keys of Karpenter and EKS count first")]
    #[test_case(&[] => CapacityType::Unknown ; "no label")]
    #[test_case(&[("karpenter.sh/capacity-type", "")] => CapacityType::Unknown ; "an empty label")]
    fn every_label_spelling_is_read(labels: &[(&str, &str)]) -> CapacityType {
        let node = Node { labels: labels.iter().copied().collect(), ..Node::default() };
        CapacityType::read(RowLabels { node: Some(&node), claim: None })
    }

    #[test]
    fn names_are_the_fields() {
        let names = CapacityType::ALL.map(CapacityType::name);
        assert_eq!(names, ["on-demand", "spot", "reserved", "capacity-block", "fargate", "unknown"]);
    }
}
