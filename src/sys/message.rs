//! `sendmsg` and `recvmsg` with their control messages on the stack (nix builds them on the heap).

use core::ffi::c_int;
use core::mem::MaybeUninit;
use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Control bytes in one datagram. Hop limit and packet information of IPv6 take 64.
const MAX_CONTROL: usize = 128;
/// `cmsg_len`, `cmsg_level`, `cmsg_type`, as the kernel lays them out.
const HEADER: usize = size_of::<usize>() + 8;

/// A socket address for which any bytes are valid.
///
/// # Safety
/// Only for C structures made of integers.
pub(super) unsafe trait Address: Copy {}

// SAFETY: integers and arrays of integers only.
unsafe impl Address for libc::sockaddr_in {}
// SAFETY: integers and arrays of integers only.
unsafe impl Address for libc::sockaddr_in6 {}
// SAFETY: integers and arrays of integers only.
unsafe impl Address for libc::sockaddr_ll {}

/// A family's number as it stands in an address.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "families are small numbers")]
pub(super) const fn family(number: c_int) -> libc::sa_family_t {
    number as libc::sa_family_t
}

/// All bytes zero.
pub(super) fn zeroed<A: Address>() -> A {
    // SAFETY: the trait promises that any bytes are valid, zeros among them.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// Control messages, to send or as received.
#[repr(C, align(8))]
pub(super) struct Control {
    bytes: [u8; MAX_CONTROL],
    len: usize,
}

impl Control {
    /// None.
    pub(super) const fn new() -> Self {
        Self { bytes: [0; MAX_CONTROL], len: 0 }
    }

    /// Just one, of at most 20 bytes of data.
    pub(super) fn one(level: c_int, kind: c_int, data: &[u8]) -> Self {
        let mut control = Self::new();
        let len = HEADER + data.len();
        let (header, rest) = control.bytes.split_at_mut(HEADER);
        let (size, meaning) = header.split_at_mut(size_of::<usize>());
        size.copy_from_slice(&len.to_ne_bytes());
        meaning[..4].copy_from_slice(&level.to_ne_bytes());
        meaning[4..].copy_from_slice(&kind.to_ne_bytes());
        rest[..data.len()].copy_from_slice(data);
        control.len = len.next_multiple_of(size_of::<usize>());
        control
    }

    /// The data of the first message of this level and kind.
    pub(super) fn find(&self, level: c_int, kind: c_int) -> Option<&[u8]> {
        let mut rest = self.bytes.get(..self.len)?;
        loop {
            let (size, after) = rest.split_first_chunk()?;
            let meaning: &[u8; 8] = after.first_chunk()?;
            let size = usize::from_ne_bytes(*size);
            let data = rest.get(HEADER..size)?;
            if meaning[..4] == level.to_ne_bytes() && meaning[4..] == kind.to_ne_bytes() {
                return Some(data);
            }
            rest = rest.get(size.next_multiple_of(size_of::<usize>())..)?;
        }
    }
}

/// Sends one datagram, without waiting.
pub(super) fn send<A: Address>(
    fd: BorrowedFd<'_>,
    payload: &[u8],
    to: &A,
    control: &mut Control,
) -> nix::Result<()> {
    // The kernel only reads through these pointers.
    let mut part = libc::iovec { iov_base: payload.as_ptr().cast_mut().cast(), iov_len: payload.len() };
    let message = header(core::ptr::from_ref(to).cast_mut(), &mut part, control);
    // SAFETY: every pointer in `message` leads to a living value of the length beside it.
    let sent = unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const message, libc::MSG_DONTWAIT) };
    Errno::result(sent).map(drop)
}

/// Receives one datagram, without waiting; returns the length it had, cut to the buffer's.
pub(super) fn receive<A: Address>(
    fd: BorrowedFd<'_>,
    buffer: &mut [u8],
    from: &mut A,
    control: &mut Control,
) -> nix::Result<usize> {
    control.len = MAX_CONTROL;
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut message = header(from, &mut part, control);
    // SAFETY: every pointer in `message` leads to a living value of the length beside it, borrowed mutably here;
    // any bytes are valid in each of them.
    let received = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
    control.len = control_length(&message).min(MAX_CONTROL);
    Errno::result(received).map(|len| usize::try_from(len).unwrap_or(0))
}

#[allow(clippy::useless_conversion, reason = "a 32-bit number in musl")]
fn control_length(message: &libc::msghdr) -> usize {
    usize::try_from(message.msg_controllen).unwrap_or(0)
}

#[allow(clippy::useless_conversion, reason = "a 32-bit number in musl")]
fn header<A: Address>(addr: *mut A, part: &mut libc::iovec, control: &mut Control) -> libc::msghdr {
    // SAFETY: a C structure of integers and pointers, for which zeros (null) are valid.
    let mut message: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    message.msg_name = addr.cast();
    message.msg_namelen = libc::socklen_t::try_from(size_of::<A>()).expect("a few bytes");
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.as_mut_ptr().cast();
    message.msg_controllen = control.len.try_into().expect("at most MAX_CONTROL");
    message
}
