//! Parses settings files, `config.toml` and eks-node-viewer's dot-file, into keys, values and lines.
//!
//! [`super::layers`] checks keys and values, in the same way for all origins.

use super::error::SettingsError;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::de::{DeArray, DeTable, DeValue};

/// The text of a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFile {
    /// Its path, for messages.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// Its format.
    pub format: Format,
}

/// The format of a settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `config.toml`.
    Toml,
    /// `~/.eks-node-viewer`.
    EksNodeViewer,
}

/// A value of a layer, before it is parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    /// A value of a flag, a variable or the dot-file: always text; lists are separated by commas.
    Typed(String),
    /// A TOML string.
    Text(String),
    /// A TOML boolean.
    Bool(bool),
    /// A TOML integer, as written.
    Integer(String),
    /// A TOML float, as written: it must not be rounded to a floating-point number.
    Decimal(String),
    /// A TOML array of strings.
    List(Vec<String>),
    /// A TOML array of tables.
    Tables(Vec<Table>),
    /// A TOML type that no setting has, by its name: a table, a date, an array of other values.
    Other(&'static str),
}

impl fmt::Display for Raw {
    /// The value as messages show it.
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
    /// Its entries, line by line.
    pub(super) entries: Vec<Entry>,
    /// The offset where it begins.
    pub(super) line: usize,
}

/// An entry of a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Raw,
    pub(super) line: usize,
}

impl SettingsFile {
    /// The entries of the file, line by line.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, SettingsError> {
        match self.format {
            Format::Toml => toml_entries(&self.path, &self.text),
            Format::EksNodeViewer => dot_file_entries(&self.path, &self.text),
        }
    }
}

/// The line of an offset in a text, counted from 1.
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
    // Report the first error of the file.
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
        DeValue::Array(items) => list(items, text).unwrap_or(Raw::Other("list of values other than strings")),
        DeValue::Datetime(_) | DeValue::Table(_) => Raw::Other(word),
    }
}

/// A list of strings, or a list of tables.
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

/// Parses `option-name=value` lines; `#` begins a comment line.
///
/// Source: awslabs/eks-node-viewer `cmd/eks-node-viewer/flag.go`, `loadConfigFile`. A line without `=`, which that
/// function skips, is an error here.
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

/// Text as a TOML value.
pub(super) fn toml_text(text: impl AsRef<str>) -> String {
    toml::Value::String(text.as_ref().to_owned()).to_string()
}

/// A list of texts as a TOML value.
pub(super) fn toml_list<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| toml_text(item.to_string())).collect();
    format!("[{}]", items.join(", "))
}
