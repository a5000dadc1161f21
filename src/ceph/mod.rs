//! Ceph, as its manager's Prometheus module tells (`--ceph`): health and why, OSDs, room.
//!
//! `exposition` reads the text format, `health` makes a [`Ceph`] of it; both are pure. `run` asks, in the housekeeper.

pub mod exposition;
pub mod health;
pub mod run;

use core::fmt;
use serde::Serialize;

/// The cluster as one manager told it. Serialized as it stands in `/status.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ceph {
    /// `ok`, `warn` or `error`.
    pub health: Health,
    /// What is not as it should be, the worst first; empty where the manager tells no more than `health` (before 16.2.8).
    pub checks: Vec<Check>,
    /// Object storage daemons: in all, up, in.
    pub osds: Osds,
    /// Bytes.
    pub total_bytes: u64,
    /// Bytes, all copies counted.
    pub used_bytes: u64,
    /// Monitors in quorum, and in all.
    pub monitors: (u32, u32),
    /// The manager's release, where it tells: `17.2.7`.
    pub version: Option<String>,
    /// The releases of all managers, monitors and OSDs: more than one during an upgrade.
    pub versions: Vec<String>,
    /// The URL that answered.
    pub manager: String,
}

/// [`Ceph::health`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// `HEALTH_OK`.
    Ok,
    /// `HEALTH_WARN`.
    Warn,
    /// `HEALTH_ERR`.
    Error,
}

/// One of [`Ceph::checks`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Ceph's own name.
    pub name: String,
    /// How bad.
    pub severity: Health,
    /// In words.
    pub text: String,
}

/// [`Ceph::osds`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Osds {
    /// In all.
    pub total: u32,
    /// Running.
    pub up: u32,
    /// Holding data.
    #[serde(rename = "in")]
    pub inside: u32,
}

impl fmt::Display for Health {
    /// As Ceph writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "HEALTH_OK",
            Self::Warn => "HEALTH_WARN",
            Self::Error => "HEALTH_ERR",
        })
    }
}

impl fmt::Display for Ceph {
    /// One line: `HEALTH_WARN, 2 of 3 OSDs up, OSD_DOWN (an OSD is down), told by http://…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} of {} OSDs up", self.health, self.osds.up, self.osds.total)?;
        for check in &self.checks {
            write!(f, ", {} ({})", check.name, check.text)?;
        }
        write!(f, ", told by {}", self.manager)
    }
}
