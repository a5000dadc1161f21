//! One Pi: a network namespace, a PID and mount namespace of its own, and stand-ins for what runs on it.

use super::{netns, v4, v6};
use std::collections::HashMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Mutex;
use std::time::Instant;

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

impl Node {
    /// Makes the node with that index: its namespaces and its directory.
    pub fn new(prefix: &str, lab_dir: &Path, index: usize) -> Self {
        Self::with_setup(prefix, lab_dir, index, "")
    }

    /// The same; its PID 1 runs the shell lines of `setup` first, in all its namespaces.
    pub fn with_setup(prefix: &str, lab_dir: &Path, index: usize, setup: &str) -> Self {
        let name = format!("n{}", index + 1);
        let netns = netns::make_host(prefix, &name, index + 1, 31 + index);
        let init = Some(netns::make_init(&netns, setup));
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

    /// Ends the stand-ins, then PID 1 and with it all others. It is gone only when each of them is reaped, which a daemon dropped after the
    /// lab is not yet: so a thread waits, not we.
    pub fn end(&mut self) {
        for (_, mut fake) in self.fakes.lock().expect("no thread panicked with it").drain() {
            fake.kill().ok();
            fake.wait().ok();
        }
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
}
