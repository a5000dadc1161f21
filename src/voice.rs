//! How a round tells what it does while it does it: to the log in the daemon, to a terminal in a command.

use log::Level;

/// Where a round speaks.
pub trait Voice {
    /// Something has happened or was decided: one line, with its reason.
    fn say(&self, level: Level, line: &str);

    /// How far it has come: replaces what was shown before. Empty when it is over.
    fn progress(&self, line: &str);
}
