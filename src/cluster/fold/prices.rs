//! Folding of what price sources report.

use crate::cluster::{ChangedParts, Cluster, RowId};
use crate::pricing::PriceNews;

impl Cluster {
    /// The number of rows that one call of [`Self::learn`] or [`Self::quote_rows`] quotes at most: about two milliseconds, so
    /// that input is read in between.
    pub const ROWS_PER_TURN: usize = 256;

    /// Applies what price sources report. If prices may differ, all rows have to be quoted again: this call begins with it,
    /// and [`Self::quote_rows`] continues.
    pub fn learn(&mut self, news: impl IntoIterator<Item = PriceNews>) -> ChangedParts {
        let (mut prices, mut sources) = (false, false);
        for news in news {
            let effect = self.prices.learn(news);
            (prices, sources) = (prices | effect.prices, sources | effect.sources);
        }
        let changed = if sources { ChangedParts::STREAMS } else { ChangedParts::NONE };
        if prices { changed | self.quote_all() } else { changed }
    }

    /// Whether rows are left that have to be quoted again.
    pub const fn has_rows_to_quote(&self) -> bool {
        !self.to_quote.is_empty()
    }

    /// Quotes the next rows of those that are left. A row that changed in the meantime has been quoted with the new prices
    /// already.
    pub fn quote_rows(&mut self) -> ChangedParts {
        let rest = self.to_quote.len().saturating_sub(Self::ROWS_PER_TURN);
        let mut changed = ChangedParts::NONE;
        for id in self.to_quote.split_off(rest) {
            let Some(row) = self.rows.get_mut(&id) else { continue };
            let book = self.prices.book.as_ref();
            let mut differs = row.price(book);
            if self.extra_costs.volumes {
                differs |= row.price_volumes(book, &self.classes);
            }
            if differs {
                self.prices.mark_used(row.quote());
                self.touch(id);
                changed = ChangedParts::ROWS;
            }
        }
        changed
    }

    /// Quotes all rows again, from this call on.
    fn quote_all(&mut self) -> ChangedParts {
        self.to_quote = self.rows.keys().copied().collect::<Vec<RowId>>();
        self.quote_rows()
    }

    /// Quotes the volumes of all rows again after a change to a node class.
    pub(super) fn quote_volumes(&mut self) -> ChangedParts {
        if !self.extra_costs.volumes {
            return ChangedParts::NONE;
        }
        // Prices of other volume types may be needed.
        self.nodes_revision += 1;
        self.quote_all()
    }
}
