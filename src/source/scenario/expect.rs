//! The expected states of a scenario, as data; tests compare them with the folded changes.

use crate::model::{Name, Resource};
use crate::units::Money;

/// One `expect` line.
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// Its line number.
    pub line: u32,
    /// Its subject.
    pub subject: Subject,
    /// The expected facts.
    pub facts: Vec<Fact>,
}

/// The subject of an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The cluster.
    Totals,
    /// The row with this node name or instance ID, whether its node has joined or not.
    Node(Name),
    /// The row with this claim.
    Claim(Name),
}

/// An expected fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// `nodes 2`: Node objects.
    Nodes(u64),
    /// `claims 1`: claims without a node.
    ClaimsWithoutNode(u64),
    /// `pods 101`, `running 9` …
    Pods(PodCount, u64),
    /// `cpu 1000m/1930m 51.8%`: requests, allocatable (estimated before the node reports it), and the percentage.
    Requests {
        /// The resource.
        resource: Resource,
        /// Sum of requests: millicores for cpu, else whole units.
        requested: u64,
        /// Sum of allocatable in the same unit.
        allocatable: u64,
        /// The percentage as written; it is compared at this number of decimals, rounded half up.
        percent: Option<Name>,
    },
    /// `type c5a.large`.
    InstanceType(Name),
    /// `pool general-purpose`.
    Pool(Name),
    /// `zone ap-northeast-2b`.
    Zone(Name),
    /// `status Ready`: the state of the row.
    Status(Name),
    /// `instances 0.086`: hourly price of instances, without fees.
    Instances(Money),
    /// `instances-month 62.78`: the same for 730 hours, in cents.
    InstancesMonth(Money),
    /// `fees 0.01032`: hourly Auto Mode fees.
    Fees(Money),
    /// `unpriced 0`.
    Unpriced(u64),
}

/// A class of pods to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodCount {
    /// All pods that have not terminated; for a row, all bound to it.
    Total,
    /// Pending.
    Unscheduled,
    /// Bound and not running yet.
    Starting,
    /// Running.
    Running,
    /// Terminating.
    Terminating,
    /// Bound.
    Bound,
}
