//! The two threads that hold the VIP, and what the process needs so that they are on time.
//!
//! Real time comes from the thread itself, or, where a unit keeps the daemon from asking for it, from outside: `realtime`
//! is what the unit runs as `ExecStartPost`, with the rights that the daemon has not got.

use super::{Daemon, Fatal};
use crate::flags::Config;
use crate::report::status::Threads;
use crate::shared::{Notes, Orders, Shared};
use crate::sys::caps::{self, Capability};
use crate::sys::{Failure, sched};
use crate::sysexits::{EX_OSERR, EX_UNAVAILABLE};
use crate::{vip, vrrp};
use core::sync::atomic::{AtomicI32, Ordering};
use core::time::Duration;
use nix::unistd::Pid;
use smol::Timer;
use std::{env, fs, thread};

/// Their names, as /proc has them.
const VRRP: &str = "vrrp";
const VIP: &str = "vip";

/// What `ExecStartPost` takes on a busy Zero, from READY=1 on.
const LENT_BY: Duration = Duration::from_secs(2);
/// A thread that has not begun after this many milliseconds waits for a machine that has other troubles.
const BEGUN_WITHIN_MS: u32 = 1000;

/// `oom_score_adj` of the VIP process: taken last, long after the housekeeper.
const OOM_SCORE: &str = "-900";

/// The two threads, before they run.
pub(super) struct Loops<'q> {
    pub(super) ports: Vec<vrrp::run::Port>,
    pub(super) orders: Orders<'q>,
    pub(super) vrrp_tells: Notes<'q>,
    pub(super) hands: Vec<vip::run::Hand>,
    pub(super) vip_tells: vip::run::Notes<'q>,
    pub(super) realtime: bool,
}

/// A thread of [`Loops`].
type Running<'scope> = thread::ScopedJoinHandle<'scope, Result<(), Failure>>;

impl<'q> Loops<'q> {
    /// When it returns, both have their names, and real time if they may have it.
    pub(super) fn start<'scope>(
        self,
        scope: &'scope thread::Scope<'scope, '_>,
        shared: &'scope Shared,
    ) -> Result<[Running<'scope>; 2], Fatal>
    where
        'q: 'scope,
    {
        let Self { mut ports, mut orders, vrrp_tells, mut hands, vip_tells, realtime } = self;
        let [vrrp_id, vip_id] = &shared.threads;
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        let vip = named(VIP).spawn_scoped(scope, move || {
            on_time(realtime, vip_id);
            vip::run::run(&mut hands, vip_tells, shared)
        });
        let vrrp = named(VRRP).spawn_scoped(scope, move || {
            on_time(realtime, vrrp_id);
            vrrp::run::run(&mut ports, &mut orders, vrrp_tells, shared)
        });
        let failed = |error| Fatal { exit: EX_OSERR, text: format!("cannot start a thread: {error}") };
        let running = [vrrp.map_err(failed)?, vip.map_err(failed)?];
        for _ in 0..BEGUN_WITHIN_MS {
            if shared.threads.iter().all(|id| id.load(Ordering::Relaxed) != 0) {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(running)
    }
}

/// For a thread that has to be on time. Without the right to real time it goes on, and [`Daemon::watch_realtime`] tells.
fn on_time(realtime: bool, id: &AtomicI32) {
    if realtime {
        let _ = sched::realtime(sched::THIS);
    }
    let _ = sched::exact_timers();
    id.store(nix::unistd::gettid().as_raw(), Ordering::Relaxed);
}

/// Both threads have real-time scheduling at this moment, wherever from.
pub(super) fn have_realtime(shared: &Shared) -> bool {
    shared.threads.iter().all(|id| match id.load(Ordering::Relaxed) {
        0 => false,
        id => sched::is_realtime(Pid::from_raw(id)),
    })
}

impl Daemon<'_> {
    /// One line where nobody gave the threads real time.
    pub(super) async fn watch_realtime(&self) {
        if !self.config.realtime {
            return;
        }
        Timer::after(LENT_BY).await;
        if !have_realtime(self.shared) {
            log::warn!("no real-time scheduling (CAP_SYS_NICE?): a busy machine may delay adverts");
        }
    }
}

/// Locks memory and gives up what is not needed; says one line for each right that is missing.
pub(super) fn settle(config: &Config) -> Threads {
    let mut threads = Threads::default();
    let mut kept = Capability::NEEDED.to_vec();
    // Refused without CAP_SYS_RESOURCE; a unit file says the same (OOMScoreAdjust).
    let _ = fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    if config.realtime {
        match sched::lock_memory() {
            Ok(growth) => {
                threads.locked = true;
                if growth == sched::Growth::ByCapability {
                    kept.push(Capability::IpcLock);
                }
            }
            Err(failure) => log::warn!("memory is not locked ({failure}): a busy disk may delay adverts"),
        }
    }
    if let Err(failure) = caps::keep(&kept) {
        log::warn!("capabilities that are not needed could not be given up ({failure})");
    }
    threads
}

/// `realtime`: gives the threads of the daemon in `$MAINPID` real-time scheduling.
///
/// # Errors
/// 69 without such a daemon, 77 without `CAP_SYS_NICE`.
pub fn lend_realtime() -> Result<(), Fatal> {
    let absent = |text: &str| Fatal { exit: EX_UNAVAILABLE, text: text.to_owned() };
    let pid = env::var("MAINPID").ok().and_then(|pid| pid.parse::<u32>().ok());
    let pid =
        pid.ok_or_else(|| absent("realtime is what the unit runs (ExecStartPost): $MAINPID is not set"))?;
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    for task in tasks.map_err(|_| absent("realtime: the daemon in $MAINPID is gone"))?.flatten() {
        let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let id = task.file_name().to_str().and_then(|id| id.parse().ok());
        if let (VRRP | VIP, Some(id)) = (name.trim_end(), id) {
            sched::realtime(Pid::from_raw(id)).map_err(|failure| {
                Fatal::of(&format!("real time for the {} thread", name.trim_end()), failure)
            })?;
        }
    }
    Ok(())
}
