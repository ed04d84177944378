//! `PodDisruptionBudget`s (`policy/v1`).

use super::meta::Meta;
use crate::model::DisruptionBudget;
use crate::source::json::{Int, Text, lenient};
use serde::Deserialize;

/// The part of a `PodDisruptionBudget` that is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::source::live) struct PdbWire {
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) metadata: Meta,
    #[serde(deserialize_with = "lenient")]
    spec: PdbSpec,
    #[serde(deserialize_with = "lenient")]
    status: PdbStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PdbSpec {
    min_available: Text,
    max_unavailable: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PdbStatus {
    disruptions_allowed: Int,
    current_healthy: Int,
    desired_healthy: Int,
    expected_pods: Int,
}

impl From<PdbWire> for DisruptionBudget {
    fn from(wire: PdbWire) -> Self {
        let PdbWire { metadata, spec, status } = wire;
        Self {
            namespace: metadata.namespace.0,
            name: metadata.name.0,
            uid: metadata.uid.0,
            min_available: spec.min_available.given(),
            max_unavailable: spec.max_unavailable.given(),
            disruptions_allowed: status.disruptions_allowed.count().unwrap_or(0),
            current_healthy: status.current_healthy.count().unwrap_or(0),
            desired_healthy: status.desired_healthy.count().unwrap_or(0),
            expected_pods: status.expected_pods.count().unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_kept_as_written_be_it_a_count_or_a_percentage() {
        let read = |spec: &str| -> DisruptionBudget {
            serde_json::from_str::<PdbWire>(&format!(r#"{{"spec": {spec}}}"#)).unwrap().into()
        };
        assert_eq!(read(r#"{"minAvailable": "50%"}"#).min_available.as_deref(), Some("50%"));
        assert_eq!(read(r#"{"maxUnavailable": 0}"#).max_unavailable.as_deref(), Some("0"));
        assert_eq!(read(r#"{"maxUnavailable": 0}"#).min_available, None);
    }
}
