//! Settings as meant: plain data, every choice a type, every default in one place.
//!
//! Nothing here knows where a value came from. [`super::layers`] fills it, the app reads it.

use super::selector;
use crate::insight::{GroupBy, Sort};
use crate::model::{Name, Resource};
use crate::output::Format;
use crate::pricing::DiscountRule;
use crate::source::live::ListMode;
use crate::ui::Palette;
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
    /// AWS profile for live prices; `None` is the one the kubeconfig's user names, else the default chain.
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
            sort: Sort::default(),
            group_by: GroupBy::Nothing,
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
    pub output: Format,
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
pub(super) fn computed(text: &str) -> Option<ExtraLabel> {
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
