//! Money without I/O: what a machine is to the bill, and what that costs by the hour.
//!
//! An [`Offer`] is everything that decides a price, read from labels; a [`PriceBook`] answers with a [`Quote`]. Both are
//! pure: a price is recomputed whenever a label or the book changes, and is never "unknown for a moment" in between.
//! The region is the node's own, and what the book does not know stays unknown, with its reason: never zero, never
//! another region's price.
//!
//! ```text
//! labels of node and claim ──▶ facts ──▶ Offer ──┐
//! assets/prices/*.csv ──▶ table ─────────────────┤
//! answers of sources ──▶ PriceSheet ──▶ learned ─┼──▶ PriceBook ──▶ Quote: machine + fee, mark, source, age
//! price label, price file, discounts of the user ─┘
//! Offers of all machines ──▶ Demand: what sources are asked for
//! ```

mod amount;
mod auto_fee;
mod book;
mod capacity_type;
mod control_plane;
mod demand;
mod discount;
mod extra_costs;
mod facts;
mod fargate;
mod glob;
mod hybrid;
mod learned;
mod news;
mod offer;
mod origin;
mod place;
mod price_file;
mod price_override;
mod quote;
mod sheet;
mod table;
#[cfg(test)]
mod table_files;
mod terms;
mod volumes;

pub use auto_fee::FeeShare;
pub use book::PriceBook;
pub use capacity_type::CapacityType;
pub use control_plane::{ClusterSupport, ControlPlane, Extended, SupportPhase, SupportType, region_of_endpoint};
pub use demand::{Demand, OnDemandKey};
pub use discount::{DiscountOn, DiscountRule, Factor, FactorError};
pub use extra_costs::ExtraCosts;
pub use fargate::FargatePods;
pub use glob::{Glob, GlobError};
pub use news::{PriceNews, SourceState};
pub use offer::{ComputeType, Offer, Os, Tenancy};
pub use origin::{AsOf, Origin, PriceSource};
pub use place::{Partition, Zone, ZoneKind};
pub use price_file::{PriceFile, PriceFileError, PriceFileProblem, PriceRow};
pub use price_override::{BadOverride, price_override};
pub use quote::{Amount, Basis, Bound, Component, Discount, Mark, PriceFigure, PriceParts, PriceSigns, Quote, Unknown};
pub use sheet::{EksPrices, OnDemandPrice, PriceSheet, Prices, SpotPrice, SpotSaving, VolumePrice};
pub use table::{ListPrice, Missing, Size};
pub use terms::PriceTerms;
pub use volumes::{VolumePart, VolumeUnknown, VolumesQuote};
pub(crate) use volumes::{has_volumes, launched_with};
