//! What outlives a restart (`--state-dir`): how long things have been seen unused, which digests failed here, when a
//! digest was first seen, the managers' last keep-set.
//!
//! `seal` is the format of such files (postcard with version and CRC) and `file` what the state's may hold, both pure; `run`
//! reads and replaces the file and holds the lock that lets one round at a time, daemon or command, change anything. Where
//! logs are read from is kept beside it, in a file of the log's own (`syslog`), with a lock of its own.

pub mod file;
pub mod run;
pub mod seal;

use crate::sorted::Map;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// How long each thing has been seen unused without a break.
    pub unused: Map<Thing, Unused>,
    /// Digests that failed here: service name or container name, and what failed.
    pub held: Map<String, Held>,
    /// The newest digest of each reference (`name:tag`), and since when it is known, in unix seconds.
    pub digests: Map<String, Known>,
    /// What the managers said last.
    pub keep: Option<KeepSet>,
    /// Boot and moment of the last look at what is unused: time counts only between two looks of one boot.
    pub looked: Option<Looked>,
    /// Until when, in unix seconds, a registry host is not asked again.
    pub registries: Map<String, u64>,
}

/// A thing that may be pruned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Thing {
    /// By ID.
    Container(String),
    /// By ID.
    Image(String),
    /// By name.
    Volume(String),
}

/// How long a [`Thing`] was seen unused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unused {
    /// Added up over looks.
    pub seen_for: Duration,
}

/// A digest that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// `name:tag`.
    pub reference: String,
    /// `sha256:…`; held until the tag points elsewhere.
    pub digest: String,
    /// Why, in words.
    pub reason: String,
    /// Unix seconds.
    pub since: u64,
}

/// A digest, and when it was first seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// `sha256:…`.
    pub digest: String,
    /// Unix seconds.
    pub since: u64,
    /// When the registry was asked last, in unix seconds: who waited longest is asked first.
    pub asked: u64,
}

/// Images that services may want on any node: from a manager.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepSet {
    /// `repo:tag@sha256:…`, of each service's spec and previous spec; without digest where the spec has none.
    pub images: Vec<String>,
    /// Names of the volumes that services mount, templates (`{{.Task.Slot}}`) as they are.
    pub volumes: Vec<String>,
    /// When it was received: boot and moment, as time of day may jump.
    pub at: Looked,
}

/// A moment that a restart of the daemon leaves comparable and a reboot does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot: String,
    /// Since that boot (`CLOCK_BOOTTIME`).
    pub moment: Duration,
}
