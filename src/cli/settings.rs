//! The settings: plain data, with every default in one place.
//!
//! [`super::layers`] fills them, `app` reads them; they do not record where a value comes from.

use super::selector;
use crate::insight::{ExtraColumn, GroupBy, Sort};
use crate::model::Resource;
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

/// All settings, with their effective values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The source of the state. Only flags set it, so that a file cannot turn every start into a demo.
    pub source: Source,
    /// Kubeconfig context; `None` is the current one.
    pub context: Option<String>,
    /// Kubeconfig files to merge, in order. If empty, the client library's rule applies: the files of `KUBECONFIG`, then
    /// `~/.kube/config`, then the service account of the pod that the program runs in.
    pub kubeconfig: Vec<PathBuf>,
    /// Label selector that nodes must match, syntactically checked; `None` selects all nodes. The API server evaluates it.
    pub node_selector: Option<String>,
    /// How initial lists are fetched.
    pub list_mode: ListMode,
    /// Resources with a bar and a total, in order; not empty, without duplicates.
    pub resources: Vec<Resource>,
    /// Extra columns, in order.
    pub extra_labels: Vec<ExtraColumn>,
    /// The initial filter, as text: `insight` parses it, and its error becomes [`super::SettingsError::bad_filter`].
    pub filter: Option<String>,
    /// The initial sort order.
    pub sort: Sort,
    /// The initial grouping.
    pub group_by: GroupBy,
    /// Whether nodes are priced, and from which sources.
    pub pricing: Pricing,
    /// AWS profile for live prices; `None` stands for the profile of the kubeconfig's user, else the default chain.
    pub profile: Option<String>,
    /// The price file; [`super::price_terms`] reads it.
    pub price_file: Option<PathBuf>,
    /// Discounts, in order; only the first that matches a node applies to it. Only files set them.
    pub discounts: Vec<DiscountRule>,
    /// Costs shown besides those of nodes, in the order of [`ExtraCost`], without duplicates.
    pub extra_costs: Vec<ExtraCost>,
    /// The meaning of bar colours.
    pub palette: Palette,
    /// Three colours that replace those of the palette.
    pub style: Option<Style>,
    /// Whether output is coloured, and with how many colours. `NO_COLOR` is already applied.
    pub color: Color,
    /// The background that colours are chosen for.
    pub theme: Theme,
    /// Draw with ASCII characters only.
    pub ascii: bool,
    /// Whether the event pane is shown at the start.
    pub events: bool,
    /// Whether the mouse is used; off leaves it to the terminal for selecting text.
    pub mouse: bool,
    /// The log file, if there is one.
    pub log_file: Option<PathBuf>,
    /// What is written to the log file: `tracing` directives, syntactically checked.
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

/// The source of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A cluster, by kubeconfig or in-cluster configuration.
    Cluster,
    /// The simulated fleet.
    Demo {
        /// The number of nodes; `None` plays the demo that starts without nodes.
        nodes: Option<NonZeroU32>,
        /// The seed of all random values: the same seed plays the same fleet.
        seed: u64,
    },
    /// A scenario file.
    Scenario(PathBuf),
}

/// The options of `snapshot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The format.
    pub output: Format,
    /// How long to wait for every stream to sync.
    pub timeout: Duration,
}

/// The options of `doctor`, and the state of the settings file, which it reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doctor {
    /// What to print.
    pub output: DoctorOutput,
    /// How long each check may take.
    pub timeout: Duration,
    /// The settings file that was read, if any.
    pub settings_file: Option<PathBuf>,
    /// The error of an invalid settings file; the settings are then those without it.
    pub settings_trouble: Option<String>,
}

/// What `doctor` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoctorOutput {
    /// The report, in this format.
    Report(DoctorFormat),
    /// The required ClusterRole.
    Rbac,
    /// The required IAM policy.
    IamPolicy,
}

/// The format of the report of `doctor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormat {
    /// For people
    Text,
    /// One JSON document, schema nodeglass-doctor/v1
    Json,
}

/// Whether nodes are priced, and from which sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pricing {
    /// Built-in prices first, replaced by AWS prices as they arrive
    Auto,
    /// As auto, and an error if no AWS source answers
    Online,
    /// Built-in and cached prices, price file and labels; no requests
    Offline,
    /// No prices
    Off,
}

/// A cost besides those of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum ExtraCost {
    /// The EKS control plane: standard or extended support, and a provisioned tier
    ControlPlane,
    /// Root volumes of the nodes
    Volumes,
}

/// Whether output is coloured, and with how many colours. Only [`Self::Always`] colours output to a pipe or a file: a
/// depth in a settings file is meant for terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// As many colours as the terminal has; none in a pipe, or if the environment turns them off
    Auto,
    /// As auto, and also in a pipe
    Always,
    /// No colour
    Never,
    /// The terminal's 16 colours
    #[value(name = "16")]
    Ansi16,
    /// 256 colours
    #[value(name = "256")]
    Ansi256,
    /// 24 bit colours
    Truecolor,
}

/// The background that colours are chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    /// Detected from COLORFGBG, else dark
    Auto,
    /// Light text on a dark background
    Dark,
    /// Dark text on a light background
    Light,
}

/// The extra column of a label key. The error states what a key looks like.
pub(super) fn extra_column(text: &str) -> Result<ExtraColumn, String> {
    let column = ExtraColumn::from_label(text);
    let is_valid = match &column {
        ExtraColumn::Label(key) => selector::is_name(key),
        ExtraColumn::Age => true,
        ExtraColumn::Requested(resource) => selector::is_name(resource.name()),
    };
    if is_valid {
        Ok(column)
    } else {
        Err(format!("expected label keys such as topology.kubernetes.io/zone, and {text:?} is not one"))
    }
}

/// Three colours for good, fair and bad values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// For good values.
    pub good: StyleColor,
    /// For fair values.
    pub ok: StyleColor,
    /// For bad values.
    pub bad: StyleColor,
}

/// A colour of a [`Style`], in the two forms of eks-node-viewer (charmbracelet/lipgloss `Color`).
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
        let wrong = || format!("expected colours such as #04b575, and {text:?} is not one");
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
    /// What is accepted, as `expected …`.
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
    #[test_case("#0f0,red,#f00" => Err("expected colours such as #04b575, and \"red\" is not one".to_owned()))]
    #[test_case("#0f0,#éa,#f00" => Err("expected colours such as #04b575, and \"#éa\" is not one".to_owned()))]
    fn styles(text: &str) -> Result<String, String> {
        let Style { good, ok, bad } = Style::from_parts(text.split(','))?;
        Ok(format!("{good},{ok},{bad}"))
    }

    #[test_case("karpenter.sh/nodepool" => Ok(ExtraColumn::Label("karpenter.sh/nodepool".into())))]
    #[test_case("eks-node-viewer/node-age" => Ok(ExtraColumn::Age))]
    #[test_case("eks-node-viewer/node-pods-usage" => Ok(ExtraColumn::Requested(Resource::Pods)))]
    #[test_case("eks-node-viewer/node-nvidia.com/gpu-usage" => Ok(ExtraColumn::Requested(Resource::from_name("nvidia.com/gpu"))))]
    #[test_case("eks-node-viewer/instance-price" => Ok(ExtraColumn::Label("eks-node-viewer/instance-price".into())))]
    #[test_case("two words" => Err("expected label keys such as topology.kubernetes.io/zone, and \"two words\" is not one".to_owned()))]
    fn extra_columns(text: &str) -> Result<ExtraColumn, String> {
        extra_column(text)
    }
}
