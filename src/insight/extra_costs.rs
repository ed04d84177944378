//! What the volumes of a set of rows add up to: a sum of its own, which no other sum contains.

use super::counts::subtract_counts;
use crate::cluster::Row;
use crate::pricing::VolumeUnknown;
use crate::units::{Currency, Money};
use std::collections::BTreeMap;

/// Hourly money of the EBS volumes of a set of rows; what is not known is counted. Empty where that line is off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeTotals {
    sums: BTreeMap<Currency, Sum>,
    /// Rows whose volumes are not, or not wholly, known, by why.
    pub unknown: BTreeMap<VolumeUnknown, u64>,
    /// Rows whose class has changed since they were launched.
    pub estimated: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    rows: u64,
    nanos: i128,
}

impl VolumeTotals {
    /// The part of one row.
    pub(super) fn of(row: &Row) -> Self {
        let Some(quote) = row.volumes_quote() else { return Self::default() };
        let (known, unknown) = (quote.known(), quote.unknown());
        let some = unknown.is_none() || known != Money::ZERO;
        let sum = Sum { rows: 1, nanos: known.nanos().into() };
        Self {
            sums: some.then_some((quote.currency, sum)).into_iter().collect(),
            unknown: unknown.map(|why| (why, 1)).into_iter().collect(),
            estimated: u64::from(quote.estimated && some),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (currency, sum) in &other.sums {
            let mine = self.sums.entry(*currency).or_default();
            (mine.rows, mine.nanos) = (mine.rows + sum.rows, mine.nanos + sum.nanos);
        }
        other.unknown.iter().for_each(|(why, n)| *self.unknown.entry(*why).or_default() += n);
        self.estimated += other.estimated;
    }

    pub(super) fn take(&mut self, other: &Self) {
        for (currency, sum) in &other.sums {
            if let Some(mine) = self.sums.get_mut(currency) {
                mine.rows = mine.rows.saturating_sub(sum.rows);
                mine.nanos = mine.nanos.saturating_sub(sum.nanos);
            }
        }
        self.sums.retain(|_, sum| sum.rows > 0);
        subtract_counts(&mut self.unknown, &other.unknown);
        self.estimated = self.estimated.saturating_sub(other.estimated);
    }

    /// The currency of the figure: the one most rows have; dollars of nothing.
    pub fn currency(&self) -> Currency {
        let most = self.sums.iter().max_by_key(|(_, sum)| sum.rows);
        most.map_or(Currency::Usd, |(currency, _)| *currency)
    }

    fn sum(&self) -> Sum {
        self.sums.get(&self.currency()).copied().unwrap_or_default()
    }

    /// What is known by the hour: a lower bound while [`Self::left_out`] is not 0.
    pub fn hourly(&self) -> Money {
        let nanos = self.sum().nanos;
        Money::from_nanos(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }

    /// Rows whose volumes are not, or not wholly, in the figure.
    pub fn left_out(&self) -> u64 {
        let others = self.sums.values().map(|sum| sum.rows).sum::<u64>().saturating_sub(self.sum().rows);
        self.unknown.values().sum::<u64>() + others
    }

    /// Whether nothing at all is known: the figure is unknown, not 0.
    pub fn is_unknown(&self) -> bool {
        self.sum().rows == 0 && self.left_out() > 0
    }
}
