//! Whole messages, as receivers see them.

use super::*;

const AT: u64 = 1_763_858_348_000_042; // 2025-11-23 00:39:08.000042 UTC

fn web() -> Speaker {
    Speaker {
        app: "shop_web".to_owned(),
        proc_id: "2".to_owned(),
        data: vec![("service", "shop_web".to_owned()), ("container_id", "3f2a9c1b7d4e".to_owned())],
    }
}

fn message<'a>(speaker: &'a Speaker, text: &'a [u8]) -> Message<'a> {
    Message {
        at: AT,
        facility: DAEMON,
        severity: INFORMATIONAL,
        host: "pi-1",
        speaker,
        msg_id: "stdout",
        text,
    }
}

fn frames(target: &str, message: &Message<'_>, number: u64, offset: i32) -> Vec<String> {
    let mut frames = Vec::new();
    let target = Target::parse(target).unwrap();
    Writer::new(&target)
        .write(message, number, offset, |frame| frames.push(String::from_utf8(frame.to_vec()).unwrap()));
    frames
}

fn one(target: &str, message: &Message<'_>) -> String {
    let mut frames = frames(target, message, 7, 0);
    assert_eq!(frames.len(), 1, "{frames:?}");
    frames.remove(0)
}

#[test]
fn the_formats_and_the_framings() {
    let (speaker, text) = (web(), b"GET / 200");
    let message = message(&speaker, text);
    let line = "<30>1 2025-11-23T00:39:08.000042Z pi-1 shop_web 2 stdout [meta sequenceId=\"7\"]\
                [docker@32473 service=\"shop_web\" container_id=\"3f2a9c1b7d4e\"] GET / 200";
    assert_eq!(one("udp://a", &message), line);
    assert_eq!(one("tcp://a", &message), format!("{line}\n"));
    assert_eq!(one("tcp://a?framing=octet", &message), format!("149 {line}"));
    let line = "<30>Nov 23 00:39:08 pi-1 shop_web[2]: GET / 200";
    assert_eq!(one("udp://a?format=rfc3164", &message), line);
    assert_eq!(one("tcp://a?format=rfc3164", &message), format!("{line}\n"));
    assert_eq!(one("tcp://a?format=rfc3164&framing=octet", &message), format!("47 {line}"));
}

#[test]
fn what_is_missing_is_a_dash() {
    let nobody = Speaker::default();
    let empty = Message { host: "", msg_id: "", severity: 9, facility: 99, ..message(&nobody, b"") };
    assert_eq!(one("udp://a", &empty), "<191>1 2025-11-23T00:39:08.000042Z - - - - [meta sequenceId=\"7\"] ");
    assert_eq!(one("udp://a?format=rfc3164", &empty), "<191>Nov 23 00:39:08 - -: ");
}

#[test]
fn old_times_are_local_and_padded() {
    let speaker = web();
    let at = |seconds: u64, offset| {
        let message = Message { at: seconds * 1_000_000, ..message(&speaker, b"x") };
        frames("udp://a?format=rfc3164", &message, 1, offset)[0][4..19].to_owned()
    };
    assert_eq!(at(1_767_225_599, 0), "Dec 31 23:59:59");
    assert_eq!(at(1_767_225_599, 3600), "Jan  1 00:59:59");
    assert_eq!(at(1_767_225_599, -7 * 3600), "Dec 31 16:59:59");
    assert_eq!(at(1_772_323_200, 0), "Mar  1 00:00:00");
    let day = |seconds: u64| {
        let message = Message { at: seconds * 1_000_000, ..message(&speaker, b"x") };
        one("udp://a", &message)[6..32].to_owned()
    };
    assert_eq!(day(0), "1970-01-01T00:00:00.000000");
    assert_eq!(day(951_782_400), "2000-02-29T00:00:00.000000");
    assert_eq!(day(1_709_164_799), "2024-02-28T23:59:59.000000");
    assert_eq!(day(1_709_251_200), "2024-03-01T00:00:00.000000");
    assert_eq!(day(4_107_542_399), "2100-02-28T23:59:59.000000");
    assert_eq!(day(4_107_542_400), "2100-03-01T00:00:00.000000");
}

#[test]
fn long_names_are_cut_and_stay_unique() {
    let name = |last: char| {
        let app = format!("agent.q2w3e4r5t6y7u8i9o0p1a2s3d.k5yrm8w1l2q0v9x3c7n4b6z8{last}");
        let speaker = Speaker { app, ..web() };
        let app = one("udp://a", &message(&speaker, b"")).split(' ').nth(3).unwrap().to_owned();
        let tag =
            one("udp://a?format=rfc3164", &message(&speaker, b"")).split(' ').nth(4).unwrap().to_owned();
        (app, tag)
    };
    // zlib.crc32 of the whole name.
    assert_eq!(name('a').0, "agent.q2w3e4r5t6y7u8i9o0p1a2s3d.k5yrm8w-3198f9b5");
    assert_eq!(name('b').0, "agent.q2w3e4r5t6y7u8i9o0p1a2s3d.k5yrm8w-a891a80f");
    assert_eq!(name('a').1, "agent.q2w3e4r5t6y7u8i9o-3198f9b5[2]:");
    let exact = Speaker { app: "a".repeat(48), ..web() };
    assert!(one("udp://a", &message(&exact, b"")).contains(&format!(" {} ", "a".repeat(48))));
}

#[test]
fn no_name_breaks_the_header() {
    let speaker = Speaker {
        app: "a b\"]ü\n:".to_owned(),
        proc_id: "[1]:".to_owned(),
        data: vec![("image", "a\"b\\c]d\ne\u{fc}".to_owned())],
    };
    let message = Message { host: "p i", msg_id: "out\t", ..message(&speaker, b"x") };
    assert_eq!(
        one("udp://a", &message),
        "<30>1 2025-11-23T00:39:08.000042Z p_i a_b\"]___: [1]: out_ [meta sequenceId=\"7\"]\
         [docker@32473 image=\"a\\\"b\\\\c\\]d#012eü\"] x"
    );
    assert_eq!(one("udp://a?format=rfc3164", &message), "<30>Nov 23 00:39:08 p_i a_b\"_____[_1__]: x");
}

#[test]
fn no_text_breaks_the_framing() {
    let speaker = Speaker::of_part("a");
    for (text, expected) in [
        (&b"one\ntwo\r\n"[..], "one#012two"),
        (b"\x1b[31mred\x1b[0m\0\x7f", "#033[31mred#033[0m#000#177"),
        (b"tab\there", "tab\there"),
        (b"gr\xc3\xbcn \xff\xfe bad \xc3", "grün \u{fffd}\u{fffd} bad \u{fffd}"),
        (b"\n\n", ""),
    ] {
        let line = one("tcp://a?format=rfc3164", &message(&speaker, text));
        assert_eq!(line, format!("<30>Nov 23 00:39:08 pi-1 a: {expected}\n"));
    }
}

#[test]
fn long_lines_become_parts() {
    let speaker = web();
    let text = "ü".repeat(10_000);
    for (target, max) in [
        ("udp://a", 1_400),
        ("udp://a?format=rfc3164", 1_024),
        ("tcp://a?framing=octet", 8_006),
        ("tcp://a?format=rfc3164", 8_001),
    ] {
        let message = message(&speaker, text.as_bytes());
        let frames = frames(target, &message, 3, 0);
        assert!(frames.iter().all(|frame| frame.len() <= max), "{target}");
        assert!(frames.len() <= 20_000 / (max - 300) + 1, "{target}");
        let told: usize = frames.iter().map(|frame| frame.matches('ü').count()).sum();
        assert_eq!(told, 10_000, "{target}");
    }
    let parts = frames("tcp://a", &message(&speaker, text.as_bytes()), 3, 0);
    assert!(parts[0].contains(" container_id=\"3f2a9c1b7d4e\" part=\"1/3\"] ü"), "{}", parts[0]);
    assert!(parts[2].contains(" part=\"3/3\"] ü"), "{}", parts[2]);
    let bare = Speaker::of_part("a");
    let parts = frames("tcp://a", &message(&bare, text.as_bytes()), 3, 0);
    assert!(parts[0].contains("[meta sequenceId=\"3\"][docker@32473 part=\"1/3\"] ü"), "{}", parts[0]);
}

#[test]
fn structured_data_leaves_room_for_the_text() {
    let mut speaker = web();
    speaker.data.insert(0, ("image", "x".repeat(2_000)));
    let line = one("udp://a", &message(&speaker, b"text"));
    assert!(
        line.ends_with("[docker@32473 service=\"shop_web\" container_id=\"3f2a9c1b7d4e\"] text"),
        "{line}"
    );
}

#[test]
fn what_is_escaped_leaves_room_for_the_text_too() {
    let mut speaker = web();
    // 400 characters, 1,600 once they are escaped.
    speaker.data.insert(0, ("image", "\u{1}".repeat(400)));
    let line = one("udp://a", &message(&speaker, "ü".as_bytes()));
    assert!(line.ends_with("[docker@32473 service=\"shop_web\" container_id=\"3f2a9c1b7d4e\"] ü"), "{line}");
}

#[test]
fn numbers_go_round_within_31_bits() {
    let speaker = web();
    let number = |number| {
        let line = frames("udp://a", &message(&speaker, b""), number, 0).remove(0);
        line.split("sequenceId=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    assert_eq!([number(1), number(2_147_483_647), number(2_147_483_648)], ["1", "2147483647", "1"]);
}
