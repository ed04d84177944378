//! The hourly price of an EKS control plane: a line of its own, once per cluster.
//!
//! It adds up the cluster, extended support of an old Kubernetes version, and a tier of provisioned capacity. The last two are
//! not in Kubernetes: `eks:DescribeCluster` reports them. Whether a version is in extended support depends on the date, and
//! the program contains no such dates.

use super::PriceBook;
use super::answers::Item;
use super::place::Partition;
use super::quote::Figure;
use crate::model::Name;
use crate::units::{Currency, Money};

/// What AWS reports of a cluster's control plane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterSupport {
    /// Kubernetes version, `1.36`; empty if it is not reported.
    pub version: Name,
    /// `standard`, `tier-xl` …; `None` if it is not reported, which means `standard`.
    pub tier: Option<Name>,
    /// What happens at the end of standard support.
    pub support: Option<SupportType>,
    /// The support that the version is in now.
    pub phase: Option<SupportPhase>,
}

/// `upgradePolicy.supportType`: what happens to a cluster at the end of its version's standard support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupportType {
    /// It is upgraded, and never pays for extended support.
    Standard,
    /// It stays, and pays for extended support from then on.
    Extended,
}

/// `clusterVersions[].versionStatus`: which support a version is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupportPhase {
    /// Standard support.
    Standard,
    /// Extended support.
    Extended,
}

/// The hourly price of a cluster's control plane. An unknown part is `None`, never zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlPlane {
    /// The currency that the partition is billed in.
    pub currency: Currency,
    /// The price of a cluster in standard support.
    pub cluster: Option<Figure>,
    /// Whether it is in extended support; `None` if that is unknown.
    pub extended: Option<bool>,
    /// The surcharge for extended support, whether it applies or not.
    pub extended_support: Option<Figure>,
    /// The provisioned tier, by AWS's name, and its surcharge; `None` for the standard tier, and if AWS has not reported it.
    pub tier: Option<(Name, Option<Figure>)>,
    /// Whether AWS has reported tier and support.
    pub reported: bool,
}

impl PriceBook {
    /// The price of a cluster's control plane; `support` is AWS's report of it.
    pub fn control_plane(&self, region: &str, support: Option<&ClusterSupport>) -> ControlPlane {
        let tier = support.and_then(|support| support.tier.as_ref()).filter(|tier| *tier != "standard").map(|tier| {
            // `tier-xl` of the cluster is `XL` in the price list.
            let listed = tier.strip_prefix("tier-").unwrap_or(tier).to_ascii_uppercase();
            (tier.clone(), self.figure(region, &Item::Tier(listed.into())))
        });
        ControlPlane {
            currency: Partition::from_region(region).currency(),
            cluster: self.figure(region, &Item::Cluster),
            extended: support.and_then(|support| match (support.support, support.phase) {
                (Some(SupportType::Standard), _) | (_, Some(SupportPhase::Standard)) => Some(false),
                (_, Some(SupportPhase::Extended)) => Some(true),
                (Some(SupportType::Extended) | None, None) => None,
            }),
            extended_support: self.figure(region, &Item::ExtendedSupport),
            tier,
            reported: support.is_some(),
        }
    }
}

impl ControlPlane {
    /// The parts that are due.
    fn parts(&self) -> impl Iterator<Item = Option<Figure>> {
        let extended = (self.extended == Some(true)).then_some(self.extended_support);
        [self.cluster].into_iter().chain(extended).chain(self.tier.as_ref().map(|(_, price)| *price))
    }

    /// The known part of the price; a surcharge that may not be due is not in it. `None` if nothing is known.
    pub fn hourly(&self) -> Option<Money> {
        self.cluster.map(|_| self.parts().flatten().map(|part| part.amount).sum())
    }

    /// Whether a part that is due has no price: [`Self::hourly`] is a lower bound.
    pub fn is_lower_bound(&self) -> bool {
        self.parts().any(|part| part.is_none())
    }

    /// Whether a part is an estimate.
    pub fn is_estimated(&self) -> bool {
        self.parts().flatten().any(|part| part.estimated)
    }

    /// The price in case the version is in extended support; `None` if that is known, or has no price.
    pub fn if_extended(&self) -> Option<Money> {
        let surcharge = self.extended_support.filter(|_| self.extended.is_none())?;
        Some(self.hourly()? + surcharge.amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{EksPrices, PriceSheet, PriceSource, Prices};
    use test_case::test_case;

    fn support(tier: &str, support: SupportType, phase: Option<SupportPhase>) -> ClusterSupport {
        ClusterSupport { version: "1.33".into(), tier: Some(tier.into()), support: Some(support), phase }
    }

    fn text(plane: &ControlPlane) -> String {
        let Some(hourly) = plane.hourly() else { return "—".to_owned() };
        let least = if plane.is_lower_bound() { "≥" } else { "" };
        let estimate = if plane.is_estimated() { "~" } else { "" };
        let extended = plane.if_extended().map(|extended| format!(" ({extended} in extended support)"));
        format!("{least}{estimate}{hourly}{}", extended.unwrap_or_default())
    }

    fn label(region: &str, support: Option<&ClusterSupport>) -> String {
        text(&PriceBook::embedded().control_plane(region, support))
    }

    use SupportPhase as Phase;
    use SupportType::{Extended as Stays, Standard as Upgraded};

    #[test_case("us-east-1", None => "0.10 (0.60 in extended support)" ; "nothing is reported")]
    #[test_case("ap-southeast-5", None => "0.10 (0.60 in extended support)" ; "another region whose list was read")]
    #[test_case("eu-west-1", None => "~0.10 (0.60 in extended support)" ; "a region whose list was not read")]
    #[test_case("us-east-1", Some(&support("standard", Upgraded, None)) => "0.10" ; "upgraded in time")]
    #[test_case("us-east-1", Some(&support("standard", Stays, None)) => "0.10 (0.60 in extended support)" ;
        "which support depends on the date")]
    #[test_case("us-east-1", Some(&support("standard", Stays, Some(Phase::Standard))) => "0.10" ; "not yet")]
    #[test_case("us-east-1", Some(&support("standard", Stays, Some(Phase::Extended))) => "0.60" ; "by now")]
    #[test_case("us-east-1", Some(&support("tier-xl", Upgraded, None)) => "1.75")]
    #[test_case("us-east-1", Some(&support("tier-2xl", Upgraded, None)) => "3.50")]
    #[test_case("us-east-1", Some(&support("tier-4xl", Upgraded, None)) => "7.00")]
    #[test_case("us-east-1", Some(&support("tier-8xl", Stays, Some(Phase::Extended))) => "14.50" ; "all three")]
    #[test_case("us-east-1", Some(&support("tier-16xl", Upgraded, None)) => "≥0.10" ; "a tier without a price")]
    #[test_case("us-gov-west-1", Some(&support("standard", Upgraded, None)) => "~0.10" ; "GovCloud")]
    #[test_case("cn-north-1", None => "—" ; "dollars are not yuan")]
    #[test_case("us-east-1", Some(&ClusterSupport::default()) => "0.10 (0.60 in extended support)" ; "an empty answer")]
    fn the_price_of_a_control_plane(region: &str, support: Option<&ClusterSupport>) -> String {
        label(region, support)
    }

    #[test]
    fn the_price_list_comes_before_embedded_figures() {
        let mut book = PriceBook::embedded();
        let money = |text: &str| text.parse().unwrap();
        let eks = EksPrices {
            cluster: Some(money("0.12")),
            extended_support: Some(money("0.48")),
            tiers: vec![("16XL".into(), money("27.80"))],
            ..EksPrices::default()
        };
        assert!(book.learn(&PriceSheet {
            source: PriceSource::EksList,
            region: "eu-west-1".into(),
            currency: Currency::Usd,
            fetched: "2026-11-24T08:00:00Z".parse().unwrap(),
            cached: false,
            prices: Prices::Eks(eks),
        }));
        assert_eq!(text(&book.control_plane("eu-west-1", None)), "0.12 (0.60 in extended support)");
        let wide = support("tier-16xl", Stays, Some(Phase::Extended));
        assert_eq!(text(&book.control_plane("eu-west-1", Some(&wide))), "28.40");
        let source = book.control_plane("eu-west-1", None).cluster.unwrap().origin.source;
        assert_eq!(source, PriceSource::EksList);
        assert_eq!(text(&book.control_plane("eu-central-1", None)), "~0.10 (0.60 in extended support)");
    }
}
