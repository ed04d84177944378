//! The hourly price of a node's EBS volumes: a line of its own, never part of the node's price.
//!
//! AWS bills a volume by GiB and month from its creation to its deletion, whatever it contains, and provisioned performance
//! above the type's baseline on top (Amazon EBS pricing). The program embeds no such prices: they come from the AWS Price
//! List, and are unknown until then. Sizes are those of the node class, which describes nodes to be launched: a node that was
//! launched before a change may differ.

use super::answers::Item;
use super::offer::Offer;
use super::origin::Origin;
use super::quote::Unknown;
use super::{CapacityType, ComputeType, PriceBook};
use crate::model::{NodeClass, Provisioner, Volume};
use crate::units::money::HOURS_PER_MONTH;
use crate::units::{Currency, Money};
use std::borrow::Cow;

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
    /// The volumes.
    pub parts: Vec<VolumePart>,
    /// Why they are not known at all, if so.
    pub nothing: Option<Unknown>,
    /// Whether the node class has changed since the node's launch.
    pub estimated: bool,
}

impl VolumesQuote {
    /// The quote of a node whose volumes are unknown.
    pub(crate) const fn from_unknown(currency: Currency, why: Unknown) -> Self {
        Self { currency, parts: Vec::new(), nothing: Some(why), estimated: false }
    }

    /// The known part of the hourly price: a lower bound if [`Self::unknown`] is not `None`.
    pub fn known(&self) -> Money {
        self.parts.iter().map(|part| part.known).sum()
    }

    /// The hourly price, if every part is known.
    pub fn hourly(&self) -> Option<Money> {
        self.unknown().is_none().then(|| self.known())
    }

    /// Why a part is unknown, if one is.
    pub fn unknown(&self) -> Option<Unknown> {
        self.nothing.or_else(|| self.parts.iter().find_map(|part| part.unknown))
    }
}

/// The baseline of a gp3 volume, which is free: IOPS and MiB/s (Amazon EBS pricing).
const GP3_FREE: (u64, u64) = (3_000, 125);
/// The IOPS of an io2 volume in the first price tier; those above have other prices (Amazon EBS pricing).
const IO2_FIRST: u64 = 32_000;

/// The IOPS and MiB/s of a volume that are billed, and why more than these may be.
fn billed_performance(volume: &Volume) -> (u64, u64, Option<Unknown>) {
    let (iops, throughput) = (volume.iops.unwrap_or(0), volume.throughput.unwrap_or(0));
    match volume.volume_type.as_str() {
        "gp3" => (iops.saturating_sub(GP3_FREE.0), throughput.saturating_sub(GP3_FREE.1), None),
        "io1" => (iops, 0, None),
        "io2" => (iops.min(IO2_FIRST), 0, (iops > IO2_FIRST).then_some(Unknown::VolumePerformance)),
        "standard" => (0, 0, Some(Unknown::VolumeRequests)),
        _ => (0, 0, None),
    }
}

/// The data volume, in GiB, that Auto Mode gives an instance with larger local disks (EKS user guide, "Learn about Amazon EKS
/// Auto Mode Managed instances").
const AUTO_BESIDE_LOCAL_DISKS: u64 = 20;

/// The volumes of a node of this class; `local_disks` is the size of its instance's own disks in GiB.
pub(crate) fn launched_with(class: &NodeClass, local_disks: Option<u64>) -> Cow<'_, [Volume]> {
    let Some(local) = local_disks.filter(|_| class.provisioner == Provisioner::AutoMode) else {
        return Cow::Borrowed(&class.volumes);
    };
    let launched = |volume: &Volume| match volume.size_gib {
        Some(size) if !volume.root && size < local => {
            Volume { size_gib: Some(AUTO_BESIDE_LOCAL_DISKS), ..volume.clone() }
        }
        Some(_) | None => volume.clone(),
    };
    Cow::Owned(class.volumes.iter().map(launched).collect())
}

/// Whether a node has EBS volumes that are billed separately.
pub(crate) fn has_volumes(offer: &Offer) -> bool {
    let ec2 = matches!(offer.compute_type, ComputeType::Instance | ComputeType::Auto);
    ec2 && offer.capacity_type != CapacityType::Fargate
}

impl PriceBook {
    /// The price of a node's volumes.
    pub fn quote_volumes(&self, offer: &Offer, volumes: &[Volume]) -> VolumesQuote {
        let currency = offer.partition().currency();
        let Some(region) = offer.price_region() else {
            return VolumesQuote::from_unknown(currency, Unknown::NoRegion);
        };
        let parts = volumes.iter().map(|volume| {
            let (known, unknown, origin) = self.volume(region, volume);
            VolumePart { volume: volume.clone(), known, unknown, origin }
        });
        VolumesQuote { currency, parts: parts.collect(), nothing: None, estimated: false }
    }

    /// The known part of a volume's hourly price, why it is not all, and its source.
    fn volume(&self, region: &str, volume: &Volume) -> (Money, Option<Unknown>, Origin) {
        let unknown = |why| (Money::ZERO, Some(why), Origin::default());
        let volume_type = &volume.volume_type;
        let Some(size) = volume.size_gib.filter(|_| !volume_type.is_empty()) else {
            return unknown(Unknown::VolumeSize);
        };
        let price = |item| self.figure(region, &item);
        let Some(gib) = price(Item::Volume(volume_type.clone())) else { return unknown(Unknown::VolumeType) };
        let times = |price: Money, count: u64| price.times(i64::try_from(count).unwrap_or(i64::MAX), 1);
        let (iops, throughput, mut why) = billed_performance(volume);
        let mut month = times(gib.amount, size);
        let billed =
            [(iops, Item::VolumeIops(volume_type.clone())), (throughput, Item::VolumeMibps(volume_type.clone()))];
        for (count, item) in billed.into_iter().filter(|(count, _)| *count > 0) {
            match price(item) {
                Some(price) => month += times(price.amount, count),
                None => why = why.or(Some(Unknown::VolumePerformance)),
            }
        }
        (month.times(1, HOURS_PER_MONTH), why, gib.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Labels, Name, Node, Uid, key};
    use crate::pricing::{PriceSheet, PriceSource, Prices, VolumePrice};
    use test_case::test_case;

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }

    /// Published prices of Seoul's gp3 and io2; of io1 the GiB alone.
    fn book() -> PriceBook {
        let price = |kind: &str, gib: &str, iops: Option<&str>, mibps: Option<&str>| VolumePrice {
            volume_type: kind.into(),
            gib_month: money(gib),
            iops_month: iops.map(money),
            mibps_month: mibps.map(money),
        };
        let mut book = PriceBook::embedded();
        assert!(book.learn(&PriceSheet {
            source: PriceSource::GetProducts,
            region: "ap-northeast-2".into(),
            currency: Currency::Usd,
            fetched: "2026-11-24T08:00:00Z".parse().unwrap(),
            cached: false,
            prices: Prices::Volumes(vec![
                price("gp3", "0.0912", Some("0.0057"), Some("0.0456")),
                price("io2", "0.1278", Some("0.0666"), None),
                price("io1", "0.1278", None, None),
                price("standard", "0.08", None, None),
            ]),
        }));
        book
    }

    fn quote(region: &str, volume: Volume) -> VolumesQuote {
        let labels: Labels = [(key::REGION[0], region)].into_iter().collect();
        let node = Node { labels, ..Node::default() };
        book().quote_volumes(&Offer::read(Some(&node), None).unwrap(), &[volume])
    }

    fn volume(kind: &str, size: u64, iops: u64, throughput: u64) -> Volume {
        let some = |n| Some(n).filter(|n| *n > 0);
        Volume {
            volume_type: Name::from(kind),
            size_gib: some(size),
            iops: some(iops),
            throughput: some(throughput),
            root: true,
        }
    }

    // 20 × 0.0912 ÷ 730; (80 × 0.0912 + 7,000 × 0.0057 + 125 × 0.0456) ÷ 730; (100 × 0.1278 + 4,000 × 0.0666) ÷ 730.
    #[test_case(volume("gp3", 20, 0, 0) => "0.002498630")]
    #[test_case(volume("gp3", 20, 3_000, 125) => "0.002498630" ; "the free baseline of gp3")]
    #[test_case(volume("gp3", 80, 10_000, 250) => "0.072460274" ; "above the baseline")]
    #[test_case(volume("io2", 100, 4_000, 0) => "0.382438356" ; "every operation of io2")]
    fn a_volume_costs_its_size_and_performance(volume: Volume) -> String {
        quote("ap-northeast-2", volume).hourly().unwrap().decimal(9)
    }

    #[test_case("ap-northeast-2", volume("io2", 100, 64_000, 0) => (Some(Unknown::VolumePerformance), "2.936958904".into()) ;
        "above the first price of io2")]
    #[test_case("ap-northeast-2", volume("io1", 100, 4_000, 0) => (Some(Unknown::VolumePerformance), "0.017506849".into()) ;
        "operations without a price")]
    #[test_case("ap-northeast-2", volume("standard", 100, 0, 0) => (Some(Unknown::VolumeRequests), "0.010958904".into()) ;
        "billed by request")]
    #[test_case("ap-northeast-2", volume("gp3", 0, 0, 0) => (Some(Unknown::VolumeSize), "0.000000000".into()) ; "no size")]
    #[test_case("ap-northeast-2", volume("", 20, 0, 0) => (Some(Unknown::VolumeSize), "0.000000000".into()) ; "no type")]
    #[test_case("ap-northeast-2", volume("gp2", 20, 0, 0) => (Some(Unknown::VolumeType), "0.000000000".into()) ; "no price")]
    #[test_case("eu-west-1", volume("gp3", 20, 0, 0) => (Some(Unknown::VolumeType), "0.000000000".into()) ;
        "never another region's price")]
    #[test_case("", volume("gp3", 20, 0, 0) => (Some(Unknown::NoRegion), "0.000000000".into()) ; "no region")]
    fn unknown_is_not_zero(region: &str, volume: Volume) -> (Option<Unknown>, String) {
        let quote = quote(region, volume);
        assert_eq!(quote.hourly(), None);
        (quote.unknown(), quote.known().decimal(9))
    }

    #[test_case(None, 80 => 80)]
    #[test_case(Some(75), 80 => 80 ; "its disks are smaller")]
    #[test_case(Some(80), 80 => 80 ; "and as large")]
    #[test_case(Some(1_900), 80 => 20 ; "its disks are larger")]
    fn auto_mode_gives_a_small_volume_beside_large_local_disks(local: Option<u64>, size: u64) -> u64 {
        let volumes = vec![volume("gp3", 4, 0, 0), Volume { root: false, ..volume("gp3", size, 0, 0) }];
        let mut class =
            NodeClass { name: "default".into(), uid: Uid::new("u"), provisioner: Provisioner::AutoMode, volumes };
        let launched = launched_with(&class, local);
        assert_eq!(launched[0].size_gib, Some(4));
        let size = launched[1].size_gib.unwrap();
        class.provisioner = Provisioner::Karpenter;
        assert_eq!(launched_with(&class, local).as_ref(), class.volumes, "Karpenter's are those of the class");
        size
    }
}
