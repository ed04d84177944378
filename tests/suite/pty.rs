//! The program in a pseudo-terminal: start, input, signals, and the restored terminal.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::apiserver::{Answer, ApiServer, NODES};
use crate::support::fakes::closed_source;
use crate::support::pty::Terminal;
use nodeglass::app::{Dashboard, DashboardState, Screen, Session, World, install_panic_hook};
use nodeglass::cluster::Cluster;
use nodeglass::insight::View;
use nodeglass::model::Clock;
use nodeglass::ui::{UiOptions, UiState};
use ratatui::crossterm::event::EventStream;
use rustix::process::Signal;
use std::io;
use std::time::Duration;
use test_case::test_case;

fn demo() -> Terminal {
    let mut terminal = Terminal::nodeglass(&["--demo", "--demo-nodes", "5"]);
    terminal.until("five nodes", |screen| screen.matches("Ready").count() >= 5);
    terminal
}

#[test]
fn the_demo_starts_and_quits() {
    let mut terminal = demo();
    assert!(!terminal.has_first_modes(), "raw mode is on while it runs");
    terminal.press("q");
    terminal.ends_whole(0);
    assert_eq!(terminal.text().trim(), "", "nothing is left behind on the shell's screen");
}

#[test_case("\x03"; "by ctrl c")]
#[test_case("?q"; "out of the help")]
fn keys_end_it(keys: &str) {
    let mut terminal = demo();
    terminal.press(keys);
    terminal.ends_whole(0);
}

#[test_case(Signal::TERM)]
#[test_case(Signal::INT)]
#[test_case(Signal::HUP)]
fn signals_end_it(signal: Signal) {
    let mut terminal = demo();
    terminal.signal(signal);
    terminal.ends_whole(0);
}

#[test]
fn a_resize_fills_the_new_screen() {
    let mut terminal = demo();
    terminal.resize(200, 60);
    terminal.until("a line as wide as the screen", |screen| screen.lines().any(|line| line.chars().count() > 180));
    terminal.resize(30, 6);
    terminal.until("a small screen", |screen| screen.lines().all(|line| line.chars().count() <= 30));
    terminal.resize(1, 1);
    terminal.resize(120, 40);
    terminal.until("five nodes", |screen| screen.matches("Ready").count() >= 5);
    terminal.press("q");
    terminal.ends_whole(0);
}

/// Stops and continues the program like a shell.
fn stops_and_comes_back(mut terminal: Terminal) {
    terminal.until_stopped();
    assert_eq!(terminal.wrong(), Vec::<&str>::new(), "the shell has its terminal while the program is stopped");
    terminal.go_on();
    terminal.until("the nodes again", |screen| screen.matches("Ready").count() >= 5);
    terminal.press("?");
    terminal.shows("suspend; fg resumes");
    assert!(!terminal.has_first_modes());
    terminal.press("q");
    terminal.ends_whole(0);
}

#[test]
fn ctrl_z_stops_it_and_fg_brings_it_back() {
    let mut terminal = demo();
    terminal.press("\x1a");
    stops_and_comes_back(terminal);
}

#[test]
fn sigtstp_stops_it_and_sigcont_brings_it_back() {
    let terminal = demo();
    terminal.signal(Signal::TSTP);
    stops_and_comes_back(terminal);
}

#[test]
fn a_stop_that_was_not_asked_for_is_painted_over() {
    let mut terminal = demo();
    terminal.signal(Signal::STOP);
    terminal.until_stopped();
    let before = terminal.bytes().len();
    terminal.go_on();
    crate::support::pty::until(
        "a whole frame",
        || {
            let after = String::from_utf8_lossy(&terminal.bytes()[before..]).into_owned();
            (after.contains("\x1b[2J") && after.contains("nodeglass")).then_some(())
        },
        || terminal.text(),
    );
    terminal.press("q");
    terminal.ends_whole(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn first_frame_comes_while_the_server_is_silent_and_quit_is_clean() {
    let server = ApiServer::start().await;
    for path in ["/version", "/apis", NODES] {
        server.on_all(path, &Answer::silence());
    }
    let mut terminal = Terminal::on_cluster(&server.kubeconfig(), &[]);
    terminal.until("the context's name", |screen| screen.contains("nodes"));
    terminal.press("?");
    terminal.shows("suspend; fg resumes");
    terminal.press("q");
    terminal.ends_whole(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_frames_reach_the_terminal() {
    let server = ApiServer::start().await;
    for path in ["/version", "/apis", NODES] {
        server.on_all(path, &Answer::status(500, "the server is on fire"));
    }
    let log = server.dir().join("log");
    let mut terminal =
        Terminal::on_cluster(&server.kubeconfig(), &["--log-file", log.to_str().unwrap(), "--log-filter", "trace"]);
    terminal.shows("on fire");
    terminal.press("q");
    terminal.ends_whole(0);
    assert!(std::fs::metadata(&log).unwrap().len() > 0, "diagnosis goes to the file");
    // Outside of frames, only the sequences that set up and restore the terminal.
    let bytes = String::from_utf8(terminal.bytes()).unwrap();
    let mut between = String::new();
    for part in bytes.split("\x1b[?2026h") {
        between.push_str(part.rsplit("\x1b[?2026l").next().unwrap_or_default());
    }
    let mut rest = between.as_str();
    while let Some(after) = rest.strip_prefix("\x1b[?") {
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['h', 'l']);
    }
    assert_eq!(rest, "", "{between:?}");
}

#[test]
fn without_a_terminal_it_names_snapshot() {
    for input in [std::process::Stdio::null(), std::process::Stdio::piped()] {
        let output =
            std::process::Command::new(env!("CARGO_BIN_EXE_nodeglass")).arg("--demo").stdin(input).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("needs a terminal") && stderr.contains("nodeglass snapshot"), "{stderr}");
        assert_eq!(output.stdout, b"");
    }
}

// --- panics: this test program, started in a terminal with one test that panics -------------------------

fn again(test: &str) -> Terminal {
    let program = std::env::current_exe().unwrap();
    let args = ["--exact", test, "--ignored", "--nocapture", "--test-threads=1"];
    let terminal = Terminal::start(&program, &args, &[]);
    crate::support::pty::until(
        "the alternate screen",
        || contains(&terminal, "\x1b[?1049h").then_some(()),
        String::new,
    );
    terminal
}

fn contains(terminal: &Terminal, text: &str) -> bool {
    String::from_utf8_lossy(&terminal.bytes()).contains(text)
}

/// The output after the terminal was restored.
fn afterwards(terminal: &Terminal) -> String {
    let bytes = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    assert_eq!(bytes.matches("\x1b[?1049l").count(), 1, "the alternate screen is left once");
    bytes.rsplit("\x1b[?1049l").next().unwrap_or_default().to_owned()
}

#[test]
fn panic_in_a_task_restores_then_reports() {
    let mut terminal = again("pty::panics_in_a_task");
    terminal.ends_whole(0);
    let after = afterwards(&terminal);
    assert_eq!(after.matches("the wheels came off").count(), 1, "{after}");
    assert!(after.contains("a bug in nodeglass") && after.contains("exit code 1"), "{after}");
    assert!(terminal.text().contains("the wheels came off"), "the report can be read:\n{}", terminal.text());
}

#[test]
fn a_panic_while_drawing_restores_then_reports() {
    let mut terminal = again("pty::panics_while_drawing");
    // The second frame is the one that fails.
    terminal.press("?");
    terminal.ends_whole(101);
    let after = afterwards(&terminal);
    assert_eq!(after.matches("the paint ran out").count(), 1, "{after}");
    assert!(terminal.text().contains("the paint ran out"), "the report can be read:\n{}", terminal.text());
}

fn show<S: Screen>(screen: impl FnOnce() -> io::Result<S>, task: impl Future<Output = ()> + Send + 'static) -> u8 {
    install_panic_hook();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (_signals, wishes) = tokio::sync::mpsc::channel(1);
        let world = World {
            screen: screen().unwrap(),
            inputs: EventStream::new(),
            signals: wishes,
            clock: Clock::system(),
            start: || {
                let mut running = closed_source();
                // A task that was spawned by a task of the source is also fatal.
                tokio::spawn(task);
                running.tasks.spawn(std::future::pending());
                running
            },
        };
        let ui = UiState::new(UiOptions::default());
        let state = DashboardState::new(Cluster::new(None), View::default(), ui);
        Dashboard::new(state, None).run(world).await.unwrap()
    })
}

#[test]
#[ignore = "started in a terminal by panic_in_a_task_restores_then_reports"]
fn panics_in_a_task() {
    let code = show(|| Session::enter(true), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        panic!("the wheels came off");
    });
    io::Write::write_fmt(&mut io::stderr(), format_args!("exit code {code}\n")).unwrap();
}

struct PaintRunsOut(Session, usize);

impl Screen for PaintRunsOut {
    fn draw(&mut self, paint: &mut dyn FnMut(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        let Self(session, frames) = self;
        session.draw(&mut |frame| {
            paint(frame);
            assert!(*frames > 0, "the paint ran out");
        })?;
        *frames -= 1;
        Ok(())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.0.copy(text)
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.0.suspend()
    }

    fn repaint(&mut self) -> io::Result<()> {
        self.0.repaint()
    }
}

#[test]
#[ignore = "started in a terminal by a_panic_while_drawing_restores_then_reports"]
fn panics_while_drawing() {
    show(|| Ok(PaintRunsOut(Session::enter(true)?, 1)), std::future::pending());
}
