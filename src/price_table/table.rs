//! Taking new prices into the rows of the price table, and the text of its files.
//!
//! A row is only ever replaced by a better one of the same region and type. Rows that a new file lacks stay as they are,
//! and the summary counts them.

use crate::inputs::{Inputs, List, decimal};
use crate::rows::rows;
use crate::table_files::{
    CsvPrice, CsvSize, CsvTable, PRICE_COLUMNS, PRICES, SPEC_COLUMNS, SPECS, is_estimated, is_month, is_plain, is_type,
    month_of,
};
use nodeglass::model::{Name, Timestamp};
use nodeglass::source::prices::read::ec2_list::Listed;
use nodeglass::units::Money;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The text of each file by its path: sorted as the build requires.
pub type Texts = BTreeMap<&'static str, String>;

/// Writes the files.
pub fn write(table: &CsvTable) -> Texts {
    let mut prices = PRICE_COLUMNS.join(",") + "\n";
    for ((region, name), price) in &table.prices {
        let _ = writeln!(prices, "{region},{name},{},{}", decimal(amount(price)), price.source);
    }
    let mut specs = SPEC_COLUMNS.join(",") + "\n";
    for (name, CsvSize { vcpu, memory_mib }) in &table.sizes {
        let _ = writeln!(specs, "{name},{vcpu},{memory_mib}");
    }
    [(PRICES, prices), (SPECS, specs)].into()
}

/// The number of bytes that the files take in the program.
///
/// # Errors
/// The build would refuse them.
pub fn packed_bytes(texts: &Texts) -> Result<usize, String> {
    let text = |path: &str| texts.get(path).cloned().ok_or_else(|| format!("{path} is missing"));
    Ok(CsvTable::read(text)?.pack()?.len())
}

/// The price of a row.
fn amount(price: &CsvPrice) -> Money {
    Money::from_nanos(i64::from(price.micros) * 1_000)
}

/// An amount as a row holds it; `None` if it is 0, negative, or more than a row can hold.
fn micros(amount: Money) -> Option<u32> {
    u32::try_from(amount.rounded(6).nanos() / 1_000).ok().filter(|micros| *micros > 0)
}

/// The sources of AWS's own files, which an [`Update`] takes in; the month of publication follows in their names.
pub const PRICE_PAGE: &str = "price-page";
pub const EC2_LIST: &str = "ec2-list";

/// Derives every row again from the inputs and from the exact rows that an [`Update`] took in, and adds pairs that only the
/// inputs have. A row that none of them prices stays as it is. Returns a summary.
///
/// # Errors
/// A price that no row can hold.
pub fn rebuild(table: &mut CsvTable, inputs: &Inputs) -> Result<String, String> {
    let mut updates: BTreeMap<&str, List> = BTreeMap::new();
    let is_update = |source: &str| source.starts_with(PRICE_PAGE) || source.starts_with(EC2_LIST);
    for (pair, price) in table.prices.iter().filter(|(_, price)| is_update(&price.source)) {
        if !is_estimated(&price.source) {
            let list = updates.entry(&price.source).or_default();
            list.source.clone_from(&price.source);
            list.prices.insert(pair.clone(), amount(price));
        }
    }
    let updates: Vec<List> = updates.into_values().collect();
    let [mut added, mut changed, mut exact, mut estimated] = [0; 4];
    for (pair, row) in rows(inputs, &updates, &table.prices.keys().cloned().collect()) {
        let micros = micros(row.amount).ok_or_else(|| format!("{}: no row can hold {}", row.source, row.amount))?;
        *(if is_estimated(&row.source) { &mut estimated } else { &mut exact }) += 1;
        match table.prices.insert(pair, CsvPrice { micros, source: row.source }) {
            None => added += 1,
            Some(old) if old.micros != micros => changed += 1,
            Some(_) => {}
        }
    }
    Ok(format!("{exact} exact rows and {estimated} estimates; {added} added, {changed} changed"))
}

/// What an update did to the rows of a region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Count {
    added: usize,
    changed: usize,
    confirmed: usize,
    /// Rows kept because they are newer or exact.
    better: usize,
    /// Prices that no row can hold.
    invalid: usize,
    /// The types that the files have.
    types: BTreeSet<String>,
}

/// Takes the prices of AWS's files into a table, and counts what changes.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// The table with the prices that were taken in.
    pub table: CsvTable,
    /// Regions of which there is no file.
    pub regions_without_file: Vec<&'static str>,
    month: Option<String>,
    regions: BTreeMap<Name, Count>,
    new_sizes: usize,
    types_of_other_size: BTreeSet<String>,
}

impl Update {
    /// An update of `table`. If a month is given, it replaces the months of publication of the files.
    ///
    /// # Errors
    /// The month is not of the form 2026-07.
    pub fn new(table: CsvTable, month: Option<&str>) -> Result<Self, String> {
        if let Some(month) = month.filter(|month| !is_month(month)) {
            return Err(format!("`{month}` is not a month such as 2026-07"));
        }
        Ok(Self { table, month: month.map(str::to_owned), ..Self::default() })
    }

    /// Takes in the prices of a file by region and instance type; `kind` is [`PRICE_PAGE`] or [`EC2_LIST`].
    ///
    /// # Errors
    /// The file has no prices, or no date while no month was given.
    pub fn take(
        &mut self,
        kind: &str,
        published: Option<Timestamp>,
        regions: BTreeMap<Name, BTreeMap<Name, Listed>>,
    ) -> Result<(), String> {
        if regions.values().all(BTreeMap::is_empty) {
            return Err("it has no prices of Linux instances".to_owned());
        }
        let month = self.month.clone().or(published.map(|at| at.strftime("%Y-%m").to_string()));
        let month = month.ok_or("it has no date of publication: see --month")?;
        for (region, types) in regions {
            let mut count = self.regions.remove(&region).unwrap_or_default();
            for (name, listed) in types {
                // The only estimate in AWS's files is the price of dedicated tenancy in place of the shared one.
                let source = format!("{kind}-{month}{}", if listed.estimated { "-dedicated" } else { "" });
                self.take_price(&mut count, (region.to_string(), name.to_string()), listed, source);
            }
            self.regions.insert(region, count);
        }
        Ok(())
    }

    /// Takes in a price unless the row that it would replace is better.
    fn take_price(&mut self, count: &mut Count, pair: (String, String), listed: Listed, source: String) {
        let (region, name) = &pair;
        count.types.insert(name.clone());
        let Some(micros) = micros(listed.offered.amount).filter(|_| is_type(name) && is_plain(region)) else {
            count.invalid += 1;
            return;
        };
        if let Some(size) = listed.offered.size {
            let size = CsvSize { vcpu: size.vcpu, memory_mib: size.memory_mib };
            // The sizes in the table come from EC2's API, which does not round memory to whole GiB.
            match self.table.sizes.get(name) {
                None => {
                    self.table.sizes.insert(name.clone(), size);
                    self.new_sizes += 1;
                }
                Some(known) if *known != size => _ = self.types_of_other_size.insert(name.clone()),
                Some(_) => {}
            }
        }
        let quality = |source: &str| (!is_estimated(source), month_of(source).unwrap_or_default().to_owned());
        let number = match self.table.prices.get(&pair) {
            Some(old) if quality(&old.source) > quality(&source) => {
                count.better += 1;
                return;
            }
            None => &mut count.added,
            Some(old) if old.micros != micros => &mut count.changed,
            Some(_) => &mut count.confirmed,
        };
        *number += 1;
        self.table.prices.insert(pair, CsvPrice { micros, source });
    }

    /// What was done in each region, and what was kept.
    pub fn summary(&self, packed_bytes: usize) -> String {
        let mut names: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
        for (region, name) in self.table.prices.keys() {
            names.entry(region).or_default().insert(name);
        }
        let mut lines = Vec::new();
        for (region, Count { added, changed, confirmed, better, invalid, types }) in &self.regions {
            let names = names.remove(region.as_str()).unwrap_or_default();
            let rows = names.len();
            let mut line = format!("{region}: {rows} rows; {added} added, {changed} changed, {confirmed} confirmed");
            let kept = names.into_iter().filter(|name| !types.contains(*name)).count();
            for (number, text) in [
                (kept, "kept that the files do not have"),
                (*better, "kept that are newer or exact"),
                (*invalid, "left out that no row can hold"),
            ] {
                if number > 0 {
                    let _ = write!(line, ", {number} {text}");
                }
            }
            lines.push(line);
        }
        let kept = names.iter().map(|(region, names)| format!("{region}: {} rows, all kept as they were", names.len()));
        lines.extend(kept);
        if !self.regions_without_file.is_empty() {
            lines.push(format!("no file of {}", self.regions_without_file.join(", ")));
        }
        lines.push(format!("sizes: {} types, {} added", self.table.sizes.len(), self.new_sizes));
        if !self.types_of_other_size.is_empty() {
            let names: Vec<&str> = self.types_of_other_size.iter().map(String::as_str).collect();
            lines.push(format!("sizes that differ in the files, kept: {}", names.join(", ")));
        }
        let regions: BTreeSet<&String> = self.table.prices.keys().map(|(region, _)| region).collect();
        let (prices, regions) = (self.table.prices.len(), regions.len());
        lines.push(format!("all: {prices} prices, {regions} regions, {packed_bytes} bytes packed\n"));
        lines.join("\n")
    }
}

#[cfg(test)]
pub(crate) mod tests;
