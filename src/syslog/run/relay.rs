//! Listens for Docker's own syslog driver (`--syslog-relay`), on UDP and TCP. A container that logs waits for its
//! driver: so what comes is always read, at once, and what finds no room later is lost, with a count.

mod ask;
mod tcp;
mod udp;

use super::send::Outbox;
use crate::docker::Client;
use crate::sys::clock;
use crate::syslog::message::{ERROR, Message};
use crate::syslog::names::{SHORT_ID, Speaker};
use crate::syslog::queue::Keep;
use crate::syslog::relay::{Known, Line, Look, container_id, parse};
use crate::tasks::spawn;
use core::cell::RefCell;
use core::net::SocketAddr;
use core::time::Duration;
use smol::channel::{Receiver, Sender, bounded};
use smol::{LocalExecutor, Timer, future};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;

/// Bytes of lines that wait for Docker to say whose they are: seconds of a noisy start. Beyond, they go nameless.
const MAX_PARKED: usize = 1024 * 1024;
/// IDs that wait to be asked for.
const MAX_QUESTIONS: usize = 64;
/// Between two tries to listen: the address may come later (a network that is not up yet).
const LISTEN_AGAIN: Duration = Duration::from_secs(5);

/// What the tasks of the relay share.
pub struct Relay<'a> {
    outbox: &'a Outbox,
    /// This node's name, for what comes without one.
    host: &'a str,
    known: RefCell<Known>,
    parked: RefCell<Parked>,
    questions: (Sender<String>, Receiver<String>),
}

/// Lines whose ID Docker has been asked for, each with the time it came, in their order.
#[derive(Default)]
struct Parked {
    lines: VecDeque<(String, u64, Vec<u8>)>,
    bytes: usize,
}

/// Listens again when that fails.
async fn keep(listen: SocketAddr, how: &str, run: impl AsyncFn() -> io::Result<Infallible>) {
    let mut said = String::new();
    loop {
        let Err(error) = run().await;
        let why = error.to_string();
        if why != said {
            log::warn!("--syslog-relay {listen}: {how}: {why}; tried again every 5 s");
            said = why;
        }
        Timer::after(LISTEN_AGAIN).await;
    }
}

impl<'a> Relay<'a> {
    /// Knows nobody yet. `host`: this node's name.
    pub fn new(outbox: &'a Outbox, host: &'a str) -> Self {
        let (known, parked) = (RefCell::default(), RefCell::default());
        Self { outbox, host, known, parked, questions: bounded(MAX_QUESTIONS) }
    }

    /// Listens until dropped.
    pub async fn run(&self, listen: SocketAddr, docker: &Client) {
        let tasks = LocalExecutor::new();
        spawn(&tasks, ask::run(self, docker, &self.questions.1));
        spawn(&tasks, keep(listen, "UDP", async || udp::run(self, listen).await));
        spawn(&tasks, keep(listen, "TCP", async || tcp::run(self, listen).await));
        tasks.run(future::pending::<()>()).await;
    }

    /// Docker has told of this container (its whole ID): it may be gone when it is asked for.
    pub fn learn(&self, id: &str, speaker: &Speaker) {
        if let Some(id) = id.get(..SHORT_ID) {
            self.answered(id, Some(speaker));
        }
    }

    /// A line that has come.
    fn take(&self, line: &[u8]) {
        let now = clock::unix_micros();
        let read = parse(line, now);
        let Some(id) = container_id(read.tag) else { return self.pass(&read) };
        let look = self.known.borrow_mut().look(id, clock::now());
        match look {
            Look::Found(speaker) => self.named(&read, &speaker),
            Look::Nobody => self.pass(&read),
            Look::Ask if self.questions.0.try_send(id.to_owned()).is_err() => {
                self.known.borrow_mut().give_up(id, clock::now());
                self.pass(&read);
            }
            Look::Ask | Look::Asked => self.park(id, now, line),
        }
    }

    fn park(&self, id: &str, now: u64, line: &[u8]) {
        let mut parked = self.parked.borrow_mut();
        if parked.bytes + line.len() > MAX_PARKED {
            drop(parked);
            return self.pass(&parse(line, now));
        }
        parked.bytes += line.len();
        parked.lines.push_back((id.to_owned(), now, line.to_vec()));
    }

    /// Docker has answered, or will not: what waits for it goes on.
    fn answered(&self, id: &str, speaker: Option<&Speaker>) {
        let now = clock::now();
        match speaker {
            Some(speaker) => self.known.borrow_mut().learn(id, speaker.clone(), now),
            None => self.known.borrow_mut().give_up(id, now),
        }
        let mut parked = self.parked.borrow_mut();
        let (ours, others) = core::mem::take(&mut parked.lines).into_iter().partition(|(of, ..)| of == id);
        parked.lines = others;
        let ours: VecDeque<_> = ours;
        parked.bytes -= ours.iter().map(|(_, _, line)| line.len()).sum::<usize>();
        drop(parked);
        for (_, came, line) in ours {
            let read = parse(&line, came);
            match speaker {
                Some(speaker) => self.named(&read, speaker),
                None => self.pass(&read),
            }
        }
    }

    /// Sends it on in the container's name.
    fn named(&self, line: &Line<'_>, speaker: &Speaker) {
        let stream = if line.severity <= ERROR { "stderr" } else { "stdout" };
        self.send(line, speaker, stream);
    }

    /// Sends on what is nobody's that Docker knows, as it is.
    fn pass(&self, line: &Line<'_>) {
        let speaker =
            Speaker { app: line.tag.to_owned(), proc_id: line.proc_id.to_owned(), data: Vec::new() };
        self.send(line, &speaker, line.msg_id);
    }

    fn send(&self, line: &Line<'_>, speaker: &Speaker, msg_id: &str) {
        let message = Message {
            at: line.at,
            facility: line.facility,
            severity: line.severity,
            host: line.host.unwrap_or(self.host),
            speaker,
            msg_id,
            text: line.text,
        };
        self.outbox.push(&message, Keep::Loose);
    }
}
