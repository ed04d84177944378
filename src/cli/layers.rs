//! Settings by precedence: flags, environment, settings file, defaults.
//!
//! One table, [`OPTIONS`], has the name of every setting, how its value is parsed into [`Settings`] and how it is written
//! to a file. A setting has the same name everywhere: `--group-by`, `NODEGLASS_GROUP_BY`, `group-by = …`.

use super::discounts;
use super::error::{Origin, SettingsError, nearest};
use super::file::{Entry, Format, Raw, SettingsFile, toml_list, toml_text};
use super::flags::Flags;
use super::selector;
use super::settings::{Color, ExtraCost, Pricing, Settings, Source, Style, extra_column};
use super::sort::{parse_node_sort, parse_sort, sort_text};
use crate::insight::ExtraColumn;
use crate::model::Resource;
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The environment of the settings. An empty variable counts as unset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// The directory of settings: `$XDG_CONFIG_HOME`, or `~/.config`.
    pub config_dir: Option<PathBuf>,
}

impl Environment {
    /// An environment with these variables and directories.
    pub fn new<K: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (K, V)>,
        home: Option<PathBuf>,
        config_dir: Option<PathBuf>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, home, config_dir }
    }

    /// The environment of this process; the only function of `cli` that reads it.
    pub fn of_process() -> Self {
        use etcetera::BaseStrategy;
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
        let base = etcetera::choose_base_strategy().ok();
        let home = base.as_ref().map(|base| base.home_dir().to_owned());
        Self::new(variables, home, base.map(|base| base.config_dir()))
    }

    /// The value of a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Merges flags, environment, settings file and defaults; the first of these that has a setting decides it.
///
/// Pure: the environment and the text of the file are arguments.
///
/// # Errors
///
/// The first invalid value or unknown key, with its origin and the accepted values.
pub fn settings(
    flags: &Flags,
    environment: &Environment,
    file: Option<&SettingsFile>,
) -> Result<Settings, SettingsError> {
    let home = environment.home.as_deref();
    let mut settings = Settings::default();
    if let Some(file) = file {
        apply_file(&mut settings, file, home)?;
        // As in eks-node-viewer, KUBECONFIG takes precedence over the file's `kubeconfig`.
        if environment.get("KUBECONFIG").is_some() {
            settings.kubeconfig.clear();
        }
    }
    // Unknown NODEGLASS_ variables are not errors: with a Service named `nodeglass`, Kubernetes sets
    // NODEGLASS_SERVICE_HOST, NODEGLASS_PORT and others in every pod.
    let mut variables = Layer::new(&mut settings, home);
    for option in OPTIONS.iter().chain([DISABLE_PRICING]) {
        let variable = variable(option.key);
        if let Some(value) = environment.get(&variable) {
            variables.set(option, &Raw::Typed(value.to_owned()), Origin::Variable(variable))?;
        }
    }
    variables.end()?;
    let mut typed = Layer::new(&mut settings, home);
    for (key, value) in flags.given() {
        let origin = Origin::Flag(format!("--{key}"));
        if let Some(option) = option_named(key) {
            typed.set(option, &Raw::Typed(value.to_owned()), origin)?;
        }
    }
    typed.end()?;
    if let Some(text) = &flags.node_sort {
        if flags.sort.is_some() {
            return Err(SettingsError::Conflict { first: "--sort", second: "--node-sort" });
        }
        settings.sort = parse_node_sort(text).map_err(|expected| SettingsError::BadValue {
            origin: Origin::Flag("--node-sort".to_owned()),
            given: format!("{text:?}"),
            expected,
        })?;
    }
    settings.source = source(flags)?;
    // An explicit colour depth or `always` takes precedence over NO_COLOR (https://no-color.org).
    if settings.color == Color::Auto && environment.get("NO_COLOR").is_some() {
        settings.color = Color::Never;
    }
    Ok(settings)
}

/// The source of the state. Any flag of the simulated fleet selects the fleet.
fn source(flags: &Flags) -> Result<Source, SettingsError> {
    let fleet =
        [("--demo-nodes", flags.demo_nodes.is_some()), ("--seed", flags.seed.is_some()), ("--demo", flags.demo)];
    let fleet = fleet.into_iter().find(|(_, given)| *given).map(|(name, _)| name);
    match (&flags.scenario, fleet) {
        (Some(_), Some(second)) => Err(SettingsError::Conflict { first: "--scenario", second }),
        (Some(path), None) => Ok(Source::Scenario(path.clone())),
        (None, Some(_)) => Ok(Source::Demo { nodes: flags.demo_nodes, seed: flags.seed.unwrap_or(1) }),
        (None, None) => Ok(Source::Cluster),
    }
}

/// The environment variable of a setting.
fn variable(key: &str) -> String {
    format!("NODEGLASS_{}", key.to_uppercase().replace('-', "_"))
}

/// The setting with this key of `config.toml`.
fn option_named(key: &str) -> Option<&'static Setting> {
    OPTIONS.iter().chain([DISABLE_PRICING]).find(|option| option.key == key)
}

/// One layer of settings while it is applied over the layers below it.
struct Layer<'a> {
    settings: &'a mut Settings,
    home: Option<&'a Path>,
    /// The layer's value of `pricing`.
    pricing: Option<Pricing>,
    /// The layer's value of `disable-pricing`, and its origin.
    disabled: Option<(bool, Origin)>,
}

impl<'a> Layer<'a> {
    fn new(settings: &'a mut Settings, home: Option<&'a Path>) -> Self {
        Self { settings, home, pricing: None, disabled: None }
    }

    fn set(&mut self, option: &Setting, value: &Raw, origin: Origin) -> Result<(), SettingsError> {
        option.set(self.settings, value, self.home, origin.clone())?;
        match option.key {
            "pricing" => self.pricing = Some(self.settings.pricing),
            "disable-pricing" => self.disabled = Some((self.settings.pricing == Pricing::Off, origin)),
            _ => {}
        }
        Ok(())
    }

    /// Ends the layer: `pricing` and `disable-pricing` of one layer must not contradict each other.
    fn end(self) -> Result<(), SettingsError> {
        match (self.pricing, self.disabled) {
            (Some(pricing), Some((disabled, origin))) if disabled != (pricing == Pricing::Off) => {
                let expected =
                    format!("expected either pricing or disable-pricing, and pricing is {}", word_of(&pricing));
                Err(SettingsError::BadValue { origin, given: disabled.to_string(), expected })
            }
            _ => Ok(()),
        }
    }
}

fn apply_file(settings: &mut Settings, file: &SettingsFile, home: Option<&Path>) -> Result<(), SettingsError> {
    let mut layer = Layer::new(settings, home);
    for Entry { key, value, line } in file.entries()? {
        if file.format == Format::Toml && key == discounts::KEY {
            layer.settings.discounts = discounts::read(value, &file.path, line)?;
            continue;
        }
        let origin = Origin::File { path: file.path.clone(), line, key: key.clone() };
        let option = match file.format {
            Format::Toml => option_named(&key),
            Format::EksNodeViewer if key == "node-sort" => Some(NODE_SORT),
            Format::EksNodeViewer if DOT_FILE_KEYS.contains(&key.as_str()) => option_named(&key),
            // These flags print a text; in the file they have no effect.
            Format::EksNodeViewer if matches!(key.as_str(), "attribution" | "v" | "version") => continue,
            Format::EksNodeViewer => None,
        };
        let Some(option) = option else {
            return Err(SettingsError::UnknownKey {
                path: file.path.clone(),
                line,
                hint: unknown_key_hint(&key, file.format),
                key,
            });
        };
        layer.set(option, &value, origin)?;
    }
    layer.end()
}

fn unknown_key_hint(key: &str, format: Format) -> String {
    match format {
        Format::Toml => match nearest(key, OPTIONS.iter().map(|option| option.key).chain([discounts::KEY])) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`nodeglass config` prints all settings".to_owned(),
        },
        Format::EksNodeViewer => match nearest(key, DOT_FILE_KEYS.iter().copied().chain(["node-sort"])) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "this file is not read if nodeglass has a settings file of its own".to_owned(),
        },
    }
}

/// The keys of eks-node-viewer's dot-file, besides `node-sort`.
const DOT_FILE_KEYS: &[&str] =
    &["context", "disable-pricing", "extra-labels", "kubeconfig", "node-selector", "resources", "style"];

/// Parses a value into the settings; the error states what is accepted, as `expected …`.
type Set = fn(&mut Settings, &Raw, Option<&Path>) -> Result<(), String>;

/// One setting.
pub(super) struct Setting {
    /// Its name in a file; the flag is `--` and this name.
    pub(super) key: &'static str,
    set: Set,
    /// Its value, as TOML.
    pub(super) get: fn(&Settings) -> String,
}

impl Setting {
    fn set(
        &self,
        settings: &mut Settings,
        value: &Raw,
        home: Option<&Path>,
        origin: Origin,
    ) -> Result<(), SettingsError> {
        (self.set)(settings, value, home).map_err(|expected| SettingsError::BadValue {
            origin,
            given: value.to_string(),
            expected,
        })
    }
}

/// One row of the table: a key, how its value is parsed, how it is written.
macro_rules! setting {
    ($key:literal, |$s:ident, $raw:ident, $home:pat_param| $set:expr, |$t:ident| $get:expr $(,)?) => {
        Setting {
            key: $key,
            set: |$s, $raw, $home| {
                $set;
                Ok(())
            },
            get: |$t| $get,
        }
    };
}

/// A row whose value is one of an enum's words.
macro_rules! choice_setting {
    ($key:literal, $field:ident) => {
        setting!($key, |s, raw, _| s.$field = choice(raw)?, |s| toml_text(word_of(&s.$field)))
    };
}

/// A row whose value is true or false.
macro_rules! switch_setting {
    ($key:literal, $field:ident) => {
        setting!($key, |s, raw, _| s.$field = truth(raw)?, |s| s.$field.to_string())
    };
}

/// A row whose value is a path, or none.
macro_rules! path_setting {
    ($key:literal, $field:ident) => {
        setting!($key, |s, raw, home| s.$field = some_text(raw)?.map(|text| at_home(&text, home)), |s| toml_text(
            s.$field.as_deref().unwrap_or(Path::new("")).to_string_lossy()
        ),)
    };
}

/// All settings, in the order of the sample file.
pub(super) const OPTIONS: &[Setting] = &[
    setting!("context", |s, raw, _| s.context = some_text(raw)?, |s| toml_text(s.context.as_deref().unwrap_or(""))),
    setting!("kubeconfig", |s, raw, home| s.kubeconfig = paths(raw, home)?, |s| toml_list(
        s.kubeconfig.iter().map(|path| path.display())
    ),),
    setting!("node-selector", |s, raw, _| s.node_selector = node_selector(raw)?, |s| toml_text(
        s.node_selector.as_deref().unwrap_or("")
    ),),
    choice_setting!("list-mode", list_mode),
    setting!("resources", |s, raw, _| s.resources = resources(raw)?, |s| toml_list(&s.resources)),
    setting!("extra-labels", |s, raw, _| s.extra_labels = extra_labels(raw)?, |s| toml_list(&s.extra_labels)),
    setting!("filter", |s, raw, _| s.filter = some_text(raw)?, |s| toml_text(s.filter.as_deref().unwrap_or(""))),
    setting!("sort", |s, raw, _| s.sort = parse_sort(text(raw)?)?, |s| toml_text(sort_text(&s.sort))),
    choice_setting!("group-by", group_by),
    choice_setting!("pricing", pricing),
    setting!("profile", |s, raw, _| s.profile = some_text(raw)?, |s| toml_text(s.profile.as_deref().unwrap_or(""))),
    path_setting!("price-file", price_file),
    setting!("extra-costs", |s, raw, _| s.extra_costs = extra_costs(raw)?, |s| toml_list(
        s.extra_costs.iter().map(word_of)
    ),),
    choice_setting!("palette", palette),
    setting!("style", |s, raw, _| s.style = style(raw)?, |s| toml_list(
        s.style.iter().flat_map(|style| [style.good, style.ok, style.bad])
    ),),
    choice_setting!("color", color),
    choice_setting!("theme", theme),
    switch_setting!("ascii", ascii),
    switch_setting!("events", events),
    switch_setting!("mouse", mouse),
    path_setting!("log-file", log_file),
    setting!("log-filter", |s, raw, _| s.log_filter = log_filter(raw)?, |s| toml_text(&s.log_filter)),
];

/// The dot-file's `node-sort`; in `config.toml` it is `sort`.
const NODE_SORT: &Setting =
    &setting!("node-sort", |s, raw, _| s.sort = parse_node_sort(text(raw)?)?, |s| toml_text(sort_text(&s.sort)),);

/// eks-node-viewer's name for `pricing`, accepted everywhere and never written. `false` turns the `off` of a lower layer
/// into `auto` and keeps any other mode.
const DISABLE_PRICING: &Setting = &setting!(
    "disable-pricing",
    |s, raw, _| s.pricing = match (truth(raw)?, s.pricing) {
        (true, _) => Pricing::Off,
        (false, Pricing::Off) => Pricing::Auto,
        (false, mode) => mode,
    },
    |s| (s.pricing == Pricing::Off).to_string(),
);

// === parsing values ===

fn text(raw: &Raw) -> Result<&str, String> {
    match raw {
        Raw::Typed(text) | Raw::Text(text) => Ok(text.trim()),
        Raw::Bool(_) | Raw::Integer(_) | Raw::Decimal(_) | Raw::List(_) | Raw::Tables(_) | Raw::Other(_) => {
            Err("expected a string in quotes".to_owned())
        }
    }
}

/// Text; `None` if it is empty.
fn some_text(raw: &Raw) -> Result<Option<String>, String> {
    text(raw).map(|text| Some(text).filter(|text| !text.is_empty()).map(str::to_owned))
}

/// A list, or one text that is split at commas; empty items are left out.
fn list(raw: &Raw) -> Result<Vec<String>, String> {
    let split =
        |text: &str| text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect();
    match raw {
        Raw::Typed(text) | Raw::Text(text) => Ok(split(text)),
        Raw::List(items) => Ok(items.clone()),
        Raw::Bool(_) | Raw::Integer(_) | Raw::Decimal(_) | Raw::Tables(_) | Raw::Other(_) => {
            Err("expected a list of strings".to_owned())
        }
    }
}

/// Yes or no. The words are our own `on` and `off` and those of Go's `strconv.ParseBool`, which reads eks-node-viewer's
/// `-disable-pricing=…` and dot-file.
fn truth(raw: &Raw) -> Result<bool, String> {
    match raw {
        Raw::Bool(truth) => Ok(*truth),
        Raw::Typed(text) => match text.trim().to_ascii_lowercase().as_str() {
            "on" | "true" | "t" | "1" => Ok(true),
            "off" | "false" | "f" | "0" => Ok(false),
            _ => Err("expected true or false (or on or off)".to_owned()),
        },
        Raw::Text(_) | Raw::Integer(_) | Raw::Decimal(_) | Raw::List(_) | Raw::Tables(_) | Raw::Other(_) => {
            Err("expected true or false, without quotes".to_owned())
        }
    }
}

/// A value of an enum, by its name.
fn choice<T: ValueEnum>(raw: &Raw) -> Result<T, String> {
    let given = match raw {
        Raw::Typed(text) | Raw::Text(text) => text.trim(),
        // Also `color = 256` without quotes.
        Raw::Integer(number) => number,
        Raw::Bool(_) | Raw::Decimal(_) | Raw::List(_) | Raw::Tables(_) | Raw::Other(_) => "",
    };
    T::from_str(given, false).map_err(|_no_such_value| {
        let words: Vec<String> = T::value_variants().iter().map(|value| word_of(value)).collect();
        let near = nearest(given, words.iter().map(String::as_str));
        let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        format!("expected one of {}{near}", words.join(", "))
    })
}

/// The name of an enum's value.
fn word_of<T: ValueEnum>(value: &T) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// The resources to show, each once.
fn resources(raw: &Raw) -> Result<Vec<Resource>, String> {
    let mut resources = Vec::new();
    for name in list(raw)? {
        if !selector::is_name(&name) {
            return Err(format!("expected resource names such as cpu or nvidia.com/gpu, and {name:?} is not one"));
        }
        let resource = Resource::from_name(&name);
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    }
    if resources.is_empty() { Err("expected at least one resource, such as cpu".to_owned()) } else { Ok(resources) }
}

/// A syntactically valid label selector; `None` if it is empty.
fn node_selector(raw: &Raw) -> Result<Option<String>, String> {
    let selector = some_text(raw)?;
    selector.as_deref().map_or(Ok(()), selector::check)?;
    Ok(selector)
}

/// The extra columns, each once.
fn extra_labels(raw: &Raw) -> Result<Vec<ExtraColumn>, String> {
    let mut labels = Vec::new();
    for text in list(raw)? {
        let label = extra_column(&text)?;
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    Ok(labels)
}

/// The extra costs, each once.
fn extra_costs(raw: &Raw) -> Result<Vec<ExtraCost>, String> {
    let mut costs = list(raw)?.into_iter().map(|cost| choice(&Raw::Text(cost))).collect::<Result<Vec<_>, _>>()?;
    costs.sort_unstable();
    costs.dedup();
    Ok(costs)
}

/// Three colours; `None` for those of the palette.
fn style(raw: &Raw) -> Result<Option<Style>, String> {
    let colors = list(raw)?;
    if colors.is_empty() { Ok(None) } else { Style::from_parts(colors.iter().map(String::as_str)).map(Some) }
}

/// Paths; one text is split like `PATH`, at the platform's separator.
fn paths(raw: &Raw, home: Option<&Path>) -> Result<Vec<PathBuf>, String> {
    let paths: Vec<PathBuf> = match raw {
        Raw::List(items) => items.iter().map(PathBuf::from).collect(),
        _ => std::env::split_paths(text(raw)?).collect(),
    };
    let paths = paths.into_iter().filter(|path| !path.as_os_str().is_empty());
    Ok(paths.map(|path| at_home(&path.to_string_lossy(), home)).collect())
}

/// Expands a leading `~/` to the home directory, since no shell does it for values of a file.
fn at_home(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

fn log_filter(raw: &Raw) -> Result<String, String> {
    let directives = text(raw)?;
    match tracing_subscriber::EnvFilter::builder().parse(directives) {
        Ok(_) => Ok(directives.to_owned()),
        Err(error) => Err(format!("expected a level or directives such as nodeglass=debug,kube=info ({error})")),
    }
}
