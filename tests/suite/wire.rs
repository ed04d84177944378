//! Objects of a real API server (Kubernetes 1.36 with Karpenter 1.14), decoded by the live source and by k8s-openapi: the
//! common fields must agree, which finds misspelt field names.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::apiserver::{Answer, ApiServer, CLAIMS, EVENTS, NODES, PDBS, PODS, POOLS};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::policy::v1 as policy;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as FullQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use nodeglass::model::{
    Change, ConditionStatus, Event, Node, NodeClaim, NodePool, Pod, PodClass, PodPhase, Resources, Scheduling, Stream,
    Timestamp, Uid,
};
use nodeglass::source::live::{Connection, Interest, ListMode, Options};
use nodeglass::units::Quantity;
use pretty_assertions::assert_eq;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use test_case::test_case;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

const NODE: &str = include_str!("support/objects/node.json");
const POD: &str = include_str!("support/objects/pod.json");
const POD_PENDING: &str = include_str!("support/objects/pod_pending.json");
const EVENT_OLD: &str = include_str!("support/objects/event_old.json");
const EVENT_NEW: &str = include_str!("support/objects/event_new.json");
const PDB: &str = include_str!("support/objects/pdb.json");
const NODE_CLAIM: &str = include_str!("support/objects/nodeclaim.json");
const NODE_POOL: &str = include_str!("support/objects/nodepool.json");

/// The change that the live source decodes from an object.
async fn read(path: &str, stream: Stream, object: &str) -> Change {
    let server = ApiServer::start().await;
    server.on_list(path, [Answer::raw(format!(r#"{{"metadata": {{"resourceVersion": "1"}}, "items": [{object}]}}"#))]);
    let kubeconfig = Some(server.kubeconfig());
    let options = Options { kubeconfig, streams: Some(vec![stream]), list_mode: ListMode::Pages, ..Options::default() };
    let (sender, mut receiver) = mpsc::channel(64);
    let (_interest, interested) = watch::channel(Interest::default());
    let _tasks = Connection::load(options).await.unwrap().start(sender, interested, CancellationToken::new());
    loop {
        let batch = tokio::time::timeout(Duration::from_secs(30), receiver.recv()).await.unwrap().unwrap();
        for change in batch {
            match change {
                Change::Unreadable { problem, .. } => panic!("odd: {problem}"),
                Change::About(_) | Change::Link(..) | Change::Resync(_) => {}
                object => return object,
            }
        }
    }
}

fn at(time: Option<&Time>) -> Option<Timestamp> {
    time.map(|time| time.0)
}

fn uid(metadata: &ObjectMeta) -> Uid {
    Uid::new(metadata.uid.as_deref().unwrap())
}

fn quantity(amounts: &BTreeMap<String, FullQuantity>, name: &str) -> Quantity {
    amounts.get(name).map(|quantity| quantity.0.parse().unwrap()).unwrap_or_default()
}

fn assert_amounts(slim: &Resources, full: Option<&BTreeMap<String, FullQuantity>>) {
    let full = full.unwrap();
    assert!(!full.is_empty());
    assert_eq!(slim.cpu_millicores, quantity(full, "cpu").millis());
    assert_eq!(slim.memory_bytes, quantity(full, "memory").units());
    assert_eq!(slim.ephemeral_storage_bytes, quantity(full, "ephemeral-storage").units());
    assert_eq!(slim.pods, quantity(full, "pods").units());
    let known = ["cpu", "memory", "ephemeral-storage", "pods"];
    for name in full.keys().filter(|name| !known.contains(&name.as_str())) {
        assert_eq!(slim.extended.get(name.as_str()), Some(&quantity(full, name).units()), "{name}");
    }
}

#[tokio::test]
async fn a_full_node_agrees() {
    let full: core::Node = serde_json::from_str(NODE).unwrap();
    let Change::Node(slim) = read(NODES, Stream::Nodes, NODE).await else { panic!("no node") };
    let Node { name, uid: slim_uid, created, labels, conditions, allocatable, capacity, provider_id, .. } = &*slim;
    let (metadata, status) = (&full.metadata, full.status.as_ref().unwrap());
    let spec = full.spec.as_ref().unwrap();
    assert_eq!(Some(name.as_str()), metadata.name.as_deref());
    assert_eq!(*slim_uid, uid(metadata));
    assert_eq!(Some(*created), at(metadata.creation_timestamp.as_ref()));
    let full_labels: BTreeMap<&str, &str> =
        metadata.labels.iter().flatten().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert!(full_labels.len() > 10);
    assert_eq!(labels.iter().collect::<BTreeMap<_, _>>(), full_labels);
    let owner = metadata.owner_references.as_ref().unwrap().iter().find(|owner| owner.kind == "NodeClaim").unwrap();
    assert_eq!(slim.owner_claim, Some(Uid::new(&owner.uid)));
    assert_eq!(Some(provider_id.as_str()), spec.provider_id.as_deref());
    assert_amounts(allocatable, status.allocatable.as_ref());
    assert_amounts(capacity, status.capacity.as_ref());
    let full_conditions = status.conditions.as_ref().unwrap();
    assert_eq!(conditions.len(), full_conditions.len());
    for (slim, full) in conditions.iter().zip(full_conditions) {
        assert_eq!((slim.kind.as_str(), slim.status.name()), (full.type_.as_str(), full.status.as_str()));
        assert_eq!(
            (slim.reason.as_str(), slim.message.as_str()),
            (full.reason.as_deref().unwrap_or(""), full.message.as_deref().unwrap_or(""))
        );
        assert_eq!(slim.since, at(full.last_transition_time.as_ref()));
    }
    let info = status.node_info.as_ref().unwrap();
    assert_eq!(slim.kubelet_version, info.kubelet_version);
    assert_eq!(slim.os_image, info.os_image);
    assert_eq!(
        (slim.architecture.as_str(), slim.operating_system.as_str()),
        (info.architecture.as_str(), info.operating_system.as_str())
    );
}

#[tokio::test]
async fn a_full_pod_agrees() {
    let full: core::Pod = serde_json::from_str(POD).unwrap();
    let Change::Pod(slim) = read(PODS, Stream::Pods, POD).await else { panic!("no pod") };
    let (metadata, status, spec) = (&full.metadata, full.status.as_ref().unwrap(), full.spec.as_ref().unwrap());
    assert_eq!(Some(slim.key.name.as_str()), metadata.name.as_deref());
    assert_eq!(Some(slim.key.namespace.as_str()), metadata.namespace.as_deref());
    assert_eq!((slim.uid, Some(slim.created)), (uid(metadata), at(metadata.creation_timestamp.as_ref())));
    assert_eq!(Some(slim.node.as_str()), spec.node_name.as_deref());
    assert!(slim.started.is_some());
    assert_eq!((slim.phase, slim.started), (PodPhase::Running, at(status.start_time.as_ref())));
    assert_eq!((slim.class, &slim.scheduling), (PodClass::StatefulSet, &Scheduling::Scheduled));
    let owner = slim.owner.as_ref().unwrap();
    assert_eq!((owner.kind.as_str(), owner.name.as_str()), ("StatefulSet", "ledger"));
    assert_eq!(slim.capacity_provisioned, "0.25vCPU 0.5GB");
    // Computed: the init container's 2 cpu exceed 0.5 + 0.1 of container and sidecar, for memory it is the reverse; the
    // runtime class adds 250m and 120Mi, to a limit only if there is one.
    let mi = |n: u64| n << 20;
    let mut requests = Resources::new(2250, mi(512 + 32 + 120));
    requests.ephemeral_storage_bytes = 1_000_000_000;
    assert_eq!(slim.requests, requests);
    let mut limits = Resources::new(1250, mi(1024 + 64 + 120));
    limits.ephemeral_storage_bytes = 2_000_000_000;
    assert_eq!(slim.limits, limits);
}

/// Cluster Autoscaler `utils/pod/pod.go`, `IsDaemonSetPod`: the owner's kind whatever its group (openkruise/kruise
/// `apps.kruise.io`), or the annotation (vCluster's pods have no owner in the host cluster).
#[test_case("apps/v1", "DaemonSet", "", PodClass::DaemonSet)]
#[test_case("apps.kruise.io/v1alpha1", "DaemonSet", "", PodClass::DaemonSet)]
#[test_case("apps.kruise.io/v1beta1", "DaemonSet", "", PodClass::DaemonSet)]
#[test_case("extensions/v1beta1", "DaemonSet", "", PodClass::DaemonSet)]
#[test_case("", "", "true", PodClass::DaemonSet)]
#[test_case("apps/v1", "StatefulSet", "true", PodClass::DaemonSet ; "marked beside another owner")]
#[test_case("apps/v1", "StatefulSet", "false", PodClass::StatefulSet)]
#[test_case("apps/v1", "ReplicaSet", "", PodClass::Workload)]
#[test_case("datadoghq.com/v1alpha1", "ExtendedDaemonSetReplicaSet", "", PodClass::Workload)]
#[test_case("v1", "Node", "", PodClass::Static)]
#[tokio::test]
async fn daemonset_pods_of_every_owner(api_version: &str, kind: &str, mark: &str, class: PodClass) {
    let owners = if kind.is_empty() {
        serde_json::json!([])
    } else {
        serde_json::json!([{"apiVersion": api_version, "kind": kind, "name": "o", "uid": "u", "controller": true}])
    };
    let mut pod = serde_json::json!({"metadata": {"name": "p", "namespace": "default", "uid": "p", "ownerReferences": owners},
        "spec": {"nodeName": "n"}, "status": {"phase": "Running"}});
    if !mark.is_empty() {
        pod["metadata"]["annotations"] = serde_json::json!({"cluster-autoscaler.kubernetes.io/daemonset-pod": mark});
    }
    let Change::Pod(pod) = read(PODS, Stream::Pods, &pod.to_string()).await else { panic!("no pod") };
    assert_eq!(pod.class, class);
}

#[tokio::test]
async fn a_full_pod_without_a_node_agrees() {
    let full: core::Pod = serde_json::from_str(POD_PENDING).unwrap();
    let Change::Pod(slim) = read(PODS, Stream::Pods, POD_PENDING).await else { panic!("no pod") };
    let conditions = full.status.unwrap().conditions.unwrap();
    let message = conditions.iter().find(|c| c.type_ == "PodScheduled").unwrap().message.clone().unwrap();
    let Pod { node, phase, scheduling, started, .. } = &*slim;
    assert_eq!((node.as_str(), *phase, *started), ("", PodPhase::Pending, None));
    assert_eq!(scheduling, &Scheduling::Unschedulable(message.into()));
}

#[tokio::test]
async fn full_events_of_both_recorders_agree() {
    for text in [EVENT_OLD, EVENT_NEW] {
        let full: core::Event = serde_json::from_str(text).unwrap();
        let Change::Event(slim) = read(EVENTS, Stream::Events, text).await else { panic!("no event") };
        let Event { reason, message, component, object, first, last, count, .. } = &*slim;
        assert_eq!(slim.uid, uid(&full.metadata));
        assert_eq!(Some(reason.as_str()), full.reason.as_deref());
        assert_eq!(Some(message.as_str()), full.message.as_deref());
        assert_eq!(Some(component.as_str()), full.reporting_component.as_deref());
        let involved = &full.involved_object;
        assert_eq!(Some(object.kind.as_str()), involved.kind.as_deref());
        assert_eq!(Some(object.name.as_str()), involved.name.as_deref());
        assert_eq!(object.namespace.as_str(), involved.namespace.as_deref().unwrap_or(""));
        let event_time = full.event_time.as_ref().map(|time| time.0);
        assert_eq!(Some(*first), event_time.or(at(full.first_timestamp.as_ref())));
        assert_eq!(Some(*last), at(full.last_timestamp.as_ref()).or(event_time));
        assert_eq!(i64::from(*count), i64::from(full.count.unwrap_or(1)));
    }
}

#[tokio::test]
async fn a_full_disruption_budget_agrees() {
    let full: policy::PodDisruptionBudget = serde_json::from_str(PDB).unwrap();
    let Change::Pdb(slim) = read(PDBS, Stream::Pdbs, PDB).await else { panic!("no budget") };
    let status = full.status.unwrap();
    let numbers = [slim.disruptions_allowed, slim.current_healthy, slim.desired_healthy, slim.expected_pods];
    let full_numbers =
        [status.disruptions_allowed, status.current_healthy, status.desired_healthy, status.expected_pods];
    assert_eq!(numbers.map(|n| i32::try_from(n).ok()), full_numbers);
    let Some(IntOrString::String(limit)) = full.spec.unwrap().max_unavailable else { panic!("no percentage") };
    assert_eq!(slim.max_unavailable.as_deref(), Some(limit.as_str()));
    assert_eq!((slim.namespace.as_str(), slim.name.as_str(), slim.uid), ("default", "ledger", uid(&full.metadata)));
}

#[tokio::test]
async fn a_full_claim_agrees() {
    let full: Value = serde_json::from_str(NODE_CLAIM).unwrap();
    let Change::Claim(slim) = read(CLAIMS, Stream::NodeClaims, NODE_CLAIM).await else { panic!("no claim") };
    let NodeClaim { name, node_name, provider_id, conditions, requirements, .. } = &*slim;
    let (spec, status) = (&full["spec"], &full["status"]);
    assert_eq!(name.as_str(), full["metadata"]["name"]);
    assert_eq!(node_name.as_str(), status["nodeName"]);
    assert_eq!(provider_id.as_str(), status["providerID"]);
    assert_eq!(slim.node_class_group.as_str(), spec["nodeClassRef"]["group"]);
    assert_eq!(slim.node_class.as_str(), spec["nodeClassRef"]["name"]);
    assert_eq!(slim.expire_after_seconds, Some(336 * 3600));
    let amounts = |value: &Value| serde_json::from_value::<BTreeMap<String, FullQuantity>>(value.clone()).unwrap();
    assert_amounts(&slim.capacity, Some(&amounts(&status["capacity"])));
    assert_amounts(&slim.allocatable, Some(&amounts(&status["allocatable"])));
    assert_amounts(&slim.requests, Some(&amounts(&spec["resources"]["requests"])));
    assert_eq!(slim.last_pod_event.map(|time| time.to_string()).as_deref(), status["lastPodEventTime"].as_str());
    assert_eq!(conditions.len(), status["conditions"].as_array().unwrap().len());
    assert!(slim.is("Launched") && slim.is("Registered"));
    for (slim, full) in requirements.iter().zip(spec["requirements"].as_array().unwrap()) {
        assert_eq!(
            (slim.key.as_str(), slim.operator.as_str()),
            (full["key"].as_str().unwrap(), full["operator"].as_str().unwrap())
        );
        assert_eq!(slim.count as usize, full["values"].as_array().map_or(0, Vec::len));
    }
}

#[tokio::test]
async fn a_full_pool_agrees() {
    let full: Value = serde_json::from_str(NODE_POOL).unwrap();
    let Change::Pool(slim) = read(POOLS, Stream::NodePools, NODE_POOL).await else { panic!("no pool") };
    let NodePool { name, consolidation_policy, budgets, nodes, conditions, .. } = &*slim;
    let (spec, status) = (&full["spec"], &full["status"]);
    assert_eq!(name.as_str(), full["metadata"]["name"]);
    assert_eq!(slim.node_class_group.as_str(), spec["template"]["spec"]["nodeClassRef"]["group"]);
    assert_eq!(consolidation_policy.as_str(), spec["disruption"]["consolidationPolicy"]);
    let after = spec["disruption"]["consolidateAfter"].as_str().unwrap();
    assert_eq!(Some(after), slim.consolidate_after_seconds.map(|seconds| format!("{seconds}s")).as_deref());
    assert_eq!(budgets.len(), spec["disruption"]["budgets"].as_array().unwrap().len());
    assert_eq!(budgets[0].nodes.as_str(), spec["disruption"]["budgets"][0]["nodes"]);
    assert_eq!(*nodes, status["nodes"].as_u64());
    let cpus = spec["limits"]["cpu"].as_u64().unwrap(); // A number: limits are int-or-string.
    assert_eq!((slim.limits.cpu_millicores, slim.limited.as_slice()), (cpus * 1000, &["cpu".into()][..]));
    assert_eq!(slim.condition("Ready").map(|c| c.status), Some(ConditionStatus::True));
    assert_eq!(conditions.len(), status["conditions"].as_array().unwrap().len());
}

/// Kubernetes 1.37, `PodExtendedResourceClaimStatus`.
#[tokio::test]
async fn the_resources_of_an_extended_resource_claim_are_noted() {
    let mapping =
        serde_json::json!({"containerName": "a", "resourceName": "nvidia.com/gpu", "requestName": "container-0"});
    let pod = serde_json::json!({"metadata": {"name": "p", "namespace": "default", "uid": "p"}, "spec": {"nodeName": "n",
            "containers": [{"name": "a", "resources": {"requests": {"nvidia.com/gpu": "1"}}}]},
        "status": {"phase": "Running", "extendedResourceClaimStatus":
            {"resourceClaimName": "p-extended-resources-x7", "requestMappings": [mapping]}}});
    let Change::Pod(pod) = read(PODS, Stream::Pods, &pod.to_string()).await else { panic!("no pod") };
    assert_eq!(
        (pod.by_claim.as_slice(), pod.requests.extended.get("nvidia.com/gpu")),
        (&["nvidia.com/gpu".into()][..], Some(&1))
    );
}
