//! The price a label sets: `eks-node-viewer/instance-price`, in the partition's currency an hour.
//!
//! Read by awslabs/eks-node-viewer and written by Karpenter's kwok provider. It stands for the whole machine: no fee is
//! added to it.

use super::amount;
use super::facts::Facts;
use crate::model::{Node, NodeClaim, key};
use crate::units::Money;

/// A price label that is ignored. Completes "failed to read …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("label eks-node-viewer/instance-price=`{value}`: it is not a finite number of 0 or more; the label is ignored")]
pub struct BadOverride {
    /// What the label says.
    pub value: String,
}

/// The price set on a node, or on its claim; none where there is no such label.
///
/// # Errors
/// The label is there and is not a finite number of 0 or more: price the node without it and show the notice.
pub fn price_override(node: &Node, claim: Option<&NodeClaim>) -> Result<Option<Money>, BadOverride> {
    read(&Facts::of_node(node, claim))
}

pub(super) fn read(facts: &Facts<'_>) -> Result<Option<Money>, BadOverride> {
    let Some(value) = facts.all(key::INSTANCE_PRICE).next() else { return Ok(None) };
    amount::read(value).map(Some).ok_or_else(|| BadOverride { value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn node(value: &str) -> Node {
        Node { labels: [(key::INSTANCE_PRICE, value)].into_iter().collect(), ..Node::default() }
    }

    #[test_case("0.019003" => "0.019003")]
    #[test_case("0" => "0.00" ; "free is a price")]
    #[test_case("3" => "3.00")]
    #[test_case("1.9003e-02" => "0.019003")]
    #[test_case("+0.5" => "0.50")]
    fn a_finite_number_is_the_price(value: &str) -> String {
        price_override(&node(value), None).unwrap().unwrap().to_string()
    }

    #[test_case("inf")]
    #[test_case("+Inf")]
    #[test_case("infinity")]
    #[test_case("NaN")]
    #[test_case("-0.1")]
    #[test_case("-1e-3")]
    #[test_case("1e400")]
    #[test_case("99999999999")]
    #[test_case("free")]
    #[test_case("$0.1")]
    #[test_case("0,1")]
    fn override_rejects_non_finite(value: &str) {
        let bad = price_override(&node(value), None).unwrap_err();
        assert_eq!(bad, BadOverride { value: value.to_owned() });
    }

    #[test]
    fn without_the_label_there_is_none() {
        assert_eq!(price_override(&Node::default(), None), Ok(None));
    }

    #[test]
    fn the_notice_names_label_and_value() {
        let bad = price_override(&node("inf"), None).unwrap_err().to_string();
        assert_eq!(
            bad,
            "label eks-node-viewer/instance-price=`inf`: it is not a finite number of 0 or more; the label is ignored"
        );
    }
}
