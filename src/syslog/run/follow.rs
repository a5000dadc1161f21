//! Follows the log of each container: from where it is delivered, over restarts of the container and of dockerd. A
//! container is never slowed: while the queue is full, its lines wait in Docker's files.

use super::send::Outbox;
use crate::docker::client::Stream;
use crate::docker::error::Cause;
use crate::docker::log_frames::{Frames, Piece, Source as Printed};
use crate::docker::{Client, Error, json};
use crate::sorted::{Map, Set};
use crate::sys::clock;
use crate::syslog::cursor::{self, Reader};
use crate::syslog::ledger::{Ledger, Source};
use crate::syslog::lines::{Line, Lines, NoMoment, nanos};
use crate::syslog::message::{DAEMON, ERROR, INFORMATIONAL, Message};
use crate::syslog::names::Speaker;
use crate::syslog::queue::Keep;
use crate::syslog::relay;
use core::cell::{Cell, RefCell};
use core::net::SocketAddr;
use core::time::Duration;
use serde::{Deserialize, Deserializer};
use smol::{Timer, future};

/// Containers followed at once: four times what a Pi runs, each costs a connection and 20 KiB.
const MAX_FOLLOWED: usize = 128;
/// Containers of which it was said that they cannot be read: as many as there may be of others.
const MAX_SAID: usize = 256;
/// Before a log that broke off is asked for again; doubled up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// Between two looks whether there is room for those who found none.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Whoever has this label with the value `false` is left alone.
const LABEL: &str = "unsinkable.logs";

/// What is to be done.
#[derive(Debug)]
pub enum Ask {
    /// Follow this container.
    Follow(String),
    /// Read what these, which have ended, still have to say.
    ReadRest(Vec<String>),
}

/// Follows. Shared by all tasks.
#[derive(Debug)]
pub struct Follower<'a> {
    pub docker: &'a Client,
    pub outbox: &'a Outbox,
    pub ledger: &'a RefCell<Ledger>,
    /// Name of this node.
    pub host: &'a str,
    /// The container that this program runs in: what it says of shipping must not be shipped in turn.
    own: Option<&'a str>,
    /// Where the relay listens.
    relay: Option<SocketAddr>,
    /// Those that are followed now, and whether they were started again meanwhile.
    followed: RefCell<Map<String, bool>>,
    said: RefCell<Set<String>>,
    crowded: Cell<bool>,
    stopped: Cell<bool>,
}

/// What is looked at of `GET /containers/{id}/json`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Inspected {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) config: Config,
    host_config: HostConfig,
    state: State,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Config {
    pub(super) image: String,
    tty: bool,
    #[serde(deserialize_with = "or_default")]
    pub(super) labels: Map<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HostConfig {
    log_config: LogConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LogConfig {
    #[serde(rename = "Type")]
    driver: String,
    #[serde(rename = "Config", deserialize_with = "or_default")]
    options: Map<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct State {
    running: bool,
    finished_at: String,
}

/// What comes after a look at a container's log.
enum Next {
    /// The next look, at once: the log ended as it does with its container.
    Look,
    /// The next look, after a pause.
    Later(Error),
    /// Nothing.
    Over,
    /// Nothing: its lines come by the relay.
    Relayed,
}

/// Who is read, and how far.
struct Voice {
    source: Source,
    speaker: Speaker,
    reader: Reader,
}

impl<'a> Follower<'a> {
    /// Follows nobody yet.
    pub fn new(
        docker: &'a Client,
        outbox: &'a Outbox,
        ledger: &'a RefCell<Ledger>,
        host: &'a str,
        own: Option<&'a str>,
        relay: Option<SocketAddr>,
    ) -> Self {
        let (followed, said) = (RefCell::default(), RefCell::default());
        let (crowded, stopped) = (Cell::default(), Cell::default());
        Self { docker, outbox, ledger, host, own, relay, followed, said, crowded, stopped }
    }

    /// Nothing more is read.
    pub fn stop(&self) {
        self.stopped.set(true);
    }

    /// Is this container to be followed, by its labels (or an event's attributes, which are those and more)?
    pub fn wants(&self, id: &str, labels: &Map<String, String>) -> bool {
        labels.get(LABEL).is_none_or(|value| value != "false") && self.own != Some(id)
    }

    /// Resolves when there were too many containers, and now are fewer.
    pub async fn room(&self) {
        while !(self.crowded.get() && self.followed.borrow().len() < MAX_FOLLOWED) {
            Timer::after(LOOK_EVERY).await;
        }
        self.crowded.set(false);
    }

    /// It has run, and ended after `moment` (unix nanoseconds).
    pub async fn ended_after(&self, id: &str, moment: u64) -> bool {
        let inspected = self.inspect(id).await;
        let ended = inspected.ok().and_then(|found| nanos(found.state.finished_at.as_bytes()));
        ended.is_some_and(|ended| ended >= moment)
    }

    /// Follows until the container has ended, or is gone.
    pub async fn follow(&self, id: String) {
        if let Some(again) = self.followed.borrow_mut().get_mut(&id) {
            *again = true;
            return;
        }
        if self.followed.borrow().len() >= MAX_FOLLOWED {
            if !self.crowded.replace(true) {
                log::warn!(
                    "syslog: more than {MAX_FOLLOWED} containers run: the logs of the others are not shipped"
                );
            }
            return;
        }
        self.followed.borrow_mut().insert(id.clone(), false);
        self.follow_on(&id).await;
        self.followed.borrow_mut().remove(&id);
    }

    /// Reads what each of these still has to say, one after the other.
    pub async fn read_rest(&self, ids: Vec<String>) {
        for id in ids {
            self.follow(id).await;
        }
    }

    async fn follow_on(&self, id: &str) {
        let (mut pause, mut idle) = (FIRST_PAUSE, false);
        loop {
            let before = self.ledger.borrow_mut().follow(id).1;
            let next = self.look(id).await;
            let is_new = self.ledger.borrow_mut().follow(id).1 != before;
            if is_new {
                pause = FIRST_PAUSE;
            }
            match next {
                // At once, but not again and again for nothing: it may be removed with its end.
                Next::Look if is_new || !idle => {
                    idle = !is_new;
                    continue;
                }
                Next::Look => {}
                over @ (Next::Over | Next::Relayed) => {
                    if matches!(over, Next::Relayed) {
                        // Without the relay, it begins anew.
                        self.ledger.borrow_mut().forget(id);
                    }
                    let started_again = self.followed.borrow_mut().get_mut(id).is_some_and(core::mem::take);
                    if !started_again {
                        return;
                    }
                }
                Next::Later(error) => log::debug!("syslog: {error}"),
            }
            Timer::after(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// Reads as long as the log goes on. Docker ends it with the container, and may leave out what was printed last: only
    /// a log that is read when the container has ended is read whole.
    async fn look(&self, id: &str) -> Next {
        let inspected = match self.inspect(id).await {
            Ok(inspected) => inspected,
            Err(error) if error.status() == Some(404) => return Next::Over,
            Err(error) => return Next::Later(error),
        };
        if self.is_relayed(&inspected) {
            return Next::Relayed;
        }
        let now = clock::unix_micros() * 1000;
        let (source, cursor) = self.ledger.borrow_mut().follow(id);
        let cursor = cursor.not_after(now);
        let Inspected { name, config, .. } = &inspected;
        let speaker = Speaker::of_container(id, name, &config.image, &config.labels);
        let mut voice = Voice { source, speaker, reader: Reader::new(&cursor) };
        let read = match self.docker.follow_logs(id, cursor.since()).await {
            Ok(mut stream) => self.read(&mut stream, &mut voice, &inspected).await,
            Err(error) => return self.refused(&inspected, &voice.speaker.app, error),
        };
        match read {
            Ok(()) if inspected.state.running => Next::Look,
            Ok(()) => {
                self.ledger.borrow_mut().end(source, now);
                Next::Over
            }
            Err(error) => Next::Later(error),
        }
    }

    /// Does Docker's driver send it to our relay? Docker from 20.10 on keeps a copy that could be read, too.
    fn is_relayed(&self, inspected: &Inspected) -> bool {
        let LogConfig { driver, options } = &inspected.host_config.log_config;
        let address = options.get("syslog-address");
        let pair = address.filter(|_| driver == "syslog").zip(self.relay);
        pair.is_some_and(|(address, listen)| relay::is_ours(address, listen))
    }

    async fn inspect(&self, id: &str) -> Result<Inspected, Error> {
        let text = self.docker.inspect_container(id).await?;
        json::parse(text.get()).map_err(|error| malformed(format!("{id}: {error}")))
    }

    fn refused(&self, inspected: &Inspected, app: &str, error: Error) -> Next {
        // 404: removed. 409: being removed. 501: nothing is kept of it.
        match error.status() {
            Some(404 | 409) => Next::Over,
            Some(501) => {
                let mut said = self.said.borrow_mut();
                let is_news = inspected.state.running && said.len() < MAX_SAID;
                if is_news && said.insert(app.to_owned()) {
                    let driver = &inspected.host_config.log_config.driver;
                    log::warn!(
                        "syslog: the log of {app} cannot be read, as its log driver {driver} keeps nothing (for the \
                         driver syslog, see --syslog-relay)"
                    );
                }
                Next::Over
            }
            Some(_) | None => Next::Later(error),
        }
    }

    /// Reads until the log ends.
    async fn read(&self, stream: &mut Stream, voice: &mut Voice, inspected: &Inspected) -> Result<(), Error> {
        let terminal = inspected.config.tty;
        let (mut frames, mut lines) = (Frames::default(), Lines::new(terminal));
        loop {
            self.outbox.room().await;
            // One that prints without a pause must not keep others waiting.
            future::yield_now().await;
            let Some(mut input) = stream.next().await? else { break };
            if self.stopped.get() {
                return future::pending().await;
            }
            if terminal {
                self.take(voice, &mut lines, cursor::Stream::Stdout, input, false)?;
            } else {
                while let Some(piece) =
                    frames.next(&mut input).map_err(|error| malformed(error.0.to_owned()))?
                {
                    self.take_piece(voice, &mut lines, &piece)?;
                }
            }
            self.ledger.borrow_mut().settle(self.outbox.delivered());
        }
        // A line without an end is one only when no more of it can come.
        let ended = [cursor::Stream::Stdout, cursor::Stream::Stderr];
        for printed in ended.into_iter().filter(|_| !inspected.state.running) {
            if let Some(line) = lines.rest(printed) {
                self.push(voice, &line);
            }
        }
        Ok(())
    }

    fn take_piece(&self, voice: &mut Voice, lines: &mut Lines, piece: &Piece<'_>) -> Result<(), Error> {
        let printed = match piece.source {
            Printed::Stdin | Printed::Stdout => cursor::Stream::Stdout,
            Printed::Stderr => cursor::Stream::Stderr,
            Printed::Daemon => return Err(malformed(String::from_utf8_lossy(piece.text).into_owned())),
        };
        self.take(voice, lines, printed, piece.text, piece.last)
    }

    fn take(
        &self,
        voice: &mut Voice,
        lines: &mut Lines,
        printed: cursor::Stream,
        mut text: &[u8],
        last: bool,
    ) -> Result<(), Error> {
        let no_log = |NoMoment| malformed("a line without its moment".to_owned());
        while let Some(line) = lines.next(printed, &mut text, last).map_err(no_log)? {
            self.push(voice, &line);
        }
        Ok(())
    }

    fn push(&self, voice: &mut Voice, line: &Line<'_>) {
        let Some(mark) = voice.reader.line(line.stream, line.at) else { return };
        let (severity, msg_id) = match line.stream {
            cursor::Stream::Stdout => (INFORMATIONAL, "stdout"),
            cursor::Stream::Stderr => (ERROR, "stderr"),
        };
        let (host, speaker, text) = (self.host, &voice.speaker, line.text);
        let message = Message { at: line.at / 1000, facility: DAEMON, severity, host, speaker, msg_id, text };
        let number = self.outbox.push(&message, Keep::Held);
        self.ledger.borrow_mut().push(number, voice.source, line.stream, mark);
    }
}

fn malformed(what: String) -> Error {
    Error { call: "a container's log".to_owned(), cause: Cause::Malformed(what) }
}

/// Go writes an empty map as `null`, too.
fn or_default<'de, D: Deserializer<'de>>(from: D) -> Result<Map<String, String>, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}
