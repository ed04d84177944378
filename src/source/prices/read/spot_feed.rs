//! The file behind AWS's spot price page: spot prices of all regions by instance type, some three megabytes, updated every
//! few minutes, without credentials. AWS does not document it. It has no zones, and no regions of the Middle East.

use super::{AskError, Price, ValidItems, from_json, garbled, name};
use crate::model::Name;
use crate::pricing::{Os, SpotPrice, Zone, ZoneKind};
use crate::source::json::Text;
use serde::Deserialize;

const DOCUMENT: &str = "the spot price feed";

/// Region names that the file keeps from EC2's early years.
const OLD_NAMES: [(&str, &str); 6] = [
    ("us-east", "us-east-1"),
    ("us-west", "us-west-1"),
    ("eu-ireland", "eu-west-1"),
    ("apac-sin", "ap-southeast-1"),
    ("apac-syd", "ap-southeast-2"),
    ("apac-tokyo", "ap-northeast-1"),
];

/// The spot prices of each price region. Types that are not on offer (`N/A*`, empty, 0) are left out.
///
/// # Errors
///
/// If the bytes are not a complete spot feed.
pub fn read(body: &[u8]) -> Result<Vec<(Name, Vec<SpotPrice>)>, AskError> {
    let File { config: Config { regions: ValidItems(regions) } } = from_json(DOCUMENT, body)?;
    if regions.is_empty() {
        return Err(garbled(DOCUMENT, "it has no regions"));
    }
    Ok(regions.into_iter().filter_map(|region| Some((price_region(&region.region)?, region.prices()))).collect())
}

/// The price region by its current name; a Local Zone (`us-west-2-lax-1a`) is priced as its group.
fn price_region(region: &str) -> Option<Name> {
    if let Some((_, new)) = OLD_NAMES.iter().find(|(old, _)| *old == region) {
        return Some((*new).into());
    }
    match Zone::parse(region) {
        Some(zone) if zone.kind != ZoneKind::Standard => name(zone.price_region),
        _ => name(region),
    }
}

#[derive(Deserialize)]
struct File {
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    regions: ValidItems<Region>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    region: Text,
    instance_types: ValidItems<Family>,
}

#[derive(Deserialize)]
struct Family {
    sizes: ValidItems<InstanceType>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstanceType {
    /// `c5a.large`.
    size: Text,
    value_columns: ValidItems<Column>,
}

/// The prices with one operating system.
#[derive(Deserialize)]
struct Column {
    name: Text,
    prices: Prices,
}

#[derive(Deserialize)]
struct Prices {
    #[serde(rename = "USD")]
    usd: Price,
}

impl Region {
    fn prices(self) -> Vec<SpotPrice> {
        let mut prices = Vec::new();
        for InstanceType { size, value_columns } in self.instance_types.0.into_iter().flat_map(|family| family.sizes.0)
        {
            let Some(instance_type) = name(&size) else { continue };
            for Column { name, prices: Prices { usd } } in value_columns.0 {
                let os = match &*name {
                    "linux" => Os::Linux,
                    "mswin" => Os::Windows,
                    _ => continue,
                };
                let price = |amount| SpotPrice { instance_type: instance_type.clone(), zone: None, os, amount };
                prices.extend(usd.0.map(price));
            }
        }
        prices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::prices::read::tests::SPOT_FEED;
    use test_case::test_case;

    #[test]
    fn the_feed_gives_prices_by_region_and_system() {
        let regions = read(SPOT_FEED).unwrap();
        let text = |(region, prices): &(Name, Vec<SpotPrice>)| {
            assert!(prices.iter().all(|price| price.zone.is_none()));
            let price = |price: &SpotPrice| format!("{} {:?} {}", price.instance_type, price.os, price.amount);
            format!("{region}: {}", prices.iter().map(price).collect::<Vec<_>>().join(", "))
        };
        let expected = [
            "ap-northeast-2: c5a.large Linux 0.0341, c5a.large Windows 0.1263, c5a.2xlarge Linux 0.1298, \
             c5a.2xlarge Windows 0.4985, g6.xlarge Linux 0.3102",
            "us-east-1: m5.large Linux 0.0367, m5.large Windows 0.1287",
            "eu-west-1: m5.large Linux 0.0412, m5.large Windows 0.1332",
            "ap-northeast-1: m5.large Linux 0.0433, m5.large Windows 0.1353",
        ];
        assert_eq!(regions.iter().map(text).collect::<Vec<_>>(), expected);
    }

    #[test_case("us-east" => "us-east-1")]
    #[test_case("us-west" => "us-west-1")]
    #[test_case("eu-ireland" => "eu-west-1")]
    #[test_case("apac-sin" => "ap-southeast-1")]
    #[test_case("apac-syd" => "ap-southeast-2")]
    #[test_case("apac-tokyo" => "ap-northeast-1")]
    #[test_case("us-east-1" => "us-east-1")]
    #[test_case("us-gov-west-1" => "us-gov-west-1")]
    #[test_case("us-west-2-lax-1a" => "us-west-2-lax-1" ; "a Local Zone")]
    #[test_case("us-west-2-lax-1" => "us-west-2-lax-1" ; "its group")]
    fn regions_go_by_todays_names(region: &str) -> String {
        price_region(region).unwrap().into()
    }

    #[test]
    fn an_invalid_part_affects_no_other() {
        let bad = r#"null, 7, {"region": "", "instanceTypes": []}, {"region": "x", "instanceTypes": {"sizes": 1}},
            {"region": "y", "instanceTypes": [1, {"sizes": [null, {"size": 1, "valueColumns": "x"}]}]}, "#;
        let text =
            std::str::from_utf8(SPOT_FEED).unwrap().replacen("\"regions\": [", &format!("\"regions\": [{bad}"), 1);
        let read_again = read(text.as_bytes()).unwrap();
        let with_prices = read_again.into_iter().filter(|(_, prices)| !prices.is_empty());
        assert_eq!(with_prices.collect::<Vec<_>>(), read(SPOT_FEED).unwrap());
    }

    #[test]
    fn another_document_is_an_error() {
        let error = |body: &[u8]| read(body).unwrap_err().to_string();
        assert!(
            error(br#"{"config": {"regions": {}}}"#).starts_with("read the spot price feed: its form is unexpected (")
        );
        assert_eq!(error(br#"{"config": {"regions": []}}"#), "read the spot price feed: it has no regions");
        assert!(error(b"callback({});").starts_with("read the spot price feed: it is not complete JSON ("));
    }
}
