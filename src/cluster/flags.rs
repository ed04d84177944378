//! What is remarkable of a machine beside its state.

use super::{Row, RowState};
use crate::model::{Condition, Timestamp};

/// One remarkable thing, true whatever the state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// Claim condition `Drifted`: nodepool or node class have changed since (Karpenter `pkg/controllers/nodeclaim/disruption`).
    Drifted,
    /// A node condition by which Karpenter repairs nodes is bad, and no repair has begun (AWS provider
    /// `pkg/cloudprovider/cloudprovider.go`, `RepairPolicies`).
    Unhealthy,
    /// Node annotation `karpenter.sh/do-not-disrupt: "true"`.
    DoNotDisrupt,
    /// Annotation `karpenter.sh/do-not-repair: "true"` of the node; of the claim until the node is registered (Karpenter
    /// 1.15, `pkg/controllers/state/statenode.go`, `Annotations`).
    DoNotRepair,
    /// An empty node that Karpenter keeps for a `CapacityBuffer`, by its event.
    KeptForBuffer,
    /// Its `expireAfter` ends within a tenth of its length, a day at most.
    Expiring,
}

impl Flag {
    /// Every flag, the most urgent first.
    pub const ALL: [Self; 6] =
        [Self::Unhealthy, Self::Drifted, Self::Expiring, Self::KeptForBuffer, Self::DoNotRepair, Self::DoNotDisrupt];

    /// Its name in JSON and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drifted => "Drifted",
            Self::Unhealthy => "Unhealthy",
            Self::DoNotDisrupt => "DoNotDisrupt",
            Self::DoNotRepair => "DoNotRepair",
            Self::KeptForBuffer => "KeptForBuffer",
            Self::Expiring => "Expiring",
        }
    }
}

/// A set of [`Flag`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    const fn with(self, flag: Flag, set: bool) -> Self {
        if set { Self(self.0 | 1 << flag as u8) } else { self }
    }

    /// Whether a flag is set.
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & (1 << flag as u8) != 0
    }

    /// The flags that are set, in the order of [`Flag::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |flag| self.has(*flag))
    }
}

/// Karpenter repeats `Unconsolidatable` every 15 minutes at most (`pkg/controllers/disruption/events`).
const BUFFER_EVENT_SECONDS: i64 = 20 * 60;
/// The longest time before its end that a node is expiring.
const EXPIRING_SECONDS: i64 = 24 * 60 * 60;

impl Row {
    /// What is remarkable of it now. Nothing of a row that is gone.
    pub fn flags(&self, now: Timestamp) -> Flags {
        if self.gone.is_some() {
            return Flags::default();
        }
        let (node, claim) = (self.node(), self.claim());
        let is_empty = self.sums.workload_pods() == 0;
        let buffered = self.buffered.is_some_and(|at| now.as_second() - at.as_second() <= BUFFER_EVENT_SECONDS);
        let in_service =
            matches!(self.state, RowState::Ready | RowState::NotReady | RowState::Unreachable | RowState::Cordoned);
        let unregistered = claim.filter(|c| !c.is("Registered"));
        let do_not_repair = unregistered.map(|c| c.do_not_repair).or(node.map(|n| n.do_not_repair));
        let expires = claim.filter(|c| c.deleted.is_none()).and_then(|claim| {
            let life = claim.expire_after_seconds?;
            let left = claim.created.as_second().saturating_add(life) - now.as_second();
            Some(left <= EXPIRING_SECONDS.min(life / 10))
        });
        Flags::default()
            .with(Flag::Drifted, claim.is_some_and(|c| c.is("Drifted")))
            .with(
                Flag::Unhealthy,
                in_service && node.is_some_and(|n| n.conditions.iter().any(Condition::is_repairable_fault)),
            )
            .with(Flag::DoNotDisrupt, node.is_some_and(|n| n.do_not_disrupt))
            .with(Flag::DoNotRepair, do_not_repair == Some(true))
            .with(Flag::KeptForBuffer, in_service && is_empty && buffered)
            .with(Flag::Expiring, expires == Some(true))
    }
}
