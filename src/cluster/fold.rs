//! `apply`: one change in, every sum moved by its difference, what changed remembered.

use super::classes::{self, NodeClasses};
use super::join::Joins;
use super::leaving::{Leaving, POOL_DELETED, SCALED_IN, Signals};
use super::pods::{NONE, PodCounts, PodRow, Pods};
use super::prices::Prices;
use super::row::{Row, RowId};
use super::{EventLog, RowState};
use crate::model::{
    About, Change, DisruptionBudget, LinkState, Name, Node, NodeClaim, NodePool, Pod, PodKey, Stream, Timestamp, Uid,
    Usage, key,
};
use crate::pricing::{Demand, ExtraCosts, PriceBook, PriceNews};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::ops::{BitOr, BitOrAssign};

/// How long the row of a node that went stays visible, in seconds.
const GONE_NODE_SECONDS: i64 = 10;
/// And that of a claim that never had a machine: its reason is worth reading.
const GONE_CLAIM_SECONDS: i64 = 180;

/// A change of a nodepool that is seen longer after a claim's deletion is not its cause: the two kinds are watched apart, and
/// the garbage collector deletes the claims of a nodepool that went.
const POOL_LAG_SECONDS: i64 = 10;

/// Which parts of a picture may differ after a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dirty(u8);

impl Dirty {
    /// Nothing.
    pub const NOTHING: Self = Self(0);
    /// Rows: see [`Cluster::take_changed`].
    pub const ROWS: Self = Self(1);
    /// Pods without a node.
    pub const PENDING: Self = Self(2);
    /// The event log.
    pub const EVENTS: Self = Self(4);
    /// Health of streams and price sources, or what is known of the cluster.
    pub const LINKS: Self = Self(8);
    /// Nodepools or budgets.
    pub const POOLS: Self = Self(16);

    /// Whether anything may differ.
    pub const fn any(self) -> bool {
        self.0 != 0
    }

    /// Whether a part may differ.
    pub const fn has(self, part: Self) -> bool {
        self.0 & part.0 != 0
    }
}

impl BitOr for Dirty {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Dirty {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

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
pub struct OddCount {
    /// How many times.
    pub count: u64,
    /// The last one, by name.
    pub object: String,
    /// What was odd about it.
    pub problem: String,
}

/// Everything known of one cluster.
#[derive(Debug)]
pub struct Cluster {
    pub(super) prices: Prices,
    pub(super) extra_costs: ExtraCosts,
    /// Only nodes that match a selector are read.
    selects_nodes: bool,
    pub(super) about: About,
    clock_ahead_seconds: i64,
    now: Timestamp,
    streams: [StreamHealth; Stream::ALL.len()],
    generations: [u32; Stream::ALL.len()],
    pub(super) rows: FxHashMap<RowId, Row>,
    next_row: u32,
    pub(super) machines_changed: u64,
    by_node: FxHashMap<Name, RowId>,
    by_claim: FxHashMap<Name, RowId>,
    joins: Joins,
    /// Rows of claims that became their node's row, and which that is; each is an alias of it.
    merged: FxHashMap<RowId, RowId>,
    pods: Pods,
    pod_counts: PodCounts,
    pools: BTreeMap<Name, (NodePool, u32)>,
    pub(super) classes: NodeClasses,
    pdbs: BTreeMap<PodKey, (DisruptionBudget, u32)>,
    events: EventLog,
    signals: Signals,
    odd: BTreeMap<Stream, OddCount>,
    /// Measured usage of nodes that are not known yet: a reading may come before the list of nodes.
    early_usage: FxHashMap<Name, Usage>,
    changed: Vec<RowId>,
    tombstones: FxHashSet<RowId>,
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
            machines_changed: 0,
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
            odd: BTreeMap::new(),
            early_usage: FxHashMap::default(),
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

    // === reading ===

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

    /// A number that grows whenever a node or a claim came, changed or went. Pods do not move it.
    pub const fn machines_changed(&self) -> u64 {
        self.machines_changed
    }

    /// The prices that the machines on record need.
    pub fn demand(&self) -> Demand {
        let mut demand = Demand::default();
        if self.has_prices() {
            self.rows.values().filter(|row| row.counts()).filter_map(Row::offer).for_each(|offer| demand.add(&offer));
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
    pub const fn odd(&self) -> &BTreeMap<Stream, OddCount> {
        &self.odd
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

    // === folding ===

    /// Folds one change. `now` dates what objects do not date: when something was first seen, or gone.
    pub fn apply(&mut self, change: Change, now: Timestamp) -> Dirty {
        self.now = self.now.max(now);
        if let Some(stream) = stream_of(&change) {
            self.streams[stream.index()].heard = Some(now);
        }
        match change {
            Change::About(about) => {
                let differs = self.about != about;
                self.about = about;
                if differs { Dirty::LINKS } else { Dirty::NOTHING }
            }
            Change::Clock { ahead_seconds } => {
                self.clock_ahead_seconds = ahead_seconds;
                Dirty::LINKS
            }
            Change::Resync(stream) => {
                self.generations[stream.index()] += 1;
                Dirty::NOTHING
            }
            Change::Synced(stream) => self.synced(stream, now) | Dirty::LINKS,
            Change::Link(stream, state) => self.link(stream, state, now),
            Change::Heard(_) => Dirty::NOTHING,
            Change::Node(node) => self.node(node, now),
            Change::NodeGone(name, uid) => self.node_gone(&name, uid, now),
            Change::Pod(pod) => self.pod(*pod, now),
            Change::PodGone(key, uid) => self.pod_gone(&key, uid),
            Change::Claim(claim) => self.claim(claim, now),
            Change::ClaimGone(name, uid) => self.claim_gone(&name, uid, now),
            Change::Pool(pool) => {
                let generation = self.generation(Stream::NodePools);
                let (name, deleted) = (pool.name.clone(), pool.deleted);
                self.pools.insert(name.clone(), (*pool, generation));
                Dirty::POOLS | self.explain_by_pool(&name, deleted, now)
            }
            Change::PoolGone(name, uid) => {
                if !self.pools.get(&name).is_some_and(|(pool, _)| same(pool.uid, uid)) {
                    return Dirty::POOLS;
                }
                let deleted = self.pools.remove(&name).and_then(|(pool, _)| pool.deleted);
                Dirty::POOLS | self.explain_by_pool(&name, deleted, now)
            }
            Change::NodeClass(class) => {
                let generation = self.generation(classes::stream(class.provisioner));
                let differs = self.classes.put(*class, generation);
                if differs { self.price_volumes() } else { Dirty::NOTHING }
            }
            Change::NodeClassGone(provisioner, name, uid) => {
                let went = self.classes.remove(provisioner, &name, |known| same(known, uid));
                if went { self.price_volumes() } else { Dirty::NOTHING }
            }
            Change::Pdb(pdb) => {
                let generation = self.generation(Stream::Pdbs);
                let key = PodKey { namespace: pdb.namespace.clone(), name: pdb.name.clone() };
                self.pdbs.insert(key, (*pdb, generation));
                Dirty::POOLS
            }
            Change::PdbGone(key, uid) => {
                if self.pdbs.get(&key).is_some_and(|(pdb, _)| same(pdb.uid, uid)) {
                    self.pdbs.remove(&key);
                }
                Dirty::POOLS
            }
            Change::Event(event) => self.event(*event, now),
            Change::NodeUsage(usage) => self.node_usage(usage),
            Change::PodUsage(usage) => {
                self.pods.usage = usage.into_iter().collect();
                Dirty::ROWS
            }
            Change::Odd { stream, object, problem } => {
                let odd = self.odd.entry(stream).or_default();
                *odd = OddCount { count: odd.count + 1, object, problem };
                Dirty::LINKS
            }
        }
    }

    /// Takes in what price sources report, then prices every row again, once.
    pub fn learn(&mut self, news: impl IntoIterator<Item = PriceNews>) -> Dirty {
        let (mut prices, mut sources) = (false, false);
        for news in news {
            let effect = self.prices.learn(news);
            (prices, sources) = (prices | effect.prices, sources | effect.sources);
        }
        let mut dirty = if sources { Dirty::LINKS } else { Dirty::NOTHING };
        if prices {
            let book = self.prices.book.as_ref();
            let changed: Vec<RowId> =
                self.rows.values_mut().filter_map(|row| row.price(book).then_some(row.id)).collect();
            if !changed.is_empty() {
                dirty |= Dirty::ROWS;
            }
            for id in changed {
                self.prices.note(self.rows.get(&id).and_then(Row::quote));
                self.touch(id);
            }
            dirty |= self.price_volumes();
        }
        dirty
    }

    /// Lets time pass: tombstones that were shown long enough go.
    pub fn tick(&mut self, now: Timestamp) -> Dirty {
        self.now = self.now.max(now);
        let over: Vec<RowId> = self
            .tombstones
            .iter()
            .filter(|id| {
                self.rows.get(id).is_none_or(|row| {
                    let launched = row.node.is_some() || row.claim.as_ref().is_some_and(|c| !c.provider_id.is_empty());
                    let shown = if launched { GONE_NODE_SECONDS } else { GONE_CLAIM_SECONDS };
                    row.gone.is_none_or(|at| now.as_second() - at.as_second() >= shown)
                })
            })
            .copied()
            .collect();
        for id in &over {
            self.tombstones.remove(id);
            if let Some(row) = self.rows.get_mut(id).filter(|row| row.gone.is_some()) {
                (row.node, row.claim, row.gone) = (None, None, None);
                row.state = RowState::Mentioned;
                (row.leaving, row.quote, row.volumes) = (None, None, None);
                self.touch(*id);
                self.drop_if_empty(*id);
            }
        }
        if over.is_empty() { Dirty::NOTHING } else { Dirty::ROWS }
    }

    const fn generation(&self, stream: Stream) -> u32 {
        self.generations[stream.index()]
    }

    fn link(&mut self, stream: Stream, state: LinkState, now: Timestamp) -> Dirty {
        let health = &mut self.streams[stream.index()];
        if health.state == state {
            return Dirty::NOTHING;
        }
        let denial = matches!(state, LinkState::Denied { .. }) != matches!(health.state, LinkState::Denied { .. });
        let pods_known = self.knows(Stream::Pods);
        let health = &mut self.streams[stream.index()];
        if matches!(state, LinkState::Absent | LinkState::Denied { .. } | LinkState::Off) {
            health.complete = false;
        }
        health.state = state;
        if (denial && stream == Stream::Nodes) || pods_known != self.knows(Stream::Pods) {
            // Rows known only by name come or go with the permission; what is known of pods decides filters.
            let ids: Vec<RowId> = self.rows.keys().copied().collect();
            for id in ids {
                self.touch(id);
            }
            return Dirty::LINKS | Dirty::ROWS;
        }
        let state = &self.stream(stream).state;
        let (absent, read) =
            (*state == LinkState::Absent, matches!(state, LinkState::Live | LinkState::Retrying { .. }));
        match stream {
            Stream::NodeMetrics if !read => self.node_usage(Vec::new()) | Dirty::LINKS,
            Stream::PodMetrics if !read => {
                self.pods.usage = FxHashMap::default();
                Dirty::ROWS | Dirty::LINKS
            }
            // A kind that is not served (any more: its definition was deleted) has no objects.
            Stream::NodeClaims | Stream::NodePools | Stream::Pdbs | Stream::Ec2NodeClasses | Stream::NodeClasses
                if absent =>
            {
                self.generations[stream.index()] += 1;
                self.sweep(stream, now) | Dirty::LINKS
            }
            // Core kinds are always there: a server that does not know them is in trouble, and the old picture stays.
            Stream::Nodes
            | Stream::Pods
            | Stream::Events
            | Stream::NodeClaims
            | Stream::NodePools
            | Stream::Pdbs
            | Stream::NodeMetrics
            | Stream::PodMetrics
            | Stream::Ec2NodeClasses
            | Stream::NodeClasses => Dirty::LINKS,
        }
    }

    /// The list is complete: what it did not name is gone.
    fn synced(&mut self, stream: Stream, now: Timestamp) -> Dirty {
        let dirty = self.link(stream, LinkState::Live, now);
        self.streams[stream.index()].complete = true;
        dirty | self.sweep(stream, now)
    }

    /// What was not seen since the list began is gone.
    fn sweep(&mut self, stream: Stream, now: Timestamp) -> Dirty {
        let generation = self.generation(stream);
        match stream {
            Stream::Nodes => {
                let stale = |r: &&Row| r.node.is_some() && r.gone.is_none() && r.node_generation != generation;
                let gone: Vec<Name> = self.rows.values().filter(stale).filter_map(|r| r.node_name.clone()).collect();
                for name in &gone {
                    self.node_gone(name, Uid::default(), now);
                }
                Dirty::ROWS
            }
            Stream::NodeClaims => {
                let stale = |r: &&Row| r.gone.is_none() && r.claim_generation != generation;
                let names = self.rows.values().filter(stale).filter_map(|r| r.claim.as_ref().map(|c| c.name.clone()));
                let gone: Vec<Name> = names.collect();
                for name in &gone {
                    self.claim_gone(name, Uid::default(), now);
                }
                // How many claims a static nodepool has was not known before.
                self.explain_by_pools(|_| true);
                Dirty::ROWS
            }
            Stream::Pods => {
                let stale = |slot: &u32| self.pods.get(*slot).is_some_and(|p| p.generation != generation);
                let gone: Vec<u32> = self.pods.slots().filter(stale).collect();
                for slot in gone {
                    self.remove_pod(slot);
                }
                Dirty::ROWS | Dirty::PENDING
            }
            Stream::NodePools => {
                self.pools.retain(|_, (_, seen)| *seen == generation);
                // Claims may have been listed before their pools.
                self.explain_by_pools(|_| true);
                Dirty::POOLS | Dirty::ROWS
            }
            Stream::Pdbs => {
                self.pdbs.retain(|_, (_, seen)| *seen == generation);
                Dirty::POOLS
            }
            Stream::Ec2NodeClasses | Stream::NodeClasses => {
                let went = self.classes.sweep(stream, generation);
                if went { self.price_volumes() } else { Dirty::NOTHING }
            }
            // An event that ages out of the API stays in our log; readings are complete by themselves.
            Stream::Events | Stream::NodeMetrics | Stream::PodMetrics => Dirty::NOTHING,
        }
    }

    // === rows ===

    fn new_row(&mut self, name: Name, now: Timestamp) -> RowId {
        let id = RowId(self.next_row);
        self.next_row += 1;
        self.rows.insert(id, Row::new(id, name, now));
        id
    }

    /// The row of a node name; made at its first mention.
    fn row_for_node(&mut self, name: &Name, now: Timestamp) -> RowId {
        if let Some(id) = self.by_node.get(name) {
            return *id;
        }
        let id = self.new_row(name.clone(), now);
        if let Some(row) = self.rows.get_mut(&id) {
            row.node_name = Some(name.clone());
            row.usage = self.early_usage.remove(name).map(Usage::capped);
        }
        self.by_node.insert(name.clone(), id);
        id
    }

    pub(super) fn touch(&mut self, id: RowId) {
        if let Some(row) = self.rows.get_mut(&id)
            && !row.touched
        {
            row.touched = true;
            self.changed.push(id);
        }
    }

    /// A row that nothing speaks of any more is dropped.
    fn drop_if_empty(&mut self, id: RowId) {
        let Some(row) = self.rows.get(&id) else { return };
        if row.node.is_some() || row.claim.is_some() || row.first_pod != NONE {
            return;
        }
        self.touch(id);
        let Some(row) = self.rows.remove(&id) else { return };
        if let Some(name) = &row.node_name {
            self.by_node.remove(name);
        }
        self.tombstones.remove(&id);
        for alias in &row.aliases {
            self.merged.remove(alias);
        }
    }

    /// Names the nodepool as the reason of departures that nothing else explains: it was deleted, or it is static and has
    /// more claims than replicas.
    fn explain_by_pools(&mut self, concerns: impl Fn(&NodeClaim) -> bool) -> Dirty {
        let unexplained = |row: &&Row| row.leaving.as_ref().is_some_and(Leaving::is_unexplained);
        let concerned = self.rows.values().filter(unexplained).filter(|row| row.claim().is_some_and(&concerns));
        let reasons: Vec<(RowId, &'static str)> =
            concerned.filter_map(|row| Some((row.id, self.end_of_pool(row)?))).collect();
        for (id, reason) in &reasons {
            if let Some(leaving) = self.rows.get_mut(id).and_then(|row| row.leaving.as_mut()) {
                leaving.reason = (*reason).into();
            }
            self.touch(*id);
        }
        if reasons.is_empty() { Dirty::NOTHING } else { Dirty::ROWS }
    }

    /// The same for one nodepool that changed or went. It did not delete the claims that were deleted before.
    fn explain_by_pool(&mut self, name: &str, deleted: Option<Timestamp>, now: Timestamp) -> Dirty {
        let since = deleted.map_or(now.as_second() - POOL_LAG_SECONDS, Timestamp::as_second);
        self.explain_by_pools(|claim| {
            claim.labels.get(key::NODEPOOL) == Some(name) && claim.deleted.is_some_and(|at| at.as_second() >= since)
        })
    }

    fn end_of_pool(&self, row: &Row) -> Option<&'static str> {
        let claim = row.claim.as_deref()?;
        let deleted = claim.deleted?;
        let name = claim.labels.get(key::NODEPOOL)?;
        let Some(pool) = self.pool(name) else {
            return self.has_all(Stream::NodePools).then_some(POOL_DELETED);
        };
        if pool.deleted.is_some_and(|at| at <= deleted) {
            return Some(POOL_DELETED);
        }
        // A replacement is younger than the deletion, and others may go in the same second.
        let stood = |c: &&NodeClaim| c.created <= deleted && c.deleted.is_none_or(|at| at >= deleted);
        let claims = self.rows.values().filter_map(|row| row.claim.as_deref());
        let of_pool = claims.filter(|c| c.labels.get(key::NODEPOOL) == Some(name)).filter(stood).count() as u64;
        pool.replicas.is_some_and(|replicas| of_pool > replicas).then_some(SCALED_IN)
    }

    /// Recomputes everything a row derives from its objects.
    fn refresh(&mut self, id: RowId, now: Timestamp) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        let was_leaving = row.leaving.is_some();
        row.derive(self.prices.book.as_ref(), &self.signals, now);
        if !was_leaving && row.leaving.as_ref().is_some_and(Leaving::is_unexplained) {
            let reason = self.rows.get(&id).and_then(|row| self.end_of_pool(row));
            if let Some((leaving, reason)) = self.rows.get_mut(&id).and_then(|row| row.leaving.as_mut()).zip(reason) {
                leaving.reason = reason.into();
            }
        }
        let Some(row) = self.rows.get_mut(&id) else { return };
        if self.extra_costs.volumes {
            row.price_volumes(self.prices.book.as_ref(), &self.classes);
        }
        self.machines_changed += 1;
        self.prices.note(row.quote());
        if row.gone.is_some() {
            self.tombstones.insert(id);
        } else {
            self.tombstones.remove(&id);
        }
        self.touch(id);
    }

    fn node(&mut self, node: Box<Node>, now: Timestamp) -> Dirty {
        let id = self.row_for_node(&node.name, now);
        let generation = self.generation(Stream::Nodes);
        let first_picture_done = self.stream(Stream::Nodes).complete;
        let Some(row) = self.rows.get_mut(&id) else { return Dirty::NOTHING };
        row.node_generation = generation;
        let was_gone = row.gone.take().is_some();
        if was_gone {
            row.claim = None;
            row.leaving = None;
        }
        let was_there = row.node.is_some() && !was_gone;
        if was_there && row.node.as_deref() == Some(&*node) {
            return Dirty::NOTHING;
        }
        // Another uid is another machine under the same name.
        let is_another = row.node.as_ref().is_some_and(|old| old.uid != node.uid);
        if (!was_there || is_another) && first_picture_done {
            row.appeared = Some(now);
        }
        if is_another {
            (row.leaving, row.usage) = (None, None);
        }
        let mut near = Vec::new();
        if let Some(old) = row.node.replace(node)
            && !was_gone
        {
            near = self.joins.claims_near(&old);
            self.joins.remove_node(&old);
        }
        let row = &self.rows[&id];
        if let Some(node) = &row.node {
            self.joins.add_node(node);
            near.extend(self.joins.claims_near(node));
        }
        near.extend(row.claim.as_ref().map(|c| c.name.clone()));
        near.sort();
        near.dedup();
        for claim in &near {
            self.rejoin(claim, now);
        }
        self.refresh(id, now);
        Dirty::ROWS
    }

    fn node_gone(&mut self, name: &Name, uid: Uid, now: Timestamp) -> Dirty {
        let Some(id) = self.by_node.get(name).copied() else { return Dirty::NOTHING };
        let Some(row) = self.rows.get_mut(&id) else { return Dirty::NOTHING };
        if row.gone.is_some() || !row.node.as_ref().is_some_and(|node| same(node.uid, uid)) {
            return Dirty::NOTHING;
        }
        let near = row.node.as_ref().map(|node| {
            let near = self.joins.claims_near(node);
            self.joins.remove_node(node);
            near
        });
        row.usage = None;
        row.missing_since = now;
        if row.claim.is_some() {
            // The claim stays until its machine is gone; it is billed until then.
            row.node = None;
        } else {
            row.gone = Some(now);
        }
        self.refresh(id, now);
        near.into_iter().flatten().for_each(|claim| self.rejoin(&claim, now));
        Dirty::ROWS
    }

    fn claim(&mut self, claim: Box<NodeClaim>, now: Timestamp) -> Dirty {
        let name = claim.name.clone();
        let generation = self.generation(Stream::NodeClaims);
        let first_picture_done = self.stream(Stream::NodeClaims).complete;
        let known = self.by_claim.get(&name).copied();
        let id = match known {
            Some(id) => id,
            None => {
                let id = self.new_row(name.clone(), now);
                self.by_claim.insert(name.clone(), id);
                if first_picture_done && let Some(row) = self.rows.get_mut(&id) {
                    row.appeared = Some(now);
                }
                id
            }
        };
        let Some(row) = self.rows.get_mut(&id) else { return Dirty::NOTHING };
        row.claim_generation = generation;
        if row.claim.as_deref() == Some(&*claim) {
            return Dirty::NOTHING;
        }
        self.joins.add_claim(&claim);
        if let Some(old) = row.claim.replace(claim) {
            self.joins.remove_claim(&old);
            if let Some(new) = &row.claim {
                self.joins.add_claim(new);
            }
            if row.claim.as_ref().is_some_and(|new| new.uid != old.uid) {
                (row.gone, row.leaving) = (None, None);
            }
        }
        self.rejoin(&name, now);
        if let Some(id) = self.by_claim.get(&name).copied() {
            self.refresh(id, now);
        }
        Dirty::ROWS
    }

    fn claim_gone(&mut self, name: &Name, uid: Uid, now: Timestamp) -> Dirty {
        let Some(id) = self.by_claim.get(name).copied() else { return Dirty::NOTHING };
        let Some(row) = self.rows.get_mut(&id) else { return Dirty::NOTHING };
        if !row.claim.as_ref().is_some_and(|claim| same(claim.uid, uid)) {
            return Dirty::NOTHING;
        }
        if let Some(claim) = &row.claim {
            self.joins.remove_claim(claim);
        }
        self.by_claim.remove(name);
        if row.node.is_some() && row.gone.is_none() {
            row.claim = None;
        } else {
            row.gone = Some(now);
        }
        let node = row.node_name.clone();
        self.refresh(id, now);
        if let Some(node) = node {
            self.settle(&node, now);
        }
        Dirty::ROWS
    }

    /// Moves a claim to the row it belongs to: its node's, or one of its own.
    ///
    /// Several claims that want one node are an error of Karpenter; the first by name gets it, so that the picture does
    /// not depend on who came first.
    fn rejoin(&mut self, name: &Name, now: Timestamp) {
        let Some(from) = self.by_claim.get(name).copied() else { return };
        let Some(claim) = self.rows.get(&from).and_then(|row| row.claim.as_ref()) else { return };
        let home = self.joins.node_of(claim).filter(|node| self.claimant(node).as_ref() == Some(name));
        let to = match home {
            Some(node) => self.row_for_node(&node, now),
            None if self.rows[&from].node_name.is_some() => self.new_row(name.clone(), now),
            None => return,
        };
        if to == from {
            return;
        }
        let displaced =
            self.rows.get(&to).filter(|r| r.gone.is_none()).and_then(|r| r.claim.as_ref()).map(|c| c.name.clone());
        match displaced {
            // Once it has left, the claims of this node look again, this one first among them.
            Some(other) => {
                let own = self.new_row(other.clone(), now);
                self.move_claim(&other, to, own, now);
            }
            None => self.move_claim(name, from, to, now),
        }
    }

    /// The claim that has a node.
    fn claimant(&self, node: &Name) -> Option<Name> {
        self.claims_near(node).into_iter().find(|name| {
            let claim = self.by_claim.get(name).and_then(|id| self.rows.get(id)).and_then(|row| row.claim.as_ref());
            claim.and_then(|claim| self.joins.node_of(claim)).as_ref() == Some(node)
        })
    }

    /// Claims that may belong to a node, by name.
    fn claims_near(&self, node: &Name) -> Vec<Name> {
        let standing = self.by_node.get(node).and_then(|id| self.rows.get(id)).filter(|row| row.gone.is_none());
        match standing.and_then(|row| row.node.as_ref()) {
            Some(node) => self.joins.claims_near(node),
            None => {
                let mut names: Vec<Name> = self.joins.claims_of_name(node).cloned().collect();
                names.sort();
                names
            }
        }
    }

    fn move_claim(&mut self, name: &Name, from: RowId, to: RowId, now: Timestamp) {
        let Some(source) = self.rows.get_mut(&from) else { return };
        let (claim, generation) = (source.claim.take(), source.claim_generation);
        let appeared = source.appeared;
        let left = source.node_name.clone();
        let mut aliases = if left.is_none() { std::mem::take(&mut source.aliases) } else { Vec::new() };
        if let Some(target) = self.rows.get_mut(&to) {
            if target.gone.take().is_some() {
                // The name of a node that went is spoken of again.
                (target.node, target.leaving) = (None, None);
            }
            target.claim = claim;
            target.claim_generation = generation;
            target.appeared = target.appeared.or(appeared);
        }
        self.by_claim.insert(name.clone(), to);
        match left {
            None => {
                // The claim's row becomes the node's: whoever held on to it finds it there.
                aliases.push(from);
                self.merged.extend(aliases.iter().map(|alias| (*alias, to)));
                if let Some(target) = self.rows.get_mut(&to) {
                    target.aliases.append(&mut aliases);
                }
                self.drop_if_empty(from);
            }
            Some(node) => {
                self.refresh(from, now);
                self.drop_if_empty(from);
                self.settle(&node, now);
            }
        }
        self.refresh(to, now);
    }

    /// A node's place became free, or what decides about it changed: the claims that may want it look again.
    fn settle(&mut self, node: &Name, now: Timestamp) {
        for claim in self.claims_near(node) {
            self.rejoin(&claim, now);
        }
    }

    // === pods ===

    fn pod(&mut self, pod: Pod, now: Timestamp) -> Dirty {
        if pod.phase.is_terminal() {
            return self.pod_gone(&pod.key, Uid::default());
        }
        let home = (!pod.node.is_empty()).then(|| self.row_for_node(&pod.node, now));
        let generation = self.generation(Stream::Pods);
        match self.pods.find(&pod.key) {
            Some(slot) => {
                let old_home = self.pods.get(slot).and_then(|p| p.row);
                let was_pending = self.uncount(slot);
                if old_home == home {
                    self.pods.replace(slot, pod, generation);
                } else {
                    self.unlink(slot);
                    self.pods.replace(slot, pod, generation);
                    self.link_pod(slot, home);
                    if let Some(old) = old_home {
                        self.drop_if_empty(old);
                    }
                }
                if let Some(old) = old_home.filter(|_| old_home != home) {
                    self.price_by_pods(old);
                }
                let is_pending = self.count(slot);
                if was_pending || is_pending { Dirty::ROWS | Dirty::PENDING } else { Dirty::ROWS }
            }
            None => {
                let slot = self.pods.insert(pod, generation);
                self.link_pod(slot, home);
                if self.count(slot) { Dirty::ROWS | Dirty::PENDING } else { Dirty::ROWS }
            }
        }
    }

    fn pod_gone(&mut self, key: &PodKey, uid: Uid) -> Dirty {
        let Some(slot) = self.pods.find(key) else { return Dirty::NOTHING };
        if !self.pods.get(slot).is_some_and(|pod| same(pod.uid, uid)) {
            return Dirty::NOTHING;
        }
        if self.remove_pod(slot) { Dirty::ROWS | Dirty::PENDING } else { Dirty::ROWS }
    }

    /// Forgets a pod; true if it had no node.
    fn remove_pod(&mut self, slot: u32) -> bool {
        let home = self.pods.get(slot).and_then(|p| p.row);
        let was_pending = self.uncount(slot);
        self.unlink(slot);
        self.pods.remove(slot);
        if let Some(home) = home {
            self.price_by_pods(home);
            self.drop_if_empty(home);
        }
        was_pending
    }

    /// Puts a pod at the head of its chain.
    fn link_pod(&mut self, slot: u32, home: Option<RowId>) {
        let head = match home {
            Some(id) => self.rows.get_mut(&id).map(|row| std::mem::replace(&mut row.first_pod, slot)),
            None => Some(std::mem::replace(&mut self.pods.unscheduled, slot)),
        };
        let next = head.unwrap_or(NONE);
        if let Some(pod) = self.pods.get_mut(slot) {
            (pod.row, pod.prev, pod.next) = (home, NONE, next);
        }
        if let Some(after) = self.pods.get_mut(next) {
            after.prev = slot;
        }
    }

    fn unlink(&mut self, slot: u32) {
        let Some(pod) = self.pods.get(slot) else { return };
        let (row, prev, next) = (pod.row, pod.prev, pod.next);
        if let Some(before) = self.pods.get_mut(prev) {
            before.next = next;
        } else if let Some(id) = row {
            if let Some(row) = self.rows.get_mut(&id) {
                row.first_pod = next;
            }
        } else {
            self.pods.unscheduled = next;
        }
        if let Some(after) = self.pods.get_mut(next) {
            after.prev = prev;
        }
    }

    /// Prices a row again whose pods changed, if they decide its price.
    fn price_by_pods(&mut self, id: RowId) {
        if let Some(row) = self.rows.get_mut(&id).filter(|row| row.priced_by_pods) {
            row.price(self.prices.book.as_ref());
            self.prices.note(row.quote());
        }
    }

    /// Adds a pod's contribution where it is linked; true if it has no node.
    fn count(&mut self, slot: u32) -> bool {
        let Some(pod) = self.pods.get(slot) else { return false };
        let counts = PodCounts::one(pod.state, pod.row.is_some());
        self.pod_counts += counts;
        let shape = self.pods.shape(pod);
        match pod.row {
            Some(id) => {
                if let Some(row) = self.rows.get_mut(&id) {
                    shape.add_to(&mut row.sums);
                    if Pods::is_overhead(pod) {
                        shape.add_requests(&mut row.sums.overhead);
                    }
                    row.sums.pods += counts;
                }
                self.price_by_pods(id);
                self.touch(id);
                false
            }
            None => true,
        }
    }

    /// Takes exactly the same back.
    fn uncount(&mut self, slot: u32) -> bool {
        let Some(pod) = self.pods.get(slot) else { return false };
        let counts = PodCounts::one(pod.state, pod.row.is_some());
        self.pod_counts -= counts;
        let shape = self.pods.shape(pod);
        match pod.row {
            Some(id) => {
                if let Some(row) = self.rows.get_mut(&id) {
                    shape.take_from(&mut row.sums);
                    if Pods::is_overhead(pod) {
                        shape.take_requests(&mut row.sums.overhead);
                    }
                    row.sums.pods -= counts;
                }
                self.touch(id);
                false
            }
            None => true,
        }
    }

    // === events and readings ===

    fn event(&mut self, event: crate::model::Event, now: Timestamp) -> Dirty {
        let explains = self.signals.note(&event, now);
        let row = match event.object.kind.as_str() {
            "Node" if explains => self.by_node.get(&event.object.name).copied(),
            "NodeClaim" if explains => self.by_claim.get(&event.object.name).copied().or_else(|| {
                // The event is often seen after its claim is gone: the tombstone learns its reason.
                let is = |row: &&Row| row.claim.as_ref().is_some_and(|c| c.name == event.object.name);
                self.tombstones.iter().filter_map(|id| self.rows.get(id)).find(is).map(|row| row.id)
            }),
            _ => None,
        };
        let added = self.events.add(event);
        if let Some(id) = row {
            self.refresh(id, now);
            return Dirty::EVENTS | Dirty::ROWS;
        }
        if added { Dirty::EVENTS } else { Dirty::NOTHING }
    }

    /// A reading is complete: a node it does not name has no usage, which is not 0.
    fn node_usage(&mut self, usage: Vec<(Name, Usage)>) -> Dirty {
        let mut reading: FxHashMap<Name, Usage> = usage.into_iter().collect();
        let mut touched = Vec::new();
        for row in self.rows.values_mut().filter(|row| row.gone.is_none()) {
            let new = row.node_name.as_ref().and_then(|name| reading.remove(name)).map(Usage::capped);
            if row.usage != new {
                row.usage = new;
                touched.push(row.id);
            }
        }
        self.early_usage = reading;
        let dirty = if touched.is_empty() { Dirty::NOTHING } else { Dirty::ROWS };
        for id in touched {
            self.touch(id);
        }
        dirty
    }
}

/// Whether two uids may be the same object: a delete without one is taken at its word.
fn same(known: Uid, told: Uid) -> bool {
    told.is_none() || known.is_none() || known == told
}

fn stream_of(change: &Change) -> Option<Stream> {
    match change {
        Change::About(_) | Change::Clock { .. } => None,
        Change::Resync(stream) | Change::Synced(stream) | Change::Heard(stream) => Some(*stream),
        Change::Link(..) | Change::Odd { .. } => None,
        Change::Node(_) | Change::NodeGone(..) => Some(Stream::Nodes),
        Change::Pod(_) | Change::PodGone(..) => Some(Stream::Pods),
        Change::Claim(_) | Change::ClaimGone(..) => Some(Stream::NodeClaims),
        Change::Pool(_) | Change::PoolGone(..) => Some(Stream::NodePools),
        Change::NodeClass(class) => Some(classes::stream(class.provisioner)),
        Change::NodeClassGone(provisioner, ..) => Some(classes::stream(*provisioner)),
        Change::Pdb(_) | Change::PdbGone(..) => Some(Stream::Pdbs),
        Change::Event(_) => Some(Stream::Events),
        Change::NodeUsage(_) => Some(Stream::NodeMetrics),
        Change::PodUsage(_) => Some(Stream::PodMetrics),
    }
}
