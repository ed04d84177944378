//! Everything known of one cluster, and how it is read. `fold` writes it.

use super::classes::NodeClasses;
use super::join::Joins;
use super::leaving::Signals;
use super::pods::{PodRow, Pods};
use super::prices::Prices;
use super::row::Row;
use super::{EventLog, PodCounts, RowId, RowState};
use crate::model::{About, DisruptionBudget, LinkState, Name, NodePool, PodKey, Stream, Timestamp, Usage};
use crate::pricing::{Demand, ExtraCosts, PriceBook};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// Health of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamHealth {
    /// Its condition.
    pub state: LinkState,
    /// When it was last heard from.
    pub heard: Option<Timestamp>,
    /// Whether a complete list has ever come in: the picture of this kind is whole, if perhaps old.
    pub complete: bool,
}

/// Objects of one stream that could not be read in full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnreadableObjects {
    /// How many times.
    pub count: u64,
    /// The last one, by name.
    pub object: String,
    /// The problem, as the source reports it.
    pub problem: String,
}

/// Everything known of one cluster.
#[derive(Debug)]
pub struct Cluster {
    pub(super) prices: Prices,
    pub(super) extra_costs: ExtraCosts,
    /// Only nodes that match a selector are read.
    pub(super) selects_nodes: bool,
    pub(super) about: About,
    pub(super) clock_ahead_seconds: i64,
    pub(super) now: Timestamp,
    pub(super) streams: [StreamHealth; Stream::ALL.len()],
    pub(super) generations: [u32; Stream::ALL.len()],
    pub(super) rows: FxHashMap<RowId, Row>,
    pub(super) next_row: u32,
    pub(super) nodes_revision: u64,
    pub(super) by_node: FxHashMap<Name, RowId>,
    pub(super) by_claim: FxHashMap<Name, RowId>,
    pub(super) joins: Joins,
    /// Rows of claims that became their node's row, and which that is; each is an alias of it.
    pub(super) merged: FxHashMap<RowId, RowId>,
    pub(super) pods: Pods,
    pub(super) pod_counts: PodCounts,
    pub(super) pools: BTreeMap<Name, (NodePool, u32)>,
    pub(super) classes: NodeClasses,
    pub(super) pdbs: BTreeMap<PodKey, (DisruptionBudget, u32)>,
    pub(super) events: EventLog,
    pub(super) signals: Signals,
    pub(super) unreadable: BTreeMap<Stream, UnreadableObjects>,
    /// Measured usage of nodes that are not known yet: a reading may come before the list of nodes.
    pub(super) early_usage: FxHashMap<Name, Usage>,
    /// Rows that have to be quoted again since the last answer of a price source.
    pub(super) to_quote: Vec<RowId>,
    pub(super) changed: Vec<RowId>,
    pub(super) tombstones: FxHashSet<RowId>,
}

impl Cluster {
    /// An empty picture. Without a book nothing has a price (`--disable-pricing`).
    pub fn new(book: Option<PriceBook>) -> Self {
        Self {
            prices: Prices::new(book),
            extra_costs: ExtraCosts::default(),
            selects_nodes: false,
            about: About::default(),
            clock_ahead_seconds: 0,
            now: Timestamp::UNIX_EPOCH,
            streams: std::array::from_fn(|_| StreamHealth::default()),
            generations: [0; Stream::ALL.len()],
            rows: FxHashMap::default(),
            next_row: 0,
            nodes_revision: 0,
            by_node: FxHashMap::default(),
            by_claim: FxHashMap::default(),
            joins: Joins::default(),
            merged: FxHashMap::default(),
            pods: Pods::new(),
            pod_counts: PodCounts::default(),
            pools: BTreeMap::new(),
            classes: NodeClasses::default(),
            pdbs: BTreeMap::new(),
            events: EventLog::default(),
            signals: Signals::default(),
            unreadable: BTreeMap::new(),
            early_usage: FxHashMap::default(),
            to_quote: Vec::new(),
            changed: Vec::new(),
            tombstones: FxHashSet::default(),
        }
    }

    /// The same picture with lines of the bill beside the machines. To be said before anything is folded.
    #[must_use]
    pub const fn with_extra_costs(mut self, extra_costs: ExtraCosts) -> Self {
        self.extra_costs = extra_costs;
        self
    }

    /// The same picture of the nodes that match a selector alone: pods may be on nodes that are not read. To be called
    /// before anything is folded.
    #[must_use]
    pub const fn with_selected_nodes(mut self, selects_nodes: bool) -> Self {
        self.selects_nodes = selects_nodes;
        self
    }

    /// Which cluster this is.
    pub const fn about(&self) -> &About {
        &self.about
    }

    /// Seconds that this machine's clock is ahead of the API server's; negative when it is behind. 0 within half a minute,
    /// and where the server does not tell the time. Moments of objects are moved to this machine's clock.
    pub const fn clock_ahead_seconds(&self) -> i64 {
        self.clock_ahead_seconds
    }

    /// The latest moment it was told of, by a change or a tick.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether prices are asked for at all.
    pub const fn has_prices(&self) -> bool {
        self.prices.book.is_some()
    }

    /// Which lines of the bill beside the machines are on.
    pub const fn extra_costs(&self) -> ExtraCosts {
        self.extra_costs
    }

    /// What is known of prices, and how their sources are doing.
    pub const fn prices(&self) -> &Prices {
        &self.prices
    }

    /// A number that grows with every change to a node or a claim, and with every change to node classes if volumes are
    /// priced. Pods do not change it.
    pub const fn nodes_revision(&self) -> u64 {
        self.nodes_revision
    }

    /// The prices that the machines on record need.
    pub fn demand(&self) -> Demand {
        let mut demand = Demand::default();
        if self.has_prices() {
            self.rows.values().filter(|row| row.counts()).filter_map(Row::offer).for_each(|offer| demand.add(offer));
            self.demand_of_extra_costs(&mut demand);
        }
        demand
    }

    /// Health of a stream.
    pub const fn stream(&self, stream: Stream) -> &StreamHealth {
        &self.streams[stream.index()]
    }

    /// Whether anything is known of a kind: a list of it came in, or is coming in. What is not known is not zero.
    pub const fn knows(&self, stream: Stream) -> bool {
        let health = self.stream(stream);
        health.complete
            || matches!(health.state, LinkState::Syncing { .. } | LinkState::Live | LinkState::Polled { .. })
    }

    /// Whether all of a kind is known, if perhaps old: what the picture does not have is not there.
    pub const fn has_all(&self, stream: Stream) -> bool {
        self.stream(stream).complete
    }

    /// Whether the picture is whole: each kind of which it is made is in step with the server, or of a kind that the cluster
    /// does not have. Nodes and pods are kinds that every cluster has. Measured usage is an extra.
    pub fn is_complete(&self) -> bool {
        let is_whole = |stream: Stream| match &self.stream(stream).state {
            LinkState::Live | LinkState::Polled { .. } => true,
            LinkState::Absent => !matches!(stream, Stream::Nodes | Stream::Pods),
            LinkState::Off
            | LinkState::Connecting
            | LinkState::Syncing { .. }
            | LinkState::Denied { .. }
            | LinkState::Retrying { .. } => false,
        };
        let kinds = [Stream::Nodes, Stream::Pods, Stream::Events, Stream::NodeClaims, Stream::NodePools];
        kinds.into_iter().all(is_whole)
    }

    /// A row, following a claim's row to the node's row it became.
    pub fn row(&self, id: RowId) -> Option<&Row> {
        self.rows.get(&self.resolve(id))
    }

    /// The row an id stands for now.
    pub fn resolve(&self, id: RowId) -> RowId {
        self.merged.get(&id).copied().unwrap_or(id)
    }

    /// All rows in no order, those that are not shown among them ([`Self::is_shown`]).
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// Whether a row belongs on the screen: a node, a claim or a tombstone; names known only from pods do when nodes
    /// may not be read.
    pub fn is_shown(&self, row: &Row) -> bool {
        *row.state() != RowState::Mentioned || matches!(self.stream(Stream::Nodes).state, LinkState::Denied { .. })
    }

    /// The row of the node with this name.
    pub fn row_of_node(&self, name: &str) -> Option<&Row> {
        self.by_node.get(name).and_then(|id| self.rows.get(id))
    }

    /// The row of the claim with this name: its own, or its node's.
    pub fn row_of_claim(&self, name: &str) -> Option<&Row> {
        self.by_claim.get(name).and_then(|id| self.rows.get(id))
    }

    /// The node row a pod is bound to.
    pub fn row_of_pod(&self, key: &PodKey) -> Option<&Row> {
        self.pods.find(key).and_then(|slot| self.pods.get(slot)?.row).and_then(|id| self.rows.get(&id))
    }

    /// The pods bound to a row, newest first.
    pub fn pods_of(&self, row: &Row) -> impl Iterator<Item = PodRow<'_>> {
        self.chain(row.first_pod)
    }

    /// The pods that have no node, newest first.
    pub fn unscheduled_pods(&self) -> impl Iterator<Item = PodRow<'_>> {
        self.chain(self.pods.unscheduled)
    }

    fn chain(&self, first: u32) -> impl Iterator<Item = PodRow<'_>> {
        let mut at = first;
        std::iter::from_fn(move || {
            let pod = self.pods.get(at)?;
            let view = self.pods.view(at);
            at = pod.next;
            view
        })
    }

    /// Whether only nodes that match a selector are read.
    pub const fn selects_nodes(&self) -> bool {
        self.selects_nodes
    }

    /// Nodes that pods are bound to and that do not exist: name, number of pods, and since when the node is missing. None
    /// while not all nodes are known, or are in step with the server. A node that a claim still names is not missing.
    pub fn missing_nodes(&self) -> impl Iterator<Item = (&Name, u64, Timestamp)> {
        let nodes = self.stream(Stream::Nodes);
        let known =
            nodes.complete && matches!(nodes.state, LinkState::Live | LinkState::Polled { .. }) && !self.selects_nodes;
        let rows = self.rows.values().filter(move |row| known && row.state == RowState::Mentioned);
        rows.filter_map(|row| Some((row.node_name.as_ref()?, row.sums.pods.bound, row.missing_since)))
            .filter(|(_, pods, _)| *pods > 0)
    }

    /// All pods of the cluster by state, whatever node they are on.
    pub const fn pod_counts(&self) -> &PodCounts {
        &self.pod_counts
    }

    /// Nodepools by name.
    pub fn pools(&self) -> impl Iterator<Item = &NodePool> {
        self.pools.values().map(|(pool, _)| pool)
    }

    /// A nodepool.
    pub fn pool(&self, name: &str) -> Option<&NodePool> {
        self.pools.get(name).map(|(pool, _)| pool)
    }

    /// PodDisruptionBudgets by namespace and name.
    pub fn pdbs(&self) -> impl Iterator<Item = &DisruptionBudget> {
        self.pdbs.values().map(|(pdb, _)| pdb)
    }

    /// The event log.
    pub const fn events(&self) -> &EventLog {
        &self.events
    }

    /// Objects that could not be read in full, by stream.
    pub const fn unreadable(&self) -> &BTreeMap<Stream, UnreadableObjects> {
        &self.unreadable
    }

    /// The rows touched since the last call; some may be gone by now. One reader: the view that keeps its order by them.
    pub fn take_changed(&mut self) -> Vec<RowId> {
        let changed = std::mem::take(&mut self.changed);
        for id in &changed {
            if let Some(row) = self.rows.get_mut(id) {
                row.touched = false;
            }
        }
        changed
    }
}
