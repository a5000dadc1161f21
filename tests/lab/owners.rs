//! Who owned which address when: one thread per node listens to the kernel's address events.

use super::netns;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, setsockopt, socket,
    sockopt,
};
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// `RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR`.
const GROUPS: u32 = 0x10 | 0x100;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;

/// A node got an address, or lost it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub at: Instant,
    pub node: usize,
    pub address: IpAddr,
    pub owns: bool,
}

/// How long nobody and how long two or more owned an address in a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spans {
    pub nobody: Duration,
    pub two: Duration,
}

/// The time line.
pub struct Owners {
    changes: Arc<Mutex<Vec<Change>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Owners {
    /// Watches the namespaces, numbered in the order given, from before any VIP exists.
    pub fn watch(netns: impl Iterator<Item = String>) -> Self {
        let (changes, stop) = (Arc::default(), Arc::<AtomicBool>::default());
        let (ready, listening) = mpsc::channel();
        let threads: Vec<_> = netns
            .enumerate()
            .map(|(node, netns)| {
                let (changes, stop, ready) = (Arc::clone(&changes), Arc::clone(&stop), ready.clone());
                std::thread::spawn(move || listen(node, &netns, &changes, &stop, &ready))
            })
            .collect();
        for _ in &threads {
            listening.recv().expect("each watcher opens its socket");
        }
        Self { changes, stop, threads }
    }

    /// Ends the watch.
    pub fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }

    fn all(&self, address: IpAddr) -> Vec<Change> {
        let changes = self.changes.lock().expect("no watcher panicked");
        let mut own: Vec<Change> = changes.iter().copied().filter(|c| c.address == address).collect();
        own.sort_by_key(|c| c.at);
        own
    }

    /// The nodes that own it now, lowest first.
    pub fn now(&self, address: IpAddr) -> Vec<usize> {
        self.at(address, Instant::now())
    }

    /// The nodes that owned it then, lowest first.
    pub fn at(&self, address: IpAddr, then: Instant) -> Vec<usize> {
        owners(self.all(address).iter().take_while(|c| c.at <= then))
    }

    /// What changed in the window.
    pub fn changes(&self, address: IpAddr, from: Instant, to: Instant) -> Vec<Change> {
        self.all(address).into_iter().filter(|c| c.at > from && c.at <= to).collect()
    }

    /// Waits until `node` gains `address` after `event`; how long after. Panics past `limit`.
    pub fn gained(&self, address: IpAddr, node: usize, event: Instant, limit: Duration) -> Duration {
        self.change(address, node, true, event, limit)
    }

    /// Waits until `node` loses `address` after `event`; how long after. Panics past `limit`.
    pub fn lost(&self, address: IpAddr, node: usize, event: Instant, limit: Duration) -> Duration {
        self.change(address, node, false, event, limit)
    }

    fn change(&self, address: IpAddr, node: usize, owns: bool, event: Instant, limit: Duration) -> Duration {
        loop {
            let past = Instant::now();
            let all = self.all(address);
            if let Some(change) = all.iter().find(|c| c.at > event && c.node == node && c.owns == owns) {
                return change.at - event;
            }
            let verb = if owns { "gain" } else { "lose" };
            assert!(past - event < limit, "node {node} did not {verb} {address} within {limit:?}: {all:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// How long nobody, and how long two owned it between `from` and `to`.
    pub fn spans(&self, address: IpAddr, from: Instant, to: Instant) -> Spans {
        let all = self.all(address);
        let mut edges: Vec<Instant> = all.iter().map(|c| c.at).filter(|at| *at > from && *at < to).collect();
        edges.insert(0, from);
        edges.push(to);
        let mut spans = Spans::default();
        for pair in edges.windows(2) {
            let length = pair[1] - pair[0];
            match owners(all.iter().take_while(|c| c.at <= pair[0])).len() {
                0 => spans.nobody += length,
                1 => {}
                2.. => spans.two += length,
            }
        }
        spans
    }
}

fn owners<'a>(changes: impl Iterator<Item = &'a Change>) -> Vec<usize> {
    let mut nodes = Vec::new();
    for change in changes {
        nodes.retain(|n| *n != change.node);
        if change.owns {
            nodes.push(change.node);
        }
    }
    nodes.sort_unstable();
    nodes
}

fn open() -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let fd = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
    setsockopt(&fd, sockopt::RcvBufForce, &(4 << 20))?;
    bind(fd.as_raw_fd(), &NetlinkAddr::new(0, GROUPS))?;
    Ok(fd)
}

fn listen(node: usize, netns: &str, changes: &Mutex<Vec<Change>>, stop: &AtomicBool, ready: &Sender<()>) {
    netns::enter(netns);
    let fd = open().expect("rtnetlink opens");
    ready.send(()).ok();
    let mut held: Vec<IpAddr> = Vec::new();
    let mut buffer = [0; 16384];
    while !stop.load(Ordering::Relaxed) {
        let mut ready = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
        if poll(&mut ready, PollTimeout::from(100u8)) != Ok(1) {
            continue;
        }
        let Ok(length) = recv(fd.as_raw_fd(), &mut buffer, MsgFlags::empty()) else { continue };
        let at = Instant::now();
        for (owns, address) in messages(&buffer[..length]) {
            if held.contains(&address) == owns {
                continue; // a renewed lease says nothing new
            }
            held.retain(|a| *a != address);
            if owns {
                held.push(address);
            }
            changes.lock().expect("no watcher panicked").push(Change { at, node, address, owns });
        }
    }
}

/// The address messages of a datagram: gained or lost, and which.
fn messages(mut bytes: &[u8]) -> Vec<(bool, IpAddr)> {
    let mut found = Vec::new();
    while bytes.len() >= 24 {
        let length = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        let kind = u16::from_ne_bytes([bytes[4], bytes[5]]);
        if length < 24 || length > bytes.len() {
            break;
        }
        if let (RTM_NEWADDR | RTM_DELADDR, Some(address)) = (kind, address(&bytes[24..length])) {
            found.push((kind == RTM_NEWADDR, address));
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

/// The address among the attributes: `IFA_LOCAL` where there is one (IPv4), else `IFA_ADDRESS`.
fn address(mut attributes: &[u8]) -> Option<IpAddr> {
    let mut found = None;
    while attributes.len() >= 4 {
        let length = usize::from(u16::from_ne_bytes([attributes[0], attributes[1]]));
        let kind = u16::from_ne_bytes([attributes[2], attributes[3]]);
        let value = attributes.get(4..length)?;
        let parsed = match value.len() {
            4 => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
            16 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
            _ => None,
        };
        if kind == IFA_LOCAL || (kind == IFA_ADDRESS && found.is_none()) {
            found = parsed;
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}
