//! What a machine is to the bill: everything that decides its price, read from labels and nothing else.

use super::CapacityType;
use super::facts::Facts;
use super::place::{Partition, Zone, ZoneKind, region_of_hybrid_id, zone_of_provider_id};
use crate::model::{Node, NodeClaim, key};
use serde::{Deserialize, Serialize};

/// Who runs the machine for whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ComputeType {
    /// An EC2 instance run by the user: Karpenter, a node group, by hand.
    #[default]
    Instance,
    /// An EC2 instance run by EKS Auto Mode: a fee comes on top.
    Auto,
    /// Fargate.
    Fargate,
    /// A machine outside AWS, joined by EKS Hybrid Nodes.
    Hybrid,
}

/// The operating system, as far as its licence costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Os {
    /// Linux.
    #[default]
    Linux,
    /// Windows, whose licence is in the price.
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

/// Who else is on the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tenancy {
    /// Anyone; the default.
    #[default]
    Shared,
    /// Nobody, at a price of its own.
    Dedicated,
}

/// Everything that decides a price. Names borrow from the objects they were read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer<'a> {
    /// `c5a.large`; none until the label is there.
    pub instance_type: Option<&'a str>,
    /// The region's label; else the zone's region; a setting or an environment variable never.
    pub region: Option<&'a str>,
    /// The zone's label, else the zone in the provider id.
    pub zone: Option<&'a str>,
    /// What kind of zone that is.
    pub zone_kind: ZoneKind,
    /// Operating system.
    pub os: Os,
    /// Tenancy.
    pub tenancy: Tenancy,
    /// Purchase option.
    pub capacity_type: CapacityType,
    /// Who runs it.
    pub compute_type: ComputeType,
    /// Karpenter nodepool.
    pub nodepool: Option<&'a str>,
    /// Managed or eksctl node group.
    pub nodegroup: Option<&'a str>,
    /// What kind of reservation a reserved machine is in, as far as a label says (`default`).
    pub reservation: Option<&'a str>,
    /// On an Outpost: the rack is paid for as a whole.
    pub outpost: bool,
}

impl<'a> Offer<'a> {
    /// Of a node; its claim, if any, for what the node does not say (yet).
    pub fn of_node(node: &'a Node, claim: Option<&'a NodeClaim>) -> Self {
        let provider_id = match claim {
            Some(claim) if node.provider_id.is_empty() => &claim.provider_id,
            _ => &node.provider_id,
        };
        let mut offer = Self::read(&Facts::of_node(node, claim), provider_id, claim, &node.operating_system);
        // Before its labels are complete a Fargate node is told by its name.
        if offer.instance_type.is_none() && node.name.starts_with("fargate-") {
            offer.compute_type = ComputeType::Fargate;
            offer.capacity_type = CapacityType::Fargate;
        }
        offer
    }

    /// Of a claim without its node. Type, zone and capacity type are there once it is launched.
    pub fn of_claim(claim: &'a NodeClaim) -> Self {
        Self::read(&Facts::of_claim(claim), &claim.provider_id, Some(claim), "")
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

    /// The key its on-demand price is listed under: the region, or the group of a zone that has its own prices.
    pub fn price_region(&self) -> Option<&'a str> {
        match self.zone_kind {
            ZoneKind::Standard => self.region,
            ZoneKind::Local | ZoneKind::Wavelength => self.zone.and_then(Zone::parse).map(|zone| zone.price_region),
        }
    }

    /// The partition it is billed in; the commercial one until a region says otherwise.
    pub fn partition(&self) -> Partition {
        Partition::of(self.region.unwrap_or(""))
    }
}

/// Group of Auto Mode's node classes: tells its claims from those of a self-hosted Karpenter.
const AUTO_NODE_CLASS: &str = "eks.amazonaws.com";
