//! Whatever the kernel's files about this machine say, a look at them ends in a finding: mounts, throttling, interfaces.
//!
//! The first line is `get_throttled`, the next three an interface's files, the rest `mountinfo`.

use unsinkable::checks::board::{Signs, is_read_only, judge, throttled};
use unsinkable::checks::health::Reason;
use unsinkable::checks::probe::{Space, disk, interface};

const PLACES: [&str; 3] = ["/", "/var/lib/docker", "/var/lib/docker/"];

/// Reads `data` as these files.
pub fn run(data: &[u8]) {
    let mut lines = data.splitn(5, |&byte| byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (firmware, flags, carrier, state) = (line(), line(), line(), line());
    let mounts = String::from_utf8_lossy(line()).into_owned();

    let link = interface(flags, carrier, state);
    assert!(matches!(link, Reason::LinkUp | Reason::LinkDown | Reason::NoCarrier), "{link:?}");
    assert!(link != Reason::LinkUp || carrier.trim_ascii() == b"1");

    let firmware = String::from_utf8_lossy(firmware);
    let throttled = throttled(&firmware).unwrap_or_default();
    let heat = firmware.trim().parse::<i32>().ok();
    let signs = Signs { heat, throttled, ..Signs::default() };
    let found = judge(&signs, 85);
    let holds = match heat {
        _ if throttled & 1 != 0 => found == Reason::UnderVoltage,
        Some(85_000..) => matches!(found, Reason::TooHot(85..)),
        _ if throttled & 6 != 0 => found == Reason::Throttled,
        Some(heat) => {
            matches!(found, Reason::Degrees(degrees) if i32::from(degrees) == heat.max(-32_768_999) / 1000)
        }
        None => found == Reason::NoThermometer,
    };
    assert!(holds, "{signs:?}: {found:?}");

    for place in PLACES {
        is_read_only(&mounts, place);
        // A file system mounted over it later hides the one below.
        for (options, expected) in [("rw,relatime", false), ("ro", true)] {
            let over = format!("{mounts}\n9 1 8:2 / /var/lib/docker rw - ext4 /dev/sda1 {options}\n");
            let covered = mounts.contains("//") || mounts.contains("/var/lib/docker");
            assert!(place == "/" || covered || is_read_only(&over, place) == expected, "{over}");
        }
    }
    full(data);
}

/// Numbers of a file system, however strange.
fn full(data: &[u8]) {
    let number = |at: usize| {
        data.get(at * 8..).and_then(<[u8]>::first_chunk).map_or(0, |eight| u64::from_le_bytes(*eight))
    };
    let [total, free, files, files_free] = [0, 1, 2, 3].map(number);
    let space = Space { total, free, files, files_free, read_only: false };
    let found = disk(space);
    assert!(free > 0 || matches!(found, Reason::Full(0)), "{space:?}: {found:?}");
    assert_eq!(disk(Space { read_only: true, ..space }), Reason::ReadOnly);
}
