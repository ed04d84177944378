//! One line a node, with a heading. Quantities in the JSON's units; unknown is empty.

use super::{NodeReport, Report};
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
    csv.write_record(HEADING).map_err(io_error)?;
    for node in &report.nodes {
        csv.write_record(fields(node).iter().map(|field| harmless(field).into_owned())).map_err(io_error)?;
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

/// A field a spreadsheet would run as a formula is made plain text (OWASP, "CSV injection"): labels are user input.
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
