//! What happens to machines: from claim to node to gone.

use super::{Asked, MachineId, PodId, PoolSpec, World, about_claim, cluster_object};
use crate::model::{Change, EventKind, Name, Timestamp};
use crate::source::sim::catalog::InstanceType;
use crate::source::sim::{CapacityType, Machine, later, text};

impl World {
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
}
