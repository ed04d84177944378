//! Spot prices of EC2 and the support of an EKS cluster, by requests that are signed here (AWS Signature Version 4).
//!
//! The SDKs of the two services would take longer to compile than the rest of the program, for three requests.

use super::AwsEnvironment;
use super::action::{Action, Pages};
use super::credentials::Session;
use crate::model::{Name, Timestamp};
use crate::pricing::{ClusterSupport, Os, Partition, PriceSheet, PriceSource, Prices, SupportPhase, SupportType};
use crate::source::prices::AskError;
use crate::source::prices::error::tidy;
use crate::source::prices::http::{AGENT, Http};
use crate::source::prices::read::{cluster_support, spot_history};
use aws_credential_types::Credentials as Keys;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as signing_instructions};
use aws_sigv4::sign::v4::SigningParams;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{Request, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use std::collections::BTreeSet;
use std::error::Error;
use std::time::SystemTime;

/// The most instance types in one request.
const MAX_TYPES: usize = 100;

/// A service that is called.
#[derive(Clone, Copy, Debug)]
struct Service {
    /// Its name in addresses and signatures.
    name: &'static str,
    /// The environment variable of its endpoint.
    variable: &'static str,
}

const EC2: Service = Service { name: "ec2", variable: "AWS_ENDPOINT_URL_EC2" };
const EKS: Service = Service { name: "eks", variable: "AWS_ENDPOINT_URL_EKS" };

impl Service {
    /// The endpoint in a region, without a slash at the end: from the environment, else from the partition's domain.
    fn endpoint(self, environment: &AwsEnvironment, region: &str) -> Result<String, AskError> {
        // The name comes from the label of a node, and the host that it names receives a signature.
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if region.is_empty() || region.len() > 40 || !region.bytes().all(is_plain) {
            return Err(AskError::Absent { what: format!("the region {:?}", tidy(region)) });
        }
        let configured = environment.get(self.variable).or_else(|| environment.get("AWS_ENDPOINT_URL"));
        match configured.filter(|_| !environment.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) {
            Some(endpoint) => Ok(endpoint.trim().trim_end_matches('/').to_owned()),
            None => Ok(format!("https://{}.{region}.{}", self.name, domain(region))),
        }
    }
}

/// The domain of a region's partition. Source: `partitions.json` of AWS's SDKs.
fn domain(region: &str) -> &'static str {
    match Partition::from_region(region) {
        Partition::Commercial | Partition::GovCloud => "amazonaws.com",
        Partition::China => "amazonaws.com.cn",
        Partition::Sovereign => "amazonaws.eu",
        Partition::Isolated if region.starts_with("us-isob-") => "sc2s.sgov.gov",
        Partition::Isolated if region.starts_with("us-isof-") => "csp.hci.ic.gov",
        Partition::Isolated if region.starts_with("eu-isoe-") => "cloud.adc-e.uk",
        Partition::Isolated => "c2s.ic.gov",
    }
}

/// Sends signed requests.
pub(super) struct Signer<'a> {
    pub(super) http: &'a Http,
    pub(super) environment: &'a AwsEnvironment,
    pub(super) session: &'a Session,
    pub(super) now: fn() -> Timestamp,
}

impl Signer<'_> {
    /// The present spot prices of instance types by zone.
    pub(super) async fn spot(&self, region: &str, os: Os, types: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        let action = self.action("ec2:DescribeSpotPriceHistory", "EC2's spot prices");
        let mut prices = Vec::new();
        let ended = action.in_time(self.spot_pages(&action, region, os, types, &mut prices)).await;
        action.accept_part(ended, prices.is_empty())?;
        let prices = spot_history::newest(prices).into_iter().filter(|price| price.os == os).collect();
        Ok(PriceSheet {
            source: PriceSource::SpotHistory,
            region: region.into(),
            currency: Partition::from_region(region).currency(),
            fetched: (self.now)(),
            cached: false,
            prices: Prices::Spot(prices),
        })
    }

    async fn spot_pages(
        &self,
        action: &Action<'_>,
        region: &str,
        os: Os,
        types: &BTreeSet<Name>,
        prices: &mut Vec<spot_history::SpotAt>,
    ) -> Result<(), AskError> {
        let types: Vec<&Name> = types.iter().filter(|name| !name.is_empty()).collect();
        // All pages have one start.
        let start = (self.now)();
        for types in types.chunks(MAX_TYPES) {
            let mut pages = Pages::default();
            loop {
                let form = spot_form(os, types, start, pages.token());
                let body = self.send(action, EC2, region, "/", Some(form)).await?;
                let page = spot_history::read(&body)?;
                prices.extend(page.prices);
                if !pages.advance(page.next_token) {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The support type and the tier of a cluster, and the support phase of its version.
    pub(super) async fn cluster_support(&self, region: &str, cluster: &str) -> Result<ClusterSupport, AskError> {
        let what = format!("the cluster {:?} in {region}", tidy(cluster));
        let action = self.action("eks:DescribeCluster", &what);
        action
            .in_time(async {
                let body = self.send(&action, EKS, region, &format!("/clusters/{}", encoded(cluster)), None).await?;
                let mut support = cluster_support::read(&body)?;
                // Only extended support has a price that depends on the version. The second request may be denied where the
                // first is allowed.
                if support.support == Some(SupportType::Extended) && !support.version.is_empty() {
                    support.phase = self.phase(region, &support.version).await.unwrap_or_else(|error| {
                        tracing::info!(region, %error, "the support phase of the cluster's version is unknown");
                        None
                    });
                }
                Ok(support)
            })
            .await
    }

    async fn phase(&self, region: &str, version: &str) -> Result<Option<SupportPhase>, AskError> {
        let action = self.action("eks:DescribeClusterVersions", "EKS's versions");
        let path = format!("/cluster-versions?clusterVersions={}", encoded(version));
        let body = self.send(&action, EKS, region, &path, None).await?;
        cluster_support::phase(&body, version)
    }

    fn action<'a>(&'a self, name: &'static str, what: &'a str) -> Action<'a> {
        Action { session: self.session, name, what }
    }

    /// Signs and sends a request, a POST if it has a form, and returns the body of a successful answer.
    async fn send(
        &self,
        action: &Action<'_>,
        service: Service,
        region: &str,
        path: &str,
        form: Option<String>,
    ) -> Result<Vec<u8>, AskError> {
        let address = service.endpoint(self.environment, region)? + path;
        let request = match form {
            None => {
                Request::get(address).header(USER_AGENT, AGENT).header(ACCEPT, "application/json").body(String::new())
            }
            Some(form) => Request::post(address)
                .header(USER_AGENT, AGENT)
                .header(ACCEPT, "text/xml")
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
                .body(form),
        };
        let at = SystemTime::from((self.now)());
        let signed =
            request.map_err(Into::into).and_then(|request| sign(request, &self.session.keys, region, service.name, at));
        let request = signed.map_err(|error| {
            action.unavailable(format!("the request cannot be signed: {}", tidy(&error.to_string())))
        })?;
        let answer = self.http.send(request).await.map_err(|reason| action.unavailable(reason))?;
        let (head, body) = answer.into_parts();
        if head.status == StatusCode::OK {
            return Ok(body);
        }
        let header = head.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
        let (code, message) = match header {
            Some(code) => (code.split(':').next().unwrap_or(code).to_owned(), json_message(&body)),
            None => spot_history::error(&body).unwrap_or_default(),
        };
        Err(action.refused(head.status.as_u16(), &code, &message))
    }
}

/// The message of an error of EKS, which is in JSON.
fn json_message(body: &[u8]) -> String {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct ErrorBody {
        message: String,
    }
    serde_json::from_slice::<ErrorBody>(body).unwrap_or_default().message
}

/// The form of `DescribeSpotPriceHistory`. A history that starts now holds the present price of each type in each zone
/// (EC2 API reference).
fn spot_form(os: Os, types: &[&Name], start: Timestamp, token: Option<&str>) -> String {
    let products = match os {
        Os::Linux => ["Linux/UNIX", "Linux/UNIX (Amazon VPC)"],
        Os::Windows => ["Windows", "Windows (Amazon VPC)"],
    };
    let start = format!("{start:.0}");
    let field = |name: &str, value: &str| format!("&{name}={}", encoded(value));
    let numbered = |name: &str, values: &[&str]| -> String {
        values.iter().zip(1..).map(|(value, number)| field(&format!("{name}.{number}"), value)).collect()
    };
    let types: Vec<&str> = types.iter().map(|name| name.as_str()).collect();
    [
        "Action=DescribeSpotPriceHistory&Version=2016-11-15&MaxResults=1000".to_owned(),
        field("StartTime", &start),
        numbered("ProductDescription", &products),
        numbered("InstanceType", &types),
        token.map(|token| field("NextToken", token)).unwrap_or_default(),
    ]
    .concat()
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn encoded(text: &str) -> PercentEncode<'_> {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, RESERVED)
}

/// Signs a request; the session token is part of the signature.
fn sign(
    mut request: Request<String>,
    keys: &Keys,
    region: &str,
    service: &str,
    at: SystemTime,
) -> Result<Request<String>, Box<dyn Error + Send + Sync>> {
    let identity = keys.clone().into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(at)
        .settings(SigningSettings::default())
        .build()?
        .into();
    let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let body = SignableBody::Bytes(request.body().as_bytes());
    let signable = SignableRequest::new(request.method().as_str(), request.uri().to_string(), headers, body)?;
    let (instructions, _) = signing_instructions(signable, &params)?.into_parts();
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

#[cfg(test)]
mod tests;
