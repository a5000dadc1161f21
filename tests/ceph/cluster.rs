//! A Ceph of one monitor and two managers under /tmp, on loopback ports of its own, ended by process ID. No OSD: what is
//! asked for is what managers tell.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use unsinkable::http_url::HttpUrl;

/// A manager needs some seconds for its modules; a busy machine ten times as many.
const PATIENCE: Duration = Duration::from_secs(90);
const FSID: &str = "11111111-2222-3333-4444-555555555555";
/// The monitor's two, and each manager's.
const PORTS: [u16; 4] = [53300, 53789, 53283, 53284];

pub struct Cluster {
    dir: PathBuf,
    daemons: Vec<Child>,
}

impl Cluster {
    /// Both managers answer, `a` is active; nothing, said loudly, where Ceph is not installed.
    pub fn start() -> Option<Self> {
        if Command::new("ceph-mgr").arg("--version").stdout(Stdio::null()).status().is_err() {
            eprintln!("SKIPPED: ceph-mon and ceph-mgr are not installed (tests/setup)");
            assert!(std::env::var_os("CI").is_none(), "CI must have them");
            return None;
        }
        let dir = PathBuf::from(format!("/tmp/unsinkable-ceph-{}", std::process::id()));
        let mut cluster = Self { dir, daemons: Vec::new() };
        cluster.prepare();
        cluster.daemon("ceph-mon", "a");
        cluster.ceph(&["mgr", "module", "enable", "prometheus", "--force"]);
        // Gathered anew each 2 s instead of 15.
        cluster.ceph(&["config", "set", "mgr", "mgr/prometheus/scrape_interval", "2", "--force"]);
        for (name, port) in [("a", PORTS[2]), ("b", PORTS[3])] {
            let set = |option: &str, value: &str| {
                let name = format!("mgr/prometheus/{name}/{option}");
                cluster.ceph(&["config", "set", "mgr", &name, value, "--force"]);
            };
            set("server_addr", "127.0.0.1");
            set("server_port", &port.to_string());
        }
        for name in ["a", "b"] {
            cluster.daemon("ceph-mgr", name);
            Self::wait_for(name);
        }
        Some(cluster)
    }

    pub fn url(name: &str) -> HttpUrl {
        let port = if name == "a" { PORTS[2] } else { PORTS[3] };
        HttpUrl::parse(&format!("http://127.0.0.1:{port}"), 9283, "/metrics").expect("an URL")
    }

    /// `ceph …` by its administrator.
    pub fn ceph(&self, args: &[&str]) {
        let mut command = Command::new("timeout");
        run(command.args(["60", "ceph", "-c"]).arg(self.conf()).args(args));
    }

    fn conf(&self) -> PathBuf {
        self.dir.join("ceph.conf")
    }

    /// Configuration, keys and the monitor's store.
    fn prepare(&self) {
        let dir = self.dir.display();
        fs::create_dir_all(self.dir.join("mon")).expect("a directory under /tmp");
        let [v2, v1, _, _] = PORTS;
        let mut conf = format!(
            "[global]\nfsid = {FSID}\nmon host = [v2:127.0.0.1:{v2}/0,v1:127.0.0.1:{v1}/0]\npublic addr = 127.0.0.1\n\
             auth cluster required = cephx\nauth service required = cephx\nauth client required = cephx\n\
             keyring = {dir}/keyring\nrun dir = {dir}\nadmin socket = {dir}/$name.asok\npid file = {dir}/$name.pid\n\
             log file = {dir}/$name.log\nmon cluster log file = {dir}/cluster.log\ncrash dir = {dir}\n\
             mon data avail warn = 1\nmon data avail crit = 0\n[mon.a]\nmon data = {dir}/mon\n"
        );
        let keyring = self.dir.join("keyring");
        key(&keyring, "mon.", &["mon", "allow *"]);
        key(&keyring, "client.admin", &["mon", "allow *", "mgr", "allow *", "osd", "allow *"]);
        for name in ["a", "b"] {
            let home = self.dir.join(format!("mgr-{name}"));
            fs::create_dir(&home).expect("it is new");
            let caps = ["mon", "allow profile mgr", "osd", "allow *", "mds", "allow *"];
            key(&home.join("keyring"), &format!("mgr.{name}"), &caps);
            run(Command::new("ceph-authtool")
                .arg(&keyring)
                .arg("--import-keyring")
                .arg(home.join("keyring")));
            let home = home.display();
            let _ = writeln!(conf, "[mgr.{name}]\nmgr data = {home}\nkeyring = {home}/keyring");
        }
        fs::write(self.conf(), conf).expect("writable");
        let (map, addrs) = (self.dir.join("monmap"), format!("[v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]"));
        run(Command::new("monmaptool").args(["--create", "--addv", "a", &addrs, "--fsid", FSID]).arg(&map));
        let mut mkfs = Command::new("ceph-mon");
        mkfs.arg("-c").arg(self.conf()).args(["--mkfs", "-i", "a", "--monmap"]).arg(map);
        run(mkfs.arg("--keyring").arg(keyring));
    }

    fn daemon(&mut self, program: &str, name: &str) {
        let log = fs::File::create(self.dir.join(format!("{program}.{name}.out"))).expect("writable");
        let mut command = Command::new(program);
        command.arg("-c").arg(self.conf()).args(["-f", "-i", name]).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("another one")).stderr(log);
        self.daemons.push(command.spawn().expect("it was there"));
    }

    /// The module answers: `a` with the state of all, `b` at all.
    fn wait_for(name: &str) {
        let url = Self::url(name);
        let begun = Instant::now();
        loop {
            match smol::block_on(unsinkable::ceph::run::ask(&url, Duration::from_secs(5))) {
                Ok(_) => return,
                Err(error) if name == "b" && error == "stands by" => return,
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{url}: {error}"),
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn key(keyring: &Path, name: &str, caps: &[&str]) {
    let mut command = Command::new("ceph-authtool");
    command.arg(keyring);
    if !keyring.exists() {
        command.arg("--create-keyring");
    }
    command.args(["--gen-key", "-n", name]);
    for cap in caps.chunks(2) {
        command.arg("--cap").args(cap);
    }
    run(&mut command);
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
