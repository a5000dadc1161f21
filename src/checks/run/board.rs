//! Looks at the board: the few files of /sys and /proc that tell of it, under a root that may be a recorded one.

use super::aside::Aside;
use super::{Look, os};
use crate::checks::board::{self, Signs};
use crate::checks::health::Reason;
use nix::errno::Errno;
use std::fs;
use std::path::{Path, PathBuf};

/// What the firmware says, on kernels without `rpi_volt`. Not on the Pi 5, whose kernels all have that.
const THROTTLED: &str = "sys/devices/platform/soc/soc:firmware/get_throttled";
/// Docker's data, unless its configuration says otherwise.
const DOCKER: &str = "/var/lib/docker";
/// A file that every system has on its root file system.
const ROOTS_OWN: &str = "etc/os-release";

/// The board, looked at aside: the firmware answers when it likes.
pub(super) struct Board {
    too_hot: u8,
    aside: Aside<Reason>,
}

impl Board {
    pub(super) fn new(too_hot: u8) -> Self {
        Self { too_hot, aside: Aside::new() }
    }
}

impl Look for Board {
    async fn look(&mut self) -> Reason {
        let too_hot = self.too_hot;
        let look = move || board::judge(&signs(Path::new("/")), too_hot);
        self.aside.ask(look).await.unwrap_or_else(|error| os(&error))
    }
}

/// What the files below `root` say now. What is not there says nothing.
pub fn signs(root: &Path) -> Signs {
    let mounts = fs::read_to_string(root.join("proc/self/mountinfo")).unwrap_or_default();
    let alarm = under_voltage_alarm(root);
    let throttled = if alarm.is_none() { text(root.join(THROTTLED)) } else { None };
    Signs {
        heat: heat(root),
        under_voltage: alarm.is_some_and(|alarm| alarm.trim() == "1"),
        throttled: throttled.as_deref().and_then(board::throttled).unwrap_or(0),
        root_read_only: board::is_read_only(&mounts, "/") || is_shut_down(&root.join(ROOTS_OWN)),
        docker_read_only: board::is_read_only(&mounts, &docker_data(root)),
    }
}

fn heat(root: &Path) -> Option<i32> {
    let zones = entries(root.join("sys/class/thermal")).filter(|zone| {
        zone.file_name().is_some_and(|name| name.to_string_lossy().starts_with("thermal_zone"))
    });
    zones.filter_map(|zone| text(zone.join("temp"))?.trim().parse().ok()).max()
}

/// Nothing without the driver.
fn under_voltage_alarm(root: &Path) -> Option<String> {
    let named = |device: &PathBuf| text(device.join("name")).is_some_and(|name| name.trim() == "rpi_volt");
    entries(root.join("sys/class/hwmon")).find(named).and_then(|device| text(device.join("in0_lcrit_alarm")))
}

/// From Linux 6.12 to 6.14 an ext4 that failed keeps saying `rw`, but opens no file any more.
fn is_shut_down(file: &Path) -> bool {
    fs::File::open(file).is_err_and(|error| error.raw_os_error() == Some(Errno::EIO as i32))
}

/// Many a Pi has its containers on an SSD by a symbolic link.
fn docker_data(root: &Path) -> String {
    let data = fs::read_link(root.join(&DOCKER[1..])).ok();
    data.filter(|data| data.is_absolute())
        .map_or_else(|| DOCKER.to_owned(), |data| data.to_string_lossy().into_owned())
}

fn entries(folder: PathBuf) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn text(path: PathBuf) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    /// The other end of a terminal that nobody has unlocked is a file that answers EIO.
    #[test]
    fn a_file_system_that_opens_nothing_is_shut_down() {
        let terminal = fs::File::open("/dev/ptmx").unwrap();
        let told = text(format!("/proc/self/fdinfo/{}", terminal.as_raw_fd()).into()).unwrap();
        let number = told.lines().find_map(|line| line.strip_prefix("tty-index:")).unwrap().trim();
        assert!(is_shut_down(&Path::new("/dev/pts").join(number)));
        assert!(!is_shut_down(Path::new("/proc/self/mountinfo")) && !is_shut_down(Path::new("/nonexistent")));
    }
}
