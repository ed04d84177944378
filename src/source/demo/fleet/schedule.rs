//! Scheduling: binds every pending pod to the first node that fits, preferably the one it is nominated for.

use super::{Action, Fleet};
use crate::model::Resources;
use crate::source::sim::{Instance, InstanceId, PodId, WorkloadId, World, text};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

impl Fleet {
    pub(super) fn schedule_soon(&mut self, millis: i64) {
        if !self.soon.schedule {
            self.soon.schedule = true;
            self.after(millis, Action::Schedule);
        }
    }

    pub(super) fn tolerates(&self, load: WorkloadId, m: &Instance) -> bool {
        self.world.workload(load).pools.contains(&m.pool)
    }

    pub(super) fn schedule(&mut self) {
        self.soon.schedule = false;
        let waiting: Vec<PodId> = self.world.waiting().collect();
        let mut nowhere: FxHashMap<WorkloadId, String> = FxHashMap::default();
        for pod in waiting {
            let Some(p) = self.world.pod(pod) else { continue };
            let (load, nominated) = (p.workload, p.nominated);
            let requests = &self.world.workload(load).requests;
            let promised = nominated.filter(|id| {
                self.world.instance(*id).is_some_and(|m| m.takes_pods() && has_devices(m) && m.fits(requests))
            });
            let place = promised.or_else(|| {
                let mut instances = self.world.instances();
                let fits = |m: &Instance| {
                    m.takes_pods() && has_devices(m) && self.tolerates(load, m) && m.has_free_capacity(requests)
                };
                if nowhere.contains_key(&load) { None } else { instances.find(|(_, m)| fits(m)).map(|(id, _)| id) }
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

    pub(super) fn bind(&mut self, pod: PodId, id: InstanceId) {
        self.world.bind(self.clock, pod, id);
        let pulled_in = self.rng.i64(600..=3_400);
        self.after(pulled_in + 400, Action::Run(pod, pulled_in));
    }
}

fn has_devices(m: &Instance) -> bool {
    m.devices
}

/// The scheduler's message for a pod of this workload that fits on no node.
fn verdict(world: &World, load: WorkloadId) -> String {
    let spec = world.workload(load);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut nodes = 0;
    for (_, m) in world.instances().filter(|(_, m)| m.joined.is_some()) {
        nodes += 1;
        let allocatable = m.allocatable();
        let lacks = |have: u64, taken: u64, want: u64| taken + want > have;
        let reason = if !m.takes_pods() || !spec.pools.contains(&m.pool) {
            "node(s) had untolerated taint(s)".to_owned()
        } else if let Some((name, _)) = spec.requests.extended.iter().find(|(name, want)| {
            let of = |r: &Resources| r.extended.get(*name).copied().unwrap_or(0);
            !m.devices || lacks(of(&allocatable), of(&m.requested), **want)
        }) {
            format!("Insufficient {name}")
        } else if lacks(allocatable.memory_bytes, m.requested.memory_bytes, spec.requests.memory_bytes) {
            "Insufficient memory".to_owned()
        } else if m.pods.len() as u64 >= allocatable.pods {
            "Too many pods".to_owned()
        } else {
            "Insufficient cpu".to_owned()
        };
        *reasons.entry(reason).or_default() += 1;
    }
    let reasons: Vec<(usize, String)> = reasons.into_iter().map(|(reason, n)| (n, reason)).collect();
    text::no_node_fits(nodes, &reasons)
}
