//! Asks managers for their keep-set: `GET /keep.json` at each address, one after the other.

use crate::docker::body::Reader;
use crate::docker::http::{Head, MAX_HEAD};
use crate::prune::keepset::{MAX_DOCUMENT, Wanted};
use core::net::SocketAddr;
use core::time::Duration;
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::net::TcpStream;
use smol::{Timer, future};
use std::io;

/// For one manager, all in all: it is on the same switch, and a dead one must not hold up the round.
const PATIENCE: Duration = Duration::from_secs(3);
/// Most managers that are asked: Docker advises no more than seven.
const MAX_MANAGERS: usize = 16;

/// What all that answer want, together: one that is behind only adds.
///
/// # Errors
/// When none answers; why the last one did not.
pub async fn managers(managers: &[SocketAddr]) -> Result<Wanted, String> {
    let mut told = Err("no manager to ask".to_owned());
    for manager in managers.iter().take(MAX_MANAGERS) {
        match (ask_one(*manager).await, told) {
            (Ok(one), Ok(others)) => told = Ok(one.and(others)),
            (Ok(one), Err(_)) => told = Ok(one),
            (Err(_), Ok(others)) => told = Ok(others),
            (Err(why), Err(_)) => told = Err(format!("http://{manager}/keep.json: {why}")),
        }
    }
    told
}

async fn ask_one(manager: SocketAddr) -> Result<Wanted, String> {
    let late = async {
        Timer::after(PATIENCE).await;
        Err(io::ErrorKind::TimedOut.into())
    };
    let answer = future::or(fetch(manager), late).await.map_err(|error| error.to_string())?;
    Wanted::parse(&body(&answer)?)
}

/// Head and body, until the manager closes.
async fn fetch(manager: SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(manager).await?;
    let request = format!("GET /keep.json HTTP/1.1\r\nHost: {manager}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    // Chunks and their sizes take more than the document alone: what is cut off here is refused there.
    stream.take(2 * MAX_DOCUMENT as u64).read_to_end(&mut answer).await?;
    Ok(answer)
}

/// The body of an answer 200.
fn body(answer: &[u8]) -> Result<Vec<u8>, String> {
    let head =
        Head::parse(&answer[..answer.len().min(MAX_HEAD)], false).map_err(|error| error.to_string())?;
    let (head, len) = head.ok_or("the answer broke off")?;
    if head.status != 200 {
        return Err(format!("status {}", head.status));
    }
    let (mut reader, mut rest, mut body) = (Reader::new(head.body), &answer[len..], Vec::new());
    while !rest.is_empty() && !reader.is_done() {
        let piece = reader.read(rest).map_err(|error| error.to_string())?;
        body.extend_from_slice(&rest[piece.data]);
        rest = &rest[piece.consumed..];
    }
    if !reader.is_done() {
        reader.close().map_err(|error| error.to_string())?;
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    /// A manager that answers once.
    fn manager(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 512];
            let len = stream.read(&mut request).unwrap();
            assert!(request[..len].starts_with(b"GET /keep.json HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        address
    }

    fn told(answers: &[&'static str]) -> Result<Wanted, String> {
        let managers: Vec<SocketAddr> = answers.iter().map(|answer| manager(answer)).collect();
        smol::block_on(super::managers(&managers))
    }

    const ONE: &str =
        "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{\"format\":1,\"images\":[\"a\"],\"volumes\":[]}";
    const TWO: &str =
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"format\":1,\"images\":[\"b\"],\"volumes\":[\"v\"]}";

    #[test]
    fn managers_that_answer_are_heard_together() {
        let told = told(&[ONE, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", TWO]).unwrap();
        assert_eq!((told.images, told.volumes), (vec!["a".into(), "b".into()], vec!["v".into()]));
    }

    #[test]
    fn an_answer_cut_off_is_none() {
        for cut in [0, 5, 40, ONE.len() - 1] {
            assert!(told(&[&ONE[..cut]]).is_err(), "{cut}");
        }
        assert!(told(&[]).is_err());
    }
}
