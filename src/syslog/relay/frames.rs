//! One message after another out of a TCP stream: a line feed behind each, or its length in front (RFC 6587); each says by
//! its first byte which it is.

/// Longest message. Docker cuts lines at 16 KiB; its header and another's settings find room.
pub const MAX_LINE: usize = 32 * 1024;
/// Digits of a length that is looked at; a line that begins with more of them is a line.
const MAX_DIGITS: usize = 9;

/// A length beyond [`MAX_LINE`]: where the next message begins is anybody's guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// What has come of a message so far.
#[derive(Debug, Default)]
pub struct Frames {
    partial: Vec<u8>,
    /// Bytes of it that hold no line feed.
    looked: usize,
    /// In a line that was too long: what is left of it is passed over.
    skipping: bool,
}

impl Frames {
    /// Gives `each` every message that `input` completes, without its end; of a line longer than [`MAX_LINE`] so many
    /// bytes.
    ///
    /// # Errors
    /// [`TooLong`]; the connection is of no use then.
    pub fn take(&mut self, input: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), TooLong> {
        self.partial.extend(input);
        let mut rest = &self.partial[..];
        let mut looked = self.looked;
        loop {
            let line_feed = rest.iter().take(MAX_LINE).skip(looked).position(|&byte| byte == b'\n');
            let line_feed = line_feed.map(|at| looked + at);
            looked = 0;
            if self.skipping {
                let Some(end) = line_feed else {
                    // Looked at piece by piece.
                    rest = &rest[rest.len().min(MAX_LINE)..];
                    if rest.is_empty() {
                        break;
                    }
                    continue;
                };
                rest = &rest[end + 1..];
                self.skipping = false;
                continue;
            }
            match (length(rest), line_feed) {
                (Length::Partial, _) => break,
                (Length::Of { len, .. }, _) if len > MAX_LINE => return Err(TooLong),
                (Length::Of { digits, len }, _) => {
                    let Some((message, behind)) = rest[digits + 1..].split_at_checked(len) else { break };
                    give(message, &mut each);
                    rest = behind;
                }
                (Length::None, Some(end)) => {
                    give(&rest[..end], &mut each);
                    rest = &rest[end + 1..];
                }
                (Length::None, None) if rest.len() < MAX_LINE => break,
                (Length::None, None) => {
                    give(&rest[..MAX_LINE], &mut each);
                    rest = &rest[MAX_LINE..];
                    self.skipping = true;
                }
            }
        }
        let used = self.partial.len() - rest.len();
        self.looked = rest.len();
        self.partial.drain(..used);
        if self.partial.is_empty() {
            // Most connections are idle most of the time.
            self.partial = Vec::new();
        }
        Ok(())
    }

    /// The stream has ended: gives `each` a line that lacks its end.
    pub fn end(self, mut each: impl FnMut(&[u8])) {
        if let (false, Length::None) = (self.skipping, length(&self.partial)) {
            give(&self.partial, &mut each);
        }
    }
}

/// What a message begins with.
enum Length {
    /// No length: a line.
    None,
    /// Digits, and no more yet.
    Partial,
    /// So many digits, that say so many bytes.
    Of { digits: usize, len: usize },
}

fn length(rest: &[u8]) -> Length {
    let digits = rest.iter().take(MAX_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > MAX_DIGITS || rest[0] == b'0' {
        return Length::None;
    }
    match rest.get(digits) {
        None => Length::Partial,
        Some(b' ') => {
            let value = |value: usize, digit: &u8| value * 10 + usize::from(digit - b'0');
            Length::Of { digits, len: rest[..digits].iter().fold(0, value) }
        }
        Some(_) => Length::None,
    }
}

/// Without its end; one that is nothing else is nothing.
fn give(message: &[u8], each: &mut impl FnMut(&[u8])) {
    let end = message.iter().rposition(|byte| !b"\r\n\0".contains(byte)).map_or(0, |last| last + 1);
    if end > 0 {
        each(&message[..end]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8], cut: usize) -> Result<Vec<String>, TooLong> {
        let (mut frames, mut found) = (Frames::default(), Vec::new());
        let mut each = |message: &[u8]| found.push(String::from_utf8(message.to_vec()).unwrap());
        for piece in input.chunks(cut) {
            frames.take(piece, &mut each)?;
        }
        frames.end(&mut each);
        Ok(found)
    }

    #[test]
    fn lines_and_lengths_are_told_apart_wherever_they_are_cut() {
        let input = b"<30>one\n<30>two\r\n\n6 <30>\nx8 <30>four\n<30>five\n7seas\n0 x\n1234567890 y\nend";
        let expected =
            ["<30>one", "<30>two", "<30>\nx", "<30>four", "<30>five", "7seas", "0 x", "1234567890 y", "end"];
        for cut in 1..=input.len() {
            assert_eq!(read(input, cut).unwrap(), expected, "{cut} bytes");
        }
        assert_eq!(read(b"8 <30>", 9).unwrap(), [""; 0], "cut off");
    }

    #[test]
    fn no_line_is_longer_than_the_limit() {
        let long = [&vec![b'x'; 32 * 1024][..], b"rest\n<30>next\n"].concat();
        let exact = [&vec![b'y'; 32 * 1024][..], b"\n<30>next\n"].concat();
        for cut in [1, 1021, 32 * 1024, 33 * 1024, 100_000] {
            assert_eq!(read(&long, cut).unwrap(), ["x".repeat(32 * 1024), "<30>next".to_owned()], "{cut}");
            assert_eq!(read(&exact, cut).unwrap(), ["y".repeat(32 * 1024), "<30>next".to_owned()], "{cut}");
        }
        assert_eq!(read(&vec![b'x'; 1 << 20], 4096).unwrap(), ["x".repeat(32 * 1024)]);
        assert_eq!(read(b"32769 <30>", 4), Err(TooLong));
        assert_eq!(read(b"999999999 <30>", 4), Err(TooLong));
    }

    #[test]
    fn an_idle_connection_holds_nothing() {
        let mut frames = Frames::default();
        frames.take(&[b"<30>", &vec![b'x'; 20_000][..], b"\n"].concat(), |_| ()).unwrap();
        assert_eq!(frames.partial.capacity(), 0);
        for _ in 0..100 {
            frames.take(&vec![b'x'; 32 * 1024], |_| ()).unwrap();
        }
        assert!(frames.partial.capacity() <= 64 * 1024);
    }
}
