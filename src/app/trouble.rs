//! Panic handling: restores the terminal, then prints the report once.
//!
//! On a panic of the main thread the hook restores the terminal and prints the report. A panic of another thread must
//! not touch the terminal while the main loop may be drawing: its report is stored and the main loop is notified, which
//! then ends, restores the terminal and prints the report.

use color_eyre::config::HookBuilder;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::ThreadId;
use tokio::sync::Notify;

static REPORT: Mutex<Option<String>> = Mutex::new(None);
static OWNER: OnceLock<ThreadId> = OnceLock::new();
static PANICKED: Notify = Notify::const_new();

/// Installs the hooks. Called once, on the main thread, before anything else.
pub fn install() {
    let builder = HookBuilder::default()
        .display_env_section(false)
        .panic_section("This is a bug in nodeglass. The log file, if --log-file was given, has the details.");
    let (panic_hook, eyre_hook) = builder.into_hooks();
    // A second installation (tests) keeps the first; the hook below is the same either way.
    let _ = eyre_hook.install();
    let _ = OWNER.set(std::thread::current().id());
    std::panic::set_hook(Box::new(move |info| {
        let report = panic_hook.panic_report(info).to_string();
        tracing::error!(report = %report, "panic");
        let on_screen = super::terminal::is_owned();
        if on_screen && OWNER.get() != Some(&std::thread::current().id()) {
            *REPORT.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
            PANICKED.notify_one();
        } else {
            if on_screen {
                super::terminal::restore();
            }
            print(&report);
        }
    }));
}

/// Completes when a thread other than the main one has panicked.
pub(super) async fn panicked() {
    PANICKED.notified().await;
}

/// Takes the stored report of a panic, if there is one.
pub(super) fn take_report() -> Option<String> {
    REPORT.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Prints a message to stderr without control characters, since it may quote a server or a file.
pub(super) fn print_clean(text: &str) {
    let lines: Vec<_> = text.lines().map(crate::units::text::clean).collect();
    print(&lines.join("\n"));
}

/// Prints a report to stderr; a closed stderr is ignored.
pub(super) fn print(report: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{report}");
}
