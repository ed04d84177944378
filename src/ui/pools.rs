//! Nodepools (or node groups): one line each, to look at and to filter by.
//!
//! Sums are made from the rows while this screen is open: some thousand rows, never pods.

use super::bar::{self, Share};
use super::frame::Picture;
use super::pen::{Pen, columns};
use super::state::{Pools, Seen};
use super::theme::{Glyphs, Role};
use super::words;
use crate::cluster::{CapacityType, Cluster, permille};
use crate::insight::PriceTotals;
use crate::model::{ConditionStatus, Name, NodePool, Resource, Resources, Stream};
use crate::units::Money;
use crate::units::text::{cut_end, cut_middle};
use ratatui::layout::Rect;
use std::collections::{BTreeMap, BTreeSet};

/// Every nodepool and node group by name.
pub(super) fn names(cluster: &Cluster) -> Vec<Name> {
    let made = cluster.pools().map(|pool| pool.name.clone());
    let worn = cluster.rows().filter(|row| cluster.is_shown(row)).filter_map(|row| row.pool().map(Name::from));
    let all: BTreeSet<Name> = made.chain(worn).collect();
    all.into_iter().collect()
}

/// Where the cursor is: on its pool, or where it was.
pub(super) fn cursor(state: &Pools, names: &[Name]) -> usize {
    let known = state.cursor.as_ref().and_then(|name| names.iter().position(|n| n == name));
    known.unwrap_or(state.cursor_at).min(names.len().saturating_sub(1))
}

#[derive(Default)]
struct Sum {
    nodes: u64,
    coming: u64,
    spot: u64,
    allocatable: Resources,
    requests: Resources,
    used_cpu: u64,
    used_memory: u64,
    measured: bool,
    price: PriceTotals,
}

/// An amount by the hour, with what must be said of it: what of it is left out, whether it rests on an estimate.
fn money(amount: Money, left_out: u64, price: &PriceTotals, glyphs: &Glyphs) -> String {
    let least = if left_out > 0 { glyphs.least } else { "" };
    let estimate = if price.estimated > 0 && amount != Money::ZERO { "~" } else { "" };
    format!("{least}{estimate}{}", amount.decimal(3))
}

/// What a pool costs by the hour.
fn hourly(price: &PriceTotals, glyphs: &Glyphs) -> String {
    if price.is_unknown() {
        return glyphs.unknown.into();
    }
    money(price.hourly(), price.unpriced + price.other_currency(), price, glyphs)
}

/// What of that no pod requests.
fn unrequested(price: &PriceTotals, glyphs: &Glyphs) -> String {
    if price.is_unknown() {
        return glyphs.unknown.into();
    }
    money(price.unrequested(), price.waste_left_out + price.other_currency(), price, glyphs)
}

fn sums(cluster: &Cluster) -> BTreeMap<Name, Sum> {
    let mut sums: BTreeMap<Name, Sum> = BTreeMap::new();
    for row in cluster.rows().filter(|row| row.gone().is_none()) {
        let Some(pool) = row.pool() else { continue };
        let sum = sums.entry(pool.into()).or_default();
        if row.is_node() {
            sum.nodes += 1;
        } else {
            sum.coming += 1;
        }
        sum.spot += u64::from(row.is_node() && row.capacity_type() == CapacityType::Spot);
        if row.counts() {
            if let Some(all) = row.allocatable() {
                sum.allocatable.add(all);
            }
            sum.requests.add(&row.sums().requests);
        }
        if let Some(usage) = row.usage() {
            sum.measured = true;
            sum.used_cpu += usage.cpu_millicores;
            sum.used_memory += usage.memory_bytes;
        }
        sum.price.include(row);
    }
    sums
}

fn share(sum: &Sum, resource: &Resource) -> Share {
    let all = sum.allocatable.get(resource);
    let used = match resource {
        Resource::Cpu => sum.used_cpu,
        Resource::Memory | Resource::EphemeralStorage | Resource::Pods | Resource::Extended(_) => sum.used_memory,
    };
    Share {
        fill: permille(sum.requests.get(resource), all),
        used: if sum.measured { permille(used, all) } else { None },
    }
}

/// The limit that is nearest: `cpu 10 / 1000`.
fn limit(pool: &NodePool) -> Option<(String, u64)> {
    let nodes = pool.node_limit.map(|limit| {
        let made = pool.nodes.unwrap_or(0);
        (format!("nodes {made} / {limit}"), permille(made, limit).unwrap_or(1000))
    });
    let others = pool.limited.iter().filter(|name| *name != "nodes").map(|name| {
        let resource = Resource::from_name(name);
        let (made, limit) = (pool.resources.get(&resource), pool.limits.get(&resource));
        let text = format!("{name} {}", words::ratio(&resource, made, limit));
        (text, permille(made, limit).unwrap_or(1000))
    });
    nodes.into_iter().chain(others).max_by_key(|(_, share)| *share)
}

fn health(pool: Option<&NodePool>) -> (String, Role) {
    let Some(pool) = pool else { return ("node group".into(), Role::Dim) };
    let bad = |kind: &str| pool.condition(kind).filter(|c| c.status == ConditionStatus::False);
    if pool.deleted.is_some() {
        ("deleting".into(), Role::Warn)
    } else if let Some(ready) = bad("Ready") {
        let why = if ready.message.is_empty() { &ready.reason } else { &ready.message };
        (format!("not ready: {why}"), Role::Bad)
    } else if let Some(registration) = bad("NodeRegistrationHealthy") {
        (format!("nodes do not register: {}", registration.reason), Role::Bad)
    } else if pool.condition("Ready").is_some_and(|c| c.status == ConditionStatus::True) {
        ("ready".into(), Role::Text)
    } else {
        ("readiness unknown".into(), Role::Dim)
    }
}

pub(super) fn draw(pen: &mut Pen<'_>, pic: &Picture<'_>, state: &Pools, seen: &mut Seen) {
    let theme = pic.theme();
    let g = theme.glyphs();
    let w = pen.width();
    pen.rule(0, g.rule, theme.style(Role::Rule));
    let karpenter = pic.cluster.pools().next().is_some();
    pen.put(2, 0, if karpenter { " nodepools " } else { " node groups " }, theme.style(Role::Title));
    let names = names(pic.cluster);
    if names.is_empty() {
        pen.put(2, 2, "No node belongs to a nodepool or a node group.", theme.style(Role::Text));
        return;
    }
    let sums = sums(pic.cluster);
    let (nodes_known, pods_known) = (pic.cluster.knows(Stream::Nodes), pic.cluster.knows(Stream::Pods));
    let none = Sum::default();
    let page = usize::from(pen.height().saturating_sub(2));
    seen.layer_page = page;
    let at = cursor(state, &names);
    let top = at.saturating_sub(page.saturating_sub(1));
    // Columns: name, nodes, bars while there is room, price, waste, spot, limit, health. Health is read in full before bars
    // are long: a pool that launches nothing says why here.
    let priced = pic.cluster.has_prices();
    let shown = || names.iter().skip(top).take(page);
    let cell =
        |name: &Name, text: &dyn Fn(&PriceTotals) -> String| sums.get(name).map_or(0, |s| columns(&text(&s.price)));
    let widest = |text: &dyn Fn(&PriceTotals) -> String| shown().map(|name| cell(name, text)).max().unwrap_or(0);
    let price_w = if priced { widest(&|price| hourly(price, g)).max(6) + 2 } else { 0 };
    let waste_w = if priced && w >= 80 { widest(&|price| unrequested(price, g)).max(6) + 2 } else { 0 };
    let health_w = shown().map(|name| columns(&health(pic.cluster.pool(name)).0)).max().unwrap_or(0).clamp(9, 40);
    let limits = shown().filter_map(|name| pic.cluster.pool(name).and_then(limit));
    let limit_w: u16 =
        if w >= 110 { limits.map(|(text, _)| columns(&text)).max().unwrap_or(0).clamp(13, 24) } else { 0 };
    let name_w = names.iter().map(|n| columns(n)).max().unwrap_or(0).clamp(8, (w / 4).max(8));
    let nodes_x = 4 + name_w + 1;
    let cpu_x = nodes_x + 10;
    let fixed = cpu_x + 2 + price_w + waste_w + 8 + if limit_w > 0 { limit_w + 2 } else { 0 } + 2 + health_w + 1;
    let bar_w: u16 = (w.saturating_sub(fixed) / 2).clamp(6, 26);
    let memory_x = cpu_x + bar_w + 2;
    let price_end = memory_x + bar_w + price_w;
    let waste_end = price_end + waste_w;
    let spot_end = waste_end + 8;
    let limit_x = spot_end + 2;
    let health_x = limit_x + if limit_w > 0 { limit_w + 2 } else { 0 };
    pen.put(4, 1, "NAME", theme.dim());
    pen.put_before(nodes_x + 8, 1, "NODES", theme.dim());
    pen.put(cpu_x, 1, "CPU", theme.dim());
    pen.put(memory_x, 1, "MEMORY", theme.dim());
    if priced {
        let sign = words::sign(pic.view.totals().price.currency(), theme);
        pen.put_before(price_end, 1, &format!("{sign}/HOUR"), theme.dim());
    }
    if waste_w > 0 {
        pen.put_before(waste_end, 1, "UNREQ", theme.dim());
    }
    pen.put_before(spot_end, 1, "SPOT", theme.dim());
    if limit_w > 0 {
        pen.put(limit_x, 1, "NEAREST LIMIT", theme.dim());
    }
    pen.put(health_x, 1, "HEALTH", theme.dim());
    let area = pen.area();
    for (i, name) in names.iter().enumerate().skip(top).take(page) {
        let y = 2 + (i - top) as u16;
        let sum = sums.get(name).unwrap_or(&none);
        let pool = pic.cluster.pool(name);
        seen.formatted += 1;
        seen.pools.push((Rect::new(area.x, area.y + y, area.width, 1), name.clone()));
        if state.chosen.contains(name) {
            pen.put(2, y, g.chosen, theme.style(Role::Good));
        }
        pen.put_max(4, y, &cut_middle(name, usize::from(name_w)), name_w, theme.style(Role::Strong));
        let nodes = if nodes_known { sum.nodes.to_string() } else { g.unknown.into() };
        let coming = if sum.coming > 0 { format!("{nodes}+{}", sum.coming) } else { nodes };
        pen.put_before(nodes_x + 8, y, &coming, theme.style(Role::Text));
        for (x, resource) in [(cpu_x, Resource::Cpu), (memory_x, Resource::Memory)] {
            let share = share(sum, &resource);
            match share.fill.filter(|_| pods_known) {
                Some(fill) => {
                    let level = theme.level(fill);
                    bar::draw(pen, x, y, bar_w.saturating_sub(5), share, level, theme);
                    let percent = words::percent(sum.requests.get(&resource), sum.allocatable.get(&resource));
                    pen.put_before(x + bar_w, y, &percent.unwrap_or_default(), theme.level_style(level));
                }
                None => {
                    pen.put_before(x + bar_w, y, g.unknown, theme.dim());
                }
            }
        }
        if priced {
            let text = if nodes_known { hourly(&sum.price, g) } else { g.unknown.into() };
            pen.put_before(price_end, y, &text, theme.style(Role::Strong));
        }
        if waste_w > 0 {
            let text = if nodes_known && pods_known { unrequested(&sum.price, g) } else { g.unknown.into() };
            pen.put_before(waste_end, y, &text, theme.style(Role::Text));
        }
        if let Some(spot) = words::percent(sum.spot, sum.nodes) {
            let style = if sum.spot > 0 { theme.style(Role::Spot) } else { theme.dim() };
            pen.put_before(spot_end, y, &spot, style);
        }
        if limit_w > 0 {
            let (text, role) = match pool.and_then(limit) {
                Some((text, share)) => (text, if share >= 900 { Role::Warn } else { Role::Text }),
                None if pool.is_some() => ("none".into(), Role::Dim),
                None => (g.unknown.into(), Role::Dim),
            };
            pen.put_max(limit_x, y, &cut_end(&text, usize::from(limit_w)), limit_w, theme.style(role));
        }
        let (text, role) = health(pool);
        let room = w.saturating_sub(health_x + 1);
        pen.put_max(health_x, y, &cut_end(&text, usize::from(room)), room, theme.style(role));
        if i == at {
            pen.tint(y, theme.cursor());
            pen.cell(0, y, g.cursor, theme.style(Role::Title));
        }
    }
}
