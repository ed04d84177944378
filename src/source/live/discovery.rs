//! What the server is: its version, and by its API groups what provisions its nodes. Both are open to every
//! authenticated user.

use super::backoff::Backoff;
use super::fault::Fault;
use super::outbox::Outbox;
use super::server::{Server, SharedServer};
use crate::model::{About, Change, Name, Provisioner};
use crate::source::json::{Text, lenient};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout_at};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VersionWire {
    major: Text,
    minor: Text,
    git_version: Text,
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
    if !announced && outbox.send(Change::About(server.about.clone())).await.is_err() {
        return;
    }
    loop {
        // One may be refused where the other is not, so that each is taken for itself.
        let (version, provisioners) = tokio::join!(ask_version(&server), ask_provisioners(&server));
        let learnt = |about: &mut About| {
            about.version = version.as_ref().unwrap_or(&about.version).clone();
            about.provisioners = provisioners.as_ref().unwrap_or(&about.provisioners).clone();
        };
        if server.learn(&mut outbox, learnt).await.is_err() {
            return;
        }
        let wait = match version.and(provisioners) {
            Ok(_) => {
                backoff.went_well_for(timing.good_spell);
                timing.discovery_every
            }
            // The streams show the trouble; here only the answer is missing.
            Err(fault) => {
                tracing::debug!(%fault, "discovery failed");
                backoff.next(random.f64())
            }
        };
        sleep(wait).await;
    }
}

async fn ask_version(server: &Server) -> Result<String, Fault> {
    read_version(&server.get_whole(VERSION).await?)
}

async fn ask_provisioners(server: &Server) -> Result<Vec<Provisioner>, Fault> {
    Ok(read_groups(&server.get_whole(GROUPS).await?)?.0)
}

/// The server's version, for a caller that cannot go on without it: a failure that may pass is tried again for up to
/// `timing.version_patience`. `None` if the server refuses the request or the time is up.
pub(super) async fn insist_on_version(server: &Server) -> Option<String> {
    let deadline = Instant::now() + server.timing.version_patience;
    loop {
        match timeout_at(deadline, ask_version(server)).await {
            Ok(Ok(version)) => return Some(version),
            Ok(Err(Fault::Denied(_) | Fault::Absent | Fault::Refused(_) | Fault::Malformed(_))) | Err(_) => {
                return None;
            }
            Ok(Err(fault)) => tracing::debug!(%fault, "the server's version is asked for again"),
        }
        timeout_at(deadline, sleep(server.timing.backoff_base)).await.ok()?;
    }
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

/// The part of an `APIResourceList` that is used.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ResourcesWire {
    resources: Option<Vec<ResourceName>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ResourceName {
    name: Text,
}

/// Whether the server has the kind at `path` (`/apis/GROUP/VERSION/RESOURCE`), by its discovery; `None` where that is
/// not to be found out, and for the core kinds, which every server has.
///
/// The server authorizes before it looks for the kind (kubernetes/apiserver `pkg/server/config.go`,
/// `DefaultBuildHandlerChain`), so a 403 does not say that the kind exists. Discovery is open to every authenticated
/// user (the cluster role `system:discovery`).
pub(super) async fn serves(server: &SharedServer, path: &str) -> Option<bool> {
    let (group_version, resource) = path.rsplit_once('/')?;
    if !group_version.starts_with("/apis/") {
        return None;
    }
    match server.get_whole(group_version).await {
        Ok(body) => {
            let resources = serde_json::from_slice::<ResourcesWire>(&body).ok()?.resources?;
            Some(resources.iter().any(|served| &*served.name == resource))
        }
        Err(Fault::Absent) => Some(false),
        Err(_) => None,
    }
}

/// What provisions nodes, by an answer of [`GROUPS`], and every group with its versions.
pub(super) fn read_groups(body: &[u8]) -> Result<(Vec<Provisioner>, Vec<GroupVersions>), Fault> {
    let groups: GroupsWire = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
    let provisioners = groups.provisioners();
    let versions = |group: Group| group.versions.into_iter().map(|version| version.version.0).collect();
    let groups = groups.groups.into_iter().map(|group| (group.name.0.clone(), versions(group)));
    Ok((provisioners, groups.collect()))
}

impl VersionWire {
    /// `1.36`. Some providers append a `+` to the minor version; a server built without the linker flags that set both
    /// numbers has them in `gitVersion` alone, such as `v1.36.3-eks-1a2b3c4`. Empty if there is no number.
    fn short(&self) -> String {
        fn number(text: &str) -> &str {
            text.split_once(|c: char| !c.is_ascii_digit()).map_or(text, |(digits, _)| digits)
        }
        let (major, minor) = (number(&self.major), number(&self.minor));
        let git =
            self.git_version.trim_start_matches('v').split_once('.').map(|(major, rest)| (number(major), number(rest)));
        let is_whole = |(major, minor): &(&str, &str)| !major.is_empty() && !minor.is_empty();
        let found = Some((major, minor)).filter(is_whole).or(git.filter(is_whole));
        found.map_or_else(String::new, |(major, minor)| format!("{major}.{minor}"))
    }
}

impl GroupsWire {
    fn serves(&self, name: &str, version: &str) -> bool {
        self.groups.iter().any(|g| &*g.name == name && g.versions.iter().any(|v| &*v.version == version))
    }

    fn provisioners(&self) -> Vec<Provisioner> {
        let by_class = [
            (Provisioner::AutoMode, "eks.amazonaws.com", "v1"),
            (Provisioner::Karpenter, "karpenter.k8s.aws", "v1"),
            (Provisioner::Kwok, "karpenter.kwok.sh", "v1alpha1"),
        ];
        let mut provisioners: Vec<Provisioner> =
            by_class.into_iter().filter(|(_, group, version)| self.serves(group, version)).map(|(f, ..)| f).collect();
        if provisioners.is_empty() && self.serves("karpenter.sh", "v1") {
            provisioners.push(Provisioner::OtherKarpenter);
        }
        provisioners
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case(&[("apps", "v1")] => Vec::<Provisioner>::new() ; "nothing")]
    #[test_case(&[("karpenter.sh", "v1"), ("eks.amazonaws.com", "v1")] => vec![Provisioner::AutoMode] ; "auto mode")]
    #[test_case(&[("karpenter.sh", "v1"), ("eks.amazonaws.com", "v1"), ("karpenter.k8s.aws", "v1")]
        => vec![Provisioner::AutoMode, Provisioner::Karpenter] ; "both")]
    #[test_case(&[("karpenter.sh", "v1"), ("eks.amazonaws.com", "v1alpha1")] => vec![Provisioner::OtherKarpenter] ;
        "the monitoring agent's group is not auto mode")]
    #[test_case(&[("karpenter.sh", "v1"), ("karpenter.kwok.sh", "v1alpha1")] => vec![Provisioner::Kwok] ; "kwok")]
    #[test_case(&[("karpenter.sh", "v1beta1")] => Vec::<Provisioner>::new() ; "a version that is not watched")]
    fn flavours_follow_api_groups(groups: &[(&str, &str)]) -> Vec<Provisioner> {
        let groups: Vec<_> = groups
            .iter()
            .map(|(name, version)| serde_json::json!({"name": name, "versions": [{"version": version}]}))
            .collect();
        serde_json::from_value::<GroupsWire>(serde_json::json!({"groups": groups})).unwrap().provisioners()
    }

    #[test_case(r#"{"major": "1", "minor": "36", "gitVersion": "v1.36.3"}"# => "1.36")]
    #[test_case(r#"{"major": "1", "minor": "33+"}"# => "1.33" ; "a provider's mark")]
    #[test_case(r#"{"major": "1", "minor": "37-eks"}"# => "1.37" ; "another mark")]
    #[test_case(r#"{"major": "", "minor": "", "gitVersion": "v1.37.2-eks-1a2b3c4"}"# => "1.37" ; "by the tag alone")]
    #[test_case(r#"{"major": "1", "minor": "", "gitVersion": "v0.0.0-master+$Format:%H$"}"# => "0.0" ; "a build without a version")]
    #[test_case(r#"{"gitVersion": "v1"}"# => "" ; "no minor version")]
    #[test_case("{}" => "" ; "unknown")]
    fn versions_are_short(json: &str) -> String {
        serde_json::from_str::<VersionWire>(json).unwrap().short()
    }
}
