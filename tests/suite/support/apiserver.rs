//! A scripted Kubernetes API server on loopback, over plain HTTP.
//!
//! Each path has three queues of answers: to lists (and anything else that is not a watch), to streaming lists, and to
//! watches. The last answer of a queue is given again and again. What is not scripted behaves like a healthy, empty
//! server. Every request is recorded.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::loopback::{self, Answers, BEFORE_THE_TEAR, ResponseBody, next, texts};
use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub const NODES: &str = "/api/v1/nodes";
pub const PODS: &str = "/api/v1/pods";
pub const EVENTS: &str = "/api/v1/events";
pub const CLAIMS: &str = "/apis/karpenter.sh/v1/nodeclaims";
pub const POOLS: &str = "/apis/karpenter.sh/v1/nodepools";
pub const PDBS: &str = "/apis/policy/v1/poddisruptionbudgets";
pub const NODE_METRICS: &str = "/apis/metrics.k8s.io/v1beta1/nodes";
pub const ACCESS_REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
pub const IDENTITY_REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
pub const POD_METRICS: &str = "/apis/metrics.k8s.io/v1beta1/pods";

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Properly.
    Proper,
    /// The connection is torn in the middle of the body.
    Torn,
    /// Never: it stays open, and [`ApiServer::send`] adds to it.
    Open,
}

/// One scripted answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    parts: Vec<String>,
    /// Pause between the parts.
    pace: Duration,
    end: End,
}

impl Answer {
    /// A body as it is.
    pub fn raw(body: impl Into<String>) -> Self {
        Self { status: 200, headers: Vec::new(), parts: vec![body.into()], pace: Duration::ZERO, end: End::Proper }
    }

    pub fn json(body: &Value) -> Self {
        Self::raw(body.to_string())
    }

    /// A page of a list; an empty token makes it the last.
    pub fn page(version: &str, token: &str, items: &[Value]) -> Self {
        Self::json(&json!({"metadata": {"resourceVersion": version, "continue": token}, "items": items}))
    }

    /// A failure with a `Status`.
    pub fn status(code: u16, message: &str) -> Self {
        let body = json!({"kind": "Status", "status": "Failure", "message": message, "code": code});
        Self { status: code, ..Self::json(&body) }
    }

    /// A watch: lines, then this end.
    pub fn lines(lines: &[Value], end: End) -> Self {
        let parts = lines.iter().map(|line| format!("{line}\n")).collect();
        Self { status: 200, headers: Vec::new(), parts, pace: Duration::ZERO, end }
    }

    /// No answer at all, not even its head.
    pub fn silence() -> Self {
        Self { status: 0, ..Self::raw("") }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn paced(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    pub fn ending(mut self, end: End) -> Self {
        self.end = end;
        self
    }
}

/// A watch line.
pub fn added(object: &Value) -> Value {
    json!({"type": "ADDED", "object": object})
}

pub fn modified(object: &Value) -> Value {
    json!({"type": "MODIFIED", "object": object})
}

pub fn deleted(object: &Value) -> Value {
    json!({"type": "DELETED", "object": object})
}

pub fn bookmark(version: &str) -> Value {
    json!({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}})
}

/// The bookmark that ends a streaming list.
pub fn end_of_list(version: &str) -> Value {
    json!({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version,
        "annotations": {"k8s.io/initial-events-end": "true"}}}})
}

pub fn error(code: u16, message: &str) -> Value {
    json!({"type": "ERROR", "object": {"kind": "Status", "code": code, "message": message}})
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HashMap<String, String>,
    pub body: String,
    pub at: Instant,
}

impl Asked {
    pub fn is_watch(&self) -> bool {
        self.query.contains("watch=true")
    }

    pub fn is_streaming_list(&self) -> bool {
        self.query.contains("sendInitialEvents=true")
    }

    /// Whether it asks for a whole kind, in pages or streaming.
    pub fn is_list(&self) -> bool {
        self.is_streaming_list() || !self.is_watch()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum How {
    List,
    StreamingList,
    Watch,
}

#[derive(Default)]
struct Script {
    answers: HashMap<(String, How), VecDeque<Answer>>,
    asked: Vec<Asked>,
    denied: Vec<(String, String)>,
    open: HashMap<String, Vec<UnboundedSender<Option<String>>>>,
    /// Seconds that the server's clock is ahead of ours.
    clock: i64,
}

/// The server. It ends with the runtime of the test.
pub struct ApiServer {
    script: Arc<Mutex<Script>>,
    dir: tempfile::TempDir,
    pub address: String,
}

impl ApiServer {
    /// Starts a healthy server with nothing in it.
    pub async fn start() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let address = loopback::serve(Arc::clone(&script)).await;
        Self { script, dir: tempfile::tempdir().unwrap(), address }
    }

    fn script(&self, path: &str, how: How, answers: impl IntoIterator<Item = Answer>) {
        let key = (path.to_owned(), how);
        self.script.lock().unwrap().answers.insert(key, answers.into_iter().collect());
    }

    pub fn on_list(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        self.script(path, How::List, answers);
    }

    pub fn on_streaming_list(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        self.script(path, How::StreamingList, answers);
    }

    pub fn on_watch(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        self.script(path, How::Watch, answers);
    }

    /// Every answer about a kind from now on.
    pub fn on_all(&self, path: &str, answer: &Answer) {
        for how in [How::List, How::StreamingList, How::Watch] {
            self.script(path, how, [answer.clone()]);
        }
    }

    /// The kind is healthy from now on.
    pub fn heal(&self, path: &str) {
        let mut script = self.script.lock().unwrap();
        script.answers.retain(|(scripted, _), _| scripted != path);
    }

    /// From now on the server's clock, which dates its answers, is so many seconds ahead of ours.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.script.lock().unwrap().clock = seconds;
    }

    /// Answers reviews: not this verb of this resource (`pods`, `nodeclaims.karpenter.sh`), but any other.
    pub fn denies(&self, resource: &str, verb: &str) {
        self.script.lock().unwrap().denied.push((resource.to_owned(), verb.to_owned()));
    }

    /// Refuses streaming lists of every kind, as a server without the feature does.
    pub fn refuses_streaming_lists(&self) {
        let refusal =
            Answer::status(422, "sendInitialEvents is forbidden for watch unless the WatchList feature is on");
        for path in [NODES, PODS, EVENTS, CLAIMS, POOLS, PDBS] {
            self.on_streaming_list(path, [refusal.clone()]);
        }
    }

    /// Adds a line to the open watches of a path, waiting until there is one.
    pub async fn send(&self, path: &str, line: &Value) {
        self.add(path, Some(&format!("{line}\n"))).await;
    }

    /// Ends the open watches of a path properly.
    pub async fn end(&self, path: &str) {
        self.add(path, None).await;
    }

    async fn add(&self, path: &str, part: Option<&str>) {
        eventually("an open watch", || {
            let mut script = self.script.lock().unwrap();
            let open = script.open.entry(path.to_owned()).or_default();
            open.retain(|sender| sender.send(part.map(str::to_owned)).is_ok());
            let sent = !open.is_empty();
            if part.is_none() {
                open.clear();
            }
            sent.then_some(())
        })
        .await;
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    /// Requests about a path so far.
    pub fn asked_for(&self, path: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.path == path).collect()
    }

    /// Waits until `count` requests about a path fulfil a condition, and gives them.
    pub async fn until_asked(&self, path: &str, count: usize, which: impl Fn(&Asked) -> bool) -> Vec<Asked> {
        eventually(&format!("{count} requests for {path}"), || {
            let asked: Vec<_> = self.asked_for(path).into_iter().filter(&which).collect();
            (asked.len() >= count).then_some(asked)
        })
        .await
    }

    /// A directory for the test's files.
    pub fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// A kubeconfig for this server whose user is written as given (YAML flow, without braces).
    pub fn kubeconfig_of(&self, user: &str) -> PathBuf {
        let path = self.dir.path().join("kubeconfig");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: scripted\n\
             clusters: [{{name: scripted, cluster: {{server: \"{}\"}}}}]\n\
             users: [{{name: reader, user: {{{user}}}}}]\n\
             contexts: [{{name: scripted, context: {{cluster: scripted, user: reader}}}}]\n",
            self.address
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig_of("token: reader-token")
    }
}

/// Polls until there is an answer; fails after a generous timeout.
pub async fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "no {what} within 30 s");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Answers for Mutex<Script> {
    async fn answer(&self, request: Request<Incoming>) -> Response<ResponseBody> {
        let (request, sent) = request.into_parts();
        let sent = sent.collect().await.map(|sent| sent.to_bytes().to_vec()).unwrap_or_default();
        let asked = Asked {
            method: request.method.to_string(),
            path: request.uri.path().to_owned(),
            query: request.uri.query().unwrap_or_default().to_owned(),
            headers: texts(&request.headers),
            body: String::from_utf8(sent).unwrap(),
            at: Instant::now(),
        };
        let how = match (asked.is_streaming_list(), asked.is_watch()) {
            (true, _) => How::StreamingList,
            (_, true) => How::Watch,
            _ => How::List,
        };
        let (answer, receiver, clock) = {
            let mut script = self.lock().unwrap();
            script.asked.push(asked.clone());
            let scripted = script.answers.get_mut(&(asked.path.clone(), how)).and_then(next);
            let answer = scripted.unwrap_or_else(|| match asked.path.as_str() {
                ACCESS_REVIEWS => review(&asked.body, &script.denied),
                IDENTITY_REVIEWS => Answer::json(&json!({"status": {"userInfo": {"username": "reader@example.com"}}})),
                _ => healthy(&asked, how),
            });
            let (sender, receiver) = unbounded_channel();
            if answer.end == End::Open && answer.status == 200 {
                script.open.entry(asked.path.clone()).or_default().push(sender);
            }
            (answer, receiver, script.clock)
        };
        if answer.status == 0 {
            std::future::pending::<()>().await;
        }
        let mut response = Response::builder()
            .status(StatusCode::from_u16(answer.status).unwrap())
            .header("content-type", "application/json");
        if clock != 0 {
            let date = Timestamp::now() + SignedDuration::from_secs(clock);
            response = response.header("date", date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        }
        for (name, value) in &answer.headers {
            response = response.header(*name, value);
        }
        response.body(body(answer, receiver)).unwrap()
    }
}

/// The answer to a `SelfSubjectAccessReview`.
fn review(body: &str, denied: &[(String, String)]) -> Answer {
    let review: Value = serde_json::from_str(body).unwrap();
    let of = &review["spec"]["resourceAttributes"];
    let [group, resource, verb] = ["group", "resource", "verb"].map(|key| of[key].as_str().unwrap());
    let name = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
    let is_denied = denied.iter().any(|(resource, denied)| *resource == name && denied == verb);
    let mut answer = Answer::json(&json!({"status": {"allowed": !is_denied}}));
    answer.status = 201;
    answer
}

/// The answers of a healthy server without objects.
fn healthy(asked: &Asked, how: How) -> Answer {
    match (asked.path.as_str(), how) {
        ("/version", _) => Answer::json(&json!({"major": "1", "minor": "36"})),
        ("/apis", _) => Answer::json(&json!({"groups": []})),
        (_, How::List) => Answer::page("1", "", &[]),
        (_, How::StreamingList) => Answer::lines(&[end_of_list("1")], End::Open),
        (_, How::Watch) => Answer::lines(&[], End::Open),
    }
}

fn body(answer: Answer, receiver: UnboundedReceiver<Option<String>>) -> ResponseBody {
    let Answer { parts, pace, end, .. } = answer;
    let parts = VecDeque::from(parts);
    let frames = stream::unfold(Some((parts, receiver)), move |state| async move {
        let (mut parts, mut receiver) = state?;
        let part = match (parts.pop_front(), end) {
            (Some(part), _) => {
                tokio::time::sleep(pace).await;
                part
            }
            (None, End::Proper) => return None,
            (None, End::Torn) => {
                tokio::time::sleep(BEFORE_THE_TEAR).await;
                return Some((Err(io::Error::other("torn")), None));
            }
            (None, End::Open) => match receiver.recv().await {
                Some(Some(part)) => part,
                Some(None) => return None,
                None => std::future::pending().await,
            },
        };
        Some((Ok(Frame::data(Bytes::from(part))), Some((parts, receiver))))
    });
    StreamBody::new(frames).boxed_unsync()
}
