//! The kernel's face: the only home of `unsafe`, one system call a block.
//!
//! A file is one kernel feature. What the vrrp and vip threads call while they run (`clock`, `wake`, the sockets'
//! `send` and `recv`, `Netlink::request`) touches no heap; opening and asking (`interface`, `caps`) may. What fails says
//! which call, and its errno ([`Failure`]).
#![allow(unsafe_code)]

pub mod alias;
pub mod caps;
pub mod clock;
pub mod crash;
pub mod interface;
pub mod netlink;
pub mod packet_socket;
pub mod pidfd;
pub mod sched;
pub mod single;
pub mod tcp;
pub mod terminal;
pub mod vrrp_socket;
pub mod wake;

mod message;
mod option;

use core::fmt;
use nix::errno::Errno;

/// Address family of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// A system call that failed, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The call, and the option or request where one says more.
    pub call: &'static str,
    /// Why.
    pub errno: Errno,
}

impl Failure {
    /// For `map_err`.
    pub(crate) const fn of(call: &'static str) -> impl Fn(Errno) -> Self + Copy {
        move |errno| Self { call, errno }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.errno.desc())
    }
}

impl core::error::Error for Failure {}

impl From<Failure> for std::io::Error {
    fn from(failure: Failure) -> Self {
        Self::from_raw_os_error(failure.errno as i32)
    }
}
