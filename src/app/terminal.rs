//! The terminal session: taken on entry, given back whole on every way out.

use super::trouble;
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

/// What the loop needs of a screen; the real one is [`Session`], tests have their own.
pub trait Screen {
    /// Draws one frame.
    ///
    /// # Errors
    /// What the terminal says.
    fn draw(&mut self, paint: &mut dyn FnMut(&mut ratatui::Frame<'_>)) -> io::Result<()>;

    /// Puts text on the clipboard of the terminal (OSC 52: works over ssh where the terminal allows it).
    ///
    /// # Errors
    /// What the terminal says.
    fn copy(&mut self, text: &str) -> io::Result<()>;

    /// Gives the terminal back, stops the process group, and takes the terminal again when it is continued.
    ///
    /// # Errors
    /// What the terminal says.
    fn suspend(&mut self) -> io::Result<()>;

    /// Takes the terminal again as it must be, and paints every cell with the next frame: whoever had it may have left
    /// anything.
    ///
    /// # Errors
    /// What the terminal says.
    fn repaint(&mut self) -> io::Result<()>;
}

/// The real terminal while it is ours. Dropping it gives the terminal back.
pub struct Session {
    terminal: Terminal<CrosstermBackend<Out>>,
    mouse: bool,
}

/// Standard output in whole frames: one write each, and none once the terminal has been given back, so that half a frame
/// does not follow when drawing panics.
#[derive(Debug, Default)]
struct Out(Vec<u8>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.0);
        if !trouble::is_on_screen() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(&bytes)?;
        out.flush()?;
        // The room is kept for the next frame.
        self.0 = bytes;
        self.0.clear();
        Ok(())
    }
}

impl Session {
    /// Takes the terminal: raw mode, alternate screen, mouse if wanted.
    ///
    /// # Errors
    /// When standard output is no terminal, or refuses.
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

fn take(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    let mut out = io::stdout();
    if !trouble::set_on_screen(true) {
        execute!(out, EnterAlternateScreen)?;
    }
    execute!(out, DisableLineWrap, EnableBracketedPaste, EnableFocusChange, cursor::Hide)?;
    if mouse {
        execute!(out, EnableMouseCapture)?;
    }
    Ok(())
}

/// Gives the terminal back. Does nothing when it is not ours; never panics.
pub(super) fn restore() {
    // Once: a terminal that has left the alternate screen takes another leave as "put the cursor back to where it was
    // before", and the shell's prompt would land on top of the report.
    if !trouble::set_on_screen(false) {
        return;
    }
    let mut out = io::stdout();
    // Each on its own: one that fails must not keep the others from being undone.
    let _ = execute!(out, EndSynchronizedUpdate);
    let _ = execute!(out, DisableMouseCapture, DisableFocusChange, DisableBracketedPaste);
    let _ = execute!(out, EnableLineWrap, LeaveAlternateScreen, cursor::Show);
    let _ = disable_raw_mode();
}

/// Whether an error says that the terminal has hung up: its window was closed, or the connection to it ended. Reads and
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
            // SIGSTOP, because SIGTSTP is handled by us; the whole group, so that a shell's pipeline stops as one.
            kill_current_process_group(Signal::STOP)?;
        }
        self.repaint()
    }

    fn repaint(&mut self) -> io::Result<()> {
        // A shell gives the terminal its own modes when it takes it back. Ours are set anew from there.
        disable_raw_mode()?;
        take(self.mouse)?;
        // `Terminal::clear` would ask the terminal where its cursor is, and the answer is read by the loop.
        self.terminal.backend_mut().clear_region(ClearType::All)?;
        // What was drawn last is forgotten: every cell of the next frame differs from it.
        self.terminal.swap_buffers();
        Ok(())
    }
}
