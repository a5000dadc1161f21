//! What is read, what of it is on its way to the server, and what has arrived there: only that is remembered over
//! a restart. Pure.

use super::cursor::{Cursor, Cursors, Mark, Stream};
use crate::sorted::Map;
use core::time::Duration;
use std::collections::VecDeque;

/// Containers that are remembered: a Pi has dozens. What is beyond goes on from Docker's last event.
pub const MAX_CONTAINERS: usize = 1024;
/// Largest file: each container takes 64 digits of its ID and two marks.
pub const MAX_FILE: usize = 128 * 1024;
/// First bytes of the file, the version of its layout in the last one.
pub const MAGIC: [u8; 8] = *b"unslogs\x01";
/// A container that has ended, and whose lines have arrived, is forgotten when Docker has told of something so long after
/// it: then nothing of it lies behind [`Cursors::from`].
const ENDED: Duration = Duration::from_secs(60);
/// A container prints before Docker tells of its start, and other events may come in between: this long at most. Less than
/// [`ENDED`], so that nothing is read twice of one that was forgotten and starts again.
const LATE: Duration = Duration::from_secs(30);
/// The way gives its memory back when it is empty and was longer.
const SHORT: usize = 64;

/// A container, while this program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source(u32);

/// See the file's first lines.
#[derive(Debug)]
pub struct Ledger {
    from: u64,
    /// Nothing was kept, and Docker has told of nothing yet: what was printed before is past.
    fresh: bool,
    containers: Map<Source, Container>,
    next: u32,
    /// In the order in which they were pushed.
    way: VecDeque<Pushed>,
}

#[derive(Debug)]
struct Container {
    id: String,
    delivered: Cursor,
    /// Ahead of `delivered` by what is on its way.
    read: Cursor,
    /// When it was found to have ended, all of it read; unix nanoseconds.
    ended: Option<u64>,
}

/// A line on its way.
#[derive(Clone, Copy, Debug)]
struct Pushed {
    /// The queue's.
    number: u64,
    at: u64,
    lines: u32,
    source: Source,
    /// To keep this small, there is no room for more than a bit.
    stderr: bool,
}

impl Ledger {
    /// Goes on with what was kept. `now`: in unix nanoseconds.
    pub fn new(kept: Cursors, now: u64) -> Self {
        let mut ledger = Self { fresh: false, ..Self::fresh(kept.from.min(now)) };
        for (id, cursor) in kept.containers {
            ledger.add(&id, cursor);
        }
        ledger
    }

    /// Begins now (unix nanoseconds).
    pub fn fresh(now: u64) -> Self {
        Self { from: now, fresh: true, containers: Map::new(), next: 0, way: VecDeque::new() }
    }

    /// What to keep over a restart.
    pub fn kept(&self) -> Cursors {
        let all = self.containers.values().take(MAX_CONTAINERS);
        Cursors { from: self.from, containers: all.map(|one| (one.id.clone(), one.delivered)).collect() }
    }

    /// Up to where Docker's events are known, in unix nanoseconds.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// Docker's events up to this moment are known, and all containers that they told of.
    pub fn know(&mut self, at: u64) {
        self.from = self.from.max(at);
        self.fresh = false;
        let long_ago = before(self.from, ENDED);
        let Self { containers, way, .. } = self;
        containers.retain(|source, container| {
            container.ended.is_none_or(|ended| ended >= long_ago)
                || way.iter().any(|pushed| pushed.source == *source)
        });
    }

    /// The container is remembered.
    pub fn has(&self, id: &str) -> bool {
        self.source(id).is_some()
    }

    /// The container is followed, from there on.
    pub fn follow(&mut self, id: &str) -> (Source, Cursor) {
        let source = self.source(id).unwrap_or_else(|| self.add(id, self.start()));
        match self.containers.get_mut(&source) {
            Some(container) => {
                container.ended = None;
                (source, container.read)
            }
            None => (source, self.start()),
        }
    }

    /// A line of it was pushed under this number of the queue.
    pub fn push(&mut self, number: u64, source: Source, stream: Stream, mark: Mark) {
        if let Some(container) = self.containers.get_mut(&source) {
            *container.read.mark_mut(stream) = mark;
        }
        let stderr = stream == Stream::Stderr;
        self.way.push_back(Pushed { number, at: mark.at, lines: mark.lines, source, stderr });
    }

    /// All up to this number of the queue has arrived.
    pub fn settle(&mut self, number: u64) {
        while let Some(pushed) = self.way.pop_front_if(|pushed| pushed.number <= number) {
            if let Some(container) = self.containers.get_mut(&pushed.source) {
                let stream = if pushed.stderr { Stream::Stderr } else { Stream::Stdout };
                *container.delivered.mark_mut(stream) = Mark { at: pushed.at, lines: pushed.lines };
            }
        }
        if self.way.is_empty() {
            self.way.shrink_to(SHORT);
        }
    }

    /// Number of the last line pushed that has not arrived.
    pub fn last_on_the_way(&self) -> Option<u64> {
        self.way.back().map(|pushed| pushed.number)
    }

    /// The container has ended, and its log was read to its end.
    pub fn end(&mut self, source: Source, now: u64) {
        if let Some(container) = self.containers.get_mut(&source) {
            container.ended = Some(now);
        }
    }

    /// The container has been removed.
    pub fn forget(&mut self, id: &str) {
        self.retain(|other| other != id);
    }

    /// Only these containers are left.
    pub fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.containers.retain(|_, container| is_there(&container.id));
    }

    /// Where a container begins that Docker tells of.
    fn start(&self) -> Cursor {
        Cursor::at(if self.fresh { self.from } else { before(self.from, LATE) })
    }

    fn source(&self, id: &str) -> Option<Source> {
        self.containers.iter().find(|(_, container)| container.id == id).map(|(source, _)| *source)
    }

    fn add(&mut self, id: &str, cursor: Cursor) -> Source {
        let source = Source(self.next);
        self.next += 1;
        let container = Container { id: id.to_owned(), delivered: cursor, read: cursor, ended: None };
        self.containers.insert(source, container);
        source
    }
}

/// Unix nanoseconds, so long before `at`.
fn before(at: u64, time: Duration) -> u64 {
    at.saturating_sub(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::Stream::{Stderr, Stdout};
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn mark(at: u64, lines: u32) -> Mark {
        Mark { at, lines }
    }

    fn ledger() -> Ledger {
        Ledger::new(Cursors { from: 30 * SECOND + 40, containers: Vec::new() }, u64::MAX)
    }

    #[test]
    fn only_what_has_arrived_is_kept() {
        let mut ledger = ledger();
        let (a, start) = ledger.follow("a");
        let (b, _) = ledger.follow("b");
        assert_eq!(start, Cursor::at(40));
        ledger.push(1, a, Stdout, mark(50, 1));
        ledger.push(2, b, Stdout, mark(50, 1));
        // 3 was an event.
        ledger.push(4, a, Stderr, mark(51, 1));
        ledger.push(5, a, Stdout, mark(52, 2));
        assert_eq!(
            ledger.kept().containers,
            [("a".to_owned(), Cursor::at(40)), ("b".to_owned(), Cursor::at(40))]
        );
        ledger.settle(3);
        let kept = ledger.kept();
        assert_eq!(kept.containers[0].1, Cursor { stdout: mark(50, 1), stderr: mark(40, 0) });
        assert_eq!(ledger.last_on_the_way(), Some(5));
        // Read again while this program runs, it goes on behind what is on its way.
        assert_eq!(ledger.follow("a"), (a, Cursor { stdout: mark(52, 2), stderr: mark(51, 1) }));
        // After a restart, behind what has arrived.
        assert_eq!(
            Ledger::new(kept, u64::MAX).follow("a").1,
            Cursor { stdout: mark(50, 1), stderr: mark(40, 0) }
        );
        ledger.settle(5);
        assert_eq!(ledger.kept().containers[0].1, Cursor { stdout: mark(52, 2), stderr: mark(51, 1) });
        assert_eq!(ledger.last_on_the_way(), None);
    }

    #[test]
    fn containers_that_are_gone_are_forgotten_even_with_lines_on_the_way() {
        let mut ledger = ledger();
        let (a, _) = ledger.follow("a");
        ledger.follow("b");
        ledger.push(1, a, Stdout, mark(50, 1));
        ledger.retain(|id| id == "b");
        ledger.settle(1);
        assert_eq!(ledger.kept().containers, [("b".to_owned(), Cursor::at(40))]);
    }

    #[test]
    fn what_has_ended_and_arrived_is_forgotten_when_docker_has_told_of_later_things() {
        let mut ledger = ledger();
        let (a, _) = ledger.follow("a");
        ledger.push(1, a, Stdout, mark(50, 1));
        ledger.end(a, 100 * SECOND);
        ledger.know(200 * SECOND);
        assert!(ledger.has("a"), "a line of it is on its way");
        ledger.settle(1);
        ledger.know(159 * SECOND);
        assert_eq!(ledger.from(), 200 * SECOND);
        assert!(!ledger.has("a"));
        // It starts again: nothing of the old is read twice.
        assert_eq!(ledger.follow("a").1, Cursor::at(170 * SECOND));
        let (b, _) = ledger.follow("b");
        ledger.end(b, 199 * SECOND);
        ledger.know(201 * SECOND);
        assert!(ledger.has("b"));
        ledger.follow("b");
        ledger.know(900 * SECOND);
        assert!(ledger.has("b"), "it runs again");
    }

    #[test]
    fn the_very_first_start_leaves_the_past_alone() {
        let mut ledger = Ledger::fresh(100 * SECOND);
        assert_eq!(ledger.follow("runs").1, Cursor::at(100 * SECOND));
        ledger.know(101 * SECOND);
        assert_eq!(ledger.follow("starts").1, Cursor::at(71 * SECOND));
    }

    #[test]
    fn the_file_has_room_for_all_that_is_kept() {
        let mut ledger = ledger();
        for n in 0..2000 {
            let (source, _) = ledger.follow(&format!("{n:064}"));
            for stream in [Stdout, Stderr] {
                ledger.push(1, source, stream, mark(u64::MAX, u32::MAX));
            }
        }
        ledger.settle(1);
        let kept = ledger.kept();
        assert_eq!(kept.containers.len(), 1024);
        let bytes = crate::state::seal::emit(MAGIC, &kept, MAX_FILE).unwrap();
        assert_eq!(crate::state::seal::parse(MAGIC, &bytes, MAX_FILE), Ok(kept));
    }
}
