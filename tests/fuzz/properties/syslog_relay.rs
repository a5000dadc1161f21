//! No bytes may panic the reader of what syslog senders send; where they are cut changes nothing, and whatever comes
//! goes on as whole messages that no receiver can misread.

use unsinkable::syslog::message::Writer;
use unsinkable::syslog::relay::{Frames, MAX_LINE, container_id, parse};
use unsinkable::syslog::{Message, Speaker, Target};

/// 2025-11-23 00:39:08.000042 UTC.
const NOW: u64 = 1_763_858_348_000_042;

/// The messages, and whether the stream was given up.
fn cut(input: &[u8], size: usize) -> (Vec<Vec<u8>>, bool) {
    let (mut frames, mut found) = (Frames::default(), Vec::new());
    let mut each = |message: &[u8]| found.push(message.to_vec());
    for piece in input.chunks(size.max(1)) {
        if frames.take(piece, &mut each).is_err() {
            return (found, true);
        }
    }
    frames.end(each);
    (found, false)
}

/// Reads `data` behind its first byte (where it is cut) as a stream, and each of its messages.
pub fn run(data: &[u8]) {
    let Some((&size, input)) = data.split_first() else { return };
    let (messages, broken) = cut(input, input.len());
    assert_eq!(cut(input, usize::from(size)), (messages.clone(), broken));
    for message in &messages {
        assert!(!message.is_empty() && message.len() <= MAX_LINE);
        look(message);
    }
    look(input);
}

fn look(line: &[u8]) {
    let read = parse(line, NOW);
    assert!(read.facility < 24 && read.severity < 8 && line.ends_with(read.text));
    assert!(container_id(read.tag).is_none_or(|id| id.len() == 12));
    let data = vec![("image", String::from_utf8_lossy(read.text).into_owned())];
    let speaker = Speaker { app: read.tag.to_owned(), proc_id: read.proc_id.to_owned(), data };
    let message = Message {
        at: read.at,
        facility: read.facility,
        severity: read.severity,
        host: read.host.unwrap_or("pi-1"),
        speaker: &speaker,
        msg_id: read.msg_id,
        text: read.text,
    };
    for target in ["udp://a", "tcp://a", "udp://a?format=rfc3164", "tcp://a?format=rfc3164"] {
        let tcp = target.starts_with("tcp");
        let max = if tcp {
            8_001
        } else if target.contains("3164") {
            1_024
        } else {
            1_400
        };
        let target = Target::parse(target).expect("a target");
        Writer::new(&target).write(&message, 1, 0, |frame| {
            let frame = std::str::from_utf8(frame).expect("UTF-8");
            assert!(frame.len() <= max, "{} bytes", frame.len());
            let text = if tcp { frame.strip_suffix('\n').expect("its end") } else { frame };
            assert!(text.chars().all(|c| c == '\t' || !c.is_ascii_control()), "{text:?}");
            // What we send, we read.
            let again = parse(text.as_bytes(), NOW);
            assert_eq!((again.facility, again.severity), (read.facility, read.severity), "{text:?}");
            assert!(again.host.is_some(), "{text:?}");
            if text.contains(">1 ") && text.contains("[meta ") {
                assert_eq!(again.at, read.at, "{text:?}");
            }
        });
    }
}
