//! Reads and replaces the state file, and holds the lock of a round.

use super::State;
use std::io;
use std::path::Path;

/// The state during one round. No other round, of the daemon or of a command, runs meanwhile.
#[derive(Debug)]
pub struct Session {
    /// To be read and changed; [`save`](Self::save) makes it last.
    pub state: State,
}

impl Session {
    /// Locks and reads the state in `dir`. A torn, old or foreign file is set aside, and the state is empty then.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] while another round runs; whatever the directory refuses.
    pub fn open(dir: &Path) -> io::Result<Self> {
        todo!()
    }

    /// Reads without a lock; [`save`](Self::save) does nothing then. For dry runs.
    pub fn look(dir: &Path) -> Self {
        todo!()
    }

    /// Replaces the file as a whole (written beside it, synced, renamed).
    ///
    /// # Errors
    /// A full disk, a directory that went: the old file stays.
    pub fn save(&self) -> io::Result<()> {
        todo!()
    }
}
