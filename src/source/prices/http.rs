//! GET of public files, without credentials: bounded in time and size, conditional, over TLS.
//!
//! The roots of trust are the system's (rustls-native-certs), as for AWS's own crates: a company's inspecting proxy,
//! whose root the system knows, works for both, and `SSL_CERT_FILE` moves both.

use super::endpoints::Endpoint;
use super::words::root;
use crate::units::text::clean;
use ::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    LOCATION, USER_AGENT,
};
use ::http::{Request, Response, StatusCode, Uri};
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioExecutor;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io::Read;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// A body is not read beyond this, neither as it comes nor unpacked: several times the largest file we ask for.
const BODY_LIMIT: usize = 16 << 20;
/// How often a server may send us on, within itself.
const REDIRECTS: usize = 3;
/// A connection is made within this time or not at all.
const CONNECT: Duration = Duration::from_secs(2);
/// What says that a file is elsewhere.
const SENT_ON: [StatusCode; 5] = [
    StatusCode::MOVED_PERMANENTLY,
    StatusCode::FOUND,
    StatusCode::SEE_OTHER,
    StatusCode::TEMPORARY_REDIRECT,
    StatusCode::PERMANENT_REDIRECT,
];
/// Who asks, in every request.
pub(super) const AGENT: &str = concat!("nodeglass/", env!("CARGO_PKG_VERSION"));

/// The proxies of the environment, by the rules of curl.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    https: String,
    no: String,
}

impl Proxies {
    /// `HTTPS_PROXY`, else `ALL_PROXY`, but for the hosts in `NO_PROXY`; the names may be in lower case. An empty variable
    /// is none.
    pub fn of(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        let named = |name: &&str| environment(name).filter(|value| !value.is_empty());
        let first = |names: &[&str]| names.iter().find_map(named).unwrap_or_default();
        Self {
            https: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]),
            no: first(&["NO_PROXY", "no_proxy"]),
        }
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        f.debug_struct("Proxies").field("no", &self.no).finish_non_exhaustive()
    }
}

/// What the server told of a body, so that it can say "not modified" next time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Validators {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

/// A body as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Body {
    /// Whether it is packed by gzip.
    pub(super) gzip: bool,
    pub(super) bytes: Vec<u8>,
    pub(super) validators: Validators,
}

/// A success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// 200, with a body that has not been looked into.
    New(Body),
    /// 304: what we have still holds.
    NotModified,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GetError {
    /// 404 or 410.
    Absent,
    /// 403, which is also what S3 says of a file that is not there.
    Forbidden,
    /// Anything else, in words.
    Failed(String),
}

impl GetError {
    fn failed(why: impl Into<String>) -> Self {
        Self::Failed(why.into())
    }
}

type Tls = HttpsConnector<HttpConnector>;
type Of<C> = Client<C, String>;

/// A way to the server. Made when it is first needed: reading the system's roots takes some milliseconds.
enum Way {
    Direct(Of<Tls>),
    Tunnel(Of<HttpsConnector<Tunnel<Tls>>>),
    Socks(Of<HttpsConnector<SocksV5<HttpConnector>>>),
}

/// Asks for public files.
pub(super) struct Http {
    proxies: Matcher,
    direct: OnceCell<Way>,
    proxied: OnceCell<Way>,
}

impl Http {
    pub(super) fn new(proxies: &Proxies) -> Self {
        let proxies = Matcher::builder().https(proxies.https.as_str()).no(proxies.no.as_str()).build();
        Self { proxies, direct: OnceCell::new(), proxied: OnceCell::new() }
    }

    /// The file at `path` of an endpoint, unless it is still the one that `known` tells of. The whole takes `patience` at
    /// most.
    pub(super) async fn get(
        &self,
        endpoint: &Endpoint,
        path: &str,
        known: Option<&Validators>,
        patience: Duration,
    ) -> Result<Reply, GetError> {
        let uri = address(endpoint, path)?;
        let asked = timeout(patience, self.follow(uri, known)).await;
        asked.unwrap_or_else(|_elapsed| {
            Err(GetError::Failed(format!("no answer within {} s", patience.as_secs().max(1))))
        })
    }

    async fn follow(&self, mut uri: Uri, known: Option<&Validators>) -> Result<Reply, GetError> {
        for _ in 0..=REDIRECTS {
            let (head, body) = self.dispatch(request(&uri, known)?).await?.into_parts();
            match head.status {
                StatusCode::OK => {
                    let gzip = is_gzip(&head.headers)?;
                    return Ok(Reply::New(Body {
                        gzip,
                        bytes: whole(body).await?,
                        validators: Validators::of(&head.headers),
                    }));
                }
                StatusCode::NOT_MODIFIED if known.is_some() => return Ok(Reply::NotModified),
                StatusCode::NOT_FOUND | StatusCode::GONE => return Err(GetError::Absent),
                StatusCode::FORBIDDEN => return Err(GetError::Forbidden),
                status if SENT_ON.contains(&status) => uri = redirected(&uri, &head.headers)?,
                status => return Err(GetError::Failed(format!("the server answers {status}"))),
            }
        }
        Err(GetError::failed("the server redirects in circles"))
    }

    /// A request of any kind, and its whole answer whatever its status. The caller limits the time.
    #[cfg(feature = "aws")]
    pub(super) async fn send(&self, request: Request<String>) -> Result<Response<Vec<u8>>, GetError> {
        let (head, body) = self.dispatch(request).await?.into_parts();
        Ok(Response::from_parts(head, whole(body).await?))
    }

    async fn dispatch(&self, request: Request<String>) -> Result<Response<impl AnyBody>, GetError> {
        let sent = match self.way(request.uri()).await? {
            Way::Direct(client) => client.request(request).await,
            Way::Tunnel(client) => client.request(request).await,
            Way::Socks(client) => client.request(request).await,
        };
        sent.map_err(|error| GetError::Failed(root(&error)))
    }

    /// The client for an address: a proxy is for TLS alone.
    async fn way(&self, uri: &Uri) -> Result<&Way, GetError> {
        match self.proxies.intercept(uri) {
            None => self.direct.get_or_try_init(|| make(|| Ok(Way::Direct(client(tls(tcp())?))))).await,
            Some(proxy) => self.proxied.get_or_try_init(|| make(move || through(&proxy))).await,
        }
    }
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        // What is not plain text could not be sent back.
        let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
        Self { etag: text(ETAG), last_modified: text(LAST_MODIFIED) }
    }

    /// Whether there is anything to ask with.
    pub(super) const fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

impl Body {
    /// The text itself. Unpacks no more than the limit, whatever the bytes promise.
    pub(super) fn unpacked(&self) -> Result<Cow<'_, [u8]>, String> {
        if !self.gzip {
            return Ok(Cow::Borrowed(&self.bytes));
        }
        let mut text = Vec::new();
        let limit = BODY_LIMIT as u64 + 1;
        let unpacked = MultiGzDecoder::new(&*self.bytes).take(limit).read_to_end(&mut text);
        unpacked.map_err(|error| format!("its gzip is broken: {error}"))?;
        if text.len() > BODY_LIMIT { Err(TOO_LONG.to_owned()) } else { Ok(Cow::Owned(text)) }
    }
}

/// A body as it comes.
trait AnyBody: BodyExt<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send {}
impl<B: BodyExt<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send> AnyBody for B {}

async fn whole(body: impl AnyBody) -> Result<Vec<u8>, GetError> {
    let whole = Limited::new(body, BODY_LIMIT).collect().await.map_err(|error| too_long(&*error))?;
    Ok(whole.to_bytes().into())
}

const TOO_LONG: &str = "it is longer than 16 MiB";

fn too_long(error: &(dyn Error + Send + Sync + 'static)) -> GetError {
    if error.is::<LengthLimitError>() {
        return GetError::failed(TOO_LONG);
    }
    GetError::Failed(format!("the answer broke off: {}", root(error)))
}

fn request(uri: &Uri, known: Option<&Validators>) -> Result<Request<String>, GetError> {
    let mut request = Request::get(uri).header(USER_AGENT, AGENT).header(ACCEPT_ENCODING, "gzip");
    if let Some(known) = known {
        for (name, value) in [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
    }
    request.body(String::new()).map_err(|error| GetError::Failed(error.to_string()))
}

/// The address of a file: over TLS, except where the user's environment names another server.
fn address(endpoint: &Endpoint, path: &str) -> Result<Uri, GetError> {
    let named = || endpoint.variable().unwrap_or("the address");
    let uri: Uri =
        endpoint.join(path).parse().map_err(|error| GetError::Failed(format!("{} is no address: {error}", named())))?;
    match (uri.scheme_str(), endpoint.variable()) {
        (Some("https"), _) | (Some("http"), Some(_)) if uri.host().is_some() => Ok(uri),
        _ => Err(GetError::Failed(format!("{} is no https: address", named()))),
    }
}

/// Where the server sends us on: within itself only.
fn redirected(from: &Uri, headers: &HeaderMap) -> Result<Uri, GetError> {
    let Some(to) = headers.get(LOCATION).and_then(|value| value.to_str().ok()) else {
        return Err(GetError::failed("the server redirects to nowhere"));
    };
    if to.starts_with('/') && !to.starts_with("//") {
        let mut parts = from.clone().into_parts();
        parts.path_and_query = to.parse().ok();
        return Uri::from_parts(parts).map_err(|error| GetError::Failed(format!("the redirect is bad: {error}")));
    }
    let there: Option<Uri> = to.parse().ok();
    there.filter(|to| to.scheme() == from.scheme() && to.authority() == from.authority()).ok_or_else(|| {
        let host = to.parse::<Uri>().ok().and_then(|to| to.host().map(|host| clean(host).into_owned()));
        GetError::Failed(format!("the server redirects to another: {}", host.as_deref().unwrap_or("?")))
    })
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, GetError> {
    match headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim()) {
        None | Some("" | "identity") => Ok(false),
        Some("gzip" | "x-gzip") => Ok(true),
        Some(other) => Err(GetError::Failed(format!("it is packed by {}, which was not asked for", clean(other)))),
    }
}

/// A client without idle connections: the next question is minutes away.
fn client<C: Connect + Clone>(connector: C) -> Of<C> {
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector)
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp
}

fn tls<H>(over: H) -> Result<HttpsConnector<H>, GetError> {
    let builder = HttpsConnectorBuilder::new().with_native_roots();
    let builder = builder.map_err(|error| GetError::Failed(format!("the system has no roots of trust: {error}")))?;
    Ok(builder.https_or_http().enable_http1().wrap_connector(over))
}

/// The way through a proxy.
fn through(proxy: &Intercept) -> Result<Way, GetError> {
    let at = proxy.uri().clone();
    match at.scheme_str() {
        Some("http" | "https") => {
            let tunnel = Tunnel::new(at, tls(tcp())?);
            let tunnel = match proxy.basic_auth() {
                Some(auth) => tunnel.with_auth(auth.clone()),
                None => tunnel,
            };
            Ok(Way::Tunnel(client(tls(tunnel)?)))
        }
        Some(scheme @ ("socks5" | "socks5h")) => {
            let socks = SocksV5::new(at.clone(), tcp()).local_dns(scheme == "socks5");
            let socks = match proxy.raw_auth() {
                Some((user, password)) => socks.with_auth(user.into(), password.into()),
                None => socks,
            };
            Ok(Way::Socks(client(tls(socks)?)))
        }
        other => Err(GetError::Failed(format!("proxies of the kind {} are not supported", other.unwrap_or("?")))),
    }
}

/// Makes a client where blocking is allowed: the roots are files, on some systems a database.
async fn make(way: impl FnOnce() -> Result<Way, GetError> + Send + 'static) -> Result<Way, GetError> {
    let made = tokio::task::spawn_blocking(way).await;
    made.unwrap_or_else(|error| Err(GetError::Failed(format!("the client cannot be made: {error}"))))
}
