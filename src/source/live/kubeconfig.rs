//! What a kubeconfig's cluster and user mean by client-go's rules. [`super::entries`] has decoded them.
//!
//! | rule | where client-go has it |
//! |---|---|
//! | line breaks in `*-data` do not count, blanks do | Go's `encoding/base64` |
//! | `*-data` and its file exclude each other; a certificate needs a key | `clientcmd/validation.go` |
//! | a plugin has a version, and from v1 on a mode | `clientcmd/validation.go`, `clientcmd/api/v1/defaults.go` |
//! | a token's file goes before `token`, is trimmed, and read anew | `transport/token_source.go` |
//! | a token is not sent if it cannot be a header's value | Go's `net/http` |
//! | an address without a scheme is `https` if TLS is configured | `rest.DefaultServerUrlFor` |
//!
//! Whatever is wrong is a [`FieldFault`]: it names the user or cluster, the field and the file.

use super::certificate::{self, PairFault};
use super::fault::root_cause;
use super::trust::Authorities;
use crate::source::blocking::blocking;
use crate::units::text::clean;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderName, HeaderValue, Uri};
use kube::config::{AuthInfo, Cluster};
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A field of the kubeconfig that cannot be used: `user "ops": client-key /path/key.pem: no such file`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{whose}: {field}{}: {why}", .file.as_ref().map(|file| format!(" {}", clean(&file.display().to_string()))).unwrap_or_default())]
pub struct FieldFault {
    /// The entry, as `user "ops"`.
    pub whose: String,
    /// The field or fields.
    pub field: &'static str,
    /// The file that the field names.
    pub file: Option<PathBuf>,
    /// What is wrong. Never holds a secret.
    pub why: String,
    /// What to do about it, where more can be advised than `why` says.
    pub remedy: Option<&'static str>,
}

/// Builds the faults of one entry.
#[derive(Clone, Debug)]
pub(super) struct Entry(String);

impl Entry {
    pub(super) fn user(name: &str) -> Self {
        Self(if name.is_empty() { "the context's user".into() } else { format!("user {:?}", clean(name)) })
    }

    pub(super) fn cluster(name: &str) -> Self {
        Self(format!("cluster {:?}", clean(name)))
    }

    pub(super) fn context() -> Self {
        Self("the context".into())
    }

    pub(super) fn service_account() -> Self {
        Self("the pod's service account".into())
    }

    pub(super) fn fault(&self, field: &'static str, why: impl Into<String>) -> FieldFault {
        FieldFault { whose: self.0.clone(), field, file: None, why: why.into(), remedy: None }
    }
}

impl FieldFault {
    fn at(mut self, file: Option<&Path>) -> Self {
        self.file = file.map(Path::to_owned);
        self
    }

    pub(super) const fn mend(mut self, remedy: &'static str) -> Self {
        self.remedy = Some(remedy);
        self
    }
}

/// Bytes in base64 as Go decodes them: line breaks do not count.
fn decoded(text: &str) -> Result<Vec<u8>, String> {
    const GO: GeneralPurpose =
        GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
    let text: String = text.chars().filter(|c| *c != '\n' && *c != '\r').collect();
    GO.decode(&text).map_err(|error| {
        let what = match error {
            base64::DecodeError::InvalidByte(at, byte) if byte.is_ascii_graphic() || byte == b' ' => {
                format!("{:?} at character {} is no digit of it", char::from(byte), at + 1)
            }
            base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => {
                format!("character {} is no digit of it", at + 1)
            }
            base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding => {
                "its end is missing".to_owned()
            }
        };
        format!("it is not base64: {what}")
    })
}

/// Where a value stands: in the kubeconfig, or in a file that it names.
struct Held {
    bytes: Vec<u8>,
    field: &'static str,
    file: Option<PathBuf>,
}

/// The value of `*-data`, or of the file.
fn held(
    entry: &Entry,
    fields: [&'static str; 2],
    data: Option<&str>,
    file: Option<&str>,
) -> Result<Option<Held>, FieldFault> {
    let [data_field, field] = fields;
    if let (Some(_), Some(file)) = (data, file) {
        let why = format!("it cannot stand beside {data_field}, as for kubectl; take one of them out");
        return Err(entry.fault(field, why).at(Some(Path::new(file))));
    }
    if let Some(data) = data {
        let bytes = decoded(data).map_err(|why| entry.fault(data_field, why))?;
        return Ok(Some(Held { bytes, field: data_field, file: None }));
    }
    let Some(file) = file.map(PathBuf::from) else { return Ok(None) };
    let bytes = std::fs::read(&file).map_err(|error| entry.fault(field, root_cause(&error)).at(Some(&file)))?;
    Ok(Some(Held { bytes, field, file: Some(file) }))
}

/// How the server is known.
#[derive(Clone, Debug)]
pub(super) struct ServerSide {
    pub(super) address: Uri,
    /// `None` trusts every certificate.
    pub(super) authorities: Option<Authorities>,
    /// The name that its certificate must have, where it is not the address's.
    pub(super) name: Option<ServerName<'static>>,
    pub(super) compression: bool,
}

/// Reads the cluster's part.
pub(super) fn server_side(cluster: &Cluster, entry: &Entry, has_certificate: bool) -> Result<ServerSide, FieldFault> {
    let fields = ["certificate-authority-data", "certificate-authority"];
    let data = cluster.certificate_authority_data.as_deref();
    let authority = held(entry, fields, data, cluster.certificate_authority.as_deref())?;
    let insecure = cluster.insecure_skip_tls_verify.unwrap_or(false);
    let tls = authority.is_some() || has_certificate || insecure;
    let server = cluster.server.as_deref().ok_or_else(|| entry.fault("server", "it is missing"))?;
    let address = address(server, tls).map_err(|why| entry.fault("server", why))?;
    let authorities = match authority {
        Some(Held { field, .. }) if insecure => {
            let why = "it cannot stand beside insecure-skip-tls-verify: true, as for kubectl; take one of them out";
            return Err(entry.fault(field, why));
        }
        _ if insecure => None,
        None => Some(Authorities::System),
        Some(Held { bytes, field, file }) => {
            let certificates = certificate::bundle(&bytes);
            if certificates.is_empty() {
                return Err(entry
                    .fault(field, "it holds no certificate that can be read (a PEM block)")
                    .at(file.as_deref()));
            }
            let place = match &file {
                Some(file) => format!("{field} {}", clean(&file.display().to_string())),
                None => field.to_owned(),
            };
            Some(Authorities::Given { place, certificates, file })
        }
    };
    let name = cluster.tls_server_name.clone().map(|name| {
        let shown = clean(&name).into_owned();
        ServerName::try_from(name)
            .map_err(|_invalid| entry.fault("tls-server-name", format!("{shown:?} is no host name or address")))
    });
    let compression = !cluster.disable_compression.unwrap_or(false);
    Ok(ServerSide { address, authorities, name: name.transpose()?, compression })
}

fn address(server: &str, tls: bool) -> Result<Uri, String> {
    let whole = match (server.contains("://"), tls) {
        (true, _) => server.to_owned(),
        (false, true) => format!("https://{server}"),
        (false, false) => format!("http://{server}"),
    };
    let uri: Uri = whole.parse().map_err(|error| format!("{:?} is no address: {error}", clean(server)))?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.host().is_some_and(|host| !host.is_empty()) => Ok(uri),
        _ => Err(format!("{:?} is no http:// or https:// address", clean(server))),
    }
}

/// Who we are to the server.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientSide {
    /// The client certificate with its key.
    pub(super) certificate: Option<Arc<CertifiedKey>>,
    /// The value of `Authorization`, unless a plugin gives it.
    pub(super) authorization: Option<Authorization>,
    /// Whom to act as (`as`, `as-uid`, `as-groups`, `as-user-extra`).
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

/// Reads the user's part.
pub(super) fn client_side(user: &AuthInfo, entry: &Entry) -> Result<ClientSide, FieldFault> {
    check_plugin(user, entry)?;
    Ok(ClientSide {
        certificate: client_certificate(user, entry)?,
        authorization: authorization(user, entry)?,
        headers: impersonation(user, entry)?,
    })
}

/// What kubectl refuses of a plugin before it is run (`clientcmd/validation.go`, `validateAuthInfo`), also where it is not run.
fn check_plugin(user: &AuthInfo, entry: &Entry) -> Result<(), FieldFault> {
    const V1_BETA_1: &str = "client.authentication.k8s.io/v1beta1";
    const V1_ALPHA_1: &str = "client.authentication.k8s.io/v1alpha1";
    let Some(plugin) = &user.exec else { return Ok(()) };
    if user.auth_provider.is_some() {
        return Err(entry.fault("auth-provider", "it cannot stand beside exec, as for kubectl; take one of them out"));
    }
    let version = plugin.api_version.as_deref();
    let nameless = |variable: &HashMap<String, String>| variable.get("name").is_none_or(String::is_empty);
    let why = if plugin.command.is_none() {
        "command: it is missing"
    } else if version.is_none() {
        "apiVersion: it is missing; most plugins take client.authentication.k8s.io/v1beta1"
    } else if plugin.interactive_mode.is_none() && ![V1_BETA_1, V1_ALPHA_1].map(Some).contains(&version) {
        "interactiveMode: it is missing; write Never, IfAvailable or Always"
    } else if plugin.env.iter().flatten().any(nameless) {
        "env: the name of a variable is missing"
    } else {
        return Ok(());
    };
    Err(entry.fault("exec", why))
}

fn client_certificate(user: &AuthInfo, entry: &Entry) -> Result<Option<Arc<CertifiedKey>>, FieldFault> {
    let fields = ["client-certificate-data", "client-certificate"];
    let data = user.client_certificate_data.as_deref();
    let Some(certificate) = held(entry, fields, data, user.client_certificate.as_deref())? else {
        // A key alone is of no use, and no hindrance to client-go.
        return Ok(None);
    };
    let fields = ["client-key-data", "client-key"];
    let data = user.client_key_data.as_ref().map(ExposeSecret::expose_secret);
    let Some(key) = held(entry, fields, data, user.client_key.as_deref())? else {
        return Err(entry.fault("client-key-data", "it is missing: a client certificate needs its private key"));
    };
    let pair = certificate::pair(&certificate.bytes, &key.bytes);
    let pair = pair.map_err(|fault| match fault {
        PairFault::Certificate(why) => entry.fault(certificate.field, why).at(certificate.file.as_deref()),
        PairFault::Key(why) => entry
            .fault(key.field, why)
            .at(key.file.as_deref())
            .mend("have a certificate issued for a key on P-256, or of RSA with 2048 bits, or use a token"),
        PairFault::Mismatch => {
            let file = |file: &Option<PathBuf>| {
                file.as_ref().map(|file| format!(" {}", clean(&file.display().to_string()))).unwrap_or_default()
            };
            let why = format!("it is not the private key of {}{}", certificate.field, file(&certificate.file));
            entry
                .fault(key.field, why)
                .at(key.file.as_deref())
                .mend("have certificate and key come from the same request: one of them was renewed without the other")
        }
    })?;
    Ok(Some(pair))
}

/// The value of `Authorization` for a bearer token, by the rule of Go's `net/http`: no control characters.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, String> {
    let value = HeaderValue::from_bytes(format!("Bearer {token}").as_bytes());
    let mut value = value.map_err(|_invalid| {
        let which = match token.chars().find(|c| c.is_control()) {
            Some('\n' | '\r') => "a line break",
            _ => "a control character",
        };
        format!("the token holds {which}, so it cannot be sent")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// What `Authorization` is.
#[derive(Clone, Debug)]
pub(super) enum Authorization {
    /// A token or password from the kubeconfig.
    Fixed(HeaderValue),
    /// A token in a file.
    File(Arc<TokenFile>),
}

impl Authorization {
    /// The value for a request that is about to be sent.
    ///
    /// # Errors
    ///
    /// The file holds no token, or one that cannot be sent.
    pub(super) async fn header(&self) -> Result<HeaderValue, FieldFault> {
        let file = match self {
            Self::Fixed(value) => return Ok(value.clone()),
            Self::File(file) => file,
        };
        if let Some(value) = file.recent() {
            return Ok(value);
        }
        let file = Arc::clone(file);
        blocking(move || file.read()).await
    }

    /// The server did not accept it: what is kept of a file counts for nothing.
    pub(super) fn reject(&self) {
        if let Self::File(file) = self {
            file.lock().read_at = None;
        }
    }
}

/// A file that holds a token, read anew every few seconds.
pub(super) struct TokenFile {
    entry: Entry,
    path: PathBuf,
    kept: Mutex<Kept>,
}

/// What was last read.
#[derive(Default)]
struct Kept {
    read_at: Option<Instant>,
    /// The last token that could be read; before any, `token` of the kubeconfig.
    value: Option<HeaderValue>,
}

impl fmt::Debug for TokenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tokens are not for logs.
        f.debug_struct("TokenFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl TokenFile {
    /// How long a token is used before the file is looked at again. A read costs microseconds.
    const KEPT: Duration = Duration::from_secs(10);

    fn new(entry: Entry, path: PathBuf, text: Option<HeaderValue>) -> Self {
        Self { entry, path, kept: Mutex::new(Kept { read_at: None, value: text }) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token, unless it is time to read the file again.
    fn recent(&self) -> Option<HeaderValue> {
        let kept = self.lock();
        let is_recent = kept.read_at.is_some_and(|read_at| read_at.elapsed() < Self::KEPT);
        kept.value.clone().filter(|_| is_recent)
    }

    /// Reads the file, which blocks.
    fn read(&self) -> Result<HeaderValue, FieldFault> {
        let fault = |why: String| self.entry.fault("tokenFile", why).at(Some(&self.path));
        let read = std::fs::read_to_string(&self.path).map_err(|error| root_cause(&error));
        let read = read.and_then(|text| match text.trim() {
            "" => Err("it holds no token".to_owned()),
            token => Ok(token.to_owned()),
        });
        let mut kept = self.lock();
        match (read, &kept.value) {
            (Ok(token), _) => {
                let value = bearer(&token).map_err(fault)?;
                *kept = Kept { read_at: Some(Instant::now()), value: Some(value.clone()) };
                Ok(value)
            }
            // Files are removed after the start to limit their exposure (kubernetes/kubernetes issue 68164).
            (Err(_), Some(value)) => Ok(value.clone()),
            (Err(why), None) => Err(fault(why)),
        }
    }
}

fn authorization(user: &AuthInfo, entry: &Entry) -> Result<Option<Authorization>, FieldFault> {
    let text = user.token.as_ref().map(ExposeSecret::expose_secret);
    let password = user.password.as_ref().map(ExposeSecret::expose_secret);
    if user.username.is_some() || password.is_some() {
        if text.is_some() || user.token_file.is_some() {
            return Err(entry.fault("username", "it cannot stand beside a token, as for kubectl; take one of them out"));
        }
        let pair = format!("{}:{}", user.username.as_deref().unwrap_or_default(), password.unwrap_or_default());
        let value = HeaderValue::from_str(&format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair)));
        let mut value = value.map_err(|error| entry.fault("username", error.to_string()))?;
        value.set_sensitive(true);
        return Ok(Some(Authorization::Fixed(value)));
    }
    if let Some(path) = &user.token_file {
        // Where the file can be read the text does not count, so that it may be anything.
        let file = TokenFile::new(entry.clone(), path.into(), text.and_then(|text| bearer(text).ok()));
        file.read()?;
        return Ok(Some(Authorization::File(Arc::new(file))));
    }
    let fixed = |field, token: &str| {
        let value = bearer(token).map_err(|why| entry.fault(field, why).mend("store the token anew, in one line"))?;
        Ok(Some(Authorization::Fixed(value)))
    };
    match (text, &user.auth_provider) {
        (Some(token), _) => fixed("token", token),
        (None, Some(provider)) if provider.name == "oidc" => match provider.config.get("id-token") {
            Some(token) if !token.is_empty() => fixed("auth-provider", token),
            _ => Err(entry
                .fault("auth-provider", "oidc without an id-token")
                .mend("run any kubectl command, which renews it, or use the plugin kubelogin")),
        },
        (None, Some(provider)) => {
            let why = format!("{:?} is not supported (kubectl took it out in 1.26)", clean(&provider.name));
            Err(entry
                .fault("auth-provider", why)
                .mend("use a credential plugin (exec): gke-gcloud-auth-plugin for gcp, kubelogin for azure"))
        }
        (None, None) => Ok(None),
    }
}

fn impersonation(user: &AuthInfo, entry: &Entry) -> Result<Vec<(HeaderName, HeaderValue)>, FieldFault> {
    let mut headers = Vec::new();
    let mut add = |field: &'static str, name: HeaderName, value: &str| {
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_invalid| entry.fault(field, "it holds a control character, so it cannot be sent"))?;
        headers.push((name, value));
        Ok(())
    };
    let groups = user.impersonate_groups.as_deref().unwrap_or_default();
    let extra: Vec<(&String, &Vec<String>)> = user.impersonate_user_extra.iter().flatten().collect();
    let Some(name) = &user.impersonate else {
        if user.impersonate_uid.is_some() || !groups.is_empty() || !extra.is_empty() {
            return Err(entry.fault("as", "it is missing: as-uid, as-groups and as-user-extra need it"));
        }
        return Ok(Vec::new());
    };
    add("as", HeaderName::from_static("impersonate-user"), name)?;
    if let Some(uid) = &user.impersonate_uid {
        add("as-uid", HeaderName::from_static("impersonate-uid"), uid)?;
    }
    for group in groups {
        add("as-groups", HeaderName::from_static("impersonate-group"), group)?;
    }
    for (key, values) in extra {
        let name = format!("impersonate-extra-{}", escaped_key(key));
        let name: HeaderName =
            name.parse().map_err(|_invalid| entry.fault("as-user-extra", format!("{key:?} cannot be a header")))?;
        for value in values {
            add("as-user-extra", name.clone(), value)?;
        }
    }
    Ok(headers)
}

/// A key as client-go writes it into a header's name (`transport/round_trippers.go`, `headerKeyEscape`).
fn escaped_key(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte);
    let escape = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    key.bytes().map(escape).collect()
}

/// The service account of the pod we run in, whose files are renewed while we run.
pub(super) fn service_account(
    certificates: &[Vec<u8>],
    ca: Option<PathBuf>,
    token: &Path,
) -> Result<(Authorities, ClientSide), FieldFault> {
    let entry = Entry::service_account();
    let given = certificates.iter().map(|der| der.clone().into()).collect();
    let authorities =
        Authorities::Given { place: "the service account's ca.crt".into(), certificates: given, file: ca };
    let file = TokenFile::new(entry, token.to_owned(), None);
    file.read()?;
    let authorization = Some(Authorization::File(Arc::new(file)));
    Ok((authorities, ClientSide { authorization, ..ClientSide::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use crate::source::blocking::testing::{named_pipe, read_from_pipe};
    use std::fs;
    use test_case::test_case;

    #[test_case("aGVsbG8=" => Ok("hello".into()))]
    #[test_case("aGVs\nbG8=\n" => Ok("hello".into()) ; "a line break")]
    #[test_case("aGVs\r\nbG8=" => Ok("hello".into()) ; "CRLF")]
    #[test_case("aGVsbG9=" => Ok("hello".into()) ; "bits after the end")]
    #[test_case("" => Ok(String::new()))]
    #[test_case("aGVs bG8=" => Err("it is not base64: ' ' at character 5 is no digit of it".into()) ; "a blank")]
    #[test_case("aGVs\tbG8=" => Err("it is not base64: character 5 is no digit of it".into()) ; "a tab")]
    #[test_case("aGVsbG8" => Err("it is not base64: its end is missing".into()) ; "no padding")]
    #[test_case("aGVs-bG8" => Err("it is not base64: '-' at character 5 is no digit of it".into()) ; "the alphabet of URLs")]
    fn base64_is_read_as_go_reads_it(text: &str) -> Result<String, String> {
        decoded(text).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    // golang.org/x/net/http/httpguts, ValidHeaderFieldValue
    #[test_case("t" => true)]
    #[test_case("" => true)]
    #[test_case("a\tb" => true ; "a tab")]
    #[test_case("gr\u{fc}n" => true ; "beyond ASCII")]
    #[test_case("a\n" => false ; "a line break at the end")]
    #[test_case("a\u{0}b" => false)]
    #[test_case("a\u{7f}" => false ; "delete")]
    fn a_token_is_a_header_as_for_go(token: &str) -> bool {
        bearer(token).is_ok_and(|value| value.is_sensitive())
    }

    #[test_case("https://h:6443", false => Ok("https://h:6443/".into()))]
    #[test_case("h:6443", false => Ok("http://h:6443/".into()) ; "without a scheme")]
    #[test_case("h:6443", true => Ok("https://h:6443/".into()) ; "without a scheme, with certificates")]
    #[test_case("https://h/k8s/clusters/c-1", false => Ok("https://h/k8s/clusters/c-1".into()) ; "a path")]
    #[test_case("ftp://h", false => Err("\"ftp://h\" is no http:// or https:// address".into()))]
    fn addresses(server: &str, tls: bool) -> Result<String, String> {
        address(server, tls).map(|uri| uri.to_string())
    }

    /// `transport/token_source_test.go` of client-go: read anew, and the last good content stays.
    #[tokio::test]
    async fn a_token_file_is_read_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, " one\n").unwrap();
        let authorization = Authorization::File(Arc::new(TokenFile::new(Entry::user("ops"), path.clone(), None)));
        let header = || async { authorization.header().await.map(|value| value.to_str().unwrap().to_owned()) };
        assert_eq!(header().await, Ok("Bearer one".into()));
        fs::write(&path, "two").unwrap();
        assert_eq!(header().await, Ok("Bearer one".into()), "kept for some seconds");
        authorization.reject();
        assert_eq!(header().await, Ok("Bearer two".into()));
        for gone in ["", " \n"] {
            fs::write(&path, gone).unwrap();
            authorization.reject();
            assert_eq!(header().await, Ok("Bearer two".into()), "the last good one");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(header().await, Ok("Bearer two".into()), "the last good one");
        fs::write(&path, "a\nb").unwrap();
        let why = header().await.unwrap_err().to_string();
        let path = path.display();
        assert_eq!(why, format!("user \"ops\": tokenFile {path}: the token holds a line break, so it cannot be sent"));
        assert!(!format!("{authorization:?}").contains("two"));
    }

    /// A token may lie on a file system that is slow to answer.
    #[cfg(unix)]
    #[tokio::test]
    async fn reading_a_token_does_not_block_other_tasks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        named_pipe(&path);
        let authorization = Authorization::File(Arc::new(TokenFile::new(Entry::user("ops"), path.clone(), None)));
        let header = read_from_pipe(&path, "one", authorization.header()).await;
        assert_eq!(header.unwrap(), "Bearer one");
    }

    // client-go transport/round_trippers.go
    #[test_case("scopes" => "scopes")]
    #[test_case("example.com/scope" => "example.com%2Fscope")]
    #[test_case("a%b" => "a%25b")]
    fn keys_of_extra_are_escaped(key: &str) -> String {
        escaped_key(key)
    }
}
