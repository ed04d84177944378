//! How far this machine's clock is from the API server's, by the `Date` of its answers (RFC 9110, 6.6.1).
//!
//! Objects are dated by the server's clock, ages are counted by ours. Where the two differ by more than
//! [`TOLERATED_SECONDS`], every moment that comes from the server is moved to our clock before it is handed on (see
//! [`super::outbox`]), so that whatever compares it with now is right, and our own moments (waits, tombstones, the age of
//! the picture) stay as they are.

use crate::model::Timestamp;
use http::{HeaderMap, header};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Clocks that differ by no more than this are taken for equal: `Date` has whole seconds, and an answer takes a while.
const TOLERATED_SECONDS: i64 = 30;
/// Two answers agree about the difference when what they say is this close.
const AGREE_SECONDS: i64 = 5;
/// An answer that took longer does not tell the time well enough.
const PROMPT: Duration = Duration::from_secs(10);

/// The difference between the clocks, as the latest answers show it.
#[derive(Debug)]
pub(super) struct ServerClock {
    /// Seconds that our clock is ahead of the server's; 0 while they are taken for equal.
    ahead: watch::Sender<i64>,
    known: Mutex<Known>,
}

/// What answers have shown so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Known {
    /// The difference in use, once an answer was dated.
    ahead: Option<i64>,
    /// Another difference that one answer showed: one alone may be a proxy's stale page.
    doubt: Option<i64>,
}

impl ServerClock {
    pub(super) fn new() -> Self {
        Self { ahead: watch::Sender::new(0), known: Mutex::default() }
    }

    /// The difference in seconds, and every change of it.
    pub(super) fn subscribe(&self) -> watch::Receiver<i64> {
        self.ahead.subscribe()
    }

    /// Takes in the date of an answer that arrived at `now` by our clock, `took` after the request.
    pub(super) fn hear(&self, headers: &HeaderMap, now: Timestamp, took: Duration) {
        let Some(date) = date(headers).filter(|_| took <= PROMPT) else { return };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = known.after(seconds_ahead(date, now, took));
        let ahead = known.ahead.unwrap_or_default();
        self.ahead.send_if_modified(|used| std::mem::replace(used, ahead) != ahead);
    }
}

impl Known {
    /// What is known after an answer that shows this difference: the first one counts at once, a change needs two.
    const fn after(self, shown: i64) -> Self {
        let tolerated = if shown.abs() <= TOLERATED_SECONDS { 0 } else { shown };
        match self {
            Self { ahead: None, .. } => Self { ahead: Some(tolerated), doubt: None },
            Self { ahead: Some(ahead), .. } if (shown - ahead).abs() <= TOLERATED_SECONDS => {
                Self { ahead: Some(ahead), doubt: None }
            }
            Self { doubt: Some(doubt), .. } if (shown - doubt).abs() <= AGREE_SECONDS => {
                Self { ahead: Some(tolerated), doubt: None }
            }
            Self { ahead, .. } => Self { ahead, doubt: Some(shown) },
        }
    }
}

/// Seconds that our clock is ahead: the date was written about half way between request and answer, and stands for the
/// middle of its second.
fn seconds_ahead(date: Timestamp, now: Timestamp, took: Duration) -> i64 {
    let half_way = i64::try_from(took.as_millis() / 2).unwrap_or(i64::MAX);
    let milliseconds = now.as_millisecond().saturating_sub(half_way).saturating_sub(date.as_millisecond() + 500);
    milliseconds.saturating_add(500).div_euclid(1000)
}

/// The moment at which an answer was written, by the server's clock.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    moment(headers.get(header::DATE)?.to_str().ok()?)
}

/// The moment of an HTTP date, whose preferred form is that of RFC 2822.
fn moment(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test]
    fn an_http_date_is_a_moment() {
        assert_eq!(moment("Sun, 06 Nov 1994 08:49:37 GMT"), "1994-11-06T08:49:37Z".parse().ok());
        assert_eq!(moment("yesterday"), None);
    }

    #[test_case(&[] => None ; "nothing is known")]
    #[test_case(&[2] => Some(0) ; "in step")]
    #[test_case(&[30] => Some(0) ; "tolerated")]
    #[test_case(&[-30] => Some(0) ; "tolerated behind")]
    #[test_case(&[31] => Some(31) ; "beyond what is tolerated")]
    #[test_case(&[21_600] => Some(21_600) ; "the first answer counts at once")]
    #[test_case(&[-21_600, -21_599, -21_605] => Some(-21_600) ; "seconds to and fro are no change")]
    #[test_case(&[0, 21_600] => Some(0) ; "one answer is no change")]
    #[test_case(&[0, 21_600, 0, 21_600] => Some(0) ; "and neither is another one later")]
    #[test_case(&[0, 21_600, 21_601] => Some(21_601) ; "two that agree are")]
    #[test_case(&[21_600, 1, 1] => Some(0) ; "the clock was set")]
    #[test_case(&[31, 29, 31, 30] => Some(31) ; "the limit itself is no to and fro")]
    fn differences(shown: &[i64]) -> Option<i64> {
        shown.iter().fold(Known::default(), |known, shown| known.after(*shown)).ahead
    }

    #[test]
    fn the_way_of_an_answer_is_no_difference() {
        let date: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
        let now: Timestamp = "2026-11-24T08:00:04.500Z".parse().unwrap();
        assert_eq!(seconds_ahead(date, now, Duration::from_secs(8)), 0);
        assert_eq!(seconds_ahead(date, now, Duration::ZERO), 4);
        assert_eq!(seconds_ahead(now, date, Duration::ZERO), -5);
        assert_eq!(seconds_ahead(date, date, Duration::ZERO), 0);
    }

    #[test]
    fn an_answer_without_a_date_or_long_under_way_says_nothing() {
        let clock = ServerClock::new();
        let now: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        clock.hear(&headers, now, Duration::ZERO);
        headers.insert(header::DATE, "Tue, 24 Nov 2026 02:00:00 GMT".parse().unwrap());
        clock.hear(&headers, now, Duration::from_secs(11));
        assert_eq!(*clock.subscribe().borrow(), 0);
        clock.hear(&headers, now, Duration::ZERO);
        assert_eq!(*clock.subscribe().borrow(), 21_600);
    }
}
