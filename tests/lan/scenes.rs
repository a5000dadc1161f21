//! What happens on the LAN: chaos, and single faults in calm of which the exact outcome is known.

use crate::network::{FAIR, LATENCY, Lan, Node, Weather};
use crate::{WEIGHT, bound};
use core::time::Duration;
use unsinkable::time::Time;
use unsinkable::vrrp::event::StateName;
use unsinkable::vrrp::priority::Effective;
use unsinkable::vrrp::router::{HANDOVER_MARGIN, LINGER};
use unsinkable::vrrp::timers::{master_down, skew};
use unsinkable::vrrp::{Preempt, Version};

/// Faults at random for some intervals. Ends with the network whole and everybody awake; dead and failed nodes may stay.
pub fn chaos(lan: &mut Lan) {
    let interval = lan.nodes[0].settings.interval;
    lan.weather = Weather {
        loss_percent: lan.random.pick(&[0, 0, 5, 30, 70]),
        repeat_percent: lan.random.pick(&[0, 0, 20]),
        jitter: lan.random.pick(&[Duration::ZERO, Duration::from_micros(300), interval / 2, interval * 2]),
    };
    for _ in 0..=lan.random.below(8) {
        fault(lan);
        let pause = lan.random.duration(interval * 3);
        lan.run(pause);
    }
    lan.cut = [[false; 8]; 8];
    lan.weather = FAIR;
    for index in 0..lan.nodes.len() {
        if lan.nodes[index].stalled.is_some() {
            lan.wake(index);
        }
        if lan.nodes[index].router.is_none() && lan.random.chance(70) {
            lan.start(index);
        }
        if !lan.nodes[index].link_up && lan.random.chance(70) {
            lan.set_link(index, true);
        }
        if lan.nodes[index].resigned && lan.random.chance(50) {
            lan.resign(index, false);
        }
    }
}

fn fault(lan: &mut Lan) {
    let count = lan.nodes.len();
    let index = usize::try_from(lan.random.below(count as u64)).unwrap();
    let base = lan.nodes[index].settings.base;
    let interval = lan.nodes[index].settings.interval;
    match lan.random.below(15) {
        0 => lan.kill(index),
        1 => {
            lan.kill(index);
            let pause = lan.random.duration(interval * 5);
            lan.run(pause);
            lan.start(index);
        }
        2 if lan.nodes[index].router.is_none() => lan.start(index),
        2 | 3 => {
            let time = lan.random.duration(interval * 10);
            lan.nodes[index].stalled = Some(lan.now + time);
        }
        4 => {
            let groups: Vec<u64> = (0..count).map(|_| lan.random.below(2)).collect();
            for (from, to) in pairs(count) {
                lan.cut[from][to] = groups[from] != groups[to];
            }
        }
        5 => {
            let other = usize::try_from(lan.random.below(count as u64)).unwrap();
            lan.cut[index][other] = true;
        }
        6 => lan.cut = [[false; 8]; 8],
        7 => lan.set_effective(index, Effective::Fault),
        8 => lan.set_effective(index, Effective::Priority(base - WEIGHT)),
        9 => lan.set_effective(index, Effective::Priority(base)),
        10 => {
            let up = lan.nodes[index].link_up;
            lan.set_link(index, !up);
        }
        11 => {
            let resigned = lan.nodes[index].resigned;
            lan.resign(index, !resigned);
        }
        12 => lan.silence_checks(index),
        13 => {
            lan.kill(index);
            let pause = lan.random.duration(interval * 4);
            lan.run(pause);
            lan.start_unchecked(index);
            let pause = lan.random.duration(interval * 2);
            lan.run(pause);
            lan.tell_verdict(index);
        }
        _ => lan.stop(index),
    }
}

fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |from| (0..count).map(move |to| (from, to)))
}

/// One fault in calm.
pub fn scene(lan: &mut Lan) {
    let [master] = lan.masters()[..] else { return };
    let pause = lan.random.duration(lan.nodes[master].settings.interval * 2);
    lan.run(pause);
    let Some(next) = successor(lan, master) else { return };
    lan.clear();
    match lan.random.below(10) {
        0 => crash(lan, master, next),
        1 => leaves(lan, master, next, Lan::stop),
        // Two that have resigned are equal: the one that has the VIP keeps it.
        2 if lan.nodes[next].resigned => {}
        2 => leaves(lan, master, next, |lan, index| lan.resign(index, true)),
        3 => leaves(lan, master, next, |lan, index| lan.set_effective(index, Effective::Fault)),
        4 => falls(lan, master, next),
        5 => goodbye_lost(lan, master, next),
        6 => restarts(lan, master),
        7 => stalls(lan, master),
        8 => freezes(lan, master, next),
        _ => link_lost(lan, master, next),
    }
}

/// Who takes over: the highest priority, then (two at the same moment) the highest address.
fn successor(lan: &Lan, master: usize) -> Option<usize> {
    let others = (0..lan.nodes.len()).filter(|&index| index != master && lan.nodes[index].priority() != 0);
    others.max_by_key(|&index| (lan.nodes[index].priority(), index))
}

/// Two whose skews differ by less than an advert's way take over together, and then the better one wins: such moves
/// are not exact.
fn alone(lan: &Lan, next: usize) -> bool {
    let interval = lan.nodes.iter().map(|node| node.settings.interval).min().unwrap();
    let skew = |index: usize| skew(lan.nodes[index].settings.version, lan.nodes[index].priority(), interval);
    let others = (0..lan.nodes.len()).filter(|&index| index != next && lan.nodes[index].priority() != 0);
    others.into_iter().all(|index| skew(index).abs_diff(skew(next)) > LATENCY * 2)
}

fn became_master(lan: &Lan, index: usize) -> Option<Time> {
    lan.log
        .iter()
        .find(|(_, node, state, _)| *node == index && *state == StateName::Master)
        .map(|(at, ..)| *at)
}

/// How long two owners are right because they took over together.
fn contest(lan: &Lan, next: usize) -> Duration {
    if alone(lan, next) { Duration::ZERO } else { LATENCY + LINGER }
}

/// What the RFC says of `next`, from the last advert it accepted, and nothing but that.
fn expect_silence_takeover(lan: &Lan, next: usize, heard: Time, interval: Duration, version: Version) {
    let due = heard + master_down(version, lan.nodes[next].priority(), interval);
    assert_eq!(became_master(lan, next), Some(due), "{:?}", lan.log);
}

/// Dies or falls silent: the next takes over after exactly three intervals and its skew.
fn silence(lan: &mut Lan, master: usize, next: usize, silence: impl Fn(&mut Lan, usize)) {
    let settings = lan.nodes[master].settings.clone();
    // An advert that is on its way still counts.
    while lan.in_flight() {
        lan.run(LATENCY / 2);
    }
    let (heard, _) = lan.nodes[next].patience.accepted.expect("the master was heard");
    lan.clear();
    silence(lan, master);
    let down = master_down(settings.version, lan.nodes[next].priority(), settings.interval);
    lan.run(down + LATENCY * 4);
    expect_silence_takeover(lan, next, heard, settings.interval, settings.version);
    assert_eq!(lan.masters(), [next], "of several at once the best is left");
}

fn crash(lan: &mut Lan, master: usize, next: usize) {
    silence(lan, master, next, Lan::kill);
    let last = lan.nodes[master].lease().saturating_sub(lan.nodes[master].settings.interval * 3);
    lan.run(Duration::from_secs(2));
    let last = last.max(contest(lan, next));
    // DESIGN section 4: two owners for 0.3 s at adverts of 1 s, 1.1 s at faster ones.
    assert!(lan.several <= last, "two owners for {:?}", lan.several);
    let seconds = lan.nodes[master].settings.interval >= Duration::from_secs(1);
    let limit = Duration::from_millis(if seconds { 300 } else { 1_100 });
    assert!(lan.several <= limit, "two owners for {:?}", lan.several);
    lan.start(master);
}

fn link_lost(lan: &mut Lan, master: usize, next: usize) {
    silence(lan, master, next, |lan, index| lan.set_link(index, false));
    assert!(lan.several <= contest(lan, next), "two owners for {:?}", lan.several);
    lan.set_link(master, true);
}

/// Goodbye heard: the skew later the next has the VIP, and at no moment nobody.
fn leaves(lan: &mut Lan, master: usize, next: usize, leave: impl Fn(&mut Lan, usize)) {
    let (version, interval) = (lan.nodes[master].settings.version, lan.nodes[master].settings.interval);
    let own = lan.nodes[next].priority();
    let said = lan.now;
    let exact = alone(lan, next);
    leave(lan, master);
    let wait = skew(version, own, interval);
    lan.run(LATENCY + wait + LATENCY + LINGER + Duration::from_millis(5));
    assert_eq!(became_master(lan, next), Some(said + LATENCY + wait), "{:?}", lan.log);
    assert_eq!(lan.nobody, Duration::ZERO, "nobody had the address");
    if exact {
        // Until the successor's advert is there, and the linger after it: no longer, and not shorter.
        assert_eq!(lan.several, LATENCY + LINGER, "two owners");
    }
    assert!(lan.nodes[master].held.is_none(), "the address is gone from node {master}");
    back(lan, master);
}

/// Whole again, in one of the ways of its kind.
fn back(lan: &mut Lan, index: usize) {
    if lan.nodes[index].router.is_none() {
        lan.start(index);
    }
    if lan.random.chance(50) {
        lan.resign(index, false);
    }
    let base = lan.nodes[index].settings.base;
    lan.set_effective(index, Effective::Priority(base));
}

/// A weighted check fails: decisive, or nothing moves.
fn falls(lan: &mut Lan, master: usize, next: usize) {
    let node = &lan.nodes[master];
    let Effective::Priority(before) = node.effective else { return };
    let after = before - WEIGHT;
    let preempts = node.settings.preempt == Preempt::After(Duration::ZERO);
    let own = lan.nodes[next].priority();
    if !preempts || node.resigned || before != node.settings.base {
        return;
    }
    let (version, interval) = (node.settings.version, node.settings.interval);
    let said = lan.now;
    lan.set_effective(master, Effective::Priority(after));
    lan.run(skew(version, own, interval) + LATENCY * 2 + LINGER + Duration::from_millis(1));
    if after < own {
        // By goodbye or because the backup hears it fall: the skew decides.
        let due = said + LATENCY + skew(version, own, interval);
        assert_eq!(became_master(lan, next), Some(due), "{:?}", lan.log);
    }
    assert_eq!(lan.nobody, Duration::ZERO, "nobody had the address");
    lan.run(bound(lan));
    assert_eq!(lan.nobody, Duration::ZERO, "nobody had the address");
    let best = lan.nodes.iter().map(Node::priority).max();
    assert_eq!(lan.masters().iter().map(|&index| lan.nodes[index].priority()).max(), best);
}

/// The first goodbye reaches nobody: the second does, and the address stays meanwhile.
fn goodbye_lost(lan: &mut Lan, master: usize, next: usize) {
    lan.lose_goodbyes = 1;
    lan.stop(master);
    let longest = lan.nodes[master].settings.interval.max(Duration::from_secs(1)) + HANDOVER_MARGIN;
    lan.run(longest * 2 + skew(Version::V2, 1, longest));
    assert!(became_master(lan, next).is_some(), "{:?}", lan.log);
    assert_eq!(lan.nobody, Duration::ZERO, "nobody had the address");
    lan.lose_goodbyes = 0;
    lan.start(master);
}

/// kill -9 and back at once: the lease still runs, nobody else moves.
fn restarts(lan: &mut Lan, master: usize) {
    lan.kill(master);
    let interval = lan.nodes[master].settings.interval;
    let pause = lan.random.duration(interval / 2);
    lan.run(pause);
    lan.start(master);
    lan.run(interval * 4);
    assert_eq!(lan.masters(), [master]);
    assert_eq!((lan.nobody, lan.several), (Duration::ZERO, Duration::ZERO));
    assert!(lan.log.iter().all(|(_, index, ..)| *index == master), "{:?}", lan.log);
}

/// A backup's whole machine stands still, and nothing is queued for it: it must not take a living master's VIP.
fn freezes(lan: &mut Lan, master: usize, next: usize) {
    let interval = lan.nodes[master].settings.interval;
    let time = interval * 6 + lan.random.duration(interval * 6);
    lan.nodes[next].stalled = Some(lan.now + time + Duration::from_micros(1));
    lan.cut.iter_mut().for_each(|from| from[next] = true);
    lan.run(time);
    lan.cut = [[false; 8]; 8];
    lan.run(interval * 3);
    assert!(lan.log.is_empty(), "{:?}", lan.log);
}

/// SIGSTOP and SIGCONT of the master, for less or more than its peers' patience.
fn stalls(lan: &mut Lan, master: usize) {
    let interval = lan.nodes[master].settings.interval;
    let time = lan.random.duration(interval * 12);
    lan.nodes[master].stalled = Some(lan.now + time);
    lan.run(time + LATENCY * 4 + LINGER);
    let limit = lan.nodes[master].lease().saturating_sub(interval * 3) + LINGER + LATENCY * 4;
    assert!(lan.several <= limit, "two owners for {:?}, not {limit:?}", lan.several);
}
