//! The fuzz targets' properties on their corpora (and the router's on seeded bytes), without a fuzzer and a nightly
//! compiler: what one run of the fuzzer found, every test run looks at again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "fuzz/properties"]
mod properties {
    pub mod advert;
    pub mod arp;
    mod bpf;
    pub mod chunked;
    pub mod container;
    pub mod credentials;
    pub mod dns_answer;
    pub mod docker_event;
    pub mod exposition;
    pub mod flags;
    pub mod housekeeper_frame;
    pub mod http_head;
    pub mod inventory;
    pub mod listen_request;
    pub mod log_frames;
    pub mod log_lines;
    pub mod machine_files;
    pub mod netlink;
    pub mod peer_status;
    pub mod proc_stat;
    pub mod reference;
    pub mod resolv_conf;
    pub mod router_steps;
    pub mod service;
    pub mod state_file;
    pub mod status_frame;
    pub mod syslog_relay;
    pub mod translate;
}
use properties::{
    advert, arp, chunked, container, credentials, dns_answer, docker_event, exposition, flags,
    housekeeper_frame, http_head, inventory, listen_request, log_frames, log_lines, machine_files, netlink,
    peer_status, proc_stat, reference, resolv_conf, router_steps, service, state_file, status_frame,
    syslog_relay, translate,
};

/// The name of a target, and what must hold for any bytes.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 27] = [
    ("advert", advert::run),
    ("arp", arp::run),
    ("chunked", chunked::run),
    ("container", container::run),
    ("credentials", credentials::run),
    ("dns_answer", dns_answer::run),
    ("docker_event", docker_event::run),
    ("exposition", exposition::run),
    ("flags", flags::run),
    ("housekeeper_frame", housekeeper_frame::run),
    ("http_head", http_head::run),
    ("inventory", inventory::run),
    ("listen_request", listen_request::run),
    ("log_frames", log_frames::run),
    ("log_lines", log_lines::run),
    ("machine_files", machine_files::run),
    ("netlink", netlink::run),
    ("peer_status", peer_status::run),
    ("proc_stat", proc_stat::run),
    ("reference", reference::run),
    ("resolv_conf", resolv_conf::run),
    ("router_steps", router_steps::run),
    ("service", service::run),
    ("state_file", state_file::run),
    ("status_frame", status_frame::run),
    ("syslog_relay", syslog_relay::run),
    ("translate", translate::run),
];

fn fuzz_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

fn seeds(target: &str) -> Vec<PathBuf> {
    let corpus = fuzz_dir().join("corpus").join(target);
    let entries = fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()));
    let mut seeds: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    seeds.sort();
    seeds
}

#[test]
fn every_target_of_the_fuzzer_is_replayed_here() {
    let manifest = fs::read_to_string(fuzz_dir().join("Cargo.toml")).expect("a manifest");
    let bins = manifest.split("[[bin]]").skip(1).map(|bin| {
        let name = bin.lines().find_map(|line| line.strip_prefix("name = \""));
        name.and_then(|name| name.strip_suffix('"')).expect("a name")
    });
    let replayed = TARGETS.map(|(name, _)| name);
    assert_eq!(bins.collect::<BTreeSet<_>>(), BTreeSet::from(replayed));
}

#[test]
fn what_must_hold_holds_for_every_corpus() {
    for (target, run) in TARGETS {
        let seeds = seeds(target);
        assert!(!seeds.is_empty(), "tests/fuzz/corpus/{target} is empty");
        for seed in seeds {
            println!("{}", seed.display()); // shown where it panics
            run(&fs::read(&seed).expect("readable"));
        }
    }
}

#[test]
fn what_must_hold_of_a_router_holds_for_seeded_bytes() {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut byte = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random.to_be_bytes()[3]
    };
    for _ in 0..5_000 {
        // Begun as a daemon begins, so that most of them get beyond `Init`.
        let mut data = vec![byte(), byte(), 0, 0, byte(), 0, 2, 0, 0, 5, 100];
        data.extend((0..600).map(|_| byte()));
        router_steps::run(&data);
    }
}
