//! The lines of the bill beside the machines: the control plane and the volumes, in the header and in the detail view.

use super::frame::Picture;
use super::theme::Role;
use super::words;
use crate::cluster::Row;
use crate::insight::VolumeTotals;
use crate::model::{LinkState, Stream, Volume};
use crate::pricing::{ControlPlane, VolumePart, VolumeUnknown, VolumesQuote};
use crate::units::Money;
use ratatui::style::Style;

type Piece = (String, Style);

/// What is to be said of them in the header: nothing where they are off.
pub(super) fn about(pic: &Picture<'_>) -> Vec<Vec<Piece>> {
    let extra_costs = pic.cluster.extra_costs();
    let mut all = Vec::new();
    if !pic.cluster.has_prices() {
        return all;
    }
    if extra_costs.control_plane {
        all.push(control_plane(pic, pic.cluster.control_plane().as_ref()));
    }
    if extra_costs.volumes {
        all.push(volumes(pic, &pic.view.totals().volumes));
    }
    all
}

/// `control plane $0.10/h ($0.60 in extended support)`.
fn control_plane(pic: &Picture<'_>, plane: Option<&ControlPlane>) -> Vec<Piece> {
    let theme = pic.theme();
    let (g, dim) = (theme.glyphs(), theme.dim());
    let mut pieces = vec![("control plane ".to_owned(), dim)];
    let Some(plane) = plane else {
        pieces.extend([(g.unknown.to_owned(), dim), (" (no sign of EKS)".to_owned(), dim)]);
        return pieces;
    };
    let sign = words::sign(plane.currency, theme);
    let Some(hourly) = plane.hourly() else {
        pieces.push((format!("{}/h", g.unknown), dim));
        return pieces;
    };
    let mark = marks(pic, plane.is_lower_bound(), plane.is_estimated());
    pieces.push((format!("{mark}{sign}{hourly}/h"), theme.style(Role::Text)));
    if let Some(extended) = plane.if_extended() {
        pieces.push((format!(" ({sign}{extended} in extended support)"), dim));
    }
    pieces
}

/// `volumes $0.031/h`, `volumes ≥ $0.031/h (3 not known)`.
fn volumes(pic: &Picture<'_>, totals: &VolumeTotals) -> Vec<Piece> {
    let theme = pic.theme();
    let dim = theme.dim();
    let mut pieces = vec![("volumes ".to_owned(), dim)];
    if totals.is_unknown() {
        pieces.push((format!("{}/h", theme.glyphs().unknown), dim));
    } else {
        let mark = marks(pic, totals.left_out() > 0, totals.estimated > 0);
        let amount = words::hourly(words::sign(totals.currency(), theme), totals.hourly());
        pieces.push((format!("{mark}{amount}/h"), theme.style(Role::Text)));
    }
    if totals.left_out() > 0 {
        // Reading them is a permission of its own, which may be missing without anything else being wrong.
        let denied = totals.unknown.contains_key(&VolumeUnknown::ClassNotRead) && classes_are_denied(pic);
        let why = if denied { "node classes may not be read".to_owned() } else { reasons(totals) };
        pieces.push((format!(" ({why})"), dim));
    }
    pieces
}

/// `3 not known: no node class`, `5 not known`; `3 not wholly known: size or type set by the machine image` beside an amount.
fn reasons(totals: &VolumeTotals) -> String {
    let how = if totals.is_unknown() { "known" } else { "wholly known" };
    let mut whys = totals.unknown.keys();
    match (whys.next(), whys.next()) {
        (Some(why), None) => format!("{} not {how}: {}", totals.left_out(), why.reason()),
        (Some(_), Some(_)) | (None, _) => format!("{} not {how}", totals.left_out()),
    }
}

fn classes_are_denied(pic: &Picture<'_>) -> bool {
    let denied = |stream| matches!(pic.cluster.stream(stream).state, LinkState::Denied { .. });
    [Stream::Ec2NodeClasses, Stream::NodeClasses].into_iter().any(denied)
}

/// What must be said before an amount: `≥ ~`.
fn marks(pic: &Picture<'_>, least: bool, estimated: bool) -> String {
    let least = if least { format!("{} ", pic.theme().glyphs().least) } else { String::new() };
    format!("{least}{}", if estimated { "~" } else { "" })
}

/// A labelled fact of the detail view.
pub(super) type Fact = (&'static str, String, Role);

/// The volumes of a row, one a line, the sum first. Nothing where that line is off.
pub(super) fn volume_facts(pic: &Picture<'_>, row: &Row) -> Vec<Fact> {
    let Some(quote) = row.volumes_quote() else { return Vec::new() };
    let mut facts = vec![total(pic, quote)];
    facts.extend(quote.parts.iter().map(|part| ("", volume(pic, quote, part), Role::Dim)));
    facts
}

fn total(pic: &Picture<'_>, quote: &VolumesQuote) -> Fact {
    let sign = words::sign(quote.currency, pic.theme());
    let known = quote.known();
    if let Some(why) = quote.nothing {
        let denied = why == VolumeUnknown::ClassNotRead && classes_are_denied(pic);
        let why = if denied { "node classes may not be read" } else { why.reason() };
        return ("volumes", why.to_owned(), Role::Dim);
    }
    if known == Money::ZERO && quote.unknown().is_some() {
        return ("volumes", "not known".to_owned(), Role::Warn);
    }
    let mark = marks(pic, quote.unknown().is_some(), quote.estimated);
    let month =
        if quote.unknown().is_none() { format!(", {sign}{}/mo", known.monthly().grouped(2)) } else { String::new() };
    let priced = quote.parts.iter().filter(|part| part.known != Money::ZERO);
    let oldest = priced.map(|part| part.origin).min_by_key(|origin| origin.as_of).unwrap_or_default();
    let said = words::provenance(oldest.source, oldest.as_of, pic.now);
    ("volumes", format!("{mark}{sign}{}/h{month}  {said}", known.decimal(5)), Role::Text)
}

/// `80 GiB gp3, 10000 IOPS, 250 MiB/s  $0.07246`, `root: size or type set by the machine image`.
fn volume(pic: &Picture<'_>, quote: &VolumesQuote, part: &VolumePart) -> String {
    let sign = words::sign(quote.currency, pic.theme());
    let amount = match (part.unknown, part.known) {
        (None, known) => format!("{sign}{}", known.decimal(5)),
        (Some(why), Money::ZERO) => why.reason().to_owned(),
        (Some(why), known) => format!("{} {sign}{}: {}", pic.theme().glyphs().least, known.decimal(5), why.reason()),
    };
    format!("{}  {amount}", what(&part.volume))
}

/// `root 20 GiB gp3`, `80 GiB gp3, 10000 IOPS, 250 MiB/s`, `root gp3`.
fn what(volume: &Volume) -> String {
    let size = volume.size_gib.map(|gib| format!("{gib} GiB"));
    let root = volume.root.then(|| "root".to_owned());
    let kind = Some(volume.volume_type.to_string()).filter(|kind| !kind.is_empty());
    let mut all: Vec<String> = vec![[root, size, kind].into_iter().flatten().collect::<Vec<_>>().join(" ")];
    all.extend(volume.iops.map(|iops| format!("{iops} IOPS")));
    all.extend(volume.throughput.map(|mib| format!("{mib} MiB/s")));
    all.retain(|text| !text.is_empty());
    if all.is_empty() { "one more".to_owned() } else { all.join(", ") }
}
