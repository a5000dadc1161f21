//! Reads and replaces the state file, and holds the lock of a round.

use super::State;
use super::file::{self, FileError};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::time::SystemTime;

/// The state, in the directory.
const FILE: &str = "state";
/// The state as it is being written.
const BESIDE: &str = "state.new";
/// Locked during a round; holds the PID of who did so last.
const LOCK: &str = "lock";
/// Unreadable files that are kept for a look: enough to see a pattern, too few to fill a card.
const MAX_TORN: u32 = 3;
/// Longest PID in the lock file, in digits.
const MAX_PID: u64 = 10;

/// The state during one round. No other round, of the daemon or of a command, runs meanwhile.
#[derive(Debug)]
pub struct Session {
    /// To be read and changed; [`save`](Self::save) makes it last.
    pub state: State,
    place: Option<Place>,
}

/// Where a session that may write has its files.
#[derive(Debug)]
struct Place {
    dir: PathBuf,
    /// Let go when dropped, and by the kernel when the process dies.
    _lock: Flock<File>,
}

impl Session {
    /// Locks and reads the state in `dir`, which is made if it is missing. A torn, old or foreign file is set aside with
    /// a warning, and the state is empty then.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] while another round runs; whatever the directory refuses. Both name the place.
    pub fn open(dir: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| at(dir, &error))?;
        let lock = lock(&dir.join(LOCK))?;
        let path = dir.join(FILE);
        let state = match read(&path).map_err(|error| at(&path, &error))? {
            Ok(state) => state,
            Err(error) => {
                let aside = set_aside(dir).map_err(|error| at(&path, &error))?;
                log::warn!(
                    "{}: {error}: set aside as {}; what was held or waited for its removal is forgotten",
                    path.display(),
                    aside.display()
                );
                State::default()
            }
        };
        Ok(Self { state, place: Some(Place { dir: dir.to_owned(), _lock: lock }) })
    }

    /// Reads without a lock; [`save`](Self::save) does nothing then. For dry runs. What cannot be read counts as empty,
    /// with a warning.
    pub fn look(dir: &Path) -> Self {
        let path = dir.join(FILE);
        let state = match read(&path) {
            Ok(Ok(state)) => Ok(state),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let state = state.unwrap_or_else(|why| {
            log::warn!("{}: {why}: shown as if nothing had been seen before", path.display());
            State::default()
        });
        Self { state, place: None }
    }

    /// Replaces the file as a whole (written beside it, synced, renamed), unless it says the same already: cards wear.
    ///
    /// # Errors
    /// A full disk, a directory that went: the old file stays. They name the place.
    pub fn save(&self) -> io::Result<()> {
        let Some(Place { dir, .. }) = &self.place else { return Ok(()) };
        let path = dir.join(FILE);
        let bytes = file::emit(&self.state).map_err(|error| at(&path, &io::Error::other(error)))?;
        if holds(&path, &bytes) {
            return Ok(());
        }
        replace(dir, &path, &bytes).map_err(|error| at(&path, &error))
    }
}

/// The error with the place it came from, for the person at the Pi.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Takes the lock and leaves this process's PID in it.
fn lock(path: &Path) -> io::Result<Flock<File>> {
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
            let who = pid.map_or_else(String::new, |pid| format!(" (PID {pid})"));
            let text = format!("another round of updates or pruning runs{who}: try again when it is over");
            Err(io::Error::new(ErrorKind::WouldBlock, text))
        }
        Err((_, errno)) => Err(at(path, &errno.into())),
    }
}

/// The state in the file; an empty one if there is none.
fn read(path: &Path) -> io::Result<Result<State, FileError>> {
    // Whatever else than a file is there must not keep us waiting.
    let file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Ok(State::default())),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    match file.take(file::MAX_FILE as u64 + 1).read_to_end(&mut bytes) {
        Ok(_) => Ok(file::parse(&bytes)),
        Err(error) if error.kind() == ErrorKind::IsADirectory => Ok(Err(FileError::Foreign)),
        Err(error) => Err(error),
    }
}

/// True if the file consists of `bytes`.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let same_len = fs::metadata(path).is_ok_and(|file| file.len() == bytes.len() as u64);
    same_len && fs::read(path).is_ok_and(|there| there == bytes)
}

/// Writes beside, syncs, renames, syncs the directory: after a power loss, the old file or the new one is there.
fn replace(dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = dir.join(BESIDE);
    let written = write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What was written of it may be what fills the disk.
        let _gone = fs::remove_file(&beside);
    }
    written?;
    File::open(dir)?.sync_all()
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let options = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).clone();
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Renames the state file out of the way; returns its new name. The oldest of those makes room.
fn set_aside(dir: &Path) -> io::Result<PathBuf> {
    let names = (1..=MAX_TORN).map(|n| dir.join(format!("{FILE}.torn-{n}")));
    let age = |path: &PathBuf| {
        fs::symlink_metadata(path).and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let aside = names.min_by_key(age).ok_or(ErrorKind::NotFound)?;
    if fs::symlink_metadata(&aside).is_ok_and(|there| there.is_dir()) {
        fs::remove_dir(&aside)?;
    }
    fs::rename(dir.join(FILE), &aside)?;
    Ok(aside)
}
