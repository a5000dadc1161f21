//! The head of an HTTP/1.1 answer (RFC 9112), without I/O: bytes in, what they mean out. For dockerd and for peers'
//! pages alike. Whatever two readers could take for two things is refused.

use core::fmt;

/// Most bytes of a head, interim (1xx) heads before it included. Dockerd's are 300; 8 KiB is what most servers bear.
pub const MAX_HEAD: usize = 8 * 1024;

/// Why bytes are no HTTP answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpError(pub &'static str);

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for HttpError {}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// There is none.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks, the last one empty.
    Chunked,
    /// All until the server closes.
    UntilClose,
}

/// The head of the answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// 200 to 599.
    pub status: u16,
    /// How long the body is.
    pub body: Body,
    /// The connection may carry another request once the body is read.
    pub keep_alive: bool,
    fields: &'a [u8],
}

impl<'a> Head<'a> {
    /// Reads the head at the start of `bytes`, and how many bytes it takes; nothing as long as it is not complete.
    /// Interim answers (1xx) are passed over. `to_head`: the request was a HEAD, whose answer has no body.
    ///
    /// # Errors
    /// [`HttpError`] for what is no HTTP/1 answer, or a head longer than [`MAX_HEAD`].
    pub fn parse(bytes: &'a [u8], to_head: bool) -> Result<Option<(Self, usize)>, HttpError> {
        let mut start = 0;
        while let Some(len) = head_len(&bytes[start..])? {
            let end = start + len;
            if end > MAX_HEAD {
                break;
            }
            let (line, fields) = split_line(&bytes[start..end - 2])?;
            let (http_1_0, status) = status_line(line)?;
            match status {
                101 => return Err(HttpError("the server changed the protocol unasked")),
                100..=199 => start = end,
                _ => return Ok(Some((Self::new(http_1_0, status, fields, to_head)?, end))),
            }
        }
        if bytes.len() >= MAX_HEAD {
            return Err(HttpError("the head of the answer is longer than 8 KiB"));
        }
        Ok(None)
    }

    fn new(http_1_0: bool, status: u16, fields: &'a [u8], to_head: bool) -> Result<Self, HttpError> {
        let (mut length, mut chunked) = (None, false);
        let (mut close, mut keep) = (false, false);
        let mut rest = fields;
        while !rest.is_empty() {
            let (line, behind) = split_line(rest)?;
            rest = behind;
            let (name, value) = field(line)?;
            if name.eq_ignore_ascii_case(b"content-length") {
                if length.replace(decimal(value)?).is_some() {
                    return Err(HttpError("two lengths of one body"));
                }
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                if chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(HttpError("a transfer encoding other than chunked"));
                }
                chunked = true;
            } else if name.eq_ignore_ascii_case(b"connection") {
                for token in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                    close |= token.eq_ignore_ascii_case(b"close");
                    keep |= token.eq_ignore_ascii_case(b"keep-alive");
                }
            }
        }
        let body = match (length, chunked) {
            (Some(_), true) => return Err(HttpError("a length and a transfer encoding of one body")),
            (None, true) if http_1_0 => return Err(HttpError("a transfer encoding in HTTP/1.0")),
            _ if to_head || matches!(status, 204 | 304) => Body::None,
            (None, true) => Body::Chunked,
            (Some(len), false) => Body::Length(len),
            (None, false) => Body::UntilClose,
        };
        let keep_alive = !close && (keep || !http_1_0) && body != Body::UntilClose;
        Ok(Self { status, body, keep_alive, fields })
    }

    /// The value of the first field of this name, in any case, without the blanks around it.
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        let mut rest = self.fields;
        while let Ok((line, behind)) = split_line(rest) {
            rest = behind;
            let (found, value) = field(line).ok()?;
            if found.eq_ignore_ascii_case(name.as_bytes()) {
                return Some(value);
            }
        }
        None
    }
}

/// Bytes up to and with the empty line.
fn head_len(bytes: &[u8]) -> Result<Option<usize>, HttpError> {
    const START: &[u8] = b"HTTP/1.";
    let begun = bytes.len().min(START.len());
    if bytes[..begun] != START[..begun] {
        return Err(HttpError("not HTTP/1"));
    }
    Ok(bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4))
}

/// The line without its CR LF, and what follows.
fn split_line(bytes: &[u8]) -> Result<(&[u8], &[u8]), HttpError> {
    let end =
        bytes.windows(2).position(|window| window == b"\r\n").ok_or(HttpError("a line without an end"))?;
    Ok((&bytes[..end], &bytes[end + 2..]))
}

/// `HTTP/1.1 200 OK`: whether it is version 1.0, and the status. The reason may be missing, with or without its blank.
fn status_line(line: &[u8]) -> Result<(bool, u16), HttpError> {
    const BAD: HttpError = HttpError("not a status line");
    let http_1_0 = match line.get(..9) {
        Some(b"HTTP/1.1 ") => false,
        Some(b"HTTP/1.0 ") => true,
        Some(_) | None => return Err(BAD),
    };
    let digits: [u8; 3] = *line[9..].first_chunk().ok_or(BAD)?;
    if !digits.iter().all(u8::is_ascii_digit) || !matches!(line.get(12), None | Some(b' ')) || !is_text(line)
    {
        return Err(BAD);
    }
    let status = digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    if (100..600).contains(&status) { Ok((http_1_0, status)) } else { Err(BAD) }
}

/// Name and value of a header field. A line that goes on with the one before (obs-fold) begins with a blank, which is
/// no name.
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), HttpError> {
    const BAD: HttpError = HttpError("not a header field");
    let colon = line.iter().position(|&byte| byte == b':').ok_or(BAD)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let is_token = |&byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.iter().all(is_token) || !is_text(value) {
        return Err(BAD);
    }
    Ok((name, value.trim_ascii()))
}

/// No control characters but the tab.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == b'\t' || !byte.is_ascii_control())
}

fn decimal(digits: &[u8]) -> Result<u64, HttpError> {
    const BAD: HttpError = HttpError("the length of the body is no number");
    if digits.is_empty() {
        return Err(BAD);
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0')).ok_or(BAD)?;
        value.checked_mul(10).and_then(|value| value.checked_add(digit)).ok_or(BAD)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As dockerd 20.10 answered `HEAD /_ping`.
    const PING: &[u8] =
        b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 0\r\nDocker-Experimental: false\r\n\
        Server: Docker/20.10.24+dfsg1 (linux)\r\n\r\n";

    fn head(bytes: &[u8]) -> Result<Option<(Head<'_>, usize)>, HttpError> {
        Head::parse(bytes, false)
    }

    fn whole(bytes: &[u8]) -> Head<'_> {
        let (head, len) = head(bytes).expect("HTTP").expect("complete");
        assert_eq!(len, bytes.len());
        head
    }

    #[test]
    fn a_head_is_read_once_it_is_complete() {
        for end in 0..PING.len() {
            assert_eq!(head(&PING[..end]), Ok(None), "{end} bytes");
        }
        let mut more = PING.to_vec();
        more.extend(b"HTTP/1.1");
        let (head, len) = head(&more).unwrap().unwrap();
        assert_eq!((head.status, head.body, head.keep_alive, len), (200, Body::Length(0), true, PING.len()));
        assert_eq!(head.field("api-version"), Some(&b"1.41"[..]));
        assert_eq!(head.field("Server"), Some(&b"Docker/20.10.24+dfsg1 (linux)"[..]));
        assert_eq!(head.field("Ostype"), None);
        let (head, _) = Head::parse(PING, true).unwrap().unwrap();
        assert_eq!((head.body, head.keep_alive), (Body::None, true));
    }

    #[test]
    fn the_body_is_as_long_as_the_head_says() {
        let cases: [(&str, Body, bool); 14] = [
            ("1.1 200 OK\r\nContent-Length: 7", Body::Length(7), true),
            ("1.1 200 OK\r\ncontent-length:18446744073709551615", Body::Length(u64::MAX), true),
            ("1.1 200 OK\r\nTransfer-Encoding: Chunked", Body::Chunked, true),
            ("1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close", Body::Chunked, false),
            ("1.1 200 OK\r\nContent-Length: 1\r\nConnection: x , CLOSE", Body::Length(1), false),
            ("1.1 200", Body::UntilClose, false),
            ("1.1 200 \r\nConnection: keep-alive", Body::UntilClose, false),
            ("1.1 204 No Content", Body::None, true),
            ("1.1 304 Not Modified\r\nContent-Length: 9", Body::None, true),
            ("1.1 404 Not Found\r\nContent-Length: \t 9 \t", Body::Length(9), true),
            ("1.0 200 OK\r\nContent-Length: 7", Body::Length(7), false),
            ("1.0 200 OK\r\nContent-Length: 7\r\nConnection: Keep-Alive", Body::Length(7), true),
            ("1.0 200 OK", Body::UntilClose, false),
            ("1.1 599 \u{fc}\r\nX:\r\nContent-Length: 0", Body::Length(0), true),
        ];
        for (text, body, keep_alive) in cases {
            let text = format!("HTTP/{text}\r\n\r\n");
            let head = whole(text.as_bytes());
            assert_eq!((head.body, head.keep_alive), (body, keep_alive), "{text:?}");
        }
    }

    #[test]
    fn interim_answers_are_passed_over() {
        let text = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 409 Conflict\r\n\r\n";
        for end in 0..text.len() {
            assert_eq!(head(&text[..end]), Ok(None), "{end} bytes");
        }
        assert_eq!(whole(text).status, 409);
        assert!(head(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").is_err());
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        let refused = [
            "SSH-2.0-OpenSSH",
            "HTTP/2",
            "HTTP/1.2 200 OK\r\n\r\n",
            "HTTP/1.1  200 OK\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n",
            "HTTP/1.1 099 OK\r\n\r\n",
            "HTTP/1.1 600 OK\r\n\r\n",
            "HTTP/1.1 +20 OK\r\n\r\n",
            "HTTP/1.1 200 O\0K\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 7\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 7, 7\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +7\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0x7\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 204 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 7\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: \0\r\n\r\n",
        ];
        for text in refused {
            assert!(head(text.as_bytes()).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_head_has_a_bound() {
        let field = |len: usize| format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "b".repeat(len));
        assert_eq!(field(8168).len(), 8192);
        assert_eq!(whole(field(8168).as_bytes()).status, 200);
        assert!(head(field(8169).as_bytes()).is_err());
        assert!(head(&field(9000).as_bytes()[..8192]).is_err(), "without its end");
        assert!(head("HTTP/1.1 100 Continue\r\n\r\n".repeat(400).as_bytes()).is_err());
    }
}
