//! The status for a person at a terminal. Pure: a status and a [`Look`] in, text out.

mod rounds;

use super::status::{Check, Health, Housekeeper, Peer, Router, Share, State, Status};
use super::words::{Cell, Page, Paint, interval, span};
pub use super::words::{Look, MAX_WIDTH, MIN_WIDTH};
use crate::time::Time;
use core::time::Duration;

/// Events shown; all of them are in the JSON.
const EVENTS_SHOWN: usize = 12;
/// A peer silent for so many intervals (and at least a second) is worth a look if it is the master.
const SILENT: u32 = 3;

/// The whole page.
pub fn draw(status: &Status, look: &Look) -> String {
    let look = Look { width: look.width.clamp(MIN_WIDTH, MAX_WIDTH), ..*look };
    let mut page = Page::new(&look);
    head(&mut page, status);
    for router in &status.routers {
        page.end();
        router_part(&mut page, status, router);
    }
    checks_part(&mut page, status);
    if let Some(job) = &status.rounds.updates {
        rounds::part(&mut page, "UPDATES", status.now, job);
    }
    if let Some(job) = &status.rounds.pruning {
        rounds::part(&mut page, "PRUNING", status.now, job);
    }
    events_part(&mut page, status);
    page.into_text()
}

/// One paragraph of warning.
pub fn warn(text: &str, look: &Look) -> String {
    let mut page = Page::new(look);
    page.text(1, text, Paint::Warn);
    page.end();
    page.into_text()
}

/// Which node and program, and what is wrong with how it runs.
fn head(page: &mut Page<'_>, status: &Status) {
    let up = span(status.now.since(status.started));
    page.text(1, &status.node, Paint::Strong);
    page.text(1, &format!("· unsinkable {} · pid {} · up {up}", status.version, status.pid), Paint::Dim);
    match &status.housekeeper {
        Housekeeper::Off => {}
        Housekeeper::Running { pid, since } => {
            let text = format!("· housekeeper pid {pid} for {}", span(status.now.since(*since)));
            page.text(1, &text, Paint::Dim);
        }
        Housekeeper::Restarting { at, reason } => {
            let text = format!("· housekeeper {reason}, starts again in {}", span(at.since(status.now)));
            page.text(1, &text, Paint::Warn);
        }
    }
    page.end();
    for warning in warnings(status) {
        page.text(1, &warning, Paint::Warn);
        page.end();
    }
}

/// What about the process itself asks for attention.
fn warnings(status: &Status) -> Vec<String> {
    let threads = &status.threads;
    let mut all = Vec::new();
    if !threads.realtime {
        all.push("no real-time scheduling: a busy machine can delay adverts (CAP_SYS_NICE?)".to_owned());
    }
    if !threads.locked {
        all.push("memory is not locked: swapping can delay adverts (LimitMEMLOCK?)".to_owned());
    }
    if threads.queue_drops > 0 {
        all.push(format!("{} events lost between the threads", threads.queue_drops));
    }
    if threads.log_drops > 0 {
        all.push(format!("{} log lines lost: stderr was full or closed", threads.log_drops));
    }
    if status.nonsense > 0 {
        all.push(format!("{} frames of the housekeeper made no sense", status.nonsense));
    }
    all
}

/// One virtual router: role, why, priority, peers, rejects.
fn router_part(page: &mut Page<'_>, status: &Status, router: &Router) {
    let (role, paint) = role(router.state);
    page.text(1, role, paint);
    let vips: Vec<_> = router.vips.iter().map(|vip| format!("{}/{}", vip.addr, vip.prefix)).collect();
    page.text(11, &vips.join(" "), Paint::Strong);
    let tail = format!("on {} · VRID {} · VRRPv{}", router.interface, router.vrid, router.protocol);
    page.text(11, &tail, Paint::Dim);
    page.end();
    page.text(11, &format!("for {}: {}", span(status.now.since(router.since)), router.reason), Paint::Plain);
    page.end();
    address(page, router);
    master(page, status.now, router);
    priority(page, router);
    peers(page, status.now, router);
    for reject in &router.rejects {
        page.text(11, &format!("dropped {} × {}", reject.count, reject.name), Paint::Warn);
        page.end();
    }
}

/// The role in large.
fn role(state: State) -> (&'static str, Paint) {
    match state {
        State::Init => ("INIT", Paint::Badge("1;33")),
        State::Fault => ("FAULT", Paint::Badge("1;97;41")),
        State::Backup => ("BACKUP", Paint::Badge("1;34")),
        State::Master => ("MASTER", Paint::Badge("1;30;42")),
        State::Leaving => ("LEAVING", Paint::Badge("1;33")),
        State::Stopped => ("STOPPED", Paint::Badge("1;2")),
    }
}

/// Whether the address is where the role says it should be.
fn address(page: &mut Page<'_>, router: &Router) {
    let holds = match router.state {
        State::Master | State::Leaving => true,
        State::Init | State::Fault | State::Backup | State::Stopped => false,
    };
    let (text, paint) = match (holds, router.present) {
        (true, true) => ("the VIP is on the interface", Paint::Good),
        (false, false) => ("the VIP is not here", Paint::Dim),
        (true, false) => ("the VIP is missing on the interface: it is being put back", Paint::Bad),
        (false, true) => ("the VIP is still on the interface: it is being removed", Paint::Bad),
    };
    page.text(11, text, paint);
    let lease = if router.lease { "lease on" } else { "lease off" };
    let from = router.source.map_or("no address yet".to_owned(), |source| source.to_string());
    let every = interval(router.interval);
    let text = format!(
        "· {lease} · adverts from {from} every {every}, {} sent, {} heard",
        router.sent, router.received
    );
    page.text(11, &text, Paint::Dim);
    page.end();
}

/// Whom this node follows, and what it waits for.
fn master(page: &mut Page<'_>, now: Time, router: &Router) {
    let Some(master) = &router.master else { return };
    let silence = now.since(master.heard);
    let late = silence > Duration::from_secs(1).max(master.interval.saturating_mul(SILENT));
    let text =
        format!("master {} with priority {}, heard {} ago", master.addr, master.priority, span(silence));
    page.text(11, &text, if late { Paint::Warn } else { Paint::Plain });
    if let (State::Backup, Some(deadline)) = (router.state, router.deadline) {
        let text = format!("· taken over in {} if it stays silent", span(deadline.since(now)));
        page.text(11, &text, Paint::Dim);
    }
    page.end();
}

/// The sum that the priority is.
fn priority(page: &mut Page<'_>, router: &Router) {
    let Some(priority) = router.priority else {
        let failed = router.tracks.iter().filter(|share| share.counts && share.weight.is_none());
        let names: Vec<_> = failed.map(|share| share.name.as_str()).collect();
        let why = if names.is_empty() { String::new() } else { format!(": {} failed", names.join(" and ")) };
        page.text(11, &format!("no priority while in fault{why}"), Paint::Bad);
        return page.end();
    };
    page.text(11, &format!("priority {priority}"), Paint::Strong);
    let weighted: Vec<(&Share, i16)> =
        router.tracks.iter().filter_map(|share| share.weight.map(|weight| (share, weight))).collect();
    if !weighted.is_empty() {
        page.text(13, &format!("= {}", router.base), Paint::Plain);
    }
    for (share, weight) in weighted.iter().filter(|(share, _)| share.counts) {
        let paint = if *weight < 0 { Paint::Bad } else { Paint::Plain };
        page.text(13, &format!("{} {} {}", sign(*weight), weight.unsigned_abs(), share.name), paint);
    }
    for (share, weight) in weighted.iter().filter(|(share, weight)| !share.counts && *weight > 0) {
        page.text(13, &format!("(without +{weight} {})", share.name), Paint::Bad);
    }
    page.end();
}

fn sign(weight: i16) -> &'static str {
    if weight < 0 { "−" } else { "+" }
}

/// The other nodes.
fn peers(page: &mut Page<'_>, now: Time, router: &Router) {
    let rows: Vec<_> = router.peers.iter().map(|peer| peer_row(now, router, peer)).collect();
    page.rows(11, &rows);
}

fn peer_row(now: Time, router: &Router, peer: &Peer) -> Vec<Cell> {
    let range = peer.range.map(|range| match range.ceiling {
        only if only == range.floor => only.to_string(),
        ceiling => format!("{}–{ceiling}", range.floor),
    });
    let mut row = vec![(format!("peer {}", peer.addr), Paint::Plain)];
    match (peer.heard, peer.priority) {
        (Some(heard), Some(priority)) => {
            row.push((format!("heard {} ago", span(now.since(heard))), Paint::Plain));
            let range = range.map_or(String::new(), |range| format!(" of {range}"));
            row.push((format!("priority {priority}{range}"), Paint::Plain));
            row.push((format!("{} adverts", peer.adverts), Paint::Dim));
        }
        (None, _) | (_, None) => row.push(never_heard(router, peer, range)),
    }
    if let Some(reject) = &peer.reject {
        let text = format!("dropped one {} ago: {}", span(now.since(reject.at)), reject.name);
        row.push((text, Paint::Warn));
    }
    row
}

/// A backup that never spoke is what VRRP wants: only a master advertises. Where it should be the master, or is heard
/// and dropped, that is another matter.
fn never_heard(router: &Router, peer: &Peer, range: Option<String>) -> Cell {
    let outranks = match (peer.range, router.priority) {
        (Some(range), Some(own)) => range.floor > own,
        (None, _) | (_, None) => false,
    };
    let range = range.map_or(String::new(), |range| format!(", priority {range}"));
    match (router.state, outranks, peer.reject.is_some()) {
        (State::Master, true, false) => {
            (format!("never heard{range}: down, or is protocol 112 blocked?"), Paint::Bad)
        }
        (_, _, true) => (format!("never heard{range}"), Paint::Warn),
        (_, _, false) => (format!("never heard{range}: a backup is silent"), Paint::Dim),
    }
}

/// The checks, one a line.
fn checks_part(page: &mut Page<'_>, status: &Status) {
    if status.checks.is_empty() {
        return;
    }
    page.heading("CHECKS");
    let rows: Vec<_> = status.checks.iter().map(|check| check_row(status.now, check)).collect();
    page.rows(3, &rows);
}

fn check_row(now: Time, check: &Check) -> Vec<Cell> {
    let (mark, paint) = match check.health {
        Health::Pending => ("○", Paint::Warn),
        Health::Well => ("✔", Paint::Good),
        Health::Failed => ("✘", Paint::Bad),
    };
    let weight = match check.weight {
        Some(weight) => format!("{}{}", sign(weight), weight.unsigned_abs()),
        None => "or fault".to_owned(),
    };
    vec![
        (mark.to_owned(), paint),
        (check.name.clone(), Paint::Strong),
        (weight, Paint::Plain),
        (format!("every {}", interval(check.interval)), Paint::Dim),
        (format!("for {}", span(now.since(check.since))), Paint::Dim),
        (check.detail.clone(), if check.health == Health::Failed { Paint::Bad } else { Paint::Plain }),
    ]
}

/// What happened last, the newest first.
fn events_part(page: &mut Page<'_>, status: &Status) {
    if status.events.is_empty() {
        return;
    }
    page.heading("EVENTS");
    let several = status.routers.len() > 1;
    let rows: Vec<Vec<Cell>> = (status.events.iter().rev().take(EVENTS_SHOWN))
        .map(|event| {
            let mut row = vec![(format!("{} ago", span(status.now.since(event.at))), Paint::Dim)];
            if several {
                row.push((event.router.clone().unwrap_or_default(), Paint::Strong));
            }
            row.push((event.text.clone(), Paint::Plain));
            row
        })
        .collect();
    page.rows(3, &rows);
}

#[cfg(test)]
mod tests;
