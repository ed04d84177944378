//! Settings files as text: ours (`config.toml`) and eks-node-viewer's dot-file, each into keys, values and lines.
//!
//! Whether a key or a value is right is not decided here but in [`super::layers`], the same way for all of them.

use super::error::SettingsError;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::de::{DeArray, DeTable, DeValue};

/// A settings file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFile {
    /// Where it lies, for messages.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
    /// Whose it is.
    pub format: Format,
}

/// Whose settings file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `config.toml`.
    Toml,
    /// `~/.eks-node-viewer`.
    EksNodeViewer,
}

/// One value as a layer gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    /// From a flag, a variable or the dot-file, where everything is text and lists are separated by commas.
    Typed(String),
    /// Text of a TOML file.
    Text(String),
    /// A boolean of a TOML file.
    Bool(bool),
    /// A whole number of a TOML file, as written.
    Integer(String),
    /// A number with a point of a TOML file, as written: it must not pass through floating point.
    Decimal(String),
    /// A list of texts of a TOML file.
    List(Vec<String>),
    /// Tables of one name of a TOML file.
    Tables(Vec<Table>),
    /// What no setting is: a single table, a date, a list of other things. Holds TOML's word for it.
    Other(&'static str),
}

impl fmt::Display for Raw {
    /// A value as it is shown in a message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typed(text) | Self::Text(text) => write!(f, "{text:?}"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Integer(number) | Self::Decimal(number) => f.write_str(number),
            Self::List(items) => write!(f, "{items:?}"),
            Self::Tables(_) => f.write_str("tables"),
            Self::Other(word) => write!(f, "a {word}"),
        }
    }
}

/// A table of a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// What it sets, line by line.
    pub(super) entries: Vec<Entry>,
    /// Where it begins.
    pub(super) line: usize,
}

/// One line of a settings file that sets something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Raw,
    pub(super) line: usize,
}

impl SettingsFile {
    /// What the file sets, line by line.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, SettingsError> {
        match self.format {
            Format::Toml => toml_entries(&self.path, &self.text),
            Format::EksNodeViewer => dot_file_entries(&self.path, &self.text),
        }
    }
}

/// The line of a place in a text, counted from 1.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn toml_entries(path: &Path, text: &str) -> Result<Vec<Entry>, SettingsError> {
    let table = DeTable::parse(text).map_err(|error| SettingsError::Syntax {
        path: path.to_owned(),
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    Ok(entries_of(table.into_inner(), text))
}

fn entries_of(table: DeTable<'_>, text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .into_iter()
        .map(|(key, value)| Entry {
            line: line_of(text, key.span().start),
            key: key.into_inner().into_owned(),
            value: raw(value.into_inner(), text),
        })
        .collect();
    // The first mistake of the file is the one to report.
    entries.sort_by_key(|entry| entry.line);
    entries
}

fn raw(value: DeValue<'_>, text: &str) -> Raw {
    let word = value.type_str();
    match value {
        DeValue::String(text) => Raw::Text(text.into_owned()),
        DeValue::Boolean(truth) => Raw::Bool(truth),
        DeValue::Integer(number) => Raw::Integer(number.as_str().to_owned()),
        DeValue::Float(number) => Raw::Decimal(number.as_str().to_owned()),
        DeValue::Array(items) => list(items, text).unwrap_or(Raw::Other("list of other things than text")),
        DeValue::Datetime(_) | DeValue::Table(_) => Raw::Other(word),
    }
}

/// A list whose items are all texts, or all tables.
fn list(items: DeArray<'_>, text: &str) -> Option<Raw> {
    let (mut texts, mut tables) = (Vec::new(), Vec::new());
    for item in items {
        let line = line_of(text, item.span().start);
        match item.into_inner() {
            DeValue::String(text) => texts.push(text.into_owned()),
            DeValue::Table(table) => tables.push(Table { entries: entries_of(table, text), line }),
            _ => return None,
        }
    }
    match (texts.is_empty(), tables.is_empty()) {
        (_, true) => Some(Raw::List(texts)),
        (true, false) => Some(Raw::Tables(tables)),
        (false, false) => None,
    }
}

/// Reads `option-name=value` lines; `#` begins a comment line.
///
/// Source: awslabs/eks-node-viewer `cmd/eks-node-viewer/flag.go`, `loadConfigFile`. It skips a line without `=`; here
/// that is an error, so that no line is without effect unnoticed.
fn dot_file_entries(path: &Path, text: &str) -> Result<Vec<Entry>, SettingsError> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| match line.split_once('=') {
            Some((key, value)) => {
                Ok(Entry { key: key.trim().to_owned(), value: Raw::Typed(value.trim().to_owned()), line: number })
            }
            None => Err(SettingsError::Syntax {
                path: path.to_owned(),
                line: number,
                message: format!("expected option-name=value, not {line:?}"),
            }),
        })
        .collect()
}
