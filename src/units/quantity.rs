//! Kubernetes quantities, without loss of precision.
//!
//! Grammar and rounding follow kubernetes/apimachinery `pkg/api/resource/quantity.go` and `suffix.go`: a number with an
//! optional binary (`Ki` … `Ei`) or decimal (`n` … `E`) suffix or exponent; fractions of a billionth are rounded away
//! from zero. Values are billionths in an `i128`, so that the containers of a pod are added exactly and their sum is
//! rounded up once, to millicores or whole units.

use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;

/// An exact amount in billionths of its unit (a core, a byte, a device).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(i128);

/// Why a text is not a quantity. Completes "failed to read quantity …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The text is empty.
    #[error("it is empty")]
    Empty,
    /// The text does not start with a number.
    #[error("it does not start with a number")]
    NoNumber,
    /// The text after the number is not a suffix of Kubernetes.
    #[error("its suffix is not one of n u m k M G T P E Ki Mi Gi Ti Pi Ei or an exponent")]
    Suffix,
}

const NANO: i128 = 1_000_000_000;

impl Quantity {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// A whole number of units.
    pub const fn from_units(units: i128) -> Self {
        Self(units.saturating_mul(NANO))
    }

    /// The value in thousandths (millicores for cpu), rounded up; 0 if negative, saturating.
    pub fn millis(self) -> u64 {
        to_u64(div_ceil(self.0, NANO / 1000))
    }

    /// The value in whole units (bytes, devices), rounded up; 0 if negative, saturating.
    pub fn units(self) -> u64 {
        to_u64(div_ceil(self.0, NANO))
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let bytes = text.as_bytes();
        if bytes.is_empty() {
            return Err(QuantityError::Empty);
        }
        let (negative, mut at) = match bytes[0] {
            b'-' => (true, 1),
            b'+' => (false, 1),
            _ => (false, 0),
        };
        let mut mantissa: i128 = 0;
        let mut scale: i32 = 0; // value = mantissa × 10^scale
        let mut digits = 0_usize;
        let mut point = false;
        let mut lost = false; // a non-zero digit that no longer fits
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'0'..=b'9' => {
                    digits += 1;
                    let next = mantissa.checked_mul(10).and_then(|m| m.checked_add(i128::from(byte - b'0')));
                    if let Some(m) = next.filter(|m| *m < i128::MAX / 20) {
                        mantissa = m;
                        scale -= i32::from(point);
                    } else {
                        lost |= byte != b'0';
                        scale += i32::from(!point);
                    }
                }
                b'.' if !point => point = true,
                _ => break,
            }
            at += 1;
        }
        if digits == 0 {
            return Err(QuantityError::NoNumber);
        }
        let suffix = &bytes[at..];
        let (exponent, binary) = suffix_scale(suffix)?;
        let value = if binary > 0 {
            // A binary suffix never has an exponent, so both scales are small.
            scaled(mantissa.saturating_mul(1_i128 << binary.min(60)), scale + 9, lost)
        } else {
            scaled(mantissa, scale.saturating_add(exponent).saturating_add(9), lost)
        };
        Ok(Self(if negative { -value } else { value }))
    }
}

impl fmt::Display for Quantity {
    /// Decimal units without a suffix, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / NANO, (self.0 % NANO).unsigned_abs());
        if part == 0 {
            return write!(f, "{whole}");
        }
        let sign = if self.0 < 0 && whole == 0 { "-" } else { "" };
        let digits = format!("{part:09}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// The power of ten and the power of two of a suffix.
fn suffix_scale(suffix: &[u8]) -> Result<(i32, u32), QuantityError> {
    Ok(match suffix {
        b"" => (0, 0),
        b"n" => (-9, 0),
        b"u" => (-6, 0),
        b"m" => (-3, 0),
        b"k" => (3, 0),
        b"M" => (6, 0),
        b"G" => (9, 0),
        b"T" => (12, 0),
        b"P" => (15, 0),
        b"E" => (18, 0),
        b"Ki" => (0, 10),
        b"Mi" => (0, 20),
        b"Gi" => (0, 30),
        b"Ti" => (0, 40),
        b"Pi" => (0, 50),
        b"Ei" => (0, 60),
        [b'e' | b'E', exponent @ ..] => {
            let text = std::str::from_utf8(exponent).ok().filter(|t| !t.is_empty()).ok_or(QuantityError::Suffix)?;
            (text.parse::<i32>().ok().ok_or(QuantityError::Suffix)?, 0)
        }
        _ => return Err(QuantityError::Suffix),
    })
}

/// `value × 10^power`, rounded up, saturating; `value` is not negative.
fn scaled(value: i128, power: i32, lost: bool) -> i128 {
    if value == 0 {
        return i128::from(lost);
    }
    if power >= 0 {
        let factor = if power > 38 { i128::MAX } else { 10_i128.saturating_pow(power.unsigned_abs()) };
        return value.saturating_mul(factor);
    }
    if power < -38 {
        return 1;
    }
    let factor = 10_i128.pow(power.unsigned_abs());
    div_ceil(value, factor).max(i128::from(lost))
}

fn div_ceil(value: i128, by: i128) -> i128 {
    value / by + i128::from(value % by > 0)
}

fn to_u64(value: i128) -> u64 {
    u64::try_from(value.max(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn q(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    // Examples of the quantity rules of kubernetes.io: cpu is in thousandths, rounded up.
    #[test_case("0.1" => 100)]
    #[test_case("1.0001" => 1001)]
    #[test_case("100u" => 1)]
    #[test_case("123456789n" => 124)]
    #[test_case("2" => 2000)]
    #[test_case("1930m" => 1930)]
    #[test_case("-1" => 0)]
    #[test_case("+5." => 5000)]
    fn sub_milli_quantity_rounds_up(text: &str) -> u64 {
        q(text).millis()
    }

    #[test_case("123Mi" => 128_974_848)]
    #[test_case("129e6" => 129_000_000)]
    #[test_case("1Ki" => 1024)]
    #[test_case("1k" => 1000)]
    #[test_case("1E" => 1_000_000_000_000_000_000)]
    #[test_case("1Ei" => 1 << 60)]
    #[test_case("1e3" => 1000)]
    #[test_case("1E3" => 1000)]
    #[test_case("12e-1" => 2)]
    #[test_case(".5Gi" => 536_870_912)]
    #[test_case("1.5Gi" => 1_610_612_736)]
    #[test_case("100m" => 1)]
    #[test_case("3Ti" => 3 << 40)]
    #[test_case("2Pi" => 2 << 50)]
    #[test_case("7T" => 7_000_000_000_000)]
    #[test_case("7P" => 7_000_000_000_000_000)]
    #[test_case("7G" => 7_000_000_000)]
    #[test_case("0" => 0)]
    #[test_case("16Ei" => u64::MAX ; "overflow saturates")]
    #[test_case("999999999999999999999999999999999999999999" => u64::MAX ; "more digits than fit")]
    #[test_case("0.00000000000000000000000000000000000000000000001" => 1 ; "finer than fits rounds up")]
    #[test_case("1e-400" => 1 ; "tiny exponent rounds up")]
    #[test_case("1e400" => u64::MAX ; "huge exponent saturates")]
    fn quantity_parses_every_suffix(text: &str) -> u64 {
        q(text).units()
    }

    #[test]
    fn numbers_without_a_suffix_are_units() {
        assert_eq!(q("7654321").units(), 7_654_321);
    }

    #[test_case("" => QuantityError::Empty)]
    #[test_case("1e" => QuantityError::Suffix)]
    #[test_case("1K" => QuantityError::Suffix)]
    #[test_case("1mi" => QuantityError::Suffix)]
    #[test_case("1 Gi" => QuantityError::Suffix)]
    #[test_case("abc" => QuantityError::NoNumber)]
    #[test_case("." => QuantityError::NoNumber)]
    #[test_case("1.2.3" => QuantityError::Suffix)]
    #[test_case("1Gi " => QuantityError::Suffix)]
    fn invalid_text_is_an_error(text: &str) -> QuantityError {
        text.parse::<Quantity>().unwrap_err()
    }

    #[test]
    fn halves_of_a_millicore_add_up_before_rounding() {
        let mut sum = q("0.5m");
        sum += q("0.5m");
        assert_eq!(sum.millis(), 1);
    }

    #[test_case("1.5" => "1.5")]
    #[test_case("-250m" => "-0.25")]
    #[test_case("3" => "3")]
    fn display_is_plain_decimal(text: &str) -> String {
        q(text).to_string()
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[-+]?[0-9.]{0,40}[a-zA-Z0-9+-]{0,6}") {
            let _ = text.parse::<Quantity>();
        }

        #[test]
        fn whole_numbers_round_trip(n in 0_u64..=u64::MAX / 1000) {
            let parsed = n.to_string().parse::<Quantity>().unwrap();
            proptest::prop_assert_eq!(parsed.units(), n);
            proptest::prop_assert_eq!(parsed.millis(), n * 1000);
        }
    }
}
