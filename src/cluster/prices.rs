//! What is known of prices, and how their sources are doing.

use crate::model::Name;
use crate::pricing::{
    ClusterSupport, DiscountRule, PriceBook, PriceNews, PriceRow, PriceSource, Quote, SourceState, Unknown,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The price book, and the health of those who write in it.
#[derive(Debug, Default)]
pub struct Prices {
    /// None where prices are switched off.
    pub(super) book: Option<PriceBook>,
    sources: BTreeMap<(PriceSource, Name), SourceState>,
    /// What AWS has told of the control plane, and of which region.
    support: Option<(Name, ClusterSupport)>,
    settled: bool,
    /// Discount rules and rows of the price file that have held for some machine, by their place.
    used_rules: BTreeSet<usize>,
    used_rows: BTreeSet<usize>,
}

/// A term of the user's that has held for no machine so far: it may be mistyped, or its machines are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnmatchedTerm<'a> {
    /// A discount rule.
    Rule {
        /// Its place in the configuration, from 1.
        number: usize,
        /// What it says.
        rule: &'a DiscountRule,
    },
    /// A row of the price file.
    Row {
        /// The file, as the user named it.
        file: &'a str,
        /// What it says, and in which line.
        row: &'a PriceRow,
    },
}

impl fmt::Display for UnmatchedTerm<'_> {
    /// `discount rule 2 (family=m5* -28%)`, `prices.csv:4 (eu-west-1 m5.large * 0.0712)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule { number, rule } => write!(f, "discount rule {number} ({rule})"),
            Self::Row { file, row } => write!(f, "{file}:{} ({row})", row.line),
        }
    }
}

/// What came of a piece of news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effect {
    /// Some price may differ: quote again.
    pub prices: bool,
    /// The health of a source differs.
    pub sources: bool,
}

impl Prices {
    pub(super) fn new(book: Option<PriceBook>) -> Self {
        Self { book, ..Self::default() }
    }

    /// Takes in news; where prices are switched off there are none.
    pub(super) fn learn(&mut self, news: PriceNews) -> Effect {
        let Some(book) = &mut self.book else { return Effect::default() };
        match news {
            PriceNews::Sheet(sheet) => Effect { prices: book.learn(&sheet), sources: false },
            PriceNews::State { source, region, state } => {
                self.settled &= state != SourceState::Asking;
                let old = self.sources.insert((source, region), state.clone());
                Effect { prices: false, sources: old != Some(state) }
            }
            PriceNews::ClusterSupport { region, support } => {
                let new = Some((region, support));
                let sources = self.support != new;
                self.support = new;
                Effect { prices: false, sources }
            }
            PriceNews::Settled => {
                let changed = !self.settled;
                self.settled = true;
                Effect { prices: false, sources: changed }
            }
        }
    }

    /// Remembers which of the user's terms a price came from.
    pub(super) fn note(&mut self, quote: Option<&Quote>) {
        let Some(quote) = quote else { return };
        self.used_rules.extend(quote.discount.map(|discount| discount.rule));
        self.used_rows.extend(quote.price_row);
    }

    /// The user's terms that have held for no machine since the program began, rules first. Of use once all nodes are
    /// known.
    pub fn unmatched(&self) -> impl Iterator<Item = UnmatchedTerm<'_>> {
        let terms = self.book.as_ref().map(PriceBook::terms);
        let rules = terms.into_iter().flat_map(|terms| terms.rules.iter().enumerate());
        let rules = rules.filter(|(at, _)| !self.used_rules.contains(at));
        let rows = terms.and_then(|terms| terms.file.as_ref()).into_iter();
        let rows = rows.flat_map(|file| file.rows().iter().enumerate().map(|(at, row)| (at, file.name(), row)));
        let rows = rows.filter(|(at, ..)| !self.used_rows.contains(at));
        rules
            .map(|(at, rule)| UnmatchedTerm::Rule { number: at + 1, rule })
            .chain(rows.map(|(_, file, row)| UnmatchedTerm::Row { file, row }))
    }

    /// How each source is doing, by region.
    pub fn sources(&self) -> impl Iterator<Item = (PriceSource, &str, &SourceState)> {
        self.sources.iter().map(|((source, region), state)| (*source, region.as_str(), state))
    }

    /// Why those who could tell a missing price of a region have not: a permission that is missing, a network that is
    /// down. The best source first.
    pub fn excuses<'a>(&'a self, missing: Unknown, region: &'a str) -> impl Iterator<Item = (PriceSource, &'a str)> {
        let told = |source: &PriceSource| self.sources.get(&(*source, region.into()));
        missing.tellers().iter().filter_map(move |source| match told(source)? {
            SourceState::Off { why } | SourceState::Failed { why, .. } => Some((*source, why.as_str())),
            SourceState::Asking | SourceState::Answered { .. } => None,
        })
    }

    /// What AWS has told of the cluster's control plane, and its region.
    pub fn cluster_support(&self) -> Option<(&str, &ClusterSupport)> {
        self.support.as_ref().map(|(region, support)| (region.as_str(), support))
    }

    /// Everything was asked that is needed, and nobody answered: what each source says. None while somebody may answer,
    /// when somebody did, and where nobody had to be asked.
    pub fn silence(&self) -> Option<String> {
        let silent = |state: &SourceState| match state {
            SourceState::Failed { why, .. } | SourceState::Off { why } => Some(why.clone()),
            SourceState::Asking | SourceState::Answered { .. } => None,
        };
        if !self.settled || self.sources.is_empty() {
            return None;
        }
        let each: Option<Vec<String>> = self
            .sources()
            .map(|(source, region, state)| silent(state).map(|why| format!("{} of {region}: {why}", source.name())))
            .collect();
        each.map(|each| each.join("; "))
    }

    /// Whether everything needed was answered, or given up for now.
    pub const fn is_settled(&self) -> bool {
        self.settled
    }

    /// The book; none where prices are switched off.
    pub const fn book(&self) -> Option<&PriceBook> {
        self.book.as_ref()
    }
}
