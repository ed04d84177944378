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

    /// All labels, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// Whether there are no labels.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<Name>, V: Into<Name>> FromIterator<(K, V)> for Labels {
    /// The last value of a repeated key wins.
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
    /// Karpenter NodePool.
    pub const NODEPOOL: &str = "karpenter.sh/nodepool";
    /// Node class of a self-hosted Karpenter on AWS.
    pub const EC2_NODE_CLASS: &str = "karpenter.k8s.aws/ec2nodeclass";
    /// Node class of EKS Auto Mode.
    pub const AUTO_NODE_CLASS: &str = "eks.amazonaws.com/nodeclass";
    /// GiB of the local disks of an Auto Mode node.
    pub const AUTO_LOCAL_NVME: &str = "eks.amazonaws.com/instance-local-nvme";
    /// Karpenter Provisioner, the predecessor of the NodePool before 0.32 (`pkg/apis/v1alpha5/labels.go`).
    pub const PROVISIONER: &str = "karpenter.sh/provisioner-name";
    /// Node group, in the order in which the keys are read: one key per provider, from its documentation or source.
    pub const NODEGROUP: &[&str] = &[
        "eks.amazonaws.com/nodegroup",               // EKS managed node groups
        "alpha.eksctl.io/nodegroup-name",            // eksctl
        "kops.k8s.io/instancegroup",                 // kOps, nodelabels.go
        "cloud.google.com/gke-nodepool",             // GKE
        "kubernetes.azure.com/agentpool",            // AKS
        "agentpool",                                 // AKS, the older key
        "oke.oraclecloud.com/pool.name",             // OKE, terraform-oci-oke
        "doks.digitalocean.com/node-pool",           // DigitalOcean
        "lke.linode.com/pool-id",                    // Linode
        "k8s.scaleway.com/pool-name",                // Scaleway Kapsule
        "vke.vultr.com/node-pool",                   // Vultr
        "ibm-cloud.kubernetes.io/worker-pool-name",  // IBM Cloud
        "alibabacloud.com/nodepool-id",              // Alibaba Cloud ACK
        "node.alibabacloud.com/nodepool-id",         // the same, newer key
        "tke.cloud.tencent.com/nodepool-id",         // Tencent TKE
        "cce.cloud.com/cce-nodepool",                // Huawei CCE
        "worker.gardener.cloud/pool",                // Gardener
        "hypershift.openshift.io/nodePool",          // HyperShift
        "topology.cluster.x-k8s.io/deployment-name", // Cluster API, where its labels are synced to nodes
        "cluster.x-k8s.io/deployment-name",
        "cluster.x-k8s.io/pool-name",
        "cluster.x-k8s.io/set-name",
        "rke.cattle.io/rke-machine-pool-name",         // Rancher RKE2
        "node.deckhouse.io/group",                     // Deckhouse
        "scheduling.cast.ai/node-template",            // CAST AI
        "provisioner.cast.ai/node-configuration-name", // CAST AI, older
        "spotinst.io/ocean-vng-id",                    // Spot Ocean
        "nodepool",                                    // OVHcloud; elsewhere set manually, so after all others
    ];
    /// Karpenter's capacity type. All labels with a capacity type are in the table of [`crate::pricing::CapacityType`].
    pub const CAPACITY_TYPE: &str = "karpenter.sh/capacity-type";
    /// Reservation kind of a reserved node: `default` or `capacity-block`.
    pub const RESERVATION_TYPE: &[&str] =
        &["karpenter.k8s.aws/capacity-reservation-type", "eks.amazonaws.com/capacity-reservation-type"];
    /// `default` or `dedicated`.
    pub const TENANCY: &str = "karpenter.k8s.aws/instance-tenancy";
    /// `"true"` once Karpenter has registered the node.
    pub const REGISTERED: &str = "karpenter.sh/registered";
    /// `"true"` once Karpenter has initialized the node.
    pub const INITIALIZED: &str = "karpenter.sh/initialized";
    /// Price override of eks-node-viewer, in dollars per hour.
    pub const INSTANCE_PRICE: &str = "eks-node-viewer/instance-price";
    /// Set on nodes simulated by kwok.
    pub const KWOK: &str = "kwok.x-k8s.io/node";
    /// Outpost of the node (unverified).
    pub const OUTPOST: &str = "topology.k8s.aws/outpost-id";
    /// Taint: selected for disruption, or draining.
    pub const TAINT_DISRUPTED: &str = "karpenter.sh/disrupted";
    /// The same before Karpenter 1.0.
    pub const TAINT_DISRUPTION: &str = "karpenter.sh/disruption";
    /// Taint: the node has joined, and Karpenter has not registered it yet.
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

    #[test]
    fn a_label_by_hand_comes_after_the_label_of_a_provider() {
        for provider in key::NODEGROUP.iter().filter(|key| **key != "nodepool") {
            let labels: Labels = [("nodepool", "by-hand"), (*provider, "workers")].into_iter().collect();
            assert_eq!(labels.first(key::NODEGROUP), Some("workers"), "{provider}");
        }
        assert_eq!([("nodepool", "ovh")].into_iter().collect::<Labels>().first(key::NODEGROUP), Some("ovh"));
    }
}
