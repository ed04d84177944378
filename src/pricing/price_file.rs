//! The user's own prices: a file of rows, each a price for the machines it matches, for the whole machine by the hour.
//!
//! ```text
//! region,instance_type,capacity,usd_per_hour
//! eu-west-1,m5.large,on-demand,0.0712
//! *,p5.48xlarge,,31.464
//! ```
//!
//! The same in JSON is an array of objects with these keys. An empty field, `*` and a key left out match everything. The
//! row that says most holds, of equals the last. The amount is in what the region is billed in: dollars, in China yuan,
//! whatever the column is called. A Local Zone's group (`us-west-2-lax-1`) is a region of its own, as in AWS's lists.

use super::CapacityType;
use super::amount;
use super::offer::Offer;
use crate::model::Name;
use crate::units::Money;
use crate::units::text::clean;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fmt;

/// One price and the machines it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    /// Price region; none for every one.
    pub region: Option<Name>,
    /// Instance type; none for every one.
    pub instance_type: Option<Name>,
    /// How the machine is bought; none for whatever way.
    pub capacity: Option<CapacityType>,
    /// An hour of the whole machine, any fee included.
    pub amount: Money,
    /// Where it stands in the file, from 1.
    pub line: usize,
}

impl fmt::Display for PriceRow {
    /// As it would be told in one line: `eu-west-1 m5.large * 0.0712`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = self.region.as_deref().unwrap_or("*");
        let instance_type = self.instance_type.as_deref().unwrap_or("*");
        let capacity = self.capacity.map_or("*", CapacityType::name);
        write!(f, "{region} {instance_type} {capacity} {}", self.amount)
    }
}

/// A price file, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceFile {
    name: String,
    rows: Vec<PriceRow>,
    /// The last row of each kind of match.
    index: FxHashMap<Match, usize>,
}

/// What a row matches; an empty name stands for every one.
type Match = (Name, Name, Option<CapacityType>);

/// Why a price file cannot be used. Completes "failed to read price file …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}: {problem}")]
pub struct PriceFileError {
    /// The file, as the user named it.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: PriceFileProblem,
}

/// What is wrong in a line of a price file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceFileProblem {
    /// The file is empty, or holds a header alone.
    #[error(
        "there is no price; a file is a header such as `{HEADER}` and rows below it, or a JSON array of objects with these keys"
    )]
    Nothing,
    /// A column, or a key, that has no meaning.
    #[error("`{0}` is no column; the header is `{HEADER}`")]
    Column(String),
    /// A column that is named twice.
    #[error("column `{0}` is there twice; the header is `{HEADER}`")]
    Twice(String),
    /// The amount's column is missing.
    #[error("column `usd_per_hour` is missing; the header is `{HEADER}`")]
    NoAmount,
    /// A row of another length than the header.
    #[error("has {found} fields where the header has {expected}")]
    Fields {
        /// As many as there are.
        found: usize,
        /// As many as there should be.
        expected: usize,
    },
    /// A region or an instance type that is none.
    #[error(
        "{column} `{value}` is no name of one; give its name, or `*` for every one (patterns are for the discount rules of the configuration)"
    )]
    Name {
        /// The column.
        column: &'static str,
        /// What stands there.
        value: String,
    },
    /// A capacity type nobody knows.
    #[error(
        "capacity `{0}` is none of on-demand, spot, reserved, capacity-block, fargate, unknown; leave it empty, or `*`, for every one"
    )]
    Capacity(String),
    /// An amount that is none.
    #[error("usd_per_hour `{0}` is not a finite decimal number of 0 or more such as 0.0860")]
    Amount(String),
    /// Text that is neither CSV nor JSON of the expected shape.
    #[error("{0}")]
    Shape(String),
}

/// The header of the CSV form, which is also the list of keys of the JSON form.
const HEADER: &str = "region,instance_type,capacity,usd_per_hour";
const REGION: &str = "region";
const INSTANCE_TYPE: &str = "instance_type";
const CAPACITY: &str = "capacity";
const AMOUNT: &str = "usd_per_hour";

impl PriceFile {
    /// Reads a file's text; `name` is what messages call it. JSON is told by its first character.
    ///
    /// # Errors
    /// The first line that cannot be used: nothing of such a file is.
    pub fn parse(name: &str, text: &str) -> Result<Self, PriceFileError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let json = text.trim_start().starts_with(['[', '{']);
        let rows = if json { json_rows(text) } else { csv_rows(text) };
        let fail = |(line, problem)| PriceFileError { name: clean(name).into_owned(), line, problem };
        let rows = rows.map_err(fail)?;
        if rows.is_empty() {
            return Err(fail((1, PriceFileProblem::Nothing)));
        }
        let key = |row: &PriceRow| {
            (row.region.clone().unwrap_or_default(), row.instance_type.clone().unwrap_or_default(), row.capacity)
        };
        let index = rows.iter().enumerate().map(|(at, row)| (key(row), at)).collect();
        Ok(Self { name: clean(name).into_owned(), rows, index })
    }

    /// The file, as the user named it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its rows, as they stand; `Quote::price_row` counts them from 0.
    pub fn rows(&self) -> &[PriceRow] {
        &self.rows
    }

    /// The row that holds for a machine, and its place: the one that says most, of equals the last.
    pub fn find(&self, offer: &Offer<'_>) -> Option<(usize, &PriceRow)> {
        let region = offer.price_region().map(Name::from);
        let instance_type = offer.instance_type.map(Name::from);
        let any = Name::default;
        let mut best: Option<(u32, usize)> = None;
        for said in 0..8_u32 {
            let (says_region, says_type, says_capacity) = (said & 1 != 0, said & 2 != 0, said & 4 != 0);
            let region = if says_region { region.clone() } else { Some(any()) };
            let instance_type = if says_type { instance_type.clone() } else { Some(any()) };
            let (Some(region), Some(instance_type)) = (region, instance_type) else { continue };
            let capacity = says_capacity.then_some(offer.capacity_type);
            if let Some(at) = self.index.get(&(region, instance_type, capacity)) {
                best = best.max(Some((said.count_ones(), *at)));
            }
        }
        best.and_then(|(_, at)| Some((at, self.rows.get(at)?)))
    }
}

type Problem = (usize, PriceFileProblem);

/// A row's fields as text, before any of them is understood.
#[derive(Clone, Copy, Default)]
struct Fields<'a> {
    region: &'a str,
    instance_type: &'a str,
    capacity: &'a str,
    amount: &'a str,
}

impl Fields<'_> {
    fn read(self, line: usize) -> Result<PriceRow, Problem> {
        let at_line = |problem| (line, problem);
        Ok(PriceRow {
            region: one_name(REGION, self.region).map_err(at_line)?,
            instance_type: one_name(INSTANCE_TYPE, self.instance_type).map_err(at_line)?,
            capacity: match self.capacity.trim() {
                "" | "*" => None,
                name => Some(
                    CapacityType::from_name(name).ok_or_else(|| at_line(PriceFileProblem::Capacity(quoted(name))))?,
                ),
            },
            amount: amount::read(self.amount)
                .ok_or_else(|| at_line(PriceFileProblem::Amount(quoted(self.amount.trim()))))?,
            line,
        })
    }
}

/// The longest name of a region or an instance type that is believed; the longest there is has 27 characters.
const LONGEST: usize = 63;

fn one_name(column: &'static str, text: &str) -> Result<Option<Name>, PriceFileProblem> {
    let text = text.trim();
    if text.is_empty() || text == "*" {
        return Ok(None);
    }
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || (b == b'.' && column != REGION);
    if text.len() <= LONGEST && text.bytes().all(plain) {
        Ok(Some(text.into()))
    } else {
        Err(PriceFileProblem::Name { column, value: quoted(text) })
    }
}

/// What a message quotes of a file: safe to print, and not the whole of it.
fn quoted(text: &str) -> String {
    clean(text).chars().take(LONGEST).collect()
}

/// Counts lines while a text is read from its start to its end.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    const fn of(text: &'a str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line of a place, at or behind the last one asked for.
    fn at(&mut self, place: usize) -> usize {
        let passed = self.text.as_bytes().get(self.at..place).unwrap_or_default();
        self.line += passed.split(|b| *b == b'\n').count() - 1;
        self.at = place.max(self.at);
        self.line
    }

    /// The line of a CSV record. The reader tells where the record before it ended: line ends, empty lines and comments
    /// may come first.
    fn of_record(&mut self, end_of_the_last: u64) -> usize {
        let mut at = usize::try_from(end_of_the_last).unwrap_or(0);
        loop {
            let rest = self.text.get(at..).unwrap_or("");
            let skipped = rest.trim_start_matches(['\r', '\n']);
            at += rest.len() - skipped.len();
            if !skipped.starts_with('#') {
                return self.at(at);
            }
            at += skipped.find('\n').unwrap_or(skipped.len());
        }
    }
}

fn csv_rows(text: &str) -> Result<Vec<PriceRow>, Problem> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut lines = Lines::of(text);
    let mut columns: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|why| {
            let line = lines.of_record(why.position().map_or(0, csv::Position::byte));
            (line, PriceFileProblem::Shape(clean(&why.to_string()).into_owned()))
        })?;
        let line = lines.of_record(record.position().map_or(0, csv::Position::byte));
        let Some(columns) = &columns else {
            columns = Some(header(record.iter()).map_err(|problem| (line, problem))?);
            continue;
        };
        if record.len() != columns.len() {
            let problem = PriceFileProblem::Fields { found: record.len(), expected: columns.len() };
            return Err((line, problem));
        }
        let field = |name: &str| columns.iter().zip(record.iter()).find(|(c, _)| *c == name).map_or("", |(_, f)| f);
        let fields = Fields {
            region: field(REGION),
            instance_type: field(INSTANCE_TYPE),
            capacity: field(CAPACITY),
            amount: field(AMOUNT),
        };
        rows.push(fields.read(line)?);
    }
    Ok(rows)
}

/// The columns in the order of the file. Columns that match may be left out, the amount may not.
fn header<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<String>, PriceFileProblem> {
    let mut columns: Vec<String> = Vec::new();
    for name in names {
        if ![REGION, INSTANCE_TYPE, CAPACITY, AMOUNT].contains(&name) {
            return Err(PriceFileProblem::Column(quoted(name)));
        }
        if columns.iter().any(|column| column == name) {
            return Err(PriceFileProblem::Twice(name.to_owned()));
        }
        columns.push(name.to_owned());
    }
    if columns.iter().any(|column| column == AMOUNT) { Ok(columns) } else { Err(PriceFileProblem::NoAmount) }
}

/// A row of the JSON form. The amount's text is kept, so that no number passes through floating point.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonRow<'a> {
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    instance_type: Option<String>,
    #[serde(default)]
    capacity: Option<String>,
    #[serde(borrow)]
    usd_per_hour: &'a RawValue,
}

fn json_rows(text: &str) -> Result<Vec<PriceRow>, Problem> {
    let shape = |first_line: usize, why: &serde_json::Error| {
        let told = why.to_string();
        // The place is told by us, counted from the file's first line.
        let told = told.split(" at line ").next().unwrap_or(&told);
        let keys = "a price file is an array of objects with the keys";
        (
            first_line + why.line().saturating_sub(1),
            PriceFileProblem::Shape(format!("{}; {keys} {HEADER}", clean(told))),
        )
    };
    let objects: Vec<&RawValue> = serde_json::from_str(text).map_err(|why| shape(1, &why))?;
    let mut lines = Lines::of(text);
    let mut rows = Vec::new();
    for object in objects {
        // Each value borrows from the text: where it begins tells its line.
        let line = lines.at((object.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize));
        let row: JsonRow<'_> = serde_json::from_str(object.get()).map_err(|why| shape(line, &why))?;
        let written = row.usd_per_hour.get();
        let fields = Fields {
            region: row.region.as_deref().unwrap_or(""),
            instance_type: row.instance_type.as_deref().unwrap_or(""),
            capacity: row.capacity.as_deref().unwrap_or(""),
            amount: written.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(written),
        };
        rows.push(fields.read(line)?);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
