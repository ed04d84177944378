//! The file behind AWS's on-demand price page: every type of one region, for one operating system, some 60 KB
//! compressed, without credentials. AWS does not document it: `regions.<location>.<key>`, where the key means nothing.

use super::slim::{Show, Slim, Text, of, show, skip};
use super::{ReadError, name, price};
use crate::model::{Name, Timestamp};
use crate::pricing::{OnDemandPrice, Os, Size};
use crate::units::Money;
use serde::de::MapAccess;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

const DOCUMENT: &str = "the price-page file";

/// The prices of all types on shared tenancy, by type.
///
/// # Errors
///
/// If the bytes are no whole JSON, or not one region's prices in dollars.
pub fn read(body: &[u8], os: Os) -> Result<Vec<OnDemandPrice>, ReadError> {
    let prices = page(body, os)?.types.into_iter();
    let price = |(instance_type, offer): (Name, Offered)| OnDemandPrice {
        instance_type,
        amount: offer.amount,
        estimated: false,
    };
    Ok(prices.map(price).collect())
}

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// When AWS published the prices.
    pub published: Option<Timestamp>,
    /// The region, as the page names it (`Asia Pacific (Seoul)`).
    pub location: Option<Name>,
    /// What is on offer, by type.
    pub types: BTreeMap<Name, Offered>,
}

/// One type on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered {
    /// By the hour.
    pub amount: Money,
    /// What it is made of, where the file says.
    pub size: Option<Size>,
}

/// Reads the whole file.
///
/// # Errors
///
/// As [`read`].
pub fn page(body: &[u8], os: Os) -> Result<Page, ReadError> {
    let mut file = File {
        os,
        published: None,
        currency: Text::default(),
        locations: None,
        location: None,
        types: BTreeMap::new(),
    };
    show(body, &mut file).map_err(|why| ReadError::garbled(DOCUMENT, "JSON", &why))?;
    let shape = |expected| ReadError::Shape { document: DOCUMENT, expected };
    if !file.currency.is_or_absent("USD") {
        return Err(shape("prices in dollars"));
    }
    match file.locations {
        None => Err(shape("an object `regions`")),
        // Two regions' prices of one type must not become one price.
        Some(2..) => Err(shape("one region")),
        Some(0 | 1) => Ok(Page { published: file.published, location: file.location, types: file.types }),
    }
}

struct File<'de> {
    os: Os,
    published: Option<Timestamp>,
    currency: Text<'de>,
    locations: Option<usize>,
    location: Option<Name>,
    types: BTreeMap<Name, Offered>,
}

impl<'de> Slim<'de> for File<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "manifest" => {
                let manifest: Manifest = of(map)?;
                self.published = manifest.published.get().and_then(|at| at.parse().ok());
                self.currency = manifest.currency;
                Ok(())
            }
            "regions" => map.next_value_seed(Show(&mut Locations(self))),
            _ => skip(map),
        }
    }
}

#[derive(Default)]
struct Manifest<'de> {
    published: Text<'de>,
    currency: Text<'de>,
}

impl<'de> Slim<'de> for Manifest<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "hawkFilePublicationDate" => self.published = map.next_value()?,
            "currencyCode" => self.currency = map.next_value()?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

struct Locations<'a, 'de>(&'a mut File<'de>);

impl<'de> Slim<'de> for Locations<'_, 'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let mut location = Location { os: self.0.os, is_object: false, types: &mut self.0.types };
        map.next_value_seed(Show(&mut location))?;
        let found = location.is_object;
        *self.0.locations.get_or_insert(0) += usize::from(found);
        if found {
            self.0.location = name(key);
        }
        Ok(())
    }
}

struct Location<'a> {
    os: Os,
    is_object: bool,
    types: &'a mut BTreeMap<Name, Offered>,
}

impl<'de> Slim<'de> for Location<'_> {
    fn entry<A: MapAccess<'de>>(&mut self, _: &str, map: &mut A) -> Result<(), A::Error> {
        self.is_object = true;
        let item: Item = of(map)?;
        if let Some((instance_type, offered)) = item.offered(self.os) {
            match self.types.entry(instance_type) {
                Entry::Vacant(place) => {
                    place.insert(offered);
                }
                Entry::Occupied(mut place) if offered.amount < place.get().amount => {
                    place.insert(offered);
                }
                Entry::Occupied(_) => {}
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Item<'de> {
    price: Text<'de>,
    instance_type: Text<'de>,
    operating_system: Text<'de>,
    license_model: Text<'de>,
    pre_installed_software: Text<'de>,
    tenancy: Text<'de>,
    vcpu: Text<'de>,
    memory: Text<'de>,
}

impl Item<'_> {
    fn offered(&self, os: Os) -> Option<(Name, Offered)> {
        let wanted = self.operating_system.is(os.as_aws())
            && self.license_model.is_or_absent("No License required")
            && self.pre_installed_software.is_or_absent("NA")
            && self.tenancy.is_or_absent("Shared");
        let amount = price(self.price.get()?)?;
        let size = super::size(self.vcpu.get(), self.memory.get());
        wanted.then_some((name(self.instance_type.get()?)?, Offered { amount, size }))
    }
}

impl<'de> Slim<'de> for Item<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let field = match key {
            "price" => &mut self.price,
            "Instance Type" => &mut self.instance_type,
            "Operating System" => &mut self.operating_system,
            "License Model" => &mut self.license_model,
            "Pre Installed S/W" => &mut self.pre_installed_software,
            "Tenancy" => &mut self.tenancy,
            "vCPU" => &mut self.vcpu,
            "Memory" => &mut self.memory,
            _ => return skip(map),
        };
        *field = map.next_value()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::prices::read::tests::{PRICE_PAGE, amounts};
    use test_case::test_case;

    #[test]
    fn the_price_page_gives_each_type_its_lowest_price() {
        let prices = read(PRICE_PAGE, Os::Linux).unwrap();
        let expected = [
            "c5a.2xlarge 0.344",
            "c5a.large 0.086",
            "c6g.large 0.077",
            "c6g.metal 2.464",
            "g6.xlarge 0.9896",
            "m7g.large 0.1003",
            "m7i.large 0.1239",
            "t4g.medium 0.0416",
        ];
        assert_eq!(amounts(&prices), expected);
        assert!(prices.iter().all(|price| !price.estimated));
        let page = page(PRICE_PAGE, Os::Linux).unwrap();
        assert_eq!(page.published, Some("2026-09-25T17:45:21Z".parse().unwrap()));
        assert_eq!(page.location.as_deref(), Some("Asia Pacific (Seoul)"));
        assert_eq!(page.types["c5a.2xlarge"].size, Some(Size { vcpu: 8, memory_mib: 16_384 }));
        assert_eq!(read(PRICE_PAGE, Os::Windows).unwrap(), [], "there is none in this file");
    }

    fn one(item: &str) -> String {
        format!(r#"{{"regions": {{"EU (Stockholm)": {{"m6in large EU Stockholm Linux": {item}}}}}}}"#)
    }

    #[test_case(r#"{"price": "0.1", "Instance Type": "m6in.large", "Operating System": "Windows"}"# => 1)]
    #[test_case(r#"{"price": 0.1, "Instance Type": "m6in.large", "Operating System": "windows", "x": [{}]}"# => 1 ; "a number")]
    #[test_case(r#"{"price": "0.1", "Instance Type": "m6in.large", "Operating System": "Windows", "License Model": "Bring your own license"}"# => 0 ; "a licence of one's own")]
    #[test_case(r#"{"price": "0.1", "Instance Type": "m6in.large", "Operating System": "Windows", "Pre Installed S/W": "SQL Ent"}"# => 0 ; "with a database")]
    #[test_case(r#"{"price": "0.1", "Instance Type": "m6in.large", "Operating System": "Linux"}"# => 0)]
    #[test_case(r#"{"price": "-0.1", "Instance Type": "m6in.large", "Operating System": "Windows"}"# => 0 ; "below zero")]
    #[test_case(r#"{"price": "N/A", "Instance Type": "m6in.large", "Operating System": "Windows"}"# => 0 ; "not available")]
    #[test_case(r#"{"price": "1", "Instance Type": " ", "Operating System": "Windows"}"# => 0 ; "no type")]
    #[test_case("null" => 0)]
    #[test_case("\"text\"" => 0)]
    fn windows_is_priced_as_windows(item: &str) -> usize {
        read(one(item).as_bytes(), Os::Windows).unwrap().len()
    }

    #[test_case("{}" => "failed to read the price-page file: it is of another shape (expected an object `regions`)")]
    #[test_case("[]" => "failed to read the price-page file: it is of another shape (expected an object `regions`)" ; "a list")]
    #[test_case(r#"{"regions": {"a": {"k": {}}, "b": {"k": {}}}}"# => "failed to read the price-page file: it is of another shape (expected one region)")]
    #[test_case(r#"{"manifest": {"currencyCode": "CNY"}, "regions": {}}"# => "failed to read the price-page file: it is of another shape (expected prices in dollars)")]
    #[test_case("<html>" => "failed to read the price-page file: it is no whole JSON (expected value at line 1 column 1)")]
    fn another_document_is_refused(body: &str) -> String {
        format!("failed to {}", read(body.as_bytes(), Os::Linux).unwrap_err())
    }
}
