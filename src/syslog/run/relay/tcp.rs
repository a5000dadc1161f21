//! Connections: Docker makes one for each container, and keeps it while the container runs.

use super::Relay;
use crate::syslog::relay::Frames;
use crate::tasks::spawn;
use core::cell::Cell;
use core::net::SocketAddr;
use core::time::Duration;
use nix::sys::socket::{setsockopt, sockopt};
use smol::{Async, LocalExecutor, Timer, future};
use std::convert::Infallible;
use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};

/// Connections at a time: one for each container, several times over.
const MAX_CONNECTIONS: usize = 512;
/// Bytes read at once, on the stack of this thread and only while they are read.
const READ: usize = 16 * 1024;
/// Reads of one connection before others of this thread have their turn.
const BATCH: usize = 8;
/// Pause after a failed accept (no file descriptor left), so that it cannot spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Listens until that fails.
pub(super) async fn run(relay: &Relay<'_>, listen: SocketAddr) -> io::Result<Infallible> {
    let listener = Async::<TcpListener>::bind(listen)?;
    let (tasks, open) = (LocalExecutor::new(), &Cell::new(0));
    let accepting = async {
        // Said once: this is what a flood of connections looks like.
        let mut told = false;
        loop {
            match listener.accept().await {
                Ok((_, from)) if open.get() >= MAX_CONNECTIONS => {
                    if !told {
                        log::warn!("--syslog-relay: {from} let go: there are {MAX_CONNECTIONS} connections");
                    }
                    told = true;
                }
                Ok((stream, _)) => {
                    open.set(open.get() + 1);
                    let serving = async move {
                        // It has gone, or sent what is no message: its own loss.
                        let _ = serve(relay, &stream).await;
                        open.set(open.get() - 1);
                    };
                    spawn(&tasks, serving);
                }
                Err(_) => drop(Timer::after(ACCEPT_PAUSE).await),
            }
        }
    };
    tasks.run(accepting).await
}

async fn serve(relay: &Relay<'_>, stream: &Async<TcpStream>) -> io::Result<()> {
    // Whoever has vanished is noticed after two hours.
    setsockopt(stream, sockopt::KeepAlive, &true)?;
    let mut frames = Frames::default();
    loop {
        stream.readable().await?;
        if !read(relay, stream.get_ref(), &mut frames)? {
            break;
        }
        future::yield_now().await;
    }
    frames.end(|line| relay.take(line));
    Ok(())
}

/// Takes what is there; false at the end.
fn read(relay: &Relay<'_>, mut stream: &TcpStream, frames: &mut Frames) -> io::Result<bool> {
    let mut bytes = [0; READ];
    for _ in 0..BATCH {
        match stream.read(&mut bytes) {
            Ok(0) => return Ok(false),
            Ok(len) => {
                let taken = frames.take(&bytes[..len], |line| relay.take(line));
                taken.map_err(|_| io::ErrorKind::InvalidData)?;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}
