//! The server. No client can make it wait or grow: few are let in at a time, and each step has a deadline.

use super::request::{MAX_HEAD, Method, Request, parse};
use super::response::Response;
use crate::tasks::spawn;
use core::future::Future;
use core::time::Duration;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::lock::Semaphore;
use smol::{Async, LocalExecutor, Timer, future};
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;

/// Clients served at a time; the next ones wait in the kernel's backlog. A browser opens six, the two other nodes and a
/// Prometheus one each.
pub const MAX_CLIENTS: usize = 16;
/// A client that has not sent its whole head by then is let go.
pub const HEAD_DEADLINE: Duration = Duration::from_secs(5);
/// A client that has not taken its document by then is let go: a megabyte in this time is a bad Wi-Fi.
pub const BODY_DEADLINE: Duration = Duration::from_secs(10);
/// How long what a client still sends is read after the answer: closing with bytes unread would reset the connection,
/// and the answer might be lost.
const LINGER: Duration = Duration::from_millis(500);
/// The most that is read for that.
const MAX_LINGER: usize = 64 * 1024;
/// Pause after a failed accept (no file descriptor left), so that it cannot spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Answers on `listener` until dropped. `answer` must not wait.
pub async fn run(listener: Async<TcpListener>, answer: impl Fn(&Request) -> Response) {
    let (tasks, answer) = (LocalExecutor::new(), &answer);
    let slots = Arc::new(Semaphore::new(MAX_CLIENTS));
    let accepting = async {
        loop {
            let slot = slots.acquire_arc().await;
            match listener.accept().await {
                Ok((client, _)) => {
                    let served = async move {
                        // A client that went away or was too slow: its own loss.
                        let _ = serve(client, answer).await;
                        drop(slot);
                    };
                    spawn(&tasks, served);
                }
                Err(_) => drop(Timer::after(ACCEPT_PAUSE).await),
            }
        }
    };
    tasks.run(accepting).await;
}

/// One client: its request, its answer.
async fn serve(mut client: Async<TcpStream>, answer: &impl Fn(&Request) -> Response) -> io::Result<()> {
    let (response, with_body) = match within(HEAD_DEADLINE, read(&mut client)).await {
        Ok(Ok(request)) => (answer(&request), request.method != Method::Head),
        Ok(Err(refused)) => (refused, true),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => (Response::refused(408), true),
        Err(error) => return Err(error),
    };
    within(BODY_DEADLINE, write(&mut client, &response, with_body)).await?;
    client.get_ref().shutdown(Shutdown::Write)?;
    within(LINGER, drain(&mut client)).await
}

/// The request, or the answer to what is none.
async fn read(client: &mut Async<TcpStream>) -> io::Result<Result<Request, Response>> {
    let (mut head, mut len) = (vec![0; MAX_HEAD], 0);
    loop {
        // A head that fills it is refused: there is always room.
        match client.read(&mut head[len..]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => len += more,
        }
        match parse(&head[..len]) {
            Ok(None) => {}
            Ok(Some(request)) => return Ok(Ok(request)),
            Err(refused) => return Ok(Err(refused)),
        }
    }
}

async fn write(client: &mut Async<TcpStream>, response: &Response, with_body: bool) -> io::Result<()> {
    client.write_all(response.head().as_bytes()).await?;
    if with_body {
        client.write_all(response.body.as_bytes()).await?;
    }
    Ok(())
}

/// Reads what still comes, to the end or the limit.
async fn drain(client: &mut Async<TcpStream>) -> io::Result<()> {
    let mut left = MAX_LINGER;
    let mut scrap = [0; 1024];
    while left > 0 {
        match client.read(&mut scrap).await? {
            0 => return Ok(()),
            read => left = left.saturating_sub(read),
        }
    }
    Ok(())
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = async {
        Timer::after(limit).await;
        Err(io::ErrorKind::TimedOut.into())
    };
    future::or(work, late).await
}
