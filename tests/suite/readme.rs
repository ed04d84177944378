//! README and manual are true: keys, flags, filters, fields and permissions are compared with the program.

#![cfg(test)]

use crate::support::build::{self, Added};
use clap::{CommandFactory, Parser};
use nodeglass::cli::{self, Cli};
use nodeglass::cluster::Cluster;
use nodeglass::insight::{Filter, GroupBy, Sort, View};
use nodeglass::model::{About, Change, NodeClaim, Stream, Usage};
use nodeglass::output::Report;
use nodeglass::pricing::{ExtraCosts, PriceBook, PriceFile, PriceNews, PriceSource, SourceState};
use nodeglass::ui::keys::TABLE;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const README: &str = include_str!("../../README.md");

const KEYS: &str = include_str!("../../assets/manual/keys.md");
const FILTERS: &str = include_str!("../../assets/manual/filters.md");
const SNAPSHOT: &str = include_str!("../../assets/manual/snapshot.md");
const PRICES: &str = include_str!("../../assets/manual/prices.md");

/// The part of a text between two others.
fn part<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("no {begin} in {text}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} in {text}")).0
}

/// README, contributor notes and manual: path and text.
fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manual = std::fs::read_dir(root.join("assets/manual")).unwrap().map(|entry| entry.unwrap().path());
    let others = ["README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md"].map(|name| root.join(name));
    others.into_iter().chain(manual).map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn the_readme_is_short() {
    assert!(README.lines().count() <= 250, "{} lines", README.lines().count());
}

/// The README links to each file of the manual, and `nodeglass man` prints each.
#[test]
fn every_file_of_the_manual_is_linked_and_printed() {
    let page = cli::man_page();
    for (path, text) in documents().iter().filter(|(path, _)| path.parent().unwrap().ends_with("manual")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(README.contains(&format!("](assets/manual/{name})")), "{name}");
        let title = text.lines().next().unwrap().strip_prefix("# ").unwrap();
        assert!(page.contains(&format!(".SH \"{}\"\n", title.to_uppercase())), "{title}");
    }
    for title in ["NAME", "\"EXIT STATUS\"", "\"SEE ALSO\""] {
        assert!(page.contains(&format!(".SH {title}\n")), "{title}");
    }
    assert!(page.contains(".SH NAME\nnodeglass \\- terminal dashboard of Kubernetes nodes and their cost\n"));
    let marks = page.lines().find(|line| line.contains(['`', '|']) && !line.contains("jq") && !line.contains("man "));
    assert_eq!(marks, None, "Markdown in the manual page");
}

/// Words in backticks.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn readme_lists_every_flag_and_key() {
    let flags = part(README, "## Flags and settings", "## Permissions");
    let command = Cli::command();
    let longs: BTreeSet<String> =
        command.get_arguments().filter_map(|a| a.get_long()).map(|l| format!("--{l}")).collect();
    let known: BTreeSet<String> =
        quoted(flags).into_iter().filter(|q| q.starts_with("--") && !q.contains(' ')).map(str::to_owned).collect();
    let unlisted: Vec<&String> =
        longs.iter().filter(|l| !known.contains(*l) && *l != "--help" && *l != "--version").collect();
    assert!(unlisted.is_empty(), "flags that the README does not name: {unlisted:?}");
    let gone: Vec<&String> = known.iter().filter(|l| !longs.contains(*l)).collect();
    assert!(gone.is_empty(), "flags that the program does not have: {gone:?}");

    let rows: BTreeSet<&str> = KEYS.lines().filter(|l| l.starts_with("| `")).collect();
    let table: BTreeSet<String> = TABLE
        .iter()
        .map(|binding| {
            let keys: Vec<String> = binding.keys.iter().map(|chord| format!("`{}`", chord.name())).collect();
            format!("| {} | {} | {} |", keys.join(" "), binding.scope.name(), binding.help)
        })
        .collect();
    let missing: Vec<&String> = table.iter().filter(|row| !rows.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "rows of the key table that assets/manual/keys.md lacks: {missing:#?}");
    let stale: Vec<&&str> = rows.iter().filter(|row| !table.contains(**row)).collect();
    assert!(stale.is_empty(), "rows of assets/manual/keys.md that are in no key table: {stale:#?}");
}

#[test]
fn every_filter_of_the_manual_is_understood() {
    let mut read = 0;
    for line in FILTERS.lines().filter(|l| l.starts_with("| `")) {
        for example in quoted(line) {
            Filter::parse(example).unwrap_or_else(|error| panic!("{example}: failed to {error}"));
            read += 1;
        }
    }
    assert!(read >= 10, "{read} examples");
}

/// What the manual lists of each object of the JSON: its place, and the fields it has there.
fn documented_objects() -> Vec<(&'static str, BTreeSet<&'static str>)> {
    let block = SNAPSHOT.split("```").nth(1).unwrap();
    let mut objects: Vec<(&str, BTreeSet<&str>)> = Vec::new();
    for line in block.lines().filter(|line| !line.is_empty()) {
        let (place, text) = line.split_at(22);
        if !place.trim().is_empty() {
            objects.push((place.trim(), BTreeSet::new()));
        }
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        objects.last_mut().unwrap().1.extend(words);
    }
    objects
}

/// The field names of an object; of a list, those of its first item.
fn names(value: &Value) -> BTreeSet<&str> {
    let object = value.as_array().map_or(value, |items| items.first().expect("the report has one of each"));
    object.as_object().unwrap_or_else(|| panic!("{object} is no object")).keys().map(String::as_str).collect()
}

#[test]
fn the_json_of_the_manual_is_the_programs() {
    let pool = Change::Pool(Box::new(build::pool("web")));
    let extra_costs = ExtraCosts { control_plane: true, volumes: true };
    let mut cluster = Cluster::new(Some(PriceBook::embedded())).with_extra_costs(extra_costs);
    let server = "https://0.gr7.ap-northeast-2.eks.amazonaws.com".to_owned();
    let changes = [
        Change::About(About { server, ..About::default() }),
        build::node_class("web").added(),
        Change::Resync(Stream::Pods),
        build::node("a").added(),
        build::pod("p", "a").added(),
        build::pod("q", "").added(),
        Change::Unreadable { stream: Stream::Pods, object: "default/x".into(), problem: "bad quantity".into() },
        build::pod("orphan", "taken-away").added(),
        Change::Synced(Stream::Nodes),
        Change::NodeUsage(vec![("a".into(), Usage { cpu_millicores: 100, ..Usage::default() })]),
        NodeClaim {
            node_class_group: "karpenter.k8s.aws".into(),
            node_class: "web".into(),
            ..build::claim("web-1", "a")
        }
        .added(),
        pool,
        Change::Synced(Stream::Pods),
    ];
    for change in changes {
        cluster.apply(change, build::at(100));
    }
    cluster.learn([PriceNews::State {
        source: PriceSource::PricePage,
        region: "ap-northeast-2".into(),
        state: SourceState::Asking,
    }]);
    let mut view = View::new(Filter::default(), Sort::default(), GroupBy::Pool);
    view.refresh(&mut cluster);
    let report = serde_json::to_value(Report::new(&cluster, &view, build::at(100))).unwrap();

    let mut top: BTreeSet<&str> = BTreeSet::new();
    for (place, fields) in documented_objects() {
        let value = match place {
            // A line that describes the document's own fields.
            "schema" | "taken_at, complete" | "clock_skew_seconds" | "streams, trouble" | "unmatched_terms" => {
                top.extend(place.split(", "));
                continue;
            }
            "an amount" => &report["totals"]["allocatable"],
            place => {
                top.insert(place.split(['.', '[']).next().unwrap());
                place.replace("[]", "").split('.').fold(&report, |value, step| match value {
                    Value::Array(items) => &items[0][step],
                    other => &other[step],
                })
            }
        };
        assert_eq!(fields, names(value), "fields of {place}");
    }
    assert_eq!(top, names(&report), "fields of the document");
}

/// Words of a command line as a shell splits them: quotes keep spaces; a pipe, a redirection or a comment ends it.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            '|' | '>' | '#' | '&' if !quoted => break,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_documented_command_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = documents();
    let blocks = documents.iter().flat_map(|(_, text)| text.split("```sh\n").skip(1));
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    let lines: Vec<&str> = blocks.flat_map(|block| block.lines().flat_map(|line| line.split(" && "))).collect();
    for line in &lines {
        let words = shell_words(line);
        let (program, args) = words.split_first().unwrap();
        match program.as_str() {
            "nodeglass" => {
                let read =
                    |path: &Path| Err(std::io::Error::new(std::io::ErrorKind::NotFound, path.display().to_string()));
                cli::parse(&words, &cli::Environment::new::<&str, &str>([], None, None), &read)
                    .unwrap_or_else(|error| panic!("{line}: {error}"));
            }
            "cargo" => {
                let known = ["run", "test", "install", "clippy", "fmt", "bench"];
                assert!(known.contains(&args[0].as_str()), "{line}");
                if let Some(own) = args.iter().position(|arg| arg == "--").filter(|_| args[0] == "run") {
                    let typed = ["nodeglass"].into_iter().chain(args.iter().skip(own + 1).map(String::as_str));
                    Cli::try_parse_from(typed).unwrap_or_else(|error| panic!("{line}: {error}"));
                }
                if let Some(at) = args.iter().position(|arg| arg == "--test") {
                    assert!(root.join("tests").join(&args[at + 1]).join("main.rs").exists(), "{line}");
                }
            }
            // Of the shell itself.
            "mkdir" => assert_eq!(args[0], "-p", "{line}: fails where the directory is there already"),
            script => assert!(root.join(script).exists(), "{line}: there is no {script}"),
        }
    }
    assert!(lines.len() > 10, "only {} commands were found", lines.len());
}

/// The price file and the settings that the manual shows are read as they are.
#[test]
fn the_files_of_the_manual_are_understood() {
    let file = PriceFile::parse("prices.csv", part(PRICES, "```csv\n", "```")).unwrap();
    assert_eq!(file.rows().len(), 2);
    let config = PathBuf::from("/config");
    let environment = cli::Environment::new::<&str, &str>([], None, Some(config));
    let settings = |path: &Path| {
        let own = path == Path::new("/config/nodeglass/config.toml");
        own.then(|| part(PRICES, "```toml\n", "```").to_owned()).ok_or_else(|| std::io::ErrorKind::NotFound.into())
    };
    let Ok(cli::Command::Dashboard(read)) = cli::parse(["nodeglass"], &environment, &settings) else {
        panic!("not understood");
    };
    assert_eq!(read.discounts.len(), 1);
    assert_eq!(read.discounts[0].to_string(), "family=m5* capacity=on-demand -28%");
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut shown, mut checked) = (BTreeSet::new(), 0);
    for (path, text) in documents() {
        let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for target in targets.filter(|target| !target.contains("://")) {
            assert!(path.parent().unwrap().join(target).exists(), "{} links to {target}", path.display());
            shown.insert(target.to_owned());
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} links were found");
    for picture in std::fs::read_dir(root.join("screenshots")).unwrap() {
        let name = format!("screenshots/{}", picture.unwrap().file_name().to_str().unwrap());
        assert!(shown.contains(&name), "no reader of the README sees {name}");
    }
}

/// The words of a `key: [a, b]` of a rule.
fn listed<'a>(rule: &'a str, key: &str) -> Vec<&'a str> {
    let (_, rest) = rule.split_once(&format!("{key}: [")).unwrap_or_else(|| panic!("{rule} has no {key}"));
    rest.split(']').next().unwrap().split(',').map(|word| word.trim().trim_matches('"')).collect()
}

#[test]
fn the_role_of_the_readme_grants_what_is_asked_and_no_more() {
    let mut granted = BTreeSet::new();
    for rule in part(README, "```yaml\n", "```").lines().filter(|line| line.starts_with("- {")) {
        let verbs = listed(rule, "verbs");
        assert!(verbs.iter().all(|verb| ["get", "list", "watch"].contains(verb)), "{rule}");
        for group in listed(rule, "apiGroups") {
            granted.extend(listed(rule, "resources").into_iter().map(|resource| (group, resource)));
        }
    }
    // Every path that the live source asks for stands in its code as a text of this form.
    let sources = [include_str!("../../src/source/live/kinds.rs"), include_str!("../../src/source/live/metrics.rs")];
    let mut asked = BTreeSet::new();
    for text in sources.iter().flat_map(|source| source.split('"')) {
        let steps: Vec<&str> = text.split('/').collect();
        match steps.as_slice() {
            ["", "api", "v1", resource] => asked.insert(("", *resource)),
            ["", "apis", group, _version, resource] => asked.insert((*group, *resource)),
            _ => false,
        };
    }
    assert!(asked.len() > 6, "only {asked:?} were found");
    assert_eq!(granted, asked);
}

#[test]
fn the_role_of_the_readme_is_the_one_the_real_cluster_proves() {
    let role = part(README, "```yaml\n", "```");
    let users = include_str!("../cluster/users.yaml");
    let first = users.split("---").next().unwrap();
    let proven: Vec<&str> = first.lines().filter(|l| !l.starts_with('#')).collect();
    assert_eq!(role.lines().collect::<Vec<_>>(), proven);
    for verb in ["create", "update", "patch", "delete", "*"] {
        assert!(!role.contains(verb), "{verb}");
    }
}
