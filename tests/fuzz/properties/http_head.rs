//! No bytes may panic the reader of HTTP heads; a head it accepts is complete at its last byte and not before, and is the
//! same whatever follows.

use unsinkable::docker::body::Body;
use unsinkable::docker::http::{Head, MAX_HEAD};

/// Reads `data` behind its first byte, which tells whether the request was a HEAD.
pub fn run(data: &[u8]) {
    let Some((&choice, bytes)) = data.split_first() else { return };
    let to_head = choice & 1 == 1;
    let Ok(Some((head, len))) = Head::parse(bytes, to_head) else { return };
    assert!(len <= MAX_HEAD && (200..600).contains(&head.status), "{head:?}");
    assert!(bytes[..len].ends_with(b"\r\n\r\n"));
    assert!(!to_head || head.body == Body::None);
    assert!(!(head.keep_alive && head.body == Body::UntilClose));
    assert_eq!(Head::parse(&bytes[..len], to_head), Ok(Some((head.clone(), len))));
    for end in 0..len {
        assert_eq!(Head::parse(&bytes[..end], to_head), Ok(None), "{end} of {len} bytes");
    }
    for name in ["Content-Length", "content-type", "Api-Version", ""] {
        let value = head.field(name).unwrap_or_default();
        assert!(!value.contains(&b'\r') && !value.contains(&b'\n') && value.trim_ascii() == value);
    }
}
