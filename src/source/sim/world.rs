//! The cluster that is played: its pools, machines, workloads and pods, and the verbs that change them.

use super::catalog::InstanceType;
use super::machine::{CapacityType, Machine, Site};
use super::{later, text};
use crate::model::{
    About, Budget, Change, DisruptionBudget, Event, EventKind, LinkState, Name, NodePool, ObjectRef, Owner, Pod,
    PodClass, PodKey, PodPhase, Resources, Scheduling, Stream, Taint, Timestamp, Uid, Usage,
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

    /// Region, version and flavour.
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

    // --- machines ---

    fn show_claim(&mut self, id: MachineId) {
        if let Some(m) = self.machines.get(&id) {
            let claim = m.to_claim(&self.site);
            self.out.push(Change::Claim(Box::new(claim)));
        }
    }

    fn show_node(&mut self, id: MachineId) {
        if let Some(node) = self.machines.get(&id).and_then(|m| m.to_node(&self.site)) {
            self.out.push(Change::Node(Box::new(node)));
        }
    }

    /// Changes facts of a machine and says what its claim and node look like now.
    pub fn change_machine(&mut self, id: MachineId, change: impl FnOnce(&mut Machine)) {
        if let Some(m) = self.machines.get_mut(&id) {
            change(m);
            self.show_claim(id);
            self.show_node(id);
        }
    }

    /// Changes facts of a machine that are said with the next verb.
    pub fn prepare_machine(&mut self, id: MachineId, change: impl FnOnce(&mut Machine)) {
        if let Some(m) = self.machines.get_mut(&id) {
            change(m);
        }
    }

    /// Karpenter creates a claim.
    pub fn claim(&mut self, at: Timestamp, asked: Asked) -> MachineId {
        let id = MachineId(self.id());
        let name =
            if asked.name.is_empty() { Name::from(format!("{}-{}", asked.pool, self.suffix(5))) } else { asked.name };
        let pool = self.pools.get(&asked.pool).map(|(spec, ..)| spec.clone());
        let pool = pool.unwrap_or_else(|| PoolSpec::new(&asked.pool, CapacityType::OnDemand));
        let machine = Machine {
            claim: name,
            claim_uid: self.uid(),
            pool: asked.pool,
            capacity_type: pool.capacity_type,
            allowed: asked.types,
            asked: asked.requests,
            expire_after: pool.expire_after,
            grace: pool.grace,
            taints: pool.taints,
            created: at,
            ..Machine::default()
        };
        self.machines.insert(id, machine);
        self.show_claim(id);
        id
    }

    /// EC2 starts the instance of a claim.
    pub fn launch(&mut self, at: Timestamp, id: MachineId, kind: &'static InstanceType, zone: &str, instance: Name) {
        let Some(m) = self.machines.get_mut(&id) else { return };
        m.kind = Some(kind);
        m.zone = zone.into();
        m.instance = instance;
        m.launched = Some(at);
        self.show_claim(id);
        self.say_transition(at, id, "Launched");
    }

    /// EC2 has no such instance: the claim is deleted in the same step.
    pub fn fail_launch(&mut self, at: Timestamp, id: MachineId, fleet_error: &str) {
        let Some(m) = self.machines.get_mut(&id) else { return };
        m.deleted = Some(at);
        let (claim, deadline) = (m.claim.clone(), m.deadline());
        let object = cluster_object("NodeClaim", &claim);
        let message = text::insufficient_capacity(&claim, fleet_error);
        self.say(at, EventKind::Warning, self.karpenter(), object.clone(), "InsufficientCapacityError", &message);
        self.show_claim(id);
        if let Some(deadline) = deadline {
            let message = text::grace_expires(deadline);
            self.say(at, EventKind::Warning, self.karpenter(), object, "TerminationGracePeriodExpiring", &message);
        }
    }

    /// The kubelet creates the node object.
    pub fn join(&mut self, at: Timestamp, id: MachineId) {
        let uid = self.uid();
        let Some(m) = self.machines.get_mut(&id) else { return };
        m.joined = Some(at);
        m.node_uid = uid;
        m.devices = m.kind.is_none_or(|t| t.gpu.is_none());
        self.show_node(id);
        let name = self.machines.get(&id).map(|m| self.node_name(m)).unwrap_or_default();
        self.say_kubelet(at, id, "Starting", "Starting kubelet.");
        for fine in ["NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID"] {
            self.say_kubelet(at, id, fine, &format!("Node {name} status is now: {fine}"));
        }
        self.say_kubelet(at, id, "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods");
    }

    /// Karpenter has seen the node and taken its taint off.
    pub fn register(&mut self, at: Timestamp, id: MachineId) {
        let Some(m) = self.machines.get_mut(&id) else { return };
        m.registered = Some(at);
        let name = m.node_name(&self.site);
        self.show_claim(id);
        self.show_node(id);
        self.say_transition(at, id, "Registered");
        let message = format!("Node {name} event: Registered Node {name} in Controller");
        let object = cluster_object("Node", &name);
        self.say(at, EventKind::Normal, text::NODE_CONTROLLER, object, "RegisteredNode", &message);
    }

    /// The kubelet says it is ready.
    pub fn ready(&mut self, at: Timestamp, id: MachineId) {
        let Some(m) = self.machines.get_mut(&id) else { return };
        m.ready = Some(at);
        let name = m.node_name(&self.site);
        self.show_node(id);
        self.say_kubelet(at, id, "NodeReady", &format!("Node {name} status is now: NodeReady"));
        let message = text::transitioned("Ready", "False", "True", "KubeletReady", "kubelet is posting ready status");
        self.say(at, EventKind::Normal, self.karpenter(), cluster_object("Node", &name), "Ready", &message);
    }

    /// The device plugin reports the node's devices.
    pub fn report_devices(&mut self, id: MachineId) {
        self.change_machine(id, |m| m.devices = true);
    }

    /// Karpenter calls the machine initialized.
    pub fn initialize(&mut self, at: Timestamp, id: MachineId) {
        let Some(m) = self.machines.get_mut(&id) else { return };
        m.initialized = Some(at);
        self.show_claim(id);
        self.show_node(id);
        self.say_transition(at, id, "Initialized");
        self.say_transition(at, id, "Ready");
    }

    /// Karpenter chooses the machine for disruption: taint and condition. `reason` is Underutilized, Empty or Drifted.
    pub fn disrupt(&mut self, at: Timestamp, id: MachineId, reason: &str) {
        let Some(m) = self.machines.get_mut(&id) else { return };
        m.disrupted = Some(at);
        m.disruption_reason = Some(reason.into());
        self.show_node(id);
        self.show_claim(id);
    }

    /// Karpenter changes its mind: the machine is no longer chosen for disruption.
    pub fn spare(&mut self, id: MachineId) {
        self.change_machine(id, |m| {
            m.disrupted = None;
            m.disruption_reason = None;
        });
    }

    /// A claim is announced as the replacement for a machine that is being disrupted.
    pub fn announce_replacement(&mut self, at: Timestamp, id: MachineId, reason: &str) {
        let Some(m) = self.machines.get(&id) else { return };
        let object = about_claim(m);
        let by = self.karpenter();
        let message = format!("Launching NodeClaim: {reason}");
        self.say(at, EventKind::Normal, by, object.clone(), "DisruptionLaunching", &message);
        let message = "Waiting on readiness to continue disruption";
        self.say(at, EventKind::Normal, by, object, "DisruptionWaitingReadiness", message);
    }

    /// AWS gives two minutes' notice of taking a spot instance back.
    pub fn interrupt(&mut self, at: Timestamp, id: MachineId) {
        let warning = "Spot interruption warning was triggered";
        self.say_both(at, id, EventKind::Warning, "SpotInterrupted", [warning, warning]);
        let texts =
            ["Interruption triggered termination for the Node", "Interruption triggered termination for the NodeClaim"];
        self.say_both(at, id, EventKind::Warning, "TerminatingOnInterruption", texts);
    }

    /// Claim and node are deleted; the drain begins.
    pub fn drain(&mut self, at: Timestamp, id: MachineId) {
        let Some(m) = self.machines.get_mut(&id) else { return };
        m.deleted = Some(at);
        m.disrupted.get_or_insert(at);
        let (reason, deadline) = (m.disruption_reason.clone(), m.deadline());
        if let Some(reason) = reason {
            let texts = [format!("Disrupting Node: {reason}"), format!("Disrupting NodeClaim: {reason}")];
            self.say_both(at, id, EventKind::Normal, "DisruptionTerminating", [&texts[0], &texts[1]]);
        }
        self.show_claim(id);
        self.show_node(id);
        if let Some(deadline) = deadline {
            let message = text::grace_expires(deadline);
            self.say_both(at, id, EventKind::Warning, "TerminationGracePeriodExpiring", [&message, &message]);
        }
    }

    /// No pod is left that the drain waits for.
    pub fn drained(&mut self, at: Timestamp, id: MachineId) {
        self.change_machine(id, |m| m.drained = Some(at));
    }

    /// EC2 is stopping the instance.
    pub fn stop(&mut self, at: Timestamp, id: MachineId) {
        self.change_machine(id, |m| m.stopping = Some(at));
    }

    /// Finalizers are gone, and with them node and claim. What is left of its pods goes too.
    pub fn finalize(&mut self, at: Timestamp, id: MachineId) {
        let left: Vec<PodId> = self.machines.get(&id).into_iter().flat_map(|m| m.pods.iter().copied()).collect();
        for pod in left {
            self.pod_gone(pod);
        }
        // Only waiting pods are nominated.
        for waiting in &self.waiting {
            if let Some(pod) = self.pods.get_mut(waiting).filter(|p| p.nominated == Some(id)) {
                pod.nominated = None;
            }
        }
        let text = "Finalized karpenter.sh/termination";
        self.say_both(at, id, EventKind::Normal, "Finalized", [text, text]);
        let Some(m) = self.machines.remove(&id) else { return };
        if m.joined.is_some() {
            self.out.push(Change::NodeGone(m.node_name(&self.site), m.node_uid));
        }
        self.out.push(Change::ClaimGone(m.claim, m.claim_uid));
    }

    /// A machine that has been there since before the first list: initialized at `created`, its node not yet shown.
    pub fn found(&mut self, created: Timestamp, pool: &str, kind: &'static InstanceType, zone: &str) -> MachineId {
        let id = MachineId(self.id());
        let spec = self.pools.get(pool).map(|(spec, ..)| spec.clone());
        let spec = spec.unwrap_or_else(|| PoolSpec::new(pool, CapacityType::OnDemand));
        let at = |seconds: i64| Some(later(created, seconds * 1000));
        let machine = Machine {
            claim: Name::from(format!("{pool}-{}", self.suffix(5))),
            claim_uid: self.uid(),
            pool: pool.into(),
            capacity_type: spec.capacity_type,
            expire_after: spec.expire_after,
            grace: spec.grace,
            taints: spec.taints,
            created,
            kind: Some(kind),
            zone: zone.into(),
            instance: self.instance_id(),
            launched: at(2),
            joined: at(18),
            node_uid: self.uid(),
            registered: at(19),
            ready: at(22),
            devices: true,
            initialized: at(24),
            ..Machine::default()
        };
        self.machines.insert(id, machine);
        id
    }

    /// A pod that has run since before the first list; shown at once.
    pub fn found_pod(&mut self, created: Timestamp, workload: WorkloadId, machine: MachineId) -> PodId {
        let id = PodId(self.id());
        let pod = SimPod {
            workload,
            name: self.pod_name(workload),
            uid: self.uid(),
            created,
            stage: PodStage::Running,
            machine: Some(machine),
            nominated: None,
            verdict: Name::default(),
            started: Some(created),
            deleted: None,
        };
        let w = &mut self.workloads[workload.0 as usize];
        w.pods.insert(id);
        if let Some(m) = self.machines.get_mut(&machine) {
            m.requested.add(&w.spec.requests);
            m.pods.insert(id);
            m.last_pod_event = m.last_pod_event.max(Some(created));
        }
        self.pods.insert(id, pod);
        self.show_pod(id);
        id
    }

    // --- workloads and pods ---

    /// Makes a workload known; it has no pods yet.
    pub fn workload_of(&mut self, spec: WorkloadSpec) -> WorkloadId {
        let owner = match spec.class {
            PodClass::DaemonSet => Some(("DaemonSet", spec.name.clone())),
            PodClass::StatefulSet => Some(("StatefulSet", spec.name.clone())),
            PodClass::Workload => Some(("ReplicaSet", Name::from(format!("{}-{}", spec.name, self.suffix(9))))),
            PodClass::Static => None,
        };
        let owner = owner.map(|(kind, name)| Owner { kind: kind.into(), name });
        self.workloads.push(Workload { spec, owner, pods: BTreeSet::new() });
        WorkloadId(self.workloads.len() as u32 - 1)
    }

    /// Names the `ReplicaSet` of a workload.
    pub fn set_owner(&mut self, workload: WorkloadId, kind: &str, name: &str) {
        self.workloads[workload.0 as usize].owner = Some(Owner { kind: kind.into(), name: name.into() });
    }

    /// A `PodDisruptionBudget` that keeps a share of a workload's pods.
    pub fn protect(&mut self, workload: WorkloadId, min_available_percent: u32) {
        let uid = self.uid();
        self.pdbs.push(Pdb { workload, uid, min_available_percent, last: None });
        self.show_pdbs();
    }

    /// Says which `PodDisruptionBudgets` changed: the disruption controller follows its pods.
    pub fn show_pdbs(&mut self) {
        for pdb in &mut self.pdbs {
            let w = &self.workloads[pdb.workload.0 as usize];
            let expected = w.pods.len() as u32;
            let running =
                |id: &&PodId| self.pods.get(id).is_some_and(|p| p.stage == PodStage::Running && p.deleted.is_none());
            let healthy = w.pods.iter().filter(running).count() as u32;
            let desired = (expected * pdb.min_available_percent).div_ceil(100);
            let now = DisruptionBudget {
                namespace: w.spec.namespace.clone(),
                name: w.spec.name.clone(),
                uid: pdb.uid,
                min_available: Some(Name::from(format!("{}%", pdb.min_available_percent))),
                max_unavailable: None,
                disruptions_allowed: healthy.saturating_sub(desired),
                current_healthy: healthy,
                desired_healthy: desired,
                expected_pods: expected,
            };
            if pdb.last.as_ref() != Some(&now) {
                pdb.last = Some(now.clone());
                self.out.push(Change::Pdb(Box::new(now)));
            }
        }
    }

    /// A pod is created. Without a name it gets its owner's and five letters; a `StatefulSet`'s the next free number.
    pub fn create_pod(&mut self, at: Timestamp, workload: WorkloadId, name: Option<Name>) -> PodId {
        let id = PodId(self.id());
        let name = name.unwrap_or_else(|| self.pod_name(workload));
        let pod = SimPod {
            workload,
            name,
            uid: self.uid(),
            created: at,
            stage: PodStage::Waiting,
            machine: None,
            nominated: None,
            verdict: Name::default(),
            started: None,
            deleted: None,
        };
        self.pods.insert(id, pod);
        self.workloads[workload.0 as usize].pods.insert(id);
        self.waiting.insert(id);
        self.show_pod(id);
        id
    }

    fn pod_name(&mut self, workload: WorkloadId) -> Name {
        let w = &self.workloads[workload.0 as usize];
        let base = w.owner.as_ref().map_or(w.spec.name.clone(), |o| o.name.clone());
        if w.spec.class == PodClass::StatefulSet {
            let taken: BTreeSet<&str> =
                w.pods.iter().filter_map(|p| self.pods.get(p)).map(|p| p.name.as_str()).collect();
            let mut names = (0..).map(|n| format!("{base}-{n}"));
            return names.find(|name| !taken.contains(name.as_str())).unwrap_or_default().into();
        }
        Name::from(format!("{base}-{}", self.suffix(5)))
    }

    fn show_pod(&mut self, id: PodId) {
        let Some(pod) = self.pods.get(&id) else { return };
        let w = &self.workloads[pod.workload.0 as usize];
        let node = pod.machine.and_then(|m| self.machines.get(&m)).map(|m| m.node_name(&self.site));
        let scheduling = match (pod.stage, pod.verdict.is_empty()) {
            (PodStage::Starting | PodStage::Running, _) => Scheduling::Scheduled,
            (PodStage::Waiting, true) => Scheduling::Unseen,
            (PodStage::Waiting, false) => Scheduling::Unschedulable(pod.verdict.clone()),
        };
        let shown = Pod {
            key: PodKey { namespace: w.spec.namespace.clone(), name: pod.name.clone() },
            uid: pod.uid,
            created: pod.created,
            deleted: pod.deleted,
            node: node.unwrap_or_default(),
            nominated_node: Name::default(),
            phase: if pod.stage == PodStage::Running { PodPhase::Running } else { PodPhase::Pending },
            started: pod.started,
            class: w.spec.class,
            owner: w.owner.clone(),
            requests: w.spec.requests.clone(),
            limits: w.spec.limits.clone(),
            scheduling,
            waiting: if pod.stage == PodStage::Starting { "ContainerCreating".into() } else { Name::default() },
            capacity_provisioned: Name::default(),
        };
        self.out.push(Change::Pod(Box::new(shown)));
    }

    /// The pod as events name it.
    pub fn pod_ref(&self, id: PodId) -> Option<ObjectRef> {
        let pod = self.pods.get(&id)?;
        let namespace = self.workload(pod.workload).namespace.clone();
        Some(ObjectRef { kind: "Pod".into(), namespace, name: pod.name.clone() })
    }

    fn say_pod(&mut self, at: Timestamp, id: PodId, kind: EventKind, component: &str, what: [&str; 2]) {
        if let Some(object) = self.pod_ref(id) {
            self.say(at, kind, component, object, what[0], what[1]);
        }
    }

    /// The scheduler found no place for the pod.
    pub fn unschedulable(&mut self, at: Timestamp, id: PodId, verdict: &str) {
        let Some(pod) = self.pods.get_mut(&id) else { return };
        let changed = pod.verdict != verdict;
        pod.verdict = verdict.into();
        if changed {
            self.show_pod(id);
        }
        self.say_pod(at, id, EventKind::Warning, text::SCHEDULER, ["FailedScheduling", verdict]);
    }

    /// Karpenter has made, or found, a place for the pod. `spoken` says whether the event got through its rate limit.
    pub fn nominate(&mut self, at: Timestamp, id: PodId, machine: MachineId, spoken: bool) {
        let (Some(pod), Some(m)) = (self.pods.get_mut(&id), self.machines.get_mut(&machine)) else { return };
        pod.nominated = Some(machine);
        m.reserved.add(&self.workloads[pod.workload.0 as usize].spec.requests);
        m.reserved.pods += 1;
        if spoken {
            let message = match m.initialized {
                None => format!("Pod should schedule on: nodeclaim/{}", m.claim),
                Some(_) => format!("Pod should schedule on: nodeclaim/{}, node/{}", m.claim, m.node_name(&self.site)),
            };
            self.say_pod(at, id, EventKind::Normal, self.karpenter(), ["Nominated", &message]);
        }
    }

    /// The place made for the pod is no longer promised to it.
    pub fn release(&mut self, id: PodId) {
        let Some(pod) = self.pods.get_mut(&id) else { return };
        let Some(m) = pod.nominated.take().and_then(|m| self.machines.get_mut(&m)) else { return };
        m.reserved.subtract(&self.workloads[pod.workload.0 as usize].spec.requests);
        m.reserved.pods = m.reserved.pods.saturating_sub(1);
    }

    /// The scheduler binds the pod to the machine's node.
    pub fn bind(&mut self, at: Timestamp, id: PodId, machine: MachineId) {
        self.release(id);
        let (Some(pod), Some(m)) = (self.pods.get_mut(&id), self.machines.get_mut(&machine)) else { return };
        if pod.machine.is_some() {
            return;
        }
        let w = &self.workloads[pod.workload.0 as usize].spec;
        pod.machine = Some(machine);
        pod.stage = PodStage::Starting;
        pod.started = Some(at);
        m.requested.add(&w.requests);
        m.pods.insert(id);
        if w.class != PodClass::DaemonSet {
            m.last_pod_event = Some(at);
            m.consolidatable = None;
        }
        let message = format!("Successfully assigned {}/{} to {}", w.namespace, pod.name, m.node_name(&self.site));
        self.waiting.remove(&id);
        self.show_pod(id);
        self.say_pod(at, id, EventKind::Normal, text::SCHEDULER, ["Scheduled", &message]);
        let image = self.image_of(id);
        self.say_pod(at, id, EventKind::Normal, text::KUBELET, ["Pulling", &format!("Pulling image \"{image}\"")]);
    }

    fn image_of(&self, id: PodId) -> Name {
        self.pods.get(&id).map(|p| self.workload(p.workload).image.clone()).unwrap_or_default()
    }

    /// The pod's containers run; the image took `pulled_in` milliseconds.
    pub fn run(&mut self, at: Timestamp, id: PodId, pulled_in: i64) {
        let image = self.image_of(id);
        let Some(pod) = self.pods.get_mut(&id) else { return };
        if pod.stage != PodStage::Starting {
            return;
        }
        pod.stage = PodStage::Running;
        let name = self.workload(self.pods[&id].workload).name.clone();
        self.show_pod(id);
        let seconds = format!("{}.{:03}s", pulled_in / 1000, pulled_in.rem_euclid(1000));
        let pulled = format!(
            "Successfully pulled image \"{image}\" in {seconds} ({seconds} including waiting). Image size: 29461023 bytes."
        );
        self.say_pod(at, id, EventKind::Normal, text::KUBELET, ["Pulled", &pulled]);
        self.say_pod(at, id, EventKind::Normal, text::KUBELET, ["Created", &format!("Container created: {name}")]);
        self.say_pod(at, id, EventKind::Normal, text::KUBELET, ["Started", &format!("Container started: {name}")]);
    }

    /// The pod is asked to end within its grace period. `evicted` is Karpenter's reason, if Karpenter asks.
    pub fn end_pod(&mut self, at: Timestamp, id: PodId, grace_millis: i64, evicted: Option<&str>) {
        self.release(id);
        let Some(pod) = self.pods.get_mut(&id) else { return };
        if pod.deleted.is_some() {
            return;
        }
        pod.deleted = Some(later(at, grace_millis));
        let (stage, machine) = (pod.stage, pod.machine);
        self.waiting.remove(&id);
        let daemon = self.workload(self.pods[&id].workload).class == PodClass::DaemonSet;
        if let Some(m) = machine.and_then(|m| self.machines.get_mut(&m)).filter(|_| !daemon) {
            m.last_pod_event = Some(at);
            m.consolidatable = None;
        }
        self.show_pod(id);
        if let Some(reason) = evicted {
            let message = format!("Evicted pod: {reason}");
            self.say_pod(at, id, EventKind::Normal, self.karpenter(), ["Evicted", &message]);
        }
        if stage == PodStage::Running {
            let name = self.workload(self.pods[&id].workload).name.clone();
            let message = format!("Stopping container {name}");
            self.say_pod(at, id, EventKind::Normal, text::KUBELET, ["Killing", &message]);
        }
    }

    /// The pod object is gone.
    pub fn pod_gone(&mut self, id: PodId) {
        self.release(id);
        let Some(pod) = self.pods.remove(&id) else { return };
        self.waiting.remove(&id);
        let w = &mut self.workloads[pod.workload.0 as usize];
        w.pods.remove(&id);
        if let Some(m) = pod.machine.and_then(|m| self.machines.get_mut(&m)) {
            m.requested.subtract(&w.spec.requests);
            m.pods.remove(&id);
        }
        let key = PodKey { namespace: w.spec.namespace.clone(), name: pod.name };
        self.out.push(Change::PodGone(key, pod.uid));
    }

    // --- usage ---

    /// A complete reading of node metrics, given.
    pub fn node_usage(&mut self, readings: Vec<(Name, Usage)>) {
        self.out.push(Change::NodeUsage(readings));
    }

    /// Measures every running pod and every node that has been initialized for `lag` milliseconds: pods use a share of
    /// what they request that differs by pod and wanders with time. Pod readings are sent if `with_pods`.
    pub fn measure(&mut self, at: Timestamp, lag: i64, with_pods: bool) {
        let minute = at.as_second() / 15;
        let mut pods = Vec::new();
        let mut nodes = Vec::new();
        for m in self.machines.values() {
            let Some(initialized) = m.initialized else { continue };
            if later(initialized, lag) > at {
                continue;
            }
            // The kubelet, the runtime and the agents of the node itself.
            let mut usage = Usage { cpu_millicores: 45, memory_bytes: 420 << 20, at, window_seconds: 15 };
            for id in &m.pods {
                let Some(pod) = self.pods.get(id).filter(|p| p.stage == PodStage::Running) else { continue };
                let w = &self.workloads[pod.workload.0 as usize].spec;
                let own = u64::from(id.0).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                // A triangle wave of 40 steps, in phase by pod.
                let phase = (minute.rem_euclid(40) as u64 + own) % 40;
                let wave = if phase < 20 { phase } else { 40 - phase };
                let cpu = w.requests.cpu_millicores * (200 + own % 300 + wave * 15) / 1000;
                let memory = w.requests.memory_bytes / 1000 * (450 + own / 300 % 300 + wave * 4);
                usage.cpu_millicores += cpu.max(1);
                usage.memory_bytes += memory.max(4 << 20);
                if with_pods {
                    let key = PodKey { namespace: w.namespace.clone(), name: pod.name.clone() };
                    let of_pod = Usage { cpu_millicores: cpu, memory_bytes: memory, at, window_seconds: 15 };
                    pods.push((key, of_pod));
                }
            }
            nodes.push((m.node_name(&self.site), usage));
        }
        self.out.push(Change::NodeUsage(nodes));
        if with_pods {
            self.out.push(Change::PodUsage(pods));
        }
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
