//! One round by hand: `unsinkable update` and `unsinkable prune`, with progress while it runs and a table at its end.

use super::table;
use crate::docker::Client;
use crate::flags::Housekeeping;
use crate::prune::used::Used;
use crate::state::run::Session;
use crate::sysexits::EX_UNAVAILABLE;
use crate::voice::Voice;
use crate::{prune, update};
use core::cell::Cell;
use log::Level;
use std::io::{self, IsTerminal, Write};

/// Something failed and was put back, or needs a person.
const FAILED: u8 = 1;

/// A round of updates now.
pub fn update(jobs: &Housekeeping, dry_run: bool, json: bool) -> u8 {
    let Some((policy, _)) = &jobs.update else { return EX_UNAVAILABLE };
    let Some(mut session) = session(jobs, dry_run) else { return EX_UNAVAILABLE };
    let (docker, voice) = (Client::new(&jobs.docker), Terminal::new(dry_run, json));
    let report = smol::block_on(update::run::round(&docker, policy, &mut session, &voice, dry_run));
    voice.progress("");
    let colour = io::stdout().is_terminal();
    print(&if json { table::json(&report) } else { table::of_update(&report, colour) });
    let failed = |row: &update::Row| match row.verdict {
        update::Verdict::RolledBack | update::Verdict::Failed => true,
        update::Verdict::Current
        | update::Verdict::Skipped
        | update::Verdict::Deferred
        | update::Verdict::Held
        | update::Verdict::Due
        | update::Verdict::Updated => false,
    };
    exit_code(report.rows.is_empty() && report.note.is_some(), report.rows.iter().any(failed))
}

/// A round of pruning now.
pub fn prune(jobs: &Housekeeping, dry_run: bool, json: bool) -> u8 {
    let Some(policy) = &jobs.prune else { return EX_UNAVAILABLE };
    let Some(mut session) = session(jobs, dry_run) else { return EX_UNAVAILABLE };
    let (docker, voice) = (Client::new(&jobs.docker), Terminal::new(dry_run, json));
    let report =
        smol::block_on(prune::run::round(&docker, policy, &mut session, &voice, &Used::default(), dry_run));
    voice.progress("");
    let colour = io::stdout().is_terminal();
    print(&if json { table::json(&report) } else { table::of_prune(&report, dry_run, colour) });
    let failed = report.rows.iter().any(|row| row.verdict == prune::Verdict::Failed);
    exit_code(report.rows.is_empty() && report.note.is_some(), failed)
}

/// Nothing looked at is not the same as nothing to do.
fn exit_code(kept_from_looking: bool, failed: bool) -> u8 {
    match (kept_from_looking, failed) {
        (true, _) => EX_UNAVAILABLE,
        (false, true) => FAILED,
        (false, false) => 0,
    }
}

fn session(jobs: &Housekeeping, dry_run: bool) -> Option<Session> {
    let dir = &jobs.state_dir;
    if dry_run {
        return Some(Session::look(dir));
    }
    match Session::open(dir) {
        Ok(session) => Some(session),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            complain(&format!("{error}; `unsinkable status` shows how far it is"));
            None
        }
        Err(error) => {
            complain(&error.to_string());
            None
        }
    }
}

/// Lines on standard error: the table alone is the output.
struct Terminal {
    /// One line that moves.
    moves: bool,
    /// Decisions are told while they are carried out; a dry run has its table.
    speaks: bool,
    /// A progress line stands there.
    shown: Cell<bool>,
}

impl Terminal {
    fn new(dry_run: bool, json: bool) -> Self {
        Self { moves: io::stderr().is_terminal(), speaks: !dry_run && !json, shown: Cell::new(false) }
    }

    fn wipe(&self) {
        if self.shown.take() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Voice for Terminal {
    fn say(&self, level: Level, line: &str) {
        if level <= Level::Warn || (self.speaks && level <= Level::Info) {
            self.wipe();
            complain(line);
        }
    }

    fn progress(&self, line: &str) {
        if self.moves {
            self.wipe();
            if !line.is_empty() {
                let columns = crate::sys::terminal::size(io::stderr()).map_or(80, |(columns, _)| columns);
                let line: String = line.chars().take(columns.saturating_sub(1)).collect();
                let _ = write!(io::stderr(), "{line}");
                self.shown.set(true);
            }
        } else if self.speaks && !line.is_empty() {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}

fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "unsinkable: {line}");
}

/// A reader that closes the pipe early (`| head`) has what it wanted.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
