//! The user's own prices: a file of rows, each an hourly price of the whole nodes that it matches.
//!
//! ```text
//! region,instance_type,capacity,usd_per_hour
//! eu-west-1,m5.large,on-demand,0.0712
//! *,p5.48xlarge,,31.464
//! ```
//!
//! The JSON form is an array of objects with these keys. An empty field, `*` and a missing key match everything. The row with
//! most conditions wins, then the later one. The amount is in the currency of the region: dollars, in China yuan, whatever the
//! name of the column. A Local Zone's group (`us-west-2-lax-1`) is a region of its own, as in AWS's lists.

use super::CapacityType;
use super::offer::Offer;
use crate::model::Name;
use crate::units::Money;
use crate::units::text::clean;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fmt;

/// A price, and the nodes that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    /// Price region; `None` for every one.
    pub region: Option<Name>,
    /// Instance type; `None` for every one.
    pub instance_type: Option<Name>,
    /// Capacity type; `None` for every one.
    pub capacity: Option<CapacityType>,
    /// The hourly price of the whole node, any fee included.
    pub amount: Money,
    /// The line of the file, from 1.
    pub line: usize,
}

impl fmt::Display for PriceRow {
    /// In one line: `eu-west-1 m5.large * 0.0712`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = self.region.as_deref().unwrap_or("*");
        let instance_type = self.instance_type.as_deref().unwrap_or("*");
        let capacity = self.capacity.map_or("*", CapacityType::name);
        write!(f, "{region} {instance_type} {capacity} {}", self.amount)
    }
}

/// A parsed price file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceFile {
    name: String,
    rows: Vec<PriceRow>,
    /// The last row of each condition.
    index: FxHashMap<Condition, usize>,
}

/// What a row matches: region, instance type, capacity type.
type Condition = (Option<Name>, Option<Name>, Option<CapacityType>);

/// Why a price file cannot be used. Completes "failed to read price file …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}: {problem}")]
pub struct PriceFileError {
    /// The path as the user gave it.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: PriceFileProblem,
}

/// What is wrong with a line of a price file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceFileProblem {
    /// The file is empty, or has a header alone.
    #[error(
        "there is no price; a file is a header such as `{HEADER}` and rows below it, or a JSON array of objects with these keys"
    )]
    Nothing,
    /// An unknown column.
    #[error("`{0}` is no column; the header is `{HEADER}`")]
    Column(String),
    /// A column that is there twice.
    #[error("column `{0}` is there twice; the header is `{HEADER}`")]
    Twice(String),
    /// There is no column of the amount.
    #[error("column `usd_per_hour` is missing; the header is `{HEADER}`")]
    NoAmount,
    /// The row has more or fewer fields than the header.
    #[error("has {found} fields where the header has {expected}")]
    Fields {
        /// The fields of the row.
        found: usize,
        /// The fields of the header.
        expected: usize,
    },
    /// An invalid name of a region or an instance type.
    #[error(
        "{column} `{value}` is no name of one; give its name, or `*` for every one (patterns are for the discount rules of the configuration)"
    )]
    Name {
        /// The column.
        column: &'static str,
        /// Its value.
        value: String,
    },
    /// An unknown capacity type.
    #[error(
        "capacity `{0}` is none of on-demand, spot, reserved, capacity-block, fargate, unknown; leave it empty, or `*`, for every one"
    )]
    Capacity(String),
    /// An invalid amount.
    #[error("usd_per_hour `{0}` is not a finite decimal number of 0 or more such as 0.0860")]
    Amount(String),
    /// JSON of another form.
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
    /// Parses the text of a file; `name` is its name in messages. It is JSON if it begins with a bracket or a brace.
    ///
    /// # Errors
    /// The first invalid line: no row of such a file is used.
    pub fn parse(name: &str, text: &str) -> Result<Self, PriceFileError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let json = text.trim_start().starts_with(['[', '{']);
        let rows = if json { json_rows(text) } else { csv_rows(text) };
        let fail = |(line, problem)| PriceFileError { name: clean(name).into_owned(), line, problem };
        let rows = rows.map_err(fail)?;
        if rows.is_empty() {
            return Err(fail((1, PriceFileProblem::Nothing)));
        }
        let condition = |row: &PriceRow| (row.region.clone(), row.instance_type.clone(), row.capacity);
        let index = rows.iter().enumerate().map(|(at, row)| (condition(row), at)).collect();
        Ok(Self { name: clean(name).into_owned(), rows, index })
    }

    /// The path as the user gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its rows in their order; `Quote::price_row` is an index of them.
    pub fn rows(&self) -> &[PriceRow] {
        &self.rows
    }

    /// The row that sets the price of a node, and its index: the one with most conditions, then the last.
    pub fn find(&self, offer: &Offer<'_>) -> Option<(usize, &PriceRow)> {
        let (region, instance_type) = (offer.price_region().map(Name::from), offer.instance_type.map(Name::from));
        let mut best: Option<(u32, usize)> = None;
        for conditions in 0..8_u32 {
            let (by_region, by_type, by_capacity) = (conditions & 1 != 0, conditions & 2 != 0, conditions & 4 != 0);
            if (by_region && region.is_none()) || (by_type && instance_type.is_none()) {
                continue;
            }
            let condition = (
                region.clone().filter(|_| by_region),
                instance_type.clone().filter(|_| by_type),
                by_capacity.then_some(offer.capacity_type),
            );
            if let Some(at) = self.index.get(&condition) {
                best = best.max(Some((conditions.count_ones(), *at)));
            }
        }
        best.and_then(|(_, at)| Some((at, self.rows.get(at)?)))
    }
}

/// A line, and what is wrong with it.
type Problem = (usize, PriceFileProblem);

impl PriceRow {
    /// Parses the fields in the order of [`HEADER`].
    fn parse(line: usize, [region, instance_type, capacity, amount]: [&str; 4]) -> Result<Self, Problem> {
        let parse = || {
            Ok(Self {
                region: parse_name(REGION, region)?,
                instance_type: parse_name(INSTANCE_TYPE, instance_type)?,
                capacity: match capacity.trim() {
                    "" | "*" => None,
                    name => {
                        Some(CapacityType::from_name(name).ok_or_else(|| PriceFileProblem::Capacity(quoted(name)))?)
                    }
                },
                amount: Money::parse_scientific(amount)
                    .ok_or_else(|| PriceFileProblem::Amount(quoted(amount.trim())))?,
                line,
            })
        };
        parse().map_err(|problem| (line, problem))
    }
}

/// The maximum length of a name; the longest of AWS's has 27 characters.
const LONGEST: usize = 63;

fn parse_name(column: &'static str, text: &str) -> Result<Option<Name>, PriceFileProblem> {
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

/// The text of the file in a message: safe to print, and not all of it.
fn quoted(text: &str) -> String {
    clean(text).chars().take(LONGEST).collect()
}

/// No value of a row contains a comma or a line end, so each line is a record; quotes around a field are removed.
fn csv_rows(text: &str) -> Result<Vec<PriceRow>, Problem> {
    let mut columns: Option<Vec<&str>> = None;
    let mut rows = Vec::new();
    let lines = (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty() && !text.starts_with('#'));
    for (line, text) in lines {
        let fields: Vec<&str> = text.split(',').map(|field| field.trim().trim_matches('"').trim()).collect();
        let Some(columns) = &columns else {
            columns = Some(header(fields).map_err(|problem| (line, problem))?);
            continue;
        };
        if fields.len() != columns.len() {
            return Err((line, PriceFileProblem::Fields { found: fields.len(), expected: columns.len() }));
        }
        let field = |name: &str| columns.iter().zip(&fields).find(|(c, _)| **c == name).map_or("", |(_, field)| field);
        rows.push(PriceRow::parse(line, [REGION, INSTANCE_TYPE, CAPACITY, AMOUNT].map(field))?);
    }
    Ok(rows)
}

/// Checks the columns: all but the amount's may be missing.
fn header(columns: Vec<&str>) -> Result<Vec<&str>, PriceFileProblem> {
    for (at, name) in columns.iter().enumerate() {
        if ![REGION, INSTANCE_TYPE, CAPACITY, AMOUNT].contains(name) {
            return Err(PriceFileProblem::Column(quoted(name)));
        }
        if columns.iter().take(at).any(|column| column == name) {
            return Err(PriceFileProblem::Twice((*name).to_owned()));
        }
    }
    if columns.contains(&AMOUNT) { Ok(columns) } else { Err(PriceFileProblem::NoAmount) }
}

/// A row of the JSON form. The amount remains text, so that no number passes through floating point.
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
    let fail = |first_line: usize, error: &serde_json::Error| {
        let message = error.to_string();
        // The line of serde's message is counted from the object's first.
        let message = message.split(" at line ").next().unwrap_or(&message);
        let keys = "a price file is an array of objects with the keys";
        let problem = PriceFileProblem::Shape(format!("{}; {keys} {HEADER}", clean(message)));
        (first_line + error.line().saturating_sub(1), problem)
    };
    let objects: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| fail(1, &error))?;
    let (mut line, mut counted) = (1, 0);
    let mut rows = Vec::new();
    for object in objects {
        // The object borrows from the text: its address is its position.
        let start = (object.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        line += text.get(counted..start).map_or(0, |between| between.matches('\n').count());
        counted = start;
        let row: JsonRow<'_> = serde_json::from_str(object.get()).map_err(|error| fail(line, &error))?;
        let amount = row.usd_per_hour.get();
        let amount = amount.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(amount);
        let [region, instance_type, capacity] =
            [&row.region, &row.instance_type, &row.capacity].map(|field| field.as_deref().unwrap_or(""));
        rows.push(PriceRow::parse(line, [region, instance_type, capacity, amount])?);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
