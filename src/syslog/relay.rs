//! What Docker's own syslog driver sends, read: a container's ID stands where its name should. Pure.
//!
//! `--log-opt syslog-format` knows four shapes, and any of them may come: the default (BSD's without a host), `rfc3164`,
//! `rfc5424` and `rfc5424micro`. What is none of these is text, and goes on as such: nothing that comes is dropped.

mod frames;
mod known;

pub use frames::{Frames, MAX_LINE, TooLong};
pub use known::{Known, Look, MAX_KNOWN};

use super::message::LAST_TIME;
use super::names::SHORT_ID;
use core::net::SocketAddr;
use core::str;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// `user.notice`: RFC 3164 section 4.3.3 for what comes without a priority.
const NO_PRIORITY: u8 = 13;
/// The highest: facility 23, severity 7.
const MAX_PRIORITY: u8 = 191;
/// Length of `Mmm dd hh:mm:ss`.
const STAMP: usize = 15;
/// Seconds. Every zone on earth is a multiple of this away from UTC.
const QUARTER: u64 = 15 * 60;
const SECOND: u64 = 1_000_000;

/// A line, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// RFC 5424 table 1.
    pub facility: u8,
    /// RFC 5424 table 2.
    pub severity: u8,
    /// Microseconds since 1970 (UTC).
    pub at: u64,
    /// Whose it is, where the line says so.
    pub host: Option<&'a str>,
    /// APP-NAME or TAG: what `--log-opt tag` makes, by default the first twelve digits of the container's ID.
    pub tag: &'a str,
    /// PROCID, or the number behind TAG: Docker writes dockerd's own.
    pub proc_id: &'a str,
    /// MSGID: Docker repeats the tag.
    pub msg_id: &'a str,
    /// The rest. Structured data, which Docker does not send, stays in front of it.
    pub text: &'a [u8],
}

/// Reads a line that came at `now` (microseconds since 1970).
pub fn parse(line: &[u8], now: u64) -> Line<'_> {
    let (priority, rest) = priority(line).unwrap_or((NO_PRIORITY, line));
    let bare = Line {
        facility: priority / 8,
        severity: priority % 8,
        at: now,
        host: None,
        tag: "",
        proc_id: "",
        msg_id: "",
        text: rest,
    };
    rfc5424(bare).or_else(|| bsd(bare, now)).unwrap_or(bare)
}

/// The ID of a container, where the tag is one: its first twelve digits.
pub fn container_id(tag: &str) -> Option<&str> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    ([SHORT_ID, 64].contains(&tag.len()) && tag.bytes().all(is_hex)).then(|| &tag[..SHORT_ID])
}

/// Does this `--log-opt syslog-address` lead to our relay, which listens there? Where that is on all of the node's
/// addresses, whoever sends to its port sends to one of ours, on this node or another.
pub fn is_ours(address: &str, listen: SocketAddr) -> bool {
    let Some(("tcp" | "udp", place)) = address.split_once("://") else { return false };
    let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
    let host = host.trim_matches(['[', ']']);
    let ip = if host == "localhost" { Some(listen.ip()) } else { host.parse().ok() };
    let any = listen.ip().is_unspecified();
    // Docker, too, takes 514 where no port is named.
    port.parse().unwrap_or(514) == listen.port() && (any || ip == Some(listen.ip()))
}

/// `<PRI>`, and what is behind it.
fn priority(line: &[u8]) -> Option<(u8, &[u8])> {
    let rest = line.strip_prefix(b"<")?;
    let end = rest.iter().take(4).position(|&byte| byte == b'>')?;
    let digits = str::from_utf8(&rest[..end]).ok()?;
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    (number <= MAX_PRIORITY).then_some((number, &rest[end + 1..]))
}

/// `1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG`.
fn rfc5424(bare: Line<'_>) -> Option<Line<'_>> {
    let rest = bare.text.strip_prefix(b"1 ")?;
    let (stamp, rest) = word(rest)?;
    let (host, rest) = word(rest)?;
    let (tag, rest) = word(rest)?;
    let (proc_id, rest) = word(rest)?;
    let (msg_id, rest) = word(rest)?;
    let at = if stamp == "-" { bare.at } else { moment(stamp)? };
    let text = match rest.strip_prefix(b"-") {
        Some([]) => b"",
        Some([b' ', text @ ..]) => text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text),
        Some(_) | None => rest,
    };
    let said = |name| if name == "-" { "" } else { name };
    let host = Some(host).filter(|host| *host != "-");
    Some(Line { at, host, tag: said(tag), proc_id: said(proc_id), msg_id: said(msg_id), text, ..bare })
}

/// `Mmm dd hh:mm:ss [HOST] TAG[PID]: MSG`.
fn bsd(bare: Line<'_>, now: u64) -> Option<Line<'_>> {
    let (at, rest) = match bare.text.split_at_checked(STAMP) {
        Some((stamp, [b' ', rest @ ..])) if stamp.is_ascii() && stamp[0].is_ascii_alphabetic() => {
            (near(stamp, now)?, rest)
        }
        Some(_) | None => {
            let (stamp, rest) = word(bare.text)?;
            (moment(stamp)?, rest)
        }
    };
    let (first, behind) = word(rest)?;
    let (host, tag, text) = if let Some(tag) = first.strip_suffix(':') {
        (None, tag, behind)
    } else {
        let (second, behind) = word(behind)?;
        (Some(first), second.strip_suffix(':')?, behind)
    };
    let (tag, proc_id) = tag.strip_suffix(']').and_then(|tag| tag.split_once('[')).unwrap_or((tag, ""));
    Some(Line { at, host, tag, proc_id, text, ..bare })
}

/// Up to the next space: printable, and not empty. A last word has nothing behind it.
fn word(rest: &[u8]) -> Option<(&str, &[u8])> {
    let end = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
    let (word, behind) = rest.split_at(end);
    let printable = !word.is_empty() && word.iter().all(u8::is_ascii_graphic);
    let word = printable.then(|| str::from_utf8(word).ok())??;
    Some((word, behind.get(1..).unwrap_or_default()))
}

/// A time of RFC 3339, in microseconds since 1970.
fn moment(stamp: &str) -> Option<u64> {
    let nanos = OffsetDateTime::parse(stamp, &Rfc3339).ok()?.unix_timestamp_nanos();
    u64::try_from(nanos / 1_000).ok().filter(|micros| *micros <= LAST_TIME)
}

/// A time without year and zone, close to `now`. Docker's driver writes it as it sends, so that minutes and seconds tell
/// all: year, zone and hour are those that bring it closest. Within the same second, `now` knows more of it.
fn near(stamp: &[u8], now: u64) -> Option<u64> {
    let number = |at: usize| {
        let digits = stamp.get(at..at + 2)?;
        digits.iter().all(u8::is_ascii_digit).then(|| u64::from((digits[0] - b'0') * 10 + digits[1] - b'0'))
    };
    let (minute, second) = (number(10)?, number(13)?);
    let shape = [3, 6].iter().all(|&at| stamp[at] == b' ') && [9, 12].iter().all(|&at| stamp[at] == b':');
    if !shape || minute > 59 || second > 60 || number(7)? > 23 {
        return None;
    }
    let (stamped, seconds) = ((minute * 60 + second) % QUARTER, now / SECOND);
    let ahead = (stamped + QUARTER - seconds % QUARTER) % QUARTER;
    match ahead {
        0 => Some(now),
        1..450 => Some((seconds + ahead) * SECOND),
        450.. => (seconds + ahead).checked_sub(QUARTER).map(|seconds| seconds * SECOND),
    }
}

#[cfg(test)]
mod tests;
