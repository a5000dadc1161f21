//! A node made up: serves the page as the daemon does, and a `/cluster.json` that the test changes.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

const PAGE: &str = include_str!("../../src/listen/page.html");
/// The strictest under which a page with inline style and script works, but for hashes.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Clone)]
pub struct Server {
    pub addr: SocketAddr,
    document: Arc<Mutex<(Value, Instant)>>,
    started: Instant,
    dead: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(document: Value) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback");
        let server = Self {
            addr: listener.local_addr().expect("bound"),
            document: Arc::new(Mutex::new((document, Instant::now()))),
            started: Instant::now(),
            dead: Arc::default(),
            asked: Arc::default(),
        };
        let served = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = served.clone();
                thread::spawn(move || server.answer(stream));
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// What `/cluster.json` says from now on. Ages grow by themselves.
    pub fn say(&self, document: Value) {
        *self.document.lock().expect("no panic held it") = (document, Instant::now());
    }

    /// Closes each connection unanswered, or answers again.
    pub fn die(&self, dead: bool) {
        self.dead.store(dead, Ordering::SeqCst);
    }

    /// How often `/cluster.json` was asked for.
    pub fn polls(&self) -> usize {
        self.asked().iter().filter(|path| *path == "/cluster.json").count()
    }

    /// Every path asked for so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic held it").clone()
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
        let mut first = String::new();
        let _ = reader.read_line(&mut first);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            line.clear();
        }
        if self.dead.load(Ordering::SeqCst) || first.is_empty() {
            return;
        }
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let (status, kind, body) = match path.as_str() {
            "/" => ("200 OK", "text/html; charset=utf-8", PAGE.to_owned()),
            "/cluster.json" => ("200 OK", "application/json", self.now()),
            _ => ("404 Not Found", "text/plain", String::new()),
        };
        self.asked.lock().expect("no panic held it").push(path);
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nContent-Security-Policy: {POLICY}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    }

    /// The document with what has passed since it was set added to the ages.
    fn now(&self) -> String {
        let (mut document, set) = self.document.lock().expect("no panic held it").clone();
        let ms = |since: Instant| u64::try_from(since.elapsed().as_millis()).expect("a test is short");
        let passed = ms(set);
        for node in document["nodes"].as_array_mut().expect("nodes") {
            if node["error"].is_null() {
                age(&mut node["status"], passed);
            } else if let Some(age) = node["age_ms"].as_u64() {
                node["age_ms"] = (age + passed).into();
            }
            // What happened once happened then, whatever is said since.
            let counted = if node["error"].is_null() { 0 } else { node["age_ms"].as_u64().unwrap_or(0) };
            let events = node.pointer_mut("/status/events").and_then(Value::as_array_mut);
            for event in events.into_iter().flatten() {
                let passed = i64::try_from(ms(self.started)).expect("a test is short");
                let Some(ago) = event["ago_ms"].as_i64() else { continue };
                event["ago_ms"] = (ago + passed).saturating_sub_unsigned(counted).into();
            }
        }
        document.to_string()
    }
}

/// Adds to whatever is told as an age, takes from what is told as a time to come. Peers keep being heard.
fn age(value: &mut Value, passed: u64) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                let Some(ms) = field.as_u64().filter(|_| key != "heard_ago_ms") else {
                    if key != "events" {
                        age(field, passed);
                    }
                    continue;
                };
                if key.ends_with("ago_ms") || key.ends_with("for_ms") || key == "uptime_ms" {
                    *field = (ms + passed).into();
                } else if key == "next_in_ms" || key == "goes_in_ms" {
                    *field = ms.saturating_sub(passed).into();
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| age(item, passed)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
