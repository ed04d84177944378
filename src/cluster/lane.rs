//! Which topic an event belongs to, so that a reader can look at one at a time.
//!
//! Reasons are those of Karpenter (`pkg/events`, `pkg/controllers/**/events.go`), Karpenter's AWS provider
//! (`pkg/controllers/interruption/events`), kube-scheduler, the kubelet and kube-controller-manager. The same reason may
//! have several senders, so the object's kind and the event's type are looked at as well.

use crate::model::{Event, EventKind};

/// The topic of an event. `Warning` is a type, not a topic: a warning is drawn as one in any lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Machines asked for, launched, registered, initialized; or not.
    Provision,
    /// Pods finding, or not finding, a place.
    Schedule,
    /// Machines chosen to go, drained, interrupted; pods evicted.
    Disrupt,
    /// Something is wrong.
    Warn,
    /// Anything else.
    Other,
    /// The daily life of containers and kubelets (pulled, started, has sufficient memory): shown only when asked for.
    Chatter,
}

impl Lane {
    /// The lanes a reader can choose, in their order on the screen.
    pub const CHOICES: [Self; 4] = [Self::Provision, Self::Schedule, Self::Disrupt, Self::Warn];

    /// Its name on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provision => "provision",
            Self::Schedule => "schedule",
            Self::Disrupt => "disrupt",
            Self::Warn => "warnings",
            Self::Other => "other",
            Self::Chatter => "chatter",
        }
    }

    /// The lane of an event.
    pub fn of(event: &Event) -> Self {
        let kind = event.object.kind.as_str();
        let warning = event.kind == EventKind::Warning;
        match event.reason.as_str() {
            // A node that reboots in place is initialized again (Karpenter since 1.15).
            "Initialized" if kind == "NodeClaim" => turned(event, "True -> Unknown", Self::Provision, Self::Warn),
            "Launched" | "Registered" if kind == "NodeClaim" => Self::Provision,
            "Ready" if matches!(kind, "NodeClaim" | "NodePool" | "EC2NodeClass" | "NodeClass") => Self::Provision,
            "InsufficientCapacityError"
            | "NodeClassNotReady"
            | "UnregisteredTaintMissing"
            | "NoCompatibleInstanceTypes"
            | "ValidationSucceeded"
            | "NodeClassReady"
            | "NodeRegistrationHealthy"
            | "ZonalShiftActive"
            | "ZonalShiftCleared"
            | "SubnetsReady"
            | "SecurityGroupsReady"
            | "AMIsReady"
            | "InstanceProfileReady"
            | "CapacityReservationsReady"
            | "PlacementGroupReady" => Self::Provision,
            "" if warning && matches!(kind, "NodePool" | "NodeClaim") => Self::Provision,

            "FailedScheduling"
            | "Scheduled"
            | "Preempted"
            | "Nominated"
            | "BindingConditionsPending"
            | "TriggeredScaleUp"
            | "NotTriggerScaleUp" => Self::Schedule,

            "DisruptionLaunching"
            | "DisruptionWaitingReadiness"
            | "DisruptionTerminating"
            | "DisruptionBlocked"
            | "Unconsolidatable"
            | "ConsolidationCandidate"
            | "ConsolidationRejected"
            | "ConsolidationApproved"
            | "Drifted"
            | "Consolidatable"
            | "DisruptionReason"
            | "Drained"
            | "VolumesDetached"
            | "FailedDraining"
            | "AwaitingVolumeDetachment"
            | "TerminationGracePeriodExpiring"
            | "InvalidDoNotDisruptAnnotation"
            | "DoNotDisruptUntil"
            | "DoNotDisruptGracePeriodElapsed"
            | "SpotInterrupted"
            | "CapacityReservationInstanceInterrupted"
            | "SpotRebalanceRecommendation"
            | "InstanceStopping"
            | "InstanceTerminating"
            | "TerminatingOnInterruption"
            | "NodeSchedulable"
            | "NodeNotSchedulable"
            | "TaintManagerEviction"
            | "DeviceTaintManagerEviction"
            | "DeletingNode"
            | "MultiplePodDisruptionBudgets"
            | "ScaleDown"
            | "ScaleDownFailed"
            | "Disrupted" => Self::Disrupt,
            "Evicted" if !warning => Self::Disrupt, // Karpenter's; the kubelet's is a Warning

            "NodeNotReady"
            | "NodeHasInsufficientMemory"
            | "NodeHasDiskPressure"
            | "NodeHasInsufficientPID"
            | "Shutdown"
            | "InstanceUnhealthy"
            | "NodeRepairBlocked"
            | "Rebooting"
            | "RebootObserved"
            | "RebootFailed"
            | "FailedConsistencyCheck" => Self::Warn,

            // Conditions of a node, announced by Karpenter: a warning when they turn bad.
            "Ready" if kind == "Node" => turned(event, "-> True", Self::Warn, Self::Other),
            "MemoryPressure" | "DiskPressure" | "PIDPressure" | "NetworkUnavailable" if kind == "Node" => {
                turned(event, "-> False", Self::Warn, Self::Other)
            }

            "Pulling" | "Pulled" | "Created" | "Started" | "Killing" if !warning => Self::Chatter,
            "Starting"
            | "NodeAllocatableEnforced"
            | "NodeHasSufficientMemory"
            | "NodeHasNoDiskPressure"
            | "NodeHasSufficientPID"
            | "RegisteredNode"
            | "Synced"
                if kind == "Node" && !warning =>
            {
                Self::Chatter
            }
            _ if warning => Self::Warn,
            _ => Self::Other,
        }
    }
}

/// `then` when the message has this transition, else `otherwise`.
fn turned(event: &Event, transition: &str, otherwise: Lane, then: Lane) -> Lane {
    if event.message.contains(transition) { then } else { otherwise }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectRef;
    use test_case::test_case;

    #[test_case("NodeClaim", "Launched", false, "" => Lane::Provision)]
    #[test_case("NodeClaim", "InsufficientCapacityError", true, "" => Lane::Provision)]
    #[test_case("Pod", "FailedScheduling", true, "0/1 nodes are available" => Lane::Schedule)]
    #[test_case("Pod", "Nominated", false, "" => Lane::Schedule)]
    #[test_case("Node", "DisruptionTerminating", false, "" => Lane::Disrupt)]
    #[test_case("Pod", "Evicted", false, "Evicted pod: Empty" => Lane::Disrupt ; "evicted by karpenter")]
    #[test_case("Pod", "Evicted", true, "The node was low on resource" => Lane::Warn ; "evicted by the kubelet")]
    #[test_case("Node", "NodeNotReady", false, "" => Lane::Warn ; "normal, but bad news")]
    #[test_case("Node", "Ready", false, "Status condition transitioned, Type: Ready, Status: True -> False" => Lane::Warn)]
    #[test_case("Node", "Ready", false, "Status condition transitioned, Type: Ready, Status: False -> True" => Lane::Other)]
    #[test_case("NodeClaim", "Initialized", false, "Status condition transitioned, Type: Initialized, Status: Unknown -> True" => Lane::Provision)]
    #[test_case("NodeClaim", "Initialized", false, "Status condition transitioned, Type: Initialized, Status: True -> Unknown, Reason: Rebooting" => Lane::Warn)]
    #[test_case("NodeClaim", "Rebooting", false, "Status condition transitioned, Type: Rebooting" => Lane::Warn)]
    #[test_case("NodeClaim", "RebootObserved", false, "New boot observed" => Lane::Warn)]
    #[test_case("NodeClaim", "RebootFailed", true, "node did not recover" => Lane::Warn)]
    #[test_case("NodePool", "NodeRepairBlocked", true, "more than 20% of nodes" => Lane::Warn)]
    #[test_case("Pod", "InsufficientCapacityError", true, "NodeClaim a nominated for this pod" => Lane::Provision ; "the pod's copy of a failed launch")]
    #[test_case("Pod", "DeviceTaintManagerEviction", false, "Marking for deletion" => Lane::Disrupt)]
    #[test_case("Pod", "BindingConditionsPending", false, "waiting for binding conditions" => Lane::Schedule)]
    #[test_case("NodePool", "", true, "Failed resolving NodeClass" => Lane::Provision ; "no reason given")]
    #[test_case("Pod", "Pulled", false, "" => Lane::Chatter)]
    #[test_case("Pod", "BackOff", true, "" => Lane::Warn)]
    #[test_case("Thing", "Unheard", false, "" => Lane::Other)]
    fn events_have_a_topic(kind: &str, reason: &str, warning: bool, message: &str) -> Lane {
        Lane::of(&Event {
            kind: if warning { EventKind::Warning } else { EventKind::Normal },
            reason: reason.into(),
            message: message.into(),
            object: ObjectRef { kind: kind.into(), ..ObjectRef::default() },
            ..Event::default()
        })
    }
}
