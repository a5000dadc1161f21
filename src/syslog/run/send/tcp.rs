//! One connection, from the look-up of the name to its end.

use super::{Outbox, resolve, within};
use crate::sys::{clock, tcp};
use crate::syslog::queue::Break;
use core::net::SocketAddr;
use core::time::Duration;
use nix::sys::socket::{setsockopt, sockopt};
use smol::{Async, Timer, future};
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// For a connection to be made: the second SYN is sent after a second, the third after three, the fourth after seven.
const CONNECT: Duration = Duration::from_secs(10);
/// A receiver that acknowledges nothing, or takes nothing, for so long is given up (`TCP_USER_TIMEOUT`). Long, because a
/// new connection to one that merely hangs helps nobody, and sends it messages twice.
const SILENCE: Duration = Duration::from_secs(60);
/// A receiver that has vanished (power cut) is noticed on an idle connection after this and `SILENCE`.
const KEEPALIVE: u32 = 60;
/// Bytes that the kernel holds for us at most (it doubles the number): what it holds is sent again if all breaks.
const SEND_BUFFER: usize = 128 * 1024;
/// When a message comes, so long is waited for more: 10,000 a second go out in 200 writes.
const GATHER: Duration = Duration::from_millis(5);
/// Pauses between looks at what has been acknowledged, doubled from the first to the last.
const FIRST_LOOK: Duration = Duration::from_millis(5);
/// A second of age is little against the times in `queue`.
const LAST_LOOK: Duration = Duration::from_secs(1);
/// What a receiver says (none does) is read, and means nothing.
const SCRAP: usize = 256;

/// Connects and sends until it breaks; why.
pub(super) async fn session(outbox: &Outbox) -> io::Error {
    let socket = match connect(outbox).await {
        Ok(socket) => socket,
        Err(error) => return error,
    };
    outbox.up();
    let Err(error) = send(outbox, &socket).await;
    // Closed in order: the receiver had read all that it acknowledged.
    let how = if error.kind() == io::ErrorKind::UnexpectedEof { Break::Closed } else { Break::Reset };
    outbox.queue.borrow_mut().broke(clock::now(), how);
    error
}

async fn connect(outbox: &Outbox) -> io::Result<Async<TcpStream>> {
    let mut failed = None;
    for addr in resolve(&outbox.target).await? {
        match within(CONNECT, open(addr)).await {
            Ok(socket) => return Ok(socket),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
}

async fn open(addr: SocketAddr) -> io::Result<Async<TcpStream>> {
    let socket = Async::<TcpStream>::connect(addr).await?;
    let silence = u32::try_from(SILENCE.as_millis()).unwrap_or(u32::MAX);
    setsockopt(&socket, sockopt::TcpUserTimeout, &silence)?;
    setsockopt(&socket, sockopt::KeepAlive, &true)?;
    setsockopt(&socket, sockopt::TcpKeepIdle, &KEEPALIVE)?;
    setsockopt(&socket, sockopt::SndBuf, &SEND_BUFFER)?;
    Ok(socket)
}

/// Sends until the connection breaks.
async fn send(outbox: &Outbox, socket: &Async<TcpStream>) -> io::Result<core::convert::Infallible> {
    let (mut look, mut widest) = (FIRST_LOOK, 0);
    loop {
        // Before each write: to one that has closed, bytes would go nowhere.
        hear(socket)?;
        outbox.load();
        let blocked = write(outbox, socket)?;
        widest = widest.max(tcp::window(socket)?);
        let unacked = tcp::unacknowledged(socket)?;
        {
            let mut queue = outbox.queue.borrow_mut();
            queue.see_window(widest);
            queue.acked(clock::now(), unacked);
        }
        outbox.wake_readers();
        if blocked {
            future::or(socket.writable(), socket.readable()).await?;
            continue;
        }
        let (more, at_rest) = {
            let queue = outbox.queue.borrow();
            (!queue.unwritten().is_empty() || queue.waits(), queue.is_at_rest())
        };
        if more {
            // Others of this thread have their turn: they bring what is to be sent.
            future::yield_now().await;
            continue;
        }
        let filled = async {
            outbox.filled.wait().await;
            Timer::after(GATHER).await;
            Ok(true)
        };
        let heard = async { socket.readable().await.map(|()| true) };
        let looked = async {
            if at_rest {
                future::pending::<()>().await;
            }
            Timer::after(look).await;
            Ok(false)
        };
        let woken: io::Result<bool> = future::or(filled, future::or(heard, looked)).await;
        look = if woken? { FIRST_LOOK } else { (look * 2).min(LAST_LOOK) };
    }
}

/// Reads what the receiver says: that it has closed is an error of kind `UnexpectedEof`.
fn hear(socket: &Async<TcpStream>) -> io::Result<()> {
    let mut scrap = [0; SCRAP];
    match socket.get_ref().read(&mut scrap) {
        Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection")),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes what the kernel takes; true if it takes no more for now.
fn write(outbox: &Outbox, socket: &Async<TcpStream>) -> io::Result<bool> {
    let mut queue = outbox.queue.borrow_mut();
    while !queue.unwritten().is_empty() {
        match socket.get_ref().write(queue.unwritten()) {
            Ok(bytes) => queue.wrote(bytes),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
