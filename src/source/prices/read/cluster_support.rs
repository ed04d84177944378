//! What EKS says of a cluster's control plane: its version, its tier, and which support it is under.
//!
//! Two answers of the EKS API: `DescribeCluster` (`GET /clusters/<name>`) and, for which support a version is in today,
//! `DescribeClusterVersions` (`GET /cluster-versions?clusterVersions=<version>`). Source: the Amazon EKS API reference.

use super::slim::{Show, Slim, Text, of, show, skip};
use super::{ReadError, name};
use crate::pricing::{ClusterSupport, SupportPhase, SupportType};
use serde::de::{MapAccess, SeqAccess};

const CLUSTER: &str = "the answer of eks:DescribeCluster";
const VERSIONS: &str = "the answer of eks:DescribeClusterVersions";

/// Tier and support of the cluster. Which support its version is in today is not among them: see [`phase`].
///
/// # Errors
///
/// If the bytes are no whole JSON, or describe no cluster.
pub fn read(body: &[u8]) -> Result<ClusterSupport, ReadError> {
    let mut answer = ClusterAnswer::default();
    show(body, &mut answer).map_err(|why| ReadError::garbled(CLUSTER, "JSON", &why))?;
    let Some(Cluster { version, tier, support }) = answer.0 else {
        return Err(ReadError::Shape { document: CLUSTER, expected: "an object `cluster`" });
    };
    let support = support.0.get().and_then(|kind| match kind {
        "STANDARD" => Some(SupportType::Standard),
        "EXTENDED" => Some(SupportType::Extended),
        _ => None,
    });
    let version = version.get().and_then(name).unwrap_or_default();
    Ok(ClusterSupport { version, tier: tier.0.get().and_then(name), support, phase: None })
}

/// Which support a version is in today. None: the answer does not name it, or says something new.
///
/// # Errors
///
/// If the bytes are no whole JSON, or hold no list of versions.
pub fn phase(body: &[u8], version: &str) -> Result<Option<SupportPhase>, ReadError> {
    let mut answer = VersionsAnswer::default();
    show(body, &mut answer).map_err(|why| ReadError::garbled(VERSIONS, "JSON", &why))?;
    if !answer.listed {
        return Err(ReadError::Shape { document: VERSIONS, expected: "a list `clusterVersions`" });
    }
    let own = answer.versions.iter().find(|own| own.name.is(version));
    Ok(own.and_then(|own| {
        // `versionStatus` took the place of `status`, whose values are in lower case and with dashes.
        let mut said = [own.newer_status.get(), own.status.get()].into_iter().flatten();
        said.find_map(|said| match said.to_ascii_uppercase().replace('-', "_").as_str() {
            "STANDARD_SUPPORT" => Some(SupportPhase::Standard),
            "EXTENDED_SUPPORT" => Some(SupportPhase::Extended),
            _ => None,
        })
    }))
}

#[derive(Default)]
struct ClusterAnswer<'de>(Option<Cluster<'de>>);

impl<'de> Slim<'de> for ClusterAnswer<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "cluster" => map.next_value_seed(Show(self.0.insert(Cluster::default()))),
            _ => skip(map),
        }
    }
}

#[derive(Default)]
struct Cluster<'de> {
    version: Text<'de>,
    tier: Inner<'de>,
    support: Inner<'de>,
}

impl<'de> Slim<'de> for Cluster<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "version" => self.version = map.next_value()?,
            "controlPlaneScalingConfig" => self.tier = of(map)?,
            "upgradePolicy" => self.support = of(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// The one value that an object is about.
#[derive(Default)]
struct Inner<'de>(Text<'de>);

impl<'de> Slim<'de> for Inner<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "tier" | "supportType" => self.0 = map.next_value()?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct VersionsAnswer<'de> {
    listed: bool,
    versions: Vec<Version<'de>>,
}

#[derive(Default)]
struct Version<'de> {
    name: Text<'de>,
    newer_status: Text<'de>,
    status: Text<'de>,
}

impl<'de> Slim<'de> for VersionsAnswer<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "clusterVersions" => map.next_value_seed(Show(self)),
            _ => skip(map),
        }
    }

    fn element<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        self.listed = true;
        let mut version = Version::default();
        let more = list.next_element_seed(Show(&mut version))?.is_some();
        self.versions.extend(more.then_some(version));
        Ok(more)
    }
}

impl<'de> Slim<'de> for Version<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let field = match key {
            "clusterVersion" => &mut self.name,
            "versionStatus" => &mut self.newer_status,
            "status" => &mut self.status,
            _ => return skip(map),
        };
        *field = map.next_value()?;
        Ok(())
    }
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
        let told =
            r#", "upgradePolicy": {"supportType": "EXTENDED"}, "controlPlaneScalingConfig": {"tier": "tier-xl"}"#;
        let want = ClusterSupport {
            version: "1.33".into(),
            tier: Some("tier-xl".into()),
            support: Some(SupportType::Extended),
            phase: None,
        };
        assert_eq!(cluster(told), want);
        let standard =
            r#", "upgradePolicy": {"supportType": "STANDARD"}, "controlPlaneScalingConfig": {"tier": "standard"}"#;
        let told = cluster(standard);
        assert_eq!((told.tier.as_deref(), told.support), (Some("standard"), Some(SupportType::Standard)));
    }

    #[test_case("" ; "nothing")]
    #[test_case(r#", "upgradePolicy": null, "controlPlaneScalingConfig": null"# ; "null")]
    #[test_case(r#", "upgradePolicy": {}, "controlPlaneScalingConfig": {"tier": ""}"# ; "empty")]
    #[test_case(r#", "upgradePolicy": {"supportType": "FOREVER"}, "controlPlaneScalingConfig": []"# ; "something new")]
    #[test_case(r#", "upgradePolicy": 7, "controlPlaneScalingConfig": {"tier": {}}"# ; "of another kind")]
    fn what_is_not_told_stays_unknown(more: &str) {
        assert_eq!(cluster(more), ClusterSupport { version: "1.33".into(), ..ClusterSupport::default() });
    }

    #[test]
    fn what_describes_no_cluster_is_an_error() {
        assert!(matches!(read(b""), Err(ReadError::Garbled { .. })));
        assert!(matches!(read(b"{\"cluster\": {\"version\":"), Err(ReadError::Garbled { .. })));
        for body in ["{}", "[]", r#"{"message": "No cluster found for name: prod."}"#] {
            let error = read(body.as_bytes()).unwrap_err();
            let want = "read the answer of eks:DescribeCluster: it is of another shape (expected an object `cluster`)";
            assert_eq!(error.to_string(), want);
        }
        assert_eq!(read(br#"{"cluster": null}"#), Ok(ClusterSupport::default()), "described, and nothing told");
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
    fn what_lists_no_versions_is_an_error() {
        assert!(matches!(phase(b"<html>", "1.36"), Err(ReadError::Garbled { .. })));
        assert!(matches!(phase(b"{\"clusterVersions\": {}}", "1.36"), Err(ReadError::Shape { .. })));
        assert_eq!(phase(b"{\"clusterVersions\": []}", "1.36"), Ok(None));
    }
}
