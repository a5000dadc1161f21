//! Containers by their short ID, for as long as there is room: the last words of one come after its end.

use crate::sorted::Map;
use crate::time::Time;
use core::time::Duration;
use std::rc::Rc;

use super::super::names::Speaker;

/// Containers remembered; those that have been silent longest are forgotten. A Pi runs tens.
pub const MAX_KNOWN: usize = 1_024;
/// An ID that Docker does not know is asked for again after this: it is somebody else's, or made up.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);

/// What is known of an ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Who it is.
    Found(Rc<Speaker>),
    /// Docker does not know, or was asked in vain.
    Nobody,
    /// Nobody has asked Docker yet. Asking is the caller's: the next look says `Asked`.
    Ask,
    /// Docker has been asked.
    Asked,
}

#[derive(Debug)]
enum Entry {
    Known(Rc<Speaker>),
    Unknown { until: Time },
    Asked,
}

/// The map.
#[derive(Debug, Default)]
pub struct Known(Map<String, (Time, Entry)>);

impl Known {
    /// Who has this ID (twelve digits)?
    pub fn look(&mut self, id: &str, now: Time) -> Look {
        match self.0.get_mut(id) {
            Some((used, Entry::Known(speaker))) => {
                *used = now;
                Look::Found(speaker.clone())
            }
            Some((_, Entry::Asked)) => Look::Asked,
            Some((_, Entry::Unknown { until })) if now < *until => Look::Nobody,
            Some((_, Entry::Unknown { .. })) | None => {
                self.put(id, now, Entry::Asked);
                Look::Ask
            }
        }
    }

    /// Is it a container's?
    pub fn has(&self, id: &str) -> bool {
        matches!(self.0.get(id), Some((_, Entry::Known(_))))
    }

    /// It is this one. A container that was renamed is learnt anew.
    pub fn learn(&mut self, id: &str, speaker: Speaker, now: Time) {
        self.put(id, now, Entry::Known(Rc::new(speaker)));
    }

    /// Docker does not know it, or does not answer.
    pub fn give_up(&mut self, id: &str, now: Time) {
        self.put(id, now, Entry::Unknown { until: now + UNKNOWN_FOR });
    }

    fn put(&mut self, id: &str, now: Time, entry: Entry) {
        if self.0.len() >= MAX_KNOWN && !self.0.contains_key(id) {
            // Made-up IDs go before containers.
            let worth = |(used, entry): &(Time, Entry)| (matches!(entry, Entry::Known(_)), *used);
            let oldest = self.0.iter().min_by_key(|(_, entry)| worth(entry)).map(|(id, _)| id.clone());
            oldest.map(|oldest| self.0.remove(&oldest));
        }
        self.0.insert(id.to_owned(), (now, entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: u64) -> Time {
        Time::from_micros(second * 1_000_000)
    }

    #[test]
    fn docker_is_asked_once_and_again_after_a_minute() {
        let mut known = Known::default();
        assert_eq!(known.look("3f2a9c1b7d4e", second(0)), Look::Ask);
        assert_eq!(known.look("3f2a9c1b7d4e", second(1)), Look::Asked);
        known.give_up("3f2a9c1b7d4e", second(2));
        assert_eq!(known.look("3f2a9c1b7d4e", second(61)), Look::Nobody);
        assert_eq!(known.look("3f2a9c1b7d4e", second(62)), Look::Ask);
        known.learn("3f2a9c1b7d4e", Speaker::of_part("web"), second(63));
        assert!(known.has("3f2a9c1b7d4e") && !known.has("0123456789ab"));
        assert_eq!(known.look("3f2a9c1b7d4e", second(9_999)), Look::Found(Rc::new(Speaker::of_part("web"))));
    }

    #[test]
    fn made_up_ids_push_no_container_out() {
        let mut known = Known::default();
        known.learn("web", Speaker::of_part("web"), second(0));
        known.learn("silent", Speaker::of_part("silent"), second(0));
        for made_up in 0..5_000 {
            known.look(&made_up.to_string(), second(made_up));
        }
        assert_eq!(known.0.len(), MAX_KNOWN);
        assert_eq!(known.look("web", second(5_000)), Look::Found(Rc::new(Speaker::of_part("web"))));
        for container in 0..MAX_KNOWN - 1 {
            known.learn(&container.to_string(), Speaker::of_part("new"), second(6_000));
        }
        assert_eq!(known.0.len(), MAX_KNOWN);
        assert!(matches!(known.look("web", second(6_001)), Look::Found(_)));
        assert_eq!(known.look("silent", second(6_001)), Look::Ask);
    }
}
