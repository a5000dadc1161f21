//! Waiting for descriptors, and waking a thread that waits.

use super::Failure;
use core::time::Duration;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use std::os::fd::{AsFd, BorrowedFd};

/// Descriptors one call of [`wait`] takes: two sockets for each of 8 virtual routers, the events and the wake.
const MAX_WAIT: usize = 20;

/// Wakes another thread out of its [`wait`].
#[derive(Debug)]
pub struct Wake(EventFd);

impl Wake {
    /// A new one, not signalled.
    pub fn open() -> Result<Self, Failure> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        EventFd::from_value_and_flags(0, flags).map(Self).map_err(Failure::of("eventfd"))
    }

    /// Makes it readable. Signals add up to one.
    pub fn signal(&self) {
        // Fails only where the count of unread signals is at its end: it is readable then anyway.
        let _ = self.0.write(1);
    }

    /// Makes it unreadable; true if it had been signalled.
    pub fn drain(&self) -> bool {
        self.0.read().is_ok()
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until one of `fds` can be read (or has an error) or `limit` is over; bit `i` of the result speaks of `fds[i]`.
/// A signal ends the wait with nothing readable.
///
/// # Panics
/// With more than [`MAX_WAIT`] descriptors.
pub fn wait(fds: &[BorrowedFd<'_>], limit: Option<Duration>) -> Result<u32, Failure> {
    let mut polled = heapless::Vec::<PollFd<'_>, MAX_WAIT>::new();
    for fd in fds {
        assert!(polled.push(PollFd::new(*fd, PollFlags::POLLIN)).is_ok(), "at most MAX_WAIT descriptors");
    }
    match ppoll(&mut polled, limit.map(TimeSpec::from_duration), None) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Ok(0),
        Err(errno) => return Err(Failure { call: "ppoll", errno }),
    }
    let ready = |fd: &PollFd<'_>| fd.any().unwrap_or(true);
    Ok(polled.iter().enumerate().filter(|(_, fd)| ready(fd)).fold(0, |bits, (index, _)| bits | 1 << index))
}
