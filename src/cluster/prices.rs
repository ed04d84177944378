//! What is known of prices, and how their sources are doing.

use crate::model::Name;
use crate::pricing::{ClusterSupport, PriceBook, PriceNews, PriceSource, SourceState};
use std::collections::BTreeMap;

/// The price book, and the health of those who write in it.
#[derive(Debug, Default)]
pub struct Prices {
    /// None where prices are switched off.
    pub(super) book: Option<PriceBook>,
    sources: BTreeMap<(PriceSource, Name), SourceState>,
    /// What AWS has told of the control plane, and of which region.
    support: Option<(Name, ClusterSupport)>,
    settled: bool,
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

    /// How each source is doing, by region.
    pub fn sources(&self) -> impl Iterator<Item = (PriceSource, &str, &SourceState)> {
        self.sources.iter().map(|((source, region), state)| (*source, region.as_str(), state))
    }

    /// What AWS has told of the cluster's control plane, and its region.
    pub fn cluster_support(&self) -> Option<(&str, &ClusterSupport)> {
        self.support.as_ref().map(|(region, support)| (region.as_str(), support))
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
