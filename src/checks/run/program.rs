//! Looks by running a program: no shell, no terminal, in a process group of its own that dies with the timeout.

use super::aside::Aside;
use super::{Look, os, within};
use crate::checks::health::Reason;
use crate::sys::pidfd;
use core::time::Duration;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use smol::{Async, Timer};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

/// How long a killed program is waited for, so that it is not left a zombie until the next look.
const REAP: Duration = Duration::from_millis(50);
/// Between two questions to a child where the kernel has no pidfd.
const POLL: Duration = Duration::from_millis(20);
/// Times a program killed when the checks stop is asked for at 1 ms each; one stuck in the kernel is left to init.
const LAST_ASKS: u32 = 20;

/// A program, and its run still active, if any.
pub(super) struct Program<'a> {
    path: &'a Path,
    /// Starting it can block, as with a program on a dead mount.
    start: Aside<io::Result<Run>>,
    run: Option<Run>,
}

impl<'a> Program<'a> {
    pub(super) fn new(path: &'a Path) -> Self {
        Self { path, start: Aside::new(), run: None }
    }

    async fn finish(&mut self) -> io::Result<Reason> {
        if let Some(killed) = &mut self.run {
            killed.ended().await?;
            self.run = None;
        }
        let path = self.path.to_owned();
        let run = self.start.ask(move || Run::start(&path)).await??;
        let status = self.run.insert(run).ended().await?;
        self.run = None;
        Ok(reason(status))
    }
}

impl Look for Program<'_> {
    async fn look(&mut self) -> Reason {
        self.finish().await.unwrap_or_else(|error| os(&error))
    }

    async fn late(&mut self) {
        let Some(run) = &mut self.run else { return };
        run.kill();
        if within(REAP, run.ended()).await.is_some() {
            self.run = None;
        }
    }
}

fn reason(status: ExitStatus) -> Reason {
    match (status.code(), status.signal()) {
        (Some(0), _) => Reason::Succeeded,
        (Some(code), _) => Reason::ExitCode(code),
        (None, Some(signal)) => Reason::Signal(signal),
        (None, None) => Reason::Os(libc::ECHILD),
    }
}

/// A child at the head of its process group. Dropped before its end is known, the group is killed.
struct Run {
    child: Child,
    reaped: bool,
}

impl Run {
    fn start(path: &Path) -> io::Result<Self> {
        let mut command = Command::new(path);
        // It neither speaks to systemd for this process nor feeds its watchdog.
        command.env_remove("NOTIFY_SOCKET").env_remove("WATCHDOG_USEC");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Ok(Self { child: command.spawn()?, reaped: false })
    }

    async fn ended(&mut self) -> io::Result<ExitStatus> {
        let pidfd = pidfd::open(self.child.id()).and_then(Async::<OwnedFd>::new_nonblocking);
        loop {
            if let Some(status) = self.ask()? {
                return Ok(status);
            }
            match &pidfd {
                Ok(pidfd) => pidfd.readable().await?,
                Err(_unsupported) => drop(Timer::after(POLL).await),
            }
        }
    }

    /// The exit status, once it has one. After an error there is no child to wait for any more.
    fn ask(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.child.try_wait();
        self.reaped = !matches!(status, Ok(None));
        status
    }

    fn kill(&self) {
        if !self.reaped
            && let Ok(pid) = i32::try_from(self.child.id())
        {
            // Not reaped, so the number is still this child's. A group that has just ended is no failure.
            let _gone = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.kill();
        for _ in 0..LAST_ASKS {
            if self.reaped || !matches!(self.ask(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}
