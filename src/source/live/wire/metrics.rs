//! metrics.k8s.io/v1beta1.

use super::amounts::Amounts;
use super::meta::Meta;
use crate::model::{Name, PodKey, Usage};
use crate::source::json::{Text, Time, lenient};
use crate::units::Quantity;
use crate::units::age::go_duration;
use serde::Deserialize;

/// A `NodeMetricsList` or `PodMetricsList`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::source::live) struct MetricsList {
    #[serde(deserialize_with = "lenient")]
    items: Vec<Metrics>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metrics {
    #[serde(deserialize_with = "lenient")]
    metadata: Meta,
    timestamp: Time,
    window: Text,
    /// Of a node.
    usage: Amounts,
    /// Of a pod, which has no total of its own.
    #[serde(deserialize_with = "lenient")]
    containers: Vec<ContainerMetrics>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContainerMetrics {
    usage: Amounts,
}

impl Metrics {
    /// The sum; none where cpu or memory is missing or cannot be read, since unknown is not zero.
    fn usage(&self) -> Option<Usage> {
        let mut sum = self.usage.clone();
        for container in &self.containers {
            sum.add(&container.usage);
        }
        Some(Usage {
            cpu_millicores: sum.get("cpu").map(Quantity::millis)?,
            memory_bytes: sum.get("memory").map(Quantity::units)?,
            at: self.timestamp.0.unwrap_or_default(),
            window_seconds: go_duration(&self.window).and_then(|s| u32::try_from(s).ok()).unwrap_or(0),
        })
    }
}

impl MetricsList {
    /// Usage by node name.
    pub(in crate::source::live) fn nodes(self) -> Vec<(Name, Usage)> {
        self.items.into_iter().filter_map(|item| Some((item.metadata.name.0.clone(), item.usage()?))).collect()
    }

    /// Usage by pod, containers summed before rounding.
    pub(in crate::source::live) fn pods(self) -> Vec<(PodKey, Usage)> {
        let key = |item: &Metrics| PodKey {
            namespace: item.metadata.namespace.0.clone(),
            name: item.metadata.name.0.clone(),
        };
        self.items.into_iter().filter_map(|item| Some((key(&item), item.usage()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_summed_before_rounding_and_zero_stays_zero() {
        let list: MetricsList = serde_json::from_str(
            r#"{"items": [
                {"metadata": {"namespace": "web", "name": "a"}, "timestamp": "2026-11-24T08:00:00Z", "window": "15.046s",
                 "containers": [{"name": "x", "usage": {"cpu": "500000n", "memory": "10Ki"}},
                                {"name": "y", "usage": {"cpu": "500000n", "memory": "0"}}]},
                {"metadata": {"namespace": "web", "name": "idle"}, "containers": [{"usage": {"cpu": "0", "memory": "0"}}]}]}"#,
        )
        .unwrap();
        let pods = list.pods();
        assert_eq!(pods[0].0, PodKey::new("web", "a"));
        assert_eq!((pods[0].1.cpu_millicores, pods[0].1.memory_bytes, pods[0].1.window_seconds), (1, 10_240, 16));
        assert_eq!((pods[1].1.cpu_millicores, pods[1].1.memory_bytes), (0, 0));
    }
}
