//! The order of rows as it is typed: our words (`--sort`), and those of eks-node-viewer (`--node-sort`).

use super::selector;
use super::settings::{ExtraLabel, computed};
use crate::model::{Name, Resource};
use std::fmt;
use std::str::FromStr;

/// The order of rows: by what, and which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// Which way.
    pub order: Order,
}

/// Which way an order runs. Equal rows are ordered by name, so the order is always total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Small to large: youngest, cheapest, emptiest, `a` first.
    Ascending,
    /// Large to small: oldest, dearest, fullest, `z` first.
    Descending,
}

/// What rows can be ordered by. Sort keys are typed values, never the text that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// Name, in natural order: `node-2` before `node-10`.
    Name,
    /// Nodepool or node group.
    Nodepool,
    /// Share of allocatable that is requested, for one resource.
    Requested(Resource),
    /// Number of pods.
    Pods,
    /// Instance type, in natural order.
    Type,
    /// Price an hour; what has none comes last in either direction.
    Price,
    /// What of the price no pod requests.
    Waste,
    /// Capacity type.
    Capacity,
    /// Availability zone.
    Zone,
    /// Age: ascending is youngest first.
    Age,
    /// State of the node.
    Status,
    /// The value of a label, in natural order.
    Label(Name),
}

impl SortBy {
    /// The plain words, in the order of the columns they name.
    pub const WORDS: &[&str] = &[
        "name",
        "nodepool",
        "cpu",
        "memory",
        "pods",
        "ephemeral-storage",
        "type",
        "price",
        "waste",
        "capacity",
        "zone",
        "age",
        "status",
    ];

    /// A sort key from a column's word, `label:KEY`, `resource:NAME`, a computed label, or a label key with a `/`.
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "name" => Self::Name,
            "nodepool" => Self::Nodepool,
            "cpu" | "memory" | "ephemeral-storage" => Self::Requested(Resource::from_name(text)),
            "pods" => Self::Pods,
            "type" => Self::Type,
            "price" => Self::Price,
            "waste" => Self::Waste,
            "capacity" => Self::Capacity,
            "zone" => Self::Zone,
            // eks-node-viewer's word, and its direction too: its `creation=asc` shows the newest first.
            "age" | "creation" => Self::Age,
            "status" => Self::Status,
            _ => {
                if let Some(name) = text.strip_prefix("resource:") {
                    return selector::is_name(name).then(|| Self::Requested(Resource::from_name(name)));
                }
                if let Some(key) = text.strip_prefix("label:") {
                    return selector::is_name(key).then(|| Self::of_label(key));
                }
                // No column has a slash in its word, nearly every label key has.
                let is_label = computed(text).is_some() || (text.contains('/') && selector::is_name(text));
                return is_label.then(|| Self::of_label(text));
            }
        })
    }

    /// The key for a label, computed ones included.
    fn of_label(key: &str) -> Self {
        match computed(key).unwrap_or_else(|| ExtraLabel::Label(key.into())) {
            ExtraLabel::Age => Self::Age,
            ExtraLabel::Requested(resource) => Self::Requested(resource),
            ExtraLabel::Label(key) => Self::Label(key),
        }
    }
}

impl fmt::Display for SortBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("name"),
            Self::Nodepool => f.write_str("nodepool"),
            Self::Requested(resource @ (Resource::Pods | Resource::Extended(_))) => write!(f, "resource:{resource}"),
            Self::Requested(resource @ (Resource::Cpu | Resource::Memory | Resource::EphemeralStorage)) => {
                write!(f, "{resource}")
            }
            Self::Pods => f.write_str("pods"),
            Self::Type => f.write_str("type"),
            Self::Price => f.write_str("price"),
            Self::Waste => f.write_str("waste"),
            Self::Capacity => f.write_str("capacity"),
            Self::Zone => f.write_str("zone"),
            Self::Age => f.write_str("age"),
            Self::Status => f.write_str("status"),
            Self::Label(key) => write!(f, "label:{key}"),
        }
    }
}

/// Splits `KEY=asc` into key and order; ascending where nothing is said. `dsc` is eks-node-viewer's spelling.
fn split_order(text: &str) -> Result<(&str, Order), String> {
    match text.rsplit_once('=') {
        None => Ok((text, Order::Ascending)),
        Some((key, "asc")) => Ok((key, Order::Ascending)),
        Some((key, "desc" | "dsc")) => Ok((key, Order::Descending)),
        Some((_, other)) => Err(format!("expected asc or desc after the `=`, not {other:?}")),
    }
}

impl Sort {
    /// Reads `--node-sort` of eks-node-viewer: there every word but `creation` is a label key.
    ///
    /// Our column words keep their meaning, since nobody has a node label `cpu`.
    ///
    /// # Errors
    ///
    /// What is accepted instead, as `expected …`.
    pub fn from_node_sort(text: &str) -> Result<Self, String> {
        let (key, order) = split_order(text)?;
        let by = SortBy::parse(key).or_else(|| selector::is_name(key).then(|| SortBy::of_label(key)));
        by.map(|by| Self { by, order })
            .ok_or_else(|| "expected `creation` or a label key, then =asc or =dsc".to_owned())
    }
}

impl FromStr for Sort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, order) = split_order(text)?;
        if let Some(by) = SortBy::parse(key) {
            return Ok(Self { by, order });
        }
        let near = super::error::nearest(key, SortBy::WORDS.iter().copied());
        let near = near.map(|word| format!("; did you mean {word}?")).unwrap_or_default();
        Err(format!("expected {} or label:KEY, then =asc or =desc{near}", SortBy::WORDS.join(", ")))
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.order {
            Order::Ascending => write!(f, "{}=asc", self.by),
            Order::Descending => write!(f, "{}=desc", self.by),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;
    use test_case::test_case;

    #[test_case("age" => "age=asc")]
    #[test_case("price=desc" => "price=desc")]
    #[test_case("price=dsc" => "price=desc" ; "the peer's spelling")]
    #[test_case("creation=asc" => "age=asc")]
    #[test_case("pods" => "pods=asc")]
    #[test_case("label:team=desc" => "label:team=desc")]
    #[test_case("topology.kubernetes.io/zone" => "label:topology.kubernetes.io/zone=asc")]
    #[test_case("resource:nvidia.com/gpu=desc" => "resource:nvidia.com/gpu=desc")]
    #[test_case("eks-node-viewer/node-cpu-usage=dsc" => "cpu=desc")]
    #[test_case("eks-node-viewer/node-pods-usage" => "resource:pods=asc" ; "its share, not their number")]
    #[test_case("eks-node-viewer/node-age" => "age=asc")]
    #[test_case("eks-node-viewer/node-ephemeral-storage-usage" => "ephemeral-storage=asc")]
    #[test_case("eks-node-viewer/node-nvidia.com/gpu-usage" => "resource:nvidia.com/gpu=asc")]
    fn sorts_read_and_print(text: &str) -> String {
        let sort: Sort = text.parse().unwrap();
        let printed = sort.to_string();
        assert_eq!(printed.parse::<Sort>().unwrap(), sort, "what is printed reads back");
        printed
    }

    #[test]
    fn sort_arrow_means_what_it_says() {
        // Ascending age is youngest first, and that is also what eks-node-viewer's inverted `creation=asc` shows.
        let newest_first = Sort { by: SortBy::Age, order: Order::Ascending };
        assert_eq!(Sort::from_node_sort("creation=asc").unwrap(), newest_first);
        assert_eq!("age=asc".parse::<Sort>().unwrap(), newest_first);
        assert_eq!(Settings::default().sort, newest_first);
        let oldest_first = Sort { by: SortBy::Age, order: Order::Descending };
        assert_eq!(Sort::from_node_sort("creation=dsc").unwrap(), oldest_first);
        assert_eq!("age=desc".parse::<Sort>().unwrap(), oldest_first);
    }

    #[test]
    fn node_sort_takes_any_label_and_sort_takes_no_slip() {
        let team = Sort { by: SortBy::Label("team".into()), order: Order::Descending };
        assert_eq!(Sort::from_node_sort("team=dsc").unwrap(), team);
        let error = "prize".parse::<Sort>().unwrap_err();
        assert!(error.contains("did you mean price?"), "{error}");
        let error = "price=down".parse::<Sort>().unwrap_err();
        assert!(error.contains("expected asc or desc"), "{error}");
    }

    #[test]
    fn every_sort_word_names_itself() {
        for word in SortBy::WORDS {
            assert_eq!(SortBy::parse(word).unwrap().to_string(), *word);
        }
    }
}
