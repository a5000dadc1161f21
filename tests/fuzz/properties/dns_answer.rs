//! No bytes may panic the reader of DNS answers or keep it busy; what it accepts answers the query, has names that fit,
//! and says the same whatever stands behind it.

use unsinkable::dns::Reply;
use unsinkable::dns::message::{Answer, Kind, Query};

/// Longest name as text: 253 bytes, each as `\\DDD`.
const MAX_TEXT: usize = 253 * 4;

/// Reads `data` behind its first byte, which chooses the kind that was asked for. The query's ID is the answer's, so that
/// the reader gets beyond it.
pub fn run(data: &[u8]) {
    let Some((&choice, bytes)) = data.split_first() else { return };
    let kind = [Kind::A, Kind::Aaaa, Kind::Ns][usize::from(choice % 3)];
    let id = bytes.first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
    let query = Query { id, name: "www.lan".to_owned(), kind, recurse: true };
    let Ok(answer) = Answer::parse(bytes, &query) else { return };
    assert!(answer.code < 16);
    let records = [&answer.answers, &answer.authority, &answer.additional];
    for record in records.into_iter().flatten() {
        assert!(record.name.len() <= MAX_TEXT && record.ttl <= 0x7fff_ffff, "{record:?}");
        assert!(record.name.bytes().all(|byte| byte.is_ascii_graphic()), "{record:?}");
    }
    if let Reply::Found(found) = answer.reply(&query) {
        assert!(!found.addresses.is_empty());
        assert_eq!(found.authoritative, answer.authoritative);
    }
    assert!(answer.name_servers(&query).count() <= answer.answers.len());
    let longer = [bytes, &[0; 7]].concat();
    if !answer.truncated {
        assert_eq!(Answer::parse(&longer, &query), Ok(answer));
    }
}
