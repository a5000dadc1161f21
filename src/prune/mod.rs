//! Pruning: what nobody has used for the whole grace goes; what is kept, referenced or young stays.

pub mod candidates;
pub mod clock;
pub mod inventory;
pub mod keep;
pub mod keepset;
pub mod planner;
pub mod run;
pub mod used;

use core::time::Duration;
use std::net::SocketAddr;

/// What `--prune` and the flags beside it ask for.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How long something must be seen unused before it goes (`--grace`).
    pub grace: Duration,
    /// Between two rounds (`--prune-every`): no look may count for more unused time than two of these.
    pub every: Duration,
    /// Images that stay (`--keep-image`), as written: see `keep`.
    pub keep_images: Vec<String>,
    /// Names of containers that stay (`--keep-container`).
    pub keep_containers: Vec<glob::Pattern>,
    /// Names of volumes that stay (`--keep-volume`).
    pub keep_volumes: Vec<glob::Pattern>,
    /// Newest images of each repository that stay (`--keep-per-repo`).
    pub per_repository: usize,
    /// Volumes that may go (`--prune-volumes`).
    pub volumes: Volumes,
    /// Percent of the disk in use above which things go, oldest first, before their round (`--disk-high`).
    pub disk_high: u8,
    /// Percent of the disk in use at which that stops (`--disk-low`).
    pub disk_low: u8,
    /// Where managers may publish their keep-set: the `--node` addresses at the port of `--listen`.
    pub managers: Vec<SocketAddr>,
}

/// Volumes that may go.
#[derive(Clone, Debug, Default)]
pub struct Volumes {
    /// Anonymous local ones without options.
    pub anonymous: bool,
    /// Named ones that match.
    pub named: Vec<glob::Pattern>,
}

/// What became of one round.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Report {
    /// One for each thing that is unused, in the order it goes.
    pub rows: Vec<Row>,
    /// Bytes that were freed, or would be (dry run).
    pub freed: u64,
    /// Disk in use, percent, before; nothing if unknown.
    pub disk: Option<u8>,
    /// Why the round ended early or did less than it could.
    pub note: Option<String>,
}

/// One thing in a [`Report`].
#[derive(Clone, Debug, serde::Serialize)]
pub struct Row {
    /// `container`, `image`, `volume`, `build-cache`.
    pub kind: &'static str,
    /// Name, or `repo:tag`, or a short ID.
    pub name: String,
    /// Docker's ID or volume name.
    pub id: String,
    /// Bytes it takes; 0 where unknown.
    pub size: u64,
    /// What is or was done.
    pub verdict: Verdict,
    /// Seconds until it goes, where it waits.
    pub seconds_left: Option<u64>,
    /// Why, in words.
    pub reason: String,
}

/// [`Row::verdict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Unused, but stays by wish or by rule.
    Kept,
    /// Unused, and goes when its grace is over.
    Waits,
    /// Is going to be removed (dry run).
    Due,
    /// Is gone.
    Removed,
    /// Docker refused: it is in use after all, and its grace starts anew.
    Refused,
    /// Could not be removed.
    Failed,
}
