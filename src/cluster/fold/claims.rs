//! Folding of NodeClaims, and their join to nodes.

use crate::cluster::{ChangedParts, Cluster, RowId};
use crate::model::{Name, NodeClaim, Stream, Timestamp, Uid};

impl Cluster {
    pub(super) fn claim(&mut self, claim: Box<NodeClaim>, now: Timestamp) -> ChangedParts {
        let name = claim.name.clone();
        let generation = self.generation(Stream::NodeClaims);
        let first_picture_done = self.stream(Stream::NodeClaims).complete;
        let known = self.by_claim.get(&name).copied();
        let id = match known {
            Some(id) => id,
            None => {
                let id = self.new_row(name.clone(), now);
                self.by_claim.insert(name.clone(), id);
                if first_picture_done && let Some(row) = self.rows.get_mut(&id) {
                    row.appeared = Some(now);
                }
                id
            }
        };
        let Some(row) = self.rows.get_mut(&id) else { return ChangedParts::NONE };
        row.claim_generation = generation;
        if row.claim.as_deref() == Some(&*claim) {
            return ChangedParts::NONE;
        }
        self.joins.add_claim(&claim);
        if let Some(old) = row.claim.replace(claim) {
            self.joins.remove_claim(&old);
            if let Some(new) = &row.claim {
                self.joins.add_claim(new);
            }
            if row.claim.as_ref().is_some_and(|new| new.uid != old.uid) {
                (row.gone, row.leaving) = (None, None);
            }
        }
        self.rejoin(&name, now);
        if let Some(id) = self.by_claim.get(&name).copied() {
            self.refresh(id, now);
        }
        ChangedParts::ROWS
    }

    pub(super) fn claim_gone(&mut self, name: &Name, uid: Uid, now: Timestamp) -> ChangedParts {
        let Some(id) = self.by_claim.get(name).copied() else { return ChangedParts::NONE };
        let Some(row) = self.rows.get_mut(&id) else { return ChangedParts::NONE };
        if !row.claim.as_ref().is_some_and(|claim| claim.uid.matches(uid)) {
            return ChangedParts::NONE;
        }
        if let Some(claim) = &row.claim {
            self.joins.remove_claim(claim);
        }
        self.by_claim.remove(name);
        if row.node.is_some() && row.gone.is_none() {
            row.claim = None;
        } else {
            row.gone = Some(now);
        }
        let node = row.node_name.clone();
        self.refresh(id, now);
        if let Some(node) = node {
            self.settle(&node, now);
        }
        ChangedParts::ROWS
    }

    /// Moves a claim to the row it belongs to: its node's, or one of its own.
    ///
    /// Several claims that want one node are an error of Karpenter; the first by name gets it, so that the picture does
    /// not depend on who came first.
    pub(super) fn rejoin(&mut self, name: &Name, now: Timestamp) {
        let Some(from) = self.by_claim.get(name).copied() else { return };
        let Some(claim) = self.rows.get(&from).and_then(|row| row.claim.as_ref()) else { return };
        let home = self.joins.node_of(claim).filter(|node| self.claimant(node).as_ref() == Some(name));
        let to = match home {
            Some(node) => self.row_for_node(&node, now),
            None if self.rows[&from].node_name.is_some() => self.new_row(name.clone(), now),
            None => return,
        };
        if to == from {
            return;
        }
        let displaced =
            self.rows.get(&to).filter(|r| r.gone.is_none()).and_then(|r| r.claim.as_ref()).map(|c| c.name.clone());
        match displaced {
            // Once it has left, the claims of this node look again, this one first among them.
            Some(other) => {
                let own = self.new_row(other.clone(), now);
                self.move_claim(&other, to, own, now);
            }
            None => self.move_claim(name, from, to, now),
        }
    }

    /// The claim that has a node.
    pub(super) fn claimant(&self, node: &Name) -> Option<Name> {
        self.claims_near(node).into_iter().find(|name| {
            let claim = self.by_claim.get(name).and_then(|id| self.rows.get(id)).and_then(|row| row.claim.as_ref());
            claim.and_then(|claim| self.joins.node_of(claim)).as_ref() == Some(node)
        })
    }

    /// Claims that may belong to a node, by name.
    pub(super) fn claims_near(&self, node: &Name) -> Vec<Name> {
        let standing = self.by_node.get(node).and_then(|id| self.rows.get(id)).filter(|row| row.gone.is_none());
        match standing.and_then(|row| row.node.as_ref()) {
            Some(node) => self.joins.claims_near(node),
            None => {
                let mut names: Vec<Name> = self.joins.claims_of_name(node).cloned().collect();
                names.sort();
                names
            }
        }
    }

    pub(super) fn move_claim(&mut self, name: &Name, from: RowId, to: RowId, now: Timestamp) {
        let Some(source) = self.rows.get_mut(&from) else { return };
        let (claim, generation) = (source.claim.take(), source.claim_generation);
        let appeared = source.appeared;
        let left = source.node_name.clone();
        let mut aliases = if left.is_none() { std::mem::take(&mut source.aliases) } else { Vec::new() };
        if let Some(target) = self.rows.get_mut(&to) {
            if target.gone.take().is_some() {
                // The name of a node that went is spoken of again.
                (target.node, target.leaving) = (None, None);
            }
            target.claim = claim;
            target.claim_generation = generation;
            target.appeared = target.appeared.or(appeared);
        }
        self.by_claim.insert(name.clone(), to);
        match left {
            None => {
                // The claim's row becomes the node's: whoever held on to it finds it there.
                aliases.push(from);
                self.merged.extend(aliases.iter().map(|alias| (*alias, to)));
                if let Some(target) = self.rows.get_mut(&to) {
                    target.aliases.append(&mut aliases);
                }
                self.drop_if_empty(from);
            }
            Some(node) => {
                self.refresh(from, now);
                self.drop_if_empty(from);
                self.settle(&node, now);
            }
        }
        self.refresh(to, now);
    }

    /// A node's place became free, or what decides about it changed: the claims that may want it look again.
    pub(super) fn settle(&mut self, node: &Name, now: Timestamp) {
        for claim in self.claims_near(node) {
            self.rejoin(&claim, now);
        }
    }
}
