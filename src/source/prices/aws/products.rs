//! On-demand and volume prices: `pricing:GetProducts` of the AWS Price List API, by AWS's SDK.
//!
//! A few regions answer for all of them (AWS Billing user guide, "AWS Price List Query API"). The nearest is asked first,
//! the others if a policy denies it or it is not reachable. Only the types in the question are named. A failure after a
//! part of the answer leaves that part.

use super::credentials::Session;
use super::policy::{Call, Failure, FailureKind, Pages};
use crate::model::{Name, Timestamp};
use crate::pricing::{OnDemandKey, Os, Partition, PriceSheet, PriceSource, Prices, Tenancy};
use crate::source::prices::AskError;
use crate::source::prices::error::root_cause;
use crate::source::prices::read::products;
use crate::units::Currency;
use aws_config::Region;
use aws_sdk_pricing::Client;
use aws_sdk_pricing::types::{Filter, FilterType};
use std::collections::BTreeSet;

/// The most bytes in the value of a filter (AWS Price List API reference, `Filter`).
const MAX_VALUE: usize = 1024;

/// On-demand prices of instance types.
pub(super) async fn on_demand(
    session: &Session,
    key: &OnDemandKey,
    types: &BTreeSet<Name>,
    now: fn() -> Timestamp,
) -> Result<PriceSheet, AskError> {
    let read = |items: &[String]| products::on_demand(items, key.os, key.tenancy);
    let mut question = Question::new(session, "instanceType");
    let call = question.call;
    let pages = async {
        let client = question.ask_nearest(&key.region, &on_demand_filters(key, key.tenancy), types).await?;
        // Bare metal that has no price on shared tenancy is estimated by its price on dedicated tenancy.
        let priced: BTreeSet<Name> =
            read(&question.items).prices.into_iter().map(|price| price.instance_type).collect();
        let metal: BTreeSet<Name> = types.difference(&priced).filter(|name| name.contains(".metal")).cloned().collect();
        if key.tenancy == Tenancy::Shared && !metal.is_empty() {
            question.ask(&client, &on_demand_filters(key, Tenancy::Dedicated), &metal).await?;
        }
        Ok(())
    };
    let ended = call.in_time(pages).await;
    call.accept_part(ended, question.items.is_empty())?;
    let products = read(&question.items);
    question.check(products.odd)?;
    let prices = Prices::OnDemand { os: key.os, tenancy: key.tenancy, prices: products.prices };
    Ok(sheet(&key.region, products.currency, prices, now))
}

/// Prices of EBS volume types.
pub(super) async fn volumes(
    session: &Session,
    region: &str,
    types: &BTreeSet<Name>,
    now: fn() -> Timestamp,
) -> Result<PriceSheet, AskError> {
    let mut question = Question::new(session, "volumeApiName");
    let call = question.call;
    // Storage, operations and throughput are products of different families, which no other filter has in common.
    let filters = [("regionCode", region)];
    let ended = call.in_time(async { question.ask_nearest(region, &filters, types).await.map(drop) }).await;
    call.accept_part(ended, question.items.is_empty())?;
    let (currency, prices, odd) = products::volumes(&question.items);
    question.check(odd)?;
    Ok(sheet(region, currency, Prices::Volumes(prices), now))
}

fn sheet(region: &str, currency: Currency, prices: Prices, now: fn() -> Timestamp) -> PriceSheet {
    PriceSheet {
        source: PriceSource::GetProducts,
        region: region.into(),
        currency,
        fetched: now(),
        cached: false,
        prices,
    }
}

/// A field of products and the value that it must have.
type Term<'a> = (&'static str, &'a str);

/// Selects instances alone, bought by the hour. There is no term for the product family: bare metal has another one.
fn on_demand_filters(key: &OnDemandKey, tenancy: Tenancy) -> Vec<Term<'_>> {
    let tenancy = match tenancy {
        Tenancy::Shared => "Shared",
        Tenancy::Dedicated => "Dedicated",
    };
    let mut terms = vec![
        ("regionCode", key.region.as_str()),
        ("operatingSystem", key.os.as_aws()),
        ("preInstalledSw", "NA"),
        ("capacitystatus", "Used"),
        ("marketoption", "OnDemand"),
        ("tenancy", tenancy),
    ];
    if key.os == Os::Windows {
        terms.push(("licenseModel", "No License required"));
    }
    terms
}

/// The regions of the API that answer for a region, the nearest first. GovCloud and the isolated partitions have none.
fn api_regions(region: &str) -> &'static [&'static str] {
    match Partition::from_region(region) {
        Partition::China => &["cn-northwest-1"],
        Partition::Commercial if region.starts_with("ap-") => &["ap-south-1", "us-east-1", "eu-central-1"],
        Partition::Commercial if region.starts_with("eu-") => &["eu-central-1", "us-east-1", "ap-south-1"],
        Partition::Commercial => &["us-east-1", "eu-central-1", "ap-south-1"],
        Partition::GovCloud | Partition::Isolated | Partition::Sovereign => &[],
    }
}

/// A question for products, and the products that have arrived.
struct Question<'a> {
    call: Call<'a>,
    /// The field whose values are in the question.
    field: &'static str,
    /// Products in JSON.
    items: Vec<String>,
}

impl<'a> Question<'a> {
    fn new(session: &'a Session, field: &'static str) -> Self {
        let call = Call { session, action: "pricing:GetProducts", what: "prices of the Price List API" };
        Self { call, field, items: Vec::new() }
    }

    /// Asks the regions of the API one after the other, and returns the client of the one that answers.
    async fn ask_nearest(
        &mut self,
        region: &str,
        terms: &[Term<'_>],
        values: &BTreeSet<Name>,
    ) -> Result<Client, AskError> {
        let session = self.call.session;
        let mut error = AskError::Absent { what: format!("a Price List API for {region}: its partition has none") };
        for api_region in api_regions(region) {
            let config = aws_sdk_pricing::config::Builder::from(&session.config)
                .region(Region::from_static(api_region))
                .credentials_provider(session.keys.clone());
            let client = Client::from_conf(config.build());
            let Err(failure) = self.ask(&client, terms, values).await else { return Ok(client) };
            // A denial explains more than that another region is not reachable.
            if !matches!(error, AskError::Denied { .. }) {
                error = failure.error;
            }
            if !matches!(failure.kind, FailureKind::Denied | FailureKind::Unreachable) || !self.items.is_empty() {
                break;
            }
        }
        Err(error)
    }

    /// Asks one region for all values, as many at a time as a filter holds; one by one if it does not know lists.
    async fn ask(&mut self, client: &Client, terms: &[Term<'_>], values: &BTreeSet<Name>) -> Result<(), Failure> {
        for list in lists(values) {
            match self.request_pages(client, terms, FilterType::AnyOf, &list).await {
                Err(failure) if failure.kind == FailureKind::Parameters => {
                    for value in list.split(',') {
                        self.request_pages(client, terms, FilterType::TermMatch, value).await?;
                    }
                }
                answer => answer?,
            }
        }
        Ok(())
    }

    async fn request_pages(
        &mut self,
        client: &Client,
        terms: &[Term<'_>],
        filter_type: FilterType,
        value: &str,
    ) -> Result<(), Failure> {
        let terms = terms.iter().map(|(field, value)| (FilterType::TermMatch, *field, *value));
        let terms = terms.chain([(filter_type, self.field, value)]);
        let filters =
            terms.map(|(kind, field, value)| Filter::builder().r#type(kind).field(field).value(value).build());
        let filters: Result<Vec<Filter>, _> = filters.collect();
        let filters = filters
            .map_err(|error| Failure { kind: FailureKind::Other, error: self.call.unavailable(root_cause(&error)) })?;
        let request = client
            .get_products()
            .service_code("AmazonEC2")
            .format_version("aws_v1")
            .max_results(100)
            .set_filters(Some(filters));
        let mut pages = Pages::default();
        loop {
            let page = Box::pin(request.clone().set_next_token(pages.token().map(str::to_owned)).send());
            let page = page.await.map_err(|error| self.call.failed(&error))?;
            self.items.extend(page.price_list.unwrap_or_default());
            if !pages.advance(page.next_token) {
                return Ok(());
            }
        }
    }

    /// Fails if there are products and all of them are unreadable.
    fn check(&self, unreadable: usize) -> Result<(), AskError> {
        if unreadable > 0 && unreadable == self.items.len() {
            return Err(self.call.garbled("none of its products can be understood".to_owned()));
        }
        Ok(())
    }
}

/// The values, joined to lists that a filter can hold. Values that cannot be names of AWS are left out.
fn lists(values: &BTreeSet<Name>) -> Vec<String> {
    let is_name = |value: &&Name| {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
        !value.is_empty() && value.len() <= MAX_VALUE && value.bytes().all(is_plain)
    };
    let mut lists: Vec<String> = Vec::new();
    for value in values.iter().filter(is_name) {
        match lists.last_mut().filter(|list| list.len() + 1 + value.len() <= MAX_VALUE) {
            Some(list) => {
                list.push(',');
                list.push_str(value);
            }
            None => lists.push(value.to_string()),
        }
    }
    lists
}

#[cfg(test)]
mod tests;
