//! One Pi of the lab with its own dockerd and containerd, and what one does on it.

use super::http::{self, Reply};
use super::{PATH, docker_cli};
use crate::net::{self, daemon, daemon::Daemon};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// dockerd answers within this on a machine in no hurry.
const START: Duration = Duration::from_secs(60);
/// A call through [`Node::call`] may take this long.
const CALL: Duration = Duration::from_secs(60);

/// Lets go of what another dockerd or `ip netns` has mounted, gives the node its own /sys and /run, keeps the cgroups.
const SETUP: &str = r#"
awk '$2 ~ "^/(run|var/lib/docker)(/|$)" {print $2}' /proc/mounts | sort -r | while read -r m; do umount -l "$m" || :; done
mount -t tmpfs tmpfs /mnt
mkdir /mnt/cgroup
mount --rbind /sys/fs/cgroup /mnt/cgroup
mount -t sysfs sysfs /sys
mount --rbind /mnt/cgroup /sys/fs/cgroup
[ -n "$(ls /sys/fs/cgroup)" ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
umount -l /mnt
mount -t tmpfs -o mode=755 tmpfs /run
"#;

/// One Pi.
pub struct Node {
    /// Its namespaces, its directory on the host, its address.
    pub pi: net::node::Node,
    /// `n1`, `n2`, …: its host name, and so its name in the Swarm.
    pub name: String,
    lab: PathBuf,
    dockerd: Mutex<Option<Child>>,
}

/// What one of our commands printed.
#[derive(Debug)]
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Standard output read as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("no JSON ({e}): {self:?}"))
    }
}

impl Node {
    /// Makes the node with that index and starts its dockerd; does not wait for it.
    pub fn new(prefix: &str, lab: &Path, index: usize) -> Self {
        let name = format!("n{}", index + 1);
        let setup = format!("{SETUP}\necho {name} >/proc/sys/kernel/hostname");
        let pi = net::node::Node::with_setup(prefix, lab, index, &setup);
        let node = Self { pi, name, lab: lab.into(), dockerd: Mutex::default() };
        fs::write(node.file("daemon.json"), node.configuration(prefix).to_string())
            .expect("the lab's directory is ours");
        node.spawn_dockerd();
        node
    }

    fn file(&self, name: &str) -> PathBuf {
        self.pi.dir.join(name)
    }

    fn configuration(&self, prefix: &str) -> Value {
        json!({
            "hosts": ["unix:///run/docker.sock", format!("unix://{}", self.socket().display())],
            "data-root": self.file("data"), "exec-root": "/run/docker", "pidfile": self.file("dockerd.pid"),
            "cgroup-parent": format!("/{prefix}/{}", self.name), "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "storage-driver": "overlay2", "insecure-registries": [super::OPEN, super::PRIVATE],
            "shutdown-timeout": 2,
        })
    }

    fn spawn_dockerd(&self) {
        fs::remove_file(self.file("dockerd.pid")).ok();
        let log = File::options()
            .append(true)
            .create(true)
            .open(self.dockerd_log())
            .expect("the lab's directory is ours");
        let err = log.try_clone().expect("a file descriptor can be doubled");
        let mut command = Command::new("dockerd");
        command.arg("--config-file").arg(self.file("daemon.json")).stdout(log).stderr(err);
        // Nothing of the machine's own settings, proxies above all.
        command.env_clear().env("PATH", PATH).env("HOME", &self.lab);
        let child = self.pi.spawn(&mut command).expect("dockerd starts");
        *self.dockerd.lock().expect("nobody panicked with it") = Some(child);
    }

    /// Where its dockerd logs.
    pub fn dockerd_log(&self) -> PathBuf {
        self.file("dockerd.log")
    }

    /// Its Docker socket as the host sees it. Inside the node it is `/run/docker.sock`.
    pub fn socket(&self) -> PathBuf {
        self.file("docker.sock")
    }

    /// Its address on the LAN: `10.0.10.31` and up.
    pub fn address(&self) -> String {
        self.pi.v4().to_string()
    }

    /// Waits until dockerd answers.
    #[track_caller]
    pub fn wait_for_dockerd(&self) {
        let start = Instant::now();
        while !self.try_call("GET", "/_ping", "").is_ok_and(|reply| reply.status == 200) {
            assert!(
                start.elapsed() < START,
                "{}: dockerd does not answer, see {}",
                self.name,
                self.dockerd_log().display()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// `kill -9` of dockerd. Its containers go on running.
    pub fn kill_dockerd(&self) {
        if let Some(mut child) = self.dockerd.lock().expect("nobody panicked with it").take() {
            child.kill().ok();
            child.wait().ok();
        }
    }

    /// Starts dockerd again and waits until it answers.
    #[track_caller]
    pub fn start_dockerd(&self) {
        self.spawn_dockerd();
        self.wait_for_dockerd();
    }

    /// dockerd's process ID, as the host numbers it.
    pub fn dockerd_pid(&self) -> Option<i32> {
        let child = self.dockerd.lock().expect("nobody panicked with it");
        child.as_ref().and_then(|child| i32::try_from(child.id()).ok())
    }

    fn signal_dockerd(&self, signal: Signal) {
        let pid = self.dockerd_pid().expect("dockerd runs");
        kill(Pid::from_raw(pid), signal).expect("it is our child");
    }

    /// SIGSTOP: the socket takes connections, and nobody answers.
    pub fn hang_dockerd(&self) {
        self.signal_dockerd(Signal::SIGSTOP);
    }

    /// SIGCONT.
    pub fn resume_dockerd(&self) {
        self.signal_dockerd(Signal::SIGCONT);
    }

    /// The plug is pulled: every process of the node is gone at once, what is on its disk stays.
    pub fn power_off(&mut self) {
        self.pi.end();
        self.kill_dockerd();
    }

    /// A command of the Docker CLI in this node; its standard output. Panics where it fails.
    #[track_caller]
    pub fn docker(&self, arguments: &[&str]) -> String {
        self.try_docker(arguments)
            .unwrap_or_else(|error| panic!("{}: docker {arguments:?}: {error}", self.name))
    }

    /// The same, written as one line without any quoting: words are split at spaces.
    #[track_caller]
    pub fn docker_line(&self, line: &str) -> String {
        self.docker(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// The same as [`docker`](Self::docker); the CLI's error text where it fails.
    pub fn try_docker(&self, arguments: &[&str]) -> Result<String, String> {
        self.output(self.docker_command().args(arguments))
    }

    /// The Docker CLI, ready to be started in this node with [`spawn`](net::node::Node::spawn).
    pub fn docker_command(&self) -> Command {
        let mut command = Command::new(docker_cli());
        command
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", &self.lab)
            .env("DOCKER_HOST", "unix:///run/docker.sock");
        command
    }

    /// Any command in this node; its standard output. Panics where it fails.
    #[track_caller]
    pub fn exec(&self, arguments: &[&str]) -> String {
        let done = self.output(Command::new(arguments[0]).args(&arguments[1..]));
        done.unwrap_or_else(|error| panic!("{}: {arguments:?}: {error}", self.name))
    }

    fn output(&self, command: &mut Command) -> Result<String, String> {
        let child = self
            .pi
            .spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
            .map_err(|e| e.to_string())?;
        let out = child.wait_with_output().map_err(|e| e.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if out.status.success() { Ok(text(&out.stdout)) } else { Err(text(&out.stderr)) }
    }

    /// A call of the Engine API, whatever it answers.
    pub fn try_call(&self, method: &str, path: &str, body: &str) -> std::io::Result<Reply> {
        let mut stream = UnixStream::connect(self.socket())?;
        stream.set_read_timeout(Some(CALL))?;
        http::call(
            &mut stream,
            method,
            path,
            &[("Host", "d"), ("Content-Type", "application/json")],
            body.as_bytes(),
        )
    }

    /// A call of the Engine API that must succeed; the body.
    #[track_caller]
    pub fn call(&self, method: &str, path: &str, body: &str) -> String {
        let reply = self
            .try_call(method, path, body)
            .unwrap_or_else(|e| panic!("{}: {method} {path}: {e}", self.name));
        assert!(
            (200..300).contains(&reply.status),
            "{}: {method} {path}: {} {}",
            self.name,
            reply.status,
            reply.text()
        );
        reply.text()
    }

    /// `GET` of the Engine API, read as JSON.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        serde_json::from_str(&self.call("GET", path, "")).expect("Docker answers in JSON")
    }

    /// Starts our daemon: `arguments` begin with `run`. It has the node's own run and state directories (a second daemon
    /// on the node, too); its log is `unsinkable.log` in the node's directory.
    pub fn unsinkable(&self, arguments: &[&str]) -> Daemon {
        assert_eq!(arguments.first(), Some(&"run"), "for other commands there is unsinkable_command");
        let flags: Vec<String> = arguments[1..].iter().map(|&word| word.to_owned()).collect();
        Daemon::unsinkable(&self.pi, &flags)
    }

    /// One of our other commands to its end, with the node's run directory; `state_dir` is the daemon's.
    pub fn unsinkable_command(&self, arguments: &[&str]) -> Output {
        let (status, stdout, stderr) = daemon::command(&self.pi, arguments);
        Output { code: status.code(), stdout, stderr }
    }

    /// The state directory of the node's daemon.
    pub fn state_dir(&self) -> String {
        self.file("state").display().to_string()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.power_off();
    }
}
