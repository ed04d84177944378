use super::{Name, Provisioner, Uid};
use serde::{Deserialize, Serialize};

/// What machines are launched with: a Karpenter `EC2NodeClass` (`karpenter.k8s.aws/v1`) or a `NodeClass` of EKS Auto Mode
/// (`eks.amazonaws.com/v1`), as far as it costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeClass {
    /// `metadata.name`, unique within its provisioner.
    pub name: Name,
    /// `metadata.uid`.
    pub uid: Uid,
    /// Whose class it is: [`Provisioner::Karpenter`] or [`Provisioner::AutoMode`].
    pub provisioner: Provisioner,
    /// The EBS volumes of each machine, defaults filled in.
    pub volumes: Vec<Volume>,
}

/// An EBS volume that a machine is launched with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// `gp3`, `io2` …; empty where only the machine image tells.
    pub volume_type: Name,
    /// GiB; none where only the snapshot or the machine image tells.
    pub size_gib: Option<u64>,
    /// Provisioned I/O operations a second; none is the type's baseline.
    pub iops: Option<u64>,
    /// Provisioned throughput in MiB a second; none is the type's baseline.
    pub throughput: Option<u64>,
    /// Whether the operating system starts from it.
    pub root: bool,
}
