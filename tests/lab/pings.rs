//! The client's view: one echo request each millisecond, and which of them were answered.

use super::netns;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage, recv, sendto, setsockopt,
    socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two requests.
pub const EVERY: Duration = Duration::from_millis(1);
/// An answer later than this counts as none.
pub const GRACE: Duration = Duration::from_millis(200);

/// One request, and when its answer came.
#[derive(Clone, Copy)]
struct Echo {
    sent: Instant,
    answered: Option<Instant>,
}

/// What a window of requests shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answers {
    pub sent: usize,
    pub unanswered: usize,
    /// The longest run of unanswered requests, from its first to the next answered one.
    pub hole: Duration,
}

/// A client pinging one address until dropped.
pub struct Pings {
    echoes: Arc<Mutex<Vec<Echo>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Pings {
    /// Starts pinging `address` from the namespace.
    pub fn start(netns: &str, address: IpAddr) -> Self {
        let fd = Arc::new(netns::inside(netns, || open(address)).expect("a raw ICMP socket opens for root"));
        let (echoes, stop) = (Arc::<Mutex<Vec<Echo>>>::default(), Arc::<AtomicBool>::default());
        let sender = {
            let (fd, echoes, stop) = (Arc::clone(&fd), Arc::clone(&echoes), Arc::clone(&stop));
            std::thread::spawn(move || send(&fd, address, &echoes, &stop))
        };
        let receiver = {
            let (echoes, stop) = (Arc::clone(&echoes), Arc::clone(&stop));
            std::thread::spawn(move || receive(&fd, address, &echoes, &stop))
        };
        Self { echoes, stop, threads: vec![sender, receiver] }
    }

    /// Waits out the grace time of requests sent before `to`, then counts those of the window.
    pub fn answers(&self, from: Instant, to: Instant) -> Answers {
        std::thread::sleep((to + GRACE).saturating_duration_since(Instant::now()));
        let echoes = self.echoes.lock().expect("no pinging thread panicked");
        let mut answers = Answers::default();
        let mut hole: Option<Instant> = None;
        for echo in echoes.iter().filter(|e| e.sent >= from && e.sent <= to) {
            answers.sent += 1;
            if echo.answered.is_some_and(|at| at - echo.sent <= GRACE) {
                answers.hole =
                    answers.hole.max(hole.take().map_or(Duration::ZERO, |since| echo.sent - since));
            } else {
                answers.unanswered += 1;
                hole.get_or_insert(echo.sent);
            }
        }
        answers.hole = answers.hole.max(hole.map_or(Duration::ZERO, |since| to - since));
        answers
    }
}

impl Drop for Pings {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}

fn open(address: IpAddr) -> nix::Result<OwnedFd> {
    let (family, protocol) = match address {
        IpAddr::V4(_) => (AddressFamily::Inet, SockProtocol::Icmp),
        IpAddr::V6(_) => (AddressFamily::Inet6, SockProtocol::IcmpV6),
    };
    let fd = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
    setsockopt(&fd, sockopt::RcvBufForce, &(4 << 20))?;
    setsockopt(&fd, sockopt::ReceiveTimeout, &TimeVal::milliseconds(100))?;
    Ok(fd)
}

/// Our mark in the identifier field and the number of the request, twice: 16 bits for ICMP, 64 in the data.
fn request(address: IpAddr, number: usize) -> [u8; 16] {
    let mut echo = [0; 16];
    echo[0] = if address.is_ipv4() { 8 } else { 128 };
    echo[4..6].copy_from_slice(b"un");
    echo[6..8].copy_from_slice(&(number as u64).to_be_bytes()[6..]);
    echo[8..16].copy_from_slice(&(number as u64).to_be_bytes());
    if address.is_ipv4() {
        let sum: u32 = echo.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        let folded = (sum & 0xffff) + (sum >> 16);
        let folded = (folded & 0xffff) + (folded >> 16);
        echo[2..4].copy_from_slice(&(!folded).to_be_bytes()[2..]);
    }
    echo
}

/// The number of the request that `packet` answers.
fn answered(address: IpAddr, packet: &[u8]) -> Option<usize> {
    let (echo, kind) = match address {
        IpAddr::V4(_) => (packet.get(20..)?, 0), // with its IP header, which has no options here
        IpAddr::V6(_) => (packet, 129),
    };
    let ours = *echo.first()? == kind && echo.get(4..6)? == b"un";
    let number = u64::from_be_bytes(echo.get(8..16)?.try_into().ok()?);
    if ours { usize::try_from(number).ok() } else { None }
}

fn send(fd: &OwnedFd, address: IpAddr, echoes: &Mutex<Vec<Echo>>, stop: &AtomicBool) {
    let to = SockaddrStorage::from(SocketAddr::new(address, 0));
    let mut due = Instant::now();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        due = (due + EVERY).max(Instant::now());
        echoes
            .lock()
            .expect("no pinging thread panicked")
            .push(Echo { sent: Instant::now(), answered: None });
        // An unreachable address makes errors here: the request then goes unanswered, which is the finding.
        let sent = sendto(fd.as_raw_fd(), &request(address, number), &to, MsgFlags::MSG_DONTWAIT);
        if sent == Err(Errno::EBADF) {
            break;
        }
        number += 1;
    }
}

fn receive(fd: &OwnedFd, address: IpAddr, echoes: &Mutex<Vec<Echo>>, stop: &AtomicBool) {
    let mut buffer = [0; 2048];
    while !stop.load(Ordering::Relaxed) {
        let Ok(length) = recv(fd.as_raw_fd(), &mut buffer, MsgFlags::empty()) else { continue };
        let at = Instant::now();
        let Some(number) = answered(address, &buffer[..length]) else { continue };
        let mut echoes = echoes.lock().expect("no pinging thread panicked");
        if let Some(echo) = echoes.get_mut(number) {
            echo.answered.get_or_insert(at);
        }
    }
}
