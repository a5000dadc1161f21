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

/// Seconds since 1970, for what people are told and registries are asked: this clock may jump.
pub fn unix() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()
}

/// Microseconds since 1970, for the times in messages: this clock may jump.
pub fn unix_micros() -> u64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or_default()
}

/// Minutes since midnight, in the machine's time zone (`TZ`, else `/etc/localtime`).
pub fn minute_of_day() -> u16 {
    let local = local(unix());
    u16::try_from(local.tm_hour * 60 + local.tm_min).unwrap_or_default()
}

/// Seconds that local time is ahead of UTC, `seconds` after 1970.
pub fn utc_offset(seconds: u64) -> i32 {
    i32::try_from(local(seconds).tm_gmtoff).unwrap_or_default()
}

fn local(seconds: u64) -> libc::tm {
    #[cfg_attr(
        target_env = "musl",
        expect(deprecated, reason = "the libc crate announces 64 bits for it; either will do")
    )]
    let seconds = libc::time_t::try_from(seconds).unwrap_or_default();
    let mut local = core::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to values that live here.
    unsafe { libc::localtime_r(&raw const seconds, local.as_mut_ptr()) };
    // SAFETY: a `tm` of zeroes is valid, too, if it was left as it was.
    unsafe { local.assume_init() }
}

/// Does somebody (NTP) keep the clock right? The kernel knows, whoever it is.
pub fn is_synchronized() -> bool {
    // linux/timex.h: nobody has said so for long enough.
    const STA_UNSYNC: core::ffi::c_int = 0x40;
    let mut clock = core::mem::MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: it lives here; its `modes` of zero ask and change nothing.
    let state = unsafe { libc::adjtimex(clock.as_mut_ptr()) };
    // SAFETY: a `timex` of zeroes is valid, too, if it was left as it was.
    let clock = unsafe { clock.assume_init() };
    state >= 0 && clock.status & STA_UNSYNC == 0
}

#[cfg(test)]
mod tests {
    use super::{minute_of_day, unix, utc_offset};

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
    #[test]
    fn the_offset_is_what_date_says() {
        let out = std::process::Command::new("date").arg("+%z").output().unwrap().stdout;
        let text = String::from_utf8(out).unwrap();
        let (hours, minutes) = text.trim().split_at(3);
        let sign = if hours.starts_with('-') { -1 } else { 1 };
        let expected = hours.parse::<i32>().unwrap() * 3600 + sign * minutes.parse::<i32>().unwrap() * 60;
        assert_eq!(utc_offset(unix()), expected);
    }
}
