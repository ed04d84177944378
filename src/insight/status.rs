//! What is a node or claim doing, in words?
//!
//! The words of the status column, of a claim's line and of the reports. A text that contains a time names the second at
//! which it differs.

use crate::cluster::{Cluster, Flag, KarpenterMessage, Leaving, Row, RowState};
use crate::model::{Stream, Timestamp};
use crate::units::age;

/// How the status of a row is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusLevel {
    /// In service.
    Normal,
    /// No longer there, or not read.
    Inactive,
    /// On its way to be a node in service.
    Progressing,
    /// In service or leaving, and worth a look.
    Warning,
    /// Not in service, or about to be lost.
    Failed,
}

/// The status of a row in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// `Ready`, `Draining: 3 pods left`, `Interrupted, 95s left`.
    pub text: String,
    /// How it is to be taken.
    pub level: StatusLevel,
    /// Seconds until the text differs; none where no time is in it.
    pub changes_in: Option<i64>,
}

/// A claim that waits longer for its node shows when Karpenter deletes it.
const SLOW_SECONDS: i64 = 4 * 60;

impl Status {
    /// The status of a row at a moment.
    pub fn from_row(row: &Row, cluster: &Cluster, now: Timestamp) -> Self {
        let word = row.state().name();
        let detailed = |detail: &str| if detail.is_empty() { word.to_owned() } else { format!("{word}: {detail}") };
        let timed = |text, level| Self { text, level, changes_in: Some(1) };
        if let Some(at) = row.interruption_due().filter(|_| *row.state() != RowState::Gone) {
            let left = at.as_second() - now.as_second();
            let text = if left > 0 { format!("Interrupted, {left}s left") } else { "Interrupted".into() };
            return timed(text, StatusLevel::Failed);
        }
        let (text, level) = match row.state() {
            RowState::Gone if row.never_launched() => ("Failed".into(), StatusLevel::Failed),
            RowState::Gone | RowState::Mentioned => (word.into(), StatusLevel::Inactive),
            RowState::LaunchFailed => ("Failed".into(), StatusLevel::Failed),
            RowState::Terminating => (detailed("instance stops"), StatusLevel::Warning),
            RowState::Draining { detaching_volumes: true } => (detailed("volumes"), StatusLevel::Warning),
            RowState::Draining { detaching_volumes: false }
            | RowState::Disrupted { .. }
            | RowState::Rebooting { .. } => {
                (detailed(&status_reason(row, cluster).unwrap_or_default()), StatusLevel::Warning)
            }
            RowState::NodeMissing | RowState::Cordoned => (word.into(), StatusLevel::Warning),
            RowState::PendingClaim { failing } if !failing.is_empty() => ("Failing".into(), StatusLevel::Failed),
            RowState::PendingClaim { .. } | RowState::Launching | RowState::Joining => {
                match row.deletion_due(now).filter(|_| row.age_seconds(now) >= SLOW_SECONDS) {
                    Some(left) => {
                        return timed(detailed(&format!("deleted in {}", age::short(left))), StatusLevel::Warning);
                    }
                    None => (word.into(), StatusLevel::Progressing),
                }
            }
            RowState::Initializing { reason } => (detailed(reason), StatusLevel::Progressing),
            RowState::Unreachable | RowState::NotReady => (word.into(), StatusLevel::Failed),
            RowState::Ready => match fault(row) {
                Some(condition) => (detailed(condition), StatusLevel::Warning),
                None => {
                    let flags: Vec<&str> = row.flags(now).iter().filter_map(flag_text).collect();
                    (detailed(&flags.join(", ")), StatusLevel::Normal)
                }
            },
        };
        Self { text, level, changes_in: None }
    }
}

/// What a row waits for or is about, beside the word of its state: a reason of Karpenter, or `3 pods left`. None where the
/// word is all.
pub fn status_reason(row: &Row, cluster: &Cluster) -> Option<String> {
    let text = match row.state() {
        RowState::Disrupted { reason }
        | RowState::PendingClaim { failing: reason }
        | RowState::Initializing { reason }
        | RowState::Rebooting { cause: reason } => reason.to_string(),
        RowState::Draining { detaching_volumes: true } => "detaching volumes".into(),
        RowState::Draining { detaching_volumes: false } if cluster.knows(Stream::Pods) => {
            let pods = row.sums().workload_pods();
            format!("{pods} {} left", if pods == 1 { "pod" } else { "pods" })
        }
        RowState::Draining { .. }
        | RowState::Gone
        | RowState::LaunchFailed
        | RowState::Terminating
        | RowState::Launching
        | RowState::NodeMissing
        | RowState::Joining
        | RowState::Unreachable
        | RowState::NotReady
        | RowState::Cordoned
        | RowState::Ready
        | RowState::Mentioned => String::new(),
    };
    Some(text).filter(|text| !text.is_empty())
}

/// A flag as the status of a node in service has it.
const fn flag_text(flag: Flag) -> Option<&'static str> {
    match flag {
        Flag::Drifted => Some("drifted"),
        Flag::DoNotDisrupt => Some("do not disrupt"),
        Flag::DoNotRepair => Some("do not repair"),
        Flag::KeptForBuffer => Some("kept for a buffer"),
        Flag::Expiring => Some("expiring"),
        // The bad condition itself is named.
        Flag::Unhealthy => None,
    }
}

/// The first condition of a node that reports a fault.
fn fault(row: &Row) -> Option<&str> {
    row.node()?.conditions.iter().find(|condition| condition.is_known_fault()).map(|condition| condition.kind.as_str())
}

/// Why a row leaves or left, in one line.
pub fn leaving_text(leaving: &Leaving) -> String {
    departure(&leaving.reason).map_or_else(|| failure_text(&leaving.reason, &leaving.message), str::to_owned)
}

/// Why the launch of a claim does not succeed, in one line; none while it is simply waited for.
pub fn launch_failure_text(row: &Row) -> Option<String> {
    let RowState::PendingClaim { failing } = row.state() else { return None };
    let message = row.claim().and_then(|claim| claim.condition("Launched")).map_or("", |c| c.message.as_str());
    (!failing.is_empty()).then(|| failure_text(failing, message))
}

/// A failure, its cause first. Karpenter gives every launch that AWS rejects the same reason; then the error code in the
/// message is more specific (`VcpuLimitExceeded: …`).
fn failure_text(reason: &str, message: &str) -> String {
    let parsed = KarpenterMessage::parse(message);
    let is_general = matches!(reason, "InsufficientCapacityError" | "LaunchFailed" | "");
    match (reason, parsed.cloud_error()) {
        ("", "") => "no reason given".into(),
        (reason, "") => reason.to_owned(),
        (reason, error) if is_general && (parsed.leading_code().is_some() || reason.is_empty()) => error.to_owned(),
        (reason, error) if error.strip_prefix(reason).is_some_and(|rest| rest.starts_with(": ")) => error.to_owned(),
        (reason, error) => format!("{reason}: {error}"),
    }
}

/// The description of a reason for which a node is removed; `None` for an unknown reason.
fn departure(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "Underutilized" => "underutilized: its pods fit on other nodes",
        "Empty" => "empty: no pod needed it",
        "Drifted" => "drifted: its NodePool or NodeClass changed",
        "Expired" => "expired: it reached its age limit",
        "SpotInterrupted" => "spot interruption: reclaimed by AWS",
        "CapacityReservationInstanceInterrupted" => "capacity reservation ended",
        "InstanceStopping" => "instance stopped outside Karpenter",
        "InstanceTerminating" => "instance terminated outside Karpenter",
        "InstanceUnhealthy" => "instance unhealthy",
        "LaunchTimeout" => "no instance was launched within 5 minutes",
        "RegistrationTimeout" => "its node did not register within 15 minutes",
        "Disrupted" => "disrupted by Karpenter",
        "Unhealthy" => "repaired: Karpenter replaces the unhealthy node",
        "ScaleDown" => "removed by the Cluster Autoscaler",
        "ScheduledMaintenance" => "drained for a maintenance event of EC2",
        "AutoScalingTermination" => "terminated by its Auto Scaling group",
        "ImpendingTermination" => "preempted or stopped by Compute Engine",
        "OutOfService" => "out of service: marked as not coming back",
        "InstanceShutDown" => "instance shut down",
        "DrainedByCastAi" => "drained by CAST AI",
        "NodePoolDeleted" => "NodePool deleted",
        "ScaledIn" => "static NodePool scaled in",
        "Deleted" => "deleted by kubectl or another controller",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("InsufficientCapacityError", "VcpuLimitExceeded: more vCPU" => "VcpuLimitExceeded: more vCPU")]
    #[test_case("InsufficientCapacityError", "insufficient capacity, with fleet error(s), MaxSpotInstanceCountExceeded: no"
        => "MaxSpotInstanceCountExceeded: no")]
    #[test_case("InsufficientCapacityError", "all requested instance types were unavailable: a, b"
        => "InsufficientCapacityError: all requested instance types were unavailable: a, b")]
    #[test_case("InsufficientCapacityError", "" => "InsufficientCapacityError")]
    #[test_case("NodeClassNotReady", "Ready: it is not" => "NodeClassNotReady: Ready: it is not")]
    #[test_case("LaunchTimeout", "LaunchTimeout: waited" => "LaunchTimeout: waited" ; "the reason is not repeated")]
    #[test_case("", "" => "no reason given")]
    fn the_cause_comes_first(reason: &str, message: &str) -> String {
        failure_text(reason, message)
    }
}
