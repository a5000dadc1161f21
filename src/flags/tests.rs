//! Whole command lines on machines that do not exist.

mod jobs;
mod refused;

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
