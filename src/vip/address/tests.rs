//! Literals are what iproute2 sends on a little-endian machine (all our targets), laid out by hand from
//! `linux/netlink.h` and `linux/if_addr.h`.

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// `RTM_NEWADDR` for 10.0.10.39/24 on interface 2, sequence 7, 3 s.
const ADD_V4: &[u8] = b"\x3c\0\0\0\x14\0\x05\x05\x07\0\0\0\0\0\0\0\
    \x02\x18\0\0\x02\0\0\0\
    \x08\0\x02\0\x0a\0\x0a\x27\
    \x08\0\x01\0\x0a\0\x0a\x27\
    \x14\0\x06\0\x03\0\0\0\x03\0\0\0\0\0\0\0\0\0\0\0";

#[test]
fn an_ipv4_address_is_added_with_its_lease() {
    assert_eq!(add(7, 2, ip("10.0.10.39"), 24, Some(3)), ADD_V4);
}

#[test]
fn without_lease_it_lives_forever() {
    let request = add(7, 2, ip("10.0.10.39"), 32, None);
    assert_eq!(request[44..52], [0xff; 8]);
    assert_eq!(request[17], 32);
}

#[test]
fn an_ipv6_address_is_never_preferred_and_not_probed() {
    let request = add(1, 300, ip("fd00:10::39"), 64, Some(3));
    assert_eq!(request.len(), 92);
    assert_eq!(request[16..24], *b"\x0a\x40\0\0\x2c\x01\0\0", "interface 300");
    assert_eq!(request[24..44], *b"\x14\0\x02\0\xfd\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\x39");
    assert_eq!(request[64..76], *b"\x14\0\x06\0\0\0\0\0\x03\0\0\0", "preferred 0, valid 3");
    assert_eq!(request[84..], *b"\x08\0\x08\0\x02\0\0\0", "IFA_F_NODAD");
}

#[test]
fn removal_and_dumps() {
    assert_eq!(
        remove(8, 2, ip("10.0.10.39"), 24),
        *b"\x28\0\0\0\x15\0\x05\0\x08\0\0\0\0\0\0\0\x02\x18\0\0\x02\0\0\0\
           \x08\0\x02\0\x0a\0\x0a\x27\x08\0\x01\0\x0a\0\x0a\x27"
    );
    assert_eq!(dump_addresses(9)[..16], *b"\x18\0\0\0\x16\0\x01\x03\x09\0\0\0\0\0\0\0");
    assert_eq!(dump_links(9)[..16], *b"\x20\0\0\0\x12\0\x01\x03\x09\0\0\0\0\0\0\0");
}

#[test]
fn leases_are_three_intervals_in_whole_seconds() {
    for (millis, seconds) in [(1000, 3), (10, 1), (333, 1), (334, 2), (1500, 5), (255_000, 765)] {
        assert_eq!(lease(Duration::from_millis(millis)), seconds, "{millis} ms");
    }
    assert_eq!(lease(Duration::ZERO), 1);
    assert_eq!(lease(Duration::MAX), 4_294_967_294);
}

#[test]
fn addresses_come_and_go() {
    let mut bytes = ADD_V4.to_vec();
    // cstamp 1, tstamp 515 hundredths.
    bytes[52..60].copy_from_slice(b"\x01\0\0\0\x03\x02\0\0");
    let address =
        Address { ifindex: 2, addr: ip("10.0.10.39"), prefix: 24, valid: Some(3), renewed_at: Some(515) };
    let mut gone = bytes.clone();
    gone[4] = 21;
    bytes.extend(gone);
    let all: Vec<_> = messages(&bytes).collect();
    assert_eq!(all, [Message::Added(address), Message::Removed(address)]);
}

#[test]
fn the_local_end_of_a_point_to_point_link_counts() {
    let mut bytes = ADD_V4.to_vec();
    bytes[39] = 1;
    let Some(Message::Added(address)) = messages(&bytes).next() else { panic!("not read") };
    assert_eq!(address.addr, ip("10.0.10.39"));
}

#[test]
fn an_address_without_end_is_told() {
    let request = add(1, 2, ip("fd00:10::39"), 64, None);
    let Some(Message::Added(address)) = messages(&request).next() else { panic!("not read") };
    assert_eq!((address.addr, address.prefix, address.valid), (ip("fd00:10::39"), 64, None));
}

/// `RTM_NEWLINK`, interface 2, up and running, `IFLA_OPERSTATE` 6, `IFLA_CARRIER` 1.
const LINK: &[u8] = b"\x30\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\
    \0\0\x01\0\x02\0\0\0\x43\x10\x01\0\0\0\0\0\
    \x05\0\x10\0\x06\0\0\0\
    \x05\0\x21\0\x01\0\0\0";

fn link_of(bytes: &[u8]) -> Link {
    let Some(Message::Link(link)) = messages(bytes).next() else { panic!("not read") };
    link
}

#[test]
fn links_gain_and_lose_carrier() {
    let link = link_of(LINK);
    let expected =
        Link { ifindex: 2, gone: false, up: true, running: true, carrier: Some(true), operstate: Some(6) };
    assert_eq!(link, expected);
    assert!(link.is_usable());

    let mut cut = LINK.to_vec();
    cut[24] = 0x03;
    cut[44] = 0;
    assert!(!link_of(&cut).is_usable());
    let mut gone = LINK.to_vec();
    gone[4] = 17;
    assert!(!link_of(&gone).is_usable());
    let mut left_bridge = gone.clone();
    left_bridge[16] = 7;
    assert_eq!(messages(&left_bridge).next(), Some(Message::Other), "AF_BRIDGE");
}

#[test]
fn answers_carry_the_error_number() {
    // NLMSG_ERROR -17 (EEXIST), then 0, for sequence 7; then NLMSG_DONE for 9.
    let bytes = b"\x14\0\0\0\x02\0\0\0\x07\0\0\0\0\0\0\0\xef\xff\xff\xff\
        \x14\0\0\0\x02\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\
        \x14\0\0\0\x03\0\x02\0\x09\0\0\0\0\0\0\0\0\0\0\0";
    let all: Vec<_> = messages(bytes).collect();
    assert_eq!(
        all,
        [
            Message::Answer { sequence: 7, errno: 17 },
            Message::Answer { sequence: 7, errno: 0 },
            Message::Done { sequence: 9 },
        ]
    );
}

#[test]
fn cut_at_any_byte_nothing_breaks() {
    for whole in [ADD_V4, LINK] {
        for len in 0..whole.len() {
            assert_eq!(messages(&whole[..len]).count(), 0, "{len} bytes");
        }
        // A length inside that lies.
        for at in 16..whole.len() {
            let mut bytes = whole.to_vec();
            bytes[at] = 0xff;
            assert_eq!(messages(&bytes).count(), 1);
        }
    }
    assert_eq!(messages(&[0; 64]).count(), 0, "a length of zero must not loop");
}
