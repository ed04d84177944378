//! The way to the price sources and back: what the cluster needs goes out, what they say comes in.

use crate::cli::{self, ExtraCost, Pricing, Settings, SettingsError};
use crate::cluster::Cluster;
use crate::model::Stream;
use crate::pricing::{Demand, PriceNews, PriceTerms};
use crate::source::prices::{self as sources, AwsEnvironment, AwsHints, AwsOptions};
use etcetera::BaseStrategy;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Batches of news that may wait: a batch is an answer, and answers are few.
const BATCHES: usize = 16;

/// How often the sources are told what is needed: new machines come in groups, and one request serves a group.
const TELL: Duration = Duration::from_secs(5);

/// Both directions of the connection to the price sources.
#[derive(Debug)]
pub struct PriceLink {
    /// What they say.
    pub news: mpsc::Receiver<Vec<PriceNews>>,
    /// What is needed.
    pub demand: watch::Sender<Demand>,
}

impl PriceLink {
    /// A link to nobody: prices are switched off, or all known beforehand.
    pub fn closed() -> Self {
        Self { news: mpsc::channel(1).1, demand: watch::channel(Demand::default()).0 }
    }
}

/// When to tell the sources what is needed. Machines that come and go are looked at again, pods are not.
#[derive(Debug, Default)]
pub(super) struct Teller {
    told: Option<(Instant, u64)>,
}

impl Teller {
    /// Tells what is needed if that may have changed and is due; the moment to try again, if it is not due yet.
    pub(super) fn tell(&mut self, cluster: &Cluster, demand: &watch::Sender<Demand>, now: Instant) -> Option<Instant> {
        let machines = cluster.machines_changed();
        if !cluster.has_prices() || !cluster.knows(Stream::Nodes) || self.told.is_some_and(|(_, told)| told == machines)
        {
            return None;
        }
        if let Some((at, _)) = self.told
            && now < at + TELL
        {
            return Some(at + TELL);
        }
        if self.told.replace((now, machines)).is_none() {
            // Also an empty one is answered: that all is settled.
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

/// How prices of a cluster's machines are asked for; none where nobody is to be asked. AWS is asked as whoever reads the
/// cluster, unless a profile is set: what the kubeconfig's user signs in with.
pub(super) fn options(settings: &Settings, hints: &AwsHints) -> Option<sources::Options> {
    if settings.pricing == Pricing::Off {
        return None;
    }
    let environment = AwsEnvironment::of_process();
    let variable = |name: &str| environment.get(name).map(str::to_owned);
    // Without a home directory nothing is kept for the next start.
    let caches = etcetera::choose_base_strategy().ok().map(|base| base.cache_dir());
    Some(sources::Options {
        offline: settings.pricing == Pricing::Offline,
        cache_dir: caches.map(|caches| sources::cache_dir(&caches)),
        endpoints: sources::Endpoints::of(&variable),
        proxies: sources::Proxies::of(&variable),
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
        clock: sources::Clock::default(),
        timing: sources::Timing::default(),
    })
}

/// Starts the price sources among `tasks`.
pub(super) fn start(options: sources::Options, tasks: &mut JoinSet<()>, cancel: CancellationToken) -> PriceLink {
    let (sender, news) = mpsc::channel(BATCHES);
    let (demand, demanded) = watch::channel(Demand::default());
    let mut asking = sources::start(options, demanded, sender, cancel);
    tasks.spawn(async move {
        while let Some(ended) = asking.join_next().await {
            // A panic is ours to report, as in any other task.
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
    });
    PriceLink { news, demand }
}

/// The user's own prices and discounts.
///
/// # Errors
///
/// A price file that cannot be read: as wrong as a settings file, and met the same way.
pub(super) fn terms(settings: &Settings) -> Result<PriceTerms, SettingsError> {
    cli::price_terms(settings, &|path| std::fs::read_to_string(path))
}
