//! How long things have been unused, as this daemon has seen it: added up from look to look, kept over restarts.
//!
//! Docker keeps no time of last use, and the time of day may jump. So only time between two looks of one boot counts, and
//! of a long gap no more than two rounds: what was not watched does not count as unused.

use crate::sorted::{Map, Set};
use crate::state::{Looked, State, Thing, Unused};
use core::time::Duration;

/// A gap between two looks counts for this many rounds at most: a late round counts whole, a stopped daemon does not.
const MAX_ROUNDS: u32 = 2;

/// The clocks after a look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    seen_for: Map<Thing, Duration>,
    /// Seen unused in an earlier look of this boot, too.
    again: Set<Thing>,
}

impl Clocks {
    /// How long it has been seen unused; nothing for what was not unused when last looked at.
    pub fn seen_for(&self, thing: &Thing) -> Option<Duration> {
        self.seen_for.get(thing).copied()
    }

    /// Was it seen unused by an earlier look of this boot? What was not never goes.
    pub fn seen_again(&self, thing: &Thing) -> bool {
        self.again.contains(thing)
    }
}

/// Counts a look at `now` that found `unused`: clocks of those go on or start at zero, all others end.
pub fn count(state: &mut State, now: Looked, every: Duration, unused: Set<Thing>) -> Clocks {
    let step = state.looked.as_ref().and_then(|last| since(last, &now));
    let add = step.unwrap_or_default().min(every.saturating_mul(MAX_ROUNDS));
    let mut clocks = Clocks::default();
    for thing in unused {
        let before = state.unused.get(&thing);
        if step.is_some() && before.is_some() {
            clocks.again.insert(thing.clone());
        }
        let seen_for = before.map_or(Duration::ZERO, |unused| unused.seen_for.saturating_add(add));
        clocks.seen_for.insert(thing, seen_for);
    }
    let kept =
        clocks.seen_for.iter().map(|(thing, seen_for)| (thing.clone(), Unused { seen_for: *seen_for }));
    state.unused = kept.collect();
    state.looked = Some(now);
    clocks
}

/// From one moment to a later one of the same boot.
fn since(last: &Looked, now: &Looked) -> Option<Duration> {
    (last.boot == now.boot).then(|| now.moment.checked_sub(last.moment)).flatten()
}

/// It was in use after all: the next look is its first.
pub fn used(state: &mut State, thing: &Thing) {
    state.unused.remove(thing);
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const EVERY: Duration = Duration::from_mins(30);

    fn at(boot: &str, minute: u64) -> Looked {
        Looked { boot: boot.into(), moment: Duration::from_mins(minute) }
    }

    fn image(id: &str) -> Thing {
        Thing::Image(id.into())
    }

    fn look(state: &mut State, now: Looked, ids: &[&str]) -> Clocks {
        count(state, now, EVERY, ids.iter().map(|id| image(id)).collect())
    }

    #[test]
    fn time_adds_up_from_look_to_look() {
        let mut state = State::default();
        let first = look(&mut state, at("x", 100), &["a"]);
        assert_eq!(first.seen_for(&image("a")), Some(Duration::ZERO));
        assert!(!first.seen_again(&image("a")));
        look(&mut state, at("x", 110), &["a", "b"]);
        let third = look(&mut state, at("x", 125), &["a", "b"]);
        assert_eq!(third.seen_for(&image("a")), Some(25 * MINUTE));
        assert_eq!(third.seen_for(&image("b")), Some(15 * MINUTE));
        assert!(third.seen_again(&image("b")));
        assert_eq!(third.seen_for(&image("c")), None);
    }

    #[test]
    fn a_long_gap_counts_for_two_rounds() {
        let mut state = State::default();
        look(&mut state, at("x", 0), &["a"]);
        let late = look(&mut state, at("x", 10_000), &["a"]);
        assert_eq!(late.seen_for(&image("a")), Some(60 * MINUTE));
    }

    #[test]
    fn what_was_used_or_gone_in_between_starts_anew() {
        let mut state = State::default();
        look(&mut state, at("x", 0), &["a", "b"]);
        look(&mut state, at("x", 30), &["b"]);
        assert_eq!(state.unused.keys().cloned().collect::<Vec<_>>(), [image("b")], "gone, and forgotten");
        used(&mut state, &image("b"));
        let third = look(&mut state, at("x", 60), &["a", "b"]);
        for id in ["a", "b"] {
            assert_eq!(third.seen_for(&image(id)), Some(Duration::ZERO));
            assert!(!third.seen_again(&image(id)));
        }
    }

    #[test]
    fn nothing_counts_over_a_reboot_and_its_first_look_is_no_second_one() {
        let mut state = State::default();
        look(&mut state, at("x", 0), &["a"]);
        look(&mut state, at("x", 29), &["a"]);
        let after = look(&mut state, at("y", 5_000), &["a"]);
        assert_eq!(after.seen_for(&image("a")), Some(29 * MINUTE));
        assert!(!after.seen_again(&image("a")));
        assert!(look(&mut state, at("y", 5_001), &["a"]).seen_again(&image("a")));
        let back = look(&mut state, at("y", 10), &["a"]);
        assert_eq!(back.seen_for(&image("a")), Some(30 * MINUTE), "a moment that lies back adds nothing");
        assert!(!back.seen_again(&image("a")));
    }

    #[test]
    fn a_lost_state_begins_with_nothing() {
        let mut state = State { looked: Some(at("x", 0)), ..State::default() };
        let clocks = look(&mut state, at("x", 500), &["a"]);
        assert_eq!(
            (clocks.seen_for(&image("a")), clocks.seen_again(&image("a"))),
            (Some(Duration::ZERO), false)
        );
        state.looked = None;
        assert!(
            !look(&mut state, at("x", 501), &["a"]).seen_again(&image("a")),
            "without a last look, none is a second"
        );
    }
}
