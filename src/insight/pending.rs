//! Why pods have no node, in a few words and with counts.
//!
//! Texts are those of kube-scheduler (`pkg/scheduler/framework/types.go` and the plugins' reasons), of Karpenter
//! (`pkg/controllers/provisioning/scheduling`) and of Volcano (`pkg/scheduler/api/unschedule_info.go`). A text that is not
//! known is counted as such, never guessed at.

use super::nodepool_match::{self, Mismatch};
use crate::cluster::{Cluster, EventQuery, Lane, PodRow, PodState, Row, RowState, UnscheduledReason};
use crate::model::{ConditionStatus, Name, NodePool, Owner, Placement, Stream, Timestamp, key};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

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
    /// The nodes' version lacks a feature the pod needs.
    NodeVersion,
    /// Topology spread, pod affinity or anti-affinity.
    Topology,
    /// Its volumes: tied to a zone, not bound, or not there.
    Volume,
    /// More volumes than a node can attach.
    TooManyVolumes,
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
    /// The capacity reservations it could use are full.
    Reservation,
    /// The nodepool asks for more choice of types than there is.
    MinValues,
    /// Devices it claims (dynamic resource allocation): none is free, or Karpenter leaves such pods to others.
    ResourceClaims,
    /// Karpenter launches a node for it.
    Launching,
    /// Karpenter has a running node for it; the scheduler's turn.
    Nominated,
    /// The machine launched for it failed for lack of capacity; Karpenter tries again.
    NoCapacity,
    /// Scheduling gates hold it back.
    Gated,
    /// Its group is placed together or not at all, and not all of it can be.
    Group,
    /// Its queue's quota is used up (Volcano).
    Queue,
    /// No scheduler has looked at it.
    Unseen,
    /// The scheduler failed.
    SchedulerError,
    /// Pods of lower priority make room for it.
    Preempting,
    /// The scheduler has chosen its node; something has to be bound first.
    Placed(Binding),
    /// A reason this version does not know.
    Other,
}

/// What a pod with a chosen node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Binding {
    /// A volume that is made or attached for it.
    Volume,
    /// Devices it claims.
    Devices,
    /// The binding itself.
    Pod,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Insufficient(resource) if resource == "pods" => "too many pods",
            Self::Insufficient(resource) => return write!(f, "insufficient {resource}"),
            Self::NoNodes => "no nodes",
            Self::Taint => "untolerated taint",
            Self::Selector => "node selector or affinity",
            Self::NodeVersion => "node version",
            Self::Topology => "topology",
            Self::Volume => "volume",
            Self::TooManyVolumes => "too many volumes",
            Self::Cordoned => "cordoned nodes",
            Self::HostPort => "host port taken",
            Self::Limits => "nodepool limits reached",
            Self::NoPool => "no matching nodepool",
            Self::TooBig => "no instance type is large enough",
            Self::NoType => "no instance type fits",
            Self::NotOffered => "zone or capacity type not offered",
            Self::Reservation => "may be waiting for a capacity reservation",
            Self::MinValues => "minValues not met",
            Self::ResourceClaims => "resource claims",
            Self::Launching => "waiting for launching nodes",
            Self::Nominated => "nominated to running nodes",
            Self::NoCapacity => "no capacity at launch",
            Self::Gated => "scheduling gates",
            Self::Group => "held back by its group",
            Self::Queue => "queue quota used up",
            Self::Unseen => "waiting for scheduler",
            Self::SchedulerError => "scheduler error",
            Self::Preempting => "preempting",
            Self::Placed(Binding::Volume) => "placed, waiting for volumes",
            Self::Placed(Binding::Devices) => "placed, waiting for devices",
            Self::Placed(Binding::Pod) => "placed, waiting to be bound",
            Self::Other => "other reasons",
        })
    }
}

/// How many pods wait for one cause, and which objects it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCount {
    /// Why they wait.
    pub cause: Cause,
    /// How many.
    pub pods: u64,
    /// The nodepools of [`Cause::Limits`], the claims of [`Cause::Launching`], the nodes of [`Cause::Placed`],
    /// [`Cause::Preempting`] and [`Cause::Nominated`], what does not match of [`Cause::NoPool`] (`label team`); empty for
    /// others.
    pub about: BTreeSet<Name>,
    /// How many machines are on their way, for [`Cause::Launching`]: at least those of [`Self::about`].
    pub launching: usize,
}

impl fmt::Display for PendingCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let only = if self.about.len() == 1 { self.about.first() } else { None };
        match (&self.cause, only) {
            (Cause::Launching, _) if self.launching == 1 => f.write_str("waiting for 1 launching node"),
            (Cause::Launching, _) => write!(f, "waiting for {} launching nodes", self.launching),
            (Cause::NoPool, Some(mismatch)) => write!(f, "{} ({mismatch})", self.cause),
            (Cause::Placed(binding), about) => {
                match about {
                    Some(node) => write!(f, "placed on {node}")?,
                    None => write!(f, "placed on {} nodes", self.about.len())?,
                }
                f.write_str(match (binding, self.pods) {
                    (Binding::Volume, 1) => ", waiting for its volume",
                    (Binding::Volume, _) => ", waiting for their volumes",
                    (Binding::Devices, 1) => ", waiting for its devices",
                    (Binding::Devices, _) => ", waiting for their devices",
                    (Binding::Pod, _) => ", waiting to be bound",
                })
            }
            (cause, _) => cause.fmt(f),
        }
    }
}

/// What each message of Karpenter means, the nearest to success first: a pod that fits a nodepool but for one thing is not
/// explained by the nodepool it could never use. Limits stand apart: Karpenter tests them before anything else, so a
/// limited nodepool gives its limit for every pod (`scheduler.go`, `addToNewNodeClaim`).
///
/// Files are those of Karpenter 1.15 under `pkg/controllers/provisioning/scheduling`, unless a version says otherwise.
const KARPENTER: &[(&str, Cause)] = &[
    ("reserved offering", Cause::Reservation), // nodeclaim.go
    ("no instance type has the required offering", Cause::NotOffered), // nodeclaim.go
    ("minValues requirement", Cause::MinValues), // nodeclaim.go, scheduler.go
    ("no instance type has enough resources", Cause::TooBig), // nodeclaim.go
    ("no instance type satisfies both", Cause::ResourceClaims), // nodeclaim.go
    ("no instance type met", Cause::NoType),   // nodeclaim.go
    ("no instance type which", Cause::NoType), // nodeclaim.go
    ("no instance type satisfied resources", Cause::NoType), // 0.31: machine.go
    ("volume limit", Cause::TooManyVolumes),   // nodeclaim.go, pkg/scheduling/volumeusage.go
    ("checking volume usage", Cause::TooManyVolumes), // existingnode.go
    ("unsatisfiable topology constraint", Cause::Topology), // topology.go
    ("checking host port usage", Cause::HostPort), // nodeclaim.go to 1.4, existingnode.go
    ("incompatible volume requirements", Cause::Volume), // nodeclaim.go
    ("persistentvolume", Cause::Volume),       // volumetopology.go
    ("pvc", Cause::Volume),                    // volumetopology.go
    ("storage class", Cause::Volume),          // volumetopology.go
    ("Dynamic Resource Allocation", Cause::ResourceClaims), // scheduler.go
    ("dynamic resource", Cause::ResourceClaims), // nodeclaim.go
    ("nodepool requirements filtered out all", Cause::NoPool), // scheduler.go
    ("did not tolerate ", Cause::NoPool),      // pkg/scheduling/taints.go, all versions
    ("incompatible requirements", Cause::NoPool), // nodeclaim.go
    ("no nodepools found", Cause::NoPool),     // provisioner.go
];

/// Texts of limits: 1.5 and later end in `(NodePool=X)`, earlier ones in `: "X"`; before 0.32 they name a Provisioner.
const LIMITS: &[&str] = &["all available instance types exceed limits for ", "node limits have been exhausted for "];

/// What each reason of kube-scheduler means; `Insufficient …` apart. Files are those of Kubernetes 1.37 under
/// `pkg/scheduler/framework/plugins`; older words of the same reasons stand beside them.
const SCHEDULER: &[(&str, Cause)] = &[
    ("untolerated taint", Cause::Taint),                   // tainttoleration
    ("had taint", Cause::Taint),                           // tainttoleration, to 1.19
    ("node affinity/selector", Cause::Selector),           // nodeaffinity
    ("scheduler-enforced node affinity", Cause::Selector), // nodeaffinity
    ("node selector", Cause::Selector),                    // nodeaffinity, to 1.19
    ("requested node name", Cause::Selector),              // nodename
    ("required features", Cause::NodeVersion),             // nodedeclaredfeatures
    ("topology spread constraints", Cause::Topology),      // podtopologyspread
    ("affinity rules", Cause::Topology),                   // interpodaffinity
    ("affinity/anti-affinity", Cause::Topology),           // interpodaffinity, to 1.19
    ("max volume count", Cause::TooManyVolumes),           // nodevolumelimits
    ("CSI driver is not installed", Cause::Volume),        // nodevolumelimits
    ("no available volume zone", Cause::Volume),           // volumezone
    ("volume node affinity", Cause::Volume),               // volumebinding, to 1.34
    ("PersistentVolume", Cause::Volume),                   // volumebinding, volumezone, volumerestrictions
    ("persistentvolume", Cause::Volume),                   // volumebinding: claims that are not found
    ("persistent volumes to bind", Cause::Volume),         // volumebinding
    ("non-existent pv", Cause::Volume),                    // volumebinding
    ("enough free storage", Cause::Volume),                // volumebinding
    ("StorageClass", Cause::Volume),                       // volumezone
    ("no available disk", Cause::Volume),                  // volumerestrictions
    ("resourceclaim", Cause::ResourceClaims),              // dynamicresources
    ("ResourceClaim", Cause::ResourceClaims),              // dynamicresources
    ("resource claim", Cause::ResourceClaims),             // dynamicresources
    ("allocate all claims", Cause::ResourceClaims),        // dynamicresources
    ("device class", Cause::ResourceClaims),               // dynamicresources
    ("were unschedulable", Cause::Cordoned),               // nodeunschedulable
    ("free ports", Cause::HostPort),                       // nodeports
    ("from a gang", Cause::Group),                         // gangscheduling
    ("pod group", Cause::Group),                           // gangscheduling
];

/// Texts about a whole group, which stand in the condition of each of its pods.
const GROUP: &[&str] = &[
    "minCount (",               // gangscheduling of Kubernetes 1.36 and 1.37
    "minimum threshold (",      // schedule_one_podgroup.go of Kubernetes 1.38
    "pod group",                // the same; Volcano pkg/scheduler/api/job_info.go
    "no pods were schedulable", // algorithm_podgroup.go of Kubernetes 1.38
    "placements are available", // algorithm_podgroup.go of Kubernetes 1.38
    "from a gang",              // gangscheduling of Kubernetes 1.35
    "tasks in gang",            // Volcano pkg/scheduler/api/job_info.go
    "find enough sibling pods", // scheduler-plugins pkg/coscheduling/core/core.go
];

/// The name of an event's quoted or bracketed object: `(NodePool=web)`, `: "web"`.
fn named(text: &str) -> Option<&str> {
    let bracket = text.split_once("(NodePool=").and_then(|(_, rest)| rest.split_once(')'));
    let quote = || text.split_once(": \"").and_then(|(_, rest)| rest.split_once('"'));
    bracket.or_else(quote).map(|(name, _)| name)
}

/// An error of Karpenter without what it quotes, which names objects and labels as people call them: texts in quotes, braces
/// and square brackets, `(Key=value)`, and what follows the words that introduce a requirement or a taint.
fn without_names(piece: &str) -> String {
    const REQUIREMENTS: &str = " and requirements "; // to 0.31: `and requirements K In [V], … (why)`
    let piece = match piece.split_once(REQUIREMENTS) {
        Some((before, after)) => format!("{before} {}", after.rsplit_once(" (").map_or("", |(_, why)| why)),
        None => piece.to_owned(),
    };
    let end = ["incompatible requirements, ", "did not tolerate "].into_iter().find_map(|text| {
        let at = piece.find(text)?;
        Some(at + text.len())
    });
    let mut rest = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
    let mut plain = String::new();
    while let Some(at) = rest.find(['"', '[', '{', '(']) {
        let (before, quoted) = rest.split_at(at);
        plain.push_str(before);
        let inner = quoted.get(1..).unwrap_or_default();
        let inside = match quoted.chars().next() {
            Some('"') => inner.find('"'),
            Some('[') => inner.find(']'),
            // Braces may hold quotes and braces: resources as JSON.
            Some('{') => Some(closing_brace(inner)),
            // A bracket that is no `(Key=value)` is text of Karpenter.
            _ if !is_key_value(inner) => {
                plain.push('(');
                rest = inner;
                continue;
            }
            _ => inner.find(')'),
        };
        rest = inside.and_then(|end| inner.get(end + 1..)).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// The place of the brace that closes what was opened before; the end where it was cut off.
fn closing_brace(text: &str) -> usize {
    let mut open = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return at;
        }
    }
    text.len()
}

/// Whether a text begins with `Key=` or `key=`.
fn is_key_value(text: &str) -> bool {
    let key = text.split_once('=').map_or("", |(key, _)| key);
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// What Karpenter holds against a pod: one error a nodepool, joined by `; `.
#[derive(Debug, Default)]
struct Refusal {
    /// Nodepools that gave their limit; none where the text is of a Provisioner.
    limits: Vec<Option<Name>>,
    /// The nearest to success of the other errors, by place in [`KARPENTER`].
    other: Option<(usize, Cause)>,
    /// What does not match, for [`Cause::NoPool`].
    mismatches: BTreeSet<Name>,
}

impl Refusal {
    fn read(message: &str) -> Self {
        let mut refusal = Self::default();
        for piece in message.split("; ") {
            if let Some(rest) = LIMITS.iter().find_map(|text| piece.split_once(text).map(|(_, rest)| rest)) {
                let pool = if rest.starts_with("provisioner") { None } else { named(rest) };
                refusal.limits.push(pool.map(Name::from));
                continue;
            }
            let plain = without_names(piece);
            let Some(rank) = KARPENTER.iter().position(|(text, _)| plain.contains(text)) else { continue };
            let cause = &KARPENTER[rank].1;
            if *cause == Cause::NoPool {
                refusal.mismatches.extend(mismatch(piece).map(|mismatch| Name::from(mismatch.to_string())));
            }
            if refusal.other.as_ref().is_none_or(|(best, _)| rank < *best) {
                refusal.other = Some((rank, cause.clone()));
            }
        }
        refusal
    }
}

/// What an error of Karpenter says does not match: `did not tolerate taint (taint=K=V:E)`, to 1.4 `did not tolerate K=V:E`;
/// `label "K" does not have known values`; `incompatible requirements, key K, …`.
fn mismatch(piece: &str) -> Option<Mismatch> {
    if let Some((_, taint)) = piece.split_once("did not tolerate ") {
        let bracket = taint.strip_prefix("taint (taint=").and_then(|rest| rest.split_once(')'));
        let taint = bracket.map_or(taint, |(taint, _)| taint);
        return Some(Mismatch::Taint(taint.split(", ").next()?.into()));
    }
    let (_, rest) = piece.split_once("incompatible requirements, ")?;
    if let Some(rest) = rest.strip_prefix("label \"") {
        return Some(Mismatch::Label(rest.split_once('"')?.0.into()));
    }
    Some(Mismatch::Requirement(rest.strip_prefix("key ")?.split_once(',')?.0.into()))
}

/// Whether a text is about single nodes: `0/4 nodes are available: …`.
fn about_nodes(message: &str) -> bool {
    message.split_once(" nodes ").is_some_and(|(count, _)| count.bytes().all(|b| b.is_ascii_digit() || b == b'/'))
}

/// The cause in a text of kube-scheduler: `0/4 nodes are available: 3 Insufficient cpu, 1 node(s) had …. preemption: …`.
/// The reasons end at the first `. `; what follows is about preemption. Room comes first, since a new node would give it;
/// else what rules out most nodes.
fn scheduler(message: &str) -> Cause {
    if message.starts_with("no nodes available") || message.starts_with("0/0 ") {
        return Cause::NoNodes;
    }
    if !about_nodes(message) {
        if message.starts_with("queue resource quota insufficient") {
            return Cause::Queue; // Volcano pkg/scheduler/plugins/capacity
        }
        if GROUP.iter().any(|text| message.contains(text)) {
            return Cause::Group;
        }
    }
    let reasons = message.split_once(": ").map_or(message, |(_, rest)| rest);
    let reasons = reasons.split_once(". ").map_or(reasons, |(reasons, _)| reasons);
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

/// The cause in the text of a scheduler that failed. What a plugin could not bind before the pod is no fault of the
/// scheduler: `running PreBind plugin "VolumeBinding": binding volumes: …` (`pkg/scheduler/framework/runtime/framework.go`).
fn failure(message: &str) -> Cause {
    if message.contains("PreBind plugin \"VolumeBinding\"") {
        Cause::Volume
    } else if message.contains("PreBind plugin \"DynamicResources\"") {
        Cause::ResourceClaims
    } else {
        Cause::SchedulerError
    }
}

/// Pods without a node, counted by cause.
///
/// Kept beside the screen and refreshed when [`crate::cluster::ChangedParts::PENDING`] or another part it rests on says so, at most
/// once a frame: a refresh looks at the pods that wait and at the event log, reading does not.
#[derive(Clone, Debug, Default)]
pub struct PendingByCause {
    causes: Vec<PendingCount>,
    total: u64,
    limited: BTreeMap<Name, u64>,
}

/// After a nomination, or once its node is there, the scheduler has this long to bind the pod; then its own words count
/// again. Karpenter holds a nomination for as long (`pkg/controllers/state/cluster.go`, twice the batch window).
const NOMINATION_SECONDS: i64 = 20;
/// For this long a launch that failed explains why its pods wait (Karpenter's offerings are skipped for 3 minutes).
const FAILED_LAUNCH_SECONDS: i64 = 5 * 60;
/// Karpenter has looked at every pod by then: its batches end after 10 s, and nodes are simulated in seconds.
const SILENCE_SECONDS: i64 = 60;

impl PendingByCause {
    /// Counts anew.
    pub fn refresh(&mut self, cluster: &Cluster) {
        (self.causes, self.total, self.limited) = (Vec::new(), 0, BTreeMap::new());
        if cluster.pod_counts().unscheduled == 0 {
            return;
        }
        let queries = [Lane::Schedule, Lane::Provision].map(|lane| EventQuery {
            lane: Some(lane),
            collapse: false,
            objects: None,
        });
        let mut reader = Reader::new(cluster, &queries);
        let mut counts: FxHashMap<Cause, PendingCount> = FxHashMap::default();
        let mut count = |cause: Cause, about: Vec<Name>| {
            let entry = counts.entry(cause).or_insert_with_key(|cause| PendingCount {
                cause: cause.clone(),
                pods: 0,
                about: BTreeSet::new(),
                launching: 0,
            });
            entry.pods += 1;
            entry.about.extend(about);
        };
        // Pods without an event of Karpenter: their owner, their creation, and the scheduler's message.
        let mut silent: Vec<(Option<OwnerKey<'_>>, Timestamp, Cause)> = Vec::new();
        let mut nominated: FxHashMap<OwnerKey<'_>, Timestamp> = FxHashMap::default();
        let mut named: u64 = 0;
        for pod in cluster.unscheduled_pods().filter(|pod| pod.state == PodState::Unscheduled) {
            self.total += 1;
            let owner = pod.owner.map(|owner| (pod.namespace, owner));
            match reader.verdict(&pod) {
                Verdict::Cause(cause, about) => {
                    if cause == Cause::Limits {
                        for pool in &about {
                            *self.limited.entry(pool.clone()).or_default() += 1;
                        }
                    }
                    count(cause, about);
                }
                Verdict::Launching(claim, at) => {
                    if let Some(owner) = owner {
                        let newest = nominated.entry(owner).or_insert(at);
                        *newest = at.max(*newest);
                    }
                    named += 1;
                    count(Cause::Launching, vec![claim]);
                }
                Verdict::Silent(cause) => silent.push((owner, pod.created, cause)),
            }
        }
        // Karpenter sends few of its nominations (`events.go`: 5 a second, 10 at once), and all of its refusals: a pod that
        // was there when another of its owner was nominated, and was not refused, was nominated too, as long as the claims
        // on their way were made for that many pods.
        let (mut claims, mut made_for) = (0, 0);
        if !nominated.is_empty() && !silent.is_empty() {
            let standing = cluster.rows().filter(|row| row.gone().is_none());
            for claim in standing.filter_map(Row::claim).filter(|claim| reader.is_launching(Some(claim))) {
                (claims, made_for) = (claims + 1, made_for + claim.requests.pods);
            }
        }
        let mut room = made_for.saturating_sub(named);
        let mut guessed = false;
        for (owner, created, cause) in silent {
            let others = owner.and_then(|owner| nominated.get(&owner)).is_some_and(|at| created <= *at);
            if others && room > 0 {
                (room, guessed) = (room - 1, true);
                count(Cause::Launching, Vec::new());
            } else {
                count(cause, Vec::new());
            }
        }
        self.causes = counts.into_values().collect();
        for count in self.causes.iter_mut().filter(|count| count.cause == Cause::Launching) {
            count.launching = count.about.len().max(if guessed { claims } else { 0 });
        }
        self.causes.sort_by(|a, b| b.pods.cmp(&a.pods).then_with(|| a.cause.cmp(&b.cause)));
    }

    /// Causes and how many pods have them, the most frequent first.
    pub fn causes(&self) -> &[PendingCount] {
        &self.causes
    }

    /// How many pods wait: [`crate::cluster::PodCounts::unscheduled`].
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// How many pods a nodepool could take and its limit holds back, by Karpenter's newest word on each.
    pub fn limited(&self, pool: &str) -> u64 {
        self.limited.get(pool).copied().unwrap_or(0)
    }

    /// The causes in words, each with its number unless it is the only one, as far as they fit into `room` columns: the
    /// least frequent are left out and counted (`+2 more`). Empty where not even the first fits.
    pub fn words(&self, room: usize) -> String {
        if let [only] = self.causes.as_slice() {
            let text = only.to_string();
            return if text.chars().count() <= room { text } else { String::new() };
        }
        let all: Vec<String> = self.causes.iter().map(|count| format!("{} {count}", count.pods)).collect();
        let texts = (1..=all.len()).rev().map(|shown| {
            let more = all.len() - shown;
            let more = if more > 0 { format!(", +{more} more") } else { String::new() };
            format!("{}{more}", all[..shown].join(", "))
        });
        texts.into_iter().find(|text| text.chars().count() <= room).unwrap_or_default()
    }
}

/// A namespace and an owner in it.
type OwnerKey<'a> = (&'a str, &'a Owner);

/// Karpenter's newest word on a pod.
#[derive(Clone, Copy, Debug)]
enum Word<'a> {
    Refused(&'a str),
    Nominated {
        claim: Option<&'a str>,
        node: Option<&'a str>,
    },
    /// The launch of the claim that it was nominated for failed.
    FailedLaunch,
}

/// What one pod waits for.
enum Verdict {
    Cause(Cause, Vec<Name>),
    /// A claim, and when Karpenter named it.
    Launching(Name, Timestamp),
    /// No event of Karpenter holds any more: the scheduler's message.
    Silent(Cause),
}

/// Reads the words on pods, each distinct one once: pods of one owner wait with the same.
struct Reader<'a> {
    cluster: &'a Cluster,
    now: Timestamp,
    words: FxHashMap<(&'a str, &'a str), (Timestamp, Word<'a>)>,
    /// Claims whose launch failed for lack of capacity a short while ago.
    failed: FxHashSet<Name>,
    /// The nodepools that have nothing but capacity reservations.
    reserved: Vec<&'a NodePool>,
    refusals: FxHashMap<&'a str, Rc<Refusal>>,
    texts: FxHashMap<&'a str, Cause>,
    fits: FxHashMap<(*const Placement, *const NodePool), Result<(), Mismatch>>,
    victims: FxHashMap<&'a str, bool>,
}

impl<'a> Reader<'a> {
    fn new(cluster: &'a Cluster, [schedule, launches]: &'a [EventQuery; 2]) -> Self {
        let now = cluster.now();
        let mut words = FxHashMap::default();
        for line in cluster.events().lines(schedule).filter(|line| line.object.kind == "Pod") {
            if let Some(word) = word(line.reason, line.message) {
                words.entry((line.object.namespace.as_str(), line.object.name.as_str())).or_insert((line.last, word));
            }
        }
        let recent = |at: Timestamp| now.as_second() - at.as_second() <= FAILED_LAUNCH_SECONDS;
        let mut failed = FxHashSet::default();
        for line in cluster.events().lines(launches).take_while(|line| recent(line.last)) {
            if line.reason != "InsufficientCapacityError" || line.object.kind != "NodeClaim" {
                continue;
            }
            failed.insert(line.object.name.clone());
            for (pod, at) in line.pods.iter().filter(|(_, at)| recent(*at)) {
                let word = words.entry((&pod.namespace, &pod.name)).or_insert((*at, Word::FailedLaunch));
                if word.0 <= *at {
                    *word = (*at, Word::FailedLaunch);
                }
            }
        }
        Self {
            cluster,
            now,
            words,
            failed,
            reserved: cluster.pools().filter(|pool| pool.deleted.is_none() && only_reserved(pool)).collect(),
            refusals: FxHashMap::default(),
            texts: FxHashMap::default(),
            fits: FxHashMap::default(),
            victims: FxHashMap::default(),
        }
    }

    fn verdict(&mut self, pod: &PodRow<'a>) -> Verdict {
        let plain = |cause| Verdict::Cause(cause, Vec::new());
        match pod.unscheduled_reason {
            Some(UnscheduledReason::Gated) => plain(Cause::Gated),
            Some(UnscheduledReason::SchedulerError) => plain(failure(pod.note)),
            Some(UnscheduledReason::Group) => plain(Cause::Group),
            Some(UnscheduledReason::Unseen) => plain(Cause::Unseen),
            Some(UnscheduledReason::Nominated) => {
                let asks = |what: fn(&Placement) -> bool| pod.placement.is_some_and(what);
                let cause = if self.has_victims(pod.note) {
                    Cause::Preempting
                } else if asks(|placement| placement.volumes) {
                    Cause::Placed(Binding::Volume)
                } else if asks(|placement| placement.devices) {
                    Cause::Placed(Binding::Devices)
                } else {
                    Cause::Placed(Binding::Pod)
                };
                Verdict::Cause(cause, vec![pod.note.into()])
            }
            Some(UnscheduledReason::Unschedulable) => self.unschedulable(pod),
            None => plain(Cause::Other),
        }
    }

    /// Whether a pod on this node is removed for another one.
    fn has_victims(&mut self, node: &'a str) -> bool {
        let cluster = self.cluster;
        *self.victims.entry(node).or_insert_with(|| {
            cluster.row_of_node(node).is_some_and(|row| cluster.pods_of(row).any(|pod| pod.preempted))
        })
    }

    fn unschedulable(&mut self, pod: &PodRow<'a>) -> Verdict {
        let text = self.texts.entry(pod.note).or_insert_with(|| scheduler(pod.note)).clone();
        match self.words.get(&(pod.namespace, pod.name)).copied() {
            Some((_, Word::Refused(message))) => match self.refused(message, pod.placement) {
                Some((cause, about)) => Verdict::Cause(cause, about),
                None => Verdict::Silent(text),
            },
            Some((_, Word::FailedLaunch)) => Verdict::Cause(Cause::NoCapacity, Vec::new()),
            Some((at, Word::Nominated { claim, node })) => {
                if let Some(claim) = claim {
                    let row = self.cluster.row_of_claim(claim).filter(|row| row.gone().is_none());
                    if let Some(row) = row.filter(|row| *row.state() != RowState::LaunchFailed)
                        && self.is_launching(row.claim())
                    {
                        // Its node may be ready already, and the scheduler has not had its turn.
                        return if *row.state() == RowState::Ready {
                            Verdict::Cause(Cause::Nominated, vec![row.name().into()])
                        } else {
                            Verdict::Launching(claim.into(), at)
                        };
                    }
                    if row.is_none() && self.failed.contains(claim) {
                        return Verdict::Cause(Cause::NoCapacity, Vec::new());
                    }
                }
                let turn = self.now.as_second() - at.as_second() <= NOMINATION_SECONDS;
                match node.filter(|node| turn && self.cluster.row_of_node(node).is_some_and(|row| row.gone().is_none()))
                {
                    Some(node) => Verdict::Cause(Cause::Nominated, vec![node.into()]),
                    None => Verdict::Silent(text),
                }
            }
            None if self.may_wait_for_a_reservation(pod) => Verdict::Cause(Cause::Reservation, Vec::new()),
            None => Verdict::Silent(text),
        }
    }

    /// Karpenter is silent about a pod whose only nodepool of the highest weight has full reservations alone
    /// (`nodeclaim.go`, `offeringsToReserve`, since 1.15).
    fn may_wait_for_a_reservation(&mut self, pod: &PodRow<'a>) -> bool {
        let waited = self.now.as_second() - pod.created.as_second() >= SILENCE_SECONDS;
        let Some(placement) = pod.placement.filter(|_| waited && self.cluster.has_all(Stream::Events)) else {
            return false;
        };
        let reserved = self.reserved.clone();
        reserved.into_iter().any(|pool| self.fits(placement, pool).is_ok())
    }

    /// Whether a claim is on its way to be a node, or its node so new that the scheduler has not had its turn.
    fn is_launching(&self, claim: Option<&crate::model::NodeClaim>) -> bool {
        let Some(claim) = claim.filter(|claim| claim.deleted.is_none()) else { return false };
        let ready = claim.condition("Initialized").filter(|c| c.status == ConditionStatus::True);
        ready.is_none_or(|c| c.since.is_some_and(|at| self.now.as_second() - at.as_second() <= NOMINATION_SECONDS))
    }

    /// The cause in a refusal. A limit counts only where the nodepool is there, has a limit and could take the pod; none
    /// where nothing of the text holds any more.
    fn refused(&mut self, message: &'a str, placement: Option<&'a Placement>) -> Option<(Cause, Vec<Name>)> {
        let refusal = Rc::clone(self.refusals.entry(message).or_insert_with(|| Rc::new(Refusal::read(message))));
        let mut mismatches = refusal.mismatches.clone();
        let (mut limits, mut limited) = (Vec::new(), false);
        for pool in &refusal.limits {
            let Some(name) = pool else {
                limited = true;
                continue;
            };
            match self.cluster.pool(name) {
                Some(pool) if pool.deleted.is_none() && pool.has_limit() => {
                    match placement.map_or(Ok(()), |placement| self.fits(placement, pool)) {
                        Ok(()) => limits.push(name.clone()),
                        Err(mismatch) => {
                            mismatches.insert(mismatch.to_string().into());
                        }
                    }
                }
                // Without its limit, or deleted: the text is of another time.
                Some(_) => {}
                None if self.cluster.has_all(Stream::NodePools) => {}
                None => limits.push(name.clone()),
            }
        }
        if limited || !limits.is_empty() {
            return Some((Cause::Limits, limits));
        }
        match &refusal.other {
            Some((_, cause)) if *cause != Cause::NoPool => Some((cause.clone(), Vec::new())),
            None if mismatches.is_empty() => refusal.limits.is_empty().then_some((Cause::Other, Vec::new())),
            Some(_) | None => Some((Cause::NoPool, mismatches.into_iter().collect())),
        }
    }

    fn fits(&mut self, placement: &'a Placement, pool: &'a NodePool) -> Result<(), Mismatch> {
        let key = (std::ptr::from_ref(placement), std::ptr::from_ref(pool));
        self.fits.entry(key).or_insert_with(|| nodepool_match::fits(placement, pool)).clone()
    }
}

/// Whether all that a nodepool may launch is in capacity reservations.
fn only_reserved(pool: &NodePool) -> bool {
    pool.requirements.iter().any(|requirement| {
        requirement.key == key::CAPACITY_TYPE
            && requirement.operator == "In"
            && !requirement.values.is_empty()
            && requirement.values.iter().all(|value| value == "reserved")
    })
}

/// What an event of Karpenter says on its pod. `would schedule against uninitialized nodeclaim/X` is no refusal: the pod's
/// node is on its way while a disruption is worked out (`pkg/controllers/disruption/helpers.go`).
fn word<'a>(reason: &str, message: &'a str) -> Option<Word<'a>> {
    let nomination = |text: &'a str| {
        let object =
            |kind: &str| text.split([' ', ',']).find_map(|word| word.strip_prefix(kind)).filter(|n| !n.is_empty());
        Word::Nominated { claim: object("nodeclaim/"), node: object("node/") }
    };
    if reason == "Nominated" {
        return Some(nomination(message));
    }
    let error = message.strip_prefix("Failed to schedule pod, ").filter(|_| reason == "FailedScheduling")?;
    match error.split_once("would schedule against ") {
        Some((_, objects)) => Some(nomination(objects)),
        None => Some(Word::Refused(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Change, Condition, Event, Labels, Node, NodeClaim, ObjectRef, Pod, PodKey, Requirement, Resources, Scheduling,
        Taint, TaintEffect, Uid,
    };
    use test_case::test_case;

    // Kubernetes pkg/scheduler/framework/types.go and framework/plugins; the rows name the plugin.
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
    #[test_case("0/3 nodes are available: 3 cannot allocate all claims. no new claims to deallocate, preemption: 0/3 nodes are available: 3 node(s) had untolerated taint(s)." => "resource claims" ; "dynamicresources, reasons end at the first full stop")]
    #[test_case("0/1 nodes are available: 1 the moon is full. still not schedulable, preemption: 0/1 nodes are available: 1 Insufficient cpu." => "other reasons" ; "what preemption says is no reason")]
    #[test_case("0/2 nodes are available: 2 resourceclaim not available on the node. preemption: x" => "resource claims" ; "dynamicresources 1.30")]
    #[test_case("0/2 nodes are available: 2 resourceclaim in use." => "resource claims" ; "dynamicresources 1.30 in use")]
    #[test_case("0/2 nodes are available: waiting for dynamic resource controller to create the resourceclaim \"gpu\". not found" => "resource claims" ; "dynamicresources waiting")]
    #[test_case("0/3 nodes are available: request gpu: device class gpu.nvidia.com does not exist. not found" => "resource claims" ; "dynamicresources, no such class")]
    #[test_case("0/3 nodes are available: 3 node(s) did not have enough free storage." => "volume" ; "volumebinding free storage")]
    #[test_case("0/3 nodes are available: 3 node(s) had no available disk." => "volume" ; "volumerestrictions")]
    #[test_case("0/3 nodes are available: 3 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)." => "volume" ; "volumebinding non-existent")]
    #[test_case("0/3 nodes are available: 3 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod." => "volume" ; "volumerestrictions once")]
    #[test_case("0/3 nodes are available: persistentvolumeclaim \"data\" not found. not found" => "volume" ; "volumebinding not found")]
    #[test_case("0/3 nodes are available: 3 ebs.csi.aws.com CSI driver is not installed on the node." => "volume" ; "nodevolumelimits 1.37")]
    #[test_case("0/3 nodes are available: 3 node(s) exceed max volume count." => "too many volumes" ; "nodevolumelimits")]
    #[test_case("0/3 nodes are available: 3 node(s) didn't match scheduler-enforced node affinity." => "node selector or affinity" ; "nodeaffinity enforced")]
    #[test_case("0/3 nodes are available: 3 node(s) didn't match the requested node name." => "node selector or affinity" ; "nodename")]
    #[test_case("0/3 nodes are available: 3 node(s) didn't match Pod's required features." => "node version" ; "nodedeclaredfeatures")]
    #[test_case("0/3 nodes are available: waiting for minCount pods from a gang to appear in scheduling queue." => "held back by its group" ; "gangscheduling 1.35")]
    #[test_case("minCount (4) cannot be satisfied: 2 scheduled, 1 remaining" => "held back by its group" ; "gangscheduling 1.37")]
    #[test_case("scheduling policy's minimum threshold (4) cannot be satisfied: 2 scheduled, 1 unschedulable, 0 not-evaluated" => "held back by its group" ; "1.38")]
    #[test_case("parent pod group \"train\" is unschedulable" => "held back by its group" ; "1.38 parent")]
    #[test_case("ancestor composite pod group \"train\" is unschedulable" => "held back by its group" ; "1.38 composite")]
    #[test_case("no pods were schedulable" => "held back by its group" ; "1.38 none")]
    #[test_case("0/3 placements are available, first placement status: 0/4 nodes are available: 4 Insufficient cpu." => "held back by its group" ; "1.38 placements")]
    #[test_case("0/1 nodes are unavailable: 1 Insufficient nvidia.com/gpu." => "insufficient nvidia.com/gpu" ; "volcano on a node")]
    #[test_case("2/3 tasks in gang unschedulable: pod group is not ready, 3 Pending, 3 minAvailable; Pending: 1 Unschedulable, 1 Undetermined, 1 Schedulable" => "held back by its group" ; "volcano on a gang")]
    #[test_case("queue resource quota insufficient: insufficient cpu" => "queue quota used up" ; "volcano on a queue")]
    fn texts_of_the_scheduler(message: &str) -> String {
        scheduler(message).to_string()
    }

    #[test_case("running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded" => Cause::Volume)]
    #[test_case("running PreBind plugin \"DynamicResources\": x" => Cause::ResourceClaims)]
    #[test_case("binding rejected: timeout" => Cause::SchedulerError)]
    fn texts_of_a_scheduler_that_failed(message: &str) -> Cause {
        failure(message)
    }

    // Karpenter 1.15 unless the row says otherwise; files beside the table.
    #[test_case("did not tolerate taint (taint=a=b:NoSchedule)" => "no matching nodepool: taint a=b:NoSchedule")]
    #[test_case("did not tolerate nvidia.com/gpu=1:NoSchedule" => "no matching nodepool: taint nvidia.com/gpu=1:NoSchedule" ; "to 1.4")]
    #[test_case("incompatible with nodepool \"gpu\", daemonset overhead={\"cpu\":\"605m\"}, did not tolerate gpu=1:NoSchedule; incompatible with nodepool \"b\", daemonset overhead={}, did not tolerate team=b:NoSchedule" => "no matching nodepool: taint gpu=1:NoSchedule, taint team=b:NoSchedule" ; "1.0 to 1.4")]
    #[test_case("incompatible requirements, label \"x\" does not have known values" => "no matching nodepool: label x")]
    #[test_case("incompatible requirements, label \"s\" does not have known values (typo of \"kubernetes.io/os\"?)" => "no matching nodepool: label s" ; "typo hint")]
    #[test_case("incompatible requirements, key topology.kubernetes.io/zone, topology.kubernetes.io/zone In [mars] not in topology.kubernetes.io/zone In [a b]" => "no matching nodepool: requirement topology.kubernetes.io/zone")]
    #[test_case("incompatible with nodepool \"pvc-heavy\", daemonset overhead={\"cpu\":\"605m\"}, did not tolerate a=b:NoSchedule" => "no matching nodepool: taint a=b:NoSchedule" ; "the name of a nodepool is no text")]
    #[test_case("incompatible requirements, key example.com/pvc, example.com/pvc In [storage class] not in example.com/pvc In [a]" => "no matching nodepool: requirement example.com/pvc" ; "the key of a requirement is no text")]
    #[test_case("incompatible requirements, label \"pvc\" does not have known values" => "no matching nodepool: label pvc" ; "the name of a label is no text")]
    #[test_case("did not tolerate taint (taint=pvc=minValues requirement:NoSchedule)" => "no matching nodepool: taint pvc=minValues requirement:NoSchedule" ; "a taint is no text")]
    #[test_case("minValues requirement is not met (NodePool=pvc-reserved offering)" => "minValues not met" ; "a key and its value are no text")]
    #[test_case("no instance type satisfied resources {\"pvc\":{\"a\":\"1\"}} and requirements pvc In [a] (no instance type which fits)" => "no instance type fits" ; "before 0.32, requirements are no text")]
    #[test_case("did not tolerate taint (taint=a=b:NoSchedule); no instance type has enough resources" => "no instance type is large enough: taint a=b:NoSchedule" ; "the nearest to success")]
    #[test_case("incompatible volume requirements" => "volume")]
    #[test_case("would exceed volume limit for all instance type options (provisioner=ebs.csi.aws.com, volume-count=30, volume-limit=25)" => "too many volumes")]
    #[test_case("unsatisfiable topology constraint for pod anti-affinity" => "topology")]
    #[test_case("no instance type met all requirements" => "no instance type fits")]
    #[test_case("no instance type satisfied resources {\"cpu\":\"99\"} and requirements kubernetes.io/arch In [amd64]" => "no instance type fits" ; "before 0.32")]
    #[test_case("incompatible with provisioner \"web\", daemonset overhead={}, no instance type satisfied resources {\"cpu\":\"99\"} and requirements a In [b] (no instance type has enough resources)" => "no instance type is large enough" ; "0.31")]
    #[test_case("checking host port usage, IP=0.0.0.0 Port=80 Proto=TCP conflicts with existing HostPort configuration" => "host port taken" ; "all versions")]
    #[test_case("no instance type has the required offering" => "zone or capacity type not offered")]
    #[test_case("minValues requirement is not met" => "minValues not met")]
    #[test_case("nodepool requirements filtered out all available instance types" => "no matching nodepool")]
    #[test_case("pod has Dynamic Resource Allocation requirements that are not yet supported by Karpenter" => "resource claims")]
    #[test_case("the only compatible reserved offering is full; falling through to other NodePools" => "may be waiting for a capacity reservation")]
    #[test_case("all available instance types exceed limits for nodepool (NodePool=x)" => "limits x")]
    #[test_case("node limits have been exhausted for nodepool (NodePool=x)" => "limits x" ; "nodes")]
    #[test_case("all available instance types exceed limits for nodepool: \"x\"" => "limits x" ; "limits to 1.4")]
    #[test_case("all available instance types exceed limits for provisioner: \"x\"" => "limits ?" ; "limits before 0.32")]
    #[test_case("something new" => "")]
    fn texts_of_karpenter(errors: &str) -> String {
        let refusal = Refusal::read(errors);
        let limits = refusal.limits.iter().map(|pool| format!("limits {}", pool.as_deref().unwrap_or("?")));
        let other = refusal.other.iter().map(|(_, cause)| {
            let mismatches: Vec<&str> = refusal.mismatches.iter().map(Name::as_str).collect();
            let colon = if mismatches.is_empty() { "" } else { ": " };
            format!("{cause}{colon}{}", mismatches.join(", "))
        });
        limits.chain(other).collect::<Vec<_>>().join("; ")
    }

    const NOW: i64 = 1_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn cluster(changes: impl IntoIterator<Item = Change>) -> Cluster {
        let mut cluster = Cluster::new(None);
        for change in changes {
            cluster.apply(change, at(NOW));
        }
        cluster
    }

    fn full() -> Scheduling {
        Scheduling::Unschedulable("0/1 nodes are available: 1 Insufficient cpu.".into())
    }

    fn pod_with(name: &str, scheduling: Scheduling, edit: impl FnOnce(&mut Pod)) -> Change {
        let placement = Some(Box::default());
        let mut pod = Pod { key: PodKey::new("default", name), scheduling, placement, ..Pod::default() };
        edit(&mut pod);
        Change::Pod(Box::new(pod))
    }

    fn pod(name: &str, scheduling: Scheduling) -> Change {
        pod_with(name, scheduling, |_| ())
    }

    fn event(n: u128, kind: &str, name: &str, reason: &str, message: &str, seconds: i64) -> Change {
        let namespace = if kind == "Pod" { "default" } else { "" };
        Change::Event(Box::new(Event {
            uid: Uid::new(&format!("{n:032x}")),
            reason: reason.into(),
            message: message.into(),
            component: "karpenter".into(),
            object: ObjectRef { kind: kind.into(), namespace: namespace.into(), name: name.into() },
            first: at(seconds),
            last: at(seconds),
            count: 1,
            ..Event::default()
        }))
    }

    fn refused(n: u128, pod: &str, errors: &str, seconds: i64) -> Change {
        event(n, "Pod", pod, "FailedScheduling", &format!("Failed to schedule pod, {errors}"), seconds)
    }

    fn nominated(n: u128, pod: &str, claim: &str, seconds: i64) -> Change {
        event(n, "Pod", pod, "Nominated", &format!("Pod should schedule on: nodeclaim/{claim}"), seconds)
    }

    fn claim_with(name: &str, edit: impl FnOnce(&mut NodeClaim)) -> Change {
        let mut claim = NodeClaim { name: name.into(), ..NodeClaim::default() };
        edit(&mut claim);
        Change::Claim(Box::new(claim))
    }

    fn limited(name: &str, edit: impl FnOnce(&mut NodePool)) -> Change {
        let mut pool = NodePool {
            name: name.into(),
            limits: Resources::new(32_000, 0),
            limited: vec!["cpu".into()],
            ..NodePool::default()
        };
        edit(&mut pool);
        Change::Pool(Box::new(pool))
    }

    fn pending(cluster: &Cluster) -> PendingByCause {
        let mut pending = PendingByCause::default();
        pending.refresh(cluster);
        assert_eq!(pending.total(), cluster.pod_counts().unscheduled);
        assert_eq!(pending.total(), pending.causes().iter().map(|count| count.pods).sum::<u64>());
        pending
    }

    fn counted(cluster: &Cluster) -> Vec<String> {
        pending(cluster).causes().iter().map(|count| format!("{} {count}", count.pods)).collect()
    }

    #[test]
    fn pending_pods_are_counted_by_cause() {
        let mut cluster = cluster((0..91).map(|i| pod(&format!("p{i}"), full())));
        cluster.apply(pod("odd", full()), at(NOW));
        cluster.apply(refused(1, "odd", "incompatible requirements", 10), at(NOW));
        assert_eq!(counted(&cluster), ["91 insufficient cpu", "1 no matching nodepool"]);
        cluster.apply(nominated(2, "odd", "a", 20), at(NOW));
        assert_eq!(counted(&cluster), ["92 insufficient cpu"], "a nomination takes the refusal back");
        cluster.apply(pod("gated", Scheduling::Gated), at(NOW));
        cluster.apply(pod("new", Scheduling::Unseen), at(NOW));
        cluster.apply(pod("err", Scheduling::Error("timeout".into())), at(NOW));
        assert_eq!(
            counted(&cluster),
            ["92 insufficient cpu", "1 scheduling gates", "1 waiting for scheduler", "1 scheduler error"]
        );
    }

    #[test]
    fn pods_on_their_way_out_do_not_wait() {
        let ending = Pod { key: PodKey::new("default", "p"), deleted: Some(at(NOW)), ..Pod::default() };
        assert_eq!(counted(&cluster([Change::Pod(Box::new(ending))])), [""; 0]);
    }

    #[test]
    fn nominated_pods_wait_for_their_claims() {
        let changes = [
            claim_with("a", |_| ()),
            claim_with("b", |_| ()),
            pod("p", full()),
            pod("q", full()),
            pod("r", full()),
            nominated(1, "p", "a", 990),
            nominated(2, "q", "a", 990),
            nominated(3, "r", "b", 990),
        ];
        let mut c = cluster(changes);
        assert_eq!(counted(&c), ["3 waiting for 2 launching nodes"]);
        c.apply(claim_with("b", |claim| claim.deleted = Some(at(NOW))), at(NOW));
        assert_eq!(counted(&c), ["2 waiting for 1 launching node", "1 insufficient cpu"], "a claim that goes");
        c.apply(Change::ClaimGone("b".into(), Uid::default()), at(NOW));
        c.apply(
            event(9, "NodeClaim", "b", "InsufficientCapacityError", "NodeClaim b event: no capacity", 995),
            at(NOW),
        );
        assert_eq!(counted(&c), ["2 waiting for 1 launching node", "1 no capacity at launch"]);
        c.apply(refused(10, "p", "no instance type has enough resources", 999), at(NOW));
        assert_eq!(
            counted(&c),
            ["1 no instance type is large enough", "1 waiting for 1 launching node", "1 no capacity at launch"],
            "a refusal that is newer than the nomination"
        );
    }

    /// Karpenter 1.15 `pkg/controllers/nodeclaim/lifecycle/events.go`; `Nominated` is rate-limited and may be missing.
    #[test]
    fn a_pod_waits_for_capacity_by_the_failed_launch_alone() {
        let failed = |n, claim: &str, seconds| {
            let text = format!("NodeClaim {claim} nominated for this pod failed to launch: insufficient capacity");
            event(n, "Pod", "p", "InsufficientCapacityError", &text, seconds)
        };
        let mut c = cluster([pod("p", full()), pod("q", full()), failed(1, "a", 900)]);
        assert_eq!(counted(&c), ["1 insufficient cpu", "1 no capacity at launch"]);
        c.apply(nominated(2, "p", "a", 899), at(NOW));
        assert_eq!(counted(&c), ["1 insufficient cpu", "1 no capacity at launch"], "an older nomination");
        c.apply(claim_with("b", |_| ()), at(NOW));
        c.apply(nominated(3, "p", "b", 950), at(NOW));
        assert_eq!(counted(&c), ["1 insufficient cpu", "1 waiting for 1 launching node"], "tried again");
        c.apply(Change::ClaimGone("b".into(), Uid::default()), at(NOW));
        c.apply(failed(4, "b", 960), at(NOW));
        assert_eq!(counted(&c), ["1 insufficient cpu", "1 no capacity at launch"]);
        c.apply(refused(5, "p", "no instance type has enough resources", 990), at(NOW));
        assert_eq!(counted(&c), ["1 insufficient cpu", "1 no instance type is large enough"]);
        let old = cluster([pod("p", full()), failed(1, "a", NOW - FAILED_LAUNCH_SECONDS - 1)]);
        assert_eq!(counted(&old), ["1 insufficient cpu"]);
    }

    #[test]
    fn a_node_that_is_ready_is_waited_for_no_longer() {
        let ready = |since| {
            claim_with("a", |claim| {
                claim.conditions = vec![Condition {
                    kind: "Initialized".into(),
                    status: ConditionStatus::True,
                    since: Some(at(since)),
                    ..Condition::default()
                }];
            })
        };
        let with = |since| cluster([ready(since), pod("p", full()), nominated(1, "p", "a", 900)]);
        assert_eq!(counted(&with(NOW - 5)), ["1 waiting for 1 launching node"], "the scheduler's turn");
        assert_eq!(counted(&with(NOW - 60)), ["1 insufficient cpu"]);
        let mut c = with(NOW - 5);
        let claim = claim_with("a", |claim| {
            claim.node_name = "n".into();
            let is_true = |kind: &str| Condition {
                kind: kind.into(),
                status: ConditionStatus::True,
                since: Some(at(NOW - 5)),
                ..Condition::default()
            };
            claim.conditions = ["Launched", "Registered", "Initialized"].map(is_true).to_vec();
        });
        let ready = Condition { kind: "Ready".into(), status: ConditionStatus::True, ..Condition::default() };
        let node = Node { name: "n".into(), conditions: vec![ready], ..Node::default() };
        for change in [claim, Change::Node(Box::new(node))] {
            c.apply(change, at(NOW));
        }
        assert_eq!(*c.row_of_claim("a").unwrap().state(), RowState::Ready);
        assert_eq!(counted(&c), ["1 nominated to running nodes"], "its node is ready");
    }

    #[test]
    fn a_plan_against_a_node_on_its_way_is_no_refusal() {
        let text = "would schedule against uninitialized nodeclaim/slow-kqtvj, node/ip-10-0-0-1";
        let c = cluster([
            claim_with("slow-kqtvj", |_| ()),
            pod("p", full()),
            nominated(1, "p", "slow-kqtvj", 900),
            refused(2, "p", text, 990),
        ]);
        assert_eq!(counted(&c), ["1 waiting for 1 launching node"]);
    }

    #[test]
    fn pods_without_a_nomination_wait_with_the_others_of_their_owner() {
        let of_web = |name: &str, created| {
            pod_with(name, full(), |pod| {
                pod.owner = Some(Owner { kind: "ReplicaSet".into(), name: "web".into() });
                pod.created = at(created);
            })
        };
        let one = |claim: &mut NodeClaim| claim.requests.pods = 1;
        let c = cluster([
            claim_with("a", one),
            claim_with("b", one),
            of_web("too many", 900),
            of_web("p", 900),
            of_web("q", 900),
            of_web("later", 995),
            of_web("no", 900),
            nominated(1, "p", "a", 990),
            refused(2, "no", "no instance type has enough resources", 990),
        ]);
        assert_eq!(
            counted(&c),
            ["2 insufficient cpu", "2 waiting for 2 launching nodes", "1 no instance type is large enough"]
        );
    }

    const LIMIT: &str = "all available instance types exceed limits for nodepool (NodePool=web)";

    #[test]
    fn a_limit_counts_for_the_pods_its_nodepool_could_take() {
        let asks = |name: &str, label: &'static str| {
            pod_with(name, full(), |pod| {
                let node_selector: Labels = [(label, "x")].into_iter().collect();
                pod.placement = Some(Box::new(Placement { node_selector, ..Placement::default() }));
            })
        };
        let team = |pool: &mut NodePool| pool.labels = [("team", "x")].into_iter().collect();
        let base = [
            asks("held", "team"),
            refused(1, "held", LIMIT, 990),
            asks("lost", "no-such"),
            refused(2, "lost", LIMIT, 990),
        ];
        let mut c = cluster([limited("web", team)].into_iter().chain(base));
        assert_eq!(counted(&c), ["1 nodepool limits reached", "1 no matching nodepool (label no-such)"]);
        assert_eq!(pending(&c).limited("web"), 1);
        c.apply(limited("web", |pool| (pool.limited, pool.limits) = (Vec::new(), Resources::default())), at(NOW));
        assert_eq!(counted(&c), ["2 insufficient cpu"], "without the limit its text is of another time");
        c.apply(limited("web", team), at(NOW));
        c.apply(Change::Synced(Stream::NodePools), at(NOW));
        c.apply(Change::PoolGone("web".into(), Uid::default()), at(NOW));
        assert_eq!(counted(&c), ["2 insufficient cpu"], "and without its nodepool");
        assert_eq!(pending(&c).limited("web"), 0);
    }

    #[test]
    fn a_limit_of_a_pool_the_pod_does_not_tolerate_is_not_its_cause() {
        let taint = Taint { key: "gpu".into(), value: "1".into(), effect: TaintEffect::NoSchedule };
        let errors = format!("{LIMIT}; no instance type has the required offering");
        let c = |errors: &str| {
            cluster([
                limited("web", |pool| pool.taints = vec![taint.clone()]),
                pod("p", full()),
                refused(1, "p", errors, 990),
            ])
        };
        assert_eq!(counted(&c(LIMIT)), ["1 no matching nodepool (taint gpu=1:NoSchedule)"]);
        assert_eq!(counted(&c(&errors)), ["1 zone or capacity type not offered"], "the next text");
    }

    #[test]
    fn a_pod_with_a_chosen_node_is_placed_and_preempts_only_with_a_victim() {
        let on = |node: &'static str, scheduling, volumes| {
            pod_with("p", scheduling, |pod| {
                pod.nominated_node = node.into();
                pod.placement = Some(Box::new(Placement { volumes, ..Placement::default() }));
            })
        };
        let victim = |preempted| {
            let key = PodKey::new("default", "victim");
            Change::Pod(Box::new(Pod { key, node: "nv".into(), preempted, ..Pod::default() }))
        };
        let node = Change::Node(Box::new(Node { name: "nv".into(), ..Node::default() }));
        let with = |pod, preempted| counted(&cluster([node.clone(), victim(preempted), pod]));
        assert_eq!(with(on("nv", Scheduling::Unseen, true), false), ["1 placed on nv, waiting for its volume"]);
        assert_eq!(with(on("nv", full(), false), false), ["1 placed on nv, waiting to be bound"]);
        assert_eq!(with(on("nv", full(), false), true), ["1 preempting"]);
        assert_eq!(with(on("elsewhere", full(), false), true), ["1 placed on elsewhere, waiting to be bound"]);
        assert_eq!(with(on("nv", Scheduling::Gated, true), true), ["1 scheduling gates"]);
        assert_eq!(with(on("nv", Scheduling::Error("x".into()), true), true), ["1 scheduler error"]);
    }

    #[test]
    fn a_pod_of_a_group_waits_for_it() {
        let grouped = |name: &str, scheduling| {
            pod_with(name, scheduling, |pod| {
                pod.placement = Some(Box::new(Placement { group: "train".into(), ..Placement::default() }));
            })
        };
        let c = cluster([
            grouped("a", Scheduling::Unseen),
            grouped("b", Scheduling::Group("it can possibly be assigned".into())),
            grouped("c", Scheduling::Unschedulable("parent pod group \"train\" is unschedulable".into())),
            grouped("d", full()),
        ]);
        assert_eq!(counted(&c), ["3 held back by its group", "1 insufficient cpu"]);
    }

    #[test]
    fn a_pod_for_reservations_alone_may_wait_for_one() {
        let reserved = |values: &[&str]| {
            limited("web", |pool| {
                (pool.limited, pool.limits) = (Vec::new(), Resources::default());
                pool.requirements = vec![Requirement {
                    key: "karpenter.sh/capacity-type".into(),
                    operator: "In".into(),
                    values: values.iter().map(|value| Name::from(*value)).collect(),
                }];
            })
        };
        let old = || pod_with("p", full(), |pod| pod.created = at(NOW - 100));
        let with = |pool, pod| counted(&cluster([Change::Synced(Stream::Events), pool, pod]));
        assert_eq!(with(reserved(&["reserved"]), old()), ["1 may be waiting for a capacity reservation"]);
        assert_eq!(with(reserved(&["reserved", "spot"]), old()), ["1 insufficient cpu"]);
        let new = pod_with("p", full(), |pod| pod.created = at(NOW - 5));
        assert_eq!(with(reserved(&["reserved"]), new), ["1 insufficient cpu"], "Karpenter has not looked at it");
    }

    #[test]
    fn words_leave_out_the_least_frequent_causes() {
        let scheduling = [full(), full(), full(), Scheduling::Gated, Scheduling::Gated, Scheduling::Unseen];
        let pods = scheduling.into_iter().enumerate().map(|(i, scheduling)| pod(&format!("p{i}"), scheduling));
        let pending = pending(&cluster(pods));
        assert_eq!(pending.words(200), "3 insufficient cpu, 2 scheduling gates, 1 waiting for scheduler");
        assert_eq!(pending.words(60), "3 insufficient cpu, 2 scheduling gates, +1 more");
        assert_eq!(pending.words(30), "3 insufficient cpu, +2 more");
        assert_eq!(pending.words(10), "");
    }

    #[test]
    fn a_pod_that_names_its_nodepool_is_held_back_by_that_one_alone() {
        let node_selector: Labels = [(key::NODEPOOL, "web")].into_iter().collect();
        let placement = Some(Box::new(Placement { node_selector, ..Placement::default() }));
        let c = cluster([
            limited("web", |_| ()),
            limited("batch", |_| ()),
            pod_with("p", full(), |pod| pod.placement = placement),
            refused(1, "p", &format!("{LIMIT}; {}", LIMIT.replace("web", "batch")), 990),
        ]);
        let pending = pending(&c);
        assert_eq!((pending.limited("web"), pending.limited("batch")), (1, 0));
    }
}
