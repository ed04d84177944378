//! Certificates and keys as files hold them: PEM blocks, what a certificate says of itself, and keys that can sign.
//!
//! What is taken is what Go's `crypto/tls.X509KeyPair` and `x509.CertPool.AppendCertsFromPEM` take: blocks of other kinds,
//! text around them and CRLF are passed over, the label of a key does not have to match its form, and a client certificate
//! may be of any version of X.509, because nothing here has to verify it.

use crate::model::Timestamp;
use crate::units::text::clean;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use std::net::IpAddr;
use std::sync::Arc;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// What a certificate says of itself, for words and for the checks that do not need cryptography.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// 1 or 3, and 2 in theory.
    pub(super) version: u32,
    /// The distinguished name, as `CN=kubernetes`.
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    /// Host names and addresses of the subject alternative name.
    pub(super) names: Vec<String>,
    /// Whether it may be an authority (basic constraints).
    pub(super) is_authority: bool,
    /// Whether its extended key usage, if it has one, includes a server.
    pub(super) for_servers: bool,
    /// Whether it has a critical extension that is not understood.
    pub(super) unknown_critical: bool,
    /// The kind of its key, as `RSA of 2048 bits`.
    pub(super) key: String,
    /// The length of an RSA key in bits.
    pub(super) rsa_bits: Option<usize>,
}

impl Facts {
    /// Reads a certificate; `None` where it is not one.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        // RFC 5280, 4.1.2.5: 99991231235959Z stands for no end at all, and is beyond what a `Timestamp` can hold.
        let moment = |seconds: i64| {
            Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
        };
        let usage = certificate.extended_key_usage().ok().flatten();
        Some(Self {
            version: certificate.version().0 + 1,
            subject: named(&certificate.subject().to_string()),
            issuer: named(&certificate.issuer().to_string()),
            not_before: moment(certificate.validity().not_before.timestamp()),
            not_after: moment(certificate.validity().not_after.timestamp()),
            names: names(&certificate),
            is_authority: certificate.is_ca(),
            for_servers: usage.is_none_or(|usage| usage.value.any || usage.value.server_auth),
            unknown_critical: certificate.extensions().iter().any(|extension| {
                let read = !matches!(
                    extension.parsed_extension(),
                    ParsedExtension::UnsupportedExtension { .. } | ParsedExtension::ParseError { .. }
                );
                extension.critical && !read
            }),
            key: kind(certificate.public_key()),
            rsa_bits: rsa_bits(certificate.public_key()),
        })
    }
}

fn named(distinguished: &str) -> String {
    if distinguished.is_empty() { "without a name".into() } else { clean(distinguished).into_owned() }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternative)) = certificate.subject_alternative_name() else { return Vec::new() };
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(clean(name).into_owned()),
        GeneralName::IPAddress(octets) => {
            let four: Option<[u8; 4]> = (*octets).try_into().ok();
            let sixteen: Option<[u8; 16]> = (*octets).try_into().ok();
            four.map(IpAddr::from).or(sixteen.map(IpAddr::from)).map(|address| address.to_string())
        }
        _ => None,
    };
    alternative.value.general_names.iter().filter_map(text).collect()
}

fn rsa_bits(key: &SubjectPublicKeyInfo<'_>) -> Option<usize> {
    let Ok(PublicKey::RSA(rsa)) = key.parsed() else { return None };
    let zeros = rsa.modulus.iter().take_while(|byte| **byte == 0).count();
    let first = rsa.modulus.get(zeros)?;
    Some((rsa.modulus.len() - zeros) * 8 - first.leading_zeros() as usize)
}

/// The kind of a public key, in the words of `openssl x509 -text`.
fn kind(key: &SubjectPublicKeyInfo<'_>) -> String {
    if let Some(bits) = rsa_bits(key) {
        return format!("RSA of {bits} bits");
    }
    // The curve of an elliptic key is a parameter of its algorithm (RFC 5480), that of Ed25519 is the algorithm (RFC 8410).
    let curve = key.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
    match curve.as_deref().unwrap_or(&key.algorithm.algorithm.to_id_string()) {
        "1.2.840.10045.3.1.7" => "P-256".into(),
        "1.3.132.0.33" => "P-224".into(),
        "1.3.132.0.34" => "P-384".into(),
        "1.3.132.0.35" => "P-521".into(),
        "1.3.132.0.10" => "secp256k1".into(),
        "1.3.101.112" => "Ed25519".into(),
        "1.3.101.113" => "Ed448".into(),
        "1.2.840.10040.4.1" => "DSA".into(),
        other => format!("of the kind {other}"),
    }
}

/// The certificates of a bundle that can be read. Others are passed over, as in Go's `AppendCertsFromPEM`.
pub(super) fn bundle(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).filter(|der| Facts::read(der).is_some()).collect()
}

/// Which half of a certificate and its key is wrong, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PairFault {
    /// The certificate.
    Certificate(String),
    /// The private key.
    Key(String),
    /// Both are good, and do not belong together.
    Mismatch,
}

/// A certificate chain with the key that signs for its first certificate.
pub(super) fn pair(certificate_pem: &[u8], key_pem: &[u8]) -> Result<Arc<CertifiedKey>, PairFault> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate_pem)
        .collect::<Result<_, _>>()
        .map_err(|_broken| PairFault::Certificate("its PEM block is broken".into()))?;
    let leaf = chain.first().ok_or_else(|| PairFault::Certificate("it holds no certificate (a PEM block)".into()))?;
    let (_, parsed) = X509Certificate::from_der(leaf)
        .map_err(|_unreadable| PairFault::Certificate("its certificate cannot be read".into()))?;
    let key = signing_key(key_pem, &kind(parsed.public_key())).map_err(PairFault::Key)?;
    if !belongs(&*key, parsed.public_key()) {
        return Err(PairFault::Mismatch);
    }
    Ok(Arc::new(CertifiedKey::new(chain, key)))
}

/// The first private key of a text.
fn signing_key(pem: &[u8], kind: &str) -> Result<Arc<dyn SigningKey>, String> {
    let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem);
    let key = sections.find_map(|section| match section {
        Ok((SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey, der)) => Some(der),
        _ => None,
    });
    let Some(der) = key else {
        let text = String::from_utf8_lossy(pem);
        return Err(if text.contains("ENCRYPTED") {
            "it is encrypted with a passphrase, which kubectl does not take either; store it without one".into()
        } else {
            "it holds no private key (a PEM block)".into()
        });
    };
    if String::from_utf8_lossy(pem).contains("Proc-Type: 4,ENCRYPTED") {
        return Err(
            "it is encrypted with a passphrase, which kubectl does not take either; store it without one".into()
        );
    }
    let forms = [
        PrivateKeyDer::Pkcs8(der.clone().into()),
        PrivateKeyDer::Pkcs1(der.clone().into()),
        PrivateKeyDer::Sec1(der.into()),
    ];
    let usable = forms.iter().find_map(|form| any_supported_type(form).ok());
    usable.ok_or_else(|| {
        format!(
            "its key cannot be used (the certificate's key is {kind}); usable are P-256, P-384, P-521, Ed25519, and RSA of \
             2048 to 8192 bits"
        )
    })
}

/// Whether a key signs for a certificate: its public half is the certificate's.
fn belongs(key: &dyn SigningKey, certificate: &SubjectPublicKeyInfo<'_>) -> bool {
    let Some(spki) = key.public_key() else { return true };
    let Ok((_, own)) = SubjectPublicKeyInfo::from_der(&spki) else { return true };
    let (own, theirs) = (&*own.subject_public_key.data, &*certificate.subject_public_key.data);
    // A point of a curve may be compressed (SEC 1, 2.3.3): then its first coordinate alone is there.
    match theirs.split_first() {
        Some((2 | 3, x)) if own.len() == 1 + 2 * x.len() => own.get(1..=x.len()) == Some(x),
        _ => own == theirs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5280, 4.1.2.5: an authority without an end is one of the bundle.
    #[test]
    fn a_certificate_without_an_end_can_be_read() {
        let mut params = rcgen::CertificateParams::default();
        params.not_after = rcgen::date_time_ymd(9999, 12, 31);
        let pem = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem();
        let certificates = bundle(pem.as_bytes());
        let facts = certificates.first().and_then(|der| Facts::read(der)).unwrap();
        assert_eq!(facts.not_after, Timestamp::MAX);
    }
}
