//! Versions and file names of `assets/packaging`, `Cargo.toml` and the release workflow agree.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const FORMULA: &str = include_str!("../../assets/packaging/nodeglass.rb");
const KREW: &str = include_str!("../../assets/packaging/nodeglass.yaml");
const RELEASE: &str = include_str!("../../.github/workflows/release.yml");

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The targets that the release workflow builds.
fn targets() -> BTreeSet<&'static str> {
    RELEASE.lines().filter_map(|line| line.trim().strip_prefix("- target: ")).collect()
}

/// The archive that the release workflow makes for a target.
fn archive(target: &str) -> String {
    let extension = if target.contains("windows") { "zip" } else { "tar.gz" };
    format!("nodeglass-{VERSION}-{target}.{extension}")
}

/// The archives that a template downloads, and those that it wants checksums of.
fn archives(template: &str) -> [BTreeSet<&str>; 2] {
    let after = |begin: &str, end: &[char]| {
        template.split(begin).skip(1).filter_map(|rest| rest.split(end).next()).collect::<BTreeSet<_>>()
    };
    let release = format!("https://github.com/@REPOSITORY@/releases/download/v{VERSION}/");
    [after(&release, &['"', '\n']), after("@SHA256 ", &['@'])]
}

#[test]
fn the_workflow_builds_every_promised_target() {
    let linux = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];
    let others = ["x86_64-apple-darwin", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"];
    assert_eq!(targets(), linux.into_iter().chain(others).collect());
    for line in ["name=nodeglass-${VERSION#v}-$TARGET", "7z a \"$name.zip\"", "-czf \"dist/$name.tar.gz\""] {
        assert!(RELEASE.contains(line), "{line}");
    }
}

#[test]
fn the_formula_and_the_krew_manifest_install_this_version() {
    assert!(FORMULA.contains(&format!("\n  version \"{VERSION}\"\n")), "version of the formula");
    assert!(KREW.contains(&format!("\n  version: v{VERSION}\n")), "version of the krew manifest");
    let all: BTreeSet<String> = targets().into_iter().map(archive).collect();
    let unix: BTreeSet<String> = all.iter().filter(|name| !name.contains("windows")).cloned().collect();
    for (template, wanted) in [(FORMULA, unix), (KREW, all)] {
        let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
        assert_eq!(archives(template), [wanted.clone(), wanted]);
        let downloads = template.matches("/releases/download/").count();
        assert_eq!(downloads, archives(template)[0].len(), "each archive of this version once");
    }
}

#[test]
fn binstall_downloads_the_archives_of_the_release() {
    let manifest: toml::Table = toml::from_str(include_str!("../../Cargo.toml")).unwrap();
    let binstall = &manifest["package"]["metadata"]["binstall"];
    for target in targets() {
        let own = binstall["overrides"].get(target);
        let value = |key: &str| own.and_then(|own| own.get(key)).unwrap_or_else(|| &binstall[key]).as_str().unwrap();
        let filled = |template: &str| {
            template
                .replace("{ repo }", "https://host/repository")
                .replace("{ name }", "nodeglass")
                .replace("{ version }", VERSION)
                .replace("{ target }", target)
        };
        let release = format!("https://host/repository/releases/download/v{VERSION}/");
        assert_eq!(filled(value("pkg-url")), format!("{release}{}", archive(target)));
        assert_eq!(value("pkg-fmt"), if target.contains("windows") { "zip" } else { "tgz" });
        let directory = filled(value("bin-dir"));
        assert_eq!(directory, format!("nodeglass-{VERSION}-{target}/{{ bin }}{{ binary-ext }}"));
    }
}

/// Runs `fill.sh` with these checksums.
#[cfg(unix)]
fn fill(sums: &str, directory: &Path) -> bool {
    let file = directory.join("SHA256SUMS");
    fs::write(&file, sums).unwrap();
    let script = root().join("assets/packaging/fill.sh");
    let mut command = std::process::Command::new("bash");
    command.arg(script).arg("owner/nodeglass").arg(file).arg(directory);
    command.output().unwrap().status.success()
}

#[cfg(unix)]
#[test]
fn the_release_fills_in_repository_and_checksums() {
    let directory = tempfile::tempdir().unwrap();
    let sums: Vec<String> = targets().into_iter().map(|target| format!("{:064}  {}\n", 7, archive(target))).collect();
    assert!(fill(&sums.concat(), directory.path()));
    for name in ["nodeglass.rb", "nodeglass.yaml"] {
        let filled = fs::read_to_string(directory.path().join(name)).unwrap();
        assert!(!filled.contains('@') && !filled.contains("template"), "{filled}");
        assert!(filled.contains(&format!("sha256{} \"{:064}\"\n", if name.ends_with("rb") { "" } else { ":" }, 7)));
    }
    assert!(!fill(&sums[1..].concat(), directory.path()), "a checksum is missing");
    assert!(RELEASE.contains("assets/packaging/fill.sh \"$GITHUB_REPOSITORY\" dist/SHA256SUMS dist"));
}

#[test]
fn packaging_names_files_that_exist() {
    let flake = include_str!("../../assets/packaging/flake.nix");
    let copied = RELEASE.lines().find(|line| line.contains("cp -R ")).unwrap();
    for path in copied.split_whitespace().chain(flake.split_whitespace()).filter(|word| word.starts_with("assets/")) {
        assert!(root().join(path).exists(), "{path}");
    }
    for line in FORMULA.lines().filter(|line| line.contains(".install \"") && !line.contains("bin.install")) {
        let path = line.split('"').nth(1).unwrap();
        assert!(root().join("assets").join(path).exists(), "{path}");
    }
    for path in flake.split_whitespace().filter_map(|word| word.strip_prefix("../../")) {
        let path = path.trim_end_matches([')', ';']);
        assert!(root().join(path).exists(), "{path}");
    }
}

#[test]
fn the_changelog_has_this_version() {
    let changelog = include_str!("../../assets/CHANGELOG.md");
    assert!(changelog.contains(&format!("\n## {VERSION} - ")), "{VERSION}");
}

/// A tag can be moved to other code, a commit cannot.
#[test]
fn actions_are_pinned_by_commit() {
    let mut uses = 0;
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| line.trim_start().starts_with("- uses: ")) {
            let (_, pin) = line.split_once('@').unwrap();
            let (commit, version) = pin.split_once(" # v").unwrap_or((pin, ""));
            let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit && !version.is_empty(), "{}: {line}", Path::new(&path).display());
            uses += 1;
        }
    }
    assert!(uses > 5, "{uses}");
}
