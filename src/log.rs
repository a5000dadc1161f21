//! Log lines to stderr that can neither kill nor stop the daemon.
//!
//! `simple_logger` makes the line, but prints it with `eprintln!`, which waits while a pipe is full and panics when its
//! reader is gone; a panic ends the daemon. So for the moment of printing, descriptor 2 is a file in memory, which does
//! neither. What lies in it then goes to the real stderr without waiting, whole or not at all: a line that finds no
//! room is dropped and counted. Only another thread's panic message can fall into that moment, and it comes out with the
//! line; children must be started by the thread that logs (the checks thread does both). Looking (poll) before printing
//! would not do: the reader may go between the look and the print.

use core::sync::atomic::{AtomicU64, Ordering};
use log::{LevelFilter, Log, Metadata, Record};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{MsgFlags, send};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::{dup2_stderr, write};
use simple_logger::SimpleLogger;
use std::fs::File;
use std::io::{self, IsTerminal, Seek, SeekFrom};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Mutex;

/// Longest line in bytes, its newline included: as much as a pipe takes whole or not at all (`PIPE_BUF`).
const MAX_LINE: usize = 4096;
/// Interrupted `dup2` calls that are tried again, each after a signal handler.
const MAX_TRIES: usize = 100;

/// Lines that found no room, or no reader.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Sends `log`'s lines of `level` and above to stderr, once per process. Colours if stderr is a terminal; no time
/// stamps, but the journal's levels, if it is the journal.
///
/// # Errors
/// If a logger is there already, or the system lets us have no file in memory.
pub fn init(level: LevelFilter) -> io::Result<()> {
    let journal = is_journal();
    let mut format =
        SimpleLogger::new().with_level(level).with_utc_timestamps().with_colors(io::stderr().is_terminal());
    if journal {
        format = format.without_timestamps();
    }
    let printer =
        Printer { page: File::from(memfd_create("log", MFdFlags::MFD_CLOEXEC)?), stderr: Stderr::new()? };
    log::set_boxed_logger(Box::new(Logger { format, journal, printer: Mutex::new(printer) }))
        .map_err(io::Error::other)?;
    log::set_max_level(level);
    Ok(())
}

/// The level for so many `-v` and `-q`: lines of daily life without any.
pub fn level(verbose: u8, quiet: u8) -> LevelFilter {
    match i16::from(verbose) - i16::from(quiet) {
        ..=-3 => LevelFilter::Off,
        -2 => LevelFilter::Error,
        -1 => LevelFilter::Warn,
        0 => LevelFilter::Info,
        1 => LevelFilter::Debug,
        2.. => LevelFilter::Trace,
    }
}

/// Lines dropped since the start because stderr was full or gone.
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// True if stderr is what systemd connected to the journal: `JOURNAL_STREAM` names its device and inode
/// (systemd.exec(5)); inherited by a program with another stderr, it says nothing.
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    fstat(io::stderr()).is_ok_and(|stat| stream == format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// Our own [`Log`] round that of `simple_logger`.
struct Logger {
    format: SimpleLogger,
    journal: bool,
    printer: Mutex<Printer>,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.format.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // A panic inside would have ended the process: a poisoned lock is as good as any.
        let mut printer = self.printer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let prefix = if self.journal { priority(record.level()) } else { "" };
        // Which module speaks helps nobody at the Pi.
        let (metadata, text) = (record.metadata().clone(), *record.args());
        let plain = |record: &mut log::RecordBuilder<'_>| self.format.log(&record.build());
        let plain = || plain(Record::builder().level(metadata.level()).target("unsinkable").args(text));
        if printer.print(prefix, plain).is_err() {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

/// The journal's level prefix (sd-daemon(3)).
fn priority(level: log::Level) -> &'static str {
    match level {
        log::Level::Error => "<3>",
        log::Level::Warn => "<4>",
        log::Level::Info => "<6>",
        log::Level::Debug | log::Level::Trace => "<7>",
    }
}

/// The file in memory and the real stderr.
struct Printer {
    page: File,
    stderr: Stderr,
}

impl Printer {
    /// Lets `print` write to the file in memory as if it were stderr, then sends that on.
    fn print(&mut self, prefix: &str, print: impl FnOnce()) -> io::Result<()> {
        self.page.seek(SeekFrom::Start(0))?;
        dup2_patiently(&self.page)?;
        print();
        dup2_patiently(&self.stderr.original)?;
        // Descriptor 2 shared our place in the file: it tells how much was printed.
        let printed = usize::try_from(self.page.stream_position()?).unwrap_or(usize::MAX);
        let mut line = prefix.as_bytes().to_vec();
        let start = line.len();
        line.resize(start.saturating_add(printed).min(MAX_LINE), 0);
        self.page.read_exact_at(&mut line[start..], 0)?;
        if printed > MAX_LINE {
            self.page.set_len(MAX_LINE as u64)?;
        }
        if let Some(last) = line.last_mut() {
            *last = b'\n';
        }
        self.stderr.send(&line)
    }
}

/// Makes `fd` descriptor 2.
fn dup2_patiently(fd: impl AsFd) -> io::Result<()> {
    let mut result = Err(Errno::EINTR);
    for _ in 0..MAX_TRIES {
        result = dup2_stderr(&fd);
        if result != Err(Errno::EINTR) && result != Err(Errno::EBUSY) {
            break;
        }
    }
    Ok(result?)
}

/// The stderr that the daemon was started with.
struct Stderr {
    /// As it was: given back as descriptor 2, so that children and panics have it.
    original: OwnedFd,
    /// How a line goes there without waiting.
    way: Way,
}

/// How to write without waiting. `O_NONBLOCK` on the original would hit whoever shares it, the user's shell among them.
enum Way {
    /// A socket (the journal): each call says that it does not wait.
    Socket,
    /// A pipe or terminal, opened anew without waiting.
    Reopened(OwnedFd),
    /// A file never makes anyone wait; a pipe or terminal that cannot be opened anew (another user's) is looked at
    /// first, and waits only if another process fills it between the look and the print.
    Original,
}

impl Stderr {
    fn new() -> io::Result<Self> {
        let original = io::stderr().as_fd().try_clone_to_owned()?;
        let kind = SFlag::from_bits_truncate(fstat(&original)?.st_mode) & SFlag::S_IFMT;
        let way = if kind == SFlag::S_IFSOCK {
            Way::Socket
        } else if kind == SFlag::S_IFIFO || kind == SFlag::S_IFCHR {
            let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
            open("/proc/self/fd/2", flags, Mode::empty()).map_or(Way::Original, Way::Reopened)
        } else {
            Way::Original
        };
        Ok(Self { original, way })
    }

    /// One call, which does not wait.
    fn send(&self, line: &[u8]) -> io::Result<()> {
        let sent = match &self.way {
            Way::Socket => {
                send(self.original.as_raw_fd(), line, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL)?
            }
            Way::Reopened(fd) => write(fd, line)?,
            Way::Original => {
                let mut fds = [PollFd::new(self.original.as_fd(), PollFlags::POLLOUT)];
                poll(&mut fds, PollTimeout::ZERO)?;
                if fds[0].revents() != Some(PollFlags::POLLOUT) {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                write(&self.original, line)?
            }
        };
        if sent == line.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v_and_q_move_the_level_from_info() {
        assert_eq!(level(0, 0), LevelFilter::Info);
        assert_eq!(level(1, 0), LevelFilter::Debug);
        assert_eq!(level(255, 0), LevelFilter::Trace);
        assert_eq!(level(0, 1), LevelFilter::Warn);
        assert_eq!(level(0, 2), LevelFilter::Error);
        assert_eq!(level(0, 255), LevelFilter::Off);
    }
}
