//! What the housekeeper and the VIP process tell each other: one postcard value in each packet of a `SOCK_SEQPACKET` pair. Pure. Both
//! ends are the same binary (`/proc/self/exe`), so there is no version; what comes is still no more than an error,
//! whatever the other end has become.

use crate::checks::health::Verdict;
use crate::report::rounds::Rounds;
use crate::report::status::Event;
use serde::{Deserialize, Serialize};

/// Largest packet. The largest [`Rounds`] takes less than 7 KiB: two jobs, each with ten rows of 300 bytes.
pub const MAX_FRAME: usize = 8 * 1024;

/// Largest packet of an event: two texts of [`MAX_TEXT`](crate::report::status::MAX_TEXT), their lengths, a moment.
pub const MAX_EVENT: usize = 512;

/// One packet to the VIP process. The other way, each packet is an [`Event`]: what happened to the VIP, for the logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    /// A check that asks Docker has been looked at.
    Verdict {
        /// Its place among the daemon's tracks.
        track: u8,
        /// What was found. Its dates are of `CLOCK_MONOTONIC`, the same in both processes.
        verdict: Verdict,
    },
    /// Where the rounds stand.
    Rounds(Box<Rounds>),
}

/// The packet of `frame`, its texts and rows cut to their limits.
pub fn emit(mut frame: Frame) -> Vec<u8> {
    if let Frame::Rounds(rounds) = &mut frame {
        rounds.bound();
    }
    postcard::to_allocvec(&frame).expect("plain values that are cut to their limits")
}

/// The frame in a packet; nothing if it is none.
pub fn parse(packet: &[u8]) -> Option<Frame> {
    if packet.len() > MAX_FRAME {
        return None;
    }
    match postcard::take_from_bytes(packet) {
        Ok((mut frame, [])) => {
            if let Frame::Rounds(rounds) = &mut frame {
                rounds.bound();
            }
            Some(frame)
        }
        Ok(_) | Err(_) => None,
    }
}

/// The packet of an event.
pub fn emit_event(event: &Event) -> Vec<u8> {
    postcard::to_allocvec(event).expect("plain values that are cut to their limits")
}

/// The event in a packet; nothing if it is none.
pub fn parse_event(packet: &[u8]) -> Option<Event> {
    match postcard::take_from_bytes(packet) {
        Ok((event, [])) => Some(event),
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::health::Reason;
    use crate::report::rounds::{Job, Last, Outcome, Row};
    use crate::time::Time;
    use core::time::Duration;

    fn verdict() -> Frame {
        let at = Time::from_micros;
        Frame::Verdict {
            track: 3,
            verdict: Verdict { well: false, since: at(200), until: at(1), reason: Reason::Status(500) },
        }
    }

    fn largest() -> Frame {
        let long = "x".repeat(5000);
        let row = Row {
            kind: "container".to_owned(),
            name: long.clone(),
            outcome: Outcome::Removed,
            reason: long.clone(),
            held_for: Some(Duration::MAX),
            size: u64::MAX,
            goes: Some(Time::from_micros(u64::MAX)),
        };
        let last = Last {
            at: Time::from_micros(u64::MAX),
            took: Duration::MAX,
            summary: long.clone(),
            note: Some(long.clone()),
        };
        let next = Some(Time::from_micros(u64::MAX));
        let job = Job { last: Some(last), next, progress: long, rows: vec![row; 1000], left_out: u32::MAX };
        Frame::Rounds(Box::new(Rounds { updates: Some(job.clone()), pruning: Some(job) }))
    }

    #[test]
    fn the_largest_frame_fits() {
        let packet = emit(largest());
        assert!(packet.len() < 7 * 1024, "{}", packet.len());
        let Some(Frame::Rounds(rounds)) = parse(&packet) else { panic!("no rounds") };
        assert_eq!(rounds.pruning.unwrap().rows.len(), 10);
    }

    #[test]
    fn frames_come_back_and_nonsense_does_not() {
        let packet = emit(verdict());
        // Variant 0, track 3, failed, 200 = 0xc8 0x01, 1, a reason by its number, 500 = 0xf4 0x03.
        assert_eq!(packet[..6], [0, 3, 0, 0xc8, 0x01, 1]);
        assert_eq!(packet[7..], [0xf4, 0x03]);
        assert_eq!(parse(&packet), Some(verdict()));
        for end in 0..packet.len() {
            assert_eq!(parse(&packet[..end]), None, "{end}");
        }
        assert_eq!(parse(&[&packet[..], &[0]].concat()), None, "a byte too many");
        assert_eq!(parse(&[9]), None);
        assert_eq!(parse(&vec![0; MAX_FRAME + 1]), None);
    }

    #[test]
    fn every_flipped_byte_is_a_frame_within_the_limits_or_none() {
        let packet = emit(largest());
        for at in 0..packet.len() {
            for value in [0, 0x7f, 0xff] {
                let mut packet = packet.clone();
                packet[at] = value;
                let Some(frame) = parse(&packet) else { continue };
                assert_eq!(parse(&emit(frame.clone())), Some(frame));
            }
        }
    }
}
