//! The key table: the action, scope and description of every key. Key handling, the footer, the help screen and the
//! README's list all read this table.

use super::state::{Layer, UiState};
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// An action of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Leave the program.
    Quit,
    /// Suspend the program until `fg`.
    Suspend,
    /// Close the topmost layer; on the main screen return to the node table, or dismiss the notice.
    Close,
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// Go to the first line.
    First,
    /// Go to the last line.
    Last,
    /// Open the item under the cursor, or apply the edited text or the selection.
    Open,
    /// Edit the filter.
    Filter,
    /// Choose the sort column; again: the next column.
    Sort,
    /// Reverse the sort direction.
    Flip,
    /// The next grouping.
    Group,
    /// Show the next quantity in bars.
    Bars,
    /// Show or hide the events.
    Events,
    /// Enlarge the event pane.
    Grow,
    /// Shrink the event pane.
    Shrink,
    /// Filter events by the node under the cursor, or remove that filter.
    NodeEvents,
    /// The next event lane.
    Lane,
    /// The previous event lane.
    LaneBack,
    /// Merge events that differ only in their object, or list them one by one.
    Collapse,
    /// Move between nodes and events.
    Focus,
    /// The nodepools.
    Pools,
    /// Toggle the selection of the line under the cursor.
    Toggle,
    /// The help screen.
    Help,
    /// Copy the node's name.
    CopyName,
    /// Copy the instance's id.
    CopyId,
    /// A key typed into the filter, or the key of a sort column.
    Type(KeyEvent),
    /// Text pasted into the filter.
    Paste(String),
    /// The left mouse button was pressed on a cell.
    Click(u16, u16),
    /// The mouse was moved to a cell with the left button down.
    Drag(u16, u16),
    /// The left mouse button was released.
    Release,
    /// The wheel was turned over a cell, by this many steps (down is positive).
    Wheel(u16, u16, i32),
}

/// Where a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// On every screen except while text is edited.
    Everywhere,
    /// On the main screen.
    Main,
    /// In the list of nodepools.
    Pools,
    /// While the filter is edited or a sort column is chosen.
    Prompt,
}

impl Scope {
    /// The scope's heading in the help.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Main => "nodes and events",
            Self::Pools => "nodepools",
            Self::Prompt => "filter and sort",
        }
    }

    /// All scopes, in the order of the help.
    pub const ALL: [Self; 4] = [Self::Everywhere, Self::Main, Self::Pools, Self::Prompt];
}

/// A key, with or without ctrl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    code: KeyCode,
    control: bool,
    name: &'static str,
}

const fn key(code: KeyCode, name: &'static str) -> Chord {
    Chord { code, control: false, name }
}

const fn ch(c: char, name: &'static str) -> Chord {
    key(KeyCode::Char(c), name)
}

const fn ctrl(c: char, name: &'static str) -> Chord {
    Chord { code: KeyCode::Char(c), control: true, name }
}

impl Chord {
    /// The name shown to the user: `↑`, `ctrl-c`, `q`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The terminal event of pressing this key.
    pub const fn event(&self) -> KeyEvent {
        KeyEvent::new(self.code, if self.control { KeyModifiers::CONTROL } else { KeyModifiers::NONE })
    }

    fn matches(&self, event: &KeyEvent) -> bool {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        // The character already includes shift; some terminals also report it as a modifier.
        self.code == event.code && self.control == control && !event.modifiers.contains(KeyModifiers::ALT)
    }
}

/// One line of the key table.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The keys; the footer shows the first.
    pub keys: &'static [Chord],
    /// The scope they work in.
    pub scope: Scope,
    /// The action they trigger.
    pub action: Action,
    /// The description in the help and the README.
    pub help: &'static str,
    /// One or two words for the footer; `None` leaves the binding out of it.
    pub hint: Option<&'static str>,
}

const fn bind(
    keys: &'static [Chord],
    scope: Scope,
    action: Action,
    help: &'static str,
    hint: Option<&'static str>,
) -> Binding {
    Binding { keys, scope, action, help, hint }
}

/// All bindings. The first binding that matches a key in its scope wins.
pub const TABLE: &[Binding] = &[
    // While text is edited, all other keys are text.
    bind(&[key(KeyCode::Enter, "⏎")], Scope::Prompt, Action::Open, "apply what was typed or chosen", Some("apply")),
    bind(
        &[key(KeyCode::Esc, "esc"), ctrl('c', "ctrl-c")],
        Scope::Prompt,
        Action::Close,
        "cancel the edit",
        Some("cancel"),
    ),
    // Movement.
    bind(
        &[key(KeyCode::Left, "←"), key(KeyCode::PageUp, "pgup"), ch('h', "h")],
        Scope::Everywhere,
        Action::PageUp,
        "previous page",
        Some("page"),
    ),
    bind(
        &[key(KeyCode::Right, "→"), key(KeyCode::PageDown, "pgdn"), ch('l', "l")],
        Scope::Everywhere,
        Action::PageDown,
        "next page",
        None,
    ),
    bind(&[key(KeyCode::Up, "↑"), ch('k', "k")], Scope::Everywhere, Action::Up, "up", Some("move")),
    bind(&[key(KeyCode::Down, "↓"), ch('j', "j")], Scope::Everywhere, Action::Down, "down", None),
    bind(
        &[key(KeyCode::Home, "home")],
        Scope::Everywhere,
        Action::First,
        "first line; in events: follow the newest",
        None,
    ),
    bind(&[key(KeyCode::End, "end"), ch('G', "G")], Scope::Everywhere, Action::Last, "last line", None),
    bind(
        &[key(KeyCode::Enter, "⏎")],
        Scope::Main,
        Action::Open,
        "open the node; on an event: go to its node",
        Some("open"),
    ),
    bind(
        &[key(KeyCode::Tab, "tab"), key(KeyCode::BackTab, "shift-tab")],
        Scope::Main,
        Action::Focus,
        "move between nodes and events",
        None,
    ),
    // Rows and their order.
    bind(&[ch('/', "/")], Scope::Main, Action::Filter, "filter the nodes; empty shows all again", Some("filter")),
    bind(&[ch('p', "p")], Scope::Main, Action::Pools, "list NodePools; select some to filter by", Some("nodepools")),
    bind(&[ch('s', "s")], Scope::Main, Action::Sort, "sort by a column", Some("sort")),
    bind(&[ch('S', "S")], Scope::Main, Action::Flip, "reverse order", None),
    bind(
        &[ch('g', "g")],
        Scope::Main,
        Action::Group,
        "cycle grouping: nodepool, zone, type, capacity type, none",
        Some("group"),
    ),
    bind(
        &[ch('v', "v")],
        Scope::Main,
        Action::Bars,
        "bars show requests, usage, limits, the dominant resource, each further resource",
        Some("bars"),
    ),
    // Events.
    bind(&[ch('e', "e")], Scope::Main, Action::Events, "show or hide the events", Some("events")),
    bind(
        &[ch('f', "f")],
        Scope::Main,
        Action::NodeEvents,
        "only events of the node under the cursor, its claim and its pods",
        Some("node events"),
    ),
    bind(
        &[ch('w', "w"), ch(']', "]")],
        Scope::Main,
        Action::Lane,
        "next event lane: provision, schedule, disrupt, warnings, all",
        Some("event lane"),
    ),
    bind(&[ch('W', "W"), ch('[', "[")], Scope::Main, Action::LaneBack, "previous event lane", None),
    bind(&[ch('c', "c")], Scope::Main, Action::Collapse, "merge similar events on/off", None),
    bind(&[ch('+', "+"), ch('=', "=")], Scope::Main, Action::Grow, "enlarge the event pane", None),
    bind(&[ch('-', "-")], Scope::Main, Action::Shrink, "shrink the event pane", None),
    // Copying.
    bind(&[ch('y', "y")], Scope::Main, Action::CopyName, "copy the node's name", None),
    bind(&[ch('Y', "Y")], Scope::Main, Action::CopyId, "copy the instance ID", None),
    // Nodepools.
    bind(&[ch(' ', "space")], Scope::Pools, Action::Toggle, "select the nodepool on/off", Some("select")),
    bind(
        &[key(KeyCode::Enter, "⏎")],
        Scope::Pools,
        Action::Open,
        "show only the selected nodepools",
        Some("show only these"),
    ),
    // The program.
    bind(&[ch('?', "?"), key(KeyCode::F(1), "F1")], Scope::Everywhere, Action::Help, "keys and symbols", Some("help")),
    bind(&[key(KeyCode::Esc, "esc")], Scope::Everywhere, Action::Close, "back / close; never quits", None),
    bind(&[ch('q', "q"), ctrl('c', "ctrl-c")], Scope::Everywhere, Action::Quit, "quit", Some("quit")),
    bind(&[ctrl('z', "ctrl-z")], Scope::Everywhere, Action::Suspend, "suspend; fg resumes", None),
];

/// The scopes that are active on the current screen, in order of precedence.
pub(super) const fn scopes(ui: &UiState) -> &'static [Scope] {
    match ui.layer() {
        Some(Layer::Filter(_) | Layer::Sort(_)) => &[Scope::Prompt],
        Some(Layer::Pools(_)) => &[Scope::Pools, Scope::Everywhere],
        Some(Layer::Detail(_) | Layer::Help(_)) => &[Scope::Everywhere],
        None => &[Scope::Main, Scope::Everywhere],
    }
}

fn pressed(ui: &UiState, event: &KeyEvent) -> Option<Action> {
    let scopes = scopes(ui);
    let found = scopes
        .iter()
        .find_map(|scope| TABLE.iter().find(|b| b.scope == *scope && b.keys.iter().any(|chord| chord.matches(event))));
    match (found, ui.layer()) {
        (Some(binding), _) => Some(binding.action.clone()),
        (None, Some(Layer::Filter(_) | Layer::Sort(_))) => Some(Action::Type(*event)),
        // The detail view is of one node, which can be copied as well.
        (None, Some(Layer::Detail(_))) => TABLE
            .iter()
            .find(|b| {
                matches!(b.action, Action::CopyName | Action::CopyId) && b.keys.iter().any(|chord| chord.matches(event))
            })
            .map(|b| b.action.clone()),
        (None, _) => None,
    }
}

fn mouse(event: MouseEvent) -> Option<Action> {
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Action::Click(event.column, event.row)),
        MouseEventKind::Drag(MouseButton::Left) => Some(Action::Drag(event.column, event.row)),
        MouseEventKind::Up(MouseButton::Left) => Some(Action::Release),
        MouseEventKind::ScrollDown => Some(Action::Wheel(event.column, event.row, 1)),
        MouseEventKind::ScrollUp => Some(Action::Wheel(event.column, event.row, -1)),
        _ => None,
    }
}

/// The action of a terminal event on the current screen.
pub fn action(ui: &UiState, event: &Event) -> Option<Action> {
    match event {
        Event::Key(key) if !key.is_release() => pressed(ui, key),
        Event::Mouse(event) => mouse(*event),
        Event::Paste(text) => Some(Action::Paste(text.clone())),
        Event::Key(_) | Event::Resize(..) | Event::FocusGained | Event::FocusLost => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::UiOptions;

    #[test]
    fn a_key_is_bound_once_per_scope() {
        for scope in Scope::ALL {
            let chords: Vec<&Chord> = TABLE.iter().filter(|b| b.scope == scope).flat_map(|b| b.keys).collect();
            for (i, chord) in chords.iter().enumerate() {
                assert!(!chords[..i].contains(chord), "{} twice in {}", chord.name(), scope.name());
            }
        }
    }

    #[test]
    fn every_main_screen_key_triggers_its_action() {
        let ui = UiState::new(UiOptions::default());
        for binding in TABLE.iter().filter(|b| matches!(b.scope, Scope::Main | Scope::Everywhere)) {
            for chord in binding.keys {
                let triggered = action(&ui, &Event::Key(chord.event()));
                assert_eq!(triggered, Some(binding.action.clone()), "{}", chord.name());
            }
        }
    }

    #[test]
    fn esc_never_quits() {
        assert!(TABLE.iter().all(|b| b.action != Action::Quit || b.keys.iter().all(|c| c.code != KeyCode::Esc)));
    }
}
