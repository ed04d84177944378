//! Money without I/O: what a machine is to the bill, and what that costs by the hour.
//!
//! `Offer` is what decides a price, read from labels; [`PriceBook`] answers with a [`Quote`]. Both are pure: a price is
//! recomputed whenever a label or the book changes, and is never "unknown for a moment" in between.

mod capacity_type;
mod quote;

pub use capacity_type::CapacityType;

pub use quote::{Amount, Mark, PriceSource, Quote, Unknown};

use crate::model::{Node, NodeClaim};

/// Everything known of prices: the embedded table and what the settings say.
#[derive(Clone, Debug, Default)]
pub struct PriceBook {
    _private: (),
}

impl PriceBook {
    /// The price of a node; its claim, if any, tells what the node's labels do not (yet).
    pub fn quote_node(&self, _node: &Node, _claim: Option<&NodeClaim>) -> Quote {
        unimplemented!()
    }

    /// The price of a claim whose node is not there (yet, or any more). None before it is launched: not billed.
    pub fn quote_claim(&self, _claim: &NodeClaim) -> Option<Quote> {
        unimplemented!()
    }
}
