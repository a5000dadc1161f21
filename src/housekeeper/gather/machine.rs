//! Disks and board, as a look at this machine finds them.

use crate::checks::board::is_read_only;
use crate::checks::run::board::signs;
use crate::report::node::{Board, Disk};
use nix::sys::stat::stat;
use nix::sys::statvfs::statvfs;
use std::fs;
use std::path::Path;

/// Where the kernel shows the device tree's name for the machine, ended by a zero.
const MODEL: &str = "/proc/device-tree/model";
/// Bits of `get_throttled`: now too little voltage; now capped or throttled.
const UNDER_VOLTAGE: u32 = 1;
const SLOWED: u32 = 1 << 1 | 1 << 2;

/// The file systems of `/`, of Docker's data and of the state, each once.
pub fn disks(docker: &str, state: &Path) -> Vec<Disk> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let (mut seen, mut disks) = (Vec::new(), Vec::new());
    for (what, path) in [("root", Path::new("/")), ("docker", Path::new(docker)), ("state", state)] {
        let (Ok(file), Ok(system)) = (stat(path), statvfs(path)) else { continue };
        if seen.contains(&file.st_dev) {
            continue;
        }
        seen.push(file.st_dev);
        #[expect(clippy::useless_conversion, reason = "32 bits wide on some targets")]
        let bytes = |blocks| u64::from(blocks).saturating_mul(u64::from(system.fragment_size()));
        let path = path.to_string_lossy().into_owned();
        let read_only = is_read_only(&mounts, &path);
        disks.push(Disk {
            path,
            what,
            size: bytes(system.blocks()),
            free: bytes(system.blocks_available()),
            read_only,
        });
    }
    disks
}

/// Nothing where the machine says nothing of itself.
pub fn board() -> Option<Board> {
    let model = fs::read(MODEL).ok();
    let model = model.map(|model| String::from_utf8_lossy(&model).trim_end_matches(['\0', '\n']).to_owned());
    let signs = signs(Path::new("/"));
    // Only a Pi's firmware knows; on others nobody says that all is well.
    let is_pi = model.as_ref().is_some_and(|model| model.starts_with("Raspberry Pi"));
    (model.is_some() || signs.heat.is_some()).then(|| Board {
        model,
        heat: signs.heat,
        under_voltage: is_pi.then_some(signs.under_voltage || signs.throttled & UNDER_VOLTAGE != 0),
        throttled: is_pi.then_some(signs.throttled & SLOWED != 0),
    })
}
