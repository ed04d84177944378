//! Parses and writes the `[[discounts]]` tables of the settings file.
//!
//! Discounts have no flag: a rule has too many parts for one.

use super::error::{Origin, SettingsError, nearest};
use super::file::{Entry, Raw, Table};
use crate::pricing::{CapacityType, DiscountOn, DiscountRule, Factor, Glob};
use std::path::Path;

/// The key of the tables.
pub(super) const KEY: &str = "discounts";

/// The keys of a table, in the order they are written.
const KEYS: &[&str] = &["family", "type", "nodepool", "nodegroup", "capacity", "region", "price", "factor", "on"];

/// Parses the rules; `line` is the line of the key.
pub(super) fn read(value: Raw, path: &Path, line: usize) -> Result<Vec<DiscountRule>, SettingsError> {
    match value {
        Raw::Tables(tables) => tables.into_iter().map(|table| read_one(table, path)).collect(),
        Raw::List(none) if none.is_empty() => Ok(Vec::new()),
        other => Err(SettingsError::BadValue {
            origin: Origin::File { path: path.to_owned(), line, key: KEY.to_owned() },
            given: other.to_string(),
            expected: "expected one [[discounts]] table per discount".to_owned(),
        }),
    }
}

fn read_one(table: Table, path: &Path) -> Result<DiscountRule, SettingsError> {
    let mut globs: [Option<Glob>; 5] = Default::default();
    let [family, instance_type, nodepool, nodegroup, region] = &mut globs;
    let (mut capacity, mut on, mut factor) = (None, DiscountOn::default(), None);
    for Entry { key, value, line } in table.entries {
        let origin = |key: &str| Origin::File { path: path.to_owned(), line, key: key.to_owned() };
        let read = match key.as_str() {
            "family" => glob(&value).map(|glob| *family = Some(glob)),
            "type" => glob(&value).map(|glob| *instance_type = Some(glob)),
            "nodepool" => glob(&value).map(|glob| *nodepool = Some(glob)),
            "nodegroup" => glob(&value).map(|glob| *nodegroup = Some(glob)),
            "region" => glob(&value).map(|glob| *region = Some(glob)),
            "capacity" => word(&value, &CapacityType::ALL, CapacityType::name).map(|is| capacity = Some(is)),
            "on" => word(&value, &DiscountOn::ALL, DiscountOn::name).map(|is| on = is),
            "price" | "factor" if factor.is_some() => Err("expected either price or factor, found both".to_owned()),
            "price" => percentage(&value).map(|is| factor = Some(is)),
            "factor" => share(&value).map(|is| factor = Some(is)),
            _ => {
                let hint = match nearest(&key, KEYS.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("a discount has {}", KEYS.join(", ")),
                };
                return Err(SettingsError::UnknownKey {
                    path: path.to_owned(),
                    line,
                    key: format!("{KEY}.{key}"),
                    hint,
                });
            }
        };
        read.map_err(|expected| SettingsError::BadValue { origin: origin(&key), given: value.to_string(), expected })?;
    }
    let Some(factor) = factor else {
        return Err(SettingsError::BadValue {
            origin: Origin::File { path: path.to_owned(), line: table.line, key: KEY.to_owned() },
            given: "a table without a discount".to_owned(),
            expected: "expected price = \"-28%\", or the same as factor = 0.72".to_owned(),
        });
    };
    let [family, instance_type, nodepool, nodegroup, region] = globs;
    Ok(DiscountRule { family, instance_type, nodepool, nodegroup, capacity, region, factor, on })
}

fn text(value: &Raw) -> Option<&str> {
    match value {
        Raw::Typed(text) | Raw::Text(text) => Some(text.trim()),
        Raw::Bool(_) | Raw::Integer(_) | Raw::Decimal(_) | Raw::List(_) | Raw::Tables(_) | Raw::Other(_) => None,
    }
}

fn glob(value: &Raw) -> Result<Glob, String> {
    let text = text(value).ok_or("expected a string in quotes, such as \"m5*\"")?;
    text.parse().map_err(|error| format!("expected a pattern such as m5*: {error}"))
}

/// One of these words.
fn word<T: Copy>(value: &Raw, all: &[T], name: fn(T) -> &'static str) -> Result<T, String> {
    let given = text(value).unwrap_or_default();
    all.iter().copied().find(|one| name(*one) == given).ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|one| name(*one)).collect();
        let near = nearest(given, words.iter().copied()).map(|near| format!("; did you mean {near}?"));
        format!("expected one of {}{}", words.join(", "), near.unwrap_or_default())
    })
}

/// The discount in percent, with its sign.
fn percentage(value: &Raw) -> Result<Factor, String> {
    let text = text(value).filter(|text| text.ends_with('%')).ok_or(
        "expected a percentage such as \"-28%\"; use `factor` for the share that is paid, and a price file for prices in dollars",
    )?;
    text.parse().map_err(|error| format!("expected a percentage such as \"-28%\": {error}"))
}

/// The share of the list price that is paid.
fn share(value: &Raw) -> Result<Factor, String> {
    let text = match value {
        Raw::Integer(number) | Raw::Decimal(number) => number.as_str(),
        other => text(other).filter(|text| !text.ends_with('%')).unwrap_or_default(),
    };
    text.parse().map_err(|_no_factor| {
        "expected the share of the list price that is paid, from 0 to 1 with at most six decimals, such as 0.72"
            .to_owned()
    })
}

/// Writes the rules as tables of a settings file, each after an empty line.
pub(super) fn written(rules: &[DiscountRule]) -> String {
    if rules.is_empty() {
        return String::new();
    }
    let mut lines = Vec::new();
    for rule in rules {
        lines.extend([String::new(), format!("[[{KEY}]]")]);
        let mut entry = |key: &str, value: Option<String>| {
            lines.extend(value.map(|value| format!("{key} = {}", super::file::toml_text(value))));
        };
        let glob = |glob: &Option<Glob>| glob.as_ref().map(Glob::to_string);
        entry("family", glob(&rule.family));
        entry("type", glob(&rule.instance_type));
        entry("nodepool", glob(&rule.nodepool));
        entry("nodegroup", glob(&rule.nodegroup));
        entry("capacity", rule.capacity.map(|capacity| capacity.name().to_owned()));
        entry("region", glob(&rule.region));
        entry("price", Some(rule.factor.to_string()));
        entry("on", Some(rule.on.name().to_owned()));
    }
    lines.push(String::new());
    lines.join("\n")
}
