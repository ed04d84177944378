//! The rim: what was asked for is carried out, with the real clock, network and terminal.
//!
//! ```text
//! frame if due; select! { panic · signal · frame due · input · changes · task ended }
//! ```
//!
//! One task owns the state. A frame that is due comes before input and input before changes, so that neither waits for a
//! flood to end; frames have a gap between them, so they cannot keep input waiting. Nothing changed, nothing drawn.

mod clock;
mod dashboard;
mod doctor;
mod log;
mod options;
mod pacer;
mod prices;
mod signals;
mod snapshot;
mod sources;
mod terminal;
mod trouble;

pub use clock::Clock;
pub use dashboard::{Dashboard, World};
pub use log::LogError;
pub use pacer::{GAP, Pacer};
pub use prices::PriceLink;
pub use signals::Wish;
pub use sources::{Running, SourceError};
pub use terminal::{Screen, Session};
pub use trouble::install as install_panic_hook;

use crate::cli::{self, CliError, Command, EXIT_SUCCESS, EXIT_TROUBLE, Environment, Settings, SettingsError};
use crate::insight::{Filter, View};
use color_eyre::eyre::{Result, WrapErr};
use std::io::{self, IsTerminal};
use std::process::ExitCode;

/// Runs the program as its arguments say.
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

/// A mistake in what was asked.
fn refuse(error: &CliError) -> ExitCode {
    match error {
        CliError::Usage(text) => trouble::say(text.trim_end()),
        CliError::Settings(_) => trouble::say(&format!("error: {error}")),
    }
    ExitCode::from(error.exit_code())
}

/// Trouble on the way. What a user can mend is said in one sentence; only our own faults get a report.
fn fail(error: &color_eyre::Report) -> ExitCode {
    if let Some(settings) = error.downcast_ref::<SettingsError>() {
        trouble::say(&format!("error: failed to {settings}"));
        return ExitCode::from(cli::EXIT_USAGE);
    }
    // Some errors tell their cause themselves; what was said is not said again.
    let mut said = String::new();
    for text in error.chain().map(ToString::to_string) {
        if !said.contains(&text) {
            said.push_str(if said.is_empty() { "" } else { ": " });
            said.push_str(&text);
        }
    }
    trouble::say(&format!("error: {said}"));
    ExitCode::from(EXIT_TROUBLE)
}

/// Runs a command on the runtime, with the log if one is asked for.
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
    // A credential plugin may hang on a blocking thread; nobody waits for it.
    runtime.shutdown_background();
    result
}

/// The view that settings ask for.
///
/// # Errors
///
/// A filter that its language refuses.
pub(crate) fn view(settings: &Settings) -> Result<View, SettingsError> {
    let filter = match settings.filter.as_deref() {
        None => Filter::default(),
        Some(text) => Filter::parse(text).map_err(|error| SettingsError::bad_filter(text, error.to_string()))?,
    };
    Ok(View::new(filter, settings.sort.clone(), settings.group_by))
}
