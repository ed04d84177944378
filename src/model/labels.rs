use super::Name;
use serde::{Deserialize, Serialize};

/// Labels of an object, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "std::collections::BTreeMap<Name, Name>", into = "std::collections::BTreeMap<Name, Name>")]
pub struct Labels(Box<[(Name, Name)]>);

impl Labels {
    /// The value of a label.
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(k, _)| k.as_str().cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value.as_str())
    }

    /// The value of the first of several keys that is present.
    pub fn first(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| self.get(key))
    }

    /// All pairs, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<Name>, V: Into<Name>> FromIterator<(K, V)> for Labels {
    /// A key given twice keeps its last value.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let map: std::collections::BTreeMap<Name, Name> =
            pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        map.into()
    }
}

impl From<std::collections::BTreeMap<Name, Name>> for Labels {
    fn from(map: std::collections::BTreeMap<Name, Name>) -> Self {
        Self(map.into_iter().collect())
    }
}

impl From<Labels> for std::collections::BTreeMap<Name, Name> {
    fn from(labels: Labels) -> Self {
        labels.0.into_iter().collect()
    }
}

/// Label and taint keys the program reads. Sources: kubernetes.io's well-known labels, Karpenter
/// `pkg/apis/v1/labels.go` and `taints.go`, the EKS user guide, awslabs/eks-node-viewer `pkg/model/node.go`.
pub mod key {
    /// Instance type, in order of preference.
    pub const INSTANCE_TYPE: &[&str] = &["node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"];
    /// Availability zone.
    pub const ZONE: &[&str] = &["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"];
    /// Region.
    pub const REGION: &[&str] = &["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"];
    /// Processor architecture.
    pub const ARCH: &[&str] = &["kubernetes.io/arch", "beta.kubernetes.io/arch"];
    /// Operating system.
    pub const OS: &[&str] = &["kubernetes.io/os", "beta.kubernetes.io/os"];
    /// `auto`, `fargate` or `hybrid`.
    pub const COMPUTE_TYPE: &str = "eks.amazonaws.com/compute-type";
    /// Karpenter's nodepool.
    pub const NODEPOOL: &str = "karpenter.sh/nodepool";
    /// Node class of a self-hosted Karpenter on AWS.
    pub const EC2_NODE_CLASS: &str = "karpenter.k8s.aws/ec2nodeclass";
    /// Node class of EKS Auto Mode.
    pub const AUTO_NODE_CLASS: &str = "eks.amazonaws.com/nodeclass";
    /// GiB of the local disks of an Auto Mode node.
    pub const AUTO_LOCAL_NVME: &str = "eks.amazonaws.com/instance-local-nvme";
    /// Managed or eksctl node group.
    pub const NODEGROUP: &[&str] = &["eks.amazonaws.com/nodegroup", "alpha.eksctl.io/nodegroup-name"];
    /// Purchase option, in the order in which the keys are asked.
    pub const CAPACITY_TYPE: &[&str] = &[
        "karpenter.sh/capacity-type",
        "eks.amazonaws.com/capacityType",
        "node.kubernetes.io/lifecycle",
        "lifecycle",
        "spotinst.io/node-lifecycle",
    ];
    /// Reservation kind of a reserved node: `default` or `capacity-block`.
    pub const RESERVATION_TYPE: &[&str] =
        &["karpenter.k8s.aws/capacity-reservation-type", "eks.amazonaws.com/capacity-reservation-type"];
    /// `default` or `dedicated`.
    pub const TENANCY: &str = "karpenter.k8s.aws/instance-tenancy";
    /// `"true"` once Karpenter has seen the node registered.
    pub const REGISTERED: &str = "karpenter.sh/registered";
    /// `"true"` once Karpenter calls the node initialized.
    pub const INITIALIZED: &str = "karpenter.sh/initialized";
    /// Price override of eks-node-viewer, dollars an hour.
    pub const INSTANCE_PRICE: &str = "eks-node-viewer/instance-price";
    /// A node played by kwok.
    pub const KWOK: &str = "kwok.x-k8s.io/node";
    /// Outpost of the node (unverified).
    pub const OUTPOST: &str = "topology.k8s.aws/outpost-id";
    /// Taint: chosen for disruption or draining.
    pub const TAINT_DISRUPTED: &str = "karpenter.sh/disrupted";
    /// The same before Karpenter 1.0.
    pub const TAINT_DISRUPTION: &str = "karpenter.sh/disruption";
    /// Taint: the kubelet joined, Karpenter has not finished registration.
    pub const TAINT_UNREGISTERED: &str = "karpenter.sh/unregistered";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_by_key() {
        let labels: Labels = [("b", "2"), ("a", "1"), ("b", "3")].into_iter().collect();
        assert_eq!((labels.get("a"), labels.get("b"), labels.get("c")), (Some("1"), Some("3"), None));
        assert_eq!(labels.first(&["c", "b"]), Some("3"));
    }
}
