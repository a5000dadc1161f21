//! One master, one failure: where does the VIP go, and how long does it take?
//!
//! A master that can speak says goodbye and leaves the taker's skew; one that cannot is missed after three intervals and
//! the skew (`vrrp::timers`).

use core::time::Duration;

use super::{Cluster, Node, Outcome, Row, after, name};
use crate::checks::{Kind, Track};
use crate::vrrp::timers::{master_down, skew};

/// What can be lost.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// The check of this index.
    Check(usize),
    /// Power, kernel, the whole machine.
    Node,
    /// The cable, or the switch port.
    Link,
}

/// All failures of the node of this rank, with the better ones down.
pub fn rows(cluster: &Cluster, ranked: &[Node], at: usize) -> Vec<Row> {
    let checks = (0..cluster.tracks.len()).map(Failure::Check);
    checks.chain([Failure::Node, Failure::Link]).map(|failure| row(cluster, ranked, at, failure)).collect()
}

fn row(cluster: &Cluster, ranked: &[Node], at: usize, failure: Failure) -> Row {
    let master = &ranked[at];
    let after = match failure {
        Failure::Check(index) => after(master.base, &cluster.tracks, Some(index)),
        Failure::Node | Failure::Link => None,
    };
    let end =
        if ranked.len() < 2 { blind(after, failure) } else { decide(after, failure, ranked.get(at + 1)) };
    let is_weighted = after.is_some();
    Row {
        master: name(master),
        down: ranked[..at].iter().map(name).collect(),
        lost: match failure {
            Failure::Check(index) => cluster.tracks[index].kind.as_flag(),
            Failure::Node => "the node".into(),
            Failure::Link => "its link".into(),
        },
        before: master.range.ceiling,
        after,
        fault: after.is_none() && matches!(failure, Failure::Check(_)),
        vip: end.vip,
        taker: end.taker.map(name),
        within_ms: end.taker.map(|taker| millis(within(cluster, failure, taker.range.ceiling))),
        gap: is_weighted && at + 1 < ranked.len() && matches!(end.vip, Outcome::Stays | Outcome::Ties),
        why: end.why,
    }
}

struct End<'a> {
    vip: Outcome,
    taker: Option<&'a Node>,
    why: String,
}

/// With the next node known. It is the best of the rest.
fn decide(after: Option<u8>, failure: Failure, next: Option<&Node>) -> End<'_> {
    let Some(next) = next else {
        let (vip, why) = match after {
            Some(_) => (Outcome::Stays, "no other node is left"),
            None => (Outcome::Gone, "no other node is left"),
        };
        return End { vip, taker: None, why: why.into() };
    };
    let has = next.range.ceiling;
    match after {
        Some(after) if has < after => {
            End { vip: Outcome::Stays, taker: None, why: format!("no other node can exceed {has}") }
        }
        Some(after) if has == after => End {
            vip: Outcome::Ties,
            taker: None,
            why: format!("{} has {has} too and equal priorities do not move a VIP", name(next)),
        },
        Some(_) => End { vip: Outcome::Moves, taker: Some(next), why: format!("{} has {has}", name(next)) },
        None => End { vip: Outcome::Moves, taker: Some(next), why: reason(failure).into() },
    }
}

/// With `--peer`: nothing is known of the others.
fn blind(after: Option<u8>, failure: Failure) -> End<'static> {
    let why = match after {
        Some(after) => format!("moves only if another node has more than {after}"),
        None => format!("{}; the others are not known here", reason(failure)),
    };
    End { vip: Outcome::Unknown, taker: None, why }
}

fn reason(failure: Failure) -> &'static str {
    match failure {
        Failure::Check(_) => "FAULT: it says goodbye (priority 0)",
        Failure::Node | Failure::Link => "three adverts are missed",
    }
}

/// From the failure to the VIP on the taker, at worst.
fn within(cluster: &Cluster, failure: Failure, taker: u8) -> Duration {
    match failure {
        Failure::Check(index) => {
            notice(&cluster.tracks[index]) + skew(cluster.version, taker, cluster.interval)
        }
        Failure::Node | Failure::Link => master_down(cluster.version, taker, cluster.interval),
    }
}

/// Until a failed check is known: a death and a link event are told by the kernel, the rest is found by looking.
fn notice(track: &Track) -> Duration {
    match track.kind {
        Kind::Process(_) | Kind::Interface(_) => track.interval * u32::from(track.fall.saturating_sub(1)),
        Kind::Tcp(_)
        | Kind::Http { .. }
        | Kind::Exec(_)
        | Kind::File(_)
        | Kind::Disk(_)
        | Kind::Docker
        | Kind::Swarm
        | Kind::Ceph
        | Kind::Board { .. } => track.interval * u32::from(track.fall) + track.timeout,
    }
}

/// Whole milliseconds, rounded, but never none.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from((duration.as_micros() + 500) / 1000).unwrap_or(u64::MAX).max(1)
}
