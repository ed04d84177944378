//! A frame as an SVG image of its cells, for the README.

#![allow(dead_code, reason = "each area of tests uses its own part")]

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use std::fmt::Write;

const WIDTH: f32 = 8.0;
const HEIGHT: f32 = 17.0;
const FONT: f32 = 13.3;
const MARGIN: f32 = 10.0;

/// The terminal that is drawn.
#[derive(Clone, Copy)]
pub struct Look {
    pub ground: &'static str,
    pub text: &'static str,
}

pub const DARK: Look = Look { ground: "#14171c", text: "#d7dbe2" };
pub const LIGHT: Look = Look { ground: "#fdfdfb", text: "#23272e" };

const ANSI: [&str; 16] = [
    "#1c1f24", "#d35f5f", "#5faf7f", "#cfa94a", "#5f87d7", "#b383c9", "#4fb3c9", "#c8ccd4", "#707783", "#e88080",
    "#80d09f", "#f0d080", "#82a8f0", "#d0a0e0", "#80d8e8", "#ffffff",
];

fn colour(color: Color, plain: &str) -> String {
    let indexed = |i: u8| match i {
        0..16 => ANSI[usize::from(i)].to_owned(),
        16..232 => {
            let (r, g, b) = ((i - 16) / 36, (i - 16) / 6 % 6, (i - 16) % 6);
            let step = |v: u8| if v == 0 { 0 } else { 55 + v * 40 };
            format!("#{:02x}{:02x}{:02x}", step(r), step(g), step(b))
        }
        232.. => {
            let v = 8 + (i - 232) * 10;
            format!("#{v:02x}{v:02x}{v:02x}")
        }
    };
    match color {
        Color::Reset => plain.to_owned(),
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Indexed(i) => indexed(i),
        Color::Black => indexed(0),
        Color::Red => indexed(1),
        Color::Green => indexed(2),
        Color::Yellow => indexed(3),
        Color::Blue => indexed(4),
        Color::Magenta => indexed(5),
        Color::Cyan => indexed(6),
        Color::Gray => indexed(7),
        Color::DarkGray => indexed(8),
        Color::LightRed => indexed(9),
        Color::LightGreen => indexed(10),
        Color::LightYellow => indexed(11),
        Color::LightBlue => indexed(12),
        Color::LightMagenta => indexed(13),
        Color::LightCyan => indexed(14),
        Color::White => indexed(15),
    }
}

/// The part of a cell that a block character fills: (x, y, width, height) in parts of a cell.
fn block(symbol: &str) -> Option<(f32, f32, f32, f32)> {
    let c = symbol.chars().next()?;
    let eighths = |n: u32| n as f32 / 8.0;
    match c {
        '█' => Some((0.0, 0.0, 1.0, 1.0)),
        '▉'..='▏' => Some((0.0, 0.0, eighths(8 - (c as u32 - '█' as u32)), 1.0)),
        '▁'..='▇' => {
            let h = eighths(c as u32 - '▁' as u32 + 1);
            Some((0.0, 1.0 - h, 1.0, h))
        }
        _ => None,
    }
}

fn escaped(symbol: &str) -> String {
    symbol.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Draws a buffer.
pub fn svg(buf: &Buffer, look: Look, title: &str) -> String {
    let (w, h) = (f32::from(buf.area.width) * WIDTH, f32::from(buf.area.height) * HEIGHT);
    let (all_w, all_h) = (w + 2.0 * MARGIN, h + 2.0 * MARGIN);
    let mut out = String::new();
    let _ = writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{all_w}" height="{all_h}" viewBox="0 0 {all_w} {all_h}">"#
    );
    let _ = writeln!(out, "<title>{}</title>", escaped(title));
    let _ = writeln!(out, r#"<rect width="100%" height="100%" rx="8" fill="{}"/>"#, look.ground);
    let _ = writeln!(
        out,
        r#"<g font-family="'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="{FONT}" shape-rendering="crispEdges">"#
    );
    for y in 0..buf.area.height {
        let top = MARGIN + f32::from(y) * HEIGHT;
        // Grounds and blocks first, in runs of one colour.
        let mut x = 0;
        while x < buf.area.width {
            let ground = colour(cell_colours(buf, x, y, look).1, look.ground);
            let start = x;
            while x < buf.area.width && colour(cell_colours(buf, x, y, look).1, look.ground) == ground {
                x += 1;
            }
            if ground != look.ground {
                let (left, width) = (MARGIN + f32::from(start) * WIDTH, f32::from(x - start) * WIDTH);
                let _ =
                    writeln!(out, r#"<rect x="{left}" y="{top}" width="{width}" height="{HEIGHT}" fill="{ground}"/>"#);
            }
        }
        let mut x = 0;
        while x < buf.area.width {
            let cell = &buf[(x, y)];
            let ink = colour(cell_colours(buf, x, y, look).0, look.text);
            if let Some((dx, dy, dw, dh)) = block(cell.symbol()) {
                let start = x;
                if dw >= 1.0 {
                    let same = |x: u16| {
                        buf[(x, y)].symbol() == cell.symbol()
                            && colour(cell_colours(buf, x, y, look).0, look.text) == ink
                    };
                    while x < buf.area.width && same(x) {
                        x += 1;
                    }
                } else {
                    x += 1;
                }
                let n = f32::from(x - start);
                let left = MARGIN + (f32::from(start) + dx) * WIDTH;
                let _ = writeln!(
                    out,
                    r#"<rect x="{left}" y="{}" width="{}" height="{}" fill="{ink}"/>"#,
                    top + dy * HEIGHT,
                    dw * n * WIDTH,
                    dh * HEIGHT
                );
                continue;
            }
            // A word of one look, with its own place and width, so that columns stay columns in any font.
            let style = (ink.clone(), cell.modifier);
            let start = x;
            let mut text = String::new();
            while x < buf.area.width {
                let cell = &buf[(x, y)];
                let ink = colour(cell_colours(buf, x, y, look).0, look.text);
                let symbol = cell.symbol();
                if symbol == " " || (ink, cell.modifier) != style || block(symbol).is_some() {
                    break;
                }
                text.push_str(&escaped(symbol));
                x += 1;
            }
            if text.is_empty() {
                x += 1;
                continue;
            }
            let (left, length) = (MARGIN + f32::from(start) * WIDTH, f32::from(x - start) * WIDTH);
            let weight = if style.1.contains(Modifier::BOLD) { r#" font-weight="bold""# } else { "" };
            let faint = if style.1.contains(Modifier::DIM) { r#" opacity="0.6""# } else { "" };
            let _ = writeln!(
                out,
                r#"<text x="{left}" y="{}" textLength="{length}" fill="{}"{weight}{faint}>{text}</text>"#,
                top + HEIGHT * 0.76,
                style.0
            );
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn cell_colours(buf: &Buffer, x: u16, y: u16, _look: Look) -> (Color, Color) {
    let cell = &buf[(x, y)];
    if cell.modifier.contains(Modifier::REVERSED) { (cell.bg, cell.fg) } else { (cell.fg, cell.bg) }
}
