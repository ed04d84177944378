//! Where a row stands between being asked for and being gone.

use super::leaving_taint::{is_chosen, leaving_taint};
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
    /// Rebooted in place by Karpenter's node repair (1.15); it comes back.
    Rebooting {
        /// The condition and reason that it is rebooted for, `AcceleratedHardwareReady/NVIDIAXID95Error`; may be empty.
        cause: Name,
    },
    /// Chosen for disruption.
    Disrupted {
        /// `Underutilized`, `Empty`, `Drifted`, `Unhealthy`; empty where only the taint is set.
        reason: Name,
    },
    /// A claim that has no machine yet.
    PendingClaim {
        /// The reason of a launch that does not succeed; empty while it is simply waited for.
        failing: Name,
    },
    /// The machine starts; no node has joined.
    Launching,
    /// The claim is registered, and its node is not there: deleted, or not readable with these credentials.
    NodeMissing,
    /// The node is there, registration is not finished.
    Joining,
    /// Registered, not initialized.
    Initializing {
        /// What is waited for: `StartupTaintsExist`, `ResourceNotRegistered` …
        reason: Name,
    },
    /// The kubelet is silent.
    Unreachable,
    /// The kubelet reports that it is not ready, or has not reported anything yet.
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
            Self::Rebooting { .. } => "Rebooting",
            Self::Disrupted { .. } => "Disrupted",
            Self::PendingClaim { .. } => "Pending",
            Self::Launching => "Launching",
            Self::NodeMissing => "NodeMissing",
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
    pub const NAMES: [&'static str; 16] = [
        "Gone",
        "LaunchFailed",
        "Terminating",
        "Draining",
        "Rebooting",
        "Disrupted",
        "Pending",
        "Launching",
        "NodeMissing",
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
            (None, Some(c)) if c.is("Registered") => Self::NodeMissing,
            (None, Some(_)) if launched => Self::Launching,
            (None, Some(c)) => Self::PendingClaim { failing: failing(c) },
            (Some(n), c) if n.deleted.is_some() || claim_deleting => Self::Draining {
                detaching_volumes: c.is_some_and(|c| {
                    c.is("Drained")
                        && c.condition("VolumesDetached").is_some_and(|v| v.status == ConditionStatus::Unknown)
                }),
            },
            (Some(_), Some(c)) if c.is("Rebooting") => Self::Rebooting { cause: reboot_cause(c) },
            (Some(n), _) if leaving_taint(n).is_some() => Self::Draining { detaching_volumes: false },
            (Some(n), c) => Self::of_standing(n, c),
        }
    }

    /// The state of a node that is neither deleted nor rebooted.
    fn of_standing(node: &Node, claim: Option<&NodeClaim>) -> Self {
        let chosen = claim.and_then(|c| c.condition("DisruptionReason")).filter(|c| c.status == ConditionStatus::True);
        if is_chosen(node) || chosen.is_some() {
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
        match node.condition("Ready").map(|c| c.status) {
            Some(ConditionStatus::Unknown) => Self::Unreachable,
            // Unknown is what the node controller writes for a kubelet that went silent; a node without the condition has a
            // kubelet that has not reported yet.
            Some(ConditionStatus::False) | None => Self::NotReady,
            Some(ConditionStatus::True) if node.unschedulable => Self::Cordoned,
            Some(ConditionStatus::True) => Self::Ready,
        }
    }
}

/// What a node is rebooted for: the message of `Rebooting` is `rebooting for <condition>/<reason>` (Karpenter
/// `pkg/controllers/nodeclaim/reboot`).
fn reboot_cause(claim: &NodeClaim) -> Name {
    let message = claim.condition("Rebooting").map_or("", |c| c.message.as_str());
    message.strip_prefix("rebooting for ").unwrap_or(message).into()
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
        let starting = claim(|c| set(c, "Registered", ConditionStatus::Unknown, "NodeNotFound"));
        assert_eq!(state(None, Some(starting)), RowState::Launching);
        assert_eq!(state(None, Some(claim(|_| ()))), RowState::NodeMissing, "a registered claim has had its node");
    }

    /// Karpenter 1.15 `pkg/controllers/nodeclaim/reboot`: the node keeps its place; it neither leaves nor is it broken.
    #[test]
    fn a_rebooting_node_is_neither_leaving_nor_broken() {
        let rebooting = claim(|c| {
            set(c, "Rebooting", ConditionStatus::True, "RebootIssued");
            c.conditions.last_mut().unwrap().message = "rebooting for KernelReady/SoftLockup".into();
            set(c, "Initialized", ConditionStatus::Unknown, "Rebooting");
            set(c, "DisruptionReason", ConditionStatus::True, "Unhealthy");
        });
        let silent = node(|n| {
            n.conditions[0].status = ConditionStatus::Unknown;
            n.taints.push(taint("karpenter.sh/rebooting", TaintEffect::NoSchedule));
        });
        let expected = RowState::Rebooting { cause: "KernelReady/SoftLockup".into() };
        assert_eq!(state(Some(silent.clone()), Some(rebooting.clone())), expected);
        let deleted = NodeClaim { deleted: Some(Timestamp::UNIX_EPOCH), ..rebooting.clone() };
        assert_eq!(state(Some(silent.clone()), Some(deleted)), RowState::Draining { detaching_volumes: false });
        let mut back = rebooting;
        set(&mut back, "Rebooting", ConditionStatus::False, "RebootSucceeded");
        set(&mut back, "Initialized", ConditionStatus::True, "");
        set(&mut back, "DisruptionReason", ConditionStatus::False, "");
        assert_eq!(state(Some(node(|_| ())), Some(back)), RowState::Ready);
    }

    #[test]
    fn a_taint_of_another_controller_begins_the_drain() {
        let leaves = node(|n| n.taints.push(taint("ToBeDeletedByClusterAutoscaler", TaintEffect::NoSchedule)));
        assert_eq!(state(Some(leaves), None), RowState::Draining { detaching_volumes: false });
        let candidate =
            node(|n| n.taints.push(taint("DeletionCandidateOfClusterAutoscaler", TaintEffect::PreferNoSchedule)));
        assert_eq!(state(Some(candidate), None), RowState::Ready);
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
        assert_eq!(state(Some(node(|n| n.conditions.clear())), None), RowState::NotReady, "nothing reported yet");
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
