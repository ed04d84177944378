//! What a set of rows adds up to: the header, a group's subtotal, a nodepool's line.

use super::counts::subtract_counts;
use super::waste::Waste;
use crate::cluster::{CapacityType, PodCounts, Row, RowState, permille};
use crate::model::{Resource, Resources, Timestamp};
use crate::pricing::{AsOf, Basis, Mark, Origin, PriceSource, Quote, Unknown, VolumesQuote};
use crate::units::{Currency, Money};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

/// Sums of a set of rows. Every row is added and taken back as a whole, so the sums equal a rebuild.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Nodes (Node objects that are there).
    pub nodes: u64,
    /// Claims that are asked for, pending or starting, and not nodes yet.
    pub launching: u64,
    /// Claims that failed.
    pub failed: u64,
    /// Nodes on their way out: disrupted, draining, terminating.
    pub leaving: u64,
    /// What the machines offer, starting ones included; `pods` is the pod limit.
    pub allocatable: Resources,
    /// What their pods request; `pods` is the number of counted pods.
    pub requests: Resources,
    /// Their pods' limits.
    pub limits: Resources,
    /// The DaemonSet and static pods' share of requests.
    pub overhead: Resources,
    /// The extended resources among [`Self::requests`] that pods get by resource claims on machines that do not offer them.
    pub claimed: Resources,
    /// Measured cpu of the measured nodes, in millicores.
    pub used_cpu_millicores: u64,
    /// Measured memory of the measured nodes, in bytes.
    pub used_memory_bytes: u64,
    /// How many nodes were measured; 0 means usage is unknown, not zero.
    pub measured: u64,
    /// How many nodes were not, or it is not known what they offer, so that the used amounts leave theirs out.
    pub unmeasured: u64,
    /// What the measured nodes offer: used amounts are a share of this.
    pub measured_allocatable: Resources,
    /// Rows with pods of which is not known what they offer: names known from pods alone, Fargate pods without a size.
    pub unsized_rows: u64,
    /// Pods bound to the machines, by state.
    pub pods: PodCounts,
    /// Money.
    pub price: PriceTotals,
    /// Money of their EBS volumes, which [`Self::price`] does not contain.
    pub volumes: PriceTotals,
}

/// Published prices that are older deserve a warning.
const YEAR_IN_MONTHS: i64 = 12;

/// The oldest figure of a total, where it was published more than a year ago: a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldPrices {
    /// Its source and month.
    pub origin: Origin,
    /// Its age in calendar months.
    pub months: i64,
}

impl OldPrices {
    /// From the origins of a total's figures; of those of the oldest month, the least exact one. None where every figure was
    /// confirmed within a year, or nothing is priced.
    pub fn from_origins(origins: impl IntoIterator<Item = Origin>, now: Timestamp) -> Option<Self> {
        let dated = origins.into_iter().filter(|origin| origin.as_of != AsOf::Always);
        let origin = dated.min_by_key(|origin| (origin.as_of, Reverse(origin.source)))?;
        let months = origin.as_of.months_old(now).filter(|months| *months > YEAR_IN_MONTHS)?;
        Some(Self { origin, months })
    }
}

impl fmt::Display for OldPrices {
    /// `prices 20 months old: embedded-estimate 2025-03`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { source, as_of } = self.origin;
        write!(f, "prices {} months old: {} {as_of}", self.months, source.name())
    }
}

/// The origins of what a quote adds to a total.
pub(super) fn origins(quote: &Quote) -> impl Iterator<Item = Origin> {
    let parts = [Some(quote.instance), quote.fee].into_iter().flatten();
    parts.filter(|part| part.amount.known().is_some_and(|amount| amount != Money::ZERO)).map(|part| part.origin)
}

/// Hourly money of a set of rows in one currency. Rows priced in another currency are counted and left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceTotals {
    currency: Currency,
    /// Rows that have a price, at least in part.
    priced: u64,
    /// By [`Kind`], in billionths. Wider than [`Money`], so that prices set by labels, however large, can be subtracted again
    /// exactly.
    nanos: [i128; Kind::COUNT],
    /// Rows that are not, or not fully, in the figures: the total is a lower bound.
    pub unpriced: u64,
    /// Those of them whose price is in another currency.
    pub foreign: u64,
    /// Why, by reason.
    pub unknown: BTreeMap<Unknown, u64>,
    /// Rows whose figure is an estimate.
    pub estimated: u64,
    /// Capacity blocks, which add nothing by the hour.
    pub prepaid: u64,
    /// Rows that a discount rule made cheaper (or dearer).
    pub discounted: u64,
    /// Spot rows of which both prices are known: [`Self::spot_saves`] is theirs.
    pub spot_compared: u64,
    /// Those of them of which one is an estimate.
    pub spot_estimated: u64,
    /// Spot rows of which one is not: nothing is known of what they save.
    pub spot_left_out: u64,
    /// Rows that are paid for and whose waste is not, or not wholly, known.
    pub waste_left_out: u64,
    /// Rows of which it is known how much of what is requested is used.
    pub compared_to_usage: u64,
    /// How many components that add something came from where, of when.
    origins: BTreeMap<Origin, u64>,
}

/// What is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Machines: all that is not Fargate.
    Instances,
    /// Auto Mode fees.
    Fees,
    /// Fargate pods.
    Fargate,
    /// On-demand price less spot price.
    SpotSaves,
    /// List price less what a discount rule leaves of it.
    DiscountSaves,
    /// [`Waste::unrequested`].
    Unrequested,
    /// [`Waste::overhead`].
    Overhead,
    /// [`Waste::unused`].
    Unused,
}

impl Kind {
    const COUNT: usize = Self::Unused as usize + 1;
}

impl PriceTotals {
    /// The totals of one machine that costs this by the hour.
    #[cfg(test)]
    pub(super) fn of_one(currency: Currency, instances: Money) -> Self {
        let mut price = Self { currency, priced: 1, ..Self::default() };
        price.set(Kind::Instances, instances);
        price
    }

    /// Adds a row: for sums that are made once.
    pub fn include(&mut self, row: &Row) {
        if let Some(quote) = row.quote() {
            self.add(&Self::of(row, quote));
        }
    }

    fn get(&self, kind: Kind) -> Money {
        Money::saturating_from_nanos(self.nanos.get(kind as usize).copied().unwrap_or_default())
    }

    fn set(&mut self, kind: Kind, money: Money) {
        if let Some(nanos) = self.nanos.get_mut(kind as usize) {
            *nanos = money.nanos().into();
        }
    }

    /// The part of one row, in its own currency.
    fn of(row: &Row, quote: &Quote) -> Self {
        let mut price = Self {
            currency: quote.currency,
            prepaid: u64::from(quote.mark == Mark::Prepaid),
            estimated: u64::from(quote.is_estimated()),
            ..Self::default()
        };
        let unknown = quote.unknown().filter(|_| quote.mark != Mark::Prepaid);
        if let Some(why) = unknown {
            price.unpriced = 1;
            price.unknown.insert(why, 1);
        }
        let (instances, fees) = quote.known();
        let some = unknown.is_none() || instances != Money::ZERO || fees != Money::ZERO;
        price.priced = u64::from(some);
        let fargate =
            matches!(quote.basis, Some(Basis::Fargate { .. })) || row.capacity_type() == CapacityType::Fargate;
        price.set(if fargate { Kind::Fargate } else { Kind::Instances }, instances);
        price.set(Kind::Fees, fees);
        if row.capacity_type() == CapacityType::Spot {
            let saves = quote.spot_saves().filter(|_| some);
            price.set(Kind::SpotSaves, saves.unwrap_or_default());
            price.spot_compared = u64::from(saves.is_some());
            price.spot_estimated = u64::from(saves.is_some() && quote.spot_saves_is_estimated());
            price.spot_left_out = u64::from(saves.is_none());
        }
        if let Some(discount) = quote.discount {
            let less = |before: Option<Money>, paid: Money| before.map_or(Money::ZERO, |before| before - paid);
            let known =
                quote.instance.amount.known().map_or(Money::ZERO, |_| less(discount.instance_before, instances));
            price.set(Kind::DiscountSaves, known + less(discount.fee_before, fees));
            price.discounted = u64::from(discount.instance_before.or(discount.fee_before).is_some());
        }
        let waste = Waste::of(row);
        if let Some(waste) = waste {
            price.set(Kind::Unrequested, waste.unrequested);
            price.set(Kind::Overhead, waste.overhead);
            price.set(Kind::Unused, waste.unused.unwrap_or_default());
            price.compared_to_usage = u64::from(waste.unused.is_some());
        }
        price.waste_left_out = u64::from(unknown.is_some() || (waste.is_none() && some));
        origins(quote).for_each(|origin| *price.origins.entry(origin).or_default() += 1);
        price
    }

    /// The part of the volumes of one row.
    fn from_volumes(quote: &VolumesQuote) -> Self {
        let VolumesQuote { known, unknown, .. } = *quote;
        let is_priced = unknown.is_none() || known != Money::ZERO;
        let mut price = Self {
            currency: quote.currency,
            priced: u64::from(is_priced),
            unpriced: u64::from(unknown.is_some()),
            unknown: unknown.map(|why| (why, 1)).into_iter().collect(),
            estimated: u64::from(quote.estimated && is_priced),
            ..Self::default()
        };
        price.set(Kind::Instances, known);
        price
    }

    /// The currency of a row's part; `None` if it has no price.
    pub(super) fn currency_of_part(&self) -> Option<Currency> {
        (self.priced > 0).then_some(self.currency)
    }

    /// The numbers that a row adds whose price is in another currency.
    const fn foreign_counts(&mut self) -> [&mut u64; 3] {
        [&mut self.unpriced, &mut self.foreign, &mut self.waste_left_out]
    }

    fn add(&mut self, other: &Self) {
        if other.currency_of_part().is_some_and(|currency| currency != self.currency) {
            self.foreign_counts().into_iter().for_each(|count| *count += 1);
            return;
        }
        self.counts_mut().into_iter().zip(other.counts()).for_each(|(mine, n)| *mine += n);
        self.nanos.iter_mut().zip(other.nanos).for_each(|(mine, nanos)| *mine += nanos);
        other.unknown.iter().for_each(|(why, n)| *self.unknown.entry(*why).or_default() += n);
        other.origins.iter().for_each(|(origin, n)| *self.origins.entry(*origin).or_default() += n);
    }

    fn take(&mut self, other: &Self) {
        if other.currency_of_part().is_some_and(|currency| currency != self.currency) {
            self.foreign_counts().into_iter().for_each(|count| *count = count.saturating_sub(1));
            return;
        }
        self.counts_mut().into_iter().zip(other.counts()).for_each(|(mine, n)| *mine = mine.saturating_sub(n));
        self.nanos.iter_mut().zip(other.nanos).for_each(|(mine, nanos)| *mine -= nanos);
        if self.priced == 0 {
            self.nanos = [0; Kind::COUNT];
        }
        subtract_counts(&mut self.unknown, &other.unknown);
        subtract_counts(&mut self.origins, &other.origins);
    }

    /// Every number of rows that is added and taken back as it is.
    const fn counts(&self) -> [u64; 10] {
        [
            self.priced,
            self.unpriced,
            self.estimated,
            self.prepaid,
            self.discounted,
            self.spot_compared,
            self.spot_estimated,
            self.spot_left_out,
            self.waste_left_out,
            self.compared_to_usage,
        ]
    }

    /// The same, in the same order.
    const fn counts_mut(&mut self) -> [&mut u64; 10] {
        [
            &mut self.priced,
            &mut self.unpriced,
            &mut self.estimated,
            &mut self.prepaid,
            &mut self.discounted,
            &mut self.spot_compared,
            &mut self.spot_estimated,
            &mut self.spot_left_out,
            &mut self.waste_left_out,
            &mut self.compared_to_usage,
        ]
    }

    /// The currency of the figures.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The machines' part by the hour, without fees and Fargate.
    pub fn instances(&self) -> Money {
        self.get(Kind::Instances)
    }

    /// The Auto Mode fees by the hour.
    pub fn fees(&self) -> Money {
        self.get(Kind::Fees)
    }

    /// Fargate's part by the hour.
    pub fn fargate(&self) -> Money {
        self.get(Kind::Fargate)
    }

    /// All of them.
    pub fn hourly(&self) -> Money {
        self.instances() + self.fees() + self.fargate()
    }

    /// What spot saves by the hour against on-demand; none where no spot row tells.
    pub fn spot_saves(&self) -> Option<Money> {
        (self.spot_compared > 0).then(|| self.get(Kind::SpotSaves))
    }

    /// What discount rules take off by the hour; none where none was applied.
    pub fn discount_saves(&self) -> Option<Money> {
        (self.discounted > 0).then(|| self.get(Kind::DiscountSaves))
    }

    /// What is paid by the hour for room that no pod requests.
    pub fn unrequested(&self) -> Money {
        self.get(Kind::Unrequested)
    }

    /// What is paid by the hour for what DaemonSet and static pods request.
    pub fn overhead(&self) -> Money {
        self.get(Kind::Overhead)
    }

    /// What is paid by the hour for what is requested and not used; none where nothing is measured.
    pub fn unused(&self) -> Option<Money> {
        (self.compared_to_usage > 0).then(|| self.get(Kind::Unused))
    }

    /// Rows that have a price in [`Self::currency`], at least in part.
    pub const fn priced(&self) -> u64 {
        self.priced
    }

    /// Why rows are [`Self::unpriced`], and how many for each reason.
    pub fn reasons(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let foreign = Some(("in another currency", self.foreign)).filter(|(_, n)| *n > 0);
        self.unknown.iter().map(|(why, n)| (why.reason(), *n)).chain(foreign)
    }

    /// Whether nothing at all is priced: the total is unknown, not 0. A set without any machine costs 0.
    pub fn is_unknown(&self) -> bool {
        self.priced() == 0 && self.unpriced > 0
    }

    /// The date of the oldest figure in the total; [`AsOf::Always`] when none has one. A published month is older than
    /// what was asked for.
    pub fn oldest(&self) -> AsOf {
        let dates = self.origins.keys().map(|origin| origin.as_of).filter(|as_of| *as_of != AsOf::Always);
        dates.min().unwrap_or(AsOf::Always)
    }

    /// The oldest figure in the total, where it was published more than a year ago.
    pub fn old_prices(&self, now: Timestamp) -> Option<OldPrices> {
        OldPrices::from_origins(self.origins.keys().copied(), now)
    }

    /// The least exact source of a figure in the total; [`PriceSource::None`] of nothing.
    pub fn worst_source(&self) -> PriceSource {
        self.origins.keys().map(|origin| origin.source).max().unwrap_or(PriceSource::None)
    }
}

/// What one row adds: computed once, added, and later taken back exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    totals: Totals,
}

impl Part {
    /// The currency that the row is priced in; `None` if it has no price.
    pub(super) fn currency(&self) -> Option<Currency> {
        self.totals.price.currency_of_part()
    }

    /// The part of a row that is shown. A tombstone adds nothing.
    pub(super) fn of(row: &Row) -> Self {
        let mut t = Totals::default();
        match row.state() {
            RowState::Gone => return Self { totals: t },
            RowState::LaunchFailed => t.failed = 1,
            RowState::PendingClaim { .. } | RowState::Launching => t.launching = 1,
            RowState::Disrupted { .. } | RowState::Draining { .. } | RowState::Terminating => t.leaving = 1,
            RowState::Joining
            | RowState::Initializing { .. }
            | RowState::Unreachable
            | RowState::NotReady
            | RowState::Cordoned
            | RowState::Ready
            | RowState::Rebooting { .. }
            | RowState::NodeMissing
            | RowState::Mentioned => {}
        }
        t.nodes = u64::from(row.node().is_some());
        let sums = row.sums();
        t.requests = sums.requests.clone();
        t.limits = sums.limits.clone();
        t.overhead = sums.overhead.clone();
        t.pods = sums.pods;
        let offered = row.allocatable().filter(|_| row.counts());
        t.unsized_rows = u64::from(offered.is_none() && sums.requests.pods > 0);
        if row.counts() {
            t.allocatable = offered.map(Resources::capped).unwrap_or_default();
            t.claimed = sums.claimed.clone();
            t.claimed.extended.retain(|name, _| t.allocatable.extended.get(name).is_none_or(|offered| *offered == 0));
            // Usage is a share of what is offered: where that is not known, it is as if nothing was measured.
            match row.usage().filter(|_| offered.is_some()) {
                Some(usage) => {
                    t.used_cpu_millicores = usage.cpu_millicores;
                    t.used_memory_bytes = usage.memory_bytes;
                    t.measured = 1;
                    // Only cpu and memory are measured.
                    t.measured_allocatable = Resources::new(t.allocatable.cpu_millicores, t.allocatable.memory_bytes);
                }
                None => t.unmeasured = t.nodes,
            }
        }
        if let Some(quote) = row.quote() {
            t.price = PriceTotals::of(row, quote);
        }
        t.volumes = row.volumes_quote().map(PriceTotals::from_volumes).unwrap_or_default();
        Self { totals: t }
    }
}

impl Totals {
    /// Empty sums in a currency, that of [`View`](super::View) as a whole: rows priced in another one are left out of them.
    pub fn new(currency: Currency) -> Self {
        let nothing = PriceTotals { currency, ..PriceTotals::default() };
        Self { price: nothing.clone(), volumes: nothing, ..Self::default() }
    }

    pub(super) fn add(&mut self, part: &Part) {
        let o = &part.totals;
        self.nodes += o.nodes;
        self.launching += o.launching;
        self.failed += o.failed;
        self.leaving += o.leaving;
        self.allocatable.add(&o.allocatable);
        self.requests.add(&o.requests);
        self.limits.add(&o.limits);
        self.overhead.add(&o.overhead);
        self.claimed.add(&o.claimed);
        self.used_cpu_millicores += o.used_cpu_millicores;
        self.used_memory_bytes += o.used_memory_bytes;
        self.measured += o.measured;
        self.unmeasured += o.unmeasured;
        self.measured_allocatable.add(&o.measured_allocatable);
        self.unsized_rows += o.unsized_rows;
        self.pods += o.pods;
        self.price.add(&o.price);
        self.volumes.add(&o.volumes);
    }

    pub(super) fn take(&mut self, part: &Part) {
        let o = &part.totals;
        self.nodes = self.nodes.saturating_sub(o.nodes);
        self.launching = self.launching.saturating_sub(o.launching);
        self.failed = self.failed.saturating_sub(o.failed);
        self.leaving = self.leaving.saturating_sub(o.leaving);
        self.allocatable.subtract(&o.allocatable);
        self.requests.subtract(&o.requests);
        self.limits.subtract(&o.limits);
        self.overhead.subtract(&o.overhead);
        self.claimed.subtract(&o.claimed);
        self.used_cpu_millicores = self.used_cpu_millicores.saturating_sub(o.used_cpu_millicores);
        self.used_memory_bytes = self.used_memory_bytes.saturating_sub(o.used_memory_bytes);
        self.measured = self.measured.saturating_sub(o.measured);
        self.unmeasured = self.unmeasured.saturating_sub(o.unmeasured);
        self.measured_allocatable.subtract(&o.measured_allocatable);
        self.unsized_rows = self.unsized_rows.saturating_sub(o.unsized_rows);
        self.pods -= o.pods;
        self.price.take(&o.price);
        self.volumes.take(&o.volumes);
    }

    /// Adds a row: for sums that are made once.
    pub fn include(&mut self, row: &Row) {
        self.add(&Part::of(row));
    }

    /// Requested share of a resource in thousandths of what is offered: weighted, so a small busy node does not
    /// outweigh a big idle one; by the rule of [`permille`]. None where what is offered is not known.
    pub fn requested_permille(&self, resource: &Resource) -> Option<u64> {
        permille(self.requests.get(resource).saturating_sub(self.claimed.get(resource)), self.offer_of(resource)?)
    }

    /// What the machines offer of a resource; none where that is not known of any, and where pods get it by resource claims
    /// alone. A machine whose devices failed offers 0.
    pub fn offer_of(&self, resource: &Resource) -> Option<u64> {
        let offered = self.allocatable.get(resource);
        (offered > 0 || (self.unsized_rows == 0 && self.claimed.get(resource) == 0)).then_some(offered)
    }

    /// Those of `wanted` that no machine offers and no pod on them requests: misspelt, or not there (yet).
    pub fn unoffered<'r>(&self, wanted: &'r [Resource]) -> Vec<&'r Resource> {
        let is_named = |r: &Resource| self.allocatable.get(r) > 0 || self.requests.get(r) > 0;
        wanted.iter().filter(|resource| !is_named(resource)).collect()
    }

    /// The resources that some machine offers.
    pub fn offered(&self) -> Vec<Resource> {
        let plain = [Resource::Cpu, Resource::Memory, Resource::EphemeralStorage, Resource::Pods];
        let extended = self.allocatable.extended.keys().cloned().map(Resource::Extended);
        plain.into_iter().chain(extended).filter(|resource| self.allocatable.get(resource) > 0).collect()
    }

    /// Measured amount of a resource, if any node was measured.
    pub fn used(&self, resource: &Resource) -> Option<u64> {
        if self.measured == 0 {
            return None;
        }
        match resource {
            Resource::Cpu => Some(self.used_cpu_millicores),
            Resource::Memory => Some(self.used_memory_bytes),
            Resource::EphemeralStorage | Resource::Pods | Resource::Extended(_) => None,
        }
    }

    /// Measured share of a resource in thousandths of what the measured nodes offer, so that a node which stops reporting
    /// does not lower it. None where nothing was measured.
    pub fn used_permille(&self, resource: &Resource) -> Option<u64> {
        permille(self.used(resource)?, self.measured_allocatable.get(resource))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Cluster;
    use crate::model::{Change, Name, Node};
    use test_case::test_case;

    #[test]
    fn what_was_never_added_takes_nothing_below_zero() {
        let labels = [("node.kubernetes.io/instance-type", "m5.large"), ("topology.kubernetes.io/region", "us-east-1")];
        let node = Node {
            name: Name::from("n"),
            allocatable: Resources::new(2000, 8 << 30),
            labels: labels.into_iter().collect(),
            ..Node::default()
        };
        let mut cluster = Cluster::new(Some(crate::pricing::PriceBook::embedded()));
        cluster.apply(Change::Node(Box::new(node)), Timestamp::UNIX_EPOCH);
        let part = Part::of(cluster.row_of_node("n").unwrap());
        assert!(part.totals.price.priced() == 1 && part.totals.price.hourly() > Money::ZERO);
        let mut totals = Totals::default();
        totals.take(&part);
        assert_eq!(totals, Totals::default());
    }

    #[test_case(&["2026-07", "2025-03"] => Some("prices 20 months old: embedded 2025-03".to_owned()) ; "the oldest decides")]
    #[test_case(&["2025-03", "2025-03~"] => Some("prices 20 months old: embedded-estimate 2025-03".to_owned()) ; "of one month the least exact")]
    #[test_case(&["2025-10", "2026-07~"] => Some("prices 13 months old: embedded 2025-10".to_owned()) ; "its own source")]
    #[test_case(&["2025-11"] => None ; "a year is not old yet")]
    #[test_case(&[] => None ; "every figure was confirmed since")]
    fn old_prices_are_named(months: &[&'static str]) -> Option<String> {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let embedded = |month: &'static str| match month.strip_suffix('~') {
            Some(month) => Origin { source: PriceSource::EmbeddedEstimate, as_of: AsOf::Month(month) },
            None => Origin { source: PriceSource::Embedded, as_of: AsOf::Month(month) },
        };
        let live = Origin { source: PriceSource::PricePage, as_of: AsOf::Fetched { at: now, cached: false } };
        let origins = months.iter().map(|month| embedded(month)).chain([live]).map(|origin| (origin, 1)).collect();
        PriceTotals { origins, ..PriceTotals::default() }.old_prices(now).map(|old| old.to_string())
    }
}
