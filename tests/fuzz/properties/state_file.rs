//! Whatever stands in the state file is an error or a state, and in the log's file an error or cursors; they survive a round
//! trip. The checksum would keep the fuzzer out: the bytes are also read as content with a checksum that is right.

use unsinkable::state::seal;
use unsinkable::syslog::cursor::{Cursors, Reader, Stream};
use unsinkable::syslog::ledger::{Ledger, MAGIC, MAX_CONTAINERS, MAX_FILE as MAX_CURSORS};

use unsinkable::state::file::{MAX_FILE, emit, head, parse};

/// Reads `data` as a file, and as the content of one.
pub fn run(data: &[u8]) {
    look(data);
    look(&[&head(data)[..], data].concat());
    cursors(data);
    cursors(&[&seal::head(MAGIC, data)[..], data].concat());
}

/// 2025-11-23 00:39:08 UTC, in nanoseconds.
const NOW: u64 = 1_763_858_348_000_000_000;

fn cursors(bytes: &[u8]) {
    let Ok(cursors) = seal::parse::<Cursors>(MAGIC, bytes, MAX_CURSORS) else { return };
    let again = seal::emit(MAGIC, &cursors, MAX_CURSORS).expect("what was within the limit");
    assert_eq!(seal::parse(MAGIC, &again, MAX_CURSORS), Ok(cursors.clone()));
    let mut ledger = Ledger::new(cursors.clone(), NOW);
    assert!(ledger.from() <= NOW, "a file from the future would keep all lines back");
    assert!(ledger.kept().containers.len() <= MAX_CONTAINERS);
    for (id, _) in &cursors.containers {
        let cursor = ledger.follow(id).1.not_after(NOW);
        assert!(cursor.since() <= NOW);
        let mut reader = Reader::new(&cursor);
        assert!(reader.line(Stream::Stdout, NOW + 1).is_some(), "what is new is not taken for old");
    }
}

fn look(bytes: &[u8]) {
    let Ok(state) = parse(bytes) else { return };
    match emit(&state) {
        Ok(again) => {
            assert!(again.len() <= MAX_FILE);
            assert_eq!(parse(&again), Ok(state));
        }
        Err(error) => panic!("what was read within the limits cannot be written: {error}"),
    }
}
