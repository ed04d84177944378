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
    if !scene.cluster.has_prices() {
        return Vec::new();
    }
    let control_plane = extra_costs.control_plane.then(|| control_plane(scene, scene.cluster.control_plane().as_ref()));
    let volumes = extra_costs.volumes.then(|| volumes(scene, &scene.view.totals().volumes));
    control_plane.into_iter().chain(volumes).collect()
}

/// A cost line: label, hourly amount (`None` if it is unknown) and a note in parentheses.
fn line(scene: &Scene<'_>, label: &str, amount: Option<String>, note: Option<String>) -> Vec<Piece> {
    let theme = scene.theme();
    let style = if amount.is_some() { theme.style(Role::Text) } else { theme.dim() };
    let amount = amount.unwrap_or_else(|| theme.glyphs().unknown.to_owned());
    let note = note.map(|note| (format!(" ({note})"), theme.dim()));
    [(format!("{label} "), theme.dim()), (format!("{amount}/h"), style)].into_iter().chain(note).collect()
}

/// `control plane $0.10/h ($0.60 in extended support)`.
fn control_plane(scene: &Scene<'_>, plane: Option<&ControlPlane>) -> Vec<Piece> {
    let Some(plane) = plane else { return line(scene, "control plane", None, Some("no sign of EKS".to_owned())) };
    let sign = format::sign(plane.currency, scene.theme());
    let mark = marks(scene, plane.is_lower_bound(), plane.is_estimated());
    let amount = plane.hourly().map(|hourly| format!("{mark}{sign}{hourly}"));
    let note = plane.if_extended().map(|hourly| format!("{sign}{hourly} in extended support"));
    line(scene, "control plane", amount, note)
}

/// `volumes $0.031/h`, `volumes ≥ $0.031/h (3 unknown)`.
fn volumes(scene: &Scene<'_>, totals: &PriceTotals) -> Vec<Piece> {
    let sign = format::sign(totals.currency(), scene.theme());
    let mark = marks(scene, totals.unpriced > 0, totals.estimated > 0);
    let amount = (!totals.is_unknown()).then(|| format!("{mark}{}", format::hourly(sign, totals.hourly())));
    // Node classes need a permission of their own, which may be the only one missing.
    let is_denied = totals.unknown.contains_key(&Unknown::NodeClassNotRead) && classes_are_denied(scene);
    let why = if is_denied { "cannot list node classes: forbidden".to_owned() } else { reasons(totals) };
    line(scene, "volumes", amount, Some(why).filter(|_| totals.unpriced > 0))
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
