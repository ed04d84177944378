//! What the screen shows: snapshots at many sizes, and what must be true of every frame.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use crate::support::build::{Added, at, claim, condition, event, fresh_claim, node, pod, pool};
use crate::support::stage::{Stage, plain};
use crate::support::svg::{self, svg};
use nodeglass::cluster::{Cluster, RowId};
use nodeglass::insight::{AlertKind, Column, Direction, ExtraColumn, Line, Severity, Sort};
use nodeglass::model::{Change, ConditionStatus, LinkState, Node, Pod, Resource, Resources, Stream, Usage, key};
use nodeglass::output::Report;
use nodeglass::pricing::{
    DiscountRule, EksPrices, ExtraCosts, Os, PriceBook, PriceFile, PriceNews, PriceSheet, PriceSource, PriceTerms,
    Prices, SourceState, SpotPrice, SpotSaving,
};
use nodeglass::ui::{self, Action, Depth, Effect, Palette, Seen, UiOptions, keys};
use nodeglass::units::{Currency, Money};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use std::collections::BTreeSet;
use std::fmt::Write;

// === helpers ===

/// A stage with `n` nodes of one nodepool, all lists complete.
fn nodes(n: usize, options: UiOptions) -> Stage {
    let mut stage = Stage::empty(options);
    let added = (0..n).map(|i| node(&format!("n{i:04}")).added());
    stage.apply(added.chain([Change::Synced(Stream::Nodes), Change::Synced(Stream::Pods)]));
    stage
}

fn line_of<'a>(frame: &'a str, what: &str) -> &'a str {
    frame.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("no line with {what} in\n{frame}"))
}

fn header_of<'a>(frame: &'a str, label: &str) -> &'a str {
    frame.lines().find(|line| line.starts_with(label)).unwrap_or_else(|| panic!("no {label} in\n{frame}"))
}

fn place_of(stage: &Stage, id: RowId) -> usize {
    stage.seen.lines.iter().position(|line| *line == Line::Row(id)).unwrap()
}

/// A frame through the real backend into a terminal emulator: runs of one look in each line.
fn looks(stage: &mut Stage, width: u16, height: u16) -> String {
    let mut bytes = Vec::new();
    let mut terminal = Terminal::with_options(
        CrosstermBackend::new(&mut bytes),
        ratatui::TerminalOptions { viewport: ratatui::Viewport::Fixed(Rect::new(0, 0, width, height)) },
    )
    .unwrap();
    let picture = stage.frame_input();
    terminal
        .draw(|frame| {
            let area = frame.area();
            ui::draw(frame.buffer_mut(), area, &picture);
        })
        .unwrap();
    drop(terminal);
    let mut parser = vt100::Parser::new(height.try_into().unwrap(), width.try_into().unwrap(), 0);
    parser.process(&bytes);
    let screen = parser.screen();
    let mut out = String::new();
    for y in 0..height {
        let mut run = (String::new(), String::new());
        let mut line = String::new();
        let mut flush = |run: &mut (String, String)| {
            if !run.1.trim().is_empty() {
                let _ = write!(line, "{}[{}] ", run.0, run.1.trim_end());
            }
            run.1.clear();
        };
        for x in 0..width {
            let Some(cell) = screen.cell(y, x) else { continue };
            let name = |colour: vt100::Color| match colour {
                vt100::Color::Default => String::new(),
                vt100::Color::Idx(i) => format!("{i}"),
                vt100::Color::Rgb(r, g, b) => format!("{r:02x}{g:02x}{b:02x}"),
            };
            let look = format!(
                "{}{}{}{}",
                if cell.bold() { "bold " } else { "" },
                if cell.dim() { "dim " } else { "" },
                name(cell.fgcolor()),
                if cell.bgcolor() == vt100::Color::Default {
                    String::new()
                } else {
                    format!("/{}", name(cell.bgcolor()))
                },
            );
            if look != run.0 && !cell.contents().trim().is_empty() {
                flush(&mut run);
                run.0 = look;
            }
            run.1.push_str(if cell.contents().is_empty() { " " } else { cell.contents() });
        }
        flush(&mut run);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

// === snapshots ===

#[test]
fn the_scale_out_at_every_size() {
    for (w, h) in [(200, 60), (160, 50), (120, 40), (80, 24), (40, 12), (24, 4), (10, 3), (1, 1)] {
        let mut stage = Stage::scale_out(95, plain());
        insta::assert_snapshot!(format!("scale_out_{w}x{h}"), stage.text(w, h));
    }
}

#[test]
fn the_moments_of_the_scale_out() {
    for second in [0, 2, 4, 12, 22, 40, 72, 140] {
        let mut stage = Stage::scale_out(second, plain());
        insta::assert_snapshot!(format!("moment_{second}s"), stage.text(130, 26));
    }
}

#[test]
fn other_screens() {
    let mut stage = Stage::demo(Some(24), 60, plain());
    insta::assert_snapshot!("fleet", stage.text(160, 40));
    stage.press(&["↓", "↓", "⏎"]);
    insta::assert_snapshot!("detail_wide", stage.text(160, 50));
    insta::assert_snapshot!("detail_narrow", stage.text(80, 40));
    stage.press(&["esc", "p"]);
    insta::assert_snapshot!("nodepools", stage.text(130, 20));
    stage.press(&["esc", "g"]);
    insta::assert_snapshot!("grouped", stage.text(130, 40));
    stage.press(&["s"]);
    insta::assert_snapshot!("sort", stage.text(150, 20));
    stage.press(&["esc", "/", "pool:spto cpu<"]);
    insta::assert_snapshot!("filter", stage.text(120, 20));
    stage.press(&["esc", "?"]);
    insta::assert_snapshot!("help", stage.text(120, 60));
}

/// Zone, nodepool and purchase option leave before the bars are too short to compare.
#[test]
fn bars_stay_readable_while_what_is_nice_to_have_is_shown() {
    let mut stage = Stage::demo(Some(24), 60, plain());
    let mut shown = BTreeSet::new();
    for width in 60..=200 {
        let frame = stage.text(width, 40);
        let Some(heading) = frame.lines().find(|line| line.contains("MEMORY")) else { continue };
        let at = |word: &str| heading.find(word);
        let bar = at("MEMORY").unwrap() - at("CPU").unwrap();
        for nice in ["ZONE", "NODEPOOL", "BUY"].into_iter().filter(|nice| at(nice).is_some()) {
            assert!(bar > 12, "{nice} beside bars of {bar} columns at {width}:\n{heading}");
            shown.insert(nice);
        }
    }
    assert_eq!(shown.len(), 3);
}

#[test]
fn colours_of_the_main_screen() {
    let shown = |options: UiOptions| looks(&mut Stage::scale_out(95, options), 120, 24);
    insta::assert_snapshot!("looks_true_colour", shown(UiOptions::default()));
    insta::assert_snapshot!("looks_sixteen", shown(UiOptions { depth: Depth::Sixteen, ..UiOptions::default() }));
    insta::assert_snapshot!("looks_no_colour", shown(plain()));
    insta::assert_snapshot!("looks_ascii", shown(UiOptions { ascii: true, ..plain() }));
}

#[test]
fn ascii_frames_are_ascii() {
    for press in [&[][..], &["↓", "⏎"], &["p"], &["?"], &["s"], &["/", "x"], &["v"]] {
        let mut stage = Stage::demo(Some(12), 30, UiOptions { ascii: true, ..plain() });
        stage.draw(150, 40);
        stage.press(press);
        let frame = stage.text(150, 40);
        let odd: Vec<char> = frame.chars().filter(|c| !c.is_ascii()).collect();
        // What the cluster itself writes may be anything; the demo writes ASCII.
        assert!(odd.is_empty(), "{press:?}: {odd:?} in\n{frame}");
    }
}

#[test]
fn no_colour_draws_no_colour() {
    let mut stage = Stage::demo(Some(12), 30, plain());
    let buf = stage.draw(150, 40);
    assert!(buf.content().iter().all(|c| c.fg == ratatui::style::Color::Reset && c.bg == ratatui::style::Color::Reset));
}

// === sizes ===

#[test]
fn no_panic_at_any_terminal_size() {
    let mut stage = Stage::scale_out(95, plain());
    for layer in [&[][..], &["⏎"], &["p"], &["?"], &["/", "cpu<"], &["s"]] {
        stage.draw(80, 24);
        stage.press(layer);
        for w in (0..30).chain([60, 90, 121, 250]) {
            for h in (0..26).chain([33, 61]) {
                stage.draw(w, h);
            }
        }
        stage.press(&["esc"]);
    }
}

#[test]
fn tiny_pane_says_so_and_recovers() {
    let mut stage = nodes(3, plain());
    let before = stage.text(80, 24);
    assert!(stage.text(10, 3).starts_with("3 nodes\n"), "totals where they fit");
    assert_eq!(stage.text(3, 1), "…\n");
    assert_eq!(stage.text(1, 1), "…\n");
    assert_eq!(stage.text(80, 24), before);
}

#[test]
fn columns_leave_by_priority() {
    let mut stage = nodes(2, plain());
    let heads = |stage: &mut Stage, w: u16| {
        let frame = stage.text(w, 24);
        let line = line_of(&frame, "NODE ").to_owned();
        let all = ["NODE", "NODEPOOL", "CPU", "MEMORY", "PODS", "TYPE", "$/HOUR", "BUY", "ZONE", "AGE", "STATUS"];
        let words: Vec<&str> = line.split_whitespace().collect();
        all.into_iter().filter(|h| words.iter().any(|w| w.trim_end_matches('▲') == *h)).collect::<Vec<_>>()
    };
    assert_eq!(heads(&mut stage, 160).len(), 11);
    let mut before = heads(&mut stage, 160);
    for w in (24..160).rev() {
        let now = heads(&mut stage, w);
        assert!(now.iter().all(|h| before.contains(h)), "{w}: {now:?} after {before:?}");
        before = now;
    }
    assert_eq!(before, ["NODE", "CPU"], "what stays longest");
    let at_80 = heads(&mut stage, 80);
    for kept in ["NODE", "CPU", "MEMORY", "$/HOUR", "AGE", "STATUS"] {
        assert!(at_80.contains(&kept), "{kept} of {at_80:?}");
    }
}

#[test]
fn no_extra_label_no_extra_column() {
    let frame = nodes(1, plain()).text(160, 24);
    assert_eq!(line_of(&frame, "NODE ").split_whitespace().count(), 11);
    let labels = vec![ExtraColumn::from_label("kubernetes.io/arch")];
    let frame = nodes(1, UiOptions { extra_labels: labels, ..plain() }).text(170, 24);
    assert_eq!(line_of(&frame, "NODE ").split_whitespace().count(), 12);
    assert!(line_of(&frame, "n0000").contains("amd64"));
}

#[test]
fn computed_labels_are_columns() {
    let names = ["node-age", "node-cpu-usage", "node-memory-usage", "node-pods-usage", "node-ephemeral-storage-usage"];
    let computed = names.iter().map(|name| format!("eks-node-viewer/{name}"));
    let labels = computed.chain(["topology.kubernetes.io/zone".to_owned()]);
    let labels = labels.map(|label| ExtraColumn::from_label(&label)).collect();
    let mut stage = nodes(2, UiOptions { extra_labels: labels, ..plain() });
    let mut half = pod("half", "n0001");
    half.requests = Resources::new(2000, 4 << 30);
    let created = at(stage.now.as_second() - 95);
    stage.apply([half.added(), Node { created, ..node("n0000") }.added()]);
    let frame = stage.text(220, 40);
    let heading = line_of(&frame, "NODE ");
    for title in ["NODE AGE", "CPU REQ", "MEMORY REQ", "PODS REQ", "DISK REQ", "TOPOLOGY/ZONE"] {
        assert_eq!(heading.matches(title).count(), 1, "{title} of {heading}");
    }
    assert_eq!(line_of(&frame, " n0000").matches("95s").count(), 2, "{frame}");
    let row = line_of(&frame, " n0001");
    assert_eq!((row.matches("50%").count(), row.matches("25%").count()), (2, 2), "bars and columns agree: {row}");
    assert!(row.contains("ap-northeast-2a") && row.contains(" 2% "), "{row}");
    // The picker reaches those that have no column of their own yet.
    stage.press(&["s"]);
    let picker = stage.text(220, 40).lines().last().unwrap().to_owned();
    assert!(picker.contains("1 pods req") && picker.contains("3 topology/zone"), "{picker}");
    assert!(!picker.contains("cpu req") && !picker.contains("node age"), "what is offered already: {picker}");
    stage.press(&["1"]);
    let frame = stage.text(220, 40);
    assert!(line_of(&frame, "NODE ").contains("PODS REQ▼"), "{frame}");
    assert!(frame.find(" n0001").unwrap() < frame.find(" n0000").unwrap(), "the fullest first");
    stage.press(&["s", "3"]);
    stage.press(&["s"]);
    let narrow = stage.text(80, 24);
    assert!(narrow.lines().last().unwrap().contains("topology/zone▲"), "the chosen one is seen: {narrow}");
}

// === standing still ===

/// Where every word of the heading and every mark of the first line stand.
fn frame_of_columns(frame: &str) -> (String, String) {
    let first = frame.lines().next().unwrap();
    let marks = first.chars().enumerate().filter(|(_, c)| "●◐○✗".contains(*c));
    let at: Vec<usize> = marks.map(|(at, _)| at).collect();
    (line_of(frame, "NODE ").to_owned(), format!("{at:?}"))
}

#[test]
fn columns_stand_still_while_values_change() {
    for w in [80, 100, 120, 140, 160, 200] {
        let mut stage = nodes(4, plain());
        stage.apply((0..9).map(|i| pod(&format!("p{i}"), "n0001").added()));
        let before = frame_of_columns(&stage.text(w, 40));
        let price = |frame: &str| line_of(frame, " n0002").find("0.1720").unwrap();
        let at = price(&stage.text(w, 40));
        let mut leaving = node("n0001");
        leaving.deleted = Some(stage.now);
        stage.apply([leaving.added()]);
        let frame = stage.text(w, 40);
        assert!(line_of(&frame, " n0001").contains("Draining: 9"), "{frame}");
        assert_eq!(frame_of_columns(&frame), before);
        assert_eq!(price(&frame), at);
        assert!(line_of(&frame, " n0001").contains("c5a.xlarge"), "a type is never cut: {frame}");
        // More pods, and one gone: no column moves.
        stage.apply((0..48).map(|i| pod(&format!("q{i}"), "n0001").added()));
        assert_eq!(frame_of_columns(&stage.text(w, 40)), before);
        let n3 = node("n0003");
        stage.apply([Change::NodeGone(n3.name, n3.uid)]).wait(60);
        assert_eq!(frame_of_columns(&stage.text(w, 40)).0, before.0);
        // A stream that is down says so beside its mark.
        let down = LinkState::Retrying { at: stage.now, why: "connection refused".into() };
        stage.apply([Change::Link(Stream::Pods, down)]);
        let frame = stage.text(w, 40);
        assert_eq!(frame_of_columns(&frame), before);
        assert!(frame.lines().next().unwrap().contains("pods retry 0s"), "{frame}");
    }
}

#[test]
fn the_clock_stands_still() {
    let mut stage = Stage::empty(plain());
    stage.apply([Change::Synced(Stream::Nodes), Change::Synced(Stream::Pods)]);
    let calm = stage.text(120, 24).lines().next().unwrap().to_owned();
    stage.apply([Node { created: stage.now, ..node("n") }.added()]);
    let ticking = stage.text(120, 24).lines().next().unwrap().to_owned();
    assert!(calm.ends_with("14:02") && ticking.ends_with("14:02:31"));
    assert_eq!(calm.find("14:02"), ticking.find("14:02"));
}

// === numbers ===

#[test]
fn unknown_nodes_are_not_zero() {
    let denied = LinkState::Denied { message: "nodes is forbidden".into() };
    let retrying = LinkState::Retrying { at: crate::support::stage::afternoon(), why: "connection refused".into() };
    for state in [LinkState::Connecting, denied.clone(), retrying] {
        let mut stage = Stage::empty(plain());
        stage.apply([Change::Link(Stream::Nodes, state.clone())]);
        let frame = stage.text(120, 24);
        let line = header_of(&frame, " nodes ");
        assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["nodes", "—", "—/h"], "{state:?}: {line}");
        let small = stage.text(40, 12);
        assert!(small.contains("nodes —") && !small.contains("0 nodes") && !small.contains("$0"), "{small}");
        assert!(!stage.text(20, 3).contains("0 nodes"));
    }
    // Known from their pods alone: rows, but still no number of nodes and no price.
    let mut stage = Stage::empty(plain());
    stage.apply([
        Change::Link(Stream::Nodes, denied),
        pod("web", "n0000").added(),
        Change::Synced(Stream::Pods),
        pool("general").added(),
    ]);
    let frame = stage.text(140, 24);
    assert!(header_of(&frame, " nodes ").contains("—/h") && !frame.contains("$0"), "{frame}");
    assert!(header_of(&frame, " cpu ").contains("/ —"), "{frame}");
    stage.press(&["p"]);
    let frame = stage.text(140, 24);
    assert!(line_of(&frame, "  general ").split_whitespace().nth(2).is_some_and(|nodes| nodes == "—"), "{frame}");
    // A cluster without nodes has none, and costs nothing.
    let mut stage = Stage::empty(plain());
    stage.apply([Change::Synced(Stream::Nodes), Change::Synced(Stream::Pods)]);
    let frame = stage.text(120, 24);
    let line = header_of(&frame, " nodes ");
    assert!(line.contains("nodes      0") && line.contains("$0.000/h"), "{line}");
    assert!(header_of(&frame, " pods ").contains("pods       0"), "{frame}");
}

#[test]
fn unknown_pods_are_not_zero() {
    let mut stage = Stage::empty(plain());
    stage.apply([node("n0000").added(), node("n0001").added(), pool("general").added()]);
    stage.apply([
        Change::Synced(Stream::Nodes),
        Change::Link(Stream::Pods, LinkState::Denied { message: "pods is forbidden".into() }),
    ]);
    stage.draw(150, 30);
    stage.press(&["g"]);
    let frame = stage.text(150, 30);
    assert!(header_of(&frame, " cpu ").contains("— / 8.0"), "{frame}");
    assert!(header_of(&frame, " memory ").contains("— / 32.0 Gi"), "{frame}");
    assert_eq!(header_of(&frame, " pods ").split_whitespace().collect::<Vec<_>>(), ["pods", "—"]);
    let row = line_of(&frame, " n0000");
    assert!(row.contains("—/") && !row.contains('%') && !row.contains("0/"), "{row}");
    let group = line_of(&frame, "2 nodes");
    assert!(!group.contains('%') && !group.contains(" 0 "), "{group}");
    assert!(!frame.contains(" 0%") && !frame.contains("0.0 / "), "{frame}");
    stage.press(&["p"]);
    let pools = stage.text(150, 30);
    let line = line_of(&pools, "  general ");
    assert_eq!(line.matches('%').count(), 1, "the share of spot is known from nodes: {line}");
    stage.press(&["esc", "⏎"]);
    let detail = stage.text(150, 40);
    let cpu = line_of(&detail, "cpu   ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(cpu.ends_with("4.0 — — — —"), "{cpu}");
    assert!(detail.contains("pods —"), "{detail}");
    // And once pods are there, what was unknown is a number.
    stage.press(&["esc"]);
    stage.apply([Change::Synced(Stream::Pods)]);
    let frame = stage.text(150, 30);
    assert!(header_of(&frame, " cpu ").contains("0.0 / 8.0") && line_of(&frame, " n0000").contains("0%"), "{frame}");
}

#[test]
fn absent_resource_is_not_zero_percent() {
    let mut stage = nodes(1, plain());
    let mut gpu = node("with-gpu");
    gpu.allocatable.set(&Resource::from_name("nvidia.com/gpu"), 4);
    stage.apply([gpu.added()]);
    let frame = stage.text(160, 24);
    assert!(line_of(&frame, "NODE ").contains("GPU"), "a device shows by itself");
    assert!(line_of(&frame, " n0000").contains('—'));
    let with = line_of(&frame, "with-gpu");
    assert_eq!(with.matches("0%").count(), 3, "{with}");
}

#[test]
fn over_full_clamps_bar_not_text() {
    let mut stage = nodes(1, plain());
    let mut big = pod("big", "n0000");
    big.requests = Resources::new(6000, 1 << 30);
    stage.apply([big.added()]);
    let frame = stage.text(120, 24);
    assert!(line_of(&frame, " n0000").contains("150%"), "{frame}");
    assert!(
        header_of(&frame, " cpu ").contains("6.0 / 4.0") && header_of(&frame, " cpu ").contains("150.0%"),
        "{frame}"
    );
}

#[test]
fn missing_metrics_are_not_zero() {
    let mut stage = nodes(2, plain());
    stage.draw(120, 24);
    stage.press(&["v"]);
    let frame = stage.text(120, 24);
    assert!(frame.contains("usage"), "the heading says what bars show");
    assert!(!line_of(&frame, " n0000").contains("0%"), "{frame}");
    assert_eq!(line_of(&frame, " n0000").matches('—').count(), 2, "{frame}");
    let usage = Usage { window_seconds: 30, ..Usage::default() };
    stage.apply([Change::NodeUsage(vec![("n0000".into(), usage)])]);
    let frame = stage.text(120, 24);
    assert_eq!(line_of(&frame, " n0000").matches("0%").count(), 2, "measured 0 is 0");
    assert!(!line_of(&frame, " n0001").contains("0%"));
}

/// What was measured long ago is drawn dim, and the detail says how long ago.
#[test]
fn old_readings_do_not_pass_for_new_ones() {
    let mut stage = Stage::demo(Some(5), 30, UiOptions::default());
    let dim = |stage: &mut Stage| {
        let buffer = stage.draw(160, 40);
        let ground = buffer.content().iter().filter(|cell| cell.symbol() == "█");
        ground.map(|cell| cell.fg).collect::<std::collections::HashSet<_>>()
    };
    let fresh = dim(&mut stage);
    stage.press(&["end", "⏎"]);
    let detail = stage.text(160, 50);
    assert!(detail.contains("USED") && !detail.contains("measured"), "{detail}");
    // The server sends nothing for a minute.
    let now = stage.now.as_second();
    stage.now = at(now + 60);
    stage.wait(0);
    let detail = stage.text(160, 50);
    assert!(detail.contains("used: measured "), "{detail}");
    stage.press(&["esc"]);
    assert_ne!(fresh, dim(&mut stage));
}

#[test]
fn header_ratio_uses_one_unit() {
    let frame = nodes(3, plain()).text(120, 24);
    assert!(header_of(&frame, " memory ").contains("0.0 / 48.0 Gi"), "{frame}");
}

#[test]
fn pending_splits_into_unscheduled_and_starting() {
    let mut stage = nodes(1, plain());
    let mut starting = pod("starting", "n0000");
    starting.phase = nodeglass::model::PodPhase::Pending;
    let mut leaving = pod("leaving", "n0000");
    leaving.deleted = Some(stage.now);
    stage.apply([pod("running", "n0000").added(), starting.added(), leaving.added(), pod("waiting", "").added()]);
    let frame = stage.text(160, 24);
    let line = header_of(&frame, " pods ");
    for part in ["pods       4", "1 running", "1 starting", "1 unscheduled", "1 terminating"] {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[test]
fn legend_names_the_palette() {
    assert!(nodes(1, plain()).text(120, 24).contains("efficiency: <35% low ok >70% high"));
    let pressure = UiOptions { palette: Palette::Pressure, ..plain() };
    assert!(nodes(1, pressure).text(120, 24).contains("pressure: <70% low high >90% critical"));
}

#[test]
fn a_very_long_name_leaves_the_bars_their_room() {
    let long = "ip-10-0-123-234.prod-blue-payments.eu-central-1.compute.internal";
    let mut stage = nodes(3, plain());
    let before = line_of(&stage.text(160, 30), " n0001 ").matches('·').count();
    stage.apply([node(long).added()]);
    let frame = stage.text(160, 30);
    let bars = line_of(&frame, " n0001 ").matches('·').count();
    assert!(bars >= 24, "{bars} cells of bars, {before} before:\n{frame}");
    assert!(line_of(&frame, "ip-10-0-123-234").contains("compute.internal"), "cut in the middle: {frame}");
    assert!(stage.text(250, 30).contains(long), "whole where there is room");
}

#[test]
fn the_reason_why_a_nodepool_is_not_ready_is_read_in_full() {
    let mut stage = nodes(3, plain());
    let mut sick = pool("general");
    let why = "node class default is missing";
    let mut ready = condition("Ready", ConditionStatus::False, "NodeClassNotReady");
    ready.message = why.into();
    sick.conditions = vec![ready];
    sick.limits = Resources::new(1_000_000, 0);
    sick.limited = vec!["cpu".into()];
    stage.apply([sick.added()]);
    stage.draw(120, 30);
    stage.press(&["p"]);
    for width in [120, 160, 200] {
        let frame = stage.text(width, 30);
        assert!(frame.contains(&format!("not ready: {why}")), "{width}:\n{frame}");
        assert!(frame.contains("IDLE") && frame.contains("NEAREST LIMIT"), "{width}:\n{frame}");
    }
    let footer = stage.text(120, 30).lines().last().unwrap().to_owned();
    assert_eq!(footer.matches("select").count(), 1, "{footer}");
}

#[test]
fn nodes_sorted_by_waste_show_it() {
    let mut stage = nodes(2, plain());
    stage.apply([pod("p", "n0001").added()]);
    assert!(!stage.text(160, 30).contains("IDLE"));
    stage.press(&["s", "w"]);
    let frame = stage.text(160, 30);
    let heading = line_of(&frame, "IDLE");
    assert!(heading.contains("IDLE▼"), "{heading}");
    // 500 of 4000 millicores are requested.
    let place = |name: &str| frame.lines().position(|line| line.contains(name)).unwrap();
    assert!(place(" n0000 ") < place(" n0001 "), "{frame}");
    assert!(line_of(&frame, " n0001 ").contains("0.1505"), "{frame}");
}

// === money ===

/// A node in Seoul of this type and with these labels.
fn machine(name: &str, instance_type: &'static str, labels: &[(&'static str, &'static str)]) -> Change {
    let place = [("topology.kubernetes.io/region", "ap-northeast-2"), ("karpenter.sh/capacity-type", "on-demand")];
    let kept = place.into_iter().filter(|(key, _)| labels.iter().all(|(k, _)| k != key));
    let all = kept.chain([("node.kubernetes.io/instance-type", instance_type)]).chain(labels.iter().copied());
    Node { labels: all.collect(), provider_id: "".into(), ..node(name) }.added()
}

const SPOT: (&str, &str) = ("karpenter.sh/capacity-type", "spot");
const CHINA: [(&str, &str); 2] =
    [("topology.kubernetes.io/region", "cn-north-1"), ("eks-node-viewer/instance-price", "0.5")];

fn stage_of(machines: impl IntoIterator<Item = Change>, options: UiOptions) -> Stage {
    let mut stage = Stage::empty(options);
    stage.apply(machines.into_iter().chain([Change::Synced(Stream::Nodes), Change::Synced(Stream::Pods)]));
    stage
}

/// The total and the line below it, at a size that has room for both.
fn money_of(stage: &mut Stage) -> [String; 2] {
    let frame = stage.text(180, 40);
    let total = header_of(&frame, " nodes ").split_whitespace().skip(2).collect::<Vec<_>>().join(" ");
    let cost = header_of(&frame, " cost ").split_whitespace().skip(1).collect::<Vec<_>>().join(" ");
    [total, cost]
}

#[test]
fn totals_say_what_they_leave_out_and_what_they_rest_on() {
    let exact = || machine("a", "c5a.xlarge", &[]);
    let estimate = || machine("b", "c7gd.2xlarge", &[]);
    let unknown = || machine("c", "x99.mega", &[]);
    let unpriced = || machine("d", "c5a.xlarge", &[SPOT]);
    let golden = [
        (vec![], "$0.000/h | $0.00/mo", "—"),
        (vec![exact()], "$0.172/h | $125.56/mo prices 16 months old embedded 2025-03", "instances 0.172 idle $0.172/h"),
        (
            vec![exact(), estimate()],
            "~$0.588/h | ~$429.09/mo prices 16 months old embedded 2025-03",
            "instances 0.588 idle ~$0.588/h",
        ),
        (
            vec![exact(), unknown()],
            "≥ $0.172/h (1 unpriced) | ≥ $125.56/mo prices 16 months old embedded 2025-03",
            "instances 0.172 1 unpriced: no price for this type idle ≥ $0.172/h",
        ),
        (
            vec![exact(), estimate(), unknown(), unpriced()],
            "≥ ~$0.588/h (2 unpriced) | ≥ ~$429.09/mo prices 16 months old embedded 2025-03",
            "instances 0.588 2 unpriced: 1 no price for this type, 1 no spot price idle ≥ ~$0.588/h",
        ),
        (vec![unpriced()], "—/h (1 unpriced) | —/mo", "1 unpriced: no spot price"),
    ];
    for (machines, total, cost) in golden {
        let count = machines.len();
        let mut stage = stage_of(machines, plain());
        assert_eq!(money_of(&mut stage), [total, cost], "{count} machines");
    }
}

/// Reasons are shown as far as there is room: never cut within a word, never left out without their number.
#[test]
fn the_reasons_of_missing_prices_fit_the_line() {
    let plain_od = || machine("a", "c5a.xlarge", &[]);
    let no_type = ["b", "c", "d"].map(|name| machine(name, "x99.mega", &[]));
    let no_spot = ["e", "f"].map(|name| machine(name, "c5a.xlarge", &[SPOT]));
    let yuan = machine("g", "c5a.xlarge", &CHINA);
    let mut stage = stage_of([plain_od(), yuan].into_iter().chain(no_type).chain(no_spot), plain());
    stage.apply([machine("a2", "c5a.xlarge", &[])]);
    let cost = |stage: &mut Stage, w: u16| line_of(&stage.text(w, 40), " cost ").trim_end().to_owned();
    let wide = cost(&mut stage, 160);
    assert!(wide.contains("6 unpriced: 3 no price for this type, 2 no spot price, 1 in another currency"), "{wide}");
    let narrower = cost(&mut stage, 96);
    assert!(narrower.ends_with("6 unpriced: 3 no price for this type, 3 for other reasons"), "{narrower}");
    let narrow = stage.text(80, 24);
    assert!(narrow.contains("(6 unpriced)"), "{narrow}");
}

/// Nodes that come and go are counted beside the number of nodes, and move nothing.
#[test]
fn money_stands_still_while_nodes_come_and_go() {
    for (w, h) in [(80, 24), (100, 30), (120, 40), (160, 50), (200, 60)] {
        let place = |seconds: i64| {
            let frame = Stage::scale_out(seconds, plain()).text(w, h);
            let line = header_of(&frame, " nodes ").to_owned();
            let moving = line.contains('✗') || line.contains(" +");
            (line.chars().position(|c| c == '$'), moving, line)
        };
        let (still, coming, later) = (place(22), place(12), place(140));
        assert!(coming.1, "{}", coming.2);
        let known: Vec<_> = [still, coming, later].into_iter().filter(|(at, ..)| at.is_some()).collect();
        assert!(known.len() >= 2 && known.iter().all(|(at, ..)| *at == known[0].0), "{w}: {known:?}");
    }
}

/// With a filter only the pods of the shown nodes are counted; pods without a node are counted apart.
#[test]
fn a_filter_counts_the_pods_of_the_shown_nodes() {
    let mut stage = Stage::scale_out(140, plain());
    let pods = |stage: &mut Stage| header_of(&stage.text(160, 50), " pods ").trim_end().to_owned();
    let all = pods(&mut stage);
    assert!(all.contains("101") && all.contains(" · 92 unscheduled: "), "{all}");
    stage.press(&["/", "c", "5", "a", ".", "l", "a", "r", "g", "e", "⏎"]);
    let part = pods(&mut stage);
    assert!(part.contains("   and 92 unscheduled: ") && !part.contains("101"), "{part}");
}

/// `0.0860R?` above `0.1720`: the figures stand under each other.
#[test]
fn prices_with_and_without_a_mark_are_aligned() {
    let label = ("eks-node-viewer/instance-price", "0.5");
    let machines = [machine("first", "c5a.xlarge", &[]), machine("second", "c5a.xlarge", &[label])];
    let frame = stage_of(machines, plain()).text(160, 40);
    let dot = |name: &str, price: &str| Some(line_of(&frame, name).split_once(price)?.0.chars().count());
    let (first, second) = (dot(" first ", "0.1720"), dot(" second ", "0.5000*"));
    assert!(first.is_some() && first == second, "{first:?} {second:?} in {frame}");
}

/// In every width the detail shows what is free and the owner of each pod; nothing is cut within a number.
#[test]
fn the_detail_keeps_what_matters_at_every_width() {
    let mut stage = Stage::demo(Some(20), 60, plain());
    stage.press(&["⏎"]);
    for (w, h) in [(80, 80), (100, 80), (120, 60), (160, 60), (200, 60)] {
        let frame = stage.text(w, h);
        for head in ["ALLOCATABLE", "REQUESTS", "USED", "FREE", "OWNER", "STATE"] {
            assert!(frame.contains(head), "{w}: {head} is not in {frame}");
        }
    }
    let wide = stage.text(200, 60);
    assert!(line_of(&wide, "NAMESPACE/POD").matches("USED").count() == 2, "{wide}");
}

/// Nothing is paid by the hour for what was paid in advance: that is no price of 0.
#[test]
fn the_detail_of_what_is_prepaid_shows_no_zero() {
    let block =
        [("karpenter.sh/capacity-type", "reserved"), ("karpenter.k8s.aws/capacity-reservation-type", "capacity-block")];
    let mut stage = stage_of([machine("a", "p5.48xlarge", &block)], plain());
    stage.press(&["⏎"]);
    let detail = stage.text(120, 40);
    let total = line_of(&detail, "total ");
    assert!(total.contains("total          prepaid"), "{detail}");
    let facts: String = detail.lines().skip(2).collect();
    assert!(!facts.contains("$0.00") && facts.contains("paid in advance"), "{detail}");
}

#[test]
fn unpriced_nodes_make_the_total_a_lower_bound() {
    let mut stage = stage_of([machine("a", "c5a.xlarge", &[]), machine("odd", "x99.mega", &[])], plain());
    let frame = stage.text(140, 24);
    let line = header_of(&frame, " nodes ");
    assert!(line.contains("≥ $0.172/h (1 unpriced) | ≥ $125.56/mo"), "{line}");
    let ascii = UiOptions { ascii: true, ..plain() };
    let frame = stage_of([machine("a", "c5a.xlarge", &[]), machine("odd", "x99.mega", &[])], ascii).text(140, 24);
    assert!(header_of(&frame, " nodes ").contains(">= $0.172/h (1 unpriced) | >= $125.56/mo"), "{frame}");
}

/// The table in the program is of 2025-03 here: a terminal of any size says so once, beside the total or as an alert.
#[test]
fn old_prices_are_a_warning_at_every_size() {
    let exact = || machine("a", "c5a.xlarge", &[]);
    let mut stage = stage_of([exact()], plain());
    for (w, h) in [(80, 24), (90, 30), (120, 28), (160, 40), (80, 12), (80, 6)] {
        let frame = stage.text(w, h);
        assert_eq!(frame.matches("prices 16 months old").count(), 1, "{w}x{h}: {frame}");
        assert!(!frame.contains("prices 16 months old:"), "{w}x{h}: {frame}");
    }
    let frame = stage.text(120, 28);
    assert!(header_of(&frame, " nodes ").contains("embedded 2025-03"), "the source stands beside it: {frame}");
    stage.press(&["⏎"]);
    let detail = stage.text(80, 24);
    assert_eq!(detail.lines().nth(1).map(|line| line.matches("prices 16 months old").count()), Some(1), "{detail}");
    // Where a longer total leaves no room, the warning has a line of its own.
    let unpriced = ["b", "c"].map(|name| machine(name, "x99.mega", &[]));
    let mut stage = stage_of(unpriced.into_iter().chain([exact(), machine("d", "c7gd.2xlarge", &[])]), plain());
    let frame = stage.text(80, 24);
    assert!(frame.contains(" prices 16 months old: embedded-estimate 2025-03"), "{frame}");
    assert_eq!(frame.matches("prices 16 months old").count(), 1, "{frame}");
    let frame = stage.text(120, 28);
    assert!(header_of(&frame, " nodes ").contains("prices 16 months old"), "{frame}");
}

#[test]
fn yuan_is_never_shown_as_dollar() {
    let chinese = |name: &str| machine(name, "c5a.xlarge", &CHINA);
    let mut stage = stage_of([chinese("a"), chinese("b")], plain());
    let frames = |stage: &mut Stage| {
        let main = stage.text(160, 40);
        stage.press(&["⏎"]);
        let detail = stage.text(160, 50);
        stage.press(&["esc", "p"]);
        let pools = stage.text(160, 40);
        stage.press(&["esc"]);
        [main, detail, pools].concat()
    };
    let yuan = frames(&mut stage);
    assert!(yuan.contains("¥1.000/h | ¥730.00/mo") && yuan.contains("¥/HOUR") && !yuan.contains('$'), "{yuan}");
    // Two currencies are never added: what most have is the total, and the others are left out of it.
    stage.apply([machine("us", "c5a.xlarge", &[])]);
    let [total, cost] = money_of(&mut stage);
    assert_eq!(total, "≥ ¥1.000/h (1 unpriced) | ≥ ¥730.00/mo price from node label");
    assert!(cost.contains("1 unpriced: in another currency") && !cost.contains('$'), "{cost}");
    let frame = stage.text(160, 40);
    assert!(line_of(&frame, " us ").contains("$0.1720") && line_of(&frame, " b ").contains(" 0.5000*"), "{frame}");
    stage.apply([machine("us2", "c5a.xlarge", &[]), machine("us3", "c5a.xlarge", &[])]);
    let [total, _] = money_of(&mut stage);
    assert_eq!(total, "≥ $0.516/h (2 unpriced) | ≥ $376.68/mo prices 16 months old embedded 2025-03");
    assert!(line_of(&stage.text(160, 40), " b ").contains("¥0.5000*"));
    stage.press(&["g", "g"]);
    let grouped = stage.text(160, 40);
    assert!(grouped.contains("$/HOUR") && !grouped.contains("$0.5000"), "{grouped}");
    let ascii = frames(&mut stage_of([chinese("a")], UiOptions { ascii: true, ..plain() }));
    assert!(ascii.contains("CNY 0.500/h") && ascii.is_ascii(), "{ascii}");
}

#[test]
fn what_has_a_price_by_size_or_by_terms_says_how() {
    let rule = DiscountRule { family: Some("c5a".parse().unwrap()), ..DiscountRule::new("-28%".parse().unwrap()) };
    let file =
        PriceFile::parse("prices.csv", "region,instance_type,capacity,usd_per_hour\n*,m5.large,*,0.07\n").unwrap();
    let book = PriceBook::embedded().with_terms(PriceTerms { file: Some(file), rules: vec![rule] });
    let mut stage = Stage::new(Cluster::new(Some(book)), plain());
    let fargate = [(key::COMPUTE_TYPE, "fargate")];
    let auto = [(key::COMPUTE_TYPE, "auto")];
    let given = Pod { capacity_provisioned: "0.25vCPU 0.5GB".into(), ..pod("p", "fargate-ip-10-0-0-3") };
    let hybrid = [(key::COMPUTE_TYPE, "hybrid")];
    let mut outside = node("outside");
    outside.labels = hybrid.into_iter().chain([("topology.kubernetes.io/region", "us-east-1")]).collect();
    outside.capacity.cpu_millicores = 8000;
    outside.provider_id = "eks-hybrid:///us-east-1/prod/outside".into();
    stage.apply([
        machine("discounted", "c5a.xlarge", &auto),
        machine("by-file", "m5.large", &[]),
        machine("fargate-ip-10-0-0-3", "", &fargate),
        outside.added(),
        given.added(),
        Change::Synced(Stream::Nodes),
        Change::Synced(Stream::Pods),
    ]);
    let [total, cost] = money_of(&mut stage);
    assert!(total.starts_with("≥ ") && total.contains("(1 unpriced)"), "{total}");
    assert!(cost.starts_with("instances 0.194 + auto mode 0.021 + fargate 0.014"), "{cost}");
    assert!(cost.contains("discounts $0.048/h") && cost.contains("hybrid price depends on the month's tier"), "{cost}");
    let mut detail = |name: &str| {
        let id = stage.cluster.row_of_node(name).unwrap().id();
        stage.draw(170, 55);
        stage.act(Action::First);
        for _ in 0..4 {
            stage.draw(170, 55);
            if stage.seen.cursor != Some(id) {
                stage.act(Action::Down);
            }
        }
        assert_eq!(stage.seen.cursor, Some(id), "{name}");
        stage.press(&["⏎"]);
        let frame = stage.text(170, 55);
        stage.press(&["esc"]);
        frame
    };
    let golden: [(&str, &[&str]); 4] = [
        ("discounted", &["discount       $0.17200 → $0.12384", "rule 1: family=c5a ", "auto mode fee  $0.02064"]),
        ("by-file", &["$0.07000  price file", "prices.csv:2 (* m5.large * 0.07)"]),
        (
            "fargate-ip-10-0-0-3",
            &["fargate        $0.01420", "0.25 vCPU × $0.04656 + 0.5 GB × $0.00511", "as the pod is annotated"],
        ),
        ("outside", &["total          ≤ $0.16000/h", "8 vCPU × $0.02 of the first tier"]),
    ];
    for (name, lines) in golden {
        let frame = detail(name);
        for line in lines {
            assert!(frame.contains(line), "{line} is not in\n{frame}");
        }
    }
}

fn failed(source: PriceSource, why: &str, retry: i64) -> PriceNews {
    let state = SourceState::Failed { why: why.into(), retry: at(retry) };
    PriceNews::State { source, region: "ap-northeast-2".into(), state }
}

#[test]
fn a_price_source_that_fails_is_one_quiet_line() {
    let mut stage = nodes(2, plain());
    let off = SourceState::Off { why: "no credentials".into() };
    stage.learn([PriceNews::State { source: PriceSource::GetProducts, region: "ap-northeast-2".into(), state: off }]);
    let silent = stage.text(160, 40);
    let quiet = !silent.contains("credentials") && !silent.contains("prices from");
    assert!(quiet, "off is no trouble: {silent}");
    let now = stage.now.as_second();
    stage.learn([
        failed(PriceSource::PricePage, "failed to connect: refused", now + 240),
        failed(PriceSource::EksList, "failed to connect: refused", now + 120),
    ]);
    let frame = stage.text(160, 40);
    let line = line_of(&frame, "prices not refreshed");
    let all = "prices not refreshed from price-page, eks-price-list of ap-northeast-2: failed to connect: refused";
    assert!(line.contains(all) && line.ends_with(", next try in 2m"), "{line}");
    assert_eq!(frame.matches("refused").count(), 1);
    // Many are summed up.
    let many = [PriceSource::SpotFeed, PriceSource::SpotHistory]
        .map(|source| failed(source, "failed to connect: refused", now + 240));
    let mut more = nodes(2, plain());
    more.learn(many);
    let down = SourceState::Failed { why: "failed to connect: refused".into(), retry: at(now + 240) };
    more.learn([PriceNews::State { source: PriceSource::SpotHistory, region: "cn-north-1".into(), state: down }]);
    let line = line_of(&more.text(160, 40), "prices not refreshed").to_owned();
    assert!(
        line.contains("prices not refreshed from spot-history, spot-feed of 2 regions: failed to connect"),
        "{line}"
    );
    // However narrow it is, it says when it is asked again.
    let narrow = stage.text(80, 24);
    let line = line_of(&narrow, "prices not refreshed");
    assert!(line.contains('…') && line.ends_with(", next try in 2m"), "{line}");
    let alerts: Vec<_> = stage.alerts.iter().map(|alert| (alert.kind, alert.severity)).collect();
    assert_eq!(alerts, [(AlertKind::PriceSource, Severity::Notice), (AlertKind::OldPrices, Severity::Notice)]);
    // It is shown until the source answers.
    for source in [PriceSource::PricePage, PriceSource::EksList] {
        let answered = SourceState::Answered { at: at(now) };
        stage.learn([PriceNews::State { source, region: "ap-northeast-2".into(), state: answered }]);
    }
    assert!(!stage.text(160, 40).contains("prices not refreshed"));
}

#[test]
fn a_price_label_that_is_no_price_is_told() {
    let label = ("eks-node-viewer/instance-price", "inf");
    let mut stage = stage_of([machine("a", "c5a.xlarge", &[label])], plain());
    let frame = stage.text(160, 40);
    assert!(line_of(&frame, "instance-price=`inf`").contains("the label is ignored"), "{frame}");
    assert!(line_of(&frame, " a  ").contains("0.1720"), "priced without it: {frame}");
    stage.press(&["⏎"]);
    let detail = stage.text(160, 50);
    assert!(detail.contains("ignored        label eks-node-viewer/instance-price=`inf`"), "{detail}");
}

#[test]
fn every_line_of_a_price_says_where_it_came_from_and_how_old_it_is() {
    let auto = [SPOT, (key::COMPUTE_TYPE, "auto"), ("topology.kubernetes.io/zone", "ap-northeast-2a")];
    let mut stage = stage_of([machine("a", "c5a.xlarge", &auto)], plain());
    let now = stage.now.as_second();
    let sheet = |source, fetched, cached, prices| {
        let sheet = PriceSheet {
            source,
            region: "ap-northeast-2".into(),
            currency: Currency::Usd,
            fetched: at(fetched),
            cached,
            prices,
        };
        PriceNews::Sheet(sheet)
    };
    let usd = |text: &str| text.parse::<Money>().unwrap();
    let spot = SpotPrice {
        instance_type: "c5a.xlarge".into(),
        zone: Some("ap-northeast-2a".into()),
        os: Os::Linux,
        amount: usd("0.0631"),
    };
    let saving = SpotSaving { instance_type: "c5a.xlarge".into(), os: Os::Linux, percent: 60, interruption_band: 1 };
    let eks = EksPrices { auto_fees: vec![("c5a.xlarge".into(), usd("0.02064"))], ..EksPrices::default() };
    stage.learn([
        sheet(PriceSource::SpotHistory, now - 125, false, Prices::Spot(vec![spot])),
        sheet(PriceSource::SpotAdvisor, now - 60, false, Prices::SpotSavings(vec![saving])),
        sheet(PriceSource::EksList, now - 3 * 3600, true, Prices::Eks(eks)),
    ]);
    assert_eq!(
        money_of(&mut stage),
        ["$0.084/h | $61.13/mo cached 3h", "instances 0.063 + auto mode 0.021 idle $0.084/h spot savings $0.109/h",]
    );
    stage.press(&["⏎"]);
    let detail = stage.text(160, 50);
    for line in [
        "total          $0.08374/h, $61.13/mo",
        "instance       $0.06310  EC2 spot price history, live 2m5s ago",
        "auto mode fee  $0.02064  AmazonEKS price list, cached 3h",
        "on-demand list $0.17200",
        "spot savings   $0.10890  63%",
        "taken back     5 to 10% of this type in a month",
        "idle           $0.08374  100%",
    ] {
        assert!(detail.contains(line), "{line} is not in\n{detail}");
    }
}

#[test]
fn a_missing_price_says_who_could_not_tell_it_and_why() {
    let mut stage = stage_of([machine("a", "c5a.xlarge", &[SPOT])], plain());
    let (region, retry) = ("ap-northeast-2", at(stage.now.as_second() + 60));
    let state_of = |source, state| PriceNews::State { source, region: region.into(), state };
    stage.learn([
        state_of(
            PriceSource::SpotHistory,
            SourceState::Off { why: "ec2:DescribeSpotPriceHistory is not allowed".into() },
        ),
        state_of(PriceSource::SpotFeed, SourceState::Failed { why: "no answer within 15 s".into(), retry }),
        state_of(PriceSource::EksList, SourceState::Off { why: "nothing to do with it".into() }),
    ]);
    let why = "1 unpriced: no spot price (ec2:DescribeSpotPriceHistory is not allowed)";
    let frame = stage.text(160, 40);
    assert!(line_of(&frame, "cost ").contains(why), "{frame}");
    let frame = stage.text(60, 40);
    assert!(
        line_of(&frame, "cost ").trim_end().ends_with("1 unpriced: no spot price"),
        "what has no room is left out:\n{frame}"
    );
    stage.press(&["⏎"]);
    let detail = stage.text(160, 50);
    let left: Vec<String> = detail.lines().map(|line| line.chars().take(60).collect()).collect();
    let shown = left.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = "at most $0.17200: no spot price embedded 2025-03 \
        EC2 spot price history: ec2:DescribeSpotPriceHistory is not allowed \
        AWS spot price page: no answer within 15 s on-demand list";
    assert!(shown.contains(expected), "{detail}");
    assert!(!detail.contains("nothing to do with it"), "{detail}");
    // What is priced needs no excuse.
    let mut stage = stage_of([machine("a", "c5a.xlarge", &[])], plain());
    stage.learn([state_of(PriceSource::PricePage, SourceState::Off { why: "offline".into() })]);
    stage.press(&["⏎"]);
    assert!(!stage.text(160, 50).contains("offline"));
}

// === cursor and pages ===

#[test]
fn cursor_stays_on_its_node() {
    let mut stage = nodes(40, plain());
    stage.draw(120, 24);
    stage.press(&["s", "n"]);
    stage.press(&["↓", "↓", "↓", "→"]);
    let chosen = stage.seen.cursor.unwrap();
    let name = stage.cluster.row(chosen).unwrap().name().to_owned();
    let line = place_of(&stage, chosen);
    // A node that sorts before everything comes; rows do not slide.
    stage.apply([node("a-first").added()]);
    stage.draw(120, 24);
    assert_eq!(stage.seen.cursor, Some(chosen));
    assert_eq!(place_of(&stage, chosen), line, "it stands where it stood");
    // Another order: still the same node.
    stage.press(&["S"]);
    stage.draw(120, 24);
    assert_eq!(stage.cluster.row(stage.seen.cursor.unwrap()).unwrap().name(), name);
    // A claim under the cursor becomes its node.
    let mut stage = nodes(3, plain());
    stage.apply([fresh_claim("general-x").added()]);
    stage.draw(120, 24);
    let row = stage.cluster.row_of_claim("general-x").unwrap().id();
    stage.press(&["end"]);
    while stage.seen.cursor != Some(row) {
        stage.press(&["↑"]);
    }
    stage.apply([node("n9").added(), claim("general-x", "n9").added()]);
    stage.draw(120, 24);
    assert_eq!(stage.cluster.row(stage.seen.cursor.unwrap()).unwrap().name(), "n9");
}

#[test]
fn scale_down_never_leaves_a_blank_page() {
    let mut stage = nodes(100, plain());
    stage.draw(120, 30);
    stage.press(&["end"]);
    assert!(stage.seen.top > 50);
    let gone = (10..100).map(|i| {
        let n = node(&format!("n{i:04}"));
        Change::NodeGone(n.name, n.uid)
    });
    stage.apply(gone).wait(60);
    stage.draw(120, 30);
    assert_eq!((stage.seen.top, stage.view.len()), (0, 10));
    assert_eq!(stage.seen.lines.len(), 10);
}

#[test]
fn pages_cover_every_row_once() {
    let mut stage = nodes(53, plain());
    stage.draw(120, 30);
    let mut seen: Vec<Line> = stage.seen.lines.clone();
    for _ in 0..20 {
        stage.press(&["→"]);
        for line in &stage.seen.lines {
            if !seen.contains(line) {
                seen.push(line.clone());
            }
        }
    }
    assert_eq!(seen.len(), 53);
    assert!(stage.text(120, 30).contains("page"), "the footer says which");
    stage.press(&["home"]);
    assert_eq!(stage.seen.top, 0);
}

#[test]
fn new_nodes_at_the_head_are_seen_until_one_scrolls() {
    let mut stage = nodes(60, plain());
    stage.draw(120, 30);
    stage.press(&["s", "n"]);
    stage.apply([node("a-first").added()]);
    let frame = stage.text(120, 30);
    assert!(frame.contains("a-first"), "{frame}");
}

// === events ===

#[test]
fn events_follow_until_one_scrolls() {
    let mut stage = nodes(1, plain());
    let t = stage.now.as_second();
    let added = |i: i64| event("Node", "n0000", &format!("Reason{i}"), "text", t + i).added();
    stage.apply((0..40).map(added));
    let frame = stage.text(120, 30);
    assert!(frame.contains("following") && frame.contains("Reason39"));
    stage.press(&["tab", "↓", "↓"]);
    let marks = stage.seen.events.clone();
    stage.apply((40..45).map(added));
    let frame = stage.text(120, 30);
    assert_eq!(stage.seen.events, marks, "the lines stand still");
    assert!(frame.contains("5 new"), "{frame}");
    stage.press(&["home"]);
    assert!(stage.text(120, 30).contains("Reason44"));
}

#[test]
fn an_event_leads_to_its_node() {
    let mut stage = nodes(60, plain());
    let t = stage.now.as_second();
    stage.apply([pod("web", "n0057").added(), event("Pod", "web", "BackOff", "text", t).added()]);
    stage.draw(120, 30);
    stage.press(&["tab", "⏎"]);
    let row = stage.cluster.row_of_node("n0057").unwrap().id();
    assert_eq!(stage.seen.cursor, Some(row));
    assert!(stage.seen.lines.contains(&Line::Row(row)));
}

#[test]
fn only_the_events_of_a_node() {
    let mut stage = nodes(2, plain());
    let t = stage.now.as_second();
    stage.apply([
        event("Node", "n0000", "OfTheFirst", "text", t).added(),
        event("Node", "n0001", "OfTheSecond", "text", t).added(),
    ]);
    stage.draw(120, 30);
    let first = stage.cluster.row_of_node("n0000").unwrap().id();
    stage.press(&["end"]);
    while stage.seen.cursor != Some(first) {
        stage.press(&["↑"]);
    }
    stage.press(&["f"]);
    let frame = stage.text(120, 30);
    assert!(frame.contains("OfTheFirst") && !frame.contains("OfTheSecond"), "{frame}");
}

#[test]
fn a_click_selects_and_a_double_click_opens() {
    let mut stage = nodes(10, plain());
    stage.draw(120, 30);
    let (x, y) = (stage.seen.table.x + 5, stage.seen.table.y + 3);
    let line = stage.seen.lines[3].clone();
    stage.act(Action::Click(x, y));
    stage.draw(120, 30);
    assert_eq!(stage.seen.cursor.map(Line::Row), Some(line));
    assert_eq!(stage.act(Action::Click(x, y)), Effect::Nothing);
    assert!(stage.ui.open_node().is_some());
}

#[test]
fn the_border_of_the_events_is_dragged() {
    let mut stage = nodes(60, plain());
    let t = stage.now.as_second();
    stage.apply((0..90).map(|i| event("Node", "n0000", &format!("Reason{i}"), "text", t + i).added()));
    stage.draw(120, 40);
    let border = stage.seen.event_border;
    assert_eq!((border.width, border.height), (120, 1));
    // Dragging elsewhere does nothing.
    stage.act(Action::Click(5, stage.seen.table.y));
    stage.act(Action::Drag(5, border.y - 6));
    stage.draw(120, 40);
    assert_eq!(stage.seen.event_border, border);
    stage.act(Action::Release);
    // The border goes where the mouse goes, as far as nodes keep their lines.
    stage.act(Action::Click(100, border.y));
    for (to, is) in [(border.y - 6, border.y - 6), (border.y + 2, border.y + 2), (0, 11), (39, 37)] {
        stage.act(Action::Drag(100, to));
        stage.draw(120, 40);
        assert_eq!(stage.seen.event_border.y, is, "dragged to {to}");
    }
    stage.act(Action::Drag(100, border.y));
    stage.act(Action::Release);
    stage.act(Action::Drag(100, 20));
    stage.draw(120, 40);
    assert_eq!(stage.seen.event_border, border, "let go");
    stage.press(&["+"]);
    assert_eq!(stage.seen.event_border.y, border.y - 1);
    // A node that comes or goes does not move what was put there.
    stage.apply((60..80).map(|i| node(&format!("n{i:04}")).added()));
    stage.draw(120, 40);
    assert_eq!(stage.seen.event_border.y, border.y - 1);
    // Beside the nodes it is the gap between them.
    stage.draw(220, 26);
    let border = stage.seen.event_border;
    assert!(border.height > 1 && border.width < 4, "{border:?}");
    stage.act(Action::Click(border.x, border.y + 4));
    stage.act(Action::Drag(border.x - 9, 3));
    stage.draw(220, 26);
    assert_eq!(stage.seen.event_border.x, border.x - 9);
}

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    let mut stage = nodes(60, plain());
    let t = stage.now.as_second();
    stage.apply((0..90).map(|i| event("Node", "n0000", &format!("Reason{i}"), "text", t + i).added()));
    stage.draw(120, 40);
    let (table, events) = (stage.seen.table, stage.seen.event_area);
    let turn = |stage: &mut Stage, y: u16, by: i32| {
        stage.act(Action::Wheel(40, y, by));
        stage.draw(120, 40);
        (stage.seen.top, stage.seen.events_top)
    };
    assert_eq!(turn(&mut stage, events.y, 1), (0, 3));
    assert_eq!(turn(&mut stage, events.y - 1, 1), (0, 6), "its rule is a part of the pane");
    assert_eq!(turn(&mut stage, table.y, 1), (3, 6));
    assert_eq!(turn(&mut stage, events.y, -1), (3, 3));
    assert_eq!(turn(&mut stage, events.y, -1), (3, 0));
    assert!(stage.text(120, 40).contains("following"));
    for _ in 0..60 {
        turn(&mut stage, events.y, 1);
    }
    assert_eq!(stage.seen.events_top, 90 - usize::from(events.height), "to the oldest and no further");
}

#[test]
fn lanes_are_clickable() {
    let mut stage = nodes(1, plain());
    stage.draw(120, 30);
    for (area, lane) in stage.seen.lanes.clone() {
        stage.act(Action::Click(area.x, area.y));
        let frame = stage.text(120, 30);
        let name = lane.map_or("all", nodeglass::cluster::Lane::name);
        assert!(frame.contains(&format!("[{name}]")), "{frame}");
    }
}

// === keys ===

#[test]
fn esc_never_quits() {
    for open in [&[][..], &["⏎"], &["p"], &["?"], &["/"], &["s"], &["tab"]] {
        let mut stage = nodes(3, plain());
        stage.draw(100, 30);
        stage.press(open);
        for _ in 0..5 {
            assert_ne!(stage.press(&["esc"]), Effect::Quit);
        }
        assert_eq!(stage.press(&["q"]), Effect::Quit, "everything was closed");
    }
}

#[test]
fn every_key_is_in_help() {
    let mut stage = nodes(1, plain());
    stage.draw(120, 80);
    stage.press(&["?"]);
    let frame = stage.text(140, 90);
    for binding in keys::TABLE {
        assert!(frame.contains(binding.help), "{}", binding.help);
        for chord in binding.keys {
            assert!(frame.contains(chord.name()), "{}", chord.name());
        }
    }
}

#[test]
fn sort_arrow_means_what_it_says() {
    let mut stage = Stage::empty(plain());
    let now = stage.now;
    let aged = |name: &str, seconds: i64| Node { created: at(now.as_second() - seconds), ..node(name) };
    stage.apply([aged("aged", 90_000).added(), aged("young", 30).added(), Change::Synced(Stream::Nodes)]);
    let order = |stage: &mut Stage| {
        let frame = stage.text(120, 24);
        (frame.find(" young").unwrap() < frame.find(" aged").unwrap(), line_of(&frame, "NODE ").to_owned())
    };
    stage.view.set_sort(Sort { column: Column::Age, direction: Direction::Ascending });
    stage.wait(0);
    let (young_first, heading) = order(&mut stage);
    assert!(young_first && heading.contains("AGE▲"), "ascending age is youngest first: {heading}");
    stage.press(&["S"]);
    let (young_first, heading) = order(&mut stage);
    assert!(!young_first && heading.contains("AGE▼"), "{heading}");
}

#[test]
fn a_wrong_filter_keeps_its_text_and_says_why() {
    let mut stage = nodes(3, plain());
    stage.draw(140, 24);
    stage.press(&["/", "sise:big", "⏎"]);
    let frame = stage.text(140, 24);
    let line = frame.lines().last().unwrap();
    assert!(line.contains("/sise:big") && line.contains("no field `sise`"), "{line}");
    stage.press(&["esc"]);
    assert_eq!((stage.view.len(), stage.ui.filter_text()), (3, ""));
    stage.press(&["/", "n0001", "⏎"]);
    let frame = stage.text(140, 24);
    assert!(frame.contains("filter n0001") && frame.contains("1 of 3"), "{frame}");
}

#[test]
fn nodepools_become_a_filter() {
    let mut stage = nodes(2, plain());
    let mut other = node("elsewhere");
    other.labels = [("karpenter.sh/nodepool", "batch")].into_iter().collect();
    stage.apply([other.added(), pool("batch").added(), pool("general").added()]);
    stage.draw(120, 24);
    stage.press(&["p", "↓", "space", "⏎"]);
    assert_eq!((stage.ui.filter_text(), stage.view.len()), ("pool=general", 2));
    stage.press(&["p", "space", "⏎"]);
    assert_eq!(stage.view.len(), 3, "nothing selected shows all");
}

#[test]
fn names_are_copied() {
    let mut stage = nodes(1, plain());
    stage.draw(120, 24);
    assert_eq!(stage.press(&["y"]), Effect::Copy("n0000".into()));
    assert_eq!(stage.press(&["Y"]), Effect::Copy("i-n0000".into()));
    assert!(stage.text(120, 24).contains("copied i-n0000"));
    stage.wait(5);
    assert!(!stage.text(120, 24).contains("copied"), "it does not stay");
}

#[test]
fn what_failed_says_its_cause_first() {
    let mut stage = nodes(1, plain());
    let t = stage.now.as_second();
    let text = "NodeClaim general-x event: insufficient capacity, with fleet error(s), VcpuLimitExceeded: You have \
                requested more vCPU capacity than your current vCPU limit of 32 allows";
    let mut warning = event("NodeClaim", "general-x", "InsufficientCapacityError", text, t);
    warning.kind = nodeglass::model::EventKind::Warning;
    let mut failed = fresh_claim("general-x");
    failed.deleted = Some(stage.now);
    stage.apply([fresh_claim("general-x").added(), warning.added(), failed.added()]);
    let frame = stage.text(120, 30);
    let row = line_of(&frame, " general-x ");
    assert!(row.contains(" VcpuLimitExceeded: You have") && !row.contains("InsufficientCapacity"), "{row}");
    // The whole of it is in the detail.
    stage.press(&["home"]);
    while stage.seen.cursor != stage.cluster.row_of_claim("general-x").map(nodeglass::cluster::Row::id) {
        stage.press(&["↓"]);
    }
    stage.press(&["⏎"]);
    let detail = stage.text(160, 50);
    assert!(detail.contains("InsufficientCapacityError") && detail.contains("VcpuLimitExceeded"), "{detail}");
}

#[test]
fn gone_rows_say_why_in_plain_words() {
    let mut stage = nodes(2, plain());
    let t = stage.now.as_second();
    let n = node("n0001");
    let announced = event("Node", "n0001", "DisruptionTerminating", "Disrupting Node: Underutilized", t);
    stage.apply([announced.added(), Change::NodeGone(n.name, n.uid)]);
    let frame = stage.text(140, 30);
    let row = line_of(&frame, " n0001 ");
    assert!(row.contains("gone 0s ago · underutilized: its pods fit on other nodes"), "{row}");
}

// === empty and broken ===

#[test]
fn empty_screen_names_its_reason() {
    let shown = |changes: Vec<Change>| {
        let mut stage = Stage::empty(UiOptions { tried: "from /home/me/.kube/config".into(), ..plain() });
        stage.apply(changes);
        stage.text(100, 24)
    };
    let now = crate::support::stage::afternoon();
    let link = |state| Change::Link(Stream::Nodes, state);
    assert!(shown(vec![]).contains("Connecting"));
    assert!(shown(vec![link(LinkState::Syncing { seen: 500 })]).contains("Reading nodes: 500 so far"));
    let denied = shown(vec![link(LinkState::Denied { message: "nodes is forbidden".into() })]);
    assert!(denied.contains("nodes is forbidden") && denied.contains("kind: ClusterRole"), "{denied}");
    let at = now.checked_add(jiff::SignedDuration::from_secs(7)).unwrap();
    let down = shown(vec![link(LinkState::Retrying { at, why: "connection refused".into() })]);
    assert!(down.contains("Tried from /home/me/.kube/config"), "{down}");
    let about = Change::About(nodeglass::model::About {
        context: "prod".into(),
        server: "https://example.com".into(),
        ..nodeglass::model::About::default()
    });
    let known = shown(vec![about, link(LinkState::Retrying { at, why: "connection refused".into() })]);
    let tried = "Tried server https://example.com, context prod, from /home/me/.kube/config";
    assert!(known.contains(tried), "{known}");
    for part in ["cannot be reached", "connection refused", "Next try in 7s", "/home/me/.kube/config", "--demo"] {
        assert!(down.contains(part), "{part} in\n{down}");
    }
    let why = "the token of user dev is not accepted (401): Unauthorized";
    let rejected = shown(vec![link(LinkState::Retrying { at, why: why.into() })]);
    assert!(rejected.contains("does not accept the credentials") && rejected.contains(why), "{rejected}");
    assert!(!rejected.contains("cannot be reached"), "it was reached: {rejected}");
    let fresh = shown(vec![Change::Synced(Stream::Nodes), pool("general").added(), pod("web", "").added()]);
    assert!(fresh.contains("No nodes yet") && fresh.contains("1 pod pending") && fresh.contains("general"), "{fresh}");
    let mut stage = nodes(3, plain());
    stage.draw(100, 24);
    stage.press(&["/", "nothing-like-it", "⏎"]);
    let frame = stage.text(100, 24);
    assert!(frame.contains("nothing-like-it") && frame.contains("3 rows are hidden"), "{frame}");
}

#[test]
fn first_frame_needs_no_data() {
    let mut stage = Stage::empty(plain());
    for (w, h) in [(200, 60), (80, 24), (20, 5), (1, 1)] {
        assert!(!stage.text(w, h).trim().is_empty());
    }
}

// === purity and cost ===

#[test]
fn draw_is_pure() {
    let mut stage = Stage::demo(Some(20), 40, UiOptions::default());
    for press in [&[][..], &["↓", "⏎"], &["esc", "p"], &["esc", "?"]] {
        stage.draw(140, 40);
        stage.press(press);
        let first = stage.draw(140, 40);
        let seen = stage.seen.clone();
        assert_eq!(stage.draw(140, 40), first);
        assert_eq!(stage.seen, seen);
    }
}

#[test]
fn frame_work_ignores_the_size_of_the_cluster() {
    let work = |n: usize| {
        let mut stage = nodes(n, plain());
        stage.apply((0..200).map(|i| event("Node", "n0000", &format!("R{i}"), "text", i).added()));
        stage.draw(200, 60);
        stage.seen.formatted
    };
    assert_eq!(work(50), work(5000));
    assert!(work(5000) <= 60);
}

#[test]
fn the_picture_says_when_it_changes_by_itself() {
    let wait = |age: i64| {
        let mut stage = Stage::empty(plain());
        let created = at(stage.now.as_second() - age);
        stage.apply([Node { created, ..node("n") }.added(), Change::Synced(Stream::Nodes)]);
        stage.draw(120, 24);
        ui::next_deadline(&stage.seen).unwrap().as_second() - stage.now.as_second()
    };
    assert_eq!(wait(30), 1, "an age in seconds");
    // 14:02:31: the clock's next minute comes before the age's.
    assert_eq!(wait(3600 * 24 * 5), 29);
    assert_eq!(wait(600 + 50), 10, "an age in minutes");
}

// === any sequence ===

#[derive(Clone, Debug)]
enum Play {
    Key(usize),
    Type(char),
    Click(u16, u16),
    Drag(u16, u16),
    Wheel(u16, u16, i32),
    Size(u16, u16),
    Node(u8),
    NodeGone(u8),
    Pod(u8, u8),
    Claim(u8),
    Event(u8),
    Wait(i64),
}

fn play() -> impl Strategy<Value = Play> {
    let keys = keys::TABLE.iter().map(|b| b.keys.len()).sum::<usize>();
    prop_oneof![
        6 => (0..keys).prop_map(Play::Key),
        2 => prop::char::range(' ', '~').prop_map(Play::Type),
        2 => (0_u16..130, 0_u16..50).prop_map(|(x, y)| Play::Click(x, y)),
        1 => (0_u16..130, 0_u16..50).prop_map(|(x, y)| Play::Drag(x, y)),
        1 => (0_u16..130, 0_u16..50, -2..3).prop_map(|(x, y, n)| Play::Wheel(x, y, n)),
        2 => (0_u16..220, 0_u16..60).prop_map(|(w, h)| Play::Size(w, h)),
        3 => (0_u8..40).prop_map(Play::Node),
        2 => (0_u8..40).prop_map(Play::NodeGone),
        2 => (0_u8..40, 0_u8..40).prop_map(|(p, n)| Play::Pod(p, n)),
        1 => (0_u8..9).prop_map(Play::Claim),
        2 => (0_u8..40).prop_map(Play::Event),
        1 => (0_i64..30).prop_map(Play::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_of_keys_sizes_and_changes_panics(plays in prop::collection::vec(play(), 1..80)) {
        let mut stage = nodes(12, UiOptions::default());
        let (mut w, mut h) = (120, 40);
        let chords: Vec<&str> = keys::TABLE.iter().flat_map(|b| b.keys).map(keys::Chord::name).collect();
        for one in plays {
            let name = |i: u8| format!("n{i:04}");
            match one {
                Play::Key(i) => {
                    stage.press(&[chords[i]]);
                }
                Play::Type(c) => {
                    stage.press(&[&c.to_string()]);
                }
                Play::Click(x, y) => {
                    stage.act(Action::Click(x, y));
                }
                Play::Drag(x, y) => {
                    let border = stage.seen.event_border;
                    stage.act(Action::Click(border.x, border.y));
                    stage.act(Action::Drag(x, y));
                }
                Play::Wheel(x, y, n) => {
                    stage.act(Action::Wheel(x, y, n));
                }
                Play::Size(a, b) => (w, h) = (a, b),
                Play::Node(i) => {
                    stage.apply([node(&name(i)).added()]);
                }
                Play::NodeGone(i) => {
                    let gone = node(&name(i));
                    stage.apply([Change::NodeGone(gone.name, gone.uid)]);
                }
                Play::Pod(p, n) => {
                    stage.apply([pod(&format!("p{p}"), &if n < 30 { name(n) } else { String::new() }).added()]);
                }
                Play::Claim(i) => {
                    stage.apply([fresh_claim(&format!("general-{i}")).added()]);
                }
                Play::Event(i) => {
                    let t = stage.now.as_second();
                    stage.apply([event("Node", &name(i), "Something", "happened", t).added()]);
                }
                Play::Wait(s) => {
                    stage.wait(s);
                }
            }
            let first = stage.draw(w, h);
            let seen: Seen = stage.seen.clone();
            // A non-empty list that has room shows rows, and as many as fit.
            if seen.page > 0 && !stage.view.is_empty() && stage.ui.open_node().is_none() {
                prop_assert_eq!(seen.lines.len(), seen.page.min(stage.view.lines().len()));
            }
            prop_assert_eq!(stage.draw(w, h), first);
        }
    }
}

// === pictures ===

/// The pictures of the README: name, frame, and the terminal's ground.
fn pictures() -> Vec<(&'static str, String)> {
    let colour = UiOptions::default;
    let take = |title: &str, stage: &mut Stage, w: u16, h: u16| svg(&stage.draw(w, h), svg::DARK, title);
    let mut all = Vec::new();
    let mut blog = Stage::scale_out(140, colour());
    all.push(("scale-out", take("nodeglass while a cluster scales out", &mut blog, 150, 36)));
    all.push(("narrow", take("nodeglass in 80 columns", &mut blog, 80, 24)));
    let mut fleet = Stage::demo(Some(60), 120, colour());
    all.push(("fleet", take("nodeglass on a fleet of 60 nodes", &mut fleet, 170, 48)));
    let both = ExtraCosts { control_plane: true, volumes: true };
    let mut one = Stage::demo_with(both, Some(60), 120, colour());
    one.press(&["end", "⏎"]);
    all.push(("detail", take("one spot node in detail, with its price line by line", &mut one, 150, 44)));
    fleet.press(&["p"]);
    all.push(("nodepools", take("nodepools", &mut fleet, 140, 20)));
    fleet.press(&["esc", "g", "home"]);
    all.push(("grouped", take("nodes by nodepool, with subtotals", &mut fleet, 150, 36)));
    let mut light = Stage::demo(Some(60), 120, UiOptions { light: true, palette: Palette::Pressure, ..colour() });
    all.push(("light", svg(&light.draw(150, 36), svg::LIGHT, "on a light ground, with the pressure palette")));
    all
}

/// The pictures that are compared byte for byte. Of the others only the size and the title are: a new price or colour does
/// not make seven files out of date.
const COMPARED: [&str; 2] = ["scale-out", "detail"];

/// Run with `UPDATE_SCREENSHOTS=1` to make them anew.
#[test]
fn screenshots_show_the_program_as_it_is() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    let update = std::env::var_os("UPDATE_SCREENSHOTS").is_some();
    for (name, picture) in pictures() {
        let path = dir.join(format!("{name}.svg"));
        if update {
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(&path, &picture).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let head = |svg: &str| svg.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
        let is_current = if COMPARED.contains(&name) { kept == picture } else { head(&kept) == head(&picture) };
        assert!(is_current, "screenshots/{name}.svg is out of date; UPDATE_SCREENSHOTS=1 makes it anew");
    }
}

// === shares and usage of a part ===

fn with_gpus(name: &str, gpus: u64) -> Node {
    let mut node = node(name);
    node.allocatable.set(&Resource::from_name("nvidia.com/gpu"), gpus);
    node
}

fn four_gpus(name: &str, node: &str) -> Pod {
    let mut pod = pod(name, node);
    pod.requests.set(&Resource::from_name("nvidia.com/gpu"), 4);
    pod
}

/// NVIDIA/k8s-device-plugin issues 58, 75 and 231: allocatable is 0 while pods hold four.
#[test]
fn devices_that_are_requested_of_none_are_full() {
    let mut stage = Stage::empty(plain());
    stage.apply([
        with_gpus("lost-all", 0).added(),
        with_gpus("lost-one", 3).added(),
        node("never-had").added(),
        four_gpus("a", "lost-all").added(),
        four_gpus("b", "lost-one").added(),
        Change::Synced(Stream::Nodes),
        Change::Synced(Stream::Pods),
    ]);
    let frame = stage.text(160, 30);
    assert!(line_of(&frame, "lost-all").contains("4/0"), "{frame}");
    assert!(line_of(&frame, "lost-one").contains("133%"), "{frame}");
    assert!(!line_of(&frame, "never-had").contains("4/0"), "{frame}");
    assert!(header_of(&frame, " gpu").contains("8 / 3"), "{frame}");
    // All of them are lost: the device keeps its bar.
    stage.apply([with_gpus("lost-one", 0).added()]);
    let frame = stage.text(160, 30);
    assert!(header_of(&frame, " gpu").contains("8 / 0") && header_of(&frame, " gpu").contains("full"), "{frame}");
    stage.press(&["⏎"]);
    let frame = stage.text(160, 40);
    assert!(line_of(&frame, "nvidia.com/gpu").contains('4'), "{frame}");
}

/// Two of three nodes are measured: their use is a share of what they offer.
#[test]
fn usage_is_a_share_of_the_measured_nodes() {
    let mut stage = nodes(3, plain());
    let usage = Usage { cpu_millicores: 862, window_seconds: 30, at: stage.now, ..Usage::default() };
    stage.apply([
        Change::Link(Stream::NodeMetrics, LinkState::Live),
        Change::NodeUsage(vec![("n0000".into(), usage), ("n0001".into(), usage)]),
    ]);
    let frame = stage.text(160, 20);
    assert!(header_of(&frame, " cpu").contains("used 21.6% of 2 nodes"), "{frame}");
    stage.press(&["v"]);
    let frame = stage.text(160, 20);
    let cpu = header_of(&frame, " cpu");
    assert!(cpu.contains("1.7 / 8.0") && cpu.contains("21.6%") && cpu.contains("of 2 nodes"), "{frame}");
}

/// A pod that is deleted before it ever had a node is in the cluster's pods, whatever part of the nodes is shown.
#[test]
fn the_header_counts_the_pods_that_json_counts() {
    let mut stage = nodes(3, plain());
    let deleted = Pod { deleted: Some(stage.now), ..pod("never-bound", "") };
    stage.apply([pod("running", "n0000").added(), pod("waiting", "").added(), deleted.added()]);
    for (filtered, all) in [(false, "3 "), (true, "2 ")] {
        if filtered {
            stage.press(&["/", "n0000", "⏎"]);
        }
        let pods = Report::new(&stage.cluster, &stage.view, stage.now).totals.pods.unwrap();
        assert_eq!((pods.total, pods.unscheduled, pods.terminating), (3, 1, 1));
        let frame = stage.text(160, 40);
        let line = header_of(&frame, " pods ");
        assert!(line.trim_start_matches(" pods ").trim_start().starts_with(all), "{line}");
        assert!(line.contains("1 terminating") && line.contains("1 unscheduled"), "{line}");
    }
}

/// What is used is known though pods may not be read.
#[test]
fn usage_is_shown_while_pods_are_denied() {
    let mut stage = Stage::empty(plain());
    let usage = Usage { cpu_millicores: 1000, window_seconds: 30, at: stage.now, ..Usage::default() };
    stage.apply([
        node("n").added(),
        Change::Synced(Stream::Nodes),
        Change::Link(Stream::Pods, LinkState::Denied { message: "pods is forbidden".into() }),
        Change::Link(Stream::NodeMetrics, LinkState::Live),
        Change::NodeUsage(vec![("n".into(), usage)]),
    ]);
    let frame = stage.text(160, 20);
    assert!(header_of(&frame, " cpu").contains("used 25.0%"), "{frame}");
    assert!(line_of(&frame, "c5a.xlarge").contains('█'), "{frame}");
}

/// A deleted node's pods stay counted until they go, and are named once that lasts.
#[test]
fn pods_of_a_deleted_node_stay_counted() {
    let mut stage = nodes(1, plain());
    stage.apply([node("taken-away").added()]);
    stage.apply((0..3).map(|i| pod(&format!("p{i}"), "taken-away").added()));
    let gone = node("taken-away");
    stage.apply([Change::NodeGone(gone.name, gone.uid)]);
    for seconds in [0, 5, 20, 60] {
        let frame = stage.wait(seconds).text(160, 20);
        assert!(header_of(&frame, " pods").contains("3 running"), "{frame}");
        assert!(!frame.contains("do not exist") && !frame.contains("does not exist"), "{frame}");
    }
    let frame = stage.wait(10).text(160, 20);
    assert!(frame.contains("3 pods are bound to a node that does not exist: taken-away"), "{frame}");
    // A claim that still names it, or the node itself, is an answer.
    let frame = stage.apply([node("taken-away").added()]).text(160, 20);
    assert!(!frame.contains("does not exist"), "{frame}");
}
