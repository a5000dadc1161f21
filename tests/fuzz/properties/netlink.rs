//! No bytes from netlink may panic the reader or keep it busy; an address it was told, it can ask for again.

use core::time::Duration;
use unsinkable::vip::address::{Address, Link, Message, add, add_missing, lease, matters, messages, remove};

/// Bytes of a message's header, and so of the shortest message.
const SHORTEST: usize = 16;

/// Reads `data` as what one receive brought.
pub fn run(data: &[u8]) {
    let mut count = 0;
    for message in messages(data) {
        count += 1;
        match message {
            Message::Added(address) | Message::Removed(address) => again(address),
            Message::Link(link) => usable(link),
            Message::Answer { .. } | Message::Done { .. } | Message::Other => {}
        }
    }
    assert!(count * SHORTEST <= data.len(), "{count} messages in {} bytes", data.len());
    let told = messages(data).any(|message| matches!(message, Message::Added(_) | Message::Removed(_)));
    let linked = messages(data).any(|message| matches!(message, Message::Link(_)));
    assert_eq!(matters(data, &[]), told || linked);
}

/// Our own request for `address` is read as that address, with its lease.
fn again(Address { ifindex, addr, prefix, valid, renewed_at: _ }: Address) {
    // A request leaves the moment of renewal to the kernel: zero.
    let asked = Message::Added(Address { ifindex, addr, prefix, valid, renewed_at: Some(0) });
    for request in [add(1, ifindex, addr, prefix, valid), add_missing(2, ifindex, addr, prefix, valid)] {
        assert!(messages(&request).eq([asked]), "{asked:?}: {request:?}");
    }
    let gone = Message::Removed(Address { ifindex, addr, prefix, valid: None, renewed_at: None });
    assert!(messages(&remove(3, ifindex, addr, prefix)).eq([gone]), "{gone:?}");
    assert!(!matters(&remove(4, ifindex, addr, prefix), &[addr]), "{addr} is a VIP of ours");
    let lease = lease(Duration::from_millis(u64::from(ifindex)));
    assert!(lease >= 1 && u64::from(lease) * 1000 >= u64::from(ifindex) * 3, "{lease} s for {ifindex} ms");
}

fn usable(link: Link) {
    assert!(!link.is_usable() || (!link.gone && link.up && link.carrier != Some(false)), "{link:?}");
}
