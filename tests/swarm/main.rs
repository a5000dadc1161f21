//! Updates and pruning on a real Swarm: dockerd, containerd and docker-registry from Debian in namespaces.
//!
//! `lab` says how to write such a test. One lab serves several scenarios, as it takes seconds to come up. They run one
//! after the other: `cargo test --test swarm -- --test-threads=1`.

#[path = "../lab/mod.rs"]
mod net;

mod lab;

mod rounds;

mod chaos;
mod containers;
mod prune;
mod races;
mod rollback_images;
mod smoke;
mod undisturbed;
mod updates;
