//! The demo: a simulated EKS Auto Mode cluster.
//!
//! Without a size it repeats one story: a new cluster without nodes, pods are created, claims launch (one exceeds the vCPU
//! quota), nodes fill, a spot instance is interrupted, the load ends and the nodes are consolidated. With a size it starts
//! with that number of nodes and keeps about that number. The same options and start give the same changes.

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

/// The options of the demo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The seed of all random values.
    pub seed: u64,
    /// The initial and approximate number of nodes; `None` plays the story of a new cluster.
    pub nodes: Option<usize>,
    /// The speed of the simulation.
    pub speed: Speed,
}

/// The demo's prices of spot instances, volumes and the control plane, so that everything has a price without the
/// network.
pub fn prices(now: Timestamp) -> Vec<PriceNews> {
    let sheets = [
        market::spot_prices(loads::REGION, &loads::ZONES, now),
        market::spot_savings(loads::REGION, now),
        market::volume_prices(loads::REGION, now),
        market::cluster_prices(loads::REGION, now),
    ];
    let support = ClusterSupport { phase: Some(SupportPhase::Standard), ..ClusterSupport::default() };
    let cluster_support = PriceNews::ClusterSupport { region: loads::REGION.into(), support };
    sheets.into_iter().map(PriceNews::Sheet).chain([cluster_support]).collect()
}

/// Starts the demo at `now` and sends its changes to `sender`.
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
