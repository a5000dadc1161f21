//! The status socket for real: server and client over a unix socket in a directory of its own, and the clients one does
//! not wish for.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use smol::LocalExecutor;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use unsinkable::report::ask::{AskError, ask_within};
use unsinkable::report::frame::{Reply, Request};
use unsinkable::report::rounds::Rounds;
use unsinkable::report::run::BindError;
use unsinkable::report::status::{Event, FORMAT, Housekeeper, Status, Threads};
use unsinkable::report::{ask, bind, resign_command, serve, status_command};
use unsinkable::time::Time;

/// A directory that goes when it is dropped.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("unsinkable-status-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("run/status.sock")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A daemon's checks thread with nothing but the status socket.
struct Server {
    stop: smol::channel::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(path: &Path) -> Self {
        let path = path.to_owned();
        let (ready, is_ready) = mpsc::channel();
        let (stop, stopped) = smol::channel::bounded(1);
        let thread = thread::spawn(move || {
            let listener = bind(&path).unwrap();
            ready.send(()).unwrap();
            let ex = LocalExecutor::new();
            smol::block_on(ex.run(smol::future::or(serve(&ex, listener, handle), async {
                let _ = stopped.recv().await;
            })));
        });
        is_ready.recv().unwrap();
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send_blocking(());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn handle(request: Request, _uid: u32) -> Reply {
    match request {
        Request::Status => Reply::Status(Box::new(status())),
        Request::Resign { for_ } if for_.is_zero() => Reply::Refused("for how long?".to_owned()),
        Request::Resign { for_ } => Reply::Done(format!("resigned for {for_:?}")),
    }
}

/// A status of some kilobytes.
fn status() -> Status {
    let event = |n: u8| Event { at: Time::ZERO, router: None, text: n.to_string().repeat(60) };
    Status {
        format: FORMAT,
        node: "pi-1".to_owned(),
        version: "0.1.0".to_owned(),
        pid: 1,
        now: Time::from_micros(2_000_000),
        started: Time::ZERO,
        routers: Vec::new(),
        checks: Vec::new(),
        events: (0..64).map(event).collect(),
        threads: Threads::default(),
        housekeeper: Housekeeper::Off,
        rounds: Rounds::default(),
        nonsense: 0,
    }
}

fn assert_answers(path: &Path) {
    let started = Instant::now();
    match ask(path, Request::Status).unwrap() {
        Reply::Status(status) => assert_eq!((status.node.as_str(), status.events.len()), ("pi-1", 64)),
        other @ (Reply::Done(_) | Reply::Refused(_)) => panic!("{other:?}"),
    }
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[test]
fn questions_are_answered() {
    let dir = Dir::new("answers");
    let path = dir.socket();
    let _server = Server::start(&path);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    for _ in 0..20 {
        assert_answers(&path);
    }
    let resigned = ask(&path, Request::Resign { for_: Duration::from_secs(1) }).unwrap();
    assert_eq!(resigned, Reply::Done("resigned for 1s".to_owned()));
    assert_eq!(status_command(&path, true, false), 0);
    assert_eq!(status_command(&path, false, false), 0);
    assert_eq!(resign_command(&path, Duration::from_secs(1)), 0);
    assert_eq!(resign_command(&path, Duration::ZERO), 77, "refused");
}

#[test]
fn no_daemon_is_said_plainly() {
    let dir = Dir::new("nobody");
    let path = dir.socket();
    let error = ask(&path, Request::Status).unwrap_err();
    assert!(matches!(error, AskError::NoDaemon(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with(&format!("no daemon at {}: is it running", path.display())), "{text}");
    assert_eq!(status_command(&path, false, false), 69);
    assert_eq!(resign_command(&path, Duration::from_secs(1)), 69);
}

#[test]
fn a_dead_daemons_socket_is_cleared_and_a_living_ones_is_not() {
    let dir = Dir::new("stale");
    let path = dir.socket();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    assert!(matches!(ask(&path, Request::Status), Err(AskError::NoDaemon(_))), "there, but nobody listens");
    let server = Server::start(&path);
    assert_answers(&path);
    let second = bind(&path).err().expect("the first one lives");
    assert!(matches!(second, BindError::Running(_)), "{second:?}");
    assert!(second.to_string().starts_with("unsinkable is already running"), "{second}");
    assert_answers(&path);
    drop(server);
    assert!(!path.exists(), "removed at the end");
    drop(Server::start(&path));
}

#[test]
fn a_file_in_the_way_is_left_alone() {
    let dir = Dir::new("file");
    let path = dir.0.join("status.sock");
    std::fs::write(&path, "mine").unwrap();
    assert!(matches!(bind(&path), Err(BindError::Occupied(_))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

/// Sends `bytes`; returns what comes back until the server closes.
fn hostile(path: &Path, bytes: &[u8]) -> Vec<u8> {
    let mut client = UnixStream::connect(path).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
    // The server may have closed already.
    let _ = client.write_all(bytes);
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer);
    answer
}

#[test]
fn nonsense_is_refused() {
    let dir = Dir::new("nonsense");
    let path = dir.socket();
    let _server = Server::start(&path);
    let refused = |bytes: &[u8], why: &str| {
        let answer = hostile(&path, bytes);
        let text = String::from_utf8_lossy(&answer);
        assert!(text.contains(why), "{text:?} instead of {why}");
        assert_answers(&path);
    };
    refused(&[255, 255, 255, 255], "out of bounds");
    refused(&[0, 0, 0, 0], "out of bounds");
    refused(&[65, 0, 0, 0], "out of bounds");
    refused(&[2, 0, 0, 0, 9, 0], "version 9");
    refused(&[2, 0, 0, 0, 2, 77], "makes no sense");
    // Closed with bytes unread: the answer may be lost to the reset, the server must not.
    refused(&b"GET / HTTP/1.1\r\n\r\n".repeat(10_000), "");
}

#[test]
fn the_silent_and_the_slow_are_let_go() {
    let dir = Dir::new("silent");
    let path = dir.socket();
    let _server = Server::start(&path);
    let started = Instant::now();
    thread::scope(|scope| {
        for bytes in [&[][..], &[5, 0], &[5, 0, 0, 0, 1, 1]] {
            let path = &path;
            scope.spawn(move || assert!(hostile(path, bytes).is_empty(), "{bytes:?}"));
        }
        assert_answers(&path);
    });
    let took = started.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(5)).contains(&took), "a deadline of 2 s: {took:?}");
}

#[test]
fn many_at_once_are_all_answered() {
    let dir = Dir::new("many");
    let path = dir.socket();
    let _server = Server::start(&path);
    thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| assert_answers(&path));
        }
    });
}

#[test]
fn fifty_silent_ones_delay_the_others_and_no_more() {
    let dir = Dir::new("fifty");
    let path = dir.socket();
    let _server = Server::start(&path);
    let silent: Vec<_> = (0..50).map(|_| UnixStream::connect(&path).unwrap()).collect();
    // 32 are let go after 2 s, then the other 18 and the 51st have their turn.
    assert_answers(&path);
    drop(silent);
    assert_answers(&path);
}

#[test]
fn a_stopped_daemon_keeps_the_client_no_longer_than_its_patience() {
    let dir = Dir::new("stopped");
    let path = dir.0.join("status.sock");
    // Listens, but never accepts: first the answer is missing, then, with a full backlog, even the connection.
    let _listener = UnixListener::bind(&path).unwrap();
    let assert_silent = || {
        let started = Instant::now();
        let patience = Duration::from_millis(100);
        assert!(matches!(ask_within(&path, Request::Status, patience), Err(AskError::Silent(_))));
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    };
    assert_silent();
    let full = fill_backlog(&path);
    assert!(!full.is_empty());
    assert_silent();
}

/// Connects until no more fit.
fn fill_backlog(path: &Path) -> Vec<std::os::fd::OwnedFd> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
    use std::os::fd::AsRawFd;
    let one = || {
        let fd = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_NONBLOCK, None).unwrap();
        connect(fd.as_raw_fd(), &UnixAddr::new(path).unwrap()).ok().map(|()| fd)
    };
    std::iter::from_fn(one).take(900).collect()
}
