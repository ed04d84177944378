//! The addresses of the public files. Those of AWS's APIs are known to AWS's SDK ([`super::AwsEnvironment`]).

use http::Uri;
use std::borrow::Cow;

/// The base address of public files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    base: Cow<'static, str>,
    /// The environment variable that it comes from; `None` for AWS's own.
    variable: Option<&'static str>,
}

impl Endpoint {
    /// The address of a file, whose path begins with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The address as a URI, or what is wrong with it. It is `https:`, or `http:` if the environment says so.
    pub(super) fn uri(&self, url: &str) -> Result<Uri, String> {
        let name = self.variable.unwrap_or("the address");
        let uri: Uri = url.parse().map_err(|error| format!("{name} is no address: {error}"))?;
        match (uri.scheme_str(), self.variable) {
            (Some("https"), _) | (Some("http"), Some(_)) if uri.host().is_some() => Ok(uri),
            _ => Err(format!("{name} is no https: address")),
        }
    }
}

/// The base addresses of all public files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The files behind the on-demand price page (`PRICE_PAGE_URL`).
    pub price_page: Endpoint,
    /// The price lists of the commercial partition (`PRICE_LIST_URL`, which applies to every partition).
    pub price_list: Endpoint,
    /// The price lists of the China partition.
    pub price_list_china: Endpoint,
    /// The file behind the spot price page (`SPOT_FEED_URL`).
    pub spot_feed: Endpoint,
    /// The spot advisor's file (`SPOT_ADVISOR_URL`).
    pub spot_advisor: Endpoint,
}

impl Endpoints {
    /// AWS's own, except for those in the environment; empty variables are ignored.
    pub fn from_environment(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        let endpoint = |variable: &'static str, public: &'static str| {
            let base = environment(variable).map(|base| base.trim().trim_end_matches('/').to_owned());
            match base.filter(|base| !base.is_empty()) {
                Some(base) => Endpoint { base: base.into(), variable: Some(variable) },
                None => Endpoint { base: public.into(), variable: None },
            }
        };
        Self {
            price_page: endpoint("PRICE_PAGE_URL", "https://b0.p.awsstatic.com"),
            price_list: endpoint("PRICE_LIST_URL", "https://pricing.us-east-1.amazonaws.com"),
            price_list_china: endpoint("PRICE_LIST_URL", "https://pricing.cn-north-1.amazonaws.com.cn"),
            spot_feed: endpoint("SPOT_FEED_URL", "https://website.spot.ec2.aws.a2z.com"),
            spot_advisor: endpoint("SPOT_ADVISOR_URL", "https://spot-bid-advisor.s3.amazonaws.com"),
        }
    }
}

impl Default for Endpoints {
    fn default() -> Self {
        Self::from_environment(&|_| None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn endpoints_are_those_of_aws_unless_the_environment_has_others() {
        let endpoints = Endpoints::default();
        assert_eq!(endpoints.spot_feed.join("/spot.json"), "https://website.spot.ec2.aws.a2z.com/spot.json");
        assert_eq!(endpoints.spot_feed.variable, None);
        let named = Endpoints::from_environment(&|name| match name {
            "PRICE_LIST_URL" => Some("http://127.0.0.1:9/lists/".into()),
            "SPOT_FEED_URL" => Some(" ".into()),
            _ => None,
        });
        let list = Endpoint { base: "http://127.0.0.1:9/lists".into(), variable: Some("PRICE_LIST_URL") };
        let expected = Endpoints { price_list: list.clone(), price_list_china: list, ..endpoints };
        assert_eq!(named, expected);
    }
}
