//! What the two hot paths cost: folding a change, and drawing a frame. `cargo bench` prints medians with their spread.
//!
//! The input is the simulated fleet: 5,000 nodes and their pods, and 50 nodes to show that a frame costs the same.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use nodeglass::cluster::Cluster;
use nodeglass::insight::{CostHistory, Filter, GroupBy, PendingByCause, Sort, View, alerts};
use nodeglass::model::{Change, Timestamp};
use nodeglass::pricing::PriceBook;
use nodeglass::source::demo::{Fleet, Options};
use nodeglass::ui::{self, Picture, UiOptions, UiState};
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
                let alerts = alerts(&cluster, start());
                let picture = Picture {
                    cluster: &cluster,
                    view: &view,
                    ui: &ui,
                    alerts: &alerts,
                    pending: &pending,
                    history: &history,
                    now: start(),
                    offset_seconds: 0,
                };
                black_box(ui::draw(&mut buf, area, &picture))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, fold, frame);
criterion_main!(benches);
