//! Prices from the network and the disk, while the program runs: asked for in the background, sent on as they come.
//!
//! Always true here: nobody waits for a price; an answer is sent the moment it is there, and one source's trouble never
//! takes away what another said; only what the [`Demand`] names is asked for; trouble is a
//! [`SourceState`](crate::pricing::SourceState), never an end.

mod ask;
mod aws;
mod cache;
mod endpoints;
mod http;
pub mod location;
pub mod read;
mod run;
mod schedule;
mod sources;

pub use ask::AskError;
pub use aws::{Aws, AwsEnvironment, AwsHints, AwsOptions, Identity};
pub use endpoints::{Endpoint, Endpoints};
pub use http::Proxies;

use crate::model::Timestamp;
use crate::pricing::{Demand, OnDemandKey, Os, PriceBook, PriceNews, Tenancy};
use cache::Cache;
use http::Http;
use schedule::Schedule;
use sources::Sources;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Which price sources may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// All, quietly.
    #[default]
    Auto,
    /// All, and it is worth a warning if none answers.
    Online,
    /// The disk alone: no connection is made.
    Offline,
}

/// How prices are asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which sources may be used.
    pub mode: Mode,
    /// Where answers are kept for the next start; none keeps nothing. See [`cache_dir`].
    pub cache_dir: Option<PathBuf>,
    /// Where the sources are.
    pub endpoints: Endpoints,
    /// Through what they are reached.
    pub proxies: Proxies,
}

/// Starts asking for what `demand` names, now and as it changes. The tasks end when `cancel` is cancelled or the
/// receiver of the news is dropped; a panic in one is seen in the set.
///
/// [`PriceNews::Settled`] answers a demand: it is not said before one was sent, or was there at the start and not empty.
///
/// # Panics
///
/// Outside a tokio runtime.
pub fn start(
    options: Options,
    demand: watch::Receiver<Demand>,
    news: mpsc::Sender<Vec<PriceNews>>,
    cancel: CancellationToken,
) -> JoinSet<()> {
    let clock: run::Clock = Arc::new(Timestamp::now);
    let schedule = Schedule::new(options.mode == Mode::Offline, table_knows);
    let cache = Cache::new(options.cache_dir);
    let old = cache.clone();
    let sources =
        Sources { http: Http::new(&options.proxies), cache, endpoints: options.endpoints, clock: Arc::clone(&clock) };
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let work = run::run(Arc::new(sources), schedule, demand, news, clock);
        let _ = cancel.run_until_cancelled(work).await;
    });
    tasks.spawn_blocking(move || old.prune(Timestamp::now()));
    tasks
}

/// Whether the table in the program has a price that is no estimate.
fn table_knows(key: &OnDemandKey, instance_type: &str) -> bool {
    (key.os, key.tenancy) == (Os::Linux, Tenancy::Shared)
        && PriceBook::embedded().on_demand(&key.region, instance_type).is_ok_and(|price| !price.estimated)
}

/// Where answers are kept: `nodeglass/prices` in the user's directory for caches (`$XDG_CACHE_HOME`, `~/.cache`).
pub fn cache_dir(caches: &Path) -> PathBuf {
    caches.join("nodeglass").join("prices")
}
