//! Answers byte by byte: as servers send them, and as nobody should.

use super::*;

fn query() -> Query {
    Query { id: 0x1234, name: "www.lan".into(), kind: Kind::A, recurse: true }
}

/// The query as RFC 1035 writes it: header, question.
const ASKED: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x03lan\0\0\x01\0\x01";

/// An answer: flags, counts of answers, authority and additional records, and what follows the question.
fn answer(flags: u16, counts: [u8; 3], records: &[u8]) -> Vec<u8> {
    let [high, low] = flags.to_be_bytes();
    let header = [0x12, 0x34, high, low, 0, 1, 0, counts[0], 0, counts[1], 0, counts[2]];
    [&header[..], b"\x03WWW\x03lan\0\0\x01\0\x01", records].concat()
}

fn parsed(bytes: &[u8]) -> Result<Answer, Wrong> {
    Answer::parse(bytes, &query())
}

/// Name at 12, type A, class IN, TTL 240, four bytes.
const RECORD: &[u8] = b"\xc0\x0c\0\x01\0\x01\0\0\0\xf0\0\x04\x0a\0\x0a\x27";

fn found(addresses: &[&str], ttl: u32, authoritative: bool) -> Reply {
    let addresses = addresses.iter().map(|addr| addr.parse().unwrap()).collect();
    Reply::Found(Found { addresses, ttl, authoritative })
}

#[test]
fn a_query_is_as_the_rfc_has_it() {
    assert_eq!(query().bytes(), ASKED);
    let plain = Query { recurse: false, kind: Kind::Aaaa, ..query() };
    assert_eq!((plain.bytes()[2], &plain.bytes()[21..]), (0, &b"\0\x1c\0\x01"[..]));
}

#[test]
fn addresses_are_found_with_what_is_left_of_their_life() {
    let one = parsed(&answer(0x8180, [1, 0, 0], RECORD)).unwrap();
    assert_eq!(one.reply(&query()), found(&["10.0.10.39"], 240, false));
    let shorter = b"\xc0\x0c\0\x01\0\x01\0\0\0\x07\0\x04\x0a\0\x0a\x1f";
    let two = parsed(&answer(0x8580, [2, 0, 0], &[RECORD, shorter].concat())).unwrap();
    assert_eq!(two.reply(&query()), found(&["10.0.10.39", "10.0.10.31"], 7, true));
    // A TTL with its highest bit.
    let odd = parsed(&answer(0x8180, [1, 0, 0], b"\xc0\x0c\0\x01\0\x01\x80\0\0\xf0\0\x04\x0a\0\x0a\x27"));
    assert_eq!(odd.unwrap().reply(&query()), found(&["10.0.10.39"], 0, false));
}

#[test]
fn aliases_are_followed_in_any_order_and_case() {
    // www CNAME Nas.lan (TTL 30), nas.lan A, AAAA.
    let cname = b"\xc0\x0c\0\x05\0\x01\0\0\0\x1e\0\x06\x03Nas\xc0\x10";
    let address = b"\x03nAs\xc0\x10\0\x01\0\x01\0\0\0\xf0\0\x04\x0a\0\x0a\x27";
    let other = b"\x03foo\xc0\x10\0\x01\0\x01\0\0\0\x01\0\x04\x0a\0\x0a\x63";
    let six = b"\x03nas\xc0\x10\0\x1c\0\x01\0\0\0\xf0\0\x10\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x27";
    for order in [[&cname[..], address, other, six], [six, other, address, cname]] {
        let reply = parsed(&answer(0x8180, [4, 0, 0], &order.concat())).unwrap().reply(&query());
        let Reply::Found(mut found) = reply else { panic!("{reply:?}") };
        found.addresses.sort();
        assert_eq!(found.ttl, 30);
        assert_eq!(found.addresses, ["10.0.10.39", "fd00::27"].map(|addr| addr.parse::<IpAddr>().unwrap()));
    }
    let dangling = parsed(&answer(0x8180, [1, 0, 0], cname)).unwrap();
    assert_eq!(dangling.reply(&query()), Reply::NoAddress);
    // Its own alias.
    let itself = parsed(&answer(0x8180, [1, 0, 0], b"\xc0\x0c\0\x05\0\x01\0\0\0\x1e\0\x02\xc0\x0c")).unwrap();
    assert_eq!(itself.reply(&query()), Reply::Unwilling("its aliases lead nowhere (a loop of CNAMEs?)"));
}

#[test]
fn what_is_not_there_is_told_with_how_long_that_is_remembered() {
    // lan SOA ns.lan admin.lan 1 2 3 4 60, TTL 90.
    let soa = b"\xc0\x10\0\x06\0\x01\0\0\0\x5a\0\x21\x02ns\xc0\x10\x05admin\xc0\x10\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x3c";
    let none = parsed(&answer(0x8183, [0, 1, 0], soa)).unwrap();
    assert_eq!(none.reply(&query()), Reply::NoName(Some(60)));
    assert_eq!(parsed(&answer(0x8183, [0, 0, 0], b"")).unwrap().reply(&query()), Reply::NoName(None));
    assert_eq!(parsed(&answer(0x8180, [0, 1, 0], soa)).unwrap().reply(&query()), Reply::NoAddress);
    for (code, told) in
        [(2, "it fails to find out (SERVFAIL)"), (5, "it refuses (REFUSED)"), (4, "it answers with an error")]
    {
        assert_eq!(
            parsed(&answer(0x8180 | code, [0, 0, 0], b"")).unwrap().reply(&query()),
            Reply::Unwilling(told)
        );
    }
}

#[test]
fn name_servers_come_with_their_addresses() {
    let query = Query { kind: Kind::Ns, name: "lan".into(), ..query() };
    let bytes = b"\x12\x34\x85\x80\0\x01\0\x01\0\0\0\x01\x03lan\0\0\x02\0\x01\xc0\x0c\0\x02\0\x01\0\0\0\x3c\0\x05\x02ns\xc0\x0c\
        \xc0\x21\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\x0a\x02";
    let answer = Answer::parse(bytes, &query).unwrap();
    assert_eq!(answer.name_servers(&query).collect::<Vec<_>>(), ["ns.lan"]);
    assert_eq!(answer.added("ns.lan").collect::<Vec<_>>(), ["10.0.10.2".parse::<IpAddr>().unwrap()]);
}

#[test]
fn an_answer_to_another_question_is_none() {
    let right = answer(0x8180, [1, 0, 0], RECORD);
    assert!(parsed(&right).is_ok());
    // ID, QR, OPCODE, QDCOUNT, name, type, class.
    for (at, byte) in [(0, 0x13), (2, 0x01), (2, 0x89), (5, 0), (5, 2), (13, b'x'), (22, 28), (24, 3)] {
        let mut other = right.clone();
        other[at] = byte;
        assert_eq!(parsed(&other), Err(Wrong::Foreign), "byte {at}");
    }
    let mut refused = answer(0x8185, [0, 0, 0], b"");
    refused[5] = 0;
    assert_eq!(parsed(&refused[..12]).unwrap().code, 5, "without the question");
}

#[test]
fn hostile_names_end() {
    let record = |name: &[u8]| [name, b"\0\x01\0\x01\0\0\0\xf0\0\x04\x0a\0\x0a\x27"].concat();
    let wrong = |name: &[u8]| parsed(&answer(0x8180, [1, 0, 0], &record(name))).unwrap_err();
    let forward = Wrong::Malformed("a name points forward or at itself");
    // At itself, forward, at a label before a pointer back to it.
    assert_eq!(wrong(b"\xc0\x19"), forward);
    assert_eq!(wrong(b"\xc0\x40"), forward);
    assert_eq!(wrong(b"\x01a\xc0\x19"), forward);
    assert_eq!(wrong(b"\x40a"), Wrong::Malformed("a label of an unknown kind"));
    // The pointed-at name is the longest already.
    let mut long = Vec::new();
    for _ in 0..4 {
        long.extend([&[62][..], &[b'a'; 62]].concat());
    }
    long.push(0);
    let bytes = [&long[..], b"\0\x01\0\x01\0\0\0\xf0\0\x04\x0a\0\x0a\x27", b"\x03abc\xc0\x19"].concat();
    assert_eq!(parsed(&answer(0x8180, [2, 0, 0], &bytes)), Err(Wrong::Malformed("a name is too long")));
    // Dots, backslashes and bytes that are no characters.
    let odd = parsed(&answer(0x8180, [1, 0, 0], &record(b"\x05A.\\\xff\x07\0"))).unwrap();
    assert_eq!(odd.answers[0].name, "a\\.\\\\\\255\\007");
}

#[test]
fn records_that_lie_about_their_length_are_refused() {
    let long = b"\xc0\x0c\0\x01\0\x01\0\0\0\xf0\0\x05\x0a\0\x0a\x27\0";
    assert_eq!(
        parsed(&answer(0x8180, [1, 0, 0], long)),
        Err(Wrong::Malformed("an address of the wrong length"))
    );
    let cname = b"\xc0\x0c\0\x05\0\x01\0\0\0\x1e\0\x03\xc0\x10\0";
    assert_eq!(
        parsed(&answer(0x8180, [1, 0, 0], cname)),
        Err(Wrong::Malformed("a record is longer or shorter than it says"))
    );
    let whole = answer(0x8180, [1, 0, 0], RECORD);
    for end in 0..whole.len() {
        assert_eq!(parsed(&whole[..end]), Err(SHORT), "{end} bytes");
    }
    assert_eq!(parsed(&answer(0x8180, [2, 0, 0], RECORD)), Err(SHORT), "fewer than it says");
    // Cut because there was no room: what came counts, and that more would.
    let cut = parsed(&answer(0x8380, [2, 0, 0], RECORD)).unwrap();
    assert_eq!((cut.truncated, cut.answers.len()), (true, 1));
    // Other kinds and classes are passed over.
    let txt = b"\xc0\x0c\0\x10\0\x01\0\0\0\xf0\0\x03\x02hi\xc0\x0c\0\x01\0\x03\0\0\0\xf0\0\x04\x0a\0\x0a\x27";
    assert_eq!(parsed(&answer(0x8180, [2, 0, 0], txt)).unwrap().answers, []);
}
