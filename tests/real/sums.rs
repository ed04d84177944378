//! Requests and limits of random pods, on an API server of either rule, against the code by which kube-scheduler sums
//! them: `tests/oracle`, which is built with component-helpers 0.36.3 and with 0.37.2.

use crate::cluster::{Cluster, User, named};
use fastrand::Rng;
use serde_json::{Map, Value, json};
use std::fs;

const NODES: usize = 4;
const PODS: usize = 200;

#[test]
#[ignore = "needs tests/cluster"]
fn random_pods_are_summed_as_the_scheduler_of_the_servers_version_sums_them() {
    for (version, other) in [("1.37", "1.36"), ("1.36", "1.37")] {
        let cluster = Cluster::start_core(version);
        fill(&cluster, &mut Rng::with_seed(7));

        let pods = cluster.kubectl(&["get", "pods", "--all-namespaces", "--output", "json"]);
        let expected = cluster.oracle(version, &pods);
        assert_ne!(expected, cluster.oracle(other, &pods), "these pods show the difference between the rules");

        let snapshot = cluster.snapshot(User::Viewer);
        assert_eq!(snapshot.errors, "");
        assert_eq!(snapshot.json["complete"], true, "{}", snapshot.json["streams"]);
        assert_eq!(snapshot.json["cluster"]["version"], version);
        for node in (0..NODES).map(node_name) {
            let row = named(&snapshot.json["nodes"], &node);
            for field in ["requests", "limits"] {
                let sums = &expected[&node][field];
                let sum = |resource: &str| sums[resource].as_i64().unwrap_or(0);
                let of = &row[field];
                assert_eq!(of["cpu_millicores"], sum("cpu"), "cpu {field} of {node} on {version}");
                assert_eq!(of["memory_bytes"], sum("memory"), "memory {field} of {node} on {version}");
                assert_eq!(
                    of["ephemeral_storage_bytes"],
                    sum("ephemeral-storage"),
                    "storage {field} of {node} on {version}"
                );
                assert_eq!(
                    of["extended"]["example.com/device"],
                    sum("example.com/device"),
                    "{field} of {node} on {version}"
                );
            }
        }
    }
}

fn node_name(i: usize) -> String {
    format!("node-{i}")
}

/// Writes nodes and random pods, then the status that a kubelet would report of each.
fn fill(cluster: &Cluster, random: &mut Rng) {
    let amounts =
        json!({"cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "500", "example.com/device": "500"});
    let mut objects =
        vec![json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "heavy"},
        "handler": "heavy", "overhead": {"podFixed": {"cpu": "10m", "memory": "16Mi"}}})];
    let mut statuses = Vec::new();
    for i in 0..NODES {
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node_name(i)}});
        statuses.push(with(&node, "status", &json!({"allocatable": amounts, "capacity": amounts})));
        objects.push(node);
    }
    for i in 0..PODS {
        let meta = json!({"name": format!("pod-{i}"), "namespace": "default"});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta});
        let (spec, status) = pod_spec_and_status(random, i);
        objects.push(with(&pod, "spec", &spec));
        if let Some(status) = status {
            statuses.push(with(&pod, "status", &status));
        }
    }
    let file = cluster.home().join("objects.json");
    let apply = |objects: &[Value], more: &[&str]| {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        fs::write(&file, list.to_string()).expect("a file can be written");
        let apply = ["apply", "--server-side", "--force-conflicts", "--filename", file.to_str().expect("UTF-8")];
        cluster.kubectl(&[&apply[..], more].concat());
    };
    apply(&objects, &[]);
    apply(&statuses, &["--subresource", "status"]);
}

fn with(object: &Value, field: &str, value: &Value) -> Value {
    let mut object = object.clone();
    object[field] = value.clone();
    object
}

fn one_in(random: &mut Rng, n: u32) -> bool {
    random.u32(..n) == 0
}

/// Amounts of some resources. `None` is a list that is left out.
fn amounts(random: &mut Rng) -> Option<Map<String, Value>> {
    let mut list = Map::new();
    if !one_in(random, 4) {
        list.insert("cpu".into(), json!(format!("{}m", random.u32(1..40) * 10)));
    }
    if !one_in(random, 3) {
        list.insert("memory".into(), json!(format!("{}Mi", random.u32(1..40) * 16)));
    }
    if one_in(random, 4) {
        list.insert("ephemeral-storage".into(), json!(format!("{}Mi", random.u32(1..10) * 100)));
    }
    (!list.is_empty()).then_some(list)
}

/// What a container asks for: limits are not below requests, devices are the same in both.
fn asked(random: &mut Rng) -> Value {
    let mut requests = amounts(random).unwrap_or_default();
    let mut limits = Map::new();
    if one_in(random, 2)
        && let Some(cpu) = requests.get("cpu").cloned()
    {
        limits.insert("cpu".into(), if one_in(random, 2) { cpu } else { json!("500m") });
    }
    if one_in(random, 2) && requests.contains_key("memory") {
        limits.insert("memory".into(), json!("1Gi"));
    }
    if one_in(random, 6) {
        for list in [&mut requests, &mut limits] {
            list.insert("example.com/device".into(), json!("2"));
        }
    }
    json!({"requests": requests, "limits": limits})
}

/// What a kubelet reports of the resources of a container or pod, in the middle of a resize or not.
fn reported(random: &mut Rng) -> Option<Value> {
    let mut resources = Map::new();
    if !one_in(random, 4)
        && let Some(requests) = amounts(random)
    {
        resources.insert("requests".into(), Value::Object(requests));
    }
    if one_in(random, 2)
        && let Some(limits) = amounts(random)
    {
        resources.insert("limits".into(), Value::Object(limits));
    }
    (!one_in(random, 4)).then_some(Value::Object(resources))
}

fn container(random: &mut Rng, name: &str, sidecar: bool) -> Value {
    let mut container = json!({"name": name, "image": "pause", "resources": asked(random)});
    if sidecar {
        container["restartPolicy"] = json!("Always");
    }
    container
}

fn status_of(random: &mut Rng, containers: &[Value]) -> Vec<Value> {
    let mut statuses = Vec::new();
    for container in containers {
        if one_in(random, 4) {
            continue;
        }
        let mut status = json!({"name": container["name"], "image": "pause", "imageID": "pause", "ready": true,
            "restartCount": 0, "state": {"running": {}}});
        if let Some(resources) = reported(random) {
            status["resources"] = resources;
        }
        if let Some(allocated) = amounts(random).filter(|_| !one_in(random, 3)) {
            status["allocatedResources"] = Value::Object(allocated);
        }
        statuses.push(status);
    }
    statuses
}

fn pod_spec_and_status(random: &mut Rng, i: usize) -> (Value, Option<Value>) {
    let main: Vec<Value> = (0..random.usize(1..4)).map(|i| container(random, &format!("main-{i}"), false)).collect();
    let init: Vec<Value> = (0..random.usize(..4))
        .map(|i| {
            let sidecar = one_in(random, 2);
            container(random, &format!("init-{i}"), sidecar)
        })
        .collect();
    let mut spec = json!({"containers": main, "initContainers": init, "automountServiceAccountToken": false});
    // Some wait for a node and count nowhere.
    if !one_in(random, 10) {
        spec["nodeName"] = json!(node_name(i % NODES));
    }
    if one_in(random, 4) {
        spec["runtimeClassName"] = json!("heavy");
    }
    if one_in(random, 4) {
        let mut requests = Map::new();
        let more = [("cpu", "6"), ("memory", "12Gi")];
        for (name, amount) in more.into_iter().filter(|_| !one_in(random, 3)) {
            requests.insert(name.into(), json!(amount));
        }
        let limits = if one_in(random, 2) { requests.clone() } else { Map::new() };
        spec["resources"] = json!({"requests": requests, "limits": limits});
    }
    if spec["nodeName"].is_null() || one_in(random, 3) {
        return (spec, None);
    }
    let mut status = json!({"phase": "Running", "containerStatuses": status_of(random, &main),
        "initContainerStatuses": status_of(random, &init)});
    let condition = match random.u32(..5) {
        0 => Some(("PodResizePending", "Infeasible")),
        1 => Some(("PodResizePending", "Deferred")),
        2 => Some(("PodResizeInProgress", "")),
        _ => None,
    };
    if let Some((kind, reason)) = condition {
        status["conditions"] = json!([{"type": kind, "status": "True", "reason": reason}]);
    }
    if one_in(random, 2) {
        if let Some(resources) = reported(random) {
            status["resources"] = resources;
        }
        if let Some(allocated) = amounts(random) {
            status["allocatedResources"] = Value::Object(allocated);
        }
    }
    (spec, Some(status))
}
