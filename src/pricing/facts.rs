//! One place to ask what labels say of a machine: its node first, then its claim.

use crate::model::{Labels, Name, Node, NodeClaim};

/// What is known of one machine, from either of its two objects.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    labels: Option<&'a Labels>,
    claim: Option<&'a NodeClaim>,
}

impl<'a> Facts<'a> {
    /// Labels alone.
    pub fn of_labels(labels: &'a Labels) -> Self {
        Self { labels: Some(labels), claim: None }
    }

    /// A node, and its claim for what the node's labels do not say (yet).
    pub fn of_node(node: &'a Node, claim: Option<&'a NodeClaim>) -> Self {
        Self { labels: Some(&node.labels), claim }
    }

    /// A claim without its node.
    pub fn of_claim(claim: &'a NodeClaim) -> Self {
        Self { labels: None, claim: Some(claim) }
    }

    /// What is said of one label, best first: the node's, the claim's, and a requirement of the claim that leaves one
    /// value. An empty value says nothing.
    pub fn all(&self, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let node = self.labels.and_then(|labels| labels.get(key));
        let claim = self.claim.and_then(|claim| claim.labels.get(key));
        let required = self.claim.and_then(|claim| {
            let only = claim.requirements.iter().find(|r| r.key == key && r.operator == "In" && r.count == 1)?;
            only.values.first().map(Name::as_str)
        });
        [node, claim, required].into_iter().flatten().filter(|value| !value.is_empty())
    }

    /// The best value of the first of several keys that has one.
    pub fn first(&self, keys: &[&str]) -> Option<&'a str> {
        keys.iter().find_map(|key| self.all(key).next())
    }

    /// Whether the best value of a label is this one, upper or lower case.
    pub fn is(&self, key: &str, value: &str) -> bool {
        self.all(key).next().is_some_and(|is| is.eq_ignore_ascii_case(value))
    }

    /// Whether a label is a mark that is set: there with any value but `false`, the empty one included.
    pub fn is_marked(&self, key: &str) -> bool {
        let labels = self.labels.and_then(|labels| labels.get(key));
        let value = labels.or_else(|| self.claim.and_then(|claim| claim.labels.get(key)));
        value.is_some_and(|value| !value.eq_ignore_ascii_case("false"))
    }
}
