//! A live cluster: lists, watches and polls, turned into [`Change`]s.
//!
//! ```text
//!  options, kubeconfig ─▶ connect ─▶ Server ◀─ credentials (plugin, client, renewed as they end)
//!                                      │
//!            ┌───────────┬─────────────┼───────────┐
//!          pump        pump  …      metrics    discovery      one task and one connection each
//!      codec · kinds · wire            │           │
//!            └───────────┴─ Outbox ────┴───────────┘─▶ one bounded channel of batches
//! ```
//!
//! Always true here: requests are GET (get, list and watch), and of the doctor also reviews of what we may do, which no
//! server keeps; no Kubernetes type leaves this room; trouble is a
//! [`crate::model::LinkState`], never an end; streams fail and recover apart from each other.

mod aws_hints;
mod backoff;
mod certificate;
mod codec;
mod connect;
mod credentials;
mod discovery;
mod entries;
mod examine;
mod fault;
mod kinds;
mod kubeconfig;
mod metrics;
mod node_classes;
mod options;
mod outbox;
mod permissions;
mod proxy;
mod pump;
mod requests;
mod server;
mod skew;
mod transport;
mod trust;
mod wire;

pub use aws_hints::AwsHints;
pub use connect::ConnectError;
pub use credentials::PluginError;
pub use examine::{ExamineError, Provisioners, ServerAnswer};
pub use kubeconfig::FieldFault;
pub use metrics::Interest;
pub use options::{Environment, ListMode, Options, ProxyVariables, Timing};
pub use permissions::{Access, Allowed, CLUSTER_ROLE_BINDING, cluster_role};

use crate::model::{About, Change, LinkState, Stream};
use crate::source::blocking::blocking;
use credentials::Terminal;
use kinds::Kind;
use metrics::Polled;
use outbox::Outbox;
use pump::Pump;
use server::{Server, SharedServer};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A cluster that can be connected to: chosen, configured and checked as far as files allow.
#[derive(Debug)]
pub struct Connection {
    origin: String,
    aws: AwsHints,
    server: SharedServer,
    options: Options,
}

impl Connection {
    /// Reads and checks the kubeconfig, its certificates and keys, and loads the system's certificate authorities. Files
    /// are read on a thread for blocking work. Uses no network and runs no program.
    ///
    /// # Errors
    ///
    /// A [`ConnectError`] that names the file, the context and what to do.
    pub async fn load(options: Options) -> Result<Self, ConnectError> {
        blocking(move || {
            let target = connect::load(&options)?;
            let (origin, aws) = (target.origin.clone(), target.aws.clone());
            let server = Arc::new(Server::new(target, &options));
            Ok(Self { origin, aws, server, options })
        })
        .await
    }

    /// What is known of the cluster before it was asked: its context and address.
    pub fn about(&self) -> &About {
        &self.server.about
    }

    /// What it was chosen from: the kubeconfig files, or the pod's service account.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What the kubeconfig says about AWS.
    pub fn aws(&self) -> &AwsHints {
        &self.aws
    }

    /// Whether [`Self::sign_in`] has something to do.
    pub fn needs_sign_in(&self) -> bool {
        self.server.has_plugin() && self.options.environment.interactive
    }

    /// Runs the kubeconfig's credential plugin while the terminal is still the shell's, so that it can ask and be
    /// answered. To be called before the screen is taken; later runs are without a terminal. Without a plugin, or
    /// without somebody to ask, it does nothing.
    ///
    /// # Errors
    ///
    /// The plugin's own words. [`Self::start`] may be called all the same: it runs the plugin again as needed and
    /// shows the failure as the state of the streams.
    pub async fn sign_in(&self) -> Result<(), PluginError> {
        if self.needs_sign_in() { self.server.sign_in(Terminal::Shared).await } else { Ok(()) }
    }

    /// Holds the trouble that no further try will end, once there is some: a certificate that is not trusted, a token that
    /// cannot be sent. For callers that would wait for an answer.
    pub fn lasting_trouble(&self) -> watch::Receiver<Option<String>> {
        self.server.lasting_trouble()
    }

    /// Starts every stream. The tasks end when `cancel` is cancelled or the receiver of the changes is dropped; a
    /// panic in one is seen in the set.
    ///
    /// The channel's bound is the backpressure: when it is full the watches wait. When this returns, the channel holds
    /// [`About`] and [`LinkState::Connecting`] of every stream that will come.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(
        &self,
        sender: mpsc::Sender<Vec<Change>>,
        interest: watch::Receiver<Interest>,
        cancel: CancellationToken,
    ) -> JoinSet<()> {
        let announced = sender.try_send(self.announcement()).is_ok();
        let start =
            Start { connection: self, sender, interest, cancel, announced, nodes_listed: CancellationToken::new() };
        let mut tasks = JoinSet::new();
        let (outbox, random) = (start.outbox(), fastrand::Rng::new());
        start.spawn(&mut tasks, discovery::run(Arc::clone(&self.server), outbox, random, announced));
        start.pump::<kinds::Nodes>(&mut tasks, &self.options.node_selector);
        start.pump::<kinds::Pods>(&mut tasks, "");
        start.pump::<kinds::NodeClaims>(&mut tasks, "");
        start.pump::<kinds::NodePools>(&mut tasks, "");
        start.pump::<kinds::Pdbs>(&mut tasks, "");
        start.pump::<kinds::Events>(&mut tasks, "");
        start.pump::<node_classes::Ec2NodeClasses>(&mut tasks, "");
        start.pump::<node_classes::NodeClasses>(&mut tasks, "");
        start.poll(&mut tasks, Polled::Nodes);
        start.poll(&mut tasks, Polled::Pods);
        tasks
    }

    /// The first batch: every stream that will come is known to be under way before anything is, so that nobody takes
    /// one that waits its turn for one that has nothing to say. Pod metrics are off until somebody looks.
    fn announcement(&self) -> Vec<Change> {
        let coming =
            Stream::ALL.into_iter().filter(|stream| *stream != Stream::PodMetrics && self.options.wants(*stream));
        let links = coming.map(|stream| Change::Link(stream, LinkState::Connecting));
        std::iter::once(Change::About(self.about().clone())).chain(links).collect()
    }
}

/// What every task of one start shares.
struct Start<'a> {
    connection: &'a Connection,
    sender: mpsc::Sender<Vec<Change>>,
    interest: watch::Receiver<Interest>,
    cancel: CancellationToken,
    /// Whether the announcement was sent; otherwise each stream makes its own.
    announced: bool,
    nodes_listed: CancellationToken,
}

impl Start<'_> {
    fn outbox(&self) -> Outbox {
        let connection = self.connection;
        Outbox::new(self.sender.clone(), connection.options.timing.batch, connection.server.skew.subscribe())
    }

    fn spawn(&self, tasks: &mut JoinSet<()>, task: impl Future<Output = ()> + Send + 'static) {
        let cancel = self.cancel.clone();
        tasks.spawn(async move {
            // Dropping a stream at any point is clean: it owns nothing but its connection.
            let _ = cancel.run_until_cancelled(task).await;
        });
    }

    fn pump<K: Kind>(&self, tasks: &mut JoinSet<()>, label_selector: &str) {
        if !self.connection.options.wants(K::STREAM) {
            return;
        }
        let is_nodes = K::STREAM == Stream::Nodes;
        let listed = if is_nodes { self.nodes_listed.clone() } else { CancellationToken::new() };
        let server = Arc::clone(&self.connection.server);
        let pump =
            Pump::<K>::new(server, self.outbox(), label_selector, fastrand::Rng::new(), listed, self.told(K::STREAM));
        let first = self.nodes_first();
        self.spawn(
            tasks,
            pump.run(async move {
                if !is_nodes {
                    first.await;
                }
            }),
        );
    }

    /// What was said of a stream before it begins.
    fn told(&self, stream: Stream) -> LinkState {
        if self.announced && stream != Stream::PodMetrics { LinkState::Connecting } else { LinkState::Off }
    }

    fn poll(&self, tasks: &mut JoinSet<()>, polled: Polled) {
        if !self.connection.options.wants(polled.stream()) {
            return;
        }
        let (server, outbox) = (Arc::clone(&self.connection.server), self.outbox());
        let (turn, interest, told) = (self.nodes_first(), self.interest.clone(), self.told(polled.stream()));
        self.spawn(tasks, metrics::poll(polled, server, outbox, interest, told, turn));
    }

    /// Nodes come first, so that the table is there at once and its bars fill; but nothing waits long for them.
    fn nodes_first(&self) -> impl Future<Output = ()> + use<> {
        let nodes = self.connection.options.wants(Stream::Nodes).then(|| self.nodes_listed.clone());
        let patience = self.connection.options.timing.nodes_first;
        async move {
            if let Some(listed) = nodes {
                // Listed or not, after this it is the others' turn.
                let _ = timeout(patience, listed.cancelled()).await;
            }
        }
    }
}
