//! The three files of the user's keepalived cluster, and the compose files beside it.

use unsinkable::translate::run::translate;

use super::{Seen, accepted, files};

const THREE: [&str; 3] =
    ["keepalived/users/one.conf", "keepalived/users/two.conf", "keepalived/users/three.conf"];
const COMMAND: &str = "run --interface ens160 --vip 10.0.10.39/24 --vrid 12 --advert 1s \
    --auth-pass-file /etc/unsinkable.pass \
    --node 10.0.10.31=200 --node 10.0.10.32=100 --node 10.0.10.33=50 \
    --track process:dockerd,interval=1s,weight=20 --track process:traefik,interval=30s,weight=10";

#[test]
fn three_nodes_become_one_command_for_all_of_them() {
    let seen = Seen::of(&THREE);
    assert_eq!(seen.command(), COMMAND);
    assert_eq!(seen.exit, 0);
    for addr in ["10.0.10.31", "10.0.10.32", "10.0.10.33"] {
        accepted(&seen.commands()[0], "ens160", &[addr]);
    }
}

#[test]
fn the_order_of_the_files_changes_nothing() {
    let seen = Seen::of(&[THREE[2], THREE[0], THREE[1]]);
    assert_eq!(seen.command(), COMMAND);
}

#[test]
fn it_says_that_no_failure_moves_the_vip() {
    let findings = Seen::of(&THREE).findings();
    let told = [
        "priorities while all is well: 10.0.10.31 230, 10.0.10.32 130, 10.0.10.33 80",
        "process:dockerd lost on 10.0.10.31 drops 230 to 210, no other node can exceed 130, the VIP stays",
        "process:traefik lost on 10.0.10.31 drops 230 to 220, no other node can exceed 130, the VIP stays",
    ];
    assert_eq!(&findings[..3], told, "{findings:?}");
    let text = translate(&files(&THREE), false).text;
    assert!(text.contains(&format!("# - {}\n", told[1])), "{text}");
}

#[test]
fn the_password_is_named_by_its_place_and_never_printed() {
    for json in [false, true] {
        let text = translate(&files(&THREE), json).text;
        assert!(!text.contains("pass1234"), "{text}");
        let place = format!("write the auth_pass of {}:26 into /etc/unsinkable.pass", files(&THREE)[0]);
        assert!(text.contains(&place), "{text}");
    }
}

#[test]
fn every_statement_has_exactly_one_verdict() {
    let seen = Seen::of(&THREE[..1]);
    let mut lines: Vec<u64> =
        seen.json["lines"].as_array().unwrap().iter().map(|line| line["line"].as_u64().unwrap()).collect();
    lines.sort_unstable();
    // All lines of the file but blank ones, `}`, and the names of lists, whose entries are told one by one (20, 28, 31).
    let expected = [1, 2, 3, 4, 7, 8, 9, 10, 13, 14, 15, 16, 17, 18, 19, 21, 22, 24, 25, 26, 29, 32, 33];
    assert_eq!(lines, expected);
    assert_eq!(seen.lines("no counterpart"), Vec::<String>::new());
    assert_eq!(seen.lines("different"), ["2 script \"pgrep dockerd\"", "8 script \"pgrep traefik\""]);
}

#[test]
fn one_node_alone_gets_its_own_command_and_a_hint() {
    let seen = Seen::of(&THREE[1..2]);
    let expected = "run --interface ens160 --vip 10.0.10.39/24 --vrid 12 --advert 1s \
        --auth-pass-file /etc/unsinkable.pass --priority 100 --source 10.0.10.32 \
        --peer 10.0.10.31 --peer 10.0.10.33 \
        --track process:dockerd,interval=1s,weight=20 --track process:traefik,interval=30s,weight=10";
    assert_eq!(seen.command(), expected);
    assert_eq!(
        seen.notes()[0],
        "give the keepalived.conf of all nodes at once, and one command fits all of them"
    );
    accepted(&seen.commands()[0], "ens160", &["10.0.10.32"]);
}

#[test]
fn a_node_without_file_is_named_and_each_of_the_others_has_its_command() {
    let seen = Seen::of(&THREE[..2]);
    let commands = seen.commands();
    assert_eq!(commands.len(), 2);
    assert!(commands[0].join(" ").contains("--priority 200 --source 10.0.10.31"));
    assert!(commands[1].join(" ").contains("--priority 100 --source 10.0.10.32"));
    assert_eq!(
        seen.notes()[0],
        "a command for each node, as one for all is not possible: the priority of 10.0.10.33 is missing: give its \
         keepalived.conf, too"
    );
}

#[test]
fn on_one_line_it_is_the_same() {
    let seen = Seen::of(&["keepalived/oneline.conf"]);
    let expected = "run --interface ens160 --vip 10.0.10.39/24 --vip 10.0.10.40/24 --vrid 12 --advert 1s \
        --auth-pass-file /etc/unsinkable.pass --priority 200 --source 10.0.10.31 \
        --peer 10.0.10.32 --peer 10.0.10.33";
    assert_eq!(seen.command(), expected);
    assert_eq!(seen.exit, 0);
}

#[test]
fn shepherd_becomes_updates() {
    let seen = Seen::of(&["tools/users/shepherd.yml"]);
    assert_eq!(seen.command(), "update --dry-run --update");
    accepted(&seen.commands()[0], "eth0", &["10.0.0.1"]);
    assert_eq!(seen.lines("different"), ["4 image mazzolino/shepherd"]);
    assert_eq!(
        seen.lines("translated"),
        ["6 volume /var/run/docker.sock:/var/run/docker.sock", "10 constraint node.role == manager"]
    );
    assert_eq!(seen.exit, 0);
}

#[test]
fn docker_cleanup_becomes_pruning_that_keeps_volumes() {
    let seen = Seen::of(&["tools/users/docker-cleanup.yml"]);
    assert_eq!(seen.command(), "prune --dry-run --prune --keep-image heimdall --keep-image xxx -v");
    accepted(&seen.commands()[0], "eth0", &["10.0.0.1"]);
    let why = seen.why("image meltwater/docker-cleanup:latest");
    assert!(why.starts_with("unused VOLUMES are no longer removed"), "{why}");
    assert_eq!(seen.lines("different"), ["4 image meltwater/docker-cleanup:latest"]);
    let alone = Seen::of(&["tools/users/docker-cleanup.env"]);
    assert_eq!(alone.command(), seen.command());
}

#[test]
fn all_five_files_make_one_command() {
    let rest = ["tools/users/shepherd.yml", "tools/users/docker-cleanup.yml"];
    let seen = Seen::of(&[&THREE[..], &rest].concat());
    let expected = format!("{COMMAND} --update --prune --keep-image heimdall --keep-image xxx -v");
    assert_eq!(seen.command(), expected);
    accepted(&seen.commands()[0], "ens160", &["10.0.10.33"]);
    let text = translate(&files(&[&THREE[..], &rest].concat()), false).text;
    let command: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let joined = command.iter().map(|line| line.trim_end_matches('\\').trim()).collect::<Vec<_>>().join(" ");
    assert_eq!(joined, format!("unsinkable {expected}"));
}
