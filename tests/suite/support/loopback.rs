//! The common part of scripted servers: HTTP/1.1 on loopback, as long as the test's runtime.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

pub type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// What was written reaches the client within this time, before the connection is torn.
pub const BEFORE_THE_TEAR: Duration = Duration::from_millis(20);

/// A script, and how it answers a request.
pub trait Answers: Send + Sync + 'static {
    /// The answer; a server that has none never gets to its end.
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Response<ResponseBody>> + Send;

    /// A client has connected.
    fn connected(&self) {}
}

/// Starts a server of a script, and gives its address.
pub async fn serve(script: Arc<impl Answers>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            script.connected();
            let script = Arc::clone(&script);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let script = Arc::clone(&script);
                    async move { Ok::<_, Infallible>(script.answer(request).await) }
                });
                // The client may disconnect.
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    address
}

/// The next answer; the last one repeats.
pub fn next<A: Clone>(queue: &mut VecDeque<A>) -> Option<A> {
    match queue.len() {
        0 | 1 => queue.front().cloned(),
        _ => queue.pop_front(),
    }
}

/// The headers of a request, as text.
pub fn texts(headers: &HeaderMap) -> HashMap<String, String> {
    let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}
