//! Docker's events: messages of their own, and what tells which containers there are to follow.

use super::follow::{Ask, Follower};
use super::relay::Relay;
use crate::docker::Error;
use crate::docker::api::Event;
use crate::sys::clock;
use crate::syslog::happened;
use crate::syslog::names::Speaker;
use core::time::Duration;
use smol::channel::Sender;
use smol::{Timer, future};

/// Before the events are asked for again: dockerd restarts, and keeps the last 256 for whoever was away.
const PAUSE: Duration = Duration::from_secs(2);
/// So fresh a start has missed no container's whole life.
const FRESH: u64 = 1_000_000_000;

/// Listens until dropped; the relay learns who is made.
pub async fn run(follower: &Follower<'_>, ask: Sender<Ask>, relay: Option<&Relay<'_>>) {
    let mut said = false;
    loop {
        let room = async {
            follower.room().await;
            Ok(())
        };
        let heard = future::or(hear(follower, &ask, relay, &mut said), room).await;
        if let Err(error) = heard
            && !core::mem::replace(&mut said, true)
        {
            log::warn!("syslog: {error}: logs are followed again when Docker is back");
        }
        Timer::after(PAUSE).await;
    }
}

async fn hear(
    follower: &Follower<'_>,
    ask: &Sender<Ask>,
    relay: Option<&Relay<'_>>,
    said: &mut bool,
) -> Result<(), Error> {
    let from = follower.ledger.borrow().from();
    // First the events, then the list: what starts in between is in both.
    let mut events = follower.docker.events_of(from + 1, &happened::ACTIONS).await?;
    list(follower, ask).await?;
    if core::mem::take(said) {
        log::info!("syslog: Docker is back, its logs are followed");
    }
    while let Some(line) = events.line().await? {
        // What is no event tells of nothing.
        if let Ok(event) = serde_json::from_slice::<Event>(line) {
            if let Some(relay) = relay {
                introduce(relay, &event);
            }
            take(follower, ask, &event).await;
        }
    }
    Ok(())
}

/// Tells the relay who was made. Docker's attributes of a container are its labels, its name and its image.
fn introduce(relay: &Relay<'_>, event: &Event) {
    let (id, attributes) = (&event.actor.id, &event.actor.attributes);
    let is_new = event.kind == "container" && ["create", "start"].contains(&event.action.as_str());
    if let (true, Some(name), Some(image)) = (is_new, attributes.get("name"), attributes.get("image")) {
        relay.learn(id, &Speaker::of_container(id, name, image, attributes));
    }
}

async fn take(follower: &Follower<'_>, ask: &Sender<Ask>, event: &Event) {
    let (id, labels) = (&event.actor.id, &event.actor.attributes);
    match (event.kind.as_str(), event.action.as_str()) {
        ("container", "start") if follower.wants(id, labels) => {
            // Known before the moment is: it is read from its beginning, whatever comes between.
            follower.ledger.borrow_mut().follow(id);
            // The other end lives as long as this.
            let _ = ask.send(Ask::Follow(id.clone())).await;
        }
        ("container", "destroy") => follower.ledger.borrow_mut().forget(id),
        _ => {}
    }
    if let Some(happened) = happened::docker(event) {
        super::tell(follower.outbox, follower.host, event.time_nano / 1000, &happened);
    }
    follower.ledger.borrow_mut().know(event.time_nano);
}

/// Follows all that run, and reads the rest of what has ended while nobody looked.
async fn list(follower: &Follower<'_>, ask: &Sender<Ask>) -> Result<(), Error> {
    let now = clock::unix_micros() * 1000;
    let from = follower.ledger.borrow().from();
    let containers = follower.docker.containers().await?;
    follower.ledger.borrow_mut().retain(|id| containers.iter().any(|container| container.id == id));
    let mut ended = Vec::new();
    for container in containers.iter().filter(|container| follower.wants(&container.id, &container.labels)) {
        let id = &container.id;
        let runs = ["running", "paused", "restarting"].contains(&container.state.as_str());
        let known = follower.ledger.borrow().has(id);
        if runs {
            follower.ledger.borrow_mut().follow(id);
            let _ = ask.send(Ask::Follow(id.clone())).await;
        } else if known || (now - from.min(now) > FRESH && follower.ended_after(id, from).await) {
            follower.ledger.borrow_mut().follow(id);
            ended.push(id.clone());
        }
    }
    // Only now: a container that is new to the ledger begins where all was known before.
    follower.ledger.borrow_mut().know(now);
    let _ = ask.send(Ask::ReadRest(ended)).await;
    Ok(())
}
