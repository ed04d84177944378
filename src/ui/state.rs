//! What the user has done to the screen: cursor, layers, what bars show. Changed by [`super::update()`] alone; drawing
//! reads it.

use super::theme::{Depth, Levels, Palette, Theme};
use crate::cluster::{Lane, RowId};
use crate::insight::{Line, Sort};
use crate::model::{Name, Resource, Timestamp};
use ratatui::layout::Rect;
use std::collections::BTreeSet;
use tui_input::Input;

/// How the screen starts: settings as meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UiOptions {
    /// What a full bar means.
    pub palette: Palette,
    /// How many colours the terminal has; [`Depth::None`] for `NO_COLOR`.
    pub depth: Depth,
    /// The terminal's ground is light.
    pub light: bool,
    /// Only ASCII signs.
    pub ascii: bool,
    /// The bars' three colours (eks-node-viewer's `--style`).
    pub levels: Option<Levels>,
    /// The resources with a bar of their own; cpu and memory by default.
    pub resources: Vec<Resource>,
    /// Labels shown as further columns.
    pub extra_labels: Vec<Name>,
    /// Whether the events are shown.
    pub events: bool,
    /// The filter that the view starts with, as written.
    pub filter: String,
    /// Where the credentials come from (`from /home/me/.kube/config`), for the screen that tells that no cluster can be
    /// reached.
    pub tried: String,
}

impl Default for UiOptions {
    fn default() -> Self {
        Self {
            palette: Palette::default(),
            depth: Depth::default(),
            light: false,
            ascii: false,
            levels: None,
            resources: vec![Resource::Cpu, Resource::Memory],
            extra_labels: Vec::new(),
            events: true,
            filter: String::new(),
            tried: String::new(),
        }
    }
}

/// What bars show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Bars {
    /// What pods request.
    #[default]
    Requests,
    /// What was measured.
    Usage,
    /// What pods may use at most.
    Limits,
    /// The resource that is requested most, of each node.
    Dominant,
    /// Requests of one resource alone.
    Only(Resource),
}

impl Bars {
    /// The word in the heading.
    pub fn name(&self) -> &str {
        match self {
            Self::Requests => "requests",
            Self::Usage => "usage",
            Self::Limits => "limits",
            Self::Dominant => "dominant resource",
            Self::Only(resource) => resource.name(),
        }
    }
}

/// Which pane the arrows move in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Focus {
    /// The node table.
    #[default]
    Nodes,
    /// The events.
    Events,
}

/// What the top of the table is tied to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Top {
    /// The head of the list, whatever comes first.
    #[default]
    Head,
    /// A row, which stands `above` lines below the top.
    Row(RowId, usize),
}

/// Cursor and top of the table: nodes, not positions, so that rows do not slide from under the reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TableState {
    pub(super) cursor: Option<RowId>,
    pub(super) top: Top,
    /// Where both stood when they were last drawn: the place to stay at when their row is gone.
    pub(super) cursor_at: usize,
    pub(super) top_at: usize,
}

/// An event line by identity and the time that gave it its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventMark {
    /// The line.
    pub id: u64,
    /// Its newest time when it was seen.
    pub last: Timestamp,
}

/// The event pane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EventsState {
    pub(super) shown: bool,
    pub(super) lane: Option<Lane>,
    pub(super) one_by_one: bool,
    /// Only events of this row.
    pub(super) of: Option<RowId>,
    /// The line at the top; none follows the newest.
    pub(super) top: Option<EventMark>,
    pub(super) cursor: Option<EventMark>,
    /// Reading of [`crate::cluster::EventLog::arrivals`] when following ended.
    pub(super) read: u64,
    /// Lines that the user gave it below the nodes, with its rule; by itself it has what nodes leave.
    pub(super) lines: Option<u16>,
    /// Columns that the user gave it beside the nodes.
    pub(super) columns: Option<u16>,
    /// Its border is being dragged.
    pub(super) dragged: bool,
}

/// A screen on top of the main one.
#[derive(Clone, Debug)]
pub(super) enum Layer {
    /// One node.
    Detail(Detail),
    /// The nodepools.
    Pools(Pools),
    /// The keys.
    Help(usize),
    /// The filter is edited.
    Filter(FilterBox),
    /// A column is chosen; the order to come back to.
    Sort(Sort),
}

impl Layer {
    /// Whether it takes the place of nodes and events.
    pub(super) const fn covers(&self) -> bool {
        match self {
            Self::Detail(_) | Self::Pools(_) | Self::Help(_) => true,
            Self::Filter(_) | Self::Sort(_) => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Detail {
    pub(super) row: RowId,
    pub(super) scroll: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pools {
    pub(super) cursor: Option<Name>,
    pub(super) cursor_at: usize,
    pub(super) chosen: BTreeSet<Name>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct FilterBox {
    pub(super) input: Input,
    /// What is wrong with the text, in plain words.
    pub(super) error: Option<String>,
}

/// A word to the user for some seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) until: Timestamp,
}

/// How long a notice stands.
const NOTICE_SECONDS: i64 = 4;
/// Everything the user has done to the screen, and the settings it started with.
#[derive(Clone, Debug)]
pub struct UiState {
    pub(super) options: UiOptions,
    pub(super) theme: Theme,
    pub(super) bars: Bars,
    pub(super) focus: Focus,
    pub(super) table: TableState,
    pub(super) events: EventsState,
    pub(super) layers: Vec<Layer>,
    pub(super) filter_text: String,
    pub(super) notice: Option<Notice>,
    pub(super) click: Option<(Timestamp, u16, u16)>,
    pub(super) table_widths: Widths,
    pub(super) event_widths: Widths,
}

impl UiState {
    /// The screen as the settings want it at the start.
    pub fn new(options: UiOptions) -> Self {
        let theme = Theme {
            palette: options.palette,
            depth: options.depth,
            light: options.light,
            ascii: options.ascii,
            levels: options.levels,
        };
        Self {
            theme,
            bars: Bars::default(),
            focus: Focus::default(),
            table: TableState::default(),
            events: EventsState { shown: options.events, ..EventsState::default() },
            layers: Vec::new(),
            filter_text: options.filter.clone(),
            notice: None,
            click: None,
            table_widths: Widths::default(),
            event_widths: Widths::default(),
            options,
        }
    }

    pub(super) const fn layer(&self) -> Option<&Layer> {
        self.layers.as_slice().last()
    }

    /// Tells the state what was drawn, so that a cursor whose node is gone stays where it stood and columns keep their
    /// widths. Called after each draw; drawing the same again gives the same frame.
    pub fn saw(&mut self, seen: &Seen) {
        self.table.cursor_at = seen.cursor_at;
        self.table.top_at = seen.top;
        // A pane that was not drawn keeps what it learned.
        if seen.table_widths != Widths::default() {
            self.table_widths.clone_from(&seen.table_widths);
        }
        if seen.event_widths != Widths::default() {
            self.event_widths.clone_from(&seen.event_widths);
        }
    }

    /// Says something to the user for some seconds.
    pub fn notify(&mut self, text: impl Into<String>, now: Timestamp) {
        let until = now.saturating_add(jiff::SignedDuration::from_secs(NOTICE_SECONDS)).unwrap_or(now);
        self.notice = Some(Notice { text: text.into(), until });
    }

    /// The resources that have a bar of their own, as asked for.
    pub fn resources(&self) -> &[Resource] {
        &self.options.resources
    }

    /// The filter in force, as it was written.
    pub fn filter_text(&self) -> &str {
        &self.filter_text
    }

    /// What bars show.
    pub const fn bars(&self) -> &Bars {
        &self.bars
    }

    /// The node under the cursor, if the user has chosen one.
    pub const fn cursor(&self) -> Option<RowId> {
        self.table.cursor
    }

    /// The node whose detail is open: its pods' metrics are worth polling.
    pub fn open_node(&self) -> Option<RowId> {
        self.layers.iter().find_map(|layer| match layer {
            Layer::Detail(detail) => Some(detail.row),
            Layer::Pools(_) | Layer::Help(_) | Layer::Filter(_) | Layer::Sort(_) => None,
        })
    }
}

/// Widths that columns have had on one page. They only grow while the page stays, so that nothing jumps when a value
/// gets shorter or a row leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Widths {
    /// What the page is: size, order, place. Another page learns anew.
    page: String,
    columns: Vec<u16>,
}

impl Widths {
    /// The widths a page wants now, made to be none smaller than they were.
    pub(super) fn grown(&self, page: String, mut columns: Vec<u16>) -> Self {
        if page == self.page && columns.len() == self.columns.len() {
            for (now, before) in columns.iter_mut().zip(&self.columns) {
                *now = (*now).max(*before);
            }
        }
        Self { page, columns }
    }

    pub(super) fn of(&self, column: usize) -> u16 {
        self.columns.get(column).copied().unwrap_or(0)
    }
}

/// What a frame showed: what an update needs to know of the screen, and counters that prove its cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The whole screen.
    pub area: Rect,
    /// Where the node rows are.
    pub table: Rect,
    /// The lines of the table that were drawn, from the top.
    pub lines: Vec<Line>,
    /// Place of the first of them in the view.
    pub top: usize,
    /// Place of the cursor in the view.
    pub cursor_at: usize,
    /// The row under the cursor.
    pub cursor: Option<RowId>,
    /// Lines on a page.
    pub page: usize,
    /// Where the events are, with their rule.
    pub event_pane: Rect,
    /// The border that can be dragged: the rule above the events, or the columns between them and the nodes.
    pub event_border: Rect,
    /// Where the event lines are.
    pub event_area: Rect,
    /// The event lines that were drawn, newest first.
    pub events: Vec<EventMark>,
    /// Place of the first of them among the lines of the log.
    pub events_top: usize,
    /// Where lanes can be clicked.
    pub lanes: Vec<(Rect, Option<Lane>)>,
    /// Where nodepools can be clicked.
    pub pools: Vec<(Rect, Name)>,
    /// How far the layer on top can be scrolled.
    pub scroll_end: usize,
    /// Lines of the layer on top that are visible.
    pub layer_page: usize,
    /// How many lines of the table and the events were made into text.
    pub formatted: usize,
    /// When the picture changes by itself: an age, a countdown, a notice that ends.
    pub next: Option<Timestamp>,
    /// Widths of the table's columns.
    pub table_widths: Widths,
    /// Widths of the events' columns.
    pub event_widths: Widths,
    /// Where the terminal's cursor belongs, while text is typed.
    pub caret: Option<(u16, u16)>,
}

impl Seen {
    /// The picture changes by itself in `seconds`.
    pub(super) fn changes_in(&mut self, seconds: i64, now: Timestamp) {
        let at = now.as_second().saturating_add(seconds.max(1));
        let at = Timestamp::from_second(at).unwrap_or(now);
        self.next = Some(self.next.map_or(at, |known| known.min(at)));
    }
}
