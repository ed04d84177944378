//! The columns rows can be ordered by, and the line that offers them.

use super::pen::Pen;
use super::state::UiOptions;
use super::theme::{Role, Theme};
use crate::insight::{Column, Direction, Sort, View};
use crate::model::Resource;

/// One column to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The key that names it while a column is chosen.
    pub(super) key: Option<char>,
    pub(super) name: String,
    pub(super) column: Column,
    direction: Direction,
}

impl Choice {
    /// The order it begins with: the largest share, the dearest first; names and the youngest otherwise.
    pub(super) fn sort(&self) -> Sort {
        Sort { column: self.column.clone(), direction: self.direction }
    }
}

/// What can be chosen, in the order of the table.
pub(super) fn choices(options: &UiOptions) -> Vec<Choice> {
    use Direction::{Ascending, Descending};
    let choice = |key, name: &str, column, direction| Choice { key: Some(key), name: name.into(), column, direction };
    let mut all = vec![
        choice('n', "node", Column::Name, Ascending),
        choice('p', "nodepool", Column::Pool, Ascending),
        choice('c', "cpu", Column::Cpu, Descending),
        choice('m', "memory", Column::Memory, Descending),
        choice('o', "pods", Column::Pods, Descending),
        choice('t', "type", Column::Type, Ascending),
        choice('$', "$/hour", Column::Price, Descending),
        choice('b', "buy", Column::Capacity, Ascending),
        choice('z', "zone", Column::Zone, Ascending),
        choice('a', "age", Column::Age, Ascending),
        choice('u', "status", Column::Status, Ascending),
    ];
    for resource in options.resources.iter().filter(|r| !matches!(r, Resource::Cpu | Resource::Memory | Resource::Pods))
    {
        let (name, column) = (resource.name().to_owned(), Column::Share(resource.clone()));
        all.push(Choice { key: None, name, column, direction: Descending });
    }
    for label in &options.extra_labels {
        let (name, column) = (label.to_string(), Column::Label(label.clone()));
        all.push(Choice { key: None, name, column, direction: Ascending });
    }
    all
}

/// The sign of a direction: an arrow up where values grow downwards on the screen, from the smallest.
pub(super) const fn arrow(direction: Direction, theme: &Theme) -> &'static str {
    match direction {
        Direction::Ascending => theme.glyphs().up,
        Direction::Descending => theme.glyphs().down,
    }
}

/// The line that offers the columns; drawn instead of the footer.
pub(super) fn draw(pen: &mut Pen<'_>, view: &View, options: &UiOptions, theme: &Theme) {
    let mut x = pen.put(1, 0, "sort by ", theme.style(Role::Title));
    for choice in choices(options) {
        let current = choice.column == view.sort().column;
        if let Some(key) = choice.key {
            x = pen.put(x, 0, key.encode_utf8(&mut [0; 4]), theme.style(Role::Key));
            x = pen.put(x, 0, " ", theme.dim());
        }
        let style = if current { theme.style(Role::Strong) } else { theme.dim() };
        x = pen.put(x, 0, &choice.name, style);
        if current {
            x = pen.put(x, 0, arrow(view.sort().direction, theme), theme.style(Role::Strong));
        }
        x = pen.put(x, 0, "  ", theme.dim());
    }
    x = pen.put(x, 0, "S", theme.style(Role::Key));
    pen.put(x, 0, " turn  s next", theme.dim());
}
