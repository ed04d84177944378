//! The program in a pseudo-terminal: input, screen, and the state of the terminal afterwards.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The timeout of waits: `NODEGLASS_TEST_PATIENCE` in seconds, for slow hosts.
pub fn patience() -> Duration {
    let seconds = std::env::var("NODEGLASS_TEST_PATIENCE").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(60))
}

/// Polls until there is an answer; on a timeout fails with `state`.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>, state: impl Fn() -> String) -> T {
    let deadline = Instant::now() + patience();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what} did not come; {}", state());
        thread::sleep(Duration::from_millis(5));
    }
}

struct Shown {
    parser: vt100::Parser,
    /// Every byte that came.
    bytes: Vec<u8>,
}

/// A terminal with a program in it; the program is killed when this is dropped.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    // Kept open, so that the terminal outlives the program and its modes can be read.
    _slave: Box<dyn SlavePty + Send>,
    shown: Arc<Mutex<Shown>>,
    modes_before: String,
    _home: tempfile::TempDir,
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

impl Terminal {
    /// Starts nodeglass with a home of its own and nothing else in its environment.
    pub fn nodeglass(args: &[&str]) -> Self {
        Self::start(Path::new(env!("CARGO_BIN_EXE_nodeglass")), args, &[])
    }

    /// The same with a kubeconfig.
    pub fn on_cluster(kubeconfig: &Path, args: &[&str]) -> Self {
        let variables = [("KUBECONFIG", kubeconfig.as_os_str().to_owned())];
        Self::start(Path::new(env!("CARGO_BIN_EXE_nodeglass")), args, &variables)
    }

    /// Starts any program in 120×40 cells.
    pub fn start(program: &Path, args: &[&str], variables: &[(&str, OsString)]) -> Self {
        let (cols, rows) = (120, 40);
        let pty = native_pty_system().openpty(size(cols, rows)).unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("HOME", home.path());
        // No test asks AWS.
        command.env("NODEGLASS_PRICING", "offline");
        for (name, value) in variables {
            command.env(name, value);
        }
        let modes_before = modes(pty.master.as_ref());
        let child = pty.slave.spawn_command(command).unwrap();
        let parser = vt100::Parser::new(cells(rows), cells(cols), 1000);
        let shown = Arc::new(Mutex::new(Shown { parser, bytes: Vec::new() }));
        let mut output = pty.master.try_clone_reader().unwrap();
        let keyboard = pty.master.take_writer().unwrap();
        thread::spawn({
            let shown = Arc::clone(&shown);
            move || {
                let mut bytes = vec![0; 65_536];
                while let Ok(count @ 1..) = output.read(&mut bytes) {
                    let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
                    shown.parser.process(&bytes[..count]);
                    shown.bytes.extend_from_slice(&bytes[..count]);
                }
            }
        });
        Self { child, keyboard, master: pty.master, _slave: pty.slave, shown, modes_before, _home: home }
    }

    fn with<T>(&self, ask: impl FnOnce(&Shown) -> T) -> T {
        ask(&self.shown.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is shown, as text.
    pub fn text(&self) -> String {
        self.with(|shown| shown.parser.screen().contents())
    }

    /// Every byte the terminal got.
    pub fn bytes(&self) -> Vec<u8> {
        self.with(|shown| shown.bytes.clone())
    }

    /// Waits until the screen is as asked, and gives its text.
    pub fn until(&mut self, what: &str, shown: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + patience();
        loop {
            let text = self.text();
            if shown(&text) {
                return text;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the program ended with {ended:?} before {what} was shown:\n{}", self.text());
            assert!(Instant::now() < deadline, "{what} is not shown:\n{text}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until a text is shown.
    pub fn shows(&mut self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    pub fn resize(&mut self, cols: u16, rows: u16) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.parser.set_size(cells(rows), cells(cols));
        drop(shown);
        self.master.resize(size(cols, rows)).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.process_id().unwrap() as i32).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits until the program has been stopped.
    pub fn until_stopped(&self) {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
        let stopped = || waitid(WaitId::Pid(self.pid()), options).unwrap();
        until("a stop", stopped, || format!("the screen:\n{}", self.text()));
        self.read_to_the_end();
    }

    /// The program goes on, as with a shell's `fg`.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Whether the terminal's modes (raw, echo …) are those it had before the program came.
    pub fn has_first_modes(&self) -> bool {
        self.modes() == self.modes_before
    }

    fn modes(&self) -> String {
        modes(self.master.as_ref())
    }

    /// Whether the terminal is as it was before the program came: what is wrong with it, if something is.
    pub fn wrong(&self) -> Vec<&'static str> {
        self.with(|shown| {
            let screen = shown.parser.screen();
            let facts = [
                (screen.alternate_screen(), "the alternate screen is not left"),
                (screen.hide_cursor(), "the cursor is hidden"),
                (screen.bracketed_paste(), "bracketed paste is on"),
                (screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None, "the mouse is reported"),
                (!self.has_first_modes(), "raw mode is on"),
                (on(&shown.bytes, "?1004"), "focus is reported"),
                (!on(&shown.bytes, "?7"), "lines do not wrap"),
                (on(&shown.bytes, "?2026"), "an update is not ended"),
            ];
            facts.into_iter().filter(|(wrong, _)| *wrong).map(|(_, what)| what).collect()
        })
    }

    /// Waits for the end of the program; its exit code.
    pub fn end(&mut self) -> u32 {
        let deadline = Instant::now() + patience();
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(status.signal(), None, "ended by a signal");
                break status.exit_code();
            }
            assert!(Instant::now() < deadline, "the program does not end:\n{}", self.text());
            thread::sleep(Duration::from_millis(5));
        };
        self.read_to_the_end();
        code
    }

    /// Waits until the program's last output has been read: nothing new arrives for a while.
    fn read_to_the_end(&self) {
        let mut before = usize::MAX;
        while before != self.with(|shown| shown.bytes.len()) {
            before = self.with(|shown| shown.bytes.len());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Asserts that the program ends with this exit code and leaves the terminal whole.
    #[track_caller]
    pub fn ends_whole(&mut self, code: u32) {
        assert_eq!(self.end(), code, "exit code; the terminal:\n{}", self.text());
        assert_eq!(self.wrong(), Vec::<&str>::new());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails only if it has ended already.
        let _ended = self.child.kill();
    }
}

/// Whether a private mode was last switched on; wrapping of lines is on at first.
fn on(bytes: &[u8], mode: &str) -> bool {
    let last = |end: &str| {
        let code = format!("\x1b[{mode}{end}");
        bytes.windows(code.len()).rposition(|window| window == code.as_bytes())
    };
    match (last("h"), last("l")) {
        (None, None) => mode == "?7",
        (on, off) => on > off,
    }
}
