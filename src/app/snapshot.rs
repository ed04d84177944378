//! `nodeglass snapshot`: wait until the picture is complete, print it once, end.
//!
//! A cluster's picture is complete when every stream is in sync; a scenario's is its end, the demo's story is a minute
//! and a half old, both without the wait; a demo of a given size is at its first moment.

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
const WAITED_FOR: [Stream; 7] = [
    Stream::Nodes,
    Stream::Pods,
    Stream::Events,
    Stream::NodeClaims,
    Stream::NodePools,
    Stream::Pdbs,
    Stream::NodeMetrics,
];

/// Prints the picture of the cluster; the exit code says whether it is whole.
pub(super) async fn run(settings: &Settings, options: Snapshot) -> Result<u8> {
    let mut view = super::view(settings)?;
    let ready = Ready::of(settings)?;
    if let Some(connection) = ready.live() {
        connection.sign_in().await.wrap_err("failed to sign in")?;
    }
    let mut cluster = ready.cluster(settings, Timestamp::now())?;
    match ready {
        Ready::Scenario(scenario) => play(&scenario, &mut cluster, Timestamp::now()),
        Ready::Demo(options) if options.nodes.is_none() => tell(options, &mut cluster, Timestamp::now()),
        ready @ (Ready::Live(_) | Ready::Demo(_)) => {
            let deadline = Instant::now() + options.timeout;
            let trouble = ready.live().map(Connection::lasting_trouble);
            let mut running = ready.start(settings);
            collect(&mut running, &mut cluster, deadline, trouble, is_read).await?;
            // Pods are read after nodes: one that was bound to a new node in between is no orphan.
            let soon = deadline.min(Instant::now() + NEW_NODES);
            collect(&mut running, &mut cluster, soon, None, no_node_is_missing).await?;
            price(&mut running, &mut cluster, deadline.min(Instant::now() + PRICES)).await?;
            running.cancel.cancel();
        }
    }

    let mut trouble: Vec<String> = WAITED_FOR.into_iter().filter_map(|stream| shortfall(&cluster, stream)).collect();
    if settings.pricing == Pricing::Online {
        trouble.extend(cluster.prices().silence().map(|why| format!("warning: no price source answered: {why}")));
    }
    if let Some(skew) = clock_skew(&cluster) {
        trouble::say(&format!("note: {skew}"));
    }
    // It is no shortfall of the picture, so it does not decide the exit status.
    let orphans = MissingNodes::now(&cluster).text().map(|text| format!("note: {text}"));
    for line in trouble.iter().chain(&orphans) {
        trouble::say(line);
    }
    let seen = WAITED_FOR.into_iter().any(|stream| cluster.stream(stream).complete);
    if !seen {
        return Err(eyre!(
            "failed to read anything of the cluster within {}",
            humantime::format_duration(options.timeout)
        ));
    }
    view.refresh(&mut cluster);
    let columns = Columns {
        resources: settings.resources.clone(),
        labels: settings.extra_labels.iter().map(|label| label.to_string().into()).collect(),
    };
    let report = Report::with_columns(&cluster, &view, columns, Timestamp::now());
    match output::write(&report, options.output, &mut io::BufWriter::new(io::stdout().lock())) {
        // A reader that has seen enough is no trouble.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        other => other.wrap_err("failed to write to standard output")?,
    }
    Ok(if trouble.is_empty() { EXIT_SUCCESS } else { EXIT_TROUBLE })
}

/// Plays a scenario at once, so that it ends at `end`.
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

const BADLY: &str = "failed to go on: a task of the source ended badly";

/// How old the demo's story is when its picture is taken: its fleet is there, and pods still come.
const STORY: SignedDuration = SignedDuration::from_secs(90);

/// Tells the demo's story at once, so that it is [`STORY`] old at `end`.
fn tell(options: demo::Options, cluster: &mut Cluster, end: Timestamp) {
    let mut fleet = demo::Fleet::new(options, end.checked_sub(STORY).unwrap_or(end));
    while let Some(due) = fleet.due().filter(|due| *due <= end) {
        cluster.tick(due);
        for change in fleet.play(due) {
            cluster.apply(change, due);
        }
    }
    cluster.tick(end);
}

/// Waits for trouble that no further try will end.
async fn lasting(trouble: Option<&mut watch::Receiver<Option<String>>>) -> String {
    if let Some(trouble) = trouble
        && let Ok(why) = trouble.wait_for(Option::is_some).await
        && let Some(why) = why.as_ref()
    {
        return why.clone();
    }
    std::future::pending().await
}

/// How long the watch of nodes may take to bring a node that pods were bound to since nodes were listed.
const NEW_NODES: Duration = Duration::from_secs(2);

fn no_node_is_missing(cluster: &Cluster) -> bool {
    cluster.missing_nodes().next().is_none()
}

/// Whether every stream is settled.
fn is_read(cluster: &Cluster) -> bool {
    WAITED_FOR.into_iter().all(|stream| is_settled(cluster, stream)) && !reads_for_an_extra_cost(cluster)
}

/// Folds changes until `is_done`, or time is up. Trouble that lasts ends it at once.
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
                // A source that has said all it has to say is as settled as it will be.
                Ok(None) | Err(_) => return Ok(()),
            },
            Some(ended) = running.tasks.join_next() => ended.wrap_err(BADLY)?,
        }
    }
    Ok(())
}

/// How long prices are waited for once the picture is complete: what a hanging source takes until it is given up. The
/// embedded ones are there from the start.
const PRICES: Duration = Duration::from_secs(20);

/// Asks for the prices of what was found and takes in the answers, until every source answered or was given up.
async fn price(running: &mut Running, cluster: &mut Cluster, deadline: Instant) -> Result<()> {
    let demand = cluster.demand();
    if demand.is_empty() || running.prices.demand.send(demand).is_err() {
        return Ok(());
    }
    while !cluster.prices().is_settled() {
        tokio::select! {
            biased;
            // A panic of a price source ends its news as well, so that it is looked at first.
            Some(ended) = running.tasks.join_next() => ended.wrap_err(BADLY)?,
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

/// Whether a stream that serves an optional line is still being read. What is off, or not to be had, is not waited for.
fn reads_for_an_extra_cost(cluster: &Cluster) -> bool {
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

/// What is missing of a stream, as a line for people.
fn shortfall(cluster: &Cluster, stream: Stream) -> Option<String> {
    let health = cluster.stream(stream);
    match &health.state {
        LinkState::Absent if matches!(stream, Stream::Nodes | Stream::Pods) => {
            Some(format!("warning: {stream} are not served by this server"))
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
