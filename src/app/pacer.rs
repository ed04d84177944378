//! When to draw: many may ask for a frame, the earliest wish counts, and no two frames are closer than the gap.

use std::time::Duration;
use tokio::time::Instant;

/// At most thirty frames a second: what an eye can follow, and cheap over ssh.
pub const GAP: Duration = Duration::from_millis(33);

/// Decides when the next frame is due. Pure: time is an argument.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pacer {
    last: Option<Instant>,
    wanted: Option<Instant>,
}

impl Pacer {
    /// A frame is wanted at `at`; a later wish never delays an earlier one.
    pub fn request(&mut self, at: Instant) {
        self.wanted = Some(self.wanted.map_or(at, |wanted| wanted.min(at)));
    }

    /// When the next frame is due; none if nobody wants one.
    pub fn due(&self) -> Option<Instant> {
        let wanted = self.wanted?;
        Some(self.last.map_or(wanted, |last| wanted.max(last + GAP)))
    }

    /// A frame was drawn at `at`: every wish is fulfilled.
    pub fn drew(&mut self, at: Instant) {
        self.last = Some(at);
        self.wanted = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_melt_into_the_earliest() {
        let t = Instant::now();
        let mut pacer = Pacer::default();
        assert_eq!(pacer.due(), None, "nothing changed, nothing drawn");
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
