//! What can go wrong with a call to Docker: which call, which status, Docker's own words.

use core::fmt;
use core::time::Duration;
use serde::Deserialize;

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
    /// Not HTTP, not JSON, or more than the limit; or a name that no path can hold.
    Malformed(String),
    /// Docker began, and told within its answer that it failed; its own words, cut to a line.
    Failed(String),
    /// No API version that both sides speak.
    Version(String),
}

impl Error {
    /// The status Docker answered with, if it answered.
    pub fn status(&self) -> Option<u16> {
        match &self.cause {
            Cause::Status { status, .. } => Some(*status),
            Cause::Io(_)
            | Cause::Deadline(_)
            | Cause::Malformed(_)
            | Cause::Failed(_)
            | Cause::Version(_) => None,
        }
    }

    /// Somebody else changed the service first ("update out of sequence", a 500 in every version read).
    pub fn is_out_of_sequence(&self) -> bool {
        matches!(&self.cause, Cause::Status { message, .. } if message.contains("update out of sequence"))
    }
}

/// Most characters of Docker's own words that are shown.
const MAX_WORDS: usize = 500;

/// What an answer with an error says: `{"message": …}`, or the text itself (older versions); one line of it.
pub(super) fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    match serde_json::from_slice::<Message>(body) {
        Ok(Message { message }) => one_line(&message),
        Err(_) => one_line(&String::from_utf8_lossy(body)),
    }
}

/// `text` in one line, without control characters, and not endless.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(MAX_WORDS) {
        Some((end, _)) => {
            line.truncate(end);
            line + "…"
        }
        None => line,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.call)?;
        match &self.cause {
            Cause::Status { status, message } => write!(f, "{status} {message}"),
            Cause::Io(error) => error.fmt(f),
            Cause::Deadline(limit) => write!(f, "no answer within {} s", limit.as_secs_f32()),
            Cause::Malformed(what) | Cause::Failed(what) | Cause::Version(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_own_words_are_one_line() {
        assert_eq!(message(b"{\"message\":\"no such\\n  image\"}\n"), "no such image");
        assert_eq!(message(b"client version 1.11 is too old.\n"), "client version 1.11 is too old.");
        assert_eq!(message(b"\xff\x1b[31m"), "\u{fffd} [31m");
        assert_eq!(message(b""), "");
        assert_eq!(message(b"{\"message\":7}"), "{\"message\":7}");
        assert_eq!(one_line(&"ä".repeat(501)), "ä".repeat(500) + "…");
        assert_eq!(one_line(&"ä".repeat(500)), "ä".repeat(500));
    }

    #[test]
    fn errors_tell_call_status_and_words() {
        let error = |cause| Error { call: "POST /services/web/update".to_owned(), cause };
        let words = "rpc error: code = Unknown desc = update out of sequence";
        let stale = error(Cause::Status { status: 500, message: words.to_owned() });
        assert!(stale.is_out_of_sequence());
        assert_eq!(stale.status(), Some(500));
        assert_eq!(stale.to_string(), format!("POST /services/web/update: 500 {words}"));
        let late = error(Cause::Deadline(Duration::from_secs(30)));
        assert_eq!(late.to_string(), "POST /services/web/update: no answer within 30 s");
    }
}
