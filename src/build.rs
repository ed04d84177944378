//! Packs `assets/prices/*.csv` into `prices.bin`, which the library embeds.

#[path = "pricing/pack.rs"]
mod pack;
#[path = "pricing/pack_write.rs"]
mod pack_write;

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

#[expect(clippy::print_stderr, reason = "cargo reads what a build script prints")]
fn main() -> ExitCode {
    let code = ["src/build.rs", "src/pricing/pack.rs", "src/pricing/pack_write.rs"];
    for path in [pack_write::PRICES, pack_write::SPECS, pack_write::SOURCES].into_iter().chain(code) {
        println!("cargo::rerun-if-changed={path}");
    }
    match embed() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("failed to pack the price table: {why}");
            ExitCode::FAILURE
        }
    }
}

fn embed() -> Result<(), String> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("CARGO_MANIFEST_DIR is not set")?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let text = |path: &str| fs::read_to_string(root.join(path)).map_err(|why| format!("{path}: {why}"));

    let (prices, specs, sources) = (text(pack_write::PRICES)?, text(pack_write::SPECS)?, text(pack_write::SOURCES)?);
    let files = pack_write::Files { prices: &prices, specs: &specs, sources: &sources };
    let target = out.join("prices.bin");
    fs::write(&target, pack_write::embed(files)?).map_err(|why| format!("{}: {why}", target.display()))
}
