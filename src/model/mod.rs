//! The data model: Kubernetes and Karpenter objects, and the changes of a cluster, as plain data.
//!
//! Every source (live watches, the demo, a scenario file) sends only [`Change`]s to the state. All types are
//! serialisable, own their data, and contain no wire types of Kubernetes. Sources sanitize all text by
//! [`crate::units::text::clean`].

mod change;
mod claim;
mod class;
mod clock;
mod condition;
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
pub use clock::Clock;
pub use condition::{Condition, ConditionHealth, ConditionStatus};
pub use event::{Event, EventKind, ObjectRef};
pub use labels::{Labels, key};
pub use link::{LinkState, Stream};
pub use node::{Node, Taint, TaintEffect};
pub use nodepool::{Budget, DisruptionBudget, NodePool};
pub use placement::{Placement, Requirement, Toleration};
pub use pod::{Owner, Pod, PodClass, PodKey, PodPhase, Scheduling};
pub use resources::{Resource, Resources, Usage};
pub use uid::Uid;

/// The string type of the model: up to 24 bytes are stored without an allocation.
pub use compact_str::CompactString as Name;
/// A point in time, in UTC.
pub use jiff::Timestamp;
