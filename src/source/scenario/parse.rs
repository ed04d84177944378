//! The parser of scenario files: a line is a time, a verb, an object and arguments.

use super::expect::{Expect, Fact, PodCount, Subject};
use crate::model::{ConditionStatus, LinkState, Name, PodClass, Resource, Resources, Stream, Taint, TaintEffect};
use crate::source::sim::catalog::{self, CATALOG, InstanceType};
use crate::source::sim::{CapacityType, PoolSpec, WorkloadSpec};
use crate::units::age::go_duration;
use crate::units::text::clean;
use crate::units::{Money, Quantity};
use std::fmt;

/// Why a scenario is invalid. Completes "failed to …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read scenario {file}, line {line}: {problem}")]
pub struct ScenarioError {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The error.
    pub problem: Problem,
}

/// The error of a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// An unknown word.
    #[error("unknown {what} \"{word}\"{}", Hint(.near.as_deref()))]
    Unknown {
        /// What is expected.
        what: &'static str,
        /// The word.
        word: String,
        /// The most similar valid word.
        near: Option<String>,
    },
    /// The line ends too early.
    #[error("{what} is missing at the end of the line")]
    Missing {
        /// What is expected.
        what: &'static str,
    },
    /// An invalid value.
    #[error("{what} \"{text}\" is invalid: expected a value such as {like}")]
    Value {
        /// What is expected.
        what: &'static str,
        /// The text.
        text: String,
        /// A valid example.
        like: &'static str,
    },
    /// A quotation mark is not closed.
    #[error("unclosed quotation mark")]
    Quote,
    /// Lines are not in order of time.
    #[error("the time is before the line above; put the lines in order")]
    Backwards,
    /// The first line is not `cluster`.
    #[error("the first line must be the cluster, such as: cluster ap-northeast-2 auto 1.36")]
    NoCluster,
    /// An action that is not possible in the present state.
    #[error("{what}")]
    Order {
        /// The error, and how to fix it.
        what: &'static str,
    },
}

struct Hint<'a>(Option<&'a str>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |near| write!(f, "; did you mean \"{near}\"?"))
    }
}

impl Problem {
    /// An unknown word, with the most similar valid word.
    pub(super) fn unknown<'a>(what: &'static str, word: &str, right: impl IntoIterator<Item = &'a str>) -> Self {
        let near = right
            .into_iter()
            .map(|w| (strsim::damerau_levenshtein(word, w), w))
            .filter(|(distance, w)| *distance <= 1 + w.len() / 3)
            .min()
            .map(|(_, w)| w.to_owned());
        Self::Unknown { what, word: word.to_owned(), near }
    }
}

/// A line with a verb.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// The line, counted from 1.
    pub(super) number: u32,
    /// Time since the start.
    pub(super) millis: i64,
    pub(super) verb: Verb,
}

/// A range of a workload's pods, in order of creation from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pods {
    pub(super) workload: String,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// An action. Names are resolved when the scenario is played.
#[derive(Clone, Debug)]
pub(super) enum Verb {
    Cluster {
        region: String,
        auto: bool,
        version: String,
    },
    Pool(PoolSpec),
    Workload {
        spec: WorkloadSpec,
        replica_set: Option<String>,
    },
    Scale {
        workload: String,
        to: usize,
    },
    Unschedulable {
        pods: Pods,
        verdict: String,
    },
    Nominated {
        pods: Pods,
        claim: String,
    },
    Bound {
        pods: Pods,
        node: String,
    },
    Running {
        pods: Pods,
    },
    Ending {
        pods: Pods,
        grace_seconds: i64,
        evicted: Option<String>,
    },
    PodsGone {
        pods: Pods,
    },
    Claim {
        name: String,
        pool: String,
        asks: Resources,
        types: Vec<Name>,
    },
    Launched {
        claim: String,
        instance: String,
        kind: &'static InstanceType,
        zone: String,
        capacity_type: Option<CapacityType>,
        allocatable: Option<Resources>,
    },
    Joined {
        instance: String,
        allocatable: Option<Resources>,
    },
    Moment {
        instance: String,
        moment: Moment,
    },
    Failed {
        claim: String,
        error: String,
    },
    Disrupted {
        instance: String,
        reason: String,
    },
    Condition {
        instance: String,
        kind: String,
        status: ConditionStatus,
        reason: String,
        message: String,
    },
    Taint {
        instance: String,
        taint: Taint,
        set: bool,
    },
    Label {
        instance: String,
        key: String,
        value: String,
    },
    Usage {
        instance: String,
        used: Resources,
    },
    Event {
        warning: bool,
        component: String,
        kind: String,
        namespace: String,
        name: String,
        reason: String,
        message: String,
    },
    Stream {
        stream: Stream,
        state: LinkState,
    },
    Expect(Expect),
}

/// An action on an instance without further arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Registered,
    Ready,
    Devices,
    Initialized,
    Interrupted,
    Draining,
    Drained,
    Stopping,
    Finalized,
    Cordoned,
    Uncordoned,
}

const VERBS: &[&str] = &[
    "cluster",
    "pool",
    "deployment",
    "statefulset",
    "daemonset",
    "scale",
    "unschedulable",
    "nominated",
    "bound",
    "running",
    "ending",
    "evicted",
    "pods-gone",
    "claim",
    "launched",
    "joined",
    "registered",
    "ready",
    "devices",
    "initialized",
    "interrupted",
    "draining",
    "drained",
    "stopping",
    "finalized",
    "cordoned",
    "uncordoned",
    "failed",
    "disrupted",
    "condition",
    "taint",
    "untaint",
    "label",
    "usage",
    "event",
    "warning",
    "stream",
    "expect",
];

/// Parses the lines of a file.
pub(super) fn lines(file: &str, text: &str) -> Result<Vec<Line>, ScenarioError> {
    let mut lines = Vec::new();
    let mut clock = 0;
    for (i, raw) in text.lines().enumerate() {
        let number = i as u32 + 1;
        let fail = |problem| ScenarioError { file: file.to_owned(), line: number, problem };
        let mut words = Words::new(&clean(raw)).map_err(fail)?;
        if words.is_empty() {
            continue;
        }
        if let Some(time) = words.peek().filter(|w| w.starts_with('+')).map(str::to_owned) {
            words.skip();
            let millis =
                offset(&time).ok_or(Problem::Value { what: "time", text: time, like: "+1m30s" }).map_err(fail)?;
            if millis < clock {
                return Err(fail(Problem::Backwards));
            }
            clock = millis;
        }
        let verb = verb(&mut words, number).map_err(fail)?;
        if let Some(more) = words.peek() {
            return Err(fail(Problem::unknown("word", more, [])));
        }
        if lines.is_empty() && !matches!(verb, Verb::Cluster { .. }) {
            return Err(fail(Problem::NoCluster));
        }
        lines.push(Line { number, millis: clock, verb });
    }
    Ok(lines)
}

/// Parses `+1m30s`, `+2.5s` into milliseconds since the start.
fn offset(text: &str) -> Option<i64> {
    let text = text.strip_prefix('+')?;
    if let Some(seconds) = text.strip_suffix('s').filter(|t| t.contains('.')) {
        let millis = seconds.parse::<Quantity>().ok()?.millis();
        return i64::try_from(millis).ok();
    }
    Some(go_duration(text)?.saturating_mul(1000))
}

/// The words of a line: separated by white space; text in quotation marks is one word; `#` begins a comment.
struct Words {
    words: Vec<String>,
    at: usize,
}

impl Words {
    fn new(line: &str) -> Result<Self, Problem> {
        let mut words = Vec::new();
        let mut chars = line.chars().peekable();
        while let Some(&c) = chars.peek() {
            match c {
                '#' => break,
                c if c.is_whitespace() => {
                    chars.next();
                }
                '"' => {
                    chars.next();
                    let mut text = String::new();
                    loop {
                        match chars.next() {
                            Some('"') => break,
                            Some(c) => text.push(c),
                            None => return Err(Problem::Quote),
                        }
                    }
                    words.push(text);
                }
                _ => {
                    let mut word = String::new();
                    while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
                        word.push(c);
                    }
                    words.push(word);
                }
            }
        }
        Ok(Self { words, at: 0 })
    }

    fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).map(String::as_str)
    }

    fn skip(&mut self) {
        self.at += 1;
    }

    fn next(&mut self, what: &'static str) -> Result<String, Problem> {
        let word = self.words.get(self.at).cloned().ok_or(Problem::Missing { what })?;
        self.at += 1;
        Ok(word)
    }

    /// Takes the next word if it equals `word`.
    fn take(&mut self, word: &str) -> bool {
        let here = self.peek() == Some(word);
        self.at += usize::from(here);
        here
    }

    /// Takes the next word, which must equal `word`.
    fn expect(&mut self, word: &'static str) -> Result<(), Problem> {
        if self.take(word) {
            return Ok(());
        }
        match self.peek() {
            Some(other) => Err(Problem::unknown("word", other, [word])),
            None => Err(Problem::Missing { what: word }),
        }
    }

    fn number(&mut self, what: &'static str) -> Result<u64, Problem> {
        let text = self.next(what)?;
        text.parse().or(Err(Problem::Value { what, text, like: "12" }))
    }

    fn duration(&mut self, what: &'static str) -> Result<Name, Problem> {
        let text = self.next(what)?;
        if text == "Never" || go_duration(&text).is_some() {
            return Ok(text.into());
        }
        Err(Problem::Value { what, text, like: "30s, 336h or Never" })
    }

    fn money(&mut self, what: &'static str) -> Result<Money, Problem> {
        let text = self.next(what)?;
        text.parse().or(Err(Problem::Value { what, text, like: "0.086" }))
    }

    /// Parses amounts such as `cpu 1 memory 2Gi nvidia.com/gpu 1`; a name with a slash is an extended resource.
    fn resources(&mut self) -> Result<Resources, Problem> {
        let mut amounts = Resources::default();
        while let Some(word) = self.peek() {
            if !is_resource(word) {
                break;
            }
            let resource = Resource::from_name(word);
            self.skip();
            let text = self.next("an amount")?;
            amounts.set(&resource, amount(&resource, &text)?);
        }
        Ok(amounts)
    }

    /// Parses `inflate`, `inflate#3` or `inflate#3..9`.
    fn pods(&mut self) -> Result<Pods, Problem> {
        let text = self.next("the pods")?;
        let (workload, range) = text.split_once('#').unwrap_or((&text, ""));
        let bad = || Problem::Value { what: "pods", text: text.clone(), like: "inflate, inflate#3 or inflate#3..9" };
        let (from, to) = match (range, range.split_once("..")) {
            ("", _) => (1, usize::MAX),
            (_, Some((from, to))) => (from.parse().or(Err(bad()))?, to.parse().or(Err(bad()))?),
            (one, None) => {
                let n = one.parse().or(Err(bad()))?;
                (n, n)
            }
        };
        if from == 0 || to < from {
            return Err(bad());
        }
        Ok(Pods { workload: workload.to_owned(), from, to })
    }
}

fn is_resource(word: &str) -> bool {
    matches!(word, "cpu" | "memory" | "ephemeral-storage" | "pods") || word.contains('/')
}

fn amount(resource: &Resource, text: &str) -> Result<u64, Problem> {
    let bad = Problem::Value { what: "amount", text: text.to_owned(), like: "500m, 2 or 1.5Gi" };
    let quantity: Quantity = text.parse().or(Err(bad))?;
    Ok(if *resource == Resource::Cpu { quantity.millis() } else { quantity.units() })
}

fn verb(words: &mut Words, line: u32) -> Result<Verb, Problem> {
    let word = words.next("a verb")?;
    let moment = |words: &mut Words, moment| Ok(Verb::Moment { instance: words.next("a claim or node")?, moment });
    Ok(match word.as_str() {
        "cluster" => cluster(words)?,
        "pool" => Verb::Pool(pool(words)?),
        "deployment" => workload(words, PodClass::Workload)?,
        "statefulset" => workload(words, PodClass::StatefulSet)?,
        "daemonset" => workload(words, PodClass::DaemonSet)?,
        "scale" => {
            Verb::Scale { workload: words.next("a workload")?, to: words.number("the number of pods")? as usize }
        }
        "unschedulable" => Verb::Unschedulable { pods: words.pods()?, verdict: words.next("the scheduler's message")? },
        "nominated" => Verb::Nominated { pods: words.pods()?, claim: words.next("a claim")? },
        "bound" => Verb::Bound { pods: words.pods()?, node: words.next("a node")? },
        "running" => Verb::Running { pods: words.pods()? },
        "ending" => {
            let pods = words.pods()?;
            Verb::Ending { pods, grace_seconds: grace(words)?, evicted: None }
        }
        "evicted" => {
            let pods = words.pods()?;
            let evicted = Some(words.next("the reason")?);
            Verb::Ending { pods, grace_seconds: grace(words)?, evicted }
        }
        "pods-gone" => Verb::PodsGone { pods: words.pods()? },
        "claim" => claim(words)?,
        "launched" => launched(words)?,
        "joined" => {
            let instance = words.next("a claim or node")?;
            Verb::Joined { instance, allocatable: allocatable(words)? }
        }
        "registered" => moment(words, Moment::Registered)?,
        "ready" => moment(words, Moment::Ready)?,
        "devices" => moment(words, Moment::Devices)?,
        "initialized" => moment(words, Moment::Initialized)?,
        "interrupted" => moment(words, Moment::Interrupted)?,
        "draining" => moment(words, Moment::Draining)?,
        "drained" => moment(words, Moment::Drained)?,
        "stopping" => moment(words, Moment::Stopping)?,
        "finalized" => moment(words, Moment::Finalized)?,
        "cordoned" => moment(words, Moment::Cordoned)?,
        "uncordoned" => moment(words, Moment::Uncordoned)?,
        "failed" => Verb::Failed { claim: words.next("a claim")?, error: words.next("EC2's error")? },
        "disrupted" => Verb::Disrupted { instance: words.next("a node")?, reason: words.next("the reason")? },
        "condition" => condition(words)?,
        "taint" => taint(words, true)?,
        "untaint" => taint(words, false)?,
        "label" => {
            let instance = words.next("a node")?;
            let text = words.next("a label")?;
            let (key, value) = text.split_once('=').ok_or_else(|| Problem::Value {
                what: "label",
                text: text.clone(),
                like: "team=web",
            })?;
            Verb::Label { instance, key: key.to_owned(), value: value.to_owned() }
        }
        "usage" => Verb::Usage { instance: words.next("a node")?, used: words.resources()? },
        "event" => event(words, false)?,
        "warning" => event(words, true)?,
        "stream" => stream(words)?,
        "expect" => Verb::Expect(expect(words, line)?),
        other => return Err(Problem::unknown("word", other, VERBS.iter().copied())),
    })
}

fn grace(words: &mut Words) -> Result<i64, Problem> {
    if words.take("grace") { Ok(go_duration(&words.duration("the grace period")?).unwrap_or(30)) } else { Ok(30) }
}

fn cluster(words: &mut Words) -> Result<Verb, Problem> {
    let region = words.next("a region")?;
    let provisioner = words.next("auto or karpenter")?;
    let auto = match provisioner.as_str() {
        "auto" => true,
        "karpenter" => false,
        other => return Err(Problem::unknown("provisioner", other, ["auto", "karpenter"])),
    };
    Ok(Verb::Cluster { region, auto, version: words.next("a version")? })
}

fn capacity_type(word: &str) -> Option<CapacityType> {
    [CapacityType::OnDemand, CapacityType::Spot, CapacityType::Reserved].into_iter().find(|c| c.name() == word)
}

fn pool(words: &mut Words) -> Result<PoolSpec, Problem> {
    const RIGHT: &[&str] =
        &["on-demand", "spot", "reserved", "weight", "limit", "consolidate-after", "expire-after", "grace", "taint"];
    let mut pool = PoolSpec::new(&words.next("the pool's name")?, CapacityType::OnDemand);
    while let Some(word) = words.peek().map(str::to_owned) {
        words.skip();
        match word.as_str() {
            "weight" => pool.weight = words.number("the weight")?.min(100) as u32,
            "limit" => {
                words.expect("cpu")?;
                let text = words.next("an amount")?;
                pool.cpu_limit = Some(amount(&Resource::Cpu, &text)?);
            }
            "consolidate-after" => pool.consolidate_after = words.duration("consolidate-after")?,
            "expire-after" => pool.expire_after = words.duration("expire-after")?,
            "grace" => pool.grace = words.duration("the grace period")?,
            "taint" => pool.taints.push(read_taint(&words.next("a taint")?)?),
            other => match capacity_type(other) {
                Some(capacity) => pool.capacity_type = capacity,
                None => return Err(Problem::unknown("word", other, RIGHT.iter().copied())),
            },
        }
    }
    Ok(pool)
}

fn workload(words: &mut Words, class: PodClass) -> Result<Verb, Problem> {
    const RIGHT: &[&str] = &["cpu", "memory", "ephemeral-storage", "limits", "image", "replicaset", "pools"];
    let full = words.next("the workload's name")?;
    let (namespace, name) = full.split_once('/').unwrap_or(("default", &full));
    let image = format!("registry.k8s.io/{name}:1.0");
    let mut spec = WorkloadSpec {
        namespace: namespace.into(),
        name: name.into(),
        class,
        requests: words.resources()?,
        image: image.into(),
        ..WorkloadSpec::default()
    };
    let mut replica_set = None;
    while let Some(word) = words.peek().map(str::to_owned) {
        words.skip();
        match word.as_str() {
            "limits" => spec.limits = words.resources()?,
            "image" => spec.image = words.next("an image")?.into(),
            "replicaset" => replica_set = Some(words.next("the ReplicaSet's name")?),
            "pools" => spec.pools = words.next("nodepools")?.split(',').map(Name::from).collect(),
            other => return Err(Problem::unknown("word", other, RIGHT.iter().copied())),
        }
    }
    Ok(Verb::Workload { spec, replica_set })
}

fn claim(words: &mut Words) -> Result<Verb, Problem> {
    let name = words.next("the claim's name")?;
    words.expect("pool")?;
    let pool = words.next("a nodepool")?;
    words.expect("asks")?;
    let asks = words.resources()?;
    let types = if words.take("types") { words.next("instance types")? } else { String::new() };
    let types = types.split(',').filter(|t| !t.is_empty()).map(|t| instance_type(t).map(|t| Name::from(t.name)));
    Ok(Verb::Claim { name, pool, asks, types: types.collect::<Result<_, _>>()? })
}

fn instance_type(name: &str) -> Result<&'static InstanceType, Problem> {
    catalog::find(name).ok_or_else(|| Problem::unknown("instance type", name, CATALOG.iter().map(|t| t.name)))
}

fn launched(words: &mut Words) -> Result<Verb, Problem> {
    let claim = words.next("a claim")?;
    let instance = words.next("an instance id")?;
    let kind = instance_type(&words.next("an instance type")?)?;
    words.expect("zone")?;
    let zone = words.next("a zone")?;
    let capacity = words.peek().and_then(capacity_type);
    if capacity.is_some() {
        words.skip();
    }
    Ok(Verb::Launched { claim, instance, kind, zone, capacity_type: capacity, allocatable: allocatable(words)? })
}

fn allocatable(words: &mut Words) -> Result<Option<Resources>, Problem> {
    if words.take("allocatable") { words.resources().map(Some) } else { Ok(None) }
}

fn condition(words: &mut Words) -> Result<Verb, Problem> {
    let instance = words.next("a node")?;
    let kind = words.next("a condition")?;
    let status = match words.next("True, False or Unknown")?.as_str() {
        "True" => ConditionStatus::True,
        "False" => ConditionStatus::False,
        "Unknown" => ConditionStatus::Unknown,
        other => return Err(Problem::unknown("status", other, ["True", "False", "Unknown"])),
    };
    let reason = words.next("the reason")?;
    let message = if words.peek().is_some() { words.next("the message")? } else { String::new() };
    Ok(Verb::Condition { instance, kind, status, reason, message })
}

fn read_taint(text: &str) -> Result<Taint, Problem> {
    let bad = || Problem::Value { what: "taint", text: text.to_owned(), like: "key=value:NoSchedule" };
    let (pair, effect) = text.rsplit_once(':').ok_or_else(bad)?;
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    match TaintEffect::from_name(effect) {
        TaintEffect::Other(_) => {
            Err(Problem::unknown("effect", effect, ["NoSchedule", "PreferNoSchedule", "NoExecute"]))
        }
        effect => Ok(Taint { key: key.into(), value: value.into(), effect }),
    }
}

fn taint(words: &mut Words, set: bool) -> Result<Verb, Problem> {
    let instance = words.next("a node")?;
    Ok(Verb::Taint { instance, taint: read_taint(&words.next("a taint")?)?, set })
}

/// Parses `event Pod/web/api-1 Reason "message" from kubelet`; an object without a namespace is cluster-scoped.
fn event(words: &mut Words, warning: bool) -> Result<Verb, Problem> {
    let object = words.next("an object such as Node/NAME")?;
    let parts: Vec<&str> = object.split('/').collect();
    let (kind, namespace, name) = match parts.as_slice() {
        [kind, name] => (*kind, "", *name),
        [kind, namespace, name] => (*kind, *namespace, *name),
        _ => return Err(Problem::Value { what: "object", text: object, like: "Node/i-0a or Pod/web/api-1" }),
    };
    let (kind, namespace, name) = (kind.to_owned(), namespace.to_owned(), name.to_owned());
    let reason = words.next("the reason")?;
    let message = words.next("the message")?;
    let component = if words.take("from") { words.next("the component")? } else { String::new() };
    Ok(Verb::Event { warning, component, kind, namespace, name, reason, message })
}

fn stream(words: &mut Words) -> Result<Verb, Problem> {
    let name = words.next("a stream")?;
    let found = Stream::ALL.into_iter().find(|s| s.name() == name);
    let stream = found.ok_or_else(|| Problem::unknown("stream", &name, Stream::ALL.iter().map(|s| s.name())))?;
    let state = match words.next("live, absent, denied or retrying")?.as_str() {
        "live" => LinkState::Live,
        "absent" => LinkState::Absent,
        "denied" => LinkState::Denied { message: words.next("the server's message")? },
        // The time of the retry is set when the scenario is played.
        "retrying" => LinkState::Retrying { at: jiff::Timestamp::UNIX_EPOCH, why: words.next("the error")? },
        other => return Err(Problem::unknown("state", other, ["live", "absent", "denied", "retrying"])),
    };
    Ok(Verb::Stream { stream, state })
}

fn expect(words: &mut Words, line: u32) -> Result<Expect, Problem> {
    const TOTALS: &[&str] = &[
        "node",
        "claim",
        "nodes",
        "claims",
        "pods",
        "unscheduled",
        "starting",
        "running",
        "terminating",
        "bound",
        "cpu",
        "memory",
        "type",
        "pool",
        "zone",
        "status",
        "instances",
        "instances-month",
        "fees",
        "unpriced",
    ];
    let subject = if words.take("node") {
        Subject::Node(words.next("a node")?.into())
    } else if words.take("claim") {
        Subject::Claim(words.next("a claim")?.into())
    } else {
        Subject::Totals
    };
    let mut facts = Vec::new();
    while let Some(word) = words.peek().map(str::to_owned) {
        words.skip();
        facts.push(match word.as_str() {
            "nodes" => Fact::Nodes(words.number("a number")?),
            "claims" => Fact::ClaimsWithoutNode(words.number("a number")?),
            "pods" => Fact::Pods(PodCount::Total, words.number("a number")?),
            "unscheduled" => Fact::Pods(PodCount::Unscheduled, words.number("a number")?),
            "starting" => Fact::Pods(PodCount::Starting, words.number("a number")?),
            "running" => Fact::Pods(PodCount::Running, words.number("a number")?),
            "terminating" => Fact::Pods(PodCount::Terminating, words.number("a number")?),
            "bound" => Fact::Pods(PodCount::Bound, words.number("a number")?),
            "type" => Fact::InstanceType(words.next("an instance type")?.into()),
            "pool" => Fact::Pool(words.next("a nodepool")?.into()),
            "zone" => Fact::Zone(words.next("a zone")?.into()),
            "status" => Fact::Status(words.next("a status")?.into()),
            "instances" => Fact::Instances(words.money("an amount")?),
            "instances-month" => Fact::InstancesMonth(words.money("an amount")?),
            "fees" => Fact::Fees(words.money("an amount")?),
            "unpriced" => Fact::Unpriced(words.number("a number")?),
            other if is_resource(other) => requests(words, other)?,
            other => return Err(Problem::unknown("word", other, TOTALS.iter().copied())),
        });
    }
    if facts.is_empty() {
        return Err(Problem::Missing { what: "an expected fact" });
    }
    Ok(Expect { line, subject, facts })
}

/// Parses `cpu 1000m/1930m 51.8%`.
fn requests(words: &mut Words, name: &str) -> Result<Fact, Problem> {
    let resource = Resource::from_name(name);
    let text = words.next("requested/allocatable")?;
    let (requested, allocatable_text) = text.split_once('/').ok_or_else(|| Problem::Value {
        what: "requests",
        text: text.clone(),
        like: "1000m/1930m",
    })?;
    let (requested, allocatable) = (amount(&resource, requested)?, amount(&resource, allocatable_text)?);
    let percent = words.peek().filter(|w| w.ends_with('%')).map(Name::from);
    if let Some(text) = &percent {
        words.skip();
        let number = text.trim_end_matches('%');
        if number.parse::<Money>().is_err() {
            return Err(Problem::Value { what: "percentage", text: text.to_string(), like: "51.8%" });
        }
    }
    Ok(Fact::Requests { resource, requested, allocatable, percent })
}
