//! Hourly costs besides those of nodes, each a line of its own: the EKS control plane, once per cluster, and the EBS volumes of
//! each node, which are never part of the node's price.
//!
//! The control plane adds up the cluster, extended support of an old Kubernetes version, and a tier of provisioned capacity.
//! The last two are not in Kubernetes: `eks:DescribeCluster` reports them. Whether a version is in extended support depends on
//! the date, and the program contains no such dates.
//!
//! AWS bills a volume by GiB and month from its creation to its deletion, whatever it contains, and provisioned performance
//! above the type's baseline on top (Amazon EBS pricing). The program embeds no such prices: they come from the AWS Price
//! List, and are unknown until then. Sizes are those of the node class, which describes nodes to be launched: a node that was
//! launched before a change may differ.

use super::answers::Item;
use super::offer::Offer;
use super::origin::Origin;
use super::place::Partition;
use super::quote::{Figure, Unknown};
use super::{ComputeType, PriceBook};
use crate::model::{Name, NodeClass, Provisioner, Volume};
use crate::units::money::HOURS_PER_MONTH;
use crate::units::{Currency, Money};

/// Which costs besides those of nodes are shown, each as a sum of its own. None is by default: the price per node should be the
/// price of the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtraCosts {
    /// The price of the EKS control plane.
    pub control_plane: bool,
    /// The EBS volumes that nodes with a node class are launched with.
    pub volumes: bool,
}

impl ExtraCosts {
    /// Whether any is shown.
    pub const fn any(self) -> bool {
        self.control_plane || self.volumes
    }
}

/// What AWS reports of a cluster's control plane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterSupport {
    /// Kubernetes version, `1.36`; empty if it is not reported.
    pub version: Name,
    /// `standard`, `tier-xl` …; `None` if it is not reported, which means `standard`.
    pub tier: Option<Name>,
    /// What happens at the end of standard support.
    pub support: Option<SupportType>,
    /// The support that the version is in now.
    pub phase: Option<SupportPhase>,
}

/// `upgradePolicy.supportType`: what happens to a cluster at the end of its version's standard support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupportType {
    /// It is upgraded, and never pays for extended support.
    Standard,
    /// It stays, and pays for extended support from then on.
    Extended,
}

/// `clusterVersions[].versionStatus`: which support a version is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupportPhase {
    /// Standard support.
    Standard,
    /// Extended support.
    Extended,
}

/// The hourly price of a cluster's control plane. An unknown part is `None`, never zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlPlane {
    /// The currency that the partition is billed in.
    pub currency: Currency,
    /// The price of a cluster in standard support.
    pub cluster: Option<Figure>,
    /// Whether it is in extended support; `None` if that is unknown.
    pub extended: Option<bool>,
    /// The surcharge for extended support, whether it applies or not.
    pub extended_support: Option<Figure>,
    /// The provisioned tier, by AWS's name, and its surcharge; `None` for the standard tier, and if AWS has not reported it.
    pub tier: Option<(Name, Option<Figure>)>,
    /// Whether AWS has reported tier and support.
    pub reported: bool,
}

impl PriceBook {
    /// The price of a cluster's control plane; `support` is AWS's report of it.
    pub fn control_plane(&self, region: &str, support: Option<&ClusterSupport>) -> ControlPlane {
        let tier = support.and_then(|support| support.tier.as_ref()).filter(|tier| *tier != "standard").map(|tier| {
            // `tier-xl` of the cluster is `XL` in the price list.
            let listed = tier.strip_prefix("tier-").unwrap_or(tier).to_ascii_uppercase();
            (tier.clone(), self.figure(region, &Item::Tier(listed.into())))
        });
        ControlPlane {
            currency: Partition::from_region(region).currency(),
            cluster: self.figure(region, &Item::Cluster),
            extended: support.and_then(|support| match (support.support, support.phase) {
                (Some(SupportType::Standard), _) | (_, Some(SupportPhase::Standard)) => Some(false),
                (_, Some(SupportPhase::Extended)) => Some(true),
                (Some(SupportType::Extended) | None, None) => None,
            }),
            extended_support: self.figure(region, &Item::ExtendedSupport),
            tier,
            reported: support.is_some(),
        }
    }
}

impl ControlPlane {
    /// The parts that are due.
    fn parts(&self) -> impl Iterator<Item = Option<Figure>> {
        let extended = (self.extended == Some(true)).then_some(self.extended_support);
        [self.cluster].into_iter().chain(extended).chain(self.tier.as_ref().map(|(_, price)| *price))
    }

    /// The known part of the price; a surcharge that may not be due is not in it. `None` if nothing is known.
    pub fn hourly(&self) -> Option<Money> {
        self.cluster.map(|_| self.parts().flatten().map(|part| part.amount).sum())
    }

    /// Whether a part that is due has no price: [`Self::hourly`] is a lower bound.
    pub fn is_lower_bound(&self) -> bool {
        self.parts().any(|part| part.is_none())
    }

    /// Whether a part is an estimate.
    pub fn is_estimated(&self) -> bool {
        self.parts().flatten().any(|part| part.estimated)
    }

    /// The price in case the version is in extended support; `None` if that is known, or has no price.
    pub fn if_extended(&self) -> Option<Money> {
        let surcharge = self.extended_support.filter(|_| self.extended.is_none())?;
        Some(self.hourly()? + surcharge.amount)
    }
}

/// A volume and its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumePart {
    /// The volume.
    pub volume: Volume,
    /// The known part of its hourly price.
    pub known: Money,
    /// Why that is not all, if so.
    pub unknown: Option<Unknown>,
    /// The price source of a GiB.
    pub origin: Origin,
}

/// The volumes of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumesQuote {
    /// The currency that the partition is billed in.
    pub currency: Currency,
    /// The volumes; empty if they are not known at all.
    pub parts: Vec<VolumePart>,
    /// The known part of the hourly price: a lower bound if [`Self::unknown`] is not `None`.
    pub known: Money,
    /// Why a part is unknown, if one is.
    pub unknown: Option<Unknown>,
    /// Whether the node class has changed since the node's launch.
    pub estimated: bool,
}

/// The baseline of a gp3 volume, which is free: IOPS and MiB/s (Amazon EBS pricing).
const GP3_FREE: (u64, u64) = (3_000, 125);
/// The IOPS of an io2 volume in the first price tier; those above have other prices (Amazon EBS pricing).
const IO2_FIRST: u64 = 32_000;
/// The data volume, in GiB, that Auto Mode gives an instance with larger local disks (EKS user guide, "Learn about Amazon EKS
/// Auto Mode Managed instances").
const AUTO_BESIDE_LOCAL_DISKS: u64 = 20;

/// A volume of a node class as a node is launched with it; `local_disks` is the size of its instance's own disks in GiB.
fn launched(volume: &Volume, class: &NodeClass, local_disks: Option<u64>) -> Volume {
    let has_larger_disks = class.provisioner == Provisioner::AutoMode && !volume.root && volume.size_gib < local_disks;
    let size_gib = volume.size_gib.map(|size| if has_larger_disks { AUTO_BESIDE_LOCAL_DISKS } else { size });
    Volume { size_gib, ..volume.clone() }
}

impl PriceBook {
    /// The price of a node's volumes by its node class; `local_disks` is the size of its instance's own disks in GiB. `None`
    /// for nodes without EBS volumes that are billed separately: Fargate, hybrid nodes.
    pub fn quote_volumes(
        &self,
        offer: &Offer,
        class: Result<&NodeClass, Unknown>,
        local_disks: Option<u64>,
    ) -> Option<VolumesQuote> {
        if !matches!(offer.compute_type, ComputeType::Instance | ComputeType::Auto) {
            return None;
        }
        let currency = offer.partition().currency();
        let quote = VolumesQuote { currency, parts: Vec::new(), known: Money::ZERO, unknown: None, estimated: false };
        let unknown = |why| Some(VolumesQuote { unknown: Some(why), ..quote.clone() });
        let class = match class {
            Ok(class) => class,
            Err(why) => return unknown(why),
        };
        let Some(region) = offer.price_region() else { return unknown(Unknown::NoRegion) };
        let volumes = class.volumes.iter().map(|volume| launched(volume, class, local_disks));
        let parts: Vec<VolumePart> = volumes.map(|volume| self.quote_volume(region, volume)).collect();
        let known = parts.iter().map(|part| part.known).sum();
        let unknown = parts.iter().find_map(|part| part.unknown);
        Some(VolumesQuote { parts, known, unknown, ..quote })
    }

    fn quote_volume(&self, region: &str, volume: Volume) -> VolumePart {
        let volume_type = &volume.volume_type;
        let price = |item| self.figure(region, &item);
        let unknown =
            |volume, why| VolumePart { volume, known: Money::ZERO, unknown: Some(why), origin: Origin::default() };
        let Some(size) = volume.size_gib.filter(|_| !volume_type.is_empty()) else {
            return unknown(volume, Unknown::VolumeSize);
        };
        let Some(gib) = price(Item::Volume(volume_type.clone())) else { return unknown(volume, Unknown::VolumeType) };
        let (iops, throughput) = (volume.iops.unwrap_or(0), volume.throughput.unwrap_or(0));
        let (iops, throughput, mut why) = match volume_type.as_str() {
            "gp3" => (iops.saturating_sub(GP3_FREE.0), throughput.saturating_sub(GP3_FREE.1), None),
            "io1" => (iops, 0, None),
            "io2" => (iops.min(IO2_FIRST), 0, (iops > IO2_FIRST).then_some(Unknown::VolumePerformance)),
            "standard" => (0, 0, Some(Unknown::VolumeRequests)),
            _ => (0, 0, None),
        };
        let times = |price: Money, count: u64| price.times(i64::try_from(count).unwrap_or(i64::MAX), 1);
        let mut month = times(gib.amount, size);
        let billed =
            [(iops, Item::VolumeIops(volume_type.clone())), (throughput, Item::VolumeMibps(volume_type.clone()))];
        for (count, item) in billed.into_iter().filter(|(count, _)| *count > 0) {
            match price(item) {
                Some(price) => month += times(price.amount, count),
                None => why = why.or(Some(Unknown::VolumePerformance)),
            }
        }
        VolumePart { volume, known: month.times(1, HOURS_PER_MONTH), unknown: why, origin: gib.origin }
    }
}

#[cfg(test)]
mod tests;
