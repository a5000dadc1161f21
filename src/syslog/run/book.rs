//! Keeps in the state directory how far every container's log has arrived.

use crate::state::run::kept::{self, Kept};
use crate::state::seal;
use crate::sys::clock;
use crate::syslog::cursor::Cursors;
use crate::syslog::ledger::{self, Ledger};
use core::cell::{Cell, RefCell};
use core::time::Duration;
use nix::fcntl::Flock;
use smol::Timer;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

/// The file, in the directory.
const FILE: &str = "logs";
/// Locked by the process that ships.
const LOCK: &str = "logs.lock";
/// Between two saves: what was sent since the last one is sent again after a crash, and each one wears the card.
const SAVE_EVERY: Duration = Duration::from_secs(5);
/// Between two looks whether the housekeeper before this one has noted how far it came, and ended.
const LOCK_EVERY: Duration = Duration::from_millis(100);

/// The ledger and its file.
#[derive(Debug)]
pub struct Book {
    pub ledger: RefCell<Ledger>,
    file: Option<(Kept, Flock<File>)>,
    /// The last save failed, and it was said.
    failed: Cell<bool>,
}

impl Book {
    /// Reads what was kept in `dir`, once no other process ships; nothing if it is `over` before. Where nothing was kept, or
    /// it cannot be read, everything goes on from now.
    pub async fn open(dir: &Path, over: impl Fn() -> bool) -> Option<Self> {
        let mut said = false;
        let opened = loop {
            match open(dir) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if over() {
                        return None;
                    }
                    if !core::mem::replace(&mut said, true) {
                        log::debug!("syslog: {error}");
                    }
                    Timer::after(LOCK_EVERY).await;
                }
                opened => break opened,
            }
        };
        let (file, cursors) = match opened {
            Ok((file, lock, cursors)) => (Some((file, lock)), cursors),
            Err(error) => {
                log::warn!("syslog: {error}: after a restart, logs go on from then on");
                (None, None)
            }
        };
        let now = clock::unix_micros() * 1000;
        let ledger = cursors.map_or_else(|| Ledger::fresh(now), |kept| Ledger::new(kept, now));
        Some(Self { ledger: RefCell::new(ledger), file, failed: Cell::new(false) })
    }

    /// Saves again and again, until dropped. `delivered`: up to which number the queue has done its work.
    pub async fn keep(&self, delivered: impl Fn() -> u64) {
        loop {
            self.save(delivered());
            Timer::after(SAVE_EVERY).await;
        }
    }

    /// Notes how far it is.
    pub fn save(&self, delivered: u64) {
        self.ledger.borrow_mut().settle(delivered);
        let Some((file, _)) = &self.file else { return };
        let kept = self.ledger.borrow().kept();
        let bytes = seal::emit(ledger::MAGIC, &kept, ledger::MAX_FILE).map_err(io::Error::other);
        let saved = bytes.and_then(|bytes| file.save(&bytes));
        let failed = self.failed.replace(saved.is_err());
        if let (Err(error), false) = (saved, failed) {
            log::warn!("syslog: {error}: after a restart, lines may be sent twice");
        }
    }
}

fn open(dir: &Path) -> io::Result<(Kept, Flock<File>, Option<Cursors>)> {
    kept::make(dir)?;
    let lock = kept::lock(&dir.join(LOCK), "another process that ships logs")?;
    let file = Kept::new(dir, FILE);
    let parse = |bytes: &[u8]| seal::parse(ledger::MAGIC, bytes, ledger::MAX_FILE);
    let cursors = file.read_or_set_aside(ledger::MAX_FILE, parse, "logs go on from now on")?;
    Ok((file, lock, cursors))
}
