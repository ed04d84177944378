//! Ages and durations in the formats of kubectl and Go.

/// Seconds as the two largest units, `kubectl` style: `12s`, `4m10s`, `3h20m`, `3d4h`, `12d`, `2y10d`.
///
/// A negative age (the server's clock is ahead) is `0s`.
pub fn short(seconds: i64) -> String {
    let s = seconds.max(0);
    let (m, h, d) = (s / 60, s / 3600, s / 86_400);
    let pair = |big: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{big}{unit}") } else { format!("{big}{unit}{small}{small_unit}") }
    };
    match s {
        0..=119 => format!("{s}s"),
        120..=599 => pair(m, "m", s % 60, "s"),
        600..=7199 => format!("{m}m"),
        7200..=35_999 => pair(h, "h", m % 60, "m"),
        36_000..=172_799 => format!("{h}h"),
        172_800..=863_999 => pair(d, "d", h % 24, "h"),
        864_000..=63_071_999 => format!("{d}d"),
        _ => pair(d / 365, "y", d % 365, "d"),
    }
}

/// Whole seconds of a Go duration (`720h`, `1h30m`, `15.046s`), as Karpenter and metrics-server write them, rounded up;
/// `None` for `Never` and for text that is not a duration.
///
/// The grammar is that of Go's `time.ParseDuration`: signed, decimal numbers each with a unit of ns, us, ms, s, m, h.
pub fn go_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(digits)?;
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit_end)?;
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if !whole.is_empty() {
            nanos = nanos.checked_add(whole.parse::<i128>().ok()?.checked_mul(unit)?)?;
        }
        let mut step = unit;
        for digit in fraction.bytes() {
            step /= 10;
            nanos += step * i128::from(digit.checked_sub(b'0').filter(|d| *d <= 9)?);
        }
        rest = after;
    }
    let seconds = nanos / 1_000_000_000 + i128::from(nanos % 1_000_000_000 > 0);
    i64::try_from(if negative { -seconds } else { seconds }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case(0 => "0s")]
    #[test_case(-5 => "0s")]
    #[test_case(119 => "119s")]
    #[test_case(120 => "2m")]
    #[test_case(250 => "4m10s")]
    #[test_case(840 => "14m")]
    #[test_case(12_000 => "3h20m")]
    #[test_case(100_000 => "27h")]
    #[test_case(3 * 86_400 + 4 * 3600 => "3d4h")]
    #[test_case(12 * 86_400 => "12d")]
    #[test_case(740 * 86_400 => "2y10d")]
    fn ages_are_written_like_kubectl(seconds: i64) -> String {
        short(seconds)
    }

    #[test_case("720h" => Some(2_592_000))]
    #[test_case("1h30m" => Some(5400))]
    #[test_case("1.5h" => Some(5400))]
    #[test_case("15.046s" => Some(16) ; "rounded up")]
    #[test_case("100ms" => Some(1))]
    #[test_case("0s" => Some(0))]
    #[test_case("0" => Some(0))]
    #[test_case("-5m" => Some(-300))]
    #[test_case("Never" => None)]
    #[test_case("" => None)]
    #[test_case("15" => None ; "no unit")]
    #[test_case("h" => None ; "no number")]
    #[test_case(".s" => None ; "only a point")]
    #[test_case("1.2.3s" => None ; "two points")]
    #[test_case("99999999999999999999999999999999999999h" => None ; "too long")]
    fn go_durations(text: &str) -> Option<i64> {
        go_duration(text)
    }
}
