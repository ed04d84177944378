//! The kinds that are watched: where each is found, and what its objects mean.

use super::requests::RequestRule;
use super::wire::claim::ClaimWire;
use super::wire::event::EventWire;
use super::wire::meta::Meta;
use super::wire::node::NodeWire;
use super::wire::nodepool::PoolWire;
use super::wire::pdb::PdbWire;
use super::wire::pod::PodWire;
use crate::model::{Change, Name, PodKey, Stream};
use serde::de::DeserializeOwned;

/// A kind that the list-watch loop can follow.
pub(super) trait Kind: Send + 'static {
    /// Its stream.
    const STREAM: Stream;
    /// Where the server keeps it, for all namespaces.
    const PATH: &'static str;
    /// Which objects are asked for.
    const FIELD_SELECTOR: &'static str = "";
    /// A list of this kind may be so long that it is fetched in pages unless streaming is demanded. Pages are encoded many
    /// objects at a time and travel compressed: with 150,000 pods on Kubernetes 1.36 the last is in hand after 10 s,
    /// and after 27 s of a streaming list. A short list saves a request by streaming.
    const LONG: bool = false;
    /// What an object means depends on the server's version: the version is asked for before a list is read, and a list is
    /// read again when the version has changed the rule.
    const BY_VERSION: bool = false;
    /// A list of this kind is held back to its end and only this many of its last changes are kept, in order of time.
    const SORTED_TAIL: Option<usize> = None;

    /// What is read of an object.
    type Wire: DeserializeOwned + Send;

    /// `metadata.resourceVersion`.
    fn version(wire: &Self::Wire) -> Name;

    /// The object is there: its change, and what is odd about it. `rule` is that of the server it came from; only pods
    /// depend on it, see [`Self::BY_VERSION`].
    fn present(wire: Self::Wire, rule: RequestRule, changes: &mut Vec<Change>);

    /// The object is gone.
    fn gone(meta: Meta) -> Option<Change>;
}

/// What is odd about an object, if anything is.
pub(super) fn odd(stream: Stream, object: String, problem: Option<String>) -> Option<Change> {
    problem.map(|problem| Change::Unreadable { stream, object, problem })
}

fn key(meta: &mut Meta) -> PodKey {
    PodKey { namespace: std::mem::take(&mut meta.namespace.0), name: std::mem::take(&mut meta.name.0) }
}

/// Nodes.
pub(super) struct Nodes;

impl Kind for Nodes {
    const STREAM: Stream = Stream::Nodes;
    const PATH: &'static str = "/api/v1/nodes";
    type Wire = NodeWire;

    fn version(wire: &NodeWire) -> Name {
        wire.metadata.resource_version.0.clone()
    }

    fn present(wire: NodeWire, _: RequestRule, changes: &mut Vec<Change>) {
        changes.extend(odd(Self::STREAM, wire.metadata.display_name(), wire.odd()));
        changes.push(Change::Node(Box::new(wire.into())));
    }

    fn gone(meta: Meta) -> Option<Change> {
        Some(Change::NodeGone(meta.name.0, meta.uid.0))
    }
}

/// Pods that have not ended. The server leaves out the others, as it does for kube-scheduler (kubernetes/kubernetes
/// `pkg/scheduler/scheduler.go`): a pod that ends arrives as deleted.
pub(super) struct Pods;

impl Kind for Pods {
    const STREAM: Stream = Stream::Pods;
    const PATH: &'static str = "/api/v1/pods";
    const FIELD_SELECTOR: &'static str = "status.phase!=Succeeded,status.phase!=Failed";
    const LONG: bool = true;
    const BY_VERSION: bool = true;
    type Wire = PodWire;

    fn version(wire: &PodWire) -> Name {
        wire.metadata.resource_version.0.clone()
    }

    fn present(wire: PodWire, rule: RequestRule, changes: &mut Vec<Change>) {
        if let Some(problem) = wire.odd() {
            changes.push(Change::Unreadable { stream: Self::STREAM, object: wire.metadata.display_name(), problem });
        }
        changes.push(Change::Pod(Box::new(wire.into_pod(rule))));
    }

    fn gone(mut meta: Meta) -> Option<Change> {
        Some(Change::PodGone(key(&mut meta), meta.uid.0))
    }
}

/// core/v1 events of all namespaces.
pub(super) struct Events;

impl Kind for Events {
    const STREAM: Stream = Stream::Events;
    const PATH: &'static str = "/api/v1/events";
    const LONG: bool = true;
    /// The list is an hour of events in order of their names.
    const SORTED_TAIL: Option<usize> = Some(5_000);
    type Wire = EventWire;

    fn version(wire: &EventWire) -> Name {
        wire.metadata.resource_version.0.clone()
    }

    fn present(wire: EventWire, _: RequestRule, changes: &mut Vec<Change>) {
        changes.push(Change::Event(Box::new(wire.into())));
    }

    /// An event goes when the server's retention ends; that is no news.
    fn gone(_: Meta) -> Option<Change> {
        None
    }
}

/// Karpenter's `NodeClaim`s.
pub(super) struct NodeClaims;

impl Kind for NodeClaims {
    const STREAM: Stream = Stream::NodeClaims;
    const PATH: &'static str = "/apis/karpenter.sh/v1/nodeclaims";
    type Wire = ClaimWire;

    fn version(wire: &ClaimWire) -> Name {
        wire.metadata.resource_version.0.clone()
    }

    fn present(wire: ClaimWire, _: RequestRule, changes: &mut Vec<Change>) {
        changes.extend(odd(Self::STREAM, wire.metadata.display_name(), wire.odd()));
        changes.push(Change::Claim(Box::new(wire.into())));
    }

    fn gone(meta: Meta) -> Option<Change> {
        Some(Change::ClaimGone(meta.name.0, meta.uid.0))
    }
}

/// Karpenter's `NodePool`s.
pub(super) struct NodePools;

impl Kind for NodePools {
    const STREAM: Stream = Stream::NodePools;
    const PATH: &'static str = "/apis/karpenter.sh/v1/nodepools";
    type Wire = PoolWire;

    fn version(wire: &PoolWire) -> Name {
        wire.metadata.resource_version.0.clone()
    }

    fn present(wire: PoolWire, _: RequestRule, changes: &mut Vec<Change>) {
        changes.extend(odd(Self::STREAM, wire.metadata.display_name(), wire.odd()));
        changes.push(Change::Pool(Box::new(wire.into())));
    }

    fn gone(meta: Meta) -> Option<Change> {
        Some(Change::PoolGone(meta.name.0, meta.uid.0))
    }
}

/// `PodDisruptionBudget`s.
pub(super) struct Pdbs;

impl Kind for Pdbs {
    const STREAM: Stream = Stream::Pdbs;
    const PATH: &'static str = "/apis/policy/v1/poddisruptionbudgets";
    type Wire = PdbWire;

    fn version(wire: &PdbWire) -> Name {
        wire.metadata.resource_version.0.clone()
    }

    fn present(wire: PdbWire, _: RequestRule, changes: &mut Vec<Change>) {
        changes.push(Change::Pdb(Box::new(wire.into())));
    }

    fn gone(mut meta: Meta) -> Option<Change> {
        Some(Change::PdbGone(key(&mut meta), meta.uid.0))
    }
}
