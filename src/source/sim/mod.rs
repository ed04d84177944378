//! A simulated EKS cluster, which the demo and scenario files play.
//!
//! [`World`] has the state (when a claim launched, which pod is bound where) and a method for everything that can
//! happen. Each method emits the changes of a live watch: the objects as the API server returns them, and the events of
//! their controllers. Invariant: the same calls with the same times and seed give the same changes. No function reads a
//! clock.

pub mod catalog;
mod ids;
mod instance;
pub mod market;
pub mod play;
pub mod text;
mod world;

#[cfg(test)]
pub(crate) mod fold;

pub use ids::{InstanceId, PodId, WorkloadId};
pub use instance::{CapacityType, Instance, Site};
pub use world::{ClaimRequest, PodStage, PoolSpec, SimPod, WorkloadSpec, World};

use crate::model::Timestamp;
use jiff::SignedDuration;

/// `at` plus milliseconds, saturating.
pub(crate) fn later(at: Timestamp, millis: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_millis(millis)).unwrap_or(at)
}

/// The speed of a simulation relative to real time, in permille, so that times stay whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed(u32);

impl Default for Speed {
    fn default() -> Self {
        Self(1000)
    }
}

impl Speed {
    /// `factor` times real time: 2.0 takes half the time. Clamped to 0.01 to 1,000.
    pub fn times(factor: f64) -> Self {
        let bounded = if factor.is_finite() { factor.clamp(0.01, 1000.0) } else { 1.0 };
        Self((bounded * 1000.0).round() as u32)
    }

    /// The real time, in milliseconds, of `millis` of simulated time.
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
