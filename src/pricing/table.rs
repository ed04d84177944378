//! The price table in the program: what AWS asks for Linux on shared tenancy, by region and instance type.
//!
//! Unpacked once, on the first question (some milliseconds); afterwards an answer is two binary searches. A region or a
//! type the table lacks is an error that says which: no other region's price is ever given in its place.

use super::origin::{AsOf, Origin, PriceSource};
use super::pack::{Size, Table, size_order};
use crate::units::Money;
use std::sync::OnceLock;

/// A published (or, where it says so, estimated) on-demand price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPrice {
    /// An hour, in what the region is billed in.
    pub amount: Money,
    /// The figure is an estimate.
    pub estimated: bool,
    /// Who said it when.
    pub origin: Origin,
}

/// Which part of the question the table has no answer to. Completes "failed to price …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Nothing at all is known of the region.
    #[error("its region is not in the price table")]
    Region,
    /// The region is there, the instance type is not (in it).
    #[error("its type is not in the price table of its region")]
    Type,
}

/// The table, unpacked.
pub fn embedded() -> &'static Table {
    static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/prices.bin"));
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| Table::unpack(PACKED).expect("the build script unpacked the same bytes before embedding them"))
}

impl Table {
    /// The price of a type in a price region. The table is the program's own, so its texts outlive every price.
    pub fn on_demand(&'static self, region: &str, instance_type: &str) -> Result<ListPrice, Missing> {
        let at = self.price_at(region, instance_type)?;
        let source = &self.sources[usize::from(self.source_of[at])];
        Ok(ListPrice {
            amount: Money::from_nanos(i64::from(self.micros[at]) * 1000),
            estimated: source.estimated,
            origin: Origin {
                source: if source.estimated { PriceSource::EmbeddedEstimate } else { PriceSource::Embedded },
                as_of: AsOf::Month(&source.published),
            },
        })
    }

    /// The position of a price.
    fn price_at(&self, region: &str, instance_type: &str) -> Result<usize, Missing> {
        let region = search(self.regions.len(), |at| self.regions.get(at).cmp(region)).ok_or(Missing::Region)?;
        let instance_type = self.type_at(instance_type).ok_or(Missing::Type)?;
        let start = region.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        let run = &self.type_of[start..self.ends[region] as usize];
        let at = run.binary_search_by(|at| usize::from(*at).cmp(&instance_type)).ok().ok_or(Missing::Type)?;
        Ok(start + at)
    }

    /// What a type is made of, where the table says.
    pub fn size(&self, instance_type: &str) -> Option<Size> {
        let size = *self.sizes.get(self.type_at(instance_type)?)?;
        (size != Size::default()).then_some(size)
    }

    fn type_at(&self, instance_type: &str) -> Option<usize> {
        let wanted = size_order(instance_type);
        search(self.types.len(), |at| size_order(self.types.get(at)).cmp(&wanted))
    }
}

/// Binary search among positions below `count`.
fn search(count: usize, compare: impl Fn(usize) -> std::cmp::Ordering) -> Option<usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = usize::midpoint(low, high);
        match compare(middle) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Equal => return Some(middle),
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::pack::Source;
    use crate::pricing::pack_write::Files;
    use crate::pricing::{pack, pack_write};
    use std::collections::BTreeSet;
    use test_case::test_case;

    const PRICES: &str = include_str!("../../assets/prices/ondemand.csv");
    const SPECS: &str = include_str!("../../assets/prices/specs.csv");
    const SOURCES: &str = include_str!("../../assets/prices/sources.csv");

    #[test]
    fn every_row_of_the_price_file_comes_back_exactly() {
        let mut rows = csv::Reader::from_reader(PRICES.as_bytes());
        let (mut exact, mut estimated) = (0, 0);
        let mut regions = BTreeSet::new();
        for row in rows.records() {
            let row = row.unwrap();
            let price = embedded().on_demand(&row[0], &row[1]).unwrap();
            assert_eq!(price.amount, row[2].parse().unwrap(), "{row:?}");
            let source = embedded().sources.iter().find(|s| s.name == row[3]).unwrap();
            let expected = (AsOf::Month(&source.published), source.estimated);
            assert_eq!((price.origin.as_of, price.estimated), expected, "{row:?}");
            *(if price.estimated { &mut estimated } else { &mut exact }) += 1;
            regions.insert(row[0].to_owned());
        }
        // The coverage the documents speak of; a new table changes these numbers together with its file.
        assert_eq!((exact, estimated, regions.len()), (16_999, 5_872, 35));
        assert_eq!(embedded().micros.len(), exact + estimated, "the table holds nothing else");
    }

    #[test]
    fn every_source_comes_back_exactly() {
        let mut rows = csv::Reader::from_reader(SOURCES.as_bytes());
        let read = rows.records().map(|row| {
            let row = row.unwrap();
            Source { name: row[0].to_owned(), published: row[1].to_owned(), estimated: &row[2] == "yes" }
        });
        assert_eq!(embedded().sources, read.collect::<Vec<_>>());
    }

    #[test]
    fn every_size_comes_back_exactly() {
        let mut rows = csv::Reader::from_reader(SPECS.as_bytes());
        for row in rows.records() {
            let row = row.unwrap();
            let size = Size { vcpu: row[1].parse().unwrap(), memory_mib: row[2].parse().unwrap() };
            assert_eq!(embedded().size(&row[0]), Some(size), "{row:?}");
        }
        assert_eq!(embedded().size("g4ad.xlarge"), None, "priced, but of unknown size");
        assert_eq!(embedded().size("m9x.large"), None);
    }

    #[test]
    fn the_embedded_table_is_that_of_the_files_and_stays_small() {
        let packed = include_bytes!(concat!(env!("OUT_DIR"), "/prices.bin"));
        let files = Files { prices: PRICES, specs: SPECS, sources: SOURCES };
        assert_eq!(pack_write::embed(files).as_deref(), Ok(packed.as_slice()));
        let table = embedded();
        let resident = table.types.len() * 32 + table.micros.len() * 7;
        assert!(resident < 300_000, "{resident} bytes resident");
    }

    #[test_case("ap-northeast-2", "c5a.large" => Ok("0.086".to_owned()))]
    #[test_case("ap-northeast-2", "c5a.2xlarge" => Ok("0.344".to_owned()))]
    #[test_case("us-west-2-lax-1", "c5.12xlarge" => Ok("2.448".to_owned()))]
    #[test_case("cn-north-1", "c5.large" => Err(Missing::Region))]
    #[test_case("ap-northeast-2", "m9x.large" => Err(Missing::Type))]
    #[test_case("us-east-1", "" => Err(Missing::Type))]
    #[test_case("us-east-1", "c5" => Err(Missing::Type))]
    #[test_case("us-east-1", "c5a.LARGE" => Err(Missing::Type))]
    #[test_case("", "c5.large" => Err(Missing::Region))]
    #[test_case("us-east-1", "mac2.metal" => Err(Missing::Type) ; "its size is known, its price is not")]
    fn on_demand(region: &str, instance_type: &str) -> Result<String, Missing> {
        embedded().on_demand(region, instance_type).map(|price| price.amount.to_string())
    }

    /// Hosts run at the Shared price; the Dedicated one is 6–10 % dearer and is what Karpenter's own table holds.
    #[test]
    fn metal_uses_shared_tenancy_price() {
        let price = |region, name| embedded().on_demand(region, name).unwrap().amount.to_string();
        assert_eq!(price("us-east-1", "c6g.metal"), "2.176");
        assert_eq!(price("ap-northeast-2", "c6g.metal"), "2.464");
        assert_eq!(price("us-east-1", "m7i.metal-24xl"), "4.8384");
    }

    const PRICE_HEADER: &str = "region,instance_type,usd_per_hour,source\n";
    const SPEC_HEADER: &str = "instance_type,vcpu,memory_mib\n";

    fn read(prices: &str, specs: &str, sources: &str) -> Result<Table, String> {
        pack_write::read(Files { prices, specs, sources }).map_err(|bad| bad.to_string())
    }

    #[test_case("region,type\n" => "assets/prices/ondemand.csv:1: the header is not `region,instance_type,usd_per_hour,source`")]
    #[test_case("" => "assets/prices/ondemand.csv:1: the header is not `region,instance_type,usd_per_hour,source`" ; "an empty file")]
    #[test_case(PRICE_HEADER => "assets/prices/ondemand.csv:2: there is no row below the header" ; "a header alone")]
    #[test_case("us-east-1,a1.large,1\n" => "assets/prices/ondemand.csv:2: has 3 columns where 4 are expected (region,instance_type,usd_per_hour,source)")]
    #[test_case("us-east-1,a1.large,1,karpenter-2026-07\n\n" => "assets/prices/ondemand.csv:3: has 1 columns where 4 are expected (region,instance_type,usd_per_hour,source)" ; "an empty line")]
    #[test_case("US,a1.large,1,karpenter-2026-07\n" => "assets/prices/ondemand.csv:2: region `US` is not of lower-case letters, digits and dashes")]
    #[test_case("us-east-1,large,1,karpenter-2026-07\n" => "assets/prices/ondemand.csv:2: instance type `large` is not of the form family.size")]
    #[test_case("us-east-1,a1.large,inf,karpenter-2026-07\n" => "assets/prices/ondemand.csv:2: price `inf` is not a decimal number such as 0.0860")]
    #[test_case("us-east-1,a1.large,-1,karpenter-2026-07\n" => "assets/prices/ondemand.csv:2: price `-1` is not a decimal number such as 0.0860")]
    #[test_case("us-east-1,a1.large,0.00,karpenter-2026-07\n" => "assets/prices/ondemand.csv:2: price `0.00` is 0 or above 4294 dollars an hour: leave out what has no price")]
    #[test_case("us-east-1,a1.large,5000,karpenter-2026-07\n" => "assets/prices/ondemand.csv:2: price `5000` is 0 or above 4294 dollars an hour: leave out what has no price")]
    #[test_case("us-east-1,a1.large,0.0000001,karpenter-2026-07\n" => "assets/prices/ondemand.csv:2: price `0.0000001` has more than 6 decimals; the packed form holds millionths")]
    #[test_case("us-east-1,a1.large,1,guess\n" => "assets/prices/ondemand.csv:2: source `guess` is not in assets/prices/sources.csv")]
    #[test_case("us-east-1,b1.large,1,karpenter-2026-07\nus-east-1,a1.large,1,karpenter-2026-07\n" => "assets/prices/ondemand.csv:3: `us-east-1,a1.large` comes after `us-east-1,b1.large`: sort the rows, and give each pair once")]
    #[test_case("us-east-1,a1.large,1,karpenter-2026-07\nus-east-1,a1.large,2,karpenter-2026-07\n" => "assets/prices/ondemand.csv:3: `us-east-1,a1.large` comes after `us-east-1,a1.large`: sort the rows, and give each pair once" ; "a pair given twice")]
    fn a_malformed_price_file_names_file_and_line(rows: &str) -> String {
        let with_header = rows.is_empty() || rows.starts_with("region");
        let text = if with_header { rows.to_owned() } else { format!("{PRICE_HEADER}{rows}") };
        read(&text, &format!("{SPEC_HEADER}a1.large,2,4096\n"), SOURCES).unwrap_err()
    }

    #[test_case("a1.large,two,4096\n" => "assets/prices/specs.csv:2: vcpu `two` is not a whole number above 0")]
    #[test_case("a1.large,2,0\n" => "assets/prices/specs.csv:2: memory_mib `0` is not a whole number above 0")]
    #[test_case("b1.large,2,4096\na1.large,2,4096\n" => "assets/prices/specs.csv:3: `a1.large` comes after `b1.large`: sort the rows, and give each type once")]
    fn a_malformed_size_file_names_file_and_line(rows: &str) -> String {
        let prices = format!("{PRICE_HEADER}us-east-1,a1.large,1,karpenter-2026-07\n");
        read(&prices, &format!("{SPEC_HEADER}{rows}"), SOURCES).unwrap_err()
    }

    #[test_case("b,2026-07,yes\na,2026-07,no\n" => "assets/prices/sources.csv:3: `a` comes after `b`: sort the rows, and give each source once")]
    #[test_case("a,2026-13,yes\n" => "assets/prices/sources.csv:2: published `2026-13` is not a month such as 2026-07")]
    #[test_case("a,2026-7,yes\n" => "assets/prices/sources.csv:2: published `2026-7` is not a month such as 2026-07")]
    #[test_case("a,2026-07,true\n" => "assets/prices/sources.csv:2: estimated `true` is neither yes nor no")]
    fn a_malformed_source_file_names_file_and_line(rows: &str) -> String {
        let prices = format!("{PRICE_HEADER}us-east-1,a1.large,1,a\n");
        let sources = format!("source,published,estimated\n{rows}");
        read(&prices, &format!("{SPEC_HEADER}a1.large,2,4096\n"), &sources).unwrap_err()
    }

    #[test]
    fn bytes_of_another_format_are_refused() {
        let packed = pack_write::pack(embedded());
        assert_eq!(pack::Table::unpack(&packed).as_ref(), Some(embedded()));
        assert_eq!(pack::Table::unpack(&[]), None);
        assert_eq!(pack::Table::unpack(&packed[..packed.len() / 2]), None);
        let short = miniz_oxide::deflate::compress_to_vec_zlib(&[1, 0, 9, b'x'], 6);
        assert_eq!(pack::Table::unpack(&short), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn any_table_survives_packing(
            rows in proptest::collection::btree_map(
                ("[a-c]{1,2}-[1-3]", "[a-z][1-9]", proptest::sample::select(vec![
                    "nano", "large", "xlarge", "2xlarge", "48xlarge", "metal", "metal-24xl", "odd",
                ])),
                (1_u32..=u32::MAX, 0_usize..embedded().sources.len()),
                1..60,
            ),
        ) {
            let mut lines: Vec<(String, String, u32, &str)> = rows
                .into_iter()
                .map(|((region, family, size), (micros, source))| {
                    (region, format!("{family}.{size}"), micros, embedded().sources[source].name.as_str())
                })
                .collect();
            lines.sort();
            let text = lines.iter().fold(PRICE_HEADER.to_owned(), |text, (region, name, micros, source)| {
                text + &format!("{region},{name},{}.{:06},{source}\n", micros / 1_000_000, micros % 1_000_000)
            });
            let table = read(&text, &format!("{SPEC_HEADER}a1.large,2,4096\n"), SOURCES).unwrap();
            let back = pack::Table::unpack(&pack_write::pack(&table)).unwrap();
            proptest::prop_assert_eq!(&back, &table);
            for (region, name, micros, source) in &lines {
                let at = back.price_at(region, name).unwrap();
                proptest::prop_assert_eq!(back.micros[at], *micros);
                proptest::prop_assert_eq!(&back.sources[usize::from(back.source_of[at])].name, source);
            }
        }
    }
}
