//! Patterns of names: instance families and types, nodepools, regions.

use crate::model::Name;
use std::fmt;
use std::str::FromStr;

/// A pattern of a whole name: `*` matches any text, `?` one character. Upper and lower case differ, as in labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob(Name);

/// Why a text is not a pattern. Completes "failed to read pattern …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// It is empty.
    #[error("it is empty; leave it out to match everything")]
    Empty,
    /// It has a character that no label value can have.
    #[error("`{}` is in no name; a pattern is letters, digits, `.`, `-`, `_`, `*` for any text and `?` for one character", .0.escape_default())]
    Character(char),
}

impl Glob {
    /// Whether it matches the whole of a name.
    pub fn matches(&self, name: &str) -> bool {
        // The lengths of `name` that the characters of the pattern so far match.
        let mut matched = vec![false; name.len() + 1];
        matched[0] = true;
        for wanted in self.0.bytes() {
            if wanted == b'*' {
                let shortest = matched.iter().position(|is_match| *is_match).unwrap_or(matched.len());
                matched[shortest..].fill(true);
            } else {
                let next =
                    name.bytes().zip(&matched).map(|(byte, before)| *before && (wanted == b'?' || wanted == byte));
                matched = std::iter::once(false).chain(next).collect();
            }
        }
        matched.last() == Some(&true)
    }
}

impl FromStr for Glob {
    type Err = GlobError;

    fn from_str(text: &str) -> Result<Self, GlobError> {
        let text = text.trim();
        let part_of_a_name = |c: char| c.is_ascii_alphanumeric() || "._-*?".contains(c);
        if text.is_empty() {
            return Err(GlobError::Empty);
        }
        match text.chars().find(|c| !part_of_a_name(*c)) {
            Some(other) => Err(GlobError::Character(other)),
            None => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("m5", "m5" => true)]
    #[test_case("m5", "m5a" => false)]
    #[test_case("m5*", "m5" => true)]
    #[test_case("m5*", "m5dn" => true)]
    #[test_case("m5*", "m6i" => false)]
    #[test_case("?5", "c5" => true)]
    #[test_case("?5", "gr5" => false)]
    #[test_case("*.large", "c5a.large" => true)]
    #[test_case("*.large", "c5a.xlarge" => false)]
    #[test_case("*large", "c5a.2xlarge" => true)]
    #[test_case("*", "" => true)]
    #[test_case("?", "" => false)]
    #[test_case("a*b*c", "a-b-b-c" => true)]
    #[test_case("a*b*c", "a-b-b-" => false)]
    #[test_case("**", "x" => true)]
    #[test_case("M5", "m5" => false ; "case differs")]
    fn a_pattern_matches_whole_names(pattern: &str, name: &str) -> bool {
        pattern.parse::<Glob>().unwrap().matches(name)
    }

    #[test_case("" => "it is empty; leave it out to match everything")]
    #[test_case(" " => "it is empty; leave it out to match everything" ; "a blank")]
    #[test_case("m5,c5" => "`,` is in no name; a pattern is letters, digits, `.`, `-`, `_`, `*` for any text and `?` for one character")]
    #[test_case("m5\u{1b}" => "`\\u{1b}` is in no name; a pattern is letters, digits, `.`, `-`, `_`, `*` for any text and `?` for one character" ; "an escape")]
    fn other_text_is_refused(text: &str) -> String {
        text.parse::<Glob>().unwrap_err().to_string()
    }

    proptest::proptest! {
        #[test]
        fn it_agrees_with_the_plain_definition(pattern in "[ab*?]{1,8}", name in "[ab]{0,8}") {
            fn plain(pattern: &[u8], name: &[u8]) -> bool {
                match (pattern.split_first(), name.split_first()) {
                    (None, rest) => rest.is_none(),
                    (Some((b'*', more)), _) => (0..=name.len()).any(|taken| plain(more, &name[taken..])),
                    (Some((p, more)), Some((n, rest))) => (*p == b'?' || p == n) && plain(more, rest),
                    (Some(_), None) => false,
                }
            }
            let glob: Glob = pattern.parse().unwrap();
            proptest::prop_assert_eq!(glob.matches(&name), plain(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
