//! Rows: made at the first mention of a name, dropped when nothing refers to them.

use crate::cluster::ids::NO_POD;
use crate::cluster::leaving::Leaving;
use crate::cluster::{Cluster, Row, RowId};
use crate::model::{Name, Timestamp, Usage};

impl Cluster {
    pub(super) fn new_row(&mut self, name: Name, now: Timestamp) -> RowId {
        let id = RowId(self.next_row);
        self.next_row += 1;
        self.rows.insert(id, Row::new(id, name, now));
        id
    }

    /// The row of a node name; made at its first mention.
    pub(super) fn row_for_node(&mut self, name: &Name, now: Timestamp) -> RowId {
        if let Some(id) = self.by_node.get(name) {
            return *id;
        }
        let id = self.new_row(name.clone(), now);
        if let Some(row) = self.rows.get_mut(&id) {
            row.node_name = Some(name.clone());
            row.usage = self.early_usage.remove(name).map(Usage::capped);
        }
        self.by_node.insert(name.clone(), id);
        id
    }

    pub(in crate::cluster) fn touch(&mut self, id: RowId) {
        if let Some(row) = self.rows.get_mut(&id)
            && !row.touched
        {
            row.touched = true;
            self.changed.push(id);
        }
    }

    /// A row that nothing speaks of any more is dropped.
    pub(super) fn drop_if_empty(&mut self, id: RowId) {
        let Some(row) = self.rows.get(&id) else { return };
        if row.node.is_some() || row.claim.is_some() || row.first_pod != NO_POD {
            return;
        }
        self.touch(id);
        let Some(row) = self.rows.remove(&id) else { return };
        if let Some(name) = &row.node_name {
            self.by_node.remove(name);
        }
        self.tombstones.remove(&id);
        for alias in &row.aliases {
            self.merged.remove(alias);
        }
    }

    /// Recomputes everything a row derives from its objects.
    pub(super) fn refresh(&mut self, id: RowId, now: Timestamp) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        let was_leaving = row.leaving.is_some();
        row.derive(self.prices.book.as_ref(), &self.signals, now);
        if !was_leaving && row.leaving.as_ref().is_some_and(Leaving::is_unexplained) {
            let reason = self.rows.get(&id).and_then(|row| self.end_of_pool(row));
            if let Some((leaving, reason)) = self.rows.get_mut(&id).and_then(|row| row.leaving.as_mut()).zip(reason) {
                leaving.reason = reason.into();
            }
        }
        let Some(row) = self.rows.get_mut(&id) else { return };
        if self.extra_costs.volumes {
            row.price_volumes(self.prices.book.as_ref(), &self.classes);
        }
        self.nodes_revision += 1;
        self.prices.mark_used(row.quote());
        if row.gone.is_some() {
            self.tombstones.insert(id);
        } else {
            self.tombstones.remove(&id);
        }
        self.touch(id);
    }
}
