//! The answer to "what does this machine cost an hour": amounts, where they came from and how sure they are.

use super::origin::{Origin, PriceSource};
use super::table::ListPrice;
use crate::units::{Currency, Money};

/// One component's amount. Unknown is never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Known, per hour.
    Known(Money),
    /// Only an upper bound is known (a spot node without a spot price), and why: shown as `≤`, adds nothing to a lower
    /// total.
    AtMost(Money, Unknown),
    /// Nobody we asked knows.
    Unknown(Unknown),
}

impl Amount {
    /// The amount, if it is known.
    pub const fn known(self) -> Option<Money> {
        match self {
            Self::Known(money) => Some(money),
            Self::AtMost(..) | Self::Unknown(_) => None,
        }
    }

    /// Why it is not known, if it is not.
    pub const fn unknown(self) -> Option<Unknown> {
        match self {
            Self::Known(_) => None,
            Self::AtMost(_, why) | Self::Unknown(why) => Some(why),
        }
    }
}

/// Why there is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unknown {
    /// The node has no instance-type label (yet).
    NoInstanceType,
    /// Neither label, zone nor provider id tells the region.
    NoRegion,
    /// No source has a price in this region.
    Region,
    /// Some source has this region, but not this type.
    Type,
    /// A Local or Wavelength Zone has prices of its own, which no source has told.
    Zone,
    /// Spot prices change; the table has none, and no other source has told one.
    Spot,
    /// The table is for Linux, and no other source has told a Windows price.
    Windows,
    /// The table is for shared tenancy, and no other source has told a dedicated price.
    Tenancy,
    /// Fargate's price in this region is not known.
    Fargate,
    /// The Fargate pod that tells the node's size is not there, or what it says is not understood.
    FargateSize,
    /// What EKS charges for hybrid nodes in this region, or the node's vCPU, is not known.
    Hybrid,
    /// Hybrid nodes are billed in tiers by the account's month: the first tier is the most it can be.
    HybridTier,
    /// The Auto Mode fee of this type is not known.
    Fee,
}

impl Unknown {
    /// Which sources could tell it, the best first; none where no source could.
    pub const fn tellers(self) -> &'static [PriceSource] {
        match self {
            Self::Region | Self::Type | Self::Windows => &[PriceSource::PricePage, PriceSource::GetProducts],
            Self::Zone | Self::Tenancy => &[PriceSource::GetProducts],
            Self::Spot => &[PriceSource::SpotHistory, PriceSource::SpotFeed, PriceSource::SpotAdvisor],
            Self::Fargate | Self::Hybrid | Self::Fee => &[PriceSource::EksList],
            Self::NoInstanceType | Self::NoRegion | Self::FargateSize | Self::HybridTier => &[],
        }
    }

    /// The reason in a few words, for the detail view and the header's list.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoInstanceType => "no instance-type label",
            Self::NoRegion => "region not known",
            Self::Region => "no prices for this region",
            Self::Type => "no price for this type",
            Self::Zone => "no price for this zone",
            Self::Spot => "no spot price",
            Self::Windows => "no Windows price",
            Self::Tenancy => "no dedicated-tenancy price",
            Self::Fargate => "no Fargate price for this region",
            Self::FargateSize => "size of the Fargate pod not known",
            Self::Hybrid => "no hybrid price",
            Self::HybridTier => "hybrid price depends on the month's tier",
            Self::Fee => "Auto Mode fee not known",
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
    /// Reserved capacity whose label does not say of which kind, taken for the on-demand rate: `0.0860R?`.
    ReservedAssumed,
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
            Self::ReservedAssumed => "reserved-assumed",
            Self::Assumed => "assumed",
            Self::Estimated => "estimated",
            Self::Bound => "bound",
            Self::Prepaid => "prepaid",
            Self::Unknown => "unknown",
        }
    }
}

/// One part of a price: the machine, or the fee on top of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    /// How much an hour.
    pub amount: Amount,
    /// Who said so, and when.
    pub origin: Origin,
    /// Whether the figure is an estimate, or computed from one.
    pub estimated: bool,
}

impl Component {
    /// A figure that is not in doubt.
    pub const fn known(amount: Money, origin: Origin) -> Self {
        Self { amount: Amount::Known(amount), origin, estimated: false }
    }

    /// No figure.
    pub const fn unknown(why: Unknown) -> Self {
        Self { amount: Amount::Unknown(why), origin: Origin::of(PriceSource::None), estimated: false }
    }
}

/// What a price by size was computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Fargate: what the pod was given, or will be by the rounding of its requests.
    Fargate {
        /// Thousandths of a vCPU.
        vcpu_milli: u64,
        /// MiB of memory.
        memory_mib: u64,
        /// A vCPU-hour.
        vcpu_price: Money,
        /// A GB-hour.
        gb_price: Money,
        /// Whether the pod's annotation tells the size; else its requests were rounded up as Fargate does.
        annotated: bool,
    },
    /// A hybrid node: its vCPU.
    Hybrid {
        /// vCPU.
        vcpu: u64,
        /// A vCPU-hour of the first tier.
        vcpu_price: Money,
    },
}

/// A discount rule at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discount {
    /// Its place among the rules, from 0.
    pub rule: usize,
    /// What is paid of the list price, in millionths: 720,000 for `-28%`.
    pub factor_millionths: u32,
    /// The machine before it; none where the rule leaves the machine alone.
    pub instance_before: Option<Money>,
    /// The fee before it; none where the rule leaves the fee alone.
    pub fee_before: Option<Money>,
}

/// The price of one row, by the hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What the partition is billed in.
    pub currency: Currency,
    /// The machine.
    pub instance: Component,
    /// The Auto Mode fee; none where no fee is due.
    pub fee: Option<Component>,
    /// What must be said beside the figure.
    pub mark: Mark,
    /// On-demand list price, where it differs from [`Self::instance`] (of a spot machine, of a capacity block).
    pub list: Option<ListPrice>,
    /// What a price by size was computed from.
    pub basis: Option<Basis>,
    /// The discount rule that was applied.
    pub discount: Option<Discount>,
    /// Which row of the price file set it, from 0.
    pub price_row: Option<usize>,
}

impl Quote {
    /// A price of one component.
    pub(super) const fn of(currency: Currency, instance: Component, mark: Mark) -> Self {
        Self { currency, instance, fee: None, mark, list: None, basis: None, discount: None, price_row: None }
    }

    /// No price.
    pub(super) const fn unknown_because(currency: Currency, why: Unknown) -> Self {
        Self::of(currency, Component::unknown(why), Mark::Unknown)
    }

    /// The whole by the hour, if every part is known.
    pub fn hourly(&self) -> Option<Money> {
        let instance = self.instance.amount.known()?;
        match self.fee {
            None => Some(instance),
            Some(fee) => Some(instance + fee.amount.known()?),
        }
    }

    /// The parts that are known: (instance, fee). What enters a `≥` total.
    pub fn known(&self) -> (Money, Money) {
        let fee = self.fee.and_then(|fee| fee.amount.known());
        (self.instance.amount.known().unwrap_or_default(), fee.unwrap_or_default())
    }

    /// Why some part has no price, if so.
    pub fn unknown(&self) -> Option<Unknown> {
        self.instance.amount.unknown().or_else(|| self.fee?.amount.unknown())
    }

    /// Where the machine's price came from.
    pub const fn source(&self) -> PriceSource {
        self.instance.origin.source
    }

    /// What a spot machine saves by the hour against on-demand; none for others, and where either is not known. What a
    /// discount takes off besides is the discount's: both together are never more than the list price.
    pub fn spot_saves(&self) -> Option<Money> {
        let paid = self.instance.amount.known().filter(|_| self.mark != Mark::Prepaid)?;
        let spot = self.discount.and_then(|discount| discount.instance_before).unwrap_or(paid);
        self.list.map(|list| list.amount - spot)
    }

    /// Whether [`Self::spot_saves`] rests on an estimate, of either price.
    pub fn spot_saves_is_estimated(&self) -> bool {
        self.instance.estimated || self.list.is_some_and(|list| list.estimated)
    }

    /// Whether what it adds to a total rests on an estimate: such a total is shown with `~`.
    pub fn is_estimated(&self) -> bool {
        let adds = |part: Component| part.estimated && part.amount.known().is_some_and(|money| money != Money::ZERO);
        adds(self.instance) || self.fee.is_some_and(adds)
    }

    /// Whether any part of it rests on an estimate.
    pub fn rests_on_estimate(&self) -> bool {
        self.instance.estimated || self.fee.is_some_and(|fee| fee.estimated)
    }

    /// The mark after the figure.
    fn suffix(&self) -> &'static str {
        let discounted = self.discount.is_some_and(|d| d.instance_before.or(d.fee_before).is_some());
        match self.mark {
            Mark::Reserved => "R",
            Mark::ReservedAssumed => "R?",
            Mark::Assumed => "?",
            Mark::Override => "*",
            // Their sign comes before the figure, so the one of a discount has room after it.
            Mark::Exact | Mark::Estimated | Mark::Bound | Mark::Unknown if discounted => "*",
            Mark::Exact | Mark::Estimated | Mark::Bound | Mark::Prepaid | Mark::Unknown => "",
        }
    }

    /// The price as the parts that a table cell is put together from.
    pub fn parts(&self) -> PriceParts {
        let fee = self.fee.map_or(Some(Money::ZERO), |fee| fee.amount.known());
        let (bound, figure) = match (self.instance.amount, fee) {
            (Amount::Known(_), Some(fee)) if self.mark == Mark::Prepaid => {
                (None, PriceFigure::Prepaid { fee: (fee != Money::ZERO).then_some(fee) })
            }
            (Amount::Known(instance), Some(fee)) => (None, PriceFigure::Hourly(instance + fee)),
            (Amount::Known(instance), None) if instance > Money::ZERO => {
                (Some(Bound::AtLeast), PriceFigure::Hourly(instance))
            }
            (Amount::AtMost(bound, _), Some(fee)) => (Some(Bound::AtMost), PriceFigure::Hourly(bound + fee)),
            (Amount::Known(_) | Amount::AtMost(..), None) | (Amount::Unknown(_), _) => (None, PriceFigure::Unknown),
        };
        let suffix = if matches!(figure, PriceFigure::Hourly(_)) { self.suffix() } else { "" };
        PriceParts { bound, estimated: self.rests_on_estimate(), figure, suffix }
    }

    /// The price as text without a currency sign, see [`PriceParts::text`].
    pub fn label(&self, places: u32) -> String {
        self.parts().text("", places, &PriceSigns::default())
    }
}

/// What bounds an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The price is at least the amount: a part of it is unknown.
    AtLeast,
    /// The price is at most the amount.
    AtMost,
}

/// What a price shows for its amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceFigure {
    /// The hourly amount.
    Hourly(Money),
    /// Paid in advance, except for the Auto Mode fee.
    Prepaid {
        /// The fee, unless it is zero.
        fee: Option<Money>,
    },
    /// Unknown.
    Unknown,
}

/// A price in the parts that its text is put together from, so that no reader takes text apart again: to align figures,
/// add a currency sign, or write it in ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceParts {
    /// Whether the figure is only a bound.
    pub bound: Option<Bound>,
    /// Whether the figure rests on an estimate.
    pub estimated: bool,
    /// The figure.
    pub figure: PriceFigure,
    /// The marks after it: `*`, `R`, `R?`, `?`, or nothing. ASCII, so its length is its width.
    pub suffix: &'static str,
}

/// The signs of a price that depend on the reader's character set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceSigns {
    /// [`Bound::AtLeast`].
    pub at_least: &'static str,
    /// [`Bound::AtMost`].
    pub at_most: &'static str,
    /// [`PriceFigure::Unknown`].
    pub unknown: &'static str,
}

impl Default for PriceSigns {
    /// The signs of JSON and of Unicode terminals.
    fn default() -> Self {
        Self { at_least: "≥", at_most: "≤", unknown: "—" }
    }
}

impl PriceParts {
    /// A price that is not known.
    pub const UNKNOWN: Self = Self { bound: None, estimated: false, figure: PriceFigure::Unknown, suffix: "" };

    /// The price as it stands in a table: `0.0860`, `~0.0860`, `0.0860*` (set by a label or a rule), `0.0860R` (reserved;
    /// `R?` if no label names the kind), `0.0860?` (capacity type assumed), `≤0.0860` (an upper bound), `≥0.0860` (the fee is
    /// unknown), `prepaid`, `prepaid+0.0103` (with an Auto Mode fee), `—` (unknown). `currency` is the sign before an hourly
    /// amount; it may be empty.
    pub fn text(&self, currency: &str, places: u32, signs: &PriceSigns) -> String {
        let estimate = if self.estimated { "~" } else { "" };
        match self.figure {
            PriceFigure::Hourly(amount) => {
                let bound = match self.bound {
                    Some(Bound::AtLeast) => signs.at_least,
                    Some(Bound::AtMost) => signs.at_most,
                    None => "",
                };
                format!("{bound}{estimate}{currency}{}{}", amount.decimal(places), self.suffix)
            }
            PriceFigure::Prepaid { fee: Some(fee) } => format!("prepaid+{estimate}{}", fee.decimal(places)),
            PriceFigure::Prepaid { fee: None } => "prepaid".to_owned(),
            PriceFigure::Unknown => signs.unknown.to_owned(),
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
        Amount::AtMost(text.parse().unwrap(), Unknown::Spot)
    }

    /// A source that is an estimate makes each part one.
    fn quote(instance: Amount, fee: Option<Amount>, mark: Mark, source: PriceSource) -> Quote {
        let estimated = source == EmbeddedEstimate || mark == Mark::Estimated;
        let part = |amount| Component { amount, origin: Origin::of(source), estimated };
        Quote { fee: fee.map(part), ..Quote::of(Currency::Usd, part(instance), mark) }
    }

    use Amount::Unknown as No;
    use PriceSource::{Embedded, EmbeddedEstimate, Label, None as Nowhere};

    #[test_case(&quote(known("0.086"), None, Mark::Exact, Embedded) => "0.0860")]
    #[test_case(&quote(known("0.086"), Some(known("0.01032")), Mark::Exact, Embedded) => "0.0963" ; "with a fee")]
    #[test_case(&quote(known("0.086"), None, Mark::Estimated, EmbeddedEstimate) => "~0.0860")]
    #[test_case(&quote(known("0.086"), None, Mark::Override, Label) => "0.0860*")]
    #[test_case(&quote(known("0.086"), None, Mark::Reserved, Embedded) => "0.0860R")]
    #[test_case(&quote(known("0.086"), None, Mark::ReservedAssumed, Embedded) => "0.0860R?")]
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
