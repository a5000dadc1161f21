//! Taking a lab away, whoever does it: the lab when it is dropped, a guardian shell when the tests were killed, or the next lab.

use crate::net;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Ends the processes in every namespace named `$1-…` (PID 1 of a node takes its containers along), then removes the
/// namespaces, the containers' cgroups and the directory `$2`.
const SWEEP: &str = r#"for ns in $(ip netns list | cut -d' ' -f1 | grep "^$1-"); do
    ip netns pids "$ns" | xargs -r kill -9 2>/dev/null
    ip netns del "$ns"
done
for try in 1 2 3 4 5 6 7 8 9 10; do
    find /sys/fs/cgroup -depth -type d -path "*/$1*" -exec rmdir {} + 2>/dev/null
    [ -z "$(find /sys/fs/cgroup -maxdepth 3 -type d -name "$1" 2>/dev/null)" ] && break
    sleep 0.2
done
rm -rf --one-file-system "$2"
"#;

/// Waits until the tests are gone (their end of the pipe closes), then sweeps.
const GUARDIAN: &str = "trap '' INT TERM HUP QUIT\nread word\n";

/// The directory of the lab of that name.
pub fn directory(prefix: &str) -> PathBuf {
    PathBuf::from(format!("/tmp/unsinkable-swarm.{prefix}"))
}

/// A shell that sweeps the lab as soon as its standard input is closed.
pub fn guard(prefix: &str, dir: &Path) -> Child {
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

/// Sweeps labs whose process is gone, and whose guardian has been killed, too: `us<pid>x<number>`.
pub fn sweep_dead() {
    let labs = net::ip("netns list");
    let prefixes = labs.lines().filter_map(|line| line.split(['-', ' ']).next()).filter(|p| is_dead(p));
    let mut dead: Vec<&str> = prefixes.collect();
    dead.sort_unstable();
    dead.dedup();
    for prefix in dead {
        let mut sweep = Command::new("sh");
        sweep.args(["-c", SWEEP, "sweep", prefix]).arg(directory(prefix));
        sweep.status().expect("sh is everywhere");
    }
}

fn is_dead(prefix: &str) -> bool {
    let pid = prefix.strip_prefix("us").and_then(|rest| rest.split_once('x')).map(|(pid, _)| pid);
    pid.and_then(|pid| pid.parse::<u32>().ok())
        .is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists())
}
