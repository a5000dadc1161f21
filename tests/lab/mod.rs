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
pub mod node;
pub mod owners;
pub mod pings;
pub mod router;
pub mod sniffer;
pub mod usage;

use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use node::Node;
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

/// False where root or one of the programs is missing: says so loudly, and fails under CI.
pub fn can_run(programs: &[&str]) -> bool {
    let Some(why) = missing(programs) else { return true };
    let test = std::thread::current().name().unwrap_or("lab").to_owned();
    say(&format!("\n*** SKIPPED {test}: {why} ***"));
    assert!(std::env::var_os("CI").is_none(), "{test} cannot run here: {why}");
    false
}

/// What this machine lacks for the lab.
fn missing(programs: &[&str]) -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("it needs root (run tests/run, or sudo)".into());
    }
    let lacking: Vec<_> = programs.iter().copied().filter(|p| !installed(p)).collect();
    (!lacking.is_empty()).then(|| format!("{} not installed (run tests/setup)", lacking.join(", ")))
}

/// The longest two owners may last after a crash at adverts of a second or less. The kernel ends a lease by batches of whole
/// seconds and by a deferrable timer (IPv6 since Linux 5.18, IPv4 since 6.13), for which no idle core wakes: up to 1 s late
/// was seen where nothing else ran. The bench reports how late it was; here it is enough that it ends.
const TWO_OWNERS_MS: u64 = 3000;

/// The network, its nodes and the client.
pub struct Lab {
    pub prefix: String,
    pub dir: PathBuf,
    pub nodes: Vec<Node>,
    pub owners: Owners,
    guardian: Child,
    _alone: Flock<File>,
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
        can_run(programs).then(|| Self::build(&format!("un{}", std::process::id()), nodes))
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

    /// Expects `node` to be the only owner before long, though who owned it until `event` cannot give it up: the lease ends it.
    pub fn two_owners_end(&self, vip: IpAddr, node: usize, event: Instant) {
        self.settle(vip, node, ms(TWO_OWNERS_MS + 200));
        within("two owners", self.owners.spans(vip, event, Instant::now()).two, 0, TWO_OWNERS_MS);
    }

    /// Waits until nobody owns `vip`: the kernel tells those who watch a moment after it is gone. Panics after `limit`.
    pub fn nobody(&self, vip: IpAddr, limit: Duration) {
        let start = Instant::now();
        while !self.owners.now(vip).is_empty() {
            assert!(start.elapsed() < limit, "{vip}: waited {limit:?} for nobody to own it");
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
