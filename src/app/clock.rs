//! What time it is: the rim's business. Everything inside takes `now` as an argument.

use crate::model::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::Instant;

/// A source of `now`.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's clock; steps with it when it is set, and counts the time a laptop sleeps.
    System,
    /// Runtime time from a fixed start: stands still when a test pauses it.
    Runtime {
        /// The moment at `start`.
        base: Timestamp,
        /// When the clock was started.
        start: Instant,
    },
}

impl Clock {
    /// A clock that reads `base` now and moves with the runtime.
    pub fn starting_at(base: Timestamp) -> Self {
        Self::Runtime { base, start: Instant::now() }
    }

    /// The current moment.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Runtime { base, start } => {
                let elapsed = jiff::SignedDuration::try_from(start.elapsed()).unwrap_or_default();
                base.checked_add(elapsed).unwrap_or(*base)
            }
        }
    }

    /// Seconds the local wall clock is ahead of UTC at `now`.
    pub fn utc_offset_seconds(&self, now: Timestamp) -> i32 {
        match self {
            Self::System => TimeZone::system().to_offset(now).seconds(),
            Self::Runtime { .. } => 0,
        }
    }
}
