//! The answer to "what does this machine cost an hour": amounts, where they came from and how sure they are.

use crate::units::{Currency, Money};
use compact_str::CompactString;

/// One component's amount. Unknown is never zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Known, per hour.
    Known(Money),
    /// Only an upper bound is known (a spot node without a spot price): shown as `≤`, adds nothing to a lower total.
    AtMost(Money),
    /// Nobody we asked knows.
    Unknown(Unknown),
}

/// Why there is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unknown {
    /// The node has no instance-type label (yet).
    NoInstanceType,
    /// Neither label, zone nor provider id tells the region.
    NoRegion,
    /// The table has no price in this region.
    Region,
    /// The table has this region, but not this type.
    Type,
    /// A Local or Wavelength Zone has prices of its own, which the table lacks.
    Zone,
    /// Spot prices change; the table has none.
    Spot,
    /// The table is for Linux.
    Windows,
    /// The table is for shared tenancy.
    Tenancy,
    /// Fargate is billed by the pod's size.
    Fargate,
    /// Hybrid nodes are billed by their vCPU.
    Hybrid,
    /// The Auto Mode fee of this type is not known.
    Fee,
}

impl Unknown {
    /// The reason in a few words, for the detail view and the header's list.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoInstanceType => "no instance-type label",
            Self::NoRegion => "region not known",
            Self::Region => "region not in the price table",
            Self::Type => "type not in the price table",
            Self::Zone => "no price for this zone",
            Self::Spot => "no spot price source",
            Self::Windows => "no Windows prices offline",
            Self::Tenancy => "no dedicated-tenancy prices offline",
            Self::Fargate => "Fargate price not known",
            Self::Hybrid => "hybrid price not known",
            Self::Fee => "Auto Mode fee not known",
        }
    }
}

/// Where a price came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PriceSource {
    /// The table in the program, a published figure.
    Embedded,
    /// The table in the program, a figure estimated from published ones of another region or time.
    EmbeddedEstimate,
    /// The label `eks-node-viewer/instance-price`.
    Label,
    /// No source had it.
    None,
}

impl PriceSource {
    /// Its name in JSON and in the detail view.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::EmbeddedEstimate => "embedded-estimate",
            Self::Label => "label",
            Self::None => "none",
        }
    }
}

/// What must be said beside a price. A price of several components is as good as its worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// As published: `0.0860`.
    #[default]
    Exact,
    /// Set by a label or a rule: `0.0860*`.
    Override,
    /// Reserved capacity at the on-demand rate: `0.0860R`.
    Reserved,
    /// No capacity-type label; taken for on-demand: `0.0860?`.
    Assumed,
    /// An estimate or a figure nobody has verified: `~0.0860`.
    Estimated,
    /// Only an upper bound is known: `≤0.0860`.
    Bound,
    /// A capacity block or an Outpost: paid in advance, nothing more by the hour.
    Prepaid,
    /// No price: `—`.
    Unknown,
}

impl Mark {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Override => "override",
            Self::Reserved => "reserved",
            Self::Assumed => "assumed",
            Self::Estimated => "estimated",
            Self::Bound => "bound",
            Self::Prepaid => "prepaid",
            Self::Unknown => "unknown",
        }
    }
}

/// The price of one row, by the hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What the partition is billed in.
    pub currency: Currency,
    /// The machine.
    pub instance: Amount,
    /// The Auto Mode fee; none where no fee is due.
    pub fee: Option<Amount>,
    /// What must be said beside the figure.
    pub mark: Mark,
    /// Where the machine's price came from.
    pub source: PriceSource,
    /// Month of the source (`2026-07`), empty for overrides and unknowns.
    pub as_of: CompactString,
    /// On-demand list price, where it differs from [`Self::instance`] (spot's upper bound, a block's list price).
    pub list: Option<Money>,
}

impl Quote {
    /// The whole by the hour, if every part is known.
    pub fn hourly(&self) -> Option<Money> {
        let Amount::Known(instance) = self.instance else { return None };
        match self.fee {
            None => Some(instance),
            Some(Amount::Known(fee)) => Some(instance + fee),
            Some(Amount::AtMost(_) | Amount::Unknown(_)) => None,
        }
    }

    /// The parts that are known: (instance, fee). What enters a `≥` total.
    pub fn known(&self) -> (Money, Money) {
        let known = |amount: &Amount| match amount {
            Amount::Known(money) => *money,
            Amount::AtMost(_) | Amount::Unknown(_) => Money::ZERO,
        };
        (known(&self.instance), self.fee.as_ref().map_or(Money::ZERO, known))
    }

    /// Why some part has no price, if so.
    pub fn unknown(&self) -> Option<Unknown> {
        let unknown = |amount: &Amount| match amount {
            Amount::Known(_) => None,
            Amount::AtMost(_) => Some(Unknown::Spot),
            Amount::Unknown(why) => Some(*why),
        };
        unknown(&self.instance).or_else(|| self.fee.as_ref().and_then(unknown))
    }

    /// Whether what it adds to a total rests on an estimate: such a total is shown with `~`.
    pub fn is_estimated(&self) -> bool {
        let (instance, fee) = self.known();
        self.rests_on_estimate() && instance + fee != Money::ZERO
    }

    fn rests_on_estimate(&self) -> bool {
        self.mark == Mark::Estimated || self.source == PriceSource::EmbeddedEstimate
    }

    /// The price as it stands in a table, without a currency sign: `0.0860`, `~0.0860`, `0.0860*` (set by a label),
    /// `0.0860R` (reserved), `0.0860?` (capacity type assumed), `≤0.0860` (spot below on-demand), `≥0.0860` (the fee on
    /// top is not known), `prepaid`, `prepaid+0.0103` (with an Auto Mode fee), `—` (not known).
    pub fn label(&self, places: u32) -> String {
        let estimate = if self.rests_on_estimate() { "~" } else { "" };
        let fee = match &self.fee {
            None => Some(Money::ZERO),
            Some(Amount::Known(fee)) => Some(*fee),
            Some(Amount::AtMost(_) | Amount::Unknown(_)) => None,
        };
        match (&self.instance, fee) {
            (Amount::Known(_), Some(Money::ZERO)) if self.mark == Mark::Prepaid => "prepaid".to_owned(),
            (Amount::Known(_), Some(fee)) if self.mark == Mark::Prepaid => {
                format!("prepaid+{estimate}{}", fee.decimal(places))
            }
            (Amount::Known(instance), Some(fee)) => {
                let suffix = match self.mark {
                    Mark::Override => "*",
                    Mark::Reserved => "R",
                    Mark::Assumed => "?",
                    Mark::Exact | Mark::Estimated | Mark::Bound | Mark::Prepaid | Mark::Unknown => "",
                };
                format!("{estimate}{}{suffix}", (*instance + fee).decimal(places))
            }
            (Amount::Known(instance), None) if *instance > Money::ZERO => {
                format!("≥{estimate}{}", instance.decimal(places))
            }
            (Amount::AtMost(bound), Some(fee)) => format!("≤{estimate}{}", (*bound + fee).decimal(places)),
            (Amount::Known(_) | Amount::AtMost(_), None) | (Amount::Unknown(_), _) => "—".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn known(text: &str) -> Amount {
        Amount::Known(text.parse().unwrap())
    }

    fn at_most(text: &str) -> Amount {
        Amount::AtMost(text.parse().unwrap())
    }

    fn quote(instance: Amount, fee: Option<Amount>, mark: Mark, source: PriceSource) -> Quote {
        Quote { currency: Currency::Usd, instance, fee, mark, source, as_of: "2026-07".into(), list: None }
    }

    use Amount::Unknown as No;
    use PriceSource::{Embedded, EmbeddedEstimate, Label, None as Nowhere};

    #[test_case(&quote(known("0.086"), None, Mark::Exact, Embedded) => "0.0860")]
    #[test_case(&quote(known("0.086"), Some(known("0.01032")), Mark::Exact, Embedded) => "0.0963" ; "with a fee")]
    #[test_case(&quote(known("0.086"), None, Mark::Estimated, EmbeddedEstimate) => "~0.0860")]
    #[test_case(&quote(known("0.086"), None, Mark::Override, Label) => "0.0860*")]
    #[test_case(&quote(known("0.086"), None, Mark::Reserved, Embedded) => "0.0860R")]
    #[test_case(&quote(known("0.086"), None, Mark::Assumed, Embedded) => "0.0860?")]
    #[test_case(&quote(at_most("0.086"), None, Mark::Bound, Embedded) => "≤0.0860")]
    #[test_case(&quote(at_most("0.086"), None, Mark::Bound, EmbeddedEstimate) => "≤~0.0860" ; "a bound that is an estimate")]
    #[test_case(&quote(at_most("0.086"), Some(known("0.01032")), Mark::Bound, Embedded) => "≤0.0963" ; "a bound with a fee")]
    #[test_case(&quote(at_most("0.086"), Some(No(Unknown::Fee)), Mark::Unknown, Embedded) => "—" ; "nothing bounds it")]
    #[test_case(&quote(known("0.086"), Some(No(Unknown::Fee)), Mark::Unknown, Embedded) => "≥0.0860" ; "fee not known")]
    #[test_case(&quote(known("0"), None, Mark::Prepaid, Nowhere) => "prepaid")]
    #[test_case(&quote(known("0"), Some(known("2.64192")), Mark::Prepaid, Embedded) => "prepaid+2.6419" ; "a block with a fee")]
    #[test_case(&quote(known("0"), None, Mark::Override, Label) => "0.0000*" ; "free by label")]
    #[test_case(&quote(No(Unknown::Type), None, Mark::Unknown, Nowhere) => "—")]
    #[test_case(&quote(No(Unknown::Type), Some(No(Unknown::Fee)), Mark::Unknown, Nowhere) => "—" ; "neither known")]
    fn a_price_reads(quote: &Quote) -> String {
        quote.label(4)
    }

    #[test]
    fn a_total_is_an_estimate_only_by_what_enters_it() {
        let estimated = |instance, fee, mark| quote(instance, fee, mark, EmbeddedEstimate).is_estimated();
        assert!(estimated(known("0.086"), None, Mark::Estimated));
        assert!(estimated(at_most("0.086"), Some(known("0.01032")), Mark::Bound));
        assert!(!estimated(at_most("0.086"), None, Mark::Bound));
        assert!(!estimated(known("0"), None, Mark::Prepaid));
        assert!(quote(known("0.1"), Some(known("0.1")), Mark::Estimated, Embedded).is_estimated());
        assert!(!quote(known("0.1"), None, Mark::Assumed, Embedded).is_estimated());
    }
}
