//! The cluster that is played: its pools, machines, workloads and pods, and the verbs that change them.

mod machines;
mod pods;
mod usage;

use super::catalog::{DISK_GIB, InstanceType};
use super::machine::{CapacityType, Machine, Site};
use super::{later, text};
use crate::model::{
    About, Budget, Change, DisruptionBudget, Event, EventKind, LinkState, Name, NodeClass, NodePool, ObjectRef, Owner,
    PodClass, Provisioner, Resources, Stream, Taint, Timestamp, Uid, Volume,
};
use crate::units::age::go_duration;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// A machine of a [`World`]; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachineId(u32);

/// A pod of a [`World`]; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodId(u32);

/// A workload of a [`World`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkloadId(u32);

/// A nodepool as far as the simulation knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolSpec {
    /// Name.
    pub name: Name,
    /// `spec.weight`.
    pub weight: u32,
    /// How its machines are bought.
    pub capacity_type: CapacityType,
    /// `spec.limits.cpu` in millicores.
    pub cpu_limit: Option<u64>,
    /// `spec.disruption.consolidateAfter`, a Go duration.
    pub consolidate_after: Name,
    /// `spec.template.spec.expireAfter`.
    pub expire_after: Name,
    /// `spec.template.spec.terminationGracePeriod`.
    pub grace: Name,
    /// Taints of its nodes; only workloads that name the pool tolerate them.
    pub taints: Vec<Taint>,
    /// How many of its nodes may be disrupted at once: a count or a percentage.
    pub budget: Name,
}

impl PoolSpec {
    /// A pool with the defaults of Auto Mode's own: `expireAfter` 336h, grace 24h, `consolidateAfter` 30s.
    pub fn new(name: &str, capacity_type: CapacityType) -> Self {
        Self {
            name: name.into(),
            weight: 0,
            capacity_type,
            cpu_limit: None,
            consolidate_after: "30s".into(),
            expire_after: "336h".into(),
            grace: "24h".into(),
            taints: Vec::new(),
            budget: "10%".into(),
        }
    }
}

/// What pods of one kind have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkloadSpec {
    /// Namespace.
    pub namespace: Name,
    /// Name of the Deployment, `StatefulSet` or `DaemonSet`.
    pub name: Name,
    /// Class of its pods.
    pub class: PodClass,
    /// What each pod requests.
    pub requests: Resources,
    /// What each pod is limited to.
    pub limits: Resources,
    /// Image of its container, for the kubelet's events.
    pub image: Name,
    /// Nodepools its pods may run on; empty is any without taints.
    pub pools: Vec<Name>,
}

#[derive(Debug)]
struct Workload {
    spec: WorkloadSpec,
    /// Controller named on its pods; a Deployment's is its `ReplicaSet`.
    owner: Option<Owner>,
    pods: BTreeSet<PodId>,
}

/// How far a pod is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PodStage {
    /// No node yet.
    #[default]
    Waiting,
    /// Bound; its containers are being made.
    Starting,
    /// Runs.
    Running,
}

/// A pod of the simulation.
#[derive(Clone, Debug)]
pub struct SimPod {
    /// What it is one of.
    pub workload: WorkloadId,
    /// Name.
    pub name: Name,
    /// Uid.
    pub uid: Uid,
    /// Creation.
    pub created: Timestamp,
    /// How far it is.
    pub stage: PodStage,
    /// Where it is bound.
    pub machine: Option<MachineId>,
    /// The claim that Karpenter made for it.
    pub nominated: Option<MachineId>,
    /// The scheduler's last words; empty before it has tried.
    pub verdict: Name,
    /// When the kubelet took it.
    pub started: Option<Timestamp>,
    /// deletionTimestamp: the end of its grace period.
    pub deleted: Option<Timestamp>,
}

/// What a new claim asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Name of the claim; empty for a random one.
    pub name: Name,
    /// Nodepool.
    pub pool: Name,
    /// `spec.resources.requests`.
    pub requests: Resources,
    /// Instance types it allows.
    pub types: Vec<Name>,
}

#[derive(Debug)]
struct Spoken {
    uid: Uid,
    message: String,
    component: Name,
    first: Timestamp,
    last: Timestamp,
    count: u32,
}

#[derive(Debug)]
struct Pdb {
    workload: WorkloadId,
    uid: Uid,
    min_available_percent: u32,
    last: Option<DisruptionBudget>,
}

/// Letters that Kubernetes makes random names of: no vowels, no look-alikes (apimachinery `util/rand`).
const SAFE_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// Events remembered for repeats; older ones are forgotten first.
const SPOKEN_KEPT: usize = 4096;

/// The cluster that is played. Changes gather until [`Self::take`].
#[derive(Debug)]
pub struct World {
    rng: fastrand::Rng,
    site: Site,
    pools: BTreeMap<Name, (PoolSpec, Uid, Timestamp)>,
    machines: BTreeMap<MachineId, Machine>,
    workloads: Vec<Workload>,
    pods: BTreeMap<PodId, SimPod>,
    waiting: BTreeSet<PodId>,
    pdbs: Vec<Pdb>,
    spoken: FxHashMap<(ObjectRef, Name), Spoken>,
    next: u32,
    out: Vec<Change>,
}

impl World {
    /// An empty cluster of `region`; names and uids follow from `seed`.
    pub fn new(region: &str, version: &str, auto_mode: bool, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let cluster_hash = format!("{:032x}", rng.u128(..));
        let site = Site {
            region: region.into(),
            kubelet: Name::from(format!("v{version}.0-eks-3cfe0ce")),
            auto_mode,
            cluster_hash: cluster_hash.into(),
        };
        Self {
            rng,
            site,
            pools: BTreeMap::new(),
            machines: BTreeMap::new(),
            workloads: Vec::new(),
            pods: BTreeMap::new(),
            waiting: BTreeSet::new(),
            pdbs: Vec::new(),
            spoken: FxHashMap::default(),
            next: 0,
            out: Vec::new(),
        }
    }

    /// What has been said since the last call.
    pub fn take(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.out)
    }

    /// How much waits to be taken.
    pub fn gathered(&self) -> usize {
        self.out.len()
    }

    fn id(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn uid(&mut self) -> Uid {
        // As a version 4 UUID, so that it reads like one.
        let bits = self.rng.u128(..) & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
        Uid::new(&format!("{bits:032x}"))
    }

    fn suffix(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(SAFE_LETTERS[self.rng.usize(..SAFE_LETTERS.len())])).collect()
    }

    /// A new EC2 instance id.
    pub fn instance_id(&mut self) -> Name {
        Name::from(format!("i-0{:016x}", self.rng.u64(..)))
    }

    // --- what is there ---

    /// Region, version and provisioner.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// A nodepool.
    pub fn pool(&self, name: &str) -> Option<&PoolSpec> {
        self.pools.get(name).map(|(spec, ..)| spec)
    }

    /// All nodepools, by name.
    pub fn pools(&self) -> impl Iterator<Item = &PoolSpec> {
        self.pools.values().map(|(spec, ..)| spec)
    }

    /// All machines, oldest first.
    pub fn machines(&self) -> impl Iterator<Item = (MachineId, &Machine)> {
        self.machines.iter().map(|(id, m)| (*id, m))
    }

    /// A machine that is not gone.
    pub fn machine(&self, id: MachineId) -> Option<&Machine> {
        self.machines.get(&id)
    }

    /// The machine with this claim, instance or node name.
    pub fn find_machine(&self, name: &str) -> Option<MachineId> {
        self.machines()
            .find(|(_, m)| m.claim == name || m.instance == name || self.node_name(m) == name)
            .map(|(id, _)| id)
    }

    fn node_name(&self, m: &Machine) -> Name {
        m.node_name(&self.site)
    }

    /// A pod that is not gone.
    pub fn pod(&self, id: PodId) -> Option<&SimPod> {
        self.pods.get(&id)
    }

    /// How many pods there are.
    pub fn pod_count(&self) -> usize {
        self.pods.len()
    }

    /// Pods without a node that are not ending, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = PodId> {
        self.waiting.iter().copied()
    }

    /// Pods of a workload, oldest first, ending ones among them.
    pub fn pods_of(&self, workload: WorkloadId) -> impl DoubleEndedIterator<Item = PodId> {
        self.workloads.get(workload.0 as usize).into_iter().flat_map(|w| w.pods.iter().copied())
    }

    /// A workload.
    pub fn workload(&self, id: WorkloadId) -> &WorkloadSpec {
        &self.workloads[id.0 as usize].spec
    }

    /// All workloads.
    pub fn workloads(&self) -> impl Iterator<Item = (WorkloadId, &WorkloadSpec)> {
        self.workloads.iter().enumerate().map(|(i, w)| (WorkloadId(i as u32), &w.spec))
    }

    // --- streams ---

    /// Says which cluster this is and that every list begins.
    pub fn open(&mut self, about: About) {
        self.out.push(Change::About(about));
        for stream in WATCHED {
            self.out.push(Change::Link(stream, LinkState::Syncing { seen: 0 }));
            self.out.push(Change::Resync(stream));
        }
        self.out.push(Change::NodeClass(Box::new(self.node_class())));
    }

    /// The one node class of a simulated cluster, as its owner makes it: Auto Mode's two volumes, of which the system's has
    /// no published size, or the one that Karpenter gives to Amazon Linux.
    fn node_class(&self) -> NodeClass {
        let gp3 = |size_gib, root| Volume { volume_type: Name::const_new("gp3"), size_gib, root, ..Volume::default() };
        let (provisioner, volumes) = if self.site.auto_mode {
            (Provisioner::AutoMode, vec![gp3(None, true), gp3(Some(DISK_GIB), false)])
        } else {
            (Provisioner::Karpenter, vec![gp3(Some(20), true)])
        };
        NodeClass { name: Name::const_new("default"), uid: Uid::new("node-class"), provisioner, volumes }
    }

    /// Says that every list is complete and every watch live, and how the metrics are.
    pub fn opened(&mut self, metrics: LinkState) {
        for stream in WATCHED {
            self.out.push(Change::Synced(stream));
            self.out.push(Change::Link(stream, LinkState::Live));
        }
        self.out.push(Change::Link(Stream::NodeMetrics, metrics));
    }

    /// Sets the health of one stream.
    pub fn link(&mut self, stream: Stream, state: LinkState) {
        self.out.push(Change::Link(stream, state));
    }

    // --- events ---

    /// Writes an event, or repeats the last one about this object and reason if it says the same.
    pub fn say(
        &mut self,
        at: Timestamp,
        kind: EventKind,
        component: &str,
        object: ObjectRef,
        reason: &str,
        message: &str,
    ) {
        if self.spoken.len() > SPOKEN_KEPT {
            let mut times: Vec<Timestamp> = self.spoken.values().map(|s| s.last).collect();
            let (_, middle, _) = times.select_nth_unstable(SPOKEN_KEPT / 2);
            let middle = *middle;
            self.spoken.retain(|_, s| s.last > middle);
        }
        let spoken_key = (object.clone(), Name::from(reason));
        let same = self.spoken.get(&spoken_key).is_some_and(|s| s.message == message && s.component == component);
        if !same {
            let component = Name::from(component);
            let fresh =
                Spoken { uid: self.uid(), message: message.to_owned(), component, first: at, last: at, count: 0 };
            self.spoken.insert(spoken_key.clone(), fresh);
        }
        let Some(spoken) = self.spoken.get_mut(&spoken_key) else { return };
        spoken.count += 1;
        spoken.last = at;
        self.out.push(Change::Event(Box::new(Event {
            uid: spoken.uid,
            kind,
            reason: reason.into(),
            message: message.to_owned(),
            component: component.into(),
            object,
            first: spoken.first,
            last: at,
            count: spoken.count,
        })));
    }

    /// Who plays Karpenter here.
    pub fn karpenter(&self) -> &'static str {
        if self.site.auto_mode { text::AUTO_MODE } else { text::KARPENTER }
    }

    /// One of Karpenter's events, about the claim and, if there is one, the node.
    fn say_both(&mut self, at: Timestamp, id: MachineId, kind: EventKind, reason: &str, texts: [&str; 2]) {
        let Some(m) = self.machines.get(&id) else { return };
        let (claim, node) = (about_claim(m), m.joined.map(|_| cluster_object("Node", &self.node_name(m))));
        let component = self.karpenter();
        if let Some(node) = node {
            self.say(at, kind, component, node, reason, texts[0]);
        }
        self.say(at, kind, component, claim, reason, texts[1]);
    }

    fn say_transition(&mut self, at: Timestamp, id: MachineId, kind: &str) {
        let Some(m) = self.machines.get(&id) else { return };
        let object = about_claim(m);
        let message = text::transitioned(kind, "Unknown", "True", kind, "");
        self.say(at, EventKind::Normal, self.karpenter(), object, kind, &message);
    }

    fn say_kubelet(&mut self, at: Timestamp, id: MachineId, reason: &str, message: &str) {
        let Some(m) = self.machines.get(&id) else { return };
        let object = cluster_object("Node", &self.node_name(m));
        self.say(at, EventKind::Normal, text::KUBELET, object, reason, message);
    }

    // --- pools ---

    /// A nodepool is created or changed.
    pub fn apply_pool(&mut self, at: Timestamp, spec: PoolSpec) {
        let (uid, created) = match self.pools.get(&spec.name) {
            Some((_, uid, created)) => (*uid, *created),
            None => (self.uid(), later(at, -3 * 86_400_000)),
        };
        let name = spec.name.clone();
        self.pools.insert(name.clone(), (spec, uid, created));
        self.show_pool(&name);
    }

    /// Says what the pool looks like now: Karpenter writes `status.resources` every few seconds.
    pub fn show_pool(&mut self, name: &str) {
        let Some((spec, uid, created)) = self.pools.get(name) else { return };
        let (mut nodes, mut resources) = (0, Resources::default());
        for m in self.machines.values().filter(|m| m.pool == name && m.launched.is_some() && m.deleted.is_none()) {
            nodes += 1;
            resources.add(&m.kind.map(InstanceType::capacity).unwrap_or_default());
        }
        let ready = |kind: &str| crate::model::Condition {
            kind: kind.into(),
            status: crate::model::ConditionStatus::True,
            reason: kind.into(),
            message: Name::default(),
            since: Some(*created),
        };
        let limits = Resources { cpu_millicores: spec.cpu_limit.unwrap_or(0), ..Resources::default() };
        let pool = NodePool {
            name: spec.name.clone(),
            uid: *uid,
            created: *created,
            weight: spec.weight,
            limits,
            limited: spec.cpu_limit.map(|_| Name::from("cpu")).into_iter().collect(),
            node_class_group: self.site.class_group().into(),
            node_class: "default".into(),
            consolidation_policy: "WhenEmptyOrUnderutilized".into(),
            consolidate_after_seconds: go_duration(&spec.consolidate_after),
            budgets: vec![Budget { nodes: spec.budget.clone(), ..Budget::default() }],
            nodes: Some(nodes),
            resources,
            conditions: ["ValidationSucceeded", "NodeClassReady", "Ready"].map(ready).into(),
            ..NodePool::default()
        };
        self.out.push(Change::Pool(Box::new(pool)));
    }
}

const WATCHED: [Stream; 6] =
    [Stream::NodePools, Stream::NodeClaims, Stream::Nodes, Stream::Pods, Stream::Events, Stream::Pdbs];

fn about_claim(m: &Machine) -> ObjectRef {
    cluster_object("NodeClaim", &m.claim)
}

/// A cluster-scoped object as events name it.
pub(crate) fn cluster_object(kind: &str, name: &str) -> ObjectRef {
    ObjectRef { kind: kind.into(), namespace: Name::default(), name: name.into() }
}
