//! Bytes become inputs of one router, at any time and in any order; what must hold after each of them.

use core::net::IpAddr;
use core::time::Duration;
use unsinkable::time::Time;
use unsinkable::vrrp::event::{Action, Heard, Input, Link, Stale, StateName, Verdict};
use unsinkable::vrrp::priority::Effective;
use unsinkable::vrrp::router::Router;
use unsinkable::vrrp::{Auth, Checksum, Peer, Preempt, PriorityRange, Settings, Version, Vip};

/// Bytes of one step: how much later, which input, its value.
const STEP: usize = 3;

fn address(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 10, last])
}

fn settings(choice: u8, base: u8) -> Settings {
    let bit = |number: u8| choice >> number & 1 == 1;
    let range = bit(1).then_some(PriorityRange { floor: 50, ceiling: 200 });
    let peers = if bit(2) { 0 } else { 2 };
    Settings {
        vrid: 51,
        version: if bit(0) { Version::V3 } else { Version::V2 },
        vips: [Vip { addr: address(39), prefix: 24 }].into_iter().collect(),
        base,
        interval: Duration::from_millis(if bit(0) && bit(3) { 10 } else { 1_000 }),
        auth: Auth::None,
        checksum: Checksum::Pseudo,
        preempt: match choice >> 4 & 3 {
            0 | 1 => Preempt::After(Duration::ZERO),
            2 => Preempt::After(Duration::from_secs(5)),
            _ => Preempt::Never,
        },
        peers: (0..peers).map(|peer| Peer { addr: address(31 + peer), range }).collect(),
        multicast: peers == 0,
        blind: if bit(6) { Effective::Fault } else { Effective::Priority(20) },
    }
}

fn input(now: Time, kind: u8, value: u8) -> Input {
    let later = now + Duration::from_millis(u64::from(value) * 100);
    let effective = if value == 0 { Effective::Fault } else { Effective::Priority(value) };
    let heard = |last, millis| {
        Input::Advert(Heard { src: address(last), priority: value, interval: Duration::from_millis(millis) })
    };
    match kind % 16 {
        0 => Input::Start([Stale::None, Stale::Fresh, Stale::Old][usize::from(value % 3)]),
        1 => Input::Link([Link::Unknown, Link::Down, Link::NoAddress][usize::from(value % 3)]),
        2 | 3 => Input::Link(Link::Up(address(32 + value % 2))),
        4 => Input::Verdict(Verdict { effective, until: Some(later) }),
        5 | 6 => Input::Verdict(Verdict { effective, until: None }),
        7 => heard(31, 1_000),
        8 => heard(33, 10),
        9 => heard(31, 10),
        10 => heard(32, 40_950),
        11 => Input::Resign(later),
        12 => Input::Resign(now - Duration::from_secs(u64::from(value))),
        13 if value > 250 => Input::Stop,
        _ => Input::Timer,
    }
}

/// Runs a router through `data` and panics where something does not hold.
pub fn run(data: &[u8]) {
    let [choice, base, steps @ ..] = data else { return };
    let mut router = Router::new(settings(*choice, (*base).max(1)));
    let mut now = Time::from_micros(1_000_000_000);
    let mut held = false;
    for step in steps.chunks_exact(STEP) {
        // From a microsecond to an hour; or exactly when something is due.
        now = match (step[0], router.deadline()) {
            (255, Some(due)) => due.max(now),
            (wait, _) => now + Duration::from_micros((1 << (wait % 32)) * u64::from(wait / 32)),
        };
        held = one(&mut router, now, input(now, step[1], step[2]), held);
        if router.deadline().is_some_and(|due| due <= now) {
            held = ring(&mut router, now, held);
        }
    }
}

/// Whatever is due is done by some steps at one moment: a driver never spins.
fn ring(router: &mut Router, now: Time, mut held: bool) -> bool {
    for _ in 0..4 {
        held = one(router, now, Input::Timer, held);
        if router.deadline().is_none_or(|due| due > now) {
            return held;
        }
    }
    panic!("still due at {now}: {router:?}");
}

fn one(router: &mut Router, now: Time, input: Input, mut held: bool) -> bool {
    let (before, stopped) = (router.view().state, router.is_stopped());
    let actions = router.step(now, input);
    let state = router.view().state;
    assert!(actions.len() < actions.capacity() || actions.is_empty(), "room is left: {actions:?}");
    assert!(!stopped || (actions.is_empty() && router.is_stopped()), "stopped is final: {actions:?}");
    for action in &actions {
        match action {
            Action::Advertise(_) => {
                assert!(router.source().is_some(), "advertises from nowhere: {actions:?}");
            }
            Action::Hold => held = true,
            Action::Release => held = false,
            Action::Announce => assert!(held, "announces what it has not: {actions:?}"),
            Action::Probe | Action::Tell(_) => {}
        }
    }
    match state {
        StateName::Master | StateName::Leaving => {
            assert!(held, "{state} without the address: {actions:?}");
            assert!(router.source().is_some(), "{state} without a source address");
            assert!(router.deadline().is_some(), "{state} with nothing to wait for");
        }
        StateName::Backup => {
            assert!(!held && router.deadline().is_some(), "{before} to {state}: {actions:?}");
        }
        StateName::Init | StateName::Fault | StateName::Stopped => assert!(!held, "{state}: {actions:?}"),
    }
    held
}
