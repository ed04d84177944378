//! Where a row stands between being asked for and being gone.

use crate::model::{ConditionStatus, Name, Node, NodeClaim, TaintEffect, key};

/// State of a row: the first rule that holds, top to bottom (Karpenter `pkg/controllers/nodeclaim/lifecycle` and
/// `pkg/controllers/node/termination`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowState {
    /// Neither node nor claim exists any more: a tombstone.
    Gone,
    /// The claim is being deleted without ever having had a machine.
    LaunchFailed,
    /// The machine is being stopped; still paid for.
    Terminating,
    /// Being emptied before it goes.
    Draining {
        /// The pods are gone, volumes are being detached.
        detaching_volumes: bool,
    },
    /// Chosen for disruption; waits for its replacement.
    Disrupted {
        /// `Underutilized`, `Empty`, `Drifted`; empty when only the taint tells.
        reason: Name,
    },
    /// A claim that has no machine yet.
    PendingClaim {
        /// The reason of a launch that does not succeed; empty while it is simply waited for.
        failing: Name,
    },
    /// The machine starts; no node has joined.
    Launching,
    /// The node is there, registration is not finished.
    Joining,
    /// Registered, not initialized.
    Initializing {
        /// What is waited for: `StartupTaintsExist`, `ResourceNotRegistered` …
        reason: Name,
    },
    /// The kubelet is silent.
    Unreachable,
    /// The kubelet says it is not ready.
    NotReady,
    /// Closed for new pods by hand.
    Cordoned,
    /// In service.
    #[default]
    Ready,
    /// Only its name is known, from pods (nodes may not be read).
    Mentioned,
}

impl RowState {
    /// The word in the status column and in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Gone => "Gone",
            Self::LaunchFailed => "LaunchFailed",
            Self::Terminating => "Terminating",
            Self::Draining { .. } => "Draining",
            Self::Disrupted { .. } => "Disrupted",
            Self::PendingClaim { .. } => "Pending",
            Self::Launching => "Launching",
            Self::Joining => "Joining",
            Self::Initializing { .. } => "Initializing",
            Self::Unreachable => "Unreachable",
            Self::NotReady => "NotReady",
            Self::Cordoned => "Cordoned",
            Self::Ready => "Ready",
            Self::Mentioned => "Unknown",
        }
    }

    /// Every word [`Self::name`] can return: the filter's vocabulary.
    pub const NAMES: [&'static str; 14] = [
        "Gone",
        "LaunchFailed",
        "Terminating",
        "Draining",
        "Disrupted",
        "Pending",
        "Launching",
        "Joining",
        "Initializing",
        "Unreachable",
        "NotReady",
        "Cordoned",
        "Ready",
        "Unknown",
    ];
}

impl RowState {
    /// The state of what is there of a row; [`Self::Gone`] when nothing is.
    pub fn of(node: Option<&Node>, claim: Option<&NodeClaim>) -> Self {
        let (claim_deleting, launched) =
            claim.map_or((false, false), |c| (c.deleted.is_some(), !c.provider_id.is_empty()));
        match (node, claim) {
            (None, None) => Self::Gone,
            (None, Some(_)) if claim_deleting && !launched => Self::LaunchFailed,
            (_, Some(c)) if c.is("InstanceTerminating") => Self::Terminating,
            (None, Some(_)) if claim_deleting => Self::Terminating,
            (None, Some(_)) if launched => Self::Launching,
            (None, Some(c)) => Self::PendingClaim { failing: failing(c) },
            (Some(n), c) if n.deleted.is_some() || claim_deleting => Self::Draining {
                detaching_volumes: c.is_some_and(|c| {
                    c.is("Drained")
                        && c.condition("VolumesDetached").is_some_and(|v| v.status == ConditionStatus::Unknown)
                }),
            },
            (Some(n), c) => Self::of_standing(n, c),
        }
    }

    /// The state of a node that nobody is deleting.
    fn of_standing(node: &Node, claim: Option<&NodeClaim>) -> Self {
        let chosen = claim.and_then(|c| c.condition("DisruptionReason")).filter(|c| c.status == ConditionStatus::True);
        let disrupted = node.has_taint(key::TAINT_DISRUPTED, &TaintEffect::NoSchedule)
            || node.has_taint(key::TAINT_DISRUPTION, &TaintEffect::NoSchedule);
        if disrupted || chosen.is_some() {
            return Self::Disrupted { reason: chosen.map(|c| c.reason.clone()).unwrap_or_default() };
        }
        if claim.is_some_and(|c| !c.is("Registered"))
            || node.has_taint(key::TAINT_UNREGISTERED, &TaintEffect::NoExecute)
        {
            return Self::Joining;
        }
        if let Some(claim) = claim.filter(|c| !c.is("Initialized")) {
            let reason = claim.condition("Initialized").map(|c| c.reason.clone()).unwrap_or_default();
            return Self::Initializing { reason };
        }
        match node.condition("Ready").map_or(ConditionStatus::Unknown, |c| c.status) {
            ConditionStatus::Unknown => Self::Unreachable,
            ConditionStatus::False => Self::NotReady,
            ConditionStatus::True if node.unschedulable => Self::Cordoned,
            ConditionStatus::True => Self::Ready,
        }
    }
}

/// The reason of a launch that does not succeed: `Launched` is never False, it stays Unknown with a reason (Karpenter
/// `pkg/controllers/nodeclaim/lifecycle/launch.go`). Empty while it is simply under way.
fn failing(claim: &NodeClaim) -> Name {
    match claim.condition("Launched") {
        Some(c) if c.status == ConditionStatus::Unknown && c.reason != "AwaitingReconciliation" => c.reason.clone(),
        _ => Name::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Condition, Taint, Timestamp};
    use test_case::test_case;

    fn condition(kind: &str, status: ConditionStatus, reason: &str) -> Condition {
        Condition { kind: kind.into(), status, reason: reason.into(), ..Condition::default() }
    }

    fn node(edit: impl FnOnce(&mut Node)) -> Node {
        let mut node = Node { conditions: vec![condition("Ready", ConditionStatus::True, "")], ..Node::default() };
        edit(&mut node);
        node
    }

    fn claim(edit: impl FnOnce(&mut NodeClaim)) -> NodeClaim {
        let up = |kind| condition(kind, ConditionStatus::True, kind);
        let mut claim =
            NodeClaim { conditions: vec![up("Launched"), up("Registered"), up("Initialized")], ..NodeClaim::default() };
        claim.provider_id = "aws:///z/i-1".into();
        edit(&mut claim);
        claim
    }

    fn set(claim: &mut NodeClaim, kind: &str, status: ConditionStatus, reason: &str) {
        claim.conditions.retain(|c| c.kind != kind);
        claim.conditions.push(condition(kind, status, reason));
    }

    fn taint(key: &str, effect: TaintEffect) -> Taint {
        Taint { key: key.into(), value: Name::default(), effect }
    }

    #[expect(clippy::needless_pass_by_value, reason = "a case reads best when it is built where it is asked")]
    fn state(node: Option<Node>, claim: Option<NodeClaim>) -> RowState {
        RowState::of(node.as_ref(), claim.as_ref())
    }

    #[test]
    fn claim_is_shown_before_launch() {
        let fresh = claim(|c| {
            c.provider_id = Name::default();
            c.conditions = vec![condition("Launched", ConditionStatus::Unknown, "AwaitingReconciliation")];
        });
        assert_eq!(state(None, Some(fresh.clone())), RowState::PendingClaim { failing: Name::default() });
        let mut failing = fresh.clone();
        set(&mut failing, "Launched", ConditionStatus::Unknown, "VCPULimitExceeded");
        assert_eq!(state(None, Some(failing.clone())), RowState::PendingClaim { failing: "VCPULimitExceeded".into() });
        failing.deleted = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(state(None, Some(failing)), RowState::LaunchFailed);
        assert_eq!(state(None, Some(claim(|_| ()))), RowState::Launching);
    }

    #[test]
    fn finalising_claim_is_not_a_new_node() {
        let ending = claim(|c| {
            c.deleted = Some(Timestamp::UNIX_EPOCH);
            set(c, "Ready", ConditionStatus::Unknown, "ReconcilingDependents");
        });
        assert_eq!(state(None, Some(ending)), RowState::Terminating);
    }

    #[test_case(key::TAINT_DISRUPTED, TaintEffect::NoSchedule => "Disrupted")]
    #[test_case(key::TAINT_DISRUPTION, TaintEffect::NoSchedule => "Disrupted" ; "before karpenter 1")]
    #[test_case(key::TAINT_DISRUPTED, TaintEffect::NoExecute => "Ready" ; "a taint matches by key and effect")]
    #[test_case(key::TAINT_UNREGISTERED, TaintEffect::NoExecute => "Joining")]
    #[test_case("node.kubernetes.io/unschedulable", TaintEffect::NoSchedule => "Ready")]
    fn disrupted_taint_is_recognised(key: &str, effect: TaintEffect) -> &'static str {
        state(Some(node(|n| n.taints.push(taint(key, effect)))), None).name()
    }

    #[test]
    fn a_node_without_a_claim_has_no_initializing_state() {
        assert_eq!(state(Some(node(|_| ())), None), RowState::Ready);
        assert_eq!(state(Some(node(|n| n.unschedulable = true)), None), RowState::Cordoned);
        assert_eq!(state(Some(node(|n| n.conditions[0].status = ConditionStatus::False)), None), RowState::NotReady);
        assert_eq!(
            state(Some(node(|n| n.conditions[0].status = ConditionStatus::Unknown)), None),
            RowState::Unreachable
        );
        assert_eq!(state(Some(node(|n| n.conditions.clear())), None), RowState::Unreachable);
    }

    #[test]
    fn a_node_with_a_claim_passes_its_stages() {
        let joining = claim(|c| set(c, "Registered", ConditionStatus::Unknown, "NodeNotFound"));
        assert_eq!(state(Some(node(|_| ())), Some(joining)), RowState::Joining);
        let waiting = claim(|c| set(c, "Initialized", ConditionStatus::Unknown, "StartupTaintsExist"));
        assert_eq!(
            state(Some(node(|_| ())), Some(waiting)),
            RowState::Initializing { reason: "StartupTaintsExist".into() }
        );
        assert_eq!(state(Some(node(|_| ())), Some(claim(|_| ()))), RowState::Ready);
        let chosen = claim(|c| set(c, "DisruptionReason", ConditionStatus::True, "Underutilized"));
        assert_eq!(state(Some(node(|_| ())), Some(chosen)), RowState::Disrupted { reason: "Underutilized".into() });
    }

    #[test]
    fn deletion_comes_before_disruption_and_ends_in_terminating() {
        let deleting = claim(|c| {
            c.deleted = Some(Timestamp::UNIX_EPOCH);
            set(c, "DisruptionReason", ConditionStatus::True, "Empty");
        });
        assert_eq!(state(Some(node(|_| ())), Some(deleting.clone())), RowState::Draining { detaching_volumes: false });
        let mut detaching = deleting.clone();
        set(&mut detaching, "Drained", ConditionStatus::True, "Drained");
        set(&mut detaching, "VolumesDetached", ConditionStatus::Unknown, "AwaitingVolumeDetachment");
        assert_eq!(state(Some(node(|_| ())), Some(detaching.clone())), RowState::Draining { detaching_volumes: true });
        set(&mut detaching, "InstanceTerminating", ConditionStatus::True, "");
        assert_eq!(state(Some(node(|_| ())), Some(detaching)), RowState::Terminating);
        let deleted = node(|n| n.deleted = Some(Timestamp::UNIX_EPOCH));
        assert_eq!(state(Some(deleted), None), RowState::Draining { detaching_volumes: false });
        assert_eq!(state(None, None), RowState::Gone);
    }

    #[test]
    fn every_state_is_in_the_list_of_names() {
        let names = [RowState::Gone, RowState::Ready, RowState::Mentioned, RowState::Launching].map(|s| s.name());
        assert!(names.iter().all(|n| RowState::NAMES.contains(n)));
    }
}
