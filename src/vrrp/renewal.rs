//! When the lease of the VIP is renewed: a little before the advert is due.
//!
//! The kernel counts lifetimes in whole seconds and takes an expired address away up to 0.43 s late (measured: its
//! timers are coarse). Renewed with the advert, a lease of three adverts would outlast the peers' patience by that much;
//! renewed ahead of it, both end together.

use crate::time::Time;
use core::time::Duration;

/// How long before the next advert: half of what the kernel is late, so that the error is spread to both sides.
pub const AHEAD: Duration = Duration::from_millis(150);
/// A lease is renewed at most this often: the shortest lasts 1 s, and each renewal is broadcast to all who listen to
/// address changes on the machine.
pub const GAP: Duration = Duration::from_millis(250);

/// The renewals of one router's lease.
#[derive(Clone, Copy, Debug)]
pub struct Renewal {
    interval: Duration,
    /// The last one, while the address is held.
    last: Option<Time>,
    next: Option<Time>,
}

impl Renewal {
    /// Of a router with this advert interval; nothing is held.
    pub fn new(interval: Duration) -> Self {
        Self { interval, last: None, next: None }
    }

    /// The router holds (on): an advert went out. True if the lease is to be renewed at once: when the address is
    /// taken, when the last renewal is overdue after a stall, and for adverts too fast to be renewed ahead of.
    pub fn hold(&mut self, now: Time) -> bool {
        let ahead = self.interval > AHEAD + GAP;
        let patience = if ahead { self.interval } else { GAP };
        let at_once = self.last.is_none_or(|last| now.since(last) >= patience);
        if at_once {
            self.last = Some(now);
        }
        self.next = ahead.then(|| now + self.interval - AHEAD);
        at_once
    }

    /// True if the renewal ahead of the next advert is due.
    pub fn is_due(&mut self, now: Time) -> bool {
        let due = self.next.is_some_and(|at| at <= now);
        if due {
            self.last = Some(now);
            self.next = None;
        }
        due
    }

    /// The address is given up.
    pub fn release(&mut self) {
        *self = Self::new(self.interval);
    }

    /// When the next renewal is due, if nothing else happens.
    pub fn deadline(&self) -> Option<Time> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    #[test]
    fn at_one_second_it_comes_150_ms_before_the_next_advert() {
        let mut renewal = Renewal::new(Duration::from_secs(1));
        assert!(renewal.hold(at(10_000)), "taken: at once");
        assert_eq!(renewal.deadline(), Some(at(10_850)));
        assert!(!renewal.is_due(at(10_849)));
        assert!(renewal.is_due(at(10_850)));
        assert_eq!(renewal.deadline(), None, "no advert, no further renewal: a dead router's lease ends");
        assert!(!renewal.hold(at(11_000)), "150 ms ago");
        assert_eq!(renewal.deadline(), Some(at(11_850)));
    }

    #[test]
    fn after_a_stall_it_comes_at_once() {
        let mut renewal = Renewal::new(Duration::from_secs(1));
        renewal.hold(at(10_000));
        assert!(renewal.hold(at(12_500)));
        assert_eq!(renewal.deadline(), Some(at(13_350)));
    }

    #[test]
    fn fast_adverts_renew_four_times_a_second() {
        let mut renewal = Renewal::new(Duration::from_millis(10));
        let renewals = (0..1_000).step_by(10).filter(|&now| renewal.hold(at(now))).count();
        assert_eq!(renewals, 4, "at 0, 250, 500 and 750 ms");
        assert_eq!(renewal.deadline(), None);
    }

    #[test]
    fn held_anew_it_is_taken_anew() {
        let mut renewal = Renewal::new(Duration::from_secs(1));
        renewal.hold(at(0));
        renewal.release();
        assert_eq!(renewal.deadline(), None);
        assert!(renewal.hold(at(10)));
    }
}
