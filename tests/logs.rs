//! Following logs against a dockerd that breaks off, hangs, restarts and refuses; and over restarts of our own.
#![allow(clippy::unwrap_used, reason = "a panic is a verdict here, in functions beside the tests, too")]

#[allow(dead_code, reason = "other tests use the rest of it")]
mod dockerd;

use dockerd::{Asked, Dockerd, Reply};
use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use unsinkable::docker::Client;
use unsinkable::report::status::Event;
use unsinkable::syslog::{self, Settings, Target};
use unsinkable::time::Time;

/// 2026-11-22T16:35:00Z.
const START: u64 = 1_795_365_300;
const PATIENCE: Duration = Duration::from_secs(30);

/// A receiver on loopback: what it got, line by line.
struct Server {
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, lines) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<String>>>::default());
        let into = Arc::clone(&lines);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let into = Arc::clone(&into);
                thread::spawn(move || {
                    for line in BufReader::new(connection).lines().map_while(Result::ok) {
                        into.lock().unwrap().push(line);
                    }
                });
            }
        });
        Self { port, lines }
    }

    /// Severity, who, stream and text of all messages of containers.
    fn texts(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        let short = |line: &String| {
            let mut words = line.split(' ');
            let (priority, app) = (words.next()?, words.nth(2)?);
            let (proc_id, msg_id) = (words.next()?, words.next()?);
            let text = line.rsplit_once("] ").map_or("", |(_, text)| text);
            (msg_id != "event").then(|| format!("{priority} {app}[{proc_id}] {msg_id}: {text}"))
        };
        lines.iter().filter_map(short).collect()
    }

    #[track_caller]
    fn wait(&self, what: &str, done: impl Fn(&[String]) -> bool) {
        let start = Instant::now();
        while !done(&self.texts()) {
            assert!(start.elapsed() < PATIENCE, "waited for {what}: {:#?}", self.lines.lock().unwrap());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Our side, as the housekeeper runs it.
struct Shipping {
    end: smol::channel::Sender<Event>,
    thread: JoinHandle<()>,
}

impl Shipping {
    fn start(dockerd: &Dockerd, server: &Server, state: &Path) -> Self {
        Self::with_relay(None, dockerd, server, state)
    }

    fn with_relay(relay: Option<&str>, dockerd: &Dockerd, server: &Server, state: &Path) -> Self {
        let settings = Settings {
            target: Target::parse(&format!("tcp://127.0.0.1:{}", server.port)).unwrap(),
            relay: relay.map(|address| address.parse().unwrap()),
        };
        let (socket, state) = (dockerd.path().to_owned(), state.to_owned());
        let (end, told) = smol::channel::bounded(8);
        let thread = thread::spawn(move || {
            let docker = Client::new(&socket);
            smol::block_on(syslog::run::run(&settings, &state, &docker, told, &RefCell::default()));
        });
        Self { end, thread }
    }

    /// As at the end of the daemon; how long that took.
    fn stop(self) -> Duration {
        let begun = Instant::now();
        drop(self.end);
        self.thread.join().unwrap();
        begun.elapsed()
    }
}

/// A directory that goes with the test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("unsinkable-logs-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a container has printed: second, stream (1 stdout, 2 stderr), text.
type Log = Vec<(u64, u8, &'static str)>;

/// A container's log as Docker sends it, from the asked moment on.
fn body(log: &Log, asked: &Asked, terminal: bool) -> Vec<u8> {
    let since = asked.line.split("since=").nth(1).unwrap().split('&').next().unwrap();
    // Whatever these containers print, they print at full seconds.
    let since: u64 = since.split('.').next().unwrap().parse().unwrap();
    let mut body = Vec::new();
    for (second, stream, text) in log.iter().filter(|(second, ..)| START + second >= since) {
        let line = format!("2026-11-22T16:{:02}:{:02}.000000000Z {text}", 35 + second / 60, second % 60);
        if !terminal {
            body.extend([*stream, 0, 0, 0]);
            body.extend(u32::try_from(line.len()).unwrap().to_be_bytes());
        }
        body.extend(line.bytes());
    }
    body
}

/// A stream that goes on: its end does not come.
fn open(body: &[u8]) -> Reply {
    let mut reply = Reply::chunks(body, 1000);
    reply.bytes.truncate(reply.bytes.len() - b"0\r\n\r\n".len());
    reply
}

/// What dockerd answers to all but logs: these containers, with their labels, which run.
fn about(asked: &Asked, containers: &[(&str, &str)]) -> Option<Reply> {
    let path = asked.line.strip_prefix("GET /v1.41").unwrap();
    if path.starts_with("/events") {
        return Some(open(b""));
    }
    if path.starts_with("/containers/json") {
        let one = |(name, labels): &(&str, &str)| {
            format!(r#"{{"Id":"{name}","Names":["/{name}"],"State":"running","Labels":{{{labels}}}}}"#)
        };
        let list: Vec<String> = containers.iter().map(one).collect();
        return Some(Reply::json(200, &format!("[{}]", list.join(","))));
    }
    let name = path.strip_prefix("/containers/")?.strip_suffix("/json")?;
    let tty = name == "screen";
    let driver = match name {
        "relayed" => r#"{"Type":"syslog","Config":{"syslog-address":"tcp://127.0.0.1:5514"}}"#,
        "elsewhere" => r#"{"Type":"syslog","Config":{"syslog-address":"tcp://10.0.10.200:514"}}"#,
        _ => r#"{"Type":"none","Config":null}"#,
    };
    Some(Reply::json(
        200,
        &format!(
            r#"{{"Id":"{name}","Name":"/{name}","Config":{{"Image":"app:v1","Tty":{tty}}},"State":{{"Running":true}},
            "HostConfig":{{"LogConfig":{driver}}}}}"#
        ),
    ))
}

/// Known before the first line: the past is not sent otherwise.
fn since_the_start(dir: &Dir) {
    use unsinkable::syslog::{cursor::Cursors, ledger};
    let cursors = Cursors { from: START * 1_000_000_000, containers: Vec::new() };
    let bytes = unsinkable::state::seal::emit(ledger::MAGIC, &cursors, ledger::MAX_FILE).unwrap();
    fs::write(dir.0.join("logs"), bytes).unwrap();
}

fn log() -> Log {
    vec![
        (1, 1, "one\n"),
        (2, 2, "two\n"),
        (2, 2, "two again\n"),
        (3, 1, "no end"),
        (4, 2, "four\n"),
        (3, 1, "three\n"),
        (4, 2, "four again\n"),
        (5, 1, "five\n"),
    ]
}

const EXPECTED: [&str; 8] = [
    "<30>1 web[web] stdout: one",
    "<27>1 web[web] stderr: two",
    "<27>1 web[web] stderr: two again",
    "<30>1 web[web] stdout: no end",
    "<27>1 web[web] stderr: four",
    "<30>1 web[web] stdout: three",
    "<27>1 web[web] stderr: four again",
    "<30>1 web[web] stdout: five",
];

#[test]
fn a_log_that_breaks_off_anywhere_goes_on_without_gap_or_double() {
    let (dir, server) = (Dir::new("cut"), Server::start());
    since_the_start(&dir);
    let mut cuts = [0, 90, 115, 170, 200, 250, 300, 333].into_iter();
    let dockerd = Dockerd::start("logs-cut", move |asked| {
        about(asked, &[("web", "")]).unwrap_or_else(|| {
            let whole = open(&body(&log(), asked, false));
            match cuts.next() {
                Some(len) => whole.cut(len),
                None => whole,
            }
        })
    });
    let shipping = Shipping::start(&dockerd, &server, &dir.0);
    server.wait("all lines", |texts| texts.len() >= EXPECTED.len());
    let took = shipping.stop();
    assert_eq!(server.texts(), EXPECTED);
    assert!(took < Duration::from_millis(900), "it ends when all has arrived: {took:?}");
}

#[test]
fn our_own_restart_goes_on_behind_what_arrived() {
    let (dir, server) = (Dir::new("restart"), Server::start());
    since_the_start(&dir);
    let printed = Arc::new(Mutex::new(Log::new()));
    let source = Arc::clone(&printed);
    let dockerd = Dockerd::start("logs-restart", move |asked| {
        about(asked, &[("web", "")]).unwrap_or_else(|| open(&body(&source.lock().unwrap(), asked, false)))
    });
    for count in 1..=log().len() {
        *printed.lock().unwrap() = log()[..count].to_vec();
        let shipping = Shipping::start(&dockerd, &server, &dir.0);
        server.wait("new lines", |texts| texts.len() >= count);
        shipping.stop();
        assert_eq!(server.texts(), EXPECTED[..count], "{count}");
    }
    // Nothing new, and nothing again.
    dockerd.asked();
    let shipping = Shipping::start(&dockerd, &server, &dir.0);
    let start = Instant::now();
    while !dockerd.asked().iter().any(|line| line.contains("/logs?")) {
        assert!(start.elapsed() < PATIENCE, "it asks");
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(200));
    shipping.stop();
    assert_eq!(server.texts(), EXPECTED);
}

#[test]
fn terminals_refusals_and_silence_each_have_their_way() {
    let (dir, server) = (Dir::new("kinds"), Server::start());
    since_the_start(&dir);
    let all =
        [("screen", ""), ("mute", ""), ("left", r#""unsinkable.logs":"false""#), ("broken", ""), ("web", "")];
    let mut broken = 0;
    let mut dockerd = Dockerd::start("logs-kinds", move |asked| {
        about(asked, &all).unwrap_or_else(|| {
            let shown: Log = vec![(1, 1, "shown\r\n"), (2, 1, "$ ls\r\n")];
            match asked.line.split('/').nth(3).unwrap() {
                "screen" => open(&body(&shown, asked, true)),
                "mute" => {
                    Reply::json(501, r#"{"message":"configured logging driver does not support reading"}"#)
                }
                "broken" => {
                    broken += 1;
                    if broken == 1 {
                        open(b"these are no frames").close()
                    } else {
                        open(&body(&vec![(9, 2, "well\n")], asked, false))
                    }
                }
                "web" => open(&body(&log(), asked, false)),
                other => panic!("nobody asks for {other}"),
            }
        })
    });
    let shipping = Shipping::start(&dockerd, &server, &dir.0);
    let expected = EXPECTED.len() + 3;
    server.wait("all", |texts| texts.len() >= expected);
    for line in [
        "<30>1 screen[screen] stdout: shown",
        "<30>1 screen[screen] stdout: $ ls",
        "<27>1 broken[broken] stderr: well",
    ] {
        assert!(server.texts().contains(&line.to_owned()), "{line}: {:?}", server.texts());
    }
    // A dockerd that restarts: everything is asked for again, nothing is sent again.
    let asked = dockerd.asked();
    let logs = |name: &str, asked: &[String]| {
        asked.iter().filter(|line| line.contains(&format!("/{name}/logs"))).count()
    };
    assert_eq!((logs("mute", &asked), logs("left", &asked)), (1, 0));
    dockerd.kill();
    thread::sleep(Duration::from_millis(300));
    dockerd.boot();
    let (start, mut asked) = (Instant::now(), Vec::new());
    while logs("web", &asked) == 0 || logs("screen", &asked) == 0 {
        asked.extend(dockerd.asked());
        assert!(start.elapsed() < PATIENCE, "they are asked for: {asked:?}");
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(300));
    shipping.stop();
    assert_eq!(server.texts().len(), expected, "{:#?}", server.texts());
}

#[test]
fn what_docker_sends_to_the_relay_is_not_followed_too() {
    let (dir, server) = (Dir::new("relayed"), Server::start());
    since_the_start(&dir);
    let dockerd = Dockerd::start("logs-relayed", |asked| {
        let of = |name: &str| {
            open(&body(&vec![(1, 1, if name == "relayed" { "r\n" } else { "e\n" })], asked, false))
        };
        about(asked, &[("relayed", ""), ("elsewhere", "")])
            .unwrap_or_else(|| of(asked.line.split('/').nth(3).unwrap()))
    });
    let shipping = Shipping::with_relay(Some("127.0.0.1:5514"), &dockerd, &server, &dir.0);
    server.wait("what goes elsewhere", |texts| texts.len() == 1);
    let (start, mut asked) = (Instant::now(), dockerd.asked());
    while !asked.iter().any(|line| line.contains("/relayed/json")) {
        asked.extend(dockerd.asked());
        assert!(start.elapsed() < PATIENCE, "it is looked at: {asked:?}");
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(200));
    shipping.stop();
    assert_eq!(server.texts(), ["<30>1 elsewhere[elsewhere] stdout: e"]);
    // What was relayed is past when the relay is left out later.
    let asked_for =
        |name: &str, asked: &[String]| asked.iter().any(|line| line.contains(&format!("/{name}/logs")));
    assert!(!asked_for("relayed", &asked), "{asked:?}");
    let shipping = Shipping::start(&dockerd, &server, &dir.0);
    let (start, mut asked) = (Instant::now(), Vec::new());
    while !asked_for("relayed", &asked) {
        asked.extend(dockerd.asked());
        assert!(start.elapsed() < PATIENCE, "it is followed: {asked:?}");
        thread::sleep(Duration::from_millis(5));
    }
    shipping.stop();
    assert_eq!(server.texts().len(), 1);
}

#[test]
fn a_torn_file_is_set_aside_and_the_vip_is_told_of() {
    let (dir, server) = (Dir::new("torn"), Server::start());
    fs::write(dir.0.join("logs"), b"unslogs\x01torn").unwrap();
    let dockerd =
        Dockerd::start("logs-torn", |asked| about(asked, &[]).unwrap_or_else(|| Reply::json(404, "{}")));
    let shipping = Shipping::start(&dockerd, &server, &dir.0);
    let text = "MASTER: 10.0.10.31 fell silent".to_owned();
    let event = Event { at: Time::ZERO, router: Some("12".to_owned()), text };
    shipping.end.send_blocking(event).unwrap();
    let said = || {
        server.lines.lock().unwrap().iter().any(|line| {
            line.starts_with("<29>1 ")
                && line.contains(" vrrp - event ")
                && line.ends_with(" vrid=\"12\"] MASTER: 10.0.10.31 fell silent")
        })
    };
    server.wait("the event", |_| said());
    shipping.stop();
    assert!(dir.0.join("logs.torn-1").exists());
    assert!(dir.0.join("logs").exists());
}
