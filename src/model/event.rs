use super::{Name, Timestamp, Uid};
use serde::{Deserialize, Serialize};

/// A core/v1 Event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// `metadata.uid` of the Event object; repetitions of an event update the same object.
    pub uid: Uid,
    /// Normal or Warning.
    pub kind: EventKind,
    /// `reason`; may be empty.
    pub reason: Name,
    /// `message`.
    pub message: String,
    /// `reportingComponent`, else `source.component`.
    pub component: Name,
    /// `involvedObject`.
    pub object: ObjectRef,
    /// First occurrence: eventTime, else firstTimestamp, else creation.
    pub first: Timestamp,
    /// Last occurrence: series.lastObservedTime, else lastTimestamp, else eventTime, else creation.
    pub last: Timestamp,
    /// series.count, else count, at least 1.
    pub count: u32,
}

/// `type` of an Event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// Information.
    #[default]
    Normal,
    /// A problem, or a possible one.
    Warning,
}

/// The object that an event regards. Nodes are matched by kind and name, because older kubelets write the name as UID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectRef {
    /// `Pod`, `Node`, `NodeClaim` …
    pub kind: Name,
    /// Empty for cluster-scoped objects.
    pub namespace: Name,
    /// Name.
    pub name: Name,
}
