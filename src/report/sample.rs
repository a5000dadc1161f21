//! Statuses for the tests of this folder.

use super::events::MAX_EVENTS;
use super::rounds::{Job, Last, Outcome, Rounds, Row};
use super::status::*;
use crate::time::Time;
use core::net::IpAddr;
use core::time::Duration;

/// This long after boot it is now.
const NOW: u64 = 100_000_000_000;

fn ago_ms(ms: u64) -> Time {
    Time::from_micros(NOW - ms * 1000)
}

fn addr(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 10, last])
}

fn share(name: &str, weight: Option<i16>, counts: bool) -> Share {
    Share { name: name.to_owned(), weight, counts }
}

fn check(name: &str, health: Health, detail: &str, interval: u64, weight: Option<i16>) -> Check {
    let (name, detail) = (name.to_owned(), detail.to_owned());
    Check { name, health, since: ago_ms(7_380_000), detail, interval: Duration::from_secs(interval), weight }
}

/// The second of the user's three nodes, its traefik gone.
pub fn backup() -> Status {
    let heard = ago_ms(412);
    let range = |floor, ceiling| Some(Range { floor, ceiling });
    let first = Peer {
        addr: addr(31),
        heard: Some(heard),
        priority: Some(230),
        adverts: 7200,
        range: range(200, 230),
        reject: None,
    };
    let third =
        Peer { addr: addr(33), heard: None, priority: None, adverts: 0, range: range(50, 80), reject: None };
    let router = Router {
        vrid: 12,
        family: Family::Ipv4,
        protocol: 2,
        interface: "ens160".to_owned(),
        vips: vec![Vip { addr: addr(39), prefix: 24 }],
        state: State::Backup,
        since: ago_ms(7_200_000),
        reason: "10.0.10.31 advertises a higher priority".to_owned(),
        priority: Some(120),
        base: 100,
        tracks: vec![share("process:dockerd", Some(20), true), share("process:traefik", Some(10), false)],
        source: Some(addr(32)),
        multicast: false,
        interval: Duration::from_secs(1),
        master: Some(Master { addr: addr(31), priority: 230, interval: Duration::from_secs(1), heard }),
        deadline: Some(Time::from_micros(NOW + 3_080_000)),
        lease: true,
        present: false,
        sent: 4,
        received: 7200,
        rejects: vec![Count { name: "another password".to_owned(), count: 3 }],
        peers: vec![first, third],
    };
    Status {
        format: FORMAT,
        node: "pi-2".to_owned(),
        version: "0.1.0".to_owned(),
        pid: 812,
        now: Time::from_micros(NOW),
        started: ago_ms(7_384_000),
        routers: vec![router],
        checks: vec![
            check("process:dockerd", Health::Well, "1 process", 1, Some(20)),
            check("process:traefik", Health::Failed, "no such process", 30, Some(10)),
        ],
        events: vec![
            Event { at: ago_ms(7_384_000), router: None, text: "started".to_owned() },
            Event {
                at: ago_ms(42_000),
                router: Some("12".to_owned()),
                text: "priority 130 to 120".to_owned(),
            },
        ],
        threads: Threads { realtime: true, locked: true, queue_drops: 0, log_drops: 0 },
        housekeeper: Housekeeper::Off,
        rounds: Rounds::default(),
        nonsense: 0,
    }
}

/// The first node while all is well.
pub fn master() -> Status {
    let mut status = backup();
    let router = &mut status.routers[0];
    status.node = "pi-1".to_owned();
    router.state = State::Master;
    router.reason = "10.0.10.32 fell silent".to_owned();
    router.priority = Some(230);
    router.base = 200;
    router.tracks[1].counts = true;
    router.master = None;
    router.deadline = None;
    router.present = true;
    router.rejects.clear();
    router.peers.truncate(1);
    router.peers[0].addr = addr(32);
    router.peers[0].range = Some(Range { floor: 100, ceiling: 130 });
    router.peers[0].priority = Some(130);
    status.checks[1].health = Health::Well;
    status.checks[1].detail = "2 processes".to_owned();
    status
}

fn row(kind: &str, name: &str, outcome: Outcome, reason: &str) -> Row {
    let (kind, name, reason) = (kind.to_owned(), name.to_owned(), reason.to_owned());
    Row { kind, name, outcome, reason, held_for: None, size: 0, goes: None }
}

/// The first node in the middle of a rollout.
pub fn busy() -> Status {
    let mut status = master();
    status.housekeeper = Housekeeper::Running { pid: 815, since: ago_ms(7_384_000) };
    let put_back = row("service", "blog", Outcome::RolledBack, "task blog.1 exits with 1");
    let held = row("service", "web", Outcome::Held, "unhealthy within the bake");
    let updates = Job {
        last: Some(Last {
            at: ago_ms(120_000),
            took: Duration::from_millis(4_200),
            summary: "14 services, 1 put back, 1 held".to_owned(),
            note: Some("stopped at the first failure".to_owned()),
        }),
        next: None,
        progress: "shop: 2 of 3 tasks run the new image".to_owned(),
        rows: vec![put_back, Row { held_for: Some(Duration::from_secs(3_600)), ..held }],
        left_out: 0,
    };
    let goes = Some(Time::from_micros(NOW + 1_080_000_000));
    let image = row("image", "heimdall:2.1", Outcome::Waits, "no container or service uses it");
    let pruning = Job {
        last: Some(Last {
            at: ago_ms(600_000),
            took: Duration::from_millis(300),
            summary: "1 removed, 312.4 MB freed, 12 waiting".to_owned(),
            note: None,
        }),
        next: Some(Time::from_micros(NOW + 1_200_000_000)),
        progress: String::new(),
        rows: vec![
            Row { size: 312_400_000, goes, ..image },
            Row { size: 3, ..row("volume", "old", Outcome::Removed, "anonymous, unused for 30 min") },
        ],
        left_out: 11,
    };
    status.rounds = Rounds { updates: Some(updates), pruning: Some(pruning) };
    status
}

/// As large as flags allow: 8 routers, 16 peers and 32 checks each, with texts beyond their limit.
pub fn largest() -> Status {
    let long = "x".repeat(300);
    let mut status = backup();
    let router = &mut status.routers[0];
    router.vips = vec![router.vips[0]; 16];
    router.reason.clone_from(&long);
    router.tracks = vec![share(&long, Some(20), true); 32];
    router.rejects = vec![Count { name: long.clone(), count: u64::MAX }; 13];
    router.peers[0].reject = Some(Reject { name: long.clone(), at: ago_ms(1) });
    router.peers = vec![router.peers[0].clone(); 16];
    status.routers = vec![router.clone(); 8];
    status.checks = vec![check(&long, Health::Failed, &long, 1, Some(20)); 32];
    let row = Row {
        held_for: Some(Duration::MAX),
        size: u64::MAX,
        goes: Some(Time::from_micros(u64::MAX)),
        ..row(&long, &long, Outcome::Removed, &long)
    };
    let last = Last { at: ago_ms(1), took: Duration::MAX, summary: long.clone(), note: Some(long.clone()) };
    let job = Job {
        last: Some(last),
        next: Some(Time::from_micros(u64::MAX)),
        progress: long.clone(),
        rows: vec![row; 20],
        left_out: u32::MAX,
    };
    status.rounds = Rounds { updates: Some(job.clone()), pruning: Some(job) };
    status.events = vec![Event { at: ago_ms(1), router: Some(long.clone()), text: long }; MAX_EVENTS];
    status
}
