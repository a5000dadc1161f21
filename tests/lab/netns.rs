//! Making namespaces, and doing something inside one: a thread enters, works, and ends there.

use super::{ip, run};
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::{self, File};
use std::process::{Child, Command, Stdio};

/// Runs `work` on a thread of its own inside the named network namespace.
pub fn inside<T: Send>(netns: &str, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let job = scope.spawn(|| {
            enter(netns);
            work()
        });
        job.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Moves the calling thread (it alone) into the named network namespace.
pub fn enter(netns: &str) {
    let file = File::open(format!("/run/netns/{netns}")).unwrap_or_else(|e| panic!("netns {netns}: {e}"));
    setns(file, CloneFlags::CLONE_NEWNET).unwrap_or_else(|e| panic!("netns {netns}: {e}"));
}

/// Starts `command` in the network namespace and in the other namespaces of process `init`.
pub fn spawn_in(netns: &str, init: u32, command: &mut Command) -> std::io::Result<Child> {
    inside(netns, || {
        let of_init = |kind: &str| File::open(format!("/proc/{init}/ns/{kind}"));
        let (pids, mounts) = (of_init("pid")?, of_init("mnt")?);
        setns(of_init("uts")?, CloneFlags::CLONE_NEWUTS)?;
        setns(of_init("ipc")?, CloneFlags::CLONE_NEWIPC)?;
        // A mount namespace is entered only by one who shares its root and working directory with no other thread.
        unshare(CloneFlags::CLONE_FS)?;
        setns(mounts, CloneFlags::CLONE_NEWNS)?;
        setns(pids, CloneFlags::CLONE_NEWPID)?;
        command.stdin(Stdio::null()).spawn()
    })
}

/// Starts PID 1 of a node: a sleep that reaps orphans (SIGCHLD ignored) in new PID, mount, host name and IPC namespaces.
/// `setup` is shell that runs there first.
pub fn make_init(netns: &str, setup: &str) -> Child {
    let script = format!(
        "set -e\nmount --make-rprivate /\nmount -t proc proc /proc\n{setup}\necho up\nexec env --ignore-signal=CHLD sleep 100000"
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = inside(netns, || {
        unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID)?;
        unshare(CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC)?;
        command.spawn()
    })
    .expect("root may unshare, and sh is everywhere");
    let mut up = [0; 3];
    let pipe = child.stdout.as_mut().expect("stdout is a pipe");
    std::io::Read::read_exact(pipe, &mut up).expect("the node's init comes up");
    child
}

/// The switch: no spanning tree, no snooping, no address of its own.
pub fn make_bridge(prefix: &str) {
    let ns = format!("{prefix}-br");
    ip(&format!("netns add {ns}"));
    inside(&ns, || set("net/ipv6/conf/default/disable_ipv6", "1"));
    ip(&format!("-n {ns} link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0"));
    ip(&format!("-n {ns} link set br0 up"));
}

/// A host on the switch's port `p<port>`, its addresses and its MAC (02:00:00:10:00:31 and so on) ending in `last`.
pub fn make_host(prefix: &str, name: &str, port: usize, last: usize) -> String {
    let (ns, bridge) = (format!("{prefix}-{name}"), format!("{prefix}-br"));
    ip(&format!("netns add {ns}"));
    inside(&ns, || {
        for (key, value) in [("accept_dad", "0"), ("dad_transmits", "0"), ("accept_ra", "0")] {
            set(&format!("net/ipv6/conf/default/{key}"), value);
        }
        set("net/ipv4/conf/all/rp_filter", "0");
        set("net/ipv4/conf/default/rp_filter", "0");
        set("net/ipv4/conf/all/promote_secondaries", "1");
    });
    let mac = format!("02:00:00:10:{:02}:{:02}", last / 100, last % 100);
    ip(&format!("-n {bridge} link add p{port} type veth peer name eth0 netns {ns} address {mac}"));
    ip(&format!("-n {bridge} link set p{port} master br0 up"));
    ip(&format!("-n {ns} link set lo up"));
    ip(&format!("-n {ns} link set eth0 up"));
    add_addresses(&ns, last);
    ns
}

/// Gives a host its own addresses (again).
pub fn add_addresses(ns: &str, last: usize) {
    ip(&format!("-n {ns} addr replace 10.0.10.{last}/24 dev eth0"));
    ip(&format!("-n {ns} addr replace fd00:10::{last}/64 dev eth0 nodad"));
}

/// Runs nft inside a namespace.
pub fn nft(netns: &str, rules: &str) {
    run(Command::new("ip").args(["netns", "exec", netns, "nft", rules]));
}

/// Sets a sysctl of the calling thread's network namespace.
fn set(key: &str, value: &str) {
    fs::write(format!("/proc/sys/{key}"), value).unwrap_or_else(|e| panic!("sysctl {key}: {e}"));
}
