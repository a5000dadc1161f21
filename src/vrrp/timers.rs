//! The protocol's two computed times (RFC 3768 section 6.1, RFC 9568 section 6.1).

use super::Version;
use core::time::Duration;

/// Version 2 measures the skew in seconds whatever the advert interval.
const V2_SKEW_UNIT: Duration = Duration::from_secs(1);
/// A silent master is given up after this many of its intervals, and the skew.
const DOWN_ADVERTS: u32 = 3;

/// How long a backup of `priority` lets others go first: the higher its priority, the shorter.
pub fn skew(version: Version, priority: u8, master_interval: Duration) -> Duration {
    let unit = match version {
        Version::V2 => V2_SKEW_UNIT,
        Version::V3 => master_interval,
    };
    // Multiplied first: 254 at 10 ms is 78 µs, which a division first would round away.
    unit * (256 - u32::from(priority)) / 256
}

/// After how much silence a backup of `priority` takes its master for dead.
pub fn master_down(version: Version, priority: u8, master_interval: Duration) -> Duration {
    master_interval * DOWN_ADVERTS + skew(version, priority, master_interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_is_exact() {
        let second = Duration::from_secs(1);
        // (256 - 254) / 256 s = 7.8125 ms; (256 - 130) / 256 s = 492.1875 ms.
        assert_eq!(skew(Version::V2, 254, second), Duration::from_nanos(7_812_500));
        assert_eq!(skew(Version::V2, 130, second), Duration::from_nanos(492_187_500));
        // Version 2 does not scale with the interval, version 3 does: 2 x 10 ms / 256 = 78.125 µs.
        assert_eq!(skew(Version::V2, 254, 4 * second), Duration::from_nanos(7_812_500));
        assert_eq!(skew(Version::V3, 254, Duration::from_millis(10)), Duration::from_nanos(78_125));
    }

    #[test]
    fn master_down_is_three_intervals_and_the_skew() {
        // Priority 100, 1 s: 3 + 156 / 256 = 3.609375 s.
        assert_eq!(master_down(Version::V2, 100, Duration::from_secs(1)), Duration::from_micros(3_609_375));
        // 230 at 100 ms: 300 + 100 x 26 / 256 = 310.15625 ms.
        assert_eq!(
            master_down(Version::V3, 230, Duration::from_millis(100)),
            Duration::from_nanos(310_156_250)
        );
    }
}
