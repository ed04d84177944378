//! Money as an integer number of billionths of a currency unit, so that sums are exact.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

/// The currency that AWS bills a partition in. Amounts in different currencies are never added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Currency {
    /// US dollars: every partition except China.
    #[default]
    #[serde(rename = "USD")]
    Usd,
    /// Yuan renminbi: the China partition.
    #[serde(rename = "CNY")]
    Cny,
}

impl Currency {
    /// The currency sign.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Usd => "$",
            Self::Cny => "¥",
        }
    }

    /// The ISO 4217 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Cny => "CNY",
        }
    }
}

/// An amount in billionths of a currency unit (nano-dollars). The currency is stored separately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(i64);

/// Why a text is not an amount. Completes "failed to read amount …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a plain decimal number.
    #[error("it is not a decimal number such as 0.0860")]
    NotDecimal,
    /// Larger than nine billion units.
    #[error("it is out of range")]
    Range,
}

const NANO: i64 = 1_000_000_000;
/// Hours per month in AWS's price calculations.
pub const HOURS_PER_MONTH: i64 = 730;

impl Money {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// An amount from billionths.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// An amount from a wide sum of billionths; the nearest one that fits if the sum is out of range.
    pub fn saturating_from_nanos(nanos: i128) -> Self {
        Self(saturate(nanos))
    }

    /// The amount in billionths.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The monthly cost of an hourly price: 730 hours (AWS's convention).
    #[must_use]
    pub const fn monthly(self) -> Self {
        Self(self.0.saturating_mul(HOURS_PER_MONTH))
    }

    /// `self × numerator ÷ denominator`, rounded half up to a billionth.
    #[must_use]
    pub fn times(self, numerator: i64, denominator: i64) -> Self {
        let product = i128::from(self.0) * i128::from(numerator);
        Self(saturate(round_div(product, i128::from(denominator.max(1)))))
    }

    /// Rounded half up (away from zero) to `places` decimals (at most 9).
    #[must_use]
    pub fn rounded(self, places: u32) -> Self {
        let step = 10_i128.pow(9 - places.min(9));
        Self(saturate(round_div(i128::from(self.0), step).saturating_mul(step)))
    }

    /// Decimal text with exactly `places` decimals, rounded half up, without a currency sign or grouping.
    pub fn decimal(self, places: u32) -> String {
        let nanos = self.rounded(places).0;
        let sign = if nanos < 0 { "-" } else { "" };
        let (whole, part) = (nanos.unsigned_abs() / NANO as u64, nanos.unsigned_abs() % NANO as u64);
        if places == 0 {
            return format!("{sign}{whole}");
        }
        let digits = format!("{part:09}");
        let shown = digits.get(..places.min(9) as usize).unwrap_or(&digits);
        format!("{sign}{whole}.{shown}")
    }

    /// Like [`Self::decimal`], with thousands grouped by commas.
    pub fn grouped(self, places: u32) -> String {
        let text = self.decimal(places);
        let (number, part) = text.split_once('.').unwrap_or((&text, ""));
        let (sign, number) = number.strip_prefix('-').map_or(("", number), |n| ("-", n));
        let mut out = String::from(sign);
        for (i, digit) in number.chars().enumerate() {
            if i > 0 && (number.len() - i).is_multiple_of(3) {
                out.push(',');
            }
            out.push(digit);
        }
        if !part.is_empty() {
            out.push('.');
            out.push_str(part);
        }
        out
    }

    /// Parses an amount of 0 or more as people and programs write it: decimal digits with an optional `+` and exponent
    /// (`0.0860`, `+0.5`, and `1.9003e-02` as Go prints small numbers). `None` for everything else: `inf`, `nan`, negative
    /// numbers, units, more than nine billion.
    pub fn parse_scientific(text: &str) -> Option<Self> {
        let text = text.trim();
        let unsigned = text.strip_prefix('+').unwrap_or(text);
        let amount: Self = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => shift(mantissa, exponent.parse().ok()?)?.parse().ok()?,
            None => unsigned.parse().ok()?,
        };
        (amount >= Self::ZERO).then_some(amount)
    }
}

/// Moves the decimal point: `1.9` by -2 digits is `0.019`. `None` for anything but digits, and for very large numbers.
fn shift(mantissa: &str, exponent: i32) -> Option<String> {
    /// Digits on either side of the point that can matter to an amount.
    const DIGITS: i64 = 20;
    let (sign, unsigned) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = format!("{whole}{part}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    let leading = digits.len() - significant.len();
    // The point's position among the significant digits.
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent) - i64::try_from(leading).ok()?;
    match usize::try_from(point) {
        _ if significant.is_empty() || point < -DIGITS => Some("0".to_owned()),
        Err(_) => Some(format!("{sign}0.{}{significant}", "0".repeat(usize::try_from(-point).ok()?))),
        Ok(point) if point as i64 <= DIGITS => {
            let padded = format!("{significant:0<point$}");
            let (whole, part) = padded.split_at_checked(point)?;
            Some(format!("{sign}0{whole}.{part}"))
        }
        Ok(_) => None,
    }
}

fn round_div(value: i128, by: i128) -> i128 {
    let half = by / 2;
    if value >= 0 { (value + half) / by } else { (value - half) / by }
}

fn saturate(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

impl FromStr for Money {
    type Err = MoneyError;

    /// Parses decimal text (`0.0860`, `-1.5`). Rounds half up at the tenth decimal and ignores further ones.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let text = text.trim();
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && part.is_empty()) || !plain(whole) || !plain(part) {
            return Err(MoneyError::NotDecimal);
        }
        let mut nanos: i64 = 0;
        let fraction = part.bytes().chain(std::iter::repeat(b'0')).take(9);
        for byte in whole.bytes().chain(fraction) {
            let next = nanos.checked_mul(10).and_then(|n| n.checked_add(i64::from(byte - b'0')));
            nanos = next.ok_or(MoneyError::Range)?;
        }
        if part.as_bytes().get(9).is_some_and(|b| *b >= b'5') {
            nanos = nanos.checked_add(1).ok_or(MoneyError::Range)?;
        }
        Ok(Self(if negative { -nanos } else { nanos }))
    }
}

impl fmt::Display for Money {
    /// Without trailing zeros, but with at least two decimals: `0.086`, `1.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.decimal(9);
        let trimmed = text.trim_end_matches('0');
        let least = text.len() - 7;
        f.write_str(text.get(..trimmed.len().max(least)).unwrap_or(&text))
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn m(text: &str) -> Money {
        text.parse().unwrap()
    }

    #[test_case("0.0115200000" => 11_520_000)]
    #[test_case("0.086" => 86_000_000)]
    #[test_case("2" => 2_000_000_000)]
    #[test_case(".5" => 500_000_000)]
    #[test_case("0.0000000005" => 1 ; "tenth decimal rounds half up")]
    #[test_case("-1.25" => -1_250_000_000)]
    fn decimal_text_is_parsed_exactly(text: &str) -> i64 {
        m(text).nanos()
    }

    #[test_case("" => MoneyError::NotDecimal)]
    #[test_case("." => MoneyError::NotDecimal)]
    #[test_case("1e3" => MoneyError::NotDecimal)]
    #[test_case("nan" => MoneyError::NotDecimal)]
    #[test_case("inf" => MoneyError::NotDecimal)]
    #[test_case("$1" => MoneyError::NotDecimal)]
    #[test_case("99999999999" => MoneyError::Range)]
    fn other_text_is_an_error(text: &str) -> MoneyError {
        text.parse::<Money>().unwrap_err()
    }

    #[test]
    fn a_month_is_730_hours() {
        assert_eq!(m("0.4816").monthly().decimal(2), "351.57");
        assert_eq!(m("0.43").monthly().decimal(2), "313.90");
        assert_eq!(m("0.086").monthly().decimal(2), "62.78");
    }

    #[test]
    fn text_forms() {
        assert_eq!(m("0.4816").decimal(5), "0.48160");
        assert_eq!(m("18308.4").grouped(0), "18,308");
        assert_eq!(m("-1234567.5").grouped(2), "-1,234,567.50");
        assert_eq!(m("0.086").to_string(), "0.086");
        assert_eq!(m("1.5").to_string(), "1.50");
        assert_eq!(m("0.0005").decimal(3), "0.001");
    }

    #[test]
    fn fractions_round_half_up() {
        assert_eq!(m("0.9896").times(78, 1000).rounded(5).to_string(), "0.07719");
        assert_eq!(m("0.077").times(12, 100).rounded(5).to_string(), "0.00924");
    }

    #[test_case("0.0860" => Some("0.086".into()))]
    #[test_case("1.9003e-02" => Some("0.019003".into()))]
    #[test_case("19.003E-3" => Some("0.019003".into()))]
    #[test_case("0.00019003e2" => Some("0.019003".into()))]
    #[test_case("1e3" => Some("1000.00".into()))]
    #[test_case("1.5e+3" => Some("1500.00".into()))]
    #[test_case("000012e-1" => Some("1.20".into()))]
    #[test_case("5e-10" => Some("0.000000001".into()) ; "a tenth decimal rounds half up")]
    #[test_case("4e-10" => Some("0.00".into()))]
    #[test_case("1e-400" => Some("0.00".into()))]
    #[test_case("0e400" => Some("0.00".into()))]
    #[test_case("-0" => Some("0.00".into()))]
    #[test_case("-0e3" => Some("0.00".into()))]
    #[test_case("+.5" => Some("0.50".into()))]
    #[test_case("1e9" => Some("1000000000.00".into()))]
    #[test_case("1e10" => None)]
    #[test_case("1e400" => None)]
    #[test_case("1e99999999999" => None)]
    #[test_case("-1e-3" => None)]
    #[test_case("-0.1" => None)]
    #[test_case("+-1" => None)]
    #[test_case("--1e1" => None)]
    #[test_case("e3" => None)]
    #[test_case(".e3" => None)]
    #[test_case("1e" => None)]
    #[test_case("1e1.5" => None)]
    #[test_case("1_0" => None)]
    #[test_case("0x10" => None)]
    #[test_case("inf" => None)]
    #[test_case("Infinity" => None)]
    #[test_case("NaN" => None)]
    #[test_case("" => None)]
    #[test_case("0,1" => None)]
    #[test_case("$0.1" => None)]
    #[test_case("٣" => None ; "digits of another script")]
    fn an_amount_with_an_exponent_is_parsed_exactly(text: &str) -> Option<String> {
        Money::parse_scientific(text).map(|amount| amount.to_string())
    }

    proptest::proptest! {
        #[test]
        fn an_exponent_only_moves_the_point(nanos in 0_i64..=1_000_000_000_000, exponent in -9_i32..=9) {
            let amount = Money::from_nanos(nanos);
            // The same number with its point elsewhere.
            let text = format!("{nanos}e{}", -9);
            proptest::prop_assert_eq!(Money::parse_scientific(&text), Some(amount));
            let there = Money::parse_scientific(&format!("{}e{exponent}", amount.decimal(9)));
            let back = there.and_then(|there| Money::parse_scientific(&format!("{}e{}", there.decimal(9), -exponent)));
            if exponent >= 0 && there.is_some() {
                proptest::prop_assert_eq!(back, Some(amount));
            }
        }

        #[test]
        fn any_text_is_parsed_or_rejected(text in "[-+]?[0-9.]{0,30}[eE]?[-+]?[0-9]{0,4}") {
            proptest::prop_assert!(Money::parse_scientific(&text).is_none_or(|amount| amount >= Money::ZERO));
        }
    }
}
