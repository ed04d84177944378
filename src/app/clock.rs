//! The clock. Only `app` reads it; all other modules take `now` as an argument.

use crate::model::Timestamp;
use jiff::tz::TimeZone;
use tokio::time::Instant;

/// A source of the current time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system clock: follows when it is set, and includes the time that a laptop sleeps.
    System,
    /// The runtime's clock from a fixed start: stands still when a test pauses it.
    Runtime {
        /// The time at `start`.
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

    /// The current time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Runtime { base, start } => {
                let elapsed = jiff::SignedDuration::try_from(start.elapsed()).unwrap_or_default();
                base.checked_add(elapsed).unwrap_or(*base)
            }
        }
    }

    /// Offset of local time from UTC at `now`, in seconds.
    pub fn utc_offset_seconds(&self, now: Timestamp) -> i32 {
        match self {
            Self::System => TimeZone::system().to_offset(now).seconds(),
            Self::Runtime { .. } => 0,
        }
    }
}
