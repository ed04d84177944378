//! What one source answered: the unit in which prices arrive.
//!
//! A sheet is whatever could be read of one answer about one region; it may hold a single price. The book merges sheets
//! figure by figure, so an answer that lacks something never takes away what another one gave.

use super::offer::{Os, Tenancy};
use super::origin::{AsOf, Origin, PriceSource};
use crate::model::{Name, Timestamp};
use crate::units::{Currency, Money};
use serde::{Deserialize, Serialize};

/// One answer of one source about one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceSheet {
    /// Who answered.
    pub source: PriceSource,
    /// The price region: `ap-northeast-2`, or the group of a zone with prices of its own, `us-west-2-lax-1`.
    pub region: Name,
    /// What the figures are in.
    pub currency: Currency,
    /// When the source last confirmed them.
    pub fetched: Timestamp,
    /// Whether they come from the disk, asked for by an earlier run.
    #[serde(skip)]
    pub cached: bool,
    /// The figures.
    pub prices: Prices,
}

impl PriceSheet {
    /// Source and date, as each of its figures carries them.
    pub const fn origin(&self) -> Origin {
        Origin { source: self.source, as_of: AsOf::Fetched { at: self.fetched, cached: self.cached } }
    }
}

/// The figures of a sheet, all by the hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prices {
    /// On-demand prices of one operating system and tenancy.
    OnDemand {
        /// Operating system.
        os: Os,
        /// Tenancy.
        tenancy: Tenancy,
        /// By instance type.
        prices: Vec<OnDemandPrice>,
    },
    /// What EKS itself charges in the region.
    Eks(EksPrices),
    /// Spot prices.
    Spot(Vec<SpotPrice>),
    /// What spot saves against on-demand.
    SpotSavings(Vec<SpotSaving>),
    /// EBS volume types.
    Volumes(Vec<VolumePrice>),
}

/// The on-demand price of one instance type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnDemandPrice {
    /// `c5a.large`.
    pub instance_type: Name,
    /// An hour.
    pub amount: Money,
    /// The figure stands in for another (Dedicated for a metal type without a Shared price): shown with `~`.
    pub estimated: bool,
}

/// What the AmazonEKS price list says of a region; each part may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EksPrices {
    /// Auto Mode fee an hour by instance type.
    pub auto_fees: Vec<(Name, Money)>,
    /// Fargate, a vCPU-hour.
    pub fargate_vcpu: Option<Money>,
    /// Fargate, a GB-hour (GiB, as Fargate counts).
    pub fargate_gb: Option<Money>,
    /// Hybrid nodes, a vCPU-hour of the first tier.
    pub hybrid_vcpu: Option<Money>,
    /// The control plane of one cluster under standard support.
    pub cluster: Option<Money>,
    /// On top of that under extended support.
    pub extended_support: Option<Money>,
    /// On top of that for a provisioned control plane, by tier as the list names it (`XL`).
    pub tiers: Vec<(Name, Money)>,
}

/// A spot price of one instance type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotPrice {
    /// `c5a.large`.
    pub instance_type: Name,
    /// The zone it holds in; none for the whole region.
    pub zone: Option<Name>,
    /// Operating system.
    pub os: Os,
    /// An hour.
    pub amount: Money,
}

/// What spot saves against on-demand for one instance type, and how often it is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotSaving {
    /// `c5a.large`.
    pub instance_type: Name,
    /// Operating system.
    pub os: Os,
    /// Per cent of the on-demand price, 0 to 100.
    pub percent: u8,
    /// Frequency of interruption, AWS's band: 0 (<5 %), 1 (5–10 %), 2 (10–15 %), 3 (15–20 %), 4 (>20 %).
    pub interruption_band: u8,
}

/// The price of an EBS volume type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumePrice {
    /// `gp3`.
    pub volume_type: Name,
    /// A GiB for a month of 730 hours.
    pub gib_month: Money,
    /// A provisioned I/O operation a second, for as long; none where it was not told.
    pub iops_month: Option<Money>,
    /// A provisioned MiB a second, for as long; none where it was not told.
    pub mibps_month: Option<Money>,
}
