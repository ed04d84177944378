//! Calls that are signed here (AWS Signature Version 4): spot prices of EC2, a cluster of EKS, the identity of STS.
//!
//! One call of each service: their SDKs would be more to compile than all the rest of the program.

use super::credentials::Session;
use super::transport::in_words;
use super::words::tidy;
use super::{AwsEnvironment, Identity};
use crate::model::{Name, Timestamp};
use crate::pricing::{ClusterSupport, Os, Partition, PriceSheet, PriceSource, Prices, SupportPhase, SupportType};
use crate::source::prices::AskError;
use crate::source::prices::http::Http;
use crate::source::prices::read::{ReadError, caller_identity, cluster_support, spot_history};
use aws_credential_types::Credentials as Keys;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as signing_instructions};
use aws_sigv4::sign::v4::SigningParams;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{Request, Response, StatusCode};
use std::collections::{BTreeSet, HashSet};
use std::fmt::{Display, Write as _};
use std::time::{Duration, SystemTime};
use tokio::time::timeout;

/// A question is answered within this time, or with what has come until then.
const PATIENCE: Duration = Duration::from_secs(15);
/// More pages of spot prices than this are not asked for.
const PAGES: usize = 20;
/// Instance types named in one request.
const TYPES: usize = 100;
const AGENT: &str = concat!("nodeglass/", env!("CARGO_PKG_VERSION"));

/// A service that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Ec2,
    Eks,
    Sts,
}

impl Service {
    /// Its name in addresses and signatures.
    const fn name(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Eks => "eks",
            Self::Sts => "sts",
        }
    }

    /// Where it is in a region, without a slash at the end: as the environment says, else by the partition's domain.
    fn endpoint(self, environment: &AwsEnvironment, region: &str) -> Result<String, AskError> {
        // The name comes from a node's label, and what it leads to is sent a signature.
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if region.is_empty() || region.len() > 40 || !region.bytes().all(plain) {
            return Err(AskError::Absent { what: format!("the region {:?}", tidy(region)) });
        }
        let own = match self {
            Self::Ec2 => "AWS_ENDPOINT_URL_EC2",
            Self::Eks => "AWS_ENDPOINT_URL_EKS",
            Self::Sts => "AWS_ENDPOINT_URL_STS",
        };
        let ignored = environment
            .get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let named = environment.get(own).or_else(|| environment.get("AWS_ENDPOINT_URL")).filter(|_| !ignored);
        Ok(named.map_or_else(
            || format!("https://{}.{region}.{}", self.name(), domain(region)),
            |named| named.trim().trim_end_matches('/').to_owned(),
        ))
    }
}

/// The domain of a region's partition. Source: `partitions.json` of AWS's SDKs.
fn domain(region: &str) -> &'static str {
    const ISOLATED: [(&str, &str); 4] = [
        ("us-isob-", "sc2s.sgov.gov"),
        ("us-isof-", "csp.hci.ic.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-iso-", "c2s.ic.gov"),
    ];
    match Partition::of(region) {
        Partition::Commercial | Partition::GovCloud => "amazonaws.com",
        Partition::China => "amazonaws.com.cn",
        Partition::Sovereign => "amazonaws.eu",
        Partition::Isolated => {
            let found = ISOLATED.iter().find(|(prefix, _)| region.starts_with(prefix));
            found.map_or("c2s.ic.gov", |(_, domain)| domain)
        }
    }
}

/// What a call needs beside its question.
pub(super) struct Caller<'a> {
    pub(super) http: &'a Http,
    pub(super) environment: &'a AwsEnvironment,
    pub(super) session: &'a Session,
    pub(super) now: fn() -> Timestamp,
}

impl Caller<'_> {
    /// Spot prices by zone of some instance types, as they are now.
    pub(super) async fn spot(&self, region: &str, os: Os, types: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        const WHAT: &str = "EC2's spot prices";
        let mut found = Vec::new();
        let asked = timeout(PATIENCE, self.spot_pages(region, os, types, &mut found)).await;
        match asked.unwrap_or_else(|_elapsed| Err(late(WHAT))) {
            Err(error) if found.is_empty() => return Err(error),
            Err(error) => tracing::warn!(region, %error, "spot prices came in part"),
            Ok(()) => {}
        }
        let prices = spot_history::newest(found).into_iter().filter(|price| price.os == os).collect();
        Ok(PriceSheet {
            source: PriceSource::SpotHistory,
            region: region.into(),
            currency: Partition::of(region).currency(),
            fetched: (self.now)(),
            cached: false,
            prices: Prices::Spot(prices),
        })
    }

    async fn spot_pages(
        &self,
        region: &str,
        os: Os,
        types: &BTreeSet<Name>,
        found: &mut Vec<spot_history::SpotAt>,
    ) -> Result<(), AskError> {
        let endpoint = Service::Ec2.endpoint(self.environment, region)?;
        let types: Vec<&Name> = types.iter().filter(|name| !name.is_empty()).collect();
        // One moment for all pages: they are pages of one question.
        let start = (self.now)();
        let mut left = PAGES;
        for types in types.chunks(TYPES) {
            let mut seen = HashSet::new();
            let mut token: Option<String> = None;
            loop {
                if left == 0 {
                    tracing::warn!(region, pages = PAGES, "EC2 has more pages of spot prices than are asked for");
                    return Ok(());
                }
                left -= 1;
                let form = spot_form(os, types, start, token.as_deref());
                let answer = self.call(Service::Ec2, region, post(&endpoint, form, "text/xml")).await;
                let body = self.body(answer?, "ec2:DescribeSpotPriceHistory", "EC2's spot prices")?;
                let page = spot_history::read(&body).map_err(|error| garbled(&error))?;
                found.extend(page.prices);
                match page.next_token {
                    // A token that comes again would lead in a circle.
                    Some(next) if seen.insert(next.clone()) => token = Some(next),
                    _ => break,
                }
            }
        }
        Ok(())
    }

    /// As whom AWS knows us.
    pub(super) async fn identity(&self) -> Result<Identity, AskError> {
        const WHAT: &str = "the identity of the AWS credentials";
        let region = &self.session.region;
        let endpoint = Service::Sts.endpoint(self.environment, region)?;
        let form = "Action=GetCallerIdentity&Version=2011-06-15".to_owned();
        let asked = timeout(PATIENCE, self.call(Service::Sts, region, post(&endpoint, form, "text/xml"))).await;
        let answer = asked.unwrap_or_else(|_elapsed| Err(late(WHAT)))?;
        let body = self.body(answer, "sts:GetCallerIdentity", WHAT)?;
        let (account, arn) = caller_identity::read(&body).map_err(|error| garbled(&error))?;
        Ok(Identity { account, arn })
    }

    /// What kind of support a cluster has, and its tier.
    pub(super) async fn cluster_support(&self, region: &str, cluster: &str) -> Result<ClusterSupport, AskError> {
        const WHAT: &str = "the cluster's description";
        let asked = timeout(PATIENCE, self.describe(region, cluster)).await;
        asked.unwrap_or_else(|_elapsed| Err(late(WHAT)))
    }

    async fn describe(&self, region: &str, cluster: &str) -> Result<ClusterSupport, AskError> {
        let endpoint = Service::Eks.endpoint(self.environment, region)?;
        let answer = self.call(Service::Eks, region, get(&format!("{endpoint}/clusters/{}", Encoded(cluster)))).await;
        let what = format!("the cluster {:?} in {region}", tidy(cluster));
        let body = self.body(answer?, "eks:DescribeCluster", &what)?;
        let mut support = cluster_support::read(&body).map_err(|error| garbled(&error))?;
        // A cluster that is upgraded in time never pays more. Of another it is worth a second question which support its
        // version is in; that may be forbidden where the first is allowed.
        if support.support == Some(SupportType::Extended) && !support.version.is_empty() {
            let version = support.version.clone();
            support.phase = self.phase(&endpoint, region, &version).await.unwrap_or_else(|error| {
                tracing::info!(region, %error, "which support the cluster's version is in stays open");
                None
            });
        }
        Ok(support)
    }

    async fn phase(&self, endpoint: &str, region: &str, version: &str) -> Result<Option<SupportPhase>, AskError> {
        let address = format!("{endpoint}/cluster-versions?clusterVersions={}", Encoded(version));
        let answer = self.call(Service::Eks, region, get(&address)).await?;
        let body = self.body(answer, "eks:DescribeClusterVersions", "EKS's versions")?;
        cluster_support::phase(&body, version).map_err(|error| garbled(&error))
    }

    /// Signs a request, sends it, and returns the answer whatever its status.
    async fn call(
        &self,
        service: Service,
        region: &str,
        request: Result<Request<String>, http::Error>,
    ) -> Result<Response<Vec<u8>>, AskError> {
        let what = || format!("an answer of {}", service.name().to_ascii_uppercase());
        let unavailable = |why: String| AskError::Unavailable { what: what(), why };
        let request = request.map_err(|error| unavailable(tidy(&error.to_string())))?;
        let at = SystemTime::from((self.now)());
        let request = sign(request, &self.session.keys, region, service.name(), at).map_err(unavailable)?;
        self.http.send(request).await.map_err(|error| unavailable(in_words(error)))
    }

    /// The body of a success, or what the error means. Codes: EC2 API reference, "Error codes"; STS and EKS, "Common
    /// errors".
    fn body(&self, answer: Response<Vec<u8>>, action: &'static str, what: &str) -> Result<Vec<u8>, AskError> {
        let (head, body) = answer.into_parts();
        if head.status == StatusCode::OK {
            return Ok(body);
        }
        let header = head.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
        let (code, message) = match header {
            Some(code) => (tidy(code.split(':').next().unwrap_or(code)), json_message(&body)),
            None => spot_history::error(&body).unwrap_or_default(),
        };
        let why = Some(tidy(&message)).filter(|why| !why.is_empty()).unwrap_or_else(|| match code.as_str() {
            "" => format!("the server answers {}", head.status),
            code => code.to_owned(),
        });
        let code = code.trim_end_matches("Exception");
        Err(match code {
            "UnauthorizedOperation" | "AccessDenied" | "Unauthorized" => AskError::Denied { action, why },
            "AuthFailure"
            | "ExpiredToken"
            | "RequestExpired"
            | "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "InvalidSignature"
            | "UnrecognizedClient"
            | "MissingAuthenticationToken"
            | "IncompleteSignature" => self.session.refused(&why),
            "ResourceNotFound" => AskError::Absent { what: what.to_owned() },
            _ => AskError::Unavailable { what: what.to_owned(), why },
        })
    }
}

fn late(what: &str) -> AskError {
    AskError::Unavailable { what: what.to_owned(), why: format!("no whole answer within {} s", PATIENCE.as_secs()) }
}

fn garbled(error: &ReadError) -> AskError {
    match error {
        ReadError::Garbled { document, format, why } => {
            AskError::Garbled { what: (*document).to_owned(), why: format!("it is no whole {format} ({why})") }
        }
        ReadError::Shape { document, expected } => AskError::Garbled {
            what: (*document).to_owned(),
            why: format!("it is of another shape (expected {expected})"),
        },
    }
}

/// The message of an error in JSON, as EKS sends it.
fn json_message(body: &[u8]) -> String {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Said {
        message: String,
    }
    serde_json::from_slice::<Said>(body).unwrap_or_default().message
}

/// The question of `DescribeSpotPriceHistory`: the newest price of each type in each zone. A history that begins now is
/// that (EC2 API reference).
fn spot_form(os: Os, types: &[&Name], now: Timestamp, token: Option<&str>) -> String {
    let products = match os {
        Os::Linux => ["Linux/UNIX", "Linux/UNIX (Amazon VPC)"],
        Os::Windows => ["Windows", "Windows (Amazon VPC)"],
    };
    let mut form = "Action=DescribeSpotPriceHistory&Version=2016-11-15&MaxResults=1000".to_owned();
    let mut add = |name: &dyn Display, value: &str| {
        // Writing to a string cannot fail.
        let _ = write!(form, "&{name}={}", Encoded(value));
    };
    add(&"StartTime", &format!("{now:.0}"));
    for (i, product) in products.iter().enumerate() {
        add(&format_args!("ProductDescription.{}", i + 1), product);
    }
    for (i, name) in types.iter().enumerate() {
        add(&format_args!("InstanceType.{}", i + 1), name);
    }
    if let Some(token) = token {
        add(&"NextToken", token);
    }
    form
}

/// Percent-encoded text: everything but RFC 3986's unreserved characters.
struct Encoded<'a>(&'a str);

impl Display for Encoded<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    f.write_char(char::from(byte))?;
                }
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

fn get(address: &str) -> Result<Request<String>, http::Error> {
    Request::get(address).header(USER_AGENT, AGENT).header(ACCEPT, "application/json").body(String::new())
}

fn post(endpoint: &str, form: String, accept: &str) -> Result<Request<String>, http::Error> {
    Request::post(format!("{endpoint}/"))
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, accept)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
        .body(form)
}

/// Signs a request with AWS Signature Version 4; the session token is part of it.
fn sign(
    mut request: Request<String>,
    keys: &Keys,
    region: &str,
    service: &str,
    at: SystemTime,
) -> Result<Request<String>, String> {
    let words = |error: &dyn Display| format!("the request cannot be signed: {}", tidy(&error.to_string()));
    let identity = keys.clone().into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(at)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| words(&error))?
        .into();
    let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let signable = SignableRequest::new(
        request.method().as_str(),
        request.uri().to_string(),
        headers,
        SignableBody::Bytes(request.body().as_bytes()),
    );
    let signed = signable.and_then(|signable| signing_instructions(signable, &params));
    let (instructions, _) = signed.map_err(|error| words(&error))?.into_parts();
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

#[cfg(test)]
mod tests;
