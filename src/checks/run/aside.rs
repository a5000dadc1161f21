//! A blocking call on a thread of its own, at most one in flight: what the kernel or a resolver may never finish.

use smol::channel::{Receiver, bounded};
use std::io;
use std::thread;

/// Enough for getaddrinfo with its buffers on musl and glibc; 32 checks at most, and touched pages only count.
const STACK: usize = 256 * 1024;

/// The one call in flight, or none.
pub(super) struct Aside<T>(Option<Receiver<T>>);

impl<T: Send + 'static> Aside<T> {
    /// None.
    pub(super) fn new() -> Self {
        Self(None)
    }

    /// What `work` gives. If an earlier call is still out (whoever asked has given up since), waits for that one
    /// instead: it answers the same question.
    ///
    /// # Errors
    /// When no thread can be started, or it died.
    pub(super) async fn ask(&mut self, work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        if self.0.is_none() {
            let (answer, flight) = bounded(1);
            let run = move || drop(answer.try_send(work()));
            let _detached = thread::Builder::new().name("look".into()).stack_size(STACK).spawn(run)?;
            self.0 = Some(flight);
        }
        let flight = self.0.as_ref().expect("put there above");
        let result = flight.recv().await;
        self.0 = None;
        result.map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::super::within;
    use super::*;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use core::time::Duration;
    use std::sync::{Arc, mpsc};

    /// What a dead NFS mount does to a look: it never comes back, or much later.
    #[test]
    fn a_call_that_hangs_is_given_up_and_never_doubled() {
        let (release, hang) = mpsc::channel();
        let (hang, calls) = (Arc::new(std::sync::Mutex::new(hang)), Arc::new(AtomicUsize::new(0)));
        let mut aside = Aside::new();
        let mut look = || {
            let (hang, calls) = (hang.clone(), calls.clone());
            let work = move || {
                calls.fetch_add(1, Ordering::SeqCst);
                hang.lock().unwrap().recv().unwrap()
            };
            smol::block_on(within(Duration::from_millis(100), aside.ask(work))).map(Result::unwrap)
        };
        assert_eq!((look(), look(), look()), (None, None, None));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        release.send("late").unwrap();
        assert_eq!(look(), Some("late"));
        release.send("anew").unwrap();
        assert_eq!(look(), Some("anew"));
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_call_that_panics_is_an_error() {
        let result = smol::block_on(Aside::<()>::new().ask(|| panic!("on purpose")));
        assert!(result.is_err());
    }
}
