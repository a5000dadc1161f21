//! The status socket's client: asks the running daemon one thing and takes its answer, with a deadline.

use super::frame::{self, FrameError, HEAD, MAX_FRAME, MAX_REQUEST, Reply, Request};
use crate::sysexits::{EX_NOPERM, EX_PROTOCOL, EX_UNAVAILABLE};
use core::fmt;
use core::time::Duration;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::sleep;

/// Longest wait for each step of a question. The daemon answers in a millisecond; a Pi that swaps takes longer.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries to connect while the daemon's backlog is full.
const RETRY: Duration = Duration::from_millis(50);

/// Why there is no answer.
#[derive(Debug)]
pub enum AskError {
    /// Nobody listens there.
    NoDaemon(PathBuf),
    /// The socket is there, but not for this user.
    Permission(PathBuf),
    /// Somebody listens, but nothing comes in time.
    Silent(PathBuf),
    /// What comes is no reply.
    Frame(PathBuf, FrameError),
    /// The system refused.
    Io(PathBuf, io::Error),
}

impl AskError {
    /// The exit code for it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoDaemon(_) | Self::Silent(_) | Self::Io(..) => EX_UNAVAILABLE,
            Self::Permission(_) => EX_NOPERM,
            Self::Frame(..) => EX_PROTOCOL,
        }
    }
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDaemon(path) => write!(
                f,
                "no daemon at {}: is it running (systemctl status unsinkable), and with this --run-dir?",
                path.display()
            ),
            Self::Permission(path) => write!(f, "no permission for {}: try sudo", path.display()),
            Self::Silent(path) => {
                write!(f, "the daemon at {} does not answer: it is stopped or overloaded", path.display())
            }
            Self::Frame(path, FrameError::Version(_)) => write!(
                f,
                "the daemon at {} is another version of unsinkable: restart it after an upgrade (systemctl restart \
                 unsinkable)",
                path.display()
            ),
            Self::Frame(path, error) => {
                write!(f, "the daemon at {} answers nonsense: {error}", path.display())
            }
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl core::error::Error for AskError {}

/// Asks the daemon whose status socket is at `path`.
///
/// # Errors
/// [`AskError`], each with what to do about it.
pub fn ask(path: &Path, request: Request) -> Result<Reply, AskError> {
    ask_within(path, request, PATIENCE)
}

/// As [`ask`], with another limit for each step than [`PATIENCE`].
///
/// # Errors
/// [`AskError`], each with what to do about it.
pub fn ask_within(path: &Path, request: Request, patience: Duration) -> Result<Reply, AskError> {
    let body = exchange(path, request, patience).map_err(|error| explain(path, error))?;
    frame::parse(&body).map_err(|error| AskError::Frame(path.to_owned(), error))
}

/// Sends the request, returns the reply without its length.
fn exchange(path: &Path, request: Request, patience: Duration) -> io::Result<Vec<u8>> {
    let mut daemon = connected(path, patience)?;
    let frame = frame::emit(&request, MAX_REQUEST).map_err(io::Error::other)?;
    daemon.write_all(&frame)?;
    let mut head = [0; HEAD];
    daemon.read_exact(&mut head)?;
    let mut body = vec![0; frame::body_len(head, MAX_FRAME).map_err(io::Error::other)?];
    daemon.read_exact(&mut body)?;
    Ok(body)
}

/// A connection with deadlines. A blocking connect would wait for ever at the full backlog of a stopped daemon.
fn connected(path: &Path, patience: Duration) -> io::Result<UnixStream> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    let addr = UnixAddr::new(path)?;
    let mut tries = patience.as_millis() / RETRY.as_millis();
    while let Err(errno) = connect(fd.as_raw_fd(), &addr) {
        if errno != Errno::EAGAIN || tries == 0 {
            return Err(errno.into());
        }
        tries -= 1;
        sleep(RETRY);
    }
    let stream = UnixStream::from(fd);
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    Ok(stream)
}

/// The error in words for the person at the Pi.
fn explain(path: &Path, error: io::Error) -> AskError {
    let path = path.to_owned();
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<FrameError>()) {
        return AskError::Frame(path, *error);
    }
    #[expect(clippy::wildcard_enum_match_arm, reason = "io::ErrorKind is the standard library's and grows")]
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => AskError::NoDaemon(path),
        io::ErrorKind::PermissionDenied => AskError::Permission(path),
        io::ErrorKind::WouldBlock
        | io::ErrorKind::TimedOut
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe => AskError::Silent(path),
        _ => AskError::Io(path, error),
    }
}
