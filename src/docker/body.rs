//! The body of an HTTP/1.1 answer (RFC 9112 section 6 and 7), without I/O: of known length, in chunks, until the
//! connection closes. Bytes may come cut anywhere.

pub use super::http::Body;
use super::http::HttpError;
use core::ops::Range;

/// Longest line with a chunk's size: 16 hex digits, and room for an extension that nobody sends.
const MAX_CHUNK_LINE: u32 = 256;
/// Most bytes of trailers. Dockerd sends none.
const MAX_TRAILERS: u32 = 4 * 1024;

/// Takes a body out of the bytes that carry it.
#[derive(Clone, Debug)]
pub struct Reader {
    state: State,
    /// Bytes of this chunk's size line, or of the trailers, so far.
    line: u32,
}

/// What [`Reader::read`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The body's bytes, within the input. May be empty.
    pub data: Range<usize>,
    /// Bytes of the input that are dealt with: what follows is for the next call.
    pub consumed: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Length(u64),
    UntilClose,
    /// In the hex digits of a chunk's size; whether one was seen.
    Size(u64, bool),
    /// Behind them, in a blank or an extension.
    Extension(u64),
    SizeLf(u64),
    Data(u64),
    DataCr,
    DataLf,
    /// At the start of a trailer line, or of the empty line that ends them.
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    Done,
}

impl Reader {
    /// For a body of this kind.
    pub fn new(body: Body) -> Self {
        let state = match body {
            Body::None | Body::Length(0) => State::Done,
            Body::Length(len) => State::Length(len),
            Body::Chunked => State::Size(0, false),
            Body::UntilClose => State::UntilClose,
        };
        Self { state, line: 0 }
    }

    /// The body is complete.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The next piece of the body in `input`: to be called, with what was not yet consumed, until nothing is consumed or
    /// the body is done.
    ///
    /// # Errors
    /// [`HttpError`] where chunks are not as they must be; nothing may be read from this connection then.
    pub fn read(&mut self, input: &[u8]) -> Result<Piece, HttpError> {
        let mut at = 0;
        while at < input.len() {
            match self.state {
                State::Done => break,
                State::UntilClose => return Ok(Piece { data: at..input.len(), consumed: input.len() }),
                State::Length(left) | State::Data(left) => {
                    let rest = input.len() - at;
                    let len = usize::try_from(left).map_or(rest, |left| left.min(rest));
                    self.state = self.after_data(left - len as u64);
                    return Ok(Piece { data: at..at + len, consumed: at + len });
                }
                State::Size(..)
                | State::Extension(_)
                | State::SizeLf(_)
                | State::DataCr
                | State::DataLf
                | State::TrailerStart
                | State::Trailer
                | State::TrailerLf
                | State::EndLf => {
                    self.state = self.step(input[at])?;
                    at += 1;
                }
            }
        }
        Ok(Piece { data: at..at, consumed: at })
    }

    /// The connection has closed: is that the end of the body?
    ///
    /// # Errors
    /// [`HttpError`] if more should have come.
    pub fn close(&mut self) -> Result<(), HttpError> {
        if !matches!(self.state, State::UntilClose | State::Done) {
            return Err(HttpError("the answer broke off"));
        }
        self.state = State::Done;
        Ok(())
    }

    fn after_data(&self, left: u64) -> State {
        match (self.state, left) {
            (State::Data(_), 0) => State::DataCr,
            (State::Data(_), left) => State::Data(left),
            (_, 0) => State::Done,
            (_, left) => State::Length(left),
        }
    }

    /// One byte of what is between the chunks' data.
    fn step(&mut self, byte: u8) -> Result<State, HttpError> {
        let state = match (self.state, byte) {
            (State::Size(size, _), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                State::Size(grown(size, byte)?, true)
            }
            (State::Size(size, true) | State::Extension(size), b'\r') => State::SizeLf(size),
            (State::Size(size, true), b';' | b' ' | b'\t')
            | (State::Extension(size), b'\t' | b' '..=b'~' | 0x80..) => State::Extension(size),
            (State::SizeLf(0) | State::TrailerLf, b'\n') => State::TrailerStart,
            (State::SizeLf(size), b'\n') => State::Data(size),
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size(0, false),
            (State::TrailerStart, b'\r') => State::EndLf,
            (State::TrailerStart | State::Trailer, b'\t' | b' '..=b'~' | 0x80..) => State::Trailer,
            (State::Trailer, b'\r') => State::TrailerLf,
            (State::EndLf, b'\n') => State::Done,
            _ => return Err(HttpError("not a chunk")),
        };
        self.line += 1;
        let in_trailers = matches!(
            state,
            State::TrailerStart | State::Trailer | State::TrailerLf | State::EndLf | State::Done
        );
        if self.line > if in_trailers { MAX_TRAILERS } else { MAX_CHUNK_LINE } {
            return Err(HttpError("a chunk's head or the trailers are too long"));
        }
        if matches!(state, State::Data(_)) || self.state == State::SizeLf(0) {
            self.line = 0;
        }
        Ok(state)
    }
}

fn grown(size: u64, digit: u8) -> Result<u64, HttpError> {
    let value = match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    };
    let grown = size.checked_mul(16).ok_or(HttpError("a chunk's size is beyond all bounds"))?;
    Ok(grown | u64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body in `input`, which comes in pieces of `cut` bytes; whether it was complete; what was left over.
    fn read(body: Body, input: &[u8], cut: usize) -> Result<(Vec<u8>, bool, usize), HttpError> {
        let mut reader = Reader::new(body);
        let (mut found, mut left) = (Vec::new(), input.len());
        for piece in input.chunks(cut) {
            let mut piece = piece;
            while !piece.is_empty() && !reader.is_done() {
                let Piece { data, consumed } = reader.read(piece)?;
                assert!(consumed > 0, "no progress");
                found.extend(&piece[data]);
                piece = &piece[consumed..];
                left -= consumed;
            }
        }
        Ok((found, reader.is_done(), left))
    }

    const CHUNKS: &[u8] =
        b"5\r\nhello\r\n0001 ; a=\"b\"\r\n,\r\nA;x\r\n0123456789\r\n0\r\nExpires: never\r\nX:\r\n\r\n";

    #[test]
    fn chunks_are_joined_wherever_they_are_cut() {
        for cut in 1..=CHUNKS.len() {
            let expected = (b"hello,0123456789".to_vec(), true, 0);
            assert_eq!(read(Body::Chunked, CHUNKS, cut), Ok(expected), "{cut} bytes");
        }
        for end in 0..CHUNKS.len() {
            let (found, done, _) = read(Body::Chunked, &CHUNKS[..end], 7).unwrap();
            assert!(!done && b"hello,0123456789".starts_with(&found), "{end} bytes");
        }
        let more = [CHUNKS, b"HTTP/1.1"].concat();
        assert_eq!(read(Body::Chunked, &more, 1).unwrap().2, 8, "the next answer is left alone");
        assert_eq!(read(Body::Chunked, b"0\r\n\r\n", 1), Ok((vec![], true, 0)));
    }

    #[test]
    fn lengths_are_kept() {
        for cut in 1..8 {
            assert_eq!(read(Body::Length(5), b"hello, you", cut), Ok((b"hello".to_vec(), true, 5)));
            assert_eq!(read(Body::Length(5), b"hell", cut), Ok((b"hell".to_vec(), false, 0)));
            assert_eq!(read(Body::UntilClose, b"hello", cut), Ok((b"hello".to_vec(), false, 0)));
            assert_eq!(read(Body::None, b"hello", cut), Ok((vec![], true, 5)));
            assert_eq!(read(Body::Length(0), b"hello", cut), Ok((vec![], true, 5)));
            assert_eq!(read(Body::Length(u64::MAX), b"hello", cut), Ok((b"hello".to_vec(), false, 0)));
        }
    }

    #[test]
    fn a_close_ends_only_what_may_be_ended_by_it() {
        assert_eq!(Reader::new(Body::UntilClose).close(), Ok(()));
        assert_eq!(Reader::new(Body::None).close(), Ok(()));
        assert!(Reader::new(Body::Length(1)).close().is_err());
        for end in 0..CHUNKS.len() {
            let mut reader = Reader::new(Body::Chunked);
            let mut rest = &CHUNKS[..end];
            while !rest.is_empty() {
                rest = &rest[reader.read(rest).unwrap().consumed..];
            }
            assert!(reader.close().is_err(), "{end} bytes");
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        let refused = [
            "\r\n",
            "g\r\n",
            "-1\r\n",
            "+1\r\na",
            "0x1\r\na",
            " 1\r\na",
            "1\na\n",
            "1\r\nab",
            "1\r\na\n",
            "1\r\na\rb",
            "1;\0\r\n",
            "1;a\n",
            "0\r\n\n",
            "0\r\na\n",
            "0\r\na\rb",
            "0\r\n\0",
            "0\r\n\r\r",
            "10000000000000000\r\n",
            "fffffffffffffffff\r\n",
        ];
        for text in refused {
            for cut in [1, 64] {
                assert!(read(Body::Chunked, text.as_bytes(), cut).is_err(), "{text:?} was accepted");
            }
        }
        assert_eq!(read(Body::Chunked, b"ffffffffffffffff\r\nhello", 1), Ok((b"hello".to_vec(), false, 0)));
    }

    #[test]
    fn lines_have_a_bound() {
        let line = |len: usize| format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(len));
        assert!(read(Body::Chunked, line(240).as_bytes(), 9).unwrap().1);
        assert!(read(Body::Chunked, line(260).as_bytes(), 9).is_err());
        assert!(read(Body::Chunked, format!("{}1\r\n", "0".repeat(260)).as_bytes(), 9).is_err());
        let trailers = |count: usize| format!("0\r\n{}\r\n", "A: 345678\r\n".repeat(count));
        assert!(read(Body::Chunked, trailers(360).as_bytes(), 9).unwrap().1);
        assert!(read(Body::Chunked, trailers(420).as_bytes(), 9).is_err());
        // Many chunks are not one long line.
        let many = "1\r\na\r\n".repeat(5_000) + "0\r\n\r\n";
        assert_eq!(read(Body::Chunked, many.as_bytes(), 1000).unwrap().0.len(), 5_000);
    }
}
