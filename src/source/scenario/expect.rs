//! What a scenario says must be seen, as data: whoever folds its changes compares.

use crate::model::{Name, Resource};
use crate::units::Money;

/// One `expect` line.
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// Its line in the file.
    pub line: u32,
    /// What it is about.
    pub subject: Subject,
    /// What must hold, all of it.
    pub facts: Vec<Fact>,
}

/// What an expectation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The cluster.
    Totals,
    /// The row of the machine with this node or instance name, whether its node has joined or not.
    Node(Name),
    /// The row of the machine with this claim.
    Claim(Name),
}

/// One thing that must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// `nodes 2`: Node objects.
    Nodes(u64),
    /// `claims 1`: claims without a node.
    ClaimsWithoutNode(u64),
    /// `pods 101`, `running 9` …
    Pods(PodCount, u64),
    /// `cpu 1000m/1930m 51.8%`: requested of allocatable (or of what stands for it), and the percentage as written.
    Requests {
        /// Which resource.
        resource: Resource,
        /// Sum of requests: millicores for cpu, else whole units.
        requested: u64,
        /// Sum of allocatable in the same unit.
        allocatable: u64,
        /// Rounded half up to as many decimals as it has here.
        percent: Option<Name>,
    },
    /// `type c5a.large`.
    InstanceType(Name),
    /// `pool general-purpose`.
    Pool(Name),
    /// `zone ap-northeast-2b`.
    Zone(Name),
    /// `status Ready`: the row's state in one word.
    Status(Name),
    /// `instances 0.086`: machines by the hour, without fees.
    Instances(Money),
    /// `instances-month 62.78`: the same for 730 hours, to the cent.
    InstancesMonth(Money),
    /// `fees 0.01032`: Auto Mode fees by the hour.
    Fees(Money),
    /// `unpriced 0`.
    Unpriced(u64),
}

/// Which pods are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodCount {
    /// All that have not ended; on a row, all that are bound to it.
    Total,
    /// Without a node.
    Unscheduled,
    /// Bound, not running.
    Starting,
    /// Running.
    Running,
    /// Ending.
    Terminating,
    /// With a node.
    Bound,
}
