//! The prices embedded in the program: the on-demand table, and what EKS itself charges.

use super::answers::Item;
use super::offer::{Os, Tenancy};
use super::origin::{AsOf, Origin, PriceSource};
use super::place::Partition;
use super::quote::Figure;
pub use super::table::table;
use crate::units::{Currency, Money};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A vCPU-hour of a hybrid node in the first tier in all commercial regions, by AWS's price list of AmazonEKS, 2026-09.
const HYBRID_VCPU: Money = Money::from_nanos(20_000_000);
/// The same list: a cluster, and the surcharges for extended support and for provisioned tiers.
const CLUSTER: Money = Money::from_nanos(100_000_000);
const EXTENDED_SUPPORT: Money = Money::from_nanos(500_000_000);
const TIERS: [(&str, Money); 4] = [
    ("XL", Money::from_nanos(1_650_000_000)),
    ("2XL", Money::from_nanos(3_400_000_000)),
    ("4XL", Money::from_nanos(6_900_000_000)),
    ("8XL", Money::from_nanos(13_900_000_000)),
];
/// The month of that list.
const EKS_LIST: &str = "2026-09";
/// The regions in which the prices of control planes were read; in others, they are estimates.
const READ_IN: [&str; 2] = ["us-east-1", "ap-southeast-5"];

/// The embedded figure of an item in a price region.
pub fn figure(region: &str, item: &Item) -> Option<Figure> {
    match item {
        Item::OnDemand(Os::Linux, Tenancy::Shared, instance_type) => table().on_demand(region, instance_type),
        Item::FargateVcpu => fargate(region).map(|[vcpu, _]| vcpu),
        Item::FargateGb => fargate(region).map(|[_, gb]| gb),
        Item::HybridVcpu => {
            let is_commercial = Partition::from_region(region) == Partition::Commercial;
            is_commercial.then(|| Figure::embedded(HYBRID_VCPU, false, EKS_LIST))
        }
        Item::Cluster => control_plane(region, CLUSTER),
        Item::ExtendedSupport => control_plane(region, EXTENDED_SUPPORT),
        Item::Tier(tier) => {
            let (_, amount) = TIERS.iter().find(|(name, _)| name == tier)?;
            control_plane(region, *amount)
        }
        Item::OnDemand(..)
        | Item::Spot(..)
        | Item::SpotShare(..)
        | Item::AutoFee(_)
        | Item::Volume(_)
        | Item::VolumeIops(_)
        | Item::VolumeMibps(_) => None,
    }
}

/// An embedded price of control planes; they are all in dollars.
fn control_plane(region: &str, amount: Money) -> Option<Figure> {
    let is_in_dollars = Partition::from_region(region).currency() == Currency::Usd;
    is_in_dollars.then(|| Figure::embedded(amount, !READ_IN.contains(&region), EKS_LIST))
}

const FARGATE: &str = include_str!("../../assets/prices/fargate.csv");

/// The embedded prices of Fargate in a region: a vCPU-hour and a GB-hour.
fn fargate(region: &str) -> Option<[Figure; 2]> {
    static PRICES: OnceLock<BTreeMap<&'static str, [Figure; 2]>> = OnceLock::new();
    PRICES.get_or_init(|| FARGATE.lines().skip(1).filter_map(fargate_row).collect()).get(region).copied()
}

/// A line of the file: region, the two prices, and their source with its month. Unverified ones are undated estimates.
fn fargate_row(line: &'static str) -> Option<(&'static str, [Figure; 2])> {
    let [region, vcpu, gb, source, month] = line.split(',').collect::<Vec<_>>().try_into().ok()?;
    let figure = |amount: &str| {
        let amount = amount.parse().ok()?;
        match (source, month) {
            ("unverified", "") => {
                Some(Figure { amount, estimated: true, origin: Origin::undated(PriceSource::EmbeddedEstimate) })
            }
            ("eks-list-2026-09" | "published", "") => None,
            ("eks-list-2026-09" | "published", month) => Some(Figure::embedded(amount, false, month)),
            (_, _) => None,
        }
    };
    Some((region, [figure(vcpu)?, figure(gb)?]))
}

impl Figure {
    /// A figure published in a month, or an estimate from figures of that month.
    pub(super) const fn embedded(amount: Money, estimated: bool, month: &'static str) -> Self {
        let source = if estimated { PriceSource::EmbeddedEstimate } else { PriceSource::Embedded };
        Self { amount, estimated, origin: Origin { source, as_of: AsOf::Month(month) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn every_line_of_fargates_file_is_read() {
        let mut lines = FARGATE.lines();
        assert_eq!(lines.next(), Some("region,usd_per_vcpu_hour,usd_per_gb_hour,source,published"));
        let mut before = "";
        let mut count = 0;
        for line in lines {
            let (region, prices) = fargate_row(line).unwrap_or_else(|| panic!("{line}"));
            assert!(before < region, "{line} comes after {before}");
            assert_eq!(line.split(',').count(), 5);
            assert!(prices[0].amount > prices[1].amount && prices[1].amount > Money::ZERO);
            assert_eq!(fargate(region), Some(prices));
            (before, count) = (region, count + 1);
        }
        assert_eq!(count, 17);
        assert_eq!(fargate("cn-north-1"), None);
    }
}
