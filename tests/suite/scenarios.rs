//! Scenario files, folded step by step, and their expectations compared with rows and totals.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::stage::{Stage, afternoon, plain};
use nodeglass::cluster::Row;
use nodeglass::insight::Totals;
use nodeglass::source::scenario::{Expect, Fact, PodCount, Scenario, Subject};
use nodeglass::source::sim::Speed;

/// Plays a file and checks each expectation; returns the last state and the number of compared facts.
fn played(name: &str, text: &str) -> (Stage, usize) {
    let scenario = Scenario::parse(name, text).unwrap();
    let mut stage = Stage::empty(plain());
    let mut facts = 0;
    for step in scenario.steps(afternoon(), Speed::default()) {
        stage.now = afternoon().checked_add(step.at).unwrap();
        stage.cluster.tick(stage.now);
        stage.apply(step.changes);
        for expect in &step.expects {
            check(&stage, expect);
            facts += expect.facts.len();
        }
    }
    (stage, facts)
}

fn row<'s>(stage: &'s Stage, subject: &Subject) -> &'s Row {
    let matches = |row: &&Row| match subject {
        Subject::Node(name) => {
            let provider = row.claim().map_or("", |claim| claim.provider_id.as_str());
            row.name() == name || provider.rsplit('/').next() == Some(name.as_str())
        }
        Subject::Claim(name) => row.claim().is_some_and(|claim| claim.name == *name),
        Subject::Totals => panic!("the cluster is no row"),
    };
    let mut found = stage.cluster.rows().filter(|row| row.gone().is_none()).filter(matches);
    let row = found.next().unwrap_or_else(|| panic!("no row of {subject:?}"));
    assert!(found.next().is_none(), "two rows of {subject:?}");
    row
}

/// A percentage, rounded half up to as many decimals as `like` has.
fn percent(part: u64, whole: u64, like: &str) -> String {
    let decimals = like.split_once('.').map_or(0, |(_, decimals)| decimals.trim_end_matches('%').len());
    let scale = 10_u64.pow(decimals as u32);
    let rounded = (part * 200 * scale + whole) / (whole * 2);
    match decimals {
        0 => format!("{rounded}%"),
        _ => format!("{}.{:0decimals$}%", rounded / scale, rounded % scale),
    }
}

fn check(stage: &Stage, expect: &Expect) {
    for fact in &expect.facts {
        let line = format!("line {}: {fact:?} of {:?}", expect.line, expect.subject);
        match &expect.subject {
            Subject::Totals => check_totals(stage, fact, &line),
            Subject::Node(_) | Subject::Claim(_) => check_row(row(stage, &expect.subject), fact, &line),
        }
    }
}

fn check_totals(stage: &Stage, fact: &Fact, line: &str) {
    let totals: &Totals = stage.view.totals();
    let price = &totals.price;
    match fact {
        Fact::Nodes(n) => assert_eq!(totals.nodes, *n, "{line}"),
        Fact::ClaimsWithoutNode(n) => {
            let here = stage.cluster.rows().filter(|row| row.gone().is_none());
            assert_eq!(here.filter(|row| row.claim().is_some() && row.node().is_none()).count() as u64, *n, "{line}");
        }
        Fact::Pods(which, n) => {
            let pods = stage.cluster.pod_counts();
            let seen = match which {
                PodCount::Total => pods.total(),
                PodCount::Unscheduled => pods.unscheduled,
                PodCount::Starting => pods.starting,
                PodCount::Running => pods.running,
                PodCount::Terminating => pods.terminating,
                PodCount::Bound => pods.bound,
            };
            assert_eq!(seen, *n, "{line}");
        }
        Fact::Requests { resource, requested, allocatable, percent: shown } => {
            let seen = (totals.requests.get(resource), totals.allocatable.get(resource));
            assert_eq!(seen, (*requested, *allocatable), "{line}");
            if let Some(shown) = shown {
                assert_eq!(percent(seen.0, seen.1, shown), *shown, "{line}");
            }
        }
        Fact::Instances(money) => assert_eq!(price.instances(), *money, "{line}"),
        Fact::InstancesMonth(money) => assert_eq!(price.instances().monthly().rounded(2), *money, "{line}"),
        Fact::Fees(money) => assert_eq!(price.fees(), *money, "{line}"),
        Fact::Unpriced(n) => assert_eq!(price.unpriced, *n, "{line}"),
        Fact::InstanceType(_) | Fact::Pool(_) | Fact::Zone(_) | Fact::Status(_) => panic!("{line}: not of a cluster"),
    }
}

fn check_row(row: &Row, fact: &Fact, line: &str) {
    let quote = || row.quote().unwrap_or_else(|| panic!("{line}: no price"));
    match fact {
        Fact::Pods(which, n) => {
            let (sums, pods) = (row.sums(), row.sums().pods);
            let seen = match which {
                PodCount::Total | PodCount::Bound => sums.requests.pods,
                PodCount::Unscheduled => pods.unscheduled,
                PodCount::Starting => pods.starting,
                PodCount::Running => pods.running,
                PodCount::Terminating => pods.terminating,
            };
            assert_eq!(seen, *n, "{line}");
        }
        Fact::Requests { resource, requested, allocatable, percent: shown } => {
            // The requests of a NodeClaim before launch stand for its allocatable amounts.
            let asked = || row.claim().map_or(0, |claim| claim.requests.get(resource));
            let whole = row.allocatable().map_or_else(asked, |r| r.get(resource));
            let seen = (row.sums().requests.get(resource), whole);
            assert_eq!(seen, (*requested, *allocatable), "{line}");
            if let Some(shown) = shown {
                assert_eq!(percent(seen.0, seen.1, shown), *shown, "{line}");
            }
        }
        Fact::InstanceType(name) => assert_eq!(row.instance_type(), Some(name.as_str()), "{line}"),
        Fact::Pool(name) => assert_eq!(row.pool(), Some(name.as_str()), "{line}"),
        Fact::Zone(name) => assert_eq!(row.zone(), Some(name.as_str()), "{line}"),
        Fact::Status(name) => assert_eq!(row.state().name(), name.as_str(), "{line}"),
        Fact::Instances(money) => {
            assert_eq!((quote().known().0, quote().unknown()), (*money, None), "{line}");
        }
        Fact::Fees(money) => assert_eq!(quote().known().1, *money, "{line}"),
        Fact::Nodes(_) | Fact::ClaimsWithoutNode(_) | Fact::InstancesMonth(_) | Fact::Unpriced(_) => {
            panic!("{line}: not of a row");
        }
    }
}

#[test]
fn the_scale_out_has_its_known_figures() {
    let (stage, facts) = played("scale-out", include_str!("../../assets/scenarios/scale-out.txt"));
    assert!(facts >= 70, "{facts} facts");
    let totals = stage.view.totals();
    let price = &totals.price;
    assert_eq!(
        (price.instances().decimal(5), price.instances().monthly().decimal(2)),
        ("0.43000".into(), "313.90".into())
    );
    assert_eq!((price.hourly().decimal(5), price.hourly().monthly().decimal(2)), ("0.48160".into(), "351.57".into()));
    let fees: Vec<String> = ["i-0088a4e1b9e73a3c1", "i-0fce4e6539834df06"]
        .map(|name| row(&stage, &Subject::Node(name.into())).quote().unwrap().known().1.decimal(5))
        .into();
    assert_eq!(fees, ["0.01032", "0.04128"]);
    let pods = stage.cluster.pod_counts();
    assert_eq!((pods.total(), pods.unscheduled, pods.running, pods.bound), (101, 92, 9, 9));
    assert_eq!(totals.requested_permille(&nodeglass::model::Resource::Cpu), Some(813));
}

#[test]
fn a_wrong_expectation_fails() {
    let wrong = include_str!("../../assets/scenarios/scale-out.txt").replace("fees 0.05160", "fees 0.05161");
    let found = std::panic::catch_unwind(|| played("wrong", &wrong));
    assert!(found.is_err());
}
