//! The last line: the keys of the current screen and the page, or the filter while it is edited, or a notice.

use super::format;
use super::keys::{Action, Binding, TABLE, scopes};
use super::pen::{Pen, columns};
use super::scene::Scene;
use super::sorting;
use super::state::{FilterBox, Layer, Seen};
use super::theme::{Role, Theme};
use crate::units::text::cut_end;

/// The name of a key in the footer and the help.
pub(super) fn key_name<'a>(name: &'a str, theme: &Theme) -> &'a str {
    if !theme.ascii {
        return name;
    }
    match name {
        "←" => "left",
        "→" => "right",
        "↑" => "up",
        "↓" => "down",
        "⏎" => "enter",
        other => other,
    }
}

/// The first key of a binding; a movement shows the keys of both directions.
fn keys(binding: &Binding, theme: &Theme) -> String {
    let first = binding.keys.first().map_or("", |chord| chord.name());
    let first = key_name(first, theme);
    match binding.action {
        Action::PageUp => format!("{first}/{}", key_name("→", theme)),
        Action::Up => format!("{first}/{}", key_name("↓", theme)),
        _ => first.to_owned(),
    }
}

pub(super) fn draw(pen: &mut Pen<'_>, scene: &Scene<'_>, seen: &mut Seen) {
    match scene.ui.layer() {
        Some(Layer::Filter(state)) => return filter(pen, scene, state, seen),
        Some(Layer::Sort(_)) => return sorting::draw(pen, scene.view, &scene.ui.options, scene.theme()),
        Some(Layer::Detail(_) | Layer::Pools(_) | Layer::Help(_)) | None => {}
    }
    let theme = scene.theme();
    let end = match place(scene, seen) {
        Some(text) => pen.put_before(pen.width().saturating_sub(1), 0, &text, theme.dim()),
        None => pen.width(),
    };
    if let Some(notice) = scene.ui.notice.as_ref().filter(|n| n.until > scene.now) {
        let room = usize::from(end.saturating_sub(3));
        pen.put(1, 0, &cut_end(&notice.text, room), theme.style(Role::Good));
        return;
    }
    let scopes = scopes(scene.ui);
    let mut hints: Vec<(String, &str)> = Vec::new();
    if scene.ui.layer().is_some() {
        hints.push(("esc".into(), "back"));
    }
    let wanted = scopes.iter().flat_map(|scope| TABLE.iter().filter(move |b| b.scope == *scope));
    let mut found: Vec<&Binding> = wanted.filter(|b| b.hint.is_some()).collect();
    // In the order of the key table; help and quit, its last two, are never left out.
    found.sort_by_key(|b| TABLE.iter().position(|t| std::ptr::eq(t, *b)));
    hints.extend(found.into_iter().filter_map(|b| Some((keys(b, theme), b.hint?))));
    let wide = |(key, hint): &(String, &str)| columns(key) + 1 + columns(hint) + 2;
    while hints.len() > 2 && hints.iter().map(wide).sum::<u16>() + 2 > end {
        hints.remove(hints.len() - 3);
    }
    let mut x = 1;
    for hint in &hints {
        if x + wide(hint) > end + 2 {
            break;
        }
        x = pen.put(x, 0, &hint.0, theme.style(Role::Key));
        x = pen.put(x + 1, 0, hint.1, theme.dim()) + 2;
    }
}

/// `page 1/3 · 2 of 40 nodes`.
fn place(scene: &Scene<'_>, seen: &Seen) -> Option<String> {
    if scene.ui.layer().is_some() {
        let end = seen.scroll_end;
        return (end > 0).then(|| format!("{end} more lines"));
    }
    let n = scene.view.lines().len();
    let page = seen.page.max(1);
    let pages = n.div_ceil(page).max(1);
    let at = if seen.top + page >= n { pages } else { seen.top / page + 1 };
    let shown = scene.view.len() as u64;
    let rows = if scene.view.filter().is_empty() {
        format::count(shown, "row", "rows")
    } else {
        format!("{shown} of {} rows", scene.view.of())
    };
    Some(format!("page {at}/{pages} {} {rows}", scene.theme().glyphs().dot))
}

/// The filter while it is edited, and the error of a term that does not parse.
fn filter(pen: &mut Pen<'_>, scene: &Scene<'_>, state: &FilterBox, seen: &mut Seen) {
    let theme = scene.theme();
    let w = pen.width();
    let start = pen.put(1, 0, "/", theme.style(Role::Key));
    let room = match &state.error {
        Some(_) => (w / 2).max(w.min(20)),
        None => w.saturating_sub(start + 2),
    };
    let room = room.saturating_sub(start).max(1);
    let scroll = state.input.visual_scroll(usize::from(room));
    let shown: String = visible(state.input.value(), scroll, usize::from(room));
    let style = if state.error.is_some() { theme.style(Role::Bad) } else { theme.style(Role::Strong) };
    let x = pen.put_max(start, 0, &shown, room, style);
    let caret = state.input.visual_cursor().saturating_sub(scroll) as u16;
    let area = pen.area();
    seen.caret = Some((area.x + (start + caret).min(w.saturating_sub(1)), area.y));
    let x = x.max(start + caret) + 2;
    let (text, role) = match &state.error {
        Some(error) => (error.strip_prefix("read ").unwrap_or(error).to_owned(), Role::Bad),
        None if state.input.value().is_empty() => {
            ("pool:spot cpu<50 type:c5a status:draining -zone:2a text".to_owned(), Role::Dim)
        }
        None => ("⏎ apply  esc cancel".to_owned(), Role::Dim),
    };
    let text = if theme.ascii { text.replace('⏎', "enter") } else { text };
    if x < w {
        pen.put(x, 0, &cut_end(&text, usize::from(w - x)), theme.style(role));
    }
}

/// The part of a text that starts at column `skip` and is at most `room` columns wide.
fn visible(text: &str, skip: usize, room: usize) -> String {
    use unicode_segmentation::UnicodeSegmentation;
    let mut at = 0;
    let mut out = String::new();
    for grapheme in text.graphemes(true) {
        let columns = crate::units::text::width(grapheme);
        if at >= skip && at + columns <= skip + room {
            out.push_str(grapheme);
        }
        at += columns;
    }
    out
}
