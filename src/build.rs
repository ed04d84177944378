//! Packs `assets/prices/*.csv` into `prices.bin`, which the library embeds.

#[path = "pricing/table_files.rs"]
mod table_files;

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};
use table_files::{CsvTable, PRICES, SPECS};

#[expect(clippy::print_stderr, reason = "cargo shows what a build script prints")]
fn main() -> ExitCode {
    for path in [PRICES, SPECS, "src/build.rs", "src/pricing/table_files.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
    match pack() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("failed to pack the price table: {why}");
            ExitCode::FAILURE
        }
    }
}

fn pack() -> Result<(), String> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("CARGO_MANIFEST_DIR is not set")?);
    let target = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?).join("prices.bin");
    let open = |path: &str| fs::read_to_string(root.join(path)).map_err(|why| format!("{path}: {why}"));
    let packed = CsvTable::read(open)?.pack()?;
    fs::write(&target, packed).map_err(|why| format!("{}: {why}", target.display()))
}
