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
