//! Updates: services and containers brought to the newest image of their tag, watched, and put back when they fail.
//!
//! Of a Swarm service: `spec` reads and edits what Docker is told, `candidate` says whether it is looked at, `budget` how
//! often its registry is asked, `window` when, `decide` what is done, `slots` how its tasks stand, `rollout` what a
//! change becomes, `adopt` which rollouts nobody watches; all pure. `run` does it. `containers` is the same for plain containers.

pub mod adopt;
pub mod budget;
pub mod candidate;
pub mod containers;
pub mod decide;
pub mod rollout;
pub mod run;
pub mod slots;
pub mod spec;
pub mod window;

use core::time::Duration;
use std::path::PathBuf;

/// What `--update` and the flags beside it ask for.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Swarm services (`--update`, `--update=swarm`, `--update=all`).
    pub swarm: bool,
    /// Plain containers (`--update=containers`, `--update=all`).
    pub containers: bool,
    /// Only these names (`--update-only`); empty for all.
    pub only: Vec<glob::Pattern>,
    /// Never these names (`--update-skip`).
    pub skip: Vec<glob::Pattern>,
    /// Only at this time of day, local time (`--update-window`).
    pub window: Option<Window>,
    /// A digest must have been seen for this long (`--min-age`).
    pub min_age: Duration,
    /// How long an updated service is watched; `None` for the default that depends on the service (`--bake`).
    pub bake: Option<Duration>,
    /// How long a rollout may take; `None` for the default that depends on the tasks (`--rollout-deadline`).
    pub deadline: Option<Duration>,
    /// Docker's `config.json` with registry passwords (`--registry-auth-file`).
    pub credentials: Option<PathBuf>,
}

/// A span of the day in minutes since midnight; `from` after `to` goes over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First minute within.
    pub from: u16,
    /// First minute after.
    pub to: u16,
}

/// What became of one round.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Report {
    /// One for each service or container that was looked at.
    pub rows: Vec<Row>,
    /// Why nothing was looked at ("not the leader"), or why the round ended early.
    pub note: Option<String>,
}

/// One service or container in a [`Report`].
#[derive(Clone, Debug, serde::Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// `service` or `container`.
    pub kind: &'static str,
    /// The image's familiar `name:tag`.
    pub image: String,
    /// Digest it runs, `sha256:…`; empty where unknown.
    pub from: String,
    /// Digest the tag points at; empty where it was not asked.
    pub to: String,
    /// What is or was done.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
}

/// [`Row::verdict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Runs the newest already.
    Current,
    /// Left alone by nature or by wish.
    Skipped,
    /// Would be updated, but not now: window, age, budget.
    Deferred,
    /// This digest has failed here: waits for the tag to move.
    Held,
    /// Is going to be updated (dry run).
    Due,
    /// Was updated, and runs well.
    Updated,
    /// Was updated, failed and was put back.
    RolledBack,
    /// Something failed and could not be put right; needs a person.
    Failed,
}
