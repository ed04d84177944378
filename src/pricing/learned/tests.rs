use super::*;
use crate::pricing::PriceSource;
use crate::pricing::sheet::SpotPrice;
use crate::units::Currency;
use pretty_assertions::assert_eq;

const SEOUL: &str = "ap-northeast-2";

fn usd(text: &str) -> Money {
    text.parse().unwrap()
}

fn sheet(source: PriceSource, second: i64, prices: Prices) -> PriceSheet {
    PriceSheet {
        source,
        region: SEOUL.into(),
        currency: Currency::Usd,
        fetched: crate::model::Timestamp::from_second(second).unwrap(),
        cached: false,
        prices,
    }
}

fn spot(second: i64, prices: &[(&str, Option<&str>, &str)]) -> PriceSheet {
    let price = |(name, zone, amount): &(&str, Option<&str>, &str)| SpotPrice {
        instance_type: (*name).into(),
        zone: zone.map(Into::into),
        os: Os::Linux,
        amount: usd(amount),
    };
    sheet(PriceSource::SpotHistory, second, Prices::Spot(prices.iter().map(price).collect()))
}

fn told(learned: &Learned, zone: Option<&str>, name: &str) -> Option<(bool, String)> {
    match learned.spot(SEOUL, zone, ZoneKind::Standard, Os::Linux, name)? {
        SpotFigure::Own(figure) => Some((true, figure.amount.to_string())),
        SpotFigure::OtherZones(figure) => Some((false, figure.amount.to_string())),
        SpotFigure::Saving(percent, _) => Some((false, format!("-{percent}%"))),
    }
}

#[test]
fn a_zone_goes_before_the_median_of_others_and_that_before_the_region() {
    let mut learned = Learned::default();
    assert!(learned.merge(&spot(1, &[("c5a.large", None, "0.05")])));
    assert_eq!(told(&learned, Some("2a"), "c5a.large"), Some((true, "0.05".into())));
    assert!(learned.merge(&spot(2, &[("c5a.large", Some("2a"), "0.03"), ("c5a.large", Some("2b"), "0.04")])));
    assert_eq!(told(&learned, Some("2a"), "c5a.large"), Some((true, "0.03".into())));
    assert_eq!(told(&learned, Some("2c"), "c5a.large"), Some((false, "0.035".into())));
    assert_eq!(told(&learned, None, "c5a.large"), Some((false, "0.035".into())));
    assert_eq!(told(&learned, None, "m5.large"), None);
}

#[test]
fn the_newest_answer_holds_and_an_answer_that_lacks_something_takes_nothing_away() {
    let mut learned = Learned::default();
    assert!(learned.merge(&spot(5, &[("c5a.large", Some("2a"), "0.03"), ("m5.large", Some("2a"), "0.05")])));
    assert!(!learned.merge(&spot(4, &[("c5a.large", Some("2a"), "0.02")])), "an older answer");
    assert!(learned.merge(&spot(6, &[("c5a.large", Some("2a"), "0.04")])));
    assert_eq!(told(&learned, Some("2a"), "c5a.large"), Some((true, "0.04".into())));
    assert_eq!(told(&learned, Some("2a"), "m5.large"), Some((true, "0.05".into())));
}

#[test]
fn a_price_of_nothing_is_no_price() {
    let mut learned = Learned::default();
    assert!(!learned.merge(&spot(1, &[("c5a.large", Some("2a"), "0"), ("c5a.large", None, "0.0")])));
    assert_eq!(told(&learned, Some("2a"), "c5a.large"), None);
    let eks = EksPrices { fargate_vcpu: Some(Money::ZERO), fargate_gb: Some(usd("0.005")), ..EksPrices::default() };
    learned.merge(&sheet(PriceSource::EksList, 1, Prices::Eks(eks)));
    assert_eq!(learned.fargate(SEOUL), None);
}
