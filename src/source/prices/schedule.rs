//! What is asked of which source when: every decision, without a clock and without a network.
//!
//! A [`Topic`] is one file, or one kind of call; it answers for *things* (instance types, or regions). The schedule is
//! told of the demand and of answers, and tells what to ask now, when to look again, and what there is to say. Its rules:
//!
//! * the disk is looked at first, once for each thing; then the network, when what is known is too old
//! * public files come first; `GetProducts` is asked only for what they and the table do not price exactly
//! * spot prices come from the history by zone, else from the feed by region, else from the advisor
//! * a failure is retried after 1, 2, 4, 8 minutes, then every hour; meanwhile the next source is asked
//! * what has been said stays said: a failure takes nothing away

use super::ask::AskError;
use super::{ClusterId, location};
use crate::model::{Name, Timestamp};
use crate::pricing::{
    ClusterSupport, Demand, OnDemandKey, Os, Partition, PriceNews, PriceSheet, PriceSource, Prices, SourceState,
    Tenancy,
};
use jiff::SignedDuration;
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};

/// On-demand prices and what EKS charges hardly ever change.
const SLOW: SignedDuration = SignedDuration::from_hours(12);
/// Spot prices move.
const QUICK: SignedDuration = SignedDuration::from_mins(15);
/// What a source did not know, or may not be asked, it may know later.
const NEGATIVE: SignedDuration = SignedDuration::from_hours(1);
/// A slow price on the disk that no source can confirm is still better than none, or than the table, for a month.
const LAST_RESORT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Waits after a failure; then [`RETRY_AT_LAST`].
const RETRIES: [SignedDuration; 4] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(4),
    SignedDuration::from_mins(8),
];
const RETRY_AT_LAST: SignedDuration = SignedDuration::from_hours(1);
/// An answer from further in the future than this was noted under a clock that was wrong.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// Calls to AWS at a time: more are throttled sooner.
const AWS_CALLS: usize = 2;

fn is_from_the_future(at: Timestamp, now: Timestamp) -> bool {
    at.duration_since(now) > CLOCK_SKEW
}

/// What is asked of a source in one go. In the order in which calls take their turn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Topic {
    /// The price page's file of a region: all its types.
    PricePage { region: Name, os: Os },
    /// The AmazonEKS price list of a region.
    EksList { region: Name },
    /// `DescribeSpotPriceHistory`: by type and zone.
    SpotHistory { region: Name, os: Os },
    /// The file behind the spot price page: all regions.
    SpotFeed,
    /// The spot advisor's file: all regions.
    SpotAdvisor,
    /// `GetProducts`: by type.
    Products(OnDemandKey),
    /// `GetProducts`: by volume type.
    Volumes { region: Name },
    /// `DescribeCluster`: what kind of support the cluster has.
    ControlPlane(ClusterId),
}

/// Where a question goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// To the disk, for what an earlier run was told.
    Disk,
    /// To the source.
    Source,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) topic: Topic,
    /// What it is about: instance types, volume types or regions, as the topic has it.
    pub(super) things: BTreeSet<Name>,
    pub(super) of: Of,
}

/// What an answer of the disk is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// The source need not be asked yet.
    Fresh,
    /// It holds if the source cannot be asked.
    LastResort,
    /// It is too old, or from the future.
    Nothing,
}

/// What an answer holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    pub(super) sheets: Vec<PriceSheet>,
    pub(super) support: Option<ClusterSupport>,
}

impl From<Vec<PriceSheet>> for Findings {
    fn from(sheets: Vec<PriceSheet>) -> Self {
        Self { sheets, support: None }
    }
}

/// What came of a question. The disk never fails: it has nothing.
pub(super) type Answer = Result<Findings, AskError>;

/// What to do now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Questions that are now under way.
    pub(super) ask: Vec<Question>,
    /// When to plan again, if nothing happens before.
    pub(super) wake: Option<Timestamp>,
}

impl Topic {
    /// Who is asked; none for what is no price.
    const fn source(&self) -> Option<PriceSource> {
        match self {
            Self::PricePage { .. } => Some(PriceSource::PricePage),
            Self::EksList { .. } => Some(PriceSource::EksList),
            Self::SpotHistory { .. } => Some(PriceSource::SpotHistory),
            Self::SpotFeed => Some(PriceSource::SpotFeed),
            Self::SpotAdvisor => Some(PriceSource::SpotAdvisor),
            Self::Products(_) | Self::Volumes { .. } => Some(PriceSource::GetProducts),
            Self::ControlPlane(_) => None,
        }
    }

    /// How long an answer holds.
    const fn limit(&self) -> SignedDuration {
        match self {
            Self::SpotHistory { .. } | Self::SpotFeed => QUICK,
            // The advisor's savings are means of a month.
            Self::PricePage { .. } | Self::EksList { .. } | Self::SpotAdvisor => SLOW,
            Self::Products(_) | Self::Volumes { .. } => SLOW,
            // A cluster that is upgraded leaves extended support.
            Self::ControlPlane(_) => NEGATIVE,
        }
    }

    /// How long an answer is worth keeping on the disk.
    pub(super) fn worth_keeping(&self) -> SignedDuration {
        if self.limit() == SLOW { LAST_RESORT } else { self.limit() }
    }

    /// What an answer of the disk is good for.
    pub(super) fn worth(&self, fetched: Timestamp, now: Timestamp) -> Worth {
        let age = now.duration_since(fetched);
        if is_from_the_future(fetched, now) || age >= self.worth_keeping() {
            Worth::Nothing
        } else if age < self.limit() {
            Worth::Fresh
        } else {
            Worth::LastResort
        }
    }

    /// Whether it is a call to AWS, with credentials.
    const fn is_call(&self) -> bool {
        match self {
            Self::SpotHistory { .. } | Self::Products(_) | Self::Volumes { .. } | Self::ControlPlane(_) => true,
            Self::PricePage { .. } | Self::EksList { .. } | Self::SpotFeed | Self::SpotAdvisor => false,
        }
    }

    /// The region, if it has one; the others are about regions.
    const fn region(&self) -> Option<&Name> {
        match self {
            Self::PricePage { region, .. } | Self::EksList { region } | Self::SpotHistory { region, .. } => {
                Some(region)
            }
            Self::Volumes { region } | Self::Products(OnDemandKey { region, .. }) => Some(region),
            Self::ControlPlane(ClusterId { region, .. }) => Some(region),
            Self::SpotFeed | Self::SpotAdvisor => None,
        }
    }

    /// The things an answer is about.
    fn things(&self, sheet: &PriceSheet) -> BTreeSet<Name> {
        match (self, &sheet.prices) {
            (Self::Products(_), Prices::OnDemand { prices, .. }) => {
                prices.iter().map(|price| price.instance_type.clone()).collect()
            }
            (Self::SpotHistory { .. }, Prices::Spot(prices)) => {
                prices.iter().map(|price| price.instance_type.clone()).collect()
            }
            (Self::Volumes { .. }, Prices::Volumes(prices)) => {
                prices.iter().map(|price| price.volume_type.clone()).collect()
            }
            _ => BTreeSet::from([sheet.region.clone()]),
        }
    }
}

/// When something was answered, and whether the source had it.
#[derive(Clone, Copy, Debug)]
struct Known {
    at: Timestamp,
    found: bool,
}

/// Why a topic has no answer, or no newer one.
#[derive(Clone, Debug)]
struct Trouble {
    why: String,
    /// No fault: it cannot be asked.
    off: bool,
    again: Timestamp,
}

/// How far a topic has got.
#[derive(Debug, Default)]
struct Progress {
    /// Things that were looked for on the disk.
    recalled: BTreeSet<Name>,
    recalling: bool,
    asking: bool,
    known: BTreeMap<Name, Known>,
    /// What a public file prices, by region, operating system and type: the next source need not be asked for it.
    priced: FxHashSet<(Name, Os, Name)>,
    /// Slow prices of the disk beyond their limit, for when the source cannot be asked.
    stale: Vec<PriceSheet>,
    failures: usize,
    trouble: Option<Trouble>,
}

impl Progress {
    /// Whether a thing was answered or given up, so that the next source may be asked.
    fn concluded(&self, thing: &Name, offline: bool) -> bool {
        let looked = self.recalled.contains(thing) && !self.recalling;
        self.known.contains_key(thing) || (looked && (offline || self.trouble.is_some()))
    }

    /// Things whose answer is missing or older than it may be, and when the next will be.
    fn due(&self, topic: &Topic, things: &BTreeSet<Name>, now: Timestamp) -> (bool, Option<Timestamp>) {
        let moments = things.iter().map(|thing| {
            let known = self.known.get(thing).filter(|known| !is_from_the_future(known.at, now));
            known.map(|known| known.at + known.limit(topic))
        });
        let mut next = None;
        for moment in moments {
            match moment {
                Some(at) if at > now => next = Some(next.map_or(at, |next: Timestamp| next.min(at))),
                Some(_) | None => return (true, None),
            }
        }
        (false, next)
    }
}

impl Known {
    fn limit(self, topic: &Topic) -> SignedDuration {
        if self.found { topic.limit() } else { NEGATIVE }
    }
}

/// Whether the table in the program has a price that is no estimate.
pub(super) type Table = fn(&OnDemandKey, &str) -> bool;

/// What is to be asked, and what cannot be.
#[derive(Debug, Default)]
struct Needs {
    /// With the things each is about.
    topics: BTreeMap<Topic, BTreeSet<Name>>,
    /// Sources that cannot serve a region, and why.
    closed: BTreeMap<(PriceSource, Name), &'static str>,
}

impl Needs {
    /// One more thing of a topic.
    fn about(&mut self, topic: Topic, thing: &Name) {
        self.topics.entry(topic).or_default().insert(thing.clone());
    }

    /// A topic that is about one thing.
    fn about_itself(&mut self, topic: Topic, thing: &Name) {
        self.topics.insert(topic, BTreeSet::from([thing.clone()]));
    }

    /// A call to the price API, where it serves the region.
    fn call(&mut self, region: &Name, topic: Topic, things: BTreeSet<Name>) {
        match sold_in(region) {
            _ if things.is_empty() => {}
            Some(Ok(())) => _ = self.topics.insert(topic, things),
            Some(Err(why)) => _ = self.closed.insert((PriceSource::GetProducts, region.clone()), why),
            None => {}
        }
    }
}

/// The state of every question.
pub(super) struct Schedule {
    offline: bool,
    table: Table,
    /// Whose control plane is asked about.
    cluster: Option<ClusterId>,
    /// What is needed; none until somebody says.
    demand: Option<Demand>,
    progress: BTreeMap<Topic, Progress>,
    told: BTreeMap<(PriceSource, Name), SourceState>,
    news: Vec<PriceNews>,
    /// Whether the demand of the moment is still to be settled.
    unsettled: bool,
}

impl Schedule {
    pub(super) fn new(offline: bool, table: Table, cluster: Option<ClusterId>) -> Self {
        Self {
            offline,
            table,
            cluster,
            demand: None,
            progress: BTreeMap::new(),
            told: BTreeMap::new(),
            news: Vec::new(),
            unsettled: false,
        }
    }

    /// What is needed from now on.
    pub(super) fn demand(&mut self, demand: Demand) {
        self.demand = Some(demand);
        self.unsettled = true;
    }

    /// What there is to say since the last time.
    pub(super) fn take_news(&mut self) -> Vec<PriceNews> {
        std::mem::take(&mut self.news)
    }

    /// Decides what to ask now. What it gives is taken to be under way until [`Self::answer`].
    pub(super) fn plan(&mut self, now: Timestamp) -> Plan {
        let needs = self.needs();
        let mut plan = Plan::default();
        let mut calls = self.progress.iter().filter(|(topic, progress)| topic.is_call() && progress.asking).count();
        for (topic, things) in &needs.topics {
            let progress = self.progress.entry(topic.clone()).or_default();
            if progress.recalling || progress.asking {
                continue;
            }
            let unseen: BTreeSet<Name> = things.difference(&progress.recalled).cloned().collect();
            if !unseen.is_empty() {
                progress.recalled.extend(unseen.iter().cloned());
                progress.recalling = true;
                plan.ask.push(Question { topic: topic.clone(), things: unseen, of: Of::Disk });
                continue;
            }
            if self.offline {
                continue;
            }
            let (due, next) = progress.due(topic, things, now);
            let again = progress.trouble.as_ref().map(|trouble| trouble.again);
            // A wait that is longer than any there is was begun under a clock that has been set back since.
            let again = again.filter(|again| *again > now && !is_from_the_future(*again, now + RETRY_AT_LAST));
            let wake = if due { again } else { next.map(|next| again.map_or(next, |again| again.max(next))) };
            if !due || again.is_some() {
                plan.wake = [plan.wake, wake].into_iter().flatten().min();
                continue;
            }
            if topic.is_call() {
                // The answer of a call that is under way leads to the next plan.
                if calls == AWS_CALLS {
                    continue;
                }
                calls += 1;
            }
            progress.asking = true;
            let things = progress.batch(topic, things, now);
            plan.ask.push(Question { topic: topic.clone(), things, of: Of::Source });
        }
        self.tell_states(&needs);
        let busy = needs.topics.iter().any(|(topic, things)| things.iter().any(|thing| !self.concluded(topic, thing)));
        if self.unsettled && !busy {
            self.unsettled = false;
            self.news.push(PriceNews::Settled);
        }
        plan
    }

    /// Takes an answer to a question of [`Self::plan`].
    pub(super) fn answer(&mut self, question: &Question, answer: Answer, now: Timestamp) {
        let Question { topic, things, of } = question;
        let offline = self.offline;
        let progress = self.progress.entry(topic.clone()).or_default();
        match of {
            Of::Disk => progress.recalling = false,
            Of::Source => progress.asking = false,
        }
        // Files of all regions tell more than was asked.
        let asked = |sheet: &PriceSheet| topic.region().is_some() || things.contains(&sheet.region);
        match (of, answer) {
            (Of::Disk, Ok(found)) => {
                for sheet in found.sheets.into_iter().filter(asked) {
                    match topic.worth(sheet.fetched, now) {
                        Worth::Fresh => {
                            progress.learn(topic, things, &sheet);
                            self.news.push(PriceNews::Sheet(sheet));
                        }
                        Worth::LastResort if offline => self.news.push(PriceNews::Sheet(sheet)),
                        Worth::LastResort => progress.stale.push(sheet),
                        Worth::Nothing => {}
                    }
                }
            }
            (Of::Source, Ok(Findings { sheets, support })) => {
                progress.failures = 0;
                progress.trouble = None;
                progress.stale = Vec::new();
                for thing in things {
                    progress.known.insert(thing.clone(), Known { at: now, found: false });
                }
                if !topic.is_call() {
                    progress.priced.clear();
                }
                for sheet in sheets.into_iter().filter(asked) {
                    progress.learn(topic, things, &sheet);
                    self.news.push(PriceNews::Sheet(sheet));
                }
                if let (Topic::ControlPlane(ClusterId { region, .. }), Some(support)) = (topic, support) {
                    self.news.push(PriceNews::ClusterSupport { region: region.clone(), support });
                }
            }
            (Of::Disk, Err(_)) => {}
            (Of::Source, Err(error)) => {
                let wait = RETRIES.get(progress.failures).copied().unwrap_or(RETRY_AT_LAST);
                let (off, wait) = match &error {
                    // Somebody may sign in at any time.
                    AskError::NoCredentials { .. } => (true, wait),
                    AskError::Denied { .. } | AskError::Absent { .. } => (true, NEGATIVE),
                    AskError::Expired { .. } | AskError::Unavailable { .. } | AskError::Garbled { .. } => (false, wait),
                };
                progress.failures += 1;
                progress.trouble = Some(Trouble { why: error.reason(), off, again: now + wait });
                self.news.extend(std::mem::take(&mut progress.stale).into_iter().map(PriceNews::Sheet));
            }
        }
    }

    fn concluded(&self, topic: &Topic, thing: &Name) -> bool {
        self.progress.get(topic).is_some_and(|progress| progress.concluded(thing, self.offline))
    }

    fn prices(&self, topic: &Topic, region: &Name, os: Os, instance_type: &Name) -> bool {
        let priced = |progress: &Progress| progress.priced.contains(&(region.clone(), os, instance_type.clone()));
        self.progress.get(topic).is_some_and(priced)
    }

    /// What the demand comes down to.
    fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        let Some(demand) = &self.demand else { return needs };
        self.need_on_demand(demand, &mut needs);
        self.need_spot(demand, &mut needs);
        for region in demand.eks.iter().filter(|region| sold_in(region).is_some()) {
            needs.about_itself(Topic::EksList { region: region.clone() }, region);
        }
        for (region, types) in &demand.volumes {
            needs.call(region, Topic::Volumes { region: region.clone() }, types.clone());
        }
        if let Some(cluster) = self.cluster.as_ref().filter(|cluster| sold_in(&cluster.region).is_some()) {
            needs.about_itself(Topic::ControlPlane(cluster.clone()), &cluster.name);
        }
        needs
    }

    fn need_on_demand(&self, demand: &Demand, needs: &mut Needs) {
        for (key, types) in &demand.on_demand {
            let OnDemandKey { region, os, tenancy } = key;
            if sold_in(region).is_none() {
                continue;
            }
            let page = Topic::PricePage { region: region.clone(), os: *os };
            let has_page = *tenancy == Tenancy::Shared && location::of(region).is_some();
            if has_page {
                needs.about_itself(page.clone(), region);
                // A public file that can still answer is waited for.
                if !self.concluded(&page, region) {
                    continue;
                }
            } else if *tenancy == Tenancy::Shared {
                needs.closed.insert((PriceSource::PricePage, region.clone()), NO_PAGE);
            }
            let listed = |name: &Name| has_page && self.prices(&page, region, *os, name);
            let unknown = types.iter().filter(|name| !listed(name) && !(self.table)(key, name));
            needs.call(region, Topic::Products(key.clone()), unknown.cloned().collect());
        }
    }

    fn need_spot(&self, demand: &Demand, needs: &mut Needs) {
        for ((region, os), types) in &demand.spot {
            if sold_in(region).is_none() {
                continue;
            }
            let history = Topic::SpotHistory { region: region.clone(), os: *os };
            needs.topics.insert(history.clone(), types.clone());
            // The public files know nothing of China.
            if Partition::from_region(region) == Partition::China {
                continue;
            }
            let lacks = |name: &&Name| self.concluded(&history, name) && !self.prices(&history, region, *os, name);
            let mut lacking = types.iter().filter(lacks).peekable();
            if lacking.peek().is_none() {
                continue;
            }
            needs.about(Topic::SpotFeed, region);
            let feed_lacks = |name: &Name| !self.prices(&Topic::SpotFeed, region, *os, name);
            if self.concluded(&Topic::SpotFeed, region) && lacking.any(feed_lacks) {
                needs.about(Topic::SpotAdvisor, region);
            }
        }
    }

    /// Says how sources are doing, where that differs from what was said.
    fn tell_states(&mut self, needs: &Needs) {
        let mut states: BTreeMap<(PriceSource, Name), SourceState> = BTreeMap::new();
        let off = |why: &str| SourceState::Off { why: why.to_owned() };
        for ((source, region), why) in &needs.closed {
            states.insert((*source, region.clone()), off(why));
        }
        for (topic, things) in &needs.topics {
            let Some(progress) = self.progress.get(topic) else { continue };
            let regions: Vec<&Name> = topic.region().map_or_else(|| things.iter().collect(), |region| vec![region]);
            for region in regions {
                let state = if self.offline {
                    Some(off("offline"))
                } else {
                    progress.state(topic.region().is_none().then_some(region))
                };
                let Some(state) = state else { continue };
                let Some(source) = topic.source() else { continue };
                let key = (source, region.clone());
                match states.get(&key) {
                    Some(old) if weight(old) >= weight(&state) => {}
                    Some(_) | None => _ = states.insert(key, state),
                }
            }
        }
        // What is needed no more is no trouble any more.
        for (key, told) in &self.told {
            let open = matches!(told, SourceState::Asking | SourceState::Failed { .. });
            if open && !states.contains_key(key) {
                states.insert(key.clone(), off("not needed"));
            }
        }
        for (key, state) in states {
            if self.told.get(&key) != Some(&state) {
                // Who asks anew is to be heard to the end before all is said.
                self.unsettled |= state == SourceState::Asking;
                let (source, region) = key.clone();
                self.told.insert(key, state.clone());
                self.news.push(PriceNews::State { source, region, state });
            }
        }
    }
}

impl Progress {
    /// Takes in what an answer says of `things`.
    fn learn(&mut self, topic: &Topic, things: &BTreeSet<Name>, sheet: &PriceSheet) {
        for thing in topic.things(sheet) {
            if things.contains(&thing) {
                self.known.insert(thing, Known { at: sheet.fetched, found: true });
            }
        }
        let region = &sheet.region;
        match &sheet.prices {
            Prices::OnDemand { os, prices, .. } => {
                let exact = prices.iter().filter(|price| !price.estimated);
                self.priced.extend(exact.map(|price| (region.clone(), *os, price.instance_type.clone())));
            }
            Prices::Spot(prices) => {
                self.priced.extend(prices.iter().map(|price| (region.clone(), price.os, price.instance_type.clone())));
            }
            Prices::Eks(_) | Prices::SpotSavings(_) | Prices::Volumes(_) => {}
        }
    }

    /// What to ask for when something is due: a file gives all; calls also take along what will be due before long, so
    /// that types which came one by one are asked for together the next time.
    fn batch(&self, topic: &Topic, things: &BTreeSet<Name>, now: Timestamp) -> BTreeSet<Name> {
        let soon = |thing: &&Name| {
            self.known.get(*thing).is_none_or(|known| {
                let limit = known.limit(topic);
                let old = now.duration_since(known.at) >= if known.found { limit / 2 } else { limit };
                old || is_from_the_future(known.at, now)
            })
        };
        if topic.is_call() { things.iter().filter(soon).cloned().collect() } else { things.clone() }
    }

    /// How it is doing, in one region of several if so asked. A refresh of what is known is not worth a word.
    fn state(&self, region: Option<&Name>) -> Option<SourceState> {
        let known = self.known.iter().filter(|(thing, _)| region.is_none_or(|region| region == *thing));
        let newest = known.map(|(_, known)| known.at).max();
        match (&self.trouble, newest) {
            (Some(Trouble { why, off: true, .. }), _) => Some(SourceState::Off { why: why.clone() }),
            (Some(Trouble { why, off: false, again }), _) => {
                Some(SourceState::Failed { why: why.clone(), retry: *again })
            }
            (None, Some(at)) => Some(SourceState::Answered { at }),
            (None, None) if self.asking => Some(SourceState::Asking),
            (None, None) => None,
        }
    }
}

const NO_PAGE: &str = "no price page for this region";

/// Whether AWS sells there by public prices, and if so whether its price API serves the region. None: nothing can be
/// asked, or the name is not of AWS's form (another cloud's).
fn sold_in(region: &str) -> Option<Result<(), &'static str>> {
    let parts: Vec<&str> = region.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let numbered = parts.iter().skip(2).any(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if !parts.iter().all(word) || !numbered || region.len() > 60 {
        return None;
    }
    match Partition::from_region(region) {
        Partition::Commercial | Partition::China => Some(Ok(())),
        Partition::GovCloud => Some(Err("the price API does not serve GovCloud")),
        Partition::Isolated | Partition::Sovereign => None,
    }
}

/// Of several states of one source in one region, the one that is told.
const fn weight(state: &SourceState) -> u8 {
    match state {
        SourceState::Off { .. } => 0,
        SourceState::Answered { .. } => 1,
        SourceState::Failed { .. } => 2,
        SourceState::Asking => 3,
    }
}

#[cfg(test)]
mod tests;
