//! Folding of NodePools, node classes and PodDisruptionBudgets.

use crate::cluster::leaving::{Leaving, POOL_DELETED, SCALED_IN};
use crate::cluster::{ChangedParts, Cluster, Row, RowId, classes};
use crate::model::{
    DisruptionBudget, Name, NodeClaim, NodeClass, NodePool, PodKey, Provisioner, Stream, Timestamp, Uid, key,
};

/// A change of a nodepool that is seen longer after a claim's deletion is not its cause: the two kinds are watched apart, and
/// the garbage collector deletes the claims of a nodepool that went.
const POOL_LAG_SECONDS: i64 = 10;

impl Cluster {
    pub(super) fn nodepool(&mut self, nodepool: NodePool, now: Timestamp) -> ChangedParts {
        let generation = self.generation(Stream::NodePools);
        let (name, deleted) = (nodepool.name.clone(), nodepool.deleted);
        self.pools.insert(name.clone(), (nodepool, generation));
        ChangedParts::NODEPOOLS | self.explain_by_pool(&name, deleted, now)
    }

    pub(super) fn nodepool_gone(&mut self, name: &Name, uid: Uid, now: Timestamp) -> ChangedParts {
        if !self.pools.get(name).is_some_and(|(nodepool, _)| nodepool.uid.matches(uid)) {
            return ChangedParts::NODEPOOLS;
        }
        let deleted = self.pools.remove(name).and_then(|(nodepool, _)| nodepool.deleted);
        ChangedParts::NODEPOOLS | self.explain_by_pool(name, deleted, now)
    }

    pub(super) fn node_class(&mut self, class: NodeClass) -> ChangedParts {
        let generation = self.generation(classes::stream(class.provisioner));
        let differs = self.classes.put(class, generation);
        if differs { self.quote_volumes() } else { ChangedParts::NONE }
    }

    pub(super) fn node_class_gone(&mut self, provisioner: Provisioner, name: &Name, uid: Uid) -> ChangedParts {
        let removed = self.classes.remove(provisioner, name, uid);
        if removed { self.quote_volumes() } else { ChangedParts::NONE }
    }

    pub(super) fn pdb(&mut self, pdb: DisruptionBudget) -> ChangedParts {
        let generation = self.generation(Stream::Pdbs);
        let key = PodKey { namespace: pdb.namespace.clone(), name: pdb.name.clone() };
        self.pdbs.insert(key, (pdb, generation));
        ChangedParts::NODEPOOLS
    }

    pub(super) fn pdb_gone(&mut self, key: &PodKey, uid: Uid) -> ChangedParts {
        if self.pdbs.get(key).is_some_and(|(pdb, _)| pdb.uid.matches(uid)) {
            self.pdbs.remove(key);
        }
        ChangedParts::NODEPOOLS
    }

    /// Names the nodepool as the reason of departures that nothing else explains: it was deleted, or it is static and has
    /// more claims than replicas.
    pub(super) fn explain_by_pools(&mut self, concerns: impl Fn(&NodeClaim) -> bool) -> ChangedParts {
        let unexplained = |row: &&Row| row.leaving.as_ref().is_some_and(Leaving::is_unexplained);
        let concerned = self.rows.values().filter(unexplained).filter(|row| row.claim().is_some_and(&concerns));
        let reasons: Vec<(RowId, &'static str)> =
            concerned.filter_map(|row| Some((row.id, self.end_of_pool(row)?))).collect();
        for (id, reason) in &reasons {
            if let Some(leaving) = self.rows.get_mut(id).and_then(|row| row.leaving.as_mut()) {
                leaving.reason = (*reason).into();
            }
            self.touch(*id);
        }
        if reasons.is_empty() { ChangedParts::NONE } else { ChangedParts::ROWS }
    }

    /// The same for one nodepool that changed or went. It did not delete the claims that were deleted before.
    pub(super) fn explain_by_pool(&mut self, name: &str, deleted: Option<Timestamp>, now: Timestamp) -> ChangedParts {
        let since = deleted.map_or(now.as_second() - POOL_LAG_SECONDS, Timestamp::as_second);
        self.explain_by_pools(|claim| {
            claim.labels.get(key::NODEPOOL) == Some(name) && claim.deleted.is_some_and(|at| at.as_second() >= since)
        })
    }

    pub(super) fn end_of_pool(&self, row: &Row) -> Option<&'static str> {
        let claim = row.claim.as_deref()?;
        let deleted = claim.deleted?;
        let name = claim.labels.get(key::NODEPOOL)?;
        let Some(pool) = self.pool(name) else {
            return self.has_all(Stream::NodePools).then_some(POOL_DELETED);
        };
        if pool.deleted.is_some_and(|at| at <= deleted) {
            return Some(POOL_DELETED);
        }
        // A replacement is younger than the deletion, and others may go in the same second.
        let stood = |c: &&NodeClaim| c.created <= deleted && c.deleted.is_none_or(|at| at >= deleted);
        let claims = self.rows.values().filter_map(|row| row.claim.as_deref());
        let of_pool = claims.filter(|c| c.labels.get(key::NODEPOOL) == Some(name)).filter(stood).count() as u64;
        pool.replicas.is_some_and(|replicas| of_pool > replicas).then_some(SCALED_IN)
    }
}
