//! One daemon a virtual router: an abstract socket name that only one process can hold, and that dies with it.
//!
//! Abstract names belong to the network namespace, as interfaces do; so no stale file, and no clash between
//! namespaces.

use super::{Failure, Family};
use core::fmt::Write;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, bind, socket};
use std::os::fd::{AsRawFd, OwnedFd};

/// Holds the name as long as it lives.
#[derive(Debug)]
pub struct Single(#[expect(dead_code, reason = "held, never used")] OwnedFd);

impl Single {
    /// Takes the name of a virtual router.
    ///
    /// # Errors
    /// `EADDRINUSE` where another process of this network namespace runs the same one.
    pub fn take(ifindex: u32, family: Family, vrid: u8) -> Result<Self, Failure> {
        const CALL: &str = "bind (unix)";
        let family = match family {
            Family::V4 => "ipv4",
            Family::V6 => "ipv6",
        };
        // Room for ten digits and three.
        let mut name = heapless::String::<40>::new();
        write!(name, "unsinkable/{ifindex}/{family}/{vrid}")
            .map_err(|_| Failure { call: CALL, errno: Errno::ENAMETOOLONG })?;
        let addr = UnixAddr::new_abstract(name.as_bytes()).map_err(Failure::of(CALL))?;
        let fd = socket(AddressFamily::Unix, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)
            .map_err(Failure::of("socket (unix)"))?;
        bind(fd.as_raw_fd(), &addr).map_err(Failure::of(CALL))?;
        Ok(Self(fd))
    }
}
