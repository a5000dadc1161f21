//! Docker's Engine API over its unix socket, by hand: what updates, pruning, checks and log shipping need of it.
//!
//! `http` reads HTTP/1.1 (head, body of known length, chunks, until close), `log_frames` the multiplexed container logs,
//! `reference` image names as Docker does, `api` the JSON, `credentials` Docker's `config.json`; all pure. `client` does
//! the I/O on smol: one connection kept, deadlines, limits, version negotiation; `calls` names each call once.

pub mod api;
pub mod calls;
pub mod client;
pub mod credentials;
pub mod error;
pub mod http;
pub mod log_frames;
pub mod reference;

pub use client::Client;
pub use error::Error;
pub use reference::Reference;
