//! Node classes, and which one a machine was launched with.

use super::Row;
use crate::model::{Name, NodeClass, Provisioner, Stream, Uid, key};
use std::collections::BTreeMap;

/// The node classes on record, of Karpenter and of Auto Mode, which may share a cluster and a name.
#[derive(Debug, Default)]
pub(super) struct NodeClasses {
    /// With the generation of the list that last named it.
    known: BTreeMap<(Provisioner, Name), (NodeClass, u32)>,
}

/// The stream of a provisioner's node classes.
pub(super) const fn stream(provisioner: Provisioner) -> Stream {
    match provisioner {
        Provisioner::AutoMode => Stream::NodeClasses,
        Provisioner::Karpenter | Provisioner::Kwok | Provisioner::OtherKarpenter => Stream::Ec2NodeClasses,
    }
}

impl NodeClasses {
    /// True if that is news.
    pub(super) fn put(&mut self, class: NodeClass, generation: u32) -> bool {
        let key = (class.provisioner, class.name.clone());
        let differs = self.known.get(&key).is_none_or(|(old, _)| *old != class);
        self.known.insert(key, (class, generation));
        differs
    }

    /// Removes a class; true if it was there.
    pub(super) fn remove(&mut self, provisioner: Provisioner, name: &Name, uid: Uid) -> bool {
        let key = (provisioner, name.clone());
        self.known.get(&key).is_some_and(|(class, _)| class.uid.matches(uid)) && self.known.remove(&key).is_some()
    }

    /// Forgets what the list of this generation did not name; true if that was anything.
    pub(super) fn sweep(&mut self, of: Stream, generation: u32) -> bool {
        let before = self.known.len();
        self.known.retain(|(provisioner, _), (_, seen)| stream(*provisioner) != of || *seen == generation);
        self.known.len() != before
    }

    /// The class of this provisioner and name.
    pub(super) fn get(&self, provisioner: Provisioner, name: &str) -> Option<&NodeClass> {
        self.known.get(&(provisioner, Name::from(name))).map(|(class, _)| class)
    }
}

impl Row {
    /// The node class it was launched with: its claim's reference, else its node's label. None: none is named, or not one
    /// whose volumes are known.
    pub fn node_class(&self) -> Option<(Provisioner, &str)> {
        let claim = self.claim().filter(|claim| !claim.node_class.is_empty());
        let by_claim = claim.and_then(|claim| match claim.node_class_group.as_str() {
            "eks.amazonaws.com" => Some((Provisioner::AutoMode, claim.node_class.as_str())),
            "karpenter.k8s.aws" => Some((Provisioner::Karpenter, claim.node_class.as_str())),
            _ => None,
        });
        let labels = [(Provisioner::Karpenter, key::EC2_NODE_CLASS), (Provisioner::AutoMode, key::AUTO_NODE_CLASS)];
        let by_label = || labels.into_iter().find_map(|(provisioner, key)| Some((provisioner, self.label(key)?)));
        by_claim.or_else(by_label).filter(|(_, name)| !name.is_empty())
    }
}
