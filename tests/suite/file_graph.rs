//! Which file of a module uses which other file of it, read from the paths that they name.
//!
//! A path counts by the file that declares what it names: `super::Row` is a use of `row.rs` where `mod.rs` has
//! `pub use row::Row`. A method in an `impl` block of another file is not a path and does not count. Tests do not count.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module path below the crate, such as `["cluster", "fold", "nodes"]`.
type Module = Vec<String>;

/// A use of one file by another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileUse {
    /// The file that names a path, below the room and without `.rs`: `fold/nodes`.
    pub from: String,
    /// The file that declares what the path names.
    pub to: String,
    /// The path as resolved, `cluster::Row`.
    pub path: String,
}

/// The files of one room of `src` and their uses of one another. The room's own `mod.rs` is the table of contents and
/// no file of it.
pub struct FileGraph {
    pub files: BTreeSet<String>,
    pub uses: BTreeSet<FileUse>,
}

struct Source {
    /// The code without comments and tests.
    code: String,
    /// What `pub use` of this file passes on: name → path relative to the crate.
    exports: BTreeMap<String, Module>,
}

impl FileGraph {
    /// Reads `src/<room>`.
    pub fn read(src: &Path, room: &str) -> Self {
        let mut sources = BTreeMap::new();
        read_folder(&src.join(room), &vec![room.to_owned()], &mut sources);
        Self::from_sources(room, &sources)
    }

    /// The graph of files given as text, for tests of this module.
    pub fn from_texts(room: &str, texts: &[(&str, &str)]) -> Self {
        let parsed = texts.iter().map(|(file, text)| {
            let inside = file.split('/').filter(|part| *part != "mod");
            let path: Module = std::iter::once(room).chain(inside).map(str::to_owned).collect();
            (path.clone(), Source::new(text, &path))
        });
        Self::from_sources(room, &parsed.collect())
    }

    fn from_sources(room: &str, sources: &BTreeMap<Module, Source>) -> Self {
        let whole = vec![room.to_owned()];
        let name = |module: &Module| module[1..].join("/");
        let mut uses = BTreeSet::new();
        for (module, source) in sources.iter().filter(|(module, _)| **module != whole) {
            let is_child = |other: &&Module| other.len() == module.len() + 1 && other.starts_with(module);
            let children: Vec<String> = sources.keys().filter(is_child).filter_map(|m| m.last().cloned()).collect();
            for path in paths(&source.code, module, &children).iter().filter(|path| path.first() == whole.first()) {
                let Some(to) = declaring_file(path, sources) else { continue };
                if to != *module && to != whole {
                    uses.insert(FileUse { from: name(module), to: name(&to), path: path.join("::") });
                }
            }
        }
        Self { files: sources.keys().filter(|module| **module != whole).map(name).collect(), uses }
    }

    /// One cycle of files, if there is any: the uses that form it.
    pub fn cycle(&self) -> Option<Vec<&FileUse>> {
        let mut done = BTreeSet::new();
        self.files.iter().find_map(|file| self.cycle_from(file, &mut Vec::new(), &mut done))
    }

    fn cycle_from<'a>(
        &'a self,
        file: &'a str,
        open: &mut Vec<&'a FileUse>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<&'a FileUse>> {
        if let Some(start) = open.iter().position(|used| used.from == file) {
            return Some(open[start..].to_vec());
        }
        if done.contains(file) {
            return None;
        }
        for used in self.uses.iter().filter(|used| used.from == file) {
            open.push(used);
            if let Some(cycle) = self.cycle_from(&used.to, open, done) {
                return Some(cycle);
            }
            open.pop();
        }
        done.insert(file);
        None
    }

    /// The uses that go against an order of layers. A layer lists files and folders of the room; a file may use those of
    /// earlier layers and, inside a folder, that folder. Panics if an entry or a file is missing.
    pub fn against<'a>(&'a self, layers: &[&[&str]]) -> Vec<&'a FileUse> {
        let entry = |file: &str| file.split('/').next().unwrap_or_default().to_owned();
        let layer = |file: &str| {
            let found = layers.iter().position(|layer| layer.contains(&entry(file).as_str()));
            found.unwrap_or_else(|| panic!("{file} is in no layer"))
        };
        for listed in layers.iter().flat_map(|layer| layer.iter()) {
            assert!(self.files.iter().any(|file| entry(file) == *listed), "the layers list {listed}, which is no file");
        }
        self.files.iter().for_each(|file| _ = layer(file));
        let against = |used: &&FileUse| entry(&used.from) != entry(&used.to) && layer(&used.to) >= layer(&used.from);
        self.uses.iter().filter(against).collect()
    }
}

fn read_folder(dir: &Path, module: &Module, sources: &mut BTreeMap<Module, Source>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut inner = module.clone();
        if path.is_dir() {
            inner.push(stem);
            read_folder(&path, &inner, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") && stem != "tests" {
            if stem != "mod" {
                inner.push(stem);
            }
            sources.insert(inner.clone(), Source::new(&fs::read_to_string(&path).unwrap(), &inner));
        }
    }
}

impl Source {
    fn new(text: &str, module: &[String]) -> Self {
        // Tests stand at the end of a file.
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let lines: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        let mut source = Self { code: String::new(), exports: BTreeMap::new() };
        let mut export: Option<String> = None;
        for line in lines {
            // A re-export is no use.
            let tree = line.trim_start().strip_prefix("pub").and_then(|rest| rest.split_once("use "));
            let tree = tree.filter(|(scope, _)| *scope == " " || scope.starts_with('(') && scope.ends_with(") "));
            match (&mut export, tree) {
                (Some(open), _) => open.push_str(line),
                (None, Some((_, tree))) => export = Some(tree.to_owned()),
                (None, None) => {
                    source.code.push_str(line);
                    source.code.push('\n');
                }
            }
            if let Some(tree) = export.take_if(|tree| tree.contains(';')) {
                let has_keyword = KEYWORDS.iter().any(|keyword| tree.starts_with(keyword));
                let tree = if has_keyword { tree } else { format!("self::{tree}") };
                for path in paths(&tree, module, &[]) {
                    source.exports.insert(path.last().cloned().unwrap_or_default(), path);
                }
            }
        }
        source
    }
}

/// What a path begins with that names something of the crate.
const KEYWORDS: [&str; 3] = ["crate::", "super::", "self::"];

/// The file that declares what a path names: the longest module it goes through, or where that re-exports the name from.
fn declaring_file(path: &[String], sources: &BTreeMap<Module, Source>) -> Option<Module> {
    let length = (1..=path.len()).rev().find(|length| sources.contains_key(&path[..*length]))?;
    let module = path[..length].to_vec();
    let exported = path.get(length).and_then(|name| sources[&module].exports.get(name));
    match exported {
        Some(target) if *target != path => declaring_file(target, sources).or(Some(module)),
        Some(_) | None => Some(module),
    }
}

/// Every path of a text that begins with a keyword or with a module inside this one, relative to the crate.
fn paths(code: &str, module: &[String], children: &[String]) -> BTreeSet<Module> {
    let mut found = BTreeSet::new();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let starts = KEYWORDS.into_iter().map(str::to_owned).chain(children.iter().map(|child| format!("{child}::")));
    for start in starts {
        for (at, _) in code.match_indices(&start) {
            let (before, path) = code.split_at(at);
            if !before.ends_with(is_part) {
                read_tree(path, module, &mut found);
            }
        }
    }
    found
}

/// Reads one path or tree of `use`; returns what follows it.
fn read_tree<'c>(mut rest: &'c str, start: &[String], found: &mut BTreeSet<Module>) -> &'c str {
    let mut path = start.to_vec();
    loop {
        rest = rest.trim_start();
        if let Some(mut inner) = rest.strip_prefix('{') {
            loop {
                inner = inner.trim_start();
                if let Some(after) = inner.strip_prefix('}') {
                    return after;
                }
                let after = read_tree(inner, &path, found);
                inner = after.trim_start().strip_prefix(',').unwrap_or(after);
                assert!(inner.len() < rest.len() && !inner.is_empty(), "not a list of a `use`: {rest:.60}");
            }
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        match word {
            "crate" => path.clear(),
            "super" => _ = path.pop(),
            // `*`, or a generic argument.
            "" => {
                found.insert(path);
                return rest.strip_prefix('*').unwrap_or(rest);
            }
            "self" => {}
            word => path.push(word.to_owned()),
        }
        match after.strip_prefix("::") {
            Some(next) => rest = next,
            None => {
                found.insert(path);
                return after
                    .strip_prefix(" as ")
                    .map_or(after, |after| after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_'));
            }
        }
    }
}
