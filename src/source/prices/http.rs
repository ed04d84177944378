//! The HTTP client of all price sources: limited in time and size, through the proxies of the environment, over TLS.
//!
//! It trusts the system's roots (rustls-native-certs), so that it works behind a company's inspecting proxy, and honours
//! `SSL_CERT_FILE`.

use super::error::root_cause;
use crate::units::text::clean;
use ::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    LOCATION, USER_AGENT,
};
use ::http::{Request, Response, StatusCode, Uri};
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io::Read;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// The most bytes of a body, compressed or not: several times the largest file that is requested.
const MAX_BYTES: usize = 16 << 20;
const TOO_LONG: &str = "it is longer than 16 MiB";
/// The most redirects of one request.
const MAX_REDIRECTS: usize = 3;
/// The time limit of connecting.
const CONNECT: Duration = Duration::from_secs(2);
/// The user agent of every request.
pub(super) const AGENT: &str = concat!("nodeglass/", env!("CARGO_PKG_VERSION"));

/// The proxies of the environment, by curl's rules.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    https: String,
    no: String,
}

impl Proxies {
    /// `HTTPS_PROXY`, else `ALL_PROXY`, except for the hosts of `NO_PROXY`. The names may be in lower case, and an empty
    /// variable is ignored.
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let value = |name: &&str| variable(name).filter(|value| !value.is_empty());
        let first = |names: &[&str]| names.iter().find_map(value).unwrap_or_default();
        Self {
            https: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            no: first(&["NO_PROXY", "no_proxy"]),
        }
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may contain a password.
        f.debug_struct("Proxies").field("no", &self.no).finish_non_exhaustive()
    }
}

/// The validators of a file (RFC 9110, section 8.8), by which its server tells whether it has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Validators {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

/// A file as it was sent.
#[derive(Debug)]
pub(super) struct Body {
    gzip: bool,
    bytes: Vec<u8>,
}

impl Body {
    /// The decompressed text, or what is wrong with it.
    pub(super) fn text(self) -> Result<Vec<u8>, String> {
        if !self.gzip {
            return Ok(self.bytes);
        }
        let mut text = Vec::new();
        let unpacked = MultiGzDecoder::new(&*self.bytes).take(MAX_BYTES as u64 + 1).read_to_end(&mut text);
        unpacked.map_err(|error| format!("its gzip is broken: {error}"))?;
        if text.len() > MAX_BYTES { Err(TOO_LONG.to_owned()) } else { Ok(text) }
    }
}

/// A successful answer to [`Http::get`].
#[derive(Debug)]
pub(super) enum Reply {
    /// 200.
    File(Body, Validators),
    /// 304: the file has not changed.
    NotModified,
}

/// Why a file was not received.
#[derive(Debug)]
pub(super) enum GetError {
    /// 404 or 410.
    Absent,
    /// 403, which is also S3's answer for a file that does not exist.
    Forbidden,
    /// Another status, or no answer: the reason.
    Failed(String),
}

impl From<String> for GetError {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

/// An HTTP client. Connections are not kept: requests are minutes apart.
pub(super) struct Http {
    proxies: Matcher,
    /// Made for the first request, because reading the system's roots takes milliseconds.
    tls: OnceCell<ClientConfig>,
}

impl Http {
    pub(super) fn new(proxies: &Proxies) -> Self {
        let proxies = Matcher::builder().https(proxies.https.as_str()).no(proxies.no.as_str()).build();
        Self { proxies, tls: OnceCell::new() }
    }

    /// Gets a file, unless it has not changed since `known`. Follows redirects within the server.
    pub(super) async fn get(&self, uri: Uri, known: &Validators, limit: Duration) -> Result<Reply, GetError> {
        let reply = timeout(limit, self.follow(uri, known)).await;
        reply.unwrap_or_else(|_elapsed| Err(format!("no answer within {} s", limit.as_secs().max(1)).into()))
    }

    async fn follow(&self, mut uri: Uri, known: &Validators) -> Result<Reply, GetError> {
        for _ in 0..=MAX_REDIRECTS {
            let (head, body) = self.dispatch(request(&uri, known)?).await?.into_parts();
            match head.status {
                StatusCode::OK => {
                    let gzip = is_gzip(&head.headers)?;
                    return Ok(Reply::File(
                        Body { gzip, bytes: read(body).await? },
                        Validators::from_headers(&head.headers),
                    ));
                }
                StatusCode::NOT_MODIFIED if known != &Validators::default() => return Ok(Reply::NotModified),
                StatusCode::NOT_FOUND | StatusCode::GONE => return Err(GetError::Absent),
                StatusCode::FORBIDDEN => return Err(GetError::Forbidden),
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => uri = redirected(&uri, &head.headers)?,
                status => return Err(format!("the server answers {status}").into()),
            }
        }
        Err("the server redirects in circles".to_owned().into())
    }

    /// Sends a request and returns the whole answer, whatever its status. The caller limits the time.
    #[cfg(feature = "aws")]
    pub(super) async fn send(&self, request: Request<String>) -> Result<Response<Vec<u8>>, String> {
        let (head, body) = self.dispatch(request).await?.into_parts();
        Ok(Response::from_parts(head, read(body).await?))
    }

    /// Sends a request: through the proxy, if the environment has one for its host.
    async fn dispatch(&self, request: Request<String>) -> Result<Response<Incoming>, String> {
        let tls = self.tls.get_or_try_init(tls_config).await?;
        let Some(proxy) = self.proxies.intercept(request.uri()) else {
            return send(https(tls, tcp()), request).await;
        };
        let address = proxy.uri().clone();
        match proxy.uri().scheme_str() {
            Some("http" | "https") => {
                let tunnel = Tunnel::new(address, https(tls, tcp()));
                let tunnel = match proxy.basic_auth() {
                    Some(auth) => tunnel.with_auth(auth.clone()),
                    None => tunnel,
                };
                send(https(tls, tunnel), request).await
            }
            Some(scheme @ ("socks5" | "socks5h")) => {
                let socks = SocksV5::new(address, tcp()).local_dns(scheme == "socks5");
                let socks = match proxy.raw_auth() {
                    Some((user, password)) => socks.with_auth(user.into(), password.into()),
                    None => socks,
                };
                send(https(tls, socks), request).await
            }
            other => Err(format!("proxies of the kind {} are not supported", other.unwrap_or("?"))),
        }
    }
}

impl Validators {
    fn from_headers(headers: &HeaderMap) -> Self {
        // What is not text cannot be sent back.
        let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
        Self { etag: text(ETAG), last_modified: text(LAST_MODIFIED) }
    }
}

async fn read(body: Incoming) -> Result<Vec<u8>, String> {
    match Limited::new(body, MAX_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(TOO_LONG.to_owned()),
        Err(error) => Err(format!("the answer broke off: {}", root_cause(&*error))),
    }
}

fn request(uri: &Uri, known: &Validators) -> Result<Request<String>, String> {
    let mut request = Request::get(uri).header(USER_AGENT, AGENT).header(ACCEPT_ENCODING, "gzip");
    for (name, value) in [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    request.body(String::new()).map_err(|error| error.to_string())
}

/// The address of a redirect, which must not leave the server.
fn redirected(from: &Uri, headers: &HeaderMap) -> Result<Uri, String> {
    let Some(to) = headers.get(LOCATION).and_then(|value| value.to_str().ok()) else {
        return Err("the server redirects to nowhere".to_owned());
    };
    if to.starts_with('/') && !to.starts_with("//") {
        let mut parts = from.clone().into_parts();
        parts.path_and_query = to.parse().ok();
        return Uri::from_parts(parts).map_err(|error| format!("the redirect is bad: {error}"));
    }
    let to: Option<Uri> = to.parse().ok();
    match to {
        Some(to) if to.scheme() == from.scheme() && to.authority() == from.authority() => Ok(to),
        to => {
            let host = to.as_ref().and_then(Uri::host).map_or("?".into(), clean);
            Err(format!("the server redirects to another: {host}"))
        }
    }
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, String> {
    match headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim()) {
        None | Some("" | "identity") => Ok(false),
        Some("gzip" | "x-gzip") => Ok(true),
        Some(other) => Err(format!("it is packed by {}, which was not asked for", clean(other))),
    }
}

async fn send<C>(connector: C, request: Request<String>) -> Result<Response<Incoming>, String>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
    client.request(request).await.map_err(|error| root_cause(&error))
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp
}

fn https<T>(tls: &ClientConfig, transport: T) -> HttpsConnector<T> {
    HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http().enable_http1().wrap_connector(transport)
}

/// Reads the roots of trust where blocking is allowed: they are files, on some systems a database.
async fn tls_config() -> Result<ClientConfig, String> {
    let config = tokio::task::spawn_blocking(|| {
        let builder = ClientConfig::builder().with_native_roots();
        let builder = builder.map_err(|error| format!("the system has no roots of trust: {error}"))?;
        Ok(builder.with_no_client_auth())
    });
    config.await.unwrap_or_else(|error| Err(format!("the TLS client cannot be made: {error}")))
}
