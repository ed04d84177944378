//! Event messages with the wording of the upstream controllers.
//!
//! Sources: kubernetes-sigs/karpenter `pkg/events`, `pkg/controllers/*/events`; kubernetes/kubernetes
//! `pkg/scheduler/framework/types.go` (`FitError`), `pkg/kubelet/events`.

use crate::model::Timestamp;

/// Karpenter inside EKS Auto Mode.
pub const AUTO_MODE: &str = "eks-auto-mode/compute";
/// Self-hosted Karpenter.
pub const KARPENTER: &str = "karpenter";
/// The scheduler.
pub const SCHEDULER: &str = "default-scheduler";
/// The kubelet.
pub const KUBELET: &str = "kubelet";
/// Kubernetes' node lifecycle controller.
pub const NODE_CONTROLLER: &str = "node-controller";

/// EC2's error if the vCPU quota of the account is exceeded.
pub fn vcpu_limit(limit: u64) -> String {
    format!(
        "VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit of {limit} allows for \
         the instance bucket that the specified instance type belongs to. Please visit \
         http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit."
    )
}

/// EC2's error if a zone has no capacity of the type.
pub fn no_capacity(instance_type: &str, zone: &str) -> String {
    format!(
        "InsufficientInstanceCapacity: We currently do not have sufficient {instance_type} capacity in the \
         Availability Zone you requested ({zone}). Our system will be working on provisioning additional capacity."
    )
}

/// Karpenter's `InsufficientCapacityError` of a claim; the error is truncated to 300 bytes.
pub fn insufficient_capacity(claim: &str, fleet_error: &str) -> String {
    let error = format!("insufficient capacity, with fleet error(s), {fleet_error}");
    let mut end = error.len().min(300);
    while !error.is_char_boundary(end) {
        end -= 1;
    }
    let cut = if end < error.len() { "..." } else { "" };
    format!("NodeClaim {claim} event: {}{cut}", error.get(..end).unwrap_or(&error))
}

/// operatorpkg's message of a changed status condition.
pub fn transitioned(kind: &str, from: &str, to: &str, reason: &str, message: &str) -> String {
    let tail = if message.is_empty() { String::new() } else { format!(", Message: {message}") };
    format!("Status condition transitioned, Type: {kind}, Status: {from} -> {to}, Reason: {reason}{tail}")
}

/// Karpenter's message of `TerminationGracePeriodExpiring`: UTC, in seconds.
pub fn grace_expires(at: Timestamp) -> String {
    format!("All pods will be deleted by {}", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
}

/// The scheduler's message if no node fits; `reasons` are numbers of nodes.
pub fn no_node_fits(nodes: usize, reasons: &[(usize, String)]) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let list = |parts: &[String]| parts.join(", ");
    let mut why: Vec<String> = reasons.iter().map(|(n, reason)| format!("{n} {reason}")).collect();
    why.sort();
    let lacking: usize = reasons.iter().filter(|(_, r)| is_lack_of_capacity(r)).map(|(n, _)| n).sum();
    let mut preemption = Vec::new();
    if lacking > 0 {
        preemption.push(format!("{lacking} No preemption victims found for incoming pod"));
    }
    if nodes > lacking {
        preemption.push(format!("{} Preemption is not helpful for scheduling", nodes - lacking));
    }
    format!(
        "0/{nodes} nodes are available: {}. preemption: 0/{nodes} nodes are available: {}.",
        list(&why),
        list(&preemption)
    )
}

fn is_lack_of_capacity(reason: &str) -> bool {
    reason.starts_with("Insufficient ") || reason == "Too many pods"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheduler_counts_nodes_by_reason() {
        assert_eq!(no_node_fits(0, &[]), "no nodes available to schedule pods");
        assert_eq!(
            no_node_fits(1, &[(1, "Insufficient cpu".into())]),
            "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims \
             found for incoming pod."
        );
        assert_eq!(
            no_node_fits(5, &[(3, "node(s) had untolerated taint(s)".into()), (2, "Insufficient cpu".into())]),
            "0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint(s). preemption: 0/5 nodes are \
             available: 2 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling."
        );
    }

    #[test]
    fn a_long_fleet_error_is_truncated_to_300_bytes() {
        let text = insufficient_capacity("general-purpose-4qtzc", &vcpu_limit(32));
        assert!(text.starts_with(
            "NodeClaim general-purpose-4qtzc event: insufficient capacity, with fleet error(s), VcpuLimitExceeded: You \
             have requested more vCPU capacity than your current vCPU limit of 32 allows"
        ));
        assert!(text.ends_with("..."));
        assert_eq!(text.len(), "NodeClaim general-purpose-4qtzc event: ".len() + 300 + 3);
    }
}
