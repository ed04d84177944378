//! The connection to the price sources: sends them the cluster's demand, receives their answers.

use crate::cli::{self, ExtraCost, Pricing, Settings, SettingsError};
use crate::cluster::Cluster;
use crate::model::Stream;
use crate::pricing::{Demand, PriceNews, PriceTerms};
use crate::source::live::AwsHints;
use crate::source::prices::{self as sources, AwsEnvironment, AwsOptions};
use etcetera::BaseStrategy;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Capacity of the channel in batches: a batch is an answer, and answers are few.
const BATCHES: usize = 16;

/// The minimum time between two updates of the demand: nodes come in groups, and one request serves a group.
const DEMAND_INTERVAL: Duration = Duration::from_secs(5);

/// The channels to and from the price sources.
#[derive(Debug)]
pub struct PriceLink {
    /// Answers and states of the sources.
    pub news: mpsc::Receiver<Vec<PriceNews>>,
    /// The prices that the cluster needs.
    pub demand: watch::Sender<Demand>,
}

impl PriceLink {
    /// A link without sources: prices are switched off, or all known from the start.
    pub fn closed() -> Self {
        Self { news: mpsc::channel(1).1, demand: watch::channel(Demand::default()).0 }
    }
}

/// Sends the cluster's demand to the price sources when its nodes change; pods do not affect it.
#[derive(Debug, Default)]
pub(super) struct DemandSender {
    /// When the demand was last sent, and for which revision of the nodes.
    last: Option<(Instant, u64)>,
}

impl DemandSender {
    /// Sends the demand if it may have changed and enough time has passed. Returns when to try again if it is too early.
    pub(super) fn send(&mut self, cluster: &Cluster, demand: &watch::Sender<Demand>, now: Instant) -> Option<Instant> {
        let revision = cluster.nodes_revision();
        if !cluster.has_prices() || !cluster.knows(Stream::Nodes) || self.last.is_some_and(|(_, last)| last == revision)
        {
            return None;
        }
        if let Some((at, _)) = self.last
            && now < at + DEMAND_INTERVAL
        {
            return Some(at + DEMAND_INTERVAL);
        }
        if self.last.replace((now, revision)).is_none() {
            // The first demand is sent even if it is empty: the sources answer that all prices are settled.
            demand.send_replace(cluster.demand());
            return None;
        }
        demand.send_if_modified(|old| {
            let new = cluster.demand();
            let differs = *old != new;
            *old = new;
            differs
        });
        None
    }
}

/// The options of the price sources; `None` if prices are off. AWS is called with the credentials of the kubeconfig's
/// user, unless the settings name a profile.
pub(super) fn options(settings: &Settings, hints: &AwsHints) -> Option<sources::Options> {
    if settings.pricing == Pricing::Off {
        return None;
    }
    let environment = AwsEnvironment::of_process();
    let variable = |name: &str| environment.get(name).map(str::to_owned);
    // Without a home directory there is no price cache.
    let caches = etcetera::choose_base_strategy().ok().map(|base| base.cache_dir());
    Some(sources::Options {
        offline: settings.pricing == Pricing::Offline,
        cache_dir: caches.map(|caches| sources::cache_dir(&caches)),
        endpoints: sources::Endpoints::from_environment(&variable),
        proxies: sources::Proxies::from_environment(&variable),
        aws: AwsOptions {
            profile: settings.profile.clone().or_else(|| hints.profile.clone()),
            region: hints.region.clone(),
            environment,
        },
        cluster: hints
            .cluster
            .as_ref()
            .zip(hints.region.as_ref())
            .map(|(name, region)| sources::ClusterId { region: region.into(), name: name.into() }),
        control_plane: settings.extra_costs.contains(&ExtraCost::ControlPlane),
        clock: crate::model::Clock::default(),
        timing: sources::Timing::default(),
    })
}

/// Starts the price sources among `tasks`.
pub(super) fn start(options: sources::Options, tasks: &mut JoinSet<()>, cancel: CancellationToken) -> PriceLink {
    let (sender, news) = mpsc::channel(BATCHES);
    let (demand, demanded) = watch::channel(Demand::default());
    let mut sources = sources::start(options, demanded, sender, cancel);
    tasks.spawn(async move {
        while let Some(ended) = sources.join_next().await {
            // Propagate panics, as from any other task.
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
    });
    PriceLink { news, demand }
}

/// The price file and the discount rules of the settings.
///
/// # Errors
///
/// If the price file cannot be read, as for a settings file.
pub(super) fn terms(settings: &Settings) -> Result<PriceTerms, SettingsError> {
    cli::price_terms(settings, &|path| std::fs::read_to_string(path))
}
