//! Natural order of names: `node-2` before `node-10`.

use compact_str::CompactString;

/// A sort key whose byte order is the natural order of names.
///
/// Runs of digits are encoded as their length followed by the digits without leading zeros, so that comparing bytes
/// compares numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NaturalKey(CompactString);

impl NaturalKey {
    /// The key of `name`.
    pub fn new(name: &str) -> Self {
        let mut key = CompactString::with_capacity(name.len() + 8);
        let mut rest = name;
        while let Some(first) = rest.chars().next() {
            if first.is_ascii_digit() {
                let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                let (run, tail) = rest.split_at(end);
                let digits = run.trim_start_matches('0');
                // '0' + length sorts where digits sort, for all realistic lengths.
                key.push(char::from(b'0' + digits.len().min(9) as u8));
                key.push_str(digits);
                rest = tail;
            } else {
                key.push(first);
                rest = rest.strip_prefix(first).unwrap_or("");
            }
        }
        Self(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_compared_as_numbers() {
        let mut names = ["node-10", "node-9", "node-010", "ip-10-0-2-1", "ip-10-0-10-1", "b", "B", "node-2a"];
        names.sort_by_cached_key(|n| (NaturalKey::new(n), *n));
        assert_eq!(names, ["B", "b", "ip-10-0-2-1", "ip-10-0-10-1", "node-2a", "node-9", "node-010", "node-10"]);
    }

    #[test]
    fn long_runs_do_not_panic() {
        let _ = NaturalKey::new(&"9".repeat(400));
    }
}
