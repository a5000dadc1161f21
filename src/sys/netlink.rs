//! Netlink's route family: requests with their answers, and events.

use super::clock::now;
use super::{Failure, option, wake};
use crate::bpf::{self, Instruction};
use core::ffi::c_int;
use core::time::Duration;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recvfrom, send, socket,
};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Links come, go, gain and lose carrier.
pub const LINKS: u32 = 0x01;
/// IPv4 addresses come and go.
pub const IPV4_ADDRESSES: u32 = 0x10;
/// IPv6 addresses come and go.
pub const IPV6_ADDRESSES: u32 = 0x100;
/// Buffer for one receive; the kernel makes a dump's parts no greater.
pub const BUFFER: usize = 16 * 1024;

/// The kernel answers within its own system call; whoever has no answer by then will not get one.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// Receive buffer for events in bytes. Links and addresses of one interface change seldom; a flood ends in an
/// overrun, which the caller heals by asking for everything.
const EVENT_BUFFER: c_int = 128 * 1024;
/// Parts of a dump: 16 KiB each, far more than a small machine has addresses.
const MAX_PARTS: usize = 1024;

const HEADER: usize = 16;
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// In a part's flags: the table changed while it was being told.
const DUMP_INTERRUPTED: u16 = 0x10;
/// `ifi_index` of `ifinfomsg` and `ifa_index` of `ifaddrmsg` lie at the same place, behind the header.
const INDEX_AT: u32 = 20;

/// A netlink socket.
#[derive(Debug)]
pub struct Netlink(OwnedFd);

/// What [`Netlink::recv`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Messages, in this many bytes of the buffer.
    Messages(usize),
    /// Nothing waits.
    Nothing,
    /// Events were lost: ask for everything anew.
    Overrun,
}

impl Netlink {
    /// A socket for requests.
    pub fn open() -> Result<Self, Failure> {
        Self::bound(0)
    }

    /// A socket for events of `groups` ([`LINKS`], [`IPV4_ADDRESSES`], [`IPV6_ADDRESSES`]), of one interface or all.
    pub fn events(groups: u32, ifindex: Option<u32>) -> Result<Self, Failure> {
        // Unbound it hears nothing: the filter is there before the first event.
        let socket = unbound()?;
        if let Some(ifindex) = ifindex {
            option::attach_filter(socket.as_fd(), &only(ifindex))?;
        }
        let buffer = (libc::SOL_SOCKET, libc::SO_RCVBUF);
        option::set(socket.as_fd(), buffer, &EVENT_BUFFER, "setsockopt SO_RCVBUF")?;
        bound(socket, groups)
    }

    fn bound(groups: u32) -> Result<Self, Failure> {
        bound(unbound()?, groups)
    }

    /// Sends one request (with `NLM_F_ACK` set) and waits for the kernel's word on it. Taking the kernel's lock on all
    /// interfaces may take long on a busy machine, and is not bounded by us; the answer after it is.
    ///
    /// # Errors
    /// The kernel's: `EEXIST`, `EADDRNOTAVAIL`, `ENODEV`, `EPERM` …; or `ETIMEDOUT`.
    pub fn request(&self, request: &[u8]) -> Result<(), Failure> {
        let sequence = self.ask(request)?;
        // An ack repeats the request behind its own header and the error.
        let mut buffer = [0; 1024];
        let deadline = now() + ANSWER_WITHIN;
        loop {
            self.wait_until(deadline)?;
            let Received::Messages(len) = self.recv(&mut buffer)? else { continue };
            for part in messages(&buffer[..len]) {
                if let Some(errno) = part.answer(sequence) {
                    return outcome(errno, "netlink request");
                }
            }
        }
    }

    /// Sends a dump request and hands each part of the answer to `part`.
    ///
    /// # Errors
    /// `EINTR` where the table changed meanwhile (ask again), `ETIMEDOUT`, or the kernel's.
    pub fn dump(&self, request: &[u8], mut part: impl FnMut(&[u8])) -> Result<(), Failure> {
        const CALL: &str = "netlink dump";
        let sequence = self.ask(request)?;
        let mut buffer = [0; BUFFER];
        let mut interrupted = false;
        for _ in 0..MAX_PARTS {
            self.wait_until(now() + ANSWER_WITHIN)?;
            let Received::Messages(len) = self.recv(&mut buffer)? else { continue };
            let ours = || messages(&buffer[..len]).filter(|message| message.sequence == sequence);
            if ours().next().is_some() {
                part(&buffer[..len]);
            }
            interrupted |= ours().any(|message| message.flags & DUMP_INTERRUPTED != 0);
            if let Some(errno) = ours().find_map(|message| message.answer(sequence)) {
                return outcome(if interrupted && errno == 0 { Errno::EINTR as i32 } else { errno }, CALL);
            }
        }
        Err(Failure { call: CALL, errno: Errno::EMSGSIZE })
    }

    /// The messages waiting, without waiting for any. Only the kernel's are taken.
    pub fn recv(&self, buffer: &mut [u8]) -> Result<Received, Failure> {
        match recvfrom::<NetlinkAddr>(self.0.as_raw_fd(), buffer) {
            Ok((len, Some(from))) if from.pid() == 0 => Ok(Received::Messages(len.min(buffer.len()))),
            Ok(_) => Ok(Received::Messages(0)),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(Received::Nothing),
            Err(Errno::ENOBUFS) => Ok(Received::Overrun),
            Err(errno) => Err(Failure { call: "recvfrom (netlink)", errno }),
        }
    }

    fn ask(&self, request: &[u8]) -> Result<u32, Failure> {
        let sequence = messages(request).next().map(|message| message.sequence);
        let sequence = sequence.ok_or(Failure { call: "netlink request", errno: Errno::EINVAL })?;
        let sent = send(self.0.as_raw_fd(), request, MsgFlags::empty());
        sent.map(|_| sequence).map_err(Failure::of("send (netlink)"))
    }

    fn wait_until(&self, deadline: crate::time::Time) -> Result<(), Failure> {
        let left = deadline.since(now());
        if left.is_zero() {
            return Err(Failure { call: "netlink answer", errno: Errno::ETIMEDOUT });
        }
        wake::wait(&[self.as_fd()], Some(left)).map(drop)
    }
}

impl AsFd for Netlink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn unbound() -> Result<OwnedFd, Failure> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)
        .map_err(Failure::of("socket (netlink)"))
}

fn bound(fd: OwnedFd, groups: u32) -> Result<Netlink, Failure> {
    bind(fd.as_raw_fd(), &NetlinkAddr::new(0, groups)).map_err(Failure::of("bind (netlink)"))?;
    Ok(Netlink(fd))
}

fn outcome(errno: i32, call: &'static str) -> Result<(), Failure> {
    if errno == 0 { Ok(()) } else { Err(Failure { call, errno: Errno::from_raw(errno) }) }
}

/// Passes messages about one interface.
fn only(ifindex: u32) -> [Instruction; 4] {
    // The index is in the machine's byte order; BPF reads big endian.
    let seen = u32::from_be_bytes(ifindex.to_ne_bytes());
    [bpf::load_word(INDEX_AT), bpf::jump_equal(seen, 0, 1), bpf::pass(), bpf::drop()]
}

/// A message's header, and the number behind it.
struct Message {
    kind: u16,
    flags: u16,
    sequence: u32,
    first: Option<i32>,
}

impl Message {
    /// The error number (0 for none) if this ends what was asked under `sequence`.
    fn answer(&self, sequence: u32) -> Option<i32> {
        let ends = self.kind == ERROR || self.kind == DONE;
        (ends && self.sequence == sequence).then(|| self.first.map_or(0, i32::saturating_neg))
    }
}

fn messages(mut rest: &[u8]) -> impl Iterator<Item = Message> {
    core::iter::from_fn(move || {
        let header: &[u8; HEADER] = rest.first_chunk()?;
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *header;
        let len = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
        let body = rest.get(HEADER..len)?;
        let message = Message {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            first: body.first_chunk().map(|first| i32::from_ne_bytes(*first)),
        };
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
}
