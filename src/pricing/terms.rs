//! What the user knows of the bill that no public list says.

use super::discount::DiscountRule;
use super::price_file::PriceFile;

/// The user's own prices and discounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceTerms {
    /// Prices that go before everything else.
    pub file: Option<PriceFile>,
    /// Discounts on list prices; the first that matches a machine is the only one for it.
    pub rules: Vec<DiscountRule>,
}
