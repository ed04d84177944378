//! The main loop with a scripted environment, on a paused clock.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::alloc::allocations;
use crate::support::build::{self, Added};
use crate::support::fakes::{Call, Play, Step, ctrl, key, pause, press, then};
use crate::support::stage::{afternoon, plain};
use nodeglass::app::{GAP, SignalAction};
use nodeglass::cluster::Cluster;
use nodeglass::model::{Change, LinkState, Resource, Stream};
use nodeglass::source::live::{Connection, Interest};
use nodeglass::source::{demo, scenario, sim};
use nodeglass::ui::UiOptions;
use ratatui::crossterm::event::{Event, KeyCode, KeyModifiers, MouseEvent, MouseEventKind};
use std::cell::Cell;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const MS: Duration = Duration::from_millis(1);

/// A number of nodes, each with a pod, all years old.
fn fleet(nodes: usize) -> Vec<Change> {
    let live = [Stream::Nodes, Stream::Pods, Stream::Events, Stream::NodeClaims, Stream::NodePools]
        .map(|stream| Change::Link(stream, LinkState::Live));
    let rows = (0..nodes).flat_map(|i| {
        let name = format!("i-{i:05}");
        [build::node(&name).added(), build::pod(&format!("web-{i}"), &name).added()]
    });
    rows.chain(live).collect()
}

/// The gaps between frames.
fn gaps(frames: &[(Duration, String)]) -> impl Iterator<Item = Duration> {
    frames.windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].0))
}

#[tokio::test(start_paused = true)]
async fn first_frame_needs_no_network() {
    let mut play = Play::new();
    let drawn = Rc::new(Cell::new(0));
    let (record, seen) = (play.record.clone(), Rc::clone(&drawn));
    // The source sends nothing.
    play.run_starting([pause(50), key('q')], move || seen.set(record.frames().len())).await.unwrap();
    assert_eq!(drawn.get(), 1, "the source starts when the first frame is on the screen");
    let frames = play.record.frames();
    assert_eq!(frames[0].0, Duration::ZERO);
    assert!(frames[0].1.contains("Connecting"), "{}", frames[0].1);
}

#[tokio::test(start_paused = true)]
async fn burst_of_changes_draws_once() {
    let mut play = Play::new();
    let burst: Vec<Step> = fleet(300).chunks(5).map(|batch| play.feed.later(batch.to_vec())).collect();
    let script = std::iter::once(pause(1000)).chain(burst).chain([pause(200), key('q')]);
    play.run(script).await.unwrap();
    let after: Vec<_> = play.record.frames().into_iter().filter(|(at, _)| *at >= 1000 * MS).collect();
    assert_eq!(after.len(), 1, "120 batches, one frame");
    assert!(after[0].0 <= 1000 * MS + GAP);
    assert!(after[0].1.contains("300"), "{}", after[0].1);
}

#[tokio::test(start_paused = true)]
async fn idle_draws_nothing() {
    let mut play = Play::new();
    play.feed.send(fleet(20));
    play.run([pause(3_600_000), key('q')]).await.unwrap();
    let frames = play.record.frames();
    // The clock shows minutes while no other text shows seconds.
    assert!(frames.len() <= 2 + 61, "{} frames in an hour", frames.len());
    for pair in frames.windows(2) {
        assert!(pair[0].1 != pair[1].1, "drawn at {:?}, nothing changed:\n{}", pair[1].0, pair[1].1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_age_in_seconds_is_one_frame_a_second() {
    let mut play = Play::new();
    let mut node = build::node("i-new");
    node.created = afternoon();
    play.feed.send([Change::Link(Stream::Nodes, LinkState::Live), node.added()]);
    play.run([pause(30_000), key('q')]).await.unwrap();
    let frames = play.record.frames();
    assert!((20..=33).contains(&frames.len()), "{} frames in half a minute", frames.len());
    let last = &frames.last().unwrap().1;
    assert!(last.contains(" 29s") || last.contains(" 30s"), "{last}");
}

#[tokio::test(start_paused = true)]
async fn input_that_means_nothing_draws_nothing() {
    let mut play = Play::new();
    play.feed.send(fleet(2));
    let moved = |x| {
        let kind = MouseEventKind::Moved;
        Step::Input(Event::Mouse(MouseEvent { kind, column: x, row: 5, modifiers: KeyModifiers::NONE }))
    };
    let wander = (0..50).flat_map(|x| [moved(x), pause(100)]);
    let script = std::iter::once(pause(100)).chain(wander).chain([key('@'), Step::Input(Event::FocusLost), key('q')]);
    play.run(script).await.unwrap();
    assert_eq!(play.record.frames().len(), 2, "the first, and the fleet");
}

#[tokio::test(start_paused = true)]
async fn resize_storm_keeps_the_frame_cap() {
    let mut play = Play::new();
    play.feed.send(fleet(20));
    let mut script = vec![pause(1000)];
    for i in 0_u16..2000 {
        let (width, height) = (40 + i % 100, 5 + i % 50);
        let record = play.record.clone();
        script.extend([
            then(move || record.resize(width, height)),
            Step::Input(Event::Resize(width, height)),
            pause(1),
        ]);
    }
    script.extend([pause(60_000), key('q')]);
    play.run(script).await.unwrap();
    let frames = play.record.frames();
    assert!(gaps(&frames).all(|gap| gap >= GAP), "two frames are closer than {GAP:?}");
    let storm = frames.iter().filter(|(at, _)| (1000 * MS..3100 * MS).contains(at)).count();
    assert!((50..=64).contains(&storm), "{storm} frames in a storm of two seconds");
    let after = frames.iter().filter(|(at, _)| *at > 3100 * MS).count();
    assert!(after <= 2, "no timer is left behind, but {after} frames were drawn in the minute after");
}

// Not on the paused clock, which moves only when nothing is ready.
#[tokio::test]
async fn input_that_never_stops_does_not_keep_frames_from_being_drawn() {
    let mut play = Play::new();
    let (record, begun) = (play.record.clone(), Instant::now());
    let drawn = move || {
        assert!(begun.elapsed() < Duration::from_secs(30), "no frame while events come in");
        record.frames().len() >= 4
    };
    play.run([Step::Flood(Event::Resize(120, 40), Box::new(drawn)), key('q')]).await.unwrap();
}

/// A source that sends changes endlessly, as fast as they are received.
fn flood(play: &mut Play) {
    let sender = play.feed.sender();
    play.tasks.spawn(async move {
        for i in 0_u64.. {
            let mut pod = build::pod("busy", "i-00001");
            pod.requests.cpu_millicores = i % 1000;
            if sender.send(vec![pod.added(); 20]).await.is_err() {
                return;
            }
            tokio::time::advance(Duration::from_micros(100)).await;
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_key_is_answered_within_a_frame_while_changes_never_stop() {
    let mut play = Play::new();
    play.feed.send(fleet(50));
    flood(&mut play);
    play.run([pause(1000), key('?'), pause(500), key('q'), pause(60_000)]).await.unwrap();
    let frames = play.record.frames();
    let answered = play.record.shown("suspend; fg resumes").unwrap();
    assert!(answered >= 1000 * MS && answered <= 1000 * MS + GAP + 2 * MS, "answered at {answered:?}");
    assert!(gaps(&frames).all(|gap| gap >= GAP), "the flood does not lift the cap");
    assert!(frames.last().unwrap().0 < 1600 * MS, "it quits on request");
}

#[tokio::test(start_paused = true)]
async fn input_works_while_a_request_hangs() {
    let mut play = Play::new();
    play.tasks.spawn(std::future::pending());
    play.feed.send([Change::Link(Stream::Nodes, LinkState::Connecting)]);
    play.run([pause(5000), key('?'), pause(100), press(KeyCode::Esc), pause(100), key('q')]).await.unwrap();
    let answered = play.record.shown("suspend; fg resumes").unwrap();
    assert!(answered <= 5000 * MS + GAP, "answered at {answered:?}");
    assert!(!play.record.last().contains("suspend; fg resumes"), "esc closes the help");
}

/// The batches of an initial list.
fn sync() -> Vec<Vec<Change>> {
    let link = |stream, state| vec![Change::Link(stream, state)];
    let mut batches: Vec<Vec<Change>> =
        Stream::ALL.into_iter().map(|stream| link(stream, LinkState::Connecting)).collect();
    batches.push(vec![Change::Resync(Stream::Nodes)]);
    batches.extend(fleet(6).chunks(4).map(<[Change]>::to_vec));
    batches.push(vec![Change::Synced(Stream::Nodes)]);
    batches.push(link(Stream::Pods, LinkState::Denied { message: "pods is forbidden".into() }));
    batches.push(link(Stream::Nodes, LinkState::Live));
    batches
}

#[tokio::test(start_paused = true)]
async fn quit_during_sync_is_clean() {
    for moment in 0..=sync().len() {
        for quit in [key('q'), ctrl('c')] {
            let mut play = Play::new();
            let cancel = play.feed.cancel.clone();
            let ended = cancel.clone();
            play.tasks.spawn(async move { ended.cancelled().await });
            let mut script: Vec<Step> = sync().into_iter().take(moment).map(|batch| play.feed.later(batch)).collect();
            script.push(quit);
            // Whatever comes after the quit is never looked at.
            script.push(then(|| panic!("the program goes on after it was ended")));
            play.run(script).await.unwrap();
            assert!(cancel.is_cancelled(), "the source is cancelled, after {moment} batches");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_state_stays_when_the_source_ends() {
    let mut play = Play::new();
    play.feed.send(fleet(3));
    // Its only sender goes.
    play.feed = Play::new().feed;
    play.run([pause(10_000), key('?'), pause(100), press(KeyCode::Esc), pause(100), key('q')]).await.unwrap();
    assert!(play.record.last().contains("i-00002"), "the state stays");
    assert!(play.record.shown("suspend; fg resumes").is_some(), "it still answers");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_ends_the_program_with_its_name() {
    let mut play = Play::new();
    let cancel = play.feed.cancel.clone();
    play.tasks.spawn(std::future::pending());
    play.tasks.spawn(async {
        tokio::time::sleep(500 * MS).await;
        std::panic::panic_any("the wheels came off");
    });
    let ended = play.run([pause(60_000), key('q')]).await;
    assert!(format!("{:#}", ended.unwrap_err()).contains("failed to continue: a task"));
    assert!(cancel.is_cancelled(), "the other tasks are cancelled");
    assert!(play.record.calls().iter().all(|(at, _)| *at <= 500 * MS), "nothing is drawn afterwards");
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_fails_ends_the_program() {
    let mut play = Play::new();
    let record = play.record.clone();
    let cancel = play.feed.cancel.clone();
    let script = [pause(100), then(move || record.break_with(io::ErrorKind::BrokenPipe)), key('?'), pause(60_000)];
    assert!(play.run(script).await.is_err());
    assert!(cancel.is_cancelled(), "the source ends whatever ends the program");
    let mut play = Play::new();
    let ended = play.run([pause(100), Step::Broken(io::ErrorKind::Other.into()), pause(60_000)]).await;
    assert!(format!("{:#}", ended.unwrap_err()).starts_with("failed to read from the terminal"));
    assert!(Play::new().run([pause(100)]).await.is_ok(), "the end of the input is the end");
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_terminal_that_hangs_up_ends_the_program_as_its_signal_does() {
    const EIO: i32 = 5;
    let hung_up = Step::Broken(io::Error::from_raw_os_error(EIO));
    assert!(Play::new().run([pause(100), hung_up, pause(60_000)]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn signals_end_suspend_and_repaint() {
    let mut play = Play::new();
    let script = [
        pause(100),
        play.signal(SignalAction::Suspend),
        pause(1000),
        play.signal(SignalAction::Repaint),
        pause(1000),
        ctrl('z'),
        pause(1000),
        play.signal(SignalAction::Quit),
        pause(1000),
        then(|| panic!("the program goes on after it was ended")),
    ];
    play.run(script).await.unwrap();
    let calls: Vec<(Duration, Call)> = play.record.calls().into_iter().filter(|(at, _)| *at >= 100 * MS).collect();
    let screen_calls: Vec<&Call> =
        calls.iter().map(|(_, call)| call).filter(|call| !matches!(call, Call::Draw(_))).collect();
    assert_eq!(screen_calls, [&Call::Suspend, &Call::Repaint, &Call::Suspend]);
    // Each is followed by a frame at once: the terminal shows anything.
    for (i, (at, call)) in calls.iter().enumerate() {
        if !matches!(call, Call::Draw(_)) {
            assert!(
                matches!(&calls[i + 1], (drawn, Call::Draw(_)) if *drawn <= *at + GAP),
                "{call:?} is not drawn over"
            );
        }
    }
    assert!(calls.last().unwrap().0 < 3200 * MS);
}

#[tokio::test(start_paused = true)]
async fn copying_goes_to_the_screen_as_asked() {
    let mut play = Play::new();
    play.feed.send(fleet(3));
    play.run([pause(100), press(KeyCode::Down), key('y'), key('Y'), pause(100), key('q')]).await.unwrap();
    let copied: Vec<Call> =
        play.record.calls().into_iter().map(|(_, call)| call).filter(|call| matches!(call, Call::Copy(_))).collect();
    assert_eq!(copied, [Call::Copy("i-00001".into()), Call::Copy("i-i-00001".into())]);
    assert!(play.record.last().contains("copied i-i-00001"), "{}", play.record.last());
}

#[tokio::test(start_paused = true)]
async fn unknown_resource_name_is_reported() {
    let resources = vec![Resource::Cpu, Resource::from_name("nvidia.com/gpus")];
    let mut play = Play::with(Cluster::new(None), UiOptions { resources, ..plain() });
    let nodes = [Change::Resync(Stream::Nodes)].into_iter().chain(fleet(2)).chain([Change::Synced(Stream::Nodes)]);
    play.feed.send(nodes.collect::<Vec<_>>());
    play.run([pause(2000), pause(60_000), key('q')]).await.unwrap();
    let notice = "no node has nvidia.com/gpus; they have cpu, memory";
    assert!(play.record.shown(notice).is_some(), "{}", play.record.last());
    assert!(!play.record.last().contains(notice), "it is shown once");
}

#[tokio::test(start_paused = true)]
async fn pod_metrics_are_polled_while_a_node_is_open() {
    let mut play = Play::new();
    play.feed.send(fleet(3));
    let interest = play.feed.interest.clone();
    let seen = Rc::new(Cell::new((Interest::default(), Interest::default())));
    let (open, closed) = (Rc::clone(&seen), Rc::clone(&seen));
    let (in_detail, after) = (interest.clone(), interest);
    let script = [
        pause(100),
        press(KeyCode::Enter),
        pause(100),
        then(move || open.set((*in_detail.borrow(), open.get().1))),
        press(KeyCode::Esc),
        pause(100),
        then(move || closed.set((closed.get().0, *after.borrow()))),
        key('q'),
    ];
    play.run(script).await.unwrap();
    assert_eq!(seen.get(), (Interest { pod_metrics: true }, Interest { pod_metrics: false }));
}

#[tokio::test(start_paused = true)]
async fn the_demo_and_a_scenario_play_to_the_screen() {
    let mut play = Play::new();
    play.tasks = demo::start(demo::Options::default(), afternoon(), play.feed.sender(), play.feed.cancel.clone());
    play.run([pause(120_000), key('q')]).await.unwrap();
    assert!(play.record.last().contains("Ready"), "{}", play.record.last());

    let mut play = Play::new();
    let scale_out = scenario::Scenario::parse("scale-out", scenario::SCALE_OUT).unwrap();
    let (sender, cancel) = (play.feed.sender(), play.feed.cancel.clone());
    play.tasks = scenario::start(&scale_out, afternoon(), sim::Speed::default(), sender, cancel);
    play.run([pause(111_000), key('q')]).await.unwrap();
    let last = play.record.last();
    for fact in ["81.3%", "8.0 / 9.8", "i-0fce4e6539834df06", "i-0088a4e1b9e73a3c1", "$0.482/h", "$351.57/mo"] {
        assert!(last.contains(fact), "{fact} is not in\n{last}");
    }
}

/// Allocations of one more frame, and lines made into text for it, with so many nodes.
fn frame_work(nodes: usize) -> (u64, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut cluster = Cluster::new(None);
    for change in fleet(nodes) {
        cluster.apply(change, afternoon());
    }
    let mut play = runtime.block_on(async { Play::with(cluster, plain()) });
    // Frames that are asked for by nothing but the terminal: same picture, same work.
    let frames = |n: usize| {
        let frame = || [Step::Input(Event::Resize(120, 40)), pause(100)];
        let mut script = vec![pause(100)];
        script.extend((0..n).flat_map(|_| frame()));
        script
    };
    let mut cost = |n: usize| {
        let drawn = play.dashboard.frames();
        let script = frames(n);
        let allocated = allocations(|| runtime.block_on(play.run(script)).unwrap());
        (allocated, play.dashboard.frames() - drawn)
    };
    cost(10);
    let ((few, a), (many, b)) = (cost(10), cost(110));
    assert_eq!(b - a, 100, "each event is a frame");
    ((many - few) / 100, play.dashboard.seen().formatted)
}

#[test]
fn frame_work_ignores_pod_count() {
    let ((small, small_lines), (large, large_lines)) = (frame_work(50), frame_work(5000));
    assert_eq!(small_lines, large_lines);
    assert!(small_lines <= 40, "{small_lines} lines made into text on a screen of 40");
    assert!(large <= small + small / 50 + 2, "{small} allocations a frame with 50 nodes, {large} with 5,000");
}

/// Sources get a channel to send changes to and nothing of the state; the state has no lock, so it cannot be shared.
#[test]
fn state_has_a_single_owner() {
    type Sender = mpsc::Sender<Vec<Change>>;
    type Time = nodeglass::model::Timestamp;
    let _: fn(demo::Options, Time, Sender, CancellationToken) -> JoinSet<()> = demo::start;
    let _: fn(&scenario::Scenario, Time, sim::Speed, Sender, CancellationToken) -> JoinSet<()> = scenario::start;
    let _: fn(&Connection, Sender, watch::Receiver<Interest>, CancellationToken) -> JoinSet<()> = Connection::start;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut read = 0;
    let mut rooms: Vec<_> =
        ["units", "model", "pricing", "cluster", "insight", "ui", "output"].map(|r| source.join(r)).into();
    while let Some(path) = rooms.pop() {
        if path.is_dir() {
            rooms.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        read += 1;
        for lock in ["Mutex", "RwLock", "RefCell", "Atomic", "thread_local", "static mut"] {
            assert!(!text.contains(lock), "{} shares state by {lock}", path.display());
        }
    }
    assert!(read > 40, "{read} files read");
}
