//! Every state with every input, and the decisions one by one. Times are literals, in microseconds.

mod handover;

use super::*;
use crate::vrrp::priority::Effective;
use crate::vrrp::{Auth, Checksum, Peer, PriorityRange, Version, Vip};
use Action::{Advertise, Announce, Hold, Probe, Release};
use StateName::{Backup as B, Fault as F, Init as I, Leaving as L, Master as M, Stopped as S};
use core::time::Duration;

const T0: u64 = 100_000_000;
const SECOND: u64 = 1_000_000;

fn at(micros: u64) -> Time {
    Time::from_micros(T0 + micros)
}

fn ip(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 10, last])
}

/// Node .32 of priority 100 at 1 s, version 2; peers .31 (170 to 200) and .33 (20 to 50).
fn settings() -> Settings {
    let peer = |last, floor, ceiling| Peer { addr: ip(last), range: Some(PriorityRange { floor, ceiling }) };
    Settings {
        vrid: 12,
        version: Version::V2,
        vips: [Vip { addr: ip(39), prefix: 24 }].into_iter().collect(),
        base: 100,
        interval: Duration::from_secs(1),
        auth: Auth::None,
        checksum: Checksum::Pseudo,
        preempt: Preempt::After(Duration::ZERO),
        peers: [peer(31, 170, 200), peer(33, 20, 50)].into_iter().collect(),
        multicast: false,
        blind: Effective::Fault,
    }
}

fn advert(last: u8, priority: u8) -> Input {
    Input::Advert(Heard { src: ip(last), priority, interval: Duration::from_secs(1) })
}

fn says(effective: Effective) -> Input {
    Input::Verdict(Verdict { effective, until: None })
}

fn priority(priority: u8) -> Input {
    says(Effective::Priority(priority))
}

/// What goes to the network and the interface; events are looked at through `view`.
fn acts(router: &mut Router, micros: u64, input: Input) -> Vec<Action> {
    let out = router.step(at(micros), input);
    out.into_iter().filter(|action| !matches!(action, Action::Tell(_))).collect()
}

fn state(router: &Router) -> StateName {
    router.view().state
}

/// Deadline in microseconds after `T0`.
fn due(router: &Router) -> u64 {
    router.deadline().unwrap().as_micros() - T0
}

fn backup_of(settings: Settings, own: u8) -> Router {
    let mut router = Router::new(settings);
    for input in [Input::Start(Stale::None), Input::Link(Link::Up(ip(32))), priority(own)] {
        assert_eq!(acts(&mut router, 0, input), []);
    }
    assert_eq!(state(&router), B);
    router
}

fn backup() -> Router {
    backup_of(settings(), 100)
}

fn master_of(settings: Settings, own: u8) -> Router {
    let mut router = backup_of(settings, own);
    let goodbye = acts(&mut router, 0, advert(31, 0));
    assert_eq!(goodbye, []);
    let now = due(&router);
    assert_eq!(acts(&mut router, now, Input::Timer), [Advertise(own), Hold, Announce]);
    // From here on times count from the takeover.
    let mut router = Router { state: State::Master { advert_at: at(SECOND) }, ..router };
    (router.since, router.last_heard) = (at(0), None);
    router
}

fn master() -> Router {
    master_of(settings(), 100)
}

fn waiting(then: Input) -> Router {
    let mut router = master();
    assert_eq!(acts(&mut router, 0, then), [Advertise(0), Hold]);
    assert_eq!(state(&router), L);
    router
}

fn lingering() -> Router {
    let mut router = master();
    assert_eq!(acts(&mut router, 0, advert(31, 200)), []);
    assert_eq!(state(&router), L);
    router
}

fn resign() -> Input {
    Input::Resign(at(600 * SECOND))
}

/// For each state: the next one, and what is done.
type Row<'a> = [(StateName, &'a [Action]); 7];

#[test]
fn every_state_takes_every_input() {
    let fault = || {
        let mut router = backup();
        acts(&mut router, 0, Input::Link(Link::Down));
        router
    };
    let stopped = || {
        let mut router = backup();
        acts(&mut router, 0, Input::Stop);
        router
    };
    let states: [(&str, &dyn Fn() -> Router); 7] = [
        ("init", &|| Router::new(settings())),
        ("fault", &fault),
        ("backup", &backup),
        ("master", &master),
        ("waiting", &|| waiting(resign())),
        ("lingering", &lingering),
        ("stopped", &stopped),
    ];
    let up = Input::Link(Link::Up(ip(32)));
    let down = Input::Link(Link::Down);
    let none = Input::Link(Link::NoAddress);
    let failed = says(Effective::Fault);
    let bye = [Advertise(0), Hold];
    let tell = [Advertise(100), Hold];
    let contest = [Advertise(100), Hold, Announce];
    // Columns as `states`; 10 ms after the state was entered.
    #[rustfmt::skip]
    let table: [(Input, Row); 12] = [
        (up,              [(I, &[]), (B, &[]), (B, &[]), (M, &[]),        (L, &[]),        (L, &[]),        (S, &[])]),
        (down,            [(I, &[]), (F, &[]), (F, &[]), (F, &[Release]), (F, &[Release]), (F, &[Release]), (S, &[])]),
        (none,            [(I, &[]), (F, &[]), (F, &[]), (F, &[Release]), (F, &[Release]), (F, &[Release]), (S, &[])]),
        (priority(100),   [(I, &[]), (F, &[]), (B, &[]), (M, &[]),        (L, &[]),        (L, &[]),        (S, &[])]),
        (failed,          [(I, &[]), (F, &[]), (F, &[]), (L, &bye),       (L, &[]),        (L, &[]),        (S, &[])]),
        (advert(31, 200), [(I, &[]), (F, &[]), (B, &[]), (L, &[]),        (L, &[]),        (L, &[]),        (S, &[])]),
        (advert(33, 50),  [(I, &[]), (F, &[]), (B, &[]), (M, &contest),   (L, &[]),        (L, &[]),        (S, &[])]),
        (advert(33, 0),   [(I, &[]), (F, &[]), (B, &[]), (M, &tell),      (L, &[]),        (L, &[]),        (S, &[])]),
        (advert(32, 200), [(I, &[]), (F, &[]), (B, &[]), (M, &[]),        (L, &[]),        (L, &[]),        (S, &[])]),
        (Input::Timer,    [(I, &[]), (F, &[]), (B, &[]), (M, &[]),        (L, &[]),        (L, &[]),        (S, &[])]),
        (resign(),        [(I, &[]), (F, &[]), (B, &[]), (L, &bye),       (L, &[]),        (L, &[]),        (S, &[])]),
        (Input::Stop,     [(S, &[]), (S, &[]), (S, &[]), (L, &bye),       (L, &[]),        (L, &[]),        (S, &[])]),
    ];
    for (input, row) in table {
        for ((name, make), (then, actions)) in states.iter().zip(row) {
            let mut router = make();
            let done = acts(&mut router, 10_000, input);
            assert_eq!((state(&router), &done[..]), (then, actions), "{name} and {input:?}");
        }
    }
}

#[test]
fn takes_over_after_three_intervals_and_the_skew() {
    // 3 + (256 - 100) / 256 = 3.609375 s, and asks who has the address 200 ms before.
    let mut router = backup();
    acts(&mut router, 500_000, advert(31, 200));
    assert_eq!(due(&router), 500_000 + 3_409_375);
    assert_eq!(acts(&mut router, 3_909_375, Input::Timer), [Probe]);
    assert_eq!(due(&router), 500_000 + 3_609_375);
    assert_eq!(acts(&mut router, 4_109_374, Input::Timer), []);
    assert_eq!(acts(&mut router, 4_109_375, Input::Timer), [Advertise(100), Hold, Announce]);
    assert_eq!(router.view().reason, Reason::MasterSilent(Duration::from_micros(3_609_375)));
    assert_eq!(due(&router), 5_109_375);
    assert_eq!(acts(&mut router, 5_109_500, Input::Timer), [Advertise(100), Hold]);
    assert_eq!(due(&router), 6_109_375, "keeps the beat");
}

#[test]
fn a_goodbye_leaves_the_skew_and_the_second_one_does_not_start_it_anew() {
    let mut router = backup();
    acts(&mut router, 0, advert(31, 200));
    acts(&mut router, 100_000, advert(33, 0));
    assert_eq!(due(&router), 3_409_375, "not the master's goodbye");
    acts(&mut router, 200_000, advert(31, 0));
    assert_eq!(due(&router), 200_000 + 609_375);
    acts(&mut router, 300_000, advert(31, 0));
    assert_eq!(due(&router), 200_000 + 609_375);
    assert_eq!(acts(&mut router, 809_375, Input::Timer), [Advertise(100), Hold, Announce]);
    assert_eq!(router.view().reason, Reason::MasterLeft);
}

#[test]
fn version_3_adopts_the_masters_interval() {
    let mut own = settings();
    (own.version, own.interval) = (Version::V3, Duration::from_millis(100));
    let mut router = backup_of(own, 100);
    // 300 + 100 x 156 / 256 = 360.9375 ms, less 200 ms for the probe.
    assert_eq!(due(&router), 160_937);
    let slow = Heard { src: ip(31), priority: 200, interval: Duration::from_millis(200) };
    acts(&mut router, 0, Input::Advert(slow));
    assert_eq!(due(&router), 521_875, "721.875 ms at the master's 200 ms, less the probe's 200 ms");
    let mut fast = settings();
    (fast.version, fast.interval) = (Version::V3, Duration::from_millis(10));
    // 30 + 10 x 26 / 256 = 31.015625 ms: no time for a probe.
    assert_eq!(due(&backup_of(fast, 230)), 31_015);
}

#[test]
fn a_lower_master_is_preempted_at_once_later_or_never() {
    let takeover = |preempt| {
        let mut own = settings();
        own.preempt = preempt;
        let mut router = backup_of(own, 100);
        for second in 0..30 {
            acts(&mut router, second * SECOND + 1, advert(33, 50));
            let next = (second + 1) * SECOND;
            while due(&router) <= next {
                let now = due(&router);
                acts(&mut router, now, Input::Timer);
                if state(&router) == M {
                    assert_eq!(router.view().reason, Reason::Preempts { master: ip(33), priority: 50 });
                    return Some(now);
                }
            }
        }
        None
    };
    assert_eq!(takeover(Preempt::After(Duration::ZERO)), Some(3_609_375));
    // Heard from 0.000001 on, for 10 s; the last one obeyed is that of 9.000001 s.
    assert_eq!(takeover(Preempt::After(Duration::from_secs(10))), Some(9_000_001 + 3_609_375));
    assert_eq!(takeover(Preempt::Never), None);
}

#[test]
fn a_master_that_falls_is_given_the_skew() {
    let mut router = backup();
    acts(&mut router, 0, advert(31, 200));
    acts(&mut router, SECOND, advert(31, 90));
    assert_eq!(due(&router), SECOND + 609_375);
    acts(&mut router, SECOND + 609_375, Input::Timer);
    assert_eq!(router.view().reason, Reason::MasterFell);
}

#[test]
fn equals_are_settled_by_address_and_a_backup_stays() {
    let mut router = master();
    assert_eq!(acts(&mut router, 1, advert(31, 100)), [Advertise(100), Hold, Announce]);
    assert_eq!(acts(&mut router, 2, advert(33, 100)), []);
    assert_eq!(state(&router), L);
    let mut router = backup();
    acts(&mut router, SECOND, advert(31, 100));
    assert_eq!(due(&router), SECOND + 3_409_375, "obeyed");
}

#[test]
fn the_loser_is_answered_at_once_but_a_flood_is_not() {
    let mut router = master();
    acts(&mut router, SECOND, Input::Timer);
    assert_eq!(acts(&mut router, SECOND + 30_000, advert(33, 50)), [Advertise(100), Hold, Announce]);
    assert_eq!(acts(&mut router, SECOND + 129_999, advert(33, 50)), []);
    assert_eq!(acts(&mut router, SECOND + 130_000, advert(33, 50)), [Advertise(100), Hold, Announce]);
}

#[test]
fn woken_late_it_listens_once_more_and_only_once() {
    let mut router = backup();
    // Due at 3.609375; more than an interval late at 4.7.
    assert_eq!(acts(&mut router, 4_700_000, Input::Timer), []);
    // 1 s and the skew of 0.609375 s.
    assert_eq!(due(&router), 4_700_000 + 1_609_375);
    assert_eq!(acts(&mut router, 60 * SECOND, Input::Timer), [Advertise(100), Hold, Announce]);
    let mut router = backup();
    assert_eq!(
        acts(&mut router, 4_609_375, Input::Timer),
        [Advertise(100), Hold, Announce],
        "not late enough"
    );
}

#[test]
fn a_stalled_master_announces_again_or_yields() {
    let mut router = master();
    assert_eq!(acts(&mut router, 2_000_001, Input::Timer), [Advertise(100), Hold, Announce]);
    assert_eq!(due(&router), 3_000_001);
    let mut own = settings();
    own.preempt = Preempt::Never;
    let mut router = master_of(own.clone(), 100);
    acts(&mut router, 3_000_001, advert(33, 50));
    assert_eq!(state(&router), L, "the other took over by right");
    let mut router = master_of(own, 100);
    acts(&mut router, 3_000_000, advert(33, 50));
    assert_eq!(state(&router), M);
}

#[test]
fn a_former_lifes_address_is_kept_or_said_goodbye_to() {
    let begin = |stale, micros| {
        let mut router = Router::new(settings());
        acts(&mut router, 0, Input::Start(stale));
        acts(&mut router, micros, Input::Link(Link::Up(ip(32))));
        let done = acts(&mut router, micros, priority(100));
        (state(&router), done)
    };
    assert_eq!(begin(Stale::Fresh, 10), (M, vec![Advertise(100), Hold, Announce]));
    assert_eq!(begin(Stale::Old, 10), (L, vec![Advertise(0), Hold]));
    assert_eq!(begin(Stale::None, 10), (B, vec![]));
    // The checks have nothing to say for an interval: off with it.
    let mut router = Router::new(settings());
    acts(&mut router, 0, Input::Start(Stale::Fresh));
    acts(&mut router, 0, Input::Link(Link::Up(ip(32))));
    assert_eq!(due(&router), SECOND);
    assert_eq!(acts(&mut router, SECOND, Input::Timer), [Advertise(0), Release]);
    assert_eq!((state(&router), router.deadline()), (I, None));
    assert_eq!(acts(&mut router, 2 * SECOND, priority(100)), []);
    assert_eq!(state(&router), B);
    // Start may come last.
    let mut router = Router::new(settings());
    acts(&mut router, 0, priority(100));
    acts(&mut router, 0, Input::Link(Link::Up(ip(32))));
    assert_eq!(acts(&mut router, 0, Input::Start(Stale::Fresh)), [Advertise(100), Hold, Announce]);
}

#[test]
fn the_owner_does_not_wait() {
    let mut own = settings();
    own.base = 255;
    let mut router = Router::new(own);
    acts(&mut router, 0, Input::Start(Stale::None));
    acts(&mut router, 0, Input::Link(Link::Up(ip(32))));
    assert_eq!(acts(&mut router, 0, priority(255)), [Advertise(255), Hold, Announce]);
}

#[test]
fn silent_checks_count_as_failed_but_a_stalled_process_asks_them_again() {
    let verdict =
        |until| Input::Verdict(Verdict { effective: Effective::Priority(100), until: Some(at(until)) });
    let mut router = master();
    acts(&mut router, 0, verdict(500_000));
    assert_eq!(due(&router), 500_000);
    assert_eq!(acts(&mut router, 500_000, Input::Timer), [Advertise(0), Hold]);
    assert_eq!(router.view().reason, Reason::ChecksSilent);
    let mut router = master();
    acts(&mut router, 0, verdict(500_000));
    assert_eq!(acts(&mut router, 1_600_000, Input::Timer), [Advertise(100), Hold]);
    assert_eq!(due(&router), 2_000_000);
    acts(&mut router, 2_000_000, Input::Timer);
    assert_eq!(acts(&mut router, 2_600_000, Input::Timer), [Advertise(0), Hold], "one interval, no more");
}
