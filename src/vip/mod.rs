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
