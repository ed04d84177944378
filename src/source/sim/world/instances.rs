//! Changes of instances, from NodeClaim to node to removal.

use super::super::ids::{InstanceId, PodId};
use super::{ClaimRequest, PoolSpec, World, about_claim, cluster_object};
use crate::model::{Change, EventKind, Name, Timestamp};
use crate::source::sim::catalog::InstanceType;
use crate::source::sim::{CapacityType, Instance, later, text};

impl World {
    fn show_claim(&mut self, id: InstanceId) {
        if let Some(m) = self.instances.get(&id) {
            let claim = m.to_claim(&self.site);
            self.out.push(Change::Claim(Box::new(claim)));
        }
    }

    fn show_node(&mut self, id: InstanceId) {
        if let Some(node) = self.instances.get(&id).and_then(|m| m.to_node(&self.site)) {
            self.out.push(Change::Node(Box::new(node)));
        }
    }

    /// Changes an instance and sends its claim and node.
    pub fn change_instance(&mut self, id: InstanceId, change: impl FnOnce(&mut Instance)) {
        if let Some(m) = self.instances.get_mut(&id) {
            change(m);
            self.show_claim(id);
            self.show_node(id);
        }
    }

    /// Changes an instance without sending it; the next method does.
    pub fn prepare_instance(&mut self, id: InstanceId, change: impl FnOnce(&mut Instance)) {
        if let Some(m) = self.instances.get_mut(&id) {
            change(m);
        }
    }

    /// Karpenter creates a claim.
    pub fn claim(&mut self, at: Timestamp, claim_request: ClaimRequest) -> InstanceId {
        let id = InstanceId(self.id());
        let name = if claim_request.name.is_empty() {
            Name::from(format!("{}-{}", claim_request.pool, self.suffix(5)))
        } else {
            claim_request.name
        };
        let pool = self.pools.get(&claim_request.pool).map(|(spec, ..)| spec.clone());
        let pool = pool.unwrap_or_else(|| PoolSpec::new(&claim_request.pool, CapacityType::OnDemand));
        let instance = Instance {
            claim: name,
            claim_uid: self.uid(),
            pool: claim_request.pool,
            capacity_type: pool.capacity_type,
            allowed: claim_request.types,
            claim_requests: claim_request.requests,
            expire_after: pool.expire_after,
            grace: pool.grace,
            taints: pool.taints,
            created: at,
            ..Instance::default()
        };
        self.instances.insert(id, instance);
        self.show_claim(id);
        id
    }

    /// EC2 starts the instance of a claim.
    pub fn launch(&mut self, at: Timestamp, id: InstanceId, kind: &'static InstanceType, zone: &str, instance: Name) {
        let Some(m) = self.instances.get_mut(&id) else { return };
        m.kind = Some(kind);
        m.zone = zone.into();
        m.instance = instance;
        m.launched = Some(at);
        self.show_claim(id);
        self.emit_transition(at, id, "Launched");
    }

    /// The launch fails, and Karpenter deletes the claim in the same step.
    pub fn fail_launch(&mut self, at: Timestamp, id: InstanceId, fleet_error: &str) {
        let Some(m) = self.instances.get_mut(&id) else { return };
        m.deleted = Some(at);
        let (claim, deadline) = (m.claim.clone(), m.deadline());
        let object = cluster_object("NodeClaim", &claim);
        let message = text::insufficient_capacity(&claim, fleet_error);
        self.emit(at, EventKind::Warning, self.karpenter(), object.clone(), "InsufficientCapacityError", &message);
        self.show_claim(id);
        if let Some(deadline) = deadline {
            let message = text::grace_expires(deadline);
            self.emit(at, EventKind::Warning, self.karpenter(), object, "TerminationGracePeriodExpiring", &message);
        }
    }

    /// The kubelet creates the node object.
    pub fn join(&mut self, at: Timestamp, id: InstanceId) {
        let uid = self.uid();
        let Some(m) = self.instances.get_mut(&id) else { return };
        m.joined = Some(at);
        m.node_uid = uid;
        m.devices = m.kind.is_none_or(|t| t.gpu.is_none());
        self.show_node(id);
        let name = self.instances.get(&id).map(|m| self.node_name(m)).unwrap_or_default();
        self.emit_kubelet(at, id, "Starting", "Starting kubelet.");
        for fine in ["NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID"] {
            self.emit_kubelet(at, id, fine, &format!("Node {name} status is now: {fine}"));
        }
        self.emit_kubelet(at, id, "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods");
    }

    /// Karpenter registers the node and removes its taint.
    pub fn register(&mut self, at: Timestamp, id: InstanceId) {
        let Some(m) = self.instances.get_mut(&id) else { return };
        m.registered = Some(at);
        let name = m.node_name(&self.site);
        self.show_claim(id);
        self.show_node(id);
        self.emit_transition(at, id, "Registered");
        let message = format!("Node {name} event: Registered Node {name} in Controller");
        let object = cluster_object("Node", &name);
        self.emit(at, EventKind::Normal, text::NODE_CONTROLLER, object, "RegisteredNode", &message);
    }

    /// The kubelet reports the node as ready.
    pub fn ready(&mut self, at: Timestamp, id: InstanceId) {
        let Some(m) = self.instances.get_mut(&id) else { return };
        m.ready = Some(at);
        let name = m.node_name(&self.site);
        self.show_node(id);
        self.emit_kubelet(at, id, "NodeReady", &format!("Node {name} status is now: NodeReady"));
        let message = text::transitioned("Ready", "False", "True", "KubeletReady", "kubelet is posting ready status");
        self.emit(at, EventKind::Normal, self.karpenter(), cluster_object("Node", &name), "Ready", &message);
    }

    /// The device plugin reports the node's devices.
    pub fn report_devices(&mut self, id: InstanceId) {
        self.change_instance(id, |m| m.devices = true);
    }

    /// Karpenter marks the node as initialized.
    pub fn initialize(&mut self, at: Timestamp, id: InstanceId) {
        let Some(m) = self.instances.get_mut(&id) else { return };
        m.initialized = Some(at);
        self.show_claim(id);
        self.show_node(id);
        self.emit_transition(at, id, "Initialized");
        self.emit_transition(at, id, "Ready");
    }

    /// Karpenter selects the node for disruption: taint and condition. `reason` is Underutilized, Empty or Drifted.
    pub fn disrupt(&mut self, at: Timestamp, id: InstanceId, reason: &str) {
        let Some(m) = self.instances.get_mut(&id) else { return };
        m.disrupted = Some(at);
        m.disruption_reason = Some(reason.into());
        self.show_node(id);
        self.show_claim(id);
    }

    /// Karpenter cancels the disruption.
    pub fn spare(&mut self, id: InstanceId) {
        self.change_instance(id, |m| {
            m.disrupted = None;
            m.disruption_reason = None;
        });
    }

    /// Emits the event of a claim that replaces a disrupted node.
    pub fn announce_replacement(&mut self, at: Timestamp, id: InstanceId, reason: &str) {
        let Some(m) = self.instances.get(&id) else { return };
        let object = about_claim(m);
        let by = self.karpenter();
        let message = format!("Launching NodeClaim: {reason}");
        self.emit(at, EventKind::Normal, by, object.clone(), "DisruptionLaunching", &message);
        let message = "Waiting on readiness to continue disruption";
        self.emit(at, EventKind::Normal, by, object, "DisruptionWaitingReadiness", message);
    }

    /// AWS sends the two-minute notice of a spot interruption.
    pub fn interrupt(&mut self, at: Timestamp, id: InstanceId) {
        let warning = "Spot interruption warning was triggered";
        self.emit_on_claim_and_node(at, id, EventKind::Warning, "SpotInterrupted", [warning, warning]);
        let texts =
            ["Interruption triggered termination for the Node", "Interruption triggered termination for the NodeClaim"];
        self.emit_on_claim_and_node(at, id, EventKind::Warning, "TerminatingOnInterruption", texts);
    }

    /// Claim and node are deleted; draining begins.
    pub fn drain(&mut self, at: Timestamp, id: InstanceId) {
        let Some(m) = self.instances.get_mut(&id) else { return };
        m.deleted = Some(at);
        m.disrupted.get_or_insert(at);
        let (reason, deadline) = (m.disruption_reason.clone(), m.deadline());
        if let Some(reason) = reason {
            let texts = [format!("Disrupting Node: {reason}"), format!("Disrupting NodeClaim: {reason}")];
            self.emit_on_claim_and_node(at, id, EventKind::Normal, "DisruptionTerminating", [&texts[0], &texts[1]]);
        }
        self.show_claim(id);
        self.show_node(id);
        if let Some(deadline) = deadline {
            let message = text::grace_expires(deadline);
            self.emit_on_claim_and_node(
                at,
                id,
                EventKind::Warning,
                "TerminationGracePeriodExpiring",
                [&message, &message],
            );
        }
    }

    /// Draining is complete.
    pub fn drained(&mut self, at: Timestamp, id: InstanceId) {
        self.change_instance(id, |m| m.drained = Some(at));
    }

    /// EC2 is stopping the instance.
    pub fn stop(&mut self, at: Timestamp, id: InstanceId) {
        self.change_instance(id, |m| m.stopping = Some(at));
    }

    /// Finalizers are removed, which removes node, claim and remaining pods.
    pub fn finalize(&mut self, at: Timestamp, id: InstanceId) {
        let left: Vec<PodId> = self.instances.get(&id).into_iter().flat_map(|m| m.pods.iter().copied()).collect();
        for pod in left {
            self.pod_gone(pod);
        }
        // Only pending pods are nominated.
        for waiting in &self.waiting {
            if let Some(pod) = self.pods.get_mut(waiting).filter(|p| p.nominated == Some(id)) {
                pod.nominated = None;
            }
        }
        let text = "Finalized karpenter.sh/termination";
        self.emit_on_claim_and_node(at, id, EventKind::Normal, "Finalized", [text, text]);
        let Some(m) = self.instances.remove(&id) else { return };
        if m.joined.is_some() {
            self.out.push(Change::NodeGone(m.node_name(&self.site), m.node_uid));
        }
        self.out.push(Change::ClaimGone(m.claim, m.claim_uid));
    }

    /// Adds an instance that was initialized at `created`, before the first list; does not send it.
    pub fn add_existing(
        &mut self,
        created: Timestamp,
        pool: &str,
        kind: &'static InstanceType,
        zone: &str,
    ) -> InstanceId {
        let id = InstanceId(self.id());
        let spec = self.pools.get(pool).map(|(spec, ..)| spec.clone());
        let spec = spec.unwrap_or_else(|| PoolSpec::new(pool, CapacityType::OnDemand));
        let at = |seconds: i64| Some(later(created, seconds * 1000));
        let instance = Instance {
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
            ..Instance::default()
        };
        self.instances.insert(id, instance);
        id
    }
}
