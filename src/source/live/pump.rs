//! The list-watch loop, written once for every kind.
//!
//! A list is `Resync`, the objects as they arrive, `Synced`; nothing is gathered. A watch goes on from the last version
//! seen, so a cut connection costs one request and no list. The old picture stays up during all trouble, and every
//! trouble is a [`LinkState`] on the screen.

use super::backoff::Backoff;
use super::codec::{self, Line, Lines};
use super::discovery;
use super::fault::Fault;
use super::kinds::Kind;
use super::outbox::Outbox;
use super::requests::RequestRule;
use super::server::{Encoding, Server, SharedServer, escape};
use crate::model::{Change, LinkState, Name, Timestamp};
use std::marker::PhantomData;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// Objects on the first page, as kubectl and client-go ask for.
const FIRST_PAGE: usize = 500;
/// Later pages grow to about this many bytes. Fewer, larger pages cost server and client far less; beyond this size they
/// gain little time, and the client's memory grows with them.
const PAGE_BYTES: usize = 3_000_000;
/// No page is longer than this, however small the objects are.
const LONGEST_PAGE: usize = 20_000;
/// Streaming lists of one kind that fail before that list is fetched in pages.
const STREAM_TRIES: u32 = 2;
/// Longest wait a server may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(5);
/// A kind that may be listed but not watched is listed again after this many times what its list took, at the earliest:
/// listing costs the server at most this part of its time.
const LIST_PAUSE: u32 = 10;

/// Where a stream stands between two requests.
#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Nothing is in hand, or what is can no longer be continued: a list is due.
    Start,
    /// In the middle of a paged list: what came before `token` has been handed on.
    Paging {
        /// Where the next page begins.
        token: String,
        /// Objects on the next page.
        limit: usize,
        /// Objects handed on.
        seen: u64,
    },
    /// In step with the server up to this version; what comes after it is asked for.
    Following {
        /// The version.
        version: Name,
    },
}

/// A streaming list that is coming in.
struct Listing {
    seen: u64,
}

/// One stream of one kind.
pub(super) struct Pump<K> {
    server: SharedServer,
    outbox: Outbox,
    /// `fieldSelector` and `labelSelector`, escaped, each with a `&` in front.
    selectors: String,
    random: fastrand::Rng,
    backoff: Backoff,
    /// The same for denials: roles change slowly, but a server that has just started denies everything until it has
    /// read its roles.
    denials: Backoff,
    state: State,
    /// The rule of the server's version, as far as it is known.
    server_rule: watch::Receiver<RequestRule>,
    /// The rule that the list in hand is read by, see [`Kind::BY_VERSION`].
    rule: RequestRule,
    /// Streaming lists that failed since the last complete list.
    failed_streams: u32,
    /// Lines or pages in a row that were not JSON.
    malformed: u32,
    /// Versions that were too old, in a row.
    expired: u32,
    /// The last state that was told.
    told: LinkState,
    /// Since when the stream has been in step with the server; none in trouble.
    live_since: Option<Instant>,
    /// When the list that comes in, or the last one, was begun.
    list_began: Instant,
    /// When the kind is listed again, where it may not be watched.
    list_again: Instant,
    /// The server's words where it denied the watch and not the list.
    not_watched: Option<String>,
    /// Cancelled once the first list is complete.
    listed: CancellationToken,
    /// Changes of a list that is held back, see [`Kind::SORTED_TAIL`].
    held: Vec<Change>,
    kind: PhantomData<fn(K)>,
}

impl<K: Kind> Pump<K> {
    /// A stream that has not begun. `listed` is cancelled when its first list is complete; `told` is what was said of it
    /// already.
    pub(super) fn new(
        server: SharedServer,
        outbox: Outbox,
        label_selector: &str,
        random: fastrand::Rng,
        listed: CancellationToken,
        told: LinkState,
    ) -> Self {
        let mut selectors = String::new();
        for (name, value) in [("fieldSelector", K::FIELD_SELECTOR), ("labelSelector", label_selector)] {
            if !value.is_empty() {
                selectors.push('&');
                selectors.push_str(name);
                selectors.push('=');
                selectors.push_str(&escape(value));
            }
        }
        let timing = &server.timing;
        let backoff = Backoff::new(timing.backoff_base, timing.backoff_cap, timing.good_spell);
        let denials = Backoff::new(timing.backoff_base, timing.denied_again, timing.good_spell);
        let server_rule = server.rule();
        let rule = *server_rule.borrow();
        Self {
            server_rule,
            rule,
            outbox,
            selectors,
            random,
            backoff,
            denials,
            state: State::Start,
            failed_streams: 0,
            malformed: 0,
            expired: 0,
            told,
            live_since: None,
            list_began: Instant::now(),
            list_again: Instant::now(),
            not_watched: None,
            listed,
            held: Vec::new(),
            kind: PhantomData,
            server,
        }
    }

    /// Follows the kind, once it is its turn, until nobody listens any more.
    pub(super) async fn run(mut self, turn: impl Future<Output = ()>) {
        if self.tell(LinkState::Connecting).await.is_err() {
            return;
        }
        turn.await;
        loop {
            if self.outbox.is_clock_outdated() {
                // What was sent is dated by another difference between the clocks.
                self.state = State::Start;
            }
            let outcome = match self.step().await {
                Ok(()) => Ok(()),
                Err(fault) => self.meet(fault).await,
            };
            if let Err(Fault::Closed) = outcome {
                return;
            }
        }
    }

    /// One request and its answer, to its end.
    async fn step(&mut self) -> Result<(), Fault> {
        match &self.state {
            State::Start if self.streams() => self.stream_list().await,
            State::Start => self.page(String::new(), FIRST_PAGE, 0).await,
            State::Paging { token, limit, seen } => {
                let (token, limit, seen) = (token.clone(), *limit, *seen);
                self.page(token, limit, seen).await
            }
            State::Following { version } => {
                let version = version.clone();
                self.follow(&version).await
            }
        }
    }

    // --- lists ---

    /// Whether the next list is streamed.
    fn streams(&self) -> bool {
        let server = &self.server;
        server.must_stream_lists()
            || !K::LONG && server.streams_lists() && self.failed_streams < STREAM_TRIES && self.not_watched.is_none()
    }

    /// Asks for one page and hands it on.
    async fn page(&mut self, token: String, limit: usize, seen: u64) -> Result<(), Fault> {
        let mut path = format!("{}?limit={limit}{}", K::PATH, self.selectors);
        if !token.is_empty() {
            path.push_str("&continue=");
            path.push_str(&escape(&token));
            self.progress(seen).await?;
        }
        let request = self.server.get_whole(&path);
        let body = if token.is_empty() {
            let (body, version) = with_version::<K, _>(&self.server, request).await?;
            self.learn(version).await?;
            self.begin_list().await?;
            body
        } else {
            request.await?
        };
        let rule = self.rule;
        let end = codec::page::<K>(&body, rule, self.changes())?;
        self.malformed = 0;
        self.hold_back();
        let seen = seen + end.objects as u64;
        self.outbox.flush().await?;
        self.progress(seen).await?;
        if end.continue_token.is_empty() {
            return self.complete_list(end.version).await;
        }
        let limit = next_limit(body.len(), end.objects, limit);
        self.state = State::Paging { token: end.continue_token, limit, seen };
        Ok(())
    }

    /// Asks for a list as the beginning of a watch (KEP-3157), and follows it from there on the same connection.
    async fn stream_list(&mut self) -> Result<(), Fault> {
        let (path, length) = self.watch_path("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
        let patience = self.server.timing.no_progress;
        let request = self.server.get(&path, Encoding::Plain, patience);
        let (response, version) = match with_version::<K, _>(&self.server, request).await {
            Ok(answers) => answers,
            // Not this way, but perhaps in pages. A refusal counts for every stream; so does silence, because a server
            // that does not know the parameters answers a plain watch, which never says that the list is complete.
            Err(fault @ (Fault::Refused(_) | Fault::Silent(_))) => return Err(self.fall_back(fault)),
            // A streaming list is a watch to the authorizer: the list may be allowed all the same.
            Err(Fault::Denied(message)) if !self.server.must_stream_lists() => {
                self.not_watched = Some(message);
                return Err(Fault::NoStream);
            }
            Err(fault) => {
                self.failed_streams += u32::from(matches!(fault, Fault::Server { .. }));
                return Err(fault);
            }
        };
        self.failed_streams += 1; // Until the list is complete.
        self.learn(version).await?;
        self.begin_list().await?;
        self.read(Lines::new(response.into_body()), length, Some(Listing { seen: 0 })).await
    }

    /// Remembers that this server does not stream lists, unless streaming was demanded.
    fn fall_back(&self, fault: Fault) -> Fault {
        if self.server.must_stream_lists() {
            return fault;
        }
        self.server.does_not_stream_lists();
        Fault::NoStream
    }

    /// Takes in the server's version, if there was an answer, and reads by its rule from here on.
    async fn learn(&mut self, version: Option<String>) -> Result<(), Fault> {
        if let Some(version) = version {
            self.server.learn(&mut self.outbox, |about| about.version = version).await?;
        }
        self.rule = *self.server_rule.borrow_and_update();
        Ok(())
    }

    async fn begin_list(&mut self) -> Result<(), Fault> {
        self.held.clear();
        self.list_began = Instant::now();
        self.outbox.set_clock();
        self.outbox.pending().push(Change::Resync(K::STREAM));
        self.progress(0).await
    }

    /// Reports how far a list has come in. A list that is one of many is no news.
    async fn progress(&mut self, seen: u64) -> Result<(), Fault> {
        if matches!(self.told, LinkState::Polled { .. }) {
            return self.outbox.flush().await;
        }
        self.tell(LinkState::Syncing { seen }).await
    }

    async fn complete_list(&mut self, version: Name) -> Result<(), Fault> {
        if let Some(tail) = K::SORTED_TAIL {
            self.held.sort_by_key(time_of);
            let cut = self.held.len().saturating_sub(tail);
            self.outbox.pending().extend(self.held.drain(cut..));
            self.held = Vec::new();
        }
        self.failed_streams = 0;
        self.expired = 0;
        self.state = State::Following { version };
        self.live_since.get_or_insert_with(Instant::now);
        let pause = self.server.timing.list_again.max(self.list_began.elapsed() * LIST_PAUSE);
        self.list_again = Instant::now() + pause;
        self.outbox.pending().push(Change::Synced(K::STREAM));
        match &self.not_watched {
            None => self.tell(LinkState::Live).await?,
            Some(message) => {
                let polled = LinkState::Polled { message: message.clone() };
                // `Synced` made the stream live.
                self.told = LinkState::Live;
                self.tell(polled).await?;
            }
        }
        self.listed.cancel();
        Ok(())
    }

    /// Where the changes of a list go.
    const fn changes(&mut self) -> &mut Vec<Change> {
        if K::SORTED_TAIL.is_some() { &mut self.held } else { self.outbox.pending() }
    }

    /// Keeps what is held back within twice its length.
    fn hold_back(&mut self) {
        if let Some(tail) = K::SORTED_TAIL
            && self.held.len() > 2 * tail
        {
            let cut = self.held.len() - tail;
            self.held.select_nth_unstable_by_key(cut, time_of);
            self.held.drain(..cut);
        }
    }

    // --- watches ---

    /// Path and length of a watch.
    fn watch_path(&mut self, how: &str) -> (String, Duration) {
        let range = self.server.timing.watch_seconds.clone();
        let seconds = if range.is_empty() { range.start } else { self.random.u32(range) };
        let path =
            format!("{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}{how}{}", K::PATH, self.selectors);
        (path, Duration::from_secs(seconds.into()))
    }

    /// Asks for what happened after `version`.
    async fn follow(&mut self, version: &str) -> Result<(), Fault> {
        let (path, length) = self.watch_path(&format!("&resourceVersion={}", escape(version)));
        let request = self.server.get(&path, Encoding::Plain, self.server.timing.response);
        let (response, version) = with_version::<K, _>(&self.server, request).await?;
        let list_rule = self.rule;
        self.learn(version).await?;
        if K::BY_VERSION && self.rule != list_rule {
            // The server was upgraded while the connection was away, or its version was not known.
            self.state = State::Start;
            return Ok(());
        }
        self.not_watched = None;
        self.live_since.get_or_insert_with(Instant::now);
        self.tell(LinkState::Live).await?;
        self.read(Lines::new(response.into_body()), length, None).await
    }

    /// Reads a watch to its end. With a listing, what comes is the list until the server says that it is complete.
    async fn read(&mut self, mut lines: Lines, length: Duration, mut listing: Option<Listing>) -> Result<(), Fault> {
        let began = Instant::now();
        let mut heard = began;
        let mut bookmarks = false;
        loop {
            while let Some(text) = lines.next() {
                let target =
                    if listing.is_some() && K::SORTED_TAIL.is_some() { &mut self.held } else { self.outbox.pending() };
                match codec::line::<K>(text, self.rule, target)? {
                    Line::Object(version) => {
                        self.malformed = 0;
                        match &mut listing {
                            Some(listing) => listing.seen += 1,
                            None if !version.is_empty() => self.state = State::Following { version },
                            None => {}
                        }
                    }
                    Line::Bookmark { version, initial_events_end } => {
                        if listing.is_some() && initial_events_end {
                            listing = None;
                            self.complete_list(version).await?;
                        } else if listing.is_none() {
                            bookmarks = true;
                            self.state = State::Following { version };
                            self.outbox.pending().push(Change::StreamActive(K::STREAM));
                        }
                    }
                    Line::Error(fault) => {
                        // The changes before it hold.
                        self.outbox.flush().await?;
                        return Err(fault);
                    }
                }
                if self.outbox.touched() {
                    self.hand_on(listing.as_ref()).await?;
                    // The time that the reader took is not the server's silence.
                    heard = Instant::now();
                }
                self.hold_back();
            }
            let timing = &self.server.timing;
            let silence = if listing.is_some() {
                timing.no_progress
            } else if bookmarks {
                timing.bookmark_silence.min(length + timing.watch_grace)
            } else {
                length + timing.watch_grace
            };
            let due = self.outbox.due();
            tokio::select! {
                biased; // What is there has not been silent.
                more = lines.more() => match more {
                    Ok(true) => heard = Instant::now(),
                    Ok(false) => {
                        // Until now the server would have told.
                        self.outbox.pending().push(Change::StreamActive(K::STREAM));
                        self.outbox.flush().await?;
                        return self.ended(began, listing.is_some());
                    }
                    Err(fault) => {
                        self.outbox.pending().push(Change::StreamActive(K::STREAM));
                        self.outbox.flush().await?;
                        // A connection that is reset after a while is resumed like one that ended.
                        return self.ended(began, listing.is_some()).map_err(|_cut| fault);
                    }
                },
                () = sleep_until(due.unwrap_or(heard)), if due.is_some() => {
                    let idle = heard.elapsed();
                    self.hand_on(listing.as_ref()).await?;
                    heard = Instant::now() - idle;
                }
                Ok(()) = self.server_rule.changed(), if K::BY_VERSION => {
                    if *self.server_rule.borrow_and_update() != self.rule {
                        // What was read is summed by the rule of another version.
                        self.outbox.flush().await?;
                        self.state = State::Start;
                        return Ok(());
                    }
                }
                () = self.outbox.clock_outdated() => {
                    self.outbox.flush().await?;
                    return Ok(());
                }
                () = sleep_until(heard + silence) => {
                    self.outbox.flush().await?;
                    let fault = Fault::Silent(silence);
                    return Err(if listing.is_some() { self.fall_back(fault) } else { fault });
                }
            }
        }
    }

    /// Sends what has come, with the progress of a list.
    async fn hand_on(&mut self, listing: Option<&Listing>) -> Result<(), Fault> {
        if let Some(&Listing { seen }) = listing {
            self.outbox.pending().push(Change::Link(K::STREAM, LinkState::Syncing { seen }));
        }
        self.outbox.flush().await
    }

    /// A watch ended. One that lasted is resumed at once, as every watch ends sometime; one that did not is trouble.
    fn ended(&self, began: Instant, in_list: bool) -> Result<(), Fault> {
        if in_list || began.elapsed() < self.server.timing.watch_lasted { Err(Fault::Cut) } else { Ok(()) }
    }

    // --- trouble ---

    /// Does what a fault asks for: tells it, waits, and sets the state to go on from.
    async fn meet(&mut self, fault: Fault) -> Result<(), Fault> {
        self.outbox.flush().await?;
        // Only time in step counts: a connection that takes long to fail was no good spell.
        let live_for = self.live_since.take().map_or(Duration::ZERO, |since| since.elapsed());
        self.backoff.went_well_for(live_for);
        self.denials.went_well_for(live_for);
        match fault {
            Fault::Closed => return Err(Fault::Closed),
            Fault::Denied(message) => self.denied(message).await?,
            Fault::Absent => self.absent().await?,
            Fault::NoStream => self.state = State::Start,
            Fault::Expired => {
                self.state = State::Start;
                self.expired += 1;
                if self.expired > STREAM_TRIES {
                    self.wait(&Fault::Expired, None).await?;
                }
            }
            Fault::Malformed(_) => {
                self.malformed += 1;
                if self.malformed > 1 {
                    // The same again at the same place: only another place can help.
                    self.state = State::Start;
                }
                self.wait(&fault, None).await?;
            }
            Fault::Throttled { after, .. } | Fault::Server { after, .. } => self.wait(&fault, after).await?,
            Fault::Refused(_) if matches!(self.state, State::Following { .. } | State::Paging { .. }) => {
                // What was asked to be continued is not taken any more.
                self.state = State::Start;
                self.wait(&fault, None).await?;
            }
            Fault::Refused(_)
            | Fault::Unauthorized(_)
            | Fault::Credentials(_)
            | Fault::Access(_)
            | Fault::Unreachable(_)
            | Fault::Silent(_)
            | Fault::TooLarge { .. }
            | Fault::Cut => self.wait(&fault, None).await?,
        }
        Ok(())
    }

    /// The server does not have the kind.
    async fn absent(&mut self) -> Result<(), Fault> {
        self.state = State::Start;
        self.failed_streams = 0;
        self.tell(LinkState::Absent).await?;
        sleep(self.server.timing.absent_again).await;
        Ok(())
    }

    /// The role does not allow the request. A watch that is denied leaves the list, and a denial leaves open whether
    /// the server has the kind at all.
    async fn denied(&mut self, mut message: String) -> Result<(), Fault> {
        let watch = matches!(self.state, State::Following { .. }) && !self.server.must_stream_lists();
        if watch {
            let just_listed = Instant::now() < self.list_again;
            let list = if just_listed { Ok(()) } else { self.list_one().await };
            match list {
                Ok(()) => {
                    self.not_watched = Some(message.clone());
                    self.state = State::Start;
                    if just_listed {
                        self.tell(LinkState::Polled { message }).await?;
                        sleep_until(self.list_again).await;
                    }
                    return Ok(());
                }
                Err(Fault::Denied(list)) => message = list,
                // The next request meets it again.
                Err(_) => {}
            }
        }
        // The right to watch is tried again with the right to list.
        self.not_watched = None;
        if discovery::serves(&self.server, K::PATH).await == Some(false) {
            return self.absent().await;
        }
        self.tell(LinkState::Denied { message }).await?;
        sleep(self.denials.next(self.random.f64())).await;
        Ok(())
    }

    /// Finds out whether the kind may be listed, by listing one object.
    async fn list_one(&self) -> Result<(), Fault> {
        self.server.get_whole(&format!("{}?limit=1{}", K::PATH, self.selectors)).await.map(drop)
    }

    /// Tells a fault with the time of the next try, and waits for it.
    async fn wait(&mut self, fault: &Fault, at_least: Option<Duration>) -> Result<(), Fault> {
        let wait = self.backoff.next(self.random.f64()).max(at_least.unwrap_or_default().min(LONGEST_RETRY_AFTER));
        let at = self.server.clock.now() + wait;
        tracing::debug!(stream = K::STREAM.name(), %fault, ?wait, "stream in trouble");
        self.tell(LinkState::Retrying { at, why: fault.to_string() }).await?;
        sleep(wait).await;
        Ok(())
    }

    /// Tells a state, unless it was the last one told.
    async fn tell(&mut self, link: LinkState) -> Result<(), Fault> {
        if self.told != link {
            self.outbox.pending().push(Change::Link(K::STREAM, link.clone()));
            self.told = link;
        }
        self.outbox.flush().await
    }
}

/// Sends a request and, where the meaning of the objects depends on it, asks for the server's version at the same time. A
/// request that fails is not held up.
async fn with_version<K: Kind, T>(
    server: &Server,
    request: impl Future<Output = Result<T, Fault>>,
) -> Result<(T, Option<String>), Fault> {
    if !K::BY_VERSION {
        return Ok((request.await?, None));
    }
    tokio::try_join!(request, async { Ok(discovery::insist_on_version(server).await) })
}

/// The next page's length, so that its body is about [`PAGE_BYTES`], and at most four times as long as the last.
fn next_limit(bytes: usize, objects: usize, limit: usize) -> usize {
    let Some(bytes_per_object) = bytes.checked_div(objects) else {
        return limit;
    };
    (PAGE_BYTES / bytes_per_object.max(1)).min(limit * 4).clamp(FIRST_PAGE, LONGEST_PAGE)
}

/// When a change that is held back happened.
fn time_of(change: &Change) -> Timestamp {
    match change {
        Change::Event(event) => event.last,
        _ => Timestamp::MIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case(500 * 5_000, 500, 500 => 600 ; "five kilobytes an object")]
    #[test_case(500 * 500, 500, 500 => 2000 ; "growth is limited")]
    #[test_case(2000 * 100, 2000, 18_000 => 20_000 ; "there is a longest page")]
    #[test_case(500 * 100_000, 500, 500 => 500 ; "never below the first")]
    #[test_case(300, 0, 700 => 700 ; "an empty page says nothing")]
    fn pages_grow_to_three_megabytes(bytes: usize, objects: usize, limit: usize) -> usize {
        next_limit(bytes, objects, limit)
    }
}
