//! Something that is looked up while somebody asks for it, by a task of its own: who asks never waits for a look that
//! hangs, and however many ask, there is one look at a time, and a pause behind it.

use crate::sys::clock;
use crate::time::Time;
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::time::Duration;
use smol::channel::{Receiver, Sender, bounded};

/// A look that goes on for longer is told as trouble.
const SLOW: Duration = Duration::from_secs(2);

/// One look; it puts what it found where it belongs. Why it found nothing, in words.
pub type Look<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

/// When it was looked up, and who waits for that.
pub struct Source {
    /// What was found is good enough for so long.
    good_for: Duration,
    wake: (Sender<()>, Receiver<()>),
    /// Since when the look goes on.
    looking: Cell<Option<Time>>,
    ended: Cell<Option<Time>>,
    /// When the last look that ended began.
    began: Cell<Time>,
    /// A look that began before is not good enough.
    from: Cell<Time>,
    found: Cell<Option<Time>>,
    error: RefCell<Option<String>>,
    /// Dropped, which wakes their receivers, when a look ends.
    waiting: RefCell<Vec<Sender<()>>>,
}

impl Source {
    /// Of which nothing is known yet.
    pub fn new(good_for: Duration) -> Self {
        Self {
            good_for,
            wake: bounded(1),
            looking: Cell::default(),
            ended: Cell::default(),
            began: Cell::default(),
            from: Cell::default(),
            found: Cell::default(),
            error: RefCell::default(),
            waiting: RefCell::default(),
        }
    }

    /// Looks whenever somebody asks, until dropped.
    pub async fn run<'a>(&'a self, look: &(dyn Fn() -> Look<'a> + 'a)) {
        while self.wake.1.recv().await.is_ok() {
            let result = look().await;
            let now = clock::now();
            if result.is_ok() {
                self.found.set(Some(now));
            }
            *self.error.borrow_mut() = result.err();
            self.began.set(self.looking.take().unwrap_or(now));
            self.ended.set(Some(now));
            self.waiting.borrow_mut().clear();
        }
    }

    /// Begins a look unless one goes on or what is known is as new as it should be; false for the latter.
    pub fn wake(&self) -> bool {
        let now = clock::now();
        if self.looking.get().is_some() {
            return true;
        }
        let is_new = |ended: Time| now.since(ended) < self.good_for && self.began.get() >= self.from.get();
        if self.ended.get().is_some_and(is_new) {
            return false;
        }
        self.looking.set(Some(now));
        // There is room: nobody else woke it since its last look.
        self.wake.0.try_send(()).is_ok()
    }

    /// Something has changed at `turned`: what was looked up before is not good enough, however new.
    pub fn not_before(&self, turned: Time) {
        self.from.set(turned);
    }

    /// Resolves when what is known is as new as it should be, or there was a look since.
    pub async fn fresh(&self) {
        if !self.wake() {
            return;
        }
        let (waits, ended) = bounded(1);
        {
            let mut waiting = self.waiting.borrow_mut();
            // Who gave up waiting for a look that hangs must not pile up here.
            waiting.retain(|waits| !waits.is_closed());
            waiting.push(waits);
        }
        let _ = ended.recv().await;
    }

    /// The last look found nothing.
    pub fn failed(&self) -> bool {
        self.error.borrow().is_some()
    }

    /// Since something was found.
    pub fn age(&self, now: Time) -> Option<Duration> {
        self.found.get().map(|found| now.since(found))
    }

    /// Why nothing newer is known.
    pub fn trouble(&self, now: Time) -> Option<String> {
        match self.looking.get().map(|began| now.since(began)).filter(|took| *took >= SLOW) {
            Some(took) => Some(format!("no answer for {} s", took.as_secs())),
            None => self.error.borrow().clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smol::future::{or, pending, zip};
    use smol::{Timer, block_on};

    #[test]
    fn however_many_ask_there_is_one_look() {
        let (source, looks) = (Source::new(Duration::from_secs(60)), Cell::new(0));
        let look = || -> Look<'_> {
            Box::pin(async {
                looks.set(looks.get() + 1);
                Timer::after(Duration::from_millis(10)).await;
                Ok(())
            })
        };
        assert_eq!(source.age(clock::now()), None);
        block_on(or(source.run(&look), async {
            zip(source.fresh(), zip(source.fresh(), source.fresh())).await;
            source.fresh().await;
        }));
        assert_eq!(looks.get(), 1);
        assert!(source.age(clock::now()).is_some() && source.trouble(clock::now()).is_none());
    }

    #[test]
    fn a_look_that_hangs_is_told_and_those_who_gave_up_are_forgotten() {
        let source = Source::new(Duration::ZERO);
        let look = || -> Look<'_> { Box::pin(pending()) };
        block_on(or(source.run(&look), async {
            for _ in 0..50 {
                or(source.fresh(), async {
                    Timer::after(Duration::from_millis(1)).await;
                })
                .await;
            }
        }));
        assert!(source.waiting.borrow().len() <= 2, "{}", source.waiting.borrow().len());
        let later = clock::now() + Duration::from_millis(2500);
        assert_eq!(source.trouble(later).unwrap(), "no answer for 2 s");
    }

    #[test]
    fn what_was_looked_up_before_a_turn_is_not_new() {
        let (source, looks) = (Source::new(Duration::from_secs(60)), Cell::new(0));
        let look = || -> Look<'_> {
            looks.set(looks.get() + 1);
            Box::pin(async { Ok(()) })
        };
        block_on(or(source.run(&look), async {
            source.fresh().await;
            source.fresh().await;
            assert_eq!(looks.get(), 1);
            source.not_before(clock::now() + Duration::from_micros(1));
            Timer::after(Duration::from_millis(2)).await;
            source.fresh().await;
            source.fresh().await;
            assert_eq!(looks.get(), 2);
        }));
    }

    #[test]
    fn what_failed_says_why_and_is_looked_up_again() {
        let (source, looks) = (Source::new(Duration::ZERO), Cell::new(0));
        let look = || -> Look<'_> {
            looks.set(looks.get() + 1);
            let result = if looks.get() == 1 { Err("refused".to_owned()) } else { Ok(()) };
            Box::pin(async { result })
        };
        block_on(or(source.run(&look), async {
            source.fresh().await;
            assert_eq!(source.trouble(clock::now()).unwrap(), "refused");
            assert_eq!(source.age(clock::now()), None);
            source.fresh().await;
            assert_eq!(source.trouble(clock::now()), None);
        }));
    }
}
