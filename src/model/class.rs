use super::{Name, Provisioner, Uid};
use serde::{Deserialize, Serialize};

/// The fields that affect cost of a Karpenter `EC2NodeClass` (`karpenter.k8s.aws/v1`) or a `NodeClass` of EKS Auto Mode
/// (`eks.amazonaws.com/v1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeClass {
    /// `metadata.name`, unique within its provisioner.
    pub name: Name,
    /// `metadata.uid`.
    pub uid: Uid,
    /// Its provisioner: [`Provisioner::Karpenter`] or [`Provisioner::AutoMode`].
    pub provisioner: Provisioner,
    /// The EBS volumes of each instance, with defaults applied.
    pub volumes: Vec<Volume>,
}

/// An EBS volume that instances are launched with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// `gp3`, `io2` …; empty if the AMI decides.
    pub volume_type: Name,
    /// Size in GiB; `None` if the snapshot or the AMI decides.
    pub size_gib: Option<u64>,
    /// Provisioned IOPS; `None` for the baseline of the type.
    pub iops: Option<u64>,
    /// Provisioned throughput in MiB/s; `None` for the baseline of the type.
    pub throughput: Option<u64>,
    /// Whether it is the root volume.
    pub root: bool,
}
