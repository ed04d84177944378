//! Karpenter's disruption: empty machines go, the emptiest go or are replaced, interrupted ones go at once; all drain.

use super::super::loads;
use super::{Action, Fleet};
use crate::model::PodClass;
use crate::source::sim::{CapacityType, Machine, MachineId, PodId, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

impl Fleet {
    /// Machines of the pool that may still be chosen: its budget less what is on its way out.
    pub(super) fn allowed(&self, pool: &str) -> usize {
        let of_pool = || self.world.machines().filter(|(_, m)| m.pool == pool && m.initialized.is_some());
        let leaving = of_pool().filter(|(_, m)| m.disrupted.is_some() || m.deleted.is_some()).count();
        of_pool().count().div_ceil(2).saturating_sub(leaving)
    }

    pub(super) fn is_empty(&self, m: &Machine) -> bool {
        m.pods
            .iter()
            .all(|p| self.world.pod(*p).is_none_or(|p| self.world.workload(p.workload).class == PodClass::DaemonSet))
    }

    pub(super) fn disrupt(&mut self) {
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

    pub(super) fn mark_consolidatable(&mut self) {
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
    pub(super) fn consolidate_one(&mut self, candidates: &[MachineId]) {
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

    pub(super) fn fits_elsewhere(&self, id: MachineId, m: &Machine) -> bool {
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

    pub(super) fn interrupt_one(&mut self) {
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

    pub(super) fn terminate(&mut self, id: MachineId) {
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

    pub(super) fn is_daemon(&self, load: WorkloadId) -> bool {
        self.world.workload(load).class == PodClass::DaemonSet
    }

    pub(super) fn evict(&mut self, id: MachineId, pod: PodId) {
        let Some(p) = self.world.pod(pod).filter(|p| p.deleted.is_none()) else { return };
        let load = p.workload;
        let reason = self.world.machine(id).and_then(|m| m.disruption_reason.clone());
        self.end(pod, Some(reason.as_deref().unwrap_or("Forceful Termination")));
        self.reconcile(load);
    }

    pub(super) fn watch_drain(&mut self, id: MachineId) {
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

    pub(super) fn finalize(&mut self, id: MachineId) {
        self.world.finalize(self.clock, id);
        self.schedule_soon(300);
        self.provision_soon(3_000);
    }
}
