//! On-demand and volume prices: `pricing:GetProducts` of the AWS Price List API, by AWS's SDK.
//!
//! The API answers for every region from a few places (AWS Billing user guide, "AWS Price List Query API"): the nearest
//! is asked first, the others if a policy forbids it or it cannot be reached. Only the types in the question are named.
//! What was received before a failure is an answer.

use super::credentials::Session;
use crate::model::{Name, Timestamp};
use crate::pricing::{OnDemandKey, Os, Partition, PriceSheet, PriceSource, Prices, Tenancy};
use crate::source::prices::AskError;
use crate::source::prices::read::products;
use crate::source::prices::words::{root, tidy};
use crate::units::Currency;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_pricing::Client;
use aws_sdk_pricing::config::http::HttpResponse;
use aws_sdk_pricing::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_pricing::operation::get_products::GetProductsError;
use aws_sdk_pricing::types::{Filter, FilterType};
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;
use tokio::time::timeout;

const ACTION: &str = "pricing:GetProducts";
const WHAT: &str = "prices of the Price List API";
/// A question is answered within this time, or with what has come until then.
const PATIENCE: Duration = Duration::from_secs(15);
/// More pages than this are not asked for; all types of a region are fourteen.
const PAGES: usize = 50;
/// The longest value of a filter (AWS Price List API reference, `Filter`).
const LONGEST_VALUE: usize = 1024;

/// On-demand prices of instance types.
pub(super) async fn on_demand(
    session: &Session,
    key: &OnDemandKey,
    types: &BTreeSet<Name>,
    now: fn() -> Timestamp,
) -> Result<PriceSheet, AskError> {
    let read = |items: &[String]| products::on_demand(items, key.os, key.tenancy);
    let mut all = Gathered::default();
    let work = async {
        let filters = on_demand_filters(key.os, &key.region, key.tenancy);
        let working = all.gather(session, &key.region, &filters, "instanceType", types).await;
        // Bare metal is sold at the Shared price; where there is none, the Dedicated one stands in for it.
        let priced: BTreeSet<Name> = read(&all.items).prices.into_iter().map(|price| price.instance_type).collect();
        let bare = |name: &&Name| name.contains(".metal") && !priced.contains(*name);
        let bare: BTreeSet<Name> = types.iter().filter(bare).cloned().collect();
        if let Some(client) = working.filter(|_| key.tenancy == Tenancy::Shared && !bare.is_empty()) {
            let filters = on_demand_filters(key.os, &key.region, Tenancy::Dedicated);
            let asked = question(&client, &filters, "instanceType", &bare, &mut all.items).await;
            all.trouble = asked.err().map(|refusal| refusal.error);
        }
    };
    let in_time = timeout(PATIENCE, work).await.is_ok();
    all.answer(session, in_time, |items| {
        let found = read(items);
        let prices = Prices::OnDemand { os: key.os, tenancy: key.tenancy, prices: found.prices };
        (sheet(&key.region, found.currency, prices, now), found.odd)
    })
}

/// Prices of EBS volume types.
pub(super) async fn volumes(
    session: &Session,
    region: &str,
    types: &BTreeSet<Name>,
    now: fn() -> Timestamp,
) -> Result<PriceSheet, AskError> {
    let mut all = Gathered::default();
    // Space, operations and throughput are products of different families.
    let filters = [("regionCode", region.to_owned())];
    let in_time = timeout(PATIENCE, all.gather(session, region, &filters, "volumeApiName", types)).await.is_ok();
    all.answer(session, in_time, |items| {
        let (currency, prices, odd) = products::volumes(items);
        (sheet(&region.into(), currency, Prices::Volumes(prices), now), odd)
    })
}

fn sheet(region: &Name, currency: Currency, prices: Prices, now: fn() -> Timestamp) -> PriceSheet {
    PriceSheet {
        source: PriceSource::GetProducts,
        region: region.clone(),
        currency,
        fetched: now(),
        cached: false,
        prices,
    }
}

/// A field and the value it must have.
type Term = (&'static str, String);

/// The machine alone, as it is bought by the hour. Not by product family: bare metal has one of its own.
fn on_demand_filters(os: Os, region: &str, tenancy: Tenancy) -> Vec<Term> {
    let tenancy = match tenancy {
        Tenancy::Shared => "Shared",
        Tenancy::Dedicated => "Dedicated",
    };
    let mut terms = vec![
        ("regionCode", region.to_owned()),
        ("operatingSystem", os.as_aws().to_owned()),
        ("preInstalledSw", "NA".to_owned()),
        ("capacitystatus", "Used".to_owned()),
        ("marketoption", "OnDemand".to_owned()),
        ("tenancy", tenancy.to_owned()),
    ];
    if os == Os::Windows {
        terms.push(("licenseModel", "No License required".to_owned()));
    }
    terms
}

/// Where the API is, the nearest first. GovCloud and the partitions beside it have none.
fn api_regions(region: &str) -> Result<&'static [&'static str], AskError> {
    match Partition::of(region) {
        Partition::China => Ok(&["cn-northwest-1"]),
        Partition::Commercial if region.starts_with("ap-") => Ok(&["ap-south-1", "us-east-1", "eu-central-1"]),
        Partition::Commercial if region.starts_with("eu-") => Ok(&["eu-central-1", "us-east-1", "ap-south-1"]),
        Partition::Commercial => Ok(&["us-east-1", "eu-central-1", "ap-south-1"]),
        Partition::GovCloud | Partition::Isolated | Partition::Sovereign => {
            Err(AskError::Absent { what: format!("a Price List API for {region}: its partition has none") })
        }
    }
}

/// A client for one of the places, with few attempts: whoever asked asks again later anyway.
fn client(session: &Session, api_region: &'static str) -> Client {
    let limits = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .read_timeout(Duration::from_secs(4))
        .operation_attempt_timeout(Duration::from_secs(6))
        .operation_timeout(Duration::from_secs(10))
        .build();
    let config = aws_sdk_pricing::config::Builder::from(&session.config)
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(api_region))
        .credentials_provider(session.keys.clone())
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .timeout_config(limits);
    Client::from_conf(config.build())
}

/// What has come so far.
#[derive(Debug, Default)]
struct Gathered {
    items: Vec<String>,
    trouble: Option<AskError>,
}

impl Gathered {
    /// Asks one place after the other until one answers, and returns that one.
    async fn gather(
        &mut self,
        session: &Session,
        region: &str,
        filters: &[Term],
        field: &'static str,
        values: &BTreeSet<Name>,
    ) -> Option<Client> {
        let places = match api_regions(region) {
            Ok(places) => places,
            Err(error) => {
                self.trouble = Some(error);
                return None;
            }
        };
        for place in places {
            let client = client(session, place);
            let Err(refusal) = question(&client, filters, field, values, &mut self.items).await else {
                self.trouble = None;
                return Some(client);
            };
            // That a policy forbids it says more than that another place cannot be reached.
            if !matches!(self.trouble, Some(AskError::Denied { .. })) {
                self.trouble = Some(refusal.error);
            }
            if !refusal.elsewhere || !self.items.is_empty() {
                break;
            }
        }
        None
    }

    /// The answer, if anything has come, or if there was nothing to come.
    fn answer(
        self,
        session: &Session,
        in_time: bool,
        read: impl FnOnce(&[String]) -> (PriceSheet, usize),
    ) -> Result<PriceSheet, AskError> {
        let late = || AskError::Unavailable {
            what: WHAT.to_owned(),
            why: format!("no whole answer within {} s", PATIENCE.as_secs()),
        };
        let trouble = self.trouble.or_else(|| (!in_time).then(late));
        let trouble = trouble.map(|error| match error {
            AskError::Expired { why } => session.refused(&why),
            other => other,
        });
        let (sheet, odd) = read(&self.items);
        if odd > 0 && odd == self.items.len() {
            let why = "none of its products can be understood".to_owned();
            return Err(trouble.unwrap_or(AskError::Garbled { what: WHAT.to_owned(), why }));
        }
        match trouble {
            Some(error) if self.items.is_empty() => Err(error),
            Some(error) => {
                tracing::warn!(region = %sheet.region, %error, "prices came in part");
                Ok(sheet)
            }
            None => Ok(sheet),
        }
    }
}

/// Why a question was not answered to its end.
#[derive(Debug)]
struct Refusal {
    error: AskError,
    /// Whether another place might answer.
    elsewhere: bool,
    /// Whether the question is not understood.
    not_understood: bool,
}

/// Asks one place for every value, as many at a time as a filter holds; one by one if it knows no lists.
async fn question(
    client: &Client,
    filters: &[Term],
    field: &'static str,
    values: &BTreeSet<Name>,
    items: &mut Vec<String>,
) -> Result<(), Refusal> {
    let terms: Vec<(FilterType, &str, &str)> =
        filters.iter().map(|(field, value)| (FilterType::TermMatch, *field, value.as_str())).collect();
    for list in lists(values) {
        let together = [&terms[..], &[(FilterType::AnyOf, field, &list)]].concat();
        match pages(client, &together, items).await {
            Err(refusal) if refusal.not_understood => {}
            Err(refusal) => return Err(refusal),
            Ok(()) => continue,
        }
        for value in list.split(',') {
            pages(client, &[&terms[..], &[(FilterType::TermMatch, field, value)]].concat(), items).await?;
        }
    }
    Ok(())
}

/// The values in lists that a filter holds. What cannot be a name of AWS's is not asked for.
fn lists(values: &BTreeSet<Name>) -> Vec<String> {
    let plain = |value: &&Name| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
        !value.is_empty() && value.len() <= LONGEST_VALUE && value.bytes().all(fits)
    };
    let mut lists: Vec<String> = Vec::new();
    for value in values.iter().filter(plain) {
        match lists.last_mut().filter(|list| list.len() + 1 + value.len() <= LONGEST_VALUE) {
            Some(list) => {
                list.push(',');
                list.push_str(value);
            }
            None => lists.push(value.to_string()),
        }
    }
    lists
}

/// Asks for page after page.
async fn pages(client: &Client, filters: &[(FilterType, &str, &str)], items: &mut Vec<String>) -> Result<(), Refusal> {
    let filter = |(kind, field, value): &(FilterType, &str, &str)| {
        Filter::builder().r#type(kind.clone()).field(*field).value(*value).build()
    };
    let filters: Result<Vec<Filter>, _> = filters.iter().map(filter).collect();
    let filters = filters.map_err(|error| Refusal::last(unavailable(root(&error))))?;
    let mut seen = HashSet::new();
    let mut token = None;
    for _ in 0..PAGES {
        let asked = client
            .get_products()
            .service_code("AmazonEC2")
            .format_version("aws_v1")
            .max_results(100)
            .set_filters(Some(filters.clone()))
            .set_next_token(token.take());
        let page = asked.send().await.map_err(|error| refusal(&error))?;
        items.extend(page.price_list.unwrap_or_default());
        match page.next_token.filter(|next| !next.is_empty()) {
            // A token that comes again would lead in a circle.
            Some(next) if seen.insert(next.clone()) => token = Some(next),
            _ => return Ok(()),
        }
    }
    tracing::warn!(pages = PAGES, "the price list has more pages than are asked for");
    Ok(())
}

fn unavailable(why: String) -> AskError {
    AskError::Unavailable { what: WHAT.to_owned(), why }
}

impl Refusal {
    const fn last(error: AskError) -> Self {
        Self { error, elsewhere: false, not_understood: false }
    }
}

fn refusal(error: &SdkError<GetProductsError, HttpResponse>) -> Refusal {
    let elsewhere = |error| Refusal { error, elsewhere: true, not_understood: false };
    match error {
        SdkError::TimeoutError(_) => elsewhere(unavailable("no answer in time".to_owned())),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            elsewhere(unavailable("no answer in time".to_owned()))
        }
        SdkError::DispatchFailure(_) => elsewhere(unavailable(root(error))),
        SdkError::ResponseError(_) => {
            let what = "the answer of the Price List API".to_owned();
            Refusal::last(AskError::Garbled { what, why: root(error) })
        }
        SdkError::ServiceError(said) => {
            let code = said.err().code().unwrap_or_default();
            let message = said.err().message().map(tidy).filter(|message| !message.is_empty());
            let why = message.unwrap_or_else(|| tidy(code));
            match code {
                "AccessDeniedException" => elsewhere(AskError::Denied { action: ACTION, why }),
                "ExpiredTokenException"
                | "ExpiredToken"
                | "UnrecognizedClientException"
                | "InvalidClientTokenId"
                | "InvalidSignatureException"
                | "MissingAuthenticationTokenException"
                | "IncompleteSignature" => Refusal::last(AskError::Expired { why }),
                "InvalidParameterException" | "ValidationException" => {
                    Refusal { error: unavailable(why), elsewhere: false, not_understood: true }
                }
                "" if said.raw().status().is_success() => {
                    let what = "the answer of the Price List API".to_owned();
                    Refusal::last(AskError::Garbled { what, why: root(error) })
                }
                "" => {
                    // An error that is not of the API: a proxy's page, say.
                    let status = said.raw().status();
                    elsewhere(unavailable(format!("the server answers {status}")))
                }
                code => Refusal::last(unavailable(format!("{why} ({})", tidy(code)))),
            }
        }
        _ => Refusal::last(unavailable(root(error))),
    }
}

#[cfg(test)]
mod tests;
