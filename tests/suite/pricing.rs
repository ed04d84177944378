//! Prices of nodes: a golden table of all kinds of nodes, prices that depend on pods, price files and discounts, and the
//! coverage of AWS's instance types.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use crate::support::build::*;
use nodeglass::cluster::{CapacityType, ChangedParts, Cluster, ManagedBy, UnmatchedTerm};
use nodeglass::insight::{Filter, GroupBy, Sort, View};
use nodeglass::model::{
    Change, ClaimRequirement, Node, NodeClaim, Pod, PodClass, PodKey, Resources, Timestamp, Uid, key,
};
use nodeglass::pricing::{
    DiscountRule, EksPrices, Mark, OnDemandPrice, Os, PriceBook, PriceFile, PriceNews, PriceSheet, PriceSource,
    PriceTerms, Prices, Quote, SpotPrice, SpotSaving, Tenancy, Unknown, Zone,
};
use nodeglass::units::{Currency, Money, Quantity};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

// === the golden table ===

fn sheet(source: PriceSource, region: &str, prices: Prices) -> PriceNews {
    PriceNews::Sheet(PriceSheet {
        source,
        region: region.into(),
        currency: if region.starts_with("cn-") { Currency::Cny } else { Currency::Usd },
        fetched: at(1_000_000),
        cached: false,
        prices,
    })
}

fn on_demand(source: PriceSource, region: &str, os: Os, tenancy: Tenancy, name: &str, amount: &str) -> PriceNews {
    let prices = vec![OnDemandPrice { instance_type: name.into(), amount: money(amount), estimated: false }];
    sheet(source, region, Prices::OnDemand { os, tenancy, prices })
}

fn spot(source: PriceSource, region: &str, prices: &[(&str, &str, Os, &str)]) -> PriceNews {
    let price = |(name, zone, os, amount): &(&str, &str, Os, &str)| SpotPrice {
        instance_type: (*name).into(),
        zone: (!zone.is_empty()).then(|| (*zone).into()),
        os: *os,
        amount: money(amount),
    };
    sheet(source, region, Prices::Spot(prices.iter().map(price).collect()))
}

fn eks(region: &str, fees: &[(&str, &str)], edit: impl FnOnce(&mut EksPrices)) -> PriceNews {
    let auto_fees = fees.iter().map(|(name, fee)| ((*name).into(), money(fee))).collect();
    let mut prices = EksPrices { auto_fees, ..EksPrices::default() };
    edit(&mut prices);
    sheet(PriceSource::EksList, region, Prices::Eks(prices))
}

/// The answers of price sources in the golden table: the `sheet` values of its column `source`.
fn answers() -> Vec<PriceNews> {
    use Os::{Linux, Windows};
    use PriceSource::{GetProducts, PricePage, SpotAdvisor, SpotFeed, SpotHistory};
    use Tenancy::{Dedicated, Shared};
    let seoul = [
        ("c5a.large", "0.01032"),
        ("c5a.2xlarge", "0.04128"),
        ("c6g.large", "0.00924"),
        ("g6.xlarge", "0.07719"),
        ("g5.xlarge", "0.09649"),
    ];
    let virginia = [("m5.large", "0.01152"), ("t4g.medium", "0.00403"), ("m7g.large", "0.00979")];
    vec![
        eks("ap-northeast-2", &seoul, |prices| {
            prices.fargate_vcpu = Some(money("0.04656"));
            prices.fargate_gb = Some(money("0.00511"));
            prices.hybrid_vcpu = Some(money("0.020"));
        }),
        eks("us-east-1", &virginia, |_| ()),
        spot(
            SpotHistory,
            "ap-northeast-2",
            &[
                ("c5a.large", "ap-northeast-2a", Linux, "0.0341"),
                ("c5a.large", "ap-northeast-2b", Linux, "0.0369"),
                ("c5a.2xlarge", "ap-northeast-2a", Linux, "0.1298"),
                ("c5a.large", "ap-northeast-2a", Windows, "0.1263"),
            ],
        ),
        spot(SpotFeed, "us-east-1", &[("m5.large", "", Linux, "0.0367")]),
        spot(SpotFeed, "eu-west-1", &[("m5.large", "", Linux, "0.0412")]),
        sheet(
            SpotAdvisor,
            "eu-central-1",
            Prices::SpotSavings(vec![SpotSaving {
                instance_type: "m5.large".into(),
                os: Linux,
                percent: 60,
                interruption_band: 1,
            }]),
        ),
        on_demand(PricePage, "us-east-1", Windows, Shared, "m5.large", "0.188"),
        on_demand(PricePage, "ap-northeast-2", Windows, Shared, "c5a.large", "0.178"),
        on_demand(GetProducts, "us-east-1", Linux, Dedicated, "c6g.metal", "2.3066"),
        on_demand(GetProducts, "us-west-2-phx-2", Linux, Shared, "t3.medium", "0.0504"),
        on_demand(GetProducts, "us-east-1-wl1-bos-wlz-1", Linux, Shared, "t3.medium", "0.056"),
        on_demand(GetProducts, "cn-north-1", Linux, Shared, "m5.large", "1.049"),
        on_demand(PricePage, "ap-east-2", Linux, Shared, "m7g.large", "0.0952"),
    ]
}

/// The objects of a row of the golden table; `kind` is its column `kind`.
fn objects(place: &str, instance_type: &str, kind: &str) -> (Node, Option<NodeClaim>, Vec<Pod>) {
    let mut node = Node { name: "n".into(), uid: Uid::new("n"), ..Node::default() };
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    let mut label = |key: &str, value: &str| labels.insert(key.to_owned(), value.to_owned());
    let zone = Zone::parse(place);
    label("topology.kubernetes.io/region", zone.map_or(place, |zone| zone.region));
    if zone.is_some() {
        label("topology.kubernetes.io/zone", place);
    }
    if !instance_type.is_empty() {
        label("node.kubernetes.io/instance-type", instance_type);
    }
    let (mut claim, mut pods) = (None, Vec::new());
    for word in kind.split(' ') {
        let (word, value) = word.split_once('=').unwrap_or((word, ""));
        match word {
            "on-demand" | "spot" | "reserved" => drop(label("karpenter.sh/capacity-type", word)),
            "odcr" => drop(label("karpenter.k8s.aws/capacity-reservation-type", "default")),
            "block" => drop(label("karpenter.k8s.aws/capacity-reservation-type", "capacity-block")),
            "node-group-block" => drop(label("eks.amazonaws.com/capacityType", "CAPACITY_BLOCK")),
            "unlabelled" => {}
            "auto" => drop(label(key::COMPUTE_TYPE, "auto")),
            "windows" => drop(label("kubernetes.io/os", "windows")),
            "dedicated" => drop(label(key::TENANCY, "dedicated")),
            "outpost" => drop(label(key::OUTPOST, "op-0123456789abcdef0")),
            "label" => drop(label(key::INSTANCE_PRICE, value)),
            "hybrid" => {
                label(key::COMPUTE_TYPE, "hybrid");
                node.capacity = Resources::new(value.parse::<u64>().unwrap() * 1_000, 64 << 30);
            }
            "fargate" => {
                label(key::COMPUTE_TYPE, "fargate");
                if !value.is_empty() {
                    pods.push(Pod { capacity_provisioned: value.replace('_', " ").into(), ..pod("p", "n") });
                }
            }
            "asks" => {
                let (cpu, memory) = value.split_once('_').unwrap();
                let amount = |text: &str| text.parse::<Quantity>().unwrap();
                let requests = Resources::new(amount(cpu).millis(), amount(memory).units());
                pods.push(Pod { requests, ..pod("p", "n") });
            }
            "claim" => {
                claim = Some(NodeClaim {
                    requirements: vec![ClaimRequirement {
                        key: "karpenter.sh/capacity-type".into(),
                        operator: "In".into(),
                        values: vec!["on-demand".into()],
                        count: 1,
                    }],
                    ..NodeClaim::default()
                });
            }
            "auto-class" | "unlaunched" => {}
            other => panic!("no such kind: {other}"),
        }
    }
    node.labels = labels.into_iter().collect();
    if let Some(claim) = &mut claim {
        (claim.name, claim.uid, claim.labels) = ("c".into(), Uid::new("c"), node.labels.clone());
        if !kind.contains("unlaunched") {
            claim.provider_id = format!("aws:///{place}/i-0").into();
        }
        if kind.contains("auto-class") {
            claim.node_class_group = "eks.amazonaws.com".into();
        }
    }
    (node, claim, pods)
}

/// The quote of the only row after all objects are folded, pods first, since their order does not matter.
fn priced(book: PriceBook, (node, claim, pods): (Node, Option<NodeClaim>, Vec<Pod>)) -> Option<Quote> {
    let mut cluster = Cluster::new(Some(book));
    let node_or_claim = claim.map_or_else(|| node.added(), Added::added);
    for change in pods.into_iter().map(Added::added).chain([node_or_claim]) {
        cluster.apply(change, at(0));
    }
    cluster.learn(answers());
    cluster.row_of_node("n").or_else(|| cluster.row_of_claim("c")).unwrap().quote().cloned()
}

/// The price table as a plain reader sees it.
fn table() -> BTreeMap<(String, String), (Money, String)> {
    let mut rows = csv::Reader::from_path(root().join("assets/prices/ondemand.csv")).unwrap();
    let row = |row: csv::StringRecord| ((row[0].to_owned(), row[1].to_owned()), (money(&row[2]), row[3].to_owned()));
    rows.records().map(|record| row(record.unwrap())).collect()
}

/// Each price with the source of its figure: `table` is a row of assets/prices/ondemand.csv with its source,
/// `fargate` one of fargate.csv, `sheet` a figure of [`answers`] (those not marked as constructed are AWS's own), `rule`
/// what follows from the figures before it, `label` the label itself. The figures were worked out from these sources
/// apart from the program.
#[test]
fn golden_prices() {
    let table = table();
    let mut rows = csv::Reader::from_path(root().join("tests/fixtures/pricing/golden.csv")).unwrap();
    let mut wrong = Vec::new();
    let mut seen: BTreeSet<(String, String, String)> = BTreeSet::new();
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    for record in rows.records() {
        let record = record.unwrap();
        let [place, instance_type, kind, expected, sign, why, source] = std::array::from_fn(|i| record[i].to_owned());
        for figure in source.split("; ") {
            match figure.split_once(' ') {
                Some(("table", of)) => {
                    let region = Zone::parse(&place).map_or(place.as_str(), |zone| zone.price_region);
                    let (_, actual) = &table[&(region.to_owned(), instance_type.clone())];
                    assert_eq!(actual, of, "{record:?}");
                }
                Some(("fargate" | "sheet" | "rule" | "Auto", _)) => {}
                _ => assert_eq!(figure, "label", "{record:?}"),
            }
        }
        let quote = priced(PriceBook::embedded(), objects(&place, &instance_type, &kind));
        let price = quote.as_ref().map_or_else(String::new, |quote| quote.label(6));
        let is_why = quote.as_ref().and_then(Quote::unknown).map_or_else(String::new, |why| format!("{why:?}"));
        let is_sign = quote.as_ref().map_or("$", |quote| quote.currency.sign());
        if (price.as_str(), is_why.as_str(), is_sign) != (expected.as_str(), why.as_str(), sign.as_str()) {
            wrong.push(format!(
                "{place} {instance_type} {kind}: {price} {is_why} {is_sign}, expected {expected} {why} {sign}"
            ));
        }
        kinds.extend(kind.split(' ').map(|word| word.split('=').next().unwrap_or(word).to_owned()));
        seen.insert((place, instance_type, kind));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen.len() >= 60, "only {} different kinds", seen.len());
    let expected = [
        "asks",
        "auto",
        "auto-class",
        "block",
        "claim",
        "dedicated",
        "fargate",
        "hybrid",
        "label",
        "node-group-block",
        "odcr",
        "on-demand",
        "outpost",
        "reserved",
        "spot",
        "unlabelled",
        "unlaunched",
        "windows",
    ];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

// === coverage ===

/// The figures the documents state, in (region, type) pairs: every price region of the table by every type that is in
/// the table or known by its size. What is not known is mostly not sold: no region has every type.
#[test]
fn coverage_is_what_the_documents_say() {
    let table = table();
    let regions: BTreeSet<&str> = table.keys().map(|(region, _)| region.as_str()).collect();
    let mut specs = csv::Reader::from_path(root().join("assets/prices/specs.csv")).unwrap();
    let with_size: BTreeSet<String> = specs.records().map(|record| record.unwrap()[0].to_owned()).collect();
    let types: BTreeSet<&str> =
        table.keys().map(|(_, name)| name.as_str()).chain(with_size.iter().map(String::as_str)).collect();
    let book = PriceBook::embedded();
    let (mut exact, mut estimated, mut unknown) = (0, 0, 0);
    for region in &regions {
        for name in &types {
            match book.on_demand(region, name) {
                Ok(price) if price.estimated => estimated += 1,
                Ok(_) => exact += 1,
                Err(_) => unknown += 1,
            }
        }
    }
    assert_eq!((regions.len(), with_size.len(), types.len()), (35, 1_395, 1_426));
    assert_eq!((exact, estimated, unknown), (16_999, 5_872, 27_039));
    // A type with a size but no price anywhere (Mac, types withdrawn) is as unknown as one of another region.
    let priced: BTreeSet<&str> = table.keys().map(|(_, name)| name.as_str()).collect();
    assert_eq!(types.difference(&priced).count(), 39);
    let manual = fs::read_to_string(root().join("assets/manual/prices.md")).unwrap();
    let manual = manual.split_whitespace().collect::<Vec<_>>().join(" ");
    for stated in
        ["35 regions by 1,426 types (39 of", "16,999 pairs exactly and 5,872 by an estimate", "the other 27,039"]
    {
        assert!(manual.contains(stated), "assets/manual/prices.md does not state {stated:?}");
    }
}

/// Not even a label or a price file sets a price before the instance is there.
#[test]
fn a_claim_is_billed_from_its_launch() {
    let labels = [
        ("node.kubernetes.io/instance-type", "m5.large"),
        ("topology.kubernetes.io/zone", "us-east-1a"),
        (key::INSTANCE_PRICE, "0.5"),
    ];
    let claim = |provider_id: &str| NodeClaim {
        name: "c".into(),
        uid: Uid::new("u"),
        provider_id: provider_id.into(),
        labels: labels.into_iter().collect(),
        ..NodeClaim::default()
    };
    let mut cluster = book();
    cluster.apply(Change::Claim(Box::new(claim(""))), at(0));
    assert_eq!(cluster.row_of_claim("c").unwrap().quote(), None);
    cluster.apply(Change::Claim(Box::new(claim("aws:///us-east-1a/i-0088a4e1b9e73a3c1"))), at(1));
    assert_eq!(cluster.row_of_claim("c").unwrap().quote().unwrap().label(4), "0.5000*");
}

// === prices that depend on pods ===

fn fargate(name: &str) -> Node {
    let labels = [(key::COMPUTE_TYPE, "fargate"), ("topology.kubernetes.io/region", "ap-northeast-2")];
    Node { labels: labels.into_iter().collect(), ..node(name) }
}

fn book() -> Cluster {
    Cluster::new(Some(PriceBook::embedded()))
}

fn label(cluster: &Cluster, node: &str) -> String {
    cluster.row_of_node(node).unwrap().quote().unwrap().label(6)
}

#[test]
fn fargate_price_follows_the_annotation() {
    let given = |size: &str| Pod { capacity_provisioned: size.into(), ..pod("p", "f") }.added();
    let mut c = book();
    c.apply(fargate("f").added(), at(0));
    assert_eq!(c.row_of_node("f").unwrap().quote().unwrap().unknown(), Some(Unknown::FargateSize), "no pod yet");
    c.take_changed();
    // The pod comes without an annotation: 500 millicores and 1.25 GiB become 0.5 vCPU and 2 GB, as an estimate.
    assert!(c.apply(given(""), at(1)).has(ChangedParts::ROWS));
    assert_eq!(label(&c, "f"), "~0.033500");
    let id = c.row_of_node("f").unwrap().id();
    assert_eq!(c.take_changed(), [id], "a row whose price changes is drawn again");
    // The annotation arrives, and changes, with no change of the node.
    c.apply(given("0.25vCPU 0.5GB"), at(2));
    assert_eq!(label(&c, "f"), "0.014195");
    assert_eq!(c.take_changed(), [id]);
    c.apply(given("1vCPU 2GB"), at(3));
    assert_eq!(label(&c, "f"), "0.056780");
    // Other pods may be spoken of: those of DaemonSets never count, any other does not decide.
    c.apply(Pod { class: PodClass::DaemonSet, ..pod("agent", "f") }.added(), at(4));
    assert_eq!(label(&c, "f"), "0.056780");
    c.apply(pod("another", "f").added(), at(5));
    assert_eq!(label(&c, "f"), "0.056780", "the pod that carries the annotation decides");
    // It is taken back as it came.
    c.apply(given("odd"), at(6));
    assert_eq!(c.row_of_node("f").unwrap().quote().unwrap().unknown(), Some(Unknown::FargateSize));
    c.apply(given("1vCPU 2GB"), at(7));
    for name in ["p", "another", "agent"] {
        c.apply(Change::PodGone(PodKey::new("default", name), Uid::default()), at(8));
    }
    assert_eq!(c.row_of_node("f").unwrap().quote().unwrap().unknown(), Some(Unknown::FargateSize), "without a pod");
    assert_eq!(*c.row_of_node("f").unwrap().sums(), nodeglass::cluster::Sums::default());
}

#[test]
fn a_fargate_price_does_not_depend_on_the_order_of_changes() {
    let pod = || Pod { capacity_provisioned: "0.25vCPU 0.5GB".into(), ..pod("p", "fargate-ip-10-0-0-3") }.added();
    // Recognized by its name until its labels arrive.
    let early = || {
        let labels = [("topology.kubernetes.io/region", "ap-northeast-2")];
        Node { labels: labels.into_iter().collect(), ..node("fargate-ip-10-0-0-3") }.added()
    };
    for changes in [[pod(), early()], [early(), pod()]] {
        let mut c = book();
        for change in changes {
            c.apply(change, at(0));
        }
        assert_eq!(label(&c, "fargate-ip-10-0-0-3"), "0.014195");
        let row = c.row_of_node("fargate-ip-10-0-0-3").unwrap();
        assert_eq!((row.managed_by(), row.capacity_type()), (ManagedBy::Fargate, CapacityType::Fargate));
        assert_eq!(row.allocatable(), Some(&Resources { pods: 1, ..Resources::new(250, 512 << 20) }));
    }
    // A pod of another node's, moved here by a node name that is set late, and away again.
    let mut c = book();
    c.apply(fargate("f").added(), at(0));
    c.apply(fargate("g").added(), at(0));
    let on =
        |node: &str| Pod { capacity_provisioned: "0.25vCPU 0.5GB".into(), ..crate::support::build::pod("p", node) };
    c.apply(on("f").added(), at(1));
    c.apply(on("g").added(), at(2));
    assert_eq!((label(&c, "f"), label(&c, "g")), ("—".to_owned(), "0.014195".to_owned()));
}

/// Events of two nodes and three pods.
#[derive(Clone, Debug)]
enum Event {
    Pod { pod: usize, node: usize, size: usize },
    PodGone(usize),
    Node { node: usize, fargate: bool },
    NodeGone(usize),
}

fn an_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..3_usize, 0..3_usize, 0..5_usize).prop_map(|(pod, node, size)| Event::Pod { pod, node, size }),
        2 => (0..3_usize).prop_map(Event::PodGone),
        3 => (0..2_usize, any::<bool>()).prop_map(|(node, fargate)| Event::Node { node, fargate }),
        1 => (0..2_usize).prop_map(Event::NodeGone),
    ]
}

proptest! {
    /// After any events, each price equals that of a cluster built from the remaining objects.
    #[test]
    fn fargate_prices_equal_a_rebuild(events in proptest::collection::vec(an_event(), 1..30)) {
        const NODES: [&str; 3] = ["f", "g", ""];
        const SIZES: [&str; 5] = ["", "0.25vCPU 0.5GB", "1vCPU 2GB", "odd", "16vCPU 120GB"];
        let mut c = book();
        let mut nodes: BTreeMap<usize, Node> = BTreeMap::new();
        let mut pods: BTreeMap<usize, Pod> = BTreeMap::new();
        for (i, event) in events.into_iter().enumerate() {
            let change = match event {
                Event::Pod { pod: p, node, size } => {
                    let class = if p == 2 { PodClass::DaemonSet } else { PodClass::Workload };
                    let capacity_provisioned = SIZES[size].into();
                    let pod = Pod { capacity_provisioned, class, ..pod(&format!("p{p}"), NODES[node]) };
                    pods.insert(p, pod.clone());
                    pod.added()
                }
                Event::PodGone(p) => {
                    pods.remove(&p);
                    Change::PodGone(PodKey::new("default", &format!("p{p}")), Uid::default())
                }
                Event::Node { node: n, fargate: is } => {
                    let node = if is { fargate(NODES[n]) } else { node(NODES[n]) };
                    nodes.insert(n, node.clone());
                    node.added()
                }
                Event::NodeGone(n) => {
                    nodes.remove(&n);
                    Change::NodeGone(NODES[n].into(), Uid::default())
                }
            };
            c.apply(change, at(i as i64));
            let mut fresh = book();
            for change in pods.values().cloned().map(Added::added).chain(nodes.values().cloned().map(Added::added)) {
                fresh.apply(change, at(i as i64));
            }
            for name in ["f", "g"] {
                let quote = |c: &Cluster| c.row_of_node(name).and_then(|row| row.quote().cloned());
                prop_assert_eq!(quote(&c), quote(&fresh), "{} after {} events", name, i + 1);
            }
        }
    }
}

// === price files and discounts ===

#[test]
fn a_rule_that_matches_no_node_is_reported() {
    let rule = |edit: &dyn Fn(&mut DiscountRule)| {
        let mut rule = DiscountRule::new("-28%".parse().unwrap());
        edit(&mut rule);
        rule
    };
    let file = "region,instance_type,capacity,usd_per_hour\nap-northeast-2,c5a.xlarge,spot,0.05\n,m5.largest,,1\n";
    let terms = PriceTerms {
        file: Some(PriceFile::parse("prices.csv", file).unwrap()),
        rules: vec![
            rule(&|rule| rule.family = Some("c5*".parse().unwrap())),
            rule(&|rule| rule.nodepool = Some("genreal".parse().unwrap())),
        ],
    };
    let mut c = Cluster::new(Some(PriceBook::embedded().with_terms(terms)));
    let names = |c: &Cluster| c.prices().unmatched().map(|term| term.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&c).len(), 4);
    let labelled = |capacity: &str| {
        let mut node = node("n");
        let labels = node.labels.iter().filter(|(key, _)| *key != "karpenter.sh/capacity-type");
        node.labels = labels.chain([("karpenter.sh/capacity-type", capacity)]).collect();
        node.added()
    };
    c.apply(labelled("on-demand"), at(0));
    assert_eq!(c.row_of_node("n").unwrap().quote().unwrap().mark, Mark::Override);
    let missing = [
        "discount rule 2 (nodepool=genreal -28%)",
        "prices.csv:2 (ap-northeast-2 c5a.xlarge spot 0.05)",
        "prices.csv:3 (* m5.largest * 1.00)",
    ];
    assert_eq!(names(&c), missing);
    // A rule that matched once is not reported, even if its node is gone.
    c.apply(labelled("spot"), at(1));
    c.apply(Change::NodeGone("n".into(), Uid::default()), at(2));
    assert_eq!(names(&c), [missing[0], missing[2]]);
    let rows: Vec<usize> = c
        .prices()
        .unmatched()
        .filter_map(|term| match term {
            UnmatchedTerm::Rule { .. } => None,
            UnmatchedTerm::Row { row, .. } => Some(row.line),
        })
        .collect();
    assert_eq!(rows, [3]);
    assert_eq!(Cluster::new(None).prices().unmatched().count(), 0, "no prices, no terms");
}

#[test]
fn a_discount_comes_off_a_price_that_is_learned_later() {
    let rule = DiscountRule { region: Some("ap-*".parse().unwrap()), ..DiscountRule::new("0.5".parse().unwrap()) };
    let terms = PriceTerms { file: None, rules: vec![rule] };
    let mut c = Cluster::new(Some(PriceBook::embedded().with_terms(terms)));
    let mut windows = node("n");
    let labels = windows.labels.iter().filter(|(key, _)| *key != "kubernetes.io/os");
    windows.labels =
        labels.chain([("kubernetes.io/os", "windows"), ("node.kubernetes.io/instance-type", "c5a.large")]).collect();
    c.apply(windows.added(), at(0));
    assert_eq!(label(&c, "n"), "—");
    c.learn(answers());
    assert_eq!(label(&c, "n"), "0.089000*");
    assert_eq!(c.prices().unmatched().count(), 0);
}

fn spot_node(name: &str) -> Change {
    let labels = [
        ("karpenter.sh/capacity-type", "spot"),
        ("node.kubernetes.io/instance-type", "c5a.large"),
        ("topology.kubernetes.io/zone", "ap-northeast-2a"),
        ("topology.kubernetes.io/region", "ap-northeast-2"),
    ];
    Node { labels: labels.into_iter().collect(), ..node(name) }.added()
}

#[test]
fn rows_are_quoted_again_in_turns() {
    let rows = 3 * Cluster::ROWS_PER_TURN + 7;
    let mut c = book();
    let mut view = View::new(Filter::default(), Sort::default(), GroupBy::Nothing);
    (0..rows).for_each(|i| _ = c.apply(spot_node(&format!("n{i}")), at(0)));
    view.refresh(&mut c);
    assert_eq!(view.totals().price.unpriced, rows as u64);
    assert!(c.learn(answers()).has(ChangedParts::ROWS));
    let mut quoted = 0;
    loop {
        let turn = c.take_changed();
        assert!(turn.len() <= Cluster::ROWS_PER_TURN, "{}", turn.len());
        quoted += turn.len();
        if !c.has_rows_to_quote() {
            break;
        }
        c.quote_rows();
    }
    assert_eq!(quoted, rows, "each row once");
    view = View::new(Filter::default(), Sort::default(), GroupBy::Nothing);
    view.refresh(&mut c);
    let price = &view.totals().price;
    assert_eq!((price.unpriced, price.hourly()), (0, money("0.0341").times(rows as i64, 1)));
}

#[test]
fn rows_that_come_between_turns_have_the_new_price() {
    let mut c = book();
    let mut view = View::new(Filter::default(), Sort::default(), GroupBy::Nothing);
    let before = 2 * Cluster::ROWS_PER_TURN;
    (0..before).for_each(|i| _ = c.apply(spot_node(&format!("n{i}")), at(0)));
    c.learn(answers());
    view.refresh(&mut c);
    assert_eq!(view.totals().price.unpriced, Cluster::ROWS_PER_TURN as u64);
    c.apply(spot_node("new"), at(1));
    while c.has_rows_to_quote() {
        view.refresh(&mut c);
        c.quote_rows();
    }
    view.refresh(&mut c);
    let mut rebuilt = View::new(Filter::default(), Sort::default(), GroupBy::Nothing);
    rebuilt.refresh(&mut c);
    assert_eq!(view.totals(), rebuilt.totals());
    assert_eq!(view.totals().price.hourly(), money("0.0341").times(before as i64 + 1, 1));
}

// === no floating point ===

fn rust_files(dir: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Whether a line of code names floating point, its comment aside. The one door: `serde_json` offers a number that a
/// document holds without quotes as floating point (AWS writes prices in quotes); a reader turns it into decimal text at
/// once, or does not look at it.
fn floats(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or("");
    let named = ["f32", "f64"].iter().any(|word| code.contains(word));
    named && !code.trim_start().starts_with("fn visit_f64<E: Error>(self,")
}

#[test]
fn no_price_is_computed_in_floating_point() {
    let mut files = vec![root().join("src/units/money.rs")];
    for dir in ["src/pricing", "src/source/prices", "src/source/prices.rs"] {
        let path = root().join(dir);
        if path.is_dir() {
            rust_files(&path, &mut files);
        } else if path.is_file() {
            files.push(path);
        }
    }
    assert!(files.len() > 20, "only {} files were found", files.len());
    for file in files {
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            assert!(!floats(line), "{}:{}: floating point: {line}", file.display(), number + 1);
        }
    }
    assert!(floats("let x = value.as_f64();") && !floats("let x = 1; // no f64 here"));
    assert!(floats("let x: f64 = 0.1;") && !floats("    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {"));
}

#[test]
fn a_quote_is_a_function_of_objects_and_book() {
    let again = || priced(PriceBook::embedded(), objects("ap-northeast-2b", "c5a.large", "auto spot"));
    assert_eq!(again(), again());
    let date: Timestamp = at(1_000_000);
    assert_eq!(again().unwrap().instance.origin.as_of.to_string(), format!("{date:.0}"));
}
