//! With real keepalived on the same wire: in both roles, in every dialect, when healthy and when not.
//!
//! The first test has keepalived on both sides: it proves the lab before ours is judged by it.
#![allow(clippy::unchecked_time_subtraction, reason = "moments of this test, minus less than their age")]

mod lab;

use Kind::{Keepalived, Unsinkable};
use lab::daemon::{Daemon, Kind, command};
use lab::pings::Pings;
use lab::router::{Router, Track};
use lab::sniffer::Sniffer;
use lab::{Lab, VIP, VIP6, flood, ms, say, within};
use nix::sys::signal::Signal;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

const LIMIT: Duration = ms(8000);

#[test]
fn keepalived_against_keepalived() {
    let Some(lab) = Lab::with_keepalived(2) else { return };
    let router = Router::v2(&[200, 190]);
    let start = Instant::now();
    let mut first = Daemon::start(Kind::Keepalived, &lab.nodes[0], &router);
    let second = Daemon::start(Kind::Keepalived, &lab.nodes[1], &router);
    within("first master after start", lab.owners.gained(VIP, 0, start, LIMIT), 3000, 3700);
    std::thread::sleep(ms(300));
    let pings = Pings::start(&lab.client(), VIP);
    lab.steady(VIP, 0, ms(1500));

    let event = first.signal(Signal::SIGTERM);
    within("SIGTERM", lab.owners.gained(VIP, 1, event, LIMIT), 200, 500); // skew at 190: 258 ms
    assert!(first.wait(LIMIT).is_some(), "keepalived ends on SIGTERM");
    let answers = pings.answers(event, event + ms(1000));
    say(&format!("    pings meanwhile: {answers:?}"));
    assert!(answers.unanswered > 50, "its hand-over has a hole, or the client does not measure: {answers:?}");

    let start = Instant::now();
    first = Daemon::start(Kind::Keepalived, &lab.nodes[0], &router);
    within("preemption after restart", lab.owners.gained(VIP, 0, start, LIMIT), 3000, 3700);
    std::thread::sleep(ms(500));

    let event = first.signal(Signal::SIGKILL);
    within("kill -9", lab.owners.gained(VIP, 1, event, LIMIT), 2200, 3700);
    std::thread::sleep(ms(1000));
    assert_eq!(lab.owners.now(VIP), [0, 1], "keepalived leaves the address behind");
    drop(first);
    let start = Instant::now();
    first = Daemon::start(Kind::Keepalived, &lab.nodes[0], &router);
    within("stale address cleaned after restart", lab.owners.lost(VIP, 0, start, LIMIT), 1, 700);
    lab.settle(VIP, 0, LIMIT);
    std::thread::sleep(ms(500));

    let event = first.signal(Signal::SIGSTOP);
    within("SIGSTOP", lab.owners.gained(VIP, 1, event, LIMIT), 2200, 3700);
    std::thread::sleep(ms(1000));
    assert_eq!(lab.owners.now(VIP), [0, 1], "keepalived holds the address while stopped");
    let woken = first.signal(Signal::SIGCONT);
    std::thread::sleep(ms(1000));
    assert_eq!(lab.owners.now(VIP).len(), 1, "after SIGCONT they agree again");
    let two = lab.owners.spans(VIP, event, woken + ms(1000)).two;
    assert!(two > ms(900), "two owners while stopped: {two:?}");
    drop((first, second));
}

/// A mixed pair, the first the master.
struct Pair {
    first: Daemon,
    second: Daemon,
    router: Router,
    kinds: [Kind; 2],
    vip: IpAddr,
    lab: Lab,
}

impl Pair {
    /// Both started and settled: node 0, of higher priority, owns the VIP.
    fn settled(router: Router, kinds: [Kind; 2]) -> Option<Self> {
        let pair = Self::started(router, kinds)?;
        pair.lab.settle(pair.vip, 0, LIMIT);
        std::thread::sleep(ms(300));
        Some(pair)
    }

    fn started(router: Router, kinds: [Kind; 2]) -> Option<Self> {
        let other = router.clone();
        Self::differing(router, &other, kinds)
    }

    /// The two nodes are told different things.
    fn differing(one: Router, other: &Router, kinds: [Kind; 2]) -> Option<Self> {
        let lab = Lab::with_keepalived(2)?;
        say(&format!("  {} as master, {} as backup", kinds[0].name(), kinds[1].name()));
        let first = Daemon::start(kinds[0], &lab.nodes[0], &one);
        let second = Daemon::start(kinds[1], &lab.nodes[1], other);
        let vip = if one.nodes[0].0.is_ipv4() { VIP } else { VIP6 };
        Some(Self { first, second, router: one, kinds, vip, lab })
    }

    fn restart_first(&mut self) -> Instant {
        let at = Instant::now();
        self.first = Daemon::start(self.kinds[0], &self.lab.nodes[0], &self.router);
        at
    }

    fn gained(&self, node: usize, event: Instant) -> Duration {
        self.lab.owners.gained(self.vip, node, event, LIMIT)
    }

    /// Waits, then expects both nodes to own it: what each does who cannot hear the other.
    fn both_own_after(&self, time: Duration) {
        std::thread::sleep(time);
        assert_eq!(self.lab.owners.now(self.vip), [0, 1], "neither may believe the other's adverts");
    }
}

const ROLES: [[Kind; 2]; 2] = [[Keepalived, Unsinkable], [Unsinkable, Keepalived]];

/// Hand-over, return, crash: `skew` and `down` are the taker's, in ms.
fn swap(router: &Router, skew: u64, down: u64) {
    for kinds in ROLES {
        let Some(mut pair) = Pair::settled(router.clone(), kinds) else { return };
        let ours_leaves = kinds[0] == Unsinkable;
        let pings = Pings::start(&pair.lab.client(), pair.vip);
        std::thread::sleep(ms(200));

        let event = pair.first.signal(Signal::SIGTERM);
        within("SIGTERM", pair.gained(1, event), 0, skew + 200);
        let answers = pings.answers(event - ms(100), event + ms(skew + 300));
        say(&format!("    pings meanwhile: {} of {} unanswered", answers.unanswered, answers.sent));
        assert!(!ours_leaves || answers.unanswered <= 15, "a planned hand-over lost packets: {answers:?}");
        assert!(pair.first.wait(LIMIT).is_some(), "it ends on SIGTERM");
        pair.lab.settle(pair.vip, 1, LIMIT);

        let event = pair.restart_first();
        within("return after restart", pair.gained(0, event), 0, down + 700);
        pair.lab.settle(pair.vip, 0, ms(1000));
        std::thread::sleep(ms(300));
        let two = pair.lab.owners.spans(pair.vip, event, Instant::now()).two;
        within("two owners on return", two, 0, 200);

        let event = pair.first.signal(Signal::SIGKILL);
        within("kill -9", pair.gained(1, event), 0, down + 300);
        if ours_leaves {
            pair.lab.two_owners_end(pair.vip, 1, event);
        }
    }
}

#[test]
fn v2_with_password_unicast() {
    swap(&Router::v2(&[200, 190]), 258, 3258);
}

#[test]
fn v2_without_password_multicast() {
    swap(&Router { password: None, ..Router::v2(&[200, 190]).by_multicast() }, 258, 3258);
}

#[test]
fn v3_unicast() {
    swap(&Router::v3(&[200, 190], ms(100)), 26, 326);
}

#[test]
fn v3_multicast() {
    swap(&Router::v3(&[200, 190], ms(100)).by_multicast(), 26, 326);
}

#[test]
fn ipv6_unicast() {
    swap(&Router::ipv6(&[200, 190], ms(100)), 26, 326);
}

#[test]
fn ipv6_multicast() {
    swap(&Router::ipv6(&[200, 190], ms(100)).by_multicast(), 26, 326);
}

/// 200/100/50, weights 20 and 10, which cannot decide: 230 falls to 210, the next has 130, the VIP stays.
#[test]
fn the_users_own_numbers() {
    for kinds in ROLES {
        let Some(lab) = Lab::with_keepalived(3) else { return };
        let router = Router::v2(&[200, 100, 50]).tracking(20, 10);
        for node in &lab.nodes {
            node.start_fake("dockerd");
            node.start_fake("traefik");
        }
        let sniffer = Sniffer::start(&lab.bridge(), 3);
        let kinds = [kinds[0], kinds[1], kinds[0]];
        let daemons: Vec<Daemon> = (0..3).map(|n| Daemon::start(kinds[n], &lab.nodes[n], &router)).collect();
        lab.settle(VIP, 0, LIMIT);
        std::thread::sleep(ms(1500));
        let now = Instant::now();
        let last = |node: usize| sniffer.adverts(node, 12, now, Instant::now()).last().map(|a| a.1);
        std::thread::sleep(ms(1300));
        assert_eq!(last(0), Some(230), "200 + 20 + 10 while both run");

        lab.nodes[0].stop_fake("dockerd");
        lab.steady(VIP, 0, ms(2500));
        assert_eq!(last(0), Some(210), "200 + 10 without dockerd");

        let event = daemons[0].signal(Signal::SIGTERM);
        within("SIGTERM, the next at 130", lab.owners.gained(VIP, 1, event, LIMIT), 0, 492 + 200);
        std::thread::sleep(ms(1300));
        assert_eq!(last(1), Some(130), "100 + 20 + 10");
        assert_eq!(
            sniffer.adverts(0, 12, event, Instant::now()).last().map(|a| a.1),
            Some(0),
            "its farewell"
        );
    }
}

#[test]
fn equal_priorities_settle_on_the_higher_address() {
    for kinds in ROLES {
        let Some(pair) = Pair::started(Router::v3(&[150, 150], ms(100)), kinds) else { return };
        std::thread::sleep(ms(2500));
        let owner = pair.lab.owners.now(VIP);
        assert_eq!(owner.len(), 1, "one of two equals owns it: {owner:?}");
        pair.lab.steady(VIP, owner[0], ms(1500));
        pair.lab.cut(0);
        pair.both_own_after(ms(1000));
        let healed = pair.lab.heal(0);
        within("the lower address yields", pair.lab.owners.lost(VIP, 0, healed, LIMIT), 0, 400);
        pair.lab.steady(VIP, 1, ms(1000));
    }
}

/// A master that hears priority 0 answers at once: who left may not be the only one listening.
#[test]
fn priority_zero_is_answered_by_the_master() {
    let Some(pair) = Pair::settled(Router::v2(&[200, 190]), [Unsinkable, Keepalived]) else { return };
    let sniffer = Sniffer::start(&pair.lab.bridge(), 2);
    let farewell = flood::advert_v2(12, 0, Ipv4Addr::new(10, 0, 10, 39), *b"pass1234");
    let before = Instant::now();
    std::thread::sleep(ms(1300));
    let periodic = sniffer.adverts(0, 12, before, Instant::now()).last().expect("a master advertises").0;
    std::thread::sleep((periodic + ms(1200)).saturating_duration_since(Instant::now())); // well between two adverts
    let at = Instant::now();
    let from = Ipv4Addr::new(10, 0, 10, 32);
    flood::flood(&pair.lab.client(), from, Ipv4Addr::new(10, 0, 10, 31), &farewell, 100_000, ms(1));
    std::thread::sleep(ms(100));
    assert!(!sniffer.adverts(0, 12, at, at + ms(50)).is_empty(), "no advert within 50 ms of a priority 0");
    pair.lab.steady(VIP, 0, ms(500));
}

#[test]
fn a_wrong_password_is_not_believed() {
    for kinds in ROLES {
        let right = Router::v2(&[200, 190]);
        let wrong = Router { password: Some("pass4321"), ..right.clone() };
        let Some(pair) = Pair::differing(right, &wrong, kinds) else { return };
        pair.both_own_after(ms(4500));
        let ours = usize::from(kinds[1] == Unsinkable);
        let (_, status, _) = command(&pair.lab.nodes[ours], &["status", "--json"]);
        assert!(status.contains("password"), "status names why adverts are dropped: {status}");
    }
}

#[test]
fn another_interval_splits_v2_and_is_adopted_in_v3() {
    for kinds in ROLES {
        let second = Router::v2(&[200, 190]);
        let two_seconds = Router { advert: ms(2000), ..second.clone() };
        let Some(pair) = Pair::differing(second, &two_seconds, kinds) else { return };
        pair.both_own_after(ms(7800));
    }
    for kinds in ROLES {
        let slow = Router::v3(&[200, 190], ms(500));
        let quick = Router { advert: ms(100), ..slow.clone() };
        let Some(pair) = Pair::differing(slow, &quick, kinds) else { return };
        pair.lab.settle(VIP, 0, LIMIT);
        pair.lab.steady(VIP, 0, ms(2500));
    }
}

/// keepalived 2.2.7 drops an advert with another list; ours accepts it.
#[test]
fn another_vip_list_is_accepted() {
    let one = Router::v2(&[200, 190]);
    let more = Router { vips: vec!["10.0.10.39/24", "10.0.10.41/24"], ..one.clone() };
    let Some(pair) = Pair::differing(more.clone(), &one, [Keepalived, Unsinkable]) else { return };
    pair.lab.settle(VIP, 0, LIMIT);
    pair.lab.steady(VIP, 0, ms(4000));
    drop(pair);
    let Some(pair) = Pair::differing(one, &more, [Unsinkable, Keepalived]) else { return };
    pair.both_own_after(ms(4500));
    pair.lab.cut(1);
    assert_eq!(pair.lab.owners.now(VIP), [0, 1], "ours, the higher, never yielded");
}

#[test]
fn a_stopped_master_is_replaced_and_agrees_again() {
    for kinds in ROLES {
        let Some(pair) = Pair::settled(Router::v3(&[200, 190], ms(100)), kinds) else { return };
        let event = pair.first.signal(Signal::SIGSTOP);
        within("SIGSTOP of the master", pair.gained(1, event), 200, 700);
        if kinds[0] == Unsinkable {
            pair.lab.two_owners_end(VIP, 1, event);
        }
        std::thread::sleep(ms(1500));
        pair.first.signal(Signal::SIGCONT);
        pair.lab.settle(VIP, 0, ms(2000));
        pair.lab.steady(VIP, 0, ms(1000));

        pair.second.signal(Signal::SIGSTOP);
        pair.lab.steady(VIP, 0, ms(1000));
        let woken = pair.second.signal(Signal::SIGCONT);
        std::thread::sleep(ms(1000));
        assert_eq!(pair.lab.owners.now(VIP), [0], "the higher priority keeps it");
        if kinds[1] == Unsinkable {
            let changes = pair.lab.owners.changes(VIP, woken, Instant::now());
            assert!(changes.is_empty(), "ours reads what is queued before it acts: {changes:?}");
        }
    }
}

#[test]
fn one_way_loss_splits_and_heals() {
    for kinds in ROLES {
        let Some(pair) = Pair::settled(Router::v3(&[200, 190], ms(100)), kinds) else { return };
        let deaf = pair.lab.deafen(1);
        within("the deaf backup takes it", pair.gained(1, deaf), 200, 700);
        std::thread::sleep(ms(500));
        assert_eq!(pair.lab.owners.now(VIP), [0, 1], "the master hears a lower priority and stays");
        let healed = pair.lab.hear();
        within("the backup yields", pair.lab.owners.lost(VIP, 1, healed, LIMIT), 0, 400);
        pair.lab.steady(VIP, 0, ms(500));
        pair.lab.lose(30);
        std::thread::sleep(ms(4000));
        pair.lab.hear();
        std::thread::sleep(ms(500));
        pair.lab.steady(VIP, 0, ms(500));
    }
}

/// Checks that decide, against a keepalived peer: ours resigns, and its peer needs only the skew.
#[test]
fn a_failed_check_hands_over_to_keepalived() {
    let Some(lab) = Lab::with_keepalived(2) else { return };
    let router = Router {
        tracks: vec![Track { process: "dockerd", interval: 1, weight: 20 }],
        ..Router::v2(&[200, 190])
    };
    lab.nodes.iter().for_each(|n| n.start_fake("dockerd"));
    let daemons =
        [Unsinkable, Keepalived].map(|k| Daemon::start(k, &lab.nodes[usize::from(k == Keepalived)], &router));
    lab.settle(VIP, 0, LIMIT);
    std::thread::sleep(ms(1500));
    let pings = Pings::start(&lab.client(), VIP);
    std::thread::sleep(ms(200));
    let event = lab.nodes[0].stop_fake("dockerd");
    within("dockerd killed", lab.owners.gained(VIP, 1, event, LIMIT), 0, 180 + 200); // (256 - 210) / 256 s
    let answers = pings.answers(event - ms(100), event + ms(600));
    assert!(answers.unanswered <= 15, "a planned hand-over lost packets: {answers:?}");
    drop(daemons);
}
