//! Aligned columns for reading: a few lines of totals, then a line a node, then claims without a node.

use super::cost_report;
use super::report::{Amounts, ClaimReport, GroupReport, PriceTotalReport};
use super::{NodeReport, Report};
use crate::cluster::permille;
use crate::insight::{AlertKind, ExtraColumn, amount_text, extra_titles, ratio_text, resource_titles, share_text};
use crate::model::{Name, Resource};
use crate::units::{age, text};
use std::collections::BTreeSet;
use std::io::{self, Write};

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let t = &report.totals;
    let name = if report.cluster.context.is_empty() { "cluster" } else { &report.cluster.context };
    let provisioners = report.cluster.provisioners.join(", ");
    let facts = [report.cluster.version.as_deref().unwrap_or_default(), provisioners.as_str()];
    let facts: Vec<&str> = facts.into_iter().filter(|f| !f.is_empty()).collect();
    writeln!(out, "{name}{}{}", if facts.is_empty() { "" } else { " · " }, facts.join(" · "))?;
    let launching = if t.launching > 0 { format!("  +{} launching", t.launching) } else { String::new() };
    writeln!(out, "nodes    {}{launching}{}", t.nodes, t.price.as_ref().map(total_price).unwrap_or_default())?;
    let unknown = Amounts::default();
    let requests = t.requests.as_ref().unwrap_or(&unknown);
    if let Some(cost) = t.price.as_ref().and_then(cost) {
        writeln!(out, "cost     {cost}")?;
    }
    if let Some(plane) = &report.control_plane {
        writeln!(out, "control plane  {}", cost_report::control_plane_line(plane))?;
    }
    if let Some(volumes) = &t.volumes {
        writeln!(out, "volumes  {}", cost_report::volumes_line(volumes))?;
    }
    writeln!(out, "cpu      {}", ratio(&Resource::Cpu, requests.cpu_millicores, t.allocatable.cpu_millicores))?;
    writeln!(out, "memory   {}", ratio(&Resource::Memory, requests.memory_bytes, t.allocatable.memory_bytes))?;
    let requested = t.requests.iter().flat_map(|r| r.extended.keys());
    let extended: BTreeSet<&Name> = t.allocatable.extended.keys().chain(requested).collect();
    for resource in extended {
        let offered = t.allocatable.extended.get(resource).copied().unwrap_or(0);
        let asked = t.requests.as_ref().map(|r| r.extended.get(resource).copied().unwrap_or(0));
        writeln!(out, "{resource}  {} / {offered}", asked.map_or_else(|| "—".into(), |n| n.to_string()))?;
    }
    match &t.pods {
        Some(p) => writeln!(
            out,
            "pods     {}: {} running, {} starting, {} unscheduled, {} terminating{}",
            p.total,
            p.running,
            p.starting,
            p.unscheduled,
            p.terminating,
            if p.unknown > 0 { format!(", {} unknown", p.unknown) } else { String::new() }
        )?,
        None => writeln!(out, "pods     —")?,
    }
    if let Some(orphans) = &report.orphaned_pods {
        writeln!(out, "{orphans}")?;
    }
    for (stream, trouble) in &report.trouble {
        writeln!(out, "{stream}: {trouble}")?;
    }
    for trouble in &report.price_trouble {
        writeln!(out, "prices from {trouble}")?;
    }
    for old in report.alerts.iter().filter(|alert| alert.kind == AlertKind::OldPrices.name()) {
        writeln!(out, "{}", old.text)?;
    }
    for term in &report.unmatched_terms {
        writeln!(out, "{term}")?;
    }
    if !report.nodes.is_empty() || !report.groups.is_empty() {
        writeln!(out)?;
        nodes(report, out)?;
    }
    let waiting: Vec<&ClaimReport> = report.nodeclaims.iter().filter(|c| c.node.is_none()).collect();
    if !waiting.is_empty() {
        writeln!(out)?;
        columns(out, &CLAIM_HEADING, &waiting.into_iter().map(claim_cells).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// The lines of nodes, under the heading of their group where they are grouped.
fn nodes(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let currency = report.totals.price.as_ref().map_or("USD", |p| p.currency);
    let resources: Vec<&Resource> = report.columns.resources.iter().filter(|r| **r != Resource::Pods).collect();
    let money = if currency == "CNY" { "¥/HOUR" } else { "$/HOUR" };
    let mut heading: Vec<(String, Align)> = Vec::new();
    let mut add = |title: &str, align| heading.push((title.to_owned(), align));
    add("NODE", Align::Left);
    add("NODEPOOL", Align::Left);
    let fixed = ["NODE", "NODEPOOL", "PODS", "TYPE", money, "CAPACITY", "ZONE", "AGE", "STATUS"].map(str::to_owned);
    for title in resource_titles(&resources, fixed) {
        add(&title, Align::Right);
    }
    add("PODS", Align::Right);
    add("TYPE", Align::Left);
    add(money, Align::Right);
    add("CAPACITY", Align::Left);
    add("ZONE", Align::Left);
    let fixed: Vec<String> = heading.iter().map(|(title, _)| title.clone()).collect();
    let fixed = fixed.into_iter().chain(["AGE".to_owned(), "STATUS".to_owned()]);
    heading.extend(extra_titles(&report.columns.labels, fixed).into_iter().map(|title| (title, Align::Left)));
    heading.extend([("AGE".to_owned(), Align::Right), ("STATUS".to_owned(), Align::Left)]);
    let price = 4 + resources.len();
    let labels = &report.columns.labels;
    let mut cells: Vec<Vec<String>> = Vec::new();
    if report.groups.is_empty() {
        cells.extend(report.nodes.iter().map(|n| node_cells(n, &resources, labels, currency)));
    }
    for group in &report.groups {
        cells.push(group_cells(group, &resources, labels.len(), currency));
        let members = report.nodes.iter().filter(|n| n.group.as_deref() == Some(group.name.as_str()));
        cells.extend(members.map(|n| {
            let mut cells = node_cells(n, &resources, labels, currency);
            if let Some(name) = cells.first_mut() {
                name.insert_str(0, "  ");
            }
            cells
        }));
    }
    align_marks(&mut cells, price);
    let heading: Vec<(&str, Align)> = heading.iter().map(|(title, align)| (title.as_str(), *align)).collect();
    columns(out, &heading, &cells)
}

/// The shares of a node or a group.
fn shares<'a>(
    resources: &'a [&Resource],
    requests: Option<&'a Amounts>,
    offered: &'a Amounts,
) -> impl Iterator<Item = String> + 'a {
    resources.iter().map(move |resource| {
        let amounts = requests.and_then(|r| r.get(resource)).zip(offered.get(resource));
        let share = amounts.and_then(|(part, whole)| share_text(resource, part, whole));
        share.unwrap_or_else(|| "—".into())
    })
}

/// `currency` is that of the heading; a price in another one says so.
fn node_cells(n: &NodeReport, resources: &[&Resource], labels: &[ExtraColumn], currency: &str) -> Vec<String> {
    let shown = |t: &Option<String>| t.clone().unwrap_or_else(|| "—".into());
    let mut cells = vec![n.name.clone(), shown(&n.nodepool)];
    cells.extend(shares(resources, n.requests.as_ref(), &n.allocatable));
    cells.push(match (n.pods, n.allocatable.pods) {
        (None, _) => "—".into(),
        (Some(pods), Some(limit)) if limit > 0 => format!("{pods}/{limit}"),
        (Some(pods), _) => pods.to_string(),
    });
    cells.push(shown(&n.instance_type));
    cells.push(match &n.price {
        None => "—".into(),
        Some(price) if price.currency == currency || price.hourly.is_none() => price.label.clone(),
        Some(price) => format!("{} {}", price.currency, price.label),
    });
    cells.extend([n.capacity_type.to_owned(), shown(&n.zone)]);
    cells.extend(labels.iter().map(|label| n.labels.get(label.to_string().as_str()).map_or_else(|| "—".into(), shown)));
    cells.push(age::short(n.age_seconds));
    cells.push(n.leaving.as_ref().map_or_else(|| n.status.to_owned(), |why| format!("{}: {why}", n.status)));
    cells
}

/// A group's subtotals, under the same heading.
fn group_cells(group: &GroupReport, resources: &[&Resource], labels: usize, currency: &str) -> Vec<String> {
    let mut cells = vec![group.name.clone(), String::new()];
    cells.extend(shares(resources, group.requests.as_ref(), &group.allocatable));
    cells.push(group.pods.map_or_else(|| "—".into(), |pods| pods.to_string()));
    cells.push(String::new());
    cells.push(match &group.price {
        Some(price) => match &price.hourly {
            Some(hourly) => {
                let least = if price.unpriced > 0 { "≥" } else { "" };
                let estimate = if price.estimated > 0 { "~" } else { "" };
                let foreign = if price.currency == currency { String::new() } else { format!("{} ", price.currency) };
                format!("{foreign}{least}{estimate}{hourly}")
            }
            None => "—".into(),
        },
        None => "—".into(),
    });
    cells.resize(cells.len() + 3 + labels, String::new());
    let nodes = if group.nodes == 1 { "1 node".to_owned() } else { format!("{} nodes", group.nodes) };
    let launching = if group.launching > 0 { format!(" +{} launching", group.launching) } else { String::new() };
    cells.push(format!("{nodes}{launching}"));
    cells
}

/// Gives every price the room of the longest mark behind one, so that the figures stand under each other.
fn align_marks(rows: &mut [Vec<String>], price: usize) {
    let mark = |price: &str| price.len() - price.trim_end_matches(['*', 'R', '?']).len();
    let room = rows.iter().filter_map(|row| row.get(price)).map(|cell| mark(cell)).max().unwrap_or(0);
    for cell in rows.iter_mut().filter_map(|row| row.get_mut(price)) {
        let own = mark(cell);
        cell.push_str(&" ".repeat(room - own));
    }
}

const CLAIM_HEADING: [(&str, Align); 6] = [
    ("NODECLAIM", Align::Left),
    ("NODEPOOL", Align::Left),
    ("ASKS", Align::Right),
    ("TYPE", Align::Left),
    ("AGE", Align::Right),
    ("STATUS", Align::Left),
];

fn claim_cells(c: &ClaimReport) -> Vec<String> {
    let shown = |t: &Option<String>| t.clone().unwrap_or_else(|| "—".into());
    let Amounts { cpu_millicores, memory_bytes, .. } = &c.requests;
    vec![
        c.name.clone(),
        shown(&c.nodepool),
        format!(
            "{} cpu, {}",
            amount_text(&Resource::Cpu, cpu_millicores.unwrap_or(0)),
            amount_text(&Resource::Memory, memory_bytes.unwrap_or(0))
        ),
        shown(&c.instance_type),
        age::short(c.age_seconds),
        c.reason.as_ref().map_or_else(|| c.status.to_owned(), |why| format!("{}: {why}", c.status)),
    ]
}

#[derive(Clone, Copy)]
enum Align {
    Left,
    Right,
}

/// Writes cells under their headings, each column as wide as its widest cell.
fn columns(out: &mut impl Write, heading: &[(&str, Align)], rows: &[Vec<String>]) -> io::Result<()> {
    let titles: Vec<String> = heading.iter().map(|(title, _)| (*title).to_owned()).collect();
    let mut widths: Vec<usize> = titles.iter().map(|title| text::width(title)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(text::width(cell));
        }
    }
    for row in std::iter::once(&titles).chain(rows) {
        let mut line = String::new();
        for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(heading) {
            let pad = " ".repeat(width.saturating_sub(text::width(cell)));
            let parts = match align {
                Align::Left => [cell.as_str(), pad.as_str()],
                Align::Right => [pad.as_str(), cell.as_str()],
            };
            line.extend(parts);
            line.push_str("  ");
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn total_price(p: &PriceTotalReport) -> String {
    let sign = if p.currency == "CNY" { "¥" } else { "$" };
    let unpriced = if p.unpriced > 0 { format!("  {} unpriced", p.unpriced) } else { String::new() };
    let (Some(hourly), Some(monthly)) = (&p.hourly, &p.monthly) else { return format!("  —/hour{unpriced}") };
    let bound = if p.unpriced > 0 { "≥ " } else { "" };
    let estimate = if p.estimated > 0 { "~" } else { "" };
    format!("  {bound}{estimate}{sign}{hourly}/hour  {bound}{estimate}{sign}{monthly}/month{unpriced}")
}

/// The parts of the total, and what of it is idle or over-requested.
fn cost(p: &PriceTotalReport) -> Option<String> {
    let sign = if p.currency == "CNY" { "¥" } else { "$" };
    let above_zero =
        |amount: &Option<String>| amount.clone().filter(|text| text.bytes().any(|b| matches!(b, b'1'..=b'9')));
    let parts = [("instances", &p.instances), ("auto mode", &p.fees), ("fargate", &p.fargate)];
    let parts: Vec<String> =
        parts.into_iter().filter_map(|(name, amount)| Some(format!("{name} {}", above_zero(amount)?))).collect();
    let mut lines = vec![parts.join(" + ")];
    let mut add = |name: &str, amount: Option<String>, left_out: u64, estimated: u64| {
        let (least, estimate) = (if left_out > 0 { "≥ " } else { "" }, if estimated > 0 { "~" } else { "" });
        lines.extend(amount.map(|amount| format!("{name} {least}{estimate}{sign}{amount}/hour")));
    };
    add("spot savings", p.spot_saves.clone(), p.spot_left_out, p.spot_estimated);
    add("discounts", p.discounts.clone(), 0, p.estimated);
    if let Some(waste) = &p.waste {
        add("idle", above_zero(&Some(waste.unrequested.clone())), waste.left_out, p.estimated);
        add("over-requested", above_zero(&waste.unused), waste.left_out, p.estimated);
        add("DaemonSet share", above_zero(&Some(waste.daemonsets.clone())), waste.left_out, p.estimated);
    }
    lines.retain(|text| !text.is_empty());
    let reasons: Vec<String> = p.unpriced_reasons.iter().map(|(why, n)| format!("{n} {why}")).collect();
    if !reasons.is_empty() {
        lines.push(format!("unpriced: {}", reasons.join(", ")));
    }
    if let Some(as_of) = &p.as_of {
        lines.push(format!("{} {as_of}", p.source));
    }
    (!lines.is_empty()).then(|| lines.join("  "))
}

/// `8.0 / 9.8  81.3%`; `—` for what is not known.
fn ratio(resource: &Resource, part: Option<u64>, whole: Option<u64>) -> String {
    let Some(whole) = whole else { return "—".into() };
    let Some(part) = part else { return format!("— / {}", amount_text(resource, whole)) };
    let share = permille(part, whole).filter(|_| whole > 0);
    let share = share.map_or_else(String::new, |p| format!("  {}.{}%", p / 10, p % 10));
    format!("{}{share}", ratio_text(resource, part, whole))
}
