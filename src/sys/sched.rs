//! Being on time: real-time scheduling, locked memory, exact timers. For the thread that calls, but for memory.
//!
//! Each fails alone, with a name: without the right to it the daemon says one line and goes on.

use super::Failure;
use super::caps::{self, Capability};
use core::ffi::{c_int, c_ulong};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};

/// The lowest real-time priority: above all ordinary threads, below the kernel's own and any other real-time work.
const PRIORITY: c_int = 1;
/// Nanoseconds a timer of ours may be late so that the kernel can bundle wake-ups; 50,000 is the default.
const TIMER_SLACK: c_ulong = 1;

/// `SCHED_RR` for this thread; threads and processes it starts are ordinary again.
pub fn realtime() -> Result<(), Failure> {
    let policy = libc::SCHED_RR | libc::SCHED_RESET_ON_FORK;
    // musl refuses sched_setscheduler(), as POSIX means a process by it and Linux a thread; hence the bare call.
    // SAFETY: a kernel sched_param is one int, living here, which the kernel only reads.
    let result =
        unsafe { libc::syscall(libc::SYS_sched_setscheduler, 0, policy, core::ptr::from_ref(&PRIORITY)) };
    Errno::result(result).map(drop).map_err(Failure::of("sched_setscheduler SCHED_RR"))
}

/// Keeps in memory every page this process touches, from now on: the SD card may be slow when it matters. Says what
/// later growth of memory rests on.
///
/// # Errors
/// Where growth would rest on nothing: under a limit the kernel refuses heap and stack once it is reached, which would
/// end the process, worse than a slow page. `LimitMEMLOCK=infinity` in a unit file helps.
pub fn lock_memory() -> Result<Growth, Failure> {
    let raised = setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY);
    let growth = match raised {
        Ok(()) => Growth::Unlimited,
        Err(_) if caps::effective()?.has(Capability::IpcLock) => Growth::ByCapability,
        Err(errno) => return Err(Failure { call: "setrlimit RLIMIT_MEMLOCK", errno }),
    };
    let flags = libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT;
    // SAFETY: no pointers.
    let result = unsafe { libc::mlockall(flags) };
    Errno::result(result).map(|_| growth).map_err(Failure::of("mlockall"))
}

/// Why locked memory may go on growing. Without either, the next thread's stack cannot be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// `RLIMIT_MEMLOCK` is lifted.
    Unlimited,
    /// The limit stands, and `CAP_IPC_LOCK` passes it: the capability has to be kept.
    ByCapability,
}

/// Timers of this thread fire when they are due.
pub fn exact_timers() -> Result<(), Failure> {
    prctl::set_timerslack(TIMER_SLACK).map_err(Failure::of("prctl PR_SET_TIMERSLACK"))
}
