//! The monotonic clock.

use crate::time::Time;
use core::time::Duration;
use nix::time::{ClockId, clock_gettime};

/// Now. The clock does not count while the machine is suspended.
///
/// # Panics
/// Never: the kernel always has this clock.
pub fn now() -> Time {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every kernel has CLOCK_MONOTONIC");
    Time::ZERO + Duration::from(now)
}

/// Minutes since midnight in local time: `TZ`, or `/etc/localtime`. UTC where neither can be read.
pub fn minute_of_day() -> u16 {
    let now = clock_gettime(ClockId::CLOCK_REALTIME).expect("every kernel has CLOCK_REALTIME");
    let seconds = now.tv_sec();
    let mut local = core::mem::MaybeUninit::<libc::tm>::uninit();
    // SAFETY: reads one time, writes one `tm`; both are ours and large enough.
    let done = unsafe { libc::localtime_r(&raw const seconds, local.as_mut_ptr()) };
    if done.is_null() {
        // Only a year that no `int` holds.
        return 0;
    }
    // SAFETY: localtime_r has filled it, as it did not return null.
    let local = unsafe { local.assume_init() };
    u16::try_from(local.tm_hour * 60 + local.tm_min).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::minute_of_day;

    #[test]
    fn the_minute_is_what_date_says() {
        let date = || {
            let out = std::process::Command::new("date").arg("+%H %M").output().unwrap().stdout;
            let text = String::from_utf8(out).unwrap();
            let (hours, minutes) = text.trim().split_once(' ').unwrap();
            hours.parse::<u16>().unwrap() * 60 + minutes.parse::<u16>().unwrap()
        };
        // The minute may turn in between.
        let (before, ours, after) = (date(), minute_of_day(), date());
        assert!(ours == before || ours == after, "{before} {ours} {after}");
    }
}
