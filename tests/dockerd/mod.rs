//! A fake dockerd on a unix socket: answers what it is told to, as slowly and as brokenly as it is told to. For what a
//! real one will not do on demand.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How an answer is said.
#[derive(Clone)]
pub struct Reply {
    pub bytes: Vec<u8>,
    /// Bytes that are written at once.
    pub piece: usize,
    /// Between two pieces.
    pub pause: Duration,
    /// Close the connection behind it.
    pub close: bool,
}

impl Reply {
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), piece: usize::MAX, pause: Duration::ZERO, close: false }
    }

    /// With a length, as dockerd sends short bodies.
    pub fn json(status: u16, body: &str) -> Self {
        let len = body.len();
        Self::bytes(format!(
            "HTTP/1.1 {status} Some Words\r\nContent-Type: application/json\r\nContent-Length: {len}\r\n\r\n{body}"
        ))
    }

    /// The same in chunks of `size` bytes, as dockerd sends long bodies.
    pub fn chunks(body: &[u8], size: usize) -> Self {
        let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in body.chunks(size) {
            bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        Self::bytes(bytes)
    }

    pub fn cut(mut self, len: usize) -> Self {
        self.bytes.truncate(len);
        self.close()
    }

    pub fn close(mut self) -> Self {
        self.close = true;
        self
    }

    pub fn paced(mut self, piece: usize, pause: Duration) -> Self {
        (self.piece, self.pause) = (piece, pause);
        self
    }
}

/// `GET /v1.41/info`, and the body.
pub struct Asked {
    pub line: String,
    pub head: String,
    pub body: String,
}

/// What is answered to a request; not called for `_ping`.
type Script = dyn FnMut(&Asked) -> Reply + Send;

pub struct Dockerd {
    pub socket: PathBuf,
    /// All request lines but those of `_ping`, in order.
    asked: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<Vec<UnixStream>>>,
    /// Minor of the API version that `_ping` tells.
    minor: Arc<AtomicU32>,
    script: Arc<Mutex<Box<Script>>>,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Dockerd {
    /// With API 1.41.
    pub fn start(name: &str, script: impl FnMut(&Asked) -> Reply + Send + 'static) -> Self {
        let socket = std::env::temp_dir().join(format!("unsinkable-{}-{name}.sock", std::process::id()));
        let mut dockerd = Self {
            socket,
            asked: Arc::default(),
            connections: Arc::default(),
            minor: Arc::new(AtomicU32::new(41)),
            script: Arc::new(Mutex::new(Box::new(script))),
            stop: Arc::default(),
            thread: None,
        };
        dockerd.boot();
        dockerd
    }

    pub fn boot(&mut self) {
        let _ = fs::remove_file(&self.socket);
        let listener = UnixListener::bind(&self.socket).expect("a socket");
        self.stop = Arc::default();
        let (asked, connections) = (self.asked.clone(), self.connections.clone());
        let (minor, script, stop) = (self.minor.clone(), self.script.clone(), self.stop.clone());
        self.thread = Some(thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let stream = stream.expect("a connection");
                connections.lock().expect("no panic").push(stream.try_clone().expect("a copy"));
                let (asked, minor, script) = (asked.clone(), minor.clone(), script.clone());
                thread::spawn(move || serve(&stream, &asked, &minor, &script));
            }
        }));
    }

    /// As a kill: the socket's file stays, nobody listens, connections are closed.
    pub fn kill(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = UnixStream::connect(&self.socket);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no panic");
        }
        self.hang_up();
    }

    /// How many connections were made since the last hang-up.
    pub fn connections(&self) -> usize {
        self.connections.lock().expect("no panic").len()
    }

    /// Closes all connections.
    pub fn hang_up(&self) {
        for stream in self.connections.lock().expect("no panic").drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }

    pub fn set_minor(&self, minor: u32) {
        self.minor.store(minor, Ordering::Relaxed);
    }

    /// Another script from now on.
    pub fn script(&self, script: impl FnMut(&Asked) -> Reply + Send + 'static) {
        *self.script.lock().expect("no panic") = Box::new(script);
    }

    /// What was asked since the last time.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().expect("no panic"))
    }

    pub fn path(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.kill();
        }
        let _ = fs::remove_file(&self.socket);
    }
}

fn serve(stream: &UnixStream, asked: &Mutex<Vec<String>>, minor: &AtomicU32, script: &Mutex<Box<Script>>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let reply = if request.line.ends_with(" /_ping") {
            let minor = minor.load(Ordering::Relaxed);
            let body = if request.line.starts_with("HEAD") { "" } else { "OK" };
            Reply::bytes(format!(
                "HTTP/1.1 200 OK\r\nApi-Version: 1.{minor}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ))
        } else {
            asked.lock().expect("no panic").push(request.line.clone());
            (script.lock().expect("no panic"))(&request)
        };
        if say(stream, &reply).is_err() || reply.close {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}

fn say(mut stream: &UnixStream, reply: &Reply) -> std::io::Result<()> {
    for piece in reply.bytes.chunks(reply.piece.min(reply.bytes.len()).max(1)) {
        stream.write_all(piece)?;
        if !reply.pause.is_zero() {
            thread::sleep(reply.pause);
        }
    }
    Ok(())
}

fn read_request(reader: &mut BufReader<&UnixStream>) -> Option<Asked> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Ok(0) => return None,
            Ok(_) if line == "\r\n" => break,
            Ok(_) => head.push_str(&line),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("{error}"),
        }
    }
    let len = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; len.map_or(0, |len| len.parse().expect("a length"))];
    reader.read_exact(&mut body).ok()?;
    let line =
        head.lines().next().expect("a request line").strip_suffix(" HTTP/1.1").expect("1.1").to_owned();
    Some(Asked { line, head, body: String::from_utf8(body).expect("text") })
}
