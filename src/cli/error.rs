//! What a person can get wrong before anything starts.
//!
//! House form: every text completes "failed to …", quotes what was given, names where it was given (flag, variable,
//! or line of a file) and says what is accepted. These are messages for users, never a backtrace.

use crate::pricing::PriceFileError;
use std::fmt;
use std::path::PathBuf;

/// Exit status after a run that did what was asked; a reader that closed the pipe early is part of that.
pub const EXIT_SUCCESS: u8 = 0;
/// Exit status after trouble that came up while running: no cluster, no terminal, a stream out of sync at the timeout.
pub const EXIT_TROUBLE: u8 = 1;
/// Exit status when the command line, the environment or a settings file cannot be understood. Nothing was started.
pub const EXIT_USAGE: u8 = 2;

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag, with its dashes.
    Flag(String),
    /// An environment variable, by name.
    Variable(String),
    /// A line of a settings file, counted from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The key on that line.
        key: String,
    },
    /// The filter, which is checked after all layers by the room that owns its language, and quoted in full then.
    Filter,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File { path, line, key } => write!(f, "`{key}` at line {line} of {}", path.display()),
            Self::Filter => f.write_str("the filter"),
        }
    }
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A value outside what its setting accepts.
    #[error("use {given} for {origin}: {expected}")]
    BadValue {
        /// Where it was given.
        origin: Origin,
        /// The value, quoted as given.
        given: String,
        /// What is accepted, as `expected …`.
        expected: String,
    },
    /// Two flags that say different things about the same setting.
    #[error("use {first} together with {second}: give one of them")]
    Conflict {
        /// The one flag.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A key that names no setting.
    #[error("read line {line} of {}: there is no setting `{key}`; {hint}", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The key as written.
        key: String,
        /// The nearest right key, or where all of them are listed.
        hint: String,
    },
    /// Text that is not in the format of its file.
    #[error("read line {line} of {}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// A settings file that is there, or was named, and cannot be read.
    #[error("read the settings file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The price file was named and cannot be read.
    #[error("read the price file {}: {source}", path.display())]
    PriceFileRead {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The price file is not one; the file and the line are in the text.
    #[error("read the price file {0}")]
    PriceFile(#[from] PriceFileError),
}

impl SettingsError {
    /// A filter that its language refuses; `expected` says what is accepted, as `expected …`.
    pub fn bad_filter(given: &str, expected: impl Into<String>) -> Self {
        Self::BadValue { origin: Origin::Filter, given: format!("{given:?}"), expected: expected.into() }
    }
}

/// A command line that cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The arguments do not fit the program's flags and commands. The text is complete: it starts with `error:` and
    /// ends with the usage.
    #[error("{0}")]
    Usage(String),
    /// A value, variable or file that cannot be used.
    #[error("failed to {0}")]
    Settings(#[from] SettingsError),
}

impl CliError {
    /// The status the program ends with: 2 for all of these, since each is mended by the person who typed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Settings(_) => EXIT_USAGE,
        }
    }
}

/// The known word nearest to `given`, if one is near enough to be a slip of the finger.
pub(super) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&given, word), word))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("palete" => Some("palette"))]
    #[test_case("extra_labels" => Some("extra-labels"))]
    #[test_case("Context" => Some("context"))]
    #[test_case("quux" => None)]
    fn the_nearest_word_is_a_likely_one(given: &str) -> Option<&'static str> {
        nearest(given, ["context", "palette", "extra-labels", "mouse"])
    }

    #[test]
    fn messages_complete_failed_to() {
        let error = CliError::from(SettingsError::BadValue {
            origin: Origin::File { path: "/c.toml".into(), line: 3, key: "mouse".into() },
            given: "\"maybe\"".into(),
            expected: "expected true or false".into(),
        });
        assert_eq!(
            error.to_string(),
            "failed to use \"maybe\" for `mouse` at line 3 of /c.toml: expected true or false"
        );
        assert_eq!(error.exit_code(), 2);
    }
}
