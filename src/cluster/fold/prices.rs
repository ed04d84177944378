//! Folding of news from price sources.

use crate::cluster::{ChangedParts, Cluster, Row, RowId};
use crate::pricing::PriceNews;

impl Cluster {
    /// Takes in what price sources report, then prices every row again, once.
    pub fn learn(&mut self, news: impl IntoIterator<Item = PriceNews>) -> ChangedParts {
        let (mut prices, mut sources) = (false, false);
        for news in news {
            let effect = self.prices.learn(news);
            (prices, sources) = (prices | effect.prices, sources | effect.sources);
        }
        let mut changed = if sources { ChangedParts::STREAMS } else { ChangedParts::NONE };
        if prices {
            let book = self.prices.book.as_ref();
            let repriced: Vec<RowId> =
                self.rows.values_mut().filter_map(|row| row.price(book).then_some(row.id)).collect();
            if !repriced.is_empty() {
                changed |= ChangedParts::ROWS;
            }
            for id in repriced {
                self.prices.note(self.rows.get(&id).and_then(Row::quote));
                self.touch(id);
            }
            changed |= self.price_volumes();
        }
        changed
    }
}
