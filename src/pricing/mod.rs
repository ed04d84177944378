//! Money without I/O: what a machine is to the bill, and what that costs by the hour.
//!
//! An [`Offer`] is everything that decides a price, read from labels; a [`PriceBook`] answers with a [`Quote`]. Both are
//! pure: a price is recomputed whenever a label or the book changes, and is never "unknown for a moment" in between.
//! The region is the node's own, and what the book does not know stays unknown, with its reason: never zero, never
//! another region's price.
//!
//! ```text
//! labels of node and claim ──▶ facts ──▶ Offer ──┐
//! assets/prices/*.csv ──▶ pack ──▶ table ────────┼──▶ PriceBook ──▶ Quote: machine + fee, mark, source, age
//! price label ──▶ price_override ────────────────┘
//! ```

mod auto_fee;
mod book;
mod capacity_type;
mod facts;
mod offer;
mod pack;
#[cfg(test)]
mod pack_write;
mod place;
mod price_override;
mod quote;
mod table;

pub use auto_fee::FeeShare;
pub use book::PriceBook;
pub use capacity_type::CapacityType;
pub use offer::{ComputeType, Offer, Os, Tenancy};
pub use pack::Size;
pub use place::{Partition, Zone, ZoneKind};
pub use price_override::{BadOverride, price_override};
pub use quote::{Amount, Mark, PriceSource, Quote, Unknown};
pub use table::{ListPrice, Missing};
