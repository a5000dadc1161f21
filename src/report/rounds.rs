//! What the housekeeper tells of its rounds: the last one, the next one, what goes on now, and what is held or waits.
//! Pure. It comes in one frame from a process that may lose its mind, so all of it has a bound.

use crate::time::Time;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Rows told of each job: half a screen. More are counted.
pub const MAX_ROWS: usize = 10;
/// Longest name in bytes: a service has 63, a container's image reference seldom more than this.
pub const MAX_NAME: usize = 80;
/// Longest reason, note, summary or progress line in bytes: two lines of a terminal.
pub const MAX_REASON: usize = 160;

/// All of it. What no flag asks for is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounds {
    /// `--update`.
    pub updates: Option<Job>,
    /// `--prune`.
    pub pruning: Option<Job>,
}

/// Rounds of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The last round; nothing before the first is over.
    pub last: Option<Last>,
    /// When the next one begins, if that is known.
    pub next: Option<Time>,
    /// What goes on now, in words; empty between two rounds.
    pub progress: String,
    /// What is worth a look, the most urgent first.
    pub rows: Vec<Row>,
    /// More of them that found no room.
    pub left_out: u32,
}

/// A round that is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// When it ended.
    pub at: Time,
    /// How long it took.
    pub took: Duration,
    /// What came of it in a few words ("14 services, 1 updated, 1 held").
    pub summary: String,
    /// Why it looked at nothing, or ended early.
    pub note: Option<String>,
}

/// A service, container, image or volume worth a look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// `service`, `container`, `image`, `volume`, `build-cache`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
    /// For how long it had been held when the round ended.
    pub held_for: Option<Duration>,
    /// Bytes it takes; 0 where unknown.
    pub size: u64,
    /// When its grace is over.
    pub goes: Option<Time>,
}

/// [`Row::outcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Could not be done, or not be put right; needs a person.
    Failed,
    /// Updated, failed, put back.
    RolledBack,
    /// Its newest image has failed here: waits for the tag to move.
    Held,
    /// Would be updated, but not now.
    Deferred,
    /// Updated, and runs well.
    Updated,
    /// Docker refused to remove it: in use after all.
    Refused,
    /// Unused: goes when its grace is over.
    Waits,
    /// Gone.
    Removed,
}

impl Outcome {
    /// Each of them.
    pub const ALL: [Self; 8] = [
        Self::Failed,
        Self::RolledBack,
        Self::Held,
        Self::Deferred,
        Self::Updated,
        Self::Refused,
        Self::Waits,
        Self::Removed,
    ];

    /// As programs are told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
            Self::Held => "held",
            Self::Deferred => "deferred",
            Self::Updated => "updated",
            Self::Refused => "refused",
            Self::Waits => "waits",
            Self::Removed => "removed",
        }
    }
}

impl Rounds {
    /// Cuts texts and rows to the limits above. Doing it again changes nothing.
    pub fn bound(&mut self) {
        self.updates.iter_mut().chain(&mut self.pruning).for_each(Job::bound);
    }
}

impl Job {
    fn bound(&mut self) {
        if let Some(last) = &mut self.last {
            cut(&mut last.summary, MAX_REASON);
            last.note.iter_mut().for_each(|note| cut(note, MAX_REASON));
        }
        cut(&mut self.progress, MAX_REASON);
        let more = self.rows.len().saturating_sub(MAX_ROWS);
        self.rows.truncate(MAX_ROWS);
        self.left_out = self.left_out.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        for row in &mut self.rows {
            cut(&mut row.kind, MAX_NAME);
            cut(&mut row.name, MAX_NAME);
            cut(&mut row.reason, MAX_REASON);
        }
    }
}

/// Shortens `text` to `max` bytes, at the boundary of a character, showing that something is missing.
pub fn cut(text: &mut String, max: usize) {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max - '…'.len_utf8()));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_and_what_is_too_much_is_counted() {
        let row = Row {
            kind: "image".to_owned(),
            name: "n".repeat(100),
            outcome: Outcome::Waits,
            reason: "ü".repeat(100),
            held_for: None,
            size: 7,
            goes: Some(Time::from_micros(9)),
        };
        let last = Last { note: Some("x".repeat(161)), ..Last::default() };
        let job = Job { rows: vec![row; 13], left_out: 2, last: Some(last), ..Job::default() };
        let mut rounds = Rounds { updates: None, pruning: Some(job) };
        rounds.bound();
        let again = rounds.clone();
        rounds.bound();
        assert_eq!(rounds, again);
        let job = rounds.pruning.unwrap();
        assert_eq!((job.rows.len(), job.left_out), (10, 5));
        assert_eq!(job.rows[9].name, format!("{}…", "n".repeat(77)));
        // 78 times 2 bytes and 3 of ellipsis: 159 of 160.
        assert_eq!(job.rows[9].reason, format!("{}…", "ü".repeat(78)));
        assert_eq!(job.last.unwrap().note.unwrap().len(), 160);
    }
}
