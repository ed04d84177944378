//! A simulated EKS cluster: what the demo and the scenario files play, object by object.
//!
//! [`World`] holds the facts (when a claim launched, which pod is bound where) and has a verb for everything that can
//! happen; each verb says what a live watch would have said: the objects as the API server shows them, with the
//! events their controllers write. Always true: the same verbs with the same times and seed give the same changes.
//! Nothing here reads a clock.

pub mod catalog;
mod machine;
pub mod market;
pub mod play;
pub mod text;
mod world;

#[cfg(test)]
pub(crate) mod picture;

pub use machine::{CapacityType, Machine, Site};
pub use world::{Asked, MachineId, PodId, PodStage, PoolSpec, SimPod, WorkloadId, WorkloadSpec, World};

use crate::model::Timestamp;
use jiff::SignedDuration;

/// `at` moved by milliseconds; stays where it is at the end of time.
pub(crate) fn later(at: Timestamp, millis: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_millis(millis)).unwrap_or(at)
}

/// How many times faster than life something is played, in thousandths, so that times stay whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed(u32);

impl Default for Speed {
    fn default() -> Self {
        Self(1000)
    }
}

impl Speed {
    /// `factor` times as fast as life: 2.0 takes half the time. Kept within 0.01 and 1,000.
    pub fn times(factor: f64) -> Self {
        let bounded = if factor.is_finite() { factor.clamp(0.01, 1000.0) } else { 1.0 };
        Self((bounded * 1000.0).round() as u32)
    }

    /// How long `millis` of the simulated cluster's time take.
    pub fn shorten(self, millis: i64) -> i64 {
        millis.saturating_mul(1000) / i64::from(self.0.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_as_fast_takes_half_as_long() {
        assert_eq!(Speed::times(2.0).shorten(1500), 750);
        assert_eq!(Speed::default().shorten(1500), 1500);
        assert_eq!(Speed::times(0.0).shorten(10), 1000);
        assert_eq!(Speed::times(f64::NAN), Speed::default());
    }
}
