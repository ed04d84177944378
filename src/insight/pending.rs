//! Why pods have no node, in a few words and with counts.
//!
//! Texts are those of kube-scheduler (`pkg/scheduler/framework/types.go` and the plugins' reasons) and of Karpenter
//! (`pkg/controllers/provisioning/scheduling`). A text that is not known is counted as such, never guessed at.

use crate::cluster::{Cluster, EventQuery, Lane, PodRow, PodState, Waits};
use crate::model::{Name, PodKey};
use rustc_hash::FxHashMap;
use std::fmt;

/// Why a pod has no node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// No node has enough of a resource left; `pods` when their number is at its limit.
    Insufficient(Name),
    /// The cluster has no node at all.
    NoNodes,
    /// Taints it does not tolerate.
    Taint,
    /// Node selector, affinity or a node asked for by name.
    Selector,
    /// Topology spread, pod affinity or anti-affinity.
    Topology,
    /// Its volumes: tied to a zone, not bound, or too many.
    Volume,
    /// Only cordoned nodes would do.
    Cordoned,
    /// The host port is taken.
    HostPort,
    /// The limits of the nodepools do not allow another machine.
    Limits,
    /// No nodepool makes nodes that it could run on.
    NoPool,
    /// No instance type is large enough.
    TooBig,
    /// No instance type of the nodepools meets everything that is asked.
    NoType,
    /// The zone or capacity type is not offered.
    NotOffered,
    /// The nodepool asks for more choice of types than there is.
    MinValues,
    /// Karpenter leaves pods with resource claims (DRA) to others.
    ResourceClaims,
    /// Scheduling gates hold it back.
    Gated,
    /// No scheduler has looked at it.
    Unseen,
    /// The scheduler failed.
    SchedulerError,
    /// Pods of lower priority make room for it.
    Preempting,
    /// A reason this version does not know.
    Other,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Insufficient(resource) if resource == "pods" => "too many pods",
            Self::Insufficient(resource) => return write!(f, "insufficient {resource}"),
            Self::NoNodes => "no nodes",
            Self::Taint => "untolerated taint",
            Self::Selector => "node selector or affinity",
            Self::Topology => "topology",
            Self::Volume => "volume",
            Self::Cordoned => "cordoned nodes",
            Self::HostPort => "host port taken",
            Self::Limits => "nodepool limits reached",
            Self::NoPool => "no matching nodepool",
            Self::TooBig => "no instance type is large enough",
            Self::NoType => "no instance type fits",
            Self::NotOffered => "zone or capacity type not offered",
            Self::MinValues => "minValues not met",
            Self::ResourceClaims => "resource claims",
            Self::Gated => "scheduling gates",
            Self::Unseen => "not seen by a scheduler",
            Self::SchedulerError => "scheduler error",
            Self::Preempting => "preempting",
            Self::Other => "other reasons",
        })
    }
}

/// What each message of Karpenter means, the nearest to success first: a pod that only a limit keeps out is not
/// explained by the nodepool it could never use.
const KARPENTER: &[(&str, Cause)] = &[
    ("all available instance types exceed limits for nodepool", Cause::Limits),
    ("node limits have been exhausted for nodepool", Cause::Limits),
    ("no instance type has the required offering", Cause::NotOffered),
    ("minValues requirement is not met", Cause::MinValues),
    ("no instance type has enough resources", Cause::TooBig),
    ("no instance type met", Cause::NoType),
    ("no instance type which", Cause::NoType),
    ("unsatisfiable topology constraint", Cause::Topology),
    ("incompatible volume requirements", Cause::Volume),
    ("Dynamic Resource Allocation", Cause::ResourceClaims),
    ("nodepool requirements filtered out all", Cause::NoPool),
    ("did not tolerate taint", Cause::NoPool),
    ("incompatible requirements", Cause::NoPool),
    ("no nodepools found", Cause::NoPool),
];

/// What each reason of kube-scheduler means; `Insufficient …` apart.
const SCHEDULER: &[(&str, Cause)] = &[
    ("untolerated taint", Cause::Taint),
    ("had taint", Cause::Taint),
    ("node affinity/selector", Cause::Selector),
    ("node selector", Cause::Selector),
    ("requested node name", Cause::Selector),
    ("topology spread constraints", Cause::Topology),
    ("affinity rules", Cause::Topology),
    ("affinity/anti-affinity", Cause::Topology),
    ("no available volume zone", Cause::Volume),
    ("volume node affinity", Cause::Volume),
    ("PersistentVolume's node affinity", Cause::Volume),
    ("persistent volumes to bind", Cause::Volume),
    ("max volume count", Cause::Volume),
    ("PersistentVolumeClaim", Cause::Volume),
    ("persistentvolumeclaim", Cause::Volume),
    ("were unschedulable", Cause::Cordoned),
    ("free ports", Cause::HostPort),
];

/// Whether a piece of Karpenter's text says that a nodepool's limit is in the way.
pub(super) fn is_limit(piece: &str) -> bool {
    KARPENTER.iter().any(|(text, cause)| *cause == Cause::Limits && piece.contains(text))
}

/// The cause in a text of Karpenter: errors of the nodepools, joined by `; `.
fn karpenter(message: &str) -> Cause {
    KARPENTER.iter().find(|(text, _)| message.contains(text)).map_or(Cause::Other, |(_, cause)| cause.clone())
}

/// The cause in a text of kube-scheduler: `0/4 nodes are available: 3 Insufficient cpu, 1 node(s) had …. preemption: …`.
/// Room comes first, since a new node would give it; else what rules out most nodes.
fn scheduler(message: &str) -> Cause {
    if message.starts_with("no nodes available") || message.starts_with("0/0 ") {
        return Cause::NoNodes;
    }
    let reasons = message.split_once(": ").map_or(message, |(_, rest)| rest);
    let reasons = reasons.split_once(". preemption:").map_or(reasons, |(reasons, _)| reasons);
    let mut best: Option<(bool, u64, Cause)> = None;
    for reason in reasons.split(", ") {
        let (count, text) = match reason.split_once(' ') {
            Some((count, text)) if count.parse::<u64>().is_ok() => (count.parse().unwrap_or(0), text),
            _ => (1, reason),
        };
        let cause = if let Some(resource) = text.strip_prefix("Insufficient ") {
            let resource = resource.split_whitespace().next().unwrap_or(resource);
            Some(Cause::Insufficient(resource.trim_end_matches('.').into()))
        } else if text.starts_with("Too many pods") {
            Some(Cause::Insufficient("pods".into()))
        } else {
            SCHEDULER.iter().find(|(known, _)| text.contains(known)).map(|(_, cause)| cause.clone())
        };
        let Some(cause) = cause else { continue };
        let room = matches!(cause, Cause::Insufficient(_));
        if best.as_ref().is_none_or(|(r, n, _)| (room, count) > (*r, *n)) {
            best = Some((room, count, cause));
        }
    }
    best.map_or(Cause::Other, |(_, _, cause)| cause)
}

/// Pods without a node, counted by cause.
///
/// Kept beside the screen and refreshed when [`crate::cluster::Dirty::PENDING`] or `EVENTS` says so, at most once a
/// frame: a refresh looks at the pods that wait and at the event log, reading does not.
#[derive(Clone, Debug, Default)]
pub struct PendingByCause {
    causes: Vec<(Cause, u64)>,
    total: u64,
    told: FxHashMap<PodKey, Cause>,
}

impl PendingByCause {
    /// Counts anew.
    pub fn refresh(&mut self, cluster: &Cluster) {
        self.causes.clear();
        self.told.clear();
        self.total = 0;
        if cluster.pod_counts().unscheduled == 0 {
            return;
        }
        self.told = told(cluster);
        let mut counts: FxHashMap<Cause, u64> = FxHashMap::default();
        // Pods of one owner wait with the same words.
        let mut read: FxHashMap<&str, Cause> = FxHashMap::default();
        for pod in cluster.unscheduled_pods().filter(|pod| pod.state == PodState::Unscheduled) {
            let cause = match (pod.waits, self.of_karpenter(&pod)) {
                (Some(Waits::Unschedulable), None) => {
                    read.entry(pod.note).or_insert_with(|| scheduler(pod.note)).clone()
                }
                _ => self.cause(&pod),
            };
            *counts.entry(cause).or_default() += 1;
            self.total += 1;
        }
        self.causes = counts.into_iter().collect();
        self.causes.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
    }

    fn of_karpenter(&self, pod: &PodRow<'_>) -> Option<&Cause> {
        if self.told.is_empty() {
            return None;
        }
        self.told.get(&PodKey::new(pod.namespace, pod.name))
    }

    /// Why one pod has no node, as of the last refresh.
    pub fn cause(&self, pod: &PodRow<'_>) -> Cause {
        match pod.waits {
            Some(Waits::Gated) => Cause::Gated,
            Some(Waits::SchedulerError) => Cause::SchedulerError,
            Some(Waits::Preempting) => Cause::Preempting,
            Some(Waits::Unseen) => Cause::Unseen,
            Some(Waits::Unschedulable) => self.of_karpenter(pod).cloned().unwrap_or_else(|| scheduler(pod.note)),
            None => Cause::Other,
        }
    }

    /// Causes and how many pods have them, the most frequent first.
    pub fn causes(&self) -> &[(Cause, u64)] {
        &self.causes
    }

    /// How many pods wait: [`crate::cluster::PodCounts::unscheduled`].
    pub const fn total(&self) -> u64 {
        self.total
    }
}

/// What Karpenter last said of pods: its newest word on a pod counts, and a nomination takes its refusal back.
fn told(cluster: &Cluster) -> FxHashMap<PodKey, Cause> {
    let query = EventQuery { lane: Some(Lane::Schedule), collapse: false, objects: None };
    let mut newest: FxHashMap<PodKey, Option<Cause>> = FxHashMap::default();
    for line in cluster.events().lines(&query).filter(|line| line.object.kind == "Pod") {
        let refused = line.reason == "FailedScheduling" && line.message.starts_with("Failed to schedule pod");
        if refused || line.reason == "Nominated" {
            let key = PodKey::new(&line.object.namespace, &line.object.name);
            newest.entry(key).or_insert_with(|| refused.then(|| karpenter(line.message)));
        }
    }
    newest.into_iter().filter_map(|(key, cause)| Some((key, cause?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Change, Event, ObjectRef, Pod, Scheduling, Timestamp, Uid};
    use test_case::test_case;

    #[test_case("0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod." => "insufficient cpu")]
    #[test_case("0/7 nodes are available: 3 Insufficient cpu, 4 node(s) had untolerated taint(s). preemption: x" => "insufficient cpu" ; "room comes first")]
    #[test_case("0/7 nodes are available: 1 Insufficient cpu, 4 Insufficient memory." => "insufficient memory" ; "what rules out most")]
    #[test_case("0/2 nodes are available: 2 Insufficient nvidia.com/gpu." => "insufficient nvidia.com/gpu")]
    #[test_case("0/2 nodes are available: 2 Too many pods." => "too many pods")]
    #[test_case("0/4 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }, 3 node(s) didn't match Pod's node affinity/selector." => "node selector or affinity")]
    #[test_case("0/1 nodes are available: 1 node(s) had taints that the pod didn't tolerate." => "untolerated taint")]
    #[test_case("0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints." => "topology")]
    #[test_case("0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules." => "topology")]
    #[test_case("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims." => "volume")]
    #[test_case("0/1 nodes are available: 1 node(s) had volume node affinity conflict." => "volume")]
    #[test_case("0/3 nodes are available: 3 node(s) were unschedulable." => "cordoned nodes")]
    #[test_case("0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports." => "host port taken")]
    #[test_case("no nodes available to schedule pods" => "no nodes")]
    #[test_case("0/1 nodes are available: 1 the moon is full." => "other reasons")]
    #[test_case("" => "other reasons" ; "no text")]
    fn texts_of_the_scheduler(message: &str) -> String {
        scheduler(message).to_string()
    }

    #[test_case("did not tolerate taint (taint=a=b:NoSchedule)" => Cause::NoPool)]
    #[test_case("incompatible requirements, label \"x\" does not have known values" => Cause::NoPool)]
    #[test_case("did not tolerate taint (taint=a=b:NoSchedule); all available instance types exceed limits for nodepool (NodePool=x)" => Cause::Limits ; "the nearest to success")]
    #[test_case("node limits have been exhausted for nodepool (NodePool=x)" => Cause::Limits)]
    #[test_case("incompatible volume requirements" => Cause::Volume)]
    #[test_case("unsatisfiable topology constraint for pod anti-affinity" => Cause::Topology)]
    #[test_case("no instance type has enough resources" => Cause::TooBig)]
    #[test_case("no instance type met all requirements" => Cause::NoType)]
    #[test_case("no instance type has the required offering" => Cause::NotOffered)]
    #[test_case("minValues requirement is not met" => Cause::MinValues)]
    #[test_case("nodepool requirements filtered out all available instance types" => Cause::NoPool)]
    #[test_case("pod has Dynamic Resource Allocation requirements" => Cause::ResourceClaims)]
    #[test_case("something new" => Cause::Other)]
    fn texts_of_karpenter(errors: &str) -> Cause {
        karpenter(&format!("Failed to schedule pod, {errors}"))
    }

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn pod(name: &str, scheduling: Scheduling) -> Change {
        Change::Pod(Box::new(Pod { key: PodKey::new("default", name), scheduling, ..Pod::default() }))
    }

    fn event(n: u128, pod: &str, reason: &str, message: &str, at: i64) -> Change {
        let at = Timestamp::from_second(at).unwrap();
        Change::Event(Box::new(Event {
            uid: Uid::new(&format!("{n:032x}")),
            reason: reason.into(),
            message: message.into(),
            component: "karpenter".into(),
            object: ObjectRef { kind: "Pod".into(), namespace: "default".into(), name: pod.into() },
            first: at,
            last: at,
            count: 1,
            ..Event::default()
        }))
    }

    fn counted(cluster: &Cluster) -> Vec<String> {
        let mut pending = PendingByCause::default();
        pending.refresh(cluster);
        assert_eq!(pending.total(), cluster.pod_counts().unscheduled);
        assert_eq!(pending.total(), pending.causes().iter().map(|(_, n)| n).sum::<u64>());
        for pod in cluster.unscheduled_pods().filter(|p| p.state == PodState::Unscheduled) {
            let cause = pending.cause(&pod);
            assert!(pending.causes().iter().any(|(c, _)| *c == cause), "{} is counted elsewhere", pod.name);
        }
        pending.causes().iter().map(|(cause, n)| format!("{n} {cause}")).collect()
    }

    #[test]
    fn pending_pods_are_counted_by_cause() {
        let mut cluster = Cluster::new(None);
        let full = || Scheduling::Unschedulable("0/1 nodes are available: 1 Insufficient cpu.".into());
        for i in 0..91 {
            cluster.apply(pod(&format!("p{i}"), full()), NOW);
        }
        cluster.apply(pod("odd", full()), NOW);
        cluster
            .apply(event(1, "odd", "FailedScheduling", "Failed to schedule pod, incompatible requirements", 10), NOW);
        assert_eq!(counted(&cluster), ["91 insufficient cpu", "1 no matching nodepool"]);
        cluster.apply(event(2, "odd", "Nominated", "Pod should schedule on: nodeclaim/a", 20), NOW);
        assert_eq!(counted(&cluster), ["92 insufficient cpu"], "a nomination takes the refusal back");
        cluster.apply(pod("gated", Scheduling::Gated), NOW);
        cluster.apply(pod("new", Scheduling::Unseen), NOW);
        cluster.apply(pod("err", Scheduling::Error("timeout".into())), NOW);
        assert_eq!(
            counted(&cluster),
            ["92 insufficient cpu", "1 scheduling gates", "1 not seen by a scheduler", "1 scheduler error"]
        );
    }

    #[test]
    fn pods_on_their_way_out_do_not_wait() {
        let mut cluster = Cluster::new(None);
        let ending = Pod { key: PodKey::new("default", "p"), deleted: Some(NOW), ..Pod::default() };
        cluster.apply(Change::Pod(Box::new(ending)), NOW);
        assert_eq!(counted(&cluster), [""; 0]);
    }
}
