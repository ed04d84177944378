//! The simulated cluster: its nodepools, instances, workloads and pods, and the methods that change them.

mod instances;
mod pods;
mod usage;

use super::catalog::{DISK_GIB, InstanceType};
use super::ids::{InstanceId, PodId, WorkloadId};
use super::instance::{CapacityType, Instance, Site};
use super::{later, text};
use crate::model::{
    About, Budget, Change, DisruptionBudget, Event, EventKind, LinkState, Name, NodeClass, NodePool, ObjectRef, Owner,
    PodClass, Provisioner, Resources, Stream, Taint, Timestamp, Uid, Volume,
};
use crate::units::age::go_duration;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// The simulated fields of a nodepool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolSpec {
    /// Name.
    pub name: Name,
    /// `spec.weight`.
    pub weight: u32,
    /// Capacity type of its instances.
    pub capacity_type: CapacityType,
    /// `spec.limits.cpu` in millicores.
    pub cpu_limit: Option<u64>,
    /// `spec.disruption.consolidateAfter`, a Go duration.
    pub consolidate_after: Name,
    /// `spec.template.spec.expireAfter`.
    pub expire_after: Name,
    /// `spec.template.spec.terminationGracePeriod`.
    pub grace: Name,
    /// Taints of its nodes, which only workloads that name the nodepool tolerate.
    pub taints: Vec<Taint>,
    /// Disruption budget: a number of nodes or a percentage.
    pub budget: Name,
}

impl PoolSpec {
    /// A nodepool with the defaults of Auto Mode's: `expireAfter` 336h, grace 24h, `consolidateAfter` 30s.
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

/// A workload: the common properties of its pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkloadSpec {
    /// Namespace.
    pub namespace: Name,
    /// Name of the Deployment, `StatefulSet` or `DaemonSet`.
    pub name: Name,
    /// Class of its pods.
    pub class: PodClass,
    /// Requests of each pod.
    pub requests: Resources,
    /// Limits of each pod.
    pub limits: Resources,
    /// Image of its container, for the kubelet's events.
    pub image: Name,
    /// Nodepools that its pods may run on; if empty, all without taints.
    pub pools: Vec<Name>,
}

#[derive(Debug)]
struct Workload {
    spec: WorkloadSpec,
    /// The controller in its pods' ownerReferences; for a Deployment its `ReplicaSet`.
    owner: Option<Owner>,
    pods: BTreeSet<PodId>,
}

/// The stage of a pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PodStage {
    /// Pending.
    #[default]
    Waiting,
    /// Bound; its containers are being created.
    Starting,
    /// Running.
    Running,
}

/// A simulated pod.
#[derive(Clone, Debug)]
pub struct SimPod {
    /// Its workload.
    pub workload: WorkloadId,
    /// Name.
    pub name: Name,
    /// Uid.
    pub uid: Uid,
    /// Creation.
    pub created: Timestamp,
    /// Stage.
    pub stage: PodStage,
    /// The instance that it is bound to.
    pub instance: Option<InstanceId>,
    /// The instance that Karpenter nominated it for.
    pub nominated: Option<InstanceId>,
    /// The scheduler's last message; empty before the first attempt.
    pub verdict: Name,
    /// When the kubelet accepted it.
    pub started: Option<Timestamp>,
    /// deletionTimestamp: the end of its grace period.
    pub deleted: Option<Timestamp>,
}

/// The properties of a new claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimRequest {
    /// Name of the claim; empty for a random one.
    pub name: Name,
    /// Nodepool.
    pub pool: Name,
    /// `spec.resources.requests`.
    pub requests: Resources,
    /// Allowed instance types.
    pub types: Vec<Name>,
}

#[derive(Debug)]
struct EmittedEvent {
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

/// The characters of Kubernetes' random names: no vowels, none that look alike (apimachinery `util/rand`).
const SAFE_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// How many events are kept to count repetitions; the oldest are dropped.
const MAX_KEPT_EVENTS: usize = 4096;

/// The simulated cluster. Changes are collected until [`Self::take`].
#[derive(Debug)]
pub struct World {
    rng: fastrand::Rng,
    site: Site,
    pools: BTreeMap<Name, (PoolSpec, Uid, Timestamp)>,
    instances: BTreeMap<InstanceId, Instance>,
    workloads: Vec<Workload>,
    pods: BTreeMap<PodId, SimPod>,
    waiting: BTreeSet<PodId>,
    pdbs: Vec<Pdb>,
    emitted: FxHashMap<(ObjectRef, Name), EmittedEvent>,
    next: u32,
    out: Vec<Change>,
}

impl World {
    /// An empty cluster in `region`; `seed` determines names and UIDs.
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
            instances: BTreeMap::new(),
            workloads: Vec::new(),
            pods: BTreeMap::new(),
            waiting: BTreeSet::new(),
            pdbs: Vec::new(),
            emitted: FxHashMap::default(),
            next: 0,
            out: Vec::new(),
        }
    }

    /// Takes the changes since the last call.
    pub fn take(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.out)
    }

    /// The number of changes to take.
    pub fn pending_changes(&self) -> usize {
        self.out.len()
    }

    fn id(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn uid(&mut self) -> Uid {
        // A version 4 UUID.
        let bits = self.rng.u128(..) & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
        Uid::new(&format!("{bits:032x}"))
    }

    fn suffix(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(SAFE_LETTERS[self.rng.usize(..SAFE_LETTERS.len())])).collect()
    }

    /// A new EC2 instance ID.
    pub fn instance_id(&mut self) -> Name {
        Name::from(format!("i-0{:016x}", self.rng.u64(..)))
    }

    // --- queries ---

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

    /// All instances, oldest first.
    pub fn instances(&self) -> impl Iterator<Item = (InstanceId, &Instance)> {
        self.instances.iter().map(|(id, m)| (*id, m))
    }

    /// An instance, if it exists.
    pub fn instance(&self, id: InstanceId) -> Option<&Instance> {
        self.instances.get(&id)
    }

    /// The instance with this claim, instance or node name.
    pub fn find_instance(&self, name: &str) -> Option<InstanceId> {
        self.instances()
            .find(|(_, m)| m.claim == name || m.instance == name || self.node_name(m) == name)
            .map(|(id, _)| id)
    }

    fn node_name(&self, m: &Instance) -> Name {
        m.node_name(&self.site)
    }

    /// A pod, if it exists.
    pub fn pod(&self, id: PodId) -> Option<&SimPod> {
        self.pods.get(&id)
    }

    /// The number of pods.
    pub fn pod_count(&self) -> usize {
        self.pods.len()
    }

    /// Pending pods that are not being deleted, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = PodId> {
        self.waiting.iter().copied()
    }

    /// Pods of a workload, oldest first, including those being deleted.
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

    /// Sends the identity of the cluster and the begin of every list.
    pub fn open(&mut self, about: About) {
        self.out.push(Change::About(about));
        for stream in WATCHED {
            self.out.push(Change::Link(stream, LinkState::Syncing { seen: 0 }));
            self.out.push(Change::Resync(stream));
        }
        self.out.push(Change::NodeClass(Box::new(self.node_class())));
    }

    /// The node class of the cluster: with Auto Mode's two volumes, of which the size of the system volume is not published,
    /// or with Karpenter's default volume of Amazon Linux.
    fn node_class(&self) -> NodeClass {
        let gp3 = |size_gib, root| Volume { volume_type: Name::const_new("gp3"), size_gib, root, ..Volume::default() };
        let (provisioner, volumes) = if self.site.auto_mode {
            (Provisioner::AutoMode, vec![gp3(None, true), gp3(Some(DISK_GIB), false)])
        } else {
            (Provisioner::Karpenter, vec![gp3(Some(20), true)])
        };
        NodeClass { name: Name::const_new("default"), uid: Uid::new("node-class"), provisioner, volumes }
    }

    /// Sends the end of every list, which makes the streams live, and the state of the metrics streams.
    pub fn opened(&mut self, metrics: LinkState) {
        for stream in WATCHED {
            self.out.push(Change::Synced(stream));
            self.out.push(Change::Link(stream, LinkState::Live));
        }
        self.out.push(Change::Link(Stream::NodeMetrics, metrics));
    }

    /// Sets the state of a stream.
    pub fn link(&mut self, stream: Stream, state: LinkState) {
        self.out.push(Change::Link(stream, state));
    }

    // --- events ---

    /// Emits an event, or repeats the last one of this object and reason if its message is the same.
    pub fn emit(
        &mut self,
        at: Timestamp,
        kind: EventKind,
        component: &str,
        object: ObjectRef,
        reason: &str,
        message: &str,
    ) {
        if self.emitted.len() > MAX_KEPT_EVENTS {
            let mut times: Vec<Timestamp> = self.emitted.values().map(|s| s.last).collect();
            let (_, middle, _) = times.select_nth_unstable(MAX_KEPT_EVENTS / 2);
            let middle = *middle;
            self.emitted.retain(|_, s| s.last > middle);
        }
        let key = (object.clone(), Name::from(reason));
        let same = self.emitted.get(&key).is_some_and(|s| s.message == message && s.component == component);
        if !same {
            let component = Name::from(component);
            let fresh =
                EmittedEvent { uid: self.uid(), message: message.to_owned(), component, first: at, last: at, count: 0 };
            self.emitted.insert(key.clone(), fresh);
        }
        let Some(emitted) = self.emitted.get_mut(&key) else { return };
        emitted.count += 1;
        emitted.last = at;
        self.out.push(Change::Event(Box::new(Event {
            uid: emitted.uid,
            kind,
            reason: reason.into(),
            message: message.to_owned(),
            component: component.into(),
            object,
            first: emitted.first,
            last: at,
            count: emitted.count,
        })));
    }

    /// The reporting component of Karpenter's events.
    pub fn karpenter(&self) -> &'static str {
        if self.site.auto_mode { text::AUTO_MODE } else { text::KARPENTER }
    }

    /// Emits an event of Karpenter on the claim and, if it exists, the node.
    fn emit_on_claim_and_node(
        &mut self,
        at: Timestamp,
        id: InstanceId,
        kind: EventKind,
        reason: &str,
        texts: [&str; 2],
    ) {
        let Some(m) = self.instances.get(&id) else { return };
        let (claim, node) = (about_claim(m), m.joined.map(|_| cluster_object("Node", &self.node_name(m))));
        let component = self.karpenter();
        if let Some(node) = node {
            self.emit(at, kind, component, node, reason, texts[0]);
        }
        self.emit(at, kind, component, claim, reason, texts[1]);
    }

    fn emit_transition(&mut self, at: Timestamp, id: InstanceId, kind: &str) {
        let Some(m) = self.instances.get(&id) else { return };
        let object = about_claim(m);
        let message = text::transitioned(kind, "Unknown", "True", kind, "");
        self.emit(at, EventKind::Normal, self.karpenter(), object, kind, &message);
    }

    fn emit_kubelet(&mut self, at: Timestamp, id: InstanceId, reason: &str, message: &str) {
        let Some(m) = self.instances.get(&id) else { return };
        let object = cluster_object("Node", &self.node_name(m));
        self.emit(at, EventKind::Normal, text::KUBELET, object, reason, message);
    }

    // --- pools ---

    /// Creates or changes a nodepool.
    pub fn apply_pool(&mut self, at: Timestamp, spec: PoolSpec) {
        let (uid, created) = match self.pools.get(&spec.name) {
            Some((_, uid, created)) => (*uid, *created),
            None => (self.uid(), later(at, -3 * 86_400_000)),
        };
        let name = spec.name.clone();
        self.pools.insert(name.clone(), (spec, uid, created));
        self.show_pool(&name);
    }

    /// Sends the nodepool with its status: Karpenter updates `status.resources` every few seconds.
    pub fn show_pool(&mut self, name: &str) {
        let Some((spec, uid, created)) = self.pools.get(name) else { return };
        let (mut nodes, mut resources) = (0, Resources::default());
        for m in self.instances.values().filter(|m| m.pool == name && m.launched.is_some() && m.deleted.is_none()) {
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

fn about_claim(m: &Instance) -> ObjectRef {
    cluster_object("NodeClaim", &m.claim)
}

/// A reference to a cluster-scoped object.
pub(crate) fn cluster_object(kind: &str, name: &str) -> ObjectRef {
    ObjectRef { kind: kind.into(), namespace: Name::default(), name: name.into() }
}
