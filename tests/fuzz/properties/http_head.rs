//! No bytes may panic the reader of HTTP heads; a head it accepts is complete at its last byte and not before, and is the
//! same whatever follows. A check that looks at 13 bytes only sees the same status.

use unsinkable::checks::health::Reason;
use unsinkable::checks::probe::{STATUS_LEN, http_status};
use unsinkable::docker::body::Body;
use unsinkable::docker::http::{Head, MAX_HEAD};

/// Cuts that are tried.
const MANY: usize = 64;

/// Reads `data` behind its first byte, which tells whether the request was a HEAD.
pub fn run(data: &[u8]) {
    let Some((&choice, bytes)) = data.split_first() else { return };
    let to_head = choice & 1 == 1;
    probed(bytes);
    let Ok(Some((head, len))) = Head::parse(bytes, to_head) else { return };
    // An interim answer (1xx) in front is what the check would see.
    if bytes[9..12] == *head.status.to_string().as_bytes() {
        let well = (200..400).contains(&head.status);
        let seen = if well { Reason::Answered(head.status) } else { Reason::Status(head.status) };
        assert_eq!(http_status(bytes), Some(seen));
    }
    assert!(len <= MAX_HEAD && (200..600).contains(&head.status), "{head:?}");
    assert!(bytes[..len].ends_with(b"\r\n\r\n"));
    assert!(!to_head || head.body == Body::None);
    assert!(!(head.keep_alive && head.body == Body::UntilClose));
    assert_eq!(Head::parse(&bytes[..len], to_head), Ok(Some((head.clone(), len))));
    // Of a long one not every cut: each takes a look at all bytes before it.
    for end in (0..len).step_by(1 + len / MANY).chain([len - 1]) {
        assert_eq!(Head::parse(&bytes[..end], to_head), Ok(None), "{end} of {len} bytes");
    }
    for name in ["Content-Length", "content-type", "Api-Version", ""] {
        let value = head.field(name).unwrap_or_default();
        assert!(!value.contains(&b'\r') && !value.contains(&b'\n') && value.trim_ascii() == value);
    }
}

/// What the first bytes mean to a check: nothing is decided before it can be, and nothing is undecided for ever.
fn probed(bytes: &[u8]) {
    let whole = http_status(bytes);
    assert!(whole.is_some() || bytes.len() < STATUS_LEN);
    for end in 0..bytes.len().min(STATUS_LEN) {
        let early = http_status(&bytes[..end]);
        assert!(early.is_none() || early == Some(Reason::NotHttp) && whole == early, "{early:?}, {whole:?}");
    }
}
