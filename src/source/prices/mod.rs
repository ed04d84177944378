//! Prices from the network and the cache, requested in the background while the program runs.
//!
//! Only what the [`Demand`] names is requested, and each answer is passed on at once. A failure of a source is a
//! [`SourceState`](crate::pricing::SourceState): it neither ends the program nor removes known prices.
//!
//! ```text
//!  Demand ─▶ run ─▶ schedule    the order of fallback: which queries a demand leads to
//!             │        └─▶ refresher   of each query: interval, back-off, last answer
//!             ▼
//!          sources ─┬─▶ cache          answers of earlier runs
//!                   ├─▶ http ─▶ read   public files, without credentials
//!                   └─▶ aws ─▶ read    calls with credentials
//!             │
//!             ▼
//!  PriceNews: prices, states of sources, and the moment when every request is answered or has failed
//! ```

mod aws;
mod cache;
mod endpoints;
mod error;
mod http;
pub mod location;
mod query;
pub mod read;
mod refresher;
mod run;
mod schedule;
mod sources;

pub use aws::{Aws, AwsEnvironment, AwsOptions, Identity};
pub use endpoints::{Endpoint, Endpoints};
pub use error::AskError;
pub use http::Proxies;
pub use query::{Answer, AwsCall, ClusterId};

use crate::model::Clock;
use crate::pricing::{Demand, OnDemandKey, Os, PriceBook, PriceNews, Tenancy};
use cache::Cache;
use flate2::Crc;
use http::Http;
use run::Pace;
use schedule::Schedule;
use sources::Sources;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Time limits and intervals; the defaults are meant for AWS, and tests shorten them.
#[derive(Clone, Debug)]
pub struct Timing {
    /// The time limit of a small file.
    pub small: Duration,
    /// The time limit of a file of megabytes.
    pub large: Duration,
    /// Demands that change within this time are taken together.
    pub together: Duration,
    /// The longest time between two looks at the clock: while a laptop sleeps, prices grow old and timers stand still.
    pub look: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self { small: s(5), large: s(15), together: s(1), look: s(60) }
    }
}

/// How prices are requested.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Use only the cache, and make no connection.
    pub offline: bool,
    /// The directory of the cache (see [`cache_dir`]); without one, nothing is cached.
    pub cache_dir: Option<PathBuf>,
    /// The addresses of the public files.
    pub endpoints: Endpoints,
    /// The proxies.
    pub proxies: Proxies,
    /// The AWS identity.
    pub aws: AwsOptions,
    /// The cluster, if it is known: other clusters may be in other accounts.
    pub cluster: Option<ClusterId>,
    /// Whether the support of the cluster is requested (`eks:DescribeCluster`).
    pub control_plane: bool,
    /// The time of day.
    pub clock: Clock,
    /// Time limits and intervals.
    pub timing: Timing,
}

/// Starts to request what `demand` names, now and whenever it changes. The tasks end when `cancel` is cancelled or the
/// receiver of the news is dropped. A panic in one is reported by the set.
///
/// [`PriceNews::Settled`] answers each demand; an empty one counts only if it is sent after the start.
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
    let Options { clock, timing, .. } = &options;
    let pace = Pace { clock: clock.clone(), together: timing.together, look: timing.look };
    let (now, cache) = (clock.now(), Cache::new(options.cache_dir.clone()));
    let account = account(&options.aws, options.cluster.as_ref());
    let schedule = Schedule::new(options.offline, table_has, options.cluster.filter(|_| options.control_plane));
    let http = Arc::new(Http::new(&options.proxies));
    let sources = Sources {
        http: Arc::clone(&http),
        cache: cache.clone(),
        endpoints: options.endpoints,
        account,
        aws: Aws::over(http, options.aws),
        clock: options.clock,
        timing: options.timing,
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let work = run::run(Arc::new(sources), schedule, demand, news, pace);
        let _ = cancel.run_until_cancelled(work).await;
    });
    tasks.spawn_blocking(move || cache.prune(now));
    tasks
}

/// Distinguishes AWS accounts without a request: another profile, key or cluster may be another account.
fn account(aws: &AwsOptions, cluster: Option<&ClusterId>) -> String {
    let mut crc = Crc::new();
    let profile = aws.profile.as_deref().or_else(|| aws.environment.get("AWS_PROFILE"));
    let key = aws.environment.get("AWS_ACCESS_KEY_ID");
    for part in [profile, key, cluster.map(|cluster| cluster.name.as_str())] {
        crc.update(part.unwrap_or_default().as_bytes());
        crc.update(b"\n");
    }
    format!("{:08x}", crc.sum())
}

/// Whether the built-in table has a price that is no estimate.
fn table_has(key: &OnDemandKey, instance_type: &str) -> bool {
    (key.os, key.tenancy) == (Os::Linux, Tenancy::Shared)
        && PriceBook::embedded().on_demand(&key.region, instance_type).is_ok_and(|price| !price.estimated)
}

/// The directory of the cache: `nodeglass/prices` in the user's directory of caches (`$XDG_CACHE_HOME`, `~/.cache`).
pub fn cache_dir(caches: &Path) -> PathBuf {
    caches.join("nodeglass").join("prices")
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("us-east-2", "c5.large" => true ; "on a price list")]
    #[test_case("eu-north-1", "c5.large" => true ; "published with Libcloud")]
    #[test_case("us-west-2-lax-1", "c5.12xlarge" => false ; "estimated by another size")]
    #[test_case("eu-north-1", "c8gn.large" => false ; "estimated by another family")]
    #[test_case("ap-northeast-2", "u7in-16tb.224xlarge" => false ; "its price has been cut since it was published")]
    #[test_case("eu-north-1", "m9x.large" => false ; "not known")]
    fn exact_prices_of_the_table(region: &str, instance_type: &str) -> bool {
        let key = OnDemandKey { region: region.into(), os: Os::Linux, tenancy: Tenancy::Shared };
        let other = OnDemandKey { os: Os::Windows, ..key.clone() };
        assert!(!table_has(&other, instance_type), "the table has Linux alone");
        table_has(&key, instance_type)
    }
}
