//! Reports of `nodeglass snapshot`: `table` for people, `json` and `csv` for programs.
//!
//! A [`Report`] is a pure function of the state and a view of it, and each format is a function of the report. The JSON
//! is documented and versioned (`schema`): fields may be added, never renamed.

mod cost_report;
mod csv;
mod report;
mod table;

pub use report::{Amounts, Columns, NodeReport, Report, SCHEMA};

use clap::ValueEnum;
use std::io::{self, Write};

/// The format of a report. Its values are those of `snapshot --output`, with their help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns for people
    #[default]
    Table,
    /// One JSON document, schema nodeglass/v1
    Json,
    /// One row per node, with a header row
    Csv,
}

/// Writes a report.
///
/// # Errors
/// An I/O error of the writer, including [`io::ErrorKind::BrokenPipe`].
pub fn write(report: &Report, format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Table => table::write(report, out)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, report)?;
            writeln!(out)?;
        }
        Format::Csv => csv::write(report, out)?,
    }
    out.flush()
}

#[cfg(test)]
mod tests;
