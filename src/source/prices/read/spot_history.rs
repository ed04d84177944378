//! What `ec2:DescribeSpotPriceHistory` answers (API version 2016-11-15): spot prices by type and zone, page by page.

use super::xml::walk;
use super::{ReadError, name, price};
use crate::model::{Name, Timestamp};
use crate::pricing::{Os, SpotPrice};
use crate::units::text::clean;
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;

const DOCUMENT: &str = "EC2's spot prices";

/// A page of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Prices for Linux and Windows.
    pub prices: Vec<SpotAt>,
    /// Where the next page begins; none at the end.
    pub next_token: Option<String>,
    /// Items that could not be understood.
    pub odd: usize,
}

/// A spot price, and since when it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotAt {
    /// The price.
    pub price: SpotPrice,
    /// Since when.
    pub at: Timestamp,
}

/// Reads one page.
///
/// # Errors
///
/// If the bytes are no whole XML, or another answer.
pub fn read(body: &[u8]) -> Result<Page, ReadError> {
    let mut page = Page::default();
    let mut item = Item::default();
    let mut answered = false;
    let see = |path: &[String], text: &str| match path {
        [root] => answered = root == ROOT,
        [root, token] if root == ROOT && token == "nextToken" => {
            page.next_token = Some(text.trim().to_owned()).filter(|token| !token.is_empty());
        }
        [root, set, element] if root == ROOT && set == SET && element == "item" => {
            match std::mem::take(&mut item).read() {
                Read::Price(price) => page.prices.push(price),
                Read::Other => {}
                Read::Odd => page.odd += 1,
            }
        }
        [root, set, element, field] if root == ROOT && set == SET && element == "item" => item.take(field, text.trim()),
        _ => {}
    };
    walk(body, see).map_err(|why| ReadError::garbled(DOCUMENT, "XML", &why))?;
    if answered {
        Ok(page)
    } else {
        Err(ReadError::Shape { document: DOCUMENT, expected: "a DescribeSpotPriceHistoryResponse" })
    }
}

const ROOT: &str = "DescribeSpotPriceHistoryResponse";
const SET: &str = "spotPriceHistorySet";

/// The newest price of each type, system and zone, sorted.
pub fn newest(prices: Vec<SpotAt>) -> Vec<SpotPrice> {
    let mut newest: FxHashMap<(Name, Os, Option<Name>), SpotAt> = FxHashMap::default();
    for new in prices {
        match newest.entry((new.price.instance_type.clone(), new.price.os, new.price.zone.clone())) {
            Entry::Vacant(place) => {
                place.insert(new);
            }
            Entry::Occupied(mut place) if new.at > place.get().at => {
                place.insert(new);
            }
            Entry::Occupied(_) => {}
        }
    }
    let mut newest: Vec<SpotPrice> = newest.into_values().map(|spot| spot.price).collect();
    newest.sort_by(|a, b| (&a.instance_type, a.os, &a.zone).cmp(&(&b.instance_type, b.os, &b.zone)));
    newest
}

/// The code and the message of an error answer, of EC2's form (`Response`) or STS's (`ErrorResponse`).
pub fn error(body: &[u8]) -> Option<(String, String)> {
    let (mut code, mut message) = (None, None);
    let see = |path: &[String], text: &str| {
        if let [.., parent, field] = path
            && parent == "Error"
        {
            let slot = match field.as_str() {
                "Code" => &mut code,
                "Message" => &mut message,
                _ => return,
            };
            slot.get_or_insert_with(|| clean(text.trim()).into_owned());
        }
    };
    // An answer that breaks off after its code has still told it.
    let _ = walk(body, see);
    Some((code.filter(|code| !code.is_empty())?, message.unwrap_or_default()))
}

/// The fields of an item as they come by.
#[derive(Debug, Default)]
struct Item {
    instance_type: String,
    product: String,
    amount: String,
    at: String,
    zone: String,
}

/// What an item is.
enum Read {
    Price(SpotAt),
    /// For another system.
    Other,
    Odd,
}

impl Item {
    fn take(&mut self, field: &str, text: &str) {
        let slot = match field {
            "instanceType" => &mut self.instance_type,
            "productDescription" => &mut self.product,
            "spotPrice" => &mut self.amount,
            "timestamp" => &mut self.at,
            "availabilityZone" => &mut self.zone,
            _ => return,
        };
        text.clone_into(slot);
    }

    fn read(&self) -> Read {
        let os = match self.product.as_str() {
            "Linux/UNIX" | "Linux/UNIX (Amazon VPC)" => Os::Linux,
            "Windows" | "Windows (Amazon VPC)" => Os::Windows,
            "" => return Read::Odd,
            _ => return Read::Other,
        };
        let price = || {
            let zone = Some(name(&self.zone)?);
            let spot = SpotPrice { instance_type: name(&self.instance_type)?, zone, os, amount: price(&self.amount)? };
            Some(SpotAt { price: spot, at: self.at.parse().ok()? })
        };
        price().map_or(Read::Odd, Read::Price)
    }
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
        let body = format!("<{ROOT}><{SET}><item>{fields}</item></{SET}></{ROOT}>");
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
    #[test_case("Linux/UNIX", "SUSE Linux" => (0, 0) ; "another system is not odd")]
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
    fn an_error_tells_its_code_and_message() {
        let expected =
            ("UnauthorizedOperation".to_owned(), "You are not authorized to perform this operation.".to_owned());
        assert_eq!(error(UNAUTHORIZED), Some(expected));
        let sts = b"<ErrorResponse xmlns=\"u\"><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>a\x1b[1m &amp; b</Message></Error>";
        assert_eq!(error(sts), Some(("ExpiredToken".to_owned(), "a[1m & b".to_owned())));
        for other in [SPOT_PAGE_1, b"", b"<html><body>503</body></html>", b"<Response><Errors/></Response>", b"{}"] {
            assert_eq!(error(other), None);
        }
        let expected = "read EC2's spot prices: it is of another shape (expected a DescribeSpotPriceHistoryResponse)";
        assert_eq!(read(UNAUTHORIZED).unwrap_err().to_string(), expected);
        assert!(matches!(read(b"<a>"), Err(ReadError::Garbled { .. })));
    }
}
