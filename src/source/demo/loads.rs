//! The demo's nodepools, `DaemonSets` and workloads, and the story of the new cluster.

use crate::model::{Name, PodClass, Resource, Resources, Taint, TaintEffect};
use crate::source::sim::catalog::{self, InstanceType};
use crate::source::sim::{CapacityType, PoolSpec, WorkloadSpec};

/// On-demand instances for all workloads.
pub(super) const GENERAL: &str = "general-purpose";
/// Instances for add-ons.
pub(super) const SYSTEM: &str = "system";
/// Spot instances.
pub(super) const SPOT: &str = "spot";
/// Instances with a GPU.
pub(super) const GPU: &str = "gpu";

/// The demo's region.
pub(super) const REGION: &str = "ap-northeast-2";
/// Zones of the demo's region.
pub(super) const ZONES: [&str; 3] = ["ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c"];

/// The demo's nodepools.
pub(super) fn pools() -> Vec<PoolSpec> {
    let pool = |name: &str, capacity_type, weight| PoolSpec {
        weight,
        consolidate_after: "15s".into(),
        budget: "50%".into(),
        ..PoolSpec::new(name, capacity_type)
    };
    let tainted = |key: &str, mut pool: PoolSpec| {
        pool.taints.push(Taint { key: key.into(), value: Name::default(), effect: TaintEffect::NoSchedule });
        pool
    };
    let mut general = pool(GENERAL, CapacityType::OnDemand, 10);
    general.cpu_limit = Some(40_000_000);
    vec![
        general,
        tainted("CriticalAddonsOnly", pool(SYSTEM, CapacityType::OnDemand, 0)),
        pool(SPOT, CapacityType::Spot, 0),
        tainted("nvidia.com/gpu", pool(GPU, CapacityType::OnDemand, 0)),
    ]
}

/// Instance types of a nodepool, smallest first, with at most `limit` vCPUs.
pub(super) fn types(pool: &str, limit: u64) -> Vec<&'static InstanceType> {
    let families: &[&str] = match pool {
        SPOT => &["c6g", "m6g", "r6g", "c7g"],
        GPU => &["g5", "g6", "g4dn"],
        SYSTEM => &["m5a", "r5a"],
        _ => &["c5a", "m5a", "r5a"],
    };
    let mut types: Vec<_> =
        catalog::CATALOG.iter().filter(|t| families.contains(&t.family()) && t.vcpu <= limit.min(16)).collect();
    types.sort_by_key(|t| (t.vcpu, t.memory_mib));
    types
}

fn workload(full: &str, cpu: u64, memory_mib: u64, pools: &[&str]) -> WorkloadSpec {
    let (namespace, name) = full.split_once('/').unwrap_or(("default", full));
    WorkloadSpec {
        namespace: namespace.into(),
        name: name.into(),
        class: PodClass::Workload,
        requests: Resources::new(cpu, memory_mib << 20),
        limits: Resources::new(0, memory_mib << 21),
        image: Name::from(format!("123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/{name}:2026.11.3")),
        pools: pools.iter().map(|p| Name::from(*p)).collect(),
    }
}

/// The `DaemonSets`.
pub(super) fn daemons() -> [WorkloadSpec; 2] {
    ["monitoring/node-exporter", "logging/fluent-bit"]
        .map(|name| WorkloadSpec { class: PodClass::DaemonSet, ..workload(name, 50, 64, &[]) })
}

/// The workloads of the story, in the order of [`SCENES`].
pub(super) fn story() -> Vec<WorkloadSpec> {
    let mut trainer = workload("ml/trainer", 3000, 9 * 1024, &[GPU]);
    trainer.requests.set(&Resource::from_name("nvidia.com/gpu"), 1);
    let kafka = WorkloadSpec { class: PodClass::StatefulSet, ..workload("data/kafka", 1500, 4096, &[GENERAL]) };
    vec![
        workload("shop/storefront", 500, 512, &[GENERAL, SPOT]),
        workload("shop/checkout", 1000, 1024, &[GENERAL, SPOT]),
        kafka,
        trainer,
        workload("batch/render", 1000, 1536, &[SPOT]),
        workload("shop/search", 250, 768, &[GENERAL, SPOT]),
        workload("kube-system/metrics-server", 100, 200, &[SYSTEM]),
    ]
}

/// Workloads of the story with a `PodDisruptionBudget`, and its `minAvailable` in percent.
pub(super) const PROTECTED: [(usize, u32); 2] = [(0, 50), (2, 60)];

/// A scripted step of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scene {
    /// Sets the replicas of the workload at this index of [`story`].
    Scale(usize, usize),
    /// A spot instance is interrupted.
    Interrupt,
    /// The load ends; after the last node is removed, the story restarts.
    End,
}

/// The story: milliseconds since its start, and the step.
pub(super) const SCENES: &[(i64, Scene)] = &[
    (800, Scene::Scale(0, 3)),
    (1_400, Scene::Scale(1, 2)),
    (16_000, Scene::Scale(6, 2)),
    (24_000, Scene::Scale(2, 3)),
    (34_000, Scene::Scale(3, 1)),
    (42_000, Scene::Scale(4, 14)),
    (58_000, Scene::Scale(0, 24)),
    (66_000, Scene::Scale(5, 6)),
    (78_000, Scene::Scale(1, 16)),
    (98_000, Scene::Scale(5, 9)),
    (105_000, Scene::Scale(5, 6)),
    (112_000, Scene::Interrupt),
    (130_000, Scene::Scale(3, 0)),
    (135_000, Scene::Scale(5, 10)),
    (142_000, Scene::Scale(0, 6)),
    (146_000, Scene::Scale(1, 3)),
    (150_000, Scene::Scale(4, 4)),
    (182_000, Scene::End),
];

/// The workloads of a fleet with a size: `count` of them, of various sizes, in several namespaces. The last one is a
/// batch job whose pods are too large for the free capacity of most nodes.
pub(super) fn fleet(count: usize, rng: &mut fastrand::Rng) -> Vec<WorkloadSpec> {
    const NAMESPACES: [&str; 8] = ["shop", "payments", "search", "data", "media", "identity", "ops", "batch"];
    const NAMES: [&str; 12] = [
        "api",
        "worker",
        "gateway",
        "web",
        "indexer",
        "cache",
        "scheduler",
        "consumer",
        "notifier",
        "exporter",
        "proxy",
        "reports",
    ];
    const SIZES: [(u64, u64); 8] =
        [(25, 64), (50, 128), (50, 128), (100, 256), (100, 256), (150, 256), (200, 512), (400, 1024)];
    let mut workloads = Vec::with_capacity(count + 2);
    for i in 0..count {
        let namespace = NAMESPACES[i % NAMESPACES.len()];
        let name = NAMES[i / NAMESPACES.len() % NAMES.len()];
        let round = i / (NAMESPACES.len() * NAMES.len());
        let full = if round == 0 { format!("{namespace}/{name}") } else { format!("{namespace}/{name}-v{round}") };
        let (cpu, memory) = SIZES[rng.usize(..SIZES.len())];
        let pools: &[&str] = if i % 4 == 3 { &[SPOT] } else { &[GENERAL, SPOT] };
        workloads.push(workload(&full, cpu, memory, pools));
    }
    workloads.push(workload("kube-system/metrics-server", 100, 200, &[SYSTEM]));
    let mut inference = workload("ml/inference", 1500, 4096, &[GPU]);
    inference.requests.set(&Resource::from_name("nvidia.com/gpu"), 1);
    workloads.push(inference);
    workloads.push(workload("batch/simulation", 7500, 8 * 1024, &[GENERAL]));
    workloads
}
