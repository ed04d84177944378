//! The order of rows: by a typed value, never by the text that is shown.

use super::Waste;
use crate::cluster::Row;
use crate::model::{Name, Resource};
use crate::pricing::Quote;
use crate::units::natural::NaturalKey;
use std::cmp::Ordering;

/// The value that rows are sorted by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Column {
    /// Name, in natural order.
    Name,
    /// Nodepool or node group.
    Pool,
    /// Requested share of cpu.
    Cpu,
    /// Requested share of memory.
    Memory,
    /// Requested share of another resource.
    Share(Resource),
    /// Number of pods.
    Pods,
    /// Instance type.
    Type,
    /// Price by the hour.
    Price,
    /// The part of the price that no pod requests.
    Waste,
    /// Capacity type.
    Capacity,
    /// Zone.
    Zone,
    /// Age; ascending is youngest first.
    #[default]
    Age,
    /// Status.
    Status,
    /// Value of a label.
    Label(Name),
}

impl Column {
    /// The column of the requested share of a resource.
    pub fn from_resource(resource: Resource) -> Self {
        match resource {
            Resource::Cpu => Self::Cpu,
            Resource::Memory => Self::Memory,
            other => Self::Share(other),
        }
    }
}

/// Which end comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest, youngest, `a` first.
    #[default]
    Ascending,
    /// Largest, oldest, `z` first.
    Descending,
}

impl Direction {
    /// The opposite direction.
    #[must_use]
    pub const fn flipped(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// An order of rows. Ties break by name and then by identity, so the order is total; what has no value comes last
/// either way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort {
    /// By what.
    pub column: Column,
    /// Which end first.
    pub direction: Direction,
}

/// A row's place, made when the row changes and compared without looking at it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SortKey {
    Number(i64),
    Text(NaturalKey),
    Nothing,
}

impl SortKey {
    pub(super) fn of(row: &Row, column: &Column) -> Self {
        let number = |n: Option<u64>| n.map_or(Self::Nothing, |n| Self::Number(i64::try_from(n).unwrap_or(i64::MAX)));
        let text = |t: Option<&str>| t.map_or(Self::Nothing, |t| Self::Text(NaturalKey::new(t)));
        match column {
            Column::Name => Self::Text(row.natural_key().clone()),
            Column::Pool => text(row.pool()),
            Column::Cpu => number(row.requested_permille(&Resource::Cpu)),
            Column::Memory => number(row.requested_permille(&Resource::Memory)),
            Column::Share(resource) => number(row.requested_permille(resource)),
            Column::Pods => number(row.counts().then_some(row.sums().requests.pods)),
            Column::Type => text(row.instance_type()),
            Column::Price => row.quote().and_then(Quote::hourly).map_or(Self::Nothing, |m| Self::Number(m.nanos())),
            Column::Waste => Waste::of(row).map_or(Self::Nothing, |waste| Self::Number(waste.unrequested.nanos())),
            Column::Capacity => text(Some(row.capacity_type().name())),
            Column::Zone => text(row.zone()),
            // Younger is smaller.
            Column::Age => Self::Number(row.created().as_second().saturating_neg()),
            Column::Status => text(Some(row.state().name())),
            Column::Label(key) => text(row.label(key)),
        }
    }

    pub(super) fn compare(&self, other: &Self, direction: Direction) -> Ordering {
        let (order, valued) = match (self, other) {
            (Self::Number(a), Self::Number(b)) => (a.cmp(b), true),
            (Self::Text(a), Self::Text(b)) => (a.cmp(b), true),
            (Self::Nothing, Self::Nothing) => (Ordering::Equal, true),
            (Self::Nothing, _) => (Ordering::Greater, false),
            (_, Self::Nothing) => (Ordering::Less, false),
            (Self::Number(_), Self::Text(_)) => (Ordering::Less, true),
            (Self::Text(_), Self::Number(_)) => (Ordering::Greater, true),
        };
        match direction {
            Direction::Descending if valued => order.reverse(),
            Direction::Ascending | Direction::Descending => order,
        }
    }
}
