//! The prices that a cluster needs: sources are asked for no others.

use super::CapacityType;
use super::offer::{ComputeType, Offer, Os, Tenancy};
use crate::model::Name;
use std::collections::{BTreeMap, BTreeSet};

/// One kind of on-demand prices, which a source answers together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OnDemandKey {
    /// The price region.
    pub region: Name,
    /// Operating system.
    pub os: Os,
    /// Tenancy.
    pub tenancy: Tenancy,
}

/// The prices that a set of nodes needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Instance types whose on-demand price is needed. For spot nodes it is the upper bound, and the base of their savings.
    pub on_demand: BTreeMap<OnDemandKey, BTreeSet<Name>>,
    /// Spot instance types by region (also for nodes in a Local Zone) and operating system.
    pub spot: BTreeMap<(Name, Os), BTreeSet<Name>>,
    /// Regions with charges of EKS: Auto Mode, Fargate, hybrid nodes, the control plane.
    pub eks: BTreeSet<Name>,
    /// EBS volume types by region.
    pub volumes: BTreeMap<Name, BTreeSet<Name>>,
}

impl Demand {
    /// Adds the prices that a node needs; none if its region or type is unknown.
    pub fn add(&mut self, offer: &Offer) {
        let Some(region) = &offer.region else { return };
        if offer.compute_type != ComputeType::Instance {
            self.eks.insert(region.clone());
        }
        if matches!(offer.compute_type, ComputeType::Fargate | ComputeType::Hybrid) || offer.outpost {
            return;
        }
        let instance_type = offer.instance_type.as_ref().filter(|name| is_ec2_type(name));
        let (Some(instance_type), Some(price_region)) = (instance_type, offer.price_region()) else { return };
        let key = OnDemandKey { region: price_region.into(), os: offer.os, tenancy: offer.tenancy };
        self.on_demand.entry(key).or_default().insert(instance_type.clone());
        if offer.capacity_type == CapacityType::Spot && offer.tenancy == Tenancy::Shared {
            self.spot.entry((region.clone(), offer.os)).or_default().insert(instance_type.clone());
        }
    }

    /// Whether no price is needed.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// Whether a type has the form of EC2's names: a family, a point, a size. Other clouds have regions with names like AWS's
/// (`ap-southeast-1` of Alibaba, `us-ashburn-1` of Oracle), but no such types.
fn is_ec2_type(instance_type: &str) -> bool {
    let word = |part: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !part.is_empty() && part.bytes().all(plain)
    };
    instance_type.split_once('.').is_some_and(|(family, size)| word(family) && word(size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Node, key};
    use test_case::test_case;

    fn demand(nodes: &[&[(&str, &str)]]) -> Demand {
        let mut demand = Demand::default();
        for labels in nodes {
            let node = Node { labels: labels.iter().copied().collect(), ..Node::default() };
            demand.add(&Offer::read(Some(&node), None).unwrap());
        }
        demand
    }

    const TYPE: (&str, &str) = ("node.kubernetes.io/instance-type", "c5.12xlarge");

    #[test]
    fn price_requests_name_only_types_in_use() {
        let spot = ("karpenter.sh/capacity-type", "spot");
        let lax = ("topology.kubernetes.io/zone", "us-west-2-lax-1a");
        let demand = demand(&[
            &[TYPE, lax, spot],
            &[TYPE, ("topology.kubernetes.io/zone", "us-west-2a"), (key::COMPUTE_TYPE, "auto")],
            &[("topology.kubernetes.io/region", "eu-west-1"), (key::COMPUTE_TYPE, "fargate")],
            &[TYPE],
        ]);
        let key = |region: &str| OnDemandKey { region: region.into(), os: Os::Linux, tenancy: Tenancy::Shared };
        let types: BTreeSet<Name> = ["c5.12xlarge".into()].into();
        assert_eq!(
            demand.on_demand,
            BTreeMap::from([(key("us-west-2"), types.clone()), (key("us-west-2-lax-1"), types.clone())])
        );
        assert_eq!(demand.spot, BTreeMap::from([(("us-west-2".into(), Os::Linux), types)]));
        assert_eq!(demand.eks, BTreeSet::from(["us-west-2".into(), "eu-west-1".into()]));
    }

    #[test]
    fn nodes_not_priced_by_type_need_no_type() {
        assert!(demand(&[&[TYPE], &[]]).is_empty());
        let outpost = (key::OUTPOST, "op-0");
        assert!(demand(&[&[TYPE, ("topology.kubernetes.io/region", "eu-west-1"), outpost]]).is_empty());
    }

    #[test_case("c5a.large" => true)]
    #[test_case("m7i.metal-24xl" => true)]
    #[test_case("p6-b200.48xlarge" => true)]
    #[test_case("u-6tb1.112xlarge" => true)]
    #[test_case("ecs.g6.large" => false ; "alibaba")]
    #[test_case("c6.large.2" => false ; "huawei")]
    #[test_case("VM.Standard.E4.Flex" => false ; "oracle")]
    #[test_case("n2-standard-4" => false ; "google")]
    #[test_case("Standard_D4s_v5" => false ; "azure")]
    #[test_case("c-4x-amd64-linux" => false ; "kwok")]
    #[test_case(".large" => false)]
    fn only_types_of_ec2_are_asked_for(instance_type: &str) -> bool {
        let labels = [
            ("node.kubernetes.io/instance-type", instance_type),
            ("topology.kubernetes.io/region", "ap-southeast-1"),
            ("karpenter.sh/capacity-type", "spot"),
        ];
        !demand(&[&labels]).is_empty()
    }
}
