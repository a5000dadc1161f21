//! No Ethernet frame may panic the reader of claims; what one claims and we announce is read as the same claim.

use unsinkable::vip::announce::{ARP_FRAME, Claim, arp_probe, claim, gratuitous_arp};

/// Reads `data` as a frame.
pub fn run(data: &[u8]) {
    let Some(first) = claim(data) else { return };
    assert!(data.len() >= ARP_FRAME && !first.addr.is_unspecified(), "{first:?}");
    assert_eq!(first.mac, data[22..28]);
    assert_eq!(first.addr.octets(), data[28..32]);
    assert_eq!(first.reply, data[21] == 2);
    let announced = Claim { reply: false, ..first };
    assert_eq!(claim(&gratuitous_arp(first.mac, first.addr)), Some(announced));
    assert_eq!(claim(&arp_probe(first.mac, first.addr)), None, "a probe claims nothing");
}
