//! The names of regions on AWS's price page, as in the attribute `location` of the Price List API.
//!
//! The names of Local Zones and Wavelength Zones are not known here, and China has no price page.

use crate::pricing::Os;

/// Regions and their names, sorted.
pub const LOCATIONS: &[(&str, &str)] = &[
    ("af-south-1", "Africa (Cape Town)"),
    ("ap-east-1", "Asia Pacific (Hong Kong)"),
    ("ap-east-2", "Asia Pacific (Taipei)"),
    ("ap-northeast-1", "Asia Pacific (Tokyo)"),
    ("ap-northeast-2", "Asia Pacific (Seoul)"),
    ("ap-northeast-3", "Asia Pacific (Osaka)"),
    ("ap-south-1", "Asia Pacific (Mumbai)"),
    ("ap-south-2", "Asia Pacific (Hyderabad)"),
    ("ap-southeast-1", "Asia Pacific (Singapore)"),
    ("ap-southeast-2", "Asia Pacific (Sydney)"),
    ("ap-southeast-3", "Asia Pacific (Jakarta)"),
    ("ap-southeast-4", "Asia Pacific (Melbourne)"),
    ("ap-southeast-5", "Asia Pacific (Malaysia)"),
    ("ap-southeast-6", "Asia Pacific (New Zealand)"),
    ("ap-southeast-7", "Asia Pacific (Thailand)"),
    ("ca-central-1", "Canada (Central)"),
    ("ca-west-1", "Canada West (Calgary)"),
    ("eu-central-1", "EU (Frankfurt)"),
    ("eu-central-2", "EU (Zurich)"),
    ("eu-north-1", "EU (Stockholm)"),
    ("eu-south-1", "EU (Milan)"),
    ("eu-south-2", "EU (Spain)"),
    ("eu-west-1", "EU (Ireland)"),
    ("eu-west-2", "EU (London)"),
    ("eu-west-3", "EU (Paris)"),
    ("il-central-1", "Israel (Tel Aviv)"),
    ("me-central-1", "Middle East (UAE)"),
    ("me-south-1", "Middle East (Bahrain)"),
    ("mx-central-1", "Mexico (Central)"),
    ("sa-east-1", "South America (Sao Paulo)"),
    ("us-east-1", "US East (N. Virginia)"),
    ("us-east-2", "US East (Ohio)"),
    ("us-gov-east-1", "AWS GovCloud (US-East)"),
    ("us-gov-west-1", "AWS GovCloud (US-West)"),
    ("us-west-1", "US West (N. California)"),
    ("us-west-2", "US West (Oregon)"),
];

/// The name of a region.
pub fn location(region: &str) -> Option<&'static str> {
    LOCATIONS.iter().find(|(name, _)| *name == region).map(|(_, location)| *location)
}

/// The other name of a European region: AWS writes both `EU (Ireland)` and `Europe (Ireland)`.
pub fn other_name(location: &str) -> Option<String> {
    location.strip_prefix("EU ").map(|place| format!("Europe {place}"))
}

/// The path of a location's file.
pub fn price_page(location: &str, os: Os) -> String {
    let (location, os) = (location.replace(' ', "%20"), os.as_aws());
    format!("/pricing/2.0/meteredUnitMaps/ec2/USD/current/ec2-ondemand-without-sec-sel/{location}/{os}/index.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_is_found() {
        for (region, name) in LOCATIONS {
            assert_eq!(location(region), Some(*name));
        }
        assert_eq!(LOCATIONS.len(), 36);
        assert_eq!(location("ap-northeast-2"), Some("Asia Pacific (Seoul)"));
        for unknown in ["cn-north-1", "us-west-2-lax-1", "us-east-1-wl1-bos-wlz-1", "", "europe-west1"] {
            assert_eq!(location(unknown), None);
        }
    }

    #[test]
    fn european_places_have_two_names() {
        assert_eq!(other_name("EU (Ireland)").as_deref(), Some("Europe (Ireland)"));
        assert_eq!(other_name("US East (Ohio)"), None);
    }
}
