//! Formats numbers for people: dollars, ages, counts, times of day.

use super::theme::{Glyphs, Theme};
use crate::model::Timestamp;
use crate::pricing::{AsOf, PriceParts, PriceSource, Quote};
use crate::units::{Currency, Money, age};

/// A share in permille, with one decimal: `81.3%`.
pub(super) fn percent_exact(permille: u64) -> String {
    format!("{}.{}%", permille / 10, permille % 10)
}

/// An hourly price with its marks: `0.0963`, `~0.0860`, `≤0.0860`, `0.0860R`.
pub(super) fn price(quote: &Quote, glyphs: &Glyphs) -> String {
    let PriceParts { lead, figure, suffix } = quote.parts(4);
    let lead = lead.replace('≤', glyphs.most).replace('≥', glyphs.least);
    format!("{lead}{}{suffix}", figure.replace('—', glyphs.unknown))
}

/// The currency sign before an amount; in ASCII, yuan is `CNY `.
pub(super) const fn sign(currency: Currency, theme: &Theme) -> &'static str {
    match currency {
        Currency::Cny if theme.ascii => "CNY ",
        Currency::Usd | Currency::Cny => currency.sign(),
    }
}

/// The sign of an amount whose currency differs from the heading's; empty otherwise.
pub(super) fn foreign(currency: Currency, heading: Currency, theme: &Theme) -> &'static str {
    if currency == heading { "" } else { sign(currency, theme) }
}

/// An hourly total: three decimals below 100, two from there on.
pub(super) fn hourly(sign: &str, money: Money) -> String {
    let places = if money.nanos().unsigned_abs() >= 100_000_000_000 { 2 } else { 3 };
    format!("{sign}{}", money.grouped(places))
}

/// A monthly total: two decimals below 10,000, none from there on.
pub(super) fn monthly(sign: &str, money: Money) -> String {
    let places = if money.nanos().unsigned_abs() >= 10_000_000_000_000 { 0 } else { 2 };
    format!("{sign}{}", money.grouped(places))
}

/// The price source of a total, by its least exact source and its oldest date: `embedded 2026-07`, `cached 3h`, `live`.
/// In minutes, so that it does not change every second; empty if nothing is priced.
pub(super) fn provenance(worst: PriceSource, oldest: AsOf, now: Timestamp) -> String {
    match (worst, oldest) {
        (PriceSource::None, _) => String::new(),
        (_, AsOf::Month(month)) => format!("embedded {month}"),
        (PriceSource::Embedded | PriceSource::EmbeddedEstimate, AsOf::Always) => "embedded".into(),
        (PriceSource::Simulated, _) => "simulated".into(),
        (PriceSource::PriceFile, AsOf::Always) => "price file".into(),
        (_, AsOf::Always) => "price from node label".into(),
        (_, AsOf::Fetched { at, cached: true }) => {
            let seconds = (now.as_second() - at.as_second()).max(0);
            format!("cached {}", if seconds < 60 { "1m".into() } else { age::short(seconds / 60 * 60) })
        }
        // Ages below one hour are left out.
        (_, AsOf::Fetched { at, cached: false }) => match (now.as_second() - at.as_second()) / 3600 {
            ..=0 => "live".into(),
            hours => format!("live {}", age::short(hours * 3600)),
        },
    }
}

/// The age of a price, and the seconds until that text changes: `embedded 2026-07`, `cached 3h20m`, `live 2m ago`;
/// empty for a price without a date.
pub(super) fn figure_age(as_of: AsOf, now: Timestamp) -> (String, Option<i64>) {
    match as_of {
        AsOf::Always => (String::new(), None),
        AsOf::Month(month) => (format!("embedded {month}"), None),
        AsOf::Fetched { at, cached } => {
            let seconds = now.as_second() - at.as_second();
            let age = age::short(seconds);
            let text = if cached { format!("cached {age}") } else { format!("live {age} ago") };
            (text, Some(age_changes_in(seconds)))
        }
    }
}

/// `1 node`, `2 nodes`.
pub(super) fn count(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// The zone without its region: `2a` for `ap-northeast-2a`, `lax-1a` for `us-west-2-lax-1a`.
pub(super) fn zone<'a>(zone: &'a str, region: Option<&str>) -> &'a str {
    let Some(region) = region else { return zone };
    if let Some(local) = zone.strip_prefix(region).and_then(|rest| rest.strip_prefix('-')) {
        return local;
    }
    let area = region.trim_end_matches(|c: char| c.is_ascii_digit());
    zone.strip_prefix(area).filter(|short| !short.is_empty()).unwrap_or(zone)
}

/// Seconds until the text of [`crate::units::age::short`] changes.
pub(super) const fn age_changes_in(seconds: i64) -> i64 {
    let s = if seconds < 0 { 0 } else { seconds };
    match s {
        0..=599 => 1,
        600..=35_999 => 60 - s % 60,
        36_000..=863_999 => 3600 - s % 3600,
        _ => 86_400 - s % 86_400,
    }
}

/// The local time of day, from a timestamp and the offset from UTC.
pub(super) fn clock(at: Timestamp, offset_seconds: i32, with_seconds: bool) -> String {
    let of_day = (at.as_second() + i64::from(offset_seconds)).rem_euclid(86_400);
    let (h, m, s) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    if with_seconds { format!("{h:02}:{m:02}:{s:02}") } else { format!("{h:02}:{m:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::age;
    use test_case::test_case;

    fn fetched(seconds_ago: i64, cached: bool) -> AsOf {
        AsOf::Fetched { at: Timestamp::from_second(1_000_000 - seconds_ago).unwrap(), cached }
    }

    #[test_case(PriceSource::None, AsOf::Always => "" ; "nothing priced")]
    #[test_case(PriceSource::Embedded, AsOf::Month("2026-07") => "embedded 2026-07")]
    #[test_case(PriceSource::EmbeddedEstimate, AsOf::Always => "embedded" ; "its month is not known")]
    #[test_case(PriceSource::PricePage, fetched(5, false) => "live")]
    #[test_case(PriceSource::PricePage, fetched(-5, false) => "live" ; "a clock that was set back")]
    #[test_case(PriceSource::SpotHistory, fetched(30_000, false) => "live 8h" ; "not renewed for hours")]
    #[test_case(PriceSource::PricePage, fetched(11_000, true) => "cached 3h3m")]
    #[test_case(PriceSource::PricePage, fetched(7, true) => "cached 1m" ; "to the minute")]
    #[test_case(PriceSource::Simulated, fetched(5, false) => "simulated")]
    #[test_case(PriceSource::Label, AsOf::Always => "price from node label")]
    #[test_case(PriceSource::PriceFile, AsOf::Always => "price file")]
    fn a_total_shows_its_least_exact_source(worst: PriceSource, oldest: AsOf) -> String {
        provenance(worst, oldest, Timestamp::from_second(1_000_000).unwrap())
    }

    #[test_case(AsOf::Always => (String::new(), None))]
    #[test_case(AsOf::Month("2026-07") => ("embedded 2026-07".into(), None))]
    #[test_case(fetched(130, false) => ("live 2m10s ago".into(), Some(1)))]
    #[test_case(fetched(12_000, true) => ("cached 3h20m".into(), Some(60)))]
    fn a_price_shows_its_age(as_of: AsOf) -> (String, Option<i64>) {
        figure_age(as_of, Timestamp::from_second(1_000_000).unwrap())
    }

    #[test_case("ap-northeast-2a", Some("ap-northeast-2") => "2a")]
    #[test_case("us-west-2-lax-1a", Some("us-west-2") => "lax-1a")]
    #[test_case("zone-a", None => "zone-a")]
    #[test_case("rack7", Some("us-east-1") => "rack7")]
    fn zones_are_short(zone: &str, region: Option<&str>) -> String {
        super::zone(zone, region).into()
    }

    proptest::proptest! {
        #[test]
        fn an_age_is_constant_until_it_changes(seconds in 0_i64..100_000_000) {
            let until = age_changes_in(seconds);
            proptest::prop_assert!(until > 0);
            for s in [seconds + 1, seconds + until / 2, seconds + until - 1] {
                if s < seconds + until {
                    proptest::prop_assert_eq!(age::short(s), age::short(seconds));
                }
            }
        }
    }
}
