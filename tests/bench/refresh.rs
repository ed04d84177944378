//! What a refresh of one region's prices costs: bytes on the wire, and CPU. `cargo bench --bench refresh` prints a table.
//!
//! The files are made up after AWS's, with as many entries as the real ones: every type of the region in the embedded
//! table, random SKUs. They come over loopback, packed and plain; CPU is that of the whole process, the server included.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that cannot go on fails, and it prints")]

#[path = "../suite/support/loopback.rs"]
mod loopback;
#[path = "../suite/support/price_server.rs"]
#[expect(dead_code, reason = "of the server, a part is used")]
mod price_server;

use nodeglass::model::Name;
use nodeglass::pricing::{Demand, OnDemandKey, Os, PriceNews, Tenancy};
use nodeglass::source::prices::{self, Endpoints, Options};
use price_server::{Answer, PriceServer, gzip};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

const REGION: &str = "ap-northeast-2";
const PAGE: &str = "/pricing/2.0/meteredUnitMaps/ec2/USD/current/ec2-ondemand-without-sec-sel/Asia%20Pacific%20(Seoul)/Linux/index.json";
const EKS: &str = "/offers/v1.0/aws/AmazonEKS/current/ap-northeast-2/index.json";
const FEED: &str = "/spot.json";

/// Types of the region and their prices, from the embedded table's source.
fn types() -> Vec<(&'static str, &'static str)> {
    let table = include_str!("../../assets/prices/ondemand.csv");
    let rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    rows.filter(|row| row[0] == REGION).map(|row| (row[1], row[2])).collect()
}

fn sku(random: &mut fastrand::Rng) -> String {
    (0..16).map(|_| random.char('A'..='Z')).collect()
}

fn page(random: &mut fastrand::Rng) -> Vec<u8> {
    let mut region = Map::new();
    for (name, price) in types() {
        let price: f64 = price.parse().unwrap();
        let offer = json!({
            "rateCode": format!("{}.JRTCKXETXF.6YS6EN2CT7", sku(random)), "price": format!("{price:.10}"),
            "Location": "Asia Pacific (Seoul)", "Instance Family": "General purpose",
            "vCPU": random.u8(1..96).to_string(), "Instance Type": name, "Memory": format!("{} GiB", random.u8(..)),
            "Storage": "EBS only", "Network Performance": "Up to 12.5 Gigabit", "Operating System": "Linux",
            "Pre Installed S/W": "NA", "License Model": "No License required",
        });
        region.insert(format!("{name} Linux NA No License required"), offer);
    }
    serde_json::to_vec(&json!({"manifest": {}, "sets": {}, "regions": {"Asia Pacific (Seoul)": region}})).unwrap()
}

fn eks(random: &mut fastrand::Rng) -> Vec<u8> {
    let (mut products, mut terms) = (Map::new(), Map::new());
    for (name, price) in types() {
        let (sku, price) = (sku(random), price.parse::<f64>().unwrap() * 0.12);
        let usage = format!("APN2-EKS-Auto:{name}-management-hours");
        products.insert(
            sku.clone(),
            json!({
                "sku": sku, "productFamily": "Compute",
                "attributes": {
                    "servicecode": "AmazonEKS", "location": "Asia Pacific (Seoul)", "locationType": "AWS Region",
                    "usagetype": usage, "operation": "EKSAutoUsage", "regionCode": REGION,
                    "servicename": "Amazon Elastic Container Service for Kubernetes", "eksproducttype": "AutoMode",
                    "instancetype": name,
                },
            }),
        );
        let term = format!("{sku}.JRTCKXETXF");
        let rate = format!("{term}.6YS6EN2CT7");
        terms.insert(sku.clone(), json!({ term.clone(): {
            "offerTermCode": "JRTCKXETXF", "sku": sku, "effectiveDate": "2026-11-01T00:00:00Z",
            "priceDimensions": { rate.clone(): {
                "rateCode": rate, "description": format!("${price:.5} per hour of EKS Auto Mode management of {name}"),
                "beginRange": "0", "endRange": "Inf", "unit": "hours", "pricePerUnit": {"USD": format!("{price:.10}")},
                "appliesTo": [],
            }},
            "termAttributes": {},
        }}));
    }
    // AWS writes these for people as well.
    serde_json::to_vec_pretty(&json!({
        "formatVersion": "v1.0", "offerCode": "AmazonEKS", "products": products, "terms": {"OnDemand": terms},
    }))
    .unwrap()
}

/// Thirty regions with the same types.
fn feed(random: &mut fastrand::Rng) -> Vec<u8> {
    let regions: Vec<Value> = (0..30)
        .map(|number| {
            let mut price = |share: f64, price: &str| {
                format!("{:.4}", price.parse::<f64>().unwrap() * share * (0.5 + random.f64()))
            };
            let sizes: Vec<Value> = types()
                .iter()
                .map(|(name, of)| {
                    json!({"size": name, "valueColumns": [
                        {"name": "linux", "prices": {"USD": price(0.4, of)}},
                        {"name": "mswin", "prices": {"USD": price(0.7, of)}},
                    ]})
                })
                .collect();
            let region = if number == 0 { REGION.to_owned() } else { format!("eu-test-{number}") };
            json!({"region": region, "instanceTypes": [{"type": "all", "sizes": sizes}]})
        })
        .collect();
    serde_json::to_vec(&json!({"config": {"rate": "perhr", "regions": regions}})).unwrap()
}

/// CPU time of this process, the server's share included. Only measured on Linux; 0 elsewhere.
fn cpu() -> Duration {
    let mut nanos = 0;
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let stat = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        nanos += stat.split(' ').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    }
    Duration::from_nanos(nanos)
}

/// Runs until everything is settled; wall and CPU time, of the program and of the server together.
async fn refresh(options: &Options, demand: &Demand) -> (Duration, Duration) {
    let (sender, mut news) = mpsc::channel(64);
    let (_demand, needed) = watch::channel(demand.clone());
    let (begun, before) = (Instant::now(), cpu());
    let mut tasks = prices::start(options.clone(), needed, sender, CancellationToken::new());
    while !news.recv().await.unwrap().contains(&PriceNews::Settled) {}
    let spent = (begun.elapsed(), cpu().saturating_sub(before));
    tasks.shutdown().await;
    spent
}

async fn measure(what: &str, path: &str, body: &[u8], demand: &Demand) {
    let packed = gzip(body);
    for (how, answer, bytes) in
        [("packed", Answer::packed(body), packed.len()), ("plain", Answer::file(body), body.len())]
    {
        let server = PriceServer::start().await;
        server.on(path, [answer.header("etag", "\"1\"")]);
        let dir = tempfile::tempdir().unwrap();
        let address = server.address.clone();
        let named = ["PRICE_PAGE_URL", "PRICE_LIST_URL", "SPOT_FEED_URL", "SPOT_ADVISOR_URL"];
        let mut options = Options {
            cache_dir: Some(dir.path().join("prices")),
            endpoints: Endpoints::from_environment(&|name| named.contains(&name).then(|| address.clone())),
            ..Options::default()
        };
        let mut line = format!("{what:<12} {how:<7} {bytes:>9} bytes");
        // From the network; from the disk; confirmed by the network, a day later.
        for (step, hours) in [("fetched", 0), ("from disk", 0), ("confirmed", 24)] {
            options.clock = nodeglass::model::Clock::new(move || {
                nodeglass::model::Timestamp::now() + Duration::from_secs(hours * 3600)
            });
            let (wall, cpu) = refresh(&options, demand).await;
            let _ =
                write!(line, "   {step} {:>5.1} ms, CPU {:>5.1} ms", wall.as_secs_f64() * 1e3, cpu.as_secs_f64() * 1e3);
        }
        let kept: u64 =
            std::fs::read_dir(dir.path().join("prices")).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
        println!("{line}   on disk {kept} bytes");
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let random = &mut fastrand::Rng::with_seed(1);
    let types: BTreeSet<Name> = BTreeSet::from(["c5a.large".into()]);
    let key = OnDemandKey { region: REGION.into(), os: Os::Linux, tenancy: Tenancy::Shared };
    let on_demand = Demand { on_demand: BTreeMap::from([(key, types.clone())]), ..Demand::default() };
    let of_eks = Demand { eks: BTreeSet::from([REGION.into()]), ..Demand::default() };
    let spot = Demand { spot: BTreeMap::from([((REGION.into(), Os::Linux), types)]), ..Demand::default() };
    let files = [
        ("price page", PAGE, page(random), on_demand),
        ("EKS list", EKS, eks(random), of_eks),
        ("spot feed", FEED, feed(random), spot),
    ];
    for (what, path, body, demand) in &files {
        runtime.block_on(measure(what, path, body, demand));
    }
}
