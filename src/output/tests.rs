use super::{Format, Report, write};
use crate::cluster::Cluster;
use crate::insight::{Filter, GroupBy, Sort, View};
use crate::model::{
    About, Change, Condition, ConditionStatus, LinkState, Name, Node, NodeClaim, NodeClass, NodePool, Pod, PodKey,
    PodPhase, Provisioner, Resource, Resources, Stream, Taint, TaintEffect, Timestamp, Uid, Usage, Volume, key,
};
use crate::pricing::{
    ClusterSupport, ExtraCosts, OnDemandPrice, Os, PriceBook, PriceNews, PriceSheet, PriceSource, Prices, SourceState,
    SupportType, Tenancy, VolumePrice,
};
use crate::units::Currency;
use test_case::test_case;

const NOW: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn condition(kind: &str, status: ConditionStatus, reason: &str) -> Condition {
    Condition { kind: kind.into(), status, reason: reason.into(), ..Condition::default() }
}

/// A ready node in Seoul, created `age` seconds ago, with further labels.
fn node(name: &str, age: i64, labels: &[(&'static str, &'static str)]) -> Node {
    let place =
        [("topology.kubernetes.io/region", "ap-northeast-2"), ("topology.kubernetes.io/zone", "ap-northeast-2b")];
    Node {
        name: name.into(),
        created: at(NOW - age),
        labels: place.into_iter().chain(labels.iter().copied()).collect(),
        conditions: vec![condition("Ready", ConditionStatus::True, "")],
        allocatable: Resources { pods: 29, ephemeral_storage_bytes: 20 << 30, ..Resources::new(1930, 3 << 30) },
        ..Node::default()
    }
}

fn pod(name: &str, node: &str, cpu: u64) -> Pod {
    Pod {
        key: PodKey::new("default", name),
        node: node.into(),
        phase: if node.is_empty() { PodPhase::Pending } else { PodPhase::Running },
        requests: Resources::new(cpu, 1 << 30),
        ..Pod::default()
    }
}

/// One of each: an Auto Mode node, a draining spot node, a node without a price and with unusual labels, a failing
/// NodeClaim, a NodePool at its limit, a forbidden stream.
fn fleet() -> Vec<Change> {
    let general = (key::NODEPOOL, "general");
    let auto = [general, ("node.kubernetes.io/instance-type", "c5a.large"), (key::COMPUTE_TYPE, "auto")];
    let auto: Vec<_> = auto.into_iter().chain([("karpenter.sh/capacity-type", "on-demand")]).collect();
    let spot = [general, ("node.kubernetes.io/instance-type", "c5a.2xlarge"), ("karpenter.sh/capacity-type", "spot")];
    let odd = [(key::NODEPOOL, "=cmd|' /C calc'!A0"), ("node.kubernetes.io/instance-type", "x9.\"huge\"")];
    let mut gpu = node("i-c", -30, &odd);
    gpu.allocatable.set(&Resource::from_name("nvidia.com/gpu"), 4);
    let failing = NodeClaim {
        name: "general-x2vh9".into(),
        created: at(NOW - 61),
        labels: [general].into_iter().collect(),
        requests: Resources { pods: 3, ..Resources::new(2500, 5 << 30) },
        conditions: vec![condition("Launched", ConditionStatus::Unknown, "VCPULimitExceeded")],
        ..NodeClaim::default()
    };
    let general = NodePool {
        name: "general".into(),
        limits: Resources::new(4000, 0),
        limited: vec!["cpu".into()],
        conditions: vec![condition("Ready", ConditionStatus::False, "NodeClassNotReady")],
        ..NodePool::default()
    };
    let usage = Usage { cpu_millicores: 700, memory_bytes: 1 << 30, ..Usage::default() };
    let mut changes = vec![
        Change::Node(Box::new(node("i-a", 250, &auto))),
        Change::Node(Box::new(Node { deleted: Some(at(NOW - 5)), ..node("i-b", 90_000, &spot) })),
        Change::Node(Box::new(gpu)),
        Change::Claim(Box::new(failing)),
        Change::Pool(Box::new(general)),
        Change::NodeUsage(vec![("i-a".into(), usage)]),
        Change::Link(Stream::Events, LinkState::Denied { message: "events is forbidden".into() }),
    ];
    for (name, node, cpu) in [("p", "i-a", 1000), ("q", "i-a", 0), ("r", "i-b", 250), ("s", "", 4000)] {
        changes.push(Change::Pod(Box::new(pod(name, node, cpu))));
    }
    for stream in [Stream::Nodes, Stream::Pods] {
        changes.extend([Change::Link(stream, LinkState::Live)]);
    }
    changes
}

fn report(book: Option<PriceBook>, changes: Vec<Change>) -> Report {
    let mut cluster = Cluster::new(book);
    for change in changes {
        cluster.apply(change, at(NOW));
    }
    let mut view = View::new(Filter::default(), Sort::default(), GroupBy::Nothing);
    view.refresh(&mut cluster);
    Report::new(&cluster, &view, at(NOW))
}

fn printed(report: &Report, format: Format) -> String {
    let mut out = Vec::new();
    write(report, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test_case(Format::Table, "table")]
#[test_case(Format::Json, "json")]
#[test_case(Format::Csv, "csv")]
fn a_fleet_reads(format: Format, name: &str) {
    insta::assert_snapshot!(name, printed(&report(Some(PriceBook::embedded()), fleet()), format));
}

/// An EKS cluster whose control plane and volumes are priced: a node of a known node class, one of an unknown class, one
/// of a node group.
fn extra_costs() -> Report {
    let extra_costs = ExtraCosts { control_plane: true, volumes: true };
    let mut cluster = Cluster::new(Some(PriceBook::embedded())).with_extra_costs(extra_costs);
    let server = "https://9C2A.gr7.ap-northeast-2.eks.amazonaws.com".to_owned();
    let volumes = vec![
        Volume { volume_type: "gp3".into(), size_gib: Some(4), root: true, ..Volume::default() },
        Volume { volume_type: "gp3".into(), size_gib: Some(100), iops: Some(4_000), ..Volume::default() },
    ];
    let class = NodeClass { name: "web".into(), uid: Uid::default(), provisioner: Provisioner::Karpenter, volumes };
    let on_demand = [("node.kubernetes.io/instance-type", "c5a.large"), ("karpenter.sh/capacity-type", "on-demand")];
    let of_class = |name, class| node(name, 250, &[on_demand[0], on_demand[1], (key::EC2_NODE_CLASS, class)]);
    let changes = [
        Change::About(About { server, ..About::default() }),
        Change::Node(Box::new(of_class("i-a", "web"))),
        Change::Node(Box::new(of_class("i-b", "other"))),
        Change::Node(Box::new(node("i-c", 250, &on_demand))),
        Change::NodeClass(Box::new(class)),
    ];
    for change in changes {
        cluster.apply(change, at(NOW));
    }
    let money = |text: &str| text.parse().unwrap();
    let gp3 = VolumePrice {
        volume_type: "gp3".into(),
        gib_month: money("0.0912"),
        iops_month: Some(money("0.0057")),
        mibps_month: None,
    };
    let sheet = PriceSheet {
        source: PriceSource::GetProducts,
        region: "ap-northeast-2".into(),
        currency: Currency::Usd,
        fetched: at(NOW - 60),
        cached: false,
        prices: Prices::Volumes(vec![gp3]),
    };
    let support = ClusterSupport {
        version: "1.33".into(),
        tier: Some("tier-xl".into()),
        support: Some(SupportType::Extended),
        phase: None,
    };
    let cluster_support = PriceNews::ClusterSupport { region: "ap-northeast-2".into(), support };
    cluster.learn([PriceNews::Sheet(sheet), cluster_support]);
    let mut view = View::new(Filter::default(), Sort::default(), GroupBy::Nothing);
    view.refresh(&mut cluster);
    Report::new(&cluster, &view, at(NOW))
}

#[test]
fn extra_costs_are_reported_separately() {
    let report = extra_costs();
    let json: serde_json::Value = serde_json::from_str(&printed(&report, Format::Json)).unwrap();
    let volumes: Vec<_> = json["nodes"].as_array().unwrap().iter().map(|node| &node["volumes"]).collect();
    let shown = serde_json::json!({
        "control_plane": json["control_plane"],
        "totals.volumes": json["totals"]["volumes"],
        "nodes[].volumes": volumes,
    });
    insta::assert_snapshot!("extra_costs", serde_json::to_string_pretty(&shown).unwrap());
    assert_eq!(json["totals"]["price"]["hourly"], "0.25800", "the price of three c5a.large alone");
    let table = printed(&report, Format::Table);
    let lines: Vec<&str> =
        table.lines().filter(|line| line.contains("control plane") || line.starts_with("vol")).collect();
    assert_eq!(
        lines,
        [
            "control plane  ~$1.75000/hour ($2.25000 in extended support)",
            "volumes  ≥ $0.02080/hour  partly unknown: 1 no node class, 1 node class not read",
        ]
    );
}

#[test]
fn extra_costs_that_are_off_are_null() {
    let report = report(Some(PriceBook::embedded()), fleet());
    assert!(report.control_plane.is_none() && report.totals.volumes.is_none());
    assert!(report.nodes.iter().all(|node| node.volumes.is_none()));
}

#[test]
fn unknown_prices_and_pods_are_not_zero() {
    let denied = Change::Link(Stream::Pods, LinkState::Denied { message: "pods is forbidden".into() });
    let changes = vec![Change::Node(Box::new(node("i-a", 250, &[]))), denied];
    insta::assert_snapshot!("table_of_little", printed(&report(None, changes), Format::Table));
}

#[test]
fn an_object_from_the_future_has_no_negative_age() {
    let future = NodeClaim { name: "c".into(), created: at(NOW + 30), ..NodeClaim::default() };
    let report = report(None, vec![Change::Node(Box::new(node("n", -30, &[]))), Change::Claim(Box::new(future))]);
    assert_eq!((report.nodes[0].age_seconds, report.nodeclaims[0].age_seconds), (0, 0));
}

/// Every moment of a report is by the API server's clock, which is an hour behind this machine's.
#[test]
fn moments_are_by_the_servers_clock() {
    let (ahead, region) = (3600, "ap-northeast-2");
    let deadline = Some(at(NOW + 300));
    let claim = NodeClaim {
        name: "c".into(),
        provider_id: "aws:///ap-northeast-2b/i-0a".into(),
        deleted: Some(at(NOW - 5)),
        termination_deadline: deadline,
        ..NodeClaim::default()
    };
    let labels = [("node.kubernetes.io/instance-type", "c5a.large"), ("karpenter.sh/capacity-type", "on-demand")];
    let mut cluster = Cluster::new(Some(PriceBook::embedded()));
    for change in [
        Change::ClockSkew { ahead_seconds: ahead },
        Change::Node(Box::new(Node { provider_id: claim.provider_id.clone(), ..node("i-a", 250, &labels) })),
        Change::Claim(Box::new(claim)),
    ] {
        cluster.apply(change, at(NOW));
    }
    let listed =
        OnDemandPrice { instance_type: "c5a.large".into(), amount: "0.086".parse().unwrap(), estimated: false };
    let sheet = PriceSheet {
        source: PriceSource::PricePage,
        region: region.into(),
        currency: Currency::Usd,
        fetched: at(NOW - 10),
        cached: false,
        prices: Prices::OnDemand { os: Os::Linux, tenancy: Tenancy::Shared, prices: vec![listed] },
    };
    let state = |source, state| PriceNews::State { source, region: region.into(), state };
    cluster.learn([
        PriceNews::Sheet(sheet),
        state(PriceSource::PricePage, SourceState::Answered { at: at(NOW - 10) }),
        state(PriceSource::SpotFeed, SourceState::Failed { why: "refused".into(), retry: at(NOW + 60) }),
    ]);
    let mut view = View::new(Filter::default(), Sort::default(), GroupBy::Nothing);
    view.refresh(&mut cluster);
    let report = Report::new(&cluster, &view, at(NOW));
    let server = NOW - ahead;
    let text = |seconds| Some(at(seconds).to_string());
    assert_eq!((report.taken_at, report.clock_skew_seconds), (at(server), ahead));
    assert_eq!(report.nodes[0].drain_deadline, Some(at(server + 300)));
    let until: Vec<_> = report.alerts.iter().filter_map(|alert| Some((alert.kind, alert.until?))).collect();
    assert_eq!(until, [("price-source", at(server + 60))]);
    assert_eq!(report.price_sources.iter().find_map(|source| source.answered_at.clone()), text(server - 10));
    assert_eq!(report.nodes[0].price.as_ref().and_then(|price| price.as_of.clone()), text(server - 10));
    assert_eq!(report.totals.price.and_then(|price| price.as_of), text(server - 10));
}

#[test]
fn the_table_reports_failing_price_sources() {
    let mut cluster = Cluster::new(Some(PriceBook::embedded()));
    for change in fleet() {
        cluster.apply(change, at(NOW));
    }
    let state = |source, state| PriceNews::State { source, region: "ap-northeast-2".into(), state };
    let off = |why: &str| SourceState::Off { why: why.into() };
    cluster.learn([
        state(PriceSource::SpotHistory, off("ec2:DescribeSpotPriceHistory is not allowed")),
        state(PriceSource::SpotFeed, SourceState::Failed { why: "no answer within 15 s".into(), retry: at(NOW + 60) }),
        state(PriceSource::EksList, off("of no concern: the fee is known")),
    ]);
    let mut view = View::new(Filter::default(), Sort::default(), GroupBy::Nothing);
    view.refresh(&mut cluster);
    let table = printed(&Report::new(&cluster, &view, at(NOW)), Format::Table);
    let lines: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("prices from ")).collect();
    let expected = [
        "spot-feed of ap-northeast-2: no answer within 15 s",
        "spot-history of ap-northeast-2: ec2:DescribeSpotPriceHistory is not allowed",
    ];
    assert_eq!(lines, expected);
}

/// Prices of March 2025 in January 2027.
#[test]
fn old_prices_are_an_alert_and_a_line_of_the_table() {
    let report = report(Some(PriceBook::embedded()), fleet());
    let old: Vec<&str> = report.alerts.iter().filter(|a| a.kind == "old-prices").map(|a| a.text.as_str()).collect();
    assert_eq!(old, ["prices 22 months old: embedded 2025-03"]);
    assert!(printed(&report, Format::Table).contains("\nprices 22 months old: embedded 2025-03\n"));
}

#[test]
fn yuan_are_not_shown_as_dollars() {
    let chinese = |name: &str| {
        let labels = [("topology.kubernetes.io/region", "cn-north-1"), (key::INSTANCE_PRICE, "0.5")];
        Change::Node(Box::new(Node { labels: labels.into_iter().collect(), ..node(name, 0, &[]) }))
    };
    let table = |changes| printed(&report(Some(PriceBook::embedded()), changes), Format::Table);
    let yuan = table(vec![chinese("n")]);
    assert!(yuan.contains("¥/HOUR") && yuan.contains("¥0.50000/hour") && !yuan.contains('$'), "{yuan}");
    let dollars = |name: &str| Change::Node(Box::new(node(name, 0, &[(key::INSTANCE_PRICE, "0.25")])));
    let mixed = table(vec![chinese("n"), dollars("m"), dollars("o")]);
    assert!(mixed.contains("0.25000*") && mixed.contains("CNY 0.50000*") && mixed.contains("1 unpriced"), "{mixed}");
    assert!(mixed.contains("unpriced: 1 in another currency"), "{mixed}");
}

#[test]
fn a_share_is_rounded_once() {
    let mut n = node("n", 0, &[]);
    n.allocatable.cpu_millicores = 10_000;
    let report = report(
        None,
        vec![
            Change::Node(Box::new(n)),
            Change::Link(Stream::Pods, LinkState::Live),
            Change::Pod(Box::new(pod("p", "n", 4945))),
        ],
    );
    let table = printed(&report, Format::Table);
    assert!(table.contains(" 49% "), "49.45 % is not 50 %:\n{table}");
}

/// Claims may not be read: the taint alone says that the node leaves. Its value is that of Karpenter 0.32 to 0.37.
#[test_case(key::TAINT_DISRUPTED, "")]
#[test_case(key::TAINT_DISRUPTION, "disrupting")]
fn a_node_that_leaves_by_its_taint_alone_says_so(key: &str, value: &str) {
    let mut n = node("n", 0, &[]);
    n.taints.push(Taint { key: key.into(), value: value.into(), effect: TaintEffect::NoSchedule });
    let report = report(None, vec![Change::Node(Box::new(n))]);
    let json: serde_json::Value = serde_json::from_str(&printed(&report, Format::Json)).unwrap();
    assert_eq!((&json["totals"]["leaving"], &json["nodes"][0]["leaving"]), (&1.into(), &"Disrupted".into()));
}

fn amount() -> impl proptest::strategy::Strategy<Value = u64> {
    proptest::prop_oneof![proptest::strategy::Just(0), proptest::strategy::Just(u64::MAX), proptest::num::u64::ANY]
}

proptest::proptest! {
    #[test]
    fn any_amount_prints(cpu in amount(), memory in amount(), offered in amount()) {
        let resources = |cpu, memory| Resources { pods: cpu, ephemeral_storage_bytes: memory, ..Resources::new(cpu, memory) };
        let claim = NodeClaim { name: Name::from("c"), requests: resources(cpu, memory), ..NodeClaim::default() };
        let report = report(Some(PriceBook::embedded()), vec![
            Change::Node(Box::new(Node { allocatable: resources(offered, offered), ..node("n", 0, &[]) })),
            Change::Claim(Box::new(claim)),
            Change::Link(Stream::Pods, LinkState::Live),
            Change::Pod(Box::new(Pod { requests: resources(cpu, memory), limits: resources(memory, cpu), ..pod("p", "n", 0) })),
        ]);
        for format in [Format::Table, Format::Json, Format::Csv] {
            proptest::prop_assert!(!printed(&report, format).is_empty());
        }
    }
}
