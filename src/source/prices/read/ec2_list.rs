//! The AmazonEC2 price list of a region. It has hundreds of megabytes, so only `price-table` reads it.

use super::price_list::{Attributes, PriceList, lowest};
use super::price_page::Offered;
use super::{AskError, from_json, garbled, name, parser_error, size};
use crate::model::{Name, Timestamp};
use crate::pricing::{Os, Size, Tenancy};
use crate::units::Currency;
use std::collections::BTreeMap;
use std::io::Read;

const DOCUMENT: &str = "the AmazonEC2 price list";

/// The on-demand prices of Linux on shared tenancy of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ec2List {
    /// When AWS published the file.
    pub published: Option<Timestamp>,
    /// By price region, then by instance type. The file of a region also holds its Local Zones and Wavelength Zones.
    pub regions: BTreeMap<Name, BTreeMap<Name, Listed>>,
}

/// An instance type in a price region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Price and size.
    pub offered: Offered,
    /// The price is that of Dedicated tenancy, for a bare metal type that has no Shared price.
    pub estimated: bool,
}

/// Reads a list into memory.
///
/// # Errors
///
/// If it cannot be read to its end, is not a complete price list, or is not in US dollars.
pub fn read(mut stream: impl Read) -> Result<Ec2List, AskError> {
    let mut body = Vec::new();
    stream.read_to_end(&mut body).map_err(|error| parser_error(DOCUMENT, "it cannot be read", &error))?;
    let list: PriceList = from_json(DOCUMENT, &body)?;
    let selected = list.select(|attributes: &Attributes| {
        let estimated = attributes.is_estimate(Os::Linux, Tenancy::Shared)?;
        let size = size(&attributes.vcpu, &attributes.memory).map(|size| (size.vcpu, size.memory_mib));
        Some((name(&attributes.region_code)?, name(&attributes.instance_type)?, estimated, size))
    });
    let hourly = selected.into_iter().filter(|(_, price)| price.is_hourly()).map(|(key, price)| (key, price.price));
    let (currency, lowest) = lowest(hourly.collect());
    if currency != Currency::Usd {
        return Err(garbled(DOCUMENT, "its prices are not in US dollars"));
    }
    let mut regions: BTreeMap<Name, BTreeMap<Name, Listed>> = BTreeMap::new();
    for ((region, instance_type, estimated, size), amount) in lowest {
        let size = size.map(|(vcpu, memory_mib)| Size { vcpu, memory_mib });
        let new = Listed { offered: Offered { amount, size }, estimated };
        let known = regions.entry(region).or_default().entry(instance_type).or_insert(new);
        if (new.estimated, new.offered.amount) < (known.estimated, known.offered.amount) {
            *known = new;
        }
    }
    Ok(Ec2List { published: list.publication_date.0, regions })
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
    fn another_document_is_an_error() {
        let refused = |text: &str| read(text.as_bytes()).unwrap_err().to_string();
        assert!(
            refused("{}")
                .starts_with("read the AmazonEC2 price list: its form is unexpected (missing field `products`")
        );
        let yuan = list(&[&[HERE]]).to_string().replace("\"USD\"", "\"CNY\"");
        assert_eq!(refused(&yuan), "read the AmazonEC2 price list: its prices are not in US dollars");
        assert!(refused("{").starts_with("read the AmazonEC2 price list: it is not complete JSON"));
        let eks = read(EKS_SEOUL).unwrap();
        assert_eq!(eks.regions, BTreeMap::new(), "another service's list has no instances");
    }
}
