//! Further columns: labels of nodes, and the ones that eks-node-viewer computes.

use super::Column;
use crate::model::{Name, Resource};

/// How eks-node-viewer's computed labels begin (awslabs/eks-node-viewer `pkg/model/node.go`, `ComputeLabel`).
const COMPUTED: &str = "eks-node-viewer/node-";

/// What a further column shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extra {
    /// The value of a label.
    Label(Name),
    /// `eks-node-viewer/node-age`.
    Age,
    /// `eks-node-viewer/node-<resource>-usage`: what that tool calls usage is the share that is requested.
    Requested(Resource),
}

impl Extra {
    /// What the column of this label shows.
    pub fn of(label: &Name) -> Self {
        let Some(rest) = label.strip_prefix(COMPUTED) else { return Self::Label(label.clone()) };
        match rest.strip_suffix("-usage") {
            Some(resource) if !resource.is_empty() => Self::Requested(Resource::from_name(resource)),
            Some(_) | None if rest == "age" => Self::Age,
            Some(_) | None => Self::Label(label.clone()),
        }
    }

    /// What it is sorted by.
    pub fn column(&self) -> Column {
        match self {
            Self::Label(key) => Column::Label(key.clone()),
            Self::Age => Column::Age,
            Self::Requested(Resource::Cpu) => Column::Cpu,
            Self::Requested(Resource::Memory) => Column::Memory,
            Self::Requested(resource) => Column::Share(resource.clone()),
        }
    }

    /// Whether the largest comes first when it is sorted by.
    pub const fn is_amount(&self) -> bool {
        matches!(self, Self::Requested(_))
    }

    /// Headings for it, the shortest first.
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

/// A heading for each label, none of them that of another column (`taken`): the last part of the key, more of it where
/// needed.
pub fn titles(labels: &[Name], taken: impl IntoIterator<Item = String>) -> Vec<String> {
    unique(labels.iter().map(|label| Extra::of(label).titles()), taken)
}

/// A heading for each resource, by the same rule: `GPU` of `nvidia.com/gpu`, then `AMD/GPU` of `amd.com/gpu`.
pub fn resource_titles(resources: &[&Resource], taken: impl IntoIterator<Item = String>) -> Vec<String> {
    let choices = |resource: &&Resource| match resource {
        Resource::Extended(name) => Extra::Label(name.clone()).titles(),
        _ => vec![resource.short_name().to_uppercase()],
    };
    unique(resources.iter().map(choices), taken)
}

/// The first of each one's choices that is not taken, else its last one with a number.
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

    #[test_case("eks-node-viewer/node-age" => Extra::Age)]
    #[test_case("eks-node-viewer/node-cpu-usage" => Extra::Requested(Resource::Cpu))]
    #[test_case("eks-node-viewer/node-ephemeral-storage-usage" => Extra::Requested(Resource::EphemeralStorage))]
    #[test_case("eks-node-viewer/instance-price" => Extra::Label("eks-node-viewer/instance-price".into()))]
    #[test_case("team" => Extra::Label("team".into()))]
    fn labels_are_read(label: &str) -> Extra {
        Extra::of(&label.into())
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
        .map(Name::from);
        assert_eq!(
            titles(&labels, ["NODE", "AGE", "ZONE", "CPU", "MEMORY"].map(str::to_owned)),
            ["NODE AGE", "CPU REQ", "TOPOLOGY/ZONE", "FAILURE-DOMAIN/ZONE", "TEAM", "EXAMPLE/TEAM", "TEAM 2", "CPU 2"]
        );
    }
}
