//! How a machine is bought.

use crate::model::{Labels, key};

/// Purchase option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CapacityType {
    /// By the second at list price.
    OnDemand,
    /// Spare capacity at a moving price, interrupted with two minutes' notice.
    Spot,
    /// On-demand capacity reservation.
    Reserved,
    /// Capacity block: paid in advance.
    CapacityBlock,
    /// Serverless: billed by the pod.
    Fargate,
    /// No label says.
    #[default]
    Unknown,
}

impl CapacityType {
    /// The word of the field.
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

    /// The purchase option labels tell.
    pub fn of(labels: &Labels) -> Self {
        match labels.first(key::CAPACITY_TYPE).map(str::to_ascii_lowercase).as_deref() {
            Some("spot") => Self::Spot,
            Some("on-demand") => Self::OnDemand,
            _ => Self::Unknown,
        }
    }
}
