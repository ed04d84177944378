//! Which claim belongs to which node.
//!
//! Karpenter's join is by equal provider ids (`pkg/utils/nodeclaim/nodeclaim.go`). Where node and claim both have one, the
//! ids decide, also when they differ: `status.nodeName` may be an older node's (kubernetes-sigs/karpenter issue 2808), and
//! a name may be used again by another machine. Only where one of the two has no id yet, the name that the claim was
//! registered under counts, then the node's ownerReference. Two nodes with one provider id are an error there
//! (`MultipleNodesFound`): neither gets the claim.

use crate::model::{Name, Node, NodeClaim, Uid};
use rustc_hash::FxHashMap;
use std::hash::Hash;

/// Indexes over nodes and claims, so that a join costs the same at 10 and at 5,000 nodes.
#[derive(Debug, Default)]
pub(super) struct Joins {
    nodes_by_provider: FxHashMap<Name, Vec<Name>>,
    /// Provider ids of the nodes that have one.
    provider_of_node: FxHashMap<Name, Name>,
    nodes_by_owner: FxHashMap<Uid, Vec<Name>>,
    claims_by_node: FxHashMap<Name, Vec<Name>>,
    claims_by_provider: FxHashMap<Name, Vec<Name>>,
    claims_by_uid: FxHashMap<Uid, Vec<Name>>,
}

fn put<K: Hash + Eq>(index: &mut FxHashMap<K, Vec<Name>>, key: K, name: &Name) {
    let names = index.entry(key).or_default();
    if !names.contains(name) {
        names.push(name.clone());
    }
}

fn take<K: Hash + Eq>(index: &mut FxHashMap<K, Vec<Name>>, key: &K, name: &Name) {
    if let Some(names) = index.get_mut(key) {
        names.retain(|n| n != name);
        if names.is_empty() {
            index.remove(key);
        }
    }
}

impl Joins {
    pub(super) fn add_node(&mut self, node: &Node) {
        if !node.provider_id.is_empty() {
            put(&mut self.nodes_by_provider, node.provider_id.clone(), &node.name);
            self.provider_of_node.insert(node.name.clone(), node.provider_id.clone());
        }
        if let Some(owner) = node.owner_claim {
            put(&mut self.nodes_by_owner, owner, &node.name);
        }
    }

    pub(super) fn remove_node(&mut self, node: &Node) {
        take(&mut self.nodes_by_provider, &node.provider_id, &node.name);
        self.provider_of_node.remove(&node.name);
        if let Some(owner) = node.owner_claim {
            take(&mut self.nodes_by_owner, &owner, &node.name);
        }
    }

    pub(super) fn add_claim(&mut self, claim: &NodeClaim) {
        if !claim.node_name.is_empty() {
            put(&mut self.claims_by_node, claim.node_name.clone(), &claim.name);
        }
        if !claim.provider_id.is_empty() {
            put(&mut self.claims_by_provider, claim.provider_id.clone(), &claim.name);
        }
        put(&mut self.claims_by_uid, claim.uid, &claim.name);
    }

    pub(super) fn remove_claim(&mut self, claim: &NodeClaim) {
        take(&mut self.claims_by_node, &claim.node_name, &claim.name);
        take(&mut self.claims_by_provider, &claim.provider_id, &claim.name);
        take(&mut self.claims_by_uid, &claim.uid, &claim.name);
    }

    /// The node a claim belongs to. The name it was registered under is one though the node is not there (yet, or any more).
    pub(super) fn node_of(&self, claim: &NodeClaim) -> Option<Name> {
        if let Some(names) = self.nodes_by_provider.get(&claim.provider_id) {
            return match names.as_slice() {
                [name] => Some(name.clone()),
                _ => None,
            };
        }
        let owned = || match self.nodes_by_owner.get(&claim.uid).map(Vec::as_slice) {
            Some([name]) => Some(name.clone()),
            _ => None,
        };
        let named = Some(&claim.node_name).filter(|name| !name.is_empty()).cloned();
        // No node has the claim's id, so a node with another one is another machine.
        let is_another = |name: &Name| !claim.provider_id.is_empty() && self.provider_of_node.contains_key(name);
        named.filter(|name| !is_another(name)).or_else(|| owned().filter(|name| !is_another(name)))
    }

    /// Claims that may belong to the node of this name, which need not be there.
    pub(super) fn claims_of_name(&self, node: &Name) -> impl Iterator<Item = &Name> {
        self.claims_by_node.get(node).into_iter().flatten()
    }

    /// Claims whose join may change when this node comes, changes or goes.
    pub(super) fn claims_near(&self, node: &Node) -> Vec<Name> {
        let mut names: Vec<Name> = Vec::new();
        names.extend(self.claims_by_node.get(&node.name).into_iter().flatten().cloned());
        names.extend(self.claims_by_provider.get(&node.provider_id).into_iter().flatten().cloned());
        names.extend(node.owner_claim.and_then(|uid| self.claims_by_uid.get(&uid)).into_iter().flatten().cloned());
        names.sort();
        names.dedup();
        names
    }
}
