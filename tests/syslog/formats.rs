//! What real receivers make of each format, framing and transport.

use super::servers::{Input, Kind, Server, unpacked, until};
use super::{outbox, push, sending};
use unsinkable::syslog::{Keep, Speaker};

const INPUTS: [Input; 6] = [
    Input { udp: false, rfc5424: true, octet: false },
    Input { udp: false, rfc5424: true, octet: true },
    Input { udp: true, rfc5424: true, octet: false },
    Input { udp: false, rfc5424: false, octet: false },
    Input { udp: false, rfc5424: false, octet: true },
    Input { udp: true, rfc5424: false, octet: false },
];

fn web() -> Speaker {
    let data = [("service", "shop_web"), ("image", "ngi\"n\\x]")];
    Speaker {
        app: "shop_web".to_owned(),
        proc_id: "2".to_owned(),
        data: data.map(|(name, value)| (name, value.to_owned())).to_vec(),
    }
}

/// Lines as the server wrote them.
fn written(kind: Kind, input: Input, texts: &[&[u8]]) -> Vec<String> {
    let server = Server::started(
        kind,
        input,
        &format!("formats-{kind:?}-{}{}{}", input.udp, input.rfc5424, input.octet),
    );
    let scheme = if input.udp { "udp" } else { "tcp" };
    let format = if input.rfc5424 { "rfc5424" } else { "rfc3164" };
    let framing = if input.octet { "octet" } else { "lf" };
    let outbox = outbox(&format!("{scheme}://localhost:{}?format={format}&framing={framing}", server.port));
    let last = texts.iter().map(|text| push(&outbox, &web(), Keep::Held, text)).max().expect("texts");
    sending(&outbox, super::until("all is sent", || outbox.delivered() == last));
    let what = format!("{kind:?} has written what it was sent as {input:?}");
    until(&what, || server.lines().len() >= texts.len());
    server.lines()
}

#[test]
fn receivers_read_every_format_and_framing() {
    if !unpacked() {
        return;
    }
    let texts: [&[u8]; 3] = [b"GET / 200", b"two\nlines \x1b[31m\xff", "grün".as_bytes()];
    for kind in [Kind::Rsyslog, Kind::SyslogNg] {
        for input in INPUTS {
            if kind == Kind::SyslogNg && input.octet && !input.rfc5424 {
                continue; // It knows octet counting in its `syslog` source only, which is RFC 5424.
            }
            let lines = written(kind, input, &texts);
            let texts = ["GET / 200", "two#012lines #033[31m\u{fffd}", "grün"];
            for ((line, text), number) in lines.iter().zip(texts).zip(1..) {
                // The year is a guess of the receiver's where none was sent.
                let line = if input.rfc5424 { line.clone() } else { format!("30 2025{}", &line[7..]) };
                assert_eq!(line, expected(kind, input, number, text), "{kind:?} {input:?}");
            }
            assert_eq!(lines.len(), 3, "{lines:#?}");
        }
    }
}

/// As the servers' templates have it (`servers`).
fn expected(kind: Kind, input: Input, number: u32, text: &str) -> String {
    let data = format!(
        "[meta sequenceId=\"{number}\"][docker@32473 service=\"shop_web\" image=\"ngi\\\"n\\\\x\\]\"]"
    );
    let new = |zone| format!("30 2025-11-23T00:39:08.000042{zone} pi-1 shop_web 2 stdout {data}|{text}");
    match (kind, input.rfc5424) {
        (Kind::Rsyslog, true) => new("Z"),
        (Kind::SyslogNg, true) => new("+00:00"),
        // rsyslog counts the space behind the tag among the text.
        (Kind::Rsyslog, false) => format!("30 2025-11-23T00:39:08+00:00 pi-1 shop_web 2 - -| {text}"),
        (Kind::SyslogNg, false) => format!("30 2025-11-23T00:39:08.000000+00:00 pi-1 shop_web 2  |{text}"),
    }
}

#[test]
fn a_long_line_arrives_whole() {
    if !unpacked() {
        return;
    }
    let text = "0123456789abcdef".repeat(1_024);
    for kind in [Kind::Rsyslog, Kind::SyslogNg] {
        for (input, parts) in [(INPUTS[0], 3), (INPUTS[2], 14)] {
            let server = Server::started(kind, input, &format!("long-{kind:?}-{}", input.udp));
            let scheme = if input.udp { "udp" } else { "tcp" };
            let outbox = outbox(&format!("{scheme}://127.0.0.1:{}", server.port));
            let last = push(&outbox, &web(), Keep::Held, text.as_bytes());
            sending(&outbox, super::until("it is sent", || outbox.delivered() == last));
            until("it is written", || server.lines().len() >= parts);
            let lines = server.lines();
            let pieces: Vec<&str> =
                lines.iter().filter_map(|line| line.split_once('|')).map(|(_, text)| text).collect();
            assert_eq!(pieces.concat(), text, "{kind:?} {input:?}");
            assert!(
                lines[parts - 1].contains(&format!(" part=\"{parts}/{parts}\"]")),
                "{}",
                lines[parts - 1]
            );
        }
    }
}
