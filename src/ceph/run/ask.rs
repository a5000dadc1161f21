//! One `GET` to one manager. What comes is read as it comes; the most that is held is one line of it.

use crate::ceph::Ceph;
use crate::ceph::exposition::{Lines, Sample};
use crate::ceph::health::Gathering;
use crate::docker::body::Reader;
use crate::docker::http::{Head, MAX_HEAD};
use crate::http_url::HttpUrl;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::{Async, Timer, future};
use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};

/// Most bytes of an answer: ten times what a manager of a hundred OSDs tells.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// Bytes read at once: room for the longest head.
const BUFFER: usize = 2 * MAX_HEAD;
/// Addresses of a name that are tried: IPv4 and IPv6 of a host with two networks.
const MAX_ADDRESSES: usize = 4;

/// What a port that speaks TLS (`secure_monitoring_stack`, `mgr/prometheus/ssl`) says to a plain request: 400, or nothing
/// but a reset.
const HTTPS: &str = "it may want https, and only plain http:// is asked";

/// What a manager answered.
enum Answer {
    Told(Ceph),
    /// It is elsewhere.
    Redirected(HttpUrl),
}

/// What the manager at `url` tells within `patience`; a redirect is followed once.
///
/// # Errors
/// Why it told nothing, in words: not reached, stands by, no manager.
pub async fn ask(url: &HttpUrl, patience: Duration) -> Result<Ceph, String> {
    let work = async {
        match exchange(url).await? {
            Answer::Told(ceph) => Ok(ceph),
            Answer::Redirected(to) => match exchange(&to).await? {
                Answer::Told(ceph) => Ok(ceph),
                Answer::Redirected(_) => Err(format!("redirects to {to}, which redirects again")),
            },
        }
    };
    let late = async {
        Timer::after(patience).await;
        Err(format!("no answer within {} s", patience.as_secs()))
    };
    future::or(work, late).await
}

async fn exchange(url: &HttpUrl) -> Result<Answer, String> {
    let mut socket = connect(url).await?;
    let place = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() };
    let (path, port) = (&url.path, url.port);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {place}:{port}\r\nConnection: close\r\n\r\n");
    let sent = socket.write_all(request.as_bytes()).await;
    sent.map_err(|error| error.to_string())?;
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    let (status, location, body, head_len) = loop {
        let head = Head::parse(&buffer[..filled], false);
        if let Some((head, len)) = head.map_err(|error| format!("is no web server: {error}"))? {
            let location = head.field("location").map(|text| String::from_utf8_lossy(text).into_owned());
            break (head.status, location, head.body, len);
        }
        filled += some(socket.read(&mut buffer[filled..]).await)?;
    };
    match (status, location) {
        (200, _) => {
            let unread = head_len..filled;
            told(Reading { socket, buffer, unread, reader: Reader::new(body) }, url).await.map(Answer::Told)
        }
        (301 | 302 | 303 | 307 | 308, Some(location)) => redirect(url, &location).map(Answer::Redirected),
        (400, _) => Err(format!("answers 400: {HTTPS}")),
        (503, _) => Err("answers 503: has just become active, or gathers for longer than it may".to_owned()),
        (status, _) => Err(format!("answers {status}: stands by")),
    }
}

/// Connects to the first address of the host that lets it.
async fn connect(url: &HttpUrl) -> Result<Async<TcpStream>, String> {
    let mut last = "its name has no address".to_owned();
    for addr in addresses(url).await?.into_iter().take(MAX_ADDRESSES) {
        match Async::<TcpStream>::connect(addr).await {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

/// A name is resolved on a thread: a resolver may take its time.
async fn addresses(url: &HttpUrl) -> Result<Vec<SocketAddr>, String> {
    if let Ok(addr) = url.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(addr, url.port)]);
    }
    let place = (url.host.clone(), url.port);
    let found = smol::unblock(move || place.to_socket_addrs().map(Iterator::collect)).await;
    found.map_err(|_| "its name is not known here".to_owned())
}

/// An answer's body on its way.
struct Reading {
    socket: Async<TcpStream>,
    buffer: Vec<u8>,
    unread: core::ops::Range<usize>,
    reader: Reader,
}

async fn told(mut reading: Reading, url: &HttpUrl) -> Result<Ceph, String> {
    let (mut lines, mut gathering, mut total) = (Lines::default(), Gathering::default(), 0);
    let mut take = |line: &str| {
        if let Some(sample) = Sample::parse(line) {
            gathering.take(&sample);
        }
    };
    let Reading { socket, buffer, unread, reader } = &mut reading;
    while !reader.is_done() {
        if unread.start == unread.end {
            let len = socket.read(buffer).await.map_err(|error| error.to_string())?;
            *unread = 0..len;
            if len == 0 {
                reader.close().map_err(|error| error.to_string())?;
                break;
            }
        }
        let piece = reader.read(&buffer[unread.clone()]).map_err(|error| error.to_string())?;
        let data = unread.start + piece.data.start..unread.start + piece.data.end;
        total += data.len();
        if total > MAX_ANSWER {
            return Err(format!("answers more than {} MB", MAX_ANSWER >> 20));
        }
        lines.push(&buffer[data], &mut take);
        unread.start += piece.consumed;
    }
    lines.end(take);
    gathering.done(&url.to_string()).ok_or_else(|| match total {
        0 => "stands by".to_owned(),
        _ => "answers, but not with Ceph's metrics (a manager tells them at /metrics)".to_owned(),
    })
}

fn some(read: std::io::Result<usize>) -> Result<usize, String> {
    match read {
        Ok(0) => Err("closed the connection without an answer".to_owned()),
        Ok(len) => Ok(len),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Err(format!("{error}: {HTTPS}")),
        Err(error) => Err(error.to_string()),
    }
}

/// Where a `Location` leads: a whole URL, or a path at the same place.
fn redirect(from: &HttpUrl, location: &str) -> Result<HttpUrl, String> {
    if location.starts_with('/')
        && !location.starts_with("//")
        && location.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Ok(HttpUrl { path: location.to_owned(), ..from.clone() });
    }
    HttpUrl::parse(location, 80, "/").map_err(|_| {
        let shown: String = location.chars().take(100).filter(|char| !char.is_control()).collect();
        format!("redirects to {shown}: only plain http:// is asked")
    })
}
