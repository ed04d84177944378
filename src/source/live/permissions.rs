//! What may be read: the role the streams need, and whether the server grants it to us.
//!
//! The role is made from the paths that the streams ask for, so it cannot ask for more or less than they do. Whether it
//! is granted is asked by `SelfSubjectAccessReview`s, which every authenticated user may create and no server keeps.

use super::fault::Fault;
use super::kinds::{self, Kind};
use super::metrics::Polled;
use super::node_classes;
use super::server::Server;
use crate::model::Stream;
use crate::units::text::clean;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;

/// What a stream asks of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The stream.
    pub stream: Stream,
    /// API group; empty is the core group.
    pub group: &'static str,
    /// Version of the group.
    pub version: &'static str,
    /// Resource, in the plural.
    pub resource: &'static str,
    /// The verbs it asks with.
    pub verbs: &'static [&'static str],
    path: &'static str,
}

/// A list, then a watch.
const WATCHED: &[&str] = &["list", "watch"];
/// A list again and again: metrics.k8s.io has no watch.
const POLLED: &[&str] = &["list"];

impl Access {
    /// What a stream asks for.
    pub fn of(stream: Stream) -> Self {
        match stream {
            Stream::Nodes => Self::watched::<kinds::Nodes>(),
            Stream::Pods => Self::watched::<kinds::Pods>(),
            Stream::Events => Self::watched::<kinds::Events>(),
            Stream::NodeClaims => Self::watched::<kinds::NodeClaims>(),
            Stream::NodePools => Self::watched::<kinds::NodePools>(),
            Stream::Pdbs => Self::watched::<kinds::Pdbs>(),
            Stream::Ec2NodeClasses => Self::watched::<node_classes::Ec2NodeClasses>(),
            Stream::NodeClasses => Self::watched::<node_classes::NodeClasses>(),
            Stream::NodeMetrics => Self::at(stream, Polled::Nodes.path(), POLLED),
            Stream::PodMetrics => Self::at(stream, Polled::Pods.path(), POLLED),
        }
    }

    fn watched<K: Kind>() -> Self {
        Self::at(K::STREAM, K::PATH, WATCHED)
    }

    /// `/api/VERSION/RESOURCE` or `/apis/GROUP/VERSION/RESOURCE`.
    fn at(stream: Stream, path: &'static str, verbs: &'static [&'static str]) -> Self {
        let mut last = path.rsplit('/');
        let (resource, version) = (last.next().unwrap_or_default(), last.next().unwrap_or_default());
        let group = last.next().filter(|group| *group != "api").unwrap_or_default();
        Self { stream, group, version, resource, verbs, path }
    }

    /// `nodes`, `nodeclaims.karpenter.sh`: as kubectl calls it.
    pub fn name(&self) -> String {
        if self.group.is_empty() { self.resource.to_owned() } else { format!("{}.{}", self.resource, self.group) }
    }

    /// The rule of a role that grants it.
    pub fn rule(&self) -> String {
        rule(self.group, &[self.resource], self.verbs)
    }
}

/// A rule in one line. With what is asked for comes `get`, so that `kubectl get` of one object works for the same user.
fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> String {
    let group = if group.is_empty() { "\"\"" } else { group };
    format!("{{apiGroups: [{group}], resources: [{}], verbs: [get, {}]}}", resources.join(", "), verbs.join(", "))
}

/// The role that these streams need, as YAML, one rule a group.
pub fn cluster_role(streams: &[Stream]) -> String {
    let needed: Vec<Access> = streams.iter().map(|stream| Access::of(*stream)).collect();
    let mut told = BTreeSet::new();
    let mut yaml = String::from(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: nodeglass}\nrules:\n",
    );
    for Access { group, verbs, .. } in &needed {
        if told.insert(*group) {
            let same = needed.iter().filter(|access| access.group == *group && access.verbs == *verbs);
            let resources: Vec<&str> = same.map(|access| access.resource).collect();
            yaml.push_str("- ");
            yaml.push_str(&rule(group, &resources, verbs));
            yaml.push('\n');
        }
    }
    yaml
}

/// A binding of [`cluster_role`] to a subject that the reader fills in, as YAML.
pub const CLUSTER_ROLE_BINDING: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: nodeglass}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: nodeglass}
subjects: # who may: a User or Group as the API server knows it, or {kind: ServiceAccount, name: …, namespace: …}
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: REPLACE-ME}
";

/// The answer to whether a verb is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// It is.
    Yes,
    /// It is not; the authorizer's reason, if it gave one.
    No(Option<String>),
    /// It could not be found out, and why.
    Unknown(String),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ReviewWire {
    status: ReviewStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ReviewStatus {
    allowed: bool,
    reason: String,
    evaluation_error: String,
}

/// Asks whether one verb of a stream is allowed.
pub(super) async fn review(server: &Server, access: Access, verb: &'static str) -> Allowed {
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes":
            {"verb": verb, "group": access.group, "version": access.version, "resource": access.resource}},
    });
    let answer = server.review("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body.to_string()).await;
    match answer.map(|body| serde_json::from_slice::<ReviewWire>(&body)) {
        Ok(Ok(ReviewWire { status })) if status.allowed => Allowed::Yes,
        Ok(Ok(ReviewWire { status })) => {
            let why = [status.reason, status.evaluation_error].into_iter().find(|why| !why.is_empty());
            Allowed::No(why.map(|why| clean(&why).into_owned()))
        }
        Ok(Err(error)) => Allowed::Unknown(format!("the review cannot be read: line {}", error.line())),
        // A server that does not let us ask may still let us read.
        Err(Fault::Denied(_) | Fault::Absent | Fault::Refused(_)) if verb == "list" => try_list(server, access).await,
        Err(fault) => Allowed::Unknown(fault.to_string()),
    }
}

/// Finds out by doing it, for one object.
async fn try_list(server: &Server, access: Access) -> Allowed {
    match server.get_whole(&format!("{}?limit=1", access.path)).await {
        Ok(_) => Allowed::Yes,
        Err(Fault::Denied(why)) => Allowed::No(Some(why)),
        Err(fault) => Allowed::Unknown(fault.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case(Stream::Nodes => "nodes v1 list,watch")]
    #[test_case(Stream::NodeClaims => "nodeclaims.karpenter.sh v1 list,watch")]
    #[test_case(Stream::PodMetrics => "pods.metrics.k8s.io v1beta1 list")]
    fn a_path_tells_what_is_asked(stream: Stream) -> String {
        let access = Access::of(stream);
        format!("{} {} {}", access.name(), access.version, access.verbs.join(","))
    }

    #[test]
    fn every_stream_asks_for_something_of_its_own() {
        let all: BTreeSet<String> = Stream::ALL.into_iter().map(|stream| Access::of(stream).name()).collect();
        assert_eq!(all.len(), Stream::ALL.len());
        assert!(Stream::ALL.into_iter().all(|stream| Access::of(stream).stream == stream));
    }

    #[test]
    fn a_role_has_one_rule_a_group() {
        let role = cluster_role(&[Stream::Pods, Stream::NodeMetrics, Stream::Nodes]);
        let rules: Vec<&str> = role.lines().skip(4).collect();
        assert_eq!(
            rules,
            [
                "- {apiGroups: [\"\"], resources: [pods, nodes], verbs: [get, list, watch]}",
                "- {apiGroups: [metrics.k8s.io], resources: [nodes], verbs: [get, list]}",
            ]
        );
    }
}
