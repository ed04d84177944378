//! The state: every change is folded in here, and nowhere else is anything remembered of the cluster.
//!
//! ```text
//! Cluster ─┬─ rows: RowId → Row ─┬─ node?   the Node as last seen
//!          │                     ├─ claim?  the NodeClaim joined to it, by Karpenter's own rule
//!          │                     └─ sums    what the pods with this node name ask for, by delta
//!          ├─ pods: compact rows, each remembers exactly what it contributed
//!          ├─ prices: the book, and how its sources are doing
//!          ├─ pools, pdbs, streams, events (a bounded ring)
//!          └─ changed: rows touched since somebody looked (see insight::View)
//! ```
//!
//! Always true: sums are integers and equal a rebuild from the same objects; a row exists from the first mention of
//! its node's name by anything; the order in which objects of different kinds arrive changes nothing.

mod changed_parts;
mod classes;
#[expect(clippy::module_inception, reason = "the file of the type that the room is named for")]
mod cluster;
mod costs;
mod events;
mod flags;
mod fold;
mod ids;
mod intern;
mod join;
mod karpenter_message;
mod lane;
mod leaving;
mod leaving_taint;
mod pod_counts;
mod pods;
mod prices;
mod row;
mod state;
mod sums;

pub use changed_parts::ChangedParts;
pub use cluster::{Cluster, StreamHealth, UnreadableObjects};
pub use events::{EventLine, EventLog, EventQuery, ObjectSet};
pub use flags::{Flag, Flags};
pub use ids::RowId;
pub use karpenter_message::KarpenterMessage;
pub use lane::Lane;
pub use leaving::Leaving;
pub use pod_counts::{PodCounts, PodState};
pub use pods::{PodRow, UnscheduledReason};
pub use prices::{Prices, UnmatchedTerm};
pub use row::{ManagedBy, Row, permille, share};
pub use state::RowState;
pub use sums::Sums;

/// How a machine is bought: decided with the price, shown with the row.
pub use crate::pricing::CapacityType;
