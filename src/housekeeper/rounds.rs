//! The rounds, one after the other: an update and a pruning never run at the same time.

use super::desk::Desk;
use super::schedule::{Job, Schedule};
use crate::docker::Client;
use crate::flags::Housekeeping;
use crate::prune::used::Used;
use crate::state::run::Session;
use crate::sys::clock;
use crate::{prune, update};
use core::cell::RefCell;
use core::hash::{Hash, Hasher};
use smol::Timer;
use std::hash::DefaultHasher;

/// Runs each round when it is due, until dropped. `used`: what is noted from one pruning to the next.
pub async fn run(jobs: &Housekeeping, docker: &Client, used: &RefCell<Used>, desk: &Desk<'_>) {
    let update_every = jobs.update.as_ref().map(|(_, every)| *every);
    let prune_every = jobs.prune.as_ref().map(|policy| policy.every);
    let mut schedule = Schedule::new(clock::now(), node(), update_every, prune_every);
    while let Some((job, due)) = schedule.next() {
        for (job, due) in schedule.all() {
            desk.expect(job, due);
        }
        Timer::after(due.since(clock::now())).await;
        round(job, jobs, docker, used, desk).await;
        schedule.done(job, clock::now());
    }
}

async fn round(job: Job, jobs: &Housekeeping, docker: &Client, used: &RefCell<Used>, desk: &Desk<'_>) {
    let mut session = match Session::open(&jobs.state_dir) {
        Ok(session) => session,
        Err(error) => return desk.kept_from(job, &error.to_string()),
    };
    desk.begin(job);
    match (job, &jobs.update, &jobs.prune) {
        (Job::Update, Some((policy, _)), _) => {
            let report = update::run::round(docker, policy, &mut session, desk, false).await;
            desk.updated(&report, &session.state);
        }
        (Job::Prune, _, Some(policy)) => {
            let used = used.take();
            desk.pruned(&prune::run::round(docker, policy, &mut session, desk, &used, false).await);
        }
        (Job::Update, None, _) | (Job::Prune, _, None) => {}
    }
}

/// A number that differs from node to node.
fn node() -> u64 {
    let mut hasher = DefaultHasher::new();
    nix::unistd::gethostname().unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}
