//! The syntax of label keys and label selectors.
//!
//! The API server evaluates selectors; this check before the request gives an error that names the flag. Grammar:
//! kubernetes/apimachinery `pkg/labels/selector.go`.

/// Whether `text` can be a label key or a resource name: letters, digits, `-`, `_`, `.` and at most one `/`.
pub(super) fn is_name(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            && part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    // A prefix is a DNS name of at most 253 characters, a name has at most 63.
    match text.split_once('/') {
        None => part(text) && text.len() <= 63,
        Some((prefix, name)) => part(prefix) && prefix.len() <= 253 && part(name) && name.len() <= 63,
    }
}

/// Whether `text` can be a label's value; the empty value is one.
fn is_value(text: &str) -> bool {
    text.is_empty() || (is_name(text) && !text.contains('/'))
}

/// Checks the syntax of a label selector.
///
/// # Errors
///
/// The invalid term, and an example of a valid one, as `expected …`.
pub(super) fn check(selector: &str) -> Result<(), String> {
    match terms(selector).find(|term| !is_term(term)) {
        None => Ok(()),
        Some(term) => {
            Err(format!("expected a label selector such as team=a or `zone in (a,b)`, and {term:?} is not a term"))
        }
    }
}

/// The terms of a selector, split at commas outside of parentheses.
fn terms(selector: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    selector
        .split(move |c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        })
        .map(str::trim)
}

/// One term: `key`, `!key`, `key = value` (also `==`, `!=`), `key in (a, b)`, `key notin (a, b)`, `key > 5`, `key < 5`.
fn is_term(term: &str) -> bool {
    if let Some(key) = term.strip_prefix('!') {
        return is_name(key.trim());
    }
    for operator in ["!=", "==", "="] {
        if let Some((key, value)) = term.split_once(operator) {
            return is_name(key.trim()) && is_value(value.trim());
        }
    }
    for operator in ['<', '>'] {
        if let Some((key, value)) = term.split_once(operator) {
            return is_name(key.trim()) && value.trim().parse::<i64>().is_ok();
        }
    }
    if let Some((head, rest)) = term.split_once('(') {
        let Some(values) = rest.strip_suffix(')') else { return false };
        let mut words = head.split_whitespace();
        let (key, operator) = (words.next(), words.next());
        return key.is_some_and(is_name)
            && matches!(operator, Some("in" | "notin"))
            && words.next().is_none()
            && values.split(',').all(|value| is_value(value.trim()));
    }
    is_name(term)
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("karpenter.sh/nodepool" => true)]
    #[test_case("!karpenter.sh/nodepool" => true)]
    #[test_case("a=b,c!=d, e == f" => true)]
    #[test_case("a=" => true ; "an empty value is a value")]
    #[test_case("topology.kubernetes.io/zone in (us-east-1a, us-east-1b),team" => true)]
    #[test_case("zone notin (a)" => true)]
    #[test_case("karpenter.k8s.aws/instance-cpu>7" => true)]
    #[test_case("karpenter.k8s.aws/instance-cpu > many" => false)]
    #[test_case("a=b,," => false)]
    #[test_case("a=b c" => false)]
    #[test_case("zone within (a)" => false)]
    #[test_case("zone in (a" => false)]
    #[test_case("a/b/c=d" => false)]
    #[test_case("a=b/c" => false)]
    #[test_case("=b" => false)]
    fn selectors(text: &str) -> bool {
        check(text).is_ok()
    }

    #[test]
    fn the_error_names_the_invalid_term() {
        let error = check("team=a,b c").unwrap_err();
        assert!(error.contains("\"b c\" is not a term"), "{error}");
    }
}
