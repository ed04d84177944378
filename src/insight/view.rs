//! The shown set: which rows, in which order, and what they add up to, kept by difference.
//!
//! A [`View`] looks at the rows that changed since the last frame and at no others; it sorts only when something the
//! order depends on changed, at most once a frame. Drawing reads it and changes nothing.

use super::sort::SortKey;
use super::totals::Part;
use super::{Filter, Sort, Totals};
use crate::cluster::{Cluster, PodCounts, Row, RowId};
use crate::model::Name;
use crate::units::Currency;
use crate::units::natural::NaturalKey;
use clap::ValueEnum;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// What rows are grouped by. Its values are those of `--group-by`, with their help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum)]
pub enum GroupBy {
    /// No groups
    #[default]
    #[value(name = "none")]
    Nothing,
    /// Nodepool, or node group where there is none
    #[value(name = "nodepool")]
    Pool,
    /// Availability zone
    Zone,
    /// Instance type
    Type,
    /// Capacity type: on-demand, spot, reserved
    Capacity,
}

impl GroupBy {
    /// Every grouping, in the order in which a key cycles through them.
    pub const ALL: [Self; 5] = [Self::Nothing, Self::Pool, Self::Zone, Self::Type, Self::Capacity];

    /// The word on the screen and in settings.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::Pool => "nodepool",
            Self::Zone => "zone",
            Self::Type => "type",
            Self::Capacity => "capacity",
        }
    }

    /// The group that a row belongs to; `(none)` where it has none.
    pub fn group_of(&self, row: &Row) -> Name {
        let known = |value: Option<&str>| Name::from(value.unwrap_or("(none)"));
        match self {
            Self::Nothing => Name::default(),
            Self::Pool => known(row.pool()),
            Self::Zone => known(row.zone()),
            Self::Type => known(row.instance_type()),
            Self::Capacity => Name::from(row.capacity_type().name()),
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    /// The heading of a group, with its subtotals in [`View::group`].
    Group(Name),
    /// A row.
    Row(RowId),
}

#[derive(Debug)]
struct Member {
    part: Part,
    key: SortKey,
    /// Breaks ties.
    name: NaturalKey,
    group: Name,
}

/// The shown set of one reader.
#[derive(Debug, Default)]
pub struct View {
    filter: Filter,
    sort: Sort,
    group_by: GroupBy,
    members: FxHashMap<RowId, Member>,
    lines: Vec<Line>,
    places: FxHashMap<RowId, usize>,
    totals: Totals,
    /// How many shown rows are priced in each currency. The totals are in the one that most of them have.
    priced_in: BTreeMap<Currency, u64>,
    groups: BTreeMap<Name, Totals>,
    all: rustc_hash::FxHashSet<RowId>,
    rebuild: bool,
    /// The second in which terms about time were looked at.
    looked: i64,
}

impl View {
    /// A view of everything, to be filled by the first [`Self::refresh`].
    pub fn new(filter: Filter, sort: Sort, group_by: GroupBy) -> Self {
        Self { filter, sort, group_by, rebuild: true, ..Self::default() }
    }

    /// What is filtered for.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Another filter, from the next refresh on.
    pub fn set_filter(&mut self, filter: Filter) {
        self.rebuild |= self.filter != filter;
        self.filter = filter;
    }

    /// How it is ordered.
    pub const fn sort(&self) -> &Sort {
        &self.sort
    }

    /// Another order, from the next refresh on.
    pub fn set_sort(&mut self, sort: Sort) {
        self.rebuild |= self.sort != sort;
        self.sort = sort;
    }

    /// How it is grouped.
    pub const fn group_by(&self) -> &GroupBy {
        &self.group_by
    }

    /// Another grouping, from the next refresh on.
    pub fn set_group_by(&mut self, group_by: GroupBy) {
        self.rebuild |= self.group_by != group_by;
        self.group_by = group_by;
    }

    /// Lines of the table in order: rows, and headings of groups when grouped.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Where a row stands among [`Self::lines`].
    pub fn place(&self, id: RowId) -> Option<usize> {
        self.places.get(&id).copied()
    }

    /// How many rows are shown.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no row is shown.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// How many rows there are, shown or filtered away.
    pub fn of(&self) -> usize {
        self.all.len()
    }

    /// What the shown rows add up to.
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Whether every row there is is shown, and none was left unread.
    pub fn shows_all(&self, cluster: &Cluster) -> bool {
        self.len() == self.of() && !cluster.selects_nodes()
    }

    /// The pods of what is shown, by state: those bound to the shown rows and, since they belong to no row, all without a
    /// node. Where all is shown these are the cluster's, counted by pods: those whose node is gone are among them.
    pub fn pods(&self, cluster: &Cluster) -> PodCounts {
        let (all, shown) = (*cluster.pod_counts(), self.totals.pods);
        if self.shows_all(cluster) {
            return all;
        }
        // Deleted before it ever had a node: neither unscheduled nor bound.
        let never_bound = all.total() - all.unscheduled - all.bound;
        PodCounts { unscheduled: all.unscheduled, terminating: shown.terminating + never_bound, ..shown }
    }

    /// What a group adds up to.
    pub fn group(&self, name: &str) -> Option<&Totals> {
        self.groups.get(name)
    }

    /// Takes in what changed. True if anything did.
    pub fn refresh(&mut self, cluster: &mut Cluster) -> bool {
        let changed = cluster.take_changed();
        let second = cluster.now().as_second();
        if self.rebuild {
            *self = Self {
                filter: std::mem::take(&mut self.filter),
                sort: std::mem::take(&mut self.sort),
                group_by: std::mem::take(&mut self.group_by),
                looked: second,
                ..Self::default()
            };
            let ids: Vec<RowId> = cluster.rows().map(Row::id).collect();
            for id in ids {
                self.take_in(id, cluster);
            }
            self.settle_currency();
            self.order();
            return true;
        }
        let mut reorder = false;
        for id in &changed {
            reorder |= self.take_in(*id, cluster);
        }
        let mut aged = false;
        if self.looked != second && self.filter.depends_on_time() {
            // Rows come and go by their age alone: once a second, only those whose answer differs are taken in.
            self.looked = second;
            let is_other = |row: &&Row| {
                cluster.is_shown(row) && self.filter.matches(row, cluster) != self.members.contains_key(&row.id())
            };
            let ids: Vec<RowId> = cluster.rows().filter(is_other).map(Row::id).collect();
            aged = !ids.is_empty();
            for id in ids {
                reorder |= self.take_in(id, cluster);
            }
        }
        self.settle_currency();
        if reorder {
            self.order();
        }
        aged || !changed.is_empty()
    }

    /// Takes one row in, or out; true if the order may differ.
    fn take_in(&mut self, id: RowId, cluster: &Cluster) -> bool {
        let row = cluster.row(id).filter(|row| row.id() == id && cluster.is_shown(row));
        match row {
            Some(_) => self.all.insert(id),
            None => self.all.remove(&id),
        };
        let wanted = row.filter(|row| self.filter.matches(row, cluster));
        let new = wanted.map(|row| Member {
            part: Part::of(row),
            key: SortKey::of(row, &self.sort.column),
            name: row.natural_key().clone(),
            group: self.group_by.group_of(row),
        });
        let old = self.members.remove(&id);
        if let Some(old) = &old {
            if let Some(rows) = old.part.currency().and_then(|currency| self.priced_in.get_mut(&currency)) {
                *rows = rows.saturating_sub(1);
            }
            self.totals.take(&old.part);
            if let Some(group) = self.groups.get_mut(&old.group) {
                group.take(&old.part);
            }
        }
        if let Some(new) = &new {
            if let Some(currency) = new.part.currency() {
                *self.priced_in.entry(currency).or_default() += 1;
            }
            self.sum(new);
        }
        let moved = match (&old, &new) {
            (Some(old), Some(new)) => old.key != new.key || old.name != new.name || old.group != new.group,
            (None, None) => false,
            (Some(_), None) | (None, Some(_)) => true,
        };
        if let Some(new) = new {
            self.members.insert(id, new);
        }
        moved
    }

    fn sum(&mut self, member: &Member) {
        self.totals.add(&member.part);
        if self.group_by != GroupBy::Nothing {
            let currency = self.totals.price.currency();
            let group = self.groups.entry(member.group.clone()).or_insert_with(|| Totals::new(currency));
            group.add(&member.part);
        }
    }

    /// Sums the rows again if most of them are now priced in another currency than before; of as many, dollars.
    fn settle_currency(&mut self) {
        let rows = |currency| self.priced_in.get(&currency).copied().unwrap_or_default();
        let currency = if rows(Currency::Cny) > rows(Currency::Usd) { Currency::Cny } else { Currency::Usd };
        if currency != self.totals.price.currency() {
            self.totals = Totals::new(currency);
            self.groups.clear();
            let members = std::mem::take(&mut self.members);
            for member in members.values() {
                self.sum(member);
            }
            self.members = members;
        }
    }

    fn order(&mut self) {
        let mut rows: Vec<(RowId, &Member)> = self.members.iter().map(|(id, member)| (*id, member)).collect();
        let direction = self.sort.direction;
        rows.sort_unstable_by(|(a, x), (b, y)| {
            x.group
                .cmp(&y.group)
                .then_with(|| x.key.compare(&y.key, direction))
                .then_with(|| x.name.cmp(&y.name))
                .then_with(|| a.cmp(b))
        });
        self.lines.clear();
        self.places.clear();
        let mut group: Option<&Name> = None;
        for (id, member) in rows {
            if self.group_by != GroupBy::Nothing && group != Some(&member.group) {
                self.lines.push(Line::Group(member.group.clone()));
                group = Some(&member.group);
            }
            self.places.insert(id, self.lines.len());
            self.lines.push(Line::Row(id));
        }
        let headed: rustc_hash::FxHashSet<&Name> =
            self.lines.iter().filter_map(|line| if let Line::Group(name) = line { Some(name) } else { None }).collect();
        self.groups.retain(|name, _| headed.contains(name));
    }
}
