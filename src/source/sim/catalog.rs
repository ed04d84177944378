//! The EC2 instance types of simulated clusters, with their capacity and allocatable amounts on EKS.
//!
//! Their prices come from the price table by the labels of the node, as for real nodes.

use crate::model::{Resource, Resources};

/// An EC2 instance type.
#[derive(Debug, PartialEq, Eq)]
pub struct InstanceType {
    /// `c5a.large`.
    pub name: &'static str,
    /// vCPUs.
    pub vcpu: u64,
    /// Memory by EC2's specification.
    pub memory_mib: u64,
    /// `amd64` or `arm64`.
    pub arch: &'static str,
    /// `amd`, `aws` or `intel`.
    pub cpu_manufacturer: &'static str,
    /// Sustained clock speed.
    pub clock_mhz: u64,
    /// NVIDIA GPUs: number and model.
    pub gpu: Option<(u64, &'static str)>,
}

const fn cpu_type(
    name: &'static str,
    vcpu: u64,
    gib: u64,
    arch: &'static str,
    maker: &'static str,
    clock_mhz: u64,
) -> InstanceType {
    InstanceType { name, vcpu, memory_mib: gib * 1024, arch, cpu_manufacturer: maker, clock_mhz, gpu: None }
}

const fn gpu_type(name: &'static str, vcpu: u64, gib: u64, maker: &'static str, model: &'static str) -> InstanceType {
    InstanceType {
        name,
        vcpu,
        memory_mib: gib * 1024,
        arch: "amd64",
        cpu_manufacturer: maker,
        clock_mhz: 2900,
        gpu: Some((1, model)),
    }
}

/// All types, each family from small to large. Sizes: EC2's instance type pages.
pub const CATALOG: &[InstanceType] = &[
    cpu_type("c5a.large", 2, 4, "amd64", "amd", 3300),
    cpu_type("c5a.xlarge", 4, 8, "amd64", "amd", 3300),
    cpu_type("c5a.2xlarge", 8, 16, "amd64", "amd", 3300),
    cpu_type("c5a.4xlarge", 16, 32, "amd64", "amd", 3300),
    cpu_type("c5a.8xlarge", 32, 64, "amd64", "amd", 3300),
    cpu_type("c6a.large", 2, 4, "amd64", "amd", 3600),
    cpu_type("c6a.xlarge", 4, 8, "amd64", "amd", 3600),
    cpu_type("c6a.2xlarge", 8, 16, "amd64", "amd", 3600),
    cpu_type("c6g.xlarge", 4, 8, "arm64", "aws", 2500),
    cpu_type("c6g.2xlarge", 8, 16, "arm64", "aws", 2500),
    cpu_type("c6g.4xlarge", 16, 32, "arm64", "aws", 2500),
    cpu_type("c7g.xlarge", 4, 8, "arm64", "aws", 2600),
    cpu_type("c7g.2xlarge", 8, 16, "arm64", "aws", 2600),
    cpu_type("m5a.large", 2, 8, "amd64", "amd", 2500),
    cpu_type("m5a.xlarge", 4, 16, "amd64", "amd", 2500),
    cpu_type("m5a.2xlarge", 8, 32, "amd64", "amd", 2500),
    cpu_type("m5a.4xlarge", 16, 64, "amd64", "amd", 2500),
    cpu_type("m6g.large", 2, 8, "arm64", "aws", 2500),
    cpu_type("m6g.xlarge", 4, 16, "arm64", "aws", 2500),
    cpu_type("m6g.2xlarge", 8, 32, "arm64", "aws", 2500),
    cpu_type("m7g.large", 2, 8, "arm64", "aws", 2600),
    cpu_type("m7g.xlarge", 4, 16, "arm64", "aws", 2600),
    cpu_type("m7g.2xlarge", 8, 32, "arm64", "aws", 2600),
    cpu_type("r5a.large", 2, 16, "amd64", "amd", 2500),
    cpu_type("r5a.xlarge", 4, 32, "amd64", "amd", 2500),
    cpu_type("r5a.2xlarge", 8, 64, "amd64", "amd", 2500),
    cpu_type("r6g.xlarge", 4, 32, "arm64", "aws", 2500),
    cpu_type("r6g.2xlarge", 8, 64, "arm64", "aws", 2500),
    gpu_type("g4dn.xlarge", 4, 16, "intel", "t4"),
    gpu_type("g5.xlarge", 4, 16, "amd", "a10g"),
    gpu_type("g5.2xlarge", 8, 32, "amd", "a10g"),
    gpu_type("g6.xlarge", 4, 16, "amd", "l4"),
];

/// The type with this name.
pub fn find(name: &str) -> Option<&'static InstanceType> {
    CATALOG.iter().find(|t| t.name == name)
}

const MIB: u64 = 1 << 20;
/// The data volume of every simulated node, as in Auto Mode: 80 GiB.
pub(super) const DISK_GIB: u64 = 80;

impl InstanceType {
    /// `c5a` of `c5a.large`.
    pub fn family(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(family, _)| family)
    }

    /// `large` of `c5a.large`.
    pub fn size(&self) -> &'static str {
        self.name.split_once('.').map_or("", |(_, size)| size)
    }

    /// `c` of `c5a.large`: the letters before the generation.
    pub fn category(&self) -> &'static str {
        let family = self.family();
        family.split(|c: char| c.is_ascii_digit()).next().unwrap_or(family)
    }

    /// `5` of `c5a.large`.
    pub fn generation(&self) -> String {
        self.family().chars().skip_while(char::is_ascii_alphabetic).take_while(char::is_ascii_digit).collect()
    }

    /// The maximum number of pods: the addresses of all network interfaces, without the primary ones. Auto Mode's agents
    /// are processes rather than host-network pods, so none are added for them; the kubelet's limit is 110.
    pub fn max_pods(&self) -> u64 {
        let (interfaces, addresses) = match self.vcpu {
            0..=2 => (3, 10),
            3..=8 => (4, 15),
            _ => (8, 30),
        };
        (interfaces * (addresses - 1_u64)).min(110)
    }

    /// `status.capacity` of a node: memory without the hypervisor's share (7.5 % by Karpenter's estimate,
    /// `vm-memory-overhead-percent`).
    pub fn capacity(&self) -> Resources {
        let mut capacity = Resources::new(self.vcpu * 1000, self.memory_mib * 925 / 1000 * MIB);
        capacity.ephemeral_storage_bytes = DISK_GIB << 30;
        capacity.pods = self.max_pods();
        if let Some((count, _)) = self.gpu {
            capacity.set(&Resource::from_name("nvidia.com/gpu"), count);
        }
        capacity
    }

    /// `status.allocatable` of a node: capacity minus the kubelet reservation of EKS (6 % of the
    /// first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the others; 255 MiB and 11 MiB a pod) and the
    /// eviction threshold (100 MiB, 10 % of the disk). awslabs/amazon-eks-ami `nodeadm/internal/kubelet`.
    pub fn allocatable(&self) -> Resources {
        let mut left = self.capacity();
        // In hundredths of a millicore, so that 0.25 % is an integer.
        let reserved = (0..self.vcpu).map(|core| match core {
            0 => 6000,
            1 => 1000,
            2 | 3 => 500,
            _ => 250,
        });
        let reserved: u64 = reserved.sum();
        left.cpu_millicores -= reserved / 100;
        left.memory_bytes -= (255 + 11 * self.max_pods() + 100) * MIB;
        left.ephemeral_storage_bytes -= left.ephemeral_storage_bytes / 10;
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("c5a.large" => (1930, 27))]
    #[test_case("c5a.xlarge" => (3920, 56))]
    #[test_case("c5a.2xlarge" => (7910, 56))]
    #[test_case("c5a.4xlarge" => (15890, 110))]
    fn allocatable_follows_the_reservation_of_eks(name: &str) -> (u64, u64) {
        let allocatable = find(name).unwrap().allocatable();
        (allocatable.cpu_millicores, allocatable.pods)
    }

    #[test]
    fn a_name_is_family_generation_and_size() {
        let t = find("g4dn.xlarge").unwrap();
        assert_eq!((t.category(), t.family(), t.generation().as_str(), t.size()), ("g", "g4dn", "4", "xlarge"));
        assert_eq!(find("c5a.huge"), None);
    }

    #[test]
    fn names_are_unique_and_allocatable_is_positive() {
        for (i, t) in CATALOG.iter().enumerate() {
            assert!(CATALOG[..i].iter().all(|other| other.name != t.name), "{} twice", t.name);
            let left = t.allocatable();
            assert!(left.cpu_millicores > 1000 && left.memory_bytes > 2 << 30, "{}", t.name);
        }
    }
}
