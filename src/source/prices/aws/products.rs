//! On-demand and volume prices: `pricing:GetProducts` of the AWS Price List API, by AWS's SDK.
//!
//! A few regions answer for all of them (AWS Billing user guide, "AWS Price List Query API"). The nearest is asked first,
//! the others if a policy denies it or it is not reachable. Only the types in the question are named. A failure after a
//! part of the answer leaves that part.

use super::action::{Action, Pages, is_invalid_parameter, is_unreachable};
use super::credentials::Session;
use crate::model::{Name, Timestamp};
use crate::pricing::{OnDemandKey, Os, Partition, PriceSheet, PriceSource, Prices, Tenancy};
use crate::source::prices::AskError;
use crate::source::prices::read::products;
use crate::units::Currency;
use aws_config::Region;
use aws_sdk_pricing::Client;
use aws_sdk_pricing::error::SdkError;
use aws_sdk_pricing::operation::get_products::GetProductsError;
use aws_sdk_pricing::types::{Filter, FilterType};
use std::collections::BTreeSet;

/// The most bytes in the value of a filter (AWS Price List API reference, `Filter`).
const MAX_VALUE: usize = 1024;

/// On-demand prices of instance types.
pub(super) async fn on_demand(
    session: &Session,
    key: &OnDemandKey,
    types: &BTreeSet<Name>,
) -> Result<PriceSheet, AskError> {
    let read = |items: &[String]| products::on_demand(items, key.os, key.tenancy);
    let mut question = Question::new(session, "instanceType");
    let action = question.action;
    let pages = async {
        let client = question.ask_nearest(&key.region, &on_demand_filters(key, key.tenancy), types).await?;
        // Bare metal that has no price on shared tenancy is estimated by its price on dedicated tenancy.
        let priced: BTreeSet<Name> =
            read(&question.items).prices.into_iter().map(|price| price.instance_type).collect();
        let metal: BTreeSet<Name> = types.difference(&priced).filter(|name| name.contains(".metal")).cloned().collect();
        if key.tenancy == Tenancy::Shared && !metal.is_empty() {
            let filters = on_demand_filters(key, Tenancy::Dedicated);
            question.ask(&client, &filters, &metal).await.map_err(|error| action.failed(&error))?;
        }
        Ok(())
    };
    let ended = action.in_time(pages).await;
    action.accept_part(ended, question.items.is_empty())?;
    let products = read(&question.items);
    question.check(products.odd)?;
    let prices = Prices::OnDemand { os: key.os, tenancy: key.tenancy, prices: products.prices };
    Ok(sheet(&key.region, products.currency, prices))
}

/// Prices of EBS volume types.
pub(super) async fn volumes(session: &Session, region: &str, types: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
    let mut question = Question::new(session, "volumeApiName");
    let action = question.action;
    // Storage, operations and throughput are products of different families, which no other filter has in common.
    let filters = [("regionCode", region)];
    let ended = action.in_time(async { question.ask_nearest(region, &filters, types).await.map(drop) }).await;
    action.accept_part(ended, question.items.is_empty())?;
    let (currency, prices, odd) = products::volumes(&question.items);
    question.check(odd)?;
    Ok(sheet(region, currency, Prices::Volumes(prices)))
}

fn sheet(region: &str, currency: Currency, prices: Prices) -> PriceSheet {
    let (source, fetched) = (PriceSource::GetProducts, Timestamp::now());
    PriceSheet { source, region: region.into(), currency, fetched, cached: false, prices }
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

type Failure = Box<SdkError<GetProductsError>>;

/// A question for products, and the products that have arrived.
struct Question<'a> {
    action: Action<'a>,
    /// The field whose values are in the question.
    field: &'static str,
    /// Products in JSON.
    items: Vec<String>,
}

impl<'a> Question<'a> {
    fn new(session: &'a Session, field: &'static str) -> Self {
        let action = Action { session, name: "pricing:GetProducts", what: "prices of the Price List API" };
        Self { action, field, items: Vec::new() }
    }

    /// Asks the regions of the API one after the other, and returns the client of the one that answers.
    async fn ask_nearest(
        &mut self,
        region: &str,
        terms: &[Term<'_>],
        values: &BTreeSet<Name>,
    ) -> Result<Client, AskError> {
        let Session { config, keys, .. } = self.action.session;
        let mut first = AskError::Absent { what: format!("a Price List API for {region}: its partition has none") };
        for api_region in api_regions(region) {
            let config = aws_sdk_pricing::config::Builder::from(config)
                .region(Region::from_static(api_region))
                .credentials_provider(keys.clone());
            let client = Client::from_conf(config.build());
            let Err(failure) = self.ask(&client, terms, values).await else { return Ok(client) };
            let error = self.action.failed(&failure);
            let is_denied = matches!(error, AskError::Denied { .. });
            // A denial explains more than that another region is not reachable.
            if !matches!(first, AskError::Denied { .. }) {
                first = error;
            }
            if !(is_denied || is_unreachable(&failure)) || !self.items.is_empty() {
                break;
            }
        }
        Err(first)
    }

    /// Asks one region for all values, as many at a time as a filter holds; one by one if it does not know lists.
    async fn ask(&mut self, client: &Client, terms: &[Term<'_>], values: &BTreeSet<Name>) -> Result<(), Failure> {
        for list in lists(values) {
            match self.request_pages(client, terms, FilterType::AnyOf, &list).await {
                Err(failure) if is_invalid_parameter(&failure) => {
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
        let mut request = client.get_products().service_code("AmazonEC2").format_version("aws_v1").max_results(100);
        let terms = terms.iter().map(|(field, value)| (FilterType::TermMatch, *field, *value));
        for (kind, field, value) in terms.chain([(filter_type, self.field, value)]) {
            let filter = Filter::builder().r#type(kind).field(field).value(value).build();
            request = request.filters(filter.map_err(SdkError::construction_failure)?);
        }
        let mut pages = Pages::default();
        loop {
            let page = request.clone().set_next_token(pages.token().map(str::to_owned)).send();
            let page = Box::pin(page).await?;
            self.items.extend(page.price_list.unwrap_or_default());
            if !pages.advance(page.next_token) {
                return Ok(());
            }
        }
    }

    /// Fails if there are products and all of them are unreadable.
    fn check(&self, unreadable: usize) -> Result<(), AskError> {
        if unreadable > 0 && unreadable == self.items.len() {
            return Err(self.action.garbled("none of its products can be understood".to_owned()));
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
