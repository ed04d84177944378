use super::{Name, Timestamp, Uid};
use serde::{Deserialize, Serialize};

/// A core/v1 Event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// `metadata.uid` of the Event object; repeats of one event are updates of one object.
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
    /// First time: eventTime, else firstTimestamp, else creation.
    pub first: Timestamp,
    /// Last time: series.lastObservedTime, else lastTimestamp, else eventTime, else creation.
    pub last: Timestamp,
    /// series.count, else count, at least 1.
    pub count: u32,
}

/// `type` of an Event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// Nothing to worry about.
    #[default]
    Normal,
    /// Something is or may go wrong.
    Warning,
}

/// The object an event is about. Nodes are matched by kind and name: older kubelets write the name as uid.
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
