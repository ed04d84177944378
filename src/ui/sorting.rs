//! The sort columns, and the line that offers them.

use super::amounts::column_titles;
use super::pen::{Pen, columns};
use super::state::UiOptions;
use super::theme::{Role, Theme};
use crate::insight::{Column, Direction, Sort, View};
use crate::model::Resource;

/// A column that rows can be sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// The key that selects it.
    pub(super) key: Option<char>,
    pub(super) name: String,
    pub(super) column: Column,
    direction: Direction,
}

impl Choice {
    /// The initial order: shares and prices descending, everything else ascending.
    pub(super) fn sort(&self) -> Sort {
        Sort { column: self.column.clone(), direction: self.direction }
    }
}

/// The sort columns, in the order of the table.
pub(super) fn choices(options: &UiOptions) -> Vec<Choice> {
    use Direction::{Ascending, Descending};
    let choice = |key, name: &str, column, direction| Choice { key: Some(key), name: name.into(), column, direction };
    let mut choices = vec![
        choice('n', "node", Column::Name, Ascending),
        choice('p', "nodepool", Column::Pool, Ascending),
        choice('c', "cpu", Column::Cpu, Descending),
        choice('m', "memory", Column::Memory, Descending),
        choice('o', "pods", Column::Pods, Descending),
        choice('t', "type", Column::Type, Ascending),
        choice('$', "price", Column::Price, Descending),
        choice('w', "waste", Column::Waste, Descending),
        choice('b', "buy", Column::Capacity, Ascending),
        choice('z', "zone", Column::Zone, Ascending),
        choice('a', "age", Column::Age, Ascending),
        choice('u', "status", Column::Status, Ascending),
    ];
    for resource in options.resources.iter().filter(|r| !matches!(r, Resource::Cpu | Resource::Memory | Resource::Pods))
    {
        let (name, column) = (resource.name().to_owned(), Column::Share(resource.clone()));
        choices.push(Choice { key: None, name, column, direction: Descending });
    }
    // Label columns are offered under their titles, unless an earlier choice sorts by the same column.
    let labels = &options.extra_labels;
    for (extra, title) in labels.iter().zip(column_titles(labels, &options.resources)) {
        let direction = if extra.is_amount() { Descending } else { Ascending };
        let column = extra.sort_column();
        if choices.iter().all(|choice| choice.column != column) {
            choices.push(Choice { key: None, name: title.to_lowercase(), column, direction });
        }
    }
    for (choice, key) in choices.iter_mut().filter(|choice| choice.key.is_none()).zip('1'..='9') {
        choice.key = Some(key);
    }
    choices
}

/// The arrow of a direction: up for ascending, down for descending.
pub(super) const fn arrow(direction: Direction, theme: &Theme) -> &'static str {
    match direction {
        Direction::Ascending => theme.glyphs().up,
        Direction::Descending => theme.glyphs().down,
    }
}

/// Draws the line that offers the sort columns, instead of the footer.
pub(super) fn draw(pen: &mut Pen<'_>, view: &View, options: &UiOptions, theme: &Theme) {
    let mut x = pen.put(1, 0, "sort by ", theme.style(Role::Title));
    let choices = choices(options);
    let is_current = |choice: &Choice| choice.column == view.sort().column;
    // If not all fit, the first ones are left out until the current one is visible.
    let wide = |choice: &Choice| columns(&choice.name) + 2 + if choice.key.is_some() { 2 } else { 0 };
    let last = choices.iter().position(is_current).unwrap_or(0);
    let room = pen.width().saturating_sub(x + 4);
    let from =
        (0..last).find(|from| choices.iter().take(last + 1).skip(*from).map(wide).sum::<u16>() <= room).unwrap_or(last);
    if from > 0 {
        x = pen.put(x, 0, theme.glyphs().ellipsis, theme.dim());
        x = pen.put(x, 0, " ", theme.dim());
    }
    for choice in choices.iter().skip(from) {
        let current = is_current(choice);
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
    pen.put(x, 0, " reverse  s next", theme.dim());
}
