//! No datagram may panic the reader; what it accepts and we emit again must be read as the same. The kernel's share of the
//! checks never keeps out what is accepted, and of its two programs always one passes.
//!
//! The first byte chooses the settings and whether to mend what random bytes never hit: version, VRID, checksum.

use super::bpf;
use core::net::IpAddr;
use core::time::Duration;
use unsinkable::vrrp::advert::{MAX_MESSAGE, Received, accept, emit};
use unsinkable::vrrp::filter::{unwanted, wanted};
use unsinkable::vrrp::priority::Effective;
use unsinkable::vrrp::{Auth, Checksum, Peer, Preempt, Settings, Version, Vip};

fn settings(choice: u8) -> (Settings, IpAddr, IpAddr) {
    let ipv6 = choice & 3 == 3;
    let texts = if ipv6 {
        ["fd00:10::39", "fd00:10::31", "fd00:10::32"]
    } else {
        ["10.0.10.39", "10.0.10.31", "10.0.10.32"]
    };
    let [vip, peer, own] = texts.map(|text| text.parse().expect("an address"));
    let settings = Settings {
        vrid: 12,
        version: if choice & 3 < 2 { Version::V2 } else { Version::V3 },
        vips: [Vip { addr: vip, prefix: 24 }].into_iter().collect(),
        base: 100,
        interval: Duration::from_secs(1),
        auth: if choice.is_multiple_of(4) { Auth::Pass(*b"pass1234") } else { Auth::None },
        checksum: Checksum::Pseudo,
        preempt: Preempt::Never,
        peers: [Peer { addr: peer, range: None }].into_iter().collect(),
        multicast: false,
        blind: Effective::Fault,
    };
    (settings, peer, own)
}

/// Makes version, VRID and checksum right; the sum is made here anew, not by the code under test.
fn mend(settings: &Settings, src: IpAddr, dst: IpAddr, message: &mut [u8]) {
    message[0] = if settings.version == Version::V2 { 0x21 } else { 0x31 };
    message[1] = settings.vrid;
    message[6..8].fill(0);
    let size = if settings.is_ipv6() { 16 } else { 4 };
    let auth = if settings.version == Version::V2 { 8 } else { 0 };
    let len = message.len().min(8 + usize::from(message[3]) * size + auth);
    let mut summed = message[..len].to_vec();
    if let (IpAddr::V6(src), IpAddr::V6(dst)) = (src, dst) {
        summed.extend(src.octets());
        summed.extend(dst.octets());
        summed.extend(u16::try_from(len + 112).expect("short").to_be_bytes());
    }
    let sum: u64 =
        summed.chunks(2).map(|pair| u64::from(pair[0]) * 256 + u64::from(*pair.get(1).unwrap_or(&0))).sum();
    // One's complement is arithmetic modulo 65,535; the sum is never zero.
    let rest = u16::try_from((sum - 1) % 0xffff + 1).expect("at most 65,535");
    message[6..8].copy_from_slice(&(!rest).to_be_bytes());
}

/// Does the kernel wake us for it? If not, it must be what the second socket counts.
fn filtered(settings: &Settings, src: IpAddr, message: &[u8]) -> bool {
    let (mut packet, start) = match src {
        IpAddr::V4(src) => {
            let head = [0x45, 0xc0, 0, 0, 0, 0, 0, 0, 255, 112, 0, 0];
            ([&head[..], &src.octets(), &[10, 0, 10, 32]].concat(), 0)
        }
        IpAddr::V6(src) => {
            let head = [0x60, 0, 0, 0, 0, 0, 112, 255];
            ([&head[..], &src.octets(), &[0; 16]].concat(), 40)
        }
    };
    packet.extend(message);
    let passes = bpf::passes(&wanted(settings), &packet, start);
    assert_eq!(bpf::passes(&unwanted(settings), &packet, start), !passes, "one of the two, never both");
    passes
}

/// Reads `data` as a datagram, and what it says again.
pub fn run(data: &[u8]) {
    let Some((&choice, message)) = data.split_first() else { return };
    let (settings, src, dst) = settings(choice);
    let mut message = message.to_vec();
    if choice & 4 != 0 && message.len() >= 8 {
        mend(&settings, src, dst, &mut message);
    }
    let passes = filtered(&settings, src, &message);
    let Ok(first) = accept(&settings, dst, &Received { src, dst, ttl: 255, message: &message }) else {
        return;
    };
    assert!(passes, "what counts must not be kept out by the kernel's share of the checks");
    let again = Settings {
        interval: first.interval,
        checksum: first.checksum.unwrap_or(settings.checksum),
        ..settings.clone()
    };
    let mut out = [0; MAX_MESSAGE];
    let len = emit(&again, first.priority, src, dst, &mut out);
    let second =
        accept(&settings, dst, &Received { src, dst, ttl: 255, message: &out[..len] }).expect("our own");
    assert_eq!((second.priority, second.interval), (first.priority, first.interval));
    assert!(second.same_vips);
    // Byte 4 of version 3 has reserved bits, and without a password nobody looks at its 8 bytes.
    assert_eq!(message[1..4], [12, first.priority, if first.same_vips { 1 } else { message[3] }]);
    if settings.auth != Auth::None {
        let at = 8 + 4 * usize::from(message[3]);
        assert_eq!(message[at..at + 8], *b"pass1234");
    }
}
