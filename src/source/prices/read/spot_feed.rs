//! The file behind AWS's spot price page: spot prices of all regions by type, some three megabytes, refreshed every few
//! minutes, without credentials. AWS does not document it. It has no zones, and no Middle East.

use super::slim::{Of, Show, Slim, Text, of, show, skip};
use super::{ReadError, name, price};
use crate::model::Name;
use crate::pricing::{Os, SpotPrice, Zone, ZoneKind};
use crate::units::Money;
use serde::de::{MapAccess, SeqAccess};

const DOCUMENT: &str = "the spot price feed";

/// Names of regions that the file keeps from EC2's early years.
const OLD_NAMES: [(&str, &str); 6] = [
    ("us-east", "us-east-1"),
    ("us-west", "us-west-1"),
    ("eu-ireland", "eu-west-1"),
    ("apac-sin", "ap-southeast-1"),
    ("apac-syd", "ap-southeast-2"),
    ("apac-tokyo", "ap-northeast-1"),
];

/// The spot prices of each price region. What is not on offer (`N/A*`, empty, 0) is left out.
///
/// # Errors
///
/// If the bytes are no whole JSON, or of another shape.
pub fn read(body: &[u8]) -> Result<Vec<(Name, Vec<SpotPrice>)>, ReadError> {
    let mut file = File::default();
    show(body, &mut file).map_err(|why| ReadError::garbled(DOCUMENT, "JSON", &why))?;
    if !file.config.found {
        return Err(ReadError::Shape { document: DOCUMENT, expected: "a list `config.regions`" });
    }
    Ok(file.config.regions)
}

/// The price region by today's name; a Local Zone (`us-west-2-lax-1a`) is priced as its group.
fn price_region(region: &str) -> Option<Name> {
    if let Some((_, new)) = OLD_NAMES.iter().find(|(old, _)| *old == region) {
        return Some((*new).into());
    }
    match Zone::parse(region) {
        Some(zone) if zone.kind != ZoneKind::Standard => name(zone.price_region),
        _ => name(region),
    }
}

#[derive(Default)]
struct File {
    config: Config,
}

impl<'de> Slim<'de> for File {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "config" => map.next_value_seed(Show(&mut self.config)),
            _ => skip(map),
        }
    }
}

#[derive(Default)]
struct Config {
    regions: Vec<(Name, Vec<SpotPrice>)>,
    found: bool,
}

impl<'de> Slim<'de> for Config {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "regions" => map.next_value_seed(Show(self)),
            _ => skip(map),
        }
    }

    fn element<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let Some(Of(region)) = list.next_element::<Of<Region>>()? else { return Ok(false) };
        self.found = true;
        if let Some(name) = region.region.get().and_then(price_region) {
            self.regions.push((name, region.prices));
        }
        Ok(true)
    }
}

/// A region; an element of it is a group of types, in which lie the sizes.
#[derive(Default)]
struct Region<'de> {
    region: Text<'de>,
    prices: Vec<SpotPrice>,
}

impl<'de> Slim<'de> for Region<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "region" => {
                self.region = map.next_value()?;
                Ok(())
            }
            "instanceTypes" => map.next_value_seed(Show(&mut Groups(&mut self.prices))),
            _ => skip(map),
        }
    }
}

struct Groups<'a>(&'a mut Vec<SpotPrice>);

impl<'de> Slim<'de> for Groups<'_> {
    fn element<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        Ok(list.next_element_seed(Show(&mut Group(self.0)))?.is_some())
    }
}

struct Group<'a>(&'a mut Vec<SpotPrice>);

impl<'de> Slim<'de> for Group<'_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "sizes" => map.next_value_seed(Show(self)),
            _ => skip(map),
        }
    }

    fn element<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let Some(Of(size)) = list.next_element::<Of<Size>>()? else { return Ok(false) };
        if let Some(instance_type) = size.size.get().and_then(name) {
            let price = |(os, amount)| SpotPrice { instance_type: instance_type.clone(), zone: None, os, amount };
            self.0.extend(size.columns.0.into_iter().map(price));
        }
        Ok(true)
    }
}

/// An instance type.
#[derive(Default)]
struct Size<'de> {
    size: Text<'de>,
    columns: Columns,
}

impl<'de> Slim<'de> for Size<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "size" => self.size = map.next_value()?,
            "valueColumns" => self.columns = of(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// Its prices by operating system.
#[derive(Default)]
struct Columns(Vec<(Os, Money)>);

impl<'de> Slim<'de> for Columns {
    fn element<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let Some(Of(column)) = list.next_element::<Of<Column>>()? else { return Ok(false) };
        let os = match column.name.get() {
            Some("linux") => Some(Os::Linux),
            Some("mswin") => Some(Os::Windows),
            _ => None,
        };
        self.0.extend(os.zip(column.prices.0));
        Ok(true)
    }
}

#[derive(Default)]
struct Column<'de> {
    name: Text<'de>,
    prices: Dollars,
}

impl<'de> Slim<'de> for Column<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "name" => self.name = map.next_value()?,
            "prices" => self.prices = of(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct Dollars(Option<Money>);

impl<'de> Slim<'de> for Dollars {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "USD" => self.0 = map.next_value::<Text>()?.get().and_then(price),
            _ => skip(map)?,
        }
        Ok(())
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
    fn an_odd_part_harms_no_other() {
        let bad = r#"null, 7, {"region": "", "instanceTypes": []}, {"region": "x", "instanceTypes": {"sizes": 1}},
            {"region": "y", "instanceTypes": [1, {"sizes": [null, {"size": 1, "valueColumns": "x"}]}]}, "#;
        let text =
            std::str::from_utf8(SPOT_FEED).unwrap().replacen("\"regions\": [", &format!("\"regions\": [{bad}"), 1);
        let read_again = read(text.as_bytes()).unwrap();
        let with_prices = read_again.into_iter().filter(|(_, prices)| !prices.is_empty());
        assert_eq!(with_prices.collect::<Vec<_>>(), read(SPOT_FEED).unwrap());
    }

    #[test]
    fn another_document_is_refused() {
        let expected = "read the spot price feed: it is of another shape (expected a list `config.regions`)";
        assert_eq!(read(br#"{"config": {"regions": {}}}"#).unwrap_err().to_string(), expected);
        assert!(matches!(read(b"callback({});"), Err(ReadError::Garbled { .. })));
    }
}
