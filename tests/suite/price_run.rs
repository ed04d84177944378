//! The program with price sources on loopback: its reports and screens, for every behaviour of the sources.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::apiserver::{self, ApiServer, NODE_METRICS, NODES};
use crate::support::price_server::{Answer, PriceServer, gzip};
use crate::support::pty::{self, Terminal};
use flate2::read::GzDecoder;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use test_case::test_case;
use tokio::sync::Notify;

const SEOUL_PAGE: &str = "/pricing/2.0/meteredUnitMaps/ec2/USD/current/ec2-ondemand-without-sec-sel/Asia%20Pacific%20(Seoul)/Linux/index.json";
const SEOUL_EKS: &str = "/offers/v1.0/aws/AmazonEKS/current/ap-northeast-2/index.json";
const FEED: &str = "/spot.json";

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pricing").join(name)).unwrap()
}

/// A price page with 0.0870 for a type that costs 0.0860 in the table.
fn higher_price() -> Answer {
    let page = String::from_utf8(fixture("meteredunitmaps_ec2_seoul_linux.json")).unwrap();
    assert!(page.contains("0.0860"), "the test's premise");
    Answer::packed(page.replace("0.0860", "0.0870").as_bytes())
}

/// A node of Auto Mode in Seoul.
fn node(name: &str, instance_type: &str, bought: &str) -> Value {
    json!({
        "metadata": {
            "name": name, "uid": format!("uid-{name}"), "resourceVersion": "1", "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": {
                "karpenter.sh/nodepool": "general-purpose", "karpenter.sh/capacity-type": bought,
                "node.kubernetes.io/instance-type": instance_type, "topology.kubernetes.io/region": "ap-northeast-2",
                "topology.kubernetes.io/zone": "ap-northeast-2b", "eks.amazonaws.com/compute-type": "auto",
            },
        },
        "spec": {"providerID": format!("aws:///ap-northeast-2b/{name}")},
        "status": {
            "allocatable": {"cpu": "1930m", "memory": "14Gi", "pods": "58"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        },
    })
}

/// A cluster of two nodes, and AWS's price files and services.
struct Place {
    cluster: ApiServer,
    aws: PriceServer,
    home: tempfile::TempDir,
    more: Vec<(&'static str, String)>,
}

impl Place {
    async fn new() -> Self {
        Self::with_nodes(&[node("i-0a", "c5a.large", "on-demand"), node("i-0b", "c5a.large", "spot")]).await
    }

    async fn with_nodes(nodes: &[Value]) -> Self {
        let cluster = ApiServer::start().await;
        cluster.refuses_streaming_lists();
        cluster.on_list(NODES, [apiserver::Answer::page("7", "", nodes)]);
        cluster.on_all(NODE_METRICS, &apiserver::Answer::status(404, "not there"));
        let home = tempfile::tempdir().unwrap();
        Self { cluster, aws: PriceServer::start().await, home, more: Vec::new() }
    }

    /// All public files are valid; the price page has another price than the table.
    async fn healthy() -> Self {
        let place = Self::new().await;
        place.aws.on(SEOUL_PAGE, [higher_price().header("etag", "\"1\"")]);
        place.aws.on(SEOUL_EKS, [Answer::packed(&fixture("eks_index_ap-northeast-2.json")).header("etag", "\"2\"")]);
        place.aws.on(FEED, [Answer::packed(&fixture("spot_feed.json")).header("etag", "\"3\"")]);
        place
    }

    /// The complete environment of the program: no variables of the host, no AWS credentials.
    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let public = ["PRICE_PAGE_URL", "PRICE_LIST_URL", "SPOT_FEED_URL", "SPOT_ADVISOR_URL"];
        let apis = ["AWS_ENDPOINT_URL_PRICING", "AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL_EKS", "AWS_ENDPOINT_URL_STS"];
        let mut variables: Vec<(&str, OsString)> =
            public.into_iter().chain(apis).map(|name| (name, self.aws.address.clone().into())).collect();
        variables.extend([
            ("HOME", self.home.path().into()),
            ("KUBECONFIG", self.cluster.kubeconfig().into()),
            ("NODEGLASS_PRICING", "auto".into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ]);
        variables.extend(self.more.iter().map(|(name, value)| (*name, value.into())));
        variables
    }

    fn snapshot(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nodeglass"));
        command.args(["snapshot", "-o", "json", "--timeout", "60s"]).env_clear().envs(self.environment());
        command.stdin(Stdio::null());
        command
    }

    /// The prices of both nodes as `snapshot` prints them.
    async fn prices(&self) -> [Value; 2] {
        let mut command = self.snapshot();
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let price = |name: &str| {
            let nodes = report["nodes"].as_array().unwrap();
            nodes.iter().find(|node| node["name"] == name).map_or(Value::Null, |node| node["price"].clone())
        };
        [price("i-0a"), price("i-0b")]
    }

    fn terminal(&self, args: &[&str]) -> Terminal {
        Terminal::start(Path::new(env!("CARGO_BIN_EXE_nodeglass")), args, &self.environment())
    }
}

/// A price as `hourly source`, or `≤instance source` for an upper bound.
fn summary(price: &Value) -> String {
    let source = price["source"].as_str().unwrap();
    price["hourly"].as_str().map_or_else(
        || format!("≤{} {source}", price["at_most"].as_str().unwrap()),
        |hourly| format!("{hourly} {source}"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_has_the_prices_of_today_and_the_next_one_asks_for_none() {
    let place = Place::healthy().await;
    let [on_demand, spot] = place.prices().await;
    assert_eq!(summary(&on_demand), "0.09732 price-page");
    assert_eq!(summary(&spot), "0.04442 spot-feed");
    let asked = place.aws.asked().len();
    assert!(asked >= 3, "{:?}", place.aws.paths());
    let again = place.prices().await;
    assert_eq!([summary(&again[0]), summary(&again[1])], ["0.09732 price-page", "0.04442 spot-feed"]);
    assert_eq!(place.aws.asked().len(), asked, "everything was cached");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_answer_on_the_disk_is_confirmed() {
    let place = Place::healthy().await;
    place.prices().await;
    // The cached answers are of last winter.
    let cache = place.home.path().join(".cache/nodeglass/prices");
    let mut aged = 0;
    for path in fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path()) {
        let mut stored: Value = serde_json::from_reader(GzDecoder::new(fs::File::open(&path).unwrap())).unwrap();
        for sheet in stored["answer"]["sheets"].as_array_mut().unwrap() {
            sheet["fetched"] = json!("2026-01-02T03:04:05Z");
        }
        fs::write(&path, gzip(stored.to_string().as_bytes())).unwrap();
        aged += 1;
    }
    assert_eq!(aged, 3, "page, list and feed");
    let before = place.aws.asked().len();
    let [on_demand, spot] = place.prices().await;
    assert_eq!([summary(&on_demand), summary(&spot)], ["0.09732 price-page", "0.04442 spot-feed"]);
    let asked = place.aws.asked();
    let conditional = asked[before..].iter().filter(|asked| asked.header("if-none-match").is_some()).count();
    assert_eq!(conditional, 3, "{asked:?}");
}

#[test_case(Answer::status(403) ; "refused")]
#[test_case(Answer::status(500) ; "broken")]
#[test_case(Answer::file("<html>hotel</html>") ; "garbage")]
#[test_case(Answer::file("x").torn() ; "a broken connection")]
#[tokio::test(flavor = "multi_thread")]
async fn trouble_of_every_source_leaves_the_table(trouble: Answer) {
    let place = Place::new().await;
    for path in [SEOUL_PAGE, SEOUL_EKS, FEED] {
        place.aws.on(path, [trouble.clone()]);
    }
    let [on_demand, spot] = place.prices().await;
    assert_eq!([summary(&on_demand), summary(&spot)], ["0.09632 embedded", "≤0.09632 embedded"]);
}

/// `--pricing=online` reports that no source answers; the default does not.
#[tokio::test(flavor = "multi_thread")]
async fn with_online_pricing_no_answer_is_an_error() {
    let mut place = Place::new().await;
    place.more = vec![("NODEGLASS_PRICING", "online".to_owned())];
    let mut command = place.snapshot();
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.starts_with("warning: no price source answered: "), "{stderr}");
    assert_eq!((output.status.code(), stderr.lines().count()), (Some(1), 1));
    let mut terminal = place.terminal(&[]);
    terminal.shows("no price source answered");
    terminal.press("q");
    terminal.ends_whole(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_aws_config_still_starts() {
    let mut place = Place::healthy().await;
    let config = place.home.path().join("config");
    fs::write(&config, "[profile \n= nonsense [\n\u{0}").unwrap();
    place.more =
        vec![("AWS_CONFIG_FILE", config.to_string_lossy().into_owned()), ("AWS_PROFILE", "not-there".to_owned())];
    let [on_demand, spot] = place.prices().await;
    assert_eq!([summary(&on_demand), summary(&spot)], ["0.09732 price-page", "0.04442 spot-feed"]);
    let mut terminal = place.terminal(&[]);
    terminal.shows("0.0973");
    terminal.press("q");
    terminal.ends_whole(0);
}

#[cfg_attr(not(feature = "aws"), ignore = "credentials are read by the feature aws")]
#[tokio::test(flavor = "multi_thread")]
async fn with_credentials_spot_is_of_the_zone() {
    let mut place = Place::healthy().await;
    place.more = vec![("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()), ("AWS_SECRET_ACCESS_KEY", "secret".to_owned())];
    let page = |name: &str| Answer::file(fixture(name)).header("content-type", "text/xml");
    place.aws.on("/", [page("spot_history_page1.xml"), page("spot_history_page2.xml")]);
    let [_, spot] = place.prices().await;
    assert_eq!(summary(&spot), "0.04722 spot-history");
}

/// A credential process has an empty standard input: keys belong to the dashboard.
#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread")]
async fn a_credential_process_takes_no_key_from_the_screen() {
    let place = Place::healthy().await;
    let ended = place.home.path().join("ended");
    fs::create_dir(place.home.path().join(".aws")).unwrap();
    let config = format!("[default]\ncredential_process = cat && touch {}\n", ended.display());
    fs::write(place.home.path().join(".aws/config"), config).unwrap();
    let mut terminal = place.terminal(&[]);
    pty::until("the end of its input", || ended.exists().then_some(()), || terminal.text());
    answers_keys_and_ends(&mut terminal);
}

/// The screen appears before prices, works whatever the sources do, and shows late answers.
#[tokio::test(flavor = "multi_thread")]
async fn the_screen_waits_for_no_price() {
    let place = Place::new().await;
    place.aws.on(SEOUL_PAGE, [Answer::silence()]);
    place.aws.on(SEOUL_EKS, [Answer::silence()]);
    let feed = Answer::packed(&fixture("spot_feed.json"));
    place.aws.on(FEED, [feed]);
    let mut terminal = place.terminal(&[]);
    terminal.shows("0.0963");
    // The feed's answer is shown while the page still hangs: 0.0341 and the fee by its share.
    let screen = terminal.shows("0.0444");
    // The text after the page's timeout is tested elsewhere, with time as an argument.
    assert!(!screen.contains("prices not refreshed"), "the page was waited for:\n{screen}");
    answers_keys_and_ends(&mut terminal);
}

/// The program answers keys and quits cleanly.
fn answers_keys_and_ends(terminal: &mut Terminal) {
    terminal.press("?");
    terminal.shows("suspend; fg resumes");
    terminal.press("q");
    terminal.press("q");
    terminal.ends_whole(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_screen_begins_with_the_table_and_goes_on_with_the_price_of_the_day() {
    let place = Place::healthy().await;
    let seen = Arc::new(Notify::new());
    place.aws.on(SEOUL_PAGE, [higher_price().held(&seen)]);
    let mut terminal = place.terminal(&[]);
    terminal.shows("0.0963");
    seen.notify_one();
    terminal.shows("0.0973");
    terminal.press("q");
    terminal.ends_whole(0);
}

#[test_case(Answer::status(503) ; "a refusal")]
#[test_case(Answer::file("<html>\u{1b}[31mgarbage") ; "garbage")]
#[test_case(Answer::packed(&vec![b' '; 20 << 20]) ; "a bomb")]
#[test_case(higher_price().torn() ; "a connection that breaks")]
#[tokio::test(flavor = "multi_thread")]
async fn trouble_leaves_the_screen_on_the_best_price_known(trouble: Answer) {
    let place = Place::new().await;
    place.aws.on(SEOUL_PAGE, [trouble]);
    let mut terminal = place.terminal(&[]);
    terminal.shows("0.0963");
    let asked = || place.aws.paths().contains(&SEOUL_PAGE.to_owned()).then_some(());
    pty::until("a request", asked, || terminal.text());
    // A key is answered as ever, and nothing is written over the screen.
    terminal.press("?");
    terminal.shows("suspend; fg resumes");
    terminal.press("\x1b");
    terminal.until("the price again", |screen| screen.contains("0.0963") && !screen.contains("garbage"));
    terminal.press("q");
    terminal.ends_whole(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_makes_no_requests_and_uses_the_cache() {
    let mut place = Place::healthy().await;
    place.more = vec![("NODEGLASS_PRICING", "offline".to_owned())];
    let [on_demand, spot] = place.prices().await;
    assert_eq!([summary(&on_demand), summary(&spot)], ["0.09632 embedded", "≤0.09632 embedded"]);
    assert_eq!(place.aws.connections(), 0);
    let offline = std::mem::take(&mut place.more);
    place.prices().await;
    let connections = place.aws.connections();
    place.more = offline;
    let [on_demand, spot] = place.prices().await;
    assert_eq!([summary(&on_demand), summary(&spot)], ["0.09732 price-page", "0.04442 spot-feed"]);
    assert_eq!(place.aws.connections(), connections);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_elsewhere_asks_aws_nothing_and_waits_for_nothing() {
    let elsewhere = |name: &str, labels: Value, provider_id: &str| {
        let mut node = node(name, "", "");
        (node["metadata"]["labels"], node["spec"]) = (labels, json!({"providerID": provider_id}));
        node
    };
    let of = |region: &str, instance_type: &str| json!({"topology.kubernetes.io/region": region, "node.kubernetes.io/instance-type": instance_type});
    let mut place = Place::with_nodes(&[
        elsewhere("kind", json!({}), "kind://docker/kind/kind-control-plane"),
        elsewhere("kwok", json!({"node.kubernetes.io/instance-type": "c-4x-amd64-linux"}), "kwok://kwok"),
        elsewhere("google", of("europe-west1", "n2-standard-4"), "gce://project/europe-west1-b/gke-0"),
        // A region of the same name.
        elsewhere("alibaba", of("ap-southeast-1", "ecs.g6.large"), "ap-southeast-1.i-0"),
    ])
    .await;
    // Also with AWS credentials and --pricing=online.
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| (name, "AKIDEXAMPLE".to_owned()));
    place.more = [keys.as_slice(), &[("NODEGLASS_PRICING", "online".to_owned())]].concat();
    let mut command = place.snapshot();
    let began = Instant::now();
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["price_sources"], json!([]));
    assert_eq!(
        (&report["totals"]["price"]["hourly"], &report["totals"]["price"]["unpriced"]),
        (&Value::Null, &json!(4))
    );
    assert_eq!(place.aws.connections(), 0);
}
