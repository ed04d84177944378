//! The parts of a message of Karpenter: the object it is about, and what the cloud provider answered.

/// A message of an event or condition of Karpenter, taken apart. Borrows from the message.
///
/// ```text
/// NodeClaim web-1 event: insufficient capacity, with fleet error(s), VcpuLimitExceeded: You have requested …
/// NodeClaim web-1 nominated for this pod failed to launch: insufficient capacity, …
/// ```
///
/// Sources: `pkg/cloudprovider/events/events.go` and `pkg/controllers/nodeclaim/lifecycle/events.go` of Karpenter,
/// `pkg/providers/instance/instance.go` of the AWS provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KarpenterMessage<'a> {
    /// Kind and name of the object that the message begins with, if it does.
    pub object: Option<(&'a str, &'a str)>,
    /// Whether the object is a NodeClaim whose launch failed, in an event of a pod that it was made for (since 1.15).
    pub is_failed_nomination: bool,
    /// What follows the object; the whole message if it names none.
    pub text: &'a str,
}

impl<'a> KarpenterMessage<'a> {
    /// Takes a message apart. A message in another form is all [`Self::text`].
    pub fn parse(message: &'a str) -> Self {
        let mut words = message.splitn(3, ' ');
        if let (Some(kind), Some(name), Some(rest)) = (words.next(), words.next(), words.next()) {
            let object = Some((kind, name));
            if let Some(text) = rest.strip_prefix("event: ") {
                return Self { object, is_failed_nomination: false, text };
            }
            if let Some(text) = rest.strip_prefix("nominated for this pod failed to launch: ") {
                return Self { object, is_failed_nomination: true, text };
            }
        }
        Self { object: None, is_failed_nomination: false, text: message }
    }

    /// What the cloud provider answered to the launch; [`Self::text`] where no answer is quoted.
    pub fn cloud_error(&self) -> &'a str {
        self.text.split_once("fleet error(s), ").map_or(self.text, |(_, answer)| answer)
    }

    /// The error code that the cloud provider's answer begins with: `VcpuLimitExceeded`.
    pub fn leading_code(&self) -> Option<&'a str> {
        let (code, _) = self.cloud_error().split_once(": ")?;
        let is_code = code.starts_with(|c: char| c.is_ascii_uppercase())
            && code.bytes().any(|b| b.is_ascii_lowercase())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
        is_code.then_some(code)
    }

    /// The first error code in the cloud provider's answer, also after other text.
    pub fn code(&self) -> Option<&'a str> {
        let is_code = |word: &&str| {
            word.starts_with(|c: char| c.is_ascii_uppercase())
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
                && word.bytes().filter(u8::is_ascii_uppercase).count() > 1
                && word.len() > 4
        };
        let mut words = self.cloud_error().split_whitespace().filter_map(|word| word.strip_suffix(':'));
        self.leading_code().or_else(|| words.find(is_code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("NodeClaim a-1 event: insufficient capacity, with fleet error(s), VcpuLimitExceeded: limit of 32"
        => (Some(("NodeClaim", "a-1")), false, "VcpuLimitExceeded: limit of 32"))]
    #[test_case("NodeClaim a-1 event: insufficient capacity, all requested instance types were unavailable during launch"
        => (Some(("NodeClaim", "a-1")), false, "insufficient capacity, all requested instance types were unavailable during launch"))]
    #[test_case("NodeClaim a-1 nominated for this pod failed to launch: insufficient capacity"
        => (Some(("NodeClaim", "a-1")), true, "insufficient capacity"))]
    #[test_case("Node n event: Status condition transitioned" => (Some(("Node", "n")), false, "Status condition transitioned"))]
    #[test_case("Spot interruption warning was triggered" => (None, false, "Spot interruption warning was triggered"))]
    #[test_case("with fleet error(s), Unsupported: no" => (None, false, "Unsupported: no"))]
    fn messages(message: &str) -> (Option<(&str, &str)>, bool, &str) {
        let parsed = KarpenterMessage::parse(message);
        (parsed.object, parsed.is_failed_nomination, parsed.cloud_error())
    }

    #[test_case("NodeClaim x event: insufficient capacity, with fleet error(s), VcpuLimitExceeded: You have" => Some("VcpuLimitExceeded"))]
    #[test_case("insufficient capacity, all requested instance types were unavailable during launch" => None)]
    #[test_case("NodeClaim gpu-2 event: with fleet error(s), InsufficientInstanceCapacity: We do not" => Some("InsufficientInstanceCapacity"))]
    #[test_case("UnauthorizedOperation, Client.VpcLimitExceeded: no" => Some("Client.VpcLimitExceeded"))]
    #[test_case("with fleet error(s), Unsupported: this type" => Some("Unsupported") ; "one word")]
    #[test_case("launch failed: error: no" => None ; "a word is no code")]
    fn codes(message: &str) -> Option<&str> {
        KarpenterMessage::parse(message).code()
    }
}
