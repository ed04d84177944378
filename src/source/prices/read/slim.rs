//! Reading large JSON for a few of its fields: whatever is not asked for, or not of the kind that was expected, is
//! passed over without being built. Only text that is no JSON at all is an error.

use serde::Deserializer;
use serde::de::{Deserialize, DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Something that takes what it needs from an object's entries, or a list's elements, as they come by.
pub(super) trait Slim<'de> {
    /// An entry. The value must be taken from `map`, or skipped with [`skip`].
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let _ = key;
        skip(map)
    }

    /// An element; false at the end of the list.
    fn element<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        Ok(list.next_element::<IgnoredAny>()?.is_some())
    }
}

/// Passes over a value.
pub(super) fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(|_| ())
}

/// Shows a value to something slim.
pub(super) struct Show<'a, T>(pub &'a mut T);

impl<'de, T: Slim<'de>> DeserializeSeed<'de> for Show<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Slim<'de>> Visitor<'de> for Show<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            self.0.entry(key.get().unwrap_or(""), &mut map)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while self.0.element(&mut list)? {}
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A value built by showing it what is there; its default where that is of another kind.
pub(super) struct Of<T>(pub T);

impl<'de, T: Slim<'de> + Default> Deserialize<'de> for Of<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = T::default();
        Show(&mut value).deserialize(deserializer)?;
        Ok(Self(value))
    }
}

/// The value of an entry, built.
pub(super) fn of<'de, T: Slim<'de> + Default, A: MapAccess<'de>>(map: &mut A) -> Result<T, A::Error> {
    map.next_value::<Of<T>>().map(|Of(value)| value)
}

/// A text, or a number as text (exact: prices are kept as decimals). Anything else is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text<'de>(Option<Cow<'de, str>>);

impl Text<'_> {
    /// The text, if there is one.
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Whether it is this, upper or lower case.
    pub(super) fn is(&self, text: &str) -> bool {
        self.get().is_some_and(|own| own.eq_ignore_ascii_case(text))
    }

    /// Whether it is this, or not there: for what some documents leave out because all they hold is alike.
    pub(super) fn is_or_absent(&self, text: &str) -> bool {
        self.0.is_none() || self.is(text)
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Text<'de>, E> {
                // The shortest decimal that means this number: what was written, up to 15 digits.
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }

            fn visit_unit<E: Error>(self) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text<'de>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text(None))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// Shows a whole document, and makes sure that nothing follows it.
pub(super) fn show<'de, T: Slim<'de>>(body: &'de [u8], value: &mut T) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_slice(body);
    Show(value).deserialize(&mut json)?;
    json.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[derive(Debug, Default, PartialEq)]
    struct Point<'a> {
        x: Text<'a>,
        inner: Vec<Text<'a>>,
    }

    impl<'de> Slim<'de> for Point<'de> {
        fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
            match key {
                "x" => self.x = map.next_value()?,
                "inner" => map.next_value_seed(Show(self))?,
                _ => skip(map)?,
            }
            Ok(())
        }

        fn element<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
            let element = list.next_element()?;
            let more = element.is_some();
            self.inner.extend(element);
            Ok(more)
        }
    }

    fn point(text: &str) -> (Option<String>, usize) {
        let mut point = Point::default();
        show(text.as_bytes(), &mut point).unwrap();
        (point.x.get().map(str::to_owned), point.inner.len())
    }

    #[test]
    fn a_value_of_another_kind_is_nothing_and_harms_nothing() {
        assert_eq!(point(r#"{"x": "a", "x": "b", "y": {"x": "c"}, "inner": ["q", 1, {}]}"#), (Some("b".to_owned()), 3));
        for other in ["null", "true", "[[]]", "{\"z\": 1}"] {
            assert_eq!(point(&format!(r#"{{"x": {other}, "inner": {other}}}"#)).0, None, "{other}");
            assert_eq!(point(other).0, None, "{other}");
        }
    }

    #[test]
    fn a_number_is_its_decimal_text() {
        assert_eq!(point(r#"{"x": 0.0860}"#).0.as_deref(), Some("0.086"));
        assert_eq!(point(r#"{"x": 2}"#).0.as_deref(), Some("2"));
        assert_eq!(point(r#"{"x": -2}"#).0.as_deref(), Some("-2"));
        assert_eq!(point(r#"{"x": 1e-7}"#).0.as_deref(), Some("0.0000001"));
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        for text in ["", "{", "{\"x\"", "{\"x\": \"\\q\"}", "{} {}", "<html>"] {
            assert!(show(text.as_bytes(), &mut Point::default()).is_err(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(show(deep.as_bytes(), &mut Point::default()).is_err(), "nesting has a limit");
    }
}
