//! No Ethernet frame may panic the reader of claims; what one claims and we announce is read as the same claim, and passes
//! the filter that the kernel runs.

use super::bpf;
use core::net::Ipv4Addr;
use unsinkable::vip::announce::{ARP_FRAME, Claim, arp_probe, claim, claims_of, gratuitous_arp};

/// Somebody else's address.
const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

/// Reads `data` as a frame.
pub fn run(data: &[u8]) {
    bpf::passes(&claims_of([OTHER]), data, 0);
    let Some(first) = claim(data) else { return };
    assert!(bpf::passes(&claims_of([OTHER, first.addr]), data, 0), "a claim of a VIP is kept out");
    assert!(!bpf::passes(&claims_of([OTHER]), data, 0) || first.addr == OTHER, "not our business");
    assert!(data.len() >= ARP_FRAME && !first.addr.is_unspecified(), "{first:?}");
    assert_eq!(first.mac, data[22..28]);
    assert_eq!(first.addr.octets(), data[28..32]);
    assert_eq!(first.reply, data[21] == 2);
    let announced = Claim { reply: false, ..first };
    assert_eq!(claim(&gratuitous_arp(first.mac, first.addr)), Some(announced));
    assert_eq!(claim(&arp_probe(first.mac, first.addr)), None, "a probe claims nothing");
}
