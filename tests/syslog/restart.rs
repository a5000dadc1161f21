//! Ten thousand lines a second, and the server restarts under them.

use super::servers::{Input, Kind, Server, unpacked, until};
use super::{outbox, push, sending, web};
use nix::sys::signal::Signal;
use smol::Timer;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use unsinkable::syslog::Keep;
use unsinkable::syslog::queue::MAX_TAIL;

/// Lines a second.
const RATE: u32 = 10_000;
/// Long enough for all buffers between us and a server that does not read to fill up.
const HANG: Duration = Duration::from_secs(2);
/// Lines each time.
const STEP: u32 = 100;

/// What the server did to the lines of `seconds`, while `trouble` befell it at some of these: how often each came.
fn endured(kind: Kind, name: &str, seconds: u32, trouble: &[(f64, &[Signal])]) -> BTreeMap<u32, usize> {
    let tcp = Input { udp: false, rfc5424: true, octet: false };
    let mut server = Server::started(kind, tcp, name);
    let outbox = outbox(&format!("tcp://127.0.0.1:{}", server.port));
    let speaker = web();
    let total = seconds * RATE;
    let feed = async {
        let begun = Instant::now();
        for step in 0..total / STEP {
            outbox.room().await;
            for line in step * STEP..(step + 1) * STEP {
                push(
                    &outbox,
                    &speaker,
                    Keep::Held,
                    format!("line {line} of a container that talks a lot").as_bytes(),
                );
            }
            let due = begun + Duration::from_secs(1) * ((step + 1) * STEP) / RATE;
            Timer::at(due).await;
        }
        super::until("all is acknowledged", || outbox.delivered() == u64::from(total)).await;
    };
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let server = &mut server;
        scope.spawn(move || {
            for (at, signals) in trouble {
                std::thread::sleep(Duration::from_secs_f64(*at).saturating_sub(begun.elapsed()));
                for signal in *signals {
                    server.signal(*signal);
                    if *signal == Signal::SIGSTOP {
                        std::thread::sleep(HANG);
                    }
                }
                if signals.last() != Some(&Signal::SIGCONT) {
                    server.start();
                }
            }
        });
        sending(&outbox, feed);
    });
    let stats = outbox.stats();
    assert_eq!((stats.sent, stats.dropped), (total.into(), 0), "{stats:?}");
    let mut counts = BTreeMap::new();
    until("the last line is written", || {
        counts.clear();
        for line in server.lines() {
            let number = line.split_once("|line ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
            *counts.entry(number.unwrap_or(u32::MAX)).or_default() += 1;
        }
        counts.len() >= total as usize
    });
    counts
}

/// Nothing lost, and no more twice than `breaks` connections can explain.
fn assert_all(kind: Kind, name: &str, seconds: u32, trouble: &[(f64, &[Signal])], breaks: usize) {
    if !unpacked() {
        return;
    }
    let begun = Instant::now();
    let counts = endured(kind, name, seconds, trouble);
    assert_eq!(counts.len(), (seconds * RATE) as usize);
    // A line that a killed server had half written is not among them: it came again, whole.
    assert!(counts.keys().all(|&number| number < seconds * RATE), "{:?}", counts.keys().last());
    let again: usize = counts.values().map(|count| count - 1).sum();
    println!("{name}: {} lines, {again} of them again, {:?}", counts.len(), begun.elapsed());
    // More than 300 bytes each; what the socket held is sent again, too, and may have been received.
    assert!(again <= breaks * (MAX_TAIL + 512 * 1024) / 300, "{again} again");
}

#[test]
fn no_line_is_lost_and_none_comes_twice() {
    assert_all(Kind::Rsyslog, "steady", 2, &[], 0);
}

#[test]
fn no_line_is_lost_while_rsyslog_restarts() {
    assert_all(Kind::Rsyslog, "term", 4, &[(1.0, &[Signal::SIGTERM]), (2.5, &[Signal::SIGTERM])], 2);
}

#[test]
fn no_line_is_lost_while_rsyslog_is_killed() {
    assert_all(Kind::Rsyslog, "kill", 4, &[(1.0, &[Signal::SIGKILL]), (2.5, &[Signal::SIGKILL])], 2);
}

#[test]
fn no_line_is_lost_while_rsyslog_hangs_and_is_killed() {
    let trouble: &[(f64, &[Signal])] =
        &[(1.0, &[Signal::SIGSTOP, Signal::SIGCONT]), (4.0, &[Signal::SIGSTOP, Signal::SIGKILL])];
    assert_all(Kind::Rsyslog, "hang", 7, trouble, 1);
}

#[test]
fn no_line_is_lost_while_syslog_ng_restarts() {
    assert_all(Kind::SyslogNg, "ng-term", 4, &[(1.0, &[Signal::SIGTERM]), (2.5, &[Signal::SIGKILL])], 2);
}
