//! The housekeeper process: what may hang, leak or die without touching the VIP. It gives up every capability and
//! offers itself to the out-of-memory killer before the VIP process.
//!
//! `rounds` runs updates and pruning when `schedule` says so, `checks` looks at what only Docker and Ceph know, `serve`
//! answers `--listen` with what `gather` looks up (`services` and `memory` say what is known of images); `desk` tells the log,
//! the user's program (`notices`) and, over `link`, the VIP process, in the words of `summary` and the bytes of `frame`.
//! `by_hand` is one round at a terminal, `table` its end.

pub mod by_hand;
pub mod checks;
mod desk;
pub mod frame;
mod gather;
pub mod link;
mod memory;
mod notices;
mod rounds;
mod schedule;
mod serve;
mod services;
pub mod summary;
mod table;

use crate::docker::Client;
use crate::flags::Housekeeping;
use crate::report::events::MAX_EVENTS;
use crate::sys::caps;
use crate::tasks::spawn;
use crate::{ceph, notice, prune, syslog};
use core::cell::RefCell;
use desk::Desk;
use gather::Gathered;
use link::Link;
use notices::Notices;
use smol::{LocalExecutor, future};
use std::fs;
use std::io;

/// `oom_score_adj`: taken before ordinary processes, long before the VIP process.
const OOM_SCORE: &str = "500";

/// Events of the VIP that may wait to be shipped: as many as the VIP process keeps.
const MAX_TOLD: usize = MAX_EVENTS;

/// Runs until the VIP process is gone, which closes standard input.
///
/// # Errors
/// When the capabilities cannot be given up, or standard input is not the VIP process.
pub fn run(jobs: &Housekeeping) -> io::Result<()> {
    caps::drop_all()?;
    // Refused only where /proc is read-only; the kernel's own choice is good enough then.
    let _ = fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    let link = Link::on_stdin()?;
    let (bell, calls) = notice::run::queue();
    let notices = Notices::new(jobs.on_change.clone(), bell);
    let (docker, desk) = (Client::new(&jobs.docker), Desk::new(&link, notices));
    let (used, ceph) = (RefCell::default(), ceph::run::Known::default());
    let outbox = RefCell::default();
    let gathered = Gathered::new(jobs, &desk, &ceph, &outbox);
    let tasks = LocalExecutor::new();
    spawn(&tasks, rounds::run(jobs, &docker, &used, &desk));
    if jobs.prune.is_some() {
        spawn(&tasks, prune::run::watch::watch(&docker, &used));
    }
    spawn(&tasks, notice::run::run(calls, &[], notice::run::LIMIT));
    spawn(&tasks, serve::run(jobs, &gathered));
    let tell = |track, verdict| desk.verdict(track, verdict);
    spawn(&tasks, checks::run(&jobs.tracks, &jobs.docker, &ceph, tell));
    spawn(&tasks, ceph::run::run(&jobs.ceph, &ceph));
    let (tell, told) = smol::channel::bounded(MAX_TOLD);
    let shipping = async {
        if let Some(settings) = &jobs.syslog {
            syslog::run::run(settings, &jobs.state_dir, &docker, told, &outbox).await;
        }
    };
    let hearing = async {
        // What finds no room is lost to the log shipped, not to the VIP process's own.
        link.hear(move |event| drop(tell.try_send(event))).await;
    };
    // The VIP process has gone: nothing more is told, and shipping ends once it has noted how far it came.
    smol::block_on(tasks.run(future::zip(shipping, hearing)));
    Ok(())
}
