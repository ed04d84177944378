//! The cost of the EBS volumes of a set of rows, which no other sum contains.

use super::counts::subtract_counts;
use crate::cluster::Row;
use crate::pricing::VolumeUnknown;
use crate::units::{Currency, Money};
use std::collections::BTreeMap;

/// Hourly cost of the EBS volumes of a set of rows, in one currency; what is unknown is counted. Empty if volumes are switched
/// off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeTotals {
    currency: Currency,
    /// Rows whose volumes are in the sum, at least in part.
    priced: u64,
    nanos: i128,
    /// Rows whose volumes are priced in another currency.
    foreign: u64,
    /// Rows whose volumes are not, or not fully, known, by reason.
    pub unknown: BTreeMap<VolumeUnknown, u64>,
    /// Rows whose node class has changed since their launch.
    pub estimated: u64,
}

impl VolumeTotals {
    pub(super) fn new(currency: Currency) -> Self {
        Self { currency, ..Self::default() }
    }

    /// The part of one row, in its own currency.
    pub(super) fn from_row(row: &Row) -> Self {
        let Some(quote) = row.volumes_quote() else { return Self::default() };
        let (known, unknown) = (quote.known(), quote.unknown());
        let priced = unknown.is_none() || known != Money::ZERO;
        Self {
            currency: quote.currency,
            priced: u64::from(priced),
            nanos: known.nanos().into(),
            foreign: 0,
            unknown: unknown.map(|why| (why, 1)).into_iter().collect(),
            estimated: u64::from(quote.estimated && priced),
        }
    }

    fn is_foreign(&self, part: &Self) -> bool {
        part.priced > 0 && part.currency != self.currency
    }

    pub(super) fn add(&mut self, part: &Self) {
        if self.is_foreign(part) {
            self.foreign += 1;
            return;
        }
        self.priced += part.priced;
        self.nanos += part.nanos;
        part.unknown.iter().for_each(|(why, n)| *self.unknown.entry(*why).or_default() += n);
        self.estimated += part.estimated;
    }

    pub(super) fn take(&mut self, part: &Self) {
        if self.is_foreign(part) {
            self.foreign = self.foreign.saturating_sub(1);
            return;
        }
        self.priced = self.priced.saturating_sub(part.priced);
        self.nanos = if self.priced == 0 { 0 } else { self.nanos - part.nanos };
        subtract_counts(&mut self.unknown, &part.unknown);
        self.estimated = self.estimated.saturating_sub(part.estimated);
    }

    /// The currency of the figure.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The known part of the hourly cost: a lower bound if [`Self::left_out`] is not 0.
    pub fn hourly(&self) -> Money {
        Money::saturating_from_nanos(self.nanos)
    }

    /// Rows whose volumes are not, or not fully, in the figure.
    pub fn left_out(&self) -> u64 {
        self.unknown.values().sum::<u64>() + self.foreign
    }

    /// Whether nothing is known: the figure is unknown, not 0.
    pub fn is_unknown(&self) -> bool {
        self.priced == 0 && self.left_out() > 0
    }
}
