//! What a set of rows adds up to: the header, a group's subtotal, a nodepool's line.

use crate::cluster::{PodCounts, Row, RowState, permille};
use crate::model::{Resource, Resources};
use crate::pricing::{AsOf, Mark, Unknown};
use crate::units::{Currency, Money};
use std::collections::BTreeMap;

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
    /// Measured cpu of the measured nodes, in millicores.
    pub used_cpu_millicores: u64,
    /// Measured memory of the measured nodes, in bytes.
    pub used_memory_bytes: u64,
    /// How many nodes were measured; 0 means usage is unknown, not zero.
    pub measured: u64,
    /// Pods bound to the machines, by state.
    pub pods: PodCounts,
    /// Money.
    pub price: PriceTotals,
}

/// Hourly money of a set of rows, one currency; what cannot be added is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceTotals {
    sums: BTreeMap<Currency, CurrencySum>,
    /// Rows with a price that is not fully known: the total is a lower bound.
    pub unpriced: u64,
    /// Why, by reason.
    pub unknown: BTreeMap<Unknown, u64>,
    /// Rows whose figure is an estimate.
    pub estimated: u64,
    /// Capacity blocks, which add nothing by the hour.
    pub prepaid: u64,
    /// Rows by date of their price.
    as_of: BTreeMap<AsOf, u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct CurrencySum {
    rows: u64,
    /// Billionths. Wider than [`Money`], so that prices set by labels, however large, can be taken back exactly.
    instances: i128,
    fees: i128,
}

/// A sum as an amount; more than fits is the most that fits.
fn money(nanos: i128) -> Money {
    Money::from_nanos(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
}

impl PriceTotals {
    /// The totals of one machine that costs this by the hour.
    #[cfg(test)]
    pub(super) fn of_one(currency: Currency, instances: Money) -> Self {
        let sum = CurrencySum { rows: 1, instances: instances.nanos().into(), fees: 0 };
        Self { sums: [(currency, sum)].into_iter().collect(), ..Self::default() }
    }

    /// The currency of the figures: the one most rows have; dollars of nothing.
    pub fn currency(&self) -> Currency {
        let most = self.sums.iter().max_by_key(|(_, sum)| sum.rows);
        most.map_or(Currency::Usd, |(currency, _)| *currency)
    }

    fn sum(&self) -> CurrencySum {
        self.sums.get(&self.currency()).copied().unwrap_or_default()
    }

    /// The machines' part by the hour.
    pub fn instances(&self) -> Money {
        money(self.sum().instances)
    }

    /// The Auto Mode fees by the hour.
    pub fn fees(&self) -> Money {
        money(self.sum().fees)
    }

    /// Both.
    pub fn hourly(&self) -> Money {
        money(self.sum().instances.saturating_add(self.sum().fees))
    }

    /// Rows that have some price.
    pub fn priced(&self) -> u64 {
        self.sum().rows
    }

    /// Rows whose price is in another currency and is not in the figures.
    pub fn other_currency(&self) -> u64 {
        self.sums.values().map(|s| s.rows).sum::<u64>() - self.sum().rows
    }

    /// Whether nothing at all is priced: the total is unknown, not 0. A set without any machine costs 0.
    pub fn is_unknown(&self) -> bool {
        self.priced() == 0 && self.unpriced > 0
    }

    /// The date of the oldest price; [`AsOf::Always`] when none has one. A published month is older than what was asked
    /// for.
    pub fn oldest(&self) -> AsOf {
        self.as_of.first_key_value().map_or(AsOf::Always, |(as_of, _)| *as_of)
    }
}

/// What one row adds: computed once, added, and later taken back exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    totals: Totals,
}

impl Part {
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
            | RowState::Mentioned => {}
        }
        t.nodes = u64::from(row.node().is_some());
        let sums = row.sums();
        t.requests = sums.requests.clone();
        t.limits = sums.limits.clone();
        t.overhead = sums.overhead.clone();
        t.pods = sums.pods;
        if row.counts() {
            if let Some(allocatable) = row.allocatable() {
                t.allocatable = allocatable.capped();
            }
            if let Some(usage) = row.usage() {
                t.used_cpu_millicores = usage.cpu_millicores;
                t.used_memory_bytes = usage.memory_bytes;
                t.measured = 1;
            }
        }
        if let Some(quote) = row.quote() {
            let price = &mut t.price;
            price.prepaid = u64::from(quote.mark == Mark::Prepaid);
            price.estimated = u64::from(quote.is_estimated());
            let unknown = quote.unknown().filter(|_| quote.mark != Mark::Prepaid);
            if let Some(why) = unknown {
                price.unpriced = 1;
                price.unknown.insert(why, 1);
            }
            let (instances, fees) = quote.known();
            let some = u64::from(unknown.is_none() || instances != Money::ZERO || fees != Money::ZERO);
            if some > 0 {
                let sum = CurrencySum { rows: some, instances: instances.nanos().into(), fees: fees.nanos().into() };
                price.sums.insert(quote.currency, sum);
            }
            let as_of = quote.instance.origin.as_of;
            if as_of != AsOf::Always {
                price.as_of.insert(as_of, 1);
            }
        }
        Self { totals: t }
    }
}

impl Totals {
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
        self.used_cpu_millicores += o.used_cpu_millicores;
        self.used_memory_bytes += o.used_memory_bytes;
        self.measured += o.measured;
        self.pods += o.pods;
        let (p, q) = (&mut self.price, &o.price);
        p.unpriced += q.unpriced;
        p.estimated += q.estimated;
        p.prepaid += q.prepaid;
        for (currency, sum) in &q.sums {
            let mine = p.sums.entry(*currency).or_default();
            mine.rows += sum.rows;
            mine.instances += sum.instances;
            mine.fees += sum.fees;
        }
        q.unknown.iter().for_each(|(why, n)| *p.unknown.entry(*why).or_default() += n);
        q.as_of.iter().for_each(|(as_of, n)| *p.as_of.entry(*as_of).or_default() += n);
    }

    pub(super) fn take(&mut self, part: &Part) {
        let o = &part.totals;
        self.nodes -= o.nodes;
        self.launching -= o.launching;
        self.failed -= o.failed;
        self.leaving -= o.leaving;
        self.allocatable.subtract(&o.allocatable);
        self.requests.subtract(&o.requests);
        self.limits.subtract(&o.limits);
        self.overhead.subtract(&o.overhead);
        self.used_cpu_millicores -= o.used_cpu_millicores;
        self.used_memory_bytes -= o.used_memory_bytes;
        self.measured -= o.measured;
        self.pods -= o.pods;
        let (p, q) = (&mut self.price, &o.price);
        p.unpriced -= q.unpriced;
        p.estimated -= q.estimated;
        p.prepaid -= q.prepaid;
        for (currency, sum) in &q.sums {
            if let Some(mine) = p.sums.get_mut(currency) {
                mine.rows -= sum.rows;
                mine.instances -= sum.instances;
                mine.fees -= sum.fees;
            }
        }
        p.sums.retain(|_, sum| sum.rows > 0);
        for (why, n) in &q.unknown {
            if let Some(mine) = p.unknown.get_mut(why) {
                *mine -= n;
            }
        }
        p.unknown.retain(|_, n| *n > 0);
        for (as_of, n) in &q.as_of {
            if let Some(mine) = p.as_of.get_mut(as_of) {
                *mine -= n;
            }
        }
        p.as_of.retain(|_, n| *n > 0);
    }

    /// Adds a row: for sums that are made once.
    pub fn include(&mut self, row: &Row) {
        self.add(&Part::of(row));
    }

    /// Requested share of a resource in thousandths of what is offered: weighted, so a small busy node does not
    /// outweigh a big idle one. None where nothing is offered.
    pub fn requested_permille(&self, resource: &Resource) -> Option<u64> {
        permille(self.requests.get(resource), self.allocatable.get(resource))
    }

    /// Those of `wanted` that no machine offers: misspelt, or not there (yet).
    pub fn unoffered<'r>(&self, wanted: &'r [Resource]) -> Vec<&'r Resource> {
        wanted.iter().filter(|resource| self.allocatable.get(resource) == 0).collect()
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
}
