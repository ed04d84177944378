//! Provisioning: creates claims for pods that fit on no node, each with the smallest instance type that fits them all.

use super::super::loads::{self, GENERAL, GPU, SPOT, ZONES};
use super::{Action, Fleet, NOMINATION_BURST, VCPU_LIMIT};
use crate::model::{Name, Resources};
use crate::source::sim::catalog::InstanceType;
use crate::source::sim::{CapacityType, ClaimRequest, Instance, InstanceId, PodId, text};
use std::collections::BTreeMap;

impl Fleet {
    pub(super) fn provision_soon(&mut self, millis: i64) {
        if !self.soon.provision {
            self.soon.provision = true;
            self.after(millis, Action::Provision);
        }
    }

    /// On-demand vCPUs of standard instances that are running or launching.
    pub(super) fn standard_vcpu(&self, launched_only: bool) -> u64 {
        let counts = |m: &Instance| {
            m.pool != GPU && m.capacity_type == CapacityType::OnDemand && (m.launched.is_some() || !launched_only)
        };
        self.world.instances().filter(|(_, m)| counts(m)).filter_map(|(_, m)| m.kind).map(|t| t.vcpu).sum()
    }

    pub(super) fn provision(&mut self) {
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

    /// Nominates pods for instances that are launching; returns the other pods.
    pub(super) fn nominate_existing(&mut self, pool: &str, pods: Vec<PodId>) -> Vec<PodId> {
        let coming: Vec<InstanceId> = self
            .world
            .instances()
            .filter(|(_, m)| m.initialized.is_none() && m.deleted.is_none() && m.pool == pool)
            .map(|(id, _)| id)
            .collect();
        let mut rest = Vec::new();
        for pod in pods {
            let Some(requests) = self.world.pod(pod).map(|p| self.world.workload(p.workload).requests.clone()) else {
                continue;
            };
            let place =
                coming.iter().find(|id| self.world.instance(**id).is_some_and(|m| m.has_free_capacity(&requests)));
            match place {
                Some(id) => self.world.nominate(self.clock, pod, *id, true),
                None => rest.push(pod),
            }
        }
        rest
    }

    pub(super) fn overhead(&self) -> Resources {
        let mut sum = Resources::default();
        for daemon in &self.daemons {
            sum.add(&self.world.workload(*daemon).requests);
        }
        sum.pods = self.daemons.len() as u64;
        sum
    }

    pub(super) fn make_claims(&mut self, pool: &str, mut pods: Vec<PodId>) {
        let mut emitted = 0;
        while !pods.is_empty() {
            let mut limit = u64::MAX;
            if self.limit_met && pool == GENERAL {
                limit = VCPU_LIMIT.saturating_sub(self.standard_vcpu(false));
            }
            let types = loads::types(pool, limit);
            let Some((kind, taken)) = self.choose(&types, &pods) else {
                // The on-demand quota is exceeded; spot has a quota of its own.
                let spot: Vec<PodId> = pods.into_iter().filter(|p| pool != SPOT && self.may_use_spot(*p)).collect();
                if !spot.is_empty() {
                    let rest = self.nominate_existing(SPOT, spot);
                    self.make_claims(SPOT, rest);
                }
                return;
            };
            let rest = pods.split_off(taken);
            let mut claim_requests = self.overhead();
            claim_requests.pods = 0;
            for pod in &pods {
                if let Some(p) = self.world.pod(*pod) {
                    claim_requests.add(&self.world.workload(p.workload).requests);
                }
            }
            let id = self.claim(pool, kind, claim_requests);
            for pod in std::mem::replace(&mut pods, rest) {
                self.world.nominate(self.clock, pod, id, emitted < NOMINATION_BURST);
                emitted += 1;
            }
        }
    }

    pub(super) fn may_use_spot(&self, pod: PodId) -> bool {
        self.world.pod(pod).is_some_and(|p| self.world.workload(p.workload).pools.iter().any(|p| p == SPOT))
    }

    /// The smallest type that fits all pods, else the type that fits most of them, with the number of pods.
    pub(super) fn choose(
        &self,
        types: &[&'static InstanceType],
        pods: &[PodId],
    ) -> Option<(&'static InstanceType, usize)> {
        let mut best: Option<(&'static InstanceType, usize)> = None;
        for kind in types {
            let mut trial = Instance { kind: Some(*kind), requested: self.overhead(), ..Instance::default() };
            trial.reserved.pods = self.daemons.len() as u64;
            let mut taken = 0;
            for pod in pods {
                let Some(p) = self.world.pod(*pod) else { continue };
                let requests = &self.world.workload(p.workload).requests;
                if !trial.has_free_capacity(requests) {
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

    pub(super) fn claim(&mut self, pool: &str, kind: &'static InstanceType, requests: Resources) -> InstanceId {
        let types = loads::types(pool, u64::MAX).into_iter().filter(|t| t.vcpu >= kind.vcpu);
        let types = types.map(|t| Name::from(t.name)).collect();
        let id =
            self.world.claim(self.clock, ClaimRequest { name: Name::default(), pool: pool.into(), requests, types });
        let overhead = self.overhead();
        self.world.prepare_instance(id, |m| {
            m.kind = Some(kind);
            // Reserve capacity for the DaemonSets.
            m.reserved = overhead;
        });
        self.between(1_500, 2_300, Action::Launch(id));
        id
    }

    pub(super) fn launch(&mut self, id: InstanceId) {
        let Some(m) = self.world.instance(id) else { return };
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

    pub(super) fn initialize(&mut self, id: InstanceId) {
        let overhead = self.overhead();
        self.world.prepare_instance(id, |m| {
            // The DaemonSet pods are bound now and counted.
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
}
