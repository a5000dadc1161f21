//! The vip thread: puts addresses on the interface, renews their lease, announces them, takes them off.
//!
//! The wish of the vrrp thread is read anew each turn. Adding may wait for the kernel's lock on all interfaces; nobody
//! waits for this thread.

use super::address::{self, Message, Request};
use super::announce::{self, ARP_FRAME, Claim, Mac};
use super::holder::{Holder, Task};
use super::{Note, What};
use crate::shared::{MAX_ROUTERS, Shared};
use crate::sys::netlink::{IPV4_ADDRESSES, IPV6_ADDRESSES, Netlink, Received};
use crate::sys::packet_socket::PacketSocket;
use crate::sys::{Failure, alias, clock, interface, wake};
use crate::time::Time;
use crate::wish::{Vip, Vips};
use core::net::{IpAddr, Ipv4Addr};
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use nix::errno::Errno;
use std::os::fd::{AsFd, BorrowedFd};

/// Frames and events read in one turn; what is left waits for the next.
const MAX_READ: usize = 64;
/// An answer to a probe comes within this time.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// The same MAC is told of at most this often.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// Notes on their way to the log.
pub type Notes<'a> = heapless::spsc::Producer<'a, Note>;

/// How addresses are put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By netlink, with this lifetime in seconds, or for good.
    Netlink(Option<u32>),
    /// By ioctl, on an alias label: IPv4 without lease, or where netlink is refused.
    Alias,
}

/// One router's addresses and the sockets to handle them with.
#[derive(Debug)]
pub struct Hand {
    index: u8,
    interface: String,
    ifindex: u32,
    vips: Vips,
    way: Way,
    holder: Holder,
    netlink: Option<Netlink>,
    events: Option<Netlink>,
    packets: PacketSocket,
    mac: Mac,
    /// The interface forwards IPv6, so it announces itself as a router.
    forwards: bool,
    probed_at: Option<Time>,
    told_mac: Option<(Mac, Time)>,
    /// A failure has been told; the next waits for a success.
    told_failure: bool,
    sequence: u32,
}

impl Hand {
    /// Opens the sockets of router number `index`. `forwards`: this interface forwards IPv6.
    ///
    /// # Errors
    /// The interface is gone, or `CAP_NET_RAW` is missing.
    pub fn open(
        index: u8,
        interface: &str,
        vips: &Vips,
        way: Way,
        refresh: Option<Duration>,
        forwards: bool,
    ) -> Result<Self, Failure> {
        let ifindex = interface::index(interface)?;
        let filter = announce::claims_of(vips.iter().filter_map(|vip| ipv4(*vip)));
        // Without netlink there is the ioctl way, and no word of addresses that others remove.
        let (netlink, events) = match way {
            Way::Alias => (None, Netlink::events(IPV4_ADDRESSES | IPV6_ADDRESSES, Some(ifindex)).ok()),
            Way::Netlink(_) => (
                Some(Netlink::open()?),
                Some(Netlink::events(IPV4_ADDRESSES | IPV6_ADDRESSES, Some(ifindex))?),
            ),
        };
        Ok(Self {
            index,
            interface: interface.to_owned(),
            ifindex,
            vips: vips.clone(),
            way,
            holder: Holder::new(refresh),
            netlink,
            events,
            packets: PacketSocket::open(ifindex, &filter)?,
            mac: interface::mac(interface)?,
            forwards,
            probed_at: None,
            told_mac: None,
            told_failure: false,
            sequence: 0,
        })
    }
}

/// The threads' common things, as the hands see them.
struct Desk<'a, 'q> {
    shared: &'a Shared,
    notes: Notes<'q>,
}

impl Desk<'_, '_> {
    fn note(&mut self, at: Time, router: u8, what: What) {
        if self.notes.enqueue(Note { at, router, what }).is_err() {
            self.shared.dropped_notes.fetch_add(1, Relaxed);
        }
        self.shared.wake_checks.signal();
    }
}

/// Runs until the vrrp thread has stopped and every address is off.
///
/// # Errors
/// When waiting itself fails, which leaves nothing to be done.
pub fn run(hands: &mut [Hand], notes: Notes<'_>, shared: &Shared) -> Result<(), Failure> {
    let mut desk = Desk { shared, notes };
    loop {
        wait(hands, shared)?;
        shared.wake_vip.drain();
        // Asked first: a wish told before the end is still fulfilled.
        let stopping = shared.stopping.load(Relaxed);
        let now = clock::now();
        for hand in &mut *hands {
            hand.read_events(now);
            hand.read_frames(now, &mut desk);
            hand.fulfil(now, &mut desk);
        }
        if stopping {
            shared.wake_checks.signal();
            return Ok(());
        }
    }
}

fn wait(hands: &[Hand], shared: &Shared) -> Result<(), Failure> {
    let mut fds = heapless::Vec::<BorrowedFd<'_>, { 2 * MAX_ROUTERS + 1 }>::new();
    let events = hands.iter().filter_map(|hand| hand.events.as_ref()).map(AsFd::as_fd);
    let packets = hands.iter().map(|hand| hand.packets.as_fd());
    fds.extend(events.chain(packets).chain([shared.wake_vip.as_fd()]).take(2 * MAX_ROUTERS + 1));
    let deadline = hands.iter().filter_map(|hand| hand.holder.deadline()).min();
    let limit = deadline.map(|at| at.since(clock::now()));
    wake::wait(&fds, limit).map(|_| ())
}

impl Hand {
    /// Was one of our addresses removed?
    fn read_events(&mut self, now: Time) {
        let Some(events) = &self.events else { return };
        let mut buffer = [0; crate::sys::netlink::BUFFER];
        for _ in 0..MAX_READ {
            let lost = match events.recv(&mut buffer) {
                Ok(Received::Messages(len)) => self.tells_of_removal(&buffer[..len]),
                // What was lost may have been a removal: putting back what is there does nothing.
                Ok(Received::Overrun) => true,
                Ok(Received::Nothing) | Err(_) => return,
            };
            if lost {
                self.holder.lost(now);
            }
        }
    }

    fn tells_of_removal(&self, messages: &[u8]) -> bool {
        address::messages(messages).any(|message| match message {
            Message::Removed(address) => self.vips.iter().any(|vip| vip.addr == address.addr),
            Message::Added(_)
            | Message::Link(_)
            | Message::Answer { .. }
            | Message::Done { .. }
            | Message::Other => false,
        })
    }

    /// Does somebody else answer for the addresses, or claim them?
    fn read_frames(&mut self, now: Time, desk: &mut Desk<'_, '_>) {
        let mut frame = [0; ARP_FRAME];
        for _ in 0..MAX_READ {
            let Ok(Some(len)) = self.packets.recv(&mut frame) else { return };
            let claim = frame.get(..len).and_then(announce::claim);
            let Some(Claim { addr, mac, reply }) = claim else { continue };
            // A new master's announcement is no answer to a question asked just before.
            let asked = reply && self.probed_at.is_some_and(|at| now.since(at) <= ANSWER_WITHIN);
            let told = self.told_mac.is_some_and(|(told, at)| told == mac && now.since(at) < TELL_AGAIN);
            if mac != self.mac && !told && (asked || self.holder.holds()) {
                self.told_mac = Some((mac, now));
                desk.note(now, self.index, What::AnsweredBy(IpAddr::V4(addr), mac));
            }
        }
    }

    fn fulfil(&mut self, now: Time, desk: &mut Desk<'_, '_>) {
        let lane = &desk.shared.lanes[usize::from(self.index)];
        let held = self.holder.holds();
        for task in self.holder.step(now, lane.wanted()) {
            match task {
                Task::Hold => {
                    let added = self.each(now, desk, |hand, vip| hand.put_on(vip, false));
                    lane.present.store(added, Relaxed);
                    if added && !held {
                        desk.note(now, self.index, What::Added);
                    }
                }
                Task::Restore => self.restore(now, desk),
                Task::Remove => {
                    let removed = self.each(now, desk, Self::take_off);
                    lane.present.store(!removed, Relaxed);
                    if removed {
                        desk.note(now, self.index, What::Removed);
                    }
                }
                Task::Announce => self.announce(),
                Task::Probe => self.probe(now),
            }
        }
    }

    /// Does the same with every address; tells the first failure. True if all went well.
    fn each(
        &mut self,
        now: Time,
        desk: &mut Desk<'_, '_>,
        mut act: impl FnMut(&mut Self, Vip) -> Result<(), Failure>,
    ) -> bool {
        let vips = self.vips.clone();
        let mut well = true;
        for vip in vips {
            if let Err(failure) = act(self, vip) {
                well = false;
                if !core::mem::replace(&mut self.told_failure, true) {
                    desk.note(now, self.index, What::Failed(vip.addr, failure.errno as i32));
                }
            }
        }
        self.told_failure &= !well;
        well
    }

    /// Puts back what is missing and announces it. An address that is there says so, and is left alone.
    fn restore(&mut self, now: Time, desk: &mut Desk<'_, '_>) {
        for vip in self.vips.clone() {
            if self.put_on(vip, true).is_ok() {
                self.holder.restored(now);
                desk.note(now, self.index, What::PutBack(vip.addr));
            }
        }
    }

    /// Adds the address or renews its lease; with `only_if_missing`, one that is there is an error (`EEXIST`).
    fn put_on(&mut self, vip: Vip, only_if_missing: bool) -> Result<(), Failure> {
        match (self.way, vip.addr) {
            (Way::Netlink(lease), _) => {
                let add = if only_if_missing { address::add_missing } else { address::add };
                let request = add(self.next(), self.ifindex, vip.addr, vip.prefix, lease);
                self.request(&request)
            }
            (Way::Alias, IpAddr::V4(addr)) => match alias::add(&self.interface, addr, vip.prefix) {
                Ok(false) if only_if_missing => Err(Failure { call: "alias", errno: Errno::EEXIST }),
                Ok(_) => Ok(()),
                Err(failure) => Err(failure),
            },
            (Way::Alias, IpAddr::V6(_)) => Err(Failure { call: "alias", errno: Errno::EAFNOSUPPORT }),
        }
    }

    fn take_off(&mut self, vip: Vip) -> Result<(), Failure> {
        let removed = match (self.way, vip.addr) {
            (Way::Netlink(_), _) => {
                let request = address::remove(self.next(), self.ifindex, vip.addr, vip.prefix);
                self.request(&request)
            }
            (Way::Alias, IpAddr::V4(addr)) => alias::remove(&self.interface, addr).map(drop),
            (Way::Alias, IpAddr::V6(_)) => Err(Failure { call: "alias", errno: Errno::EAFNOSUPPORT }),
        };
        match removed {
            // Gone already: its lease ran out, or somebody else removed it.
            Err(Failure { errno: Errno::EADDRNOTAVAIL | Errno::ENODEV, .. }) => Ok(()),
            Ok(()) | Err(_) => removed,
        }
    }

    fn request(&self, request: &Request) -> Result<(), Failure> {
        match &self.netlink {
            Some(netlink) => netlink.request(request),
            None => Err(Failure { call: "netlink", errno: Errno::EPROTONOSUPPORT }),
        }
    }

    fn next(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    fn announce(&mut self) {
        // Asked each time: a replaced or bonded card brings another MAC.
        self.mac = interface::mac(&self.interface).unwrap_or(self.mac);
        for vip in &self.vips {
            // Without link it fails, and the link's return brings a new announcement.
            let _ = match vip.addr {
                IpAddr::V4(addr) => self.packets.send(&announce::gratuitous_arp(self.mac, addr)),
                IpAddr::V6(addr) => {
                    self.packets.send(&announce::unsolicited_advertisement(self.mac, addr, self.forwards))
                }
            };
        }
    }

    fn probe(&mut self, now: Time) {
        self.probed_at = Some(now);
        for addr in self.vips.iter().filter_map(|vip| ipv4(*vip)) {
            // Diagnosis only: nothing depends on the answer.
            let _ = self.packets.send(&announce::arp_probe(self.mac, addr));
        }
    }
}

fn ipv4(vip: Vip) -> Option<Ipv4Addr> {
    match vip.addr {
        IpAddr::V4(addr) => Some(addr),
        IpAddr::V6(_) => None,
    }
}
