use super::*;
use nodeglass::pricing::Size;
use nodeglass::source::prices::read::ec2_list::Ec2List;
use nodeglass::source::prices::read::price_page::Offered;
use pretty_assertions::assert_eq;

fn text(path: &str) -> Result<String, String> {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).map_err(|why| why.to_string())
}

const PRICES_TEXT: &str = "region,instance_type,usd_per_hour,source\n\
    eu-west-1,m5.large,0.107,karpenter-2026-07\n\
    eu-west-1,m5.metal,5,estimated-by-size-2026-07\n\
    us-east-1,c6g.metal,2.176,karpenter-2026-07\n\
    us-east-1,m5.large,0.096,libcloud-2025-03\n\
    us-east-1,t1.micro,0.02,libcloud-2025-03\n";
const SPECS_TEXT: &str = "instance_type,vcpu,memory_mib\nm5.large,2,8192\nt1.micro,1,627\n";
fn table() -> CsvTable {
    let texts = BTreeMap::from([(PRICES, PRICES_TEXT), (SPECS, SPECS_TEXT)]);
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
    update.take(EC2_LIST, list.published, list.regions.clone()).unwrap();
    let texts = write(&update.table);
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
    assert!([PRICES, SPECS].iter().all(|path| text(path).unwrap() == written[path]));
    assert!(packed_bytes(&written).unwrap() < 70_000);
}

#[test]
fn new_prices_are_added_and_other_rows_are_kept() {
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
        eu-west-1,m5.metal,5,estimated-by-size-2026-07\n\
        us-east-1,c6g.metal,2.176,karpenter-2026-07\n\
        us-east-1,m5.large,0.096,ec2-list-2026-11\n\
        us-east-1,m9x.large,0.123457,ec2-list-2026-11\n\
        us-east-1,t1.micro,0.03,ec2-list-2026-11\n\
        us-west-2-lax-1,m5.large,10,ec2-list-2026-11\n";
    assert_eq!(texts[PRICES], expected);
    assert_eq!(texts[SPECS], "instance_type,vcpu,memory_mib\nm5.large,2,8192\nm9x.large,2,8192\nt1.micro,1,627\n");
    let expected = "us-east-1: 4 rows; 1 added, 1 changed, 1 confirmed, 1 kept that the files do not have\n\
        us-west-2-lax-1: 1 rows; 1 added, 0 changed, 0 confirmed\n\
        eu-west-1: 2 rows, all kept as they were\n\
        sizes: 3 types, 1 added\n\
        sizes that differ in the files, kept: t1.micro\n\
        all: 7 prices, 3 regions, 1 bytes packed\n";
    assert_eq!(summary, expected);
}

#[test]
fn a_better_row_is_not_replaced() {
    let older =
        list("2025-12", &[("us-east-1", "c6g.metal", listed("9", None)), ("us-east-1", "m5.large", listed("9", None))]);
    let (texts, summary) = updated(&older);
    assert!(texts[PRICES].contains("us-east-1,c6g.metal,2.176,karpenter-2026-07\n"), "an older price");
    assert!(texts[PRICES].contains("us-east-1,m5.large,9,ec2-list-2025-12\n"), "a newer price");
    assert!(summary.contains("us-east-1: 3 rows; 0 added, 1 changed, 0 confirmed, 1 kept that the files do not have, 1 kept that are newer or exact"), "{summary}");

    let tenancies = [("us-east-1", "c6g.metal", stand_in("2.3066")), ("eu-west-1", "m5.metal", stand_in("5.8"))];
    let (texts, _) = updated(&list("2026-11", &tenancies));
    assert!(texts[PRICES].contains("us-east-1,c6g.metal,2.176,karpenter-2026-07\n"), "dedicated stands in for nothing");
    assert!(texts[PRICES].contains("eu-west-1,m5.metal,5.8,ec2-list-2026-11-dedicated\n"), "a better estimate");
    let exact = updated(&list("2025-01", &[("eu-west-1", "m5.metal", listed("5.5", None))])).0;
    assert!(exact[PRICES].contains("eu-west-1,m5.metal,5.5,ec2-list-2025-01\n"), "an old price, but no estimate");
}

#[test]
fn prices_that_the_build_refuses_are_left_out() {
    let invalid = list(
        "2026-11",
        &[
            ("us-east-1", "nodot", listed("1", None)),
            ("us-east-1", "M5.large", listed("1", None)),
            ("US", "m5.large", listed("1", None)),
            ("us-east-1", "u9.metal", listed("4294.967296", None)),
            ("us-east-1", "m5.nano", listed("0.0000001", None)),
        ],
    );
    let (texts, summary) = updated(&invalid);
    assert_eq!(texts[PRICES], PRICES_TEXT);
    assert!(
        summary.contains("0 confirmed, 3 kept that the files do not have, 4 left out that no row can hold"),
        "{summary}"
    );
}

#[test]
fn a_file_without_prices_is_refused() {
    let mut update = Update::new(table(), None).unwrap();
    let published = list("2026-11", &[]).published;
    let no_region = update.take(EC2_LIST, published, BTreeMap::new()).unwrap_err();
    assert_eq!(no_region, "it has no prices of Linux instances");
    let no_type = update.take(PRICE_PAGE, published, [("us-east-1".into(), BTreeMap::new())].into()).unwrap_err();
    assert_eq!(no_type, no_region);
}

#[test]
fn a_file_without_a_date_needs_a_month() {
    let undated = list("2026-11", &[("us-east-1", "m5.large", listed("0.1", None))]);
    let error = Update::new(table(), None).unwrap().take(EC2_LIST, None, undated.regions.clone()).unwrap_err();
    assert_eq!(error, "it has no date of publication: see --month");
    let mut update = Update::new(table(), Some("2026-12")).unwrap();
    update.take(EC2_LIST, None, undated.regions).unwrap();
    assert!(write(&update.table)[PRICES].contains("us-east-1,m5.large,0.1,ec2-list-2026-12\n"));
}
