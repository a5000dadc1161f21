//! No command line may panic its reader; what it accepts is complete and can be planned, what it refuses has words and
//! one of our exit codes, and a password is never among the words.
//!
//! One argument a line. An argument holds no zero byte, so that one stands for the newline it may well hold.

use core::net::IpAddr;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use unsinkable::checks::Kind;
use unsinkable::checks::process::Comm;
use unsinkable::flags::{Command, Config, LocalAddresses, LocalInterface, Refusal, Resolved, parse_from};
use unsinkable::plan::{Cluster, plan, render};
use unsinkable::shared::MAX_ROUTERS;
use unsinkable::vrrp::advert::{MAX_MESSAGE, Received, accept, emit};
use unsinkable::vrrp::{Settings, Version};

/// Where a password is read from: no file of this machine, and no regular one.
const NO_FILE: &[u8] = b"/dev/null";
/// Looked for in refusals.
const PASSWORD: &[u8] = b"pa55w0rd";

/// Reads `data` as the arguments of the second of three nodes.
pub fn run(data: &[u8]) {
    let words = words(data);
    let mut args = vec![OsString::from("unsinkable")];
    args.extend(words.iter().cloned().map(OsString::from_vec));
    match parse_from(&args, &second()) {
        Ok(Command::Run(resolved) | Command::Check { resolved: Ok(resolved), .. }) => match resolved {
            Resolved::Ready(config) => {
                complete(&config);
                findable(&config, &words);
            }
            Resolved::NotYet(waiting) => panic!("this machine has all its addresses: {waiting:?}"),
        },
        Ok(Command::Check { resolved: Err(findings), .. }) => assert!(!findings.is_empty()),
        Ok(Command::Plan { clusters, .. }) => planned(&clusters),
        Ok(
            Command::Status { .. }
            | Command::Resign { .. }
            | Command::Update { .. }
            | Command::Prune { .. }
            | Command::Release { .. }
            | Command::Realtime { .. }
            | Command::Man
            | Command::Completions(_)
            | Command::Translate { .. }
            | Command::Housekeeper(_),
        ) => {}
        Err(refusal) => refused(&refusal, &words),
    }
}

fn words(data: &[u8]) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    for word in data.split(|&byte| byte == b'\n').filter(|word| !word.is_empty()) {
        let mut word: Vec<u8> = word.iter().map(|&byte| if byte == 0 { b'\n' } else { byte }).collect();
        if words.last().is_some_and(|flag| flag == b"--auth-pass-file") {
            word = NO_FILE.to_vec();
        } else if word.starts_with(b"--auth-pass-file=") {
            word = [b"--auth-pass-file=", NO_FILE].concat();
        }
        words.push(word);
    }
    words
}

fn second() -> LocalAddresses {
    let interface = |name: &str, hardware, addrs: &[&str]| LocalInterface {
        name: name.into(),
        hardware,
        addrs: addrs.iter().map(|addr| addr.parse().expect("an address")).collect(),
    };
    let docker = interface("docker0", false, &["172.17.0.1"]);
    let interfaces = vec![docker, interface("eth0", true, &["10.0.0.2", "fd00::2", "fe80::2"])];
    LocalAddresses { interfaces, ..LocalAddresses::default() }
}

fn complete(config: &Config) {
    assert!((1..=MAX_ROUTERS).contains(&config.routers.len()), "{config:?}");
    // One --node that is this node itself: there is nobody to send to, which has been said.
    let alone = config.warnings.iter().any(|warning| warning.text.contains("is alone"));
    for router in &config.routers {
        if router.settings.multicast || !router.settings.peers.is_empty() {
            sendable(&router.settings);
        } else {
            assert!(alone, "{router:?}");
        }
        assert!(router.garp_refresh.is_none_or(|refresh| !refresh.is_zero()));
        assert!(router.cluster.nodes.iter().filter(|node| node.here).count() == 1, "{router:?}");
        planned(core::slice::from_ref(&router.cluster));
    }
    for track in config.tracks() {
        assert!(!track.interval.is_zero() && !track.timeout.is_zero(), "{track:?}");
        assert!(track.rise > 0 && track.fall > 0 && track.weight != Some(0), "{track:?}");
    }
}

/// A process is looked for under the name the kernel keeps of the one that was given.
fn findable(config: &Config, words: &[Vec<u8>]) {
    for track in config.tracks() {
        let Kind::Process(kept) = &track.kind else { continue };
        let given = words.iter().filter_map(|word| {
            let word = word.strip_prefix(b"--track=").unwrap_or(word).strip_prefix(b"process:")?;
            str::from_utf8(word.split(|&byte| byte == b',').next()?).ok()
        });
        assert!(given.map(Comm::new).any(|given| given == Comm::new(kept)), "{kept}");
    }
}

/// What these settings send, a node with the same settings takes in.
fn sendable(settings: &Settings) {
    assert!(settings.vrid > 0 && settings.base > 0 && !settings.vips.is_empty(), "{settings:?}");
    assert!(settings.version == Version::V3 || !settings.is_ipv6(), "{settings:?}");
    let [own, other]: [IpAddr; 2] = if settings.is_ipv6() {
        ["fd00::2", "fd00::1"].map(|addr| addr.parse().expect("an address"))
    } else {
        ["10.0.0.2", "10.0.0.1"].map(|addr| addr.parse().expect("an address"))
    };
    let src = settings.peers.first().map_or(other, |peer| peer.addr);
    let mut out = [0; MAX_MESSAGE];
    let len = emit(settings, settings.base, src, own, &mut out);
    let taken = accept(settings, own, &Received { src, dst: own, ttl: 255, message: &out[..len] });
    let taken = taken.unwrap_or_else(|reject| panic!("{reject:?}: {settings:?}"));
    assert_eq!((taken.priority, taken.interval), (settings.base, settings.interval));
    assert!(taken.same_vips, "{settings:?}");
}

fn planned(clusters: &[Cluster]) {
    let tables: Vec<_> = clusters.iter().map(plan).collect();
    assert!(tables.iter().all(|table| !table.rows.is_empty()), "{clusters:?}");
    assert!(render(&tables).ends_with('\n') || tables.is_empty());
}

fn refused(refusal: &Refusal, words: &[Vec<u8>]) {
    assert!([0, 64, 78].contains(&refusal.exit), "{refusal:?}");
    assert!(refusal.text.ends_with('\n') && refusal.text.trim().len() > 10, "{refusal:?}");
    // Given once, and as a password; behind `--` it would be a word like any other.
    let mut holders = words.iter().filter(|word| contains(word, PASSWORD));
    let given = [b"--auth-pass=", PASSWORD].concat();
    if holders.next() == Some(&given) && holders.next().is_none() && !words.contains(&b"--".to_vec()) {
        assert!(!contains(refusal.text.as_bytes(), PASSWORD), "{refusal:?}");
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
