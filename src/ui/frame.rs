//! One frame: chooses the panes for the size of the screen and draws them.

use super::pen::{Pen, columns};
use super::scene::Scene;
use super::state::{Bars, Focus, Layer, Seen};
use super::theme::{Depth, Level, Role};
use super::{detail, empty, events, footer, header, help, nodepools, table};
use crate::insight::{Alert, AlertKind, GroupBy, Severity};
use crate::model::{Stream, Timestamp};
use crate::units::text::cut_end;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::fmt::Write;

/// Below this size the screen shows totals only.
const LEAST_WIDTH: u16 = 24;
const LEAST_HEIGHT: u16 = 4;

/// The lines of each part at this size. When space is short, every other part gives way to the node table.
struct Plan {
    header: header::Size,
    header_lines: u16,
    alerts: u16,
    rule: bool,
    heading: bool,
    events: Events,
    footer: bool,
}

#[derive(Clone, Copy)]
enum Events {
    Hidden,
    /// Below the nodes, this many lines with their rule.
    Below(u16),
    /// Beside the nodes, this many columns.
    Beside(u16),
}

fn plan(scene: &Scene<'_>, area: Rect) -> Plan {
    let (w, h) = (area.width, area.height);
    // A layer that covers the table gets the lines of the header.
    let layered = scene.ui.layer().is_some_and(Layer::covers);
    let header = match h {
        0..8 => header::Size::Line,
        8..45 if layered => header::Size::Compact,
        8..16 => header::Size::Compact,
        16.. => {
            let prices = scene.cluster.has_prices();
            header::Size::Full { cost: h >= 30 && prices, extra_costs: prices && scene.cluster.extra_costs().any() }
        }
    };
    let header_lines = header::lines(header, scene, h);
    let footer = h >= 6;
    let most = match h {
        0..9 => 0,
        9..16 => 1,
        16..30 => 2,
        30.. => 3,
    };
    let alerts = listed_alerts(scene, header, w).count().min(most) as u16;
    let rule = h >= 12;
    let body = h.saturating_sub(header_lines + alerts + u16::from(rule) + u16::from(footer));
    let heading = body >= 3;
    let wanted = &scene.ui.events;
    // The reason for an empty table gets the whole body.
    let broken = scene.view.is_empty() && !scene.cluster.stream(Stream::Nodes).complete;
    let events = if !scene.ui.events.shown || body < 9 || broken {
        Events::Hidden
    } else if w >= 180 && h < 28 {
        let default = w * 3 / 8;
        Events::Beside(wanted.columns.unwrap_or(default).clamp(40, w - 90))
    } else {
        // Space that a short table leaves goes to the events, in steps of 4 lines, so that the rule does not move with
        // every node.
        let nodes = scene.view.lines().len().max(4).div_ceil(4) * 4 + usize::from(heading);
        let spare = body.saturating_sub(u16::try_from(nodes).unwrap_or(u16::MAX));
        let default = (body * 2 / 5).clamp(4, 16).max(spare);
        Events::Below(wanted.lines.unwrap_or(default).clamp(2, body - 4))
    };
    Plan { header, header_lines, alerts, rule, heading, events, footer }
}

/// Draws a frame into `area` and returns what was visible. Changes no state.
pub fn draw(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> Seen {
    let seen = paint(buf, area, scene);
    if scene.theme().ascii {
        to_ascii(buf, area);
    }
    seen
}

/// Replaces the characters that cut or collapsed text contains.
fn to_ascii(buf: &mut Buffer, area: Rect) {
    let area = area.intersection(buf.area);
    for position in area.positions() {
        let cell = &mut buf[position];
        let plain = match cell.symbol() {
            "…" => "~",
            "—" | "·" | "–" | "−" => "-",
            "×" => "x",
            "→" => ">",
            _ => continue,
        };
        cell.set_symbol(plain);
    }
}

fn paint(buf: &mut Buffer, area: Rect, scene: &Scene<'_>) -> Seen {
    let mut seen = Seen { area, ..Seen::default() };
    let mut pen = Pen::new(buf, area);
    let (w, h) = (pen.width(), pen.height());
    if w == 0 || h == 0 {
        return seen;
    }
    if let Some(notice) = &scene.ui.notice
        && notice.until > scene.now
    {
        seen.changes_in(notice.until.as_second() - scene.now.as_second(), scene.now);
    }
    if w < LEAST_WIDTH || h < LEAST_HEIGHT {
        header::tiny(&mut pen, scene);
        return seen;
    }
    let plan = plan(scene, pen.area());
    let mut y = plan.header_lines;
    let bottom = h - u16::from(plan.footer);
    if !scene.ui.layer().is_some_and(Layer::covers) {
        alerts(&mut pen.part(0, y, w, plan.alerts), scene, plan.header, &mut seen);
        y += plan.alerts;
    }
    let body = bottom.saturating_sub(y);
    match scene.ui.layer() {
        Some(Layer::Detail(state)) => detail::draw(&mut pen.part(0, y, w, body), scene, state, &mut seen),
        Some(Layer::Pools(state)) => nodepools::draw(&mut pen.part(0, y, w, body), scene, state, &mut seen),
        Some(Layer::Help(scroll)) => help::draw(&mut pen.part(0, y, w, body), scene, *scroll, &mut seen),
        Some(Layer::Filter(_) | Layer::Sort(_)) | None => {
            let (nodes_w, nodes_h) = match plan.events {
                Events::Hidden => (w, body),
                Events::Below(lines) => (w, body.saturating_sub(lines)),
                Events::Beside(columns) => (w.saturating_sub(columns + 1), body),
            };
            nodes(&mut pen.part(0, y, nodes_w, nodes_h), scene, &plan, &mut seen);
            match plan.events {
                Events::Hidden => {}
                Events::Below(lines) => {
                    let mut part = pen.part(0, y + nodes_h, w, lines);
                    seen.event_border = Rect { height: 1.min(part.area().height), ..part.area() };
                    events::draw(&mut part, scene, &mut seen);
                }
                Events::Beside(columns) => {
                    // The gap, and the first columns of the rule.
                    seen.event_border = pen.part(nodes_w, y, 2, body).area();
                    events::draw(&mut pen.part(nodes_w + 1, y, columns, body), scene, &mut seen);
                }
            }
        }
    }
    // Last: whether the clock shows seconds depends on whether anything else does.
    let ticks = seen.next.is_some_and(|at| at.as_second() - scene.now.as_second() <= 1);
    header::draw(&mut pen.part(0, 0, w, plan.header_lines), scene, plan.header, ticks, &mut seen);
    if !ticks {
        seen.changes_in(60 - scene.now.as_second().rem_euclid(60), scene.now);
    }
    if plan.footer {
        footer::draw(&mut pen.part(0, bottom, w, 1), scene, &mut seen);
    } else if matches!(scene.ui.layer(), Some(Layer::Filter(_))) {
        footer::draw(&mut pen.part(0, h - 1, w, 1), scene, &mut seen);
    }
    seen
}

/// When the frame changes without an update: an age, a countdown, a notice that ends.
pub fn next_deadline(seen: &Seen) -> Option<Timestamp> {
    seen.next
}

/// The alerts with a line of their own. The age of prices needs none where the header has room for it, beside the total.
fn listed_alerts<'p>(scene: &Scene<'p>, header: header::Size, width: u16) -> impl Iterator<Item = &'p Alert> {
    let in_header = header::shows_old_prices(scene, header, width);
    scene.alerts.iter().filter(move |alert| alert.kind != AlertKind::OldPrices || !in_header)
}

fn alerts(pen: &mut Pen<'_>, scene: &Scene<'_>, header: header::Size, seen: &mut Seen) {
    let theme = scene.theme();
    let lines = usize::from(pen.height());
    let listed: Vec<&Alert> = listed_alerts(scene, header, pen.width()).collect();
    for (y, alert) in (0_u16..).zip(listed.iter().take(lines)) {
        let role = match alert.severity {
            Severity::Critical => Role::Bad,
            Severity::Warning => Role::Warn,
            Severity::Notice => Role::Dim,
        };
        let text = format!("{} {}", theme.glyphs().alert, alert.text);
        // A long text is cut, but never the time or the count after it.
        let mut end = String::new();
        if let Some(until) = alert.until {
            let left = until.as_second() - scene.now.as_second();
            if left > 0 {
                // From ten minutes on the text shows whole minutes.
                seen.changes_in(if left < 600 { 1 } else { left % 60 + 1 }, scene.now);
                let left = crate::units::age::short(left);
                let _ = if matches!(alert.kind, AlertKind::StreamDown | AlertKind::PriceSource) {
                    write!(end, ", next try in {left}")
                } else {
                    write!(end, ", {left} left")
                };
            }
        }
        let more = listed.len().saturating_sub(lines);
        if usize::from(y) + 1 == lines && more > 0 {
            let _ = write!(end, "  (+{more} more)");
        }
        let room = pen.width().saturating_sub(2);
        let text = cut_end(&text, usize::from(room.saturating_sub(columns(&end)).max(room / 2)));
        pen.put(1, y, &cut_end(&format!("{text}{end}"), usize::from(room)), theme.style(role));
    }
}

/// The rule above the node table and the table, or the reason for an empty table.
fn nodes(pen: &mut Pen<'_>, scene: &Scene<'_>, plan: &Plan, seen: &mut Seen) {
    let (w, h) = (pen.width(), pen.height());
    let rule = u16::from(plan.rule);
    if plan.rule {
        node_rule(&mut pen.part(0, 0, w, 1), scene);
    }
    let mut part = pen.part(0, rule, w, h.saturating_sub(rule));
    if scene.view.is_empty() {
        empty::draw(&mut part, scene, seen);
    } else {
        table::draw(&mut part, scene, plan.heading, seen);
    }
}

/// `── nodes  filter … ───── requests · efficiency: ■ <35% low …`.
fn node_rule(pen: &mut Pen<'_>, scene: &Scene<'_>) {
    let theme = scene.theme();
    let g = theme.glyphs();
    let line = theme.style(Role::Rule);
    let w = pen.width();
    pen.rule(0, g.rule, line);
    let focused = scene.ui.focus == Focus::Nodes;
    let title = if focused { theme.style(Role::Title) } else { theme.style(Role::Strong) };
    let mut x = pen.put(2, 0, " nodes ", title);
    let grouped = scene.view.group_by();
    if *grouped != GroupBy::Nothing {
        x = pen.put(x, 0, "by ", theme.dim());
        x = pen.put(x, 0, grouped.name(), theme.style(Role::Text));
        x = pen.put(x, 0, " ", line);
    }
    if !scene.view.filter().is_empty() {
        x = pen.put(x, 0, "filter ", theme.dim());
        let room = w.saturating_sub(x + 24);
        x = pen.put(x, 0, &cut_end(&scene.ui.filter_text, usize::from(room)), theme.style(Role::Warn));
        x = pen.put(x, 0, &format!(" {} of {} ", scene.view.len(), scene.view.of()), theme.style(Role::Text));
    }
    // The legend, in as much detail as fits.
    let bars = scene.ui.bars.name();
    let measured = scene.view.totals().measured > 0 && scene.ui.bars != Bars::Usage;
    let levels: u16 = theme.legend().iter().map(|(_, words)| columns(words) + 3).sum();
    let palette = theme.palette.name();
    let mut parts: Vec<(String, ratatui::style::Style)> = Vec::new();
    let (fill, used, _) = theme.bar(Level::Good, measured);
    if theme.plain_bars() {
        let sign = if measured { g.bar_requested } else { g.bar_used };
        parts.push((format!("{sign} {bars}"), theme.style(Role::Text)));
        if measured {
            parts.push((format!("  {} used", g.bar_used), theme.style(Role::Text)));
        }
    } else {
        if measured {
            parts.push(("■ ".into(), fill));
        }
        parts.push((bars.to_owned(), theme.style(Role::Text)));
        if measured {
            parts.push(("  ■ ".into(), used));
            parts.push(("used".into(), theme.style(Role::Text)));
        }
    }
    parts.push((format!(" {} {palette}", g.dot), theme.dim()));
    let short: u16 = parts.iter().map(|(text, _)| columns(text)).sum();
    if x + short + levels + 8 <= w {
        parts.push((":".into(), theme.dim()));
        let sign = if theme.ascii || theme.depth == Depth::None { "" } else { "■ " };
        for (level, words) in theme.legend() {
            parts.push((" ".into(), line));
            parts.push((sign.into(), theme.level_style(level)));
            parts.push((words.into(), theme.dim()));
        }
    }
    let total: u16 = parts.iter().map(|(text, _)| columns(text)).sum();
    if x + total + 5 > w {
        return;
    }
    let mut x = w - total - 4;
    x = pen.put(x, 0, " ", line);
    for (text, style) in parts {
        x = pen.put(x, 0, &text, style);
    }
    pen.put(x, 0, " ", line);
}
