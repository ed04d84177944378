//! Whether a NodePool can make a node for a pod, as far as the watched objects show: labels, requirements and taints. Which
//! instance types and zones there are is not known here, so a pair that passes may still fail.
//!
//! The rules are Karpenter's: `pkg/scheduling/requirements.go` (`Compatible`, well-known labels may be undefined),
//! `requirement.go` (`HasIntersection`), `taints.go` (`Tolerates`) and, for what a NodePool's template requires,
//! `pkg/controllers/provisioning/scheduling/nodeclaimtemplate.go`.

use crate::model::{Name, NodePool, Placement, Requirement, Taint, TaintEffect, Toleration, key};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Why a NodePool makes no node for a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Mismatch {
    /// The pod does not tolerate this taint, written `key=value:effect`.
    Taint(Name),
    /// The pod asks for a label that the NodePool does not define.
    Label(Name),
    /// The pod and the NodePool want different values of this label.
    Requirement(Name),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taint(taint) => write!(f, "taint {taint}"),
            Self::Label(key) => write!(f, "label {key}"),
            Self::Requirement(key) => write!(f, "requirement {key}"),
        }
    }
}

/// The values that a label may have. `complement` is every value but those listed.
#[derive(Clone, Debug, Default)]
struct Values {
    complement: bool,
    listed: BTreeSet<Name>,
    least: Option<i64>,
    most: Option<i64>,
}

impl Values {
    /// None for an operator that this version does not know.
    fn new(operator: &str, values: &[Name]) -> Option<Self> {
        let number = || values.first().and_then(|value| value.parse::<i64>().ok()).unwrap_or(0);
        let any = Self { complement: true, ..Self::default() };
        let listed: BTreeSet<Name> = values.iter().cloned().collect();
        Some(match operator {
            "In" => Self { listed, ..Self::default() },
            "NotIn" => Self { listed, ..any },
            "Exists" => any,
            "DoesNotExist" => Self::default(),
            "Gt" => match number().checked_add(1) {
                Some(least) => Self { least: Some(least), ..any },
                None => Self::default(),
            },
            "Lt" => match number().checked_sub(1) {
                Some(most) => Self { most: Some(most), ..any },
                None => Self::default(),
            },
            "Gte" => Self { least: Some(number()), ..any },
            "Lte" => Self { most: Some(number()), ..any },
            _ => return None,
        })
    }

    fn one(value: &str) -> Self {
        Self { listed: [Name::from(value)].into_iter().collect(), ..Self::default() }
    }

    /// `NotIn` or `DoesNotExist`: what is satisfied by a node without the label.
    fn allows_absence(&self) -> bool {
        self.complement != self.listed.is_empty()
    }

    fn within(value: &str, least: Option<i64>, most: Option<i64>) -> bool {
        if least.is_none() && most.is_none() {
            return true;
        }
        value
            .parse::<i64>()
            .is_ok_and(|value| least.is_none_or(|least| value >= least) && most.is_none_or(|most| value <= most))
    }

    fn intersection(&self, other: &Self) -> Self {
        let least = self.least.max(other.least);
        let most = [self.most, other.most].into_iter().flatten().min();
        if least.zip(most).is_some_and(|(least, most)| least > most) {
            return Self::default();
        }
        let complement = self.complement && other.complement;
        let listed: BTreeSet<Name> = match (self.complement, other.complement) {
            (true, true) => self.listed.union(&other.listed).cloned().collect(),
            (true, false) => other.listed.difference(&self.listed).cloned().collect(),
            (false, true) => self.listed.difference(&other.listed).cloned().collect(),
            (false, false) => self.listed.intersection(&other.listed).cloned().collect(),
        };
        let listed = listed.into_iter().filter(|value| Self::within(value, least, most)).collect();
        let (least, most) = if complement { (least, most) } else { (None, None) };
        Self { complement, listed, least, most }
    }

    fn intersects(&self, other: &Self) -> bool {
        let both = self.intersection(other);
        both.complement || !both.listed.is_empty()
    }
}

type Labels = BTreeMap<Name, Values>;

/// The key that Karpenter uses for an older name of the same label (`NormalizedLabels` of `pkg/apis/v1/labels.go`; the
/// CSI key is of its AWS provider).
fn normalized(label: &str) -> &str {
    let families = [key::ZONE, key::REGION, key::ARCH, key::OS, key::INSTANCE_TYPE];
    if label == "topology.ebs.csi.aws.com/zone" {
        return key::ZONE[0];
    }
    families.into_iter().find(|family| family.contains(&label)).map_or(label, |family| family[0])
}

fn require(labels: &mut Labels, key: &str, values: Values) {
    match labels.get_mut(normalized(key)) {
        Some(known) => *known = known.intersection(&values),
        None => {
            labels.insert(normalized(key).into(), values);
        }
    }
}

fn require_all(labels: &mut Labels, requirements: &[Requirement]) {
    for requirement in requirements {
        if let Some(values) = Values::new(&requirement.operator, &requirement.values) {
            require(labels, &requirement.key, values);
        }
    }
}

/// What the nodes of a NodePool will be like.
fn template(pool: &NodePool) -> Labels {
    let mut labels = Labels::new();
    require_all(&mut labels, &pool.requirements);
    for (key, value) in pool.labels.iter() {
        require(&mut labels, key, Values::one(value));
    }
    require(&mut labels, key::NODEPOOL, Values::one(&pool.name));
    for own in [key::REGISTERED, key::INITIALIZED] {
        require(&mut labels, own, Values::one("true"));
    }
    // The node has no name yet: a pod that asks for a node by its host name asks for another one.
    require(&mut labels, "kubernetes.io/hostname", Values::one("hostname-placeholder"));
    let class = match pool.node_class_group.as_str() {
        "karpenter.k8s.aws" => Some(key::EC2_NODE_CLASS),
        "eks.amazonaws.com" => Some(key::AUTO_NODE_CLASS),
        _ => None,
    };
    if let Some(class) = class {
        require(&mut labels, class, Values::one(&pool.node_class));
    }
    labels
}

/// Labels that EKS sets on nodes of managed node groups alone, in the domain of the node classes of EKS Auto Mode (EKS user
/// guide, "Managed node groups").
const OF_NODE_GROUPS: [&str; 5] = [
    "eks.amazonaws.com/nodegroup",
    "eks.amazonaws.com/nodegroup-image",
    "eks.amazonaws.com/capacityType",
    "eks.amazonaws.com/sourceLaunchTemplateId",
    "eks.amazonaws.com/sourceLaunchTemplateVersion",
];

/// Whether instance types define the label, so that a NodePool need not (`WellKnownLabels` of `pkg/apis/v1/labels.go`). Cloud
/// providers add labels in the domain of their node classes.
fn well_known(label: &str, pool: &NodePool) -> bool {
    let provider = label.split_once('/').is_some_and(|(domain, _)| domain == pool.node_class_group)
        && !OF_NODE_GROUPS.contains(&label);
    provider
        || matches!(
            label,
            key::CAPACITY_TYPE
                | key::NODEPOOL
                | "kubernetes.io/arch"
                | "kubernetes.io/os"
                | "node.kubernetes.io/instance-type"
                | "node.kubernetes.io/windows-build"
                | "topology.kubernetes.io/region"
                | "topology.kubernetes.io/zone"
                | "topology.k8s.aws/zone-id"
        )
}

fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let number = |text: &str| text.parse::<i64>().ok();
    if !toleration.effect.is_empty() && toleration.effect != taint.effect.name() {
        return false;
    }
    if !toleration.key.is_empty() && toleration.key != taint.key {
        return false;
    }
    match toleration.operator.as_str() {
        "" | "Equal" => toleration.value == taint.value,
        "Exists" => true,
        "Lt" => number(&taint.value).zip(number(&toleration.value)).is_some_and(|(taint, most)| taint < most),
        "Gt" => number(&taint.value).zip(number(&toleration.value)).is_some_and(|(taint, least)| taint > least),
        _ => false,
    }
}

/// Whether a NodePool can make a node for a pod, as far as its labels, requirements and taints decide.
///
/// Karpenter drops what a pod only prefers, and tolerates `PreferNoSchedule`, before it gives up
/// (`pkg/controllers/provisioning/scheduling/preferences.go`).
pub(super) fn fits(placement: &Placement, pool: &NodePool) -> Result<(), Mismatch> {
    let keeps_away = |taint: &&Taint| {
        taint.effect != TaintEffect::PreferNoSchedule && !placement.tolerations.iter().any(|t| tolerates(t, taint))
    };
    if let Some(taint) = pool.taints.iter().find(keeps_away) {
        let value = if taint.value.is_empty() { String::new() } else { format!("={}", taint.value) };
        return Err(Mismatch::Taint(format!("{}{value}:{}", taint.key, taint.effect.name()).into()));
    }
    let template = template(pool);
    let mut selector = Labels::new();
    for (key, value) in placement.node_selector.iter() {
        require(&mut selector, key, Values::one(value));
    }
    let mut first = None;
    let none = [Vec::new()];
    // Terms are alternatives.
    let terms = if placement.affinity.is_empty() { none.as_slice() } else { &placement.affinity };
    for term in terms {
        let mut wanted = selector.clone();
        require_all(&mut wanted, term);
        match compatible(&template, &wanted, pool) {
            Ok(()) => return Ok(()),
            Err(mismatch) => first = first.or(Some(mismatch)),
        }
    }
    first.map_or(Ok(()), Err)
}

fn compatible(template: &Labels, wanted: &Labels, pool: &NodePool) -> Result<(), Mismatch> {
    let undefined = |(key, values): &(&Name, &Values)| {
        !template.contains_key(key.as_str()) && !values.allows_absence() && !well_known(key, pool)
    };
    if let Some((key, _)) = wanted.iter().find(undefined) {
        return Err(Mismatch::Label(key.clone()));
    }
    let apart = |(key, values): &(&Name, &Values)| {
        template
            .get(key.as_str())
            .is_some_and(|offered| !(offered.intersects(values) || offered.allows_absence() && values.allows_absence()))
    };
    wanted.iter().find(apart).map_or(Ok(()), |(key, _)| Err(Mismatch::Requirement(key.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    /// `key operator value,value`, joined by `; `.
    fn requirements(text: &str) -> Vec<Requirement> {
        let parts = text.split("; ").filter(|part| !part.is_empty());
        parts
            .map(|part| {
                let mut words = part.split(' ');
                Requirement {
                    key: words.next().unwrap().into(),
                    operator: words.next().unwrap().into(),
                    values: words.next().map(|v| v.split(',').map(Name::from).collect()).unwrap_or_default(),
                }
            })
            .collect()
    }

    fn verdict(placement: &Placement, pool: &NodePool) -> String {
        fits(placement, pool).map_or_else(|mismatch| mismatch.to_string(), |()| "fits".into())
    }

    // Cases of Karpenter's pkg/scheduling/requirements_test.go ("Compatibility"): what the pool requires, what the pod does.
    #[test_case("", "" => "fits")]
    #[test_case("", "custom In a" => "label custom" ; "a custom label must be defined")]
    #[test_case("", "custom Exists" => "label custom")]
    #[test_case("", "custom NotIn a" => "fits" ; "NotIn allows absence")]
    #[test_case("", "custom DoesNotExist" => "fits")]
    #[test_case("", "custom Gt 3" => "label custom")]
    #[test_case("", "topology.kubernetes.io/zone In z1" => "fits" ; "a well-known label may be undefined")]
    #[test_case("", "karpenter.k8s.aws/instance-cpu Gt 15" => "fits" ; "a label of the provider")]
    #[test_case("", "eks.amazonaws.com/nodegroup In web" => "label eks.amazonaws.com/nodegroup" ; "a label of another provider")]
    #[test_case("custom In a,b", "custom In b,c" => "fits")]
    #[test_case("custom In a", "custom In b" => "requirement custom")]
    #[test_case("custom In a", "custom NotIn a" => "requirement custom")]
    #[test_case("custom In a", "custom Exists" => "fits")]
    #[test_case("custom In a", "custom DoesNotExist" => "requirement custom")]
    #[test_case("custom NotIn a", "custom In a" => "requirement custom")]
    #[test_case("custom NotIn a", "custom NotIn b" => "fits")]
    #[test_case("custom Exists", "custom In a" => "fits")]
    #[test_case("custom Exists", "custom DoesNotExist" => "requirement custom")]
    #[test_case("custom DoesNotExist", "custom In a" => "requirement custom")]
    #[test_case("custom DoesNotExist", "custom NotIn a" => "fits")]
    #[test_case("custom DoesNotExist", "custom DoesNotExist" => "fits")]
    #[test_case("custom In 1,9", "custom Gt 8" => "fits")]
    #[test_case("custom In 1,9", "custom Gt 9" => "requirement custom")]
    #[test_case("custom In 1,9", "custom Lt 1" => "requirement custom")]
    #[test_case("custom Gt 4", "custom Lt 5" => "requirement custom")]
    #[test_case("custom Gt 4", "custom Lt 6" => "fits")]
    #[test_case("custom Gte 5", "custom Lte 5" => "fits")]
    #[test_case("custom In abc", "custom Gt 1" => "requirement custom" ; "no number is within bounds")]
    #[test_case("custom In a,b; custom NotIn b", "custom In b" => "requirement custom" ; "two on one key")]
    #[test_case("topology.kubernetes.io/zone In z1", "failure-domain.beta.kubernetes.io/zone In z2" => "requirement topology.kubernetes.io/zone" ; "older name")]
    #[test_case("", "kubernetes.io/hostname In n1" => "requirement kubernetes.io/hostname")]
    #[test_case("", "karpenter.sh/nodepool In other" => "requirement karpenter.sh/nodepool")]
    #[test_case("", "karpenter.sh/nodepool In web" => "fits")]
    #[test_case("", "karpenter.k8s.aws/ec2nodeclass In other" => "requirement karpenter.k8s.aws/ec2nodeclass")]
    #[test_case("", "custom Newer a" => "fits" ; "an operator that is not known decides nothing")]
    fn requirements_are_compared_as_karpenter_does(pool: &str, pod: &str) -> String {
        let pool = NodePool {
            name: "web".into(),
            node_class_group: "karpenter.k8s.aws".into(),
            node_class: "default".into(),
            requirements: requirements(pool),
            ..NodePool::default()
        };
        let placement = Placement { affinity: vec![requirements(pod)], ..Placement::default() };
        verdict(&placement, &pool)
    }

    #[test_case("eks.amazonaws.com/instance-family In m7i" => "fits")]
    #[test_case("eks.amazonaws.com/compute-type In auto" => "fits")]
    #[test_case("eks.amazonaws.com/nodegroup In web" => "label eks.amazonaws.com/nodegroup" ; "a label of managed node groups")]
    #[test_case("eks.amazonaws.com/capacityType In SPOT" => "label eks.amazonaws.com/capacityType" ; "and another")]
    fn a_nodepool_of_auto_mode_makes_no_node_of_a_node_group(pod: &str) -> String {
        let pool = NodePool { node_class_group: "eks.amazonaws.com".into(), ..NodePool::default() };
        verdict(&Placement { affinity: vec![requirements(pod)], ..Placement::default() }, &pool)
    }

    #[test]
    fn terms_are_alternatives_and_the_selector_holds_for_each() {
        let labels = [("team", "a")].into_iter().collect();
        let pool = NodePool { name: "web".into(), labels, ..NodePool::default() };
        let placement = |selector: &[(&'static str, &'static str)], terms: &[&str]| Placement {
            node_selector: selector.iter().copied().collect(),
            affinity: terms.iter().map(|term| requirements(term)).collect(),
            ..Placement::default()
        };
        assert_eq!(verdict(&placement(&[("team", "a")], &[]), &pool), "fits");
        assert_eq!(verdict(&placement(&[], &["team In b", "team In a"]), &pool), "fits");
        assert_eq!(verdict(&placement(&[("team", "b")], &["team In a"]), &pool), "requirement team");
        assert_eq!(verdict(&placement(&[("s", "b")], &["team In b", "team In a"]), &pool), "label s");
    }

    // Karpenter's pkg/scheduling/taints_test.go and k8s.io/api core/v1/toleration_test.go.
    #[test_case("gpu=1:NoSchedule", "" => "taint gpu=1:NoSchedule")]
    #[test_case("gpu=:NoExecute", "" => "taint gpu:NoExecute")]
    #[test_case("gpu=1:PreferNoSchedule", "" => "fits")]
    #[test_case("gpu=1:NoSchedule", "gpu Equal 1 NoSchedule" => "fits")]
    #[test_case("gpu=1:NoSchedule", "gpu Equal 2 NoSchedule" => "taint gpu=1:NoSchedule")]
    #[test_case("gpu=1:NoSchedule", "gpu Exists - -" => "fits" ; "every effect")]
    #[test_case("gpu=1:NoSchedule", "gpu Exists - NoExecute" => "taint gpu=1:NoSchedule" ; "another effect")]
    #[test_case("gpu=1:NoSchedule", "- Exists - -" => "fits" ; "every taint")]
    #[test_case("sla=950:NoSchedule", "sla Gt 900 NoSchedule" => "fits" ; "more than")]
    #[test_case("sla=850:NoSchedule", "sla Gt 900 NoSchedule" => "taint sla=850:NoSchedule" ; "not more than")]
    #[test_case("sla=850:NoSchedule", "sla Lt 900 NoSchedule" => "fits" ; "less than")]
    fn taints_are_tolerated_as_karpenter_does(taint: &str, toleration: &str) -> String {
        let (key, rest) = taint.split_once('=').unwrap();
        let (value, effect) = rest.split_once(':').unwrap();
        let taint = Taint { key: key.into(), value: value.into(), effect: TaintEffect::from_name(effect) };
        let pool = NodePool { name: "web".into(), taints: vec![taint], ..NodePool::default() };
        let words: Vec<Name> =
            toleration.split(' ').map(|word| if word == "-" { Name::default() } else { word.into() }).collect();
        let tolerations = match words.as_slice() {
            [key, operator, value, effect] => vec![Toleration {
                key: key.clone(),
                operator: operator.clone(),
                value: value.clone(),
                effect: effect.clone(),
            }],
            _ => Vec::new(),
        };
        verdict(&Placement { tolerations, ..Placement::default() }, &pool)
    }
}
