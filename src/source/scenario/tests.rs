use super::*;
use crate::model::{ClaimRequirement, EventKind, PodClass, Resource, Scheduling};
use crate::source::sim::fold::PlainFold;
use test_case::test_case;

fn start_time() -> Timestamp {
    "2026-09-24T17:45:21Z".parse().unwrap()
}

fn scale_out() -> Scenario {
    Scenario::parse("scale-out.toml", SCALE_OUT).unwrap()
}

const HEAD: &str = r#"cluster = { region = "ap-northeast-2", provisioner = "auto-mode", version = "1.36" }
nodepools = [{ name = "general-purpose" }]
workloads = [{ kind = "Deployment", name = "web", requests = { cpu = "1" } }]
"#;
const NODE: &str = r#"
[[steps]]
at = "0s"
actions = [
    { claim = { name = "gp-1", nodepool = "general-purpose", requests = { cpu = "1" } } },
    { launch = { claim = "gp-1", instance = "i-01", instance-type = "c5a.large", zone = "ap-northeast-2a" } },
    { join = { claim = "gp-1" } },
]
"#;

/// A step with these actions, one a line.
fn step(at: &str, actions: &str) -> String {
    let actions: Vec<String> = actions.lines().map(|action| format!("    {{ {action} }},\n")).collect();
    format!("[[steps]]\nat = \"{at}\"\nactions = [\n{}]\n", actions.concat())
}

fn error_of(text: &str) -> String {
    Scenario::parse("x.toml", text).unwrap_err().to_string()
}

#[test_case("" => "line 1: missing field `cluster`")]
#[test_case("cluster = { region = \"x\", provisioner = \"auto\", version = \"1\" }" => "line 1: unknown variant `auto`, expected `auto-mode` or `karpenter`")]
#[test_case("cluster = { regio = \"x\" }" => "line 1: unknown field `regio`; did you mean `region`?")]
#[test_case("cluster = {\n" => "line 1: unclosed inline table, expected `}`")]
fn a_scenario_has_a_cluster(text: &str) -> String {
    error_of(text).strip_prefix("read scenario x.toml, ").unwrap().to_owned()
}

#[test_case("clam = { }" => "unknown variant `clam`; did you mean `claim`?"; "nearest action")]
#[test_case("scale = { workload = \"web\" }" => "missing field `pods`")]
#[test_case("scale = { workload = \"web\", pods = \"many\" }" => "invalid type: string \"many\", expected usize")]
#[test_case("scale = { workload = \"wep\", pods = 1 }" => "unknown workload \"wep\"; did you mean \"web\"?")]
#[test_case("scale = { workload = \"web\", pods = 1, podd = 1 }" => "unexpected keys in table: podd, available keys: workload, pods")]
#[test_case("bind = { pods = \"web\", node = \"i-01\" }" => "unknown claim or node \"i-01\"")]
#[test_case("run = { pods = \"web#0\" }" => "invalid range of pods \"web#0\": expected a value such as inflate, inflate#3 or inflate#3..9")]
#[test_case("run = { pods = \"web#9..3\" }" => "invalid range of pods \"web#9..3\": expected a value such as inflate, inflate#3 or inflate#3..9")]
#[test_case("run = { pods = \"web#3\" }" => "the workload does not have that many pods yet: write scale before")]
#[test_case("claim = { name = \"a\", nodepool = \"generl-purpose\", requests = { } }" => "unknown nodepool \"generl-purpose\"; did you mean \"general-purpose\"?")]
#[test_case("claim = { name = \"a\", nodepool = \"general-purpose\", requests = { cpus = \"1\" } }" => "unknown resource \"cpus\"; did you mean \"cpu\"?")]
#[test_case("claim = { name = \"a\", nodepool = \"general-purpose\", requests = { cpu = \"x\" } }" => "invalid amount \"x\": expected a value such as 500m, 2 or 1.5Gi")]
#[test_case("event = { object = \"i-01\", reason = \"a\", message = \"b\" }" => "invalid object \"i-01\": expected a value such as Node/i-0a or Pod/web/api-1")]
#[test_case("stream = { name = \"nods\", state = \"live\" }" => "unknown variant `nods`; did you mean `nodes`?")]
fn an_invalid_action_is_an_error(action: &str) -> String {
    let error = error_of(&format!("{HEAD}{}", step("1s", action)));
    error.strip_prefix("read scenario x.toml, line 7: ").unwrap().to_owned()
}

#[test_case("launch = { claim = \"gp-2\", instance = \"i-02\", instance-type = \"c5a.large\", zone = \"a\" }" => "unknown claim or node \"gp-2\"; did you mean \"gp-1\"?")]
#[test_case("launch = { claim = \"gp-1\", instance = \"i-02\", instance-type = \"c5a.larg\", zone = \"a\" }" => "unknown instance type \"c5a.larg\"; did you mean \"c5a.large\"?")]
#[test_case("finalize = { node = \"gp-1\" }" => "the claim has not been deleted: write fail-launch or drain before")]
#[test_case("scale = { workload = \"web\", pods = 2 }\nbind = { pods = \"web\", node = \"i-01\" }" => "the pods do not fit on the node: their requests exceed its free capacity")]
#[test_case("taint = { node = \"i-01\", taint = \"a=b:NoShedule\" }" => "unknown effect \"NoShedule\"; did you mean \"NoSchedule\"?")]
#[test_case("condition = { node = \"i-01\", type = \"Ready\", status = \"Tru\", reason = \"x\" }" => "unknown variant `Tru`; did you mean `True`?")]
#[test_case("label = { node = \"i-01\", key = \"team\" }" => "missing field `value`")]
fn an_invalid_action_on_an_instance_is_an_error(actions: &str) -> String {
    let error = error_of(&format!("{HEAD}{NODE}{}", step("1s", actions)));
    error.split_once(": ").unwrap().1.to_owned()
}

#[test_case("consolidate-after = \"soon\"" => "invalid duration \"soon\": expected a value such as 30s, 336h or Never")]
#[test_case("cpu-limit = \"x\"" => "invalid amount \"x\": expected a value such as 500m, 2 or 1.5Gi")]
#[test_case("capacity-type = \"spott\"" => "unknown variant `spott`; did you mean `spot`?")]
#[test_case("taints = [\"team\"]" => "invalid taint \"team\": expected a value such as key=value:NoSchedule")]
fn an_invalid_nodepool_is_an_error(key: &str) -> String {
    let error = error_of(&HEAD.replace("\"general-purpose\" }", &format!("\"general-purpose\", {key} }}")));
    error.strip_prefix("read scenario x.toml, line 2: ").unwrap().to_owned()
}

#[test]
fn control_characters_are_removed() {
    let actions = "scale = { workload = \"web\", pods = 1 }\n\
                   unschedulable = { pods = \"web\", message = \"no \\u001b[31mroom\" }";
    let mut fold = PlainFold::default();
    let scenario = Scenario::parse("x.toml", &format!("{HEAD}{}", step("1s", actions))).unwrap();
    for step in scenario.steps(start_time(), Speed::default()) {
        fold.apply(&step.changes);
    }
    assert_eq!(fold.events[0].message, "no [31mroom");
}

#[test]
fn steps_must_be_in_order_of_time() {
    let scale = "scale = { workload = \"web\", pods = 1 }";
    let text = format!("{HEAD}{}{}", step("5s", scale), step("4s", scale));
    assert_eq!(
        error_of(&text),
        "read scenario x.toml, line 10: the time is before the step above; put the steps in order"
    );
    let text = format!("{HEAD}{}", step("soon", scale));
    assert!(error_of(&text).starts_with("read scenario x.toml, line 5: "), "{}", error_of(&text));
}

#[test]
fn every_change_of_a_node_has_an_action() {
    let first = r#"register = { node = "gp-1" }
ready = { node = "gp-1" }
initialize = { node = "gp-1" }
label = { node = "i-01", key = "team", value = "web" }
taint = { node = "i-01", taint = "dedicated=web:NoExecute" }
condition = { node = "i-01", type = "Ready", status = "Unknown", reason = "NodeStatusUnknown", message = "Kubelet stopped posting node status." }
cordon = { node = "i-01" }
usage = { node = "i-01", cpu = "250m", memory = "1Gi" }
event = { type = "Warning", object = "Node/i-01", reason = "Rebooted", message = "Node i-01 has been rebooted", component = "kubelet" }
stream = { name = "pods", state = "retrying", message = "the connection was cut" }
stream = { name = "pods", state = "live" }"#;
    let second = r#"untaint = { node = "i-01", taint = "dedicated:NoExecute" }
uncordon = { node = "i-01" }
disrupt = { node = "i-01", reason = "Drifted" }
drain = { node = "i-01" }"#;
    let text = format!("{HEAD}{NODE}{}{}", step("0s", first), step("1m30s", second));
    let steps = Scenario::parse("x.toml", &text).unwrap().steps(start_time(), Speed::default());
    let mut fold = PlainFold::default();
    for step in &steps[..3] {
        fold.apply(&step.changes);
    }
    let node = &fold.nodes["i-01"];
    assert_eq!(node.labels.get("team"), Some("web"));
    assert_eq!(node.condition("Ready").unwrap().message, "Kubelet stopped posting node status.");
    assert!(node.unschedulable && node.taints.iter().any(|t| t.key == "dedicated"));
    assert_eq!(fold.usage[0].1.cpu_millicores, 250);
    let event = fold.events_with_reason("Rebooted").next().unwrap();
    assert_eq!((event.component.as_str(), event.kind), ("kubelet", EventKind::Warning));
    assert_eq!(steps[3].at, SignedDuration::from_secs(90));
    fold.apply(&steps[3].changes);
    let (node, claim) = (&fold.nodes["i-01"], &fold.claims["gp-1"]);
    assert!(node.deleted.is_some() && !node.unschedulable && claim.is("DisruptionReason"));
    assert_eq!(claim.condition("DisruptionReason").unwrap().reason, "Drifted");
    assert!(claim.requirements.iter().all(|r| r.values.len() <= ClaimRequirement::VALUES_KEPT));
}

/// The manual's example is valid, and its table has every action.
#[test]
fn the_manual_describes_the_format() {
    let manual = include_str!("../../../assets/manual/scenarios.md");
    let (_, example) = manual.split_once("```toml\n").unwrap();
    Scenario::parse("manual", example.split_once("```").unwrap().0).unwrap();
    let error = error_of(&format!("{HEAD}{}", step("1s", "xyzzyxyzzy = { }")));
    let (_, actions) = error.split_once("expected one of ").unwrap();
    for action in actions.split(", ") {
        let rows = manual.lines().filter(|line| line.starts_with('|'));
        assert!(rows.clone().any(|row| row.split('|').nth(1).unwrap().contains(action)), "{action}");
    }
}

#[test]
fn the_scale_out_has_the_events_of_the_controllers() {
    let mut fold = PlainFold::default();
    for step in scale_out().steps(start_time(), Speed::default()) {
        fold.apply(&step.changes);
        fold.check_capacity();
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
