//! Plays the lines of a scenario in a simulated cluster.

use super::Step;
use super::parse::{Line, Moment, Pods, Problem, ScenarioError, Verb};
use crate::model::{
    About, Condition, EventKind, LinkState, Name, ObjectRef, PodClass, Provisioner, Resource, Resources, Stream,
    Timestamp, Usage,
};
use crate::source::sim::{ClaimRequest, InstanceId, PodId, PodStage, Speed, WorkloadId, World, later};
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// The seed of names and UIDs, which are the same in every run.
const SEED: u64 = 1;

struct Run {
    world: World,
    workloads: BTreeMap<String, (WorkloadId, Vec<PodId>)>,
    usage: BTreeMap<Name, Usage>,
    opened: bool,
}

/// The steps of a scenario for a start time.
pub(super) fn steps(file: &str, lines: &[Line], start: Timestamp, speed: Speed) -> Result<Vec<Step>, ScenarioError> {
    let mut steps: Vec<Step> = Vec::new();
    let mut run: Option<Run> = None;
    for line in lines {
        let fail = |problem| ScenarioError { file: file.to_owned(), line: line.number, problem };
        let offset = speed.shorten(line.millis);
        let at = SignedDuration::from_millis(offset);
        if let Verb::Cluster { region, auto, version } = &line.verb {
            if run.is_some() {
                return Err(fail(Problem::Order { what: "a scenario has one cluster" }));
            }
            run = Some(Run::new(file, region, *auto, version));
        }
        let Some(run) = run.as_mut() else { return Err(fail(Problem::NoCluster)) };
        // An expectation ends a step: later lines with the same time are another step.
        if steps.last().is_none_or(|s| s.at != at || (!s.expects.is_empty() && !matches!(line.verb, Verb::Expect(_)))) {
            steps.push(Step { at, changes: Vec::new(), expects: Vec::new() });
        }
        let Some(step) = steps.last_mut() else { continue };
        match &line.verb {
            Verb::Expect(expect) => {
                run.open();
                step.expects.push(expect.clone());
            }
            verb => run.act(later(start, offset), verb).map_err(fail)?,
        }
        step.changes.append(&mut run.world.take());
    }
    if let (Some(run), Some(step)) = (run.as_mut(), steps.last_mut()) {
        run.open();
        step.changes.append(&mut run.world.take());
    }
    Ok(steps)
}

impl Run {
    fn new(file: &str, region: &str, auto: bool, version: &str) -> Self {
        let mut world = World::new(region, version, auto, SEED);
        let context = file.rsplit('/').next().unwrap_or(file);
        let context = context.split('.').next().unwrap_or(context);
        world.open(About {
            context: context.to_owned(),
            server: String::new(),
            version: version.to_owned(),
            provisioners: vec![if auto { Provisioner::AutoMode } else { Provisioner::Karpenter }],
        });
        Self { world, workloads: BTreeMap::new(), usage: BTreeMap::new(), opened: false }
    }

    /// Completes the lists; called before the first line other than `pool` that changes or expects something.
    fn open(&mut self) {
        if !self.opened {
            self.opened = true;
            // The metrics streams become live with the first `usage` line.
            self.world.opened(LinkState::Absent);
        }
    }

    fn instance(&self, name: &str) -> Result<InstanceId, Problem> {
        self.world.find_instance(name).ok_or_else(|| {
            let names = self.world.instances().flat_map(|(_, m)| [m.claim.as_str(), m.instance.as_str()]);
            Problem::unknown("claim or node", name, names.filter(|n| !n.is_empty()))
        })
    }

    fn node(&self, name: &str) -> Result<InstanceId, Problem> {
        let id = self.instance(name)?;
        let joined = self.world.instance(id).is_some_and(|m| m.joined.is_some());
        if joined { Ok(id) } else { Err(Problem::Order { what: "the node has not joined yet: write joined before" }) }
    }

    fn workload(&self, name: &str) -> Result<&(WorkloadId, Vec<PodId>), Problem> {
        let known = || self.workloads.keys().map(String::as_str);
        self.workloads.get(name).ok_or_else(|| Problem::unknown("workload", name, known()))
    }

    fn pods(&self, pods: &Pods) -> Result<Vec<PodId>, Problem> {
        let (_, created) = self.workload(&pods.workload)?;
        if created.len() < pods.from || (pods.to != usize::MAX && created.len() < pods.to) {
            return Err(Problem::Order { what: "the workload does not have that many pods yet: write scale before" });
        }
        let chosen = created.iter().copied().skip(pods.from - 1).take(pods.to - pods.from + 1);
        Ok(chosen.filter(|id| self.world.pod(*id).is_some()).collect())
    }

    fn act(&mut self, at: Timestamp, verb: &Verb) -> Result<(), Problem> {
        if !matches!(verb, Verb::Cluster { .. } | Verb::Pool(_) | Verb::Workload { .. }) {
            self.open();
        }
        match verb {
            Verb::Cluster { .. } | Verb::Expect(_) => {}
            Verb::Pool(spec) => self.world.apply_pool(at, spec.clone()),
            Verb::Workload { spec, replica_set } => {
                let id = self.world.add_workload(spec.clone());
                if let Some(name) = replica_set {
                    self.world.set_owner(id, "ReplicaSet", name);
                }
                self.workloads.insert(spec.name.to_string(), (id, Vec::new()));
            }
            Verb::Scale { workload, to } => self.scale(at, workload, *to)?,
            Verb::Unschedulable { pods, verdict } => {
                for id in self.pods(pods)? {
                    if self.world.pod(id).is_some_and(|p| p.stage == PodStage::Waiting) {
                        self.world.unschedulable(at, id, verdict);
                    }
                }
            }
            Verb::Nominated { pods, claim } => {
                let instance = self.instance(claim)?;
                for id in self.pods(pods)? {
                    self.world.nominate(at, id, instance, true);
                }
            }
            Verb::Bound { pods, node } => self.bind(at, pods, node)?,
            Verb::Running { pods } => {
                for id in self.pods(pods)? {
                    self.world.run(at, id, 2140);
                }
            }
            Verb::Ending { pods, grace_seconds, evicted } => {
                for id in self.pods(pods)? {
                    self.world.end_pod(at, id, grace_seconds.saturating_mul(1000), evicted.as_deref());
                }
            }
            Verb::PodsGone { pods } => {
                for id in self.pods(pods)? {
                    self.world.pod_gone(id);
                }
            }
            Verb::Event { warning, component, kind, namespace, name, reason, message } => {
                let kind_of = if *warning { EventKind::Warning } else { EventKind::Normal };
                let by = if component.is_empty() { self.world.karpenter() } else { component };
                let (kind, namespace, name) = (kind.into(), namespace.into(), name.into());
                self.world.emit(at, kind_of, by, ObjectRef { kind, namespace, name }, reason, message);
            }
            Verb::Stream { stream, state } => {
                let state = match state {
                    LinkState::Retrying { why, .. } => LinkState::Retrying { at: later(at, 5000), why: why.clone() },
                    other => other.clone(),
                };
                self.world.link(*stream, state);
            }
            verb => self.act_on_instance(at, verb)?,
        }
        Ok(())
    }

    fn act_on_instance(&mut self, at: Timestamp, verb: &Verb) -> Result<(), Problem> {
        match verb {
            Verb::Claim { name, pool, asks, types } => {
                if self.world.pool(pool).is_none() {
                    return Err(Problem::unknown("nodepool", pool, self.world.pools().map(|p| p.name.as_str())));
                }
                if self.world.find_instance(name).is_some() {
                    return Err(Problem::Order { what: "a claim with this name already exists" });
                }
                let (name, pool) = (name.into(), pool.into());
                self.world.claim(at, ClaimRequest { name, pool, requests: asks.clone(), types: types.clone() });
            }
            Verb::Launched { claim, instance, kind, zone, capacity_type, allocatable } => {
                let id = self.instance(claim)?;
                let (chosen, known) = (*capacity_type, allocatable.clone());
                // Sent with the launch.
                self.world.prepare_instance(id, |m| {
                    m.capacity_type = chosen.unwrap_or(m.capacity_type);
                    if let Some(known) = known {
                        let mut allocatable = kind.allocatable();
                        override_with(&mut allocatable, &known);
                        m.claimed_allocatable = Some(allocatable);
                    }
                });
                self.world.launch(at, id, kind, zone, instance.into());
            }
            Verb::Joined { instance, allocatable } => {
                let id = self.instance(instance)?;
                let Some(kind) = self.world.instance(id).filter(|m| m.launched.is_some()).and_then(|m| m.kind) else {
                    return Err(Problem::Order { what: "the claim has not launched yet: write launched before" });
                };
                let mut amounts = kind.allocatable();
                if let Some(known) = allocatable {
                    override_with(&mut amounts, known);
                }
                self.world.prepare_instance(id, |m| m.node_allocatable = Some(amounts));
                self.world.join(at, id);
            }
            Verb::Moment { instance, moment } => self.moment(at, instance, *moment)?,
            Verb::Failed { claim, error } => {
                let id = self.instance(claim)?;
                self.world.fail_launch(at, id, error);
            }
            Verb::Disrupted { instance, reason } => {
                let id = self.node(instance)?;
                self.world.disrupt(at, id, reason);
            }
            Verb::Condition { instance, kind, status, reason, message } => {
                let id = self.node(instance)?;
                let condition = Condition {
                    kind: kind.into(),
                    status: *status,
                    reason: reason.into(),
                    message: message.into(),
                    since: Some(at),
                };
                self.world.change_instance(id, |m| {
                    m.conditions.retain(|c| c.kind != condition.kind);
                    m.conditions.push(condition);
                });
            }
            Verb::Taint { instance, taint, set } => {
                let id = self.node(instance)?;
                self.world.change_instance(id, |m| {
                    m.taints.retain(|t| t.key != taint.key || t.effect != taint.effect);
                    if *set {
                        m.taints.push(taint.clone());
                    }
                });
            }
            Verb::Label { instance, key, value } => {
                let id = self.node(instance)?;
                let pair = (Name::from(key), Name::from(value));
                self.world.change_instance(id, |m| m.labels.push(pair));
            }
            Verb::Usage { instance, used } => {
                let id = self.node(instance)?;
                let name = self.world.instance(id).map(|m| m.node_name(self.world.site())).unwrap_or_default();
                let (cpu_millicores, memory_bytes) = (used.cpu_millicores, used.memory_bytes);
                let usage = Usage { cpu_millicores, memory_bytes, at, window_seconds: 15 };
                self.usage.insert(name, usage);
                self.world.link(Stream::NodeMetrics, LinkState::Live);
                self.world.node_usage(self.usage.iter().map(|(name, usage)| (name.clone(), *usage)).collect());
            }
            _ => {}
        }
        Ok(())
    }

    fn moment(&mut self, at: Timestamp, instance: &str, moment: Moment) -> Result<(), Problem> {
        let id = match moment {
            Moment::Finalized | Moment::Interrupted | Moment::Draining | Moment::Stopping => self.instance(instance)?,
            _ => self.node(instance)?,
        };
        match moment {
            Moment::Registered => self.world.register(at, id),
            Moment::Ready => self.world.ready(at, id),
            Moment::Devices => self.world.report_devices(id),
            Moment::Initialized => self.world.initialize(at, id),
            Moment::Interrupted => self.world.interrupt(at, id),
            Moment::Draining => self.world.drain(at, id),
            Moment::Drained => self.world.drained(at, id),
            Moment::Stopping => self.world.stop(at, id),
            Moment::Finalized => {
                if self.world.instance(id).is_some_and(|m| m.deleted.is_none()) {
                    return Err(Problem::Order {
                        what: "the claim has not been deleted: write failed or draining before",
                    });
                }
                let name = self.world.instance(id).map(|m| m.node_name(self.world.site())).unwrap_or_default();
                self.usage.remove(&name);
                self.world.finalize(at, id);
            }
            Moment::Cordoned => self.world.change_instance(id, |m| m.cordoned = true),
            Moment::Uncordoned => self.world.change_instance(id, |m| m.cordoned = false),
        }
        Ok(())
    }

    /// Creates pods up to `to`, or removes the newest. `DaemonSet` pods are bound by `bound`.
    fn scale(&mut self, at: Timestamp, workload: &str, to: usize) -> Result<(), Problem> {
        let (id, mut pods) = self.workload(workload)?.clone();
        while pods.len() > to {
            if let Some(pod) = pods.pop() {
                self.world.end_pod(at, pod, 0, None);
                self.world.pod_gone(pod);
            }
        }
        while pods.len() < to {
            pods.push(self.world.create_pod(at, id, None));
        }
        self.workloads.insert(workload.to_owned(), (id, pods));
        Ok(())
    }

    fn bind(&mut self, at: Timestamp, pods: &Pods, node: &str) -> Result<(), Problem> {
        let instance = self.node(node)?;
        for id in self.pods(pods)? {
            let Some(pod) = self.world.pod(id) else { continue };
            let spec = self.world.workload(pod.workload);
            let fits = self.world.instance(instance).is_some_and(|m| m.fits(&spec.requests));
            if !fits && spec.class != PodClass::Static {
                return Err(Problem::Order {
                    what: "the pods do not fit on the node: their requests exceed its free capacity",
                });
            }
            self.world.bind(at, id, instance);
        }
        Ok(())
    }
}

/// Replaces the given amounts.
fn override_with(amounts: &mut Resources, given: &Resources) {
    for resource in [Resource::Cpu, Resource::Memory, Resource::EphemeralStorage, Resource::Pods] {
        if given.get(&resource) > 0 {
            amounts.set(&resource, given.get(&resource));
        }
    }
    for (name, amount) in &given.extended {
        amounts.set(&Resource::Extended(name.clone()), *amount);
    }
}
