//! The file behind AWS's on-demand price page: every instance type of one region with one operating system, some 60 KB
//! compressed, without credentials. AWS does not document it: `regions.<location>.<key>`, where the key has no meaning.

use super::{AskError, Price, ValidEntries, from_json, garbled, name, size};
use crate::model::{Name, Timestamp};
use crate::pricing::{Os, Size};
use crate::source::json::{IfValid, Text, Time};
use crate::units::Money;
use serde::Deserialize;
use std::collections::BTreeMap;

const DOCUMENT: &str = "the price-page file";

/// The prices of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// When AWS published the prices.
    pub published: Option<Timestamp>,
    /// The region, as the page names it (`Asia Pacific (Seoul)`).
    pub location: Option<Name>,
    /// Instance types on shared tenancy.
    pub types: BTreeMap<Name, Offered>,
}

/// An instance type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The hourly price.
    pub amount: Money,
    /// The size, where the file has it.
    pub size: Option<Size>,
}

/// Reads the prices of one operating system. If a type occurs twice, its lower price is taken.
///
/// # Errors
///
/// If the bytes are not a complete price-page file of one region in US dollars.
pub fn page(body: &[u8], os: Os) -> Result<Page, AskError> {
    let file: File = from_json(DOCUMENT, body)?;
    let Manifest { published, currency } = file.manifest.0.unwrap_or_default();
    if !currency.is_or_empty("USD") {
        return Err(garbled(DOCUMENT, "its prices are not in US dollars"));
    }
    let mut locations = file.regions.0.into_iter().filter(|(_, items)| !items.0.is_empty());
    let Some((location, items)) = locations.next() else {
        return Ok(Page { published: published.0, ..Page::default() });
    };
    if locations.next().is_some() {
        return Err(garbled(DOCUMENT, "it has prices of several regions"));
    }
    let mut types: BTreeMap<Name, Offered> = BTreeMap::new();
    for (instance_type, offered) in items.0.iter().filter_map(|(_, item)| item.offered(os)) {
        let known = types.entry(instance_type).or_insert(offered);
        if offered.amount < known.amount {
            *known = offered;
        }
    }
    Ok(Page { published: published.0, location: name(&location), types })
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    manifest: IfValid<Manifest>,
    regions: ValidEntries<ValidEntries<Item>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    #[serde(rename = "hawkFilePublicationDate")]
    published: Time,
    #[serde(rename = "currencyCode")]
    currency: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    price: Price,
    #[serde(rename = "Instance Type")]
    instance_type: Text,
    #[serde(rename = "Operating System")]
    operating_system: Text,
    #[serde(rename = "License Model")]
    license_model: Text,
    #[serde(rename = "Pre Installed S/W")]
    pre_installed_software: Text,
    #[serde(rename = "Tenancy")]
    tenancy: Text,
    #[serde(rename = "vCPU")]
    vcpu: Text,
    #[serde(rename = "Memory")]
    memory: Text,
}

impl Item {
    fn offered(&self, os: Os) -> Option<(Name, Offered)> {
        let is_wanted = self.operating_system.is(os.as_aws())
            && self.license_model.is_or_empty("No License required")
            && self.pre_installed_software.is_or_empty("NA")
            && self.tenancy.is_or_empty("Shared");
        let offered = Offered { amount: self.price.0?, size: size(&self.vcpu, &self.memory) };
        is_wanted.then_some((name(&self.instance_type)?, offered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::prices::read::tests::PRICE_PAGE;
    use test_case::test_case;

    #[test]
    fn the_price_page_gives_each_type_its_lowest_price() {
        let page = page(PRICE_PAGE, Os::Linux).unwrap();
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
        let amounts: Vec<_> = page.types.iter().map(|(name, offered)| format!("{name} {}", offered.amount)).collect();
        assert_eq!(amounts, expected);
        assert_eq!(page.published, Some("2026-09-25T17:45:21Z".parse().unwrap()));
        assert_eq!(page.location.as_deref(), Some("Asia Pacific (Seoul)"));
        assert_eq!(
            super::page(PRICE_PAGE, Os::Windows).unwrap().types,
            BTreeMap::new(),
            "the file has no Windows prices"
        );
        assert_eq!(page.types["c5a.2xlarge"].size, Some(Size { vcpu: 8, memory_mib: 16_384 }));
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
        page(one(item).as_bytes(), Os::Windows).unwrap().types.len()
    }

    #[test_case("{}" => "failed to read the price-page file: its form is unexpected (missing field `regions` at line 1 column 2)")]
    #[test_case(r#"{"regions": {"a": {"k": {}}, "b": {"k": {}}}}"# => "failed to read the price-page file: it has prices of several regions")]
    #[test_case(r#"{"manifest": {"currencyCode": "CNY"}, "regions": {}}"# => "failed to read the price-page file: its prices are not in US dollars")]
    #[test_case("<html>" => "failed to read the price-page file: it is not complete JSON (expected value at line 1 column 1)")]
    fn another_document_is_an_error(body: &str) -> String {
        format!("failed to {}", page(body.as_bytes(), Os::Linux).unwrap_err())
    }
}
