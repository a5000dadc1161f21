//! A real Docker Swarm on one machine: nodes made of namespaces, each with its own dockerd, and two registries.
//!
//! ```text
//!    bridge namespace  br0 10.0.10.200 ─┬─ p1 ══ eth0  n1  10.0.10.31   own network, PIDs, mounts, host name, IPC
//!    docker-registry   :5000            ├─ p2 ══ eth0  n2  10.0.10.32   dockerd, containerd, containers
//!    with login        :5001            └─ p3 ══ eth0  n3  10.0.10.33
//! ```
//!
//! Nothing has a route out of the lab. On the host there are only network namespaces called `us<pid>x<number>-…`, cgroups
//! of the same name and one directory in /tmp; all of it goes when the [`Lab`] is dropped. Several labs may run at once.
//!
//! ```ignore
//! let Some(lab) = Lab::new(3) else { return };              // three managers
//! lab.push("app:v1", Image::Good("1"));                     // to both registries
//! lab.move_tag("app:latest", "v1");
//! lab.node(0).docker(&["service", "create", "--name", "web", &lab.image("app:latest")]);
//! let daemon = lab.node(0).unsinkable(&["run", …]);         // our binary in the node
//! lab.wait("web runs", || lab.running("web") == 1);
//! ```
//!
//! This kernel may lack IPVS: publish ports with `mode=host`, and let services talk by `--endpoint-mode dnsrr`.
#![allow(
    dead_code,
    unused_imports,
    clippy::unused_self,
    reason = "each group of tests uses its own part of the lab"
)]

pub mod http;
pub mod image;
pub mod node;
pub mod registry;
pub mod service;
pub mod sweep;

pub use image::Image;
pub use node::Node;
pub use registry::{AUTH, OPEN, PASSWORD, PRIVATE};

use crate::net::{self, netns};
use registry::Registries;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Of everything that runs in the lab.
pub const PATH: &str = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";
/// How long [`Lab::wait`] waits: Swarm itself takes up to 45 s to give up a node.
const PATIENCE: Duration = Duration::from_secs(90);
/// What the lab starts.
const PROGRAMS: [&str; 9] =
    ["ip", "dockerd", "docker", "containerd", "docker-registry", "busybox", "iptables", "tar", "sha256sum"];

/// Debian's CLI; a newer one first in the PATH may not go with Debian's dockerd.
pub fn docker_cli() -> &'static str {
    if Path::new("/usr/bin/docker").exists() { "/usr/bin/docker" } else { "docker" }
}

/// The switch, the registries and the nodes.
pub struct Lab {
    pub nodes: Vec<Node>,
    pub dir: PathBuf,
    prefix: String,
    registries: Mutex<Registries>,
    guardian: Child,
}

impl Lab {
    /// A Swarm of so many managers; none where root or Docker is missing: says so loudly, and fails under CI.
    pub fn new(managers: usize) -> Option<Self> {
        Self::with_workers(managers, 0)
    }

    /// The same, with workers behind the managers.
    pub fn with_workers(managers: usize, workers: usize) -> Option<Self> {
        let lab = Self::plain(managers + workers)?;
        lab.make_swarm(managers);
        Some(lab)
    }

    /// Nodes without a Swarm.
    pub fn plain(nodes: usize) -> Option<Self> {
        net::can_run(&PROGRAMS).then(|| Self::build(nodes))
    }

    fn build(nodes: usize) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let prefix = format!("us{}x{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        sweep::sweep_dead();
        let dir = sweep::directory(&prefix);
        fs::create_dir_all(&dir).expect("/tmp is writable for root");
        let guardian = sweep::guard(&prefix, &dir);
        netns::make_bridge(&prefix);
        net::ip(&format!("-n {prefix}-br link set lo up"));
        net::ip(&format!("-n {prefix}-br addr add {}/24 dev br0", registry::ADDRESS));
        let nodes: Vec<Node> = (0..nodes).map(|index| Node::new(&prefix, &dir, index)).collect();
        let registries = Mutex::new(Registries::start(&format!("{prefix}-br"), &dir));
        let lab = Self { nodes, dir, prefix, registries, guardian };
        lab.write_credentials();
        for node in &lab.nodes {
            node.wait_for_dockerd();
        }
        lab
    }

    fn make_swarm(&self, managers: usize) {
        let Some(first) = self.nodes.first() else { return };
        let address = first.address();
        let listen = format!("{address}:2377");
        // Swarm's own pool would reach the LAN with its tenth network. A short heartbeat: nodes that are gone are missed sooner.
        first.docker(&[
            "swarm",
            "init",
            "--advertise-addr",
            &address,
            "--listen-addr",
            &listen,
            "--default-addr-pool",
            "10.200.0.0/16",
            "--dispatcher-heartbeat",
            "2s",
        ]);
        for (index, node) in self.nodes.iter().enumerate().skip(1) {
            let role = if index < managers { "manager" } else { "worker" };
            let token = first.docker(&["swarm", "join-token", "-q", role]);
            let own = node.address();
            let listen_here = format!("{own}:2377");
            node.docker(&[
                "swarm",
                "join",
                "--token",
                token.trim(),
                "--advertise-addr",
                &own,
                "--listen-addr",
                &listen_here,
                &listen,
            ]);
        }
        self.wait("all nodes ready", || {
            let list = first.get("/nodes");
            let ready = |n: &&serde_json::Value| n["Status"]["State"] == "ready";
            list.as_array().is_some_and(|all| all.iter().filter(ready).count() == self.nodes.len())
        });
    }

    /// The node with that index, from 0.
    pub fn node(&self, index: usize) -> &Node {
        &self.nodes[index]
    }

    /// Namespace of the switch: [`Sniffer::start`](net::sniffer::Sniffer::start) listens there.
    pub fn bridge(&self) -> String {
        format!("{}-br", self.prefix)
    }

    /// Pushes an image to both registries as `repository:tag`; its digest (`sha256:…`).
    pub fn push(&self, tag: &str, image: Image) -> String {
        self.registries().push(tag, image)
    }

    /// Points `repository:tag` at another tag of the repository in both registries; the digest it has now.
    pub fn move_tag(&self, tag: &str, to: &str) -> String {
        self.registries().move_tag(tag, to)
    }

    /// Removes an image from both registries, by its digest.
    pub fn forget(&self, repository: &str, digest: &str) {
        self.registries().forget(repository, digest);
    }

    /// Both registries end: connections are refused.
    pub fn registry_down(&self) {
        self.registries().down();
    }

    /// Both registries run again, with all they had.
    pub fn registry_up(&self) {
        self.registries().up();
    }

    fn registries(&self) -> std::sync::MutexGuard<'_, Registries> {
        self.registries.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// `10.0.10.200:5000/app:latest` for `app:latest`.
    #[expect(clippy::unused_self, reason = "tests ask the lab they have, not where its parts are")]
    pub fn image(&self, tag: &str) -> String {
        format!("{OPEN}/{tag}")
    }

    /// The same in the registry with login.
    #[expect(clippy::unused_self, reason = "tests ask the lab they have, not where its parts are")]
    pub fn private_image(&self, tag: &str) -> String {
        format!("{PRIVATE}/{tag}")
    }

    /// Docker's config.json with the login of the private registry, mode 0600. The lab's Docker CLI has it, too: it is sent
    /// where `--with-registry-auth` is given.
    pub fn credentials(&self) -> PathBuf {
        self.dir.join(".docker/config.json")
    }

    fn write_credentials(&self) {
        let file = self.credentials();
        fs::create_dir_all(self.dir.join(".docker")).expect("the lab's directory is ours");
        let text = format!(r#"{{"auths":{{"{PRIVATE}":{{"auth":"{}"}}}}}}"#, registry::AUTH);
        fs::write(&file, text).expect("the lab's directory is ours");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    }

    fn port(&self, node: usize, what: &str) {
        net::ip(&format!("-n {} link set p{} {what}", self.bridge(), node + 1));
    }

    /// The node's cable is cut where it cannot see it: carrier stays, no frame passes.
    pub fn cut(&self, node: usize) {
        self.port(node, "nomaster");
    }

    /// The cable is mended.
    pub fn heal(&self, node: usize) {
        self.port(node, "master br0");
    }

    /// Polls until `done`; panics, naming `what`, when that takes too long.
    #[track_caller]
    pub fn wait(&self, what: &str, done: impl FnMut() -> bool) {
        self.wait_for(PATIENCE, what, done);
    }

    /// The same with a limit of one's own.
    #[track_caller]
    #[expect(clippy::unused_self, reason = "tests ask the lab they have, not where its parts are")]
    pub fn wait_for(&self, limit: Duration, what: &str, mut done: impl FnMut() -> bool) {
        let start = Instant::now();
        while !done() {
            assert!(start.elapsed() < limit, "waited {limit:?} for: {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The index of the node that leads the Raft, as `asked` sees it.
    pub fn leader(&self, asked: usize) -> Option<usize> {
        let reply =
            self.node(asked).try_call("GET", "/nodes", "").ok().filter(|reply| reply.status == 200)?;
        let list: serde_json::Value = serde_json::from_slice(&reply.body).ok()?;
        let leader = list.as_array()?.iter().find(|n| n["ManagerStatus"]["Leader"] == true)?;
        let name = leader["Description"]["Hostname"].as_str()?;
        self.nodes.iter().position(|node| node.name == name)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os("SWARM_LAB_KEEP").is_some() {
            net::say(&format!("--- {} stands until Enter", self.dir.display()));
            std::io::stdin().read_line(&mut String::new()).ok();
        }
        self.nodes.clear();
        self.registries().down();
        drop(self.guardian.stdin.take());
        self.guardian.wait().ok();
    }
}
