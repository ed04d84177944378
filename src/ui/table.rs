//! The node table: nodes, claims that are not nodes yet, launches that failed and nodes just gone, in one list.
//!
//! ```text
//!   NODE                 NODEPOOL         CPU                   MEMORY         PODS  TYPE         $/HOUR  …  STATUS
//! ▌ i-0fce4e6539834df06  general-purpose  ████████████▋   88%   ▌        5%    7/58  c5a.2xlarge  0.3853  …  Ready
//!  ◌ general-purpose-n52 general-purpose  launching 12s · asks 84.0 cpu for 45 pods                       …  Pending
//! ```
//!
//! Only the lines of the page are made into text; columns get their widths from them, and leave by priority.

use super::amounts::{Amounts, bar_titles, barred, column_titles};
use super::bar::{self, Share};
use super::format;
use super::pen::{Pen, columns};
use super::placement::{self, Placement};
use super::scene::Scene;
use super::sorting;
use super::state::{Bars, Focus, Seen};
use super::status::{note, sign, status};
use super::theme::{Level, Role, Theme};
use crate::cluster::{Row, RowState};
use crate::insight::{Column, ExtraColumn, Line, Totals, Waste};
use crate::model::{Resource, Stream};
use crate::pricing::{Mark, Quote};
use crate::units::text::{cut_end, cut_middle};
use crate::units::{Currency, Money, age};
use ratatui::style::{Modifier, Style};

/// Seconds for which a row that appeared is marked.
const NEW_SECONDS: i64 = 5;
/// The cursor, the row's sign, a space.
const GUTTER: u16 = 3;

/// One bar of a line, ready to draw.
#[derive(Clone, Debug, Default)]
struct BarText {
    share: Share,
    percent: String,
    name: String,
}

impl BarText {
    fn new(share: Share, percent: Option<String>) -> Self {
        Self { share, percent: percent.unwrap_or_default(), name: String::new() }
    }
}

fn bars(amounts: &Amounts<'_>, scene: &Scene<'_>, barred: &[Resource]) -> Vec<BarText> {
    if scene.ui.bars == Bars::Dominant {
        let dominant = amounts.dominant(barred);
        let share = Share { fill: dominant.as_ref().map(|(_, share)| *share), used: None, stale: false };
        let percent = dominant.as_ref().and_then(|(resource, _)| amounts.percent(resource, &scene.ui.bars));
        let name = dominant.map(|(resource, _)| resource.short_name().to_owned()).unwrap_or_default();
        return vec![BarText { name, ..BarText::new(share, percent) }];
    }
    let bar =
        |resource| BarText::new(amounts.share(resource, &scene.ui.bars), amounts.percent(resource, &scene.ui.bars));
    barred.iter().map(bar).collect()
}

// === text of a row ===

/// A row as text.
struct RowText {
    sign: (&'static str, Role),
    name: String,
    pool: String,
    bars: Vec<BarText>,
    pods: String,
    kind: String,
    price: String,
    /// What of it no pod requests, where that is sorted by.
    waste: String,
    buy: &'static str,
    spot: bool,
    zone: String,
    age: String,
    status: (String, Role),
    labels: Vec<String>,
    /// Drawn in place of bars, type and price.
    note: Option<(String, Role)>,
    faint: bool,
}

fn text(row: &Row, scene: &Scene<'_>, barred: &[Resource], seen: &mut Seen) -> RowText {
    let theme = &scene.ui.theme;
    let age_seconds = row.age_seconds(scene.now);
    seen.changes_in(format::age_changes_in(age_seconds), scene.now);
    let since = row.appeared().map(|at| scene.now.as_second() - at.as_second());
    let new = since.is_some_and(|s| s < NEW_SECONDS);
    if new {
        seen.changes_in(1, scene.now);
    }
    let unknown = theme.glyphs().unknown;
    let known = |value: Option<&str>| value.unwrap_or(unknown).to_owned();
    let note = note(row, scene, seen);
    let limit = row.allocatable().map(|a| a.pods).filter(|n| *n > 0);
    let pods = pod_count(row.sums().requests.pods, scene);
    RowText {
        sign: sign(row, new, theme),
        name: row.name().to_owned(),
        pool: known(row.pool()),
        bars: bars(&Amounts::of_row(row).seen_in(scene.cluster).at(scene.now, seen), scene, barred),
        pods: limit.map_or_else(|| pods.clone(), |limit| format!("{pods}/{limit}")),
        kind: known(row.instance_type()),
        price: row.quote().map_or_else(|| unknown.to_owned(), |quote| price(quote, scene)),
        waste: waste(row, scene),
        buy: buy(row, unknown),
        spot: row.capacity_type() == crate::cluster::CapacityType::Spot,
        zone: row.zone().map_or(unknown, |zone| format::zone(zone, row.region())).to_owned(),
        age: age::short(age_seconds),
        status: status(row, scene, seen),
        labels: scene.ui.options.extra_labels.iter().map(|column| extra_text(row, column, scene)).collect(),
        note,
        faint: *row.state() == RowState::Gone && !row.never_launched(),
    }
}

/// The currency of the price column: that of the total.
fn currency(scene: &Scene<'_>) -> Currency {
    scene.view.totals().price.currency()
}

/// A price under the heading, with its own sign where that is another.
fn price(quote: &Quote, scene: &Scene<'_>) -> String {
    let text = format::price(quote, scene.theme().glyphs());
    let bare = quote.mark == Mark::Prepaid || text == scene.theme().glyphs().unknown;
    let sign = if bare { "" } else { format::foreign(quote.currency, currency(scene), scene.theme()) };
    format!("{sign}{text}")
}

/// Gives every price the room of the longest mark behind one, so that the figures stand under each other: `0.0860R?`.
fn align_prices(texts: &mut [(bool, RowText)], scene: &Scene<'_>) {
    let unknown = scene.theme().glyphs().unknown;
    let mark = |price: &str| {
        let figure = price.trim_end_matches(['*', 'R', '?']);
        let is_figure = figure == unknown || figure.ends_with(|c: char| c.is_ascii_digit());
        is_figure.then_some(price.len() - figure.len())
    };
    let room = texts.iter().filter_map(|(_, text)| mark(&text.price)).max().unwrap_or(0);
    for (_, text) in texts {
        let own = mark(&text.price).unwrap_or(room);
        text.price.push_str(&" ".repeat(room - own));
    }
}

/// What of the price no pod requests; empty where nobody sorts by it.
fn waste(row: &Row, scene: &Scene<'_>) -> String {
    if scene.view.sort().column != Column::Waste {
        return String::new();
    }
    let known = Waste::of(row).filter(|_| scene.cluster.knows(Stream::Pods));
    let estimate = row.quote().filter(|quote| quote.is_estimated()).map_or("", |_| "~");
    let sign = row.quote().map_or("", |quote| format::foreign(quote.currency, currency(scene), scene.theme()));
    known.map_or_else(
        || scene.theme().glyphs().unknown.into(),
        |waste| match waste.unrequested {
            Money::ZERO => Money::ZERO.decimal(4),
            some => format!("{estimate}{sign}{}", some.decimal(4)),
        },
    )
}

/// The cell of an extra column.
fn extra_text(row: &Row, column: &ExtraColumn, scene: &Scene<'_>) -> String {
    let value = column.value(row, scene.cluster.knows(Stream::Pods), scene.now);
    value.unwrap_or_else(|| scene.theme().glyphs().unknown.to_owned())
}

/// A number of pods, or that nothing is known of pods.
fn pod_count(pods: u64, scene: &Scene<'_>) -> String {
    if scene.cluster.knows(Stream::Pods) { pods.to_string() } else { scene.theme().glyphs().unknown.into() }
}

fn buy(row: &Row, unknown: &'static str) -> &'static str {
    use crate::cluster::CapacityType as C;
    match row.capacity_type() {
        C::OnDemand => "od",
        C::Spot => "spot",
        C::Reserved => "rsvd",
        C::CapacityBlock => "block",
        C::Fargate => "farg",
        C::Unknown => unknown,
    }
}

/// A heading with its subtotals.
fn group_text(name: &str, totals: &Totals, scene: &Scene<'_>, barred: &[Resource]) -> RowText {
    let price = &totals.price;
    let sign = format::foreign(price.currency(), currency(scene), scene.theme());
    let amount = |amount: Money, left_out: u64| {
        let least = if left_out > 0 { scene.theme().glyphs().least } else { "" };
        let estimate = if price.estimated > 0 && amount != Money::ZERO { "~" } else { "" };
        format!("{least}{estimate}{sign}{}", amount.decimal(4))
    };
    let mut money = amount(price.hourly(), price.unpriced);
    let mut waste = amount(price.unrequested(), price.waste_left_out);
    if !scene.cluster.knows(Stream::Pods) {
        waste = scene.ui.theme.glyphs().unknown.into();
    }
    let nodes_known = scene.cluster.knows(Stream::Nodes);
    if price.is_unknown() || !scene.cluster.has_prices() || !nodes_known {
        money = scene.ui.theme.glyphs().unknown.into();
        waste.clone_from(&money);
    }
    RowText {
        sign: (" ", Role::Text),
        name: name.to_owned(),
        pool: String::new(),
        bars: bars(&Amounts::of_totals(totals).seen_in(scene.cluster), scene, barred),
        pods: pod_count(totals.requests.pods, scene),
        kind: String::new(),
        price: money,
        waste,
        buy: "",
        spot: false,
        zone: String::new(),
        age: String::new(),
        status: (if nodes_known { format::count(totals.nodes, "node", "nodes") } else { String::new() }, Role::Dim),
        labels: Vec::new(),
        note: None,
        faint: false,
    }
}

// === columns ===

#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    Name,
    Pool,
    Bar(usize),
    Pods,
    Kind,
    Price,
    Waste,
    Buy,
    Zone,
    Label(usize),
    Age,
    Status,
}

#[derive(Clone, Debug)]
struct Slot {
    field: Field,
    heading: String,
    /// What it is sorted by, to put the arrow there.
    sort: Option<Column>,
    /// The lowest stays longest.
    priority: u8,
    /// How far it may be cut; 0 for what is never cut.
    cut_to: u16,
    least: u16,
    wanted: u16,
    right: bool,
    x: u16,
    width: u16,
}

const BAR_LEAST: u16 = 9;
/// Seven cells and the percentage: bars of different rows can be compared.
const BAR_READABLE: u16 = 12;
/// Columns of this priority and above are nice to have: zone, nodepool, purchase option.
const NICE: u8 = 16;
const BAR_WANTED: u16 = 17;
const BAR_MOST: u16 = 37;
/// The longest ages: `9m59s`, `9h59m`, `9d23h`.
const AGE: u16 = 5;
/// ` 100%`.
const PERCENT: u16 = 5;
/// A name of EC2's own (`ip-10-0-12-34.ap-northeast-2.compute.internal`) is told apart by this much of it.
const NAME_MOST: u16 = 40;

/// All columns, with the widths that the lines of this page would like.
fn slots(scene: &Scene<'_>, barred: &[Resource], lines: &[RowText], width: u16) -> Vec<Slot> {
    // The arrow is part of the heading, and so of the column's width.
    let headed = |heading: &str, sort: Option<&Column>| {
        let sorted = sort == Some(&scene.view.sort().column);
        let arrow = if sorted { sorting::arrow(scene.view.sort().direction, scene.theme()) } else { "" };
        format!("{heading}{arrow}")
    };
    let widest =
        |heading: &str, cell: &dyn Fn(&RowText) -> u16| lines.iter().map(cell).max().unwrap_or(0).max(columns(heading));
    let slot = |field, heading: &str, sort: Option<Column>, priority, cut_to, cell: &dyn Fn(&RowText) -> u16, right| {
        let heading = headed(heading, sort.as_ref());
        let wanted = widest(&heading, cell);
        Slot { field, heading, sort, priority, cut_to, least: 0, wanted, right, x: 0, width: 0 }
    };
    let mut all = vec![
        slot(Field::Name, "NODE", Some(Column::Name), 0, 19, &|t| columns(&t.name), false),
        slot(Field::Pool, "NODEPOOL", Some(Column::Pool), 17, 12, &|t| columns(&t.pool), false),
    ];
    let bar = |at: usize, heading: String, sort: Option<Column>| Slot {
        field: Field::Bar(at),
        heading: headed(&heading, sort.as_ref()),
        sort,
        priority: match at {
            0 => 1,
            1 => 4,
            n => 10 + n.min(5) as u8,
        },
        cut_to: if at < 2 { BAR_LEAST } else { PERCENT },
        least: 0,
        wanted: if at < 2 { BAR_WANTED } else { BAR_LEAST },
        right: false,
        x: 0,
        width: 0,
    };
    if scene.ui.bars == Bars::Dominant {
        all.push(bar(0, "DOMINANT".into(), None));
    } else {
        for (at, (resource, title)) in barred.iter().zip(bar_titles(barred)).enumerate() {
            let sort = match resource {
                Resource::Cpu => Column::Cpu,
                Resource::Memory => Column::Memory,
                other => Column::Share(other.clone()),
            };
            all.push(bar(at, title, Some(sort)));
        }
    }
    let pods = |t: &RowText| pods_width(&t.pods);
    all.push(slot(Field::Pods, "PODS", Some(Column::Pods), 7, 0, &pods, true));
    all.push(slot(Field::Kind, "TYPE", Some(Column::Type), 6, 0, &|t| columns(&t.kind), false));
    if scene.cluster.has_prices() {
        let heading = format!("{}/HOUR", format::sign(currency(scene), scene.theme()));
        all.push(slot(Field::Price, &heading, Some(Column::Price), 3, 0, &|t| columns(&t.price), true));
        if scene.view.sort().column == Column::Waste {
            all.push(slot(Field::Waste, "IDLE", Some(Column::Waste), 3, 0, &|t| columns(&t.waste), true));
        }
    }
    all.push(slot(Field::Buy, "BUY", Some(Column::Capacity), 16, 0, &|t| columns(t.buy), false));
    all.push(slot(Field::Zone, "ZONE", Some(Column::Zone), 21, 0, &|t| columns(&t.zone), false));
    let labels = &scene.ui.options.extra_labels;
    for (at, (extra, title)) in labels.iter().zip(column_titles(labels, barred)).enumerate() {
        let cell = |t: &RowText| t.labels.get(at).map_or(0, |l| columns(l));
        // Numbers are never cut, values of labels may be.
        let cut_to = if extra.is_label() { 8 } else { 0 };
        all.push(slot(Field::Label(at), &title, Some(extra.sort_column()), 9, cut_to, &cell, !extra.is_label()));
    }
    all.push(slot(Field::Age, "AGE", Some(Column::Age), 5, 0, &|t| columns(&t.age).max(AGE), true));
    // It changes all the time: its width does not, and says only what fits.
    let status = match width {
        0..150 => 12,
        150..180 => 18,
        180.. => 33,
    };
    all.push(slot(Field::Status, "STATUS", Some(Column::Status), 2, 12, &|_| status, false));
    all
}

/// Room for as many pods as there can be: `7/58` will be `10/58`.
fn pods_width(pods: &str) -> u16 {
    pods.split_once('/').map_or(0, |(_, limit)| 2 * columns(limit) + 1).max(columns(pods))
}

/// Slots no narrower than they were on this page, with the least that each may be cut to.
fn learned(mut slots: Vec<Slot>, scene: &Scene<'_>, width: u16, seen: &mut Seen) -> Vec<Slot> {
    let view = scene.view;
    let page = format!(
        "{width} {:?} {:?} {:?} {:?} {:?}",
        scene.ui.table.top,
        view.sort().column,
        view.group_by(),
        scene.ui.bars,
        scene.ui.filter_text
    );
    let widths = scene.ui.table_widths.grown(page, slots.iter().map(|slot| slot.wanted).collect());
    for (i, slot) in slots.iter_mut().enumerate() {
        slot.wanted = widths.column(i);
        // Names may be cut down to their least; numbers never.
        slot.least = if slot.cut_to == 0 { slot.wanted } else { slot.wanted.min(slot.cut_to) };
    }
    seen.table_widths = widths;
    slots
}

/// Gives `width` columns to slots: those of low priority leave first, names shrink, bars take what is left. What is only
/// nice to have leaves before the main bars are too short to compare.
fn fit(mut slots: Vec<Slot>, width: u16) -> Vec<Slot> {
    let room = width.saturating_sub(GUTTER);
    let gap: u16 = if width >= 130 { 2 } else { 1 };
    let is_main = |s: &Slot| matches!(s.field, Field::Bar(0 | 1));
    let needed = |slots: &[Slot]| slots.iter().map(|s| s.least + gap).sum::<u16>().saturating_sub(gap);
    let readable = |slots: &[Slot]| {
        let more = slots.iter().filter(|s| is_main(s)).map(|s| BAR_READABLE.saturating_sub(s.least));
        needed(slots) + more.sum::<u16>()
    };
    let lowest = |slots: &[Slot]| slots.iter().enumerate().max_by_key(|(i, s)| (s.priority, *i)).map(|(i, _)| i);
    while slots.len() > 1 {
        let Some(out) = lowest(&slots) else { break };
        if needed(&slots) <= room && (slots[out].priority < NICE || readable(&slots) <= room) {
            break;
        }
        slots.remove(out);
    }
    if readable(&slots) <= room {
        slots.iter_mut().filter(|s| is_main(s)).for_each(|s| s.least = s.least.max(BAR_READABLE));
    }
    let mut left = room.saturating_sub(needed(&slots));
    for slot in &mut slots {
        slot.width = slot.least.min(room);
    }
    let is_bar = |s: &Slot| matches!(s.field, Field::Bar(_));
    // What identifies comes before what is nice to have, and words before bars: a bar is readable at any length.
    let mut order: Vec<usize> = (0..slots.len()).filter(|i| !is_bar(&slots[*i])).collect();
    order.sort_by_key(|i| (slots[*i].field == Field::Status, slots[*i].priority));
    // A very long name is cut before it takes the bars' room, and is whole again where nobody else wants it.
    for i in order {
        let most = if slots[i].field == Field::Name { NAME_MOST } else { u16::MAX };
        let more = slots[i].wanted.min(most).saturating_sub(slots[i].width).min(left);
        slots[i].width += more;
        left -= more;
    }
    // The first two bars share the rest evenly; those of devices come after them.
    let mut grow = |slots: &mut [Slot], which: &dyn Fn(&Slot) -> bool, most: &dyn Fn(&Slot) -> u16| {
        let n = slots.iter().filter(|s| which(s)).count() as u16;
        let Some(each) = left.checked_div(n) else { return };
        for slot in slots.iter_mut().filter(|s| which(s)) {
            let more = each.min(most(slot).saturating_sub(slot.width));
            slot.width += more;
            left -= more;
        }
    };
    grow(&mut slots, &is_main, &|slot| slot.wanted);
    grow(&mut slots, &|s| is_bar(s) && !is_main(s), &|slot| slot.wanted);
    grow(&mut slots, &|s| s.field == Field::Name, &|slot| slot.wanted);
    grow(&mut slots, &is_main, &|_| BAR_MOST);
    let mut x = GUTTER;
    for slot in &mut slots {
        slot.x = x;
        x = x.saturating_add(slot.width + gap);
    }
    // The last column may use what is left on the right.
    if let Some(last) = slots.last_mut()
        && last.field == Field::Status
    {
        last.width = width.saturating_sub(last.x);
    }
    slots
}

// === drawing ===

/// Draws heading and rows.
pub(super) fn draw(pen: &mut Pen<'_>, scene: &Scene<'_>, headed: bool, seen: &mut Seen) {
    let head = u16::from(headed);
    let page = pen.height().saturating_sub(head);
    let area = pen.area();
    seen.page = usize::from(page);
    seen.table = ratatui::layout::Rect { y: area.y + head.min(area.height), height: page, ..area };
    let placed = placement::place(&scene.ui.table, scene.view, scene.cluster, usize::from(page));
    let Placement { top, cursor_at, cursor } = placed;
    (seen.top, seen.cursor_at, seen.cursor) = (top, cursor_at, cursor);
    let lines = scene.view.lines();
    let visible = lines.get(top..).unwrap_or_default();
    seen.lines = visible.iter().take(usize::from(page)).cloned().collect();
    let barred = barred(scene);
    let shown = seen.lines.clone();
    let mut texts: Vec<(bool, RowText)> = shown
        .iter()
        .filter_map(|line| match line {
            Line::Row(id) => Some((false, text(scene.cluster.row(*id)?, scene, &barred, seen))),
            Line::Group(name) => Some((true, group_text(name, scene.view.group(name)?, scene, &barred))),
        })
        .collect();
    seen.formatted += texts.len();
    align_prices(&mut texts, scene);
    let (groups, rows): (Vec<bool>, Vec<RowText>) = texts.into_iter().unzip();
    let wanted = slots(scene, &barred, &rows, pen.width());
    let slots = fit(learned(wanted, scene, pen.width(), seen), pen.width());
    if headed {
        heading(pen, &slots, scene);
    }
    for (i, row) in rows.iter().enumerate() {
        let y = head + i as u16;
        let here = top + i == cursor_at && cursor.is_some();
        let group = groups.get(i).copied().unwrap_or(false);
        line(pen, y, row, &slots, scene, group);
        if here {
            let theme = &scene.ui.theme;
            pen.tint(y, theme.cursor());
            let role = if scene.ui.focus == Focus::Nodes { Role::Title } else { Role::Dim };
            pen.cell(0, y, theme.glyphs().cursor, theme.style(role));
        }
    }
}

fn heading(pen: &mut Pen<'_>, slots: &[Slot], scene: &Scene<'_>) {
    let theme = scene.theme();
    for slot in slots {
        let sorted = slot.sort.as_ref() == Some(&scene.view.sort().column);
        let style = if sorted { theme.style(Role::Title) } else { theme.dim() };
        let text = cut_end(&slot.heading, usize::from(slot.width));
        let x = if slot.right { slot.x + slot.width.saturating_sub(columns(&text)) } else { slot.x };
        pen.put_max(x, 0, &text, slot.width, style);
    }
}

fn line(pen: &mut Pen<'_>, y: u16, row: &RowText, slots: &[Slot], scene: &Scene<'_>, group: bool) {
    let theme = &scene.ui.theme;
    pen.put_max(1, y, row.sign.0, 1, theme.style(row.sign.1));
    let faint = |style: Style| if row.faint { theme.dim() } else { style };
    let plain = faint(theme.style(if group { Role::Strong } else { Role::Text }));
    let dim = theme.dim();
    let note = row.note.as_ref().map(|(text, role)| (text, *role, note_span(slots, pen.width())));
    for slot in slots {
        if let Some((_, _, (from, to))) = note
            && slot.x >= from
            && slot.x < to
        {
            continue;
        }
        let w = usize::from(slot.width);
        let left = |pen: &mut Pen<'_>, text: &str, style| {
            pen.put_max(slot.x, y, text, slot.width, style);
        };
        let right = |pen: &mut Pen<'_>, text: &str, style| {
            pen.put_before(slot.x + slot.width, y, text, style);
        };
        match &slot.field {
            Field::Name => left(pen, &cut_middle(&row.name, w), plain),
            Field::Pool => left(pen, &cut_middle(&row.pool, w), dim),
            Field::Bar(at) => bar_cell(pen, y, slot, row.bars.get(*at), theme, group),
            Field::Pods => right(pen, &row.pods, plain),
            Field::Kind => left(pen, &cut_middle(&row.kind, w), faint(theme.style(Role::Text))),
            Field::Price => right(pen, &row.price, faint(theme.style(Role::Strong))),
            Field::Waste => right(pen, &row.waste, faint(theme.style(Role::Text))),
            Field::Buy => left(pen, row.buy, if row.spot { faint(theme.style(Role::Spot)) } else { dim }),
            Field::Zone => left(pen, &row.zone, dim),
            Field::Label(at) => {
                let text = cut_middle(row.labels.get(*at).map_or("", String::as_str), w);
                if slot.right { right(pen, &text, plain) } else { left(pen, &text, plain) }
            }
            Field::Age => right(pen, &row.age, dim),
            Field::Status => left(pen, &short_status(&row.status.0, w), faint(theme.style(row.status.1))),
        }
    }
    if let Some((text, role, (from, to))) = note {
        let room = to.saturating_sub(from);
        let style = faint(theme.style(role)).remove_modifier(Modifier::BOLD);
        pen.put_max(from, y, &cut_end(text, usize::from(room)), room, style);
    }
}

/// A status that fits: the state's word alone rather than half of what it waits for.
fn short_status(status: &str, room: usize) -> std::borrow::Cow<'_, str> {
    let word = status.split_once([':', ',']).map_or(status, |(word, _)| word);
    if usize::from(columns(status)) > room && usize::from(columns(word)) <= room {
        // A number is worth its three columns: `Draining: 3`.
        let number = status.strip_prefix(word).and_then(|more| more.strip_prefix(": ")?.split(' ').next());
        let number =
            number.filter(|n| n.bytes().all(|b| b.is_ascii_digit()) && columns(word) as usize + 2 + n.len() <= room);
        return number.map_or_else(|| word.into(), |n| format!("{word}: {n}").into());
    }
    cut_end(status, room)
}

/// Where a note is drawn: from the first bar up to the age.
fn note_span(slots: &[Slot], width: u16) -> (u16, u16) {
    let from = slots.iter().find(|s| matches!(s.field, Field::Bar(_))).map_or(width, |s| s.x);
    let to =
        slots.iter().find(|s| s.x > from && matches!(s.field, Field::Age | Field::Status)).map_or(width, |s| s.x - 1);
    (from, to)
}

fn bar_cell(pen: &mut Pen<'_>, y: u16, slot: &Slot, bar: Option<&BarText>, theme: &Theme, group: bool) {
    let end = slot.x + slot.width;
    let Some((bar, most)) = bar.and_then(|b| Some((b, b.share.fill.or(b.share.used)?))) else {
        pen.put_before(end, y, theme.glyphs().unknown, theme.dim());
        return;
    };
    let level = theme.level(most);
    let name_width = if bar.name.is_empty() { 0 } else { 8.min(slot.width.saturating_sub(BAR_LEAST)) };
    if name_width > 0 {
        pen.put_max(slot.x, y, &cut_end(&bar.name, usize::from(name_width) - 1), name_width, theme.dim());
    }
    let width = slot.width.saturating_sub(PERCENT.max(columns(&bar.percent) + 1) + name_width);
    bar::draw(pen, slot.x + name_width, y, width, bar.share, level, theme);
    match bar.share.fill {
        Some(fill) => {
            let style = if group { theme.style(Role::Strong) } else { number_style(level, fill, theme) };
            pen.put_before(end, y, &bar.percent, style);
        }
        // What is used is measured, what is requested may not be read.
        None => {
            pen.put_before(end, y, theme.glyphs().unknown, theme.dim());
        }
    }
}

/// A share's number: its colour says the same as its bar's.
pub(super) fn number_style(level: Level, permille: u64, theme: &Theme) -> Style {
    if permille > 1000 {
        return theme.style(Role::Bad);
    }
    theme.level_style(level)
}
