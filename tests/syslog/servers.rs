//! A real rsyslog or syslog-ng from Debian, as a child of the test: its own configuration, ports of loopback, a file.

use crate::unpacked;
use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// For anything that takes a moment: machines are shared.
pub const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Rsyslog,
    SyslogNg,
}

/// What listens on the server's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    pub udp: bool,
    pub rfc5424: bool,
    pub octet: bool,
}

pub struct Server {
    pub kind: Kind,
    pub port: u16,
    input: Input,
    dir: PathBuf,
    child: Option<Child>,
}

/// Has tests/setup unpacked both?
pub fn unpacked() -> bool {
    [Kind::Rsyslog, Kind::SyslogNg].into_iter().all(|kind| unpacked::has(&kind.program()))
}

impl Kind {
    fn root(self) -> PathBuf {
        unpacked::root(match self {
            Self::Rsyslog => "rsyslog",
            Self::SyslogNg => "syslog-ng-core",
        })
    }

    fn program(self) -> PathBuf {
        self.root().join(match self {
            Self::Rsyslog => "usr/sbin/rsyslogd",
            Self::SyslogNg => "usr/sbin/syslog-ng",
        })
    }
}

/// A port that nobody has: the kernel's choice, given back.
pub fn free_port() -> u16 {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = tcp.local_addr().expect("an address").port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Server {
    pub fn new(kind: Kind, input: Input, name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("unsinkable-syslog-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("work")).expect("a folder");
        let server = Self { kind, port: free_port(), input, dir, child: None };
        fs::write(server.dir.join("conf"), server.configuration()).expect("written");
        server
    }

    pub fn started(kind: Kind, input: Input, name: &str) -> Self {
        let mut server = Self::new(kind, input, name);
        server.start();
        server
    }

    fn configuration(&self) -> String {
        let Self { port, dir, .. } = self;
        let (work, out) = (dir.join("work"), dir.join("out"));
        let (work, out) = (work.display(), out.display());
        match self.kind {
            Kind::Rsyslog => {
                let module = if self.input.udp { "imudp" } else { "imtcp" };
                format!(
                    r#"global(workDirectory="{work}")
module(load="{module}")
template(name="all" type="string" string="%pri% %timereported:::date-rfc3339% %hostname% %app-name% %procid% %msgid% %structured-data%|%msg%\n")
input(type="{module}" address="127.0.0.1" port="{port}")
action(type="omfile" file="{out}" template="all")
"#
                )
            }
            Kind::SyslogNg => {
                let transport = if self.input.udp { "udp" } else { "tcp" };
                let source = match (self.input.rfc5424, self.input.octet || self.input.udp) {
                    (true, true) => "syslog",
                    (true, false) | (false, _) => "network",
                };
                let flags =
                    if self.input.rfc5424 && source == "network" { "flags(syslog-protocol)" } else { "" };
                format!(
                    r#"@version: 3.38
options {{ keep-hostname(yes); use-dns(no); keep-timestamp(yes); log-fifo-size(100000); stats-freq(0); }};
source net {{ {source}(ip("127.0.0.1") port({port}) transport("{transport}") {flags}); }};
destination out {{ file("{out}" template("${{PRI}} ${{ISODATE}} ${{HOST}} ${{PROGRAM}} ${{PID}} ${{MSGID}} ${{SDATA}}|${{MSG}}\n") frac-digits(6)); }};
log {{ source(net); destination(out); }};
"#
                )
            }
        }
    }

    /// Starts it, and waits until it listens.
    pub fn start(&mut self) {
        let root = self.kind.root();
        let mut paths = unpacked::libraries(&root);
        let mut command = Command::new(self.kind.program());
        let file = |name: &str| self.dir.join(name).into_os_string();
        match self.kind {
            Kind::Rsyslog => {
                command.arg("-n").arg("-f").arg(file("conf")).arg("-i").arg(file("pid"));
                command.arg("-M").arg(unpacked::modules(&paths, "rsyslog", "imtcp.so"));
            }
            Kind::SyslogNg => {
                let folder = unpacked::modules(&paths, "syslog-ng/3.38", "libafsocket.so");
                command.args(["--foreground", "--no-caps", "--module-path", &folder]);
                for (flag, name) in [("-f", "conf"), ("-p", "pid"), ("-R", "persist"), ("-c", "control")] {
                    command.arg(flag).arg(file(name));
                }
                paths.push(folder);
            }
        }
        let log = fs::File::create(self.dir.join("log")).expect("a log");
        let log_too = log.try_clone().expect("a log");
        command.env("LD_LIBRARY_PATH", paths.join(":")).env("TZ", "UTC").current_dir(&self.dir);
        let command = command.stdin(Stdio::null()).stdout(log).stderr(log_too);
        self.child = Some(command.spawn().expect("started"));
        until("it listens", || self.listens());
    }

    fn listens(&mut self) -> bool {
        let child = self.child.as_mut().expect("started");
        if let Some(status) = child.try_wait().expect("a child") {
            panic!(
                "{:?} ended: {status}: {}",
                self.kind,
                fs::read_to_string(self.dir.join("log")).unwrap_or_default()
            );
        }
        let address = ("127.0.0.1", self.port);
        if self.input.udp { UdpSocket::bind(address).is_err() } else { TcpStream::connect(address).is_ok() }
    }

    /// `signal`: TERM, KILL, STOP, CONT. Waits for the end that the first two bring.
    pub fn signal(&mut self, signal: nix::sys::signal::Signal) {
        use nix::sys::signal::Signal;
        let child = self.child.as_mut().expect("started");
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a PID"));
        nix::sys::signal::kill(pid, signal).expect("our child");
        if [Signal::SIGTERM, Signal::SIGKILL].contains(&signal) {
            child.wait().expect("our child");
            self.child = None;
        }
    }

    /// What it wrote.
    pub fn lines(&self) -> Vec<String> {
        let bytes = fs::read(self.dir.join("out")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("left for a look: {}", self.dir.display());
        } else {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// Waits for it.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited for this in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
