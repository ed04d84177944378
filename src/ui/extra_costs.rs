//! Costs beside those of instances: the control plane and volumes, in the header and in the detail view.

use super::format;
use super::scene::Scene;
use super::theme::Role;
use crate::cluster::Row;
use crate::insight::PriceTotals;
use crate::model::{LinkState, Stream, Volume};
use crate::pricing::{ControlPlane, Unknown, VolumePart, VolumesQuote};
use crate::units::Money;
use ratatui::style::Style;

type Piece = (String, Style);

/// The cost lines shown in the header next to the total; empty if both costs are switched off.
pub(super) fn header_lines(scene: &Scene<'_>) -> Vec<Vec<Piece>> {
    let extra_costs = scene.cluster.extra_costs();
    let mut lines = Vec::new();
    if !scene.cluster.has_prices() {
        return lines;
    }
    if extra_costs.control_plane {
        lines.push(control_plane(scene, scene.cluster.control_plane().as_ref()));
    }
    if extra_costs.volumes {
        lines.push(volumes(scene, &scene.view.totals().volumes));
    }
    lines
}

/// `control plane $0.10/h ($0.60 in extended support)`.
fn control_plane(scene: &Scene<'_>, plane: Option<&ControlPlane>) -> Vec<Piece> {
    let theme = scene.theme();
    let (g, dim) = (theme.glyphs(), theme.dim());
    let mut pieces = vec![("control plane ".to_owned(), dim)];
    let Some(plane) = plane else {
        pieces.extend([(g.unknown.to_owned(), dim), (" (no sign of EKS)".to_owned(), dim)]);
        return pieces;
    };
    let sign = format::sign(plane.currency, theme);
    let Some(hourly) = plane.hourly() else {
        pieces.push((format!("{}/h", g.unknown), dim));
        return pieces;
    };
    let mark = marks(scene, plane.is_lower_bound(), plane.is_estimated());
    pieces.push((format!("{mark}{sign}{hourly}/h"), theme.style(Role::Text)));
    if let Some(extended) = plane.if_extended() {
        pieces.push((format!(" ({sign}{extended} in extended support)"), dim));
    }
    pieces
}

/// `volumes $0.031/h`, `volumes ≥ $0.031/h (3 unknown)`.
fn volumes(scene: &Scene<'_>, totals: &PriceTotals) -> Vec<Piece> {
    let theme = scene.theme();
    let dim = theme.dim();
    let mut pieces = vec![("volumes ".to_owned(), dim)];
    if totals.is_unknown() {
        pieces.push((format!("{}/h", theme.glyphs().unknown), dim));
    } else {
        let mark = marks(scene, totals.unpriced > 0, totals.estimated > 0);
        let amount = format::hourly(format::sign(totals.currency(), theme), totals.hourly());
        pieces.push((format!("{mark}{amount}/h"), theme.style(Role::Text)));
    }
    if totals.unpriced > 0 {
        // Node classes need a permission of their own, which may be the only one missing.
        let denied = totals.unknown.contains_key(&Unknown::NodeClassNotRead) && classes_are_denied(scene);
        let why = if denied { "cannot list node classes: forbidden".to_owned() } else { reasons(totals) };
        pieces.push((format!(" ({why})"), dim));
    }
    pieces
}

/// `3 unknown: no node class`, `5 unknown`; beside an amount `3 partly unknown: size or type set by the AMI`.
fn reasons(totals: &PriceTotals) -> String {
    let unknown = if totals.is_unknown() { "unknown" } else { "partly unknown" };
    let mut causes = totals.unknown.keys();
    match (causes.next(), causes.next()) {
        (Some(cause), None) => format!("{} {unknown}: {}", totals.unpriced, cause.reason()),
        (Some(_), Some(_)) | (None, _) => format!("{} {unknown}", totals.unpriced),
    }
}

fn classes_are_denied(scene: &Scene<'_>) -> bool {
    let denied = |stream| matches!(scene.cluster.stream(stream).state, LinkState::Denied { .. });
    [Stream::Ec2NodeClasses, Stream::NodeClasses].into_iter().any(denied)
}

/// The marks before an amount: `≥ ~`.
fn marks(scene: &Scene<'_>, least: bool, estimated: bool) -> String {
    let least = if least { format!("{} ", scene.theme().glyphs().least) } else { String::new() };
    format!("{least}{}", if estimated { "~" } else { "" })
}

/// A labelled line of the detail view.
pub(super) type Fact = (&'static str, String, Role);

/// The volumes of a row: their sum, then one line per volume. Empty if the cost of volumes is switched off.
pub(super) fn volume_facts(scene: &Scene<'_>, row: &Row) -> Vec<Fact> {
    let Some(quote) = row.volumes_quote() else { return Vec::new() };
    let mut facts = vec![total(scene, quote)];
    facts.extend(quote.parts.iter().map(|part| ("", volume(scene, quote, part), Role::Dim)));
    facts
}

fn total(scene: &Scene<'_>, quote: &VolumesQuote) -> Fact {
    let sign = format::sign(quote.currency, scene.theme());
    let known = quote.known;
    if let Some(why) = quote.unknown.filter(|_| quote.parts.is_empty()) {
        let denied = why == Unknown::NodeClassNotRead && classes_are_denied(scene);
        let why = if denied { "cannot list node classes: forbidden" } else { why.reason() };
        return ("volumes", why.to_owned(), Role::Dim);
    }
    if known == Money::ZERO && quote.unknown.is_some() {
        return ("volumes", "unknown".to_owned(), Role::Warn);
    }
    let mark = marks(scene, quote.unknown.is_some(), quote.estimated);
    let month =
        if quote.unknown.is_none() { format!(", {sign}{}/mo", known.monthly().grouped(2)) } else { String::new() };
    let priced = quote.parts.iter().filter(|part| part.known != Money::ZERO);
    let oldest = priced.map(|part| part.origin).min_by_key(|origin| origin.as_of).unwrap_or_default();
    let source = format::provenance(oldest.source, oldest.as_of, scene.now);
    ("volumes", format!("{mark}{sign}{}/h{month}  {source}", known.decimal(5)), Role::Text)
}

/// `80 GiB gp3, 10000 IOPS, 250 MiB/s  $0.07246`, `root  size or type set by the AMI`.
fn volume(scene: &Scene<'_>, quote: &VolumesQuote, part: &VolumePart) -> String {
    let sign = format::sign(quote.currency, scene.theme());
    let amount = match (part.unknown, part.known) {
        (None, known) => format!("{sign}{}", known.decimal(5)),
        (Some(why), Money::ZERO) => why.reason().to_owned(),
        (Some(why), known) => format!("{} {sign}{}: {}", scene.theme().glyphs().least, known.decimal(5), why.reason()),
    };
    format!("{}  {amount}", description(&part.volume))
}

/// `root 20 GiB gp3`, `80 GiB gp3, 10000 IOPS, 250 MiB/s`, `root gp3`.
fn description(volume: &Volume) -> String {
    let size = volume.size_gib.map(|gib| format!("{gib} GiB"));
    let root = volume.root.then(|| "root".to_owned());
    let kind = Some(volume.volume_type.to_string()).filter(|kind| !kind.is_empty());
    let mut parts: Vec<String> = vec![[root, size, kind].into_iter().flatten().collect::<Vec<_>>().join(" ")];
    parts.extend(volume.iops.map(|iops| format!("{iops} IOPS")));
    parts.extend(volume.throughput.map(|mib| format!("{mib} MiB/s")));
    parts.retain(|text| !text.is_empty());
    if parts.is_empty() { "unspecified volume".to_owned() } else { parts.join(", ") }
}
