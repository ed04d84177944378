use super::*;
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
        fetched: Timestamp::from_second(second).unwrap(),
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

fn answered(answers: &Answers, zone: Option<&str>, name: &str) -> Option<Figure> {
    let (instance_type, region, zone) = (Some(name.into()), Some(SEOUL.into()), zone.map(Into::into));
    answers.spot(&Offer { instance_type, region, zone, ..Offer::default() }, None)
}

fn best(answers: &Answers, zone: Option<&str>, name: &str) -> Option<(bool, String)> {
    answered(answers, zone, name).map(|figure| (!figure.estimated, figure.amount.to_string()))
}

#[test]
fn a_zone_comes_before_the_median_of_others_and_that_before_the_region() {
    let mut answers = Answers::default();
    assert!(answers.merge(&spot(1, &[("c5a.large", None, "0.05")])));
    assert_eq!(best(&answers, Some("2a"), "c5a.large"), Some((true, "0.05".into())));
    assert!(answers.merge(&spot(2, &[("c5a.large", Some("2a"), "0.03"), ("c5a.large", Some("2b"), "0.04")])));
    assert_eq!(best(&answers, Some("2a"), "c5a.large"), Some((true, "0.03".into())));
    assert_eq!(best(&answers, Some("2c"), "c5a.large"), Some((false, "0.035".into())));
    assert_eq!(best(&answers, None, "c5a.large"), Some((false, "0.035".into())));
    assert_eq!(best(&answers, None, "m5.large"), None);
}

#[test]
fn the_newest_figure_holds_and_a_missing_one_removes_nothing() {
    let mut answers = Answers::default();
    assert!(answers.merge(&spot(5, &[("c5a.large", Some("2a"), "0.03"), ("m5.large", Some("2a"), "0.05")])));
    let kept = PriceSheet { cached: true, ..spot(4, &[("c5a.large", Some("2a"), "0.02")]) };
    assert!(!answers.merge(&kept), "an older answer, from the disk");
    assert!(answers.merge(&spot(6, &[("c5a.large", Some("2a"), "0.04")])));
    assert_eq!(best(&answers, Some("2a"), "c5a.large"), Some((true, "0.04".into())));
    assert_eq!(best(&answers, Some("2a"), "m5.large"), Some((true, "0.05".into())));
}

#[test]
fn a_clock_that_was_ahead_keeps_no_old_price() {
    let mut answers = Answers::default();
    answers.merge(&spot(20_000, &[("c5a.large", Some("2a"), "0.03")]));
    assert!(answers.merge(&spot(2_000, &[("c5a.large", Some("2a"), "0.04")])));
    assert_eq!(best(&answers, Some("2a"), "c5a.large"), Some((true, "0.04".into())));
}

#[test]
fn a_price_of_zero_is_no_price() {
    let mut answers = Answers::default();
    assert!(!answers.merge(&spot(1, &[("c5a.large", Some("2a"), "0"), ("c5a.large", None, "0.0")])));
    assert_eq!(best(&answers, Some("2a"), "c5a.large"), None);
    let eks = EksPrices { fargate_vcpu: Some(Money::ZERO), fargate_gb: Some(usd("0.005")), ..EksPrices::default() };
    answers.merge(&sheet(PriceSource::EksList, 1, Prices::Eks(eks)));
    assert_eq!(answers.get(SEOUL, &Item::FargateVcpu), None);
    assert!(answers.get(SEOUL, &Item::FargateGb).is_some());
}

proptest::proptest! {
    /// The median lies between the cheapest and the dearest zone, for any order and number of answers.
    #[test]
    fn the_median_is_between_the_cheapest_and_the_dearest(
        nanos in proptest::collection::vec(1_i64..=1_000_000_000_000, 1..9),
    ) {
        let zones: Vec<String> = (0..nanos.len()).map(|i| format!("ap-northeast-2{}", char::from(b'b' + i as u8))).collect();
        let amounts: Vec<String> = nanos.iter().map(|n| Money::from_nanos(*n).decimal(9)).collect();
        let prices: Vec<(&str, Option<&str>, &str)> =
            zones.iter().zip(&amounts).map(|(zone, amount)| ("c5a.large", Some(zone.as_str()), amount.as_str())).collect();
        let mut answers = Answers::default();
        answers.merge(&spot(1, &prices));
        let mut backwards = Answers::default();
        backwards.merge(&spot(1, &prices.iter().rev().copied().collect::<Vec<_>>()));
        let median_of = |answers: &Answers| answered(answers, Some("ap-northeast-2a"), "c5a.large");
        let median = median_of(&answers).unwrap();
        proptest::prop_assert!(median.estimated);
        let (least, most) = (nanos.iter().min().unwrap(), nanos.iter().max().unwrap());
        proptest::prop_assert!((*least..=*most).contains(&median.amount.nanos()));
        proptest::prop_assert_eq!(median_of(&backwards), median_of(&answers));
        let below = nanos.iter().filter(|n| **n < median.amount.nanos()).count();
        let above = nanos.iter().filter(|n| **n > median.amount.nanos()).count();
        proptest::prop_assert!(below <= nanos.len() / 2 && above <= nanos.len() / 2);
    }
}
