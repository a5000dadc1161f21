//! Being on time: real-time scheduling, locked memory, exact timers. For the thread that calls, or is named; memory for all.
//!
//! Each fails alone, with a name: without the right to it the daemon says one line and goes on.

use super::Failure;
use super::caps::{self, Capability};
use core::ffi::{c_int, c_ulong};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};
use nix::unistd::Pid;

/// The lowest real-time priority: above all ordinary threads, below the kernel's own and any other real-time work.
const PRIORITY: c_int = 1;
/// Nanoseconds a timer of ours may be late so that the kernel can bundle wake-ups; 50,000 is the default.
const TIMER_SLACK: c_ulong = 1;

/// The thread that calls.
pub const THIS: Pid = Pid::from_raw(0);

/// `SCHED_RR` for this thread; threads and processes it starts are ordinary again.
pub fn realtime(thread: Pid) -> Result<(), Failure> {
    let policy = libc::SCHED_RR | libc::SCHED_RESET_ON_FORK;
    // musl refuses sched_setscheduler(), as POSIX means a process by it and Linux a thread; hence the bare call.
    // SAFETY: a kernel sched_param is one int, living here, which the kernel only reads.
    let result = unsafe {
        libc::syscall(libc::SYS_sched_setscheduler, thread.as_raw(), policy, core::ptr::from_ref(&PRIORITY))
    };
    Errno::result(result).map(drop).map_err(Failure::of("sched_setscheduler SCHED_RR"))
}

/// Has this thread any real-time scheduling?
pub fn is_realtime(thread: Pid) -> bool {
    // SAFETY: no pointers.
    let policy = unsafe { libc::syscall(libc::SYS_sched_getscheduler, thread.as_raw()) };
    // A failure is -1; else SCHED_RESET_ON_FORK may stand in it as a bit.
    c_int::try_from(policy).is_ok_and(|policy| {
        [libc::SCHED_RR, libc::SCHED_FIFO].contains(&(policy & !libc::SCHED_RESET_ON_FORK))
    })
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
