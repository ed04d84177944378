//! Roles and their colours: panes give each cell a role, the theme maps roles to styles.
//!
//! Colour never carries a meaning alone: every level has a length and a number, every state a word and a symbol. The
//! colours are those of Okabe and Ito, which people with any colour vision can distinguish.

use clap::ValueEnum;
use ratatui::style::{Color, Modifier, Style};

/// What bar colours mean; no meaning is carried by colour alone. Its values are those of `--palette`, with their help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum)]
pub enum Palette {
    /// Low is bad: capacity is paid for and not requested
    #[default]
    Efficiency,
    /// High is bad: capacity is about to run out
    Pressure,
}

impl Palette {
    /// The name in settings and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Efficiency => "efficiency",
            Self::Pressure => "pressure",
        }
    }
}

/// The number of colours of the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Depth {
    /// No colours (`NO_COLOR`, or a terminal without any).
    None,
    /// The terminal's sixteen ANSI colours.
    Sixteen,
    /// xterm's 256 colours.
    Indexed,
    /// 24-bit colours.
    #[default]
    True,
}

/// A colour as red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// The three colours of eks-node-viewer's `--style`: good, ok, bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Levels(pub [Rgb; 3]);

impl Rgb {
    /// `self` mixed with `share` percent of `other`.
    fn mixed(self, other: Self, share: u16) -> Self {
        let mix = |a: u8, b: u8| ((u16::from(a) * (100 - share) + u16::from(b) * share) / 100) as u8;
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// The nearest colour of xterm's 6×6×6 cube and its greys.
    fn indexed(self) -> u8 {
        const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
        let near = |v: u8| (0..6_u8).min_by_key(|i| STEPS[usize::from(*i)].abs_diff(v)).unwrap_or(0);
        let (r, g, b) = (near(self.0), near(self.1), near(self.2));
        let cube = Self(STEPS[usize::from(r)], STEPS[usize::from(g)], STEPS[usize::from(b)]);
        let mean = (u16::from(self.0) + u16::from(self.1) + u16::from(self.2)) / 3;
        let step = (mean.saturating_sub(8) / 10).min(23) as u8;
        let grey = Self(8 + step * 10, 8 + step * 10, 8 + step * 10);
        let far = |c: Self| {
            let d = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
            d(c.0, self.0) + d(c.1, self.1) + d(c.2, self.2)
        };
        if far(grey) < far(cube) { 232 + step } else { 16 + 36 * r + 6 * g + b }
    }
}

/// The rating of a share by the palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// In the good range.
    Good,
    /// Between good and bad.
    Fair,
    /// In the bad range.
    Bad,
}

/// The meaning of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Role {
    /// The name of the program, of a pane, of the sort column.
    Title,
    /// The most important figures.
    Strong,
    /// Normal text.
    Text,
    /// Labels, units and other secondary text.
    Dim,
    /// Rules and frames.
    Rule,
    /// The name of a key.
    Key,
    /// A good state, or something new.
    Good,
    /// A warning.
    Warn,
    /// An error.
    Bad,
    /// A transition: starting or terminating.
    Moving,
    /// Spot capacity.
    Spot,
}

/// Symbols, in Unicode or in ASCII.
pub(super) struct Glyphs {
    pub(super) unknown: &'static str,
    pub(super) bar_used: &'static str,
    pub(super) bar_requested: &'static str,
    pub(super) bar_track: &'static str,
    pub(super) cursor: &'static str,
    pub(super) rule: &'static str,
    pub(super) dot: &'static str,
    pub(super) live: &'static str,
    pub(super) syncing: &'static str,
    pub(super) retrying: &'static str,
    pub(super) polled: &'static str,
    pub(super) denied: &'static str,
    pub(super) absent: &'static str,
    pub(super) alert: &'static str,
    pub(super) launching: &'static str,
    pub(super) joining: &'static str,
    pub(super) failed: &'static str,
    pub(super) leaving: &'static str,
    pub(super) gone: &'static str,
    pub(super) broken: &'static str,
    pub(super) cordoned: &'static str,
    pub(super) new: &'static str,
    pub(super) up: &'static str,
    pub(super) down: &'static str,
    pub(super) least: &'static str,
    pub(super) most: &'static str,
    pub(super) times: &'static str,
    pub(super) chosen: &'static str,
    pub(super) ellipsis: &'static str,
    pub(super) done: &'static str,
}

const UNICODE: Glyphs = Glyphs {
    unknown: "—",
    bar_used: "█",
    bar_requested: "▒",
    bar_track: "·",
    cursor: "▌",
    rule: "─",
    dot: "·",
    live: "●",
    syncing: "◐",
    retrying: "○",
    polled: "◎",
    denied: "✗",
    absent: "–",
    alert: "▲",
    launching: "◌",
    joining: "◔",
    failed: "✗",
    leaving: "▽",
    gone: "·",
    broken: "!",
    cordoned: "⊘",
    new: "+",
    up: "▲",
    down: "▼",
    least: "≥",
    most: "≤",
    times: "×",
    chosen: "◉",
    ellipsis: "…",
    done: "✓",
};

const ASCII: Glyphs = Glyphs {
    unknown: "-",
    bar_used: "#",
    bar_requested: "=",
    bar_track: ".",
    cursor: ">",
    rule: "-",
    dot: "-",
    live: "*",
    syncing: "%",
    retrying: "o",
    polled: "~",
    denied: "x",
    absent: "-",
    alert: "!",
    launching: "o",
    joining: "o",
    failed: "x",
    leaving: "v",
    gone: ".",
    broken: "!",
    cordoned: "/",
    new: "+",
    up: "^",
    down: "v",
    least: ">=",
    most: "<=",
    times: "x",
    chosen: "*",
    ellipsis: "~",
    done: "+",
};

/// The look of the screen, created once from the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Whether a full bar is good or bad.
    pub palette: Palette,
    /// The number of colours.
    pub depth: Depth,
    /// Whether the background is light.
    pub light: bool,
    /// Whether to draw with ASCII characters only.
    pub ascii: bool,
    /// The three colours of bars, if the user set them.
    pub levels: Option<Levels>,
}

/// A colour for dark backgrounds, one for light ones, and the nearest ANSI colour.
struct Tint {
    dark: Rgb,
    light: Rgb,
    ansi: Color,
}

const SKY: Tint = Tint { dark: Rgb(0x56, 0xb4, 0xe9), light: Rgb(0x00, 0x60, 0x9c), ansi: Color::Cyan };
const GREEN: Tint = Tint { dark: Rgb(0x2f, 0xb8, 0x8a), light: Rgb(0x00, 0x7a, 0x58), ansi: Color::Green };
const AMBER: Tint = Tint { dark: Rgb(0xe8, 0xb0, 0x3a), light: Rgb(0x9a, 0x66, 0x00), ansi: Color::Yellow };
const VERMILLION: Tint = Tint { dark: Rgb(0xe8, 0x6a, 0x33), light: Rgb(0xb8, 0x48, 0x00), ansi: Color::Red };
const PURPLE: Tint = Tint { dark: Rgb(0xd6, 0x8b, 0xb8), light: Rgb(0x9c, 0x3f, 0x78), ansi: Color::Magenta };
const GREY: Tint = Tint { dark: Rgb(0x8b, 0x93, 0xa1), light: Rgb(0x66, 0x6e, 0x7a), ansi: Color::DarkGray };
const RULE: Tint = Tint { dark: Rgb(0x4a, 0x52, 0x60), light: Rgb(0xb4, 0xbc, 0xc8), ansi: Color::DarkGray };
const TRACK: Tint = Tint { dark: Rgb(0x2b, 0x30, 0x39), light: Rgb(0xe1, 0xe5, 0xea), ansi: Color::DarkGray };
const CURSOR: Tint = Tint { dark: Rgb(0x25, 0x2f, 0x3d), light: Rgb(0xdc, 0xe8, 0xf4), ansi: Color::Reset };

impl Theme {
    const fn rgb(&self, tint: &Tint) -> Rgb {
        if self.light { tint.light } else { tint.dark }
    }

    fn shown(&self, rgb: Rgb, ansi: Color) -> Option<Color> {
        match self.depth {
            Depth::None => None,
            Depth::Sixteen => Some(ansi),
            Depth::Indexed => Some(Color::Indexed(rgb.indexed())),
            Depth::True => Some(Color::Rgb(rgb.0, rgb.1, rgb.2)),
        }
    }

    fn tint(&self, tint: &Tint) -> Option<Color> {
        self.shown(self.rgb(tint), tint.ansi)
    }

    /// The style of a role.
    pub(super) fn style(&self, role: Role) -> Style {
        let (tint, modifier) = match role {
            Role::Title | Role::Key => (Some(&SKY), Modifier::BOLD),
            Role::Strong => (None, Modifier::BOLD),
            Role::Text => (None, Modifier::empty()),
            Role::Dim => (Some(&GREY), Modifier::empty()),
            Role::Rule => (Some(&RULE), Modifier::empty()),
            Role::Good => (Some(&GREEN), Modifier::empty()),
            Role::Warn => (Some(&AMBER), Modifier::BOLD),
            Role::Bad => (Some(&VERMILLION), Modifier::BOLD),
            Role::Moving => (Some(&SKY), Modifier::empty()),
            Role::Spot => (Some(&PURPLE), Modifier::empty()),
        };
        let mut style = Style::new().add_modifier(modifier);
        style.fg = tint.and_then(|t| self.tint(t));
        if self.depth == Depth::None && matches!(role, Role::Dim | Role::Rule) {
            style = style.add_modifier(Modifier::DIM);
        }
        style
    }

    /// The style of [`Role::Dim`].
    pub(super) fn dim(&self) -> Style {
        self.style(Role::Dim)
    }

    /// The style of the line under the cursor; bold where the terminal has no suitable background colour.
    pub(super) fn cursor(&self) -> Style {
        match self.depth {
            Depth::None | Depth::Sixteen => Style::new().add_modifier(Modifier::BOLD),
            Depth::Indexed | Depth::True => {
                let mut style = Style::new();
                style.bg = self.tint(&CURSOR);
                style
            }
        }
    }

    /// The level of a share in permille.
    pub fn level(&self, permille: u64) -> Level {
        match self.palette {
            Palette::Efficiency => match permille {
                0..350 => Level::Bad,
                350..700 => Level::Fair,
                700.. => Level::Good,
            },
            Palette::Pressure => match permille {
                0..700 => Level::Good,
                700..900 => Level::Fair,
                900.. => Level::Bad,
            },
        }
    }

    /// The legend: each level and its description.
    pub(super) const fn legend(&self) -> [(Level, &'static str); 3] {
        match self.palette {
            Palette::Efficiency => [(Level::Bad, "<35% low"), (Level::Fair, "ok"), (Level::Good, ">70% high")],
            Palette::Pressure => [(Level::Good, "<70% low"), (Level::Fair, "high"), (Level::Bad, ">90% critical")],
        }
    }

    fn level_colour(&self, level: Level) -> (Rgb, Color) {
        let (at, tint) = match level {
            Level::Good => (0, &GREEN),
            Level::Fair => (1, &AMBER),
            Level::Bad => (2, &VERMILLION),
        };
        match &self.levels {
            Some(levels) => (levels.0[at], tint.ansi),
            None => (self.rgb(tint), tint.ansi),
        }
    }

    /// The text colour of a level.
    pub(super) fn level_style(&self, level: Level) -> Style {
        let (rgb, ansi) = self.level_colour(level);
        let mut style = Style::new();
        style.fg = self.shown(rgb, ansi);
        style
    }

    /// The styles of a bar: fill, usage, track. Usage has the full colour; if it is known, requests beyond it have the
    /// same colour, muted.
    pub(super) fn bar(&self, level: Level, measured: bool) -> (Style, Style, Style) {
        let (rgb, ansi) = self.level_colour(level);
        let style = |colour: Option<Color>| {
            let mut style = Style::new();
            style.fg = colour;
            style
        };
        let muted = if measured { rgb.mixed(self.rgb(&TRACK), 55) } else { rgb };
        // With sixteen colours, symbols distinguish usage from requests.
        (style(self.shown(muted, ansi)), style(self.shown(rgb, ansi)), style(self.tint(&TRACK)))
    }

    /// Whether bars are drawn without background colours.
    pub(super) const fn plain_bars(&self) -> bool {
        self.ascii || matches!(self.depth, Depth::None | Depth::Sixteen)
    }

    /// Whether eighth-blocks may be used.
    pub(super) const fn blocks(&self) -> bool {
        !self.ascii
    }

    pub(super) const fn glyphs(&self) -> &'static Glyphs {
        if self.ascii { &ASCII } else { &UNICODE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case(Rgb(0, 0, 0) => 16)]
    #[test_case(Rgb(255, 255, 255) => 231)]
    #[test_case(Rgb(255, 0, 0) => 196)]
    #[test_case(Rgb(0x8a, 0x8a, 0x8a) => 245 ; "a grey")]
    fn colours_have_a_place_among_256(rgb: Rgb) -> u8 {
        rgb.indexed()
    }

    #[test]
    fn the_palettes_disagree_about_a_full_bar() {
        let efficiency = Theme::default();
        let pressure = Theme { palette: Palette::Pressure, ..Theme::default() };
        assert_eq!((efficiency.level(950), pressure.level(950)), (Level::Good, Level::Bad));
        assert_eq!((efficiency.level(50), pressure.level(50)), (Level::Bad, Level::Good));
    }

    #[test]
    fn depth_none_sets_no_colours() {
        let theme = Theme { depth: Depth::None, ..Theme::default() };
        for role in [Role::Title, Role::Dim, Role::Good, Role::Bad, Role::Spot, Role::Rule] {
            assert_eq!((theme.style(role).fg, theme.style(role).bg), (None, None));
        }
        let (fill, used, track) = theme.bar(Level::Bad, true);
        assert!([fill, used, track, theme.cursor()].iter().all(|s| s.fg.is_none() && s.bg.is_none()));
    }

    #[test]
    fn ascii_glyphs_are_ascii() {
        let g = &ASCII;
        let glyphs =
            [g.unknown, g.bar_used, g.bar_track, g.cursor, g.rule, g.live, g.denied, g.up, g.least, g.ellipsis];
        assert!(glyphs.iter().all(|s| s.is_ascii()));
    }
}
