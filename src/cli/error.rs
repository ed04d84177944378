//! Errors in the command line and the settings.
//!
//! Every message completes "failed to …", quotes the value, names its origin (flag, variable, or line of a file) and
//! states what is accepted.

use crate::pricing::PriceFileError;
use std::fmt;
use std::path::PathBuf;

/// Exit code of success, also if a reader closed the pipe early.
pub const EXIT_SUCCESS: u8 = 0;
/// Exit code of an error at run time: an unreachable cluster, a stream that is not synced at the timeout.
pub const EXIT_TROUBLE: u8 = 1;
/// Exit code if the command line, the environment or a settings file is invalid, or there is no terminal.
pub const EXIT_USAGE: u8 = 2;

/// The origin of a value.
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
    /// The filter, which is parsed by `insight` after all layers are merged.
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

/// Why settings are invalid. Completes "failed to …".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A value that its setting does not accept.
    #[error("use {given} for {origin}: {expected}")]
    BadValue {
        /// Its origin.
        origin: Origin,
        /// The value, quoted.
        given: String,
        /// What is accepted, as `expected …`.
        expected: String,
    },
    /// Two flags for the same setting.
    #[error("use {first} together with {second}: use only one of them")]
    Conflict {
        /// One flag.
        first: &'static str,
        /// The other flag.
        second: &'static str,
    },
    /// An unknown key.
    #[error("read line {line} of {}: unknown setting `{key}`; {hint}", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The key as written.
        key: String,
        /// The nearest known key, or where all keys are listed.
        hint: String,
    },
    /// A syntax error of the file.
    #[error("read line {line} of {}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The error.
        message: String,
    },
    /// A settings file that cannot be read.
    #[error("read the settings file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A price file that cannot be read.
    #[error("read the price file {}: {source}", path.display())]
    PriceFileRead {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// An invalid price file; the text has the file and the line.
    #[error("read the price file {0}")]
    PriceFile(#[from] PriceFileError),
}

impl SettingsError {
    /// The error of a filter that does not parse; `expected` states what is accepted, as `expected …`.
    pub fn bad_filter(given: &str, expected: impl Into<String>) -> Self {
        Self::BadValue { origin: Origin::Filter, given: format!("{given:?}"), expected: expected.into() }
    }
}

/// An error in the command line or the settings.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// clap's error. The text is complete: it starts with `error:` and ends with the usage.
    #[error("{0}")]
    Usage(String),
    /// An invalid value, variable or file.
    #[error("failed to {0}")]
    Settings(#[from] SettingsError),
}

impl CliError {
    /// The exit code: always [`EXIT_USAGE`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Settings(_) => EXIT_USAGE,
        }
    }
}

/// The known word that is most similar to `given`, if `given` may be a misspelling of it.
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
    fn only_similar_words_are_suggested(given: &str) -> Option<&'static str> {
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
