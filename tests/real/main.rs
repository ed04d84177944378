//! The program against a real control plane: the API server, scheduler, controllers and Karpenter of `tests/cluster`,
//! which this suite starts, scales, breaks and removes. The output of the program is compared with that of `kubectl`.
//!
//! ```text
//! tests/cluster/build.sh && cargo test --test real -- --ignored
//! ```
//!
//! Each test has a cluster of its own, and they run one after the other: a control plane fills two cores. They are ignored
//! by default since they need Go's programs and minutes; they fail, and do not pass silently, where those are missing.

#![cfg(unix)]

mod cluster;
mod dashboard;
mod kubernetes;
mod sums;

use cluster::{Cluster, Snapshot, User, eventually, named};
use dashboard::Dashboard;
use kubernetes::{State, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long the slowest things of a cluster take: a node to boot, a consolidation, a stream to be tried again.
const PATIENCE: Duration = Duration::from_mins(3);

#[test]
#[ignore = "needs tests/cluster"]
fn a_scale_out_and_a_consolidation_are_counted_as_kubectl_counts_them() {
    let cluster = Cluster::start();

    // A fresh cluster: no node at all, and a pod that waits for the first.
    cluster.apply("tests/cluster/inflate.yaml");
    let first = settled(&cluster, "the first node", |state| state.nodes.len() == 1 && state.pods.running == 1);
    assert_eq!(first.pods.total, 1);

    // Beyond the pool's limit: nodes for 63 pods, the rest wait.
    cluster.apply("tests/real/varied.yaml");
    cluster.kubectl(&["scale", "deployment", "inflate", "--replicas", "100"]);
    let full = settled(&cluster, "the pool to be full", |state| {
        state.nodes.len() >= 8
            && state.pods.unscheduled > 0
            && state.pods.running + state.pods.unscheduled == state.pods.total
    });
    let snapshot = cluster.snapshot(User::Viewer).json;
    let pool = named(&snapshot["nodepools"], "general-purpose");
    assert_eq!(pool["ready"], true, "{pool}");
    assert_eq!(pool["limits"]["cpu_millicores"], 64_000, "the limit: {pool}");

    // Scaled in, Karpenter removes what is empty or too large, until little is left.
    cluster.kubectl(&["scale", "deployment", "inflate", "--replicas", "10"]);
    let left = settled(&cluster, "the consolidation", |state| {
        state.nodes.len() <= full.nodes.len() / 2
            && state.pods.unscheduled == 0
            && state.pods.running == state.pods.total
    });
    assert!(left.hourly_micro_usd() < full.hourly_micro_usd(), "fewer nodes cost less");
}

#[test]
#[ignore = "needs tests/cluster"]
fn usage_is_what_metrics_server_measured() {
    let cluster = Cluster::start();
    cluster.apply("tests/cluster/inflate.yaml");
    cluster.kubectl(&["scale", "deployment", "inflate", "--replicas", "3"]);
    settled(&cluster, "the first nodes", |state| state.pods.running == 3);

    eventually("metrics of the pods' usage", PATIENCE, || {
        let before = kubernetes::usage(&cluster)?;
        let snapshot = cluster.snapshot(User::Viewer).json;
        // A new reading may have come between two looks.
        if kubernetes::usage(&cluster)? != before {
            return Err("a new reading came".to_owned());
        }
        let in_all = before.values().map(|[cpu, _]| cpu).sum::<i64>();
        if in_all < 700 {
            return Err(format!("three pods use 250m each, measured so far: {before:?}"));
        }
        assert_eq!(snapshot["streams"]["nodemetrics"], "live", "{}", snapshot["streams"]);
        assert_eq!(names(&snapshot["nodes"]), before.keys().cloned().collect(), "every node is measured");
        for (name, [cpu, memory]) in &before {
            let usage = &named(&snapshot["nodes"], name)["usage"];
            assert_eq!(
                (&usage["cpu_millicores"], &usage["memory_bytes"]),
                (&(*cpu).into(), &(*memory).into()),
                "{name}"
            );
        }
        Ok(())
    });
}

#[test]
#[ignore = "needs tests/cluster"]
fn a_crash_of_the_api_server_is_shown_and_survived() {
    let cluster = Cluster::start();
    cluster.apply("tests/cluster/inflate.yaml");
    settled(&cluster, "the first node", |state| state.pods.running == 1);

    let mut dashboard = Dashboard::start(&cluster, User::Viewer);
    dashboard.wait_for("the pool of its only node", |screen| screen.contains("general-purpose"));
    dashboard.wait_for("all streams to be live", dashboard::all_live);

    cluster.run("apiserver.sh", &["stop"]);
    dashboard.wait_for("trouble to be shown", dashboard::all_retrying);
    assert!(dashboard.screen().contains("general-purpose"), "the old state stays:\n{}", dashboard.screen());

    cluster.run("apiserver.sh", &["start"]);
    dashboard.wait_for("the streams to be back", dashboard::all_live);

    // Live again is more than a mark: what happens now is seen.
    cluster.kubectl(&["scale", "deployment", "inflate", "--replicas", "4"]);
    dashboard.wait_for("the new pods", |screen| screen.contains("4 running"));
    assert_eq!(dashboard.quit(), 0, "exit status");
}

#[test]
#[ignore = "needs tests/cluster"]
fn nothing_is_asked_but_get_list_and_watch_and_the_documented_role_is_enough() {
    let cluster = Cluster::start();
    cluster.apply("tests/cluster/inflate.yaml");
    settled(&cluster, "the first node", |state| state.pods.running == 1);

    // All that a person does: a report, a session with every screen, and streams that end and are asked for again.
    cluster.snapshot(User::Viewer);
    let mut dashboard = Dashboard::start(&cluster, User::Viewer);
    dashboard.wait_for("the first node", |screen| screen.contains("general-purpose"));
    for screen in ["\r", "p", "?", "s", "/"] {
        dashboard.press(screen);
        dashboard.press("\x1b");
    }
    for change in ["v", "g", "e"] {
        dashboard.press(change);
    }
    cluster.run("apiserver.sh", &["restart"]);
    dashboard.wait_for("the streams to be back", dashboard::all_live);
    assert_eq!(dashboard.quit(), 0, "exit status");

    let asked = cluster.audit("viewer");
    let verbs: BTreeSet<&str> = asked.iter().map(|request| text(&request["verb"])).collect();
    assert!(verbs.is_subset(&BTreeSet::from(["get", "list", "watch"])), "verbs asked for: {verbs:?}");
    for kind in ["nodes", "pods", "events", "nodeclaims", "nodepools", "poddisruptionbudgets"] {
        assert!(
            asked.iter().any(|request| request["objectRef"]["resource"] == kind),
            "{kind} were not asked for at all"
        );
    }
    // An API server that has just started refuses for a moment what it will allow, so one refusal proves nothing; to be
    // allowed once proves that the role is enough.
    let mut allowed: BTreeMap<_, bool> = BTreeMap::new();
    for request in &asked {
        let uri = text(&request["requestURI"]);
        assert!(text(&request["userAgent"]).starts_with("nodeglass/"), "who asks for {uri}: {}", request["userAgent"]);
        let what = (request["objectRef"]["resource"].to_string(), text(&request["verb"]));
        *allowed.entry(what).or_default() |= request["responseStatus"]["code"] != 403;
    }
    assert!(allowed.values().all(|&once| once), "the documented role does not allow all of {allowed:?}");
}

#[test]
#[ignore = "needs tests/cluster"]
fn without_a_permission_it_starts_and_names_what_is_missing() {
    let cluster = Cluster::start();
    cluster.apply("tests/cluster/inflate.yaml");
    let seen = settled(&cluster, "the first node", |state| state.pods.running == 1);
    let node = seen.nodes.keys().next().expect("there is a node");

    let Snapshot { json, status, errors } = cluster.snapshot(User::NoPods);
    assert_eq!(json["streams"]["pods"], "denied", "{json}");
    assert_eq!(json["streams"]["nodes"], "live", "{json}");
    assert_eq!(names(&json["nodes"]), BTreeSet::from([node.clone()]), "nodes alone are enough to be useful");
    assert_eq!(status, 1, "what is missing is trouble");
    assert!(errors.contains("cannot list pods: forbidden"), "{errors}");

    // What runs is still known from the pods.
    let Snapshot { json, status, errors } = cluster.snapshot(User::NoNodes);
    assert_eq!(json["streams"]["nodes"], "denied", "{json}");
    assert_eq!(json["streams"]["pods"], "live", "{json}");
    assert_eq!(json["totals"]["pods"]["running"], 1, "{json}");
    assert_eq!(status, 1, "what is missing is trouble");
    assert!(errors.contains("cannot list nodes: forbidden"), "{errors}");

    for (user, missing) in [(User::NoPods, "pods"), (User::NoNodes, "nodes"), (User::Nobody, "nodes")] {
        let mut dashboard = Dashboard::start(&cluster, user);
        dashboard.wait_for("the denial to be shown", |screen| {
            screen.contains(&format!("✗ {missing}")) && screen.contains(&format!("annot list {missing}: forbidden"))
        });
        assert_eq!(dashboard.quit(), 0, "exit status as {user:?}");
    }
}

/// Waits until the state by kubectl fulfils the condition and does not change, and compares the program's snapshot with it.
fn settled(cluster: &Cluster, what: &str, reached: impl Fn(&State) -> bool) -> State {
    eventually(what, PATIENCE, || {
        let before = State::take(cluster);
        if !(before.is_quiet() && reached(&before)) {
            return Err(format!("kubectl: {before:#?}"));
        }
        let snapshot = cluster.snapshot(User::Viewer);
        // The state may change in between; a difference counts only if kubectl's state is the same before and after.
        if State::take(cluster) != before {
            return Err("the cluster does not stand still".to_owned());
        }
        assert_eq!((snapshot.status, snapshot.errors.as_str()), (0, ""), "all is in sync");
        compare(&before, &snapshot.json);
        Ok(before)
    })
}

/// Every number that both know.
fn compare(kubectl: &State, snapshot: &Value) {
    assert_eq!(snapshot["schema"], "nodeglass/v1");
    for stream in ["nodes", "pods", "events", "nodeclaims", "nodepools", "pdbs"] {
        assert_eq!(snapshot["streams"][stream], "live", "stream {stream}: {}", snapshot["streams"]);
    }

    let totals = &snapshot["totals"];
    assert_eq!(totals["nodes"], kubectl.nodes.len(), "totals: {totals}");
    for (state, count) in [
        ("total", kubectl.pods.total),
        ("unscheduled", kubectl.pods.unscheduled),
        ("starting", kubectl.pods.starting),
        ("running", kubectl.pods.running),
        ("terminating", kubectl.pods.terminating),
        ("bound", kubectl.pods.bound),
    ] {
        assert_eq!(totals["pods"][state], count, "{state} pods of {}", totals["pods"]);
    }
    assert_eq!(totals["price"]["currency"], "USD");
    assert_eq!(totals["price"]["unpriced"], 0);
    assert_eq!(kubernetes::micros(text(&totals["price"]["hourly"])), kubectl.hourly_micro_usd(), "{}", totals["price"]);

    let (mut cpu, mut memory) = ([0; 2], [0; 2]);
    assert_eq!(names(&snapshot["nodes"]), kubectl.nodes.keys().cloned().collect(), "node names");
    for (name, node) in &kubectl.nodes {
        let row = named(&snapshot["nodes"], name);
        assert_eq!(row["status"], "Ready", "{name}: {row}");
        assert_eq!(row["nodepool"], *node.label("karpenter.sh/nodepool"), "{name}");
        assert_eq!(row["instance_type"], *node.label("node.kubernetes.io/instance-type"), "{name}");
        assert_eq!(row["capacity_type"], *node.label("karpenter.sh/capacity-type"), "{name}");
        assert_eq!(row["region"], *node.label("topology.kubernetes.io/region"), "{name}");
        assert_eq!(row["zone"], *node.label("topology.kubernetes.io/zone"), "{name}");
        assert_eq!(row["pods"], node.pods, "pods on {name}");
        assert_eq!(kubernetes::micros(text(&row["price"]["hourly"])), node.micro_usd(), "{name}: {}", row["price"]);
        for (field, expected) in
            [("allocatable", node.allocatable), ("requests", node.requests), ("limits", node.limits)]
        {
            assert_eq!(row[field]["cpu_millicores"], expected.cpu_millicores, "cpu {field} of {name}");
            assert_eq!(row[field]["memory_bytes"], expected.memory_bytes, "memory {field} of {name}");
            assert_eq!(
                row[field]["ephemeral_storage_bytes"], expected.ephemeral_storage_bytes,
                "storage {field} of {name}"
            );
        }
        assert_eq!(row["allocatable"]["pods"], node.allocatable_pods, "room for pods on {name}");
        for (i, amounts) in [node.allocatable, node.requests].into_iter().enumerate() {
            cpu[i] += amounts.cpu_millicores;
            memory[i] += amounts.memory_bytes;
        }
    }
    for (i, field) in ["allocatable", "requests"].into_iter().enumerate() {
        assert_eq!(totals[field]["cpu_millicores"], cpu[i], "cpu {field} in all");
        assert_eq!(totals[field]["memory_bytes"], memory[i], "memory {field} in all");
    }

    assert_eq!(names(&snapshot["nodeclaims"]), kubectl.claims, "claims");
    assert_eq!(names(&snapshot["nodepools"]), kubectl.pools.keys().cloned().collect(), "nodepools");
    for (name, nodes) in &kubectl.pools {
        assert_eq!(named(&snapshot["nodepools"], name)["nodes"], *nodes, "nodes of pool {name}");
    }
}

/// The names in a list of the snapshot.
fn names(list: &Value) -> BTreeSet<String> {
    list.as_array().expect("a list").iter().map(|item| text(&item["name"]).to_owned()).collect()
}
