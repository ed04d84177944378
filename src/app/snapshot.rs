//! `nodeglass snapshot`: waits until the state is complete, prints it once and exits.
//!
//! A cluster is complete when every stream is synced. A scenario is printed at its end, and the demo after 90 simulated
//! seconds, both without waiting; a demo with a number of nodes is printed at its start.

use super::sources::{Ready, Running};
use super::trouble;
use crate::cli::{EXIT_SUCCESS, EXIT_TROUBLE, Pricing, Settings, Snapshot};
use crate::cluster::Cluster;
use crate::insight::{MissingNodes, clock_skew};
use crate::model::{LinkState, Stream, Timestamp};
use crate::output::{self, Columns, Report};
use crate::source::demo;
use crate::source::live::Connection;
use crate::source::scenario::Scenario;
use crate::source::sim::Speed;
use crate::source::sim::play::Script;
use color_eyre::eyre::{Result, WrapErr, eyre};
use jiff::SignedDuration;
use std::io;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// The streams that a snapshot waits for. Pod metrics are polled only for a detail view.
const AWAITED: [Stream; 7] = [
    Stream::Nodes,
    Stream::Pods,
    Stream::Events,
    Stream::NodeClaims,
    Stream::NodePools,
    Stream::Pdbs,
    Stream::NodeMetrics,
];

/// Prints the state of the cluster; the exit code is 1 if it is incomplete.
pub(super) async fn run(settings: &Settings, options: Snapshot) -> Result<u8> {
    let mut view = super::view(settings)?;
    let ready = Ready::from_settings(settings).await?;
    if let Some(connection) = ready.live() {
        connection.sign_in().await.wrap_err("failed to sign in")?;
    }
    let mut cluster = ready.cluster(settings, Timestamp::now())?;
    match ready {
        Ready::Scenario(scenario) => play(&scenario, &mut cluster, Timestamp::now()),
        Ready::Demo(options) if options.nodes.is_none() => play_demo(options, &mut cluster, Timestamp::now()),
        ready @ (Ready::Live(_) | Ready::Demo(_)) => {
            let deadline = Instant::now() + options.timeout;
            let trouble = ready.live().map(Connection::lasting_trouble);
            let mut running = ready.start(settings);
            collect(&mut running, &mut cluster, deadline, trouble, is_settled_everywhere).await?;
            // Pods are listed after nodes: a pod may be bound to a node that was created in between.
            let soon = deadline.min(Instant::now() + NEW_NODES);
            collect(&mut running, &mut cluster, soon, None, no_node_is_missing).await?;
            price(&mut running, &mut cluster, deadline.min(Instant::now() + PRICES)).await?;
            running.cancel.cancel();
        }
    }
    while cluster.has_rows_to_quote() {
        cluster.quote_rows();
    }

    let mut trouble: Vec<String> = AWAITED.into_iter().filter_map(|stream| shortfall(&cluster, stream)).collect();
    if settings.pricing == Pricing::Online {
        trouble.extend(cluster.prices().total_failure().map(|why| format!("warning: no price source answered: {why}")));
    }
    if let Some(skew) = clock_skew(&cluster) {
        trouble::print_clean(&format!("note: {skew}"));
    }
    // Pods of missing nodes do not make the state incomplete, so they do not affect the exit code.
    let orphans = MissingNodes::now(&cluster).text().map(|text| format!("note: {text}"));
    for line in trouble.iter().chain(&orphans) {
        trouble::print_clean(line);
    }
    if !AWAITED.into_iter().any(|stream| cluster.stream(stream).complete) {
        return Err(eyre!(
            "failed to read anything of the cluster within {}",
            humantime::format_duration(options.timeout)
        ));
    }
    view.refresh(&mut cluster);
    let columns = Columns { resources: settings.resources.clone(), labels: settings.extra_labels.clone() };
    let report = Report::with_columns(&cluster, &view, columns, Timestamp::now());
    match output::write(&report, options.output, &mut io::BufWriter::new(io::stdout().lock())) {
        // A closed pipe is not an error: `| head` has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        other => other.wrap_err("failed to write to standard output")?,
    }
    Ok(if trouble.is_empty() { EXIT_SUCCESS } else { EXIT_TROUBLE })
}

/// Plays a scenario without waiting, so that it ends at `end`.
fn play(scenario: &Scenario, cluster: &mut Cluster, end: Timestamp) {
    let length = scenario.steps(end, Speed::default()).last().map_or(SignedDuration::ZERO, |step| step.at);
    let start = end.checked_sub(length).unwrap_or(end);
    for step in scenario.steps(start, Speed::default()) {
        let now = start.checked_add(step.at).unwrap_or(end);
        cluster.tick(now);
        for change in step.changes {
            cluster.apply(change, now);
        }
    }
}

const TASK_PANICKED: &str = "failed to continue: a task of the source panicked";

/// The simulated age of the demo when it is printed: its nodes are ready, and pods are still being created.
const DEMO_AGE: SignedDuration = SignedDuration::from_secs(90);

/// Plays the demo without waiting, so that it is [`DEMO_AGE`] old at `end`.
fn play_demo(options: demo::Options, cluster: &mut Cluster, end: Timestamp) {
    let mut fleet = demo::Fleet::new(options, end.checked_sub(DEMO_AGE).unwrap_or(end));
    while let Some(due) = fleet.due().filter(|due| *due <= end) {
        cluster.tick(due);
        for change in fleet.play(due) {
            cluster.apply(change, due);
        }
    }
    cluster.tick(end);
}

/// Completes with an error that no retry will resolve.
async fn lasting(trouble: Option<&mut watch::Receiver<Option<String>>>) -> String {
    if let Some(trouble) = trouble
        && let Ok(why) = trouble.wait_for(Option::is_some).await
        && let Some(why) = why.as_ref()
    {
        return why.clone();
    }
    std::future::pending().await
}

/// How long the watch of nodes may take to report a node that was created after nodes were listed.
const NEW_NODES: Duration = Duration::from_secs(2);

fn no_node_is_missing(cluster: &Cluster) -> bool {
    cluster.missing_nodes().next().is_none()
}

/// Whether every stream is settled.
fn is_settled_everywhere(cluster: &Cluster) -> bool {
    AWAITED.into_iter().all(|stream| is_settled(cluster, stream)) && !is_syncing_optional_stream(cluster)
}

/// Folds changes until `is_done` or the deadline.
///
/// # Errors
///
/// A lasting error of the connection, at once; or the panic of a task.
async fn collect(
    running: &mut Running,
    cluster: &mut Cluster,
    deadline: Instant,
    mut trouble: Option<watch::Receiver<Option<String>>>,
    is_done: fn(&Cluster) -> bool,
) -> Result<()> {
    while !is_done(cluster) {
        tokio::select! {
            biased;
            why = lasting(trouble.as_mut()) => return Err(eyre!("{why}")),
            batch = timeout_at(deadline, running.changes.recv()) => match batch {
                Ok(Some(batch)) => {
                    let now = Timestamp::now();
                    for change in batch {
                        cluster.apply(change, now);
                    }
                }
                // The source has ended, or the deadline has passed.
                Ok(None) | Err(_) => return Ok(()),
            },
            Some(ended) = running.tasks.join_next() => ended.wrap_err(TASK_PANICKED)?,
        }
    }
    Ok(())
}

/// How long to wait for prices once the state is complete: until a source that does not answer has timed out. The
/// embedded prices are available from the start.
const PRICES: Duration = Duration::from_secs(20);

/// Requests the prices of the cluster's nodes and applies the answers, until every source has answered or failed.
async fn price(running: &mut Running, cluster: &mut Cluster, deadline: Instant) -> Result<()> {
    let demand = cluster.demand();
    if demand.is_empty() || running.prices.demand.send(demand).is_err() {
        return Ok(());
    }
    while !cluster.prices().is_settled() {
        tokio::select! {
            biased;
            // Polled first, because the panic of a price source also closes its channel.
            Some(ended) = running.tasks.join_next() => ended.wrap_err(TASK_PANICKED)?,
            news = timeout_at(deadline, running.prices.news.recv()) => match news {
                Ok(Some(news)) => {
                    cluster.learn(news);
                }
                Ok(None) | Err(_) => return Ok(()),
            },
        }
    }
    Ok(())
}

/// Whether an optional stream is still syncing; streams that are off or unavailable are not waited for.
fn is_syncing_optional_stream(cluster: &Cluster) -> bool {
    let reads = |stream| matches!(cluster.stream(stream).state, LinkState::Connecting | LinkState::Syncing { .. });
    Stream::ALL.into_iter().filter(|stream| stream.is_optional()).any(reads)
}

/// Whether a report is complete without it: usage is an extra, and of PodDisruptionBudgets a report shows nothing.
const fn is_extra(stream: Stream) -> bool {
    matches!(stream, Stream::NodeMetrics | Stream::Pdbs)
}

/// Whether there is nothing to wait for. An extra in trouble is not waited for.
fn is_settled(cluster: &Cluster, stream: Stream) -> bool {
    let state = &cluster.stream(stream).state;
    match state {
        LinkState::Off => false,
        LinkState::Retrying { .. } if is_extra(stream) => true,
        LinkState::Retrying { .. } => cluster.stream(stream).complete,
        other => other.is_settled(),
    }
}

/// A warning for a required stream that is incomplete.
fn shortfall(cluster: &Cluster, stream: Stream) -> Option<String> {
    let health = cluster.stream(stream);
    match &health.state {
        LinkState::Absent if matches!(stream, Stream::Nodes | Stream::Pods) => {
            Some(format!("warning: this server does not serve {stream}"))
        }
        LinkState::Live | LinkState::Absent | LinkState::Polled { .. } => None,
        LinkState::Retrying { .. } | LinkState::Denied { .. } | LinkState::Off | LinkState::Connecting
            if is_extra(stream) =>
        {
            None
        }
        LinkState::Denied { message } => Some(format!("warning: cannot list {stream}: forbidden (RBAC): {message}")),
        LinkState::Retrying { why, .. } => Some(format!("warning: {stream} are not synced: {why}")),
        LinkState::Syncing { seen } => Some(format!("warning: {stream} are not synced: {seen} read so far")),
        LinkState::Off | LinkState::Connecting => Some(format!("warning: {stream} are not synced: no answer yet")),
    }
}
