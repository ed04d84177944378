//! The fee of EKS Auto Mode as a share of the on-demand price, for types whose published fee is not known.
//!
//! AWS lists one price per region and instance type (service `AmazonEKS`, operation `EKSAutoUsage`). Each is a fixed
//! share of the type's on-demand price in the same region, rounded to five decimals, due on every purchase option:
//!
//! | families | share | source |
//! |---|---|---|
//! | G series (`g4dn`, `g5`, `gr6` …) | 7.8 % | AWS's notice of 2026-07-01 (`whats-new/2026/07/amazon-eks-auto-mode-gpu-price`): 35 % below 12 %; equal to the listed fees of `g5` and `g6` |
//! | P series and Trainium | 4.8 % | the same notice: 60 % below 12 % |
//! | Inferentia and DL | 12 % | unverified: the notice does not name them, and no listed fee was compared |
//! | all others | 12 % | equal to every listed fee that was compared |

use super::embedded::table;
use super::quote::Figure;

/// The fee as a share of the on-demand price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FeeShare {
    /// Permille of the on-demand price.
    per_mille: i64,
    /// Whether AWS has published the share of such types; else fees are estimates.
    verified: bool,
}

impl FeeShare {
    /// The share for a type; `None` if Auto Mode does not run it: one vCPU, nano, micro, small.
    ///
    /// Without a size the name decides. That is enough for G, P and Trainium, none of whose types has one vCPU; another type
    /// may have one, and its share counts as unverified.
    fn from_type(instance_type: &str) -> Option<Self> {
        let (family, size_name) = instance_type.split_once('.')?;
        let size = table().size(instance_type);
        if matches!(size_name, "nano" | "micro" | "small") || size.is_some_and(|size| size.vcpu <= 1) {
            return None;
        }
        let (per_mille, verified) = match family.split_once(|c: char| c.is_ascii_digit()).map(|(series, _)| series) {
            Some("g" | "gr") => (78, true),
            Some("p" | "trn") => (48, true),
            Some("inf" | "dl") => (120, false),
            Some(_) | None => (120, size.is_some()),
        };
        Some(Self { per_mille, verified })
    }
}

/// The fee of a type on its on-demand price; `None` if Auto Mode does not run it.
pub fn on(on_demand: Figure, instance_type: &str) -> Option<Figure> {
    let FeeShare { per_mille, verified } = FeeShare::from_type(instance_type)?;
    let amount = on_demand.amount.times(per_mille, 1000).rounded(5);
    Some(Figure { amount, estimated: on_demand.estimated || !verified, ..on_demand })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use test_case::test_case;

    // Fees AWS has published; the last two follow from the published on-demand price by the rule.
    #[test_case("us-east-1", "m5.large" => "0.01152")]
    #[test_case("us-east-1", "t4g.medium" => "0.00403")]
    #[test_case("us-east-1", "m7g.large" => "0.00979")]
    #[test_case("us-east-1", "m7i.large" => "0.01210")]
    #[test_case("ap-southeast-5", "m7g.large" => "0.01040")]
    #[test_case("ap-southeast-5", "m7i.large" => "0.01285")]
    #[test_case("ap-northeast-1", "m7i.large" => "0.01562")]
    #[test_case("ap-northeast-2", "c6g.large" => "0.00924")]
    #[test_case("ap-northeast-2", "g5.xlarge" => "0.09649")]
    #[test_case("ap-northeast-1", "g6.xlarge" => "0.09104")]
    #[test_case("ap-northeast-2", "g6.xlarge" => "0.07719")]
    #[test_case("ap-northeast-2", "c5a.large" => "0.01032")]
    #[test_case("ap-northeast-2", "c5a.2xlarge" => "0.04128")]
    fn the_share_gives_the_published_fee(region: &str, instance_type: &str) -> String {
        let price = table().on_demand(region, instance_type).unwrap();
        let fee = on(price, instance_type).unwrap();
        assert_eq!(fee.estimated, price.estimated);
        fee.amount.decimal(5)
    }

    /// Over every type of the table: an exact share needs a name that decides, or a size that excludes one vCPU.
    #[test]
    fn a_share_is_exact_where_the_type_certainly_has_the_fee() {
        let rows = include_str!("../../assets/prices/ondemand.csv").lines().skip(1);
        let types: BTreeSet<&str> = rows.filter_map(|row| row.split(',').nth(1)).collect();
        let mut inexact = BTreeSet::new();
        for name in types {
            let size = table().size(name);
            let Some(share) = FeeShare::from_type(name) else { continue };
            let (family, _) = name.split_once('.').unwrap();
            let letters = family.split(|c: char| c.is_ascii_digit()).next().unwrap();
            match letters {
                "g" | "gr" => assert_eq!((share.per_mille, share.verified), (78, true), "{name}"),
                "p" | "trn" => assert_eq!((share.per_mille, share.verified), (48, true), "{name}"),
                "inf" | "dl" => assert_eq!((share.per_mille, share.verified), (120, false), "{name}"),
                _ => assert_eq!((share.per_mille, share.verified), (120, size.is_some()), "{name}"),
            }
            if matches!(letters, "g" | "gr" | "p" | "trn") {
                assert!(size.is_none_or(|size| size.vcpu > 1), "{name} has one vCPU and no fee");
            }
            if !share.verified {
                inexact.insert(letters);
            }
        }
        let of_unknown_size = ["c", "cc", "cr", "f", "hs", "i", "u-"];
        assert_eq!(inexact, of_unknown_size.into_iter().chain(["dl", "inf"]).collect::<BTreeSet<_>>());
    }

    #[test_case("c5a.large" => Some((120, true)))]
    #[test_case("g5.xlarge" => Some((78, true)))]
    #[test_case("g4dn.xlarge" => Some((78, true)))]
    #[test_case("gr6.4xlarge" => Some((78, true)))]
    #[test_case("p5.48xlarge" => Some((48, true)))]
    #[test_case("p6-b200.48xlarge" => Some((48, true)))]
    #[test_case("trn1.2xlarge" => Some((48, true)))]
    #[test_case("inf2.xlarge" => Some((120, false)))]
    #[test_case("dl1.24xlarge" => Some((120, false)))]
    #[test_case("t3.micro" => None ; "too small by name")]
    #[test_case("c6g.medium" => None ; "one vCPU")]
    #[test_case("t4g.medium" => Some((120, true)) ; "two vCPU")]
    #[test_case("m9x.large" => Some((120, false)) ; "of unknown size")]
    #[test_case("g4ad.xlarge" => Some((78, true)) ; "a G type whose size is not known here")]
    #[test_case("p3.2xlarge" => Some((48, true)) ; "a P type whose size is not known here")]
    #[test_case("large" => None)]
    fn the_share_of_a_family(instance_type: &str) -> Option<(i64, bool)> {
        FeeShare::from_type(instance_type).map(|share| (share.per_mille, share.verified))
    }
}
