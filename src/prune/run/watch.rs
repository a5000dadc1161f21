//! Follows Docker's events between two rounds.

use crate::docker::api::Event;
use crate::docker::{Client, Error};
use crate::prune::used::Used;
use core::cell::RefCell;
use core::time::Duration;
use smol::Timer;

/// Before the events are asked for again: dockerd restarts, and keeps the last 256 for whoever was away.
const PAUSE: Duration = Duration::from_secs(5);

/// Notes what is used, until dropped.
pub async fn watch(docker: &Client, used: &RefCell<Used>) {
    let mut since = None;
    loop {
        if let Err(error) = follow(docker, &mut since, used).await {
            log::debug!("events: {error}");
        }
        Timer::after(PAUSE).await;
    }
}

async fn follow(docker: &Client, since: &mut Option<u64>, used: &RefCell<Used>) -> Result<(), Error> {
    let mut events = docker.events(*since).await?;
    while let Some(line) = events.line().await? {
        // What is no event tells of no use.
        if let Ok(event) = serde_json::from_slice::<Event>(line) {
            *since = Some(event.time_nano);
            used.borrow_mut().note(&event);
        }
    }
    Ok(())
}
