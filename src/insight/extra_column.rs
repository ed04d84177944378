//! Extra columns: labels of nodes, and the labels that eks-node-viewer computes.

use super::Column;
use super::amount::share_text;
use crate::cluster::Row;
use crate::model::{Name, Resource, Timestamp};
use crate::units::age;
use std::fmt;

/// The prefix of eks-node-viewer's computed labels. Source: awslabs/eks-node-viewer `pkg/model/node.go`, `ComputeLabel`.
const COMPUTED_PREFIX: &str = "eks-node-viewer/node-";

/// The values that an extra column shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtraColumn {
    /// The value of a label.
    Label(Name),
    /// `eks-node-viewer/node-age`.
    Age,
    /// `eks-node-viewer/node-<resource>-usage`: requests as a share of allocatable, which that tool calls usage.
    Requested(Resource),
}

impl ExtraColumn {
    /// The column of a label key, computed or not. Whether the key is a valid one is not checked.
    pub fn from_label(label: &str) -> Self {
        let Some(rest) = label.strip_prefix(COMPUTED_PREFIX) else { return Self::Label(label.into()) };
        match rest.strip_suffix("-usage") {
            Some(resource) if !resource.is_empty() => Self::Requested(Resource::from_name(resource)),
            Some(_) | None if rest == "age" => Self::Age,
            Some(_) | None => Self::Label(label.into()),
        }
    }

    /// The column that sorts by the same value.
    pub fn sort_column(&self) -> Column {
        match self {
            Self::Label(key) => Column::Label(key.clone()),
            Self::Age => Column::Age,
            Self::Requested(resource) => Column::from_resource(resource.clone()),
        }
    }

    /// Whether the values are labels, which are text and may be cut.
    pub const fn is_label(&self) -> bool {
        matches!(self, Self::Label(_))
    }

    /// Whether sorting by it starts with the largest value.
    pub const fn is_amount(&self) -> bool {
        matches!(self, Self::Requested(_))
    }

    /// The value of a row at a time; `None` if the node does not have the label, or if nothing is known of its requests.
    pub fn value(&self, row: &Row, pods_known: bool, now: Timestamp) -> Option<String> {
        match self {
            Self::Label(key) => row.label(key).map(str::to_owned),
            Self::Age => Some(age::short(row.age_seconds(now))),
            Self::Requested(resource) => {
                let (part, whole) = (row.sums().requests.get(resource), row.allocatable()?.get(resource));
                share_text(resource, part, whole).filter(|_| pods_known)
            }
        }
    }

    /// Possible titles, the shortest first.
    fn titles(&self) -> Vec<String> {
        match self {
            Self::Age => vec!["NODE AGE".into()],
            Self::Requested(resource) => {
                let short = resource.short_name().to_uppercase();
                vec![format!("{short} REQ"), format!("{} REQ", resource.name().to_uppercase())]
            }
            Self::Label(key) => {
                let key = key.to_uppercase().to_string();
                let Some((domain, last)) = key.split_once('/') else { return vec![key] };
                let first = domain.split('.').next().unwrap_or(domain);
                vec![last.to_owned(), format!("{first}/{last}"), key]
            }
        }
    }
}

impl fmt::Display for ExtraColumn {
    /// The label key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(key) => f.write_str(key),
            Self::Age => write!(f, "{COMPUTED_PREFIX}age"),
            Self::Requested(resource) => write!(f, "{COMPUTED_PREFIX}{resource}-usage"),
        }
    }
}

/// A title for each extra column, different from the titles of all other columns (`taken`): the last part of the key, or
/// more of it where needed.
pub fn extra_titles(columns: &[ExtraColumn], taken: impl IntoIterator<Item = String>) -> Vec<String> {
    unique(columns.iter().map(ExtraColumn::titles), taken)
}

/// A title for each resource, by the same rule: `GPU` of `nvidia.com/gpu`, then `AMD/GPU` of `amd.com/gpu`.
pub fn resource_titles(resources: &[&Resource], taken: impl IntoIterator<Item = String>) -> Vec<String> {
    let choices = |resource: &&Resource| match resource {
        Resource::Extended(name) => ExtraColumn::Label(name.clone()).titles(),
        _ => vec![resource.short_name().to_uppercase()],
    };
    unique(resources.iter().map(choices), taken)
}

/// The first title of each list that is not taken, or else its last one with a number.
fn unique(all: impl Iterator<Item = Vec<String>>, taken: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut taken: Vec<String> = taken.into_iter().collect();
    let fixed = taken.len();
    for choices in all {
        let last = choices.last().cloned().unwrap_or_default();
        let numbered = (2..).map(|n: usize| format!("{last} {n}"));
        let title = choices.into_iter().chain(numbered).find(|title| !taken.contains(title)).unwrap_or(last);
        taken.push(title);
    }
    taken.split_off(fixed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("eks-node-viewer/node-age" => ExtraColumn::Age)]
    #[test_case("eks-node-viewer/node-cpu-usage" => ExtraColumn::Requested(Resource::Cpu))]
    #[test_case("eks-node-viewer/node-ephemeral-storage-usage" => ExtraColumn::Requested(Resource::EphemeralStorage))]
    #[test_case("eks-node-viewer/instance-price" => ExtraColumn::Label("eks-node-viewer/instance-price".into()))]
    #[test_case("team" => ExtraColumn::Label("team".into()))]
    fn labels_are_read(label: &str) -> ExtraColumn {
        let column = ExtraColumn::from_label(label);
        assert_eq!(column.to_string(), label);
        column
    }

    #[test]
    fn no_two_resources_share_a_title() {
        let resources = ["cpu", "nvidia.com/gpu", "amd.com/gpu", "amd.io/gpu", "ephemeral-storage", "example.com/type"]
            .map(Resource::from_name);
        let resources: Vec<&Resource> = resources.iter().collect();
        assert_eq!(
            resource_titles(&resources, ["TYPE".to_owned()]),
            ["CPU", "GPU", "AMD/GPU", "AMD.IO/GPU", "DISK", "EXAMPLE/TYPE"]
        );
    }

    #[test]
    fn no_two_columns_share_a_title() {
        let labels = [
            "eks-node-viewer/node-age",
            "eks-node-viewer/node-cpu-usage",
            "topology.kubernetes.io/zone",
            "failure-domain.beta.kubernetes.io/zone",
            "team",
            "example.com/team",
            "team",
            "cpu",
        ]
        .map(ExtraColumn::from_label);
        assert_eq!(
            extra_titles(&labels, ["NODE", "AGE", "ZONE", "CPU", "MEMORY"].map(str::to_owned)),
            ["NODE AGE", "CPU REQ", "TOPOLOGY/ZONE", "FAILURE-DOMAIN/ZONE", "TEAM", "EXAMPLE/TEAM", "TEAM 2", "CPU 2"]
        );
    }
}
