//! What can go wrong with a call to Docker: which call, which status, Docker's own words.

use core::fmt;
use core::time::Duration;

/// A call that failed.
#[derive(Debug)]
pub struct Error {
    /// Method and path, without query: `POST /services/web/update`.
    pub call: String,
    /// What happened.
    pub cause: Cause,
}

/// Why a call failed.
#[derive(Debug)]
pub enum Cause {
    /// Docker answered with this status (400 to 599) and this message.
    Status {
        /// HTTP status.
        status: u16,
        /// Docker's own words, cut to a line.
        message: String,
    },
    /// No socket, refused, broken off.
    Io(std::io::Error),
    /// Nothing came in this time.
    Deadline(Duration),
    /// Not HTTP, not JSON, or more than the limit.
    Malformed(String),
    /// No API version that both sides speak.
    Version(String),
}

impl Error {
    /// The status Docker answered with, if it answered.
    pub fn status(&self) -> Option<u16> {
        match &self.cause {
            Cause::Status { status, .. } => Some(*status),
            Cause::Io(_) | Cause::Deadline(_) | Cause::Malformed(_) | Cause::Version(_) => None,
        }
    }

    /// Somebody else changed the service first ("update out of sequence", a 500 in every version read).
    pub fn is_out_of_sequence(&self) -> bool {
        matches!(&self.cause, Cause::Status { message, .. } if message.contains("update out of sequence"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.call)?;
        match &self.cause {
            Cause::Status { status, message } => write!(f, "{status} {message}"),
            Cause::Io(error) => error.fmt(f),
            Cause::Deadline(limit) => write!(f, "no answer within {} s", limit.as_secs_f32()),
            Cause::Malformed(what) | Cause::Version(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for Error {}
