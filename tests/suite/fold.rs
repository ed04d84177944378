//! The state: whatever happens in whatever order, what is kept by difference equals what a rebuild from the objects
//! says.

use crate::support::build::*;
use nodeglass::cluster::{Cluster, PodState, Row, RowState};
use nodeglass::insight::{Filter, GroupBy, PendingByCause, Sort, View, alerts};
use nodeglass::model::{
    Change, Name, Node, NodeClaim, Pod, PodClass, PodKey, PodPhase, Resources, Stream, Uid, Usage, key,
};
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

fn may_be(known: Uid, told: Uid) -> bool {
    known == told || known.is_none() || told.is_none()
}

impl Objects {
    fn after(changes: &[Change]) -> Self {
        let mut all = Self::default();
        changes.iter().for_each(|change| all.apply(change));
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

    /// The node name a claim belongs to, by Karpenter's rule.
    fn wants(&self, claim: &NodeClaim) -> Option<Name> {
        if !claim.node_name.is_empty() {
            return Some(claim.node_name.clone());
        }
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
        only(&|n| n.owner_claim == Some(claim.uid)).1
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

/// What somebody sees, without ids and moments.
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
    picture.pending_requests = cluster.pending_requests().clone();
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

/// Long after, when no tombstone is left.
const LATER: i64 = 1_000_000;

// === arbitrary histories over few names, so that they meet ===

fn a_node() -> impl Strategy<Value = Change> {
    (0..3_u8, 0..2_u8, 0..4_u8, 0..4_u8, 0..3_u8, any::<bool>()).prop_map(|(name, uid, provider, owner, pool, ends)| {
        let mut node = node(&format!("n{name}"));
        node.uid = Uid::new(&format!("n{name}.{uid}"));
        node.provider_id = if provider == 3 { "".into() } else { format!("aws:///z/i-{provider}").into() };
        node.owner_claim = (owner < 3).then(|| Uid::new(&format!("c{owner}.0")));
        node.labels =
            if pool == 2 { <_>::default() } else { [(key::NODEPOOL, format!("pool{pool}"))].into_iter().collect() };
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
        let (mut cluster, mut view) = (Cluster::new(None), everything());
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

    #[test]
    fn arrival_order_does_not_change_the_picture(
        (history, shuffled) in a_history().prop_flat_map(|history| {
            let objects = Objects::after(&changes(&history));
            (Just(objects.clone()), Just(objects.changes()).prop_shuffle())
        })
    ) {
        let (mut cluster, mut view) = (Cluster::new(None), everything());
        for change in shuffled {
            cluster.apply(change, at(10));
        }
        prop_assert_eq!(seen(&mut cluster, &mut view), history.picture());
    }

    #[test]
    fn a_list_read_again_equals_a_fresh_start(before in a_history(), after in a_history()) {
        let (mut cluster, mut view) = (Cluster::new(None), everything());
        fold(&mut cluster, &mut view, &before);
        let objects = Objects::after(&changes(&after));
        let streams = [Stream::Pods, Stream::NodeClaims, Stream::Nodes];
        streams.into_iter().for_each(|s| { cluster.apply(Change::Resync(s), at(20_000)); });
        for change in objects.changes() {
            cluster.apply(change, at(20_000));
        }
        streams.into_iter().for_each(|s| { cluster.apply(Change::Synced(s), at(20_000)); });
        cluster.tick(at(LATER));
        prop_assert_eq!(seen(&mut cluster, &mut view), objects.picture());
    }

    #[test]
    fn reading_never_panics(history in a_history()) {
        let (mut cluster, mut view) = (Cluster::new(None), everything());
        let mut pending = PendingByCause::default();
        for (i, (change, _)) in history.iter().enumerate() {
            cluster.apply(change.clone(), at(i as i64));
            view.refresh(&mut cluster);
            pending.refresh(&cluster);
            prop_assert_eq!(pending.total(), cluster.pod_counts().unscheduled);
            let told = alerts(&cluster, at(i as i64));
            prop_assert!(told.iter().all(|a| a.row.is_none_or(|id| cluster.row(id).is_some())));
            for line in view.lines() {
                if let nodeglass::insight::Line::Row(id) = line {
                    prop_assert!(cluster.row(*id).is_some_and(|row| row.id() == *id));
                }
            }
        }
    }
}
