use super::super::query::SLOW;
use super::*;
use crate::pricing::{ClusterSupport, EksPrices, OnDemandPrice, PriceSheet, Prices, SpotPrice};
use crate::units::{Currency, Money};
use jiff::SignedDuration;
use pretty_assertions::assert_eq;
use test_case::test_case;

const SEOUL: &str = "ap-northeast-2";
const OHIO: &str = "us-east-2";

/// A schedule, a clock that only the test moves, and a cache.
struct Play {
    schedule: Schedule,
    now: Timestamp,
    cache: BTreeMap<Query, Vec<PriceSheet>>,
    /// The queries whose cached answer was read.
    read: Vec<Query>,
    open: Vec<Request>,
    wake: Option<Timestamp>,
    news: Vec<PriceNews>,
}

/// The table of these tests has one price.
fn table(key: &OnDemandKey, name: &str) -> bool {
    key.os == Os::Linux && key.tenancy == Tenancy::Shared && name == "c5a.large"
}

impl Play {
    fn new(offline: bool) -> Self {
        Self {
            schedule: Schedule::new(offline, table, None),
            now: Timestamp::from_second(1_790_000_000).unwrap(),
            cache: BTreeMap::new(),
            read: Vec::new(),
            open: Vec::new(),
            wake: None,
            news: Vec::new(),
        }
    }

    fn with_demand(demand: Demand) -> Self {
        let mut play = Self::new(false);
        play.schedule.set_demand(demand);
        play
    }

    fn pass(&mut self, time: SignedDuration) {
        self.now += time;
    }

    /// Plans until nothing more is read from the cache. Returns the requests to sources.
    fn asks(&mut self) -> Vec<String> {
        let mut asks = Vec::new();
        loop {
            let plan = self.schedule.plan(self.now);
            self.wake = plan.wake;
            self.news.extend(self.schedule.take_news());
            asks.extend(plan.ask.iter().map(words));
            self.open.extend(plan.ask);
            if plan.read.is_empty() {
                return asks;
            }
            for query in plan.read {
                assert!(!self.read.contains(&query), "the cache is read twice: {query:?}");
                let sheets = self.cache.get(&query).cloned().unwrap_or_default();
                self.schedule.cached(&query, sheets.into(), self.now);
                self.read.push(query);
            }
        }
    }

    /// Answers an open request.
    fn answer(&mut self, request: &str, answer: Result<Vec<PriceSheet>, AskError>) {
        let at = self.open.iter().position(|open| words(open) == request);
        let request = self.open.remove(at.unwrap_or_else(|| panic!("{request} is not under way: {:?}", self.open)));
        let answer = answer.map(|sheets| {
            let fetched = |sheet| PriceSheet { fetched: self.now, cached: false, ..sheet };
            sheets.into_iter().map(fetched).collect::<Vec<_>>().into()
        });
        self.schedule.answered(&request.query, answer, self.now);
    }

    /// The news since the last time, in short.
    fn news(&mut self) -> Vec<String> {
        self.news.extend(self.schedule.take_news());
        let now = self.now;
        let text = |news| match news {
            PriceNews::Sheet(sheet) => {
                let from = if sheet.cached { "cached" } else { "fetched" };
                format!("{from} {} {}", sheet.source.name(), sheet.region)
            }
            PriceNews::State { source, region, state } => {
                let state = match state {
                    SourceState::Asking => "asking".to_owned(),
                    SourceState::Answered { .. } => "answered".to_owned(),
                    SourceState::Off { why } => format!("off: {why}"),
                    SourceState::Failed { why, retry } => {
                        format!("failed: {why}, again in {} min", retry.duration_since(now).as_mins())
                    }
                };
                format!("{} {region}: {state}", source.name())
            }
            PriceNews::ClusterSupport { region, support } => {
                format!("control plane of {} in {region}", support.version)
            }
            PriceNews::Settled => "settled".to_owned(),
        };
        std::mem::take(&mut self.news).into_iter().map(text).collect()
    }
}

/// A request in words.
fn words(request: &Request) -> String {
    let names: Vec<&str> = request.names.iter().map(Name::as_str).collect();
    let about = match &request.query {
        Query::File(PublicFile::PricePage { os, .. }) => format!(" {os:?}"),
        Query::Call(AwsCall::SpotHistory { region, os }) => format!(" {region} {os:?}"),
        Query::Call(AwsCall::OnDemand(key)) => format!(" {} {:?} {:?}", key.region, key.os, key.tenancy),
        Query::Call(AwsCall::Volumes { region }) => format!(" {region}"),
        Query::File(_) => String::new(),
        Query::Call(AwsCall::Cluster(cluster)) => format!("control plane {}", cluster.region),
    };
    let source = request.query.source().map_or("", PriceSource::name);
    format!("{source}{about}: {}", names.join(" "))
}

fn mins(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn names(names: &[&str]) -> BTreeSet<Name> {
    names.iter().map(|name| Name::from(*name)).collect()
}

fn key(region: &str, os: Os, tenancy: Tenancy) -> OnDemandKey {
    OnDemandKey { region: region.into(), os, tenancy }
}

fn linux(region: &str, types: &[&str]) -> Demand {
    let on_demand = BTreeMap::from([(key(region, Os::Linux, Tenancy::Shared), names(types))]);
    Demand { on_demand, ..Demand::default() }
}

fn spot(region: &str, types: &[&str]) -> Demand {
    let spot = BTreeMap::from([((Name::from(region), Os::Linux), names(types))]);
    Demand { spot, ..Demand::default() }
}

fn sheet(source: PriceSource, region: &str, prices: Prices) -> PriceSheet {
    let fetched = Timestamp::from_second(1_790_000_000).unwrap();
    PriceSheet { source, region: region.into(), currency: Currency::Usd, fetched, cached: true, prices }
}

fn on_demand(source: PriceSource, region: &str, types: &[&str]) -> PriceSheet {
    let price = |name: &&str| OnDemandPrice {
        instance_type: (*name).into(),
        amount: Money::from_nanos(86_000_000),
        estimated: false,
    };
    let prices = types.iter().map(price).collect();
    sheet(source, region, Prices::OnDemand { os: Os::Linux, tenancy: Tenancy::Shared, prices })
}

fn page(region: &str, types: &[&str]) -> PriceSheet {
    on_demand(PriceSource::PricePage, region, types)
}

fn spots(source: PriceSource, region: &str, types: &[&str]) -> PriceSheet {
    let price = |name: &&str| SpotPrice {
        instance_type: (*name).into(),
        zone: None,
        os: Os::Linux,
        amount: Money::from_nanos(34_100_000),
    };
    sheet(source, region, Prices::Spot(types.iter().map(price).collect()))
}

fn no_credentials() -> Result<Vec<PriceSheet>, AskError> {
    Err(AskError::NoCredentials { why: "no profile".into() })
}

fn unavailable() -> Result<Vec<PriceSheet>, AskError> {
    Err(AskError::Unavailable { what: "it".into(), why: "no answer within 5 s".into() })
}

fn page_query(region: &str) -> Query {
    Query::File(PublicFile::PricePage { region: region.into(), os: Os::Linux })
}

#[test]
fn nothing_is_requested_without_a_demand() {
    let mut play = Play::new(false);
    assert_eq!((play.asks(), play.news()), (vec![], vec![]));
    play.schedule.set_demand(Demand::default());
    assert_eq!((play.asks(), play.news()), (vec![], vec!["settled".to_owned()]));
}

#[test]
fn only_regions_and_kinds_in_use_are_requested() {
    let mut play = Play::with_demand(Demand {
        eks: names(&[OHIO]),
        volumes: BTreeMap::from([(OHIO.into(), names(&["gp3"]))]),
        ..linux(SEOUL, &["c5a.large"])
    });
    assert_eq!(
        play.asks(),
        ["price-page Linux: ap-northeast-2", "eks-price-list: us-east-2", "get-products us-east-2: gp3"]
    );
    let windows = key(SEOUL, Os::Windows, Tenancy::Shared);
    let mut play = Play::with_demand(Demand {
        on_demand: BTreeMap::from([(windows, names(&["c5a.large"]))]),
        ..Demand::default()
    });
    assert_eq!(play.asks(), ["price-page Windows: ap-northeast-2"]);
}

#[test]
fn get_products_is_asked_for_what_neither_page_nor_table_has() {
    let mut play = Play::with_demand(linux(SEOUL, &["c5a.large", "m7g.large", "m9x.large"]));
    assert_eq!(play.asks(), ["price-page Linux: ap-northeast-2"]);
    play.answer("price-page Linux: ap-northeast-2", Ok(vec![page(SEOUL, &["m7g.large", "t3.nano"])]));
    let products = "get-products ap-northeast-2 Linux Shared: m9x.large";
    assert_eq!(play.asks(), [products]);
    play.answer(products, Ok(vec![on_demand(PriceSource::GetProducts, SEOUL, &["m9x.large"])]));
    assert!(play.asks().is_empty());
    assert_eq!(
        play.news(),
        [
            "price-page ap-northeast-2: asking",
            "fetched price-page ap-northeast-2",
            "price-page ap-northeast-2: answered",
            "get-products ap-northeast-2: asking",
            "fetched get-products ap-northeast-2",
            "get-products ap-northeast-2: answered",
            "settled",
        ]
    );
    // A type that the page has is known when it appears.
    play.schedule.set_demand(linux(SEOUL, &["m9x.large", "t3.nano"]));
    assert!(play.asks().is_empty());
    assert_eq!(play.news(), ["settled"]);
}

#[test]
fn what_no_file_has_is_requested_at_once() {
    let dedicated = key(SEOUL, Os::Linux, Tenancy::Dedicated);
    let local = key("us-west-2-lax-1", Os::Linux, Tenancy::Shared);
    let china = key("cn-north-1", Os::Linux, Tenancy::Shared);
    for (key, words) in [
        (dedicated, "get-products ap-northeast-2 Linux Dedicated: m5.large"),
        (local, "get-products us-west-2-lax-1 Linux Shared: m5.large"),
        (china, "get-products cn-north-1 Linux Shared: m5.large"),
    ] {
        let on_demand = BTreeMap::from([(key, names(&["m5.large"]))]);
        let mut play = Play::with_demand(Demand { on_demand, ..Demand::default() });
        assert_eq!(play.asks(), [words]);
    }
}

#[test]
fn every_partition_has_a_rule() {
    let everything = |region: &str| Demand {
        eks: names(&[region]),
        spot: spot(region, &["m5.large"]).spot,
        ..linux(region, &["m5.large"])
    };
    let asks = |region: &str| {
        let mut play = Play::with_demand(everything(region));
        let mut asked = play.asks();
        while let Some(open) = play.open.first().map(words) {
            let answer = match play.open[0].query {
                Query::Call(AwsCall::SpotHistory { .. }) => no_credentials(),
                _ => Ok(Vec::new()),
            };
            play.answer(&open, answer);
            asked.extend(play.asks());
        }
        let sources: Vec<String> = asked.iter().map(|words| words.split([' ', ':']).next().unwrap().into()).collect();
        sources.join(" ")
    };
    let all = "price-page eks-price-list spot-history get-products spot-feed spot-advisor";
    assert_eq!(asks("eu-west-1"), all);
    assert_eq!(asks("us-gov-west-1"), "price-page eks-price-list spot-history spot-feed spot-advisor");
    assert_eq!(asks("cn-north-1"), "eks-price-list spot-history get-products");
    for nothing in ["us-iso-east-1", "eusc-de-east-1", "europe-west1", "westeurope", "", "a-1", "../../x-y-1"] {
        assert_eq!(asks(nothing), "", "{nothing}");
    }
}

#[test]
fn spot_comes_by_zone_else_from_the_feed_else_from_the_advisor() {
    let mut play = Play::with_demand(spot(SEOUL, &["c5a.large", "g6.xlarge", "m5.large"]));
    let history = "spot-history ap-northeast-2 Linux: c5a.large g6.xlarge m5.large";
    assert_eq!(play.asks(), [history], "the feed is megabytes, so calls are tried first");
    play.answer(history, Ok(vec![spots(PriceSource::SpotHistory, SEOUL, &["c5a.large"])]));
    assert_eq!(play.asks(), ["spot-feed: ap-northeast-2"]);
    let feed = vec![
        spots(PriceSource::SpotFeed, SEOUL, &["c5a.large", "m5.large"]),
        spots(PriceSource::SpotFeed, OHIO, &["c5a.large"]),
    ];
    play.answer("spot-feed: ap-northeast-2", Ok(feed));
    assert_eq!(play.asks(), ["spot-advisor: ap-northeast-2"]);
    play.answer("spot-advisor: ap-northeast-2", Ok(vec![]));
    assert!(play.asks().is_empty());
    let news = play.news();
    assert!(!news.contains(&"fetched spot-feed us-east-2".to_owned()), "no node is there: {news:?}");
    assert_eq!(news.last().map(String::as_str), Some("settled"));
}

#[test]
fn with_a_price_in_a_zone_the_feed_is_not_asked() {
    let mut play = Play::with_demand(spot(SEOUL, &["c5a.large"]));
    play.asks();
    let prices = || Ok(vec![spots(PriceSource::SpotHistory, SEOUL, &["c5a.large"])]);
    play.answer("spot-history ap-northeast-2 Linux: c5a.large", prices());
    assert!(play.asks().is_empty());
    // A refresh that fails does not change that: what is known of the zone is nearer than the region's.
    play.pass(mins(15));
    assert_eq!(play.asks(), ["spot-history ap-northeast-2 Linux: c5a.large"]);
    play.answer("spot-history ap-northeast-2 Linux: c5a.large", unavailable());
    assert!(play.asks().is_empty());
}

#[test]
fn without_credentials_spot_comes_from_the_feed() {
    let mut play = Play::with_demand(spot(SEOUL, &["c5a.large"]));
    play.asks();
    play.answer("spot-history ap-northeast-2 Linux: c5a.large", no_credentials());
    assert_eq!(play.asks(), ["spot-feed: ap-northeast-2"]);
    play.answer("spot-feed: ap-northeast-2", Ok(vec![spots(PriceSource::SpotFeed, SEOUL, &["c5a.large"])]));
    play.asks();
    assert_eq!(
        play.news(),
        [
            "spot-history ap-northeast-2: asking",
            "spot-history ap-northeast-2: off: no AWS credentials",
            "spot-feed ap-northeast-2: asking",
            "fetched spot-feed ap-northeast-2",
            "spot-feed ap-northeast-2: answered",
            "settled",
        ]
    );
}

#[test]
fn prices_apply_as_each_source_arrives() {
    let mut play = Play::with_demand(Demand { eks: names(&[SEOUL]), ..linux(SEOUL, &["c5a.large"]) });
    play.asks();
    play.news();
    play.answer(
        "eks-price-list: ap-northeast-2",
        Ok(vec![sheet(PriceSource::EksList, SEOUL, Prices::Eks(EksPrices::default()))]),
    );
    assert_eq!(play.news(), ["fetched eks-price-list ap-northeast-2"], "the page has not arrived");
    play.answer("price-page Linux: ap-northeast-2", Ok(vec![page(SEOUL, &["c5a.large"])]));
    assert_eq!(play.news(), ["fetched price-page ap-northeast-2"]);
}

#[test]
fn partial_refresh_keeps_the_good_part() {
    let mut play = Play::with_demand(Demand {
        eks: names(&[SEOUL]),
        on_demand: [linux(SEOUL, &["c5a.large"]).on_demand, linux(OHIO, &["c5a.large"]).on_demand]
            .into_iter()
            .flatten()
            .collect(),
        ..Demand::default()
    });
    play.asks();
    play.news();
    play.answer("price-page Linux: us-east-2", unavailable());
    play.answer("price-page Linux: ap-northeast-2", Ok(vec![page(SEOUL, &["c5a.large"])]));
    play.answer("eks-price-list: ap-northeast-2", Err(AskError::Garbled { what: "it".into(), why: "no JSON".into() }));
    play.asks();
    assert_eq!(
        play.news(),
        [
            "fetched price-page ap-northeast-2",
            "price-page ap-northeast-2: answered",
            "price-page us-east-2: failed: no answer within 5 s, again in 1 min",
            "eks-price-list ap-northeast-2: failed: the answer cannot be read: no JSON, again in 1 min",
            "settled",
        ]
    );
    // A refresh that fails removes no price, so no other source is asked.
    let mut play = Play::with_demand(linux(SEOUL, &["m7g.large"]));
    play.asks();
    play.answer("price-page Linux: ap-northeast-2", Ok(vec![page(SEOUL, &["m7g.large"])]));
    play.asks();
    play.pass(mins(12 * 60));
    assert_eq!(play.asks(), ["price-page Linux: ap-northeast-2"]);
    play.answer("price-page Linux: ap-northeast-2", unavailable());
    assert!(play.asks().is_empty());
}

#[test]
fn failed_price_refresh_retries() {
    let mut play = Play::with_demand(linux(SEOUL, &["c5a.large"]));
    let page_of = "price-page Linux: ap-northeast-2";
    let start = play.now;
    let mut asked_at = Vec::new();
    while asked_at.len() < 8 {
        if play.asks() == [page_of] {
            asked_at.push(play.now.duration_since(start).as_mins());
            play.answer(page_of, unavailable());
            continue;
        }
        play.now = play.wake.unwrap();
    }
    assert_eq!(asked_at, [0, 1, 3, 7, 15, 75, 135, 195]);
    // A success starts over: the next failure, half a day later, is retried after a minute.
    play.asks();
    play.now = play.wake.unwrap();
    play.asks();
    play.answer(page_of, Ok(vec![page(SEOUL, &["c5a.large"])]));
    play.asks();
    assert_eq!(play.wake.unwrap().duration_since(play.now), SLOW);
    play.now = play.wake.unwrap();
    assert_eq!(play.asks(), [page_of]);
    play.answer(page_of, unavailable());
    play.asks();
    assert_eq!(play.wake.unwrap().duration_since(play.now), mins(1));
}

#[test]
fn an_expired_session_heals_without_a_restart() {
    let mut play = Play::with_demand(spot(SEOUL, &["c5a.large"]));
    let history = "spot-history ap-northeast-2 Linux: c5a.large";
    play.asks();
    play.answer(history, Err(AskError::Expired { why: "the SSO session has ended".into() }));
    assert_eq!(play.asks(), ["spot-feed: ap-northeast-2"]);
    play.answer("spot-feed: ap-northeast-2", Ok(vec![spots(PriceSource::SpotFeed, SEOUL, &["c5a.large"])]));
    play.asks();
    play.news();
    play.pass(mins(1));
    assert_eq!(play.asks(), [history]);
    play.answer(history, Ok(vec![spots(PriceSource::SpotHistory, SEOUL, &["c5a.large"])]));
    assert!(play.asks().is_empty());
    assert_eq!(play.news(), ["fetched spot-history ap-northeast-2", "spot-history ap-northeast-2: answered"]);
    // The feed is not asked again.
    play.pass(mins(15));
    assert_eq!(play.asks(), [history]);
}

#[test_case(Err(AskError::Denied { action: "pricing:GetProducts", why: "no policy".into() }), 60, "off: pricing:GetProducts is not allowed" ; "denied")]
#[test_case(Ok(Vec::new()), 60, "answered" ; "unknown to the source")]
#[test_case(no_credentials(), 1, "off: no AWS credentials" ; "no credentials")]
fn negative_answers_are_requested_again_later(answer: Result<Vec<PriceSheet>, AskError>, minutes: i64, state: &str) {
    let mut play = Play::with_demand(linux("cn-north-1", &["m9x.large"]));
    play.asks();
    play.answer("get-products cn-north-1 Linux Shared: m9x.large", answer);
    play.asks();
    assert!(play.news().contains(&format!("get-products cn-north-1: {state}")));
    assert_eq!(play.wake.unwrap().duration_since(play.now), mins(minutes));
}

#[test]
fn limits_by_age_differ() {
    let mut play = Play::with_demand(Demand {
        eks: names(&[SEOUL]),
        spot: spot(SEOUL, &["c5a.large"]).spot,
        ..linux(SEOUL, &["c5a.large"])
    });
    let mut asked = play.asks();
    let start = play.now;
    let mut times: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    while play.now.duration_since(start) < SignedDuration::from_hours(25) {
        for question in asked {
            times.entry(question.clone()).or_default().push(play.now.duration_since(start).as_mins());
            let sheet = match question.split(['-', ' ']).next() {
                Some("price") => page(SEOUL, &["c5a.large"]),
                Some("eks") => sheet(PriceSource::EksList, SEOUL, Prices::Eks(EksPrices::default())),
                _ => spots(PriceSource::SpotHistory, SEOUL, &["c5a.large"]),
            };
            play.answer(&question, Ok(vec![sheet]));
        }
        asked = play.asks();
        if asked.is_empty() {
            play.now = play.wake.unwrap();
            asked = play.asks();
        }
    }
    assert_eq!(times["price-page Linux: ap-northeast-2"], [0, 720, 1440]);
    assert_eq!(times["eks-price-list: ap-northeast-2"], [0, 720, 1440]);
    assert_eq!(times["spot-history ap-northeast-2 Linux: c5a.large"][..4], [0, 15, 30, 45]);
}

#[test]
fn requests_go_on_after_the_clock_is_set_back() {
    const ASKED: &str = "spot-history ap-northeast-2 Linux: c5a.large";
    let mut play = Play::with_demand(spot(SEOUL, &["c5a.large"]));
    assert_eq!(play.asks(), [ASKED]);
    play.answer(ASKED, Ok(vec![spots(PriceSource::SpotHistory, SEOUL, &["c5a.large"])]));
    play.pass(-mins(4));
    assert!(play.asks().is_empty(), "clocks are not that exact");
    play.pass(-mins(300));
    assert_eq!(play.asks(), [ASKED], "the answer is from the future");
    play.answer(ASKED, unavailable());
    assert!(play.asks().is_empty());
    play.pass(-mins(300));
    assert_eq!(play.asks(), [ASKED], "a retry is not hours away");
}

#[test]
fn types_that_came_one_by_one_are_refreshed_together() {
    let mut play = Play::with_demand(spot(SEOUL, &["c5a.large"]));
    play.asks();
    let prices = |types: &[&str]| Ok(vec![spots(PriceSource::SpotHistory, SEOUL, types)]);
    play.answer("spot-history ap-northeast-2 Linux: c5a.large", prices(&["c5a.large"]));
    play.asks();
    play.pass(mins(5));
    play.schedule.set_demand(spot(SEOUL, &["c5a.large", "m5.large"]));
    assert_eq!(play.asks(), ["spot-history ap-northeast-2 Linux: m5.large"], "only the new type is requested");
    play.answer("spot-history ap-northeast-2 Linux: m5.large", prices(&["m5.large"]));
    play.asks();
    play.pass(mins(10));
    assert_eq!(play.asks(), ["spot-history ap-northeast-2 Linux: c5a.large m5.large"]);
}

#[test]
fn at_most_two_calls_are_under_way() {
    let regions = ["eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1"];
    let spot = regions.iter().flat_map(|region| spot(region, &["c5a.large"]).spot).collect();
    let mut play = Play::with_demand(Demand { spot, ..Demand::default() });
    assert_eq!(play.asks().len(), 2);
    assert!(play.asks().is_empty());
    let first = words(&play.open[0]);
    play.answer(&first, Ok(vec![]));
    let next = play.asks();
    let calls = next.iter().filter(|words| words.starts_with("spot-history")).count();
    assert_eq!(calls, 1, "{next:?}");
    assert!(!play.news().contains(&"settled".to_owned()), "one call has not begun");
}

#[test]
fn young_cached_prices_are_used_without_a_request() {
    let mut play = Play::with_demand(linux(SEOUL, &["c5a.large"]));
    play.cache.insert(page_query(SEOUL), vec![page(SEOUL, &["c5a.large"])]);
    play.pass(mins(11 * 60));
    assert!(play.asks().is_empty());
    let expected = ["cached price-page ap-northeast-2", "price-page ap-northeast-2: answered", "settled"];
    assert_eq!(play.news(), expected);
    play.now = play.wake.unwrap();
    assert_eq!(play.asks(), ["price-page Linux: ap-northeast-2"]);
    assert!(play.news().is_empty(), "a refresh of known prices is not mentioned");
}

#[test]
fn old_cached_prices_are_used_if_the_source_does_not_answer() {
    let mut play = Play::with_demand(linux(SEOUL, &["c5a.large"]));
    play.cache.insert(page_query(SEOUL), vec![page(SEOUL, &["c5a.large"])]);
    play.pass(mins(48 * 60));
    assert_eq!(play.asks(), ["price-page Linux: ap-northeast-2"]);
    assert_eq!(play.news(), ["price-page ap-northeast-2: asking"]);
    play.answer("price-page Linux: ap-northeast-2", unavailable());
    assert_eq!(play.news(), ["cached price-page ap-northeast-2"]);
}

#[test_case(SignedDuration::from_hours(31 * 24) ; "a month old")]
#[test_case(-SignedDuration::from_hours(1) ; "from the future")]
fn cached_prices_of_no_use_are_ignored(age: SignedDuration) {
    let mut play = Play::with_demand(linux(SEOUL, &["c5a.large"]));
    play.cache.insert(page_query(SEOUL), vec![page(SEOUL, &["c5a.large"])]);
    play.pass(age);
    play.asks();
    play.answer("price-page Linux: ap-northeast-2", unavailable());
    assert!(!play.news().iter().any(|news| news.starts_with("cached")));
}

#[test]
fn old_spot_prices_are_never_used() {
    let mut play = Play::with_demand(spot(SEOUL, &["c5a.large"]));
    let history = Query::Call(AwsCall::SpotHistory { region: SEOUL.into(), os: Os::Linux });
    play.cache.insert(history.clone(), vec![spots(PriceSource::SpotHistory, SEOUL, &["c5a.large"])]);
    play.pass(mins(16));
    let asks = play.asks();
    play.answer(&asks[0], unavailable());
    assert!(!play.news().iter().any(|news| news.starts_with("cached")));
    let mut play = Play::with_demand(spot(SEOUL, &["c5a.large"]));
    play.cache.insert(history, vec![spots(PriceSource::SpotHistory, SEOUL, &["c5a.large"])]);
    play.pass(mins(14));
    assert!(play.asks().is_empty());
}

#[test]
fn offline_only_the_cache_is_read() {
    let mut play = Play::new(true);
    play.cache.insert(page_query(SEOUL), vec![page(SEOUL, &["c5a.large"])]);
    play.pass(mins(48 * 60));
    play.schedule.set_demand(Demand {
        eks: names(&[SEOUL]),
        spot: spot(SEOUL, &["c5a.large"]).spot,
        ..linux(SEOUL, &["c5a.large", "m9x.large"])
    });
    assert!(play.asks().is_empty());
    let news = play.news();
    assert!(news.contains(&"cached price-page ap-northeast-2".to_owned()), "{news:?}");
    assert_eq!(news.last().map(String::as_str), Some("settled"));
    let states = news.iter().filter(|news| news.contains(": ")).count();
    assert_eq!(states, 6, "{news:?}");
    assert!(news.iter().filter(|news| news.contains(": ")).all(|news| news.ends_with("off: offline")));
    assert_eq!(play.wake, None);
}

#[test]
fn a_later_region_is_in_the_file_at_hand() {
    let both = || [spot(SEOUL, &["c5a.large"]).spot, spot(OHIO, &["c5a.large"]).spot].into_iter().flatten().collect();
    let feed = || [SEOUL, OHIO].map(|region| spots(PriceSource::SpotFeed, region, &["c5a.large"])).to_vec();
    for cached in [false, true] {
        let mut play = Play::with_demand(spot(SEOUL, &["c5a.large"]));
        if cached {
            play.cache.insert(Query::File(PublicFile::SpotFeed), feed());
        }
        play.asks();
        play.answer("spot-history ap-northeast-2 Linux: c5a.large", no_credentials());
        if !cached {
            assert_eq!(play.asks(), ["spot-feed: ap-northeast-2"]);
            play.answer("spot-feed: ap-northeast-2", Ok(feed()));
        }
        assert!(play.asks().is_empty());
        play.news();
        play.schedule.set_demand(Demand { spot: both(), ..Demand::default() });
        assert_eq!(play.asks(), ["spot-history us-east-2 Linux: c5a.large"]);
        play.answer("spot-history us-east-2 Linux: c5a.large", no_credentials());
        assert!(play.asks().is_empty());
        let sheet = if cached { "cached spot-feed us-east-2" } else { "fetched spot-feed us-east-2" };
        assert!(play.news().contains(&sheet.to_owned()));
        play.pass(mins(15));
        assert!(play.asks().contains(&"spot-feed: ap-northeast-2 us-east-2".to_owned()));
    }
}

#[test]
fn a_later_region_without_a_price_in_the_file_at_hand_leads_on_to_the_advisor() {
    let mut play = Play::with_demand(spot(SEOUL, &["c5a.large"]));
    play.asks();
    play.answer("spot-history ap-northeast-2 Linux: c5a.large", no_credentials());
    play.asks();
    play.answer("spot-feed: ap-northeast-2", Ok(vec![spots(PriceSource::SpotFeed, SEOUL, &["c5a.large"])]));
    play.asks();
    play.news();
    play.schedule.set_demand(spot(OHIO, &["m5.large"]));
    play.asks();
    play.answer("spot-history us-east-2 Linux: m5.large", no_credentials());
    assert_eq!(play.asks(), ["spot-advisor: us-east-2"]);
    assert!(!play.news().contains(&"settled".to_owned()));
}

#[test]
fn a_request_has_the_last_answer() {
    let mut play = Play::with_demand(linux(SEOUL, &["c5a.large"]));
    play.cache.insert(page_query(SEOUL), vec![page(SEOUL, &["c5a.large"])]);
    play.pass(mins(13 * 60));
    assert_eq!(play.asks().len(), 1);
    assert_eq!(
        play.open[0].last.sheets,
        [page(SEOUL, &["c5a.large"])],
        "a file that has not changed is not read again"
    );
    // Answers to calls are collected.
    let mut play = Play::with_demand(spot(SEOUL, &["c5a.large"]));
    let history = "spot-history ap-northeast-2 Linux: ";
    play.asks();
    play.answer(&format!("{history}c5a.large"), Ok(vec![spots(PriceSource::SpotHistory, SEOUL, &["c5a.large"])]));
    play.schedule.set_demand(spot(SEOUL, &["c5a.large", "m5.large"]));
    play.asks();
    play.answer(&format!("{history}m5.large"), Ok(vec![spots(PriceSource::SpotHistory, SEOUL, &["m5.large"])]));
    for (minutes, types) in [(8, 2), (16, 2)] {
        play.pass(mins(minutes));
        play.asks();
        let Some(request) = play.open.first() else { continue };
        assert_eq!(request.last.sheets.len(), types);
        let prices = spots(PriceSource::SpotHistory, SEOUL, &["c5a.large", "m5.large"]);
        play.answer(&words(&request.clone()), Ok(vec![prices]));
    }
    play.pass(mins(16));
    play.asks();
    assert_eq!(play.open[0].last.sheets.len(), 1, "newer prices replace older ones");
}

#[test]
fn a_failure_is_cleared_when_its_prices_are_not_needed() {
    let mut play = Play::with_demand(linux(SEOUL, &["c5a.large"]));
    play.asks();
    play.answer("price-page Linux: ap-northeast-2", unavailable());
    play.asks();
    play.news();
    play.schedule.set_demand(Demand::default());
    assert!(play.asks().is_empty());
    assert_eq!(play.news(), ["price-page ap-northeast-2: off: not needed", "settled"]);
}

#[test]
fn of_two_files_of_one_source_the_worse_state_is_reported() {
    let mut demand = linux(SEOUL, &["c5a.large"]);
    demand.on_demand.insert(key(SEOUL, Os::Windows, Tenancy::Shared), names(&["c5a.large"]));
    let mut play = Play::with_demand(demand);
    play.asks();
    play.answer("price-page Linux: ap-northeast-2", Ok(vec![page(SEOUL, &["c5a.large"])]));
    play.answer("price-page Windows: ap-northeast-2", unavailable());
    let asks = play.asks();
    assert_eq!(asks, ["get-products ap-northeast-2 Windows Shared: c5a.large"], "the next source is asked");
    let failed = "price-page ap-northeast-2: failed: no answer within 5 s, again in 1 min";
    assert_eq!(play.news()[2], failed);
}

#[test]
fn the_support_of_the_cluster_is_requested_every_hour() {
    let cluster = ClusterId { region: SEOUL.into(), name: "blue".into() };
    let mut play = Play::new(false);
    play.schedule = Schedule::new(false, table, Some(cluster));
    assert!(play.asks().is_empty(), "no demand");
    play.schedule.set_demand(Demand::default());
    assert_eq!(play.asks(), ["control plane ap-northeast-2: blue"]);
    assert!(play.news().is_empty());
    let request = play.open.remove(0);
    let support = Some(ClusterSupport { version: "1.33".into(), ..ClusterSupport::default() });
    play.schedule.answered(&request.query, Ok(Answer { support, ..Answer::default() }), play.now);
    assert!(play.asks().is_empty());
    assert_eq!(play.news(), ["control plane of 1.33 in ap-northeast-2", "settled"]);
    assert_eq!(play.wake.unwrap().duration_since(play.now), mins(60));
}

/// An event of the property test.
#[derive(Clone, Debug)]
enum Happening {
    /// These types in these regions are in demand, on-demand and as spot.
    Need(Vec<(usize, usize)>),
    /// An open request is answered: with prices, without any, or with an error.
    Answer(usize, usize),
    /// Minutes pass.
    Pass(i64),
}

fn happening() -> impl proptest::strategy::Strategy<Value = Happening> {
    use proptest::prelude::*;
    prop_oneof![
        proptest::collection::vec((0_usize..4, 0_usize..4), 0..4).prop_map(Happening::Need),
        (0_usize..8, 0_usize..5).prop_map(|(which, how)| Happening::Answer(which, how)),
        (0_usize..8, 0_usize..5).prop_map(|(which, how)| Happening::Answer(which, how)),
        (0_i64..800).prop_map(Happening::Pass),
    ]
}

const REGIONS: [&str; 4] = [SEOUL, OHIO, "cn-north-1", "us-west-2-lax-1"];
const TYPES: [&str; 4] = ["c5a.large", "m5.large", "g6.xlarge", "m9x.large"];

/// An answer of the kind `how` to any request.
fn any_answer(request: &Request, how: usize) -> Result<Vec<PriceSheet>, AskError> {
    let types: Vec<&str> = request.names.iter().map(Name::as_str).collect();
    let region = request.query.region().map_or(SEOUL, Name::as_str);
    match how {
        0 => Ok(Vec::new()),
        1 => no_credentials(),
        2 => unavailable(),
        _ => Ok(vec![match &request.query {
            Query::File(PublicFile::PricePage { .. }) => page(region, &TYPES[..2]),
            Query::File(PublicFile::SpotFeed | PublicFile::SpotAdvisor) => {
                spots(PriceSource::SpotFeed, region, &TYPES[..2])
            }
            Query::File(PublicFile::EksList { .. }) => {
                sheet(PriceSource::EksList, region, Prices::Eks(EksPrices::default()))
            }
            Query::Call(AwsCall::OnDemand(_)) => on_demand(PriceSource::GetProducts, region, &types),
            Query::Call(AwsCall::SpotHistory { .. }) => spots(PriceSource::SpotHistory, region, &types),
            Query::Call(AwsCall::Volumes { .. } | AwsCall::Cluster(_)) => page(region, &[]),
        }]),
    }
}

proptest::proptest! {
    #[test]
    fn any_events_leave_the_schedule_running(happenings in proptest::collection::vec(happening(), 1..60)) {
        let mut play = Play::new(false);
        let mut needed = false;
        for happening in happenings {
            match happening {
                Happening::Need(pairs) => {
                    let mut demand = Demand::default();
                    for (region, name) in &pairs {
                        let (region, name) = (Name::from(REGIONS[*region]), Name::from(TYPES[*name]));
                        let key = key(&region, Os::Linux, Tenancy::Shared);
                        demand.on_demand.entry(key).or_default().insert(name.clone());
                        demand.spot.entry((region.clone(), Os::Linux)).or_default().insert(name);
                        demand.eks.insert(region);
                    }
                    needed = !pairs.is_empty();
                    play.schedule.set_demand(demand);
                }
                Happening::Answer(which, how) => {
                    let Some(request) = play.open.get(which).cloned() else { continue };
                    play.answer(&words(&request), any_answer(&request, how));
                }
                Happening::Pass(minutes) => play.pass(mins(minutes)),
            }
            play.asks();
            let queries: BTreeSet<&Query> = play.open.iter().map(|request| &request.query).collect();
            proptest::prop_assert_eq!(queries.len(), play.open.len(), "two requests of one query at a time");
            let calls = play.open.iter().filter(|request| request.query.is_call()).count();
            proptest::prop_assert!(calls <= MAX_CALLS);
            proptest::prop_assert!(play.open.iter().all(|request| !request.names.is_empty()));
            proptest::prop_assert!(
                !needed || !play.open.is_empty() || play.wake.is_some_and(|wake| wake > play.now),
                "no request will follow",
            );
        }
        // After all open requests and those that follow have failed, the demand is settled.
        play.schedule.set_demand(play.schedule.demand.clone().unwrap_or_default());
        while let Some(request) = play.open.first().cloned() {
            play.answer(&words(&request), unavailable());
            play.asks();
        }
        play.asks();
        let news = play.news();
        // The failure of a refresh may be reported later.
        let last = |end: &str| news.iter().rposition(|news| news.ends_with(end));
        proptest::prop_assert!(last("settled").is_some() && last("settled") > last(": asking"), "{:?}", news);
    }
}
