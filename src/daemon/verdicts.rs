//! From the verdicts of single checks to what each virtual router is told.

use crate::checks::health::Verdict as Checked;
use crate::flags::RouterConfig;
use crate::time::Time;
use crate::vrrp::event::Verdict;
use crate::vrrp::priority::{Effective, effective};
use core::time::Duration;

/// How long a router believes a verdict that is not renewed. The checks thread renews it each second; one that is
/// silent for this long hangs.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Between two renewals.
pub const RENEW_EVERY: Duration = Duration::from_secs(1);

/// The last word of every check, in the order of [`Config::tracks`](crate::flags::Config::tracks).
pub type Latest = Vec<Option<Checked>>;

/// What to tell the router, or nothing while one of its checks has not had its first look. `places` are its checks'
/// places in `latest`.
pub fn verdict(router: &RouterConfig, places: &[usize], latest: &Latest, now: Time) -> Option<Verdict> {
    let base = router.settings.base;
    let well = places.iter().map(|&place| latest[place].map(|checked| checked.at(now).well));
    let well: Vec<bool> = well.collect::<Option<_>>()?;
    let weights = router.tracks.iter().map(|track| track.weight);
    let effective: Effective = effective(base, weights.zip(well));
    let until = (!places.is_empty()).then(|| now + PATIENCE);
    Some(Verdict { effective, until })
}

/// This thread did nothing for `gap`, because the machine or the process was stopped: so were its checks. Their last
/// verdicts count for so much longer, until they have looked again.
pub fn forgive(latest: &mut Latest, gap: Duration) {
    if gap > RENEW_EVERY * 2 {
        for checked in latest.iter_mut().flatten() {
            checked.until += gap;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::health::Reason;

    fn latest(until: u64) -> Latest {
        let until = Time::from_micros(until * 1_000_000);
        vec![Some(Checked { well: true, since: Time::ZERO, until, reason: Reason::Exists }), None]
    }

    #[test]
    fn a_stopped_process_does_not_fail_its_checks() {
        // Looked at 10 s, believed until 15 s, stopped from 11 s to 17 s.
        let now = Time::from_micros(17_000_000);
        let mut stopped = latest(15);
        forgive(&mut stopped, Duration::from_secs(6));
        assert!(stopped[0].is_some_and(|checked| checked.at(now).well));
    }

    #[test]
    fn an_old_verdict_of_a_thread_that_turns_is_not_forgiven() {
        let mut stuck = latest(15);
        forgive(&mut stuck, Duration::from_secs(1));
        assert!(stuck[0].is_some_and(|checked| !checked.at(Time::from_micros(17_000_000)).well));
    }
}
