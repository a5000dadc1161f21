//! Messages in a row, as the bytes that go over the wire. Pure.

use super::pack::{self, put, take};
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
    packed: Box<[u8]>,
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
        let (first, count) = (self.first()?, count.min(self.entries.len()));
        let (mut head, mut last, mut len, mut acked) = (Vec::new(), first, 0, None);
        for entry in self.entries.drain(..count) {
            // In a ring, numbers rise.
            put(&mut head, entry.number.wrapping_sub(last));
            put(&mut head, entry.len as u64);
            (last, len, acked) = (entry.number, len + entry.len, entry.acked);
        }
        let (front, back) = self.front(len);
        pack::pack(&[front, back].concat(), &mut head);
        self.bytes.drain(..len);
        self.shrink();
        Some(Block { first, count, len, acked, packed: head.into_boxed_slice() })
    }

    /// Appends the messages of `block`, as if none had ever been sent.
    pub fn unpack(&mut self, block: &Block) {
        let (mut packed, mut number) = (&*block.packed, block.first);
        for _ in 0..block.count {
            let (Some(step), Some(len)) = (take(&mut packed), take(&mut packed)) else { return };
            number = number.wrapping_add(step as u64);
            self.entries.push_back(Entry { number, len, acked: None });
        }
        let mut bytes = Vec::with_capacity(block.len);
        pack::unpack(packed, &mut bytes);
        self.bytes.extend(&bytes);
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
        self.packed.len()
    }
}
