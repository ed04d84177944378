//! The price book of a cluster, and the states of the price sources.

use crate::model::Name;
use crate::pricing::{
    ClusterSupport, DiscountRule, PriceBook, PriceNews, PriceRow, PriceSource, Quote, SourceState, Unknown,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The price book, and the states of the price sources.
#[derive(Debug, Default)]
pub struct Prices {
    /// `None` if prices are switched off.
    pub(super) book: Option<PriceBook>,
    sources: BTreeMap<(PriceSource, Name), SourceState>,
    /// AWS's report of the control plane, and its region.
    support: Option<(Name, ClusterSupport)>,
    settled: bool,
    /// Indices of the discount rules and rows of the price file that have matched a node.
    used_rules: BTreeSet<usize>,
    used_rows: BTreeSet<usize>,
}

/// A discount rule or price-file row that has not matched any node yet: it may have a typing error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnmatchedTerm<'a> {
    /// A discount rule.
    Rule {
        /// Its number in the settings, from 1.
        number: usize,
        /// The rule.
        rule: &'a DiscountRule,
    },
    /// A row of the price file.
    Row {
        /// The path as the user gave it.
        file: &'a str,
        /// The row.
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

/// What a report of a price source changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effect {
    /// Prices: rows have to be quoted again.
    pub prices: bool,
    /// The state of a source.
    pub sources: bool,
}

impl Prices {
    pub(super) fn new(book: Option<PriceBook>) -> Self {
        Self { book, ..Self::default() }
    }

    /// Applies a report; ignored if prices are switched off.
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

    /// Records which of the user's rules and rows a quote comes from.
    pub(super) fn mark_used(&mut self, quote: Option<&Quote>) {
        let Some(quote) = quote else { return };
        self.used_rules.extend(quote.discount.map(|discount| discount.rule));
        self.used_rows.extend(quote.price_row);
    }

    /// The user's rules and rows that have not matched any node since the program started, rules first. Meaningful once all
    /// nodes are known.
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

    /// The state of each source by region.
    pub fn sources(&self) -> impl Iterator<Item = (PriceSource, &str, &SourceState)> {
        self.sources.iter().map(|((source, region), state)| (*source, region.as_str(), state))
    }

    /// Why each source that could supply a missing price in this region has not, such as a missing permission or a network
    /// error; the best source first.
    pub fn why_missing<'a>(
        &'a self,
        missing: Unknown,
        region: &'a str,
    ) -> impl Iterator<Item = (PriceSource, &'a str)> {
        let state = |source: &PriceSource| self.sources.get(&(*source, region.into()));
        missing.sources().iter().filter_map(move |source| match state(source)? {
            SourceState::Off { why } | SourceState::Failed { why, .. } => Some((*source, why.as_str())),
            SourceState::Asking | SourceState::Answered { .. } => None,
        })
    }

    /// AWS's report of the cluster's control plane, and its region.
    pub fn cluster_support(&self) -> Option<(&str, &ClusterSupport)> {
        self.support.as_ref().map(|(region, support)| (region.as_str(), support))
    }

    /// The reasons of all sources if every one has failed. `None` while a source may still answer, if one has answered, and if
    /// none was asked.
    pub fn total_failure(&self) -> Option<String> {
        let failure = |state: &SourceState| match state {
            SourceState::Failed { why, .. } | SourceState::Off { why } => Some(why.clone()),
            SourceState::Asking | SourceState::Answered { .. } => None,
        };
        if !self.settled || self.sources.is_empty() {
            return None;
        }
        let each: Option<Vec<String>> = self
            .sources()
            .map(|(source, region, state)| failure(state).map(|why| format!("{} of {region}: {why}", source.name())))
            .collect();
        each.map(|each| each.join("; "))
    }

    /// Whether every request was answered, or has failed for now.
    pub const fn is_settled(&self) -> bool {
        self.settled
    }

    /// The book; `None` if prices are switched off.
    pub const fn book(&self) -> Option<&PriceBook> {
        self.book.as_ref()
    }
}
