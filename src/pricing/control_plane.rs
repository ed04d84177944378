//! What EKS charges for the cluster itself: a line of its own, once per cluster.
//!
//! Three things add up: the cluster, extended support of an old Kubernetes version, and a tier of provisioned control
//! plane capacity. The last two are not in Kubernetes; `eks:DescribeCluster` tells them. Whether a version is in extended
//! support depends on a date, and no date is in the program.

use super::PriceBook;
use super::learned::Figure;
use super::origin::{AsOf, Origin, PriceSource};
use super::place::Partition;
use super::quote::Component;
use crate::model::Name;
use crate::units::{Currency, Money};

/// What AWS says of a cluster's control plane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterSupport {
    /// Kubernetes version, `1.36`; empty where it is not told.
    pub version: Name,
    /// `standard`, `tier-xl` … ; none where it is not told, which is the standard one.
    pub tier: Option<Name>,
    /// What happens at the end of standard support; none where it is not told.
    pub support: Option<SupportType>,
    /// Which support the version is in; none where it was not asked for.
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

/// Whether extended support is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extended {
    /// It is not.
    No,
    /// It is.
    Yes,
    /// It is if the version is in extended support, which nobody has told.
    Perhaps,
}

/// The control plane of one cluster, by the hour. None of the parts is zero where it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlPlane {
    /// What the partition is billed in.
    pub currency: Currency,
    /// The cluster; none where no source has told it.
    pub base: Option<Component>,
    /// Whether extended support is paid for.
    pub extended: Extended,
    /// What extended support adds; none where no source has told it.
    pub extended_price: Option<Component>,
    /// The provisioned tier, as AWS names it, and what it adds. None: the standard tier, or not told.
    pub tier: Option<(Name, Option<Component>)>,
    /// Whether AWS has told tier and support.
    pub told: bool,
}

/// AWS price list of AmazonEKS, 2026-09: an hour of a cluster, and what extended support adds.
const CLUSTER: (Money, Money) = (Money::from_nanos(100_000_000), Money::from_nanos(500_000_000));
/// What provisioned tiers add, from the same list, by their names there.
const TIERS: [(&str, Money); 4] = [
    ("XL", Money::from_nanos(1_650_000_000)),
    ("2XL", Money::from_nanos(3_400_000_000)),
    ("4XL", Money::from_nanos(6_900_000_000)),
    ("8XL", Money::from_nanos(13_900_000_000)),
];
/// The regions whose list they were read from; elsewhere they are estimates.
const READ_IN: [&str; 2] = ["us-east-1", "ap-southeast-5"];
const PUBLISHED: AsOf = AsOf::Month("2026-09");

/// A learned figure, else the one in the program.
fn component(region: &str, learned: Option<Figure>, embedded: Option<Money>) -> Option<Component> {
    if let Some(Figure { amount, origin }) = learned {
        return Some(Component::known(amount, origin));
    }
    // The figures in the program are dollars.
    let amount = embedded.filter(|_| Partition::of(region).currency() == Currency::Usd)?;
    let estimated = !READ_IN.contains(&region);
    let source = if estimated { PriceSource::EmbeddedEstimate } else { PriceSource::Embedded };
    Some(Component { estimated, ..Component::known(amount, Origin { source, as_of: PUBLISHED }) })
}

impl PriceBook {
    /// The price of a cluster's control plane; `support` is what AWS has told of it.
    pub fn control_plane(&self, region: &str, support: Option<&ClusterSupport>) -> ControlPlane {
        let learned = self.learned();
        let extended = match support.map(|support| (support.support, support.phase)) {
            Some((Some(SupportType::Standard), _) | (_, Some(SupportPhase::Standard))) => Extended::No,
            Some((_, Some(SupportPhase::Extended))) => Extended::Yes,
            Some((Some(SupportType::Extended) | None, None)) | None => Extended::Perhaps,
        };
        let tier = support.and_then(|support| support.tier.as_ref()).filter(|tier| *tier != "standard");
        let tier = tier.map(|tier| {
            // `tier-xl` of the cluster is `XL` in the price list.
            let listed = tier.strip_prefix("tier-").unwrap_or(tier).to_ascii_uppercase();
            let embedded = TIERS.iter().find(|(name, _)| *name == listed).map(|(_, amount)| *amount);
            (tier.clone(), component(region, learned.tier(region, &listed), embedded))
        });
        ControlPlane {
            currency: Partition::of(region).currency(),
            base: component(region, learned.cluster(region), Some(CLUSTER.0)),
            extended,
            extended_price: component(region, learned.extended_support(region), Some(CLUSTER.1)),
            tier,
            told: support.is_some(),
        }
    }
}

impl ControlPlane {
    fn parts(&self) -> impl Iterator<Item = Option<Component>> {
        let extended = (self.extended == Extended::Yes).then_some(self.extended_price);
        let tier = self.tier.as_ref().map(|(_, price)| *price);
        std::iter::once(self.base).chain(extended).chain(tier)
    }

    /// What is known of it by the hour, without what is only perhaps due. None where nothing is known.
    pub fn hourly(&self) -> Option<Money> {
        self.base?;
        Some(self.parts().flatten().filter_map(|part| part.amount.known()).sum())
    }

    /// Whether some part that is due has no price: [`Self::hourly`] is a lower bound.
    pub fn is_lower_bound(&self) -> bool {
        self.parts().any(|part| part.is_none())
    }

    /// Whether some figure is an estimate.
    pub fn is_estimated(&self) -> bool {
        self.parts().flatten().any(|part| part.estimated)
    }

    /// What it is by the hour if the version is in extended support; none where that is known already, or has no price.
    pub fn if_extended(&self) -> Option<Money> {
        let extended = self.extended_price.filter(|_| self.extended == Extended::Perhaps)?.amount.known()?;
        Some(self.hourly()? + extended)
    }

    /// As people read it, without a currency sign: `0.10`, `~0.60`, `≥0.10` (a tier without a price),
    /// `0.10 (0.60 in extended support)`, `—`.
    pub fn label(&self) -> String {
        let Some(hourly) = self.hourly() else { return "—".to_owned() };
        let least = if self.is_lower_bound() { "≥" } else { "" };
        let estimate = if self.is_estimated() { "~" } else { "" };
        match self.if_extended() {
            Some(extended) => format!("{least}{estimate}{hourly} ({extended} in extended support)"),
            None => format!("{least}{estimate}{hourly}"),
        }
    }
}

/// The region of an EKS cluster, by the address of its API server: `https://….gr7.<region>.eks.amazonaws.com`, or
/// `https://….eks-cluster.<region>.api.aws` of an IPv6 cluster (EKS user guide, "Cluster API server endpoint"). None for
/// what is not EKS, and for an address that hides it.
pub fn region_of_endpoint(server: &str) -> Option<&str> {
    let host = server.split_once("://").map_or(server, |(_, rest)| rest);
    let host = host.split(['/', ':']).next()?;
    let plain = [".eks.amazonaws.com", ".eks.amazonaws.com.cn"].into_iter().find_map(|end| host.strip_suffix(end));
    let dual = [".api.aws", ".api.amazonwebservices.com.cn"].into_iter().find_map(|end| {
        let rest = host.strip_suffix(end)?;
        rest.rsplit_once('.').filter(|(before, _)| before.ends_with("eks-cluster")).map(|_| rest)
    });
    plain.or(dual)?.rsplit('.').next().filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{EksPrices, PriceSheet, Prices};
    use test_case::test_case;

    fn support(tier: &str, support: SupportType, phase: Option<SupportPhase>) -> ClusterSupport {
        ClusterSupport { version: "1.33".into(), tier: Some(tier.into()), support: Some(support), phase }
    }

    fn label(region: &str, support: Option<&ClusterSupport>) -> String {
        PriceBook::embedded().control_plane(region, support).label()
    }

    use SupportPhase as Phase;
    use SupportType::{Extended as Stays, Standard as Upgraded};

    #[test_case("us-east-1", None => "0.10 (0.60 in extended support)" ; "nobody told anything")]
    #[test_case("ap-southeast-5", None => "0.10 (0.60 in extended support)" ; "another region that was read")]
    #[test_case("eu-west-1", None => "~0.10 (0.60 in extended support)" ; "a region that was not")]
    #[test_case("us-east-1", Some(&support("standard", Upgraded, None)) => "0.10" ; "upgraded in time")]
    #[test_case("us-east-1", Some(&support("standard", Stays, None)) => "0.10 (0.60 in extended support)" ;
        "which support is a matter of dates")]
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
    fn the_control_plane_reads(region: &str, support: Option<&ClusterSupport>) -> String {
        label(region, support)
    }

    #[test]
    fn the_price_list_comes_before_the_program() {
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
        assert_eq!(book.control_plane("eu-west-1", None).label(), "0.12 (0.60 in extended support)");
        let wide = support("tier-16xl", Stays, Some(Phase::Extended));
        assert_eq!(book.control_plane("eu-west-1", Some(&wide)).label(), "28.40");
        let source = book.control_plane("eu-west-1", None).base.unwrap().origin.source;
        assert_eq!(source, PriceSource::EksList);
        assert_eq!(book.control_plane("eu-central-1", None).label(), "~0.10 (0.60 in extended support)");
    }

    #[test_case("https://9C2A.gr7.ap-northeast-2.eks.amazonaws.com" => Some("ap-northeast-2"))]
    #[test_case("https://9C2A.sk1.us-gov-west-1.eks.amazonaws.com:443/" => Some("us-gov-west-1") ; "with a port")]
    #[test_case("https://9C2A.gr7.cn-north-1.eks.amazonaws.com.cn" => Some("cn-north-1") ; "china")]
    #[test_case("https://9C2A.eks-cluster.eu-west-1.api.aws" => Some("eu-west-1") ; "ipv6")]
    #[test_case("https://9C2A.other.eu-west-1.api.aws" => None ; "another service")]
    #[test_case("https://127.0.0.1:6443" => None ; "not EKS")]
    #[test_case("https://eks.amazonaws.com.example.org" => None ; "not at the end")]
    #[test_case("" => None)]
    fn an_endpoint_tells_its_region(server: &str) -> Option<&str> {
        region_of_endpoint(server)
    }
}
