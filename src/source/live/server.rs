//! One API server, as all streams share it: a client with valid credentials, and what was learnt of the server.

use super::connect::Target;
use super::credentials::{self, Credentials, PluginError, Terminal};
use super::fault::{self, Fault};
use super::kubeconfig::ClientSide;
use super::options::{ListMode, Options, Timing};
use super::outbox::Outbox;
use super::requests::RequestRule;
use super::skew::ClockSkew;
use super::transport::{AccessFault, Way};
use crate::model::{About, Change, Clock, Timestamp};
use crate::source::blocking::blocking;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use hyper::body::Bytes;
use kube::Client;
use kube::client::Body;
use kube::config::ExecConfig;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, timeout};

/// Largest answer in bytes, decompressed. The largest that a server gives are the metrics of all pods, which have no
/// pages: about 600 bytes for each of 150,000 pods.
const LARGEST_ANSWER: usize = 256 << 20;
/// Largest part in bytes of an error's body that is read.
const LARGEST_ERROR: usize = 64 << 10;

/// The API server. Requests are GET, and for the doctor POST of reviews, which no server keeps.
#[derive(Debug)]
pub(super) struct Server {
    way: Way,
    identity: ClientSide,
    /// Context and files, for messages.
    choice: String,
    plugin: Option<ExecConfig>,
    user: String,
    pub(super) about: About,
    pub(super) timing: Timing,
    pub(super) clock: Clock,
    pub(super) skew: ClockSkew,
    list_mode: ListMode,
    /// Set when one stream found that the server does not stream lists; then none tries again.
    pages_only: AtomicBool,
    /// Version and provisioners as last answered, and as sent to the owner of the state.
    learnt: Mutex<About>,
    /// The rule of the version in `learnt`.
    rule: watch::Sender<RequestRule>,
    session: Mutex<Session>,
    lasting: watch::Sender<Option<String>>,
}

/// The client of the moment, and the credentials it was made with.
#[derive(Default)]
struct Session {
    client: Option<Client>,
    credentials: Option<Credentials>,
    /// The plugin's last failure, while it is too early to run it again: it may open a browser each time.
    failed: Option<(Instant, PluginError)>,
    /// Counts clients, so that a 401 to an old one does not throw away a new one.
    generation: u64,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Credentials are not for logs.
        f.debug_struct("Session").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// Whether an answer may come compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// gzip where the server thinks it worth while.
    Compressed,
    /// As it is: from 1.37 on servers compress a watch one member an event, which the decoder does not follow.
    Plain,
}

impl Server {
    pub(super) fn new(target: Target, options: &Options) -> Self {
        let Target { way, identity, plugin, user, about, aws: _, origin } = target;
        let choice = format!("context {:?} in {origin}", about.context);
        let (pages_only, session, lasting) = (AtomicBool::new(false), Mutex::default(), watch::Sender::default());
        let learnt = Mutex::new(about.clone());
        let rule = watch::Sender::new(RequestRule::for_version(&about.version));
        let skew = ClockSkew::new();
        Self {
            way,
            identity,
            choice,
            plugin,
            user,
            about,
            timing: options.timing.clone(),
            clock: options.clock.clone(),
            skew,
            list_mode: options.list_mode,
            pages_only,
            learnt,
            rule,
            session,
            lasting,
        }
    }

    /// Changes what is known of the server, and sends it to the owner of the state if it is new. It is sent before this
    /// returns, so that objects read by the new rule come after it.
    pub(super) async fn learn(&self, outbox: &mut Outbox, learn: impl FnOnce(&mut About)) -> Result<(), Fault> {
        let mut learnt = self.learnt.lock().await;
        let mut about = learnt.clone();
        learn(&mut about);
        if *learnt != about {
            outbox.send(Change::About(about.clone())).await?;
            self.rule.send_if_modified(|rule| {
                let before = std::mem::replace(rule, RequestRule::for_version(&about.version));
                before != *rule
            });
            *learnt = about;
        }
        Ok(())
    }

    /// The rule by which pods are summed, that of the version last answered, and its changes.
    pub(super) fn rule(&self) -> watch::Receiver<RequestRule> {
        self.rule.subscribe()
    }

    /// Whether there is a plugin whose first run may have a question.
    pub(super) const fn has_plugin(&self) -> bool {
        self.plugin.is_some()
    }

    /// The kubeconfig's user, and the command of its credential plugin.
    pub(super) fn signs_in_by(&self) -> (&str, Option<&str>) {
        (&self.user, self.plugin.as_ref().map(|plugin| plugin.command.as_deref().unwrap_or_default()))
    }

    /// Whether a list is to be streamed.
    pub(super) fn streams_lists(&self) -> bool {
        match self.list_mode {
            ListMode::Auto => !self.pages_only.load(Ordering::Relaxed),
            ListMode::Stream => true,
            ListMode::Pages => false,
        }
    }

    /// Whether lists are streamed whatever the server says to it.
    pub(super) fn must_stream_lists(&self) -> bool {
        self.list_mode == ListMode::Stream
    }

    /// Remembers, for every stream and for the session, that this server does not stream lists.
    pub(super) fn does_not_stream_lists(&self) {
        self.pages_only.store(true, Ordering::Relaxed);
    }

    /// Runs the credential plugin, with the terminal if it may have it. Its credentials serve until they end.
    pub(super) async fn sign_in(&self, terminal: Terminal) -> Result<(), PluginError> {
        let mut session = self.session.lock().await;
        session.sign_in(self, terminal).await
    }

    /// The trouble that no further try will end, once there is some.
    pub(super) fn lasting_trouble(&self) -> watch::Receiver<Option<String>> {
        self.lasting.subscribe()
    }

    /// A fault on its way out; what lasts is kept, with context and files, for who asks.
    fn out(&self, fault: Fault) -> Fault {
        if let Fault::Access(access) = &fault
            && access.lasting
        {
            self.lasting.send_if_modified(|kept| {
                kept.is_none().then(|| *kept = Some(format!("{}: {}", self.choice, access.why))).is_some()
            });
        }
        fault
    }

    /// A client with credentials that last, what it signs in with, and its generation.
    async fn client(&self) -> Result<(Client, Option<HeaderValue>, u64), Fault> {
        let mut session = self.session.lock().await;
        self.way.reload_authorities().await;
        if self.plugin.is_some() && session.is_ending(self.clock.now()) {
            let signed_in = session.sign_in(self, Terminal::Closed).await;
            // Credentials that still hold for some seconds are better than none.
            if let (Err(error), None) = (&signed_in, &session.client) {
                let why = format!("{}: the credential plugin {error}", self.whose());
                return Err(match error.remedy() {
                    Some(remedy) => Fault::Access(Box::new(AccessFault { why, remedy, lasting: true })),
                    None => Fault::Credentials(why),
                });
            }
        }
        if session.client.is_none() {
            let of_plugin = session.credentials.as_ref().and_then(|credentials| credentials.certificate.clone());
            let certificate = of_plugin.or_else(|| self.identity.certificate.clone());
            let client = self.way.client(certificate);
            session.client = Some(client.map_err(|error| {
                Fault::Credentials(format!("{}: TLS cannot be used: {}", self.whose(), fault::in_words(&error)))
            })?);
            session.generation += 1;
        }
        let client = session.client.clone().ok_or(Fault::Closed)?;
        let authorization = match (&self.identity.authorization, &session.credentials) {
            (Some(own), _) => Some(own.header().await.map_err(|fault| {
                let remedy = fault.remedy.unwrap_or("write the token into the file anew, in one line");
                Fault::Access(Box::new(AccessFault { why: fault.to_string(), remedy, lasting: true }))
            })?),
            (None, Some(credentials)) => credentials.authorization.clone(),
            (None, None) => None,
        };
        Ok((client, authorization, session.generation))
    }

    /// `kubeconfig user "x"`, for messages.
    fn whose(&self) -> String {
        if self.user.is_empty() { "no kubeconfig user".into() } else { format!("kubeconfig user {:?}", self.user) }
    }

    /// The server did not accept the credentials of that client: the next one gets new ones.
    async fn reject(&self, generation: u64) {
        if let Some(own) = &self.identity.authorization {
            own.reject();
        }
        let mut session = self.session.lock().await;
        if session.generation == generation {
            session.client = None;
            session.credentials = None;
        }
    }

    /// Asks for `path_and_query` and gives the answer, once it has begun to come and is a success.
    pub(super) async fn get(
        &self,
        path_and_query: &str,
        encoding: Encoding,
        patience: Duration,
    ) -> Result<Response<Body>, Fault> {
        let request = Request::get(path_and_query).header(header::ACCEPT, "application/json");
        let request = match encoding {
            Encoding::Compressed => request,
            Encoding::Plain => request.header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        };
        self.send(request.body(Body::empty()), patience).await
    }

    /// The whole body of an answer.
    pub(super) async fn get_whole(&self, path_and_query: &str) -> Result<Vec<u8>, Fault> {
        let response = self.get(path_and_query, Encoding::Compressed, self.timing.response).await?;
        self.whole(response).await
    }

    /// Has the server review something, and gives its answer. For reviews alone: they are answered and not kept.
    pub(super) async fn review(&self, path: &str, review: String) -> Result<Vec<u8>, Fault> {
        let json = "application/json";
        let request = Request::post(path).header(header::ACCEPT, json).header(header::CONTENT_TYPE, json);
        let response = self.send(request.body(Body::from(review.into_bytes())), self.timing.response).await?;
        self.whole(response).await
    }

    /// The rest of an answer.
    pub(super) async fn whole(&self, response: Response<Body>) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        read(response.into_body(), &mut body, LARGEST_ANSWER, self.timing.response).await?;
        Ok(body)
    }

    async fn send(
        &self,
        request: Result<Request<Body>, http::Error>,
        patience: Duration,
    ) -> Result<Response<Body>, Fault> {
        let (client, authorization, generation) = self.client().await.map_err(|fault| self.out(fault))?;
        let mut request = request.map_err(|error| Fault::Refused(error.to_string()))?;
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(concat!("nodeglass/", env!("CARGO_PKG_VERSION"))));
        for (name, value) in &self.identity.headers {
            headers.append(name, value.clone());
        }
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization);
        }
        let began = Instant::now();
        let response = timeout(patience, client.send(request))
            .await
            .map_err(|_elapsed| Fault::Silent(patience))?
            .map_err(|error| self.out(self.way.fault(&self.about.server, &error)))?;
        self.skew.observe(response.headers(), self.clock.now(), began.elapsed());
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let mut reason = Vec::new();
        // Whatever of the reason arrives is enough.
        let _ = read(body, &mut reason, LARGEST_ERROR, self.timing.response).await;
        let fault = fault::of_response(status, &head.headers, &reason);
        if let Fault::Unauthorized(message) = &fault {
            self.reject(generation).await;
            return Err(Fault::Unauthorized(format!("{} is not accepted (401): {message}", self.whose())));
        }
        Err(fault)
    }
}

impl Session {
    /// Whether credentials are missing or end within a minute.
    fn is_ending(&self, now: Timestamp) -> bool {
        match &self.credentials {
            None => true,
            Some(Credentials { expires: Some(expires), .. }) => {
                expires.duration_since(now) < jiff::SignedDuration::from_secs(60)
            }
            Some(_) => false,
        }
    }

    async fn sign_in(&mut self, server: &Server, terminal: Terminal) -> Result<(), PluginError> {
        let Some(plugin) = server.plugin.clone() else {
            return Ok(());
        };
        if let (Terminal::Closed, Some((at, error))) = (terminal, &self.failed)
            && at.elapsed() < server.timing.backoff_cap
        {
            return Err(error.clone());
        }
        let patience = server.timing.response;
        match blocking(move || credentials::run(&plugin, terminal, patience)).await {
            Ok(credentials) => {
                *self = Self { credentials: Some(credentials), generation: self.generation, ..Self::default() };
                Ok(())
            }
            Err(error) => {
                self.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}

/// Reads a body of at most `limit` bytes into `bytes`.
///
/// # Errors
///
/// [`Fault::TooLarge`] for a larger body, [`Fault::Silent`] after a pause longer than `patience`, [`Fault::Cut`] where the
/// connection ends early. `bytes` then has what was read before.
async fn read<B>(mut body: B, bytes: &mut Vec<u8>, limit: usize, patience: Duration) -> Result<(), Fault>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
{
    loop {
        match timeout(patience, body.frame()).await {
            Err(_elapsed) => return Err(Fault::Silent(patience)),
            Ok(None) => return Ok(()),
            Ok(Some(Err(_))) => return Err(Fault::Cut),
            Ok(Some(Ok(frame))) => {
                let Ok(data) = frame.into_data() else { continue };
                let free = limit - bytes.len();
                bytes.extend_from_slice(data.get(..free).unwrap_or(&data));
                if data.len() > free {
                    return Err(Fault::TooLarge { subject: "the answer", limit });
                }
            }
        }
    }
}

/// The shared handle.
pub(super) type SharedServer = Arc<Server>;

/// A query value with everything but unreserved characters (RFC 3986) escaped.
pub(super) fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use test_case::test_case;

    /// A server may send an answer that has no end, or a small one that decompresses to a huge one.
    #[test_case(9 => Err(Fault::TooLarge { subject: "the answer", limit: 9 }) ; "larger than the limit")]
    #[test_case(10 => Ok(()) ; "as large as the limit")]
    #[tokio::test]
    async fn an_answer_is_read_up_to_a_limit(limit: usize) -> Result<(), Fault> {
        let frames = [&b"01234"[..], b"56789"].map(|part| Ok::<_, std::io::Error>(Frame::data(Bytes::from(part))));
        let mut bytes = Vec::new();
        let result = read(StreamBody::new(stream::iter(frames)), &mut bytes, limit, Duration::from_secs(1)).await;
        assert_eq!(bytes, b"0123456789"[..limit]);
        result
    }

    #[tokio::test]
    async fn an_endless_answer_is_refused() {
        let part = Bytes::from(vec![b' '; 1 << 20]);
        let frames = stream::repeat_with(move || Ok::<_, std::io::Error>(Frame::data(part.clone())));
        let mut bytes = Vec::new();
        let fault =
            read(StreamBody::new(frames), &mut bytes, LARGEST_ANSWER, Duration::from_secs(1)).await.unwrap_err();
        assert_eq!((bytes.len(), fault.to_string()), (LARGEST_ANSWER, "the answer is larger than 256 MiB".into()));
    }

    #[test]
    fn selectors_are_escaped() {
        assert_eq!(escape("a.b/c in (x,y),!z"), "a.b%2Fc%20in%20%28x%2Cy%29%2C%21z");
        assert_eq!(escape("status.phase!=Failed"), "status.phase%21%3DFailed");
    }
}
