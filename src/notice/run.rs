//! Runs the programs of `--on-change`: without a shell, one at a time, never waited for by anything else.
//!
//! What a program prints goes into the log as debug lines, up to a bound; beyond, it is read slowly and dropped, so that
//! neither a talkative program is stopped nor a mad one costs anything. A program that has not ended by the limit is
//! killed with all of its process group.

use super::{Notice, Stamp, plain};
use crate::sys::{clock, pidfd};
use core::time::Duration;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use smol::channel::{Receiver, Sender, bounded};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::{Async, Timer, future};
use std::fs;
use std::io::{self, PipeReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

/// Notices that may wait for the program: more than a cluster in trouble makes in [`LIMIT`].
const QUEUE: usize = 16;
/// A program that runs for longer is killed: what is told half a minute late is history.
pub const LIMIT: Duration = Duration::from_secs(30);
/// Most bytes of one program's output that are logged: an error message of curl, with room.
const MAX_OUTPUT: usize = 4096;
/// Between two reads of what is beyond: with the buffer below, 200 KB a second.
const BREATH: Duration = Duration::from_millis(20);
/// `oom_score_adj`: the housekeeper's, taken long before the VIP process, whose own it would inherit.
const OOM_SCORE: &str = "500";
/// Bytes of output read at once.
const BUFFER: usize = 4096;

/// One program to be run.
#[derive(Debug)]
struct Call {
    program: PathBuf,
    notice: Notice,
    /// Seconds since 1970.
    time: u64,
}

/// The end of the queue that notices are put in.
#[derive(Clone, Debug)]
pub struct Bell(Sender<Call>);

/// The end of the queue that [`run`] empties.
#[derive(Debug)]
pub struct Calls(Receiver<Call>);

/// Both ends.
pub fn queue() -> (Bell, Calls) {
    let (sender, receiver) = bounded(QUEUE);
    (Bell(sender), Calls(receiver))
}

impl Bell {
    /// Has `program` told of `notice`, later. False if another notice, the oldest, had to give way.
    pub fn tell(&self, program: &Path, notice: Notice) -> bool {
        let call = Call { program: program.to_owned(), notice, time: clock::unix() };
        matches!(self.0.force_send(call), Ok(None))
    }
}

/// Runs the programs, one after the other, each for at most `limit` ([`LIMIT`]) and without these `hidden` environment
/// variables of ours.
pub async fn run(calls: Calls, hidden: &[&str], limit: Duration) {
    let node = nix::unistd::gethostname().unwrap_or_default();
    let node = node.to_string_lossy();
    while let Ok(call) = calls.0.recv().await {
        let stamp = Stamp { node: &node, time: call.time };
        if let Err(error) = tell(&call, stamp, hidden, limit).await {
            log::warn!("--on-change {}: {error}", call.program.display());
        }
    }
}

/// Runs one, to its end or to the limit.
async fn tell(call: &Call, stamp: Stamp<'_>, hidden: &[&str], limit: Duration) -> io::Result<()> {
    let (output, writer) = io::pipe()?;
    let mut output = Output { pipe: Async::new(output)?, left: MAX_OUTPUT, lines: Vec::new() };
    let mut command = Command::new(&call.program);
    for name in hidden {
        command.env_remove(name);
    }
    command.envs(call.notice.variables(stamp)).process_group(0);
    command.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // Whoever's memory it eats, it shall not be the VIP's. Refused only where /proc is read-only.
    let _ = fs::write(format!("/proc/{}/oom_score_adj", child.id()), OOM_SCORE);
    // Its copies of the pipe's end: while they are open, the output has no end.
    drop(command);
    let stdin = child.stdin.take();
    let talk = async {
        future::zip(write(stdin, call.notice.json(stamp)), output.read()).await;
    };
    let in_time = ended(&child, limit, talk).await;
    output.rest();
    let program = call.program.display();
    for line in output.lines() {
        log::debug!("--on-change {program}: {line}");
    }
    let status = reap(child, &in_time)?;
    if !in_time? {
        log::warn!("--on-change {program}: killed after {} s", limit.as_secs());
    } else if !status.success() {
        log::warn!("--on-change {program}: {status}");
    }
    Ok(())
}

/// Resolves when the child has ended: true, or at the limit: false. Meanwhile it is talked with.
async fn ended(child: &Child, limit: Duration, talk: impl Future<Output = ()>) -> io::Result<bool> {
    let pidfd = Async::new_nonblocking(pidfd::open(child.id())?)?;
    let end = async { pidfd.readable().await.map(|()| true) };
    let limit = async {
        Timer::after(limit).await;
        Ok(false)
    };
    let talk = async {
        talk.await;
        future::pending().await
    };
    future::or(end, future::or(limit, talk)).await
}

/// What a program does not read is not missed.
async fn write(stdin: Option<ChildStdin>, json: String) {
    if let Some(Ok(mut stdin)) = stdin.map(Async::new) {
        let _ = stdin.write_all(json.as_bytes()).await;
    }
}

/// Reaps the child, which is killed first unless it has ended.
fn reap(mut child: Child, in_time: &io::Result<bool>) -> io::Result<ExitStatus> {
    if !matches!(in_time, Ok(true)) {
        // Its number is its group's, and cannot be another's before the wait below.
        let group = i32::try_from(child.id()).map_err(io::Error::other)?;
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
    child.wait()
}

/// What a program prints.
struct Output {
    pipe: Async<PipeReader>,
    /// Bytes that may still be kept.
    left: usize,
    lines: Vec<u8>,
}

impl Output {
    /// Reads to the end, which may never come.
    async fn read(&mut self) {
        let mut buffer = [0; BUFFER];
        while let Ok(len @ 1..) = self.pipe.read(&mut buffer).await {
            self.keep(&buffer[..len]);
            if self.left == 0 {
                Timer::after(BREATH).await;
            }
        }
    }

    /// What lies in the pipe now that the program is over.
    fn rest(&mut self) {
        let mut buffer = [0; BUFFER];
        while self.left > 0 {
            match self.pipe.get_ref().read(&mut buffer) {
                Ok(len @ 1..) => self.keep(&buffer[..len]),
                Ok(0) | Err(_) => return,
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(self.left);
        self.lines.extend(&bytes[..kept]);
        self.left -= kept;
    }

    /// As far as they were kept, each fit for the log.
    fn lines(&self) -> impl Iterator<Item = String> {
        let lines = self.lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let cut = (self.left == 0).then(|| "… (what it printed beyond is not logged)".to_owned());
        lines.map(|line| plain(&String::from_utf8_lossy(line))).chain(cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pruned(removed: usize) -> Notice {
        Notice::Pruned { removed, freed: 0, reason: String::new() }
    }

    #[test]
    fn a_full_queue_loses_the_oldest() {
        let (bell, calls) = queue();
        let told: Vec<bool> = (0..18).map(|count| bell.tell(Path::new("/x"), pruned(count))).collect();
        assert_eq!(told.iter().filter(|kept| **kept).count(), 16);
        assert_eq!(calls.0.try_recv().unwrap().notice, pruned(2));
    }
}
