//! Prices from public files against a scripted server: what is asked, what is kept, and everything that can go wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::price_server::{Answer, Asked, PriceServer, gzip};
use nodeglass::model::{Clock, Name, Timestamp};
use nodeglass::pricing::{
    AsOf, Demand, OnDemandKey, Os, PriceBook, PriceNews, PriceSheet, PriceSource, Prices, SourceState, Tenancy,
};
use nodeglass::source::prices::{self, Endpoints, Options, Proxies, Timing};
use pretty_assertions::assert_eq;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use test_case::test_case;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const SEOUL: &str = "ap-northeast-2";
const PAGES: &str = "/pricing/2.0/meteredUnitMaps/ec2/USD/current/ec2-ondemand-without-sec-sel";
const SEOUL_PAGE: &str = "/pricing/2.0/meteredUnitMaps/ec2/USD/current/ec2-ondemand-without-sec-sel/Asia%20Pacific%20(Seoul)/Linux/index.json";
const SEOUL_EKS: &str = "/offers/v1.0/aws/AmazonEKS/current/ap-northeast-2/index.json";
const FEED: &str = "/spot.json";

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pricing").join(name);
    fs::read(path).unwrap()
}

fn page() -> Answer {
    Answer::packed(&fixture("meteredunitmaps_ec2_seoul_linux.json"))
}

/// A clock that the test moves.
#[derive(Clone)]
struct Hours(Arc<AtomicI64>);

impl Hours {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(0)))
    }

    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let passed = Arc::clone(&self.0);
        // Near the real one: files on the disk are dated by it.
        let start = Timestamp::now().as_second();
        Clock::new(move || Timestamp::from_second(start + passed.load(Ordering::SeqCst)).unwrap())
    }
}

/// A directory for the cache, and the options of every test.
struct Desk {
    dir: tempfile::TempDir,
    hours: Hours,
    options: Options,
}

impl Desk {
    /// All sources are at `address`.
    fn at(address: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let hours = Hours::new();
        let address = address.to_owned();
        let named = ["PRICE_PAGE_URL", "PRICE_LIST_URL", "SPOT_FEED_URL", "SPOT_ADVISOR_URL"];
        let options = Options {
            cache_dir: Some(prices::cache_dir(dir.path())),
            endpoints: Endpoints::from_environment(&|name| named.contains(&name).then(|| address.clone())),
            clock: hours.clock(),
            timing: Timing {
                small: Duration::from_secs(10),
                large: Duration::from_secs(10),
                together: Duration::from_millis(5),
                look: Duration::from_millis(5),
            },
            ..Options::default()
        };
        Self { dir, hours, options }
    }

    /// A start of the program.
    fn start(&self, demand: Demand) -> Started {
        let (sender, news) = mpsc::channel(16);
        let (demand, needed) = watch::channel(demand);
        let cancel = CancellationToken::new();
        let tasks = prices::start(self.options.clone(), needed, sender, cancel.clone());
        Started { news, seen: Vec::new(), demand, cancel, tasks }
    }

    /// Starts the sources and collects their news until all prices are settled.
    async fn settled(&self, demand: Demand) -> Vec<PriceNews> {
        let mut started = self.start(demand);
        started.until("everything settled", |seen| seen.contains(&PriceNews::Settled)).await;
        started.seen
    }

    fn files(&self) -> Vec<String> {
        let Ok(files) = fs::read_dir(prices::cache_dir(self.dir.path())) else { return Vec::new() };
        let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Running sources, and their news.
struct Started {
    news: mpsc::Receiver<Vec<PriceNews>>,
    seen: Vec<PriceNews>,
    demand: watch::Sender<Demand>,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Started {
    async fn until(&mut self, what: &str, holds: impl Fn(&[PriceNews]) -> bool) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        while !holds(&self.seen) {
            match tokio::time::timeout_at(deadline, self.news.recv()).await {
                Ok(Some(news)) => self.seen.extend(news),
                Ok(None) => panic!("the sources ended before {what}: {:#?}", self.seen),
                Err(tokio::time::error::Elapsed { .. }) => panic!("no {what} within 30 s: {:#?}", self.seen),
            }
        }
    }
}

fn linux(region: &str, types: &[&str]) -> Demand {
    let key = OnDemandKey { region: region.into(), os: Os::Linux, tenancy: Tenancy::Shared };
    let types: BTreeSet<Name> = types.iter().map(|name| Name::from(*name)).collect();
    Demand { on_demand: BTreeMap::from([(key, types)]), ..Demand::default() }
}

fn seoul() -> Demand {
    linux(SEOUL, &["c5a.large"])
}

fn sheets(seen: &[PriceNews]) -> Vec<&PriceSheet> {
    let mut sheets = Vec::new();
    for news in seen {
        if let PriceNews::Sheet(sheet) = news {
            sheets.push(sheet);
        }
    }
    sheets
}

/// Sources that answered, and whether from the disk.
fn answered(seen: &[PriceNews]) -> Vec<(PriceSource, bool)> {
    sheets(seen).iter().map(|sheet| (sheet.source, sheet.cached)).collect()
}

/// The last state of a source.
fn state(seen: &[PriceNews], wanted: PriceSource) -> SourceState {
    let state = |news: &PriceNews| match news {
        PriceNews::State { source, state, .. } if *source == wanted => Some(state.clone()),
        _ => None,
    };
    seen.iter().rev().find_map(state).unwrap_or_else(|| panic!("no state of {wanted:?}: {seen:#?}"))
}

fn failure(seen: &[PriceNews], source: PriceSource) -> String {
    match state(seen, source) {
        SourceState::Failed { why, .. } => why,
        other => panic!("{source:?} did not fail: {other:?}"),
    }
}

fn price(seen: &[PriceNews], instance_type: &str) -> String {
    let mut book = PriceBook::embedded();
    for sheet in sheets(seen) {
        book.learn(sheet);
    }
    let price = book.on_demand(SEOUL, instance_type).unwrap();
    assert!(matches!(price.origin.as_of, AsOf::Fetched { .. }), "{price:?}");
    price.amount.to_string()
}

// --- asking ---

#[tokio::test]
async fn each_public_file_is_asked_for_by_its_name_and_read() {
    let server = PriceServer::start().await;
    server.on(SEOUL_PAGE, [page()]);
    server.on(SEOUL_EKS, [Answer::file(fixture("eks_index_ap-northeast-2.json"))]);
    server.on(FEED, [Answer::packed(&fixture("spot_feed.json"))]);
    let desk = Desk::at(&server.address);
    let demand = Demand {
        eks: BTreeSet::from([SEOUL.into()]),
        spot: BTreeMap::from([((SEOUL.into(), Os::Linux), BTreeSet::from(["c5a.large".into()]))]),
        ..seoul()
    };
    let seen = desk.settled(demand).await;
    let mut paths = server.paths();
    paths.sort();
    assert_eq!(paths, [SEOUL_EKS, SEOUL_PAGE, FEED]);
    for Asked { method, headers, path, body } in server.asked() {
        assert_eq!((method.as_str(), body.as_str()), ("GET", ""));
        assert_eq!(headers["user-agent"], concat!("nodeglass/", env!("CARGO_PKG_VERSION")), "{path}");
        assert_eq!(headers["accept-encoding"], "gzip");
        assert!(!headers.contains_key("if-none-match") && !headers.contains_key("authorization"));
    }
    let mut sources: Vec<PriceSource> = answered(&seen).into_iter().map(|(source, _)| source).collect();
    sources.sort();
    assert_eq!(sources, [PriceSource::PricePage, PriceSource::EksList, PriceSource::SpotFeed]);
    assert_eq!(price(&seen, "c5a.large"), "0.086");
    for source in sources {
        assert!(matches!(state(&seen, source), SourceState::Answered { .. }), "{source:?}");
    }
    let spot = sheets(&seen).into_iter().find_map(|sheet| match &sheet.prices {
        Prices::Spot(prices) => prices.iter().find(|price| price.instance_type == "c5a.large" && price.os == Os::Linux),
        _ => None,
    });
    assert_eq!(spot.unwrap().amount.to_string(), "0.0341");
}

#[tokio::test]
async fn an_answer_is_sent_while_another_is_still_awaited() {
    let server = PriceServer::start().await;
    server.on(SEOUL_PAGE, [page()]);
    server.on(SEOUL_EKS, [Answer::silence()]);
    let desk = Desk::at(&server.address);
    let mut started = desk.start(Demand { eks: BTreeSet::from([SEOUL.into()]), ..seoul() });
    started.until("the page", |seen| answered(seen) == [(PriceSource::PricePage, false)]).await;
    assert!(!started.seen.contains(&PriceNews::Settled));
}

#[tokio::test]
async fn a_region_that_appears_is_looked_up() {
    let server = PriceServer::start().await;
    server.on(SEOUL_PAGE, [page()]);
    let ohio = format!("{PAGES}/US%20East%20(Ohio)/Linux/index.json");
    server.on(&ohio, [Answer::file(
        r#"{"regions":{"US East (Ohio)":{"k":{"price":"0.077","Instance Type":"c5a.large","Operating System":"Linux"}}}}"#,
    )]);
    let desk = Desk::at(&server.address);
    let mut started = desk.start(seoul());
    started.until("Seoul", |seen| seen.contains(&PriceNews::Settled)).await;
    started.demand.send_modify(|demand| demand.on_demand.extend(linux("us-east-2", &["c5a.large"]).on_demand));
    started.until("Ohio", |seen| sheets(seen).iter().any(|sheet| sheet.region == "us-east-2")).await;
    assert_eq!(server.paths(), [SEOUL_PAGE, &ohio]);
}

#[tokio::test]
async fn the_page_of_a_european_region_may_have_another_name() {
    let server = PriceServer::start().await;
    let [eu, europe] = ["EU", "Europe"].map(|name| format!("{PAGES}/{name}%20(Ireland)/Linux/index.json"));
    server.on(&europe, [Answer::file(
        r#"{"regions":{"Europe (Ireland)":{"k":{"price":"0.086","Instance Type":"c5a.large","Operating System":"Linux"}}}}"#,
    )
    .header("etag", "\"1\"")]);
    let desk = Desk::at(&server.address);
    let seen = desk.settled(linux("eu-west-1", &["c5a.large"])).await;
    assert_eq!(answered(&seen), [(PriceSource::PricePage, false)]);
    assert_eq!(server.paths(), [eu, europe.clone()]);
    // It is remembered which.
    desk.hours.pass(13 * 3600);
    desk.settled(linux("eu-west-1", &["c5a.large"])).await;
    assert_eq!(server.paths()[2..], [europe]);
}

// --- the disk ---

#[tokio::test]
async fn a_second_start_is_served_from_the_disk_without_a_request() {
    let server = PriceServer::start().await;
    server.on(SEOUL_PAGE, [page()]);
    let desk = Desk::at(&server.address);
    let first = desk.settled(seoul()).await;
    assert_eq!(desk.files(), ["price-page-ap-northeast-2-linux.gz"]);
    let second = desk.settled(seoul()).await;
    assert_eq!(server.connections(), 1);
    assert_eq!(answered(&second), [(PriceSource::PricePage, true)]);
    assert_eq!(sheets(&second)[0].prices, sheets(&first)[0].prices);
    assert_eq!(sheets(&second)[0].fetched, sheets(&first)[0].fetched);
}

#[tokio::test]
async fn an_old_answer_is_confirmed_without_being_sent_again() {
    let server = PriceServer::start().await;
    let modified = "Mon, 23 Nov 2026 10:00:00 GMT";
    server.on(SEOUL_PAGE, [page().header("etag", "\"one\"").header("last-modified", modified)]);
    let desk = Desk::at(&server.address);
    let first = desk.settled(seoul()).await;
    desk.hours.pass(13 * 3600);
    let second = desk.settled(seoul()).await;
    let asked = &server.asked()[1];
    assert_eq!(asked.header("if-none-match"), Some("\"one\""));
    assert_eq!(asked.header("if-modified-since"), Some(modified));
    assert_eq!(answered(&second), [(PriceSource::PricePage, false)]);
    let (first, second) = (sheets(&first)[0], sheets(&second)[0]);
    assert_eq!(second.prices, first.prices);
    assert_eq!(second.fetched.duration_since(first.fetched).as_hours(), 13, "it is dated by its confirmation");
    // The confirmation counts for the next start.
    desk.hours.pass(11 * 3600);
    assert_eq!(answered(&desk.settled(seoul()).await), [(PriceSource::PricePage, true)]);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_file_that_changed_takes_the_place_of_the_old_one() {
    let server = PriceServer::start().await;
    let new = String::from_utf8(fixture("meteredunitmaps_ec2_seoul_linux.json")).unwrap().replace("0.0860", "0.0900");
    server.on(SEOUL_PAGE, [page().header("etag", "\"1\""), Answer::packed(new.as_bytes()).header("etag", "\"2\"")]);
    let desk = Desk::at(&server.address);
    assert_eq!(price(&desk.settled(seoul()).await, "c5a.large"), "0.086");
    desk.hours.pass(13 * 3600);
    assert_eq!(price(&desk.settled(seoul()).await, "c5a.large"), "0.09");
    assert_eq!(price(&desk.settled(seoul()).await, "c5a.large"), "0.09");
    assert_eq!(server.asked().len(), 2);
}

#[test_case(b"" ; "empty")]
#[test_case(b"\x1f\x8b\x08" ; "cut short")]
#[test_case(b"{\"format\":2,\"answer\":{}}" ; "not compressed")]
#[tokio::test]
async fn a_damaged_cache_is_replaced(content: &[u8]) {
    let server = PriceServer::start().await;
    server.on(SEOUL_PAGE, [page().header("etag", "\"1\"")]);
    let desk = Desk::at(&server.address);
    desk.settled(seoul()).await;
    fs::write(prices::cache_dir(desk.dir.path()).join("price-page-ap-northeast-2-linux.gz"), content).unwrap();
    let seen = desk.settled(seoul()).await;
    assert_eq!(answered(&seen), [(PriceSource::PricePage, false)]);
    assert_eq!(server.asked()[1].header("if-none-match"), None, "a file that cannot be read cannot be confirmed");
    assert_eq!(answered(&desk.settled(seoul()).await), [(PriceSource::PricePage, true)], "it is written again");
}

#[tokio::test]
async fn a_confirmed_file_is_not_read_again() {
    let server = PriceServer::start().await;
    server.on(SEOUL_PAGE, [page().header("etag", "\"1\"")]);
    let desk = Desk::at(&server.address);
    let mut started = desk.start(seoul());
    started.until("the page", |seen| seen.contains(&PriceNews::Settled)).await;
    // Neither the disk nor the answer of the server has the prices now.
    fs::remove_dir_all(prices::cache_dir(desk.dir.path())).unwrap();
    started.seen.clear();
    desk.hours.pass(13 * 3600);
    started.until("the confirmation", |seen| answered(seen) == [(PriceSource::PricePage, false)]).await;
    assert_eq!(server.asked()[1].header("if-none-match"), Some("\"1\""));
    assert_eq!(price(&started.seen, "c5a.large"), "0.086");
}

#[tokio::test]
async fn what_came_from_elsewhere_is_not_taken_for_aws_own() {
    let (server, other) = (PriceServer::start().await, PriceServer::start().await);
    server.on(SEOUL_PAGE, [page()]);
    other.on(SEOUL_PAGE, [page()]);
    let mut desk = Desk::at(&server.address);
    desk.settled(seoul()).await;
    desk.options.endpoints = Desk::at(&other.address).options.endpoints;
    assert_eq!(answered(&desk.settled(seoul()).await), [(PriceSource::PricePage, false)]);
    assert_eq!((server.connections(), other.connections()), (1, 1));
}

#[tokio::test]
async fn without_a_directory_everything_is_asked_for() {
    let server = PriceServer::start().await;
    server.on(SEOUL_PAGE, [page()]);
    let mut desk = Desk::at(&server.address);
    desk.options.cache_dir = None;
    for _ in 0..2 {
        assert_eq!(answered(&desk.settled(seoul()).await), [(PriceSource::PricePage, false)]);
    }
}

#[tokio::test]
async fn offline_makes_no_connection() {
    let server = PriceServer::start().await;
    server.on(SEOUL_PAGE, [page()]);
    let mut desk = Desk::at(&server.address);
    desk.settled(seoul()).await;
    desk.options.offline = true;
    desk.hours.pass(48 * 3600);
    let demand = Demand {
        eks: BTreeSet::from([SEOUL.into()]),
        spot: BTreeMap::from([((SEOUL.into(), Os::Linux), BTreeSet::from(["c5a.large".into()]))]),
        ..linux(SEOUL, &["c5a.large", "m9x.large"])
    };
    let seen = desk.settled(demand).await;
    assert_eq!(answered(&seen), [(PriceSource::PricePage, true)], "what the disk has is better than nothing");
    assert_eq!(state(&seen, PriceSource::PricePage), SourceState::Off { why: "offline".into() });
    assert_eq!(server.connections(), 1, "of the first start");
}

// --- trouble ---

/// A server that first answers so, then well.
async fn heals(bad: Answer, words: &str) {
    let server = PriceServer::start().await;
    server.on(SEOUL_PAGE, [bad, page()]);
    server.on(SEOUL_EKS, [Answer::file(fixture("eks_index_ap-northeast-2.json"))]);
    let mut desk = Desk::at(&server.address);
    desk.options.timing.small = Duration::from_millis(300);
    let mut started = desk.start(Demand { eks: BTreeSet::from([SEOUL.into()]), ..seoul() });
    started.until("everything settled", |seen| seen.contains(&PriceNews::Settled)).await;
    let why = failure(&started.seen, PriceSource::PricePage);
    assert!(why.contains(words), "{why:?} does not contain {words:?}");
    assert_eq!(answered(&started.seen), [(PriceSource::EksList, false)], "the others are not harmed");
    assert!(desk.files().iter().all(|name| name.starts_with("eks-list")), "{:?}", desk.files());
    // A minute later all is well.
    desk.options.timing.small = Duration::from_secs(10);
    desk.hours.pass(61);
    started.until("the retry", |seen| answered(seen).contains(&(PriceSource::PricePage, false))).await;
    started
        .until("the answer", |seen| matches!(state(seen, PriceSource::PricePage), SourceState::Answered { .. }))
        .await;
}

#[test_case(Answer::status(500), "500 Internal Server Error" ; "an error of the server")]
#[test_case(Answer::status(403), "403 Forbidden" ; "forbidden")]
#[test_case(Answer::status(304), "304" ; "not modified although nothing was known")]
#[test_case(Answer::silence(), "no answer within" ; "a server that hangs")]
#[test_case(page().dripping(400, Duration::from_millis(20)), "no answer within" ; "a server that drips")]
#[test_case(Answer::file("<html>Sign in to the hotel's network</html>"), "not complete JSON" ; "a captive portal")]
#[test_case(Answer::file("{}"), "form is unexpected" ; "another file")]
#[test_case(Answer::file(""), "not complete JSON" ; "an empty file")]
#[test_case(Answer::file("\u{1b}[31mred"), "not complete JSON" ; "an escape sequence")]
#[test_case(page().torn(), "broke off" ; "a connection that breaks")]
#[test_case(Answer::file(fixture("meteredunitmaps_ec2_seoul_linux.json")).header("content-encoding", "gzip"), "gzip is broken" ; "not packed after all")]
#[test_case(Answer::file("x").header("content-encoding", "br"), "packed by br" ; "packed by something else")]
#[test_case(Answer::packed(&vec![b' '; 20 << 20]), "longer than 16 MiB" ; "a bomb")]
#[test_case(Answer::file(vec![b' '; 17 << 20]), "longer than 16 MiB" ; "a flood")]
#[test_case(Answer::status(302), "redirects to nowhere" ; "a redirect without a place")]
#[tokio::test]
async fn a_failure_is_reported_and_retried(bad: Answer, words: &str) {
    heals(bad, words).await;
}

#[tokio::test]
async fn truncated_gzip_is_no_answer() {
    let whole = gzip(&fixture("meteredunitmaps_ec2_seoul_linux.json"));
    let half = Answer::file(&whole[..whole.len() / 2]).header("content-encoding", "gzip");
    heals(half, "gzip is broken").await;
}

#[tokio::test]
async fn a_refused_connection_has_the_systems_error() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let seen = Desk::at(&closed).settled(seoul()).await;
    assert_eq!(failure(&seen, PriceSource::PricePage), "Connection refused");
    assert_eq!(answered(&seen), []);
}

#[tokio::test]
async fn a_region_without_a_file_is_no_fault() {
    let server = PriceServer::start().await;
    let seen = Desk::at(&server.address).settled(seoul()).await;
    assert!(matches!(state(&seen, PriceSource::PricePage), SourceState::Off { .. }));
    assert_eq!(server.paths(), [SEOUL_PAGE]);
}

#[tokio::test]
async fn trouble_leaves_what_the_disk_has() {
    let server = PriceServer::start().await;
    server.on(SEOUL_PAGE, [page(), Answer::status(503)]);
    let desk = Desk::at(&server.address);
    desk.settled(seoul()).await;
    desk.hours.pass(13 * 3600);
    let seen = desk.settled(seoul()).await;
    assert_eq!(answered(&seen), [(PriceSource::PricePage, true)]);
    assert!(failure(&seen, PriceSource::PricePage).contains("503"));
    assert_eq!(price(&seen, "c5a.large"), "0.086");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let (server, other) = (PriceServer::start().await, PriceServer::start().await);
    other.on(SEOUL_PAGE, [page()]);
    server.on(SEOUL_PAGE, [Answer::status(302).header("location", &format!("{}{SEOUL_PAGE}", other.address))]);
    let seen = Desk::at(&server.address).settled(seoul()).await;
    assert_eq!(failure(&seen, PriceSource::PricePage), "the server redirects to another: 127.0.0.1");
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_redirect_within_the_host_is_followed_but_not_for_ever() {
    let server = PriceServer::start().await;
    server.on(SEOUL_PAGE, [Answer::status(301).header("location", "/new/place")]);
    server.on("/new/place", [page()]);
    let seen = Desk::at(&server.address).settled(seoul()).await;
    assert_eq!(answered(&seen), [(PriceSource::PricePage, false)]);
    server.on("/new/place", [Answer::status(302).header("location", SEOUL_PAGE)]);
    let seen = Desk::at(&server.address).settled(seoul()).await;
    assert_eq!(failure(&seen, PriceSource::PricePage), "the server redirects in circles");
}

#[test_case("ftp://127.0.0.1", "PRICE_PAGE_URL is no https: address")]
#[test_case("127.0.0.1:80", "PRICE_PAGE_URL is no")]
#[test_case("http://", "PRICE_PAGE_URL is no")]
#[tokio::test]
async fn the_error_of_an_invalid_address_names_its_variable(address: &str, words: &str) {
    let seen = Desk::at(address).settled(seoul()).await;
    let why = failure(&seen, PriceSource::PricePage);
    assert!(why.starts_with(words), "{why}");
}

// --- proxies ---

#[tokio::test]
async fn tls_goes_through_the_proxy_of_the_environment() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://user:secret@{}", listener.local_addr().unwrap());
    let mut desk = Desk::at("https://prices.invalid");
    desk.options.proxies = Proxies::from_environment(&|name| match name {
        "HTTPS_PROXY" => Some(String::new()),
        "https_proxy" => Some(proxy.clone()),
        _ => None,
    });
    assert!(!format!("{:?}", desk.options).contains("secret"));
    let started = desk.start(seoul());
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("connect prices.invalid:443 http/1.1\r\n"), "{head}");
    assert!(head.contains("proxy-authorization: basic "), "{head}");
    socket.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").await.unwrap();
    let mut started = started;
    started.until("everything settled", |seen| seen.contains(&PriceNews::Settled)).await;
    failure(&started.seen, PriceSource::PricePage);
}

#[tokio::test]
async fn what_no_proxy_names_is_reached_directly() {
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let direct = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("http://{}", proxy.local_addr().unwrap());
    let mut desk = Desk::at(&format!("https://{}", direct.local_addr().unwrap()));
    desk.options.proxies = Proxies::from_environment(&|name| match name {
        "https_proxy" => Some(at.clone()),
        "NO_PROXY" => Some("localhost,127.0.0.0/8".into()),
        _ => None,
    });
    let _started = desk.start(seoul());
    let (mut socket, _) = direct.accept().await.unwrap();
    assert_eq!(socket.read_u8().await.unwrap(), 22, "a TLS handshake");
}

#[tokio::test]
async fn a_server_without_tls_is_reported() {
    let server = PriceServer::start().await;
    let seen = Desk::at(&server.address.replace("http:", "https:")).settled(seoul()).await;
    assert!(!failure(&seen, PriceSource::PricePage).is_empty());
    assert_eq!(server.paths(), Vec::<String>::new());
}

// --- with credentials ---

/// Signed in, with AWS's APIs on loopback.
#[cfg(feature = "aws")]
fn signed_in(desk: &mut Desk, pricing: &PriceServer, ec2: &PriceServer) {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/nonexistent"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
        ("AWS_ENDPOINT_URL_PRICING", &pricing.address),
        ("AWS_ENDPOINT_URL_EC2", &ec2.address),
    ];
    desk.options.aws.environment = variables.into_iter().collect();
}

#[cfg(feature = "aws")]
fn spot_of(types: &[&str]) -> Demand {
    let types: BTreeSet<Name> = types.iter().map(|name| Name::from(*name)).collect();
    Demand { spot: BTreeMap::from([((SEOUL.into(), Os::Linux), types)]), ..Demand::default() }
}

#[cfg(feature = "aws")]
#[tokio::test]
async fn what_the_page_lacks_is_asked_of_the_price_api_and_kept() {
    let (server, pricing) = (PriceServer::start().await, PriceServer::start().await);
    server.on(SEOUL_PAGE, [Answer::file(
        r#"{"regions":{"Asia Pacific (Seoul)":{"k":{"price":"0.077","Instance Type":"c6g.large","Operating System":"Linux"}}}}"#,
    )]);
    pricing.on("/", [Answer::file(fixture("getproducts_seoul_page2.json"))]);
    let mut desk = Desk::at(&server.address);
    signed_in(&mut desk, &pricing, &pricing);
    // The table has c5a.large, the page c6g.large; c6g.metal and m9x.large have no price so far.
    let demand = linux(SEOUL, &["c5a.large", "c6g.large", "m9x.large"]);
    let seen = desk.settled(demand.clone()).await;
    let asked = pricing.asked();
    assert_eq!(asked.len(), 1, "{asked:#?}");
    assert!(asked[0].header("authorization").unwrap().starts_with("AWS4-HMAC-SHA256"));
    assert!(asked[0].body.contains("m9x.large") && !asked[0].body.contains("c6g.large"), "{}", asked[0].body);
    assert!(!asked[0].body.contains("c5a.large"), "{}", asked[0].body);
    let state = state(&seen, PriceSource::GetProducts);
    assert!(matches!(state, SourceState::Answered { .. }), "{state:?}");
    assert!(server.asked().iter().all(|asked| asked.header("authorization").is_none()));
}

#[cfg(feature = "aws")]
#[tokio::test]
async fn spot_prices_by_zone_spare_the_feed_and_are_there_at_the_next_start() {
    let (server, ec2) = (PriceServer::start().await, PriceServer::start().await);
    server.on(FEED, [Answer::packed(&fixture("spot_feed.json"))]);
    ec2.on("/", [Answer::file(fixture("spot_history_page2.xml"))]);
    let mut desk = Desk::at(&server.address);
    signed_in(&mut desk, &ec2, &ec2);
    let demand = spot_of(&["c5a.2xlarge"]);
    let seen = desk.settled(demand.clone()).await;
    assert_eq!(answered(&seen), [(PriceSource::SpotHistory, false)]);
    assert!(ec2.asked()[0].body.contains("InstanceType.1=c5a.2xlarge"), "{}", ec2.asked()[0].body);
    assert_eq!(server.connections(), 0);
    let again = desk.settled(demand.clone()).await;
    assert_eq!(answered(&again), [(PriceSource::SpotHistory, true)]);
    assert_eq!(sheets(&again)[0].prices, sheets(&seen)[0].prices);
    assert_eq!(ec2.asked().len(), 1);
    // Another account's zones are others, and another cluster may be in another account.
    desk.options.offline = true;
    desk.options.cluster = Some(prices::ClusterId { region: SEOUL.into(), name: "other".into() });
    assert_eq!(answered(&desk.settled(demand.clone()).await), []);
    desk.options.cluster = None;
    assert_eq!(answered(&desk.settled(demand.clone()).await), [(PriceSource::SpotHistory, true)]);
    desk.options.aws.profile = Some("other".into());
    assert_eq!(answered(&desk.settled(demand).await), []);
}

#[cfg(feature = "aws")]
#[tokio::test]
async fn a_permission_that_is_missing_leaves_the_feed() {
    let (server, ec2) = (PriceServer::start().await, PriceServer::start().await);
    server.on(FEED, [Answer::packed(&fixture("spot_feed.json"))]);
    ec2.on("/", [Answer::file(fixture("spot_history_unauthorized.xml")).with_status(403)]);
    let mut desk = Desk::at(&server.address);
    signed_in(&mut desk, &ec2, &ec2);
    let seen = desk.settled(spot_of(&["c5a.large"])).await;
    let why = SourceState::Off { why: "ec2:DescribeSpotPriceHistory is not allowed".into() };
    assert_eq!(state(&seen, PriceSource::SpotHistory), why);
    assert_eq!(answered(&seen), [(PriceSource::SpotFeed, false)]);
}

// --- the end ---

#[tokio::test]
async fn the_tasks_end_with_their_receiver_and_when_cancelled() {
    let server = PriceServer::start().await;
    server.on(SEOUL_PAGE, [Answer::silence()]);
    let desk = Desk::at(&server.address);
    let wait = Duration::from_secs(30);
    let Started { news, demand: _demand, tasks, .. } = desk.start(seoul());
    drop(news);
    tokio::time::timeout(wait, tasks.join_all()).await.unwrap();
    let Started { news: _news, demand: _demand, cancel, tasks, .. } = desk.start(seoul());
    cancel.cancel();
    tokio::time::timeout(wait, tasks.join_all()).await.unwrap();
}
