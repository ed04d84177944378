//! The AmazonEKS price list of a region: what EKS charges on top of instances, and for Fargate. Some ten megabytes, nearly
//! all of it Auto Mode fees by instance type.

use super::price_list::{Attributes, Dimension, PriceList, lowest};
use super::{AskError, from_json, name};
use crate::model::Name;
use crate::pricing::EksPrices;
use crate::units::Currency;

/// The currency of the list and what EKS charges in its region.
///
/// # Errors
///
/// If the bytes are not a complete price list.
pub fn read(body: &[u8]) -> Result<(Currency, EksPrices), AskError> {
    let list: PriceList = from_json("the AmazonEKS price list", body)?;
    let charges = list.select(Charge::from_attributes).into_iter();
    let charges = charges.filter(|(charge, price)| charge.is_per(price)).map(|(charge, price)| (charge, price.price));
    let (currency, lowest) = lowest(charges.collect());
    let mut prices = EksPrices::default();
    for (charge, amount) in lowest {
        match charge {
            Charge::AutoFee(instance_type) => prices.auto_fees.push((instance_type, amount)),
            Charge::FargateVcpu => prices.fargate_vcpu = Some(amount),
            Charge::FargateGb => prices.fargate_gb = Some(amount),
            Charge::Hybrid => prices.hybrid_vcpu = Some(amount),
            Charge::Cluster => prices.cluster = Some(amount),
            Charge::ExtendedSupport => prices.extended_support = Some(amount),
            Charge::Tier(tier) => prices.tiers.push((tier, amount)),
        }
    }
    Ok((currency, prices))
}

/// What a product charges for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Charge {
    AutoFee(Name),
    FargateVcpu,
    FargateGb,
    Hybrid,
    Cluster,
    ExtendedSupport,
    Tier(Name),
}

impl Charge {
    /// Usage types are compared as a whole: those of Fargate's storage, Arm, Windows and spot begin or end alike.
    fn from_attributes(attributes: &Attributes) -> Option<Self> {
        let usage = attributes.usage();
        if usage.contains("Outposts") {
            return None;
        }
        match (&*attributes.operation, usage) {
            ("EKSAutoUsage", _) => name(&attributes.eks_instance_type).map(Self::AutoFee),
            ("HybridNodesUsage", _) => Some(Self::Hybrid),
            ("ExtendedSupport", _) => Some(Self::ExtendedSupport),
            // `HAProvisionedXL` is the tier that EKS's own API calls `tier-xl`.
            ("ProvisionedControlPlaneUsage", _) => {
                let tier = &attributes.tier_type;
                name(tier.strip_prefix("HAProvisioned").unwrap_or(tier)).map(Self::Tier)
            }
            (_, "Fargate-vCPU-Hours:perCPU") => Some(Self::FargateVcpu),
            (_, "Fargate-GB-Hours") => Some(Self::FargateGb),
            (_, "AmazonEKS-Hours:perCluster") => Some(Self::Cluster),
            _ => None,
        }
    }

    /// Whether a price is per the unit of this charge, as far as AWS documents the unit.
    fn is_per(&self, dimension: &Dimension) -> bool {
        match self {
            Self::AutoFee(_) | Self::FargateVcpu | Self::FargateGb => dimension.is_hourly(),
            Self::Hybrid | Self::Cluster | Self::ExtendedSupport | Self::Tier(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::prices::read::tests::{EKS_SEOUL, EKS_VIRGINIA};
    use crate::units::Money;
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    fn m(text: &str) -> Money {
        text.parse().unwrap()
    }

    fn fees(fees: &[(&str, &str)]) -> Vec<(Name, Money)> {
        fees.iter().map(|(name, fee)| ((*name).into(), m(fee))).collect()
    }

    fn seoul() -> EksPrices {
        EksPrices {
            auto_fees: fees(&[
                ("c5a.2xlarge", "0.04128"),
                ("c5a.large", "0.01032"),
                ("c6g.large", "0.00924"),
                ("g5.xlarge", "0.09649"),
                ("g6.xlarge", "0.07719"),
            ]),
            fargate_vcpu: Some(m("0.04656")),
            fargate_gb: Some(m("0.00511")),
            hybrid_vcpu: Some(m("0.020")),
            cluster: Some(m("0.10")),
            extended_support: Some(m("0.50")),
            tiers: fees(&[("XL", "1.65")]),
        }
    }

    #[test]
    fn the_eks_list_gives_fees_fargate_and_control_plane() {
        assert_eq!(read(EKS_SEOUL), Ok((Currency::Usd, seoul())));
    }

    #[test]
    fn usage_types_of_us_east_1_have_no_prefix() {
        let expected = EksPrices {
            auto_fees: fees(&[("m5.large", "0.01152"), ("m7g.large", "0.00979"), ("t4g.medium", "0.00403")]),
            fargate_vcpu: Some(m("0.04048")),
            fargate_gb: Some(m("0.004445")),
            cluster: Some(m("0.10")),
            ..EksPrices::default()
        };
        assert_eq!(read(EKS_VIRGINIA), Ok((Currency::Usd, expected)));
    }

    /// Products and the on-demand price of each.
    fn list(products: &[(&str, &str, Value)]) -> Vec<u8> {
        let (mut all, mut terms) = (json!({}), json!({}));
        for (at, (usagetype, operation, dimension)) in products.iter().enumerate() {
            let sku = format!("EX{at}");
            all[&sku] = json!({"sku": sku, "attributes": {
                "usagetype": usagetype, "operation": operation, "instancetype": "m9x.large", "tiertype": "HAProvisioned4XL"}});
            terms[&sku] = json!({format!("{sku}.T"): {"priceDimensions": {"r": dimension}}});
        }
        json!({"products": all, "terms": {"OnDemand": terms}}).to_string().into_bytes()
    }

    fn hourly(amount: &str) -> Value {
        json!({"unit": "Hrs", "beginRange": "0", "pricePerUnit": {"USD": amount}})
    }

    fn eks(products: &[(&str, &str, Value)]) -> EksPrices {
        read(&list(products)).unwrap().1
    }

    #[test]
    fn fargate_memory_is_not_storage() {
        let others = [
            "APN2-Fargate-EphemeralStorage-GB-Hours",
            "APN2-Fargate-ARM-GB-Hours",
            "APN2-Fargate-Windows-GB-Hours",
            "APN2-SpotUsage-Fargate-GB-Hours",
            "APN2-Fargate-ARM-vCPU-Hours:perCPU",
            "APN2-Fargate-Windows-vCPU-Hours:perCPU",
            "APN2-SpotUsage-Fargate-vCPU-Hours:perCPU",
        ];
        let own =
            [("APN2-Fargate-GB-Hours", "", hourly("0.00511")), ("Fargate-vCPU-Hours:perCPU", "", hourly("0.04656"))];
        let others: Vec<_> = others.iter().map(|usage| (*usage, "", hourly("0.0001"))).collect();
        for products in [[&own[..], &others].concat(), [&others[..], &own].concat()] {
            let prices = eks(&products);
            assert_eq!((prices.fargate_gb, prices.fargate_vcpu), (Some(m("0.00511")), Some(m("0.04656"))));
        }
        assert_eq!(eks(&others), EksPrices::default());
    }

    #[test]
    fn a_price_by_another_unit_is_not_an_hourly_one() {
        let by = |unit: &str| json!({"unit": unit, "pricePerUnit": {"USD": "5"}});
        for unit in ["Quantity", "GB-Hours", "seconds", ""] {
            let prices = eks(&[
                ("EKS-Auto:m9x.large-management-hours", "EKSAutoUsage", by(unit)),
                ("Fargate-GB-Hours", "", by(unit)),
            ]);
            assert_eq!(prices, EksPrices::default(), "{unit}");
        }
        assert_eq!(eks(&[("Fargate-GB-Hours", "", by("HOURS"))]).fargate_gb, Some(m("5")));
    }

    #[test]
    fn two_skus_of_one_thing_give_the_lower_price() {
        for amounts in [["0.2", "0.1"], ["0.1", "0.2"]] {
            let prices = eks(&amounts.map(|amount| ("EKS-Auto:x-management-hours", "EKSAutoUsage", hourly(amount))));
            assert_eq!(prices.auto_fees, fees(&[("m9x.large", "0.1")]));
        }
    }

    #[test]
    fn the_outposts_cluster_is_not_the_cluster() {
        let products = [
            ("AmazonEKS-Local-Outposts-Hours:perCluster", "CreateOperation", hourly("0.2")),
            ("AmazonEKS-Local-Outposts-Hours:extendedSupport", "ExtendedSupport", hourly("0.2")),
        ];
        assert_eq!(eks(&products), EksPrices::default());
        assert_eq!(eks(&[("x", "ProvisionedControlPlaneUsage", hourly("6.9"))]).tiers, fees(&[("4XL", "6.9")]));
    }

    #[test]
    fn the_china_list_is_in_yuan() {
        let dimension = json!({"unit": "Hrs", "pricePerUnit": {"CNY": "0.688"}});
        let (currency, prices) =
            read(&list(&[("CNN1-AmazonEKS-Hours:perCluster", "CreateOperation", dimension)])).unwrap();
        assert_eq!((currency, prices.cluster), (Currency::Cny, Some(m("0.688"))));
    }

    #[test]
    fn terms_may_come_before_products() {
        let value: Value = serde_json::from_slice(EKS_SEOUL).unwrap();
        let turned = format!(r#"{{"terms": {}, "products": {}}}"#, value["terms"], value["products"]);
        assert_eq!(read(turned.as_bytes()), Ok((Currency::Usd, seoul())));
    }

    #[test]
    fn an_invalid_product_or_term_affects_no_other() {
        let mut value: Value = serde_json::from_slice(EKS_SEOUL).unwrap();
        for (at, bad) in
            [json!(null), json!([]), json!("x"), json!({"attributes": 7}), json!({})].into_iter().enumerate()
        {
            let sku = format!("BAD{at}");
            value["products"][&sku] = bad.clone();
            value["terms"]["OnDemand"][&sku] = bad;
        }
        value["terms"]["OnDemand"]["EX00000000000001"]["another term"] = json!({"priceDimensions": [3]});
        value["terms"]["Reserved"] = json!(1);
        assert_eq!(read(value.to_string().as_bytes()), Ok((Currency::Usd, seoul())));
    }

    #[test]
    fn another_document_is_an_error() {
        let error = read(b"{\"message\": \"Forbidden\"}").unwrap_err();
        let expected =
            "read the AmazonEKS price list: its form is unexpected (missing field `products` at line 1 column 24)";
        assert_eq!(error.to_string(), expected);
        for broken in [b"<?xml?>", &EKS_SEOUL[..9_000]] {
            assert!(
                read(broken).unwrap_err().reason().starts_with("the answer cannot be read: it is not complete JSON (")
            );
        }
    }
}
