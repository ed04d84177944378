//! The vocabulary: what a source says of a cluster, as plain data.
//!
//! A [`Change`] is the one thing that crosses from any source (live watches, the demo, a scenario file, a recording)
//! to the state. All types here are serialisable, own their data, and hold no Kubernetes wire type. Text in them has
//! passed [`crate::units::text::clean`] at the door.

mod change;
mod claim;
mod class;
mod event;
mod labels;
mod link;
mod node;
mod nodepool;
mod placement;
mod pod;
mod resources;
mod uid;

pub use change::{About, Change, Provisioner};
pub use claim::{ClaimRequirement, NodeClaim};
pub use class::{NodeClass, Volume};
pub use event::{Event, EventKind, ObjectRef};
pub use labels::{Labels, key};
pub use link::{LinkState, Stream};
pub use node::{Condition, ConditionStatus, Node, Taint, TaintEffect};
pub use nodepool::{Budget, DisruptionBudget, NodePool};
pub use placement::{Placement, Requirement, Toleration};
pub use pod::{Owner, Pod, PodClass, PodKey, PodPhase, Scheduling};
pub use resources::{Resource, Resources, Usage};
pub use uid::Uid;

/// A name as the model keeps it: up to 24 bytes without an allocation.
pub use compact_str::CompactString as Name;
/// A moment in UTC.
pub use jiff::Timestamp;
