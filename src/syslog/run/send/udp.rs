//! A datagram for each message.

use super::{Outbox, resolve};
use crate::sys::clock;
use core::time::Duration;
use smol::{Async, Timer};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// After so many datagrams in a row there is a pause: what follows a container that has much to say must not overrun the
/// receiver's buffer (208 KiB in Linux).
const BURST: usize = 100;
/// It leaves 20,000 datagrams a second.
const PAUSE: Duration = Duration::from_millis(5);
/// The name is looked up again then: over UDP nothing tells that a server has moved.
const AGAIN: Duration = Duration::from_secs(300);

/// Sends until a datagram is refused (its receiver's machine says that nobody listens): it is sent again later, and all
/// after it. Over too after a while, with no error, for the name to be looked up.
pub(super) async fn session(outbox: &Outbox) -> io::Error {
    loop {
        let sent = async {
            let socket = open(outbox).await?;
            outbox.up();
            send(outbox, &socket).await
        };
        if let Err(error) = sent.await {
            return error;
        }
    }
}

async fn open(outbox: &Outbox) -> io::Result<Async<UdpSocket>> {
    let found = resolve(&outbox.target).await?;
    let addr = found.first().copied().ok_or(io::ErrorKind::AddrNotAvailable)?;
    let any: SocketAddr = match addr {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = Async::<UdpSocket>::bind(any)?;
    // Connected, so that a refusal is told.
    socket.get_ref().connect(addr)?;
    Ok(socket)
}

/// Sends until the name is to be looked up again.
async fn send(outbox: &Outbox, socket: &Async<UdpSocket>) -> io::Result<()> {
    let (begun, mut burst) = (clock::now(), 0);
    while clock::now().since(begun) < AGAIN {
        outbox.load();
        let sent = {
            let mut queue = outbox.queue.borrow_mut();
            let datagram = queue.datagram();
            if datagram.is_empty() { None } else { Some(socket.get_ref().send(datagram)) }
        };
        match sent {
            None => {
                outbox.filled.wait().await;
                continue;
            }
            Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                socket.writable().await?;
                continue;
            }
            Some(result) => drop(result?),
        }
        {
            let mut queue = outbox.queue.borrow_mut();
            let len = queue.datagram().len();
            queue.wrote(len);
            queue.acked(clock::now(), 0);
        }
        outbox.wake_readers();
        burst += 1;
        if burst == BURST {
            burst = 0;
            Timer::after(PAUSE).await;
        }
    }
    Ok(())
}
