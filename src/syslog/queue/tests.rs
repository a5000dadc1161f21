//! What waits, what is lost, what is sent twice.

use super::ring::SMALL;
use super::*;
use crate::syslog::message::INFORMATIONAL;

fn queue(target: &str) -> Queue {
    Queue::new(&Target::parse(target).unwrap(), "pi-1")
}

fn push(queue: &mut Queue, keep: Keep, text: &str) -> u64 {
    let speaker = Speaker::of_part("a");
    let message = Message {
        at: 0,
        facility: DAEMON,
        severity: INFORMATIONAL,
        host: "pi-1",
        speaker: &speaker,
        msg_id: "",
        text: text.as_bytes(),
    };
    queue.push(&message, keep, 0)
}

const BSD: &str = "tcp://a?format=rfc3164";

fn second(second: u64) -> Time {
    Time::from_micros(second * 1_000_000)
}

/// Writes all there is; the texts.
fn write(queue: &mut Queue) -> Vec<String> {
    let mut bytes = Vec::new();
    loop {
        queue.load(0, 0);
        let some = queue.unwritten().to_vec();
        if some.is_empty() {
            break;
        }
        queue.wrote(some.len());
        bytes.extend(some);
    }
    let text = String::from_utf8(bytes).unwrap();
    text.lines().map(|line| line.split_once(": ").unwrap().1.to_owned()).collect()
}

#[test]
fn both_lanes_go_in_the_order_of_their_numbers() {
    let mut queue = queue(BSD);
    for (number, keep) in [Keep::Held, Keep::Loose, Keep::Loose, Keep::Held].into_iter().enumerate() {
        assert_eq!(push(&mut queue, keep, &format!("text {number}")), number as u64 + 1);
    }
    assert_eq!((queue.delivered(), queue.queued()), (0, 4));
    assert_eq!(write(&mut queue), ["text 0", "text 1", "text 2", "text 3"]);
    // `<30>Jan  1 00:00:00 pi-1 a: text 3` and its line feed are 35 bytes.
    queue.acked(second(1), 36);
    assert_eq!((queue.delivered(), queue.sent(), queue.queued()), (2, 2, 2));
    queue.acked(second(1), 35);
    assert_eq!((queue.delivered(), queue.sent(), queue.queued()), (3, 3, 1));
    queue.acked(second(1), 0);
    assert_eq!((queue.delivered(), queue.sent(), queue.queued()), (4, 4, 0));
    assert!(!queue.is_at_rest());
    queue.acked(second(30), 0);
    assert!(!queue.is_at_rest());
    queue.acked(second(31), 0);
    assert!(queue.is_at_rest());
}

#[test]
fn what_a_broken_connection_may_have_lost_is_sent_again() {
    let sent_again = |how, at| {
        let mut queue = queue(BSD);
        for text in ["old", "younger", "young", "unacked", "half"] {
            push(&mut queue, Keep::Held, text);
            queue.load(0, 0);
            let len = queue.unwritten().len();
            let time = match text {
                "old" => second(0),
                "younger" => second(5),
                _ => second(100),
            };
            match text {
                "half" => queue.wrote(5),
                _ => queue.wrote(len),
            }
            let unacked = match text {
                "unacked" => 1,
                "half" => 41,
                _ => 0,
            };
            queue.acked(time, unacked);
        }
        queue.broke(at, how);
        let delivered = queue.delivered();
        (delivered, write(&mut queue))
    };
    let (delivered, again) = sent_again(Break::Reset, second(100));
    assert_eq!((delivered, again), (3, ["young", "unacked", "half"].map(str::to_owned).to_vec()));
    let (_, again) = sent_again(Break::Closed, second(101));
    assert_eq!(again, ["unacked", "half"]);
}

#[test]
fn what_is_sent_twice_counts_once() {
    let mut queue = queue(BSD);
    push(&mut queue, Keep::Held, "one");
    push(&mut queue, Keep::Held, "two");
    for _ in 0..3 {
        assert_eq!(write(&mut queue), ["one", "two"]);
        queue.acked(second(1), 0);
        assert_eq!((queue.sent(), queue.delivered(), queue.queued()), (2, 2, 0));
        queue.broke(second(1), Break::Reset);
        assert_eq!((queue.delivered(), queue.queued()), (2, 2));
    }
}

#[test]
fn the_oldest_loose_ones_are_lost_and_that_is_told() {
    let mut queue = queue(BSD);
    push(&mut queue, Keep::Held, "held");
    let long = "x".repeat(1_000);
    // `<30>Jan  1 00:00:00 pi-1 a: ` is 28 bytes: 1,029 each, of 1,048,576.
    for _ in 0..1_100 {
        push(&mut queue, Keep::Loose, &long);
    }
    assert_eq!((queue.dropped(), queue.queued()), (81, 1_020));
    let texts = write(&mut queue);
    assert_eq!(texts.len(), 1_021);
    assert_eq!(texts[0], "held");
    assert_eq!(texts[1], "81 messages lost here: the syslog server was away or too slow");
    assert!(texts[2..].iter().all(|text| *text == long));
    queue.acked(second(1), 0);
    assert_eq!((queue.delivered(), queue.sent(), queue.dropped()), (1_101, 1_020, 81));
    push(&mut queue, Keep::Loose, "after");
    assert_eq!(write(&mut queue), ["after"], "told once");
}

#[test]
fn short_ones_are_bounded_by_their_count() {
    let mut queue = queue(BSD);
    for _ in 0..MAX_COUNT + 3 {
        push(&mut queue, Keep::Loose, "");
    }
    assert_eq!((queue.dropped(), queue.queued()), (3, 16_384));
    queue.acked(second(0), 0);
    assert_eq!(queue.delivered(), 3);
}

#[test]
fn held_ones_are_never_lost_but_wait_for_room() {
    let mut queue = queue(BSD);
    let long = "x".repeat(1_000);
    let mut pushed = 0;
    while queue.has_room() {
        push(&mut queue, Keep::Held, &long);
        pushed += 1;
    }
    assert_eq!(pushed, 1_020);
    push(&mut queue, Keep::Held, "one more");
    assert_eq!((queue.dropped(), queue.queued(), queue.is_low()), (0, 1_021, false));
    assert_eq!(write(&mut queue).len(), 1_021);
    assert!(queue.has_room() && queue.is_low());
}

#[test]
fn memory_is_bounded_and_given_back() {
    let mut queue = queue(BSD);
    let long = "x".repeat(1_000);
    for _ in 0..20 {
        for _ in 0..1_000 {
            push(&mut queue, Keep::Held, &long);
            push(&mut queue, Keep::Loose, &long);
        }
        write(&mut queue);
        queue.acked(second(1), 0);
    }
    // 63 messages of 1,029 bytes make a block, and 58 of 40,000 none yet. The bound is 6,291,456: 97 blocks and those.
    assert_eq!((queue.flight.entries.len(), queue.tail.len()), (58, 97));
    assert_eq!(queue.tail_bytes + queue.acked_bytes, 6_347_901);
    let packed: usize = queue.tail.iter().map(Block::size).sum();
    assert!(packed < 300_000, "{packed} bytes");
    for _ in 0..2 {
        queue.broke(second(1), Break::Reset);
        assert_eq!((queue.queued(), queue.delivered()), (6_169, 40_000));
        // The connection breaks again before all is sent again.
        queue.load(0, 0);
        assert!(queue.flight.bytes.len() < 3 * CHUNK);
        queue.wrote(97 * 1_029);
        queue.acked(second(1), 0);
    }
    assert_eq!(write(&mut queue).len(), 6_169 - 97);
    queue.acked(second(2), 0);
    queue.acked(second(40), 0);
    assert!(queue.is_at_rest());
    for ring in [&queue.held, &queue.loose, &queue.flight] {
        assert!(ring.bytes.capacity() <= SMALL, "{}", ring.bytes.capacity());
        assert!(ring.entries.capacity() <= SMALL);
    }
}

#[test]
fn datagrams_are_one_message_each_and_kept_no_longer() {
    let mut queue = queue("udp://a?format=rfc3164");
    push(&mut queue, Keep::Loose, "one");
    push(&mut queue, Keep::Held, &"x".repeat(1_500));
    let mut sizes = Vec::new();
    for _ in 0..3 {
        queue.load(0, 0);
        let len = queue.datagram().len();
        sizes.push((len, queue.delivered()));
        queue.wrote(len);
        queue.acked(second(1), 0);
    }
    queue.load(0, 0);
    assert_eq!(queue.datagram(), b"");
    // 28 bytes before each text.
    assert_eq!(sizes, [(31, 0), (1_024, 1), (532, 1)]);
    assert_eq!((queue.sent(), queue.delivered(), queue.is_at_rest()), (2, 2, true));
}
