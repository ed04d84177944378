//! The README says what is true: keys, flags, filters, fields and permissions are held against the program.

#![cfg(test)]

use crate::support::build::{self, Added};
use clap::CommandFactory;
use nodeglass::cli::Cli;
use nodeglass::cluster::Cluster;
use nodeglass::insight::{Filter, View};
use nodeglass::model::{Change, Stream};
use nodeglass::output::Report;
use nodeglass::pricing::PriceBook;
use nodeglass::ui::keys::TABLE;
use serde_json::Value;
use std::collections::BTreeSet;

const README: &str = include_str!("../../README.md");

/// What stands between two comments.
fn part(begin: &str, end: &str) -> &'static str {
    let (_, rest) = README.split_once(begin).unwrap_or_else(|| panic!("README has no {begin}"));
    rest.split_once(end).unwrap_or_else(|| panic!("README has no {end}")).0
}

/// Words in backticks.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn readme_lists_every_flag_and_key() {
    let flags = part("## Flags and settings", "## Snapshot");
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

    let rows: BTreeSet<&str> =
        part("<!-- keys", "<!-- end of keys -->").lines().filter(|l| l.starts_with("| `")).collect();
    let table: BTreeSet<String> = TABLE
        .iter()
        .map(|binding| {
            let keys: Vec<String> = binding.keys.iter().map(|chord| format!("`{}`", chord.name())).collect();
            format!("| {} | {} | {} |", keys.join(" "), binding.scope.name(), binding.help)
        })
        .collect();
    let missing: Vec<&String> = table.iter().filter(|row| !rows.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "rows of the key table that the README lacks: {missing:#?}");
    let stale: Vec<&&str> = rows.iter().filter(|row| !table.contains(**row)).collect();
    assert!(stale.is_empty(), "rows of the README that are in no key table: {stale:#?}");
}

#[test]
fn every_filter_of_the_readme_is_understood() {
    let examples = part("<!-- filters", "<!-- end of filters -->");
    let mut read = 0;
    for line in examples.lines().filter(|l| l.starts_with("| `")) {
        for example in quoted(line) {
            Filter::parse(example).unwrap_or_else(|error| panic!("{example}: failed to {error}"));
            read += 1;
        }
    }
    assert!(read >= 10, "{read} examples");
}

/// Every key of an object, and of the objects in it that have fields of their own.
fn fields(value: &Value, at: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                at.insert(key.clone());
                if !matches!(key.as_str(), "streams" | "trouble" | "extended" | "unpriced_reasons") {
                    fields(value, at);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, at)),
        _ => {}
    }
}

#[test]
fn the_json_of_the_readme_is_the_programs() {
    let pool = Change::Pool(Box::new(build::pool("web")));
    let mut cluster = Cluster::new(Some(PriceBook::embedded()));
    let changes = [
        Change::Resync(Stream::Pods),
        build::node("a").added(),
        build::pod("p", "a").added(),
        build::claim("web-1", "a").added(),
        pool,
        Change::Synced(Stream::Pods),
    ];
    for change in changes {
        cluster.apply(change, build::at(100));
    }
    let mut view = View::default();
    view.refresh(&mut cluster);
    let report = serde_json::to_value(Report::new(&cluster, &view, build::at(100))).unwrap();
    let mut there = BTreeSet::new();
    fields(&report, &mut there);
    let text = part("<!-- json", "<!-- end of json -->");
    let words: BTreeSet<String> = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect();
    let untold: Vec<&String> = there.iter().filter(|field| !words.contains(*field)).collect();
    assert!(untold.is_empty(), "fields that the README does not name: {untold:?}");
    let gone: Vec<&String> = words.iter().filter(|w| w.contains('_') && !there.contains(*w)).collect();
    assert!(gone.is_empty(), "fields that no report has: {gone:?}");
}

#[test]
fn the_role_of_the_readme_is_the_one_the_real_cluster_proves() {
    let role = part("```yaml\n", "```");
    let users = include_str!("../cluster/users.yaml");
    let first = users.split("---").next().unwrap();
    let proven: Vec<&str> = first.lines().filter(|l| !l.starts_with('#')).collect();
    assert_eq!(role.lines().collect::<Vec<_>>(), proven);
    for verb in ["create", "update", "patch", "delete", "*"] {
        assert!(!role.contains(verb), "{verb}");
    }
}
