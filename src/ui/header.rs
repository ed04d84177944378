//! The header: which cluster, whether it is alive, how full, how many dollars.

use super::amounts::{Amounts, barred};
use super::format;
use super::pen::{Pen, columns};
use super::scene::Scene;
use super::state::{Bars, Seen};
use super::status::region;
use super::theme::{Role, Theme};
use super::{bar, extra_costs};
use crate::insight::{PriceTotals, amount_text, ratio_text};
use crate::model::{LinkState, Provisioner, Resource, Stream};
use crate::units::Money as Amount;
use crate::units::text::cut_end;
use ratatui::style::Style;
use std::collections::BTreeSet;

/// How much of it there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// Totals in one line.
    Line,
    /// Who and totals.
    Compact,
    /// A line for each resource.
    Full {
        /// And one for what money is made of.
        cost: bool,
        /// And one for the lines of the bill beside the machines.
        extra_costs: bool,
    },
}

/// Bars of resources in the header at most.
const BARS: usize = 5;

/// How many lines it takes.
pub(super) fn lines(size: Size, scene: &Scene<'_>, height: u16) -> u16 {
    match size {
        Size::Line => 1,
        Size::Compact => 2,
        Size::Full { cost, extra_costs } => {
            let most = if height < 24 { 2 } else { BARS };
            3 + u16::from(cost) + u16::from(extra_costs) + shown(scene).len().min(most) as u16
        }
    }
}

/// The resources with a line: those with a bar in the table; cpu and memory when one alone is shown there.
fn shown(scene: &Scene<'_>) -> Vec<Resource> {
    let mut all = barred(scene);
    if let Bars::Only(resource) = &scene.ui.bars {
        all = vec![Resource::Cpu, Resource::Memory];
        if !all.contains(resource) {
            all.push(resource.clone());
        }
    }
    all
}

type Piece = (String, Style);

fn wide(pieces: &[Piece]) -> u16 {
    pieces.iter().map(|(text, _)| columns(text)).sum()
}

fn put_all(pen: &mut Pen<'_>, mut x: u16, y: u16, pieces: &[Piece]) -> u16 {
    for (text, style) in pieces {
        x = pen.put(x, y, text, *style);
    }
    x
}

// === streams ===

/// Short names: the header's room is dear.
const fn stream_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Nodes => "nodes",
        Stream::Pods => "pods",
        Stream::Events => "events",
        Stream::NodeClaims => "claims",
        Stream::NodePools => "nodepools",
        Stream::Pdbs => "pdbs",
        Stream::NodeMetrics => "metrics",
        Stream::PodMetrics => "pod metrics",
        Stream::Ec2NodeClasses | Stream::NodeClasses => "classes",
    }
}

/// One stream's sign, and what must be said.
struct Health {
    stream: Stream,
    sign: &'static str,
    role: Role,
    more: String,
}

/// The health of a stream; none for what is not asked for.
fn health(scene: &Scene<'_>, stream: Stream, seen: &mut Seen) -> Option<Health> {
    let g = scene.theme().glyphs();
    let (sign, role, more) = match &scene.cluster.stream(stream).state {
        LinkState::Off => return None,
        LinkState::Connecting => (g.syncing, Role::Warn, String::new()),
        LinkState::Syncing { seen: n } => (g.syncing, Role::Warn, n.to_string()),
        LinkState::Live => (g.live, Role::Good, String::new()),
        LinkState::Absent => (g.absent, Role::Dim, String::new()),
        LinkState::Polled { .. } => (g.polled, Role::Warn, "not watched".into()),
        LinkState::Denied { .. } => (g.denied, Role::Bad, "denied".into()),
        LinkState::Retrying { at, .. } => {
            seen.changes_in(1, scene.now);
            let left = (at.as_second() - scene.now.as_second()).max(0);
            (g.retrying, Role::Warn, format!("retry {left}s"))
        }
    };
    Some(Health { stream, sign, role, more })
}

/// The marks of every stream, in as many words as fit into `room`. They stand still: what more there is to say of a
/// stream stands beside them.
fn marks(scene: &Scene<'_>, all: &[Health], room: u16) -> Vec<Piece> {
    let theme = scene.theme();
    let named = |absent: bool| -> Vec<Piece> {
        let shown = all.iter().filter(|health| absent || health.role != Role::Dim);
        let pieces = shown.flat_map(|health| {
            let settled = matches!(health.role, Role::Good | Role::Dim);
            let text = if settled { theme.dim() } else { theme.style(health.role) };
            [(health.sign.to_owned(), theme.style(health.role)), (format!(" {} ", stream_name(health.stream)), text)]
        });
        pieces.collect()
    };
    let signs: Vec<Piece> = all.iter().map(|h| (h.sign.to_owned(), theme.style(h.role))).collect();
    [named(true), named(false), signs].into_iter().find(|pieces| wide(pieces) <= room).unwrap_or_default()
}

/// What is to be said of streams that are not well: `pods 500`, `events claims retry 3s`.
fn troubles(all: &[Health]) -> Option<(String, Role)> {
    let mut said: Vec<(Vec<&str>, &str)> = Vec::new();
    let mut worst = Role::Warn;
    for health in all.iter().filter(|health| !health.more.is_empty()) {
        if health.role == Role::Bad {
            worst = Role::Bad;
        }
        match said.iter_mut().find(|(_, more)| *more == health.more) {
            Some((names, _)) => names.push(stream_name(health.stream)),
            None => said.push((vec![stream_name(health.stream)], &health.more)),
        }
    }
    let texts: Vec<String> = said.iter().map(|(names, more)| format!("{} {more}", names.join(" "))).collect();
    (!texts.is_empty()).then(|| (texts.join(", "), worst))
}

fn identity(pen: &mut Pen<'_>, scene: &Scene<'_>, ticks: bool, seen: &mut Seen) {
    let theme = scene.theme();
    let w = pen.width();
    // Its place is the same with seconds and without.
    let clock = format!("{:<8}", format::clock(scene.now, scene.offset_seconds, ticks));
    let end = if w >= 40 { pen.put_before(w.saturating_sub(1), 0, &clock, theme.dim()) } else { w };
    let mut x = pen.put(1, 0, "nodeglass", theme.style(Role::Title));
    x = pen.put(x, 0, "  ", theme.dim());
    let about = scene.cluster.about();
    let mut provisioners: Vec<&str> = about.provisioners.iter().copied().map(Provisioner::name).collect();
    provisioners.dedup();
    let provisioners = provisioners.join(" + ");
    let parts = [about.context.as_str(), region(scene).unwrap_or(""), about.version.as_str(), provisioners.as_str()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let named: u16 = parts.iter().map(|p| columns(p) + 3).sum();
    let least: u16 = parts.first().map_or(0, |p| columns(p).min(20));
    // Health keeps its words as long as the context's name has room.
    let room = end.saturating_sub(x + least + 3);
    let wanted = end.saturating_sub(x + named + 2);
    let all = Stream::ALL.into_iter().filter(|s| !s.is_optional());
    let all: Vec<Health> = all.filter_map(|s| health(scene, s, seen)).collect();
    let full = marks(scene, &all, wanted);
    let pieces = if wide(&full) > 0 && wanted > 30 { full } else { marks(scene, &all, room) };
    let mut streams_at = end.saturating_sub(wide(&pieces) + 2);
    put_all(pen, streams_at, 0, &pieces);
    if let Some((text, role)) = troubles(&all) {
        let room = streams_at.saturating_sub(x + least + 3);
        let text = cut_end(&text, usize::from(room));
        if room >= 8 {
            streams_at = pen.put_before(streams_at.saturating_sub(2), 0, &text, theme.style(role)).saturating_sub(1);
        }
    }
    for (i, part) in parts.iter().enumerate() {
        let room = streams_at.saturating_sub(x + 2);
        let separator = if i == 0 { "" } else { theme.glyphs().dot };
        let needs = columns(part) + if i == 0 { 0 } else { 3 };
        if i > 0 && needs > room {
            break;
        }
        if i > 0 {
            x = pen.put(x, 0, &format!(" {separator} "), theme.dim());
        }
        let style = if i == 0 { theme.style(Role::Strong) } else { theme.style(Role::Text) };
        x = pen.put(x, 0, &cut_end(part, usize::from(streams_at.saturating_sub(x + 1))), style);
    }
}

// === totals ===

/// Whether nothing is known of nodes: then there is no number, not 0.
fn nothing_yet(scene: &Scene<'_>) -> bool {
    !scene.cluster.knows(Stream::Nodes) || (scene.view.of() == 0 && !scene.cluster.stream(Stream::Nodes).complete)
}

/// `≥ ~$25.08/h`, how many are left out, and the month.
struct Money {
    hourly: String,
    unpriced: String,
    monthly: String,
}

impl Money {
    /// By the hour, what is left out, by the month, and how old it is: each with the gap before it.
    fn pieces(self, scene: &Scene<'_>) -> Vec<Vec<Piece>> {
        let theme = scene.theme();
        let (dim, warn) = (theme.dim(), theme.style(Role::Warn));
        let mut pieces = vec![vec![(self.hourly, theme.style(Role::Strong))]];
        if !self.unpriced.is_empty() {
            pieces.push(vec![(format!(" ({})", self.unpriced), warn)]);
        }
        if !self.monthly.is_empty() {
            pieces.push(vec![(" | ".to_owned(), dim), (self.monthly, theme.style(Role::Text))]);
        }
        pieces.extend(old_prices(scene).map(|old| vec![("   ".to_owned(), dim), (old, warn)]));
        pieces
    }
}

/// What must be said before an amount that leaves something out, or rests on an estimate: `≥ ~`.
fn doubts(scene: &Scene<'_>, left_out: u64) -> String {
    let least = if left_out > 0 { format!("{} ", scene.theme().glyphs().least) } else { String::new() };
    format!("{least}{}", if scene.view.totals().price.estimated > 0 { "~" } else { "" })
}

fn money(scene: &Scene<'_>) -> Option<Money> {
    if !scene.cluster.has_prices() {
        return None;
    }
    let unknown = scene.theme().glyphs().unknown;
    if nothing_yet(scene) {
        return Some(Money { hourly: format!("{unknown}/h"), unpriced: String::new(), monthly: String::new() });
    }
    let price = &scene.view.totals().price;
    let left_out = price.unpriced;
    let unpriced = if left_out > 0 { format!("{left_out} unpriced") } else { String::new() };
    if price.is_unknown() {
        return Some(Money { hourly: format!("{unknown}/h"), unpriced, monthly: format!("{unknown}/mo") });
    }
    let (mark, sign) = (doubts(scene, left_out), format::sign(price.currency(), scene.theme()));
    Some(Money {
        hourly: format!("{mark}{}/h", format::hourly(sign, price.hourly())),
        unpriced,
        monthly: format!("{mark}{}/mo", format::monthly(sign, price.hourly().monthly())),
    })
}

/// What the total is made of: `instances 0.430 + auto mode 0.052 + fargate 0.012`.
fn split(price: &PriceTotals) -> Vec<(&'static str, Amount)> {
    let parts = [("instances", price.instances()), ("auto mode", price.fees()), ("fargate", price.fargate())];
    parts.into_iter().filter(|(_, money)| *money != Amount::ZERO).collect()
}

/// What is to be said of money beside the total, the most important first: what it is made of, what can be done about
/// it, what was done already; each with the gap before it.
fn about_money(scene: &Scene<'_>) -> Vec<Vec<Piece>> {
    let theme = scene.theme();
    let price = &scene.view.totals().price;
    let (dim, text) = (theme.dim(), theme.style(Role::Text));
    let mut all: Vec<Vec<Piece>> = Vec::new();
    if nothing_yet(scene) || price.is_unknown() {
        return all;
    }
    let sign = format::sign(price.currency(), theme);
    let hourly = |money| format!("{}/h", format::hourly(sign, money));
    let split: Vec<String> = split(price).iter().map(|(name, money)| format!("{name} {}", money.decimal(3))).collect();
    all.push(vec![(split.join(" + "), text)]);
    let mut overhead = None;
    if scene.cluster.knows(Stream::Pods) {
        let mark = doubts(scene, price.waste_left_out);
        let said = |name: &str, money: Amount| {
            let pieces = vec![(format!("{name} "), dim), (format!("{mark}{}", hourly(money)), text)];
            (money != Amount::ZERO).then_some(pieces)
        };
        all.extend(said("idle", price.unrequested()));
        all.extend(price.unused().and_then(|unused| said("over-requested", unused)));
        overhead = said("DaemonSet share", price.overhead());
    }
    if let Some(saves) = price.spot_saves() {
        let estimate = if price.spot_estimated > 0 { "~" } else { "" };
        let mut pieces = vec![("spot savings ".to_owned(), dim), (format!("{estimate}{}", hourly(saves)), text)];
        if price.spot_left_out > 0 {
            pieces.push((format!(" ({} not known)", price.spot_left_out), dim));
        }
        all.push(pieces);
    }
    if let Some(saves) = price.discount_saves() {
        all.push(vec![("discounts ".to_owned(), dim), (format!("{}{}", doubts(scene, 0), hourly(saves)), text)]);
    }
    all.extend(overhead);
    all.retain(|pieces| wide(pieces) > 0);
    all
}

/// The warning that the oldest price of the total was published more than a year ago: `prices 20 months old`. Short, so that
/// it has room in 80 columns; [`provenance`] has the month.
fn old_prices(scene: &Scene<'_>) -> Option<String> {
    let old = scene.view.totals().price.old_prices(scene.now).filter(|_| !nothing_yet(scene))?;
    Some(format!("prices {} months old", old.months))
}

/// Where the figures of the total come from and how old the oldest is.
fn provenance(scene: &Scene<'_>) -> Option<Vec<Piece>> {
    let price = &scene.view.totals().price;
    let source = format::provenance(price.worst_source(), price.oldest(), scene.now);
    let said = !source.is_empty() && !nothing_yet(scene) && !price.is_unknown();
    said.then(|| vec![("   ".to_owned(), scene.theme().dim()), (source, scene.theme().dim())])
}

/// Why the prices that are missing are: `2 unpriced: no spot price`, `3 unpriced: 2 no spot price, 1 no price for this
/// type`, `9 unpriced: 4 no spot price, 5 for other reasons`; as many reasons, up to three, as fit into `room`.
fn reasons(price: &PriceTotals, room: u16) -> String {
    let mut reasons: Vec<(&str, u64)> = price.reasons().collect();
    reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let all = price.unpriced;
    if let [(why, _)] = reasons.as_slice() {
        return format!("{all} unpriced: {why}");
    }
    let said = (1..=reasons.len().min(3)).rev().map(|told| {
        let mut each: Vec<String> = reasons.iter().take(told).map(|(why, n)| format!("{n} {why}")).collect();
        let others: u64 = reasons.iter().skip(told).map(|(_, n)| n).sum();
        if others > 0 {
            each.push(format!("{others} for other reasons"));
        }
        format!("{all} unpriced: {}", each.join(", "))
    });
    said.into_iter().find(|text| columns(text) <= room).unwrap_or_else(|| format!("{all} unpriced"))
}

/// Why the best source that could tell the missing prices has not: `ec2:DescribeSpotPriceHistory is not allowed`. None
/// where they are missing for several reasons.
fn excuse(scene: &Scene<'_>, price: &PriceTotals) -> Option<String> {
    let mut whys = price.unknown.keys();
    let missing = whys.next().filter(|_| whys.next().is_none() && price.foreign == 0)?;
    let prices = scene.cluster.prices();
    let regions: BTreeSet<&str> = prices.sources().map(|(_, region, _)| region).collect();
    let told: Vec<_> = regions.into_iter().filter_map(|region| prices.why_missing(*missing, region).next()).collect();
    let rank = |source| missing.sources().iter().position(|teller| *teller == source);
    told.into_iter().min_by_key(|(source, _)| rank(*source)).map(|(_, why)| why.to_owned())
}

/// What money is made of, why prices are missing, and what of it is not put to use.
fn cost_line(pen: &mut Pen<'_>, y: u16, scene: &Scene<'_>) {
    let theme = scene.theme();
    pen.put(1, y, "cost", theme.dim());
    let mut x = VALUES;
    let price = &scene.view.totals().price;
    let mut said = about_money(scene);
    if price.unpriced > 0 && !nothing_yet(scene) {
        let split = said.first().map_or(0, |split| wide(split) + 3);
        let room = pen.width().saturating_sub(x + split + 1);
        let plain = reasons(price, room);
        let in_full = excuse(scene, price).map(|why| format!("{plain} ({why})"));
        let text = in_full.filter(|text| columns(text) <= room).unwrap_or(plain);
        said.insert(said.len().min(1), vec![(text, theme.style(Role::Warn))]);
    }
    if said.is_empty() {
        pen.put(x, y, &format!("{:>3}", theme.glyphs().unknown), theme.dim());
    }
    for pieces in said {
        let gap = if x == VALUES { 0 } else { 3 };
        if x + gap + wide(&pieces) < pen.width() {
            x = put_all(pen, x + gap, y, &pieces);
        }
    }
}

/// The lines of the bill beside the machines.
fn extra_costs_line(pen: &mut Pen<'_>, y: u16, scene: &Scene<'_>) {
    pen.put(1, y, "extra", scene.theme().dim());
    let mut all = extra_costs::header_lines(scene);
    // Amounts come before what is to be said of them.
    let needs = |all: &[Vec<Piece>]| all.iter().map(|pieces| wide(pieces) + 3).sum::<u16>() + VALUES;
    while needs(&all) > pen.width() + 2
        && let Some(pieces) = all.iter_mut().rev().find(|pieces| pieces.len() > 2)
    {
        pieces.pop();
    }
    let mut x = VALUES;
    for pieces in all {
        let gap = if x == VALUES { 0 } else { 3 };
        if x + gap + wide(&pieces) < pen.width() {
            x = put_all(pen, x + gap, y, &pieces);
        }
    }
}

/// Room for `143.8 / 361.5 Gi`.
const RATIO: u16 = 16;
/// Where values start, after the labels.
const VALUES: u16 = 10;

fn nodes_line(pen: &mut Pen<'_>, y: u16, scene: &Scene<'_>, with_cost: bool) {
    let theme = scene.theme();
    let g = theme.glyphs();
    let totals = scene.view.totals();
    pen.put(1, y, "nodes", theme.dim());
    let nodes = if nothing_yet(scene) { g.unknown.to_owned() } else { totals.nodes.to_string() };
    let x = pen.put(VALUES, y, &format!("{nodes:>3}"), theme.style(Role::Strong));
    let money = money(scene);
    // Money stands still while nodes come and go.
    let at = money_at(pen.width()).max(x + 2);
    let moving = moving(scene);
    let room = if money.is_some() { at.saturating_sub(x + 2) } else { pen.width().saturating_sub(x) };
    let words: Vec<Piece> = moving.iter().map(|(sign, word, style)| (format!("  {sign} {word}"), *style)).collect();
    let signs: Vec<Piece> = moving.into_iter().map(|(sign, _, style)| (format!("  {sign}"), style)).collect();
    let moving = if wide(&words) <= room { words } else { signs };
    if wide(&moving) <= room {
        put_all(pen, x, y, &moving);
    }
    let Some(money) = money else { return };
    let mut x = at;
    let mut pieces = money.pieces(scene);
    let mut about = if with_cost { about_money(scene) } else { Vec::new() }.into_iter().map(|mut pieces| {
        pieces.insert(0, ("   ".to_owned(), theme.dim()));
        pieces
    });
    pieces.extend(about.next());
    if with_cost {
        pieces.push(trend(scene, theme).concat());
        pieces.extend(provenance(scene));
        pieces.extend(about);
    } else {
        pieces.extend(provenance(scene));
        pieces.extend(trend(scene, theme));
    }
    for piece in pieces {
        if x + wide(&piece) < pen.width() {
            x = put_all(pen, x, y, &piece);
        }
    }
}

/// Whether the header has room for the warning of [`old_prices`]. Totals in one line have it before the pods.
pub(super) fn shows_old_prices(scene: &Scene<'_>, size: Size, width: u16) -> bool {
    match size {
        Size::Line | Size::Compact => true,
        Size::Full { .. } => money(scene).is_some_and(|money| {
            let pieces: u16 = money.pieces(scene).iter().map(|piece| wide(piece)).sum();
            money_at(width) + pieces < width
        }),
    }
}

/// Where money stands: after room for what comes and goes, in words where the terminal is wide.
const fn money_at(width: u16) -> u16 {
    match width {
        0..100 => 28,
        100..140 => 36,
        _ => 44,
    }
}

/// Nodes that come, go and fail to come: sign and number, the word for it, how it is drawn.
fn moving(scene: &Scene<'_>) -> Vec<(String, &'static str, Style)> {
    let theme = scene.theme();
    let (g, totals) = (theme.glyphs(), scene.view.totals());
    let minus = if theme.ascii { "-" } else { "−" };
    let all = [
        (g.new, totals.launching, "launching", Role::Moving),
        (minus, totals.leaving, "leaving", Role::Warn),
        (g.failed, totals.failed, "failed", Role::Bad),
    ];
    let some = all.into_iter().filter(|(_, n, ..)| *n > 0);
    some.map(|(sign, n, word, role)| (format!("{sign}{n}"), word, theme.style(role))).collect()
}

/// The cost over the session as a small line, and how it changed.
fn trend(scene: &Scene<'_>, theme: &Theme) -> Vec<Vec<Piece>> {
    let seconds = scene.history.seconds();
    let levels = scene.history.sparkline(16);
    if levels.is_empty() || seconds < 10 {
        return Vec::new();
    }
    let since = scene.now.saturating_sub(jiff::SignedDuration::from_secs(seconds)).ok();
    let Some(change) = since.and_then(|since| scene.history.delta(since)) else { return Vec::new() };
    let mut pieces = Vec::new();
    if theme.blocks() {
        pieces.push(vec![("   ".to_owned(), theme.dim()), (bar::steps(&levels), theme.style(Role::Moving))]);
    }
    if change.nanos() != 0 {
        let minus = if theme.ascii { "-" } else { "−" };
        let sign = if change.nanos() > 0 { "+" } else { minus };
        let amount = Amount::from_nanos(change.nanos().saturating_abs()).decimal(3);
        // Within so many whole minutes, so that it is true and does not tick.
        let over = if seconds < 60 { seconds } else { seconds.saturating_add(59) / 60 * 60 };
        let over = crate::units::age::short(over);
        let gap = if pieces.is_empty() { "   " } else { " " };
        pieces.push(vec![(format!("{gap}{sign}{amount}/h in {over}"), theme.dim())]);
    }
    pieces
}

fn resource_line(pen: &mut Pen<'_>, y: u16, scene: &Scene<'_>, resource: &Resource, ratio_width: u16) {
    let theme = scene.theme();
    let totals = scene.view.totals();
    let amounts = Amounts::of_totals(totals).seen_in(scene.cluster);
    let bars = match &scene.ui.bars {
        Bars::Dominant | Bars::Only(_) => &Bars::Requests,
        other => other,
    };
    pen.put_max(1, y, &cut_end(resource.short_name(), usize::from(VALUES - 2)), VALUES - 2, theme.dim());
    let text = amounts_text(scene, resource);
    let mut x = pen.put(VALUES, y, &text, theme.style(Role::Text)).max(VALUES + ratio_width);
    let share = amounts.share(resource, bars);
    x = x.saturating_add(2);
    let (percent, style) = match share.fill {
        Some(fill) => (
            // Of nothing there is no percentage, however full it is.
            if amounts.whole(resource, bars) == Some(0) { "full".to_owned() } else { format::percent_exact(fill) },
            theme
                .level_style(theme.level(fill))
                .patch(theme.style(Role::Strong))
                .fg(theme.level_style(theme.level(fill)).fg.unwrap_or_default()),
        ),
        None => (theme.glyphs().unknown.to_owned(), theme.dim()),
    };
    pen.put_before(x + 6, y, &percent, style);
    x += 8;
    let Some(most) = share.fill.or(share.used) else { return };
    let roomy = pen.width() >= 90 && totals.measured > 0;
    let part = measured_part(scene).filter(|_| roomy).unwrap_or_default();
    let is_measured = matches!(resource, Resource::Cpu | Resource::Memory);
    let used = match bars {
        Bars::Usage => Some(format!(" {part}")).filter(|_| !part.is_empty()),
        _ => share.used.filter(|_| roomy).map(|used| format!("  used {}{part}", format::percent_exact(used))),
    };
    // Bars of all resources end at one place.
    let tail = match bars {
        Bars::Usage => 1 + columns(&part),
        _ if roomy => 14 + columns(&part),
        _ => 1,
    };
    let width = pen.width().saturating_sub(x + tail).min(120);
    bar::draw(pen, x, y, width, share, theme.level(most), theme);
    if let Some(used) = used.filter(|_| is_measured) {
        pen.put(x + width, y, &used, theme.dim());
    }
}

/// The number of measured nodes if not all are: ` of 2 nodes`.
fn measured_part(scene: &Scene<'_>) -> Option<String> {
    let totals = scene.view.totals();
    (totals.unmeasured > 0).then(|| format!(" of {}", format::count(totals.measured, "node", "nodes")))
}

/// `8.0 / 9.8`: the amount that bars show of what all nodes have; `—` for what is not known.
fn amounts_text(scene: &Scene<'_>, resource: &Resource) -> String {
    let totals = scene.view.totals();
    let bars = match &scene.ui.bars {
        Bars::Dominant | Bars::Only(_) => &Bars::Requests,
        other => other,
    };
    let unknown = scene.theme().glyphs().unknown;
    let amounts = Amounts::of_totals(totals).seen_in(scene.cluster);
    // Allocatable is known from nodes, requests from pods: each is shown if it is known.
    match (amounts.amount(resource, bars), amounts.whole(resource, bars)) {
        (Some(part), Some(whole)) if part > 0 || whole > 0 => ratio_text(resource, part, whole),
        (Some(part), None) if part > 0 => format!("{} / {unknown}", amount_text(resource, part)),
        (None, Some(_)) if totals.allocatable.get(resource) > 0 => {
            format!("{unknown} / {}", amount_text(resource, totals.allocatable.get(resource)))
        }
        (Some(_) | None, _) => unknown.to_owned(),
    }
}

/// Pods by state; the numbers add up to the first.
fn pods_line(pen: &mut Pen<'_>, y: u16, scene: &Scene<'_>) {
    let theme = scene.theme();
    let dot = theme.glyphs().dot;
    let bound = scene.view.pods(scene.cluster);
    let waiting = bound.unscheduled;
    pen.put(1, y, "pods", theme.dim());
    // Pods without a node belong to no shown node: of a part of the nodes they are told apart.
    let part = !scene.view.shows_all(scene.cluster);
    let all = bound.total() - if part { waiting } else { 0 };
    let known = scene.cluster.knows(Stream::Pods);
    if !known || (all == 0 && !scene.cluster.stream(Stream::Pods).complete) {
        pen.put(VALUES, y, &format!("{:>3}", theme.glyphs().unknown), theme.style(Role::Strong));
        return;
    }
    let mut x = pen.put(VALUES, y, &format!("{all:>3}"), theme.style(Role::Strong));
    let mut pieces: Vec<Piece> = vec![(format!("   {} running", bound.running), theme.style(Role::Text))];
    if bound.starting > 0 {
        pieces.push((format!(" {dot} {} starting", bound.starting), theme.style(Role::Moving)));
    }
    if bound.unknown > 0 {
        pieces.push((format!(" {dot} {} unknown", bound.unknown), theme.style(Role::Warn)));
    }
    let terminating = (format!(" {dot} {} terminating", bound.terminating), theme.style(Role::Warn));
    if part && bound.terminating > 0 {
        pieces.push(terminating.clone());
    }
    if waiting > 0 {
        let said = if part { format!("   and {waiting} unscheduled") } else { format!(" {dot} {waiting} unscheduled") };
        pieces.push((said, theme.style(Role::Warn)));
    }
    let mut tail: Vec<Piece> = Vec::new();
    if !part && bound.terminating > 0 {
        tail.push(terminating);
    }
    if !part && waiting > 0 {
        tail.push((format!(" {dot} {} scheduled", bound.bound), theme.dim()));
    }
    // Causes give way to what stands behind them, until not even the most frequent has room.
    let room = pen.width().saturating_sub(x + wide(&pieces) + columns(": ") + 1);
    let beside = scene.pending.words(usize::from(room.saturating_sub(wide(&tail))));
    let causes = if beside.is_empty() { scene.pending.words(usize::from(room)) } else { beside };
    if waiting > 0 && !causes.is_empty() {
        let style = theme.style(Role::Warn).remove_modifier(ratatui::style::Modifier::BOLD);
        pieces.push((format!(": {causes}"), style));
    }
    pieces.extend(tail);
    for (text, style) in pieces {
        if x + columns(&text) < pen.width() {
            x = pen.put(x, y, &text, style);
        }
    }
}

/// Totals in one line, in the order of what matters; what does not fit is left out.
fn totals_line(pen: &mut Pen<'_>, y: u16, scene: &Scene<'_>) {
    let theme = scene.theme();
    let mut x: u16 = 1;
    for (i, (text, role)) in totals(scene).into_iter().enumerate() {
        let gap = if i == 0 { 0 } else { 2 };
        if x + gap + columns(&text) <= pen.width() {
            x = pen.put(x + gap, y, &text, theme.style(role));
        }
    }
}

fn totals(scene: &Scene<'_>) -> Vec<(String, Role)> {
    let totals = scene.view.totals();
    let unknown = scene.theme().glyphs().unknown;
    let pods_known = scene.cluster.knows(Stream::Pods);
    let nodes =
        if nothing_yet(scene) { format!("nodes {unknown}") } else { format::count(totals.nodes, "node", "nodes") };
    let mut all = vec![(nodes, Role::Strong)];
    if let Some(money) = money(scene) {
        all.push((money.hourly, Role::Strong));
    }
    for (name, resource) in [("cpu", Resource::Cpu), ("mem", Resource::Memory)] {
        let percent = Amounts::of_totals(totals).seen_in(scene.cluster).percent(&resource, &Bars::Requests);
        if let Some(percent) = percent {
            all.push((format!("{name} {percent}"), Role::Text));
        }
    }
    let waiting = scene.cluster.pod_counts().unscheduled;
    if waiting > 0 {
        all.push((format!("{waiting} unscheduled"), Role::Warn));
    }
    all.extend(old_prices(scene).map(|old| (old, Role::Warn)));
    let pods = scene.view.pods(scene.cluster);
    let pods = pods.total() - pods.unscheduled;
    let pods = if pods_known { format::count(pods, "pod", "pods") } else { format!("pods {unknown}") };
    all.push((pods, Role::Text));
    all
}

/// Draws the header at its size.
pub(super) fn draw(pen: &mut Pen<'_>, scene: &Scene<'_>, size: Size, ticks: bool, seen: &mut Seen) {
    match size {
        Size::Line => totals_line(pen, 0, scene),
        Size::Compact => {
            identity(pen, scene, ticks, seen);
            totals_line(pen, 1, scene);
        }
        Size::Full { cost, extra_costs } => {
            identity(pen, scene, ticks, seen);
            nodes_line(pen, 1, scene, !cost);
            let mut next = 2;
            if cost {
                cost_line(pen, next, scene);
                next += 1;
            }
            if extra_costs {
                extra_costs_line(pen, next, scene);
                next += 1;
            }
            let resources = shown(scene);
            // Bars begin at one place however the amounts change.
            let room = if pen.width() >= 80 { RATIO } else { 0 };
            let ratio = resources.iter().map(|r| columns(&amounts_text(scene, r))).max().unwrap_or(0).max(room);
            let last = pen.height().saturating_sub(1);
            for (y, resource) in (next..last).zip(&resources) {
                resource_line(pen, y, scene, resource, ratio);
            }
            pods_line(pen, last, scene);
        }
    }
}

/// A pane too small for any table: as many totals as fit, one a line, or a sign that there is more.
pub(super) fn tiny(pen: &mut Pen<'_>, scene: &Scene<'_>) {
    let theme = scene.theme();
    let mut y = 0;
    for (text, role) in totals(scene) {
        if y < pen.height() && columns(&text) <= pen.width() {
            pen.put(0, y, &text, theme.style(role));
            y += 1;
        }
    }
    if y == 0 {
        let text = if pen.width() >= 9 { "too small" } else { theme.glyphs().ellipsis };
        pen.put(0, 0, text, theme.dim());
    }
}
