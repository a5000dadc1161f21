//! JSON that was handed on as text. Read as the bytes it came in: `serde_json` has a second copy of all its code, and of
//! what reads each type, for texts.

use serde::Deserialize;

/// What is in `text`.
///
/// # Errors
/// In serde's words.
pub fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> serde_json::Result<T> {
    serde_json::from_slice(text.as_bytes())
}
