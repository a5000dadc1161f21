//! The virtual IP on this node: taking it, keeping it leased, announcing it, giving it up.
//!
//! `address` (netlink messages) and `announce` (gratuitous ARP, unsolicited NA, ARP probe) are the wire, `holder`
//! decides what is due when; all are pure. `run` is the vip thread: netlink and packet sockets. It is a thread of its
//! own because adding an address waits for the kernel's RTNL lock, which a container start may hold for longer than
//! an advert interval; the vrrp thread never waits for it.

pub mod address;
pub mod announce;
pub mod holder;
pub mod run;

use crate::time::Time;
use core::net::IpAddr;

/// What the vip thread tells the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Time,
    /// Which router.
    pub router: u8,
    /// What.
    pub what: What,
}

/// The matter of a [`Note`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The addresses are on the interface.
    Added,
    /// They are off it.
    Removed,
    /// Somebody removed this one; it is back.
    PutBack(IpAddr),
    /// This one cannot be added or removed: errno. Told once until it works.
    Failed(IpAddr, i32),
    /// This MAC address answers for the VIP too.
    AnsweredBy(IpAddr, [u8; 6]),
}
