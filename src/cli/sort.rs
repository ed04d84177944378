//! Parses the sort order: nodeglass' syntax (`--sort`) and that of eks-node-viewer (`--node-sort`).

use super::selector;
use super::settings::extra_column;
use crate::insight::{Column, Direction, Sort};
use crate::model::Resource;

/// The names of sort keys, in the order of the columns.
pub const SORT_WORDS: &[&str] = &[
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

/// Parses a column from its name, `label:KEY`, `resource:NAME`, a computed label, or a label key with a `/`.
fn parse_column(text: &str) -> Option<Column> {
    Some(match text {
        "name" => Column::Name,
        "nodepool" => Column::Pool,
        "cpu" | "memory" | "ephemeral-storage" => Column::from_resource(Resource::from_name(text)),
        "pods" => Column::Pods,
        "type" => Column::Type,
        "price" => Column::Price,
        "waste" => Column::Waste,
        "capacity" => Column::Capacity,
        "zone" => Column::Zone,
        // eks-node-viewer's key, and its direction: its `creation=asc` shows the newest first.
        "age" | "creation" => Column::Age,
        "status" => Column::Status,
        _ => {
            if let Some(name) = text.strip_prefix("resource:") {
                return selector::is_name(name).then(|| Column::from_resource(Resource::from_name(name)));
            }
            if let Some(key) = text.strip_prefix("label:") {
                return extra_column(key).ok().map(|column| column.sort_column());
            }
            // No column's name has a slash, nearly every label key has one.
            return extra_column(text).ok().filter(|_| text.contains('/')).map(|column| column.sort_column());
        }
    })
}

/// The name that [`parse_column`] parses.
fn column_text(column: &Column) -> String {
    match column {
        Column::Name => "name".to_owned(),
        Column::Pool => "nodepool".to_owned(),
        Column::Cpu => "cpu".to_owned(),
        Column::Memory => "memory".to_owned(),
        Column::Share(Resource::EphemeralStorage) => Resource::EphemeralStorage.to_string(),
        Column::Share(resource) => format!("resource:{resource}"),
        Column::Pods => "pods".to_owned(),
        Column::Type => "type".to_owned(),
        Column::Price => "price".to_owned(),
        Column::Waste => "waste".to_owned(),
        Column::Capacity => "capacity".to_owned(),
        Column::Zone => "zone".to_owned(),
        Column::Age => "age".to_owned(),
        Column::Status => "status".to_owned(),
        Column::Label(key) => format!("label:{key}"),
    }
}

/// Splits `KEY=asc` into key and direction; ascending by default. `dsc` is eks-node-viewer's spelling.
fn split_direction(text: &str) -> Result<(&str, Direction), String> {
    match text.rsplit_once('=') {
        None => Ok((text, Direction::Ascending)),
        Some((key, "asc")) => Ok((key, Direction::Ascending)),
        Some((key, "desc" | "dsc")) => Ok((key, Direction::Descending)),
        Some((_, other)) => Err(format!("expected asc or desc after the `=`, not {other:?}")),
    }
}

/// Parses `--sort`: `KEY`, `KEY=asc` or `KEY=desc`.
///
/// # Errors
///
/// What is accepted, as `expected …`.
pub fn parse_sort(text: &str) -> Result<Sort, String> {
    let (key, direction) = split_direction(text)?;
    if let Some(column) = parse_column(key) {
        return Ok(Sort { column, direction });
    }
    let near = super::error::nearest(key, SORT_WORDS.iter().copied());
    let near = near.map(|word| format!("; did you mean {word}?")).unwrap_or_default();
    Err(format!("expected {} or label:KEY, then =asc or =desc{near}", SORT_WORDS.join(", ")))
}

/// Parses eks-node-viewer's `--node-sort`, in which everything but `creation` is a label key.
///
/// Names of columns keep their meaning, since node labels have no such keys.
///
/// # Errors
///
/// What is accepted, as `expected …`.
pub fn parse_node_sort(text: &str) -> Result<Sort, String> {
    let (key, direction) = split_direction(text)?;
    let column = parse_column(key).or_else(|| extra_column(key).ok().map(|column| column.sort_column()));
    column
        .map(|column| Sort { column, direction })
        .ok_or_else(|| "expected `creation` or a label key, then =asc or =dsc".to_owned())
}

/// The text that [`parse_sort`] parses.
pub fn sort_text(sort: &Sort) -> String {
    let direction = match sort.direction {
        Direction::Ascending => "asc",
        Direction::Descending => "desc",
    };
    format!("{}={direction}", column_text(&sort.column))
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
        let sort = parse_sort(text).unwrap();
        let printed = sort_text(&sort);
        assert_eq!(parse_sort(&printed).unwrap(), sort, "the printed order parses to itself");
        printed
    }

    #[test]
    fn sort_arrow_means_what_it_says() {
        // Ascending age is youngest first, and that is also what eks-node-viewer's inverted `creation=asc` shows.
        let newest_first = Sort { column: Column::Age, direction: Direction::Ascending };
        assert_eq!(parse_node_sort("creation=asc").unwrap(), newest_first);
        assert_eq!(parse_sort("age=asc").unwrap(), newest_first);
        assert_eq!(Settings::default().sort, newest_first);
        let oldest_first = Sort { column: Column::Age, direction: Direction::Descending };
        assert_eq!(parse_node_sort("creation=dsc").unwrap(), oldest_first);
        assert_eq!(parse_sort("age=desc").unwrap(), oldest_first);
    }

    #[test]
    fn node_sort_takes_any_label_and_sort_takes_no_slip() {
        let team = Sort { column: Column::Label("team".into()), direction: Direction::Descending };
        assert_eq!(parse_node_sort("team=dsc").unwrap(), team);
        let error = parse_sort("prize").unwrap_err();
        assert!(error.contains("did you mean price?"), "{error}");
        let error = parse_sort("price=down").unwrap_err();
        assert!(error.contains("expected asc or desc"), "{error}");
    }

    #[test]
    fn every_sort_word_names_itself() {
        for word in SORT_WORDS {
            assert_eq!(column_text(&parse_column(word).unwrap()), *word);
        }
    }
}
