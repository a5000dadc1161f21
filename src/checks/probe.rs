//! What one look at a server, a disk or an interface means, from bytes and numbers already fetched.

use super::health::Reason;

/// Bytes that hold the version and the status of an HTTP answer, and the byte behind: `HTTP/1.1 200 `.
pub const STATUS_LEN: usize = 13;

/// Free space below which a disk is full, where 5 % of it is more than that: docker needs it to start one container.
const MIN_FREE: u64 = 200 * 1024 * 1024;
/// Free share below which a small disk is full.
const MIN_FREE_PERCENT: u64 = 5;

/// A GET for `path` that asks for the connection to be closed. Bytes that could end a line are percent-encoded.
pub fn http_get(host: &str, path: &str) -> Vec<u8> {
    let mut request = Vec::with_capacity(96 + host.len() + path.len());
    request.extend_from_slice(b"GET ");
    encode(path, &mut request);
    request.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    encode(host, &mut request);
    request.extend_from_slice(b"\r\nUser-Agent: unsinkable\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    request
}

fn encode(text: &str, into: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_graphic() {
            into.push(byte);
        } else {
            into.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

/// What the first bytes of an HTTP answer mean; `None` while more are needed (at most [`STATUS_LEN`]).
pub fn http_status(bytes: &[u8]) -> Option<Reason> {
    const SHAPE: &[u8; STATUS_LEN] = b"HTTP/1.# ### ";
    let fits = bytes.iter().zip(SHAPE).enumerate().all(|(at, (&byte, &shape))| match shape {
        b'#' => byte.is_ascii_digit(),
        b' ' if at == STATUS_LEN - 1 => matches!(byte, b' ' | b'\r' | b'\n'),
        other => byte == other,
    });
    if !fits {
        return Some(Reason::NotHttp);
    }
    let digits = bytes.get(..STATUS_LEN)?.get(9..12)?;
    let status = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    Some(if (200..400).contains(&status) { Reason::Answered(status) } else { Reason::Status(status) })
}

/// A file system's numbers, from statvfs(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes in all.
    pub total: u64,
    /// Bytes an ordinary program may still write (without root's reserve).
    pub free: u64,
    /// Files it can hold in all; 0 where that has no limit.
    pub files: u64,
    /// Files it can still take from an ordinary program.
    pub files_free: u64,
    /// Mounted read-only, or turned so by the kernel after an error.
    pub read_only: bool,
}

/// Well while writable, with 200 MB (on a disk below 4 GB: 5 %) and an inode free.
pub fn disk(space: Space) -> Reason {
    let share = u128::from(space.free) * 100 / u128::from(space.total.max(1));
    let percent = u8::try_from(share.min(100)).unwrap_or(100);
    let enough = MIN_FREE.min(space.total / 100 * MIN_FREE_PERCENT);
    if space.read_only {
        Reason::ReadOnly
    } else if space.free < enough || space.free == 0 {
        Reason::Full(percent)
    } else if space.files > 0 && space.files_free == 0 {
        Reason::NoInodes
    } else {
        Reason::Room(percent)
    }
}

/// What `/sys/class/net/IF/{flags,carrier,operstate}` mean. An empty `carrier` is one that could not be read, as with
/// an interface that is down.
pub fn interface(flags: &[u8], carrier: &[u8], operstate: &[u8]) -> Reason {
    const IFF_UP: u32 = 1;
    let hex = str::from_utf8(flags.trim_ascii()).ok().and_then(|text| text.strip_prefix("0x"));
    let up = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).is_some_and(|flags| flags & IFF_UP != 0);
    // Loopback, dummies and tunnels say "unknown"; "dormant" is a Wi-Fi or 802.1X port not let in yet.
    let runs = matches!(operstate.trim_ascii(), b"up" | b"unknown");
    match (up, carrier.trim_ascii() == b"1" && runs) {
        (false, _) => Reason::LinkDown,
        (true, false) => Reason::NoCarrier,
        (true, true) => Reason::LinkUp,
    }
}

#[cfg(test)]
mod tests {
    use super::Reason::{
        Answered, Full, LinkDown, LinkUp, NoCarrier, NoInodes, NotHttp, ReadOnly, Room, Status,
    };
    use super::*;

    #[test]
    fn the_request_is_http_1_1() {
        let expected = "GET /ping?a=b HTTP/1.1\r\nHost: pi:8080\r\nUser-Agent: unsinkable\r\nAccept: */*\r\n\
                        Connection: close\r\n\r\n";
        assert_eq!(http_get("pi:8080", "/ping?a=b"), expected.as_bytes());
    }

    #[test]
    fn nothing_in_host_or_path_ends_a_line() {
        let request = http_get("pi\r\nX: y", "/a b\n\u{e9}");
        assert!(request.starts_with(b"GET /a%20b%0A%C3%A9 HTTP/1.1\r\nHost: pi%0D%0AX:%20y\r\n"));
    }

    #[test]
    fn status_lines() {
        let table: &[(&[u8], Reason)] = &[
            (b"HTTP/1.1 200 OK\r\n", Answered(200)),
            (b"HTTP/1.0 302\r\n", Answered(302)),
            (b"HTTP/1.1 399 \r\n", Answered(399)),
            (b"HTTP/1.1 400 Bad Request\r\n", Status(400)),
            (b"HTTP/1.1 199 x", Status(199)),
            (b"HTTP/1.1 503 Service Unavailable\r\n", Status(503)),
            (b"SSH-2.0-OpenSSH_9.2p1\r\n", NotHttp),
            (b"HTTP/2.0 200 OK", NotHttp),
            (b"HTTP/1.1 2000", NotHttp),
            (b"HTTP/1.1  200", NotHttp),
            (b"\x15\x03\x03", NotHttp),
        ];
        for (bytes, reason) in table {
            assert_eq!(http_status(bytes), Some(*reason), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_status_line_cut_anywhere_asks_for_more() {
        let line = b"HTTP/1.1 204 No Content";
        for len in 0..STATUS_LEN {
            assert_eq!(http_status(&line[..len]), None, "{len} bytes");
        }
        assert_eq!(http_status(&line[..STATUS_LEN]), Some(Answered(204)));
    }

    const MB: u64 = 1024 * 1024;

    fn space(total: u64, free: u64) -> Space {
        Space { total, free, files: 1000, files_free: 500, read_only: false }
    }

    #[test]
    fn disks() {
        assert_eq!(disk(space(16_000 * MB, 8_000 * MB)), Room(50));
        assert_eq!(disk(space(16_000 * MB, 200 * MB)), Room(1), "200 MB is enough for a large one");
        assert_eq!(disk(space(16_000 * MB, 199 * MB)), Full(1));
        assert_eq!(disk(space(1_000 * MB, 51 * MB)), Room(5), "5 % is enough for a small one");
        assert_eq!(disk(space(1_000 * MB, 49 * MB)), Full(4));
        assert_eq!(disk(space(0, 0)), Full(0));
        assert_eq!(disk(space(u64::MAX, u64::MAX)), Room(100));
        assert_eq!(disk(Space { read_only: true, ..space(16_000 * MB, 8_000 * MB) }), ReadOnly);
        assert_eq!(disk(Space { files_free: 0, ..space(16_000 * MB, 8_000 * MB) }), NoInodes);
        assert_eq!(
            disk(Space { files: 0, files_free: 0, ..space(16_000 * MB, 8_000 * MB) }),
            Room(50),
            "btrfs"
        );
    }

    #[test]
    fn interfaces() {
        assert_eq!(interface(b"0x1003\n", b"1\n", b"up\n"), LinkUp);
        assert_eq!(interface(b"0x9\n", b"1\n", b"unknown\n"), LinkUp, "loopback");
        assert_eq!(interface(b"0x1003\n", b"0\n", b"down\n"), NoCarrier);
        assert_eq!(interface(b"0x1003\n", b"1\n", b"dormant\n"), NoCarrier, "Wi-Fi not let in");
        assert_eq!(interface(b"0x1002\n", b"", b"down\n"), LinkDown);
        assert_eq!(interface(b"", b"1\n", b"up\n"), LinkDown);
    }
}
