//! Flags, variables and settings files, and the errors in them.

// For clippy: this module is a test, including its helpers.
#![cfg(test)]

use clap::CommandFactory;
use nodeglass::cli::{
    self, Cli, CliError, Color, Command, EXIT_USAGE, Environment, ExtraCost, Pricing, Settings, SettingsError,
    Snapshot, Source, StyleColor, Theme,
};
use nodeglass::insight::{Column, Direction, ExtraColumn, GroupBy, Sort};
use nodeglass::model::Resource;
use nodeglass::output;
use nodeglass::pricing::PriceTerms;
use nodeglass::source::live::ListMode;
use nodeglass::ui::Palette;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use test_case::test_case;

/// A command line with its environment and files.
#[derive(Default)]
struct Typed {
    args: Vec<OsString>,
    variables: Vec<(&'static str, &'static str)>,
    files: BTreeMap<PathBuf, String>,
}

const OWN_FILE: &str = "/home/ada/.config/nodeglass/config.toml";
const DOT_FILE: &str = "/home/ada/.eks-node-viewer";

/// The command line `nodeglass` and these words.
fn nodeglass(words: &str) -> Typed {
    nodeglass_args(words.split_whitespace())
}

fn nodeglass_args<'a>(args: impl IntoIterator<Item = &'a str>) -> Typed {
    let args = std::iter::once("nodeglass").chain(args).map(OsString::from).collect();
    Typed { args, ..Typed::default() }
}

impl Typed {
    fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    fn file(mut self, path: impl Into<PathBuf>, text: &str) -> Self {
        self.files.insert(path.into(), text.to_owned());
        self
    }

    fn parse(self) -> Result<Command, CliError> {
        let home = PathBuf::from("/home/ada");
        let config = home.join(".config");
        let environment = Environment::new(self.variables, Some(home), Some(config));
        let read = |path: &Path| self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into());
        cli::parse(self.args, &environment, &read)
    }

    fn settings(self) -> Settings {
        match self.parse().unwrap() {
            Command::Dashboard(settings) => settings,
            other => panic!("expected the dashboard, got {other:?}"),
        }
    }

    fn printed(self) -> String {
        match self.parse().unwrap() {
            Command::Print(text) => text,
            other => panic!("expected a text, got {other:?}"),
        }
    }

    /// The error of a command line.
    fn refused(self) -> String {
        let error = self.parse().unwrap_err();
        assert_eq!(error.exit_code(), EXIT_USAGE);
        error.to_string()
    }
}

// === layers ===

#[test]
fn the_default_is_the_dashboard_of_the_current_cluster() {
    assert_eq!(nodeglass("").settings(), Settings::default());
}

#[test]
fn flags_go_before_variables_before_the_file_before_defaults() {
    let layers = |flag| {
        nodeglass(flag).variable("NODEGLASS_GROUP_BY", "type").file(OWN_FILE, "group-by = \"zone\"\nascii = true\n")
    };
    assert_eq!(layers("--group-by capacity").settings().group_by, GroupBy::Capacity);
    assert_eq!(layers("").settings().group_by, GroupBy::Type);
    assert!(layers("").settings().ascii, "the file's value applies if no higher layer sets it");
    assert_eq!(nodeglass("").file(OWN_FILE, "group-by = \"zone\"").settings().group_by, GroupBy::Zone);
    assert_eq!(nodeglass("").settings().group_by, GroupBy::Nothing);
}

#[test]
fn an_empty_variable_is_unset() {
    assert_eq!(nodeglass("").variable("NODEGLASS_GROUP_BY", "").settings(), Settings::default());
}

#[test]
fn a_switch_can_be_turned_back_on_the_command_line() {
    let file = "disable-pricing = true\nascii = true\nmouse = false\n";
    let settings = nodeglass("--disable-pricing=false --ascii=false --mouse on").file(OWN_FILE, file).settings();
    assert_eq!((settings.pricing, settings.ascii, settings.mouse), (Pricing::Auto, false, true));
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_are_ignored() {
    let typed =
        nodeglass("").variable("NODEGLASS_SERVICE_HOST", "10.0.0.1").variable("NODEGLASS_PORT", "tcp://10.0.0.1");
    assert_eq!(typed.settings(), Settings::default());
}

#[test]
fn flags_work_before_and_after_the_command() {
    let before = nodeglass("--context prod snapshot -o json --timeout 90s").parse().unwrap();
    let after = nodeglass("snapshot --output json --timeout 1m30s --context prod").parse().unwrap();
    assert_eq!(before, after);
    let settings = Settings { context: Some("prod".to_owned()), ..Settings::default() };
    let snapshot = Snapshot { output: output::Format::Json, timeout: Duration::from_secs(90) };
    assert_eq!(before, Command::Snapshot(settings, snapshot));
}

#[test]
fn the_last_of_repeated_flags_wins() {
    assert_eq!(nodeglass("--context a --context b").settings().context.as_deref(), Some("b"));
}

#[test]
fn every_flag_reaches_its_setting() {
    let settings = nodeglass_args([
        "--context=prod",
        "--kubeconfig=/k",
        "-l",
        "team in (a,b)",
        "--list-mode=stream",
        "--resources=cpu,nvidia.com/gpu,cpu",
        "--extra-labels=team, eks-node-viewer/node-age",
        "--filter=-pool:spot",
        "--sort=price=desc",
        "--group-by=nodepool",
        "--pricing=online",
        "--profile=billing",
        "--price-file=/prices.csv",
        "--extra-costs=volumes,control-plane",
        "--palette=pressure",
        "--style=#04B575,#FFFF00,9",
        "--color=truecolor",
        "--theme=dark",
        "--ascii",
        "--events=off",
        "--mouse=off",
        "--log-file=/tmp/log",
        "--log-filter=debug",
        "--demo-nodes=50",
        "--seed=7",
    ])
    .settings();
    let expected = Settings {
        source: Source::Demo { nodes: std::num::NonZeroU32::new(50), seed: 7 },
        context: Some("prod".to_owned()),
        kubeconfig: vec!["/k".into()],
        node_selector: Some("team in (a,b)".to_owned()),
        list_mode: ListMode::Stream,
        resources: vec![Resource::Cpu, Resource::from_name("nvidia.com/gpu")],
        extra_labels: vec![ExtraColumn::Label("team".into()), ExtraColumn::Age],
        filter: Some("-pool:spot".to_owned()),
        sort: Sort { column: Column::Price, direction: Direction::Descending },
        group_by: GroupBy::Pool,
        pricing: Pricing::Online,
        profile: Some("billing".to_owned()),
        price_file: Some("/prices.csv".into()),
        discounts: Vec::new(),
        extra_costs: vec![ExtraCost::ControlPlane, ExtraCost::Volumes],
        palette: Palette::Pressure,
        style: Some(cli::Style {
            good: StyleColor::Rgb(0x04, 0xb5, 0x75),
            ok: StyleColor::Rgb(0xff, 0xff, 0),
            bad: StyleColor::Indexed(9),
        }),
        color: Color::Truecolor,
        theme: Theme::Dark,
        ascii: true,
        events: false,
        mouse: false,
        log_file: Some("/tmp/log".into()),
        log_filter: "debug".to_owned(),
    };
    assert_eq!(settings, expected);
}

#[test]
fn every_flag_that_is_a_setting_is_also_a_key_and_a_variable() {
    let only_flags = [
        "command",
        "config",
        "demo",
        "demo-nodes",
        "disable-pricing",
        "help",
        "node-sort",
        "scenario",
        "seed",
        "version",
    ];
    let program = Cli::command();
    let flags = program.get_arguments().filter_map(clap::Arg::get_long).filter(|flag| !only_flags.contains(flag));
    let mut flags: Vec<&str> = flags.collect();
    flags.sort_unstable();
    assert_eq!(flags.len(), 22);
    for flag in flags {
        let lines: Vec<&str> =
            cli::SAMPLE_CONFIG.lines().filter(|line| line.starts_with(&format!("{flag} = "))).collect();
        assert_eq!(lines.len(), 1, "--{flag} has one line in the sample file");
        let variable: &'static str = format!("NODEGLASS_{}", flag.to_uppercase().replace('-', "_")).leak();
        // No setting accepts this, unless it accepts any text.
        let refused = nodeglass("").variable(variable, "\u{1}?,").parse().err().map(|error| error.to_string());
        match flag {
            "context" | "kubeconfig" | "filter" | "log-file" | "price-file" | "profile" => assert_eq!(refused, None),
            _ => assert!(refused.unwrap().contains(&format!("for {variable}: expected")), "{variable}"),
        }
    }
}

// === pricing, by two names ===

#[test_case("", "", "" => Pricing::Auto)]
#[test_case("", "", "--pricing offline" => Pricing::Offline)]
#[test_case("", "", "--disable-pricing" => Pricing::Off)]
#[test_case("disable-pricing = true", "", "" => Pricing::Off ; "the other name as a key")]
#[test_case("disable-pricing = true", "", "--pricing online" => Pricing::Online ; "a flag over the other name in the file")]
#[test_case("pricing = 'off'", "", "--disable-pricing=false" => Pricing::Auto ; "lifted")]
#[test_case("pricing = 'offline'", "", "--disable-pricing=false" => Pricing::Offline ; "nothing to lift")]
#[test_case("pricing = 'online'", "1", "" => Pricing::Off ; "as a variable")]
#[test_case("", "", "--disable-pricing --pricing=off" => Pricing::Off ; "both agree")]
#[test_case("", "", "--disable-pricing=false --pricing=offline" => Pricing::Offline)]
fn pricing_has_two_names(file: &str, variable: &'static str, words: &str) -> Pricing {
    nodeglass(words).variable("NODEGLASS_DISABLE_PRICING", variable).file(OWN_FILE, file).settings().pricing
}

#[test]
fn the_two_names_of_pricing_do_not_contradict_each_other() {
    let expected = "expected either pricing or disable-pricing, and pricing is";
    let message = nodeglass("--disable-pricing --pricing=auto").refused();
    assert_eq!(message, format!("failed to use true for --disable-pricing: {expected} auto"));
    for file in ["pricing = 'off'\ndisable-pricing = false", "\ndisable-pricing = false\npricing = 'off'"] {
        let message = nodeglass("").file(OWN_FILE, file).refused();
        assert_eq!(
            message,
            format!("failed to use false for `disable-pricing` at line 2 of {OWN_FILE}: {expected} off")
        );
    }
}

// === sources without a cluster ===

#[test_case("--demo" => Source::Demo { nodes: None, seed: 1 })]
#[test_case("--demo --seed 9" => Source::Demo { nodes: None, seed: 9 })]
#[test_case("--seed 9" => Source::Demo { nodes: None, seed: 9 } ; "a seed asks for the fleet")]
#[test_case("--demo-nodes 10000" => Source::Demo { nodes: std::num::NonZeroU32::new(10_000), seed: 1 })]
#[test_case("--demo-nodes 5000" => Source::Demo { nodes: std::num::NonZeroU32::new(5000), seed: 1 })]
#[test_case("--scenario a.txt" => Source::Scenario("a.txt".into()))]
fn sources(words: &str) -> Source {
    nodeglass(words).settings().source
}

#[test]
fn a_scenario_and_the_demo_exclude_each_other() {
    let message = nodeglass("--demo snapshot --scenario a").refused();
    assert_eq!(message, "failed to use --scenario together with --demo: use only one of them");
    let message = nodeglass("--sort age --node-sort creation").refused();
    assert_eq!(message, "failed to use --sort together with --node-sort: use only one of them");
}

// === invalid values ===

#[test_case("--palette presure", &["--palette", "presure", "[possible values: efficiency, pressure]"])]
#[test_case("--pricing on", &["--pricing", "on", "[possible values: auto, online, offline, off]"])]
#[test_case("--extra-costs volume", &["use \"volume\" for --extra-costs: expected one of control-plane, volumes; did you mean volumes?"])]
#[test_case("--demo-nodes 0", &["--demo-nodes", "'0'"])]
#[test_case("--demo-nodes 10001", &["--demo-nodes", "10001", "1..=10000"])]
#[test_case("snapshot --timeout 30", &["--timeout", "'30'", "time unit needed"])]
#[test_case("snapshot -o yaml", &["--output", "yaml", "table, json, csv"])]
#[test_case("--resources ,", &["use \",\" for --resources: expected at least one resource"])]
#[test_case("--style #04b575", &["use \"#04b575\" for --style: expected three colours"])]
#[test_case("--sort cost", &["use \"cost\" for --sort: expected name, nodepool, cpu,"])]
#[test_case("--node-sort creation=up", &["use \"creation=up\" for --node-sort: expected asc or desc"])]
#[test_case("--extra-labels a/b/c", &["use \"a/b/c\" for --extra-labels: expected label keys"])]
#[test_case("-l =x", &["use \"=x\" for --node-selector: expected a label selector"])]
#[test_case("--log-filter a=b=c", &["use \"a=b=c\" for --log-filter: expected a level"])]
#[test_case("--contxt x", &["unexpected argument '--contxt'", "a similar argument exists: '--context'"])]
#[test_case("snapshoot", &["snapshoot", "a similar subcommand exists: 'snapshot'"])]
#[test_case("--config /gone.toml", &["failed to read the settings file /gone.toml: "])]
fn bad_flag_value_exits_with_two(words: &str, phrases: &[&str]) {
    let message = nodeglass(words).refused();
    for phrase in phrases {
        assert!(message.contains(phrase), "{phrase:?} is not in: {message}");
    }
}

#[test]
fn a_bad_variable_is_named() {
    let message = nodeglass("").variable("NODEGLASS_MOUSE", "maybe").refused();
    assert_eq!(message, "failed to use \"maybe\" for NODEGLASS_MOUSE: expected true or false (or on or off)");
}

#[test]
fn the_error_of_a_filter_quotes_it() {
    let error = CliError::from(SettingsError::bad_filter("cpu<<50", "expected a number after `<`"));
    assert_eq!(error.to_string(), "failed to use \"cpu<<50\" for the filter: expected a number after `<`");
    assert_eq!(error.exit_code(), EXIT_USAGE);
}

// === files ===

/// The files of a folder, with their texts.
fn configs(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/configs").join(folder);
    let mut files: Vec<(PathBuf, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() > 3);
    files
}

#[test]
fn config_rejects_unknown_keys() {
    let message = nodeglass("").file(OWN_FILE, "# mine\npalete = \"pressure\"\n").refused();
    assert_eq!(
        message,
        format!("failed to read line 2 of {OWN_FILE}: unknown setting `palete`; did you mean `palette`?")
    );
}

#[test]
fn each_invalid_file_fails_with_the_phrases_it_expects() {
    for (path, text) in configs("invalid") {
        let phrases: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# expect: ")).collect();
        assert!(!phrases.is_empty(), "{} has expected phrases", path.display());
        let message = nodeglass("").file(OWN_FILE, &text).refused();
        for phrase in phrases {
            assert!(message.contains(phrase), "{}: {phrase:?} is not in: {message}", path.display());
        }
        assert!(message.contains(OWN_FILE), "{}: the file is not named in: {message}", path.display());
    }
}

#[test]
fn each_valid_file_prints_settings_that_read_back_the_same() {
    for (path, text) in configs("valid") {
        let settings = nodeglass("").file(OWN_FILE, &text).settings();
        let printed = nodeglass("config").file(OWN_FILE, &text).printed();
        let again = nodeglass("").file(OWN_FILE, &printed).settings();
        assert_eq!(settings, again, "{}", path.display());
    }
}

proptest::proptest! {
    #[test]
    fn any_text_survives_being_printed_as_a_file(text in "[\\PC\n\t\"'\\\\]{0,20}") {
        let settings = nodeglass_args(["--context", "x", &format!("--filter={text}")]).settings();
        let again = nodeglass("").file(OWN_FILE, &cli::config_file(&settings)).settings();
        proptest::prop_assert_eq!(settings, again);
    }
}

#[test]
fn a_file_with_everything_is_understood() {
    let (_, text) = configs("valid").into_iter().find(|(path, _)| path.ends_with("everything.toml")).unwrap();
    let settings = nodeglass("").file(OWN_FILE, &text).settings();
    assert_eq!(settings.kubeconfig, [PathBuf::from("/home/ada/.kube/prod"), "/etc/kube/shared".into()]);
    assert_eq!(settings.color, Color::Ansi256);
    assert_eq!(settings.log_file, Some("/home/ada/nodeglass.log".into()));
    assert_eq!(settings.filter.as_deref(), Some("pool:spot cpu<50 \"a quoted word\""));
    insta::assert_snapshot!("config_everything", nodeglass("config").file(OWN_FILE, &text).printed());
}

#[test]
fn a_discount_of_the_file_is_a_rule() {
    let rules = |text| {
        let rules = nodeglass("").file(OWN_FILE, text).settings().discounts;
        rules.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(rules("[[discounts]]\nprice = '-28%'"), ["-28%"], "for every node");
    assert_eq!(rules("discounts = [{ family = 'm5*', factor = 0.72 }]"), ["family=m5* -28%"]);
    assert_eq!(
        rules("[[discounts]]\nfactor = 1\non = 'fee'\n[[discounts]]\nfactor = '0.5'\ncapacity = 'spot'\non = 'all'"),
        ["-0% on the fee", "capacity=spot -50% on instance and fee"]
    );
    assert_eq!(rules("discounts = []"), Vec::<String>::new());
}

#[test]
fn the_sample_shows_a_discount_that_works() {
    let (_, example) = cli::SAMPLE_CONFIG.split_once("# [[discounts]]").unwrap();
    let file = format!("[[discounts]]{}", example.replace("\n# ", "\n"));
    let settings = nodeglass("").file(OWN_FILE, &file).settings();
    assert_eq!(settings.discounts[0].to_string(), "family=m5* capacity=on-demand -28%");
}

/// The terms that settings name, with a price file of this text.
fn terms(text: Option<&str>) -> Result<PriceTerms, String> {
    let settings = nodeglass("--price-file /prices.csv").file(OWN_FILE, "[[discounts]]\nprice = '-28%'").settings();
    let read = |_: &Path| text.map(str::to_owned).ok_or_else(|| io::ErrorKind::NotFound.into());
    cli::price_terms(&settings, &read).map_err(|error| CliError::from(error).to_string())
}

#[test]
fn the_price_file_and_the_discounts_are_the_terms() {
    let terms_read = terms(Some("region,usd_per_hour\n*,0.1\n")).unwrap();
    assert_eq!((terms_read.file.unwrap().rows().len(), terms_read.rules.len()), (1, 1));
    let message = terms(Some("region,usd_per_hour\n*,-1\n")).unwrap_err();
    assert!(message.starts_with("failed to read the price file /prices.csv:2: usd_per_hour `-1` is not"), "{message}");
    let message = terms(None).unwrap_err();
    assert!(message.starts_with("failed to read the price file /prices.csv: "), "{message}");
}

#[test]
fn the_sample_file_is_the_defaults() {
    assert_eq!(nodeglass("").file(OWN_FILE, cli::SAMPLE_CONFIG).settings(), Settings::default());
    assert_eq!(nodeglass("config").printed(), cli::SAMPLE_CONFIG);
}

#[test]
fn a_named_file_goes_before_the_usual_ones() {
    let typed = |words| nodeglass(words).file("/a.toml", "theme = \"dark\"").file("/b.toml", "theme = \"light\"");
    assert_eq!(typed("--config /a.toml").variable("NODEGLASS_CONFIG", "/b.toml").settings().theme, Theme::Dark);
    assert_eq!(typed("").variable("NODEGLASS_CONFIG", "/b.toml").settings().theme, Theme::Light);
    assert_eq!(typed("").settings().theme, Theme::Auto);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let environment = Environment::new::<&str, &str>([], Some("/home/ada".into()), Some("/home/ada/.config".into()));
    let denied = |_: &Path| Err(io::ErrorKind::PermissionDenied.into());
    let error = cli::parse(["nodeglass"], &environment, &denied).unwrap_err();
    assert!(matches!(&error, CliError::Settings(SettingsError::Read { path, .. }) if path == Path::new(OWN_FILE)));
}

// === kubeconfig ===

#[test]
fn kubeconfig_list_uses_platform_separator() {
    let list = std::env::join_paths(["/a", "/b"]).unwrap().into_string().unwrap();
    let settings = nodeglass_args(["--kubeconfig", &list]).settings();
    assert_eq!(settings.kubeconfig, [PathBuf::from("/a"), "/b".into()]);
}

/// `KUBECONFIG` itself is read by the client library, which leaves empty entries out.
#[test]
fn empty_kubeconfig_variable_is_unset() {
    let file = "kubeconfig = [\"/from/file\"]";
    let kubeconfig = |value| nodeglass("").variable("KUBECONFIG", value).file(OWN_FILE, file).settings().kubeconfig;
    assert_eq!(kubeconfig(""), [PathBuf::from("/from/file")], "an empty variable does not hide the file");
    assert_eq!(kubeconfig("/from/variable"), Vec::<PathBuf>::new(), "the variable goes before the file");
    let settings = nodeglass("--kubeconfig /flag").variable("KUBECONFIG", "/variable").file(OWN_FILE, file).settings();
    assert_eq!(settings.kubeconfig, [PathBuf::from("/flag")]);
}

// === colour ===

#[test_case("", "" => Color::Auto ; "default")]
#[test_case("", "1" => Color::Never)]
#[test_case("", "0" => Color::Never ; "any text that is not empty counts")]
#[test_case("--color auto", "1" => Color::Never)]
#[test_case("--color always", "1" => Color::Always)]
#[test_case("--color 256", "1" => Color::Ansi256)]
fn no_color_is_respected_unless_colour_is_asked_for(words: &str, no_color: &'static str) -> Color {
    nodeglass(words).variable("NO_COLOR", no_color).settings().color
}

// === coming from eks-node-viewer ===

#[test_case(&["-context", "prod"] => vec!["--context", "prod"])]
#[test_case(&["-context=prod"] => vec!["--context=prod"])]
#[test_case(&["--context", "prod"] => vec!["--context", "prod"])]
#[test_case(&["-kubeconfig", "a:b"] => vec!["--kubeconfig", "a:b"])]
#[test_case(&["-node-selector", "karpenter.sh/nodepool"] => vec!["--node-selector", "karpenter.sh/nodepool"])]
#[test_case(&["-resources", "cpu,memory"] => vec!["--resources", "cpu,memory"])]
#[test_case(&["-extra-labels", "a,b"] => vec!["--extra-labels", "a,b"])]
#[test_case(&["-node-sort=creation=asc"] => vec!["--node-sort=creation=asc"])]
#[test_case(&["-disable-pricing"] => vec!["--disable-pricing"])]
#[test_case(&["-disable-pricing=false"] => vec!["--disable-pricing=false"])]
#[test_case(&["-style", "#1,#2,#3"] => vec!["--style", "#1,#2,#3"])]
#[test_case(&["-v"] => vec!["--version"])]
#[test_case(&["-version"] => vec!["--version"])]
#[test_case(&["-help"] => vec!["--help"])]
#[test_case(&["-V"] => vec!["-V"] ; "our own short flags stay")]
#[test_case(&["-l", "a=b"] => vec!["-l", "a=b"])]
#[test_case(&["-lcontext"] => vec!["-lcontext"])]
#[test_case(&["-contexts"] => vec!["-contexts"] ; "only whole names")]
#[test_case(&["-theme", "dark"] => vec!["-theme", "dark"] ; "only its names")]
#[test_case(&["--filter", "-context"] => vec!["--filter", "-context"] ; "a value is left alone")]
#[test_case(&["-node-sort", "-v"] => vec!["--node-sort", "-v"] ; "a value of its own is left alone")]
#[test_case(&["--disable-pricing", "-v"] => vec!["--disable-pricing", "--version"] ; "a switch takes no value")]
#[test_case(&["snapshot", "-o", "json", "-context", "x"] => vec!["snapshot", "-o", "json", "--context", "x"])]
#[test_case(&["--", "-context"] => vec!["--", "-context"])]
#[test_case(&[] => Vec::<&str>::new())]
fn one_dash_is_as_good_as_two(args: &[&str]) -> Vec<String> {
    let args = std::iter::once("nodeglass").chain(args.iter().copied()).map(OsString::from);
    cli::with_two_dashes(args).into_iter().skip(1).map(|arg| arg.into_string().unwrap()).collect()
}

#[test]
fn a_whole_command_line_of_eks_node_viewer_works() {
    let settings = nodeglass(
        "-context prod -node-selector karpenter.sh/nodepool -resources cpu,memory -disable-pricing \
         -extra-labels topology.kubernetes.io/zone -node-sort=eks-node-viewer/node-cpu-usage=dsc -style #2E91D2,#ffff00,#D55E00",
    )
    .settings();
    assert_eq!(settings.sort, Sort { column: Column::Cpu, direction: Direction::Descending });
    assert_eq!(settings.extra_labels, [ExtraColumn::Label("topology.kubernetes.io/zone".into())]);
    assert_eq!(settings.node_selector.as_deref(), Some("karpenter.sh/nodepool"));
    assert!(settings.pricing == Pricing::Off && settings.style.is_some());
}

/// The example of its README.
const ITS_DOT_FILE: &str = "\
# select only Karpenter managed nodes
node-selector=karpenter.sh/nodepool

# display both CPU and memory
resources=cpu,memory

# show the zone and nodepool name by default
extra-labels=topology.kubernetes.io/zone,karpenter.sh/nodepool

# sort so that the newest nodes are first
node-sort=creation=asc

# change default color style
style=#2E91D2,#ffff00,#D55E00
attribution=true
disable-pricing = true
context=
";

#[test]
fn its_dot_file_is_honoured_where_there_is_none_of_ours() {
    let settings = nodeglass("").file(DOT_FILE, ITS_DOT_FILE).settings();
    let expected = Settings {
        node_selector: Some("karpenter.sh/nodepool".to_owned()),
        extra_labels: vec![
            ExtraColumn::Label("topology.kubernetes.io/zone".into()),
            ExtraColumn::Label("karpenter.sh/nodepool".into()),
        ],
        pricing: Pricing::Off,
        style: Some(cli::Style {
            good: StyleColor::Rgb(0x2e, 0x91, 0xd2),
            ok: StyleColor::Rgb(0xff, 0xff, 0),
            bad: StyleColor::Rgb(0xd5, 0x5e, 0),
        }),
        ..Settings::default()
    };
    assert_eq!(settings, expected);
    let own = nodeglass("").file(DOT_FILE, ITS_DOT_FILE).file(OWN_FILE, "");
    assert_eq!(own.settings(), Settings::default(), "our own file, even an empty one, goes before it");
}

#[test_case(
    "node-sorted=creation",
    "read line 1 of /home/ada/.eks-node-viewer: unknown setting `node-sorted`; did you mean `node-sort`?"
)]
#[test_case("palette=pressure", "this file is not read" ; "only its own keys")]
#[test_case(
    "\ndisable-pricing=maybe",
    "use \"maybe\" for `disable-pricing` at line 2 of /home/ada/.eks-node-viewer: expected true or false"
)]
#[test_case("cpu", "expected option-name=value, not \"cpu\"")]
fn mistakes_in_its_dot_file_are_named(text: &str, phrase: &str) {
    let message = nodeglass("").file(DOT_FILE, text).refused();
    assert!(message.contains(phrase), "{phrase:?} is not in: {message}");
}

#[test]
fn no_extra_label_no_extra_column() {
    assert_eq!(nodeglass_args(["--extra-labels", ""]).settings().extra_labels, []);
    assert_eq!(nodeglass_args(["--extra-labels", " ,"]).settings().extra_labels, []);
    assert_eq!(nodeglass("").file(DOT_FILE, "extra-labels=").settings().extra_labels, []);
    assert_eq!(nodeglass("").file(OWN_FILE, "extra-labels = []").settings().extra_labels, []);
}

// === what the program prints about itself ===

/// Help at a fixed width, independent of the terminal.
fn help(command: &[&str], long: bool) -> String {
    let mut program = Cli::command().term_width(100);
    program.build();
    let command = command.iter().fold(&mut program, |parent, name| parent.find_subcommand_mut(name).unwrap());
    let text = if long { command.render_long_help() } else { command.render_help() };
    text.to_string()
}

#[test]
fn help_is_as_documented() {
    insta::assert_snapshot!("help_short", help(&[], false));
    insta::assert_snapshot!("help_long", help(&[], true));
    insta::assert_snapshot!("help_snapshot", help(&["snapshot"], false));
}

#[test]
fn help_and_version_are_texts_to_print() {
    for words in ["-h", "--help", "help", "-help", "help snapshot", "snapshot --help"] {
        assert!(nodeglass(words).printed().contains("Usage: nodeglass"), "{words}");
    }
    for words in ["-V", "--version", "-v", "-version"] {
        assert_eq!(nodeglass(words).printed(), format!("nodeglass {}\n", env!("CARGO_PKG_VERSION")), "{words}");
    }
}

#[test]
fn the_definition_of_flags_is_sound() {
    Cli::command().debug_assert();
}

/// The generated files under `assets/` are what the program prints.
///
/// `UPDATE_ASSETS=1 cargo test the_generated_files` writes them anew.
#[test]
fn the_generated_files_are_what_the_program_prints() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    for (command, file) in [
        ("man", "nodeglass.1"),
        ("completions bash", "completions/nodeglass.bash"),
        ("completions elvish", "completions/nodeglass.elv"),
        ("completions fish", "completions/nodeglass.fish"),
        ("completions powershell", "completions/_nodeglass.ps1"),
        ("completions zsh", "completions/_nodeglass"),
    ] {
        let printed = nodeglass(command).printed();
        let path = assets.join(file);
        if std::env::var_os("UPDATE_ASSETS").is_some() {
            std::fs::write(&path, &printed).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap();
        assert!(
            kept == printed,
            "assets/{file} is stale; UPDATE_ASSETS=1 cargo test the_generated_files writes it anew"
        );
    }
}

#[test]
fn the_man_page_has_every_flag_and_command() {
    let page = nodeglass("man").printed().replace('\\', "");
    let program = Cli::command();
    let commands: Vec<&clap::Command> = std::iter::once(&program).chain(program.get_subcommands()).collect();
    for flag in commands.iter().flat_map(|command| command.get_arguments()).filter_map(clap::Arg::get_long) {
        assert!(page.contains(&format!("--{flag}")), "--{flag}");
    }
    for command in commands.iter().skip(1) {
        assert!(page.contains(&format!("nodeglass {}", command.get_name())), "{}", command.get_name());
    }
}

#[test]
fn a_broken_pipe_is_success() {
    struct Pipe(io::ErrorKind);
    impl io::Write for Pipe {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    assert!(cli::write_out(&mut Pipe(io::ErrorKind::BrokenPipe), "text").is_ok());
    assert!(cli::write_out(&mut Pipe(io::ErrorKind::StorageFull), "text").is_err());
    let mut out = Vec::new();
    cli::write_out(&mut out, "text").unwrap();
    assert_eq!(out, b"text");
}
