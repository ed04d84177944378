//! Bars in eighths of a cell: requests as the fill, measured usage as a second shade inside the same bar.
//!
//! The bar clamps at its width; the number beside it does not. Zero of zero capacity draws no bar.

use super::pen::Pen;
use super::theme::{Level, Theme};
use ratatui::style::{Modifier, Style};

/// What one bar shows, in permille of its capacity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// The fill; `None` if it is unknown, or if both request and capacity are zero.
    pub fill: Option<u64>,
    /// Measured usage; `None` without metrics.
    pub used: Option<u64>,
    /// Whether the measurement is too old to be current.
    pub stale: bool,
}

/// What a part of a bar means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shade {
    Track,
    Fill,
    Used,
}

/// One cell: the first `eighths` of it in one shade, the rest in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BarCell {
    eighths: u8,
    front: Shade,
    back: Shade,
}

const BLOCKS: [&str; 9] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/// A share as eighths of a bar. More than zero is at least one eighth, and less than 100 % is never a full bar.
fn eighths(permille: u64, width: u16) -> u64 {
    let full = u64::from(width) * 8;
    if full == 0 || permille == 0 {
        return 0;
    }
    if permille >= 1000 {
        return full;
    }
    ((permille * full + 500) / 1000).clamp(1, full - 1)
}

fn cells(width: u16, share: Share) -> impl Iterator<Item = BarCell> {
    let fill = share.fill.map_or(0, |p| eighths(p, width));
    let used = share.used.map_or(0, |p| eighths(p, width));
    (0..u64::from(width)).map(move |i| {
        let inside = |edge: u64| edge.saturating_sub(i * 8).min(8) as u8;
        let (f, u) = (inside(fill), inside(used));
        match (f, u) {
            (_, 8) => BarCell { eighths: 8, front: Shade::Used, back: Shade::Track },
            (8, 0) => BarCell { eighths: 8, front: Shade::Fill, back: Shade::Track },
            (8, u) => BarCell { eighths: u, front: Shade::Used, back: Shade::Fill },
            (f, u) if u >= f => BarCell { eighths: u, front: Shade::Used, back: Shade::Track },
            // Two edges in one cell: a cell has only two colours, so the wider part is shown.
            (f, u) if f - u >= u => BarCell { eighths: f, front: Shade::Fill, back: Shade::Track },
            (_, u) => BarCell { eighths: u, front: Shade::Used, back: Shade::Track },
        }
    })
}

/// Draws a bar; without a fill and a measurement only `—`, because unknown and "not offered" differ from zero.
pub(super) fn draw(pen: &mut Pen<'_>, x: u16, y: u16, width: u16, share: Share, level: Level, theme: &Theme) {
    if share.fill.is_none() && share.used.is_none() {
        if width > 0 {
            pen.put(x, y, theme.glyphs().unknown, theme.dim());
        }
        return;
    }
    let (fill, mut used, track) = theme.bar(level, share.used.is_some());
    if share.stale {
        used = theme.dim();
    }
    for (i, cell) in (0_u16..).zip(cells(width, share)) {
        let x = x.saturating_add(i);
        if theme.plain_bars() {
            // Without background colours: whole cells, one symbol per shade.
            let visible = if cell.eighths >= 4 { cell.front } else { cell.back };
            let glyphs = theme.glyphs();
            let (symbol, style) = match visible {
                Shade::Used => (glyphs.bar_used, used),
                Shade::Fill if share.used.is_some() => (glyphs.bar_requested, fill),
                Shade::Fill => (glyphs.bar_used, fill),
                Shade::Track => (glyphs.bar_track, track),
            };
            let partial = theme.blocks() && share.used.is_none() && cell.front == Shade::Fill && cell.eighths < 8;
            if partial && cell.eighths > 0 {
                pen.cell(x, y, BLOCKS[usize::from(cell.eighths)], fill);
            } else {
                pen.cell(x, y, symbol, style);
            }
            continue;
        }
        let colour = |shade| match shade {
            Shade::Track => track.fg,
            Shade::Fill => fill.fg,
            Shade::Used => used.fg,
        };
        let mut style = Style::new().remove_modifier(Modifier::all());
        style.fg = colour(cell.front);
        style.bg = colour(cell.back);
        pen.cell(x, y, BLOCKS[usize::from(cell.eighths.min(8))], style);
    }
}

/// Eight steps of height, for a line of values over time.
const STEPS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Levels 0 to 7 as a line of blocks.
pub(super) fn steps(levels: &[u8]) -> String {
    levels.iter().map(|level| STEPS[usize::from(*level).min(7)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(width: u16, of: Share, shade: Shade) -> u64 {
        let part = |c: BarCell| {
            u64::from(if c.front == shade { c.eighths } else { 0 })
                + u64::from(if c.back == shade { 8 - c.eighths } else { 0 })
        };
        cells(width, of).map(part).sum()
    }

    #[test]
    fn over_full_clamps_bar_not_text() {
        let over = Share { fill: Some(1510), used: None, stale: false };
        assert_eq!(sum(10, over, Shade::Fill), 80);
        assert_eq!(cells(10, over).count(), 10);
    }

    #[test]
    fn a_little_is_not_nothing_and_almost_is_not_full() {
        assert_eq!(sum(10, Share { fill: Some(1), used: None, stale: false }, Shade::Fill), 1);
        assert_eq!(sum(10, Share { fill: Some(999), used: None, stale: false }, Shade::Fill), 79);
        assert_eq!(sum(10, Share { fill: Some(0), used: None, stale: false }, Shade::Fill), 0);
    }

    #[test]
    fn usage_lies_inside_the_requests() {
        let share = Share { fill: Some(500), used: Some(250), stale: false };
        assert_eq!(sum(16, share, Shade::Used), 32);
        assert_eq!(sum(16, share, Shade::Fill), 32);
        assert_eq!(sum(16, share, Shade::Track), 64);
    }

    #[test]
    fn levels_are_blocks() {
        assert_eq!(steps(&[0, 4, 7, 9]), "▁▅██");
        assert_eq!(steps(&[]), "");
    }

    proptest! {
        #[test]
        fn a_bar_is_as_wide_as_asked_and_every_cell_is_whole(
            width in 0_u16..60, fill in proptest::option::of(0_u64..3000), used in proptest::option::of(0_u64..3000),
        ) {
            let share = Share { fill, used, stale: false };
            prop_assert_eq!(cells(width, share).count(), usize::from(width));
            prop_assert!(cells(width, share).all(|c| c.eighths <= 8));
        }

        #[test]
        fn more_is_never_shorter(width in 1_u16..60, a in 0_u64..1500, more in 0_u64..1500) {
            prop_assert!(eighths(a, width) <= eighths(a + more, width));
        }

        #[test]
        fn without_usage_the_fill_is_exact(width in 1_u16..60, fill in 0_u64..3000) {
            prop_assert_eq!(sum(width, Share { fill: Some(fill), used: None, stale: false }, Shade::Fill), eighths(fill, width));
        }
    }
}
