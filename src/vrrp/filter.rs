//! The kernel's share of the receive checks: foreign clusters on the same network must not wake the vrrp thread.
//!
//! One program passes what is worth [`super::advert::accept`], its inverse passes the rest, for a second socket whose
//! reader has time to count and name. What takes more than a look at a few bytes (length, interval, checksum) is left
//! to `accept`.

use super::advert::{TTL, first_byte};
use super::{MAX_PEERS, Settings};
use crate::bpf::{self, Instruction, NET_OFFSET};
use core::net::IpAddr;

/// Longest program: 16 IPv6 peers of eight instructions and a jump, and some 40 for the rest.
const MAX_PROGRAM: usize = MAX_PEERS * 9 + 48;

/// A program of bounded length.
pub type Program = heapless::Vec<Instruction, MAX_PROGRAM>;

/// Where a raw IPv4 socket, which sees the IP header, finds the TTL and the source.
const V4_TTL: u32 = 8;
const V4_SOURCE: u32 = 12;
/// Where the IPv6 header, which a raw IPv6 socket does not see, has the source.
const V6_SOURCE: u32 = NET_OFFSET.wrapping_add(8);

/// Passes adverts of this virtual router: version and type, VRID, over IPv4 the TTL, the sender unless multicast, and
/// in version 2 the password.
pub fn wanted(settings: &Settings) -> Program {
    program(settings, bpf::pass(), bpf::drop())
}

/// Passes all that [`wanted`] drops.
pub fn unwanted(settings: &Settings) -> Program {
    program(settings, bpf::drop(), bpf::pass())
}

/// A check jumps over the answer to a failed one: no jump is longer than a peer's address.
fn program(settings: &Settings, held: Instruction, failed: Instruction) -> Program {
    let mut writer = Writer { program: Program::new(), failed };
    if settings.is_ipv6() {
        writer.add(bpf::set_x(0));
    } else {
        writer.add(bpf::load_byte(V4_TTL));
        writer.require(u32::from(TTL));
        writer.add(bpf::load_header_length(0));
    }
    writer.require_behind(8);
    writer.add(bpf::load_byte_indexed(0));
    writer.require(u32::from(first_byte(settings.version)));
    writer.add(bpf::load_byte_indexed(1));
    writer.require(u32::from(settings.vrid));
    if !settings.multicast {
        writer.require_peer(settings);
    }
    if let Some(password) = settings.password() {
        writer.require_password(password);
    }
    writer.add(held);
    writer.program
}

struct Writer {
    program: Program,
    failed: Instruction,
}

impl Writer {
    fn add(&mut self, instruction: Instruction) {
        let added = self.program.push(instruction);
        debug_assert!(added.is_ok(), "MAX_PROGRAM holds the longest");
    }

    /// A must be `value`.
    fn require(&mut self, value: u32) {
        self.add(bpf::jump_equal(value, 1, 0));
        self.add(self.failed);
    }

    /// There must be `more` bytes behind X. A load beyond the end would drop the packet in either program.
    fn require_behind(&mut self, more: u32) {
        self.add(bpf::copy_from_x());
        self.add(bpf::add(more));
        self.add(bpf::copy_to_x());
        self.add(bpf::load_length());
        self.add(bpf::jump_at_least_x(1, 0));
        self.add(self.failed);
        self.add(bpf::copy_from_x());
        self.add(bpf::subtract(more));
        self.add(bpf::copy_to_x());
    }

    /// The source must be a peer's: each is tried, and a match jumps behind the last.
    fn require_peer(&mut self, settings: &Settings) {
        let size: usize = if settings.is_ipv6() { 9 } else { 2 };
        for (index, peer) in settings.peers.iter().enumerate() {
            let others = settings.peers.len() - index - 1;
            let behind = u32::try_from(others * size + 1).expect("at most MAX_PROGRAM");
            match peer.addr {
                IpAddr::V4(addr) => {
                    self.add(bpf::load_word(V4_SOURCE));
                    self.add(bpf::jump_equal(addr.to_bits(), u8::try_from(behind).expect("two a peer"), 0));
                }
                IpAddr::V6(addr) => {
                    for (part, left) in words(addr.octets()).zip([7, 5, 3, 1]) {
                        let at = V6_SOURCE + (7 - left) * 2;
                        self.add(bpf::load_word(at));
                        self.add(bpf::jump_equal(part, 0, u8::try_from(left).expect("at most 7")));
                    }
                    self.add(bpf::jump(behind));
                }
            }
        }
        self.add(self.failed);
    }

    /// The 8 bytes behind the address list: its beginning in X, plus four bytes an address (version 2 has no IPv6).
    fn require_password(&mut self, password: [u8; 8]) {
        self.add(bpf::load_byte_indexed(3));
        self.add(bpf::shift_left(2));
        self.add(bpf::add_x());
        self.add(bpf::copy_to_x());
        self.require_behind(16);
        for (part, at) in words(password).zip([8, 12]) {
            self.add(bpf::load_word_indexed(at));
            self.require(part);
        }
    }
}

fn words<const N: usize>(bytes: [u8; N]) -> impl Iterator<Item = u32> {
    (0..N / 4).map(move |word| {
        u32::from_be_bytes([bytes[word * 4], bytes[word * 4 + 1], bytes[word * 4 + 2], bytes[word * 4 + 3]])
    })
}

#[cfg(test)]
mod tests {
    use super::super::priority::Effective;
    use super::super::{Auth, Checksum, Peer, Preempt, Version, Vip};
    use super::*;
    use core::time::Duration;

    /// keepalived's advert of the user's cluster: VRID 12, PASS "pass1234", one address; behind an IPv4 header with
    /// TTL 255 from 10.0.10.31 to 10.0.10.32.
    const V2: [u8; 40] = *b"\x45\xc0\0\x28\0\x01\0\0\xff\x70\0\0\x0a\0\x0a\x1f\x0a\0\x0a\x20\
        \x21\x0c\xe6\x01\x01\x01\x9b\x8e\x0a\0\x0a\x27pass1234";

    fn settings(version: Version, auth: Auth, vip: &str, peers: &[&str]) -> Settings {
        Settings {
            vrid: 12,
            version,
            vips: heapless::Vec::from_slice(&[Vip { addr: vip.parse().unwrap(), prefix: 24 }]).unwrap(),
            base: 100,
            interval: Duration::from_secs(1),
            auth,
            checksum: Checksum::Pseudo,
            preempt: Preempt::Never,
            peers: peers.iter().map(|peer| Peer { addr: peer.parse().unwrap(), range: None }).collect(),
            multicast: peers.is_empty(),
            blind: Effective::Fault,
        }
    }

    fn v2(peers: &[&str]) -> Settings {
        settings(Version::V2, Auth::Pass(*b"pass1234"), "10.0.10.39", peers)
    }

    /// Does the packet pass? The inverse program must say the opposite.
    fn passes(settings: &Settings, packet: &[u8]) -> bool {
        let start = if settings.is_ipv6() { 40 } else { 0 };
        let pass = bpf::run(&wanted(settings), packet, 0, start);
        assert_eq!(bpf::run(&unwanted(settings), packet, 0, start), !pass, "{packet:x?}");
        pass
    }

    fn with(at: usize, value: u8) -> [u8; 40] {
        let mut packet = V2;
        packet[at] = value;
        packet
    }

    #[test]
    fn each_check_of_an_ipv4_advert_is_made() {
        let ours = v2(&["10.0.10.33", "10.0.10.31", "10.0.10.34"]);
        assert!(passes(&ours, &V2));
        for (at, value) in
            [(8, 254), (20, 0x31), (20, 0x22), (21, 13), (15, 30), (32, b'q'), (39, b'5'), (23, 2)]
        {
            assert!(!passes(&ours, &with(at, value)), "byte {at} = {value}");
        }
        // Priority, interval, checksum and addresses are not the filter's business.
        for at in [22, 25, 26, 27, 31] {
            assert!(passes(&ours, &with(at, 77)), "byte {at}");
        }
    }

    #[test]
    fn every_place_in_the_list_of_peers_is_found() {
        let all: Vec<String> = (0..16).map(|peer| format!("10.0.10.{}", 31 + peer)).collect();
        let ours = v2(&all.iter().map(String::as_str).collect::<Vec<_>>());
        for last in 0..=255 {
            assert_eq!(passes(&ours, &with(15, last)), (31..47).contains(&last), "10.0.10.{last}");
        }
    }

    #[test]
    fn cut_anywhere_it_goes_to_the_inverse() {
        for len in 20..V2.len() {
            assert!(!passes(&v2(&["10.0.10.31"]), &V2[..len]), "{len} bytes");
        }
    }

    #[test]
    fn multicast_takes_any_source_and_no_password_is_not_looked_for() {
        assert!(passes(&v2(&[]), &with(15, 99)));
        let open = settings(Version::V2, Auth::None, "10.0.10.39", &["10.0.10.31"]);
        assert!(passes(&open, &with(32, b'q')));
        assert!(passes(&open, &V2[..28]), "the length is accept's business");
    }

    #[test]
    fn ip_options_move_the_message() {
        let mut packet = V2[..20].to_vec();
        packet[0] = 0x46;
        packet.extend([0x94, 4, 0, 0]);
        packet.extend(&V2[20..]);
        assert!(passes(&v2(&["10.0.10.31"]), &packet));
    }

    #[test]
    fn ipv6_compares_all_of_the_source() {
        let mut packet = [0; 64];
        packet[..8].copy_from_slice(b"\x6c\0\0\0\0\x18\x70\x40");
        packet[8..24].copy_from_slice(b"\xfd\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\x31");
        packet[40..44].copy_from_slice(b"\x31\x0c\xe6\x01");
        let ours =
            settings(Version::V3, Auth::None, "fd00:10::39", &["fd00:10::33", "fd00:10::31", "fd00:10::34"]);
        assert!(passes(&ours, &packet), "hop limit 64, as keepalived sends");
        for at in 8..24 {
            let mut other = packet;
            other[at] ^= 0x80;
            assert!(!passes(&ours, &other), "byte {at}");
        }
        for last in [0x33, 0x34] {
            packet[23] = last;
            assert!(passes(&ours, &packet));
        }
        assert!(!passes(&ours, &packet[..47]));
    }

    #[test]
    fn the_longest_program_fits() {
        let all: Vec<String> = (0..16).map(|peer| format!("fd00:10::{}", 31 + peer)).collect();
        let peers = all.iter().map(String::as_str).collect::<Vec<_>>();
        let ours = settings(Version::V3, Auth::None, "fd00:10::39", &peers);
        assert!(wanted(&ours).len() + 20 < MAX_PROGRAM);
    }
}
