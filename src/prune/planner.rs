//! What goes now, in which order, and what waits.
//!
//! Below `--disk-high` only that goes which has been unused for the whole grace. Above it, images go before their grace
//! is over, the longest unused first, until the disk is expected to be at `--disk-low`: only images, as they can be
//! pulled again, only such that were looked at twice, and none that is used, wanted or kept. Containers and volumes hold
//! data, and images that were built here and named cannot be pulled: they wait for their grace whatever the disk says.

use super::candidates::Candidate;
use super::clock::Clocks;
use super::{Policy, Row, Verdict};
use crate::state::Thing;
use core::cmp::Reverse;
use core::time::Duration;

/// Space of the file system that holds Docker's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Bytes in use.
    pub used: u64,
    /// Bytes that programs without privileges can still have: what `df` counts as available.
    pub available: u64,
}

impl Disk {
    /// In use, rounded up as `df` does.
    pub fn percent(self) -> u8 {
        let total = u128::from(self.used) + u128::from(self.available);
        let percent = (u128::from(self.used) * 100).div_ceil(total.max(1));
        u8::try_from(percent).unwrap_or(100)
    }

    /// Bytes over `percent`.
    fn over(self, percent: u8) -> u64 {
        let total = u128::from(self.used) + u128::from(self.available);
        let allowed = total * u128::from(percent) / 100;
        self.used.saturating_sub(u64::try_from(allowed).unwrap_or(u64::MAX))
    }
}

/// Gives each candidate its verdict: [`Verdict::Due`] first, in the order they go, then what waits, then what is kept.
pub fn plan(
    policy: &Policy,
    mut candidates: Vec<Candidate>,
    clocks: &Clocks,
    disk: Option<Disk>,
) -> Vec<Candidate> {
    for candidate in candidates.iter_mut().filter(|candidate| candidate.row.verdict == Verdict::Waits) {
        date(
            &mut candidate.row,
            policy.grace,
            clocks.seen_for(&candidate.thing),
            clocks.seen_again(&candidate.thing),
        );
    }
    candidates.sort_by_cached_key(|candidate| order(candidate, clocks));
    if let Some(disk) = disk.filter(|disk| disk.percent() > policy.disk_high) {
        make_room(policy, &mut candidates, clocks, disk);
        candidates.sort_by_cached_key(|candidate| order(candidate, clocks));
    }
    candidates
}

/// Containers before images, as they hold them; of each kind the longest unused first.
fn order(candidate: &Candidate, clocks: &Clocks) -> (u8, u8, Reverse<Duration>, String) {
    let kind = match candidate.thing {
        Thing::Container(_) => 0,
        Thing::Image(_) => 1,
        Thing::Volume(_) => 2,
    };
    let verdict = match candidate.row.verdict {
        Verdict::Due => 0,
        Verdict::Waits => 1,
        Verdict::Kept | Verdict::Removed | Verdict::Refused | Verdict::Failed => 2,
    };
    let seen_for = clocks.seen_for(&candidate.thing).unwrap_or_default();
    (verdict, kind, Reverse(seen_for), candidate.row.name.clone())
}

fn date(row: &mut Row, grace: Duration, seen_for: Option<Duration>, seen_again: bool) {
    let seen_for = seen_for.unwrap_or_default();
    let left = grace.saturating_sub(seen_for);
    if seen_again && left.is_zero() {
        row.verdict = Verdict::Due;
        row.reason = format!("unused for {}", span(seen_for));
        return;
    }
    row.seconds_left = Some(left.as_secs() + u64::from(left.subsec_nanos() > 0));
    row.reason = if seen_again {
        format!("unused for {} of {}", span(seen_for), span(grace))
    } else {
        format!("unused, looked at for the first time; goes after {}", span(left))
    };
}

/// Images before their grace is over, the longest unused first (as they are sorted), until enough is expected to be free.
fn make_room(policy: &Policy, candidates: &mut [Candidate], clocks: &Clocks, disk: Disk) {
    let due = candidates.iter().filter(|candidate| candidate.row.verdict == Verdict::Due);
    let expected: u64 = due.map(|candidate| candidate.row.size).fold(0, u64::saturating_add);
    let mut over = disk.over(policy.disk_low).saturating_sub(expected);
    let early = |candidate: &&mut Candidate| {
        let waits = candidate.row.verdict == Verdict::Waits && clocks.seen_again(&candidate.thing);
        waits && candidate.replaceable && matches!(candidate.thing, Thing::Image(_))
    };
    for candidate in candidates.iter_mut().filter(early) {
        if over == 0 {
            return;
        }
        over = over.saturating_sub(candidate.row.size);
        let seen_for = clocks.seen_for(&candidate.thing).unwrap_or_default();
        candidate.row.verdict = Verdict::Due;
        candidate.row.seconds_left = None;
        candidate.row.reason = format!(
            "unused for {} of {}, and the disk is {} % full",
            span(seen_for),
            span(policy.grace),
            disk.percent()
        );
    }
}

/// A time in the largest unit that still tells something.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        172_800.. => format!("{} days", seconds / 86_400),
    }
}
