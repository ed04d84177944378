//! The answer of `sts:GetCallerIdentity` (API version 2011-06-15): account and ARN of the caller.

use super::{ReadError, from_xml};
use crate::units::text::clean;
use serde::Deserialize;

/// The account and the ARN.
///
/// # Errors
///
/// If the bytes are not a complete answer.
pub fn read(body: &[u8]) -> Result<(String, String), ReadError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        get_caller_identity_result: Identity,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Identity {
        account: String,
        arn: String,
    }
    let answer: Answer = from_xml("the answer of sts:GetCallerIdentity", body)?;
    let Identity { account, arn } = answer.get_caller_identity_result;
    Ok((clean(account.trim()).into_owned(), clean(arn.trim()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the AWS STS API reference.
    const ANSWER: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <GetCallerIdentityResult>
        <Arn>arn:aws:iam::123456789012:user/Alice</Arn>
        <UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>
        <Account>123456789012</Account>
      </GetCallerIdentityResult>
      <ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>
    </GetCallerIdentityResponse>"#;

    #[test]
    fn the_answer_names_account_and_arn() {
        let expected = ("123456789012".to_owned(), "arn:aws:iam::123456789012:user/Alice".to_owned());
        assert_eq!(read(ANSWER.as_bytes()), Ok(expected));
    }

    #[test]
    fn another_answer_is_told_apart() {
        let half = ANSWER.split("<Account>").next().unwrap();
        assert!(read(half.as_bytes()).unwrap_err().reason().starts_with("it is not complete XML"));
        let other = ANSWER.replace("GetCallerIdentity", "GetSessionToken");
        assert!(read(other.as_bytes()).unwrap_err().reason().starts_with("its form is unexpected"));
    }
}
