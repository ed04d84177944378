//! The user's own terms, the public price files, and what AWS allows: each asked as the dashboard would, for the regions
//! of the cluster's nodes.

use super::cluster::{counted, millis, whole_millis};
use super::report::{Finding, Verdict};
use crate::app::prices::{self, terms};
use crate::cli::{ExtraCost, Pricing, Settings};
use crate::cluster::{Cluster, UnmatchedTerm};
use crate::model::Name;
use crate::pricing::{Demand, OnDemandKey, Os, PriceNews, PriceSource, Prices, SourceState, Tenancy};
use crate::source::prices::{AskError, Aws, AwsEnvironment, AwsHints, AwsOptions, Options, start};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// What AWS is asked to allow: the action, what is lost without it, and which extra cost alone needs it.
struct Action {
    name: &'static str,
    lost: &'static str,
    only_for: Option<ExtraCost>,
}

const SPOT: Action = Action {
    name: "ec2:DescribeSpotPriceHistory",
    lost: "spot prices by zone: those of the region take their place",
    only_for: None,
};
const PRODUCTS: Action = Action {
    name: "pricing:GetProducts",
    lost: "prices of types that no public file has, of Windows and of dedicated instances",
    only_for: None,
};
const CLUSTER: Action = Action {
    name: "eks:DescribeCluster",
    lost: "support and tier of the control plane",
    only_for: Some(ExtraCost::ControlPlane),
};
const VERSIONS: Action = Action {
    name: "eks:DescribeClusterVersions",
    lost: "which support the cluster's version is in today",
    only_for: Some(ExtraCost::ControlPlane),
};
const ACTIONS: [&Action; 4] = [&SPOT, &PRODUCTS, &CLUSTER, &VERSIONS];

/// The IAM policy that is enough for what the settings show.
pub(super) fn iam_policy(settings: &Settings) -> String {
    let needed = |action: &&&Action| action.only_for.is_none_or(|cost| settings.extra_costs.contains(&cost));
    let actions: Vec<&str> = ACTIONS.iter().filter(needed).map(|action| action.name).collect();
    // The keys in the order of AWS's own examples; the names need no escaping.
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {{\"Effect\": \"Allow\", \"Action\": {}, \"Resource\": \
         \"*\"}}\n  ]\n}}\n",
        json!(actions)
    )
}

/// The user's own terms; the cluster tells which of them hold for nothing, where its nodes are known.
pub(super) fn own_terms(settings: &Settings, cluster: Option<&Cluster>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(path) = &settings.price_file {
        findings.push(match terms(settings) {
            Ok(terms) => {
                let rows = terms.file.map_or(0, |file| file.rows().len());
                Finding::ok("price file", format!("{}: {}", path.display(), counted(rows, "price")))
                    .fact("prices", rows)
            }
            Err(error) => Finding::failed("price file", format!("failed to {error}")),
        });
    }
    let rules = settings.discounts.len();
    if rules > 0 {
        findings.push(Finding::ok("discounts", counted(rules, "rule")).fact("rules", rules));
    }
    let unmatched = cluster.into_iter().flat_map(|cluster| cluster.prices().unmatched());
    findings.extend(unmatched.map(|term| {
        let check = match term {
            UnmatchedTerm::Rule { .. } => "discounts",
            UnmatchedTerm::Row { .. } => "price file",
        };
        Finding::new(Verdict::Note, check, format!("{term} matches no node"))
    }));
    findings
}

/// The disk, the public files, and AWS.
pub(super) async fn sources(
    settings: &Settings,
    hints: &AwsHints,
    cluster: Option<&Cluster>,
    patience: Duration,
) -> Vec<Finding> {
    let Some(options) = prices::options(settings, hints) else {
        return vec![Finding::skipped("pricing", "switched off")];
    };
    let mut findings = vec![kept(options.cache_dir.as_deref()).await];
    if settings.pricing == Pricing::Offline {
        findings.push(Finding::skipped("sources", "not asked: pricing is offline"));
        return findings;
    }
    let known = cluster.map(Cluster::demand).filter(|demand| !demand.is_empty());
    let Some(demand) = known.or_else(|| of_region(hints.region.as_deref()?)) else {
        findings.push(Finding::skipped("sources", "not asked: neither a node nor the kubeconfig names a region"));
        return findings;
    };
    let aws = options.aws.clone();
    let (public, with_credentials) =
        tokio::join!(public_files(options, demand.clone(), patience), account(settings, aws, hints, &demand, patience));
    findings.extend(public);
    findings.extend(with_credentials);
    findings
}

/// What a cluster in this region would need, for want of nodes: something of every public file.
fn of_region(region: &str) -> Option<Demand> {
    const USUAL: &str = "m5.large";
    let region: Name = Some(region).filter(|region| !region.is_empty())?.into();
    let types = BTreeSet::from([Name::from(USUAL)]);
    let key = OnDemandKey { region: region.clone(), os: Os::Linux, tenancy: Tenancy::Shared };
    Some(Demand {
        on_demand: BTreeMap::from([(key, types.clone())]),
        spot: BTreeMap::from([((region.clone(), Os::Linux), types)]),
        eks: BTreeSet::from([region]),
        ..Demand::default()
    })
}

/// Whether answers can be kept for the next start, by keeping something.
async fn kept(dir: Option<&Path>) -> Finding {
    const CHECK: &str = "price cache";
    const LOST: &str = "prices of earlier runs: each start asks anew";
    let Some(dir) = dir else {
        return Finding::limited(CHECK, "there is no home directory to keep them in").lost(LOST);
    };
    let probe = dir.join(format!(".doctor-{}", std::process::id()));
    let tried = async {
        tokio::fs::create_dir_all(dir).await?;
        tokio::fs::write(&probe, b"").await?;
        tokio::fs::remove_file(&probe).await
    };
    match tried.await {
        Ok(()) => Finding::ok(CHECK, format!("in {}", dir.display())),
        Err(error) => Finding::limited(CHECK, format!("{} cannot be written: {error}", dir.display())).lost(LOST),
    }
}

/// What was heard of one public file.
#[derive(Default)]
struct Heard {
    state: Option<SourceState>,
    figures: usize,
    after: Duration,
}

/// Asks for every public file that the machines need, whatever the disk has of them.
async fn public_files(options: Options, demand: Demand, patience: Duration) -> Vec<Finding> {
    // An answer from the disk would tell nothing of the network, and AWS is asked apart, action by action.
    let nobody = AwsEnvironment::from_iter([("AWS_EC2_METADATA_DISABLED", "true")]);
    let aws = AwsOptions { environment: nobody, ..AwsOptions::default() };
    let options = Options { cache_dir: None, aws, cluster: None, ..options };
    let (sender, mut news) = mpsc::channel(32);
    let (_demand, demanded) = watch::channel(demand);
    let (began, cancel) = (Instant::now(), CancellationToken::new());
    let _tasks = start(options, demanded, sender, cancel.clone());
    let mut heard: BTreeMap<(PriceSource, Name), Heard> = BTreeMap::new();
    'asking: while let Ok(Some(batch)) = timeout_at(began + patience, news.recv()).await {
        for said in batch {
            match said {
                PriceNews::Sheet(sheet) => {
                    heard.entry((sheet.source, sheet.region)).or_default().figures += figures(&sheet.prices);
                }
                PriceNews::State { source, region, state } => {
                    let of = heard.entry((source, region)).or_default();
                    of.state = Some(state);
                    of.after = began.elapsed();
                }
                PriceNews::Settled => break 'asking,
                PriceNews::ClusterSupport { .. } => {}
            }
        }
    }
    cancel.cancel();
    heard
        .into_iter()
        .filter(|((source, _), _)| lost_without(*source).is_some())
        .map(|((source, region), heard)| public_file(source, &region, &heard, patience))
        .collect()
}

fn figures(prices: &Prices) -> usize {
    match prices {
        Prices::OnDemand { prices, .. } => prices.len(),
        Prices::Eks(eks) => {
            let one = [&eks.fargate_vcpu, &eks.fargate_gb, &eks.hybrid_vcpu, &eks.cluster, &eks.extended_support];
            eks.auto_fees.len() + eks.tiers.len() + one.iter().filter(|figure| figure.is_some()).count()
        }
        Prices::Spot(prices) => prices.len(),
        Prices::SpotSavings(savings) => savings.len(),
        Prices::Volumes(prices) => prices.len(),
    }
}

/// What is lost without a public file; none for a source that is no public file.
const fn lost_without(source: PriceSource) -> Option<&'static str> {
    match source {
        PriceSource::PricePage => Some("price changes since the built-in table, and newer instance types"),
        PriceSource::EksList => Some("Auto Mode's fees as published (they are computed), Fargate and hybrid nodes"),
        PriceSource::SpotFeed => Some("spot prices, unless DescribeSpotPriceHistory gives them"),
        PriceSource::SpotAdvisor => Some("spot savings where no spot price is known"),
        PriceSource::None
        | PriceSource::Label
        | PriceSource::PriceFile
        | PriceSource::Simulated
        | PriceSource::SpotHistory
        | PriceSource::GetProducts
        | PriceSource::Embedded
        | PriceSource::EmbeddedEstimate => None,
    }
}

fn public_file(source: PriceSource, region: &str, heard: &Heard, patience: Duration) -> Finding {
    let check = format!("{} {region}", source.name());
    let lost = lost_without(source).unwrap_or_default();
    let finding = match &heard.state {
        Some(SourceState::Answered { .. }) => {
            Finding::ok(check, format!("{}, in {}", counted(heard.figures, "figure"), millis(heard.after)))
                .fact("figures", heard.figures)
                .fact("took_ms", whole_millis(heard.after))
        }
        Some(SourceState::Off { why }) => Finding::skipped(check, why.as_str()),
        Some(SourceState::Failed { why, .. }) => Finding::limited(check, why.as_str()).lost(lost),
        Some(SourceState::Asking) | None => {
            Finding::limited(check, format!("no answer within {}", humantime::format_duration(patience))).lost(lost)
        }
    };
    finding.fact("source", source.name()).fact("region", region)
}

/// Who AWS takes us for, and whether it allows what the dashboard asks, by asking it.
async fn account(
    settings: &Settings,
    options: AwsOptions,
    hints: &AwsHints,
    demand: &Demand,
    patience: Duration,
) -> Vec<Finding> {
    const IDENTITY: &str = "AWS identity";
    let profile = options.profile.clone();
    let signs_in = |finding: Finding| match &profile {
        Some(profile) => finding.fact("profile", profile.as_str()),
        None => finding,
    };
    let aws = Aws::new(options);
    let identity = match within(patience, "sts:GetCallerIdentity", aws.identity()).await {
        Ok(identity) => Finding::ok(IDENTITY, identity.arn.as_str())
            .fact("account", identity.account.as_str())
            .fact("arn", identity.arn.as_str()),
        Err(error) => {
            let everything = "spot prices by zone, and prices that no public file has";
            let finding = match &error {
                AskError::NoCredentials { .. } => Finding::new(Verdict::Note, IDENTITY, in_words(&error)),
                AskError::Denied { .. }
                | AskError::Expired { .. }
                | AskError::Absent { .. }
                | AskError::Unavailable { .. }
                | AskError::Garbled { .. } => Finding::limited(IDENTITY, in_words(&error)),
            };
            return vec![signs_in(finding.lost(everything))];
        }
    };
    let on_demand = demand.on_demand.iter().find_map(|(key, types)| Some((key, types.first()?.clone())));
    let spot = async {
        let (region, os, one) = match (demand.spot.iter().next(), &on_demand) {
            (Some(((region, os), types)), _) => (region, *os, types.first()?.clone()),
            (None, Some((key, one))) => (&key.region, key.os, one.clone()),
            (None, None) => return None,
        };
        let types = BTreeSet::from([one]);
        let asked = aws.spot(region, os, &types);
        Some(allowed(&SPOT, &within(patience, SPOT.name, asked).await.map(|_| ())))
    };
    let products = async {
        let (key, one) = on_demand.clone()?;
        let types = BTreeSet::from([one]);
        let asked = aws.on_demand(key, &types);
        Some(allowed(&PRODUCTS, &within(patience, PRODUCTS.name, asked).await.map(|_| ())))
    };
    let cluster = async {
        if !settings.extra_costs.contains(&ExtraCost::ControlPlane) {
            return None;
        }
        let Some((name, region)) = hints.cluster.as_ref().zip(hints.region.as_ref()) else {
            let text = "not asked: the kubeconfig does not name the cluster and its region";
            return Some(Finding::skipped(CLUSTER.name, text).lost(CLUSTER.lost));
        };
        let asked = aws.cluster_support(region, name);
        Some(allowed(&CLUSTER, &within(patience, CLUSTER.name, asked).await.map(|_| ())))
    };
    let (spot, products, cluster) = tokio::join!(spot, products, cluster);
    [Some(signs_in(identity)), spot, products, cluster].into_iter().flatten().collect()
}

fn allowed(action: &Action, answer: &Result<(), AskError>) -> Finding {
    match answer {
        Ok(()) => Finding::ok(action.name, "allowed").fact("allowed", true),
        // AWS has looked: what was asked for is not there, which is no question of permission.
        Err(error @ AskError::Absent { .. }) => {
            Finding::new(Verdict::Note, action.name, in_words(error)).fact("allowed", true)
        }
        Err(error @ AskError::Denied { .. }) => Finding::limited(action.name, in_words(error))
            .lost(action.lost)
            .mend(format!("allow {} to this identity (--print-iam-policy prints the whole)", action.name))
            .fact("allowed", false),
        Err(error) => Finding::limited(action.name, in_words(error)).lost(action.lost),
    }
}

fn in_words(error: &AskError) -> String {
    format!("failed to {error}")
}

async fn within<T>(
    patience: Duration,
    what: &str,
    ask: impl Future<Output = Result<T, AskError>>,
) -> Result<T, AskError> {
    let answer = timeout(patience, ask).await;
    answer.unwrap_or_else(|_elapsed| {
        let why = format!("no answer within {}", humantime::format_duration(patience));
        Err(AskError::Unavailable { what: format!("an answer to {what}"), why })
    })
}
