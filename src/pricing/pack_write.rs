//! From the reviewable CSV files to the packed table: the build script's half of [`super::pack`].
//!
//! Compiled into the build script, the maker of the files (`src/price_table`) and the library's tests, never into the
//! program.

use super::pack::{Size, Source, Table, predict, size_order};
use std::collections::BTreeMap;
use std::fmt;

/// A line that cannot be part of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct BadLine {
    /// File name, as the reader knows it.
    pub file: &'static str,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.why)
    }
}

/// The on-demand prices, relative to the package's directory.
pub const PRICES: &str = "assets/prices/ondemand.csv";
/// The sizes of instance types, likewise.
pub const SPECS: &str = "assets/prices/specs.csv";
/// What the prices' sources are, likewise.
pub const SOURCES: &str = "assets/prices/sources.csv";

/// What the program may carry of prices; the packed table takes a sixth of it.
pub const MOST_BYTES: usize = 120_000;

/// The text of the three files.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// Of [`PRICES`].
    pub prices: &'a str,
    /// Of [`SPECS`].
    pub specs: &'a str,
    /// Of [`SOURCES`].
    pub sources: &'a str,
}

/// What [`size_order`] sorts by.
type Key<'a> = (&'a str, u32, &'a str);

/// Reads the files. Rows must be sorted and unique, so that two people's changes to them merge.
pub fn read(files: Files) -> Result<Table, BadLine> {
    let sources = sources(files.sources)?;
    let mut sizes: BTreeMap<Key, (&str, Size)> = BTreeMap::new();
    let mut before = "";
    for (line, [name, vcpu, memory]) in rows(SPECS, files.specs, ["instance_type", "vcpu", "memory_mib"])? {
        let bad = |why: String| BadLine { file: SPECS, line, why };
        check_type(name).map_err(&bad)?;
        if name <= before {
            return Err(bad(format!("`{name}` comes after `{before}`: sort the rows, and give each type once")));
        }
        before = name;
        let number = |column: &str, text: &str| {
            let value = text.parse::<u32>().ok().filter(|n| *n > 0);
            value.ok_or_else(|| bad(format!("{column} `{text}` is not a whole number above 0")))
        };
        let size = Size { vcpu: number("vcpu", vcpu)?, memory_mib: number("memory_mib", memory)? };
        sizes.insert(size_order(name), (name, size));
    }

    let header = ["region", "instance_type", "usd_per_hour", "source"];
    let mut by_region: BTreeMap<&str, BTreeMap<Key, (u32, u8)>> = BTreeMap::new();
    let mut before = ("", "");
    for (line, [region, name, price, source_name]) in rows(PRICES, files.prices, header)? {
        let bad = |why: String| BadLine { file: PRICES, line, why };
        if !is_plain(region) {
            return Err(bad(format!("region `{region}` is not of lower-case letters, digits and dashes")));
        }
        check_type(name).map_err(&bad)?;
        if (region, name) <= before {
            let (r, t) = before;
            return Err(bad(format!(
                "`{region},{name}` comes after `{r},{t}`: sort the rows, and give each pair once"
            )));
        }
        before = (region, name);
        let micros = micros(price).map_err(|why| bad(format!("price `{price}` {why}")))?;
        let Ok(source) = sources.binary_search_by(|known| known.name.as_str().cmp(source_name)) else {
            return Err(bad(format!("source `{source_name}` is not in {SOURCES}")));
        };
        sizes.entry(size_order(name)).or_insert((name, Size::default()));
        by_region.entry(region).or_default().insert(size_order(name), (micros, source as u8));
    }
    if sizes.len() > usize::from(u16::MAX) {
        let why = format!("{} instance types are more than the packed form holds", sizes.len());
        return Err(BadLine { file: PRICES, line: 1, why });
    }

    let mut table = Table { sources, ..Table::default() };
    for (name, size) in sizes.values() {
        table.types.push(name);
        table.sizes.push(*size);
    }
    let positions: BTreeMap<_, _> = sizes.keys().zip(0_u16..).collect();
    for (region, rows) in by_region {
        table.regions.push(region);
        for (key, (micros, source)) in rows {
            table.type_of.extend(positions.get(&key));
            table.micros.push(micros);
            table.source_of.push(source);
        }
        table.ends.push(table.type_of.len() as u32);
    }
    Ok(table)
}

/// What sources there are, by name.
fn sources(text: &str) -> Result<Vec<Source>, BadLine> {
    let mut sources: Vec<Source> = Vec::new();
    for (line, [name, published, estimated]) in rows(SOURCES, text, ["source", "published", "estimated"])? {
        let bad = |why: String| BadLine { file: SOURCES, line, why };
        let before = sources.last().map_or("", |source| source.name.as_str());
        if name <= before {
            return Err(bad(format!("`{name}` comes after `{before}`: sort the rows, and give each source once")));
        }
        if !is_month(published) {
            return Err(bad(format!("published `{published}` is not a month such as 2026-07")));
        }
        let estimated = match estimated {
            "yes" => true,
            "no" => false,
            other => return Err(bad(format!("estimated `{other}` is neither yes nor no"))),
        };
        sources.push(Source { name: name.to_owned(), published: published.to_owned(), estimated });
    }
    if sources.len() > 256 {
        let why = format!("{} sources are more than the packed form holds", sources.len());
        return Err(BadLine { file: SOURCES, line: 1, why });
    }
    Ok(sources)
}

/// Whether a text is a month, `2026-07`.
pub fn is_month(text: &str) -> bool {
    let month = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2);
    month.is_some_and(|(year, month)| {
        year.bytes().all(|b| b.is_ascii_digit()) && month.parse().is_ok_and(|month: u8| (1..=12).contains(&month))
    })
}

/// The rows below the header with their line numbers, each cut into its columns.
fn rows<'a, const N: usize>(
    file: &'static str,
    text: &'a str,
    header: [&str; N],
) -> Result<Vec<(usize, [&'a str; N])>, BadLine> {
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let first = lines.next().map_or("", |(_, line)| line);
    if first != header.join(",") {
        return Err(BadLine { file, line: 1, why: format!("the header is not `{}`", header.join(",")) });
    }
    let mut rows = Vec::new();
    for (line, text) in lines {
        let columns: Vec<&str> = text.split(',').collect();
        let columns = <[&str; N]>::try_from(columns).map_err(|columns| {
            let why = format!("has {} columns where {N} are expected ({})", columns.len(), header.join(","));
            BadLine { file, line, why }
        })?;
        rows.push((line, columns));
    }
    if rows.is_empty() {
        return Err(BadLine { file, line: 2, why: "there is no row below the header".to_owned() });
    }
    Ok(rows)
}

/// Whether a text is of lower-case letters, digits and dashes, as names of regions are.
pub fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether a text is of the form of an instance type's name.
pub fn is_type(name: &str) -> bool {
    name.split_once('.').is_some_and(|(family, size)| is_plain(family) && is_plain(size))
}

fn check_type(name: &str) -> Result<(), String> {
    if is_type(name) { Ok(()) } else { Err(format!("instance type `{name}` is not of the form family.size")) }
}

/// Decimal dollars as whole millionths.
fn micros(text: &str) -> Result<u32, &'static str> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(part) {
        return Err("is not a decimal number such as 0.0860");
    }
    if part.len() > 6 {
        return Err("has more than 6 decimals; the packed form holds millionths");
    }
    let micros = format!("{whole}{part:0<6}").parse::<u32>();
    micros.ok().filter(|m| *m > 0).ok_or("is 0 or above 4294 dollars an hour: leave out what has no price")
}

/// The bytes to embed, read back: the program trusts them.
pub fn embed(files: Files<'_>) -> Result<Vec<u8>, String> {
    let table = read(files).map_err(|bad| bad.to_string())?;
    let packed = pack(&table);
    if Table::unpack(&packed).as_ref() != Some(&table) {
        return Err("what was packed does not unpack to the same table".to_owned());
    }
    if packed.len() > MOST_BYTES {
        return Err(format!("it takes {} bytes, more than the {MOST_BYTES} allowed", packed.len()));
    }
    Ok(packed)
}

/// A table in the packed form.
pub fn pack(table: &Table) -> Vec<u8> {
    let mut out = Vec::new();
    number(&mut out, table.types.len() as u32);
    let mut before = "";
    for at in 0..table.types.len() {
        let name = table.types.get(at);
        let shared = before.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
        number(&mut out, shared as u32);
        number(&mut out, (name.len() - shared) as u32);
        out.extend(name.bytes().skip(shared));
        before = name;
    }
    table.sizes.iter().for_each(|size| number(&mut out, size.vcpu));
    table.sizes.iter().for_each(|size| number(&mut out, size.memory_mib));

    number(&mut out, table.regions.len() as u32);
    for at in 0..table.regions.len() {
        let name = table.regions.get(at);
        number(&mut out, name.len() as u32);
        out.extend(name.bytes());
    }
    for run in runs(table) {
        let mut offered = vec![0_u8; table.types.len().div_ceil(8)];
        for at in run {
            let at = usize::from(table.type_of[at]);
            offered[at / 8] |= 1 << (at % 8);
        }
        out.extend(offered);
    }
    number(&mut out, table.sources.len() as u32);
    for source in &table.sources {
        for text in [&source.name, &source.published] {
            number(&mut out, text.len() as u32);
            out.extend(text.bytes());
        }
        number(&mut out, u32::from(source.estimated));
    }
    out.extend(&table.source_of);
    for run in runs(table) {
        let mut before = None;
        for at in run {
            let name = table.types.get(usize::from(table.type_of[at]));
            let micros = table.micros[at];
            let difference = micros.wrapping_sub(predict(before, name)) as i32;
            number(&mut out, (difference << 1 ^ difference >> 31) as u32);
            before = Some((name, micros));
        }
    }
    miniz_oxide::deflate::compress_to_vec_zlib(&out, 10)
}

/// Each region's run of prices.
fn runs(table: &Table) -> impl Iterator<Item = std::ops::Range<usize>> {
    let starts = std::iter::once(0).chain(table.ends.iter().map(|end| *end as usize));
    starts.zip(table.ends.iter().map(|end| *end as usize)).map(|(start, end)| start..end)
}

fn number(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
