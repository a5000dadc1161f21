//! Updates and pruning on a real Swarm: dockerd, containerd and docker-registry from Debian in namespaces.
//!
//! `lab` says how to write such a test. One lab serves several scenarios, as it takes seconds to come up. They run one
//! after the other: `cargo test --test swarm -- --test-threads=1`.
#![allow(clippy::unwrap_used, reason = "a panic is a verdict here, in functions beside the tests, too")]

#[path = "../dockerd/mod.rs"]
#[allow(dead_code, reason = "for what no real dockerd does")]
mod dockerd;
#[path = "../lab/mod.rs"]
mod net;

#[path = "../unpacked/mod.rs"]
mod unpacked;

#[path = "../page/browser.rs"]
#[allow(dead_code, reason = "tests/page uses all of it")]
mod browser;
mod chaos;
mod containers;
mod lab;
mod logs;
mod page;
mod prune;
mod races;
mod rollback_images;
mod rounds;
mod smoke;
mod undisturbed;
mod updates;
