use super::{Name, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A resource of nodes and pods, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// CPU, in millicores.
    Cpu,
    /// Memory, in bytes.
    Memory,
    /// Ephemeral storage, in bytes.
    EphemeralStorage,
    /// Number of pods.
    Pods,
    /// Any other resource (`nvidia.com/gpu`, `hugepages-2Mi`), in whole units.
    Extended(Name),
}

impl Resource {
    /// The resource with this Kubernetes name.
    pub fn from_name(name: &str) -> Self {
        match name {
            "cpu" => Self::Cpu,
            "memory" => Self::Memory,
            "ephemeral-storage" => Self::EphemeralStorage,
            "pods" => Self::Pods,
            other => Self::Extended(other.into()),
        }
    }

    /// The Kubernetes name.
    pub fn name(&self) -> &str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::EphemeralStorage => "ephemeral-storage",
            Self::Pods => "pods",
            Self::Extended(name) => name,
        }
    }

    /// A few letters for a heading: `cpu`, `disk`, `gpu` of `nvidia.com/gpu`.
    pub fn short_name(&self) -> &str {
        match self {
            Self::EphemeralStorage => "disk",
            Self::Cpu | Self::Memory | Self::Pods => self.name(),
            Self::Extended(name) => name.rsplit('/').next().unwrap_or(name),
        }
    }

    /// Whether it counts as an accelerator: every extended resource except those known to be something else (network
    /// interfaces, huge pages, device files, cpu under another name). Accelerators have too many vendor names for a list of
    /// them, so an unknown name counts as one.
    pub fn is_accelerator(&self) -> bool {
        let Self::Extended(name) = self else { return false };
        // Names without a domain belong to Kubernetes: hugepages-2Mi, attachable-volumes-aws-ebs
        // (k8s.io/api/core/v1/types.go, ResourceHugePagesPrefix and ResourceAttachableVolumesPrefix).
        let Some((domain, device)) = name.split_once('/') else { return false };
        let device = device.to_ascii_lowercase();
        !(NO_ACCELERATOR_DOMAINS.contains(&domain)
            || NO_ACCELERATOR_SUFFIXES.iter().any(|suffix| domain.ends_with(suffix))
            || NO_ACCELERATOR_DEVICES.contains(&device.as_str())
            || NO_ACCELERATOR_WORDS.iter().any(|word| device.contains(word)))
    }
}

/// Domains without accelerators.
const NO_ACCELERATOR_DOMAINS: [&str; 10] = [
    // Branch network interfaces, addresses and EFA (aws/amazon-vpc-resource-controller-k8s pkg/config/type.go;
    // aws/eks-charts aws-efa-k8s-device-plugin).
    "vpc.amazonaws.com",
    // Nitro Enclaves (aws/aws-nitro-enclaves-k8s-device-plugin).
    "aws.ec2.nitro",
    // Network interfaces (AliyunContainerService/terway deploy/resources.go).
    "aliyun",
    // Network interfaces (k8snetworkplumbingwg/sriov-network-device-plugin README); the vendor sells nothing else.
    "mellanox.com",
    // Shared RDMA devices (Mellanox/k8s-rdma-shared-dev-plugin README).
    "rdma",
    // Device files of the host (smarter-project/smarter-device-manager README).
    "smarter-devices",
    // kvm, tun, vhost-net, vhost-vsock, sev (kubevirt/kubevirt pkg/virt-handler/device-manager).
    "devices.kubevirt.io",
    // Encrypted memory (intel/intel-device-plugins-for-kubernetes cmd/sgx_plugin/README.md).
    "sgx.intel.com",
    // Overcommitted cpu and memory (koordinator-sh/koordinator apis/extension/resource.go: kubernetes.io/batch-cpu).
    "kubernetes.io",
    // Network interfaces by resource name (k8snetworkplumbingwg/ovs-cni marker; GKE multi-network).
    "networking.gke.io.networks",
];

/// Suffixes of such domains: bridges of pod networks (`ovs-cni.network.kubevirt.io/br1`).
const NO_ACCELERATOR_SUFFIXES: [&str; 1] = [".network.kubevirt.io"];

/// Device files that plugins offer under various domains (squat/generic-device-plugin: `squat.ai/fuse`;
/// kuberenetes-learning-group/fuse-device-plugin: `github.com/fuse`), and
/// NVIDIA's names of network interfaces (Mellanox/network-operator example/crs: `nvidia.com/hostdev`); addresses and
/// network interfaces of Tencent Cloud TKE, whose domain has shared GPUs as well (`tke.cloud.tencent.com/eni-ip`).
const NO_ACCELERATOR_DEVICES: [&str; 14] = [
    "fuse",
    "dev-fuse",
    "kvm",
    "tun",
    "net_tun",
    "net-tun",
    "vhost-net",
    "vhost-vsock",
    "hostdev",
    "mlnxnics",
    "eni-ip",
    "direct-eni",
    "sub-eni",
    "eip",
];

/// Words in the names of network interfaces that an administrator chose (k8snetworkplumbingwg/sriov-network-device-plugin
/// README: `intel.com/intel_sriov_netdevice`, `mellanox.com/mlnx_sriov_rdma`).
const NO_ACCELERATOR_WORDS: [&str; 5] = ["sriov", "sr-iov", "rdma", "netdevice", "dpdk"];

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An amount of every resource, in millicores, bytes or units. Integers, so that adding and subtracting is exact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// CPU in millicores.
    pub cpu_millicores: u64,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Ephemeral storage in bytes.
    pub ephemeral_storage_bytes: u64,
    /// Number of pods.
    pub pods: u64,
    /// Other resources by Kubernetes name, in whole units. Subtraction removes entries that become zero.
    pub extended: BTreeMap<Name, u64>,
}

impl Resources {
    /// The maximum amount of a pod, a node or a measurement: 256 TiB, ten times the largest instance. A manifest may
    /// contain more; without a maximum one such pod would saturate a sum, which could not be subtracted from exactly.
    /// 65,536 of these maxima add up without saturation.
    pub const MOST: u64 = 1 << 48;

    /// `self` with each amount limited to [`Self::MOST`].
    #[must_use]
    pub fn capped(&self) -> Self {
        Self {
            cpu_millicores: self.cpu_millicores.min(Self::MOST),
            memory_bytes: self.memory_bytes.min(Self::MOST),
            ephemeral_storage_bytes: self.ephemeral_storage_bytes.min(Self::MOST),
            pods: self.pods.min(Self::MOST),
            extended: self.extended.iter().map(|(name, amount)| (name.clone(), (*amount).min(Self::MOST))).collect(),
        }
    }

    /// An amount of cpu (millicores) and memory (bytes).
    pub fn new(cpu_millicores: u64, memory_bytes: u64) -> Self {
        Self { cpu_millicores, memory_bytes, ..Self::default() }
    }

    /// The amount of a resource; 0 if it is absent.
    pub fn get(&self, resource: &Resource) -> u64 {
        match resource {
            Resource::Cpu => self.cpu_millicores,
            Resource::Memory => self.memory_bytes,
            Resource::EphemeralStorage => self.ephemeral_storage_bytes,
            Resource::Pods => self.pods,
            Resource::Extended(name) => self.extended.get(name).copied().unwrap_or(0),
        }
    }

    /// Sets the amount of a resource.
    pub fn set(&mut self, resource: &Resource, amount: u64) {
        match resource {
            Resource::Cpu => self.cpu_millicores = amount,
            Resource::Memory => self.memory_bytes = amount,
            Resource::EphemeralStorage => self.ephemeral_storage_bytes = amount,
            Resource::Pods => self.pods = amount,
            Resource::Extended(name) => {
                self.extended.insert(name.clone(), amount);
            }
        }
    }

    /// Adds each resource, saturating.
    pub fn add(&mut self, other: &Self) {
        self.cpu_millicores = self.cpu_millicores.saturating_add(other.cpu_millicores);
        self.memory_bytes = self.memory_bytes.saturating_add(other.memory_bytes);
        self.ephemeral_storage_bytes = self.ephemeral_storage_bytes.saturating_add(other.ephemeral_storage_bytes);
        self.pods = self.pods.saturating_add(other.pods);
        for (name, amount) in &other.extended {
            if *amount > 0 {
                let sum = self.extended.entry(name.clone()).or_default();
                *sum = sum.saturating_add(*amount);
            }
        }
    }

    /// Subtracts each resource, saturating at 0. An entry of [`Self::extended`] that reaches 0 is removed.
    pub fn subtract(&mut self, other: &Self) {
        self.cpu_millicores = self.cpu_millicores.saturating_sub(other.cpu_millicores);
        self.memory_bytes = self.memory_bytes.saturating_sub(other.memory_bytes);
        self.ephemeral_storage_bytes = self.ephemeral_storage_bytes.saturating_sub(other.ephemeral_storage_bytes);
        self.pods = self.pods.saturating_sub(other.pods);
        for (name, amount) in &other.extended {
            if let Some(sum) = self.extended.get_mut(name) {
                *sum = sum.saturating_sub(*amount);
                if *sum == 0 {
                    self.extended.remove(name);
                }
            }
        }
    }

    /// Whether every amount is 0.
    pub fn is_zero(&self) -> bool {
        self.cpu_millicores == 0
            && self.memory_bytes == 0
            && self.ephemeral_storage_bytes == 0
            && self.pods == 0
            && self.extended.values().all(|v| *v == 0)
    }
}

/// Measured usage, from metrics.k8s.io.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Processor time in millicores.
    pub cpu_millicores: u64,
    /// Working-set memory in bytes.
    pub memory_bytes: u64,
    /// End of the measured window, by the metrics server's timestamp.
    pub at: Timestamp,
    /// Length of the measured window in seconds; 0 if unknown. See [`Self::fresh_seconds`].
    pub window_seconds: u32,
}

impl Usage {
    /// How many seconds after `now` the measurement stays current: until it is older than two windows and a polling
    /// interval. 0 or less if it is stale.
    pub fn fresh_seconds(&self, now: Timestamp) -> i64 {
        // An unknown window counts as the longest common one; metrics are polled every 15 seconds.
        let window = if self.window_seconds == 0 { 60 } else { i64::from(self.window_seconds) };
        self.at.as_second() + 2 * window + 15 - now.as_second()
    }

    /// `self` with each amount limited to [`Resources::MOST`].
    #[must_use]
    pub fn capped(self) -> Self {
        Self {
            cpu_millicores: self.cpu_millicores.min(Resources::MOST),
            memory_bytes: self.memory_bytes.min(Resources::MOST),
            ..self
        }
    }

    /// The measured amount; `None` for resources other than cpu and memory.
    pub fn get(&self, resource: &Resource) -> Option<u64> {
        match resource {
            Resource::Cpu => Some(self.cpu_millicores),
            Resource::Memory => Some(self.memory_bytes),
            Resource::EphemeralStorage | Resource::Pods | Resource::Extended(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("nvidia.com/gpu" => true)]
    #[test_case("nvidia.com/gpu.shared" => true ; "NVIDIA k8s-device-plugin README, Shared access to GPUs")]
    #[test_case("nvidia.com/mig-1g.5gb.shared" => true)]
    #[test_case("nvidia.com/GA102GL_A10" => true ; "KubeVirt host devices")]
    #[test_case("amd.com/gpu" => true)]
    #[test_case("gpu.intel.com/i915" => true)]
    #[test_case("gpu.intel.com/xe" => true)]
    #[test_case("qualcomm.com/qaic" => true)]
    #[test_case("google.com/tpu" => true)]
    #[test_case("k8s.amazonaws.com/vgpu" => true)]
    #[test_case("aws.amazon.com/neuroncore" => true)]
    #[test_case("habana.ai/gaudi" => true)]
    #[test_case("aliyun.com/gpu-mem" => true)]
    #[test_case("huawei.com/Ascend910" => true)]
    #[test_case("example.com/something-new" => true ; "an unknown name")]
    #[test_case("vpc.amazonaws.com/efa" => false)]
    #[test_case("vpc.amazonaws.com/pod-eni" => false)]
    #[test_case("aliyun/eni" => false)]
    #[test_case("hugepages-2Mi" => false)]
    #[test_case("attachable-volumes-aws-ebs" => false)]
    #[test_case("smarter-devices/fuse" => false)]
    #[test_case("github.com/fuse" => false)]
    #[test_case("squat.ai/fuse" => false)]
    #[test_case("devices.kubevirt.io/kvm" => false)]
    #[test_case("rdma/hca_shared_devices_a" => false)]
    #[test_case("intel.com/intel_sriov_netdevice" => false)]
    #[test_case("openshift.io/SRIOV_nic" => false)]
    #[test_case("nvidia.com/hostdev" => false)]
    #[test_case("mellanox.com/cx5" => false)]
    #[test_case("tke.cloud.tencent.com/eni-ip" => false)]
    #[test_case("tke.cloud.tencent.com/qgpu-core" => true ; "a shared gpu in a domain of network interfaces")]
    #[test_case("kubernetes.io/batch-cpu" => false)]
    #[test_case("cpu" => false)]
    #[test_case("ephemeral-storage" => false)]
    fn accelerators(name: &str) -> bool {
        Resource::from_name(name).is_accelerator()
    }

    #[test]
    fn subtraction_reverts_addition() {
        let mut sum = Resources::new(100, 10);
        let mut gpu = Resources::new(5, 1);
        gpu.set(&Resource::from_name("nvidia.com/gpu"), 2);
        sum.add(&gpu);
        assert_eq!(sum.get(&Resource::Extended("nvidia.com/gpu".into())), 2);
        sum.subtract(&gpu);
        assert_eq!(sum, Resources::new(100, 10));
    }
}
