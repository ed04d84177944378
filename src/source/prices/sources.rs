//! Answers queries from the cache, from public files and from AWS.

use super::Timing;
use super::aws::Aws;
use super::cache::Cache;
use super::endpoints::{Endpoint, Endpoints};
use super::error::AskError;
use super::http::{Body, GetError, Http, Reply, Validators};
use super::location;
use super::query::{Answer, AwsCall, PublicFile, Query};
use super::read::{eks_list, price_page, spot_advisor, spot_feed};
use super::refresher::Request;
use super::run::Provider;
use crate::model::{Clock, Name, Timestamp};
use crate::pricing::{OnDemandKey, OnDemandPrice, Partition, PriceSheet, PriceSource, Prices, Tenancy};
use crate::units::Currency;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// The cache, the public files and AWS.
pub(super) struct Sources {
    pub(super) http: Arc<Http>,
    pub(super) cache: Cache,
    pub(super) endpoints: Endpoints,
    pub(super) aws: Aws,
    /// Distinguishes the zones of AWS accounts, which have the same names.
    pub(super) account: String,
    pub(super) clock: Clock,
    pub(super) timing: Timing,
}

/// Where a public file is.
struct Place<'a> {
    endpoint: &'a Endpoint,
    /// Its address, or several of which one exists.
    urls: Vec<String>,
    limit: Duration,
    /// Its name in error messages.
    what: String,
}

impl Provider for Sources {
    async fn cached(&self, query: Query) -> Answer {
        let Some(name) = self.cache_name(&query) else { return Answer::default() };
        let cache = self.cache.clone();
        let answer = blocking(move || cache.load(&name)).await;
        match query {
            // A file from another address is not that of AWS.
            Query::File(file) if !self.place(&file).urls.contains(&answer.url) => Answer::default(),
            Query::File(_) | Query::Call(_) => answer,
        }
    }

    async fn ask(&self, request: Request) -> Result<Answer, AskError> {
        let Request { query, names, last } = request;
        match &query {
            Query::File(file) => self.fetch(&query, file, &last).await,
            Query::Call(call) => {
                let mut answer = self.aws.ask(call, &names).await?;
                for sheet in &mut answer.sheets {
                    sheet.fetched = self.clock.now();
                }
                self.store(&query, query.merge(&last, answer.clone())).await;
                Ok(answer)
            }
        }
    }
}

impl Sources {
    fn place(&self, file: &PublicFile) -> Place<'_> {
        let Endpoints { price_page, price_list, price_list_china, spot_feed, spot_advisor } = &self.endpoints;
        let Timing { small, large, .. } = self.timing;
        match file {
            PublicFile::PricePage { region, os } => {
                let location = location::location(region).unwrap_or(region);
                let names = std::iter::once(location.to_owned()).chain(location::other_name(location));
                let urls = names.map(|name| price_page.join(&location::price_page(&name, *os))).collect();
                Place { endpoint: price_page, urls, limit: small, what: format!("the price page of {region}") }
            }
            PublicFile::EksList { region } => {
                let is_china = Partition::from_region(region) == Partition::China;
                let (endpoint, partition) = if is_china { (price_list_china, "cn") } else { (price_list, "aws") };
                let path = format!("/offers/v1.0/{partition}/AmazonEKS/current/{region}/index.json");
                let what = format!("the AmazonEKS price list of {region}");
                Place { endpoint, urls: vec![endpoint.join(&path)], limit: large, what }
            }
            PublicFile::SpotFeed => {
                let urls = vec![spot_feed.join("/spot.json")];
                Place { endpoint: spot_feed, urls, limit: large, what: "the spot feed".into() }
            }
            PublicFile::SpotAdvisor => {
                let urls = vec![spot_advisor.join("/spot-advisor-data.json")];
                Place { endpoint: spot_advisor, urls, limit: large, what: "the spot advisor's file".into() }
            }
        }
    }

    /// The name of an answer in the cache; `None` if it is not cached.
    fn cache_name(&self, query: &Query) -> Option<String> {
        let name = match query {
            Query::File(PublicFile::PricePage { region, os }) => format!("price-page-{region}-{}", os.as_aws()),
            Query::File(PublicFile::EksList { region }) => format!("eks-list-{region}"),
            Query::File(PublicFile::SpotFeed) => "spot-feed".into(),
            Query::File(PublicFile::SpotAdvisor) => "spot-advisor".into(),
            Query::Call(AwsCall::OnDemand(OnDemandKey { region, os, tenancy })) => {
                format!("products-{region}-{}-{tenancy:?}", os.as_aws())
            }
            Query::Call(AwsCall::Volumes { region }) => format!("volumes-{region}"),
            Query::Call(AwsCall::SpotHistory { region, os }) => {
                format!("spot-history-{region}-{}-{}", os.as_aws(), self.account)
            }
            Query::Call(AwsCall::Cluster(_)) => return None,
        };
        Some(name.to_lowercase())
    }

    /// Gets a file from the first address that has it, that of the last answer before others.
    async fn fetch(&self, query: &Query, file: &PublicFile, last: &Answer) -> Result<Answer, AskError> {
        let Place { endpoint, mut urls, limit, what } = self.place(file);
        let unavailable = |why| AskError::Unavailable { what: what.clone(), why };
        urls.sort_by_key(|url| *url != last.url);
        let mut is_forbidden = false;
        for url in urls {
            let known = if url == last.url { last.validators.clone() } else { Validators::default() };
            let reply = self.http.get(endpoint.uri(&url).map_err(unavailable)?, &known, limit).await;
            let fetched = self.clock.now();
            let answer = match reply {
                Ok(Reply::File(body, validators)) => {
                    let file = file.clone();
                    let sheets = blocking(move || read(&file, body, fetched)).await?;
                    Answer { sheets, url, validators, support: None }
                }
                Ok(Reply::NotModified) => {
                    let confirmed = |sheet: &PriceSheet| PriceSheet { fetched, cached: false, ..sheet.clone() };
                    Answer { sheets: last.sheets.iter().map(confirmed).collect(), ..last.clone() }
                }
                Err(GetError::Failed(why)) => return Err(unavailable(why)),
                Err(error) => {
                    is_forbidden = matches!(error, GetError::Forbidden);
                    continue;
                }
            };
            self.store(query, answer.clone()).await;
            return Ok(answer);
        }
        if is_forbidden {
            Err(unavailable("the server answers 403 Forbidden".into()))
        } else {
            Err(AskError::Absent { what })
        }
    }

    async fn store(&self, query: &Query, answer: Answer) {
        let Some(name) = self.cache_name(query) else { return };
        let cache = self.cache.clone();
        blocking(move || cache.store(&name, &answer)).await;
    }
}

/// The prices of a public file.
fn read(file: &PublicFile, body: Body, fetched: Timestamp) -> Result<Vec<PriceSheet>, AskError> {
    let garbled = |why| AskError::Garbled { what: "the file".into(), why };
    let text = body.text().map_err(garbled)?;
    let sheet = |source, region: Name, currency, prices| PriceSheet {
        source,
        region,
        currency,
        fetched,
        cached: false,
        prices,
    };
    let dollars = |source, region, prices| sheet(source, region, Currency::Usd, prices);
    match file {
        PublicFile::PricePage { region, os } => {
            let page = price_page::page(&text, *os)?;
            let price = |(instance_type, offered): (Name, price_page::Offered)| OnDemandPrice {
                instance_type,
                amount: offered.amount,
                estimated: false,
            };
            let prices = page.types.into_iter().map(price).collect();
            let prices = Prices::OnDemand { os: *os, tenancy: Tenancy::Shared, prices };
            Ok(vec![dollars(PriceSource::PricePage, region.clone(), prices)])
        }
        PublicFile::EksList { region } => {
            let (currency, prices) = eks_list::read(&text)?;
            Ok(vec![sheet(PriceSource::EksList, region.clone(), currency, Prices::Eks(prices))])
        }
        PublicFile::SpotFeed => {
            let regions = spot_feed::read(&text)?.into_iter();
            let spot = |(region, prices)| dollars(PriceSource::SpotFeed, region, Prices::Spot(prices));
            Ok(regions.map(spot).collect())
        }
        PublicFile::SpotAdvisor => {
            let regions = spot_advisor::read(&text)?.into_iter();
            let savings = |(region, savings)| dollars(PriceSource::SpotAdvisor, region, Prices::SpotSavings(savings));
            Ok(regions.map(savings).collect())
        }
    }
}

/// Runs work that reads files or computes for long on a thread where it delays nothing else.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}
