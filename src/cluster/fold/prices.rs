//! Folding of news from price sources.

use crate::cluster::{Cluster, Dirty, Row, RowId};
use crate::pricing::PriceNews;

impl Cluster {
    /// Takes in what price sources report, then prices every row again, once.
    pub fn learn(&mut self, news: impl IntoIterator<Item = PriceNews>) -> Dirty {
        let (mut prices, mut sources) = (false, false);
        for news in news {
            let effect = self.prices.learn(news);
            (prices, sources) = (prices | effect.prices, sources | effect.sources);
        }
        let mut dirty = if sources { Dirty::LINKS } else { Dirty::NOTHING };
        if prices {
            let book = self.prices.book.as_ref();
            let changed: Vec<RowId> =
                self.rows.values_mut().filter_map(|row| row.price(book).then_some(row.id)).collect();
            if !changed.is_empty() {
                dirty |= Dirty::ROWS;
            }
            for id in changed {
                self.prices.note(self.rows.get(&id).and_then(Row::quote));
                self.touch(id);
            }
            dirty |= self.price_volumes();
        }
        dirty
    }
}
