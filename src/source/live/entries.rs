//! The entries of kubeconfig files as client-go decodes them, before any library's types see a value.
//!
//! | rule | where client-go has it |
//! |---|---|
//! | of a key that is given twice the last one counts | `YAMLToJSON` of sigs.k8s.io/yaml, which is not strict |
//! | null and an empty text are the same as absent | `clientcmd/api/v1/types.go`, Go's `encoding/json` |
//! | of entries with one name the first file's counts | `clientcmd/loader.go` |
//! | a path is relative to the file that it stands in | `clientcmd/loader.go`, `ResolveLocalPaths` |
//!
//! An entry is decoded when it is used, so that a mistake in another one is no hindrance. kubectl refuses a text that is
//! written as a number or as `yes`; here it is taken as a text.

use super::kubeconfig::{Entry, FieldFault};
use kube::config::{AuthInfo, Cluster};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_saphyr::DuplicateKeyPolicy;
use std::collections::BTreeSet;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

/// The names and values of a map. Other names are passed over.
type Fields = &'static [(&'static str, Kind)];

/// What a value is.
enum Kind {
    /// A text, absent if empty.
    Text,
    /// A text, empty if absent.
    Whole,
    /// Base64, in which line breaks do not count (Go's `encoding/base64`).
    Data,
    /// A file.
    Path,
    /// A program: a file if it has a separator, else looked up in `PATH` (`GetAuthInfoFileReferences`).
    Program,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A boolean.
    Flag,
    /// A value that is kept as it is.
    Any,
    /// A map with these fields.
    Fields(Fields),
    /// A list of such values.
    List(&'static Self),
    /// A map of such values by any name.
    Map(&'static Self),
}

const FILE: Fields = &[
    ("current-context", Kind::Text),
    ("contexts", Kind::List(&Kind::Fields(&[("name", Kind::Whole), ("context", Kind::Any)]))),
    ("clusters", Kind::List(&Kind::Fields(&[("name", Kind::Whole), ("cluster", Kind::Any)]))),
    ("users", Kind::List(&Kind::Fields(&[("name", Kind::Whole), ("user", Kind::Any)]))),
];

const CONTEXT: Fields = &[("cluster", Kind::Whole), ("user", Kind::Whole)];

const CLUSTER: Fields = &[
    ("server", Kind::Text),
    ("tls-server-name", Kind::Text),
    ("insecure-skip-tls-verify", Kind::Flag),
    ("certificate-authority", Kind::Path),
    ("certificate-authority-data", Kind::Data),
    ("proxy-url", Kind::Text),
    ("disable-compression", Kind::Flag),
    ("extensions", Kind::List(&Kind::Fields(&[("name", Kind::Whole), ("extension", Kind::Any)]))),
];

const USER: Fields = &[
    ("client-certificate", Kind::Path),
    ("client-certificate-data", Kind::Data),
    ("client-key", Kind::Path),
    ("client-key-data", Kind::Data),
    ("token", Kind::Text),
    ("tokenFile", Kind::Path),
    ("as", Kind::Text),
    ("as-uid", Kind::Text),
    ("as-groups", Kind::List(&Kind::Whole)),
    ("as-user-extra", Kind::Map(&Kind::List(&Kind::Whole))),
    ("username", Kind::Text),
    ("password", Kind::Text),
    ("auth-provider", Kind::Fields(&[("name", Kind::Whole), ("config", Kind::Map(&Kind::Text))])),
    ("exec", Kind::Fields(PLUGIN)),
];

const PLUGIN: Fields = &[
    ("apiVersion", Kind::Text),
    ("command", Kind::Program),
    ("args", Kind::List(&Kind::Whole)),
    ("env", Kind::List(&Kind::Fields(&[("name", Kind::Whole), ("value", Kind::Whole)]))),
    ("installHint", Kind::Text),
    ("interactiveMode", Kind::OneOf(&["Never", "IfAvailable", "Always"])),
    ("provideClusterInfo", Kind::Flag),
];

/// What is wrong with a value that is no map where a map has to be.
const NO_MAP: &str = "it must be a map";

/// A value by its kind, `None` where it is absent; the error completes `FIELD: `.
fn shaped(value: Value, kind: &Kind, folder: &Path) -> Result<Option<Value>, String> {
    let value = match (kind, value) {
        (Kind::Any, value) => value,
        (Kind::Whole, Value::Null) => Value::String(String::new()),
        (_, Value::Null) => return Ok(None),
        (Kind::Flag, value @ Value::Bool(_)) => value,
        (Kind::Flag, _) => return Err("it must be true or false".into()),
        (Kind::Fields(known), Value::Object(map)) => {
            Value::Object(fields(map, known, folder).map_err(|(field, why)| format!("{field}: {why}"))?)
        }
        (Kind::Map(kind), Value::Object(map)) => {
            let shape = |(name, value)| Ok(shaped(value, kind, folder)?.map(|value| (name, value)));
            Value::Object(map.into_iter().filter_map(|pair| shape(pair).transpose()).collect::<Result<_, String>>()?)
        }
        (Kind::Fields(_) | Kind::Map(_), _) => return Err(NO_MAP.into()),
        (Kind::List(kind), Value::Array(items)) => {
            let items = items.into_iter().filter_map(|item| shaped(item, kind, folder).transpose());
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        (Kind::List(_), _) => return Err("it must be a list".into()),
        (kind, value) => {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(flag) => flag.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => return Err("it must be a text".into()),
            };
            let in_folder = |path: &str| folder.join(path).to_str().map(str::to_owned);
            Value::String(match kind {
                Kind::Whole => text,
                _ if text.is_empty() => return Ok(None),
                Kind::Data => text.replace(['\n', '\r'], ""),
                Kind::Path => in_folder(&text).unwrap_or(text),
                Kind::Program if text.contains(MAIN_SEPARATOR) => in_folder(&text).unwrap_or(text),
                Kind::OneOf(known) if !known.contains(&text.as_str()) => {
                    return Err(format!("it must be one of {}", known.join(", ")));
                }
                _ => text,
            })
        }
    };
    Ok(Some(value))
}

/// The known fields of a map; the error is the field and what is wrong with it.
fn fields(
    mut map: Map<String, Value>,
    known: Fields,
    folder: &Path,
) -> Result<Map<String, Value>, (&'static str, String)> {
    let mut found = Map::new();
    for (name, kind) in known {
        let value = map.remove(*name).unwrap_or_default();
        if let Some(value) = shaped(value, kind, folder).map_err(|why| (*name, why))? {
            found.insert((*name).to_owned(), value);
        }
    }
    Ok(found)
}

/// The entries of one or more files.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Entries {
    /// The context of the first file that chooses one.
    pub(super) current_context: Option<String>,
    contexts: Vec<Named>,
    clusters: Vec<Named>,
    users: Vec<Named>,
}

/// An entry that is not yet decoded.
#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(rename = "context", alias = "cluster", alias = "user")]
    value: Value,
    /// Where its paths begin.
    #[serde(skip)]
    folder: PathBuf,
}

/// Which cluster a context names, and which user.
#[derive(Deserialize)]
pub(super) struct Context {
    pub(super) cluster: String,
    pub(super) user: String,
}

impl Entries {
    /// Adds what a file holds, after what others hold. The error completes `kubeconfig FILE: `.
    pub(super) fn add(&mut self, path: &Path) -> Result<(), String> {
        let bytes = std::fs::read(path).map_err(|error| super::fault::root_cause(&error))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let options = serde_saphyr::options! {
            duplicate_keys: DuplicateKeyPolicy::LastWins,
            leading_zero_numbers_as_strings: true,
            underscored_numbers_as_strings: true,
            // The lines of the file may hold a secret.
            with_snippet: false,
        };
        for document in serde_saphyr::read_with_options::<_, Value>(&mut bytes.as_slice(), options) {
            let document = document.map_err(|error| super::fault::in_words(&error))?;
            let Value::Object(map) = document else { return Err(NO_MAP.into()) };
            let map = fields(map, FILE, folder).map_err(|(field, why)| format!("{field}: {why}"))?;
            let read: Self = serde_json::from_value(Value::Object(map)).map_err(|error| error.to_string())?;
            for (list, entries) in [("contexts", &read.contexts), ("clusters", &read.clusters), ("users", &read.users)]
            {
                if let Some(name) = repeated(entries) {
                    return Err(format!("{list}: two entries have the name {name:?}; rename or remove one of them"));
                }
            }
            self.current_context = self.current_context.take().or(read.current_context);
            let placed = |named: Named| Named { folder: folder.to_owned(), ..named };
            self.contexts.extend(read.contexts.into_iter().map(placed));
            self.clusters.extend(read.clusters.into_iter().map(placed));
            self.users.extend(read.users.into_iter().map(placed));
        }
        Ok(())
    }

    /// The names of the contexts, sorted.
    pub(super) fn contexts(&self) -> Vec<String> {
        let mut names: Vec<String> = self.contexts.iter().map(|named| named.name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// A context, `None` where it does not exist.
    pub(super) fn context(&self, name: &str) -> Option<Result<Context, FieldFault>> {
        decoded(&self.contexts, name, CONTEXT, "context", &Entry::context())
    }

    /// A cluster, `None` where it does not exist.
    pub(super) fn cluster(&self, name: &str) -> Option<Result<Cluster, FieldFault>> {
        decoded(&self.clusters, name, CLUSTER, "cluster", &Entry::cluster(name))
    }

    /// A user, `None` where it does not exist.
    pub(super) fn user(&self, name: &str) -> Option<Result<AuthInfo, FieldFault>> {
        decoded(&self.users, name, USER, "user", &Entry::user(name))
    }
}

/// A name that two entries of one file have. client-go refuses it (`clientcmd/api/v1/conversion.go`).
fn repeated(entries: &[Named]) -> Option<&str> {
    let mut known = BTreeSet::new();
    entries.iter().map(|named| named.name.as_str()).find(|name| !known.insert(*name))
}

/// The first entry with a name.
fn decoded<T: DeserializeOwned>(
    entries: &[Named],
    name: &str,
    known: Fields,
    field: &'static str,
    entry: &Entry,
) -> Option<Result<T, FieldFault>> {
    let named = entries.iter().find(|named| named.name == name)?;
    let map = match &named.value {
        Value::Null => Map::new(),
        Value::Object(map) => map.clone(),
        _ => return Some(Err(entry.fault(field, NO_MAP))),
    };
    let map = fields(map, known, &named.folder).map_err(|(field, why)| entry.fault(field, why));
    Some(map.and_then(|map| {
        serde_json::from_value(Value::Object(map)).map_err(|error| entry.fault(field, error.to_string()))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::config::ExecInteractiveMode;
    use pretty_assertions::assert_eq;
    use secrecy::ExposeSecret;

    fn entries(text: &str) -> Entries {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        std::fs::write(&path, text).unwrap();
        let mut entries = Entries::default();
        entries.add(&path).unwrap();
        for named in entries.clusters.iter_mut().chain(&mut entries.users) {
            named.folder = "/dir".into();
        }
        entries
    }

    fn user(text: &str) -> Result<AuthInfo, String> {
        let entries = entries(&format!("users: [{{name: ops, user: {text}}}]"));
        entries.user("ops").unwrap().map_err(|fault| fault.to_string())
    }

    #[test]
    fn null_and_empty_are_absent() {
        let nulls = user("{token: null, exec: null, auth-provider: {config: null}, as-groups: null}").unwrap();
        assert!(nulls.token.is_none() && nulls.exec.is_none() && nulls.impersonate_groups.is_none());
        assert_eq!(nulls.auth_provider.unwrap().name, "");
        let empty =
            user("{token: '', tokenFile: '', client-certificate: '', exec: {command: '', interactiveMode: ''}}");
        let empty = empty.unwrap();
        assert!(empty.token.is_none() && empty.token_file.is_none() && empty.client_certificate.is_none());
        let plugin = empty.exec.unwrap();
        assert_eq!((plugin.command, plugin.interactive_mode), (None, None));
        let entries =
            entries("contexts: [{name: a}, {name: b, context: {cluster: null}}]\nclusters: [{name: c}]\nusers:");
        for name in ["a", "b"] {
            let context = entries.context(name).unwrap().ok().unwrap();
            assert_eq!((context.cluster, context.user), (String::new(), String::new()));
        }
        assert_eq!(entries.cluster("c").unwrap().unwrap().server, None);
        assert!(entries.user("c").is_none());
    }

    /// An empty argument and an empty variable have their meaning.
    #[test]
    fn a_plugin_is_read_whole() {
        let plugin = user(
            "{exec: {command: ./get-token, args: ['', a, null, 1], env: [{name: A, value: ''}, {name: B}], \
             provideClusterInfo: null, interactiveMode: Never}}",
        );
        let plugin = plugin.unwrap().exec.unwrap();
        assert_eq!(plugin.command.unwrap(), "/dir/./get-token");
        assert_eq!(plugin.args.unwrap(), ["", "a", "", "1"]);
        assert!(plugin.env.unwrap().iter().all(|variable| variable["value"].is_empty()));
        assert_eq!((plugin.provide_cluster_info, plugin.interactive_mode), (false, Some(ExecInteractiveMode::Never)));
        assert_eq!(user("{exec: {command: aws}}").unwrap().exec.unwrap().command.unwrap(), "aws");
    }

    #[test]
    fn two_entries_of_one_name_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        for (list, text) in [
            ("clusters", "clusters: [{name: c, cluster: {server: a}}, {name: c, cluster: {server: b}}]"),
            ("users", "users: [{name: c}, {name: c}]"),
            ("contexts", "contexts: [{name: c}, {name: d}, {name: c}]"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Entries::default().add(&path).unwrap_err();
            assert_eq!(error, format!("{list}: two entries have the name \"c\"; rename or remove one of them"));
        }
    }

    /// sigs.k8s.io/yaml: `YAMLToJSON` keeps the last one.
    #[test]
    fn of_a_key_given_twice_the_last_one_counts() {
        let twice = user("{token: one, exec: {}, token: two, exec: null}").unwrap();
        assert!(twice.exec.is_none());
        assert_eq!(twice.token.unwrap().expose_secret(), "two");
        assert_eq!(
            entries("current-context: a\nusers: 1\ncurrent-context: b\nusers: []").current_context.unwrap(),
            "b"
        );
    }

    #[test]
    fn what_an_extension_holds_is_kept() {
        let text = "clusters: [{name: c, cluster: {extensions: [{name: a}, {name: b, extension: {x: '', y: null}}]}}]";
        let extensions = entries(text).cluster("c").unwrap().unwrap().extensions.unwrap();
        assert_eq!(extensions[0].extension, Value::Null);
        assert_eq!(extensions[1].extension, serde_json::json!({"x": "", "y": null}));
    }

    #[test]
    fn paths_begin_at_the_file() {
        let user = user("{client-certificate: a.crt, client-key: /b.key, tokenFile: ../token}").unwrap();
        let paths = [user.client_certificate, user.client_key, user.token_file].map(Option::unwrap);
        assert_eq!(paths, ["/dir/a.crt", "/b.key", "/dir/../token"]);
    }

    #[test]
    fn texts_may_look_like_numbers() {
        for text in ["0123", "12345678901234567890", "1_000", "'1e5'", "true"] {
            let token = user(&format!("{{token: {text}}}")).unwrap().token.unwrap();
            assert_eq!(token.expose_secret(), text.trim_matches('\''));
        }
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named_and_not_shown() {
        let fault = |text: &str| user(text).unwrap_err();
        assert_eq!(fault("{token: [hush]}"), "user \"ops\": token: it must be a text");
        assert_eq!(fault("{exec: hush}"), "user \"ops\": exec: it must be a map");
        assert_eq!(fault("{exec: {args: hush}}"), "user \"ops\": exec: args: it must be a list");
        assert_eq!(
            fault("{exec: {interactiveMode: hush}}"),
            "user \"ops\": exec: interactiveMode: it must be one of Never, IfAvailable, Always"
        );
        assert_eq!(fault("hush"), "user \"ops\": user: it must be a map");
    }

    #[test]
    fn files_may_be_of_every_encoding() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        let text = "current-context: a\n";
        let wide = |mark: u16, order: fn(u16) -> [u8; 2]| {
            std::iter::once(mark).chain(text.encode_utf16()).flat_map(order).collect::<Vec<u8>>()
        };
        let marked = format!("\u{feff}{text}").into_bytes();
        for bytes in [marked, wide(0xfeff, u16::to_le_bytes), wide(0xfeff, u16::to_be_bytes)] {
            std::fs::write(&path, bytes).unwrap();
            let mut entries = Entries::default();
            entries.add(&path).unwrap();
            assert_eq!(entries.current_context.as_deref(), Some("a"));
        }
    }
}
