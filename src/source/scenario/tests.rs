use super::*;
use crate::model::{ClaimRequirement, EventKind, PodClass, Resource, Scheduling, key};
use crate::source::sim::fold::PlainFold;
use test_case::test_case;

fn start_time() -> Timestamp {
    "2026-09-24T17:45:21Z".parse().unwrap()
}

fn scale_out() -> Scenario {
    Scenario::parse("scale-out.txt", SCALE_OUT).unwrap()
}

const HEAD: &str = "cluster ap-northeast-2 auto 1.36\npool general-purpose on-demand\ndeployment web cpu 1\n";
const NODE: &str =
    "claim gp-1 pool general-purpose asks cpu 1\nlaunched gp-1 i-01 c5a.large zone ap-northeast-2a\njoined gp-1\n";

fn error_of(text: &str) -> String {
    Scenario::parse("x.txt", text).unwrap_err().to_string()
}

#[test_case("pool a" => "read scenario x.txt, line 1: the first line must be the cluster, such as: cluster ap-northeast-2 auto 1.36")]
#[test_case("cluster x autos 1" => "read scenario x.txt, line 1: unknown provisioner \"autos\"; did you mean \"auto\"?")]
fn the_first_line_is_the_cluster(text: &str) -> String {
    error_of(text)
}

#[test_case("+1s clam gp" => "unknown word \"clam\"; did you mean \"claim\"?"; "nearest verb")]
#[test_case("+1s xyzzyxyzzy" => "unknown word \"xyzzyxyzzy\""; "nothing near")]
#[test_case("pool b spott" => "unknown word \"spott\"; did you mean \"spot\"?")]
#[test_case("pool b limit cpu x" => "amount \"x\" is invalid: expected a value such as 500m, 2 or 1.5Gi")]
#[test_case("pool b consolidate-after soon" => "consolidate-after \"soon\" is invalid: expected a value such as 30s, 336h or Never")]
#[test_case("+5x scale web 1" => "time \"+5x\" is invalid: expected a value such as +1m30s")]
#[test_case("scale web" => "the number of pods is missing at the end of the line")]
#[test_case("scale web many" => "the number of pods \"many\" is invalid: expected a value such as 12")]
#[test_case("scale wep 1" => "unknown workload \"wep\"; did you mean \"web\"?")]
#[test_case("scale web 1 now" => "unknown word \"now\"")]
#[test_case("bound web#1 i-01" => "unknown claim or node \"i-01\"")]
#[test_case("unschedulable web#0 no" => "pods \"web#0\" is invalid: expected a value such as inflate, inflate#3 or inflate#3..9")]
#[test_case("running web#3" => "the workload does not have that many pods yet: write scale before")]
#[test_case("claim gp-1 pool generl-purpose asks cpu 1" => "unknown nodepool \"generl-purpose\"; did you mean \"general-purpose\"?")]
#[test_case("claim gp-1 pool general-purpose ask cpu 1" => "unknown word \"ask\"; did you mean \"asks\"?")]
#[test_case("event Node/i-01 Odd \"half" => "unclosed quotation mark")]
#[test_case("event i-01 Odd text" => "object \"i-01\" is invalid: expected a value such as Node/i-0a or Pod/web/api-1")]
#[test_case("stream nods live" => "unknown stream \"nods\"; did you mean \"nodes\"?")]
#[test_case("expect nodes" => "a number is missing at the end of the line")]
#[test_case("expect" => "an expected fact is missing at the end of the line")]
#[test_case("expect stats Ready" => "unknown word \"stats\"; did you mean \"status\"?")]
#[test_case("expect cpu 5" => "requests \"5\" is invalid: expected a value such as 1000m/1930m")]
#[test_case("cluster b auto 1.36" => "a scenario has one cluster")]
fn an_invalid_line_is_an_error(line: &str) -> String {
    let error = error_of(&format!("{HEAD}{line}\n"));
    error.strip_prefix("read scenario x.txt, line 4: ").unwrap().to_owned()
}

#[test_case("launched gp-2 i-02 c5a.large zone a" => "unknown claim or node \"gp-2\"; did you mean \"gp-1\"?")]
#[test_case("launched gp-1 i-02 c5a.larg zone a" => "unknown instance type \"c5a.larg\"; did you mean \"c5a.large\"?")]
#[test_case("finalized gp-1" => "the claim has not been deleted: write failed or draining before")]
#[test_case("scale web 2\nbound web i-01" => "the pods do not fit on the node: their requests exceed its free capacity")]
#[test_case("taint i-01 a=b:NoShedule" => "unknown effect \"NoShedule\"; did you mean \"NoSchedule\"?")]
#[test_case("condition i-01 Ready Tru x" => "unknown status \"Tru\"; did you mean \"True\"?")]
#[test_case("label i-01 team" => "label \"team\" is invalid: expected a value such as team=web")]
fn an_invalid_line_on_an_instance_is_an_error(lines: &str) -> String {
    let error = error_of(&format!("{HEAD}{NODE}{lines}\n"));
    error.split_once(": ").unwrap().1.to_owned()
}

#[test]
fn control_characters_are_removed() {
    let text = format!("{HEAD}+1s scale web 1\n+2s unschedulable web \"no \u{1b}[31mroom\"\n");
    let mut fold = PlainFold::default();
    for step in Scenario::parse("x.txt", &text).unwrap().steps(start_time(), Speed::default()) {
        fold.apply(&step.changes);
    }
    assert_eq!(fold.events[0].message, "no [31mroom");
}

#[test]
fn lines_must_be_in_order_of_time() {
    let text = format!("{HEAD}+5s scale web 1\n+4s scale web 2\n");
    assert_eq!(
        error_of(&text),
        "read scenario x.txt, line 5: the time is before the line above; put the lines in order"
    );
}

#[test]
fn every_change_of_a_node_has_a_verb() {
    let text = format!(
        "{HEAD}{NODE}registered gp-1\nready gp-1\ninitialized gp-1\nlabel i-01 team=web\ntaint i-01 dedicated=web:NoExecute\n\
         condition i-01 Ready Unknown NodeStatusUnknown \"Kubelet stopped posting node status.\"\ncordoned i-01\n\
         usage i-01 cpu 250m memory 1Gi\nwarning Node/i-01 Rebooted \"Node i-01 has been rebooted\" from kubelet\n\
         stream pods retrying \"the connection was cut\"\nstream pods live\n\
         +1m30s untaint i-01 dedicated:NoExecute\nuncordoned i-01\ndisrupted i-01 Drifted\ndraining i-01\n"
    );
    let steps = Scenario::parse("x.txt", &text).unwrap().steps(start_time(), Speed::default());
    let mut fold = PlainFold::default();
    fold.apply(&steps[0].changes);
    let node = &fold.nodes["i-01"];
    assert_eq!(node.labels.get("team"), Some("web"));
    assert_eq!(node.condition("Ready").unwrap().message, "Kubelet stopped posting node status.");
    assert!(node.unschedulable && node.taints.iter().any(|t| t.key == "dedicated"));
    assert_eq!(fold.usage[0].1.cpu_millicores, 250);
    let event = fold.events_with_reason("Rebooted").next().unwrap();
    assert_eq!((event.component.as_str(), event.kind), ("kubelet", EventKind::Warning));
    assert_eq!(steps[1].at, SignedDuration::from_secs(90));
    fold.apply(&steps[1].changes);
    let (node, claim) = (&fold.nodes["i-01"], &fold.claims["gp-1"]);
    assert!(node.deleted.is_some() && !node.unschedulable && claim.is("DisruptionReason"));
    assert_eq!(claim.condition("DisruptionReason").unwrap().reason, "Drifted");
    assert!(claim.requirements.iter().all(|r| r.values.len() <= ClaimRequirement::VALUES_KEPT));
}

#[test]
fn the_scale_out_meets_its_expectations() {
    let mut fold = PlainFold::default();
    let mut checked = 0;
    for step in scale_out().steps(start_time(), Speed::default()) {
        fold.apply(&step.changes);
        fold.check_capacity();
        for expect in &step.expects {
            checked += check(&fold, expect);
        }
    }
    assert!(checked >= 60, "{checked}");
}

/// Compares all facts except prices and row states; returns the number of compared facts.
fn check(fold: &PlainFold, expect: &Expect) -> usize {
    let claim = |name: &str| {
        let mut claims = fold.claims.values();
        claims.find(|c| c.name == name || c.provider_id.ends_with(&format!("/{name}"))).unwrap()
    };
    let joined = |claim: &crate::model::NodeClaim| {
        fold.nodes.values().find(|n| n.provider_id == claim.provider_id && !n.provider_id.is_empty())
    };
    // A row has the node's allocatable, else the claim's, else the claim's requests.
    let row = |claim: &crate::model::NodeClaim| match joined(claim) {
        Some(node) => (fold.requested(&node.name), node.allocatable.clone()),
        None if claim.provider_id.is_empty() => (crate::model::Resources::default(), claim.requests.clone()),
        None => (crate::model::Resources::default(), claim.allocatable.clone()),
    };
    let mut checked = 0;
    for fact in &expect.facts {
        let line = expect.line;
        let rows: Vec<_> = match &expect.subject {
            Subject::Totals => fold.claims.values().filter(|c| !c.provider_id.is_empty()).map(row).collect(),
            Subject::Node(name) | Subject::Claim(name) => vec![row(claim(name))],
        };
        let one = || match &expect.subject {
            Subject::Totals => panic!("line {line}: not of the whole"),
            Subject::Node(name) | Subject::Claim(name) => claim(name),
        };
        checked += 1;
        match fact {
            Fact::Nodes(n) => assert_eq!(fold.nodes.len() as u64, *n, "line {line}"),
            Fact::ClaimsWithoutNode(n) => {
                assert_eq!(fold.claims.values().filter(|c| joined(c).is_none()).count() as u64, *n, "line {line}");
            }
            Fact::Pods(count, n) => {
                let bound = || fold.pods.values().filter(|p| !p.node.is_empty());
                let seen = match (&expect.subject, count) {
                    (Subject::Totals, PodCount::Total) => fold.pods.len(),
                    (_, PodCount::Total | PodCount::Bound) if expect.subject != Subject::Totals => {
                        rows[0].0.pods as usize
                    }
                    (_, PodCount::Unscheduled) => fold.unscheduled(),
                    (_, PodCount::Running) => fold.running(),
                    (_, PodCount::Terminating) => fold.pods.values().filter(|p| p.deleted.is_some()).count(),
                    (_, PodCount::Starting) => bound().filter(|p| !p.waiting.is_empty()).count(),
                    (_, PodCount::Total | PodCount::Bound) => bound().count(),
                };
                assert_eq!(seen as u64, *n, "line {line}: {count:?}");
            }
            Fact::Requests { resource, requested, allocatable, percent } => {
                let sum = |of: fn(&(crate::model::Resources, crate::model::Resources)) -> &crate::model::Resources| {
                    rows.iter().map(|r| of(r).get(resource)).sum::<u64>()
                };
                let seen = (sum(|r| &r.0), sum(|r| &r.1));
                assert_eq!(seen, (*requested, *allocatable), "line {line}: {resource}");
                if let Some(percent) = percent {
                    let decimals = percent.split_once('.').map_or(0, |(_, d)| d.len() as u32 - 1);
                    let scale = 100 * 10_u64.pow(decimals);
                    let rounded = (seen.0 * scale * 2 + seen.1) / (seen.1 * 2);
                    let whole = rounded / 10_u64.pow(decimals);
                    let text = if decimals == 0 { format!("{whole}%") } else { format!("{whole}.{}%", rounded % 10) };
                    assert_eq!(text, percent.as_str(), "line {line}");
                }
            }
            Fact::InstanceType(t) => assert_eq!(one().labels.first(key::INSTANCE_TYPE), Some(t.as_str())),
            Fact::Pool(t) => assert_eq!(one().labels.get(key::NODEPOOL), Some(t.as_str())),
            Fact::Zone(t) => assert_eq!(one().labels.first(key::ZONE), Some(t.as_str())),
            Fact::Status(_) | Fact::Instances(_) | Fact::InstancesMonth(_) | Fact::Fees(_) | Fact::Unpriced(_) => {
                checked -= 1;
            }
        }
    }
    checked
}

#[test]
fn the_scale_out_has_the_events_of_the_controllers() {
    let mut fold = PlainFold::default();
    for step in scale_out().steps(start_time(), Speed::default()) {
        fold.apply(&step.changes);
    }
    assert_eq!(fold.context, "scale-out");
    for name in ["general-purpose-8wmvz", "general-purpose-q7kd2"] {
        for reason in ["Launched", "Registered", "Initialized", "Ready"] {
            let event = fold.events_with_reason(reason).find(|e| e.object.kind == "NodeClaim" && e.object.name == name);
            let message = &event.unwrap().message;
            let wanted =
                format!("Status condition transitioned, Type: {reason}, Status: Unknown -> True, Reason: {reason}");
            assert_eq!(*message, wanted);
        }
    }
    assert!(
        fold.events_with_reason("Ready").any(|e| e.object.kind == "Node" && e.object.name == "i-0fce4e6539834df06")
    );
    let one_node = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption \
                    victims found for incoming pod.";
    assert_eq!(fold.events_with_reason("FailedScheduling").filter(|e| e.message == one_node).count(), 99);
    let nominated = "Pod should schedule on: nodeclaim/general-purpose-4qtzc";
    assert!(
        fold.events_with_reason("Nominated").any(|e| e.message == nominated && e.component == "eks-auto-mode/compute")
    );
    for name in ["general-purpose-4qtzc", "general-purpose-5hbc9", "general-purpose-n52gk"] {
        let about = |reason| fold.events_with_reason(reason).find(move |e| e.object.name == name).unwrap().clone();
        let error = about("InsufficientCapacityError");
        assert_eq!(error.kind, EventKind::Warning);
        assert!(error.message.contains("VcpuLimitExceeded") && error.message.contains("limit of 32"));
        assert!(
            about("TerminationGracePeriodExpiring").message.starts_with("All pods will be deleted by 2026-09-25T17:4")
        );
        assert_eq!(about("Finalized").message, "Finalized karpenter.sh/termination");
        assert!(fold.ended.0.contains(name));
    }
}

#[test]
fn nodes_of_a_scenario_are_complete() {
    let mut fold = PlainFold::default();
    for step in scale_out().steps(start_time(), Speed::default()) {
        fold.apply(&step.changes);
    }
    let (node, claim) = (&fold.nodes["i-0fce4e6539834df06"], &fold.claims["general-purpose-q7kd2"]);
    for (key, value) in [
        ("eks.amazonaws.com/compute-type", "auto"),
        ("eks.amazonaws.com/instance-family", "c5a"),
        ("eks.amazonaws.com/nodeclass", "default"),
        ("failure-domain.beta.kubernetes.io/zone", "ap-northeast-2a"),
        ("karpenter.sh/capacity-type", "on-demand"),
        ("karpenter.sh/initialized", "true"),
        ("karpenter.sh/nodepool", "general-purpose"),
        ("kubernetes.io/hostname", "i-0fce4e6539834df06"),
        ("topology.k8s.aws/zone-id", "apne2-az1"),
        ("topology.kubernetes.io/region", "ap-northeast-2"),
    ] {
        assert_eq!(node.labels.get(key), Some(value), "{key}");
    }
    assert_eq!(node.labels.get("eks-node-viewer/instance-price"), None);
    assert_eq!(node.provider_id, "aws:///ap-northeast-2a/i-0fce4e6539834df06");
    assert_eq!((claim.node_name.as_str(), claim.provider_id.as_str()), (node.name.as_str(), node.provider_id.as_str()));
    assert_eq!(node.owner_claim, Some(claim.uid));
    assert_eq!(claim.node_class_group, "eks.amazonaws.com");
    assert_eq!((claim.expire_after_seconds, claim.termination_grace_seconds), (Some(1_209_600), Some(86_400)));
    assert!(["Launched", "Registered", "Initialized", "Ready"].iter().all(|c| claim.is(c)));
    assert_eq!(node.condition("Ready").unwrap().reason, "KubeletReady");
    assert!(node.taints.is_empty(), "{:?}", node.taints);
    let waiting: Vec<_> = fold.pods.values().filter(|p| p.node.is_empty()).collect();
    assert!(
        waiting.iter().all(|p| matches!(&p.scheduling, Scheduling::Unschedulable(why) if why.contains("0/2 nodes")))
    );
    assert_eq!(fold.pods.values().filter(|p| p.class == PodClass::DaemonSet).count(), 1);
    assert_eq!(claim.allocatable.get(&Resource::Cpu), 7910);
}

#[test]
fn a_scenario_is_deterministic_and_shorter_at_higher_speed() {
    let scenario = scale_out();
    assert_eq!(scenario.steps(start_time(), Speed::default()), scenario.steps(start_time(), Speed::default()));
    let fast = scenario.steps(start_time(), Speed::times(10.0));
    assert_eq!(fast.last().unwrap().at, SignedDuration::from_millis(10_900));
}

#[tokio::test(start_paused = true)]
async fn a_scenario_is_played_in_real_time() {
    let (sender, mut receiver) = mpsc::channel(4);
    let cancel = CancellationToken::new();
    let begun = tokio::time::Instant::now();
    let mut tasks = super::start(&scale_out(), start_time(), Speed::default(), sender, cancel.clone());
    let mut fold = PlainFold::default();
    while fold.nodes.len() < 2 {
        fold.apply(&receiver.recv().await.unwrap());
    }
    assert_eq!(begun.elapsed().as_secs(), 102);
    // At its end the state stays and the channel is open.
    let rest = tokio::time::timeout(std::time::Duration::from_mins(1), async {
        while let Some(batch) = receiver.recv().await {
            fold.apply(&batch);
        }
    });
    assert!(rest.await.is_err());
    assert_eq!(fold.running(), 9);
    cancel.cancel();
    tasks.join_next().await.unwrap().unwrap();
}
