//! Which queries a demand leads to, in the order of fallback, and when each is sent. No clock and no I/O.

use super::error::AskError;
use super::location;
use super::query::{Answer, AwsCall, ClusterId, PublicFile, Query};
use super::refresher::{CLOCK_SKEW, Refresher, Request, Step};
use crate::model::{Name, Timestamp};
use crate::pricing::{Demand, OnDemandKey, Os, Partition, PriceNews, PriceSource, SourceState, Tenancy};
use std::collections::{BTreeMap, BTreeSet};

/// The most calls to AWS at a time: more are throttled sooner.
const MAX_CALLS: usize = 2;

/// What to do now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Queries whose cached answer is read.
    pub(super) read: Vec<Query>,
    /// Requests that are sent.
    pub(super) ask: Vec<Request>,
    /// When to plan again, if nothing happens before.
    pub(super) wake: Option<Timestamp>,
}

/// Whether the built-in table has an exact price.
pub(super) type Table = fn(&OnDemandKey, &str) -> bool;

/// The queries for a demand.
#[derive(Debug, Default)]
struct Wanted {
    /// With the names that each is about.
    queries: BTreeMap<Query, BTreeSet<Name>>,
    /// Sources that do not serve a region, and why.
    unserved: BTreeMap<(PriceSource, Name), &'static str>,
}

impl Wanted {
    fn file(&mut self, file: PublicFile, region: &Name) {
        self.queries.entry(Query::File(file)).or_default().insert(region.clone());
    }

    fn call(&mut self, call: AwsCall, names: BTreeSet<Name>) {
        if !names.is_empty() {
            self.queries.insert(Query::Call(call), names);
        }
    }

    /// `GetProducts`, which AWS does not offer everywhere.
    fn products(&mut self, region: &Name, call: AwsCall, names: BTreeSet<Name>) {
        if Partition::from_region(region) != Partition::GovCloud {
            self.call(call, names);
        } else if !names.is_empty() {
            let why = "the price API does not serve GovCloud";
            self.unserved.insert((PriceSource::GetProducts, region.clone()), why);
        }
    }
}

/// The demand, and the state of each query.
pub(super) struct Schedule {
    offline: bool,
    table: Table,
    /// The cluster whose control plane is queried.
    cluster: Option<ClusterId>,
    /// `None` until the first demand.
    demand: Option<Demand>,
    refreshers: BTreeMap<Query, Refresher>,
    /// The states that were reported.
    reported: BTreeMap<(PriceSource, Name), SourceState>,
    news: Vec<PriceNews>,
    /// Whether [`PriceNews::Settled`] is still to be reported for the demand.
    unsettled: bool,
    /// The latest time of a plan.
    latest: Timestamp,
}

impl Schedule {
    pub(super) fn new(offline: bool, table: Table, cluster: Option<ClusterId>) -> Self {
        Self {
            offline,
            table,
            cluster,
            demand: None,
            refreshers: BTreeMap::new(),
            reported: BTreeMap::new(),
            news: Vec::new(),
            unsettled: false,
            latest: Timestamp::MIN,
        }
    }

    /// Replaces the demand.
    pub(super) fn set_demand(&mut self, demand: Demand) {
        self.demand = Some(demand);
        self.unsettled = true;
    }

    /// The news since the last time.
    pub(super) fn take_news(&mut self) -> Vec<PriceNews> {
        std::mem::take(&mut self.news)
    }

    /// Decides what to do now. Each query and request is under way until [`Self::cached`] or [`Self::answered`].
    pub(super) fn plan(&mut self, now: Timestamp) -> Plan {
        if self.latest.duration_since(now) > CLOCK_SKEW {
            self.refreshers.values_mut().for_each(|refresher| refresher.forget_times(now));
            self.latest = now;
        }
        self.latest = self.latest.max(now);
        let mut wanted = self.wanted();
        // A file that was received before concludes the query of a later region, so that the next source may be wanted.
        while self.learn_later_regions(&wanted) {
            wanted = self.wanted();
        }
        let mut calls = self.refreshers.iter().filter(|(query, r)| query.is_call() && r.is_asking()).count();
        let mut plan = Plan::default();
        for (query, names) in &wanted.queries {
            let refresher = self.refreshers.entry(query.clone()).or_default();
            match refresher.step(names, now) {
                Step::ReadCache => {
                    refresher.read_cache();
                    plan.read.push(query.clone());
                }
                Step::Ask | Step::Wait(_) if self.offline => {}
                // The end of another call leads to the next plan.
                Step::Ask if query.is_call() && calls == MAX_CALLS => {}
                Step::Ask => {
                    calls += usize::from(query.is_call());
                    plan.ask.push(refresher.ask(query, names, now));
                }
                Step::Wait(until) => plan.wake = [plan.wake, until].into_iter().flatten().min(),
            }
        }
        self.report_states(&wanted);
        let is_open =
            |(query, names): (&Query, &BTreeSet<Name>)| names.iter().any(|name| !self.is_concluded(query, name));
        if self.unsettled && !wanted.queries.iter().any(is_open) {
            self.unsettled = false;
            self.news.push(PriceNews::Settled);
        }
        plan
    }

    /// Learns the prices of regions that are wanted since their file was received. Returns whether there were any.
    fn learn_later_regions(&mut self, wanted: &Wanted) -> bool {
        let mut any = false;
        for (query, names) in &wanted.queries {
            let news = self.refreshers.get_mut(query).and_then(|refresher| refresher.later_regions(query, names));
            any |= news.is_some();
            self.news.extend(news.into_iter().flatten());
        }
        any
    }

    /// Takes the cached answer to a query of [`Plan::read`].
    pub(super) fn cached(&mut self, query: &Query, answer: Answer, now: Timestamp) {
        let names = self.wanted().queries.remove(query).unwrap_or_default();
        let refresher = self.refreshers.entry(query.clone()).or_default();
        self.news.extend(refresher.cached(query, answer, &names, self.offline, now));
    }

    /// Takes the answer to a request of [`Plan::ask`].
    pub(super) fn answered(&mut self, query: &Query, answer: Result<Answer, AskError>, now: Timestamp) {
        let refresher = self.refreshers.entry(query.clone()).or_default();
        self.news.extend(refresher.answered(query, answer, now));
    }

    /// Whether a query is answered or given up, so that the next source is asked.
    fn is_concluded(&self, query: &Query, name: &Name) -> bool {
        self.refreshers.get(query).is_some_and(|refresher| refresher.is_concluded(name, self.offline))
    }

    /// Whether the answers to a query have an exact price.
    fn prices(&self, query: &Query, region: &Name, os: Os, instance_type: &Name) -> bool {
        self.refreshers.get(query).is_some_and(|refresher| refresher.prices(query, region, os, instance_type))
    }

    /// The order of price sources: a query is wanted if those before it are concluded and lack a price.
    ///
    /// * on-demand: price page, built-in table, `GetProducts`
    /// * spot: history by zone, feed by region, savings of the advisor
    /// * EKS and volumes have one source each
    fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        let Some(demand) = &self.demand else { return wanted };
        for (key, types) in demand.on_demand.iter().filter(|(key, _)| has_public_prices(&key.region)) {
            let OnDemandKey { region, os, tenancy } = key;
            let page = PublicFile::PricePage { region: region.clone(), os: *os };
            let query = Query::File(page.clone());
            let has_page = *tenancy == Tenancy::Shared && location::location(region).is_some();
            if has_page {
                wanted.file(page, region);
                if !self.is_concluded(&query, region) {
                    continue;
                }
            } else if *tenancy == Tenancy::Shared {
                wanted.unserved.insert((PriceSource::PricePage, region.clone()), "no price page for this region");
            }
            let is_priced =
                |name: &&Name| (has_page && self.prices(&query, region, *os, name)) || (self.table)(key, name);
            let lacking = types.iter().filter(|name| !is_priced(name)).cloned().collect();
            wanted.products(region, AwsCall::OnDemand(key.clone()), lacking);
        }
        for ((region, os), types) in demand.spot.iter().filter(|((region, _), _)| has_public_prices(region)) {
            let history = AwsCall::SpotHistory { region: region.clone(), os: *os };
            let query = Query::Call(history.clone());
            wanted.call(history, types.clone());
            // The public files lack China.
            if Partition::from_region(region) == Partition::China {
                continue;
            }
            let lacks = |name: &&Name| self.is_concluded(&query, name) && !self.prices(&query, region, *os, name);
            let lacking: Vec<&Name> = types.iter().filter(lacks).collect();
            if lacking.is_empty() {
                continue;
            }
            let feed = Query::File(PublicFile::SpotFeed);
            wanted.file(PublicFile::SpotFeed, region);
            if self.is_concluded(&feed, region) && lacking.iter().any(|name| !self.prices(&feed, region, *os, name)) {
                wanted.file(PublicFile::SpotAdvisor, region);
            }
        }
        for region in demand.eks.iter().filter(|region| has_public_prices(region)) {
            wanted.file(PublicFile::EksList { region: region.clone() }, region);
        }
        for (region, types) in demand.volumes.iter().filter(|(region, _)| has_public_prices(region)) {
            wanted.products(region, AwsCall::Volumes { region: region.clone() }, types.clone());
        }
        if let Some(cluster) = self.cluster.as_ref().filter(|cluster| has_public_prices(&cluster.region)) {
            wanted.call(AwsCall::Cluster(cluster.clone()), BTreeSet::from([cluster.name.clone()]));
        }
        wanted
    }

    /// Reports the states of sources that have changed.
    fn report_states(&mut self, wanted: &Wanted) {
        let off = |why: &str| SourceState::Off { why: why.to_owned() };
        let mut states: BTreeMap<(PriceSource, Name), SourceState> =
            wanted.unserved.iter().map(|(key, why)| (key.clone(), off(why))).collect();
        for (query, names) in &wanted.queries {
            let (Some(refresher), Some(source)) = (self.refreshers.get(query), query.source()) else { continue };
            let regions: Vec<&Name> = query.region().map_or_else(|| names.iter().collect(), |region| vec![region]);
            for region in regions {
                let state = if self.offline {
                    Some(off("offline"))
                } else {
                    refresher.state(query.region().is_none().then_some(region))
                };
                let Some(state) = state else { continue };
                let known = states.entry((source, region.clone())).or_insert_with(|| state.clone());
                if rank(known) < rank(&state) {
                    *known = state;
                }
            }
        }
        for (key, reported) in &self.reported {
            if matches!(reported, SourceState::Asking | SourceState::Failed { .. }) && !states.contains_key(key) {
                states.insert(key.clone(), off("not needed"));
            }
        }
        for (key, state) in states {
            if self.reported.get(&key) != Some(&state) {
                // A source that is asked only now has to be waited for as well.
                self.unsettled |= state == SourceState::Asking;
                self.reported.insert(key.clone(), state.clone());
                let (source, region) = key;
                self.news.push(PriceNews::State { source, region, state });
            }
        }
    }
}

/// Whether the region is one of AWS's, by the form of its name, and in a partition with public prices.
fn has_public_prices(region: &str) -> bool {
    let parts: Vec<&str> = region.split('-').collect();
    let is_plain = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let is_numbered = parts.iter().skip(2).any(|part| part.bytes().all(|b| b.is_ascii_digit()));
    parts.iter().all(is_plain)
        && is_numbered
        && region.len() <= 60
        && !matches!(Partition::from_region(region), Partition::Isolated | Partition::Sovereign)
}

/// Of several states of one source in a region, the one with the highest rank is reported.
const fn rank(state: &SourceState) -> u8 {
    match state {
        SourceState::Off { .. } => 0,
        SourceState::Answered { .. } => 1,
        SourceState::Failed { .. } => 2,
        SourceState::Asking => 3,
    }
}

#[cfg(test)]
mod tests;
