//! Our rounds by hand, and what they report.

use crate::lab::{Lab, Node};
use crate::net::daemon::Daemon;
use serde_json::Value;

/// What one round said.
#[derive(Debug)]
pub struct Round {
    pub code: Option<i32>,
    pub report: Value,
    /// Standard error: what a person at a terminal reads.
    pub said: String,
}

impl Round {
    /// The row of that name.
    #[track_caller]
    pub fn row(&self, name: &str) -> &Value {
        let rows = self.report["rows"].as_array();
        let row = rows.and_then(|rows| rows.iter().find(|row| row["name"] == name));
        row.unwrap_or_else(|| panic!("no row {name}: {self:?}"))
    }

    /// The verdict on `name`; panics with the whole report unless it is this one.
    #[track_caller]
    pub fn expect(&self, name: &str, verdict: &str) {
        assert_eq!(self.row(name)["verdict"], verdict, "{self:#?}");
    }

    /// Why, of that row.
    #[track_caller]
    pub fn reason(&self, name: &str) -> &str {
        self.row(name)["reason"].as_str().expect("a reason is text")
    }
}

/// `unsinkable update` or `prune` on a node, with the state directory of its daemon.
#[track_caller]
pub fn round(node: &Node, command: &str, flags: &[&str]) -> Round {
    let state = node.state_dir();
    let fixed = [command, "--json", "--docker", "/run/docker.sock", "--state-dir", &state];
    let done = node.unsinkable_command(&[&fixed[..], flags].concat());
    Round { code: done.code, report: done.json(), said: done.stderr }
}

/// Short enough for a test: what fails does so within.
pub const QUICK: [&str; 4] = ["--bake", "3s", "--rollout-deadline", "60s"];

/// A round of updates on the node that leads the Swarm.
#[track_caller]
pub fn update(lab: &Lab, flags: &[&str]) -> Round {
    round(lab.node(leader(lab)), "update", &[&QUICK[..], flags].concat())
}

/// Waits for the Swarm to have a leader; its index.
#[track_caller]
pub fn leader(lab: &Lab) -> usize {
    let mut leader = None;
    lab.wait("a leader", || {
        leader = (0..lab.nodes.len()).find_map(|asked| lab.leader(asked));
        leader.is_some()
    });
    leader.expect("waited for")
}

/// The flags of `run` that a VIP needs, for all nodes of the lab.
pub fn vip(lab: &Lab) -> Vec<String> {
    let mut flags: Vec<String> = [
        "run",
        "--interface",
        "eth0",
        "--vip",
        "10.0.10.39/24",
        "--vrid",
        "12",
        "--docker",
        "/run/docker.sock",
    ]
    .map(str::to_owned)
    .to_vec();
    for node in &lab.nodes {
        flags.extend(["--node".to_owned(), node.address()]);
    }
    flags
}

/// Starts our daemon on a node, with a VIP and these flags.
pub fn daemon(lab: &Lab, node: usize, flags: &[&str]) -> Daemon {
    let vip = vip(lab);
    let all: Vec<&str> = vip.iter().map(String::as_str).chain(flags.iter().copied()).collect();
    lab.node(node).unsinkable(&all)
}

/// The same on every node.
pub fn daemons(lab: &Lab, flags: &[&str]) -> Vec<Daemon> {
    (0..lab.nodes.len()).map(|node| daemon(lab, node, flags)).collect()
}
