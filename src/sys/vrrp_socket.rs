//! The raw socket of one virtual router: IP protocol 112 on one interface.

use super::message::{self, Control, family, zeroed};
use super::{Failure, Family, option};
use crate::bpf::Instruction;
use core::ffi::c_int;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::ops::Range;
use nix::errno::Errno;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

/// Receive buffer in bytes: some hundred adverts, so that a stall of seconds in a full cluster loses none, while a
/// flood cannot take more memory than this.
pub const RECEIVE_BUFFER: c_int = 128 * 1024;
/// Send buffer in bytes. What waits for the MAC address of a dead peer counts against it, up to 208 KiB a peer
/// (`unres_qlen_bytes`); with 16 of them gone, adverts to the living still find room.
pub const SEND_BUFFER: c_int = 4 * 1024 * 1024;
/// Datagrams thrown away while opening: those that came in before the filter was there. More than the buffer holds.
const MAX_DRAIN: usize = 1024;

const VRRP: c_int = 112;
const TTL: c_int = 255;
/// Internetwork control (RFC 9568 says nothing; keepalived sends it).
const TRAFFIC_CLASS: c_int = 0xc0;
/// The highest a socket may have without further rights (`TC_PRIO_CONTROL`).
const PRIORITY: c_int = 7;
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);
/// `SO_MEMINFO` (`linux/sock_diag.h`), in libc only for some targets; the drops are the ninth of its numbers.
const SO_MEMINFO: c_int = 55;
const MEMINFO_DROPS: usize = 8;

/// A raw socket for adverts of one family on one interface.
#[derive(Debug)]
pub struct VrrpSocket {
    fd: OwnedFd,
    family: Family,
    ifindex: u32,
}

/// A datagram received; the message lies in the caller's buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Sender.
    pub src: IpAddr,
    /// What it was sent to.
    pub dst: IpAddr,
    /// TTL or hop limit on arrival.
    pub ttl: u8,
    /// Where the VRRP message lies in the buffer.
    pub message: Range<usize>,
}

impl VrrpSocket {
    /// Opens it; nothing that `filter` drops, or that came from another interface, is ever received.
    /// With `multicast` it joins the group.
    pub fn open(
        ifname: &str,
        ifindex: u32,
        family: Family,
        multicast: bool,
        filter: &[Instruction],
    ) -> Result<Self, Failure> {
        let fd = raw_socket(family)?;
        let socket = Self { fd, family, ifindex };
        let fd = socket.fd.as_fd();
        option::attach_filter(fd, filter)?;
        option::set_text(fd, BIND_TO_DEVICE, ifname, "setsockopt SO_BINDTODEVICE")?;
        option::set(fd, (libc::SOL_SOCKET, libc::SO_RCVBUF), &RECEIVE_BUFFER, "setsockopt SO_RCVBUF")?;
        // Beyond the system's limit, where that is permitted.
        option::set(fd, (libc::SOL_SOCKET, libc::SO_SNDBUFFORCE), &SEND_BUFFER, "setsockopt SO_SNDBUFFORCE")
            .or_else(|_| {
                option::set(fd, (libc::SOL_SOCKET, libc::SO_SNDBUF), &SEND_BUFFER, "setsockopt SO_SNDBUF")
            })?;
        option::set(fd, (libc::SOL_SOCKET, libc::SO_PRIORITY), &PRIORITY, "setsockopt SO_PRIORITY")?;
        match family {
            Family::V4 => set_v4(fd, ifindex)?,
            Family::V6 => set_v6(fd, ifindex)?,
        }
        if multicast {
            join(fd, family, ifindex)?;
        }
        socket.drain();
        Ok(socket)
    }

    /// Sends `message` from `source` to `dest` without waiting. It does not try again.
    pub fn send(&self, message: &[u8], source: IpAddr, dest: IpAddr) -> Result<(), Failure> {
        let fd = self.fd.as_fd();
        let sent = match (source, dest) {
            (IpAddr::V4(source), IpAddr::V4(dest)) => {
                message::send(fd, message, &socket_addr_v4(dest), &mut self.sender_v4(source))
            }
            (IpAddr::V6(source), IpAddr::V6(dest)) => {
                message::send(fd, message, &socket_addr_v6(dest, self.ifindex), &mut self.sender_v6(source))
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => Err(Errno::EAFNOSUPPORT),
        };
        sent.map_err(Failure::of("sendmsg"))
    }

    /// The next datagram, or `None` where none waits. One that cannot be made out is skipped by the caller as any
    /// other that is wrong: its message is empty.
    pub fn recv(&self, buffer: &mut [u8]) -> Result<Option<Datagram>, Failure> {
        let mut control = Control::new();
        let received = match self.family {
            Family::V4 => {
                let mut from = zeroed::<libc::sockaddr_in>();
                message::receive(self.fd.as_fd(), buffer, &mut from, &mut control)
                    .map(|len| datagram_v4(&buffer[..len.min(buffer.len())]))
            }
            Family::V6 => {
                let mut from = zeroed::<libc::sockaddr_in6>();
                message::receive(self.fd.as_fd(), buffer, &mut from, &mut control)
                    .map(|len| datagram_v6(len.min(buffer.len()), &from, &control))
            }
        };
        match received {
            Ok(datagram) => Ok(Some(datagram)),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(None),
            Err(errno) => Err(Failure { call: "recvmsg", errno }),
        }
    }

    /// Datagrams the kernel dropped since the socket was opened because the buffer was full.
    pub fn dropped(&self) -> Result<u32, Failure> {
        let numbers: [u32; MEMINFO_DROPS + 1] =
            option::get(self.fd.as_fd(), (libc::SOL_SOCKET, SO_MEMINFO), "getsockopt SO_MEMINFO")?;
        Ok(numbers[MEMINFO_DROPS])
    }

    fn drain(&self) {
        let mut byte = [0];
        for _ in 0..MAX_DRAIN {
            if !matches!(self.recv(&mut byte), Ok(Some(_))) {
                return;
            }
        }
    }

    fn sender_v4(&self, source: Ipv4Addr) -> Control {
        // struct in_pktinfo: interface, source, destination (not used when sending).
        let mut info = [0; 12];
        info[..4].copy_from_slice(&self.ifindex.to_ne_bytes());
        info[4..8].copy_from_slice(&source.octets());
        Control::one(libc::IPPROTO_IP, libc::IP_PKTINFO, &info)
    }

    fn sender_v6(&self, source: Ipv6Addr) -> Control {
        // struct in6_pktinfo: source, interface.
        let mut info = [0; 20];
        info[..16].copy_from_slice(&source.octets());
        info[16..].copy_from_slice(&self.ifindex.to_ne_bytes());
        Control::one(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info)
    }
}

impl AsFd for VrrpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

const BIND_TO_DEVICE: (c_int, c_int) = (libc::SOL_SOCKET, libc::SO_BINDTODEVICE);

fn raw_socket(family: Family) -> Result<OwnedFd, Failure> {
    let domain = match family {
        Family::V4 => libc::AF_INET,
        Family::V6 => libc::AF_INET6,
    };
    let kind = libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers. (nix knows no protocol 112.)
    let fd = unsafe { libc::socket(domain, kind, VRRP) };
    let fd = Errno::result(fd).map_err(Failure::of("socket (raw, protocol 112)"))?;
    // SAFETY: the kernel just gave us this descriptor; nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn set_v4(fd: BorrowedFd<'_>, ifindex: u32) -> Result<(), Failure> {
    let ip = libc::IPPROTO_IP;
    option::set(fd, (ip, libc::IP_TTL), &TTL, "setsockopt IP_TTL")?;
    option::set(fd, (ip, libc::IP_MULTICAST_TTL), &TTL, "setsockopt IP_MULTICAST_TTL")?;
    option::set(fd, (ip, libc::IP_MULTICAST_LOOP), &0, "setsockopt IP_MULTICAST_LOOP")?;
    option::set(fd, (ip, libc::IP_TOS), &TRAFFIC_CLASS, "setsockopt IP_TOS")?;
    option::set(fd, (ip, libc::IP_MTU_DISCOVER), &libc::IP_PMTUDISC_DONT, "setsockopt IP_MTU_DISCOVER")?;
    // Bound to the device, it sends there anyway; qemu-user refuses this option.
    let _ =
        option::set(fd, (ip, libc::IP_MULTICAST_IF), &membership_v4(ifindex), "setsockopt IP_MULTICAST_IF");
    Ok(())
}

fn set_v6(fd: BorrowedFd<'_>, ifindex: u32) -> Result<(), Failure> {
    let ip = libc::IPPROTO_IPV6;
    option::set(fd, (ip, libc::IPV6_UNICAST_HOPS), &TTL, "setsockopt IPV6_UNICAST_HOPS")?;
    option::set(fd, (ip, libc::IPV6_MULTICAST_HOPS), &TTL, "setsockopt IPV6_MULTICAST_HOPS")?;
    option::set(fd, (ip, libc::IPV6_MULTICAST_LOOP), &0, "setsockopt IPV6_MULTICAST_LOOP")?;
    option::set(fd, (ip, libc::IPV6_TCLASS), &TRAFFIC_CLASS, "setsockopt IPV6_TCLASS")?;
    option::set(fd, (ip, libc::IPV6_RECVHOPLIMIT), &1, "setsockopt IPV6_RECVHOPLIMIT")?;
    option::set(fd, (ip, libc::IPV6_RECVPKTINFO), &1, "setsockopt IPV6_RECVPKTINFO")?;
    // As for IPv4.
    let _ = option::set(fd, (ip, libc::IPV6_MULTICAST_IF), &ifindex, "setsockopt IPV6_MULTICAST_IF");
    Ok(())
}

/// `struct ip_mreqn` (group, address, interface) in its first 12 bytes, and four of zeros.
fn membership_v4(ifindex: u32) -> [u8; 16] {
    let mut request = [0; 16];
    request[..4].copy_from_slice(&GROUP_V4.octets());
    request[8..12].copy_from_slice(&ifindex.to_ne_bytes());
    request
}

fn join(fd: BorrowedFd<'_>, family: Family, ifindex: u32) -> Result<(), Failure> {
    match family {
        Family::V4 => {
            const CALL: &str = "setsockopt IP_ADD_MEMBERSHIP";
            let name = (libc::IPPROTO_IP, libc::IP_ADD_MEMBERSHIP);
            let long = membership_v4(ifindex);
            let short: [u8; 12] = *long.first_chunk().expect("12 of 16");
            // Kernels take 12 bytes or more; 64-bit qemu-user wants 16, 32-bit qemu-user 12.
            option::set(fd, name, &long, CALL).or_else(|_| option::set(fd, name, &short, CALL))
        }
        Family::V6 => {
            // struct ipv6_mreq: group, interface.
            let mut request = [0_u8; 20];
            request[..16].copy_from_slice(&GROUP_V6.octets());
            request[16..].copy_from_slice(&ifindex.to_ne_bytes());
            let name = (libc::IPPROTO_IPV6, libc::IPV6_ADD_MEMBERSHIP);
            option::set(fd, name, &request, "setsockopt IPV6_ADD_MEMBERSHIP")
        }
    }
}

fn socket_addr_v4(addr: Ipv4Addr) -> libc::sockaddr_in {
    let mut to = zeroed::<libc::sockaddr_in>();
    to.sin_family = family(libc::AF_INET);
    to.sin_addr.s_addr = u32::from_ne_bytes(addr.octets());
    to
}

fn socket_addr_v6(addr: Ipv6Addr, ifindex: u32) -> libc::sockaddr_in6 {
    let mut to = zeroed::<libc::sockaddr_in6>();
    to.sin6_family = family(libc::AF_INET6);
    to.sin6_addr.s6_addr = addr.octets();
    // Link-local addresses mean nothing without it.
    to.sin6_scope_id = ifindex;
    to
}

/// A raw IPv4 socket sees the IP header, which the kernel has checked.
fn datagram_v4(packet: &[u8]) -> Datagram {
    let word = |at: usize| {
        let octets = packet.get(at..).and_then(<[u8]>::first_chunk::<4>).copied();
        IpAddr::V4(octets.map_or(Ipv4Addr::UNSPECIFIED, Ipv4Addr::from))
    };
    let header = packet.first().map_or(0, |first| usize::from(first & 0x0f) * 4);
    let ttl = packet.get(8).copied().unwrap_or(0);
    Datagram { src: word(12), dst: word(16), ttl, message: header.min(packet.len())..packet.len() }
}

/// A raw IPv6 socket sees only what follows the header; the rest comes beside it.
fn datagram_v6(len: usize, from: &libc::sockaddr_in6, control: &Control) -> Datagram {
    let info = control.find(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO);
    let dst = info.and_then(|info| info.first_chunk::<16>()).copied();
    let hops = control.find(libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT);
    let hops = hops.and_then(|hops| hops.first_chunk::<4>()).map_or(0, |hops| c_int::from_ne_bytes(*hops));
    Datagram {
        src: IpAddr::V6(Ipv6Addr::from(from.sin6_addr.s6_addr)),
        dst: IpAddr::V6(dst.map_or(Ipv6Addr::UNSPECIFIED, Ipv6Addr::from)),
        ttl: u8::try_from(hops).unwrap_or(0),
        message: 0..len,
    }
}
