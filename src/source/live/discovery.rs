//! What the server is: its version, and by its API groups what provisions its nodes. Both are open to every
//! authenticated user.

use super::backoff::Backoff;
use super::fault::Fault;
use super::outbox::Outbox;
use super::server::SharedServer;
use super::wire::scalar::{Text, lenient};
use crate::model::{About, Change, Flavour, Name};
use serde::Deserialize;
use tokio::time::sleep;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VersionWire {
    major: Text,
    minor: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GroupsWire {
    #[serde(deserialize_with = "lenient")]
    groups: Vec<Group>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Group {
    name: Text,
    #[serde(deserialize_with = "lenient")]
    versions: Vec<GroupVersion>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GroupVersion {
    version: Text,
}

/// Asks now and again every few minutes: CRDs are installed and servers are upgraded while we watch.
pub(super) async fn run(server: SharedServer, mut outbox: Outbox, mut random: fastrand::Rng, announced: bool) {
    let timing = server.timing.clone();
    let mut backoff = Backoff::new(timing.backoff_base, timing.backoff_cap, timing.good_spell);
    let mut told = server.about.clone();
    if !announced && outbox.send(Change::About(told.clone())).await.is_err() {
        return;
    }
    loop {
        let wait = match ask(&server).await {
            Ok(about) => {
                if about != told {
                    told = about.clone();
                    if outbox.send(Change::About(about)).await.is_err() {
                        return;
                    }
                }
                backoff.went_well_for(timing.good_spell);
                timing.discovery_every
            }
            // The streams tell the trouble; here only the answer is missing.
            Err(fault) => {
                tracing::debug!(%fault, "discovery failed");
                backoff.next(random.f64())
            }
        };
        sleep(wait).await;
    }
}

async fn ask(server: &SharedServer) -> Result<About, Fault> {
    let version = read_version(&server.get_whole(VERSION).await?)?;
    let (flavours, _) = read_groups(&server.get_whole(GROUPS).await?)?;
    Ok(About { version, flavours, ..server.about.clone() })
}

/// Where a server tells its version.
pub(super) const VERSION: &str = "/version";
/// Where it tells its API groups.
pub(super) const GROUPS: &str = "/apis";

fn malformed(error: &serde_json::Error) -> Fault {
    Fault::Malformed(format!("line {}, column {}", error.line(), error.column()))
}

/// The version in an answer of [`VERSION`].
pub(super) fn read_version(body: &[u8]) -> Result<String, Fault> {
    let version: VersionWire = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
    Ok(version.short())
}

/// An API group and the versions of it that are served.
pub(super) type GroupVersions = (Name, Vec<Name>);

/// What provisions nodes, by an answer of [`GROUPS`], and every group with its versions.
pub(super) fn read_groups(body: &[u8]) -> Result<(Vec<Flavour>, Vec<GroupVersions>), Fault> {
    let groups: GroupsWire = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
    let flavours = groups.flavours();
    let versions = |group: Group| group.versions.into_iter().map(|version| version.version.0).collect();
    let groups = groups.groups.into_iter().map(|group| (group.name.0.clone(), versions(group)));
    Ok((flavours, groups.collect()))
}

impl VersionWire {
    /// `1.36`; some providers append a `+` to the minor version.
    fn short(&self) -> String {
        if self.major.is_empty() {
            String::new()
        } else {
            format!("{}.{}", &*self.major, self.minor.trim_end_matches('+'))
        }
    }
}

impl GroupsWire {
    fn serves(&self, name: &str, version: &str) -> bool {
        self.groups.iter().any(|g| &*g.name == name && g.versions.iter().any(|v| &*v.version == version))
    }

    fn flavours(&self) -> Vec<Flavour> {
        let by_class = [
            (Flavour::AutoMode, "eks.amazonaws.com", "v1"),
            (Flavour::Karpenter, "karpenter.k8s.aws", "v1"),
            (Flavour::Kwok, "karpenter.kwok.sh", "v1alpha1"),
        ];
        let mut flavours: Vec<Flavour> =
            by_class.into_iter().filter(|(_, group, version)| self.serves(group, version)).map(|(f, ..)| f).collect();
        if flavours.is_empty() && self.serves("karpenter.sh", "v1") {
            flavours.push(Flavour::OtherKarpenter);
        }
        flavours
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case(&[("apps", "v1")] => Vec::<Flavour>::new() ; "nothing")]
    #[test_case(&[("karpenter.sh", "v1"), ("eks.amazonaws.com", "v1")] => vec![Flavour::AutoMode] ; "auto mode")]
    #[test_case(&[("karpenter.sh", "v1"), ("eks.amazonaws.com", "v1"), ("karpenter.k8s.aws", "v1")]
        => vec![Flavour::AutoMode, Flavour::Karpenter] ; "both")]
    #[test_case(&[("karpenter.sh", "v1"), ("eks.amazonaws.com", "v1alpha1")] => vec![Flavour::OtherKarpenter] ;
        "the monitoring agent's group is not auto mode")]
    #[test_case(&[("karpenter.sh", "v1"), ("karpenter.kwok.sh", "v1alpha1")] => vec![Flavour::Kwok] ; "kwok")]
    #[test_case(&[("karpenter.sh", "v1beta1")] => Vec::<Flavour>::new() ; "a version that is not watched")]
    fn flavours_follow_api_groups(groups: &[(&str, &str)]) -> Vec<Flavour> {
        let groups: Vec<_> = groups
            .iter()
            .map(|(name, version)| serde_json::json!({"name": name, "versions": [{"version": version}]}))
            .collect();
        serde_json::from_value::<GroupsWire>(serde_json::json!({"groups": groups})).unwrap().flavours()
    }

    #[test_case(r#"{"major": "1", "minor": "36", "gitVersion": "v1.36.3"}"# => "1.36")]
    #[test_case(r#"{"major": "1", "minor": "33+"}"# => "1.33" ; "a provider's mark")]
    #[test_case("{}" => "" ; "unknown")]
    fn versions_are_short(json: &str) -> String {
        serde_json::from_str::<VersionWire>(json).unwrap().short()
    }
}
