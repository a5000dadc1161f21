//! Whole Ethernet frames on one interface: announcements out, filtered ARP in.

use super::message::{Address, family, zeroed};
use super::{Failure, option};
use crate::bpf::Instruction;
use core::ffi::c_int;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Receive buffer in bytes: some dozens of ARP frames. What is lost in a storm would only have told it again.
const RECEIVE_BUFFER: c_int = 32 * 1024;

const ETHERTYPE_ARP: u16 = 0x0806;

/// An `AF_PACKET` socket on one interface.
#[derive(Debug)]
pub struct PacketSocket(OwnedFd);

impl PacketSocket {
    /// Opens it; it receives the ARP frames that `filter` passes.
    pub fn open(ifindex: u32, filter: &[Instruction]) -> Result<Self, Failure> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        // Without protocol, so that nothing comes in before the filter is there.
        let fd = socket(AddressFamily::Packet, SockType::Raw, flags, None)
            .map_err(Failure::of("socket (packet)"))?;
        option::set(
            fd.as_fd(),
            (libc::SOL_SOCKET, libc::SO_RCVBUF),
            &RECEIVE_BUFFER,
            "setsockopt SO_RCVBUF",
        )?;
        option::attach_filter(fd.as_fd(), filter)?;
        bind(fd.as_fd(), ifindex)?;
        Ok(Self(fd))
    }

    /// Sends a frame as it is.
    pub fn send(&self, frame: &[u8]) -> Result<(), Failure> {
        let sent = send(self.0.as_raw_fd(), frame, MsgFlags::MSG_DONTWAIT);
        sent.map(drop).map_err(Failure::of("send (packet)"))
    }

    /// The length of the next frame, cut to the buffer's, or `None` where none waits.
    ///
    /// # Errors
    /// `ENETDOWN` once when the interface goes down; frames come again when it is up.
    pub fn recv(&self, buffer: &mut [u8]) -> Result<Option<usize>, Failure> {
        match recv(self.0.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
            Ok(len) => Ok(Some(len)),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(None),
            Err(errno) => Err(Failure { call: "recv (packet)", errno }),
        }
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn bind(fd: BorrowedFd<'_>, ifindex: u32) -> Result<(), Failure> {
    const CALL: &str = "bind (packet)";
    let mut addr = zeroed::<libc::sockaddr_ll>();
    addr.sll_family = family(libc::AF_PACKET);
    addr.sll_protocol = ETHERTYPE_ARP.to_be();
    addr.sll_ifindex = c_int::try_from(ifindex).map_err(|_| Failure { call: CALL, errno: Errno::ENODEV })?;
    bind_to(fd, &addr, CALL)
}

fn bind_to<A: Address>(fd: BorrowedFd<'_>, addr: &A, call: &'static str) -> Result<(), Failure> {
    let len = libc::socklen_t::try_from(size_of::<A>()).expect("a few bytes");
    // SAFETY: `addr` is a living address of `len` bytes; the kernel only reads it.
    let result = unsafe { libc::bind(fd.as_raw_fd(), core::ptr::from_ref(addr).cast(), len) };
    Errno::result(result).map(drop).map_err(Failure::of(call))
}
