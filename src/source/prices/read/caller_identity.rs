//! What `sts:GetCallerIdentity` answers (API version 2011-06-15): account and ARN of whoever signed the question.

use super::ReadError;
use super::xml::walk;
use crate::units::text::clean;

const DOCUMENT: &str = "the answer of sts:GetCallerIdentity";

/// The account and the ARN.
///
/// # Errors
///
/// If the bytes are no whole XML, or another answer.
pub fn read(body: &[u8]) -> Result<(String, String), ReadError> {
    let (mut account, mut arn) = (String::new(), String::new());
    let see = |path: &[String], text: &str| {
        if let [root, result, field] = path
            && root == "GetCallerIdentityResponse"
            && result == "GetCallerIdentityResult"
        {
            match field.as_str() {
                "Account" => account = clean(text.trim()).into_owned(),
                "Arn" => arn = clean(text.trim()).into_owned(),
                _ => {}
            }
        }
    };
    walk(body, see).map_err(|why| ReadError::garbled(DOCUMENT, "XML", &why))?;
    if account.is_empty() || arn.is_empty() {
        return Err(ReadError::Shape { document: DOCUMENT, expected: "an account and an ARN" });
    }
    Ok((account, arn))
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
        assert!(matches!(read(half.as_bytes()), Err(ReadError::Garbled { .. })));
        let other = ANSWER.replace("GetCallerIdentity", "GetSessionToken");
        assert!(matches!(read(other.as_bytes()), Err(ReadError::Shape { .. })));
    }
}
