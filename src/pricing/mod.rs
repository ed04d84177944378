//! Prices without I/O: what a node is to the bill, and what it costs by the hour.
//!
//! An [`Offer`] is everything that decides a price, read from labels once when they change; a [`PriceBook`] answers it with a
//! [`Quote`]. Both are pure: a node is quoted again whenever its offer or the book changes. The region is the node's own, and a
//! price that the book does not have is unknown, with the reason: never zero, never the price of another region.
//!
//! ```text
//! labels of node and claim ─────────▶ Offer ─┐
//! assets/prices/*.csv ──▶ embedded ──┐       │
//! price sources ──▶ PriceSheet ──▶ answers ──┼──▶ PriceBook ──▶ Quote: instance + fee, mark, source, date
//! price label, price file, discounts ────────┘
//! Offers of all nodes ──▶ Demand: the prices that sources are asked for
//! ```

mod answers;
mod auto_fee;
mod book;
mod capacity_type;
mod demand;
mod discount;
mod embedded;
mod extra_costs;
mod fargate;
mod glob;
mod offer;
mod origin;
mod place;
mod price_file;
mod quote;
mod table;
#[cfg(test)]
mod table_files;

pub use answers::{
    EksPrices, OnDemandPrice, PriceNews, PriceSheet, Prices, SourceState, SpotPrice, SpotSaving, VolumePrice,
};
pub use book::{PriceBook, PriceTerms};
pub use capacity_type::CapacityType;
pub use demand::{Demand, OnDemandKey};
pub use discount::{DiscountOn, DiscountRule, Factor, FactorError};
pub use extra_costs::{ClusterSupport, ControlPlane, ExtraCosts, SupportPhase, SupportType, VolumePart, VolumesQuote};
pub use fargate::FargatePods;
pub use glob::{Glob, GlobError};
pub use offer::{BadOverride, ComputeType, Offer, Os, Tenancy};
pub use origin::{AsOf, Origin, PriceSource};
pub use place::{Partition, Zone, ZoneKind, region_of_endpoint};
pub use price_file::{PriceFile, PriceFileError, PriceRow};
pub use quote::{Amount, Basis, Component, Discount, Figure, Mark, PriceParts, Quote, Unknown};
pub use table::Size;
