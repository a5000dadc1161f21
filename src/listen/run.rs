//! The server. No client can make it wait or grow: newcomers push out the silent, and each step has a deadline.

use super::clients::{Client, Stage, makes_room, origin};
use super::request::{MAX_HEAD, Method, Request, parse};
use super::response::Response;
use core::cell::Cell;
use core::future::Future;
use core::time::Duration;
use smol::future::FutureExt;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::{Async, LocalExecutor, Task, Timer, future};
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::rc::Rc;

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

/// A client that is served; dropped, its connection closes.
struct Served {
    origin: u64,
    stage: Rc<Cell<Stage>>,
    task: Task<()>,
}

/// Answers on `listener` until dropped. `answer` gets the request and should take less than a second.
pub async fn run(listener: Async<TcpListener>, answer: impl AsyncFn(&Request) -> Response) {
    let (tasks, answer) = (LocalExecutor::new(), &answer);
    let mut served: Vec<Served> = Vec::new();
    let accepting = async {
        loop {
            let Ok((client, from)) = listener.accept().await else {
                Timer::after(ACCEPT_PAUSE).await;
                continue;
            };
            served.retain(|served| !served.task.is_finished());
            let clients: Vec<Client> = served.iter().map(Served::client).collect();
            let origin = origin(from.ip());
            if let Some(leaves) = makes_room(&clients, origin) {
                served.remove(leaves);
            }
            let stage = Rc::new(Cell::new(Stage::Silent));
            let work = serve(client, answer, Rc::clone(&stage));
            // A client that went away or was too slow: its own loss.
            let task = tasks.spawn(async { drop(work.await) }.boxed_local());
            served.push(Served { origin, stage, task });
            // Those who came before have their turn, however many knock.
            future::yield_now().await;
        }
    };
    tasks.run(accepting).await;
}

impl Served {
    fn client(&self) -> Client {
        Client { origin: self.origin, stage: self.stage.get() }
    }
}

/// One client: its request, its answer.
async fn serve(
    mut client: Async<TcpStream>,
    answer: &impl AsyncFn(&Request) -> Response,
    stage: Rc<Cell<Stage>>,
) -> io::Result<()> {
    let read = within(HEAD_DEADLINE, read(&mut client)).await;
    stage.set(Stage::Served);
    let (response, with_body) = match read {
        Ok(Ok(request)) => (answer(&request).await, request.method != Method::Head),
        Ok(Err(refused)) => (refused, true),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => (Response::refused(408), true),
        Err(error) => return Err(error),
    };
    within(BODY_DEADLINE, write(&mut client, &response, with_body)).await?;
    client.get_ref().shutdown(Shutdown::Write)?;
    stage.set(Stage::Answered);
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

/// Head and body in one: a small answer is one segment.
async fn write(client: &mut Async<TcpStream>, response: &Response, with_body: bool) -> io::Result<()> {
    let mut head = response.head().into_bytes();
    let body = if with_body { &response.body[..] } else { &[] };
    let (first, rest) = body.split_at(body.len().min(FIRST));
    head.extend_from_slice(first);
    client.write_all(&head).await?;
    client.write_all(rest).await
}

/// Bytes of a body that are copied behind its head.
const FIRST: usize = 4096;

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
