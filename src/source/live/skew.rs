//! The clock skew between this machine and the API server, from the `Date` header of responses (RFC 9110, 6.6.1).
//!
//! Timestamps of objects are the server's, ages are computed with the local clock. If the two differ by more than
//! [`TOLERATED_SECONDS`], the outbox converts every timestamp of the server to the local clock before it sends the
//! change. Timestamps of the local clock, such as the time of the next retry, stay as they are.

use crate::model::Timestamp;
use http::{HeaderMap, header};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Clocks that differ by no more than this are in sync: `Date` has whole seconds, and a response takes time.
const TOLERATED_SECONDS: i64 = 30;
/// Two responses agree about the skew if it differs by no more than this.
const AGREE_SECONDS: i64 = 5;
/// A response that took longer is not used: its date is too imprecise.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(10);

/// The clock skew of one server, measured by its responses.
#[derive(Debug)]
pub(super) struct ClockSkew {
    /// Seconds that the local clock is ahead of the server's; 0 while the clocks are in sync.
    ahead: watch::Sender<i64>,
    estimate: Mutex<Estimate>,
}

/// The skew by the responses so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Estimate {
    /// The skew in use, after the first response with a date.
    ahead: Option<i64>,
    /// Another skew, of one response only: it may be a stale page of a proxy.
    unconfirmed: Option<i64>,
}

impl ClockSkew {
    pub(super) fn new() -> Self {
        Self { ahead: watch::Sender::new(0), estimate: Mutex::default() }
    }

    /// The skew in seconds, and every change of it.
    pub(super) fn subscribe(&self) -> watch::Receiver<i64> {
        self.ahead.subscribe()
    }

    /// Measures the skew by a response that arrived at `now`, `took` after the request.
    pub(super) fn observe(&self, headers: &HeaderMap, now: Timestamp, took: Duration) {
        let Some(date) = date(headers).filter(|_| took <= MAX_ROUND_TRIP) else { return };
        let mut estimate = self.estimate.lock().unwrap_or_else(PoisonError::into_inner);
        *estimate = estimate.after(seconds_ahead(date, now, took));
        let ahead = estimate.ahead.unwrap_or_default();
        self.ahead.send_if_modified(|used| std::mem::replace(used, ahead) != ahead);
    }
}

impl Estimate {
    /// The estimate after a response with this skew: the first one is used at once, a change needs two.
    const fn after(self, measured: i64) -> Self {
        let skew = if measured.abs() <= TOLERATED_SECONDS { 0 } else { measured };
        match self {
            Self { ahead: None, .. } => Self { ahead: Some(skew), unconfirmed: None },
            Self { ahead: Some(ahead), .. } if (measured - ahead).abs() <= TOLERATED_SECONDS => {
                Self { ahead: Some(ahead), unconfirmed: None }
            }
            Self { unconfirmed: Some(unconfirmed), .. } if (measured - unconfirmed).abs() <= AGREE_SECONDS => {
                Self { ahead: Some(skew), unconfirmed: None }
            }
            Self { ahead, .. } => Self { ahead, unconfirmed: Some(measured) },
        }
    }
}

/// Seconds that the local clock is ahead. The date was written about half way between request and response, and stands
/// for the middle of its second.
fn seconds_ahead(date: Timestamp, now: Timestamp, took: Duration) -> i64 {
    let half_way = i64::try_from(took.as_millis() / 2).unwrap_or(i64::MAX);
    let milliseconds = now.as_millisecond().saturating_sub(half_way).saturating_sub(date.as_millisecond() + 500);
    milliseconds.saturating_add(500).div_euclid(1000)
}

/// The `Date` header of a response: when the server wrote it.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    parse_http_date(headers.get(header::DATE)?.to_str().ok()?)
}

/// Parses an HTTP date, whose preferred form is that of RFC 2822.
fn parse_http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test]
    fn http_dates_are_parsed() {
        assert_eq!(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), "1994-11-06T08:49:37Z".parse().ok());
        assert_eq!(parse_http_date("yesterday"), None);
    }

    #[test_case(&[] => None ; "no response")]
    #[test_case(&[2] => Some(0) ; "in sync")]
    #[test_case(&[30] => Some(0) ; "tolerated")]
    #[test_case(&[-30] => Some(0) ; "tolerated behind")]
    #[test_case(&[31] => Some(31) ; "beyond what is tolerated")]
    #[test_case(&[21_600] => Some(21_600) ; "the first response is used at once")]
    #[test_case(&[-21_600, -21_599, -21_605] => Some(-21_600) ; "a jitter of seconds is no change")]
    #[test_case(&[0, 21_600] => Some(0) ; "one response is no change")]
    #[test_case(&[0, 21_600, 0, 21_600] => Some(0) ; "nor are two with others between")]
    #[test_case(&[0, 21_600, 21_601] => Some(21_601) ; "two that agree are a change")]
    #[test_case(&[21_600, 1, 1] => Some(0) ; "the clock was set")]
    #[test_case(&[31, 29, 31, 30] => Some(31) ; "jitter around the tolerance is no change")]
    fn skews(measured: &[i64]) -> Option<i64> {
        measured.iter().fold(Estimate::default(), |estimate, measured| estimate.after(*measured)).ahead
    }

    #[test]
    fn the_round_trip_is_no_skew() {
        let date: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
        let now: Timestamp = "2026-11-24T08:00:04.500Z".parse().unwrap();
        assert_eq!(seconds_ahead(date, now, Duration::from_secs(8)), 0);
        assert_eq!(seconds_ahead(date, now, Duration::ZERO), 4);
        assert_eq!(seconds_ahead(now, date, Duration::ZERO), -5);
        assert_eq!(seconds_ahead(date, date, Duration::ZERO), 0);
    }

    #[test]
    fn a_response_without_a_date_or_a_slow_one_is_not_used() {
        let skew = ClockSkew::new();
        let now: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        skew.observe(&headers, now, Duration::ZERO);
        headers.insert(header::DATE, "Tue, 24 Nov 2026 02:00:00 GMT".parse().unwrap());
        skew.observe(&headers, now, Duration::from_secs(11));
        assert_eq!(*skew.subscribe().borrow(), 0);
        skew.observe(&headers, now, Duration::ZERO);
        assert_eq!(*skew.subscribe().borrow(), 21_600);
    }
}
