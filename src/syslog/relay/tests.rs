//! What Docker's driver writes, format by format (`daemon/logger/syslog` with its srslog).

use super::*;

/// 2025-11-23 00:39:08.5 UTC.
const NOW: u64 = 1_763_858_348_500_000;
const ID: &str = "3f2a9c1b7d4e";

fn of(text: &str) -> Line<'_> {
    Line {
        facility: 3,
        severity: 6,
        at: NOW,
        host: None,
        tag: ID,
        proc_id: "812",
        msg_id: "",
        text: text.as_bytes(),
    }
}

#[test]
fn all_formats_of_dockers_driver_are_read() {
    let default = parse(b"<30>Nov 23 00:39:08 3f2a9c1b7d4e[812]: GET / 200", NOW);
    assert_eq!(default, of("GET / 200"));
    let stderr = parse(b"<27>Nov 23 00:39:08 3f2a9c1b7d4e[812]: it failed: x", NOW);
    assert_eq!(stderr, Line { severity: 3, ..of("it failed: x") });
    let bsd = parse(b"<30>Nov 23 00:39:08 pi-1 3f2a9c1b7d4e[812]: GET / 200", NOW);
    assert_eq!(bsd, Line { host: Some("pi-1"), ..of("GET / 200") });
    let new = parse(b"<30>1 2025-11-23T01:39:08+01:00 pi-1 3f2a9c1b7d4e 812 3f2a9c1b7d4e - GET / 200", NOW);
    let expected = Line { host: Some("pi-1"), msg_id: ID, at: 1_763_858_348_000_000, ..of("GET / 200") };
    assert_eq!(new, expected);
    let micro =
        parse(b"<30>1 2025-11-23T00:39:08.123456Z pi-1 3f2a9c1b7d4e 812 3f2a9c1b7d4e - GET / 200", NOW);
    assert_eq!(micro, Line { at: 1_763_858_348_123_456, ..expected });
    let empty = parse(b"<30>1 2025-11-23T00:39:08.123456Z pi-1 3f2a9c1b7d4e 812 3f2a9c1b7d4e - ", NOW);
    assert_eq!(empty.text, b"");
}

#[test]
fn a_bsd_time_is_the_one_close_by() {
    let at =
        |stamp: &str, now: u64| parse(format!("<30>{stamp} a: x").as_bytes(), now * 1_000_000).at / 1_000_000;
    let now = 1_763_858_348; // 00:39:08
    // Two seconds ago, in Berlin, Kathmandu, St John's, at New Year in Auckland.
    for stamp in ["Nov 23 00:39:06", "Nov 23 01:39:06", "Nov 23 06:24:06", "Nov 22 21:09:06"] {
        assert_eq!(at(stamp, now), now - 2, "{stamp}");
    }
    assert_eq!(at("Jan  1 13:00:00", 1_767_225_603), 1_767_225_600); // 2026-01-01 00:00:03
    assert_eq!(at("Dec 31 23:59:59", 1_767_225_603), 1_767_225_599);
    assert_eq!(at("Jan  1 00:00:01", 1_767_225_599), 1_767_225_601);
    assert_eq!(parse(b"<30>Nov 23 00:39:08 a: x", NOW).at, NOW, "the same second");
    assert_eq!(parse(b"<30>Jan  1 00:07:30 a: x", 0).at, 0, "no time before 1970");
}

#[test]
fn other_senders_are_read_too() {
    let tagged = parse(b"<30>Nov 23 00:39:08 pi-1 web/3f2a9c1b7d4e[812]: x", NOW);
    assert_eq!((tagged.tag, tagged.proc_id), ("web/3f2a9c1b7d4e", "812"));
    let no_pid = parse(b"<86>Nov 23 00:39:08 pi-1 su: x", NOW);
    assert_eq!(no_pid, Line { facility: 10, host: Some("pi-1"), tag: "su", proc_id: "", ..of("x") });
    let forwarded = parse(b"<30>2025-11-23T00:39:08.123456+00:00 pi-1 app: x", NOW);
    assert_eq!((forwarded.at, forwarded.host, forwarded.tag), (1_763_858_348_123_456, Some("pi-1"), "app"));
    let data = parse(b"<165>1 - - app - ID47 [a@1 k=\"v\"] \xef\xbb\xbfx", NOW);
    assert_eq!((data.at, data.host, data.tag, data.proc_id, data.msg_id), (NOW, None, "app", "", "ID47"));
    assert_eq!(data.text, b"[a@1 k=\"v\"] \xef\xbb\xbfx");
    assert_eq!(parse(b"<165>1 - - - - - - \xef\xbb\xbfx", NOW).text, b"x");
    assert_eq!(parse(b"<165>1 - - - - - -", NOW).text, b"");
}

#[test]
fn what_is_no_message_is_text() {
    for (line, facility, severity, text) in [
        (&b"hello"[..], 1, 5, &b"hello"[..]),
        (b"", 1, 5, b""),
        (b"<>x", 1, 5, b"<>x"),
        (b"<192>x", 1, 5, b"<192>x"),
        (b"<1000>x", 1, 5, b"<1000>x"),
        (b"<-1>x", 1, 5, b"<-1>x"),
        (b"<191>x", 23, 7, b"x"),
        (b"<0>1 x", 0, 0, b"1 x"),
        (b"<30>1 2025-13-23T00:39:08Z h a p m - x", 3, 6, b"1 2025-13-23T00:39:08Z h a p m - x"),
        (b"<30>Nov 23 00:61:08 a: x", 3, 6, b"Nov 23 00:61:08 a: x"),
        (b"<30>Nov 23 00:39:08 no tag here", 3, 6, b"Nov 23 00:39:08 no tag here"),
        (b"<30>Nov 23 00:39:08 ", 3, 6, b"Nov 23 00:39:08 "),
        (b"<30>Nov 23 00:39:08 \xff: x", 3, 6, b"Nov 23 00:39:08 \xff: x"),
        (b"<30>Nov\xc3\xbc23 00:39:08 a: x", 3, 6, b"Nov\xc3\xbc23 00:39:08 a: x"),
    ] {
        let expected = Line { facility, severity, tag: "", proc_id: "", text, ..of("") };
        assert_eq!(parse(line, NOW), expected, "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn an_id_is_twelve_or_sixty_four_digits() {
    assert_eq!(container_id(ID), Some(ID));
    let long = "3f2a9c1b7d4e8f60718293a4b5c6d7e8f9012a3b4c5d6e7f8091a2b3c4d5e6f7";
    assert_eq!(container_id(long), Some(ID));
    for tag in ["", "3f2a9c1b7d4", "3F2A9C1B7D4E", "3f2a9c1b7d4g", "web", "3f2a9c1b7d4e8"] {
        assert_eq!(container_id(tag), None, "{tag}");
    }
}

#[test]
fn an_address_is_ours_or_somebody_elses() {
    let ours = |address: &str, listen: &str| is_ours(address, listen.parse().unwrap());
    for address in ["tcp://127.0.0.1:5514", "udp://127.0.0.1:5514", "tcp://localhost:5514"] {
        assert!(ours(address, "127.0.0.1:5514"), "{address}");
    }
    assert!(ours("udp://[::1]:5514", "[::1]:5514"));
    assert!(ours("udp://127.0.0.1", "127.0.0.1:514"));
    assert!(ours("tcp://10.0.10.39:5514", "0.0.0.0:5514"), "the VIP");
    for address in [
        "tcp://10.0.10.200:5514",
        "tcp://logs.lan:5514",
        "tcp://127.0.0.1:5515",
        "tcp+tls://127.0.0.1:5514",
        "unixgram:///dev/log",
        "127.0.0.1:5514",
        "",
    ] {
        assert!(!ours(address, "127.0.0.1:5514"), "{address}");
    }
}
