//! What updates and pruning cost on a real Swarm, as one Markdown table: `tests/bench --docker` builds and runs it.
//!
//! Beside ours stands, measured in the same run, Debian's `docker` CLI doing the same work with one process a question, as
//! the shell tools do, and the figures of shepherd and docker-cleanup from an earlier run on the same machine (docker CLI
//! 28.2.2, wall time with shepherd's own waiting).
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

#[path = "../dockerd/mod.rs"]
#[allow(dead_code, reason = "the bench needs one script")]
mod dockerd;
#[path = "lab/mod.rs"]
mod lab;
mod measure;
#[path = "../lab/mod.rs"]
mod net;
#[allow(dead_code, reason = "shared with the tests")]
mod rounds;

use dockerd::{Asked, Dockerd, Reply};
use lab::{Image, Lab, Node};
use measure::{Cost, field, measured};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Rounds of a figure; the median is shown.
const ROUNDS: usize = 5;

fn main() {
    println!(
        "| | ours: wall | CPU | peak RSS (PSS) | requests | docker CLI: wall | CPU | processes | shepherd / docker-cleanup (quoted) | budget |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let lab = Lab::new(1).expect("the bench needs root and Docker");
    lab.push("app:v1", Image::Good("1"));
    let mut services = 0;
    let quoted = [
        "5.4 s, 0.21 s CPU, 23 processes, 1 POST",
        "52.7 s, 1.6 s CPU, 167 processes, 10 POSTs",
        "160 s, 5.1 s CPU, 487 processes, 30 POSTs",
    ];
    for (wanted, quoted) in [1, 10, 30].into_iter().zip(quoted) {
        while services < wanted {
            services += 1;
            // A tag each: every service costs a question to the registry, as different images do.
            lab.move_tag(&format!("app:s{services}"), "v1");
            let (name, image) = (format!("s{services}"), lab.image(&format!("app:s{services}")));
            lab.node(0).docker(&["service", "create", "--detach", "--name", &name, &image]);
        }
        for number in 1..=wanted {
            lab.wait("the service runs", || lab.node(0).running(&format!("s{number}")).len() == 1);
        }
        let cost = ours(&lab, "update", &rounds::QUICK);
        let theirs = measured(ROUNDS, || shell_update(lab.node(0), wanted));
        let budget = if wanted == 30 { "≤ 0.5 s, ≤ 50 ms CPU, no POST" } else { "" };
        row(&format!("idle update round, {wanted} services"), &cost, &theirs, 1 + 2 * wanted, quoted, budget);
    }
    at_rest(&lab);
    drop(lab);
    pruning();
    listing();
}

/// A command of ours, its output thrown away.
fn ours_command(what: &str, socket: &Path, state: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new(net::daemon::binary());
    command.args([what, "--json", "--docker"]).arg(socket).arg("--state-dir").arg(state).args(flags);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn start(node: &Node, what: &str, socket: &Path, flags: &[&str]) -> Child {
    let state = node.state_dir();
    let mut command = ours_command(what, socket, Path::new(&state), flags);
    node.pi.spawn(&mut command).expect("our binary starts")
}

fn ours(lab: &Lab, what: &str, flags: &[&str]) -> Cost {
    let node = lab.node(0);
    Cost::of(ROUNDS, &node.socket(), |socket| start(node, what, socket, flags))
}

/// Times alone, of one run: what it does cannot be done twice.
fn once(lab: &Lab, what: &str, flags: &[&str]) -> Cost {
    let node = lab.node(0);
    measured(1, || {
        start(node, what, &node.socket(), flags).wait().expect("it is our child");
    })
}

fn row(what: &str, ours: &Cost, theirs: &Cost, processes: usize, quoted: &str, budget: &str) {
    let ms = |time: Duration| format!("{:.0} ms", time.as_secs_f64() * 1e3);
    let mb = |kib: u64| format!("{:.1}", kib as f64 / 1024.0);
    let memory = if ours.rss == 0 { "–".into() } else { format!("{} ({}) MB", mb(ours.rss), mb(ours.pss)) };
    let requests = if ours.requests == 0 { "–".into() } else { ours.requests.to_string() };
    let cli = if processes == 0 {
        "– | – | –".into()
    } else {
        format!("{} | {} | {processes}", ms(theirs.wall), ms(theirs.cpu))
    };
    println!(
        "| {what} | {} | {} | {memory} | {requests} | {cli} | {quoted} | {budget} |",
        ms(ours.wall),
        ms(ours.cpu)
    );
}

/// As shepherd begins: which services, what image has each, what does its registry say.
fn shell_update(node: &Node, services: usize) {
    node.docker(&["service", "ls", "-q"]);
    for number in 1..=services {
        let name = format!("s{number}");
        let format = "{{.Spec.TaskTemplate.ContainerSpec.Image}}";
        let image = node.docker(&["service", "inspect", "--format", format, &name]);
        let image = image.split('@').next().unwrap_or_default();
        node.docker(&["manifest", "inspect", "--insecure", image.trim()]);
    }
}

fn pruning() {
    let lab = Lab::plain(1).expect("the bench needs root and Docker");
    let node = lab.node(0);
    for number in 1..=30 {
        lab.push(&format!("old{number}:v1"), Image::Good(&number.to_string()));
    }
    let flags =
        ["--grace", "0s", "--keep-per-repo", "0", "--prune-volumes", "*", "--prune-volumes", "anonymous"];
    litter(&lab);
    let idle = ours(&lab, "prune", &["--dry-run", "--grace", "1h"]);
    let asks = measured(ROUNDS, || shell_ask(node));
    row(
        "prune pass with nothing to remove: 30 images, 22 containers, 20 volumes",
        &idle,
        &asks,
        3,
        "0.62 s, 0.41 s CPU (second pass)",
        "",
    );

    // Twice the same mess: the first look has seen nothing unused yet, whatever the grace.
    let first = rounds::round(node, "prune", &flags).report.to_string().matches("\"removed\"").count();
    let removed = once(&lab, "prune", &flags);
    let left = node.docker(&["ps", "-aq"]).lines().count();
    let volumes = node.docker(&["volume", "ls", "-q"]).lines().count();
    eprintln!(
        "the first look removed {first}; after the pass {left} containers and {volumes} volumes are left"
    );
    litter(&lab);
    let theirs = measured(1, || shell_prune(node));
    row(
        "the same, and all unused containers and images go",
        &removed,
        &theirs,
        2 + 20 + 30,
        "2.35 s, 1.36 s CPU, 157 processes, and 8 named volumes gone",
        "≤ 70 ms CPU",
    );
}

/// 30 images, 20 stopped containers (2 of them never started), 2 running ones, 20 volumes.
fn litter(lab: &Lab) {
    let node = lab.node(0);
    for number in 1..=30 {
        node.docker(&["pull", "-q", &lab.image(&format!("old{number}:v1"))]);
    }
    for number in 1..=20 {
        let (volume, image) = (format!("v{number}:/data"), lab.image(&format!("old{number}:v1")));
        let name = format!("c{number}");
        let words: &[&str] = if number > 18 { &["create"] } else { &["run"] };
        node.docker(
            &[words, &["--name", &name, "--volume", &volume, &image, "/bin/busybox", "true"]].concat(),
        );
    }
    for number in 21..=22 {
        let name = format!("c{number}");
        if node.try_docker(&["inspect", &name]).is_err() {
            node.docker(&["run", "-d", "--name", &name, &lab.image("old30:v1")]);
        }
    }
}

fn shell_ask(node: &Node) {
    node.docker(&["ps", "-aq", "--filter", "status=exited"]);
    node.docker(&["images", "-q", "--no-trunc"]);
    node.docker(&["volume", "ls", "-qf", "dangling=true"]);
}

/// As docker-cleanup does it: each by itself. Without the volumes: ours wait for a grace of their own once their containers
/// are gone.
fn shell_prune(node: &Node) {
    let containers = node.docker(&["ps", "-aq", "--filter", "status=exited", "--filter", "status=created"]);
    for container in containers.split_whitespace() {
        node.docker(&["rm", container]);
    }
    for image in node.docker(&["images", "-q", "--no-trunc"]).split_whitespace() {
        node.try_docker(&["rmi", image]).ok();
    }
}

/// The daemon's housekeeper between rounds, after some of them.
fn at_rest(lab: &Lab) {
    let flags = ["--update", "--update-every", "2s", "--prune", "--prune-every", "2s"];
    let daemon = rounds::daemon(lab, 0, &flags);
    std::thread::sleep(Duration::from_secs(12));
    let pid = daemon.child_with("housekeeper").and_then(|pid| u32::try_from(pid).ok()).expect("it runs");
    let pss = field(pid, "smaps_rollup", "Pss:");
    let rss = field(pid, "status", "VmHWM:");
    let before = daemon.usage().cpu;
    std::thread::sleep(Duration::from_secs(20));
    let cpu = daemon.usage().cpu.saturating_sub(before).as_secs_f64() / 20.0 * 100.0;
    println!(
        "| housekeeper, a round of each kind every 2 s, 30 services | – | {cpu:.2} % of a core with the VIP process | {:.1} peak ({:.1} at rest) MB | – | – | – | – | | PSS ≤ 3 MB at rest |",
        rss as f64 / 1024.0,
        pss as f64 / 1024.0
    );
}

/// 1,000 images, which no lab can hold: a fake dockerd tells of them.
fn listing() {
    let image = |n: u32| {
        format!(
            r#"{{"Containers":-1,"Created":1700000000,"Id":"sha256:{n:064x}","Labels":{{"maintainer":"somebody","org.opencontainers.image.title":"app number {n}"}},"ParentId":"","RepoDigests":["registry.example/team/app{n}@sha256:{n:064x}"],"RepoTags":["registry.example/team/app{n}:v1"],"SharedSize":-1,"Size":50000000,"VirtualSize":50000000}}"#
        )
    };
    let images = format!("[{}]", (0..1000).map(image).collect::<Vec<_>>().join(","));
    let dockerd = Dockerd::start("bench", move |asked: &Asked| {
        let info = r#"{"Name":"pi1","Architecture":"aarch64","ServerVersion":"20.10.24","DockerRootDir":"/","Swarm":{"LocalNodeState":"inactive"}}"#;
        match asked.line.split_once("/v1.41").map_or("", |(_, path)| path) {
            path if path.starts_with("/images/json") => Reply::chunks(images.as_bytes(), 32 << 10),
            path if path.starts_with("/info") => Reply::json(200, info),
            path if path.starts_with("/volumes") => Reply::json(200, r#"{"Volumes":[],"Warnings":null}"#),
            _ => Reply::json(200, "[]"),
        }
    });
    let dir = std::env::temp_dir().join(format!("unsinkable-bench-{}", std::process::id()));
    let command = |socket: &Path| ours_command("prune", socket, &dir, &["--dry-run"]);
    let cost = Cost::of(ROUNDS, dockerd.path(), |socket| command(socket).spawn().expect("our binary starts"));
    row("prune look at 1,000 images (fake dockerd)", &cost, &Cost::default(), 0, "–", "peak ≤ 8 MB");
    std::fs::remove_dir_all(dir).ok();
}
