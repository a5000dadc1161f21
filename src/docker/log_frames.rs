//! Container logs of a container without a terminal: frames of 8 bytes of head (stream, three zeros, length) and text.

/// Bytes of a frame's head.
const HEAD: usize = 8;
/// Longest text of a frame. Dockerd's own copier cuts lines at 16 KiB; with timestamp, details and a driver's
/// larger pieces this is ample, and a length beyond it means that these are no frames.
pub const MAX_FRAME: u32 = 1024 * 1024;

/// Where a frame's text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard input, shown when a container is attached to.
    Stdin,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Dockerd itself: why the log ends here.
    Daemon,
}

/// What [`Frames::next`] found: a frame, or a piece of one that is not all there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Whose text it is.
    pub source: Source,
    /// The text, or a piece of it.
    pub text: &'a [u8],
    /// The frame ends with this piece.
    pub last: bool,
}

/// Why bytes are no frames (those of a container with a terminal are plain text).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError(pub &'static str);

/// Takes frames out of a stream that comes cut anywhere.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    head: [u8; HEAD],
    /// Bytes of the head that are there.
    filled: usize,
    /// Bytes of the text that are yet to come; counts once the head is there.
    left: usize,
}

impl Frames {
    /// The next piece in `input`, which moves past it; nothing when all of `input` is dealt with. A frame without text
    /// is a last piece without text.
    ///
    /// # Errors
    /// [`FrameError`] for a head that cannot be one; the rest of the stream is of no use then.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, FrameError> {
        if self.filled < HEAD {
            let (head, rest) = input.split_at(input.len().min(HEAD - self.filled));
            self.head[self.filled..self.filled + head.len()].copy_from_slice(head);
            self.filled += head.len();
            *input = rest;
            if self.filled < HEAD {
                return Ok(None);
            }
            self.left = text_len(self.head)?;
        } else if input.is_empty() {
            return Ok(None);
        }
        let source = source(self.head[0])?;
        let (text, rest) = input.split_at(input.len().min(self.left));
        *input = rest;
        self.left -= text.len();
        let last = self.left == 0;
        if last {
            self.filled = 0;
        } else if text.is_empty() {
            return Ok(None);
        }
        Ok(Some(Piece { source, text, last }))
    }

    /// The stream may end here: no frame is half read.
    pub fn is_between(&self) -> bool {
        self.filled == 0
    }
}

fn source(byte: u8) -> Result<Source, FrameError> {
    match byte {
        0 => Ok(Source::Stdin),
        1 => Ok(Source::Stdout),
        2 => Ok(Source::Stderr),
        3 => Ok(Source::Daemon),
        4.. => Err(FrameError("a log frame of an unknown stream")),
    }
}

fn text_len(head: [u8; HEAD]) -> Result<usize, FrameError> {
    let [stream, zeros @ .., a, b, c, d] = head;
    source(stream)?;
    if zeros != [0; 3] {
        return Err(FrameError("not the head of a log frame"));
    }
    let len = u32::from_be_bytes([a, b, c, d]);
    if len > MAX_FRAME {
        return Err(FrameError("a log frame of more than 1 MiB"));
    }
    Ok(len as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: &[u8] = b"\x01\0\0\0\0\0\0\x03one\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\x05three";

    type Found = (Vec<(Source, Vec<u8>)>, bool);

    /// Whole frames, from input in pieces of `cut` bytes.
    fn read(input: &[u8], cut: usize) -> Result<Found, FrameError> {
        let (mut frames, mut found, mut text) = (Frames::default(), Vec::new(), Vec::new());
        for mut piece in input.chunks(cut) {
            while let Some(Piece { source, text: part, last }) = frames.next(&mut piece)? {
                text.extend(part);
                if last {
                    found.push((source, core::mem::take(&mut text)));
                }
            }
            assert!(piece.is_empty());
        }
        Ok((found, frames.is_between()))
    }

    #[test]
    fn frames_are_whole_wherever_they_are_cut() {
        let expected = [
            (Source::Stdout, b"one".to_vec()),
            (Source::Stderr, vec![]),
            (Source::Daemon, b"three".to_vec()),
        ];
        for cut in 1..=THREE.len() {
            assert_eq!(read(THREE, cut), Ok((expected.to_vec(), true)), "{cut} bytes");
        }
        for end in 0..THREE.len() {
            let (found, between) = read(&THREE[..end], 5).unwrap();
            assert_eq!(found, expected[..found.len()], "{end} bytes");
            assert_eq!(between, [0, 11, 19].contains(&end), "{end} bytes");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for head in [
            *b"\x04\0\0\0\0\0\0\0",
            *b"\x01\0\x01\0\0\0\0\0",
            *b"\x01\0\0\0\0\x10\0\x01",
            *b"plain te",
            [0xff; 8],
        ] {
            assert!(read(&head, 3).is_err(), "{head:?} was accepted");
        }
        assert_eq!(read(b"\x01\0\0\0\0\x10\0\0", 3), Ok((vec![], false)), "1 MiB");
    }
}
