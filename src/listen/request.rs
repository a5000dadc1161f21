//! The head of an HTTP/1.1 request (RFC 9112), as far as a server needs it that only answers GET. Pure. What could be
//! read in two ways is refused, not guessed.

use super::Response;

/// Largest head. Browsers send a kilobyte; cookies of others on the same address make it more.
pub const MAX_HEAD: usize = 8 * 1024;
/// What ends a head.
const END: &[u8] = b"\r\n\r\n";

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// How.
    pub method: Method,
    /// What, as it was sent, without query: `/keep.json`.
    pub path: String,
    /// By which name: as the target has it, else the header `Host`.
    pub host: String,
}

/// [`Request::method`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The document.
    Get,
    /// Only its head.
    Head,
    /// What is not answered here.
    Other,
}

/// The request whose head is in `bytes`; nothing yet if its end has not come.
///
/// # Errors
/// The response to what is none: 400, 431 beyond [`MAX_HEAD`], 505 for another version.
pub fn parse(bytes: &[u8]) -> Result<Option<Request>, Response> {
    let Some(end) = bytes.windows(END.len()).position(|window| window == END) else {
        return if bytes.len() < MAX_HEAD { Ok(None) } else { Err(Response::refused(431)) };
    };
    if end + END.len() > MAX_HEAD {
        return Err(Response::refused(431));
    }
    // What is not ASCII makes no line that is understood below.
    let head = str::from_utf8(&bytes[..end]).map_err(|_| Response::refused(400))?;
    let mut lines = head.split("\r\n");
    let (method, target) = request_line(lines.next().unwrap_or_default())?;
    let host = host_field(lines).ok_or_else(|| Response::refused(400))?;
    let (authority, path) = place(target).ok_or_else(|| Response::refused(400))?;
    // The target's goes before the header's (RFC 9112 section 3.2.2).
    Ok(Some(Request { method, path: path.to_owned(), host: authority.unwrap_or(host).to_owned() }))
}

/// The value of `Host`, if all lines are fields, and say in one way only whom and how much: what two could read
/// differently is none (RFC 9112 sections 3.2 and 6.3).
fn host_field<'a>(lines: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (mut host, mut lengths) = (None, 0);
    for line in lines {
        let (name, value) = field(line)?;
        if name.eq_ignore_ascii_case("host") && host.replace(value).is_some() {
            return None;
        }
        let is_length =
            ["content-length", "transfer-encoding"].iter().any(|other| name.eq_ignore_ascii_case(other));
        lengths += usize::from(is_length);
    }
    host.filter(|_| lengths < 2)
}

/// Method and target of a line like `GET /keep.json HTTP/1.1`.
fn request_line(line: &str) -> Result<(Method, &str), Response> {
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Response::refused(400));
    };
    let Some(minor) = version.strip_prefix("HTTP/1.") else {
        return Err(Response::refused(if version.starts_with("HTTP/") { 505 } else { 400 }));
    };
    let is_minor = minor.len() == 1 && minor.as_bytes()[0].is_ascii_digit();
    if !is_minor || !is_token(method) {
        return Err(Response::refused(400));
    }
    let method = match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        _ => Method::Other,
    };
    Ok((method, target))
}

/// Authority and path in a target: a path alone, or behind `http://host` as a proxy's client sends it.
fn place(target: &str) -> Option<(Option<&str>, &str)> {
    if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let (authority, target) = match target.strip_prefix("http://") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(authority), if path.is_empty() { "/" } else { path })
        }
        None => (None, target),
    };
    let path = target.split_once('?').map_or(target, |(path, _query)| path);
    path.starts_with('/').then_some((authority, path))
}

/// Name and value in a header line.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_value = value.chars().all(|c| c == '\t' || !c.is_control());
    (is_token(name) && is_value).then_some((name, value.trim_matches([' ', '\t'])))
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_tchar)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str, host: &str) -> Request {
        Request { method: Method::Get, path: path.to_owned(), host: host.to_owned() }
    }

    fn read(text: &str) -> Result<Option<Request>, u16> {
        parse(text.as_bytes()).map_err(|response| response.status)
    }

    #[test]
    fn a_request_is_read() {
        let text = "GET /keep.json?from=pi-2 HTTP/1.1\r\nHost: pi:9112\r\nAccept: */*\r\n\r\n";
        assert_eq!(read(text), Ok(Some(get("/keep.json", "pi:9112"))));
        for end in 0..text.len() {
            assert_eq!(read(&text[..end]), Ok(None), "{end}");
        }
        assert_eq!(
            read("GET http://pi:9112/a HTTP/1.0\r\nhost:b\r\n\r\nrest"),
            Ok(Some(get("/a", "pi:9112")))
        );
        assert_eq!(read("GET http://pi HTTP/1.1\r\nhost:\r\n\r\n"), Ok(Some(get("/", "pi"))));
        let other = Request { method: Method::Other, ..get("/", "a") };
        assert_eq!(read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"), Ok(Some(other)));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (text, status) in [
            ("\r\n\r\n", 400),
            ("GET /\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\ncontent-length: 4\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n\r\n", 400),
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400),
            ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET keep.json HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET http://a\tb/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET /?\n HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            ("GET / SMTP/1.1\r\nHost: a\r\n\r\n", 400),
        ] {
            assert_eq!(read(text), Err(status), "{text:?}");
        }
        assert_eq!(parse(b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n").unwrap_err().status, 400);
    }

    #[test]
    fn a_head_has_a_limit() {
        let head = |len: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(len - 32));
        assert_eq!(head(8192).len(), 8192);
        assert_eq!(read(&head(8192)), Ok(Some(get("/", "a"))));
        assert_eq!(read(&head(8193)), Err(431));
        assert_eq!(read(&"x".repeat(8191)), Ok(None));
        assert_eq!(read(&"x".repeat(8192)), Err(431));
    }
}
