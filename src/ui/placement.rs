//! The current position of the table's cursor and top: both are tied to rows and follow them as lines come and go.

use super::state::{TableState, Top};
use crate::cluster::{Cluster, RowId};
use crate::insight::{Line, View};

/// Indices into [`View::lines`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) top: usize,
    pub(super) cursor_at: usize,
    pub(super) cursor: Option<RowId>,
}

/// The placement on a page of `page` lines.
///
/// A list fills the page as far as its length allows, and the cursor is always on the page.
pub(super) fn place(state: &TableState, view: &View, cluster: &Cluster, page: usize) -> Placement {
    let lines = view.lines();
    if lines.is_empty() {
        return Placement::default();
    }
    let found = state.cursor.and_then(|id| view.place(cluster.resolve(id)));
    // If the row is gone, the cursor keeps its index.
    let cursor_at =
        found.or_else(|| near(lines, if state.cursor.is_some() { state.cursor_at } else { 0 })).unwrap_or(0);
    let top = match state.top {
        Top::Head => 0,
        Top::Row(id, above) => {
            view.place(cluster.resolve(id)).map_or(state.top_at, |place| place.saturating_sub(above))
        }
    };
    let top = visible(top.min(lines.len().saturating_sub(page)), cursor_at, page, lines);
    Placement { top, cursor_at, cursor: row_at(lines, cursor_at) }
}

/// The top that keeps the cursor on the page, together with the heading directly above it if both fit.
fn visible(top: usize, cursor_at: usize, page: usize, lines: &[Line]) -> usize {
    let top = if cursor_at < top {
        cursor_at
    } else if cursor_at >= top + page.max(1) {
        cursor_at + 1 - page.max(1)
    } else {
        top
    };
    let headed = top > 0 && top == cursor_at && page > 1 && matches!(lines.get(top - 1), Some(Line::Group(_)));
    if headed { top - 1 } else { top }
}

pub(super) fn row_at(lines: &[Line], at: usize) -> Option<RowId> {
    match lines.get(at) {
        Some(Line::Row(id)) => Some(*id),
        Some(Line::Group(_)) | None => None,
    }
}

/// The index of the row at or nearest to `at`; rows after `at` come first.
pub(super) fn near(lines: &[Line], at: usize) -> Option<usize> {
    let at = at.min(lines.len().saturating_sub(1));
    let is_row = |i: &usize| matches!(lines.get(*i), Some(Line::Row(_)));
    (at..lines.len()).find(is_row).or_else(|| (0..at).rev().find(is_row))
}

/// Ties a top to the first row at or below it, so that it stays in place.
pub(super) fn tie(lines: &[Line], top: usize) -> Top {
    if top == 0 {
        return Top::Head;
    }
    (top..lines.len()).find_map(|i| row_at(lines, i).map(|id| Top::Row(id, i - top))).unwrap_or_default()
}
