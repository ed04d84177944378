//! core/v1 Events, of old recorders (first, last, count) and of new ones (`eventTime`, `series`).

use super::meta::Meta;
use crate::model::{Event, EventKind, ObjectRef};
use crate::source::json::{Int, Text, Time, lenient};
use serde::Deserialize;

/// The part of an Event that is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::source::live) struct EventWire {
    #[serde(deserialize_with = "lenient")]
    pub(in crate::source::live) metadata: Meta,
    #[serde(rename = "type")]
    kind: Text,
    reason: Text,
    message: Text,
    reporting_component: Text,
    #[serde(deserialize_with = "lenient")]
    source: Source,
    #[serde(deserialize_with = "lenient")]
    involved_object: InvolvedObject,
    event_time: Time,
    first_timestamp: Time,
    last_timestamp: Time,
    count: Int,
    #[serde(deserialize_with = "lenient")]
    series: Series,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    component: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InvolvedObject {
    kind: Text,
    namespace: Text,
    name: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Series {
    count: Int,
    last_observed_time: Time,
}

impl From<EventWire> for Event {
    fn from(wire: EventWire) -> Self {
        let created = wire.metadata.created();
        let EventWire { event_time, first_timestamp, last_timestamp, series, count, .. } = wire;
        Self {
            uid: wire.metadata.uid.0,
            kind: if &*wire.kind == "Warning" { EventKind::Warning } else { EventKind::Normal },
            reason: wire.reason.0,
            message: wire.message.0.into(),
            component: wire.reporting_component.given().unwrap_or(wire.source.component.0),
            object: ObjectRef {
                kind: wire.involved_object.kind.0,
                namespace: wire.involved_object.namespace.0,
                name: wire.involved_object.name.0,
            },
            first: event_time.0.or(first_timestamp.0).unwrap_or(created),
            last: series.last_observed_time.0.or(last_timestamp.0).or(event_time.0).unwrap_or(created),
            count: series.count.count::<u32>().or(count.count()).unwrap_or(1).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn event(json: &str) -> Event {
        serde_json::from_str::<EventWire>(json).unwrap().into()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_old_recorder_fills_first_last_and_count() {
        let read = event(
            r#"{"metadata": {"creationTimestamp": "2026-11-24T08:00:00Z"}, "type": "Warning", "eventTime": null,
                "firstTimestamp": "2026-11-24T08:00:01Z", "lastTimestamp": "2026-11-24T08:05:00Z", "count": 4,
                "reportingComponent": "", "source": {"component": "kubelet"}}"#,
        );
        assert_eq!((read.first, read.last), (at("2026-11-24T08:00:01Z"), at("2026-11-24T08:05:00Z")));
        assert_eq!((read.count, read.kind, read.component.as_str()), (4, EventKind::Warning, "kubelet"));
    }

    #[test]
    fn a_new_recorder_fills_event_time_and_series() {
        let first = event(r#"{"eventTime": "2026-11-24T08:00:01.5Z", "firstTimestamp": null, "series": null}"#);
        assert_eq!((first.first, first.last, first.count), (at("2026-11-24T08:00:01.5Z"), first.first, 1));
        let again = event(
            r#"{"eventTime": "2026-11-24T08:00:01Z", "reportingComponent": "default-scheduler",
                "series": {"count": 7, "lastObservedTime": "2026-11-24T08:09:00Z"}}"#,
        );
        assert_eq!((again.last, again.count), (at("2026-11-24T08:09:00Z"), 7));
        assert_eq!(again.component, "default-scheduler");
    }

    #[test]
    fn an_event_without_times_is_as_old_as_its_object() {
        let read = event(r#"{"metadata": {"creationTimestamp": "2026-11-24T08:00:00Z"}, "count": 0}"#);
        assert_eq!((read.first, read.last, read.count), (at("2026-11-24T08:00:00Z"), read.first, 1));
    }
}
