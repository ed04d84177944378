//! Folding of pods: each adds to the sums of its row, and takes exactly that back.

use crate::cluster::ids::NO_POD;
use crate::cluster::pods::Pods;
use crate::cluster::{ChangedParts, Cluster, PodCounts, RowId};
use crate::model::{Pod, PodKey, Stream, Timestamp, Uid};

impl Cluster {
    pub(super) fn pod(&mut self, pod: Pod, now: Timestamp) -> ChangedParts {
        if pod.phase.is_terminal() {
            return self.pod_gone(&pod.key, Uid::default());
        }
        let home = (!pod.node.is_empty()).then(|| self.row_for_node(&pod.node, now));
        let generation = self.generation(Stream::Pods);
        match self.pods.find(&pod.key) {
            Some(slot) => {
                let old_home = self.pods.get(slot).and_then(|p| p.row);
                let was_pending = self.uncount(slot);
                if old_home == home {
                    self.pods.replace(slot, pod, generation);
                } else {
                    self.unlink(slot);
                    self.pods.replace(slot, pod, generation);
                    self.link_pod(slot, home);
                    if let Some(old) = old_home {
                        self.drop_if_empty(old);
                    }
                }
                if let Some(old) = old_home.filter(|_| old_home != home) {
                    self.price_by_pods(old);
                }
                let is_pending = self.count(slot);
                if was_pending || is_pending { ChangedParts::ROWS | ChangedParts::PENDING } else { ChangedParts::ROWS }
            }
            None => {
                let slot = self.pods.insert(pod, generation);
                self.link_pod(slot, home);
                if self.count(slot) { ChangedParts::ROWS | ChangedParts::PENDING } else { ChangedParts::ROWS }
            }
        }
    }

    pub(super) fn pod_gone(&mut self, key: &PodKey, uid: Uid) -> ChangedParts {
        let Some(slot) = self.pods.find(key) else { return ChangedParts::NONE };
        if !self.pods.get(slot).is_some_and(|pod| pod.uid.matches(uid)) {
            return ChangedParts::NONE;
        }
        if self.remove_pod(slot) { ChangedParts::ROWS | ChangedParts::PENDING } else { ChangedParts::ROWS }
    }

    /// Forgets a pod; true if it had no node.
    pub(super) fn remove_pod(&mut self, slot: u32) -> bool {
        let home = self.pods.get(slot).and_then(|p| p.row);
        let was_pending = self.uncount(slot);
        self.unlink(slot);
        self.pods.remove(slot);
        if let Some(home) = home {
            self.price_by_pods(home);
            self.drop_if_empty(home);
        }
        was_pending
    }

    /// Puts a pod at the head of its chain.
    pub(super) fn link_pod(&mut self, slot: u32, home: Option<RowId>) {
        let head = match home {
            Some(id) => self.rows.get_mut(&id).map(|row| std::mem::replace(&mut row.first_pod, slot)),
            None => Some(std::mem::replace(&mut self.pods.unscheduled, slot)),
        };
        let next = head.unwrap_or(NO_POD);
        if let Some(pod) = self.pods.get_mut(slot) {
            (pod.row, pod.prev, pod.next) = (home, NO_POD, next);
        }
        if let Some(after) = self.pods.get_mut(next) {
            after.prev = slot;
        }
    }

    pub(super) fn unlink(&mut self, slot: u32) {
        let Some(pod) = self.pods.get(slot) else { return };
        let (row, prev, next) = (pod.row, pod.prev, pod.next);
        if let Some(before) = self.pods.get_mut(prev) {
            before.next = next;
        } else if let Some(id) = row {
            if let Some(row) = self.rows.get_mut(&id) {
                row.first_pod = next;
            }
        } else {
            self.pods.unscheduled = next;
        }
        if let Some(after) = self.pods.get_mut(next) {
            after.prev = prev;
        }
    }

    /// Prices a row again whose pods changed, if they decide its price.
    pub(super) fn price_by_pods(&mut self, id: RowId) {
        if let Some(row) = self.rows.get_mut(&id).filter(|row| row.is_priced_by_pods()) {
            row.price(self.prices.book.as_ref());
            self.prices.mark_used(row.quote());
        }
    }

    /// Adds a pod's contribution where it is linked; true if it has no node.
    pub(super) fn count(&mut self, slot: u32) -> bool {
        let Some(pod) = self.pods.get(slot) else { return false };
        let counts = PodCounts::one(pod.state, pod.row.is_some());
        self.pod_counts += counts;
        let shape = self.pods.shape(pod);
        match pod.row {
            Some(id) => {
                if let Some(row) = self.rows.get_mut(&id) {
                    shape.add_to(&mut row.sums);
                    if Pods::is_overhead(pod) {
                        shape.add_requests(&mut row.sums.overhead);
                    }
                    row.sums.pods += counts;
                }
                self.price_by_pods(id);
                self.touch(id);
                false
            }
            None => true,
        }
    }

    /// Takes exactly the same back.
    pub(super) fn uncount(&mut self, slot: u32) -> bool {
        let Some(pod) = self.pods.get(slot) else { return false };
        let counts = PodCounts::one(pod.state, pod.row.is_some());
        self.pod_counts -= counts;
        let shape = self.pods.shape(pod);
        match pod.row {
            Some(id) => {
                if let Some(row) = self.rows.get_mut(&id) {
                    shape.take_from(&mut row.sums);
                    if Pods::is_overhead(pod) {
                        shape.take_requests(&mut row.sums.overhead);
                    }
                    row.sums.pods -= counts;
                }
                self.touch(id);
                false
            }
            None => true,
        }
    }
}
