//! Docker's Engine API over its unix socket, by hand: what updates, pruning, checks and log shipping need of it.
//!
//! Pure: `request` writes HTTP/1.1, `http` reads its heads and `body` what follows (known length, chunks, until close),
//! `log_frames` the multiplexed container logs, `reference` image names as Docker does, `api` and `json` the JSON, `credentials`
//! Docker's `config.json`. With I/O: `connection` and `client` on smol (one connection kept, deadlines, limits, version
//! negotiation, dockerd's restarts), `fetch` for a peer's page over TCP, `auth_file`. `calls` names each call once.

pub mod api;
pub mod auth_file;
pub mod body;
pub mod calls;
pub mod client;
mod connection;
pub mod credentials;
pub mod error;
pub mod fetch;
pub mod http;
pub mod json;
pub mod log_frames;
pub mod reference;
mod request;

pub use client::Client;
pub use error::Error;
pub use reference::Reference;
