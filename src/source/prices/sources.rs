//! The disk and AWS, as the schedule asks them.

use super::ask::AskError;
use super::aws::Aws;
use super::cache::{Cache, Kept};
use super::endpoints::{Endpoint, Endpoints};
use super::http::{GetError, Http, Reply};
use super::location;
use super::read::{eks_list, price_page, spot_advisor, spot_feed};
use super::run::Ask;
use super::schedule::{Answer, Findings, Of, Question, Topic, Worth};
use super::{ClusterId, Timing};
use crate::model::{Clock, Name};
use crate::pricing::{OnDemandKey, OnDemandPrice, Partition, PriceSheet, PriceSource, Prices, Tenancy};
use crate::units::Currency;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// The disk and AWS.
pub(super) struct Sources {
    pub(super) http: Arc<Http>,
    pub(super) cache: Cache,
    pub(super) endpoints: Endpoints,
    pub(super) aws: Aws,
    /// Tells the figures of one AWS account from those of another.
    pub(super) account: String,
    pub(super) clock: Clock,
    pub(super) timing: Timing,
}

/// A public file.
struct File<'a> {
    /// What it is kept under.
    name: String,
    /// For messages.
    what: String,
    endpoint: &'a Endpoint,
    /// Where it is; further names it may have.
    paths: Vec<String>,
    patience: Duration,
}

impl Ask for Sources {
    async fn ask(&self, question: Question) -> Answer {
        match (self.file(&question.topic), question.of) {
            (Some(file), Of::Disk) => Ok(self.recall(&question.topic, &file).await.into()),
            (Some(file), Of::Source) => self.fetch(&question.topic, &file).await,
            (None, Of::Disk) => Ok(self.recall_figures(question.topic).await.into()),
            (None, Of::Source) => self.call(question).await,
        }
    }
}

impl Sources {
    /// The file that answers a topic, if a public one does.
    fn file(&self, topic: &Topic) -> Option<File<'_>> {
        let at = &self.endpoints;
        match topic {
            Topic::PricePage { region, os } => {
                let location = location::of(region)?;
                let other = location::other_name(location);
                let names = std::iter::once(location).chain(other.as_deref());
                Some(File {
                    name: format!("price-page-{region}-{}", os.as_aws().to_lowercase()),
                    what: format!("the price page of {region}"),
                    endpoint: &at.price_page,
                    paths: names.map(|name| location::price_page(name, *os)).collect(),
                    patience: self.timing.small,
                })
            }
            Topic::EksList { region } => {
                let (endpoint, partition) = match Partition::from_region(region) {
                    Partition::China => (&at.price_list_china, "cn"),
                    Partition::Commercial | Partition::GovCloud | Partition::Isolated | Partition::Sovereign => {
                        (&at.price_list, "aws")
                    }
                };
                Some(File {
                    name: format!("eks-list-{region}"),
                    what: format!("the AmazonEKS price list of {region}"),
                    endpoint,
                    paths: vec![format!("/offers/v1.0/{partition}/AmazonEKS/current/{region}/index.json")],
                    patience: self.timing.large,
                })
            }
            Topic::SpotFeed => Some(File {
                name: "spot-feed".into(),
                what: "the spot feed".into(),
                endpoint: &at.spot_feed,
                paths: vec!["/spot.json".into()],
                patience: self.timing.large,
            }),
            Topic::SpotAdvisor => Some(File {
                name: "spot-advisor".into(),
                what: "the spot advisor's file".into(),
                endpoint: &at.spot_advisor,
                paths: vec!["/spot-advisor-data.json".into()],
                patience: self.timing.large,
            }),
            Topic::SpotHistory { .. } | Topic::Products(_) | Topic::Volumes { .. } | Topic::ControlPlane(_) => None,
        }
    }

    /// What the disk has of a file, if it came from where the file is now.
    async fn kept(&self, file: &File<'_>) -> Option<Kept> {
        let (cache, name) = (self.cache.clone(), file.name.clone());
        let kept = blocking(move || cache.body(&name)).await?;
        file.paths.iter().any(|path| file.endpoint.join(path) == kept.url).then_some(kept)
    }

    async fn recall(&self, topic: &Topic, file: &File<'_>) -> Vec<PriceSheet> {
        let now = self.clock.now();
        let Some(kept) = self.kept(file).await.filter(|kept| topic.worth(kept.fetched, now) != Worth::Nothing) else {
            return Vec::new();
        };
        let topic = topic.clone();
        blocking(move || read(&topic, &kept, true)).await.unwrap_or_default()
    }

    async fn fetch(&self, topic: &Topic, file: &File<'_>) -> Answer {
        let mut kept = self.kept(file).await;
        let mut paths: Vec<&str> = file.paths.iter().map(String::as_str).collect();
        // The name under which it was there the last time comes first.
        paths.sort_by_key(|path| kept.as_ref().is_none_or(|kept| file.endpoint.join(path) != kept.url));
        let mut refused = GetError::Absent;
        for path in paths {
            let url = file.endpoint.join(path);
            loop {
                let ours = kept.take_if(|kept| kept.url == url);
                let known = ours.as_ref().map(|kept| &kept.body.validators).filter(|known| !known.is_empty());
                let reply = self.http.get(file.endpoint, path, known, file.patience).await;
                let fetched = self.clock.now();
                let (new, body) = match (reply, ours) {
                    (Ok(Reply::New(body)), _) => (true, body),
                    (Ok(Reply::NotModified), Some(ours)) => (false, ours.body),
                    // Only a conditional question is answered so.
                    (Ok(Reply::NotModified), None) => break,
                    (Err(error @ (GetError::Absent | GetError::Forbidden)), _) => {
                        refused = error;
                        break;
                    }
                    (Err(error), _) => return Err(file.error(error)),
                };
                let received = Kept { url: url.clone(), fetched, body };
                match self.take(topic, file, received, new).await {
                    // What an earlier version kept, this one cannot read: it is asked for anew.
                    Err(_) if !new => {}
                    taken => return taken,
                }
            }
        }
        Err(file.error(refused))
    }

    /// What an earlier run was told by a call.
    async fn recall_figures(&self, topic: Topic) -> Vec<PriceSheet> {
        let Some((name, source)) = self.kept_as(&topic) else { return Vec::new() };
        let (cache, now) = (self.cache.clone(), self.clock.now());
        blocking(move || {
            let mut sheets = cache.sheets(&name, source);
            sheets.retain(|sheet| topic.worth(sheet.fetched, now) != Worth::Nothing);
            sheets
        })
        .await
    }

    /// Under which name the figures of a call are kept.
    fn kept_as(&self, topic: &Topic) -> Option<(String, PriceSource)> {
        match topic {
            Topic::Products(OnDemandKey { region, os, tenancy }) => {
                let name = format!("products-{region}-{}-{tenancy:?}", os.as_aws()).to_lowercase();
                Some((name, PriceSource::GetProducts))
            }
            Topic::Volumes { region } => Some((format!("volumes-{region}"), PriceSource::GetProducts)),
            // Accounts have zone names of their own.
            Topic::SpotHistory { region, os } => {
                let name = format!("spot-history-{region}-{}-{}", os.as_aws(), self.account).to_lowercase();
                Some((name, PriceSource::SpotHistory))
            }
            Topic::PricePage { .. } | Topic::EksList { .. } | Topic::SpotFeed | Topic::SpotAdvisor => None,
            Topic::ControlPlane(_) => None,
        }
    }

    /// Asks AWS, with credentials.
    async fn call(&self, question: Question) -> Answer {
        let Question { topic, things, .. } = question;
        let sheet = match &topic {
            Topic::Products(key) => self.aws.on_demand(key, &things).await?,
            Topic::SpotHistory { region, os } => self.aws.spot(region, *os, &things).await?,
            Topic::Volumes { region } => self.aws.volumes(region, &things).await?,
            Topic::ControlPlane(ClusterId { region, name }) => {
                let support = Some(self.aws.cluster_support(region, name).await?);
                return Ok(Findings { support, ..Findings::default() });
            }
            // Public files are no calls.
            Topic::PricePage { .. } | Topic::EksList { .. } | Topic::SpotFeed | Topic::SpotAdvisor => {
                return Ok(Findings::default());
            }
        };
        if let Some((name, _)) = self.kept_as(&topic) {
            let (cache, sheet) = (self.cache.clone(), sheet.clone());
            blocking(move || cache.keep_sheet(&name, &sheet, topic.worth_keeping())).await;
        }
        Ok(vec![sheet].into())
    }

    /// Reads a file and, if that goes well, keeps it.
    async fn take(&self, topic: &Topic, file: &File<'_>, received: Kept, new: bool) -> Answer {
        let (cache, name, topic) = (self.cache.clone(), file.name.clone(), topic.clone());
        let read = blocking(move || {
            let sheets = read(&topic, &received, false)?;
            if new {
                cache.keep_body(&name, &received);
            } else {
                cache.confirm_body(&name, &received);
            }
            Ok(sheets)
        });
        read.await.map(Findings::from).map_err(|why: String| AskError::Garbled { what: file.what.clone(), why })
    }
}

impl File<'_> {
    fn error(&self, error: GetError) -> AskError {
        let what = self.what.clone();
        match error {
            GetError::Absent => AskError::Absent { what },
            GetError::Forbidden => AskError::Unavailable { what, why: "the server answers 403 Forbidden".into() },
            GetError::Failed(why) => AskError::Unavailable { what, why },
        }
    }
}

/// The figures of a public file.
fn read(topic: &Topic, kept: &Kept, cached: bool) -> Result<Vec<PriceSheet>, String> {
    let text = kept.body.unpacked()?;
    let sheet = |source, region: &Name, currency, prices| PriceSheet {
        source,
        region: region.clone(),
        currency,
        fetched: kept.fetched,
        cached,
        prices,
    };
    match topic {
        Topic::PricePage { region, os } => {
            let page = price_page::page(&text, *os).map_err(|error| error.reason())?;
            let price = |(instance_type, offered): (Name, price_page::Offered)| OnDemandPrice {
                instance_type,
                amount: offered.amount,
                estimated: false,
            };
            let prices = page.types.into_iter().map(price).collect();
            Ok(vec![sheet(
                PriceSource::PricePage,
                region,
                Currency::Usd,
                Prices::OnDemand { os: *os, tenancy: Tenancy::Shared, prices },
            )])
        }
        Topic::EksList { region } => {
            let (currency, prices) = eks_list::read(&text).map_err(|error| error.reason())?;
            Ok(vec![sheet(PriceSource::EksList, region, currency, Prices::Eks(prices))])
        }
        Topic::SpotFeed => {
            let regions = spot_feed::read(&text).map_err(|error| error.reason())?.into_iter();
            Ok(regions
                .map(|(region, prices)| sheet(PriceSource::SpotFeed, &region, Currency::Usd, Prices::Spot(prices)))
                .collect())
        }
        Topic::SpotAdvisor => {
            let regions = spot_advisor::read(&text).map_err(|error| error.reason())?.into_iter();
            Ok(regions
                .map(|(region, savings)| {
                    sheet(PriceSource::SpotAdvisor, &region, Currency::Usd, Prices::SpotSavings(savings))
                })
                .collect())
        }
        Topic::SpotHistory { .. } | Topic::Products(_) | Topic::Volumes { .. } | Topic::ControlPlane(_) => {
            Ok(Vec::new())
        }
    }
}

/// Runs what reads files or computes for long where it keeps nobody waiting.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is ending, and with it whoever waits.
            Err(_) => std::future::pending().await,
        },
    }
}
