//! Readers of AWS's price files and answers.
//!
//! A reader does no I/O and keeps no state. Whatever the bytes are, it returns a result or [`AskError::Garbled`], never a panic.
//! Unknown fields are skipped; an item of an unexpected form is left out and does not affect the others; a price is above
//! zero; text is clean.
//!
//! | file or answer | reader | documented by AWS |
//! |---|---|---|
//! | on-demand price page | [`price_page`] | no |
//! | AmazonEKS price list | [`eks_list`] | yes |
//! | AmazonEC2 price list (read by `price-table` alone) | [`ec2_list`] | yes |
//! | `pricing:GetProducts` | [`products`] | yes |
//! | `eks:DescribeCluster`, `eks:DescribeClusterVersions` | [`cluster_support`] | yes |
//! | `ec2:DescribeSpotPriceHistory` | [`spot_history`] | yes |
//! | spot price page | [`spot_feed`] | no |
//! | spot advisor | [`spot_advisor`] | no |
//!
//! Where AWS documents nothing, the form is what public programs read: `alexei-led/spotinfo` (advisor, feed),
//! `infracost/cloud-pricing-api` (feed), and the many that read the price page's `regions.*.*`.

pub mod cluster_support;
pub mod ec2_list;
pub mod eks_list;
mod price_list;
pub mod price_page;
pub mod products;
pub mod spot_advisor;
pub mod spot_feed;
pub mod spot_history;
#[cfg(test)]
mod tests;

use super::AskError;
use crate::model::Name;
use crate::pricing::Size;
use crate::source::json::{IfValid, Text};
use crate::units::Money;
use crate::units::text::{clean, clean_compact, cut_end};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};

fn garbled(document: &str, why: impl Into<String>) -> AskError {
    AskError::Garbled { what: document.to_owned(), why: why.into() }
}

/// A parser's error. It is cleaned and cut, because parsers quote what they found.
fn parser_error(document: &str, problem: &str, error: &impl ToString) -> AskError {
    garbled(document, format!("{problem} ({})", cut_end(&clean(&error.to_string()), 200)))
}

/// Deserializes a JSON document.
fn from_json<'de, T: Deserialize<'de>>(document: &str, body: &'de [u8]) -> Result<T, AskError> {
    serde_json::from_slice(body).map_err(|error| {
        let problem = if error.is_data() { "its form is unexpected" } else { "it is not complete JSON" };
        parser_error(document, problem, &error)
    })
}

/// Deserializes an XML document.
fn from_xml<T: DeserializeOwned>(document: &str, body: &[u8]) -> Result<T, AskError> {
    quick_xml::de::from_reader(body).map_err(|error| {
        let is_form = matches!(error, quick_xml::DeError::Custom(_));
        let problem = if is_form { "its form is unexpected" } else { "it is not complete XML" };
        parser_error(document, problem, &error)
    })
}

/// The items of a list that have the expected form.
struct ValidItems<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ValidItems<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items: Vec<IfValid<T>> = Deserialize::deserialize(deserializer)?;
        Ok(Self(items.into_iter().filter_map(|item| item.0).collect()))
    }
}

/// The entries of an object whose values have the expected form.
struct ValidEntries<T>(Vec<(Name, T)>);

impl<T> Default for ValidEntries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ValidEntries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries: std::collections::BTreeMap<Name, IfValid<T>> = Deserialize::deserialize(deserializer)?;
        Ok(Self(entries.into_iter().filter_map(|(name, value)| Some((name, value.0?))).collect()))
    }
}

/// The price that a text or number states, if it is above zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Text")]
struct Price(Option<Money>);

impl From<Text> for Price {
    fn from(text: Text) -> Self {
        Self(price(&text))
    }
}

/// The price that a text states, if it is above zero.
fn price(text: &str) -> Option<Money> {
    text.parse().ok().filter(|amount| *amount > Money::ZERO)
}

/// A clean name, unless it is empty or longer than any of AWS's.
fn name(text: &str) -> Option<Name> {
    let name = clean_compact(text.trim());
    (!name.is_empty() && name.len() <= 64).then_some(name)
}

/// The size of an instance type, from AWS's texts `8` and `16 GiB`.
fn size(vcpu: &str, memory: &str) -> Option<Size> {
    let gib: Money = memory.trim().strip_suffix("GiB")?.trim().replace(',', "").parse().ok()?;
    // `0.613 GiB` is rounded down, as by EC2's own API.
    let memory_mib = u32::try_from(gib.nanos().checked_mul(1024)? / 1_000_000_000).ok()?;
    let size = Size { vcpu: vcpu.trim().parse().ok()?, memory_mib };
    (size.vcpu > 0 && size.memory_mib > 0).then_some(size)
}
