//! One node: what it is, what it costs and how we know, how it came to be, what runs on it, what happened to it.

use super::amounts::Amounts;
use super::events;
use super::format;
use super::pen::{Pen, columns, wrap};
use super::scene::Scene;
use super::state::{Detail, Seen};
use super::status::status;
use super::theme::Role;
use super::{bar, extra_costs};
use crate::cluster::{CapacityType, EventLine, EventQuery, Flag, PodRow, PodState, Row};
use crate::insight::{Waste, amount_text, percent_text};
use crate::model::{
    Condition, ConditionHealth, ConditionStatus, LinkState, Name, NodeClaim, PodClass, Resource, Resources, Stream, key,
};
use crate::pricing::{Amount, AsOf, Basis, Component, Discount, Mark, PriceSource, Quote};
use crate::units::text::{cut_end, cut_middle};
use crate::units::{Money, age};
use ratatui::style::Style;
use std::collections::BTreeSet;
use std::fmt::Write;

type Line = Vec<(String, Style)>;

/// Columns of a label in the facts.
const LABEL: usize = 15;

struct Facts<'a, 'p> {
    scene: &'a Scene<'p>,
    width: usize,
    lines: Vec<Line>,
}

impl Facts<'_, '_> {
    fn style(&self, role: Role) -> Style {
        self.scene.theme().style(role)
    }

    fn head(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Vec::new());
        }
        self.lines.push(vec![(text.to_owned(), self.style(Role::Title))]);
    }

    /// A labelled fact; a long one goes on below its start.
    fn fact(&mut self, label: &str, text: &str, role: Role) {
        if text.is_empty() {
            return;
        }
        let (dim, style) = (self.style(Role::Dim), self.style(role));
        let room = self.width.saturating_sub(LABEL).max(12);
        for (i, part) in wrap(text, room).into_iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            self.lines.push(vec![(format!("{label:<LABEL$}"), dim), (part, style)]);
        }
    }
}

fn joined(parts: &[&str], dot: &str) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|p| !p.is_empty()).collect();
    parts.join(&format!(" {dot} "))
}

fn identity(facts: &mut Facts<'_, '_>, row: &Row, seen: &mut Seen) {
    let scene = facts.scene;
    let dot = scene.theme().glyphs().dot;
    let seconds = row.age_seconds(scene.now);
    seen.changes_in(format::age_changes_in(seconds), scene.now);
    let (node, claim) = (row.node(), row.claim());
    facts.head("identity");
    facts.fact("managed by", row.managed_by().name(), Role::Text);
    facts.fact("nodepool", row.pool().unwrap_or(""), Role::Text);
    if let Some(claim) = claim {
        facts.fact("claim", &claim.name, Role::Text);
        facts.fact("node class", &claim.node_class, Role::Text);
    }
    let provider = node.map(|n| &n.provider_id).filter(|id| !id.is_empty()).or(claim.map(|c| &c.provider_id));
    facts.fact("instance", provider.map_or("", |id| id.rsplit('/').next().unwrap_or(id)), Role::Text);
    let kind = joined(&[row.instance_type().unwrap_or(""), row.arch().unwrap_or("")], dot);
    facts.fact("type", &kind, Role::Strong);
    facts.fact("capacity", row.capacity_type().name(), Role::Text);
    facts.fact("zone", row.zone().unwrap_or(""), Role::Text);
    if let Some(node) = node {
        facts.fact("system", &joined(&[&node.os_image, &node.kubelet_version], dot), Role::Text);
    }
    for flag in row.flags(scene.now).iter() {
        let text = match flag {
            Flag::DoNotDisrupt => "karpenter.sh/do-not-disrupt: Karpenter leaves it alone".into(),
            Flag::DoNotRepair => "karpenter.sh/do-not-repair: Karpenter does not repair it".into(),
            Flag::KeptForBuffer => "empty, kept for a capacity buffer".into(),
            Flag::Drifted => {
                let drifted = claim.and_then(|c| c.condition("Drifted"));
                format!("drifted: {}", drifted.map_or("", |c| c.reason.as_str()))
            }
            // Its conditions and its expiry have lines of their own.
            Flag::Unhealthy | Flag::Expiring => continue,
        };
        let label = if flag == Flag::DoNotDisrupt { "protected" } else { "flag" };
        facts.fact(label, &text, Role::Warn);
    }
    facts.fact("age", &age::short(seconds), Role::Text);
    let stays = row.gone().is_none() && row.leaving().is_none();
    if let Some(expire) = claim.and_then(|c| c.expire_after_seconds).filter(|_| stays) {
        let left = expire - seconds;
        let text = if left > 0 { format!("in {}", age::short(left)) } else { "due".into() };
        facts.fact("expires", &text, if left < 86_400 { Role::Warn } else { Role::Text });
    }
    if let Some(leaving) = row.leaving() {
        let text = if leaving.message.is_empty() {
            leaving.reason.to_string()
        } else {
            format!("{}: {}", leaving.reason, leaving.message)
        };
        facts.fact("leaves because", &text, Role::Warn);
    }
}

/// The price line by line: each part, where it came from and how old that is, what must be said beside it, and how much
/// of it is put to use.
fn price(facts: &mut Facts<'_, '_>, row: &Row, seen: &mut Seen) {
    facts.head("price");
    if !facts.scene.cluster.has_prices() {
        return facts.fact("", "prices are switched off", Role::Dim);
    }
    if let Some(bad) = row.bad_price_label() {
        facts.fact("ignored", &bad.to_string(), Role::Warn);
    }
    let Some(quote) = row.quote() else { return facts.fact("", "not billed", Role::Dim) };
    let sign = format::sign(quote.currency, facts.scene.theme());
    let shown = |money: Money| format!("{sign}{}", money.decimal(5));
    facts.fact("total", &total(quote, facts.scene), if quote.hourly().is_some() { Role::Strong } else { Role::Warn });
    let amount = |amount: Amount| match amount {
        Amount::Known(money) => shown(money),
        Amount::AtMost(money, why) => format!("at most {}: {}", shown(money), why.reason()),
        Amount::Unknown(why) => why.reason().to_owned(),
    };
    let machine = match quote.basis {
        Some(Basis::Fargate { .. }) => "fargate",
        Some(Basis::Hybrid { .. }) => "hybrid",
        None => "instance",
    };
    if quote.mark != Mark::Prepaid {
        component(facts, machine, &amount(quote.instance.amount), quote.instance, seen);
    }
    match quote.basis {
        Some(Basis::Fargate { vcpu_milli, memory_mib, vcpu_price, gb_price, annotated }) => {
            let (vcpu, gb) = (thousandths(vcpu_milli), thousandths(memory_mib.saturating_mul(1000) / 1024));
            let sum = format!("{vcpu} vCPU × {} + {gb} GB × {}", exact(sign, vcpu_price), exact(sign, gb_price));
            facts.fact("", &sum, Role::Dim);
            let how = if annotated { "as the pod is annotated" } else { "requests, rounded up as Fargate does" };
            facts.fact("size", how, Role::Dim);
        }
        Some(Basis::Hybrid { vcpu, vcpu_price }) => {
            facts.fact("", &format!("{vcpu} vCPU × {} of the first tier", exact(sign, vcpu_price)), Role::Dim);
        }
        None => {}
    }
    if let Some(fee) = quote.fee {
        component(facts, "auto mode fee", &amount(fee.amount), fee, seen);
    }
    excuses(facts, row, quote);
    if let Some(discount) = quote.discount {
        discounted(facts, quote, discount);
    }
    if let Some(list) = quote.list {
        let estimate = |is: bool| if is { "~" } else { "" };
        let text = format!("{}{}", estimate(list.estimated), shown(list.amount));
        facts.fact("on-demand list", &text, Role::Dim);
        if let Some(saves) = quote.spot_saves().filter(|_| row.capacity_type() == CapacityType::Spot) {
            let text = format!("{}{}", estimate(quote.spot_saves_is_estimated()), shown(saves));
            facts.fact("spot savings", &part_of(&text, saves, list.amount), Role::Good);
        }
    }
    if let Some(band) = row.offer().and_then(|offer| facts.scene.cluster.prices().book()?.interruption_band(offer)) {
        facts.fact("taken back", interruptions(band), Role::Dim);
    }
    let file = facts.scene.cluster.prices().book().and_then(|book| book.terms().file.as_ref());
    if let Some((file, row)) = file.zip(quote.price_row).and_then(|(file, row)| Some((file, file.rows().get(row)?))) {
        facts.fact("price file", &format!("{}:{} ({row})", file.name(), row.line), Role::Dim);
    }
    facts.fact("mark", mark(quote.mark), Role::Dim);
    waste(facts, row, quote);
    // Beside the price, not in it.
    for (label, text, role) in extra_costs::volume_facts(facts.scene, row) {
        facts.fact(label, &text, role);
    }
}

/// Why a price is missing: what those who could tell it say for themselves.
fn excuses(facts: &mut Facts<'_, '_>, row: &Row, quote: &Quote) {
    let (Some(missing), Some(offer)) = (quote.unknown(), row.offer()) else { return };
    let scene = facts.scene;
    let prices = scene.cluster.prices();
    // A zone with prices of its own is asked for by its own name, spot by the region's.
    let regions: BTreeSet<&str> = offer.region.as_deref().into_iter().chain(offer.price_region()).collect();
    for (teller, why) in regions.into_iter().flat_map(|region| prices.why_missing(missing, region)) {
        facts.fact("", &format!("{}: {why}", source(teller)), Role::Dim);
    }
}

/// The spot advisor's bands: the share of machines that was taken back over a month.
const fn interruptions(band: u8) -> &'static str {
    match band {
        0 => "less than 5% of this type in a month",
        1 => "5 to 10% of this type in a month",
        2 => "10 to 15% of this type in a month",
        3 => "15 to 20% of this type in a month",
        _ => "more than 20% of this type in a month",
    }
}

/// The whole, or as much of it as is known.
fn total(quote: &Quote, scene: &Scene<'_>) -> String {
    let (sign, g) = (format::sign(quote.currency, scene.theme()), scene.theme().glyphs());
    let (instance, fee) = quote.known();
    let rests_on_estimate = quote.instance.estimated || quote.fee.is_some_and(|fee| fee.estimated);
    let sign = format!("{}{sign}", if rests_on_estimate { "~" } else { "" });
    match (quote.hourly(), quote.instance.amount) {
        (Some(Money::ZERO), _) if quote.mark == Mark::Prepaid => "prepaid".into(),
        (Some(hourly), _) => format!("{sign}{}/h, {sign}{}/mo", hourly.decimal(5), hourly.monthly().grouped(2)),
        (None, Amount::AtMost(most, _)) if quote.fee.is_none_or(|fee| fee.amount.known().is_some()) => {
            format!("{} {sign}{}/h", g.most, (most + fee).decimal(5))
        }
        (None, _) if instance + fee > Money::ZERO => {
            format!("{} {sign}{}/h", g.least, (instance + fee).decimal(5))
        }
        (None, _) => "not known".into(),
    }
}

/// One part of the price: how much, who says so, how old that is.
fn component(facts: &mut Facts<'_, '_>, label: &str, amount: &str, part: Component, seen: &mut Seen) {
    let dated = part.origin.source != PriceSource::Simulated;
    let (age, changes_in) = format::figure_age(if dated { part.origin.as_of } else { AsOf::Always }, facts.scene.now);
    if let Some(seconds) = changes_in {
        seen.changes_in(seconds, facts.scene.now);
    }
    let said: Vec<&str> = [source(part.origin.source), &age].into_iter().filter(|text| !text.is_empty()).collect();
    let estimate = if part.estimated { "~" } else { "" };
    facts.fact(label, &format!("{estimate}{amount}  {}", said.join(", ")), Role::Text);
}

/// What a discount rule made of the list price.
fn discounted(facts: &mut Facts<'_, '_>, quote: &Quote, discount: Discount) {
    let sign = format::sign(quote.currency, facts.scene.theme());
    let paid = |part: Component| match part.amount {
        Amount::Known(money) | Amount::AtMost(money, _) => Some(money),
        Amount::Unknown(_) => None,
    };
    let parts = [(discount.instance_before, paid(quote.instance)), (discount.fee_before, quote.fee.and_then(paid))];
    let mut said = false;
    for (before, paid) in parts.into_iter().filter_map(|(before, paid)| before.zip(paid)) {
        let text = format!("{sign}{} → {sign}{}", before.decimal(5), paid.decimal(5));
        facts.fact(if said { "" } else { "discount" }, &text, Role::Text);
        said = true;
    }
    let rules = facts.scene.cluster.prices().book().map(|book| book.terms().rules.as_slice()).unwrap_or_default();
    if let Some(rule) = rules.get(discount.rule).filter(|_| said) {
        facts.fact("", &format!("rule {}: {rule}", discount.rule + 1), Role::Dim);
    }
}

/// What of the price is not put to use: [`Waste`].
fn waste(facts: &mut Facts<'_, '_>, row: &Row, quote: &Quote) {
    if !facts.scene.cluster.knows(Stream::Pods) {
        return;
    }
    let Some(waste) = Waste::of(row) else { return };
    let (instance, fee) = quote.known();
    if instance + fee == Money::ZERO {
        return;
    }
    let lines = [
        ("idle", Some(waste.unrequested), Role::Text),
        ("over-requested", waste.unused, Role::Text),
        ("DaemonSets", Some(waste.overhead), Role::Dim),
    ];
    for (label, money, role) in lines.into_iter().filter_map(|(label, money, role)| Some((label, money?, role))) {
        let estimate = if quote.is_estimated() && money != Money::ZERO { "~" } else { "" };
        let text = format!("{estimate}{}{}", format::sign(quote.currency, facts.scene.theme()), money.decimal(5));
        facts.fact(label, &part_of(&text, money, instance + fee), role);
    }
}

/// `$0.05390  58%`.
fn part_of(text: &str, part: Money, whole: Money) -> String {
    let [part, whole] = [part, whole].map(|money| u64::try_from(money.nanos()).unwrap_or(0));
    percent_text(part, whole).map_or_else(|| text.to_owned(), |percent| format!("{text}  {percent}"))
}

/// An amount with all its decimals: prices by size have six.
fn exact(sign: &str, money: Money) -> String {
    format!("{sign}{money}")
}

/// `0.25` of 250.
fn thousandths(n: u64) -> String {
    let text = format!("{}.{:03}", n / 1000, n % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

const fn source(source: PriceSource) -> &'static str {
    match source {
        PriceSource::None => "",
        PriceSource::Label => "label eks-node-viewer/instance-price",
        PriceSource::PriceFile => "price file",
        PriceSource::Simulated => "simulated",
        PriceSource::SpotHistory => "EC2 spot price history",
        PriceSource::GetProducts => "AWS Price List",
        PriceSource::PricePage => "AWS on-demand price page",
        PriceSource::EksList => "AmazonEKS price list",
        PriceSource::SpotFeed => "AWS spot price page",
        PriceSource::SpotAdvisor => "spot advisor",
        // Its date says where it is.
        PriceSource::Embedded => "",
        PriceSource::EmbeddedEstimate => "estimate",
    }
}

const fn mark(mark: Mark) -> &'static str {
    match mark {
        Mark::Exact => "",
        Mark::Override => "* set by a label, the price file or a discount",
        Mark::Reserved => "R reserved capacity, at the on-demand rate",
        Mark::ReservedAssumed => "R? reserved capacity of a kind no label tells, at the on-demand rate",
        Mark::Assumed => "? no capacity-type label: taken for on-demand",
        Mark::Estimated => "~ an estimate",
        Mark::Bound => "only an upper bound is known",
        Mark::Prepaid => "paid in advance: a capacity block, or an Outpost",
        Mark::Unknown => "no source has a price",
    }
}

/// Claim created → launched → registered → initialized, each with the time it took.
fn lifecycle(facts: &mut Facts<'_, '_>, row: &Row, seen: &mut Seen) {
    let Some(claim) = row.claim() else { return };
    let (g, now) = (facts.scene.theme().glyphs(), facts.scene.now);
    facts.head("lifecycle");
    let start = claim.created;
    let ago = |at: crate::model::Timestamp| age::short(now.as_second() - at.as_second());
    facts.fact("claimed", &format!("{} {} ago", g.done, ago(start)), Role::Text);
    let mut before = start;
    let stages = ["Launched", "Registered", "Initialized", "Drained", "VolumesDetached", "InstanceTerminating"];
    for (i, kind) in stages.into_iter().enumerate() {
        let Some(condition) = claim.condition(kind) else { continue };
        let label = match kind {
            "Launched" => "launched",
            "Registered" => "registered",
            "Initialized" => "initialized",
            "Drained" => "drained",
            "VolumesDetached" => "detached",
            _ => "stopping",
        };
        if let Some(reboot) = claim.condition("Rebooting").filter(|_| kind == "Initialized") {
            // Its condition is about the boot after the reboot.
            let first = row.initialized().filter(|at| reboot.since.is_none_or(|reboot| *at <= reboot));
            let text = first.map_or_else(
                || format!("{} before its reboot", g.done),
                |at| format!("{} +{}", g.done, age::short(at.as_second() - before.as_second())),
            );
            facts.fact(label, &text, Role::Text);
            let since = reboot.since.unwrap_or(now);
            seen.changes_in(1, now);
            match (reboot.status, reboot_phase(row, claim, reboot)) {
                (ConditionStatus::True, phase) => {
                    facts.fact("reboot", &format!("{} for {} {phase}", g.launching, ago(since)), Role::Moving);
                }
                (_, phase) => facts.fact("reboot", &format!("{} {} ago {phase}", g.done, ago(since)), Role::Text),
            }
            before = since;
            continue;
        }
        if condition.status == ConditionStatus::True {
            let Some(at) = condition.since else {
                facts.fact(label, g.done, Role::Good);
                continue;
            };
            let took = at.as_second() - before.as_second();
            facts.fact(label, &format!("{} +{}", g.done, age::short(took)), Role::Text);
            before = at;
        } else if i < 3 && (row.gone().is_some() || row.leaving().is_some()) {
            facts.fact(label, "not reached", Role::Dim);
        } else if i < 3 {
            seen.changes_in(1, now);
            let waits = now.as_second() - before.as_second();
            let mut why = joined(&[&condition.reason, &condition.message], ":");
            if let Some(left) = row.deletion_due(now) {
                let _ = write!(why, "; deleted in {}", age::short(left));
            }
            facts.fact(label, &format!("{} for {} {why}", g.launching, age::short(waits)), Role::Moving);
        }
    }
    if let Some(deadline) = claim.termination_deadline {
        seen.changes_in(1, now);
        let left = deadline.as_second() - now.as_second();
        let text = if left > 0 { format!("in {}", age::short(left)) } else { "passed".into() };
        facts.fact("drain deadline", &text, Role::Warn);
    }
}

/// What a reboot in place is at (Karpenter 1.15 `pkg/controllers/nodeclaim/reboot`): the boot id from before it is written
/// down when the reboot is asked for, and changes with the boot.
fn reboot_phase(row: &Row, claim: &NodeClaim, reboot: &Condition) -> String {
    let booted = row.node().is_some_and(|node| node.boot_id != claim.reboot_pre_boot_id);
    match (reboot.reason.as_str(), claim.reboot_pre_boot_id.as_str()) {
        ("RebootRequested", "") => {
            let pods = row.sums().workload_pods();
            format!("draining before the reboot, {}", format::count(pods, "pod left", "pods left"))
        }
        ("RebootRequested", _) => "asking for the reboot".into(),
        ("RebootIssued", before) if !before.is_empty() && booted => "new boot, waiting for Ready".into(),
        ("RebootIssued", _) => "rebooting".into(),
        ("RebootSucceeded", _) => String::new(),
        (reason, _) => reason.to_owned(),
    }
}

fn conditions(facts: &mut Facts<'_, '_>, row: &Row) {
    let Some(node) = row.node() else { return };
    facts.head("conditions");
    for condition in &node.conditions {
        let health = condition.health();
        let role = match health {
            ConditionHealth::Good => Role::Text,
            ConditionHealth::InProgress => Role::Moving,
            ConditionHealth::Unknown => Role::Warn,
            ConditionHealth::Bad => Role::Bad,
        };
        let since = condition.since.map(|at| age::short(facts.scene.now.as_second() - at.as_second()));
        let mut text = condition.status.name().to_owned();
        if let Some(since) = since {
            let _ = write!(text, " for {since}");
        }
        if health != ConditionHealth::Good && !condition.message.is_empty() {
            let _ = write!(text, ": {}", condition.message);
        }
        let name = cut_end(&condition.kind, LABEL - 1).into_owned();
        facts.fact(&name, &text, role);
    }
}

fn taints_and_labels(facts: &mut Facts<'_, '_>, row: &Row) {
    if let Some(node) = row.node()
        && !node.taints.is_empty()
    {
        facts.head("taints");
        for taint in &node.taints {
            let value = if taint.value.is_empty() { String::new() } else { format!("={}", taint.value) };
            facts.fact(taint.effect.name(), &format!("{}{value}", taint.key), Role::Text);
        }
    }
    let labels = row.node().map(|n| &n.labels).or(row.claim().map(|c| &c.labels));
    let Some(labels) = labels.filter(|l| !l.is_empty()) else { return };
    facts.head("labels");
    // What is told above already is left out.
    let told: Vec<&str> = [key::INSTANCE_TYPE, key::ZONE, key::REGION, key::ARCH, key::OS]
        .into_iter()
        .flatten()
        .copied()
        .chain(["kubernetes.io/hostname", key::NODEPOOL])
        .collect();
    let width = facts.width;
    for (name, value) in labels.iter().filter(|(name, _)| !told.contains(name)) {
        let text = if value.is_empty() { name.to_owned() } else { format!("{name}={value}") };
        let line = cut_middle(&text, width).into_owned();
        let style = facts.style(Role::Dim);
        facts.lines.push(vec![(line, style)]);
    }
}

/// The columns of resources, in the order they stand in. Where there is no room for all, limits go first, then usage.
const OFFERS: [&str; 5] = ["ALLOCATABLE", "REQUESTS", "LIMITS", "USED", "FREE"];
const KEPT: [&[usize]; 4] = [&[0, 1, 2, 3, 4], &[0, 1, 3, 4], &[0, 1, 4], &[0, 1]];
/// The name of a resource.
const RESOURCE: usize = 14;
/// The least room of an amount, with the gap before it, so that its title fits: ` ALLOCATABLE`.
const AMOUNT: usize = 12;

/// allocatable, requests, limits, usage, free; one line a resource.
fn resources(scene: &Scene<'_>, row: &Row, width: usize, seen: &mut Seen) -> Vec<Line> {
    let theme = scene.theme();
    let (dim, text) = (theme.dim(), theme.style(Role::Text));
    let unknown = theme.glyphs().unknown;
    let none = Resources::default();
    let all = row.allocatable().unwrap_or(&none);
    let sums = row.sums();
    let pods_known = scene.cluster.knows(Stream::Pods);
    let old = row.usage().filter(|usage| usage.fresh_seconds(scene.now) <= 0);
    let old = old.map(|usage| scene.now.as_second() - usage.at.as_second());
    if let Some(seconds) = old {
        seen.changes_in(format::age_changes_in(seconds), scene.now);
    }
    let room = width.saturating_sub(RESOURCE);
    let kept = KEPT.into_iter().find(|kept| kept.len() * AMOUNT <= room).unwrap_or(KEPT[3]);
    let cell = (room / kept.len()).clamp(AMOUNT, 12);
    let mut head = vec![(format!("{:<RESOURCE$}", "resources"), theme.style(Role::Title))];
    head.extend(kept.iter().filter_map(|i| OFFERS.get(*i)).map(|name| (format!("{name:>cell$}"), dim)));
    let mut lines = vec![head];
    let fixed = [Resource::Cpu, Resource::Memory, Resource::Pods, Resource::EphemeralStorage];
    // What is requested and not offered any more is as worth a line as what is offered.
    let requested = pods_known.then_some(&sums.requests.extended);
    let named = all.extended.iter().chain(requested.into_iter().flatten()).filter(|(_, n)| **n > 0);
    let further: BTreeSet<&Name> = named.map(|(name, _)| name).collect();
    let further = further.into_iter().cloned().map(Resource::Extended);
    for resource in fixed.into_iter().chain(further) {
        let offered = row.allocatable().map(|a| a.get(&resource));
        let requested = pods_known.then(|| sums.requests.get(&resource));
        let limits = if pods_known { sums.limits.get(&resource) } else { 0 };
        let amount = |n: u64| amount_text(&resource, n);
        let known = |n: Option<u64>| n.map_or_else(|| unknown.to_owned(), amount);
        let limits = (resource != Resource::Pods && limits > 0).then_some(limits);
        let used = row.usage().and_then(|u| u.get(&resource));
        let free = offered.zip(requested).map(|(all, requested)| all.saturating_sub(requested));
        let label = match &resource {
            Resource::EphemeralStorage => "disk".to_owned(),
            // The gap behind it is that of an amount.
            other => cut_middle(other.name(), RESOURCE).into_owned(),
        };
        let mut line = vec![(format!("{label:<RESOURCE$}"), dim)];
        let cells = [known(offered), known(requested), known(limits), known(used), known(free)];
        for (i, shown) in kept.iter().filter_map(|i| Some((i, cells.get(*i)?))) {
            let style = match i {
                1 => theme.style(Role::Strong),
                3 if old.is_some() => dim,
                _ => text,
            };
            line.push((format!("{shown:>cell$}"), style));
        }
        lines.push(line);
    }
    if let Some(seconds) = old.filter(|_| kept.contains(&3)) {
        lines.push(vec![(
            format!(
                "{:RESOURCE$}{:>w$}",
                "",
                format!("used: measured {} ago", age::short(seconds)),
                w = cell * kept.len()
            ),
            dim,
        )]);
    }
    lines
}

/// The pods of the node, the largest request first.
fn sorted_pods<'a>(scene: &Scene<'a>, row: &'a Row) -> Vec<PodRow<'a>> {
    let mut pods: Vec<PodRow<'a>> = scene.cluster.pods_of(row).collect();
    let size = |pod: &PodRow<'_>| (pod.requests.cpu_millicores, pod.requests.memory_bytes);
    pods.sort_by(|a, b| size(b).cmp(&size(a)).then_with(|| (a.namespace, a.name).cmp(&(b.namespace, b.name))));
    pods
}

fn pods_head(scene: &Scene<'_>, row: &Row, pods: usize, width: usize) -> Vec<Line> {
    let theme = scene.theme();
    let overhead = &row.sums().overhead;
    let pods_known = scene.cluster.knows(Stream::Pods);
    let pods = if pods_known { pods.to_string() } else { theme.glyphs().unknown.into() };
    let mut head = vec![(format!("pods {pods}"), theme.style(Role::Title))];
    if overhead.pods > 0 && pods_known {
        let share = format!(
            "   {} of DaemonSets: {} cpu, {}",
            overhead.pods,
            amount_text(&Resource::Cpu, overhead.cpu_millicores),
            amount_text(&Resource::Memory, overhead.memory_bytes),
        );
        head.push((share, theme.dim()));
    }
    let has = PodColumns::of(width, scene.cluster.stream(Stream::PodMetrics).state != LinkState::Off);
    let used = |title| if has.used { format!("{title:>USED$}") } else { String::new() };
    let owner = if has.owner > 0 { format!("  {:<w$}", "OWNER", w = has.owner) } else { String::new() };
    let titles = format!(
        "{:<name$}{:>7}{}{:>10}{}{:>8}{owner}  STATE",
        "NAMESPACE/POD",
        "CPU",
        used("USED"),
        "MEMORY",
        used("USED"),
        "AGE",
        name = has.name,
    );
    vec![Vec::new(), head, vec![(titles, theme.dim())]]
}

/// The columns of pods, as many as there is room for.
struct PodColumns {
    name: usize,
    /// What is measured beside what is requested.
    used: bool,
    /// The room of the owner's kind: none, kubectl's short name, or the whole.
    owner: usize,
}

/// A column of what a pod uses.
const USED: usize = 10;

impl PodColumns {
    fn of(width: usize, measured: bool) -> Self {
        // cpu, memory, age, and a state of which there may be more to say.
        let room = width.saturating_sub(7 + 10 + 8 + 2 + 11);
        let used = measured && room >= 28 + 2 * USED + 13;
        let room = if used { room - 2 * USED } else { room };
        let owner = match room {
            41.. => 11,
            27.. => 5,
            _ => 0,
        };
        let room = if owner > 0 { room - 2 - owner } else { room };
        Self { name: room.clamp(12, 56), used, owner }
    }
}

/// What owns a pod, in full and as kubectl abbreviates it.
fn owner<'a>(pod: &PodRow<'a>) -> (&'a str, &'a str) {
    match pod.class {
        // One that is only marked as such shows the owner it has.
        PodClass::DaemonSet => match pod.owner.map(|owner| owner.kind.as_str()) {
            None | Some("DaemonSet") => ("DaemonSet", "ds"),
            Some(kind) => (kind, kind),
        },
        PodClass::Static => ("static", "node"),
        PodClass::StatefulSet => ("StatefulSet", "sts"),
        PodClass::Workload => match pod.owner.map(|owner| owner.kind.as_str()) {
            None => ("no owner", "none"),
            Some("ReplicaSet") => ("ReplicaSet", "rs"),
            Some("ReplicationController") => ("ReplicationController", "rc"),
            Some(kind) => (kind, kind),
        },
    }
}

fn pod_line(scene: &Scene<'_>, pod: &PodRow<'_>, width: usize, seen: &mut Seen) -> Line {
    let theme = scene.theme();
    seen.formatted += 1;
    let has = PodColumns::of(width, scene.cluster.stream(Stream::PodMetrics).state != LinkState::Off);
    let full = format!("{}/{}", pod.namespace, pod.name);
    let name = cut_middle(&full, has.name - 1);
    let pad = " ".repeat(has.name.saturating_sub(usize::from(columns(&name))));
    let seconds = scene.now.as_second() - pod.created.as_second();
    seen.changes_in(format::age_changes_in(seconds), scene.now);
    let asked = |resource: &Resource| {
        let n = pod.requests.get(resource);
        if n == 0 { theme.glyphs().unknown.to_owned() } else { amount_text(resource, n) }
    };
    let role = match pod.state {
        PodState::Running => Role::Text,
        PodState::Starting => Role::Moving,
        PodState::Terminating | PodState::Unscheduled | PodState::Unknown => Role::Warn,
    };
    let mut state = pod.state.name().to_owned();
    if !pod.note.is_empty() {
        state = format!("{state}: {}", pod.note);
    }
    let used = |resource: &Resource| {
        let text = match (pod.usage, resource) {
            (Some(usage), Resource::Cpu) => amount_text(resource, usage.cpu_millicores),
            (Some(usage), _) => amount_text(resource, usage.memory_bytes),
            (None, _) => theme.glyphs().unknown.to_owned(),
        };
        (if has.used { format!("{text:>USED$}") } else { String::new() }, theme.dim())
    };
    let (owner, short) = owner(pod);
    let owner = cut_end(if has.owner > 5 { owner } else { short }, has.owner);
    let owner = if has.owner > 0 { format!("  {owner:<w$}", w = has.owner) } else { String::new() };
    let overhead = matches!(pod.class, PodClass::DaemonSet | PodClass::Static);
    vec![
        (name.into_owned(), if overhead { theme.dim() } else { theme.style(Role::Text) }),
        (pad, Style::new()),
        (format!("{:>7}", asked(&Resource::Cpu)), theme.style(Role::Strong)),
        used(&Resource::Cpu),
        (format!("{:>10}", asked(&Resource::Memory)), theme.style(Role::Text)),
        used(&Resource::Memory),
        (format!("{:>8}", age::short(seconds)), theme.dim()),
        (owner, theme.dim()),
        (format!("  {state}"), theme.style(role)),
    ]
}

fn put(pen: &mut Pen<'_>, y: u16, line: &Line) {
    let mut x = 0;
    for (text, style) in line {
        x = pen.put(x, y, text, *style);
    }
}

/// Draws the screen.
pub(super) fn draw(pen: &mut Pen<'_>, scene: &Scene<'_>, state: &Detail, seen: &mut Seen) {
    let theme = scene.theme();
    let g = theme.glyphs();
    let (w, h) = (pen.width(), pen.height());
    pen.rule(0, g.rule, theme.style(Role::Rule));
    let Some(row) = scene.cluster.row(state.row) else {
        pen.put(2, 0, " gone ", theme.style(Role::Title));
        pen.put(2, 2, "This node is gone. esc goes back.", theme.style(Role::Text));
        return;
    };
    let mut x = pen.put(2, 0, &format!(" {} ", cut_middle(row.name(), usize::from(w / 2))), theme.style(Role::Title));
    let (text, role) = status(row, scene, seen);
    x = pen.put(x + 1, 0, &format!(" {text} "), theme.style(role));
    let amounts = Amounts::of_row(row).seen_in(scene.cluster).at(scene.now, seen);
    let share = amounts.share(&Resource::Cpu, &super::state::Bars::Requests);
    let percent = amounts.percent(&Resource::Cpu, &super::state::Bars::Requests).unwrap_or_default();
    if let Some(fill) = share.fill.filter(|_| w > x + 40 && row.counts()) {
        let level = theme.level(fill);
        pen.put(w - 34, 0, " cpu ", theme.dim());
        bar::draw(pen, w - 29, 0, 20, share, level, theme);
        pen.put(w - 9, 0, &format!(" {percent:>4} "), theme.level_style(level));
    }
    let most: u16 = if h >= 20 { (h / 4).min(8) } else { 0 };
    let query = EventQuery { lane: None, collapse: true, objects: Some(events::objects_of(row, scene.cluster)) };
    let told: Vec<EventLine<'_>> =
        scene.cluster.events().lines(&query).take(usize::from(most.saturating_sub(1))).collect();
    let event_lines = if most > 0 { (told.len() as u16 + 1).max(2) } else { 0 };
    let body = h.saturating_sub(1 + event_lines);
    let wide = w >= 120;
    let left_w = if wide { w * 2 / 5 } else { w.saturating_sub(3) };
    let mut facts = Facts { scene, width: usize::from(left_w.saturating_sub(1)), lines: Vec::new() };
    identity(&mut facts, row, seen);
    price(&mut facts, row, seen);
    lifecycle(&mut facts, row, seen);
    let first = facts.lines.len();
    conditions(&mut facts, row);
    taints_and_labels(&mut facts, row);
    let facts = facts.lines;
    let right_w = if wide { w.saturating_sub(left_w + 4) } else { left_w };
    let pods = sorted_pods(scene, row);
    let mut right = resources(scene, row, usize::from(right_w), seen);
    right.extend(pods_head(scene, row, pods.len(), usize::from(right_w)));
    let right_len = right.len() + pods.len();
    let page = usize::from(body);
    let right_line = |at: usize, seen: &mut Seen| match right.get(at) {
        Some(line) => Some(line.clone()),
        None => pods.get(at - right.len()).map(|pod| pod_line(scene, pod, usize::from(right_w), seen)),
    };
    seen.layer_page = page;
    if wide {
        seen.scroll_end = facts.len().max(right_len).saturating_sub(page);
        let scroll = state.scroll.min(seen.scroll_end);
        // Each side scrolls as far as it has lines.
        let left_top = scroll.min(facts.len().saturating_sub(page));
        let right_top = scroll.min(right_len.saturating_sub(page));
        let mut facts_part = pen.part(2, 1, left_w, body);
        for (y, line) in (0..body).zip(facts.iter().skip(left_top)) {
            put(&mut facts_part, y, line);
        }
        let mut list = pen.part(left_w + 4, 1, right_w, body);
        for y in 0..body {
            if let Some(line) = right_line(right_top + usize::from(y), seen) {
                put(&mut list, y, &line);
            }
        }
    } else {
        // One list: what it is, what runs on it, then the rest.
        let len = facts.len() + 1 + right_len;
        seen.scroll_end = len.saturating_sub(page);
        let scroll = state.scroll.min(seen.scroll_end);
        let mut list = pen.part(2, 1, w.saturating_sub(2), body);
        for y in 0..body {
            let at = scroll + usize::from(y);
            let line = if at < first {
                facts.get(at).cloned()
            } else if at == first {
                None
            } else if at <= first + right_len {
                right_line(at - first - 1, seen)
            } else {
                facts.get(at - right_len - 1).cloned()
            };
            if let Some(line) = line {
                put(&mut list, y, &line);
            }
        }
    }
    if event_lines > 0 {
        node_events(&mut pen.part(0, 1 + body, w, event_lines), scene, &told, seen);
    }
}

fn node_events(pen: &mut Pen<'_>, scene: &Scene<'_>, lines: &[EventLine<'_>], seen: &mut Seen) {
    let theme = scene.theme();
    pen.rule(0, theme.glyphs().rule, theme.style(Role::Rule));
    pen.put(2, 0, " events of this node, its claim and its pods ", theme.style(Role::Strong));
    let page = pen.height().saturating_sub(1);
    seen.formatted += lines.len();
    let w = pen.width();
    if lines.is_empty() {
        pen.put(2, 1, "none yet", theme.dim());
        return;
    }
    events::draw_lines(&mut pen.part(0, 1, w, page), scene, lines, None, seen);
}
