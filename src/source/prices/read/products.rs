//! The answer of `pricing:GetProducts`: a list of texts, each the JSON of one product with its terms.

use super::name;
use super::price_list::{Attributes, Dimension, OnDemand, Product, lowest};
use crate::pricing::{OnDemandPrice, Os, Tenancy, VolumePrice};
use crate::source::json::IfValid;
use crate::units::Currency;
use serde::Deserialize;

/// On-demand prices of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Products {
    /// The currency of the prices.
    pub currency: Currency,
    /// One for each instance type.
    pub prices: Vec<OnDemandPrice>,
    /// Number of items that are not readable.
    pub odd: usize,
}

/// The price of each instance type, from the items of the `PriceList` of all pages: the lowest, an exact one before an
/// estimate.
///
/// The Dedicated price of bare metal is an estimate of its Shared price; an answer with both has the exact price.
pub fn on_demand(price_list: &[String], os: Os, tenancy: Tenancy) -> Products {
    let mut odd = 0;
    let mut found = Vec::new();
    for item in price_list {
        let item =
            read(item).and_then(|(attributes, prices)| Some((name(&attributes.instance_type)?, attributes, prices)));
        let Some((instance_type, attributes, prices)) = item else {
            odd += 1;
            continue;
        };
        let Some(estimated) = attributes.is_estimate(os, tenancy) else { continue };
        let hourly = prices.into_iter().filter(Dimension::is_hourly);
        found.extend(hourly.map(|dimension| ((instance_type.clone(), estimated), dimension.price)));
    }
    let (currency, lowest) = lowest(found);
    let price = |((instance_type, estimated), amount)| OnDemandPrice { instance_type, amount, estimated };
    let mut prices: Vec<OnDemandPrice> = lowest.into_iter().map(price).collect();
    // An exact price comes before an estimate.
    prices.dedup_by(|second, first| second.instance_type == first.instance_type);
    Products { currency, prices, odd }
}

/// The currency of an answer, its prices of EBS volume types, and the number of items that are not readable.
///
/// A volume's space (`EBS:VolumeUsage.gp3`), provisioned I/O operations (`EBS:VolumeP-IOPS.gp3`) and throughput
/// (`EBS:VolumeP-Throughput.gp3`) are separate products. A type without a price of its space is left out.
pub fn volumes(price_list: &[String]) -> (Currency, Vec<VolumePrice>, usize) {
    let items: Vec<_> = price_list.iter().filter_map(|item| read(item)).collect();
    let odd = price_list.len() - items.len();
    let mut found = Vec::new();
    for (attributes, prices) in items {
        let Some(volume_type) = name(&attributes.volume_api_name) else { continue };
        let (usage, suffix) = attributes.usage().split_once('.').unwrap_or((attributes.usage(), ""));
        // The operations of io2 above a number have separate prices (`EBS:VolumeP-IOPS.io2.tier2`).
        if suffix.contains('.') {
            continue;
        }
        for Dimension { unit, price, .. } in prices {
            let (part, units) = match (usage, unit.to_ascii_lowercase().as_str()) {
                ("EBS:VolumeUsage", "gb-mo") => (Part::Gib, 1),
                ("EBS:VolumeP-IOPS", "iops-mo") => (Part::Iops, 1),
                ("EBS:VolumeP-Throughput", "mibps-mo") => (Part::Mibps, 1),
                ("EBS:VolumeP-Throughput", "gibps-mo") => (Part::Mibps, 1024),
                _ => continue,
            };
            found.push(((volume_type.clone(), part), price.divided_by(units)));
        }
    }
    let (currency, lowest) = lowest(found);
    let mut prices: Vec<VolumePrice> = Vec::new();
    // The price of a type's space comes first.
    for ((volume_type, part), amount) in lowest {
        match (part, prices.last_mut().filter(|price| price.volume_type == volume_type)) {
            (Part::Gib, _) => {
                prices.push(VolumePrice { volume_type, gib_month: amount, iops_month: None, mibps_month: None });
            }
            (Part::Iops, Some(price)) => price.iops_month = Some(amount),
            (Part::Mibps, Some(price)) => price.mibps_month = Some(amount),
            (Part::Iops | Part::Mibps, None) => {}
        }
    }
    (currency, prices, odd)
}

/// What a price of a volume type is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// A GiB.
    Gib,
    /// An I/O operation per second.
    Iops,
    /// A MiB per second.
    Mibps,
}

/// Reads an item.
fn read(item: &str) -> Option<(Attributes, Vec<Dimension>)> {
    #[derive(Deserialize)]
    struct Item {
        product: Product,
        #[serde(default)]
        terms: IfValid<Terms>,
    }
    #[derive(Deserialize)]
    struct Terms {
        #[serde(rename = "OnDemand")]
        on_demand: OnDemand,
    }
    let Item { product, terms } = serde_json::from_str(item).ok()?;
    Some((product.attributes, terms.0.map_or_else(Vec::new, |terms| terms.on_demand.first_tier())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::prices::read::tests::{M5_LARGE, MINIMAL, PAGE_1, PAGE_2, amounts, price_list};
    use crate::units::Money;
    use serde_json::{Value, json};
    use test_case::test_case;

    #[test]
    fn one_product_gives_one_price() {
        let products = on_demand(&price_list(MINIMAL), Os::Linux, Tenancy::Shared);
        assert_eq!((amounts(&products.prices), products.odd), (vec!["m5.large 0.096".to_owned()], 0));
        // With its twelve reserved terms, as published.
        let whole = std::str::from_utf8(M5_LARGE).unwrap().to_owned();
        assert_eq!(on_demand(&[whole], Os::Linux, Tenancy::Shared), products);
    }

    #[test]
    fn two_pages_give_the_lowest_shared_price_of_each_type() {
        let both = [price_list(PAGE_1), price_list(PAGE_2)].concat();
        let mut turned = both.clone();
        turned.reverse();
        for pages in [both, turned] {
            let products = on_demand(&pages, Os::Linux, Tenancy::Shared);
            let expected = ["c5a.2xlarge 0.344", "c5a.large 0.086", "c6g.metal 2.464"];
            assert_eq!(amounts(&products.prices), expected);
            assert_eq!((products.currency, products.odd), (Currency::Usd, 1), "one item is no JSON");
            assert!(products.prices.iter().all(|price| !price.estimated));
        }
    }

    #[test]
    fn dedicated_metal_stands_in_where_there_is_no_shared_price() {
        let products = on_demand(&price_list(PAGE_1), Os::Linux, Tenancy::Shared);
        let metal = products.prices.iter().find(|price| price.instance_type == "c6g.metal").unwrap();
        assert_eq!((metal.amount.to_string().as_str(), metal.estimated), ("2.61184", true));
        let dedicated = on_demand(&price_list(PAGE_1), Os::Linux, Tenancy::Dedicated);
        assert_eq!(amounts(&dedicated.prices), ["c6g.metal 2.61184"]);
        assert!(!dedicated.prices[0].estimated, "asked for as such it is the price itself");
    }

    /// An item with some attributes changed.
    fn item(attributes: &[(&str, &str)], unit: &str, per_unit: &Value) -> String {
        let mut item = json!({
            "product": {"attributes": {
                "instanceType": "m9x.large", "usagetype": "EU-BoxUsage:m9x.large", "operatingSystem": "Linux"}},
            "terms": {"OnDemand": {"t": {"priceDimensions": {"r": {"unit": unit, "pricePerUnit": per_unit}}}}}
        });
        for (name, value) in attributes {
            item["product"]["attributes"][name] = json!(value);
        }
        item.to_string()
    }

    #[test_case("usagetype", "EU-BoxUsage:m9x.large" => 1)]
    #[test_case("usagetype", "BoxUsage" => 1 ; "the oldest type has no suffix")]
    #[test_case("usagetype", "EU-UnusedBox:m9x.large" => 0)]
    #[test_case("usagetype", "EU-HostBoxUsage:m9x.large" => 0)]
    #[test_case("usagetype", "EU-SpotUsage:m9x.large" => 0)]
    #[test_case("usagetype", "EU-DedicatedUsage:m9x.large" => 0 ; "dedicated, and not bare metal")]
    #[test_case("operatingSystem", "RHEL" => 0)]
    #[test_case("operatingSystem", "Windows" => 0)]
    #[test_case("preInstalledSw", "SQL Web" => 0)]
    #[test_case("capacitystatus", "UnusedCapacityReservation" => 0)]
    #[test_case("capacitystatus", "Used" => 1 ; "used capacity")]
    #[test_case("marketoption", "CapacityBlock" => 0)]
    #[test_case("licenseModel", "Bring your own license" => 0)]
    fn only_the_instance_itself_is_priced(attribute: &str, value: &str) -> usize {
        let item = item(&[(attribute, value)], "Hrs", &json!({"USD": "1"}));
        let products = on_demand(&[item], Os::Linux, Tenancy::Shared);
        assert_eq!(products.odd, 0, "it is readable");
        products.prices.len()
    }

    #[test]
    fn windows_node_is_not_priced_as_linux() {
        let linux = item(&[], "Hrs", &json!({"USD": "1"}));
        let windows = item(&[("operatingSystem", "Windows")], "Hrs", &json!({"USD": "2"}));
        let own = [("operatingSystem", "Windows"), ("licenseModel", "Bring your own license")];
        let items = [linux, windows, item(&own, "Hrs", &json!({"USD": "1"}))];
        let price = |os| amounts(&on_demand(&items, os, Tenancy::Shared).prices);
        assert_eq!(
            (price(Os::Linux), price(Os::Windows)),
            (vec!["m9x.large 1.00".to_owned()], vec!["m9x.large 2.00".to_owned()])
        );
    }

    #[test_case("Hrs", &json!({"USD": "1.5"}) => vec!["1.50".to_owned()])]
    #[test_case("hrs", &json!({"USD": "1.5"}) => vec!["1.50".to_owned()])]
    #[test_case("Quantity", &json!({"USD": "1.5"}) => Vec::<String>::new() ; "an upfront fee")]
    #[test_case("Hrs", &json!({"USD": "0.0000000000"}) => Vec::<String>::new() ; "free is not sold")]
    #[test_case("Hrs", &json!({"USD": "-1"}) => Vec::<String>::new() ; "below zero")]
    #[test_case("Hrs", &json!({"USD": "NaN"}) => Vec::<String>::new() ; "no number")]
    #[test_case("Hrs", &json!({"EUR": "1.5"}) => Vec::<String>::new() ; "another currency")]
    #[test_case("Hrs", &json!({}) => Vec::<String>::new() ; "nothing")]
    fn a_price_is_hourly_and_above_zero(unit: &str, per_unit: &Value) -> Vec<String> {
        let products = on_demand(&[item(&[], unit, per_unit)], Os::Linux, Tenancy::Shared);
        products.prices.iter().map(|price| price.amount.to_string()).collect()
    }

    #[test]
    fn china_answers_in_yuan_and_currencies_are_not_mixed() {
        let yuan = item(&[], "Hrs", &json!({"CNY": "4.5"}));
        let products = on_demand(std::slice::from_ref(&yuan), Os::Linux, Tenancy::Shared);
        assert_eq!((products.currency, amounts(&products.prices)), (Currency::Cny, vec!["m9x.large 4.50".to_owned()]));
        let both = [yuan, item(&[("instanceType", "c9x.large")], "Hrs", &json!({"USD": "1"}))];
        let products = on_demand(&both, Os::Linux, Tenancy::Shared);
        assert_eq!((products.currency, amounts(&products.prices)), (Currency::Usd, vec!["c9x.large 1.00".to_owned()]));
    }

    #[test]
    fn a_price_may_begin_where_what_is_included_ends() {
        let tier =
            |begin: &str, price: &str| json!({"unit": "IOPS-Mo", "beginRange": begin, "pricePerUnit": {"USD": price}});
        let iops = |tiers: Value| {
            let attributes = json!({"usagetype": "EBS:VolumeP-IOPS.gp3", "volumeApiName": "gp3"});
            let terms = json!({"OnDemand": {"t": {"priceDimensions": tiers}}});
            let space = [("usagetype", "EBS:VolumeUsage.gp3"), ("volumeApiName", "gp3")];
            let items = [
                json!({"product": {"attributes": attributes}, "terms": terms}).to_string(),
                item(&space, "GB-Mo", &json!({"USD": "0.08"})),
            ];
            volumes(&items).1[0].iops_month.map(|price| price.to_string())
        };
        let want = Some("0.005".to_owned());
        assert_eq!(iops(json!({"a": tier("3000", "0.005")})), want);
        assert_eq!(iops(json!({"a": tier("3000", "0.005"), "b": tier("0", "0")})), want);
        assert_eq!(iops(json!({"a": tier("16000", "0.004"), "b": tier("3000", "0.005")})), want);
    }

    #[test]
    fn unreadable_items_are_counted() {
        let items = ["", "{", "{}", "[]", "7", r#"{"product": {}}"#, r#"{"product": 7}"#].map(str::to_owned);
        assert_eq!(on_demand(&items, Os::Linux, Tenancy::Shared), Products { odd: 7, ..Products::default() });
        assert_eq!(volumes(&items[..5]), (Currency::Usd, Vec::new(), 5));
    }

    #[test]
    fn volumes_are_priced_by_space_and_what_is_provisioned() {
        let volume = |usagetype: &str, api: &str, unit: &str, amount: &str| {
            item(&[("usagetype", usagetype), ("volumeApiName", api)], unit, &json!({"USD": amount}))
        };
        let items = [
            volume("APN2-EBS:VolumeUsage.gp3", "gp3", "GB-Mo", "0.0912"),
            volume("EBS:VolumeUsage.piops", "io1", "GB-Mo", "0.1278"),
            volume("EBS:VolumeP-IOPS.io2", "io2", "IOPS-Mo", "0.0666"),
            volume("EBS:VolumeP-IOPS.io2.tier2", "io2", "IOPS-Mo", "0.0466"),
            volume("EBS:VolumeUsage.io2", "io2", "GB-Mo", "0.1278"),
            volume("EBS:VolumeP-IOPS.io3", "io3", "IOPS-Mo", "0.01"),
            volume("EBS:VolumeUsage", "standard", "GB-Mo", "0.08"),
            volume("APN2-EBS:VolumeP-IOPS.gp3", "gp3", "IOPS-Mo", "0.0057"),
            volume("APN2-EBS:VolumeP-Throughput.gp3", "gp3", "GiBps-mo", "46.69"),
            volume("APN2-EBS:VolumeUsage.gp3", "gp3", "Hrs", "1"),
            "broken".to_owned(),
        ];
        let (currency, prices, odd) = volumes(&items);
        let text = |price: Option<Money>| price.map_or_else(|| "-".to_owned(), |price| price.to_string());
        let read = |p: &VolumePrice| {
            format!("{} {} {} {}", p.volume_type, p.gib_month, text(p.iops_month), text(p.mibps_month))
        };
        let read: Vec<_> = prices.iter().map(read).collect();
        // 46.69 ÷ 1024, to the billionth.
        let expected = ["gp3 0.0912 0.0057 0.045595703", "io1 0.1278 - -", "io2 0.1278 0.0666 -", "standard 0.08 - -"];
        assert_eq!((currency, read, odd), (Currency::Usd, expected.map(str::to_owned).to_vec(), 1));
    }
}
