//! Why a machine leaves, as far as objects and events tell.
//!
//! Objects are the truth; an event is a hint that may come late, be cut or be lost. So a reason is set at the first
//! sight of a deletion and made better by what arrives later, never worse.

use super::KarpenterMessage;
use super::leaving_taint::leaving_taint;
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

/// Reason of a claim whose nodepool is deleted: its claims go with it.
pub(super) const POOL_DELETED: &str = "NodePoolDeleted";
/// Reason of a claim that a static nodepool has no place for any more (Karpenter `pkg/controllers/static/deprovisioning`).
pub(super) const SCALED_IN: &str = "ScaledIn";
/// Reason when nothing tells more.
const DELETED: &str = "Deleted";
/// Karpenter deletes a claim that is not launched after this many seconds (`nodeclaim/lifecycle/liveness.go`).
pub(super) const LAUNCH_TIMEOUT: i64 = 5 * 60;
/// And one whose node has not registered after this many.
pub(super) const REGISTRATION_TIMEOUT: i64 = 15 * 60;
/// An announcement older than this explains nothing any more.
const SIGNAL_SECONDS: i64 = 10 * 60;
/// An event about a capacity buffer is kept for so long.
const BUFFER_SECONDS: i64 = 60 * 60;
/// Signals kept at the least before old ones are looked for.
const SIGNALS: usize = 2_048;

/// What events announced about nodes and claims. Bounded by what is announced in [`SIGNAL_SECONDS`].
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// By (object kind, name).
    by_object: FxHashMap<(Name, Name), Signal>,
    /// By node: when it was last reported to hold placeholders of a capacity buffer. Bounded as above.
    buffered: FxHashMap<Name, Timestamp>,
    /// How many there may be before old ones are dropped: twice what was left the last time, so that a storm of
    /// announcements does not search all of them for each.
    room: usize,
}

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
        if event.reason == "Unconsolidatable"
            && event.object.kind == "Node"
            && event.message.contains("has buffer pods")
        {
            if self.buffered.len() >= SIGNALS {
                self.buffered.retain(|_, at| now.as_second() - at.as_second() <= BUFFER_SECONDS);
            }
            self.buffered.insert(event.object.name.clone(), event.last);
            return true;
        }
        let Some((rank, reason)) = rank(event) else { return false };
        if now.as_second() - event.last.as_second() > SIGNAL_SECONDS {
            return false;
        }
        if self.by_object.len() >= self.room.max(SIGNALS) {
            self.by_object.retain(|_, s| now.as_second() - s.at.as_second() <= SIGNAL_SECONDS);
            self.room = 2 * self.by_object.len();
        }
        let key = (event.object.kind.clone(), event.object.name.clone());
        let known = self.by_object.get(&key);
        if known.is_none_or(|k| rank >= k.rank) {
            self.by_object.insert(
                key,
                Signal {
                    at: event.last,
                    rank,
                    reason,
                    message: KarpenterMessage::parse(&event.message).cloud_error().to_owned(),
                },
            );
        }
        true
    }

    /// What was announced for a node. Its name may have been another machine's before: what is older is not meant.
    fn of_node(&self, node: &Node) -> Option<&Signal> {
        self.by_object.get(&("Node".into(), node.name.clone())).filter(|s| s.at >= node.created)
    }

    /// What was announced for a claim, whose name is never used again.
    fn of_claim(&self, claim: &NodeClaim) -> Option<&Signal> {
        self.by_object.get(&("NodeClaim".into(), claim.name.clone()))
    }

    /// When a node was last reported to hold placeholders of a capacity buffer.
    pub(super) fn buffered(&self, node: &Node) -> Option<Timestamp> {
        self.buffered.get(&node.name).copied().filter(|at| *at >= node.created)
    }

    /// When an interruption (not a decision of Karpenter) was announced for a node or its claim.
    pub(super) fn interrupted(&self, node: Option<&Node>, claim: Option<&NodeClaim>) -> Option<Timestamp> {
        let both = [node.and_then(|n| self.of_node(n)), claim.and_then(|c| self.of_claim(c))];
        both.into_iter().flatten().filter(|s| s.rank == INTERRUPTED).map(|s| s.at).min()
    }
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
    /// Whether nothing explains it yet.
    pub(super) fn is_unexplained(&self) -> bool {
        self.reason == DELETED
    }

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
    let of_node = node.and_then(|n| signals.of_node(n));
    let of_claim = claim.and_then(|c| signals.of_claim(c));
    if let Some(signal) = of_node.into_iter().chain(of_claim).max_by_key(|s| s.rank) {
        return (signal.reason.clone(), signal.message.clone());
    }
    if let Some(taint) = node.and_then(leaving_taint) {
        return plain(taint.reason);
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
        if claim.expire_after_seconds.is_some_and(|limit| age >= limit.saturating_sub(5)) {
            return plain("Expired");
        }
    }
    plain(DELETED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectRef;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn interruption(node: &str, seconds: i64) -> Event {
        Event {
            kind: EventKind::Warning,
            reason: "SpotInterrupted".into(),
            object: ObjectRef { kind: "Node".into(), name: node.into(), ..ObjectRef::default() },
            last: at(seconds),
            ..Event::default()
        }
    }

    fn node(created: i64) -> Node {
        Node { name: "ip-10-0-1-7".into(), created: at(created), ..Node::default() }
    }

    #[test]
    fn what_was_announced_for_a_machine_is_not_told_of_the_next_one_of_its_name() {
        let mut signals = Signals::default();
        signals.note(&interruption("ip-10-0-1-7", 100), at(100));
        let (old, new) = (node(50), node(160));
        assert_eq!(signals.interrupted(Some(&old), None), Some(at(100)));
        assert_eq!(signals.interrupted(Some(&new), None), None);
        let reason = |node| Leaving::of(Some(node), None, &signals, None, at(170)).reason;
        assert_eq!((reason(&old).as_str(), reason(&new).as_str()), ("SpotInterrupted", DELETED));
    }

    #[test]
    fn announcements_are_forgotten_once_they_explain_nothing() {
        let mut signals = Signals::default();
        for second in 0..20_000 {
            signals.note(&interruption(&format!("n{second}"), second), at(second));
        }
        assert!(signals.by_object.len() <= SIGNALS, "{} are kept", signals.by_object.len());
        for n in 0..10_000 {
            signals.note(&interruption(&format!("storm{n}"), 20_000), at(20_000));
        }
        assert!(signals.room >= 10_000, "a storm is not searched for each of its events");
    }
}
