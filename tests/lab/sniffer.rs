//! Sees every frame a node sends, at its port of the bridge, with the kernel's time stamps: adverts and announcements.

use super::netns;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg, setsockopt, socket, sockopt,
};
use std::io::IoSliceMut;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    Advert {
        source: IpAddr,
        destination: IpAddr,
        version: u8,
        vrid: u8,
        priority: u8,
    },
    /// Gratuitous ARP, or an unsolicited neighbour advertisement.
    Announcement {
        address: IpAddr,
    },
}

/// A frame that entered the bridge from `node`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub at: Instant,
    pub node: usize,
    pub frame: Frame,
}

/// Captures until dropped.
pub struct Sniffer {
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sniffer {
    /// Listens at the ports of nodes 0 to `nodes - 1` of the bridge in that namespace.
    pub fn start(bridge: &str, nodes: usize) -> Self {
        let sockets: Vec<OwnedFd> =
            netns::inside(bridge, || (1..=nodes).map(|n| open(&format!("p{n}"))).collect());
        let (seen, stop) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::<AtomicBool>::default());
        let thread = {
            let (seen, stop) = (Arc::clone(&seen), Arc::clone(&stop));
            std::thread::spawn(move || capture(&sockets, &seen, &stop))
        };
        Self { seen, stop, thread: Some(thread) }
    }

    /// All that was seen in the window, in the order of time.
    pub fn window(&self, from: Instant, to: Instant) -> Vec<Seen> {
        std::thread::sleep(Duration::from_millis(20)); // what is on its way through the reading thread
        let all = self.seen.lock().expect("the capture did not panic");
        let mut some: Vec<Seen> = all.iter().copied().filter(|s| s.at >= from && s.at <= to).collect();
        some.sort_by_key(|s| s.at);
        some
    }

    /// Adverts of one node and virtual router in the window: when, and with what priority.
    pub fn adverts(&self, node: usize, vrid: u8, from: Instant, to: Instant) -> Vec<(Instant, u8)> {
        let of = |s: &Seen| match s.frame {
            Frame::Advert { vrid: v, priority, .. } if s.node == node && v == vrid => Some((s.at, priority)),
            Frame::Advert { .. } | Frame::Announcement { .. } => None,
        };
        self.window(from, to).iter().filter_map(of).collect()
    }

    /// The longest silence between adverts of one node to one destination, window edges included.
    pub fn gap(&self, node: usize, vrid: u8, from: Instant, to: Instant) -> Duration {
        let mut times: Vec<Instant> =
            self.adverts(node, vrid, from, to).into_iter().map(|(at, _)| at).collect();
        times.insert(0, from);
        times.push(to);
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    /// How many announcements of `address` a node sent in the window.
    pub fn announcements(&self, node: usize, address: IpAddr, from: Instant, to: Instant) -> usize {
        let wanted = Frame::Announcement { address };
        self.window(from, to).iter().filter(|s| s.node == node && s.frame == wanted).count()
    }
}

impl Drop for Sniffer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn capture(sockets: &[OwnedFd], seen: &Mutex<Vec<Seen>>, stop: &AtomicBool) {
    // Packets are stamped with the wall clock; the difference between the two clocks is taken once.
    let (wall, steady) = (SystemTime::now(), Instant::now());
    let wall = wall.duration_since(SystemTime::UNIX_EPOCH).expect("the clock is past 1970");
    while !stop.load(Ordering::Relaxed) {
        let mut ready: Vec<PollFd> =
            sockets.iter().map(|s| PollFd::new(s.as_fd(), PollFlags::POLLIN)).collect();
        if poll(&mut ready, PollTimeout::from(100u8)).unwrap_or(0) == 0 {
            continue;
        }
        let readable: Vec<bool> = ready.iter().map(|r| r.any().unwrap_or(false)).collect();
        for (node, socket) in sockets.iter().enumerate().filter(|(n, _)| readable[*n]) {
            while let Some((stamp, frame)) = receive(socket) {
                let at = steady + stamp.saturating_sub(wall);
                if let Some(frame) = frame {
                    seen.lock().expect("only this thread writes").push(Seen { at, node, frame });
                }
            }
        }
    }
}

/// One frame and its time since 1970; none when the queue is empty.
fn receive(socket: &OwnedFd) -> Option<(Duration, Option<Frame>)> {
    let mut bytes = [0; 256];
    let mut space = nix::cmsg_space!(nix::sys::time::TimeSpec);
    let mut iov = [IoSliceMut::new(&mut bytes)];
    let message =
        recvmsg::<()>(socket.as_raw_fd(), &mut iov, Some(&mut space), MsgFlags::MSG_DONTWAIT).ok()?;
    let length = message.bytes;
    let stamp = message.cmsgs().ok()?.find_map(|c| {
        if let ControlMessageOwned::ScmTimestampns(t) = c { Some(Duration::from(t)) } else { None }
    })?;
    Some((stamp, parse(bytes.get(..length)?)))
}

fn parse(frame: &[u8]) -> Option<Frame> {
    let body = frame.get(14..)?;
    match frame.get(12..14)? {
        [0x08, 0x00] if *body.get(9)? == 112 => {
            let header = usize::from(body[0] & 0x0f) * 4;
            let (source, destination) = (v4(body.get(12..16)?)?, v4(body.get(16..20)?)?);
            advert(source, destination, body.get(header..)?)
        }
        [0x86, 0xdd] if *body.get(6)? == 112 => {
            advert(v6(body.get(8..24)?)?, v6(body.get(24..40)?)?, body.get(40..)?)
        }
        [0x86, 0xdd] if *body.get(6)? == 58 && *body.get(40)? == 136 && *body.get(24)? == 0xff => {
            Some(Frame::Announcement { address: v6(body.get(48..64)?)? })
        }
        [0x08, 0x06] if body.get(14..18)? == body.get(24..28)? => {
            Some(Frame::Announcement { address: v4(body.get(14..18)?)? })
        }
        _ => None,
    }
}

fn advert(source: IpAddr, destination: IpAddr, message: &[u8]) -> Option<Frame> {
    let &[first, vrid, priority] = message.get(..3)? else { return None };
    Some(Frame::Advert { source, destination, version: first >> 4, vrid, priority })
}

fn v4(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).ok().map(|b| IpAddr::V4(Ipv4Addr::from(b)))
}

fn v6(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 16]>::try_from(bytes).ok().map(|b| IpAddr::V6(Ipv6Addr::from(b)))
}

/// A packet socket at one port that takes in only what comes from the node (floods towards it never wake us).
fn open(port: &str) -> OwnedFd {
    let flags = SockFlag::SOCK_CLOEXEC;
    let fd = socket(AddressFamily::Packet, SockType::Raw, flags, None).expect("root may open packet sockets");
    setsockopt(&fd, sockopt::ReceiveTimestampns, &true).expect("packets can be stamped");
    setsockopt(&fd, sockopt::RcvBufForce, &(8 << 20)).expect("root may enlarge buffers");
    ignore_outgoing(&fd);
    let index = nix::net::if_::if_nametoindex(port).expect("the port is there");
    bind_to(&fd, i32::try_from(index).expect("interface numbers are small"));
    fd
}

/// nix has no name for this option.
#[allow(unsafe_code, reason = "one setsockopt that nix does not offer")]
fn ignore_outgoing(fd: &OwnedFd) {
    const PACKET_IGNORE_OUTGOING: libc::c_int = 23;
    let on: libc::c_int = 1;
    let size = libc::socklen_t::try_from(size_of::<libc::c_int>()).expect("4");
    // SAFETY: the option takes a c_int; `on` is one, lives through the call, and its size is given.
    let done = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_PACKET,
            PACKET_IGNORE_OUTGOING,
            (&raw const on).cast(),
            size,
        )
    };
    assert_eq!(done, 0, "PACKET_IGNORE_OUTGOING: {}", nix::errno::Errno::last());
}

/// nix's `LinkAddr` cannot be made from an interface number. All protocols: a bridge port shows its frames to no others.
#[allow(unsafe_code, reason = "one bind whose address nix cannot make")]
fn bind_to(fd: &OwnedFd, interface: i32) {
    let address = libc::sockaddr_ll {
        sll_family: u16::try_from(libc::AF_PACKET).expect("17"),
        sll_protocol: u16::try_from(libc::ETH_P_ALL).expect("3").to_be(),
        sll_ifindex: interface,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let size = libc::socklen_t::try_from(size_of::<libc::sockaddr_ll>()).expect("20");
    // SAFETY: `address` is a whole sockaddr_ll that lives through the call, and its size is given.
    let done = unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), size) };
    assert_eq!(done, 0, "bind to interface {interface}: {}", nix::errno::Errno::last());
}
