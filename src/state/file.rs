//! The state file's content, and how much of it there may be. Pure.

pub use super::seal::FileError;

use super::seal::{self, HEAD};
use super::{State, seal::Magic};

/// What it is, and the version of its layout in the last byte.
const MAGIC: Magic = *b"unsink\0\x01";

/// Largest file. Everything below at its limit, with names as long as Docker's usually are, takes half of it.
pub const MAX_FILE: usize = 2 << 20;
/// Unused things: images, containers and volumes. A Pi has dozens; what is beyond starts its grace later.
const MAX_UNUSED: usize = 4096;
/// Held digests, one for each service or container.
pub const MAX_HELD: usize = 512;
/// References with a known digest.
const MAX_DIGESTS: usize = 1024;
/// Images in the keep-set, two for each service of the Swarm; and as many volumes.
const MAX_KEEP: usize = 2048;
/// Registries that asked for a pause.
const MAX_REGISTRIES: usize = 64;
/// Longest reason of a held digest, in characters.
const MAX_REASON: usize = 300;

/// The file of `state`. What is beyond the limits is left out: an unused thing that is not remembered lives longer.
///
/// # Errors
/// [`FileError::Size`] when names are so long that it is larger than [`MAX_FILE`] all the same.
pub fn emit(state: &State) -> Result<Vec<u8>, FileError> {
    if is_within(state) {
        seal::emit(MAGIC, state, MAX_FILE)
    } else {
        seal::emit(MAGIC, &within(state.clone()), MAX_FILE)
    }
}

/// What stands in front of `content`. The fuzzer needs it: the checksum would keep it out.
pub fn head(content: &[u8]) -> [u8; HEAD] {
    seal::head(MAGIC, content)
}

/// The state in a file of these bytes.
///
/// # Errors
/// [`FileError`].
pub fn parse(bytes: &[u8]) -> Result<State, FileError> {
    let state = seal::parse(MAGIC, bytes, MAX_FILE)?;
    if is_within(&state) { Ok(state) } else { Err(FileError::Size) }
}

fn is_within(state: &State) -> bool {
    state.unused.len() <= MAX_UNUSED
        && state.held.len() <= MAX_HELD
        && state.digests.len() <= MAX_DIGESTS
        && state.registries.len() <= MAX_REGISTRIES
        && state.keep.as_ref().is_none_or(|keep| keep.images.len().max(keep.volumes.len()) <= MAX_KEEP)
        && state.held.values().all(|held| held.reason.chars().count() <= MAX_REASON)
}

/// The first of everything, up to the limits. A keep-set that is not whole keeps too little: none is safer, as then
/// nothing goes that a service could have used.
fn within(mut state: State) -> State {
    state.unused.truncate(MAX_UNUSED);
    state.held.truncate(MAX_HELD);
    state.digests.truncate(MAX_DIGESTS);
    state.registries.truncate(MAX_REGISTRIES);
    state.keep.take_if(|keep| keep.images.len().max(keep.volumes.len()) > MAX_KEEP);
    for held in state.held.values_mut() {
        if let Some((end, _)) = held.reason.char_indices().nth(MAX_REASON) {
            held.reason.truncate(end);
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::super::{Held, KeepSet, Known, Looked, Thing, Unused};
    use super::*;
    use core::time::Duration;

    fn state() -> State {
        let looked = Looked { boot: "b".to_owned(), moment: Duration::from_secs(9) };
        let held = Held {
            reference: "r:1".to_owned(),
            digest: "sha256:0".to_owned(),
            reason: "exits".to_owned(),
            since: 7,
        };
        State {
            unused: [(Thing::Image("i".to_owned()), Unused { seen_for: Duration::from_secs(300) })].into(),
            held: [("web".to_owned(), held)].into(),
            digests: [("r:1".to_owned(), Known { digest: "sha256:1".to_owned(), since: 8, asked: 9 })].into(),
            keep: Some(KeepSet {
                images: vec!["r@sha256:1".to_owned()],
                volumes: vec!["v".to_owned()],
                at: looked.clone(),
            }),
            looked: Some(looked),
            registries: [("docker.io".to_owned(), 9)].into(),
        }
    }

    #[test]
    fn the_empty_state_is_these_bytes() {
        // Magic, version 1; CRC-32 of six zero bytes is 0xB1C2A1A3 (by zlib); four empty maps and two times nothing.
        let bytes = *b"unsink\0\x01\xa3\xa1\xc2\xb1\0\0\0\0\0\0";
        assert_eq!(emit(&State::default()).unwrap(), bytes);
        assert_eq!(parse(&bytes), Ok(State::default()));
    }

    /// A layout that differs needs another version in the magic.
    #[test]
    fn a_state_of_everything_is_still_read() {
        let mut expected = state();
        let volume = (Thing::Volume("data".to_owned()), Unused { seen_for: Duration::from_secs(1) });
        expected.unused.extend([volume]);
        let bytes = include_bytes!("../../tests/fuzz/corpus/state_file/of_everything");
        assert_eq!(parse(bytes), Ok(expected));
    }

    #[test]
    fn a_state_comes_back_as_it_was() {
        let bytes = emit(&state()).unwrap();
        assert_eq!(parse(&bytes), Ok(state()));
    }

    #[test]
    fn every_cut_is_torn_and_every_flipped_bit_is_seen() {
        let bytes = emit(&state()).unwrap();
        for end in 0..bytes.len() {
            assert_eq!(parse(&bytes[..end]), Err(FileError::Torn), "cut at {end}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let expected = match bit / 8 {
                0..7 => FileError::Foreign,
                7 => FileError::Version { found: flipped[7], expected: 1 },
                8.. => FileError::Torn,
            };
            assert_eq!(parse(&flipped), Err(expected), "bit {bit}");
        }
    }

    #[test]
    fn what_is_not_ours_is_named() {
        assert_eq!(parse(b"{\"held\": []}"), Err(FileError::Foreign));
        assert_eq!(parse(b"{}"), Err(FileError::Foreign));
        assert_eq!(parse(b"unsink\0\x02anything"), Err(FileError::Version { found: 2, expected: 1 }));
        // 0x41D912FF: CRC-32 of two zero bytes; too few for a state.
        assert_eq!(parse(b"unsink\0\x01\xff\x12\xd9\x41\0\0"), Err(FileError::Content));
        assert_eq!(parse(&vec![0; MAX_FILE + 1]), Err(FileError::Size));
    }

    #[test]
    fn a_byte_too_many_is_no_state() {
        let mut bytes = emit(&State::default()).unwrap();
        bytes.push(0);
        let head = head(&bytes[HEAD..]);
        bytes[..HEAD].copy_from_slice(&head);
        assert_eq!(parse(&bytes), Err(FileError::Content));
    }

    #[test]
    fn too_much_is_left_out_and_never_read() {
        let mut state = state();
        let unused = |n: usize| (Thing::Container(format!("{n:064}")), Unused::default());
        state.unused = (0..5000).map(unused).collect();
        state.keep.as_mut().unwrap().images = vec![String::new(); 2049];
        state.held.get_mut("web").unwrap().reason = "é".repeat(301);
        let read = parse(&emit(&state).unwrap()).unwrap();
        assert_eq!(read.unused.len(), 4096);
        assert_eq!(read.keep, None, "half a keep-set would keep too little");
        assert_eq!(read.held["web"].reason, "é".repeat(300));
        let mut bytes = postcard::to_extend(&state, vec![0; HEAD]).unwrap();
        let head = head(&bytes[HEAD..]);
        bytes[..HEAD].copy_from_slice(&head);
        assert_eq!(parse(&bytes), Err(FileError::Size));
        state.unused = (0..4096).map(|n| (Thing::Volume(format!("{n:0600}")), Unused::default())).collect();
        assert_eq!(emit(&state), Err(FileError::Size));
    }

    #[test]
    fn the_largest_usual_state_takes_half_of_the_limit() {
        let mut state = state();
        state.unused =
            (0..MAX_UNUSED).map(|n| (Thing::Image(format!("sha256:{n:064}")), Unused::default())).collect();
        let name = |n: usize| format!("registry.example.org:5000/some/repository-{n}:latest");
        state.digests = (0..MAX_DIGESTS)
            .map(|n| (name(n), Known { digest: format!("sha256:{n:064}"), since: u64::MAX, asked: u64::MAX }))
            .collect();
        let images = (0..MAX_KEEP).map(|n| format!("{}@sha256:{n:064}", name(n))).collect();
        state.keep.as_mut().unwrap().images = images;
        let len = emit(&state).unwrap().len();
        assert!(len < MAX_FILE / 2, "{len}");
    }
}
