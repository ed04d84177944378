//! Plays a scenario in a simulated cluster.

use super::file::{Action, Amounts, PodRange, Provisioner, StreamState, unknown};
use super::{Scenario, ScenarioError, Step};
use crate::model::{self, About, Condition, LinkState, Name, PodClass, Resource, Resources, Stream, Timestamp, Usage};
use crate::source::sim::{ClaimRequest, Instance, InstanceId, PodId, PodStage, Speed, WorkloadId, World, later};
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// The seed of names and UIDs, which are the same in every run.
const SEED: u64 = 1;

/// How long pulling an image takes, by the kubelet's event.
const PULL_MILLIS: i64 = 2140;

struct Run {
    world: World,
    workloads: BTreeMap<Name, (WorkloadId, Vec<PodId>)>,
    usage: BTreeMap<Name, Usage>,
}

/// The steps of a scenario for a start time: the state before its first step, then its own.
pub(super) fn steps(scenario: &Scenario, start: Timestamp, speed: Speed) -> Result<Vec<Step>, ScenarioError> {
    let fail = |offset, message: &str| ScenarioError::new(&scenario.name, &scenario.text, offset, message);
    let mut run = Run::new(scenario, start);
    let mut steps = vec![Step { at: SignedDuration::ZERO, changes: run.world.take() }];
    let mut time = SignedDuration::ZERO;
    for step in &scenario.file.steps {
        let at = *step.at.get_ref();
        if at < time {
            return Err(fail(step.at.span().start, "the time is before the step above; put the steps in order"));
        }
        time = at;
        let offset = speed.shorten(i64::try_from(at.as_millis()).unwrap_or(i64::MAX));
        for action in &step.actions {
            run.act(later(start, offset), action.get_ref()).map_err(|message| fail(action.span().start, &message))?;
        }
        steps.push(Step { at: SignedDuration::from_millis(offset), changes: run.world.take() });
    }
    Ok(steps)
}

impl Run {
    fn new(scenario: &Scenario, start: Timestamp) -> Self {
        let cluster = &scenario.file.cluster;
        let auto_mode = cluster.provisioner == Provisioner::AutoMode;
        let mut world = World::new(&cluster.region, &cluster.version, auto_mode, SEED);
        world.open(About {
            context: scenario.name.split('.').next().unwrap_or_default().to_owned(),
            server: String::new(),
            version: cluster.version.clone(),
            provisioners: vec![if auto_mode { model::Provisioner::AutoMode } else { model::Provisioner::Karpenter }],
        });
        for nodepool in &scenario.file.nodepools {
            world.apply_pool(start, nodepool.to_spec());
        }
        let mut workloads = BTreeMap::new();
        for workload in &scenario.file.workloads {
            let id = world.add_workload(workload.to_spec());
            if let Some(name) = &workload.replica_set {
                world.set_owner(id, "ReplicaSet", name);
            }
            workloads.insert(workload.name.clone(), (id, Vec::new()));
        }
        // The metrics streams become live with the first usage.
        world.opened(LinkState::Absent);
        Self { world, workloads, usage: BTreeMap::new() }
    }

    fn instance(&self, name: &str) -> Result<InstanceId, String> {
        self.world.find_instance(name).ok_or_else(|| {
            let names = self.world.instances().flat_map(|(_, m)| [m.claim.as_str(), m.instance.as_str()]);
            unknown("claim or node", name, names.filter(|name| !name.is_empty()))
        })
    }

    /// The instance of this name, whose node has joined.
    fn joined(&self, name: &str) -> Result<InstanceId, String> {
        let id = self.instance(name)?;
        if self.world.instance(id).is_none_or(|m| m.joined.is_none()) {
            return Err("the node has not joined yet: write join before".to_owned());
        }
        Ok(id)
    }

    fn node_name(&self, id: InstanceId) -> Name {
        self.world.instance(id).map(|m| m.node_name(self.world.site())).unwrap_or_default()
    }

    fn workload(&self, name: &str) -> Result<&(WorkloadId, Vec<PodId>), String> {
        let names = || self.workloads.keys().map(Name::as_str);
        self.workloads.get(name).ok_or_else(|| unknown("workload", name, names()))
    }

    fn pods(&self, range: &PodRange) -> Result<Vec<PodId>, String> {
        let (_, created) = self.workload(&range.workload)?;
        let last = range.last.unwrap_or(created.len());
        let Some(pods) = created.get(range.first - 1..last) else {
            return Err("the workload does not have that many pods yet: write scale before".to_owned());
        };
        Ok(pods.iter().copied().filter(|id| self.world.pod(*id).is_some()).collect())
    }

    fn act(&mut self, at: Timestamp, action: &Action) -> Result<(), String> {
        match action {
            Action::Scale { workload, pods } => self.scale(at, workload, *pods)?,
            Action::Unschedulable { pods, message } => {
                for id in self.pods(pods)? {
                    if self.world.pod(id).is_some_and(|pod| pod.stage == PodStage::Waiting) {
                        self.world.unschedulable(at, id, message);
                    }
                }
            }
            Action::Nominate { pods, claim } => {
                let instance = self.instance(claim)?;
                for id in self.pods(pods)? {
                    self.world.nominate(at, id, instance, true);
                }
            }
            Action::Bind { pods, node } => self.bind(at, pods, node)?,
            Action::Run { pods } => {
                for id in self.pods(pods)? {
                    self.world.run(at, id, PULL_MILLIS);
                }
            }
            Action::Terminate { pods, grace, evicted } => {
                let grace_millis = i64::try_from(grace.as_millis()).unwrap_or(i64::MAX);
                for id in self.pods(pods)? {
                    self.world.end_pod(at, id, grace_millis, evicted.as_deref());
                }
            }
            Action::Remove { pods } => {
                for id in self.pods(pods)? {
                    self.world.pod_gone(id);
                }
            }
            Action::Event { kind, object, reason, message, component } => {
                let component = component.as_deref().unwrap_or(self.world.karpenter());
                self.world.emit(at, *kind, component, object.0.clone(), reason, message);
            }
            Action::Stream { name, state, message } => {
                let state = match state {
                    StreamState::Live => LinkState::Live,
                    StreamState::Absent => LinkState::Absent,
                    StreamState::Denied => LinkState::Denied { message: message.clone() },
                    StreamState::Retrying => LinkState::Retrying { at: later(at, 5000), why: message.clone() },
                };
                self.world.link(*name, state);
            }
            action => self.act_on_instance(at, action)?,
        }
        Ok(())
    }

    fn act_on_instance(&mut self, at: Timestamp, action: &Action) -> Result<(), String> {
        match action {
            Action::Claim { name, nodepool, requests, instance_types } => {
                if self.world.pool(nodepool).is_none() {
                    return Err(unknown("nodepool", nodepool, self.world.pools().map(|pool| pool.name.as_str())));
                }
                if self.world.find_instance(name).is_some() {
                    return Err("a claim with this name already exists".to_owned());
                }
                let (name, pool) = (name.clone(), nodepool.clone());
                let types = instance_types.iter().map(|kind| kind.0.name.into()).collect();
                self.world.claim(at, ClaimRequest { name, pool, requests: requests.0.clone(), types });
            }
            Action::Launch { claim, instance, instance_type, zone, capacity_type, allocatable } => {
                let (id, kind) = (self.instance(claim)?, instance_type.0);
                // Sent with the launch.
                self.world.prepare_instance(id, |m| {
                    m.capacity_type = capacity_type.unwrap_or(m.capacity_type);
                    if allocatable.is_some() {
                        m.claimed_allocatable = Some(overridden(kind.allocatable(), allocatable.as_ref()));
                    }
                });
                self.world.launch(at, id, kind, zone, instance.clone());
            }
            Action::FailLaunch { claim, error } => {
                let id = self.instance(claim)?;
                self.world.fail_launch(at, id, error);
            }
            Action::Join { claim, allocatable } => {
                let id = self.instance(claim)?;
                let Some(kind) = self.world.instance(id).filter(|m| m.launched.is_some()).and_then(|m| m.kind) else {
                    return Err("the claim has not launched yet: write launch before".to_owned());
                };
                let amounts = overridden(kind.allocatable(), allocatable.as_ref());
                self.world.prepare_instance(id, |m| m.node_allocatable = Some(amounts));
                self.world.join(at, id);
            }
            Action::Register { node } => self.world.register(at, self.joined(node)?),
            Action::Ready { node } => self.world.ready(at, self.joined(node)?),
            Action::ReportDevices { node } => self.world.report_devices(self.joined(node)?),
            Action::Initialize { node } => self.world.initialize(at, self.joined(node)?),
            Action::Interrupt { node } => self.world.interrupt(at, self.instance(node)?),
            Action::Disrupt { node, reason } => self.world.disrupt(at, self.joined(node)?, reason),
            Action::Drain { node } => self.world.drain(at, self.instance(node)?),
            Action::Drained { node } => self.world.drained(at, self.joined(node)?),
            Action::Stop { node } => self.world.stop(at, self.instance(node)?),
            Action::Finalize { node } => {
                let id = self.instance(node)?;
                if self.world.instance(id).is_some_and(|m| m.deleted.is_none()) {
                    return Err("the claim has not been deleted: write fail-launch or drain before".to_owned());
                }
                self.usage.remove(&self.node_name(id));
                self.world.finalize(at, id);
            }
            Action::Usage { node, cpu, memory } => {
                let name = self.node_name(self.joined(node)?);
                let usage = Usage { cpu_millicores: cpu.0, memory_bytes: memory.0, at, window_seconds: 15 };
                self.usage.insert(name, usage);
                self.world.link(Stream::NodeMetrics, LinkState::Live);
                self.world.node_usage(self.usage.iter().map(|(name, usage)| (name.clone(), *usage)).collect());
            }
            Action::Cordon { node } => self.change(node, |m| m.cordoned = true)?,
            Action::Uncordon { node } => self.change(node, |m| m.cordoned = false)?,
            Action::Condition { node, kind, status, reason, message } => self.change(node, |m| {
                let (kind, reason, message) = (kind.clone(), reason.clone(), message.clone());
                m.conditions.retain(|condition| condition.kind != kind);
                m.conditions.push(Condition { kind, status: *status, reason, message, since: Some(at) });
            })?,
            Action::Taint { node, taint } => self.change(node, |m| {
                m.taints.retain(|t| t.key != taint.0.key || t.effect != taint.0.effect);
                m.taints.push(taint.0.clone());
            })?,
            Action::Untaint { node, taint } => {
                self.change(node, |m| m.taints.retain(|t| t.key != taint.0.key || t.effect != taint.0.effect))?;
            }
            Action::Label { node, key, value } => {
                self.change(node, |m| m.labels.push((key.clone(), value.clone())))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn change(&mut self, node: &str, change: impl FnOnce(&mut Instance)) -> Result<(), String> {
        let id = self.joined(node)?;
        self.world.change_instance(id, change);
        Ok(())
    }

    /// Creates pods up to `to`, or removes the newest.
    fn scale(&mut self, at: Timestamp, workload: &str, to: usize) -> Result<(), String> {
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
        self.workloads.insert(workload.into(), (id, pods));
        Ok(())
    }

    fn bind(&mut self, at: Timestamp, pods: &PodRange, node: &str) -> Result<(), String> {
        let instance = self.joined(node)?;
        for id in self.pods(pods)? {
            let Some(pod) = self.world.pod(id) else { continue };
            let spec = self.world.workload(pod.workload);
            let fits = self.world.instance(instance).is_some_and(|m| m.fits(&spec.requests));
            if !fits && spec.class != PodClass::Static {
                return Err("the pods do not fit on the node: their requests exceed its free capacity".to_owned());
            }
            self.world.bind(at, id, instance);
        }
        Ok(())
    }
}

/// `amounts` with the given ones in place of its own.
fn overridden(mut amounts: Resources, given: Option<&Amounts>) -> Resources {
    let Some(Amounts(given)) = given else { return amounts };
    for resource in [Resource::Cpu, Resource::Memory, Resource::EphemeralStorage, Resource::Pods] {
        if given.get(&resource) > 0 {
            amounts.set(&resource, given.get(&resource));
        }
    }
    for (name, amount) in &given.extended {
        amounts.set(&Resource::Extended(name.clone()), *amount);
    }
    amounts
}
