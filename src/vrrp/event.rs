//! What the state machine takes in, gives out, and tells: the types that cross its boundary.

use super::priority::Effective;
use crate::time::Time;
use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

/// The interface, as far as VRRP can use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not looked at yet.
    Unknown,
    /// No carrier, or set down.
    Down,
    /// Up, but the source address of the adverts is not there.
    NoAddress,
    /// Up, with this source address.
    Up(IpAddr),
}

impl Link {
    /// The source address, where there is one.
    pub fn source(self) -> Option<IpAddr> {
        match self {
            Self::Up(addr) => Some(addr),
            Self::Unknown | Self::Down | Self::NoAddress => None,
        }
    }
}

/// What the checks say, and until when it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Priority or fault.
    pub effective: Effective,
    /// After this moment without a newer verdict every check counts as failed. `None`: nothing is tracked.
    pub until: Option<Time>,
}

/// A virtual address of ours found on the interface at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// There is none.
    None,
    /// Leased less than three adverts ago: no peer can have taken over yet.
    Fresh,
    /// Older, or without lease: a peer may be master by now.
    Old,
}

/// An advert that passed every receive check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Sender.
    pub src: IpAddr,
    /// Its priority; 0 says goodbye.
    pub priority: u8,
    /// Its advert interval.
    pub interval: Duration,
}

/// What happens to a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Begin; with what a former life left on the interface.
    Start(Stale),
    /// The interface changed.
    Link(Link),
    /// The checks spoke.
    Verdict(Verdict),
    /// An advert came.
    Advert(Heard),
    /// [`deadline`](super::router::Router::deadline) is reached. Too early is harmless.
    Timer,
    /// Hand the VIP over and stay below everyone until then; a moment not ahead ends it.
    Resign(Time),
    /// Hand the VIP over and stop for good.
    Stop,
}

/// What the router wants done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send an advert of this priority to the group or to each peer.
    Advertise(u8),
    /// Put the addresses on the interface, or renew their lease.
    Hold,
    /// Tell the neighbours which MAC has the addresses now.
    Announce,
    /// Take the addresses off the interface.
    Release,
    /// Ask the network who answers for the addresses (diagnosis only).
    Probe,
    /// For the log and the status.
    Tell(Event),
}

/// A state without its timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateName {
    /// Waits for the interface, the source address and the first verdict.
    Init,
    /// The interface, the source address or an unweighted check is missing.
    Fault,
    /// Listens to a master.
    Backup,
    /// Holds the VIP.
    Master,
    /// Handing over: has said goodbye, keeps the VIP until the successor is heard.
    Leaving,
    /// Stopped for good.
    Stopped,
}

impl StateName {
    /// Every state, in the order of its number.
    pub const ALL: [Self; 6] =
        [Self::Init, Self::Fault, Self::Backup, Self::Master, Self::Leaving, Self::Stopped];
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "INIT",
            Self::Fault => "FAULT",
            Self::Backup => "BACKUP",
            Self::Master => "MASTER",
            Self::Leaving => "LEAVING",
            Self::Stopped => "STOPPED",
        })
    }
}

/// Why a state was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The daemon starts.
    Starting,
    /// Interface, address and checks are well (again).
    Ready,
    /// The interface is down.
    LinkDown,
    /// The source address is gone or not there yet.
    NoAddress,
    /// A check without weight failed.
    CheckFailed,
    /// The checks were silent for too long and count as failed.
    ChecksSilent,
    /// The master was silent for this long.
    MasterSilent(Duration),
    /// The master said goodbye with priority 0.
    MasterLeft,
    /// The master fell below this node.
    MasterFell,
    /// The master is alive and lower than this node.
    Preempts {
        /// Its address.
        master: IpAddr,
        /// Its priority.
        priority: u8,
    },
    /// This node owns the address (priority 255).
    Owner,
    /// The lease of a former life still ran.
    LeaseKept,
    /// A former life left the address behind: goodbye is said for it first.
    AddressLeft,
    /// A better master is there.
    Outranked {
        /// Its address.
        by: IpAddr,
        /// Its priority.
        priority: u8,
    },
    /// A failed check took this node below what a peer can have.
    FellBelow {
        /// Effective priority now.
        priority: u8,
        /// What the peer can have.
        peer: u8,
    },
    /// The operator asked for it.
    Resigned,
    /// This peer took the VIP over.
    HandedTo(IpAddr),
    /// Nobody took the VIP over, or nobody better than this node.
    NobodyTookOver,
    /// The daemon stops.
    Stopping,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::Ready => f.write_str("interface, address and checks are well"),
            Self::LinkDown => f.write_str("the interface is down"),
            Self::NoAddress => f.write_str("the source address is not on the interface"),
            Self::CheckFailed => f.write_str("a check without weight failed"),
            Self::ChecksSilent => f.write_str("the checks are silent and count as failed"),
            Self::MasterSilent(time) => write!(f, "no advert for {:.3} s", time.as_secs_f64()),
            Self::MasterLeft => f.write_str("the master said goodbye"),
            Self::MasterFell => f.write_str("the master fell below this node"),
            Self::Preempts { master, priority } => {
                write!(f, "{master} is master with a lower priority, {priority}")
            }
            Self::Owner => f.write_str("this node owns the address"),
            Self::LeaseKept => f.write_str("the lease of the last run was still valid"),
            Self::AddressLeft => f.write_str("the last run left the address behind"),
            Self::Outranked { by, priority } => write!(f, "{by} advertises priority {priority}"),
            Self::FellBelow { priority, peer } => {
                write!(f, "a failed check leaves priority {priority}, and a peer can have {peer}")
            }
            Self::Resigned => f.write_str("asked to resign"),
            Self::HandedTo(peer) => write!(f, "handed over to {peer}"),
            Self::NobodyTookOver => f.write_str("nobody better took over"),
            Self::Stopping => f.write_str("stopping"),
        }
    }
}

/// Something worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new state, and why.
    Became(StateName, Reason),
    /// The effective priority changed.
    Priority {
        /// Before.
        from: u8,
        /// Now.
        to: u8,
    },
    /// This process woke later than its deadline by that much, and acted with care.
    WokeLate(Duration),
    /// As master: another node claims the VIP too, with a priority that loses.
    Contested {
        /// Its address.
        by: IpAddr,
        /// Its priority.
        priority: u8,
    },
}
