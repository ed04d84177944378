//! What a node is to the bill: everything that decides its price, read once from the labels of the node and its claim.

use super::CapacityType;
use super::place::{Partition, Zone, ZoneKind, region_of_hybrid_id, zone_of_provider_id};
use crate::model::{Name, Node, NodeClaim, key};
use crate::units::Money;
use serde::{Deserialize, Serialize};

/// The labels of a row: those of its node, then those of its claim.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowLabels<'a> {
    /// The node, if there is one.
    pub node: Option<&'a Node>,
    /// The claim, if there is one.
    pub claim: Option<&'a NodeClaim>,
}

impl<'a> RowLabels<'a> {
    /// The label as set, best first: the node's, then the claim's. It may be empty.
    fn set(self, key: &str) -> impl Iterator<Item = &'a str> {
        let node = self.node.and_then(|node| node.labels.get(key));
        node.into_iter().chain(self.claim.and_then(|claim| claim.labels.get(key)))
    }

    /// The values of a label, best first: the node's, the claim's, and a requirement of the claim that allows one value.
    /// Empty values are left out.
    pub fn values(self, key: &str) -> impl Iterator<Item = &'a str> {
        let required = self.claim.and_then(|claim| {
            let only = claim.requirements.iter().find(|r| r.key == key && r.operator == "In" && r.count == 1)?;
            only.values.first().map(Name::as_str)
        });
        self.set(key).chain(required).filter(|value| !value.is_empty())
    }

    /// The best value of the first of several labels that has one.
    fn first(self, keys: &[&str]) -> Option<&'a str> {
        keys.iter().find_map(|key| self.values(key).next())
    }

    /// Whether the best value of a label is this one, ignoring case.
    pub fn is(self, key: &str, expected: &str) -> bool {
        self.values(key).next().is_some_and(|value| value.eq_ignore_ascii_case(expected))
    }

    /// Whether a label is set to any value except `false`; it may be empty.
    pub fn is_set(self, key: &str) -> bool {
        self.set(key).next().is_some_and(|value| !value.eq_ignore_ascii_case("false"))
    }
}

/// An invalid price label, which is ignored. Completes "failed to read …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("label eks-node-viewer/instance-price=`{value}`: it is not a finite number of 0 or more; the label is ignored")]
pub struct BadOverride {
    /// The label's value.
    pub value: Name,
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

/// Everything that decides the price of a node, except the pods of a Fargate node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// `c5a.large`; `None` until the label is set.
    pub instance_type: Option<Name>,
    /// The region's label, else the zone's region; never a setting or an environment variable.
    pub region: Option<Name>,
    /// The zone's label, else the zone in the provider ID.
    pub zone: Option<Name>,
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
    pub nodepool: Option<Name>,
    /// Managed or eksctl node group.
    pub nodegroup: Option<Name>,
    /// Whether a label has the kind of reservation of a reserved instance.
    pub has_reservation_type: bool,
    /// Whether it is on an Outpost, a rack that is paid for as a whole.
    pub outpost: bool,
    /// The label `eks-node-viewer/instance-price`, see [`Self::price_override`].
    pub price_label: Option<Name>,
    /// `status.capacity.cpu` of the node: a hybrid node is billed by vCPU.
    pub cpu_millicores: u64,
}

/// The API group of Auto Mode's node classes, by which its claims differ from those of a self-hosted Karpenter.
const AUTO_NODE_CLASS: &str = "eks.amazonaws.com";

impl Offer {
    /// The offer of a node, with its claim for labels that the node does not have (yet), or of a claim alone. `None` without
    /// either.
    pub fn read(node: Option<&Node>, claim: Option<&NodeClaim>) -> Option<Self> {
        let labels = RowLabels { node, claim };
        let provider_id = node.map(|node| &node.provider_id).filter(|id| !id.is_empty());
        let provider_id =
            provider_id.or(claim.map(|claim| &claim.provider_id)).or(node.map(|node| &node.provider_id))?;
        let owned = |text: Option<&str>| text.map(Name::from);
        let zone = labels.first(key::ZONE).or_else(|| zone_of_provider_id(provider_id));
        let parsed = zone.and_then(Zone::parse);
        let region = labels.first(key::REGION).or(parsed.map(|zone| zone.region));
        let instance_type = labels.first(key::INSTANCE_TYPE);
        let is_auto_claim = claim.is_some_and(|claim| claim.node_class_group == AUTO_NODE_CLASS);
        // Before its labels are complete, only its name identifies a Fargate node.
        let is_fargate_name = instance_type.is_none() && node.is_some_and(|node| node.name.starts_with("fargate-"));
        let compute_type = if is_fargate_name || labels.is(key::COMPUTE_TYPE, "fargate") {
            ComputeType::Fargate
        } else if labels.is(key::COMPUTE_TYPE, "hybrid") || provider_id.starts_with("eks-hybrid://") {
            ComputeType::Hybrid
        } else if labels.is(key::COMPUTE_TYPE, "auto") || is_auto_claim {
            ComputeType::Auto
        } else {
            ComputeType::Instance
        };
        let os = labels.first(key::OS).or(node.map(|node| node.operating_system.as_str()));
        let tenancy = labels.first(&[key::TENANCY]);
        Some(Self {
            instance_type: owned(instance_type),
            region: owned(region.or_else(|| region_of_hybrid_id(provider_id))),
            zone: owned(zone),
            zone_kind: parsed.map_or(ZoneKind::Standard, |zone| zone.kind),
            os: if os.is_some_and(|os| os.eq_ignore_ascii_case("windows")) { Os::Windows } else { Os::Linux },
            tenancy: match tenancy {
                Some(tenancy) if !tenancy.eq_ignore_ascii_case("default") => Tenancy::Dedicated,
                Some(_) | None => Tenancy::Shared,
            },
            capacity_type: match compute_type {
                ComputeType::Fargate => CapacityType::Fargate,
                ComputeType::Instance | ComputeType::Auto | ComputeType::Hybrid => CapacityType::read(labels),
            },
            compute_type,
            nodepool: owned(labels.first(&[key::NODEPOOL])),
            nodegroup: owned(labels.first(key::NODEGROUP)),
            has_reservation_type: labels.first(key::RESERVATION_TYPE).is_some(),
            outpost: labels.first(&[key::OUTPOST]).is_some(),
            price_label: owned(labels.first(&[key::INSTANCE_PRICE])),
            cpu_millicores: node.map_or(0, |node| node.capacity.cpu_millicores),
        })
    }

    /// The region that its price is listed under: the region, or the group of a zone with prices of its own.
    pub fn price_region(&self) -> Option<&str> {
        match self.zone_kind {
            ZoneKind::Standard => self.region.as_deref(),
            ZoneKind::Local | ZoneKind::Wavelength => Zone::parse(self.zone.as_deref()?).map(|zone| zone.price_region),
        }
    }

    /// The partition that it is billed in; the commercial one if the region is unknown.
    pub fn partition(&self) -> Partition {
        Partition::from_region(self.region.as_deref().unwrap_or_default())
    }

    /// The hourly price that the label `eks-node-viewer/instance-price` sets, in the partition's currency. It is the price of
    /// the whole node: no fee is added. awslabs/eks-node-viewer reads the label and Karpenter's kwok provider writes it.
    ///
    /// # Errors
    /// The value is not a finite number of 0 or more.
    pub fn price_override(&self) -> Result<Option<Money>, BadOverride> {
        let Some(value) = &self.price_label else { return Ok(None) };
        Money::parse_scientific(value).map(Some).ok_or_else(|| BadOverride { value: value.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    /// The price that the label of a node sets.
    fn price_override(value: &str) -> Result<Option<Money>, BadOverride> {
        let labels = [(key::INSTANCE_PRICE, value)].into_iter().collect();
        Offer::read(Some(&Node { labels, ..Node::default() }), None).unwrap().price_override()
    }

    #[test_case("0.019003" => "0.019003")]
    #[test_case("0" => "0.00" ; "free is a price")]
    #[test_case("3" => "3.00")]
    #[test_case("1.9003e-02" => "0.019003")]
    #[test_case("+0.5" => "0.50")]
    fn a_finite_number_is_the_price(value: &str) -> String {
        price_override(value).unwrap().unwrap().to_string()
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
    fn a_value_that_is_not_a_finite_number_is_rejected(value: &str) {
        let bad = price_override(value).unwrap_err();
        assert_eq!(bad, BadOverride { value: value.into() });
    }

    #[test]
    fn without_the_label_there_is_no_override() {
        assert_eq!(Offer::default().price_override(), Ok(None));
    }

    #[test]
    fn the_notice_names_label_and_value() {
        let bad = price_override("inf").unwrap_err().to_string();
        assert_eq!(
            bad,
            "label eks-node-viewer/instance-price=`inf`: it is not a finite number of 0 or more; the label is ignored"
        );
    }
}
