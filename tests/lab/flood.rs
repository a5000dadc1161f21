//! Hostile adverts as fast as asked, from any IPv4 source address.

use super::netns;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, sendto, socket,
};
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// Packets sent between two looks at the clock.
const BURST: u32 = 50;

/// Sends `message` from `source` to `to` at `rate` a second for `time`, from inside the namespace; how many went out.
pub fn flood(netns: &str, source: Ipv4Addr, to: Ipv4Addr, message: &[u8], rate: u32, time: Duration) -> u32 {
    let packet = datagram(source, to, message);
    netns::inside(netns, || {
        let flags = SockFlag::SOCK_CLOEXEC;
        let fd =
            socket(AddressFamily::Inet, SockType::Raw, flags, SockProtocol::Raw).expect("root may send raw");
        let to = SockaddrIn::from(std::net::SocketAddrV4::new(to, 0));
        let start = Instant::now();
        let mut sent = 0;
        while start.elapsed() < time {
            for _ in 0..BURST {
                sent += u32::from(sendto(fd.as_raw_fd(), &packet, &to, MsgFlags::MSG_DONTWAIT).is_ok());
            }
            let due = start + Duration::from_secs(1) * sent / rate;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        sent
    })
}

/// An IPv4 datagram of protocol 112, TTL 255. The kernel fills in length and checksum.
fn datagram(source: Ipv4Addr, to: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0xc0, 0, 0, 0, 0, 0, 0, 255, 112, 0, 0];
    packet.extend(source.octets());
    packet.extend(to.octets());
    packet.extend(message);
    packet
}

/// A well-formed VRRPv2 advert (checksum right) with an eight-byte password.
pub fn advert_v2(vrid: u8, priority: u8, vip: Ipv4Addr, password: [u8; 8]) -> Vec<u8> {
    let mut message = vec![0x21, vrid, priority, 1, 1, 1, 0, 0];
    message.extend(vip.octets());
    message.extend(password);
    let sum: u32 = message.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    message[6..8].copy_from_slice(&(!folded).to_be_bytes()[2..]);
    message
}

#[test]
fn a_flooded_advert_is_well_formed() {
    let golden = [
        0x21, 0x0c, 0xe6, 0x01, 0x01, 0x01, 0x9b, 0x8e, 10, 0, 10, 39, 0x70, 0x61, 0x73, 0x73, 0x31, 0x32,
        0x33, 0x34,
    ];
    assert_eq!(advert_v2(12, 230, Ipv4Addr::new(10, 0, 10, 39), *b"pass1234"), golden);
}
