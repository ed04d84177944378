//! The demo: a fleet of EKS Auto Mode that lives by itself, without a cluster.
//!
//! Without a size it tells one story again and again: a fresh cluster without nodes, pods arrive, claims launch (one
//! runs into the account's vCPU limit), nodes fill, a spot instance is taken back, the load goes and the nodes are
//! consolidated. With a size it begins with so many nodes and keeps about that number. The same options and start give
//! the same changes.

mod fleet;
mod loads;

pub use fleet::Fleet;

use crate::model::{Change, Timestamp};
use crate::pricing::{ClusterSupport, PriceNews, SupportPhase};
use crate::source::sim::Speed;
use crate::source::sim::market;
use crate::source::sim::play::play;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What the demo plays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Everything that looks random follows from it.
    pub seed: u64,
    /// Nodes to begin with and to stay about; none tells the story of a fresh cluster.
    pub nodes: Option<usize>,
    /// How fast it is played.
    pub speed: Speed,
}

/// What price sources tell of the demo: its own spot market, its volumes and its control plane, so that everything has a
/// price without a network.
pub fn prices(now: Timestamp) -> Vec<PriceNews> {
    let sheets = [
        market::spot_prices(loads::REGION, &loads::ZONES, now),
        market::spot_savings(loads::REGION, now),
        market::volume_prices(loads::REGION, now),
        market::cluster_prices(loads::REGION, now),
    ];
    let support = ClusterSupport { phase: Some(SupportPhase::Standard), ..ClusterSupport::default() };
    let told = PriceNews::ClusterSupport { region: loads::REGION.into(), support };
    sheets.into_iter().map(PriceNews::Sheet).chain([told]).collect()
}

/// Plays the demo, which begins at `now`, through `sender`.
pub fn start(
    options: Options,
    now: Timestamp,
    sender: mpsc::Sender<Vec<Change>>,
    cancel: CancellationToken,
) -> JoinSet<()> {
    play(Fleet::new(options, now), now, sender, cancel)
}

#[cfg(test)]
mod tests;
