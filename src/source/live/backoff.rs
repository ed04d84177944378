//! How long to wait before the next try.

use std::time::Duration;

/// Waits that grow from a base to a cap, and start over after a good spell.
///
/// Pure: the caller brings the randomness, which keeps many streams that failed together from returning together.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    base: Duration,
    cap: Duration,
    good_spell: Duration,
    failures: u32,
}

impl Backoff {
    /// A backoff from `base` to `cap`, forgotten after `good_spell` without trouble.
    pub(super) const fn new(base: Duration, cap: Duration, good_spell: Duration) -> Self {
        Self { base, cap, good_spell, failures: 0 }
    }

    /// The wait after one more failure. `random` in [0, 1) takes up to half of it off.
    pub(super) fn next(&mut self, random: f64) -> Duration {
        let step = self.base.saturating_mul(2_u32.saturating_pow(self.failures)).min(self.cap);
        self.failures = self.failures.saturating_add(1);
        step.mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
    }

    /// Things went well for `spell`.
    pub(super) fn went_well_for(&mut self, spell: Duration) {
        if spell >= self.good_spell {
            self.failures = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff() -> Backoff {
        Backoff::new(Duration::from_millis(800), Duration::from_secs(30), Duration::from_mins(2))
    }

    #[test]
    fn backoff_grows_from_base_to_cap() {
        let mut b = backoff();
        let waits: Vec<u128> = (0..8).map(|_| b.next(0.0).as_millis()).collect();
        assert_eq!(waits, [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
        for _ in 0..100 {
            assert!(b.next(0.0) <= Duration::from_secs(30));
        }
    }

    #[test]
    fn backoff_starts_over_only_after_a_good_spell() {
        let mut b = backoff();
        b.next(0.0);
        b.next(0.0);
        b.went_well_for(Duration::from_secs(119));
        assert_eq!(b.next(0.0), Duration::from_millis(3200));
        b.went_well_for(Duration::from_mins(2));
        assert_eq!(b.next(0.0), Duration::from_millis(800));
    }

    #[test]
    fn jitter_takes_off_at_most_half() {
        assert_eq!(backoff().next(0.999_999).as_millis(), 400);
        assert_eq!(backoff().next(7.0), Duration::from_millis(400));
    }
}
