//! The other nodes' `/status.json`, and never anything of theirs that would make them ask us in turn.

use super::source::Source;
use crate::docker::fetch::fetch;
use crate::report::document;
use core::cell::RefCell;
use core::net::SocketAddr;
use core::time::Duration;

/// Between two looks: as often as a page asks.
const GOOD_FOR: Duration = Duration::from_secs(2);
/// For all of its answer: it is on the same switch, and takes most of a second itself if its Docker hangs.
const PATIENCE: Duration = Duration::from_secs(1);
/// Largest document that is taken: a hundred services, all events and the longest plans are half of this.
const MAX_STATUS: usize = 512 * 1024;
/// Most nodes that are asked: Docker advises no more than seven managers, and a page has only so much room.
pub const MAX_PEERS: usize = 16;

/// Another node.
pub struct Peer {
    /// Where it should answer.
    pub addr: SocketAddr,
    /// When it did.
    pub source: Source,
    /// What it said last.
    pub status: RefCell<Option<String>>,
}

impl Peer {
    /// Not asked yet.
    pub fn new(addr: SocketAddr) -> Self {
        Self { addr, source: Source::new(GOOD_FOR), status: RefCell::default() }
    }

    /// Asks it.
    ///
    /// # Errors
    /// Why it has no status, in words.
    pub async fn ask(&self) -> Result<(), String> {
        let body = fetch(self.addr, "/status.json", MAX_STATUS, PATIENCE).await;
        let body = body.map_err(|error| {
            let text = error.to_string();
            format!("no answer: {}", text.strip_prefix(&format!("{}: ", error.call)).unwrap_or(&text))
        })?;
        *self.status.borrow_mut() = Some(document::of_peer(body)?);
        Ok(())
    }
}
