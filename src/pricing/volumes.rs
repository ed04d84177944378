//! What the EBS volumes of a machine cost by the hour: a line of its own, never part of the machine's price.
//!
//! AWS bills a volume by the GiB and month from its creation to its deletion, whatever is on it, and what is provisioned
//! beyond the type's own performance on top (Amazon EBS pricing). No figure is in the program: prices come from the AWS
//! Price List, and until then a volume is not known. The size is that of the node class, which describes machines to be
//! launched: one launched before the class changed may differ.

use super::learned::Figure;
use super::offer::Offer;
use super::origin::Origin;
use super::{CapacityType, ComputeType, PriceBook};
use crate::model::{NodeClass, Provisioner, Volume};
use crate::units::money::HOURS_PER_MONTH;
use crate::units::{Currency, Money};
use std::borrow::Cow;

/// Why the price of a machine's volumes is not fully known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VolumeUnknown {
    /// The machine names no node class: a node group, or a machine run by hand.
    NoClass,
    /// The node class it names was not read.
    ClassNotRead,
    /// Neither label, zone nor provider id tells the region.
    NoRegion,
    /// No source has told a price of this volume type.
    Price,
    /// The machine image or a snapshot tells the size or the type, not the class.
    Size,
    /// No source has told the price of provisioned I/O operations or throughput.
    Performance,
    /// The type is also billed by request.
    Requests,
}

impl VolumeUnknown {
    /// The reason in a few words, for the detail view and JSON.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoClass => "no node class",
            Self::ClassNotRead => "node class not read",
            Self::NoRegion => "region not known",
            Self::Price => "no price for this volume type",
            Self::Size => "size or type set by the machine image",
            Self::Performance => "no price for provisioned performance",
            Self::Requests => "billed by request, too",
        }
    }
}

/// One volume and its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumePart {
    /// The volume.
    pub volume: Volume,
    /// What is known of its price, by the hour.
    pub known: Money,
    /// Why that is not all.
    pub unknown: Option<VolumeUnknown>,
    /// Who said the price of a GiB.
    pub origin: Origin,
}

/// The volumes of one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumesQuote {
    /// What the partition is billed in.
    pub currency: Currency,
    /// Each volume; none where nothing is known of them.
    pub parts: Vec<VolumePart>,
    /// Why nothing is known of them.
    pub nothing: Option<VolumeUnknown>,
    /// The class has changed since the machine was launched.
    pub estimated: bool,
}

impl VolumesQuote {
    /// Of a machine whose volumes are not known.
    pub(crate) const fn unknown_because(currency: Currency, why: VolumeUnknown) -> Self {
        Self { currency, parts: Vec::new(), nothing: Some(why), estimated: false }
    }

    /// What is known, by the hour: a lower bound while [`Self::unknown`] says why.
    pub fn known(&self) -> Money {
        self.parts.iter().map(|part| part.known).sum()
    }

    /// The whole by the hour, if every part is known.
    pub fn hourly(&self) -> Option<Money> {
        self.unknown().is_none().then(|| self.known())
    }

    /// Why some part is not known, if so.
    pub fn unknown(&self) -> Option<VolumeUnknown> {
        self.nothing.or_else(|| self.parts.iter().find_map(|part| part.unknown))
    }
}

/// What of a volume's performance is billed.
struct Performance {
    iops: u64,
    throughput: u64,
    unknown: Option<VolumeUnknown>,
}

/// What a gp3 volume does without further charge: I/O operations and MiB a second (Amazon EBS pricing).
const GP3_FREE: (u64, u64) = (3_000, 125);
/// I/O operations of an io2 volume at the first price; those above have others (Amazon EBS pricing).
const IO2_FIRST: u64 = 32_000;

fn performance(volume: &Volume) -> Performance {
    let (iops, throughput) = (volume.iops.unwrap_or(0), volume.throughput.unwrap_or(0));
    let none = Performance { iops: 0, throughput: 0, unknown: None };
    match volume.volume_type.as_str() {
        "gp3" => Performance {
            iops: iops.saturating_sub(GP3_FREE.0),
            throughput: throughput.saturating_sub(GP3_FREE.1),
            unknown: None,
        },
        "io1" => Performance { iops, ..none },
        "io2" => Performance {
            iops: iops.min(IO2_FIRST),
            unknown: (iops > IO2_FIRST).then_some(VolumeUnknown::Performance),
            ..none
        },
        "standard" => Performance { unknown: Some(VolumeUnknown::Requests), ..none },
        _ => none,
    }
}

/// The data volume that Auto Mode gives a machine with larger local disks, in GiB (EKS user guide, "Learn about Amazon EKS
/// Auto Mode Managed instances").
const AUTO_BESIDE_LOCAL_DISKS: u64 = 20;

/// The volumes of a machine of this class; `local_disks` is what its own disks hold, in GiB.
pub(crate) fn launched_with(class: &NodeClass, local_disks: Option<u64>) -> Cow<'_, [Volume]> {
    let Some(local) = local_disks.filter(|_| class.provisioner == Provisioner::AutoMode) else {
        return Cow::Borrowed(&class.volumes);
    };
    let shrink = |volume: &Volume| {
        let beside = !volume.root && volume.size_gib.is_some_and(|size| size < local);
        let size_gib = if beside { Some(AUTO_BESIDE_LOCAL_DISKS) } else { volume.size_gib };
        Volume { size_gib, ..volume.clone() }
    };
    Cow::Owned(class.volumes.iter().map(shrink).collect())
}

/// Whether a machine has EBS volumes that are billed beside it.
pub(crate) fn has_volumes(offer: &Offer<'_>) -> bool {
    let ec2 = matches!(offer.compute_type, ComputeType::Instance | ComputeType::Auto);
    ec2 && offer.capacity_type != CapacityType::Fargate
}

impl PriceBook {
    /// The price of a machine's volumes.
    pub fn quote_volumes(&self, offer: &Offer<'_>, volumes: &[Volume]) -> VolumesQuote {
        let currency = offer.partition().currency();
        let Some(region) = offer.price_region() else {
            return VolumesQuote::unknown_because(currency, VolumeUnknown::NoRegion);
        };
        let parts = volumes.iter().map(|volume| self.volume(region, volume)).collect();
        VolumesQuote { currency, parts, nothing: None, estimated: false }
    }

    fn volume(&self, region: &str, volume: &Volume) -> VolumePart {
        let part = |known, unknown, origin| VolumePart { volume: volume.clone(), known, unknown, origin };
        let Some(size) = volume.size_gib.filter(|_| !volume.volume_type.is_empty()) else {
            return part(Money::ZERO, Some(VolumeUnknown::Size), Origin::default());
        };
        let learned = self.learned();
        let Some(gib) = learned.volume(region, &volume.volume_type) else {
            return part(Money::ZERO, Some(VolumeUnknown::Price), Origin::default());
        };
        let billed = performance(volume);
        let mut month = times(gib.amount, size);
        let mut unknown = billed.unknown;
        for (count, price) in [
            (billed.iops, learned.volume_iops(region, &volume.volume_type)),
            (billed.throughput, learned.volume_throughput(region, &volume.volume_type)),
        ] {
            match price {
                _ if count == 0 => {}
                Some(Figure { amount, .. }) => month += times(amount, count),
                None => unknown = unknown.or(Some(VolumeUnknown::Performance)),
            }
        }
        part(month.times(1, HOURS_PER_MONTH), unknown, gib.origin)
    }
}

fn times(price: Money, count: u64) -> Money {
    price.times(i64::try_from(count).unwrap_or(i64::MAX), 1)
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
        book().quote_volumes(&Offer::of_node(&node, None), &[volume])
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
    #[test_case(volume("gp3", 20, 3_000, 125) => "0.002498630" ; "what a gp3 volume does without charge")]
    #[test_case(volume("gp3", 80, 10_000, 250) => "0.072460274" ; "more than that")]
    #[test_case(volume("io2", 100, 4_000, 0) => "0.382438356" ; "every operation of io2")]
    fn a_volume_costs_its_size_and_performance(volume: Volume) -> String {
        quote("ap-northeast-2", volume).hourly().unwrap().decimal(9)
    }

    #[test_case("ap-northeast-2", volume("io2", 100, 64_000, 0) => (Some(VolumeUnknown::Performance), "2.936958904".into()) ;
        "above the first price of io2")]
    #[test_case("ap-northeast-2", volume("io1", 100, 4_000, 0) => (Some(VolumeUnknown::Performance), "0.017506849".into()) ;
        "operations without a price")]
    #[test_case("ap-northeast-2", volume("standard", 100, 0, 0) => (Some(VolumeUnknown::Requests), "0.010958904".into()) ;
        "billed by request")]
    #[test_case("ap-northeast-2", volume("gp3", 0, 0, 0) => (Some(VolumeUnknown::Size), "0.000000000".into()) ; "no size")]
    #[test_case("ap-northeast-2", volume("", 20, 0, 0) => (Some(VolumeUnknown::Size), "0.000000000".into()) ; "no type")]
    #[test_case("ap-northeast-2", volume("gp2", 20, 0, 0) => (Some(VolumeUnknown::Price), "0.000000000".into()) ; "no price")]
    #[test_case("eu-west-1", volume("gp3", 20, 0, 0) => (Some(VolumeUnknown::Price), "0.000000000".into()) ;
        "never another region's price")]
    #[test_case("", volume("gp3", 20, 0, 0) => (Some(VolumeUnknown::NoRegion), "0.000000000".into()) ; "no region")]
    fn what_is_not_known_is_no_zero(region: &str, volume: Volume) -> (Option<VolumeUnknown>, String) {
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
        assert_eq!(launched_with(&class, local).as_ref(), class.volumes, "Karpenter's are what the class says");
        size
    }
}
