//! The decision: which price holds for a machine. First match wins, in the order of [`PriceBook::quote_node`]'s steps.

use super::CapacityType;
use super::auto_fee::FeeShare;
use super::facts::Facts;
use super::offer::{ComputeType, Offer, Os, Tenancy};
use super::pack::Size;
use super::place::ZoneKind;
use super::price_override;
use super::quote::{Amount, Mark, PriceSource, Quote, Unknown};
use super::table::{ListPrice, Missing, embedded};
use crate::model::{Node, NodeClaim};
use crate::units::{Currency, Money};
use compact_str::CompactString;

/// Everything known of prices. Today that is the table in the program; other sources join here and nowhere else.
///
/// It is a value without I/O: the same node and the same book give the same quote. Where prices are switched off
/// (`--disable-pricing`) there is no book at all (`Option<PriceBook>`) and therefore no quote: nothing is unpriced, because
/// nothing was asked.
#[derive(Clone, Debug, Default)]
pub struct PriceBook {
    // Filled by later sources; keeps the book from being built outside this room.
    _private: (),
}

impl PriceBook {
    /// The table in the program, unpacked at the first question.
    pub fn embedded() -> Self {
        Self::default()
    }

    /// The price of a node; its claim, if any, tells what the node's labels do not (yet).
    ///
    /// 1. the label `eks-node-viewer/instance-price`, for the whole machine
    /// 2. Fargate and hybrid nodes: not by instance type, so unknown
    /// 3. an Outpost or a capacity block: prepaid
    /// 4. reserved: the on-demand rate
    /// 5. spot: no more than the on-demand rate
    /// 6. otherwise on-demand, also if no label says so
    ///
    /// On an Auto Mode node the fee comes on top of 3 to 6.
    pub fn quote_node(&self, node: &Node, claim: Option<&NodeClaim>) -> Quote {
        self.quote(&Offer::of_node(node, claim), &Facts::of_node(node, claim))
    }

    /// The price of a claim whose node is not there (yet, or any more). None before it is launched: not billed.
    pub fn quote_claim(&self, claim: &NodeClaim) -> Option<Quote> {
        let launched = !claim.provider_id.is_empty();
        launched.then(|| self.quote(&Offer::of_claim(claim), &Facts::of_claim(claim)))
    }

    /// The on-demand list price of Linux on shared tenancy, US dollars an hour; a Local Zone group
    /// (`us-west-2-lax-1`) is a price region of its own.
    ///
    /// # Errors
    /// The table lacks the region, or the type in it.
    pub fn on_demand(&self, price_region: &str, instance_type: &str) -> Result<ListPrice, Missing> {
        embedded().on_demand(price_region, instance_type)
    }

    /// What an instance type is made of, if the table says.
    pub fn size(&self, instance_type: &str) -> Option<Size> {
        embedded().size(instance_type)
    }

    fn quote(&self, offer: &Offer<'_>, facts: &Facts<'_>) -> Quote {
        let currency = offer.partition().currency();
        // A bad label is ignored here and told by price_override().
        if let Ok(Some(price)) = price_override::read(facts) {
            return Quote { mark: Mark::Override, source: PriceSource::Label, ..known(currency, price) };
        }
        match offer.compute_type {
            ComputeType::Fargate => return unknown(currency, Unknown::Fargate),
            ComputeType::Hybrid => return unknown(currency, Unknown::Hybrid),
            ComputeType::Instance | ComputeType::Auto => {}
        }
        let list = if offer.outpost { None } else { Some(self.list_price(offer)) };
        let mut quote = match list {
            // An Outpost has no on-demand price: the rack is paid for as a whole.
            None => Quote { mark: Mark::Prepaid, ..known(currency, Money::ZERO) },
            Some(list) => instance(currency, offer.capacity_type, list),
        };
        if offer.compute_type == ComputeType::Auto {
            self.add_fee(&mut quote, offer, list.and_then(Result::ok));
        }
        quote
    }

    /// The on-demand price that is this machine's own, or why there is none.
    fn list_price(&self, offer: &Offer<'_>) -> Result<ListPrice, Unknown> {
        let instance_type = offer.instance_type.ok_or(Unknown::NoInstanceType)?;
        if offer.os == Os::Windows {
            return Err(Unknown::Windows);
        }
        if offer.tenancy == Tenancy::Dedicated {
            return Err(Unknown::Tenancy);
        }
        let region = offer.price_region().ok_or(Unknown::NoRegion)?;
        self.on_demand(region, instance_type).map_err(|missing| match (missing, offer.zone_kind) {
            (Missing::Region, ZoneKind::Standard) => Unknown::Region,
            (Missing::Region, ZoneKind::Local | ZoneKind::Wavelength) => Unknown::Zone,
            (Missing::Type, _) => Unknown::Type,
        })
    }

    /// Adds the Auto Mode fee, a share of the on-demand price whatever the purchase option.
    fn add_fee(&self, quote: &mut Quote, offer: &Offer<'_>, list: Option<ListPrice>) {
        let share = offer.instance_type.and_then(|name| FeeShare::of(name, self.size(name)));
        let (fee, mark) = match (list, share) {
            (Some(list), Some(share)) => {
                let mark = if share.verified && !list.estimated { Mark::Exact } else { Mark::Estimated };
                (Amount::Known(share.on(list.amount)), mark)
            }
            (None, _) | (_, None) => (Amount::Unknown(Unknown::Fee), Mark::Unknown),
        };
        quote.fee = Some(fee);
        quote.mark = quote.mark.max(mark);
    }
}

/// The machine alone, by the way it is bought.
fn instance(currency: Currency, bought: CapacityType, list: Result<ListPrice, Unknown>) -> Quote {
    let base = match list {
        Ok(price) => Quote {
            source: if price.estimated { PriceSource::EmbeddedEstimate } else { PriceSource::Embedded },
            as_of: CompactString::const_new(price.as_of),
            ..known(currency, price.amount)
        },
        Err(why) => unknown(currency, why),
    };
    let listed = list.ok().map(|price| price.amount);
    let estimated = list.is_ok_and(|price| price.estimated);
    let at_list_price = |mark: Mark| {
        let mark = if estimated { mark.max(Mark::Estimated) } else { mark };
        if list.is_ok() { mark } else { Mark::Unknown }
    };
    match bought {
        CapacityType::OnDemand => Quote { mark: at_list_price(Mark::Exact), ..base },
        // A reservation of unlabelled kind is taken for an on-demand capacity reservation.
        CapacityType::Reserved => Quote { mark: at_list_price(Mark::Reserved), ..base },
        CapacityType::Unknown => Quote { mark: at_list_price(Mark::Assumed), ..base },
        CapacityType::CapacityBlock => {
            Quote { instance: Amount::Known(Money::ZERO), mark: Mark::Prepaid, list: listed, ..base }
        }
        CapacityType::Spot => match listed {
            Some(bound) => Quote { instance: Amount::AtMost(bound), mark: Mark::Bound, list: listed, ..base },
            None => unknown(currency, Unknown::Spot),
        },
        CapacityType::Fargate => unknown(currency, Unknown::Fargate),
    }
}

fn known(currency: Currency, instance: Money) -> Quote {
    Quote {
        currency,
        instance: Amount::Known(instance),
        fee: None,
        mark: Mark::Exact,
        source: PriceSource::None,
        as_of: CompactString::default(),
        list: None,
    }
}

fn unknown(currency: Currency, why: Unknown) -> Quote {
    Quote { instance: Amount::Unknown(why), mark: Mark::Unknown, ..known(currency, Money::ZERO) }
}

#[cfg(test)]
mod tests;
