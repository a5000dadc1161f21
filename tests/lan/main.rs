//! Two to seven routers on a simulated LAN, through all that can happen to them; invariants after each event, and the
//! right master after each quiet time. `LAN_RUNS=n` for more runs, `LAN_SEED=s` to replay one, with its trace.

#![expect(clippy::unwrap_used, reason = "a test may fail; clippy takes only what is inside #[test] for one")]

mod network;
mod scenes;

use core::time::Duration;
use network::{FAIR, Lan, Random, address};
use scenes::{chaos, scene};
use std::panic::{AssertUnwindSafe, catch_unwind};
use unsinkable::vrrp::event::StateName;
use unsinkable::vrrp::priority::Effective;
use unsinkable::vrrp::timers::master_down;
use unsinkable::vrrp::{Auth, Checksum, Peer, Preempt, PriorityRange, Settings, Version, Vip};

/// What `cargo test` runs; about five seconds on two cores.
const RUNS: u64 = 50_000;
/// A weighted check of each node: it can lose this much.
const WEIGHT: u8 = 30;

#[test]
fn the_vip_is_where_it_belongs_whatever_happens() {
    if let Some(seed) = number("LAN_SEED") {
        run(seed, true);
        return;
    }
    let runs = number("LAN_RUNS").unwrap_or(RUNS);
    let steps = std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| scope.spawn(move || batch(half, runs)));
        halves.into_iter().map(|half| half.join().expect("a seed failed: see above")).sum::<u64>()
    });
    println!("{runs} runs, {steps} steps");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn batch(half: u64, runs: u64) -> u64 {
    let one = |seed| {
        catch_unwind(AssertUnwindSafe(|| run(seed, false))).unwrap_or_else(|_| {
            panic!("seed {seed} failed; replay: LAN_SEED={seed} cargo test --test lan -- --nocapture")
        })
    };
    (0..runs).filter(|seed| seed % 2 == half).map(one).sum()
}

/// A cluster, chaos, peace; then single faults in calm, each with its exact outcome.
fn run(seed: u64, trace: bool) -> u64 {
    let mut random = Random::new(seed + 1);
    let settings = cluster(&mut random);
    if trace {
        println!("{settings:#?}");
    }
    let mut lan = Lan::new(settings, random, trace);
    for index in 0..lan.nodes.len() {
        let pause = lan.random.duration(lan.nodes[index].settings.interval);
        lan.run(pause);
        lan.start(index);
    }
    settle(&mut lan);
    for _ in 0..3 {
        if lan.random.chance(50) {
            chaos(&mut lan);
            settle(&mut lan);
        } else {
            scene(&mut lan);
            settle(&mut lan);
        }
    }
    lan.steps
}

fn cluster(random: &mut Random) -> Vec<Settings> {
    let count = usize::try_from(2 + random.below(6)).unwrap();
    let version = random.pick(&[Version::V2, Version::V3]);
    let intervals = match version {
        Version::V2 => [1_000, 1_000, 2_000, 3_000],
        Version::V3 => [10, 100, 250, 1_000],
    };
    let interval = Duration::from_millis(random.pick(&intervals));
    let delay = interval * 4;
    let preempt = random.pick(&[
        Preempt::After(Duration::ZERO),
        Preempt::After(Duration::ZERO),
        Preempt::After(delay),
        Preempt::Never,
    ]);
    let known = random.chance(70);
    let ties = random.chance(20);
    let mixed = version == Version::V3 && random.chance(10);
    let bases: Vec<u8> = (0..count)
        .map(|index| {
            if ties {
                random.pick(&[100, 150])
            } else {
                // Distinct, and 8 to 40 apart, so that a weight decides between some and not between others.
                240 - u8::try_from(index).unwrap() * random.pick(&[30, 32])
            }
        })
        .collect();
    let range = |base: u8| known.then(|| PriorityRange { floor: base - WEIGHT, ceiling: base });
    let one = |index: usize| Settings {
        vrid: 51,
        version,
        vips: [Vip { addr: "10.0.10.39".parse().unwrap(), prefix: 24 }].into_iter().collect(),
        base: bases[index],
        interval: if mixed { interval * (1 + u32::try_from(index % 3).unwrap()) } else { interval },
        auth: Auth::None,
        checksum: Checksum::Pseudo,
        preempt,
        peers: (0..count)
            .filter(|&peer| peer != index)
            .map(|peer| Peer { addr: address(peer), range: range(bases[peer]) })
            .collect(),
        multicast: false,
        blind: Effective::Priority(bases[index] - WEIGHT),
    };
    (0..count).map(one).collect()
}

/// After this long without a fault exactly one master is left, the right one. A wait for the master, one more after a
/// stall, a preemption delay, a hand-over said twice.
fn bound(lan: &Lan) -> Duration {
    let settings = &lan.nodes[0].settings;
    let slowest = lan.nodes.iter().map(|node| node.settings.interval).max().unwrap();
    let down = master_down(settings.version, 1, slowest);
    let delay = match settings.preempt {
        Preempt::Never => Duration::ZERO,
        Preempt::After(delay) => delay,
    };
    down * 4 + delay * 2 + Duration::from_millis(500)
}

/// Waits until the bound is over, then looks on for a while: one master, the right one, and nothing moves.
fn settle(lan: &mut Lan) {
    lan.weather = FAIR;
    lan.run(bound(lan));
    // The kernel takes the address from whoever died.
    let leases = lan.nodes.iter().filter(|node| node.router.is_none()).filter_map(network::Node::lease_end);
    let last = leases.max().unwrap_or(lan.now);
    lan.run(last.since(lan.now));
    lan.clear();
    let best = (0..lan.nodes.len()).map(|index| lan.nodes[index].priority()).max().unwrap();
    let quiet = master_down(Version::V2, 1, lan.nodes[0].settings.interval).min(bound(lan));
    if best == 0 {
        assert_eq!((lan.masters().len(), lan.holders()), (0, 0), "nobody can be master");
        return;
    }
    let masters = lan.masters();
    assert_eq!(masters.len(), 1, "masters {masters:?} at {}", lan.now);
    let master = masters[0];
    if let Preempt::After(_) = lan.nodes[master].settings.preempt {
        assert_eq!(lan.nodes[master].priority(), best, "node {master} is master at {}", lan.now);
    }
    lan.run(quiet);
    assert!(lan.log.is_empty(), "changes without cause: {:?}", lan.log);
    assert_eq!(lan.contested, 0, "contested without cause");
    assert_eq!((lan.holders(), lan.nobody, lan.several), (1, Duration::ZERO, Duration::ZERO), "holders");
    assert!(lan.nodes[master].held.is_some(), "the master has the address");
    for node in lan.nodes.iter().filter(|node| node.priority() != 0 && node.addr != address(master)) {
        assert_eq!(node.state, StateName::Backup, "{} at {}", node.addr, lan.now);
    }
}
