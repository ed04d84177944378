//! The table from its inputs: which publication wins, what is estimated, and how good the estimates are.

use crate::estimate::{By, Estimator};
use crate::figures::{Inputs, List, Pair};
use crate::tenancy::{Evidence, Publisher, REFERENCE, Reference, set_back};
use nodeglass::units::Money;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Dollars an hour.
    pub amount: Money,
    /// The name of its source.
    pub source: String,
    /// The month of that source.
    pub published: String,
    /// Whether it is an estimate.
    pub estimated: bool,
}

/// An exact price.
fn exact(amount: Money, kind: &str, month: &str, suffix: &str) -> Row {
    Row { amount, source: format!("{kind}-{month}{suffix}"), published: month.to_owned(), estimated: false }
}

/// Makes the rows: of every pair that is `offered`, and of every pair that has a price of its own. The newest of Karpenter's
/// tables and the price lists wins, then Libcloud's figures of shared tenancy, then estimates. Lists in `update` are price
/// lists as well, under the names of their sources.
pub fn rows(inputs: &Inputs, update: &BTreeMap<String, List>, offered: &BTreeSet<Pair>) -> BTreeMap<Pair, Row> {
    let mut rows: BTreeMap<Pair, Row> = BTreeMap::new();
    let mut published: Vec<(&str, BTreeMap<Pair, Row>)> = Vec::new();
    for list in &inputs.price_list {
        let rows =
            list.prices.iter().map(|(pair, amount)| (pair.clone(), exact(*amount, "price-list", &list.month, "")));
        published.push((&list.month, rows.collect()));
    }
    for (source, list) in update {
        let row =
            |amount: Money| Row { amount, source: source.clone(), published: list.month.clone(), estimated: false };
        published.push((&list.month, list.prices.iter().map(|(pair, amount)| (pair.clone(), row(*amount))).collect()));
    }
    for list in &inputs.karpenter {
        let shared = set_back(&list.prices);
        let rows = shared.into_iter().map(|(pair, amount)| (pair, exact(amount, "karpenter", &list.month, "")));
        published.push((&list.month, rows.collect()));
    }
    // The sort is stable, so that of one month Karpenter's table comes last.
    published.sort_by_key(|(month, _)| *month);
    for (_, list) in published {
        rows.extend(list);
    }

    let reference: Reference = rows
        .iter()
        .filter(|((region, _), _)| region == REFERENCE)
        .map(|((_, name), row)| (name.clone(), row.amount))
        .collect();
    let mut lists: Vec<&List> = inputs.price_list.iter().chain(update.values()).collect();
    lists.sort_by_key(|list| &list.month);
    let evidence = Evidence::gather(&reference, &inputs.libcloud, &lists);
    for (pair, figure) in &evidence.figures {
        let suffix = match figure.publisher {
            // Its row is there, under the name of its list.
            Publisher::List => continue,
            Publisher::Libcloud => "",
            Publisher::Confirmed => "-confirmed",
        };
        rows.entry(pair.clone()).or_insert_with(|| exact(figure.amount, "libcloud", &figure.month, suffix));
    }
    let estimator = Estimator::new(&reference, &evidence);
    for pair in offered {
        if rows.contains_key(pair) {
            continue;
        }
        let Some(estimate) = estimator.estimate(&pair.0, &pair.1) else { continue };
        let kind = match estimate.by {
            By::Size => "estimated-by-size",
            By::Family => "estimated-by-family",
        };
        rows.insert(pair.clone(), Row { estimated: true, ..exact(estimate.amount, kind, &estimate.month, "") });
    }
    rows
}

/// How the rest of the inputs compares with the newest price list, which is left out of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Rows shown as exact that the list has.
    pub exact: usize,
    /// Those that equal it.
    pub exact_equal: usize,
    /// Estimates that the list has.
    pub estimates: usize,
    /// Those that equal it.
    pub estimates_equal: usize,
    /// Those within 1 % of it.
    pub estimates_near: usize,
}

/// Leaves the price lists out, makes the rows of what is offered, and compares them with the newest list.
pub fn measure(inputs: &Inputs, offered: &BTreeSet<Pair>) -> Measure {
    let without = Inputs { price_list: Vec::new(), ..inputs.clone() };
    let Some(list) = inputs.price_list.last() else { return Measure::default() };
    let mut measure = Measure::default();
    for (pair, row) in rows(&without, &BTreeMap::new(), offered) {
        let Some(right) = list.prices.get(&pair).map(|right| right.nanos()) else { continue };
        let off = (row.amount.nanos() - right).unsigned_abs();
        let (equal, near) = (usize::from(off == 0), usize::from(off * 100 <= right.unsigned_abs()));
        if row.estimated {
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
    /// The figures, for the table's notes.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |what: &str, part: usize, all: usize| {
            // Cut, not rounded: never better than it is.
            let hundredths = part * 10_000 / all.max(1);
            let _ = writeln!(text, "{what}: {part} of {all} ({}.{:02} %)", hundredths / 100, hundredths % 100);
        };
        line("exact rows that equal the price list", self.exact_equal, self.exact);
        line("estimates that equal it", self.estimates_equal, self.estimates);
        line("estimates within 1 %", self.estimates_near, self.estimates);
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
        read_inputs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/prices/inputs")).unwrap()
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
    fn the_rules_hold_against_a_price_list_that_they_do_not_know() {
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
    fn karpenters_bare_metal_is_set_back_to_what_aws_lists() {
        let inputs = inputs();
        let list = inputs.price_list.last().unwrap();
        let mut compared = 0;
        for karpenter in &inputs.karpenter {
            for (pair, amount) in set_back(&karpenter.prices) {
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
        let list = |month: &str, region: &str, amount: &str| List {
            month: month.into(),
            prices: [((region.to_owned(), "m5.large".to_owned()), amount.parse().unwrap())].into(),
        };
        let inputs = Inputs {
            karpenter: vec![list("2026-07", "us-east-1", "0.096")],
            price_list: vec![list("2026-02", "us-east-1", "0.1"), list("2026-02", "eu-west-1", "0.107")],
            libcloud: vec![list("2025-03", "eu-west-1", "0.2")],
        };
        let offered = BTreeSet::from([("eu-west-1".to_owned(), "m5.large".to_owned())]);
        let update = BTreeMap::from([("price-page-2026-09".to_owned(), list("2026-09", "us-east-1", "0.09"))]);
        let made = |update: &BTreeMap<String, List>| -> Vec<String> {
            let rows = rows(&inputs, update, &offered);
            rows.into_iter().map(|((region, _), row)| format!("{region} {} {}", row.amount, row.source)).collect()
        };
        assert_eq!(made(&BTreeMap::new()), ["eu-west-1 0.107 price-list-2026-02", "us-east-1 0.096 karpenter-2026-07"]);
        assert_eq!(made(&update), ["eu-west-1 0.107 price-list-2026-02", "us-east-1 0.09 price-page-2026-09"]);
    }
}
