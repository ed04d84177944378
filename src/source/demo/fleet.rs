//! The fleet that lives by itself: a scheduler, a provisioner and a disruption loop, each as plain as it can be and
//! still do what its model does, over the simulated cluster.

use super::Options;
use super::loads::{self, GENERAL, GPU, SCENES, SPOT, Scene, ZONES};
use crate::model::{About, Change, Flavour, LinkState, Name, PodClass, Resources, Stream, Timestamp};
use crate::source::sim::catalog::InstanceType;
use crate::source::sim::play::{BATCH, Script};
use crate::source::sim::{Asked, CapacityType, Machine, MachineId, PodId, PodStage, WorkloadId, World, later, text};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// vCPU of on-demand standard instances that the account of the story may run; EC2's default for new accounts is less.
const VCPU_LIMIT: u64 = 32;
/// Most nodes of a fleet whose pods are measured one by one; a larger one has node readings only.
const POD_READINGS: usize = 100;
/// Pods a node of a fleet begins with.
const PODS_PER_NODE: usize = 32;
/// Karpenter's nominations are limited to a burst of ten.
const NOMINATIONS_SPOKEN: usize = 10;

#[derive(Clone, Copy, Debug)]
enum Action {
    Scene(usize),
    Restart,
    Begin,
    Schedule,
    Provision,
    Launch(MachineId),
    Join(MachineId),
    Register(MachineId),
    Ready(MachineId),
    Devices(MachineId),
    Initialize(MachineId),
    /// Nominations of a machine have had their time.
    Settle(MachineId),
    Run(PodId, i64),
    PodGone(PodId),
    Disrupt,
    Terminate(MachineId),
    Evict(MachineId, PodId),
    WatchDrain(MachineId),
    Stop(MachineId),
    Finalize(MachineId),
    Measure,
    Churn,
    InterruptOne,
}

/// A simulated fleet. [`Self::step`] lets its time pass.
#[derive(Debug)]
pub struct Fleet {
    options: Options,
    world: World,
    rng: fastrand::Rng,
    clock: Timestamp,
    queue: BTreeMap<(Timestamp, u64), Action>,
    queued: u64,
    /// Nodes still to be listed; none once the first lists are complete.
    unlisted: Option<usize>,
    daemons: Vec<WorkloadId>,
    loads: Vec<WorkloadId>,
    wanted: BTreeMap<WorkloadId, usize>,
    /// Replacement claim → the machine it replaces.
    replaces: BTreeMap<MachineId, MachineId>,
    limit_met: bool,
    ending: bool,
    soon: Soon,
}

/// Loops that are queued already.
#[derive(Clone, Copy, Debug, Default)]
struct Soon {
    schedule: bool,
    provision: bool,
}

impl Fleet {
    /// A fleet whose time begins at `start`.
    pub fn new(options: Options, start: Timestamp) -> Self {
        let mut rng = fastrand::Rng::with_seed(options.seed);
        let mut world = World::new("ap-northeast-2", "1.36", true, rng.u64(..));
        world.open(About {
            context: "demo".to_owned(),
            server: String::new(),
            version: "1.36".to_owned(),
            flavours: vec![Flavour::AutoMode],
        });
        for pool in loads::pools() {
            world.apply_pool(start, pool);
        }
        let daemons = loads::daemons().into_iter().map(|spec| world.workload_of(spec)).collect();
        let specs = match options.nodes {
            None => loads::story(),
            Some(n) => loads::fleet((n / 25).clamp(12, 190), &mut rng),
        };
        let loads: Vec<WorkloadId> = specs.into_iter().map(|spec| world.workload_of(spec)).collect();
        if options.nodes.is_none() {
            for (load, share) in loads::PROTECTED {
                world.protect(loads[load], share);
            }
        }
        let mut fleet = Self {
            options,
            world,
            rng,
            clock: start,
            queue: BTreeMap::new(),
            queued: 0,
            unlisted: Some(options.nodes.unwrap_or(0)),
            daemons,
            wanted: loads.iter().map(|id| (*id, 0)).collect(),
            loads,
            replaces: BTreeMap::new(),
            limit_met: false,
            ending: false,
            soon: Soon::default(),
        };
        if options.nodes.is_some() {
            fleet.after(2_000, Action::Churn);
            fleet.after(25_000, Action::InterruptOne);
        } else {
            fleet.begin_story();
        }
        fleet.after(1_000, Action::Measure);
        fleet.after(10_000, Action::Disrupt);
        fleet
    }

    /// Everything that happens up to `now`, the first list included. Times before the last step give nothing.
    pub fn step(&mut self, now: Timestamp) -> Vec<Change> {
        let mut all = Vec::new();
        while self.due().is_some_and(|due| due <= now) {
            all.append(&mut self.play(now));
        }
        all
    }

    // --- time ---

    fn after(&mut self, millis: i64, action: Action) {
        self.queued += 1;
        self.queue.insert((later(self.clock, self.options.speed.shorten(millis)), self.queued), action);
    }

    fn between(&mut self, least: i64, most: i64, action: Action) {
        let millis = self.rng.i64(least..=most);
        self.after(millis, action);
    }

    /// Whether `millis` have passed since `at`, at the fleet's speed.
    fn past(&self, at: Option<Timestamp>, millis: i64) -> bool {
        at.is_some_and(|at| later(at, self.options.speed.shorten(millis)) <= self.clock)
    }

    fn act(&mut self, action: Action) {
        let now = self.clock;
        match action {
            Action::Scene(i) => self.scene(i),
            Action::Restart => self.restart(),
            Action::Begin => self.begin_story(),
            Action::Schedule => self.schedule(),
            Action::Provision => self.provision(),
            Action::Launch(id) => self.launch(id),
            Action::Join(id) => {
                self.world.join(now, id);
                self.after(900, Action::Register(id));
            }
            Action::Register(id) => {
                self.world.register(now, id);
                for daemon in self.daemons.clone() {
                    let pod = self.world.create_pod(now, daemon, None);
                    self.bind(pod, id);
                }
                self.between(1_800, 3_200, Action::Ready(id));
            }
            Action::Ready(id) => {
                self.world.ready(now, id);
                self.schedule_soon(200);
                let gpu = self.world.machine(id).is_some_and(|m| !m.devices);
                if gpu {
                    self.between(5_000, 7_000, Action::Devices(id));
                }
                self.after(if gpu { 8_000 } else { 1_100 }, Action::Initialize(id));
            }
            Action::Devices(id) => {
                self.world.report_devices(id);
                self.schedule_soon(200);
            }
            Action::Initialize(id) => self.initialize(id),
            Action::Settle(id) => {
                let held: Vec<PodId> = self
                    .world
                    .waiting()
                    .filter(|p| self.world.pod(*p).is_some_and(|p| p.nominated == Some(id)))
                    .collect();
                for pod in held {
                    self.world.release(pod);
                }
                self.provision_soon(500);
            }
            Action::Run(pod, pulled_in) => self.world.run(now, pod, pulled_in),
            Action::PodGone(pod) => {
                let workload = self.world.pod(pod).map(|p| p.workload);
                self.world.pod_gone(pod);
                if let Some(workload) = workload {
                    self.reconcile(workload);
                }
                self.schedule_soon(300);
            }
            Action::Disrupt => {
                self.disrupt();
                self.after(10_000, Action::Disrupt);
            }
            Action::Terminate(id) => self.terminate(id),
            Action::Evict(id, pod) => self.evict(id, pod),
            Action::WatchDrain(id) => self.watch_drain(id),
            Action::Stop(id) => {
                self.world.stop(now, id);
                self.between(3_000, 6_000, Action::Finalize(id));
            }
            Action::Finalize(id) => self.finalize(id),
            Action::Measure => {
                let lag = self.options.speed.shorten(15_000);
                self.world.measure(now, lag, self.reads_pods());
                self.world.show_pdbs();
                for pool in loads::pools() {
                    self.world.show_pool(&pool.name);
                }
                self.after(15_000, Action::Measure);
            }
            Action::Churn => self.churn(),
            Action::InterruptOne => {
                self.interrupt_one();
                self.between(45_000, 90_000, Action::InterruptOne);
            }
        }
    }

    fn reads_pods(&self) -> bool {
        self.options.nodes.is_none_or(|n| n <= POD_READINGS)
    }

    // --- the first list of a fleet that is there already ---

    fn list_node(&mut self, i: usize, of: usize) {
        let (pool, limit) = match i % 20 {
            3 | 8 | 13 | 18 => (SPOT, 16),
            6 => (loads::SYSTEM, 4),
            11 if of >= 20 => (GPU, 8),
            _ => (GENERAL, 16),
        };
        let least = if matches!(pool, SPOT | GENERAL) { 4 } else { 2 };
        let types: Vec<_> = loads::types(pool, limit).into_iter().filter(|t| t.vcpu >= least).collect();
        // One in fifty is of a type whose price this region's table does not know.
        let kind = if pool == GENERAL && i % 50 == 49 {
            crate::source::sim::catalog::find("c6a.2xlarge").unwrap_or(types[0])
        } else {
            types[self.rng.usize(..types.len())]
        };
        // Ages from minutes to twelve days, more of them young.
        let minutes = self.rng.i64(4..=130);
        let created = later(self.clock, -(minutes * minutes * 60_000));
        let zone = ZONES[self.rng.usize(..ZONES.len())];
        let id = self.world.found(created, pool, kind, zone);
        for daemon in self.daemons.clone() {
            self.world.found_pod(later(created, 20_000), daemon, id);
        }
        let most = kind.allocatable().cpu_millicores * self.rng.u64(55..=97) / 100;
        let mut tries = PODS_PER_NODE * 2;
        let fitting: Vec<WorkloadId> =
            self.loads.iter().copied().filter(|w| self.world.workload(*w).pools.iter().any(|p| p == pool)).collect();
        while tries > 0 && !fitting.is_empty() {
            tries -= 1;
            let load = fitting[self.rng.usize(..fitting.len())];
            let Some(m) = self.world.machine(id) else { break };
            let requests = &self.world.workload(load).requests;
            let full = m.pods.len() >= PODS_PER_NODE + 2 || m.requested.cpu_millicores + requests.cpu_millicores > most;
            if full || !m.fits(requests) {
                continue;
            }
            let young = self.rng.i64(1..=minutes * minutes);
            self.world.found_pod(later(self.clock, -(young * 60_000)), load, id);
            *self.wanted.entry(load).or_default() += 1;
        }
        let since = self.world.machine(id).and_then(|m| m.last_pod_event);
        let clock = self.clock;
        self.world.change_machine(id, |m| m.consolidatable = since.map(|at| later(at, 15_000).min(clock)));
    }

    // --- the story ---

    fn begin_story(&mut self) {
        self.limit_met = false;
        self.ending = false;
        for (i, (millis, _)) in SCENES.iter().enumerate() {
            self.after(*millis, Action::Scene(i));
        }
    }

    fn scene(&mut self, i: usize) {
        match SCENES[i].1 {
            Scene::Scale(load, to) => self.scale(self.loads[load], to),
            Scene::Interrupt => self.interrupt_one(),
            Scene::End => {
                self.ending = true;
                for load in self.loads.clone() {
                    self.scale(load, 0);
                }
                self.after(5_000, Action::Restart);
            }
        }
    }

    fn restart(&mut self) {
        if self.world.machines().next().is_some() {
            self.after(1_000, Action::Restart);
            return;
        }
        self.after(2_000, Action::Begin);
    }

    fn scale(&mut self, load: WorkloadId, to: usize) {
        self.wanted.insert(load, to);
        self.reconcile(load);
    }

    /// What a `ReplicaSet` or `StatefulSet` does: as many pods as wanted, endings not counted.
    fn reconcile(&mut self, load: WorkloadId) {
        let Some(wanted) = self.wanted.get(&load).copied() else { return };
        let stateful = self.world.workload(load).class == PodClass::StatefulSet;
        let all: Vec<PodId> = self.world.pods_of(load).collect();
        let alive: Vec<PodId> =
            all.iter().copied().filter(|p| self.world.pod(*p).is_some_and(|p| p.deleted.is_none())).collect();
        // A StatefulSet gives a name away only after its pod has gone.
        let held = if stateful { all.len() } else { alive.len() };
        for _ in held..wanted {
            self.world.create_pod(self.clock, load, None);
        }
        // Pods without a node go first, then the newest.
        let waits = |p: &PodId| self.world.pod(*p).is_some_and(|p| p.stage == PodStage::Waiting);
        let (waiting, placed): (Vec<PodId>, Vec<PodId>) = alive.iter().copied().partition(waits);
        let surplus = alive.len().saturating_sub(wanted);
        let going: Vec<PodId> = waiting.into_iter().rev().chain(placed.into_iter().rev()).take(surplus).collect();
        for pod in going {
            self.end(pod, None);
        }
        self.schedule_soon(300);
    }

    fn end(&mut self, pod: PodId, evicted: Option<&str>) {
        let bound = self.world.pod(pod).is_some_and(|p| p.machine.is_some());
        self.world.end_pod(self.clock, pod, self.options.speed.shorten(30_000), evicted);
        if bound {
            self.between(1_500, 5_000, Action::PodGone(pod));
        } else {
            self.world.pod_gone(pod);
        }
    }

    // --- the scheduler ---

    fn schedule_soon(&mut self, millis: i64) {
        if !self.soon.schedule {
            self.soon.schedule = true;
            self.after(millis, Action::Schedule);
        }
    }

    fn tolerates(&self, load: WorkloadId, m: &Machine) -> bool {
        self.world.workload(load).pools.contains(&m.pool)
    }

    fn schedule(&mut self) {
        self.soon.schedule = false;
        let waiting: Vec<PodId> = self.world.waiting().collect();
        let mut nowhere: FxHashMap<WorkloadId, String> = FxHashMap::default();
        for pod in waiting {
            let Some(p) = self.world.pod(pod) else { continue };
            let (load, nominated) = (p.workload, p.nominated);
            let requests = &self.world.workload(load).requests;
            let promised = nominated.filter(|id| {
                self.world.machine(*id).is_some_and(|m| m.takes_pods() && has_devices(m) && m.fits(requests))
            });
            let place = promised.or_else(|| {
                let mut machines = self.world.machines();
                let fits =
                    |m: &Machine| m.takes_pods() && has_devices(m) && self.tolerates(load, m) && m.has_room(requests);
                if nowhere.contains_key(&load) { None } else { machines.find(|(_, m)| fits(m)).map(|(id, _)| id) }
            });
            if let Some(id) = place {
                self.bind(pod, id);
                continue;
            }
            let verdict = nowhere.entry(load).or_insert_with(|| verdict(&self.world, load)).clone();
            if self.world.pod(pod).is_some_and(|p| p.verdict != verdict) {
                self.world.unschedulable(self.clock, pod, &verdict);
            }
        }
        if self.world.waiting().next().is_some() {
            self.provision_soon(1_500);
        }
    }

    fn bind(&mut self, pod: PodId, id: MachineId) {
        self.world.bind(self.clock, pod, id);
        let pulled_in = self.rng.i64(600..=3_400);
        self.after(pulled_in + 400, Action::Run(pod, pulled_in));
    }

    // --- Karpenter: provisioning ---

    fn provision_soon(&mut self, millis: i64) {
        if !self.soon.provision {
            self.soon.provision = true;
            self.after(millis, Action::Provision);
        }
    }

    /// On-demand vCPU of standard instances that are or will be running.
    fn standard_vcpu(&self, launched_only: bool) -> u64 {
        let counts = |m: &Machine| {
            m.pool != GPU && m.capacity_type == CapacityType::OnDemand && (m.launched.is_some() || !launched_only)
        };
        self.world.machines().filter(|(_, m)| counts(m)).filter_map(|(_, m)| m.kind).map(|t| t.vcpu).sum()
    }

    fn provision(&mut self) {
        self.soon.provision = false;
        let mut groups: BTreeMap<Name, Vec<PodId>> = BTreeMap::new();
        let unplaced = self
            .world
            .waiting()
            .filter(|id| self.world.pod(*id).is_some_and(|p| p.nominated.is_none() && !p.verdict.is_empty()));
        for id in unplaced.collect::<Vec<_>>() {
            let Some(pod) = self.world.pod(id) else { continue };
            let spec = self.world.workload(pod.workload);
            let Some(pool) = spec.pools.first() else { continue };
            groups.entry(pool.clone()).or_default().push(id);
        }
        for (pool, pods) in groups {
            let rest = self.nominate_existing(&pool, pods);
            self.make_claims(&pool, rest);
        }
    }

    /// Room that is on its way takes pods first.
    fn nominate_existing(&mut self, pool: &str, pods: Vec<PodId>) -> Vec<PodId> {
        let coming: Vec<MachineId> = self
            .world
            .machines()
            .filter(|(_, m)| m.initialized.is_none() && m.deleted.is_none() && m.pool == pool)
            .map(|(id, _)| id)
            .collect();
        let mut rest = Vec::new();
        for pod in pods {
            let Some(requests) = self.world.pod(pod).map(|p| self.world.workload(p.workload).requests.clone()) else {
                continue;
            };
            let place = coming.iter().find(|id| self.world.machine(**id).is_some_and(|m| m.has_room(&requests)));
            match place {
                Some(id) => self.world.nominate(self.clock, pod, *id, true),
                None => rest.push(pod),
            }
        }
        rest
    }

    fn overhead(&self) -> Resources {
        let mut sum = Resources::default();
        for daemon in &self.daemons {
            sum.add(&self.world.workload(*daemon).requests);
        }
        sum.pods = self.daemons.len() as u64;
        sum
    }

    fn make_claims(&mut self, pool: &str, mut pods: Vec<PodId>) {
        let mut spoken = 0;
        while !pods.is_empty() {
            let mut limit = u64::MAX;
            if self.limit_met && pool == GENERAL {
                limit = VCPU_LIMIT.saturating_sub(self.standard_vcpu(false));
            }
            let types = loads::types(pool, limit);
            let Some((kind, taken)) = self.choose(&types, &pods) else {
                // No machine of this pool may be asked for: spot is another quota.
                let spot: Vec<PodId> = pods.into_iter().filter(|p| pool != SPOT && self.may_use_spot(*p)).collect();
                if !spot.is_empty() {
                    let rest = self.nominate_existing(SPOT, spot);
                    self.make_claims(SPOT, rest);
                }
                return;
            };
            let rest = pods.split_off(taken);
            let mut asked = self.overhead();
            asked.pods = 0;
            for pod in &pods {
                if let Some(p) = self.world.pod(*pod) {
                    asked.add(&self.world.workload(p.workload).requests);
                }
            }
            let id = self.claim(pool, kind, asked);
            for pod in std::mem::replace(&mut pods, rest) {
                self.world.nominate(self.clock, pod, id, spoken < NOMINATIONS_SPOKEN);
                spoken += 1;
            }
        }
    }

    fn may_use_spot(&self, pod: PodId) -> bool {
        self.world.pod(pod).is_some_and(|p| self.world.workload(p.workload).pools.iter().any(|p| p == SPOT))
    }

    /// The smallest type that takes all pods, or else the one that takes most of them; with how many it takes.
    fn choose(&self, types: &[&'static InstanceType], pods: &[PodId]) -> Option<(&'static InstanceType, usize)> {
        let mut best: Option<(&'static InstanceType, usize)> = None;
        for kind in types {
            let mut trial = Machine { kind: Some(*kind), requested: self.overhead(), ..Machine::default() };
            trial.reserved.pods = self.daemons.len() as u64;
            let mut taken = 0;
            for pod in pods {
                let Some(p) = self.world.pod(*pod) else { continue };
                let requests = &self.world.workload(p.workload).requests;
                if !trial.has_room(requests) {
                    break;
                }
                trial.reserved.add(requests);
                trial.reserved.pods += 1;
                taken += 1;
            }
            if taken > best.map_or(0, |(_, most)| most) {
                best = Some((kind, taken));
            }
            if taken == pods.len() {
                break;
            }
        }
        best
    }

    fn claim(&mut self, pool: &str, kind: &'static InstanceType, requests: Resources) -> MachineId {
        let types = loads::types(pool, u64::MAX).into_iter().filter(|t| t.vcpu >= kind.vcpu);
        let types = types.map(|t| Name::from(t.name)).collect();
        let id = self.world.claim(self.clock, Asked { name: Name::default(), pool: pool.into(), requests, types });
        let overhead = self.overhead();
        self.world.prepare_machine(id, |m| {
            m.kind = Some(kind);
            // Room for the DaemonSets that will come.
            m.reserved = overhead;
        });
        self.between(1_500, 2_300, Action::Launch(id));
        id
    }

    fn launch(&mut self, id: MachineId) {
        let Some(m) = self.world.machine(id) else { return };
        let Some(kind) = m.kind else { return };
        let story = self.options.nodes.is_none();
        let standard = m.pool != GPU && m.capacity_type == CapacityType::OnDemand;
        let zone = ZONES[self.rng.usize(..ZONES.len())];
        let error = if story && standard && self.standard_vcpu(true) + kind.vcpu > VCPU_LIMIT {
            self.limit_met = true;
            Some(text::vcpu_limit(VCPU_LIMIT))
        } else if !story && self.rng.u8(..30) == 0 {
            Some(text::no_capacity(kind.name, zone))
        } else {
            None
        };
        let Some(error) = error else {
            let instance = self.world.instance_id();
            self.world.launch(self.clock, id, kind, zone, instance);
            self.between(3_500, 5_500, Action::Join(id));
            return;
        };
        self.world.fail_launch(self.clock, id, &error);
        if let Some(old) = self.replaces.remove(&id) {
            self.world.spare(old);
        }
        self.after(900, Action::Finalize(id));
    }

    fn initialize(&mut self, id: MachineId) {
        let overhead = self.overhead();
        self.world.prepare_machine(id, |m| {
            // The DaemonSets are there now and counted themselves.
            m.reserved.subtract(&overhead);
            m.reserved.pods = m.reserved.pods.saturating_sub(overhead.pods);
        });
        self.world.initialize(self.clock, id);
        self.schedule_soon(200);
        self.after(4_000, Action::Settle(id));
        if let Some(old) = self.replaces.remove(&id) {
            self.after(1_500, Action::Terminate(old));
        }
    }

    // --- Karpenter: disruption ---

    /// Machines of the pool that may still be chosen: its budget less what is on its way out.
    fn allowed(&self, pool: &str) -> usize {
        let of_pool = || self.world.machines().filter(|(_, m)| m.pool == pool && m.initialized.is_some());
        let leaving = of_pool().filter(|(_, m)| m.disrupted.is_some() || m.deleted.is_some()).count();
        of_pool().count().div_ceil(2).saturating_sub(leaving)
    }

    fn is_empty(&self, m: &Machine) -> bool {
        m.pods
            .iter()
            .all(|p| self.world.pod(*p).is_none_or(|p| self.world.workload(p.workload).class == PodClass::DaemonSet))
    }

    fn disrupt(&mut self) {
        self.mark_consolidatable();
        let candidates: Vec<MachineId> = self
            .world
            .machines()
            .filter(|(_, m)| m.consolidatable.is_some() && m.takes_pods() && m.initialized.is_some())
            .map(|(id, _)| id)
            .collect();
        let mut chosen = 0;
        for id in &candidates {
            let Some(m) = self.world.machine(*id) else { continue };
            let pool = m.pool.clone();
            if self.is_empty(m) && m.reserved.pods == 0 && self.allowed(&pool) > 0 {
                self.world.disrupt(self.clock, *id, "Empty");
                self.between(1_500, 2_500, Action::Terminate(*id));
                chosen += 1;
            }
        }
        let busy = self.world.waiting().next().is_some() || self.world.machines().any(|(_, m)| m.initialized.is_none());
        let small = self.world.machines().nth(100).is_none();
        // A busy small cluster is left alone; a large one is always busy somewhere.
        if chosen == 0 && !self.ending && (!busy || !small) {
            self.consolidate_one(&candidates);
        }
    }

    fn mark_consolidatable(&mut self) {
        let due: Vec<MachineId> = self
            .world
            .machines()
            .filter(|(_, m)| m.consolidatable.is_none() && m.takes_pods() && m.initialized.is_some())
            .filter(|(_, m)| self.past(m.last_pod_event.max(m.initialized), 15_000))
            .map(|(id, _)| id)
            .collect();
        let now = self.clock;
        for id in due {
            self.world.change_machine(id, |m| m.consolidatable = Some(now));
        }
    }

    /// Takes away the emptiest machine whose pods fit elsewhere, or replaces it by a smaller one.
    fn consolidate_one(&mut self, candidates: &[MachineId]) {
        let fill = |m: &Machine| m.requested.cpu_millicores * 1000 / m.allocatable().cpu_millicores.max(1);
        let mut by_fill: Vec<(u64, MachineId)> =
            candidates.iter().filter_map(|id| Some((fill(self.world.machine(*id)?), *id))).collect();
        by_fill.sort_unstable();
        for (fill, id) in by_fill.into_iter().take(8) {
            let Some(m) = self.world.machine(id) else { continue };
            if fill > 600 || self.allowed(&m.pool) == 0 || self.is_empty(m) {
                continue;
            }
            if self.fits_elsewhere(id, m) {
                self.world.disrupt(self.clock, id, "Underutilized");
                self.between(2_500, 3_500, Action::Terminate(id));
                return;
            }
            // Replacing spot by spot needs a feature gate that is off by default.
            if m.capacity_type == CapacityType::Spot {
                continue;
            }
            let Some(kind) = m.kind else { continue };
            let (pool, requested) = (m.pool.clone(), m.requested.clone());
            let room = Machine { ..Machine::default() };
            let smaller = loads::types(&pool, kind.vcpu / 2).into_iter().find(|t| {
                let trial = Machine { kind: Some(*t), ..room.clone() };
                trial.fits(&requested) && m.pods.len() as u64 <= t.max_pods()
            });
            if let Some(kind) = smaller {
                self.world.disrupt(self.clock, id, "Underutilized");
                let new = self.claim(&pool, kind, requested);
                self.world.announce_replacement(self.clock, new, "Underutilized");
                self.replaces.insert(new, id);
                return;
            }
        }
    }

    fn fits_elsewhere(&self, id: MachineId, m: &Machine) -> bool {
        let mut filled: BTreeMap<MachineId, Machine> = BTreeMap::new();
        let moving = m.pods.iter().filter_map(|p| self.world.pod(*p));
        for pod in moving {
            let spec = self.world.workload(pod.workload);
            if spec.class == PodClass::DaemonSet {
                continue;
            }
            let place = self.world.machines().find(|(other, o)| {
                let o = filled.get(other).unwrap_or(o);
                *other != id
                    && o.initialized.is_some()
                    && o.takes_pods()
                    && spec.pools.contains(&o.pool)
                    && o.has_room(&spec.requests)
            });
            let Some((other, o)) = place else { return false };
            let o = filled.entry(other).or_insert_with(|| o.clone());
            o.reserved.add(&spec.requests);
            o.reserved.pods += 1;
        }
        true
    }

    fn interrupt_one(&mut self) {
        let spot: Vec<MachineId> = self
            .world
            .machines()
            .filter(|(_, m)| m.capacity_type == CapacityType::Spot && m.takes_pods() && m.initialized.is_some())
            .map(|(id, _)| id)
            .collect();
        if spot.is_empty() {
            return;
        }
        let id = spot[self.rng.usize(..spot.len())];
        self.world.interrupt(self.clock, id);
        self.after(1_000, Action::Terminate(id));
    }

    fn terminate(&mut self, id: MachineId) {
        let Some(m) = self.world.machine(id).filter(|m| m.deleted.is_none()) else { return };
        let moving: Vec<PodId> = m.pods.iter().copied().collect();
        self.world.drain(self.clock, id);
        let mut wait = 400;
        for pod in moving {
            let daemon = self.world.pod(pod).is_none_or(|p| self.is_daemon(p.workload));
            if !daemon {
                self.after(wait, Action::Evict(id, pod));
                wait += 130;
            }
        }
        self.after(1_000, Action::WatchDrain(id));
    }

    fn is_daemon(&self, load: WorkloadId) -> bool {
        self.world.workload(load).class == PodClass::DaemonSet
    }

    fn evict(&mut self, id: MachineId, pod: PodId) {
        let Some(p) = self.world.pod(pod).filter(|p| p.deleted.is_none()) else { return };
        let load = p.workload;
        let reason = self.world.machine(id).and_then(|m| m.disruption_reason.clone());
        self.end(pod, Some(reason.as_deref().unwrap_or("Forceful Termination")));
        self.reconcile(load);
    }

    fn watch_drain(&mut self, id: MachineId) {
        let Some(m) = self.world.machine(id) else { return };
        // A pod that was bound while the drain began is evicted too.
        let late: BTreeSet<PodId> = m
            .pods
            .iter()
            .copied()
            .filter(|p| self.world.pod(*p).is_some_and(|p| p.deleted.is_none() && !self.is_daemon(p.workload)))
            .collect();
        // Karpenter looks again after five seconds at the earliest.
        if !self.is_empty(m) || !self.past(m.deleted, 4_900) {
            if self.past(m.deleted, 20_000) {
                for pod in late {
                    self.evict(id, pod);
                }
            }
            self.after(1_000, Action::WatchDrain(id));
            return;
        }
        self.world.drained(self.clock, id);
        self.between(1_500, 2_500, Action::Stop(id));
    }

    fn finalize(&mut self, id: MachineId) {
        self.world.finalize(self.clock, id);
        self.schedule_soon(300);
        self.provision_soon(3_000);
    }

    // --- a fleet's days ---

    fn churn(&mut self) {
        let load = self.loads[self.rng.usize(..self.loads.len())];
        let nodes = self.world.machines().filter(|(_, m)| m.deleted.is_none()).count();
        let target = self.options.nodes.unwrap_or(0);
        let more = self.rng.usize(..100) < if nodes > target { 35 } else { 65 };
        let by = self.rng.usize(1..=(target / 40).clamp(3, 24));
        let wanted = self.wanted.get(&load).copied().unwrap_or(0);
        // GPUs are dear: their workloads move by one.
        let by = if self.world.workload(load).requests.extended.is_empty() { by } else { 1 };
        self.scale(load, if more { wanted + by } else { wanted.saturating_sub(by).max(1) });
        self.between(1_200, 3_500, Action::Churn);
    }
}

fn has_devices(m: &Machine) -> bool {
    m.devices
}

/// Why no node takes a pod of this workload, in the scheduler's words.
fn verdict(world: &World, load: WorkloadId) -> String {
    let spec = world.workload(load);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut nodes = 0;
    for (_, m) in world.machines().filter(|(_, m)| m.joined.is_some()) {
        nodes += 1;
        let all = m.allocatable();
        let lacks = |have: u64, taken: u64, want: u64| taken + want > have;
        let reason = if !m.takes_pods() || !spec.pools.contains(&m.pool) {
            "node(s) had untolerated taint(s)".to_owned()
        } else if let Some((name, _)) = spec.requests.extended.iter().find(|(name, want)| {
            let of = |r: &Resources| r.extended.get(*name).copied().unwrap_or(0);
            !m.devices || lacks(of(&all), of(&m.requested), **want)
        }) {
            format!("Insufficient {name}")
        } else if lacks(all.memory_bytes, m.requested.memory_bytes, spec.requests.memory_bytes) {
            "Insufficient memory".to_owned()
        } else if m.pods.len() as u64 >= all.pods {
            "Too many pods".to_owned()
        } else {
            "Insufficient cpu".to_owned()
        };
        *reasons.entry(reason).or_default() += 1;
    }
    let reasons: Vec<(usize, String)> = reasons.into_iter().map(|(reason, n)| (n, reason)).collect();
    text::no_node_fits(nodes, &reasons)
}

impl Script for Fleet {
    fn due(&self) -> Option<Timestamp> {
        match self.unlisted {
            None => self.queue.keys().next().map(|(at, _)| *at),
            Some(_) => Some(self.clock),
        }
    }

    fn play(&mut self, now: Timestamp) -> Vec<Change> {
        if now < self.clock {
            return Vec::new();
        }
        while let Some(left) = self.unlisted.filter(|_| self.world.gathered() < BATCH) {
            self.unlisted = left.checked_sub(1);
            match self.unlisted {
                Some(_) => {
                    let of = self.options.nodes.unwrap_or(0);
                    self.list_node(of - left, of);
                }
                None => {
                    self.world.opened(LinkState::Live);
                    if self.reads_pods() {
                        self.world.link(Stream::PodMetrics, LinkState::Live);
                    }
                }
            }
        }
        while self.unlisted.is_none() && self.world.gathered() < BATCH {
            let Some(entry) = self.queue.first_entry().filter(|e| e.key().0 <= now) else { break };
            let ((at, _), action) = entry.remove_entry();
            self.clock = at;
            self.act(action);
        }
        self.world.take()
    }
}
