//! The pane shown instead of an empty table: why there are no nodes, and what would create one.

use super::format;
use super::pen::{Pen, wrap};
use super::scene::Scene;
use super::state::Seen;
use super::theme::Role;
use crate::model::{ConditionStatus, LinkState, Stream};
use crate::units::age;

type Lines = Vec<(String, Role)>;

/// The ClusterRole that grants everything nodeglass reads, in lines that fit 80 columns, to be copied from the screen.
const CLUSTER_ROLE: [&str; 12] = [
    "apiVersion: rbac.authorization.k8s.io/v1",
    "kind: ClusterRole",
    "metadata: {name: nodeglass}",
    "rules:",
    "- {apiGroups: [\"\"], resources: [nodes, pods, events],",
    "   verbs: [get, list, watch]}",
    "- {apiGroups: [karpenter.sh], resources: [nodeclaims, nodepools],",
    "   verbs: [get, list, watch]}",
    "- {apiGroups: [policy], resources: [poddisruptionbudgets],",
    "   verbs: [get, list, watch]}",
    "- {apiGroups: [metrics.k8s.io], resources: [nodes, pods],",
    "   verbs: [get, list]}",
];

/// The reason, and what the user can do.
fn reason(scene: &Scene<'_>, seen: &mut Seen) -> Lines {
    let hidden = scene.view.of();
    if hidden > 0 {
        return vec![
            (format!("No row matches the filter {}", scene.ui.filter_text), Role::Strong),
            (
                format!(
                    "{} hidden. Press / to change the filter; an empty one shows all.",
                    format::count(hidden as u64, "row is", "rows are")
                ),
                Role::Text,
            ),
        ];
    }
    let health = scene.cluster.stream(Stream::Nodes);
    match &health.state {
        LinkState::Denied { message } => denied(message),
        LinkState::Retrying { at, why } if !health.complete => {
            seen.changes_in(1, scene.now);
            let left = (at.as_second() - scene.now.as_second()).max(0);
            unreachable(scene, why, left)
        }
        LinkState::Off | LinkState::Connecting if !health.complete => connecting(scene),
        LinkState::Syncing { seen: n } if !health.complete => {
            vec![(format!("Reading nodes: {n} so far"), Role::Strong)]
        }
        LinkState::Absent => {
            vec![("The server has no nodes to list: is it a Kubernetes API server?".into(), Role::Strong)]
        }
        LinkState::Off
        | LinkState::Connecting
        | LinkState::Syncing { .. }
        | LinkState::Live
        | LinkState::Polled { .. }
        | LinkState::Retrying { .. } => no_nodes(scene),
    }
}

fn denied(message: &str) -> Lines {
    let mut lines = vec![
        ("Cannot list nodes: forbidden (RBAC)".into(), Role::Bad),
        (message.to_owned(), Role::Text),
        (String::new(), Role::Text),
        ("This ClusterRole, bound to you, grants what nodeglass reads:".into(), Role::Text),
    ];
    lines.extend(CLUSTER_ROLE.iter().map(|line| (format!("  {line}"), Role::Dim)));
    lines
}

fn unreachable(scene: &Scene<'_>, why: &str, left: i64) -> Lines {
    let about = scene.cluster.about();
    // A server that answers 401 Unauthorized was reached.
    let rejected = why.contains("(401)");
    let what = if rejected { "The cluster does not accept the credentials" } else { "The cluster cannot be reached" };
    let mut lines = vec![(what.into(), Role::Bad), (why.to_owned(), Role::Text)];
    let mut tried = Vec::new();
    if !about.server.is_empty() {
        tried.push(format!("server {}", about.server));
    }
    if !about.context.is_empty() {
        tried.push(format!("context {}", about.context));
    }
    // Already a phrase: `from <files>`.
    if !scene.ui.options.tried.is_empty() {
        tried.push(scene.ui.options.tried.clone());
    }
    if !tried.is_empty() {
        lines.push((format!("Tried {}", tried.join(", ")), Role::Dim));
    }
    let next = if left == 0 { "Trying again now".into() } else { format!("Next try in {}", age::short(left)) };
    lines.push((next, Role::Warn));
    lines.push((String::new(), Role::Text));
    lines.push(("nodeglass --demo shows a simulated fleet without a cluster.".into(), Role::Dim));
    lines
}

fn connecting(scene: &Scene<'_>) -> Lines {
    let about = scene.cluster.about();
    let to = if about.server.is_empty() { about.context.as_str() } else { about.server.as_str() };
    let text = if to.is_empty() { "Connecting".to_owned() } else { format!("Connecting to {to}") };
    vec![(text, Role::Strong), ("Nodes come first, then their pods.".into(), Role::Dim)]
}

fn no_nodes(scene: &Scene<'_>) -> Lines {
    let mut lines = vec![("No nodes yet".into(), Role::Strong)];
    let pending = scene.cluster.pod_counts().unscheduled;
    if pending > 0 {
        let causes = scene.pending.words(usize::MAX);
        let why = if causes.is_empty() { String::new() } else { format!(": {causes}") };
        lines.push((format!("{} pending{why}", format::count(pending, "pod", "pods")), Role::Warn));
    }
    let pools: Vec<String> = scene
        .cluster
        .pools()
        .map(|pool| match pool.condition("Ready").map(|c| c.status) {
            Some(ConditionStatus::False) => format!("{} (not ready)", pool.name),
            Some(ConditionStatus::True | ConditionStatus::Unknown) | None => pool.name.to_string(),
        })
        .collect();
    let absent = matches!(scene.cluster.stream(Stream::NodePools).state, LinkState::Absent);
    if !pools.is_empty() {
        let what = if pending > 0 {
            "Karpenter should create a NodeClaim shortly"
        } else {
            "A node appears as soon as a pod needs one"
        };
        lines.push((format!("{what}; NodePools: {}", pools.join(", ")), Role::Text));
    } else if absent {
        lines.push((
            "Karpenter is not installed: nodes come from node groups or are added manually.".into(),
            Role::Text,
        ));
    } else {
        lines.push(("There is no NodePool: Karpenter and EKS Auto Mode need one to launch nodes.".into(), Role::Text));
    }
    lines
}

/// Draws the reason in the middle of the pane.
pub(super) fn draw(pen: &mut Pen<'_>, scene: &Scene<'_>, seen: &mut Seen) {
    let theme = scene.theme();
    let (w, h) = (pen.width(), pen.height());
    let room = usize::from(w.saturating_sub(4).max(1));
    let lines: Vec<(String, Role)> = reason(scene, seen)
        .into_iter()
        .flat_map(|(text, role)| {
            if text.starts_with("  ") {
                vec![(text, role)]
            } else {
                wrap(&text, room).into_iter().map(|line| (line, role)).collect()
            }
        })
        .collect();
    let top = h.saturating_sub(lines.len() as u16) / 3;
    for (y, (text, role)) in (top..h).zip(&lines) {
        pen.put(2, y, text, theme.style(*role));
    }
}
