//! What a node is to the bill: everything that decides its price, read from labels of the node and its claim.

use super::CapacityType;
use super::place::{Partition, Zone, ZoneKind, region_of_hybrid_id, zone_of_provider_id};
use crate::model::{Labels, Name, Node, NodeClaim, key};
use crate::units::Money;
use serde::{Deserialize, Serialize};

/// The labels of one node: those of its Node object first, then those of its claim.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    labels: Option<&'a Labels>,
    claim: Option<&'a NodeClaim>,
}

impl<'a> Facts<'a> {
    /// Of labels alone.
    pub fn from_labels(labels: &'a Labels) -> Self {
        Self { labels: Some(labels), claim: None }
    }

    /// Of a node, and of its claim for labels that the node does not have (yet).
    pub fn from_node(node: &'a Node, claim: Option<&'a NodeClaim>) -> Self {
        Self { labels: Some(&node.labels), claim }
    }

    /// Of a claim without its node.
    pub fn from_claim(claim: &'a NodeClaim) -> Self {
        Self { labels: None, claim: Some(claim) }
    }

    /// The values of a label, best first: the node's, the claim's, and a requirement of the claim that allows one value.
    /// Empty values are left out.
    pub fn values(&self, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let node = self.labels.and_then(|labels| labels.get(key));
        let claim = self.claim.and_then(|claim| claim.labels.get(key));
        let required = self.claim.and_then(|claim| {
            let only = claim.requirements.iter().find(|r| r.key == key && r.operator == "In" && r.count == 1)?;
            only.values.first().map(Name::as_str)
        });
        [node, claim, required].into_iter().flatten().filter(|value| !value.is_empty())
    }

    /// The best value of the first of several labels that has one.
    pub fn first(&self, keys: &[&str]) -> Option<&'a str> {
        keys.iter().find_map(|key| self.values(key).next())
    }

    /// Whether the best value of a label is this one, ignoring case.
    pub fn is(&self, key: &str, expected: &str) -> bool {
        self.values(key).next().is_some_and(|value| value.eq_ignore_ascii_case(expected))
    }

    /// Whether a label is set to any value except `false`; it may be empty.
    pub fn is_set(&self, key: &str) -> bool {
        let of_node = self.labels.and_then(|labels| labels.get(key));
        let value = of_node.or_else(|| self.claim.and_then(|claim| claim.labels.get(key)));
        value.is_some_and(|value| !value.eq_ignore_ascii_case("false"))
    }

    /// The price that a label sets, see [`price_override`].
    pub fn price_override(&self) -> Result<Option<Money>, BadOverride> {
        let Some(value) = self.values(key::INSTANCE_PRICE).next() else { return Ok(None) };
        Money::parse_scientific(value).map(Some).ok_or_else(|| BadOverride { value: value.to_owned() })
    }
}

/// An invalid price label, which is ignored. Completes "failed to read …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("label eks-node-viewer/instance-price=`{value}`: it is not a finite number of 0 or more; the label is ignored")]
pub struct BadOverride {
    /// The label's value.
    pub value: String,
}

/// The hourly price that the label `eks-node-viewer/instance-price` sets on a node or its claim, in the partition's currency.
/// awslabs/eks-node-viewer reads it and Karpenter's kwok provider writes it. It is the price of the whole node: no fee is
/// added.
///
/// # Errors
/// The value is not a finite number of 0 or more.
pub fn price_override(node: &Node, claim: Option<&NodeClaim>) -> Result<Option<Money>, BadOverride> {
    Facts::from_node(node, claim).price_override()
}

/// Who runs the instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ComputeType {
    /// The user: an EC2 instance of Karpenter, of a node group, or launched by hand.
    #[default]
    Instance,
    /// EKS Auto Mode: an EC2 instance with a fee on top.
    Auto,
    /// Fargate.
    Fargate,
    /// The user, outside AWS, by EKS Hybrid Nodes.
    Hybrid,
}

/// The operating system, as far as its price differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Os {
    /// Linux.
    #[default]
    Linux,
    /// Windows: the price contains its licence.
    Windows,
}

impl Os {
    /// Its name in AWS's price lists.
    pub const fn as_aws(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Windows => "Windows",
        }
    }
}

/// Whether the host is shared with other accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tenancy {
    /// It is; the default.
    #[default]
    Shared,
    /// It is not, at a price of its own.
    Dedicated,
}

/// Everything that decides a price. Names borrow from the objects they were read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer<'a> {
    /// `c5a.large`; `None` until the label is set.
    pub instance_type: Option<&'a str>,
    /// The region's label, else the zone's region; never a setting or an environment variable.
    pub region: Option<&'a str>,
    /// The zone's label, else the zone in the provider ID.
    pub zone: Option<&'a str>,
    /// The kind of that zone.
    pub zone_kind: ZoneKind,
    /// Operating system.
    pub os: Os,
    /// Tenancy.
    pub tenancy: Tenancy,
    /// Capacity type.
    pub capacity_type: CapacityType,
    /// Who runs the instance.
    pub compute_type: ComputeType,
    /// Karpenter nodepool.
    pub nodepool: Option<&'a str>,
    /// Managed or eksctl node group.
    pub nodegroup: Option<&'a str>,
    /// The label of the kind of reservation of a reserved instance (`default`).
    pub reservation: Option<&'a str>,
    /// Whether it is on an Outpost, a rack that is paid for as a whole.
    pub outpost: bool,
}

impl<'a> Offer<'a> {
    /// The offer of a node, and of its claim for labels that the node does not have (yet).
    pub fn from_node(node: &'a Node, claim: Option<&'a NodeClaim>) -> Self {
        let provider_id = match claim {
            Some(claim) if node.provider_id.is_empty() => &claim.provider_id,
            _ => &node.provider_id,
        };
        let mut offer = Self::read(&Facts::from_node(node, claim), provider_id, claim, &node.operating_system);
        // Before its labels are complete, only its name identifies a Fargate node.
        if offer.instance_type.is_none() && node.name.starts_with("fargate-") {
            offer.compute_type = ComputeType::Fargate;
            offer.capacity_type = CapacityType::Fargate;
        }
        offer
    }

    /// The offer of a claim without its node. Type, zone and capacity type are labels of a launched claim.
    pub fn from_claim(claim: &'a NodeClaim) -> Self {
        Self::read(&Facts::from_claim(claim), &claim.provider_id, Some(claim), "")
    }

    fn read(facts: &Facts<'a>, provider_id: &'a str, claim: Option<&NodeClaim>, reported_os: &str) -> Self {
        let zone = facts.first(key::ZONE).or_else(|| zone_of_provider_id(provider_id));
        let parsed = zone.and_then(Zone::parse);
        let region = facts.first(key::REGION).or(parsed.map(|z| z.region)).or(region_of_hybrid_id(provider_id));
        let compute_type = if facts.is(key::COMPUTE_TYPE, "fargate") {
            ComputeType::Fargate
        } else if facts.is(key::COMPUTE_TYPE, "hybrid") || provider_id.starts_with("eks-hybrid://") {
            ComputeType::Hybrid
        } else if facts.is(key::COMPUTE_TYPE, "auto") || claim.is_some_and(|c| c.node_class_group == AUTO_NODE_CLASS) {
            ComputeType::Auto
        } else {
            ComputeType::Instance
        };
        let os = facts.first(key::OS).unwrap_or(reported_os);
        let tenancy = facts.first(&[key::TENANCY]);
        Self {
            instance_type: facts.first(key::INSTANCE_TYPE),
            region,
            zone,
            zone_kind: parsed.map_or(ZoneKind::Standard, |z| z.kind),
            os: if os.eq_ignore_ascii_case("windows") { Os::Windows } else { Os::Linux },
            tenancy: match tenancy {
                Some(tenancy) if !tenancy.eq_ignore_ascii_case("default") => Tenancy::Dedicated,
                _ => Tenancy::Shared,
            },
            capacity_type: CapacityType::from_facts(facts),
            compute_type,
            nodepool: facts.first(&[key::NODEPOOL]),
            nodegroup: facts.first(key::NODEGROUP),
            reservation: facts.first(key::RESERVATION_TYPE),
            outpost: facts.first(&[key::OUTPOST]).is_some(),
        }
    }

    /// The region that its price is listed under: the region, or the group of a zone with prices of its own.
    pub fn price_region(&self) -> Option<&'a str> {
        match self.zone_kind {
            ZoneKind::Standard => self.region,
            ZoneKind::Local | ZoneKind::Wavelength => self.zone.and_then(Zone::parse).map(|zone| zone.price_region),
        }
    }

    /// The partition that it is billed in; the commercial one if the region is unknown.
    pub fn partition(&self) -> Partition {
        Partition::from_region(self.region.unwrap_or(""))
    }
}

/// The API group of Auto Mode's node classes, by which its claims differ from those of a self-hosted Karpenter.
const AUTO_NODE_CLASS: &str = "eks.amazonaws.com";

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn node(value: &str) -> Node {
        Node { labels: [(key::INSTANCE_PRICE, value)].into_iter().collect(), ..Node::default() }
    }

    #[test_case("0.019003" => "0.019003")]
    #[test_case("0" => "0.00" ; "free is a price")]
    #[test_case("3" => "3.00")]
    #[test_case("1.9003e-02" => "0.019003")]
    #[test_case("+0.5" => "0.50")]
    fn a_finite_number_is_the_price(value: &str) -> String {
        price_override(&node(value), None).unwrap().unwrap().to_string()
    }

    #[test_case("inf")]
    #[test_case("+Inf")]
    #[test_case("infinity")]
    #[test_case("NaN")]
    #[test_case("-0.1")]
    #[test_case("-1e-3")]
    #[test_case("1e400")]
    #[test_case("99999999999")]
    #[test_case("free")]
    #[test_case("$0.1")]
    #[test_case("0,1")]
    fn override_rejects_non_finite(value: &str) {
        let bad = price_override(&node(value), None).unwrap_err();
        assert_eq!(bad, BadOverride { value: value.to_owned() });
    }

    #[test]
    fn without_the_label_there_is_no_override() {
        assert_eq!(price_override(&Node::default(), None), Ok(None));
    }

    #[test]
    fn the_notice_names_label_and_value() {
        let bad = price_override(&node("inf"), None).unwrap_err().to_string();
        assert_eq!(
            bad,
            "label eks-node-viewer/instance-price=`inf`: it is not a finite number of 0 or more; the label is ignored"
        );
    }
}
