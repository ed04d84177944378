//! The terminal session: set up on entry and restored on every exit.

use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, CrosstermBackend};
use ratatui::crossterm::clipboard::CopyToClipboard;
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
    EnableMouseCapture,
};
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute, queue};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the program owns the terminal.
static OWNED: AtomicBool = AtomicBool::new(false);

/// The operations of the main loop on a screen; [`Session`] is the real one, tests have others.
pub trait Screen {
    /// Draws one frame.
    ///
    /// # Errors
    /// An I/O error of the terminal.
    fn draw(&mut self, paint: &mut dyn FnMut(&mut ratatui::Frame<'_>)) -> io::Result<()>;

    /// Copies text to the clipboard of the terminal (OSC 52, which also works over ssh if the terminal allows it).
    ///
    /// # Errors
    /// An I/O error of the terminal.
    fn copy(&mut self, text: &str) -> io::Result<()>;

    /// Restores the terminal, stops the process group, and sets the terminal up again when the process is continued.
    ///
    /// # Errors
    /// An I/O error of the terminal.
    fn suspend(&mut self) -> io::Result<()>;

    /// Sets the terminal up again and redraws every cell with the next frame, because another program may have changed
    /// both.
    ///
    /// # Errors
    /// An I/O error of the terminal.
    fn repaint(&mut self) -> io::Result<()>;
}

/// The real terminal while the program owns it. Dropping the session restores the terminal.
pub struct Session {
    terminal: Terminal<CrosstermBackend<Out>>,
    mouse: bool,
}

/// Standard output with one write per frame, and none after the terminal was restored, so that a panic while drawing
/// does not leave half a frame.
#[derive(Debug, Default)]
struct Out(Vec<u8>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.0);
        if !is_owned() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(&bytes)?;
        out.flush()?;
        // Keep the allocation for the next frame.
        self.0 = bytes;
        self.0.clear();
        Ok(())
    }
}

impl Session {
    /// Sets up the terminal: raw mode, alternate screen, and mouse events if `mouse` is set.
    ///
    /// # Errors
    /// If standard output is not a terminal, or a write fails.
    pub fn enter(mouse: bool) -> io::Result<Self> {
        take(mouse).inspect_err(|_| restore())?;
        let backend = CrosstermBackend::new(Out::default());
        let terminal = Terminal::new(backend).inspect_err(|_| restore())?;
        Ok(Self { terminal, mouse })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether the program owns the terminal, which decides where the report of a panic goes.
pub(super) fn is_owned() -> bool {
    OWNED.load(Ordering::SeqCst)
}

fn take(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    let mut out = io::stdout();
    if !OWNED.swap(true, Ordering::SeqCst) {
        execute!(out, EnterAlternateScreen)?;
    }
    execute!(out, DisableLineWrap, EnableBracketedPaste, EnableFocusChange, cursor::Hide)?;
    if mouse {
        execute!(out, EnableMouseCapture)?;
    }
    Ok(())
}

/// Restores the terminal if the program owns it. Never panics.
pub(super) fn restore() {
    // Only once: a second LeaveAlternateScreen makes a terminal restore the cursor position again, and the shell's
    // prompt would overwrite the report.
    if !OWNED.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    // Separately: if one command fails, the others still run.
    let _ = execute!(out, EndSynchronizedUpdate);
    let _ = execute!(out, DisableMouseCapture, DisableFocusChange, DisableBracketedPaste);
    let _ = execute!(out, EnableLineWrap, LeaveAlternateScreen, cursor::Show);
    let _ = disable_raw_mode();
}

/// Whether the error means that the terminal has hung up: its window was closed, or its connection ended. Reads and
/// writes then fail with EIO (POSIX.1-2024, 11.1.10 Modem Disconnect; Linux `drivers/tty/tty_io.c`).
#[cfg(unix)]
pub(super) fn has_hung_up(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// Terminals of other systems end their programs themselves.
#[cfg(not(unix))]
pub(super) const fn has_hung_up(_: &io::Error) -> bool {
    false
}

impl Screen for Session {
    fn draw(&mut self, paint: &mut dyn FnMut(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| paint(frame))?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), CopyToClipboard::to_clipboard_from(text))
    }

    fn suspend(&mut self) -> io::Result<()> {
        restore();
        #[cfg(unix)]
        {
            use rustix::process::{Signal, kill_current_process_group};
            // SIGSTOP, because nodeglass handles SIGTSTP; the whole group, so that a pipeline stops as one.
            kill_current_process_group(Signal::STOP)?;
        }
        self.repaint()
    }

    fn repaint(&mut self) -> io::Result<()> {
        // The shell may have set its own terminal modes.
        disable_raw_mode()?;
        take(self.mouse)?;
        // `Terminal::clear` would query the cursor position, and the main loop would read the answer as input.
        self.terminal.backend_mut().clear_region(ClearType::All)?;
        // Forget the last frame, so that every cell of the next one is written.
        self.terminal.swap_buffers();
        Ok(())
    }
}
