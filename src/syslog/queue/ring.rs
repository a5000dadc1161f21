//! Messages in a row, as the bytes that go over the wire. Pure.

use crate::time::Time;
use core::time::Duration;
use std::collections::VecDeque;

/// A ring that has been larger gives its memory back when it is empty.
pub const SMALL: usize = 4 * 1024;

/// A message's bytes in a ring.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The queue's. Parts of a message share it.
    pub number: u64,
    /// Bytes.
    pub len: usize,
    /// When its acknowledgement was seen; in a flight only.
    pub acked: Option<Time>,
}

/// All is bytes in rings: nothing is allocated for a message.
#[derive(Debug, Default)]
pub struct Ring {
    pub bytes: VecDeque<u8>,
    pub entries: VecDeque<Entry>,
}

/// Messages that have left a ring, packed.
#[derive(Debug)]
pub struct Block {
    /// Number of the first one.
    pub first: u64,
    /// How many.
    pub count: usize,
    /// Their bytes.
    pub len: usize,
    /// When the last acknowledgement was seen.
    acked: Option<Time>,
    /// Of each message how far its number is from the first, and its length.
    heads: Box<[u8]>,
    /// All messages, packed.
    bytes: Box<[u8]>,
}

impl Ring {
    /// Appends a message.
    pub fn push(&mut self, number: u64, bytes: &[u8]) {
        self.bytes.extend(bytes);
        self.entries.push_back(Entry { number, len: bytes.len(), acked: None });
    }

    /// Drops the first message.
    pub fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.bytes.drain(..entry.len);
        self.shrink();
        Some(entry)
    }

    /// Appends the first message to `other`.
    pub fn hand_over(&mut self, other: &mut Self) {
        let Some(entry) = self.entries.front().copied() else { return };
        let (front, back) = self.front(entry.len);
        other.bytes.extend(front);
        other.bytes.extend(back);
        other.entries.push_back(entry);
        self.pop();
    }

    /// Number of the first message.
    pub fn first(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.number)
    }

    /// Takes out the first messages, `count` of them at most.
    pub fn pack(&mut self, count: usize) -> Option<Block> {
        let first = self.first()?;
        let entries: Vec<Entry> = self.entries.drain(..count.min(self.entries.len())).collect();
        let acked = entries.last().and_then(|last| last.acked);
        // In a ring, numbers rise.
        let head = |entry: &Entry| (entry.number.wrapping_sub(first), entry.len);
        let heads: Vec<(u64, usize)> = entries.iter().map(head).collect();
        let len = heads.iter().map(|(_, len)| len).sum();
        let heads = postcard::to_allocvec(&heads).expect("numbers always fit a Vec").into_boxed_slice();
        let (front, back) = self.front(len);
        let bytes = lz4_flex::block::compress(&[front, back].concat()).into_boxed_slice();
        self.bytes.drain(..len);
        self.shrink();
        Some(Block { first, count: entries.len(), len, acked, heads, bytes })
    }

    /// Appends the messages of `block`, as if none had ever been sent.
    pub fn unpack(&mut self, block: &Block) {
        let heads: Vec<(u64, usize)> = postcard::from_bytes(&block.heads).expect("as `pack` wrote them");
        let bytes = lz4_flex::block::decompress(&block.bytes, block.len).expect("as `pack` wrote them");
        self.bytes.extend(&bytes);
        let entry = |(step, len)| Entry { number: block.first.wrapping_add(step), len, acked: None };
        self.entries.extend(heads.into_iter().map(entry));
    }

    /// The first bytes: where the ring turns, the second slice has the rest.
    fn front(&self, len: usize) -> (&[u8], &[u8]) {
        let (front, back) = self.bytes.as_slices();
        let in_front = len.min(front.len());
        (&front[..in_front], &back[..len - in_front])
    }

    fn shrink(&mut self) {
        if self.entries.is_empty() {
            self.bytes.shrink_to(SMALL);
            self.entries.shrink_to(SMALL / size_of::<Entry>());
        }
    }
}

impl Block {
    /// Was all of it acknowledged so long ago?
    pub fn is_older(&self, now: Time, age: Duration) -> bool {
        self.acked.is_some_and(|acked| now.since(acked) >= age)
    }

    /// Bytes that it takes.
    #[cfg(test)]
    pub fn size(&self) -> usize {
        self.heads.len() + self.bytes.len()
    }
}
