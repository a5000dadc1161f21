//! Whole command lines on machines that do not exist.

use core::net::IpAddr;
use core::time::Duration;
use std::ffi::OsString;

use super::*;
use crate::vrrp::priority::Effective;
use crate::vrrp::{Auth, Checksum, Preempt, PriorityRange, Version};

fn machine(interfaces: &[(&str, &[&str])]) -> LocalAddresses {
    let interface = |(name, addrs): &(&str, &[&str])| LocalInterface {
        name: (*name).into(),
        hardware: !name.starts_with("docker"),
        addrs: addrs.iter().map(|addr| addr.parse().unwrap()).collect(),
    };
    LocalAddresses { interfaces: interfaces.iter().map(interface).collect(), ..LocalAddresses::default() }
}

/// The second of three nodes.
fn second() -> LocalAddresses {
    machine(&[("docker0", &["172.17.0.1"]), ("eth0", &["10.0.0.2", "fd00::2", "fe80::2"])])
}

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

fn run(flags: &str, local: &LocalAddresses) -> Result<Resolved, Refusal> {
    match parse_from(&words(&format!("unsinkable run {flags}")), local)? {
        Command::Run(resolved) => Ok(resolved),
        other @ (Command::Plan { .. }
        | Command::Check { .. }
        | Command::Status { .. }
        | Command::Resign { .. }
        | Command::Release { .. }
        | Command::Realtime { .. }
        | Command::Man
        | Command::Completions(_)
        | Command::Translate { .. }
        | Command::Update { .. }
        | Command::Prune { .. }
        | Command::Housekeeper(_)) => panic!("{other:?}"),
    }
}

fn ready(flags: &str) -> Config {
    match run(flags, &second()).unwrap() {
        Resolved::Ready(config) => *config,
        Resolved::NotYet(waiting) => panic!("{waiting:?}"),
    }
}

/// Exit code and lines, without the name in front.
fn refused(flags: &str, local: &LocalAddresses) -> (u8, Vec<String>) {
    let refusal = run(flags, local).expect_err(flags);
    (refusal.exit, refusal.text.lines().map(|line| line.replace("unsinkable: ", "")).collect())
}

fn bad(flags: &str) -> (u8, String) {
    let (exit, lines) = refused(flags, &second());
    (exit, lines.join("\n"))
}

const NODES: &str = "--node 10.0.0.1 --node 10.0.0.2 --node 10.0.0.3";
const VIP: &str = "--vip 10.0.0.50/24";

#[test]
fn the_users_command_on_its_second_node() {
    let local = machine(&[("ens160", &["10.0.10.32"])]);
    let flags = "--interface ens160 --vip 10.0.10.39/24 --vrid 12 --auth-pass pass1234 --node 10.0.10.31=200 \
        --node 10.0.10.32=100 --node 10.0.10.33=50 --track process:dockerd,interval=1s,weight=20 \
        --track process:traefik,interval=30s,weight=10 --update --update-every 5m --prune --grace 30m \
        --keep-image heimdall";
    let Ok(Resolved::Ready(config)) = run(flags, &local) else { panic!() };
    let router = &config.routers[0];
    let settings = &router.settings;
    assert_eq!((router.interface.as_str(), settings.vrid, settings.base), ("ens160", 12, 100));
    assert_eq!((settings.version, settings.auth), (Version::V2, Auth::Pass(*b"pass1234")));
    assert_eq!((settings.interval, settings.checksum), (Duration::from_secs(1), Checksum::Pseudo));
    assert_eq!(settings.preempt, Preempt::After(Duration::ZERO));
    assert_eq!((settings.vips[0].addr, settings.vips[0].prefix), (IpAddr::from([10, 0, 10, 39]), 24));
    assert_eq!(router.source, Source::Addr(IpAddr::from([10, 0, 10, 32])));
    // All checks silent: 100 without the 20 and the 10.
    assert_eq!(settings.blind, Effective::Priority(100));
    let peers: Vec<_> = settings.peers.iter().map(|peer| (peer.addr, peer.range)).collect();
    let range = |floor, ceiling| Some(PriorityRange { floor, ceiling });
    assert_eq!(
        peers,
        [(IpAddr::from([10, 0, 10, 31]), range(200, 230)), (IpAddr::from([10, 0, 10, 33]), range(50, 80))]
    );
    let (update, every) = config.housekeeping.update.unwrap();
    assert!(update.swarm && !update.containers && every == Duration::from_mins(5));
    let prune = config.housekeeping.prune.unwrap();
    assert_eq!((prune.grace, prune.keep_images), (Duration::from_mins(30), vec!["heimdall".to_string()]));
    assert!(
        !prune.volumes.anonymous && prune.volumes.named.is_empty(),
        "volumes stay unless a flag names them"
    );
    assert!(config.warnings.is_empty());
}

#[test]
fn defaults_are_those_of_three_managers_on_one_switch() {
    let config = ready(&format!("{VIP} {NODES}"));
    let router = &config.routers[0];
    assert_eq!((router.interface.as_str(), router.settings.vrid, router.settings.base), ("eth0", 51, 244));
    assert_eq!((router.settings.version, router.lease), (Version::V3, true));
    assert_eq!(router.garp_refresh, Some(Duration::from_mins(1)));
    assert!(config.realtime && !config.housekeeping.any() && config.warnings.is_empty());
    assert_eq!(config.run_dir.to_str(), Some("/run/unsinkable"));
    assert_eq!(config.level, log::LevelFilter::Info);
}

#[test]
fn a_check_without_weight_makes_silence_a_fault() {
    let config = ready(&format!("{VIP} {NODES} --track process:dockerd"));
    assert_eq!(config.routers[0].settings.blind, Effective::Fault);
}

#[test]
fn two_families_make_two_routers() {
    let config = ready(&format!("{VIP} --vip fd00::50 {NODES} --auth-pass secret"));
    let [v4, v6] = config.routers.as_slice() else { panic!() };
    assert_eq!((v4.settings.version, v4.settings.multicast), (Version::V2, false));
    assert_eq!((v6.settings.version, v6.settings.auth), (Version::V3, Auth::None));
    // No IPv6 nodes: multicast from the link-local address, with the IPv4 priority.
    assert_eq!((v6.source, v6.settings.multicast, v6.settings.base), (Source::Interface, true, 244));
    assert!(v6.settings.peers.is_empty());
    assert_eq!(v6.settings.vips[0].prefix, 128);
    let config = ready(&format!("{VIP} --vip fd00::50 {NODES} --node fd00::1 --node fd00::2"));
    assert_eq!(config.routers[1].source, Source::Addr("fd00::2".parse().unwrap()));
    assert_eq!(config.routers[1].settings.peers.len(), 1);
}

#[test]
fn a_second_vrid_inherits_all_but_vips() {
    let config = ready(
        "--vip 10.0.0.50 --vrid 50 --node 10.0.0.1=200 --node 10.0.0.2=100 --track process:a --advert 100ms \
         --vrid 51 --vip 10.0.0.51 --node 10.0.0.1=100 --node 10.0.0.2=200 --no-preempt \
         --vrid 52 --vip 10.0.0.52 --track file:/x --advert 1s",
    );
    let numbers: Vec<_> = config.routers.iter().map(|at| (at.settings.vrid, at.settings.base)).collect();
    assert_eq!(numbers, [(50, 100), (51, 200), (52, 100)]);
    let adverts: Vec<_> = config.routers.iter().map(|at| at.settings.interval.as_millis()).collect();
    assert_eq!(adverts, [100, 100, 1000]);
    let never: Vec<_> = config.routers.iter().map(|at| at.settings.preempt == Preempt::Never).collect();
    assert_eq!(never, [false, true, false]);
    assert_eq!(config.routers[1].tracks, config.routers[0].tracks);
    assert_eq!(config.tracks().len(), 2);
}

#[test]
fn a_second_vrid_may_say_who_it_is_in_the_other_way() {
    let config = ready(&format!(
        "{VIP} {NODES} --vrid 50 --vrid 51 --vip 10.0.0.51 --priority 7 --peer 10.0.0.9 --source 10.0.0.2"
    ));
    assert_eq!((config.routers[1].settings.base, config.routers[1].settings.peers[0].range), (7, None));
}

#[test]
fn a_v3_router_beside_one_with_password() {
    let flags = format!("{VIP} {NODES} --vrid 1 --auth-pass secret --vrid 2 --vip 10.0.0.51 --vrrp 3");
    let config = ready(&flags);
    assert_eq!(config.routers[1].settings.auth, Auth::None);
}

#[test]
fn as_keepalived_has_it() {
    let config = ready(&format!("{VIP} --priority 150 --peer 10.0.0.1 --source 10.0.0.2 --vrrp 2"));
    let router = &config.routers[0];
    assert_eq!((router.interface.as_str(), router.settings.base), ("eth0", 150));
    assert_eq!(router.settings.peers[0].range, None);
    let config = ready(&format!("{VIP} --interface eth0 --multicast"));
    assert_eq!((config.routers[0].settings.base, config.routers[0].source), (100, Source::Interface));
    assert!(config.routers[0].settings.multicast);
}

#[test]
fn without_an_address_it_waits_and_with_another_one_it_refuses() {
    let flags = format!("{VIP} {NODES}");
    let booting =
        machine(&[("docker0", &["172.17.0.1"]), ("eth0", &["169.254.3.4", "fe80::1"]), ("wlan0", &[])]);
    let Ok(Resolved::NotYet(waiting)) = run(&flags, &booting) else { panic!() };
    assert_eq!(waiting.text, "waiting for an interface to get one of 10.0.0.1, 10.0.0.2, 10.0.0.3");
    let Ok(Resolved::NotYet(waiting)) = run(&format!("{flags} --interface wlan0"), &booting) else {
        panic!()
    };
    assert_eq!(waiting.text, "waiting for wlan0 to get one of 10.0.0.1, 10.0.0.2, 10.0.0.3");
    let other = machine(&[("eth0", &["10.0.9.9"])]);
    assert_eq!(
        refused(&flags, &other),
        (
            78,
            vec!["--node: none of 10.0.0.1, 10.0.0.2, 10.0.0.3 is on this machine (it has 10.0.9.9)".into()]
        )
    );
}

#[test]
fn what_does_not_fit_is_named() {
    let base = format!("{VIP} {NODES}");
    let with = |more: &str| bad(&format!("{base} {more}"));
    let config = |text: &str| (78, text.to_string());
    assert_eq!(
        with("--interface eth1"),
        config("--interface eth1: no such interface: did you mean eth0? (here: docker0, eth0)")
    );
    assert_eq!(
        with("--interface docker0"),
        config("--interface docker0: 10.0.0.2 is on eth0: say --interface eth0, or leave it out")
    );
    assert_eq!(with("--vip 10.0.0.50"), config("--vip 10.0.0.50: is given twice"));
    assert_eq!(
        with("--vip 10.0.0.1"),
        config(
            "--vip 10.0.0.1: is a node's own address: a VIP is one more address, which no node has for itself"
        )
    );
    assert_eq!(
        with("--vrrp 2 --advert 500ms"),
        config(
            "--advert 500ms: version 2 (--vrrp 2) counts whole seconds, 1s to 255s: say 1s, or use version 3"
        )
    );
    assert_eq!(
        with("--advert 15ms"),
        config("--advert 15ms: version 3 counts steps of 10ms, 10ms to 40950ms")
    );
    assert_eq!(
        with("--vrrp 3 --auth-pass x"),
        config("--vrrp 3: has no password: leave out --auth-pass, or use --vrrp 2")
    );
    assert_eq!(
        with("--priority 5"),
        config("--priority: --node says it already: use either --node, or --priority, --peer, --source")
    );
    assert_eq!(
        with("--vrid 5 --vrid 6"),
        config("--vrid 6: has no --vip (the flags of a second virtual router come after its --vrid)")
    );
    assert_eq!(
        with("--vrid 5 --vrid 5 --vip 10.0.0.51"),
        config("--vrid 5: is given twice: each virtual router has its own")
    );
    assert_eq!(
        with("--vrid 5 --vrid 6 --vip 10.0.0.50"),
        config("--vip 10.0.0.50: belongs to --vrid 5 already, not to --vrid 6 too")
    );
    assert_eq!(
        with("--auth-pass-file /nonexistent/p"),
        config("--auth-pass-file /nonexistent/p: No such file or directory (os error 2)")
    );
    assert_eq!(with("--disk-low 90"), config("--disk-low 90: must lie below --disk-high 85"));
    assert_eq!(
        bad(VIP),
        config(
            "no --node: list every node of the cluster (--node 10.0.0.1 --node 10.0.0.2 …), or give --multicast"
        )
    );
}

#[test]
fn what_cannot_be_read_is_named_with_what_was_expected() {
    let with = |more: &str| bad(&format!("{VIP} {NODES} {more}"));
    let usage = |text: &str| (64, text.to_string());
    assert_eq!(with("--vrid 0"), usage("--vrid 0: expected a number, 1 to 255"));
    assert_eq!(with("--advert 1"), usage("--advert 1: has no unit: is it 1s or 1ms?"));
    assert_eq!(
        with("--vip 10.0.0.300"),
        usage("--vip 10.0.0.300: expected ADDR or ADDR/LEN, as 10.0.0.50/24")
    );
    assert_eq!(with("--vip 10.0.0.60/33"), usage("--vip 10.0.0.60/33: expected a prefix length, 1 to 32"));
    assert_eq!(
        with("--node 10.0.0.4=0"),
        usage("--node 10.0.0.4=0: expected a priority, 1 to 254, or 255 for the owner")
    );
    assert_eq!(with("--on-change hook"), usage("--on-change hook: expected an absolute path to a program"));
    assert_eq!(
        with("--advert 1s --advert 2s"),
        usage("--advert: is given 2 times (1s, 2s): once for each --vrid")
    );
    assert_eq!(with("--run-dir x"), usage("--run-dir x: expected an absolute path"));
    assert_eq!(with("--grace soon"), usage("--grace soon: expected a duration like 250ms, 1s, 30m or 2h"));
    assert_eq!(
        with("--update-window 2-5"),
        usage("--update-window 2-5: expected two times of day, as 02:00-05:00")
    );
    assert_eq!(
        with("--syslog tcp://"),
        usage(
            "--syslog tcp://: expected udp://HOST:514 or tcp://HOST:601, then ?format=rfc5424|rfc3164&framing=lf|octet"
        )
    );
    assert_eq!(with("--keep-per-repo x"), usage("--keep-per-repo x: expected a number, 0 to 1000"));
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let (exit, lines) =
        refused(&format!("{VIP} {NODES} --vrid x --advert 1 --track proces:a --lease on"), &second());
    assert_eq!((exit, lines.len()), (64, 3));
    let (_, lines) =
        refused("--vip 10.0.0.1 --node 10.0.0.1=9 --node 10.0.0.2=9 --interface eth7", &second());
    assert_eq!(lines.len(), 3);
}

#[test]
fn a_password_is_never_in_an_error_or_a_debug_print() {
    let (_, text) = bad(&format!("{VIP} {NODES} --auth-pass hushhush --auth-pass hushhush --vrid 0"));
    assert!(!text.contains("hushhush"), "{text}");
    assert!(!format!("{:?}", ready(&format!("{VIP} {NODES} --auth-pass hushhush"))).contains("hush"));
}

#[test]
fn the_password_file_is_read_and_its_mode_looked_at() {
    use std::os::unix::fs::PermissionsExt;
    let path = std::env::temp_dir().join(format!("unsinkable-pass-{}", std::process::id()));
    std::fs::write(&path, "secret\n").unwrap();
    let flags = format!("{VIP} {NODES} --auth-pass-file {}", path.display());
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let open = ready(&flags);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let closed = ready(&flags);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(open.routers[0].settings.auth, Auth::Pass(*b"secret\0\0"));
    assert!(open.warnings[0].text.ends_with(&format!("(mode 644): chmod 600 {}", path.display())));
    assert_eq!(closed.warnings, Vec::new());
}

#[test]
fn plan_needs_no_address_of_this_machine() {
    let line = words(&format!("unsinkable plan {VIP} {NODES} --interface nowhere0"));
    let Ok(Command::Plan { clusters, json: false, .. }) = parse_from(&line, &LocalAddresses::default())
    else {
        panic!()
    };
    assert_eq!(clusters[0].nodes.iter().map(|node| node.base).collect::<Vec<_>>(), [254, 244, 234]);
}

#[test]
fn release_looks_at_vips_only() {
    let line = words("unsinkable release --vip 10.0.0.50/24 --interface gone0 --vrid x --node y --advert z");
    let Ok(Command::Release { vips, .. }) = parse_from(&line, &LocalAddresses::default()) else { panic!() };
    assert_eq!(vips.len(), 1);
    assert_eq!((vips[0].0.as_deref(), vips[0].1.prefix), (Some("gone0"), 24));
}

#[test]
fn nonsense_never_panics() {
    // A short xorshift over words that mean something here, so that it gets past the first check.
    let words: Vec<&str> = "run plan check release --vip --vrid --node --priority --peer --source --track --advert \
        --auth-pass --multicast --no-preempt --vrrp --update= --prune --lease on 2 10.0.0.2 10.0.0.2=255 ::1 fd00::2=1 \
        fd00::9/64 process:é,weight=-253 http://[::1 tcp:: , = / 255 0 99999999999999999999 1s 1ms 5 -v -q -- \
        process:ééééééééé http:http://ü/ exec: --interface eth0 a:b"
        .split_whitespace()
        .collect();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..600 {
        let mut line = vec![OsString::from("unsinkable")];
        for _ in 0..(round % 14) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            line.push(words[usize::try_from(state % words.len() as u64).unwrap()].into());
        }
        if let Err(refusal) = parse_from(&line, &second()) {
            assert!(refusal.exit == 0 || refusal.exit == 64 || refusal.exit == 78, "{line:?}");
            assert!(!refusal.text.is_empty(), "{line:?}");
        }
    }
}

#[test]
fn housekeeping_is_what_its_flags_say() {
    let flags = "--update=all --update-every 1m --update-only web-* --update-window 22:30-05:00 --min-age 1d --bake 90s \
        --registry-auth-file /etc/auth.json --prune --prune-every 10m --keep-image heimdall,portainer/* --keep-per-repo 3 \
        --prune-volumes anonymous --prune-volumes cache-* --disk-high 90 --disk-low 80 --listen 0.0.0.0:9112,pi.example.com";
    let jobs = ready(&format!("{VIP} {NODES} {flags}")).housekeeping;
    let (update, every) = jobs.update.unwrap();
    assert!(update.swarm && update.containers && every == Duration::from_mins(1));
    assert!(update.only[0].matches("web-shop") && !update.only[0].matches("db"));
    assert_eq!(update.window.map(|window| (window.from, window.to)), Some((1350, 300)));
    assert_eq!((update.min_age, update.bake), (Duration::from_hours(24), Some(Duration::from_secs(90))));
    let prune = jobs.prune.unwrap();
    assert_eq!(prune.keep_images, ["heimdall", "portainer/*"]);
    assert!(prune.volumes.anonymous && prune.volumes.named[0].matches("cache-web"));
    assert_eq!((prune.per_repository, prune.disk_high, prune.disk_low), (3, 90, 80));
    let managers: Vec<String> = prune.managers.iter().map(ToString::to_string).collect();
    assert_eq!(managers, ["10.0.0.1:9112", "10.0.0.2:9112", "10.0.0.3:9112"]);
    assert_eq!(jobs.listen_names, ["pi.example.com"]);
}

#[test]
fn what_housekeeping_cannot_do_is_refused() {
    let with = |flags: &str| bad(&format!("{VIP} {NODES} {flags}"));
    assert_eq!(
        with("--prune --grace soon"),
        (64, "--grace soon: expected a duration like 250ms, 1s, 30m or 2h".into())
    );
    assert_eq!(with("--update-every 10ms"), (64, "--update-every 10ms: expected 1s or more".into()));
    assert_eq!(
        with("--update-window 2-5"),
        (64, "--update-window 2-5: expected two times of day, as 02:00-05:00".into())
    );
    assert_eq!(with("--disk-high 50"), (78, "--disk-low 75: must lie below --disk-high 50".into()));
    assert_eq!(
        with("--prune-volumes none,anonymous"),
        (78, "--prune-volumes none: contradicts the other values of this flag".into())
    );
    assert!(with("--keep-image [a").1.starts_with("--keep-image [a: no pattern: "));
}

#[test]
fn a_round_by_hand_needs_no_vip() {
    let command = parse_from(&words("unsinkable prune --dry-run --grace 1h"), &second()).unwrap();
    let Command::Prune { dry_run: true, json: false, jobs } = command else { panic!("{command:?}") };
    assert_eq!(jobs.prune.unwrap().grace, Duration::from_hours(1));
    let command = parse_from(&words("unsinkable update --update=containers --json"), &second()).unwrap();
    let Command::Update { dry_run: false, json: true, jobs } = command else { panic!("{command:?}") };
    let (update, _) = jobs.update.unwrap();
    assert!(!update.swarm && update.containers);
}
