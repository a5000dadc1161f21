//! The built binary, as a person at the Pi meets it: help, exit codes, error lines, the user's own command.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::process::{Command, Output};

const USERS: &str = "--interface ens160 --vip 10.0.10.39/24 --vrid 12 --auth-pass pass1234 --node 10.0.10.31=200 \
    --node 10.0.10.32=100 --node 10.0.10.33=50 --track process:dockerd,interval=1s,weight=20 \
    --track process:traefik,interval=30s,weight=10 --update --update-every 5m --prune --grace 30m \
    --keep-image heimdall";

fn unsinkable(line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_unsinkable")).args(line.split_whitespace()).output().unwrap()
}

fn stdout(line: &str) -> String {
    String::from_utf8(unsinkable(line).stdout).unwrap()
}

/// Exit code and stderr.
fn refused(line: &str) -> (i32, String) {
    let output = unsinkable(line);
    assert!(output.stdout.is_empty(), "{line}");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn every_flag_of_the_design_is_in_help() {
    let help = stdout("run --help");
    for flag in "interface vip vrid node priority peer source multicast vrrp advert auth-pass auth-pass-file checksum \
        no-preempt preempt-delay lease garp-refresh realtime on-change track too-hot update update-every update-only \
        update-skip update-window min-age bake rollout-deadline registry-auth-file prune prune-every grace keep-image \
        keep-container keep-volume keep-per-repo prune-volumes disk-high disk-low syslog syslog-relay listen ceph \
        docker state-dir run-dir board verbose quiet"
        .split_whitespace()
    {
        let found = [" ", "[", "\n", "."].iter().any(|end| help.contains(&format!("--{flag}{end}")));
        assert!(found, "--{flag}");
    }
    for heading in ["Virtual IP:", "Checks:", "Updates:", "Pruning:", "Logs and page:", "Daemon:"] {
        assert!(help.contains(&format!("\n{heading}")), "{heading}");
    }
}

#[test]
fn every_command_of_the_design_is_in_help_and_the_child_is_not() {
    let help = stdout("--help");
    for command in "run status plan check update prune resign release translate man completions".split(' ') {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
    }
    assert!(!help.contains("housekeeper"));
    assert_eq!(stdout("--version"), "unsinkable 0.1.0\n");
}

#[test]
fn the_users_command_is_planned_and_its_gap_is_told() {
    let output = unsinkable(&format!("plan {USERS}"));
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "  process:dockerd  230 → 210   STAYS          -       no other node can exceed 130",
        "  the node         230 → none  to 10.0.10.32  3.49s   three adverts are missed",
        "  process:dockerd lost on 10.0.10.31 drops 230 to 210, no other node can exceed 130, the VIP stays.",
        "- or keep the weights and bring the priorities closer together than the weights: --node 10.0.10.31=200 \
         --node 10.0.10.32=195 --node 10.0.10.33=190",
    ] {
        assert!(text.lines().any(|seen| seen == line), "{line}\n{text}");
    }
    assert!(!text.contains("pass1234"));
}

#[test]
fn a_plan_without_gap_exits_with_0_and_its_json_is_json() {
    let flags = "plan --json --vip 10.0.0.50 --node 10.0.0.1 --node 10.0.0.2 --track process:dockerd";
    let output = unsinkable(flags);
    assert_eq!(output.status.code(), Some(0));
    let tables: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(tables[0]["nodes"][0]["well"], 254);
    assert_eq!(tables[0]["rows"][0]["lost"], "process:dockerd");
    assert_eq!(tables[0]["rows"][0]["fault"], true);
    assert_eq!(tables[0]["rows"][0]["vip"], "moves");
    assert_eq!(tables[0]["rows"][0]["taker"], "10.0.0.2");
    // (256 - 244) / 256 s = 46.9 ms.
    assert_eq!(tables[0]["rows"][0]["within_ms"], 47);
    assert_eq!(tables[0]["rows"][0]["gap"], false);
}

#[test]
fn bad_flags_get_one_line_with_the_right_spelling_and_64() {
    for (line, told) in [
        ("run --inteface eth0", "--inteface: no such flag: did you mean --interface? (see --help)"),
        ("run --vrrp 4", "--vrrp 4: expected 2 or 3"),
        ("run --vrrp", "--vrrp: expected a value, as --vrrp <2|3>"),
        ("run --update=swram", "--update swram: expected swarm, containers or all: did you mean swarm?"),
        ("run eth0", "eth0: not expected here: flags begin with --"),
        ("run --board pi3 --board pi4", "--board: is given twice"),
        ("run -v -q", "--verbose: does not go with --quiet"),
        ("run --prune=x", "--prune x: takes no value"),
        ("resign --for 5", "--for 5: has no unit: is it 5s or 5ms?"),
        ("completions bsh", "SHELL bsh: expected bash, fish or zsh: did you mean bash?"),
        (
            "rnu",
            "rnu: no such command: did you mean run? (known: run, status, plan, check, update, prune, resign, release, \
             translate, man, completions)",
        ),
        (
            "plan --vip 10.0.0.50 --node 10.0.0.1 --node 10.0.0.2 --track proces:dockerd",
            "--track proces:dockerd: no check `proces`: did you mean process? (known: process, tcp, http, exec, file, \
             interface, disk, docker, swarm, ceph, board)",
        ),
        (
            "plan --vip 10.0.0.50 --node 10.0.0.1 --node 10.0.0.2 --track board:hot",
            "--track board:hot: expected board alone: its temperature is --too-hot",
        ),
    ] {
        assert_eq!(refused(line), (64, format!("unsinkable: {told}\n")), "{line}");
    }
    let (code, text) = refused("");
    assert_eq!((code, text.lines().count()), (64, 1));
}

#[test]
fn what_the_unit_runs_says_what_it_is_for() {
    let text = "unsinkable: realtime is what the unit runs (ExecStartPost): $MAINPID is not set\n";
    assert_eq!(refused("realtime --vip 10.0.0.50"), (69, text.to_owned()));
    assert_eq!(unsinkable("realtime --realtime off").status.code(), Some(0));
}

#[test]
fn flags_that_do_not_fit_are_all_told_with_78() {
    let line = "plan --vip 10.0.0.1 --node 10.0.0.1=9 --node 10.0.0.1=8 --advert 15ms";
    let lines = "unsinkable: --vip 10.0.0.1: is a node's own address: a VIP is one more address, which no node has for itself\n\
        unsinkable: --advert 15ms: version 3 counts steps of 10ms, 10ms to 40950ms\n\
        unsinkable: --node 10.0.0.1: is listed twice\n";
    assert_eq!(refused(line), (78, lines.to_string()));
}

#[test]
fn an_interface_that_is_not_there_is_told_with_those_that_are() {
    let (code, text) = refused("run --interface nowhere0 --vip 10.0.0.50 --node 10.0.0.1 --node 10.0.0.2");
    assert_eq!(code, 78);
    assert!(text.starts_with("unsinkable: --interface nowhere0: no such interface (here: "), "{text}");
}

#[test]
fn a_round_without_docker_says_so_with_69() {
    for round in ["update", "prune"] {
        let output = unsinkable(&format!("{round} --dry-run --docker /no/docker.sock --state-dir /no/state"));
        assert_eq!(output.status.code(), Some(69), "{round}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("note: ") && text.contains("No such file"), "{text}");
    }
}

#[test]
fn the_manual_page_and_completions_know_the_flags() {
    let man = stdout("man");
    assert!(man.contains(".TH unsinkable 8"));
    for part in [
        ".SH \"VIRTUAL IP\"",
        ".SH CHECKS",
        "\\-\\-garp\\-refresh",
        "\\-\\-keep\\-image",
        "\nunsinkable run\n",
        "status \\-\\-watch",
    ] {
        assert!(man.contains(part), "{part}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&format!("completions {shell}"));
        assert!(script.contains("garp-refresh") && script.contains("completions"), "{shell}");
    }
}

#[test]
fn check_looks_at_the_machine_and_at_the_flags() {
    let output = unsinkable(
        "check --interface nowhere0 --vip 10.0.0.50 --node 10.0.0.1 --node 10.0.0.2 --docker /nonexistent",
    );
    assert_eq!(output.status.code(), Some(78));
    let text = String::from_utf8(output.stdout).unwrap();
    for what in
        ["flags", "capabilities", "protocol 112", "firewall", "ip_nonlocal_bind", "real time", "Docker"]
    {
        assert!(
            text.lines().any(|line| line.get(6..).is_some_and(|line| line.starts_with(what))),
            "{what}\n{text}"
        );
    }
    assert!(text.contains("no socket /nonexistent"), "{text}");
}
