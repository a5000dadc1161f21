//! How a round tells what it does while it does it: to the log in the daemon, to a terminal in a command.

use core::fmt;
use log::Level;

/// Where a round speaks.
pub trait Voice {
    /// Something has happened or was decided: one line, with its reason.
    fn say(&self, level: Level, line: &str);

    /// How far it has come: replaces what was shown before. Empty when it is over.
    fn progress(&self, line: &str);

    /// The rollout of a service goes on. For whoever shows more of it than a line.
    fn goes_on(&self, advance: Advance) {
        self.progress(&advance.to_string());
    }

    /// An update begins. For whoever is told of rounds besides; a terminal has read it in a line.
    fn begins(&self, rollout: Rollout<'_>) {
        let _ = rollout;
    }
}

/// An update that begins.
#[derive(Clone, Copy, Debug)]
pub struct Rollout<'a> {
    /// `service` or `container`.
    pub what: &'static str,
    /// Its name.
    pub name: &'a str,
    /// `name:tag`.
    pub image: &'a str,
    /// Digest it runs.
    pub from: &'a str,
    /// Digest it is to run.
    pub to: &'a str,
}

/// How far the rollout of a service has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
    /// The service's name.
    pub service: String,
    /// What goes on.
    pub stage: Stage,
    /// How far, in words.
    pub how: String,
}

/// The stages of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Tasks change over to the new image.
    Converging,
    /// All of them run it, and are watched.
    Baking,
    /// They go back to the image before.
    RollingBack,
}

/// `web: 2/3 run 3f2a…, 14 s`.
impl fmt::Display for Advance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.service, self.how)
    }
}
