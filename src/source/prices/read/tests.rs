//! The fixtures, and properties of all readers.

use super::*;
use crate::pricing::{OnDemandPrice, Os, Tenancy};
use proptest::prelude::*;
use serde_json::Value;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pricing/", $name))
    };
}

pub const M5_LARGE: &[u8] = fixture!("getproducts_pricelist_item_m5_large.json");
pub const MINIMAL: &[u8] = fixture!("getproducts_response_minimal.json");
pub const PAGE_1: &[u8] = fixture!("getproducts_seoul_page1.json");
pub const PAGE_2: &[u8] = fixture!("getproducts_seoul_page2.json");
pub const EKS_SEOUL: &[u8] = fixture!("eks_index_ap-northeast-2.json");
pub const EKS_VIRGINIA: &[u8] = fixture!("eks_index_us-east-1.json");
pub const PRICE_PAGE: &[u8] = fixture!("meteredunitmaps_ec2_seoul_linux.json");
pub const SPOT_FEED: &[u8] = fixture!("spot_feed.json");
pub const SPOT_ADVISOR: &[u8] = fixture!("spot_advisor.json");
pub const SPOT_PAGE_1: &[u8] = fixture!("spot_history_page1.xml");
pub const SPOT_PAGE_2: &[u8] = fixture!("spot_history_page2.xml");
pub const UNAUTHORIZED: &[u8] = fixture!("spot_history_unauthorized.xml");

const ALL: [&[u8]; 12] = [
    M5_LARGE,
    MINIMAL,
    PAGE_1,
    PAGE_2,
    EKS_SEOUL,
    EKS_VIRGINIA,
    PRICE_PAGE,
    SPOT_FEED,
    SPOT_ADVISOR,
    SPOT_PAGE_1,
    SPOT_PAGE_2,
    UNAUTHORIZED,
];

/// The items of an answer.
pub fn price_list(body: &[u8]) -> Vec<String> {
    let answer: Value = serde_json::from_slice(body).unwrap();
    let items = answer["PriceList"].as_array().unwrap();
    items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// Types and prices, readable.
pub fn amounts(prices: &[OnDemandPrice]) -> Vec<String> {
    prices.iter().map(|price| format!("{} {}", price.instance_type, price.amount)).collect()
}

/// Reads bytes as every document there is, and gives all prices found.
fn everything(body: &[u8]) -> Vec<Money> {
    let mut found = Vec::new();
    let text = String::from_utf8_lossy(body).into_owned();
    for os in [Os::Linux, Os::Windows] {
        let page = price_page::page(body, os).unwrap_or_default();
        found.extend(page.types.values().map(|offered| offered.amount));
        for tenancy in [Tenancy::Shared, Tenancy::Dedicated] {
            let products = products::on_demand(std::slice::from_ref(&text), os, tenancy);
            found.extend(products.prices.iter().map(|price| price.amount));
        }
    }
    found.extend(products::volumes(&[text]).1.iter().map(|volume| volume.gib_month));
    if let Ok((_, eks)) = eks_list::read(body) {
        found.extend(eks.auto_fees.iter().chain(&eks.tiers).map(|(_, fee)| *fee));
        let single = [eks.fargate_vcpu, eks.fargate_gb, eks.hybrid_vcpu, eks.cluster, eks.extended_support];
        found.extend(single.into_iter().flatten());
    }
    if let Ok(list) = ec2_list::read(body) {
        found.extend(list.regions.values().flat_map(|types| types.values()).map(|listed| listed.offered.amount));
    }
    found.extend(spot_feed::read(body).into_iter().flatten().flat_map(|(_, prices)| prices).map(|price| price.amount));
    for (_, savings) in spot_advisor::read(body).into_iter().flatten() {
        assert!(savings.iter().all(|s| (1..=99).contains(&s.percent) && s.interruption_band <= 4));
    }
    if let Ok(page) = spot_history::read(body) {
        found.extend(spot_history::newest(page.prices).iter().map(|price| price.amount));
    }
    spot_history::error(body);
    let _ = (cluster_support::read(body), cluster_support::phase(body, "1.36"));
    found
}

/// Where and how a document is damaged.
#[derive(Clone, Debug)]
enum Damage {
    Cut(prop::sample::Index),
    Change(prop::sample::Index, u8),
    Insert(prop::sample::Index, &'static str),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let words = vec![
        "null",
        "{}",
        "[]",
        "-1",
        "0",
        "1e999",
        "\"\"",
        "{\"",
        "<",
        ">",
        "</item>",
        "&",
        "&#27;",
        "\u{202e}",
        "-",
        "0.0",
        "\"unit\": \"Hrs\",",
        "\\ud800",
    ];
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Damage::Cut),
        (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Change(at, byte)),
        (any::<prop::sample::Index>(), prop::sample::select(words)).prop_map(|(at, word)| Damage::Insert(at, word)),
        (any::<prop::sample::Index>(), 1_usize..40).prop_map(|(at, count)| Damage::Remove(at, count)),
        (any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(from, to)| Damage::Repeat(from, to)),
    ]
}

fn damaged(body: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut body = body.to_vec();
    for damage in damages {
        let size = body.len().max(1);
        match damage {
            Damage::Cut(at) => body.truncate(at.index(size)),
            Damage::Change(at, byte) => {
                if let Some(place) = body.get_mut(at.index(size)) {
                    *place = *byte;
                }
            }
            Damage::Insert(at, word) => {
                let at = at.index(size).min(body.len());
                body.splice(at..at, word.bytes());
            }
            Damage::Remove(at, count) => {
                let at = at.index(size).min(body.len());
                body.drain(at..(at + count).min(body.len()));
            }
            Damage::Repeat(from, to) => {
                let (from, to) = (from.index(size).min(body.len()), to.index(size).min(body.len()));
                let part = body[from.min(to)..from.max(to)].to_vec();
                body.splice(to..to, part);
            }
        }
    }
    body
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_damaged_document_makes_no_panic_and_no_wrong_price(
        which in 0..ALL.len(),
        damages in prop::collection::vec(damage(), 1..6),
    ) {
        let body = damaged(ALL[which], &damages);
        for price in everything(&body) {
            prop_assert!(price > Money::ZERO);
        }
    }

    #[test]
    fn any_bytes_give_a_result_or_an_error(body in prop::collection::vec(any::<u8>(), 0..200)) {
        everything(&body);
    }
}

/// Puts another value in the place of the nth one of a document, counted from the root down.
fn replace(value: &mut Value, nth: &mut usize, with: &Value) {
    if *nth == 0 {
        *value = with.clone();
    }
    *nth = nth.wrapping_sub(1);
    match value {
        Value::Object(map) => map.values_mut().for_each(|value| replace(value, nth, with)),
        Value::Array(list) => list.iter_mut().for_each(|value| replace(value, nth, with)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Damage that leaves JSON whole reaches all readers to the end, and never takes the whole document with it.
    #[test]
    fn an_odd_value_anywhere_makes_no_wrong_price(which in 0..9_usize, nth in 0..600_usize, with in 0..10_usize) {
        let mut value: Value = serde_json::from_slice(ALL[which]).unwrap();
        let odd = r#"[null, true, -1, 0, 1e300, "", "N/A*", [], {}, [{"USD": "-5"}, [[1]], {"a": null}]]"#;
        let odd: Value = serde_json::from_str(odd).unwrap();
        replace(&mut value, &mut { nth }, &odd[with]);
        for price in everything(value.to_string().as_bytes()) {
            prop_assert!(price > Money::ZERO);
        }
    }
}

#[test]
fn every_document_is_read_by_its_own_reader_alone() {
    let read = |body: &[u8]| {
        let results = [
            ("page", price_page::page(body, Os::Linux).is_ok()),
            ("eks", eks_list::read(body).is_ok()),
            ("history", spot_history::read(body).is_ok()),
            ("feed", spot_feed::read(body).is_ok()),
            ("advisor", spot_advisor::read(body).is_ok()),
            ("error", spot_history::error(body).is_some()),
        ];
        results.into_iter().filter(|(_, ok)| *ok).map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(read(EKS_SEOUL), ["eks"]);
    assert_eq!(read(PRICE_PAGE), ["page"]);
    assert_eq!(read(SPOT_FEED), ["feed"]);
    assert_eq!(read(SPOT_ADVISOR), ["advisor"]);
    assert_eq!(read(SPOT_PAGE_1), ["history"]);
    assert_eq!(read(UNAUTHORIZED), ["error"]);
    assert_eq!(read(PAGE_1), Vec::<&str>::new());
}

#[test]
fn a_parsers_error_is_clean_and_short() {
    let body = format!("<a></b\u{1b}[2J{}>", "x".repeat(10_000));
    let error = spot_history::read(body.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("read EC2's spot prices: it is not complete XML (") && error.len() < 300, "{error}");
    assert!(!error.contains('\u{1b}'), "{error}");
}

#[test]
fn names_are_clean_and_of_limited_length() {
    assert_eq!(name(" c5a\u{1b}[31m.large\u{202e} ").as_deref(), Some("c5a[31m.large"));
    assert_eq!((name(""), name(" \u{7}"), name(&"x".repeat(65))), (None, None, None));
}
