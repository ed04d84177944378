//! The state of the screen: cursor, layers, the quantity in bars. Only [`super::update()`] writes it; drawing reads it.

use super::theme::{Depth, Levels, Palette, Theme};
use crate::cluster::{Lane, RowId};
use crate::insight::{ExtraColumn, Line, Sort};
use crate::model::{Name, Resource, Timestamp};
use ratatui::layout::Rect;
use std::collections::BTreeSet;
use tui_input::Input;

/// The settings of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UiOptions {
    /// Whether a full bar is good or bad.
    pub palette: Palette,
    /// The number of colours; [`Depth::None`] for `NO_COLOR`.
    pub depth: Depth,
    /// Whether the terminal has a light background.
    pub light: bool,
    /// Whether to draw with ASCII characters only.
    pub ascii: bool,
    /// The three colours of bars (eks-node-viewer's `--style`).
    pub levels: Option<Levels>,
    /// The resources shown as bars; cpu and memory by default.
    pub resources: Vec<Resource>,
    /// Labels shown as extra columns.
    pub extra_labels: Vec<ExtraColumn>,
    /// Whether the events are shown.
    pub events: bool,
    /// The initial filter, as the user wrote it.
    pub filter: String,
    /// Where the credentials come from (`from /home/me/.kube/config`), for the screen shown while the cluster is
    /// unreachable.
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

/// The quantity that bars show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Bars {
    /// Requests of pods.
    #[default]
    Requests,
    /// Measured usage.
    Usage,
    /// Limits of pods.
    Limits,
    /// For each node, the resource with the largest requested share.
    Dominant,
    /// Requests of one resource.
    Only(Resource),
}

impl Bars {
    /// The name in the heading.
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

/// The pane that the arrow keys move in.
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
    /// The head of the list, whichever row is first.
    #[default]
    Head,
    /// A row, this many lines below the top.
    Row(RowId, usize),
}

/// Cursor and top of the table, tied to rows rather than to indices, so that they follow their rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TableState {
    pub(super) cursor: Option<RowId>,
    pub(super) top: Top,
    /// The indices of both when they were last drawn, kept when their row is gone.
    pub(super) cursor_at: usize,
    pub(super) top_at: usize,
}

/// An event line by its ID and the time that it is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventMark {
    /// The ID of the line.
    pub id: u64,
    /// The time of its newest event when it was drawn.
    pub last: Timestamp,
}

/// The event pane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EventsState {
    pub(super) shown: bool,
    pub(super) lane: Option<Lane>,
    pub(super) one_by_one: bool,
    /// The row that events are filtered by.
    pub(super) of: Option<RowId>,
    /// The line at the top; `None` follows the newest.
    pub(super) top: Option<EventMark>,
    pub(super) cursor: Option<EventMark>,
    /// The value of [`crate::cluster::EventLog::arrivals`] when following ended.
    pub(super) read: u64,
    /// The height below the nodes, with its rule, if the user resized it; by default the pane takes what nodes leave.
    pub(super) lines: Option<u16>,
    /// The width beside the nodes, if the user resized it.
    pub(super) columns: Option<u16>,
    /// Whether its border is being dragged.
    pub(super) dragged: bool,
}

/// A screen or prompt on top of the main screen.
#[derive(Clone, Debug)]
pub(super) enum Layer {
    /// The details of a node.
    Detail(Detail),
    /// The list of nodepools.
    Pools(Pools),
    /// The help, and how far it is scrolled.
    Help(usize),
    /// The filter is edited.
    Filter(FilterBox),
    /// A sort column is chosen; the sort order to restore on cancel.
    Sort(Sort),
}

impl Layer {
    /// Whether it replaces nodes and events.
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
    /// The error of a text that is not a filter.
    pub(super) error: Option<String>,
}

/// A message shown for some seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) until: Timestamp,
}

/// How long a notice is shown.
const NOTICE_SECONDS: i64 = 4;
/// The state of the screen, and its settings.
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
    /// The initial state for these settings.
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

    /// Records what was drawn, so that a cursor whose node is gone keeps its place and columns keep their widths.
    /// Called after each draw; drawing the same state again gives the same frame.
    pub fn saw(&mut self, seen: &Seen) {
        self.table.cursor_at = seen.cursor_at;
        self.table.top_at = seen.top;
        // A pane that was not drawn keeps its widths.
        if seen.table_widths != Widths::default() {
            self.table_widths.clone_from(&seen.table_widths);
        }
        if seen.event_widths != Widths::default() {
            self.event_widths.clone_from(&seen.event_widths);
        }
    }

    /// Shows a notice for some seconds.
    pub fn notify(&mut self, text: impl Into<String>, now: Timestamp) {
        let until = now.saturating_add(jiff::SignedDuration::from_secs(NOTICE_SECONDS)).unwrap_or(now);
        self.notice = Some(Notice { text: text.into(), until });
    }

    /// The resources shown as bars.
    pub fn resources(&self) -> &[Resource] {
        &self.options.resources
    }

    /// The current filter, as the user wrote it.
    pub fn filter_text(&self) -> &str {
        &self.filter_text
    }

    /// The quantity that bars show.
    pub const fn bars(&self) -> &Bars {
        &self.bars
    }

    /// The row under the cursor, if the user has moved it.
    pub const fn cursor(&self) -> Option<RowId> {
        self.table.cursor
    }

    /// The row whose details are open: the usage of its pods is polled.
    pub fn open_node(&self) -> Option<RowId> {
        self.layers.iter().find_map(|layer| match layer {
            Layer::Detail(detail) => Some(detail.row),
            Layer::Pools(_) | Layer::Help(_) | Layer::Filter(_) | Layer::Sort(_) => None,
        })
    }
}

/// The widths of the columns on a page. They only grow while the page stays the same, so that columns do not move when a
/// value gets shorter or a row disappears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Widths {
    /// Identifies the page: size, order, position. Another page starts with new widths.
    page: String,
    columns: Vec<u16>,
}

impl Widths {
    /// The widths for a page: the larger of its new widths and the present ones.
    pub(super) fn grown(&self, page: String, mut columns: Vec<u16>) -> Self {
        if page == self.page && columns.len() == self.columns.len() {
            for (now, before) in columns.iter_mut().zip(&self.columns) {
                *now = (*now).max(*before);
            }
        }
        Self { page, columns }
    }

    /// The width of a column; 0 if there is none.
    pub(super) fn column(&self, column: usize) -> u16 {
        self.columns.get(column).copied().unwrap_or(0)
    }
}

/// What a frame showed: the positions that an update needs, and a counter of formatted lines for tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The whole screen.
    pub area: Rect,
    /// The area of the node rows.
    pub table: Rect,
    /// The lines of the table that were drawn, top first.
    pub lines: Vec<Line>,
    /// Index of the first of them in the view.
    pub top: usize,
    /// Index of the cursor in the view.
    pub cursor_at: usize,
    /// The row under the cursor.
    pub cursor: Option<RowId>,
    /// Lines per page.
    pub page: usize,
    /// The area of the event pane with its rule.
    pub event_pane: Rect,
    /// The border that can be dragged: the rule above the events, or the columns between them and the nodes.
    pub event_border: Rect,
    /// The area of the event lines.
    pub event_area: Rect,
    /// The event lines that were drawn, newest first.
    pub events: Vec<EventMark>,
    /// Index of the first of them among the lines of the log.
    pub events_top: usize,
    /// The areas where lanes can be clicked.
    pub lanes: Vec<(Rect, Option<Lane>)>,
    /// The areas where nodepools can be clicked.
    pub pools: Vec<(Rect, Name)>,
    /// How many lines the topmost layer can be scrolled by.
    pub scroll_end: usize,
    /// Visible lines of the topmost layer.
    pub layer_page: usize,
    /// How many lines of the table and the event pane were formatted.
    pub formatted: usize,
    /// When the frame changes without an update: an age, a countdown, a notice that ends.
    pub next: Option<Timestamp>,
    /// Widths of the table's columns.
    pub table_widths: Widths,
    /// Widths of the events' columns.
    pub event_widths: Widths,
    /// The position of the terminal's cursor while text is edited.
    pub caret: Option<(u16, u16)>,
}

impl Seen {
    /// The frame changes without an update in `seconds`.
    pub(super) fn changes_in(&mut self, seconds: i64, now: Timestamp) {
        let at = now.as_second().saturating_add(seconds.max(1));
        let at = Timestamp::from_second(at).unwrap_or(now);
        self.next = Some(self.next.map_or(at, |known| known.min(at)));
    }
}
