//! One page from another node over TCP: a manager's `/keep.json`.

use super::Error;
use super::connection::{Connection, Stream, within};
use super::error::{Cause, message};
use super::request::Request;
use core::net::SocketAddr;
use core::time::Duration;
use smol::Async;
use std::net::TcpStream;

/// Most bytes that are read of a refusal.
const MAX_MESSAGE: usize = 4 * 1024;

/// `GET http://addr/path`: its body, of at most `limit` bytes, if all of it comes within `patience`.
///
/// # Errors
/// [`Error`] as for a call to Docker; its call names the address.
pub async fn fetch(addr: SocketAddr, path: &str, limit: usize, patience: Duration) -> Result<Vec<u8>, Error> {
    let request = Request::get(path).unversioned();
    let body = within(patience, exchange(addr, &request, limit)).await;
    body.map_err(|cause| Error { call: format!("GET http://{addr}{path}"), cause })
}

async fn exchange(addr: SocketAddr, request: &Request<'_>, limit: usize) -> Result<Vec<u8>, Cause> {
    let bytes = request.bytes(&addr.to_string(), None).map_err(Cause::Malformed)?;
    let mut connection = Connection::new(Async::<TcpStream>::connect(addr).await.map_err(Cause::Io)?);
    connection.send(&bytes).await?;
    let answer = connection.head(false).await?;
    let mut stream = Stream::new(connection, answer.body, String::new(), None);
    if answer.status != 200 {
        let (text, _) = stream.up_to(MAX_MESSAGE).await?;
        return Err(Cause::Status { status: answer.status, message: message(&text) });
    }
    match stream.up_to(limit).await? {
        (body, true) => Ok(body),
        (_, false) => Err(Cause::Malformed(format!("an answer of more than {limit} bytes"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smol::future::block_on;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    /// What comes of this answer; and what was asked.
    fn fetched(answer: &'static str, limit: usize) -> (Result<Vec<u8>, Error>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let len = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..len]).replace(&addr.to_string(), "ADDR")
        });
        let body = block_on(fetch(addr, "/keep.json", limit, Duration::from_secs(20)));
        (body, server.join().unwrap())
    }

    #[test]
    fn a_page_is_fetched_over_tcp() {
        let (body, asked) = fetched("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 2);
        assert_eq!(
            (body.unwrap(), asked.as_str()),
            (b"{}".to_vec(), "GET /keep.json HTTP/1.1\r\nHost: ADDR\r\n\r\n")
        );
        let (body, _) = fetched("HTTP/1.0 200 OK\r\n\r\n{}", 2);
        assert_eq!(body.unwrap(), b"{}");
        let (body, _) = fetched("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 1);
        assert!(matches!(body.unwrap_err().cause, Cause::Malformed(_)));
        let (body, _) = fetched("HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\ngone", 9);
        assert_eq!(body.unwrap_err().status(), Some(404));
        let (body, _) = fetched("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}", 9);
        assert!(matches!(body.unwrap_err().cause, Cause::Io(_)));
    }
}
