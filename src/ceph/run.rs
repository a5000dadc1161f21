//! Asks the managers, one after the other, for the one that is active; the one that answered last comes first.
//!
//! A standby answers with nothing at all (200 and an empty page, in every release from 15 to 20, `standby_behaviour` or not),
//! behind a proxy with an error or a redirect; in Debian's 18.2 and 20.2 it does not listen. A manager that has just become
//! active answers 503 until it has gathered, and whenever that takes longer than its interval. All of these are passed over.

mod ask;

use super::{Ceph, Health};
use crate::http_url::HttpUrl;
use crate::sys::clock;
use crate::time::Time;
use core::cell::RefCell;
use core::time::Duration;
use smol::Timer;

pub use ask::ask;

/// Between two rounds: a manager gathers anew every 15 s (`mgr/prometheus/scrape_interval`).
pub const EVERY: Duration = Duration::from_secs(15);
/// For one manager to answer completely: a few megabytes, gathered while it is asked where it keeps none ready.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What is known. Borrowed for moments.
#[derive(Debug, Default)]
pub struct Known(RefCell<Look>);

/// What [`Known`] holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// When the managers were last asked; `None` before the first time.
    pub asked: Option<Time>,
    /// The newest answer, and when it came. It stays when nobody answers any more.
    pub answer: Option<(Ceph, Time)>,
    /// Why the last round brought no answer.
    pub error: Option<String>,
}

impl Known {
    /// A copy, for a page.
    pub fn look(&self) -> Look {
        self.0.borrow().clone()
    }

    /// Looks without a copy.
    pub fn with<T>(&self, see: impl FnOnce(&Look) -> T) -> T {
        see(&self.0.borrow())
    }

    fn learn(&self, found: Result<Ceph, String>, now: Time) {
        let mut look = self.0.borrow_mut();
        look.asked = Some(now);
        match found {
            Ok(ceph) => (look.answer, look.error) = (Some((ceph, now)), None),
            Err(error) => look.error = Some(error),
        }
    }
}

/// Looks again and again until dropped; at once over without `--ceph`.
pub async fn run(urls: &[HttpUrl], known: &Known) {
    let mut order: Vec<&HttpUrl> = urls.iter().collect();
    if order.is_empty() {
        return;
    }
    loop {
        let begun = clock::now();
        let found = round(&mut order).await;
        known.with(|before| tell(before, &found));
        known.learn(found, clock::now());
        let rest = EVERY.saturating_sub(clock::now().since(begun));
        Timer::after(rest.max(PATIENCE)).await;
    }
}

/// The first answer of an active manager, which is asked first the next time.
async fn round(order: &mut [&HttpUrl]) -> Result<Ceph, String> {
    let mut errors = Vec::new();
    for at in 0..order.len() {
        match ask(order[at], PATIENCE).await {
            Ok(ceph) => {
                order[..=at].rotate_right(1);
                return Ok(ceph);
            }
            Err(error) => errors.push(format!("{}: {error}", order[at])),
        }
    }
    Err(errors.join("; "))
}

/// One line where something has changed.
fn tell(before: &Look, found: &Result<Ceph, String>) {
    let was_silent = before.error.is_some();
    match found {
        Err(error) if !was_silent => log::warn!("Ceph: no manager answers: {error}"),
        Err(error) => log::debug!("Ceph: no manager answers: {error}"),
        Ok(ceph) => {
            let same = |(known, _): &(Ceph, Time)| {
                (known.health, &known.checks, &known.manager) == (ceph.health, &ceph.checks, &ceph.manager)
            };
            if was_silent || !before.answer.as_ref().is_some_and(same) {
                let level = match ceph.health {
                    Health::Ok => log::Level::Info,
                    Health::Warn | Health::Error => log::Level::Warn,
                };
                log::log!(level, "Ceph: {ceph}");
            }
        }
    }
}
