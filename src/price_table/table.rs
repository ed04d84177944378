//! Taking new prices into the rows of the price table, and the text of its files.
//!
//! A row is only ever replaced by a better one of the same region and type. Rows that a new file lacks stay as they are,
//! and the summary counts them.

use crate::figures::{Inputs, List, decimal};
use crate::rebuild::rows;
use crate::table_files::{CsvPrice, CsvSize, CsvSource, CsvTable, PRICES, SOURCES, SPECS, is_month, is_plain, is_type};
use nodeglass::model::Timestamp;
use nodeglass::source::prices::read::ec2_list::{Ec2List, Listed};
use nodeglass::source::prices::read::price_page::Page;
use nodeglass::units::Money;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The text of each file by its path: sorted as the build requires, without sources that no row names.
pub type Texts = BTreeMap<&'static str, String>;

/// Writes the files.
pub fn write(table: &CsvTable) -> Texts {
    let mut prices = "region,instance_type,usd_per_hour,source\n".to_owned();
    for ((region, name), price) in &table.prices {
        let _ = writeln!(prices, "{region},{name},{},{}", decimal(amount(price)), price.source);
    }
    let mut specs = "instance_type,vcpu,memory_mib\n".to_owned();
    for (name, CsvSize { vcpu, memory_mib }) in &table.sizes {
        let _ = writeln!(specs, "{name},{vcpu},{memory_mib}");
    }
    let mut sources = "source,published,estimated\n".to_owned();
    let unused = unused_sources(table);
    for (name, CsvSource { published, estimated }) in table.sources.iter().filter(|(name, _)| !unused.contains(name)) {
        let _ = writeln!(sources, "{name},{published},{}", if *estimated { "yes" } else { "no" });
    }
    [(PRICES, prices), (SPECS, specs), (SOURCES, sources)].into()
}

/// The number of bytes that the files take in the program.
///
/// # Errors
/// The build would refuse them.
pub fn packed_bytes(texts: &Texts) -> Result<usize, String> {
    let text = |path: &str| texts.get(path).cloned().ok_or_else(|| format!("{path} is missing"));
    Ok(CsvTable::read(text)?.pack()?.len())
}

fn unused_sources(table: &CsvTable) -> BTreeSet<&String> {
    let used: BTreeSet<&String> = table.prices.values().map(|price| &price.source).collect();
    table.sources.keys().filter(|name| !used.contains(name)).collect()
}

/// The price of a row.
fn amount(price: &CsvPrice) -> Money {
    Money::from_nanos(i64::from(price.micros) * 1_000)
}

/// An amount as a row holds it; `None` if it is 0, negative, or more than a row can hold.
fn micros(amount: Money) -> Option<u32> {
    u32::try_from(amount.rounded(6).nanos() / 1_000).ok().filter(|micros| *micros > 0)
}

/// What a rebuild did to the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// New rows.
    pub added: usize,
    /// Rows with a new price.
    pub changed: usize,
    /// Rows with a published price.
    pub exact: usize,
    /// Rows with an estimate.
    pub estimated: usize,
}

/// The kinds of AWS's files that an [`Update`] reads; the month of publication follows in the name of the source.
const PRICE_PAGE: &str = "price-page";
const EC2_LIST: &str = "ec2-list";

/// Derives every row again from the inputs and from the exact rows that an [`Update`] took in, and adds pairs that only the
/// inputs have. A row that none of them prices stays as it is.
///
/// # Errors
/// A price that no row can hold.
pub fn rebuild(table: &mut CsvTable, inputs: &Inputs) -> Result<Rebuilt, String> {
    let mut updates: BTreeMap<&str, List> = BTreeMap::new();
    for (pair, price) in &table.prices {
        let Some(source) = table.sources.get(&price.source).filter(|source| !source.estimated) else { continue };
        if [PRICE_PAGE, EC2_LIST].iter().any(|kind| price.source == format!("{kind}-{}", source.published)) {
            let list = updates.entry(&price.source).or_default();
            list.source.clone_from(&price.source);
            list.month.clone_from(&source.published);
            list.prices.insert(pair.clone(), amount(price));
        }
    }
    let mut rebuilt = Rebuilt::default();
    let updates: Vec<List> = updates.into_values().collect();
    for (pair, row) in rows(inputs, &updates, &table.prices.keys().cloned().collect()) {
        let micros = micros(row.amount).ok_or_else(|| format!("{}: no row can hold {}", row.source, row.amount))?;
        match table.prices.get(&pair) {
            None => rebuilt.added += 1,
            Some(old) if old.micros != micros => rebuilt.changed += 1,
            Some(_) => {}
        }
        *(if row.estimated { &mut rebuilt.estimated } else { &mut rebuilt.exact }) += 1;
        table.sources.insert(row.source.clone(), CsvSource { published: row.month, estimated: row.estimated });
        table.prices.insert(pair, CsvPrice { micros, source: row.source });
    }
    Ok(rebuilt)
}

/// The error of a file of another service or another operating system.
const EMPTY: &str = "it has no prices of Linux instances";

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
    new_sizes: usize,
    /// The types that the files have.
    types: BTreeSet<String>,
}

/// Takes the prices of AWS's files into a table, and counts what changes.
#[derive(Clone, Debug, Default)]
pub struct Update {
    table: CsvTable,
    month: Option<String>,
    regions: BTreeMap<String, Count>,
    regions_without_file: Vec<String>,
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

    /// The table with the prices that were taken in.
    pub fn table(&self) -> &CsvTable {
        &self.table
    }

    /// Records that there is no file for a region.
    pub fn without_file(&mut self, region: &str) {
        self.regions_without_file.push(region.to_owned());
    }

    /// Takes in a region's price page.
    ///
    /// # Errors
    /// The page has no prices, or no date while no month was given.
    pub fn page(&mut self, region: &str, page: &Page) -> Result<(), String> {
        let month = self.month(page.published, page.types.is_empty())?;
        for (name, offered) in &page.types {
            self.take(region, name, Listed { offered: *offered, estimated: false }, PRICE_PAGE, &month);
        }
        Ok(())
    }

    /// Takes in an AmazonEC2 price list, with its Local Zones.
    ///
    /// # Errors
    /// The list has no prices, or no date while no month was given.
    pub fn ec2_list(&mut self, list: &Ec2List) -> Result<(), String> {
        let month = self.month(list.published, list.regions.is_empty())?;
        for (region, types) in &list.regions {
            for (name, listed) in types {
                self.take(region, name, *listed, EC2_LIST, &month);
            }
        }
        Ok(())
    }

    /// The month that the prices of a file count as published in.
    fn month(&self, published: Option<Timestamp>, is_empty: bool) -> Result<String, String> {
        if is_empty {
            return Err(EMPTY.to_owned());
        }
        let month = self.month.clone().or(published.map(|at| at.strftime("%Y-%m").to_string()));
        month.ok_or("it has no date of publication: see --month".to_owned())
    }

    /// Takes in a price unless the row that it would replace is better.
    fn take(&mut self, region: &str, name: &str, listed: Listed, kind: &str, month: &str) {
        let Self { table, regions, types_of_other_size, .. } = self;
        let count = regions.entry(region.to_owned()).or_default();
        count.types.insert(name.to_owned());
        let micros = micros(listed.offered.amount).filter(|_| is_type(name) && is_plain(region));
        let Some(micros) = micros else {
            count.invalid += 1;
            return;
        };
        if let Some(size) = listed.offered.size {
            let size = CsvSize { vcpu: size.vcpu, memory_mib: size.memory_mib };
            // The sizes in the table come from EC2's API, which does not round memory to whole GiB.
            match table.sizes.insert(name.to_owned(), size) {
                None => count.new_sizes += 1,
                Some(known) if known != size => {
                    table.sizes.insert(name.to_owned(), known);
                    types_of_other_size.insert(name.to_owned());
                }
                Some(_) => {}
            }
        }

        let pair = (region.to_owned(), name.to_owned());
        let old = table.prices.get(&pair);
        let is_better = |source: &CsvSource| match (source.estimated, listed.estimated) {
            (false, true) => true,
            (true, false) => false,
            (true, true) | (false, false) => source.published.as_str() > month,
        };
        if old.and_then(|old| table.sources.get(&old.source)).is_some_and(is_better) {
            count.better += 1;
            return;
        }
        *match old {
            None => &mut count.added,
            Some(old) if old.micros != micros => &mut count.changed,
            Some(_) => &mut count.confirmed,
        } += 1;
        // The only estimate in AWS's files is the price of dedicated tenancy in place of the shared one.
        let source = format!("{kind}-{month}{}", if listed.estimated { "-dedicated" } else { "" });
        let entry = CsvSource { published: month.to_owned(), estimated: listed.estimated };
        table.sources.insert(source.clone(), entry);
        table.prices.insert(pair, CsvPrice { micros, source });
    }

    /// What was done in each region, and what was kept.
    pub fn summary(&self, packed_bytes: usize) -> String {
        let table = &self.table;
        let mut lines = Vec::new();
        let mut rows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (region, name) in table.prices.keys() {
            rows.entry(region).or_default().insert(name);
        }
        for (region, count) in &self.regions {
            let names = rows.get(region.as_str()).cloned().unwrap_or_default();
            let Count { added, changed, confirmed, better, invalid, types, .. } = count;
            let mut line =
                format!("{region}: {} rows; {added} added, {changed} changed, {confirmed} confirmed", names.len());
            let kept = names.iter().filter(|name| !types.contains(**name)).count();
            let parts = [
                (kept, "kept that the files do not have"),
                (*better, "kept that are newer or exact"),
                (*invalid, "left out that no row can hold"),
            ];
            for (number, what) in parts.into_iter().filter(|(number, _)| *number > 0) {
                let _ = write!(line, ", {number} {what}");
            }
            lines.push(line);
        }
        for (region, names) in rows.iter().filter(|(region, _)| !self.regions.contains_key(**region)) {
            lines.push(format!("{region}: {} rows, all kept as they were", names.len()));
        }
        let join = |names: &BTreeSet<&String>| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        if !self.regions_without_file.is_empty() {
            lines.push(format!("no file of {}", self.regions_without_file.join(", ")));
        }
        let new_sizes: usize = self.regions.values().map(|count| count.new_sizes).sum();
        lines.push(format!("sizes: {} types, {new_sizes} added", table.sizes.len()));
        let other = self.types_of_other_size.iter().collect();
        let unused = unused_sources(table);
        for (label, names) in
            [("sizes that differ in the files, kept", other), ("sources without rows, removed", unused)]
        {
            if !names.is_empty() {
                lines.push(format!("{label}: {}", join(&names)));
            }
        }
        let (prices, regions) = (table.prices.len(), rows.len());
        lines.push(format!("all: {prices} prices, {regions} regions, {packed_bytes} bytes packed\n"));
        lines.join("\n")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use nodeglass::pricing::Size;
    use nodeglass::source::prices::read::price_page::Offered;
    use pretty_assertions::assert_eq;

    fn text(path: &str) -> Result<String, String> {
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
            .map_err(|why| why.to_string())
    }

    const PRICES_TEXT: &str = "region,instance_type,usd_per_hour,source\n\
        eu-west-1,m5.large,0.107,karpenter-2026-07\n\
        eu-west-1,m5.metal,5,estimated\n\
        us-east-1,c6g.metal,2.176,karpenter-2026-07\n\
        us-east-1,m5.large,0.096,libcloud-2025-03\n\
        us-east-1,t1.micro,0.02,libcloud-2025-03\n";
    const SPECS_TEXT: &str = "instance_type,vcpu,memory_mib\nm5.large,2,8192\nt1.micro,1,627\n";
    const SOURCES_TEXT: &str = "source,published,estimated\nestimated,2026-07,yes\nkarpenter-2026-07,2026-07,no\n\
        libcloud-2025-03,2025-03,no\n";

    fn table() -> CsvTable {
        let texts = BTreeMap::from([(PRICES, PRICES_TEXT), (SPECS, SPECS_TEXT), (SOURCES, SOURCES_TEXT)]);
        CsvTable::read(|path| Ok(texts[path].to_owned())).unwrap()
    }

    fn listed(amount: &str, size: Option<(u32, u32)>) -> Listed {
        let size = size.map(|(vcpu, memory_mib)| Size { vcpu, memory_mib });
        Listed { offered: Offered { amount: amount.parse().unwrap(), size }, estimated: false }
    }

    fn stand_in(amount: &str) -> Listed {
        Listed { estimated: true, ..listed(amount, None) }
    }

    /// A price list of one month.
    fn list(month: &str, rows: &[(&str, &str, Listed)]) -> Ec2List {
        let published = Some(format!("{month}-20T20:31:40Z").parse().unwrap());
        let mut list = Ec2List { published, ..Ec2List::default() };
        for (region, name, listed) in rows {
            list.regions.entry((*region).into()).or_default().insert((*name).into(), *listed);
        }
        list
    }

    fn updated(list: &Ec2List) -> (Texts, String) {
        let mut update = Update::new(table(), None).unwrap();
        update.ec2_list(list).unwrap();
        let texts = write(update.table());
        assert!(packed_bytes(&texts).unwrap() > 0);
        (texts, update.summary(1))
    }

    /// The table in the repository.
    pub(crate) fn committed() -> CsvTable {
        CsvTable::read(text).unwrap()
    }

    #[test]
    fn the_real_table_is_written_as_it_is_read() {
        let written = write(&committed());
        // Compared as wholes, because a megabyte of differences helps no reader.
        assert!([PRICES, SPECS, SOURCES].iter().all(|path| text(path).unwrap() == written[path]));
        assert!(packed_bytes(&written).unwrap() < 70_000);
    }

    #[test]
    fn new_prices_come_in_and_old_rows_stay() {
        let new = list(
            "2026-11",
            &[
                ("us-east-1", "m5.large", listed("0.0960000000", Some((2, 8192)))),
                ("us-east-1", "m9x.large", listed("0.1234567", Some((2, 8192)))),
                ("us-east-1", "t1.micro", listed("0.0300000000", Some((1, 628)))),
                ("us-west-2-lax-1", "m5.large", listed("10", None)),
            ],
        );
        let (texts, summary) = updated(&new);
        let expected = "region,instance_type,usd_per_hour,source\n\
            eu-west-1,m5.large,0.107,karpenter-2026-07\n\
            eu-west-1,m5.metal,5,estimated\n\
            us-east-1,c6g.metal,2.176,karpenter-2026-07\n\
            us-east-1,m5.large,0.096,ec2-list-2026-11\n\
            us-east-1,m9x.large,0.123457,ec2-list-2026-11\n\
            us-east-1,t1.micro,0.03,ec2-list-2026-11\n\
            us-west-2-lax-1,m5.large,10,ec2-list-2026-11\n";
        assert_eq!(texts[PRICES], expected);
        assert_eq!(texts[SPECS], "instance_type,vcpu,memory_mib\nm5.large,2,8192\nm9x.large,2,8192\nt1.micro,1,627\n");
        let sources = "source,published,estimated\nec2-list-2026-11,2026-11,no\nestimated,2026-07,yes\n\
            karpenter-2026-07,2026-07,no\n";
        assert_eq!(texts[SOURCES], sources);
        let expected = "us-east-1: 4 rows; 1 added, 1 changed, 1 confirmed, 1 kept that the files do not have\n\
            us-west-2-lax-1: 1 rows; 1 added, 0 changed, 0 confirmed\n\
            eu-west-1: 2 rows, all kept as they were\n\
            sizes: 3 types, 1 added\n\
            sizes that differ in the files, kept: t1.micro\n\
            sources without rows, removed: libcloud-2025-03\n\
            all: 7 prices, 3 regions, 1 bytes packed\n";
        assert_eq!(summary, expected);
    }

    #[test]
    fn a_better_row_is_not_replaced() {
        let older = list(
            "2025-12",
            &[("us-east-1", "c6g.metal", listed("9", None)), ("us-east-1", "m5.large", listed("9", None))],
        );
        let (texts, summary) = updated(&older);
        assert!(texts[PRICES].contains("us-east-1,c6g.metal,2.176,karpenter-2026-07\n"), "an older price");
        assert!(texts[PRICES].contains("us-east-1,m5.large,9,ec2-list-2025-12\n"), "a newer price");
        assert!(summary.contains("us-east-1: 3 rows; 0 added, 1 changed, 0 confirmed, 1 kept that the files do not have, 1 kept that are newer or exact"), "{summary}");

        let tenancies = [("us-east-1", "c6g.metal", stand_in("2.3066")), ("eu-west-1", "m5.metal", stand_in("5.8"))];
        let (texts, _) = updated(&list("2026-11", &tenancies));
        assert!(
            texts[PRICES].contains("us-east-1,c6g.metal,2.176,karpenter-2026-07\n"),
            "dedicated stands in for nothing"
        );
        assert!(texts[PRICES].contains("eu-west-1,m5.metal,5.8,ec2-list-2026-11-dedicated\n"), "a better estimate");
        assert!(texts[SOURCES].contains("ec2-list-2026-11-dedicated,2026-11,yes\n"));
        let exact = updated(&list("2025-01", &[("eu-west-1", "m5.metal", listed("5.5", None))])).0;
        assert!(exact[PRICES].contains("eu-west-1,m5.metal,5.5,ec2-list-2025-01\n"), "an old price, but no estimate");
    }

    #[test]
    fn what_the_build_would_refuse_is_left_out() {
        let odd = list(
            "2026-11",
            &[
                ("us-east-1", "nodot", listed("1", None)),
                ("us-east-1", "M5.large", listed("1", None)),
                ("US", "m5.large", listed("1", None)),
                ("us-east-1", "u9.metal", listed("4294.967296", None)),
                ("us-east-1", "m5.nano", listed("0.0000001", None)),
            ],
        );
        let (texts, summary) = updated(&odd);
        assert_eq!(texts[PRICES], PRICES_TEXT);
        assert!(
            summary.contains("0 confirmed, 3 kept that the files do not have, 4 left out that no row can hold"),
            "{summary}"
        );
    }

    #[test]
    fn a_file_without_prices_is_the_wrong_file() {
        let mut update = Update::new(table(), None).unwrap();
        assert_eq!(update.ec2_list(&list("2026-11", &[])).unwrap_err(), EMPTY);
        let page = Page { published: list("2026-11", &[]).published, ..Page::default() };
        assert_eq!(update.page("us-east-1", &page).unwrap_err(), EMPTY);
    }

    #[test]
    fn a_file_without_a_date_needs_a_month() {
        let mut undated = list("2026-11", &[("us-east-1", "m5.large", listed("0.1", None))]);
        undated.published = None;
        let error = Update::new(table(), None).unwrap().ec2_list(&undated).unwrap_err();
        assert_eq!(error, "it has no date of publication: see --month");
        let mut update = Update::new(table(), Some("2026-12")).unwrap();
        update.ec2_list(&undated).unwrap();
        assert!(write(update.table())[PRICES].contains("us-east-1,m5.large,0.1,ec2-list-2026-12\n"));
    }
}
