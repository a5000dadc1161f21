//! What `--listen` answers: the smallest HTTP/1.1 server, for reading only. One request a connection, no body taken.
//!
//! `request` reads a head, `host` knows whom to answer, `response` writes one, `clients` says who has to make room; all
//! are pure. `run` is the server, in the housekeeper: whoever floods it cannot reach the VIP. What the documents say is
//! written down in `report`.

pub mod clients;
pub mod host;
pub mod request;
pub mod response;
pub mod run;

pub use request::Request;
pub use response::{Response, refusal};

/// The page under `/`: `page.html`, gzipped by `pack` as the program is built. Every browser unpacks it.
pub const PAGE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/page.html.gz"));
