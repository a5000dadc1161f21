//! The lab: Pis made of network namespaces on one bridge, with real kernels' addresses, ARP and clocks.
//!
//! ```text
//!            bridge namespace  br0 ─┬─ p1 ══ eth0  node 1  10.0.10.31  fd00:10::31   own PID and mount namespace
//!                                   ├─ p2 ══ eth0  node 2  10.0.10.32  fd00:10::32
//!                                   ├─ p3 ══ eth0  node 3  10.0.10.33  fd00:10::33
//!                                   └─ p0 ══ eth0  client  10.0.10.100 fd00:10::100
//! ```
//!
//! Only one lab runs at a time on a machine (a lock file), because what it measures is time. A guardian shell outlives
//! the tests by a moment: it takes everything down when they end, however they end.
#![allow(dead_code, reason = "each test file uses its own part of the lab")]

pub mod daemon;
pub mod faults;
pub mod flood;
pub mod netns;
pub mod owners;
pub mod pings;
pub mod router;
pub mod sniffer;
pub mod usage;

use nix::fcntl::{Flock, FlockArg};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use owners::Owners;

/// The user's virtual address.
pub const VIP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 10, 39));
/// A second one, for the second virtual router.
pub const VIP2: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 10, 40));
/// One of IPv6.
pub const VIP6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0x10, 0, 0, 0, 0, 0, 0x39));

const LOCK: &str = "/tmp/unsinkable-lab.lock";

/// Removes every namespace named `$1-…` with what runs in it, and the directory `$2`.
const SWEEP: &str = r#"for ns in $(ip netns list | cut -d' ' -f1 | grep "^$1-"); do
    ip netns pids "$ns" | xargs -r kill -9 2>/dev/null
    ip netns del "$ns"
done
rm -rf "$2"
"#;

/// Waits until the tests are gone (their end of the pipe closes), then sweeps.
const GUARDIAN: &str = "trap '' INT TERM HUP QUIT\nread word\n[ \"$word\" = keep ] && exit 0\n";

/// Writes a line past the test harness's capture: figures and skips are to be seen.
pub fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}

/// Runs a command to its end and panics with its error output if it fails.
pub fn run(command: &mut Command) -> String {
    let out = command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Runs `ip` with the words of `line`.
pub fn ip(line: &str) -> String {
    run(Command::new("ip").args(line.split_whitespace()))
}

fn installed(program: &str) -> bool {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|dir| Path::new(dir).join(program).exists())
}

/// What this machine lacks for the lab.
fn missing(programs: &[&str]) -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("it needs root (run tests/run, or sudo)".into());
    }
    let lacking: Vec<_> = programs.iter().copied().filter(|p| !installed(p)).collect();
    (!lacking.is_empty()).then(|| format!("{} not installed (run tests/setup)", lacking.join(", ")))
}

/// The network, its nodes and the client.
pub struct Lab {
    pub prefix: String,
    pub dir: PathBuf,
    pub nodes: Vec<Node>,
    pub owners: Owners,
    guardian: Child,
    _alone: Flock<File>,
}

/// One Pi.
pub struct Node {
    /// 0, 1, 2: the index in `Lab::nodes`.
    pub index: usize,
    /// Name of its network namespace.
    pub netns: String,
    pub dir: PathBuf,
    init: Option<Child>,
    fakes: Mutex<HashMap<String, Child>>,
}

impl Lab {
    /// A lab of `nodes` nodes, or none where root or iproute2 is missing: says so loudly, and fails under CI.
    pub fn new(nodes: usize) -> Option<Self> {
        Self::needing(nodes, &["ip", "nft"])
    }

    /// As `new`, for tests that also need keepalived.
    pub fn with_keepalived(nodes: usize) -> Option<Self> {
        Self::needing(nodes, &["ip", "nft", "keepalived"])
    }

    fn needing(nodes: usize, programs: &[&str]) -> Option<Self> {
        if let Some(why) = missing(programs) {
            let test = std::thread::current().name().unwrap_or("lab").to_owned();
            say(&format!("\n*** SKIPPED {test}: {why} ***"));
            assert!(std::env::var_os("CI").is_none(), "{test} cannot run here: {why}");
            return None;
        }
        Some(Self::build(&format!("un{}", std::process::id()), nodes))
    }

    /// Builds the network under the given name prefix; whatever bears that prefix already is swept first.
    pub fn build(prefix: &str, nodes: usize) -> Self {
        let file = File::create(LOCK).expect("/tmp is writable for root");
        let alone =
            Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, e)| e).expect("a lock file locks");
        let dir = PathBuf::from(format!("/tmp/unsinkable-lab.{prefix}"));
        sweep_dead();
        sweep(prefix, &dir);
        fs::create_dir_all(&dir).expect("/tmp is writable for root");
        let guardian = guard(prefix, &dir);
        netns::make_bridge(prefix);
        netns::make_host(prefix, "c", 0, 100);
        let nodes: Vec<Node> = (0..nodes).map(|index| Node::new(prefix, &dir, index)).collect();
        let owners = Owners::watch(nodes.iter().map(|n| n.netns.clone()));
        Self { prefix: prefix.into(), dir, nodes, owners, guardian, _alone: alone }
    }

    /// The bridge's namespace.
    pub fn bridge(&self) -> String {
        format!("{}-br", self.prefix)
    }

    /// The client's namespace.
    pub fn client(&self) -> String {
        format!("{}-c", self.prefix)
    }

    /// Leaves the lab standing when this process ends.
    pub fn keep(mut self) -> ! {
        let mut pipe = self.guardian.stdin.take().expect("the guardian's stdin is a pipe");
        pipe.write_all(b"keep\n").expect("the guardian reads");
        self.guardian.wait().ok();
        std::process::exit(0)
    }

    /// Waits until exactly `node` owns `vip`, and nobody else; panics after `limit`.
    pub fn settle(&self, vip: IpAddr, node: usize, limit: Duration) {
        let start = Instant::now();
        while self.owners.now(vip) != [node] {
            let owners = self.owners.now(vip);
            assert!(
                start.elapsed() < limit,
                "{vip}: waited {limit:?} for node {node}, owners are {owners:?}"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Panics unless `node` alone owns `vip` during all of the coming `time`.
    pub fn steady(&self, vip: IpAddr, node: usize, time: Duration) {
        let from = Instant::now();
        assert_eq!(self.owners.now(vip), [node], "{vip} should be on node {node} alone");
        std::thread::sleep(time);
        let changes = self.owners.changes(vip, from, Instant::now());
        assert!(changes.is_empty(), "{vip} should have stayed on node {node}: {changes:?}");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.owners.stop();
        for node in &mut self.nodes {
            node.stop_all_fakes();
            node.end();
        }
        drop(self.guardian.stdin.take());
        self.guardian.wait().ok();
    }
}

/// Milliseconds, as the tests write times.
pub const fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

/// Prints a measured time, and panics where it lies outside of `low` to `high` milliseconds.
#[track_caller]
pub fn within(what: &str, got: Duration, low: u64, high: u64) {
    say(&format!("    {what}: {:.1} ms", got.as_secs_f64() * 1e3));
    assert!(got >= ms(low) && got <= ms(high), "{what}: {got:?}, expected {low} to {high} ms");
}

fn sweep(prefix: &str, dir: &Path) {
    Command::new("sh").args(["-c", SWEEP, "sweep", prefix]).arg(dir).status().expect("sh is everywhere");
}

/// Sweeps labs whose process is gone.
fn sweep_dead() {
    for line in ip("netns list").lines() {
        let pid =
            line.strip_prefix("un").and_then(|l| l.split_once('-')).and_then(|(pid, _)| pid.parse().ok());
        let Some(pid) = pid else { continue };
        let pid: u32 = pid;
        if !Path::new(&format!("/proc/{pid}")).exists() {
            sweep(&format!("un{pid}"), Path::new(&format!("/tmp/unsinkable-lab.un{pid}")));
        }
    }
}

fn guard(prefix: &str, dir: &Path) -> Child {
    use std::os::unix::process::CommandExt;
    Command::new("sh")
        .args(["-c", &format!("{GUARDIAN}{SWEEP}"), "guardian", prefix])
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("sh is everywhere")
}

impl Node {
    fn new(prefix: &str, lab_dir: &Path, index: usize) -> Self {
        let name = format!("n{}", index + 1);
        let netns = netns::make_host(prefix, &name, index + 1, 31 + index);
        let init = Some(netns::make_init(&netns));
        let dir = lab_dir.join(&name);
        fs::create_dir_all(&dir).expect("the lab's directory is ours");
        Self { index, netns, dir, init, fakes: Mutex::default() }
    }

    /// Its IPv4 address.
    pub fn v4(&self) -> IpAddr {
        v4(self.index)
    }

    /// Its IPv6 address.
    pub fn v6(&self) -> IpAddr {
        v6(self.index)
    }

    /// PID 1 of its PID namespace, as the host numbers it.
    pub fn init(&self) -> u32 {
        self.init.as_ref().map_or(0, Child::id)
    }

    /// Ends PID 1 and with it all others. It is gone only when each of them is reaped, which a daemon dropped after the
    /// lab is not yet: so a thread waits, not we.
    fn end(&mut self) {
        let Some(mut init) = self.init.take() else { return };
        init.kill().ok();
        std::thread::spawn(move || init.wait());
    }

    /// Starts a command inside this node: its network, its processes, its mounts. `Child::id` is the host's number.
    pub fn spawn(&self, command: &mut Command) -> std::io::Result<Child> {
        netns::spawn_in(&self.netns, self.init(), command)
    }

    /// Starts a stand-in of that name: all that pgrep or /proc shows of it is right.
    pub fn start_fake(&self, name: &str) {
        let program = self.dir.join(name);
        if !program.exists() {
            fs::copy("/bin/sleep", &program).expect("/bin/sleep can be copied");
        }
        let child = self.spawn(Command::new(&program).arg("100000")).expect("a copy of sleep starts");
        self.fakes.lock().expect("no thread panicked with it").insert(name.into(), child);
    }

    /// Kills the stand-in of that name; returns the moment.
    pub fn stop_fake(&self, name: &str) -> Instant {
        let mut fakes = self.fakes.lock().expect("no thread panicked with it");
        let mut child = fakes.remove(name).unwrap_or_else(|| panic!("no {name} runs on node {}", self.index));
        let at = Instant::now();
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
        at
    }

    fn stop_all_fakes(&self) {
        for (_, mut child) in self.fakes.lock().expect("no thread panicked with it").drain() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// IPv4 address of the node with that index.
pub fn v4(index: usize) -> IpAddr {
    let last = u8::try_from(31 + index).expect("labs are small");
    IpAddr::V4(Ipv4Addr::new(10, 0, 10, last))
}

/// IPv6 address of the node with that index: `fd00:10::31` and up, the digits as in IPv4.
pub fn v6(index: usize) -> IpAddr {
    let last = u16::try_from(0x31 + index).expect("labs are small");
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x10, 0, 0, 0, 0, 0, last))
}
