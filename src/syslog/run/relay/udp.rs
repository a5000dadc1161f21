//! Datagrams: a message each.

use super::Relay;
use core::net::SocketAddr;
use nix::sys::socket::{setsockopt, sockopt};
use smol::{Async, future};
use std::convert::Infallible;
use std::io;
use std::net::UdpSocket;

/// Longest datagram there is.
const MAX_DATAGRAM: usize = 64 * 1024;
/// What may wait in the kernel while this thread does something else; it grants at most `net.core.rmem_max`.
const BUFFER: usize = 1024 * 1024;
/// Datagrams read before others of this thread have their turn.
const BATCH: usize = 64;

/// Listens until that fails.
pub(super) async fn run(relay: &Relay<'_>, listen: SocketAddr) -> io::Result<Infallible> {
    let socket = Async::<UdpSocket>::bind(listen)?;
    setsockopt(&socket, sockopt::RcvBuf, &BUFFER)?;
    let mut datagram = vec![0; MAX_DATAGRAM];
    loop {
        socket.readable().await?;
        for _ in 0..BATCH {
            match socket.get_ref().recv(&mut datagram) {
                Ok(len) => {
                    let end = datagram[..len].iter().rposition(|byte| !b"\r\n\0".contains(byte));
                    relay.take(&datagram[..end.map_or(0, |last| last + 1)]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        future::yield_now().await;
    }
}
