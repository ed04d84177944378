//! Runs the commands with the real clock, network and terminal.
//!
//! ```text
//! frame if due; select! { panic · signal · frame due · input · changes · task ended }
//! ```
//!
//! One task owns the state. A due frame has priority over input, and input over changes, so that neither waits for a
//! flood of changes to end. Frames have a minimum distance, so they cannot starve input. Without a change there is no
//! frame.

mod dashboard;
mod doctor;
mod log;
mod options;
mod pacer;
mod prices;
mod signals;
mod snapshot;
mod sources;
mod state;
mod terminal;
mod trouble;

pub use dashboard::{Dashboard, World};
pub use log::LogError;
pub use pacer::{GAP, Pacer};
pub use prices::PriceLink;
pub use signals::SignalAction;
pub use sources::{Running, SourceError};
pub use state::DashboardState;
pub use terminal::{Screen, Session};
pub use trouble::install as install_panic_hook;

use crate::cli::{self, CliError, Command, EXIT_SUCCESS, EXIT_TROUBLE, Environment, Settings, SettingsError};
use crate::insight::{Filter, View};
use color_eyre::eyre::{Result, WrapErr};
use std::io::{self, IsTerminal};
use std::process::ExitCode;

/// Runs the command line's command and returns the exit code.
pub fn main() -> ExitCode {
    trouble::install();
    let environment = Environment::of_process();
    let command = match cli::parse(std::env::args_os(), &environment, &|path| std::fs::read_to_string(path)) {
        Ok(command) => command,
        Err(error) => return refuse(&error),
    };
    let code = match command {
        Command::Print(text) => {
            cli::write_out(&mut io::stdout().lock(), &text).map(|()| EXIT_SUCCESS).map_err(Into::into)
        }
        Command::Snapshot(settings, options) => with_runtime(&settings, |settings| snapshot::run(settings, options)),
        Command::Doctor(settings, options) => with_runtime(&settings, |settings| doctor::run(settings, options)),
        Command::Dashboard(settings) if !io::stdout().is_terminal() || !io::stdin().is_terminal() => {
            let _ = settings;
            trouble::print(NO_TERMINAL);
            Ok(cli::EXIT_USAGE)
        }
        Command::Dashboard(settings) => with_runtime(&settings, dashboard::run),
    };
    match code {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail(&error),
    }
}

const NO_TERMINAL: &str = "error: the dashboard needs a terminal on standard input and output.\n\
    In a pipe or a script, use `nodeglass snapshot` (with -o table, json or csv).";

/// Reports an error in the command line or the settings.
fn refuse(error: &CliError) -> ExitCode {
    match error {
        CliError::Usage(text) => trouble::print_clean(text.trim_end()),
        CliError::Settings(_) => trouble::print_clean(&format!("error: {error}")),
    }
    ExitCode::from(error.exit_code())
}

/// Reports an error at run time in one line: the chain of its causes. Only panics print a report.
fn fail(error: &color_eyre::Report) -> ExitCode {
    if let Some(settings) = error.downcast_ref::<SettingsError>() {
        trouble::print_clean(&format!("error: failed to {settings}"));
        return ExitCode::from(cli::EXIT_USAGE);
    }
    // Some errors include the text of their cause, which is not repeated.
    let mut message = String::new();
    for text in error.chain().map(ToString::to_string) {
        if !message.contains(&text) {
            message.push_str(if message.is_empty() { "" } else { ": " });
            message.push_str(&text);
        }
    }
    trouble::print_clean(&format!("error: {message}"));
    ExitCode::from(EXIT_TROUBLE)
}

/// Runs a command on a tokio runtime, with a log file if the settings have one.
fn with_runtime<'s, F: Future<Output = Result<u8>>>(
    settings: &'s Settings,
    run: impl FnOnce(&'s Settings) -> F,
) -> Result<u8> {
    let _guard = settings.log_file.as_deref().map(|path| log::start(path, &settings.log_filter)).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .wrap_err("failed to start the runtime")?;
    let result = runtime.block_on(run(settings));
    // A credential plugin may hang on a blocking thread, which must not delay the exit.
    runtime.shutdown_background();
    result
}

/// The view with the filter, sort order and grouping of the settings.
///
/// # Errors
///
/// If the filter does not parse.
pub(crate) fn view(settings: &Settings) -> Result<View, SettingsError> {
    let filter = match settings.filter.as_deref() {
        None => Filter::default(),
        Some(text) => Filter::parse(text).map_err(|error| SettingsError::bad_filter(text, error.to_string()))?,
    };
    Ok(View::new(filter, settings.sort.clone(), settings.group_by))
}
