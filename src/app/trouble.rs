//! Panics: the terminal first, then the report, once.
//!
//! A panic on the main thread unwinds through the terminal session, whose hook has already put the terminal back before
//! the report is printed. A panic on any other thread must not touch the terminal while the loop may be drawing: its
//! report is kept, the loop is told, ends, puts the terminal back and then prints it.

use color_eyre::config::HookBuilder;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::ThreadId;
use tokio::sync::Notify;

static REPORT: Mutex<Option<String>> = Mutex::new(None);
static OWNER: OnceLock<ThreadId> = OnceLock::new();
static ON_SCREEN: AtomicBool = AtomicBool::new(false);
static PANICKED: Notify = Notify::const_new();

/// Installs the hooks. Called once, on the main thread, before anything else.
pub fn install() {
    let builder = HookBuilder::default()
        .display_env_section(false)
        .panic_section("This is a fault of nodeglass. What it was doing is in the log if --log-file was given.");
    let (panic_hook, eyre_hook) = builder.into_hooks();
    // A second installation (tests) keeps the first; the hook below is the same either way.
    let _ = eyre_hook.install();
    let _ = OWNER.set(std::thread::current().id());
    std::panic::set_hook(Box::new(move |info| {
        let report = panic_hook.panic_report(info).to_string();
        tracing::error!(report = %report, "panic");
        let on_screen = is_on_screen();
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

/// Whether the terminal is ours: decides where a report goes. Returns whether it was.
pub(super) fn set_on_screen(on: bool) -> bool {
    ON_SCREEN.swap(on, Ordering::SeqCst)
}

/// Whether the terminal is ours.
pub(super) fn is_on_screen() -> bool {
    ON_SCREEN.load(Ordering::SeqCst)
}

/// Completes when a thread other than the main one has panicked.
pub(super) async fn panicked() {
    PANICKED.notified().await;
}

/// The report kept for after the restore, if there is one.
pub(super) fn take_report() -> Option<String> {
    REPORT.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Prints what went wrong where errors go. It may quote a server or a file: no control character of theirs gets through.
pub(super) fn say(text: &str) {
    let lines: Vec<_> = text.lines().map(crate::units::text::clean).collect();
    print(&lines.join("\n"));
}

/// Prints a report where errors go; a closed stderr is no reason to panic again.
pub(super) fn print(report: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{report}");
}
