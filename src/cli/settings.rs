//! Settings as meant: plain data, every choice a type, every default in one place.
//!
//! Nothing here knows where a value came from. [`super::layers`] fills it, the app reads it.

use super::selector;
use crate::model::{Name, Resource};
use crate::pricing::DiscountRule;
use clap::ValueEnum;
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Everything a person can set, with the values that are in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the picture comes from. Flags only: a file that turned every start into a demo would be a trap.
    pub source: Source,
    /// Kubeconfig context; `None` is the current one.
    pub context: Option<String>,
    /// Kubeconfig files to merge, in order. Empty means the client library's own rule: the files of `KUBECONFIG`, then
    /// `~/.kube/config`, then the service account of the pod the program runs in.
    pub kubeconfig: Vec<PathBuf>,
    /// Label selector that nodes must match, checked for form; `None` is every node. Evaluated by the API server.
    pub node_selector: Option<String>,
    /// How lists are asked for.
    pub list_mode: ListMode,
    /// Resources with a bar and a total, in order; never empty, none twice.
    pub resources: Vec<Resource>,
    /// Extra columns, in order. Empty means no extra column at all.
    pub extra_labels: Vec<ExtraLabel>,
    /// The filter to start with, as text: the room that owns the filter language reads it, and what it refuses becomes
    /// [`super::SettingsError::bad_filter`].
    pub filter: Option<String>,
    /// The order to start with.
    pub sort: Sort,
    /// The grouping to start with.
    pub group_by: GroupBy,
    /// Whether nodes are priced, and what may be asked for it.
    pub pricing: Pricing,
    /// AWS profile that live prices are asked with; `None` is the one the kubeconfig's user names, else the default chain.
    pub profile: Option<String>,
    /// File of the user's own prices; [`super::price_terms`] reads it.
    pub price_file: Option<PathBuf>,
    /// Discounts, in order: the first that matches a node is the only one for it. Files only.
    pub discounts: Vec<DiscountRule>,
    /// Costs that are shown beside those of nodes, in the order of [`ExtraCost`], none twice.
    pub extra_costs: Vec<ExtraCost>,
    /// What the colour of a bar means.
    pub palette: Palette,
    /// Three colours of one's own instead of the palette's.
    pub style: Option<Style>,
    /// Whether and how deeply the output is coloured. `NO_COLOR` has been taken into account.
    pub color: Color,
    /// Which background the colours are chosen for.
    pub theme: Theme,
    /// Draw with ASCII characters only.
    pub ascii: bool,
    /// Whether the event pane is shown at the start.
    pub events: bool,
    /// Whether the mouse is used; off leaves it to the terminal for selecting text.
    pub mouse: bool,
    /// File that diagnosis is written to; `None` writes none.
    pub log_file: Option<PathBuf>,
    /// What is written to the log file: directives of `tracing`, checked for form.
    pub log_filter: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            source: Source::Cluster,
            context: None,
            kubeconfig: Vec::new(),
            node_selector: None,
            list_mode: ListMode::Auto,
            resources: vec![Resource::Cpu, Resource::Memory],
            extra_labels: Vec::new(),
            filter: None,
            sort: Sort { by: SortBy::Age, order: Order::Ascending },
            group_by: GroupBy::None,
            pricing: Pricing::Auto,
            profile: None,
            price_file: None,
            discounts: Vec::new(),
            extra_costs: Vec::new(),
            palette: Palette::Efficiency,
            style: None,
            color: Color::Auto,
            theme: Theme::Auto,
            ascii: false,
            events: true,
            mouse: true,
            log_file: None,
            log_filter: "info".to_owned(),
        }
    }
}

/// Where the picture comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A cluster, by kubeconfig or from inside it.
    Cluster,
    /// The simulated fleet.
    Demo {
        /// Nodes of the fleet; `None` plays the story that starts from none.
        nodes: Option<NonZeroU32>,
        /// Seed of everything random in it: the same seed plays the same fleet.
        seed: u64,
    },
    /// A scenario file.
    Scenario(PathBuf),
}

/// What `snapshot` prints and how long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The format.
    pub output: OutputFormat,
    /// How long to wait for every stream to be in sync.
    pub timeout: Duration,
}

/// What `doctor` prints, how long it waits, and what it is to say of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doctor {
    /// What is asked for.
    pub wanted: DoctorWish,
    /// How long each check may take.
    pub timeout: Duration,
    /// The settings file that was read, if one was.
    pub settings_file: Option<PathBuf>,
    /// Why the settings file cannot be used; then the settings are those without it.
    pub settings_trouble: Option<String>,
}

/// What `doctor` is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoctorWish {
    /// The checks, in this format.
    Report(DoctorFormat),
    /// The Kubernetes role that is enough.
    Rbac,
    /// The IAM policy that is enough.
    IamPolicy,
}

/// Format of the doctor's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormat {
    /// For people
    Text,
    /// One JSON document, schema nodeglass-doctor/v1
    Json,
}

/// Format of a one-shot report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Aligned columns for people
    Table,
    /// One JSON document, schema nodeglass/v1
    Json,
    /// One row a node, with a header row
    Csv,
}

/// How lists are asked of the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListMode {
    /// Long lists in pages, short ones streamed where the server can: the fastest, measured
    Auto,
    /// Streaming lists only
    Stream,
    /// Lists in pages only, then a watch
    Pages,
}

/// What rows are gathered under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GroupBy {
    /// No groups
    None,
    /// Nodepool, or node group where there is none
    Nodepool,
    /// Availability zone
    Zone,
    /// Instance type
    Type,
    /// Capacity type: on-demand, spot, reserved
    Capacity,
}

/// Whether nodes are priced, and what may be asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pricing {
    /// From the table in the program at once, then from AWS's files and services as they answer
    Auto,
    /// As auto, and it is trouble when none of them answers
    Online,
    /// From the table, what was fetched before, and your own prices; nothing is asked
    Offline,
    /// No prices
    Off,
}

/// A cost beside those of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum ExtraCost {
    /// The cluster itself: standard or extended support, and a provisioned tier
    ControlPlane,
    /// Root volumes of the nodes
    Volumes,
}

/// What the colour of a bar means. No meaning is carried by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Palette {
    /// Low is bad: paid for and not used
    Efficiency,
    /// High is bad: about to be full
    Pressure,
}

/// Whether and how deeply output is coloured. Only [`Self::Always`] colours what goes into a pipe or a file: a depth that
/// stands in a settings file for the sake of a terminal must not put escapes into a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// As deep as the terminal says it can; none in a pipe, or where the environment forbids it
    Auto,
    /// As auto, but in a pipe too
    Always,
    /// No colour
    Never,
    /// The terminal's own 16 colours
    #[value(name = "16")]
    Ansi16,
    /// 256 colours
    #[value(name = "256")]
    Ansi256,
    /// 24 bit colours
    Truecolor,
}

/// Which background the colours are chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    /// Found out from the terminal, dark if it does not say
    Auto,
    /// Light text on a dark background
    Dark,
    /// Dark text on a light background
    Light,
}

/// A column made from a node label, or one of the labels eks-node-viewer computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtraLabel {
    /// The value of a label.
    Label(Name),
    /// `eks-node-viewer/node-age`.
    Age,
    /// `eks-node-viewer/node-<resource>-usage`: requests as a share of allocatable.
    Requested(Resource),
}

/// How eks-node-viewer's computed labels begin. Source: awslabs/eks-node-viewer `pkg/model/node.go`, `ComputeLabel`.
const COMPUTED_PREFIX: &str = "eks-node-viewer/node-";

/// A computed label by its full name; `None` for a label that is not computed.
fn computed(text: &str) -> Option<ExtraLabel> {
    let rest = text.strip_prefix(COMPUTED_PREFIX)?;
    if rest == "age" {
        return Some(ExtraLabel::Age);
    }
    let resource = rest.strip_suffix("-usage").filter(|name| selector::is_name(name))?;
    Some(ExtraLabel::Requested(Resource::from_name(resource)))
}

impl FromStr for ExtraLabel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(label) = computed(text) {
            Ok(label)
        } else if selector::is_name(text) {
            Ok(Self::Label(text.into()))
        } else {
            Err(format!("expected label keys such as topology.kubernetes.io/zone, and {text:?} is none"))
        }
    }
}

impl fmt::Display for ExtraLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(key) => f.write_str(key),
            Self::Age => write!(f, "{COMPUTED_PREFIX}age"),
            Self::Requested(resource) => write!(f, "{COMPUTED_PREFIX}{resource}-usage"),
        }
    }
}

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

/// Three colours for good, middling and bad values; what lies between is blended from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// For good values.
    pub good: StyleColor,
    /// For middling values.
    pub ok: StyleColor,
    /// For bad values.
    pub bad: StyleColor,
}

/// One colour of a [`Style`], in the two forms eks-node-viewer takes (charmbracelet/lipgloss `Color`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StyleColor {
    /// `#rrggbb` or `#rgb`.
    Rgb(u8, u8, u8),
    /// An index into the terminal's 256 colours.
    Indexed(u8),
}

impl FromStr for StyleColor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected colours such as #04b575, and {text:?} is none");
        let Some(hex) = text.strip_prefix('#') else {
            return text.parse().map(Self::Indexed).map_err(|_not_a_number| wrong());
        };
        let digits: Option<Vec<u8>> = hex.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
        match digits.as_deref() {
            Some([r, g, b]) => Ok(Self::Rgb(r * 17, g * 17, b * 17)),
            Some([r1, r0, g1, g0, b1, b0]) => Ok(Self::Rgb(r1 * 16 + r0, g1 * 16 + g0, b1 * 16 + b0)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for StyleColor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rgb(r, g, b) => write!(f, "#{r:02x}{g:02x}{b:02x}"),
            Self::Indexed(index) => write!(f, "{index}"),
        }
    }
}

impl Style {
    /// A style from its three colours, in the order good, ok, bad.
    ///
    /// # Errors
    ///
    /// What is accepted instead, as `expected …`.
    pub fn from_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let colors: Vec<StyleColor> = parts.into_iter().map(StyleColor::from_str).collect::<Result<_, _>>()?;
        match colors[..] {
            [good, ok, bad] => Ok(Self { good, ok, bad }),
            _ => Err(format!("expected three colours, for good, ok and bad, and found {}", colors.len())),
        }
    }
}

#[cfg(test)]
mod tests {
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

    #[test_case("#04B575,#FFFF00,#FF0000" => Ok("#04b575,#ffff00,#ff0000".to_owned()))]
    #[test_case("#0f0,#ff0,1" => Ok("#00ff00,#ffff00,1".to_owned()) ; "short and indexed")]
    #[test_case("#0f0,#ff0" => Err("expected three colours, for good, ok and bad, and found 2".to_owned()))]
    #[test_case("#0f0,red,#f00" => Err("expected colours such as #04b575, and \"red\" is none".to_owned()))]
    #[test_case("#0f0,#éa,#f00" => Err("expected colours such as #04b575, and \"#éa\" is none".to_owned()))]
    fn styles(text: &str) -> Result<String, String> {
        let Style { good, ok, bad } = Style::from_parts(text.split(','))?;
        Ok(format!("{good},{ok},{bad}"))
    }

    #[test_case("karpenter.sh/nodepool" => Ok(ExtraLabel::Label("karpenter.sh/nodepool".into())))]
    #[test_case("eks-node-viewer/node-age" => Ok(ExtraLabel::Age))]
    #[test_case("eks-node-viewer/node-pods-usage" => Ok(ExtraLabel::Requested(Resource::Pods)))]
    #[test_case("eks-node-viewer/instance-price" => Ok(ExtraLabel::Label("eks-node-viewer/instance-price".into())))]
    #[test_case("two words" => Err("expected label keys such as topology.kubernetes.io/zone, and \"two words\" is none".to_owned()))]
    fn extra_labels(text: &str) -> Result<ExtraLabel, String> {
        let label: ExtraLabel = text.parse()?;
        assert_eq!(label.to_string(), text);
        Ok(label)
    }
}
