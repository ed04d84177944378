//! Amounts as people and programs write them: decimal digits, perhaps with a sign and an exponent, never in floating point.

use crate::units::Money;

/// Reads an amount of 0 or more: `0.0860`, `+0.5`, `1.9003e-02` (Go prints small numbers so). None for everything else:
/// `inf`, `nan`, negative numbers, units, more than nine billion.
pub fn read(text: &str) -> Option<Money> {
    let text = text.trim();
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let shifted = if exponent == 0 { mantissa.to_owned() } else { shift(mantissa, exponent)? };
    shifted.parse().ok().filter(|amount| *amount >= Money::ZERO)
}

/// Digits on either side of the point that can matter to an amount.
const DIGITS: usize = 20;

/// Moves the decimal point: `1.9` and -2 give `0.019`.
fn shift(mantissa: &str, exponent: i32) -> Option<String> {
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let mut all = format!("{whole}{part}");
    if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
    let leading = all.len() - all.trim_start_matches('0').len();
    if leading == all.len() {
        return Some(format!("{sign}0"));
    }
    // Where the point lands, counted from the first digit that is not 0.
    let significant = point - i64::try_from(leading).ok()?;
    match usize::try_from(significant) {
        Ok(before) if before > DIGITS => None,
        Err(_) if significant < -(DIGITS as i64) => Some(format!("{sign}0")),
        Ok(_) | Err(_) => {
            let zeros = usize::try_from(-point).unwrap_or(0);
            all.insert_str(0, &"0".repeat(zeros));
            let at = usize::try_from(point).unwrap_or(0);
            let missing = at.saturating_sub(all.len());
            all.push_str(&"0".repeat(missing));
            all.insert(at, '.');
            Some(format!("{sign}0{all}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

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
    fn an_amount_is_read_exactly_or_not_at_all(text: &str) -> Option<String> {
        read(text).map(|amount| amount.to_string())
    }

    proptest::proptest! {
        #[test]
        fn an_exponent_only_moves_the_point(nanos in 0_i64..=1_000_000_000_000, exponent in -9_i32..=9) {
            let amount = Money::from_nanos(nanos);
            // The same number with its point elsewhere.
            let text = format!("{nanos}e{}", -9);
            proptest::prop_assert_eq!(read(&text), Some(amount));
            let there = read(&format!("{}e{exponent}", amount.decimal(9)));
            let back = there.and_then(|there| read(&format!("{}e{}", there.decimal(9), -exponent)));
            if exponent >= 0 && there.is_some() {
                proptest::prop_assert_eq!(back, Some(amount));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+]?[0-9.]{0,30}[eE]?[-+]?[0-9]{0,4}") {
            proptest::prop_assert!(read(&text).is_none_or(|amount| amount >= Money::ZERO));
        }
    }
}
