//! Taints by which a controller says that a node has begun to leave, where no deletion says so yet.

use crate::model::{Node, Taint, TaintEffect};

/// A taint that is set when leaving begins.
#[derive(Debug)]
pub(super) struct LeavingTaint {
    key: &'static str,
    /// The reason of the departure, one word.
    pub(super) reason: &'static str,
}

const fn taint(key: &'static str, reason: &'static str) -> LeavingTaint {
    LeavingTaint { key, reason }
}

/// Every taint that means "leaving has begun". Not here: what marks a candidate and is taken back again
/// (`DeletionCandidateOfClusterAutoscaler`, `aws-node-termination-handler/rebalance-recommendation`), and Karpenter's own
/// taints, whose states ([`super::RowState`]) know more.
const TAINTS: &[LeavingTaint] = &[
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
    // AKS documentation, "Node auto-drain" and "Node auto-repair"; the second key is the older one.
    taint("remediator.kubernetes.azure.com/unschedulable", "AksAutoDrain"),
    taint("remediator.aks.microsoft.com/unschedulable", "AksAutoDrain"),
];

impl LeavingTaint {
    fn matches(&self, taint: &Taint) -> bool {
        taint.key == self.key && matches!(taint.effect, TaintEffect::NoSchedule | TaintEffect::NoExecute)
    }
}

/// The first taint of a node that says it has begun to leave.
pub(super) fn leaving_taint(node: &Node) -> Option<&'static LeavingTaint> {
    TAINTS.iter().find(|known| node.taints.iter().any(|taint| known.matches(taint)))
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
    fn leaving_has_begun(key: &str, effect: TaintEffect) -> Option<&'static str> {
        let taints = vec![Taint { key: key.into(), value: "1".into(), effect }];
        leaving_taint(&Node { taints, ..Node::default() }).map(|taint| taint.reason)
    }
}
