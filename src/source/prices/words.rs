//! Words of servers and libraries, made fit for people and for a line of the screen.

use crate::units::text::clean;
use std::error::Error;

/// The most that is shown of a reason, in characters.
const LONGEST: usize = 240;

/// Text of a server or a library: clean, on one line, and not without end.
pub(super) fn tidy(text: &str) -> String {
    let clean = clean(text);
    let words: Vec<&str> = clean.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST).collect()
}

/// What an error comes down to: its innermost cause is the system's word, or TLS's. The layers around it say "dispatch
/// failure" or "client error (Connect)".
pub(super) fn root(error: &(dyn Error + 'static)) -> String {
    let innermost = chain(error).last().map_or_else(|| error.to_string(), ToString::to_string);
    tidy(innermost.split(" (os error").next().unwrap_or(&innermost))
}

/// An error and its causes, from the outside in.
pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}
