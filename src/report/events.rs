//! The last events, as the VIP process and the housekeeper keep them for status, page and log.

use super::rounds::cut;
use super::status::{Event, MAX_TEXT};
use crate::time::Time;
use std::collections::VecDeque;

/// Events kept: a bad night's worth, a screen's worth.
pub const MAX_EVENTS: usize = 64;

/// The last [`MAX_EVENTS`] events, as the daemon collects them.
#[derive(Clone, Debug, Default)]
pub struct Events {
    kept: VecDeque<Event>,
    total: u64,
}

impl Events {
    /// Adds one, letting go of the oldest; long text is cut.
    pub fn push(&mut self, at: Time, router: Option<String>, text: impl Into<String>) {
        if self.kept.len() == MAX_EVENTS {
            self.kept.pop_front();
        }
        self.total += 1;
        let mut text = text.into();
        cut(&mut text, MAX_TEXT);
        self.kept.push_back(Event { at, router, text });
    }

    /// All that are kept, oldest first.
    pub fn to_vec(&self) -> Vec<Event> {
        self.kept.iter().cloned().collect()
    }

    /// How many there have been.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The next one, oldest first, behind the first `seen` of all that have been, and how many have been up to it: more
    /// than one more where some are no longer kept.
    pub fn after(&self, seen: u64) -> Option<(u64, &Event)> {
        let first = self.total - self.kept.len() as u64;
        let next = seen.max(first);
        let event = self.kept.get(usize::try_from(next - first).ok()?)?;
        Some((next + 1, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_last_64_events() {
        let mut events = Events::default();
        for n in 0..70 {
            events.push(Time::from_micros(n), None, format!("event {n}"));
        }
        let kept = events.to_vec();
        assert_eq!(kept.len(), 64);
        assert_eq!(kept[0].text, "event 6");
        assert_eq!(kept[63].text, "event 69");
        assert_eq!(events.after(0).map(|(seen, event)| (seen, &*event.text)), Some((7, "event 6")));
        assert_eq!(events.after(69).map(|(seen, event)| (seen, &*event.text)), Some((70, "event 69")));
        assert_eq!(events.after(70), None);
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let mut events = Events::default();
        events.push(Time::ZERO, None, "ü".repeat(150));
        let text = &events.to_vec()[0].text;
        // 98 times 2 bytes, then 3 bytes of ellipsis: 199 of 200.
        assert_eq!((text.len(), text.chars().count()), (199, 99));
        assert!(text.ends_with('…'));
    }
}
