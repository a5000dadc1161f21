//! No bytes may panic the reader of log frames or stop it; where they are cut changes nothing.

use unsinkable::docker::log_frames::{Frames, MAX_FRAME, Source};

/// Frames that are whole, text of the last one that is not; false where the bytes are no frames.
type Found = (Vec<(Source, Vec<u8>)>, Vec<u8>, bool);

fn read(input: &[u8], cut: usize) -> Found {
    let (mut frames, mut whole, mut text) = (Frames::default(), Vec::new(), Vec::new());
    for mut piece in input.chunks(cut.max(1)) {
        loop {
            let before = piece.len();
            match frames.next(&mut piece) {
                Ok(Some(part)) => {
                    text.extend(part.text);
                    assert!(text.len() <= MAX_FRAME as usize);
                    if part.last {
                        whole.push((part.source, core::mem::take(&mut text)));
                    }
                    assert!(piece.len() < before || part.last, "no progress");
                }
                Ok(None) => break assert!(piece.is_empty()),
                Err(_) => return (whole, text, false),
            }
        }
    }
    assert!(!frames.is_between() || text.is_empty());
    (whole, text, true)
}

/// Reads `data` behind its first byte, which tells where it is cut.
pub fn run(data: &[u8]) {
    let Some((&cut, input)) = data.split_first() else { return };
    let found = read(input, input.len());
    assert_eq!(read(input, usize::from(cut)), found);
    assert_eq!(read(input, 1), found);
    let bytes: usize = found.0.iter().map(|(_, text)| 8 + text.len()).sum();
    assert!(bytes + found.1.len() <= input.len());
}
