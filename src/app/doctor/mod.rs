//! `nodeglass doctor`: checks everything the dashboard uses, and reports what works, the impact of what does not, and how
//! to fix it.
//!
//! Invariants: each check has a timeout; independent checks run concurrently and are reported in a fixed order; a failed
//! check skips only the checks that depend on it.

mod cluster;
mod prices;
mod report;

use super::sources::{self, Ready};
use crate::cli::{self, Doctor, DoctorFormat, DoctorOutput, EXIT_SUCCESS, EXIT_TROUBLE, Settings, Source};
use crate::cluster::Cluster;
use crate::model::Stream;
use crate::source::live::{self, AwsHints, CLUSTER_ROLE_BINDING, Connection};
use color_eyre::eyre::{Result, WrapErr};
use report::{Finding, Report};
use std::io::{self, IsTerminal};

/// Prints the requested report or policy; the exit code is 1 if the dashboard is not usable.
pub(super) async fn run(settings: &Settings, doctor: Doctor) -> Result<u8> {
    let (text, code) = match doctor.output {
        DoctorOutput::Rbac => (rbac(settings), EXIT_SUCCESS),
        DoctorOutput::IamPolicy => (prices::iam_policy(settings), EXIT_SUCCESS),
        DoctorOutput::Report(format) => {
            let report = Box::pin(examine(settings, &doctor)).await;
            let text = match format {
                DoctorFormat::Json => report.json(),
                DoctorFormat::Text => report.text(is_coloured(settings)),
            };
            (text, if report.works() { EXIT_SUCCESS } else { EXIT_TROUBLE })
        }
    };
    cli::write_out(&mut io::stdout().lock(), &text).wrap_err("failed to write to standard output")?;
    Ok(code)
}

fn is_coloured(settings: &Settings) -> bool {
    match settings.color {
        cli::Color::Never => false,
        cli::Color::Always => true,
        cli::Color::Auto | cli::Color::Ansi16 | cli::Color::Ansi256 | cli::Color::Truecolor => {
            io::stdout().is_terminal()
        }
    }
}

/// The minimal ClusterRole for these settings, with a binding.
fn rbac(settings: &Settings) -> String {
    let options = sources::live_options(settings);
    let streams: Vec<Stream> = Stream::ALL.into_iter().filter(|stream| options.wants(*stream)).collect();
    format!("{}---\n{CLUSTER_ROLE_BINDING}", live::cluster_role(&streams))
}

async fn examine(settings: &Settings, doctor: &Doctor) -> Report {
    let mut report = Report::default();
    report.add("settings", vec![settings_file(doctor)]);
    let (mut hints, mut nodes) = (AwsHints::default(), None);
    match (&settings.source, Ready::live_within(settings, doctor.timeout).await) {
        (Source::Demo { .. } | Source::Scenario(_), _) => {
            report.add("cluster", vec![Finding::skipped("kubeconfig", "not needed: the cluster is simulated")]);
        }
        (Source::Cluster, Err(error)) => {
            let finding = Finding::failed("kubeconfig", error.to_string());
            report.add(
                "cluster",
                vec![match error.remedy() {
                    Some(remedy) => finding.fix(remedy),
                    None => finding,
                }],
            );
        }
        (Source::Cluster, Ok(connection)) => {
            hints = connection.aws().clone();
            nodes = examine_cluster(&connection, settings, doctor, &mut report).await;
        }
    }
    report.add("custom prices", prices::price_terms(settings, nodes.as_ref()));
    let sources = Box::pin(prices::sources(settings, &hints, nodes.as_ref(), doctor.timeout)).await;
    report.add("prices", sources);
    report
}

/// Examines the cluster and returns its nodes, if they can be read.
async fn examine_cluster(
    connection: &Connection,
    settings: &Settings,
    doctor: &Doctor,
    report: &mut Report,
) -> Option<Cluster> {
    let reached = cluster::reach(connection, doctor.timeout).await;
    report.add("cluster", reached.findings);
    if !reached.answers {
        return None;
    }
    let ((permissions, mut features), (nodes, cluster)) = tokio::join!(
        cluster::examine(connection, doctor.timeout),
        cluster::nodes(connection, settings, doctor.timeout)
    );
    features.insert(0, nodes);
    report.add("permissions", permissions);
    report.add("cluster features", features);
    cluster
}

fn settings_file(doctor: &Doctor) -> Finding {
    const CHECK: &str = "settings file";
    match (&doctor.settings_trouble, &doctor.settings_file) {
        (Some(trouble), _) => Finding::failed(CHECK, trouble.as_str()),
        (None, Some(path)) => Finding::ok(CHECK, path.display().to_string()),
        (None, None) => Finding::ok(CHECK, "none found, using defaults"),
    }
}
