//! Costs besides those of nodes, from the API server to the screen: requested only if they are shown,
//! never part of another sum, and unknown where they are not known.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use crate::support::apiserver::{Answer, ApiServer};
use crate::support::build::{self, Added, at};
use crate::support::stage::{Stage, plain};
use nodeglass::cluster::{Cluster, Row};
use nodeglass::insight::{Filter, GroupBy, Sort, Totals, View};
use nodeglass::model::{About, Change, LinkState, Node, NodeClaim, NodeClass, Provisioner, Stream, Uid, Volume, key};
use nodeglass::pricing::{
    ClusterSupport, ExtraCosts, PriceBook, PriceNews, PriceSheet, PriceSource, Prices, SupportPhase, SupportType,
    Unknown, VolumePrice,
};
use nodeglass::source::live::{Connection, Interest, Options, Timing};
use nodeglass::units::{Currency, Money};
use proptest::prelude::*;
use std::time::Duration;
use test_case::test_case;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

const EC2_CLASSES: &str = "/apis/karpenter.k8s.aws/v1/ec2nodeclasses";
const AUTO_CLASSES: &str = "/apis/eks.amazonaws.com/v1/nodeclasses";
const EC2_CLASS: &str = include_str!("support/objects/ec2nodeclass.json");
const AUTO_CLASS: &str = include_str!("support/objects/nodeclass.json");
const BOTH: ExtraCosts = ExtraCosts { control_plane: true, volumes: true };

fn gp3(size: Option<u64>, root: bool) -> Volume {
    Volume { volume_type: "gp3".into(), size_gib: size, root, ..Volume::default() }
}

// === watching ===

/// The changes of the live source until a condition holds.
async fn changes_of(server: &ApiServer, extra_costs: ExtraCosts, holds: impl Fn(&[Change]) -> bool) -> Vec<Change> {
    let options = Options {
        kubeconfig: Some(server.kubeconfig()),
        streams: Some(vec![Stream::Nodes]),
        extra_costs,
        timing: Timing { backoff_base: Duration::from_millis(10), ..Timing::default() },
        ..Options::default()
    };
    let (sender, mut receiver) = mpsc::channel(64);
    let (_interest, interested) = watch::channel(Interest::default());
    let _tasks = Connection::load(options).await.unwrap().start(sender, interested, CancellationToken::new());
    let mut seen = Vec::new();
    while !holds(&seen) {
        let batch = tokio::time::timeout(Duration::from_secs(30), receiver.recv()).await;
        seen.extend(batch.unwrap_or_else(|_| panic!("nothing more after {seen:#?}")).unwrap());
    }
    seen
}

fn links(seen: &[Change], stream: Stream) -> Vec<LinkState> {
    let of = |change: &Change| match change {
        Change::Link(of, state) if *of == stream => Some(state.clone()),
        _ => None,
    };
    seen.iter().filter_map(of).collect()
}

#[tokio::test]
async fn node_classes_are_read_as_a_server_sends_them() {
    let server = ApiServer::start().await;
    let list = |object: &str| format!(r#"{{"metadata": {{"resourceVersion": "1"}}, "items": [{object}]}}"#);
    for (path, object) in [(EC2_CLASSES, EC2_CLASS), (AUTO_CLASSES, AUTO_CLASS)] {
        server.on_streaming_list(path, [Answer::status(400, "no streaming lists here")]);
        server.on_list(path, [Answer::raw(list(object))]);
    }
    let classes = |seen: &[Change]| -> Vec<NodeClass> {
        let class = |change: &Change| match change {
            Change::NodeClass(class) => Some((**class).clone()),
            Change::Unreadable { problem, .. } => panic!("odd: {problem}"),
            _ => None,
        };
        seen.iter().filter_map(class).collect()
    };
    let seen = changes_of(&server, BOTH, |seen| classes(seen).len() == 2).await;
    let mut classes = classes(&seen);
    classes.sort_by_key(|class| class.provisioner);
    let data = Volume { iops: Some(3_000), throughput: Some(125), ..gp3(Some(80), false) };
    let auto = NodeClass {
        name: "default".into(),
        uid: Uid::new("c2f6a1c0-40c4-4b62-9f54-8e1b7f3a9d20"),
        provisioner: Provisioner::AutoMode,
        volumes: vec![gp3(None, true), data],
    };
    let data = Volume { iops: Some(4_000), throughput: Some(250), ..gp3(Some(100), true) };
    let karpenter = NodeClass {
        name: "default".into(),
        uid: Uid::new("5e2b6f0e-6d5b-4a58-a7b0-0a8d0b7b2f11"),
        provisioner: Provisioner::Karpenter,
        volumes: vec![gp3(Some(4), true), data],
    };
    assert_eq!(classes, [auto, karpenter]);
}

#[tokio::test]
async fn node_classes_are_not_asked_for_unless_volumes_are_priced() {
    let server = ApiServer::start().await;
    let live = |seen: &[Change]| links(seen, Stream::Nodes).contains(&LinkState::Live);
    let seen = changes_of(&server, ExtraCosts { control_plane: true, volumes: false }, live).await;
    for (stream, path) in [(Stream::Ec2NodeClasses, EC2_CLASSES), (Stream::NodeClasses, AUTO_CLASSES)] {
        assert_eq!(links(&seen, stream), [], "{stream} is not announced");
        assert_eq!(server.asked_for(path).len(), 0);
    }
}

#[tokio::test]
async fn classes_that_are_not_served_or_not_granted_are_a_state_of_their_stream() {
    let server = ApiServer::start().await;
    let message = "ec2nodeclasses.karpenter.k8s.aws is forbidden";
    server.on_all(EC2_CLASSES, &Answer::status(403, message));
    server.on_all(AUTO_CLASSES, &Answer::status(404, "the server could not find the requested resource"));
    let denied = LinkState::Denied { message: message.into() };
    let holds = |seen: &[Change]| {
        links(seen, Stream::Ec2NodeClasses).contains(&denied)
            && links(seen, Stream::NodeClasses).contains(&LinkState::Absent)
    };
    let seen = changes_of(&server, BOTH, holds).await;
    assert_eq!(links(&seen, Stream::NodeClasses), [LinkState::Connecting, LinkState::Absent]);
}

// === the state ===

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

/// Published prices of Seoul.
fn prices() -> PriceNews {
    PriceNews::Sheet(PriceSheet {
        source: PriceSource::GetProducts,
        region: "ap-northeast-2".into(),
        currency: Currency::Usd,
        fetched: at(0),
        cached: false,
        prices: Prices::Volumes(vec![VolumePrice {
            volume_type: "gp3".into(),
            gib_month: money("0.0912"),
            iops_month: Some(money("0.0057")),
            mibps_month: Some(money("0.0456")),
        }]),
    })
}

fn on(extra_costs: ExtraCosts) -> Cluster {
    Cluster::new(Some(PriceBook::embedded())).with_extra_costs(extra_costs)
}

fn node(name: &str, labels: &[(&'static str, &'static str)]) -> Node {
    let place = [(key::REGION[0], "ap-northeast-2"), ("node.kubernetes.io/instance-type", "c5a.large")];
    Node { labels: place.iter().chain(labels).copied().collect(), ..build::node(name) }
}

fn claim(name: &str, node: &str, group: &str, class: &str) -> NodeClaim {
    NodeClaim { node_class_group: group.into(), node_class: class.into(), ..build::claim(name, node) }
}

fn class(provisioner: Provisioner, name: &str, volumes: Vec<Volume>) -> NodeClass {
    NodeClass { name: name.into(), uid: Uid::new(&format!("{provisioner:?} {name}")), provisioner, volumes }
}

/// `hourly` of what is known, and why not all is.
fn volumes(cluster: &Cluster, node: &str) -> Option<(String, Option<Unknown>)> {
    let quote = cluster.row_of_node(node).and_then(Row::volumes_quote)?;
    Some((quote.known.decimal(5), quote.unknown))
}

fn totals(cluster: &mut Cluster) -> Totals {
    let mut view = View::new(Filter::default(), Sort::default(), GroupBy::default());
    view.refresh(cluster);
    view.totals().clone()
}

/// The steps of the tests of order: nodes of every kind, classes of one name and two provisioners, prices.
#[derive(Clone, Debug)]
enum Step {
    Change(Change),
    Prices,
}

fn steps() -> Vec<Step> {
    let large_disks = [(key::COMPUTE_TYPE, "auto"), (key::AUTO_LOCAL_NVME, "1900")];
    let changes = [
        node("by-claim", &[]).added(),
        claim("general-1", "by-claim", "karpenter.k8s.aws", "web").added(),
        node("by-label", &[(key::EC2_NODE_CLASS, "web")]).added(),
        node("auto", &[(key::COMPUTE_TYPE, "auto")]).added(),
        claim("auto-1", "auto", "eks.amazonaws.com", "web").added(),
        node("auto-disks", &large_disks).added(),
        claim("auto-2", "auto-disks", "eks.amazonaws.com", "web").added(),
        node("group", &[]).added(),
        node("lost", &[(key::EC2_NODE_CLASS, "absent")]).added(),
        node("fargate", &[(key::COMPUTE_TYPE, "fargate")]).added(),
        class(Provisioner::Karpenter, "web", vec![gp3(Some(20), true)]).added(),
        class(Provisioner::AutoMode, "web", vec![gp3(None, true), gp3(Some(80), false)]).added(),
    ];
    changes.into_iter().map(Step::Change).chain([Step::Prices]).collect()
}

fn after(steps: Vec<Step>) -> Cluster {
    let mut cluster = on(BOTH);
    for step in steps {
        match step {
            Step::Change(change) => drop(cluster.apply(change, at(10))),
            Step::Prices => drop(cluster.learn([prices()])),
        }
    }
    cluster
}

proptest! {
    #[test]
    fn volumes_do_not_depend_on_who_came_first(steps in Just(steps()).prop_shuffle()) {
        let mut cluster = after(steps);
        let some = |amount: &str, why| Some((amount.to_owned(), why));
        for (node, expected) in [
            ("by-claim", some("0.00250", None)),
            ("by-label", some("0.00250", None)),
            ("auto", some("0.00999", Some(Unknown::VolumeSize))),
            ("auto-disks", some("0.00250", Some(Unknown::VolumeSize))),
            ("group", some("0.00000", Some(Unknown::NoNodeClass))),
            ("lost", some("0.00000", Some(Unknown::NodeClassNotRead))),
            ("fargate", None),
        ] {
            prop_assert_eq!(volumes(&cluster, node), expected, "{}", node);
        }
        let totals = totals(&mut cluster).volumes;
        prop_assert_eq!((totals.hourly().decimal(5), totals.unpriced), ("0.01749".to_owned(), 4));
        let demand = cluster.demand();
        prop_assert_eq!(demand.volumes.get("ap-northeast-2").unwrap().iter().collect::<Vec<_>>(), ["gp3"]);
    }
}

#[test]
fn volumes_are_no_part_of_the_price_of_machines() {
    let price = |extra_costs| {
        let mut cluster = on(extra_costs);
        for change in [node("a", &[(key::EC2_NODE_CLASS, "web")]).added(), build::node_class("web").added()] {
            cluster.apply(change, at(10));
        }
        cluster.learn([prices()]);
        let totals = totals(&mut cluster);
        (totals.price, totals.volumes.hourly())
    };
    let (with, without) = (price(BOTH), price(ExtraCosts::default()));
    assert_eq!(with.0, without.0);
    assert_eq!((with.1.decimal(5), without.1), ("0.00250".to_owned(), Money::ZERO));
}

#[test]
fn what_is_off_is_neither_computed_nor_asked_for() {
    let mut cluster = on(ExtraCosts::default());
    let server = "https://0.gr7.ap-northeast-2.eks.amazonaws.com".to_owned();
    cluster.apply(Change::About(About { server, ..About::default() }), at(1));
    for step in steps() {
        if let Step::Change(change) = step {
            cluster.apply(change, at(10));
        }
    }
    assert!(cluster.rows().all(|row| row.volumes_quote().is_none()));
    assert_eq!(cluster.control_plane(), None);
    assert!(cluster.demand().volumes.is_empty());
    assert_eq!(totals(&mut cluster).volumes, Totals::default().volumes);
}

#[test]
fn a_class_that_changes_or_goes_is_felt_by_its_machines_alone() {
    let mut cluster = after(steps());
    let mut view = View::default();
    view.refresh(&mut cluster);
    let grown = class(Provisioner::Karpenter, "web", vec![gp3(Some(40), true)]);
    let changed = cluster.apply(grown.clone().added(), at(20));
    assert!(changed.any());
    assert!(!cluster.apply(grown.added(), at(21)).any(), "the same again is no news");
    assert_eq!(volumes(&cluster, "by-claim").unwrap().0, "0.00500");
    assert_eq!(volumes(&cluster, "auto").unwrap().0, "0.00999");
    // Sums by difference equal a rebuild.
    view.refresh(&mut cluster);
    assert_eq!(*view.totals(), totals(&mut cluster));

    let gone = |provisioner, uid: &str| Change::NodeClassGone(provisioner, "web".into(), Uid::new(uid));
    assert!(!cluster.apply(gone(Provisioner::Karpenter, "another"), at(22)).any(), "an older object of that name");
    cluster.apply(gone(Provisioner::AutoMode, "AutoMode web"), at(23));
    assert_eq!(volumes(&cluster, "auto").unwrap().1, Some(Unknown::NodeClassNotRead));
    assert_eq!(volumes(&cluster, "by-claim").unwrap().1, None);
}

#[test]
fn a_list_of_one_flavour_says_nothing_of_the_other() {
    let mut cluster = after(steps());
    for change in [Change::Resync(Stream::NodeClasses), Change::Synced(Stream::NodeClasses)] {
        cluster.apply(change, at(20));
    }
    assert_eq!(volumes(&cluster, "auto").unwrap().1, Some(Unknown::NodeClassNotRead), "the list did not name it");
    assert_eq!(volumes(&cluster, "by-claim").unwrap().1, None);
    cluster.apply(Change::Link(Stream::Ec2NodeClasses, LinkState::Absent), at(21));
    assert_eq!(volumes(&cluster, "by-claim").unwrap().1, Some(Unknown::NodeClassNotRead), "its kind was deleted");
}

#[test]
fn a_machine_older_than_its_class_has_an_estimate() {
    let mut cluster = after(steps());
    assert!(!cluster.row_of_node("by-claim").unwrap().volumes_quote().unwrap().estimated);
    let mut drifted = claim("general-1", "by-claim", "karpenter.k8s.aws", "web");
    drifted.conditions.push(build::condition("Drifted", nodeglass::model::ConditionStatus::True, "NodeClassDrift"));
    cluster.apply(drifted.added(), at(20));
    assert!(cluster.row_of_node("by-claim").unwrap().volumes_quote().unwrap().estimated);
    assert_eq!(totals(&mut cluster).volumes.estimated, 1);
}

#[test]
fn a_claim_is_billed_for_volumes_from_its_launch() {
    let mut cluster = on(BOTH);
    cluster.learn([prices()]);
    cluster.apply(build::node_class("web").added(), at(1));
    let pending = NodeClaim {
        node_class_group: "karpenter.k8s.aws".into(),
        node_class: "web".into(),
        ..build::fresh_claim("general-1")
    };
    let of_claim = |cluster: &Cluster| {
        let quote = cluster.row_of_claim("general-1").and_then(Row::volumes_quote);
        quote.map(|quote| quote.known.decimal(5))
    };
    cluster.apply(pending.clone().added(), at(2));
    assert_eq!(of_claim(&cluster), None);
    let launched = NodeClaim { provider_id: "aws:///ap-northeast-2a/i-1".into(), conditions: Vec::new(), ..pending };
    cluster.apply(launched.added(), at(3));
    assert_eq!(of_claim(&cluster).as_deref(), Some("0.00250"));
}

// === the control plane ===

fn about(server: &str) -> Change {
    Change::About(About { server: server.into(), ..About::default() })
}

#[test_case("https://0.gr7.us-east-1.eks.amazonaws.com", &[] => Some(("us-east-1".into(), "0.10 (0.60 in extended support)".into())) ;
    "by its address")]
#[test_case("https://proxy.example.org", &[(key::COMPUTE_TYPE, "auto")] => Some(("ap-northeast-2".into(), "~0.10 (0.60 in extended support)".into())) ;
    "by its nodes, behind a proxy")]
#[test_case("https://proxy.example.org", &[("eks.amazonaws.com/nodegroup", "web")] => Some(("ap-northeast-2".into(), "~0.10 (0.60 in extended support)".into())) ;
    "by its node groups")]
#[test_case("https://proxy.example.org", &[("alpha.eksctl.io/nodegroup-name", "web")] => None ; "no sign of EKS")]
#[test_case("https://127.0.0.1:6443", &[] => None ; "not EKS")]
fn a_control_plane_is_priced_where_there_is_one(
    server: &str,
    labels: &[(&'static str, &'static str)],
) -> Option<(String, String)> {
    let mut cluster = on(BOTH);
    cluster.apply(about(server), at(1));
    cluster.apply(node("a", labels).added(), at(2));
    let regions: Vec<_> = cluster.demand().eks.iter().map(ToString::to_string).collect();
    let plane = cluster.control_plane()?;
    let estimate = if plane.is_estimated() { "~" } else { "" };
    let extended = plane.if_extended().map(|extended| format!(" ({extended} in extended support)"));
    Some((regions.concat(), format!("{estimate}{}{}", plane.hourly().unwrap(), extended.unwrap_or_default())))
}

#[test]
fn the_report_of_aws_decides_the_price_of_the_control_plane() {
    let mut cluster = on(BOTH);
    cluster.apply(about("https://0.gr7.us-east-1.eks.amazonaws.com"), at(1));
    let support = ClusterSupport {
        version: "1.33".into(),
        tier: Some("tier-2xl".into()),
        support: Some(SupportType::Extended),
        phase: Some(SupportPhase::Extended),
    };
    let news = PriceNews::ClusterSupport { region: "us-east-1".into(), support };
    assert!(cluster.learn([news.clone()]).any());
    assert!(!cluster.learn([news]).any(), "the same again is no news");
    assert_eq!(cluster.control_plane().unwrap().hourly().unwrap().to_string(), "4.00");
}

// === the screen ===

fn stage(extra_costs: ExtraCosts, links: &[(Stream, LinkState)]) -> Stage {
    let mut cluster = on(extra_costs);
    cluster.learn([prices()]);
    let mut stage = Stage::new(cluster, plain());
    stage.apply([about("https://0.gr7.us-east-1.eks.amazonaws.com")]);
    stage.apply(links.iter().map(|(stream, state)| Change::Link(*stream, state.clone())));
    stage.apply([Change::Resync(Stream::Nodes)]);
    let nodes = steps().into_iter().filter_map(|step| match step {
        Step::Change(change) => Some(change),
        Step::Prices => None,
    });
    let read = |change: &Change| links.is_empty() || !matches!(change, Change::NodeClass(_));
    stage.apply(nodes.filter(read));
    stage.apply([Change::Synced(Stream::Nodes)]);
    stage
}

fn line(frame: &str, with: &str) -> String {
    frame.lines().find(|line| line.contains(with)).unwrap_or_else(|| panic!("no {with} in {frame}")).trim().to_owned()
}

#[test]
fn the_header_has_a_place_for_them() {
    for (width, height) in [(160, 50), (120, 24), (95, 16)] {
        let frame = stage(BOTH, &[]).text(width, height);
        let line = line(&frame, "control plane");
        assert!(line.contains("control plane $0.10/h ($0.60 in extended support)"), "{line}");
        assert!(line.contains("volumes ≥ $0.017/h"), "{line}");
        assert_eq!(line.contains("(4 partly unknown)"), width > 95, "{line}");
    }
    let narrow = stage(BOTH, &[]).text(80, 24);
    assert!(narrow.contains("control plane $0.10/h   volumes ≥ $0.017/h"), "amounts come first: {narrow}");
    let frame = stage(ExtraCosts::default(), &[]).text(160, 50);
    assert!(!frame.contains("control plane") && !frame.contains("volumes"), "{frame}");
    let frame = stage(ExtraCosts { control_plane: true, volumes: false }, &[]).text(160, 50);
    assert!(frame.contains("control plane") && !frame.contains("volumes"), "{frame}");
}

#[test]
fn a_denied_class_is_told_by_its_line_alone() {
    let message = "ec2nodeclasses.karpenter.k8s.aws is forbidden";
    let denied = (Stream::Ec2NodeClasses, LinkState::Denied { message: message.into() });
    let mut stage = stage(BOTH, &[denied]);
    let frame = stage.text(160, 50);
    assert!(line(&frame, "volumes").contains("volumes —/h (cannot list node classes: forbidden)"), "{frame}");
    assert!(!frame.contains("denied") && frame.matches("forbidden").count() == 1, "and by no alert: {frame}");
}

#[test]
fn the_detail_view_tells_each_volume() {
    let of = |name: &str| -> String {
        let mut stage = stage(BOTH, &[]);
        let names = ["auto", "auto-disks", "by-claim", "by-label", "fargate", "group", "lost"];
        let place = names.iter().position(|own| *own == name).unwrap();
        stage.press(&vec!["↓"; place]);
        stage.press(&["⏎"]);
        let frame = stage.text(160, 60);
        // The facts are the left of two columns.
        let facts = frame.lines().map(|line| line.chars().take(70).collect::<String>());
        let lines: Vec<String> =
            facts.skip_while(|line| !line.trim_start_matches(['│', ' ']).starts_with("volumes")).take(3).collect();
        assert_eq!(lines.len(), 3, "no volumes of {name} in {frame}");
        lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!("detail_volumes", [of("auto"), of("by-claim"), of("group")].join("\n\n"));
}
