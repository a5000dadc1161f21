//! Where reading goes on after a restart: for each container, how far its two streams are delivered. Pure.
//!
//! Docker gives lines from a moment on (`since=`, nanoseconds, inclusive), and several lines may bear the same one: so
//! what counts is the moment of the last line delivered, and how many with exactly that moment were. Each stream has
//! a mark of its own, as two writers (Docker's copiers) give the moments: only within one of them do they rise.

use serde::{Deserialize, Serialize};

/// How far the two streams of a container may be apart in the log: the moments are given before the lines are written,
/// and a busy Pi may do something else in between. What is older is not asked for again.
const SKEW: u64 = 2_000_000_000;
/// Which stream of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output; all of a container with a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursors {
    /// Unix nanoseconds: up to here, all that Docker told of is known. A container that is not among these has nothing to
    /// say from before.
    pub from: u64,
    /// By ID.
    pub containers: Vec<(String, Cursor)>,
}

/// How far a container is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Of its standard output.
    pub stdout: Mark,
    /// Of its standard error.
    pub stderr: Mark,
}

/// A place in a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Moment of the last line, in unix nanoseconds.
    pub at: u64,
    /// How many lines of exactly that moment there were.
    pub lines: u32,
}

impl Cursor {
    /// At this moment, nothing of it delivered.
    pub fn at(moment: u64) -> Self {
        let mark = Mark { at: moment, lines: 0 };
        Self { stdout: mark, stderr: mark }
    }

    /// The same, but that nothing lies ahead: a Pi without a clock of its own may have believed in another time.
    pub fn not_after(mut self, now: u64) -> Self {
        for mark in [&mut self.stdout, &mut self.stderr] {
            if mark.at > now {
                *mark = Mark { at: now, lines: 0 };
            }
        }
        self
    }

    /// What Docker is to be asked for.
    pub fn since(&self) -> u64 {
        let (older, newer) = if self.stdout.at < self.stderr.at {
            (self.stdout.at, self.stderr.at)
        } else {
            (self.stderr.at, self.stdout.at)
        };
        older.max(newer.saturating_sub(SKEW))
    }

    /// How far this stream is.
    pub fn mark_mut(&mut self, stream: Stream) -> &mut Mark {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

/// Tells what is new in a log that is read again, and where each line is.
#[derive(Clone, Debug)]
pub struct Reader {
    stdout: Place,
    stderr: Place,
}

/// Where reading is in one stream.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The last line read, or delivered before.
    mark: Mark,
    /// Lines of that moment that were delivered before and have yet to come; nothing once a new one has come: whatever
    /// the clock does then, what comes is new.
    known: Option<u32>,
}

impl Reader {
    /// Goes on behind `cursor`.
    pub fn new(cursor: &Cursor) -> Self {
        let place = |mark: Mark| Place { mark, known: Some(mark.lines) };
        Self { stdout: place(cursor.stdout), stderr: place(cursor.stderr) }
    }

    /// Where it is.
    pub fn cursor(&self) -> Cursor {
        Cursor { stdout: self.stdout.mark, stderr: self.stderr.mark }
    }

    /// The place of the next line of `stream`, of this moment; nothing if it was delivered before.
    pub fn line(&mut self, stream: Stream, at: u64) -> Option<Mark> {
        let place = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        match &mut place.known {
            Some(_) if at < place.mark.at => return None,
            Some(known @ 1..) if at == place.mark.at => {
                *known -= 1;
                return None;
            }
            Some(_) | None => place.known = None,
        }
        let lines = if at == place.mark.at { place.mark.lines.saturating_add(1) } else { 1 };
        place.mark = Mark { at, lines };
        Some(place.mark)
    }
}

#[cfg(test)]
mod tests {
    use super::Stream::{Stderr, Stdout};
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn mark(at: u64, lines: u32) -> Mark {
        Mark { at, lines }
    }

    /// Reads `lines` behind `cursor`; which are new, by their place in `lines`.
    fn new(cursor: &Cursor, lines: &[(Stream, u64)]) -> Vec<usize> {
        let mut reader = Reader::new(cursor);
        let taken = lines.iter().enumerate().filter(|(_, (stream, at))| reader.line(*stream, *at).is_some());
        taken.map(|(n, _)| n).collect()
    }

    #[test]
    fn wherever_it_stopped_it_goes_on_with_the_next_line() {
        // As the log has them: moments of one stream rise, some are equal, and the streams overtake each other.
        let log = [
            (Stdout, 50),
            (Stdout, 50),
            (Stderr, 49),
            (Stdout, 50),
            (Stderr, 52),
            (Stdout, 51),
            (Stdout, 52),
            (Stderr, 52),
        ];
        for stopped in 0..=log.len() {
            let mut cursor = Cursor::at(40);
            let mut reader = Reader::new(&cursor);
            for (stream, at) in &log[..stopped] {
                *cursor.mark_mut(*stream) = reader.line(*stream, *at).unwrap();
            }
            assert_eq!(reader.cursor(), cursor);
            let again: Vec<_> = log.iter().copied().filter(|(_, at)| *at >= cursor.since()).collect();
            let left_out = log.len() - again.len();
            let taken: Vec<usize> = new(&cursor, &again).iter().map(|n| n + left_out).collect();
            assert_eq!(taken, (stopped..log.len()).collect::<Vec<_>>(), "stopped at {stopped}: {cursor:?}");
        }
    }

    #[test]
    fn a_stream_that_has_been_silent_for_long_does_not_bring_the_whole_log_again() {
        let cursor = Cursor { stdout: mark(100 * SECOND, 1), stderr: mark(3 * SECOND, 1) };
        assert_eq!(cursor.since(), 98 * SECOND);
        let cursor = Cursor { stdout: mark(100 * SECOND, 1), stderr: mark(99 * SECOND, 1) };
        assert_eq!(cursor.since(), 99 * SECOND);
        assert_eq!(Cursor::at(7).since(), 7);
    }

    #[test]
    fn what_lies_ahead_is_not_waited_for() {
        let cursor = Cursor { stdout: mark(100, 3), stderr: mark(40, 2) };
        assert_eq!(cursor.not_after(100), cursor);
        assert_eq!(cursor.not_after(60), Cursor { stdout: mark(60, 0), stderr: mark(40, 2) });
    }

    #[test]
    fn what_is_behind_a_new_line_is_new_whatever_the_clock_says() {
        let cursor = Cursor { stdout: mark(50, 2), stderr: mark(50, 0) };
        let lines = [(Stdout, 49), (Stdout, 50), (Stdout, 50), (Stdout, 51), (Stdout, 20), (Stdout, 20)];
        assert_eq!(new(&cursor, &lines), [3, 4, 5]);
        let mut reader = Reader::new(&cursor);
        let marks: Vec<_> = lines.iter().filter_map(|(stream, at)| reader.line(*stream, *at)).collect();
        assert_eq!(marks, [mark(51, 1), mark(20, 1), mark(20, 2)]);
    }

    #[test]
    fn lines_that_a_rotation_took_are_not_waited_for() {
        let cursor = Cursor { stdout: mark(50, 3), stderr: mark(50, 0) };
        assert_eq!(new(&cursor, &[(Stdout, 60), (Stdout, 60), (Stderr, 50)]), [0, 1, 2]);
    }
}
