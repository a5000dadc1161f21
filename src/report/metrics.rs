//! `/metrics`: the status for Prometheus, in its text format 0.0.4. Pure. What it is called is written down in
//! `systemd/monitoring/README.md`; what is not known is left out.

use super::node::{Disk, ImageState, Node, Shipping, Storage, Swarm};
use super::rounds::{Job, Outcome};
use super::status::{Health, Housekeeper, Router, State, Status};
use crate::time::Time;
use core::fmt::Write;
use core::time::Duration;

/// What the housekeeper did since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Updates that run well.
    pub updated: u64,
    /// Updates that were put back.
    pub rolled_back: u64,
    /// Updates that need a person.
    pub failed: u64,
    /// Images that were found to have failed here before.
    pub held: u64,
    /// Containers, images, volumes that pruning removed.
    pub removed: u64,
    /// Bytes that it freed.
    pub freed: u64,
}

/// A sample: its labels, `{a="b"}` or nothing, and its value.
type Sample = (String, f64);

/// Name, help and value of what there is one of for each `T`.
type Figure<T> = (&'static str, &'static str, fn(&T, Time) -> Option<f64>);

const DAEMON: [Figure<Status>; 9] = [
    ("uptime_seconds", "Since the process that holds the VIP started.", |s, now| {
        Some(seconds(now.since(s.started)))
    }),
    ("realtime", "1 if its threads have real-time scheduling.", |s, _| Some(flag(s.threads.realtime))),
    ("memory_locked", "1 if its memory is locked.", |s, _| Some(flag(s.threads.locked))),
    ("queue_drops_total", "Events lost because a queue between its threads was full.", |s, _| {
        Some(whole(s.threads.queue_drops))
    }),
    ("log_drops_total", "Log lines lost because nobody took them.", |s, _| Some(whole(s.threads.log_drops))),
    ("housekeeper_running", "1, or 0 while it waits to be started again.", |s, _| match s.housekeeper {
        Housekeeper::Running { .. } => Some(1.0),
        Housekeeper::Restarting { .. } => Some(0.0),
        Housekeeper::Off => None,
    }),
    ("housekeeper_uptime_seconds", "Since the housekeeper was last started.", |s, now| match s.housekeeper {
        Housekeeper::Running { since, .. } => Some(seconds(now.since(since))),
        Housekeeper::Restarting { .. } | Housekeeper::Off => None,
    }),
    ("housekeeper_bad_frames_total", "What it told that made no sense.", |s, _| Some(whole(s.nonsense))),
    ("prune_waiting_bytes", "What pruning takes when its grace is over.", |s, _| {
        let job = s.rounds.pruning.as_ref()?;
        let waits = job.rows.iter().filter(|row| row.outcome == Outcome::Waits);
        Some(whole(waits.map(|row| row.size).fold(0, u64::saturating_add)))
    }),
];

const ROUTER: [Figure<Router>; 8] = [
    ("vrrp_state_age_seconds", "For how long it has been in its state.", |r, now| {
        Some(seconds(now.since(r.since)))
    }),
    ("vrrp_vip_held", "1 where the VIP is on the interface.", |r, _| Some(flag(r.present))),
    ("vrrp_priority", "Effective priority; 0 in fault.", |r, _| Some(f64::from(r.priority.unwrap_or(0)))),
    ("vrrp_base_priority", "Priority before the checks' weights.", |r, _| Some(f64::from(r.base))),
    ("vrrp_advert_interval_seconds", "Between two of its adverts.", |r, _| Some(seconds(r.interval))),
    ("vrrp_adverts_sent_total", "Adverts sent, each destination counted.", |r, _| Some(whole(r.sent))),
    ("vrrp_adverts_received_total", "Adverts taken in.", |r, _| Some(whole(r.received))),
    ("vrrp_master_heard_age_seconds", "Since the master was last heard, on a backup.", |r, now| {
        r.master.map(|master| seconds(now.since(master.heard)))
    }),
];

const JOB: [Figure<Job>; 3] = [
    ("round_age_seconds", "Since the last round ended.", |job, now| {
        job.last.as_ref().map(|last| seconds(now.since(last.at)))
    }),
    ("round_duration_seconds", "How long the last round took.", |job, _| {
        job.last.as_ref().map(|last| seconds(last.took))
    }),
    ("round_next_seconds", "Until the next round.", |job, now| job.next.map(|next| seconds(next.since(now)))),
];

const SUMS: [Figure<Sums>; 2] = [
    ("prune_removed_total", "Containers, images and volumes removed.", |sums, _| Some(whole(sums.removed))),
    ("prune_freed_bytes_total", "Bytes that pruning freed.", |sums, _| Some(whole(sums.freed))),
];

const DISK: [Figure<Disk>; 3] = [
    ("disk_size_bytes", "Size of the file system.", |disk, _| Some(whole(disk.size))),
    ("disk_free_bytes", "What is free on it for ordinary users.", |disk, _| Some(whole(disk.free))),
    ("disk_read_only", "1 if it takes no writes, though it should.", |disk, _| Some(flag(disk.read_only))),
];

const NODE: [Figure<Node>; 9] = [
    ("docker_up", "1 if the API answers.", |node, _| {
        node.docker.as_ref().map(|docker| flag(docker.error.is_none()))
    }),
    ("docker_cpus", "Processors that Docker sees.", |node, _| {
        Some(whole(node.docker.as_ref()?.engine.as_ref()?.cpus))
    }),
    ("docker_memory_bytes", "Memory that Docker sees.", |node, _| {
        Some(whole(node.docker.as_ref()?.engine.as_ref()?.memory))
    }),
    ("docker_images", "Images on this node.", |node, _| {
        Some(whole(node.docker.as_ref()?.engine.as_ref()?.images))
    }),
    ("swarm_manager", "1 if this node is a manager.", |node, _| {
        node.swarm.as_ref().map(|swarm| flag(swarm.manager))
    }),
    ("swarm_has_leader", "1 if the managers have a leader; managers only.", |node, _| {
        let swarm = node.swarm.as_ref().filter(|swarm| swarm.manager)?;
        Some(flag(swarm.leader().is_some()))
    }),
    ("board_temperature_celsius", "The hottest zone.", |node, _| {
        node.board.as_ref()?.heat.map(|heat| f64::from(heat) / 1000.0)
    }),
    ("board_under_voltage", "1 if the supply is too weak now.", |node, _| {
        node.board.as_ref()?.under_voltage.map(flag)
    }),
    ("board_throttled", "1 if the board is slowed down now.", |node, _| {
        node.board.as_ref()?.throttled.map(flag)
    }),
];

const STORAGE: [Figure<Storage>; 7] = [
    ("ceph_up", "1 if a manager answers.", |ceph, _| Some(flag(ceph.error.is_none()))),
    ("ceph_health", "0 ok, 1 warning, 2 error.", |ceph, _| Some(f64::from(ceph.figures?.health))),
    ("ceph_osds", "Object storage daemons.", |ceph, _| Some(f64::from(ceph.figures?.osds.0))),
    ("ceph_osds_up", "Of them, running.", |ceph, _| Some(f64::from(ceph.figures?.osds.1))),
    ("ceph_osds_in", "Of them, holding data.", |ceph, _| Some(f64::from(ceph.figures?.osds.2))),
    ("ceph_size_bytes", "Raw capacity.", |ceph, _| Some(whole(ceph.figures?.total))),
    ("ceph_used_bytes", "Of it, used.", |ceph, _| Some(whole(ceph.figures?.used))),
];

const SHIPPING: [Figure<Shipping>; 4] = [
    ("syslog_connected", "1 if messages go out.", |syslog, _| Some(flag(syslog.connected))),
    ("syslog_sent_total", "Messages sent.", |syslog, _| Some(whole(syslog.sent))),
    ("syslog_dropped_total", "Messages lost.", |syslog, _| Some(whole(syslog.dropped))),
    ("syslog_queued", "Messages that wait.", |syslog, _| Some(whole(syslog.queued))),
];

/// The whole document. `healthy`: as `/healthz` answers; `unix_ms`: now.
pub fn write(status: &Status, node: &Node, sums: &Sums, healthy: bool) -> String {
    let mut out = String::new();
    let info = labels(&[("version", &status.version), ("node", &status.node)]);
    metric(&mut out, "build_info", "Always 1.", &[(info, 1.0)]);
    metric(&mut out, "healthy", "1 if adverts flow, as /healthz says.", &[(String::new(), flag(healthy))]);
    let now = status.now;
    one(&mut out, &DAEMON, status, now);
    routers(&mut out, status);
    let checks: Vec<Sample> = status
        .checks
        .iter()
        .filter(|check| check.health != Health::Pending)
        .map(|check| (labels(&[("check", &check.name)]), flag(check.health == Health::Well)))
        .collect();
    metric(&mut out, "check_healthy", "1 well, 0 failed.", &checks);
    rounds(&mut out, status);
    let outcomes = [
        ("updated", sums.updated),
        ("rolled-back", sums.rolled_back),
        ("failed", sums.failed),
        ("held", sums.held),
    ];
    let outcomes = outcomes.map(|(outcome, count)| (labels(&[("outcome", outcome)]), whole(count)));
    metric(&mut out, "updates_total", "Services and containers, by what became of them.", &outcomes);
    one(&mut out, &SUMS, sums, now);
    one(&mut out, &NODE, node, now);
    containers(&mut out, node);
    if let Some(swarm) = &node.swarm {
        self::swarm(&mut out, swarm);
    }
    let disks: Vec<(String, &Disk)> =
        node.disks.iter().map(|disk| (labels(&[("path", &disk.path)]), disk)).collect();
    figures(&mut out, &DISK, &disks, now);
    node.ceph.iter().for_each(|ceph| one(&mut out, &STORAGE, ceph, now));
    node.syslog.iter().for_each(|syslog| one(&mut out, &SHIPPING, syslog, now));
    out
}

fn routers(out: &mut String, status: &Status) {
    let of = |router: &Router, more: &[(&str, &str)]| {
        let vrid = router.vrid.to_string();
        labels(&[&[("vrid", vrid.as_str()), ("family", router.family.name())], more].concat())
    };
    let (mut states, mut rejects, mut heard) = (Vec::new(), Vec::new(), Vec::new());
    for router in &status.routers {
        for state in State::ALL {
            states.push((of(router, &[("state", state.name())]), flag(router.state == state)));
        }
        for reject in &router.rejects {
            rejects.push((of(router, &[("reason", &reject.name)]), whole(reject.count)));
        }
        for peer in &router.peers {
            let Some(at) = peer.heard else { continue };
            let addr = peer.addr.to_string();
            heard.push((of(router, &[("peer", &addr)]), seconds(status.now.since(at))));
        }
    }
    metric(out, "vrrp_state", "1 for the state it is in, 0 for the others.", &states);
    let each: Vec<(String, &Router)> =
        status.routers.iter().map(|router| (of(router, &[]), router)).collect();
    figures(out, &ROUTER, &each, status.now);
    metric(out, "vrrp_packets_rejected_total", "Packets dropped.", &rejects);
    metric(out, "vrrp_peer_heard_age_seconds", "Since an advert of the peer was taken in.", &heard);
}

fn rounds(out: &mut String, status: &Status) {
    let jobs = [("updates", &status.rounds.updates), ("pruning", &status.rounds.pruning)];
    let jobs = jobs.into_iter().filter_map(|(kind, job)| Some((kind, job.as_ref()?)));
    let (mut each, mut outcomes) = (Vec::new(), Vec::new());
    for (kind, job) in jobs {
        each.push((labels(&[("kind", kind)]), job));
        for outcome in Outcome::ALL {
            let count = job.rows.iter().filter(|row| row.outcome == outcome).count();
            outcomes.push((labels(&[("kind", kind), ("outcome", outcome.name())]), whole(count as u64)));
        }
    }
    figures(out, &JOB, &each, status.now);
    metric(out, "round_outcomes", "Of the last round, by what became of them.", &outcomes);
}

fn containers(out: &mut String, node: &Node) {
    let engine = node.docker.as_ref().and_then(|docker| docker.engine.as_ref());
    let samples: Vec<Sample> = engine
        .iter()
        .flat_map(|engine| {
            [("running", engine.running), ("paused", engine.paused), ("stopped", engine.stopped)]
        })
        .map(|(state, count)| (labels(&[("state", state)]), whole(count)))
        .collect();
    metric(out, "docker_containers", "Containers on this node.", &samples);
}

fn swarm(out: &mut String, swarm: &Swarm) {
    if let Some(members) = &swarm.members {
        let mut states: Vec<&str> = ["ready", "down"].to_vec();
        states.extend(members.iter().map(|member| member.state.as_str()));
        states.sort_unstable();
        states.dedup();
        let count = |state: &str| members.iter().filter(|member| member.state == state).count();
        let samples: Vec<Sample> = states
            .into_iter()
            .map(|state| (labels(&[("state", state)]), whole(count(state) as u64)))
            .collect();
        metric(out, "swarm_nodes", "Nodes of the Swarm; managers only.", &samples);
    }
    let Some(services) = &swarm.services else { return };
    let count = |state| services.iter().filter(|service| service.state == state).count() as u64;
    let states = ImageState::ALL.map(|state| (labels(&[("state", state.name())]), whole(count(state))));
    metric(out, "swarm_services", "Services by how their image fares; managers only.", &states);
    let of = |value: fn(&super::node::Service) -> u64| -> Vec<Sample> {
        let sample =
            |service: &super::node::Service| (labels(&[("service", &service.name)]), whole(value(service)));
        // A job's tasks end when they are done: no tasks that run are no trouble.
        services.iter().filter(|service| !service.mode.ends_with("-job")).map(sample).collect()
    };
    metric(out, "swarm_tasks_running", "Tasks that run.", &of(|service| service.running));
    metric(out, "swarm_tasks_desired", "Tasks wanted.", &of(|service| service.desired));
}

fn one<T>(out: &mut String, table: &[Figure<T>], value: &T, now: Time) {
    figures(out, table, &[(String::new(), value)], now);
}

/// All metrics of `table`, each with all of its samples.
fn figures<T>(out: &mut String, table: &[Figure<T>], each: &[(String, &T)], now: Time) {
    for (name, help, value) in table {
        let sample = |(labels, item): &(String, &T)| Some((labels.clone(), value(item, now)?));
        let samples: Vec<Sample> = each.iter().filter_map(sample).collect();
        metric(out, name, help, &samples);
    }
}

/// One metric, if there is a sample of it.
fn metric(out: &mut String, name: &str, help: &str, samples: &[Sample]) {
    if samples.is_empty() {
        return;
    }
    let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
    // A String takes all that is written.
    let _ = write!(out, "# HELP unsinkable_{name} {help}\n# TYPE unsinkable_{name} {kind}\n");
    for (labels, value) in samples {
        let _ = writeln!(out, "unsinkable_{name}{labels} {value}");
    }
}

/// `{a="b",c="d"}`; strangers choose some of the values.
fn labels(pairs: &[(&str, &str)]) -> String {
    let mut out = String::from("{");
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.extend([name, "=\""]);
        for c in value.chars() {
            match c {
                '\\' | '"' => out.extend(['\\', c]),
                '\n' => out.push_str("\\n"),
                c => out.push(c),
            }
        }
        out.push('"');
    }
    out.push('}');
    out
}

fn flag(flag: bool) -> f64 {
    if flag { 1.0 } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers: exact up to 9 petabytes")]
fn whole(count: u64) -> f64 {
    count as f64
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
