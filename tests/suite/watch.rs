//! The live source against a scripted API server: lists, watches, polls and their faults.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::apiserver::{
    Answer, ApiServer, Asked, CLAIMS, EVENTS, End, NODE_METRICS, NODES, PDBS, POD_METRICS, PODS, POOLS, added,
    bookmark, deleted, end_of_list, error, eventually, modified,
};
use crate::support::tls::{Authority, Clients, Front};
use nodeglass::model::{About, Change, Clock, LinkState, PodKey, Provisioner, Stream, Timestamp, Uid};
use nodeglass::source::live::{Connection, Environment, Interest, ListMode, Options, Timing};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const MS: Duration = Duration::from_millis(1);

/// Timeouts in milliseconds, for fast tests of faults.
fn quick() -> Timing {
    Timing {
        backoff_base: 4 * MS,
        backoff_cap: 40 * MS,
        connect: 5000 * MS,
        response: 10_000 * MS,
        no_progress: 10_000 * MS,
        watch_lasted: Duration::ZERO,
        denied_again: 30 * MS,
        absent_again: 30 * MS,
        metrics_every: 20 * MS,
        metrics_again: 30 * MS,
        batch: 5 * MS,
        ..Timing::default()
    }
}

/// A running source, and its changes.
struct Live {
    receiver: mpsc::Receiver<Vec<Change>>,
    seen: Vec<Change>,
    batches: Vec<usize>,
    interest: watch::Sender<Interest>,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Live {
    async fn start(server: &ApiServer) -> Self {
        Self::start_with(server, |_| {}).await
    }

    async fn start_with(server: &ApiServer, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options { timing: quick(), ..Options::default() };
        change(&mut options);
        if options.kubeconfig.is_none() {
            options.kubeconfig = Some(server.kubeconfig());
        }
        Self::connect(&Connection::load(options).await.unwrap())
    }

    fn connect(connection: &Connection) -> Self {
        let (sender, receiver) = mpsc::channel(64);
        let (interest, interested) = watch::channel(Interest::default());
        let cancel = CancellationToken::new();
        let tasks = connection.start(sender, interested, cancel.clone());
        Self { receiver, seen: Vec::new(), batches: Vec::new(), interest, cancel, tasks }
    }

    /// Receives until the changes fulfil a condition.
    async fn until(&mut self, what: &str, holds: impl Fn(&[Change]) -> bool) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        while !holds(&self.seen) {
            match tokio::time::timeout_at(deadline, self.receiver.recv()).await {
                Ok(Some(batch)) => {
                    self.batches.push(batch.len());
                    self.seen.extend(batch);
                }
                Ok(None) => panic!("the source ended before {what}: {:#?}", self.seen),
                Err(tokio::time::error::Elapsed { .. }) => panic!("no {what} within 30 s: {:#?}", self.seen),
            }
        }
    }

    async fn until_link(&mut self, stream: Stream, link: &LinkState) {
        let wanted = Change::Link(stream, link.clone());
        self.until(&format!("{wanted:?}"), |seen| seen.contains(&wanted)).await;
    }

    async fn until_live(&mut self, stream: Stream) {
        self.until_link(stream, &LinkState::Live).await;
    }

    async fn until_trouble(&mut self, stream: Stream, words: &str) {
        self.until(&format!("{stream} in trouble: {words}"), |seen| {
            troubles(seen, stream).iter().any(|why| why.contains(words))
        })
        .await;
    }

    /// The changes of a stream, in short form.
    fn story(&self, stream: Stream) -> Vec<String> {
        self.seen.iter().filter_map(|change| summary(change, stream)).collect()
    }
}

fn summary(change: &Change, stream: Stream) -> Option<String> {
    match change {
        Change::Resync(s) if *s == stream => Some("resync".into()),
        Change::Synced(s) if *s == stream => Some("synced".into()),
        Change::StreamActive(s) if *s == stream => Some("heard".into()),
        Change::Node(node) if stream == Stream::Nodes => Some(format!("+{}", node.name)),
        Change::NodeGone(name, _) if stream == Stream::Nodes => Some(format!("-{name}")),
        Change::Pod(pod) if stream == Stream::Pods => Some(format!("+{}", pod.key.name)),
        Change::PodGone(key, _) if stream == Stream::Pods => Some(format!("-{}", key.name)),
        Change::Claim(claim) if stream == Stream::NodeClaims => Some(format!("+{}", claim.name)),
        Change::Event(event) if stream == Stream::Events => Some(format!("+{}", event.reason)),
        Change::Unreadable { stream: s, object, .. } if *s == stream => Some(format!("?{object}")),
        Change::Link(s, LinkState::Retrying { .. }) if *s == stream => Some("retrying".into()),
        Change::Link(s, LinkState::Live) if *s == stream => Some("live".into()),
        _ => None,
    }
}

fn troubles(seen: &[Change], stream: Stream) -> Vec<&str> {
    let why = |change| match change {
        &Change::Link(s, LinkState::Retrying { ref why, .. }) if s == stream => Some(why.as_str()),
        _ => None,
    };
    seen.iter().filter_map(why).collect()
}

fn node(name: &str, version: &str) -> Value {
    json!({"metadata": {"name": name, "uid": format!("uid-{name}"), "resourceVersion": version}})
}

fn pod(name: &str, cpu: &str) -> Value {
    json!({"metadata": {"namespace": "web", "name": name, "uid": format!("uid-{name}"), "resourceVersion": "1"},
        "spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": cpu}}}]}})
}

fn only(stream: Stream) -> impl FnOnce(&mut Options) {
    move |options| options.streams = Some(vec![stream])
}

fn paged(stream: Stream) -> impl FnOnce(&mut Options) {
    move |options| {
        options.streams = Some(vec![stream]);
        options.list_mode = ListMode::Pages;
    }
}

// --- the connection ---

/// A kubeconfig, a certificate or a key may lie on a file system that is slow to answer.
#[cfg(unix)]
#[tokio::test]
async fn reading_the_kubeconfig_does_not_block_other_tasks() {
    let server = ApiServer::start().await;
    let content = std::fs::read_to_string(server.kubeconfig()).unwrap();
    let pipe = server.dir().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let loading = Connection::load(Options { kubeconfig: Some(pipe.clone()), ..Options::default() });
    tokio::pin!(loading);
    tokio::select! {
        biased;
        _ = &mut loading => panic!("the kubeconfig is not written yet"),
        () = tokio::time::sleep(20 * MS) => {}
    }
    let writer = std::thread::spawn(move || std::fs::write(pipe, content).unwrap());
    assert_eq!(loading.await.unwrap().about().context, "scripted");
    writer.join().unwrap();
}

#[tokio::test]
async fn certificates_and_retries_follow_the_given_clock() {
    let authority = Authority::new("cluster-ca");
    let certificate = authority.sign(&["127.0.0.1"], |_| ());
    let server = ApiServer::start().await;
    let front = Front::start(&certificate, Clients::Any, &server.address).await;
    let ca = server.dir().join("ca.pem");
    std::fs::write(&ca, &authority.pair.certificate).unwrap();
    let kubeconfig = server.kubeconfig();
    let text = std::fs::read_to_string(&kubeconfig).unwrap().replace(
        &format!("server: \"{}\"", server.address),
        &format!("server: \"https://{}\", certificate-authority: \"{}\"", front.address, ca.display()),
    );
    std::fs::write(&kubeconfig, text).unwrap();
    let year_5000: Timestamp = "5000-01-01T00:00:00Z".parse().unwrap();
    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::Nodes]);
        options.kubeconfig = Some(kubeconfig.clone());
        options.clock = Clock::new(move || year_5000);
    })
    .await;
    live.until_trouble(Stream::Nodes, "has expired").await;
    let is_dated =
        |change: &Change| matches!(change, Change::Link(_, LinkState::Retrying { at, .. }) if *at > year_5000);
    assert!(live.seen.iter().any(is_dated), "{:#?}", live.seen);
    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::Nodes]);
        options.kubeconfig = Some(kubeconfig);
    })
    .await;
    live.until_live(Stream::Nodes).await;
}

// --- lists ---

#[tokio::test]
async fn a_streaming_list_is_followed_on_its_own_connection() {
    let server = ApiServer::start().await;
    let list = [added(&node("a", "3")), added(&node("b", "5")), end_of_list("7")];
    server.on_streaming_list(NODES, [Answer::lines(&list, End::Open)]);
    let mut live = Live::start_with(&server, only(Stream::Nodes)).await;
    live.until_live(Stream::Nodes).await;
    server.send(NODES, &modified(&node("a", "8"))).await;
    server.send(NODES, &deleted(&node("b", "9"))).await;
    live.until("the deletion", |seen| seen.contains(&Change::NodeGone("b".into(), Uid::new("uid-b")))).await;
    assert_eq!(live.story(Stream::Nodes), ["resync", "+a", "+b", "synced", "live", "+a", "-b"]);
    assert_eq!(server.asked_for(NODES).len(), 1);
    let query = &server.asked_for(NODES)[0].query;
    for wanted in
        ["watch=true", "sendInitialEvents=true", "resourceVersionMatch=NotOlderThan", "allowWatchBookmarks=true"]
    {
        assert!(query.contains(wanted), "{query}");
    }
}

#[tokio::test]
async fn refused_streaming_list_falls_back() {
    let server = ApiServer::start().await;
    server.refuses_streaming_lists();
    server.on_list(NODES, [Answer::page("7", "", &[node("a", "3")])]);
    server.on_watch(NODES, [Answer::lines(&[error(410, "too old")], End::Proper), Answer::lines(&[], End::Open)]);
    let mut live = Live::start(&server).await;
    for stream in [Stream::Nodes, Stream::Pods, Stream::Events, Stream::NodeClaims, Stream::NodePools, Stream::Pdbs] {
        live.until_live(stream).await;
    }
    live.until("a second list", |seen| seen.iter().filter(|c| **c == Change::Synced(Stream::Nodes)).count() == 2).await;
    let streamed: Vec<_> = server.asked().into_iter().filter(Asked::is_streaming_list).collect();
    assert_eq!(streamed.len(), 1, "one refusal is enough, for every kind and for the session: {streamed:#?}");
    assert_eq!(troubles(&live.seen, Stream::Nodes), Vec::<&str>::new(), "falling back is no trouble");
    let watch = &server.until_asked(NODES, 1, |asked| asked.query.contains("resourceVersion=7")).await[0];
    assert!(watch.is_watch() && !watch.is_list());
}

#[tokio::test]
async fn a_streaming_list_without_an_end_falls_back() {
    let server = ApiServer::start().await;
    // A server before 1.27 ignores the parameters and never marks the end of the list.
    server.on_streaming_list(NODES, [Answer::lines(&[added(&node("a", "3"))], End::Open)]);
    server.on_list(NODES, [Answer::page("7", "", &[node("a", "3")])]);
    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::Nodes]);
        options.timing.no_progress = 100 * MS;
    })
    .await;
    live.until_live(Stream::Nodes).await;
    assert_eq!(live.story(Stream::Nodes), ["resync", "+a", "resync", "+a", "synced", "live"]);
}

#[tokio::test]
async fn a_slow_streaming_list_that_makes_progress_is_waited_for() {
    let server = ApiServer::start().await;
    let mut lines: Vec<Value> = (0..10).map(|n| added(&node(&format!("n{n}"), "3"))).collect();
    lines.push(end_of_list("7"));
    server.on_streaming_list(NODES, [Answer::lines(&lines, End::Open).paced(40 * MS)]);
    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::Nodes]);
        options.timing.no_progress = 300 * MS; // Less than the whole takes.
    })
    .await;
    live.until_live(Stream::Nodes).await;
    assert_eq!(server.asked_for(NODES).len(), 1);
    let progress =
        |change: &Change| matches!(change, Change::Link(Stream::Nodes, LinkState::Syncing { seen }) if *seen > 0);
    assert!(live.seen.iter().any(progress), "{:#?}", live.seen);
}

#[tokio::test]
async fn error_event_in_a_streaming_list_is_retried_then_paged() {
    let server = ApiServer::start().await;
    server.on_streaming_list(
        NODES,
        [Answer::lines(&[added(&node("a", "3")), error(500, "cache is not fresh")], End::Proper)],
    );
    server.on_list(NODES, [Answer::page("7", "", &[node("a", "3"), node("b", "4")])]);
    let mut live = Live::start_with(&server, only(Stream::Nodes)).await;
    live.until_live(Stream::Nodes).await;
    let story = live.story(Stream::Nodes);
    let attempt = ["resync", "+a", "retrying"];
    assert_eq!(story, [&attempt[..], &attempt[..], &["resync", "+a", "+b", "synced", "live"][..]].concat());
    assert_eq!(troubles(&live.seen, Stream::Nodes)[0], "the server failed: cache is not fresh");
}

#[tokio::test]
async fn lists_are_paged() {
    let server = ApiServer::start().await;
    let first: Vec<Value> = (0..500).map(|n| node(&format!("n{n}"), "3")).collect();
    server.on_list(NODES, [Answer::page("7", "to+ken/2=", &first), Answer::page("7", "", &[node("last", "4")])]);
    let mut live = Live::start_with(&server, paged(Stream::Nodes)).await;
    live.until_live(Stream::Nodes).await;
    let queries: Vec<_> = server.asked_for(NODES).into_iter().map(|asked| asked.query).take(2).collect();
    assert_eq!(queries, ["limit=500", "limit=2000&continue=to%2Bken%2F2%3D"], "pages grow and tokens are escaped");
    let story = live.story(Stream::Nodes);
    assert_eq!((story.len(), story[501].as_str()), (1 + 501 + 2, "+last"));
    live.until_link(Stream::Nodes, &LinkState::Syncing { seen: 501 }).await;
}

#[tokio::test]
async fn long_lists_come_in_pages_unless_streaming_is_demanded() {
    let server = ApiServer::start().await;
    let mut live = Live::start(&server).await;
    for (stream, path) in [(Stream::Pods, PODS), (Stream::Events, EVENTS)] {
        live.until_live(stream).await;
        assert!(!server.asked_for(path)[0].is_watch(), "{path}");
    }
    for (stream, path) in [(Stream::Nodes, NODES), (Stream::NodeClaims, CLAIMS), (Stream::Pdbs, PDBS)] {
        live.until_live(stream).await;
        assert!(server.asked_for(path)[0].is_streaming_list(), "{path}");
    }

    let server = ApiServer::start().await;
    server.refuses_streaming_lists();
    let mut live = Live::start_with(&server, |options| options.list_mode = ListMode::Stream).await;
    live.until_trouble(Stream::Pods, "sendInitialEvents is forbidden").await;
    server.until_asked(PODS, 3, Asked::is_streaming_list).await;
    assert!(server.asked_for(PODS).iter().all(Asked::is_streaming_list), "what is demanded is not replaced");
}

#[tokio::test]
async fn a_page_is_handed_on_before_the_next_arrives() {
    let server = ApiServer::start().await;
    server.on_list(NODES, [Answer::page("7", "next", &[node("a", "3")]), Answer::silence()]);
    let mut live = Live::start_with(&server, paged(Stream::Nodes)).await;
    live.until_link(Stream::Nodes, &LinkState::Syncing { seen: 1 }).await;
    assert_eq!(live.story(Stream::Nodes), ["resync", "+a"]);
}

#[tokio::test]
async fn expired_continue_token_restarts_the_list() {
    let server = ApiServer::start().await;
    let (one, two) = ([node("a", "3")], [node("b", "4")]);
    server.on_list(
        NODES,
        [
            Answer::page("7", "next", &one),
            Answer::status(410, "the provided continue parameter is too old"),
            Answer::page("9", "next", &one),
            Answer::page("9", "", &two),
        ],
    );
    let mut live = Live::start_with(&server, paged(Stream::Nodes)).await;
    live.until_live(Stream::Nodes).await;
    assert_eq!(live.story(Stream::Nodes), ["resync", "+a", "resync", "+a", "+b", "synced", "live"]);
    server.until_asked(NODES, 1, |asked| asked.query.contains("resourceVersion=9")).await;
}

#[tokio::test]
async fn a_page_that_fails_is_asked_for_again_and_not_the_list() {
    let server = ApiServer::start().await;
    server.on_list(
        NODES,
        [
            Answer::page("7", "next", &[node("a", "3")]),
            Answer::status(503, "etcd leader changed"),
            Answer::raw(r#"{"items": [{"metadata": {"na"#),
            Answer::page("7", "", &[node("b", "4")]),
        ],
    );
    let mut live = Live::start_with(&server, paged(Stream::Nodes)).await;
    live.until_live(Stream::Nodes).await;
    assert_eq!(live.story(Stream::Nodes), ["resync", "+a", "retrying", "retrying", "+b", "synced", "live"]);
    let whys = troubles(&live.seen, Stream::Nodes);
    assert_eq!(whys[0], "the server failed: etcd leader changed");
    assert_eq!(whys[1], "the answer cannot be read: it ends early (line 1, column 28)");
}

#[tokio::test]
async fn odd_object_does_not_stop_the_list() {
    let server = ApiServer::start().await;
    let odd = json!({"metadata": {"namespace": "web", "name": "odd"}, "spec": {"containers": "none"}});
    server.on_list(PODS, [Answer::page("7", "", &[pod("a", "1"), odd.clone(), pod("b", "1")])]);
    server.on_watch(PODS, [Answer::lines(&[modified(&odd), modified(&pod("a", "2"))], End::Open)]);
    let mut live = Live::start_with(&server, paged(Stream::Pods)).await;
    live.until("the change after the unreadable object", |seen| {
        seen.iter().filter_map(|c| summary(c, Stream::Pods)).count() >= 8
    })
    .await;
    let want = ["resync", "+a", "?web/odd", "+b", "synced", "live", "?web/odd", "+a"];
    assert_eq!(live.story(Stream::Pods), want);
}

#[tokio::test]
async fn bad_quantity_does_not_stop_the_run() {
    let server = ApiServer::start().await;
    server.on_list(PODS, [Answer::page("7", "", &[pod("bad", "1K"), pod("good", "250m")])]);
    let mut live = Live::start_with(&server, paged(Stream::Pods)).await;
    live.until_live(Stream::Pods).await;
    assert_eq!(live.story(Stream::Pods), ["resync", "?web/bad", "+bad", "+good", "synced", "live"]);
    let millicores: Vec<_> = live
        .seen
        .iter()
        .filter_map(|change| match change {
            Change::Pod(pod) => Some(pod.requests.cpu_millicores),
            _ => None,
        })
        .collect();
    assert_eq!(millicores, [0, 250]);
    let problem = live.seen.iter().find_map(|change| match change {
        Change::Unreadable { problem, .. } => Some(problem.as_str()),
        _ => None,
    });
    assert!(problem.is_some_and(|p| p.starts_with("container \"main\", resources.requests: \"1K\"")), "{problem:?}");
}

#[tokio::test]
async fn events_of_the_list_come_in_order_of_time() {
    let server = ApiServer::start().await;
    let event =
        |reason: &str, at: &str| added(&json!({"metadata": {"name": reason}, "reason": reason, "lastTimestamp": at}));
    let list = [
        event("Third", "2026-11-24T08:03:00Z"),
        event("First", "2026-11-24T08:01:00Z"),
        event("Second", "2026-11-24T08:02:00Z"),
        end_of_list("7"),
    ];
    server.on_streaming_list(EVENTS, [Answer::lines(&list, End::Open)]);
    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::Events]);
        options.list_mode = ListMode::Stream;
    })
    .await;
    live.until_live(Stream::Events).await;
    server.send(EVENTS, &deleted(&json!({"metadata": {"name": "First"}}))).await;
    server.send(EVENTS, &bookmark("9")).await;
    live.until("the bookmark", |seen| seen.contains(&Change::StreamActive(Stream::Events))).await;
    let want = ["resync", "+First", "+Second", "+Third", "synced", "live", "heard"];
    assert_eq!(live.story(Stream::Events), want, "and the end of an event's retention is no news");
}

#[tokio::test]
async fn every_stream_is_announced_before_any_begins() {
    let server = ApiServer::start().await;
    let mut live = Live::start(&server).await;
    let first = live.receiver.try_recv().unwrap();
    let links: Vec<_> = first.iter().skip(1).cloned().collect();
    let coming = Stream::ALL.into_iter().filter(|stream| *stream != Stream::PodMetrics && !stream.is_optional());
    assert_eq!(links, coming.map(|stream| Change::Link(stream, LinkState::Connecting)).collect::<Vec<_>>());
    assert!(matches!(&first[0], Change::About(about) if about.context == "scripted"));
}

#[tokio::test]
async fn nodes_come_first_but_nothing_waits_for_ever() {
    let server = ApiServer::start().await;
    server.on_streaming_list(NODES, [Answer::lines(&[end_of_list("7")], End::Open).paced(100 * MS)]);
    let mut live = Live::start(&server).await;
    live.until_live(Stream::Pods).await;
    let asked = server.asked();
    let first = |path: &str| asked.iter().find(|a| a.path == path).unwrap().at;
    assert!(first(PODS) >= first(NODES) + 90 * MS, "pods wait for the list of nodes");

    let stuck = ApiServer::start().await;
    stuck.on_streaming_list(NODES, [Answer::silence()]);
    let mut live = Live::start_with(&stuck, |options| options.timing.nodes_first = 50 * MS).await;
    live.until_live(Stream::Pods).await;
}

// --- watches ---

#[tokio::test]
async fn a_cut_watch_resumes_without_a_list() {
    let server = ApiServer::start().await;
    server.on_streaming_list(NODES, [Answer::lines(&[added(&node("a", "3")), end_of_list("7")], End::Torn)]);
    server.on_watch(
        NODES,
        [
            // The second line is cut in the middle.
            Answer::raw(format!("{}\n{{\"type\":\"ADDED\",\"obj", modified(&node("a", "8")))).ending(End::Torn),
            Answer::lines(&[bookmark("12")], End::Proper),
            Answer::lines(&[], End::Open),
        ],
    );
    let mut live = Live::start_with(&server, only(Stream::Nodes)).await;
    live.until("the change", |seen| seen.iter().filter(|c| matches!(c, Change::Node(_))).count() == 2).await;
    let asked = server.until_asked(NODES, 3, |asked| !asked.is_list()).await;
    for (asked, version) in asked.iter().zip(["7", "8", "12"]) {
        assert!(
            asked.query.contains(&format!("resourceVersion={version}&")) || asked.query.ends_with(version),
            "{asked:?}"
        );
    }
    assert_eq!(server.asked_for(NODES).iter().filter(|asked| asked.is_list()).count(), 1);
    let story: Vec<_> =
        live.story(Stream::Nodes).into_iter().filter(|change| change != "live" && change != "heard").collect();
    assert_eq!(story, ["resync", "+a", "synced", "+a"], "no error is reported");
}

#[tokio::test]
async fn a_watch_that_ends_at_once_is_retried_with_backoff() {
    let server = ApiServer::start().await;
    server.on_watch(NODES, [Answer::lines(&[], End::Proper)]);
    server.on_streaming_list(NODES, [Answer::lines(&[end_of_list("7")], End::Proper)]);
    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::Nodes]);
        options.timing.watch_lasted = 10_000 * MS;
        options.timing.backoff_base = 20_000 * MS;
        options.timing.backoff_cap = 20_000 * MS;
    })
    .await;
    live.until_trouble(Stream::Nodes, "the server ended the answer early").await;
    assert_eq!(server.asked_for(NODES).len(), 1);
}

#[tokio::test]
async fn steady_state_makes_no_list_request() {
    let server = ApiServer::start().await;
    let mut live = Live::start(&server).await;
    let streams = [
        (Stream::Nodes, NODES),
        (Stream::Pods, PODS),
        (Stream::Events, EVENTS),
        (Stream::NodeClaims, CLAIMS),
        (Stream::NodePools, POOLS),
        (Stream::Pdbs, PDBS),
    ];
    for (stream, path) in streams {
        live.until_live(stream).await;
        // Watches end all the time; bookmarks keep their version fresh.
        server.send(path, &bookmark("20")).await;
        server.end(path).await;
        server.until_asked(path, 1, |asked| asked.query.contains("resourceVersion=20")).await;
        server.end(path).await;
        server.until_asked(path, 2, |asked| asked.query.contains("resourceVersion=20")).await;
        assert_eq!(server.asked_for(path).iter().filter(|asked| asked.is_list()).count(), 1, "{path}");
    }
}

#[tokio::test]
async fn an_expired_version_lists_again_and_keeps_the_state() {
    for expired in
        [Answer::status(410, "too old"), Answer::lines(&[error(410, "too old resource version")], End::Proper)]
    {
        let server = ApiServer::start().await;
        server.on_streaming_list(
            NODES,
            [
                Answer::lines(&[added(&node("a", "3")), end_of_list("7")], End::Proper),
                Answer::lines(&[added(&node("b", "30")), end_of_list("31")], End::Open),
            ],
        );
        server.on_watch(NODES, [expired]);
        let mut live = Live::start_with(&server, only(Stream::Nodes)).await;
        live.until("a second list", |seen| seen.iter().filter(|c| **c == Change::Synced(Stream::Nodes)).count() == 2)
            .await;
        let story: Vec<_> =
            live.story(Stream::Nodes).into_iter().filter(|change| change != "live" && change != "heard").collect();
        assert_eq!(
            story,
            ["resync", "+a", "synced", "resync", "+b", "synced"],
            "nothing is taken away before the sweep"
        );
    }
}

#[tokio::test]
async fn an_unreadable_watch_line_is_skipped_by_a_resume_then_by_a_list() {
    let server = ApiServer::start().await;
    server.on_streaming_list(
        NODES,
        [
            Answer::lines(&[added(&node("a", "3")), end_of_list("7")], End::Proper),
            Answer::lines(&[added(&node("a", "9")), end_of_list("9")], End::Open),
        ],
    );
    server.on_watch(NODES, [Answer::raw("<html>gateway</html>\n")]);
    let mut live = Live::start_with(&server, only(Stream::Nodes)).await;
    live.until("a second list", |seen| seen.iter().filter(|c| **c == Change::Synced(Stream::Nodes)).count() == 2).await;
    assert_eq!(server.asked_for(NODES).iter().filter(|asked| !asked.is_list()).count(), 2, "one resume, then a list");
    assert!(troubles(&live.seen, Stream::Nodes)[0].starts_with("the answer cannot be read: "));
}

#[tokio::test]
async fn half_open_connection_is_noticed() {
    let server = ApiServer::start().await;
    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::Nodes]);
        options.timing.watch_seconds = 0..0;
        options.timing.watch_grace = 60 * MS;
    })
    .await;
    live.until_trouble(Stream::Nodes, "nothing heard").await;
    let resumed = server.until_asked(NODES, 2, |asked| !asked.is_list()).await;
    assert!(resumed.iter().all(|asked| asked.query.contains("resourceVersion=1")), "{resumed:#?}");
    assert_eq!(server.asked_for(NODES).iter().filter(|asked| asked.is_list()).count(), 1);
}

#[tokio::test]
async fn bookmarks_make_a_dead_connection_noticed_sooner() {
    let server = ApiServer::start().await;
    server.on_streaming_list(NODES, [Answer::lines(&[end_of_list("7"), bookmark("8")], End::Open)]);
    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::Nodes]);
        options.timing.bookmark_silence = 80 * MS; // The watch itself would last minutes.
    })
    .await;
    live.until_trouble(Stream::Nodes, "nothing heard").await;
    server.until_asked(NODES, 1, |asked| asked.query.contains("resourceVersion=8")).await;
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up() {
    let server = ApiServer::start().await;
    server.on_list(NODES, [Answer::silence(), Answer::page("7", "", &[])]);
    let mut live = Live::start_with(&server, |options| {
        paged(Stream::Nodes)(options);
        options.timing.response = 80 * MS;
    })
    .await;
    live.until_live(Stream::Nodes).await;
    assert_eq!(troubles(&live.seen, Stream::Nodes), ["nothing heard for 1 s"]);
}

// --- refusals ---

#[tokio::test]
async fn one_denied_stream_leaves_others_live() {
    let server = ApiServer::start().await;
    let message = "pods is forbidden: User \"reader\" cannot list resource \"pods\"";
    server.on_all(PODS, &Answer::status(403, message));
    let mut live = Live::start(&server).await;
    live.until_link(Stream::Pods, &LinkState::Denied { message: message.into() }).await;
    for stream in [Stream::Nodes, Stream::Events, Stream::NodeClaims, Stream::NodePools, Stream::Pdbs] {
        live.until_live(stream).await;
    }
}

#[tokio::test]
async fn denied_stream_is_one_status_entry() {
    let server = ApiServer::start().await;
    server.on_all(CLAIMS, &Answer::status(403, "nodeclaims.karpenter.sh is forbidden"));
    let mut live = Live::start_with(&server, only(Stream::NodeClaims)).await;
    let denied = LinkState::Denied { message: "nodeclaims.karpenter.sh is forbidden".into() };
    live.until_link(Stream::NodeClaims, &denied).await;
    // It is retried, since roles may change, and reported only if the answer changes.
    server.until_asked(CLAIMS, 3, |_| true).await;
    server.heal(CLAIMS);
    live.until_live(Stream::NodeClaims).await;
    // The right may come between the two requests of one try, of which the first is a watch.
    let links = live.seen.iter().filter(|change| matches!(change, Change::Link(_, link) if link.word() != "polled"));
    let states: Vec<_> = links.cloned().collect();
    let links = [LinkState::Connecting, denied, LinkState::Syncing { seen: 0 }, LinkState::Live];
    assert_eq!(states, links.map(|link| Change::Link(Stream::NodeClaims, link)));
}

#[tokio::test]
async fn starts_with_only_node_permission() {
    let server = ApiServer::start().await;
    server.on_streaming_list(NODES, [Answer::lines(&[added(&node("a", "3")), end_of_list("7")], End::Open)]);
    for path in [PODS, EVENTS, CLAIMS, POOLS, PDBS, NODE_METRICS, "/version", "/apis"] {
        server.on_all(path, &Answer::status(403, "forbidden"));
    }
    let mut live = Live::start(&server).await;
    live.until_live(Stream::Nodes).await;
    assert_eq!(live.story(Stream::Nodes), ["resync", "+a", "synced", "live"]);
    for stream in
        [Stream::Pods, Stream::Events, Stream::NodeClaims, Stream::NodePools, Stream::Pdbs, Stream::NodeMetrics]
    {
        live.until_link(stream, &LinkState::Denied { message: "forbidden".into() }).await;
    }
}

#[tokio::test]
async fn absent_kinds_are_asked_for_again() {
    let server = ApiServer::start().await;
    server.on_all(CLAIMS, &Answer::status(404, "the server could not find the requested resource"));
    let mut live = Live::start(&server).await;
    live.until_link(Stream::NodeClaims, &LinkState::Absent).await;
    let claim = json!({"metadata": {"name": "default-8q7xk", "resourceVersion": "3"}});
    server.on_streaming_list(CLAIMS, [Answer::lines(&[added(&claim), end_of_list("7")], End::Open)]);
    live.until_live(Stream::NodeClaims).await;
    assert_eq!(live.story(Stream::NodeClaims), ["resync", "+default-8q7xk", "synced", "live"]);
}

#[tokio::test]
async fn a_denied_kind_that_the_server_does_not_have_is_absent() {
    let server = ApiServer::start().await;
    for path in [CLAIMS, POOLS, PODS, NODE_METRICS] {
        server.on_all(path, &Answer::status(403, "forbidden"));
    }
    let missing = Answer::status(404, "the server could not find the requested resource");
    let (karpenter, metrics) = ("/apis/karpenter.sh/v1", "/apis/metrics.k8s.io/v1beta1");
    server.on_list(karpenter, [missing.clone()]);
    server.on_list(metrics, [missing]);
    let mut live = Live::start(&server).await;
    let denied = LinkState::Denied { message: "forbidden".into() };
    for stream in [Stream::NodeClaims, Stream::NodePools, Stream::NodeMetrics] {
        live.until_link(stream, &LinkState::Absent).await;
        assert!(!live.seen.contains(&Change::Link(stream, denied.clone())), "{stream}: {:#?}", live.seen);
    }
    live.until_link(Stream::Pods, &denied).await;
    // The definition of claims is installed, that of nodepools not yet; the server of metrics is registered and down.
    server.on_list(karpenter, [Answer::json(&json!({"resources": [{"name": "nodeclaims"}]}))]);
    server.on_list(metrics, [Answer::status(503, "no endpoints")]);
    live.until_link(Stream::NodeClaims, &denied).await;
    live.until_link(Stream::NodeMetrics, &denied).await;
    assert!(!live.seen.contains(&Change::Link(Stream::NodePools, denied)), "{:#?}", live.seen);
    server.heal(CLAIMS);
    live.until_live(Stream::NodeClaims).await;
}

#[tokio::test]
async fn a_kind_that_may_be_listed_and_not_watched_is_listed_again_and_again() {
    for (stream, path) in [(Stream::Nodes, NODES), (Stream::NodeClaims, CLAIMS)] {
        let server = ApiServer::start().await;
        let message = "User \"reader\" cannot watch resource";
        server.on_streaming_list(path, [Answer::status(403, message)]);
        server.on_watch(path, [Answer::status(403, message)]);
        server.on_list(path, [Answer::page("7", "", &[node("a", "3")])]);
        let mut live = Live::start_with(&server, |options| {
            options.streams = Some(vec![stream]);
            options.timing.list_again = 10 * MS;
        })
        .await;
        live.until("a third list", |seen| seen.iter().filter(|c| **c == Change::Synced(stream)).count() == 3).await;
        let list = |name: &'static str| ["resync", name, "synced"];
        let story: Vec<_> = live.story(stream).into_iter().take(9).collect();
        assert_eq!(story, [list("+a"), list("+a"), list("+a")].concat());
        let links: Vec<_> = live.seen.iter().filter(|change| matches!(change, Change::Link(..))).cloned().collect();
        let polled = LinkState::Polled { message: message.into() };
        let syncing = |seen| LinkState::Syncing { seen };
        let once = [LinkState::Connecting, syncing(0), syncing(1), polled.clone(), polled.clone(), polled];
        assert_eq!(links[..6], once.map(|link| Change::Link(stream, link)), "one list after the other is no news");
        let streamed = server.asked_for(path).into_iter().filter(Asked::is_streaming_list).count();
        assert_eq!(streamed, 1, "a list that is streamed is a watch: it is not tried again and again");
        server.on_list(path, [Answer::page("8", "", &[node("b", "4")])]);
        live.until("what is new", |seen| seen.iter().filter_map(|c| summary(c, stream)).any(|change| change == "+b"))
            .await;
        // The right to watch is given.
        server.on_watch(path, [Answer::lines(&[], End::Open)]);
        live.until_live(stream).await;
        server.send(path, &deleted(&node("b", "9"))).await;
    }
}

#[tokio::test]
async fn a_right_to_watch_that_is_taken_away_leaves_the_list() {
    let server = ApiServer::start().await;
    server.on_list(PODS, [Answer::page("7", "", &[pod("a", "1")])]);
    server.on_watch(PODS, [Answer::lines(&[bookmark("9")], End::Open), Answer::status(403, "cannot watch")]);
    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::Pods]);
        options.timing.list_again = 10 * MS;
    })
    .await;
    live.until("the bookmark", |seen| seen.contains(&Change::StreamActive(Stream::Pods))).await;
    server.end(PODS).await;
    live.until_link(Stream::Pods, &LinkState::Polled { message: "cannot watch".into() }).await;
    // And then the right to list.
    server.on_list(PODS, [Answer::status(403, "cannot list")]);
    live.until_link(Stream::Pods, &LinkState::Denied { message: "cannot list".into() }).await;
}

#[tokio::test]
async fn every_timestamp_of_the_server_is_converted_to_the_local_clock() {
    const AT: &str = "2026-11-24T08:00:00Z";
    let server = ApiServer::start().await;
    server.set_clock_ahead(-6 * 3600);
    let conditions = json!([{"type": "Ready", "status": "True", "lastTransitionTime": AT}]);
    let meta = json!({"namespace": "web", "name": "a", "uid": "uid-a", "resourceVersion": "3", "creationTimestamp": AT,
        "deletionTimestamp": AT, "annotations": {"karpenter.sh/nodeclaim-termination-timestamp": AT}});
    let object =
        json!({"metadata": meta, "status": {"conditions": conditions, "startTime": AT, "lastPodEventTime": AT}});
    let event = json!({"metadata": {"name": "e", "uid": "uid-e", "creationTimestamp": AT}, "reason": "Made",
        "firstTimestamp": AT, "lastTimestamp": AT});
    for path in [NODES, PODS, CLAIMS, POOLS] {
        server.on_list(path, [Answer::page("7", "", std::slice::from_ref(&object))]);
    }
    server.on_list(EVENTS, [Answer::page("7", "", &[event])]);
    let usage = json!({"metadata": {"name": "a"}, "timestamp": AT, "window": "20s", "usage": {"cpu": "1"}});
    server.on_list(NODE_METRICS, [Answer::json(&json!({"items": [usage]}))]);
    let mut live = Live::start_with(&server, |options| options.list_mode = ListMode::Pages).await;
    let streams =
        [Stream::Nodes, Stream::Pods, Stream::NodeClaims, Stream::NodePools, Stream::Events, Stream::NodeMetrics];
    for stream in streams {
        live.until_live(stream).await;
    }
    let mut moved = 0;
    let dated = |change: &&Change| {
        matches!(
            change,
            Change::Node(_)
                | Change::Pod(_)
                | Change::Claim(_)
                | Change::Pool(_)
                | Change::Event(_)
                | Change::NodeUsage(_)
        )
    };
    for change in live.seen.iter().filter(dated) {
        let text = serde_json::to_string(change).unwrap();
        assert!(!text.contains("2026-11-24T08:"), "{text}");
        moved += text.matches("2026-11-24T14:0").count() + text.matches("2026-11-24T13:59").count();
    }
    assert!(moved >= 16, "{moved} moments were moved: {:#?}", live.seen);
}

#[tokio::test]
async fn a_clock_that_is_set_dates_everything_anew() {
    let server = ApiServer::start().await;
    let mut dated = node("a", "3");
    dated["metadata"]["creationTimestamp"] = json!("2026-11-24T08:00:00Z");
    server.on_streaming_list(NODES, [Answer::lines(&[added(&dated), end_of_list("7")], End::Open)]);
    let mut live = Live::start_with(&server, only(Stream::Nodes)).await;
    live.until_live(Stream::Nodes).await;
    let created = |seen: &[Change]| {
        let created = |change: &Change| match change {
            Change::Node(node) => Some(node.created.as_second()),
            _ => None,
        };
        seen.iter().filter_map(created).collect::<Vec<_>>()
    };
    let first = created(&live.seen);
    assert_eq!(first.len(), 1);
    server.set_clock_ahead(3600);
    // Two answers that agree: one alone may be a stale page of a proxy.
    for watches in 1..=2 {
        server.end(NODES).await;
        server.until_asked(NODES, watches, |asked| !asked.is_list()).await;
    }
    live.until("another list", |seen| created(seen).len() == 2).await;
    let moved = first[0] - created(&live.seen)[1];
    assert!((3590..=3610).contains(&moved), "{moved}");
}

#[tokio::test]
async fn each_outage_starts_with_a_short_wait() {
    const OUTAGES: usize = 5;
    let server = ApiServer::start().await;
    let down = Answer::status(503, "the server is starting");
    let outage = [down.clone(), down.clone(), down, Answer::lines(&[], End::Open)];
    server.on_watch(NODES, std::iter::repeat_n(outage, OUTAGES).flatten());
    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::Nodes]);
        options.timing.backoff_base = 40 * MS;
        // Waits that grew from outage to outage would be of minutes before the last one is over.
        options.timing.backoff_cap = 600_000 * MS;
        options.timing.good_spell = 30 * MS;
    })
    .await;
    live.until_live(Stream::Nodes).await;
    for outage in 1..=OUTAGES {
        server.end(NODES).await;
        server.until_asked(NODES, 4 * outage, |asked| !asked.is_list()).await;
        tokio::time::sleep(60 * MS).await;
    }
}

#[tokio::test]
async fn metrics_follow_soon_when_the_server_comes_back() {
    let server = ApiServer::start().await;
    let (away, denied) = (Answer::status(503, "starting"), Answer::status(403, "roles are not read yet"));
    server.on_list(NODE_METRICS, [away.clone(), denied, away, Answer::json(&json!({"items": []}))]);
    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::NodeMetrics]);
        options.timing.metrics_again = 600_000 * MS;
    })
    .await;
    live.until_live(Stream::NodeMetrics).await;
    assert!(live.seen.contains(&Change::NodeUsage(Vec::new())), "nothing measured yet is a reading: {:#?}", live.seen);
}

#[tokio::test]
async fn claim_stream_recovers_after_first_error() {
    let server = ApiServer::start().await;
    let ok = Answer::lines(&[end_of_list("7")], End::Open);
    server.on_streaming_list(CLAIMS, [Answer::status(500, "etcdserver: request timed out"), ok]);
    let mut live = Live::start(&server).await;
    live.until_live(Stream::NodeClaims).await;
    assert_eq!(troubles(&live.seen, Stream::NodeClaims), ["the server failed: etcdserver: request timed out"]);
}

#[tokio::test]
async fn a_busy_server_is_left_alone_as_long_as_it_asks() {
    let server = ApiServer::start().await;
    let busy = Answer::status(429, "too many requests").header("retry-after", "1");
    server.on_streaming_list(NODES, [busy, Answer::lines(&[end_of_list("7")], End::Open)]);
    let mut live = Live::start_with(&server, only(Stream::Nodes)).await;
    live.until_live(Stream::Nodes).await;
    assert_eq!(troubles(&live.seen, Stream::Nodes), ["the server is busy: too many requests"]);
    let asked = server.asked_for(NODES);
    assert!(asked.len() == 2 && asked[1].at - asked[0].at >= 1000 * MS, "{asked:#?}");
    assert!(asked[1].is_streaming_list(), "being busy is no refusal of streaming lists");
}

#[tokio::test]
async fn an_unreachable_server_has_a_readable_error() {
    let server = ApiServer::start().await;
    let kubeconfig = server.kubeconfig();
    let text = std::fs::read_to_string(&kubeconfig).unwrap().replace(&server.address, "http://127.0.0.1:1");
    std::fs::write(&kubeconfig, text).unwrap();
    let mut live = Live::start_with(&server, |options| {
        options.kubeconfig = Some(kubeconfig);
        options.timing.nodes_first = 20 * MS;
    })
    .await;
    live.until_trouble(Stream::Nodes, "cannot reach http://127.0.0.1:1: Connection refused").await;
    live.until_trouble(Stream::Pods, "cannot reach http://127.0.0.1:1: Connection refused").await;
}

// --- credentials ---

#[tokio::test]
async fn rejected_credentials_name_the_user() {
    let server = ApiServer::start().await;
    server.on_all(NODES, &Answer::status(401, "Unauthorized"));
    let mut live = Live::start_with(&server, only(Stream::Nodes)).await;
    live.until_trouble(Stream::Nodes, "kubeconfig user \"reader\" is not accepted (401): Unauthorized").await;
    server.heal(NODES);
    live.until_live(Stream::Nodes).await;
}

/// A kubeconfig whose user has a plugin: a shell script.
#[cfg(unix)]
async fn with_plugin(server: &ApiServer, script: &str) -> Connection {
    with_plugin_for(server, script, Some(vec![Stream::Nodes]), quick()).await
}

#[cfg(unix)]
async fn with_plugin_for(server: &ApiServer, script: &str, streams: Option<Vec<Stream>>, timing: Timing) -> Connection {
    let path = server.dir().join("plugin.sh");
    std::fs::write(&path, script).unwrap();
    let user = format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: [\"{}\"], interactiveMode: IfAvailable}}",
        path.display()
    );
    let environment = Environment { interactive: true, ..Environment::default() };
    let kubeconfig = Some(server.kubeconfig_of(&user));
    Connection::load(Options { kubeconfig, environment, streams, timing, ..Options::default() }).await.unwrap()
}

/// A plugin whose n-th run gives the token `tn`, which ends after so many seconds.
#[cfg(unix)]
fn counting_plugin(server: &ApiServer, seconds: i64) -> String {
    let expires = Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    format!(
        r#"echo run >> {0}; printf '{{"kind":"ExecCredential","status":{{"token":"t%d","expirationTimestamp":"{expires}"}}}}' "$(wc -l < {0})""#,
        server.dir().join("runs").display()
    )
}

/// How often it ran.
#[cfg(unix)]
fn plugin_runs(server: &ApiServer) -> usize {
    std::fs::read_to_string(server.dir().join("runs")).unwrap().lines().count()
}

#[cfg(unix)]
fn tokens(server: &ApiServer) -> Vec<String> {
    server.asked_for(NODES).into_iter().map(|asked| asked.headers["authorization"].clone()).collect()
}

#[cfg(unix)]
#[tokio::test]
async fn rejected_token_runs_the_plugin_again() {
    let server = ApiServer::start().await;
    let ok = Answer::lines(&[end_of_list("7")], End::Open);
    server.on_streaming_list(NODES, [Answer::status(401, "Unauthorized"), ok]);
    let mut live = Live::connect(&with_plugin(&server, &counting_plugin(&server, 3600)).await);
    live.until_live(Stream::Nodes).await;
    assert_eq!(tokens(&server), ["Bearer t1", "Bearer t2"]);
    assert_eq!(plugin_runs(&server), 2, "one run for one token");
}

#[cfg(unix)]
#[tokio::test]
async fn credentials_that_end_are_renewed_before_they_do() {
    let server = ApiServer::start().await;
    let mut live = Live::connect(&with_plugin(&server, &counting_plugin(&server, 30)).await);
    live.until_live(Stream::Nodes).await;
    server.end(NODES).await;
    server.until_asked(NODES, 2, |_| true).await;
    assert_ne!(tokens(&server)[0], tokens(&server)[1]);
    assert_eq!(troubles(&live.seen, Stream::Nodes), Vec::<&str>::new());
}

#[cfg(unix)]
#[tokio::test]
async fn a_failing_plugin_is_not_run_by_every_stream() {
    let server = ApiServer::start().await;
    let script = format!("echo run >> {}; echo 'log in first' >&2; exit 1", server.dir().join("runs").display());
    let timing = Timing { backoff_cap: 60_000 * MS, nodes_first: MS, ..quick() };
    let mut live = Live::connect(&with_plugin_for(&server, &script, None, timing).await);
    for stream in [Stream::Nodes, Stream::Pods, Stream::Events, Stream::NodeClaims, Stream::NodePools, Stream::Pdbs] {
        live.until_trouble(stream, "log in first").await;
    }
    assert_eq!(plugin_runs(&server), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn credential_plugin_cannot_touch_the_screen() {
    let server = ApiServer::start().await;
    let (info, input) = (server.dir().join("info"), server.dir().join("input"));
    // It writes its input to files, waits for an answer, prints an error, and fails.
    let script = format!(
        r#"test -e {0} || printf '%s' "$KUBERNETES_EXEC_INFO" > {0}; cat > {1}; echo 'Press any key to log in' >&2; exit 3"#,
        info.display(),
        input.display()
    );
    let mut live = Live::connect(&with_plugin(&server, &script).await);
    live.until_trouble(Stream::Nodes, "Press any key to log in").await;
    let info: Value = serde_json::from_slice(&std::fs::read(info).unwrap()).unwrap();
    assert_eq!(info["spec"]["interactive"], false);
    assert_eq!(info["apiVersion"], "client.authentication.k8s.io/v1");
    assert_eq!(std::fs::read(input).unwrap(), b"", "its stdin is closed");
    let why = troubles(&live.seen, Stream::Nodes)[0];
    assert!(why.starts_with("kubeconfig user \"reader\": the credential plugin \"sh\" failed"), "{why}");
    assert_eq!(server.asked_for(NODES).len(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn the_first_run_of_a_plugin_may_ask_and_its_token_serves() {
    let server = ApiServer::start().await;
    let info = server.dir().join("info");
    let script = format!(
        r#"printf '%s\n' "$KUBERNETES_EXEC_INFO" >> {}; printf '{{"status":{{"token":"asked","expirationTimestamp":"2999-01-01T00:00:00Z"}}}}'"#,
        info.display()
    );
    let connection = with_plugin(&server, &script).await;
    assert!(connection.needs_sign_in());
    connection.sign_in().await.unwrap();
    let mut live = Live::connect(&connection);
    live.until_live(Stream::Nodes).await;
    let info = std::fs::read_to_string(info).unwrap();
    assert_eq!(info.lines().count(), 1, "{info}");
    assert!(info.contains(r#""interactive":true"#), "{info}");
    assert_eq!(server.asked_for(NODES)[0].headers["authorization"], "Bearer asked");
}

// --- what is asked ---

#[tokio::test]
async fn only_needed_kinds_are_watched() {
    let server = ApiServer::start().await;
    let mut live = Live::start(&server).await;
    for stream in [Stream::Nodes, Stream::Pods, Stream::Events, Stream::NodeClaims, Stream::NodePools, Stream::Pdbs] {
        live.until_live(stream).await;
    }
    live.until_live(Stream::NodeMetrics).await;
    let paths: BTreeSet<_> = server.asked().into_iter().map(|asked| asked.path).collect();
    let want = ["/version", "/apis", NODES, PODS, EVENTS, CLAIMS, POOLS, PDBS, NODE_METRICS];
    assert_eq!(paths, want.map(str::to_owned).into());
    assert!(server.asked().iter().all(|asked| asked.method == "GET"), "verbs are get, list and watch alone");

    let server = ApiServer::start().await;
    let mut live = Live::start_with(&server, |options| options.streams = Some(vec![Stream::Nodes, Stream::Pods])).await;
    live.until_live(Stream::Nodes).await;
    live.until_live(Stream::Pods).await;
    let paths: BTreeSet<_> = server.asked().into_iter().map(|asked| asked.path).collect();
    assert!(paths.is_subset(&["/version", "/apis", NODES, PODS].map(str::to_owned).into()), "{paths:?}");
}

#[tokio::test]
async fn requests_have_user_agent_selectors_and_credentials() {
    let server = ApiServer::start().await;
    let mut live =
        Live::start_with(&server, |options| options.node_selector = "karpenter.sh/nodepool in (a,b)".into()).await;
    live.until_live(Stream::Pods).await;
    let nodes = &server.asked_for(NODES)[0];
    assert!(nodes.query.ends_with("&labelSelector=karpenter.sh%2Fnodepool%20in%20%28a%2Cb%29"), "{}", nodes.query);
    assert_eq!(nodes.headers["user-agent"], concat!("nodeglass/", env!("CARGO_PKG_VERSION")));
    assert_eq!(nodes.headers["authorization"], "Bearer reader-token");
    assert_eq!(nodes.headers["accept-encoding"], "identity", "a compressed watch cannot be read");
    let pods = &server.asked_for(PODS)[0].query;
    assert!(pods.ends_with("&fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed"), "{pods}");
    let version = &server.until_asked("/version", 1, |_| true).await[0];
    assert_eq!(version.headers["accept-encoding"], "gzip");
}

#[tokio::test]
async fn the_cluster_introduces_itself() {
    let server = ApiServer::start().await;
    let groups = json!({"groups": [
        {"name": "karpenter.sh", "versions": [{"version": "v1"}]},
        {"name": "eks.amazonaws.com", "versions": [{"version": "v1"}]}]});
    server.on_list("/apis", [Answer::json(&json!({"groups": []})), Answer::json(&groups)]);
    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(Vec::new());
        options.timing.discovery_every = 20 * MS;
    })
    .await;
    let about = |version: &str, provisioners: Vec<Provisioner>| {
        Change::About(About {
            context: "scripted".into(),
            server: server.address.clone(),
            version: version.into(),
            provisioners,
        })
    };
    let want = [about("", vec![]), about("1.36", vec![]), about("1.36", vec![Provisioner::AutoMode])];
    live.until("Auto Mode", |seen| seen.len() == 3).await;
    assert_eq!(live.seen, want, "sent once when more is known, and when it changes");
}

// --- pods are summed by the version of their server ---

/// A pod whose cpu is 200 millicores by the rule before Kubernetes 1.37, and 300 since.
fn resized_pod() -> Value {
    let mut pod = pod("web", "200m");
    pod["status"] =
        json!({"phase": "Running", "containerStatuses": [{"name": "main", "allocatedResources": {"cpu": "300m"}}]});
    pod
}

fn version(minor: &str) -> Answer {
    Answer::json(&json!({"major": "1", "minor": minor}))
}

/// The cpu of every pod that was seen, in order.
fn cpu_of_pods(seen: &[Change]) -> Vec<u64> {
    let cpu = |change: &Change| if let Change::Pod(pod) = change { Some(pod.requests.cpu_millicores) } else { None };
    seen.iter().filter_map(cpu).collect()
}

#[tokio::test]
async fn pods_are_summed_by_the_rule_of_the_servers_version() {
    for (minor, cpu) in [("36", 200), ("36+", 200), ("37", 300), ("37+", 300), ("38", 300)] {
        let server = ApiServer::start().await;
        server.on_all("/version", &version(minor));
        server.on_list(PODS, [Answer::page("7", "", &[resized_pod()])]);
        server.on_watch(PODS, [Answer::lines(&[modified(&resized_pod())], End::Open)]);
        let mut live = Live::start_with(&server, only(Stream::Pods)).await;
        live.until("list and watch", |seen| cpu_of_pods(seen).len() == 2).await;
        assert_eq!(cpu_of_pods(&live.seen), [cpu; 2], "{minor}");
    }
}

#[tokio::test]
async fn pods_wait_for_a_version_that_comes_late() {
    let server = ApiServer::start().await;
    server.on_list("/version", [Answer::status(503, "not yet"), version("36").paced(300 * MS)]);
    server.on_list(PODS, [Answer::page("7", "", &[resized_pod()])]);
    let mut live = Live::start_with(&server, only(Stream::Pods)).await;
    live.until_live(Stream::Pods).await;
    assert_eq!(cpu_of_pods(&live.seen), [200], "read once, by the right rule");
    let at = |found: &dyn Fn(&Change) -> bool| live.seen.iter().position(found);
    let introduced = at(&|change| matches!(change, Change::About(about) if about.version == "1.36")).unwrap();
    let live = at(&|change| *change == Change::Link(Stream::Pods, LinkState::Live)).unwrap();
    assert!(introduced < live, "the version is known when all pods are listed: {introduced} {live}");
}

#[tokio::test]
async fn a_server_that_refuses_its_version_is_taken_for_a_new_one() {
    for refusal in [Answer::status(403, "forbidden"), Answer::status(404, "no such page"), Answer::raw("<html>")] {
        let server = ApiServer::start().await;
        server.on_all("/version", &refusal);
        server.on_list(PODS, [Answer::page("7", "", &[resized_pod()])]);
        let mut live = Live::start_with(&server, only(Stream::Pods)).await;
        live.until_live(Stream::Pods).await;
        assert_eq!(cpu_of_pods(&live.seen), [300]);
    }
}

#[tokio::test]
async fn pods_do_not_wait_for_ever_and_are_listed_again_when_the_version_comes() {
    let server = ApiServer::start().await;
    server.on_list("/version", [Answer::status(503, "not yet"), version("36").paced(400 * MS)]);
    server.on_list(PODS, [Answer::page("7", "", &[resized_pod()])]);
    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::Pods]);
        options.list_mode = ListMode::Pages;
        options.timing.version_patience = 20 * MS;
    })
    .await;
    live.until("the pods again", |seen| cpu_of_pods(seen).len() >= 2).await;
    assert_eq!(cpu_of_pods(&live.seen), [300, 200]);
}

#[tokio::test]
async fn pods_of_an_upgraded_server_are_listed_again_after_a_reconnect() {
    let server = ApiServer::start().await;
    server.on_list("/version", [version("36")]);
    server.on_list(PODS, [Answer::page("7", "", &[resized_pod()])]);
    let mut live = Live::start_with(&server, only(Stream::Pods)).await;
    live.until_live(Stream::Pods).await;
    server.until_asked(PODS, 1, Asked::is_watch).await;
    server.on_all("/version", &version("37"));
    server.end(PODS).await;
    live.until("the pods again", |seen| cpu_of_pods(seen).len() == 2).await;
    assert_eq!(cpu_of_pods(&live.seen), [200, 300]);
    live.until("the new version", |seen| {
        seen.iter().any(|change| matches!(change, Change::About(about) if about.version == "1.37"))
    })
    .await;
}

#[tokio::test]
async fn pods_of_an_upgraded_server_are_listed_again_while_the_watch_goes_on() {
    let server = ApiServer::start().await;
    server.on_list("/version", [version("36")]);
    server.on_list(PODS, [Answer::page("7", "", &[resized_pod()])]);
    let mut live = Live::start_with(&server, |options| {
        only(Stream::Pods)(options);
        options.timing.discovery_every = 20 * MS;
    })
    .await;
    live.until_live(Stream::Pods).await;
    server.until_asked(PODS, 1, Asked::is_watch).await;
    server.on_all("/version", &version("37"));
    live.until("the pods again", |seen| cpu_of_pods(seen).len() == 2).await;
    assert_eq!(cpu_of_pods(&live.seen), [200, 300]);
}

// --- metrics ---

#[tokio::test]
async fn node_metrics_are_polled_and_their_absence_is_told() {
    let server = ApiServer::start().await;
    let reading = json!({"items": [{"metadata": {"name": "a"}, "timestamp": "2026-11-24T08:00:00Z", "window": "20s",
        "usage": {"cpu": "1500000000n", "memory": "2Gi"}}]});
    server.on_list(
        NODE_METRICS,
        [
            Answer::status(404, "the server could not find the requested resource"),
            Answer::status(503, "the server is currently unable to handle the request"),
            Answer::status(403, "nodes.metrics.k8s.io is forbidden"),
            Answer::json(&reading),
        ],
    );
    let mut live = Live::start_with(&server, only(Stream::NodeMetrics)).await;
    live.until_link(Stream::NodeMetrics, &LinkState::Absent).await;
    live.until_trouble(Stream::NodeMetrics, "unable to handle").await;
    live.until_link(Stream::NodeMetrics, &LinkState::Denied { message: "nodes.metrics.k8s.io is forbidden".into() })
        .await;
    live.until_live(Stream::NodeMetrics).await;
    let usage = live.seen.iter().find_map(|change| match change {
        Change::NodeUsage(usage) => Some(usage.clone()),
        _ => None,
    });
    let usage = usage.unwrap();
    assert_eq!((usage.len(), usage[0].0.as_str()), (1, "a"));
    assert_eq!((usage[0].1.cpu_millicores, usage[0].1.memory_bytes, usage[0].1.window_seconds), (1500, 2 << 30, 20));
}

#[tokio::test]
async fn pod_metrics_are_polled_only_while_asked_for() {
    let server = ApiServer::start().await;
    let reading = json!({"items": [{"metadata": {"namespace": "web", "name": "a"},
        "containers": [{"usage": {"cpu": "1", "memory": "1"}}, {"usage": {"cpu": "2", "memory": "2"}}]}]});
    server.on_list(POD_METRICS, [Answer::json(&reading)]);
    let mut live =
        Live::start_with(&server, |options| options.streams = Some(vec![Stream::NodeMetrics, Stream::PodMetrics]))
            .await;
    live.until_live(Stream::NodeMetrics).await;
    assert_eq!(server.asked_for(POD_METRICS).len(), 0);
    live.interest.send(Interest { pod_metrics: true }).unwrap();
    live.until("a reading", |seen| {
        seen.iter().any(|change| {
            matches!(change, Change::PodUsage(usage)
                if usage[0].0 == PodKey::new("web", "a") && usage[0].1.cpu_millicores == 3000 && usage[0].1.memory_bytes == 3)
        })
    })
    .await;
    live.interest.send(Interest { pod_metrics: false }).unwrap();
    live.until_link(Stream::PodMetrics, &LinkState::Off).await;
    let polled = server.asked_for(POD_METRICS).len();
    let nodes = server.asked_for(NODE_METRICS).len();
    server.until_asked(NODE_METRICS, nodes + 3, |_| true).await;
    assert_eq!(server.asked_for(POD_METRICS).len(), polled);
}

#[tokio::test]
async fn slow_server_is_not_hammered() {
    let server = ApiServer::start().await;
    let slow = Answer::json(&json!({"items": []})).paced(80 * MS);
    server.on_list(NODE_METRICS, [slow]);
    let _live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::NodeMetrics]);
        options.timing.metrics_every = 10 * MS;
    })
    .await;
    let asked = server.until_asked(NODE_METRICS, 5, |_| true).await;
    for pair in asked.windows(2) {
        assert!(pair[1].at - pair[0].at >= 75 * MS, "a poll waits for the one before it: {asked:#?}");
    }
}

// --- the whole ---

#[tokio::test]
async fn batches_are_bounded_and_a_slow_reader_makes_the_watch_wait() {
    let server = ApiServer::start().await;
    let nodes: Vec<Value> = (0..1500).map(|n| node(&format!("n{n}"), "3")).collect();
    server.on_list(NODES, [Answer::page("7", "more", &nodes)]);
    let options = Options {
        kubeconfig: Some(server.kubeconfig()),
        streams: Some(vec![Stream::Nodes]),
        list_mode: ListMode::Pages,
        timing: quick(),
        ..Options::default()
    };
    let (sender, mut receiver) = mpsc::channel(1);
    let (_interest, interested) = watch::channel(Interest::default());
    let cancel = CancellationToken::new();
    let _tasks = Connection::load(options).await.unwrap().start(sender, interested, cancel);
    // The list never ends. Without a receiver, it stops at its first page.
    while !receiver.recv().await.unwrap().contains(&Change::Resync(Stream::Nodes)) {}
    server.until_asked(NODES, 1, |_| true).await;
    tokio::time::sleep(150 * MS).await;
    assert_eq!(server.asked_for(NODES).len(), 1);
    let mut largest = 0;
    while server.asked_for(NODES).len() < 4 {
        largest = largest.max(receiver.recv().await.unwrap().len());
    }
    assert_eq!(largest, 1024);
}

#[tokio::test]
async fn everything_ends_when_told_or_when_nobody_listens() {
    let server = ApiServer::start().await;
    server.on_all(PDBS, &Answer::silence());
    let mut live = Live::start(&server).await;
    live.until_live(Stream::Pods).await;
    live.cancel.cancel();
    while let Some(ended) = live.tasks.join_next().await {
        ended.unwrap();
    }

    let mut live = Live::start_with(&server, |options| {
        options.streams = Some(vec![Stream::Nodes, Stream::NodeMetrics]);
        options.timing.discovery_every = 10 * MS;
    })
    .await;
    live.until_live(Stream::Nodes).await;
    drop(live.receiver);
    server.send(NODES, &bookmark("9")).await;
    // Streams notice a closed channel when they send; discovery sends nothing more, and is cancelled.
    for _ in 0..2 {
        live.tasks.join_next().await.unwrap().unwrap();
    }
    live.cancel.cancel();
    live.tasks.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn quit_during_sync_is_clean() {
    let server = ApiServer::start().await;
    server.on_list(NODES, [Answer::page("7", "next", &[node("a", "3")]), Answer::silence()]);
    let mut live = Live::start_with(&server, paged(Stream::Nodes)).await;
    live.until_link(Stream::Nodes, &LinkState::Syncing { seen: 1 }).await;
    live.cancel.cancel();
    while let Some(ended) = live.tasks.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn text_of_the_cluster_is_cleaned_at_the_door() {
    let server = ApiServer::start().await;
    let mut hostile = node("a\u{1b}[2J", "3");
    hostile["metadata"]["labels"] = json!({"team\u{7}": "x\u{202e}y"});
    hostile["status"] = json!({"conditions": [{"type": "Ready", "status": "False", "message": "line\none\u{9b}1m"}]});
    let denied = Answer::status(403, "no\u{1b}]0;title\u{7}");
    server.on_all(PODS, &denied);
    server.on_list(NODES, [Answer::page("7", "", &[hostile])]);
    let mut live = Live::start_with(&server, |options| {
        options.list_mode = ListMode::Pages;
        options.streams = Some(vec![Stream::Nodes, Stream::Pods]);
    })
    .await;
    live.until_live(Stream::Nodes).await;
    live.until_link(Stream::Pods, &LinkState::Denied { message: "no]0;title".into() }).await;
    let node = live.seen.iter().find_map(|change| match change {
        Change::Node(node) => Some(node.clone()),
        _ => None,
    });
    let node = node.unwrap();
    assert_eq!((node.name.as_str(), node.labels.get("team")), ("a[2J", Some("xy")));
    assert_eq!(node.conditions[0].message, "line one1m");
}

/// Where a test's log goes.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn bodies_are_not_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    // While there is only one subscriber, tracing asks the thread that comes by a log call first whether it is wanted:
    // that may be another test's. With a second one it asks all.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = ApiServer::start().await;
    let odd = json!({"metadata": {"name": "odd"}, "status": "top-secret-status", "spec": {"taints": 5}});
    server.on_list(NODES, [Answer::raw("{\"items\": [\"top-secret-page"), Answer::page("7", "", &[odd])]);
    server.on_watch(NODES, [Answer::raw("top-secret-line\n"), Answer::lines(&[], End::Open)]);
    let mut live = Live::start_with(&server, paged(Stream::Nodes)).await;
    live.until_live(Stream::Nodes).await;
    live.until("the unreadable line", |seen| troubles(seen, Stream::Nodes).len() >= 2).await;
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("stream in trouble"), "the log was on: {logged}");
    assert!(!logged.contains("top-secret") && !logged.contains("reader-token"), "{logged}");
    eventually("the second try", || (server.asked_for(NODES).len() >= 2).then_some(())).await;
}
