//! Changes of workloads and their pods.

use super::super::ids::{InstanceId, PodId, WorkloadId};
use super::{Pdb, PodStage, SimPod, Workload, WorkloadSpec, World};
use crate::model::{
    Change, DisruptionBudget, EventKind, Name, ObjectRef, Owner, Pod, PodClass, PodKey, PodPhase, Scheduling, Timestamp,
};
use crate::source::sim::{later, text};
use std::collections::BTreeSet;

impl World {
    /// Adds a workload without pods.
    pub fn add_workload(&mut self, spec: WorkloadSpec) -> WorkloadId {
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

    /// Sets the controller of a workload's pods.
    pub fn set_owner(&mut self, workload: WorkloadId, kind: &str, name: &str) {
        self.workloads[workload.0 as usize].owner = Some(Owner { kind: kind.into(), name: name.into() });
    }

    /// Adds a `PodDisruptionBudget` for a workload.
    pub fn protect(&mut self, workload: WorkloadId, min_available_percent: u32) {
        let uid = self.uid();
        self.pdbs.push(Pdb { workload, uid, min_available_percent, last: None });
        self.show_pdbs();
    }

    /// Sends the `PodDisruptionBudgets` whose status has changed.
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

    /// Creates a pod. Without a name, it is named by its owner and five letters, or the next free number of a `StatefulSet`.
    pub fn create_pod(&mut self, at: Timestamp, workload: WorkloadId, name: Option<Name>) -> PodId {
        let id = PodId(self.id());
        let name = name.unwrap_or_else(|| self.pod_name(workload));
        let pod = SimPod {
            workload,
            name,
            uid: self.uid(),
            created: at,
            stage: PodStage::Waiting,
            instance: None,
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

    /// Adds a pod that was running before the first list.
    pub fn add_existing_pod(&mut self, created: Timestamp, workload: WorkloadId, instance: InstanceId) -> PodId {
        let id = PodId(self.id());
        let pod = SimPod {
            workload,
            name: self.pod_name(workload),
            uid: self.uid(),
            created,
            stage: PodStage::Running,
            instance: Some(instance),
            nominated: None,
            verdict: Name::default(),
            started: Some(created),
            deleted: None,
        };
        let w = &mut self.workloads[workload.0 as usize];
        w.pods.insert(id);
        if let Some(m) = self.instances.get_mut(&instance) {
            m.requested.add(&w.spec.requests);
            m.pods.insert(id);
            m.last_pod_event = m.last_pod_event.max(Some(created));
        }
        self.pods.insert(id, pod);
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
        let node = pod.instance.and_then(|m| self.instances.get(&m)).map(|m| m.node_name(&self.site));
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
            placement: None,
            preempted: false,
            phase: if pod.stage == PodStage::Running { PodPhase::Running } else { PodPhase::Pending },
            started: pod.started,
            class: w.spec.class,
            owner: w.owner.clone(),
            requests: w.spec.requests.clone(),
            limits: w.spec.limits.clone(),
            by_claim: Vec::new(),
            scheduling,
            waiting: if pod.stage == PodStage::Starting { "ContainerCreating".into() } else { Name::default() },
            capacity_provisioned: Name::default(),
        };
        self.out.push(Change::Pod(Box::new(shown)));
    }

    /// A reference to the pod.
    pub fn pod_ref(&self, id: PodId) -> Option<ObjectRef> {
        let pod = self.pods.get(&id)?;
        let namespace = self.workload(pod.workload).namespace.clone();
        Some(ObjectRef { kind: "Pod".into(), namespace, name: pod.name.clone() })
    }

    fn emit_pod(&mut self, at: Timestamp, id: PodId, kind: EventKind, component: &str, what: [&str; 2]) {
        if let Some(object) = self.pod_ref(id) {
            self.emit(at, kind, component, object, what[0], what[1]);
        }
    }

    /// The scheduler found no node for the pod.
    pub fn unschedulable(&mut self, at: Timestamp, id: PodId, verdict: &str) {
        let Some(pod) = self.pods.get_mut(&id) else { return };
        let changed = pod.verdict != verdict;
        pod.verdict = verdict.into();
        if changed {
            self.show_pod(id);
        }
        self.emit_pod(at, id, EventKind::Warning, text::SCHEDULER, ["FailedScheduling", verdict]);
    }

    /// Karpenter nominates the pod for an instance. `emitted`: whether the event passed Karpenter's rate limit.
    pub fn nominate(&mut self, at: Timestamp, id: PodId, instance: InstanceId, emitted: bool) {
        let (Some(pod), Some(m)) = (self.pods.get_mut(&id), self.instances.get_mut(&instance)) else { return };
        pod.nominated = Some(instance);
        m.reserved.add(&self.workloads[pod.workload.0 as usize].spec.requests);
        m.reserved.pods += 1;
        if emitted {
            let message = match m.initialized {
                None => format!("Pod should schedule on: nodeclaim/{}", m.claim),
                Some(_) => format!("Pod should schedule on: nodeclaim/{}, node/{}", m.claim, m.node_name(&self.site)),
            };
            self.emit_pod(at, id, EventKind::Normal, self.karpenter(), ["Nominated", &message]);
        }
    }

    /// Ends the nomination of the pod.
    pub fn release(&mut self, id: PodId) {
        let Some(pod) = self.pods.get_mut(&id) else { return };
        let Some(m) = pod.nominated.take().and_then(|m| self.instances.get_mut(&m)) else { return };
        m.reserved.subtract(&self.workloads[pod.workload.0 as usize].spec.requests);
        m.reserved.pods = m.reserved.pods.saturating_sub(1);
    }

    /// The scheduler binds the pod to the node of the instance.
    pub fn bind(&mut self, at: Timestamp, id: PodId, instance: InstanceId) {
        self.release(id);
        let (Some(pod), Some(m)) = (self.pods.get_mut(&id), self.instances.get_mut(&instance)) else { return };
        if pod.instance.is_some() {
            return;
        }
        let w = &self.workloads[pod.workload.0 as usize].spec;
        pod.instance = Some(instance);
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
        self.emit_pod(at, id, EventKind::Normal, text::SCHEDULER, ["Scheduled", &message]);
        let image = self.image(id);
        self.emit_pod(at, id, EventKind::Normal, text::KUBELET, ["Pulling", &format!("Pulling image \"{image}\"")]);
    }

    fn image(&self, id: PodId) -> Name {
        self.pods.get(&id).map(|p| self.workload(p.workload).image.clone()).unwrap_or_default()
    }

    /// The pod's containers start; the image was pulled in `pulled_in` milliseconds.
    pub fn run(&mut self, at: Timestamp, id: PodId, pulled_in: i64) {
        let image = self.image(id);
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
        self.emit_pod(at, id, EventKind::Normal, text::KUBELET, ["Pulled", &pulled]);
        self.emit_pod(at, id, EventKind::Normal, text::KUBELET, ["Created", &format!("Container created: {name}")]);
        self.emit_pod(at, id, EventKind::Normal, text::KUBELET, ["Started", &format!("Container started: {name}")]);
    }

    /// The pod is deleted with a grace period. `evicted` is Karpenter's reason of an eviction.
    pub fn end_pod(&mut self, at: Timestamp, id: PodId, grace_millis: i64, evicted: Option<&str>) {
        self.release(id);
        let Some(pod) = self.pods.get_mut(&id) else { return };
        if pod.deleted.is_some() {
            return;
        }
        pod.deleted = Some(later(at, grace_millis));
        let (stage, instance) = (pod.stage, pod.instance);
        self.waiting.remove(&id);
        let daemon = self.workload(self.pods[&id].workload).class == PodClass::DaemonSet;
        if let Some(m) = instance.and_then(|m| self.instances.get_mut(&m)).filter(|_| !daemon) {
            m.last_pod_event = Some(at);
            m.consolidatable = None;
        }
        self.show_pod(id);
        if let Some(reason) = evicted {
            let message = format!("Evicted pod: {reason}");
            self.emit_pod(at, id, EventKind::Normal, self.karpenter(), ["Evicted", &message]);
        }
        if stage == PodStage::Running {
            let name = self.workload(self.pods[&id].workload).name.clone();
            let message = format!("Stopping container {name}");
            self.emit_pod(at, id, EventKind::Normal, text::KUBELET, ["Killing", &message]);
        }
    }

    /// The pod object is removed.
    pub fn pod_gone(&mut self, id: PodId) {
        self.release(id);
        let Some(pod) = self.pods.remove(&id) else { return };
        self.waiting.remove(&id);
        let w = &mut self.workloads[pod.workload.0 as usize];
        w.pods.remove(&id);
        if let Some(m) = pod.instance.and_then(|m| self.instances.get_mut(&m)) {
            m.requested.subtract(&w.spec.requests);
            m.pods.remove(&id);
        }
        let key = PodKey { namespace: w.spec.namespace.clone(), name: pod.name };
        self.out.push(Change::PodGone(key, pod.uid));
    }
}
