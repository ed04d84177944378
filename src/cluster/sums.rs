//! What the pods of a row add up to.

use super::PodCounts;
use crate::model::Resources;
use crate::pricing::FargatePods;

/// What the pods bound to one node name add up to. A pod counts from binding until it is gone or has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Effective requests; `pods` is the number of counted pods.
    pub requests: Resources,
    /// Effective limits.
    pub limits: Resources,
    /// The share of [`Self::requests`] that DaemonSet and static pods ask.
    pub overhead: Resources,
    /// The extended resources among [`Self::requests`] that pods get by resource claims ([`crate::model::Pod::by_claim`]).
    pub claimed: Resources,
    /// What Fargate gave them: all that a Fargate node offers. `pods` is how many say so.
    pub provisioned: Resources,
    /// How many say what Fargate gave them in a form that is not understood.
    pub unread_provisions: u64,
    /// Bound pods by state; `unscheduled` is always 0 here.
    pub pods: PodCounts,
}

impl Sums {
    /// The pods that are neither of a DaemonSet nor static.
    pub const fn workload_pods(&self) -> u64 {
        self.requests.pods.saturating_sub(self.overhead.pods)
    }

    /// What they say of the size of a Fargate node, on which no DaemonSet runs.
    pub(super) const fn fargate(&self) -> FargatePods {
        let (all, overhead) = (&self.requests, &self.overhead);
        FargatePods {
            given: self.provisioned.pods,
            given_cpu_millicores: self.provisioned.cpu_millicores,
            given_memory_bytes: self.provisioned.memory_bytes,
            unread: self.unread_provisions,
            pods: all.pods.saturating_sub(overhead.pods),
            requested_cpu_millicores: all.cpu_millicores.saturating_sub(overhead.cpu_millicores),
            requested_memory_bytes: all.memory_bytes.saturating_sub(overhead.memory_bytes),
        }
    }
}
