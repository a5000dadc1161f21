//! What the threads share: wishes, counters and wakes. Atomics only, no lock: the vrrp thread never waits for anyone.

use crate::sys::Failure;
use crate::sys::wake::Wake;
use crate::time::Time;
use crate::vrrp::MAX_PEERS;
use crate::vrrp::advert::Reject;
use crate::vrrp::event::{Event, Link, Verdict};
use crate::vrrp::router::View;
use crate::wish::Wish;
use core::net::IpAddr;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU32, AtomicU64, Ordering};

/// Virtual routers in one daemon. Two to four share load among three nodes.
pub const MAX_ROUTERS: usize = 8;
/// Commands on their way to the vrrp thread: one of each kind for each router, twice.
pub const COMMANDS: usize = 64;
/// Notes on their way to the log: a night's failover writes ten at once for each router.
pub const NOTES: usize = 128;

/// Checks thread to vrrp thread.
pub type Commands<'a> = heapless::spsc::Producer<'a, Command>;
/// The vrrp thread's end of [`Commands`].
pub type Orders<'a> = heapless::spsc::Consumer<'a, Command>;
/// Vrrp thread to checks thread.
pub type Notes<'a> = heapless::spsc::Producer<'a, Note>;

/// What the vrrp thread is told while it runs. Routers are counted as in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The interface of this router changed.
    Link(u8, Link),
    /// The checks of this router spoke.
    Verdict(u8, Verdict),
    /// Every router hands over and stays low until then.
    Resign(Time),
    /// Every router hands over and stops.
    Stop,
}

/// What the vrrp thread tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Time,
    /// Which router.
    pub router: u8,
    /// What the router is since then.
    pub view: View,
    /// What happened.
    pub what: What,
}

/// The matter of a [`Note`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The state machine tells.
    Event(Event),
    /// The first packet of this kind from this source.
    Rejected(IpAddr, Reject),
    /// A source heard for the first time; it is counted in this slot from now on.
    Heard(u8, IpAddr),
    /// The sender lists other virtual addresses than this node.
    OtherVips(IpAddr),
    /// Adverts to this destination fail, with this errno; told once until one succeeds.
    SendFailed(IpAddr, i32),
    /// Notes were dropped; this brings the view up to date.
    Lost,
}

/// All of it.
#[derive(Debug)]
pub struct Shared {
    /// One for each router.
    pub lanes: [Lane; MAX_ROUTERS],
    /// The kernel's numbers of the vrrp and the vip thread; 0 until they run.
    pub threads: [AtomicI32; 2],
    /// Last turn of the vrrp thread, in microseconds of the clock.
    pub beat: AtomicU64,
    /// Notes that found the queue full.
    pub dropped_notes: AtomicU32,
    /// Wakes the vrrp thread: a command is there.
    pub wake_vrrp: Wake,
    /// Wakes the vip thread: a wish changed.
    pub wake_vip: Wake,
    /// Wakes the checks thread: a note is there.
    pub wake_checks: Wake,
    /// Every router has stopped: the vip thread takes the addresses off and ends.
    pub stopping: AtomicBool,
}

impl Shared {
    /// Everything at zero.
    pub fn new() -> Result<Self, Failure> {
        Ok(Self {
            lanes: Default::default(),
            threads: Default::default(),
            beat: AtomicU64::new(0),
            dropped_notes: AtomicU32::new(0),
            wake_vrrp: Wake::open()?,
            wake_vip: Wake::open()?,
            wake_checks: Wake::open()?,
            stopping: AtomicBool::new(false),
        })
    }
}

/// One router's share.
#[derive(Debug, Default)]
pub struct Lane {
    wanted: AtomicU64,
    /// The addresses are on the interface, as far as the vip thread knows.
    pub present: AtomicBool,
    /// Adverts sent, each destination counted.
    pub sent: AtomicU64,
    /// Adverts taken in.
    pub received: AtomicU64,
    /// Packets filtered away by the kernel in a flood, too many to be looked at.
    pub unread: AtomicU32,
    /// Dropped packets by [`Reject`].
    pub rejects: [AtomicU32; Reject::ALL.len()],
    /// The other nodes: the configured peers in their order, or sources as they are first heard.
    pub peers: [PeerCount; MAX_PEERS],
}

/// What is counted for one peer.
#[derive(Debug, Default)]
pub struct PeerCount {
    /// When its last advert came, in microseconds of the clock; 0: never.
    pub heard_at: AtomicU64,
    /// The priority in it.
    pub priority: AtomicU8,
    /// Its interval, in milliseconds.
    pub interval: AtomicU32,
    /// Adverts taken in.
    pub adverts: AtomicU64,
    /// When its last dropped packet came, in microseconds of the clock.
    pub reject_at: AtomicU64,
    /// 1 + the index of the last [`Reject`], 0: none.
    pub last_reject: AtomicU8,
}

impl Lane {
    /// What the vrrp thread wants of the addresses.
    pub fn wanted(&self) -> Wish {
        Wish::unpack(self.wanted.load(Ordering::Acquire))
    }

    /// Said by the vrrp thread alone.
    pub fn want(&self, wanted: Wish) {
        self.wanted.store(wanted.pack(), Ordering::Release);
    }

    /// Counts a dropped packet, also for the peer in this slot.
    pub fn count_reject(&self, now: Time, slot: Option<usize>, reject: Reject) {
        self.rejects[reject as usize].fetch_add(1, Ordering::Relaxed);
        if let Some(peer) = slot.and_then(|slot| self.peers.get(slot)) {
            peer.reject_at.store(now.as_micros(), Ordering::Relaxed);
            peer.last_reject.store(reject as u8 + 1, Ordering::Relaxed);
        }
    }
}
