//! The rows of the table from its inputs: the order of the publications, then estimates; and a measure of both.

use crate::estimate::Estimator;
use crate::inputs::{Inputs, List, Pair};
use crate::table_files::is_estimated;
use crate::tenancy::{Evidence, REFERENCE, Reference, set_back};
use nodeglass::units::Money;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A price of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Dollars an hour.
    pub amount: Money,
    /// The name of its source.
    pub source: String,
}

/// The rows of all pairs that are `offered` or published. The newest of Karpenter's tables, the price lists and the updates
/// wins, then Libcloud's prices of shared tenancy, then estimates.
pub fn rows(inputs: &Inputs, updates: &[List], offered: &BTreeSet<Pair>) -> BTreeMap<Pair, Row> {
    let mut lists: Vec<&List> = inputs.price_list.iter().chain(updates).collect();
    lists.sort_by_key(|list| list.month());
    let karpenter: Vec<List> = inputs.karpenter.iter().map(set_back).collect();
    let mut published: Vec<&List> = lists.iter().copied().chain(&karpenter).collect();
    // The sort is stable: of one month, Karpenter's table is the last.
    published.sort_by_key(|list| list.month());
    let mut rows: BTreeMap<Pair, Row> = BTreeMap::new();
    for List { source, prices } in published {
        let row = |amount: &Money| Row { amount: *amount, source: source.clone() };
        rows.extend(prices.iter().map(|(pair, amount)| (pair.clone(), row(amount))));
    }

    let reference = rows.iter().filter(|((region, _), _)| region == REFERENCE);
    let reference: Reference = reference.map(|((_, name), row)| (name.clone(), row.amount)).collect();
    let evidence = Evidence::gather(&reference, &inputs.libcloud, &lists);
    for (pair, row) in &evidence.figures {
        rows.entry(pair.clone()).or_insert_with(|| row.clone());
    }
    let estimator = Estimator::new(&reference, &evidence);
    for pair in offered {
        if !rows.contains_key(pair) {
            rows.extend(estimator.estimate(&pair.0, &pair.1).map(|row| (pair.clone(), row)));
        }
    }
    rows
}

/// How rows that are made without the price list compare with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Exact rows that the list has.
    pub exact: usize,
    /// Exact rows that equal it.
    pub exact_equal: usize,
    /// Estimates that the list has.
    pub estimates: usize,
    /// Estimates that equal it.
    pub estimates_equal: usize,
    /// Estimates within 1 % of it.
    pub estimates_near: usize,
}

/// Leaves the price lists out, makes the rows of what is offered, and compares them with the newest list.
pub fn measure(inputs: &Inputs, offered: &BTreeSet<Pair>) -> Measure {
    let mut measure = Measure::default();
    let Some(list) = inputs.price_list.last() else { return measure };
    let others = Inputs { price_list: Vec::new(), ..inputs.clone() };
    for (pair, row) in rows(&others, &[], offered) {
        let Some(listed) = list.prices.get(&pair).map(|listed| listed.nanos()) else { continue };
        let difference = (row.amount.nanos() - listed).unsigned_abs();
        let (equal, near) = (usize::from(difference == 0), usize::from(difference * 100 <= listed.unsigned_abs()));
        if is_estimated(&row.source) {
            measure.estimates += 1;
            measure.estimates_equal += equal;
            measure.estimates_near += near;
        } else {
            measure.exact += 1;
            measure.exact_equal += equal;
        }
    }
    measure
}

impl Measure {
    /// The lines that `assets/prices/README.md` quotes.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (label, part, whole) in [
            ("exact rows that equal the price list", self.exact_equal, self.exact),
            ("estimates that equal it", self.estimates_equal, self.estimates),
            ("estimates within 1 %", self.estimates_near, self.estimates),
        ] {
            // Rounded down, so that the share is never overstated.
            let hundredths = part * 10_000 / whole.max(1);
            let _ = writeln!(text, "{label}: {part} of {whole} ({}.{:02} %)", hundredths / 100, hundredths % 100);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_inputs;
    use crate::table::{self, tests::committed};
    use crate::table_files::PRICES;
    use pretty_assertions::assert_eq;
    use std::path::Path;

    fn inputs() -> Inputs {
        read_inputs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/prices")).unwrap()
    }

    /// The table is not edited by hand, and a change of the rules shows in it.
    #[test]
    fn the_committed_table_is_what_its_inputs_make() {
        let mut table = committed();
        let before = table::write(&table);
        table::rebuild(&mut table, &inputs()).unwrap();
        let after = table::write(&table);
        let differing = before[PRICES].lines().zip(after[PRICES].lines()).find(|(old, new)| old != new);
        assert_eq!(differing, None, "run `cargo run --example price-table -- rebuild`");
        assert!(before == after);
    }

    /// What is shown as exact must be exact: the thresholds that the notes promise, by a price list that had no part in it.
    #[test]
    fn the_rules_match_a_price_list_that_is_left_out() {
        let measure = measure(&inputs(), &committed().prices.keys().cloned().collect());
        println!("{}", measure.text());
        assert!(measure.exact > 8_000 && measure.exact_equal * 1_000 >= measure.exact * 995, "{measure:?}");
        assert!(measure.estimates > 2_500 && measure.estimates_equal * 100 >= measure.estimates * 85, "{measure:?}");
        assert!(measure.estimates_near * 100 >= measure.estimates * 97, "{measure:?}");
        let notes = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/prices/README.md"));
        let notes = notes.unwrap();
        for line in measure.text().lines() {
            assert!(notes.contains(line), "assets/prices/README.md does not say `{line}`");
        }
    }

    /// Two publications that had no part in each other: all of Karpenter's bare metal, set back, is what AWS lists.
    #[test]
    fn bare_metal_of_karpenter_gets_the_listed_shared_price() {
        let inputs = inputs();
        let list = inputs.price_list.last().unwrap();
        let mut compared = 0;
        for karpenter in &inputs.karpenter {
            for (pair, amount) in set_back(karpenter).prices {
                if let Some(listed) = list.prices.get(&pair).filter(|_| pair.1.contains(".metal")) {
                    assert_eq!(amount, *listed, "{pair:?}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 100, "{compared}");
    }

    #[test]
    fn newer_publications_win() {
        let list = |kind: &str, month: &str, region: &str, amount: &str| List {
            source: format!("{kind}-{month}"),
            prices: [((region.to_owned(), "m5.large".to_owned()), amount.parse().unwrap())].into(),
        };
        let inputs = Inputs {
            karpenter: vec![list("karpenter", "2026-07", "us-east-1", "0.096")],
            price_list: vec![
                list("price-list", "2026-02", "us-east-1", "0.1"),
                list("price-list", "2026-02", "eu-west-1", "0.107"),
            ],
            libcloud: vec![list("libcloud", "2025-03", "eu-west-1", "0.2")],
        };
        let offered = BTreeSet::from([("eu-west-1".to_owned(), "m5.large".to_owned())]);
        let made = |updates: &[List]| -> Vec<String> {
            let rows = rows(&inputs, updates, &offered);
            rows.into_iter().map(|((region, _), row)| format!("{region} {} {}", row.amount, row.source)).collect()
        };
        assert_eq!(made(&[]), ["eu-west-1 0.107 price-list-2026-02", "us-east-1 0.096 karpenter-2026-07"]);
        let update = list("price-page", "2026-09", "us-east-1", "0.09");
        assert_eq!(made(&[update]), ["eu-west-1 0.107 price-list-2026-02", "us-east-1 0.09 price-page-2026-09"]);
    }
}
