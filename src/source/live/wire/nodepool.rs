//! Karpenter's `NodePool`s (kubernetes-sigs/karpenter `pkg/apis/v1/nodepool.go`).

use super::amounts::Amounts;
use super::meta::{AllLabels, ConditionWire, Meta, NodeClassRef, RequirementWire, TaintWire, convert};
use crate::model::{Budget, NodePool, Resource, Resources};
use crate::source::json::{Int, Text, lenient};
use crate::units::Quantity;
use crate::units::age::go_duration;
use serde::Deserialize;

/// The part of a `NodePool` that is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::source::live) struct PoolWire {
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) metadata: Meta,
    #[serde(deserialize_with = "lenient")]
    spec: PoolSpec,
    #[serde(deserialize_with = "lenient")]
    status: PoolStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PoolSpec {
    weight: Int,
    replicas: Int,
    limits: Amounts,
    #[serde(deserialize_with = "lenient")]
    template: PoolTemplate,
    #[serde(deserialize_with = "lenient")]
    disruption: Disruption,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PoolTemplate {
    #[serde(deserialize_with = "lenient")]
    metadata: PoolTemplateMeta,
    #[serde(deserialize_with = "lenient")]
    spec: PoolTemplateSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PoolTemplateMeta {
    #[serde(deserialize_with = "lenient")]
    labels: AllLabels,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PoolTemplateSpec {
    #[serde(deserialize_with = "lenient")]
    node_class_ref: NodeClassRef,
    #[serde(deserialize_with = "lenient")]
    requirements: Vec<RequirementWire>,
    #[serde(deserialize_with = "lenient")]
    taints: Vec<TaintWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Disruption {
    consolidation_policy: Text,
    consolidate_after: Text,
    /// Absent and empty differ: absent is the default budget, empty is no limit.
    budgets: Option<Vec<BudgetWire>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BudgetWire {
    nodes: Text,
    schedule: Text,
    duration: Text,
    /// Absent is every reason, empty is none.
    reasons: Option<Vec<Text>>,
}

impl From<BudgetWire> for Budget {
    fn from(wire: BudgetWire) -> Self {
        Self {
            nodes: wire.nodes.0,
            schedule: wire.schedule.given(),
            duration: wire.duration.given(),
            reasons: wire.reasons.map(|reasons| reasons.into_iter().map(|reason| reason.0).collect()),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PoolStatus {
    nodes: Int,
    resources: Amounts,
    #[serde(deserialize_with = "lenient")]
    conditions: Vec<ConditionWire>,
}

impl PoolWire {
    /// Quantities that could not be read.
    pub(in crate::source::live) fn odd(&self) -> Option<String> {
        let of = |field: &str, amounts: &Amounts| amounts.odd().map(|odd| format!("{field}: {odd}"));
        of("spec.limits", &self.spec.limits).or_else(|| of("status.resources", &self.status.resources))
    }
}

impl From<PoolWire> for NodePool {
    fn from(wire: PoolWire) -> Self {
        let PoolWire { metadata, spec, status } = wire;
        let mut limits = Resources::default();
        let mut limited = Vec::new();
        // `nodes` among the limits is a count of nodes, not a resource of theirs.
        for (name, amount) in spec.limits.iter().filter(|(name, _)| *name != "nodes") {
            let resource = Resource::from_name(name);
            let amount = if resource == Resource::Cpu { amount.millis() } else { amount.units() };
            limits.set(&resource, amount);
            limited.push(name.into());
        }
        let mut resources = status.resources.to_resources();
        resources.extended.remove("nodes");
        let consolidate_after = match &*spec.disruption.consolidate_after {
            "" => Some(0),
            written => go_duration(written),
        };
        let budgets = match spec.disruption.budgets {
            Some(budgets) => convert(budgets),
            None => vec![Budget { nodes: "10%".into(), ..Budget::default() }],
        };
        Self {
            created: metadata.created(),
            deleted: metadata.deletion_timestamp.0,
            name: metadata.name.0,
            uid: metadata.uid.0,
            weight: spec.weight.count().unwrap_or(0),
            replicas: spec.replicas.count(),
            limits,
            node_limit: spec.limits.get("nodes").map(Quantity::units),
            limited,
            node_class_group: spec.template.spec.node_class_ref.group.0,
            node_class: spec.template.spec.node_class_ref.name.0,
            labels: spec.template.metadata.labels.0,
            requirements: convert(spec.template.spec.requirements),
            taints: convert(spec.template.spec.taints),
            consolidation_policy: spec.disruption.consolidation_policy.0,
            consolidate_after_seconds: consolidate_after,
            budgets,
            nodes: status.nodes.count().or_else(|| status.resources.get("nodes").map(Quantity::units)),
            resources,
            conditions: convert(status.conditions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(json: &str) -> NodePool {
        serde_json::from_str::<PoolWire>(json).unwrap().into()
    }

    #[test]
    fn limits_may_be_numbers_and_count_nodes_apart() {
        let pool = pool(r#"{"spec": {"limits": {"cpu": 64, "memory": "1Ti", "nodes": 10, "nvidia.com/gpu": "0"}}}"#);
        assert_eq!((pool.limits.cpu_millicores, pool.limits.memory_bytes), (64_000, 1 << 40));
        assert_eq!(pool.node_limit, Some(10));
        assert_eq!(pool.limited, ["cpu", "memory", "nvidia.com/gpu"]);
    }

    #[test]
    fn the_template_says_which_pods_a_pool_takes() {
        let template = r#"{"metadata": {"labels": {"team": "a"}}, "spec": {
            "requirements": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"], "minValues": 1}],
            "taints": [{"key": "gpu", "value": "1", "effect": "NoSchedule"}],
            "startupTaints": [{"key": "agent", "effect": "NoExecute"}]}}"#;
        let pool = pool(&format!(r#"{{"spec": {{"template": {template}}}}}"#));
        assert_eq!(pool.labels.get("team"), Some("a"));
        assert_eq!((pool.requirements[0].operator.as_str(), pool.requirements[0].values[0].as_str()), ("In", "arm64"));
        assert_eq!(pool.taints.iter().map(|taint| taint.key.as_str()).collect::<Vec<_>>(), ["gpu"]);
    }

    #[test]
    fn absent_budgets_are_the_default_and_empty_ones_are_none() {
        assert_eq!(pool("{}").budgets, [Budget { nodes: "10%".into(), ..Budget::default() }]);
        assert_eq!(pool(r#"{"spec": {"disruption": {"budgets": null}}}"#).budgets.len(), 1);
        assert_eq!(pool(r#"{"spec": {"disruption": {"budgets": []}}}"#).budgets, []);
        let budget = r#"{"nodes": 0, "schedule": "0 9 * * mon-fri", "duration": "8h", "reasons": []}"#;
        let read = pool(&format!(r#"{{"spec": {{"disruption": {{"budgets": [{budget}]}}}}}}"#));
        let want = Budget {
            nodes: "0".into(),
            schedule: Some("0 9 * * mon-fri".into()),
            duration: Some("8h".into()),
            reasons: Some(Vec::new()),
        };
        assert_eq!(read.budgets, [want]);
    }

    #[test]
    fn never_is_none() {
        let after = |text: &str| {
            pool(&format!(r#"{{"spec": {{"disruption": {{"consolidateAfter": "{text}"}}}}}}"#))
                .consolidate_after_seconds
        };
        assert_eq!((after("Never"), after("30s"), pool("{}").consolidate_after_seconds), (None, Some(30), Some(0)));
    }
}
