//! Lenient readers of servers' JSON: a value of another type is converted if its meaning is plain, and a part of another
//! form does not make the rest of a document unreadable.

use crate::model::{Name, Timestamp, Uid};
use crate::units::text::clean_compact;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::ops::Deref;

/// `null` is the default: Go writes nil slices, maps and pointers as `null`.
pub(super) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A value if it has the expected form, else `None`; the document around it is read on.
///
/// For parts of documents that `serde_json` reads from a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IfValid<T>(pub(super) Option<T>);

impl<T> Default for IfValid<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for IfValid<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(json.get()).ok()))
    }
}

/// Clean text. Numbers and booleans are written out; `null` is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) Name);

impl Text {
    /// The text, unless it is empty.
    pub(super) fn given(self) -> Option<Name> {
        if self.0.is_empty() { None } else { Some(self.0) }
    }
}

impl Text {
    /// Whether it is this text, in upper or lower case.
    pub(super) fn is(&self, text: &str) -> bool {
        self.0.eq_ignore_ascii_case(text)
    }

    /// Whether it is this text, in upper or lower case, or empty.
    pub(super) fn is_or_empty(&self, text: &str) -> bool {
        self.0.is_empty() || self.is(text)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Text, E> {
                Ok(Text(clean_compact(value)))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Text, E> {
                Ok(Text(Name::from(if value { "true" } else { "false" })))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Text, E> {
                Ok(Text(compact_str::format_compact!("{value}")))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Text, E> {
                Ok(Text(compact_str::format_compact!("{value}")))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Text, E> {
                Ok(Text(compact_str::format_compact!("{value}")))
            }

            fn visit_unit<E: Error>(self) -> Result<Text, E> {
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// An integer, also when written as text or with a fraction (which is cut). Anything else is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Int(pub(super) Option<i64>);

impl Int {
    /// The value as a count: negative or absent is none.
    pub(super) fn count<T: TryFrom<i64>>(self) -> Option<T> {
        self.0.and_then(|value| T::try_from(value).ok())
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IntVisitor;
        impl Visitor<'_> for IntVisitor {
            type Value = Int;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Int, E> {
                Ok(Int(Some(value)))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Int, E> {
                Ok(Int(i64::try_from(value).ok()))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Int, E> {
                Ok(Int(Some(value as i64)))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Int, E> {
                Ok(Int(value.trim().parse().ok()))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Int, E> {
                Ok(Int(None))
            }

            fn visit_unit<E: Error>(self) -> Result<Int, E> {
                Ok(Int(None))
            }
        }
        deserializer.deserialize_any(IntVisitor)
    }
}

/// Yes or no, also when written as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(&*Text::deserialize(deserializer)? == "true"))
    }
}

/// An RFC 3339 moment; what cannot be read is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Time(pub(super) Option<Timestamp>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TimeVisitor;
        impl Visitor<'_> for TimeVisitor {
            type Value = Time;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 timestamp")
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Time, E> {
                Ok(Time(value.parse().ok()))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Time, E> {
                Ok(Time(None))
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Time, E> {
                Ok(Time(None))
            }

            fn visit_unit<E: Error>(self) -> Result<Time, E> {
                Ok(Time(None))
            }
        }
        deserializer.deserialize_any(TimeVisitor)
    }
}

/// An object's uid, read without keeping its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct UidText(pub(super) Uid);

impl<'de> Deserialize<'de> for UidText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UidVisitor;
        impl Visitor<'_> for UidVisitor {
            type Value = UidText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a uid")
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<UidText, E> {
                Ok(UidText(Uid::new(value)))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<UidText, E> {
                Ok(UidText(Uid::new(&value.to_string())))
            }

            fn visit_unit<E: Error>(self) -> Result<UidText, E> {
                Ok(UidText::default())
            }
        }
        deserializer.deserialize_any(UidVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test]
    fn a_part_of_another_form_does_not_hide_the_rest() {
        let read = |json| {
            let parts: Vec<IfValid<Int>> = serde_json::from_str(json)?;
            serde_json::Result::Ok(parts.into_iter().map(|part| part.0.map(|int| int.0)).collect::<Vec<_>>())
        };
        assert_eq!(read(r#"[1, {"a": [2]}, "3", [[]]]"#).unwrap(), [Some(Some(1)), None, Some(Some(3)), None]);
        assert!(read(r#"[1, {"a": 2]"#).is_err(), "invalid JSON is an error all the same");
    }

    #[test_case(r#""plain""# => "plain")]
    #[test_case("7" => "7" ; "a number is text")]
    #[test_case("-7" => "-7" ; "a negative number is text")]
    #[test_case("1.5" => "1.5" ; "a fraction is text")]
    #[test_case("true" => "true" ; "a boolean is text")]
    #[test_case("null" => "" ; "null is empty")]
    #[test_case(r#""a\u001b[31m\nb""# => "a[31m b" ; "escapes are cleaned at the door")]
    fn text_is_read_from_anything_simple(json: &str) -> String {
        serde_json::from_str::<Text>(json).unwrap().to_string()
    }

    #[test_case("3" => Some(3))]
    #[test_case(r#""3""# => Some(3) ; "text")]
    #[test_case("3.9" => Some(3) ; "fraction")]
    #[test_case("null" => None)]
    #[test_case(r#""many""# => None ; "words")]
    #[test_case("18446744073709551615" => None ; "too large")]
    fn integers_are_read_with_patience(json: &str) -> Option<i64> {
        serde_json::from_str::<Int>(json).unwrap().0
    }

    #[test_case(r#""2026-11-24T08:00:00Z""# => Some(1_795_507_200))]
    #[test_case(r#""2026-11-24T08:00:00.123456Z""# => Some(1_795_507_200) ; "micro time")]
    #[test_case(r#""yesterday""# => None)]
    #[test_case("null" => None)]
    fn times_are_read_or_absent(json: &str) -> Option<i64> {
        serde_json::from_str::<Time>(json).unwrap().0.map(Timestamp::as_second)
    }
}
