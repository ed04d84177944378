//! What the cluster cost by the hour over the last while.

use super::PriceTotals;
use crate::model::Timestamp;
use crate::units::{Currency, Money};
use std::collections::VecDeque;

/// Samples kept: half an hour of one every two seconds.
const CAPACITY: usize = 900;
/// A sample that comes sooner takes the place of the last one, so that a busy moment does not push the past out.
const SPACING_SECONDS: i64 = 2;
/// Levels of a sparkline above its floor.
const LEVELS: i128 = 7;
/// A sparkline's height is at least this part of the highest sample: a change of some cents on a large bill is no cliff.
const LEAST_RANGE: i128 = 10;

/// A bounded record of (moment, hourly price), oldest first. Unknown totals leave no sample.
#[derive(Clone, Debug, Default)]
pub struct CostHistory {
    samples: VecDeque<(i64, Money)>,
    currency: Currency,
}

impl CostHistory {
    /// Records what is paid by the hour now. Samples of another currency are dropped: they cannot be compared.
    pub fn sample(&mut self, now: Timestamp, price: &PriceTotals) {
        if price.is_unknown() {
            return;
        }
        if self.currency != price.currency() {
            self.samples.clear();
            self.currency = price.currency();
        }
        let (at, hourly) = (now.as_second(), price.hourly());
        let before_last = self.samples.len().checked_sub(2).and_then(|i| self.samples.get(i)).map(|(t, _)| *t);
        if let Some(last) = self.samples.back_mut()
            && (at <= last.0 || before_last.is_some_and(|t| at - t < SPACING_SECONDS))
        {
            *last = (at.max(last.0), hourly);
            return;
        }
        if self.samples.len() == CAPACITY {
            self.samples.pop_front();
        }
        self.samples.push_back((at, hourly));
    }

    /// The prices changed, not the fleet: what was noted before moves by the same difference, so that a better price is
    /// no rise or fall in cost.
    pub fn rebase(&mut self, before: &PriceTotals, after: &PriceTotals) {
        if before.currency() != after.currency() || before.is_unknown() || after.is_unknown() {
            self.samples.clear();
            return;
        }
        let difference = after.hourly() - before.hourly();
        self.samples.iter_mut().for_each(|(_, hourly)| *hourly += difference);
    }

    /// The last `width` stretches of the record as levels 0 (lowest) to 7 (highest), oldest first. Empty before there
    /// are two samples; level 0 throughout while nothing changes. Its first cell is what the record begins with, each
    /// other one what its stretch ended with.
    pub fn sparkline(&self, width: usize) -> Vec<u8> {
        let (Some((start, _)), Some((end, _))) = (self.samples.front(), self.samples.back()) else { return Vec::new() };
        if self.samples.len() < 2 || width == 0 {
            return Vec::new();
        }
        let span = i128::from(end - start).max(1);
        let last = width as i128 - 1;
        let mut cells: Vec<Option<Money>> = vec![None; width];
        for (at, hourly) in &self.samples {
            let cell = (i128::from(at - start) * last / span) as usize;
            if let Some(cell) = cells.get_mut(cell) {
                *cell = Some(*hourly);
            }
        }
        let nanos = |m: &Money| i128::from(m.nanos());
        let low = self.samples.iter().map(|(_, m)| nanos(m)).min().unwrap_or(0);
        let high = self.samples.iter().map(|(_, m)| nanos(m)).max().unwrap_or(0);
        let range = (high - low).max(high / LEAST_RANGE).max(1);
        let level = |nanos: i128| u8::try_from(((nanos - low) * LEVELS + range / 2) / range).unwrap_or(0);
        let mut held = low;
        let mut levels: Vec<u8> = Vec::with_capacity(width);
        for cell in cells {
            // A stretch without a sample cost what the one before it did.
            held = cell.map_or(held, |m| nanos(&m));
            levels.push(level(held));
        }
        // A jump within the first stretch is seen only if the line begins before it.
        if let (Some(first), Some((_, began))) = (levels.first_mut().filter(|_| width > 1), self.samples.front()) {
            *first = level(nanos(began));
        }
        levels
    }

    /// How much more (or less) is paid by the hour than at `since`, or than at the oldest sample after it.
    pub fn delta(&self, since: Timestamp) -> Option<Money> {
        let since = since.as_second();
        let (_, newest) = self.samples.back()?;
        let before = self.samples.iter().rev().find(|(at, _)| *at <= since).or_else(|| self.samples.front());
        before.map(|(_, then)| Money::from_nanos(newest.nanos().saturating_sub(then.nanos())))
    }

    /// How many seconds the record reaches back.
    pub fn seconds(&self) -> i64 {
        match (self.samples.front(), self.samples.back()) {
            (Some((start, _)), Some((end, _))) => end - start,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn price(nanos: i64) -> PriceTotals {
        PriceTotals::of_one(Currency::Usd, Money::from_nanos(nanos))
    }

    #[test]
    fn a_better_price_is_no_change_in_cost() {
        let mut history = history(&[(0, 10), (4, 30)]);
        history.rebase(&price(30), &price(24));
        history.sample(at(8), &price(24));
        assert_eq!(history.delta(at(0)), Some(Money::from_nanos(20)));
        assert_eq!(history.delta(at(4)), Some(Money::ZERO));
        // What was unknown before cannot be compared.
        let mut unknown = PriceTotals::default();
        unknown.unpriced = 1;
        history.rebase(&unknown, &price(24));
        assert_eq!(history.delta(at(0)), None);
    }

    fn history(samples: &[(i64, i64)]) -> CostHistory {
        let mut history = CostHistory::default();
        for (t, nanos) in samples {
            history.sample(at(*t), &price(*nanos));
        }
        history
    }

    #[test]
    fn a_sparkline_spans_the_record_and_holds_what_was_last_known() {
        assert_eq!(history(&[]).sparkline(4), [0_u8; 0]);
        assert_eq!(history(&[(0, 5)]).sparkline(4), [0_u8; 0]);
        assert_eq!(history(&[(0, 100), (10, 100), (60, 800)]).sparkline(7), [0, 0, 0, 0, 0, 0, 7]);
        assert_eq!(history(&[(0, 0), (30, 350), (60, 700)]).sparkline(3), [0, 4, 7]);
        assert_eq!(history(&[(0, 9), (60, 9)]).sparkline(3), [0, 0, 0]);
        assert_eq!(history(&[(0, 1), (60, 9)]).sparkline(0), [0_u8; 0]);
    }

    #[test]
    fn a_jump_in_the_first_stretch_is_drawn() {
        assert_eq!(history(&[(0, 100), (5, 800), (60, 800)]).sparkline(4), [0, 7, 7, 7]);
        assert_eq!(history(&[(0, 800), (5, 100), (60, 100)]).sparkline(4), [7, 0, 0, 0]);
    }

    #[test]
    fn a_small_change_of_a_large_bill_is_no_cliff() {
        assert_eq!(history(&[(0, 1000), (60, 1010)]).sparkline(3), [0, 0, 1]);
        assert_eq!(history(&[(0, 1000), (60, 1060)]).sparkline(3), [0, 0, 4]);
    }

    #[test]
    fn a_delta_is_against_what_held_then() {
        let h = history(&[(0, 100), (60, 485), (120, 400)]);
        assert_eq!(h.delta(at(90)), Some(Money::from_nanos(-85)));
        assert_eq!(h.delta(at(0)), Some(Money::from_nanos(300)));
        assert_eq!(h.delta(at(-50)), Some(Money::from_nanos(300)), "further back than the record");
        assert_eq!(history(&[]).delta(at(0)), None);
        assert_eq!(h.seconds(), 120);
    }

    #[test]
    fn the_record_is_bounded_and_a_busy_moment_is_one_sample() {
        let mut h = CostHistory::default();
        (0..10_000).for_each(|t| h.sample(at(t * 2), &price(t)));
        assert_eq!((h.samples.len(), h.seconds()), (CAPACITY, (CAPACITY as i64 - 1) * 2));
        let mut busy = CostHistory::default();
        (0..100).for_each(|n| busy.sample(at(7), &price(n)));
        assert_eq!(busy.samples, [(7, Money::from_nanos(99))]);
    }

    #[test]
    fn another_currency_starts_anew_and_an_unknown_total_leaves_no_sample() {
        let mut h = history(&[(0, 100), (60, 200)]);
        let mut unknown = PriceTotals::default();
        unknown.unpriced = 1;
        h.sample(at(61), &unknown);
        assert_eq!(h.samples.len(), 2);
        h.sample(at(70), &PriceTotals::of_one(Currency::Cny, Money::from_nanos(5)));
        assert_eq!(h.samples.len(), 1);
    }
}
