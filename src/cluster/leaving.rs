//! Why a machine leaves, as far as objects and events tell.
//!
//! Objects are the truth; an event is a hint that may come late, be cut or be lost. So a reason is set at the first
//! sight of a deletion and made better by what arrives later, never worse.

use crate::model::{ConditionStatus, Event, EventKind, Name, Node, NodeClaim, Timestamp};
use rustc_hash::FxHashMap;

/// Why a row left or is leaving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// When its deletion (or its absence) was first seen.
    pub at: Timestamp,
    /// One phrase: `Underutilized`, `InsufficientCapacityError`, `SpotInterrupted`, `Expired`, `Deleted` …
    pub reason: Name,
    /// More, if an event said more; may be empty.
    pub message: String,
}

/// Reason when nothing tells more.
const DELETED: &str = "Deleted";
/// Karpenter deletes a claim that is not launched after this many seconds (`nodeclaim/lifecycle/liveness.go`).
const LAUNCH_TIMEOUT: i64 = 5 * 60;
/// And one whose node has not registered after this many.
const REGISTRATION_TIMEOUT: i64 = 15 * 60;
/// An announcement older than this explains nothing any more.
const SIGNAL_SECONDS: i64 = 10 * 60;
/// Signals kept before old ones are dropped.
const SIGNALS: usize = 2_048;

/// What an event announced about a node or a claim, by (object kind, name).
#[derive(Debug, Default)]
pub(super) struct Signals(FxHashMap<(Name, Name), Signal>);

#[derive(Clone, Debug)]
struct Signal {
    at: Timestamp,
    rank: u8,
    reason: Name,
    message: String,
}

impl Signals {
    /// Notes an event that explains a departure; true if it is one.
    pub(super) fn note(&mut self, event: &Event, now: Timestamp) -> bool {
        let Some((rank, reason)) = rank(event) else { return false };
        if now.as_second() - event.last.as_second() > SIGNAL_SECONDS {
            return false;
        }
        if self.0.len() >= SIGNALS {
            self.0.retain(|_, s| now.as_second() - s.at.as_second() <= SIGNAL_SECONDS);
        }
        let key = (event.object.kind.clone(), event.object.name.clone());
        let known = self.0.get(&key);
        if known.is_none_or(|k| rank >= k.rank) {
            self.0.insert(key, Signal { at: event.last, rank, reason, message: cause(&event.message).to_owned() });
        }
        true
    }

    fn of(&self, kind: &str, name: &str) -> Option<&Signal> {
        if name.is_empty() {
            return None;
        }
        self.0.get(&(kind.into(), name.into()))
    }

    /// When an interruption (not a decision of Karpenter) was announced for a node or its claim.
    pub(super) fn interrupted(&self, node: &str, claim: &str) -> Option<Timestamp> {
        let is = |s: &&Signal| s.rank == INTERRUPTED;
        let both = [self.of("Node", node).filter(is), self.of("NodeClaim", claim).filter(is)];
        both.into_iter().flatten().map(|s| s.at).min()
    }
}

/// The part of a message that says why: what EC2 answered, where Karpenter wraps it (`NodeClaim x event: insufficient
/// capacity, with fleet error(s), VcpuLimitExceeded: …`, `pkg/cloudprovider/events/events.go`).
fn cause(message: &str) -> &str {
    let unwrapped = message.split_once("fleet error(s), ").or_else(|| message.split_once(" event: "));
    unwrapped.map_or(message, |(_, cause)| cause)
}

const DISRUPTED: u8 = 1;
const NO_CAPACITY: u8 = 2;
const INTERRUPTED: u8 = 3;

fn rank(event: &Event) -> Option<(u8, Name)> {
    if !matches!(event.object.kind.as_str(), "Node" | "NodeClaim") {
        return None;
    }
    let warning = event.kind == EventKind::Warning;
    match event.reason.as_str() {
        "SpotInterrupted" | "CapacityReservationInstanceInterrupted" | "InstanceStopping" | "InstanceUnhealthy"
            if warning =>
        {
            Some((INTERRUPTED, event.reason.clone()))
        }
        // The condition of the same name is announced as Normal; only the warning is an interruption.
        "InstanceTerminating" if warning => Some((INTERRUPTED, event.reason.clone())),
        "InsufficientCapacityError" => Some((NO_CAPACITY, event.reason.clone())),
        "DisruptionTerminating" => {
            let reason = event.message.rsplit(": ").next().filter(|r| !r.contains(' ')).unwrap_or("Disrupted");
            Some((DISRUPTED, reason.into()))
        }
        _ => None,
    }
}

impl Leaving {
    /// The best reason now known for a row that is being deleted or is gone.
    pub(super) fn of(
        node: Option<&Node>,
        claim: Option<&NodeClaim>,
        signals: &Signals,
        known: Option<&Self>,
        now: Timestamp,
    ) -> Self {
        let at = known.map_or(now, |k| k.at);
        let (reason, message) = reason(node, claim, signals);
        match known {
            Some(known) if reason == DELETED && known.reason != DELETED => known.clone(),
            Some(_) | None => Self { at, reason, message },
        }
    }
}

fn reason(node: Option<&Node>, claim: Option<&NodeClaim>, signals: &Signals) -> (Name, String) {
    let plain = |reason: &str| (Name::from(reason), String::new());
    if let Some(c) = claim.and_then(|c| c.condition("DisruptionReason")).filter(|c| c.status == ConditionStatus::True) {
        return plain(&c.reason);
    }
    let of_node = node.and_then(|n| signals.of("Node", &n.name));
    let of_claim = claim.and_then(|c| signals.of("NodeClaim", &c.name));
    if let Some(signal) = of_node.into_iter().chain(of_claim).max_by_key(|s| s.rank) {
        return (signal.reason.clone(), signal.message.clone());
    }
    let Some(claim) = claim else { return plain(DELETED) };
    if let Some(launched) = claim.condition("Launched").filter(|c| c.status == ConditionStatus::Unknown)
        && launched.reason != "AwaitingReconciliation"
        && !launched.reason.is_empty()
    {
        return (launched.reason.clone(), launched.message.to_string());
    }
    if let Some(deleted) = claim.deleted {
        let age = deleted.as_second() - claim.created.as_second();
        if !claim.is("Launched") && age >= LAUNCH_TIMEOUT {
            return plain("LaunchTimeout");
        }
        if !claim.is("Registered") && age >= REGISTRATION_TIMEOUT {
            return plain("RegistrationTimeout");
        }
        if claim.expire_after_seconds.is_some_and(|limit| age >= limit - 5) {
            return plain("Expired");
        }
    }
    plain(DELETED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("NodeClaim a-1 event: insufficient capacity, with fleet error(s), VcpuLimitExceeded: limit of 32" => "VcpuLimitExceeded: limit of 32")]
    #[test_case("NodeClaim a-1 event: insufficient capacity, all requested instance types were unavailable during launch"
        => "insufficient capacity, all requested instance types were unavailable during launch")]
    #[test_case("Spot interruption warning was triggered" => "Spot interruption warning was triggered")]
    fn the_cause_is_what_ec2_said(message: &str) -> &str {
        cause(message)
    }
}
