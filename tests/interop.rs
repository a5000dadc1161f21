//! With real keepalived on the same wire: in both roles, in every dialect, when healthy and when not.
//!
//! The first test has keepalived on both sides: it proves the lab before ours is judged by it.

mod lab;

use lab::daemon::{Daemon, Kind, Router};
use lab::pings::Pings;
use lab::{Lab, VIP, say};
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(8);

fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}

fn within(what: &str, got: Duration, low: u64, high: u64) {
    say(&format!("    {what}: {} ms", got.as_millis()));
    assert!(got >= ms(low) && got <= ms(high), "{what}: {got:?}, expected {low} to {high} ms");
}

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
