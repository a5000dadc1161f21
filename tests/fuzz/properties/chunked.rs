//! No bytes may panic the reader of bodies or stop it; where they are cut changes nothing, and what was sent in chunks is
//! what is read.

use unsinkable::docker::body::{Body, Reader};

/// Body, whether it is complete, and how many bytes of the input are behind it; nothing for what is refused.
fn read(body: Body, input: &[u8], cut: usize) -> Option<(Vec<u8>, bool, usize)> {
    let mut reader = Reader::new(body);
    let (mut found, mut left) = (Vec::new(), input.len());
    for mut piece in input.chunks(cut.max(1)) {
        while !piece.is_empty() && !reader.is_done() {
            let read = reader.read(piece).ok()?;
            assert!(read.consumed > 0 && read.consumed <= piece.len() && read.data.end <= read.consumed);
            found.extend(&piece[read.data]);
            piece = &piece[read.consumed..];
            left -= read.consumed;
        }
    }
    Some((found, reader.is_done(), left))
}

/// Reads `data` behind its first two bytes (kind of body, and where it is cut).
pub fn run(data: &[u8]) {
    let [kind, cut, input @ ..] = data else { return };
    let cut = usize::from(*cut).max(1);
    let body = match kind & 3 {
        0 | 1 => Body::Chunked,
        2 => Body::Length(u64::from(*kind)),
        _ => Body::UntilClose,
    };
    let whole = read(body, input, input.len());
    assert_eq!(read(body, input, cut), whole);
    assert_eq!(read(body, input, 1), whole);
    if let Some((found, _, left)) = whole {
        assert!(found.len() + left <= input.len());
    }
    let mut sent = Vec::new();
    for chunk in input.chunks(cut) {
        sent.extend(format!("{:X}\r\n", chunk.len()).bytes());
        sent.extend(chunk);
        sent.extend(b"\r\n");
    }
    sent.extend(b"0\r\n\r\nHTTP");
    assert_eq!(read(Body::Chunked, &sent, 7), Some((input.to_vec(), true, 4)));
}
