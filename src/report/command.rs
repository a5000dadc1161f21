//! The commands `status` and `resign`: ask the daemon, show what it says, end with an exit code.

use super::ask::{AskError, PATIENCE, ask, ask_within};
use super::face::{Look, MAX_WIDTH, draw, warn};
use super::frame::{Reply, Request};
use super::json;
use super::status::Status;
use super::words::span;
use crate::sys::terminal;
use crate::sysexits::{EX_IOERR, EX_NOPERM, EX_PROTOCOL};
use core::time::Duration;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::env;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Instant;

/// Between two looks of `--watch`.
const TICK: Duration = Duration::from_secs(1);
/// Longest wait for an answer while watching: a key must not seem dead.
const WATCH_PATIENCE: Duration = Duration::from_millis(800);
/// Rows of a terminal that does not know its size.
const ROWS: usize = 24;
/// Alternate screen, cursor hidden (DECSET 1049, 25).
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
/// Cursor shown, back to the screen as it was.
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// `unsinkable status`: shows the status of the daemon whose socket is at `path`; returns the exit code.
pub fn status_command(path: &Path, json: bool, watch: bool) -> u8 {
    if watch {
        return written(watching(path, json));
    }
    match ask_status(path, PATIENCE) {
        Ok(status) => {
            let text = if json { json::write(&status) } else { draw(&status, &look()) };
            written(io::stdout().lock().write_all(text.as_bytes()).map(|()| 0))
        }
        Err((message, exit_code)) => complain(&message, exit_code),
    }
}

/// `unsinkable resign`: hands the VIP over and keeps away from it for `for_`; returns the exit code.
pub fn resign_command(path: &Path, for_: Duration) -> u8 {
    match ask(path, Request::Resign { for_ }) {
        Ok(Reply::Done(text)) => written(writeln!(io::stdout(), "{text}").map(|()| 0)),
        Ok(Reply::Refused(text)) => complain(&text, EX_NOPERM),
        Ok(Reply::Status(_)) => complain("the daemon answered another question", EX_PROTOCOL),
        Err(error) => complain(&error.to_string(), error.exit_code()),
    }
}

/// The status, or what to say and the exit code.
fn ask_status(path: &Path, patience: Duration) -> Result<Status, (String, u8)> {
    match ask_within(path, Request::Status, patience) {
        Ok(Reply::Status(status)) => Ok(*status),
        Ok(Reply::Refused(text)) => Err((text, EX_NOPERM)),
        Ok(Reply::Done(_)) => Err(("the daemon answered another question".to_owned(), EX_PROTOCOL)),
        Err(error) => Err(describe(&error)),
    }
}

fn describe(error: &AskError) -> (String, u8) {
    (error.to_string(), error.exit_code())
}

/// One line on stderr, which may be gone.
fn complain(message: &str, exit_code: u8) -> u8 {
    let _ = writeln!(io::stderr(), "unsinkable: {message}");
    exit_code
}

/// The exit code after writing: a reader that has seen enough (`| head`) is no error.
fn written(result: io::Result<u8>) -> u8 {
    match result {
        Ok(exit_code) => exit_code,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => complain(&format!("cannot write: {error}"), EX_IOERR),
    }
}

/// Shows the status again each second until Ctrl-C, also while the daemon is away.
fn watching(path: &Path, json: bool) -> io::Result<u8> {
    let signals = stop_signals()?;
    let screen = io::stdout().is_terminal() && !json;
    let mut out = io::stdout().lock();
    if screen {
        out.write_all(ENTER.as_bytes())?;
    }
    let result = watch_loop(path, json, screen, &signals, &mut out);
    if screen {
        out.write_all(LEAVE.as_bytes())?;
        out.flush()?;
    }
    drop(out);
    match result? {
        None => Ok(0),
        Some((message, exit_code)) => Ok(complain(&message, exit_code)),
    }
}

/// Until stopped (`None`) or told that asking again is of no use.
fn watch_loop(
    path: &Path,
    json: bool,
    screen: bool,
    signals: &SignalFd,
    out: &mut impl Write,
) -> io::Result<Option<(String, u8)>> {
    let mut last: Option<Status> = None;
    let mut answered = Instant::now();
    loop {
        let next = Instant::now() + TICK;
        let trouble = match ask_status(path, WATCH_PATIENCE) {
            Ok(status) => {
                last = Some(status);
                answered = Instant::now();
                None
            }
            Err((message, exit_code)) if exit_code == EX_NOPERM => return Ok(Some((message, exit_code))),
            Err((message, _)) => Some(message),
        };
        let page = match (json, &last, &trouble) {
            (true, Some(status), None) => json::line(status),
            (true, _, _) => String::new(),
            (false, status, trouble) => {
                watch_page(status.as_ref(), trouble.as_deref(), answered.elapsed(), &look())
            }
        };
        let page = if screen { in_place(&page, rows()) } else { page };
        out.write_all(page.as_bytes())?;
        out.flush()?;
        if stopped_before(signals, next)? {
            return Ok(None);
        }
    }
}

/// What is known, with the trouble above it.
fn watch_page(status: Option<&Status>, trouble: Option<&str>, silence: Duration, look: &Look) -> String {
    let page = status.map_or(String::new(), |status| draw(status, look));
    let Some(trouble) = trouble else { return page };
    let trouble = warn(&format!("not answering for {}: {trouble}", span(silence)), look);
    if page.is_empty() { trouble } else { format!("{trouble}\n its last answer:\n\n{page}") }
}

/// The page drawn over the one before it: no clearing first, so no flicker. No more than `rows`, or it would scroll.
fn in_place(page: &str, rows: usize) -> String {
    let lines: Vec<_> = page.lines().take(rows).collect();
    format!("\x1b[H{}\x1b[K\x1b[J", lines.join("\x1b[K\n"))
}

/// The signals that end watching, and the one that says the terminal has another size, as a file descriptor.
fn stop_signals() -> io::Result<SignalFd> {
    let signals = SigSet::from_iter([
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGWINCH,
    ]);
    signals.thread_block()?;
    Ok(SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
}

/// Waits until `next`, or until the terminal changes its size; true if told to stop meanwhile.
fn stopped_before(signals: &SignalFd, next: Instant) -> io::Result<bool> {
    let left = next.saturating_duration_since(Instant::now());
    let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
    let mut fds = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    match poll(&mut fds, timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let resized = u32::try_from(Signal::SIGWINCH as i32).unwrap_or(0);
    Ok(signals.read_signal()?.is_some_and(|signal| signal.ssi_signo != resized))
}

/// What stdout can do.
fn look() -> Look {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let terminal = io::stdout().is_terminal();
    let colour = terminal && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb");
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_lowercase();
    let unicode = locale.contains("utf-8") || locale.contains("utf8");
    let width = terminal::size(io::stdout()).map(|(columns, _)| columns);
    let width = width.or_else(|| set("COLUMNS")?.parse().ok()).unwrap_or(MAX_WIDTH);
    Look { colour, unicode, width }
}

/// Rows of the terminal.
fn rows() -> usize {
    terminal::size(io::stdout()).map_or(ROWS, |(_, rows)| rows.max(1))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_page_is_drawn_over_the_last_one_and_never_scrolls() {
        assert_eq!(in_place("a\nb\nc\n", 2), "\x1b[Ha\x1b[K\nb\x1b[K\x1b[J");
    }

    #[test]
    fn a_daemon_that_went_away_leaves_its_last_answer() {
        let silence = Duration::from_secs(4);
        let page = watch_page(Some(&sample::master()), Some("no daemon"), silence, &Look::PLAIN);
        assert!(
            page.starts_with(" not answering for 4.0 s: no daemon\n\n its last answer:\n\n pi-1 · "),
            "{page}"
        );
        let page = watch_page(None, Some("no daemon"), silence, &Look::PLAIN);
        assert_eq!(page, " not answering for 4.0 s: no daemon\n");
    }
}
