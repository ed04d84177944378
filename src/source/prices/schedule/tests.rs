use super::*;
use crate::pricing::{EksPrices, OnDemandPrice, SpotPrice};
use crate::units::{Currency, Money};
use pretty_assertions::assert_eq;
use test_case::test_case;

const SEOUL: &str = "ap-northeast-2";
const OHIO: &str = "us-east-2";

/// A schedule, a clock that only the test moves, and what the disk has.
struct Play {
    schedule: Schedule,
    now: Timestamp,
    disk: BTreeMap<Topic, Vec<PriceSheet>>,
    open: Vec<Question>,
    wake: Option<Timestamp>,
    news: Vec<PriceNews>,
}

/// The tables of these tests know one price exactly.
fn table(key: &OnDemandKey, name: &str) -> bool {
    key.os == Os::Linux && key.tenancy == Tenancy::Shared && name == "c5a.large"
}

impl Play {
    fn new(offline: bool) -> Self {
        Self {
            schedule: Schedule::new(offline, table, None),
            now: Timestamp::from_second(1_790_000_000).unwrap(),
            disk: BTreeMap::new(),
            open: Vec::new(),
            wake: None,
            news: Vec::new(),
        }
    }

    fn needing(demand: Demand) -> Self {
        let mut play = Self::new(false);
        play.schedule.demand(demand);
        play
    }

    fn pass(&mut self, time: SignedDuration) {
        self.now += time;
    }

    /// Plans until the disk has nothing more to say; what sources are asked for now.
    fn asks(&mut self) -> Vec<String> {
        let mut asks = Vec::new();
        loop {
            let plan = self.schedule.plan(self.now);
            self.wake = plan.wake;
            self.news.extend(self.schedule.take_news());
            let (disk, source): (Vec<_>, Vec<_>) = plan.ask.into_iter().partition(|question| question.of == Of::Disk);
            asks.extend(source.iter().map(words));
            self.open.extend(source);
            if disk.is_empty() {
                return asks;
            }
            for question in disk {
                let sheets = self.disk.get(&question.topic).cloned().unwrap_or_default();
                self.schedule.answer(&question, Ok(sheets.into()), self.now);
            }
        }
    }

    /// A question that is under way is answered.
    fn answer(&mut self, question: &str, answer: Result<Vec<PriceSheet>, AskError>) {
        let at = self.open.iter().position(|open| words(open) == question);
        let question = self.open.remove(at.unwrap_or_else(|| panic!("{question} is not under way: {:?}", self.open)));
        let answer = answer.map(|sheets| {
            let fetched = |sheet| PriceSheet { fetched: self.now, cached: false, ..sheet };
            sheets.into_iter().map(fetched).collect::<Vec<_>>().into()
        });
        self.schedule.answer(&question, answer, self.now);
    }

    /// What was said since the last time, in short.
    fn said(&mut self) -> Vec<String> {
        self.news.extend(self.schedule.take_news());
        let now = self.now;
        let said = |news| match news {
            PriceNews::Sheet(sheet) => {
                let of = if sheet.cached { "cached" } else { "fetched" };
                format!("{of} {} {}", sheet.source.name(), sheet.region)
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
        std::mem::take(&mut self.news).into_iter().map(said).collect()
    }
}

/// A question in words.
fn words(question: &Question) -> String {
    let things: Vec<&str> = question.things.iter().map(Name::as_str).collect();
    let about = match &question.topic {
        Topic::PricePage { os, .. } => format!(" {os:?}"),
        Topic::SpotHistory { region, os } => format!(" {region} {os:?}"),
        Topic::Products(key) => format!(" {} {:?} {:?}", key.region, key.os, key.tenancy),
        Topic::Volumes { region } => format!(" {region}"),
        Topic::EksList { .. } | Topic::SpotFeed | Topic::SpotAdvisor => String::new(),
        Topic::ControlPlane(ClusterId { region, .. }) => format!("control plane {region}"),
    };
    let source = question.topic.source().map_or("", PriceSource::name);
    format!("{source}{about}: {}", things.join(" "))
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

fn page_topic(region: &str) -> Topic {
    Topic::PricePage { region: region.into(), os: Os::Linux }
}

#[test]
fn nothing_is_asked_until_something_is_needed() {
    let mut play = Play::new(false);
    assert_eq!((play.asks(), play.said()), (vec![], vec![]));
    play.schedule.demand(Demand::default());
    assert_eq!((play.asks(), play.said()), (vec![], vec!["settled".to_owned()]));
}

#[test]
fn only_regions_and_kinds_in_use_are_asked_for() {
    let mut play = Play::needing(Demand {
        eks: names(&[OHIO]),
        volumes: BTreeMap::from([(OHIO.into(), names(&["gp3"]))]),
        ..linux(SEOUL, &["c5a.large"])
    });
    assert_eq!(
        play.asks(),
        ["price-page Linux: ap-northeast-2", "eks-price-list: us-east-2", "get-products us-east-2: gp3"]
    );
    let windows = key(SEOUL, Os::Windows, Tenancy::Shared);
    let mut play =
        Play::needing(Demand { on_demand: BTreeMap::from([(windows, names(&["c5a.large"]))]), ..Demand::default() });
    assert_eq!(play.asks(), ["price-page Windows: ap-northeast-2"]);
}

#[test]
fn get_products_is_asked_only_for_what_neither_page_nor_table_prices() {
    let mut play = Play::needing(linux(SEOUL, &["c5a.large", "m7g.large", "m9x.large"]));
    assert_eq!(play.asks(), ["price-page Linux: ap-northeast-2"]);
    play.answer("price-page Linux: ap-northeast-2", Ok(vec![page(SEOUL, &["m7g.large", "t3.nano"])]));
    let products = "get-products ap-northeast-2 Linux Shared: m9x.large";
    assert_eq!(play.asks(), [products]);
    play.answer(products, Ok(vec![on_demand(PriceSource::GetProducts, SEOUL, &["m9x.large"])]));
    assert!(play.asks().is_empty());
    assert_eq!(
        play.said(),
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
    play.schedule.demand(linux(SEOUL, &["m9x.large", "t3.nano"]));
    assert!(play.asks().is_empty());
    assert_eq!(play.said(), ["settled"]);
}

#[test]
fn what_no_file_prices_is_asked_for_at_once() {
    let dedicated = key(SEOUL, Os::Linux, Tenancy::Dedicated);
    let local = key("us-west-2-lax-1", Os::Linux, Tenancy::Shared);
    let china = key("cn-north-1", Os::Linux, Tenancy::Shared);
    for (key, words) in [
        (dedicated, "get-products ap-northeast-2 Linux Dedicated: m5.large"),
        (local, "get-products us-west-2-lax-1 Linux Shared: m5.large"),
        (china, "get-products cn-north-1 Linux Shared: m5.large"),
    ] {
        let on_demand = BTreeMap::from([(key, names(&["m5.large"]))]);
        let mut play = Play::needing(Demand { on_demand, ..Demand::default() });
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
        let mut play = Play::needing(everything(region));
        let mut asked = play.asks();
        while let Some(open) = play.open.first().map(words) {
            let answer = match play.open[0].topic {
                Topic::SpotHistory { .. } => no_credentials(),
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
    let mut play = Play::needing(spot(SEOUL, &["c5a.large", "g6.xlarge", "m5.large"]));
    let history = "spot-history ap-northeast-2 Linux: c5a.large g6.xlarge m5.large";
    assert_eq!(play.asks(), [history], "the feed is megabytes: credentials are tried first");
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
    let said = play.said();
    assert!(!said.contains(&"fetched spot-feed us-east-2".to_owned()), "nobody needs it: {said:?}");
    assert_eq!(said.last().map(String::as_str), Some("settled"));
}

#[test]
fn with_a_price_in_a_zone_the_feed_is_not_asked() {
    let mut play = Play::needing(spot(SEOUL, &["c5a.large"]));
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
fn without_credentials_spot_comes_from_the_feed_and_nothing_is_broken() {
    let mut play = Play::needing(spot(SEOUL, &["c5a.large"]));
    play.asks();
    play.answer("spot-history ap-northeast-2 Linux: c5a.large", no_credentials());
    assert_eq!(play.asks(), ["spot-feed: ap-northeast-2"]);
    play.answer("spot-feed: ap-northeast-2", Ok(vec![spots(PriceSource::SpotFeed, SEOUL, &["c5a.large"])]));
    play.asks();
    assert_eq!(
        play.said(),
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
    let mut play = Play::needing(Demand { eks: names(&[SEOUL]), ..linux(SEOUL, &["c5a.large"]) });
    play.asks();
    play.said();
    play.answer(
        "eks-price-list: ap-northeast-2",
        Ok(vec![sheet(PriceSource::EksList, SEOUL, Prices::Eks(EksPrices::default()))]),
    );
    assert_eq!(play.said(), ["fetched eks-price-list ap-northeast-2"], "the page is still awaited");
    play.answer("price-page Linux: ap-northeast-2", Ok(vec![page(SEOUL, &["c5a.large"])]));
    assert_eq!(play.said(), ["fetched price-page ap-northeast-2"]);
}

#[test]
fn partial_refresh_keeps_the_good_part() {
    let mut play = Play::needing(Demand {
        eks: names(&[SEOUL]),
        on_demand: [linux(SEOUL, &["c5a.large"]).on_demand, linux(OHIO, &["c5a.large"]).on_demand]
            .into_iter()
            .flatten()
            .collect(),
        ..Demand::default()
    });
    play.asks();
    play.said();
    play.answer("price-page Linux: us-east-2", unavailable());
    play.answer("price-page Linux: ap-northeast-2", Ok(vec![page(SEOUL, &["c5a.large"])]));
    play.answer("eks-price-list: ap-northeast-2", Err(AskError::Garbled { what: "it".into(), why: "no JSON".into() }));
    play.asks();
    assert_eq!(
        play.said(),
        [
            "fetched price-page ap-northeast-2",
            "price-page ap-northeast-2: answered",
            "price-page us-east-2: failed: no answer within 5 s, again in 1 min",
            "eks-price-list ap-northeast-2: failed: the answer cannot be read: no JSON, again in 1 min",
            "settled",
        ]
    );
    // A refresh that fails takes nothing away: what the page priced is still priced, and asked of nobody else.
    let mut play = Play::needing(linux(SEOUL, &["m7g.large"]));
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
    let mut play = Play::needing(linux(SEOUL, &["c5a.large"]));
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
    let mut play = Play::needing(spot(SEOUL, &["c5a.large"]));
    let history = "spot-history ap-northeast-2 Linux: c5a.large";
    play.asks();
    play.answer(history, Err(AskError::Expired { why: "the SSO session has ended".into() }));
    assert_eq!(play.asks(), ["spot-feed: ap-northeast-2"]);
    play.answer("spot-feed: ap-northeast-2", Ok(vec![spots(PriceSource::SpotFeed, SEOUL, &["c5a.large"])]));
    play.asks();
    play.said();
    play.pass(mins(1));
    assert_eq!(play.asks(), [history]);
    play.answer(history, Ok(vec![spots(PriceSource::SpotHistory, SEOUL, &["c5a.large"])]));
    assert!(play.asks().is_empty());
    assert_eq!(play.said(), ["fetched spot-history ap-northeast-2", "spot-history ap-northeast-2: answered"]);
    // The feed is not asked again.
    play.pass(mins(15));
    assert_eq!(play.asks(), [history]);
}

#[test_case(Err(AskError::Denied { action: "pricing:GetProducts", why: "no policy".into() }), 60, "off: pricing:GetProducts is not allowed" ; "denied")]
#[test_case(Ok(Vec::new()), 60, "answered" ; "unknown to the source")]
#[test_case(no_credentials(), 1, "off: no AWS credentials" ; "no credentials")]
fn what_a_source_does_not_know_is_asked_again_later(
    answer: Result<Vec<PriceSheet>, AskError>,
    minutes: i64,
    state: &str,
) {
    let mut play = Play::needing(linux("cn-north-1", &["m9x.large"]));
    play.asks();
    play.answer("get-products cn-north-1 Linux Shared: m9x.large", answer);
    play.asks();
    assert!(play.said().contains(&format!("get-products cn-north-1: {state}")));
    assert_eq!(play.wake.unwrap().duration_since(play.now), mins(minutes));
}

#[test]
fn limits_by_age_differ() {
    let mut play = Play::needing(Demand {
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
fn a_clock_that_is_set_back_stops_nothing() {
    const ASKED: &str = "spot-history ap-northeast-2 Linux: c5a.large";
    let mut play = Play::needing(spot(SEOUL, &["c5a.large"]));
    assert_eq!(play.asks(), [ASKED]);
    play.answer(ASKED, Ok(vec![spots(PriceSource::SpotHistory, SEOUL, &["c5a.large"])]));
    play.pass(-mins(4));
    assert!(play.asks().is_empty(), "clocks are not that exact");
    play.pass(-mins(300));
    assert_eq!(play.asks(), [ASKED], "the answer is from the future");
    play.answer(ASKED, unavailable());
    assert!(play.asks().is_empty());
    play.pass(-mins(300));
    assert_eq!(play.asks(), [ASKED], "nobody waits for hours");
}

#[test]
fn types_that_came_one_by_one_are_refreshed_together() {
    let mut play = Play::needing(spot(SEOUL, &["c5a.large"]));
    play.asks();
    let prices = |types: &[&str]| Ok(vec![spots(PriceSource::SpotHistory, SEOUL, types)]);
    play.answer("spot-history ap-northeast-2 Linux: c5a.large", prices(&["c5a.large"]));
    play.asks();
    play.pass(mins(5));
    play.schedule.demand(spot(SEOUL, &["c5a.large", "m5.large"]));
    assert_eq!(play.asks(), ["spot-history ap-northeast-2 Linux: m5.large"], "only the new one is looked up");
    play.answer("spot-history ap-northeast-2 Linux: m5.large", prices(&["m5.large"]));
    play.asks();
    play.pass(mins(10));
    assert_eq!(play.asks(), ["spot-history ap-northeast-2 Linux: c5a.large m5.large"]);
}

#[test]
fn two_calls_are_under_way_at_most() {
    let regions = ["eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1"];
    let spot = regions.iter().flat_map(|region| spot(region, &["c5a.large"]).spot).collect();
    let mut play = Play::needing(Demand { spot, ..Demand::default() });
    assert_eq!(play.asks().len(), 2);
    assert!(play.asks().is_empty());
    let first = words(&play.open[0]);
    play.answer(&first, Ok(vec![]));
    let next = play.asks();
    let calls = next.iter().filter(|words| words.starts_with("spot-history")).count();
    assert_eq!(calls, 1, "{next:?}");
    assert!(!play.said().contains(&"settled".to_owned()), "one has not had its turn");
}

#[test]
fn what_the_disk_has_is_said_first_and_not_asked_for_while_it_is_young() {
    let mut play = Play::needing(linux(SEOUL, &["c5a.large"]));
    play.disk.insert(page_topic(SEOUL), vec![page(SEOUL, &["c5a.large"])]);
    play.pass(mins(11 * 60));
    assert!(play.asks().is_empty());
    let expected = ["cached price-page ap-northeast-2", "price-page ap-northeast-2: answered", "settled"];
    assert_eq!(play.said(), expected);
    play.now = play.wake.unwrap();
    assert_eq!(play.asks(), ["price-page Linux: ap-northeast-2"]);
    assert!(play.said().is_empty(), "a refresh of what is known is not worth a word");
}

#[test]
fn an_old_answer_of_the_disk_is_used_only_when_the_source_cannot_be_asked() {
    let mut play = Play::needing(linux(SEOUL, &["c5a.large"]));
    play.disk.insert(page_topic(SEOUL), vec![page(SEOUL, &["c5a.large"])]);
    play.pass(mins(48 * 60));
    assert_eq!(play.asks(), ["price-page Linux: ap-northeast-2"]);
    assert_eq!(play.said(), ["price-page ap-northeast-2: asking"]);
    play.answer("price-page Linux: ap-northeast-2", unavailable());
    assert_eq!(play.said(), ["cached price-page ap-northeast-2"]);
}

#[test_case(SignedDuration::from_hours(31 * 24) ; "a month old")]
#[test_case(-SignedDuration::from_hours(1) ; "from the future")]
fn an_answer_of_the_disk_that_proves_nothing_is_not_used(age: SignedDuration) {
    let mut play = Play::needing(linux(SEOUL, &["c5a.large"]));
    play.disk.insert(page_topic(SEOUL), vec![page(SEOUL, &["c5a.large"])]);
    play.pass(age);
    play.asks();
    play.answer("price-page Linux: ap-northeast-2", unavailable());
    assert!(!play.said().iter().any(|said| said.starts_with("cached")));
}

#[test]
fn old_spot_prices_are_never_used() {
    let mut play = Play::needing(spot(SEOUL, &["c5a.large"]));
    let history = Topic::SpotHistory { region: SEOUL.into(), os: Os::Linux };
    play.disk.insert(history.clone(), vec![spots(PriceSource::SpotHistory, SEOUL, &["c5a.large"])]);
    play.pass(mins(16));
    let asks = play.asks();
    play.answer(&asks[0], unavailable());
    assert!(!play.said().iter().any(|said| said.starts_with("cached")));
    let mut play = Play::needing(spot(SEOUL, &["c5a.large"]));
    play.disk.insert(history, vec![spots(PriceSource::SpotHistory, SEOUL, &["c5a.large"])]);
    play.pass(mins(14));
    assert!(play.asks().is_empty());
}

#[test]
fn offline_asks_the_disk_alone() {
    let mut play = Play::new(true);
    play.disk.insert(page_topic(SEOUL), vec![page(SEOUL, &["c5a.large"])]);
    play.pass(mins(48 * 60));
    play.schedule.demand(Demand {
        eks: names(&[SEOUL]),
        spot: spot(SEOUL, &["c5a.large"]).spot,
        ..linux(SEOUL, &["c5a.large", "m9x.large"])
    });
    assert!(play.asks().is_empty());
    let said = play.said();
    assert!(said.contains(&"cached price-page ap-northeast-2".to_owned()), "{said:?}");
    assert_eq!(said.last().map(String::as_str), Some("settled"));
    let states = said.iter().filter(|said| said.contains(": ")).count();
    assert_eq!(states, 6, "{said:?}");
    assert!(said.iter().filter(|said| said.contains(": ")).all(|said| said.ends_with("off: offline")));
    assert_eq!(play.wake, None);
}

#[test]
fn a_region_that_appears_is_looked_up_in_the_file_on_the_disk() {
    let mut play = Play::needing(spot(SEOUL, &["c5a.large"]));
    play.asks();
    play.answer("spot-history ap-northeast-2 Linux: c5a.large", no_credentials());
    play.asks();
    play.answer("spot-feed: ap-northeast-2", Ok(vec![spots(PriceSource::SpotFeed, SEOUL, &["c5a.large"])]));
    play.asks();
    play.disk.insert(Topic::SpotFeed, vec![spots(PriceSource::SpotFeed, OHIO, &["c5a.large"])]);
    play.said();
    let both = [spot(SEOUL, &["c5a.large"]).spot, spot(OHIO, &["c5a.large"]).spot].into_iter().flatten().collect();
    play.schedule.demand(Demand { spot: both, ..Demand::default() });
    assert_eq!(play.asks(), ["spot-history us-east-2 Linux: c5a.large"]);
    play.answer("spot-history us-east-2 Linux: c5a.large", no_credentials());
    assert!(play.asks().is_empty());
    assert!(play.said().contains(&"cached spot-feed us-east-2".to_owned()));
}

#[test]
fn trouble_with_what_is_no_longer_needed_is_no_trouble() {
    let mut play = Play::needing(linux(SEOUL, &["c5a.large"]));
    play.asks();
    play.answer("price-page Linux: ap-northeast-2", unavailable());
    play.asks();
    play.said();
    play.schedule.demand(Demand::default());
    assert!(play.asks().is_empty());
    assert_eq!(play.said(), ["price-page ap-northeast-2: off: not needed", "settled"]);
}

#[test]
fn of_two_files_of_one_source_the_worse_is_told() {
    let mut demand = linux(SEOUL, &["c5a.large"]);
    demand.on_demand.insert(key(SEOUL, Os::Windows, Tenancy::Shared), names(&["c5a.large"]));
    let mut play = Play::needing(demand);
    play.asks();
    play.answer("price-page Linux: ap-northeast-2", Ok(vec![page(SEOUL, &["c5a.large"])]));
    play.answer("price-page Windows: ap-northeast-2", unavailable());
    let asks = play.asks();
    assert_eq!(asks, ["get-products ap-northeast-2 Windows Shared: c5a.large"], "who knows it may be asked");
    let failed = "price-page ap-northeast-2: failed: no answer within 5 s, again in 1 min";
    assert_eq!(play.said()[2], failed);
}

#[test]
fn the_control_plane_is_asked_about_once_an_hour_where_the_cluster_is_known() {
    let cluster = ClusterId { region: SEOUL.into(), name: "blue".into() };
    let mut play = Play::new(false);
    play.schedule = Schedule::new(false, table, Some(cluster));
    assert!(play.asks().is_empty(), "nobody needs anything yet");
    play.schedule.demand(Demand::default());
    assert_eq!(play.asks(), ["control plane ap-northeast-2: blue"]);
    assert!(play.said().is_empty());
    let question = play.open.remove(0);
    let support = Some(ClusterSupport { version: "1.33".into(), ..ClusterSupport::default() });
    play.schedule.answer(&question, Ok(Findings { support, ..Findings::default() }), play.now);
    assert!(play.asks().is_empty());
    assert_eq!(play.said(), ["control plane of 1.33 in ap-northeast-2", "settled"]);
    assert_eq!(play.wake.unwrap().duration_since(play.now), mins(60));
}

/// What may happen to a schedule.
#[derive(Clone, Debug)]
enum Happening {
    /// These types in these regions are needed, on demand and as spot.
    Need(Vec<(usize, usize)>),
    /// One of the open questions is answered: with everything, with nothing, or with an error.
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

/// An answer of the kind `how` to any question.
fn any_answer(question: &Question, how: usize) -> Result<Vec<PriceSheet>, AskError> {
    let types: Vec<&str> = question.things.iter().map(Name::as_str).collect();
    let region = question.topic.region().map_or(SEOUL, Name::as_str);
    match how {
        0 => Ok(Vec::new()),
        1 => no_credentials(),
        2 => unavailable(),
        _ => Ok(vec![match &question.topic {
            Topic::PricePage { .. } => page(region, &TYPES[..2]),
            Topic::Products(_) => on_demand(PriceSource::GetProducts, region, &types),
            Topic::SpotHistory { .. } => spots(PriceSource::SpotHistory, region, &types),
            Topic::SpotFeed | Topic::SpotAdvisor => spots(PriceSource::SpotFeed, region, &TYPES[..2]),
            Topic::EksList { .. } => sheet(PriceSource::EksList, region, Prices::Eks(EksPrices::default())),
            Topic::Volumes { .. } | Topic::ControlPlane(_) => page(region, &[]),
        }]),
    }
}

proptest::proptest! {
    #[test]
    fn whatever_happens_the_schedule_goes_on(happenings in proptest::collection::vec(happening(), 1..60)) {
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
                    play.schedule.demand(demand);
                }
                Happening::Answer(which, how) => {
                    let Some(question) = play.open.get(which).cloned() else { continue };
                    play.answer(&words(&question), any_answer(&question, how));
                }
                Happening::Pass(minutes) => play.pass(mins(minutes)),
            }
            play.asks();
            let topics: BTreeSet<&Topic> = play.open.iter().map(|question| &question.topic).collect();
            proptest::prop_assert_eq!(topics.len(), play.open.len(), "a topic is asked about twice at a time");
            let calls = play.open.iter().filter(|question| question.topic.is_call()).count();
            proptest::prop_assert!(calls <= AWS_CALLS);
            proptest::prop_assert!(play.open.iter().all(|question| !question.things.is_empty()));
            proptest::prop_assert!(
                !needed || !play.open.is_empty() || play.wake.is_some_and(|wake| wake > play.now),
                "nobody will ask again",
            );
        }
        // When all that is open has failed, and all that follows from it, everything is said.
        play.schedule.demand(play.schedule.demand.clone().unwrap_or_default());
        while let Some(question) = play.open.first().cloned() {
            play.answer(&words(&question), unavailable());
            play.asks();
        }
        play.asks();
        let said = play.said();
        // A refresh that fails may be told later: it has nobody waiting for it.
        let last = |end: &str| said.iter().rposition(|said| said.ends_with(end));
        proptest::prop_assert!(last("settled").is_some() && last("settled") > last(": asking"), "{:?}", said);
    }
}
