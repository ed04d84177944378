//! Sanitizes text from outside where it enters, and truncates text where it is drawn.

use compact_str::CompactString;
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Whether a character of external text must not reach a terminal, a file or the clipboard.
///
/// C0 and C1 controls start escape sequences; bidirectional and zero-width format characters (Unicode category Cf) can
/// disguise text. Tabs and line breaks are white space, which [`clean`] replaces by a space.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Removes control and format characters; each white space control becomes a space.
///
/// Applied where text enters the program, so that all other code may draw, store and copy it.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let kept = text.chars().filter_map(|c| match c {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => Some(' '),
        c if is_hostile(c) => None,
        c => Some(c),
    });
    Cow::Owned(kept.collect())
}

/// [`clean`], as the string type of the model.
pub fn clean_compact(text: &str) -> CompactString {
    CompactString::from(clean(text))
}

/// The width of a text in terminal columns.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The longest prefix of whole graphemes that fits `columns`.
fn longest_prefix(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let mut end = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += width(grapheme);
        if used > columns {
            break;
        }
        end = at + grapheme.len();
    }
    text.get(..end).unwrap_or("")
}

/// The longest suffix of whole graphemes that fits `columns`.
fn longest_suffix(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let mut start = text.len();
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        used += width(grapheme);
        if used > columns {
            break;
        }
        start = at;
    }
    text.get(start..).unwrap_or("")
}

/// Truncates `text` to `columns` with `…` at its end: for sentences.
pub fn cut_end(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    match columns {
        0 => Cow::Borrowed(""),
        n => Cow::Owned(format!("{}…", longest_prefix(text, n - 1))),
    }
}

/// Truncates `text` to `columns` with `…` in its middle: for names, which differ at their ends.
///
/// Keeps more of the end, where generated names differ (`i-0fce4e…834df06`).
pub fn cut_middle(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    match columns {
        0 => Cow::Borrowed(""),
        1 => Cow::Borrowed("…"),
        n => {
            let tail = n / 2;
            let head = n - 1 - tail;
            Cow::Owned(format!("{}…{}", longest_prefix(text, head), longest_suffix(text, tail)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("plain name" => "plain name")]
    #[test_case("\u{1b}[31mred\u{1b}[0m" => "[31mred[0m" ; "escape sequences")]
    #[test_case("a\nb\tc\r\n" => "a b c  ")]
    #[test_case("\u{9b}31m" => "31m" ; "eight bit controls")]
    #[test_case("a\u{202e}b\u{200b}c\u{feff}" => "abc" ; "direction and zero width")]
    #[test_case("\u{7}\u{0}x" => "x")]
    #[test_case("naïve 日本" => "naïve 日本")]
    fn hostile_text_is_cleaned(text: &str) -> String {
        clean(text).into_owned()
    }

    #[test]
    fn truncated_names_keep_both_ends() {
        assert_eq!(cut_middle("i-0fce4e6539834df06", 16), "i-0fce4…9834df06");
        assert_eq!(cut_middle("short", 16), "short");
        assert_eq!(cut_end("a long sentence", 8), "a long …");
        assert_eq!(cut_end("日本語", 4), "日…");
        assert_eq!(cut_middle("abc", 1), "…");
        assert_eq!(cut_end("abc", 0), "");
    }

    proptest::proptest! {
        #[test]
        fn truncated_text_fits(text in "\\PC{0,30}", columns in 0_usize..20) {
            proptest::prop_assert!(width(&cut_end(&text, columns)) <= columns);
            proptest::prop_assert!(width(&cut_middle(&text, columns)) <= columns);
        }
    }
}
