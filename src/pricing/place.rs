//! Where a node is, as far as its price depends on it: partition, region, zone.
//!
//! Names have AWS's pattern: a region ends with its number (`ap-northeast-2`, `us-gov-west-1`), a zone appends a letter
//! (`ap-northeast-2b`), a Local Zone or a Wavelength Zone a place (`us-west-2-lax-1a`, `us-east-1-wl1-bos-wlz-1`). Source: the EC2 user guide, "Regions and Zones".

use crate::units::Currency;

/// The kind of a zone: Local and Wavelength Zones have prices of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZoneKind {
    /// An availability zone, with the prices of its region; also an unknown zone, or one that is not AWS's.
    #[default]
    Standard,
    /// A Local Zone.
    Local,
    /// A Wavelength Zone, in a carrier's network.
    Wavelength,
}

/// A parsed name of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone<'a> {
    /// The region it belongs to.
    pub region: &'a str,
    /// The region that its prices are listed under: the region, or the Local Zone's group `us-west-2-lax-1`.
    pub price_region: &'a str,
    /// Its kind.
    pub kind: ZoneKind,
}

impl<'a> Zone<'a> {
    /// Parses a name; `None` if it is not one of AWS's.
    pub fn parse(zone: &'a str) -> Option<Self> {
        let digit = |c: char| c.is_ascii_digit();
        // The region's number is the first part of digits.
        let parts = zone.match_indices('-').filter_map(|(at, _)| zone.get(at + 1..));
        let after = parts.into_iter().find(|part| part.starts_with(digit))?.trim_start_matches(digit);
        let region = zone.get(..zone.len() - after.len())?;
        if let Some(place) = after.strip_prefix('-') {
            let kind = if place.starts_with("wl") { ZoneKind::Wavelength } else { ZoneKind::Local };
            let letter = |c: char| c.is_ascii_lowercase();
            let group = zone.strip_suffix(letter).filter(|group| group.ends_with(digit)).unwrap_or(zone);
            return Some(Self { region, price_region: group, kind });
        }
        let one_letter = after.len() == 1 && after.bytes().all(|b| b.is_ascii_lowercase());
        one_letter.then_some(Self { region, price_region: region, kind: ZoneKind::Standard })
    }
}

/// The zone in `aws:///<zone>/i-…`.
pub fn zone_of_provider_id(provider_id: &str) -> Option<&str> {
    provider_id.strip_prefix("aws:///")?.split('/').next().filter(|zone| !zone.is_empty())
}

/// The region in `eks-hybrid:///<region>/<cluster>/<name>`.
pub fn region_of_hybrid_id(provider_id: &str) -> Option<&str> {
    provider_id.strip_prefix("eks-hybrid:///")?.split('/').next().filter(|region| !region.is_empty())
}

/// The region of an EKS cluster by the address of its API server: `https://….gr7.<region>.eks.amazonaws.com`, or
/// `https://….eks-cluster.<region>.api.aws` of an IPv6 cluster (EKS user guide, "Cluster API server endpoint"). `None` if the
/// server is not EKS's, or its address hides that.
pub fn region_of_endpoint(server: &str) -> Option<&str> {
    let host = server.split_once("://").map_or(server, |(_, rest)| rest);
    let host = host.split(['/', ':']).next()?;
    let plain = [".eks.amazonaws.com", ".eks.amazonaws.com.cn"].into_iter().find_map(|end| host.strip_suffix(end));
    let dual = [".api.aws", ".api.amazonwebservices.com.cn"].into_iter().find_map(|end| {
        let rest = host.strip_suffix(end)?;
        rest.rsplit_once('.').filter(|(before, _)| before.ends_with("eks-cluster")).map(|_| rest)
    });
    plain.or(dual)?.rsplit('.').next().filter(|region| !region.is_empty())
}

/// An AWS partition: a group of regions with its own accounts, endpoints and bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partition {
    /// `aws`: the commercial regions.
    Commercial,
    /// `aws-us-gov`: billed in dollars, with prices in the built-in table.
    GovCloud,
    /// `aws-cn`: billed in yuan by its operators, without prices in the table.
    China,
    /// `aws-iso…`: no public prices.
    Isolated,
    /// `aws-eusc`, the European Sovereign Cloud, without prices in the table. Its overrides are shown in dollars.
    Sovereign,
}

impl Partition {
    /// The partition of a region, by its prefix.
    pub fn from_region(region: &str) -> Self {
        const PREFIXES: [(&str, Partition); 5] = [
            ("us-gov-", Partition::GovCloud),
            ("cn-", Partition::China),
            ("us-iso", Partition::Isolated),
            ("eu-iso", Partition::Isolated),
            ("eusc-", Partition::Sovereign),
        ];
        let found = PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix));
        found.map_or(Self::Commercial, |(_, partition)| *partition)
    }

    /// The currency that it is billed in.
    pub const fn currency(self) -> Currency {
        match self {
            Self::China => Currency::Cny,
            Self::Commercial | Self::GovCloud | Self::Isolated | Self::Sovereign => Currency::Usd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test]
    fn zones_are_parsed() {
        let apart = |name| Zone::parse(name).map(|zone| (zone.region, zone.price_region, zone.kind));
        let standard = |region| Some((region, region, ZoneKind::Standard));
        assert_eq!(apart("ap-northeast-2b"), standard("ap-northeast-2"));
        assert_eq!(apart("us-gov-west-1a"), standard("us-gov-west-1"));
        assert_eq!(apart("cn-north-1a"), standard("cn-north-1"));
        assert_eq!(apart("eusc-de-east-1a"), standard("eusc-de-east-1"));
        let los_angeles = Some(("us-west-2", "us-west-2-lax-1", ZoneKind::Local));
        assert_eq!((apart("us-west-2-lax-1a"), apart("us-west-2-lax-1b")), (los_angeles, los_angeles));
        let boston = Some(("us-east-1", "us-east-1-wl1-bos-wlz-1", ZoneKind::Wavelength));
        assert_eq!(apart("us-east-1-wl1-bos-wlz-1"), boston);
    }

    #[test_case("test-zone-a" ; "kwok")]
    #[test_case("us-central1-a" ; "google")]
    #[test_case("eastus-1" ; "azure")]
    #[test_case("")]
    #[test_case("-")]
    #[test_case("-1")]
    #[test_case("us-east-1" ; "a region")]
    #[test_case("us-east-1ab")]
    #[test_case("é-1é")]
    fn other_names_are_not_zones(text: &str) {
        assert_eq!(Zone::parse(text), None);
    }

    #[test_case("aws:///ap-northeast-2b/i-0088a4e1b9e73a3c1" => Some("ap-northeast-2b"))]
    #[test_case("aws:///ap-northeast-2a/0123/fargate-ip-10-0-0-3" => Some("ap-northeast-2a"))]
    #[test_case("aws:////i-0088a4e1b9e73a3c1" => None)]
    #[test_case("kwok://default-8q7xk" => None)]
    #[test_case("" => None)]
    fn the_provider_id_has_the_zone(provider_id: &str) -> Option<&str> {
        zone_of_provider_id(provider_id)
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parsed_or_rejected(text in "\\PC{0,20}", tail in "[a-z0-9é-]{0,16}") {
            let name = format!("{text}-{tail}");
            if let Some(zone) = Zone::parse(&name) {
                proptest::prop_assert!(name.starts_with(zone.region) && name.starts_with(zone.price_region));
            }
        }
    }

    #[test_case("https://9C2A.gr7.ap-northeast-2.eks.amazonaws.com" => Some("ap-northeast-2"))]
    #[test_case("https://9C2A.sk1.us-gov-west-1.eks.amazonaws.com:443/" => Some("us-gov-west-1") ; "with a port")]
    #[test_case("https://9C2A.gr7.cn-north-1.eks.amazonaws.com.cn" => Some("cn-north-1") ; "china")]
    #[test_case("https://9C2A.eks-cluster.eu-west-1.api.aws" => Some("eu-west-1") ; "ipv6")]
    #[test_case("https://9C2A.other.eu-west-1.api.aws" => None ; "another service")]
    #[test_case("https://127.0.0.1:6443" => None ; "not EKS")]
    #[test_case("https://eks.amazonaws.com.example.org" => None ; "not at the end")]
    #[test_case("" => None)]
    fn an_endpoint_names_its_region(server: &str) -> Option<&str> {
        region_of_endpoint(server)
    }
}
