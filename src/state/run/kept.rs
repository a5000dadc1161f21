//! One file of the state directory: read whole, replaced whole, set aside when it is not what it should be. And a lock
//! beside it.

use crate::state::seal::FileError;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::time::SystemTime;

/// Unreadable files that are kept for a look: enough to see a pattern, too few to fill a card.
const MAX_TORN: u32 = 3;
/// Longest PID in the lock file, in digits.
const MAX_PID: u64 = 10;

/// A file.
#[derive(Clone, Debug)]
pub struct Kept {
    dir: PathBuf,
    name: &'static str,
}

/// Makes the directory where it is missing.
pub fn make(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| at(dir, &error))
}

/// The error with the place it came from, for the person at the Pi.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

impl Kept {
    /// Of this name, in `dir`.
    pub fn new(dir: &Path, name: &'static str) -> Self {
        Self { dir: dir.to_owned(), name }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.dir.join(self.name)
    }

    /// What `parse` finds in it; nothing if there is no file. `limit`: the largest there can be.
    ///
    /// # Errors
    /// What the file system refuses, with the place.
    pub fn read<T>(
        &self,
        limit: usize,
        parse: impl Fn(&[u8]) -> Result<T, FileError>,
    ) -> io::Result<Option<Result<T, FileError>>> {
        match read(&self.path(), limit) {
            Ok(bytes) => Ok(Some(parse(&bytes))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == ErrorKind::IsADirectory => Ok(Some(Err(FileError::Foreign))),
            Err(error) => Err(at(&self.path(), &error)),
        }
    }

    /// The same; what cannot be made sense of is set aside with a warning that ends in `loss`, and nothing is found then.
    ///
    /// # Errors
    /// What the file system refuses, with the place.
    pub fn read_or_set_aside<T>(
        &self,
        limit: usize,
        parse: impl Fn(&[u8]) -> Result<T, FileError>,
        loss: &str,
    ) -> io::Result<Option<T>> {
        match self.read(limit, parse)? {
            Some(Ok(content)) => Ok(Some(content)),
            None => Ok(None),
            Some(Err(error)) => {
                let aside = self.set_aside().map_err(|error| at(&self.path(), &error))?;
                let (path, aside) = (self.path(), aside.display());
                log::warn!("{}: {error}: set aside as {aside}; {loss}", path.display());
                Ok(None)
            }
        }
    }

    /// Replaces the file as a whole (written beside it, synced, renamed), unless it says the same already: cards wear.
    ///
    /// # Errors
    /// A full disk, a directory that went: the old file stays. They name the place.
    pub fn save(&self, bytes: &[u8]) -> io::Result<()> {
        if self.holds(bytes) { Ok(()) } else { self.replace(bytes).map_err(|error| at(&self.path(), &error)) }
    }

    /// True if the file consists of `bytes`.
    fn holds(&self, bytes: &[u8]) -> bool {
        let path = self.path();
        let same_len = fs::metadata(&path).is_ok_and(|file| file.len() == bytes.len() as u64);
        same_len && fs::read(&path).is_ok_and(|there| there == bytes)
    }

    /// Writes beside, syncs, renames, syncs the directory: after a power loss, the old file or the new one is there.
    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let beside = self.dir.join(format!("{}.new", self.name));
        let written = write(&beside, bytes).and_then(|()| fs::rename(&beside, self.path()));
        if written.is_err() {
            // What was written of it may be what fills the disk.
            let _gone = fs::remove_file(&beside);
        }
        written?;
        File::open(&self.dir)?.sync_all()
    }

    /// Renames the file out of the way; returns its new name. The oldest of those makes room.
    fn set_aside(&self) -> io::Result<PathBuf> {
        let names = (1..=MAX_TORN).map(|n| self.dir.join(format!("{}.torn-{n}", self.name)));
        let age = |path: &PathBuf| {
            fs::symlink_metadata(path).and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
        };
        let aside = names.min_by_key(age).ok_or(ErrorKind::NotFound)?;
        if fs::symlink_metadata(&aside).is_ok_and(|there| there.is_dir()) {
            fs::remove_dir(&aside)?;
        }
        fs::rename(self.path(), &aside)?;
        Ok(aside)
    }
}

fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    // Whatever else than a file is there must not keep us waiting.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let options = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).clone();
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Takes the lock at `path` and leaves this process's PID in it. Let go when dropped, and by the kernel when the process
/// dies.
///
/// # Errors
/// [`ErrorKind::WouldBlock`] while another process holds it: it says that `who` runs, and the PID.
pub fn lock(path: &Path, who: &str) -> io::Result<Flock<File>> {
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).clone();
    let file = options.open(path).map_err(|error| at(path, &error))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => {
            // Only for the other's message: a full disk refuses nobody the lock.
            let _unsaid = lock.set_len(0).and_then(|()| write!(&*lock, "{}", process::id()));
            Ok(lock)
        }
        Err((held, Errno::EWOULDBLOCK)) => {
            let mut pid = String::new();
            let read = held.take(MAX_PID).read_to_string(&mut pid);
            let pid = read.ok().and_then(|_| pid.parse::<u32>().ok());
            let pid = pid.map_or_else(String::new, |pid| format!(" (PID {pid})"));
            let text = format!("{who} runs{pid}: try again when it is over");
            Err(io::Error::new(ErrorKind::WouldBlock, text))
        }
        Err((_, errno)) => Err(at(path, &errno.into())),
    }
}
