use super::{Name, Timestamp};
use serde::{Deserialize, Serialize};

/// A `status.conditions[]` entry of any kind of object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Condition {
    /// `type`.
    pub kind: Name,
    /// `status`.
    pub status: ConditionStatus,
    /// `reason`.
    pub reason: Name,
    /// `message`.
    pub message: Name,
    /// `lastTransitionTime`: when the status last changed.
    pub since: Option<Timestamp>,
}

/// What a condition of a node reports about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionHealth {
    /// Nothing is wrong.
    Good,
    /// A fault.
    Bad,
    /// The component that reports it is silent.
    Unknown,
    /// Work in progress, which is no fault: maintenance, a drain, a shutdown.
    InProgress,
}

impl Condition {
    /// What a condition of a node reports: kinds that end in `Ready` are good when True, all others when False.
    pub fn health(&self) -> ConditionHealth {
        match self.status {
            ConditionStatus::Unknown => ConditionHealth::Unknown,
            ConditionStatus::True if IN_PROGRESS.contains(&self.kind.as_str()) => ConditionHealth::InProgress,
            status if (status == ConditionStatus::True) == self.kind.ends_with("Ready") => ConditionHealth::Good,
            ConditionStatus::True | ConditionStatus::False => ConditionHealth::Bad,
        }
    }

    /// Whether a condition of a node reports a fault of a kind whose meaning is known: one of Kubernetes, or of the node
    /// monitoring agents of EKS. `Ready` that is Unknown is a fault, since the kubelet is silent.
    pub fn is_known_fault(&self) -> bool {
        match self.health() {
            ConditionHealth::Bad => self.is_ready() || PRESSURES.contains(&self.kind.as_str()) || self.is_monitored(),
            ConditionHealth::Unknown => self.is_ready(),
            ConditionHealth::Good | ConditionHealth::InProgress => false,
        }
    }

    /// Whether Karpenter repairs nodes on AWS that have this fault (`pkg/cloudprovider/cloudprovider.go` of the AWS
    /// provider, `RepairPolicies`).
    pub fn is_repairable_fault(&self) -> bool {
        self.is_known_fault() && (self.is_ready() || self.is_monitored())
    }

    /// Whether it is the condition `Ready`.
    pub fn is_ready(&self) -> bool {
        self.kind == "Ready"
    }

    fn is_monitored(&self) -> bool {
        MONITORED.contains(&self.kind.as_str())
    }
}

/// Conditions of Kubernetes that are True when something is wrong.
const PRESSURES: &[&str] = &["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];

/// Conditions that the EKS node monitoring agent sets.
const MONITORED: &[&str] =
    &["KernelReady", "NetworkingReady", "StorageReady", "ContainerRuntimeReady", "AcceleratedHardwareReady"];

/// Conditions of Kubernetes 1.37 (feature gate `NodeLifecycleConditions`) that report work in progress.
const IN_PROGRESS: &[&str] =
    &["MaintenancePlanned", "MaintenanceInProgress", "DrainInProgress", "Drained", "GracefulNodeShutdownInProgress"];

/// The status of a condition; other values count as unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConditionStatus {
    /// `True`.
    True,
    /// `False`.
    False,
    /// `Unknown`, or any other value.
    #[default]
    Unknown,
}

impl ConditionStatus {
    /// The status with this Kubernetes name.
    pub fn from_name(name: &str) -> Self {
        match name {
            "True" => Self::True,
            "False" => Self::False,
            _ => Self::Unknown,
        }
    }

    /// The Kubernetes name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("Ready", "True" => (ConditionHealth::Good, false, false))]
    #[test_case("Ready", "False" => (ConditionHealth::Bad, true, true))]
    #[test_case("Ready", "Unknown" => (ConditionHealth::Unknown, true, true) ; "the kubelet is silent")]
    #[test_case("MemoryPressure", "True" => (ConditionHealth::Bad, true, false))]
    #[test_case("MemoryPressure", "False" => (ConditionHealth::Good, false, false))]
    #[test_case("MemoryPressure", "Unknown" => (ConditionHealth::Unknown, false, false))]
    #[test_case("KernelReady", "False" => (ConditionHealth::Bad, true, true))]
    #[test_case("KernelReady", "Unknown" => (ConditionHealth::Unknown, false, false))]
    #[test_case("ReadonlyFilesystem", "True" => (ConditionHealth::Bad, false, false) ; "of another agent")]
    #[test_case("DrainInProgress", "True" => (ConditionHealth::InProgress, false, false))]
    fn faults(kind: &str, status: &str) -> (ConditionHealth, bool, bool) {
        let status = ConditionStatus::from_name(status);
        let condition = Condition { kind: kind.into(), status, ..Condition::default() };
        (condition.health(), condition.is_known_fault(), condition.is_repairable_fault())
    }
}
