//! The two daemons under test: started, signalled, read and measured alike.

use super::Node;
use super::router::Router;
use super::usage::{self, Usage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Keepalived,
    Unsinkable,
}

impl Kind {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keepalived => "keepalived",
            Self::Unsinkable => "unsinkable",
        }
    }
}

/// A running daemon; killed, with its children, when dropped.
pub struct Daemon {
    pub kind: Kind,
    pub log_path: PathBuf,
    child: Child,
}

/// The binary under test: `UNSINKABLE_BIN`, else the one cargo built for these tests.
pub fn binary() -> PathBuf {
    std::env::var_os("UNSINKABLE_BIN")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_unsinkable")), PathBuf::from)
}

/// The node's run directory of ours.
pub fn run_dir(node: &Node) -> PathBuf {
    node.dir.join("run")
}

/// One of our other commands on a node, to its end: exit status, standard output, standard error.
pub fn command(node: &Node, arguments: &[&str]) -> (ExitStatus, String, String) {
    command_with(node, arguments, &[])
}

/// The same, with these variables in its environment.
pub fn command_with(
    node: &Node,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> (ExitStatus, String, String) {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--run-dir").arg(run_dir(node)).envs(variables.iter().copied());
    let child = node.spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped())).expect("our binary starts");
    let out = child.wait_with_output().expect("it is our child");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status, text(&out.stdout), text(&out.stderr))
}

impl Daemon {
    /// Starts either program on the node as `router` says. With `LAB_STAND_IN` set, keepalived takes the place of ours
    /// everywhere: what fails then is what ours promises beyond it, which shows that the tests can fail.
    pub fn start(kind: Kind, node: &Node, router: &Router) -> Self {
        match kind {
            Kind::Keepalived => Self::keepalived(node, &router.conf(node.index)),
            Kind::Unsinkable if std::env::var_os("LAB_STAND_IN").is_some() => {
                Self::keepalived(node, &router.conf(node.index))
            }
            Kind::Unsinkable => Self::unsinkable(node, &router.flags()),
        }
    }

    /// keepalived in the foreground, its VRRP part only.
    pub fn keepalived(node: &Node, conf: &str) -> Self {
        let file = |name: &str| node.dir.join(name);
        fs::write(file("keepalived.conf"), conf).expect("the lab's directory is ours");
        let mut command = Command::new("keepalived");
        command.args(["-n", "-l", "-D", "-P"]);
        for (option, name) in [("-f", "keepalived.conf"), ("-p", "keepalived.pid"), ("-r", "vrrp.pid")] {
            command.arg(option).arg(file(name));
        }
        Self::spawn(Kind::Keepalived, node, command)
    }

    /// `unsinkable run` with these flags and the node's own run directory.
    pub fn unsinkable(node: &Node, flags: &[String]) -> Self {
        let mut command = Command::new(binary());
        command.arg("run").args(flags).arg("--run-dir").arg(run_dir(node));
        command.arg("--state-dir").arg(node.dir.join("state"));
        fs::create_dir_all(run_dir(node)).expect("the lab's directory is ours");
        Self::spawn(Kind::Unsinkable, node, command)
    }

    fn spawn(kind: Kind, node: &Node, mut command: Command) -> Self {
        let log_path = node.dir.join(format!("{kind:?}.log").to_lowercase());
        let log =
            File::options().append(true).create(true).open(&log_path).expect("the lab's directory is ours");
        let err = log.try_clone().expect("a file descriptor can be doubled");
        let child =
            node.spawn(command.stdout(log).stderr(err)).unwrap_or_else(|e| panic!("{command:?}: {e}"));
        Self { kind, log_path, child }
    }

    /// The main process, as the host numbers it.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid is an i32")
    }

    /// The main process and all below it.
    pub fn pids(&self) -> Vec<i32> {
        usage::tree(self.pid())
    }

    /// The pid of a child whose command line holds `word`.
    pub fn child_with(&self, word: &str) -> Option<i32> {
        let holds = |pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(word)
        };
        self.pids().into_iter().skip(1).find(holds)
    }

    /// Sends a signal and returns the moment. TERM and INT go to the main process, as init systems do it; KILL, STOP and CONT
    /// to keepalived's parent and child both, of ours to the main process only (it holds the VIP).
    pub fn signal(&self, signal: Signal) -> Instant {
        let whole = self.kind == Kind::Keepalived && !matches!(signal, Signal::SIGTERM | Signal::SIGINT);
        let pids = if whole { self.pids() } else { vec![self.pid()] };
        let at = Instant::now();
        for pid in pids {
            kill(Pid::from_raw(pid), signal).ok();
        }
        at
    }

    /// Waits for the main process to end.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return Some(status);
            }
            if start.elapsed() > limit {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// True while the main process has not ended.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// All it has logged on this node so far, earlier runs included.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log_path).unwrap_or_default()
    }

    /// What it costs now.
    pub fn usage(&self) -> Usage {
        usage::usage(self.pid())
    }

    /// Ends it politely and waits.
    pub fn finish(mut self) {
        self.signal(Signal::SIGTERM);
        self.wait(Duration::from_secs(5));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.runs() {
            for pid in self.pids() {
                kill(Pid::from_raw(pid), Signal::SIGKILL).ok();
            }
            self.child.wait().ok();
        }
        if std::thread::panicking() {
            super::say(&format!("--- {}:\n{}", self.log_path.display(), tail(&self.log(), 12)));
        }
    }
}

/// The last lines but for those that say nothing.
fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().filter(|l| !l.contains("gratuitous ARP")).collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
