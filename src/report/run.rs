//! The status socket's server, on the checks thread: a unix stream socket, one request and one reply a connection. No
//! client can make it wait: reading and writing have a deadline, and few clients are let in at a time.

use super::frame::{self, HEAD, MAX_FRAME, MAX_REQUEST, Reply, Request};
use crate::tasks::spawn;
use core::fmt;
use core::time::Duration;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::socket::{getsockopt, sockopt};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::lock::Semaphore;
use smol::{Async, LocalExecutor, Timer};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// Name of the socket in the run directory.
pub const SOCKET: &str = "status.sock";
/// Clients served at a time; the next ones wait in the kernel's backlog. A silent one costs a kilobyte and, at most,
/// [`DEADLINE`]; so many must come at once before the next one waits that long.
pub const MAX_CLIENTS: usize = 32;
/// A client that has not sent its request by then, or not taken its reply by then again, is let go.
pub const DEADLINE: Duration = Duration::from_secs(2);
/// Pause after a failed accept (no file descriptor left), so that it cannot spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Owner and group may connect; what changes something is for the owner and root alone, whatever the mode.
const MODE: u32 = 0o660;

/// Why the status socket cannot be had.
#[derive(Debug)]
pub enum BindError {
    /// Another daemon holds it.
    Running(PathBuf),
    /// Something that is no socket lies there.
    Occupied(PathBuf),
    /// The system refused.
    Io(PathBuf, io::Error),
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running(path) => write!(
                f,
                "unsinkable is already running: {} is held by another process. Stop that one first (systemctl stop \
                 unsinkable), or give this one a --run-dir of its own",
                path.display()
            ),
            Self::Occupied(path) => {
                write!(
                    f,
                    "{} is there and is no socket: remove it, or choose another --run-dir",
                    path.display()
                )
            }
            Self::Io(path, error) => {
                write!(f, "status socket {}: {error}. Is --run-dir writable?", path.display())
            }
        }
    }
}

impl core::error::Error for BindError {}

/// The bound socket; removed when dropped.
pub struct Listener {
    socket: Async<UnixListener>,
    path: PathBuf,
    /// Held as long as the daemon lives; the kernel lets go of it however the daemon ends.
    _lock: Flock<File>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Gone already or not ours to remove: the next start clears it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Binds the status socket at `path`, making its directory. One that a dead daemon left is cleared away; a lock file
/// beside it tells dead from alive, also where two start at once or the living one is stopped and answers nobody.
///
/// # Errors
/// [`BindError`], each with what to do about it.
pub fn bind(path: &Path) -> Result<Listener, BindError> {
    let failed = |error: io::Error| BindError::Io(path.to_owned(), error);
    if let Some(dir) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(dir).map_err(failed)?;
    }
    let lock = take_lock(path)?;
    match fs::symlink_metadata(path) {
        Ok(there) if there.file_type().is_socket() => fs::remove_file(path).map_err(failed)?,
        Ok(_) => return Err(BindError::Occupied(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let socket = Async::<UnixListener>::bind(path).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(MODE)).map_err(failed)?;
    Ok(Listener { socket, path: path.to_owned(), _lock: lock })
}

/// The lock that only one living daemon has. Its file stays: removing it would let two have it.
fn take_lock(path: &Path) -> Result<Flock<File>, BindError> {
    let file = File::options().create(true).append(true).open(path.with_extension("lock"));
    let file = file.map_err(|error| BindError::Io(path.to_owned(), error))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| {
        if errno == nix::errno::Errno::EWOULDBLOCK {
            BindError::Running(path.to_owned())
        } else {
            BindError::Io(path.to_owned(), errno.into())
        }
    })
}

/// Answers requests on `listener` for ever; `handler` gets the request and the user who asks, and must not wait.
/// Requests that change something are refused to all but root and the daemon's own user before `handler` sees them.
pub async fn serve<'a>(
    ex: &LocalExecutor<'a>,
    listener: Listener,
    handler: impl Fn(Request, u32) -> Reply + 'a,
) {
    let handler = Rc::new(handler);
    let slots = Arc::new(Semaphore::new(MAX_CLIENTS));
    loop {
        let slot = slots.acquire_arc().await;
        match listener.socket.accept().await {
            Ok((client, _)) => {
                let handler = Rc::clone(&handler);
                let answered = async move {
                    // A client that went away, sent nonsense or was too slow: its own loss.
                    let _ = answer(client, handler.as_ref()).await;
                    drop(slot);
                };
                spawn(ex, answered);
            }
            Err(_) => drop(Timer::after(ACCEPT_PAUSE).await),
        }
    }
}

/// One client: its request, its reply.
async fn answer(mut client: Async<UnixStream>, handler: &impl Fn(Request, u32) -> Reply) -> io::Result<()> {
    let uid = getsockopt(&client, sockopt::PeerCredentials)?.uid();
    let reply = match within(DEADLINE, read_request(&mut client)).await {
        Ok(request) if request.changes_something() && !may_change(uid) => {
            Reply::Refused("only root may do this: try sudo".to_owned())
        }
        Ok(request) => handler(request, uid),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Reply::Refused(error.to_string()),
        Err(error) => return Err(error),
    };
    within(DEADLINE, client.write_all(&frame_of(reply))).await
}

/// True for root and for the user the daemon runs as.
fn may_change(uid: u32) -> bool {
    uid == 0 || uid == nix::unistd::geteuid().as_raw()
}

/// The reply's bytes; one that is too large or cannot be written becomes a refusal that says so.
fn frame_of(mut reply: Reply) -> Vec<u8> {
    match &mut reply {
        Reply::Status(status) => status.cut_texts(),
        Reply::Done(_) | Reply::Refused(_) => {}
    }
    frame::emit(&reply, MAX_FRAME)
        .or_else(|error| frame::emit(&Reply::Refused(format!("cannot tell: {error}")), MAX_FRAME))
        .unwrap_or_default()
}

/// Reads one request; what makes no sense is [`io::ErrorKind::InvalidData`].
async fn read_request(client: &mut Async<UnixStream>) -> io::Result<Request> {
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let mut head = [0; HEAD];
    client.read_exact(&mut head).await?;
    let mut body = [0; MAX_REQUEST];
    let body = &mut body[..frame::body_len(head, MAX_REQUEST).map_err(invalid)?];
    client.read_exact(body).await?;
    frame::parse(body).map_err(invalid)
}

/// What `work` comes to, or an error when `limit` has passed.
async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = async {
        Timer::after(limit).await;
        Err(io::ErrorKind::TimedOut.into())
    };
    smol::future::or(work, late).await
}
