//! Whatever stands on the status socket is an error or a value; a value survives a round trip, and drawing it brings no
//! stranger's control characters to the terminal.

use unsinkable::report::face::{Look, MIN_WIDTH, draw};
use unsinkable::report::frame::{HEAD, MAX_FRAME, Reply, body_len, emit, fuzz, parse};
use unsinkable::report::json;

const NARROW: Look = Look { colour: false, unicode: false, width: MIN_WIDTH };

/// Reads `data` as the body of a request and of a reply, and its first bytes as a length.
pub fn run(data: &[u8]) {
    fuzz(data);
    let len = data.first_chunk().and_then(|head| body_len(*head, MAX_FRAME).ok());
    assert!(len.is_none_or(|len| (1..=MAX_FRAME).contains(&len)), "{len:?}");
    let Ok(Reply::Status(mut status)) = parse(data) else { return };
    let page = draw(&status, &NARROW);
    assert!(page.bytes().all(|byte| byte == b'\n' || byte == b' ' || byte.is_ascii_graphic()), "{page}");
    let page = draw(&status, &Look::PLAIN);
    assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "{page}");
    let read: serde_json::Value = serde_json::from_str(&json::write(&status)).expect("JSON");
    assert_eq!(read, serde_json::from_str::<serde_json::Value>(&json::line(&status)).expect("JSON"));
    // What the daemon does before it answers; doing it again changes nothing.
    status.cut_texts();
    let cut = status.clone();
    status.cut_texts();
    assert_eq!(status, cut);
    if let Ok(frame) = emit(&Reply::Status(cut.clone()), MAX_FRAME) {
        assert_eq!(parse(&frame[HEAD..]), Ok(Reply::Status(cut)));
    }
}
