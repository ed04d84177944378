//! Dependencies between modules, declared source files, and the files of the top level.

#![cfg(test)]

use crate::file_graph::FileGraph;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder with this extension.
fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The modules that a module may use, besides itself.
fn allowed(room: &str) -> &'static [&'static str] {
    match room {
        "units" => &[],
        "model" => &["units"],
        "pricing" => &["units", "model"],
        "cluster" => &["units", "model", "pricing"],
        "insight" => &["units", "model", "pricing", "cluster"],
        "source" => &["units", "model", "pricing"],
        "ui" | "output" => &["units", "model", "pricing", "cluster", "insight"],
        // Settings are parsed into the types of the modules that use them.
        "cli" => &["units", "model", "pricing", "cluster", "insight", "source", "ui", "output"],
        // A separate program that uses the library.
        "price_table" => &["estimate", "inputs", "read_inputs", "rows", "table", "table_files", "tenancy"],
        "app" => &["units", "model", "pricing", "cluster", "insight", "source", "ui", "output", "cli"],
        other => panic!("the room {other} has no place in the direction of dependence"),
    }
}

/// The modules that a line names by `crate::module`.
fn rooms_named(line: &str) -> Vec<&str> {
    let code = line.split("//").next().unwrap_or("");
    let parts = code.split("crate::").skip(1);
    parts.filter_map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()).collect()
}

#[test]
fn modules_use_only_those_below_them() {
    let src = root().join("src");
    let mut checked = 0;
    let mut wrong = Vec::new();
    for file in files(&src, "rs") {
        let inside = file.strip_prefix(&src).unwrap();
        let Some(room) = inside.parent().and_then(|p| p.components().next()) else { continue };
        let room = room.as_os_str().to_str().unwrap();
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            assert!(!line.contains("crate::{"), "src/{}:{}: name rooms one by one", inside.display(), number + 1);
            for named in rooms_named(line) {
                checked += 1;
                if named != room && !named.is_empty() && !allowed(room).contains(&named) {
                    wrong.push(format!(
                        "src/{}:{}: {room} uses {named}: {}",
                        inside.display(),
                        number + 1,
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 200, "only {checked} uses were found");
}

#[test]
fn a_wrong_dependency_is_found() {
    assert_eq!(rooms_named("use crate::ui::Seen; // crate::app"), ["ui"]);
    assert_eq!(rooms_named("    crate::cluster::permille(crate::units::x())"), ["cluster", "units"]);
    assert!(!allowed("cluster").contains(&"insight") && !allowed("ui").contains(&"source"));
}

/// The modules whose files are checked, with the order of their files and folders: each uses only those of earlier lines.
const FILE_ORDER: &[(&str, &[&[&str]])] = &[
    (
        "cluster",
        &[
            &["changed_parts", "ids", "intern", "join", "karpenter_message", "lane", "leaving_taint", "pod_counts"],
            &["events", "leaving", "prices", "state", "sums"],
            &["pods"],
            &["row"],
            &["classes", "flags"],
            &["cluster"],
            &["costs"],
            &["fold"],
        ],
    ),
    (
        "insight",
        &[
            &["amount", "counts", "nodepool_match", "orphans", "status", "waste"],
            &["filter", "pending", "sort"],
            &["extra_column", "totals"],
            &["alerts", "history", "view"],
        ],
    ),
    (
        "ui",
        &[
            &["pen", "theme"],
            &["bar", "format", "state"],
            &["keys", "placement", "scene"],
            &["amounts", "empty", "extra_costs", "status"],
            &["events", "header", "nodepools", "sorting"],
            &["detail", "footer", "table"],
            &["help", "update"],
            &["frame"],
        ],
    ),
    ("output", &[&["cost_report"], &["report"], &["csv", "table"]]),
];

#[test]
fn files_of_a_module_use_one_another_in_one_direction() {
    let mut wrong = Vec::new();
    for (room, layers) in FILE_ORDER {
        let graph = FileGraph::read(&root().join("src"), room);
        assert!(graph.files.len() > 3 && !graph.uses.is_empty(), "{room} was not read");
        if let Some(cycle) = graph.cycle() {
            let uses: Vec<String> =
                cycle.iter().map(|u| format!("\n  {} uses {} of {}", u.from, u.path, u.to)).collect();
            wrong.push(format!("a cycle in {room}:{}", uses.concat()));
        }
        let against = graph.against(layers);
        wrong.extend(against.iter().map(|u| format!("{room}: {} uses {} of {}, which is later", u.from, u.path, u.to)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn uses_between_files_are_found() {
    let texts = [
        ("mod", "mod a;\nmod b;\npub use a::{First, Second};\npub use b::inner::Third;\n"),
        ("a", "use super::{\n    b::Other,\n    Third,\n};\npub struct First; // super::c::Comment\n"),
        ("b/mod", "mod inner;\nuse inner::Third;\nfn f() { crate::room::c::call(); }\n#[cfg(test)]\nmod tests;"),
        ("b/inner", "use crate::model::Name;\npub struct Third;\n"),
        ("c", "use crate::room::First;\nfn g(x: super::b::inner::Third) {}\n"),
    ];
    let graph = FileGraph::from_texts("room", &texts);
    let uses: Vec<(&str, &str)> = graph.uses.iter().map(|u| (u.from.as_str(), u.to.as_str())).collect();
    assert_eq!(uses, [("a", "b"), ("a", "b/inner"), ("b", "b/inner"), ("b", "c"), ("c", "a"), ("c", "b/inner")]);
    let cycle: Vec<&str> = graph.cycle().unwrap().iter().map(|u| u.from.as_str()).collect();
    assert_eq!(cycle, ["a", "b", "c"]);
    let against: Vec<&str> = graph.against(&[&["a"], &["b"], &["c"]]).iter().map(|u| u.from.as_str()).collect();
    assert_eq!(against, ["a", "a", "b"]);
}

/// Files reachable from a crate root by `mod` lines (`#[path]` and `include!` as well).
fn reach(file: &Path, reached: &mut BTreeSet<PathBuf>) {
    if !reached.insert(file.to_owned()) {
        return;
    }
    let dir = file.parent().unwrap();
    let stem = file.file_stem().unwrap().to_str().unwrap();
    let children =
        if matches!(stem, "main" | "lib" | "mod" | "build" | "micro") { dir.to_owned() } else { dir.join(stem) };
    let text = fs::read_to_string(file).unwrap();
    let mut path_attribute: Option<String> = None;
    for line in text.lines().map(str::trim) {
        if let Some(path) = line.strip_prefix("#[path = \"").and_then(|l| l.strip_suffix("\"]")) {
            path_attribute = Some(path.to_owned());
        }
        if let Some(path) = line.split("include!(\"").nth(1).and_then(|l| l.split('"').next()) {
            reach(&dir.join(path), reached);
        }
        let declared = line
            .strip_prefix("pub(super) ")
            .or(line.strip_prefix("pub(crate) "))
            .or(line.strip_prefix("pub "))
            .unwrap_or(line);
        let Some(name) = declared.strip_prefix("mod ").and_then(|l| l.strip_suffix(';')) else { continue };
        let candidates = match path_attribute.take() {
            Some(path) => vec![dir.join(path)],
            None => vec![children.join(format!("{name}.rs")), children.join(name).join("mod.rs")],
        };
        let found = candidates.iter().find(|c| c.exists());
        reach(found.unwrap_or_else(|| panic!("{}: mod {name} has no file", file.display())), reached);
    }
}

#[test]
fn every_source_file_is_declared() {
    let roots = [
        "src/main.rs",
        "src/lib.rs",
        "src/build.rs",
        "src/price_table/main.rs",
        "tests/suite/main.rs",
        "tests/real/main.rs",
        "tests/bench/micro.rs",
        "tests/bench/refresh.rs",
    ];
    let mut reached = BTreeSet::new();
    for path in roots {
        reach(&root().join(path), &mut reached);
    }
    let reached: BTreeSet<PathBuf> = reached.into_iter().map(|p| p.canonicalize().unwrap()).collect();
    let sources = files(&root().join("src"), "rs").into_iter().chain(files(&root().join("tests"), "rs"));
    let lost: Vec<PathBuf> = sources.filter(|p| !reached.contains(&p.canonicalize().unwrap())).collect();
    assert!(lost.is_empty(), "files that no module declares, so that they never run: {lost:#?}");
}

#[test]
fn the_top_level_is_what_a_reader_expects() {
    let expected =
        ["Cargo.lock", "Cargo.toml", "README.md", "assets", "findings", "screenshots", "src", "target", "tests"];
    let names = fs::read_dir(root()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let others: Vec<String> = names.filter(|n| !n.starts_with('.') && !expected.contains(&n.as_str())).collect();
    assert!(others.is_empty(), "{others:?}");
}

/// Text files that a reader of the repository gets: all but what is built or binary.
fn texts() -> Vec<(PathBuf, String)> {
    let kept = ["Cargo.lock", "Cargo.toml", "README.md", ".ci/run"].map(|name| root().join(name));
    let mut open: Vec<PathBuf> =
        [".github", "assets", "findings", "src", "tests"].iter().map(|name| root().join(name)).collect();
    let mut found = kept.to_vec();
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.into_iter().filter_map(|path| Some((path.clone(), fs::read_to_string(path).ok()?))).collect()
}

#[test]
fn no_file_has_the_path_of_its_checkout() {
    let here = env!("CARGO_MANIFEST_DIR");
    // The path of a checkout directly below the root is too short to search for.
    let is_specific = here.matches('/').count() > 1;
    for (path, text) in texts() {
        let name = path.strip_prefix(root()).unwrap().display();
        for (number, line) in text.lines().enumerate() {
            assert!(!is_specific || !line.contains(here), "{name}:{}: names this folder: {line}", number + 1);
        }
        if path.ends_with("Cargo.lock") {
            let public = "registry+https://github.com/rust-lang/crates.io-index";
            let sources = text.lines().filter_map(|line| line.strip_prefix("source = "));
            let other: Vec<&str> = sources.filter(|source| source.trim_matches('"') != public).collect();
            assert!(other.is_empty(), "{name}: crates that do not come from crates.io: {other:?}");
        }
    }
}
