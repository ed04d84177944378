//! `nodeglass snapshot` and what the program prints about itself, as scripts use them: no terminal, pipes, exit codes.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::apiserver::{Answer, ApiServer, CLAIMS, EVENTS, NODE_METRICS, NODES, PDBS, PODS, POOLS};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use test_case::test_case;

/// The program with nothing of ours in its environment and no terminal.
fn nodeglass(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nodeglass"));
    command.args(args).env_clear().env("NODEGLASS_PRICING", "offline").env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

/// Runs beside the scripted server, whose tasks need this test's runtime.
async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn snapshot(kubeconfig: &Path, args: &[&str]) -> Command {
    let mut command = nodeglass(&["snapshot", "--timeout", "60s"]);
    command.args(args).env("KUBECONFIG", kubeconfig);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What is put on a node's meta data.
fn meta(name: &str) -> Value {
    json!({"name": name, "uid": format!("uid-{name}"), "resourceVersion": "1", "creationTimestamp": "2026-01-02T03:04:05Z"})
}

fn node(name: &str, kind: &str, cpu: &str) -> Value {
    let mut node = json!({
        "metadata": meta(name),
        "spec": {"providerID": format!("aws:///ap-northeast-2a/{name}")},
        "status": {
            "allocatable": {"cpu": cpu, "memory": "14Gi", "ephemeral-storage": "20Gi", "pods": "58", "nvidia.com/gpu": "1"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        },
    });
    node["metadata"]["labels"] = json!({
        "karpenter.sh/nodepool": "general-purpose", "karpenter.sh/capacity-type": "on-demand",
        "node.kubernetes.io/instance-type": kind, "topology.kubernetes.io/region": "ap-northeast-2",
        "topology.kubernetes.io/zone": "ap-northeast-2a", "eks.amazonaws.com/compute-type": "auto",
        "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
    });
    node
}

fn pod(name: &str, node: Option<&str>) -> Value {
    let mut pod = json!({
        "metadata": meta(name),
        "spec": {"containers": [{"name": "main", "resources":
            {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2"}}}]},
        "status": {"phase": "Pending"},
    });
    pod["metadata"]["namespace"] = json!("default");
    match node {
        Some(node) => {
            pod["spec"]["nodeName"] = json!(node);
            pod["status"] = json!({"phase": "Running"});
        }
        None => {
            pod["status"]["conditions"] = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "message": "0/2 nodes are available: 2 Insufficient cpu."}]);
        }
    }
    pod
}

/// Two nodes with a pod each, a claim that waits, a nodepool, a pod that waits; all of it in pages.
async fn cluster() -> ApiServer {
    let server = ApiServer::start().await;
    server.refuses_streaming_lists();
    let list = |path, items: &[Value]| server.on_list(path, [Answer::page("7", "", items)]);
    list(NODES, &[node("i-0a", "c5a.large", "1930m"), node("i-0b", "made.up", "4")]);
    list(PODS, &[pod("web-1", Some("i-0a")), pod("web-2", Some("i-0b")), pod("web-3", None)]);
    let mut claim = json!({"metadata": meta("general-purpose-x1"), "spec": {"resources": {"requests": {"cpu": "1480m"}}},
        "status": {"conditions": [{"type": "Launched", "status": "Unknown"}]}});
    claim["metadata"]["labels"] = json!({"karpenter.sh/nodepool": "general-purpose"});
    list(CLAIMS, &[claim]);
    list(
        POOLS,
        &[json!({"metadata": meta("general-purpose"), "spec": {"weight": 10, "limits": {"cpu": "100"}},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]}})],
    );
    server.on_all(NODE_METRICS, &Answer::status(404, "the server could not find the requested resource"));
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn one_shot_works_without_a_terminal() {
    let server = cluster().await;
    let output = run(snapshot(&server.kubeconfig(), &["-o", "json"])).await;
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["schema"], "nodeglass/v1");
    assert_eq!(report["complete"], true);
    let amounts = |cpu: u64, memory: u64, storage: u64, pods: u64, extended: Value| {
        json!({"cpu_millicores": cpu, "memory_bytes": memory << 30, "ephemeral_storage_bytes": storage << 30,
            "pods": pods, "extended": extended})
    };
    let totals = &report["totals"];
    assert_eq!(totals["nodes"], 2);
    assert_eq!(totals["allocatable"], amounts(5930, 28, 40, 116, json!({"nvidia.com/gpu": 2})));
    assert_eq!(totals["requests"], amounts(2000, 2, 0, 2, json!({})));
    assert_eq!(totals["usage"], Value::Null, "not measured is not zero");
    assert_eq!(
        totals["pods"],
        json!({"total": 3, "unscheduled": 1, "starting": 0, "running": 2, "unknown": 0, "terminating": 0, "bound": 2, "on_missing_nodes": 0})
    );
    let price = &totals["price"];
    for (key, value) in [
        ("currency", json!("USD")),
        ("hourly", json!("0.09632")),
        ("monthly", json!("70.31")),
        ("instances", json!("0.08600")),
        ("fees", json!("0.01032")),
        ("unpriced", json!(1)),
    ] {
        assert_eq!(price[key], value, "{key} of {price}");
    }
    let nodes = report["nodes"].as_array().unwrap();
    let known = nodes.iter().find(|node| node["name"] == "i-0a").unwrap();
    for (key, value) in [
        ("nodepool", json!("general-purpose")),
        ("instance_type", json!("c5a.large")),
        ("capacity_type", json!("on-demand")),
        ("region", json!("ap-northeast-2")),
        ("zone", json!("ap-northeast-2a")),
        ("status", json!("Ready")),
        ("allocatable", amounts(1930, 14, 20, 58, json!({"nvidia.com/gpu": 1}))),
        ("requests", amounts(1000, 1, 0, 1, json!({}))),
        ("usage", Value::Null),
        ("pods", json!(1)),
    ] {
        assert_eq!(known[key], value, "{key} of {known}");
    }
    assert_eq!(known["limits"]["cpu_millicores"], 2000);
    assert!(known["age_seconds"].as_i64().unwrap() > 0);
    let price = &known["price"];
    assert_eq!((&price["currency"], &price["hourly"]), (&json!("USD"), &json!("0.09632")));
    assert_eq!((&price["instance"], &price["fee"]), (&json!("0.08600"), &json!("0.01032")));
    assert!(["source", "as_of", "mark"].iter().all(|key| price[key].is_string()), "{price}");
    let odd = nodes.iter().find(|node| node["name"] == "i-0b").unwrap();
    assert_eq!(odd["price"]["hourly"], Value::Null, "a price that is not known is not 0: {odd}");
    let claim = &report["nodeclaims"][0];
    assert_eq!((&claim["name"], &claim["status"]), (&json!("general-purpose-x1"), &json!("Pending")));
    assert_eq!((&claim["node"], &claim["price"]), (&Value::Null, &Value::Null));
    assert_eq!(report["nodepools"][0]["name"], "general-purpose");
    assert_eq!(report["nodepools"][0]["nodes"], 2);
    let streams = &report["streams"];
    for stream in ["nodes", "pods", "events", "nodeclaims", "nodepools", "pdbs"] {
        assert_eq!(streams[stream], "live", "{stream}");
    }
    assert_eq!(streams["nodemetrics"], "absent");
}

/// Money is text: no number with a decimal point is anywhere in the report.
#[tokio::test(flavor = "multi_thread")]
async fn the_report_holds_no_float() {
    fn floats(value: &Value) -> usize {
        match value {
            Value::Number(number) => usize::from(number.is_f64()),
            Value::Array(values) => values.iter().map(floats).sum(),
            Value::Object(fields) => fields.values().map(floats).sum(),
            Value::Null | Value::Bool(_) | Value::String(_) => 0,
        }
    }
    let server = cluster().await;
    let output = run(snapshot(&server.kubeconfig(), &["-o", "json"])).await;
    assert_eq!(floats(&serde_json::from_slice(&output.stdout).unwrap()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn table_and_csv_tell_the_same() {
    let server = cluster().await;
    let table = text(&run(snapshot(&server.kubeconfig(), &[])).await.stdout);
    for fact in ["i-0a", "i-0b", "c5a.large", "general-purpose-x1", "2.0 / 5.9", "1 unscheduled", "0.096"] {
        assert!(table.contains(fact), "{fact} is not in\n{table}");
    }
    assert!(!table.contains('\u{1b}'), "a table in a pipe has no colours");
    let csv = text(&run(snapshot(&server.kubeconfig(), &["-o", "csv"])).await.stdout);
    let mut lines = csv.lines();
    assert!(
        lines.next().unwrap().starts_with("name,nodepool,instance_type,capacity_type,region,zone,status,age_seconds")
    );
    let known = lines.find(|line| line.starts_with("i-0a,")).unwrap();
    assert!(known.starts_with("i-0a,general-purpose,c5a.large,on-demand,ap-northeast-2,ap-northeast-2a,Ready,"));
    assert!(known.contains(",USD,0.09632,0.08600,0.01032,"), "{known}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_prints_what_is_known_and_names_what_is_not() {
    let server = cluster().await;
    server.on_all(PODS, &Answer::silence());
    let mut command = nodeglass(&["snapshot", "-o", "json", "--timeout", "2s"]);
    command.env("KUBECONFIG", server.kubeconfig());
    let output = run(command).await;
    assert_eq!(output.status.code(), Some(1));
    let warning = text(&output.stderr);
    assert!(warning.contains("pods are not synced"), "{warning}");
    assert!(!warning.contains("nodes are"), "a synced stream is named: {warning}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["totals"]["nodes"], &report["complete"]), (&json!(2), &json!(false)));
    assert_ne!(report["streams"]["pods"], "live");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_picture_has_the_version_that_the_server_says_late() {
    let server = cluster().await;
    let late = json!({"major": "1", "minor": "37+"});
    server.on_all("/version", &Answer::json(&late).paced(std::time::Duration::from_secs(1)));
    let output = run(snapshot(&server.kubeconfig(), &["-o", "json"])).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["complete"], &report["cluster"]["version"]), (&json!(true), &json!("1.37")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_refused_is_null() {
    let server = cluster().await;
    server.on_all("/version", &Answer::status(403, "forbidden"));
    let output = run(snapshot(&server.kubeconfig(), &["-o", "json"])).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["complete"], &report["cluster"]["version"]), (&json!(true), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_trouble() {
    let server = ApiServer::start().await;
    for path in [NODES, PODS, EVENTS, CLAIMS, POOLS, PDBS, NODE_METRICS, "/version", "/apis"] {
        server.on_all(path, &Answer::silence());
    }
    let mut command = nodeglass(&["snapshot", "--timeout", "1s"]);
    command.env("KUBECONFIG", server.kubeconfig());
    let output = run(command).await;
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    assert!(text(&output.stderr).contains("failed to read anything of the cluster within 1s"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_kind_is_named_and_the_rest_is_printed() {
    let server = cluster().await;
    server.on_all(EVENTS, &Answer::status(403, "events is forbidden: User \"reader\" cannot list resource \"events\""));
    let output = run(snapshot(&server.kubeconfig(), &["-o", "json"])).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot list events: forbidden (RBAC): events is forbidden"), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["streams"]["events"], &report["totals"]["nodes"]), (&json!("denied"), &json!(2)));
}

/// A report shows nothing of PodDisruptionBudgets, so it is complete without them.
#[tokio::test(flavor = "multi_thread")]
async fn forbidden_pod_disruption_budgets_do_not_fail_a_snapshot() {
    let server = cluster().await;
    server.on_all(PDBS, &Answer::status(403, "poddisruptionbudgets.policy is forbidden"));
    let output = run(snapshot(&server.kubeconfig(), &["-o", "json"])).await;
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["complete"], json!(true));
}

#[test_case(21_600 ; "the server is ahead")]
#[test_case(-21_600 ; "the server is behind")]
#[tokio::test(flavor = "multi_thread")]
async fn ages_follow_the_servers_clock(server_ahead: i64) {
    let server = cluster().await;
    server.set_clock_ahead(server_ahead);
    let made = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(server_ahead - 90);
    let mut young = node("i-0a", "c5a.large", "1930m");
    young["metadata"]["creationTimestamp"] = json!(format!("{made:.0}"));
    server.on_list(NODES, [Answer::page("7", "", &[young, node("i-0b", "c5a.large", "4")])]);
    let output = run(snapshot(&server.kubeconfig(), &["-o", "json", "--filter", "age<1h"])).await;
    assert_eq!(output.status.code(), Some(0), "ages are right all the same");
    let way = if server_ahead > 0 { "behind" } else { "ahead of" };
    let note = text(&output.stderr);
    assert!(note.contains(&format!("{way} the API server's; ages follow the server")), "{note}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes = report["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 1, "{nodes:#?}");
    let age = nodes[0]["age_seconds"].as_i64().unwrap();
    assert!((85..600).contains(&age), "{age}");
    let skew = report["clock_skew_seconds"].as_i64().unwrap();
    assert!((skew + server_ahead).abs() <= 10, "{skew}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_listed_and_not_watched_is_complete() {
    let server = cluster().await;
    for path in [NODES, PODS, EVENTS, CLAIMS] {
        let denied = Answer::status(403, "User \"reader\" cannot watch resource");
        server.on_streaming_list(path, [denied.clone()]);
        server.on_watch(path, [denied]);
    }
    let output = run(snapshot(&server.kubeconfig(), &["-o", "json"])).await;
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["complete"], &report["streams"]["nodes"]), (&json!(true), &json!("polled")));
    assert_eq!(report["totals"]["requests"]["cpu_millicores"], 2000);
    assert_eq!(report["nodeclaims"][0]["name"], "general-purpose-x1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cluster_does_not_have_is_absent_and_not_denied() {
    let server = cluster().await;
    for path in [CLAIMS, POOLS] {
        server.on_all(path, &Answer::status(403, "nodeclaims.karpenter.sh is forbidden"));
    }
    server.on_list("/apis/karpenter.sh/v1", [Answer::status(404, "the server could not find the requested resource")]);
    let output = run(snapshot(&server.kubeconfig(), &["-o", "json"])).await;
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for stream in ["nodeclaims", "nodepools"] {
        assert_eq!(report["streams"][stream], "absent");
        assert_eq!(report["trouble"][stream], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_without_pods_is_not_complete_and_still_shows_usage() {
    let server = cluster().await;
    server.on_all(PODS, &Answer::status(403, "pods is forbidden: User \"reader\" cannot list resource \"pods\""));
    let output = run(snapshot(&server.kubeconfig(), &["-o", "json"])).await;
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["complete"], &report["totals"]["requests"]), (&json!(false), &Value::Null));
}

/// A machine of four cpu and 32 GiB that costs a dollar an hour, with one more resource of which it offers so much.
fn machine(name: &str, resource: &str, offered: &str) -> Value {
    let mut node = node(name, "made.up", "4");
    node["metadata"]["labels"] = json!({"eks-node-viewer/instance-price": "1.00"});
    node["status"]["allocatable"] = json!({"cpu": "4", "memory": "32Gi", "pods": "58"});
    node["status"]["allocatable"][resource] = json!(offered);
    node
}

/// A pod of a quarter of its cpu that holds so much of the resource.
fn holder(name: &str, node: &str, resource: &str, held: &str) -> Value {
    let mut pod = pod(name, Some(node));
    pod["spec"]["containers"][0]["resources"]["requests"][resource] = json!(held);
    pod
}

/// Waste where accelerators have names that no list has (NVIDIA k8s-device-plugin README, "Shared access to GPUs"), where
/// they are lost while held (volcano-sh/volcano issues 1782 and 1818), and beside a resource that is no accelerator.
#[test_case("nvidia.com/gpu.shared", "10", "10", "0.00000")]
#[test_case("gpu.intel.com/i915", "1", "1", "0.00000")]
#[test_case("nvidia.com/gpu", "0", "4", "0.00000" ; "all lost")]
#[test_case("nvidia.com/gpu", "3", "4", "0.00000" ; "one lost")]
#[test_case("smarter-devices/fuse", "10", "10", "0.75000")]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_not_wasted(resource: &str, offered: &str, held: &str, unrequested: &str) {
    let server = cluster().await;
    server.on_list(NODES, [Answer::page("7", "", &[machine("m", resource, offered)])]);
    server.on_list(PODS, [Answer::page("7", "", &[holder("p", "m", resource, held)])]);
    let report: Value =
        serde_json::from_slice(&run(snapshot(&server.kubeconfig(), &["-o", "json"])).await.stdout).unwrap();
    let node = &report["nodes"][0];
    assert_eq!(node["waste"]["unrequested"], unrequested, "{node}");
    assert_eq!(report["totals"]["price"]["waste"]["unrequested"], unrequested);
    assert_eq!(node["requests"]["extended"][resource], held.parse::<u64>().unwrap());
    let table = text(&run(snapshot(&server.kubeconfig(), &[])).await.stdout);
    assert!(table.contains(&format!("{resource}  {held} / {offered}")), "{table}");
}

/// Pods of nodes that are gone (kubernetes/kubernetes issues 48213 and 60066): counted as kubectl counts them, named, and in
/// no sum of machines.
#[tokio::test(flavor = "multi_thread")]
async fn pods_of_a_node_that_is_gone_are_counted_and_named() {
    let server = cluster().await;
    let mut leaving = pod("orphan-2", Some("taken-away"));
    leaving["metadata"]["deletionTimestamp"] = json!("2099-01-01T00:00:00Z");
    let mut starting = pod("orphan-1", Some("taken-away"));
    starting["status"] = json!({"phase": "Pending"});
    let pods = [pod("web-0", Some("alive")), pod("orphan-0", Some("taken-away")), starting, leaving];
    server.on_list(NODES, [Answer::page("7", "", &[node("alive", "c5a.large", "4")])]);
    server.on_list(PODS, [Answer::page("7", "", &pods)]);
    let output = run(snapshot(&server.kubeconfig(), &["-o", "json"])).await;
    let note = "note: 3 pods are bound to a node that does not exist: taken-away\n";
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), note));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let totals = &report["totals"];
    assert_eq!(
        totals["pods"],
        json!({"total": 4, "unscheduled": 0, "starting": 1, "running": 2, "unknown": 0, "terminating": 1, "bound": 4, "on_missing_nodes": 3})
    );
    assert_eq!((&totals["nodes"], &totals["requests"]["cpu_millicores"]), (&json!(1), &json!(1000)));
    assert_eq!(report["missing_nodes"], json!([{"name": "taken-away", "pods": 3}]));
    assert_eq!(report["nodes"].as_array().unwrap().len(), 1);
    let table = text(&run(snapshot(&server.kubeconfig(), &[])).await.stdout);
    assert!(table.contains("3 pods are bound to a node that does not exist: taken-away"), "{table}");
    // With a selector nodes may simply not be read.
    let output = run(snapshot(&server.kubeconfig(), &["-o", "json", "-l", "team=payments"])).await;
    assert_eq!(text(&output.stderr), "");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["missing_nodes"], &report["totals"]["pods"]["total"]), (&json!([]), &json!(1)));
}

/// prometheus-adapter serves memory in thousandths of a byte and windows of minutes, and leaves nodes out
/// (kubernetes-sigs/prometheus-adapter issues 549 and 639).
#[tokio::test(flavor = "multi_thread")]
async fn usage_is_that_of_the_measured_nodes_in_whatever_unit() {
    let server = cluster().await;
    let nodes = ["quarter-full", "idle", "left-out"].map(|name| machine(name, "nvidia.com/gpu", "0"));
    server.on_list(NODES, [Answer::page("7", "", &nodes)]);
    let reading = |name: &str, cpu: &str, memory: &str| {
        json!({"metadata": {"name": name}, "timestamp": "2026-11-28T08:00:00Z", "window": "5m0s",
            "usage": {"cpu": cpu, "memory": memory}})
    };
    let readings = [reading("quarter-full", "312500u", "2687146666666m"), reading("idle", "0", "1073741824")];
    server.on_all(NODE_METRICS, &Answer::page("", "", &readings));
    let report: Value =
        serde_json::from_slice(&run(snapshot(&server.kubeconfig(), &["-o", "json"])).await.stdout).unwrap();
    let usage = |name: &str| {
        let nodes = report["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["name"] == name).unwrap()["usage"].clone()
    };
    assert_eq!(
        (&usage("quarter-full")["cpu_millicores"], &usage("quarter-full")["memory_bytes"]),
        (&json!(313), &json!(2_687_146_667_u64))
    );
    assert_eq!((&usage("idle")["cpu_millicores"], usage("left-out")), (&json!(0), Value::Null));
    let total = &report["totals"]["usage"];
    assert_eq!((&total["cpu_millicores"], &total["memory_bytes"]), (&json!(313), &json!(3_760_888_491_u64)));
    assert_eq!((&total["nodes_measured"], &total["nodes_unmeasured"]), (&json!(2), &json!(1)));
    assert_eq!(total["allocatable"]["cpu_millicores"], 8000, "of which it is a share");
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_and_instances_are_in_the_report() {
    let server = cluster().await;
    let mut elsewhere = node("aks-1", "made.up", "4");
    elsewhere["spec"]["providerID"] = json!("azure:///subscriptions/s/virtualMachines/i-0");
    server.on_list(NODES, [Answer::page("7", "", &[node("i-0a", "c5a.large", "4"), elsewhere])]);
    let report: Value =
        serde_json::from_slice(&run(snapshot(&server.kubeconfig(), &["-o", "json", "--sort", "name"])).await.stdout)
            .unwrap();
    let nodes = &report["nodes"];
    assert_eq!((&nodes[0]["instance_id"], &nodes[1]["instance_id"]), (&Value::Null, &json!("i-0a")));
    assert_eq!(nodes[1]["labels"]["kubernetes.io/arch"], "amd64");
}

/// Two nodes, one with a label and a GPU.
async fn labelled() -> ApiServer {
    let server = cluster().await;
    let (mut a, mut b) = (node("a", "m7g.large", "2"), node("b", "m5.large", "2"));
    a["metadata"]["labels"]["team"] = json!("payments");
    a["metadata"]["labels"]["kubernetes.io/arch"] = json!("arm64");
    b["metadata"]["labels"]["topology.kubernetes.io/zone"] = json!("ap-northeast-2b");
    b["status"]["allocatable"] = json!({"cpu": "2", "memory": "8Gi", "pods": "29"});
    server.on_list(NODES, [Answer::page("7", "", &[a, b])]);
    server.on_list(PODS, [Answer::page("7", "", &[pod("web", Some("a"))])]);
    server.on_list(CLAIMS, [Answer::page("7", "", &[])]);
    server
}

/// Cost by team: the label's column goes into the table, the CSV and the JSON (robscott/kube-capacity issues 92, 95 and 162).
#[tokio::test(flavor = "multi_thread")]
async fn labels_and_resources_that_are_asked_for_are_columns() {
    let server = labelled().await;
    let asked = [
        "--pricing",
        "off",
        "--sort",
        "name",
        "--extra-labels",
        "team,kubernetes.io/arch,eks-node-viewer/node-cpu-usage",
        "--resources",
        "cpu,nvidia.com/gpu",
    ];
    let printed = async |format: &str| {
        let args = [&["-o", format], &asked[..]].concat();
        let output = run(snapshot(&server.kubeconfig(), &args)).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        text(&output.stdout)
    };
    let table = printed("table").await;
    let cells = |first: &str| -> Vec<String> {
        let line = table.lines().find(|line| line.split_whitespace().next() == Some(first)).unwrap();
        line.split_whitespace().map(str::to_owned).collect()
    };
    let columns = cells("NODE").join(" ");
    assert_eq!(columns, "NODE NODEPOOL CPU GPU PODS TYPE $/HOUR CAPACITY ZONE TEAM ARCH CPU REQ AGE STATUS");
    assert_eq!(cells("a")[2..5], ["50%", "0%", "1/58"]);
    assert_eq!(cells("a")[9..12], ["payments", "arm64", "50%"]);
    assert_eq!(cells("b")[2..5], ["0%", "—", "0/29"]);
    assert_eq!(cells("b")[9..12], ["—", "amd64", "0%"]);
    let csv = printed("csv").await;
    let ends: Vec<&str> =
        csv.lines().map(|line| line.split_once(",daemonsets,").map_or(line, |(_, end)| end)).collect();
    assert_eq!(
        ends[0],
        "allocatable_nvidia.com/gpu,requests_nvidia.com/gpu,team,kubernetes.io/arch,eks-node-viewer/node-cpu-usage"
    );
    assert!(ends[1].starts_with("a,") && ends[1].ends_with(",1,0,payments,arm64,50%"), "{csv}");
    assert!(ends[2].starts_with("b,") && ends[2].ends_with(",0,0,,amd64,0%"), "{csv}");
    let report: Value = serde_json::from_str(&printed("json").await).unwrap();
    assert_eq!(
        (&report["nodes"][0]["labels"]["team"], &report["nodes"][1]["labels"]["team"]),
        (&json!("payments"), &Value::Null)
    );
    assert_eq!(report["nodes"][1]["labels"]["node.kubernetes.io/instance-type"], "m5.large", "all labels");
    assert!(report["nodes"][1]["labels"].as_object().unwrap().contains_key("team"));
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_have_subtotals() {
    let server = labelled().await;
    let output = run(snapshot(&server.kubeconfig(), &["--group-by", "zone", "--sort", "name"])).await;
    let table = text(&output.stdout);
    let lines: Vec<&str> = table.lines().skip_while(|line| !line.starts_with("NODE ")).skip(1).collect();
    let starts: Vec<&str> =
        lines.iter().map(|line| line.trim_end().split("  ").find(|w| !w.is_empty()).unwrap()).collect();
    assert_eq!(starts, ["ap-northeast-2a", "a", "ap-northeast-2b", "b"]);
    assert!(lines[0].ends_with("1 node") && lines[0].contains("50%"), "{table}");
    assert!(lines[1].starts_with("  a "), "{table}");
    let output = run(snapshot(&server.kubeconfig(), &["--group-by", "zone", "-o", "json"])).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let groups = report["groups"].as_array().unwrap();
    let counts: Vec<_> = groups.iter().map(|group| (&group["name"], &group["nodes"], &group["pods"])).collect();
    assert_eq!(
        counts,
        [(&json!("ap-northeast-2a"), &json!(1), &json!(1)), (&json!("ap-northeast-2b"), &json!(1), &json!(0))]
    );
    assert_eq!(groups[0]["requests"]["cpu_millicores"], 1000);
    assert_eq!(groups[0]["price"]["hourly"].is_string(), report["nodes"][0]["price"]["hourly"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_pipe_is_success() {
    let server = cluster().await;
    let many: Vec<Value> = (0..2000).map(|i| node(&format!("i-{i:04}"), "c5a.large", "2")).collect();
    server.on_list(NODES, [Answer::page("7", "", &many)]);
    server.on_list(PODS, [Answer::page("7", "", &[])]);
    for format in ["table", "json", "csv"] {
        let mut command = snapshot(&server.kubeconfig(), &["-o", format]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let (status, stderr) = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            // A reader that has seen enough after one byte, as `head` does after a line.
            let mut output = child.stdout.take().unwrap();
            output.read_exact(&mut [0]).unwrap();
            drop(output);
            let output = child.wait_with_output().unwrap();
            (output.status, text(&output.stderr))
        })
        .await
        .unwrap();
        assert_eq!((status.code(), stderr), (Some(0), String::new()), "{format}");
    }
}

#[test]
fn a_snapshot_of_a_scenario_is_its_end() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/scenarios/scale-out.toml");
    let output = nodeglass(&["snapshot", "--scenario", file, "-o", "json"]).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let totals = &report["totals"];
    assert_eq!((&totals["nodes"], &totals["requests"]["cpu_millicores"]), (&json!(2), &json!(8000)));
    assert_eq!(totals["allocatable"]["cpu_millicores"], 9840);
    assert_eq!(
        totals["pods"],
        json!({"total": 101, "unscheduled": 92, "starting": 0, "running": 9, "unknown": 0, "terminating": 0, "bound": 9, "on_missing_nodes": 0})
    );
    let price = &totals["price"];
    for (key, value) in [("hourly", "0.48160"), ("monthly", "351.57"), ("instances", "0.43000"), ("fees", "0.05160")] {
        assert_eq!(price[key], value, "{key}");
    }
    assert_eq!(price["unpriced"], 0);
}

#[test]
fn a_snapshot_of_the_demo_has_its_nodes() {
    let output = nodeglass(&["snapshot", "--demo", "--demo-nodes", "7", "-o", "csv"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text(&output.stdout).lines().count(), 8);
}

#[test]
fn a_snapshot_of_the_demos_story_shows_a_fleet_at_work() {
    let output = nodeglass(&["snapshot", "--demo", "-o", "json"]).output().unwrap();
    assert!(output.status.success());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes = report["nodes"].as_array().unwrap();
    assert!(nodes.len() > 5, "{} nodes", nodes.len());
    assert!(
        nodes.iter().any(|node| node["capacity_type"] == "spot" && node["price"]["hourly"].is_string()),
        "{nodes:?}"
    );
}

#[test_case(&["--no-such-flag"], "--no-such-flag")]
#[test_case(&["snapshot", "-o", "xml"], "xml")]
#[test_case(&["snapshot", "--timeout", "soon"], "--timeout")]
#[test_case(&["snapshot", "--demo", "--filter", "cpu<<5"], "filter")]
#[test_case(&["--demo", "--sort", "beauty"], "beauty")]
#[test_case(&["snapshot", "--demo", "-o", "csv", "--group-by", "zone"], "--group-by")]
fn a_wrong_flag_exits_with_two(args: &[&str], named: &str) {
    let output = nodeglass(args).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()));
    let error = text(&output.stderr);
    assert!(error.contains(named), "{error}");
}

#[test]
fn a_scenario_that_is_not_there_is_named() {
    let output = nodeglass(&["snapshot", "--scenario", "/nonexistent/story.txt"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("failed to read the scenario file /nonexistent/story.txt"), "{output:?}");
}

#[test]
fn the_printed_settings_are_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    let asked = ["--sort", "price=desc", "--group-by", "zone", "--filter", "pool:general-purpose"];
    let first = nodeglass(&[&["config"], &asked[..]].concat()).output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    std::fs::write(&file, &first.stdout).unwrap();
    let again = nodeglass(&["config", "--config", file.to_str().unwrap()]).output().unwrap();
    assert_eq!((again.status.code(), text(&again.stderr)), (Some(0), String::new()));
    // Only where they come from differs.
    let settings = |output: &Output| -> Vec<String> {
        text(&output.stdout).lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(settings(&again), settings(&first));
    assert!(text(&first.stdout).contains("zone"));
}

#[test_case(&["completions", "bash"], "_nodeglass")]
#[test_case(&["completions", "zsh"], "#compdef nodeglass")]
#[test_case(&["completions", "fish"], "complete -c nodeglass")]
#[test_case(&["man"], ".TH nodeglass")]
#[test_case(&["--version"], env!("CARGO_PKG_VERSION"))]
#[test_case(&["--help"], "snapshot")]
fn what_it_prints_about_itself(args: &[&str], fact: &str) {
    let output = nodeglass(args).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    assert!(text(&output.stdout).contains(fact), "{}", text(&output.stdout));
}
