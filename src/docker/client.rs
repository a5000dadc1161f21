//! The connection to dockerd: kept between calls, made anew when dockerd restarts.

use super::Error;
use std::path::{Path, PathBuf};

/// Talks to one dockerd.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// For the dockerd behind `socket`; connects at the first call.
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }
}

/// A reply that goes on: events, logs.
#[derive(Debug)]
pub struct Stream {}

impl Stream {
    /// The next bytes of the body; nothing at its end.
    ///
    /// # Errors
    /// When the connection breaks or what comes is not HTTP.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, Error> {
        todo!()
    }

    /// The next line without its end, for streams of JSON lines.
    ///
    /// # Errors
    /// As [`next`](Self::next), and for a line over the limit.
    pub async fn line(&mut self) -> Result<Option<&[u8]>, Error> {
        todo!()
    }
}
