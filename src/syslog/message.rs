//! A message and its bytes: RFC 5424, RFC 3164, and the framing between two of them (RFC 6587). Pure.
//!
//! No receiver may be led astray by what a container prints: a control character (a line feed would end the message on a
//! TCP connection without lengths) becomes `#` and three octal digits, as rsyslog itself writes it; what is no UTF-8
//! becomes U+FFFD. A line too long for one message becomes several, with `part="2/3"` among their structured data.

use super::names::Speaker;
use super::target::{Format, Framing, Target, Transport};
use core::iter;
use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use std::io::Write;

/// The facility that Docker's own syslog driver uses, too.
pub const DAEMON: u8 = 3;

/// Severities of RFC 5424 table 2.
pub const ERROR: u8 = 3;
/// Something may go wrong.
pub const WARNING: u8 = 4;
/// Normal, and worth a look.
pub const NOTICE: u8 = 5;
/// Normal.
pub const INFORMATIONAL: u8 = 6;

/// Name of our structured data. The number is the one that RFC 5612 sets aside for examples and documentation: nobody
/// has registered one for Docker, and no other is free to use.
const DATA: &str = "docker@32473";

/// Longest message over TCP in bytes: rsyslog cuts at 8,096, Grafana Alloy refuses from 8,192.
const TCP_MESSAGE: usize = 8_000;
/// Longest datagram of RFC 5424: an Ethernet frame's 1,500 less the headers of IPv6 and UDP, and room for a tunnel.
const UDP_MESSAGE: usize = 1_400;
/// Longest datagram of RFC 3164, by its section 4.1: old receivers cut there.
const UDP_BSD_MESSAGE: usize = 1_024;
/// What stands before the text may be this long; structured data beyond it is left out, so that text finds room.
const MAX_HEAD: usize = 700;

/// Room for which part it is, and for the brackets: `[docker@32473 part="1000/1000"] `.
const PART: usize = 40;

/// 9999-12-31T23:59:59.999999Z: years have four digits.
pub const LAST_TIME: u64 = 253_402_300_799_999_999;

/// Longest names of RFC 5424 section 6.
const MAX_HOST: usize = 255;
const MAX_APP: usize = 48;
const MAX_PROC_ID: usize = 128;
const MAX_MSG_ID: usize = 32;
/// Longest name of the program by RFC 3164 section 4.1.3.
const MAX_TAG: usize = 32;
/// `-` and eight hexadecimal digits of a checksum end a name that was cut, so that two long names stay two.
const CUT_MARK: usize = 9;
const SUM: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// What is told, before it is put into a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// When, in microseconds since 1970 (UTC).
    pub at: u64,
    /// RFC 5424 table 1: [`DAEMON`] but for what came with another.
    pub facility: u8,
    /// RFC 5424 table 2: 3 error, 4 warning, 5 notice, 6 informational.
    pub severity: u8,
    /// Name of the node.
    pub host: &'a str,
    /// Who says it.
    pub speaker: &'a Speaker,
    /// `stdout`, `stderr`, `event`.
    pub msg_id: &'a str,
    /// The line, without its end. UTF-8 is not promised.
    pub text: &'a [u8],
}

/// What makes messages into what the target takes. It keeps its buffers: nothing is allocated for a message.
#[derive(Debug)]
pub struct Writer {
    format: Format,
    /// None for datagrams.
    framing: Option<Framing>,
    max: usize,
    head: Vec<u8>,
    text: Vec<u8>,
    frame: Vec<u8>,
}

impl Writer {
    /// For this target.
    pub fn new(target: &Target) -> Self {
        let (framing, max) = match (target.transport, target.format) {
            (Transport::Tcp, _) => (Some(target.framing), TCP_MESSAGE),
            (Transport::Udp, Format::Rfc5424) => (None, UDP_MESSAGE),
            (Transport::Udp, Format::Rfc3164) => (None, UDP_BSD_MESSAGE),
        };
        let (head, text, frame) = (Vec::new(), Vec::new(), Vec::new());
        Self { format: target.format, framing, max, head, text, frame }
    }

    /// Gives `take` the bytes of `message`, framed; of each of its parts where it is too long for one. `number` counts
    /// messages. `offset`: seconds that local time is ahead of UTC; RFC 3164 wants local time.
    pub fn write(&mut self, message: &Message<'_>, number: u64, offset: i32, mut take: impl FnMut(&[u8])) {
        self.head.clear();
        self.text.clear();
        clean(message.text, &mut self.text);
        let behind = match self.format {
            Format::Rfc5424 => {
                head_5424(&mut self.head, message, number);
                PART
            }
            Format::Rfc3164 => {
                head_3164(&mut self.head, message, offset);
                0
            }
        };
        let room = self.max.saturating_sub(self.head.len() + behind).max(1);
        let parts = pieces(&self.text, room).count().max(1);
        let mut rest = pieces(&self.text, room);
        for part in 1..=parts {
            let text = rest.next().unwrap_or_default();
            let frame = &mut self.frame;
            frame.clear();
            frame.extend(&self.head);
            if self.format == Format::Rfc5424 {
                end_data(frame, (part, parts));
            }
            frame.extend(text);
            match self.framing {
                None => {}
                Some(Framing::Lf) => frame.push(b'\n'),
                Some(Framing::Octet) => {
                    let length = format!("{} ", frame.len());
                    frame.splice(..0, length.bytes());
                }
            }
            take(frame);
        }
    }
}

/// Writing to memory does not fail.
macro_rules! put {
    ($out:expr, $($what:tt)*) => { let _ = write!($out, $($what)*); };
}

/// All of RFC 5424's header, and the structured data without its last `]`.
fn head_5424(out: &mut Vec<u8>, message: &Message<'_>, number: u64) {
    let (at, speaker) = (message.at.min(LAST_TIME), message.speaker);
    let (seconds, micros) = (at / 1_000_000, at % 1_000_000);
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = clock(seconds);
    put!(
        out,
        "<{}>1 {year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z ",
        priority(message)
    );
    for (name, max) in [
        (message.host, MAX_HOST),
        (&speaker.app, MAX_APP),
        (&speaker.proc_id, MAX_PROC_ID),
        (message.msg_id, MAX_MSG_ID),
    ] {
        put_name(out, name, max, |byte| byte.is_ascii_graphic());
        out.push(b' ');
    }
    // RFC 5424 section 7.3.1: from 1 to 2^31 - 1, and round. What is sent again after a broken connection has its old one.
    put!(out, "[meta sequenceId=\"{}\"]", number.saturating_sub(1) % 0x7fff_ffff + 1);
    let mut open = false;
    for (name, value) in &speaker.data {
        let before = out.len();
        if before + name.len() + value.len() > MAX_HEAD {
            continue;
        }
        if !open {
            put!(out, "[{DATA}");
        }
        put!(out, " {name}=\"");
        put_value(out, value);
        out.push(b'"');
        // What is escaped is longer than it was.
        if out.len() > MAX_HEAD {
            out.truncate(before);
        } else {
            open = true;
        }
    }
}

/// The end of the structured data: closed, and which part of the line it is.
fn end_data(out: &mut Vec<u8>, (part, parts): (usize, usize)) {
    // A value's end is the last byte, or the bracket of `meta`.
    let open = out.last() == Some(&b'"');
    if parts > 1 {
        if !open {
            put!(out, "[{DATA}");
        }
        put!(out, " part=\"{part}/{parts}\"");
    }
    if open || parts > 1 {
        out.push(b']');
    }
    out.push(b' ');
}

/// All that stands before the text in RFC 3164.
fn head_3164(out: &mut Vec<u8>, message: &Message<'_>, offset: i32) {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = (message.at / 1_000_000).saturating_add_signed(offset.into());
    let (_, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = clock(seconds);
    let month = MONTHS[usize::try_from(month - 1).unwrap_or_default()];
    put!(out, "<{}>{month} {day:2} {hour:02}:{minute:02}:{second:02} ", priority(message));
    put_name(out, message.host, MAX_HOST, |byte| byte.is_ascii_graphic());
    out.push(b' ');
    // These end a tag.
    let fits = |byte: u8| byte.is_ascii_graphic() && !b":[]".contains(&byte);
    put_name(out, &message.speaker.app, MAX_TAG, fits);
    if !message.speaker.proc_id.is_empty() {
        out.push(b'[');
        put_name(out, &message.speaker.proc_id, MAX_PROC_ID, fits);
        out.push(b']');
    }
    out.extend(b": ");
}

fn priority(message: &Message<'_>) -> u8 {
    message.facility.min(23) * 8 + message.severity.min(7)
}

/// A name in a header: `-` for none, `_` for what may not stand there, its end a checksum where it is too long.
fn put_name(out: &mut Vec<u8>, name: &str, max: usize, fits: impl Fn(u8) -> bool) {
    if name.is_empty() {
        out.push(b'-');
        return;
    }
    let kept = if name.len() > max { max - CUT_MARK } else { name.len() };
    out.extend(name.bytes().take(kept).map(|byte| if fits(byte) { byte } else { b'_' }));
    if kept < name.len() {
        put!(out, "-{:08x}", SUM.checksum(name.as_bytes()));
    }
}

/// A parameter's value: RFC 5424 section 6.3.3 escapes three characters.
fn put_value(out: &mut Vec<u8>, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'"' | b'\\' | b']' => out.extend([b'\\', byte]),
            0..0x20 | 0x7f => put_octal(out, byte),
            _ => out.push(byte),
        }
    }
}

/// The text as UTF-8 without control characters but the tab; its end, if it came with one, is left out.
fn clean(text: &[u8], out: &mut Vec<u8>) {
    let end = text.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
    for chunk in text[..end].utf8_chunks() {
        let mut rest = chunk.valid().as_bytes();
        while let Some(at) = rest.iter().position(|&byte| byte < 0x20 && byte != b'\t' || byte == 0x7f) {
            out.extend(&rest[..at]);
            put_octal(out, rest[at]);
            rest = &rest[at + 1..];
        }
        out.extend(rest);
        if !chunk.invalid().is_empty() {
            out.extend("\u{fffd}".as_bytes());
        }
    }
}

fn put_octal(out: &mut Vec<u8>, byte: u8) {
    out.extend([b'#', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]);
}

/// The text in pieces of at most `room` bytes, no character cut in two.
fn pieces(text: &[u8], room: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    iter::from_fn(move || {
        let starts = |at: &usize| rest.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80);
        let end = (1..=room.min(rest.len())).rev().find(starts).unwrap_or(room.min(rest.len()));
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Hour, minute, second of a day's second.
fn clock(seconds: u64) -> (u64, u64, u64) {
    let second = seconds % 86_400;
    (second / 3_600, second / 60 % 60, second % 60)
}

/// Year, month and day of the Gregorian calendar, `days` after 1970-01-01.
fn date(days: u64) -> (u64, u64, u64) {
    // Counted from 0000-03-01: leap days end a year, and every 400 years are alike.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests;
