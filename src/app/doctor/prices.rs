//! Checks of the price file and discounts, the public price files, and AWS permissions: with the requests of the
//! dashboard, for the regions of the cluster's nodes.

use super::cluster::{counted, millis, whole_millis};
use super::report::{Finding, Verdict};
use crate::app::prices::{self, terms};
use crate::cli::{ExtraCost, Pricing, Settings};
use crate::cluster::{Cluster, UnmatchedTerm};
use crate::model::Name;
use crate::pricing::{Demand, OnDemandKey, Os, PriceNews, PriceSource, Prices, SourceState, Tenancy};
use crate::source::live::AwsHints;
use crate::source::prices::{AskError, Aws, AwsCall, AwsEnvironment, AwsOptions, ClusterId, Options, start};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// An IAM action of a request to AWS.
struct Action {
    name: &'static str,
    /// What the dashboard lacks without it.
    impact: &'static str,
    /// The only extra cost that needs it; `None` if prices of nodes need it.
    only_for: Option<ExtraCost>,
}

const SPOT: Action = Action {
    name: "ec2:DescribeSpotPriceHistory",
    impact: "spot prices by zone; those of the region are used instead",
    only_for: None,
};
const PRODUCTS: Action = Action {
    name: "pricing:GetProducts",
    impact: "prices of Windows, of dedicated instances, and of types that no public file has",
    only_for: None,
};
const CLUSTER: Action = Action {
    name: "eks:DescribeCluster",
    impact: "support type and tier of the control plane",
    only_for: Some(ExtraCost::ControlPlane),
};
const VERSIONS: Action = Action {
    name: "eks:DescribeClusterVersions",
    impact: "whether the cluster's version is in standard or extended support",
    only_for: Some(ExtraCost::ControlPlane),
};
const ACTIONS: [&Action; 4] = [&SPOT, &PRODUCTS, &CLUSTER, &VERSIONS];

/// The minimal IAM policy for these settings.
pub(super) fn iam_policy(settings: &Settings) -> String {
    let needed = |action: &&&Action| action.only_for.is_none_or(|cost| settings.extra_costs.contains(&cost));
    let actions: Vec<&str> = ACTIONS.iter().filter(needed).map(|action| action.name).collect();
    // The keys are in the order of AWS's examples; the names need no escaping.
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {{\"Effect\": \"Allow\", \"Action\": {}, \"Resource\": \
         \"*\"}}\n  ]\n}}\n",
        json!(actions)
    )
}

/// The price file and the discount rules, and those that match no node, if nodes are known.
pub(super) fn price_terms(settings: &Settings, cluster: Option<&Cluster>) -> Vec<Finding> {
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

/// The price cache, the public price files, and AWS.
pub(super) async fn sources(
    settings: &Settings,
    hints: &AwsHints,
    cluster: Option<&Cluster>,
    timeout_after: Duration,
) -> Vec<Finding> {
    let Some(options) = prices::options(settings, hints) else {
        return vec![Finding::skipped("pricing", "switched off")];
    };
    let mut findings = vec![cache(options.cache_dir.as_deref()).await];
    if settings.pricing == Pricing::Offline {
        findings.push(Finding::skipped("sources", "not checked: pricing is offline"));
        return findings;
    }
    let demand = cluster.map(Cluster::demand).filter(|demand| !demand.is_empty());
    let Some(demand) = demand.or_else(|| example_demand(hints.region.as_deref()?)) else {
        findings.push(Finding::skipped("sources", "not checked: neither a node nor the kubeconfig names a region"));
        return findings;
    };
    let aws = options.aws.clone();
    let (public, with_credentials) = tokio::join!(
        public_files(options, demand.clone(), timeout_after),
        account(settings, aws, hints, &demand, timeout_after)
    );
    findings.extend(public);
    findings.extend(with_credentials);
    findings
}

/// The demand of a cluster without nodes: an example that needs every public file of the region.
fn example_demand(region: &str) -> Option<Demand> {
    const EXAMPLE: &str = "m5.large";
    let region: Name = Some(region).filter(|region| !region.is_empty())?.into();
    let types = BTreeSet::from([Name::from(EXAMPLE)]);
    let key = OnDemandKey { region: region.clone(), os: Os::Linux, tenancy: Tenancy::Shared };
    Some(Demand {
        on_demand: BTreeMap::from([(key, types.clone())]),
        spot: BTreeMap::from([((region.clone(), Os::Linux), types)]),
        eks: BTreeSet::from([region]),
        ..Demand::default()
    })
}

/// Whether the price cache is writable, by writing a file.
async fn cache(dir: Option<&Path>) -> Finding {
    const CHECK: &str = "price cache";
    const IMPACT: &str = "prices of earlier runs; each start downloads them again";
    let Some(dir) = dir else {
        return Finding::limited(CHECK, "no home directory").impact(IMPACT);
    };
    let probe = dir.join(format!(".doctor-{}", std::process::id()));
    let tried = async {
        tokio::fs::create_dir_all(dir).await?;
        tokio::fs::write(&probe, b"").await?;
        tokio::fs::remove_file(&probe).await
    };
    match tried.await {
        Ok(()) => Finding::ok(CHECK, format!("in {}", dir.display())),
        Err(error) => Finding::limited(CHECK, format!("cannot write to {}: {error}", dir.display())).impact(IMPACT),
    }
}

/// The answer of a public price file.
#[derive(Default)]
struct FileAnswer {
    state: Option<SourceState>,
    figures: usize,
    after: Duration,
}

/// Downloads every public file that the nodes need, without the price cache.
async fn public_files(options: Options, demand: Demand, timeout_after: Duration) -> Vec<Finding> {
    // No cache, to test the network; no AWS credentials, because `account` tests AWS action by action.
    let anonymous = AwsEnvironment::from_iter([("AWS_EC2_METADATA_DISABLED", "true")]);
    let aws = AwsOptions { environment: anonymous, ..AwsOptions::default() };
    let options = Options { cache_dir: None, aws, cluster: None, ..options };
    let (sender, mut news) = mpsc::channel(32);
    let (_demand, demanded) = watch::channel(demand);
    let (began, cancel) = (Instant::now(), CancellationToken::new());
    let _tasks = start(options, demanded, sender, cancel.clone());
    let mut answers: BTreeMap<(PriceSource, Name), FileAnswer> = BTreeMap::new();
    'asking: while let Ok(Some(batch)) = timeout_at(began + timeout_after, news.recv()).await {
        for news in batch {
            match news {
                PriceNews::Sheet(sheet) => {
                    answers.entry((sheet.source, sheet.region)).or_default().figures += figures(&sheet.prices);
                }
                PriceNews::State { source, region, state } => {
                    let answer = answers.entry((source, region)).or_default();
                    answer.state = Some(state);
                    answer.after = began.elapsed();
                }
                PriceNews::Settled => break 'asking,
                PriceNews::ClusterSupport { .. } => {}
            }
        }
    }
    cancel.cancel();
    answers
        .into_iter()
        .filter(|((source, _), _)| impact_without(*source).is_some())
        .map(|((source, region), answer)| public_file(source, &region, &answer, timeout_after))
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

/// What the dashboard lacks without a public file; `None` for a source that is not a public file.
const fn impact_without(source: PriceSource) -> Option<&'static str> {
    match source {
        PriceSource::PricePage => Some("price changes since the built-in table, and newer instance types"),
        PriceSource::EksList => Some("published Auto Mode fees (computed instead), prices of Fargate and hybrid nodes"),
        PriceSource::SpotFeed => Some("spot prices, unless DescribeSpotPriceHistory is allowed"),
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

fn public_file(source: PriceSource, region: &str, answer: &FileAnswer, timeout_after: Duration) -> Finding {
    let check = format!("{} {region}", source.name());
    let impact = impact_without(source).unwrap_or_default();
    let finding = match &answer.state {
        Some(SourceState::Answered { .. }) => {
            Finding::ok(check, format!("{}, in {}", counted(answer.figures, "price"), millis(answer.after)))
                .fact("figures", answer.figures)
                .fact("took_ms", whole_millis(answer.after))
        }
        Some(SourceState::Off { why }) => Finding::skipped(check, why.as_str()),
        Some(SourceState::Failed { why, .. }) => Finding::limited(check, why.as_str()).impact(impact),
        Some(SourceState::Asking) | None => {
            Finding::limited(check, format!("no answer within {}", humantime::format_duration(timeout_after)))
                .impact(impact)
        }
    };
    finding.fact("source", source.name()).fact("region", region)
}

/// The AWS identity, and whether it is allowed each request of the dashboard, by sending it.
async fn account(
    settings: &Settings,
    options: AwsOptions,
    hints: &AwsHints,
    demand: &Demand,
    timeout_after: Duration,
) -> Vec<Finding> {
    const IDENTITY: &str = "AWS identity";
    let profile = options.profile.clone();
    let with_profile = |finding: Finding| match &profile {
        Some(profile) => finding.fact("profile", profile.as_str()),
        None => finding,
    };
    let aws = Aws::new(options);
    let identity = match within(timeout_after, "sts:GetCallerIdentity", aws.identity()).await {
        Ok(identity) => Finding::ok(IDENTITY, identity.arn.as_str())
            .fact("account", identity.account.as_str())
            .fact("arn", identity.arn.as_str()),
        Err(error) => {
            let impact = "spot prices by zone, and prices that no public file has";
            let finding = match &error {
                AskError::NoCredentials { .. } => Finding::new(Verdict::Note, IDENTITY, error_text(&error)),
                AskError::Denied { .. }
                | AskError::Expired { .. }
                | AskError::Absent { .. }
                | AskError::Unavailable { .. }
                | AskError::Garbled { .. } => Finding::limited(IDENTITY, error_text(&error)),
            };
            return vec![with_profile(finding.impact(impact))];
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
        let call = AwsCall::SpotHistory { region: region.clone(), os };
        let request = aws.ask(&call, &types);
        Some(allowed(&SPOT, &within(timeout_after, SPOT.name, request).await.map(|_| ())))
    };
    let products = async {
        let (key, one) = on_demand.clone()?;
        let types = BTreeSet::from([one]);
        let call = AwsCall::OnDemand(key.clone());
        let request = aws.ask(&call, &types);
        Some(allowed(&PRODUCTS, &within(timeout_after, PRODUCTS.name, request).await.map(|_| ())))
    };
    let cluster = async {
        if !settings.extra_costs.contains(&ExtraCost::ControlPlane) {
            return None;
        }
        let Some((name, region)) = hints.cluster.as_ref().zip(hints.region.as_ref()) else {
            let text = "not checked: the kubeconfig does not name the cluster and its region";
            return Some(Finding::skipped(CLUSTER.name, text).impact(CLUSTER.impact));
        };
        let call = AwsCall::Cluster(ClusterId { region: region.into(), name: name.into() });
        let types = BTreeSet::new();
        let request = aws.ask(&call, &types);
        Some(allowed(&CLUSTER, &within(timeout_after, CLUSTER.name, request).await.map(|_| ())))
    };
    let (spot, products, cluster) = tokio::join!(spot, products, cluster);
    [Some(with_profile(identity)), spot, products, cluster].into_iter().flatten().collect()
}

fn allowed(action: &Action, answer: &Result<(), AskError>) -> Finding {
    match answer {
        Ok(()) => Finding::ok(action.name, "allowed").fact("allowed", true),
        // AWS allowed the request; the resource does not exist.
        Err(error @ AskError::Absent { .. }) => {
            Finding::new(Verdict::Note, action.name, error_text(error)).fact("allowed", true)
        }
        Err(error @ AskError::Denied { .. }) => Finding::limited(action.name, error_text(error))
            .impact(action.impact)
            .fix(format!("allow {} to this identity (--print-iam-policy prints the full policy)", action.name))
            .fact("allowed", false),
        Err(error) => Finding::limited(action.name, error_text(error)).impact(action.impact),
    }
}

fn error_text(error: &AskError) -> String {
    format!("failed to {error}")
}

async fn within<T>(
    timeout_after: Duration,
    what: &str,
    ask: impl Future<Output = Result<T, AskError>>,
) -> Result<T, AskError> {
    let answer = timeout(timeout_after, ask).await;
    answer.unwrap_or_else(|_elapsed| {
        let why = format!("no answer within {}", humantime::format_duration(timeout_after));
        Err(AskError::Unavailable { what: format!("an answer to {what}"), why })
    })
}
