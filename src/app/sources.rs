//! The source that settings name, started: whatever it is, it says changes into one bounded channel.

use super::prices::{self, PriceLink};
use crate::cli::{ExtraCost, Pricing, Settings, SettingsError, Source};
use crate::cluster::Cluster;
use crate::model::{Change, Timestamp};
use crate::pricing::{ExtraCosts, PriceBook};
use crate::source::live::{self, ConnectError, Connection, Environment, Interest};
use crate::source::scenario::{self, Scenario, ScenarioError};
use crate::source::{demo, sim};
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Batches that may wait before the source does: a few frames' worth of a first list.
const BATCHES: usize = 32;

/// Why there is no source. Completes "failed to …" or stands alone.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No cluster can be chosen from what is configured.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The scenario file cannot be read.
    #[error("failed to read the scenario file {}: {source}", path.display())]
    File {
        /// The file asked for.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The scenario file is not understood.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
}

/// A source that is ready to start: files read, nothing asked yet.
#[derive(Debug)]
pub enum Ready {
    /// A cluster.
    Live(Box<Connection>),
    /// The simulated fleet.
    Demo(demo::Options),
    /// A scenario file.
    Scenario(Box<Scenario>),
}

/// A source at work.
#[derive(Debug)]
pub struct Running {
    /// What it says.
    pub changes: mpsc::Receiver<Vec<Change>>,
    /// The way to the price sources and back.
    pub prices: PriceLink,
    /// Its tasks: a panic in one is ours to report.
    pub tasks: JoinSet<()>,
    /// Tells it what the screen shows.
    pub interest: watch::Sender<Interest>,
    /// Ends it.
    pub cancel: CancellationToken,
}

impl Ready {
    /// Chooses the source and reads its files.
    ///
    /// # Errors
    ///
    /// A kubeconfig, context or scenario file that is missing or wrong.
    pub fn of(settings: &Settings) -> Result<Self, SourceError> {
        match &settings.source {
            Source::Cluster => Ok(Self::Live(Box::new(Connection::load(&live_options(settings))?))),
            Source::Demo { nodes, seed } => Ok(Self::Demo(demo::Options {
                seed: *seed,
                nodes: nodes.map(|n| n.get() as usize),
                speed: sim::Speed::default(),
            })),
            Source::Scenario(path) => {
                let text =
                    std::fs::read_to_string(path).map_err(|source| SourceError::File { path: path.clone(), source })?;
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
                Ok(Self::Scenario(Box::new(Scenario::parse(&name, &text)?)))
            }
        }
    }

    /// The cluster that settings name, to be looked at once: whatever is asked of it is given up after `patience`.
    ///
    /// # Errors
    ///
    /// A kubeconfig or context that is missing or wrong.
    pub fn live_within(settings: &Settings, patience: Duration) -> Result<Connection, ConnectError> {
        let mut options = live_options(settings);
        options.timing.connect = patience;
        options.timing.response = patience;
        Connection::load(&options)
    }

    /// The connection to a cluster, if that is what it is.
    pub fn live(&self) -> Option<&Connection> {
        match self {
            Self::Live(connection) => Some(connection),
            Self::Demo(_) | Self::Scenario(_) => None,
        }
    }

    /// Where the choice of cluster comes from, for the screen that says that it cannot be reached.
    pub fn origin(&self) -> String {
        match self {
            Self::Live(connection) => format!("from {}", connection.origin()),
            Self::Demo(_) | Self::Scenario(_) => String::new(),
        }
    }

    /// The picture before anything was read: empty, with what is known of prices before anybody was asked.
    ///
    /// # Errors
    ///
    /// A price file that cannot be read.
    pub fn cluster(&self, settings: &Settings, now: Timestamp) -> Result<Cluster, SettingsError> {
        let book = if settings.pricing == Pricing::Off {
            None
        } else {
            Some(PriceBook::embedded().with_terms(prices::terms(settings)?))
        };
        let priced = book.is_some();
        let mut cluster = Cluster::new(book)
            .with_extra_costs(extra_costs(settings))
            .with_selected_nodes(settings.node_selector.is_some());
        if !priced {
            return Ok(cluster);
        }
        if let Self::Demo(_) = self {
            cluster.learn(demo::prices(now));
        }
        Ok(cluster)
    }

    /// Starts it, and for a cluster the price sources as well.
    pub fn start(self, settings: &Settings) -> Running {
        let (sender, changes) = mpsc::channel(BATCHES);
        let (interest, interested) = watch::channel(Interest::default());
        let cancel = CancellationToken::new();
        let mut prices = PriceLink::closed();
        let tasks = match self {
            Self::Live(connection) => {
                let asked = prices::options(settings, connection.aws());
                let mut tasks = connection.start(sender, interested, cancel.clone());
                if let Some(options) = asked {
                    prices = prices::start(options, &mut tasks, cancel.clone());
                }
                tasks
            }
            Self::Demo(options) => demo::start(options, Timestamp::now(), sender, cancel.clone()),
            Self::Scenario(scenario) => {
                scenario::start(&scenario, Timestamp::now(), sim::Speed::default(), sender, cancel.clone())
            }
        };
        Running { changes, prices, tasks, interest, cancel }
    }
}

/// Which costs beside the machines' are shown.
pub(super) fn extra_costs(settings: &Settings) -> ExtraCosts {
    let shown = |cost| settings.extra_costs.contains(&cost);
    ExtraCosts { control_plane: shown(ExtraCost::ControlPlane), volumes: shown(ExtraCost::Volumes) }
}

pub(super) fn live_options(settings: &Settings) -> live::Options {
    let mut environment = Environment::of_process();
    let kubeconfig = match settings.kubeconfig.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        // Several files are merged by the rule of KUBECONFIG. A path with the list's own separator cannot be listed.
        many => {
            environment.kubeconfig = std::env::join_paths(many).ok().or_else(|| many.first().map(OsString::from));
            None
        }
    };
    live::Options {
        kubeconfig,
        context: settings.context.clone(),
        node_selector: settings.node_selector.clone().unwrap_or_default(),
        list_mode: settings.list_mode,
        extra_costs: extra_costs(settings),
        environment,
        ..live::Options::default()
    }
}
