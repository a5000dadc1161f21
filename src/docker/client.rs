//! The connection to dockerd: kept between calls, made anew when dockerd restarts.

pub use super::connection::Stream;

use super::Error;
use super::connection::{Connection, within};
use super::error::{Cause, message};
use super::request::{Method, Request};
use crate::sys::clock;
use crate::time::Time;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::time::Duration;
use smol::{Async, Timer};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The name that Docker's own clients call a dockerd behind a socket.
const HOST: &str = "api.moby.localhost";
/// The oldest API that is spoken: Docker 20.10, which has `status=true` and job services. There is no newest: what is
/// read is read tolerantly, and with an older version than its own, dockerd strips newer fields from what is written.
const OLDEST_MINOR: u32 = 41;
/// The first pause before a call is made again; each one is twice as long …
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// … up to this.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// Most bytes of an answer that tells what went wrong; of which one line is shown.
const MAX_MESSAGE: usize = 64 * 1024;

/// How long and how much is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the socket to take a connection: at once, unless dockerd is stopped and its queue full.
    pub connect: Duration,
    /// For a request to be taken and the head of its answer to come. A Pi that swaps needs seconds for a long list;
    /// calls that do long work have a limit of their own.
    pub answer: Duration,
    /// Between two pieces of a body.
    pub pause: Duration,
    /// For a whole body, unless it is a stream.
    pub body: Duration,
    /// Bytes of a whole body. 1,000 images are 1 MB.
    pub size: usize,
    /// For a dockerd that was there to come back. A Pi needs ten to twenty seconds, and the round after this one is
    /// there for slower ones.
    pub restart: Duration,
}

impl Limits {
    /// What a dockerd on a Pi keeps.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(5),
        answer: Duration::from_secs(30),
        pause: Duration::from_secs(15),
        body: Duration::from_secs(60),
        size: 64 * 1024 * 1024,
        restart: Duration::from_secs(20),
    };
}

/// Talks to one dockerd. For one thread; its calls may run side by side, each with a connection of its own.
pub struct Client {
    socket: PathBuf,
    limits: Limits,
    /// The connection that the next call takes.
    kept: RefCell<Option<Connection>>,
    /// Minor of the API version that was agreed upon.
    minor: Cell<Option<u32>>,
    /// When a connection to it broke last.
    broke_at: Cell<Option<Time>>,
    /// A connection was made once: no socket means that dockerd restarts, not that there is no Docker.
    reached: Cell<bool>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("socket", &self.socket)
            .field("minor", &self.minor)
            .finish_non_exhaustive()
    }
}

/// An attempt that failed.
struct Failure {
    cause: Cause,
    /// Dockerd was gone, and it does no harm to say it again.
    again: bool,
}

impl Failure {
    fn last(cause: Cause) -> Self {
        Self { cause, again: false }
    }

    /// While `request` was made: a connection that broke tells nothing of what dockerd did with it.
    fn during(request: &Request<'_>) -> impl Fn(Cause) -> Self {
        let idempotent = request.is_idempotent();
        move |cause| Self { again: idempotent && matches!(cause, Cause::Io(_)), cause }
    }
}

/// The head of an answer, and its body or the stream that will bring it.
struct Reply {
    minor: Option<u32>,
    body: Vec<u8>,
    stream: Option<Stream>,
}

/// What of a body is read at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Take {
    Whole,
    /// Nothing: it comes as a stream, which may be silent so long.
    Stream(Option<Duration>),
}

impl Client {
    /// For the dockerd behind `socket`; connects at the first call.
    pub fn new(socket: &Path) -> Self {
        Self::with_limits(socket, Limits::DEFAULT)
    }

    /// The same with other limits.
    pub fn with_limits(socket: &Path, limits: Limits) -> Self {
        let (kept, minor, reached) = (RefCell::new(None), Cell::new(None), Cell::new(false));
        Self { socket: socket.to_owned(), limits, kept, minor, broke_at: Cell::new(None), reached }
    }

    /// The whole answer.
    pub(super) async fn call(&self, request: &Request<'_>) -> Result<Vec<u8>, Error> {
        self.patiently(request, Take::Whole).await.map(|reply| reply.body)
    }

    /// The answer as a stream, that may be silent for `pause`.
    pub(super) async fn stream(
        &self,
        request: &Request<'_>,
        pause: Option<Duration>,
    ) -> Result<Stream, Error> {
        let reply = self.patiently(request, Take::Stream(pause)).await?;
        reply
            .stream
            .ok_or_else(|| Error { call: request.call(), cause: Cause::Malformed("no body".to_owned()) })
    }

    /// One attempt, for those who want to know how dockerd is now.
    pub(super) async fn once(&self, request: &Request<'_>) -> Result<Vec<u8>, Error> {
        let reply = self.attempt(request, Take::Whole).await;
        reply.map(|reply| reply.body).map_err(|failure| Error { call: request.call(), cause: failure.cause })
    }

    /// As many attempts as a restart of dockerd, of another version perhaps, takes.
    async fn patiently(&self, request: &Request<'_>, take: Take) -> Result<Reply, Error> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut negotiated_again = false;
        loop {
            let failure = match self.attempt(request, take).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            if !matches!(failure.cause, Cause::Status { .. }) {
                self.broke();
            }
            if is_about_version(&failure.cause) && !negotiated_again {
                negotiated_again = true;
                self.minor.set(None);
                continue;
            }
            if !failure.again || !self.reached.get() || begun.elapsed() + pause > self.limits.restart {
                return Err(Error { call: request.call(), cause: failure.cause });
            }
            Timer::after(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    async fn attempt(&self, request: &Request<'_>, take: Take) -> Result<Reply, Failure> {
        let connection = self.connection().await?;
        if request.unversioned {
            return self.exchange(connection, request, None, take).await;
        }
        if let Some(minor) = self.minor.get() {
            return self.exchange(connection, request, Some(minor), take).await;
        }
        let minor = self.negotiate(connection).await?;
        let connection = self.connection().await?;
        self.exchange(connection, request, Some(minor), take).await
    }

    /// Asks for dockerd's own version, the newest that both sides speak.
    async fn negotiate(&self, connection: Connection) -> Result<u32, Failure> {
        let head = Request::new(Method::Head, "/_ping".to_owned()).unversioned();
        let minor = match self.exchange(connection, &head, None, Take::Whole).await {
            Ok(Reply { minor: Some(minor), .. }) => Some(minor),
            // Something between us and dockerd may let no HEAD through.
            Ok(Reply { minor: None, .. }) | Err(Failure { cause: Cause::Status { .. }, .. }) => {
                let get = Request::get("/_ping").unversioned();
                let connection = self.connection().await?;
                self.exchange(connection, &get, None, Take::Whole).await?.minor
            }
            Err(failure) => return Err(failure),
        };
        let refuse = |why: String| Failure::last(Cause::Version(why));
        let minor =
            minor.ok_or_else(|| refuse("what answers tells no Api-Version: is it dockerd?".to_owned()))?;
        if minor < OLDEST_MINOR {
            return Err(refuse(format!(
                "dockerd speaks API 1.{minor} at most, 1.{OLDEST_MINOR} is needed: update Docker to 20.10 or later"
            )));
        }
        self.minor.set(Some(minor));
        Ok(minor)
    }

    /// One request and its answer.
    async fn exchange(
        &self,
        mut connection: Connection,
        request: &Request<'_>,
        minor: Option<u32>,
        take: Take,
    ) -> Result<Reply, Failure> {
        let broken = Failure::during(request);
        let bytes = request.bytes(HOST, minor).map_err(Cause::Malformed).map_err(Failure::last)?;
        let patience = request.patience.unwrap_or(self.limits.answer);
        let answer = within(patience, async {
            connection.send(&bytes).await?;
            connection.head(request.method == Method::Head).await
        });
        let answer = answer.await.map_err(&broken)?;
        let pause = match take {
            Take::Stream(pause) => pause,
            Take::Whole => Some(self.limits.pause),
        };
        let mut stream = Stream::new(connection, answer.body, request.call(), pause);
        let mut reply = Reply { minor: answer.minor, body: Vec::new(), stream: None };
        match answer.status {
            200..=299 | 304 if take != Take::Whole => {
                reply.stream = Some(stream);
                return Ok(reply);
            }
            200..=299 | 304 => reply.body = self.whole(&mut stream).await.map_err(&broken)?,
            status => {
                let read = stream.up_to(MAX_MESSAGE);
                let (text, _) = within(self.limits.body, read).await.map_err(&broken)?;
                self.keep(stream, answer.keep_alive);
                return Err(Failure::last(Cause::Status { status, message: message(&text) }));
            }
        }
        self.keep(stream, answer.keep_alive);
        Ok(reply)
    }

    /// A body to its end, within the limits.
    async fn whole(&self, stream: &mut Stream) -> Result<Vec<u8>, Cause> {
        let limit = self.limits.size;
        let read = async {
            let (body, complete) = stream.up_to(limit).await?;
            let too_long = || Cause::Malformed(format!("an answer of more than {limit} bytes"));
            complete.then_some(body).ok_or_else(too_long)
        };
        within(self.limits.body, read).await
    }

    /// For the next call, if the connection can carry one.
    fn keep(&self, stream: Stream, keep_alive: bool) {
        if let Some(connection) = stream.into_connection().filter(|_| keep_alive) {
            *self.kept.borrow_mut() = Some(connection);
        }
    }

    /// When a connection was last seen broken, with or without a call on it: dockerd has been restarted shortly before.
    pub fn broke_at(&self) -> Option<Time> {
        self.broke_at.get()
    }

    /// The version that was agreed upon, `1.41`; nothing before the first call.
    pub fn api_version(&self) -> Option<String> {
        self.minor.get().map(|minor| format!("1.{minor}"))
    }

    /// Who answers next may be a newer dockerd.
    fn broke(&self) {
        self.minor.set(None);
        self.broke_at.set(Some(clock::now()));
    }

    /// The kept connection if it is alive, or a new one.
    async fn connection(&self) -> Result<Connection, Failure> {
        let kept = self.kept.borrow_mut().take();
        if let Some(mut connection) = kept {
            if connection.is_idle().await {
                return Ok(connection);
            }
            self.broke();
        }
        let connect = async { Async::<UnixStream>::connect(&self.socket).await.map_err(Cause::Io) };
        match within(self.limits.connect, connect).await {
            Ok(socket) => {
                self.reached.set(true);
                Ok(Connection::new(socket))
            }
            Err(Cause::Io(error)) => {
                let again = matches!(
                    error.kind(),
                    io::ErrorKind::NotFound
                        | io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::NotConnected
                        | io::ErrorKind::WouldBlock
                );
                self.minor.set(None);
                Err(Failure { cause: Cause::Io(explained(&self.socket, &error)), again })
            }
            Err(cause) => Err(Failure::last(cause)),
        }
    }
}

/// Names the socket, and what to do.
fn explained(socket: &Path, error: &io::Error) -> io::Error {
    let hint = if error.kind() == io::ErrorKind::PermissionDenied {
        " (only root and the group docker may)"
    } else {
        " (is Docker installed and running?)"
    };
    io::Error::new(error.kind(), format!("{}: {error}{hint}", socket.display()))
}

/// Dockerd speaks another version by now: it says so before it does anything.
fn is_about_version(cause: &Cause) -> bool {
    matches!(cause, Cause::Status { status: 400, message }
        if message.contains("client version") && (message.contains("too old") || message.contains("too new")))
}
