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
}
