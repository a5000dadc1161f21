//! No `resolv.conf`, no `hosts` and no name may panic its reader; whatever stands there, what is asked can be asked.
//!
//! The first line is a name, the rest both files.

use unsinkable::dns::message::{Kind, Query};
use unsinkable::dns::resolv_conf::{Resolver, hosts};
use unsinkable::dns::{MAX_LABEL, MAX_NAME, name};

/// The longest question: head, name with its lengths, kind, class.
const MAX_QUERY: usize = 12 + 255 + 4;

/// Reads `data` as name and files.
pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let resolver = Resolver::parse(rest);
    assert!((1..=3).contains(&resolver.servers.len()), "{resolver:?}");
    let Ok(asked) = name(first) else { return };
    assert_eq!(name(&asked).as_ref(), Ok(&asked));
    assert_eq!(resolver.candidates(&asked, true), [asked.as_str()]);
    let candidates = resolver.candidates(&asked, false);
    assert!(candidates.contains(&asked) && candidates.len() <= 7, "{candidates:?}");
    for candidate in &candidates {
        assert!(candidate.len() <= MAX_NAME && candidate.split('.').all(|label| label.len() <= MAX_LABEL));
        let query = Query { id: 7, name: candidate.clone(), kind: Kind::A, recurse: true };
        assert!(query.bytes().len() <= MAX_QUERY, "{candidate}");
    }
    let found = hosts(rest, &candidates);
    let said = |addr: &core::net::IpAddr| {
        let mut words = rest.split_ascii_whitespace().map(|word| word.split('#').next().unwrap_or_default());
        words.any(|word| word.parse() == Ok(*addr))
    };
    assert!(found.iter().all(said), "{found:?}");
    assert!(found.iter().enumerate().all(|(at, addr)| !found[..at].contains(addr)), "{found:?}");
}
