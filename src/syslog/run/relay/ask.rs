//! Asks Docker who has an ID.

use super::super::follow::Inspected;
use super::Relay;
use crate::docker::{Client, Error, json};
use crate::sys::clock;
use crate::syslog::names::{SHORT_ID, Speaker};
use core::time::Duration;
use smol::channel::Receiver;
use smol::{Timer, future};

/// A dockerd that takes longer to tell a name is busy: the lines go without it.
const PATIENCE: Duration = Duration::from_secs(5);
/// All containers are looked at that often, for names that have changed (Compose renames).
const AGAIN: Duration = Duration::from_secs(5 * 60);

/// One that Docker does not know may have been removed a moment ago: then its events, which are on their way, tell.
const EVENTS: Duration = Duration::from_millis(200);
/// After an ID that is nobody's: whoever makes them up shall not keep dockerd busy.
const RESPITE: Duration = Duration::from_millis(50);

/// Answers the relay's questions until dropped.
pub(super) async fn run(relay: &Relay<'_>, docker: &Client, questions: &Receiver<String>) {
    loop {
        learn_all(relay, docker).await;
        let answering = async {
            // The relay holds the other end: it is never closed.
            while let Ok(id) = questions.recv().await {
                // All containers were listed since.
                if relay.known.borrow().has(&id) {
                    continue;
                }
                let speaker = inspect(docker, &id).await;
                if speaker.is_none() && comes_to_be_known(relay, &id).await {
                    continue;
                }
                relay.answered(&id, speaker.as_ref());
                if speaker.is_none() {
                    Timer::after(RESPITE).await;
                }
            }
        };
        let again = async {
            Timer::after(AGAIN).await;
        };
        future::or(answering, again).await;
    }
}

/// Do Docker's events tell who it is?
async fn comes_to_be_known(relay: &Relay<'_>, id: &str) -> bool {
    let begun = clock::now();
    while !relay.known.borrow().has(id) && clock::now().since(begun) < EVENTS {
        Timer::after(RESPITE).await;
    }
    relay.known.borrow().has(id)
}

/// Those that run and those that have stopped. What Docker does not tell now is asked for when it speaks.
async fn learn_all(relay: &Relay<'_>, docker: &Client) {
    let Some(containers) = within(docker.containers()).await else { return };
    for container in &containers {
        let (Some(id), Some(name)) = (container.id.get(..SHORT_ID), container.names.first()) else {
            continue;
        };
        let speaker = Speaker::of_container(&container.id, name, &container.image, &container.labels);
        relay.answered(id, Some(&speaker));
    }
}

/// Nobody's, too, if it cannot be read.
async fn inspect(docker: &Client, id: &str) -> Option<Speaker> {
    let json = within(docker.inspect_container(id)).await?;
    let Inspected { id, name, config, .. } = json::parse(json.get()).ok()?;
    Some(Speaker::of_container(&id, &name, &config.image, &config.labels))
}

async fn within<T>(call: impl Future<Output = Result<T, Error>>) -> Option<T> {
    let late = async {
        Timer::after(PATIENCE).await;
        None
    };
    future::or(async { call.await.ok() }, late).await
}
