//! Where the price sources are that need no credentials. Where AWS's APIs are, AWS's own variables tell
//! ([`super::AwsEnvironment`]).

use std::borrow::Cow;

/// The base address of a source that needs no credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    base: Cow<'static, str>,
    variable: Option<&'static str>,
}

impl Endpoint {
    const fn public(base: &'static str) -> Self {
        Self { base: Cow::Borrowed(base), variable: None }
    }

    /// The base address, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The environment variable that named it, if it is not AWS's own. Only such an address may be plain `http:`.
    pub const fn variable(&self) -> Option<&'static str> {
        self.variable
    }

    /// The address of a file of the source.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// The addresses of every public file: AWS's own, unless the environment names others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The files behind the on-demand price page (`PRICE_PAGE_URL`).
    pub price_page: Endpoint,
    /// The public price lists of the commercial partition (`PRICE_LIST_URL`, then for every partition).
    pub price_list: Endpoint,
    /// The public price lists of the China partition.
    pub price_list_china: Endpoint,
    /// The file behind the spot price page (`SPOT_FEED_URL`).
    pub spot_feed: Endpoint,
    /// The spot advisor's file (`SPOT_ADVISOR_URL`).
    pub spot_advisor: Endpoint,
}

impl Endpoints {
    /// AWS's own, but for those that the environment names; an empty variable names nothing.
    pub fn of(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        let named = |variable: &str| environment(variable).filter(|value| !value.trim().is_empty());
        let anonymous = |variable: &'static str, public: &'static str| {
            named(variable).map_or_else(
                || Endpoint::public(public),
                |base| Endpoint { base: base.trim().trim_end_matches('/').to_owned().into(), variable: Some(variable) },
            )
        };
        Self {
            price_page: anonymous("PRICE_PAGE_URL", "https://b0.p.awsstatic.com"),
            price_list: anonymous("PRICE_LIST_URL", "https://pricing.us-east-1.amazonaws.com"),
            price_list_china: anonymous("PRICE_LIST_URL", "https://pricing.cn-north-1.amazonaws.com.cn"),
            spot_feed: anonymous("SPOT_FEED_URL", "https://website.spot.ec2.aws.a2z.com"),
            spot_advisor: anonymous("SPOT_ADVISOR_URL", "https://spot-bid-advisor.s3.amazonaws.com"),
        }
    }
}

impl Default for Endpoints {
    fn default() -> Self {
        Self::of(&|_| None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn sources_are_aws_own_until_the_environment_names_others() {
        let endpoints = Endpoints::default();
        assert_eq!(endpoints.spot_feed.join("/spot.json"), "https://website.spot.ec2.aws.a2z.com/spot.json");
        assert_eq!(endpoints.spot_feed.variable(), None);
        let named = Endpoints::of(&|name| match name {
            "PRICE_LIST_URL" => Some("http://127.0.0.1:9/lists/".into()),
            "SPOT_FEED_URL" => Some(" ".into()),
            _ => None,
        });
        let list = Endpoint { base: "http://127.0.0.1:9/lists".into(), variable: Some("PRICE_LIST_URL") };
        let expected = Endpoints { price_list: list.clone(), price_list_china: list, ..endpoints };
        assert_eq!(named, expected);
    }
}
