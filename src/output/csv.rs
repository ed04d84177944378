//! One line per node, with a header line. Quantities have the units of the JSON; an unknown value is empty. The resources
//! and labels of the settings are further columns at the end.

use super::{Columns, NodeReport, Report};
use crate::model::Resource;
use std::io::{self, Write};

const HEADING: [&str; 26] = [
    "name",
    "nodepool",
    "instance_type",
    "capacity_type",
    "region",
    "zone",
    "status",
    "age_seconds",
    "pods",
    "allocatable_pods",
    "allocatable_cpu_millicores",
    "requests_cpu_millicores",
    "usage_cpu_millicores",
    "allocatable_memory_bytes",
    "requests_memory_bytes",
    "usage_memory_bytes",
    "currency",
    "hourly",
    "instance",
    "fee",
    "price_mark",
    "price_source",
    "price_as_of",
    "unrequested",
    "unused",
    "daemonsets",
];

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let Columns { resources, labels } = &report.columns;
    // Cpu, memory and pods are always columns.
    let is_further = |r: &&Resource| !matches!(r, Resource::Cpu | Resource::Memory | Resource::Pods);
    let further: Vec<&Resource> = resources.iter().filter(is_further).collect();
    let named = further.iter().flat_map(|resource| {
        let name = match resource {
            Resource::EphemeralStorage => "ephemeral_storage_bytes",
            other => other.name(),
        };
        [format!("allocatable_{name}"), format!("requests_{name}")]
    });
    let heading = HEADING.into_iter().map(str::to_owned).chain(named).chain(labels.iter().map(ToString::to_string));
    csv.write_record(heading.map(|title| harmless(&title).into_owned())).map_err(io_error)?;
    for node in &report.nodes {
        let amounts = further.iter().flat_map(|resource| {
            let amounts = [node.allocatable.get(resource), node.requests.as_ref().and_then(|r| r.get(resource))];
            amounts.map(|amount| amount.map(|n| n.to_string()).unwrap_or_default())
        });
        let values = labels
            .iter()
            .map(|label| node.labels.get(label.to_string().as_str()).cloned().flatten().unwrap_or_default());
        let record = fields(node).into_iter().chain(amounts).chain(values);
        csv.write_record(record.map(|field| harmless(&field).into_owned())).map_err(io_error)?;
    }
    csv.flush()
}

fn fields(n: &NodeReport) -> [String; HEADING.len()] {
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    let number = |v: Option<u64>| v.map(|v| v.to_string()).unwrap_or_default();
    let usage = n.usage.as_ref();
    let price = n.price.as_ref();
    let waste = n.waste.as_ref();
    [
        n.name.clone(),
        text(&n.nodepool),
        text(&n.instance_type),
        n.capacity_type.to_owned(),
        text(&n.region),
        text(&n.zone),
        n.status.to_owned(),
        n.age_seconds.to_string(),
        number(n.pods),
        number(n.allocatable.pods),
        number(n.allocatable.cpu_millicores),
        number(n.requests.as_ref().and_then(|r| r.cpu_millicores)),
        number(usage.and_then(|u| u.cpu_millicores)),
        number(n.allocatable.memory_bytes),
        number(n.requests.as_ref().and_then(|r| r.memory_bytes)),
        number(usage.and_then(|u| u.memory_bytes)),
        price.map(|p| p.currency.to_owned()).unwrap_or_default(),
        price.and_then(|p| p.hourly.clone()).unwrap_or_default(),
        price.and_then(|p| p.instance.clone()).unwrap_or_default(),
        price.and_then(|p| p.fee.clone()).unwrap_or_default(),
        price.map(|p| p.mark.to_owned()).unwrap_or_default(),
        price.map(|p| p.source.to_owned()).unwrap_or_default(),
        price.and_then(|p| p.as_of.clone()).unwrap_or_default(),
        waste.map(|w| w.unrequested.clone()).unwrap_or_default(),
        waste.and_then(|w| w.unused.clone()).unwrap_or_default(),
        waste.map(|w| w.daemonsets.clone()).unwrap_or_default(),
    ]
}

/// Escapes a field that a spreadsheet would run as a formula (OWASP, "CSV injection"), since labels are user input.
fn harmless(field: &str) -> std::borrow::Cow<'_, str> {
    let number = field.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    if field.starts_with(['=', '+', '-', '@']) && !number { format!("'{field}").into() } else { field.into() }
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("failed to write csv: {other:?}")),
    }
}
