//! The other nodes' `/status.json`, and never anything of theirs that would make them ask us in turn.

use super::source::Source;
use crate::docker::fetch::fetch;
use crate::report::document;
use core::cell::RefCell;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

/// Between two looks: as often as a page asks.
const GOOD_FOR: Duration = Duration::from_secs(2);
/// For all of its answer: it is on the same switch, and takes most of a second itself if its Docker hangs.
const PATIENCE: Duration = Duration::from_secs(1);
/// Largest document that is taken: a hundred services, all events and the longest plans are half of this.
const MAX_STATUS: usize = 512 * 1024;
/// Most nodes that are asked: Docker advises no more than seven managers, and a page has only so much room.
const MAX_PEERS: usize = 16;

/// Another node.
pub struct Peer {
    /// Where it should answer.
    pub addr: SocketAddr,
    /// When it did.
    pub source: Source,
    /// What it said last.
    pub status: RefCell<Option<String>>,
}

/// Whom to ask of the cluster's nodes: a node with an address of each family stands in the list twice, and is one.
pub fn asked(nodes: &[IpAddr]) -> impl Iterator<Item = IpAddr> {
    let family = nodes.first().map(IpAddr::is_ipv4);
    nodes.iter().copied().filter(move |node| Some(node.is_ipv4()) == family).take(MAX_PEERS)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_of_both_families_is_asked_once() {
        let nodes = |list: &[&str]| list.iter().map(|node| node.parse().unwrap()).collect::<Vec<IpAddr>>();
        let all = nodes(&["10.0.10.31", "fd00:10::31", "10.0.10.32", "fd00:10::32"]);
        assert_eq!(asked(&all).collect::<Vec<_>>(), nodes(&["10.0.10.31", "10.0.10.32"]));
        assert_eq!(asked(&all[1..]).collect::<Vec<_>>(), nodes(&["fd00:10::31", "fd00:10::32"]));
        assert_eq!(asked(&[]).count(), 0);
        assert_eq!(asked(&[all[0]; 20]).count(), 16);
    }
}
