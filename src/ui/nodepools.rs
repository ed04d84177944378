//! The list of nodepools and node groups: one line each, selectable as a filter.
//!
//! Sums are computed from the rows while this screen is open: thousands of rows, never pods.

use super::amounts::Amounts;
use super::bar;
use super::format;
use super::pen::{Pen, columns};
use super::scene::Scene;
use super::state::{Bars, Pools, Seen};
use super::theme::Role;
use crate::cluster::{CapacityType, Cluster, permille};
use crate::insight::{PriceTotals, Totals, percent_text, ratio_text};
use crate::model::{ConditionStatus, Name, NodePool, Resource, Stream, key};
use crate::units::Money;
use crate::units::text::{cut_end, cut_middle};
use ratatui::layout::Rect;
use std::collections::{BTreeMap, BTreeSet};

/// The names of all nodepools and node groups, in order.
pub(super) fn names(cluster: &Cluster) -> Vec<Name> {
    let objects = cluster.pools().map(|pool| pool.name.clone());
    let labels = cluster.rows().filter(|row| cluster.is_shown(row)).filter_map(|row| row.pool().map(Name::from));
    let names: BTreeSet<Name> = objects.chain(labels).collect();
    names.into_iter().collect()
}

/// The index of the cursor: its nodepool, or its last index if the nodepool is gone.
pub(super) fn cursor(state: &Pools, names: &[Name]) -> usize {
    let found = state.cursor.as_ref().and_then(|name| names.iter().position(|n| n == name));
    found.unwrap_or(state.cursor_at).min(names.len().saturating_sub(1))
}

#[derive(Default)]
struct Sum {
    /// Some node or claim names it as its Karpenter nodepool.
    karpenter: bool,
    /// Its spot nodes.
    spot: u64,
    totals: Totals,
}

/// Formats an amount of a nodepool.
type Cell = fn(&PriceTotals, &Scene<'_>) -> String;

/// An hourly amount with its marks: `≥` if nodes are left out, `~` if it is estimated.
fn money(amount: Money, left_out: u64, price: &PriceTotals, scene: &Scene<'_>) -> String {
    if price.is_unknown() {
        return scene.theme().glyphs().unknown.into();
    }
    let least = if left_out > 0 { scene.theme().glyphs().least } else { "" };
    let estimate = if price.estimated > 0 && amount != Money::ZERO { "~" } else { "" };
    format!("{least}{estimate}{}", amount.decimal(3))
}

/// The hourly cost of a nodepool.
fn hourly(price: &PriceTotals, scene: &Scene<'_>) -> String {
    money(price.hourly(), price.unpriced, price, scene)
}

/// The idle part of that cost.
fn unrequested(price: &PriceTotals, scene: &Scene<'_>) -> String {
    money(price.unrequested(), price.waste_left_out, price, scene)
}

fn sums(scene: &Scene<'_>) -> BTreeMap<Name, Sum> {
    let currency = scene.view.totals().price.currency();
    let mut sums: BTreeMap<Name, Sum> = BTreeMap::new();
    for row in scene.cluster.rows().filter(|row| row.gone().is_none()) {
        let Some(pool) = row.pool() else { continue };
        let empty = || Sum { karpenter: false, spot: 0, totals: Totals::new(currency) };
        let sum = sums.entry(pool.into()).or_insert_with(empty);
        sum.karpenter |= row.label(key::NODEPOOL) == Some(pool);
        sum.spot += u64::from(row.is_node() && row.capacity_type() == CapacityType::Spot);
        sum.totals.include(row);
    }
    sums
}

/// The limit that is used most, and its use in permille: `cpu 10 / 1000`.
fn limit(pool: &NodePool) -> Option<(String, u64)> {
    let nodes = pool.node_limit.map(|limit| {
        let used = pool.nodes.unwrap_or(0);
        (format!("nodes {used} / {limit}"), permille(used, limit).unwrap_or(1000))
    });
    let others = pool.limited.iter().filter(|name| *name != "nodes").map(|name| {
        let resource = Resource::from_name(name);
        let (used, limit) = (pool.resources.get(&resource), pool.limits.get(&resource));
        let text = format!("{name} {}", ratio_text(&resource, used, limit));
        (text, permille(used, limit).unwrap_or(1000))
    });
    nodes.into_iter().chain(others).max_by_key(|(_, share)| *share)
}

/// The health of a nodepool. `karpenter`: nodes name it as their Karpenter NodePool; if there is no such object, it was
/// deleted, provided that NodePools can be read.
fn health(pool: Option<&NodePool>, karpenter: bool, cluster: &Cluster) -> (String, Role) {
    let Some(pool) = pool else {
        return match (karpenter, cluster.has_all(Stream::NodePools)) {
            (false, _) => ("node group".into(), Role::Dim),
            (true, true) => ("deleted".into(), Role::Warn),
            (true, false) => ("nodepool, not read".into(), Role::Dim),
        };
    };
    let bad = |kind: &str| pool.condition(kind).filter(|c| c.status == ConditionStatus::False);
    if pool.deleted.is_some() {
        ("deleting".into(), Role::Warn)
    } else if let Some(ready) = bad("Ready") {
        let why = if ready.message.is_empty() { &ready.reason } else { &ready.message };
        (format!("not ready: {why}"), Role::Bad)
    } else if let Some(registration) = bad("NodeRegistrationHealthy") {
        (format!("nodes do not register: {}", registration.reason), Role::Bad)
    } else if pool.condition("Ready").is_some_and(|c| c.status == ConditionStatus::True) {
        let nodes = pool.nodes.unwrap_or(0);
        match pool.replicas {
            Some(replicas) if replicas != nodes => (format!("ready, {nodes} / {replicas} replicas"), Role::Moving),
            Some(replicas) => (format!("ready, {nodes} / {replicas} replicas"), Role::Text),
            None => ("ready".into(), Role::Text),
        }
    } else {
        ("readiness unknown".into(), Role::Dim)
    }
}

/// The position of each column; a column of width 0 is hidden.
struct Columns {
    name_w: u16,
    nodes_end: u16,
    cpu_x: u16,
    memory_x: u16,
    bar_w: u16,
    price_end: u16,
    price_w: u16,
    waste_end: u16,
    waste_w: u16,
    spot_end: u16,
    limit_x: u16,
    limit_w: u16,
    health_x: u16,
}

impl Columns {
    /// Lays out name, nodes, bars, price, idle, spot, limit, health. Health takes precedence over the length of bars:
    /// it shows why a nodepool launches no nodes.
    fn new(scene: &Scene<'_>, names: &[Name], shown: &[Name], sums: &BTreeMap<Name, Sum>, w: u16) -> Self {
        let priced = scene.cluster.has_prices();
        let cell = |name: &Name, text: Cell| sums.get(name).map_or(0, |sum| columns(&text(&sum.totals.price, scene)));
        let widest = |text: Cell| shown.iter().map(|name| cell(name, text)).max().unwrap_or(0).max(6) + 2;
        let price_w = if priced { widest(hourly) } else { 0 };
        let waste_w = if priced && w >= 80 { widest(unrequested) } else { 0 };
        let karpenter = |name: &Name| sums.get(name).is_some_and(|sum| sum.karpenter);
        let health_w = shown
            .iter()
            .map(|name| columns(&health(scene.cluster.pool(name), karpenter(name), scene.cluster).0))
            .max()
            .unwrap_or(0);
        let limits = shown.iter().filter_map(|name| scene.cluster.pool(name).and_then(limit));
        let limit_w = limits.map(|(text, _)| columns(&text)).max().unwrap_or(0).clamp(13, 24);
        let (limit_w, limit_gap) = if w >= 110 { (limit_w, 2) } else { (0, 0) };
        let name_w = names.iter().map(|n| columns(n)).max().unwrap_or(0).clamp(8, (w / 4).max(8));
        let cpu_x = 4 + name_w + 1 + 10;
        let beside = 2 + price_w + waste_w + 8 + limit_w + limit_gap + 2 + health_w.clamp(9, 40) + 1;
        let bar_w = (w.saturating_sub(cpu_x + beside) / 2).clamp(6, 26);
        let memory_x = cpu_x + bar_w + 2;
        let price_end = memory_x + bar_w + price_w;
        let waste_end = price_end + waste_w;
        let spot_end = waste_end + 8;
        let limit_x = spot_end + 2;
        Self {
            name_w,
            nodes_end: cpu_x - 2,
            cpu_x,
            memory_x,
            bar_w,
            price_end,
            price_w,
            waste_end,
            waste_w,
            spot_end,
            limit_x,
            limit_w,
            health_x: limit_x + limit_w + limit_gap,
        }
    }

    fn heading(&self, pen: &mut Pen<'_>, scene: &Scene<'_>) {
        let dim = scene.theme().dim();
        pen.put(4, 1, "NAME", dim);
        pen.put_before(self.nodes_end, 1, "NODES", dim);
        pen.put(self.cpu_x, 1, "CPU", dim);
        pen.put(self.memory_x, 1, "MEMORY", dim);
        if self.price_w > 0 {
            let sign = format::sign(scene.view.totals().price.currency(), scene.theme());
            pen.put_before(self.price_end, 1, &format!("{sign}/HOUR"), dim);
        }
        if self.waste_w > 0 {
            pen.put_before(self.waste_end, 1, "IDLE", dim);
        }
        pen.put_before(self.spot_end, 1, "SPOT", dim);
        if self.limit_w > 0 {
            pen.put(self.limit_x, 1, "NEAREST LIMIT", dim);
        }
        pen.put(self.health_x, 1, "HEALTH", dim);
    }

    /// The line of a nodepool, without its cursor and selection symbol.
    fn line(&self, pen: &mut Pen<'_>, y: u16, scene: &Scene<'_>, name: &Name, sum: &Sum) {
        let (theme, pool) = (scene.theme(), scene.cluster.pool(name));
        let g = theme.glyphs();
        let (nodes_known, pods_known) = (scene.cluster.knows(Stream::Nodes), scene.cluster.knows(Stream::Pods));
        let text = cut_middle(name, usize::from(self.name_w));
        pen.put_max(4, y, &text, self.name_w, theme.style(Role::Strong));
        let nodes = if nodes_known { sum.totals.nodes.to_string() } else { g.unknown.into() };
        let coming = if sum.totals.launching > 0 { format!("{nodes}+{}", sum.totals.launching) } else { nodes };
        pen.put_before(self.nodes_end, y, &coming, theme.style(Role::Text));
        for (x, resource) in [(self.cpu_x, Resource::Cpu), (self.memory_x, Resource::Memory)] {
            let amounts = Amounts::of_totals(&sum.totals).seen_in(scene.cluster);
            let share = amounts.share(&resource, &Bars::Requests);
            let level = theme.level(share.fill.or(share.used).unwrap_or(0));
            let percent = amounts.percent(&resource, &Bars::Requests);
            let room = self.bar_w.saturating_sub(percent.as_ref().map_or(0, |text| columns(text) + 1).max(5));
            if share.fill.or(share.used).is_some() {
                bar::draw(pen, x, y, room, share, level, theme);
            }
            let (text, style) =
                percent.map_or_else(|| (g.unknown.to_owned(), theme.dim()), |text| (text, theme.level_style(level)));
            pen.put_before(x + self.bar_w, y, &text, style);
        }
        let cell = |known: bool, text: Cell| if known { text(&sum.totals.price, scene) } else { g.unknown.into() };
        if self.price_w > 0 {
            pen.put_before(self.price_end, y, &cell(nodes_known, hourly), theme.style(Role::Strong));
        }
        if self.waste_w > 0 {
            pen.put_before(self.waste_end, y, &cell(nodes_known && pods_known, unrequested), theme.style(Role::Text));
        }
        if let Some(spot) = percent_text(sum.spot, sum.totals.nodes) {
            let style = if sum.spot > 0 { theme.style(Role::Spot) } else { theme.dim() };
            pen.put_before(self.spot_end, y, &spot, style);
        }
        if self.limit_w > 0 {
            let (text, role) = match pool.and_then(limit) {
                Some((text, share)) => (text, if share >= 900 { Role::Warn } else { Role::Text }),
                None if pool.is_some() => ("none".into(), Role::Dim),
                None => (g.unknown.into(), Role::Dim),
            };
            let text = cut_end(&text, usize::from(self.limit_w));
            pen.put_max(self.limit_x, y, &text, self.limit_w, theme.style(role));
        }
        let (text, role) = health(pool, sum.karpenter, scene.cluster);
        let room = pen.width().saturating_sub(self.health_x + 1);
        pen.put_max(self.health_x, y, &cut_end(&text, usize::from(room)), room, theme.style(role));
    }
}

pub(super) fn draw(pen: &mut Pen<'_>, scene: &Scene<'_>, state: &Pools, seen: &mut Seen) {
    let theme = scene.theme();
    let g = theme.glyphs();
    pen.rule(0, g.rule, theme.style(Role::Rule));
    let karpenter = scene.cluster.pools().next().is_some();
    pen.put(2, 0, if karpenter { " nodepools " } else { " node groups " }, theme.style(Role::Title));
    let names = names(scene.cluster);
    if names.is_empty() {
        pen.put(2, 2, "No node belongs to a nodepool or a node group.", theme.style(Role::Text));
        return;
    }
    let sums = sums(scene);
    let none = Sum::default();
    let page = usize::from(pen.height().saturating_sub(2));
    seen.layer_page = page;
    let at = cursor(state, &names);
    let top = at.saturating_sub(page.saturating_sub(1));
    let shown = names.get(top..names.len().min(top + page)).unwrap_or_default();
    let columns = Columns::new(scene, &names, shown, &sums, pen.width());
    columns.heading(pen, scene);
    let area = pen.area();
    for (i, name) in shown.iter().enumerate() {
        let y = 2 + i as u16;
        seen.formatted += 1;
        seen.pools.push((Rect::new(area.x, area.y + y, area.width, 1), name.clone()));
        if state.chosen.contains(name) {
            pen.put(2, y, g.chosen, theme.style(Role::Good));
        }
        columns.line(pen, y, scene, name, sums.get(name).unwrap_or(&none));
        if top + i == at {
            pen.tint(y, theme.cursor());
            pen.cell(0, y, g.cursor, theme.style(Role::Title));
        }
    }
}
