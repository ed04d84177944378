//! Applies actions to the state of the screen. The only writer of [`UiState`]; it performs no I/O: side effects are
//! returned as an [`Effect`].

use super::amounts::bar_choices;
use super::events;
use super::keys::Action;
use super::nodepools;
use super::placement::{self, Placement, near, row_at, tie};
use super::sorting;
use super::state::{Detail, EventMark, FilterBox, Focus, Layer, Pools, Seen, Top, UiState};
use crate::cluster::{Cluster, RowId};
use crate::insight::{Filter, GroupBy, View};
use crate::model::{Name, Timestamp};
use crate::units::text::clean;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent};
use ratatui::layout::Rect;
use tui_input::backend::crossterm::EventHandler;

/// A side effect for the caller to perform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// None but a new frame.
    #[default]
    Nothing,
    /// Leave the program.
    Quit,
    /// Suspend the process until it is continued.
    Suspend,
    /// Copy this text to the clipboard (OSC 52).
    Copy(String),
}

/// Two clicks on one line within this time open it.
const DOUBLE_CLICK_MILLIS: i64 = 400;
/// Lines a step of the wheel moves.
const WHEEL_LINES: usize = 3;

/// Applies an action. `seen` is what the last frame showed.
pub fn update(
    ui: &mut UiState,
    view: &mut View,
    cluster: &Cluster,
    action: Action,
    seen: &Seen,
    now: Timestamp,
) -> Effect {
    match action {
        Action::Quit => return Effect::Quit,
        Action::Suspend => return Effect::Suspend,
        Action::CopyName | Action::CopyId => return copy(ui, view, cluster, &action, seen, now),
        Action::Close => return close(ui, view),
        Action::Open => return open(ui, view, cluster, seen, now),
        Action::Click(x, y) => return click(ui, view, cluster, seen, (x, y), now),
        Action::Wheel(x, y, steps) => wheel(ui, view, cluster, seen, (x, y), steps),
        Action::Up => step(ui, view, cluster, seen, Step::Lines(-1)),
        Action::Down => step(ui, view, cluster, seen, Step::Lines(1)),
        Action::PageUp => step(ui, view, cluster, seen, Step::Pages(-1)),
        Action::PageDown => step(ui, view, cluster, seen, Step::Pages(1)),
        Action::First => step(ui, view, cluster, seen, Step::First),
        Action::Last => step(ui, view, cluster, seen, Step::Last),
        Action::Filter => {
            // A space, so that the next term can be typed at once.
            let text =
                if ui.filter_text.is_empty() { String::new() } else { format!("{} ", ui.filter_text.trim_end()) };
            let input = tui_input::Input::new(text);
            ui.layers.push(Layer::Filter(FilterBox { input, error: None }));
        }
        Action::Sort => ui.layers.push(Layer::Sort(view.sort().clone())),
        Action::Flip => {
            let mut sort = view.sort().clone();
            sort.direction = sort.direction.flipped();
            view.set_sort(sort);
        }
        Action::Group => {
            let next = cycled(&GroupBy::ALL, view.group_by(), 1);
            view.set_group_by(next);
        }
        Action::Bars => {
            let choices = bar_choices(view);
            ui.bars = cycled(&choices, &ui.bars, 1);
        }
        Action::Events => {
            ui.events.shown = !ui.events.shown;
            ui.focus = Focus::Nodes;
        }
        Action::Grow => resize_events(ui, seen, 1),
        Action::Shrink => resize_events(ui, seen, -1),
        Action::Drag(x, y) => drag(ui, seen, (x, y)),
        Action::Release => ui.events.dragged = false,
        Action::NodeEvents => node_events(ui, view, cluster, seen),
        Action::Lane => turn_lane(ui, 1),
        Action::LaneBack => turn_lane(ui, -1),
        Action::Collapse => {
            ui.events.one_by_one = !ui.events.one_by_one;
            follow(ui);
        }
        Action::Focus => {
            ui.focus = match ui.focus {
                Focus::Nodes if ui.events.shown => Focus::Events,
                Focus::Nodes | Focus::Events => Focus::Nodes,
            };
        }
        Action::Pools => ui.layers.push(Layer::Pools(Pools {
            chosen: view.filter().pools().into_iter().map(Name::from).collect(),
            ..Pools::default()
        })),
        Action::Toggle => toggle_pool(ui, cluster),
        Action::Help => ui.layers.push(Layer::Help(0)),
        Action::Type(key) => typed(ui, view, key),
        Action::Paste(text) => paste(ui, &text),
    }
    Effect::Nothing
}

/// The item `by` places after `current`, wrapping around; the first item if `current` is not among them.
fn cycled<T: Clone + PartialEq>(items: &[T], current: &T, by: isize) -> T {
    let n = items.len() as isize;
    let at = items.iter().position(|t| t == current).map_or(0, |at| (at as isize + by).rem_euclid(n.max(1)));
    items.get(at as usize).unwrap_or(current).clone()
}

// === moving ===

#[derive(Clone, Copy)]
enum Step {
    Lines(isize),
    Pages(isize),
    First,
    Last,
}

impl Step {
    /// The index after a step from `at` in a list of `len` lines.
    fn from(self, at: usize, len: usize, page: usize) -> usize {
        let to = match self {
            Self::Lines(n) => at.saturating_add_signed(n),
            Self::Pages(n) => at.saturating_add_signed(n.saturating_mul(page.max(1) as isize)),
            Self::First => 0,
            Self::Last => usize::MAX,
        };
        to.min(len.saturating_sub(1))
    }
}

fn step(ui: &mut UiState, view: &View, cluster: &Cluster, seen: &Seen, step: Step) {
    let scroll = |at: &mut usize| *at = step.from((*at).min(seen.scroll_end), seen.scroll_end + 1, seen.layer_page);
    match ui.layers.last_mut() {
        Some(Layer::Detail(detail)) => return scroll(&mut detail.scroll),
        Some(Layer::Help(at)) => return scroll(at),
        Some(Layer::Pools(state)) => {
            let names = nodepools::names(cluster);
            let at = nodepools::cursor(state, &names);
            state.cursor_at = step.from(at, names.len(), seen.layer_page);
            state.cursor = names.get(state.cursor_at).cloned();
            return;
        }
        Some(Layer::Filter(_) | Layer::Sort(_)) => return,
        None => {}
    }
    match ui.focus {
        Focus::Nodes => step_nodes(ui, view, cluster, seen.page, step),
        Focus::Events => step_events(ui, cluster, seen, step),
    }
}

fn step_nodes(ui: &mut UiState, view: &View, cluster: &Cluster, page: usize, step: Step) {
    let lines = view.lines();
    let Placement { top, cursor_at, .. } = placement::place(&ui.table, view, cluster, page);
    let wanted = step.from(cursor_at, lines.len(), page);
    let down = wanted > cursor_at || matches!(step, Step::Lines(1..) | Step::Last);
    // Headings are skipped in the direction of the step.
    let is_row = |i: &usize| row_at(lines, *i).is_some();
    let found = if down { (wanted..lines.len()).find(is_row) } else { (0..=wanted).rev().find(is_row) };
    let Some(at) = found.or_else(|| near(lines, wanted)) else { return };
    let top = match step {
        Step::Pages(n) => top.saturating_add_signed(n.saturating_mul(page.max(1) as isize)),
        Step::First => 0,
        Step::Lines(_) | Step::Last => top,
    };
    set_table(ui, view, cluster, page, top, at);
}

/// Moves the cursor to a line, and the top to `top` as far as the cursor stays on the page.
fn set_table(ui: &mut UiState, view: &View, cluster: &Cluster, page: usize, top: usize, cursor_at: usize) {
    let lines = view.lines();
    ui.table.cursor = row_at(lines, cursor_at);
    ui.table.cursor_at = cursor_at;
    ui.table.top_at = top.min(lines.len().saturating_sub(page));
    ui.table.top = tie(lines, ui.table.top_at);
    let placed = placement::place(&ui.table, view, cluster, page);
    // With the cursor on the first row, its heading is shown as well.
    let top = if near(lines, 0) == Some(placed.cursor_at) && placed.cursor_at < page { 0 } else { placed.top };
    ui.table.top = tie(lines, top);
    ui.table.top_at = top;
}

fn step_events(ui: &mut UiState, cluster: &Cluster, seen: &Seen, step: Step) {
    let query = events::query(ui, cluster);
    let lines = || cluster.events().lines(&query).map(|line| EventMark { id: line.id, last: line.last });
    let page = usize::from(seen.event_area.height);
    let shown = ui.events.cursor.and_then(|mark| seen.events.iter().position(|e| e.id == mark.id));
    let at = seen.events_top + shown.unwrap_or(0);
    let len = match step {
        Step::Last => lines().count(),
        Step::Lines(_) | Step::Pages(_) | Step::First => lines().take(at + page + 2).count(),
    };
    let to = step.from(at, len, page);
    if to == 0 || len == 0 {
        return follow(ui);
    }
    let top = if to < seen.events_top {
        to
    } else if to >= seen.events_top + page.max(1) {
        to + 1 - page.max(1)
    } else {
        seen.events_top
    };
    if ui.events.top.is_none() {
        ui.events.read = cluster.events().arrivals();
    }
    ui.events.top = lines().nth(top);
    ui.events.cursor = lines().nth(to);
}

/// Scrolls the events and keeps their cursor; at the head of the list they follow the newest again.
fn scroll_events(ui: &mut UiState, cluster: &Cluster, seen: &Seen, by: isize) {
    let query = events::query(ui, cluster);
    let lines = || cluster.events().lines(&query).map(|line| EventMark { id: line.id, last: line.last });
    let page = usize::from(seen.event_area.height);
    let wanted = seen.events_top.saturating_add_signed(by);
    let len = lines().take(wanted + page).count();
    let top = wanted.min(len.saturating_sub(page));
    if top == 0 {
        return follow(ui);
    }
    if ui.events.top.is_none() {
        ui.events.read = cluster.events().arrivals();
    }
    ui.events.top = lines().nth(top);
}

/// Follows the newest event again.
fn follow(ui: &mut UiState) {
    ui.events.top = None;
    ui.events.cursor = None;
}

fn wheel(ui: &mut UiState, view: &View, cluster: &Cluster, seen: &Seen, at: (u16, u16), steps: i32) {
    let lines = steps.signum() as isize * WHEEL_LINES as isize;
    if ui.layer().is_some_and(Layer::covers) {
        return step(ui, view, cluster, seen, Step::Lines(lines));
    }
    if inside(seen.event_pane, at) {
        return scroll_events(ui, cluster, seen, lines);
    }
    let placed = placement::place(&ui.table, view, cluster, seen.page);
    let end = view.lines().len().saturating_sub(seen.page);
    let top = placed.top.saturating_add_signed(lines).min(end);
    let last = (top + seen.page.max(1)).saturating_sub(1);
    let Some(cursor) = near(view.lines(), placed.cursor_at.clamp(top, last)) else { return };
    set_table(ui, view, cluster, seen.page, top, cursor);
}

// === the mouse ===

const fn inside(area: Rect, (x, y): (u16, u16)) -> bool {
    x >= area.x && x < area.x.saturating_add(area.width) && y >= area.y && y < area.y.saturating_add(area.height)
}

/// Columns by which a key resizes the event pane beside the nodes.
const BESIDE_STEP: u16 = 4;

/// Whether the event pane is beside the nodes rather than below them.
const fn beside(seen: &Seen) -> bool {
    seen.event_border.height > 1
}

/// Grows or shrinks the event pane from its present size.
fn resize_events(ui: &mut UiState, seen: &Seen, by: i16) {
    let pane = seen.event_pane;
    if pane.is_empty() {
        return;
    }
    if beside(seen) {
        ui.events.columns = Some(pane.width.saturating_add_signed(by * BESIDE_STEP as i16));
    } else {
        ui.events.lines = Some(pane.height.saturating_add_signed(by));
    }
}

/// Moves the border to the mouse; the next frame limits the size.
fn drag(ui: &mut UiState, seen: &Seen, (x, y): (u16, u16)) {
    let pane = seen.event_pane;
    if !ui.events.dragged || pane.is_empty() {
        return;
    }
    if beside(seen) {
        ui.events.columns = Some(pane.right().saturating_sub(x.saturating_add(1)));
    } else {
        ui.events.lines = Some(pane.bottom().saturating_sub(y));
    }
}

fn click(ui: &mut UiState, view: &mut View, cluster: &Cluster, seen: &Seen, at: (u16, u16), now: Timestamp) -> Effect {
    ui.events.dragged = false;
    let before = ui.click.replace((now, at.0, at.1));
    let twice = before.is_some_and(|(then, _, y)| {
        y == at.1 && (0..=DOUBLE_CLICK_MILLIS).contains(&(now.as_millisecond() - then.as_millisecond()))
    });
    match ui.layers.last_mut() {
        Some(Layer::Pools(state)) => {
            if let Some((_, name)) = seen.pools.iter().find(|(area, _)| inside(*area, at)) {
                state.cursor = Some(name.clone());
                if twice {
                    return open(ui, view, cluster, seen, now);
                }
            }
            return Effect::Nothing;
        }
        Some(Layer::Detail(_) | Layer::Help(_) | Layer::Filter(_) | Layer::Sort(_)) => return Effect::Nothing,
        None => {}
    }
    if let Some((_, lane)) = seen.lanes.iter().find(|(area, _)| inside(*area, at)) {
        ui.events.lane = *lane;
        follow(ui);
    } else if inside(seen.event_border, at) {
        ui.events.dragged = true;
    } else if inside(seen.table, at) {
        ui.focus = Focus::Nodes;
        let line = seen.lines.get(usize::from(at.1 - seen.table.y));
        if let Some(crate::insight::Line::Row(id)) = line
            && let Some(place) = view.place(cluster.resolve(*id))
        {
            set_table(ui, view, cluster, seen.page, seen.top, place);
            if twice {
                ui.click = None;
                return open(ui, view, cluster, seen, now);
            }
        }
    } else if inside(seen.event_area, at) {
        ui.focus = Focus::Events;
        if let Some(mark) = seen.events.get(usize::from(at.1 - seen.event_area.y)) {
            if ui.events.top.is_none() {
                ui.events.read = cluster.events().arrivals();
            }
            ui.events.top = ui.events.top.or(seen.events.first().copied());
            ui.events.cursor = Some(*mark);
            if twice {
                ui.click = None;
                return open(ui, view, cluster, seen, now);
            }
        }
    }
    Effect::Nothing
}

// === opening and closing ===

/// The row that an action applies to: the open one, or the one under the cursor.
fn target(ui: &UiState, view: &View, cluster: &Cluster, seen: &Seen) -> Option<RowId> {
    ui.open_node().or_else(|| placement::place(&ui.table, view, cluster, seen.page).cursor)
}

fn open(ui: &mut UiState, view: &mut View, cluster: &Cluster, seen: &Seen, now: Timestamp) -> Effect {
    match ui.layers.pop() {
        Some(Layer::Filter(mut typed)) => match Filter::parse(typed.input.value()) {
            Ok(filter) => {
                typed.input.value().trim().clone_into(&mut ui.filter_text);
                view.set_filter(filter);
                ui.table.top = Top::Head;
            }
            Err(error) => {
                typed.error = Some(error.to_string());
                ui.layers.push(Layer::Filter(typed));
            }
        },
        Some(Layer::Pools(state)) => {
            let names = nodepools::names(cluster);
            let mut wanted: Vec<Name> = state.chosen.iter().cloned().collect();
            if wanted.is_empty() && view.filter().pools().is_empty() {
                wanted.extend(names.get(nodepools::cursor(&state, &names)).cloned());
            }
            let filter = view.filter().with_pools(&wanted);
            ui.filter_text = filter.text();
            view.set_filter(filter);
            ui.table.top = Top::Head;
        }
        // The sort order is already applied.
        Some(Layer::Sort(_)) => {}
        Some(layer @ (Layer::Detail(_) | Layer::Help(_))) => ui.layers.push(layer),
        None if ui.focus == Focus::Events => jump(ui, view, cluster, seen, now),
        None => {
            if let Some(row) = target(ui, view, cluster, seen) {
                ui.table.cursor = Some(row);
                ui.layers.push(Layer::Detail(Detail { row, scroll: 0 }));
            }
        }
    }
    Effect::Nothing
}

fn close(ui: &mut UiState, view: &mut View) -> Effect {
    match ui.layers.pop() {
        Some(Layer::Sort(before)) => view.set_sort(before),
        Some(Layer::Detail(_) | Layer::Pools(_) | Layer::Help(_) | Layer::Filter(_)) => {}
        None if ui.focus == Focus::Events => ui.focus = Focus::Nodes,
        None => ui.notice = None,
    }
    Effect::Nothing
}

/// Moves the cursor from an event to its node.
fn jump(ui: &mut UiState, view: &View, cluster: &Cluster, seen: &Seen, now: Timestamp) {
    let query = events::query(ui, cluster);
    let wanted = ui.events.cursor.map(|mark| mark.id).or_else(|| seen.events.first().map(|mark| mark.id));
    let line = wanted.and_then(|id| cluster.events().lines(&query).find(|line| line.id == id));
    let Some(line) = line else { return };
    let Some(row) = events::row_of(&line, cluster) else {
        let object = events::object(line.object);
        let why = if line.object.name.is_empty() { "is not named by the event" } else { "has no node here" };
        return ui.notify(format!("{object} {why}"), now);
    };
    let Some(place) = view.place(row) else {
        let name = cluster.row(row).map_or_else(String::new, |r| r.name().to_owned());
        return ui.notify(format!("the filter hides {name}"), now);
    };
    ui.focus = Focus::Nodes;
    let top = placement::place(&ui.table, view, cluster, seen.page).top;
    set_table(ui, view, cluster, seen.page, top, place);
}

fn copy(ui: &mut UiState, view: &View, cluster: &Cluster, action: &Action, seen: &Seen, now: Timestamp) -> Effect {
    let Some(row) = target(ui, view, cluster, seen).and_then(|id| cluster.row(id)) else { return Effect::Nothing };
    let provider = row.node().map(|n| n.provider_id.as_str()).or_else(|| row.claim().map(|c| c.provider_id.as_str()));
    let text = if *action == Action::CopyName {
        row.name()
    } else {
        provider.and_then(|id| id.rsplit('/').next()).unwrap_or_default()
    };
    if text.is_empty() {
        ui.notify(format!("{} has no instance ID yet", row.name()), now);
        return Effect::Nothing;
    }
    ui.notify(format!("copied {text}"), now);
    Effect::Copy(text.to_owned())
}

// === events, pools ===

fn node_events(ui: &mut UiState, view: &View, cluster: &Cluster, seen: &Seen) {
    ui.events.shown = true;
    ui.events.of = match ui.events.of {
        Some(_) => None,
        None => target(ui, view, cluster, seen),
    };
    follow(ui);
}

fn turn_lane(ui: &mut UiState, by: isize) {
    let lanes = events::lanes();
    ui.events.lane = cycled(&lanes, &ui.events.lane, by);
    follow(ui);
}

fn toggle_pool(ui: &mut UiState, cluster: &Cluster) {
    let Some(Layer::Pools(state)) = ui.layers.last_mut() else { return };
    let names = nodepools::names(cluster);
    let Some(name) = names.get(nodepools::cursor(state, &names)) else { return };
    if !state.chosen.remove(name) {
        state.chosen.insert(name.clone());
    }
}

// === typing ===

fn typed(ui: &mut UiState, view: &mut View, key: KeyEvent) {
    let options = &ui.options;
    match ui.layers.last_mut() {
        Some(Layer::Filter(filter)) => {
            filter.input.handle_event(&Event::Key(key));
            check(filter);
        }
        Some(Layer::Sort(_)) => {
            let choices = sorting::choices(options);
            let at = choices.iter().position(|c| c.column == view.sort().column);
            let turned = |by: isize| {
                let n = choices.len() as isize;
                at.map_or(0, |at| (at as isize + by).rem_euclid(n.max(1)) as usize)
            };
            let (wanted, done) = match key.code {
                KeyCode::Char('S') => {
                    let mut sort = view.sort().clone();
                    sort.direction = sort.direction.flipped();
                    view.set_sort(sort);
                    return;
                }
                KeyCode::Char('s') | KeyCode::Down | KeyCode::Right | KeyCode::Tab => (Some(turned(1)), false),
                KeyCode::Up | KeyCode::Left | KeyCode::BackTab => (Some(turned(-1)), false),
                KeyCode::Char(c) => (choices.iter().position(|choice| choice.key == Some(c)), true),
                _ => (None, false),
            };
            if let Some(choice) = wanted.and_then(|at| choices.get(at)) {
                view.set_sort(choice.sort());
                if done {
                    ui.layers.pop();
                }
            }
        }
        Some(Layer::Detail(_) | Layer::Pools(_) | Layer::Help(_)) | None => {}
    }
}

fn paste(ui: &mut UiState, text: &str) {
    if let Some(Layer::Filter(filter)) = ui.layers.last_mut() {
        for c in clean(text).chars() {
            filter.input.handle(tui_input::InputRequest::InsertChar(c));
        }
        check(filter);
    }
}

fn check(filter: &mut FilterBox) {
    filter.error = Filter::parse(filter.input.value()).err().map(|error| error.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Lane;
    use crate::model::Resource;
    use crate::ui::state::Bars;

    #[test]
    fn cycling_wraps_at_the_end() {
        let mut group = GroupBy::Nothing;
        for _ in 0..GroupBy::ALL.len() {
            group = cycled(&GroupBy::ALL, &group, 1);
        }
        assert_eq!(group, GroupBy::Nothing);
        assert_eq!(cycled(&events::lanes(), &None, -1), Some(Lane::Warn));
        let gone = Bars::Only(Resource::from_name("nvidia.com/gpu"));
        assert_eq!(cycled(&[Bars::Requests, Bars::Usage], &gone, 1), Bars::Requests);
    }
}
