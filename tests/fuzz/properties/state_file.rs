//! Whatever stands in the state file is an error or a state; a state survives a round trip. The checksum would keep the
//! fuzzer out: the bytes are also read as content with a checksum that is right.

use unsinkable::state::file::{MAX_FILE, emit, head, parse};

/// Reads `data` as a file, and as the content of one.
pub fn run(data: &[u8]) {
    look(data);
    look(&[&head(data)[..], data].concat());
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
