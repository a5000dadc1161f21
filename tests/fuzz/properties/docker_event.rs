//! No event of Docker and no label may panic what makes a message of them; every message is one line that no receiver
//! misreads.

use unsinkable::docker::api::Event;
use unsinkable::syslog::happened::{docker, own_container, vip};
use unsinkable::syslog::message::{DAEMON, Writer};
use unsinkable::syslog::{Message, Target};
use unsinkable::update::candidate;

/// 2025-11-23 00:39:08.000042 UTC.
const NOW: u64 = 1_763_858_348_000_042;

/// Reads `data` as a line of `/events`, as what the VIP process tells, and as `/proc/self/mountinfo`.
pub fn run(data: &[u8]) {
    if let Ok(event) = serde_json::from_slice::<Event>(data)
        && let Some(happened) = docker(&event)
    {
        assert!(!happened.text.is_empty() && happened.severity < 8 && happened.speaker.app == "docker");
        sent(&happened);
    }
    let Ok(text) = str::from_utf8(data) else { return };
    sent(&vip(Some(text), text));
    for id in [own_container(text), candidate::own_container(text)].into_iter().flatten() {
        assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    }
}

fn sent(happened: &unsinkable::syslog::happened::Happened) {
    let text = happened.text.as_bytes();
    let (facility, severity, speaker) = (DAEMON, happened.severity, &happened.speaker);
    let message = Message { at: NOW, facility, severity, host: "pi-1", speaker, msg_id: "", text };
    for target in ["udp://a", "tcp://a", "udp://a?format=rfc3164", "tcp://a?format=rfc3164"] {
        let target = Target::parse(target).expect("a target");
        let mut count = 0;
        Writer::new(&target).write(&message, 1, 0, |frame| {
            count += 1;
            let frame = std::str::from_utf8(frame).expect("UTF-8").trim_end_matches('\n');
            assert!(
                frame.starts_with('<') && frame.chars().all(|c| c == '\t' || !c.is_ascii_control()),
                "{frame:?}"
            );
        });
        assert!(count > 0, "nothing is sent of {happened:?}");
    }
}
