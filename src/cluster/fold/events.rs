//! Folding of events.

use crate::cluster::{ChangedParts, Cluster, Row};
use crate::model::{Event, Timestamp};

impl Cluster {
    pub(super) fn event(&mut self, event: Event, now: Timestamp) -> ChangedParts {
        let explains = self.signals.note(&event, now);
        let row = match event.object.kind.as_str() {
            "Node" if explains => self.by_node.get(&event.object.name).copied(),
            "NodeClaim" if explains => self.by_claim.get(&event.object.name).copied().or_else(|| {
                // The event is often seen after its claim is gone: the tombstone learns its reason.
                let is = |row: &&Row| row.claim.as_ref().is_some_and(|c| c.name == event.object.name);
                self.tombstones.iter().filter_map(|id| self.rows.get(id)).find(is).map(|row| row.id)
            }),
            _ => None,
        };
        let added = self.events.add(event);
        if let Some(id) = row {
            self.refresh(id, now);
            return ChangedParts::EVENTS | ChangedParts::ROWS;
        }
        if added { ChangedParts::EVENTS } else { ChangedParts::NONE }
    }
}
