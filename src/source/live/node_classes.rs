//! Node classes, watched only while the volumes of machines are priced: what no other line needs is not asked for.
//!
//! A self-hosted Karpenter and Auto Mode may share a cluster, so each has a stream of its own.

use super::kinds::{Kind, odd};
use super::requests::RequestRule;
use super::wire::class::{AutoClassWire, Ec2ClassWire};
use super::wire::meta::Meta;
use crate::model::{Change, Name, Provisioner, Stream};

/// Karpenter's `EC2NodeClass`es.
pub(super) struct Ec2NodeClasses;

impl Kind for Ec2NodeClasses {
    const STREAM: Stream = Stream::Ec2NodeClasses;
    const PATH: &'static str = "/apis/karpenter.k8s.aws/v1/ec2nodeclasses";
    type Wire = Ec2ClassWire;

    fn version(wire: &Ec2ClassWire) -> Name {
        wire.metadata.resource_version.0.clone()
    }

    fn present(wire: Ec2ClassWire, _: RequestRule, changes: &mut Vec<Change>) {
        changes.extend(odd(Self::STREAM, wire.metadata.display_name(), wire.odd()));
        changes.push(Change::NodeClass(Box::new(wire.into())));
    }

    fn gone(meta: Meta) -> Option<Change> {
        Some(Change::NodeClassGone(Provisioner::Karpenter, meta.name.0, meta.uid.0))
    }
}

/// Auto Mode's `NodeClass`es.
pub(super) struct NodeClasses;

impl Kind for NodeClasses {
    const STREAM: Stream = Stream::NodeClasses;
    const PATH: &'static str = "/apis/eks.amazonaws.com/v1/nodeclasses";
    type Wire = AutoClassWire;

    fn version(wire: &AutoClassWire) -> Name {
        wire.metadata.resource_version.0.clone()
    }

    fn present(wire: AutoClassWire, _: RequestRule, changes: &mut Vec<Change>) {
        changes.extend(odd(Self::STREAM, wire.metadata.display_name(), wire.odd()));
        changes.push(Change::NodeClass(Box::new(wire.into())));
    }

    fn gone(meta: Meta) -> Option<Change> {
        Some(Change::NodeClassGone(Provisioner::AutoMode, meta.name.0, meta.uid.0))
    }
}
