use super::*;
use test_case::test_case;

fn parse(text: &str) -> Result<PriceFile, String> {
    PriceFile::parse("prices.csv", text).map_err(|bad| bad.to_string())
}

fn rows(text: &str) -> Vec<String> {
    parse(text).unwrap().rows().iter().map(|row| format!("{}: {row}", row.line)).collect()
}

const EXAMPLE: &str = "region,instance_type,capacity,usd_per_hour
eu-west-1,m5.large,on-demand,0.0712
# agreed with the accounts department
*,p5.48xlarge,,31.464

us-west-2-lax-1, c5.12xlarge ,Spot,1.9003e-02
,,*,0
";

#[test]
fn a_file_has_a_price_per_row() {
    assert_eq!(
        rows(EXAMPLE),
        [
            "2: eu-west-1 m5.large on-demand 0.0712",
            "4: * p5.48xlarge * 31.464",
            "6: us-west-2-lax-1 c5.12xlarge spot 0.019003",
            "7: * * * 0.00",
        ]
    );
}

#[test]
fn json_has_the_same_rows() {
    let json = r#"
[
  {"region": "eu-west-1", "instance_type": "m5.large", "capacity": "on-demand", "usd_per_hour": 0.0712},
  {"instance_type": "p5.48xlarge", "usd_per_hour": "31.464"},
  {"region": "us-west-2-lax-1", "instance_type": "c5.12xlarge",
   "capacity": "spot", "usd_per_hour": 1.9003e-02}, {"usd_per_hour": 0, "region": null}
]"#;
    assert_eq!(
        rows(json),
        [
            "3: eu-west-1 m5.large on-demand 0.0712",
            "4: * p5.48xlarge * 31.464",
            "5: us-west-2-lax-1 c5.12xlarge spot 0.019003",
            "6: * * * 0.00",
        ]
    );
}

#[test]
fn an_amount_never_passes_through_floating_point() {
    let json = "[{\"usd_per_hour\": 4503599627.370497}]";
    assert_eq!(rows(json), ["1: * * * 4503599627.370497"]);
    assert_eq!(rows("usd_per_hour\n4503599627.370497\n"), ["2: * * * 4503599627.370497"]);
}

#[test]
fn columns_may_be_missing_and_in_any_order() {
    assert_eq!(rows("usd_per_hour,instance_type\n0.1,m5.large\n"), ["2: * m5.large * 0.10"]);
    assert_eq!(rows("\u{feff}usd_per_hour\r\n0.1\r\n"), ["2: * * * 0.10"], "as a spreadsheet saves it");
}

#[test_case("" => "prices.csv:1: there is no price; a file is a header such as `region,instance_type,capacity,usd_per_hour` and rows below it, or a JSON array of objects with these keys" ; "empty")]
#[test_case("usd_per_hour\n" => "prices.csv:1: there is no price; a file is a header such as `region,instance_type,capacity,usd_per_hour` and rows below it, or a JSON array of objects with these keys" ; "a header alone")]
#[test_case("[]" => "prices.csv:1: there is no price; a file is a header such as `region,instance_type,capacity,usd_per_hour` and rows below it, or a JSON array of objects with these keys" ; "an empty array")]
#[test_case("eu-west-1,m5.large,,0.1\n" => "prices.csv:1: `eu-west-1` is no column; the header is `region,instance_type,capacity,usd_per_hour`" ; "no header")]
#[test_case("region,region,usd_per_hour\n" => "prices.csv:1: column `region` is there twice; the header is `region,instance_type,capacity,usd_per_hour`")]
#[test_case("region,capacity\neu-west-1,spot\n" => "prices.csv:1: column `usd_per_hour` is missing; the header is `region,instance_type,capacity,usd_per_hour`")]
#[test_case("region,usd_per_hour\neu-west-1\n" => "prices.csv:2: has 1 fields where the header has 2")]
#[test_case("instance_type,usd_per_hour\nm5.large,1\nm5.*,1\n" => "prices.csv:3: instance_type `m5.*` is no name of one; give its name, or `*` for every one (patterns are for the discount rules of the configuration)")]
#[test_case("region,usd_per_hour\nIreland,1\n" => "prices.csv:2: region `Ireland` is no name of one; give its name, or `*` for every one (patterns are for the discount rules of the configuration)")]
#[test_case("region,usd_per_hour\n\u{1b}[31mred,1\n" => "prices.csv:2: region `[31mred` is no name of one; give its name, or `*` for every one (patterns are for the discount rules of the configuration)" ; "an escape sequence is not repeated")]
#[test_case("capacity,usd_per_hour\ncheap,1\n" => "prices.csv:2: capacity `cheap` is none of on-demand, spot, reserved, capacity-block, fargate, unknown; leave it empty, or `*`, for every one")]
#[test_case("usd_per_hour\ninf\n" => "prices.csv:2: usd_per_hour `inf` is not a finite decimal number of 0 or more such as 0.0860")]
#[test_case("usd_per_hour\nNaN\n" => "prices.csv:2: usd_per_hour `NaN` is not a finite decimal number of 0 or more such as 0.0860")]
#[test_case("usd_per_hour\n-0.1\n" => "prices.csv:2: usd_per_hour `-0.1` is not a finite decimal number of 0 or more such as 0.0860")]
#[test_case("usd_per_hour,region\n,eu-west-1\n" => "prices.csv:2: usd_per_hour `` is not a finite decimal number of 0 or more such as 0.0860")]
#[test_case("[{\"usd_per_hour\": 1},\n {\"usd_per_hour\": -1}]" => "prices.csv:2: usd_per_hour `-1` is not a finite decimal number of 0 or more such as 0.0860")]
#[test_case("[{\"usd_per_hour\": true}]" => "prices.csv:1: usd_per_hour `true` is not a finite decimal number of 0 or more such as 0.0860")]
#[test_case("[\n{\"region\": \"eu-west-1\"}]" => "prices.csv:2: missing field `usd_per_hour`; a price file is an array of objects with the keys region,instance_type,capacity,usd_per_hour")]
#[test_case("[\n{\"usd_per_hour\": 1,\n \"price\": 2}]" => "prices.csv:3: unknown field `price`, expected one of `region`, `instance_type`, `capacity`, `usd_per_hour`; a price file is an array of objects with the keys region,instance_type,capacity,usd_per_hour")]
#[test_case("{\"usd_per_hour\": 1}" => "prices.csv:1: invalid type: map, expected a sequence; a price file is an array of objects with the keys region,instance_type,capacity,usd_per_hour")]
#[test_case("[{\"usd_per_hour\": 1}" => "prices.csv:1: EOF while parsing a list; a price file is an array of objects with the keys region,instance_type,capacity,usd_per_hour")]
fn an_invalid_file_names_line_and_remedy(text: &str) -> String {
    parse(text).unwrap_err()
}

fn offer(region: &str, instance_type: &str, capacity_type: CapacityType) -> Offer {
    Offer { region: Some(region.into()), instance_type: Some(instance_type.into()), capacity_type, ..Offer::default() }
}

const ROWS: &str = "region,instance_type,capacity,usd_per_hour
*,*,*,1
eu-west-1,*,*,2
*,m5.large,*,3
*,*,spot,4
eu-west-1,m5.large,*,5
eu-west-1,m5.large,*,6
*,m5.large,spot,7
eu-west-1,m5.large,spot,8
";

use CapacityType::{OnDemand, Spot};

#[test_case("us-east-1", "c5.large", OnDemand => 1 ; "all")]
#[test_case("eu-west-1", "c5.large", OnDemand => 2 ; "region")]
#[test_case("us-east-1", "m5.large", OnDemand => 3 ; "type")]
#[test_case("us-east-1", "c5.large", Spot => 4 ; "capacity")]
#[test_case("eu-west-1", "c5.large", Spot => 4 ; "the later one of two")]
#[test_case("eu-west-1", "m5.large", OnDemand => 6 ; "the later one of the same")]
#[test_case("us-east-1", "m5.large", Spot => 7 ; "type and capacity")]
#[test_case("eu-west-1", "m5.large", Spot => 8 ; "three conditions")]
fn the_row_with_most_conditions_wins(region: &str, instance_type: &str, capacity_type: CapacityType) -> i64 {
    let file = parse(ROWS).unwrap();
    let (at, row) = file.find(&offer(region, instance_type, capacity_type)).unwrap();
    assert_eq!(at + 2, row.line);
    row.amount.nanos() / 1_000_000_000
}

#[test]
fn a_row_for_a_region_is_not_for_its_local_zones() {
    let file = parse("region,usd_per_hour\nus-west-2,1\nus-west-2-lax-1,2\n").unwrap();
    let place = |zone: &str| Offer {
        zone: Some(zone.into()),
        zone_kind: crate::pricing::Zone::parse(zone).unwrap().kind,
        ..offer("us-west-2", "c5.large", OnDemand)
    };
    let found = |zone| file.find(&place(zone)).map(|(_, row)| row.line);
    assert_eq!((found("us-west-2a"), found("us-west-2-lax-1a"), found("us-west-2-phx-2a")), (Some(2), Some(3), None));
}

#[test]
fn a_node_without_region_and_type_matches_only_rows_without_them() {
    let file = parse("region,instance_type,usd_per_hour\neu-west-1,,1\n,m5.large,2\n").unwrap();
    assert_eq!(file.find(&Offer::default()), None);
    let file = parse(ROWS).unwrap();
    assert_eq!(file.find(&Offer::default()).map(|(at, _)| at), Some(0));
}

proptest::proptest! {
    #[test]
    fn any_text_is_parsed_or_rejected(text in "[\\[{\"a-z_,:.*0-9\n -]{0,60}") {
        let _ = parse(&text);
        let _ = parse(&format!("{HEADER}\n{text}"));
    }

    /// The index finds the same row as a search of all rows.
    #[test]
    fn the_index_agrees_with_a_search_of_all_rows(
        rows in proptest::collection::vec((0_usize..3, 0_usize..3, 0_usize..3), 1..20),
        region in 0_usize..2, instance_type in 0_usize..2, spot in proptest::bool::ANY,
    ) {
        let (regions, types, kinds) = (["r-1", "r-2", "*"], ["a.b", "c.d", "*"], ["spot", "on-demand", "*"]);
        let text = rows.iter().fold(format!("{HEADER}\n"), |text, (r, t, c)| {
            text + &format!("{},{},{},1\n", regions[*r], types[*t], kinds[*c])
        });
        let file = parse(&text).unwrap();
        let offer = offer(regions[region], types[instance_type], if spot { Spot } else { OnDemand });
        let fits = |row: &PriceRow| {
            row.region.as_deref().is_none_or(|r| r == regions[region])
                && row.instance_type.as_deref().is_none_or(|t| t == types[instance_type])
                && row.capacity.is_none_or(|c| c == offer.capacity_type)
        };
        let conditions = |row: &PriceRow| {
            usize::from(row.region.is_some()) + usize::from(row.instance_type.is_some()) + usize::from(row.capacity.is_some())
        };
        let plain = file.rows().iter().enumerate().filter(|(_, row)| fits(row)).max_by_key(|(at, row)| (conditions(row), *at));
        proptest::prop_assert_eq!(file.find(&offer).map(|(at, _)| at), plain.map(|(at, _)| at));
    }
}
