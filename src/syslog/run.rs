//! Follows, listens and sends: what containers print (`follow`), what Docker does (`events`) and what happened to the VIP
//! goes to the server (`send`); `relay` listens for Docker's own syslog driver; `book` keeps how far it all is.

mod book;
mod events;
mod follow;
pub mod relay;
pub mod send;

use super::Settings;
use super::happened::{self, Happened};
use super::message::{DAEMON, Message};
use super::queue::Keep;
use crate::docker::Client;
use crate::report::status::Event;
use crate::sys::clock;
use crate::tasks::spawn;
use book::Book;
use core::cell::RefCell;
use core::time::Duration;
use follow::{Ask, Follower};
use relay::Relay;
use send::Outbox;
use smol::channel::{Receiver, bounded};
use smol::{LocalExecutor, Timer, future};
use std::fs;
use std::path::Path;
use std::rc::Rc;

/// Containers that may wait to be followed: asked for faster than that, whoever asks waits.
const MAX_ASKS: usize = 64;
/// At the end, for what is on its way to arrive: a server that is there needs milliseconds. What has not arrived by then is
/// read again after the restart.
const LAST: Duration = Duration::from_secs(1);
/// Between two looks whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What logs leave by, once it is there: for those who want to know how it goes.
pub type Shipped = RefCell<Option<Rc<Outbox>>>;

/// Ships logs until `told` is closed. `told`: what happened to the VIP; `state_dir`: where it is noted how far all is.
pub async fn run(
    settings: &Settings,
    state_dir: &Path,
    docker: &Client,
    told: Receiver<Event>,
    shipped: &Shipped,
) {
    let host = nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned();
    let Some(book) = Book::open(state_dir, || told.is_closed()).await else { return };
    let outbox = Rc::new(Outbox::new(&settings.target, &host));
    *shipped.borrow_mut() = Some(Rc::clone(&outbox));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let own = happened::own_container(&mounts);
    let follower = Follower::new(docker, &outbox, &book.ledger, &host, own, settings.relay);
    let relay = Relay::new(&outbox, &host);
    let (ask, asked) = bounded(MAX_ASKS);
    let tasks = LocalExecutor::new();
    spawn(&tasks, outbox.run());
    if let Some(listen) = settings.relay {
        spawn(&tasks, relay.run(listen, docker));
    }
    spawn(&tasks, events::run(&follower, ask, settings.relay.map(|_| &relay)));
    spawn(&tasks, book.keep(|| outbox.delivered()));
    let following = async {
        while let Ok(ask) = asked.recv().await {
            match ask {
                Ask::Follow(id) => spawn(&tasks, follower.follow(id)),
                Ask::ReadRest(ids) => spawn(&tasks, follower.read_rest(ids)),
            }
        }
    };
    let telling = async {
        while let Ok(Event { at, router, text }) = told.recv().await {
            let ago = u64::try_from(clock::now().since(at).as_micros()).unwrap_or_default();
            let at = clock::unix_micros().saturating_sub(ago);
            tell(&outbox, &host, at, &happened::vip(router.as_deref(), &text));
        }
    };
    tasks
        .run(future::or(telling, async {
            following.await;
            future::pending::<()>().await;
        }))
        .await;
    follower.stop();
    let late = async {
        Timer::after(LAST).await;
    };
    tasks.run(future::or(arrival(&book, &outbox), late)).await;
    book.save(outbox.delivered());
}

/// Resolves when all lines that were read have arrived.
async fn arrival(book: &Book, outbox: &Outbox) {
    while book.ledger.borrow().last_on_the_way().is_some_and(|number| number > outbox.delivered()) {
        Timer::after(LOOK_EVERY).await;
    }
}

/// Sends an event; `at` in unix microseconds.
fn tell(outbox: &Outbox, host: &str, at: u64, happened: &Happened) {
    let Happened { severity, speaker, text } = happened;
    let text = text.as_bytes();
    let message = Message { at, facility: DAEMON, severity: *severity, host, speaker, msg_id: "event", text };
    outbox.push(&message, Keep::Loose);
}
