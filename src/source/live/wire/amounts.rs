//! A `ResourceList`: exact amounts by resource name.

use crate::model::{Name, Resource, Resources};
use crate::units::Quantity;
use crate::units::text::clean_compact;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::fmt;

/// Exact amounts by resource name, from strings and from numbers (`x-kubernetes-int-or-string`).
///
/// The three resources that nearly every pod names lie in place, so that reading and adding them allocates nothing. A
/// quantity that cannot be read counts as 0 and is kept in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::source::live) struct Amounts {
    cpu: Option<Quantity>,
    memory: Option<Quantity>,
    ephemeral_storage: Option<Quantity>,
    others: Vec<(Name, Quantity)>,
    odd: Option<Box<str>>,
}

impl Amounts {
    /// The amount of a resource, if it is named.
    pub(in crate::source::live) fn get(&self, name: &str) -> Option<Quantity> {
        match name {
            "cpu" => self.cpu,
            "memory" => self.memory,
            "ephemeral-storage" => self.ephemeral_storage,
            _ => self.others.iter().find(|(n, _)| n == name).map(|(_, q)| *q),
        }
    }

    /// Names and sets a resource.
    pub(in crate::source::live) fn set(&mut self, name: &str, amount: Quantity) {
        match name {
            "cpu" => self.cpu = Some(amount),
            "memory" => self.memory = Some(amount),
            "ephemeral-storage" => self.ephemeral_storage = Some(amount),
            _ => match self.others.iter_mut().find(|(n, _)| n == name) {
                Some((_, q)) => *q = amount,
                None => self.others.push((name.into(), amount)),
            },
        }
    }

    /// Whether no resource is named.
    pub(in crate::source::live) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The named resources.
    pub(in crate::source::live) fn iter(&self) -> impl Iterator<Item = (&str, Quantity)> {
        let known = [("cpu", self.cpu), ("memory", self.memory), ("ephemeral-storage", self.ephemeral_storage)];
        let known = known.into_iter().filter_map(|(name, amount)| Some((name, amount?)));
        known.chain(self.others.iter().map(|(name, amount)| (name.as_str(), *amount)))
    }

    /// Adds each resource of `other` into its own.
    pub(in crate::source::live) fn add(&mut self, other: &Self) {
        self.fold(other, |mut sum, amount| {
            sum += amount;
            sum
        });
    }

    /// Raises each resource to that of `other`.
    pub(in crate::source::live) fn raise(&mut self, other: &Self) {
        self.fold(other, Ord::max);
    }

    /// Combines each resource that `other` names; one that is not named here is taken over.
    fn fold(&mut self, other: &Self, combine: impl Fn(Quantity, Quantity) -> Quantity) {
        let merge = |mine: &mut Option<Quantity>, theirs: Option<Quantity>| {
            if let Some(theirs) = theirs {
                *mine = Some(mine.map_or(theirs, |mine| combine(mine, theirs)));
            }
        };
        merge(&mut self.cpu, other.cpu);
        merge(&mut self.memory, other.memory);
        merge(&mut self.ephemeral_storage, other.ephemeral_storage);
        for (name, theirs) in &other.others {
            match self.others.iter_mut().find(|(n, _)| n == name) {
                Some((_, mine)) => *mine = combine(*mine, *theirs),
                None => self.others.push((name.clone(), *theirs)),
            }
        }
    }

    /// Rounded up once: millicores for cpu, whole units for the rest.
    pub(in crate::source::live) fn to_resources(&self) -> Resources {
        let mut resources =
            Resources::new(self.cpu.map_or(0, Quantity::millis), self.memory.map_or(0, Quantity::units));
        resources.ephemeral_storage_bytes = self.ephemeral_storage.map_or(0, Quantity::units);
        for (name, amount) in &self.others {
            resources.set(&Resource::from_name(name), amount.units());
        }
        resources
    }

    /// The last quantity that could not be read, in words.
    pub(in crate::source::live) fn odd(&self) -> Option<&str> {
        self.odd.as_deref()
    }
}

/// A resource name on the way in; the common ones without an allocation.
enum Key {
    Cpu,
    Memory,
    EphemeralStorage,
    Other(Name),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a resource name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
                Ok(match name {
                    "cpu" => Key::Cpu,
                    "memory" => Key::Memory,
                    "ephemeral-storage" => Key::EphemeralStorage,
                    other => Key::Other(clean_compact(other)),
                })
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// One quantity, or why it is none.
struct Amount(Result<Quantity, Box<str>>);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AmountVisitor;
        impl Visitor<'_> for AmountVisitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
                Ok(Amount(
                    text.parse::<Quantity>()
                        .map_err(|why| format!("{:?} is not a quantity: {why}", clean_compact(text).as_str()).into()),
                ))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Amount, E> {
                Ok(Amount(Ok(Quantity::from_units(value.into()))))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Amount, E> {
                Ok(Amount(Ok(Quantity::from_units(value.into()))))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Amount, E> {
                // Through text, because a quantity is exact and 0.1 is not.
                self.visit_str(&value.to_string())
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Amount, E> {
                Ok(Amount(Err(format!("{value} is not a quantity").into())))
            }

            fn visit_unit<E: Error>(self) -> Result<Amount, E> {
                Ok(Amount(Ok(Quantity::ZERO)))
            }
        }
        deserializer.deserialize_any(AmountVisitor)
    }
}

impl<'de> Deserialize<'de> for Amounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AmountsVisitor;
        impl<'de> Visitor<'de> for AmountsVisitor {
            type Value = Amounts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("quantities by resource name")
            }

            fn visit_unit<E: Error>(self) -> Result<Amounts, E> {
                Ok(Amounts::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Amounts, A::Error> {
                let mut amounts = Amounts::default();
                while let Some((key, Amount(amount))) = map.next_entry::<Key, Amount>()? {
                    let amount = amount.unwrap_or_else(|why| {
                        amounts.odd = Some(why);
                        Quantity::ZERO
                    });
                    match key {
                        Key::Cpu => amounts.cpu = Some(amount),
                        Key::Memory => amounts.memory = Some(amount),
                        Key::EphemeralStorage => amounts.ephemeral_storage = Some(amount),
                        Key::Other(name) => amounts.set(&name, amount),
                    }
                }
                Ok(amounts)
            }
        }
        deserializer.deserialize_any(AmountsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(json: &str) -> Amounts {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn numeric_quantity_is_accepted() {
        let read = amounts(r#"{"cpu": 1000, "memory": "1Gi", "nodes": 10, "nvidia.com/gpu": 1.0, "pods": null}"#);
        let resources = read.to_resources();
        assert_eq!((resources.cpu_millicores, resources.memory_bytes), (1_000_000, 1 << 30));
        assert_eq!(read.get("nodes").map(Quantity::units), Some(10));
        assert_eq!(read.get("nvidia.com/gpu").map(Quantity::units), Some(1));
        assert_eq!(read.get("pods"), Some(Quantity::ZERO));
        assert_eq!((read.get("ephemeral-storage"), read.odd()), (None, None));
    }

    #[test]
    fn an_unreadable_quantity_is_zero_and_named() {
        let read = amounts(r#"{"cpu": "1K", "memory": "5"}"#);
        assert_eq!((read.get("cpu"), read.get("memory")), (Some(Quantity::ZERO), Some(Quantity::from_units(5))));
        assert!(read.odd().is_some_and(|odd| odd.contains("1K")), "{:?}", read.odd());
    }

    #[test]
    fn each_resource_combines_only_with_itself() {
        let mut sum = amounts(r#"{"cpu": "1", "a/b": "2"}"#);
        sum.add(&amounts(r#"{"cpu": "500m", "memory": "7", "a/b": "1", "c/d": "4"}"#));
        assert_eq!(sum, amounts(r#"{"cpu": "1.5", "memory": "7", "a/b": "3", "c/d": "4"}"#));
        sum.raise(&amounts(r#"{"cpu": "1", "memory": "9"}"#));
        assert_eq!(sum.get("cpu"), "1.5".parse().ok());
        assert_eq!(sum.get("memory"), "9".parse().ok());
    }
}
