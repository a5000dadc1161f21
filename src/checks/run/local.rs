//! Looks at this machine: files and disks, which a dead mount can block for ever, and interfaces, which do not block.

use super::aside::Aside;
use super::{Look, os};
use crate::checks::board;
use crate::checks::health::Reason;
use crate::checks::probe::{self, Space};
use nix::sys::statvfs::{FsFlags, Statvfs, statvfs};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A file or a disk, looked at aside.
pub(super) struct Local<'a> {
    path: &'a Path,
    look: fn(&Path) -> Reason,
    aside: Aside<Reason>,
}

impl<'a> Local<'a> {
    pub(super) fn file(path: &'a Path) -> Self {
        Self { path, look: file, aside: Aside::new() }
    }

    pub(super) fn disk(path: &'a Path) -> Self {
        Self { path, look: disk, aside: Aside::new() }
    }
}

impl Look for Local<'_> {
    async fn look(&mut self) -> Reason {
        let (path, look) = (self.path.to_owned(), self.look);
        self.aside.ask(move || look(&path)).await.unwrap_or_else(|error| os(&error))
    }
}

fn file(path: &Path) -> Reason {
    match fs::metadata(path) {
        Ok(_) => Reason::Exists,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Reason::Missing,
        Err(error) => os(&error),
    }
}

fn disk(path: &Path) -> Reason {
    match statvfs(path) {
        Ok(stat) => probe::disk(Space { read_only: is_read_only(&stat, path), ..space(&stat) }),
        Err(errno) => Reason::Os(errno as i32),
    }
}

#[expect(clippy::allow_attributes, reason = "the conversions below are needed on 32-bit ARM only")]
fn space(stat: &Statvfs) -> Space {
    #[allow(clippy::useless_conversion, reason = "32 bits wide on 32-bit ARM")]
    let wide = |number: libc::fsblkcnt_t| u64::from(number);
    #[allow(clippy::useless_conversion, reason = "32 bits wide on 32-bit ARM")]
    let fragment = u64::from(stat.fragment_size());
    Space {
        total: wide(stat.blocks()).saturating_mul(fragment),
        free: wide(stat.blocks_available()).saturating_mul(fragment),
        files: wide(stat.files()),
        files_free: wide(stat.files_available()),
        read_only: false,
    }
}

/// In a unit with `ProtectSystem=` the mount that is seen is read-only and the file system is not: then its own options
/// count.
fn is_read_only(stat: &Statvfs, path: &Path) -> bool {
    stat.flags().contains(FsFlags::ST_RDONLY)
        && fs::canonicalize(path).is_ok_and(|path| {
            let mounts = fs::read_to_string("/proc/thread-self/mountinfo").unwrap_or_default();
            board::is_read_only(&mounts, &path.to_string_lossy())
        })
}

/// An interface of this network namespace (that /sys was mounted in).
pub(super) struct Interface(PathBuf);

impl Interface {
    pub(super) fn new(name: &str) -> Self {
        Self(Path::new("/sys/class/net").join(name))
    }
}

impl Look for Interface {
    async fn look(&mut self) -> Reason {
        let mut buffers = [[0; 32]; 3];
        let [flags, carrier, operstate] = &mut buffers;
        match attribute(&self.0.join("flags"), flags) {
            // `carrier` cannot be read while the interface is down: EINVAL.
            Ok(flags) => {
                let carrier = attribute(&self.0.join("carrier"), carrier).unwrap_or_default();
                let operstate = attribute(&self.0.join("operstate"), operstate).unwrap_or_default();
                probe::interface(flags, carrier, operstate)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Reason::NoInterface,
            Err(error) => os(&error),
        }
    }
}

fn attribute<'a>(path: &Path, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let len = File::open(path)?.read(buffer)?;
    Ok(&buffer[..len])
}
