//! What each single failure on each node does to the VIP, computed from the flags alone. Pure.
//!
//! The nodes are taken in the order in which they get the VIP: each is master with the better ones down and everything
//! well on the rest; then one thing fails. Weights are added while a check is well (see `vrrp::priority`), so a
//! failure moves the VIP only if it costs more than the gap to the next node: equal priorities do not move it.

mod outcome;
mod render;

use core::net::IpAddr;
use core::time::Duration;

use serde::Serialize;

use crate::checks::Track;
use crate::vrrp::priority::{Effective, effective};
use crate::vrrp::{PriorityRange, Version};

pub use render::{json, render};

/// One virtual router as all its nodes run it.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Virtual router identifier.
    pub vrid: u8,
    /// Its addresses, as text.
    pub vips: Vec<String>,
    /// Protocol version: it scales the skew.
    pub version: Version,
    /// Between two adverts.
    pub interval: Duration,
    /// The nodes. With `--peer` only this one: its address is unspecified where `--source` does not say it.
    pub nodes: Vec<Node>,
    /// With `--peer`: nodes whose priorities nobody here knows.
    pub unknown_peers: Vec<IpAddr>,
    /// The same on every node.
    pub tracks: Vec<Track>,
    /// Does a better node take the VIP back?
    pub preempt: bool,
}

/// A node of the cluster with its priorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its address.
    pub addr: IpAddr,
    /// Priority before weights.
    pub base: u8,
    /// What the weights can make of it.
    pub range: PriorityRange,
    /// This machine.
    pub here: bool,
}

/// All failures of one virtual router.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// Virtual router identifier.
    pub vrid: u8,
    /// Its addresses.
    pub vips: Vec<String>,
    /// VRRP version, 2 or 3.
    pub version: u8,
    /// Between two adverts.
    pub advert_ms: u64,
    /// Does a better node that comes back take the VIP back?
    pub preempt: bool,
    /// In the order in which they get the VIP.
    pub nodes: Vec<NodeLine>,
    /// One for each failure.
    pub rows: Vec<Row>,
    /// What to know or to change.
    pub advice: Vec<String>,
}

/// A node's priorities.
#[derive(Clone, Debug, Serialize)]
pub struct NodeLine {
    /// Its address, or `this node`.
    pub addr: String,
    /// Before weights.
    pub base: u8,
    /// With every check well.
    pub well: u8,
    /// With every weighted check failed.
    pub failed: u8,
}

/// One failure.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Who holds the VIP before.
    pub master: String,
    /// Nodes that must be down for it to be master.
    pub down: Vec<String>,
    /// What fails.
    pub lost: String,
    /// Effective priority before.
    pub before: u8,
    /// And after; nothing for FAULT, a dead node or link.
    pub after: Option<u8>,
    /// A check without weight has failed.
    pub fault: bool,
    /// What becomes of the VIP.
    pub vip: Outcome,
    /// Who has it then.
    pub taker: Option<String>,
    /// At most so long after the failure, noticing it included.
    pub within_ms: Option<u64>,
    /// Because.
    pub why: String,
    /// Another node is there, and yet the failure moves nothing.
    pub gap: bool,
}

/// What becomes of the VIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// To another node.
    Moves,
    /// Stays where it is.
    Stays,
    /// Stays, as another node has the same priority.
    Ties,
    /// No node is left to have it.
    Gone,
    /// Depends on priorities that the flags do not say.
    Unknown,
}

/// For the log at start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Worth a line.
    pub facts: Vec<String>,
    /// Worth a warning: failures that move nothing, and what helps.
    pub warnings: Vec<String>,
}

/// Plays through every single failure.
pub fn plan(cluster: &Cluster) -> Table {
    let mut ranked = cluster.nodes.clone();
    // The higher address wins among equals (RFC 9568 section 6.4.3).
    ranked.sort_by_key(|node| core::cmp::Reverse((node.range.ceiling, node.addr)));
    let rows: Vec<Row> = (0..ranked.len()).flat_map(|at| outcome::rows(cluster, &ranked, at)).collect();
    let line = |node: &Node| NodeLine {
        addr: name(node),
        base: node.base,
        well: node.range.ceiling,
        failed: node.range.floor,
    };
    Table {
        vrid: cluster.vrid,
        vips: cluster.vips.clone(),
        version: if cluster.version == Version::V2 { 2 } else { 3 },
        advert_ms: outcome::millis(cluster.interval),
        preempt: cluster.preempt,
        nodes: ranked.iter().map(line).collect(),
        advice: advice(cluster, &ranked, &rows),
        rows,
    }
}

fn name(node: &Node) -> String {
    if node.addr.is_unspecified() { "this node".into() } else { node.addr.to_string() }
}

impl Table {
    /// Does some failure move nothing although another node is there?
    pub fn has_gap(&self) -> bool {
        self.rows.iter().any(|row| row.gap)
    }

    /// What `run` logs at its start.
    pub fn summary(&self) -> Summary {
        let nodes: Vec<String> =
            self.nodes.iter().map(|node| format!("{} {}", node.addr, node.well)).collect();
        let facts = vec![format!("priorities while all is well: {}", nodes.join(", "))];
        let mut warnings: Vec<String> = self.rows.iter().filter(|row| row.gap).map(Row::sentence).collect();
        warnings.extend(self.advice.iter().cloned());
        Summary { facts, warnings }
    }
}

impl Row {
    /// The row as a sentence, for the log.
    pub fn sentence(&self) -> String {
        let drop = self.after.map_or(String::new(), |after| format!(" drops {} to {after},", self.before));
        format!("{} lost on {}{drop} {}, the VIP stays", self.lost, self.master, self.why)
    }
}

/// How to close the gaps.
fn advice(cluster: &Cluster, ranked: &[Node], rows: &[Row]) -> Vec<String> {
    if ranked.len() < 2 {
        return vec![
            "the priorities of the other nodes are not known here: list all nodes as --node ADDR=PRIORITY, \
             and plan can say what happens"
                .into(),
        ];
    }
    let mut lost: Vec<&str> = Vec::new();
    for row in rows.iter().filter(|row| row.gap) {
        if !lost.contains(&row.lost.as_str()) {
            lost.push(&row.lost);
        }
    }
    if lost.is_empty() {
        return Vec::new();
    }
    let mut advice = vec![format!(
        "to move the VIP, leave weight out of {}: a failed check then means FAULT, and the VIP leaves at once",
        lost.join(" and ")
    )];
    if let Some(flags) = closer(cluster, ranked) {
        advice.push(format!(
            "or keep the weights and bring the priorities closer together than the weights: {flags}"
        ));
    }
    advice
}

/// Priorities so close that each weight decides. `None` where weights are too small for that.
fn closer(cluster: &Cluster, ranked: &[Node]) -> Option<String> {
    let weights = || cluster.tracks.iter().filter_map(|track| track.weight);
    let smallest = weights().map(i16::unsigned_abs).min()?;
    let gain: u16 = weights().map(|weight| weight.max(0).unsigned_abs()).sum();
    let step = (smallest / 2).clamp(1, 10);
    let top = u16::from(ranked.first()?.base).min(254_u16.checked_sub(gain)?);
    let mut nodes = Vec::new();
    for (at, node) in (0_u16..).zip(ranked) {
        let base = u8::try_from(top.checked_sub(at * step)?).ok().filter(|base| *base > 0)?;
        let range = PriorityRange { floor: base, ceiling: after(base, &cluster.tracks, None)? };
        nodes.push(Node { base, range, ..*node });
    }
    let flags: Vec<String> = nodes.iter().map(|node| format!("--node {}={}", node.addr, node.base)).collect();
    let decides = (0..nodes.len()).flat_map(|at| outcome::rows(cluster, &nodes, at)).all(|row| !row.gap);
    decides.then(|| flags.join(" "))
}

/// Effective priority with one check failed, or with none. `None`: FAULT.
fn after(base: u8, tracks: &[Track], failed: Option<usize>) -> Option<u8> {
    let checks = tracks.iter().enumerate().map(|(at, track)| (track.weight, failed != Some(at)));
    match effective(base, checks) {
        Effective::Priority(priority) => Some(priority),
        Effective::Fault => None,
    }
}

#[cfg(test)]
mod tests;
