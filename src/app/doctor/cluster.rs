//! Checks of the cluster: connection, credentials, permissions and features.

use super::report::{Finding, Verdict};
use crate::app::prices::terms;
use crate::app::sources::extra_costs;
use crate::cli::{Pricing, Settings};
use crate::cluster::Cluster;
use crate::model::{LinkState, Stream, Timestamp};
use crate::pricing::PriceBook;
use crate::source::live::{Access, Allowed, Connection, ExamineError, Interest, Provisioners, ServerAnswer};
use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// Clocks within this are in sync: the server's time has whole seconds, and its answer takes time.
const IN_STEP: SignedDuration = SignedDuration::from_secs(3);
/// Ages are corrected if the clocks differ by more.
const CORRECTED: SignedDuration = SignedDuration::from_secs(30);
/// AWS rejects signed requests whose time differs by more (Signature Version 4).
const AWS_REFUSES: SignedDuration = SignedDuration::from_mins(5);
/// How long the user may take to answer a credential plugin's question.
const ANSWER: Duration = Duration::from_mins(2);

/// Whether and how the cluster is reachable.
pub(super) struct Reached {
    pub(super) findings: Vec<Finding>,
    /// Whether the server answers, so that further checks make sense.
    pub(super) answers: bool,
}

/// Signs in, and requests the server's version and the user's identity.
pub(super) async fn reach(connection: &Connection, timeout_after: Duration) -> Reached {
    let about = connection.about();
    let mut findings = vec![
        Finding::ok("kubeconfig", format!("{}, context {:?}", connection.origin(), about.context))
            .fact("origin", connection.origin())
            .fact("context", about.context.as_str()),
    ];
    let signed_in = sign_in(connection, timeout_after).await;
    let has_credentials = signed_in.verdict() != Verdict::Failed;
    findings.push(signed_in);
    if !has_credentials {
        findings.push(Finding::skipped("server", format!("{}: not checked without credentials", about.server)));
        return Reached { findings, answers: false };
    }
    let answer = within(timeout_after, connection.examine_server()).await;
    let answers = answer.is_ok();
    findings.extend(server(&about.server, &answer));
    if answers {
        findings.push(identity(&within(timeout_after, connection.examine_identity()).await));
    }
    Reached { findings, answers }
}

async fn sign_in(connection: &Connection, timeout_after: Duration) -> Finding {
    const CHECK: &str = "credentials";
    let (user, plugin) = connection.user();
    let Some(plugin) = plugin else {
        return Finding::ok(CHECK, format!("user {user:?}, without a credential plugin"));
    };
    let timeout_after = if connection.needs_sign_in() { ANSWER } else { timeout_after };
    let mut remedy = None;
    let why = match timeout(timeout_after, connection.examine_credentials()).await {
        Ok(Ok(took)) => {
            return Finding::ok(CHECK, format!("user {user:?} by {plugin:?}, in {}", millis(took)))
                .fact("plugin", plugin)
                .fact("took_ms", whole_millis(took));
        }
        Ok(Err(error)) => {
            remedy = error.remedy();
            format!("the credential plugin {error}")
        }
        Err(_elapsed) => {
            format!("the credential plugin {plugin:?} did not answer within {} s", timeout_after.as_secs())
        }
    };
    let finding = Finding::failed(CHECK, format!("user {user:?}: {why}")).fact("plugin", plugin);
    if let Some(remedy) = remedy {
        return finding.fix(remedy);
    }
    let is_aws = plugin.rsplit(['/', '\\']).next() == Some("aws");
    match &connection.aws().profile {
        Some(profile) if is_aws => {
            finding.fix(format!("sign in again, such as by `aws sso login --profile {profile}`"))
        }
        None if is_aws => finding.fix("sign in again, such as by `aws sso login`"),
        Some(_) | None => finding,
    }
}

fn server(address: &str, answer: &Result<ServerAnswer, ExamineError>) -> Vec<Finding> {
    const CHECK: &str = "server";
    match answer {
        Ok(ServerAnswer { version, first, next, ahead }) => {
            let version_text = if version.is_empty() { String::new() } else { format!(", Kubernetes {version}") };
            let text = format!("{address}{version_text}, latency {} (first request {})", millis(*next), millis(*first));
            let finding = Finding::ok(CHECK, text)
                .fact("address", address)
                .fact("version", version.as_str())
                .fact("first_ms", whole_millis(*first))
                .fact("next_ms", whole_millis(*next));
            vec![finding, clock(*ahead)]
        }
        Err(error) => {
            let finding = Finding::failed(CHECK, error.to_string()).fact("address", address);
            vec![match error {
                ExamineError::NoAnswer(_) => {
                    finding.fix("check the address, VPN, proxy (HTTPS_PROXY), private endpoint")
                }
                ExamineError::Access { remedy, .. } => finding.fix(*remedy),
                ExamineError::Credentials(_)
                | ExamineError::Absent
                | ExamineError::Denied(_)
                | ExamineError::Refused(_) => finding,
            }]
        }
    }
}

fn clock(ahead: Option<SignedDuration>) -> Finding {
    const CHECK: &str = "clock";
    let Some(ahead) = ahead else { return Finding::skipped(CHECK, "the server sends no Date header") };
    let off = ahead.abs();
    if off <= IN_STEP {
        return Finding::ok(CHECK, "in sync with the server's").fact("ahead_seconds", ahead.as_secs());
    }
    let way = if ahead.is_negative() { "behind" } else { "ahead of" };
    let also = if off > AWS_REFUSES { "; AWS rejects requests signed with this clock" } else { "" };
    // Larger differences are corrected by the server's clock.
    let ages = if off > CORRECTED {
        "times are by the local clock; ages follow the server"
    } else {
        "ages are wrong by as much"
    };
    Finding::limited(CHECK, format!("local clock is {} s {way} the server's", off.as_secs()))
        .impact(format!("{ages}{also}"))
        .fix("synchronize the local clock (NTP)")
        .fact("ahead_seconds", ahead.as_secs())
}

fn identity(answer: &Result<String, ExamineError>) -> Finding {
    match answer {
        Ok(name) => Finding::ok("identity", format!("authenticated as {name:?}")).fact("name", name.as_str()),
        Err(ExamineError::Credentials(why)) => Finding::failed("identity", why.as_str()),
        Err(_) => Finding::skipped("identity", "the server does not report the user name (SelfSubjectReview)"),
    }
}

/// The permissions of the user, and the features of the cluster.
pub(super) async fn examine(connection: &Connection, timeout_after: Duration) -> (Vec<Finding>, Vec<Finding>) {
    let (permissions, provisioners, metrics, streaming) = tokio::join!(
        connection.examine_permissions(timeout_after),
        within(timeout_after, connection.examine_provisioners()),
        within(timeout_after, connection.examine_metrics()),
        within(timeout_after, connection.examine_streaming_lists()),
    );
    let permitted = permissions
        .iter()
        .map(|(access, verbs)| permission(access, verbs, &provisioners, matches!(metrics, Err(ExamineError::Absent))));
    let features = vec![karpenter(&provisioners), measured(&metrics), streams(&streaming)];
    (permitted.collect(), features)
}

/// Lists nodes and NodeClaims once: their regions and types decide which prices are needed, and which discount rules and
/// price-file rows match.
pub(super) async fn nodes(
    connection: &Connection,
    settings: &Settings,
    timeout_after: Duration,
) -> (Finding, Option<Cluster>) {
    const CHECK: &str = "nodes";
    // A price file that cannot be read is a separate finding.
    let book = PriceBook::embedded().with_terms(terms(settings).unwrap_or_default());
    let mut cluster =
        Cluster::new((settings.pricing != Pricing::Off).then_some(book)).with_extra_costs(extra_costs(settings));
    let (sender, mut changes) = mpsc::channel(32);
    let (_interest, interested) = watch::channel(Interest::default());
    let cancel = CancellationToken::new();
    let _tasks = connection.only(&[Stream::Nodes, Stream::NodeClaims]).start(sender, interested, cancel.clone());
    let deadline = Instant::now() + timeout_after;
    let settled = |cluster: &Cluster, stream| match &cluster.stream(stream).state {
        // The stream has not started.
        LinkState::Off => false,
        state => cluster.knows(stream) || state.is_settled(),
    };
    while !(settled(&cluster, Stream::Nodes) && settled(&cluster, Stream::NodeClaims)) {
        let Ok(Some(batch)) = timeout_at(deadline, changes.recv()).await else { break };
        for change in batch {
            cluster.apply(change, Timestamp::now());
        }
    }
    cancel.cancel();
    if !cluster.knows(Stream::Nodes) {
        let state = &cluster.stream(Stream::Nodes).state;
        let why = state.trouble().map_or_else(|| state.word().to_owned(), str::to_owned);
        return (Finding::limited(CHECK, format!("not read: {why}")).impact("prices that depend on the nodes"), None);
    }
    let nodes: Vec<_> = cluster.rows().filter(|row| row.node().is_some()).collect();
    let regions: BTreeSet<&str> = nodes.iter().filter_map(|row| row.region()).collect();
    let places = if regions.is_empty() { "no region".to_owned() } else { join(&regions) };
    let finding = match nodes.len() {
        0 => Finding::new(Verdict::Note, CHECK, "none, or none that the selector matches"),
        count => Finding::ok(CHECK, format!("{count} ({places})")),
    };
    let finding = finding.fact("nodes", nodes.len()).fact("regions", regions.into_iter().collect::<Vec<_>>());
    (finding, Some(cluster))
}

fn join(words: &BTreeSet<&str>) -> String {
    words.iter().copied().collect::<Vec<_>>().join(", ")
}

/// What the dashboard lacks without a stream.
const fn impact(stream: Stream) -> &'static str {
    match stream {
        Stream::Nodes => "everything",
        Stream::Pods => "pods, requests and so every bar, pending pods, idle cost",
        Stream::Events => "events, and launch errors that only events report",
        Stream::NodeClaims => "NodeClaims before they are nodes, failed launches, why a node is removed",
        Stream::NodePools => "limits, weights and readiness of NodePools",
        Stream::Pdbs => "which PodDisruptionBudget blocks a drain",
        Stream::NodeMetrics => "measured usage inside the bars",
        Stream::PodMetrics => "measured usage of a node's pods",
        Stream::Ec2NodeClasses => "the cost of volumes of Karpenter's nodes",
        Stream::NodeClasses => "the cost of volumes of Auto Mode's nodes",
    }
}

/// The impact of a kind that can be listed but not watched.
const NOT_WATCHED: &str = "changes as they happen: listed every 30s instead";

fn permission(
    access: &Access,
    verbs: &[(&'static str, Allowed)],
    provisioners: &Result<Provisioners, ExamineError>,
    no_metrics: bool,
) -> Finding {
    let check = access.name();
    let facts = |finding: Finding| {
        verbs.iter().fold(finding, |finding, (verb, allowed)| match allowed {
            Allowed::Yes => finding.fact(verb, true),
            Allowed::No(_) => finding.fact(verb, false),
            Allowed::Unknown(_) => finding.fact(verb, serde_json::Value::Null),
        })
    };
    let which = |wanted: fn(&Allowed) -> bool| -> Vec<&str> {
        verbs.iter().filter(|(_, allowed)| wanted(allowed)).map(|(verb, _)| *verb).collect()
    };
    let denied = which(|allowed| matches!(allowed, Allowed::No(_)));
    let unknown = which(|allowed| matches!(allowed, Allowed::Unknown(_)));
    // A kind that can be listed is shown, with delay.
    let listed = verbs.iter().any(|(verb, allowed)| *verb == "list" && *allowed == Allowed::Yes);
    let vital = access.stream == Stream::Nodes && !listed;
    let verdict = if vital { Verdict::Failed } else { Verdict::Limited };
    let impact = if listed { NOT_WATCHED } else { impact(access.stream) };
    let why = verbs.iter().find_map(|(_, allowed)| match allowed {
        Allowed::No(why) => why.as_deref(),
        Allowed::Unknown(why) => Some(why.as_str()),
        Allowed::Yes => None,
    });
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    let served = match access.group {
        "" | "policy" => true,
        "metrics.k8s.io" => !no_metrics,
        group => provisioners.as_ref().map_or(true, |found| {
            let versions = found.groups.iter().find(|(name, _)| name == group).map(|(_, versions)| versions);
            versions.is_some_and(|versions| versions.iter().any(|version| version == access.version))
        }),
    };
    facts(if denied.is_empty() && unknown.is_empty() {
        Finding::ok(check, which(|allowed| *allowed == Allowed::Yes).join(", "))
    } else if !served {
        Finding::skipped(check, "not granted, and the cluster has none")
    } else if denied.is_empty() {
        let text = format!("unknown whether granted: {}{why}", unknown.join(", "));
        Finding::limited(check, text).impact(format!("perhaps {impact}"))
    } else {
        Finding::new(verdict, check, format!("not granted: {}{why}", denied.join(", ")))
            .impact(impact)
            .fix(format!("grant a ClusterRole with the rule {} (--print-rbac prints the full role)", access.rule()))
    })
}

fn karpenter(found: &Result<Provisioners, ExamineError>) -> Finding {
    const CHECK: &str = "provisioner";
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            return Finding::limited(CHECK, format!("unknown: {error}")).impact("the name of the provisioner");
        }
    };
    let groups: Vec<String> =
        found.groups.iter().map(|(name, versions)| format!("{name} {}", versions.join(" "))).collect();
    let names: Vec<&str> = found.provisioners.iter().map(|provisioner| provisioner.name()).collect();
    let old = found.groups.iter().any(|(name, versions)| name == "karpenter.sh" && !versions.iter().any(|v| v == "v1"));
    let groups = groups.join(", ");
    let finding = match (old, names.is_empty()) {
        (true, _) => Finding::limited(CHECK, format!("Karpenter without the v1 API ({groups})"))
            .impact("NodeClaims, NodePools, why nodes come and go")
            .fix("upgrade Karpenter to 1.0 or later"),
        (false, true) => Finding::ok(CHECK, "neither Karpenter nor Auto Mode: no NodeClaims and NodePools to show"),
        (false, false) => Finding::ok(CHECK, format!("{} ({groups})", names.join(" and "))),
    };
    finding.fact("provisioners", names)
}

fn measured(found: &Result<usize, ExamineError>) -> Finding {
    const CHECK: &str = "metrics";
    let impact = impact(Stream::NodeMetrics);
    match found {
        // metrics-server 0.9 returns no nodes between its start and its second scrape.
        Ok(0) => Finding::new(Verdict::Note, CHECK, "metrics.k8s.io is served, no node measured yet"),
        Ok(nodes) => Finding::ok(CHECK, format!("nodes measured: {nodes}")).fact("nodes", *nodes),
        Err(ExamineError::Absent) => Finding::limited(CHECK, "metrics.k8s.io is not served")
            .impact(impact)
            .fix("install metrics-server (an EKS add-on)"),
        Err(ExamineError::Denied(_)) => Finding::skipped(CHECK, "forbidden"),
        Err(error) => Finding::limited(CHECK, error.to_string()).impact(impact),
    }
}

fn streams(found: &Result<bool, ExamineError>) -> Finding {
    const CHECK: &str = "streaming lists";
    match found {
        Ok(true) => Finding::ok(CHECK, "supported (WatchList)").fact("served", true),
        Ok(false) => Finding::ok(CHECK, "not supported: the server ignores the parameters, lists are paged")
            .fact("served", false),
        Err(ExamineError::Refused(_)) => Finding::ok(CHECK, "not supported: lists are paged").fact("served", false),
        Err(ExamineError::Denied(_)) => Finding::skipped(CHECK, "watching nodes is forbidden"),
        Err(error) => Finding::new(Verdict::Note, CHECK, format!("unknown: {error}")),
    }
}

/// The answer, or an error if there is none within `timeout_after`.
pub(super) async fn within<T>(
    timeout_after: Duration,
    ask: impl Future<Output = Result<T, ExamineError>>,
) -> Result<T, ExamineError> {
    let answer = timeout(timeout_after, ask).await;
    answer.unwrap_or_else(|_elapsed| {
        Err(ExamineError::NoAnswer(format!("no answer within {}", humantime::format_duration(timeout_after))))
    })
}

/// `1 rule`, `2 rules`.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A duration in milliseconds, as text.
pub(super) fn millis(duration: Duration) -> String {
    format!("{} ms", whole_millis(duration))
}

/// A duration in whole milliseconds.
pub(super) fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case(0 => Verdict::Ok)]
    #[test_case(-3 => Verdict::Ok)]
    #[test_case(4 => Verdict::Limited)]
    #[test_case(-301 => Verdict::Limited)]
    fn a_clock_may_be_off_by_seconds(ahead: i64) -> Verdict {
        clock(Some(SignedDuration::from_secs(ahead))).verdict()
    }

    #[test]
    fn a_clock_that_aws_rejects_is_reported() {
        let text = |ahead| {
            let mut report = super::super::report::Report::default();
            report.add("x", vec![clock(Some(SignedDuration::from_secs(ahead)))]);
            report.text(false)
        };
        assert!(text(400).contains("local clock is 400 s ahead of the server's") && text(400).contains("AWS rejects"));
        assert!(text(-30).contains("local clock is 30 s behind the server's") && !text(-30).contains("AWS"));
    }
}
