//! Reads and replaces the state file, and holds the lock of a round.

pub mod kept;

use super::State;
use super::file;
use kept::Kept;
use nix::fcntl::Flock;
use std::fs::File;
use std::io;
use std::path::Path;

/// The state, in the directory.
const FILE: &str = "state";
/// Locked during a round; holds the PID of who did so last.
const LOCK: &str = "lock";

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
    file: Kept,
    /// Let go when dropped, and by the kernel when the process dies.
    _lock: Flock<File>,
}

impl Session {
    /// Locks and reads the state in `dir`, which is made if it is missing. A torn, old or foreign file is set aside with
    /// a warning, and the state is empty then.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) while another round runs; whatever the directory refuses. Both name the
    /// place.
    pub fn open(dir: &Path) -> io::Result<Self> {
        kept::make(dir)?;
        let lock = kept::lock(&dir.join(LOCK), "another round of updates or pruning")?;
        let file = Kept::new(dir, FILE);
        let loss = "what was held or waited for its removal is forgotten";
        let state = file.read_or_set_aside(file::MAX_FILE, file::parse, loss)?.unwrap_or_default();
        Ok(Self { state, place: Some(Place { file, _lock: lock }) })
    }

    /// Reads without a lock; [`save`](Self::save) does nothing then. For dry runs. What cannot be read counts as empty,
    /// with a warning.
    pub fn look(dir: &Path) -> Self {
        let file = Kept::new(dir, FILE);
        let state = match file.read(file::MAX_FILE, file::parse) {
            Ok(None) => Ok(State::default()),
            Ok(Some(Ok(state))) => Ok(state),
            Ok(Some(Err(error))) => Err(format!("{}: {error}", file.path().display())),
            Err(error) => Err(error.to_string()),
        };
        let state = state.unwrap_or_else(|why| {
            log::warn!("{why}: shown as if nothing had been seen before");
            State::default()
        });
        Self { state, place: None }
    }

    /// Replaces the file as a whole (written beside it, synced, renamed), unless it says the same already: cards wear.
    ///
    /// # Errors
    /// A full disk, a directory that went: the old file stays. They name the place.
    pub fn save(&self) -> io::Result<()> {
        let Some(Place { file, .. }) = &self.place else { return Ok(()) };
        let bytes = file::emit(&self.state)
            .map_err(|error| io::Error::other(format!("{}: {error}", file.path().display())))?;
        file.save(&bytes)
    }
}
