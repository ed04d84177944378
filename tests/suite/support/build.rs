//! Builders of the objects of a small EKS cluster, for tests to modify.

#![allow(dead_code, reason = "each area of tests uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use nodeglass::cluster::Cluster;
use nodeglass::model::{
    Change, Condition, ConditionStatus, Event, EventKind, Node, NodeClaim, NodeClass, NodePool, ObjectRef, Pod, PodKey,
    PodPhase, Provisioner, Resources, Scheduling, Timestamp, Uid, Volume, key,
};

/// A timestamp, in seconds.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// A condition.
pub fn condition(kind: &str, status: ConditionStatus, reason: &str) -> Condition {
    Condition { kind: kind.into(), status, reason: reason.into(), ..Condition::default() }
}

/// A ready c5a.xlarge of the nodepool `general`: 4 cpu, 16 GiB, 58 pods.
pub fn node(name: &str) -> Node {
    Node {
        name: name.into(),
        uid: Uid::new(&format!("node {name}")),
        labels: [
            (key::NODEPOOL, "general"),
            ("node.kubernetes.io/instance-type", "c5a.xlarge"),
            ("topology.kubernetes.io/zone", "ap-northeast-2a"),
            ("topology.kubernetes.io/region", "ap-northeast-2"),
            ("karpenter.sh/capacity-type", "on-demand"),
            ("kubernetes.io/arch", "amd64"),
            ("kubernetes.io/os", "linux"),
        ]
        .into_iter()
        .collect(),
        provider_id: format!("aws:///ap-northeast-2a/i-{name}").into(),
        conditions: vec![condition("Ready", ConditionStatus::True, "KubeletReady")],
        allocatable: Resources { pods: 58, ..Resources::new(4000, 16 << 30) },
        ..Node::default()
    }
}

/// A running pod on a node: 500 millicores and 1 GiB; without a node it is pending.
pub fn pod(name: &str, node: &str) -> Pod {
    let pending = node.is_empty();
    Pod {
        key: PodKey::new("default", name),
        uid: Uid::new(&format!("pod {name}")),
        node: node.into(),
        phase: if pending { PodPhase::Pending } else { PodPhase::Running },
        requests: Resources::new(500, 1 << 30),
        scheduling: if pending {
            Scheduling::Unschedulable("0/1 nodes are available: 1 Insufficient cpu.".into())
        } else {
            Scheduling::Scheduled
        },
        ..Pod::default()
    }
}

/// A launched, registered and initialized claim of the nodepool `general`, for the node `node` of [`node`].
pub fn claim(name: &str, node: &str) -> NodeClaim {
    let up = |kind| condition(kind, ConditionStatus::True, kind);
    NodeClaim {
        name: name.into(),
        uid: Uid::new(&format!("claim {name}")),
        labels: [(key::NODEPOOL, "general"), ("karpenter.sh/capacity-type", "on-demand")].into_iter().collect(),
        node_name: node.into(),
        provider_id: format!("aws:///ap-northeast-2a/i-{node}").into(),
        conditions: vec![up("Launched"), up("Registered"), up("Initialized")],
        ..NodeClaim::default()
    }
}

/// A NodeClaim before launch.
pub fn fresh_claim(name: &str) -> NodeClaim {
    NodeClaim {
        node_name: "".into(),
        provider_id: "".into(),
        conditions: vec![condition("Launched", ConditionStatus::Unknown, "AwaitingReconciliation")],
        ..claim(name, "")
    }
}

/// A nodepool.
pub fn pool(name: &str) -> NodePool {
    NodePool { name: name.into(), uid: Uid::new(&format!("pool {name}")), ..NodePool::default() }
}

/// A node class of Karpenter with a root volume of 20 GiB.
pub fn node_class(name: &str) -> NodeClass {
    let root = Volume { volume_type: "gp3".into(), size_gib: Some(20), root: true, ..Volume::default() };
    let uid = Uid::new(&format!("class {name}"));
    NodeClass { name: name.into(), uid, provisioner: Provisioner::Karpenter, volumes: vec![root] }
}

/// An event about a cluster-scoped object or a pod of the namespace `default`.
pub fn event(kind: &str, name: &str, reason: &str, message: &str, seconds: i64) -> Event {
    Event {
        uid: Uid::new(&format!("event {kind} {name} {reason} {seconds}")),
        kind: EventKind::Warning,
        reason: reason.into(),
        message: message.into(),
        component: "karpenter".into(),
        object: ObjectRef {
            kind: kind.into(),
            namespace: if kind == "Pod" { "default".into() } else { "".into() },
            name: name.into(),
        },
        first: at(seconds),
        last: at(seconds),
        count: 1,
    }
}

/// An object as the change that adds it.
pub trait Added {
    /// The change.
    fn added(self) -> Change;
}

macro_rules! added {
    ($($kind:ty => $variant:ident),*) => {
        $(impl Added for $kind {
            fn added(self) -> Change {
                Change::$variant(Box::new(self))
            }
        })*
    };
}

added!(Node => Node, Pod => Pod, NodeClaim => Claim, NodePool => Pool, NodeClass => NodeClass, Event => Event);

/// A cluster after these changes, one per second.
pub fn cluster(changes: impl IntoIterator<Item = Change>) -> Cluster {
    let mut cluster = Cluster::new(None);
    for (i, change) in changes.into_iter().enumerate() {
        cluster.apply(change, at(i as i64));
    }
    cluster
}
