//! VRRP: who of several nodes holds the virtual IP (RFC 3768 for version 2, RFC 9568 for version 3).
//!
//! `advert` is the wire, `priority` the arithmetic of tracked checks, `router` the state machine of one virtual
//! router, `filter` the kernel's share of the receive checks. All are pure; `run` is the loop round them.
//!
//! ```text
//!            link, address, first verdict            master silent for 3 x interval + skew
//!   Init ────────────────────────────────▶ Backup ─────────────────────────────────────────▶ Master
//!     ▲                                     ▲  ▲                                               │
//!     └── link or unweighted check lost ────┘  └────── Leaving ◀── higher advert, resign, stop ─┘
//!                   (Fault)                       (the address stays until the successor is heard)
//! ```

pub mod advert;
pub mod backup;
pub mod event;
pub mod filter;
pub mod priority;
pub mod router;
pub mod run;
pub mod timers;

pub use crate::wish::{MAX_VIPS, Vip, Vips};
use core::net::IpAddr;
use core::time::Duration;
use priority::Effective;

/// Peers one router speaks to. A cluster of managers has 3, 5 or 7.
pub const MAX_PEERS: usize = 16;
/// The protocol's version, and with it the units of its timers and who authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// RFC 3768: whole seconds, a password, IPv4.
    V2,
    /// RFC 9568: centiseconds, no password, IPv4 and IPv6.
    V3,
}

/// Authentication of version 2 (RFC 2338 section 5.3.6).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Type 0.
    None,
    /// Type 1, a clear-text password of up to 8 bytes, padded with zeros.
    Pass([u8; 8]),
}

impl core::fmt::Debug for Auth {
    /// Never shows the password.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Pass(_) => "Pass(…)",
        })
    }
}

/// How the checksum of a version 3 advert over IPv4 is made when sending. Both are accepted when receiving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// With the pseudo-header, as keepalived and FRR do by default.
    Pseudo,
    /// Over the message alone (RFC 9568 section 5.2.8).
    Rfc9568,
}

/// May this node take the VIP from a living master of lower priority?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preempt {
    /// Never (`--no-preempt`).
    Never,
    /// Yes, once the lower master has been heard for this long (`--preempt-delay`; zero by default).
    After(Duration),
}

/// Another node of the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where its adverts come from, and ours go to when unicast.
    pub addr: IpAddr,
    /// The priorities it can have, from all its weighted checks failed to all well; unknown with `--peer`.
    pub range: Option<PriorityRange>,
}

/// Lowest and highest effective priority a node can have, given the same flags everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorityRange {
    /// With every weighted check failed.
    pub floor: u8,
    /// With every check well.
    pub ceiling: u8,
}

/// What one virtual router is told once, at its start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Virtual router identifier, 1 to 255.
    pub vrid: u8,
    /// Protocol version spoken and accepted.
    pub version: Version,
    /// The addresses it carries, all of one family, at least one.
    pub vips: Vips,
    /// Priority before weights, 1 to 254, or 255 for the owner of the address.
    pub base: u8,
    /// Between two adverts. Whole seconds in version 2, centiseconds in version 3.
    pub interval: Duration,
    /// Password of version 2.
    pub auth: Auth,
    /// Checksum form for sending version 3 over IPv4.
    pub checksum: Checksum,
    /// Preemption of a lower master.
    pub preempt: Preempt,
    /// The other nodes. Empty only with `multicast`.
    pub peers: heapless::Vec<Peer, MAX_PEERS>,
    /// Adverts go to 224.0.0.18 or `ff02::12` and are taken from any source (`--multicast`).
    pub multicast: bool,
    /// What counts when the checks fall silent: every check failed.
    pub blind: Effective,
}

impl Settings {
    /// True for a virtual router of IPv6 addresses.
    pub fn is_ipv6(&self) -> bool {
        self.vips.first().is_some_and(|vip| vip.addr.is_ipv6())
    }

    /// Version 2 password bytes, where there is a password.
    pub fn password(&self) -> Option<[u8; 8]> {
        match self.auth {
            Auth::None => None,
            Auth::Pass(bytes) => Some(bytes),
        }
    }
}
