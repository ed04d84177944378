//! Which rows are wanted: a small language of terms that must all hold.
//!
//! ```text
//! filter  = term { " " term }                      every term holds
//! term    = [ "-" | "!" ] test                     "-" or "!": it does not hold
//! test    = word { "," word }                      text in name, nodepool, type, zone or claim name
//!         | field ":" value { "," value }          the field contains one of the values
//!         | field "=" value { "," value }          the field is one of the values; "" is "has none"
//!         | field "!=" value { "," value }         the same as -field=value
//!         | number ("<"|"<="|">"|">="|"="|":") n   cpu and memory in percent of what is offered
//!         | [ "label:" ] key "=" value { "," … }   a label is one of the values
//!         | "label:" key                           a label is there
//! field   = name pool type zone arch claim status capacity
//! number  = cpu memory usage.cpu usage.memory pods price waste age
//! ```
//!
//! Upper and lower case are the same everywhere. Quotes keep spaces, commas and signs as they are. What a row does not
//! have (a price that is not known, a node without a zone) makes a term false, so that its negation keeps the row: a
//! negative term never hides a row it says nothing about. Any `key=value` whose key is no field is a label, as in
//! kubectl's selectors.

use super::Waste;
use crate::cluster::{CapacityType, Cluster, Flag, Row, RowState};
use crate::model::{Name, Resource, Stream};
use crate::pricing::Quote;
use crate::units::Money;
use std::fmt;
use std::ops::Range;

/// A parsed filter: terms that must all hold. The default has none and lets every row through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// Why a text is no filter. Completes "failed to …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read filter term `{term}` (column {}): {problem}", .columns.start + 1)]
pub struct FilterError {
    /// The term, as written.
    pub term: String,
    /// Its place in the text: characters, counted from 0.
    pub columns: Range<usize>,
    /// What is wrong with it, and what would be right.
    pub problem: FilterProblem,
}

/// What is wrong with a term.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterProblem {
    /// A quote is opened and not closed.
    #[error("the quote is not closed")]
    OpenQuote,
    /// `-` or `!` with nothing after it.
    #[error("nothing follows the `-`; write -pool:spot to leave out what a term matches")]
    NothingNegated,
    /// A sign without a field before it.
    #[error("a field must stand before the sign, without spaces: cpu<50, pool:spot")]
    NoField,
    /// No such field.
    #[error("there is no field `{field}`{}; fields are {FIELDS}, and label:key=value", hint(.nearest.as_deref()))]
    UnknownField {
        /// The field as written.
        field: String,
        /// The nearest there is.
        nearest: Option<&'static str>,
    },
    /// A field without a value.
    #[error("`{field}` needs a value, such as {example}")]
    NoValue {
        /// The field.
        field: String,
        /// A term that would do.
        example: &'static str,
    },
    /// A value outside the field's vocabulary.
    #[error("`{value}` is no {field}{}; it may be {accepted}", hint(.nearest.as_deref()))]
    UnknownValue {
        /// The field.
        field: &'static str,
        /// The value as written.
        value: String,
        /// The nearest there is.
        nearest: Option<&'static str>,
        /// All there are.
        accepted: String,
    },
    /// A value that is not of the field's kind.
    #[error("`{value}` is not {accepted}")]
    BadValue {
        /// The value as written.
        value: String,
        /// What is read here, with an example.
        accepted: &'static str,
    },
    /// A sign the field does not know.
    #[error("`{field}` takes {accepted}, not `{sign}`")]
    BadSign {
        /// The field.
        field: String,
        /// The sign as written.
        sign: &'static str,
        /// Signs it takes.
        accepted: &'static str,
    },
}

/// The fields, for messages.
const FIELDS: &str = "name, pool, type, zone, arch, claim, status, flag, capacity, cpu, memory, usage.cpu, usage.memory, pods, price, waste, age";

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|word| format!(", did you mean `{word}`?")).unwrap_or_default()
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Word(Vec<Name>),
    Text { field: TextField, exact: bool, values: Vec<Name> },
    Label { key: Name, values: Vec<Name> },
    HasLabel(Name),
    Number { field: NumberField, sign: Sign, value: i64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextField {
    Name,
    Pool,
    Type,
    Zone,
    Arch,
    Claim,
    Status,
    Capacity,
    /// Any of the row's flags.
    Flag,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumberField {
    /// Requested share in thousandths.
    Cpu,
    Memory,
    /// Measured share in thousandths.
    UsedCpu,
    UsedMemory,
    Pods,
    /// Billionths an hour.
    Price,
    /// Of what no pod requests, billionths an hour.
    Waste,
    /// Seconds.
    Age,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Text(TextField),
    Number(NumberField),
}

/// Every word a field may be called; the first one of a field is its canonical name.
const NAMES: &[(&str, Field)] = &[
    ("name", Field::Text(TextField::Name)),
    ("node", Field::Text(TextField::Name)),
    ("pool", Field::Text(TextField::Pool)),
    ("nodepool", Field::Text(TextField::Pool)),
    ("nodegroup", Field::Text(TextField::Pool)),
    ("type", Field::Text(TextField::Type)),
    ("instance-type", Field::Text(TextField::Type)),
    ("zone", Field::Text(TextField::Zone)),
    ("az", Field::Text(TextField::Zone)),
    ("arch", Field::Text(TextField::Arch)),
    ("claim", Field::Text(TextField::Claim)),
    ("nodeclaim", Field::Text(TextField::Claim)),
    ("status", Field::Text(TextField::Status)),
    ("state", Field::Text(TextField::Status)),
    ("flag", Field::Text(TextField::Flag)),
    ("capacity", Field::Text(TextField::Capacity)),
    ("capacity-type", Field::Text(TextField::Capacity)),
    ("buy", Field::Text(TextField::Capacity)),
    ("cpu", Field::Number(NumberField::Cpu)),
    ("memory", Field::Number(NumberField::Memory)),
    ("mem", Field::Number(NumberField::Memory)),
    ("usage.cpu", Field::Number(NumberField::UsedCpu)),
    ("usage.memory", Field::Number(NumberField::UsedMemory)),
    ("usage.mem", Field::Number(NumberField::UsedMemory)),
    ("pods", Field::Number(NumberField::Pods)),
    ("price", Field::Number(NumberField::Price)),
    ("waste", Field::Number(NumberField::Waste)),
    ("unrequested", Field::Number(NumberField::Waste)),
    ("age", Field::Number(NumberField::Age)),
];

impl Field {
    fn name(self) -> &'static str {
        NAMES.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }

    fn find(text: &str) -> Option<Self> {
        NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, field)| *field)
    }
}

impl TextField {
    fn of(self, row: &Row) -> Option<&str> {
        match self {
            Self::Name => Some(row.name()),
            Self::Pool => row.pool(),
            Self::Type => row.instance_type(),
            Self::Zone => row.zone(),
            Self::Arch => row.arch(),
            Self::Claim => row.claim().map(|c| c.name.as_str()),
            Self::Status => Some(row.state().name()),
            Self::Capacity => Some(row.capacity_type().name()),
            // A row may have several.
            Self::Flag => None,
        }
    }

    /// The values a field may have, where they are known.
    fn vocabulary(self) -> Vec<&'static str> {
        match self {
            Self::Status => RowState::NAMES.to_vec(),
            Self::Capacity => CapacityType::ALL.iter().map(|c| c.name()).collect(),
            Self::Flag => Flag::ALL.iter().map(|flag| flag.name()).collect(),
            Self::Name | Self::Pool | Self::Type | Self::Zone | Self::Arch | Self::Claim => Vec::new(),
        }
    }

    /// Other words for a value.
    fn alias(self, value: Name) -> Name {
        match (self, value.to_ascii_lowercase().as_str()) {
            (Self::Capacity, "od" | "ondemand") => CapacityType::OnDemand.name().into(),
            (Self::Arch, "x86_64" | "x86-64" | "x64") => "amd64".into(),
            (Self::Arch, "aarch64") => "arm64".into(),
            _ => value,
        }
    }

    const fn example(self) -> &'static str {
        match self {
            Self::Name => "name:10-0-1",
            Self::Pool => "pool:general",
            Self::Type => "type:c5a",
            Self::Zone => "zone:2a",
            Self::Arch => "arch:arm64",
            Self::Claim => "claim:general",
            Self::Status => "status:draining",
            Self::Capacity => "capacity:spot",
            Self::Flag => "flag:drifted",
        }
    }
}

impl NumberField {
    /// Whether the value is a share in thousandths.
    const fn is_share(self) -> bool {
        matches!(self, Self::Cpu | Self::Memory | Self::UsedCpu | Self::UsedMemory)
    }

    const fn accepted(self) -> &'static str {
        match self {
            Self::Cpu => "a percentage, such as cpu<50",
            Self::Memory => "a percentage, such as memory>=80",
            Self::UsedCpu => "a percentage, such as usage.cpu>80",
            Self::UsedMemory => "a percentage, such as usage.memory>80",
            Self::Pods => "a whole number, such as pods>20",
            Self::Price => "dollars (or yuan) an hour, such as price>0.5",
            Self::Waste => "dollars (or yuan) an hour, such as waste>0.1",
            Self::Age => "a duration, such as age<1h30m",
        }
    }

    const fn example(self) -> &'static str {
        match self {
            Self::Cpu => "cpu<50",
            Self::Memory => "memory>=80",
            Self::UsedCpu => "usage.cpu>80",
            Self::UsedMemory => "usage.memory>80",
            Self::Pods => "pods>20",
            Self::Price => "price>0.5",
            Self::Waste => "waste>0.1",
            Self::Age => "age<1h",
        }
    }

    fn parse(self, text: &str) -> Option<i64> {
        match self {
            Self::Cpu | Self::Memory | Self::UsedCpu | Self::UsedMemory => {
                let text = text.strip_suffix('%').unwrap_or(text);
                // Thousandths: one decimal of a percentage.
                let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
                let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
                if !digits(whole) || !digits(part) || part.len() > 1 {
                    return None;
                }
                whole.parse::<i64>().ok()?.checked_mul(10)?.checked_add(part.parse().ok()?)
            }
            Self::Pods => text.parse::<u32>().ok().map(i64::from),
            Self::Price | Self::Waste => text.strip_prefix('$').unwrap_or(text).parse::<Money>().ok().map(Money::nanos),
            Self::Age => i64::try_from(humantime::parse_duration(text).ok()?.as_secs()).ok(),
        }
    }

    fn text(self, value: i64) -> String {
        match self {
            Self::Pods => value.to_string(),
            Self::Price | Self::Waste => Money::from_nanos(value).to_string(),
            Self::Age => duration(value),
            Self::Cpu | Self::Memory | Self::UsedCpu | Self::UsedMemory if value % 10 == 0 => (value / 10).to_string(),
            Self::Cpu | Self::Memory | Self::UsedCpu | Self::UsedMemory => format!("{}.{}", value / 10, value % 10),
        }
    }

    fn of(self, row: &Row, cluster: &Cluster) -> Option<i64> {
        let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        // Compared in thousandths as they are, not as they are rounded for the screen.
        let used = |resource: &Resource| {
            let used = row.usage()?.get(resource)?;
            crate::cluster::permille(used, row.allocatable()?.get(resource)).map(signed)
        };
        match self {
            // What pods ask is not known while they may not be read, and is not zero.
            Self::Cpu | Self::Memory | Self::Pods | Self::Waste if !cluster.knows(Stream::Pods) => None,
            Self::Cpu => row.requested_permille(&Resource::Cpu).map(signed),
            Self::Memory => row.requested_permille(&Resource::Memory).map(signed),
            Self::UsedCpu => used(&Resource::Cpu),
            Self::UsedMemory => used(&Resource::Memory),
            Self::Pods => Some(signed(row.sums().requests.pods)),
            Self::Price => row.quote().and_then(Quote::hourly).map(Money::nanos),
            Self::Waste => Waste::of(row).map(|waste| waste.unrequested.nanos()),
            Self::Age => Some(row.age_seconds(cluster.now()).max(0)),
        }
    }
}

/// Seconds as a duration that reads back exactly: `1d2h`, `90s` is `1m30s`.
fn duration(seconds: i64) -> String {
    let parts = [(seconds / 86_400, 'd'), (seconds / 3600 % 24, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if parts.is_empty() { "0s".into() } else { parts.concat() }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    NotEqual,
    Contains,
}

impl Sign {
    const fn text(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Contains => ":",
        }
    }

    const fn holds(self, a: i64, b: i64) -> bool {
        match self {
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::More => a > b,
            Self::AtLeast => a >= b,
            Self::Equal | Self::Contains => a == b,
            Self::NotEqual => a != b,
        }
    }

    /// The sign at the start of some characters, and its length.
    fn at(chars: &[Char]) -> Option<(Self, usize)> {
        let plain = |i: usize| chars.get(i).filter(|c| !c.quoted).map(|c| c.c);
        Some(match (plain(0)?, plain(1)) {
            ('<', Some('=')) => (Self::AtMost, 2),
            ('>', Some('=')) => (Self::AtLeast, 2),
            ('!', Some('=')) => (Self::NotEqual, 2),
            // kubectl's selectors know both.
            ('=', Some('=')) => (Self::Equal, 2),
            ('<', _) => (Self::Less, 1),
            ('>', _) => (Self::More, 1),
            ('=', _) => (Self::Equal, 1),
            (':', _) => (Self::Contains, 1),
            _ => return None,
        })
    }
}

/// A character and whether quotes stood around it.
#[derive(Clone, Copy)]
struct Char {
    c: char,
    quoted: bool,
}

struct Token {
    written: String,
    columns: Range<usize>,
    chars: Vec<Char>,
    /// Quotes were there, so that it counts though it may be empty.
    quotes: bool,
}

fn string(chars: &[Char]) -> String {
    chars.iter().map(|c| c.c).collect()
}

fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut tokens = Vec::new();
    let mut current: Option<Token> = None;
    let mut quoted = false;
    for (column, c) in text.chars().enumerate() {
        if c.is_whitespace() && !quoted {
            tokens.extend(current.take());
            continue;
        }
        let token = current.get_or_insert_with(|| Token {
            written: String::new(),
            columns: column..column,
            chars: Vec::new(),
            quotes: false,
        });
        token.written.push(c);
        token.columns.end = column + 1;
        if c == '"' {
            quoted = !quoted;
            token.quotes = true;
        } else {
            token.chars.push(Char { c, quoted });
        }
    }
    tokens.extend(current);
    match tokens.last() {
        Some(last) if quoted => Err(FilterError {
            term: last.written.clone(),
            columns: last.columns.clone(),
            problem: FilterProblem::OpenQuote,
        }),
        _ => Ok(tokens),
    }
}

/// Splits at commas that are not quoted; an empty list only where nothing was written.
fn values(chars: &[Char], quotes: bool) -> Vec<Name> {
    let parts = chars.split(|c| c.c == ',' && !c.quoted).map(string).filter(|v| !v.is_empty());
    let values: Vec<Name> = parts.map(Name::from).collect();
    if values.is_empty() && quotes { vec![Name::default()] } else { values }
}

fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let far = |other: &str| strsim::damerau_levenshtein(&word, &other.to_ascii_lowercase());
    words
        .map(|w| (far(w), w))
        .filter(|(d, _)| *d <= 2.max(word.chars().count() / 3))
        .min_by_key(|(d, _)| *d)
        .map(|(_, w)| w)
}

fn term(token: &Token) -> Result<Term, FilterProblem> {
    let mut chars = token.chars.as_slice();
    let mut negated = false;
    if let Some((first, rest)) = chars.split_first()
        && !first.quoted
        && matches!(first.c, '-' | '!')
    {
        (negated, chars) = (true, rest);
        if chars.is_empty() && !token.quotes {
            return Err(FilterProblem::NothingNegated);
        }
    }
    let place = (0..chars.len()).find_map(|at| Sign::at(chars.get(at..)?).map(|(sign, length)| (at, sign, length)));
    let Some((at, sign, length)) = place else {
        let words = values(chars, false);
        if words.is_empty() {
            let (field, example) = ("a word".into(), "spot");
            return Err(FilterProblem::NoValue { field, example });
        }
        return Ok(Term { negated, test: Test::Word(words) });
    };
    let (key, rest) = (string(&chars[..at]), &chars[at + length..]);
    if key.is_empty() {
        return Err(FilterProblem::NoField);
    }
    // `a!=b` is `-a=b`.
    let (negated, sign) = if sign == Sign::NotEqual { (!negated, Sign::Equal) } else { (negated, sign) };
    let test = if key.eq_ignore_ascii_case("label") && sign == Sign::Contains {
        return label(rest, negated);
    } else {
        match Field::find(&key) {
            Some(Field::Text(field)) => text_test(field, sign, rest, token.quotes)?,
            Some(Field::Number(field)) => number_test(field, sign, rest)?,
            None if sign == Sign::Equal => Test::Label { key: key.into(), values: label_values(rest) },
            None => {
                let nearest = nearest(&key, NAMES.iter().map(|(name, _)| *name).chain(["label"]));
                return Err(FilterProblem::UnknownField { field: key, nearest });
            }
        }
    };
    Ok(Term { negated, test })
}

/// A label may be empty: `node-role.kubernetes.io/control-plane=` is how kubectl writes that.
fn label_values(rest: &[Char]) -> Vec<Name> {
    values(rest, true)
}

fn label(rest: &[Char], negated: bool) -> Result<Term, FilterProblem> {
    let no_value = || FilterProblem::NoValue { field: "label".into(), example: "label:team=web" };
    let place = (0..rest.len()).find_map(|at| Sign::at(rest.get(at..)?).map(|(sign, length)| (at, sign, length)));
    match place {
        None if rest.is_empty() => Err(no_value()),
        None => Ok(Term { negated, test: Test::HasLabel(string(rest).into()) }),
        Some((0, ..)) => Err(no_value()),
        Some((at, sign @ (Sign::Equal | Sign::NotEqual), length)) => {
            let test = Test::Label { key: string(&rest[..at]).into(), values: label_values(&rest[at + length..]) };
            Ok(Term { negated: negated != (sign == Sign::NotEqual), test })
        }
        Some((_, sign, _)) => {
            Err(FilterProblem::BadSign { field: "label".into(), sign: sign.text(), accepted: "label:key=value" })
        }
    }
}

fn text_test(field: TextField, sign: Sign, rest: &[Char], quotes: bool) -> Result<Test, FilterProblem> {
    let name = Field::Text(field).name();
    let exact = match sign {
        Sign::Contains => false,
        Sign::Equal | Sign::NotEqual => true,
        Sign::Less | Sign::AtMost | Sign::More | Sign::AtLeast => {
            let accepted = "`:` (contains) or `=` (is)";
            return Err(FilterProblem::BadSign { field: name.into(), sign: sign.text(), accepted });
        }
    };
    let values: Vec<Name> = values(rest, exact && quotes).into_iter().map(|v| field.alias(v)).collect();
    if values.is_empty() {
        return Err(FilterProblem::NoValue { field: name.into(), example: field.example() });
    }
    let vocabulary = field.vocabulary();
    let fits = |value: &str| vocabulary.iter().any(|word| compare(word, value, exact));
    if let Some(value) = values.iter().find(|v| !vocabulary.is_empty() && !fits(v)) {
        return Err(FilterProblem::UnknownValue {
            field: name,
            value: value.to_string(),
            nearest: nearest(value, vocabulary.iter().copied()),
            accepted: vocabulary.join(", "),
        });
    }
    Ok(Test::Text { field, exact, values })
}

fn number_test(field: NumberField, sign: Sign, rest: &[Char]) -> Result<Test, FilterProblem> {
    let text = string(rest);
    if text.is_empty() {
        let name = Field::Number(field).name();
        return Err(FilterProblem::NoValue { field: name.into(), example: field.example() });
    }
    let sign = if sign == Sign::Contains { Sign::Equal } else { sign };
    match field.parse(&text) {
        Some(value) => Ok(Test::Number { field, sign, value }),
        None => Err(FilterProblem::BadValue { value: text, accepted: field.accepted() }),
    }
}

fn compare(have: &str, want: &str, exact: bool) -> bool {
    if exact { have.eq_ignore_ascii_case(want) } else { contains(have, want) }
}

/// Whether a text contains another, ASCII letters of either case being the same. Names in a cluster are ASCII.
fn contains(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

impl Test {
    fn holds(&self, row: &Row, cluster: &Cluster) -> bool {
        match self {
            Self::Word(words) => {
                const PLACES: [TextField; 5] =
                    [TextField::Name, TextField::Pool, TextField::Type, TextField::Zone, TextField::Claim];
                PLACES.iter().filter_map(|p| p.of(row)).any(|text| words.iter().any(|word| contains(text, word)))
            }
            Self::Text { field: TextField::Flag, exact, values } => {
                let flags = row.flags(cluster.now());
                flags.iter().any(|have| values.iter().any(|want| compare(have.name(), want, *exact)))
            }
            Self::Text { field, exact, values } => {
                let have = field.of(row).unwrap_or("");
                values.iter().any(|want| if want.is_empty() { have.is_empty() } else { compare(have, want, *exact) })
            }
            Self::Label { key, values } => {
                row.label(key).is_some_and(|have| values.iter().any(|want| have.eq_ignore_ascii_case(want)))
            }
            Self::HasLabel(key) => row.label(key).is_some(),
            Self::Number { field, sign, value } => field.of(row, cluster).is_some_and(|n| sign.holds(n, *value)),
        }
    }
}

/// A value as it must be written after a sign (or as a word) to be read back.
fn quoted(value: &str, word: bool) -> String {
    let special = |c: char| c.is_whitespace() || c == ',' || (word && matches!(c, ':' | '=' | '<' | '>' | '!'));
    if value.is_empty() || value.contains(special) || value.starts_with('=') || (word && value.starts_with(['-', '!']))
    {
        format!("\"{value}\"")
    } else {
        value.into()
    }
}

fn list(values: &[Name], word: bool) -> String {
    values.iter().map(|v| quoted(v, word)).collect::<Vec<_>>().join(",")
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("-")?;
        }
        match &self.test {
            Test::Word(words) => f.write_str(&list(words, true)),
            Test::Text { field, exact, values } => {
                let sign = if *exact { "=" } else { ":" };
                write!(f, "{}{sign}{}", Field::Text(*field).name(), list(values, false))
            }
            Test::Label { key, values } => write!(f, "label:{}={}", quoted(key, true), list(values, false)),
            Test::HasLabel(key) => write!(f, "label:{}", quoted(key, true)),
            Test::Number { field, sign, value } => {
                let unit = if field.is_share() { "%" } else { "" };
                write!(f, "{}{}{}{unit}", Field::Number(*field).name(), sign.text(), field.text(*value))
            }
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            term.fmt(f)?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

impl Filter {
    /// Reads a filter. The grammar is in the module's text.
    ///
    /// # Errors
    /// The first term that cannot be read: which, where, and what would be right.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let terms = tokens(text)?.into_iter().map(|token| {
            term(&token).map_err(|problem| FilterError {
                term: token.written.clone(),
                columns: token.columns.clone(),
                problem,
            })
        });
        Ok(Self { terms: terms.collect::<Result<_, _>>()? })
    }

    /// Its canonical text, which [`Self::parse`] reads back as the same filter.
    pub fn text(&self) -> String {
        self.to_string()
    }

    /// Whether it lets every row through.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a row is wanted. Ages are those at [`Cluster::now`].
    pub fn matches(&self, row: &Row, cluster: &Cluster) -> bool {
        self.terms.iter().all(|term| term.test.holds(row, cluster) != term.negated)
    }

    /// Whether a row may come or go though nothing happens to it, only because time passes.
    pub fn depends_on_time(&self) -> bool {
        self.terms.iter().any(|term| {
            matches!(
                term.test,
                Test::Number { field: NumberField::Age, .. } | Test::Text { field: TextField::Flag, .. }
            )
        })
    }

    /// The nodepools that are asked for by name (`pool=a,b`); empty when all are wanted.
    pub fn pools(&self) -> Vec<&str> {
        let exact = self.terms.iter().filter_map(|term| match &term.test {
            Test::Text { field: TextField::Pool, exact: true, values } if !term.negated => Some(values),
            _ => None,
        });
        exact.flatten().map(Name::as_str).collect()
    }

    /// The same filter for these nodepools and no others, or for all when none is named. Takes the place of every
    /// positive term about pools; what is excluded stays excluded.
    #[must_use]
    pub fn with_pools<T: AsRef<str>>(&self, pools: &[T]) -> Self {
        let about_pools =
            |term: &&Term| !term.negated && matches!(term.test, Test::Text { field: TextField::Pool, .. });
        let place = self.terms.iter().position(|term| about_pools(&term)).unwrap_or(self.terms.len());
        let mut terms: Vec<Term> = self.terms.iter().filter(|term| !about_pools(term)).cloned().collect();
        if !pools.is_empty() {
            let values = pools.iter().map(|p| Name::from(p.as_ref())).collect();
            let test = Test::Text { field: TextField::Pool, exact: true, values };
            terms.insert(place.min(terms.len()), Term { negated: false, test });
        }
        Self { terms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::{GroupBy, Sort, View};
    use crate::model::{Change, Labels, LinkState, Node, Pod, PodKey, Resources, Timestamp, Usage, key};
    use test_case::test_case;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn labels(pool: &str, kind: &str, zone: &str, capacity: &str) -> Labels {
        let pairs = [
            (key::NODEPOOL, pool),
            ("node.kubernetes.io/instance-type", kind),
            ("topology.kubernetes.io/zone", zone),
            ("karpenter.sh/capacity-type", capacity),
            ("kubernetes.io/arch", "amd64"),
            ("team", "Web"),
        ];
        pairs.into_iter().filter(|(_, v)| !v.is_empty()).collect()
    }

    /// Three nodes: `a` busy and spot, `b` idle, on demand and measured, `bare` without any label or size.
    fn cluster() -> Cluster {
        let mut cluster = Cluster::new(None);
        cluster.apply(Change::Link(Stream::Pods, LinkState::Live), at(10_000));
        let offer = Resources { pods: 58, ..Resources::new(4000, 16 << 30) };
        for (name, labels, created) in [
            ("ip-a", labels("spot-general", "c5a.large", "ap-northeast-2a", "spot"), 0),
            ("ip-b", labels("general-purpose", "m7g.xlarge", "ap-northeast-2b", "on-demand"), 9_000),
        ] {
            let node =
                Node { name: name.into(), labels, created: at(created), allocatable: offer.clone(), ..Node::default() };
            cluster.apply(Change::Node(Box::new(node)), at(10_000));
        }
        cluster.apply(Change::Node(Box::new(Node { name: "bare".into(), ..Node::default() })), at(10_000));
        for i in 0..3 {
            let pod = Pod {
                key: PodKey::new("default", &format!("p{i}")),
                node: "ip-a".into(),
                requests: Resources::new(1000, 1 << 30),
                ..Pod::default()
            };
            cluster.apply(Change::Pod(Box::new(pod)), at(10_000));
        }
        let usage = Usage { cpu_millicores: 3600, memory_bytes: 1 << 30, at: at(10_000), window_seconds: 15 };
        cluster.apply(Change::NodeUsage(vec![("ip-b".into(), usage)]), at(10_000));
        cluster
    }

    fn shown(filter: &str) -> String {
        let mut cluster = cluster();
        let sort = Sort { column: crate::insight::Column::Name, ..Sort::default() };
        let mut view = View::new(Filter::parse(filter).unwrap(), sort, GroupBy::Nothing);
        view.refresh(&mut cluster);
        let names = view.lines().iter().filter_map(|line| match line {
            crate::insight::Line::Row(id) => cluster.row(*id).map(|row| row.name().to_owned()),
            crate::insight::Line::Group(_) => None,
        });
        names.collect::<Vec<_>>().join(" ")
    }

    #[test_case("" => "bare ip-a ip-b" ; "nothing asked")]
    #[test_case("pool:gen" => "ip-a ip-b")]
    #[test_case("pool=general-purpose" => "ip-b")]
    #[test_case("POOL:Spot" => "ip-a" ; "case does not matter")]
    #[test_case("nodepool:spot" => "ip-a" ; "another word for a field")]
    #[test_case("pool=general-purpose,spot-general" => "ip-a ip-b")]
    #[test_case("pool=\"\"" => "bare" ; "none")]
    #[test_case("pool!=\"\"" => "ip-a ip-b" ; "some")]
    #[test_case("type:c5a" => "ip-a")]
    #[test_case("zone:2a" => "ip-a")]
    #[test_case("-zone:2a" => "bare ip-b")]
    #[test_case("!zone:2a" => "bare ip-b" ; "an exclamation mark negates too")]
    #[test_case("capacity:spot" => "ip-a")]
    #[test_case("buy:od" => "ip-b")]
    #[test_case("capacity:unknown" => "bare")]
    #[test_case("arch:x86_64" => "ip-a ip-b")]
    #[test_case("status:notready" => "bare ip-a ip-b")]
    #[test_case("name:ip-,bar" => "bare ip-a ip-b")]
    #[test_case("general" => "ip-a ip-b" ; "a word looks at the nodepool")]
    #[test_case("m7g,bare" => "bare ip-b" ; "any of some words")]
    #[test_case("general 2b" => "ip-b" ; "terms add up")]
    #[test_case("team=web" => "ip-a ip-b")]
    #[test_case("label:team=db,web" => "ip-a ip-b")]
    #[test_case("label:team" => "ip-a ip-b" ; "a label is there")]
    #[test_case("-label:team" => "bare" ; "a label is not there")]
    #[test_case("team!=web" => "bare" ; "another value or none")]
    #[test_case("topology.kubernetes.io/zone=ap-northeast-2b" => "ip-b")]
    #[test_case("cpu<50" => "ip-b")]
    #[test_case("cpu>=75%" => "ip-a")]
    #[test_case("cpu=75" => "ip-a")]
    #[test_case("-cpu<50" => "bare ip-a" ; "unknown is not below")]
    #[test_case("memory>18.7" => "ip-a")]
    #[test_case("usage.cpu>80" => "ip-b")]
    #[test_case("pods>2" => "ip-a")]
    #[test_case("pods=0" => "bare ip-b")]
    #[test_case("price>0" => "" ; "an unknown price is not a price")]
    #[test_case("age<1h" => "ip-b")]
    #[test_case("age>=2h30m" => "bare ip-a")]
    fn rows_are_matched(filter: &str) -> String {
        shown(filter)
    }

    #[test]
    fn negative_filter_without_match_keeps_all() {
        assert_eq!(shown("-pool:nowhere"), shown(""));
        assert_eq!(shown("!label:none=such -price>3 -nothing"), shown(""));
    }

    #[test]
    fn filter_never_duplicates_rows() {
        assert_eq!(shown("pool:spot,general,spot-general general,spot,c5a"), "ip-a ip-b");
        let mut cluster = cluster();
        let mut view = View::new(Filter::parse("pool:spot,general").unwrap(), Sort::default(), GroupBy::Nothing);
        view.refresh(&mut cluster);
        assert_eq!((view.len(), view.totals().nodes, view.totals().allocatable.cpu_millicores), (2, 2, 8000));
    }

    #[test]
    fn no_filter_shows_every_node() {
        assert!(Filter::default().is_empty() && Filter::parse("  ").unwrap().is_empty());
        let cluster = cluster();
        assert!(cluster.rows().all(|row| Filter::default().matches(row, &cluster)));
        assert_eq!(shown("").split(' ').count(), 3);
    }

    #[test]
    fn age_is_looked_at_again_as_time_passes() {
        let mut cluster = cluster();
        let mut view = View::new(Filter::parse("age<20m").unwrap(), Sort::default(), GroupBy::Nothing);
        view.refresh(&mut cluster);
        assert_eq!(view.len(), 1);
        cluster.tick(at(10_201));
        assert!(view.refresh(&mut cluster));
        assert_eq!(view.len(), 0);
        assert!(!view.refresh(&mut cluster), "nothing more happens within the second");
    }

    #[test_case("NodePool:spot   buy:OD" => "pool:spot capacity:on-demand")]
    #[test_case("pool==a" => "pool=a")]
    #[test_case("!x" => "-x")]
    #[test_case("a!=b" => "-label:a=b")]
    #[test_case("-a!=b" => "label:a=b")]
    #[test_case("name:\"two words\"" => "name:\"two words\"")]
    #[test_case("\"-x:y\"" => "\"-x:y\"" ; "a quoted word stays a word")]
    #[test_case("cpu<50.0%" => "cpu<50%")]
    #[test_case("mem>=12.5" => "memory>=12.5%")]
    #[test_case("age<90m" => "age<1h30m")]
    #[test_case("price>$0.50" => "price>0.50")]
    #[test_case("unrequested>=.1" => "waste>=0.10")]
    #[test_case("node-role.kubernetes.io/control-plane=" => "label:node-role.kubernetes.io/control-plane=\"\"")]
    #[test_case("name:\"=x\",a" => "name:\"=x\",a")]
    fn the_canonical_text_reads_back(text: &str) -> String {
        let filter = Filter::parse(text).unwrap();
        assert_eq!(Filter::parse(&filter.text()).unwrap(), filter);
        filter.text()
    }

    #[test_case("spot poool:x" => "read filter term `poool:x` (column 6): there is no field `poool`, did you mean `pool`?; fields are name, pool, type, zone, arch, claim, status, flag, capacity, cpu, memory, usage.cpu, usage.memory, pods, price, waste, age, and label:key=value")]
    #[test_case("status:drainning" => "read filter term `status:drainning` (column 1): `drainning` is no status, did you mean `Draining`?; it may be Gone, LaunchFailed, Terminating, Draining, Rebooting, Disrupted, Pending, Launching, NodeMissing, Joining, Initializing, Unreachable, NotReady, Cordoned, Ready, Unknown")]
    #[test_case("buy:cheap" => "read filter term `buy:cheap` (column 1): `cheap` is no capacity; it may be on-demand, spot, reserved, capacity-block, fargate, unknown")]
    #[test_case("cpu<half" => "read filter term `cpu<half` (column 1): `half` is not a percentage, such as cpu<50")]
    #[test_case("age<1" => "read filter term `age<1` (column 1): `1` is not a duration, such as age<1h30m")]
    #[test_case("pods>-1" => "read filter term `pods>-1` (column 1): `-1` is not a whole number, such as pods>20")]
    #[test_case("pool<3" => "read filter term `pool<3` (column 1): `pool` takes `:` (contains) or `=` (is), not `<`")]
    #[test_case("pool:" => "read filter term `pool:` (column 1): `pool` needs a value, such as pool:general")]
    #[test_case("cpu < 50" => "read filter term `<` (column 5): a field must stand before the sign, without spaces: cpu<50, pool:spot")]
    #[test_case("a -" => "read filter term `-` (column 3): nothing follows the `-`; write -pool:spot to leave out what a term matches")]
    #[test_case("name:\"a b" => "read filter term `name:\"a b` (column 1): the quote is not closed")]
    #[test_case("label:" => "read filter term `label:` (column 1): `label` needs a value, such as label:team=web")]
    fn an_error_names_the_term_and_what_is_right(text: &str) -> String {
        Filter::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn an_error_points_at_its_term_in_characters() {
        assert_eq!(Filter::parse("größe cpu<x").unwrap_err().columns, 6..11);
    }

    #[test]
    fn the_picker_swaps_the_nodepools_and_keeps_the_rest() {
        let filter = Filter::parse("cpu<50 pool:gen -pool:test zone:2a").unwrap();
        assert!(filter.pools().is_empty());
        let two = filter.with_pools(&["a", "b"]);
        assert_eq!(two.text(), "cpu<50% pool=a,b -pool:test zone:2a");
        assert_eq!(two.pools(), ["a", "b"]);
        assert_eq!(two.with_pools::<&str>(&[]).text(), "cpu<50% -pool:test zone:2a");
    }

    fn piece() -> impl proptest::strategy::Strategy<Value = String> {
        let field =
            "(name|pool|type|zone|arch|claim|status|capacity|cpu|memory|usage.cpu|pods|price|waste|age|label|team)?";
        proptest::string::string_regex(&format!("[-!]?{field}(:|=|!=|<|<=|>=|==)?[a-z0-9.,=:<!%\"-]{{0,8}}")).unwrap()
    }

    proptest::proptest! {
        #[test]
        fn parse_of_text_is_the_same_filter(pieces in proptest::collection::vec(piece(), 0..4)) {
            if let Ok(filter) = Filter::parse(&pieces.join(" ")) {
                let again = Filter::parse(&filter.text());
                proptest::prop_assert_eq!(again.as_ref(), Ok(&filter), "{}", filter.text());
            }
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "\\PC{0,40}") {
            match Filter::parse(&text) {
                Ok(filter) => proptest::prop_assert_eq!(Filter::parse(&filter.text()), Ok(filter)),
                Err(error) => proptest::prop_assert!(error.columns.end <= text.chars().count()),
            }
        }
    }
}
