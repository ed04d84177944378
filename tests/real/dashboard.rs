//! The dashboard in a terminal of 200×60, and what that terminal shows.

use crate::cluster::{Cluster, User, eventually};
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A running dashboard; killed when dropped.
pub struct Dashboard {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    terminal: Arc<Mutex<vt100::Parser>>,
}

impl Dashboard {
    /// Starts it as a user.
    pub fn start(cluster: &Cluster, user: User) -> Self {
        let (rows, cols) = (60, 200);
        let cells = |count| NonZeroU16::new(count).expect("a terminal has cells");
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).expect("a pseudo-terminal can be opened");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_nodeglass"));
        command.env_clear();
        command.env("TERM", "xterm-256color");
        for (name, value) in cluster.environment(user) {
            command.env(name, value);
        }
        let child = pty.slave.spawn_command(command).expect("the program can be started");
        let terminal = Arc::new(Mutex::new(vt100::Parser::new(cells(rows), cells(cols), 0)));
        let keyboard = pty.master.take_writer().expect("the terminal can be typed into");
        let mut output = pty.master.try_clone_reader().expect("the terminal can be read");
        thread::spawn({
            let terminal = Arc::clone(&terminal);
            // The master is kept as long as it is read: with it the program would lose its terminal.
            let master = pty.master;
            move || {
                let mut bytes = vec![0; 65_536];
                // The end of the program is an error on Linux and an empty read elsewhere.
                while let Ok(count @ 1..) = output.read(&mut bytes) {
                    terminal.lock().unwrap_or_else(PoisonError::into_inner).process(&bytes[..count]);
                }
                drop(master);
            }
        });
        Self { child, keyboard, terminal }
    }

    /// What the terminal shows, as text.
    pub fn screen(&self) -> String {
        self.terminal.lock().unwrap_or_else(PoisonError::into_inner).screen().contents()
    }

    /// Waits until the screen is as asked; fails if it does not come, or if the program ends.
    pub fn wait_for(&mut self, what: &str, shown: impl Fn(&str) -> bool) {
        eventually(what, Duration::from_mins(2), || {
            let screen = self.screen();
            if shown(&screen) {
                return Ok(());
            }
            let ended = self.child.try_wait().expect("the program can be asked for its status");
            assert!(
                ended.is_none(),
                "the program ended with {ended:?} while waiting for {what}; its screen:\n{screen}"
            );
            Err(format!("the screen:\n{screen}"))
        });
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the program reads its terminal");
        self.keyboard.flush().expect("the program reads its terminal");
        // An escape is a key of its own only if nothing follows it at once.
        thread::sleep(Duration::from_millis(200));
    }

    /// Leaves as a person does; the exit status.
    pub fn quit(&mut self) -> u32 {
        self.press("q");
        self.end()
    }

    /// Waits for the program to end; its exit status.
    pub fn end(&mut self) -> u32 {
        eventually("the program to end", Duration::from_secs(10), || {
            let status = self.child.try_wait().map_err(|error| error.to_string())?;
            status.map(|status| status.exit_code()).ok_or_else(|| format!("the screen:\n{}", self.screen()))
        })
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        // Fails only if it has ended already.
        let _ended = self.child.kill();
    }
}

/// Whether the first line shows every stream live, or absent: `●` and `–`, and nothing else.
pub fn all_live(screen: &str) -> bool {
    let health = screen.lines().next().unwrap_or_default();
    health.contains('●') && !health.contains(['◐', '○', '✗'])
}

/// Whether the first line shows every stream in trouble: `○`, trying again.
pub fn all_retrying(screen: &str) -> bool {
    let health = screen.lines().next().unwrap_or_default();
    health.contains('○') && !health.contains('●')
}

#[test]
fn the_streams_health_is_read_from_the_first_line() {
    let live = " nodeglass  prod · 1.36     ● nodes ● pods – metrics   14:02:31\n nodes 2\n pods 7 ○";
    let mixed = " nodeglass  prod · 1.36     ● nodes ○ pods retry 4s – metrics   14:02:31\n nodes 2";
    let down = " nodeglass  prod · 1.36     ○○○   14:02:31\n nodes 2 ●";
    assert_eq!([live, mixed, down, ""].map(all_live), [true, false, false, false]);
    assert_eq!([live, mixed, down, ""].map(all_retrying), [false, false, true, false]);
}
