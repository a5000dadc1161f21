//! One connection to an HTTP server, and the body of an answer that comes over it.

use super::Error;
use super::body::Reader;
use super::error::Cause;
use super::http::{Body, Head, MAX_HEAD};
use core::fmt;
use core::ops::Range;
use core::time::Duration;
use smol::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use smol::{Timer, future};
use std::io;

/// Bytes that are read at once: room for the longest head, and as much as a unix socket hands over at a time.
const BUFFER: usize = 2 * MAX_HEAD;
/// Longest line of a stream. An event carries its container's labels: some KiB.
const MAX_LINE: usize = 256 * 1024;
/// Most bytes that are reserved on the word of a `Content-Length`.
const MAX_RESERVED: usize = 1024 * 1024;

/// A connected socket of any kind.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Socket for T {}

/// `work`, or [`Cause::Deadline`] when it takes longer than `limit`.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Cause>>,
) -> Result<T, Cause> {
    future::or(work, async {
        Timer::after(limit).await;
        Err(Cause::Deadline(limit))
    })
    .await
}

/// What of a head is of use behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub body: Body,
    pub keep_alive: bool,
    /// The minor of `Api-Version: 1.<minor>`.
    pub minor: Option<u32>,
}

/// A connection that carries one request after the other.
pub(super) struct Connection {
    socket: Box<dyn Socket>,
    buffer: Box<[u8]>,
    /// What was received and is not yet dealt with.
    unread: Range<usize>,
}

impl Connection {
    /// Over a socket that is connected.
    pub fn new(socket: impl Socket + 'static) -> Self {
        Self { socket: Box::new(socket), buffer: vec![0; BUFFER].into_boxed_slice(), unread: 0..0 }
    }

    /// Nothing has come since the last answer, not even the end.
    pub async fn is_idle(&mut self) -> bool {
        let mut byte = [0];
        self.unread.is_empty() && future::poll_once(self.socket.read(&mut byte)).await.is_none()
    }

    /// Says a whole request.
    pub async fn send(&mut self, request: &[u8]) -> Result<(), Cause> {
        self.socket.write_all(request).await.map_err(Cause::Io)
    }

    /// The head of the answer. `to_head`: to a HEAD, after which no body comes.
    pub async fn head(&mut self, to_head: bool) -> Result<Answer, Cause> {
        loop {
            let unread = &self.buffer[self.unread.clone()];
            if !unread.is_empty() {
                let parsed =
                    Head::parse(unread, to_head).map_err(|error| Cause::Malformed(error.to_string()))?;
                if let Some((head, len)) = parsed {
                    let minor = head.field("api-version").and_then(minor);
                    self.unread.start += len;
                    return Ok(Answer {
                        status: head.status,
                        body: head.body,
                        keep_alive: head.keep_alive,
                        minor,
                    });
                }
            }
            if self.fill().await? == 0 {
                return Err(Cause::Io(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "it closed the connection",
                )));
            }
        }
    }

    /// Receives more; no bytes at the end.
    async fn fill(&mut self) -> Result<usize, Cause> {
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        let len = self.socket.read(&mut self.buffer[self.unread.end..]).await.map_err(Cause::Io)?;
        self.unread.end += len;
        Ok(len)
    }
}

/// `1.41` → 41.
fn minor(version: &[u8]) -> Option<u32> {
    str::from_utf8(version).ok()?.strip_prefix("1.")?.parse().ok()
}

/// A reply that goes on: events, logs. May be dropped at any time, and so may what its methods return: nothing is lost.
pub struct Stream {
    connection: Connection,
    reader: Reader,
    /// What the head says of it; 0 where it does not.
    length: usize,
    /// For errors.
    call: String,
    /// How long it may be silent; `None` for ever.
    pause: Option<Duration>,
    /// Of the body, received and not yet given out.
    pending: Range<usize>,
    line: Vec<u8>,
    /// `line` has been given out.
    given: bool,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("call", &self.call).finish_non_exhaustive()
    }
}

impl Stream {
    /// The body that follows a head on `connection`. `pause`: the longest silence that is borne.
    pub(super) fn new(connection: Connection, body: Body, call: String, pause: Option<Duration>) -> Self {
        let (pending, line) = (0..0, Vec::new());
        let length = match body {
            Body::Length(length) => usize::try_from(length).unwrap_or(usize::MAX),
            Body::None | Body::Chunked | Body::UntilClose => 0,
        };
        Self { connection, reader: Reader::new(body), length, call, pause, pending, line, given: false }
    }

    /// The next bytes of the body; nothing at its end.
    ///
    /// # Errors
    /// When the connection breaks or what comes is not HTTP.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, Error> {
        let piece = self.piece().await.map_err(|cause| self.error(cause))?;
        Ok(piece.map(|piece| &self.connection.buffer[piece]))
    }

    /// The next line without its end, for streams of JSON lines. Empty lines are passed over.
    ///
    /// # Errors
    /// As [`next`](Self::next), and for a line over the limit.
    pub async fn line(&mut self) -> Result<Option<&[u8]>, Error> {
        if core::mem::take(&mut self.given) {
            self.line.clear();
        }
        let found = self.read_line().await.map_err(|cause| self.error(cause))?;
        self.given = true;
        Ok(found.then_some(&self.line))
    }

    /// Fills `line`; false at the end.
    async fn read_line(&mut self) -> Result<bool, Cause> {
        while let Some(piece) = self.piece().await? {
            let data = &self.connection.buffer[piece.clone()];
            let end = data.iter().position(|&byte| byte == b'\n');
            self.line.extend_from_slice(&data[..end.unwrap_or(data.len())]);
            if self.line.len() > MAX_LINE {
                return Err(Cause::Malformed("a line of more than 256 KiB".to_owned()));
            }
            if let Some(end) = end {
                self.pending = piece.start + end + 1..piece.end;
                if self.line.ends_with(b"\r") {
                    self.line.pop();
                }
                if !self.line.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(!self.line.is_empty())
    }

    /// Where the next bytes of the body are in the connection's buffer.
    async fn piece(&mut self) -> Result<Option<Range<usize>>, Cause> {
        loop {
            if !self.pending.is_empty() {
                return Ok(Some(core::mem::take(&mut self.pending)));
            }
            if self.reader.is_done() {
                return Ok(None);
            }
            let unread = &mut self.connection.unread;
            let input = &self.connection.buffer[unread.clone()];
            let piece = self.reader.read(input).map_err(|error| Cause::Malformed(error.to_string()))?;
            self.pending = unread.start + piece.data.start..unread.start + piece.data.end;
            unread.start += piece.consumed;
            if piece.consumed == 0 && !self.reader.is_done() {
                self.receive().await?;
            }
        }
    }

    async fn receive(&mut self) -> Result<(), Cause> {
        let len = match self.pause {
            Some(pause) => within(pause, self.connection.fill()).await?,
            None => self.connection.fill().await?,
        };
        if len > 0 {
            return Ok(());
        }
        let broken = |error: super::http::HttpError| io::Error::new(io::ErrorKind::UnexpectedEof, error.0);
        self.reader.close().map_err(broken).map_err(Cause::Io)
    }

    /// The body, and whether that is all of it or `limit` was reached.
    pub(super) async fn up_to(&mut self, limit: usize) -> Result<(Vec<u8>, bool), Cause> {
        let mut whole = Vec::new();
        whole.reserve_exact(self.length.min(MAX_RESERVED));
        while let Some(piece) = self.piece().await? {
            if piece.len() > limit - whole.len() {
                return Ok((whole, false));
            }
            whole.extend_from_slice(&self.connection.buffer[piece]);
        }
        Ok((whole, true))
    }

    /// The connection, once the body is complete.
    pub(super) fn into_connection(self) -> Option<Connection> {
        self.reader.is_done().then_some(self.connection)
    }

    fn error(&self, cause: Cause) -> Error {
        Error { call: self.call.clone(), cause }
    }
}
