//! Tasks of one thread. Each is spawned behind the same kind of pointer, so that the binary holds one copy of what runs
//! them, not one for every kind of task: 4 KiB each.

use core::future::Future;
use smol::LocalExecutor;
use smol::future::FutureExt;

/// Runs `work` beside the others on `tasks`, until it ends or they are dropped.
pub fn spawn<'a>(tasks: &LocalExecutor<'a>, work: impl Future<Output = ()> + 'a) {
    tasks.spawn(work.boxed_local()).detach();
}
