//! Ceph, as its manager's Prometheus module tells (`--ceph`): health and why, OSDs, room.
//!
//! `exposition` reads the text format, `health` makes a [`Ceph`] of it; both are pure. `run` asks, in the housekeeper.

pub mod run;

use serde::Serialize;

/// The cluster as one manager told it. Serialized as it stands in `/status.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ceph {
    /// `ok`, `warn` or `error`.
    pub health: Health,
    /// What is not as it should be: `OSD_DOWN` and its text, where the manager tells it.
    pub checks: Vec<Check>,
    /// Object storage daemons: in all, up, in.
    pub osds: Osds,
    /// Bytes.
    pub total_bytes: u64,
    /// Bytes.
    pub used_bytes: u64,
    /// Monitors in quorum, and in all.
    pub monitors: (u32, u32),
    /// The manager's release, where it tells: `17.2.7`.
    pub version: Option<String>,
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
