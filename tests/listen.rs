//! The server of `--listen` over loopback, and the clients one does not wish for.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use smol::Async;
use smol::channel::Sender;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use unsinkable::listen::clients::MAX_OF_ONE;
use unsinkable::listen::run::{HEAD_DEADLINE, run};
use unsinkable::listen::{Request, Response, refusal};

/// Longer than any deadline of the server, on a machine busy with builds.
const PATIENCE: Duration = Duration::from_secs(30);
const GET: &[u8] = b"GET /keep.json HTTP/1.1\r\nHost: pi\r\n\r\n";
/// More than what the sockets of both sides hold.
const LARGE: usize = 16 << 20;

struct Server {
    addr: SocketAddr,
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start() -> Self {
        let (ready, is_ready) = mpsc::channel();
        let (stop, stopped) = smol::channel::bounded(1);
        let thread = thread::spawn(move || {
            let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0)).unwrap();
            ready.send(listener.get_ref().local_addr().unwrap()).unwrap();
            let large: Rc<str> = "x".repeat(LARGE).into();
            let answer = async |request: &Request| match request.path.as_str() {
                "/large" => Response::json(large.clone()),
                _ => {
                    refusal(request, &["/keep.json"], &[]).unwrap_or_else(|| Response::json("{\"format\":1}"))
                }
            };
            smol::block_on(smol::future::or(run(listener, answer), async {
                let _ = stopped.recv().await;
            }));
        });
        Self { addr: is_ready.recv().unwrap(), stop, thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(self.addr).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.set_write_timeout(Some(PATIENCE)).unwrap();
        client
    }

    /// Sends `bytes`; returns what comes back until the server closes.
    fn ask(&self, bytes: &[u8]) -> String {
        let mut client = self.connect();
        // The server may have answered and closed already.
        let _ = client.write_all(bytes);
        answer(&mut client)
    }

    fn assert_answers(&self) {
        let answer = self.ask(GET);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n{\"format\":1}"), "{answer}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send_blocking(());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn answer(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[test]
fn documents_are_served_and_nothing_else() {
    let server = Server::start();
    server.assert_answers();
    let starts = |request: &str, status: &str| {
        let answer = server.ask(request.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request:?}: {answer}");
        answer
    };
    starts("GET /../etc/passwd HTTP/1.1\r\nHost: pi\r\n\r\n", "404 Not Found");
    starts("DELETE /keep.json HTTP/1.1\r\nHost: pi\r\n\r\n", "405 Method Not Allowed");
    starts("GET /keep.json\r\n\r\n", "400 Bad Request");
    starts("GET /keep.json HTTP/3\r\nHost: pi\r\n\r\n", "505 HTTP Version Not Supported");
    starts(&"x".repeat(20_000), "431 Request Header Fields Too Large");
    let head = starts("HEAD /keep.json HTTP/1.1\r\nHost: pi\r\n\r\n", "200 OK");
    assert!(head.contains("\r\nContent-Length: 12\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    // A body that nobody asked for must not reset the connection before the answer is read.
    let post = [&b"POST /keep.json HTTP/1.1\r\nHost: pi\r\n\r\n"[..], &b"x".repeat(40_000)].concat();
    assert!(server.ask(&post).starts_with("HTTP/1.1 405 "));
}

#[test]
fn what_two_could_read_in_two_ways_is_answered_once() {
    let server = Server::start();
    let statuses = |request: &str| -> Vec<String> {
        let answer = server.ask(request.as_bytes());
        answer.match_indices("HTTP/1.1 ").map(|(at, _)| answer[at + 9..at + 12].to_owned()).collect()
    };
    let get = "GET /keep.json HTTP/1.1\r\nHost: pi\r\n\r\n";
    // A second request behind the first is not looked at: whoever sent both cannot have the answers mixed up.
    assert_eq!(statuses(&format!("{get}{get}{get}")), ["200"]);
    assert_eq!(statuses(&format!("{get}\0\0garbage \u{7f}\r\n\r\n{get}")), ["200"]);
    let with = |fields: &str| format!("GET /keep.json HTTP/1.1\r\nHost: pi\r\n{fields}\r\n\r\n{get}");
    assert_eq!(statuses(&with("Content-Length: 40")), ["200"]);
    assert_eq!(statuses(&with("Transfer-Encoding: chunked")), ["200"]);
    assert_eq!(statuses(&with("Content-Length: 4\r\nTransfer-Encoding: chunked")), ["400"]);
    assert_eq!(statuses(&with("Content-Length: 4\r\nContent-Length: 40")), ["400"]);
    assert_eq!(statuses(&with("Transfer-Encoding\t: chunked")), ["400"]);
    assert_eq!(statuses(&with("X: a\n\nGET /keep.json HTTP/1.1")), ["400"]);
    assert_eq!(statuses(&with(" Host: folded")), ["400"]);
    assert_eq!(statuses(&get.replace("\r\n", "\n")), ["408"], "bare line feeds end nothing");
}

#[test]
fn a_head_without_end_is_refused_long_before_its_end() {
    let server = Server::start();
    let mut client = server.connect();
    let piece = vec![b'x'; 1 << 20];
    let (mut sent, started) = (0, Instant::now());
    // A gigabyte, if anybody takes it.
    while sent < 1 << 30 {
        match client.write(&piece) {
            Ok(len) => sent += len,
            Err(_) => break,
        }
    }
    // What the kernels hold, and what is read for politeness' sake.
    assert!(sent < 64 << 20, "{sent} bytes were taken");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    server.assert_answers();
}

#[test]
fn a_half_closed_client_has_its_answer() {
    let server = Server::start();
    let mut client = server.connect();
    client.write_all(GET).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert!(answer(&mut client).starts_with("HTTP/1.1 200 OK\r\n"));
    let mut half = server.connect();
    half.write_all(&GET[..20]).unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    assert_eq!(answer(&mut half), "");
    // One that goes without a word, with its answer on the way.
    for _ in 0..50 {
        let mut rude = server.connect();
        rude.write_all(GET).unwrap();
        nix::sys::socket::setsockopt(&rude, nix::sys::socket::sockopt::Linger, &RESET).unwrap();
    }
    server.assert_answers();
}

/// Close with a reset.
const RESET: nix::libc::linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };

#[test]
fn a_large_document_comes_whole() {
    let server = Server::start();
    let answer = server.ask(b"GET /large HTTP/1.1\r\nHost: pi\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Content-Length: 16777216"), "{head}");
    assert!(body.len() == LARGE && body.bytes().all(|byte| byte == b'x'));
}

#[test]
fn a_head_may_come_byte_by_byte() {
    let server = Server::start();
    let mut client = server.connect();
    client.set_nodelay(true).unwrap();
    for byte in GET {
        client.write_all(&[*byte]).unwrap();
    }
    assert!(answer(&mut client).starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn the_silent_and_the_slow_are_let_go() {
    let server = Server::start();
    let started = Instant::now();
    let mut silent = server.connect();
    let mut half = server.connect();
    half.write_all(b"GET /keep.json HTT").unwrap();
    let mut gone = server.connect();
    gone.shutdown(Shutdown::Write).unwrap();
    assert_eq!(answer(&mut gone), "", "nothing was asked");
    server.assert_answers();
    assert!(started.elapsed() < HEAD_DEADLINE, "the others do not wait: {:?}", started.elapsed());
    for client in [&mut silent, &mut half] {
        assert!(answer(client).starts_with("HTTP/1.1 408 Request Timeout\r\n"));
    }
    assert!(started.elapsed() >= HEAD_DEADLINE, "{:?}", started.elapsed());
}

#[test]
fn one_who_does_not_take_its_document_is_let_go() {
    let server = Server::start();
    let mut lazy = server.connect();
    lazy.write_all(b"GET /large HTTP/1.1\r\nHost: pi\r\n\r\n").unwrap();
    server.assert_answers();
    // Past the deadline for taking it, the rest is gone: less comes than was promised.
    thread::sleep(Duration::from_secs(12));
    assert!(answer(&mut lazy).len() < LARGE);
    server.assert_answers();
}

#[test]
fn nobody_waits_for_the_silent() {
    let server = Server::start();
    let from = |last: u8| {
        let socket = socket2(Ipv4Addr::new(127, 0, 1, last), server.addr);
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    };
    // Of one address and of many: each says a word and no more.
    let mut slow: Vec<TcpStream> = (0..100).map(|_| from(1)).chain((2..100).map(from)).collect();
    for client in &mut slow {
        let _ = client.write_all(b"GET / HTTP/1.1\r\n");
    }
    let started = Instant::now();
    server.assert_answers();
    let took = started.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    // One machine has no more than its share.
    let held = slow[..100].iter().filter(|client| is_open(client)).count();
    assert!(held <= MAX_OF_ONE, "{held}");
}

/// A client that has its answer may leave its connection open, as one does that would keep it: whoever comes next has
/// not asked yet, and must not be the one that goes.
#[test]
fn who_has_the_answer_makes_room_for_who_has_not_asked() {
    let server = Server::start();
    let ask = |client: &mut TcpStream| {
        client.write_all(b"GET /keep.json HTTP/1.1\r\nHost: pi\r\nConnection: keep-alive\r\n\r\n").unwrap();
        let answer = answer(client);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "this was the last: {answer}");
    };
    for _ in 0..20 {
        let mut kept: Vec<TcpStream> = (0..MAX_OF_ONE).map(|_| server.connect()).collect();
        kept.iter_mut().for_each(ask);
        let mut next: Vec<TcpStream> = (0..8).map(|_| server.connect()).collect();
        next.iter_mut().for_each(ask);
    }
}

/// A connection from this address.
fn socket2(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};
    use std::os::fd::AsRawFd;
    let SocketAddr::V4(to) = to else { panic!("an IPv4 server") };
    let fd = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
    bind(fd.as_raw_fd(), &SockaddrIn::from(std::net::SocketAddrV4::new(from, 0))).unwrap();
    connect(fd.as_raw_fd(), &SockaddrIn::from(to)).unwrap();
    TcpStream::from(fd)
}

/// The server has neither answered nor closed.
fn is_open(client: &TcpStream) -> bool {
    client.set_nonblocking(true).unwrap();
    let open = matches!(client.peek(&mut [0]), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
    client.set_nonblocking(false).unwrap();
    open
}

#[test]
fn a_hundred_at_once_are_all_answered() {
    let server = Server::start();
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| server.assert_answers());
        }
    });
}
