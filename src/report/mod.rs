//! What the daemon tells of itself: the status, its socket, and its faces.
//!
//! `status` is the value, `frame` its bytes on the socket, `face` (with `words`) its page for a terminal, `json` its
//! document for programs; all are pure. `run` is the server in the daemon, `ask` the client, `command` the commands
//! `status` and `resign`.

pub mod ask;
pub mod command;
pub mod face;
pub mod frame;
pub mod json;
pub mod run;
#[cfg(test)]
mod sample;
pub mod status;
pub mod words;

pub use ask::ask;
pub use command::{resign_command, status_command};
pub use run::{bind, serve};

use std::path::{Path, PathBuf};

/// The daemon cannot be reached (sysexits).
const EX_UNAVAILABLE: u8 = 69;
/// What was read or written failed (sysexits).
const EX_IOERR: u8 = 74;
/// The other side speaks another protocol (sysexits).
const EX_PROTOCOL: u8 = 76;
/// Not for this user (sysexits).
const EX_NOPERM: u8 = 77;

/// Where the daemon with this `--run-dir` answers.
pub fn socket_path(run_dir: &Path) -> PathBuf {
    run_dir.join("status.sock")
}
