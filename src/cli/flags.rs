//! The flags.
//!
//! [`Cli`] has the flags as optional text, [`super::Settings`] the resulting values. A flag that is not given leaves its
//! setting to the environment or the settings file, and the values of all three are parsed by the same functions. The
//! comments below are the text of `--help` and of the man page.

#![expect(clippy::doc_markdown, reason = "clap prints these comments, and backticks would be noise in a terminal")]

use super::settings::{Color, DoctorFormat, Pricing, Theme};
use crate::insight::GroupBy;
use crate::output::Format;
use crate::source::live::ListMode;
use crate::ui::Palette;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// Terminal dashboard of Kubernetes nodes and their cost
///
/// Shows what nodes do, what they cost by the hour, and why they come and go. nodeglass draws a dashboard of nodes, claims, pods, events and prices in the terminal. It only ever reads: get, list
/// and watch. Press ? in it for the keys.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "nodeglass",
    version,
    args_override_self = true,
    max_term_width = 100,
    after_help = "Flags take precedence over the environment (NODEGLASS_CONTEXT for --context, and so on), and that \
    over the settings file. See --help for more.",
    after_long_help = sections_as_help(),
)]
pub struct Cli {
    /// The command; the dashboard if there is none.
    #[command(subcommand)]
    pub command: Option<CliCommand>,
    /// The flags that can stand before or after the command.
    #[command(flatten)]
    pub flags: Flags,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum CliCommand {
    /// Print the current state once and exit
    ///
    /// Waits until every watch is synced, then prints totals, nodes, NodeClaims, NodePools and pods by state. Exits with 0; with
    /// 1 if the cluster could not be read in time; with 2 if the command line is wrong. Needs no terminal.
    Snapshot(SnapshotFlags),
    /// Check what the dashboard needs: cluster, permissions, price sources
    ///
    /// Tries everything the dashboard uses and reports what works, the impact of what does not, and how to fix it. Exits with 0
    /// if the dashboard is usable, with or without warnings; with 1 if it is not; with 2 if the command line is wrong.
    /// Changes nothing: it reads, and asks the server what you may do.
    Doctor(DoctorFlags),
    /// Print the settings in effect as a settings file
    ///
    /// What is printed can be saved as config.toml, and means the same there as the flags, variables and file it was
    /// made from. Its first line names the file that was read, if one was.
    Config,
    /// Print shell completions
    ///
    /// For example: nodeglass completions bash > ~/.local/share/bash-completion/completions/nodeglass
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    ///
    /// For example: nodeglass man | man -l -
    Man,
}

/// Flags of `snapshot` alone.
#[derive(Clone, Debug, Args)]
pub struct SnapshotFlags {
    /// The format to print
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t = Format::Table)]
    pub output: Format,
    /// How long to wait for every watch to sync, such as 30s or "1m 30s"
    ///
    /// A watch that is not synced by then is named on standard error, the rest is printed, and the exit status is 1.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
}

/// Flags of `doctor` alone.
#[derive(Clone, Debug, Args)]
pub struct DoctorFlags {
    /// The format to print
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t = DoctorFormat::Text)]
    pub output: DoctorFormat,
    /// How long each check may take, such as 10s
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// Print the required Kubernetes ClusterRole as YAML and exit
    ///
    /// A ClusterRole and a binding whose subject you fill in, with what --extra-costs needs. Makes no request.
    #[arg(long, conflicts_with = "print_iam_policy")]
    pub print_rbac: bool,
    /// Print the AWS IAM policy for live prices as JSON and exit
    ///
    /// Optional: most prices are known without it. Includes what --extra-costs needs. Makes no request.
    #[arg(long)]
    pub print_iam_policy: bool,
}

/// The values of an enum, for checks and shell completion; the argument stays text.
fn words<T: ValueEnum>() -> PossibleValuesParser {
    PossibleValuesParser::new(T::value_variants().iter().filter_map(ValueEnum::to_possible_value))
}

/// The values of a switch.
fn switch() -> PossibleValuesParser {
    PossibleValuesParser::new(["on", "off"])
}

/// Parses the size of a simulated fleet.
fn fleet_size() -> impl TypedValueParser<Value = NonZeroU32> {
    clap::value_parser!(u32).range(1..=10_000).try_map(NonZeroU32::try_from)
}

/// The flags that can stand before or after the command, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Flags {
    /// Kubeconfig context [default: the current one]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    pub context: Option<String>,
    /// Kubeconfig file, or a list of them as in KUBECONFIG
    ///
    /// Several files are separated as in PATH: by a colon, on Windows by a semicolon. Without this flag the files of
    /// KUBECONFIG are read, then ~/.kube/config, then the service account of the pod the program runs in. An empty
    /// KUBECONFIG counts as not set.
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Cluster")]
    pub kubeconfig: Option<String>,
    /// Only nodes whose labels match, such as karpenter.sh/nodepool=default
    ///
    /// A label selector as kubectl takes it, evaluated by the API server: key, !key, key=value, key!=value,
    /// "key in (a,b)", "key notin (a,b)", joined by commas.
    #[arg(short = 'l', long, global = true, value_name = "SELECTOR", help_heading = "Cluster")]
    pub node_selector: Option<String>,
    /// How initial lists are fetched [default: auto]
    #[arg(long, global = true, value_name = "MODE", value_parser = words::<ListMode>(), help_heading = "Cluster")]
    pub list_mode: Option<String>,

    /// Resources shown as bars and totals [default: cpu,memory]
    ///
    /// Separated by commas: cpu, memory, pods, ephemeral-storage, or an extended resource such as nvidia.com/gpu. In the table
    /// and the CSV of snapshot they are columns; its JSON has all resources.
    #[arg(long, global = true, value_name = "LIST", help_heading = "What is shown")]
    pub resources: Option<String>,
    /// Node labels shown as further columns, separated by commas
    ///
    /// Also in the table and the CSV of snapshot. Its JSON has all labels of each node, and null for one of these that a node
    /// does not have.
    /// eks-node-viewer's computed labels are labels here too: eks-node-viewer/node-age, …/node-cpu-usage,
    /// …/node-memory-usage, …/node-pods-usage, …/node-ephemeral-storage-usage.
    #[arg(long, global = true, value_name = "LIST", help_heading = "What is shown")]
    pub extra_labels: Option<String>,
    /// Filter to start with, such as "pool:spot cpu<50 status:draining"
    ///
    /// The language of the dashboard's / key.
    #[arg(long, global = true, value_name = "FILTER", allow_hyphen_values = true, help_heading = "What is shown")]
    pub filter: Option<String>,
    /// Order to start with: KEY, KEY=asc or KEY=desc [default: age=asc, youngest first]
    ///
    /// Keys: name, nodepool, cpu, memory, pods, ephemeral-storage, type, price, waste, capacity, zone, age, status,
    /// label:KEY for a node label, resource:NAME for another resource. Resources are ordered by the share of allocatable
    /// that is requested, pods by their number, waste by what is paid for what no pod requests. Ascending is small to
    /// large: youngest, cheapest, emptiest first. The arrow in the column's header shows the direction.
    #[arg(long, global = true, value_name = "KEY", help_heading = "What is shown")]
    pub sort: Option<String>,
    /// Order as eks-node-viewer takes it: creation or a label, then =asc or =dsc
    ///
    /// As there, creation=asc is newest first. Columns are understood as well, as in --sort.
    #[arg(long, global = true, value_name = "KEY", help_heading = "What is shown")]
    pub node_sort: Option<String>,
    /// Grouping to start with [default: none]
    ///
    /// The table and the JSON of snapshot have groups with subtotals. Its CSV is one line a node and takes no grouping.
    #[arg(long, global = true, value_name = "BY", value_parser = words::<GroupBy>(), help_heading = "What is shown")]
    pub group_by: Option<String>,

    /// Price nodes, and from which sources [default: auto]
    #[arg(long, global = true, value_name = "MODE", value_parser = words::<Pricing>(), help_heading = "Prices")]
    pub pricing: Option<String>,
    /// AWS profile for live prices
    ///
    /// [default: the one that the kubeconfig's user names (aws eks get-token --profile, or AWS_PROFILE there), else the AWS CLI's
    /// default]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Prices")]
    pub profile: Option<String>,
    /// Your own prices: a CSV or JSON file
    ///
    /// Columns, or keys of a JSON array's objects: region, instance_type, capacity, usd_per_hour. An empty field or *
    /// matches all. The most specific row wins; on a tie, the last. A price is for the whole node: no
    /// fee is added and no discount applied.
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Prices")]
    pub price_file: Option<String>,
    /// Further costs to show, separated by commas: control-plane, volumes
    #[arg(long, global = true, value_name = "LIST", help_heading = "Prices")]
    pub extra_costs: Option<String>,
    /// Same as --pricing=off, for eks-node-viewer's users
    #[arg(
        long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_name = "BOOL", help_heading = "Prices"
    )]
    pub disable_pricing: Option<String>,

    /// What bar colours mean [default: efficiency]
    #[arg(long, global = true, value_name = "NAME", value_parser = words::<Palette>(), help_heading = "Screen")]
    pub palette: Option<String>,
    /// Three colours for good, ok and bad, such as "#04b575,#ffff00,#ff0000"
    ///
    /// Each is #rrggbb, #rgb, or an index into the terminal's 256 colours. They replace the palette's colours, not its
    /// meaning.
    #[arg(long, global = true, value_name = "COLOURS", help_heading = "Screen")]
    pub style: Option<String>,
    /// When to use colour, and how many colours [default: auto]
    #[arg(long, global = true, value_name = "WHEN", value_parser = words::<Color>(), help_heading = "Screen")]
    pub color: Option<String>,
    /// Background the colours are chosen for [default: auto]
    #[arg(long, global = true, value_name = "NAME", value_parser = words::<Theme>(), help_heading = "Screen")]
    pub theme: Option<String>,
    /// Draw with ASCII characters only
    #[arg(
        long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true",
        value_name = "BOOL", help_heading = "Screen"
    )]
    pub ascii: Option<String>,
    /// Show the event pane at the start [default: on]
    #[arg(long, global = true, value_name = "SWITCH", value_parser = switch(), help_heading = "Screen")]
    pub events: Option<String>,
    /// Use the mouse; off leaves it to the terminal for selecting text [default: on]
    #[arg(long, global = true, value_name = "SWITCH", value_parser = switch(), help_heading = "Screen")]
    pub mouse: Option<String>,

    /// Play a simulated fleet; needs no cluster
    #[arg(long, global = true, help_heading = "Without a cluster")]
    pub demo: bool,
    /// Play a simulated fleet of this many nodes, 1 to 10000
    #[arg(long, global = true, value_name = "N", value_parser = fleet_size(), help_heading = "Without a cluster")]
    pub demo_nodes: Option<NonZeroU32>,
    /// Seed of the simulated fleet: the same seed plays the same fleet [default: 1]
    #[arg(long, global = true, value_name = "N", help_heading = "Without a cluster")]
    pub seed: Option<u64>,
    /// Play a scenario file
    #[arg(
        long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Without a cluster"
    )]
    pub scenario: Option<PathBuf>,

    /// Settings file to read
    ///
    /// [default: ~/.config/nodeglass/config.toml, or nodeglass/config.toml in the directory that XDG_CONFIG_HOME names;
    /// where there is none, ~/.eks-node-viewer]
    #[arg(
        long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Settings and diagnosis"
    )]
    pub config: Option<PathBuf>,
    /// Write logs to this file
    #[arg(
        long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Settings and diagnosis"
    )]
    pub log_file: Option<String>,
    /// What is written to the log file, such as debug or nodeglass=trace,kube=info [default: info]
    #[arg(long, global = true, value_name = "DIRECTIVES", help_heading = "Settings and diagnosis")]
    pub log_filter: Option<String>,
}

impl Flags {
    /// The given flags that are settings, by key. `--node-sort` is not among them, because it has its own syntax.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("context", &self.context),
            ("kubeconfig", &self.kubeconfig),
            ("node-selector", &self.node_selector),
            ("list-mode", &self.list_mode),
            ("resources", &self.resources),
            ("extra-labels", &self.extra_labels),
            ("filter", &self.filter),
            ("sort", &self.sort),
            ("group-by", &self.group_by),
            ("pricing", &self.pricing),
            ("disable-pricing", &self.disable_pricing),
            ("profile", &self.profile),
            ("price-file", &self.price_file),
            ("extra-costs", &self.extra_costs),
            ("palette", &self.palette),
            ("style", &self.style),
            ("color", &self.color),
            ("theme", &self.theme),
            ("ascii", &self.ascii),
            ("events", &self.events),
            ("mouse", &self.mouse),
            ("log-file", &self.log_file),
            ("log-filter", &self.log_filter),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.as_deref().map(|value| (key, value)))
    }
}

/// Rewrites eks-node-viewer's one-dash flags (`-context x`, `-node-sort=…`, `-v`) to two dashes.
///
/// Go's `flag` package accepts both. Rewrites only eks-node-viewer's long names, nothing after `--`, and no value of a
/// preceding flag.
pub fn with_two_dashes(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    /// Source: awslabs/eks-node-viewer `cmd/eks-node-viewer/flag.go`; `help` is built into Go's `flag`.
    const NAMES: &[&str] = &[
        "context",
        "disable-pricing",
        "extra-labels",
        "help",
        "kubeconfig",
        "node-selector",
        "node-sort",
        "resources",
        "style",
        "version",
    ];
    let takes_value = value_flags();
    let mut rest = args.into_iter();
    let mut out: Vec<OsString> = rest.next().into_iter().collect();
    let mut is_value = false;
    while let Some(arg) = rest.next() {
        let Some(text) = arg.to_str().filter(|_| !is_value) else {
            is_value = false;
            out.push(arg);
            continue;
        };
        if text == "--" {
            out.push(arg);
            out.extend(rest);
            break;
        }
        let name = text.split('=').next().unwrap_or(text);
        let one_dash = name.strip_prefix('-').is_some_and(|name| NAMES.contains(&name));
        let two_dashes = match text {
            "-v" => "--version".to_owned(),
            _ if one_dash => format!("-{text}"),
            _ => text.to_owned(),
        };
        is_value = takes_value.contains(&two_dashes);
        out.push(two_dashes.into());
    }
    out
}

/// All flags, with their dashes, that take the next argument as their value.
fn value_flags() -> Vec<String> {
    let program = Cli::command();
    let commands = std::iter::once(&program).chain(program.get_subcommands());
    let args = commands.flat_map(clap::Command::get_arguments);
    args.filter(|arg| arg.get_action().takes_values() && !arg.is_require_equals_set())
        .flat_map(|arg| {
            let long = arg.get_long().map(|long| format!("--{long}"));
            long.into_iter().chain(arg.get_short().map(|short| format!("-{short}")))
        })
        .collect()
}

/// The sections after the flags, in `--help` and, as the same text, in the man page.
pub(super) const SECTIONS: &[(&str, &str)] = &[
    (
        "Environment",
        "Every flag that is a setting can be a variable: NODEGLASS_ and its name in capitals, such as \
         NODEGLASS_GROUP_BY for --group-by; NODEGLASS_CONFIG names the settings file. An empty variable counts as not \
         set. KUBECONFIG is read as kubectl reads it. NO_COLOR, if it is not empty, turns colour off unless --color \
         turns it on.",
    ),
    (
        "Settings file",
        "TOML, a key for every flag that is a setting: group-by = \"zone\", and a [[discounts]] table for each discount. \
         nodeglass config prints one with all keys explained. Flags take precedence over the environment, the file and the defaults, in this order. An unknown \
         key is an error.",
    ),
    (
        "Coming from eks-node-viewer",
        "Its flags work as they are, with one dash or two, -v for the version as well, and so do its computed labels, \
         its price label eks-node-viewer/instance-price, and ~/.eks-node-viewer, which is read when there is no \
         settings file.",
    ),
    (
        "Exit status",
        "0: success, also if a reader closes the pipe early. 1: error, such as an unreachable cluster. 2: the \
         command line, a variable or the settings file is invalid, or the dashboard is started without a terminal.",
    ),
];

/// [`SECTIONS`] as text for `--help`; clap wraps the lines.
fn sections_as_help() -> String {
    let sections: Vec<String> = SECTIONS.iter().map(|(title, text)| format!("{title}:\n{text}")).collect();
    sections.join("\n\n")
}
