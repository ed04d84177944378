//! The key table: what every key does, where, and in which words. Key handling, the footer, the help screen and the
//! README's list all read this one table.

use super::state::{Layer, UiState};
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// What a user can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Leave the program.
    Quit,
    /// Go to the background, until `fg`.
    Suspend,
    /// Close the topmost layer; on the main screen clear nothing and leave nothing.
    Close,
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the first line.
    First,
    /// To the last line.
    Last,
    /// Open what the cursor is on, or accept what was typed or chosen.
    Open,
    /// Edit the filter.
    Filter,
    /// Choose what rows are ordered by; again: the next column.
    Sort,
    /// Turn the order round.
    Flip,
    /// The next grouping.
    Group,
    /// The next thing that bars show.
    Bars,
    /// Show or hide the events.
    Events,
    /// More room for the events.
    Grow,
    /// Less room for the events.
    Shrink,
    /// Only the events of the node under the cursor, or all again.
    NodeEvents,
    /// The next lane of events.
    Lane,
    /// The lane before.
    LaneBack,
    /// Collapse events that differ only in their object, or tell them one by one.
    Collapse,
    /// Move between nodes and events.
    Focus,
    /// The nodepools.
    Pools,
    /// Put the line under the cursor into the selection, or take it out.
    Toggle,
    /// What the keys do.
    Help,
    /// Copy the node's name.
    CopyName,
    /// Copy the instance's id.
    CopyId,
    /// A key typed into the filter, or one that names a column to sort by.
    Type(KeyEvent),
    /// Text pasted into the filter.
    Paste(String),
    /// The mouse was pressed on a cell.
    Click(u16, u16),
    /// The mouse was moved to a cell with its button down.
    Drag(u16, u16),
    /// The mouse's button was let go.
    Release,
    /// The wheel was turned on a cell, by this many steps (down is positive).
    Wheel(u16, u16, i32),
}

/// Where a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// On every screen that takes keys as commands, so not while text is typed.
    Everywhere,
    /// On the main screen.
    Main,
    /// In the nodepools.
    Pools,
    /// While the filter is edited, or a column chosen.
    Prompt,
}

impl Scope {
    /// Its heading in the help.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Main => "nodes and events",
            Self::Pools => "nodepools",
            Self::Prompt => "filter and sort",
        }
    }

    /// Every scope, in the order of the help.
    pub const ALL: [Self; 4] = [Self::Everywhere, Self::Main, Self::Pools, Self::Prompt];
}

/// One key that can be pressed.
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
    /// How it is written: `↑`, `ctrl-c`, `q`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The event that pressing it makes.
    pub const fn event(&self) -> KeyEvent {
        KeyEvent::new(self.code, if self.control { KeyModifiers::CONTROL } else { KeyModifiers::NONE })
    }

    fn is(&self, event: &KeyEvent) -> bool {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        // Shift is in the character already; some terminals report it as well.
        self.code == event.code && self.control == control && !event.modifiers.contains(KeyModifiers::ALT)
    }
}

/// One line of the key table.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The keys, the one shown in the footer first.
    pub keys: &'static [Chord],
    /// Where they work.
    pub scope: Scope,
    /// What they ask for.
    pub action: Action,
    /// What that is, in the help and the README.
    pub help: &'static str,
    /// One or two words for the footer; none keeps it out of there.
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

/// Every key. The first line that fits a key in its scope wins.
pub const TABLE: &[Binding] = &[
    // While text is typed nothing else is a command.
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
    // Which rows, in what order.
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
    bind(&[ch('+', "+"), ch('=', "=")], Scope::Main, Action::Grow, "more room for the events", None),
    bind(&[ch('-', "-")], Scope::Main, Action::Shrink, "less room for the events", None),
    // Copying.
    bind(&[ch('y', "y")], Scope::Main, Action::CopyName, "copy the node's name", None),
    bind(&[ch('Y', "Y")], Scope::Main, Action::CopyId, "copy the instance's id", None),
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

/// The scopes that are heard now, the nearest first.
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
        .find_map(|scope| TABLE.iter().find(|b| b.scope == *scope && b.keys.iter().any(|chord| chord.is(event))));
    match (found, ui.layer()) {
        (Some(binding), _) => Some(binding.action.clone()),
        (None, Some(Layer::Filter(_) | Layer::Sort(_))) => Some(Action::Type(*event)),
        // The detail is about one node as well.
        (None, Some(Layer::Detail(_))) => TABLE
            .iter()
            .find(|b| {
                matches!(b.action, Action::CopyName | Action::CopyId) && b.keys.iter().any(|chord| chord.is(event))
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

/// What an event of the terminal asks for, on the screen as it is now.
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
    fn no_key_means_two_things_in_one_scope() {
        for scope in Scope::ALL {
            let chords: Vec<&Chord> = TABLE.iter().filter(|b| b.scope == scope).flat_map(|b| b.keys).collect();
            for (i, chord) in chords.iter().enumerate() {
                assert!(!chords[..i].contains(chord), "{} twice in {}", chord.name(), scope.name());
            }
        }
    }

    #[test]
    fn every_key_is_heard_on_the_main_screen_or_names_its_own() {
        let ui = UiState::new(UiOptions::default());
        for binding in TABLE.iter().filter(|b| matches!(b.scope, Scope::Main | Scope::Everywhere)) {
            for chord in binding.keys {
                let heard = action(&ui, &Event::Key(chord.event()));
                assert_eq!(heard, Some(binding.action.clone()), "{}", chord.name());
            }
        }
    }

    #[test]
    fn esc_never_quits() {
        assert!(TABLE.iter().all(|b| b.action != Action::Quit || b.keys.iter().all(|c| c.code != KeyCode::Esc)));
    }
}
