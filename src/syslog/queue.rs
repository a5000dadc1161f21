//! What is on its way to the server: what waits while it is away, and what it may yet lose. Pure.
//!
//! Two lanes, each in order, merged by number: what is `Held` waits for ever (whoever brings it waits for room), what is
//! `Loose` makes room by losing its oldest, and the receiver is told how many. Behind them the `flight`: bytes that a
//! connection takes. A receiver's kernel acknowledges what its program has not read yet, and drops it when that program
//! dies; so what was acknowledged a moment ago is kept (packed, in the `tail`), and sent again when the connection breaks:
//! rather twice than never. The window that a receiver offers does not tell what it has read: Linux leaves it as it is
//! with megabytes unread.

mod ring;

use super::message::{DAEMON, Message, WARNING, Writer};
use super::names::Speaker;
use super::target::{Target, Transport};
use crate::time::Time;
use core::time::Duration;
use ring::{Block, Entry, Ring};
use std::collections::VecDeque;

/// Bytes that wait in a lane: some seconds of thousands of lines, ten minutes of a calm node.
pub const MAX_LANE: usize = 1024 * 1024;
/// Messages that wait in a lane, however short they are.
pub const MAX_COUNT: usize = 16 * 1024;
/// Bytes handed to a connection in one go: enough to be cheap, and little to be sent again.
pub const CHUNK: usize = 64 * 1024;
/// Acknowledged bytes that are kept: what a Linux kernel holds at most for a program that does not read (`tcp_rmem`;
/// where that is more, as in Linux 6.18, a server that hangs with more unread and is then killed loses the rest). At
/// ten thousand lines a second that is a second and a half. Packed, they take a fifth of it or less.
pub const MAX_TAIL: usize = 6 * 1024 * 1024;
/// How far back is sent again after the receiver closed the connection: it had read all, but perhaps not dealt with it.
pub const AFTER_CLOSE: Duration = Duration::from_secs(1);
/// The same after a reset or silence: bytes were dropped unread, or the machine itself went down, with what its disk
/// cache held (Linux writes after 30 s).
pub const AFTER_RESET: Duration = Duration::from_secs(30);

/// May a message be dropped when there is no room?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Never: Docker has it on disk, and reading on waits for [`Queue::has_room`].
    Held,
    /// The oldest go, with a count.
    Loose,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The receiver closed it.
    Closed,
    /// Reset, timed out, unreachable.
    Reset,
}

/// See the file's first lines.
#[derive(Debug)]
pub struct Queue {
    writer: Writer,
    host: String,
    max_tail: usize,
    held: Ring,
    loose: Ring,
    flight: Ring,
    /// Bytes of the flight that this connection took.
    written: usize,
    /// Messages and bytes at the front of the flight that were acknowledged.
    acked: usize,
    acked_bytes: usize,
    /// In front of the flight: what was acknowledged before.
    tail: VecDeque<Block>,
    /// Bytes of its messages.
    tail_bytes: usize,
    /// Behind the flight: what a broken connection may have lost.
    again: VecDeque<Block>,
    /// Number of the last message pushed.
    last: u64,
    delivered: u64,
    /// Lost, and not told yet.
    lost: u64,
    dropped: u64,
    sent: u64,
    /// Of the last message counted in `sent`.
    counted: u64,
}

impl Queue {
    /// For this target; `host` says what was lost.
    pub fn new(target: &Target, host: &str) -> Self {
        Self {
            writer: Writer::new(target),
            host: host.to_owned(),
            max_tail: match target.transport {
                Transport::Tcp => MAX_TAIL,
                Transport::Udp => 0,
            },
            held: Ring::default(),
            loose: Ring::default(),
            flight: Ring::default(),
            written: 0,
            acked: 0,
            acked_bytes: 0,
            tail: VecDeque::new(),
            tail_bytes: 0,
            again: VecDeque::new(),
            last: 0,
            delivered: 0,
            lost: 0,
            dropped: 0,
            sent: 0,
            counted: 0,
        }
    }

    /// Takes a message; its number. What is `Held` is taken even where there is no room: one line of each container.
    /// `offset`: seconds that local time is ahead of UTC.
    pub fn push(&mut self, message: &Message<'_>, keep: Keep, offset: i32) -> u64 {
        self.last += 1;
        let number = self.last;
        let Self { held, loose, writer, lost, dropped, .. } = self;
        let lane = match keep {
            Keep::Held => held,
            Keep::Loose => loose,
        };
        writer.write(message, number, offset, |bytes| {
            while keep == Keep::Loose
                && (lane.bytes.len() + bytes.len() > MAX_LANE || lane.entries.len() >= MAX_COUNT)
            {
                let Some(gone) = lane.pop() else { break };
                // A message's parts share its number.
                if lane.first() != Some(gone.number) {
                    *lost += 1;
                    *dropped += 1;
                }
            }
            lane.push(number, bytes);
        });
        number
    }

    /// May those read on who bring what is `Held`?
    pub fn has_room(&self) -> bool {
        self.held.bytes.len() < MAX_LANE && self.held.entries.len() < MAX_COUNT
    }

    /// There is much room again: worth waking those who wait for it.
    pub fn is_low(&self) -> bool {
        self.held.bytes.len() < MAX_LANE / 2 && self.held.entries.len() < MAX_COUNT / 2
    }

    /// Every message up to this number is dealt with: acknowledged by the receiver's kernel, sent as a datagram, or (of
    /// what is `Loose`) dropped.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Messages that reached the receiver's kernel; one that was sent twice counts once.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Messages dropped for want of room.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Messages (parts of them, too) that wait, or are not acknowledged.
    pub fn queued(&self) -> usize {
        let again: usize = self.again.iter().map(|block| block.count).sum();
        self.held.entries.len() + self.loose.entries.len() + self.flight.entries.len() - self.acked + again
    }

    /// Fills the flight up to a chunk. `at`: microseconds since 1970, for what is said of losses.
    pub fn load(&mut self, at: u64, offset: i32) {
        while self.flight.bytes.len() - self.written < CHUNK {
            if let Some(block) = self.again.pop_front() {
                self.flight.unpack(&block);
                continue;
            }
            let lane = match (self.held.first(), self.loose.first()) {
                (None, None) => return,
                (Some(held), Some(loose)) if held < loose => &mut self.held,
                (Some(_), None) => &mut self.held,
                (None | Some(_), Some(number)) => {
                    if self.lost > 0 {
                        self.confess(number, at, offset);
                    }
                    &mut self.loose
                }
            };
            lane.hand_over(&mut self.flight);
        }
    }

    /// Tells the receiver what it will never see, in the place where it would have been. It shares the number of the
    /// message behind it.
    fn confess(&mut self, number: u64, at: u64, offset: i32) {
        let text = format!("{} messages lost here: the syslog server was away or too slow", self.lost);
        let speaker = Speaker::of_part("unsinkable");
        let message = Message {
            at,
            facility: DAEMON,
            severity: WARNING,
            host: &self.host,
            speaker: &speaker,
            msg_id: "lost",
            text: text.as_bytes(),
        };
        let flight = &mut self.flight;
        self.writer.write(&message, number, offset, |bytes| flight.push(number, bytes));
        self.lost = 0;
    }

    /// Bytes that this connection has not taken yet: all of them, or the first of them where the ring turns.
    pub fn unwritten(&self) -> &[u8] {
        let (front, back) = self.flight.bytes.as_slices();
        match self.written.checked_sub(front.len()) {
            None => &front[self.written..],
            Some(behind) => &back[behind..],
        }
    }

    /// The first message that has not been sent; for datagrams, whose flight holds no other part of it.
    pub fn datagram(&mut self) -> &[u8] {
        let len = self.flight.entries.front().map_or(0, |entry| entry.len);
        &self.flight.bytes.make_contiguous()[..len]
    }

    /// So many of the unwritten bytes were taken.
    pub fn wrote(&mut self, bytes: usize) {
        self.written = self.flight.bytes.len().min(self.written + bytes);
    }

    /// All but the last `unacked` of the bytes written have been acknowledged.
    pub fn acked(&mut self, now: Time, unacked: usize) {
        let acked = self.written.saturating_sub(unacked);
        for entry in self.flight.entries.range_mut(self.acked..) {
            if self.acked_bytes + entry.len > acked {
                break;
            }
            self.acked_bytes += entry.len;
            self.acked += 1;
            entry.acked = Some(now);
            if entry.number > self.counted {
                self.counted = entry.number;
                self.sent += 1;
            }
        }
        self.forget(now, AFTER_RESET);
        while self.acked_bytes >= CHUNK {
            let Some(block) = self.pack() else { break };
            self.written -= block.len;
            self.acked_bytes -= block.len;
            self.acked -= block.count;
            self.tail_bytes += block.len;
            self.tail.push_back(block);
        }
        self.settle();
    }

    /// Lets go of what was acknowledged longer than `age` ago, and of the oldest beyond the bound.
    fn forget(&mut self, now: Time, age: Duration) {
        let kept = |this: &Self| this.tail_bytes + this.acked_bytes;
        while let Some(block) = self.tail.front()
            && (block.is_older(now, age) || kept(self) - block.len >= self.max_tail)
        {
            self.tail_bytes -= block.len;
            self.tail.pop_front();
        }
        let is_older = |this: &Self| {
            let acked = this.flight.entries.front().and_then(|entry| entry.acked);
            acked.is_some_and(|acked| now.since(acked) >= age)
        };
        while self.tail.is_empty() && (self.acked_bytes > self.max_tail || is_older(self)) {
            let Some(entry) = self.flight.pop() else { return };
            self.written -= entry.len;
            self.acked_bytes -= entry.len;
            self.acked -= 1;
        }
    }

    /// Takes the first out of the flight: a chunk at most, acknowledged within a second (or not at all).
    fn pack(&mut self) -> Option<Block> {
        let first = self.flight.entries.front()?.acked;
        let mut len = 0;
        let fits = |entry: &&Entry| {
            len += entry.len;
            let apart = first.zip(entry.acked).map(|(first, acked)| acked.since(first));
            len <= CHUNK && apart.is_none_or(|apart| apart < AFTER_CLOSE)
        };
        let count = self.flight.entries.iter().take_while(fits).count();
        self.flight.pack(count.max(1))
    }

    /// The connection is over: what it may have lost comes before all that waits.
    pub fn broke(&mut self, now: Time, how: Break) {
        let age = match how {
            Break::Closed => AFTER_CLOSE,
            Break::Reset => AFTER_RESET,
        };
        self.forget(now, age);
        while let Some(block) = self.pack() {
            self.tail.push_back(block);
        }
        self.tail.append(&mut self.again);
        self.again = core::mem::take(&mut self.tail);
        (self.written, self.acked, self.acked_bytes, self.tail_bytes) = (0, 0, 0, 0);
    }

    /// Is there more to load?
    pub fn waits(&self) -> bool {
        !self.again.is_empty() || self.held.first().is_some() || self.loose.first().is_some()
    }

    /// Nothing is kept for a broken connection.
    pub fn is_at_rest(&self) -> bool {
        self.flight.entries.is_empty() && self.tail.is_empty() && self.again.is_empty()
    }

    fn settle(&mut self) {
        let unacked = self.flight.entries.get(self.acked);
        let again = self.again.front().map(|block| block.first);
        let waits = [unacked.map(|entry| entry.number), again, self.held.first(), self.loose.first()];
        let first = waits.into_iter().flatten().min().unwrap_or(self.last + 1);
        self.delivered = self.delivered.max(first - 1);
    }
}

#[cfg(test)]
mod tests;
