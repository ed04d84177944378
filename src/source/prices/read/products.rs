//! What `pricing:GetProducts` answers: a list of texts, each of which is the JSON of one product with its terms.

use super::offer_file::{Attributes, OnDemand, PerUnit, Product, currency};
use super::slim::{Slim, of, show, skip};
use super::{name, one_each};
use crate::model::Name;
use crate::pricing::{OnDemandPrice, Os, Tenancy, VolumePrice};
use crate::units::{Currency, Money};
use serde::de::MapAccess;

/// On-demand prices out of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Products {
    /// What the prices are in.
    pub currency: Currency,
    /// One for each type.
    pub prices: Vec<OnDemandPrice>,
    /// Items that could not be understood.
    pub odd: usize,
}

/// The price of each type, from the items of an answer's `PriceList` (of all its pages).
///
/// Bare metal on shared tenancy is sold at the Shared price; a Dedicated one stands in for it, as an estimate, where
/// the items hold no other: ask for both.
pub fn on_demand(price_list: &[String], os: Os, tenancy: Tenancy) -> Products {
    let mut odd = 0;
    let mut found = Vec::new();
    for text in price_list {
        let Some(item) = Item::read(text) else {
            odd += 1;
            continue;
        };
        let attributes = &item.product.attributes;
        let Some(instance_type) = attributes.instance_type.get().and_then(name) else {
            odd += 1;
            continue;
        };
        let Some(estimated) = stands_for(attributes, os, tenancy) else { continue };
        let hourly = item.on_demand.0.iter().filter(|dimension| dimension.hourly());
        found.extend(hourly.map(|dimension| (instance_type.clone(), estimated, dimension.price)));
    }
    let currency = currency(found.iter().map(|(.., price)| price));
    let amounts =
        found.into_iter().filter_map(|(name, estimated, price)| Some((name, estimated, price.within(currency)?)));
    Products { currency, prices: one_each(amounts), odd }
}

/// Whether a product is the one meant, and if so whether it only stands in for it.
pub(super) fn stands_for(attributes: &Attributes<'_>, os: Os, tenancy: Tenancy) -> Option<bool> {
    let plain = attributes.operating_system.is_or_absent(os.as_aws())
        && attributes.license_model.is_or_absent("No License required")
        && attributes.pre_installed_software.is_or_absent("NA")
        && attributes.capacity_status.is_or_absent("Used")
        && attributes.market_option.is_or_absent("OnDemand");
    let usage = attributes.usage().split(':').next();
    let metal = attributes.instance_type.get().is_some_and(|name| name.contains(".metal"));
    match (tenancy, usage) {
        _ if !plain => None,
        (Tenancy::Shared, Some("BoxUsage")) | (Tenancy::Dedicated, Some("DedicatedUsage")) => Some(false),
        (Tenancy::Shared, Some("DedicatedUsage")) if metal => Some(true),
        _ => None,
    }
}

/// The prices of EBS volume types out of an answer, what they are in, and how many items could not be understood.
///
/// A volume's space (`EBS:VolumeUsage.gp3`), provisioned I/O operations (`EBS:VolumeP-IOPS.gp3`) and throughput
/// (`EBS:VolumeP-Throughput.gp3`) are products of their own. A type without a price of its space is left out.
pub fn volumes(price_list: &[String]) -> (Currency, Vec<VolumePrice>, usize) {
    let mut odd = 0;
    let mut found: Vec<(Name, VolumePart, PerUnit)> = Vec::new();
    for text in price_list {
        let Some(item) = Item::read(text) else {
            odd += 1;
            continue;
        };
        let attributes = &item.product.attributes;
        let Some(volume_type) = attributes.volume_api_name.get().and_then(name) else { continue };
        let (usage, of_type) = attributes.usage().split_once('.').unwrap_or((attributes.usage(), ""));
        // Operations of io2 above a number have prices of their own (`EBS:VolumeP-IOPS.io2.tier2`).
        if of_type.contains('.') {
            continue;
        }
        for dimension in &item.on_demand.0 {
            if let Some(part) = VolumePart::of(usage, &dimension.unit) {
                found.push((volume_type.clone(), part, dimension.price));
            }
        }
    }
    let currency = currency(found.iter().map(|(.., price)| price));
    let cheapest = |volume_type: &Name, wanted: &[VolumePart]| {
        let of_it = found.iter().filter(|(name, part, _)| name == volume_type && wanted.contains(part));
        of_it.filter_map(|(_, part, price)| Some(part.of_one(price.within(currency)?))).min()
    };
    let mut prices: Vec<VolumePrice> = Vec::new();
    for (volume_type, ..) in &found {
        let space = cheapest(volume_type, &[VolumePart::Space]);
        let Some(gib_month) = space.filter(|_| prices.iter().all(|price| price.volume_type != *volume_type)) else {
            continue;
        };
        prices.push(VolumePrice {
            volume_type: volume_type.clone(),
            gib_month,
            iops_month: cheapest(volume_type, &[VolumePart::Iops]),
            mibps_month: cheapest(volume_type, &[VolumePart::Mibps, VolumePart::Gibps]),
        });
    }
    (currency, prices, odd)
}

/// What a price of a volume is for, by its usage type and unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum VolumePart {
    /// A GiB.
    Space,
    /// An I/O operation a second.
    Iops,
    /// A MiB a second.
    Mibps,
    /// A GiB a second, as the list counts throughput.
    Gibps,
}

impl VolumePart {
    fn of(usage: &str, unit: &str) -> Option<Self> {
        let unit_is = |name: &str| unit.eq_ignore_ascii_case(name);
        match usage {
            "EBS:VolumeUsage" if unit_is("GB-Mo") => Some(Self::Space),
            "EBS:VolumeP-IOPS" if unit_is("IOPS-Mo") => Some(Self::Iops),
            "EBS:VolumeP-Throughput" if unit_is("MiBps-Mo") => Some(Self::Mibps),
            "EBS:VolumeP-Throughput" if unit_is("GiBps-Mo") => Some(Self::Gibps),
            _ => None,
        }
    }

    /// The price of one, where the list's unit is a thousand and twenty-four of them.
    fn of_one(self, price: Money) -> Money {
        match self {
            Self::Space | Self::Iops | Self::Mibps => price,
            Self::Gibps => price.times(1, 1024),
        }
    }
}

/// One item.
#[derive(Debug, Default)]
struct Item<'de> {
    product: Product<'de>,
    has_product: bool,
    on_demand: OnDemand,
}

impl<'de> Item<'de> {
    /// The item of a text; none if it is no product.
    fn read(text: &'de str) -> Option<Self> {
        let mut item = Self::default();
        show(text.as_bytes(), &mut item).ok()?;
        item.has_product.then_some(item)
    }
}

impl<'de> Slim<'de> for Item<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "product" => {
                self.product = of(map)?;
                self.has_product = true;
            }
            "terms" => self.on_demand = of::<ItemTerms, A>(map)?.0,
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct ItemTerms(OnDemand);

impl<'de> Slim<'de> for ItemTerms {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "OnDemand" => self.0 = of(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
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
    fn only_the_machine_itself_is_priced(attribute: &str, value: &str) -> usize {
        let item = item(&[(attribute, value)], "Hrs", &json!({"USD": "1"}));
        let products = on_demand(&[item], Os::Linux, Tenancy::Shared);
        assert_eq!(products.odd, 0, "it was understood");
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
    fn what_is_no_product_is_counted() {
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
