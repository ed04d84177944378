//! The AmazonEC2 price list of a region: over a gigabyte, which is why nothing but the maker of the embedded table
//! reads it, as a stream.

use super::offer_file::{Attributes, OfferFile, currency, show};
use super::price_page::Offered;
use super::products::stands_for;
use super::{ReadError, name, size};
use crate::model::{Name, Timestamp};
use crate::pricing::{Os, Size, Tenancy};
use crate::units::Currency;
use std::collections::BTreeMap;
use std::io::{BufReader, Read};

const DOCUMENT: &str = "the AmazonEC2 price list";

/// Linux on shared tenancy, on demand, out of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ec2List {
    /// When AWS published the file.
    pub published: Option<Timestamp>,
    /// By price region, then by type. A region's file holds its Local Zones and Wavelength Zones, too.
    pub regions: BTreeMap<Name, BTreeMap<Name, Listed>>,
}

/// One type in one price region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What it costs, and what it is made of.
    pub offered: Offered,
    /// The price is Dedicated tenancy's, and stands in for a bare metal type without a Shared one.
    pub estimated: bool,
}

/// A product that is kept.
struct Kept {
    region: Name,
    instance_type: Name,
    estimated: bool,
    size: Option<Size>,
}

/// Reads the list as it comes. Memory is needed for what is kept alone: some thousand products.
///
/// # Errors
///
/// If the stream breaks, is no whole JSON, or not a price list in dollars.
pub fn read(stream: impl Read) -> Result<Ec2List, ReadError> {
    let mut file = OfferFile::new(kept);
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 16, stream));
    let read = show(&mut json, &mut file).and_then(|()| json.end());
    read.map_err(|why| ReadError::garbled(DOCUMENT, "JSON", &why))?;
    let shape = |expected| ReadError::Shape { document: DOCUMENT, expected };
    if !file.products || !file.terms {
        return Err(shape("objects `products` and `terms`"));
    }
    if file.terms_first {
        return Err(shape("`products` before `terms`"));
    }
    if currency(file.kept.iter().flat_map(|(_, prices)| prices).map(|price| &price.price)) != Currency::Usd {
        return Err(shape("prices in dollars"));
    }

    let mut regions: BTreeMap<Name, BTreeMap<Name, Listed>> = BTreeMap::new();
    for (Kept { region, instance_type, estimated, size }, prices) in file.kept {
        let hourly = prices.iter().filter(|price| price.hourly());
        let Some(amount) = hourly.filter_map(|price| price.price.within(Currency::Usd)).min() else { continue };
        let new = Listed { offered: Offered { amount, size }, estimated };
        let known = regions.entry(region).or_default().entry(instance_type).or_insert(new);
        if (new.estimated, new.offered.amount) < (known.estimated, known.offered.amount) {
            *known = new;
        }
    }
    Ok(Ec2List { published: file.published, regions })
}

fn kept(attributes: &Attributes<'_>) -> Option<Kept> {
    let estimated = stands_for(attributes, Os::Linux, Tenancy::Shared)?;
    Some(Kept {
        region: name(attributes.region_code.get()?)?,
        instance_type: name(attributes.instance_type.get()?)?,
        estimated,
        size: size(attributes.vcpu.get(), attributes.memory.get()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::prices::read::tests::{EKS_SEOUL, M5_LARGE};
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    /// The product that AWS published, in an offer file, with some attributes changed; its terms by SKU.
    fn list(changes: &[&[(&str, &str)]]) -> Value {
        let item: Value = serde_json::from_slice(M5_LARGE).unwrap();
        let mut list = json!({"formatVersion": "v1.0", "offerCode": "AmazonEC2", "publicationDate": "2026-11-20T20:31:40Z",
            "products": {}, "terms": {"OnDemand": {}, "Reserved": {}}});
        for (at, changes) in changes.iter().enumerate() {
            let sku = format!("EX{at}");
            let (mut product, mut terms) = (item["product"].clone(), item["terms"].clone());
            product["sku"] = json!(sku);
            for (name, value) in *changes {
                if *name == "price" {
                    let text = terms["OnDemand"].to_string().replace("0.0960000000", value);
                    terms["OnDemand"] = serde_json::from_str(&text).unwrap();
                } else {
                    product["attributes"][name] = json!(value);
                }
            }
            list["products"][&sku] = product;
            list["terms"]["OnDemand"][&sku] = terms["OnDemand"].clone();
            list["terms"]["Reserved"][&sku] = terms["Reserved"].clone();
        }
        list
    }

    fn texts(list: &Value) -> Vec<String> {
        let list = read(list.to_string().as_bytes()).unwrap();
        let rows = list.regions.into_iter().flat_map(|(region, types)| {
            types.into_iter().map(move |(name, listed)| {
                let mark = if listed.estimated { "~" } else { "" };
                format!("{region} {name} {mark}{}", listed.offered.amount)
            })
        });
        rows.collect()
    }

    const HERE: (&str, &str) = ("regionCode", "us-east-1");

    #[test]
    fn the_published_product_is_read_as_it_is() {
        let list = list(&[&[HERE]]);
        let read = read(list.to_string().as_bytes()).unwrap();
        let size = Some(Size { vcpu: 2, memory_mib: 8192 });
        let listed = Listed { offered: Offered { amount: "0.096".parse().unwrap(), size }, estimated: false };
        let types = BTreeMap::from([("m5.large".into(), listed)]);
        let published = Some("2026-11-20T20:31:40Z".parse().unwrap());
        assert_eq!(read, Ec2List { published, regions: BTreeMap::from([("us-east-1".into(), types)]) });
    }

    #[test]
    fn a_local_zone_is_a_price_region_of_its_own() {
        let zone =
            [("regionCode", "us-west-2-lax-1"), ("usagetype", "USW2-LAX1-BoxUsage:m5.large"), ("price", "0.1152")];
        let region = [("regionCode", "us-west-2"), ("usagetype", "USW2-BoxUsage:m5.large")];
        assert_eq!(texts(&list(&[&zone, &region])), ["us-west-2 m5.large 0.096", "us-west-2-lax-1 m5.large 0.1152"]);
    }

    #[test]
    fn only_linux_on_shared_tenancy_is_kept() {
        let others: [&[(&str, &str)]; 8] = [
            &[HERE, ("operatingSystem", "Windows")],
            &[HERE, ("operatingSystem", "RHEL")],
            &[HERE, ("preInstalledSw", "SQL Web")],
            &[HERE, ("capacitystatus", "AllocatedCapacityReservation"), ("usagetype", "Reservation:m5.large")],
            &[HERE, ("capacitystatus", "UnusedCapacityReservation"), ("usagetype", "UnusedBox:m5.large")],
            &[HERE, ("tenancy", "Dedicated"), ("usagetype", "DedicatedUsage:m5.large")],
            &[HERE, ("price", "0.0000000000")],
            &[("nowhere", "x")],
        ];
        assert_eq!(texts(&list(&others)), Vec::<String>::new());
    }

    #[test]
    fn metal_uses_shared_tenancy_price() {
        let metal = |name: &'static str, usage: &'static str, price: &'static str| {
            [HERE, ("instanceType", name), ("usagetype", usage), ("price", price)]
        };
        let shared = metal("c6g.metal", "BoxUsage:c6g.metal", "2.1760000000");
        let dedicated = metal("c6g.metal", "DedicatedUsage:c6g.metal", "2.3066000000");
        let cheaper = metal("c6g.metal", "DedicatedUsage:c6g.metal", "1.0000000000");
        let alone = metal("m7i.metal-24xl", "DedicatedUsage:m7i.metal-24xl", "5.3222400000");
        let expected = ["us-east-1 c6g.metal 2.176", "us-east-1 m7i.metal-24xl ~5.32224"];
        assert_eq!(texts(&list(&[&shared, &dedicated, &cheaper, &alone])), expected);
        assert_eq!(texts(&list(&[&alone, &cheaper, &dedicated, &shared])), expected);
    }

    #[test]
    fn another_document_is_refused() {
        let refused = |text: &str| read(text.as_bytes()).unwrap_err().to_string();
        let shape = "read the AmazonEC2 price list: it is of another shape (expected ";
        assert_eq!(refused("{}"), format!("{shape}objects `products` and `terms`)"));
        assert_eq!(refused(r#"{"terms": {}, "products": {}}"#), format!("{shape}`products` before `terms`)"));
        let yuan = list(&[&[HERE]]).to_string().replace("\"USD\"", "\"CNY\"");
        assert_eq!(refused(&yuan), format!("{shape}prices in dollars)"));
        assert!(refused("{").starts_with("read the AmazonEC2 price list: it is no whole JSON"));
        let eks = read(EKS_SEOUL).unwrap();
        assert_eq!(eks.regions, BTreeMap::new(), "another service's list has no machines");
    }
}
