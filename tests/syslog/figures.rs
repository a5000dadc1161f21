//! Figures, not tests: what shipping costs. `cargo test --release --test syslog -- --ignored --nocapture figures`

use super::{outbox, push, sending, until, web};
use nix::sys::resource::{UsageWho, getrusage};
use std::io::Read;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;
use unsinkable::syslog::Keep;

/// CPU time of this thread.
fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("ours");
    let of = |time: nix::sys::time::TimeVal| {
        Duration::new(
            u64::try_from(time.tv_sec()).expect("positive"),
            u32::try_from(time.tv_usec() * 1_000).expect("below a second"),
        )
    };
    of(usage.user_time()) + of(usage.system_time())
}

/// Resident memory that is ours alone, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

const LINE: &[u8] =
    b"10.0.10.7 - - [23/Nov/2025:00:39:08 +0000] \"GET /index.html HTTP/1.1\" 200 612 \"-\" \"curl/7.88.1\"";

#[test]
#[ignore = "a figure, not a test"]
fn figures() {
    let full = outbox("tcp://127.0.0.1:1");
    let (speaker, before) = (web(), resident());
    for _ in 0..100_000 {
        push(&full, &speaker, Keep::Loose, LINE);
    }
    println!("loose lane full: {} KiB, {} lines wait", resident() - before, full.stats().queued);
    let mut held = 0;
    while held < 100_000
        && full.stats().queued < 16_384
        && smol::block_on(smol::future::poll_once(full.room())).is_some()
    {
        push(&full, &speaker, Keep::Held, LINE);
        held += 1;
    }
    println!("both full: {} KiB", resident() - before);
    for target in
        ["tcp://127.0.0.1:PORT", "tcp://127.0.0.1:PORT?framing=octet", "tcp://127.0.0.1:PORT?format=rfc3164"]
    {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            let mut stream = listener.accept().expect("a connection").0;
            let mut bytes = vec![0; 1 << 20];
            while stream.read(&mut bytes).is_ok_and(|len| len > 0) {}
        });
        let outbox = outbox(&target.replace("PORT", &port.to_string()));
        let speaker = web();
        sending(&outbox, async {
            until("a connection", || outbox.stats().connected).await;
            let (before, kept) = (cpu(), resident());
            // At the pace of 10,000 a second, a hundred at a time.
            for _ in 0..300 {
                outbox.room().await;
                for _ in 0..100 {
                    push(&outbox, &speaker, Keep::Held, LINE);
                }
                smol::Timer::after(Duration::from_millis(10)).await;
            }
            until("all is acknowledged", || outbox.delivered() == 30_000).await;
            let (cpu, kept) = (cpu().saturating_sub(before) / 3, resident().saturating_sub(kept));
            println!("{target}: {cpu:?} of CPU for 10,000 lines, {kept} KiB more after 30,000");
        });
    }
}
