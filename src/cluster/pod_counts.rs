//! The states of a pod, and how many pods are in each.

use std::ops::{AddAssign, SubAssign};

/// What a pod is doing. Every pod that has not ended is in exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PodState {
    /// No node yet.
    Unscheduled,
    /// Bound, not running yet.
    Starting,
    /// Bound and running.
    Running,
    /// Phase Unknown: its node cannot be asked. It holds what it holds.
    Unknown,
    /// Deletion was asked; it holds what it holds until it is gone.
    Terminating,
}

impl PodState {
    /// The word on the screen and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unscheduled => "unscheduled",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Unknown => "unknown",
            Self::Terminating => "terminating",
        }
    }
}

/// Pods by state. All but `bound` add up to [`Self::total`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PodCounts {
    /// Without a node.
    pub unscheduled: u64,
    /// Bound, not running yet.
    pub starting: u64,
    /// Running.
    pub running: u64,
    /// Of phase Unknown.
    pub unknown: u64,
    /// Being deleted, bound or not.
    pub terminating: u64,
    /// With a node, in whatever state.
    pub bound: u64,
}

impl PodCounts {
    /// All pods that have not ended.
    pub const fn total(&self) -> u64 {
        self.unscheduled + self.starting + self.running + self.unknown + self.terminating
    }

    /// Counts of one pod.
    pub(super) fn one(state: PodState, bound: bool) -> Self {
        let is = |s| u64::from(state == s);
        Self {
            unscheduled: is(PodState::Unscheduled),
            starting: is(PodState::Starting),
            running: is(PodState::Running),
            unknown: is(PodState::Unknown),
            terminating: is(PodState::Terminating),
            bound: u64::from(bound),
        }
    }
}

impl AddAssign for PodCounts {
    fn add_assign(&mut self, o: Self) {
        self.unscheduled += o.unscheduled;
        self.starting += o.starting;
        self.running += o.running;
        self.unknown += o.unknown;
        self.terminating += o.terminating;
        self.bound += o.bound;
    }
}

impl SubAssign for PodCounts {
    fn sub_assign(&mut self, o: Self) {
        self.unscheduled = self.unscheduled.saturating_sub(o.unscheduled);
        self.starting = self.starting.saturating_sub(o.starting);
        self.running = self.running.saturating_sub(o.running);
        self.unknown = self.unknown.saturating_sub(o.unknown);
        self.terminating = self.terminating.saturating_sub(o.terminating);
        self.bound = self.bound.saturating_sub(o.bound);
    }
}
