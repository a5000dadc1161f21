//! Telling the network where the VIP is: gratuitous ARP (RFC 5227), unsolicited neighbour advertisement (RFC 4861);
//! and asking who else has it: ARP probes and what is answered.
//!
//! ```text
//!  ARP frame       0         6        12        14        22          28          32          38       42
//!                 | to      | from   | 0x0806  | 1,0x0800 | sender MAC | sender IP | target MAC | target |
//!                 |         |        |         | 6,4,op   |            |           |            | IP     |
//! ```

use crate::bpf::{self, Instruction};
use core::net::{Ipv4Addr, Ipv6Addr};

/// Bytes of an ARP frame. Drivers fill it up to Ethernet's 60.
pub const ARP_FRAME: usize = 42;
/// Bytes of a neighbour advertisement frame: Ethernet, IPv6, the advertisement and its option.
const NEIGHBOUR_FRAME: usize = ETHERNET + IPV6 + ADVERTISEMENT;
/// IPv4 VIPs one socket watches for: those of all virtual routers.
const MAX_WATCHED: usize = 128;

/// An Ethernet address.
pub type Mac = [u8; 6];
/// A program of bounded length.
pub type Program = heapless::Vec<Instruction, { MAX_WATCHED + 6 }>;

const ETHERNET: usize = 14;
const IPV6: usize = 40;
const ADVERTISEMENT: usize = 32;
const BROADCAST: Mac = [0xff; 6];
/// Ethernet and IPv4, lengths 6 and 4.
const ARP_KINDS: [u8; 6] = [0x00, 0x01, 0x08, 0x00, 6, 4];
const REQUEST: u8 = 1;
const REPLY: u8 = 2;
/// Where a frame has the sender's IPv4 address.
const SENDER_IP: u32 = 28;

const ICMPV6: u8 = 58;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
const ROUTER: u8 = 0x80;
const OVERRIDE: u8 = 0x20;
/// Option: target link-layer address, one unit of 8 bytes.
const TARGET_MAC: [u8; 2] = [2, 1];
/// Frames to `ff02::1` go to this.
const ALL_NODES_MAC: Mac = [0x33, 0x33, 0, 0, 0, 1];
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// Who says to have an IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The address claimed.
    pub addr: Ipv4Addr,
    /// By whom.
    pub mac: Mac,
    /// As an answer to somebody's question, not unasked.
    pub reply: bool,
}

/// Gratuitous ARP in the form keepalived sends: a broadcast request, sender and target the VIP, target hardware
/// address all ones.
pub fn gratuitous_arp(mac: Mac, vip: Ipv4Addr) -> [u8; ARP_FRAME] {
    arp_request(mac, vip, BROADCAST, vip)
}

/// ARP probe (RFC 5227 section 2.1.1): who has it? It claims nothing and changes no one's table.
pub fn arp_probe(mac: Mac, vip: Ipv4Addr) -> [u8; ARP_FRAME] {
    arp_request(mac, Ipv4Addr::UNSPECIFIED, [0; 6], vip)
}

fn arp_request(mac: Mac, sender: Ipv4Addr, target_mac: Mac, target: Ipv4Addr) -> [u8; ARP_FRAME] {
    let mut frame = [0; ARP_FRAME];
    frame[..6].copy_from_slice(&BROADCAST);
    frame[6..12].copy_from_slice(&mac);
    frame[12..14].copy_from_slice(&[0x08, 0x06]);
    frame[14..20].copy_from_slice(&ARP_KINDS);
    frame[20..22].copy_from_slice(&[0, REQUEST]);
    frame[22..28].copy_from_slice(&mac);
    frame[28..32].copy_from_slice(&sender.octets());
    frame[32..38].copy_from_slice(&target_mac);
    frame[38..42].copy_from_slice(&target.octets());
    frame
}

/// Unsolicited neighbour advertisement to all nodes, overriding what they know. `router`: this node forwards IPv6.
pub fn unsolicited_advertisement(mac: Mac, vip: Ipv6Addr, router: bool) -> [u8; NEIGHBOUR_FRAME] {
    let mut frame = [0; NEIGHBOUR_FRAME];
    frame[..6].copy_from_slice(&ALL_NODES_MAC);
    frame[6..12].copy_from_slice(&mac);
    frame[12..14].copy_from_slice(&[0x86, 0xdd]);
    // Version 6; payload 32 bytes; hop limit 255, or it is ignored.
    frame[14] = 0x60;
    frame[18..22].copy_from_slice(&[0, 32, ICMPV6, 255]);
    frame[22..38].copy_from_slice(&vip.octets());
    frame[38..54].copy_from_slice(&ALL_NODES.octets());
    frame[54] = NEIGHBOUR_ADVERTISEMENT;
    frame[58] = if router { ROUTER | OVERRIDE } else { OVERRIDE };
    frame[62..78].copy_from_slice(&vip.octets());
    frame[78..80].copy_from_slice(&TARGET_MAC);
    frame[80..86].copy_from_slice(&mac);
    // Addresses and advertisement lie side by side; the pseudo-header adds length and protocol.
    let checksum = checksum(&frame[22..], 32 + u32::from(ICMPV6));
    frame[56..58].copy_from_slice(&checksum.to_be_bytes());
    frame
}

/// Internet checksum of an even number of bytes and `start`.
fn checksum(bytes: &[u8], start: u32) -> u16 {
    let words = bytes.chunks_exact(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
    let mut sum: u32 = start + words.sum::<u32>();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded to 16 bits")
}

/// What an ARP frame claims, request or reply. Nothing where it is no ARP of Ethernet and IPv4, or a probe.
pub fn claim(frame: &[u8]) -> Option<Claim> {
    let arp: &[u8; ARP_FRAME] = frame.first_chunk()?;
    let known = arp[12..14] == [0x08, 0x06] && arp[14..20] == ARP_KINDS;
    let spoken = arp[20] == 0 && matches!(arp[21], REQUEST | REPLY);
    let addr = Ipv4Addr::from(*arp[28..].first_chunk::<4>()?);
    if !known || !spoken || addr.is_unspecified() {
        return None;
    }
    Some(Claim { addr, mac: *arp[22..].first_chunk()?, reply: arp[21] == REPLY })
}

/// Passes ARP frames whose sender claims one of these addresses; of more than [`MAX_WATCHED`], the first.
pub fn claims_of(vips: impl IntoIterator<Item = Ipv4Addr>) -> Program {
    let vips: heapless::Vec<Ipv4Addr, MAX_WATCHED> = vips.into_iter().take(MAX_WATCHED).collect();
    let mut program = Program::new();
    let mut add = |instruction| {
        let added = program.push(instruction);
        debug_assert!(added.is_ok(), "one a VIP, and six");
    };
    add(bpf::load_half(12));
    add(bpf::jump_equal(0x0806, 1, 0));
    add(bpf::drop());
    add(bpf::load_word(SENDER_IP));
    for (vip, behind) in vips.iter().zip((1..=vips.len()).rev()) {
        // A match jumps over the rest and the drop.
        add(bpf::jump_equal(vip.to_bits(), u8::try_from(behind).unwrap_or(u8::MAX), 0));
    }
    add(bpf::drop());
    add(bpf::pass());
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = [0x02, 0x00, 0x00, 0x00, 0x00, 0x31];
    const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 10, 39);

    #[test]
    fn gratuitous_arp_is_keepaliveds() {
        let golden = b"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x31\x08\x06\
            \0\x01\x08\0\x06\x04\0\x01\x02\0\0\0\0\x31\x0a\0\x0a\x27\
            \xff\xff\xff\xff\xff\xff\x0a\0\x0a\x27";
        assert_eq!(gratuitous_arp(MAC, VIP), *golden);
    }

    #[test]
    fn a_probe_claims_nothing() {
        let golden = b"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x31\x08\x06\
            \0\x01\x08\0\x06\x04\0\x01\x02\0\0\0\0\x31\0\0\0\0\
            \0\0\0\0\0\0\x0a\0\x0a\x27";
        assert_eq!(arp_probe(MAC, VIP), *golden);
        assert_eq!(claim(golden), None);
    }

    /// The checksum by hand, for `fd00:10::39` and 02:00:00:00:00:31:
    /// twice fd00 + 0010 + 0039 = fd49 (source, target): 1fa92; ff02 + 0001 = ff03; length and protocol 0020 + 003a =
    /// 005a; type 8800; flags 2000; option 0201 + 0200 + 0000 + 0031 = 0432. Sum: 1fa92 + ff03 + 005a + 8800 + 2000 +
    /// 0432 = 3a621; folded a624; inverted 59db.
    #[test]
    fn neighbours_are_told_to_override() {
        let vip = "fd00:10::39".parse().unwrap();
        let golden = b"\x33\x33\0\0\0\x01\x02\0\0\0\0\x31\x86\xdd\
            \x60\0\0\0\0\x20\x3a\xff\
            \xfd\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\x39\
            \xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\
            \x88\0\x59\xdb\x20\0\0\0\
            \xfd\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\x39\
            \x02\x01\x02\0\0\0\0\x31";
        assert_eq!(unsolicited_advertisement(MAC, vip, false), *golden);
        let router = unsolicited_advertisement(MAC, vip, true);
        // 8000 more in the flags is 8000 less in the checksum: 59db - 8000 = -2625, borrowing the carry: d9da.
        assert_eq!(router[56..59], [0xd9, 0xda, 0xa0]);
    }

    fn reply(addr: [u8; 4]) -> [u8; ARP_FRAME] {
        let mut frame = gratuitous_arp(MAC, VIP);
        frame[21] = 2;
        frame[28..32].copy_from_slice(&addr);
        frame
    }

    #[test]
    fn claims_are_read_from_requests_and_replies() {
        assert_eq!(claim(&gratuitous_arp(MAC, VIP)), Some(Claim { addr: VIP, mac: MAC, reply: false }));
        let mut padded = reply([10, 0, 10, 39]).to_vec();
        padded.resize(60, 0);
        assert_eq!(claim(&padded), Some(Claim { addr: VIP, mac: MAC, reply: true }));
        for len in 0..ARP_FRAME {
            assert_eq!(claim(&padded[..len]), None);
        }
        for at in [12, 15, 16, 18, 19, 20, 21] {
            let mut other = reply([10, 0, 10, 39]);
            other[at] = 9;
            assert_eq!(claim(&other), None, "byte {at}");
        }
    }

    #[test]
    fn the_filter_passes_claims_of_the_vips_alone() {
        let vips: Vec<Ipv4Addr> = (0..128).map(|last| Ipv4Addr::new(10, 0, 10, last)).collect();
        let program = claims_of(vips);
        for last in 0..=255 {
            assert_eq!(bpf::run(&program, &reply([10, 0, 10, last]), 14, 0), last < 128, "10.0.10.{last}");
        }
        let mut other = reply([10, 0, 10, 39]);
        other[13] = 0;
        assert!(!bpf::run(&program, &other, 14, 0));
        assert!(!bpf::run(&claims_of([]), &reply([10, 0, 10, 39]), 14, 0), "no VIP, no frame");
    }
}
