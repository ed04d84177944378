//! Settings files as text: ours (`config.toml`) and eks-node-viewer's dot-file, each into keys, values and lines.
//!
//! Whether a key or a value is right is not decided here but in [`super::layers`], the same way for all of them.

use super::error::SettingsError;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

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
    /// A list of texts of a TOML file.
    List(Vec<String>),
    /// What no setting is: a table, a date, a fraction, a list of other things. Holds TOML's word for it.
    Other(&'static str),
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
    let mut entries: Vec<Entry> = table
        .into_inner()
        .into_iter()
        .map(|(key, value)| Entry {
            line: line_of(text, key.span().start),
            key: key.into_inner().into_owned(),
            value: raw(value.into_inner()),
        })
        .collect();
    // The first mistake of the file is the one to report.
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn raw(value: DeValue<'_>) -> Raw {
    let word = value.type_str();
    match value {
        DeValue::String(text) => Raw::Text(text.into_owned()),
        DeValue::Boolean(truth) => Raw::Bool(truth),
        DeValue::Integer(number) => Raw::Integer(number.as_str().to_owned()),
        DeValue::Array(items) => {
            let texts = items.into_iter().map(|item| item.into_inner().as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map_or(Raw::Other("list of other things than text"), Raw::List)
        }
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => Raw::Other(word),
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
