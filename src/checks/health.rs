//! From looks to a verdict: rise and fall, and how long a verdict may be believed.
//!
//! The first look counts at once, as with keepalived; later it takes `rise` successes or `fall` failures in a row to
//! turn. A process seen to end is one look that failed: with `fall=1`, the default, the verdict turns at that moment.
//! A verdict not renewed by its date counts as failed: whoever should have looked is stuck.
//!
//! ```text
//!                  well                   `fall` failures in a row, or too old
//!   Pending ─────────────────▶ Well ───────────────────────────────────────────▶ Failed
//!      │                        ▲                                                  │ ▲
//!      │                        └─────────── `rise` successes in a row ────────────┘ │
//!      └────────────────────────────────── failed ───────────────────────────────────┘
//! ```

mod reason;

pub use reason::Reason;

use super::Track;
use crate::time::Time;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Beyond interval and timeout, what a loaded Pi may be late before a verdict counts as too old: as long as a VRRP
/// peer waits for a master at 1 s adverts.
pub const MARGIN: Duration = Duration::from_secs(3);

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Well or failed, with rise and fall applied.
    pub well: bool,
    /// When it last turned.
    pub since: Time,
    /// When it is to be taken as failed unless renewed: last look + interval + timeout + [`MARGIN`].
    pub until: Time,
    /// The last look. It may contradict `well` while rise or fall is being counted.
    pub reason: Reason,
}

impl Verdict {
    /// This verdict as it counts at `now`: failed once its date has passed.
    #[must_use]
    pub fn at(self, now: Time) -> Self {
        if now <= self.until {
            return self;
        }
        let since = if self.well { self.until } else { self.since };
        Self { well: false, since, until: self.until, reason: Reason::Stale }
    }

    /// The verdict on a `track` that another process should have looked at since `started` and has told nothing of: none
    /// yet, then failed, as an old one is.
    pub fn unheard(track: &Track, started: Time, now: Time) -> Option<Self> {
        let until = started + lifetime(track);
        (now > until).then_some(Self { well: false, since: until, until, reason: Reason::Stale })
    }

    /// This verdict of another process on `track`, as far as it can be true at `now`: nothing of it lies ahead, and it
    /// is not believed for longer than one made here.
    #[must_use]
    pub fn heard(self, track: &Track, now: Time) -> Self {
        Self { since: self.since.min(now), until: self.until.min(now + lifetime(track)), ..self }
    }
}

/// How long a verdict on `track` is believed.
fn lifetime(track: &Track) -> Duration {
    track.interval.saturating_add(track.timeout).saturating_add(MARGIN)
}

/// Counts one check's looks.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    rise: u8,
    fall: u8,
    lifetime: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Before the first look.
    Pending,
    /// Looked at; `against` looks in a row have contradicted the verdict.
    Known { verdict: Verdict, against: u8 },
}

impl Health {
    /// Of a check that has not been looked at yet.
    pub fn new(track: &Track) -> Self {
        Self { rise: track.rise, fall: track.fall, lifetime: lifetime(track), state: State::Pending }
    }

    /// Takes in one look and gives the verdict that follows.
    pub fn look(&mut self, now: Time, reason: Reason) -> Verdict {
        let until = now + self.lifetime;
        let well = reason.is_well();
        let (verdict, against) = match self.state {
            State::Pending => (Verdict { well, since: now, until, reason }, 0),
            State::Known { verdict, against } => {
                let old = verdict.at(now);
                let against = if old.well == verdict.well { against } else { 0 };
                let needed = if old.well { self.fall } else { self.rise };
                if old.well == well {
                    (Verdict { until, reason, ..old }, 0)
                } else if against + 1 >= needed {
                    (Verdict { well, since: now, until, reason }, 0)
                } else {
                    (Verdict { until, reason, ..old }, against + 1)
                }
            }
        };
        self.state = State::Known { verdict, against };
        verdict
    }

    /// The verdict as it counts at `now`; `None` before the first look.
    pub fn verdict(&self, now: Time) -> Option<Verdict> {
        match self.state {
            State::Pending => None,
            State::Known { verdict, against: _ } => Some(verdict.at(now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Reason::{Absent, Died, Running, Stale};
    use super::*;
    use crate::checks::Kind;

    const UP: Reason = Running(7);

    fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    /// Interval 1 s, timeout 500 ms: a verdict lives 4.5 s.
    fn health(rise: u8, fall: u8) -> Health {
        Health::new(&Track {
            kind: Kind::Process("dockerd".into()),
            interval: Duration::from_secs(1),
            weight: Some(20),
            rise,
            fall,
            timeout: Duration::from_millis(500),
        })
    }

    #[test]
    fn rise_and_fall_table() {
        const T: bool = true;
        const F: bool = false;
        // rise, fall, looks one second apart (well?), verdict after each
        let table: &[(u8, u8, &[bool], &[bool])] = &[
            (1, 1, &[T, F, T, F], &[T, F, T, F]),
            (3, 3, &[T], &[T]), // the first counts at once, both ways
            (3, 3, &[F], &[F]),
            (1, 3, &[T, F, F, F, T], &[T, T, T, F, T]),
            (3, 1, &[F, T, T, T, F], &[F, F, F, T, F]),
            (2, 2, &[T, F, T, F, T, F, F], &[T, T, T, T, T, T, F]), // in a row only
            (2, 2, &[F, T, F, T, T], &[F, F, F, F, T]),
            (0, 0, &[T, F, T], &[T, F, T]), // zero is taken as one
        ];
        for &(rise, fall, looks, expected) in table {
            let mut health = health(rise, fall);
            let mut now = at(0);
            let mut verdicts = Vec::new();
            for &well in looks {
                verdicts.push(health.look(now, if well { UP } else { Absent }).well);
                now += Duration::from_secs(1);
            }
            assert_eq!(verdicts, expected, "rise {rise}, fall {fall}, looks {looks:?}");
        }
    }

    #[test]
    fn pending_has_no_verdict() {
        assert_eq!(health(1, 1).verdict(at(99_000)), None);
    }

    #[test]
    fn since_is_the_turn_and_until_moves_with_each_look() {
        let mut health = health(1, 1);
        let first = health.look(at(1_000), UP);
        assert_eq!(first, Verdict { well: true, since: at(1_000), until: at(5_500), reason: UP });
        let second = health.look(at(2_000), Running(8));
        assert_eq!(second, Verdict { well: true, since: at(1_000), until: at(6_500), reason: Running(8) });
        let died = health.look(at(2_300), Died(8));
        assert_eq!(died, Verdict { well: false, since: at(2_300), until: at(6_800), reason: Died(8) });
    }

    #[test]
    fn a_verdict_past_its_date_counts_as_failed() {
        let mut health = health(2, 1);
        health.look(at(0), UP);
        assert!(health.verdict(at(4_500)).unwrap().well);
        let stale = health.verdict(at(4_501)).unwrap();
        assert_eq!(stale, Verdict { well: false, since: at(4_500), until: at(4_500), reason: Stale });
        // It was failed, so `rise` applies to the way back.
        assert!(!health.look(at(9_000), UP).well);
        assert!(health.look(at(9_100), UP).well);
    }

    fn docker() -> Track {
        let (interval, timeout) = (Duration::from_secs(1), Duration::from_millis(500));
        Track { kind: Kind::Docker, interval, weight: None, rise: 1, fall: 1, timeout }
    }

    #[test]
    fn a_process_that_never_speaks_fails_its_checks_in_the_end() {
        assert_eq!(Verdict::unheard(&docker(), at(1_000), at(5_500)), None);
        let failed = Verdict { well: false, since: at(5_500), until: at(5_500), reason: Stale };
        assert_eq!(Verdict::unheard(&docker(), at(1_000), at(5_501)), Some(failed));
    }

    #[test]
    fn another_process_cannot_be_believed_for_longer() {
        let track = docker();
        let sane = Verdict { well: true, since: at(1_000), until: at(7_000), reason: Reason::Answered(200) };
        assert_eq!(sane.heard(&track, at(3_000)), sane);
        let mad = Verdict { since: at(99_000), until: at(u64::MAX / 1_000), ..sane };
        assert_eq!(mad.heard(&track, at(3_000)), Verdict { since: at(3_000), until: at(7_500), ..sane });
    }

    #[test]
    fn failures_before_a_gap_do_not_count_as_in_a_row() {
        let mut health = health(2, 3);
        health.look(at(0), UP);
        health.look(at(1_000), Absent);
        health.look(at(2_000), Absent);
        assert!(!health.look(at(60_000), UP).well, "one success after a gap is not two");
    }

    #[test]
    fn a_failed_verdict_grown_old_stays_failed_since_it_failed() {
        let mut health = health(1, 1);
        health.look(at(1_000), Absent);
        let old = health.verdict(at(60_000)).unwrap();
        assert_eq!((old.well, old.since, old.reason), (false, at(1_000), Stale));
    }
}
