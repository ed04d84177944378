//! The hourly price of a node: amounts, where they came from, and how exact they are.

use super::origin::{Origin, PriceSource};
use crate::units::{Currency, Money};

/// An amount with its origin: a price of a price source, or a [`Component`] of a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure<A = Money> {
    /// Hourly unless its name says otherwise, in the currency that the region is billed in.
    pub amount: A,
    /// Whether the amount is an estimate, or computed from one.
    pub estimated: bool,
    /// Its price source, and when it was published or fetched.
    pub origin: Origin,
}

/// A component of a price: the instance, or the fee on top of it.
pub type Component = Figure<Amount>;

/// The hourly amount of a component. Unknown is never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Known.
    Known(Money),
    /// Only an upper bound is known (a spot node without a spot price), and why. Shown as `≤`; adds nothing to a lower bound.
    AtMost(Money, Unknown),
    /// No source has it.
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

    /// Why it is unknown, if it is.
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
    /// Neither a label, the zone nor the provider ID names the region.
    NoRegion,
    /// No source has a price in this region.
    Region,
    /// Some source has this region, but not this type.
    Type,
    /// A Local or Wavelength Zone has prices of its own, and no source has them.
    Zone,
    /// The built-in table has no spot prices, and no other source has this one.
    Spot,
    /// The built-in table has Linux prices, and no other source has the Windows price.
    Windows,
    /// The built-in table has prices of shared tenancy, and no other source has the dedicated one.
    Tenancy,
    /// No source has Fargate's price in this region.
    Fargate,
    /// There is no Fargate pod yet, or its annotation with the size cannot be parsed.
    FargateSize,
    /// The price of hybrid nodes in this region, or the node's number of vCPU, is unknown.
    Hybrid,
    /// Hybrid nodes are billed in tiers of the account's monthly total: the first tier is an upper bound.
    HybridTier,
    /// No source has the Auto Mode fee of this type.
    Fee,
    /// Volumes: the node has no node class. It belongs to a node group, or was launched by hand.
    NoNodeClass,
    /// Volumes: its node class was not read.
    NodeClassNotRead,
    /// No source has a price of this volume type.
    VolumeType,
    /// The machine image or a snapshot sets the size or the type of a volume.
    VolumeSize,
    /// No source has the price of provisioned IOPS or throughput.
    VolumePerformance,
    /// The volume type is also billed by request.
    VolumeRequests,
}

impl Unknown {
    /// The sources that could supply the price, best first; empty if none could.
    pub const fn sources(self) -> &'static [PriceSource] {
        match self {
            Self::Region | Self::Type | Self::Windows => &[PriceSource::PricePage, PriceSource::GetProducts],
            Self::Zone | Self::Tenancy => &[PriceSource::GetProducts],
            Self::Spot => &[PriceSource::SpotHistory, PriceSource::SpotFeed, PriceSource::SpotAdvisor],
            Self::Fargate | Self::Hybrid | Self::Fee => &[PriceSource::EksList],
            Self::NoInstanceType | Self::NoRegion | Self::FargateSize | Self::HybridTier => &[],
            Self::VolumeType | Self::VolumePerformance => &[PriceSource::GetProducts],
            Self::NoNodeClass | Self::NodeClassNotRead | Self::VolumeSize | Self::VolumeRequests => &[],
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
            Self::NoNodeClass => "no node class",
            Self::NodeClassNotRead => "node class not read",
            Self::VolumeType => "no price for this volume type",
            Self::VolumeSize => "size or type set by the machine image",
            Self::VolumePerformance => "no price for provisioned performance",
            Self::VolumeRequests => "billed by request, too",
        }
    }
}

/// The mark of a price: how exact it is. A price of several components has the mark of its least exact one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// As published: `0.0860`.
    #[default]
    Exact,
    /// Set by a label or a rule: `0.0860*`.
    Override,
    /// Reserved capacity at the on-demand rate: `0.0860R`.
    Reserved,
    /// Reserved capacity of an unlabelled kind, assumed to cost the on-demand rate: `0.0860R?`.
    ReservedAssumed,
    /// No capacity-type label, assumed to be on-demand: `0.0860?`.
    Assumed,
    /// An estimate or an unverified figure: `~0.0860`.
    Estimated,
    /// Only an upper bound is known: `≤0.0860`.
    Bound,
    /// A capacity block or an Outpost: paid in advance.
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

impl Component {
    /// An exact amount.
    pub const fn known(amount: Money, origin: Origin) -> Self {
        Self { amount: Amount::Known(amount), origin, estimated: false }
    }

    /// An unknown amount.
    pub const fn unknown(why: Unknown) -> Self {
        Self { amount: Amount::Unknown(why), origin: Origin::undated(PriceSource::None), estimated: false }
    }
}

impl From<Figure> for Component {
    fn from(Figure { amount, estimated, origin }: Figure) -> Self {
        Self { amount: Amount::Known(amount), origin, estimated }
    }
}

/// What the price of a node that is billed by size was computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Fargate: the size of the pod.
    Fargate {
        /// Thousandths of a vCPU.
        vcpu_milli: u64,
        /// MiB of memory.
        memory_mib: u64,
        /// A vCPU-hour.
        vcpu_price: Money,
        /// A GB-hour.
        gb_price: Money,
        /// Whether the size is that of the pod's annotation; else its requests were rounded up as Fargate does.
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

/// An applied discount rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discount {
    /// The index of the rule.
    pub rule: usize,
    /// What is paid of the list price, in millionths: 720,000 for `-28%`.
    pub factor_millionths: u32,
    /// The instance price before it; `None` if the rule does not apply to it.
    pub instance_before: Option<Money>,
    /// The fee before it; `None` if the rule does not apply to it.
    pub fee_before: Option<Money>,
}

/// The hourly price of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The currency that the partition is billed in.
    pub currency: Currency,
    /// The instance.
    pub instance: Component,
    /// The Auto Mode fee; `None` if none is due.
    pub fee: Option<Component>,
    /// How exact it is.
    pub mark: Mark,
    /// The on-demand price, if it is not [`Self::instance`] (of a spot node, of a capacity block).
    pub list: Option<Figure>,
    /// What a price by size was computed from.
    pub basis: Option<Basis>,
    /// The applied discount rule.
    pub discount: Option<Discount>,
    /// The index of the price file's row that sets it.
    pub price_row: Option<usize>,
}

impl Quote {
    /// A price of one component.
    pub(super) const fn new(currency: Currency, instance: Component, mark: Mark) -> Self {
        Self { currency, instance, fee: None, mark, list: None, basis: None, discount: None, price_row: None }
    }

    /// A price of a source: exact, or an estimate.
    pub(super) fn from_figure(currency: Currency, figure: Figure) -> Self {
        Self::new(currency, figure.into(), if figure.estimated { Mark::Estimated } else { Mark::Exact })
    }

    /// An unknown price.
    pub(super) const fn from_unknown(currency: Currency, why: Unknown) -> Self {
        Self::new(currency, Component::unknown(why), Mark::Unknown)
    }

    /// The price, if every component is known.
    pub fn hourly(&self) -> Option<Money> {
        let instance = self.instance.amount.known()?;
        match self.fee {
            None => Some(instance),
            Some(fee) => Some(instance + fee.amount.known()?),
        }
    }

    /// The known amounts of instance and fee: what a total with unknown prices contains.
    pub fn known(&self) -> (Money, Money) {
        let fee = self.fee.and_then(|fee| fee.amount.known());
        (self.instance.amount.known().unwrap_or_default(), fee.unwrap_or_default())
    }

    /// Why a component is unknown, if one is.
    pub fn unknown(&self) -> Option<Unknown> {
        self.instance.amount.unknown().or_else(|| self.fee?.amount.unknown())
    }

    /// The price source of the instance.
    pub const fn source(&self) -> PriceSource {
        self.instance.origin.source
    }

    /// What a spot node saves an hour against on-demand; `None` for others, and if either price is unknown. It does not
    /// contain the discount: both together never exceed the on-demand price.
    pub fn spot_saves(&self) -> Option<Money> {
        let paid = self.instance.amount.known().filter(|_| self.mark != Mark::Prepaid)?;
        let spot = self.discount.and_then(|discount| discount.instance_before).unwrap_or(paid);
        self.list.map(|list| list.amount - spot)
    }

    /// Whether [`Self::spot_saves`] rests on an estimate.
    pub fn spot_saves_is_estimated(&self) -> bool {
        self.instance.estimated || self.list.is_some_and(|list| list.estimated)
    }

    /// Whether its part of a total rests on an estimate: such a total is shown with `~`.
    pub fn is_estimated(&self) -> bool {
        let adds = |part: Component| part.estimated && part.amount.known().is_some_and(|money| money != Money::ZERO);
        adds(self.instance) || self.fee.is_some_and(adds)
    }

    /// Whether any component rests on an estimate.
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

    /// The price as it stands in a table, without a currency sign: `0.0860`, `~0.0860`, `0.0860*` (set by a label or a rule),
    /// `0.0860R` (reserved; `R?` if no label names the kind), `0.0860?` (capacity type assumed), `≤0.0860` (an upper bound),
    /// `≥0.0860` (the fee is unknown), `prepaid`, `prepaid+0.0103` (with an Auto Mode fee), `—` (unknown).
    pub fn parts(&self, places: u32) -> PriceParts {
        let fee = self.fee.map_or(Some(Money::ZERO), |fee| fee.amount.known());
        let estimate = if self.rests_on_estimate() { "~" } else { "" };
        let without_marks = |figure: String| PriceParts { lead: String::new(), figure, suffix: "" };
        let (bound, amount) = match (self.instance.amount, fee) {
            (Amount::Known(_), Some(Money::ZERO)) if self.mark == Mark::Prepaid => {
                return without_marks("prepaid".into());
            }
            (Amount::Known(_), Some(fee)) if self.mark == Mark::Prepaid => {
                return without_marks(format!("prepaid+{estimate}{}", fee.decimal(places)));
            }
            (Amount::Known(instance), Some(fee)) => ("", instance + fee),
            (Amount::Known(instance), None) if instance > Money::ZERO => ("≥", instance),
            (Amount::AtMost(bound, _), Some(fee)) => ("≤", bound + fee),
            (Amount::Known(_) | Amount::AtMost(..), None) | (Amount::Unknown(_), _) => {
                return without_marks("—".into());
            }
        };
        PriceParts { lead: format!("{bound}{estimate}"), figure: amount.decimal(places), suffix: self.suffix() }
    }

    /// The text of [`Self::parts`].
    pub fn label(&self, places: u32) -> String {
        let PriceParts { lead, figure, suffix } = self.parts(places);
        format!("{lead}{figure}{suffix}")
    }
}

/// A price in the parts that its text is put together from, so that no reader takes text apart again: to align figures, add a
/// currency sign, or write it in ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceParts {
    /// `≥` or `≤` if the figure is only a bound, then `~` if it rests on an estimate.
    pub lead: String,
    /// The hourly amount, `prepaid` with a fee on top, or `—` if the price is unknown.
    pub figure: String,
    /// The marks after an amount: `*`, `R`, `R?`, `?`, or nothing.
    pub suffix: &'static str,
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
        let part = |amount| Component { amount, origin: Origin::undated(source), estimated };
        Quote { fee: fee.map(part), ..Quote::new(Currency::Usd, part(instance), mark) }
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
