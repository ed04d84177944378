//! Folding of nodes and of their measured usage.

use crate::cluster::{ChangedParts, Cluster};
use crate::model::{Name, Node, Stream, Timestamp, Uid, Usage};
use rustc_hash::FxHashMap;

impl Cluster {
    pub(super) fn node(&mut self, node: Box<Node>, now: Timestamp) -> ChangedParts {
        let id = self.row_for_node(&node.name, now);
        let generation = self.generation(Stream::Nodes);
        let first_picture_done = self.stream(Stream::Nodes).complete;
        let Some(row) = self.rows.get_mut(&id) else { return ChangedParts::NONE };
        row.node_generation = generation;
        let was_gone = row.gone.take().is_some();
        if was_gone {
            row.claim = None;
            row.leaving = None;
        }
        let was_there = row.node.is_some() && !was_gone;
        if was_there && row.node.as_deref() == Some(&*node) {
            return ChangedParts::NONE;
        }
        // Another uid is another machine under the same name.
        let is_another = row.node.as_ref().is_some_and(|old| old.uid != node.uid);
        if (!was_there || is_another) && first_picture_done {
            row.appeared = Some(now);
        }
        if is_another {
            (row.leaving, row.usage) = (None, None);
        }
        let mut near = Vec::new();
        if let Some(old) = row.node.replace(node)
            && !was_gone
        {
            near = self.joins.claims_near(&old);
            self.joins.remove_node(&old);
        }
        let row = &self.rows[&id];
        if let Some(node) = &row.node {
            self.joins.add_node(node);
            near.extend(self.joins.claims_near(node));
        }
        near.extend(row.claim.as_ref().map(|c| c.name.clone()));
        near.sort();
        near.dedup();
        for claim in &near {
            self.rejoin(claim, now);
        }
        self.refresh(id, now);
        ChangedParts::ROWS
    }

    pub(super) fn node_gone(&mut self, name: &Name, uid: Uid, now: Timestamp) -> ChangedParts {
        let Some(id) = self.by_node.get(name).copied() else { return ChangedParts::NONE };
        let Some(row) = self.rows.get_mut(&id) else { return ChangedParts::NONE };
        if row.gone.is_some() || !row.node.as_ref().is_some_and(|node| node.uid.matches(uid)) {
            return ChangedParts::NONE;
        }
        let near = row.node.as_ref().map(|node| {
            let near = self.joins.claims_near(node);
            self.joins.remove_node(node);
            near
        });
        row.usage = None;
        row.missing_since = now;
        if row.claim.is_some() {
            // The claim stays until its machine is gone; it is billed until then.
            row.node = None;
        } else {
            row.gone = Some(now);
        }
        self.refresh(id, now);
        near.into_iter().flatten().for_each(|claim| self.rejoin(&claim, now));
        ChangedParts::ROWS
    }

    /// A reading is complete: a node it does not name has no usage, which is not 0.
    pub(super) fn node_usage(&mut self, usage: Vec<(Name, Usage)>) -> ChangedParts {
        let mut reading: FxHashMap<Name, Usage> = usage.into_iter().collect();
        let mut touched = Vec::new();
        for row in self.rows.values_mut().filter(|row| row.gone.is_none()) {
            let new = row.node_name.as_ref().and_then(|name| reading.remove(name)).map(Usage::capped);
            if row.usage != new {
                row.usage = new;
                touched.push(row.id);
            }
        }
        self.early_usage = reading;
        let changed = if touched.is_empty() { ChangedParts::NONE } else { ChangedParts::ROWS };
        for id in touched {
            self.touch(id);
        }
        changed
    }
}
