//! Asks the VIP process for its status, over its socket, without waiting longer than a page may take.

use crate::report::frame::{self, HEAD, MAX_FRAME, MAX_REQUEST, Reply, Request};
use crate::report::socket_path;
use crate::report::status::Status;
use core::time::Duration;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::{Async, Timer, future};
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// It answers in a millisecond; a Pi that swaps takes longer, one that is stopped for ever.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The status now.
///
/// # Errors
/// In words for the person who reads the page.
pub async fn ask(run_dir: &Path) -> Result<Box<Status>, String> {
    let late = async {
        Timer::after(PATIENCE).await;
        Err(ErrorKind::TimedOut.into())
    };
    let asked = future::or(exchange(&socket_path(run_dir)), late).await;
    let trouble = |why: &str| format!("the process that holds the VIP does not answer: {why}");
    match asked {
        Ok(body) => match frame::parse(&body) {
            Ok(Reply::Status(status)) => Ok(status),
            Ok(Reply::Done(text) | Reply::Refused(text)) => Err(trouble(&text)),
            Err(error) => Err(trouble(&error.to_string())),
        },
        Err(error) => Err(trouble(&error.to_string())),
    }
}

async fn exchange(path: &Path) -> io::Result<Vec<u8>> {
    let mut daemon = Async::<UnixStream>::connect(path).await?;
    let request = frame::emit(&Request::Status, MAX_REQUEST).map_err(io::Error::other)?;
    daemon.write_all(&request).await?;
    let mut head = [0; HEAD];
    daemon.read_exact(&mut head).await?;
    let mut body = vec![0; frame::body_len(head, MAX_FRAME).map_err(io::Error::other)?];
    daemon.read_exact(&mut body).await?;
    Ok(body)
}
