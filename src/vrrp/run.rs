//! The vrrp thread: waits, receives, asks the state machines, sends. It takes no lock, makes no heap allocation, writes
//! no log and calls nothing that can wait but `ppoll`.

use super::MAX_PEERS;
use super::advert::{self, GROUP_V4, GROUP_V6, MAX_DATAGRAM, MAX_MESSAGE, Received, Reject};
use super::event::{Action, Heard, Input, Stale};
use super::router::{Actions, Router};
use crate::shared::{Command, Lane, MAX_ROUTERS, Note, Notes, Orders, Shared, What};
use crate::sys::vrrp_socket::{Datagram, VrrpSocket};
use crate::sys::{Failure, clock, wake};
use crate::time::Time;
use crate::wish::Wish;
use core::net::IpAddr;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use std::os::fd::{AsFd, BorrowedFd};

/// Datagrams read from one socket in one turn: more than its buffer holds, so all that was queued is known before a
/// timer is acted on, and a flood cannot keep the timers waiting.
const MAX_DRAIN: usize = 1024;
/// A lease is renewed at most this often: the shortest lasts 1 s, and each renewal is broadcast to all who listen to
/// address changes on the machine.
const RENEW_GAP: Duration = Duration::from_millis(250);
/// Sources of which is remembered what has been told of their rejected packets.
const MAX_TOLD: usize = 16;

/// One virtual router with its socket.
#[derive(Debug)]
pub struct Port {
    index: u8,
    router: Router,
    socket: VrrpSocket,
    stale: Stale,
    wanted: Wish,
    held_at: Time,
    /// Where each source is counted in [`Lane::peers`].
    known: heapless::Vec<IpAddr, MAX_PEERS>,
    /// Which peers list other addresses, and where sending fails: bits by slot, told once.
    told_vips: u16,
    told_send: u16,
    /// Which rejects have been told, by source.
    told: heapless::Vec<(IpAddr, u16), MAX_TOLD>,
    /// A note found the queue full.
    lost_note: bool,
}

impl Port {
    /// Router number `index` of the configuration, with what a former life left behind.
    pub fn new(index: u8, router: Router, socket: VrrpSocket, stale: Stale) -> Self {
        let known = router.settings().peers.iter().map(|peer| peer.addr).collect();
        Self {
            index,
            router,
            socket,
            stale,
            wanted: Wish::default(),
            held_at: Time::ZERO,
            known,
            told_vips: 0,
            told_send: 0,
            told: heapless::Vec::new(),
            lost_note: false,
        }
    }
}

/// The threads' common things, as the ports see them.
struct Desk<'a, 'q> {
    shared: &'a Shared,
    notes: Notes<'q>,
}

/// Runs until every router has stopped.
///
/// # Errors
/// When waiting itself fails, which leaves nothing to be done.
pub fn run(
    ports: &mut [Port],
    orders: &mut Orders<'_>,
    notes: Notes<'_>,
    shared: &Shared,
) -> Result<(), Failure> {
    let mut desk = Desk { shared, notes };
    let now = clock::now();
    for port in &mut *ports {
        port.step(now, Input::Start(port.stale), &mut desk);
    }
    while !ports.iter().all(|port| port.router.is_stopped()) {
        wait(ports, shared)?;
        turn(ports, orders, &mut desk);
    }
    shared.stopping.store(true, Relaxed);
    shared.wake_vip.signal();
    Ok(())
}

fn wait(ports: &[Port], shared: &Shared) -> Result<(), Failure> {
    let mut fds = heapless::Vec::<BorrowedFd<'_>, { MAX_ROUTERS + 1 }>::new();
    let sockets = ports.iter().map(|port| port.socket.as_fd());
    fds.extend(sockets.chain([shared.wake_vrrp.as_fd()]).take(MAX_ROUTERS + 1));
    let deadline = ports.iter().filter_map(|port| port.router.deadline()).min();
    let limit = deadline.map(|at| at.since(clock::now()));
    wake::wait(&fds, limit).map(|_| ())
}

/// Reads everything that is queued, then obeys, and only then lets the timers act.
fn turn(ports: &mut [Port], orders: &mut Orders<'_>, desk: &mut Desk<'_, '_>) {
    let now = clock::now();
    desk.shared.beat.store(now.as_micros(), Relaxed);
    desk.shared.wake_vrrp.drain();
    for port in &mut *ports {
        port.receive(now, desk);
    }
    while let Some(command) = orders.dequeue() {
        obey(ports, now, command, desk);
    }
    for port in ports {
        if port.router.deadline().is_some_and(|at| at <= now) {
            port.step(now, Input::Timer, desk);
        }
        port.catch_up(now, desk);
    }
}

fn obey(ports: &mut [Port], now: Time, command: Command, desk: &mut Desk<'_, '_>) {
    match command {
        Command::Link(index, link) => one(ports, index, now, Input::Link(link), desk),
        Command::Verdict(index, verdict) => one(ports, index, now, Input::Verdict(verdict), desk),
        Command::Resign(until) => all(ports, now, Input::Resign(until), desk),
        Command::Stop => all(ports, now, Input::Stop, desk),
    }
}

fn one(ports: &mut [Port], index: u8, now: Time, input: Input, desk: &mut Desk<'_, '_>) {
    if let Some(port) = ports.get_mut(usize::from(index)) {
        port.step(now, input, desk);
    }
}

fn all(ports: &mut [Port], now: Time, input: Input, desk: &mut Desk<'_, '_>) {
    for port in ports {
        port.step(now, input, desk);
    }
}

impl Port {
    fn lane<'a>(&self, desk: &Desk<'a, '_>) -> &'a Lane {
        &desk.shared.lanes[usize::from(self.index)]
    }

    fn receive(&mut self, now: Time, desk: &mut Desk<'_, '_>) {
        let mut buffer = [0; MAX_DATAGRAM];
        for _ in 0..MAX_DRAIN {
            // An error (the interface went down) is no datagram either; the link event tells of it.
            let Ok(Some(datagram)) = self.socket.recv(&mut buffer) else { return };
            self.datagram(now, &datagram, &buffer, desk);
        }
    }

    fn datagram(&mut self, now: Time, datagram: &Datagram, buffer: &[u8], desk: &mut Desk<'_, '_>) {
        // Without a source address of our own there is no router to speak of yet.
        let Some(own) = self.router.source() else { return };
        let message = buffer.get(datagram.message.clone()).unwrap_or_default();
        let received = Received { src: datagram.src, dst: datagram.dst, ttl: datagram.ttl, message };
        match advert::accept(self.router.settings(), own, &received) {
            Err(reject) => self.rejected(now, datagram.src, reject, desk),
            Ok(accepted) => {
                self.count(now, &accepted, desk);
                let advert::Accepted { src, priority, interval, .. } = accepted;
                self.step(now, Input::Advert(Heard { src, priority, interval }), desk);
            }
        }
    }

    fn count(&mut self, now: Time, accepted: &advert::Accepted, desk: &mut Desk<'_, '_>) {
        let lane = self.lane(desk);
        lane.received.fetch_add(1, Relaxed);
        let Some(slot) = self.slot(now, accepted.src, desk) else { return };
        let peer = &lane.peers[slot];
        peer.heard_at.store(now.as_micros(), Relaxed);
        peer.priority.store(accepted.priority, Relaxed);
        peer.interval.store(u32::try_from(accepted.interval.as_millis()).unwrap_or(u32::MAX), Relaxed);
        peer.adverts.fetch_add(1, Relaxed);
        if accepted.same_vips {
            self.told_vips &= !(1 << slot);
        } else if self.told_vips & 1 << slot == 0 {
            self.told_vips |= 1 << slot;
            self.note(now, What::OtherVips(accepted.src), desk);
        }
    }

    /// Where this source is counted; with multicast a new one gets a place while there is one.
    fn slot(&mut self, now: Time, src: IpAddr, desk: &mut Desk<'_, '_>) -> Option<usize> {
        if let Some(slot) = self.known.iter().position(|&known| known == src) {
            return Some(slot);
        }
        self.known.push(src).ok()?;
        let slot = self.known.len() - 1;
        self.note(now, What::Heard(u8::try_from(slot).ok()?, src), desk);
        Some(slot)
    }

    /// Counts it, and tells the first of its kind and source.
    fn rejected(&mut self, now: Time, src: IpAddr, reject: Reject, desk: &mut Desk<'_, '_>) {
        let slot = self.known.iter().position(|&known| known == src);
        self.lane(desk).count_reject(now, slot, reject);
        let bit = 1 << reject as u16;
        let told = self.told.iter_mut().find(|(told, _)| *told == src);
        let new = match told {
            Some((_, bits)) => core::mem::replace(bits, *bits | bit) & bit == 0,
            None => self.told.push((src, bit)).is_ok(),
        };
        if new {
            self.note(now, What::Rejected(src, reject), desk);
        }
    }

    fn step(&mut self, now: Time, input: Input, desk: &mut Desk<'_, '_>) {
        let actions = self.router.step(now, input);
        self.perform(now, &actions, desk);
    }

    fn perform(&mut self, now: Time, actions: &Actions, desk: &mut Desk<'_, '_>) {
        let before = self.wanted;
        for action in actions {
            match action {
                Action::Advertise(priority) => self.advertise(now, *priority, desk),
                Action::Hold => self.hold(now),
                Action::Announce => self.wanted.announcements = self.wanted.announcements.wrapping_add(1),
                Action::Release => self.wanted.hold = false,
                Action::Probe => self.wanted.probes = self.wanted.probes.wrapping_add(1),
                Action::Tell(event) => self.note(now, What::Event(*event), desk),
            }
        }
        if self.wanted != before {
            self.lane(desk).want(self.wanted);
            desk.shared.wake_vip.signal();
        }
    }

    fn hold(&mut self, now: Time) {
        if !self.wanted.hold || now.since(self.held_at) >= RENEW_GAP {
            self.held_at = now;
            self.wanted.hold = true;
            self.wanted.renewals = self.wanted.renewals.wrapping_add(1);
        }
    }

    fn advertise(&mut self, now: Time, priority: u8, desk: &mut Desk<'_, '_>) {
        let Some(source) = self.router.source() else { return };
        if self.router.settings().multicast {
            let group = if source.is_ipv6() { IpAddr::V6(GROUP_V6) } else { IpAddr::V4(GROUP_V4) };
            return self.send(now, priority, source, group, MAX_PEERS - 1, desk);
        }
        for slot in 0..self.router.settings().peers.len() {
            let dest = self.router.settings().peers[slot].addr;
            self.send(now, priority, source, dest, slot, desk);
        }
    }

    fn send(
        &mut self,
        now: Time,
        priority: u8,
        source: IpAddr,
        dest: IpAddr,
        slot: usize,
        desk: &mut Desk<'_, '_>,
    ) {
        let mut message = [0; MAX_MESSAGE];
        let len = advert::emit(self.router.settings(), priority, source, dest, &mut message);
        match self.socket.send(&message[..len], source, dest) {
            Ok(()) => {
                self.told_send &= !(1 << slot);
                self.lane(desk).sent.fetch_add(1, Relaxed);
            }
            Err(failure) if self.told_send & 1 << slot == 0 => {
                self.told_send |= 1 << slot;
                self.note(now, What::SendFailed(dest, failure.errno as i32), desk);
            }
            Err(_) => {}
        }
    }

    fn note(&mut self, at: Time, what: What, desk: &mut Desk<'_, '_>) {
        let note = Note { at, router: self.index, view: self.router.view(), what };
        if desk.notes.enqueue(note).is_err() {
            desk.shared.dropped_notes.fetch_add(1, Relaxed);
            self.lost_note = true;
        }
        desk.shared.wake_checks.signal();
    }

    /// After dropped notes: the view at least, as soon as there is room.
    fn catch_up(&mut self, now: Time, desk: &mut Desk<'_, '_>) {
        if self.lost_note && desk.notes.ready() {
            self.lost_note = false;
            self.note(now, What::Lost, desk);
        }
    }
}
