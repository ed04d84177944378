//! The three files of the price table, and taking new prices into them.
//!
//! Always true here: a row leaves the table only for a better one of the same region and type. What a new file lacks stays
//! as it is, and is said to have stayed.

use crate::figures::{Inputs, List, Pair, decimal};
use crate::pack_write::{self, Files, is_month, is_plain, is_type};
use crate::rebuild;
use nodeglass::model::Timestamp;
use nodeglass::pricing::Size;
use nodeglass::source::prices::read::ec2_list::{Ec2List, Listed};
use nodeglass::source::prices::read::price_page::Page;
use nodeglass::units::Money;
use std::collections::{BTreeMap, BTreeSet};

/// A price, as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Price {
    /// The text of the amount: what is not changed stays as it is written.
    text: String,
    amount: Money,
    source: String,
}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    published: String,
    estimated: bool,
}

/// The files, row by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceTable {
    prices: BTreeMap<(String, String), Price>,
    sizes: BTreeMap<String, Size>,
    sources: BTreeMap<String, Source>,
}

/// The files as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    /// `ondemand.csv`.
    pub prices: String,
    /// `specs.csv`.
    pub specs: String,
    /// `sources.csv`.
    pub sources: String,
}

impl Texts {
    /// How large the program's table becomes, in bytes. Fails where the build would.
    pub fn packed(&self) -> Result<usize, String> {
        let files = Files { prices: &self.prices, specs: &self.specs, sources: &self.sources };
        Ok(pack_write::embed(files)?.len())
    }
}

/// The rows of a file, cut into columns.
fn rows<const N: usize>(text: &str) -> impl Iterator<Item = Result<[&str; N], String>> {
    text.lines().skip(1).map(|line| {
        let columns: Vec<&str> = line.split(',').collect();
        <[&str; N]>::try_from(columns).ok().ok_or_else(|| format!("row `{line}` has not {N} columns"))
    })
}

impl PriceTable {
    /// Reads the files, by the rules of the build.
    pub fn read(files: Files) -> Result<Self, String> {
        pack_write::read(files).map_err(|bad| bad.to_string())?;
        let mut table = Self::default();
        for row in rows(files.prices) {
            let [region, instance_type, amount, source] = row?;
            let price = Price {
                text: amount.to_owned(),
                amount: amount.parse().map_err(|why| format!("price `{amount}`: {why}"))?,
                source: source.to_owned(),
            };
            table.prices.insert((region.to_owned(), instance_type.to_owned()), price);
        }
        for row in rows(files.specs) {
            let [instance_type, vcpu, memory] = row?;
            let number = |text: &str| text.parse().map_err(|why| format!("size `{text}`: {why}"));
            let size = Size { vcpu: number(vcpu)?, memory_mib: number(memory)? };
            table.sizes.insert(instance_type.to_owned(), size);
        }
        for row in rows(files.sources) {
            let [name, published, estimated] = row?;
            let source = Source { published: published.to_owned(), estimated: estimated == "yes" };
            table.sources.insert(name.to_owned(), source);
        }
        Ok(table)
    }

    /// The files, sorted as the build demands, without sources that no row names.
    pub fn write(&self) -> Texts {
        let mut prices = "region,instance_type,usd_per_hour,source\n".to_owned();
        for ((region, instance_type), price) in &self.prices {
            prices.extend([region, ",", instance_type, ",", &price.text, ",", &price.source, "\n"]);
        }
        let mut specs = "instance_type,vcpu,memory_mib\n".to_owned();
        for (instance_type, Size { vcpu, memory_mib }) in &self.sizes {
            specs.extend([instance_type, ",", &vcpu.to_string(), ",", &memory_mib.to_string(), "\n"]);
        }
        let mut sources = "source,published,estimated\n".to_owned();
        let used: BTreeSet<&str> = self.prices.values().map(|price| price.source.as_str()).collect();
        for (name, source) in self.sources.iter().filter(|(name, _)| used.contains(name.as_str())) {
            let estimated = if source.estimated { "yes" } else { "no" };
            sources.extend([name, ",", &source.published, ",", estimated, "\n"]);
        }
        Texts { prices, specs, sources }
    }

    /// The pairs that have a row: what is known to be sold.
    pub fn pairs(&self) -> BTreeSet<Pair> {
        self.prices.keys().cloned().collect()
    }

    /// Makes every row anew from the inputs and from the exact rows that an [`Update`] brought; what the inputs have and the
    /// table lacks is added. A row that nothing prices stays as it is.
    pub fn rebuild(&mut self, inputs: &Inputs) -> Rebuilt {
        let mut updates: BTreeMap<String, List> = BTreeMap::new();
        let from_inputs: BTreeSet<String> =
            inputs.price_list.iter().map(|list| format!("price-list-{}", list.month)).collect();
        for (pair, price) in &self.prices {
            let Some(source) = self.sources.get(&price.source).filter(|source| !source.estimated) else { continue };
            let by_update = UPDATES.iter().any(|kind| price.source == format!("{kind}-{}", source.published));
            if by_update && !from_inputs.contains(&price.source) {
                let list = updates.entry(price.source.clone()).or_default();
                list.month.clone_from(&source.published);
                list.prices.insert(pair.clone(), price.amount);
            }
        }
        let mut done = Rebuilt::default();
        for (pair, row) in rebuild::rows(inputs, &updates, &self.pairs()) {
            let old = self.prices.get(&pair);
            match old {
                None => done.added += 1,
                Some(old) if old.amount != row.amount => done.changed += 1,
                Some(_) => {}
            }
            *(if row.estimated { &mut done.estimated } else { &mut done.exact }) += 1;
            self.sources.insert(row.source.clone(), Source { published: row.published, estimated: row.estimated });
            self.prices.insert(pair, Price { text: decimal(row.amount), amount: row.amount, source: row.source });
        }
        done
    }

    fn has(&self, region: &str, instance_type: &str) -> bool {
        self.prices.contains_key(&(region.to_owned(), instance_type.to_owned()))
    }

    /// How many rows a region has.
    fn rows_of(&self, region: &str) -> usize {
        let start = (region.to_owned(), String::new());
        self.prices.range(start..).take_while(|((name, _), _)| name == region).count()
    }

    /// Takes a price in, unless the row it would replace is better.
    fn take(&mut self, region: &str, instance_type: &str, listed: Listed, published: &Published, count: &mut Count) {
        let amount = listed.offered.amount.rounded(6);
        // Beyond what the packed form holds; no machine costs that much, or that little.
        let sold = amount > Money::ZERO && amount.nanos() / 1000 <= i64::from(u32::MAX);
        if !sold || !is_type(instance_type) || !is_plain(region) {
            count.odd += 1;
            return;
        }
        match (listed.offered.size, self.sizes.get(instance_type)) {
            (Some(size), None) => {
                self.sizes.insert(instance_type.to_owned(), size);
                count.sizes += 1;
            }
            // The sizes in the table come from EC2's own API, which does not round memory to whole GiB.
            (Some(size), Some(known)) if size != *known => count.other_sizes.push(instance_type.to_owned()),
            (Some(_) | None, _) => {}
        }

        let key = (region.to_owned(), instance_type.to_owned());
        let old = self.prices.get(&key);
        let better = old.and_then(|old| self.sources.get(&old.source)).is_some_and(|source| {
            (source.estimated, listed.estimated) == (false, true)
                || (source.estimated == listed.estimated && source.published > published.month)
        });
        if better {
            count.better += 1;
            return;
        }
        let text = match old {
            Some(old) if old.amount == amount => {
                count.same += 1;
                old.text.clone()
            }
            Some(_) => {
                count.changed += 1;
                decimal(amount)
            }
            None => {
                count.added += 1;
                decimal(amount)
            }
        };
        let source = published.source(listed.estimated);
        let entry = Source { published: published.month.clone(), estimated: listed.estimated };
        self.sources.insert(source.clone(), entry);
        self.prices.insert(key, Price { text, amount, source });
    }
}

/// The kinds of AWS's files that an update reads.
const UPDATES: [&str; 2] = ["price-page", "price-list"];

/// What a rebuild did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Rows that were not there.
    pub added: usize,
    /// Rows whose price is another one now.
    pub changed: usize,
    /// Rows that are exact.
    pub exact: usize,
    /// Rows that are estimates.
    pub estimated: usize,
}

/// Which kind of file a price is from, and when that was published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    kind: &'static str,
    month: String,
}

impl Published {
    /// A month, as it was typed.
    pub fn of_month(month: &str) -> Result<Self, String> {
        if !is_month(month) {
            return Err(format!("`{month}` is not a month such as 2026-07"));
        }
        Ok(Self { kind: "", month: month.to_owned() })
    }

    /// The name of the source of such a price.
    fn source(&self, estimated: bool) -> String {
        // The only estimate in AWS's files is one tenancy's price for another's.
        let suffix = if estimated { "-dedicated" } else { "" };
        format!("{}-{}{suffix}", self.kind, self.month)
    }
}

/// What is said of a file of another service, or for another operating system.
const EMPTY: &str = "it has no prices of machines with Linux";

/// What became of a region's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Count {
    added: usize,
    changed: usize,
    same: usize,
    better: usize,
    odd: usize,
    sizes: usize,
    other_sizes: Vec<String>,
    taken: BTreeSet<String>,
}

/// An update of the table, and what it did.
#[derive(Clone, Debug, Default)]
pub struct Update {
    month: Option<String>,
    regions: BTreeMap<String, Count>,
    without_file: Vec<String>,
}

impl Update {
    /// Begins one. A month given here stands for the files' own.
    pub fn new(month: Option<Published>) -> Self {
        Self { month: month.map(|published| published.month), ..Self::default() }
    }

    fn published(&self, kind: &'static str, at: Option<Timestamp>) -> Result<Published, String> {
        let own = at.map(|at| at.strftime("%Y-%m").to_string());
        let month = self.month.clone().or(own);
        month
            .map(|month| Published { kind, month })
            .ok_or("it does not say when it was published: see --month".to_owned())
    }

    /// Notes that nobody brought a region's file.
    pub fn without_file(&mut self, region: &str) {
        self.without_file.push(region.to_owned());
    }

    /// Takes a region's price page into the table.
    pub fn page(&mut self, table: &mut PriceTable, region: &str, page: &Page) -> Result<(), String> {
        let published = self.published("price-page", page.published)?;
        if page.types.is_empty() {
            return Err(EMPTY.to_owned());
        }
        let count = self.regions.entry(region.to_owned()).or_default();
        for (instance_type, offered) in &page.types {
            table.take(region, instance_type, Listed { offered: *offered, estimated: false }, &published, count);
            count.taken.insert(instance_type.to_string());
        }
        Ok(())
    }

    /// Takes a price list into the table, with the Local Zones that are in it.
    pub fn offers(&mut self, table: &mut PriceTable, list: &Ec2List) -> Result<(), String> {
        let published = self.published("price-list", list.published)?;
        if list.regions.is_empty() {
            return Err(EMPTY.to_owned());
        }
        for (region, types) in &list.regions {
            let count = self.regions.entry(region.to_string()).or_default();
            for (instance_type, listed) in types {
                table.take(region, instance_type, *listed, &published, count);
                count.taken.insert(instance_type.to_string());
            }
        }
        Ok(())
    }

    /// What was done, region by region, and what was left alone.
    pub fn summary(&self, table: &PriceTable, packed: usize) -> String {
        let mut text = String::new();
        let mut say = |line: String| text.extend([&line, "\n"]);
        for (region, count) in &self.regions {
            let rows = table.rows_of(region);
            let Count { added, changed, same, better, odd, .. } = count;
            let kept = rows - count.taken.iter().filter(|name| table.has(region, name)).count();
            let mut parts = vec![format!("{added} added"), format!("{changed} changed"), format!("{same} confirmed")];
            let mut also = |n: usize, what: &str| parts.extend((n > 0).then(|| format!("{n} {what}")));
            also(kept, "kept that the files do not have");
            also(*better, "kept that are newer or exact");
            also(*odd, "left out that make no sense");
            let line = format!("{region}: {rows} rows; {}", parts.join(", "));
            say(line);
        }
        let named: BTreeSet<&str> = table.prices.keys().map(|(region, _)| region.as_str()).collect();
        for region in named.iter().filter(|region| !self.regions.contains_key(**region)) {
            say(format!("{region}: {} rows, all kept as they were", table.rows_of(region)));
        }
        if !self.without_file.is_empty() {
            say(format!("no file of {}", self.without_file.join(", ")));
        }
        let added: usize = self.regions.values().map(|count| count.sizes).sum();
        let other: BTreeSet<&str> = self.regions.values().flat_map(|c| &c.other_sizes).map(String::as_str).collect();
        say(format!("sizes: {} types, {added} added", table.sizes.len()));
        if !other.is_empty() {
            let other: Vec<&str> = other.into_iter().collect();
            say(format!("sizes that the files give otherwise, kept: {}", other.join(", ")));
        }
        let used: BTreeSet<&str> = table.prices.values().map(|price| price.source.as_str()).collect();
        let unused = table.sources.keys().map(String::as_str).filter(|name| !used.contains(name));
        let unused: Vec<&str> = unused.collect();
        if !unused.is_empty() {
            say(format!("sources that no row names any more, taken out: {}", unused.join(", ")));
        }
        say(format!("all: {} prices, {} regions, {packed} bytes packed", table.prices.len(), named.len()));
        text
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use nodeglass::source::prices::read::price_page::Offered;
    use pretty_assertions::assert_eq;

    fn text(name: &str) -> String {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/prices").join(name);
        std::fs::read_to_string(path).unwrap()
    }

    const PRICES: &str = "region,instance_type,usd_per_hour,source\n\
        eu-west-1,m5.large,0.1070,karpenter-2026-07\n\
        eu-west-1,m5.metal,5,estimated\n\
        us-east-1,c6g.metal,2.176,karpenter-2026-07\n\
        us-east-1,m5.large,0.096,libcloud-2025-03\n\
        us-east-1,t1.micro,0.02,libcloud-2025-03\n";
    const SPECS: &str = "instance_type,vcpu,memory_mib\nm5.large,2,8192\nt1.micro,1,627\n";
    const SOURCES: &str = "source,published,estimated\nestimated,2026-07,yes\nkarpenter-2026-07,2026-07,no\n\
        libcloud-2025-03,2025-03,no\n";

    fn table() -> PriceTable {
        PriceTable::read(Files { prices: PRICES, specs: SPECS, sources: SOURCES }).unwrap()
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
        let (mut table, mut update) = (table(), Update::new(None));
        update.offers(&mut table, list).unwrap();
        let texts = table.write();
        let packed = texts.packed().unwrap();
        assert!(packed > 0);
        let summary = update.summary(&table, 1);
        (texts, summary)
    }

    /// The table in the repository.
    pub(crate) fn committed() -> PriceTable {
        let (prices, specs, sources) = (text("ondemand.csv"), text("specs.csv"), text("sources.csv"));
        PriceTable::read(Files { prices: &prices, specs: &specs, sources: &sources }).unwrap()
    }

    #[test]
    fn the_real_table_is_written_as_it_is_read() {
        let (prices, specs, sources) = (text("ondemand.csv"), text("specs.csv"), text("sources.csv"));
        let written = committed().write();
        // Compared as wholes, not shown: a megabyte of differences helps nobody.
        assert!(written == Texts { prices, specs, sources });
        assert!(written.packed().unwrap() < 30_000);
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
            eu-west-1,m5.large,0.1070,karpenter-2026-07\n\
            eu-west-1,m5.metal,5,estimated\n\
            us-east-1,c6g.metal,2.176,karpenter-2026-07\n\
            us-east-1,m5.large,0.096,price-list-2026-11\n\
            us-east-1,m9x.large,0.123457,price-list-2026-11\n\
            us-east-1,t1.micro,0.03,price-list-2026-11\n\
            us-west-2-lax-1,m5.large,10,price-list-2026-11\n";
        assert_eq!(texts.prices, expected);
        assert_eq!(texts.specs, "instance_type,vcpu,memory_mib\nm5.large,2,8192\nm9x.large,2,8192\nt1.micro,1,627\n");
        let sources = "source,published,estimated\nestimated,2026-07,yes\nkarpenter-2026-07,2026-07,no\n\
            price-list-2026-11,2026-11,no\n";
        assert_eq!(texts.sources, sources);
        let said = "us-east-1: 4 rows; 1 added, 1 changed, 1 confirmed, 1 kept that the files do not have\n\
            us-west-2-lax-1: 1 rows; 1 added, 0 changed, 0 confirmed\n\
            eu-west-1: 2 rows, all kept as they were\n\
            sizes: 3 types, 1 added\n\
            sizes that the files give otherwise, kept: t1.micro\n\
            sources that no row names any more, taken out: libcloud-2025-03\n\
            all: 7 prices, 3 regions, 1 bytes packed\n";
        assert_eq!(summary, said);
    }

    #[test]
    fn a_better_row_is_not_replaced() {
        let older = list(
            "2025-12",
            &[("us-east-1", "c6g.metal", listed("9", None)), ("us-east-1", "m5.large", listed("9", None))],
        );
        let (texts, summary) = updated(&older);
        assert!(texts.prices.contains("us-east-1,c6g.metal,2.176,karpenter-2026-07\n"), "an older price");
        assert!(texts.prices.contains("us-east-1,m5.large,9,price-list-2025-12\n"), "a newer price");
        assert!(summary.contains("us-east-1: 3 rows; 0 added, 1 changed, 0 confirmed, 1 kept that the files do not have, 1 kept that are newer or exact"), "{summary}");

        let tenancies = [("us-east-1", "c6g.metal", stand_in("2.3066")), ("eu-west-1", "m5.metal", stand_in("5.8"))];
        let (texts, _) = updated(&list("2026-11", &tenancies));
        assert!(
            texts.prices.contains("us-east-1,c6g.metal,2.176,karpenter-2026-07\n"),
            "dedicated stands in for nothing"
        );
        assert!(texts.prices.contains("eu-west-1,m5.metal,5.8,price-list-2026-11-dedicated\n"), "a better estimate");
        assert!(texts.sources.contains("price-list-2026-11-dedicated,2026-11,yes\n"));
        let exact = updated(&list("2025-01", &[("eu-west-1", "m5.metal", listed("5.5", None))])).0;
        assert!(exact.prices.contains("eu-west-1,m5.metal,5.5,price-list-2025-01\n"), "an old price, but no estimate");
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
        assert_eq!(texts.prices, PRICES);
        assert!(
            summary.contains("0 confirmed, 3 kept that the files do not have, 4 left out that make no sense"),
            "{summary}"
        );
    }

    #[test]
    fn a_file_without_prices_is_the_wrong_file() {
        assert_eq!(Update::new(None).offers(&mut table(), &list("2026-11", &[])).unwrap_err(), EMPTY);
        let page = Page { published: list("2026-11", &[]).published, ..Page::default() };
        assert_eq!(Update::new(None).page(&mut table(), "us-east-1", &page).unwrap_err(), EMPTY);
    }

    #[test]
    fn a_file_without_a_date_needs_a_month() {
        let mut undated = list("2026-11", &[("us-east-1", "m5.large", listed("0.1", None))]);
        undated.published = None;
        let error = Update::new(None).offers(&mut table(), &undated).unwrap_err();
        assert_eq!(error, "it does not say when it was published: see --month");
        let mut table = table();
        Update::new(Some(Published::of_month("2026-12").unwrap())).offers(&mut table, &undated).unwrap();
        assert!(table.write().prices.contains("us-east-1,m5.large,0.1,price-list-2026-12\n"));
    }
}
