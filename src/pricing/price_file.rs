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
    /// The last row of each set of conditions.
    index: FxHashMap<Conditions, usize>,
}

/// What a row matches: region, instance type, capacity type.
type Conditions = (Option<Name>, Option<Name>, Option<CapacityType>);

/// Why a price file cannot be used. Completes "failed to read price file …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}: {problem}")]
pub struct PriceFileError {
    /// The path as the user gave it.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// The header of the CSV form, which is also the list of keys of the JSON form.
const HEADER: &str = "region,instance_type,capacity,usd_per_hour";

impl PriceFile {
    /// Parses the text of a file; `name` is its name in messages. It is JSON if it begins with a bracket or a brace.
    ///
    /// # Errors
    /// The first invalid line: no row of such a file is used.
    pub fn parse(name: &str, text: &str) -> Result<Self, PriceFileError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let json = text.trim_start().starts_with(['[', '{']);
        let name = clean(name).into_owned();
        let rows = if json { json_rows(text) } else { csv_rows(text) };
        let rows = rows.and_then(|rows| if rows.is_empty() { Err((1, NO_PRICE.to_owned())) } else { Ok(rows) });
        let rows = rows.map_err(|(line, problem)| PriceFileError { name: name.clone(), line, problem })?;
        let condition = |row: &PriceRow| (row.region.clone(), row.instance_type.clone(), row.capacity);
        let index = rows.iter().enumerate().map(|(at, row)| (condition(row), at)).collect();
        Ok(Self { name, rows, index })
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
    pub fn find(&self, offer: &Offer) -> Option<(usize, &PriceRow)> {
        let regions = [offer.price_region().map(Name::from), None];
        let types = [offer.instance_type.clone(), None];
        let mut best: Option<(usize, usize)> = None;
        for region in &regions {
            for instance_type in &types {
                for capacity in [Some(offer.capacity_type), None] {
                    let conditions =
                        [region.is_some(), instance_type.is_some(), capacity.is_some()].into_iter().filter(|is| *is);
                    let row = self.index.get(&(region.clone(), instance_type.clone(), capacity));
                    best = best.max(row.map(|at| (conditions.count(), *at)));
                }
            }
        }
        best.and_then(|(_, at)| Some((at, self.rows.get(at)?)))
    }
}

/// A line, and what is wrong with it.
type Problem = (usize, String);

const NO_PRICE: &str = "there is no price; a file is a header such as `region,instance_type,capacity,usd_per_hour` and rows \
                        below it, or a JSON array of objects with these keys";

impl PriceRow {
    /// Parses the fields in the order of [`HEADER`].
    fn parse(line: usize, [region, instance_type, capacity, amount]: [&str; 4]) -> Result<Self, Problem> {
        let (capacity, amount) = (capacity.trim(), amount.trim());
        let capacity_type = match capacity {
            "" | "*" => None,
            name => Some(CapacityType::from_name(name).ok_or_else(|| {
                let names = CapacityType::ALL.map(CapacityType::name).join(", ");
                (line, format!("capacity `{}` is none of {names}; leave it empty, or `*`, for every one", quoted(name)))
            })?),
        };
        let not_an_amount = || {
            let amount = quoted(amount);
            (line, format!("usd_per_hour `{amount}` is not a finite decimal number of 0 or more such as 0.0860"))
        };
        Ok(Self {
            region: parse_name("region", region).map_err(|problem| (line, problem))?,
            instance_type: parse_name("instance_type", instance_type).map_err(|problem| (line, problem))?,
            capacity: capacity_type,
            amount: Money::parse_scientific(amount).ok_or_else(not_an_amount)?,
            line,
        })
    }
}

/// The maximum length of a name; the longest of AWS's has 27 characters.
const LONGEST: usize = 63;

/// Parses a name of lower-case letters, digits and dashes, those of instance types with a point.
fn parse_name(column: &str, text: &str) -> Result<Option<Name>, String> {
    let text = text.trim();
    let is_part =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || (b == b'.' && column != "region");
    match text {
        "" | "*" => Ok(None),
        _ if text.len() <= LONGEST && text.bytes().all(is_part) => Ok(Some(text.into())),
        _ => Err(format!(
            "{column} `{}` is no name of one; give its name, or `*` for every one (patterns are for the discount rules of \
             the configuration)",
            quoted(text)
        )),
    }
}

/// The text of the file in a message: safe to print, and not all of it.
fn quoted(text: &str) -> String {
    clean(text).chars().take(LONGEST).collect()
}

/// No value of a row contains a comma or a line end, so each line is a record; quotes around a field are removed.
fn csv_rows(text: &str) -> Result<Vec<PriceRow>, Problem> {
    let mut lines = (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty() && !text.starts_with('#'));
    let split =
        |text| str::split(text, ',').map(|field: &str| field.trim().trim_matches('"').trim()).collect::<Vec<_>>();
    let Some((line, columns)) = lines.next().map(|(line, text)| (line, split(text))) else { return Ok(Vec::new()) };
    check_header(&columns).map_err(|problem| (line, problem))?;
    let row = |(line, text)| {
        let fields = split(text);
        if fields.len() != columns.len() {
            return Err((line, format!("has {} fields where the header has {}", fields.len(), columns.len())));
        }
        let field = |name: &str| columns.iter().zip(&fields).find(|(c, _)| **c == name).map_or("", |(_, field)| field);
        PriceRow::parse(line, ["region", "instance_type", "capacity", "usd_per_hour"].map(field))
    };
    lines.map(row).collect()
}

/// Checks the columns: all but the amount's may be missing.
fn check_header(columns: &[&str]) -> Result<(), String> {
    for (at, name) in columns.iter().enumerate() {
        if !HEADER.split(',').any(|column| column == *name) {
            return Err(format!("`{}` is no column; the header is `{HEADER}`", quoted(name)));
        }
        if columns.iter().take(at).any(|column| column == name) {
            return Err(format!("column `{name}` is there twice; the header is `{HEADER}`"));
        }
    }
    if columns.contains(&"usd_per_hour") {
        Ok(())
    } else {
        Err(format!("column `usd_per_hour` is missing; the header is `{HEADER}`"))
    }
}

/// A row of the JSON form. The amount remains text, so that no number passes through floating point.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonRow<'a> {
    region: Option<String>,
    instance_type: Option<String>,
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
        (first_line + error.line().saturating_sub(1), format!("{}; {keys} {HEADER}", clean(message)))
    };
    let objects: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| fail(1, &error))?;
    let (mut line, mut counted) = (1, 0);
    let row = |object: &&RawValue| {
        // The object borrows from the text: its address is its position.
        let start = (object.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        line += text.get(counted..start).map_or(0, |between| between.matches('\n').count());
        counted = start;
        let row: JsonRow<'_> = serde_json::from_str(object.get()).map_err(|error| fail(line, &error))?;
        let fields = [&row.region, &row.instance_type, &row.capacity].map(|field| field.as_deref().unwrap_or_default());
        let [region, instance_type, capacity] = fields;
        PriceRow::parse(line, [region, instance_type, capacity, row.usd_per_hour.get().trim_matches('"')])
    };
    objects.iter().map(row).collect()
}

#[cfg(test)]
mod tests;
