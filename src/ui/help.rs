//! The help screen: the key table, the mouse and the symbols.

use super::footer::key_name;
use super::keys::{Scope, TABLE};
use super::pen::{Pen, columns};
use super::scene::Scene;
use super::state::Seen;
use super::theme::{Role, Theme};
use ratatui::style::Style;

type Line = Vec<(String, Style)>;

/// Symbols and price marks with their meaning.
fn symbols(theme: &Theme) -> Vec<(String, &'static str)> {
    let g = theme.glyphs();
    vec![
        (g.new.into(), "new in the last seconds"),
        (g.launching.into(), "NodeClaim created or launching"),
        (g.joining.into(), "joined, not initialized yet"),
        (g.leaving.into(), "disrupted, draining or terminating"),
        (g.failed.into(), "launch failed; the row shows why"),
        (g.cordoned.into(), "cordoned"),
        (g.broken.into(), "not ready"),
        (format!("{} ~ {} {}", g.least, g.most, g.unknown), "at least, estimated, at most, unknown"),
        ("R ? *".into(), "reserved at the on-demand rate, assumed on-demand, price from node label"),
        (
            format!("{} {} {} {} {} {}", g.live, g.syncing, g.polled, g.retrying, g.denied, g.absent),
            "watch: synced, syncing, listed only, error, forbidden, not installed",
        ),
    ]
}

/// Every line of the help.
fn lines(theme: &Theme) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::new();
    let mut entry = |key: String, words: &str| {
        let pad = 22_u16.saturating_sub(columns(&key)).max(1);
        out.push(vec![
            ("   ".into(), Style::new()),
            (key, theme.style(Role::Key)),
            (" ".repeat(usize::from(pad)), Style::new()),
            (words.into(), theme.style(Role::Text)),
        ]);
    };
    let mut blocks: Vec<(usize, &'static str)> = Vec::new();
    let mut count = 0;
    for scope in Scope::ALL {
        blocks.push((count, scope.name()));
        for binding in TABLE.iter().filter(|b| b.scope == scope) {
            let names: Vec<&str> = binding.keys.iter().map(|chord| key_name(chord.name(), theme)).collect();
            entry(names.join(" "), binding.help);
            count += 1;
        }
    }
    blocks.push((count, "mouse"));
    for (what, does) in [
        ("click", "select the line, or the lane"),
        ("double click", "open the node, or go to an event's node"),
        ("wheel", "scroll"),
    ] {
        entry(what.into(), does);
        count += 1;
    }
    blocks.push((count, "symbols"));
    for (sign, words) in symbols(theme) {
        entry(sign, words);
    }
    for (at, name) in blocks.into_iter().rev() {
        out.insert(at, vec![(format!(" {name}"), theme.style(Role::Title))]);
        if at > 0 {
            out.insert(at, Vec::new());
        }
    }
    out
}

pub(super) fn draw(pen: &mut Pen<'_>, scene: &Scene<'_>, scroll: usize, seen: &mut Seen) {
    let theme = scene.theme();
    pen.rule(0, theme.glyphs().rule, theme.style(Role::Rule));
    pen.put(2, 0, " keys ", theme.style(Role::Title));
    let lines = lines(theme);
    let page = usize::from(pen.height().saturating_sub(1));
    seen.layer_page = page;
    seen.scroll_end = lines.len().saturating_sub(page);
    let top = scroll.min(seen.scroll_end);
    for (y, line) in (1..pen.height()).zip(lines.iter().skip(top)) {
        let mut x = 0;
        for (text, style) in line {
            x = pen.put(x, y, text, *style);
        }
    }
}
