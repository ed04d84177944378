//! What the caller chooses, and the times the streams keep.

use crate::model::{Clock, Stream};
use crate::pricing::ExtraCosts;
use clap::ValueEnum;
use std::ffi::OsString;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// How to connect and what to ask for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--kubeconfig`: this file alone, before anything in the environment.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`: instead of the file's current context.
    pub context: Option<String>,
    /// Label selector for nodes, in Kubernetes' syntax; empty is all of them.
    pub node_selector: String,
    /// How lists are fetched.
    pub list_mode: ListMode,
    /// What is watched and polled; `None` is everything but what [`Self::extra_costs`] decides.
    pub streams: Option<Vec<Stream>>,
    /// Lines of the bill beside the machines: some need objects that are not read otherwise.
    pub extra_costs: ExtraCosts,
    /// What the process finds around it. Empty by default: see [`Environment::of_process`].
    pub environment: Environment,
    /// The times the streams keep.
    pub timing: Timing,
    /// The wall clock: for the validity of certificates and tokens, the skew to the server's clock and the time of a retry.
    pub clock: Clock,
}

impl Options {
    /// Whether a stream is asked for.
    pub fn wants(&self, stream: Stream) -> bool {
        match stream {
            Stream::Ec2NodeClasses | Stream::NodeClasses => self.extra_costs.volumes,
            Stream::Nodes
            | Stream::Pods
            | Stream::Events
            | Stream::NodeClaims
            | Stream::NodePools
            | Stream::Pdbs
            | Stream::NodeMetrics
            | Stream::PodMetrics => self.streams.as_ref().is_none_or(|streams| streams.contains(&stream)),
        }
    }
}

/// How initial lists are fetched. Its values are those of `--list-mode`, with their help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ListMode {
    /// Long lists (pods, events) in pages, short ones streamed where the server supports it
    #[default]
    Auto,
    /// Streaming lists only (KEP-3157), without falling back on a refusal
    Stream,
    /// Pages only, which travel compressed, then a watch
    Pages,
}

/// The part of the environment that says which cluster is meant.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `KUBECONFIG`: paths in the platform's list syntax. Empty is unset.
    pub kubeconfig: Option<OsString>,
    /// The home directory, for `~/.kube/config`.
    pub home: Option<PathBuf>,
    /// Whether the process runs in a pod (`KUBERNETES_SERVICE_HOST` is set).
    pub in_cluster: bool,
    /// The proxies.
    pub proxies: ProxyVariables,
    /// Whether somebody can answer a credential plugin's question: a terminal on stdin and stderr.
    pub interactive: bool,
}

impl Environment {
    /// What this process finds.
    pub fn of_process() -> Self {
        use std::io::IsTerminal;
        Self {
            kubeconfig: std::env::var_os("KUBECONFIG"),
            home: std::env::home_dir(),
            in_cluster: std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
            proxies: ProxyVariables::read(&|name| std::env::var(name).ok()),
            interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
        }
    }
}

/// The variables that name proxies, as Go's `http.ProxyFromEnvironment` reads them: the names may be in lower case, and an
/// empty variable is none.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxyVariables {
    /// `HTTPS_PROXY`, for servers with TLS.
    pub https: String,
    /// `HTTP_PROXY`, for servers without.
    pub http: String,
    /// `NO_PROXY`: hosts that are reached without a proxy.
    pub no: String,
}

impl ProxyVariables {
    /// Reads them from an environment.
    pub fn read(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| {
            let values = [name.to_owned(), name.to_ascii_lowercase()].into_iter().filter_map(|name| environment(&name));
            values.into_iter().find(|value| !value.is_empty()).unwrap_or_default()
        };
        Self { https: either("HTTPS_PROXY"), http: either("HTTP_PROXY"), no: either("NO_PROXY") }
    }
}

impl std::fmt::Debug for ProxyVariables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The addresses may hold a password.
        f.debug_struct("ProxyVariables").field("no", &self.no).finish_non_exhaustive()
    }
}

/// The times the streams keep. The defaults are meant for real clusters; tests shorten them.
#[derive(Clone, Debug)]
pub struct Timing {
    /// First wait after a failure.
    pub backoff_base: Duration,
    /// Longest wait between two tries.
    pub backoff_cap: Duration,
    /// Time in step with the server after which the next outage starts with a short wait again.
    pub good_spell: Duration,
    /// A connection is made within this time or fails.
    pub connect: Duration,
    /// An answer begins, and goes on, within this time or is given up.
    pub response: Duration,
    /// A streaming list that says nothing for this long falls back to pages.
    pub no_progress: Duration,
    /// How long the server is asked to keep a watch open, in seconds; drawn anew for each, so that the streams do not
    /// reconnect together.
    pub watch_seconds: Range<u32>,
    /// Silence beyond the watch's own end that means a dead connection.
    pub watch_grace: Duration,
    /// Silence that means a dead connection once the server has sent bookmarks (it sends one about every minute).
    pub bookmark_silence: Duration,
    /// A watch that lasted at least this long is resumed at once when it ends.
    pub watch_lasted: Duration,
    /// A denied stream is asked for again after longer and longer waits, at last after this time (roles change).
    pub denied_again: Duration,
    /// A kind the server does not have is asked for again after this time (CRDs are installed).
    pub absent_again: Duration,
    /// A kind that may be listed but not watched is listed again after this time, or later where its list takes long.
    pub list_again: Duration,
    /// The other streams wait this long for the list of nodes: a head start, so that rows are there when bars fill.
    pub nodes_first: Duration,
    /// Pods wait this long for the server's version, by which they are summed.
    pub version_patience: Duration,
    /// Metrics are polled this often; metrics-server measures no finer.
    pub metrics_every: Duration,
    /// Metrics that are not served are asked for again after longer and longer waits, at last after this time.
    pub metrics_again: Duration,
    /// The server's version and API groups are asked for this often.
    pub discovery_every: Duration,
    /// Changes are handed on after this time at the latest.
    pub batch: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self {
            backoff_base: Duration::from_millis(800),
            backoff_cap: s(30),
            good_spell: s(5),
            connect: s(10),
            response: s(60),
            no_progress: s(15),
            watch_seconds: 240..290,
            watch_grace: s(10),
            bookmark_silence: s(150),
            watch_lasted: s(5),
            denied_again: s(180),
            absent_again: s(60),
            list_again: s(30),
            nodes_first: Duration::from_millis(100),
            version_patience: s(10),
            metrics_every: s(15),
            metrics_again: s(60),
            discovery_every: s(300),
            batch: Duration::from_millis(10),
        }
    }
}
