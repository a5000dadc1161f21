//! The housekeeper child: started, watched and started again by the VIP process, which never waits for it.
//!
//! It is the same binary without capabilities and first in line for the out-of-memory killer. The socket pair is its
//! standard input: when the VIP process goes, the child reads its end and goes too.

use super::{Daemon, notify};
use crate::housekeeper::frame::{self, Frame, MAX_FRAME};
use crate::report::status::Housekeeper;
use crate::sys::{clock, pidfd};
use core::future::pending;
use core::time::Duration;
use log::Level;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use smol::{Async, Timer, future};
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};

/// Pause before the first restart; doubled up to the last as long as the child does not last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// A child that has lived for this long was well: the next pause is the first again.
const LASTED: Duration = Duration::from_secs(60);
/// Between two frames: 200 a second, ten times what 32 checks a second need with room to spare. A child gone mad costs
/// no more than that; what it says beyond finds no room.
const BREATH: Duration = Duration::from_millis(5);
/// Between two looks for events to pass on: a log may be a second late, an idle Pi should sleep.
const PASS_ON_EVERY: Duration = Duration::from_secs(1);

/// For a child that ships logs to note how far it has come. A syslog server that is there takes it milliseconds to reach,
/// and its own patience is a second.
const LAST_NOTE_MS: u16 = 1500;

/// Waits for the end of a child that ships logs, once its link is closed and the VIP has gone: systemd kills what this process
/// leaves behind.
pub fn see_off(daemon: &Daemon<'_>) {
    let ships = daemon.config.housekeeping.syslog.is_some();
    if let (true, Housekeeper::Running { pid, .. }) = (ships, &daemon.desk.borrow().housekeeper)
        && let Ok(pidfd) = pidfd::open(*pid)
    {
        // Where it takes longer, lines are sent twice after the restart.
        let _ = poll(&mut [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)], PollTimeout::from(LAST_NOTE_MS));
    }
}

/// Keeps a housekeeper running until dropped. `args` are this process's own, behind the program's name.
pub async fn keep(daemon: &Daemon<'_>, args: &[OsString]) {
    let (mut pause, mut seen) = (FIRST_PAUSE, 0);
    loop {
        let began = clock::now();
        let ended = match start(args) {
            Ok((child, link)) => {
                let running = Housekeeper::Running { pid: child.id(), since: began };
                daemon.desk.borrow_mut().housekeeper = running;
                future::or(end(child), future::or(daemon.hear(&link), daemon.pass_on(&link, &mut seen))).await
            }
            Err(error) => format!("cannot be started: {error}"),
        };
        if clock::now().since(began) >= LASTED {
            pause = FIRST_PAUSE;
        }
        let text =
            format!("housekeeper {ended}; next start in {} s (the VIP is not touched)", pause.as_secs());
        daemon.tell(None, Level::Warn, &text);
        let at = clock::now() + pause;
        daemon.desk.borrow_mut().housekeeper = Housekeeper::Restarting { at, reason: ended };
        Timer::after(pause).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

impl Daemon<'_> {
    /// Takes what the child tells. Never resolves: how it ended is said by its end.
    async fn hear(&self, link: &OwnedFd) -> String {
        if let Err(error) = hear(link, |frame| self.take_frame(frame)).await {
            self.tell(None, Level::Warn, &format!("the housekeeper is not heard: {error}"));
        }
        pending().await
    }

    /// Tells the child what happened to the VIP, where it ships logs: behind the first `seen` events, of which there is no
    /// end. What finds no room is told later.
    async fn pass_on(&self, link: &OwnedFd, seen: &mut u64) -> String {
        if self.config.housekeeping.syslog.is_none() {
            return pending().await;
        }
        loop {
            while let Some((next, event)) = self.desk.borrow().journal.event_after(*seen) {
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                if send(link.as_raw_fd(), &frame::emit_event(&event), flags).is_err() {
                    break;
                }
                *seen = next;
            }
            Timer::after(PASS_ON_EVERY).await;
        }
    }

    /// Only of what the child looks at is its verdict taken: a process is not dead because the housekeeper says so.
    fn take_frame(&self, frame: Option<Frame>) {
        match frame {
            Some(Frame::Rounds(rounds)) => self.desk.borrow_mut().rounds = *rounds,
            Some(Frame::Verdict { track, verdict }) => {
                let place = usize::from(track);
                match self.tracks.get(place).filter(|track| track.kind.is_the_housekeepers()) {
                    Some(track) => self.checked(place, verdict.heard(track, clock::now())),
                    None => self.count_nonsense(),
                }
            }
            None => self.count_nonsense(),
        }
    }

    fn count_nonsense(&self) {
        let first = self.desk.borrow().nonsense == 0;
        self.desk.borrow_mut().nonsense += 1;
        if first {
            self.tell(None, Level::Warn, "the housekeeper talks nonsense (told once, then counted)");
        }
    }
}

/// Gives each frame to `take`, `None` for nonsense, until the child closes its end.
async fn hear(link: &OwnedFd, take: impl Fn(Option<Frame>)) -> io::Result<()> {
    let link = Async::new_nonblocking(link.as_fd())?;
    let mut packet = vec![0; MAX_FRAME];
    loop {
        link.readable().await?;
        // MSG_TRUNC: the length as it was sent, also beyond what there is room for.
        match recv(link.as_raw_fd(), &mut packet, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC) {
            Ok(0) => return Ok(()),
            Ok(len) => take(packet.get(..len).and_then(frame::parse)),
            Err(Errno::EAGAIN | Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        Timer::after(BREATH).await;
    }
}

fn start(args: &[OsString]) -> io::Result<(Child, OwnedFd)> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
    let args = without_password(args);
    let mut command = Command::new("/proc/self/exe");
    for name in notify::VARIABLES {
        command.env_remove(name);
    }
    let child = command.arg("housekeeper").args(args).stdin(Stdio::from(theirs)).spawn()?;
    Ok((child, ours))
}

/// The child has no use for the VIP's password.
fn without_password(args: &[OsString]) -> Vec<&OsString> {
    const FLAG: &str = "--auth-pass";
    let is_value = |at: usize| at > 0 && args[at - 1] == FLAG;
    let is_flag = |arg: &OsString| arg == FLAG || arg.to_string_lossy().starts_with("--auth-pass=");
    args.iter().enumerate().filter(|(at, arg)| !is_value(*at) && !is_flag(arg)).map(|(_, arg)| arg).collect()
}

/// Resolves with how the child ended.
async fn end(mut child: Child) -> String {
    let watched = pidfd::open(child.id()).and_then(Async::new_nonblocking);
    let waited = match &watched {
        Ok(pidfd) => pidfd.readable().await,
        Err(_) => Ok(()),
    };
    match waited.and_then(|()| child.wait()) {
        Ok(status) => format!("ended with {status}"),
        Err(error) => format!("was lost: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::{Cell, RefCell};

    fn pair() -> (OwnedFd, OwnedFd) {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags).unwrap()
    }

    #[test]
    fn frames_are_taken_and_nonsense_is_none() {
        let (ours, theirs) = pair();
        let rounds = || Frame::Rounds(Box::default());
        let tell = |packet: &[u8]| send(theirs.as_raw_fd(), packet, MsgFlags::MSG_NOSIGNAL).unwrap();
        tell(&frame::emit(rounds()));
        tell(&[77]);
        tell(&[0; MAX_FRAME + 1]);
        tell(&frame::emit(rounds()));
        drop(theirs);
        let taken = RefCell::new(Vec::new());
        smol::block_on(hear(&ours, |frame| taken.borrow_mut().push(frame))).unwrap();
        assert_eq!(taken.into_inner(), [Some(rounds()), None, None, Some(rounds())]);
    }

    #[test]
    fn a_child_gone_mad_is_heard_no_faster_than_that() {
        let (ours, theirs) = pair();
        let taken = Cell::new(0_u32);
        let flood = async {
            let end = clock::now() + Duration::from_millis(500);
            while clock::now() < end {
                while send(theirs.as_raw_fd(), &[77; 100], MsgFlags::MSG_NOSIGNAL).is_ok() {}
                future::yield_now().await;
            }
            Ok(())
        };
        smol::block_on(future::or(hear(&ours, |_| taken.set(taken.get() + 1)), flood)).unwrap();
        assert!((1..=110).contains(&taken.get()), "{} in 500 ms", taken.get());
    }

    #[test]
    fn the_child_never_sees_the_password() {
        let args = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        let kept = |line: &str| without_password(&args(line)).into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(kept("--vip 10.0.0.9 --auth-pass secret --prune"), args("--vip 10.0.0.9 --prune"));
        assert_eq!(kept("--auth-pass=secret --auth-pass-file /x"), args("--auth-pass-file /x"));
    }
}
