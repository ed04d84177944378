//! The nodeglass program: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    nodeglass::app::main()
}
