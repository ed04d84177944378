use super::Timestamp;
use jiff::tz::TimeZone;
use std::fmt;
use std::sync::Arc;
use tokio::time::Instant;

/// A source of the current time. Only `app` chooses one; all other modules take it, or `now`, as an argument.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    zone: TimeZone,
}

impl Clock {
    /// The system clock, with the system's time zone. It follows when the clock is set, and includes the time that a
    /// laptop sleeps.
    pub fn system() -> Self {
        Self { now: Arc::new(Timestamp::now), zone: TimeZone::system() }
    }

    /// A clock that reads the time from `now`, in UTC.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), zone: TimeZone::UTC }
    }

    /// A clock that reads `base` now and moves with the runtime's clock, which stands still when a test pauses it.
    pub fn starting_at(base: Timestamp) -> Self {
        let start = Instant::now();
        Self::new(move || {
            let elapsed = jiff::SignedDuration::try_from(start.elapsed()).unwrap_or_default();
            base.checked_add(elapsed).unwrap_or(base)
        })
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Offset of local time from UTC at `now`, in seconds.
    pub fn utc_offset_seconds(&self, now: Timestamp) -> i32 {
        self.zone.to_offset(now).seconds()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}
