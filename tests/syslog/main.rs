//! Log shipping against real receivers: rsyslog and syslog-ng from Debian, and receivers that misbehave on demand.

#[path = "../dockerd/mod.rs"]
#[allow(dead_code)]
mod dockerd;
mod figures;
mod formats;
mod relay;
mod restart;
mod servers;
mod unkind;
#[path = "../unpacked/mod.rs"]
mod unpacked;

use smol::Timer;
use std::time::Duration;
use unsinkable::syslog::message::{DAEMON, INFORMATIONAL};
use unsinkable::syslog::run::send::Outbox;
use unsinkable::syslog::{Keep, Message, Speaker, Target};

/// 2025-11-23 00:39:08.000042 UTC.
const AT: u64 = 1_763_858_348_000_042;

/// With all that a task of a Swarm has: some 400 bytes a message.
fn web() -> Speaker {
    let data = [
        ("service", "shop_web"),
        ("stack", "shop"),
        ("task", "k5yrm8w1l2q0v9x3c7n4b6z8a"),
        ("node", "q2w3e4r5t6y7u8i9o0p1a2s3d"),
        ("container_name", "shop_web.2.k5yrm8w1l2q0v9x3c7n4b6z8a"),
        ("container_id", "3f2a9c1b7d4e"),
        ("image", "nginx:1.27"),
    ];
    Speaker {
        app: "shop_web".to_owned(),
        proc_id: "2".to_owned(),
        data: data.map(|(name, value)| (name, value.to_owned())).to_vec(),
    }
}

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
