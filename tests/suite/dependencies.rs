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
fn nothing_needs_a_heavy_toolchain_or_a_cloud_sdk() {
    let packages = locked();
    assert!(packages.contains_key("ring"), "the TLS implementation that was chosen");
    // aws-lc wants cmake and a minute of compiling; the rest, the system's OpenSSL; an SDK, 30 MB of generated code.
    for banned in ["aws-lc-sys", "aws-lc-rs", "openssl-sys", "openssl", "native-tls"] {
        assert!(!packages.contains_key(banned), "{banned} came in; see: cargo tree --invert {banned}");
    }
    let sdks: Vec<_> = packages.keys().filter(|name| name.starts_with("aws-sdk-")).collect();
    assert!(sdks.is_empty(), "an AWS SDK came in: {sdks:?}");
}

#[test]
fn crates_whose_types_are_shared_have_one_copy() {
    let packages = locked();
    for shared in [
        "bytes",
        "compact_str",
        "crossterm",
        "futures-core",
        "http",
        "http-body",
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
