//! Follows, listens and sends.

pub mod relay;
pub mod send;

use crate::docker::Client;
use crate::flags::Housekeeping;
use crate::report::status::Event;
use smol::channel::Receiver;

/// Ships logs until dropped; at once over without `--syslog`. `told`: what happened to the VIP.
pub async fn run(jobs: &Housekeeping, docker: &Client, told: Receiver<Event>) {
    let _ = (jobs, docker, told);
}
