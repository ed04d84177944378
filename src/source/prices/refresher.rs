//! When one query is sent, and what its answers were.

use super::error::AskError;
use super::query::{Answer, NEGATIVE, Query};
use crate::model::{Name, Timestamp};
use crate::pricing::{Os, PriceNews, PriceSheet, Prices, SourceState};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The waits after failures; the last one repeats.
const RETRIES: [SignedDuration; 5] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(4),
    SignedDuration::from_mins(8),
    SignedDuration::from_hours(1),
];
/// A time further ahead than this was noted under a clock that was wrong.
pub(super) const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The state of one query: first the cache is read, once; then the source is asked whenever an answer is missing or too
/// old. A failure removes no answer.
#[derive(Debug, Default)]
pub(super) struct Refresher {
    phase: Phase,
    /// The last answer, complete.
    last: Arc<Answer>,
    /// Cached prices beyond their maximum age, for when the source does not answer.
    stale: Vec<PriceSheet>,
    known: BTreeMap<Name, Known>,
    failure: Option<Failure>,
}

#[derive(Debug, Default)]
enum Phase {
    /// The cache has not been read.
    #[default]
    New,
    ReadingCache,
    Idle,
    /// A request for these names is under way.
    Asking(BTreeSet<Name>),
}

/// The last answer about a name.
#[derive(Clone, Copy, Debug)]
struct Known {
    at: Timestamp,
    /// Whether the source has, or had, a price.
    found: bool,
    /// From when on it is asked along with others.
    soon: Timestamp,
    /// From when on it is asked.
    due: Timestamp,
}

/// The last request failed.
#[derive(Clone, Debug)]
struct Failure {
    why: String,
    /// The source cannot be asked, which is no fault.
    off: bool,
    /// The number of failures in a row.
    count: usize,
    retry: Timestamp,
}

/// What a query needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    ReadCache,
    Ask,
    /// Nothing before this time, or before the request under way ends.
    Wait(Option<Timestamp>),
}

/// A request to a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) query: Query,
    /// The names to ask for.
    pub(super) names: BTreeSet<Name>,
    /// The last answer.
    pub(super) last: Arc<Answer>,
}

impl Refresher {
    /// What to do for these names.
    pub(super) fn step(&self, names: &BTreeSet<Name>, now: Timestamp) -> Step {
        match self.phase {
            Phase::New => return Step::ReadCache,
            Phase::ReadingCache | Phase::Asking(_) => return Step::Wait(None),
            Phase::Idle => {}
        }
        let due = names.iter().map(|name| self.known.get(name).map_or(now, |known| known.due)).min();
        let retry = self.failure.as_ref().map(|failure| failure.retry);
        match due.max(due.and(retry)) {
            Some(at) if at <= now => Step::Ask,
            wake => Step::Wait(wake),
        }
    }

    /// Notes that the cache is being read, until [`Self::cached`].
    pub(super) fn read_cache(&mut self) {
        self.phase = Phase::ReadingCache;
    }

    /// The request to send, which is under way until [`Self::answered`]. A file has all names; a call is for those that are
    /// due soon, so that names that came one by one are asked for together the next time.
    pub(super) fn ask(&mut self, query: &Query, names: &BTreeSet<Name>, now: Timestamp) -> Request {
        let is_due = |name: &&Name| !query.is_call() || self.known.get(*name).is_none_or(|known| known.soon <= now);
        let names: BTreeSet<Name> = names.iter().filter(is_due).cloned().collect();
        self.phase = Phase::Asking(names.clone());
        Request { query: query.clone(), names, last: Arc::clone(&self.last) }
    }

    /// Takes the cached answer; the news are what is young enough. Offline, older prices are better than none.
    pub(super) fn cached(
        &mut self,
        query: &Query,
        answer: Answer,
        names: &BTreeSet<Name>,
        offline: bool,
        now: Timestamp,
    ) -> Vec<PriceNews> {
        self.phase = Phase::Idle;
        let age = |sheet: &PriceSheet| now.duration_since(sheet.fetched);
        let is_wanted = |sheet: &&PriceSheet| {
            (-CLOCK_SKEW..query.max_cached_age()).contains(&age(sheet))
                && (query.region().is_some() || names.contains(&sheet.region))
        };
        let wanted = answer.sheets.iter().filter(is_wanted).cloned();
        let (fresh, stale) = wanted.partition::<Vec<_>, _>(|sheet| age(sheet) < query.max_age());
        self.last = Arc::new(answer);
        let mut news = self.learn(query, fresh);
        if offline {
            news.extend(stale.into_iter().map(PriceNews::Sheet));
        } else {
            self.stale = stale;
        }
        news
    }

    /// Takes the answer to [`Self::ask`], or the reason why there is none.
    pub(super) fn answered(
        &mut self,
        query: &Query,
        answer: Result<Answer, AskError>,
        now: Timestamp,
    ) -> Vec<PriceNews> {
        let Phase::Asking(names) = std::mem::replace(&mut self.phase, Phase::Idle) else { return Vec::new() };
        let stale = std::mem::take(&mut self.stale);
        match answer {
            Ok(answer) => {
                self.failure = None;
                for name in &names {
                    let known = Known { found: query.is_call() && self.has(name), ..Known::not_found(now) };
                    self.known.insert(name.clone(), known);
                }
                let is_wanted = |sheet: &&PriceSheet| query.region().is_some() || names.contains(&sheet.region);
                let wanted = answer.sheets.iter().filter(is_wanted).cloned().collect();
                let support = answer.support.clone().zip(query.region().cloned());
                self.last = Arc::new(query.merge(&self.last, answer));
                let mut news = self.learn(query, wanted);
                news.extend(support.map(|(support, region)| PriceNews::ClusterSupport { region, support }));
                news
            }
            Err(error) => {
                let count = self.failure.as_ref().map_or(0, |failure| failure.count);
                let [.., last] = RETRIES;
                let wait = RETRIES.get(count).copied().unwrap_or(last);
                let (off, wait) = match error {
                    // A user may sign in at any time.
                    AskError::NoCredentials { .. } => (true, wait),
                    AskError::Denied { .. } | AskError::Absent { .. } => (true, NEGATIVE),
                    AskError::Expired { .. } | AskError::Unavailable { .. } | AskError::Garbled { .. } => (false, wait),
                };
                self.failure = Some(Failure { why: error.reason(), off, count: count + 1, retry: now + wait });
                stale.into_iter().map(PriceNews::Sheet).collect()
            }
        }
    }

    /// The prices of regions that came to be needed after the file of all regions was received; `None` if there are no such
    /// regions.
    pub(super) fn later_regions(&mut self, query: &Query, names: &BTreeSet<Name>) -> Option<Vec<PriceNews>> {
        let at = self.known.values().map(|known| known.at).max().filter(|_| query.region().is_none())?;
        let later: Vec<&Name> = names.iter().filter(|name| !self.known.contains_key(*name)).collect();
        if later.is_empty() {
            return None;
        }
        let sheets = self.last.sheets.iter().filter(|sheet| later.contains(&&sheet.region)).cloned().collect();
        self.known.extend(later.into_iter().map(|name| (name.clone(), Known::not_found(at))));
        Some(self.learn(query, sheets))
    }

    /// Notes which names the sheets are about.
    fn learn(&mut self, query: &Query, sheets: Vec<PriceSheet>) -> Vec<PriceNews> {
        for sheet in &sheets {
            let (at, max_age) = (sheet.fetched, query.max_age());
            let known = Known { at, found: true, soon: at + max_age / 2, due: at + max_age };
            self.known.extend(query.names(sheet).into_iter().map(|name| (name, known)));
        }
        sheets.into_iter().map(PriceNews::Sheet).collect()
    }

    /// Makes everything due, because the clock was set back.
    pub(super) fn forget_times(&mut self, now: Timestamp) {
        for known in self.known.values_mut() {
            (known.soon, known.due) = (now, now);
        }
        if let Some(failure) = &mut self.failure {
            failure.retry = now;
        }
    }

    /// Whether the source answered about a name, or cannot, so that the next source is asked.
    pub(super) fn is_concluded(&self, name: &Name, offline: bool) -> bool {
        let has_read_cache = matches!(self.phase, Phase::Idle | Phase::Asking(_));
        self.known.contains_key(name) || (has_read_cache && (offline || self.failure.is_some()))
    }

    /// Whether the source has, or had, a price of this name: a type for a call, a region for a file.
    fn has(&self, name: &Name) -> bool {
        self.known.get(name).is_some_and(|known| known.found)
    }

    /// Whether the source has an exact price of an instance type.
    pub(super) fn prices(&self, query: &Query, region: &Name, os: Os, instance_type: &Name) -> bool {
        if query.is_call() {
            return self.has(instance_type);
        }
        let is_in = |sheet: &PriceSheet| match &sheet.prices {
            Prices::OnDemand { os: own, prices, .. } => {
                *own == os && prices.iter().any(|price| price.instance_type == *instance_type && !price.estimated)
            }
            Prices::Spot(prices) => prices.iter().any(|price| price.os == os && price.instance_type == *instance_type),
            Prices::Eks(_) | Prices::SpotSavings(_) | Prices::Volumes(_) => false,
        };
        self.has(region) && self.last.sheets.iter().any(|sheet| sheet.region == *region && is_in(sheet))
    }

    /// Whether a request is under way.
    pub(super) const fn is_asking(&self) -> bool {
        matches!(self.phase, Phase::Asking(_))
    }

    /// Its state for users: of a file of all regions, that in one region. A refresh of known prices is not mentioned.
    pub(super) fn state(&self, region: Option<&Name>) -> Option<SourceState> {
        let known = self.known.iter().filter(|(name, _)| region.is_none_or(|region| region == *name));
        let newest = known.map(|(_, known)| known.at).max();
        match (&self.failure, newest) {
            (Some(Failure { why, off: true, .. }), _) => Some(SourceState::Off { why: why.clone() }),
            (Some(Failure { why, retry, .. }), _) => Some(SourceState::Failed { why: why.clone(), retry: *retry }),
            (None, Some(at)) => Some(SourceState::Answered { at }),
            (None, None) => self.is_asking().then_some(SourceState::Asking),
        }
    }
}

impl Known {
    fn not_found(at: Timestamp) -> Self {
        Self { at, found: false, soon: at + NEGATIVE, due: at + NEGATIVE }
    }
}
