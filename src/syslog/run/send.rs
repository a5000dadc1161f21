//! Sends what the queue holds: a datagram each, or over a connection that is made again when it breaks.
//!
//! What TCP promises, to the letter: a message is sent again until a receiver's kernel has acknowledged it, and so is
//! what it acknowledged in the moments before a connection broke (`queue`), because a receiver that dies drops what it had
//! not read. Duplicates come of that, and of nothing else: at most `queue::MAX_TAIL` bytes each time a connection breaks
//! while messages flow, and in RFC 5424 they carry the number (`meta sequenceId`) that they had before.

mod tcp;
mod udp;

use crate::sys::clock;
use crate::syslog::message::Message;
use crate::syslog::queue::{Keep, Queue};
use crate::syslog::target::{Target, Transport};
use core::cell::{Cell, RefCell};
use core::net::SocketAddr;
use core::time::Duration;
use serde::Serialize;
use smol::Timer;
use smol::channel::{Receiver, Sender, bounded};
use std::io;
use std::net::ToSocketAddrs;
use std::thread;

/// Between two tries to reach the server: doubled from the first to the last of these.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// A server that is back is found in this time; a connection refused costs two packets.
const LAST_PAUSE: Duration = Duration::from_secs(10);
/// Enough for getaddrinfo with its buffers on musl and glibc; touched pages only count.
const STACK: usize = 256 * 1024;
/// A resolver that has not answered by then is asked again later.
const RESOLVE: Duration = Duration::from_secs(30);
/// Local time's distance from UTC changes at full quarters of an hour only.
const QUARTER: u64 = 15 * 60;

/// What waits to be sent, and how it goes. Shared by the tasks of one thread.
#[derive(Debug)]
pub struct Outbox {
    target: Target,
    queue: RefCell<Queue>,
    /// There is something to send.
    filled: Flag,
    /// There is room again.
    drained: Flag,
    connected: Cell<bool>,
    error: RefCell<Option<String>>,
    /// A quarter of an hour, and the distance from UTC in it.
    offset: Cell<(u64, i32)>,
}

/// How sending goes, for `/status.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// As `tcp://HOST:PORT`.
    pub target: String,
    /// A connection stands; over UDP: nobody has refused a datagram.
    pub connected: bool,
    /// Messages acknowledged by the receiver's kernel; over UDP: sent.
    pub sent: u64,
    /// Messages lost for want of room while the server was away.
    pub dropped: u64,
    /// Messages that wait.
    pub queued: usize,
    /// Why there is no connection.
    pub error: Option<String>,
}

/// Something a task may wait for; told twice before it looks, it is told once.
#[derive(Debug)]
struct Flag(Sender<()>, Receiver<()>);

impl Flag {
    fn new() -> Self {
        let (tell, told) = bounded(1);
        Self(tell, told)
    }

    fn raise(&self) {
        let _ = self.0.try_send(());
    }

    async fn wait(&self) {
        // We hold the other end: it is never closed.
        let _ = self.1.recv().await;
    }
}

impl Outbox {
    /// For this target. `host`: this node's name.
    pub fn new(target: &Target, host: &str) -> Self {
        Self {
            target: target.clone(),
            queue: RefCell::new(Queue::new(target, host)),
            filled: Flag::new(),
            drained: Flag::new(),
            connected: Cell::new(false),
            error: RefCell::default(),
            offset: Cell::new((u64::MAX, 0)),
        }
    }

    /// Takes a message, without waiting; its number, from 1, that of the one before and one more.
    pub fn push(&self, message: &Message<'_>, keep: Keep) -> u64 {
        let offset = self.offset(message.at);
        let number = self.queue.borrow_mut().push(message, keep, offset);
        self.filled.raise();
        number
    }

    /// Waits until there is room for what may not be dropped.
    pub async fn room(&self) {
        while !self.queue.borrow().has_room() {
            self.drained.wait().await;
        }
        // One token wakes one: the next one may go on, too.
        self.drained.raise();
    }

    /// All messages up to this number are dealt with ([`Queue::delivered`]).
    pub fn delivered(&self) -> u64 {
        self.queue.borrow().delivered()
    }

    /// How it goes.
    pub fn stats(&self) -> Stats {
        let queue = self.queue.borrow();
        Stats {
            target: self.target.to_string(),
            connected: self.connected.get(),
            sent: queue.sent(),
            dropped: queue.dropped(),
            queued: queue.queued(),
            error: self.error.borrow().clone(),
        }
    }

    /// Sends until dropped.
    pub async fn run(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let begun = clock::now();
            let failed = match self.target.transport {
                Transport::Tcp => tcp::session(self).await,
                Transport::Udp => udp::session(self).await,
            };
            self.connected.set(false);
            let lasted = clock::now().since(begun) > LAST_PAUSE;
            if lasted {
                pause = FIRST_PAUSE;
            }
            // Receivers close what is idle (Grafana Alloy after 120 s). One that closes what is new is in trouble.
            if !lasted || failed.kind() != io::ErrorKind::UnexpectedEof {
                self.down(&failed);
            }
            Timer::after(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    fn up(&self) {
        self.connected.set(true);
        if self.error.replace(None).is_some() {
            log::info!("syslog: {} is back", self.target);
        }
    }

    fn down(&self, error: &io::Error) {
        let text = error.to_string();
        let news = self.error.replace(Some(text.clone())).is_none_or(|before| before != text);
        if news {
            log::warn!("syslog: {}: {text}; container logs wait in Docker, other messages here", self.target);
        }
    }

    fn wake_readers(&self) {
        if self.queue.borrow().is_low() {
            self.drained.raise();
        }
    }

    /// Fills the flight.
    fn load(&self) {
        let at = clock::unix_micros();
        let offset = self.offset(at);
        self.queue.borrow_mut().load(at, offset);
    }

    fn offset(&self, at: u64) -> i32 {
        let quarter = at / 1_000_000 / QUARTER;
        let (known, offset) = self.offset.get();
        if known == quarter {
            return offset;
        }
        let offset = clock::utc_offset(at / 1_000_000);
        self.offset.set((quarter, offset));
        offset
    }
}

/// The target's addresses, looked up on a thread of its own: a resolver may take long.
async fn resolve(target: &Target) -> io::Result<Vec<SocketAddr>> {
    let place = (target.host.clone(), target.port);
    let (answer, flight) = bounded(1);
    let run = move || drop(answer.try_send(place.to_socket_addrs().map(Vec::from_iter)));
    let _detached = thread::Builder::new().name("look".into()).stack_size(STACK).spawn(run)?;
    let answered = within(RESOLVE, async { flight.recv().await.map_err(io::Error::other)? }).await;
    match answered {
        Ok(found) if found.is_empty() => Err(io::Error::other("its name has no address")),
        Ok(found) => Ok(found),
        Err(error) => Err(io::Error::other(format!("its name was not resolved: {error}"))),
    }
}

async fn within<T>(patience: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = async {
        Timer::after(patience).await;
        Err(io::ErrorKind::TimedOut.into())
    };
    smol::future::or(work, late).await
}
