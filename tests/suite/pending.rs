//! Why pods wait, from what the API server sends to the words of a report.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::apiserver::{Answer, ApiServer, EVENTS, NODE_METRICS, NODES, PODS, POOLS};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use std::process::{Command, Stdio};

fn meta(namespace: &str, name: &str) -> Value {
    json!({"name": name, "namespace": namespace, "uid": format!("uid-{name}"), "resourceVersion": "1",
        "creationTimestamp": "2026-01-02T03:04:05Z"})
}

fn node(name: &str) -> Value {
    json!({"metadata": meta("", name), "status": {"conditions": [{"type": "Ready", "status": "True"}]}})
}

/// A pod without a node; `reason` and `message` are those of its condition `PodScheduled`, none without a reason.
fn pod(name: &str, reason: &str, message: &str) -> Value {
    let conditions = match reason {
        "" => json!([]),
        reason => json!([{"type": "PodScheduled", "status": "False", "reason": reason, "message": message}]),
    };
    json!({"metadata": meta("default", name), "spec": {"containers": [{"name": "a"}]},
        "status": {"phase": "Pending", "conditions": conditions}})
}

const FULL: &str = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is \
                    not helpful for scheduling.";

/// Karpenter's refusal of a pod.
fn refusal(pod: &str, errors: &str) -> Value {
    json!({"metadata": meta("default", &format!("{pod}.1")), "type": "Warning", "reason": "FailedScheduling",
        "message": format!("Failed to schedule pod, {errors}"), "reportingComponent": "karpenter",
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": pod},
        "firstTimestamp": "2026-01-02T03:05:05Z", "lastTimestamp": "2026-01-02T03:05:05Z", "count": 1})
}

/// The report of a cluster with these objects.
async fn report(nodes: &[Value], pods: &[Value], events: &[Value], pools: &[Value]) -> Value {
    let server = ApiServer::start().await;
    server.refuses_streaming_lists();
    for (path, items) in [(NODES, nodes), (PODS, pods), (EVENTS, events), (POOLS, pools)] {
        server.on_list(path, [Answer::page("7", "", items)]);
    }
    server.on_all(NODE_METRICS, &Answer::status(404, "the server could not find the requested resource"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_nodeglass"));
    command.args(["snapshot", "--timeout", "60s", "-o", "json"]).env_clear().stdin(Stdio::null());
    command.env("NODEGLASS_PRICING", "offline").env("HOME", "/nonexistent").env("KUBECONFIG", server.kubeconfig());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn pending(report: &Value) -> Vec<String> {
    let causes = report["pending"].as_array().unwrap();
    causes.iter().map(|cause| format!("{} {}", cause["pods"], cause["text"].as_str().unwrap())).collect()
}

fn limits(report: &Value) -> Vec<&str> {
    let alerts = report["alerts"].as_array().unwrap().iter().map(|alert| alert["text"].as_str().unwrap());
    alerts.filter(|text| text.contains("limit")).collect()
}

// The form of Karpenter 1.0 to 1.4: aws/karpenter-provider-aws issues 7574 and 8000, kubernetes-sigs/karpenter 2123.
#[tokio::test(flavor = "multi_thread")]
async fn karpenters_older_texts_name_what_does_not_match() {
    let errors = |limit: &str| {
        format!(
            "incompatible with nodepool \"gpu\", daemonset overhead={{\"cpu\":\"605m\"}}, did not tolerate \
             nvidia.com/gpu=1:NoSchedule; incompatible with nodepool \"batch\", daemonset overhead={{}}, did not \
             tolerate team=batch:NoSchedule{limit}"
        )
    };
    let limit = "; all available instance types exceed limits for nodepool: \"web\"";
    let pool = json!({"metadata": meta("", "web"), "spec": {"limits": {"cpu": "100"}}});
    let pods = [pod("taints", "Unschedulable", FULL), pod("limit", "Unschedulable", FULL)];
    let events = [refusal("taints", &errors("")), refusal("limit", &errors(limit))];
    let report = report(&[node("n")], &pods, &events, &[pool]).await;
    assert_eq!(pending(&report), ["1 nodepool limits reached", "1 no matching nodepool"]);
    assert_eq!(report["pending"][0]["nodepools"], json!(["web"]));
}

// volcano-sh/volcano issue 4116 and docs/design/scheduling-reason.md.
#[tokio::test(flavor = "multi_thread")]
async fn a_gang_holds_its_pods_back_but_for_the_one_without_room() {
    let gang = "2/3 tasks in gang unschedulable: pod group is not ready, 3 Pending, 3 minAvailable; Pending: 1 \
                Unschedulable, 1 Undetermined, 1 Schedulable";
    let pods = [
        pod("a", "Unschedulable", "0/1 nodes are unavailable: 1 Insufficient nvidia.com/gpu."),
        pod("b", "Unschedulable", gang),
        pod("c", "Schedulable", "Pod default/c can possibly be assigned to n, once minAvailable is satisfied"),
    ];
    let report = report(&[node("n")], &pods, &[], &[]).await;
    assert_eq!(pending(&report), ["2 held back by its group", "1 insufficient nvidia.com/gpu"]);
}

// KEP-4671: fewer pods than the group needs, so the scheduler writes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_pod_of_a_pod_group_waits_for_the_group() {
    let mut grouped = pod("grouped", "", "");
    grouped["spec"]["schedulingGroup"] = json!({"podGroupName": "train"});
    let report = report(&[node("n")], &[grouped, pod("new", "", "")], &[], &[]).await;
    assert_eq!(pending(&report), ["1 held back by its group", "1 waiting for scheduler"]);
}

// KEP-5278: the scheduler writes the node's name before it binds what the pod needs.
#[tokio::test(flavor = "multi_thread")]
async fn a_pod_with_a_chosen_node_waits_for_its_volume() {
    let mut placed = pod("placed", "", "");
    placed["spec"]["volumes"] = json!([{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]);
    placed["status"]["nominatedNodeName"] = json!("nv");
    let late = "running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded";
    let mut failed = pod("failed", "SchedulerError", late);
    failed["status"]["nominatedNodeName"] = json!("nv");
    let report = report(&[node("nv")], &[placed, failed], &[], &[]).await;
    assert_eq!(pending(&report), ["1 volume", "1 placed on nv, waiting for its volume"]);
    assert_eq!(report["pending"][1]["nodes"], json!(["nv"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn preemption_needs_a_victim_on_the_chosen_node() {
    let on = |name: &str, node: &str| {
        let mut pod = pod(name, "Unschedulable", FULL);
        pod["status"]["nominatedNodeName"] = json!(node);
        pod
    };
    let mut victim = pod("victim", "", "");
    victim["spec"]["nodeName"] = json!("a");
    victim["status"]["conditions"] =
        json!([{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]);
    let report = report(&[node("a"), node("b")], &[victim, on("p", "a"), on("q", "b")], &[], &[]).await;
    assert_eq!(pending(&report), ["1 preempting", "1 placed on b, waiting to be bound"]);
}

// Karpenter pkg/controllers/provisioning/scheduling/scheduler.go tests limits before anything else.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds_back_only_pods_that_its_nodepool_could_take() {
    let pool = json!({"metadata": meta("", "web"), "spec": {"limits": {"cpu": "4"}, "template": {
        "metadata": {"labels": {"team": "web"}},
        "spec": {"taints": [{"key": "web", "value": "1", "effect": "NoSchedule"}],
            "requirements": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a", "b"]}]}}},
        "status": {"resources": {"cpu": "3"}}});
    let asks = |name: &str, spec: Value| {
        let mut pod = pod(name, "Unschedulable", FULL);
        pod["spec"] = spec;
        pod
    };
    let tolerations = json!([{"key": "web", "operator": "Exists"}]);
    let zone = |zone: &str| {
        json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}]}]}}})
    };
    let pods = [
        asks("held", json!({"tolerations": tolerations, "affinity": zone("b"), "nodeSelector": {"team": "web"}})),
        asks("label", json!({"tolerations": tolerations, "nodeSelector": {"no-such": "x"}})),
        asks("elsewhere", json!({"tolerations": tolerations, "affinity": zone("c")})),
        asks("taint", json!({})),
    ];
    let limit = "all available instance types exceed limits for nodepool (NodePool=web)";
    let events = ["held", "label", "elsewhere", "taint"].map(|pod| refusal(pod, limit));
    let report = report(&[node("n")], &pods, &events, &[pool]).await;
    assert_eq!(pending(&report), ["3 no matching nodepool", "1 nodepool limits reached"]);
    let text = "nodepool web: no instance type fits in what is left of its cpu limit, 1 pod waits";
    assert_eq!(limits(&report), [text]);
}
