//! What an operator does to a running daemon, and what it does to its surroundings: status, release, `--on-change`, an
//! interface that is replaced.

mod lab;

use lab::daemon::{Daemon, Kind, command, command_with};
use lab::router::Router;
use lab::{Lab, VIP, ip, ms};
use nix::sys::signal::Signal;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

const LIMIT: Duration = ms(8000);

fn quick(priorities: &[u8]) -> Router {
    Router::v3(priorities, ms(100))
}

#[test]
fn status_tells_role_and_priority() {
    let Some(lab) = Lab::new(2) else { return };
    let router = quick(&[200, 190]);
    let daemons: Vec<Daemon> =
        lab.nodes.iter().map(|node| Daemon::start(Kind::Unsinkable, node, &router)).collect();
    lab.settle(VIP, 0, LIMIT);
    thread::sleep(ms(300));
    for (node, role, priority) in [(0, "master", "200"), (1, "backup", "190")] {
        let (status, text, error) = command(&lab.nodes[node], &["status", "--json"]);
        assert!(status.success(), "{error}");
        // As root with every capability, whatever the limits say.
        assert!(text.contains(r#""locked": true"#) && text.contains(r#""realtime": true"#), "{text}");
        assert!(
            text.to_lowercase().contains(role) && text.contains(priority),
            "node {node} is {role}: {text}"
        );
    }
    drop(daemons);
}

/// Without a lease the address outlives a crash, as keepalived's does; `release` is what systemd runs then.
#[test]
fn release_removes_what_a_dead_daemon_left() {
    let Some(lab) = Lab::new(1) else { return };
    let mut flags = quick(&[200]).flags();
    flags.extend(["--lease", "off"].map(str::to_owned));
    let mut daemon = Daemon::unsinkable(&lab.nodes[0], &flags);
    lab.settle(VIP, 0, LIMIT);
    daemon.signal(Signal::SIGKILL);
    daemon.wait(LIMIT);
    lab.steady(VIP, 0, ms(1500));
    let arguments: Vec<&str> = ["release"].into_iter().chain(flags.iter().map(String::as_str)).collect();
    let (status, _, error) = command(&lab.nodes[0], &arguments);
    assert!(status.success() && error.contains("removed 10.0.10.39"), "{status}: {error}");
    lab.nobody(VIP, LIMIT);
    let (status, _, error) = command(&lab.nodes[0], &arguments);
    assert!(status.success() && error.is_empty(), "nothing left to do is fine: {status}: {error}");
}

/// As systemd runs it, which says how the service ended: what a crashed daemon can go on with when it is started again is
/// left alone, and nothing else.
#[test]
fn release_after_a_crash_leaves_what_the_restart_goes_on_with() {
    let crash: &[_] = &[("SERVICE_RESULT", "signal")];
    let hang: &[_] = &[("SERVICE_RESULT", "watchdog")];
    let stopped: &[_] = &[("SERVICE_RESULT", "timeout")];
    let slow = Router::v2(&[200]);
    let stays = Some("unsinkable: 10.0.10.39 stays for the restart: its lease lasts ");
    for (router, variables, left) in [
        (&slow, crash, stays),
        (&slow, hang, stays),
        (&slow, stopped, None),
        (&slow, &[], None),
        (&quick(&[200]), crash, None), // one second of lease, and no restart is as quick
    ] {
        let Some(lab) = Lab::new(1) else { return };
        let flags = router.flags();
        let mut daemon = Daemon::unsinkable(&lab.nodes[0], &flags);
        lab.settle(VIP, 0, LIMIT);
        daemon.signal(Signal::SIGKILL);
        daemon.wait(LIMIT);
        let arguments: Vec<&str> = ["release"].into_iter().chain(flags.iter().map(String::as_str)).collect();
        let (status, _, said) = command_with(&lab.nodes[0], &arguments, variables);
        assert!(status.success(), "{status}: {said}");
        let Some(left) = left else {
            assert_eq!(said, "unsinkable: removed 10.0.10.39\n", "{variables:?}");
            lab.nobody(VIP, ms(300));
            continue;
        };
        assert!(said.starts_with(left), "{variables:?}: {said}");
        lab.steady(VIP, 0, ms(1000));
        lab.nobody(VIP, LIMIT); // it is not started again here
    }
}

/// A program that writes down what it is told.
fn diary(name: &str) -> (PathBuf, PathBuf) {
    let dir = std::env::temp_dir().join(format!("unsinkable-{name}-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a temporary directory");
    let (program, pages) = (dir.join("on-change"), dir.join("diary"));
    let line = "$UNSINKABLE_VRID $UNSINKABLE_STATE $UNSINKABLE_VIPS $UNSINKABLE_REASON";
    fs::write(&program, format!("#!/bin/sh\necho \"{line}\" >>{}\n", pages.display())).expect("writable");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("ours");
    (program, pages)
}

#[test]
fn on_change_is_told_of_each_state() {
    let Some(lab) = Lab::new(1) else { return };
    let (program, pages) = diary("states");
    let mut flags = quick(&[200]).flags();
    flags.extend(["--on-change".to_owned(), program.display().to_string()]);
    let daemon = Daemon::unsinkable(&lab.nodes[0], &flags);
    lab.settle(VIP, 0, LIMIT);
    let expected = ["12 BACKUP 10.0.10.39 interface", "12 MASTER 10.0.10.39 no advert for"];
    let lines = wait_for_lines(&pages, expected.len());
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{lines:?}");
    }
    drop(daemon);
    fs::remove_dir_all(program.parent().expect("it lies in a directory")).expect("ours");
}

fn wait_for_lines(path: &Path, count: usize) -> Vec<String> {
    let start = Instant::now();
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.len() >= count {
            return lines;
        }
        assert!(start.elapsed() < LIMIT, "waited for {count} lines: {text:?}");
        thread::sleep(ms(20));
    }
}

#[test]
fn an_interface_made_anew_ends_the_daemon_for_a_restart() {
    let Some(lab) = Lab::new(1) else { return };
    let mut daemon = Daemon::unsinkable(&lab.nodes[0], &quick(&[200]).flags());
    lab.settle(VIP, 0, LIMIT);
    let netns = &lab.nodes[0].netns;
    ip(&format!("-n {netns} link del eth0"));
    thread::sleep(ms(500));
    ip(&format!("-n {netns} link add eth0 type veth peer name far0"));
    let status = daemon.wait(LIMIT).expect("it ends");
    assert_eq!(status.code(), Some(69), "{}", daemon.log());
    assert!(daemon.log().contains("eth0 was removed and made anew"), "{}", daemon.log());
}
