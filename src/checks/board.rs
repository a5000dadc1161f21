//! What the kernel says of the board itself: heat, voltage, throttling, file systems turned read-only.
//!
//! Under-voltage comes from the hwmon driver `rpi_volt`, on the Pi 5 too: `in0_lcrit_alarm`, since Linux 4.19, is 1 if the
//! voltage was too low at any time of the last two seconds. Where that is not there, `get_throttled` of the firmware driver
//! says it, and throttling too. Beside `rpi_volt` that file only repeats what the driver asked last, and warns with a stack
//! trace when it is read, so it is read on older kernels only; there, heat tells what the firmware will do about it.

use super::health::Reason;

/// What one look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// The hottest zone, in thousandths of a degree Celsius.
    pub heat: Option<i32>,
    /// `in0_lcrit_alarm`.
    pub under_voltage: bool,
    /// `get_throttled`: see [`throttled`].
    pub throttled: u32,
    /// The root file system takes no writes.
    pub root_read_only: bool,
    /// Nor does the one with Docker's data.
    pub docker_read_only: bool,
}

/// Bits of `get_throttled` (the firmware's documentation of `vcgencmd`): now too little voltage.
const UNDER_VOLTAGE: u32 = 1;
/// Now capped in frequency, now throttled. Bit 3, the Pi 3 B+'s soft limit at 60 °C, is everyday life; from bit 16 on
/// it says what has been since the board started.
const SLOWED: u32 = 1 << 1 | 1 << 2;

/// The worst of the signs; well without any.
pub fn judge(signs: &Signs, too_hot: u8) -> Reason {
    // A sensor that is not there may say -2147483648.
    let degrees = signs
        .heat
        .map(|heat| i16::try_from(heat / 1000).unwrap_or(if heat < 0 { i16::MIN } else { i16::MAX }));
    if signs.root_read_only {
        return Reason::RootReadOnly;
    }
    if signs.docker_read_only {
        return Reason::DockerReadOnly;
    }
    if signs.under_voltage || signs.throttled & UNDER_VOLTAGE != 0 {
        return Reason::UnderVoltage;
    }
    match degrees {
        Some(degrees) if degrees >= i16::from(too_hot) => Reason::TooHot(degrees),
        _ if signs.throttled & SLOWED != 0 => Reason::Throttled,
        Some(degrees) => Reason::Degrees(degrees),
        None => Reason::NoThermometer,
    }
}

/// The hexadecimal number of `get_throttled`.
pub fn throttled(text: &str) -> Option<u32> {
    let text = text.trim();
    u32::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}

/// File systems that are read-only by nature.
const NEVER_WRITTEN: [&str; 4] = ["squashfs", "erofs", "iso9660", "cramfs"];
/// Options of a file system that takes no writes. After an error ext4 said `ro` up to Linux 6.11; since 6.15 it says that it
/// is in an emergency or shut down, beside an unchanged `rw`.
const READ_ONLY: [&str; 3] = ["ro", "emergency_ro", "shutdown"];

/// Does the file system under `path` take no writes, though it should? From `/proc/self/mountinfo` (proc(5)). What counts
/// is the file system's own options: a unit with `ProtectSystem=` sees read-only mounts of one that is written to.
pub fn is_read_only(mountinfo: &str, path: &str) -> bool {
    let under = mountinfo.lines().filter_map(mount).filter(|mount| covers(mount.point, path));
    // Of two mounts at the same place the later one hides the other.
    let top = under.max_by_key(|mount| mount.point.len());
    top.is_some_and(|mount| {
        !NEVER_WRITTEN.contains(&mount.kind)
            && mount.options.split(',').any(|option| READ_ONLY.contains(&option))
    })
}

struct Mount<'a> {
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

fn mount(line: &str) -> Option<Mount<'_>> {
    let (mount, system) = line.split_once(" - ")?;
    let mut system = system.split(' ');
    Some(Mount { point: mount.split(' ').nth(4)?, kind: system.next()?, options: system.nth(1)? })
}

fn covers(point: &str, path: &str) -> bool {
    let below = path.strip_prefix(point.trim_end_matches('/'));
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_sign_is_told() {
        let well = Signs { heat: Some(54_321), ..Signs::default() };
        assert_eq!(judge(&well, 80), Reason::Degrees(54));
        assert_eq!(judge(&Signs { heat: Some(79_999), ..well }, 80), Reason::Degrees(79));
        assert_eq!(judge(&Signs { heat: Some(80_000), ..well }, 80), Reason::TooHot(80));
        assert_eq!(judge(&Signs { under_voltage: true, ..well }, 80), Reason::UnderVoltage);
        assert_eq!(
            judge(&Signs { docker_read_only: true, under_voltage: true, ..well }, 80),
            Reason::DockerReadOnly
        );
        assert_eq!(judge(&Signs::default(), 80), Reason::NoThermometer);
        let frozen = Signs { heat: Some(i32::MIN), ..Signs::default() };
        assert_eq!(judge(&frozen, 80), Reason::Degrees(i16::MIN), "not too hot");
        assert_eq!(judge(&Signs { heat: Some(i32::MAX), ..frozen }, 80), Reason::TooHot(i16::MAX));
    }

    #[test]
    fn only_what_is_now_and_not_the_soft_limit_counts_of_get_throttled() {
        let told = |text| judge(&Signs { throttled: throttled(text).unwrap(), ..Signs::default() }, 80);
        assert_eq!(told("0\n"), Reason::NoThermometer);
        assert_eq!(told("50005\n"), Reason::UnderVoltage);
        assert_eq!(told("50000\n"), Reason::NoThermometer);
        assert_eq!(told("e0002\n"), Reason::Throttled);
        assert_eq!(told("0x4"), Reason::Throttled);
        assert_eq!(told("80008\n"), Reason::NoThermometer);
        assert_eq!(throttled("nonsense"), None);
    }

    /// As Linux 6.18 told it of an ext4 whose `trigger_fs_error` was written to, and of one shut down by ioctl.
    #[test]
    fn an_ext4_that_failed_says_so_beside_rw() {
        let told = |options| {
            let line = format!("89 68 7:0 / /mnt rw,noatime - ext4 /dev/loop0 {options}");
            is_read_only(&line, "/mnt/docker")
        };
        assert!(!told("rw,errors=remount-ro"));
        assert!(told("rw,errors=remount-ro,emergency_ro") && told("rw,shutdown") && told("ro"));
    }

    #[test]
    fn a_mount_belongs_to_the_paths_below_it() {
        assert!(covers("/", "/") && covers("/", "/var/lib/docker") && covers("/var", "/var/lib/docker"));
        assert!(!covers("/var/lib/dock", "/var/lib/docker") && !covers("/srv", "/"));
    }
}
