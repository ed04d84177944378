//! A scripted server of price files on loopback, over plain HTTP.
//!
//! Each path has a queue of answers; the last is given again and again. What is not scripted is not there (404). An
//! answer with an `ETag` is confirmed (304) to who asks with it. Every request is recorded, and every connection counted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

/// One scripted answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    parts: Vec<Bytes>,
    /// Pause before each part.
    pace: Duration,
    torn: bool,
}

impl Answer {
    /// A file as it is.
    pub fn file(body: impl Into<Vec<u8>>) -> Self {
        let parts = vec![Bytes::from(body.into())];
        Self { status: 200, headers: Vec::new(), parts, pace: Duration::ZERO, torn: false }
    }

    /// A file, packed.
    pub fn packed(body: &[u8]) -> Self {
        Self::file(gzip(body)).header("content-encoding", "gzip")
    }

    pub fn status(status: u16) -> Self {
        Self { status, ..Self::file("no") }
    }

    /// The same with another status: a refusal in the server's own words.
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
    answers: HashMap<String, VecDeque<Answer>>,
    asked: Vec<Asked>,
}

/// The server. It ends with the runtime of the test.
pub struct PriceServer {
    script: Arc<Mutex<Script>>,
    connections: Arc<AtomicUsize>,
    pub address: String,
}

impl PriceServer {
    /// Starts a server without files.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::default()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (shared, count) = (Arc::clone(&script), Arc::clone(&connections));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let script = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let script = Arc::clone(&script);
                        async move { answer(&script, request).await }
                    });
                    // A client that goes away in the middle is part of the play.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        Self { script, connections, address }
    }

    /// What a path answers from now on.
    pub fn on(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        self.script.lock().unwrap().answers.insert(path.to_owned(), answers.into_iter().collect());
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }

    /// Paths of all requests so far.
    pub fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

async fn answer(
    script: &Mutex<Script>,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    let (request, asked_with) = request.into_parts();
    let asked = Asked {
        method: request.method.to_string(),
        path: request.uri.path().to_owned(),
        headers: request
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect(),
        body: String::from_utf8(asked_with.collect().await.unwrap().to_bytes().into()).unwrap(),
    };
    let answer = {
        let mut script = script.lock().unwrap();
        script.asked.push(asked.clone());
        let scripted = script.answers.get_mut(&asked.path).and_then(|queue| match queue.len() {
            0 | 1 => queue.front().cloned(),
            _ => queue.pop_front(),
        });
        scripted.unwrap_or_else(|| Answer::status(404))
    };
    if answer.status == 0 {
        std::future::pending::<()>().await;
    }
    let etag = answer.headers.iter().find(|(name, _)| *name == "etag").map(|(_, etag)| etag.as_str());
    if etag.is_some() && etag == asked.header("if-none-match") {
        return Ok(Response::builder().status(304).body(body(Vec::new(), Duration::ZERO, false)).unwrap());
    }
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    Ok(response.body(body(answer.parts, answer.pace, answer.torn)).unwrap())
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
            // What was written reaches the client before the tear.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some((part, parts))
    });
    BodyExt::boxed_unsync(StreamBody::new(paced))
}
