//! The housekeeper process: what may hang, leak or die without touching the VIP. It gives up every capability and
//! offers itself to the out-of-memory killer before the VIP process.
//!
//! Updates, pruning, log shipping and the status page come with later versions; until then it only keeps its place.

pub mod by_hand;
pub mod checks;
pub mod frame;
pub mod link;
pub mod summary;
mod table;

use crate::flags::Housekeeping;
use crate::sys::caps;
use std::fs;
use std::io::{self, Read};

/// `oom_score_adj`: taken before ordinary processes, long before the VIP process.
const OOM_SCORE: &str = "500";

/// Runs until the VIP process is gone, which closes standard input.
///
/// # Errors
/// When the capabilities cannot be given up.
pub fn run(_jobs: &Housekeeping) -> io::Result<()> {
    caps::drop_all()?;
    // Refused only where /proc is read-only; the kernel's own choice is good enough then.
    let _ = fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    wait_for_the_end()
}

fn wait_for_the_end() -> io::Result<()> {
    let mut frame = [0; 64];
    loop {
        crate::sys::wake::wait(&[std::os::fd::AsFd::as_fd(&io::stdin())], None)?;
        match io::stdin().lock().read(&mut frame) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
