//! Whatever a housekeeper that has lost its mind sends is nonsense or a frame within its limits; so is what it is told.

use unsinkable::housekeeper::frame::{Frame, MAX_FRAME, emit, emit_event, parse, parse_event};
use unsinkable::report::rounds::{MAX_NAME, MAX_REASON, MAX_ROWS};

/// Reads `data` as a packet of either direction.
pub fn run(data: &[u8]) {
    if let Some(event) = parse_event(data) {
        assert_eq!(parse_event(&emit_event(&event)), Some(event));
    }
    let Some(frame) = parse(data) else { return };
    if let Frame::Rounds(rounds) = &frame {
        for job in rounds.updates.iter().chain(&rounds.pruning) {
            assert!(job.rows.len() <= MAX_ROWS && job.progress.len() <= MAX_REASON);
            let short = |name: &String, reason: &String| name.len() <= MAX_NAME && reason.len() <= MAX_REASON;
            assert!(job.rows.iter().all(|row| short(&row.name, &row.reason) && row.kind.len() <= MAX_NAME));
        }
    }
    // What is cut stays cut, and always fits.
    let packet = emit(frame.clone());
    assert!(packet.len() <= MAX_FRAME, "{}", packet.len());
    assert_eq!(parse(&packet), Some(frame));
}
