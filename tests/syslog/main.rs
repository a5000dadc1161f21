//! Log shipping against real receivers: rsyslog and syslog-ng from Debian, and receivers that misbehave on demand.

#[path = "../dockerd/mod.rs"]
#[allow(dead_code)]
mod dockerd;
mod formats;
mod relay;
mod restart;
mod servers;
mod unkind;

use smol::Timer;
use std::time::Duration;
use unsinkable::syslog::message::{DAEMON, INFORMATIONAL};
use unsinkable::syslog::run::send::Outbox;
use unsinkable::syslog::{Keep, Message, Speaker, Target};

/// 2025-11-23 00:39:08.000042 UTC.
const AT: u64 = 1_763_858_348_000_042;

fn outbox(target: &str) -> Outbox {
    Outbox::new(&Target::parse(target).expect("a target"), "pi-1")
}

fn push(outbox: &Outbox, speaker: &Speaker, keep: Keep, text: &[u8]) -> u64 {
    let message = Message {
        at: AT,
        facility: DAEMON,
        severity: INFORMATIONAL,
        host: "pi-1",
        speaker,
        msg_id: "stdout",
        text,
    };
    outbox.push(&message, keep)
}

/// Runs `work` while the outbox sends.
fn sending<T>(outbox: &Outbox, work: impl Future<Output = T>) -> T {
    let send = async {
        outbox.run().await;
        unreachable!("it sends until dropped")
    };
    smol::block_on(smol::future::or(work, send))
}

/// Waits for it, while others of this thread work.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < servers::PATIENCE, "waited for this in vain: {what}");
        Timer::after(Duration::from_millis(10)).await;
    }
}
