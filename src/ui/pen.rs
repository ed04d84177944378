//! Writing cells: all drawing goes through a [`Pen`], which clips to its area, so that wrong coordinates can neither
//! leave the buffer nor wrap a line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use unicode_segmentation::UnicodeSegmentation;

use crate::units::text::width;

/// A part of a buffer with its own origin.
pub(super) struct Pen<'b> {
    buf: &'b mut Buffer,
    area: Rect,
}

impl<'b> Pen<'b> {
    /// A pen for the part of `area` that lies in the buffer.
    pub(super) fn new(buf: &'b mut Buffer, area: Rect) -> Self {
        let area = area.intersection(buf.area);
        Self { buf, area }
    }

    pub(super) const fn area(&self) -> Rect {
        self.area
    }

    pub(super) const fn width(&self) -> u16 {
        self.area.width
    }

    pub(super) const fn height(&self) -> u16 {
        self.area.height
    }

    /// A pen for a part, in this pen's coordinates.
    pub(super) fn part(&mut self, x: u16, y: u16, w: u16, h: u16) -> Pen<'_> {
        let wanted =
            Rect::new(self.area.x.saturating_add(x), self.area.y.saturating_add(y), w, h).intersection(self.area);
        Pen { buf: self.buf, area: wanted }
    }

    /// Writes text from `x` on, at most `max` columns of it; returns the column after it.
    pub(super) fn put_max(&mut self, x: u16, y: u16, text: &str, max: u16, style: Style) -> u16 {
        if y >= self.area.height || x >= self.area.width {
            return x;
        }
        let room = max.min(self.area.width - x);
        // The style of what was there before (a rule) is removed.
        let style = Style::reset().patch(style);
        let (end, _) = self.buf.set_stringn(self.area.x + x, self.area.y + y, text, usize::from(room), style);
        end - self.area.x
    }

    /// Writes text from `x` on; returns the column after it.
    pub(super) fn put(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        self.put_max(x, y, text, u16::MAX, style)
    }

    /// Writes text so that it ends before column `end`. Text that does not fit is not written: numbers are never cut.
    pub(super) fn put_before(&mut self, end: u16, y: u16, text: &str, style: Style) -> u16 {
        let columns = columns(text);
        let end = end.min(self.area.width);
        if columns > end {
            return end;
        }
        self.put(end - columns, y, text, style);
        end - columns
    }

    /// One cell.
    pub(super) fn cell(&mut self, x: u16, y: u16, symbol: &str, style: Style) {
        if x < self.area.width && y < self.area.height {
            self.buf[(self.area.x + x, self.area.y + y)].set_symbol(symbol).set_style(style);
        }
    }

    /// Styles a whole line and keeps its text; cells that have a background (bars) keep their style.
    pub(super) fn tint(&mut self, y: u16, style: Style) {
        if y < self.area.height {
            for x in self.area.left()..self.area.right() {
                let cell = &mut self.buf[(x, self.area.y + y)];
                if cell.bg == Color::Reset {
                    cell.set_style(style);
                }
            }
        }
    }

    /// A horizontal rule.
    pub(super) fn rule(&mut self, y: u16, symbol: &str, style: Style) {
        for x in 0..self.area.width {
            self.cell(x, y, symbol, style);
        }
    }
}

/// The width of a text in terminal columns.
pub(super) fn columns(text: &str) -> u16 {
    u16::try_from(width(text)).unwrap_or(u16::MAX)
}

/// Wraps text into lines of at most `columns`, at spaces where possible.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let w = width(word);
        if used + width(word.trim_end()) > columns && used > 0 {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            used = 0;
        }
        if word.trim().is_empty() && used == 0 {
            continue;
        }
        if width(word.trim_end()) > columns {
            // A word wider than the line is broken at the width of the line.
            for grapheme in word.trim_end().graphemes(true) {
                let g = width(grapheme);
                if used + g > columns && used > 0 {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push_str(grapheme);
                used += g;
            }
            // The next word continues on the same line.
            if word.ends_with(' ') && used < columns {
                line.push(' ');
                used += 1;
            }
            continue;
        }
        line.push_str(word);
        used += w;
    }
    if !line.trim().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_outside() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 2));
        let mut pen = Pen::new(&mut buf, Rect::new(2, 1, 10, 10));
        assert_eq!((pen.width(), pen.height()), (2, 1));
        pen.put(0, 0, "abcdef", Style::new());
        pen.put(5, 0, "x", Style::new());
        pen.put(0, 7, "x", Style::new());
        pen.cell(9, 9, "x", Style::new());
        assert_eq!(pen.put_before(2, 0, "123", Style::new()), 2, "a number that does not fit is left out");
        assert_eq!(buf, Buffer::with_lines(["    ", "  ab"]));
    }

    #[test]
    fn long_text_breaks_at_spaces() {
        assert_eq!(wrap("no place for it", 8), ["no place", "for it"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("abcdefgh k", 4), ["abcd", "efgh", "k"]);
        assert_eq!(wrap("", 4), [""]);
    }

    proptest::proptest! {
        #[test]
        fn wrapped_lines_fit(text in "\\PC{0,60}", columns in 4_usize..30) {
            for line in wrap(&text, columns) {
                proptest::prop_assert!(width(&line) <= columns);
            }
        }
    }
}
