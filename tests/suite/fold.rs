//! The state: whatever happens in whatever order, what is kept by difference equals what a rebuild from the objects
//! says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use crate::support::alloc::bytes_held;
use crate::support::build::*;
use nodeglass::cluster::{ChangedParts, Cluster, EventQuery, Flag, Row, RowState, Sums};
use nodeglass::insight::{Column, Direction, Filter, GroupBy, Line, PendingByCause, Sort, View, Waste, alerts};
use nodeglass::model::{
    Change, ConditionStatus, EventKind, Labels, LinkState, Name, Node, NodeClaim, NodePool, Owner, Pod, PodClass,
    PodKey, PodPhase, Resource, Resources, Stream, Uid, Usage, key,
};
use nodeglass::pricing::{AsOf, Os, PriceBook, PriceNews, PriceSheet, PriceSource, Prices, Quote, SpotPrice, Unknown};
use nodeglass::units::{Currency, Money};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

// === the rebuild: plain maps of objects, and sums made from scratch ===

#[derive(Clone, Debug, Default)]
struct Kind<T> {
    objects: BTreeMap<Name, T>,
    unseen: BTreeSet<Name>,
}

impl<T> Kind<T> {
    fn put(&mut self, name: Name, object: T) {
        self.unseen.remove(&name);
        self.objects.insert(name, object);
    }

    fn remove(&mut self, name: &Name) {
        self.unseen.remove(name);
        self.objects.remove(name);
    }

    fn resync(&mut self) {
        self.unseen = self.objects.keys().cloned().collect();
    }

    fn synced(&mut self) {
        for name in std::mem::take(&mut self.unseen) {
            self.objects.remove(&name);
        }
    }
}

/// The objects that are there.
#[derive(Clone, Debug, Default)]
struct Objects {
    nodes: Kind<Node>,
    pods: Kind<Pod>,
    claims: Kind<NodeClaim>,
}

fn pod_name(key: &PodKey) -> Name {
    format!("{}/{}", key.namespace, key.name).into()
}

fn may_be(known: Uid, given: Uid) -> bool {
    known == given || known.is_none() || given.is_none()
}

impl Objects {
    fn after(changes: &[Change]) -> Self {
        let mut all = Self::default();
        for change in changes {
            all.apply(change);
        }
        all
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Node(node) => self.nodes.put(node.name.clone(), (**node).clone()),
            Change::Claim(claim) => self.claims.put(claim.name.clone(), (**claim).clone()),
            Change::Pod(pod) if matches!(pod.phase, PodPhase::Succeeded | PodPhase::Failed) => {
                self.pods.remove(&pod_name(&pod.key));
            }
            Change::Pod(pod) => self.pods.put(pod_name(&pod.key), (**pod).clone()),
            Change::NodeGone(name, uid) if self.nodes.objects.get(name).is_some_and(|n| may_be(n.uid, *uid)) => {
                self.nodes.remove(name);
            }
            Change::ClaimGone(name, uid) if self.claims.objects.get(name).is_some_and(|c| may_be(c.uid, *uid)) => {
                self.claims.remove(name);
            }
            Change::PodGone(key, uid) => {
                let name = pod_name(key);
                if self.pods.objects.get(&name).is_some_and(|p| may_be(p.uid, *uid)) {
                    self.pods.remove(&name);
                }
            }
            Change::Resync(Stream::Nodes) => self.nodes.resync(),
            Change::Resync(Stream::NodeClaims) => self.claims.resync(),
            Change::Resync(Stream::Pods) => self.pods.resync(),
            Change::Synced(Stream::Nodes) => self.nodes.synced(),
            Change::Synced(Stream::NodeClaims) => self.claims.synced(),
            Change::Synced(Stream::Pods) => self.pods.synced(),
            _ => {}
        }
    }

    fn changes(&self) -> Vec<Change> {
        let nodes = self.nodes.objects.values().cloned().map(Added::added);
        let pods = self.pods.objects.values().cloned().map(Added::added);
        nodes.chain(pods).chain(self.claims.objects.values().cloned().map(Added::added)).collect()
    }

    /// The node name a claim belongs to: the ids decide where both have one, else the name, else the owner.
    fn wants(&self, claim: &NodeClaim) -> Option<Name> {
        let only = |test: &dyn Fn(&Node) -> bool| {
            let found: Vec<&Node> = self.nodes.objects.values().filter(|n| test(n)).collect();
            (found.len(), if let [node] = found.as_slice() { Some(node.name.clone()) } else { None })
        };
        if !claim.provider_id.is_empty() {
            let (found, node) = only(&|n| n.provider_id == claim.provider_id);
            if found > 0 {
                return node;
            }
        }
        let may_be = |name: &Name| {
            let node = self.nodes.objects.get(name);
            claim.provider_id.is_empty() || node.is_none_or(|node| node.provider_id.is_empty())
        };
        let named = Some(claim.node_name.clone()).filter(|name| !name.is_empty());
        let owned = only(&|n| n.owner_claim == Some(claim.uid)).1;
        named.filter(may_be).or(owned.filter(may_be))
    }

    fn picture(&self) -> Picture {
        let mut picture = Picture::default();
        for node in self.nodes.objects.values() {
            picture.rows.entry(node.name.to_string()).or_default().node = Some(node.uid);
        }
        // The first by name of the claims that want a node has it; the others stand alone.
        for claim in self.claims.objects.values() {
            let home = self.wants(claim).map(|name| name.to_string());
            match home.filter(|home| picture.rows.get(home).is_none_or(|row| row.claim.is_none())) {
                Some(home) => picture.rows.entry(home).or_default().claim = Some(claim.name.to_string()),
                None => {
                    picture.alone.insert(claim.name.to_string());
                }
            }
        }
        for pod in self.pods.objects.values() {
            let mut amounts = pod.requests.clone();
            amounts.pods = 1;
            if pod.deleted.is_some() {
                picture.terminating += 1;
            }
            if pod.node.is_empty() {
                picture.pending_requests.add(&amounts);
                picture.unscheduled += u64::from(pod.deleted.is_none());
                continue;
            }
            let row = picture.rows.entry(pod.node.to_string()).or_default();
            row.requests.add(&amounts);
            row.limits.add(&pod.limits);
            if matches!(pod.class, PodClass::DaemonSet | PodClass::Static) {
                row.overhead.add(&amounts);
            }
        }
        let shown = |row: &&RowPicture| row.node.is_some() || row.claim.is_some();
        for row in picture.rows.values().filter(shown) {
            picture.shown_requests.add(&row.requests);
        }
        for node in self.nodes.objects.values() {
            picture.allocatable.add(&node.allocatable);
            let row = &picture.rows[node.name.as_str()];
            let claim = row.claim.as_ref().map(|name| &self.claims.objects[name.as_str()].labels);
            let of_claim = || claim.and_then(|labels| labels.get(key::NODEPOOL));
            let pool = node.labels.get(key::NODEPOOL).or_else(of_claim).unwrap_or("(none)").to_owned();
            let (cpu, nodes) = picture.pools.entry(pool).or_default();
            *cpu += row.requests.cpu_millicores;
            *nodes += 1;
        }
        picture.nodes = self.nodes.objects.len() as u64;
        picture
    }
}

/// What is visible to a user, without ids and times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Picture {
    /// By node name.
    rows: BTreeMap<String, RowPicture>,
    /// Claims on rows of their own.
    alone: BTreeSet<String>,
    pending_requests: Resources,
    unscheduled: u64,
    terminating: u64,
    nodes: u64,
    allocatable: Resources,
    shown_requests: Resources,
    /// Requested cpu and nodes by nodepool, nodes alone.
    pools: BTreeMap<String, (u64, u64)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct RowPicture {
    node: Option<Uid>,
    claim: Option<String>,
    requests: Resources,
    limits: Resources,
    overhead: Resources,
}

/// What the pods without a node ask for.
fn pending_requests(cluster: &Cluster) -> Resources {
    let mut all = Resources::default();
    cluster.unscheduled_pods().for_each(|pod| all.add(&pod.requests));
    all
}

/// The same, read from the state and from a view that was there all along.
fn seen(cluster: &mut Cluster, view: &mut View) -> Picture {
    let mut picture = Picture::default();
    for row in cluster.rows().filter(|row| row.gone().is_none()) {
        let claim = row.claim().map(|c| c.name.to_string());
        let own = row.node().is_none() && cluster.row_of_node(row.name()).map(Row::id) != Some(row.id());
        if own {
            assert_eq!(*row.sums(), nodeglass::cluster::Sums::default(), "a claim's own row has no pods");
            assert!(picture.alone.insert(claim.unwrap()), "one row a claim");
            continue;
        }
        let seen = RowPicture {
            node: row.node().map(|n| n.uid),
            claim,
            requests: row.sums().requests.clone(),
            limits: row.sums().limits.clone(),
            overhead: row.sums().overhead.clone(),
        };
        assert_eq!(row.sums().pods.bound, row.sums().requests.pods);
        assert_eq!(cluster.pods_of(row).count() as u64, row.sums().pods.bound, "the chain has every pod once");
        assert!(picture.rows.insert(row.name().to_owned(), seen).is_none(), "one row a node");
    }
    picture.pending_requests = pending_requests(cluster);
    picture.unscheduled = cluster.pod_counts().unscheduled;
    picture.terminating = cluster.pod_counts().terminating;
    view.refresh(cluster);
    picture.nodes = view.totals().nodes;
    picture.shown_requests = view.totals().requests.clone();
    for row in cluster.rows().filter(|row| row.is_node()) {
        let pool = row.pool().unwrap_or("(none)").to_owned();
        let (cpu, nodes) = picture.pools.entry(pool).or_default();
        *cpu += row.sums().requests.cpu_millicores;
        *nodes += 1;
        picture.allocatable.add(&row.node().unwrap().allocatable);
    }
    picture
}

fn everything() -> View {
    View::new(Filter::default(), Sort::default(), GroupBy::Pool)
}

fn priced() -> Cluster {
    Cluster::new(Some(PriceBook::embedded()))
}

/// Long after, when no tombstone is left.
const LATER: i64 = 1_000_000;

// === arbitrary histories over few names, so that they meet ===

fn a_node() -> impl Strategy<Value = Change> {
    (0..3_u8, 0..2_u8, 0..4_u8, 0..4_u8, 0..3_u8, any::<bool>()).prop_map(|(name, uid, provider, owner, pool, ends)| {
        let mut node = node(&format!("n{name}"));
        node.uid = Uid::new(&format!("n{name}.{uid}"));
        node.provider_id = if provider == 3 { "".into() } else { format!("aws:///z/i-{provider}").into() };
        node.owner_claim = (owner < 3).then(|| Uid::new(&format!("c{owner}.0")));
        // Some have a price, some have none, and some have no label at all.
        let kind = ["c5a.large", "m5.xlarge", "no.such", "t3.micro"][usize::from(provider)];
        node.labels = match pool {
            2 => Labels::default(),
            _ => [
                (key::NODEPOOL, format!("pool{pool}").as_str()),
                ("node.kubernetes.io/instance-type", kind),
                ("topology.kubernetes.io/zone", "ap-northeast-2a"),
                ("kubernetes.io/os", "linux"),
                ("karpenter.sh/capacity-type", ["on-demand", "spot"][usize::from(uid)]),
            ]
            .into_iter()
            .collect(),
        };
        node.allocatable.cpu_millicores = 1000 * (1 + u64::from(uid));
        node.deleted = ends.then(|| at(5));
        node.added()
    })
}

fn a_claim() -> impl Strategy<Value = Change> {
    (0..3_u8, 0..2_u8, 0..6_u8, 0..4_u8, any::<bool>()).prop_map(|(name, uid, node, provider, ends)| {
        let mut claim = claim(&format!("c{name}"), "");
        claim.uid = Uid::new(&format!("c{name}.{uid}"));
        claim.node_name = if node < 3 { format!("n{node}").into() } else { "".into() };
        claim.provider_id = if provider == 3 { "".into() } else { format!("aws:///z/i-{provider}").into() };
        claim.deleted = ends.then(|| at(5));
        claim.added()
    })
}

fn a_pod() -> impl Strategy<Value = Change> {
    (0..2_u8, 0..3_u8, 0..2_u8, 0..4_u8, 0..6_u8, 0..4_u64, any::<bool>()).prop_map(
        |(namespace, name, uid, home, phase, cpu, ends)| {
            let node = if home == 3 { String::new() } else { format!("n{home}") };
            let mut pod = pod("", &node);
            pod.key = PodKey::new(["a", "a-b"][usize::from(namespace)], ["b-c", "c", "d"][usize::from(name)]);
            pod.uid = Uid::new(&format!("{namespace}.{name}.{uid}"));
            pod.phase = match phase {
                0 => PodPhase::Succeeded,
                1 => PodPhase::Unknown,
                2 => PodPhase::Pending,
                _ => PodPhase::Running,
            };
            pod.requests = Resources::new(cpu * 100, cpu << 20);
            pod.limits = Resources::new(cpu * 200, 0);
            if cpu == 3 {
                pod.requests.extended.insert("nvidia.com/gpu".into(), 1);
            }
            pod.class = if cpu == 1 { PodClass::DaemonSet } else { PodClass::Workload };
            pod.deleted = ends.then(|| at(9));
            pod.added()
        },
    )
}

fn a_departure() -> impl Strategy<Value = Change> {
    (0..3_u8, 0..3_u8, 0..3_u8, 0..2_u8).prop_map(|(kind, name, uid, namespace)| {
        let id = |prefix: &str| if uid == 2 { Uid::default() } else { Uid::new(&format!("{prefix}{name}.{uid}")) };
        match kind {
            0 => Change::NodeGone(format!("n{name}").into(), id("n")),
            1 => Change::ClaimGone(format!("c{name}").into(), id("c")),
            _ => {
                let key = PodKey::new(["a", "a-b"][usize::from(namespace)], ["b-c", "c", "d"][usize::from(name)]);
                Change::PodGone(key, id(&format!("{namespace}.")))
            }
        }
    })
}

fn something_else() -> impl Strategy<Value = Change> {
    let streams = [Stream::Nodes, Stream::Pods, Stream::NodeClaims];
    prop_oneof![
        4 => (0..3_usize).prop_map(move |i| Change::Resync(streams[i])),
        4 => (0..3_usize).prop_map(move |i| Change::Synced(streams[i])),
        2 => (0..3_u8).prop_map(|i| event("Node", &format!("n{i}"), "SpotInterrupted", "", 3).added()),
        2 => (0..3_u8).prop_map(|i| event("NodeClaim", &format!("c{i}"), "InsufficientCapacityError", "", 3).added()),
        1 => (0..3_u8).prop_map(|i| Change::NodeUsage(vec![(
            format!("n{i}").into(),
            Usage { cpu_millicores: 7, memory_bytes: 9, at: at(1), window_seconds: 15 }
        )])),
        1 => (0..3_u8).prop_map(|i| pool(&format!("pool{i}")).added()),
        1 => (0..3_u8).prop_map(|i| Change::PoolGone(format!("pool{i}").into(), Uid::default())),
    ]
}

fn a_change() -> impl Strategy<Value = Change> {
    prop_oneof![4 => a_node(), 4 => a_claim(), 6 => a_pod(), 4 => a_departure(), 2 => something_else()]
}

/// Changes with the seconds that pass before each.
fn a_history() -> impl Strategy<Value = Vec<(Change, i64)>> {
    prop::collection::vec((a_change(), prop_oneof![9 => Just(1_i64), 1 => Just(15), 1 => Just(200)]), 0..60)
}

fn fold(cluster: &mut Cluster, view: &mut View, history: &[(Change, i64)]) {
    let mut now = 10;
    for (i, (change, seconds)) in history.iter().enumerate() {
        now += seconds;
        cluster.apply(change.clone(), at(now));
        if seconds > &1 {
            cluster.tick(at(now));
        }
        if i % 3 == 0 {
            view.refresh(cluster);
        }
    }
}

fn changes(history: &[(Change, i64)]) -> Vec<Change> {
    history.iter().map(|(change, _)| change.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn sums_by_difference_equal_a_rebuild(history in a_history()) {
        let (mut cluster, mut view) = (priced(), everything());
        fold(&mut cluster, &mut view, &history);
        cluster.tick(at(LATER));
        let expected = Objects::after(&changes(&history)).picture();
        prop_assert_eq!(seen(&mut cluster, &mut view), expected);
        // A view that comes late sees what one that was there all along has added up.
        let mut late = everything();
        late.refresh(&mut cluster);
        prop_assert_eq!(view.totals(), late.totals());
        prop_assert_eq!(view.lines(), late.lines());
        for pool in ["pool0", "pool1", "(none)"] {
            prop_assert_eq!(view.group(pool), late.group(pool));
        }
    }

    /// Bound pods are counted by pods: on nodes that are there, on those that a claim still names, and on those that are
    /// missing, in whatever order they came.
    #[test]
    fn every_bound_pod_is_on_a_node_or_on_one_that_is_missing(history in a_history()) {
        let (mut cluster, mut view) = (priced(), everything());
        fold(&mut cluster, &mut view, &history);
        cluster.tick(at(LATER));
        cluster.apply(Change::Link(Stream::Nodes, LinkState::Live), at(LATER));
        view.refresh(&mut cluster);
        let objects = Objects::after(&changes(&history));
        let bound = |node: Option<&Name>| {
            let pods = objects.pods.objects.values().filter(|pod| !pod.node.is_empty());
            pods.filter(|pod| node.is_none_or(|node| pod.node == *node)).count() as u64
        };
        let counts = *cluster.pod_counts();
        prop_assert_eq!((counts.total(), counts.bound), (objects.pods.objects.len() as u64, bound(None)));
        prop_assert_eq!(view.pods(&cluster), counts);
        let is_known = cluster.stream(Stream::Nodes).complete;
        let mut missing = 0;
        for (name, pods, since) in cluster.missing_nodes() {
            prop_assert!(is_known && !objects.nodes.objects.contains_key(name), "{} is there", name);
            prop_assert_eq!(pods, bound(Some(name)));
            prop_assert!(since.as_second() < LATER);
            missing += pods;
        }
        if is_known {
            prop_assert_eq!(missing + view.totals().pods.bound, counts.bound);
        }
    }

    #[test]
    fn money_by_difference_equals_a_rebuild(history in a_history(), spot in 0..3_i64) {
        let (mut cluster, mut view) = (priced(), everything());
        fold(&mut cluster, &mut view, &history);
        // Prices change under a picture that is there.
        if spot > 0 {
            cluster.learn([PriceNews::Sheet(spot_prices(&["c5a.large", "m5.xlarge"], spot))]);
        }
        view.refresh(&mut cluster);
        let price = &view.totals().price;
        let mut sums = [Money::ZERO; 4];
        let mut counts = [0_u64; 4];
        for row in cluster.rows().filter(|row| row.gone().is_none()) {
            let Some(quote) = row.quote() else { continue };
            let (instance, fee) = quote.known();
            let waste = Waste::of(row);
            prop_assert!(waste.is_none_or(|w| w.unrequested <= instance + fee), "{:?} of {:?}", waste, quote);
            let whole = waste.unwrap_or_default();
            let parts = [instance + fee, whole.unrequested, whole.overhead, whole.unused.unwrap_or_default()];
            sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
            counts[0] += u64::from(quote.unknown().is_some());
            counts[1] += u64::from(waste.is_none() || quote.unknown().is_some());
            counts[2] += u64::from(quote.spot_saves().is_some());
            counts[3] += u64::from(quote.spot_saves().is_some() && quote.spot_saves_is_estimated());
        }
        prop_assert_eq!([price.hourly(), price.unrequested(), price.overhead(), price.unused().unwrap_or_default()], sums);
        prop_assert_eq!([price.unpriced, price.waste_left_out, price.spot_compared, price.spot_estimated], counts);
        prop_assert!(price.unrequested() >= Money::ZERO && price.unrequested() <= price.hourly());
        let mut late = everything();
        late.refresh(&mut cluster);
        prop_assert_eq!(view.totals(), late.totals());
    }

    #[test]
    fn arrival_order_does_not_change_the_picture(
        (history, shuffled) in a_history().prop_flat_map(|history| {
            let objects = Objects::after(&changes(&history));
            (Just(objects.clone()), Just(objects.changes()).prop_shuffle())
        })
    ) {
        let (mut cluster, mut view) = (priced(), everything());
        for change in shuffled {
            cluster.apply(change, at(10));
        }
        prop_assert_eq!(seen(&mut cluster, &mut view), history.picture());
    }

    #[test]
    fn a_list_read_again_equals_a_fresh_start(before in a_history(), after in a_history()) {
        let (mut cluster, mut view) = (priced(), everything());
        fold(&mut cluster, &mut view, &before);
        let objects = Objects::after(&changes(&after));
        let streams = [Stream::Pods, Stream::NodeClaims, Stream::Nodes];
        for stream in streams {
            cluster.apply(Change::Resync(stream), at(20_000));
        }
        for change in objects.changes() {
            cluster.apply(change, at(20_000));
        }
        for stream in streams {
            cluster.apply(Change::Synced(stream), at(20_000));
        }
        cluster.tick(at(LATER));
        prop_assert_eq!(seen(&mut cluster, &mut view), objects.picture());
    }

    #[test]
    fn reading_never_panics(history in a_history()) {
        let (mut cluster, mut view) = (priced(), everything());
        let mut pending = PendingByCause::default();
        for (i, (change, _)) in history.iter().enumerate() {
            cluster.apply(change.clone(), at(i as i64));
            view.refresh(&mut cluster);
            pending.refresh(&cluster);
            prop_assert_eq!(pending.total(), cluster.pod_counts().unscheduled);
            let alerts = alerts(&cluster, &pending, at(i as i64));
            prop_assert!(alerts.iter().all(|a| a.row.is_none_or(|id| cluster.row(id).is_some())));
            for line in view.lines() {
                if let Line::Row(id) = line {
                    prop_assert!(cluster.row(*id).is_some_and(|row| row.id() == *id));
                }
            }
        }
    }
}

/// Spot prices of Seoul's zone a: so many cents an hour.
fn spot_prices(types: &[&str], cents: i64) -> PriceSheet {
    let price = |name: &&str| SpotPrice {
        instance_type: (*name).into(),
        zone: Some("ap-northeast-2a".into()),
        os: Os::Linux,
        amount: Money::from_nanos(cents * 10_000_000),
    };
    PriceSheet {
        source: PriceSource::SpotHistory,
        region: "ap-northeast-2".into(),
        currency: Currency::Usd,
        fetched: at(50),
        cached: false,
        prices: Prices::Spot(types.iter().map(price).collect()),
    }
}

// === single cases ===

fn shown(cluster: &mut Cluster, group_by: GroupBy) -> View {
    let mut view = View::new(Filter::default(), Sort::default(), group_by);
    view.refresh(cluster);
    view
}

fn sorted(cluster: &mut Cluster, column: Column, direction: Direction) -> Vec<String> {
    let mut view = View::new(Filter::default(), Sort { column, direction }, GroupBy::Nothing);
    view.refresh(cluster);
    let names = view.lines().iter().filter_map(|line| match line {
        Line::Row(id) => cluster.row(*id).map(|row| row.name().to_owned()),
        Line::Group(_) => None,
    });
    names.collect()
}

fn pod_gone(name: &str) -> Change {
    Change::PodGone(PodKey::new("default", name), Uid::default())
}

fn node_gone(name: &str) -> Change {
    Change::NodeGone(name.into(), Uid::default())
}

fn apply(cluster: &mut Cluster, change: Change) {
    cluster.apply(change, at(100));
}

fn cpu_of(cluster: &Cluster, node: &str) -> u64 {
    cluster.row_of_node(node).map_or(0, |row| row.sums().requests.cpu_millicores)
}

#[test]
fn arrival_order_does_not_change_totals() {
    let pods = [pod("p", "n").added(), pod("q", "n").added()];
    let first = [pods.to_vec(), vec![node("n").added()]].concat();
    let last = [vec![node("n").added()], pods.to_vec()].concat();
    let totals = [first, last].map(|changes| shown(&mut cluster(changes), GroupBy::Nothing).totals().clone());
    assert_eq!(totals[0], totals[1]);
    assert_eq!((totals[0].nodes, totals[0].requests.cpu_millicores, totals[0].requests.pods), (1, 1000, 2));
}

#[test]
fn terminating_pod_counts_until_gone() {
    let ending = Pod { deleted: Some(at(30)), ..pod("p", "n") };
    let mut c = cluster([node("n").added(), pod("p", "n").added(), ending.added()]);
    assert_eq!((cpu_of(&c, "n"), c.pod_counts().terminating), (500, 1));
    apply(&mut c, pod_gone("p"));
    assert_eq!((cpu_of(&c, "n"), c.pod_counts().terminating), (0, 0));
}

#[test]
fn resize_then_delete_returns_usage_to_zero() {
    let resized = Pod { requests: Resources::new(1750, 3 << 30), ..pod("p", "n") };
    let mut c = cluster([node("n").added(), pod("p", "n").added(), resized.added()]);
    assert_eq!(cpu_of(&c, "n"), 1750);
    apply(&mut c, pod_gone("p"));
    assert_eq!(*c.row_of_node("n").unwrap().sums(), Sums::default());
}

#[test]
fn same_name_on_new_node_moves_the_usage() {
    let again = Pod { uid: Uid::new("another"), ..pod("web-0", "b") };
    let mut c = cluster([node("a").added(), node("b").added(), pod("web-0", "a").added(), again.added()]);
    assert_eq!((cpu_of(&c, "a"), cpu_of(&c, "b")), (0, 500));
    // The delete of the first one comes late and must not take the second one away.
    apply(&mut c, Change::PodGone(PodKey::new("default", "web-0"), Uid::new("pod web-0")));
    assert_eq!((cpu_of(&c, "b"), c.pod_counts().bound), (500, 1));
}

#[test]
fn node_delete_and_recreate_keeps_usage() {
    let mut c = cluster([node("n").added(), pod("p", "n").added(), node_gone("n")]);
    assert_eq!(*c.row_of_node("n").unwrap().state(), RowState::Gone);
    apply(&mut c, Node { uid: Uid::new("second"), ..node("n") }.added());
    assert_eq!(*c.row_of_node("n").unwrap().state(), RowState::Ready);
    assert_eq!(cpu_of(&c, "n"), 500);
    apply(&mut c, Change::NodeGone("n".into(), Uid::new("node n")));
    assert_eq!(*c.row_of_node("n").unwrap().state(), RowState::Ready, "the delete of the first one came late");
}

#[test]
fn header_counts_only_pods_of_shown_nodes() {
    let mut c = cluster([node("n").added(), pod("p", "n").added(), pod("q", "unknown").added()]);
    let view = shown(&mut c, GroupBy::Nothing);
    assert_eq!((view.totals().requests.pods, view.totals().pods.bound, view.len()), (1, 1, 1));
    let mut none = View::new(Filter::parse("-n").unwrap(), Sort::default(), GroupBy::Nothing);
    none.refresh(&mut c);
    assert_eq!((none.totals().requests.pods, none.len(), none.of()), (0, 0, 1));
}

#[test]
fn completed_pods_do_not_count() {
    let ended = Pod { phase: PodPhase::Succeeded, ..pod("p", "n") };
    let failed = Pod { phase: PodPhase::Failed, ..pod("q", "n") };
    let c = cluster([node("n").added(), pod("p", "n").added(), ended.added(), failed.added()]);
    assert_eq!((cpu_of(&c, "n"), c.pod_counts().total()), (0, 0));
}

#[test]
fn unknown_phase_still_holds_its_node() {
    let c = cluster([node("n").added(), Pod { phase: PodPhase::Unknown, ..pod("p", "n") }.added()]);
    let pods = c.pod_counts();
    assert_eq!((cpu_of(&c, "n"), pods.bound, pods.unknown, pods.running, pods.total()), (500, 1, 1, 0, 1));
}

#[test]
fn cluster_percent_is_weighted() {
    let mut big = node("big");
    big.allocatable.cpu_millicores = 36_000;
    let mut c = cluster(
        [node("small").added(), big.added()].into_iter().chain((0..8).map(|i| pod(&format!("p{i}"), "small").added())),
    );
    assert_eq!(c.row_of_node("small").unwrap().requested_permille(&Resource::Cpu), Some(1000));
    // The mean of 100 % and 0 % would be half.
    assert_eq!(shown(&mut c, GroupBy::Nothing).totals().requested_permille(&Resource::Cpu), Some(100));
}

#[test]
fn pod_key_is_a_pair() {
    let of = |namespace, name| Pod { key: PodKey::new(namespace, name), uid: Uid::default(), ..pod("", "n") }.added();
    let mut c = cluster([node("n").added(), of("a-b", "c"), of("a", "b-c")]);
    assert_eq!((cpu_of(&c, "n"), c.pod_counts().bound), (1000, 2));
    apply(&mut c, Change::PodGone(PodKey::new("a", "b-c"), Uid::default()));
    let row = c.row_of_node("n").unwrap();
    assert_eq!(c.pods_of(row).map(|p| p.namespace).collect::<Vec<_>>(), ["a-b"]);
}

#[test]
fn zero_usage_is_zero() {
    let zero = Usage { cpu_millicores: 0, memory_bytes: 0, at: at(1), window_seconds: 15 };
    let mut c = cluster([node("a").added(), node("b").added(), Change::NodeUsage(vec![("a".into(), zero)])]);
    assert_eq!(c.row_of_node("a").unwrap().usage(), Some(&zero));
    assert_eq!(c.row_of_node("b").unwrap().usage(), None, "not measured is not zero");
    let view = shown(&mut c, GroupBy::Nothing);
    assert_eq!((view.totals().used(&Resource::Cpu), view.totals().measured), (Some(0), 1));
    apply(&mut c, Change::NodeUsage(Vec::new()));
    assert_eq!(shown(&mut c, GroupBy::Nothing).totals().used(&Resource::Cpu), None);
}

/// Nodes and metrics come from two requests, in any order.
#[test]
fn usage_that_is_read_before_its_node_is_kept() {
    let usage = Usage { cpu_millicores: 250, ..Usage::default() };
    let read = Change::NodeUsage(vec![("a".into(), usage)]);
    let used = |c: &Cluster| c.row_of_node("a").unwrap().usage().copied();
    assert_eq!(used(&cluster([read.clone(), node("a").added()])), Some(usage));
    assert_eq!(used(&cluster([read.clone(), pod("p", "a").added(), node("a").added()])), Some(usage));
    let newer = [read, Change::NodeUsage(Vec::new()), node("a").added()];
    assert_eq!(used(&cluster(newer)), None, "the newest reading does not have it");
}

/// A Fargate node whose pod has no `CapacityProvisioned` yet: what it offers is not known, and its use is a share of nothing.
#[test]
fn usage_of_a_node_that_offers_nothing_known_is_in_no_share() {
    let mut fargate = node("fargate-ip-10-0-0-3");
    fargate.labels = [(key::COMPUTE_TYPE, "fargate")].into_iter().collect();
    let used = |cpu_millicores| Usage { cpu_millicores, at: at(1), window_seconds: 15, ..Usage::default() };
    let usage = [("a", 1000), ("fargate-ip-10-0-0-3", 700)].map(|(name, cpu)| (name.into(), used(cpu)));
    let mut c = cluster([node("a").added(), fargate.added(), Change::NodeUsage(usage.to_vec())]);
    assert!(c.row_of_node("fargate-ip-10-0-0-3").unwrap().allocatable().is_none());
    let view = shown(&mut c, GroupBy::Nothing);
    let totals = view.totals();
    assert_eq!((totals.measured, totals.unmeasured, totals.used(&Resource::Cpu)), (1, 1, Some(1000)));
    assert_eq!(totals.used_permille(&Resource::Cpu), Some(250));
}

#[test]
fn node_without_provider_id_is_shown() {
    let mut c = cluster(
        [Node { provider_id: "".into(), ..node("a") }, Node { provider_id: "".into(), ..node("b") }].map(Added::added),
    );
    assert_eq!(shown(&mut c, GroupBy::Nothing).totals().nodes, 2);
}

#[test]
fn equal_provider_ids_are_two_rows() {
    let same = |name: &str| Node { provider_id: "aws:///z/i-1".into(), ..node(name) }.added();
    let claim = NodeClaim { provider_id: "aws:///z/i-1".into(), node_name: "".into(), ..claim("c", "") };
    let mut c = cluster([same("a"), same("b"), pod("p", "a").added(), claim.added()]);
    let view = shown(&mut c, GroupBy::Nothing);
    assert_eq!((view.totals().nodes, view.len()), (2, 3), "which node the claim belongs to is not known");
    assert_eq!((cpu_of(&c, "a"), cpu_of(&c, "b")), (500, 0));
    apply(&mut c, node_gone("b"));
    assert_eq!(c.row_of_claim("c").map(Row::name), Some("a"));
}

#[test]
fn claim_delete_keeps_live_node() {
    let mut c = cluster([node("n").added(), claim("c", "n").added(), pod("p", "n").added()]);
    apply(&mut c, Change::ClaimGone("c".into(), Uid::default()));
    let row = c.row_of_node("n").unwrap();
    assert_eq!((row.state(), row.claim(), row.sums().requests.pods), (&RowState::Ready, None, 1));
}

#[test]
fn finalising_claim_is_not_a_new_node() {
    let ending = NodeClaim { deleted: Some(at(5)), ..claim("c", "n") };
    let mut c = cluster([node("n").added(), claim("c", "n").added()]);
    let mut view = shown(&mut c, GroupBy::Nothing);
    apply(&mut c, ending.added());
    apply(&mut c, node_gone("n"));
    view.refresh(&mut c);
    let row = c.row_of_claim("c").unwrap();
    assert_eq!((row.state(), row.name(), row.appeared()), (&RowState::Terminating, "n", None));
    assert_eq!((view.len(), view.totals().nodes, view.totals().launching, view.totals().leaving), (1, 0, 0, 1));
}

#[test]
fn claim_is_shown_before_launch() {
    let mut c = cluster([fresh_claim("c").added()]);
    let view = shown(&mut c, GroupBy::Nothing);
    let row = c.row_of_claim("c").unwrap();
    assert_eq!((row.name(), row.state()), ("c", &RowState::PendingClaim { failing: "".into() }));
    assert_eq!((view.len(), view.totals().launching, view.totals().nodes), (1, 1, 0));
}

#[test]
fn claim_and_node_order_does_not_matter() {
    for changes in [[node("n").added(), claim("c", "n").added()], [claim("c", "n").added(), node("n").added()]] {
        let mut c = cluster(changes);
        let row = c.row_of_node("n").unwrap();
        assert_eq!((row.claim().map(|c| c.name.as_str()), row.state()), (Some("c"), &RowState::Ready));
        assert_eq!((c.rows().count(), shown(&mut c, GroupBy::Nothing).len()), (1, 1));
    }
}

#[test]
fn a_row_that_was_a_claim_is_found_as_its_node() {
    let launched = NodeClaim { node_name: "".into(), ..claim("c", "n") };
    let mut c = cluster([fresh_claim("c").added()]);
    let id = c.row_of_claim("c").unwrap().id();
    apply(&mut c, launched.added());
    apply(&mut c, node("n").added());
    assert_eq!(c.row(id).map(Row::name), Some("n"), "the cursor stays on the machine");
    for change in [node_gone("n"), Change::ClaimGone("c".into(), Uid::default())] {
        apply(&mut c, change);
    }
    c.tick(at(LATER));
    assert_eq!((c.row(id).is_none(), c.resolve(id)), (true, id), "and nothing of it is kept once it went");
}

#[test]
fn usage_of_pods_is_unknown_once_it_is_not_read_any_more() {
    let usage = Usage { cpu_millicores: 5, ..Usage::default() };
    let read = Change::PodUsage(vec![(PodKey::new("default", "p"), usage)]);
    let live = Change::Link(Stream::PodMetrics, LinkState::Live);
    let mut c = cluster([node("n").added(), pod("p", "n").added(), live, read]);
    let usage_of_pod = |c: &Cluster| c.pods_of(c.row_of_node("n").unwrap()).next().unwrap().usage;
    assert_eq!(usage_of_pod(&c), Some(usage));
    apply(&mut c, Change::Link(Stream::PodMetrics, LinkState::Off));
    assert_eq!(usage_of_pod(&c), None);
}

#[test]
fn objects_of_a_kind_that_is_not_served_any_more_are_gone() {
    let mut c =
        cluster([fresh_claim("c").added(), claim("d", "n").added(), node("n").added(), pool("general").added()]);
    for stream in [Stream::NodeClaims, Stream::NodePools] {
        apply(&mut c, Change::Link(stream, LinkState::Absent));
    }
    c.tick(at(LATER));
    assert_eq!((c.row_of_claim("c").is_none(), c.row_of_claim("d").is_none(), c.pools().count()), (true, true, 0));
    assert_eq!(c.row_of_node("n").unwrap().state(), &RowState::Ready);
}

#[test]
fn names_known_from_pods_leave_the_screen_once_nodes_are_read() {
    let mut c =
        cluster([Change::Link(Stream::Nodes, LinkState::Denied { message: "no".into() }), pod("p", "n").added()]);
    let mut view = shown(&mut c, GroupBy::Nothing);
    assert_eq!((view.len(), view.totals().requests.cpu_millicores), (1, 500));
    for change in list(Stream::Nodes, []) {
        apply(&mut c, change);
    }
    view.refresh(&mut c);
    assert_eq!((view.len(), view.totals().requests.cpu_millicores), (0, 0));
}

#[test]
fn total_reports_unpriced_nodes() {
    let mut c = priced();
    let labels = [("node.kubernetes.io/instance-type", "c5a.no-such-size")].into_iter().collect();
    for change in [node("priced").added(), Node { labels, ..node("unpriced") }.added()] {
        apply(&mut c, change);
    }
    let view = shown(&mut c, GroupBy::Nothing);
    let price = &view.totals().price;
    assert_eq!((price.priced(), price.unpriced, price.is_unknown()), (1, 1, false));
    assert_eq!(price.unknown, BTreeMap::from([(Unknown::Type, 1)]), "and why");
    assert_eq!(Some(price.hourly()), c.row_of_node("priced").unwrap().quote().and_then(Quote::hourly));
    apply(&mut c, node_gone("priced"));
    assert!(shown(&mut c, GroupBy::Nothing).totals().price.is_unknown(), "unknown is not 0");
}

/// A c5a.xlarge in Seoul with other labels.
fn labelled(name: &str, labels: &[(&'static str, &'static str)]) -> Change {
    let mut node = node(name);
    let replaced = |key: &str| labels.iter().any(|(k, _)| *k == key);
    let kept: Vec<(String, String)> =
        node.labels.iter().filter(|(k, _)| !replaced(k)).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let kept = kept.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    node.labels = kept.chain(labels.iter().copied()).collect();
    node.added()
}

const SPOT: (&str, &str) = ("karpenter.sh/capacity-type", "spot");

#[test]
fn spot_saves_is_told_with_those_left_out() {
    let mut c = priced();
    apply(&mut c, labelled("a", &[SPOT]));
    apply(&mut c, labelled("b", &[SPOT, ("node.kubernetes.io/instance-type", "m5.xlarge")]));
    apply(&mut c, labelled("c", &[]));
    let price = |c: &mut Cluster| shown(c, GroupBy::Nothing).totals().price.clone();
    let before = price(&mut c);
    assert_eq!((before.spot_saves(), before.spot_left_out, before.unpriced), (None, 2, 2), "unknown is not 0");
    c.learn([PriceNews::Sheet(spot_prices(&["c5a.xlarge"], 6))]);
    let after = price(&mut c);
    let list = c.row_of_node("c").unwrap().quote().and_then(Quote::hourly).unwrap();
    assert_eq!(after.spot_saves(), Some(list - Money::from_nanos(60_000_000)));
    assert_eq!((after.spot_compared, after.spot_left_out, after.unpriced), (1, 1, 1));
    assert_eq!(after.unknown, BTreeMap::from([(Unknown::Spot, 1)]));
    assert_eq!((before.oldest(), before.worst_source()), (after.oldest(), PriceSource::Embedded));
    // Of the spot node alone the price is live.
    apply(&mut c, node_gone("c"));
    apply(&mut c, node_gone("b"));
    let live = price(&mut c);
    assert_eq!(live.worst_source(), PriceSource::SpotHistory);
    assert_eq!(live.oldest(), AsOf::Fetched { at: at(50), cached: false });
}

#[test]
fn totals_of_fargate_stand_apart() {
    let mut c = priced();
    apply(&mut c, labelled("machine", &[(key::INSTANCE_PRICE, "0.5")]));
    let fargate = [(key::COMPUTE_TYPE, "fargate"), (key::INSTANCE_PRICE, "0.0123")];
    apply(&mut c, labelled("fargate-ip-10-0-0-3", &fargate));
    let view = shown(&mut c, GroupBy::Nothing);
    let price = &view.totals().price;
    let parts = [price.instances(), price.fees(), price.fargate(), price.hourly()].map(|money| money.decimal(4));
    assert_eq!(parts, ["0.5000", "0.0000", "0.0123", "0.5123"]);
}

#[test]
fn waste_of_what_is_not_priced_is_left_out_and_counted() {
    let mut c = priced();
    let price = |text| (key::INSTANCE_PRICE, text);
    let mut half = pod("half", "half");
    half.requests = Resources::new(2000, 2 << 30);
    for change in [labelled("half", &[price("0.4")]), labelled("idle", &[price("0.1")]), labelled("spot", &[SPOT])] {
        apply(&mut c, change);
    }
    apply(&mut c, half.added());
    let view = shown(&mut c, GroupBy::Nothing);
    let price = &view.totals().price;
    assert_eq!(price.unrequested().decimal(4), "0.3000", "half of 0.4 and all of 0.1");
    assert_eq!((price.waste_left_out, price.unused()), (1, None));
    let order = sorted(&mut c, Column::Waste, Direction::Descending);
    assert_eq!(order, ["half", "idle", "spot"], "what has no value comes last");
}

#[test]
fn age_sorts_by_time_not_text() {
    let aged = |name: &str, seconds: i64| Node { created: at(1_000_000 - seconds), ..node(name) }.added();
    let mut c = cluster([aged("3d4h", 273_600), aged("45m", 2_700), aged("12d", 1_036_800), aged("9s", 9)]);
    assert_eq!(sorted(&mut c, Column::Age, Direction::Ascending), ["9s", "45m", "3d4h", "12d"]);
}

fn fargate(name: &str) -> Node {
    Node { labels: [(key::COMPUTE_TYPE, "fargate")].into_iter().collect(), ..node(name) }
}

#[test]
fn a_fargate_node_offers_what_its_pod_was_given() {
    let given = |size: &str| Pod { capacity_provisioned: size.into(), ..pod("p", "fargate-ip-10-0-0-3") };
    let mut c = cluster([fargate("fargate-ip-10-0-0-3").added(), given("").added()]);
    let offered = |c: &Cluster| c.row_of_node("fargate-ip-10-0-0-3").unwrap().allocatable().cloned();
    assert_eq!(offered(&c), None, "the machine behind it is larger and is not the pod's");
    apply(&mut c, given("0.25vCPU 0.5GB").added());
    assert_eq!(offered(&c), Some(Resources { pods: 1, ..Resources::new(250, 512 << 20) }));
    apply(&mut c, given("1vCPU 2GB").added());
    assert_eq!(offered(&c), Some(Resources { pods: 1, ..Resources::new(1000, 2 << 30) }));
    assert_eq!(shown(&mut c, GroupBy::Nothing).totals().allocatable, offered(&c).unwrap());
    apply(&mut c, pod_gone("p"));
    assert_eq!(offered(&c), None);
}

#[test]
fn odd_fargate_annotation_is_unknown() {
    for odd in ["", "0.25vCPU", "0.25vCPU 0.5GB 1GB", "vCPU GB", "-1vCPU 0.5GB", "1e9vCPU 1GB", "0.5GB 0.25vCPU", "é"]
    {
        let p = Pod { capacity_provisioned: odd.into(), ..pod("p", "f") };
        let c = cluster([fargate("f").added(), p.added()]);
        assert_eq!(c.row_of_node("f").unwrap().allocatable(), None, "{odd}");
    }
}

#[test]
fn a_node_that_is_not_initialized_is_completed_from_its_claim() {
    let gpu = Resource::from_name("nvidia.com/gpu");
    let mut promised = Resources { pods: 110, ..Resources::new(9000, 64 << 30) };
    promised.set(&gpu, 4);
    let starting = || NodeClaim {
        allocatable: promised.clone(),
        conditions: vec![condition("Registered", ConditionStatus::True, "")],
        ..claim("c", "n")
    };
    let mut c = cluster([node("n").added(), starting().added()]);
    let offered = |c: &Cluster, resource: &Resource| c.row_of_node("n").unwrap().allocatable().unwrap().get(resource);
    assert_eq!(offered(&c, &gpu), 4, "zero until its device plugin registers");
    assert_eq!((offered(&c, &Resource::Cpu), offered(&c, &Resource::Pods)), (4000, 58), "what the node says holds");
    apply(&mut c, NodeClaim { allocatable: promised.clone(), ..claim("c", "n") }.added());
    assert_eq!(offered(&c, &gpu), 0, "an initialized node speaks for itself");
}

#[test]
fn amounts_beyond_any_machine_leave_no_trace() {
    let mut all = Resources { pods: u64::MAX, ephemeral_storage_bytes: u64::MAX, ..Resources::new(u64::MAX, u64::MAX) };
    all.set(&Resource::from_name("nvidia.com/gpu"), u64::MAX);
    let greedy = |name: &str, node: &str| Pod { requests: all.clone(), limits: all.clone(), ..pod(name, node) }.added();
    let dear = |name: &str| {
        let labels = [(key::INSTANCE_PRICE, "9000000000")].into_iter().collect();
        Node { labels, allocatable: all.clone(), ..node(name) }.added()
    };
    let usage = Usage { cpu_millicores: u64::MAX, memory_bytes: u64::MAX, ..Usage::default() };
    let plain = || [node("n").added(), pod("p", "n").added(), pod("q", "").added()];

    let mut c = priced();
    let mut view = everything();
    let hostile =
        ["x", "y"].into_iter().flat_map(|name| [dear(name), greedy(name, "n"), greedy(&format!("{name}2"), "")]);
    let read = Change::NodeUsage(vec![("x".into(), usage), ("y".into(), usage)]);
    for change in plain().into_iter().chain(hostile).chain([read]) {
        apply(&mut c, change);
        view.refresh(&mut c);
    }
    assert!(view.totals().used(&Resource::Cpu) > Some(0));
    for change in ["x", "y"].into_iter().flat_map(|n| [node_gone(n), pod_gone(n), pod_gone(&format!("{n}2"))]) {
        apply(&mut c, change);
        view.refresh(&mut c);
    }
    let mut fresh = priced();
    for change in plain() {
        apply(&mut fresh, change);
    }
    assert_eq!(view.totals(), shown(&mut fresh, GroupBy::Nothing).totals());
    assert_eq!(pending_requests(&c), pending_requests(&fresh));
    assert_eq!(c.row_of_node("n").unwrap().sums(), fresh.row_of_node("n").unwrap().sums());
}

#[test]
fn sort_arrow_means_what_it_says() {
    let aged = |name: &str, seconds: i64| Node { created: at(1_000 - seconds), ..node(name) }.added();
    let mut c = cluster([aged("old", 500), aged("young", 5)]);
    assert_eq!(sorted(&mut c, Column::Age, Direction::Ascending), ["young", "old"], "ascending is youngest first");
    assert_eq!(sorted(&mut c, Column::Age, Direction::Descending), ["old", "young"]);
    assert_eq!(Sort::default(), Sort { column: Column::Age, direction: Direction::Ascending });
}

#[test]
fn equal_keys_keep_a_fixed_order() {
    let names = ["n10", "n2", "n1", "n33"];
    for turn in 0..names.len() {
        let mut turned = names;
        turned.rotate_left(turn);
        let mut c = cluster(turned.map(|name| node(name).added()));
        for direction in [Direction::Ascending, Direction::Descending] {
            assert_eq!(sorted(&mut c, Column::Zone, direction), ["n1", "n2", "n10", "n33"]);
        }
    }
}

fn list(stream: Stream, objects: impl IntoIterator<Item = Change>) -> Vec<Change> {
    let all = std::iter::once(Change::Resync(stream)).chain(objects);
    all.chain(std::iter::once(Change::Synced(stream))).collect()
}

#[test]
fn resync_equals_fresh_start() {
    let now = || {
        let nodes = list(Stream::Nodes, [node("b").added()]);
        [nodes, list(Stream::Pods, [pod("q", "b").added(), pod("r", "").added()])].concat()
    };
    let before = [node("a").added(), node("b").added(), pod("p", "a").added(), pod("q", "a").added()];
    let mut old = cluster(before.into_iter().chain(now()));
    old.tick(at(LATER));
    let mut fresh = cluster(now());
    let (mut view, mut other) = (everything(), everything());
    assert_eq!(seen(&mut old, &mut view), seen(&mut fresh, &mut other));
    assert_eq!(view.totals(), other.totals());
    assert_eq!(old.rows().count(), 1, "nothing is left of what went unseen");
}

#[test]
fn resync_keeps_rows_until_done() {
    let mut c = cluster([node("a").added(), node("b").added(), Change::Resync(Stream::Nodes), node("a").added()]);
    assert_eq!(shown(&mut c, GroupBy::Nothing).totals().nodes, 2);
    apply(&mut c, Change::Synced(Stream::Nodes));
    assert_eq!(shown(&mut c, GroupBy::Nothing).totals().nodes, 1);
}

#[test]
fn stored_events_hold_no_escape_codes() {
    // What is drawn in colour is stored as a kind and as words.
    let words = "Spot interruption warning was triggered";
    let mut c = cluster([node("n").added(), event("Node", "n", "SpotInterrupted", words, 1).added()]);
    let every = EventQuery::default();
    let line = c.events().lines(&every).next().unwrap();
    assert_eq!((line.kind, line.reason, line.message), (EventKind::Warning, "SpotInterrupted", words));
    assert!([line.reason, line.message, line.component, &line.object.name].iter().all(|t| !t.contains('\u{1b}')));
    apply(&mut c, Node { deleted: Some(at(2)), ..node("n") }.added());
    let leaving = c.row_of_node("n").unwrap().leaving().unwrap();
    assert_eq!((leaving.reason.as_str(), leaving.message.as_str()), ("SpotInterrupted", words));
}

#[test]
fn only_pods_without_a_node_ask_for_another_look_at_why_pods_wait() {
    let mut c = cluster([node("n").added(), pod("bound", "n").added(), pod("pending", "").added()]);
    assert!(!c.apply(pod_gone("bound"), at(9)).has(ChangedParts::PENDING));
    assert!(c.apply(pod_gone("pending"), at(9)).has(ChangedParts::PENDING));
}

#[test]
fn what_is_not_known_of_pods_matches_no_term() {
    let denied = Change::Link(Stream::Pods, LinkState::Denied { message: "no".into() });
    let mut c = cluster([denied, node("n").added()]);
    let mut found = |filter: &str| {
        let mut view = View::new(filter.parse::<Filter>().unwrap(), Sort::default(), GroupBy::Nothing);
        view.refresh(&mut c);
        view.len()
    };
    assert_eq!(["cpu<50", "memory<50", "pods<5", "-pods<5"].map(&mut found), [0, 0, 0, 1]);
}

#[test]
fn pod_change_cost_ignores_node_count() {
    for nodes in [1, 500] {
        let mut c = cluster((0..nodes).map(|i| node(&format!("n{i}")).added()));
        let mut view = shown(&mut c, GroupBy::Pool);
        assert_eq!(c.take_changed(), []);
        apply(&mut c, pod("p", "n0").added());
        assert_eq!(c.take_changed(), [c.row_of_node("n0").unwrap().id()], "one row of {nodes} is looked at");
        view.refresh(&mut c);
        apply(&mut c, pod("pending", "").added());
        assert_eq!(c.take_changed(), [], "a pod without a node touches no row");
    }
}

#[test]
fn resident_bytes_per_pod_stay_small() {
    const PODS: usize = 20_000;
    // What a cluster has: twenty pods of a ReplicaSet, thirty on a node, names of forty characters.
    let changes = || {
        (0..PODS).map(|i| {
            let mut pod = pod("", &format!("ip-10-0-{}.ap-northeast-2.compute.internal", i / 30));
            pod.key = PodKey::new("production", &format!("checkout-service-{:05}-7d9c6b8f5d-{i:05}", i / 20));
            pod.uid = Uid::new(&format!("{i:032x}"));
            let name = format!("checkout-service-{:05}-7d9c6b8f5d", i / 20);
            pod.owner = Some(Owner { kind: "ReplicaSet".into(), name: name.into() });
            pod.added()
        })
    };
    let (bytes, c) = bytes_held(|| {
        let mut c = Cluster::new(None);
        for change in changes() {
            apply(&mut c, change);
        }
        c
    });
    let bytes = bytes / PODS as u64;
    assert!((50..=300).contains(&bytes), "{bytes} bytes a pod");
    assert_eq!(c.pod_counts().bound, PODS as u64);
}

/// Node, its provider id; claim, its provider id, the node name it was registered under; then the claim of each node.
type JoinCase<'a> = (&'a [(&'a str, &'a str)], &'a [(&'a str, &'a str, &'a str)], &'a [(&'a str, Option<&'a str>)]);

/// kubernetes-sigs/karpenter issue 2808 (`status.nodeName` of an older node) and its neighbours; Karpenter joins by provider
/// id alone (`pkg/utils/nodeclaim/nodeclaim.go`).
#[test]
fn provider_ids_decide_which_claim_a_node_has() {
    let cases: &[JoinCase<'_>] = &[
        (&[("n1", "i-1"), ("n2", "i-2")], &[("c", "i-2", "n1")], &[("n1", None), ("n2", Some("c"))]),
        (
            &[("n1", "i-1"), ("n2", "i-2")],
            &[("c1", "i-1", "n1"), ("c2", "i-2", "n1")],
            &[("n1", Some("c1")), ("n2", Some("c2"))],
        ),
        (&[("n1", "i-1")], &[("c", "i-2", "n1")], &[("n1", None)]),
        (
            &[("n1", "i-1"), ("n2", "i-2")],
            &[("c1", "i-2", "n1"), ("c2", "i-1", "n2")],
            &[("n1", Some("c2")), ("n2", Some("c1"))],
        ),
        (&[("n2", "i-2")], &[("c", "i-2", "gone")], &[("n2", Some("c"))]),
        (&[("n1", "")], &[("c", "i-1", "n1")], &[("n1", Some("c"))]),
        (&[("n1", "i-1")], &[("c", "", "n1")], &[("n1", Some("c"))]),
        (&[("n1", "i-1"), ("n2", "i-1")], &[("c", "i-1", "n1")], &[("n1", None), ("n2", None)]),
    ];
    for (nodes, claims, joined) in cases {
        let nodes = nodes.iter().map(|(name, id)| Node { provider_id: (*id).into(), ..node(name) }.added());
        let claims: Vec<_> = claims
            .iter()
            .map(|(name, id, node)| NodeClaim { provider_id: (*id).into(), ..claim(name, node) }.added())
            .collect();
        let nodes: Vec<_> = nodes.collect();
        for changes in [[nodes.clone(), claims.clone()].concat(), [claims, nodes].concat()] {
            let c = cluster(changes);
            for (node, expected) in *joined {
                let claim = c.row_of_node(node).and_then(Row::claim).map(|claim| claim.name.as_str());
                assert_eq!(claim, *expected, "{node} of {joined:?}");
            }
        }
    }
}

#[test]
fn a_registered_claim_without_its_node_is_not_launching() {
    let other = Node { provider_id: "i-1".into(), ..node("n1") };
    let c = cluster([other.added(), NodeClaim { provider_id: "i-2".into(), ..claim("c", "n1") }.added()]);
    assert_eq!(c.row_of_claim("c").unwrap().state(), &RowState::NodeMissing);
    assert_eq!(c.row_of_node("n1").unwrap().state(), &RowState::Ready);
}

/// kubernetes/kubernetes issue 141365: the uid is the machine's, the name may be used again.
#[test]
fn a_node_name_that_is_used_again_is_a_new_machine() {
    let first = Node { uid: Uid::new("old"), provider_id: "i-a".into(), ..node("n1") };
    let second = Node { uid: Uid::new("new"), provider_id: "i-b".into(), created: at(60), ..node("n1") };
    for seen_going in [true, false] {
        let mut c = cluster([Change::Synced(Stream::Nodes), first.clone().added(), pod("p", "n1").added()]);
        if seen_going {
            apply(&mut c, Change::NodeGone("n1".into(), Uid::new("old")));
        }
        c.apply(second.clone().added(), at(61));
        let row = c.row_of_node("n1").unwrap();
        assert_eq!((row.gone(), row.appeared(), row.created()), (None, Some(at(61)), at(60)));
        assert_eq!((c.rows().count(), row.sums().pods.bound, row.leaving().is_none()), (1, 1, true));
    }
}

fn leaving_reason(c: &Cluster, claim: &str) -> String {
    c.row_of_claim(claim).and_then(Row::leaving).map(|leaving| leaving.reason.to_string()).unwrap_or_default()
}

#[test]
fn a_claim_goes_with_its_nodepool() {
    let going = || NodeClaim { deleted: Some(at(50)), ..claim("c", "n") };
    let mut c = cluster([pool("general").added(), Change::Synced(Stream::NodePools), node("n").added()]);
    for change in [claim("c", "n").added(), Change::PoolGone("general".into(), Uid::default()), going().added()] {
        apply(&mut c, change);
    }
    assert_eq!(leaving_reason(&c, "c"), "NodePoolDeleted");
    // Claims may be listed before the pools are.
    let mut late = cluster([going().added()]);
    assert_eq!(leaving_reason(&late, "c"), "Deleted");
    apply(&mut late, Change::Synced(Stream::NodePools));
    assert_eq!(leaving_reason(&late, "c"), "NodePoolDeleted");
    let stands = cluster([pool("general").added(), Change::Synced(Stream::NodePools), going().added()]);
    assert_eq!(leaving_reason(&stands, "c"), "Deleted", "by hand");
}

#[test]
fn a_nodepool_that_is_still_coming_in_is_not_deleted() {
    let going = || NodeClaim { deleted: Some(at(50)), ..claim("c", "n") }.added();
    let coming_in = || Change::Link(Stream::NodePools, LinkState::Syncing { seen: 0 });
    let mut c = cluster([coming_in(), node("n").added(), going()]);
    assert_eq!(leaving_reason(&c, "c"), "Deleted");
    for change in [pool("general").added(), Change::Synced(Stream::NodePools)] {
        apply(&mut c, change);
    }
    assert_eq!(leaving_reason(&c, "c"), "Deleted", "by hand");
    let mut c = cluster([coming_in(), node("n").added(), going()]);
    apply(&mut c, Change::Synced(Stream::NodePools));
    assert_eq!(leaving_reason(&c, "c"), "NodePoolDeleted");
}

/// Claims and nodepools are watched apart: the claims' deletion may be seen first.
#[test]
fn a_nodepool_whose_change_is_seen_late_explains_its_claims() {
    let going = || NodeClaim { deleted: Some(at(50)), ..claim("c", "n") }.added();
    let before = || cluster([pool("general").added(), Change::Synced(Stream::NodePools), node("n").added(), going()]);
    let deleted = |second| NodePool { deleted: Some(at(second)), ..pool("general") }.added();
    let gone = || Change::PoolGone("general".into(), Uid::default());
    let reason = |changes: Vec<Change>, second| {
        let mut c = before();
        for change in changes {
            c.apply(change, at(second));
        }
        leaving_reason(&c, "c")
    };
    assert_eq!(reason(vec![deleted(50)], 300), "NodePoolDeleted");
    assert_eq!(reason(vec![deleted(49), gone()], 300), "NodePoolDeleted");
    assert_eq!(reason(vec![deleted(60), gone()], 61), "Deleted", "by hand, before its nodepool");
    assert_eq!(reason(vec![gone()], 51), "NodePoolDeleted", "deleted in the background");
    assert_eq!(reason(vec![gone()], 300), "Deleted", "by hand, long before its nodepool");
}

#[test]
fn a_static_nodepool_whose_replicas_or_claims_are_seen_late_explains_its_claims() {
    let pool = |replicas| NodePool { replicas: Some(replicas), ..pool("general") }.added();
    let going = || NodeClaim { deleted: Some(at(50)), ..claim("a", "na") }.added();
    let all = || [going(), claim("b", "nb").added()];
    let reason = |replicas, second| {
        let mut c = cluster([pool(2), Change::Synced(Stream::NodePools)].into_iter().chain(all()));
        c.apply(pool(replicas), at(second));
        leaving_reason(&c, "a")
    };
    assert_eq!((reason(1, 51).as_str(), reason(1, 300).as_str()), ("ScaledIn", "Deleted"));
    let mut c = cluster([pool(1), Change::Synced(Stream::NodePools)].into_iter().chain(all()));
    assert_eq!(leaving_reason(&c, "a"), "Deleted", "one claim of one");
    apply(&mut c, Change::Synced(Stream::NodeClaims));
    assert_eq!(leaving_reason(&c, "a"), "ScaledIn");
}

/// Karpenter `pkg/controllers/static/deprovisioning`: claims beyond `spec.replicas` are deleted.
#[test]
fn a_static_nodepool_that_has_more_claims_than_replicas_is_scaled_in() {
    let pool = |replicas| NodePool { replicas: Some(replicas), ..pool("general") }.added();
    let going = |name: &str, node| NodeClaim { deleted: Some(at(50)), ..claim(name, node) }.added();
    let three = || ["a", "b", "c"].map(|name| claim(name, &format!("n{name}")).added());
    let mut c = cluster([pool(3), Change::Synced(Stream::NodePools)].into_iter().chain(three()));
    apply(&mut c, going("a", "na"));
    assert_eq!(leaving_reason(&c, "a"), "Deleted", "by hand: its replacement is younger");
    let mut c = cluster([pool(3), Change::Synced(Stream::NodePools)].into_iter().chain(three()));
    for change in [pool(1), going("a", "na"), going("b", "nb")] {
        apply(&mut c, change);
    }
    assert_eq!([leaving_reason(&c, "a"), leaving_reason(&c, "b")], ["ScaledIn", "ScaledIn"]);
}

fn flags(c: &Cluster, node: &str, now: i64) -> Vec<&'static str> {
    c.row_of_node(node).unwrap().flags(at(now)).iter().map(Flag::name).collect()
}

#[test]
fn what_is_remarkable_of_a_node_is_a_flag() {
    let drifted = NodeClaim {
        conditions: [claim("c", "n").conditions, vec![condition("Drifted", ConditionStatus::True, "NodePoolDrifted")]]
            .concat(),
        expire_after_seconds: Some(10_000),
        ..claim("c", "n")
    };
    let sick = Node {
        do_not_disrupt: true,
        do_not_repair: true,
        conditions: [node("n").conditions, vec![condition("KernelReady", ConditionStatus::False, "SoftLockup")]]
            .concat(),
        ..node("n")
    };
    let maintained = Node {
        conditions: [node("m").conditions, vec![condition("MaintenanceInProgress", ConditionStatus::True, "")]]
            .concat(),
        ..node("m")
    };
    let c = cluster([sick.added(), drifted.added(), maintained.added()]);
    assert_eq!(flags(&c, "n", 8_000), ["Unhealthy", "Drifted", "DoNotRepair", "DoNotDisrupt"]);
    assert_eq!(flags(&c, "n", 9_100), ["Unhealthy", "Drifted", "Expiring", "DoNotRepair", "DoNotDisrupt"]);
    assert!(flags(&c, "m", 8_000).is_empty(), "maintenance is no fault");
    let filter: Filter = "flag:drifted".parse().unwrap();
    assert!(filter.matches(c.row_of_node("n").unwrap(), &c) && !filter.matches(c.row_of_node("m").unwrap(), &c));
}

/// Karpenter 1.15 `pkg/controllers/state/statenode.go`.
#[test]
fn a_repair_is_vetoed_on_the_claim_until_its_node_is_registered() {
    let vetoed = |registered| NodeClaim {
        do_not_repair: true,
        conditions: vec![condition("Registered", registered, "")],
        ..claim("c", "n")
    };
    let flags = |registered, do_not_repair| {
        let c = cluster([Node { do_not_repair, ..node("n") }.added(), vetoed(registered).added()]);
        flags(&c, "n", 100)
    };
    assert_eq!(flags(ConditionStatus::Unknown, false), ["DoNotRepair"]);
    assert_eq!(flags(ConditionStatus::True, false), [""; 0], "the node's counts");
    assert_eq!(flags(ConditionStatus::True, true), ["DoNotRepair"]);
}

/// Karpenter `pkg/controllers/disruption`: `Unconsolidatable`, sent for busy nodes as well.
#[test]
fn an_empty_node_is_kept_for_a_capacity_buffer() {
    let reported = |node: &str| event("Node", node, "Unconsolidatable", "Node \"n\" has buffer pods", 5).added();
    let c =
        cluster([node("n").added(), node("busy").added(), pod("p", "busy").added(), reported("n"), reported("busy")]);
    assert_eq!(flags(&c, "n", 10), ["KeptForBuffer"]);
    assert!(flags(&c, "busy", 10).is_empty());
    assert!(flags(&c, "n", 5_000).is_empty(), "it was not repeated");
}
