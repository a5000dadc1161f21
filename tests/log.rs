//! Log lines with a stderr that is full, gone, or goes: the daemon must neither wait nor die. A child process (this
//! test binary again, told by an environment variable) logs; the parent holds the other end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Tells the child how many lines to log.
const LINES: &str = "UNSINKABLE_TEST_LOG_LINES";

/// Tells the child to log a line of 10,000 bytes, a short one, and to use stderr without the logger.
const EXTRA: &str = "UNSINKABLE_TEST_LOG_EXTRA";

/// Not a test: what the child does.
#[test]
#[ignore = "run by the tests of this file"]
fn child() {
    let Ok(lines) = std::env::var(LINES) else { return };
    unsinkable::log::init(log::LevelFilter::Info).unwrap();
    for n in 0..lines.parse().unwrap() {
        log::info!("line {n} {}", "x".repeat(60));
        log::debug!("below the level");
    }
    if std::env::var(EXTRA).is_ok() {
        log::warn!("{}", "long".repeat(2500));
        log::warn!("short");
        eprintln!("others still have descriptor 2");
    }
    println!("\ndropped={}", unsinkable::log::dropped());
}

fn child_command(lines: u32, stderr: impl Into<OwnedFd>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--ignored", "--nocapture"]).env(LINES, lines.to_string());
    command.env_remove("JOURNAL_STREAM").stdout(Stdio::piped()).stderr(Stdio::from(stderr.into()));
    command
}

fn start(lines: u32, stderr: impl Into<OwnedFd>) -> Child {
    child_command(lines, stderr).spawn().unwrap()
}

/// Waits for the child's good end; returns how many lines it dropped.
fn dropped(child: Child) -> usize {
    let started = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(started.elapsed() < Duration::from_secs(20), "took {:?}", started.elapsed());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{:?}: {text}", output.status);
    let count = text.lines().find_map(|line| line.strip_prefix("dropped=")).expect("the child tells");
    count.parse().unwrap()
}

/// No line is torn: each ends with its filling.
fn assert_whole(text: &str) {
    for line in text.lines() {
        assert!(line.contains("INFO  [unsinkable]") && line.ends_with(&"x".repeat(60)), "{line:?}");
    }
}

#[test]
fn with_a_reader_all_lines_arrive() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let child = start(200, writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(dropped(child), 0);
    assert_eq!(text.lines().count(), 200);
    assert_whole(&text);
    assert!(text.starts_with("20"), "a time stamp: {}", &text[..40]);
    assert!(!text.contains('\x1b'), "no colours into a pipe");
}

#[test]
fn a_long_line_is_cut_and_stderr_stays_what_it_was() {
    let (reader, writer) = std::io::pipe().unwrap();
    let child = child_command(1, writer).env(EXTRA, "1").spawn().unwrap();
    assert_eq!(dropped(child), 0);
    let text = std::io::read_to_string(reader).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[1].len(), 4095);
    assert!(lines[1].contains("] longlong"), "{}", lines[1]);
    assert!(lines[2].ends_with("] short"), "{}", lines[2]);
    assert_eq!(lines[3], "others still have descriptor 2");
}

#[test]
fn a_closed_pipe_costs_the_lines_and_nothing_else() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(dropped(start(50, writer)), 50);
}

#[test]
fn a_full_pipe_keeps_nobody_waiting() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    // 3000 lines of some 110 bytes are 330 kB; a pipe takes 64 KiB.
    let lost = dropped(start(3000, writer));
    assert!((1000..3000).contains(&lost), "{lost}");
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), 3000 - lost);
    assert_whole(&text);
}

#[test]
fn a_socket_as_the_journal_has_it_may_be_full_or_gone() {
    let (reader, writer) = UnixStream::pair().unwrap();
    let lost = dropped(start(5000, writer));
    assert!((1000..5000).contains(&lost), "{lost}");
    drop(reader);
    let (reader, writer) = UnixStream::pair().unwrap();
    drop(reader);
    assert_eq!(dropped(start(50, writer)), 50);
}

#[test]
fn a_reader_that_goes_at_any_moment_does_no_harm() {
    for bytes in [1, 100, 4096, 5000, 20_000, 60_000] {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let child = start(2000, writer);
        let mut some = vec![0; bytes];
        reader.read_exact(&mut some).unwrap();
        drop(reader);
        dropped(child);
    }
}

#[test]
fn a_file_takes_all() {
    let path = std::env::temp_dir().join(format!("unsinkable-log-{}", std::process::id()));
    let child = start(100, std::fs::File::create(&path).unwrap());
    assert_eq!(dropped(child), 0);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(text.lines().count(), 100);
    assert_whole(&text);
}

#[test]
fn the_journal_gets_levels_and_no_time_stamps() {
    let (reader, writer) = std::io::pipe().unwrap();
    let writer = std::fs::File::from(OwnedFd::from(writer));
    let meta = writer.metadata().unwrap();
    let stream = format!("{}:{}", meta.dev(), meta.ino());
    let child = child_command(1, writer).env("JOURNAL_STREAM", stream).spawn().unwrap();
    assert_eq!(dropped(child), 0);
    let text = std::io::read_to_string(reader).unwrap();
    assert!(text.starts_with("<6>INFO  [unsinkable] line 0 "), "{text:?}");
}
