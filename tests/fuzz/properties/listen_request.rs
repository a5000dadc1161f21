//! No bytes may panic the reader of requests; a request it accepts is complete at its last byte and not before, is the same
//! whatever follows, and says nothing that a path, a name or a log line could be broken with.

use unsinkable::listen::request::{MAX_HEAD, parse};
use unsinkable::listen::{host, refusal};

/// Cuts that are tried.
const MANY: usize = 64;

/// Reads `data` as what a client sends.
pub fn run(data: &[u8]) {
    let request = match parse(data) {
        Ok(Some(request)) => request,
        Ok(None) => return assert!(data.len() < MAX_HEAD),
        Err(refused) => {
            assert!([400, 431, 505].contains(&refused.status));
            return assert!(refused.head().ends_with("\r\n\r\n"));
        }
    };
    let end = data.windows(4).position(|window| window == b"\r\n\r\n").expect("a head that ended") + 4;
    assert!(end <= MAX_HEAD);
    assert_eq!(parse(&data[..end]), Ok(Some(request.clone())));
    // Of a long one not every cut: each takes a look at all bytes before it.
    for cut in (0..end).step_by(1 + end / MANY).chain([end - 1]) {
        assert!(matches!(parse(&data[..cut]), Ok(None)), "{cut} of {end} bytes");
    }
    assert!(request.path.starts_with('/') && request.path.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(request.host.chars().all(|c| c == '\t' || !c.is_control()));
    // Only what is asked for to the letter, by a name that is ours, is answered.
    if refusal(&request, &["/status.json"], &[]).is_none() {
        assert!(request.path == "/status.json" && host::is_ours(&request.host, &[]));
        assert!(data.starts_with(b"GET ") || data.starts_with(b"HEAD "));
    }
}
