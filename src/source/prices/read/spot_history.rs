//! The answer of `ec2:DescribeSpotPriceHistory` (API version 2016-11-15): spot prices by instance type and zone, in pages.

use super::{AskError, from_xml, name, price};
use crate::model::{Name, Timestamp};
use crate::pricing::{Os, SpotPrice};
use crate::units::text::clean;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A page of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Prices with Linux and Windows.
    pub prices: Vec<SpotAt>,
    /// The token of the next page; `None` on the last.
    pub next_token: Option<String>,
    /// Number of items that are not readable.
    pub odd: usize,
}

/// A spot price, and since when it applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotAt {
    /// The price.
    pub price: SpotPrice,
    /// Since when it applies.
    pub at: Timestamp,
}

/// Reads a page.
///
/// # Errors
///
/// If the bytes are not a complete page.
pub fn read(body: &[u8]) -> Result<Page, AskError> {
    let answer: Answer = from_xml("EC2's spot prices", body)?;
    let next_token = answer.next_token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
    let mut page = Page { next_token, ..Page::default() };
    for item in answer.spot_price_history_set.item {
        let os = match item.product_description.trim() {
            "Linux/UNIX" | "Linux/UNIX (Amazon VPC)" => Some(Os::Linux),
            "Windows" | "Windows (Amazon VPC)" => Some(Os::Windows),
            "" => None,
            _ => continue,
        };
        match os.and_then(|os| item.price(os)) {
            Some(price) => page.prices.push(price),
            None => page.odd += 1,
        }
    }
    Ok(page)
}

/// The newest price of each instance type, operating system and zone, in this order.
pub fn newest(prices: Vec<SpotAt>) -> Vec<SpotPrice> {
    let mut newest: BTreeMap<(Name, Os, Option<Name>), SpotAt> = BTreeMap::new();
    for new in prices {
        let key = (new.price.instance_type.clone(), new.price.os, new.price.zone.clone());
        if newest.get(&key).is_none_or(|known| new.at > known.at) {
            newest.insert(key, new);
        }
    }
    newest.into_values().map(|spot| spot.price).collect()
}

/// The code and the message of an error, in the form of EC2 (`Response`) or STS (`ErrorResponse`).
pub fn error(body: &[u8]) -> Option<(String, String)> {
    let answer: ErrorAnswer = from_xml("an error of AWS", body).ok()?;
    let error = answer.errors.map_or(answer.error, |errors| errors.error)?;
    let text = |text: &str| clean(text.trim()).into_owned();
    let code = Some(text(&error.code)).filter(|code| !code.is_empty())?;
    Some((code, text(&error.message)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    spot_price_history_set: Items,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Items {
    #[serde(default)]
    item: Vec<Item>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Item {
    instance_type: String,
    product_description: String,
    spot_price: String,
    timestamp: String,
    availability_zone: String,
}

impl Item {
    fn price(&self, os: Os) -> Option<SpotAt> {
        let (instance_type, zone) = (name(&self.instance_type)?, Some(name(&self.availability_zone)?));
        let price = SpotPrice { instance_type, zone, os, amount: price(self.spot_price.trim())? };
        Some(SpotAt { price, at: self.timestamp.trim().parse().ok()? })
    }
}

#[derive(Deserialize)]
struct ErrorAnswer {
    #[serde(rename = "Errors")]
    errors: Option<Errors>,
    #[serde(rename = "Error")]
    error: Option<ErrorItem>,
}

#[derive(Deserialize)]
struct Errors {
    #[serde(rename = "Error")]
    error: Option<ErrorItem>,
}

#[derive(Deserialize)]
struct ErrorItem {
    #[serde(default, rename = "Code")]
    code: String,
    #[serde(default, rename = "Message")]
    message: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::prices::read::tests::{SPOT_PAGE_1, SPOT_PAGE_2, UNAUTHORIZED};
    use test_case::test_case;

    #[test]
    fn the_newest_price_of_each_zone_holds() {
        let (first, second) = (read(SPOT_PAGE_1).unwrap(), read(SPOT_PAGE_2).unwrap());
        assert_eq!((first.next_token.as_deref(), first.odd), (Some("constructed-token-2"), 0));
        assert_eq!(
            (second.next_token.as_deref(), second.odd),
            (None, 1),
            "an empty token ends; one price is no number"
        );
        let mut all = [first.prices, second.prices].concat();
        let spot = |all: &[SpotAt]| {
            let text = |spot: &SpotPrice| {
                let zone = spot.zone.as_deref().unwrap_or("-");
                format!("{} {:?} {zone} {}", spot.instance_type, spot.os, spot.amount)
            };
            newest(all.to_vec()).iter().map(text).collect::<Vec<_>>()
        };
        let expected = [
            "c5a.2xlarge Linux ap-northeast-2a 0.1298",
            "c5a.2xlarge Linux ap-northeast-2b 0.1412",
            "c5a.large Linux ap-northeast-2a 0.0341",
            "c5a.large Linux ap-northeast-2b 0.0369",
            "c5a.large Windows ap-northeast-2a 0.1263",
        ];
        assert_eq!(spot(&all), expected);
        all.reverse();
        assert_eq!(spot(&all), expected);
    }

    fn one(fields: &str) -> Page {
        let body = format!("<Response><spotPriceHistorySet><item>{fields}</item></spotPriceHistorySet></Response>");
        read(body.as_bytes()).unwrap()
    }

    const WHOLE: &str = "<instanceType>c5a.large</instanceType><productDescription>Linux/UNIX</productDescription>\
        <spotPrice>0.1</spotPrice><timestamp>2026-09-28T06:48:06Z</timestamp><availabilityZone>eu-west-1a</availabilityZone>";

    #[test_case("", "" => (1, 0) ; "whole")]
    #[test_case("0.1", "0.000000" => (0, 1) ; "price 0")]
    #[test_case("0.1", "-1" => (0, 1) ; "price below 0")]
    #[test_case("0.1", "1e3" => (0, 1) ; "no decimal")]
    #[test_case("eu-west-1a", "" => (0, 1) ; "no zone")]
    #[test_case("c5a.large", "&#27;" => (0, 1) ; "no type")]
    #[test_case("2026-09-28T06:48:06Z", "yesterday" => (0, 1) ; "no time")]
    #[test_case("Linux/UNIX", "SUSE Linux" => (0, 0) ; "another system")]
    #[test_case("Linux/UNIX", "" => (0, 1) ; "no system")]
    #[test_case("Linux/UNIX", "Windows (Amazon VPC)" => (1, 0))]
    #[test_case("<instanceType>", "<new><deep>0</deep></new><instanceType>" => (1, 0) ; "an element that is not known")]
    fn an_item_is_a_price_or_is_left_out(from: &str, to: &str) -> (usize, usize) {
        let page = one(&if from.is_empty() { WHOLE.to_owned() } else { WHOLE.replace(from, to) });
        (page.prices.len(), page.odd)
    }

    #[test]
    fn text_is_unescaped_and_clean() {
        let page = one(&WHOLE.replace("c5a.large", "c5a&#46;la<!-- -->r<![CDATA[g]]>e&#x1b;"));
        assert_eq!(page.prices[0].price.instance_type, "c5a.large");
    }

    #[test]
    fn an_error_has_a_code_and_a_message() {
        let expected =
            ("UnauthorizedOperation".to_owned(), "You are not authorized to perform this operation.".to_owned());
        assert_eq!(error(UNAUTHORIZED), Some(expected));
        let sts = b"<ErrorResponse xmlns=\"u\"><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>a&#x1b;[1m &amp; b</Message></Error></ErrorResponse>";
        assert_eq!(error(sts), Some(("ExpiredToken".to_owned(), "a[1m & b".to_owned())));
        for other in [SPOT_PAGE_1, b"", b"<html><body>503</body></html>", b"<Response><Errors/></Response>", b"{}"] {
            assert_eq!(error(other), None);
        }
        let error = |body: &[u8]| read(body).unwrap_err().to_string();
        assert!(error(UNAUTHORIZED).starts_with("read EC2's spot prices: its form is unexpected (missing field"));
        assert!(error(b"<a>").starts_with("read EC2's spot prices: it is not complete XML ("));
    }
}
