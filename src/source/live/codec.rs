//! From bytes to changes: JSON lists and JSON watch lines. The list-watch loop knows nothing of the encoding.
//!
//! One object that cannot be read never stops the others: a page is read as a whole first, which is fast, and object
//! by object only if that fails.

use super::fault::{Fault, StatusWire};
use super::kinds::Kind;
use super::requests::RequestRule;
use super::wire::meta::Meta;
use crate::model::{Change, Name};
use crate::source::json::{Text, lenient};
use crate::units::text::clean;
use http_body_util::BodyExt;
use kube::client::Body;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Longest line of a watch, in bytes. A line holds one object, and etcd takes requests of 1.5 MiB unless configured
/// otherwise (etcd's `--max-request-bytes`).
const LONGEST_LINE: usize = 64 << 20;

/// What a page says beside its objects.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageEnd {
    /// Where a watch goes on after the list.
    pub(super) version: Name,
    /// Where the next page begins; empty after the last.
    pub(super) continue_token: String,
    /// Objects on this page.
    pub(super) objects: usize,
}

/// What one watch line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// An object came, changed or went; its changes were appended. The version to resume after it.
    Object(Name),
    /// Nothing changed up to this version.
    Bookmark {
        /// The version to resume from.
        version: Name,
        /// The initial events of a streaming list end here (KEP-3157).
        initial_events_end: bool,
    },
    /// The server reports trouble.
    Error(Fault),
}

#[derive(Deserialize)]
#[serde(default, bound = "T: Deserialize<'de>")]
struct ListWire<T> {
    #[serde(deserialize_with = "lenient")]
    metadata: ListMeta,
    #[serde(deserialize_with = "lenient")]
    items: Vec<T>,
}

impl<T> Default for ListWire<T> {
    fn default() -> Self {
        Self { metadata: ListMeta::default(), items: Vec::new() }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListMeta {
    resource_version: Text,
    /// Not cleaned: it goes back to the server as it came.
    r#continue: Option<String>,
}

/// Any object, for its name and version.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AnyWire {
    #[serde(deserialize_with = "lenient")]
    metadata: Meta,
}

/// A bookmark, for its version and mark.
#[derive(Default, Deserialize)]
#[serde(default)]
struct BookmarkWire {
    #[serde(deserialize_with = "lenient")]
    metadata: Meta<serde::de::IgnoredAny, BookmarkAnnotations>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BookmarkAnnotations {
    #[serde(rename = "k8s.io/initial-events-end")]
    initial_events_end: Text,
}

#[derive(Deserialize)]
struct EventWire<'a> {
    #[serde(rename = "type")]
    kind: Text,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// Reads one page of a list and appends its changes. `rule` is that of the server it came from.
pub(super) fn page<K: Kind>(body: &[u8], rule: RequestRule, changes: &mut Vec<Change>) -> Result<PageEnd, Fault> {
    if let Ok(list) = serde_json::from_slice::<ListWire<K::Wire>>(body) {
        let end = end_of(list.metadata, list.items.len());
        for wire in list.items {
            K::present(wire, rule, changes);
        }
        return Ok(end);
    }
    let list = serde_json::from_slice::<ListWire<&RawValue>>(body).map_err(|error| malformed(&error))?;
    let end = end_of(list.metadata, list.items.len());
    for item in list.items {
        match serde_json::from_str::<K::Wire>(item.get()) {
            Ok(wire) => K::present(wire, rule, changes),
            Err(error) => changes.push(odd::<K>(item.get(), &error).0),
        }
    }
    Ok(end)
}

fn end_of(metadata: ListMeta, objects: usize) -> PageEnd {
    PageEnd { version: metadata.resource_version.0, continue_token: metadata.r#continue.unwrap_or_default(), objects }
}

/// Reads one line of a watch and appends its changes. `rule` is that of the server it came from.
pub(super) fn line<K: Kind>(line: &[u8], rule: RequestRule, changes: &mut Vec<Change>) -> Result<Line, Fault> {
    // Go writes the type first, so that the object's text need not be looked for.
    let of_type = |prefix: &[u8]| line.strip_prefix(prefix)?.strip_suffix(b"}");
    if let Some(object) =
        of_type(br#"{"type":"ADDED","object":"#).or_else(|| of_type(br#"{"type":"MODIFIED","object":"#))
        && let Ok(wire) = serde_json::from_slice::<K::Wire>(object)
    {
        let version = K::version(&wire);
        K::present(wire, rule, changes);
        return Ok(Line::Object(version));
    }
    let EventWire { kind, object } = serde_json::from_slice(line).map_err(|error| malformed(&error))?;
    let object = object.get();
    match &*kind {
        "ADDED" | "MODIFIED" => match serde_json::from_str::<K::Wire>(object) {
            Ok(wire) => {
                let version = K::version(&wire);
                K::present(wire, rule, changes);
                Ok(Line::Object(version))
            }
            Err(error) => {
                let (change, version) = odd::<K>(object, &error);
                changes.push(change);
                Ok(Line::Object(version))
            }
        },
        "DELETED" => {
            // Name and uid are enough to see an object go, however odd the rest of it is.
            let gone: AnyWire = serde_json::from_str(object).map_err(|error| malformed(&error))?;
            let version = gone.metadata.resource_version.0.clone();
            changes.extend(K::gone(gone.metadata));
            Ok(Line::Object(version))
        }
        "BOOKMARK" => {
            let bookmark: BookmarkWire = serde_json::from_str(object).map_err(|error| malformed(&error))?;
            Ok(Line::Bookmark {
                version: bookmark.metadata.resource_version.0,
                initial_events_end: &*bookmark.metadata.annotations.initial_events_end == "true",
            })
        }
        "ERROR" => {
            let status: StatusWire = serde_json::from_str(object).map_err(|error| malformed(&error))?;
            Ok(Line::Error(status.into_fault()))
        }
        other => Err(Fault::Malformed(format!("a watch event of type {other:?}"))),
    }
}

/// An object that cannot be read, and its version as far as that can be told.
fn odd<K: Kind>(object: &str, error: &serde_json::Error) -> (Change, Name) {
    let any = serde_json::from_str::<AnyWire>(object).unwrap_or_default().metadata;
    let problem = clean(&error.to_string()).into_owned();
    let version = any.resource_version.0.clone();
    (Change::Unreadable { stream: K::STREAM, object: any.display_name(), problem }, version)
}

/// The place of the mistake; never the text around it, which may be anything.
fn malformed(error: &serde_json::Error) -> Fault {
    let what = if error.is_eof() { "it ends early" } else { "it is not JSON of this kind" };
    Fault::Malformed(format!("{what} (line {}, column {})", error.line(), error.column()))
}

/// The lines of a body, as they arrive.
#[derive(Debug)]
pub(super) struct Lines {
    body: Body,
    buffer: Vec<u8>,
    /// Start of the first line that was not handed out.
    start: usize,
    /// Up to here no line end was found.
    searched: usize,
    /// Longest line in bytes.
    longest: usize,
}

impl Lines {
    pub(super) const fn new(body: Body) -> Self {
        Self { body, buffer: Vec::new(), start: 0, searched: 0, longest: LONGEST_LINE }
    }

    /// The next whole line that is in hand.
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        let from = self.searched.max(self.start);
        let Some(end) = self.buffer.get(from..)?.iter().position(|byte| *byte == b'\n').map(|at| from + at) else {
            self.searched = self.buffer.len();
            return None;
        };
        let start = std::mem::replace(&mut self.start, end + 1);
        self.searched = end + 1;
        self.buffer.get(start..end)
    }

    /// Waits for more of the body; `false` at its end. What is left without a line end was cut off and is dropped. To be
    /// called when [`Self::next`] has no line.
    ///
    /// # Errors
    ///
    /// [`Fault::Cut`] where the connection ends early, [`Fault::TooLarge`] where a line is longer than [`LONGEST_LINE`].
    pub(super) async fn more(&mut self) -> Result<bool, Fault> {
        loop {
            match self.body.frame().await {
                None => return Ok(false),
                Some(Err(_)) => return Err(Fault::Cut),
                Some(Ok(frame)) => {
                    // Trailers say nothing here.
                    let Ok(data) = frame.into_data() else { continue };
                    self.buffer.drain(..self.start);
                    self.searched -= self.start;
                    self.start = 0;
                    self.buffer.extend_from_slice(&data);
                    if self.buffer.len() > self.longest && !data.contains(&b'\n') {
                        return Err(Fault::TooLarge { subject: "a line of the watch", limit: self.longest });
                    }
                    return Ok(true);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Node, Stream, Uid};
    use crate::source::live::kinds::{Events, NodeClaims, NodePools, Nodes, Pdbs, Pods};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const RULE: RequestRule = RequestRule::Since137;

    fn names(changes: &[Change]) -> Vec<String> {
        let name = |change: &Change| match change {
            Change::Node(node) => node.name.to_string(),
            Change::NodeGone(name, _) => format!("-{name}"),
            Change::Unreadable { object, .. } => format!("?{object}"),
            other => format!("{other:?}"),
        };
        changes.iter().map(name).collect()
    }

    #[test]
    fn odd_object_does_not_stop_the_list() {
        let body = br#"{"kind":"NodeList","metadata":{"resourceVersion":"7","continue":"next"},"items":[
            {"metadata":{"name":"a"}},{"metadata":{"name":"b"},"spec":{"taints":"none"}},{"metadata":{"name":"c"}}]}"#;
        let mut changes = Vec::new();
        let end = page::<Nodes>(body, RULE, &mut changes).unwrap();
        assert_eq!(end, PageEnd { version: "7".into(), continue_token: "next".into(), objects: 3 });
        assert_eq!(names(&changes), ["a", "?b", "c"]);
    }

    #[test]
    fn nulls_are_absent() {
        let mut changes = Vec::new();
        let body = br#"{"metadata":null,"items":null}"#;
        assert_eq!(page::<Nodes>(body, RULE, &mut changes).unwrap(), PageEnd::default());
        let body = br#"{"items":[{"metadata":{"name":"a","labels":null,"ownerReferences":null},"spec":null,
            "status":{"conditions":null,"allocatable":null,"nodeInfo":null}}]}"#;
        page::<Nodes>(body, RULE, &mut changes).unwrap();
        assert_eq!(changes, [Change::Node(Box::new(Node { name: "a".into(), ..Node::default() }))]);
    }

    #[test]
    fn truncated_json_is_a_fault_that_tells_no_content() {
        let mut changes = Vec::new();
        let fault = page::<Pods>(br#"{"items":[{"metadata":{"name":"secret"#, RULE, &mut changes).unwrap_err();
        assert_eq!(fault, Fault::Malformed("it ends early (line 1, column 37)".into()));
        assert_eq!(changes, []);
    }

    #[test]
    fn slim_metadata_keeps_resource_version() {
        let mut changes = Vec::new();
        let read = |text: &str, changes: &mut Vec<Change>| line::<Nodes>(text.as_bytes(), RULE, changes).unwrap();
        let object = r#"{"metadata":{"name":"a","uid":"u","resourceVersion":"41"}}"#;
        let added = read(&format!(r#"{{"type":"ADDED","object":{object}}}"#), &mut changes);
        assert_eq!(added, Line::Object("41".into()));
        let spaced = read(&format!(r#"{{ "object": {object}, "type": "MODIFIED" }}"#), &mut changes);
        assert_eq!(spaced, Line::Object("41".into()));
        let deleted = read(&format!(r#"{{"type":"DELETED","object":{object}}}"#), &mut changes);
        assert_eq!(deleted, Line::Object("41".into()));
        assert_eq!(names(&changes), ["a", "a", "-a"]);
        assert_eq!(changes.last(), Some(&Change::NodeGone("a".into(), Uid::new("u"))));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_odd_and_the_watch_goes_on_after_it() {
        let mut changes = Vec::new();
        let text = br#"{"type":"MODIFIED","object":{"metadata":{"name":"b","resourceVersion":"9"},"status":7}}"#;
        assert_eq!(line::<Nodes>(text, RULE, &mut changes).unwrap(), Line::Object("9".into()));
        assert!(matches!(&changes[..], [Change::Unreadable { stream: Stream::Nodes, object, .. }] if object == "b"));
    }

    #[test]
    fn bookmarks_and_errors() {
        let mut changes = Vec::new();
        let mut read = |text: &str| line::<Pods>(text.as_bytes(), RULE, &mut changes);
        let mark = read(
            r#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"5","creationTimestamp":null,
                "annotations":{"k8s.io/initial-events-end":"true"}},"spec":{"containers":null},"status":{}}}"#,
        );
        assert_eq!(mark, Ok(Line::Bookmark { version: "5".into(), initial_events_end: true }));
        let plain = read(r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"6"}}}"#);
        assert_eq!(plain, Ok(Line::Bookmark { version: "6".into(), initial_events_end: false }));
        let error = read(r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}"#);
        assert_eq!(error, Ok(Line::Error(Fault::Expired)));
        assert!(matches!(read(r#"{"type":"NEWS","object":{}}"#), Err(Fault::Malformed(_))));
        assert!(matches!(read("<html>"), Err(Fault::Malformed(_))));
    }

    #[tokio::test]
    async fn lines_are_whole_however_they_arrive() {
        let mut lines = Lines::new(Body::from(b"one\ntwo\n\nthr".to_vec()));
        assert_eq!(lines.next(), None);
        assert_eq!(lines.more().await, Ok(true));
        assert_eq!(lines.next(), Some(&b"one"[..]));
        assert_eq!(lines.next(), Some(&b"two"[..]));
        assert_eq!(lines.next(), Some(&b""[..]));
        assert_eq!(lines.next(), None, "a line without its end was cut off");
        assert_eq!(lines.more().await, Ok(false));
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_refused() {
        let line = |length| Body::from(vec![b' '; length]);
        let mut lines = Lines { longest: 8, ..Lines::new(line(8)) };
        assert_eq!((lines.more().await, lines.next()), (Ok(true), None));
        let mut lines = Lines { longest: 8, ..Lines::new(line(9)) };
        assert_eq!(lines.more().await, Err(Fault::TooLarge { subject: "a line of the watch", limit: 8 }));
    }

    /// Puts `with` in the place of the `n`-th value below `value`, counted depth first; `false` if there are fewer.
    fn replace(value: &mut Value, n: &mut usize, with: &Value) -> bool {
        if *n == 0 {
            *value = with.clone();
            return true;
        }
        *n -= 1;
        match value {
            Value::Array(list) => list.iter_mut().any(|value| replace(value, n, with)),
            Value::Object(map) => map.values_mut().any(|value| replace(value, n, with)),
            _ => false,
        }
    }

    fn simple() -> impl Strategy<Value = Value> {
        proptest::sample::select(vec![
            json!(null),
            json!(true),
            json!(-7),
            json!(1.5),
            json!("text"),
            json!(""),
            json!([]),
            json!({}),
            json!([null]),
            json!({"a": [1]}),
        ])
    }

    /// However one value of an object is wrong, the object is read or odd, and those beside it are read.
    fn check<K: Kind>(object: &str, n: usize, with: &Value) {
        let mut object: Value = serde_json::from_str(object).unwrap();
        if !replace(&mut object, &mut (n + 1), with) {
            return;
        }
        let good = json!({"metadata": {"name": "good"}});
        let body = json!({"metadata": {"resourceVersion": "7"}, "items": [good, object, good]}).to_string();
        let mut changes = Vec::new();
        let end = page::<K>(body.as_bytes(), RULE, &mut changes).unwrap();
        assert_eq!((end.version.as_str(), end.objects), ("7", 3));
        let is_odd = |change: &&Change| matches!(change, Change::Unreadable { .. });
        let odd = changes.iter().filter(is_odd).count();
        let read = changes.len() - odd;
        assert!(read == 3 || (read == 2 && odd == 1), "{changes:?}");
        let added = json!({"type": "ADDED", "object": object}).to_string();
        assert!(matches!(line::<K>(added.as_bytes(), RULE, &mut changes), Ok(Line::Object(_))));
    }

    proptest! {
        #[test]
        fn one_wrong_value_never_stops_a_list(n in 0_usize..400, with in simple()) {
            check::<Pods>(include_str!("../../../tests/suite/support/objects/pod.json"), n, &with);
            check::<Nodes>(include_str!("../../../tests/suite/support/objects/node.json"), n, &with);
            check::<Events>(include_str!("../../../tests/suite/support/objects/event_old.json"), n, &with);
            check::<NodeClaims>(include_str!("../../../tests/suite/support/objects/nodeclaim.json"), n, &with);
            check::<NodePools>(include_str!("../../../tests/suite/support/objects/nodepool.json"), n, &with);
            check::<Pdbs>(include_str!("../../../tests/suite/support/objects/pdb.json"), n, &with);
        }

        #[test]
        fn no_bytes_make_a_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), cut in 0_usize..4000) {
            let pod = include_bytes!("../../../tests/suite/support/objects/pod.json");
            for text in [&bytes[..], pod.get(..cut).unwrap_or(pod)] {
                let mut changes = Vec::new();
                let _ = page::<Pods>(text, RULE, &mut changes);
                let _ = line::<Pods>(text, RULE, &mut changes);
            }
        }
    }
}
