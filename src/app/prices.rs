//! The way to the price sources and back: what the cluster needs goes out, what they say comes in.

use super::sources::SourceError;
use crate::cli::Settings;
use crate::cluster::Cluster;
use crate::model::Stream;
use crate::pricing::{Demand, PriceFile, PriceNews, PriceTerms};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

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
        self.told = Some((now, machines));
        demand.send_if_modified(|old| {
            let new = cluster.demand();
            let differs = *old != new;
            *old = new;
            differs
        });
        None
    }
}

/// The user's own prices and discounts.
///
/// # Errors
///
/// A price file that cannot be read.
pub(super) fn terms(settings: &Settings) -> Result<PriceTerms, SourceError> {
    let read = |path: &PathBuf| {
        let text =
            std::fs::read_to_string(path).map_err(|source| SourceError::PriceFile { path: path.clone(), source })?;
        Ok::<_, SourceError>(PriceFile::parse(&path.to_string_lossy(), &text)?)
    };
    Ok(PriceTerms { file: settings.price_file.as_ref().map(read).transpose()?, rules: Vec::new() })
}
