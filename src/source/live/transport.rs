//! The client for the API server, put together from hyper, rustls and tower's layers, and what its errors mean.
//!
//! An error of a connection is an [`AccessFault`] where certificates, keys or a proxy are the cause, else no answer. Causes
//! are found by their types, never by their texts.

use super::fault::{Fault, in_words, root_cause};
use super::kubeconfig::ServerSide;
use super::proxy::{Kind, Proxy};
use super::trust::{Distrust, TrustAll, Verifier};
use crate::model::Clock;
use crate::source::blocking::blocking;
use http::Uri;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::Client;
use kube::client::middleware::BaseUriLayer;
use kube::client::{Body, ClientBuilder};
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::UnixTime;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{AlertDescription, CertificateError, ClientConfig, InvalidMessage};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tower::Service;
use tower_http::decompression::DecompressionLayer;

type BoxError = Box<dyn Error + Send + Sync>;

/// Idle time before a connection is probed, as Kubernetes' own clients have it (k8s.io/client-go
/// `transport/cache.go`: a dialer with `KeepAlive: 30 * time.Second`).
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Everything a client is made of but the client certificate, which a plugin may give.
#[derive(Clone, Debug)]
pub(super) struct Way {
    server: ServerSide,
    proxy: Option<Proxy>,
    /// `None` trusts every certificate.
    verifier: Option<Arc<Verifier>>,
    provider: Arc<CryptoProvider>,
    connect: Duration,
    clock: Clock,
}

/// Certificates, keys, tokens or a proxy that stand in the way of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AccessFault {
    /// One sentence: what, of whom, why.
    pub(super) why: String,
    /// What to do about it.
    pub(super) remedy: &'static str,
    /// Whether a retry fails in the same way until the user changes something.
    pub(super) lasting: bool,
}

/// A proxy did not do its part.
#[derive(Debug, thiserror::Error)]
enum ProxyError {
    #[error("the proxy cannot be reached")]
    Unreachable(#[source] BoxError),
    #[error("the proxy made no connection")]
    Refused(#[source] BoxError),
}

/// No connection was made in time.
#[derive(Debug, thiserror::Error)]
#[error("no connection within {} s", .0.as_secs().max(1))]
struct TimedOut(Duration);

const PROXY_REMEDY: &str = "see that the proxy runs, that its address is right, and that it may connect to the server";

impl Way {
    /// Prepares the way to a server.
    ///
    /// # Errors
    ///
    /// The system's authorities cannot be used, in words.
    pub(super) fn new(
        server: ServerSide,
        proxy: Option<Proxy>,
        connect: Duration,
        clock: Clock,
    ) -> Result<Self, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        // Nothing is verified on a connection without TLS, and a container may have no authorities.
        let authorities = server.authorities.clone().filter(|_| server.address.scheme_str() != Some("http"));
        let verifier = authorities.map(|authorities| Verifier::new(authorities, Arc::clone(&provider), clock.now()));
        let verifier = verifier
            .transpose()
            .map_err(|error| format!("the system's certificate authorities cannot be used: {}", in_words(&error)))?;
        Ok(Self { server, proxy, verifier: verifier.map(Arc::new), provider, connect, clock })
    }

    /// Reads the file of certificate authorities again if it is time to, on a thread for blocking work: the handshake
    /// itself reads no file.
    pub(super) async fn reload_authorities(&self) {
        if let Some(verifier) = self.verifier.as_ref().filter(|verifier| verifier.is_outdated()).cloned() {
            let now = self.clock.now();
            blocking(move || verifier.reload(now)).await;
        }
    }

    /// A client that shows this certificate.
    pub(super) fn client(&self, certificate: Option<Arc<CertifiedKey>>) -> Result<Client, rustls::Error> {
        let verifier: Arc<dyn ServerCertVerifier> = match &self.verifier {
            Some(verifier) => Arc::clone(verifier) as _,
            None => Arc::new(TrustAll(Arc::clone(&self.provider))),
        };
        let time = Arc::new(HandshakeTime(self.clock.clone()));
        let config = ClientConfig::builder_with_details(Arc::clone(&self.provider), time)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match certificate {
            // Not checked by rustls, which takes version 3 alone: it is the server who verifies it.
            Some(pair) => config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(pair))),
            None => config.with_no_client_auth(),
        };
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // A watch that waits for the next change sends nothing: without probes a peer that went away is not noticed.
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_keepalive_interval(Some(KEEPALIVE / 2));
        tcp.set_keepalive_retries(Some(2));
        Ok(match &self.proxy {
            None => self.over(tcp, config, self.connect),
            Some(proxy) => {
                tcp.set_connect_timeout(Some(self.connect));
                let to_proxy = HttpsConnectorBuilder::new().with_tls_config(config.clone()).https_or_http();
                // The proxy answers for itself within the first half, and for the server within the second.
                let patience = self.connect * 2;
                match proxy.kind {
                    Kind::Http => {
                        let through =
                            Through { proxy: proxy.clone(), dial: to_proxy.enable_http1().wrap_connector(tcp) };
                        self.over(through, config, patience)
                    }
                    Kind::Socks5 => self.over(Through { proxy: proxy.clone(), dial: tcp }, config, patience),
                }
            }
        })
    }

    fn over<C>(&self, connector: C, config: ClientConfig, patience: Duration) -> Client
    where
        C: Service<Uri, Error: Into<BoxError>, Future: Send + 'static> + Clone + Send + Sync + 'static,
        C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    {
        let https = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http();
        let https = match self.server.name.clone() {
            Some(name) => https.with_server_name_resolver(FixedServerNameResolver::new(name)),
            None => https,
        };
        let https: HttpsConnector<C> = https.enable_http1().wrap_connector(connector);
        let within = tower::service_fn(move |to: Uri| {
            let connecting = https.clone().call(to);
            Box::pin(async move {
                timeout(patience, connecting).await.unwrap_or_else(|_elapsed| Err(TimedOut(patience).into()))
            })
        });
        let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build::<_, Body>(within);
        ClientBuilder::new(client, "default")
            .with_layer(&BaseUriLayer::new(self.server.address.clone()))
            .with_layer(&DecompressionLayer::new().gzip(self.server.compression))
            .build()
    }

    /// What an error of a request means.
    pub(super) fn fault(&self, server: &str, error: &(dyn Error + 'static)) -> Fault {
        let through = self.proxy.as_ref().map(|proxy| format!(" through {proxy}")).unwrap_or_default();
        let access = |why: String, remedy| Fault::Access(Box::new(AccessFault { why, remedy, lasting: true }));
        let on_proxy = find::<ProxyError>(error);
        if let Some(tls) = find::<rustls::Error>(error) {
            let (whose, behind) = match (&self.proxy, on_proxy) {
                (Some(proxy), Some(_)) => (proxy.to_string(), String::new()),
                (_, _) => (server.to_owned(), through),
            };
            return match tls_words(tls, &whose) {
                Some((why, remedy)) if behind.is_empty() => access(why, remedy),
                Some((why, remedy)) => access(format!("{why}; reached{behind}"), remedy),
                None => Fault::Unreachable(format!("{whose}{behind}: TLS failed: {}", in_words(tls))),
            };
        }
        let (Some(proxy), cause) = (&self.proxy, root_cause(error)) else {
            return Fault::Unreachable(format!("{server}: {}", root_cause(error)));
        };
        let why = match on_proxy {
            Some(ProxyError::Unreachable(_)) => format!("cannot reach {proxy} on the way to {server}: {cause}"),
            Some(ProxyError::Refused(_)) => {
                // The libraries name themselves, and a status other than 200 and 407 they keep to themselves.
                let cause = cause.trim_start_matches("tunnel error: ").trim_start_matches("SOCKS error: ");
                let cause = if cause == "unsuccessful" { "it refused the CONNECT request" } else { cause };
                format!("{proxy} does not connect to {server}: {cause}")
            }
            None => format!("cannot reach {server}{through}: {cause}"),
        };
        Fault::Access(Box::new(AccessFault { why, remedy: PROXY_REMEDY, lasting: false }))
    }
}

/// The time by which the dates of certificates are verified.
#[derive(Debug)]
struct HandshakeTime(Clock);

impl TimeProvider for HandshakeTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// A connector through a proxy: first to the proxy, then, on that connection, to the server.
#[derive(Clone)]
struct Through<C> {
    proxy: Proxy,
    dial: C,
}

impl<C> Service<Uri> for Through<C>
where
    C: Service<Uri, Error: Into<BoxError>, Future: Send + 'static>,
    C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
{
    type Response = C::Response;
    type Error = ProxyError;
    type Future = futures::future::BoxFuture<'static, Result<C::Response, ProxyError>>;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), ProxyError>> {
        self.dial.poll_ready(cx).map_err(|error| ProxyError::Unreachable(error.into()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let proxy = self.proxy.clone();
        let dialling = self.dial.call(proxy.dialled());
        Box::pin(async move {
            let stream = dialling.await.map_err(|error| ProxyError::Unreachable(error.into()))?;
            let mut stream = Some(stream);
            let made = tower::service_fn(move |_: Uri| {
                let stream = stream.take().ok_or_else(|| io::Error::other("the connection is taken"));
                async move { stream }
            });
            let address = proxy.to.uri().clone();
            match proxy.kind {
                Kind::Http => {
                    let tunnel = Tunnel::new(address, made);
                    let mut tunnel = match proxy.to.basic_auth() {
                        Some(auth) => tunnel.with_auth(auth.clone()),
                        None => tunnel,
                    };
                    tunnel.call(server).await.map_err(|error| ProxyError::Refused(error.into()))
                }
                Kind::Socks5 => {
                    let socks = SocksV5::new(address, made);
                    let mut socks = match proxy.to.raw_auth() {
                        Some((user, password)) => socks.with_auth(user.into(), password.into()),
                        None => socks,
                    };
                    socks.call(server).await.map_err(|error| ProxyError::Refused(error.into()))
                }
            }
        })
    }
}

/// The cause of this type in an error. What an [`io::Error`] carries is a cause as well, which its `source` passes over.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = carried.map(|carried| carried as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

/// What an error of TLS means and what to do about it; `None` where it may pass by itself.
fn tls_words(error: &rustls::Error, whose: &str) -> Option<(String, &'static str)> {
    const NOT_TLS: &str =
        "see that server in the kubeconfig has the right port, and http:// where the server speaks no TLS";
    const CLIENT: &str = "have the client certificate issued anew by the authority that the server trusts for clients, or use a \
                          token or a credential plugin";
    const VERSIONS: &str = "have the server offer TLS 1.2 with ECDHE, or TLS 1.3";
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            let distrust = other.0.downcast_ref::<Distrust>();
            let why = distrust.map_or_else(|| format!("is not valid: {}", in_words(&*other.0)), ToString::to_string);
            let remedy = distrust.map_or(Distrust::Unreadable.remedy(), Distrust::remedy);
            Some((format!("the certificate of {whose} {why}"), remedy))
        }
        rustls::Error::InvalidCertificate(CertificateError::BadSignature) => Some((
            format!("{whose} does not hold the private key of the certificate that it shows"),
            "have the server use the private key that its certificate was issued for",
        )),
        rustls::Error::InvalidCertificate(error) => {
            Some((format!("the certificate of {whose} is not valid: {error}"), Distrust::Unreadable.remedy()))
        }
        rustls::Error::NoCertificatesPresented => {
            Some((format!("{whose} shows no certificate"), Distrust::Unreadable.remedy()))
        }
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            Some((format!("{whose} does not speak TLS"), NOT_TLS))
        }
        rustls::Error::PeerIncompatible(_) => Some((
            format!("{whose} offers no version or cipher of TLS that is supported: {}", in_words(error)),
            VERSIONS,
        )),
        rustls::Error::AlertReceived(alert) => {
            let client = match alert {
                AlertDescription::CertificateRequired => {
                    "asks for a client certificate, and the kubeconfig's user has none"
                }
                AlertDescription::UnknownCA => "does not know the authority that signed our client certificate",
                AlertDescription::CertificateExpired => "finds that our client certificate has expired",
                AlertDescription::CertificateRevoked => "finds that our client certificate was revoked",
                AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::AccessDenied => "does not accept our client certificate",
                AlertDescription::UnrecognisedName => {
                    return Some((
                        format!("{whose} does not know the name that it was asked for by TLS"),
                        "set tls-server-name to a name that the server knows",
                    ));
                }
                AlertDescription::ProtocolVersion
                | AlertDescription::InsufficientSecurity
                | AlertDescription::HandshakeFailure => {
                    return Some((format!("{whose} finds no version or cipher of TLS in common"), VERSIONS));
                }
                _ => return None,
            };
            Some((format!("{whose} {client}"), CLIENT))
        }
        _ => None,
    }
}
