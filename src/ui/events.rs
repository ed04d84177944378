//! The event pane: newest first, similar events collapsed, filtered by lane and by node.
//!
//! The pane follows the newest event until the user scrolls. Then the top line stays in place, and the pane shows the
//! number of newer events.

use super::format;
use super::pen::{Pen, columns};
use super::scene::Scene;
use super::state::{EventMark, Focus, Seen, UiState};
use super::status::name_of;
use super::theme::Role;
use crate::cluster::{Cluster, EventLine, EventQuery, KarpenterMessage, Lane, ObjectSet, Row, RowId};
use crate::model::{EventKind, ObjectRef, PodKey};
use crate::units::age;
use crate::units::text::{cut_end, cut_middle};
use ratatui::layout::Rect;

/// The query behind the pane: its lane, and the objects of the node that it is filtered by.
pub(super) fn query(ui: &UiState, cluster: &Cluster) -> EventQuery {
    let objects = ui.events.of.and_then(|id| cluster.row(id)).map(|row| objects_of(row, cluster));
    EventQuery { lane: ui.events.lane, collapse: !ui.events.one_by_one, objects }
}

/// All lanes that can be selected; `None` stands for all events.
pub(super) fn lanes() -> Vec<Option<Lane>> {
    std::iter::once(None).chain(Lane::CHOICES.into_iter().map(Some)).collect()
}

/// The objects whose events belong to a row: its node, its NodeClaim and its pods.
pub(super) fn objects_of(row: &Row, cluster: &Cluster) -> ObjectSet {
    let mut objects = ObjectSet::default();
    if let Some(node) = row.node() {
        objects.add("Node", &node.name);
    }
    if let Some(claim) = row.claim() {
        objects.add("NodeClaim", &claim.name);
    }
    cluster.pods_of(row).for_each(|pod| objects.add_pod(pod.namespace, pod.name));
    objects
}

/// `pod/web-1`, `nodeclaim/default-8q7xk`.
pub(super) fn object(object: &ObjectRef) -> String {
    let kind = object.kind.to_lowercase();
    // Karpenter's events about a deleted object have its kind and no name.
    if object.name.is_empty() { kind.into() } else { format!("{kind}/{}", object.name) }
}

/// The object of a line, and the number of further objects: `nodepool/spot +1 other`, or `2 nodepools` if that does not
/// fit in `room` columns.
fn objects(line: &EventLine<'_>, room: Option<u16>) -> String {
    let newest = object(line.object);
    let others = line.objects.saturating_sub(1);
    if others == 0 {
        return newest;
    }
    let text = format!("{newest} +{others} other{}", if others == 1 { "" } else { "s" });
    if room.is_none_or(|room| columns(&text) <= room) {
        return text;
    }
    let kind = line.object.kind.to_lowercase();
    format!("{} {kind}{}", line.objects, if kind.ends_with('s') { "es" } else { "s" })
}

/// The row an event belongs to: the node or NodeClaim it regards, or the node that its pod is bound to or nominated for.
pub(super) fn row_of(line: &EventLine<'_>, cluster: &Cluster) -> Option<RowId> {
    let object = line.object;
    let row = match object.kind.as_str() {
        "Node" => cluster.row_of_node(&object.name),
        "NodeClaim" => cluster.row_of_claim(&object.name),
        "Pod" => cluster
            .row_of_pod(&PodKey { namespace: object.namespace.clone(), name: object.name.clone() })
            .or_else(|| {
                let mut words = line.message.split([' ', ',']);
                let named = words.find_map(|w| w.strip_prefix("nodeclaim/"))?;
                cluster.row_of_claim(named)
            }),
        _ => None,
    };
    row.map(Row::id)
}

/// Index of the line that was at the top; lines that arrived since are above it.
fn top_index<'a>(lines: impl Iterator<Item = EventLine<'a>>, mark: EventMark) -> usize {
    let mut place = 0;
    for line in lines {
        if line.last < mark.last || (line.last == mark.last && line.id == mark.id) {
            return place;
        }
        place += 1;
    }
    place.saturating_sub(1)
}

fn role_of(line: &EventLine<'_>) -> Role {
    match (line.kind, line.lane) {
        (EventKind::Warning, _) | (_, Lane::Warn) => Role::Warn,
        (EventKind::Normal, Lane::Provision) => Role::Good,
        (EventKind::Normal, Lane::Schedule) => Role::Moving,
        (EventKind::Normal, Lane::Disrupt) => Role::Spot,
        (EventKind::Normal, Lane::Other | Lane::Chatter) => Role::Text,
    }
}

/// The message, without the prefix that repeats the object column.
fn message<'a>(line: &EventLine<'a>) -> &'a str {
    let parsed = KarpenterMessage::parse(line.message);
    let repeats = parsed.object == Some((line.object.kind.as_str(), line.object.name.as_str()));
    if repeats { parsed.text } else { line.message }
}

/// Draws the pane with its rule.
pub(super) fn draw(pen: &mut Pen<'_>, scene: &Scene<'_>, seen: &mut Seen) {
    let query = query(scene.ui, scene.cluster);
    let (w, h) = (pen.width(), pen.height());
    let state = &scene.ui.events;
    let top = state.top.map_or(0, |mark| top_index(scene.cluster.events().lines(&query), mark));
    let page = h.saturating_sub(1);
    rule(&mut pen.part(0, 0, w, 1), scene, top, seen);
    let area = pen.area();
    seen.event_pane = area;
    seen.event_area = Rect { y: area.y + 1.min(area.height), height: page, ..area };
    seen.events_top = top;
    let lines: Vec<EventLine<'_>> = scene.cluster.events().lines(&query).skip(top).take(usize::from(page)).collect();
    seen.events = lines.iter().map(|line| EventMark { id: line.id, last: line.last }).collect();
    seen.formatted += lines.len();
    let mut part = pen.part(0, 1, w, page);
    if lines.is_empty() {
        let text = if state.lane.is_some() || state.of.is_some() { "no such events yet" } else { "no events yet" };
        part.put(2, 0, text, scene.theme().dim());
        return;
    }
    let cursor = (scene.ui.focus == Focus::Events)
        .then(|| state.cursor.and_then(|mark| lines.iter().position(|line| line.id == mark.id)).unwrap_or(0));
    draw_lines(&mut part, scene, &lines, cursor, seen);
}

/// Draws event lines; also used by the detail view.
pub(super) fn draw_lines(
    pen: &mut Pen<'_>,
    scene: &Scene<'_>,
    lines: &[EventLine<'_>],
    cursor: Option<usize>,
    seen: &mut Seen,
) {
    let theme = scene.theme();
    let w = pen.width();
    let named: Vec<String> = lines.iter().map(|line| objects(line, None)).collect();
    let times: Vec<String> = lines
        .iter()
        .map(|line| if line.count > 1 { format!("{}{}", theme.glyphs().times, line.count) } else { String::new() })
        .collect();
    let widest = |texts: &[String]| texts.iter().map(|t| columns(t)).max().unwrap_or(0);
    let reason = lines.iter().map(|line| columns(line.reason)).max().unwrap_or(0);
    let state = &scene.ui.events;
    let page = format!("{w} {:?} {:?} {}", state.lane, state.of, state.one_by_one);
    let widths = scene.ui.event_widths.grown(page, vec![reason, widest(&named), widest(&times)]);
    // 30 columns fit Karpenter's longest reason, TerminationGracePeriodExpiring.
    let reason_w = widths.column(0).min(30).min(w / 5);
    let object_w = if w >= 70 { widths.column(1).min(w / 4) } else { 0 };
    let times_w = if w >= 50 { widths.column(2) } else { 0 };
    seen.event_widths = widths;
    for (i, line) in lines.iter().enumerate() {
        let y = i as u16;
        let seconds = scene.now.as_second() - line.last.as_second();
        seen.changes_in(format::age_changes_in(seconds), scene.now);
        let here = cursor == Some(i);
        pen.put_before(7, y, &age::short(seconds), theme.dim());
        let role = role_of(line);
        let sign = if line.kind == EventKind::Warning { "W" } else { " " };
        pen.put(8, y, sign, theme.style(Role::Warn));
        let mut x = 10;
        let reason = if line.reason.is_empty() { line.component } else { line.reason };
        pen.put_max(x, y, &cut_middle(reason, usize::from(reason_w)), reason_w, theme.style(role));
        x += reason_w + 2;
        if object_w > 0 {
            let object = objects(line, Some(object_w));
            let text = cut_middle(&object, usize::from(object_w));
            pen.put_max(x, y, &text, object_w, theme.style(Role::Text));
            x += object_w + 1;
        }
        if times_w > 0 {
            pen.put_before(x + times_w, y, &times[i], theme.style(Role::Strong));
            x += times_w + 2;
        }
        let room = w.saturating_sub(x + 1);
        pen.put_max(x, y, &cut_end(message(line), usize::from(room)), room, theme.dim());
        if here {
            pen.tint(y, theme.cursor());
            pen.cell(0, y, theme.glyphs().cursor, theme.style(Role::Title));
        }
    }
}

/// `── events  [all] provision schedule … ──── following ──`.
fn rule(pen: &mut Pen<'_>, scene: &Scene<'_>, top: usize, seen: &mut Seen) {
    let theme = scene.theme();
    let line = theme.style(Role::Rule);
    let w = pen.width();
    pen.rule(0, theme.glyphs().rule, line);
    let title = if scene.ui.focus == Focus::Events { Role::Title } else { Role::Strong };
    let mut x = pen.put(2, 0, " events ", theme.style(title));
    let state = &scene.ui.events;
    let right = if state.top.is_none() {
        " following ".to_owned()
    } else {
        let new = scene.cluster.events().arrivals().saturating_sub(state.read);
        if new > 0 { format!(" {new} new {} ", theme.glyphs().up) } else { format!(" {top} newer above ") }
    };
    let end = w.saturating_sub(2);
    let right_x = end.saturating_sub(columns(&right));
    if let Some(id) = state.of {
        let name = name_of(id, scene);
        let text = format!("of {} ", cut_middle(&name, 24));
        x = pen.put(x, 0, &text, theme.style(Role::Warn));
    }
    let area = pen.area();
    for lane in lanes() {
        let selected = lane == state.lane;
        let name = lane.map_or("all", Lane::name);
        let text = if selected { format!("[{name}]") } else { format!(" {name} ") };
        let columns = columns(&text);
        if x + columns + 1 > right_x {
            // The selected lane is shown even if the others do not fit.
            if !selected {
                continue;
            }
            x = x.min(right_x.saturating_sub(columns + 1)).max(2);
        }
        let style = if selected { theme.style(Role::Strong) } else { theme.dim() };
        seen.lanes.push((Rect::new(area.x + x, area.y, columns, 1), lane));
        x = pen.put(x, 0, &text, style);
    }
    if state.one_by_one && x + 14 < right_x {
        x = pen.put(x, 0, " one by one ", theme.style(Role::Text));
    }
    if right_x > x {
        let style = if state.top.is_none() { theme.dim() } else { theme.style(Role::Warn) };
        pen.put(right_x, 0, &right, style);
    }
}
