//! The CSV files of the price table, `assets/prices/*.csv`: read, checked, and packed for embedding.
//!
//! Compiled into the build script, the `price-table` example and the library's tests, but not into the program, which
//! only unpacks the result (`table.rs`). It needs nothing but the standard library and the compressor.
//!
//! The packed form is a zlib stream of three lines of text and a block of numbers for each region:
//!
//! ```text
//! regions   sorted names, separated by spaces
//! sources   the month of each source, `2026-07`, or `~2026-07` if its prices are estimates
//! types     sorted names with vCPUs and MiB of memory, `a1.large,2,4096`; a name alone if the size is not known
//! block     one little-endian u32 per type: millionths of a dollar an hour, 0 if the region has no price of the type;
//!           then one byte per type: the position of the price's source
//! ```

use std::collections::{BTreeMap, BTreeSet};

/// Path of the on-demand prices, relative to the package.
pub const PRICES: &str = "assets/prices/ondemand.csv";
/// Path of the sizes of instance types, relative to the package.
pub const SPECS: &str = "assets/prices/specs.csv";

/// The columns of [`PRICES`].
pub const PRICE_COLUMNS: [&str; 4] = ["region", "instance_type", "usd_per_hour", "source"];
/// The columns of [`SPECS`].
pub const SPEC_COLUMNS: [&str; 3] = ["instance_type", "vcpu", "memory_mib"];

/// The most bytes that the packed table may add to the program.
pub const MAX_PACKED_BYTES: usize = 120_000;

/// The rows of the two files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsvTable {
    /// Prices by price region and instance type.
    pub prices: BTreeMap<(String, String), CsvPrice>,
    /// Sizes by instance type.
    pub sizes: BTreeMap<String, CsvSize>,
}

/// A row of [`PRICES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvPrice {
    /// Millionths of a dollar an hour.
    pub micros: u32,
    /// Its source, in whose name is the month of publication: `karpenter-2026-07`.
    pub source: String,
}

/// The month (`2026-07`) in the name of a source, in which its prices were published; of estimates, that of the prices they
/// derive from. `None` if the name has none.
pub fn month_of(source: &str) -> Option<&str> {
    let starts = source.char_indices().map(|(at, _)| at);
    starts.filter_map(|at| source.get(at..at + 7)).find(|text| is_month(text))
}

/// Whether the prices of a source are estimates, shown with `~`.
pub fn is_estimated(source: &str) -> bool {
    source.starts_with("estimated-") || source.ends_with("-dedicated")
}

/// A row of [`SPECS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvSize {
    /// Virtual processors.
    pub vcpu: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
}

impl CsvTable {
    /// Reads the files, whose text `open` returns by path. Rows must be sorted and unique, so that the changes of two
    /// authors merge.
    ///
    /// # Errors
    /// An error of `open`, or the first line that is malformed or out of order as `file:line: reason`.
    pub fn read(open: impl Fn(&str) -> Result<String, String>) -> Result<Self, String> {
        let mut table = Self::default();
        read_rows(SPECS, &open(SPECS)?, SPEC_COLUMNS, "type", |[name, vcpu, memory_mib]| {
            check_type(name)?;
            let size = CsvSize { vcpu: count("vcpu", vcpu)?, memory_mib: count("memory_mib", memory_mib)? };
            table.sizes.insert(name.to_owned(), size);
            Ok(())
        })?;
        read_rows(PRICES, &open(PRICES)?, PRICE_COLUMNS, "pair", |[region, name, price, source]| {
            if !is_plain(region) {
                return Err(format!("region `{region}` is not of lower-case letters, digits and dashes"));
            }
            check_type(name)?;
            let micros = micros(price).map_err(|why| format!("price `{price}` {why}"))?;
            let price = CsvPrice { micros, source: source.to_owned() };
            if month_of(source).is_none() {
                return Err(format!("source `{source}` has no month of publication, such as karpenter-2026-07"));
            }
            table.prices.insert((region.to_owned(), name.to_owned()), price);
            Ok(())
        })?;
        Ok(table)
    }

    /// The bytes to embed.
    ///
    /// # Errors
    /// The table is larger than the packed form or the program can take.
    pub fn pack(&self) -> Result<Vec<u8>, String> {
        let regions: BTreeSet<&String> = self.prices.keys().map(|(region, _)| region).collect();
        let types: BTreeSet<&String> = self.prices.keys().map(|(_, name)| name).chain(self.sizes.keys()).collect();
        let sources: BTreeSet<&str> = self.prices.values().map(|price| price.source.as_str()).collect();
        if types.len() > usize::from(u16::MAX) || sources.len() > usize::from(u8::MAX) {
            let (types, sources) = (types.len(), sources.len());
            return Err(format!("{types} instance types and {sources} sources are more than the packed form can hold"));
        }

        let months = sources.iter().map(|source| {
            let mark = if is_estimated(source) { "~" } else { "" };
            format!("{mark}{}", month_of(source).unwrap_or_default())
        });
        let with_sizes = types.iter().map(|name| match self.sizes.get(*name) {
            Some(size) => format!("{name},{},{}", size.vcpu, size.memory_mib),
            None => (*name).clone(),
        });
        let lines: [Vec<String>; 3] =
            [regions.iter().copied().cloned().collect(), months.collect(), with_sizes.collect()];
        let mut plain = lines.map(|names| names.join(" ") + "\n").concat().into_bytes();
        for region in regions {
            let row = |name: &&String| self.prices.get(&(region.clone(), (*name).clone()));
            let rows: Vec<Option<&CsvPrice>> = types.iter().map(row).collect();
            plain.extend(rows.iter().flat_map(|row| row.map_or(0, |price| price.micros).to_le_bytes()));
            let position = |price: &CsvPrice| sources.range(..price.source.as_str()).count() as u8;
            plain.extend(rows.iter().map(|row| row.map_or(0, position)));
        }

        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&plain, 9);
        if packed.len() > MAX_PACKED_BYTES {
            return Err(format!("it takes {} bytes, more than the {MAX_PACKED_BYTES} allowed", packed.len()));
        }
        Ok(packed)
    }
}

/// Calls `read` with the columns of each row below the header, and checks that the rows are sorted and unique. `key` is
/// what the error of a row out of order calls the columns that rows are sorted by: all but the last two of each file.
fn read_rows<const N: usize>(
    file: &str,
    text: &str,
    header: [&str; N],
    key: &str,
    mut read: impl FnMut([&str; N]) -> Result<(), String>,
) -> Result<(), String> {
    let bad = |line: usize, why: String| format!("{file}:{line}: {why}");
    let mut lines = text.lines();
    if lines.next() != Some(&header.join(",")) {
        return Err(bad(1, format!("the header is not `{}`", header.join(","))));
    }
    let mut rows = lines.zip(2..).peekable();
    if rows.peek().is_none() {
        return Err(bad(2, "there is no row below the header".to_owned()));
    }
    let mut before = String::new();
    for (row, line) in rows {
        let columns: Vec<&str> = row.split(',').collect();
        let columns = <[&str; N]>::try_from(columns).map_err(|columns| {
            bad(line, format!("has {} columns where {N} are expected ({})", columns.len(), header.join(",")))
        })?;
        let keys = columns.split_last_chunk::<2>().map_or(String::new(), |(keys, _)| keys.join(","));
        read(columns).map_err(|why| bad(line, why))?;
        // A comma sorts before every other character of a name, so this is the order of the columns one by one.
        if keys <= before {
            let why = format!("`{keys}` comes after `{before}`: sort the rows, and give each {key} once");
            return Err(bad(line, why));
        }
        before = keys;
    }
    Ok(())
}

/// Whether a text is a month, `2026-07`.
pub fn is_month(text: &str) -> bool {
    let month = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2);
    month.is_some_and(|(year, month)| {
        year.bytes().all(|b| b.is_ascii_digit()) && month.parse().is_ok_and(|month: u8| (1..=12).contains(&month))
    })
}

/// Whether a text is of lower-case letters, digits and dashes, as names of regions are.
pub fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether a text has the form of an instance type's name.
pub fn is_type(name: &str) -> bool {
    name.split_once('.').is_some_and(|(family, size)| is_plain(family) && is_plain(size))
}

fn check_type(name: &str) -> Result<(), String> {
    if is_type(name) { Ok(()) } else { Err(format!("instance type `{name}` is not of the form family.size")) }
}

/// A whole number above 0.
fn count(column: &str, text: &str) -> Result<u32, String> {
    let value = text.parse().ok().filter(|value| *value > 0);
    value.ok_or_else(|| format!("{column} `{text}` is not a whole number above 0"))
}

/// Decimal dollars as whole millionths.
fn micros(text: &str) -> Result<u32, &'static str> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(part) {
        return Err("is not a decimal number such as 0.0860");
    }
    if part.len() > 6 {
        return Err("has more than 6 decimals; the packed form holds millionths");
    }
    let micros = format!("{whole}{part:0<6}").parse().ok().filter(|micros| *micros > 0);
    micros.ok_or("is 0 or above 4294 dollars an hour: leave out what has no price")
}
