//! Taints by which a controller says that a node leaves, where no deletion says so yet.

use crate::model::{Node, Taint, TaintEffect, key};

/// What a taint says of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Karpenter has chosen it for disruption and may still take that back.
    Chosen,
    /// Leaving has begun.
    Begun,
}

/// A taint that is set on a node that leaves.
#[derive(Debug)]
pub(super) struct LeavingTaint {
    key: &'static str,
    stage: Stage,
    /// The reason of the departure, one word.
    pub(super) reason: &'static str,
}

const fn taint(key: &'static str, reason: &'static str) -> LeavingTaint {
    LeavingTaint { key, stage: Stage::Begun, reason }
}

const fn chosen(key: &'static str) -> LeavingTaint {
    LeavingTaint { key, stage: Stage::Chosen, reason: "Disrupted" }
}

/// Every taint that means that a node leaves. Not here: what marks a candidate of another controller than Karpenter and is
/// taken back again (`DeletionCandidateOfClusterAutoscaler`, `aws-node-termination-handler/rebalance-recommendation`), and
/// `remediator.kubernetes.azure.com/unschedulable` (before: `remediator.aks.microsoft.com/unschedulable`), which AKS sets
/// for repairs and redeployments, after which the node returns (AKS documentation, "Node auto-repair" and "Node
/// auto-drain").
const TAINTS: &[LeavingTaint] = &[
    // Karpenter pkg/apis/v1/taints.go.
    chosen(key::TAINT_DISRUPTED),
    // Karpenter 0.32 to 0.37, pkg/apis/v1beta1/taints.go: `karpenter.sh/disruption=disrupting`, its only value.
    chosen(key::TAINT_DISRUPTION),
    // kubernetes/autoscaler cluster-autoscaler/utils/taints/taints.go: set before the drain.
    taint("ToBeDeletedByClusterAutoscaler", "ScaleDown"),
    // aws/aws-node-termination-handler pkg/node/node.go.
    taint("aws-node-termination-handler/spot-itn", "SpotInterrupted"),
    taint("aws-node-termination-handler/scheduled-maintenance", "ScheduledMaintenance"),
    taint("aws-node-termination-handler/asg-lifecycle-termination", "AutoScalingTermination"),
    // GKE documentation, "Manage graceful node termination".
    taint("cloud.google.com/impending-node-termination", "ImpendingTermination"),
    // kubernetes/api core/v1/well_known_taints.go: set by an administrator on a node that does not come back.
    taint("node.kubernetes.io/out-of-service", "OutOfService"),
    // kubernetes/cloud-provider api/well_known_taints.go: the cloud reports the instance as shut down.
    taint("node.cloudprovider.kubernetes.io/shutdown", "InstanceShutDown"),
    // castai/spot-handler handler.go and CAST AI documentation, "Spot instances".
    taint("autoscaling.cast.ai/draining", "DrainedByCastAi"),
];

impl LeavingTaint {
    fn matches(&self, taint: &Taint) -> bool {
        let by_effect = match self.stage {
            Stage::Chosen => taint.effect == TaintEffect::NoSchedule,
            Stage::Begun => matches!(taint.effect, TaintEffect::NoSchedule | TaintEffect::NoExecute),
        };
        by_effect && taint.key == self.key
    }
}

fn first(node: &Node, stage: Stage) -> Option<&'static LeavingTaint> {
    let mut of_stage = TAINTS.iter().filter(|known| known.stage == stage);
    of_stage.find(|known| node.taints.iter().any(|taint| known.matches(taint)))
}

/// The first taint of a node that says it has begun to leave.
pub(super) fn leaving_taint(node: &Node) -> Option<&'static LeavingTaint> {
    first(node, Stage::Begun)
}

/// Whether Karpenter has chosen a node for disruption, by its taint.
pub(super) fn is_chosen(node: &Node) -> bool {
    first(node, Stage::Chosen).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("ToBeDeletedByClusterAutoscaler", TaintEffect::NoSchedule => Some("ScaleDown"))]
    #[test_case("ToBeDeletedByClusterAutoscaler", TaintEffect::NoExecute => Some("ScaleDown") ; "either effect")]
    #[test_case("ToBeDeletedByClusterAutoscaler", TaintEffect::PreferNoSchedule => None ; "a wish keeps no pod away")]
    #[test_case("DeletionCandidateOfClusterAutoscaler", TaintEffect::PreferNoSchedule => None ; "a candidate")]
    #[test_case("aws-node-termination-handler/spot-itn", TaintEffect::NoSchedule => Some("SpotInterrupted"))]
    #[test_case("aws-node-termination-handler/rebalance-recommendation", TaintEffect::NoSchedule => None ; "a recommendation")]
    #[test_case("node.kubernetes.io/out-of-service", TaintEffect::NoExecute => Some("OutOfService"))]
    #[test_case("autoscaling.cast.ai/draining", TaintEffect::NoSchedule => Some("DrainedByCastAi"))]
    #[test_case("node.kubernetes.io/unschedulable", TaintEffect::NoSchedule => None ; "cordoned")]
    #[test_case("remediator.kubernetes.azure.com/unschedulable", TaintEffect::NoSchedule => None ; "repaired by AKS, it returns")]
    #[test_case(key::TAINT_DISRUPTED, TaintEffect::NoSchedule => None ; "chosen by Karpenter")]
    fn leaving_has_begun(key: &str, effect: TaintEffect) -> Option<&'static str> {
        let taints = vec![Taint { key: key.into(), value: "1".into(), effect }];
        leaving_taint(&Node { taints, ..Node::default() }).map(|taint| taint.reason)
    }
}
