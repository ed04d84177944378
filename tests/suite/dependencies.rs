//! What the lock file may hold. A second copy of a crate whose types cross between libraries is a compile error at best and
//! a silent split at worst; and nothing may need a C toolchain beyond `cc`, or OpenSSL.

use std::collections::BTreeMap;

/// Names and versions of Cargo.lock.
fn locked() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut packages: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut name = "";
    for line in include_str!("../../Cargo.lock").lines() {
        let value = |key: &str| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"');
        if let Some(found) = value("name") {
            name = found;
        } else if let Some(version) = value("version")
            && !name.is_empty()
        {
            packages.entry(name).or_default().push(version);
        }
    }
    packages
}

#[test]
fn nothing_needs_a_heavy_toolchain() {
    let packages = locked();
    assert!(packages.contains_key("aws-lc-rs"), "the TLS implementation that was chosen");
    // The first three need the system's OpenSSL; the SDK of EC2 takes minutes and 7 GB of memory to compile, for one call.
    for banned in ["openssl-sys", "openssl", "native-tls", "aws-sdk-ec2"] {
        assert!(!packages.contains_key(banned), "{banned} came in; see: cargo tree --invert {banned}");
    }
    // The default features of AWS's crates bring an HTTP stack of the last generation.
    for (name, versions) in [("hyper", "0.14"), ("h2", "0.3"), ("rustls", "0.21")] {
        let found = packages.get(name).into_iter().flatten().find(|version| version.starts_with(versions));
        assert_eq!(found, None, "{name} {versions} came in; see: cargo tree --invert {name}");
    }
}

/// The names of the packages that depend on one whose entry begins with one of `dependencies`.
fn users_of(dependencies: &[&str]) -> Vec<&'static str> {
    let depends = |line: &str| {
        line.strip_prefix(" \"")
            .is_some_and(|entry| dependencies.iter().any(|dependency| entry.starts_with(dependency)))
    };
    let packages = include_str!("../../Cargo.lock").split("[[package]]");
    let users = packages.filter(|package| package.lines().any(depends));
    users.filter_map(|package| package.lines().find_map(|line| line.strip_prefix("name = "))).collect()
}

/// The types of requests and bodies cross between kube, hyper and AWS's crates. The replayed answers of the tests alone
/// bring an older copy, which nothing of the program names.
#[test]
fn the_program_has_one_copy_of_http() {
    assert_eq!(users_of(&["http 0.2", "http-body 0.4"]), ["\"aws-smithy-protocol-test\""]);
}

/// With two implementations of cryptography rustls has no default one. The lock file lists `ring` for Android's verifier of
/// certificates alone.
#[test]
fn the_program_has_one_implementation_of_cryptography() {
    assert_eq!(users_of(&["ring\""]), ["\"rustls-webpki\""]);
}

#[test]
fn crates_whose_types_are_shared_have_one_copy() {
    let packages = locked();
    for shared in [
        "bytes",
        "compact_str",
        "crossterm",
        "futures-core",
        "http-body-util",
        "hyper",
        "jiff",
        "k8s-openapi",
        "kube-client",
        "kube-core",
        "miniz_oxide",
        "ratatui-core",
        "rustls",
        "serde",
        "serde_json",
        "tokio",
        "tower",
        "unicode-width",
    ] {
        match packages.get(shared).map(Vec::as_slice) {
            Some([_one]) => {}
            Some(several) => panic!("{shared} is there as {}; see: cargo tree --duplicates", several.join(" and ")),
            None => panic!("{shared} is no longer used; take it off this list"),
        }
    }
}
