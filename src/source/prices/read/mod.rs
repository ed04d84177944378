//! What AWS's price files and answers say, read from their bytes.
//!
//! Always true here: nothing is asked for, nothing is remembered; any bytes give a result or a [`ReadError`], never a
//! panic; a field that is not known is passed over, an item that makes no sense is left out (and counted, where
//! somebody asks) and never takes the rest with it; a price is above zero, or it is no price; text is clean.
//!
//! | file or answer | reader | documented by AWS |
//! |---|---|---|
//! | on-demand price page | [`price_page`] | no |
//! | AmazonEKS price list | [`eks_list`] | yes |
//! | AmazonEC2 price list (read by the maker of the embedded table alone) | [`ec2_list`] | yes |
//! | `pricing:GetProducts` | [`products`] | yes |
//! | `eks:DescribeCluster`, `eks:DescribeClusterVersions` | [`cluster_support`] | yes |
//! | `ec2:DescribeSpotPriceHistory` | [`spot_history`] | yes |
//! | `sts:GetCallerIdentity` | [`caller_identity`] | yes |
//! | spot price page | [`spot_feed`] | no |
//! | spot advisor | [`spot_advisor`] | no |
//!
//! Where AWS documents nothing, the shape is what public programs read: `alexei-led/spotinfo` (advisor, feed),
//! `infracost/cloud-pricing-api` (feed), and the many that read the price page's `regions.*.*`.

pub mod caller_identity;
pub mod cluster_support;
pub mod ec2_list;
pub mod eks_list;
mod offer_file;
pub mod price_page;
pub mod products;
mod slim;
pub mod spot_advisor;
pub mod spot_feed;
pub mod spot_history;
#[cfg(test)]
mod tests;
mod xml;

use crate::model::Name;
use crate::pricing::{OnDemandPrice, Size};
use crate::units::Money;
use crate::units::text::{clean, clean_compact, cut_end};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Why a document could not be read at all. Completes "failed to …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not JSON or XML, or cut short.
    #[error("read {document}: {}", no_whole(.format, .why))]
    Garbled {
        /// Which document.
        document: &'static str,
        /// What it should be written in.
        format: &'static str,
        /// What the parser found, and where.
        why: String,
    },
    /// Well written, but of another shape: an error page, another service's file, a new format.
    #[error("read {document}: {}", other_shape(.expected))]
    Shape {
        /// Which document.
        document: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
}

impl ReadError {
    /// The document, as it is named in sentences.
    pub const fn document(&self) -> &'static str {
        match self {
            Self::Garbled { document, .. } | Self::Shape { document, .. } => document,
        }
    }

    /// What is wrong with it, for where the document is named beside it.
    pub fn reason(&self) -> String {
        match self {
            Self::Garbled { format, why, .. } => no_whole(format, why),
            Self::Shape { expected, .. } => other_shape(expected),
        }
    }

    /// A parser's complaint. It is cleaned and cut, because parsers quote what they found.
    fn garbled(document: &'static str, format: &'static str, why: &impl std::fmt::Display) -> Self {
        let why = why.to_string();
        Self::Garbled { document, format, why: cut_end(&clean(&why), 200).into_owned() }
    }
}

fn no_whole(format: &str, why: &str) -> String {
    format!("it is no whole {format} ({why})")
}

fn other_shape(expected: &str) -> String {
    format!("it is of another shape (expected {expected})")
}

/// A price that something is sold at: exact, and above zero.
fn price(text: &str) -> Option<Money> {
    text.parse().ok().filter(|amount| *amount > Money::ZERO)
}

/// A name fit for the model: clean, not empty, and no longer than any name of AWS's.
fn name(text: &str) -> Option<Name> {
    let name = clean_compact(text.trim());
    (!name.is_empty() && name.len() <= 64).then_some(name)
}

/// What a type is made of, as AWS writes it: `8` and `16 GiB`.
fn size(vcpu: Option<&str>, memory: Option<&str>) -> Option<Size> {
    let gib: Money = memory?.trim().strip_suffix("GiB")?.trim().replace(',', "").parse().ok()?;
    // Rounded down where it is no whole number (`0.613 GiB`), as EC2's own API does.
    let memory_mib = u32::try_from(gib.nanos().checked_mul(1024)? / 1_000_000_000).ok()?;
    let size = Size { vcpu: vcpu?.trim().parse().ok()?, memory_mib };
    (size.vcpu > 0 && size.memory_mib > 0).then_some(size)
}

/// One price for each type, by name: a price of its own before one that stands in, then the lower.
fn one_each(prices: impl IntoIterator<Item = (Name, bool, Money)>) -> Vec<OnDemandPrice> {
    let mut best: BTreeMap<Name, (bool, Money)> = BTreeMap::new();
    for (instance_type, estimated, amount) in prices {
        match best.entry(instance_type) {
            Entry::Vacant(place) => {
                place.insert((estimated, amount));
            }
            Entry::Occupied(mut place) => {
                let better = (*place.get()).min((estimated, amount));
                place.insert(better);
            }
        }
    }
    let price = |(instance_type, (estimated, amount))| OnDemandPrice { instance_type, amount, estimated };
    best.into_iter().map(price).collect()
}
