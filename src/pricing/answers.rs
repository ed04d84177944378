//! What price sources answer: single sheets as they arrive, and all their figures merged.

use super::extra_costs::ClusterSupport;
use super::offer::{Offer, Os, Tenancy};
use super::origin::{AsOf, Origin, PriceSource};
use super::place::{Zone, ZoneKind};
use super::quote::Figure;
use crate::model::{Name, Timestamp};
use crate::units::{Currency, Money};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a price source reports while it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceNews {
    /// Prices, applied at once even if other sources have not answered yet.
    Sheet(PriceSheet),
    /// A change of a source's state.
    State {
        /// The source.
        source: PriceSource,
        /// The region of the prices.
        region: Name,
        /// Its new state.
        state: SourceState,
    },
    /// What AWS reports of the cluster's control plane.
    ClusterSupport {
        /// The region of the control plane.
        region: Name,
        /// The report.
        support: ClusterSupport,
    },
    /// Every request was answered or has failed for now.
    Settled,
}

/// The state of a price source for one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Asked, without an answer yet.
    Asking,
    /// It answered, or confirmed the cached answer.
    Answered {
        /// The time of the answer.
        at: Timestamp,
    },
    /// It cannot be asked, and that is no error: without credentials, or without a file for this region.
    Off {
        /// The reason in a few words.
        why: String,
    },
    /// The request failed, or the answer is not usable. Earlier prices remain.
    Failed {
        /// The reason, for people.
        why: String,
        /// The time of the next attempt.
        retry: Timestamp,
    },
}

/// One answer of one source about one region. It may hold a single price: sheets are merged figure by figure, so an answer
/// that lacks a price does not remove the one of another answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceSheet {
    /// The source.
    pub source: PriceSource,
    /// The price region: `ap-northeast-2`, or the group of a zone with prices of its own, `us-west-2-lax-1`.
    pub region: Name,
    /// The currency of the figures.
    pub currency: Currency,
    /// When the source last confirmed them.
    pub fetched: Timestamp,
    /// Whether they come from the cache, fetched by an earlier run.
    #[serde(skip)]
    pub cached: bool,
    /// The figures.
    pub prices: Prices,
}

impl PriceSheet {
    /// The source and date of each of its figures.
    pub const fn origin(&self) -> Origin {
        Origin { source: self.source, as_of: AsOf::Fetched { at: self.fetched, cached: self.cached } }
    }
}

/// The figures of a sheet, hourly unless they say otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prices {
    /// On-demand prices of one operating system and tenancy.
    OnDemand {
        /// Operating system.
        os: Os,
        /// Tenancy.
        tenancy: Tenancy,
        /// By instance type.
        prices: Vec<OnDemandPrice>,
    },
    /// What EKS itself charges in the region.
    Eks(EksPrices),
    /// Spot prices.
    Spot(Vec<SpotPrice>),
    /// What spot saves against on-demand.
    SpotSavings(Vec<SpotSaving>),
    /// EBS volume types.
    Volumes(Vec<VolumePrice>),
}

/// The on-demand price of one instance type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnDemandPrice {
    /// `c5a.large`.
    pub instance_type: Name,
    /// The price of an hour.
    pub amount: Money,
    /// Whether it stands in for another price (dedicated tenancy for a metal type without a shared price): shown with `~`.
    pub estimated: bool,
}

/// The AmazonEKS price list of a region; each part may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EksPrices {
    /// Hourly Auto Mode fees by instance type.
    pub auto_fees: Vec<(Name, Money)>,
    /// A vCPU-hour of Fargate.
    pub fargate_vcpu: Option<Money>,
    /// A GB-hour of Fargate (GiB, as Fargate counts).
    pub fargate_gb: Option<Money>,
    /// A vCPU-hour of a hybrid node in the first tier.
    pub hybrid_vcpu: Option<Money>,
    /// The control plane of a cluster in standard support.
    pub cluster: Option<Money>,
    /// The surcharge for extended support.
    pub extended_support: Option<Money>,
    /// The surcharge for a provisioned control plane, by tier as the list names it (`XL`).
    pub tiers: Vec<(Name, Money)>,
}

/// A spot price of one instance type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotPrice {
    /// `c5a.large`.
    pub instance_type: Name,
    /// Its zone; `None` for the whole region.
    pub zone: Option<Name>,
    /// Operating system.
    pub os: Os,
    /// The price of an hour.
    pub amount: Money,
}

/// What spot saves against on-demand for one instance type, and how often it is interrupted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotSaving {
    /// `c5a.large`.
    pub instance_type: Name,
    /// Operating system.
    pub os: Os,
    /// Percent of the on-demand price, 0 to 100.
    pub percent: u8,
    /// AWS's band of the frequency of interruption: 0 (<5 %), 1 (5–10 %), 2 (10–15 %), 3 (15–20 %), 4 (>20 %).
    pub interruption_band: u8,
}

/// The price of an EBS volume type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumePrice {
    /// `gp3`.
    pub volume_type: Name,
    /// A GiB for a month of 730 hours.
    pub gib_month: Money,
    /// One provisioned IOPS for a month.
    pub iops_month: Option<Money>,
    /// One provisioned MiB/s for a month.
    pub mibps_month: Option<Money>,
}

/// What a figure is the price of, within a price region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Item {
    OnDemand(Os, Tenancy, Name),
    /// In a zone, or with an empty name in the region by a source without zones.
    Spot(Os, Name, Name),
    /// What spot costs of each dollar of the on-demand price.
    SpotShare(Os, Name),
    AutoFee(Name),
    FargateVcpu,
    FargateGb,
    HybridVcpu,
    Cluster,
    ExtendedSupport,
    /// A tier of a provisioned control plane (`XL`).
    Tier(Name),
    /// A GiB-month of a volume type.
    Volume(Name),
    VolumeIops(Name),
    VolumeMibps(Name),
}

/// Everything answered about one price region.
#[derive(Clone, Debug, Default)]
struct Region {
    figures: FxHashMap<Item, Figure>,
    /// The zones that spot prices are known of.
    zones: BTreeSet<Name>,
    /// The spot advisor's bands of interruption.
    interruption_bands: FxHashMap<(Os, Name), u8>,
}

/// The answers of price sources, merged by price region: the newest figure holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers(FxHashMap<Name, Region>);

/// A percent of a dollar in nano-dollars.
const PERCENT: i64 = 10_000_000;

impl Region {
    /// Keeps the better of two figures; true if that is the new one. AWS's lists have prices of zero for what is not sold.
    fn put(&mut self, item: Item, new: Figure) -> bool {
        let is_kept = |old: &Figure| {
            // Only a cached answer may arrive late: one of this run holds even if the clock was ahead at the older one.
            let is_cached = matches!(new.origin.as_of, AsOf::Fetched { cached: true, .. });
            let is_late = is_cached && old.origin.as_of > new.origin.as_of;
            *old == new || is_late || (new.estimated && !old.estimated)
        };
        if new.amount <= Money::ZERO || self.figures.get(&item).is_some_and(is_kept) {
            return false;
        }
        self.figures.insert(item, new);
        true
    }

    /// The median of a type's spot prices over availability zones, the mean of the middle two if their number is even: an
    /// estimate, as old as the oldest of them.
    fn median_spot(&self, os: Os, instance_type: &Name) -> Option<Figure> {
        let is_standard = |name: &Name| Zone::parse(name).is_none_or(|zone| zone.kind == ZoneKind::Standard);
        let figure = |zone: &Name| self.figures.get(&Item::Spot(os, instance_type.clone(), zone.clone()));
        let mut figures: Vec<&Figure> = self.zones.iter().filter(|zone| is_standard(zone)).filter_map(figure).collect();
        figures.sort_unstable_by_key(|figure| figure.amount);
        let (upper, lower) = (figures.get(figures.len() / 2)?, figures.get((figures.len() - 1) / 2)?);
        let origin = figures.iter().map(|figure| figure.origin).min_by_key(|origin| origin.as_of)?;
        Some(Figure { amount: (lower.amount + upper.amount).times(1, 2), estimated: true, origin })
    }
}

impl Answers {
    /// Merges a sheet; true if any figure, or its date, changed.
    pub fn merge(&mut self, sheet: &PriceSheet) -> bool {
        let origin = sheet.origin();
        let region = self.0.entry(sheet.region.clone()).or_default();
        let exact = |amount: Money| Figure { amount, estimated: false, origin };
        let mut changed = false;
        match &sheet.prices {
            Prices::OnDemand { os, tenancy, prices } => {
                for OnDemandPrice { instance_type, amount, estimated } in prices {
                    let item = Item::OnDemand(*os, *tenancy, instance_type.clone());
                    changed |= region.put(item, Figure { amount: *amount, estimated: *estimated, origin });
                }
            }
            Prices::Eks(eks) => {
                let single = [
                    (Item::FargateVcpu, eks.fargate_vcpu),
                    (Item::FargateGb, eks.fargate_gb),
                    (Item::HybridVcpu, eks.hybrid_vcpu),
                    (Item::Cluster, eks.cluster),
                    (Item::ExtendedSupport, eks.extended_support),
                ];
                let single = single.into_iter().filter_map(|(item, amount)| Some((item, amount?)));
                let fees = eks.auto_fees.iter().map(|(name, amount)| (Item::AutoFee(name.clone()), *amount));
                let tiers = eks.tiers.iter().map(|(name, amount)| (Item::Tier(name.clone()), *amount));
                for (item, amount) in single.chain(fees).chain(tiers) {
                    changed |= region.put(item, exact(amount));
                }
            }
            Prices::Spot(prices) => {
                for SpotPrice { instance_type, zone, os, amount } in prices {
                    let item = Item::Spot(*os, instance_type.clone(), zone.clone().unwrap_or_default());
                    changed |= region.put(item, exact(*amount));
                    region.zones.extend(zone.clone());
                }
            }
            Prices::SpotSavings(savings) => {
                for SpotSaving { instance_type, os, percent, interruption_band } in savings {
                    let amount = Money::from_nanos((100 - i64::from(*percent)) * PERCENT);
                    let share = Figure { amount, estimated: true, origin };
                    if region.put(Item::SpotShare(*os, instance_type.clone()), share) {
                        region.interruption_bands.insert((*os, instance_type.clone()), *interruption_band);
                        changed = true;
                    }
                }
            }
            Prices::Volumes(volumes) => {
                for VolumePrice { volume_type, gib_month, iops_month, mibps_month } in volumes {
                    for (item, amount) in [
                        (Item::Volume(volume_type.clone()), Some(*gib_month)),
                        (Item::VolumeIops(volume_type.clone()), *iops_month),
                        (Item::VolumeMibps(volume_type.clone()), *mibps_month),
                    ] {
                        changed |= amount.is_some_and(|amount| region.put(item, exact(amount)));
                    }
                }
            }
        }
        changed
    }

    /// The figure of an item.
    pub fn get(&self, region: &str, item: &Item) -> Option<Figure> {
        self.0.get(region)?.figures.get(item).copied()
    }

    /// Whether any on-demand price of this kind is known of a region.
    pub fn has_on_demand(&self, region: &str, os: Os, tenancy: Tenancy) -> bool {
        let is_kind = |item: &Item| matches!(item, Item::OnDemand(o, t, _) if (*o, *t) == (os, tenancy));
        self.0.get(region).is_some_and(|region| region.figures.keys().any(is_kind))
    }

    /// The best spot price for a node: of its zone, the median of the region's other zones, of the region by a source without
    /// zones, by the advisor's saving on the on-demand price. A zone with prices of its own takes no price of another. Spot
    /// capacity of dedicated tenancy has prices of its own, which no source has.
    pub fn spot(&self, offer: &Offer, on_demand: Option<Figure>) -> Option<Figure> {
        let instance_type = offer.instance_type.as_ref().filter(|_| offer.tenancy == Tenancy::Shared)?;
        let region = self.0.get(offer.region.as_ref()?)?;
        let figure = |zone: Name| region.figures.get(&Item::Spot(offer.os, instance_type.clone(), zone)).copied();
        if let Some(own) = offer.zone.clone().filter(|zone| !zone.is_empty()).and_then(figure) {
            return Some(own);
        }
        if offer.zone_kind != ZoneKind::Standard {
            return None;
        }
        let median = region.median_spot(offer.os, instance_type);
        median.or_else(|| figure(Name::default())).or_else(|| {
            let share = region.figures.get(&Item::SpotShare(offer.os, instance_type.clone()))?;
            Some(Figure { amount: on_demand?.amount.times(share.amount.nanos(), 100 * PERCENT), ..*share })
        })
    }

    /// How often spot capacity of this type is interrupted, as the spot advisor's band: 0 (<5 %) to 4 (>20 %).
    pub fn interruption_band(&self, offer: &Offer) -> Option<u8> {
        let region = self.0.get(offer.region.as_ref()?)?;
        region.interruption_bands.get(&(offer.os, offer.instance_type.clone()?)).copied()
    }
}

#[cfg(test)]
mod tests;
