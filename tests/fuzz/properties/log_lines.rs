//! No log of a container may panic its reader, stop it or let it hold more than a line; where the stream is cut changes
//! nothing.
//!
//! By the first byte the rest is a terminal's bytes, frames, or a recipe for frames (long lines come in many).

use unsinkable::docker::log_frames::{Frames, Source};
use unsinkable::syslog::cursor::Stream;
use unsinkable::syslog::lines::{Lines, MAX_LINE, NoMoment, nanos};

/// What stands in front of each piece of a line.
const MOMENT: &[u8] = b"2025-11-23T00:39:08.000000042Z ";
/// Docker's copier cuts lines here.
const CUT: usize = 16 * 1024;

/// Pieces of a recipe that are followed: more than a line has.
const MOST: usize = 12;

/// The lines, and whether the stream was given up.
type Found = (Vec<(Stream, u64, Vec<u8>)>, bool);

/// Reads `data` behind its first two bytes (which kind of stream, and where it is cut).
pub fn run(data: &[u8]) {
    let [kind, cut, input @ ..] = data else { return };
    let cut = usize::from(*cut).max(1);
    let (terminal, stream) = match kind % 4 {
        0 => (true, input.to_vec()),
        1 => (false, input.to_vec()),
        2 => (true, printed(input)),
        _ => (false, framed(input)),
    };
    let whole = read(terminal, &stream, stream.len().max(1));
    assert!(read(terminal, &stream, cut * 97) == whole, "cut to {} bytes", cut * 97);
    if stream.len() < 4096 {
        assert!(read(terminal, &stream, cut) == whole, "cut to {cut} bytes");
    }
    let bytes: usize = whole.0.iter().map(|(_, _, text)| text.len()).sum();
    assert!(bytes <= stream.len(), "{bytes} of {}", stream.len());
    if let Some(moment) = nanos(input) {
        assert!(input.is_ascii() && moment < 16_754_000_000_000_000_000, "{moment}");
    }
}

/// Docker's frames of a container that prints so: three bytes each for a frame (stream and end, length).
fn framed(recipe: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    for &[what, high, low] in recipe.as_chunks::<3>().0.iter().take(MOST) {
        let len = usize::from(u16::from_be_bytes([high, low])) % (CUT + 1);
        let end: &[u8] = if what & 2 == 0 { b"\n" } else { b"" };
        let total = u32::try_from(MOMENT.len() + len + end.len()).expect("short");
        stream.extend([1 + (what & 1), 0, 0, 0]);
        stream.extend(total.to_be_bytes());
        stream.extend(MOMENT);
        stream.resize(stream.len() + len, what);
        stream.extend(end);
    }
    stream
}

/// The same with a terminal: no frames, and in a long line the moment stands where Docker has cut it.
fn printed(recipe: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    for &[what, high, low] in recipe.as_chunks::<3>().0.iter().take(MOST) {
        let len = usize::from(u16::from_be_bytes([high, low])) % (CUT + 1);
        stream.extend(MOMENT);
        stream.resize(stream.len() + len, what);
        stream.extend(if what & 2 == 0 { &b"\r\n"[..] } else { b"" });
    }
    stream
}

fn read(terminal: bool, stream: &[u8], cut: usize) -> Found {
    let (mut frames, mut lines, mut found) = (Frames::default(), Lines::new(terminal), Vec::new());
    for mut piece in stream.chunks(cut) {
        if terminal {
            if take(&mut lines, Stream::Stdout, piece, false, &mut found).is_err() {
                return (found, true);
            }
            continue;
        }
        loop {
            let (printed, text, last) = match frames.next(&mut piece) {
                Ok(Some(part)) if part.source == Source::Stderr => (Stream::Stderr, part.text, part.last),
                Ok(Some(part)) => (Stream::Stdout, part.text, part.last),
                Ok(None) => break,
                Err(_) => return (found, true),
            };
            if take(&mut lines, printed, text, last, &mut found).is_err() {
                return (found, true);
            }
        }
    }
    for printed in [Stream::Stdout, Stream::Stderr] {
        if let Some(line) = lines.rest(printed) {
            found.push((line.stream, line.at, line.text.to_vec()));
        }
        assert_eq!(lines.rest(printed), None, "given twice");
    }
    (found, false)
}

fn take(
    lines: &mut Lines,
    printed: Stream,
    mut text: &[u8],
    last: bool,
    found: &mut Vec<(Stream, u64, Vec<u8>)>,
) -> Result<(), NoMoment> {
    loop {
        let before = text.len();
        let Some(line) = lines.next(printed, &mut text, last)? else { return Ok(()) };
        assert!(line.stream == printed && line.text.len() <= MAX_LINE + 2 && !line.text.contains(&b'\n'));
        found.push((line.stream, line.at, line.text.to_vec()));
        assert!(text.len() < before || before == 0, "no progress");
    }
}
