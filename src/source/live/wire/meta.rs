//! `metadata`, and the parts that several kinds share.

use crate::model::{Condition, ConditionStatus, Labels, Name, Requirement, Taint, TaintEffect, Timestamp};
use crate::source::json::{Flag, Text, Time, UidText, lenient};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// The part of `metadata` that is used. `L` and `A` say what is read of labels and annotations: nothing, unless a kind
/// says otherwise (`last-applied-configuration` may be larger than the object).
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound = "L: Default + Deserialize<'de>, A: Default + Deserialize<'de>")]
pub(in crate::source::live) struct Meta<L = IgnoredAny, A = IgnoredAny> {
    pub(in crate::source::live) name: Text,
    pub(in crate::source::live) namespace: Text,
    pub(in crate::source::live) uid: UidText,
    /// Where a watch goes on after this object; without it every event would be a new list.
    pub(in crate::source::live) resource_version: Text,
    pub(in crate::source::live) creation_timestamp: Time,
    pub(in crate::source::live) deletion_timestamp: Time,
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) owner_references: Vec<OwnerReference>,
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) labels: L,
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) annotations: A,
}

impl<L, A> Meta<L, A> {
    /// `metadata.creationTimestamp`; an object without one is as old as the epoch.
    pub(in crate::source::live) fn created(&self) -> Timestamp {
        self.creation_timestamp.0.unwrap_or_default()
    }

    /// `namespace/name`, or the name of a cluster-scoped object.
    pub(in crate::source::live) fn display_name(&self) -> String {
        if self.namespace.is_empty() { self.name.to_string() } else { format!("{}/{}", &*self.namespace, &*self.name) }
    }
}

/// One entry of `metadata.ownerReferences`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::source::live) struct OwnerReference {
    pub(in crate::source::live) api_version: Text,
    pub(in crate::source::live) kind: Text,
    pub(in crate::source::live) name: Text,
    pub(in crate::source::live) uid: UidText,
    pub(in crate::source::live) controller: Flag,
}

/// All labels of an object.
#[derive(Debug, Default)]
pub(in crate::source::live) struct AllLabels(pub(in crate::source::live) Labels);

impl<'de> Deserialize<'de> for AllLabels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LabelsVisitor;
        impl<'de> Visitor<'de> for LabelsVisitor {
            type Value = AllLabels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("labels")
            }

            fn visit_unit<E: Error>(self) -> Result<AllLabels, E> {
                Ok(AllLabels::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AllLabels, A::Error> {
                let mut pairs: Vec<(Name, Name)> = Vec::with_capacity(32);
                while let Some((key, value)) = map.next_entry::<Text, Text>()? {
                    pairs.push((key.0, value.0));
                }
                Ok(AllLabels(pairs.into_iter().collect()))
            }
        }
        deserializer.deserialize_any(LabelsVisitor)
    }
}

/// One entry of `status.conditions`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::source::live) struct ConditionWire {
    #[serde(rename = "type")]
    pub(in crate::source::live) kind: Text,
    pub(in crate::source::live) status: Text,
    pub(in crate::source::live) reason: Text,
    pub(in crate::source::live) message: Text,
    pub(in crate::source::live) last_transition_time: Time,
}

impl From<ConditionWire> for Condition {
    fn from(wire: ConditionWire) -> Self {
        Self {
            status: ConditionStatus::from_name(&wire.status),
            kind: wire.kind.0,
            reason: wire.reason.0,
            message: wire.message.0,
            since: wire.last_transition_time.0,
        }
    }
}

/// One entry of `spec.taints` or `spec.startupTaints`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::source::live) struct TaintWire {
    key: Text,
    value: Text,
    effect: Text,
}

impl From<TaintWire> for Taint {
    fn from(wire: TaintWire) -> Self {
        Self { key: wire.key.0, value: wire.value.0, effect: TaintEffect::from_name(&wire.effect) }
    }
}

/// A requirement on a label, of a claim, a pool or a pod's node affinity.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::source::live) struct RequirementWire {
    pub(in crate::source::live) key: Text,
    pub(in crate::source::live) operator: Text,
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) values: Vec<Text>,
}

impl From<RequirementWire> for Requirement {
    fn from(wire: RequirementWire) -> Self {
        let values = wire.values.into_iter().map(|value| value.0).collect();
        Self { key: wire.key.0, operator: wire.operator.0, values }
    }
}

/// `spec.nodeClassRef` of claims and pools.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::source::live) struct NodeClassRef {
    pub(in crate::source::live) group: Text,
    pub(in crate::source::live) name: Text,
}

/// A list converted entry by entry.
pub(in crate::source::live) fn convert<W, T: From<W>>(wires: Vec<W>) -> Vec<T> {
    wires.into_iter().map(T::from).collect()
}
