//! Prices from the network and the disk, while the program runs: asked for in the background, sent on as they come.
//!
//! Always true here: nobody waits for a price; an answer is sent the moment it is there, and one source's trouble never
//! takes away what another said; only what the [`Demand`] names is asked for; trouble is a
//! [`SourceState`](crate::pricing::SourceState), never an end.
//!
//! ```text
//!  Demand ─▶ run ─▶ schedule   what is due: asked now, kept still, tried again later
//!             │ Question
//!             ▼
//!          sources ─┬─▶ cache          the disk: public files as they came, figures of calls
//!                   ├─▶ http ─▶ read   public files, without credentials
//!                   └─▶ aws            calls with credentials
//!             │ Answer
//!             ▼
//!  PriceNews: a sheet of prices · the state of a source · all is settled
//! ```

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
mod words;

pub use ask::AskError;
pub use aws::{Aws, AwsEnvironment, AwsOptions, Identity};
pub use endpoints::{Endpoint, Endpoints};
pub use http::Proxies;

use crate::model::{Clock, Name};
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

/// The times the sources keep, beside the limits by age. The defaults are meant for AWS; tests shorten them.
#[derive(Clone, Debug)]
pub struct Timing {
    /// A small file comes within this time, or not at all.
    pub small: Duration,
    /// A file of megabytes comes within this time, or not at all.
    pub large: Duration,
    /// What comes to be needed within this time is asked for together.
    pub together: Duration,
    /// The clock is looked at this often, whatever is due: while a laptop sleeps prices grow old, and timers stand
    /// still.
    pub look: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self { small: s(5), large: s(15), together: s(1), look: s(60) }
    }
}

/// A cluster, as EKS knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId {
    /// Its region.
    pub region: Name,
    /// Its name in EKS.
    pub name: Name,
}

/// How prices are asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The disk alone answers: no connection is made.
    pub offline: bool,
    /// Where answers are kept for the next start; none keeps nothing. See [`cache_dir`].
    pub cache_dir: Option<PathBuf>,
    /// Where the sources are.
    pub endpoints: Endpoints,
    /// Through what they are reached.
    pub proxies: Proxies,
    /// As whom AWS is asked.
    pub aws: AwsOptions,
    /// The cluster, where it is known: that of another may be in another account.
    pub cluster: Option<ClusterId>,
    /// Whether its control plane is asked about (`eks:DescribeCluster`).
    pub control_plane: bool,
    /// The time of day.
    pub clock: Clock,
    /// The times the sources keep.
    pub timing: Timing,
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
    let Options { clock, timing, .. } = &options;
    let pace = Pace { clock: clock.clone(), together: timing.together, look: timing.look };
    let (now, old) = (clock.now(), Cache::new(options.cache_dir.clone()));
    let asked_about = options.cluster.clone().filter(|_| options.control_plane);
    let schedule = Schedule::new(options.offline, table_knows, asked_about);
    let http = Arc::new(Http::new(&options.proxies));
    let sources = Sources {
        http: Arc::clone(&http),
        cache: old.clone(),
        endpoints: options.endpoints,
        account: account(&options.aws, options.cluster.as_ref()),
        aws: Aws::over(http, options.aws),
        clock: options.clock,
        timing: options.timing,
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let work = run::run(Arc::new(sources), schedule, demand, news, pace);
        let _ = cancel.run_until_cancelled(work).await;
    });
    tasks.spawn_blocking(move || old.prune(now));
    tasks
}

/// A name for the AWS account, as far as it can be told without asking: another profile, another key, another cluster
/// may be another account.
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

/// Whether the table in the program has a price that is no estimate.
fn table_knows(key: &OnDemandKey, instance_type: &str) -> bool {
    (key.os, key.tenancy) == (Os::Linux, Tenancy::Shared)
        && PriceBook::embedded().on_demand(&key.region, instance_type).is_ok_and(|price| !price.estimated)
}

/// Where answers are kept: `nodeglass/prices` in the user's directory for caches (`$XDG_CACHE_HOME`, `~/.cache`).
pub fn cache_dir(caches: &Path) -> PathBuf {
    caches.join("nodeglass").join("prices")
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    // GetProducts is asked for what the table does not price exactly.
    #[test_case("us-east-2", "c5.large" => true ; "on a price list")]
    #[test_case("eu-north-1", "c5.large" => true ; "published with Libcloud")]
    #[test_case("us-west-2-lax-1", "c5.12xlarge" => false ; "estimated by another size")]
    #[test_case("eu-north-1", "c8gn.large" => false ; "estimated by another family")]
    #[test_case("ap-northeast-2", "u7in-16tb.224xlarge" => false ; "its price has been cut since it was published")]
    #[test_case("eu-north-1", "m9x.large" => false ; "not known")]
    fn the_table_knows_what_it_prices_exactly(region: &str, instance_type: &str) -> bool {
        let key = OnDemandKey { region: region.into(), os: Os::Linux, tenancy: Tenancy::Shared };
        let other = OnDemandKey { os: Os::Windows, ..key.clone() };
        assert!(!table_knows(&other, instance_type), "the table is of Linux");
        table_knows(&key, instance_type)
    }
}
