//! What price sources have answered so far, merged figure by figure.

use super::offer::{Os, Tenancy};
use super::origin::{AsOf, Origin};
use super::place::{Zone, ZoneKind};
use super::sheet::{EksPrices, PriceSheet, Prices};
use super::table::ListPrice;
use crate::model::Name;
use crate::units::Money;
use rustc_hash::FxHashMap;

/// One figure and who said it when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// By the hour.
    pub amount: Money,
    /// Who said it.
    pub origin: Origin,
}

/// Everything answered about one price region.
#[derive(Clone, Debug, Default)]
struct Region {
    on_demand: FxHashMap<(Os, Tenancy), FxHashMap<Name, ListPrice>>,
    auto_fees: FxHashMap<Name, Figure>,
    fargate_vcpu: Option<Figure>,
    fargate_gb: Option<Figure>,
    hybrid_vcpu: Option<Figure>,
    cluster: Option<Figure>,
    extended_support: Option<Figure>,
    tiers: FxHashMap<Name, Figure>,
    spot: FxHashMap<(Name, Os), Spot>,
    volumes: FxHashMap<Name, Figure>,
    volume_iops: FxHashMap<Name, Figure>,
    volume_mibps: FxHashMap<Name, Figure>,
}

/// Spot prices of one type and operating system.
#[derive(Clone, Debug, Default)]
struct Spot {
    by_zone: Vec<(Name, Figure)>,
    region: Option<Figure>,
    saving: Option<(u8, u8, Origin)>,
}

/// A spot price, and how near it is to the machine's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpotFigure {
    /// Of the machine's zone, or of its region by a source that knows no zones.
    Own(Figure),
    /// The median of the region's other zones.
    OtherZones(Figure),
    /// Per cent saved against on-demand, a long-term mean.
    Saving(u8, Origin),
}

/// Answers of price sources, by price region. The newest answer to a question holds.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    regions: FxHashMap<Name, Region>,
}

/// Whether an answer gives way to the one that is there. Only what the disk had may come late: who is asked now knows
/// best, also if the clock was ahead when the question was asked before.
fn gives_way(new: Origin, old: Origin) -> bool {
    old.as_of > new.as_of && matches!(new.as_of, AsOf::Fetched { cached: true, .. })
}

/// Keeps the newer of two answers; true if that changed anything.
fn newer(slot: &mut Option<Figure>, amount: Money, origin: Origin) -> bool {
    if slot.is_some_and(|old| gives_way(origin, old.origin)) {
        return false;
    }
    let figure = Some(Figure { amount, origin });
    let changed = *slot != figure;
    *slot = figure;
    changed
}

fn newer_at(map: &mut FxHashMap<Name, Figure>, key: &Name, amount: Money, origin: Origin) -> bool {
    let mut slot = map.get(key).copied();
    let changed = newer(&mut slot, amount, origin);
    if let Some(figure) = slot.filter(|_| changed) {
        map.insert(key.clone(), figure);
    }
    changed
}

/// A price of zero or less is no price: AWS's lists carry them for things that are not sold.
fn sold(amount: Money) -> bool {
    amount > Money::ZERO
}

impl Learned {
    /// Merges a sheet; true if any figure, or its date, changed.
    pub fn merge(&mut self, sheet: &PriceSheet) -> bool {
        let origin = sheet.origin();
        let region = self.regions.entry(sheet.region.clone()).or_default();
        let mut changed = false;
        match &sheet.prices {
            Prices::OnDemand { os, tenancy, prices } => {
                let known = region.on_demand.entry((*os, *tenancy)).or_default();
                for price in prices.iter().filter(|price| sold(price.amount)) {
                    let new = ListPrice { amount: price.amount, estimated: price.estimated, origin };
                    let old = known.get(&price.instance_type);
                    // A stand-in never takes the place of the figure itself.
                    let keep =
                        old.is_some_and(|old| gives_way(origin, old.origin) || (price.estimated && !old.estimated));
                    if !keep && old != Some(&new) {
                        known.insert(price.instance_type.clone(), new);
                        changed = true;
                    }
                }
            }
            Prices::Eks(eks) => changed = region.merge_eks(eks, origin),
            Prices::Spot(prices) => {
                for price in prices.iter().filter(|price| sold(price.amount)) {
                    let spot = region.spot.entry((price.instance_type.clone(), price.os)).or_default();
                    changed |= spot.merge(price.zone.as_ref(), price.amount, origin);
                }
            }
            Prices::SpotSavings(savings) => {
                for saving in savings.iter().filter(|saving| saving.percent < 100) {
                    let spot = region.spot.entry((saving.instance_type.clone(), saving.os)).or_default();
                    let new = Some((saving.percent, saving.interruption_band, origin));
                    let older = spot.saving.is_some_and(|(.., old)| gives_way(origin, old));
                    if !older && spot.saving != new {
                        spot.saving = new;
                        changed = true;
                    }
                }
            }
            Prices::Volumes(volumes) => {
                for volume in volumes {
                    for (map, price) in [
                        (&mut region.volumes, Some(volume.gib_month)),
                        (&mut region.volume_iops, volume.iops_month),
                        (&mut region.volume_mibps, volume.mibps_month),
                    ] {
                        if let Some(price) = price.filter(|price| sold(*price)) {
                            changed |= newer_at(map, &volume.volume_type, price, origin);
                        }
                    }
                }
            }
        }
        changed
    }

    /// Whether anything at all was answered about a region's on-demand prices of this kind.
    pub fn knows(&self, region: &str, os: Os, tenancy: Tenancy) -> bool {
        let prices = self.regions.get(region).and_then(|region| region.on_demand.get(&(os, tenancy)));
        prices.is_some_and(|prices| !prices.is_empty())
    }

    /// The on-demand price.
    pub fn on_demand(&self, region: &str, os: Os, tenancy: Tenancy, instance_type: &str) -> Option<ListPrice> {
        self.regions.get(region)?.on_demand.get(&(os, tenancy))?.get(instance_type).copied()
    }

    /// The Auto Mode fee.
    pub fn auto_fee(&self, region: &str, instance_type: &str) -> Option<Figure> {
        self.regions.get(region)?.auto_fees.get(instance_type).copied()
    }

    /// Fargate's prices of a vCPU-hour and a GB-hour, when both are known.
    pub fn fargate(&self, region: &str) -> Option<(Figure, Figure)> {
        let region = self.regions.get(region)?;
        region.fargate_vcpu.zip(region.fargate_gb)
    }

    /// A vCPU-hour of a hybrid node, first tier.
    pub fn hybrid(&self, region: &str) -> Option<Figure> {
        self.regions.get(region)?.hybrid_vcpu
    }

    /// A cluster's control plane under standard support.
    pub fn cluster(&self, region: &str) -> Option<Figure> {
        self.regions.get(region)?.cluster
    }

    /// What extended support adds.
    pub fn extended_support(&self, region: &str) -> Option<Figure> {
        self.regions.get(region)?.extended_support
    }

    /// What a provisioned control plane's tier (`XL`) adds.
    pub fn tier(&self, region: &str, tier: &str) -> Option<Figure> {
        self.regions.get(region)?.tiers.get(tier).copied()
    }

    /// A GiB-month of a volume type.
    pub fn volume(&self, region: &str, volume_type: &str) -> Option<Figure> {
        self.regions.get(region)?.volumes.get(volume_type).copied()
    }

    /// A provisioned I/O operation a second of a volume type, for a month.
    pub fn volume_iops(&self, region: &str, volume_type: &str) -> Option<Figure> {
        self.regions.get(region)?.volume_iops.get(volume_type).copied()
    }

    /// A provisioned MiB a second of a volume type, for a month.
    pub fn volume_throughput(&self, region: &str, volume_type: &str) -> Option<Figure> {
        self.regions.get(region)?.volume_mibps.get(volume_type).copied()
    }

    /// The best spot price for a machine: its zone's, the median of the region's other zones, the region's by a source
    /// without zones, the advisor's saving. A zone with prices of its own (`kind`) takes nobody else's.
    pub fn spot(
        &self,
        region: &str,
        zone: Option<&str>,
        kind: ZoneKind,
        os: Os,
        instance_type: &str,
    ) -> Option<SpotFigure> {
        let spot = self.regions.get(region)?.spot.get(&(Name::from(instance_type), os))?;
        let own = zone.and_then(|zone| spot.by_zone.iter().find(|(name, _)| name == zone));
        if let Some((_, figure)) = own {
            return Some(SpotFigure::Own(*figure));
        }
        if kind != ZoneKind::Standard {
            return None;
        }
        if let Some(median) = spot.median() {
            return Some(SpotFigure::OtherZones(median));
        }
        let region = spot.region.map(SpotFigure::Own);
        region.or_else(|| spot.saving.map(|(percent, _, origin)| SpotFigure::Saving(percent, origin)))
    }

    /// How often spot capacity of this type is taken back, as the spot advisor's band: 0 (<5 %) to 4 (>20 %).
    pub fn interruption_band(&self, region: &str, os: Os, instance_type: &str) -> Option<u8> {
        let spot = self.regions.get(region)?.spot.get(&(Name::from(instance_type), os))?;
        spot.saving.map(|(_, band, _)| band)
    }
}

impl Region {
    fn merge_eks(&mut self, eks: &EksPrices, origin: Origin) -> bool {
        let mut changed = false;
        for (slot, new) in [
            (&mut self.fargate_vcpu, eks.fargate_vcpu),
            (&mut self.fargate_gb, eks.fargate_gb),
            (&mut self.hybrid_vcpu, eks.hybrid_vcpu),
            (&mut self.cluster, eks.cluster),
            (&mut self.extended_support, eks.extended_support),
        ] {
            if let Some(amount) = new.filter(|amount| sold(*amount)) {
                changed |= newer(slot, amount, origin);
            }
        }
        for (map, new) in [(&mut self.auto_fees, &eks.auto_fees), (&mut self.tiers, &eks.tiers)] {
            for (name, amount) in new.iter().filter(|(_, amount)| sold(*amount)) {
                changed |= newer_at(map, name, *amount, origin);
            }
        }
        changed
    }
}

impl Spot {
    fn merge(&mut self, zone: Option<&Name>, amount: Money, origin: Origin) -> bool {
        let Some(zone) = zone else { return newer(&mut self.region, amount, origin) };
        match self.by_zone.iter_mut().find(|(name, _)| name == zone) {
            Some((_, old)) => {
                let mut slot = Some(*old);
                let changed = newer(&mut slot, amount, origin);
                *old = slot.unwrap_or(*old);
                changed
            }
            None => {
                self.by_zone.push((zone.clone(), Figure { amount, origin }));
                true
            }
        }
    }

    /// The median over availability zones; of an even number the mean of the middle two. As old as the oldest of them.
    fn median(&self) -> Option<Figure> {
        let standard = |name: &Name| Zone::parse(name).is_none_or(|zone| zone.kind == ZoneKind::Standard);
        let zones = || self.by_zone.iter().filter(|(name, _)| standard(name)).map(|(_, figure)| figure);
        let mut amounts: Vec<Money> = zones().map(|figure| figure.amount).collect();
        amounts.sort_unstable();
        let upper = *amounts.get(amounts.len() / 2)?;
        let lower = *amounts.get((amounts.len() - 1) / 2)?;
        let oldest = zones().map(|figure| figure.origin).min_by_key(|origin| origin.as_of)?;
        Some(Figure { amount: (lower + upper).times(1, 2), origin: oldest })
    }
}

#[cfg(test)]
mod tests;
