//! Converts settings and the environment into the options of the screen.

use super::sources::Ready;
use crate::cli::{Color, Settings, StyleColor, Theme};
use crate::ui::{Depth, Levels, Rgb, UiOptions};

/// The options of the screen.
pub(super) fn screen(settings: &Settings, ready: &Ready) -> UiOptions {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    UiOptions {
        palette: settings.palette,
        depth: match settings.color {
            Color::Never => Depth::None,
            Color::Ansi16 => Depth::Sixteen,
            Color::Ansi256 => Depth::Indexed,
            Color::Truecolor => Depth::True,
            Color::Auto => depth(&variable("TERM"), &variable("COLORTERM")),
            Color::Always => match depth(&variable("TERM"), &variable("COLORTERM")) {
                Depth::None => Depth::Sixteen,
                some => some,
            },
        },
        light: match settings.theme {
            Theme::Dark => false,
            Theme::Light => true,
            Theme::Auto => is_light(&variable("COLORFGBG")),
        },
        ascii: settings.ascii,
        levels: settings.style.map(|style| Levels([style.good, style.ok, style.bad].map(rgb))),
        resources: settings.resources.clone(),
        extra_labels: settings.extra_labels.clone(),
        events: settings.events,
        filter: settings.filter.clone().unwrap_or_default(),
        tried: ready.origin(),
    }
}

/// The number of colours of a terminal, by `TERM` and `COLORTERM`.
fn depth(term: &str, colorterm: &str) -> Depth {
    if matches!(colorterm, "truecolor" | "24bit") || term.ends_with("-direct") {
        Depth::True
    } else if term.contains("256color") || ["alacritty", "xterm-kitty", "foot", "wezterm"].contains(&term) {
        Depth::Indexed
    } else if term.is_empty() || term == "dumb" {
        Depth::None
    } else {
        Depth::Sixteen
    }
}

/// Whether `COLORFGBG` (rxvt, konsole and others: foreground;background) names a light background.
fn is_light(colorfgbg: &str) -> bool {
    let background = colorfgbg.rsplit(';').next().and_then(|b| b.parse::<u8>().ok());
    matches!(background, Some(7 | 9..=15))
}

/// A colour of `--style`; an index refers to xterm's default palette.
fn rgb(color: StyleColor) -> Rgb {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    const FIRST: [(u8, u8, u8); 16] = [
        (0, 0, 0),
        (205, 0, 0),
        (0, 205, 0),
        (205, 205, 0),
        (0, 0, 238),
        (205, 0, 205),
        (0, 205, 205),
        (229, 229, 229),
        (127, 127, 127),
        (255, 0, 0),
        (0, 255, 0),
        (255, 255, 0),
        (92, 92, 255),
        (255, 0, 255),
        (0, 255, 255),
        (255, 255, 255),
    ];
    match color {
        StyleColor::Rgb(r, g, b) => Rgb(r, g, b),
        StyleColor::Indexed(i @ 0..=15) => {
            let (r, g, b) = FIRST[usize::from(i)];
            Rgb(r, g, b)
        }
        StyleColor::Indexed(i @ 16..=231) => {
            let i = usize::from(i - 16);
            Rgb(LEVELS[i / 36], LEVELS[i / 6 % 6], LEVELS[i % 6])
        }
        StyleColor::Indexed(i) => {
            let grey = 8 + 10 * (i - 232);
            Rgb(grey, grey, grey)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("xterm-256color", "truecolor" => Depth::True)]
    #[test_case("screen-256color", "" => Depth::Indexed)]
    #[test_case("linux", "" => Depth::Sixteen)]
    #[test_case("dumb", "" => Depth::None)]
    #[test_case("", "" => Depth::None)]
    fn depth_follows_term_and_colorterm(term: &str, colorterm: &str) -> Depth {
        depth(term, colorterm)
    }

    #[test_case("15;0" => false)]
    #[test_case("0;15" => true)]
    #[test_case("0;default;15" => true)]
    #[test_case("" => false)]
    fn colorfgbg_gives_the_background(value: &str) -> bool {
        is_light(value)
    }

    #[test]
    fn indexed_colours_are_those_of_xterm() {
        assert_eq!(rgb(StyleColor::Indexed(196)), Rgb(255, 0, 0));
        assert_eq!(rgb(StyleColor::Indexed(244)), Rgb(128, 128, 128));
        assert_eq!(rgb(StyleColor::Indexed(9)), Rgb(255, 0, 0));
    }
}
