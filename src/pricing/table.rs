//! The price table embedded in the program: AWS's prices of Linux on shared tenancy, by price region and instance type.
//!
//! Unpacked once, at the first question (about a millisecond). A region that the table lacks never has the price of another.

use super::quote::Figure;
use crate::units::Money;
use std::sync::OnceLock;

/// The size of an instance type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Virtual processors.
    pub vcpu: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
}

/// The unpacked table; its lists are sorted by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Table {
    types: Vec<(String, Option<Size>)>,
    regions: Vec<(String, Vec<Price>)>,
    sources: Vec<Source>,
}

/// A price of a region; a region's prices are sorted by type.
#[derive(Debug, PartialEq, Eq)]
struct Price {
    /// Position in [`Table::types`].
    type_at: u16,
    /// Position in [`Table::sources`].
    source_at: u8,
    /// Millionths of a dollar an hour.
    micros: u32,
}

/// Where prices of the table come from.
#[derive(Debug, PartialEq, Eq)]
struct Source {
    /// Month (`2026-07`) in which the prices were published.
    published: String,
    /// Whether the prices are estimates.
    estimated: bool,
}

/// The table that the build script packed.
pub fn table() -> &'static Table {
    static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/prices.bin"));
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| Table::unpack(PACKED).unwrap_or_default())
}

impl Table {
    /// Unpacks the form that `table_files.rs` describes; `None` if the bytes do not have it.
    fn unpack(packed: &[u8]) -> Option<Self> {
        let plain = miniz_oxide::inflate::decompress_to_vec_zlib(packed).ok()?;
        let mut parts = plain.splitn(4, |byte| *byte == b'\n');
        let mut line = || Some(std::str::from_utf8(parts.next()?).ok()?.split(' '));
        let (regions, sources, types) = (line()?, line()?, line()?);
        let sources = sources.map(|source| Source {
            published: source.trim_start_matches('~').to_owned(),
            estimated: source.starts_with('~'),
        });
        let types = types.map(|name_and_size| {
            let Some((name, size)) = name_and_size.split_once(',') else {
                return Some((name_and_size.to_owned(), None));
            };
            let (vcpu, memory_mib) = size.split_once(',')?;
            let size = Size { vcpu: vcpu.parse().ok()?, memory_mib: memory_mib.parse().ok()? };
            Some((name.to_owned(), Some(size)))
        });
        let types: Vec<_> = types.collect::<Option<_>>()?;

        let mut blocks = parts.next()?.chunks_exact(types.len() * 5);
        let regions = regions.map(|region| {
            let (micros, sources_at) = blocks.next()?.split_at_checked(types.len() * 4)?;
            let cells = micros.as_chunks().0.iter().map(|micros| u32::from_le_bytes(*micros)).zip(sources_at);
            let prices = (0..).zip(cells).filter(|(_, (micros, _))| *micros > 0);
            let prices = prices.map(|(type_at, (micros, source_at))| Price { type_at, source_at: *source_at, micros });
            Some((region.to_owned(), prices.collect()))
        });
        let regions = regions.collect::<Option<_>>()?;
        Some(Self { types, regions, sources: sources.collect() })
    }

    /// The price of an instance type in a price region.
    pub fn on_demand(&'static self, region: &str, instance_type: &str) -> Option<Figure> {
        let (price, source) = self.row(region, instance_type)?;
        let amount = Money::from_nanos(i64::from(price.micros) * 1000);
        Some(Figure::embedded(amount, source.estimated, &source.published))
    }

    /// Whether the table has prices of a price region.
    pub fn has_region(&self, region: &str) -> bool {
        self.region(region).is_some()
    }

    fn region(&self, region: &str) -> Option<&[Price]> {
        let at = self.regions.binary_search_by(|(name, _)| name.as_str().cmp(region)).ok()?;
        self.regions.get(at).map(|(_, prices)| prices.as_slice())
    }

    fn row(&self, region: &str, instance_type: &str) -> Option<(&Price, &Source)> {
        let (prices, type_at) = (self.region(region)?, self.type_at(instance_type)?);
        let at = prices.binary_search_by_key(&type_at, |price| usize::from(price.type_at)).ok()?;
        let price = prices.get(at)?;
        Some((price, self.sources.get(usize::from(price.source_at))?))
    }

    /// The size of an instance type, if the table has it.
    pub fn size(&self, instance_type: &str) -> Option<Size> {
        self.types.get(self.type_at(instance_type)?)?.1
    }

    fn type_at(&self, instance_type: &str) -> Option<usize> {
        self.types.binary_search_by(|(name, _)| name.as_str().cmp(instance_type)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::table_files::{self, CsvTable, is_estimated, month_of};
    use crate::pricing::{AsOf, PriceBook, Unknown};
    use std::collections::BTreeSet;
    use test_case::test_case;

    const PRICES: &str = include_str!("../../assets/prices/ondemand.csv");
    const SPECS: &str = include_str!("../../assets/prices/specs.csv");

    #[test]
    fn every_row_of_the_price_file_comes_back_exactly() {
        let mut rows = csv::Reader::from_reader(PRICES.as_bytes());
        let (mut exact, mut estimated) = (0, 0);
        let mut regions = BTreeSet::new();
        for row in rows.records() {
            let row = row.unwrap();
            let price = table().on_demand(&row[0], &row[1]).unwrap();
            assert_eq!(price.amount, row[2].parse().unwrap(), "{row:?}");
            let AsOf::Month(published) = price.origin.as_of else { panic!("{row:?}") };
            assert_eq!((Some(published), price.estimated), (month_of(&row[3]), is_estimated(&row[3])), "{row:?}");
            *(if price.estimated { &mut estimated } else { &mut exact }) += 1;
            regions.insert(row[0].to_owned());
        }
        // The coverage that the documents state; a new table changes these numbers together with its file.
        assert_eq!((exact, estimated, regions.len()), (16_999, 5_872, 35));
        let prices: usize = table().regions.iter().map(|(_, prices)| prices.len()).sum();
        assert_eq!(prices, exact + estimated, "the table holds nothing else");
    }

    #[test]
    fn every_size_comes_back_exactly() {
        let mut rows = csv::Reader::from_reader(SPECS.as_bytes());
        for row in rows.records() {
            let row = row.unwrap();
            let size = Size { vcpu: row[1].parse().unwrap(), memory_mib: row[2].parse().unwrap() };
            assert_eq!(table().size(&row[0]), Some(size), "{row:?}");
        }
        assert_eq!(table().size("g4ad.xlarge"), None, "priced, but of unknown size");
        assert_eq!(table().size("m9x.large"), None);
    }

    #[test]
    fn the_embedded_table_is_the_files_and_stays_small() {
        let packed = include_bytes!(concat!(env!("OUT_DIR"), "/prices.bin"));
        assert_eq!(read(PRICES, SPECS).unwrap().pack().as_deref(), Ok(packed.as_slice()));
        let prices: usize = table().regions.iter().map(|(_, prices)| prices.len()).sum();
        let type_bytes = size_of::<(String, Option<Size>)>() + 16;
        let resident = prices * size_of::<Price>() + table().types.len() * type_bytes;
        assert!(resident < 300_000, "{resident} bytes resident");
    }

    #[test_case("ap-northeast-2", "c5a.large" => Ok("0.086".to_owned()))]
    #[test_case("ap-northeast-2", "c5a.2xlarge" => Ok("0.344".to_owned()))]
    #[test_case("us-west-2-lax-1", "c5.12xlarge" => Ok("2.448".to_owned()))]
    #[test_case("cn-north-1", "c5.large" => Err(Unknown::Region))]
    #[test_case("ap-northeast-2", "m9x.large" => Err(Unknown::Type))]
    #[test_case("us-east-1", "" => Err(Unknown::Type))]
    #[test_case("us-east-1", "c5" => Err(Unknown::Type))]
    #[test_case("us-east-1", "c5a.LARGE" => Err(Unknown::Type))]
    #[test_case("", "c5.large" => Err(Unknown::Region))]
    #[test_case("us-east-1", "mac2.metal" => Err(Unknown::Type) ; "its size is known, its price is not")]
    fn on_demand(region: &str, instance_type: &str) -> Result<String, Unknown> {
        PriceBook::embedded().on_demand(region, instance_type).map(|price| price.amount.to_string())
    }

    /// Hosts run at the Shared price; the Dedicated one is 6–10 % dearer and is what Karpenter's own table holds.
    #[test]
    fn metal_uses_shared_tenancy_price() {
        let price = |region, name| table().on_demand(region, name).unwrap().amount.to_string();
        assert_eq!(price("us-east-1", "c6g.metal"), "2.176");
        assert_eq!(price("ap-northeast-2", "c6g.metal"), "2.464");
        assert_eq!(price("us-east-1", "m7i.metal-24xl"), "4.8384");
    }

    const PRICE_HEADER: &str = "region,instance_type,usd_per_hour,source\n";
    const SPEC_HEADER: &str = "instance_type,vcpu,memory_mib\n";

    fn read(prices: &str, specs: &str) -> Result<CsvTable, String> {
        CsvTable::read(|path| {
            let texts = [(table_files::PRICES, prices), (table_files::SPECS, specs)];
            Ok(texts.into_iter().find(|(name, _)| *name == path).unwrap().1.to_owned())
        })
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
    #[test_case("us-east-1,a1.large,1,guess\n" => "assets/prices/ondemand.csv:2: source `guess` has no month of publication, such as karpenter-2026-07")]
    #[test_case("us-east-1,b1.large,1,karpenter-2026-07\nus-east-1,a1.large,1,karpenter-2026-07\n" => "assets/prices/ondemand.csv:3: `us-east-1,a1.large` comes after `us-east-1,b1.large`: sort the rows, and give each pair once")]
    #[test_case("us-east-1,a1.large,1,karpenter-2026-07\nus-east-1,a1.large,2,karpenter-2026-07\n" => "assets/prices/ondemand.csv:3: `us-east-1,a1.large` comes after `us-east-1,a1.large`: sort the rows, and give each pair once" ; "a pair given twice")]
    fn a_malformed_price_file_names_file_and_line(rows: &str) -> String {
        let with_header = rows.is_empty() || rows.starts_with("region");
        let text = if with_header { rows.to_owned() } else { format!("{PRICE_HEADER}{rows}") };
        read(&text, &format!("{SPEC_HEADER}a1.large,2,4096\n")).unwrap_err()
    }

    #[test_case("a1.large,two,4096\n" => "assets/prices/specs.csv:2: vcpu `two` is not a whole number above 0")]
    #[test_case("a1.large,2,0\n" => "assets/prices/specs.csv:2: memory_mib `0` is not a whole number above 0")]
    #[test_case("b1.large,2,4096\na1.large,2,4096\n" => "assets/prices/specs.csv:3: `a1.large` comes after `b1.large`: sort the rows, and give each type once")]
    fn a_malformed_size_file_names_file_and_line(rows: &str) -> String {
        let prices = format!("{PRICE_HEADER}us-east-1,a1.large,1,karpenter-2026-07\n");
        read(&prices, &format!("{SPEC_HEADER}{rows}")).unwrap_err()
    }

    #[test_case("karpenter-2026-07" => (Some("2026-07"), false))]
    #[test_case("libcloud-2025-03-confirmed" => (Some("2025-03"), false))]
    #[test_case("estimated-by-size-2023-01" => (Some("2023-01"), true))]
    #[test_case("ec2-list-2026-11-dedicated" => (Some("2026-11"), true))]
    #[test_case("karpenter-2026-13" => (None, false) ; "no such month")]
    #[test_case("karpenter-2026-7" => (None, false) ; "one digit")]
    fn the_name_of_a_source_has_its_month(source: &str) -> (Option<&str>, bool) {
        (month_of(source), is_estimated(source))
    }

    #[test]
    fn bytes_of_another_format_are_refused() {
        let packed = include_bytes!(concat!(env!("OUT_DIR"), "/prices.bin"));
        let pack = |plain: &[u8]| miniz_oxide::deflate::compress_to_vec_zlib(plain, 6);
        assert_eq!(Table::unpack(packed).as_ref(), Some(table()));
        assert_eq!(Table::unpack(&[]), None);
        assert_eq!(Table::unpack(&packed[..packed.len() / 2]), None);
        assert_eq!(Table::unpack(&pack(b"")), None);
        assert_eq!(Table::unpack(&pack(b"us-east-1\n2026-07\na1.large,2\n\0\0\0\0\0")), None, "half a size");
        assert_eq!(Table::unpack(&pack(b"us-east-1\n2026-07\na1.large,2,4096\n\0\0\0\0")), None, "half a block");
        assert!(Table::unpack(&pack(b"us-east-1\n2026-07\na1.large,2,4096\n\0\0\0\0\0")).is_some());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn any_table_survives_packing(
            rows in proptest::collection::btree_map(
                ("[a-c]{1,2}-[1-3]", "[a-z][1-9]", proptest::sample::select(vec![
                    "nano", "large", "xlarge", "2xlarge", "48xlarge", "metal", "metal-24xl", "odd",
                ])),
                (1_u32..=u32::MAX, proptest::sample::select(vec!["karpenter-2026-07", "estimated-by-size-2023-01"])),
                1..60,
            ),
        ) {
            let mut lines: Vec<(String, String, u32, &str)> = rows
                .into_iter()
                .map(|((region, family, size), (micros, source))| (region, format!("{family}.{size}"), micros, source))
                .collect();
            lines.sort();
            let text = lines.iter().fold(PRICE_HEADER.to_owned(), |text, (region, name, micros, source)| {
                text + &format!("{region},{name},{}.{:06},{source}\n", micros / 1_000_000, micros % 1_000_000)
            });
            let table = read(&text, &format!("{SPEC_HEADER}a1.large,2,4096\n")).unwrap();
            let back = Table::unpack(&table.pack().unwrap()).unwrap();
            proptest::prop_assert_eq!(back.regions.iter().map(|(_, prices)| prices.len()).sum::<usize>(), lines.len());
            for (region, name, micros, source_name) in &lines {
                let (price, source) = back.row(region, name).unwrap();
                proptest::prop_assert_eq!(price.micros, *micros);
                let (published, estimated) = (month_of(source_name).unwrap().to_owned(), is_estimated(source_name));
                proptest::prop_assert_eq!(source, &Source { published, estimated });
            }
        }
    }
}
