//! What is due for one router's addresses: put on, renew, announce, put back, take off. Pure.

use crate::time::Time;
use crate::wish::Wish;
use core::time::Duration;

/// Announcements of one burst: a neighbour that misses one hears the next.
pub const BURST: u8 = 5;
/// Between two announcements of a burst: some switches throttle a volley. The later ones also come after the former
/// owner has let go of the address (it lingers for 30 ms), so whoever asked it meanwhile is put right.
const BURST_GAP: Duration = Duration::from_millis(20);
/// The burst comes once more after this time, as keepalived's: ports that had just come up are open by then.
const SECOND_BURST: Duration = Duration::from_secs(5);
/// An address that is removed again and again is put back at most this often.
const RESTORE_GAP: Duration = Duration::from_millis(50);

/// Something to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Put every address on the interface, or renew its lease.
    Hold,
    /// Put back what is missing.
    Restore,
    /// Take every address off.
    Remove,
    /// Announce every address.
    Announce,
    /// Ask who has the addresses.
    Probe,
}

/// Tasks of one step; at most one of each kind.
pub type Tasks = heapless::Vec<Task, 5>;

/// One router's addresses.
#[derive(Clone, Debug)]
pub struct Holder {
    seen: Wish,
    refresh: Option<Duration>,
    /// Announcements left in the burst and when the next is due.
    burst: Option<(u8, Time)>,
    second_burst_at: Option<Time>,
    refresh_at: Option<Time>,
    restore_at: Option<Time>,
    restored_at: Time,
}

impl Holder {
    /// Holds nothing. `refresh`: between two announcements while all is quiet.
    pub fn new(refresh: Option<Duration>) -> Self {
        Self {
            seen: Wish::default(),
            refresh,
            burst: None,
            second_burst_at: None,
            refresh_at: None,
            restore_at: None,
            restored_at: Time::ZERO,
        }
    }

    /// The addresses belong on the interface.
    pub fn holds(&self) -> bool {
        self.seen.hold
    }

    /// Somebody removed an address. Put back at once, or when the gap is over.
    pub fn lost(&mut self, now: Time) {
        if self.seen.hold {
            self.restore_at = Some(now.max(self.restored_at + RESTORE_GAP));
        }
    }

    /// An address was put back: the neighbours have to hear of it.
    pub fn restored(&mut self, now: Time) {
        self.burst = Some((BURST, now));
    }

    /// What is due, with what is wanted now.
    pub fn step(&mut self, now: Time, wanted: Wish) -> Tasks {
        let mut tasks = Tasks::new();
        let seen = core::mem::replace(&mut self.seen, wanted);
        if wanted.probes != seen.probes {
            push(&mut tasks, Task::Probe);
        }
        if !wanted.hold {
            if seen.hold {
                push(&mut tasks, Task::Remove);
            }
            *self = Self { seen: wanted, restored_at: self.restored_at, ..Self::new(self.refresh) };
            return tasks;
        }
        if !seen.hold || wanted.renewals != seen.renewals {
            push(&mut tasks, Task::Hold);
        }
        if self.restore_at.is_some_and(|at| at <= now) {
            self.restore_at = None;
            self.restored_at = now;
            push(&mut tasks, Task::Restore);
        }
        self.announce(now, !seen.hold || wanted.announcements != seen.announcements, &mut tasks);
        tasks
    }

    fn announce(&mut self, now: Time, anew: bool, tasks: &mut Tasks) {
        if anew {
            // A burst that is under way goes on at its pace: a flood of requests makes no flood of announcements.
            let at = self.burst.map_or(now, |(_, at)| at);
            self.burst = Some((BURST, at));
            self.second_burst_at = Some(now + SECOND_BURST);
        }
        if self.second_burst_at.is_some_and(|at| at <= now) {
            self.second_burst_at = None;
            self.burst = Some((BURST, now));
        }
        if self.refresh_at.is_some_and(|at| at <= now) && self.burst.is_none() {
            self.burst = Some((1, now));
        }
        if let Some((left, at)) = self.burst
            && at <= now
        {
            push(tasks, Task::Announce);
            self.burst = (left > 1).then(|| (left - 1, now + BURST_GAP));
            self.refresh_at = self.refresh.map(|refresh| now + refresh);
        }
    }

    /// When to call `step` at the latest, if nothing is wanted anew.
    pub fn deadline(&self) -> Option<Time> {
        let burst = self.burst.map(|(_, at)| at);
        [burst, self.second_burst_at, self.refresh_at, self.restore_at].into_iter().flatten().min()
    }
}

fn push(tasks: &mut Tasks, task: Task) {
    let pushed = tasks.push(task);
    debug_assert!(pushed.is_ok(), "one of each kind fits");
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Wish = Wish { hold: true, renewals: 1, announcements: 1, probes: 0 };

    fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    /// Runs until `end` and says when it announced, in milliseconds.
    fn announcements(holder: &mut Holder, wanted: Wish, end: Time) -> Vec<u64> {
        let mut times = Vec::new();
        while let Some(now) = holder.deadline().filter(|&now| now <= end) {
            if holder.step(now, wanted).contains(&Task::Announce) {
                times.push(now.as_micros() / 1_000);
            }
        }
        times
    }

    #[test]
    fn takes_announces_in_bursts_and_refreshes() {
        let mut holder = Holder::new(Some(Duration::from_secs(60)));
        assert_eq!(holder.step(at(1_000), HOLD)[..], [Task::Hold, Task::Announce]);
        let times = announcements(&mut holder, HOLD, at(130_000));
        // The rest of the burst, the second one 5 s after taking, then one each minute.
        assert_eq!(times[..9], [1_020, 1_040, 1_060, 1_080, 6_000, 6_020, 6_040, 6_060, 6_080]);
        assert_eq!(times[9..], [66_080, 126_080]);
    }

    #[test]
    fn renews_only_when_told() {
        let mut holder = Holder::new(None);
        holder.step(at(0), HOLD);
        assert_eq!(holder.step(at(1), HOLD)[..], []);
        assert_eq!(holder.step(at(2), Wish { renewals: 2, ..HOLD })[..], [Task::Hold]);
    }

    #[test]
    fn lets_go_once_and_forgets_its_timers() {
        let mut holder = Holder::new(Some(Duration::from_secs(60)));
        holder.step(at(0), HOLD);
        assert_eq!(holder.step(at(10), Wish { hold: false, ..HOLD })[..], [Task::Remove]);
        assert_eq!(holder.deadline(), None);
        assert_eq!(holder.step(at(20), Wish { hold: false, ..HOLD })[..], []);
    }

    #[test]
    fn puts_back_at_once_but_not_in_a_tight_loop() {
        let mut holder = Holder::new(None);
        holder.step(at(0), HOLD);
        let mut restored = Vec::new();
        // Somebody removes the address every 10 ms from 10_000 ms on, for 200 ms.
        for now in (10_000..10_200).step_by(10).map(at) {
            holder.lost(now);
            if holder.step(now, HOLD).contains(&Task::Restore) {
                restored.push(now.as_micros() / 1_000);
            }
        }
        assert_eq!(restored, [10_000, 10_050, 10_100, 10_150]);
    }

    #[test]
    fn a_lost_address_matters_only_while_held() {
        let mut holder = Holder::new(None);
        holder.lost(at(5));
        assert_eq!(holder.deadline(), None);
    }

    #[test]
    fn a_flood_of_requests_is_announced_at_the_burst_s_pace() {
        let mut holder = Holder::new(None);
        let mut count = 0;
        for n in 0..1_000_u16 {
            let wanted = Wish { announcements: n + 1, ..HOLD };
            count += usize::from(holder.step(at(u64::from(n)), wanted).contains(&Task::Announce));
        }
        // One each 20 ms over 1,000 ms.
        assert_eq!(count, 50);
    }

    #[test]
    fn probes_also_as_backup() {
        let mut holder = Holder::new(None);
        assert_eq!(holder.step(at(0), Wish { probes: 1, ..Wish::default() })[..], [Task::Probe]);
        assert_eq!(holder.step(at(1), Wish { probes: 1, ..Wish::default() })[..], []);
    }
}
