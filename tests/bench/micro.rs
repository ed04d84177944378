//! What the hot paths cost: folding a change, drawing a frame, pricing every row again. `cargo bench` prints medians with their spread.
//!
//! The input is the simulated fleet: 5,000 nodes and their pods, and 50 nodes to show that a frame costs the same.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use nodeglass::cluster::Cluster;
use nodeglass::insight::{CostHistory, Filter, GroupBy, PendingByCause, Sort, View, alerts};
use nodeglass::model::{Change, Timestamp};
use nodeglass::pricing::PriceBook;
use nodeglass::source::demo::{self, Fleet, Options};
use nodeglass::ui::{self, Scene, UiOptions, UiState};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::hint::black_box;

fn start() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap_or_default()
}

fn fleet(nodes: usize) -> Vec<Change> {
    Fleet::new(Options { seed: 1, nodes: Some(nodes), ..Options::default() }, start()).step(start())
}

fn folded(changes: &[Change]) -> Cluster {
    let mut cluster = Cluster::new(Some(PriceBook::embedded()));
    for change in changes {
        cluster.apply(change.clone(), start());
    }
    cluster
}

fn fold(c: &mut Criterion) {
    let changes = fleet(5_000);
    let pods: Vec<Change> = changes.iter().filter(|c| matches!(c, Change::Pod(_))).cloned().collect();
    let mut group = c.benchmark_group("fold");
    group.sample_size(10).throughput(Throughput::Elements(pods.len() as u64));
    group.bench_function("pods of a first list", |b| {
        b.iter_batched(
            || (Cluster::new(Some(PriceBook::embedded())), pods.clone()),
            |(mut cluster, pods)| {
                for pod in pods {
                    black_box(cluster.apply(pod, start()));
                }
                cluster
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("pods read again", |b| {
        b.iter_batched(
            || (folded(&changes), pods.clone()),
            |(mut cluster, pods)| {
                for pod in pods {
                    black_box(cluster.apply(pod, start()));
                }
                cluster
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn frame(c: &mut Criterion) {
    let mut group = c.benchmark_group("frame 200x60");
    for nodes in [50, 5_000] {
        let mut cluster = folded(&fleet(nodes));
        let mut view = View::new(Filter::default(), Sort::default(), GroupBy::default());
        view.refresh(&mut cluster);
        let ui = UiState::new(UiOptions::default());
        let mut pending = PendingByCause::default();
        pending.refresh(&cluster);
        let history = CostHistory::default();
        let area = Rect::new(0, 0, 200, 60);
        let mut buf = Buffer::empty(area);
        group.bench_function(format!("{nodes} nodes"), |b| {
            b.iter(|| {
                let alerts = alerts(&cluster, &pending, start());
                let input = Scene {
                    cluster: &cluster,
                    view: &view,
                    ui: &ui,
                    alerts: &alerts,
                    pending: &pending,
                    history: &history,
                    now: start(),
                    offset_seconds: 0,
                };
                black_box(ui::draw(&mut buf, area, &input))
            });
        });
    }
    group.finish();
}

/// A better price for every spot node, so that every row is priced again; and what is needed, asked anew.
fn prices(c: &mut Criterion) {
    let mut cluster = folded(&fleet(5_000));
    let mut group = c.benchmark_group("prices of 5,000 nodes");
    let mut day = 0;
    group.bench_function("all rows priced again", |b| {
        b.iter(|| {
            day += 1;
            let later = Timestamp::from_second(start().as_second() + day).unwrap_or_default();
            black_box(cluster.learn(demo::prices(later)));
            while cluster.has_rows_to_quote() {
                black_box(cluster.quote_rows());
            }
        });
    });
    group.bench_function("one turn of it", |b| {
        b.iter(|| {
            day += 1;
            let later = Timestamp::from_second(start().as_second() + day).unwrap_or_default();
            black_box(cluster.learn(demo::prices(later)))
        });
    });
    group.bench_function("what is needed", |b| b.iter(|| black_box(cluster.demand())));
    group.finish();
}

criterion_group!(benches, fold, frame, prices);
criterion_main!(benches);
