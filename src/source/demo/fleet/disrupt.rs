//! Disruption: removes empty nodes, consolidates underutilized ones, and terminates interrupted ones; all are drained.

use super::super::loads;
use super::{Action, Fleet};
use crate::model::PodClass;
use crate::source::sim::{CapacityType, Instance, InstanceId, PodId, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

impl Fleet {
    /// The number of further nodes of a nodepool that may be disrupted: its budget minus those being removed.
    pub(super) fn allowed(&self, pool: &str) -> usize {
        let of_pool = || self.world.instances().filter(|(_, m)| m.pool == pool && m.initialized.is_some());
        let leaving = of_pool().filter(|(_, m)| m.disrupted.is_some() || m.deleted.is_some()).count();
        of_pool().count().div_ceil(2).saturating_sub(leaving)
    }

    pub(super) fn is_empty(&self, m: &Instance) -> bool {
        m.pods
            .iter()
            .all(|p| self.world.pod(*p).is_none_or(|p| self.world.workload(p.workload).class == PodClass::DaemonSet))
    }

    pub(super) fn disrupt(&mut self) {
        self.mark_consolidatable();
        let candidates: Vec<InstanceId> = self
            .world
            .instances()
            .filter(|(_, m)| m.consolidatable.is_some() && m.takes_pods() && m.initialized.is_some())
            .map(|(id, _)| id)
            .collect();
        let mut chosen = 0;
        for id in &candidates {
            let Some(m) = self.world.instance(*id) else { continue };
            let pool = m.pool.clone();
            if self.is_empty(m) && m.reserved.pods == 0 && self.allowed(&pool) > 0 {
                self.world.disrupt(self.clock, *id, "Empty");
                self.between(1_500, 2_500, Action::Terminate(*id));
                chosen += 1;
            }
        }
        let busy =
            self.world.waiting().next().is_some() || self.world.instances().any(|(_, m)| m.initialized.is_none());
        let small = self.world.instances().nth(100).is_none();
        // A small cluster with pending pods is not consolidated; a large one always has some. A fleet with a size keeps about
        // that size; only the story is consolidated completely.
        let nodes = self.world.instances().filter(|(_, m)| m.deleted.is_none()).count();
        let spare = self.options.nodes.is_none_or(|n| nodes * 100 > n * 96);
        if chosen == 0 && !self.ending && spare && (!busy || !small) {
            self.consolidate_one(&candidates);
        }
    }

    pub(super) fn mark_consolidatable(&mut self) {
        let due: Vec<InstanceId> = self
            .world
            .instances()
            .filter(|(_, m)| m.consolidatable.is_none() && m.takes_pods() && m.initialized.is_some())
            .filter(|(_, m)| self.past(m.last_pod_event.max(m.initialized), 15_000))
            .map(|(id, _)| id)
            .collect();
        let now = self.clock;
        for id in due {
            self.world.change_instance(id, |m| m.consolidatable = Some(now));
        }
    }

    /// Removes the least utilized node whose pods fit elsewhere, or replaces it by a smaller one.
    pub(super) fn consolidate_one(&mut self, candidates: &[InstanceId]) {
        let fill = |m: &Instance| m.requested.cpu_millicores * 1000 / m.allocatable().cpu_millicores.max(1);
        let mut by_fill: Vec<(u64, InstanceId)> =
            candidates.iter().filter_map(|id| Some((fill(self.world.instance(*id)?), *id))).collect();
        by_fill.sort_unstable();
        for (fill, id) in by_fill.into_iter().take(8) {
            let Some(m) = self.world.instance(id) else { continue };
            if fill > 600 || self.allowed(&m.pool) == 0 || self.is_empty(m) {
                continue;
            }
            if self.fits_elsewhere(id, m) {
                self.world.disrupt(self.clock, id, "Underutilized");
                self.between(2_500, 3_500, Action::Terminate(id));
                return;
            }
            // Spot-to-spot consolidation is behind a feature gate that is off by default.
            if m.capacity_type == CapacityType::Spot {
                continue;
            }
            let Some(kind) = m.kind else { continue };
            let (pool, requested) = (m.pool.clone(), m.requested.clone());
            let room = Instance { ..Instance::default() };
            let smaller = loads::types(&pool, kind.vcpu / 2).into_iter().find(|t| {
                let trial = Instance { kind: Some(*t), ..room.clone() };
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

    pub(super) fn fits_elsewhere(&self, id: InstanceId, m: &Instance) -> bool {
        let mut filled: BTreeMap<InstanceId, Instance> = BTreeMap::new();
        let moving = m.pods.iter().filter_map(|p| self.world.pod(*p));
        for pod in moving {
            let spec = self.world.workload(pod.workload);
            if spec.class == PodClass::DaemonSet {
                continue;
            }
            let place = self.world.instances().find(|(other, o)| {
                let o = filled.get(other).unwrap_or(o);
                *other != id
                    && o.initialized.is_some()
                    && o.takes_pods()
                    && spec.pools.contains(&o.pool)
                    && o.has_free_capacity(&spec.requests)
            });
            let Some((other, o)) = place else { return false };
            let o = filled.entry(other).or_insert_with(|| o.clone());
            o.reserved.add(&spec.requests);
            o.reserved.pods += 1;
        }
        true
    }

    pub(super) fn interrupt_one(&mut self) {
        let spot: Vec<InstanceId> = self
            .world
            .instances()
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

    pub(super) fn terminate(&mut self, id: InstanceId) {
        let Some(m) = self.world.instance(id).filter(|m| m.deleted.is_none()) else { return };
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

    pub(super) fn is_daemon(&self, load: WorkloadId) -> bool {
        self.world.workload(load).class == PodClass::DaemonSet
    }

    pub(super) fn evict(&mut self, id: InstanceId, pod: PodId) {
        let Some(p) = self.world.pod(pod).filter(|p| p.deleted.is_none()) else { return };
        let load = p.workload;
        let reason = self.world.instance(id).and_then(|m| m.disruption_reason.clone());
        self.end(pod, Some(reason.as_deref().unwrap_or("Forceful Termination")));
        self.reconcile(load);
    }

    pub(super) fn watch_drain(&mut self, id: InstanceId) {
        let Some(m) = self.world.instance(id) else { return };
        // Pods that were bound after draining began are evicted as well.
        let late: BTreeSet<PodId> = m
            .pods
            .iter()
            .copied()
            .filter(|p| self.world.pod(*p).is_some_and(|p| p.deleted.is_none() && !self.is_daemon(p.workload)))
            .collect();
        // Karpenter requeues after five seconds at the earliest.
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

    pub(super) fn finalize(&mut self, id: InstanceId) {
        self.world.finalize(self.clock, id);
        self.schedule_soon(300);
        self.provision_soon(3_000);
    }
}
