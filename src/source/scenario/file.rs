//! The format of scenario files: TOML, read by serde. A key that is unknown or missing is an error with its line.

use super::ScenarioError;
use crate::model::{ConditionStatus, EventKind, Name, PodClass, Resource, Resources, Stream, Taint, TaintEffect};
use crate::source::sim::catalog::{self, CATALOG, InstanceType};
use crate::source::sim::{CapacityType, PoolSpec, WorkloadSpec};
use crate::units::Quantity;
use crate::units::age::go_duration;
use crate::units::text::clean;
use jiff::SignedDuration;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The contents of a scenario file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) cluster: Cluster,
    #[serde(default)]
    pub(super) nodepools: Vec<Nodepool>,
    #[serde(default)]
    pub(super) workloads: Vec<Workload>,
    #[serde(default)]
    pub(super) steps: Vec<FileStep>,
}

/// The cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cluster {
    pub(super) region: String,
    pub(super) provisioner: Provisioner,
    pub(super) version: String,
}

/// The provisioner of a scenario's cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Provisioner {
    AutoMode,
    Karpenter,
}

/// A nodepool. Without a key, the value of Auto Mode's nodepools holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Nodepool {
    name: String,
    #[serde(default)]
    capacity_type: CapacityType,
    #[serde(default)]
    weight: u32,
    cpu_limit: Option<Cpu>,
    consolidate_after: Option<GoDuration>,
    expire_after: Option<GoDuration>,
    termination_grace_period: Option<GoDuration>,
    #[serde(default)]
    taints: Vec<FileTaint>,
}

impl Nodepool {
    pub(super) fn to_spec(&self) -> PoolSpec {
        let defaults = PoolSpec::new(&self.name, self.capacity_type);
        let or = |given: &Option<GoDuration>, default: &Name| given.as_ref().map_or(default, |given| &given.0).clone();
        PoolSpec {
            weight: self.weight,
            cpu_limit: self.cpu_limit.map(|cpu| cpu.0),
            consolidate_after: or(&self.consolidate_after, &defaults.consolidate_after),
            expire_after: or(&self.expire_after, &defaults.expire_after),
            grace: or(&self.termination_grace_period, &defaults.grace),
            taints: self.taints.iter().map(|taint| taint.0.clone()).collect(),
            ..defaults
        }
    }
}

/// A workload without pods.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Workload {
    kind: WorkloadKind,
    #[serde(default = "default_namespace")]
    namespace: Name,
    pub(super) name: Name,
    #[serde(default)]
    requests: Amounts,
    #[serde(default)]
    limits: Amounts,
    image: Option<Name>,
    /// The name of a Deployment's `ReplicaSet`, else a random one.
    pub(super) replica_set: Option<String>,
    /// Nodepools that its pods may run on; if empty, all without taints.
    #[serde(default)]
    nodepools: Vec<Name>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum WorkloadKind {
    Deployment,
    StatefulSet,
    DaemonSet,
}

impl Workload {
    pub(super) fn to_spec(&self) -> WorkloadSpec {
        WorkloadSpec {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            class: match self.kind {
                WorkloadKind::Deployment => PodClass::Workload,
                WorkloadKind::StatefulSet => PodClass::StatefulSet,
                WorkloadKind::DaemonSet => PodClass::DaemonSet,
            },
            requests: self.requests.0.clone(),
            limits: self.limits.0.clone(),
            image: self.image.clone().unwrap_or_else(|| Name::from(format!("registry.k8s.io/{}:1.0", self.name))),
            pools: self.nodepools.clone(),
        }
    }
}

/// What happens at a point in time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileStep {
    /// Time since the start of the scenario, such as `1m30s` or `2.5s`.
    pub(super) at: Spanned<SignedDuration>,
    pub(super) actions: Vec<Spanned<Action>>,
}

/// Something that happens in the cluster. `node` is the name of a claim, a node or an instance.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(super) enum Action {
    /// Sets the number of pods of a workload.
    Scale { workload: String, pods: usize },
    /// The scheduler finds no node for pods.
    Unschedulable { pods: PodRange, message: String },
    /// Karpenter intends pods for the node of a claim.
    Nominate { pods: PodRange, claim: String },
    /// The scheduler binds pods to a node.
    Bind { pods: PodRange, node: String },
    /// The containers of pods start.
    Run { pods: PodRange },
    /// Pods are deleted, or evicted for a reason, and terminate.
    Terminate {
        pods: PodRange,
        #[serde(default = "default_grace")]
        grace: SignedDuration,
        evicted: Option<String>,
    },
    /// Pods are gone.
    Remove { pods: PodRange },
    /// Karpenter creates a NodeClaim.
    Claim {
        name: Name,
        nodepool: Name,
        requests: Amounts,
        #[serde(default)]
        instance_types: Vec<FileInstanceType>,
    },
    /// EC2 launches the instance of a claim, whose status has these allocatable amounts.
    Launch {
        claim: String,
        instance: Name,
        instance_type: FileInstanceType,
        zone: String,
        capacity_type: Option<CapacityType>,
        allocatable: Option<Amounts>,
    },
    /// EC2 has no such instance, and Karpenter deletes the claim.
    FailLaunch { claim: String, error: String },
    /// The kubelet creates the Node with these allocatable amounts.
    Join { claim: String, allocatable: Option<Amounts> },
    /// Karpenter registers the node.
    Register { node: String },
    /// The kubelet reports the node as ready.
    Ready { node: String },
    /// The device plugin reports the devices of the node.
    ReportDevices { node: String },
    /// Karpenter marks the node as initialized.
    Initialize { node: String },
    /// AWS sends the notice of a spot interruption.
    Interrupt { node: String },
    /// Karpenter selects the node for disruption.
    Disrupt { node: String, reason: String },
    /// Claim and node are deleted, and their pods are evicted.
    Drain { node: String },
    /// All pods are evicted.
    Drained { node: String },
    /// EC2 stops the instance.
    Stop { node: String },
    /// The claim and its node are gone.
    Finalize { node: String },
    /// The node takes no new pods.
    Cordon { node: String },
    /// The node takes pods again.
    Uncordon { node: String },
    /// A condition of the node changes.
    Condition {
        node: String,
        #[serde(rename = "type")]
        kind: Name,
        status: ConditionStatus,
        reason: Name,
        #[serde(default)]
        message: Name,
    },
    /// The node gets a taint.
    Taint { node: String, taint: FileTaint },
    /// The node loses a taint.
    Untaint { node: String, taint: FileTaint },
    /// The node gets a label.
    Label { node: String, key: Name, value: Name },
    /// Metrics of the node.
    Usage { node: String, cpu: Cpu, memory: Memory },
    /// Any other event.
    Event {
        #[serde(rename = "type", default)]
        kind: EventKind,
        object: FileObject,
        reason: String,
        message: String,
        component: Option<String>,
    },
    /// The state of a stream changes; `message` is the error of a denied or retrying one.
    Stream {
        name: Stream,
        state: StreamState,
        #[serde(default)]
        message: String,
    },
}

/// The state of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StreamState {
    Live,
    Absent,
    Denied,
    Retrying,
}

fn default_namespace() -> Name {
    Name::const_new("default")
}

fn default_grace() -> SignedDuration {
    SignedDuration::from_secs(30)
}

/// Amounts by resource: `{ cpu = "500m", "nvidia.com/gpu" = "1" }`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub(super) struct Amounts(pub(super) Resources);

impl TryFrom<BTreeMap<String, String>> for Amounts {
    type Error = String;

    fn try_from(amounts: BTreeMap<String, String>) -> Result<Self, String> {
        const NAMES: [&str; 4] = ["cpu", "memory", "ephemeral-storage", "pods"];
        let mut resources = Resources::default();
        for (name, amount) in &amounts {
            if !NAMES.contains(&name.as_str()) && !name.contains('/') {
                return Err(unknown("resource", name, NAMES));
            }
            let resource = Resource::from_name(name);
            let amount = quantity(amount)?;
            resources.set(&resource, if resource == Resource::Cpu { amount.millis() } else { amount.units() });
        }
        Ok(Self(resources))
    }
}

fn quantity(text: &str) -> Result<Quantity, String> {
    text.parse().or_else(|_| invalid("amount", text, "500m, 2 or 1.5Gi"))
}

/// An amount of cpu in millicores.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Cpu(pub(super) u64);

impl TryFrom<String> for Cpu {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(Self(quantity(&text)?.millis()))
    }
}

/// An amount of memory in bytes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Memory(pub(super) u64);

impl TryFrom<String> for Memory {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(Self(quantity(&text)?.units()))
    }
}

/// A Go duration or `Never`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct GoDuration(Name);

impl TryFrom<String> for GoDuration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "Never" || go_duration(&text).is_some() {
            return Ok(Self(text.into()));
        }
        invalid("duration", &text, "30s, 336h or Never")
    }
}

/// Pods of a workload in order of creation: `inflate`, `inflate#3` or `inflate#3..9`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct PodRange {
    pub(super) workload: String,
    /// The first pod, counted from 1.
    pub(super) first: usize,
    /// The last pod; `None` for all that exist.
    pub(super) last: Option<usize>,
}

impl TryFrom<String> for PodRange {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let range = match text.split_once('#') {
            None => Some((text.as_str(), 1, None)),
            Some((workload, range)) => {
                let (first, last) = range.split_once("..").unwrap_or((range, range));
                first.parse().ok().zip(last.parse().ok()).map(|(first, last)| (workload, first, Some(last)))
            }
        };
        match range {
            Some((workload, first, last)) if first > 0 && last.is_none_or(|last| last >= first) => {
                Ok(Self { workload: workload.to_owned(), first, last })
            }
            _ => invalid("range of pods", &text, "inflate, inflate#3 or inflate#3..9"),
        }
    }
}

/// An instance type of the catalog.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct FileInstanceType(pub(super) &'static InstanceType);

impl TryFrom<String> for FileInstanceType {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = catalog::find(&name).map(Self);
        found.ok_or_else(|| unknown("instance type", &name, CATALOG.iter().map(|t| t.name)))
    }
}

/// `key=value:Effect` or `key:Effect`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct FileTaint(pub(super) Taint);

impl TryFrom<String> for FileTaint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let Some((pair, effect)) = text.rsplit_once(':') else {
            return invalid("taint", &text, "key=value:NoSchedule");
        };
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match TaintEffect::from_name(effect) {
            TaintEffect::Other(_) => Err(unknown("effect", effect, ["NoSchedule", "PreferNoSchedule", "NoExecute"])),
            effect => Ok(Self(Taint { key: key.into(), value: value.into(), effect })),
        }
    }
}

/// The object of an event: `Node/NAME`, or `Pod/NAMESPACE/NAME`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct FileObject(pub(super) crate::model::ObjectRef);

impl TryFrom<String> for FileObject {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (kind, namespace, name) = match text.split('/').collect::<Vec<_>>()[..] {
            [kind, name] => (kind, "", name),
            [kind, namespace, name] => (kind, namespace, name),
            _ => return invalid("object", &text, "Node/i-0a or Pod/web/api-1"),
        };
        Ok(Self(crate::model::ObjectRef { kind: kind.into(), namespace: namespace.into(), name: name.into() }))
    }
}

fn invalid<T>(what: &str, text: &str, example: &str) -> Result<T, String> {
    Err(format!("invalid {what} {text:?}: expected a value such as {example}"))
}

/// The message about an unknown name, with the most similar valid one.
pub(super) fn unknown<'a>(what: &str, name: &str, valid: impl IntoIterator<Item = &'a str>) -> String {
    let hint = nearest(name, valid).map(|near| format!("; did you mean {near:?}?"));
    format!("unknown {what} {name:?}{}", hint.unwrap_or_default())
}

fn nearest<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = valid.into_iter().map(|valid| (strsim::damerau_levenshtein(name, valid), valid));
    distances.filter(|(distance, valid)| *distance <= 1 + valid.len() / 3).min().map(|(_, valid)| valid)
}

/// Parses the text of the scenario file with this name.
pub(super) fn parse(file: &str, text: &str) -> Result<File, ScenarioError> {
    let fail = |error: toml::de::Error| {
        let offset = error.span().map_or(0, |span| span.start);
        ScenarioError::new(file, text, offset, &with_hint(error.message()))
    };
    let mut table = DeTable::parse(text).map_err(fail)?;
    table.get_mut().iter_mut().for_each(|(_, value)| clean_strings(value.get_mut()));
    File::deserialize(toml::Deserializer::from(table)).map_err(fail)
}

/// Removes control characters, which TOML can express as escapes.
fn clean_strings(value: &mut DeValue) {
    match value {
        DeValue::String(text) => *text = clean(text).into_owned().into(),
        DeValue::Array(items) => items.iter_mut().for_each(|item| clean_strings(item.get_mut())),
        DeValue::Table(table) => table.iter_mut().for_each(|(_, value)| clean_strings(value.get_mut())),
        _ => {}
    }
}

/// serde's message "unknown field `x`, expected one of `a`, `b`", with the most similar of the names.
fn with_hint(message: &str) -> String {
    let mut names = message.split('`').skip(1).step_by(2);
    let nearest = names.next().filter(|_| message.starts_with("unknown ")).and_then(|name| nearest(name, names));
    match (nearest, message.split_once(',')) {
        (Some(near), Some((problem, _))) => format!("{problem}; did you mean `{near}`?"),
        _ => message.to_owned(),
    }
}
