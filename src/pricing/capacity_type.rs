//! How a machine is bought, read from labels.

use super::facts::Facts;
use crate::model::{Labels, key};
use std::fmt;

/// The purchase option of a machine; Kubernetes and Karpenter call it capacity type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CapacityType {
    /// By the hour at the list price.
    OnDemand,
    /// Spare capacity at a price that changes, taken back at short notice.
    Spot,
    /// In an on-demand capacity reservation: billed at the on-demand rate, used or not.
    Reserved,
    /// In a capacity block: paid in advance for a fixed time.
    CapacityBlock,
    /// Fargate: billed by the pod's size.
    Fargate,
    /// No label says (yet).
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

    /// The capacity type with this name, upper or lower case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name))
    }

    /// What the labels of a node or claim say: the first of the keys (Karpenter's, the managed node group's, older and
    /// third-party ones) with a value that is known. Upper and lower case are the same.
    pub fn of(labels: &Labels) -> Self {
        Self::from_facts(&Facts::of_labels(labels))
    }

    pub(super) fn from_facts(facts: &Facts<'_>) -> Self {
        if facts.is(key::COMPUTE_TYPE, "fargate") {
            return Self::Fargate;
        }
        let bought = key::CAPACITY_TYPE.iter().flat_map(|key| facts.all(key)).find_map(Self::from_label);
        // Karpenter labels a capacity block `reserved` and tells the kind of reservation apart.
        let block = key::RESERVATION_TYPE.iter().any(|key| facts.is(key, "capacity-block"));
        match bought {
            Some(Self::Reserved) if block => Self::CapacityBlock,
            Some(bought) => bought,
            None => Self::Unknown,
        }
    }

    /// Spellings of Karpenter, EKS managed node groups, `lifecycle` labels of older tools and `spotinst.io`.
    fn from_label(value: &str) -> Option<Self> {
        const SPELLINGS: [(&str, CapacityType); 9] = [
            ("on-demand", CapacityType::OnDemand),
            ("ON_DEMAND", CapacityType::OnDemand),
            ("normal", CapacityType::OnDemand),
            ("od", CapacityType::OnDemand),
            ("spot", CapacityType::Spot),
            ("Ec2Spot", CapacityType::Spot),
            ("reserved", CapacityType::Reserved),
            ("CAPACITY_BLOCK", CapacityType::CapacityBlock),
            ("capacity-block", CapacityType::CapacityBlock),
        ];
        SPELLINGS.iter().find(|(name, _)| value.eq_ignore_ascii_case(name)).map(|(_, is)| *is)
    }
}

impl fmt::Display for CapacityType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
    #[test_case(&[("lifecycle", "production")] => CapacityType::Unknown ; "a label of somebody else's")]
    #[test_case(&[("karpenter.sh/capacity-type", "new"), ("lifecycle", "spot")] => CapacityType::Spot ; "the first known value counts")]
    #[test_case(&[("karpenter.sh/capacity-type", "spot"), ("lifecycle", "normal")] => CapacityType::Spot ; "the first key counts")]
    #[test_case(&[("karpenter.sh/capacity-type", "reserved"), ("karpenter.k8s.aws/capacity-reservation-type", "default")] => CapacityType::Reserved ; "a reservation")]
    #[test_case(&[("karpenter.sh/capacity-type", "reserved"), ("karpenter.k8s.aws/capacity-reservation-type", "capacity-block")] => CapacityType::CapacityBlock ; "a block of karpenter")]
    #[test_case(&[("karpenter.sh/capacity-type", "reserved"), ("eks.amazonaws.com/capacity-reservation-type", "capacity-block")] => CapacityType::CapacityBlock ; "a block of auto mode")]
    #[test_case(&[("karpenter.sh/capacity-type", "on-demand"), ("karpenter.k8s.aws/capacity-reservation-type", "capacity-block")] => CapacityType::OnDemand ; "the reservation has ended")]
    #[test_case(&[] => CapacityType::Unknown ; "no label")]
    #[test_case(&[("karpenter.sh/capacity-type", "")] => CapacityType::Unknown ; "an empty label")]
    fn every_label_spelling_is_read(labels: &[(&str, &str)]) -> CapacityType {
        CapacityType::of(&labels.iter().copied().collect())
    }

    #[test]
    fn names_are_the_fields() {
        let names = CapacityType::ALL.map(CapacityType::name);
        assert_eq!(names, ["on-demand", "spot", "reserved", "capacity-block", "fargate", "unknown"]);
    }
}
