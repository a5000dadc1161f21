//! The bytes on the status socket: length (4 bytes, little-endian), version (1 byte), postcard. One request, one reply,
//! then both sides close. Pure; what a stranger sends is bounded by the limits below and can be no more than an error.

use super::status::Status;
use core::fmt;
use core::time::Duration;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// First byte after the length. Another program version with another layout has another number.
pub const VERSION: u8 = 2;
/// Largest request, length excluded: a variant and a duration take less than 20 bytes.
pub const MAX_REQUEST: usize = 64;
/// Largest reply, length excluded: 8 routers with 32 checks and 16 peers each, every text at its full length, stay
/// below 180 KiB.
pub const MAX_FRAME: usize = 256 * 1024;
/// Bytes of the length in front of each frame.
pub const HEAD: usize = 4;

/// What is asked of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Tell all.
    Status,
    /// Hand the VIP over and stay away from it for a while.
    Resign {
        /// How long not to take it back.
        for_: Duration,
    },
}

impl Request {
    /// True for what only root, or the user the daemon runs as, may ask.
    pub fn changes_something(&self) -> bool {
        match self {
            Self::Status => false,
            Self::Resign { .. } => true,
        }
    }
}

/// What the daemon answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// To [`Request::Status`].
    Status(Box<Status>),
    /// It is done, or on its way; in words for the person who asked.
    Done(String),
    /// It is not done, and why.
    Refused(String),
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Longer than the limit, or empty.
    Length(usize),
    /// Of another program version.
    Version(u8),
    /// Does not decode, or leaves bytes over.
    Content,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(len) => write!(f, "a frame of {len} bytes is out of bounds"),
            Self::Version(version) => write!(f, "frame version {version}, expected {VERSION}"),
            Self::Content => f.write_str("the frame's content makes no sense"),
        }
    }
}

impl core::error::Error for FrameError {}

/// The frame of `value`, at most `max` bytes without the length.
///
/// # Errors
/// [`FrameError::Length`] if it is longer, [`FrameError::Content`] if it cannot be written at all.
pub fn emit<T: Serialize>(value: &T, max: usize) -> Result<Vec<u8>, FrameError> {
    let mut bytes = vec![0; HEAD];
    bytes.push(VERSION);
    let mut bytes = postcard::to_extend(value, bytes).map_err(|_| FrameError::Content)?;
    let len = bytes.len() - HEAD;
    let head = u32::try_from(len).ok().filter(|_| len <= max).ok_or(FrameError::Length(len))?;
    bytes[..HEAD].copy_from_slice(&head.to_le_bytes());
    Ok(bytes)
}

/// How many bytes follow the length `head`.
///
/// # Errors
/// [`FrameError::Length`] if it is none or more than `max`.
pub fn body_len(head: [u8; HEAD], max: usize) -> Result<usize, FrameError> {
    let len = usize::try_from(u32::from_le_bytes(head)).unwrap_or(usize::MAX);
    if len == 0 || len > max { Err(FrameError::Length(len)) } else { Ok(len) }
}

/// The value in `body`: everything behind the length.
///
/// # Errors
/// [`FrameError`] for an empty body, another version, and bytes that do not decode to exactly one value.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, FrameError> {
    let (&version, rest) = body.split_first().ok_or(FrameError::Length(0))?;
    if version != VERSION {
        return Err(FrameError::Version(version));
    }
    match postcard::take_from_bytes(rest) {
        Ok((value, [])) => Ok(value),
        Ok(_) | Err(_) => Err(FrameError::Content),
    }
}

/// For the fuzzer: whatever the bytes, parsing ends without a panic, what is accepted survives a round trip, and its
/// faces can be drawn.
///
/// # Panics
/// If one of these does not hold.
pub fn fuzz(bytes: &[u8]) {
    if let Ok(request) = parse::<Request>(bytes) {
        let again = emit(&request, MAX_REQUEST).expect("a request is at most 20 bytes");
        assert_eq!(parse::<Request>(&again[HEAD..]), Ok(request));
    }
    let Ok(reply) = parse::<Reply>(bytes) else { return };
    if let Ok(again) = emit(&reply, MAX_FRAME) {
        assert_eq!(parse::<Reply>(&again[HEAD..]).as_ref(), Ok(&reply));
    }
    if let Reply::Status(status) = reply {
        super::face::draw(&status, &super::face::Look::PLAIN);
        super::json::write(&status);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_request_is_these_bytes() {
        assert_eq!(emit(&Request::Status, MAX_REQUEST).unwrap(), [2, 0, 0, 0, 2, 0]);
        // Variant 1, 600 s as a varint (0xd8 0x04), 0 ns.
        let resign = Request::Resign { for_: Duration::from_mins(10) };
        assert_eq!(emit(&resign, MAX_REQUEST).unwrap(), [5, 0, 0, 0, 2, 1, 0xd8, 0x04, 0]);
        assert_eq!(parse::<Request>(&[2, 1, 0xd8, 0x04, 0]), Ok(resign));
    }

    #[test]
    fn a_status_comes_back_as_it_was() {
        let reply = Reply::Status(Box::new(sample::backup()));
        let frame = emit(&reply, MAX_FRAME).unwrap();
        assert_eq!(body_len(frame[..4].try_into().unwrap(), MAX_FRAME), Ok(frame.len() - 4));
        assert_eq!(parse::<Reply>(&frame[4..]), Ok(reply));
    }

    #[test]
    fn nonsense_is_named() {
        assert_eq!(parse::<Request>(&[]), Err(FrameError::Length(0)));
        assert_eq!(parse::<Request>(&[9, 0]), Err(FrameError::Version(9)));
        assert_eq!(parse::<Request>(&[2, 7]), Err(FrameError::Content));
        assert_eq!(parse::<Request>(&[2, 0, 0]), Err(FrameError::Content), "a byte too many");
        // A duration whose nanoseconds overflow the seconds.
        let huge = [2, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 255, 255, 255, 255, 15];
        assert_eq!(parse::<Request>(&huge), Err(FrameError::Content));
        assert_eq!(body_len([0; 4], 64), Err(FrameError::Length(0)));
        assert_eq!(body_len([65, 0, 0, 0], 64), Err(FrameError::Length(65)));
        assert_eq!(body_len([255; 4], 64), Err(FrameError::Length(0xffff_ffff)));
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_an_error_or_a_value() {
        let frame = emit(&Reply::Status(Box::new(sample::backup())), MAX_FRAME).unwrap();
        let body = &frame[HEAD..];
        for end in 0..body.len() {
            assert!(parse::<Reply>(&body[..end]).is_err(), "cut at {end}");
        }
        for at in 0..body.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut body = body.to_vec();
                body[at] = value;
                fuzz(&body);
            }
        }
    }

    #[test]
    fn the_largest_status_fits() {
        let mut frame = sample::largest();
        frame.cut_texts();
        let len = emit(&Reply::Status(Box::new(frame)), MAX_FRAME).unwrap().len();
        assert!(len < 180 * 1024, "{len}");
    }
}
