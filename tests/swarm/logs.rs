//! Logs with names: a real dockerd, a real rsyslog, and our daemon in between, which is restarted as they are.

use crate::lab::{Image, Lab};
use crate::net::{self, ms, say, usage};
use crate::rounds;
use crate::unpacked;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Where rsyslog listens: the switch of the lab.
const SERVER: &str = "tcp://10.0.10.200:5140";
const FLAGS: [&str; 4] = ["--syslog", SERVER, "--syslog-relay", RELAY];
/// On the node.
const RELAY: &str = "127.0.0.1:5514";
/// Lines of one flood, at 10,000 a second (less a little for the loop itself).
const LINES: usize = 30_000;
/// For all of a flood to arrive, on a machine that does something else, too.
const PATIENCE: Duration = Duration::from_secs(60);

fn rsyslogd() -> PathBuf {
    unpacked::root("rsyslog").join("usr/sbin/rsyslogd")
}

/// rsyslog in the switch's namespace, which writes what it receives as it came.
struct Rsyslog {
    dir: PathBuf,
    netns: String,
    child: Option<Child>,
}

impl Rsyslog {
    fn start(lab: &Lab) -> Self {
        let mut this = Self { dir: lab.dir.join("rsyslog"), netns: lab.bridge(), child: None };
        fs::create_dir_all(&this.dir).unwrap();
        let dir = this.dir.display();
        let conf = format!(
            "global(workDirectory=\"{dir}\" maxMessageSize=\"64k\")\n\
             module(load=\"imtcp\")\n\
             template(name=\"raw\" type=\"string\" string=\"%rawmsg%\\n\")\n\
             input(type=\"imtcp\" port=\"5140\")\n\
             action(type=\"omfile\" file=\"{dir}/received\" template=\"raw\")\n"
        );
        fs::write(this.dir.join("conf"), conf).unwrap();
        this.up();
        this
    }

    fn up(&mut self) {
        let file = |name: &str| self.dir.join(name).display().to_string();
        let libraries = unpacked::libraries(&unpacked::root("rsyslog"));
        let mut command = Command::new("ip");
        command.args([
            "netns",
            "exec",
            &self.netns,
            "env",
            &format!("LD_LIBRARY_PATH={}", libraries.join(":")),
            &rsyslogd().display().to_string(),
            "-n",
            "-f",
            &file("conf"),
            "-i",
            &file("pid"),
            "-M",
            &unpacked::modules(&libraries, "rsyslog", "imtcp.so"),
        ]);
        self.child = Some(command.spawn().unwrap());
    }

    /// As `systemctl stop` does.
    fn down(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
        child.wait().unwrap();
    }

    fn received(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.join("received")).unwrap_or_default()).into_owned()
    }

    /// How often each number of that flood has arrived, and whether it came under one number of ours each time.
    fn flood(&self, name: &str) -> BTreeMap<usize, Vec<String>> {
        let mut seen = BTreeMap::<usize, Vec<String>>::new();
        let app = format!(" n1 {name} ");
        for line in self.received().lines().filter(|line| line.contains(&app)) {
            let Some(number) = line.split("flood ").nth(1).and_then(|rest| rest.split(' ').next()) else {
                continue;
            };
            let sequence = line.split("sequenceId=\"").nth(1).and_then(|rest| rest.split('"').next());
            seen.entry(number.parse().unwrap()).or_default().push(sequence.unwrap_or_default().to_owned());
        }
        seen
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        self.down();
    }
}

/// A container that prints [`LINES`] lines, 10,000 a second; all the while `meanwhile` happens. Waits for all to arrive.
fn flood(
    lab: &Lab,
    rsyslog: &mut Rsyslog,
    name: &str,
    meanwhile: impl FnOnce(&mut Rsyslog),
) -> BTreeMap<usize, Vec<String>> {
    let loops = LINES / 500;
    let script = format!(
        "i=0; while [ $i -lt {loops} ]; do busybox awk -v from=$((i*500)) 'BEGIN {{ for (n = from; n < from + 500; n++) \
         print \"flood \" n \" and what a line of a web server may look like besides\" }}'; busybox usleep 45000; i=$((i+1)); \
         done"
    );
    let image = lab.image("app:v1");
    lab.node(0).docker(&["run", "-d", "--name", name, &image, "/bin/busybox", "sh", "-c", &script]);
    let begun = Instant::now();
    meanwhile(rsyslog);
    lab.node(0).docker(&["wait", name]);
    let printed = begun.elapsed();
    let complete = || rsyslog.flood(name).len() >= LINES;
    let start = Instant::now();
    while !complete() && start.elapsed() < PATIENCE {
        std::thread::sleep(ms(200));
    }
    let seen = rsyslog.flood(name);
    let doubles: usize = seen.values().map(|times| times.len() - 1).sum();
    let rate = f64::from(u32::try_from(LINES).unwrap()) / printed.as_secs_f64();
    say(&format!(
        "    {name}: {} of {LINES} lines at {rate:.0}/s arrived {:.1?} after the last, {doubles} twice",
        seen.len(),
        start.elapsed()
    ));
    let missing: Vec<usize> = (0..LINES).filter(|number| !seen.contains_key(number)).collect();
    assert!(missing.is_empty(), "{name}: {} lines lost, from {:?} on", missing.len(), missing.first());
    seen
}

fn none_twice(seen: &BTreeMap<usize, Vec<String>>) {
    let twice: Vec<_> = seen.iter().filter(|(_, times)| times.len() > 1).take(3).collect();
    assert!(twice.is_empty(), "{twice:?} …");
}

#[test]
fn logs_arrive_with_names_and_each_line_once() {
    if !unpacked::has(&rsyslogd()) {
        return;
    }
    let Some(lab) = Lab::new(1) else { return };
    let one = lab.push("app:v1", Image::Good("1"));
    let image = lab.image("app:v1");
    lab.node(0).docker(&["pull", "-q", &image]);
    let mut rsyslog = Rsyslog::start(&lab);
    lab.node(0).docker(&[
        "run",
        "-d",
        "--name",
        "old",
        &image,
        "/bin/busybox",
        "echo",
        "before the first start",
    ]);
    lab.node(0).docker(&["wait", "old"]);
    let mut ours = rounds::daemon(&lab, 0, &FLAGS);
    lab.wait("the cursors", || Path::new(&lab.node(0).state_dir()).join("logs").exists());

    names(&lab, &rsyslog, &image, &one);
    relayed(&lab, &rsyslog, &image);

    let quiet = measured(&lab, &mut rsyslog, &ours);
    none_twice(&quiet);

    let again = flood(&lab, &mut rsyslog, "receiver", |rsyslog| {
        std::thread::sleep(ms(1000));
        rsyslog.down();
        std::thread::sleep(ms(1000));
        rsyslog.up();
    });
    let other = |times: &&Vec<String>| times.iter().any(|number| *number != times[0]);
    assert_eq!(again.values().find(other), None, "what comes twice has the number that it had before");

    let seen = flood(&lab, &mut rsyslog, "daemon", |_| {
        for _ in 0..2 {
            std::thread::sleep(ms(1000));
            ours.signal(Signal::SIGTERM);
            assert!(ours.wait(Duration::from_secs(20)).is_some(), "it ends");
            ours = rounds::daemon(&lab, 0, &FLAGS);
        }
    });
    none_twice(&seen);

    flood(&lab, &mut rsyslog, "killed", |_| {
        std::thread::sleep(ms(2000));
        let child = ours.child_with("housekeeper").unwrap();
        kill(Pid::from_raw(child), Signal::SIGKILL).unwrap();
    });

    let seen = flood(&lab, &mut rsyslog, "dockerd", |_| {
        std::thread::sleep(ms(1000));
        lab.node(0).hang_dockerd();
        std::thread::sleep(ms(1000));
        lab.node(0).resume_dockerd();
    });
    none_twice(&seen);
    assert!(!rsyslog.received().contains("before the first start"), "the past is not sent");
}

/// Services, plain containers, terminals, streams, events: under which names and severities they come.
fn names(lab: &Lab, rsyslog: &Rsyslog, image: &str, digest: &str) {
    let node = lab.node(0);
    node.docker(&["service", "create", "--detach", "--name", "web", "--replicas", "2", image]);
    let say_both = "echo to stdout; echo to stderr >&2; printf 'no end'";
    for (name, flags) in [("plain", "-d"), ("screen", "-dt"), ("left-out", "-d")] {
        let wanted = format!("unsinkable.logs={}", name != "left-out");
        node.docker(&[
            "run",
            flags,
            "--name",
            name,
            "--label",
            &wanted,
            image,
            "/bin/busybox",
            "sh",
            "-c",
            say_both,
        ]);
    }
    node.docker(&[
        "run",
        "-d",
        "--name",
        "mute",
        "--log-driver",
        "none",
        image,
        "/bin/busybox",
        "sleep",
        "1000",
    ]);
    let long = "busybox seq -s ' ' 1 8000";
    node.docker(&["run", "-d", "--name", "long", image, "/bin/busybox", "sh", "-c", long]);
    lab.wait_running(0, "web", 2, digest);
    let has =
        |parts: &[&str]| rsyslog.received().lines().any(|line| parts.iter().all(|part| line.contains(part)));
    for (what, parts) in [
        (
            "slot 1",
            &["<30>1 ", " n1 web 1 stdout [meta sequenceId=", "[docker@32473 service=\"web\" ", "] start 1"]
                [..],
        ),
        ("slot 2", &[" n1 web 2 stdout ", "] start 1"]),
        ("stdout", &["<30>1 ", " n1 plain ", " stdout ", "container_name=\"plain\"", "] to stdout"]),
        ("stderr", &["<27>1 ", " n1 plain ", " stderr ", "] to stderr"]),
        ("the rest", &[" n1 plain ", "] no end"]),
        ("a terminal", &["<30>1 ", " n1 screen ", " stdout ", "] to stdout"]),
        ("a terminal's stderr", &[" n1 screen ", " stdout ", "] to stderr"]),
        ("a long line", &[" n1 long ", " part=\"1/5\"", "] 1 2 3 4 "]),
        ("its end", &[" n1 long ", " part=\"5/5\"", " 7999 8000"]),
        ("an event", &["<30>1 ", " n1 docker - event ", "container plain ended with exit code 0"]),
        ("a service", &["<29>1 ", " n1 docker - event ", "] service web created"]),
        ("the VIP", &["<29>1 ", " n1 vrrp - event ", "vrid=\"12\"", "] MASTER: "]),
    ] {
        lab.wait_for(Duration::from_secs(40), &format!("{what}: {parts:?}"), || has(parts));
    }
    node.docker(&["restart", "plain"]);
    let both = |line: &&str| line.contains(" n1 plain ") && line.ends_with("] to stdout");
    let printed = || rsyslog.received().lines().filter(both).count();
    lab.wait_for(Duration::from_secs(20), "it prints again", || printed() == 2);
    let all = rsyslog.received();
    assert!(!all.contains(" n1 left-out "), "the label");
    assert!(
        !all.lines().any(|line| line.contains(" n1 screen ") && line.contains('\r')),
        "a terminal's line ends"
    );
    let log = || fs::read_to_string(node.pi.dir.join("unsinkable.log")).unwrap();
    let said =
        || log().matches("the log of mute cannot be read, as its log driver none keeps nothing").count();
    lab.wait_for(Duration::from_secs(20), "what cannot be read is said", || said() == 1);
}

/// Docker's own driver sends to the relay, and Docker keeps a copy of it: each line comes once, under its name, even of
/// a container that is gone before its lines are read.
fn relayed(lab: &Lab, rsyslog: &Rsyslog, image: &str) {
    let node = lab.node(0);
    let address = format!("syslog-address=tcp://{RELAY}");
    for (name, flags) in [("relayed", "-d"), ("brief", "--rm")] {
        let script = "echo over the relay; echo a second one >&2";
        node.docker(
            &[
                &["run", flags, "--name", name, "--log-driver", "syslog", "--log-opt", &address, image][..],
                &["/bin/busybox", "sh", "-c", script],
            ]
            .concat(),
        );
    }
    let lines = |name: &str| -> Vec<String> {
        let app = format!(" n1 {name} ");
        rsyslog.received().lines().filter(|line| line.contains(&app)).map(str::to_owned).collect()
    };
    for name in ["relayed", "brief"] {
        lab.wait_for(Duration::from_secs(20), name, || lines(name).len() >= 2);
    }
    // Followed, they would have come by now: events of the same moment have.
    std::thread::sleep(ms(2000));
    for name in ["relayed", "brief"] {
        let all = lines(name);
        assert_eq!(all.len(), 2, "{all:#?}");
        let has = |start: &str, stream: &str, text: &str| {
            all.iter().any(|line| line.starts_with(start) && line.contains(stream) && line.ends_with(text))
        };
        assert!(has("<30>1 ", " stdout ", "over the relay"), "{all:#?}");
        assert!(has("<27>1 ", " stderr ", "a second one"), "{all:#?}");
    }
}

/// A flood while nothing happens: what it costs. And how long a container takes to print as fast as it can, with us and
/// without.
fn measured(lab: &Lab, rsyslog: &mut Rsyslog, ours: &net::daemon::Daemon) -> BTreeMap<usize, Vec<String>> {
    let child = ours.child_with("housekeeper").unwrap();
    let rest = usage::usage(child).pss;
    let seen = flood(lab, rsyslog, "quiet", |_| {
        std::thread::sleep(ms(700));
        let (begun, before) = (Instant::now(), usage::usage(child));
        std::thread::sleep(ms(2000));
        let after = usage::usage(child);
        let share =
            (after.cpu.saturating_sub(before.cpu)).as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
        say(&format!(
            "    housekeeper at 10,000 lines a second: {share:.1} % of a core, PSS {} KiB ({rest} KiB before)",
            after.pss
        ));
    });
    let print = |name: &str, label: &str| {
        let begun = Instant::now();
        let image = lab.image("app:v1");
        lab.node(0).docker(&[
            "run",
            "--name",
            name,
            "-d",
            "--label",
            label,
            &image,
            "/bin/busybox",
            "seq",
            "1",
            "200000",
        ]);
        lab.node(0).docker(&["wait", name]);
        begun.elapsed()
    };
    let with = print("fast", "unsinkable.logs=true");
    let without = print("alone", "unsinkable.logs=false");
    say(&format!("    200,000 lines at once: {without:.2?} without us, {with:.2?} with"));
    lab.wait_for(PATIENCE, "all of them", || {
        rsyslog.received().lines().filter(|line| line.contains(" n1 fast ")).count() == 200_000
    });
    seen
}
