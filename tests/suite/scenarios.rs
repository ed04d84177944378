//! The scale-out scenario, folded step by step: the rows and totals that it must show.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::stage::{Stage, afternoon, plain};
use nodeglass::cluster::Row;
use nodeglass::model::{Resource, Resources};
use nodeglass::source::scenario::{SCALE_OUT, Scenario};
use nodeglass::source::sim::Speed;

/// What holds at the end of a second: of the cluster, of the row of a node or of the row of a claim.
const EXPECTED: &str = "
1s   nodes 0 claims 0 pods 1 unscheduled 1 starting 0 running 0 bound 0 cpu 0m/0m
3s   nodes 0 claims 1 pods 1 unscheduled 1
3s   claim general-purpose-8wmvz status Pending cpu 0m/1480m cpu-percent 0.0
5s   nodes 0 claims 1 pods 1 unscheduled 1 running 0 bound 0 cpu 0m/1480m cpu-percent 0.0 instances 0.08600 instances-month 62.78 fees 0.01032 unpriced 0
5s   node i-0088a4e1b9e73a3c1 status Launching instance-type c5a.large zone ap-northeast-2b pods 0 cpu 0m/1480m cpu-percent 0.0 instances 0.08600
21s  node i-0088a4e1b9e73a3c1 status Joining cpu 0m/1930m
28s  nodes 1 claims 0 pods 2 unscheduled 0 running 2 bound 2 cpu 1000m/1930m cpu-percent 51.8
28s  node i-0088a4e1b9e73a3c1 status Ready instance-type c5a.large nodepool general-purpose pods 2 cpu 1000m/1930m cpu-percent 51.8 instances 0.08600 fees 0.01032
61s  nodes 1 pods 101 unscheduled 99 starting 0 running 2 bound 2
65s  claim general-purpose-4qtzc status LaunchFailed
66s  nodes 1 claims 0 pods 101 unscheduled 99
80s  nodes 1 claims 0 pods 101 unscheduled 99 running 2 bound 2 cpu 1000m/1930m cpu-percent 51.8
109s nodes 2 claims 0 pods 101 unscheduled 92 starting 0 running 9 terminating 0 bound 9 cpu 8000m/9840m cpu-percent 81.3 instances 0.43000 instances-month 313.90 fees 0.05160 unpriced 0
109s node i-0088a4e1b9e73a3c1 status Ready pods 2 cpu 1000m/1930m cpu-percent 51.8
109s node i-0fce4e6539834df06 status Ready instance-type c5a.2xlarge pods 7 cpu 7000m/7910m cpu-percent 88.5 instances 0.34400 fees 0.04128
";

/// Plays the scenario and compares it with `expected`; returns the last state and the number of compared facts.
fn play(expected: &str) -> (Stage, usize) {
    let scenario = Scenario::parse("scale-out.toml", SCALE_OUT).unwrap();
    let mut stage = Stage::empty(plain());
    let mut facts = 0;
    let mut steps = scenario.steps(afternoon(), Speed::default()).into_iter().peekable();
    for line in expected.lines().filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let second: i64 = words.next().unwrap().trim_end_matches('s').parse().unwrap();
        while let Some(step) = steps.next_if(|step| step.at.as_secs() <= second) {
            stage.now = afternoon().checked_add(step.at).unwrap();
            let now = stage.now;
            stage.cluster.tick(now);
            stage.apply(step.changes);
        }
        let words: Vec<&str> = words.collect();
        let (subject, pairs) = match words[..] {
            ["node" | "claim", name, ..] => (Some(row(&stage, words[0], name)), &words[2..]),
            _ => (None, &words[..]),
        };
        for pair in pairs.chunks_exact(2) {
            let actual = match subject {
                Some(row) => row_fact(row, pair[0]),
                None => total_fact(&stage, pair[0]),
            };
            assert_eq!(actual, pair[1], "{}: {line}", pair[0]);
            facts += 1;
        }
    }
    (stage, facts)
}

/// The row of a claim, or of an instance whether its node has joined or not.
fn row<'s>(stage: &'s Stage, kind: &str, name: &str) -> &'s Row {
    let matches = |row: &&Row| match (kind, row.claim()) {
        ("claim", claim) => claim.is_some_and(|claim| claim.name == name),
        (_, claim) => row.name() == name || claim.is_some_and(|claim| claim.provider_id.ends_with(name)),
    };
    let mut found = stage.cluster.rows().filter(|row| row.gone().is_none()).filter(matches);
    let row = found.next().unwrap_or_else(|| panic!("no row of {kind} {name}"));
    assert!(found.next().is_none(), "two rows of {kind} {name}");
    row
}

/// `requests/allocatable` of cpu, or the percentage with one decimal, rounded half up.
fn cpu(key: &str, requests: &Resources, allocatable: &Resources) -> String {
    let (part, whole) = (requests.get(&Resource::Cpu), allocatable.get(&Resource::Cpu));
    match key {
        "cpu" => format!("{part}m/{whole}m"),
        _ => {
            let permille = (part * 2000 + whole) / (whole * 2);
            format!("{}.{}", permille / 10, permille % 10)
        }
    }
}

fn total_fact(stage: &Stage, key: &str) -> String {
    let totals = stage.view.totals();
    let (price, pods) = (&totals.price, stage.cluster.pod_counts());
    match key {
        "nodes" => totals.nodes.to_string(),
        "claims" => {
            let rows = stage.cluster.rows().filter(|row| row.gone().is_none());
            rows.filter(|row| row.claim().is_some() && row.node().is_none()).count().to_string()
        }
        "pods" => pods.total().to_string(),
        "unscheduled" => pods.unscheduled.to_string(),
        "starting" => pods.starting.to_string(),
        "running" => pods.running.to_string(),
        "terminating" => pods.terminating.to_string(),
        "bound" => pods.bound.to_string(),
        "cpu" | "cpu-percent" => cpu(key, &totals.requests, &totals.allocatable),
        "instances" => price.instances().decimal(5),
        "instances-month" => price.instances().monthly().decimal(2),
        "fees" => price.fees().decimal(5),
        "unpriced" => price.unpriced.to_string(),
        _ => panic!("unknown fact {key}"),
    }
}

fn row_fact(row: &Row, key: &str) -> String {
    match key {
        "pods" => row.sums().requests.pods.to_string(),
        "cpu" | "cpu-percent" => {
            // The requests of a NodeClaim before launch stand for its allocatable amounts.
            let allocatable = row.allocatable().or_else(|| row.claim().map(|claim| &claim.requests));
            cpu(key, &row.sums().requests, allocatable.unwrap_or(&Resources::default()))
        }
        "instance-type" => row.instance_type().unwrap().to_owned(),
        "nodepool" => row.pool().unwrap().to_owned(),
        "zone" => row.zone().unwrap().to_owned(),
        "status" => row.state().name().to_owned(),
        "instances" => {
            let quote = row.quote().unwrap();
            assert_eq!(quote.unknown(), None);
            quote.known().0.decimal(5)
        }
        "fees" => row.quote().unwrap().known().1.decimal(5),
        _ => panic!("unknown fact {key}"),
    }
}

#[test]
fn the_scale_out_has_its_known_figures() {
    let (stage, facts) = play(EXPECTED);
    assert!(facts >= 70, "{facts} facts");
    let totals = stage.view.totals();
    let hourly = totals.price.hourly();
    assert_eq!((hourly.decimal(5), hourly.monthly().decimal(2)), ("0.48160".into(), "351.57".into()));
    assert_eq!(totals.requested_permille(&Resource::Cpu), Some(813));
}

#[test]
fn a_wrong_expectation_fails() {
    let wrong = EXPECTED.replace("fees 0.05160", "fees 0.05161");
    assert!(std::panic::catch_unwind(|| play(&wrong)).is_err());
}
