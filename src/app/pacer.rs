//! Paces frames: of all requests for a frame the earliest counts, and no two frames are closer than [`GAP`].

use std::time::Duration;
use tokio::time::Instant;

/// The minimum time between two frames: at most 30 per second, smooth enough and cheap over ssh.
pub const GAP: Duration = Duration::from_millis(33);

/// Decides when the next frame is due. It has no clock: time is an argument.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pacer {
    last: Option<Instant>,
    requested: Option<Instant>,
}

impl Pacer {
    /// Requests a frame at `at`; a later request never delays an earlier one.
    pub fn request(&mut self, at: Instant) {
        self.requested = Some(self.requested.map_or(at, |requested| requested.min(at)));
    }

    /// When the next frame is due; `None` if none was requested.
    pub fn due(&self) -> Option<Instant> {
        let requested = self.requested?;
        Some(self.last.map_or(requested, |last| requested.max(last + GAP)))
    }

    /// Records that a frame was drawn at `at`, which serves all requests.
    pub fn drew(&mut self, at: Instant) {
        self.last = Some(at);
        self.requested = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_request_counts() {
        let t = Instant::now();
        let mut pacer = Pacer::default();
        assert_eq!(pacer.due(), None, "no request, no frame");
        pacer.request(t + Duration::from_secs(5));
        pacer.request(t + Duration::from_secs(1));
        pacer.request(t + Duration::from_secs(9));
        assert_eq!(pacer.due(), Some(t + Duration::from_secs(1)));
        pacer.drew(t + Duration::from_secs(1));
        assert_eq!(pacer.due(), None);
    }

    #[test]
    fn two_frames_are_never_closer_than_the_gap() {
        let t = Instant::now();
        let mut pacer = Pacer::default();
        pacer.request(t);
        assert_eq!(pacer.due(), Some(t), "the first is drawn at once");
        pacer.drew(t);
        pacer.request(t + Duration::from_millis(1));
        assert_eq!(pacer.due(), Some(t + GAP));
    }
}
