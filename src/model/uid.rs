use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::hash::Hasher;

/// The UID of an object: a name can be reused, a UID cannot.
///
/// Kubernetes UIDs are UUIDs (32 hexadecimal digits for mirror pods), stored in 16 bytes. Any other text is hashed to
/// 16 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(u128);

impl Uid {
    /// Parses a UID; empty text gives one that [`Self::is_none`].
    pub fn new(text: &str) -> Self {
        let mut value: u128 = 0;
        let mut digits = 0;
        for c in text.bytes().filter(|b| *b != b'-') {
            match char::from(c).to_digit(16) {
                Some(d) if digits < 32 => value = value << 4 | u128::from(d),
                _ => return Self::hashed(text),
            }
            digits += 1;
        }
        if digits == 32 || text.is_empty() { Self(value) } else { Self::hashed(text) }
    }

    fn hashed(text: &str) -> Self {
        let half = |seed: u8| {
            let mut hasher = rustc_hash::FxHasher::default();
            hasher.write_u8(seed);
            hasher.write(text.as_bytes());
            u128::from(hasher.finish())
        };
        Self((half(1) << 64 | half(2)).max(1))
    }

    /// Whether two UIDs may belong to the same object: they are equal, or one is missing.
    pub const fn matches(self, other: Self) -> bool {
        self.is_none() || other.is_none() || self.0 == other.0
    }

    /// Whether the UID is missing, as in some sources.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            v >> 96,
            v >> 80 & 0xffff,
            v >> 64 & 0xffff,
            v >> 48 & 0xffff,
            v & 0xffff_ffff_ffff
        )
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_round_trip_and_other_text_is_distinct() {
        let text = "0fa1c9de-1b2c-4d3e-8f90-a1b2c3d4e5f6";
        assert_eq!(Uid::new(text).to_string(), text);
        assert!(Uid::new("").is_none());
        assert_ne!(Uid::new("node-a"), Uid::new("node-b"));
        assert_ne!(Uid::new("ip-10-0-0-1"), Uid::new(text));
    }
}
