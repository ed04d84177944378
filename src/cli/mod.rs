//! The command line, the settings, and the texts that the program prints about itself.
//!
//! Invariants: this module neither prints nor exits, and takes the environment and files as arguments. The same arguments
//! give the same [`Command`].
//!
//! ```text
//!  flags ────────────────────────────────┐
//!  NODEGLASS_* ──────────────────────────┤  settings()
//!  config.toml, else ~/.eks-node-viewer ─┼─────────────▶ Settings ─▶ Command
//!  defaults ─────────────────────────────┘  for each setting, the first that has it
//! ```
//!
//! ```
//! use nodeglass::cli::{self, Command, Environment};
//! use nodeglass::insight::{Column, Direction, GroupBy};
//!
//! let environment = Environment::new([("NODEGLASS_GROUP_BY", "zone")], None, None);
//! let no_files = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
//! // eks-node-viewer's flags also work with one dash.
//! let command = cli::parse(["nodeglass", "-node-sort=creation=asc"], &environment, &no_files)?;
//! let Command::Dashboard(settings) = command else { panic!("the dashboard is the default command") };
//! assert_eq!(settings.group_by, GroupBy::Zone);
//! assert_eq!((settings.sort.column, settings.sort.direction), (Column::Age, Direction::Ascending));
//! # Ok::<(), cli::CliError>(())
//! ```

mod discounts;
mod error;
mod file;
mod flags;
mod layers;
mod print;
mod roff;
mod selector;
mod settings;
mod sort;

pub use error::{CliError, EXIT_SUCCESS, EXIT_TROUBLE, EXIT_USAGE, Origin, SettingsError};
pub use file::{Format, SettingsFile};
pub use flags::{Cli, CliCommand, DoctorFlags, Flags, SnapshotFlags, with_two_dashes};
pub use layers::{Environment, settings};
pub use print::{SAMPLE_CONFIG, completions, config_file, man_page, write_out};
pub use settings::{
    Color, Doctor, DoctorFormat, DoctorOutput, ExtraCost, Pricing, Settings, Snapshot, Source, Style, StyleColor, Theme,
};
pub use sort::{SORT_WORDS, parse_node_sort, parse_sort, sort_text};

use crate::pricing::{PriceFile, PriceTerms};
use clap::Parser;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// A command with its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Show the dashboard.
    Dashboard(Settings),
    /// Print the current state once.
    Snapshot(Settings, Snapshot),
    /// Check what the dashboard needs.
    Doctor(Settings, Doctor),
    /// Print this text to standard output and exit with success: help, version, settings, completions, manual page.
    Print(String),
}

/// Reads the text of a file; a parameter, so that tests need no files.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// Parses the command line; `args` starts with the program's name.
///
/// # Errors
///
/// If arguments, variables or the settings file are invalid.
pub fn parse<A: Into<OsString>>(
    args: impl IntoIterator<Item = A>,
    environment: &Environment,
    read: ReadFile<'_>,
) -> Result<Command, CliError> {
    let args = with_two_dashes(args.into_iter().map(Into::into));
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return Err(CliError::Usage(error.render().to_string())),
        // clap returns help and version as errors.
        Err(text) => return Ok(Command::Print(text.render().to_string())),
    };
    let file = || settings_file(cli.flags.config.as_deref(), environment, read);
    let settings = || layers::settings(&cli.flags, environment, file()?.as_ref());
    Ok(match cli.command {
        None => Command::Dashboard(settings()?),
        Some(CliCommand::Snapshot(SnapshotFlags { output, timeout })) => {
            // Only an error as a flag: the environment and the file also set it for the dashboard.
            if let Some(by) =
                cli.flags.group_by.as_ref().filter(|by| output == crate::output::Format::Csv && *by != "none")
            {
                return Err(CliError::from(SettingsError::BadValue {
                    origin: Origin::Flag("--group-by".to_owned()),
                    given: format!("{by:?}"),
                    expected:
                        "expected no grouping with --output=csv, which is one line a node without subtotals; table \
                               and json have groups"
                            .to_owned(),
                }));
            }
            Command::Snapshot(settings()?, Snapshot { output, timeout })
        }
        Some(CliCommand::Doctor(flags)) => {
            let (settings, doctor) = doctor(&cli.flags, &flags, environment, file())?;
            Command::Doctor(settings, doctor)
        }
        Some(CliCommand::Config) => {
            // Quoted, so that a line break in the path cannot end the comment.
            let from =
                file()?.map(|file| format!("# Read from {:?}.\n", file.path.to_string_lossy())).unwrap_or_default();
            Command::Print(from + &config_file(&settings()?))
        }
        Some(CliCommand::Completions { shell }) => Command::Print(completions(shell)),
        Some(CliCommand::Man) => Command::Print(man_page()),
    })
}

/// The settings of `doctor`, which continues without a settings file that is invalid and reports it.
fn doctor(
    flags: &Flags,
    own: &DoctorFlags,
    environment: &Environment,
    file: Result<Option<SettingsFile>, SettingsError>,
) -> Result<(Settings, Doctor), SettingsError> {
    let DoctorFlags { output, timeout, print_rbac, print_iam_policy } = *own;
    let what = match (print_rbac, print_iam_policy) {
        (true, _) => DoctorOutput::Rbac,
        (_, true) => DoctorOutput::IamPolicy,
        (false, false) => DoctorOutput::Report(output),
    };
    let settings_file = file.as_ref().ok().and_then(|file| Some(file.as_ref()?.path.clone()));
    let (settings, trouble) = match file.and_then(|file| layers::settings(flags, environment, file.as_ref())) {
        Ok(settings) => (settings, None),
        // Errors in flags and variables are still returned.
        Err(error) => (layers::settings(flags, environment, None)?, Some(format!("failed to {error}"))),
    };
    Ok((settings, Doctor { output: what, timeout, settings_file, settings_trouble: trouble }))
}

/// Reads the settings file: the named one, else nodeglass' own, else eks-node-viewer's.
///
/// A named file must exist; the others may be missing.
///
/// # Errors
///
/// If the file cannot be read, or a named file does not exist.
pub fn settings_file(
    named: Option<&Path>,
    environment: &Environment,
    read: ReadFile<'_>,
) -> Result<Option<SettingsFile>, SettingsError> {
    let file = |path: PathBuf, format, must_be: bool| match read(&path) {
        Ok(text) => Ok(Some(SettingsFile { path, text, format })),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_be => Ok(None),
        Err(source) => Err(SettingsError::Read { path, source }),
    };
    if let Some(path) = named.or(environment.get("NODEGLASS_CONFIG").map(Path::new)) {
        return file(path.to_owned(), Format::Toml, true);
    }
    if let Some(dir) = &environment.config_dir
        && let Some(own) = file(dir.join("nodeglass").join("config.toml"), Format::Toml, false)?
    {
        return Ok(Some(own));
    }
    match &environment.home {
        Some(home) => file(home.join(".eks-node-viewer"), Format::EksNodeViewer, false),
        None => Ok(None),
    }
}

/// Reads the price file, if the settings name one, and returns it with the discounts.
///
/// # Errors
///
/// If the price file cannot be read or is invalid.
pub fn price_terms(settings: &Settings, read: ReadFile<'_>) -> Result<PriceTerms, SettingsError> {
    let file = match &settings.price_file {
        Some(path) => {
            let text = read(path).map_err(|source| SettingsError::PriceFileRead { path: path.clone(), source })?;
            Some(PriceFile::parse(&path.to_string_lossy(), &text)?)
        }
        None => None,
    };
    Ok(PriceTerms { file, rules: settings.discounts.clone() })
}
