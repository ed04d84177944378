//! The report: the state as plain, serialisable data.

use super::cost_report::{self, ControlPlaneReport, VolumeTotalReport, VolumesReport};
use crate::cluster::{CapacityType, Cluster, Flag, Row, RowState};
use crate::insight::{
    Alert, Cause, ExtraColumn, GroupBy, Line, MissingNodes, PendingByCause, PendingCount, PriceTotals, Totals, View,
    Waste, alerts, status_reason, unmatched_terms,
};
use crate::model::{ConditionStatus, LinkState, Name, Node, NodePool, Resource, Resources, Stream, Timestamp, Usage};
use crate::pricing::{Amount, AsOf, Basis, Component, Discount, PriceSource, Quote, SourceState, Unknown};
use crate::units::Money;
use jiff::SignedDuration;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Name and version of the JSON. A change of meaning is a new version.
pub const SCHEMA: &str = "nodeglass/v1";

/// Everything a one-shot report says.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// When the picture was taken, UTC.
    pub taken_at: Timestamp,
    /// Seconds that this machine's clock was ahead of the API server's, negative when behind; 0 within half a minute.
    /// Every moment and age here is by the server's.
    pub clock_skew_seconds: i64,
    /// Whether the picture is whole: every stream of [`Cluster::is_complete`] was in step with the server.
    pub complete: bool,
    /// Which cluster.
    pub cluster: ClusterReport,
    /// Sums of the reported nodes.
    pub totals: TotalsReport,
    /// What EKS charges for the cluster itself; null unless asked for, and for a cluster that is not of EKS.
    pub control_plane: Option<ControlPlaneReport>,
    /// Nodes, in the view's order.
    pub nodes: Vec<NodeReport>,
    /// Claims, joined to a node or not, in the view's order.
    pub nodeclaims: Vec<ClaimReport>,
    /// Nodes that pods are bound to and that do not exist, by name. Empty while not all nodes are known, and where only nodes
    /// that match a selector are read.
    pub missing_nodes: Vec<MissingNodeReport>,
    /// The same in one line, for people: [`MissingNodes::text`].
    #[serde(skip)]
    pub orphaned_pods: Option<String>,
    /// Nodepools by name.
    pub nodepools: Vec<PoolReport>,
    /// Why pods have no node, the most frequent cause first; null when pods may not be read.
    pub pending: Option<Vec<PendingReport>>,
    /// What is wrong or about to happen, the most important first.
    pub alerts: Vec<AlertReport>,
    /// Health of every stream, one word each.
    pub streams: BTreeMap<&'static str, &'static str>,
    /// What went wrong with a stream, in the server's words; empty when nothing did.
    pub trouble: BTreeMap<&'static str, String>,
    /// How each source of prices is doing in each region that was asked for.
    pub price_sources: Vec<SourceReport>,
    /// Which of them failed, or are off and could tell a price that is missing, and why, as people read it. Programs have
    /// the fields above.
    #[serde(skip)]
    pub price_trouble: BTreeSet<String>,
    /// Discount rules and price files that hold for no node.
    pub unmatched_terms: Vec<String>,
    /// Subtotals in the view's order; empty where it is not grouped.
    pub groups: Vec<GroupReport>,
    /// What tables have columns for. JSON has all resources and labels.
    #[serde(skip)]
    pub columns: Columns,
}

/// Pods without a node that wait for one cause.
#[derive(Clone, Debug, Serialize)]
pub struct PendingReport {
    /// Why, in words that do not vary with numbers and names.
    pub cause: String,
    /// The same as on the screen: `waiting for 9 launching nodes`.
    pub text: String,
    /// How many pods.
    pub pods: u64,
    /// The nodepools whose limits hold them back.
    pub nodepools: Vec<Name>,
    /// The claims that Karpenter has named for them.
    pub nodeclaims: Vec<Name>,
    /// The nodes chosen for them.
    pub nodes: Vec<Name>,
}

impl From<&PendingCount> for PendingReport {
    fn from(count: &PendingCount) -> Self {
        let about = || count.about.iter().cloned().collect();
        let (mut nodepools, mut nodeclaims, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
        match count.cause {
            Cause::Limits => nodepools = about(),
            Cause::Launching => nodeclaims = about(),
            Cause::Placed(_) | Cause::Preempting | Cause::Nominated => nodes = about(),
            _ => {}
        }
        Self { cause: count.cause.to_string(), text: count.to_string(), pods: count.pods, nodepools, nodeclaims, nodes }
    }
}

/// One alert.
#[derive(Clone, Debug, Serialize)]
pub struct AlertReport {
    /// Its kind, so that programs need not read the text: [`crate::insight::AlertKind::name`].
    pub kind: &'static str,
    /// `notice`, `warning` or `critical`.
    pub severity: &'static str,
    /// What it is about, in one line.
    pub text: String,
    /// The node, or the claim without one, that it is about.
    pub node: Option<String>,
    /// What is counted down to, where there is such a moment.
    pub until: Option<Timestamp>,
}

/// A moment of this machine's clock, to which all of a [`Cluster`] are moved, by the API server's.
fn by_server(cluster: &Cluster, at: Timestamp) -> Timestamp {
    at.checked_sub(SignedDuration::from_secs(cluster.clock_ahead_seconds())).unwrap_or(at)
}

fn alert(alert: &Alert, cluster: &Cluster) -> AlertReport {
    let row = alert.row.and_then(|id| cluster.row(id));
    AlertReport {
        kind: alert.kind.name(),
        severity: alert.severity.name(),
        text: alert.text.clone(),
        node: row.map(|row| row.name().to_owned()),
        until: alert.until.map(|at| by_server(cluster, at)),
    }
}

/// How a source of prices is doing.
#[derive(Clone, Debug, Serialize)]
pub struct SourceReport {
    /// Which: as in a price's `source`.
    pub source: &'static str,
    /// For which region.
    pub region: String,
    /// `asking`, `answered`, `off` (not for this cluster, or without credentials) or `failed`.
    pub state: &'static str,
    /// When it answered.
    pub answered_at: Option<String>,
    /// Why it is off or failed.
    pub why: Option<String>,
}

/// Which cluster was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterReport {
    /// Kubeconfig context.
    pub context: String,
    /// Server version, `1.36`; null if the server did not say it.
    pub version: Option<String>,
    /// What provisions its nodes.
    #[serde(rename = "flavours")]
    pub provisioners: Vec<&'static str>,
}

/// An amount of every resource. What is not known is null, which is not 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Amounts {
    /// Processor time in millicores.
    pub cpu_millicores: Option<u64>,
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Ephemeral storage in bytes.
    pub ephemeral_storage_bytes: Option<u64>,
    /// Pods, counted.
    pub pods: Option<u64>,
    /// Extended resources by name, in whole units.
    pub extended: BTreeMap<Name, u64>,
}

impl From<&Resources> for Amounts {
    fn from(r: &Resources) -> Self {
        Self {
            cpu_millicores: Some(r.cpu_millicores),
            memory_bytes: Some(r.memory_bytes),
            ephemeral_storage_bytes: Some(r.ephemeral_storage_bytes),
            pods: Some(r.pods),
            extended: r.extended.iter().filter(|(_, v)| **v > 0).map(|(k, v)| (k.clone(), *v)).collect(),
        }
    }
}

impl Amounts {
    /// The amount of one resource; a device that is not named is 0 where others are known.
    pub fn get(&self, resource: &Resource) -> Option<u64> {
        match resource {
            Resource::Cpu => self.cpu_millicores,
            Resource::Memory => self.memory_bytes,
            Resource::EphemeralStorage => self.ephemeral_storage_bytes,
            Resource::Pods => self.pods,
            Resource::Extended(name) => self.pods.map(|_| self.extended.get(name).copied().unwrap_or(0)),
        }
    }
}

impl From<&Usage> for Amounts {
    /// Only cpu and memory are measured.
    fn from(usage: &Usage) -> Self {
        Self { cpu_millicores: Some(usage.cpu_millicores), memory_bytes: Some(usage.memory_bytes), ..Self::default() }
    }
}

/// Sums of a set of nodes.
#[derive(Clone, Debug, Serialize)]
pub struct TotalsReport {
    /// Node objects.
    pub nodes: u64,
    /// Claims on their way to be a node.
    pub launching: u64,
    /// Nodes on their way out.
    pub leaving: u64,
    /// What the machines offer, starting ones included.
    pub allocatable: Amounts,
    /// What their pods request, as the scheduler counts; null when pods may not be read.
    pub requests: Option<Amounts>,
    /// What was measured, of the nodes that were; null when none was.
    pub usage: Option<UsageTotalReport>,
    /// Pods: those without a node are the cluster's, the others the reported nodes'. Null when pods may not be read.
    pub pods: Option<PodsReport>,
    /// Money; null when prices are switched off.
    pub price: Option<PriceTotalReport>,
    /// Money of their EBS volumes, which `price` does not contain; null unless asked for.
    pub volumes: Option<VolumeTotalReport>,
}

/// What was measured of a set of nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsageTotalReport {
    /// What the measured nodes use.
    #[serde(flatten)]
    pub amounts: Amounts,
    /// How many nodes were measured.
    pub nodes_measured: u64,
    /// How many were not, whose use is not in the amounts.
    pub nodes_unmeasured: u64,
    /// What the measured nodes offer, of which the amounts are a share.
    pub allocatable: Amounts,
}

impl UsageTotalReport {
    fn new(t: &Totals) -> Option<Self> {
        let only_measured =
            |cpu_millicores, memory_bytes| Amounts { cpu_millicores, memory_bytes, ..Amounts::default() };
        let offered = &t.measured_allocatable;
        (t.measured > 0).then(|| Self {
            amounts: only_measured(t.used(&Resource::Cpu), t.used(&Resource::Memory)),
            nodes_measured: t.measured,
            nodes_unmeasured: t.unmeasured,
            allocatable: only_measured(Some(offered.cpu_millicores), Some(offered.memory_bytes)),
        })
    }
}

/// Pods by state; all but `bound` add up to `total`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PodsReport {
    /// All that have not ended.
    pub total: u64,
    /// Without a node.
    pub unscheduled: u64,
    /// Bound, not running yet.
    pub starting: u64,
    /// Running.
    pub running: u64,
    /// Of phase Unknown: their node cannot be asked.
    pub unknown: u64,
    /// Being deleted.
    pub terminating: u64,
    /// With a node, in whatever state.
    pub bound: u64,
    /// Those of them whose node does not exist ([`Report::missing_nodes`]): in no node's line and in no sum of machines.
    pub on_missing_nodes: u64,
}

impl PodsReport {
    fn new(cluster: &Cluster, view: &View) -> Self {
        let counts = view.pods(cluster);
        Self {
            total: counts.total(),
            unscheduled: counts.unscheduled,
            starting: counts.starting,
            running: counts.running,
            unknown: counts.unknown,
            terminating: counts.terminating,
            bound: counts.bound,
            on_missing_nodes: if view.shows_all(cluster) { MissingNodes::now(cluster).pods() } else { 0 },
        }
    }
}

/// A node that pods are bound to and that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingNodeReport {
    /// The name in the pods' `spec.nodeName`.
    pub name: String,
    /// How many pods are bound to it.
    pub pods: u64,
}

/// Money of a set of nodes, as decimal text.
#[derive(Clone, Debug, Serialize)]
pub struct PriceTotalReport {
    /// ISO 4217 code.
    pub currency: &'static str,
    /// By the hour: a lower bound while `unpriced` is not 0; null when nothing is known.
    pub hourly: Option<String>,
    /// `hourly` × 730.
    pub monthly: Option<String>,
    /// The machines' part, without Fargate.
    pub instances: Option<String>,
    /// The Auto Mode fees' part.
    pub fees: Option<String>,
    /// Fargate's part.
    pub fargate: Option<String>,
    /// What spot saves against on-demand; null where no spot node tells.
    pub spot_saves: Option<String>,
    /// Spot nodes of which one of the two prices is an estimate: `spot_saves` is one, too.
    pub spot_estimated: u64,
    /// Spot nodes of which one of the two prices is not known, and which are left out of `spot_saves`.
    pub spot_left_out: u64,
    /// What discount rules take off; null where none was applied.
    pub discounts: Option<String>,
    /// What is paid for and not put to use; null where pods may not be read or nothing is priced.
    pub waste: Option<WasteTotalReport>,
    /// Machines whose price is not fully known.
    pub unpriced: u64,
    /// Why, by reason.
    pub unpriced_reasons: BTreeMap<&'static str, u64>,
    /// Machines whose figure is an estimate.
    pub estimated: u64,
    /// The least exact source of a figure in the total.
    pub source: &'static str,
    /// The oldest figure: its month, or when a source confirmed it.
    pub as_of: Option<String>,
}

/// What of a price by the hour is not put to use: [`Waste`].
#[derive(Clone, Debug, Serialize)]
pub struct WasteReport {
    /// Of what no pod requests.
    pub unrequested: String,
    /// Of what is requested and not used; null where that is not measured.
    pub unused: Option<String>,
    /// Of what DaemonSet and static pods request.
    pub daemonsets: String,
}

/// The same of a set of nodes.
#[derive(Clone, Debug, Serialize)]
pub struct WasteTotalReport {
    /// Of what no pod requests: a lower bound while `left_out` is not 0.
    pub unrequested: String,
    /// Of what is requested and not used, of the measured nodes; null where nothing is measured.
    pub unused: Option<String>,
    /// Of what DaemonSet and static pods request.
    pub daemonsets: String,
    /// Machines whose waste is not, or not wholly, known.
    pub left_out: u64,
}

/// A discount rule at work.
#[derive(Clone, Debug, Serialize)]
pub struct DiscountReport {
    /// Its place among the rules, from 1.
    pub rule: usize,
    /// What is paid of the list price: `0.720000`.
    pub factor: String,
    /// The machine before it; null where the rule leaves the machine alone.
    pub instance_before: Option<String>,
    /// The fee before it; null where the rule leaves the fee alone.
    pub fee_before: Option<String>,
}

/// What a price by size was computed from.
#[derive(Clone, Debug, Serialize)]
pub struct SizeReport {
    /// vCPU, in thousandths.
    pub vcpu_milli: u64,
    /// Memory in MiB; null where it is not billed (hybrid nodes).
    pub memory_mib: Option<u64>,
    /// A vCPU-hour.
    pub vcpu_price: String,
    /// A GB-hour; null where memory is not billed.
    pub gb_price: Option<String>,
    /// Whether the size is given (by the pod's annotation, by the node), not rounded up from requests.
    pub exact: bool,
}

/// One price, as decimal text by the hour.
#[derive(Clone, Debug, Serialize)]
pub struct PriceReport {
    /// ISO 4217 code.
    pub currency: &'static str,
    /// The whole; null when a part is unknown.
    pub hourly: Option<String>,
    /// The machine; null when unknown.
    pub instance: Option<String>,
    /// The Auto Mode fee; null when none is due or it is unknown (`mark` tells).
    pub fee: Option<String>,
    /// Where it came from.
    pub source: &'static str,
    /// Month of the source, or when it confirmed the figure.
    pub as_of: Option<String>,
    /// Whether the figure comes from the disk, asked for by an earlier run.
    pub cached: bool,
    /// Where the fee came from; null without a fee.
    pub fee_source: Option<&'static str>,
    /// Of when the fee is.
    pub fee_as_of: Option<String>,
    /// The most it can be, where no more is known.
    pub at_most: Option<String>,
    /// On-demand list price, where it is not the price (of a spot machine, of a capacity block).
    pub list: Option<String>,
    /// What a spot machine saves against it.
    pub spot_saves: Option<String>,
    /// What a price by size was computed from: Fargate, hybrid.
    pub size: Option<SizeReport>,
    /// The discount rule that was applied.
    pub discount: Option<DiscountReport>,
    /// The row of the price file that set it, from 1.
    pub price_file_row: Option<usize>,
    /// What must be said beside it: `exact`, `estimated`, `override` …
    pub mark: &'static str,
    /// Why a part is unknown.
    pub unknown: Option<&'static str>,
    /// As people read it, with its marks: [`Quote::label`]. Not for programs, which have the fields above.
    #[serde(skip)]
    pub label: String,
}

/// One node.
#[derive(Clone, Debug, Serialize)]
pub struct NodeReport {
    /// Node name.
    pub name: String,
    /// The EC2 instance: the `i-…` of the node's `spec.providerID`; null where it names none.
    pub instance_id: Option<String>,
    /// Nodepool or node group.
    pub nodepool: Option<String>,
    /// Instance type.
    pub instance_type: Option<String>,
    /// `on-demand`, `spot`, `reserved`, `capacity-block`, `fargate`, `unknown`.
    pub capacity_type: &'static str,
    /// Region.
    pub region: Option<String>,
    /// Zone.
    pub zone: Option<String>,
    /// `Ready`, `NotReady`, `Draining` …
    pub status: &'static str,
    /// Since creation of its claim, else of the node; 0 where their clock is ahead of ours.
    pub age_seconds: i64,
    /// What pods may ask for here.
    pub allocatable: Amounts,
    /// What its pods request, as the scheduler counts; null when pods may not be read.
    pub requests: Option<Amounts>,
    /// Their limits; null when pods may not be read.
    pub limits: Option<Amounts>,
    /// What was measured; null when nothing was.
    pub usage: Option<Amounts>,
    /// Number of counted pods; null when pods may not be read.
    pub pods: Option<u64>,
    /// Its price; null when there is none to tell.
    pub price: Option<PriceReport>,
    /// Its EBS volumes, which `price` does not contain; null unless asked for, and for what has none.
    pub volumes: Option<VolumesReport>,
    /// What of it is not put to use; null where that is not known.
    pub waste: Option<WasteReport>,
    /// Its claim.
    pub nodeclaim: Option<String>,
    /// Why it leaves, or is to leave.
    pub leaving: Option<String>,
    /// What its status waits for or is about: `StartupTaintsExist`, `2 pods left`; null where there is nothing to add.
    pub reason: Option<String>,
    /// When the drain ends by force; null without such a deadline.
    pub drain_deadline: Option<Timestamp>,
    /// What is remarkable of it: `Drifted`, `DoNotDisrupt` …: [`crate::cluster::Flag`].
    pub flags: Vec<&'static str>,
    /// All labels of the Node, and those of [`Columns::labels`]: null where it does not have one of them.
    pub labels: BTreeMap<Name, Option<String>>,
    /// Its group, where the view is grouped.
    #[serde(skip)]
    pub group: Option<Name>,
}

/// One claim.
#[derive(Clone, Debug, Serialize)]
pub struct ClaimReport {
    /// Claim name.
    pub name: String,
    /// Nodepool.
    pub nodepool: Option<String>,
    /// Instance type, once launched.
    pub instance_type: Option<String>,
    /// Purchase option, once launched.
    pub capacity_type: &'static str,
    /// Zone, once launched.
    pub zone: Option<String>,
    /// Its row's status.
    pub status: &'static str,
    /// Since creation.
    pub age_seconds: i64,
    /// The node it became.
    pub node: Option<String>,
    /// What the pods it was made for ask.
    pub requests: Amounts,
    /// Its price while it has no node of its own; the node's otherwise.
    pub price: Option<PriceReport>,
    /// Why it fails or leaves.
    pub reason: Option<String>,
    /// What is remarkable of it: as of its node.
    pub flags: Vec<&'static str>,
}

/// One nodepool.
#[derive(Clone, Debug, Serialize)]
pub struct PoolReport {
    /// Name.
    pub name: String,
    /// Weight.
    pub weight: u32,
    /// Whether its Ready condition is True.
    pub ready: bool,
    /// Why it is not.
    pub reason: Option<String>,
    /// Reported nodes of this pool.
    pub nodes: u64,
    /// `spec.limits`; a resource without a limit is null.
    pub limits: Amounts,
    /// `spec.limits.nodes`; null without one.
    pub node_limit: Option<u64>,
    /// `spec.replicas` of a static pool; null for others.
    pub replicas: Option<u64>,
    /// What Karpenter counts as used of the limits.
    pub resources: Amounts,
    /// What its nodes offer.
    pub allocatable: Amounts,
    /// What their pods request; null when pods may not be read.
    pub requests: Option<Amounts>,
    /// Money of its nodes; null when prices are switched off.
    pub price: Option<PriceTotalReport>,
}

/// The resources and labels that have columns of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Resources with a column of their own, in order.
    pub resources: Vec<Resource>,
    /// The extra columns, in order.
    pub labels: Vec<ExtraColumn>,
}

impl Default for Columns {
    fn default() -> Self {
        Self { resources: vec![Resource::Cpu, Resource::Memory], labels: Vec::new() }
    }
}

/// What the nodes of one group add up to.
#[derive(Clone, Debug, Serialize)]
pub struct GroupReport {
    /// The nodepool, zone, instance type or capacity type that they share; `(none)` where they have none.
    pub name: String,
    /// Node objects.
    pub nodes: u64,
    /// Claims on their way to be a node.
    pub launching: u64,
    /// Nodes on their way out.
    pub leaving: u64,
    /// What the machines offer.
    pub allocatable: Amounts,
    /// What their pods request; null when pods may not be read.
    pub requests: Option<Amounts>,
    /// What was measured, of the nodes that were; null when none was.
    pub usage: Option<UsageTotalReport>,
    /// Number of counted pods; null when pods may not be read.
    pub pods: Option<u64>,
    /// Money; null when prices are switched off.
    pub price: Option<PriceTotalReport>,
}

fn group(name: &Name, t: &Totals, cluster: &Cluster) -> GroupReport {
    let pods_known = cluster.knows(Stream::Pods);
    GroupReport {
        name: name.to_string(),
        nodes: t.nodes,
        launching: t.launching,
        leaving: t.leaving,
        allocatable: (&t.allocatable).into(),
        requests: pods_known.then(|| (&t.requests).into()),
        usage: UsageTotalReport::new(t),
        pods: pods_known.then_some(t.requests.pods),
        price: cluster.has_prices().then(|| price_total(&t.price, cluster)),
    }
}

impl Report {
    /// The report of what a view shows, with the columns that all have.
    pub fn new(cluster: &Cluster, view: &View, now: Timestamp) -> Self {
        Self::with_columns(cluster, view, Columns::default(), now)
    }

    /// The report of what a view shows.
    pub fn with_columns(cluster: &Cluster, view: &View, columns: Columns, now: Timestamp) -> Self {
        let shown =
            || view.lines().iter().filter_map(|line| if let Line::Row(id) = line { cluster.row(*id) } else { None });
        let mut pools: BTreeMap<&str, Totals> = BTreeMap::new();
        for row in shown() {
            if let Some(pool) = row.pool() {
                pools.entry(pool).or_insert_with(|| Totals::new(view.totals().price.currency())).include(row);
            }
        }
        // A stream that serves a line which is off is not spoken of.
        let spoken_of = |s: &Stream| !s.is_optional() || cluster.stream(*s).state != LinkState::Off;
        let streams = Stream::ALL.into_iter().filter(spoken_of).map(|s| (s.name(), cluster.stream(s).state.word()));
        let trouble =
            Stream::ALL.into_iter().filter_map(|s| cluster.stream(s).state.trouble().map(|t| (s.name(), t.to_owned())));
        let about = cluster.about();
        let pods_known = cluster.knows(Stream::Pods);
        let mut pending = PendingByCause::default();
        pending.refresh(cluster);
        let missing = MissingNodes::now(cluster);
        let grouped = |line: &Line| match line {
            Line::Group(name) => Some(group(name, view.group(name)?, cluster)),
            Line::Row(_) => None,
        };
        let groups: Vec<GroupReport> = view.lines().iter().filter_map(grouped).collect();
        let is_grouped = *view.group_by() != GroupBy::Nothing;
        Self {
            schema: SCHEMA,
            taken_at: by_server(cluster, now),
            clock_skew_seconds: cluster.clock_ahead_seconds(),
            complete: cluster.is_complete(),
            cluster: ClusterReport {
                context: about.context.clone(),
                version: Some(about.version.clone()).filter(|version| !version.is_empty()),
                provisioners: about.provisioners.iter().map(|f| f.name()).collect(),
            },
            totals: totals(cluster, view),
            control_plane: cluster.control_plane().as_ref().map(Into::into),
            nodes: shown()
                .filter(|row| row.node().is_some() && row.gone().is_none())
                .map(|row| NodeReport {
                    group: is_grouped.then(|| view.group_by().group_of(row)),
                    ..node(row, cluster, &columns.labels, now)
                })
                .collect(),
            nodeclaims: shown().filter(|row| row.gone().is_none()).filter_map(|row| claim(row, cluster, now)).collect(),
            missing_nodes: missing
                .iter()
                .map(|(name, pods)| MissingNodeReport { name: name.to_owned(), pods })
                .collect(),
            orphaned_pods: missing.text(),
            nodepools: cluster.pools().map(|p| pool(p, pools.get(p.name.as_str()), cluster)).collect(),
            pending: pods_known.then(|| pending.causes().iter().map(Into::into).collect()),
            alerts: alerts(cluster, &pending, now).iter().map(|a| alert(a, cluster)).collect(),
            streams: streams.collect(),
            trouble: trouble.collect(),
            price_sources: cluster.prices().sources().map(|each| source(each, cluster)).collect(),
            price_trouble: price_trouble(cluster, &view.totals().price),
            unmatched_terms: unmatched_terms(cluster),
            groups,
            columns,
        }
    }
}

fn price_trouble(cluster: &Cluster, price: &PriceTotals) -> BTreeSet<String> {
    let prices = cluster.prices();
    let failed = prices.sources().filter_map(|(source, region, state)| match state {
        SourceState::Failed { why, .. } => Some((source, region, why.as_str())),
        SourceState::Asking | SourceState::Answered { .. } | SourceState::Off { .. } => None,
    });
    let regions: BTreeSet<&str> = prices.sources().map(|(_, region, _)| region).collect();
    let excuses = regions.iter().flat_map(|region| {
        let missing = price.unknown.keys().flat_map(|missing| prices.why_missing(*missing, region));
        missing.map(|(source, why)| (source, *region, why))
    });
    failed.chain(excuses).map(|(source, region, why)| format!("{} of {region}: {why}", source.name())).collect()
}

fn source((source, region, state): (PriceSource, &str, &SourceState), cluster: &Cluster) -> SourceReport {
    let (state, answered_at, why) = match state {
        SourceState::Asking => ("asking", None, None),
        SourceState::Answered { at } => ("answered", Some(format!("{:.0}", by_server(cluster, *at))), None),
        SourceState::Off { why } => ("off", None, Some(why.clone())),
        SourceState::Failed { why, .. } => ("failed", None, Some(why.clone())),
    };
    SourceReport { source: source.name(), region: region.to_owned(), state, answered_at, why }
}

fn totals(cluster: &Cluster, view: &View) -> TotalsReport {
    let t = view.totals();
    let known = cluster.knows(Stream::Pods);
    let pods = PodsReport::new(cluster, view);
    TotalsReport {
        nodes: t.nodes,
        launching: t.launching,
        leaving: t.leaving,
        allocatable: (&t.allocatable).into(),
        requests: known.then(|| (&t.requests).into()),
        usage: UsageTotalReport::new(t),
        pods: known.then_some(pods),
        price: cluster.has_prices().then(|| price_total(&t.price, cluster)),
        volumes: (cluster.has_prices() && cluster.extra_costs().volumes).then(|| (&t.volumes).into()),
    }
}

fn price_total(p: &PriceTotals, cluster: &Cluster) -> PriceTotalReport {
    let known = |money: Money, places| (!p.is_unknown()).then(|| money.decimal(places));
    let waste = WasteTotalReport {
        unrequested: p.unrequested().decimal(5),
        unused: p.unused().map(|money| money.decimal(5)),
        daemonsets: p.overhead().decimal(5),
        left_out: p.waste_left_out,
    };
    PriceTotalReport {
        currency: p.currency().code(),
        hourly: known(p.hourly(), 5),
        monthly: known(p.hourly().monthly(), 2),
        instances: known(p.instances(), 5),
        fees: known(p.fees(), 5),
        fargate: known(p.fargate(), 5),
        spot_saves: p.spot_saves().map(|money| money.decimal(5)),
        spot_estimated: p.spot_estimated,
        spot_left_out: p.spot_left_out,
        discounts: p.discount_saves().map(|money| money.decimal(5)),
        waste: (cluster.knows(Stream::Pods) && !p.is_unknown()).then_some(waste),
        unpriced: p.unpriced,
        unpriced_reasons: p.reasons().collect(),
        estimated: p.estimated,
        source: p.worst_source().name(),
        as_of: date(p.oldest(), cluster),
    }
}

fn date(as_of: AsOf, cluster: &Cluster) -> Option<String> {
    match as_of {
        AsOf::Always => None,
        AsOf::Month(_) => Some(as_of.to_string()),
        AsOf::Fetched { at, cached } => Some(AsOf::Fetched { at: by_server(cluster, at), cached }.to_string()),
    }
}

fn price(quote: &Quote, row: &Row, cluster: &Cluster) -> PriceReport {
    let five = |money: Money| money.decimal(5);
    let text = |part: Component| part.amount.known().map(five);
    let as_of = quote.instance.origin.as_of;
    let spot = row.capacity_type() == CapacityType::Spot;
    PriceReport {
        currency: quote.currency.code(),
        hourly: quote.hourly().map(five),
        instance: text(quote.instance),
        fee: quote.fee.and_then(text),
        source: quote.source().name(),
        as_of: date(as_of, cluster),
        cached: matches!(as_of, AsOf::Fetched { cached: true, .. }),
        fee_source: quote.fee.map(|fee| fee.origin.source.name()),
        fee_as_of: quote.fee.and_then(|fee| date(fee.origin.as_of, cluster)),
        at_most: match quote.instance.amount {
            Amount::AtMost(most, _) => {
                quote.fee.map_or(Some(Money::ZERO), |fee| fee.amount.known()).map(|fee| five(most + fee))
            }
            Amount::Known(_) | Amount::Unknown(_) => None,
        },
        list: quote.list.map(|list| five(list.amount)),
        spot_saves: quote.spot_saves().filter(|_| spot).map(five),
        size: quote.basis.map(size),
        discount: quote.discount.map(discount),
        price_file_row: quote.price_row.map(|row| row + 1),
        mark: quote.mark.name(),
        unknown: quote.unknown().map(Unknown::reason),
        label: quote.label(5),
    }
}

/// With all their decimals: prices by size have six.
fn size(basis: Basis) -> SizeReport {
    match basis {
        Basis::Fargate { vcpu_milli, memory_mib, vcpu_price, gb_price, annotated } => SizeReport {
            vcpu_milli,
            memory_mib: Some(memory_mib),
            vcpu_price: vcpu_price.to_string(),
            gb_price: Some(gb_price.to_string()),
            exact: annotated,
        },
        Basis::Hybrid { vcpu, vcpu_price } => SizeReport {
            vcpu_milli: vcpu.saturating_mul(1000),
            memory_mib: None,
            vcpu_price: vcpu_price.to_string(),
            gb_price: None,
            exact: true,
        },
    }
}

fn discount(discount: Discount) -> DiscountReport {
    DiscountReport {
        rule: discount.rule + 1,
        factor: format!("{}.{:06}", discount.factor_millionths / 1_000_000, discount.factor_millionths % 1_000_000),
        instance_before: discount.instance_before.map(|money| money.decimal(5)),
        fee_before: discount.fee_before.map(|money| money.decimal(5)),
    }
}

fn waste(row: &Row) -> Option<WasteReport> {
    Waste::of(row).map(|waste| WasteReport {
        unrequested: waste.unrequested.decimal(5),
        unused: waste.unused.map(|money| money.decimal(5)),
        daemonsets: waste.overhead.decimal(5),
    })
}

/// Why a machine leaves, is to leave, or does not come; none where nothing is wrong or nothing says so.
fn why(row: &Row) -> Option<String> {
    let by_state = match row.state() {
        // By the taint alone: its claim may not be read, or gives no reason.
        RowState::Disrupted { reason } if reason.is_empty() => Some(row.state().name().into()),
        RowState::Disrupted { reason } | RowState::PendingClaim { failing: reason } => Some(reason.to_string()),
        RowState::Gone
        | RowState::LaunchFailed
        | RowState::Terminating
        | RowState::Draining { .. }
        | RowState::Launching
        | RowState::Joining
        | RowState::Initializing { .. }
        | RowState::Unreachable
        | RowState::NotReady
        | RowState::Cordoned
        | RowState::Ready
        | RowState::Rebooting { .. }
        | RowState::NodeMissing
        | RowState::Mentioned => None,
    };
    row.leaving().map(|leaving| leaving.reason.to_string()).or(by_state.filter(|reason| !reason.is_empty()))
}

fn flags(row: &Row, now: Timestamp) -> Vec<&'static str> {
    row.flags(now).iter().map(Flag::name).collect()
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn node(row: &Row, cluster: &Cluster, columns: &[ExtraColumn], now: Timestamp) -> NodeReport {
    let pods_known = cluster.knows(Stream::Pods);
    let deadline = row.claim().filter(|c| c.deleted.is_some()).and_then(|c| c.termination_deadline);
    let labels = row.node().into_iter().flat_map(|node| node.labels.iter());
    let labels = labels.map(|(key, value)| (Name::from(key), Some(value.to_owned())));
    let extra = columns.iter().map(|column| (column.to_string().into(), column.value(row, pods_known, now)));
    NodeReport {
        name: row.name().to_owned(),
        instance_id: owned(row.node().and_then(Node::instance_id)),
        nodepool: owned(row.pool()),
        instance_type: owned(row.instance_type()),
        capacity_type: row.capacity_type().name(),
        region: owned(row.region()),
        zone: owned(row.zone()),
        status: row.state().name(),
        age_seconds: row.age_seconds(now).max(0),
        allocatable: row.allocatable().map_or_else(Amounts::default, Amounts::from),
        requests: pods_known.then(|| (&row.sums().requests).into()),
        limits: pods_known.then(|| (&row.sums().limits).into()),
        usage: row.usage().map(Amounts::from),
        pods: pods_known.then_some(row.sums().requests.pods),
        price: row.quote().map(|quote| price(quote, row, cluster)),
        volumes: cost_report::volumes(row),
        waste: if pods_known { waste(row) } else { None },
        nodeclaim: row.claim().map(|c| c.name.to_string()),
        leaving: why(row),
        reason: status_reason(row, cluster),
        drain_deadline: deadline.map(|at| by_server(cluster, at)),
        flags: flags(row, now),
        labels: labels.chain(extra).collect(),
        group: None,
    }
}

fn claim(row: &Row, cluster: &Cluster, now: Timestamp) -> Option<ClaimReport> {
    let claim = row.claim()?;
    Some(ClaimReport {
        name: claim.name.to_string(),
        nodepool: owned(row.pool()),
        instance_type: owned(row.instance_type()),
        capacity_type: row.capacity_type().name(),
        zone: owned(row.zone()),
        status: row.state().name(),
        age_seconds: (now.as_second() - claim.created.as_second()).max(0),
        node: row.node().map(|n| n.name.to_string()),
        requests: (&claim.requests).into(),
        price: row.quote().map(|quote| price(quote, row, cluster)),
        reason: why(row).or_else(|| status_reason(row, cluster)),
        flags: flags(row, now),
    })
}

fn pool(pool: &NodePool, totals: Option<&Totals>, cluster: &Cluster) -> PoolReport {
    let empty = Totals::default();
    let totals = totals.unwrap_or(&empty);
    let ready = pool.condition("Ready");
    let bad = ready.filter(|c| c.status != ConditionStatus::True);
    let limit = |name: &str| {
        let limited = pool.limited.iter().any(|l| l == name);
        limited.then(|| pool.limits.get(&Resource::from_name(name)))
    };
    let limits = Amounts {
        cpu_millicores: limit("cpu"),
        memory_bytes: limit("memory"),
        ephemeral_storage_bytes: limit("ephemeral-storage"),
        pods: limit("pods"),
        extended: pool.limits.extended.clone(),
    };
    PoolReport {
        name: pool.name.to_string(),
        weight: pool.weight,
        ready: ready.is_some_and(|c| c.status == ConditionStatus::True),
        reason: bad.map(|c| if c.message.is_empty() { c.reason.to_string() } else { c.message.to_string() }),
        nodes: totals.nodes,
        limits,
        node_limit: pool.node_limit,
        replicas: pool.replicas,
        resources: (&pool.resources).into(),
        allocatable: (&totals.allocatable).into(),
        requests: cluster.knows(Stream::Pods).then(|| (&totals.requests).into()),
        price: cluster.has_prices().then(|| price_total(&totals.price, cluster)),
    }
}
