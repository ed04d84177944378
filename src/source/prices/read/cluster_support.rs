//! What EKS answers about a cluster's control plane: its version, its tier, and its support.
//!
//! Two answers of the EKS API: `DescribeCluster` (`GET /clusters/<name>`) and, for the support phase of a version,
//! `DescribeClusterVersions` (`GET /cluster-versions?clusterVersions=<version>`). Source: the Amazon EKS API reference.

use super::{AskError, ValidItems, from_json, name};
use crate::pricing::{ClusterSupport, SupportPhase, SupportType};
use crate::source::json::{IfValid, Text};
use serde::Deserialize;

/// Version, tier and support type of the cluster. The support phase of its version is not in this answer: see [`phase`].
///
/// # Errors
///
/// If the bytes are not a complete answer about a cluster.
pub fn read(body: &[u8]) -> Result<ClusterSupport, AskError> {
    let answer: ClusterAnswer = from_json("the answer of eks:DescribeCluster", body)?;
    let cluster = answer.cluster.0.unwrap_or_default();
    let support = match &*cluster.upgrade_policy.0.unwrap_or_default().support_type {
        "STANDARD" => Some(SupportType::Standard),
        "EXTENDED" => Some(SupportType::Extended),
        _ => None,
    };
    let tier = name(&cluster.control_plane_scaling_config.0.unwrap_or_default().tier);
    Ok(ClusterSupport { version: name(&cluster.version).unwrap_or_default(), tier, support, phase: None })
}

/// The support phase of a version; `None` if the answer lacks the version, or has an unknown phase.
///
/// # Errors
///
/// If the bytes are not a complete answer about versions.
pub fn phase(body: &[u8], version: &str) -> Result<Option<SupportPhase>, AskError> {
    let answer: VersionsAnswer = from_json("the answer of eks:DescribeClusterVersions", body)?;
    let mut versions = answer.cluster_versions.0.into_iter();
    Ok(versions.find(|own| own.cluster_version.is(version)).and_then(|own| {
        // `versionStatus` replaces `status`, whose values are in lower case and with dashes.
        [own.version_status, own.status].iter().find_map(|status| {
            match status.to_ascii_uppercase().replace('-', "_").as_str() {
                "STANDARD_SUPPORT" => Some(SupportPhase::Standard),
                "EXTENDED_SUPPORT" => Some(SupportPhase::Extended),
                _ => None,
            }
        })
    }))
}

#[derive(Deserialize)]
struct ClusterAnswer {
    cluster: IfValid<Cluster>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Cluster {
    version: Text,
    control_plane_scaling_config: IfValid<ScalingConfig>,
    upgrade_policy: IfValid<UpgradePolicy>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ScalingConfig {
    tier: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UpgradePolicy {
    support_type: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionsAnswer {
    cluster_versions: ValidItems<ListedVersion>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListedVersion {
    cluster_version: Text,
    version_status: Text,
    status: Text,
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn cluster(more: &str) -> ClusterSupport {
        let body = format!(
            r#"{{"cluster": {{"name": "prod", "arn": "arn:aws:eks:ap-northeast-2:123456789012:cluster/prod",
            "version": "1.33", "status": "ACTIVE", "health": {{"issues": []}}, "tags": {{"tier": "gold"}}{more}}}}}"#
        );
        read(body.as_bytes()).unwrap()
    }

    #[test]
    fn tier_and_support_are_read() {
        let values =
            r#", "upgradePolicy": {"supportType": "EXTENDED"}, "controlPlaneScalingConfig": {"tier": "tier-xl"}"#;
        let want = ClusterSupport {
            version: "1.33".into(),
            tier: Some("tier-xl".into()),
            support: Some(SupportType::Extended),
            phase: None,
        };
        assert_eq!(cluster(values), want);
        let standard =
            r#", "upgradePolicy": {"supportType": "STANDARD"}, "controlPlaneScalingConfig": {"tier": "standard"}"#;
        let values = cluster(standard);
        assert_eq!((values.tier.as_deref(), values.support), (Some("standard"), Some(SupportType::Standard)));
    }

    #[test_case("" ; "nothing")]
    #[test_case(r#", "upgradePolicy": null, "controlPlaneScalingConfig": null"# ; "null")]
    #[test_case(r#", "upgradePolicy": {}, "controlPlaneScalingConfig": {"tier": ""}"# ; "empty")]
    #[test_case(r#", "upgradePolicy": {"supportType": "FOREVER"}, "controlPlaneScalingConfig": []"# ; "something new")]
    #[test_case(r#", "upgradePolicy": 7, "controlPlaneScalingConfig": {"tier": {}}"# ; "of another kind")]
    fn missing_and_unknown_values_are_none(more: &str) {
        assert_eq!(cluster(more), ClusterSupport { version: "1.33".into(), ..ClusterSupport::default() });
    }

    #[test]
    fn an_answer_without_a_cluster_is_an_error() {
        let error = |body: &str| read(body.as_bytes()).unwrap_err().to_string();
        for body in ["", "{\"cluster\": {\"version\":"] {
            assert!(error(body).starts_with("read the answer of eks:DescribeCluster: it is not complete JSON ("));
        }
        for body in ["{}", "[]", r#"{"message": "No cluster found for name: prod."}"#] {
            assert!(error(body).starts_with("read the answer of eks:DescribeCluster: its form is unexpected ("));
        }
        assert_eq!(read(br#"{"cluster": null}"#), Ok(ClusterSupport::default()), "a cluster without values");
    }

    const THREE: &[u8] = br#"{"clusterVersions": [
        {"clusterVersion": "1.36", "defaultVersion": true, "status": "standard-support", "versionStatus": "STANDARD_SUPPORT"},
        {"clusterVersion": "1.33", "status": "extended-support", "versionStatus": "EXTENDED_SUPPORT"},
        {"clusterVersion": "1.32", "status": "extended-support"},
        {"clusterVersion": "1.24", "status": "unsupported", "versionStatus": "UNSUPPORTED"}], "nextToken": null}"#;

    #[test_case("1.36" => Some(SupportPhase::Standard))]
    #[test_case("1.33" => Some(SupportPhase::Extended))]
    #[test_case("1.32" => Some(SupportPhase::Extended) ; "by the older field")]
    #[test_case("1.24" => None ; "neither")]
    #[test_case("1.3" => None ; "not named")]
    fn the_support_of_a_version_is_read(version: &str) -> Option<SupportPhase> {
        phase(THREE, version).unwrap()
    }

    #[test]
    fn an_answer_without_versions_is_an_error() {
        let error = |body: &[u8]| phase(body, "1.36").unwrap_err().reason();
        assert!(error(b"<html>").starts_with("the answer cannot be read: it is not complete JSON ("));
        assert!(error(b"{\"clusterVersions\": {}}").starts_with("the answer cannot be read: its form is unexpected ("));
        assert_eq!(phase(b"{\"clusterVersions\": []}", "1.36"), Ok(None));
    }
}
