//! Whether a server's certificate is trusted, and if not, why, in words that a user can act on.
//!
//! The verification is rustls-webpki's, or the platform's where the kubeconfig names no authority. Two rules of Go's
//! `x509.Certificate.Verify` are added. A certificate that lies among the given authorities is a chain of one: its time,
//! its names and its purpose are checked as ever, and the handshake proves that the server holds its key. And the dates of
//! an authority count (`isValid`), which webpki's anchors do not have.
//!
//! One certificate that Go takes is refused: that of an authority which another one has signed, for webpki has no such end
//! of a chain.

use super::certificate::{self, Facts};
use crate::model::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::Instant;

/// Why a server's certificate is not trusted. Completes "the certificate of … ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Distrust {
    #[error("is signed by an unknown authority: its issuer is {issuer}, and {authorities}")]
    UnknownAuthority { issuer: String, authorities: String },
    #[error("is self-signed and not trusted: it is {subject}, and {authorities}")]
    SelfSigned { subject: String, authorities: String },
    #[error("is not signed by the key of the authority that it names: {issuer}; {authorities}")]
    WrongKey { issuer: String, authorities: String },
    #[error("has expired on {} ({} ago)", day(*.on), span(*.now, *.on))]
    Expired { on: Timestamp, now: Timestamp },
    #[error("is not valid before {} (in {}); this machine's clock may be behind", day(*.from), span(*.from, *.now))]
    NotYet { from: Timestamp, now: Timestamp },
    #[error("comes with a certificate of an authority that has expired or is not valid yet")]
    AuthorityExpired,
    #[error("is signed by an authority that has expired or is not valid yet: {authority}; {authorities}")]
    RootExpired { authority: String, authorities: String },
    #[error("is not for {wanted:?}: {}", for_whom(.names))]
    WrongName { wanted: String, names: Vec<String> },
    #[error("is of X.509 version 1, which has no host names; version 3 is needed")]
    Version1,
    #[error("may not be used by a server (its extended key usage is another)")]
    Purpose,
    #[error("is that of an authority (CA:TRUE), and cannot be a server's unless certificate-authority holds it itself")]
    IsAuthority,
    #[error("uses a key or signature that is not supported: its key is {key}")]
    Unsupported { key: String },
    #[error("is signed by an authority whose key is not supported: {authority} has {key}")]
    ShortAuthority { authority: String, key: String },
    #[error("was revoked, or its revocation cannot be checked")]
    Revoked,
    #[error("cannot be read")]
    Unreadable,
    #[error("is not valid: {0}")]
    Other(String),
}

impl Distrust {
    /// What to do about it.
    pub(super) const fn remedy(&self) -> &'static str {
        match self {
            Self::UnknownAuthority { .. } | Self::SelfSigned { .. } | Self::WrongKey { .. } => {
                "put the certificate of the authority that signs for the server into certificate-authority-data (for EKS: aws \
                 eks update-kubeconfig writes it); where a proxy inspects TLS, that is the proxy's authority"
            }
            Self::Expired { .. } | Self::AuthorityExpired => {
                "have the server's certificate renewed; if its dates are right, set this machine's clock (NTP)"
            }
            Self::RootExpired { .. } => {
                "put the renewed certificate of the authority into certificate-authority-data (for EKS: aws eks \
                 update-kubeconfig writes it); if its dates are right, set this machine's clock (NTP)"
            }
            Self::IsAuthority => {
                "have the server's certificate issued anew, as that of no authority (CA:FALSE), or add the server's own \
                 certificate to certificate-authority-data"
            }
            Self::ShortAuthority { .. } => {
                "have the authority and the certificates that it signs made anew, with a key on P-256, P-384, P-521 or RSA \
                 from 2048 bits"
            }
            Self::NotYet { .. } => {
                "set this machine's clock (NTP); if it is right, wait until the certificate is valid"
            }
            Self::WrongName { .. } => {
                "use one of the certificate's names in server, or set tls-server-name to one of them"
            }
            Self::Version1 | Self::Purpose | Self::Unsupported { .. } | Self::Unreadable | Self::Other(_) => {
                "have the server's certificate issued anew: version 3, its host in the subject alternative name, for servers, \
                 with a key on P-256, P-384, P-521 or RSA from 2048 bits"
            }
            Self::Revoked => "have the server's certificate issued anew",
        }
    }
}

fn day(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The time between two moments in its largest unit.
fn span(later: Timestamp, earlier: Timestamp) -> String {
    let minutes = later.duration_since(earlier).as_mins().max(0);
    let (count, unit) = match minutes {
        2880.. => (minutes / 1440, "days"),
        120.. => (minutes / 60, "hours"),
        _ => (minutes, "minutes"),
    };
    format!("{count} {unit}")
}

fn for_whom(names: &[String]) -> String {
    const SHOWN: usize = 8;
    if names.is_empty() {
        return "it names no host (a common name does not count)".into();
    }
    let list = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => format!("it is for {list}"),
        more => format!("it is for {list} and {more} more"),
    }
}

/// Where the authorities come from.
#[derive(Clone, Debug)]
pub(super) enum Authorities {
    /// The system's.
    System,
    /// Those of the kubeconfig or the service account.
    Given {
        /// Where they stand, for messages: `certificate-authority-data`, `certificate-authority /path`.
        place: String,
        /// The certificates.
        certificates: Vec<CertificateDer<'static>>,
        /// The file they are read from anew as authorities rotate.
        file: Option<PathBuf>,
    },
}

/// Decides by the given authorities, or by the system's.
#[derive(Debug)]
pub(super) struct Verifier {
    provider: Arc<CryptoProvider>,
    /// Where a file is read anew: the time of the last look and what holds since then.
    current: RwLock<(Instant, Arc<Trust>)>,
    place: String,
    file: Option<PathBuf>,
}

/// What is trusted for now.
#[derive(Debug)]
struct Trust {
    given: Vec<CertificateDer<'static>>,
    /// The time in which none of them begins or ceases to be valid.
    holds: RangeInclusive<Timestamp>,
    /// `None` where no given certificate can be an authority by webpki's rules.
    inner: Option<Arc<dyn ServerCertVerifier>>,
    /// What the authorities are, for messages.
    words: String,
}

/// How often a file of authorities is read anew; so long does client-go keep a service account's files.
const READ_ANEW: Duration = Duration::from_mins(1);

impl Verifier {
    /// A verifier for these authorities.
    ///
    /// # Errors
    ///
    /// The system has no authorities that can be used.
    pub(super) fn new(
        authorities: Authorities,
        provider: Arc<CryptoProvider>,
        now: Timestamp,
    ) -> Result<Self, rustls::Error> {
        let (trust, place, file) = match authorities {
            Authorities::System => {
                let system = rustls_platform_verifier::Verifier::new(Arc::clone(&provider))?;
                let words = "the system's authorities do not know it (the kubeconfig names no certificate-authority)";
                let trust = Trust {
                    given: Vec::new(),
                    holds: Timestamp::MIN..=Timestamp::MAX,
                    inner: Some(Arc::new(system)),
                    words: words.into(),
                };
                (trust, String::new(), None)
            }
            Authorities::Given { place, certificates, file } => {
                (Trust::given(certificates, &place, &provider, now), place, file)
            }
        };
        Ok(Self { provider, current: RwLock::new((Instant::now(), Arc::new(trust))), place, file })
    }

    /// Whether it is time to read the file of authorities again.
    pub(super) fn is_outdated(&self) -> bool {
        self.file.is_some() && self.current().0.elapsed() >= READ_ANEW
    }

    /// Reads the file of authorities again, which blocks. A file that cannot be read leaves what was read before.
    pub(super) fn reload(&self, now: Timestamp) {
        let Some(file) = &self.file else { return };
        let certificates = std::fs::read(file).map(|pem| certificate::bundle(&pem)).unwrap_or_default();
        let (_, trust) = self.current();
        let is_new = !certificates.is_empty() && certificates != trust.given;
        let trust = if is_new { self.given(certificates, now) } else { trust };
        self.set_current(Instant::now(), trust);
    }

    /// What is trusted at a time. Reads no file.
    fn trust(&self, now: Timestamp) -> Arc<Trust> {
        let (read_at, trust) = self.current();
        if trust.holds.contains(&now) {
            return trust;
        }
        let trust = self.given(trust.given.clone(), now);
        self.set_current(read_at, Arc::clone(&trust));
        trust
    }

    fn given(&self, certificates: Vec<CertificateDer<'static>>, now: Timestamp) -> Arc<Trust> {
        Arc::new(Trust::given(certificates, &self.place, &self.provider, now))
    }

    fn current(&self) -> (Instant, Arc<Trust>) {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_current(&self, read_at: Instant, trust: Arc<Trust>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = (read_at, trust);
    }
}

impl Trust {
    fn given(
        certificates: Vec<CertificateDer<'static>>,
        place: &str,
        provider: &Arc<CryptoProvider>,
        now: Timestamp,
    ) -> Self {
        let facts: Vec<Option<Facts>> = certificates.iter().map(|der| Facts::read(der)).collect();
        let valid = |facts: &Option<Facts>| facts.as_ref().is_none_or(|facts| check_time(facts, now).is_ok());
        let mut roots = RootCertStore::empty();
        let pairs = certificates.iter().zip(&facts);
        roots.add_parsable_certificates(pairs.filter(|(_, facts)| valid(facts)).map(|(der, _)| der.clone()));
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
        let facts = facts.iter().flatten();
        let subjects: Vec<&str> = facts.clone().map(|facts| facts.subject.as_str()).take(4).collect();
        let words = format!("{place} holds {}", subjects.join("; "));
        let dates = facts.flat_map(|facts| [facts.not_before, facts.not_after]);
        let since = dates.clone().filter(|date| *date < now).max().unwrap_or(Timestamp::MIN);
        let until = dates.filter(|date| *date >= now).min().unwrap_or(Timestamp::MAX);
        Self {
            given: certificates,
            holds: since..=until,
            inner: inner.ok().map(|inner| inner as Arc<dyn ServerCertVerifier>),
            words,
        }
    }

    /// The rest of Go's `Verify` for a certificate that is itself trusted.
    fn check_trusted(leaf: &CertificateDer<'_>, name: &ServerName<'_>, now: Timestamp) -> Result<(), Distrust> {
        let facts = Facts::read(leaf).ok_or(Distrust::Unreadable)?;
        check_time(&facts, now)?;
        if facts.version != 3 {
            return Err(Distrust::Version1);
        }
        if facts.unknown_critical {
            return Err(Distrust::Other("it has a critical extension that is not understood".into()));
        }
        if !facts.for_servers {
            return Err(Distrust::Purpose);
        }
        let parsed = ParsedCertificate::try_from(leaf).map_err(|_unreadable| Distrust::Unreadable)?;
        verify_server_name(&parsed, name)
            .map_err(|_other| Distrust::WrongName { wanted: name.to_str().into_owned(), names: facts.names })
    }

    /// Why a certificate was refused.
    fn explain(
        &self,
        error: &rustls::Error,
        (leaf, intermediates): (&CertificateDer<'_>, &[CertificateDer<'_>]),
        name: &ServerName<'_>,
        now: Timestamp,
    ) -> Distrust {
        use CertificateError as E;
        let Some(facts) = Facts::read(leaf) else { return Distrust::Unreadable };
        if let Err(distrust) = check_time(&facts, now) {
            return distrust;
        }
        if facts.version != 3 {
            return Distrust::Version1;
        }
        let rustls::Error::InvalidCertificate(error) = error else {
            return Distrust::Other(super::fault::in_words(error));
        };
        let authorities = self.words.clone();
        // The given authorities that the chain names.
        let chain: Vec<Facts> = std::iter::once(leaf).chain(intermediates).filter_map(|der| Facts::read(der)).collect();
        let signers: Vec<Facts> = self
            .given
            .iter()
            .filter_map(|der| Facts::read(der))
            .filter(|given| chain.iter().any(|one| one.issuer == given.subject))
            .collect();
        let unknown = |facts: Facts, authorities| match signers.iter().find(|given| check_time(given, now).is_err()) {
            Some(Facts { subject, .. }) => Distrust::RootExpired { authority: subject.clone(), authorities },
            None if facts.issuer == facts.subject => Distrust::SelfSigned { subject: facts.subject, authorities },
            None => Distrust::UnknownAuthority { issuer: facts.issuer, authorities },
        };
        match error {
            E::UnknownIssuer => unknown(facts, authorities),
            E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. } => {
                Distrust::AuthorityExpired
            }
            E::NotValidForName | E::NotValidForNameContext { .. } => {
                Distrust::WrongName { wanted: name.to_str().into_owned(), names: facts.names }
            }
            E::InvalidPurpose | E::InvalidPurposeContext { .. } => Distrust::Purpose,
            // aws-lc-rs verifies no signature by a short RSA key, which Go does from 1024 bits on.
            E::BadSignature => match signers.into_iter().find(|given| given.rsa_bits.is_some_and(|bits| bits < 2048)) {
                Some(Facts { subject, key, .. }) => Distrust::ShortAuthority { authority: subject, key },
                None => Distrust::WrongKey { issuer: facts.issuer, authorities },
            },
            E::UnsupportedSignatureAlgorithmContext { .. }
            | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Distrust::Unsupported { key: facts.key },
            E::Revoked
            | E::UnknownRevocationStatus
            | E::ExpiredRevocationList
            | E::ExpiredRevocationListContext { .. } => Distrust::Revoked,
            E::BadEncoding => Distrust::Unreadable,
            E::UnhandledCriticalExtension => {
                Distrust::Other("it has a critical extension that is not understood".into())
            }
            _ if facts.is_authority && signers.is_empty() => unknown(facts, authorities),
            _ if facts.is_authority => Distrust::IsAuthority,
            other => Distrust::Other(other.to_string()),
        }
    }
}

fn check_time(facts: &Facts, now: Timestamp) -> Result<(), Distrust> {
    if now > facts.not_after {
        return Err(Distrust::Expired { on: facts.not_after, now });
    }
    if now < facts.not_before {
        return Err(Distrust::NotYet { from: facts.not_before, now });
    }
    Ok(())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let moment = i64::try_from(now.as_secs()).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let moment = moment.unwrap_or(Timestamp::MAX);
        let trust = self.trust(moment);
        let verified = match &trust.inner {
            Some(inner) => inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        let error = match verified {
            Ok(verified) => return Ok(verified),
            Err(error) => error,
        };
        let distrust = if trust.given.iter().any(|given| given == end_entity) {
            match Trust::check_trusted(end_entity, server_name, moment) {
                Ok(()) => return Ok(ServerCertVerified::assertion()),
                Err(distrust) => distrust,
            }
        } else {
            trust.explain(&error, (end_entity, intermediates), server_name, moment)
        };
        Err(CertificateError::Other(OtherError(Arc::new(distrust))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Trusts every certificate: `insecure-skip-tls-verify: true`.
#[derive(Debug)]
pub(super) struct TrustAll(pub(super) Arc<CryptoProvider>);

impl ServerCertVerifier for TrustAll {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

    /// Go's x509 `isValid` looks at the dates of every certificate of a chain, its root's too.
    #[test]
    fn an_authority_is_trusted_within_its_dates() {
        let params = |names: &[&str], last_year| {
            let mut params =
                CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
            (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(last_year, 1, 1));
            params
        };
        let mut root = params(&[], 2030);
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificates = vec![root.self_signed(&key).unwrap().der().clone()];
        let issuer = Issuer::new(root, key);
        let leaf = params(&["api.example"], 2040).signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let given = Authorities::Given { place: "ca".into(), certificates, file: None };
        let verifier = Verifier::new(given, provider, Timestamp::now()).unwrap();
        let name = ServerName::try_from("api.example").unwrap();
        let trusted_on = |day: &str| {
            let moment: Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
            let now = UnixTime::since_unix_epoch(Duration::from_secs(moment.as_second() as u64));
            verifier.verify_server_cert(leaf.der(), &[], &name, &[], now).map(drop)
        };
        // Also where the clock is set while we run.
        for _ in 0..2 {
            assert_eq!(trusted_on("2025-06-01"), Ok(()));
            let error = trusted_on("2035-06-01").unwrap_err();
            let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) = error else {
                panic!("{error}")
            };
            assert!(matches!(cause.downcast_ref(), Some(Distrust::RootExpired { .. })), "{cause}");
        }
    }
}
