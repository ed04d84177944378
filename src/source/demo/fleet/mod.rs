//! The demo's controllers over the simulated cluster: minimal versions of the scheduler, of Karpenter's provisioning and
//! of its disruption.

mod disrupt;
mod provision;
mod schedule;

use super::Options;
use super::loads::{self, GENERAL, GPU, SCENES, SPOT, Scene, ZONES};
use crate::model::{About, Change, LinkState, PodClass, Provisioner, Stream, Timestamp};
use crate::source::sim::play::{BATCH, Script};
use crate::source::sim::{InstanceId, PodId, PodStage, WorkloadId, World, later};
use std::collections::BTreeMap;

/// The vCPU quota of on-demand standard instances in the story; EC2's default for new accounts is lower.
const VCPU_LIMIT: u64 = 32;
/// Up to this number of nodes, a fleet has pod metrics.
const POD_READINGS: usize = 100;
/// Initial pods per node of a fleet.
const PODS_PER_NODE: usize = 32;
/// Karpenter's rate limit of nomination events has a burst of ten.
const NOMINATION_BURST: usize = 10;

#[derive(Clone, Copy, Debug)]
enum Action {
    Scene(usize),
    Restart,
    Begin,
    Schedule,
    Provision,
    Launch(InstanceId),
    Join(InstanceId),
    Register(InstanceId),
    Ready(InstanceId),
    Devices(InstanceId),
    Initialize(InstanceId),
    /// The nominations of an instance expire.
    Settle(InstanceId),
    Run(PodId, i64),
    PodGone(PodId),
    Disrupt,
    Terminate(InstanceId),
    Evict(InstanceId, PodId),
    WatchDrain(InstanceId),
    Stop(InstanceId),
    Finalize(InstanceId),
    Measure,
    Churn,
    /// The batch job starts (true) or ends.
    Burst(bool),
    InterruptOne,
}

/// A simulated fleet. [`Self::step`] advances its time.
#[derive(Debug)]
pub struct Fleet {
    options: Options,
    world: World,
    rng: fastrand::Rng,
    clock: Timestamp,
    queue: BTreeMap<(Timestamp, u64), Action>,
    queued: u64,
    /// Nodes still to be listed; `None` once the first lists are complete.
    unlisted: Option<usize>,
    daemons: Vec<WorkloadId>,
    loads: Vec<WorkloadId>,
    wanted: BTreeMap<WorkloadId, usize>,
    /// The instance that each replacement claim replaces.
    replaces: BTreeMap<InstanceId, InstanceId>,
    limit_met: bool,
    ending: bool,
    soon: Soon,
}

/// Whether each controller is already queued.
#[derive(Clone, Copy, Debug, Default)]
struct Soon {
    schedule: bool,
    provision: bool,
}

impl Fleet {
    /// A fleet that starts at `start`.
    pub fn new(options: Options, start: Timestamp) -> Self {
        let mut rng = fastrand::Rng::with_seed(options.seed);
        let mut world = World::new("ap-northeast-2", "1.36", true, rng.u64(..));
        world.open(About {
            context: "demo".to_owned(),
            server: String::new(),
            version: "1.36".to_owned(),
            provisioners: vec![Provisioner::AutoMode],
        });
        for pool in loads::pools() {
            world.apply_pool(start, pool);
        }
        let daemons = loads::daemons().into_iter().map(|spec| world.add_workload(spec)).collect();
        let specs = match options.nodes {
            None => loads::story(),
            Some(n) => loads::fleet((n / 25).clamp(12, 190), &mut rng),
        };
        let loads: Vec<WorkloadId> = specs.into_iter().map(|spec| world.add_workload(spec)).collect();
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
            fleet.after(6_000, Action::Burst(true));
            fleet.after(25_000, Action::InterruptOne);
        } else {
            fleet.begin_story();
        }
        fleet.after(1_000, Action::Measure);
        fleet.after(10_000, Action::Disrupt);
        fleet
    }

    /// The changes up to `now`, including the first list. A time before the last step gives none.
    pub fn step(&mut self, now: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        while self.due().is_some_and(|due| due <= now) {
            changes.append(&mut self.play(now));
        }
        changes
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
                let gpu = self.world.instance(id).is_some_and(|m| !m.devices);
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
            Action::Burst(comes) => self.burst(comes),
            Action::InterruptOne => {
                self.interrupt_one();
                self.between(45_000, 90_000, Action::InterruptOne);
            }
        }
    }

    fn reads_pods(&self) -> bool {
        self.options.nodes.is_none_or(|n| n <= POD_READINGS)
    }

    // --- the first list of a fleet with a size ---

    fn list_node(&mut self, i: usize, of: usize) {
        let (pool, limit) = match i % 20 {
            2 | 7 | 12 | 17 => (SPOT, 16),
            6 => (loads::SYSTEM, 4),
            11 if of >= 20 => (GPU, 8),
            _ => (GENERAL, 16),
        };
        let least = if matches!(pool, SPOT | GENERAL) { 4 } else { 2 };
        let types: Vec<_> = loads::types(pool, limit).into_iter().filter(|t| t.vcpu >= least).collect();
        let kind = types[self.rng.usize(..types.len())];
        // Ages from minutes to twelve days, mostly young.
        let minutes = self.rng.i64(4..=130);
        let created = later(self.clock, -(minutes * minutes * 60_000));
        let zone = ZONES[self.rng.usize(..ZONES.len())];
        let id = self.world.add_existing(created, pool, kind, zone);
        for daemon in self.daemons.clone() {
            self.world.add_existing_pod(later(created, 20_000), daemon, id);
        }
        let most = kind.allocatable().cpu_millicores * self.rng.u64(55..=97) / 100;
        let mut tries = PODS_PER_NODE * 2;
        let fitting: Vec<WorkloadId> =
            self.steady().iter().copied().filter(|w| self.world.workload(*w).pools.iter().any(|p| p == pool)).collect();
        while tries > 0 && !fitting.is_empty() {
            tries -= 1;
            // Larger instances have larger pods.
            let draws = (0..kind.vcpu.div_ceil(5)).map(|_| fitting[self.rng.usize(..fitting.len())]);
            let larger = draws.max_by_key(|load| self.world.workload(*load).requests.cpu_millicores);
            let Some(load) = larger else { break };
            let Some(m) = self.world.instance(id) else { break };
            let requests = &self.world.workload(load).requests;
            let full = m.pods.len() >= PODS_PER_NODE + 2 || m.requested.cpu_millicores + requests.cpu_millicores > most;
            if full || !m.fits(requests) {
                continue;
            }
            let young = self.rng.i64(1..=minutes * minutes);
            self.world.add_existing_pod(later(self.clock, -(young * 60_000)), load, id);
            *self.wanted.entry(load).or_default() += 1;
        }
        let since = self.world.instance(id).and_then(|m| m.last_pod_event);
        let clock = self.clock;
        self.world.change_instance(id, |m| m.consolidatable = since.map(|at| later(at, 15_000).min(clock)));
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
        if self.world.instances().next().is_some() {
            self.after(1_000, Action::Restart);
            return;
        }
        self.after(2_000, Action::Begin);
    }

    fn scale(&mut self, load: WorkloadId, to: usize) {
        self.wanted.insert(load, to);
        self.reconcile(load);
    }

    /// Reconciles the number of pods like a `ReplicaSet` or `StatefulSet`; pods being deleted do not count.
    fn reconcile(&mut self, load: WorkloadId) {
        let Some(wanted) = self.wanted.get(&load).copied() else { return };
        let stateful = self.world.workload(load).class == PodClass::StatefulSet;
        let pods: Vec<PodId> = self.world.pods_of(load).collect();
        let alive: Vec<PodId> =
            pods.iter().copied().filter(|p| self.world.pod(*p).is_some_and(|p| p.deleted.is_none())).collect();
        // A StatefulSet reuses a name only after its pod is removed.
        let held = if stateful { pods.len() } else { alive.len() };
        for _ in held..wanted {
            self.world.create_pod(self.clock, load, None);
        }
        // Delete pods without a node first, then the newest.
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
        let bound = self.world.pod(pod).is_some_and(|p| p.instance.is_some());
        self.world.end_pod(self.clock, pod, self.options.speed.shorten(30_000), evicted);
        if bound {
            self.between(1_500, 5_000, Action::PodGone(pod));
        } else {
            self.world.pod_gone(pod);
        }
    }

    // --- the life of a fleet with a size ---

    /// All workloads except the batch job.
    fn steady(&self) -> &[WorkloadId] {
        self.loads.split_last().map_or(&[], |(_, steady)| steady)
    }

    /// Starts or ends the batch job, which needs additional nodes.
    fn burst(&mut self, comes: bool) {
        let Some(load) = self.loads.last().copied() else { return };
        let size = (self.options.nodes.unwrap_or(0) / 40).clamp(1, 20);
        let pods = size + self.rng.usize(0..=size);
        self.scale(load, if comes { pods } else { 0 });
        let next = if comes { 40_000..=55_000 } else { 15_000..=30_000 };
        self.between(*next.start(), *next.end(), Action::Burst(!comes));
    }

    fn churn(&mut self) {
        let steady = self.steady().len();
        let load = self.loads[self.rng.usize(..steady)];
        let nodes = self.world.instances().filter(|(_, m)| m.deleted.is_none()).count();
        let target = self.options.nodes.unwrap_or(0);
        let more = self.rng.usize(..100) < if nodes > target { 35 } else { 65 };
        let by = self.rng.usize(1..=(target / 40).clamp(3, 24));
        let wanted = self.wanted.get(&load).copied().unwrap_or(0);
        // GPU workloads change by one replica.
        let by = if self.world.workload(load).requests.extended.is_empty() { by } else { 1 };
        self.scale(load, if more { wanted + by } else { wanted.saturating_sub(by).max(1) });
        self.between(1_200, 3_500, Action::Churn);
    }
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
        while let Some(left) = self.unlisted.filter(|_| self.world.pending_changes() < BATCH) {
            self.unlisted = left.checked_sub(1);
            if self.unlisted.is_some() {
                let of = self.options.nodes.unwrap_or(0);
                self.list_node(of - left, of);
                continue;
            }
            self.world.opened(LinkState::Live);
            if self.reads_pods() {
                self.world.link(Stream::PodMetrics, LinkState::Live);
            }
        }
        while self.unlisted.is_none() && self.world.pending_changes() < BATCH {
            let Some(entry) = self.queue.first_entry().filter(|e| e.key().0 <= now) else { break };
            let ((at, _), action) = entry.remove_entry();
            self.clock = at;
            self.act(action);
        }
        self.world.take()
    }
}
