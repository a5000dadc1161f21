//! The housekeeper's end of the socket pair to the VIP process: its standard input. Telling never waits; what is read is
//! what happened to the VIP, and that the other end has gone.

use super::frame::{self, Frame};
use crate::report::status::Event;
use core::cell::Cell;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use smol::Async;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// The end.
#[derive(Debug)]
pub struct Link {
    socket: Async<OwnedFd>,
    dropped: Cell<u64>,
}

impl Link {
    /// On standard input.
    ///
    /// # Errors
    /// When descriptors have run out.
    pub fn on_stdin() -> io::Result<Self> {
        Self::new(io::stdin().as_fd().try_clone_to_owned()?)
    }

    /// On this end of a pair.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self { socket: Async::new(socket)?, dropped: Cell::new(0) })
    }

    /// Tells the VIP process; false if it does not read: verdicts grow stale then, rounds are told again.
    pub fn tell(&self, frame: Frame) -> bool {
        let packet = frame::emit(frame);
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        let told = send(self.socket.as_raw_fd(), &packet, flags).is_ok();
        if !told {
            self.dropped.set(self.dropped.get() + 1);
        }
        told
    }

    /// Frames that found no room.
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// Gives each event to `take`; resolves when the VIP process has gone.
    pub async fn hear(&self, take: impl Fn(Event)) {
        let mut packet = [0; frame::MAX_EVENT];
        loop {
            if self.socket.readable().await.is_err() {
                return;
            }
            match recv(self.socket.as_raw_fd(), &mut packet, MsgFlags::MSG_DONTWAIT) {
                Ok(0) => return,
                Ok(len) => frame::parse_event(&packet[..len]).into_iter().for_each(&take),
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

    #[test]
    fn telling_never_waits_and_the_end_is_seen() {
        let pair =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap();
        let (vip, child) = (pair.0, Link::new(pair.1).unwrap());
        let frame = || Frame::Rounds(Box::default());
        assert!(child.tell(frame()));
        let mut packet = [0; frame::MAX_FRAME];
        let len = recv(vip.as_raw_fd(), &mut packet, MsgFlags::empty()).unwrap();
        assert_eq!(frame::parse(&packet[..len]), Some(frame()));
        // Nobody reads: sooner or later there is no room.
        assert!((0..10_000).any(|_| !child.tell(frame())));
        assert_eq!(child.dropped(), 1);
        let event =
            Event { at: crate::time::Time::ZERO, router: Some("12".to_owned()), text: "MASTER".to_owned() };
        for packet in [&frame::emit_event(&event)[..], b"nonsense"] {
            nix::sys::socket::send(vip.as_raw_fd(), packet, MsgFlags::empty()).unwrap();
        }
        let heard = core::cell::RefCell::new(Vec::new());
        let enough = async {
            while heard.borrow().is_empty() {
                smol::future::yield_now().await;
            }
        };
        smol::block_on(smol::future::or(child.hear(|event| heard.borrow_mut().push(event)), enough));
        drop(vip);
        smol::block_on(child.hear(|_| {}));
        assert_eq!(heard.into_inner(), [event]);
        assert!(!child.tell(frame()));
    }
}
