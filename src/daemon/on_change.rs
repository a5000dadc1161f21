//! `--on-change PROGRAM`: run without a shell at each change of state, one at a time, never waited for by anything else.

use super::notify;
use crate::vrrp::event::{Reason, StateName};
use core::time::Duration;
use smol::channel::{Receiver, Sender, bounded};
use smol::{Async, Timer, future};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Changes that may wait for the program; a slower one misses the oldest.
const QUEUE: usize = 16;
/// A program that runs for longer is killed.
const LIMIT: Duration = Duration::from_secs(30);

/// One change of state.
#[derive(Clone, Debug)]
pub struct Change {
    /// The program.
    pub program: PathBuf,
    /// Virtual router identifier.
    pub vrid: u8,
    /// New state.
    pub state: StateName,
    /// Why.
    pub reason: Reason,
    /// The virtual addresses, separated by blanks.
    pub vips: String,
}

/// Both ends of the queue.
pub fn queue() -> (Sender<Change>, Receiver<Change>) {
    bounded(QUEUE)
}

/// Runs the programs, one after the other.
pub async fn run(changes: Receiver<Change>) {
    while let Ok(change) = changes.recv().await {
        match start(&change) {
            Ok(child) => wait(child, &change.program).await,
            Err(error) => log::warn!("--on-change {}: {error}", change.program.display()),
        }
    }
}

fn start(change: &Change) -> std::io::Result<Child> {
    let mut command = Command::new(&change.program);
    for name in notify::VARIABLES {
        command.env_remove(name);
    }
    command
        .env("UNSINKABLE_VRID", change.vrid.to_string())
        .env("UNSINKABLE_STATE", change.state.to_string())
        .env("UNSINKABLE_REASON", change.reason.to_string())
        .env("UNSINKABLE_VIPS", &change.vips)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
}

async fn wait(mut child: Child, program: &Path) {
    let in_time = async {
        ended(&child).await;
        true
    };
    let too_long = async {
        Timer::after(LIMIT).await;
        false
    };
    if !future::or(in_time, too_long).await {
        log::warn!("--on-change {}: killed after {} s", program.display(), LIMIT.as_secs());
        let _ = child.kill();
    }
    match child.wait() {
        Ok(status) if status.success() => {}
        Ok(status) => log::warn!("--on-change {}: {status}", program.display()),
        Err(error) => log::warn!("--on-change {}: {error}", program.display()),
    }
}

/// Resolves when the child has ended; at once if that cannot be watched.
async fn ended(child: &Child) {
    if let Ok(pidfd) = crate::sys::pidfd::open(child.id())
        && let Ok(watched) = Async::new_nonblocking(pidfd)
    {
        let _ = watched.readable().await;
    }
}
