//! Names and counts the packets that the kernel filtered away from a virtual router's socket, at a bounded pace.
//!
//! A second socket with the inverse filter gets them. A flood fills its small buffer and is dropped there; this task
//! looks at a sample and counts the rest as unread.

use crate::flags::RouterConfig;
use crate::shared::Lane;
use crate::sys::clock;
use crate::sys::vrrp_socket::VrrpSocket;
use crate::vrrp::advert::{self, MAX_DATAGRAM, Received, Reject};
use core::net::IpAddr;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use smol::{Async, Timer};

/// Packets looked at in one go, and the pause after it: 640 a second at most.
const BATCH: usize = 64;
const PAUSE: Duration = Duration::from_millis(100);
/// Sources whose rejects are told by name; further ones are only counted.
const MAX_SOURCES: usize = 16;

/// Counts until the socket fails. `own` is the router's source address at the moment; `tell` gets the first packet of
/// each kind from each source.
pub async fn watch(
    socket: VrrpSocket,
    router: &RouterConfig,
    lane: &Lane,
    own: impl Fn() -> Option<IpAddr>,
    tell: impl Fn(IpAddr, Reject),
) -> std::io::Result<()> {
    let socket = Async::new_nonblocking(socket)?;
    let mut buffer = vec![0; MAX_DATAGRAM];
    let mut told: Vec<(IpAddr, Reject)> = Vec::new();
    loop {
        socket.readable().await?;
        for _ in 0..BATCH {
            let Ok(Some(datagram)) = socket.get_ref().recv(&mut buffer) else { break };
            let message = buffer.get(datagram.message.clone()).unwrap_or_default();
            let received = Received { src: datagram.src, dst: datagram.dst, ttl: datagram.ttl, message };
            let Some(Err(reject)) = own().map(|own| advert::accept(&router.settings, own, &received)) else {
                continue;
            };
            let slot = router.settings.peers.iter().position(|peer| peer.addr == datagram.src);
            lane.count_reject(clock::now(), slot, reject);
            let first = (datagram.src, reject);
            if told.len() < MAX_SOURCES && !told.contains(&first) {
                told.push(first);
                tell(datagram.src, reject);
            }
        }
        lane.unread.store(socket.get_ref().dropped().unwrap_or(0), Relaxed);
        Timer::after(PAUSE).await;
    }
}
