//! A scripted server of price files on loopback, over plain HTTP.
//!
//! Each path has a queue of answers, of which the last repeats. Other paths are 404. A request with the `ETag` of an answer
//! gets 304. Requests are recorded, and connections are counted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::loopback::{self, Answers, BEFORE_THE_TEAR, ResponseBody, next, texts};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Request, Response};
use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// One scripted answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    parts: Vec<Bytes>,
    /// Pause before each part.
    pace: Duration,
    torn: bool,
    held: Option<Arc<Notify>>,
}

impl Answer {
    /// A file as it is.
    pub fn file(body: impl Into<Vec<u8>>) -> Self {
        let parts = vec![Bytes::from(body.into())];
        Self { status: 200, headers: Vec::new(), parts, pace: Duration::ZERO, torn: false, held: None }
    }

    /// A file, packed.
    pub fn packed(body: &[u8]) -> Self {
        Self::file(gzip(body)).header("content-encoding", "gzip")
    }

    pub fn status(status: u16) -> Self {
        Self { status, ..Self::file("no") }
    }

    /// The same with another status: a refusal in the server's own words.
    #[cfg(feature = "aws")]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// No answer at all, not even its head.
    pub fn silence() -> Self {
        Self::status(0)
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The body comes in `count` parts, each after a pause.
    pub fn dripping(mut self, count: usize, pace: Duration) -> Self {
        let whole = self.parts.concat();
        let size = whole.len().div_ceil(count).max(1);
        self.parts = whole.chunks(size).map(Bytes::copy_from_slice).collect();
        self.pace = pace;
        self
    }

    /// It comes when it is let go.
    pub fn held(mut self, until: &Arc<Notify>) -> Self {
        self.held = Some(Arc::clone(until));
        self
    }

    /// The connection ends after the parts, before the body does.
    pub fn torn(mut self) -> Self {
        self.torn = true;
        self
    }
}

/// Packs a body as servers do.
pub fn gzip(body: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(body).unwrap();
    packer.finish().unwrap()
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

#[derive(Default)]
struct Script {
    answers: Mutex<HashMap<String, VecDeque<Answer>>>,
    asked: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
}

/// The server. It ends with the runtime of the test.
pub struct PriceServer {
    script: Arc<Script>,
    pub address: String,
}

impl PriceServer {
    /// Starts a server without files.
    pub async fn start() -> Self {
        let script = Arc::new(Script::default());
        let address = loopback::serve(Arc::clone(&script)).await;
        Self { script, address }
    }

    /// What a path answers from now on.
    pub fn on(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        self.script.answers.lock().unwrap().insert(path.to_owned(), answers.into_iter().collect());
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.script.asked.lock().unwrap().clone()
    }

    /// Paths of all requests so far.
    pub fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.script.connections.load(Ordering::SeqCst)
    }
}

impl Answers for Script {
    async fn answer(&self, request: Request<Incoming>) -> Response<ResponseBody> {
        let (request, asked_with) = request.into_parts();
        let asked = Asked {
            method: request.method.to_string(),
            path: request.uri.path().to_owned(),
            headers: texts(&request.headers),
            body: String::from_utf8(asked_with.collect().await.unwrap().to_bytes().into()).unwrap(),
        };
        self.asked.lock().unwrap().push(asked.clone());
        let scripted = self.answers.lock().unwrap().get_mut(&asked.path).and_then(next);
        let answer = scripted.unwrap_or_else(|| Answer::status(404));
        if let Some(until) = &answer.held {
            until.notified().await;
        }
        if answer.status == 0 {
            std::future::pending::<()>().await;
        }
        let etag = answer.headers.iter().find(|(name, _)| *name == "etag").map(|(_, etag)| etag.as_str());
        if etag.is_some() && etag == asked.header("if-none-match") {
            return Response::builder().status(304).body(body(Vec::new(), Duration::ZERO, false)).unwrap();
        }
        let mut response = Response::builder().status(answer.status);
        for (name, value) in &answer.headers {
            response = response.header(*name, value);
        }
        response.body(body(answer.parts, answer.pace, answer.torn)).unwrap()
    }

    fn connected(&self) {
        self.connections.fetch_add(1, Ordering::SeqCst);
    }
}

fn body(parts: Vec<Bytes>, pace: Duration, torn: bool) -> ResponseBody {
    let end = torn.then(|| Err(io::Error::other("torn")));
    let parts = parts.into_iter().map(|part| Ok(Frame::data(part))).chain(end);
    let paced = stream::unfold(parts, move |mut parts| async move {
        if !pace.is_zero() {
            tokio::time::sleep(pace).await;
        }
        let part = parts.next()?;
        if part.is_err() {
            tokio::time::sleep(BEFORE_THE_TEAR).await;
        }
        Some((part, parts))
    });
    BodyExt::boxed_unsync(StreamBody::new(paced))
}
