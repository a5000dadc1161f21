//! Everything `unsinkable status` shows, gathered at the moment it asks.

use super::{Daemon, threads};
use crate::flags::RouterConfig;
use crate::report::status::{
    Check, Count, FORMAT, Family, Health, Master, Peer, Range, Reject, Router, Share, State, Status, Threads,
    Vip,
};
use crate::shared::{Lane, PeerCount};
use crate::sys::clock;
use crate::time::Time;
use crate::vrrp::Version;
use crate::vrrp::advert::Reject as Cause;
use crate::vrrp::event::{Reason, StateName};
use crate::vrrp::router::View;
use crate::vrrp::timers::master_down;
use core::net::IpAddr;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;

/// What rejects beyond the sample are called.
const UNREAD: &str = "not looked at: too many at once";

/// The status now.
pub fn status(daemon: &Daemon<'_>) -> Status {
    let now = clock::now();
    let desk = daemon.desk.borrow();
    let routers = daemon.config.routers.iter().enumerate();
    Status {
        format: FORMAT,
        node: nix::unistd::gethostname()
            .map_or_else(|_| String::new(), |name| name.to_string_lossy().into_owned()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        now,
        started: daemon.started,
        routers: routers.map(|(index, config)| router(daemon, index, config, now)).collect(),
        checks: daemon
            .tracks
            .iter()
            .zip(&desk.latest)
            .map(|(track, latest)| check(track, *latest, now))
            .collect(),
        events: desk.journal.events(),
        threads: Threads {
            realtime: threads::have_realtime(daemon.shared),
            queue_drops: u64::from(daemon.shared.dropped_notes.load(Relaxed)),
            log_drops: crate::log::dropped(),
            ..daemon.threads
        },
        housekeeper: desk.housekeeper.clone(),
        rounds: desk.rounds.clone(),
        nonsense: desk.nonsense,
    }
}

fn router(daemon: &Daemon<'_>, index: usize, config: &RouterConfig, now: Time) -> Router {
    let desk = daemon.desk.borrow();
    let lane = &daemon.shared.lanes[index];
    let settings = &config.settings;
    let view = desk.journal.views[index].unwrap_or(NOT_YET);
    let sources = &desk.journal.heard[index];
    Router {
        vrid: settings.vrid,
        family: if settings.is_ipv6() { Family::Ipv6 } else { Family::Ipv4 },
        protocol: match settings.version {
            Version::V2 => 2,
            Version::V3 => 3,
        },
        interface: config.interface.clone(),
        vips: settings.vips.iter().map(|vip| Vip { addr: vip.addr, prefix: vip.prefix }).collect(),
        state: state(view.state),
        since: view.since,
        reason: view.reason.to_string(),
        priority: (view.priority != 0).then_some(view.priority),
        base: settings.base,
        tracks: shares(daemon, index, config, now),
        source: desk.links[index].source(),
        multicast: settings.multicast,
        interval: settings.interval,
        master: (view.state == StateName::Backup).then(|| master(lane, sources)).flatten(),
        deadline: takeover(config, &view, lane, sources),
        lease: config.lease,
        present: lane.present.load(Relaxed),
        sent: lane.sent.load(Relaxed),
        received: lane.received.load(Relaxed),
        rejects: rejects(lane),
        peers: sources.iter().zip(&lane.peers).map(|(addr, count)| peer(config, *addr, count)).collect(),
    }
}

/// Before the vrrp thread's first note.
const NOT_YET: View =
    View { state: StateName::Init, since: Time::ZERO, reason: Reason::Starting, priority: 0, master: None };

fn state(name: StateName) -> State {
    match name {
        StateName::Init => State::Init,
        StateName::Fault => State::Fault,
        StateName::Backup => State::Backup,
        StateName::Master => State::Master,
        StateName::Leaving => State::Leaving,
        StateName::Stopped => State::Stopped,
    }
}

fn shares(daemon: &Daemon<'_>, index: usize, config: &RouterConfig, now: Time) -> Vec<Share> {
    let desk = daemon.desk.borrow();
    let share = |(track, &place): (&crate::checks::Track, &usize)| {
        let well = desk.latest[place].is_some_and(|checked| checked.at(now).well);
        let counts = if track.weight.is_some_and(|weight| weight > 0) { well } else { !well };
        Share { name: track.to_string(), weight: track.weight, counts }
    };
    config.tracks.iter().zip(&daemon.places[index]).map(share).collect()
}

/// The source heard last: backups are silent.
fn master(lane: &Lane, sources: &[IpAddr]) -> Option<Master> {
    let heard = sources.iter().zip(&lane.peers).max_by_key(|(_, count)| count.heard_at.load(Relaxed));
    let (&addr, count) = heard.filter(|(_, count)| count.heard_at.load(Relaxed) != 0)?;
    Some(Master {
        addr,
        priority: count.priority.load(Relaxed),
        interval: Duration::from_millis(u64::from(count.interval.load(Relaxed))),
        heard: Time::from_micros(count.heard_at.load(Relaxed)),
    })
}

/// When a backup takes over if its master, which outranks it, stays silent.
fn takeover(config: &RouterConfig, view: &View, lane: &Lane, sources: &[IpAddr]) -> Option<Time> {
    let master = master(lane, sources).filter(|master| master.priority >= view.priority)?;
    let patience = master_down(config.settings.version, view.priority, master.interval);
    (view.state == StateName::Backup).then(|| master.heard + patience)
}

fn rejects(lane: &Lane) -> Vec<Count> {
    let named = Cause::ALL.iter().zip(&lane.rejects).map(|(cause, count)| (cause.to_string(), count));
    let all = named.chain([(UNREAD.to_owned(), &lane.unread)]);
    all.map(|(name, count)| Count { name, count: u64::from(count.load(Relaxed)) })
        .filter(|count| count.count != 0)
        .collect()
}

fn peer(config: &RouterConfig, addr: IpAddr, count: &PeerCount) -> Peer {
    let heard = count.heard_at.load(Relaxed);
    let configured = config.settings.peers.iter().find(|peer| peer.addr == addr);
    let range = configured.and_then(|peer| peer.range);
    let reject = count.last_reject.load(Relaxed);
    let cause = usize::from(reject).checked_sub(1).and_then(|index| Cause::ALL.get(index));
    let at = Time::from_micros(count.reject_at.load(Relaxed));
    Peer {
        addr,
        heard: (heard != 0).then(|| Time::from_micros(heard)),
        priority: (heard != 0).then(|| count.priority.load(Relaxed)),
        adverts: count.adverts.load(Relaxed),
        range: range.map(|range| Range { floor: range.floor, ceiling: range.ceiling }),
        reject: cause.map(|cause| Reject { name: cause.to_string(), at }),
    }
}

fn check(track: &crate::checks::Track, latest: Option<crate::checks::health::Verdict>, now: Time) -> Check {
    let latest = latest.map(|verdict| verdict.at(now));
    Check {
        name: track.to_string(),
        health: latest.map_or(Health::Pending, |v| if v.well { Health::Well } else { Health::Failed }),
        since: latest.map_or(Time::ZERO, |verdict| verdict.since),
        detail: latest.map_or_else(String::new, |verdict| verdict.reason.to_string()),
        interval: track.interval,
        weight: track.weight,
    }
}
