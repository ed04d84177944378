//! Conditions that a user should look at now: instances being reclaimed, launches that fail, limits, stuck drains, a
//! connection that is down.
//!
//! [`alerts`] is pure: the same state and moment give the same lines. It looks once at every row, stream and nodepool
//! and at the events of the last minutes, never at pods (what they wait for is counted in [`PendingByCause`]), so it is for
//! when something changed or a second went by, not for every frame.

use super::totals::origins;
use super::{MissingNodes, OldPrices, PendingByCause};
use crate::cluster::{CapacityType, Cluster, EventQuery, KarpenterMessage, Lane, Row, RowId, RowState, UnmatchedTerm};
use crate::model::{Condition, ConditionStatus, LinkState, Name, NodePool, Resource, Stream, Timestamp};
use crate::pricing::SourceState;
use crate::units::age;
use std::collections::{BTreeMap, BTreeSet};

/// How much of a matter it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing has to be done.
    Notice,
    /// Something does not work as it should.
    Warning,
    /// Machines or the picture itself are being lost.
    Critical,
}

impl Severity {
    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What it is about; the order is that of importance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// AWS takes a machine back.
    Interruption,
    /// A stream is down, and its part of the picture grows old.
    StreamDown,
    /// Nodes or pods may not be read.
    Denied,
    /// A kind may be listed and not watched: what is shown of it is some time behind.
    NotWatched,
    /// Machines are asked for and do not come.
    LaunchesFail,
    /// A reboot in place failed: the node is replaced.
    RebootFailed,
    /// A nodepool launches nothing.
    PoolNotReady,
    /// Machines of a nodepool do not become nodes.
    RegistrationUnhealthy,
    /// A nodepool may not grow, and pods wait.
    LimitReached,
    /// A drain went on past its deadline.
    DrainOverdue,
    /// This machine's clock and the API server's differ.
    ClockSkew,
    /// Pods are bound to nodes that do not exist.
    OrphanedPods,
    /// Objects were not understood.
    Unreadable,
    /// A price label that is no price.
    PriceLabel,
    /// A source of prices has no answer: what was known stays.
    PriceSource,
    /// Prices were published more than a year ago, and no source has confirmed them.
    OldPrices,
}

impl AlertKind {
    /// The word in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interruption => "interruption",
            Self::StreamDown => "stream-down",
            Self::Denied => "denied",
            Self::NotWatched => "not-watched",
            Self::LaunchesFail => "launches-fail",
            Self::RebootFailed => "reboot-failed",
            Self::PoolNotReady => "nodepool-not-ready",
            Self::RegistrationUnhealthy => "registration-unhealthy",
            Self::LimitReached => "limit-reached",
            Self::DrainOverdue => "drain-overdue",
            Self::ClockSkew => "clock-skew",
            Self::OrphanedPods => "orphaned-pods",
            Self::Unreadable => "unreadable",
            Self::PriceLabel => "price-label",
            Self::PriceSource => "price-source",
            Self::OldPrices => "old-prices",
        }
    }
}

/// One line about something that is wrong or about to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What it is about.
    pub kind: AlertKind,
    /// How much of a matter it is.
    pub severity: Severity,
    /// One line, without the countdown.
    pub text: String,
    /// The row it is about.
    pub row: Option<RowId>,
    /// What is counted down to, where there is such a moment.
    pub until: Option<Timestamp>,
}

/// Failures older than this are history.
const RECENT_SECONDS: i64 = 5 * 60;
/// Fewer failures than this are the ordinary course: Karpenter tries another type.
const FAILURES: u64 = 3;
/// A watch that comes back sooner was not down.
const BLINK_SECONDS: i64 = 5;
/// Pods are deleted at the deadline of a drain; they and the instance take this long to go.
const OVERDUE_SECONDS: i64 = 30;

/// What is wrong or about to happen at `now`, the most important first. `pending` is that of the same state.
pub fn alerts(cluster: &Cluster, pending: &PendingByCause, now: Timestamp) -> Vec<Alert> {
    let mut alerts = Vec::new();
    rows(cluster, now, &mut alerts);
    streams(cluster, now, &mut alerts);
    launches(cluster, now, &mut alerts);
    reboots(cluster, now, &mut alerts);
    pools(cluster, pending, &mut alerts);
    if let Some(text) = clock_skew(cluster) {
        alerts.push(Alert { kind: AlertKind::ClockSkew, severity: Severity::Notice, text, row: None, until: None });
    }
    if let Some(text) = MissingNodes::lasting(cluster, now).text() {
        let (kind, severity) = (AlertKind::OrphanedPods, Severity::Warning);
        alerts.push(Alert { kind, severity, text, row: None, until: None });
    }
    for (stream, unreadable) in cluster.unreadable() {
        let times = if unreadable.count == 1 { String::new() } else { format!(" ({} times)", unreadable.count) };
        let text = format!("{stream}: {} could not be read in full{times}: {}", unreadable.object, unreadable.problem);
        alerts.push(Alert { kind: AlertKind::Unreadable, severity: Severity::Warning, text, row: None, until: None });
    }
    if cluster.has_prices() {
        price_labels(cluster, &mut alerts);
        price_sources(cluster, &mut alerts);
        let quotes = cluster.rows().filter(|row| row.gone().is_none()).filter_map(Row::quote);
        if let Some(old) = OldPrices::from_origins(quotes.flat_map(origins), now) {
            let (kind, severity) = (AlertKind::OldPrices, Severity::Notice);
            alerts.push(Alert { kind, severity, text: old.to_string(), row: None, until: None });
        }
    }
    alerts.sort_by(|a, b| (a.kind, a.until, &a.text).cmp(&(b.kind, b.until, &b.text)));
    alerts
}

/// That the clocks differ, and what is done about it; none while they are in step.
pub fn clock_skew(cluster: &Cluster) -> Option<String> {
    let ahead = cluster.clock_ahead_seconds();
    let way = if ahead < 0 { "behind" } else { "ahead of" };
    // A second more or less is not known, and would read as `5h59m`.
    let seconds = ahead.saturating_abs();
    let by = age::short(if seconds < 600 { seconds } else { seconds.saturating_add(30) / 60 * 60 });
    (ahead != 0).then(|| format!("this machine's clock is {by} {way} the API server's; ages follow the server"))
}

/// One quiet line for all sources of prices that failed. A source that is off by its nature (no credentials, no file for a
/// region) is no news.
fn price_sources(cluster: &Cluster, alerts: &mut Vec<Alert>) {
    let mut failed: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    let mut next: Option<Timestamp> = None;
    for (source, region, state) in cluster.prices().sources() {
        match state {
            SourceState::Failed { why, retry } => {
                failed.entry(why).or_default().push((source.name(), region));
                next = Some(next.map_or(*retry, |next| next.min(*retry)));
            }
            SourceState::Asking | SourceState::Answered { .. } | SourceState::Off { .. } => {}
        }
    }
    if failed.is_empty() {
        return;
    }
    let each: Vec<String> = failed.iter().map(|(why, sources)| format!("{}: {why}", named(sources))).collect();
    alerts.push(Alert {
        kind: AlertKind::PriceSource,
        severity: Severity::Notice,
        text: format!("prices not refreshed from {}", each.join("; ")),
        row: None,
        until: next,
    });
}

/// Sources by name and region, short, so that a line has room for the reason: `price-page of eu-west-1`, `price-page,
/// spot-feed and 2 more of eu-west-1`, `spot-history, get-products of 2 regions`.
fn named(sources: &[(&str, &str)]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in sources {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let regions: BTreeSet<&str> = sources.iter().map(|(_, region)| *region).collect();
    let more = if names.len() > 3 { format!(" and {} more", names.len() - 2) } else { String::new() };
    if !more.is_empty() {
        names.truncate(2);
    }
    let place = match (regions.len(), regions.first()) {
        (1, Some(region)) => (*region).to_owned(),
        (n, _) => format!("{n} regions"),
    };
    format!("{}{more} of {place}", names.join(", "))
}

/// Price labels that are ignored, in one line.
fn price_labels(cluster: &Cluster, alerts: &mut Vec<Alert>) {
    let standing = cluster.rows().filter(|row| row.gone().is_none());
    let mut bad = standing.filter_map(|row| Some((row, row.bad_price_label()?)));
    let Some((row, why)) = bad.next() else { return };
    let more = bad.count();
    let others = if more > 0 { format!(" (and on {more} more)") } else { String::new() };
    alerts.push(Alert {
        kind: AlertKind::PriceLabel,
        severity: Severity::Notice,
        text: format!("{}: {why}{others}", row.name()),
        row: Some(row.id()),
        until: None,
    });
}

/// The user's price terms that have held for no machine, in words; none while not all nodes are known. A discount rule
/// is named by itself; a price file only as a whole, since it may well list more than is in use.
pub fn unmatched_terms(cluster: &Cluster) -> Vec<String> {
    if !cluster.stream(Stream::Nodes).complete {
        return Vec::new();
    }
    let (mut texts, mut rows) = (Vec::new(), 0);
    for term in cluster.prices().unmatched() {
        match term {
            UnmatchedTerm::Rule { .. } => texts.push(format!("{term} matches no node")),
            UnmatchedTerm::Row { .. } => rows += 1,
        }
    }
    let file = cluster.prices().book().and_then(|book| book.terms().file.as_ref());
    if let Some(file) = file.filter(|file| rows > 0 && file.rows().len() == rows) {
        texts.push(format!("no row of {} matches a node", file.name()));
    }
    texts
}

fn rows(cluster: &Cluster, now: Timestamp, alerts: &mut Vec<Alert>) {
    for row in cluster.rows().filter(|row| row.gone().is_none()) {
        if row.interrupted().is_some() {
            alerts.push(interruption(row));
        }
        let overdue = deadline(row).filter(|at| {
            now.as_second() - at.as_second() > OVERDUE_SECONDS && matches!(row.state(), RowState::Draining { .. })
        });
        if let Some(at) = overdue {
            let late = age::short(now.as_second() - at.as_second());
            alerts.push(Alert {
                kind: AlertKind::DrainOverdue,
                severity: Severity::Warning,
                text: format!(
                    "{}: drain overdue by {late} (terminationGracePeriod), {}",
                    row.name(),
                    pods(row.sums().pods.bound)
                ),
                row: Some(row.id()),
                until: None,
            });
        }
    }
}

fn pods(n: u64) -> String {
    if n == 1 { "1 pod".into() } else { format!("{n} pods") }
}

fn interruption(row: &Row) -> Alert {
    let reason = row.leaving().map(|l| l.reason.as_str()).filter(|reason| {
        matches!(
            *reason,
            "SpotInterrupted"
                | "CapacityReservationInstanceInterrupted"
                | "InstanceStopping"
                | "InstanceTerminating"
                | "InstanceUnhealthy"
        )
    });
    let spot = row.capacity_type() == CapacityType::Spot;
    let what = match reason {
        Some("SpotInterrupted") => "spot interruption",
        None if spot => "spot interruption",
        Some("CapacityReservationInstanceInterrupted") => "capacity reservation interrupted",
        Some("InstanceStopping") => "instance stopped outside Karpenter",
        Some("InstanceTerminating") => "instance terminated outside Karpenter",
        Some("InstanceUnhealthy") => "instance unhealthy",
        Some(_) | None => "interruption",
    };
    let pool = row.pool().map(|pool| format!("{pool}, ")).unwrap_or_default();
    Alert {
        kind: AlertKind::Interruption,
        severity: Severity::Critical,
        text: format!("{what}: {} ({pool}{})", row.name(), pods(row.sums().pods.bound)),
        row: Some(row.id()),
        until: row.interruption_due().filter(|_| what == "spot interruption"),
    }
}

/// When a drain must be over: the claim's annotation, else the moment of its deletion and its grace period.
fn deadline(row: &Row) -> Option<Timestamp> {
    let claim = row.claim()?;
    claim.termination_deadline.or_else(|| {
        let seconds = claim.deleted?.as_second().checked_add(claim.termination_grace_seconds?)?;
        Timestamp::from_second(seconds).ok()
    })
}

/// Streams that are down for one reason.
#[derive(Default)]
struct Outage {
    names: Vec<&'static str>,
    /// The longest silence in seconds of those that were ever heard.
    silent: Option<i64>,
    vital: bool,
    next: Option<Timestamp>,
}

fn streams(cluster: &Cluster, now: Timestamp, alerts: &mut Vec<Alert>) {
    // One broken connection stops all streams: they share a line when they share the reason.
    let mut down: BTreeMap<&str, Outage> = BTreeMap::new();
    let mut polled: Vec<(&str, &str)> = Vec::new();
    let never_there =
        |s: &Stream| matches!(cluster.stream(*s).state, LinkState::Off | LinkState::Absent | LinkState::Denied { .. });
    let spoken_of = || Stream::ALL.into_iter().filter(|stream| !stream.is_optional());
    let asked_for = spoken_of().filter(|s| !never_there(s)).count();
    for stream in spoken_of() {
        let health = cluster.stream(stream);
        let vital = matches!(stream, Stream::Nodes | Stream::Pods);
        match &health.state {
            LinkState::Denied { message } if vital => alerts.push(Alert {
                kind: AlertKind::Denied,
                severity: Severity::Critical,
                text: format!("cannot list {stream}: forbidden (RBAC): {message}"),
                row: None,
                until: None,
            }),
            LinkState::Retrying { at, why } => {
                let silent = health.heard.map(|heard| now.as_second() - heard.as_second());
                if silent.is_none_or(|seconds| seconds >= BLINK_SECONDS) {
                    let outage = down.entry(why).or_default();
                    outage.names.push(stream.name());
                    outage.silent = outage.silent.max(silent);
                    outage.vital |= vital;
                    outage.next = Some(outage.next.map_or(*at, |next| next.min(*at)));
                }
            }
            LinkState::Polled { message } => polled.push((stream.name(), message)),
            LinkState::Off
            | LinkState::Connecting
            | LinkState::Syncing { .. }
            | LinkState::Live
            | LinkState::Absent
            | LinkState::Denied { .. } => {}
        }
    }
    if let Some((_, message)) = polled.first() {
        let names: Vec<&str> = polled.iter().map(|(name, _)| *name).collect();
        alerts.push(Alert {
            kind: AlertKind::NotWatched,
            severity: Severity::Notice,
            text: format!("{} cannot be watched (RBAC), listed every 30s instead: {message}", names.join(", ")),
            row: None,
            until: None,
        });
    }
    for (why, outage) in down {
        let picture = outage
            .silent
            .map_or_else(|| "no data yet".into(), |seconds| format!("data is {} old", age::short(seconds)));
        alerts.push(Alert {
            kind: AlertKind::StreamDown,
            severity: if outage.vital { Severity::Critical } else { Severity::Warning },
            text: format!("{} down: {why}; {picture}", names(&outage, asked_for)),
            row: None,
            until: outage.next,
        });
    }
}

/// The streams of an outage; all of them have one name.
fn names(outage: &Outage, asked_for: usize) -> String {
    let all = outage.names.len() == asked_for && asked_for > 2;
    if all { "all streams are".into() } else { outage.names.join(", ") }
}

#[derive(Default)]
struct Failures {
    count: u64,
    oldest: Option<Timestamp>,
    row: Option<RowId>,
}

fn launches(cluster: &Cluster, now: Timestamp, alerts: &mut Vec<Alert>) {
    let mut failures: BTreeMap<(Name, Name), Failures> = BTreeMap::new();
    let query = EventQuery { lane: Some(Lane::Provision), collapse: false, objects: None };
    let recent = |at: Timestamp| now.as_second() - at.as_second() <= RECENT_SECONDS;
    for line in cluster.events().lines(&query).take_while(|line| recent(line.last)) {
        if line.reason != "InsufficientCapacityError" || line.object.kind != "NodeClaim" {
            continue;
        }
        let row = cluster.row_of_claim(&line.object.name);
        let code = KarpenterMessage::parse(line.message).code().unwrap_or("insufficient capacity");
        let key = (code.into(), pool_of_claim(cluster, row, &line.object.name));
        let failed = failures.entry(key).or_default();
        // An event that repeats counts in full only if all of it is recent.
        failed.count += if recent(line.first) { line.count } else { 1 };
        let at = if recent(line.first) { line.first } else { line.last };
        failed.oldest = Some(failed.oldest.map_or(at, |oldest| oldest.min(at)));
        failed.row = failed.row.or(row.map(Row::id));
    }
    for ((code, pool), failed) in failures.iter().filter(|(_, failed)| failed.count >= FAILURES) {
        let span = failed.oldest.map_or(0, |at| now.as_second() - at.as_second());
        alerts.push(Alert {
            kind: AlertKind::LaunchesFail,
            severity: Severity::Critical,
            text: format!("{} launches failed in {}: {code}{}", failed.count, age::short(span), in_pool(pool)),
            row: failed.row,
            until: None,
        });
    }
    // A launch that fails for another reason makes no event: the claim waits with the reason in its condition.
    let mut waiting: BTreeMap<(Name, Name), (u64, RowId)> = BTreeMap::new();
    for row in cluster.rows() {
        if let RowState::PendingClaim { failing } = row.state()
            && !failing.is_empty()
        {
            let key = (failing.clone(), Name::from(row.pool().unwrap_or("")));
            let (count, first) = waiting.entry(key).or_insert((0, row.id()));
            *count += 1;
            *first = (*first).min(row.id());
        }
    }
    for ((reason, pool), (count, row)) in waiting {
        let claims = if count == 1 { "1 launch".into() } else { format!("{count} launches") };
        alerts.push(Alert {
            kind: AlertKind::LaunchesFail,
            severity: Severity::Critical,
            text: format!("{claims} failing: {reason}{}", in_pool(&pool)),
            row: Some(row),
            until: None,
        });
    }
}

/// Reboots that failed a short while ago, of claims that are still there (Karpenter since 1.15,
/// `pkg/controllers/nodeclaim/reboot`).
fn reboots(cluster: &Cluster, now: Timestamp, alerts: &mut Vec<Alert>) {
    let query = EventQuery { lane: Some(Lane::Warn), collapse: false, objects: None };
    let lines = cluster.events().lines(&query);
    let recent = lines.take_while(|line| now.as_second() - line.last.as_second() <= RECENT_SECONDS);
    for line in recent.filter(|line| line.reason == "RebootFailed") {
        let Some(row) = cluster.row_of_claim(&line.object.name).filter(|row| row.gone().is_none()) else { continue };
        alerts.push(Alert {
            kind: AlertKind::RebootFailed,
            severity: Severity::Warning,
            text: format!("reboot of {} failed, replacing it: {}", row.name(), line.message),
            row: Some(row.id()),
            until: None,
        });
    }
}

fn in_pool(pool: &str) -> String {
    if pool.is_empty() { String::new() } else { format!(" ({pool})") }
}

/// The nodepool of a claim: by its label while the claim is known; afterwards by its name (`<pool>-<5 characters>`),
/// if there is a nodepool of that name.
fn pool_of_claim(cluster: &Cluster, row: Option<&Row>, claim: &str) -> Name {
    let by_name = || claim.rsplit_once('-').map(|(pool, _)| pool).filter(|pool| cluster.pool(pool).is_some());
    row.and_then(Row::pool).or_else(by_name).unwrap_or("").into()
}

fn pools(cluster: &Cluster, pending: &PendingByCause, alerts: &mut Vec<Alert>) {
    let mut add = |kind, text| {
        alerts.push(Alert { kind, severity: Severity::Warning, text, row: None, until: None });
    };
    for pool in cluster.pools().filter(|pool| pool.deleted.is_none()) {
        let is_false = |kind: &str| pool.condition(kind).filter(|c| c.status == ConditionStatus::False);
        if let Some(ready) = is_false("Ready") {
            // The two conditions that make up Ready know more than it does.
            let why = is_false("NodeClassReady").or_else(|| is_false("ValidationSucceeded")).unwrap_or(ready);
            add(AlertKind::PoolNotReady, format!("NodePool {} is not ready{}", pool.name, because(why)));
        }
        if let Some(why) = is_false("NodeRegistrationHealthy") {
            let text = format!("NodePool {}: nodes fail to launch or register{}", pool.name, because(why));
            add(AlertKind::RegistrationUnhealthy, text);
        }
        let held = pending.limited(&pool.name);
        if held > 0 {
            let wait = if held == 1 { "waits" } else { "wait" };
            add(AlertKind::LimitReached, format!("nodepool {}, {} {wait}", at_limit(pool), pods(held)));
        }
    }
}

fn because(condition: &Condition) -> String {
    let parts = [condition.reason.as_str(), condition.message.as_str()];
    let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if said.is_empty() { String::new() } else { format!(": {}", said.join(": ")) }
}

/// Which limit stops a nodepool. Karpenter refuses a node as soon as no instance type fits in what is left of a limit.
fn at_limit(pool: &NodePool) -> String {
    let reached = reached(pool);
    if !reached.is_empty() {
        return format!("{} reached its limit ({})", pool.name, reached.join(", "));
    }
    let limits = match pool.limited.as_slice() {
        [only] if pool.node_limit.is_none() => format!("{only} limit"),
        _ => "limits".into(),
    };
    format!("{}: no instance type fits in what is left of its {limits}", pool.name)
}

/// The limits of a nodepool that are used up.
fn reached(pool: &NodePool) -> Vec<String> {
    let mut names = Vec::new();
    for name in pool.limited.iter().filter(|name| *name != "nodes") {
        let resource = Resource::from_name(name);
        if pool.resources.get(&resource) >= pool.limits.get(&resource) {
            names.push(name.to_string());
        }
    }
    if pool.node_limit.is_some_and(|limit| pool.nodes.is_some_and(|nodes| nodes >= limit)) {
        names.push("nodes".into());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Change, Event, EventKind, Labels, Node, NodeClaim, ObjectRef, Pod, PodKey, Resources, Scheduling, Uid, key,
    };
    use crate::pricing::{DiscountRule, PriceBook, PriceFile, PriceTerms};
    use test_case::test_case;

    const NOW: i64 = 100_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn cluster(changes: impl IntoIterator<Item = Change>) -> Cluster {
        let mut cluster = Cluster::new(None);
        changes.into_iter().for_each(|change| {
            cluster.apply(change, at(NOW));
        });
        cluster
    }

    fn alerts(cluster: &Cluster, now: Timestamp) -> Vec<Alert> {
        let mut pending = PendingByCause::default();
        pending.refresh(cluster);
        super::alerts(cluster, &pending, now)
    }

    fn texts(cluster: &Cluster) -> Vec<String> {
        alerts(cluster, at(NOW)).into_iter().map(|a| a.text).collect()
    }

    fn node(name: &str, capacity: &str) -> Change {
        let labels: Labels =
            [(key::NODEPOOL, "general-purpose"), ("karpenter.sh/capacity-type", capacity)].into_iter().collect();
        Change::Node(Box::new(Node { name: name.into(), labels, ..Node::default() }))
    }

    fn event(n: u128, kind: &str, name: &str, reason: &str, message: &str, ago: i64) -> Change {
        let last = at(NOW - ago);
        Change::Event(Box::new(Event {
            uid: Uid::new(&format!("{n:032x}")),
            kind: EventKind::Warning,
            reason: reason.into(),
            message: message.into(),
            component: "karpenter".into(),
            object: ObjectRef { kind: kind.into(), name: name.into(), ..ObjectRef::default() },
            first: last,
            last,
            count: 1,
        }))
    }

    fn pool(edit: impl FnOnce(&mut NodePool)) -> Change {
        let mut pool = NodePool { name: "general-purpose".into(), ..NodePool::default() };
        edit(&mut pool);
        Change::Pool(Box::new(pool))
    }

    fn condition(kind: &str, status: ConditionStatus, reason: &str, message: &str) -> Condition {
        Condition { kind: kind.into(), status, reason: reason.into(), message: message.into(), since: None }
    }

    const VCPU: &str = "NodeClaim x event: insufficient capacity, with fleet error(s), VcpuLimitExceeded: You have \
                        requested more vCPU capacity than your current vCPU limit of 32 allows";

    #[test]
    fn a_healthy_cluster_has_no_alert() {
        assert_eq!(texts(&cluster([node("a", "spot"), Change::Synced(Stream::Nodes), pool(|_| ())])), [""; 0]);
    }

    #[test]
    fn a_spot_interruption_counts_two_minutes_down() {
        let c = cluster([node("a", "spot"), event(1, "Node", "a", "SpotInterrupted", "Spot interruption warning", 20)]);
        let all = alerts(&c, at(NOW));
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].text, "spot interruption: a (general-purpose, 0 pods)");
        assert_eq!((all[0].severity, all[0].until), (Severity::Critical, Some(at(NOW - 20 + 120))));
        assert_eq!(all[0].row, c.row_of_node("a").map(Row::id));
    }

    #[test]
    fn an_interruption_is_told_until_its_row_is_gone() {
        let interruption = event(1, "Node", "a", "SpotInterrupted", "Spot interruption warning", 20);
        let mut c = cluster([node("a", "spot"), interruption]);
        c.apply(Change::NodeGone("a".into(), Uid::default()), at(NOW));
        assert_eq!(texts(&c), [""; 0]);
    }

    #[test]
    fn an_instance_stopped_from_outside_has_no_countdown() {
        let c = cluster([
            Change::Node(Box::new(Node { name: "a".into(), deleted: Some(at(NOW)), ..Node::default() })),
            event(1, "Node", "a", "InstanceStopping", "Instance is stopping", 1),
        ]);
        let all = alerts(&c, at(NOW));
        assert_eq!((all[0].text.as_str(), all[0].until), ("instance stopped outside Karpenter: a (0 pods)", None));
    }

    #[test]
    fn streams_that_are_down_for_one_reason_share_a_line() {
        let down = || LinkState::Retrying { at: at(NOW + 3), why: "connection refused".into() };
        let mut c = cluster([]);
        c.apply(Change::StreamActive(Stream::Nodes), at(NOW - 130));
        c.apply(Change::StreamActive(Stream::Pods), at(NOW - 120));
        c.apply(Change::StreamActive(Stream::NodeClaims), at(NOW - 1));
        for stream in [Stream::Nodes, Stream::Pods, Stream::NodeClaims] {
            c.apply(Change::Link(stream, down()), at(NOW));
        }
        let all = alerts(&c, at(NOW));
        assert_eq!(all.len(), 1, "claims were heard a second ago");
        assert_eq!(all[0].text, "nodes, pods down: connection refused; data is 2m10s old");
        assert_eq!((all[0].severity, all[0].until), (Severity::Critical, Some(at(NOW + 3))));
    }

    #[test]
    fn an_outage_of_everything_has_one_name() {
        let mut c = cluster([]);
        for stream in Stream::ALL {
            c.apply(Change::StreamActive(stream), at(NOW - 60));
            let state = match stream {
                Stream::NodeMetrics => LinkState::Absent,
                Stream::PodMetrics => LinkState::Off,
                _ => LinkState::Retrying { at: at(NOW + 3), why: "connection refused".into() },
            };
            c.apply(Change::Link(stream, state), at(NOW));
        }
        let all = alerts(&c, at(NOW));
        assert_eq!(all[0].text, "all streams are down: connection refused; data is 60s old");
    }

    #[test]
    fn price_terms_that_hold_for_no_node_are_told_once_all_nodes_are_known() {
        let rule = |family: &str| DiscountRule {
            family: Some(family.parse().unwrap()),
            ..DiscountRule::new("-28%".parse().unwrap())
        };
        let file = PriceFile::parse("prices.csv", "region,instance_type,capacity,usd_per_hour\n*,m9.large,*,0.07\n");
        let terms = PriceTerms { file: Some(file.unwrap()), rules: vec![rule("c5a"), rule("x9*")] };
        let mut c = Cluster::new(Some(PriceBook::embedded().with_terms(terms)));
        let labels =
            [("node.kubernetes.io/instance-type", "c5a.large"), ("topology.kubernetes.io/region", "us-east-1")];
        let node = Node { name: "n".into(), labels: labels.into_iter().collect(), ..Node::default() };
        c.apply(Change::Node(Box::new(node)), at(NOW));
        assert_eq!(unmatched_terms(&c), Vec::<String>::new(), "others may come");
        c.apply(Change::Synced(Stream::Nodes), at(NOW));
        let texts = unmatched_terms(&c);
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(
            texts[0].starts_with("discount rule 2 (family=x9* ") && texts[0].ends_with(") matches no node"),
            "{texts:?}"
        );
        assert_eq!(texts[1], "no row of prices.csv matches a node");
    }

    #[test]
    fn a_stream_that_never_spoke_says_so() {
        let state = LinkState::Retrying { at: at(NOW), why: "no route to host".into() };
        let c = cluster([Change::Link(Stream::Events, state)]);
        let all = alerts(&c, at(NOW));
        assert_eq!(all[0].text, "events down: no route to host; no data yet");
        assert_eq!(all[0].severity, Severity::Warning);
    }

    #[test]
    fn what_is_listed_and_not_watched_is_one_quiet_line() {
        let polled = || LinkState::Polled { message: "cannot watch".into() };
        let c = cluster([Change::Link(Stream::Pods, polled()), Change::Link(Stream::NodeClaims, polled())]);
        let all = alerts(&c, at(NOW));
        assert_eq!(all.len(), 1);
        let text = "pods, nodeclaims cannot be watched (RBAC), listed every 30s instead: cannot watch";
        assert_eq!((all[0].text.as_str(), all[0].severity), (text, Severity::Notice));
    }

    #[test_case(0 => None)]
    #[test_case(21_600 => Some("this machine's clock is 6h ahead of the API server's; ages follow the server".to_owned()))]
    #[test_case(21_599 => Some("this machine's clock is 6h ahead of the API server's; ages follow the server".to_owned()))]
    #[test_case(-45 => Some("this machine's clock is 45s behind the API server's; ages follow the server".to_owned()))]
    fn clocks_that_differ_are_a_quiet_line(ahead_seconds: i64) -> Option<String> {
        let c = cluster([Change::ClockSkew { ahead_seconds }]);
        let alert = alerts(&c, at(NOW)).pop()?;
        assert_eq!(alert.severity, Severity::Notice);
        Some(alert.text)
    }

    #[test]
    fn denied_pods_are_told_and_a_denied_extra_is_not() {
        let denied = |message: &str| LinkState::Denied { message: message.into() };
        let c = cluster([
            Change::Link(Stream::Pods, denied("pods is forbidden")),
            Change::Link(Stream::Pdbs, denied("poddisruptionbudgets is forbidden")),
        ]);
        assert_eq!(texts(&c), ["cannot list pods: forbidden (RBAC): pods is forbidden"]);
    }

    #[test]
    fn failed_launches_are_counted_by_code_and_nodepool() {
        let failing = |n: u128, ago| {
            event(n, "NodeClaim", &format!("general-purpose-{n:05}"), "InsufficientCapacityError", VCPU, ago)
        };
        let two = [pool(|_| ()), failing(1, 130), failing(2, 60), failing(3, 400)];
        assert_eq!(texts(&cluster(two.clone())), [""; 0], "two are the ordinary course, the third is long ago");
        let c = cluster(two.into_iter().chain([failing(4, 5)]));
        assert_eq!(texts(&c), ["3 launches failed in 2m10s: VcpuLimitExceeded (general-purpose)"]);
    }

    #[test]
    fn a_claim_that_waits_with_a_reason_is_told() {
        let claim = |name: &str| {
            let labels = [(key::NODEPOOL, "gpu")].into_iter().collect();
            let conditions = vec![condition("Launched", ConditionStatus::Unknown, "VCPULimitExceeded", "")];
            Change::Claim(Box::new(NodeClaim { name: name.into(), labels, conditions, ..NodeClaim::default() }))
        };
        assert_eq!(texts(&cluster([claim("gpu-1")])), ["1 launch failing: VCPULimitExceeded (gpu)"]);
        let two = cluster([claim("gpu-1"), claim("gpu-2")]);
        assert_eq!(texts(&two), ["2 launches failing: VCPULimitExceeded (gpu)"]);
    }

    #[test]
    fn a_nodepool_that_is_not_ready_names_the_deeper_reason() {
        let c = cluster([pool(|p| {
            p.conditions = vec![
                condition("Ready", ConditionStatus::False, "UnhealthyDependents", ""),
                condition("NodeClassReady", ConditionStatus::False, "NodeClassNotFound", "NodeClass not found"),
            ];
        })]);
        assert_eq!(texts(&c), ["NodePool general-purpose is not ready: NodeClassNotFound: NodeClass not found"]);
    }

    #[test]
    fn an_unhealthy_registration_is_told() {
        let c = cluster([pool(|p| {
            let unhealthy = condition("NodeRegistrationHealthy", ConditionStatus::False, "RegistrationFailed", "");
            p.conditions = vec![condition("Ready", ConditionStatus::True, "", ""), unhealthy];
        })]);
        assert_eq!(texts(&c), ["NodePool general-purpose: nodes fail to launch or register: RegistrationFailed"]);
    }

    const LIMIT: &str = "Failed to schedule pod, all available instance types exceed limits for nodepool \
                         (NodePool=general-purpose); did not tolerate taint (taint=a=b:NoSchedule)";

    fn unschedulable(name: &str) -> Change {
        let scheduling = Scheduling::Unschedulable("0/1 nodes are available: 1 Insufficient cpu.".into());
        Change::Pod(Box::new(Pod { key: PodKey::new("default", name), scheduling, ..Pod::default() }))
    }

    fn refused(n: u128, pod: &str) -> Change {
        let Change::Event(mut refusal) = event(n, "Pod", pod, "FailedScheduling", LIMIT, 4) else { unreachable!() };
        refusal.object.namespace = "default".into();
        Change::Event(refusal)
    }

    fn limited(used: u64) -> Change {
        pool(|p| {
            p.limited = vec!["cpu".into()];
            p.limits = Resources::new(32_000, 0);
            p.resources = Resources::new(used, 1 << 30);
        })
    }

    #[test]
    fn a_limit_is_told_with_the_pods_it_holds_back() {
        let waiting = || [unschedulable("p"), refused(1, "p"), unschedulable("other")];
        assert_eq!(texts(&cluster([limited(32_000), unschedulable("p")])), [""; 0], "no pod waits for this nodepool");
        let c = cluster([limited(32_000)].into_iter().chain(waiting()));
        assert_eq!(texts(&c), ["nodepool general-purpose reached its limit (cpu), 1 pod waits"]);
        let c = cluster([limited(31_000), unschedulable("q"), refused(2, "q")].into_iter().chain(waiting()));
        let text = "nodepool general-purpose: no instance type fits in what is left of its cpu limit, 2 pods wait";
        assert_eq!(texts(&c), [text]);
    }

    #[test]
    fn the_alert_of_a_limit_ends_with_the_limit_the_pool_and_the_pods() {
        let with = || cluster([limited(32_000), unschedulable("p"), refused(1, "p")]);
        let mut c = with();
        c.apply(pool(|_| ()), at(NOW));
        assert_eq!(texts(&c), [""; 0], "a limit that is not set is not 0");
        let mut c = with();
        c.apply(Change::PoolGone("general-purpose".into(), Uid::default()), at(NOW));
        assert_eq!(texts(&c), [""; 0]);
        let mut c = with();
        let Change::Pod(mut gated) = unschedulable("p") else { unreachable!() };
        gated.scheduling = Scheduling::Gated;
        c.apply(Change::Pod(gated), at(NOW));
        assert_eq!(texts(&c), [""; 0], "a gated pod asks for no node");
    }

    #[test]
    fn a_reboot_that_failed_is_told() {
        let text = "node did not recover within the observation window";
        let claim = NodeClaim { name: "gpu-1".into(), ..NodeClaim::default() };
        let failed = |ago| event(1, "NodeClaim", "gpu-1", "RebootFailed", text, ago);
        let c = cluster([Change::Claim(Box::new(claim.clone())), failed(20)]);
        assert_eq!(texts(&c), [format!("reboot of gpu-1 failed, replacing it: {text}")]);
        assert_eq!(texts(&cluster([Change::Claim(Box::new(claim)), failed(400)])), [""; 0]);
    }

    #[test]
    fn a_drain_past_its_deadline_is_told() {
        let labels: Labels = [(key::NODEPOOL, "gpu")].into_iter().collect();
        let claim = |grace| NodeClaim {
            name: "gpu-1".into(),
            labels: labels.clone(),
            node_name: "a".into(),
            provider_id: "aws:///z/i-1".into(),
            deleted: Some(at(NOW - 900)),
            termination_grace_seconds: grace,
            ..NodeClaim::default()
        };
        let pod = Pod { key: PodKey::new("default", "p"), node: "a".into(), ..Pod::default() };
        let with =
            |claim| cluster([node("a", "spot"), Change::Claim(Box::new(claim)), Change::Pod(Box::new(pod.clone()))]);
        assert_eq!(texts(&with(claim(Some(600)))), ["a: drain overdue by 5m (terminationGracePeriod), 1 pod"]);
        assert_eq!(texts(&with(claim(Some(880)))), [""; 0], "pods are deleted at the deadline and take a moment to go");
        assert_eq!(texts(&with(claim(Some(1200)))), [""; 0]);
        assert_eq!(texts(&with(claim(None))), [""; 0], "no grace period: it waits for ever");
    }

    #[test]
    fn what_could_not_be_read_comes_last() {
        let unreadable =
            || Change::Unreadable { stream: Stream::Pods, object: "default/x".into(), problem: "bad quantity".into() };
        let c =
            cluster([unreadable(), unreadable(), node("a", "spot"), event(1, "Node", "a", "SpotInterrupted", "", 20)]);
        assert_eq!(
            texts(&c),
            [
                "spot interruption: a (general-purpose, 0 pods)",
                "pods: default/x could not be read in full (2 times): bad quantity"
            ]
        );
    }
}
