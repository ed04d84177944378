//! Ages and durations as people of this field write them.

/// Seconds as the two largest units, `kubectl` style: `12s`, `4m10s`, `3h20m`, `3d4h`, `12d`, `2y10d`.
///
/// Negative spans (a clock ahead of ours) read as `0s`.
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

/// Reads a Go duration (`720h`, `1h30m`, `1.5s`, `300ms`) into whole seconds, rounded down.
///
/// Karpenter writes `Never` for "none": that, and anything else, is `None`. Grammar: Go's `time.ParseDuration`.
pub fn go_duration(text: &str) -> Option<i64> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit_end);
        let scale: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && part.is_empty() {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        nanos = nanos.checked_add(whole.checked_mul(scale)?)?;
        let mut step = scale;
        for digit in part.bytes() {
            step /= 10;
            nanos = nanos.checked_add(i128::from(digit.checked_sub(b'0').filter(|d| *d < 10)?) * step)?;
        }
        rest = next;
    }
    i64::try_from(nanos / 1_000_000_000).ok()
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
    fn ages_read_like_kubectl(seconds: i64) -> String {
        short(seconds)
    }

    #[test_case("720h" => Some(2_592_000))]
    #[test_case("1h30m" => Some(5400))]
    #[test_case("15s" => Some(15))]
    #[test_case("1.5m" => Some(90))]
    #[test_case("300ms" => Some(0))]
    #[test_case("0" => Some(0))]
    #[test_case("0s" => Some(0))]
    #[test_case("Never" => None)]
    #[test_case("" => None)]
    #[test_case("5" => None ; "a number needs a unit")]
    #[test_case("h" => None)]
    #[test_case("99999999999999999999999h" => None)]
    fn go_durations(text: &str) -> Option<i64> {
        go_duration(text)
    }
}
