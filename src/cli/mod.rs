//! Flags as typed, settings as meant, and what the program prints about itself.
//!
//! What is always true here: nothing is printed, nothing ends the process, and the environment and files come in as
//! arguments. The same arguments give the same [`Command`].
//!
//! ```text
//!  flags ────────────────────────────────┐
//!  NODEGLASS_* ──────────────────────────┤  settings()
//!  config.toml, else ~/.eks-node-viewer ─┼─────────────▶ Settings ─▶ Command
//!  defaults ─────────────────────────────┘  the first that speaks, for each setting
//! ```
//!
//! ```
//! use nodeglass::cli::{self, Command, Environment};
//! use nodeglass::insight::{Column, Direction, GroupBy};
//!
//! let environment = Environment::new([("NODEGLASS_GROUP_BY", "zone")], None, None);
//! let no_files = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
//! // One dash, as fingers that come from eks-node-viewer type it.
//! let command = cli::parse(["nodeglass", "-node-sort=creation=asc"], &environment, &no_files)?;
//! let Command::Dashboard(settings) = command else { panic!("no command named is the dashboard") };
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
    Color, Doctor, DoctorFormat, DoctorWish, ExtraCost, ExtraLabel, Pricing, Settings, Snapshot, Source, Style,
    StyleColor, Theme,
};
pub use sort::{SORT_WORDS, parse_node_sort, parse_sort, sort_text};

use crate::pricing::{PriceFile, PriceTerms};
use clap::Parser;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// What to do, with all that is needed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Show the dashboard.
    Dashboard(Settings),
    /// Print what the dashboard would show, once.
    Snapshot(Settings, Snapshot),
    /// Check what the dashboard needs.
    Doctor(Settings, Doctor),
    /// Print this text on standard output and end with success: help, version, settings, completions, manual page.
    Print(String),
}

/// Reads a file's text; given from outside, so that tests need no files.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// The command that `args` (the program's name first) ask for.
///
/// # Errors
///
/// Arguments, variables or a settings file that cannot be understood.
pub fn parse<A: Into<OsString>>(
    args: impl IntoIterator<Item = A>,
    environment: &Environment,
    read: ReadFile<'_>,
) -> Result<Command, CliError> {
    let args = with_two_dashes(args.into_iter().map(Into::into));
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => return Err(CliError::Usage(error.render().to_string())),
        // Help and version are errors to clap, but what was asked for.
        Err(text) => return Ok(Command::Print(text.render().to_string())),
    };
    let file = || settings_file(cli.flags.config.as_deref(), environment, read);
    let settings = || layers::settings(&cli.flags, environment, file()?.as_ref());
    Ok(match cli.command {
        None => Command::Dashboard(settings()?),
        Some(CliCommand::Snapshot(SnapshotFlags { output, timeout })) => {
            // In the environment or a file it is meant for the dashboard; typed it is meant for this.
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
            // Quoted, so that no path can end the comment.
            let from =
                file()?.map(|file| format!("# Read from {:?}.\n", file.path.to_string_lossy())).unwrap_or_default();
            Command::Print(from + &config_file(&settings()?))
        }
        Some(CliCommand::Completions { shell }) => Command::Print(completions(shell)),
        Some(CliCommand::Man) => Command::Print(man_page()),
    })
}

/// The doctor's settings. A settings file that cannot be used is what it is there to tell, so it goes on without it.
fn doctor(
    flags: &Flags,
    own: &DoctorFlags,
    environment: &Environment,
    file: Result<Option<SettingsFile>, SettingsError>,
) -> Result<(Settings, Doctor), SettingsError> {
    let DoctorFlags { output, timeout, print_rbac, print_iam_policy } = *own;
    let wanted = match (print_rbac, print_iam_policy) {
        (true, _) => DoctorWish::Rbac,
        (_, true) => DoctorWish::IamPolicy,
        (false, false) => DoctorWish::Report(output),
    };
    let settings_file = file.as_ref().ok().and_then(|file| Some(file.as_ref()?.path.clone()));
    let (settings, trouble) = match file.and_then(|file| layers::settings(flags, environment, file.as_ref())) {
        Ok(settings) => (settings, None),
        // What was typed, or stands in the environment, is still an error of its own.
        Err(error) => (layers::settings(flags, environment, None)?, Some(format!("failed to {error}"))),
    };
    Ok((settings, Doctor { wanted, timeout, settings_file, settings_trouble: trouble }))
}

/// The settings file to go by: the one that was named, or else our own, or else eks-node-viewer's.
///
/// One that was named must be there; the others may be missing.
///
/// # Errors
///
/// A file that is there, or must be, and cannot be read.
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

/// The user's own terms: the price file, if one is named, and the discounts.
///
/// # Errors
///
/// A price file that cannot be read or understood.
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
