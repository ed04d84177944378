//! `nodeglass doctor`: tries everything the dashboard uses, says what works, what is lost without the rest, and how to mend
//! it.
//!
//! Always true here: each check has a time limit, so the whole ends; checks that need nothing of each other run at the
//! same time, and are told in one order; a check that fails takes away only what needs it.

mod cluster;
mod prices;
mod report;

use super::sources::{self, Ready};
use crate::cli::{self, Doctor, DoctorFormat, DoctorWish, EXIT_SUCCESS, EXIT_TROUBLE, Settings, Source};
use crate::cluster::Cluster;
use crate::model::Stream;
use crate::source::live::{self, CLUSTER_ROLE_BINDING, Connection};
use crate::source::prices::AwsHints;
use color_eyre::eyre::{Result, WrapErr};
use report::{Finding, Report};
use std::io::{self, IsTerminal};

/// Prints what was asked for; the exit code says whether the dashboard can work.
pub(super) async fn run(settings: &Settings, doctor: Doctor) -> Result<u8> {
    let (text, code) = match doctor.wanted {
        DoctorWish::Rbac => (rbac(settings), EXIT_SUCCESS),
        DoctorWish::IamPolicy => (prices::iam_policy(settings), EXIT_SUCCESS),
        DoctorWish::Report(format) => {
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

/// The role that is enough for what the settings show.
fn rbac(settings: &Settings) -> String {
    let wanted = sources::live_options(settings);
    let streams: Vec<Stream> = Stream::ALL.into_iter().filter(|stream| wanted.wants(*stream)).collect();
    format!("{}---\n{CLUSTER_ROLE_BINDING}", live::cluster_role(&streams))
}

async fn examine(settings: &Settings, doctor: &Doctor) -> Report {
    let mut report = Report::default();
    report.add("settings", vec![settings_file(doctor)]);
    let (mut hints, mut picture) = (AwsHints::default(), None);
    match (&settings.source, Ready::live_within(settings, doctor.timeout)) {
        (Source::Demo { .. } | Source::Scenario(_), _) => {
            report.add("cluster", vec![Finding::skipped("kubeconfig", "not needed for what is simulated")]);
        }
        (Source::Cluster, Err(error)) => {
            let finding = Finding::failed("kubeconfig", error.to_string());
            report.add(
                "cluster",
                vec![match error.remedy() {
                    Some(remedy) => finding.mend(remedy),
                    None => finding,
                }],
            );
        }
        (Source::Cluster, Ok(connection)) => {
            hints = connection.aws().clone();
            picture = examine_cluster(&connection, settings, doctor, &mut report).await;
        }
    }
    report.add("your own prices", prices::own_terms(settings, picture.as_ref()));
    let sources = Box::pin(prices::sources(settings, &hints, picture.as_ref(), doctor.timeout)).await;
    report.add("prices", sources);
    report
}

/// Examines the cluster; its machines, as far as they can be read.
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
    let ((permissions, mut there), (machines, picture)) = tokio::join!(
        cluster::look(connection, doctor.timeout),
        cluster::machines(connection, settings, doctor.timeout)
    );
    there.insert(0, machines);
    report.add("permissions", permissions);
    report.add("cluster features", there);
    picture
}

fn settings_file(doctor: &Doctor) -> Finding {
    const CHECK: &str = "settings file";
    match (&doctor.settings_trouble, &doctor.settings_file) {
        (Some(trouble), _) => Finding::failed(CHECK, trouble.as_str()),
        (None, Some(path)) => Finding::ok(CHECK, path.display().to_string()),
        (None, None) => Finding::ok(CHECK, "none found, using defaults"),
    }
}
