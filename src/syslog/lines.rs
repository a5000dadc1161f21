//! Lines out of what Docker gives of a log: each piece of a line with its moment in front, lines over 16 KiB in several
//! pieces. Pure.

use super::cursor::Stream;

/// Longest line; the rest of it follows as a line of its own. Receivers take 8 KiB and more, and what waits for them has
/// room for some of these.
pub const MAX_LINE: usize = 64 * 1024;
/// A line's end, with a carriage return from a terminal.
const MAX_END: usize = 2;
/// Docker cuts lines at this length.
const CUT: usize = 16 * 1024;
/// Longest moment: `2026-11-22T16:35:49.351538997+02:00`, which older dockerds say for some log drivers.
const MAX_MOMENT: usize = 35;
/// Kept of a buffer once its line is done: most lines are shorter.
const KEPT: usize = 1024;

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Where it was printed.
    pub stream: Stream,
    /// When, in unix nanoseconds.
    pub at: u64,
    /// Without its end.
    pub text: &'a [u8],
}

/// What comes is no log with moments in front of its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMoment;

/// Makes lines of pieces.
#[derive(Clone, Debug)]
pub struct Lines {
    terminal: bool,
    stdout: Half,
    stderr: Half,
}

/// One stream.
#[derive(Clone, Debug, Default)]
struct Half {
    /// In front of the piece, its blank included, as far as it has come.
    moment: Vec<u8>,
    /// The moment has been read: what comes is text.
    dated: bool,
    /// Of the line's first piece.
    at: u64,
    /// The line so far.
    text: Vec<u8>,
    /// Bytes of it that were given out.
    given: usize,
}

impl Lines {
    /// Of a container with a terminal (one stream, no frames), or without.
    pub fn new(terminal: bool) -> Self {
        Self { terminal, stdout: Half::default(), stderr: Half::default() }
    }

    /// The next line in `input`, which moves past it; nothing when all of `input` is dealt with. `last`: a frame ends with
    /// `input`; always false for a terminal.
    ///
    /// # Errors
    /// [`NoMoment`].
    pub fn next(
        &mut self,
        stream: Stream,
        input: &mut &[u8],
        last: bool,
    ) -> Result<Option<Line<'_>>, NoMoment> {
        let terminal = self.terminal;
        let half = self.half(stream);
        half.forget_given();
        if !half.dated && !half.date(input)? {
            return Ok(None);
        }
        let end = input.iter().position(|&byte| byte == b'\n').map_or(input.len(), |at| at + 1);
        let (text, rest) = input.split_at(end.min(MAX_LINE + MAX_END - half.text.len()));
        half.text.extend_from_slice(text);
        *input = rest;
        let complete = half.text.ends_with(b"\n");
        // A frame that ends without a line's end is a piece of a line; in the next one, a moment stands in front again.
        half.dated = if terminal { !complete } else { !(last && rest.is_empty()) };
        let full = half.text.len() == MAX_LINE + MAX_END;
        Ok((complete || full).then(|| half.give(stream, terminal, complete)))
    }

    /// What has no end yet, when the log itself has ended.
    pub fn rest(&mut self, stream: Stream) -> Option<Line<'_>> {
        let terminal = self.terminal;
        let half = self.half(stream);
        half.forget_given();
        half.dated = false;
        (!half.text.is_empty()).then(|| half.give(stream, terminal, true))
    }

    fn half(&mut self, stream: Stream) -> &mut Half {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

impl Half {
    fn forget_given(&mut self) {
        if self.given > 0 {
            self.text.drain(..self.given);
            self.text.shrink_to(KEPT);
            self.given = 0;
        }
    }

    /// Reads the moment; false as long as it is not all there.
    fn date(&mut self, input: &mut &[u8]) -> Result<bool, NoMoment> {
        if self.moment.ends_with(b" ") {
            self.moment.clear();
        }
        let room = MAX_MOMENT + 1 - self.moment.len();
        let blank = input.iter().take(room).position(|&byte| byte == b' ');
        let (head, rest) = input.split_at(blank.map_or(input.len().min(room), |at| at + 1));
        self.moment.extend_from_slice(head);
        *input = rest;
        let Some(moment) = self.moment.strip_suffix(b" ") else {
            return if self.moment.len() > MAX_MOMENT { Err(NoMoment) } else { Ok(false) };
        };
        let at = nanos(moment).ok_or(NoMoment)?;
        if self.text.is_empty() {
            self.at = at;
        }
        self.dated = true;
        Ok(true)
    }

    /// Lends the line, or what of it there is room for.
    fn give(&mut self, stream: Stream, terminal: bool, complete: bool) -> Line<'_> {
        if terminal && self.text.len() > CUT {
            without(&mut self.text, &self.moment);
        }
        self.given = if complete { self.text.len() } else { MAX_LINE.min(self.text.len()) };
        let mut text = &self.text[..self.given];
        if complete {
            text = text.strip_suffix(b"\n").unwrap_or(text);
            text = text.strip_suffix(b"\r").unwrap_or(text);
        }
        Line { stream, at: self.at, text }
    }
}

/// A terminal's log has no frames: within a long line, each piece has the moment of the first in front.
fn without(text: &mut Vec<u8>, moment: &[u8]) {
    let mut from = CUT;
    while let Some(at) = text[from..].windows(moment.len().max(1)).position(|window| window == moment) {
        text.drain(from + at..from + at + moment.len());
        from = (from + at).min(text.len());
    }
}

/// Unix nanoseconds of `2026-11-22T16:35:49.351538997Z` (or with an offset), as Docker writes it.
pub fn nanos(moment: &[u8]) -> Option<u64> {
    let (date, rest) = moment.split_at_checked(19)?;
    let shape = |at: usize, byte: u8| date[at] == byte;
    if !(shape(4, b'-') && shape(7, b'-') && shape(10, b'T') && shape(13, b':') && shape(16, b':')) {
        return None;
    }
    let field = |from: usize, to: usize| digits(&date[from..to]);
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
    if !(1970..=2500).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (fraction, zone) = match rest.strip_prefix(b".") {
        Some(rest) => rest.split_at(rest.iter().position(|byte| !byte.is_ascii_digit())?),
        None => rest.split_at(0),
    };
    // Nine digits are nanoseconds; some writers leave zeros out.
    let missing = u32::try_from(9_usize.checked_sub(fraction.len())?).ok()?;
    let fraction = digits(fraction)? * 10_u64.pow(missing);
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    seconds.checked_add_signed(-offset(zone)?)?.checked_mul(1_000_000_000)?.checked_add(fraction)
}

/// Seconds that a zone (`Z`, `+02:00`) is ahead.
fn offset(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" => Some(0),
        [sign @ (b'+' | b'-'), hours @ .., b':', tens, ones] if hours.len() == 2 => {
            let offset = i64::try_from(digits(hours)? * 3600 + digits(&[*tens, *ones])? * 60).ok()?;
            Some(if *sign == b'+' { offset } else { -offset })
        }
        _ => None,
    }
}

fn digits(digits: &[u8]) -> Option<u64> {
    digits
        .iter()
        .try_fold(0, |value: u64, digit| digit.is_ascii_digit().then(|| value * 10 + u64::from(digit - b'0')))
}

/// Days since 1970-01-01. Counted in years that begin in March: the day that some years have more is their last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    /// Days from March 1 of the year 0 to 1970-01-01.
    const EPOCH: u64 = 719_468;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    // Months from March on: 31 30 31 30 31, again and again, are 153 days for five.
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - EPOCH
}

#[cfg(test)]
mod tests {
    use super::Stream::{Stderr, Stdout};
    use super::*;

    /// 2026-11-22T16:35:49Z by `date -d … +%s`.
    const AT: u64 = 1_795_365_349_000_000_000;

    type Found = Vec<(Stream, u64, String)>;

    fn owned(line: &Line<'_>) -> (Stream, u64, String) {
        (line.stream, line.at - AT, String::from_utf8_lossy(line.text).into_owned())
    }

    /// The lines of whole frames, each coming in pieces of `cut` bytes.
    fn frames(frames: &[(Stream, &str)], cut: usize) -> Found {
        let (mut lines, mut found) = (Lines::new(false), Vec::new());
        for (stream, text) in frames {
            let count = text.len().div_ceil(cut);
            for (n, mut piece) in text.as_bytes().chunks(cut).enumerate() {
                while let Some(line) = lines.next(*stream, &mut piece, n + 1 == count).unwrap() {
                    found.push(owned(&line));
                }
                assert!(piece.is_empty());
            }
        }
        found.extend([Stdout, Stderr].iter().filter_map(|stream| lines.rest(*stream).as_ref().map(owned)));
        found
    }

    fn terminal(text: &str, cut: usize) -> Found {
        let (mut lines, mut found) = (Lines::new(true), Vec::new());
        for mut piece in text.as_bytes().chunks(cut) {
            while let Some(line) = lines.next(Stdout, &mut piece, false).unwrap() {
                found.push(owned(&line));
            }
        }
        found.extend(lines.rest(Stdout).as_ref().map(owned));
        found
    }

    #[test]
    fn pieces_become_lines_wherever_they_are_cut() {
        let input = [
            (Stdout, "2026-11-22T16:35:49.000000001Z one\n"),
            (Stdout, "2026-11-22T16:35:49.000000002Z be"),
            (Stderr, "2026-11-22T16:35:49.000000003Z \n"),
            (Stdout, "2026-11-22T16:35:49.000000002Z gun \r\n"),
            (Stderr, "2026-11-22T16:35:49.000000004Z two\nlines\n"),
            (Stderr, "2026-11-22T17:35:49.000000005+01:00 no end"),
        ];
        let expected = [
            (Stdout, 1, "one"),
            (Stderr, 3, ""),
            (Stdout, 2, "begun "),
            (Stderr, 4, "two"),
            (Stderr, 4, "lines"),
            (Stderr, 5, "no end"),
        ];
        let expected: Found =
            expected.iter().map(|(stream, at, text)| (*stream, *at, (*text).to_owned())).collect();
        for cut in 1..60 {
            assert_eq!(frames(&input, cut), expected, "{cut} bytes");
        }
    }

    #[test]
    fn a_terminal_has_no_frames() {
        let input = "2026-11-22T16:35:49.000000001Z one\r\n2026-11-22T16:35:49.000000002Z \r\n2026-11-22T16:35:49.000000003Z $ ";
        let expected =
            [(Stdout, 1, "one".to_owned()), (Stdout, 2, String::new()), (Stdout, 3, "$ ".to_owned())];
        for cut in 1..input.len() {
            assert_eq!(terminal(input, cut), expected, "{cut} bytes");
        }
    }

    #[test]
    fn long_lines_come_in_pieces_and_go_as_one_up_to_a_limit() {
        let moment = "2026-11-22T16:35:49.000000007Z ";
        let body: String = ('a'..='z').cycle().take(200_000).collect();
        let pieces = |len: usize, end: &str| -> Vec<String> {
            let text = format!("{}{end}", &body[..len]);
            text.as_bytes()
                .chunks(16 * 1024)
                .map(|piece| format!("{moment}{}", str::from_utf8(piece).unwrap()))
                .collect()
        };
        for len in [16_383, 16_384, 16_385, 40_000, 65_534, 65_536] {
            let framed = pieces(len, "\n");
            let framed: Vec<_> = framed.iter().map(|piece| (Stdout, piece.as_str())).collect();
            for cut in [1000, 4096, usize::MAX >> 1] {
                assert_eq!(frames(&framed, cut), [(Stdout, 7, body[..len].to_owned())], "{len} by {cut}");
            }
            let raw = pieces(len, "\r\n").concat() + moment + "next\r\n";
            // Moments within take their part of a terminal's limit.
            if len <= 40_000 {
                for cut in [1000, 4096, usize::MAX >> 1] {
                    let expected = [(Stdout, 7, body[..len].to_owned()), (Stdout, 7, "next".to_owned())];
                    assert_eq!(terminal(&raw, cut), expected, "{len} by {cut}");
                }
            }
        }
        let framed = pieces(150_000, "\n");
        let framed: Vec<_> = framed.iter().map(|piece| (Stdout, piece.as_str())).collect();
        for cut in [1000, 4096, usize::MAX >> 1] {
            let found = frames(&framed, cut);
            let lengths: Vec<usize> = found.iter().map(|(_, _, text)| text.len()).collect();
            assert_eq!(lengths, [65_536, 65_536, 18_928], "by {cut}");
            assert_eq!(found.iter().map(|(_, _, text)| &**text).collect::<String>(), body[..150_000]);
        }
    }

    #[test]
    fn what_has_no_moment_is_no_log() {
        for text in ["plain text\n", "2026-11-22T16:35:49 x\n", &"x".repeat(100)] {
            assert_eq!(Lines::new(false).next(Stdout, &mut text.as_bytes(), true), Err(NoMoment), "{text}");
        }
    }

    #[test]
    fn moments_are_read() {
        // Seconds by `date -d … +%s`.
        for (text, seconds) in [
            ("1970-01-01T00:00:00.000000000Z", 0),
            ("2000-02-29T12:00:00.000000000Z", 951_825_600),
            ("2024-03-01T00:00:00.000000000Z", 1_709_251_200),
            ("2026-11-22T16:35:49.000000000Z", 1_795_365_349),
            ("2026-12-31T23:59:59.000000000Z", 1_798_761_599),
            ("2026-11-22T18:35:49.000000000+02:00", 1_795_365_349),
            ("2026-11-22T11:05:49.000000000-05:30", 1_795_365_349),
            ("2100-03-01T00:00:00.000000000Z", 4_107_542_400),
        ] {
            assert_eq!(nanos(text.as_bytes()), Some(seconds * 1_000_000_000), "{text}");
        }
        assert_eq!(nanos(b"1970-01-01T00:00:01.234567891Z"), Some(1_234_567_891));
        assert_eq!(nanos(b"1970-01-01T00:00:01.25Z"), Some(1_250_000_000));
        assert_eq!(nanos(b"1970-01-01T00:00:01Z"), Some(1_000_000_000));
        for text in [
            "",
            "2026-11-22T16:35:49",
            "2026-11-22T16:35:49.",
            "2026-11-22T16:35:49.0000000001Z",
            "2026-11-22 16:35:49.000000000Z",
            "2026-13-22T16:35:49.000000000Z",
            "2026-11-00T16:35:49.000000000Z",
            "2026-11-22T16:35:49.00000000xZ",
            "2026-11-22T16:35:49.000000000",
            "2026-11-22T16:35:49.000000000+0200",
            "1969-12-31T23:59:59.000000000Z",
        ] {
            assert_eq!(nanos(text.as_bytes()), None, "{text:?}");
        }
    }
}
