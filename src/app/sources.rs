//! Chooses and starts the source named by the settings. Every source sends changes into one bounded channel.

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

/// Capacity of the channel in batches: a few frames' worth of an initial list.
const BATCHES: usize = 32;

/// Why a source cannot be loaded. The texts are complete messages.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The kubeconfig names no usable cluster.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The scenario file cannot be read.
    #[error("failed to read the scenario file {}: {source}", path.display())]
    File {
        /// The file's path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The scenario file does not parse.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
}

/// A source that is ready to start: its files are read, no request has been sent.
#[derive(Debug)]
pub enum Ready {
    /// A cluster.
    Live(Box<Connection>),
    /// The simulated fleet.
    Demo(demo::Options),
    /// A scenario file.
    Scenario(Box<Scenario>),
}

/// A running source.
#[derive(Debug)]
pub struct Running {
    /// Its changes, in batches.
    pub changes: mpsc::Receiver<Vec<Change>>,
    /// The channels to and from the price sources.
    pub prices: PriceLink,
    /// Its tasks; the main loop reports their panics.
    pub tasks: JoinSet<()>,
    /// What the screen shows, which decides what is polled.
    pub interest: watch::Sender<Interest>,
    /// Stops the source.
    pub cancel: CancellationToken,
}

impl Ready {
    /// Loads the source that the settings name.
    ///
    /// # Errors
    ///
    /// If the kubeconfig, context or scenario file is missing or invalid.
    pub async fn from_settings(settings: &Settings) -> Result<Self, SourceError> {
        match &settings.source {
            Source::Cluster => Ok(Self::Live(Box::new(Connection::load(live_options(settings)).await?))),
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

    /// A connection to the cluster that the settings name, whose requests time out after `timeout`; for a single check.
    ///
    /// # Errors
    ///
    /// If the kubeconfig or context is missing or invalid.
    pub async fn live_within(settings: &Settings, timeout: Duration) -> Result<Connection, ConnectError> {
        let mut options = live_options(settings);
        options.timing.connect = timeout;
        options.timing.response = timeout;
        Connection::load(options).await
    }

    /// The connection, if the source is a cluster.
    pub fn live(&self) -> Option<&Connection> {
        match self {
            Self::Live(connection) => Some(connection),
            Self::Demo(_) | Self::Scenario(_) => None,
        }
    }

    /// Where the choice of the cluster comes from, for the screen shown while it is unreachable.
    pub fn origin(&self) -> String {
        match self {
            Self::Live(connection) => format!("from {}", connection.origin()),
            Self::Demo(_) | Self::Scenario(_) => String::new(),
        }
    }

    /// The initial state: no objects, and the prices that are known without a request.
    ///
    /// # Errors
    ///
    /// If the price file cannot be read.
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

    /// Starts the source, and for a cluster also the price sources.
    pub fn start(self, settings: &Settings) -> Running {
        let (sender, changes) = mpsc::channel(BATCHES);
        let (interest, interested) = watch::channel(Interest::default());
        let cancel = CancellationToken::new();
        let mut prices = PriceLink::closed();
        let tasks = match self {
            Self::Live(connection) => {
                let price_options = prices::options(settings, connection.aws());
                let mut tasks = connection.start(sender, interested, cancel.clone());
                if let Some(options) = price_options {
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

/// The costs shown beside those of instances.
pub(super) fn extra_costs(settings: &Settings) -> ExtraCosts {
    let shown = |cost| settings.extra_costs.contains(&cost);
    ExtraCosts { control_plane: shown(ExtraCost::ControlPlane), volumes: shown(ExtraCost::Volumes) }
}

pub(super) fn live_options(settings: &Settings) -> live::Options {
    let mut environment = Environment::of_process();
    let kubeconfig = match settings.kubeconfig.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        // Several files are merged like those of KUBECONFIG. A path that contains the separator cannot be in the list.
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
